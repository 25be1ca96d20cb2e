#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs kselftests in the VM, each in a network namespace of its own.  What they
# print goes to /out/NAME.tap, their exit status to /out/NAME.status.  Where
# kmemleak.sh and collect.sh were added, then looks for leaks and brings back the
# line counts of the module: on the debug kernel.
set -eu

ns="cats-$$"
trap 'ip netns del "$ns" 2>/dev/null || :' EXIT

# Loopback with the segment size of Ethernet.  TCP grants short RTTs bursts of
# 64 KiB; without that the bursts follow the rate, as on a real path.
fresh_netns()
{
	ip netns del "$ns" 2>/dev/null || :
	ip netns add "$ns"
	ip -n "$ns" link set lo mtu 1500 up
	ip netns exec "$ns" sysctl -qw net.ipv4.tcp_tso_rtt_log=0
}

insmod /lib/cats/cats.ko
for test in "$@"; do
	fresh_netns
	echo "# running $test"
	status=0
	case $test in
	*.sh)	"$test" >"/out/$test.tap" 2>&1 || status=$? ;;
	*)	ip netns exec "$ns" "$test" >"/out/$test.tap" 2>&1 || status=$? ;;
	esac
	echo "$status" >"/out/$test.status"
done
rmmod cats
if command -v kmemleak.sh >/dev/null; then
	kmemleak.sh
fi
if command -v collect.sh >/dev/null; then
	collect.sh /out/gcov
fi
