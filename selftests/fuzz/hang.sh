#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs in the VM when an episode hangs, before it is killed: what its sockets and
# threads wait for, as comments.

for ns in fuzz-a fuzz-b; do
	echo "# sockets in $ns"
	ip netns exec "$ns" ss -tinmeo state connected
	tc -n "$ns" -s qdisc show dev v
done
echo "# threads: state, system call, function that waits"
for thread in /proc/[0-9]*/task/*; do
	case $(cat "$thread/comm") in
	fuzz)	echo "# ${thread##*/} $(cut -d ' ' -f 3 "$thread/stat")" \
			"$(cut -d ' ' -f 1 "$thread/syscall") $(cat "$thread/wchan")" ;;
	esac
done 2>/dev/null
grep -E '^(TCP|TCPv6) ' /proc/net/protocols
