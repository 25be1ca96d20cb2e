#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# 1000 messages of 16 KiB in the least urgent class while the most urgent one always
# has something to send.  How much does that send between two of them, and does the
# bound of the policy hold?  Writes OUT/starve.tsv and prints the verdict as TAP.
#
# Usage: starve.sh OUT
set -euo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
out=${1:?usage: starve.sh OUT}

mkdir -p "$out/bin"
gcc -O2 -Wall -Wextra -Werror -Wno-unused-parameter -Wno-sign-compare -static -pthread \
	-D_GNU_SOURCE -I"$top/uapi" -o "$out/bin/starve" "$top/selftests/bench/starve.c" \
	"$top/selftests/cats_test.c"
"$top/selftests/vm/run" --timeout 900 --shift 1 --mem 512 --ko "$top/cats.ko" \
	--add "$out/bin:/test" --out "$out/vm" "$top/selftests/bench/starve-guest.sh" \
	>"$out/log" 2>&1 || {
	sed 's/^/# /' "$out/log"
	echo "1..1"
	echo "not ok 1 starve"
	exit 1
}
{
	printf 'conductor\tsent_msgs\turgent_bytes\tgap_bytes\tbound_bytes\tgap_us\t'
	printf 'urgent_gap_bytes\turgent_bound_bytes\turgent_gap_us\n'
	cat "$out/vm/rows.tsv"
} >"$out/starve.tsv"

# What is asserted: all are sent, within the bound and not far below it; "strict"
# sends nothing of them.
awk -F'\t' '
function check(good, text)
{
	print (good ? "ok " : "not ok ") ++n " " text
	failed += !good
}
BEGIN { print "1..6" }
NR > 1 { msgs[$1] = $2; gap[$1] = $4; bound[$1] = $5; urgent_gap[$1] = $7; urgent_bound[$1] = $8 }
END {
	check(msgs["bounded"] == 1000, "bounded sends all 1000 messages")
	check(gap["bounded"] > 0 && gap["bounded"] <= bound["bounded"],
	      "bounded: gap of " gap["bounded"] " bytes <= " bound["bounded"])
	check(gap["bounded"] >= 0.7 * bound["bounded"],
	      "bounded: the bound is no more than needed")
	check(urgent_gap["bounded"] <= urgent_bound["bounded"],
	      "bounded: gap of urgency 0 of " urgent_gap["bounded"] " bytes <= " \
	      urgent_bound["bounded"])
	check(msgs["debt"] == 1000, "debt sends all 1000 messages")
	check(gap["strict"] >= 10 * bound["bounded"],
	      "strict: gap of " gap["strict"] " bytes, without a bound")
	exit failed > 0
}' "$out/starve.tsv"
