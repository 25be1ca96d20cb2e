#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs in the VM.  /out/cost.tsv: what a byte costs with each way of feeding,
# beside plain TCP in the same run.  /out/late-FEEDER.tsv: arrivals of the demo's
# "late" experiment.
set -eu

# cost_of MODE MESSAGE_BYTES TOTAL_BYTES: ns per byte
cost_of()
{
	ip netns exec bench-c bulk "$1" bench-s 10.3.0.2 "$2" "$3" |
		awk '{ printf "%.3f", $1 / $2 }'
}

cost()
{
	ip netns add bench-c
	ip netns add bench-s
	ip link add c0 netns bench-c type veth peer name s0 netns bench-s
	ip -n bench-c addr add 10.3.0.1/24 dev c0
	ip -n bench-s addr add 10.3.0.2/24 dev s0
	ip -n bench-c link set c0 up
	ip -n bench-s link set s0 up
	for bytes in 200 1000 16384 65536; do
		total=$((bytes < 1000 ? 4000000 : 20000000))
		printf '%s\t%s\t%s\t%s\n' "$1" "$bytes" \
			"$(cost_of tcp "$bytes" "$total")" \
			"$(cost_of cats "$bytes" "$total")"
	done
	wait_closed bench-c
	ip netns del bench-c
	ip netns del bench-s
}

# wait_closed NETNS: until no TCP socket is left there but in TIME_WAIT (06).  A
# socket whose FIN is not acknowledged keeps the module for minutes.
wait_closed()
{
	while ip netns exec "$1" cat /proc/net/tcp |
	      awk 'NR > 1 && $4 != "06" { found = 1 } END { exit !found }'; do
		usleep 10000
	done
}

late()
{
	topology.sh up
	ip netns exec server demo-recv -g 04 -o "/out/late-$1.tsv" -- \
		ip netns exec client demo-send -e late -s cats-strict -b 7001 -p 7000 \
		-i "/out/samples-$1.tsv" 10.0.2.2
	wait_closed client
	topology.sh down
}

for feeder in "$@"; do
	echo "# $feeder" >&2
	insmod "/lib/cats/$feeder.ko"
	cost "$feeder" >>/out/cost.tsv
	late "$feeder"
	rmmod cats
done
