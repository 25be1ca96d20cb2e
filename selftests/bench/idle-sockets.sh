#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# "make idle-bench": the kernel memory of idle sockets, plain and with CATS, in one boot.
# Writes out/bench/idle-sockets.tsv and prints it as a table, bytes per socket:
#	tcp_bytes	one end of a connection, with its file
#	cats_bytes	what CATS adds, by the memory that is free
#	cats_slab_bytes	the same, by the size of all slabs
#
# Usage: idle-sockets.sh [SOCKETS]
#
# On the distribution's kernel, in one that has memory for SOCKETS (10000).
set -euo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
out=$top/out/bench
sockets=${1:-10000}

mkdir -p "$out/bin"
"$top/selftests/vm/deps.sh" build vm
make -s -C "$top" module
gcc -O2 -Wall -Wextra -Werror -static -pthread -D_GNU_SOURCE -I"$top/uapi" \
	-o "$out/bin/idle_sockets" "$top/selftests/bench/idle_sockets.c" \
	"$top/selftests/cats_test.c"
rm -rf "$out/idle"
"$top/selftests/vm/run" --timeout 600 --mem 1024 --ko "$top/cats.ko" \
	--add "$out/bin/idle_sockets" --out "$out/idle" \
	"$top/selftests/bench/idle-guest.sh" "$sockets"
cp "$out/idle/idle-sockets.tsv" "$out/"
column -t -s $'\t' "$out/idle-sockets.tsv"
