#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs the sweeps in the VM; its arguments are the scenarios, none for all and the
# loading of the module.  Prints results without numbers, and leaves the faults in
# /out/faults.tsv and the place of the module's text in /out/text.
set -eu

ko=/lib/cats/cats.ko
failed=0

report()
{
	if [ "$2" -eq 0 ]; then
		echo "ok - $1"
	else
		echo "not ok - $1"
		failed=1
	fi
}

# What the kernel says of bugs; not "Call Trace".
bugs='BUG:|WARNING:|Oops|KASAN:|UBSAN:|refcount_t:|ODEBUG:|general protection'
bugs="$bugs|possible (circular|recursive) locking|inconsistent lock state"
bugs="$bugs|suspicious RCU usage|DEBUG_LOCKS_WARN_ON|bad unlock balance|held lock freed"
bugs="$bugs|lock held when returning|Invalid wait context|kmemleak: Kernel memory leak"

# Without memory the kernel reports with a stack that it has none for a cache or for
# the text of a module, which is no bug.  So the console does not get these messages,
# and bugs are looked for here.
load_quietly()
{
	status=0
	dmesg -n 1
	dmesg -c >/dev/null
	fault load "$ko" /out/faults.tsv || failed=1
	dmesg >/out/load.log
	dmesg -n 5
	if grep -E "$bugs" /out/load.log | sed 's/^/# /' | grep .; then
		status=1
	fi
	report load_log "$status"
}

# Loopback with the segment size of Ethernet.  TCP grants short RTTs bursts of
# 64 KiB; without that bursts follow the rate, and data waits in the Conductor.
# The limits of TCP's memory can only be set in the first namespace.
ip link set lo mtu 1500 up
sysctl -qw net.ipv4.tcp_tso_rtt_log=0
# Faults are told as notices; the console is for warnings and worse.
dmesg -n 5
insmod "$ko"
fault run /out/faults.tsv "$@" || failed=1
status=0
rmmod cats || status=1
report unload "$status"
[ $# -gt 0 ] || load_quietly
status=0
kmemleak.sh >/tmp/leaks 2>&1 || status=1
sed 's/^/# /' /tmp/leaks
report kmemleak "$status"
[ $# -gt 0 ] || collect.sh /out/gcov
exit "$failed"
