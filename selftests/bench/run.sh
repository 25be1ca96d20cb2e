#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# "make feeder-bench": compares two ways of feeding TCP, in one boot:
#	skbs	module/append.c: fragments are hung into skbs, which get their
#		sequence numbers there and then
#	pages	append_pages.c: fragments are handed to do_tcp_sendpages()
# Writes out/bench/feeder.tsv and prints it as a table.
#
# Instructions per byte are virtual ns per byte divided by 2 (--shift 1), of the
# whole machine: sender, receiver and both stacks.
set -euo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
out=$top/out/bench
shift_bits=1
. "$top/selftests/suite.sh"

# build FEEDER APPEND_FILE: the module with another append.c, in a copy
build()
{
	copy_module "$out/$1"
	cp "$2" "$out/$1/module/append.c"
	build_copy "$out/$1"
	cp "$out/$1/cats.ko" "$out/$1.ko"
}

# p50 and p99 of urgent messages sent from 3 s to 20 s, nearest rank, in ms
percentiles()
{
	awk -F'\t' 'NR == 2 { start = $4 }
		NR > 1 && $1 == 0 && $4 - start >= 3e9 && $4 - start < 20e9 {
			print ($5 - $4) / 1e6
		}' "$1" | sort -n |
		awk '{ v[NR] = $1 }
		     END { a = int((NR * 50 + 99) / 100); b = int((NR * 99 + 99) / 100)
			   printf "%.1f\t%.1f", v[a], v[b] }'
}

table()
{
	printf 'feeder\tmessage_bytes\ttcp_insn_per_byte\tcats_insn_per_byte\tratio\t'
	printf 'late_p50_ms\tlate_p99_ms\n'
	for feeder in skbs pages; do
		awk -F'\t' -v feeder="$feeder" -v scale=$((1 << shift_bits)) \
			-v late="$(percentiles "$out/vm/late-$feeder.tsv")" '
			$1 == feeder {
				printf "%s\t%s\t%.2f\t%.2f\t%.3f\t%s\n", $1, $2,
					$3 / scale, $4 / scale, $4 / $3, late
			}' "$out/vm/cost.tsv"
	done
}

mkdir -p "$out/bin"
"$top/selftests/vm/deps.sh" build vm
build skbs "$top/module/append.c"
build pages "$top/selftests/bench/append_pages.c"
gcc -O2 -Wall -Wextra -Werror -static -pthread -D_GNU_SOURCE -I"$top/uapi" \
	-o "$out/bin/bulk" "$top/selftests/bench/bulk.c" "$top/selftests/cats_test.c"
make -s -C "$top/tools/demo" OUT="$out/bin"
cp "$top/tools/demo/topology.sh" "$out/bin/"
rm -rf "$out/vm"
"$top/selftests/vm/run" --timeout 900 --shift "$shift_bits" --ko "$out/skbs.ko" \
	--ko "$out/pages.ko" --add "$out/bin:/test" --out "$out/vm" \
	"$top/selftests/bench/guest.sh" skbs pages
table >"$out/feeder.tsv"
column -t -s $'\t' "$out/feeder.tsv"
