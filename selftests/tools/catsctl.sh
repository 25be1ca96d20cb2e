#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# catsctl: on the host, where there is no module, and in the VM with sockets.  Prints TAP.
#
# Usage: catsctl.sh [--out DIR] [--ko FILE]
#
#	--out DIR	for results (default out/tools-test)
#	--ko FILE	the module (default: build it)
#
# Writes to DIR: vm/, what guest.sh wrote; bin/, the programs.

set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
. "$top/selftests/suite.sh"

out=$top/out/tools-test ko=

prepare()
{
	suite_out
	mkdir -p "$out/bin/tools"
	catsctl=$out/bin/catsctl
	suite_module
	make -s -C "$top/tools/catsctl" OUT="$out/bin" >&2
	make -s -C "$top/selftests" OUT="$out/bin" PROGRAMS=tools/holder >&2
}

# check NAME COMMAND...
check()
{
	local name=$1

	shift
	if "$@" >"$out/check.log" 2>&1; then
		echo "ok - $name"
	else
		sed 's/^/# /' "$out/check.log"
		echo "not ok - $name"
	fi
}

# gives STATUS PATTERN ARGUMENT...: what catsctl prints, on stdout or stderr
gives()
{
	local expected=$1 pattern=$2 status=0

	shift 2
	"$catsctl" "$@" >"$out/stdout" 2>"$out/stderr" </dev/null || status=$?
	echo "catsctl $*: status $status"
	cat "$out/stdout" "$out/stderr"
	[[ $status -eq $expected ]] && grep -qE -- "$pattern" "$out/stdout" "$out/stderr"
}

# The figures of Documentation/conductor.rst.
bounds()
{
	awk '/begin-figures: rst_bounds/, /end-figures/' "$top/Documentation/conductor.rst" |
		awk '$3 ~ /^[0-9]+$/ { print $1, $2, $3 }' >"$out/documented"
	for policy in strict edf bounded wfq debt debt-paper debt-refcode; do
		"$catsctl" bound "$policy" | awk -v policy="$policy" \
			'rows && $2 != "none" { print policy, $1, $2 } $1 == "urgency" { rows = 1 }'
	done >"$out/printed"
	[[ $(wc -l <"$out/printed") -eq 42 ]] && diff "$out/documented" "$out/printed"
}

# What bound prints is what it reads.
round_trip()
{
	"$catsctl" bound bounded --share 100,20,20,20,20,20,20,20 --bucket 5000 -m 1000 \
		>"$out/first"
	grep '^  ' "$out/first" >"$out/params"
	"$catsctl" bound bounded -p "$out/params" -m 1000 | diff - "$out/first"
	grep -qx ' *0 *10240' "$out/first"
}

bad_params()
{
	check "bad: too few" gives 2 'wants 8 whole numbers' bound wfq --weight 1,2
	check "bad: too many" gives 2 'wants 1 whole number,' bound bounded --bucket 1,2
	check "bad: negative" gives 2 'wants 1 whole' bound bounded --bucket -1
	check "bad: weight" gives 2 'wfq parameters: weight is not in 1 to 2' \
		bound wfq --weight 0,1,1,1,1,1,1,1
	check "bad: shares" gives 2 'bounded parameters: shares are above 1000 together' \
		bound bounded --share 0,900,900,1,1,1,1,1
	check "bad: watermark" gives 2 'debt parameters: low is not in 1 to high' \
		bound debt --low 999999,1,1,1,1,1,1,0
	check "bad: of another" gives 2 'parameters: the Conductor is another one' \
		bound strict --bucket 1
	check "bad: policy" gives 2 'debt-refcode' bound nosuch
	check "bad: rate" gives 2 'is not a rate' bound -r fast
	check "bad: message" gives 2 'is not a number of bytes' bound -m 0
	check "bad: file" gives 2 'No such file' bound -p /nonexistent
	check "bad: name in a file" gives 2 'no parameter "weird"' bound -p <(echo weird 1)
}

