#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs in the VM, last: brings back how often each line of the module ran.
#
# Usage: collect.sh DIR
#
# The kernel keeps the counts of a module that was unloaded, and adds to them when
# it is loaded again.
set -eu

[ $# -eq 1 ] || exit 2
mkdir -p "$1"
find /sys/kernel/debug/gcov -name '*.gcda' | while read -r counts; do
	cat "$counts" >"$1/${counts##*/}"
done
