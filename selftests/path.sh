#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Byte-exact delivery over a path that loses, reorders and duplicates.
#
#	client                router                server
#	[ c0 ]--------------[ r0   r1 ]--------------[ s0 ]
#	10.1.0.1   10.1.0.2       10.2.0.2   10.2.0.1
#	fd01::1    fd01::2        fd02::2    fd02::1
#
# netem impairs both directions at the router, so data and ACKs suffer alike.
set -eu

id="cats-$$"
client="$id-c" router="$id-r" server="$id-s"

cleanup()
{
	for ns in "$client" "$router" "$server"; do
		ip netns del "$ns" 2>/dev/null || :
	done
}
trap cleanup EXIT
trap 'exit 1' INT TERM

# link NS DEVICE PEER_NS PEER_DEVICE NET
link()
{
	ip link add "$2" netns "$1" type veth peer name "$4" netns "$3"
	for end in "$1 $2 1" "$3 $4 2"; do
		# shellcheck disable=SC2086 # three words
		set -- "$1" "$2" "$3" "$4" "$5" $end
		ip -n "$6" addr add "10.$5.0.$8/24" dev "$7"
		ip -n "$6" addr add "fd0$5::$8/64" dev "$7" nodad
		ip -n "$6" link set "$7" up
	done
}

topology()
{
	for ns in "$client" "$router" "$server"; do
		ip netns add "$ns"
	done
	ip netns exec "$router" sysctl -qw net.ipv4.ip_forward=1 \
		net.ipv6.conf.all.forwarding=1
	link "$client" c0 "$router" r0 1
	link "$server" s0 "$router" r1 2
	ip -n "$client" route add default via 10.1.0.2
	ip -n "$client" -6 route add default via fd01::2
	ip -n "$server" route add default via 10.2.0.2
	ip -n "$server" -6 route add default via fd02::2
}

# impair MTU NETEM...
impair()
{
	mtu=$1
	shift
	for end in "$client c0" "$router r0" "$router r1" "$server s0"; do
		# shellcheck disable=SC2086 # two words
		ip -n ${end% *} link set ${end#* } mtu "$mtu"
	done
	for dev in r0 r1; do
		ip netns exec "$router" tc qdisc replace dev "$dev" root \
			netem limit 1000 "$@"
	done
}

n=0
# run NAME ADDRESS MESSAGES
run()
{
	n=$((n + 1))
	if ip netns exec "$client" transfer "$server" "$2" "$3" "$n"; then
		echo "ok $n $1"
	else
		echo "not ok $n $1"
	fi
}

topology
echo "TAP version 13"
echo "1..8"
impair 1500 delay 5ms rate 20mbit
run "clean-v4" 10.2.0.1 600
run "clean-v6" fd02::1 600
impair 1500 delay 5ms rate 20mbit loss 2%
run "loss-v4" 10.2.0.1 400
impair 1500 delay 5ms 2ms rate 20mbit
run "reorder-v4" 10.2.0.1 400
impair 1500 delay 5ms rate 20mbit duplicate 5%
run "duplicate-v4" 10.2.0.1 400
impair 1500 delay 5ms 2ms rate 20mbit loss 1% duplicate 2%
run "loss-reorder-duplicate-v4" 10.2.0.1 400
run "loss-reorder-duplicate-v6" fd02::1 400
impair 9000 delay 5ms rate 100mbit loss 0.5%
run "loss-mtu9000-v6" fd02::1 600
