#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# topology.sh up|down: the network of the demo.
#
#   netns client            netns router                     netns server
#  +-----------+        +------------------+                +-----------+
#  |        c0 |========| rc            rs |================| s0        |
#  | 10.0.1.2  |        | 10.0.1.1         |                | 10.0.2.2  |
#  +-----------+        |         10.0.2.1 |                +-----------+
#                       +------------------+
#    c0: access link            rs: bottleneck, and the access link behind it
#    10 Mbit/s, 5 ms            2 Mbit/s, 50 ms + 5 ms           ------> data
#
#    rc: bottleneck, and the access link behind it    s0: access link
#    2 Mbit/s, 50 ms + 5 ms                           10 Mbit/s, 5 ms
#    acknowledgements <------
#
# 60 ms each way, RTT 120 ms.  An access link behind the bottleneck never has a
# queue of its own (10 Mbit/s after 2), so all that it adds is its delay.
#
# A link is a tbf, which is how fast it sends, with a netem inside, which is how
# far it goes.  tbf's bucket holds one packet: the packets that TSO joins come
# apart again here, and no two arrive at once that could not do so on a wire.
#
# netem's limit counts packets under way as well as packets waiting.  1000 are
# 6 s at 2 Mbit/s: a deep buffer, as on access links that are not managed, and
# deeper than BBR ever fills it while it searches for the rate, so nothing is
# lost.  What loss does to urgent messages is another experiment.
#
# Names, addresses (MAC too) are fixed and neighbours are static, so that two
# runs are alike.  This belongs into a VM of its own: it would remove namespaces
# of these names.
set -eu

# By path: busybox takes its own ip and tc before any in PATH.
ip() {
	/sbin/ip "$@"
}

tc() {
	/sbin/tc "$@"
}

die() {
	echo "topology.sh: $*" >&2
	exit 1
}

in_ns() {
	ip netns exec "$@"
}

# A namespace that sends nothing by itself.
namespace() {
	ip netns add "$1"
	# shellcheck disable=SC2016 # $f is for the shell in the namespace
	in_ns "$1" sh -c 'for f in all default; do
			echo 1 >/proc/sys/net/ipv6/conf/$f/disable_ipv6
		done
		# what one connection learned is not for the next
		echo 1 >/proc/sys/net/ipv4/tcp_no_metrics_save'
}

# pair NS1 DEV1 MAC1 ADDR1  NS2 DEV2 MAC2 ADDR2
pair() {
	ip link add "$2" netns "$1" address "$3" type veth \
		peer name "$6" netns "$5" address "$7"
	end "$1" "$2" "$4" "$8" "$7"
	end "$5" "$6" "$8" "$4" "$3"
}

# end NS DEV ADDR PEER_ADDR PEER_MAC
end() {
	ip -n "$1" address add "$3/24" dev "$2"
	ip -n "$1" link set "$2" up
	ip -n "$1" neighbour add "$4" lladdr "$5" dev "$2" nud permanent
}

# link NS DEV RATE DELAY
link() {
	tc -n "$1" qdisc add dev "$2" root handle 1: tbf rate "$3" burst 1600 limit 1600
	tc -n "$1" qdisc add dev "$2" parent 1: handle 2: netem delay "$4" limit 1000
}

up() {
	namespace client
	namespace router
	namespace server
	pair client c0 02:00:00:00:01:02 10.0.1.2  router rc 02:00:00:00:01:01 10.0.1.1
	pair router rs 02:00:00:00:02:01 10.0.2.1  server s0 02:00:00:00:02:02 10.0.2.2
	ip -n client route add default via 10.0.1.1
	ip -n server route add default via 10.0.2.1
	in_ns router sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
	link client c0 10mbit 5ms
	link router rs 2mbit 55ms
	link router rc 2mbit 55ms
	link server s0 10mbit 5ms
}

down() {
	ip netns del client
	ip netns del router
	ip netns del server
}

case ${1:-} in
up | down) "$1" ;;
*) die "usage: topology.sh up|down" ;;
esac
