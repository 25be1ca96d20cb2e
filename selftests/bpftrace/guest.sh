#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs in the VM: each tool beside a workload whose answers are known.  Leaves in /out:
#	NAME.txt, NAME.err	what the tool printed
#	NAME.expect		what the workload printed
#	TOOL.help		what --help says
#	NAME.stat		counters of its namespace, after it
#	bad.tsv			bad usage: case, exit status, what it said
#
#	client                      router                      server
#	[ c0 ]--------------------[ rc   rs ]-------------------[ s0 ]
#	10.0.1.2           10.0.1.1     10.0.2.1            10.0.2.2
#
# All links are fast, until an experiment makes one of them slow.
set -u

tools=/test/tools
server=10.0.2.2
slow="tbf rate 8mbit burst 1600 limit 1000000"

die()
{
	echo "# $*"
	exit 1
}

# start NAME TOOL [ARG...]: until it traces.  bpftrace runs BEGIN before it attaches the
# rest, and then waits for events: epoll_wait or epoll_pwait.
start()
{
	local name=$1 call

	shift
	"$tools/cats-trace" "$@" >"/out/$name.txt" 2>"/out/$name.err" &
	tracer=$!
	until [[ -s /out/$name.txt ]] && read -r call _ <"/proc/$tracer/syscall" &&
	      [[ $call == 232 || $call == 281 ]]; do
		kill -0 "$tracer" 2>/dev/null || die "$*: $(cat "/out/$name.err")"
		usleep 10000
	done
}

stop()
{
	kill -INT "$tracer"
	wait "$tracer" || die "status $? of $name"
}

# A namespace with a loopback like a path: small segments, and bursts by the rate.
loopback()
{
	/sbin/ip netns add "$1"
	/sbin/ip -n "$1" link set lo mtu 1500 up
	/sbin/ip netns exec "$1" sysctl -qw net.ipv4.tcp_tso_rtt_log=0
}

# local_case NAME WORKLOAD TOOL [ARG...]
local_case()
{
	local name=$1 work=$2

	shift 2
	echo "# $name"
	loopback "$name"
	start "$name" "$@"
	/sbin/ip netns exec "$name" workload "$work" >"/out/$name.expect" ||
		die "workload $work"
	stop
	/sbin/ip netns exec "$name" cat /proc/net/cats_stat >"/out/$name.stat"
}

# pair NS1 DEV1 ADDR1 NS2 DEV2 ADDR2
pair()
{
	/sbin/ip link add "$2" netns "$1" type veth peer name "$5" netns "$4"
	/sbin/ip -n "$1" addr add "$3/24" dev "$2"
	/sbin/ip -n "$4" addr add "$6/24" dev "$5"
	/sbin/ip -n "$1" link set "$2" up
	/sbin/ip -n "$4" link set "$5" up
}

network()
{
	local ns

	for ns in client router server; do
		/sbin/ip netns add "$ns"
		/sbin/ip netns exec "$ns" sysctl -qw net.ipv4.ip_forward=1 \
			net.ipv4.tcp_no_metrics_save=1 net.ipv4.tcp_tso_rtt_log=0
	done
	pair client c0 10.0.1.2 router rc 10.0.1.1
	pair router rs 10.0.2.1 server s0 10.0.2.2
	/sbin/ip -n client route add default via 10.0.1.1
	/sbin/ip -n server route add default via 10.0.2.1
	# The way back is not short: an RTT of 5 ms.
	/sbin/tc -n router qdisc add dev rc root netem delay 5ms
	/sbin/ip netns exec server workload sink &
	until /sbin/ip netns exec server grep -q ':1388 .* 0A ' /proc/net/tcp; do
		usleep 10000
	done
}

# invert KIND [NS DEV]: with that device slow
invert()
{
	echo "# $1"
	# shellcheck disable=SC2086 # several words
	[[ $# -eq 1 ]] || /sbin/tc -n "$2" qdisc add dev "$3" root $slow
	/sbin/ip netns exec client workload invert "$1" "$server" || die "workload $1"
	[[ $# -eq 1 ]] || /sbin/tc -n "$2" qdisc del dev "$3" root
}

inversions()
{
	network
	start catsinv catsinv
	invert conductor
	invert tcp
	invert qdisc client c0
	invert path router rs
	stop
}

# bad CASE COMMAND...
bad()
{
	local what=$1 status=0 said

	shift
	said=$("$@" 2>&1 >/dev/null) || status=$?
	printf '%s\t%s\t%s\n' "$what" "$status" "${said//$'\n'/; }" >>/out/bad.tsv
}

bad_usage()
{
	local tool

	for tool in catslat catspick catsinv catsdebt catsnoop; do
		"$tools/cats-trace" "$tool" --help >"/out/$tool.help" || die "$tool --help"
		bad "$tool-option" "$tools/cats-trace" "$tool" -x
		bad "$tool-word" "$tools/cats-trace" "$tool" often
		bad "$tool-large" "$tools/cats-trace" "$tool" 9999999
		bad "$tool-many" "$tools/cats-trace" "$tool" 0 0 0
	done
	bad no-tool "$tools/cats-trace" catsnone
	echo >/tmp/any.bt
	bad path "$tools/cats-trace" "$tools/../../tmp/any"
	bad not-loaded "$tools/cats-trace" catslat
	bad not-root su nobody -s /bin/bash -c "$tools/cats-trace catslat"
	mkdir /tmp/old
	printf '#!/bin/sh\necho bpftrace v0.16.0\n' >/tmp/old/bpftrace
	chmod +x /tmp/old/bpftrace
}

echo "# bad usage"
bad_usage
insmod /lib/cats/cats.ko || die "cannot load the module"
bad too-old env "PATH=/tmp/old:$PATH" "$tools/cats-trace" catslat
bad no-bpftrace env PATH=/sbin:/bin "$tools/cats-trace" catslat
bpftrace --version
local_case catslat messages catslat
local_case catslat-0 messages catslat 0
local_case catspick messages catspick
local_case catsnoop messages catsnoop
local_case catsdebt debt catsdebt 0
inversions
