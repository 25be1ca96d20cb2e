#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Build cats.ko and, without patches, cats_kunit.ko for the debug kernel.
#
# Usage: debug-module.sh OUT [PATCH...]
#
# Builds in a copy of Kbuild, module/ and uapi/ in OUT/tree, so that what was
# built beside the sources for another kernel stays.  PATCHes are applied to that
# copy: tests plant bugs with them.  Prints nothing unless it fails.
#
# With line numbers (-g1), so that an address in the module is a place in its source,
# and with line counts (gcov).

set -euo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)

usage()
{
	sed -n '/^# Usage:/,/^#$/s/^# \{0,1\}//p' "$0" >&2
	exit 2
}

# Sources only, with their times, so that a second build is a short one.
copy_tree()
{
	local tree=$1 dir

	for dir in module uapi; do
		(cd "$top" && find "$dir" -name '*.[ch]' -print0) |
			(cd "$top" && xargs -0 cp -p --parents -t "$tree")
	done
	cp -p "$top/Kbuild" "$tree/"
}

main()
{
	local out tree kernel patch kunit=y

	[[ $# -gt 0 ]] || usage
	mkdir -p "$1"
	out=$(cd "$1" && pwd)
	shift
	tree=$out/tree
	if [[ $# -gt 0 ]]; then
		rm -rf "$tree"
		kunit=n
	fi
	mkdir -p "$tree"
	copy_tree "$tree"
	for patch in "$@"; do
		patch -d "$tree" -p1 -s <"$patch"
	done
	kernel=$("$top/selftests/vm/kernel.sh" debug)
	make -C "$kernel/build" M="$tree" CATS_KUNIT=$kunit CATS_GCOV=y \
		KCFLAGS=-g1 -j "$(nproc)" modules >"$out/build.log" 2>&1 || {
		tail -n 30 "$out/build.log" >&2
		exit 1
	}
	cp "$tree"/*.ko "$out/"
}

main "$@"
