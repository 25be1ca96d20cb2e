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

# lat_percentile PERCENT STEP: of a histogram of catslat, upper end of the line with it, us
lat_percentile()
{
	awk -v percent="$1" '
	match($0, /^\[[0-9KM, ]+[])] /) {
		end = range[split(substr($0, 2, RLENGTH - 3), range, ", ")]
		if (end ~ /K$/)
			end *= 1024
		else if (end ~ /M$/)
			end *= 1048576
		ends[++lines] = end
		counts[lines] = substr($0, RLENGTH) + 0
		total += counts[lines]
	}
	END {
		for (i = 1; i < lines && sum + counts[i] < total * percent / 100; i++)
			sum += counts[i]
		print ends[i]
	}' "$out/steps/$2.txt"
}

# inv_percentile PERCENT STEP: of what the messages of catsinv waited in the Conductor, us
inv_percentile()
{
	awk '$3 == 7000 { print $7 }' "$out/steps/$2.txt" | sort -n | awk -v percent="$1" '
	{ waits[NR] = $1 }
	END {
		i = int(NR * percent / 100)
		print waits[i ? i : 1]
	}'
}

check_slow()
{
	compare "$(figure symptom 'most')" -gt 500 "symptom: heartbeats are late, ms"
	shows status 'loaded' "CATS is there"
	shows ss 'tcp-ulp-cats' "CATS is on the connection"
	shows sockets ':7000' "catsctl knows the connection"
	shows stat '^CatsMsgs' "counters count"
	shows counters '^CatsPicksUrgent[[:space:]]+[1-9]' "urgent messages are picked"
	compare "$(lat_percentile 100 lat)" -ge 524288 "lat: they wait in the Conductor, us"
	compare "$(inv_percentile 100 inv)" -ge 500000 "inv: the Conductor holds them, us"
	shows pick 'urgent +200 ' "the Conductor prefers them"
	shows pick ' 262144 ' "beside messages of 256 KiB"
	shows snoop ' 0 +0 +0 +200 +[0-9]{6} ' "a heartbeat that waited"
	shows events 'cats_commit: .* urgency=0 .*delay_us=[0-9]{5}' "its event"
	compare "$(figure bound '^ *0 ')" -ge 262144 "bound: that is allowed, bytes"
}

# Medians: some heartbeats meet the 200 ms of BBR's PROBE_RTT, in which hardly anything is
# sent, or not, as it happens; those wait whatever the order of the messages is.
check_fixed()
{
	compare "$(figure fixed 'median')" -lt 200 "fixed: heartbeats are in time, ms"
	compare "$(lat_percentile 50 fixed_lat)" -le 32768 "fixed: they hardly wait, us"
	compare "$(inv_percentile 50 fixed_inv)" -lt 50000 \
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
