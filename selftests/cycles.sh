#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Load, attach, traffic, unload: many times on the distribution's kernel, in TAP.  See
# cycles.c for what must not grow.
#
# Usage: cycles.sh [OPTION...]
#	--rounds N	(default 1000)
#	--ko FILE	the module (default: what "make module" has built)
#	--out DIR	for results (default out/cycles)

set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/.." && pwd)

rounds=1000 ko=$top/cats.ko out=$top/out/cycles

usage()
{
	sed -n '/^# Usage:/,/^$/s/^# \{0,1\}//p' "$here/cycles.sh" >&2
	exit 2
}

while [[ $# -gt 0 ]]; do
	[[ $# -gt 1 ]] || usage
	case $1 in
	--rounds)	rounds=$2 ;;
	--ko)		ko=$2 ;;
	--out)		out=$2 ;;
	*)		usage ;;
	esac
	shift 2
done

rm -rf "$out"
mkdir -p "$out/bin"
make -s -C "$here" OUT="$out/bin" PROGRAMS=cycles >&2
# 40 times smaller without debug information, and read in each round.
strip -g -o "$out/cats.ko" "$ko"
cat >"$out/guest.sh" <<'END'
#!/bin/sh
cycles "$1" 2>&1
END
# Caches by their own names: else the kernel merges those of one size.
"$top/selftests/vm/run" --timeout 1500 --ko "$out/cats.ko" --append slab_nomerge \
	--add "$out/bin:/test" --out "$out/vm" "$out/guest.sh" "$rounds"
