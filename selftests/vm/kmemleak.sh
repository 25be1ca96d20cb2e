#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs in the VM: prints memory that the kernel has lost, and fails if there is any.
#
# kmemleak leaves objects of the last 5 s alone (MSECS_MIN_AGE), so wait until all
# are older: time is virtual.  A pointer that was on its way through a register at
# one scan is not at the next, so what is found is looked for again.
set -eu

control=/sys/kernel/debug/kmemleak

sleep 6
echo scan >"$control"
[ -n "$(cat "$control")" ] || exit 0
echo scan >"$control"
found=$(cat "$control")
[ -z "$found" ] || {
	echo "$found"
	exit 1
}
