#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The walk of Documentation/observe.rst: runs each command of it in the VM, beside an
# application with the problem that it is about, and checks that what a command prints is
# what the document says that it shows.  Prints TAP.
#
# Usage: run.sh [--out DIR] [--ko FILE]
#
#	--out DIR	for results (default out/observe)
#	--ko FILE	the module (default: build it)
#
# Writes to DIR: steps/STEP.txt, what the commands printed.

set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
. "$top/selftests/suite.sh"
tools=(catslat catspick catsinv catsnoop)

out=$top/out/observe ko=

# Sets packages: the directory with bpftrace.
prepare()
{
	local tool

	suite_out
	rm -rf "${out:?}/steps" "${out:?}/bin"
	mkdir -p "$out/bin"
	suite_module
	gcc -O2 -Wall -Wextra -Werror -static -pthread -D_GNU_SOURCE -I"$top/uapi" \
		-o "$out/bin/telemetry" "$here/telemetry.c" "$top/selftests/cats_test.c"
	make -s -C "$top/tools/catsctl" OUT="$out/catsctl" >&2
	cp "$out/catsctl/catsctl" "$top/tools/demo/topology.sh" "$out/bin/"
	for tool in "${tools[@]}"; do
		cp "$top/tools/bpftrace/cats-trace" "$out/bin/$tool"
		cp "$top/tools/bpftrace/$tool.bt" "$out/bin/"
	done
	packages=$("$top/selftests/vm/packages.sh" "$top/selftests/bpftrace/packages")
}

run_guest()
{
	"$top/selftests/vm/run" --timeout 900 --mem 1500 --ko "$ko" --module tcp_diag \
		--add "$out/bin:/test" --add "$(command -v ss)" \
		--add "$(command -v sort)" --add "$packages/root.tar:/test/root.tar" \
		--add "$top/selftests/bpftrace/bpftrace.sh:/test/bpftrace" \
		--add "$top/Documentation/observe.rst" --out "$out/steps" \
		"$here/guest.sh" /test/observe.rst >"$out/log" 2>&1
}

# shows STEP REGEX WHAT
shows()
{
	if grep -qE -- "$2" "$out/steps/$1.txt"; then
		echo "ok - $1: $3"
	else
		echo "not ok - $1: $3"
	fi
}

# figure STEP REGEX: the number behind REGEX in its last line that has it
figure()
{
	sed -nE "s/.*$2 *([0-9]+).*/\1/p" "$out/steps/$1.txt" | tail -n 1
}

# compare NUMBER OPERATOR NUMBER WHAT
compare()
{
	if [[ -n $1 ]] && test "$1" "$2" "$3"; then
		echo "ok - $4 # $1"
	else
		echo "not ok - $4 # ${1:-none}, not $2 $3"
	fi
}

# longest STEP: upper end of the last line of a histogram that counts any, us
longest()
{
	awk 'match($0, /^[[(].*[])] +[1-9][0-9]* \|/) {
		gsub(/[[)]/, "")
		split($0, part, /[ ,]+/)
		n = part[2]
		if (n ~ /K$/)
			n *= 1024
		else if (n ~ /M$/)
			n *= 1048576
		last = n + 0
	}
	END { print last }' "$out/steps/$1.txt"
}

# most_in_conductor STEP: of the messages that catsinv names "conductor", us
most_in_conductor()
{
	awk '$NF == "conductor" && $7 > most { most = $7 } END { print most + 0 }' \
		"$out/steps/$1.txt"
}

check_slow()
{
	compare "$(figure symptom 'most')" -gt 500 "symptom: heartbeats are late, ms"
	shows status 'loaded' "CATS is there"
	shows ss 'tcp-ulp-cats' "CATS is on the connection"
	shows sockets ':7000' "catsctl knows the connection"
	shows stat '^CatsMsgs' "counters count"
	shows counters '^CatsPicksUrgent[[:space:]]+[1-9]' "urgent messages are picked"
	compare "$(longest lat)" -ge 524288 "lat: they wait in the Conductor, us"
	compare "$(most_in_conductor inv)" -ge 500000 "inv: the Conductor holds them, us"
	shows pick 'urgent +200 ' "the Conductor prefers them"
	shows pick ' 262144 ' "beside messages of 256 KiB"
	shows snoop ' 0 +0 +0 +200 +[0-9]{6} ' "a heartbeat that waited"
	shows events 'cats_commit: .* urgency=0 .*delay_us=[0-9]{5}' "its event"
	compare "$(figure bound '^ *0 ')" -ge 262144 "bound: that is allowed, bytes"
}

check_fixed()
{
	compare "$(figure fixed 'most')" -lt 300 "fixed: heartbeats are in time, ms"
	compare "$(longest fixed_lat)" -lt 131072 "fixed: they hardly wait, us"
	compare "$(most_in_conductor fixed_inv)" -lt 100000 \
		"fixed: the Conductor hardly holds them, us"
	shows fixed_sockets ':7000' "the new connection"
	compare "$(figure fixed_bound '^ *0 ')" -le 65536 "fixed: what is allowed, bytes"
	shows explain 'EMSGSIZE' "an errno"
}

results()
{
	if [[ -e $out/steps/failed ]]; then
		sed 's/^/# /' "$out/steps/failed"
		echo "not ok - every command succeeds"
	else
		echo "ok - every command succeeds"
	fi
	check_slow
	check_fixed
}

main()
{
	local status=0

	suite_options "$@"
	echo "TAP version 13"
	prepare
	run_guest || status=$?
	{
		[[ $status -ne 0 ]] || results
		machine_result "$status" "$out/log"
	} >"$out/results"
	number "$out/results"
}

main "$@"
