#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# Runs in the VM, for run.sh: the commands of Documentation/observe.rst, in its order, as
# root in the namespace "client" of the demo's network.  What a step printed is
# /out/STEP.txt; /out/failed has each command that failed.
#
# A command that ends in "&" is the application: it takes the place of the one before, and
# the next command runs when that is in full swing.  bpftrace's tools are ended as by
# Ctrl-C after they have watched for some seconds.
set -eu

document=$1
watch_seconds=4
# Not a function: what runs in the background must be the command itself.
in_client='nsenter --net=/run/netns/client'
collector_log=/tmp/collector.log
application_pid=

# steps: STEP<tab>COMMAND.  A step is a comment, its commands are in literal blocks.
steps()
{
	awk '
	/^\.\. step: / { step = $3 }
	/^    # / && step != "" { print step "\t" substr($0, 7) }' "$document"
}

reports()
{
	wc -l <"$collector_log"
}

# start_application COMMAND
start_application()
{
	local before

	[ -z "$application_pid" ] || kill "$application_pid"
	before=$(reports)
	# shellcheck disable=SC2086 # words of a command
	$in_client $1 &
	application_pid=$!
	until [ "$(reports)" -ge $((before + 4)) ]; do
		kill -0 "$application_pid" || return
		usleep 100000
	done
}

# watch COMMAND OUTPUT: the first line is printed when it begins to trace
watch()
{
	local pid

	: >"$2"
	# shellcheck disable=SC2086 # words of a command
	$in_client $1 >"$2" 2>&1 &
	pid=$!
	until [ "$(wc -l <"$2")" -ge 1 ]; do
		kill -0 "$pid" || return
		usleep 100000
	done
	sleep "$watch_seconds"
	kill -INT "$pid"
	wait "$pid"
}

# run_step COMMAND OUTPUT
run_step()
{
	case $1 in
	*' &')				start_application "${1% &}" ;;
	catslat* | catspick* | catsinv* | catsnoop* | catsdebt*)
					watch "$1" "$2" ;;
	*)				$in_client sh -c "$1" >>"$2" 2>&1 ;;
	esac
}

insmod /lib/cats/cats.ko
topology.sh up
# ss asks it for the names of cgroups, and complains.
mount -t cgroup2 cgroup2 /sys/fs/cgroup
ip netns exec server telemetry >"$collector_log" &
steps >/tmp/steps
# Not its standard input: a command may read that.
while IFS='	' read -r step command <&3; do
	echo "# $step: $command" >&2
	run_step "$command" "/out/$step.txt" ||
		printf '%s: %s\n' "$step" "$command" >>/out/failed
done 3</tmp/steps
