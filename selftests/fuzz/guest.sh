#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs the fuzzer in the VM; its arguments are ours.  The first result is the
# fuzzer's, the others are about what it left behind.
set -eu

# Two namespaces with a path that delays and loses; loopback with the segment size
# of Ethernet.  TCP grants short RTTs bursts of 64 KiB; without that bursts follow
# the rate, and data waits in the Conductor.
setup()
{
	for ns in fuzz-a fuzz-b; do
		ip netns add "$ns"
		ip -n "$ns" link set lo mtu 1500 up
		ip netns exec "$ns" sysctl -qw net.ipv4.tcp_tso_rtt_log=0
		ip netns exec "$ns" sysctl -qw net.ipv6.conf.all.accept_dad=0
		ip netns exec "$ns" sysctl -qw net.ipv6.conf.default.accept_dad=0
	done
	ip link add v netns fuzz-a type veth peer name v netns fuzz-b
	ip -n fuzz-a addr add 10.77.0.1/24 dev v
	ip -n fuzz-b addr add 10.77.0.2/24 dev v
	ip -n fuzz-a addr add fd77::1/64 dev v nodad
	ip -n fuzz-b addr add fd77::2/64 dev v nodad
	for ns in fuzz-a fuzz-b; do
		ip -n "$ns" link set v up
		tc -n "$ns" qdisc add dev v root netem delay 1ms loss 0.5% limit 1000
	done
}

# Options with random names would start modprobe; one line per episode must reach
# the kernel log.
setup_kernel()
{
	echo >/proc/sys/kernel/modprobe
	echo on >/proc/sys/kernel/printk_devkmsg
}

# Connections that were closed last still wait for a FIN or a timeout.
unload()
{
	tries=0
	until rmmod cats 2>/dev/null; do
		tries=$((tries + 1))
		[ "$tries" -lt 2000 ] || return 1
		usleep 500000
	done
}

report()
{
	if [ "$2" -eq 0 ]; then
		echo "ok $1 - $3"
	else
		echo "not ok $1 - $3"
		failed=1
	fi
}

# With --no-leaks the kernel was started without kmemleak.
if [ "$1" = --no-leaks ]; then
	look_for_leaks=0
	shift
else
	look_for_leaks=1
fi
failed=0
setup
setup_kernel
insmod /lib/cats/cats.ko
status=0
fuzz "$@" || status=1
failed=$status
status=0
unload || status=1
report 2 "$status" "the module unloads"
if [ "$look_for_leaks" -eq 1 ]; then
	status=0
	kmemleak.sh >/tmp/leaks 2>&1 || status=1
	sed 's/^/# /' /tmp/leaks
	report 3 "$status" "no memory leaked"
fi
if [ -d /sys/kernel/debug/gcov ]; then
	collect.sh /out/gcov
fi
exit "$failed"
