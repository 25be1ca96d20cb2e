#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# Runs in the VM, for trace.sh: each load on each side, ROUNDS times.  Writes
# /out/rows.tsv: load, side, bytes of a message, ns, bytes, events; and what the
# bpftrace script printed, /out/catslat-ROUND.txt.
#
# Usage: trace-guest.sh SCRIPT ROUNDS
set -eu

script=$1
rounds=$2
tracing=/sys/kernel/tracing

# each_load COMMAND: COMMAND LOAD MESSAGE_BYTES TOTAL_BYTES EVENT...
# The events are those that a load has many of.
each_load()
{
	"$1" bulk 16384 40000000 cats_enqueue cats_pick cats_commit
	"$1" large 65536 40000000 cats_enqueue cats_pick cats_commit
	"$1" small 200 4000000 cats_enqueue cats_pick cats_commit
	"$1" debt 4096 20000000 cats_debt
}

# A namespace for each.
make_load()
{
	ip netns add "$1"
	ip -n "$1" link set lo up
}

load_module()
{
	insmod "/lib/cats/$1.ko"
	ip netns exec debt sysctl -qw net.cats.conductor=debt
	# The first run after loading pays for what is still cold.
	ip netns exec bulk bulk cats bulk 127.0.0.1 16384 4000000 >/dev/null
}

# Records that were written to the ring buffer since it was cleared.
events()
{
	awk '/^(entries|overrun):/ { n += $2 } END { print n }' "$tracing/per_cpu/cpu0/stats"
}

# measure SIDE LOAD MESSAGE_BYTES TOTAL_BYTES
measure()
{
	local cost

	echo >"$tracing/trace"
	cost=$(ip netns exec "$2" bulk cats "$2" 127.0.0.1 "$3" "$4")
	printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$2" "$1" "$3" "${cost% *}" "${cost#* }" \
		"$(events)" >>/out/rows.tsv
}

# measure_on ENABLE SIDE LOAD ...: with the events of a file of tracefs
measure_on()
{
	local enable="$tracing/events/cats/$1"

	shift
	echo 1 >"$enable"
	measure "$@"
	echo 0 >"$enable"
}

no_tracepoints()
{
	case $1 in
	bulk | large | small) measure notrace "$1" "$2" "$3" ;;
	esac
}

tracepoints()
{
	local load="$1" bytes="$2" total="$3" event

	shift 3
	measure off "$load" "$bytes" "$total"
	for event in "$@"; do
		measure_on "$event/enable" "$event" "$load" "$bytes" "$total"
	done
	case $load in
	bulk | large | small) measure_on enable all "$load" "$bytes" "$total" ;;
	esac
}

# catslat is attached.
attached()
{
	case $1 in
	bulk | large | small)
		measure catslat "$1" "$2" "$3"
		measure_on enable all+catslat "$1" "$2" "$3"
		;;
	esac
}

# start_bpftrace OUTPUT: until it is attached
start_bpftrace()
{
	: >"$1"
	bpftrace "$script" 8 0 >"$1" 2>&1 &
	bpftrace_pid=$!
	# It begins to print when all probes are attached.
	until [ "$(wc -l <"$1")" -ge 2 ]; do
		kill -0 "$bpftrace_pid"
		usleep 100000
	done
}

stop_bpftrace()
{
	kill -INT "$bpftrace_pid"
	wait "$bpftrace_pid"
}

traced_round()
{
	load_module traced
	each_load tracepoints
	start_bpftrace "/out/catslat-$1.txt"
	each_load attached
	stop_bpftrace
	rmmod cats
}

untraced_round()
{
	load_module notrace
	each_load no_tracepoints
	rmmod cats
}

each_load make_load
round=0
while [ "$round" -lt "$rounds" ]; do
	round=$((round + 1))
	echo "# round $round of $rounds" >&2
	# A drift of the machine is on both sides alike.
	if [ $((round % 2)) -eq 1 ]; then
		untraced_round
		traced_round "$round"
	else
		traced_round "$round"
		untraced_round
	fi
done