host_bound()
{
	check "bounds are those of conductor.rst" bounds
	check "parameters are printed as they are read" round_trip
	check "time" gives 0 '^ +0 +16384 +6\.553$' bound strict -r 20mbit
	check "time with a budget" gives 0 '^ +0 +16384 +7\.000$' bound strict -r 20mbit -b 1116
	bad_params
}

# Each reason of the uapi header, with a remedy.
all_reasons()
{
	local names

	names=$(sed -nE 's/^\tREASON\((\w+), .*/\1/p' "$top/uapi/linux/cats.h")
	[[ $(wc -w <<<"$names") -ge 48 ]] || return
	"$catsctl" explain --all >"$out/all"
	for name in $names; do
		grep -A 2 "CATS_REASON_$name (" "$out/all" | grep -q '^    > .' || return
	done
}

host_explain()
{
	local text='tag: urgency is above 7'

	check "explain --all" all_reasons
	check "explain: errno by name" gives 0 'CATS_REASON_DEBT_SUM' explain EINVAL
	check "explain: errno by number" gives 0 'TCP_ULP' explain 2
	check "explain: a number is a reason, too" gives 0 'CMSG_TYPE' explain 2
	check "explain: reason by name" gives 0 "$text" explain tag_urgency
	check "explain: with its prefix" gives 0 "$text" explain CATS_REASON_TAG_URGENCY
	check "explain: by number" gives 0 "$text" explain 7
	check "explain: by text" gives 0 'TAG_URGENCY' explain "$text"
	check "explain: as TCP gives it" gives 0 'POLLOUT' explain EAGAIN
	check "explain: another errno" gives 1 'no refusal of CATS' explain EXDEV
	check "explain: nonsense" gives 1 'explain --all' explain nonsense
	check "explain: empty" gives 2 'empty' explain ''
}

host()
{
	local command

	check "--help" gives 0 'catsctl explain' --help
	check "-V" gives 0 "^catsctl $(sed -n 's/.*CATS_VERSION.*"\(.*\)"/\1/p' \
		"$top/module/version.h")\$" -V
	check "no command" gives 2 'which command'
	check "unknown command" gives 2 'no command nosuch' nosuch
	for command in status ss stat policy bound explain; do
		check "$command --help" gives 0 "^catsctl $command" "$command" --help
		check "$command: bad option" gives 2 "try catsctl $command --help" \
			"$command" --nosuch
	done
	check "stat: bad interval" gives 2 'wants seconds' stat -i 0
	check "stat: bad count" gives 2 'wants a number' stat -n 0
	check "ss: bad interval" gives 2 'wants seconds' ss -wx
	check "policy: no word" gives 2 'list, show, or set' policy
	check "status: too much" gives 2 'too much' status now
	host_bound
	host_explain
}

run_guest()
{
	local status=0

	rm -rf "$out/vm"
	"$top/selftests/vm/run" --timeout 600 --ko "$ko" --module tcp_diag --module tcp_bbr \
		--add "$catsctl" --add "$out/bin/tools/holder:/test/holder" \
		--add "$(command -v ss):/usr/bin/ss" --out "$out/vm" "$here/guest.sh" \
		>"$out/vm.log" 2>&1 || status=$?
	[[ $status -ne 0 || -e $out/vm/done ]] || status=unfinished
	machine_result "$status" "$out/vm.log"
	cat "$out/vm/results"
}

results()
{
	if [[ -e /proc/net/cats_stat ]]; then
		echo "ok - not loaded # SKIP it is"
	else
		check "not loaded" gives 1 'not loaded' status
	fi
	host
	run_guest
	"$here/judge.py" "$out"
}

suite_options "$@"
[[ ${#names[@]} -eq 0 ]] || usage
echo "TAP version 13"
prepare
results >"$out/results"
number "$out/results"
