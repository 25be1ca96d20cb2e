#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# check.sh [DIR]: what the demo must show, asserted on DIR/page.tsv and
# DIR/late.tsv (default: out/demo of this tree).  Prints KTAP, with the figures.
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
dir=${1:-$top/out/demo}

for table in page late; do
	[ -r "$dir/$table.tsv" ] || {
		echo "check.sh: no $dir/$table.tsv, run \"make demo\" first" >&2
		exit 1
	}
done

exec awk -F '\t' '
# v[table, sender, column]
FNR == 1 {
	table = FILENAME
	sub(/.*\//, "", table)
	sub(/\.tsv$/, "", table)
	for (i = 1; i <= NF; i++)
		name[i] = $i
	next
}
{
	for (i = 2; i <= NF; i++)
		v[table, $1, name[i]] = $i
}

function get(t, sender, column)
{
	if (!((t, sender, column) in v)) {
		missing = missing " " t ":" sender ":" column
		return -1
	}
	return v[t, sender, column] + 0
}

# The comparison is false where a figure is missing.
function check(good, text)
{
	nr++
	lines[nr] = (good && missing == "" ? "ok " : "not ok ") nr " - " text
	if (missing != "") {
		lines[nr] = lines[nr] " # missing:" missing
		missing = ""
	}
	failed += lines[nr] ~ /^not ok/
}

function at_most(t, sender, column, limit,    x)
{
	x = get(t, sender, column)
	check(x <= limit, sprintf("%s: %s %s %s <= %s", t, sender, column, x, limit))
}

function below_userq(sender, column,    x, y)
{
	x = get("page", sender, column)
	y = get("page", "userq", column)
	check(x < y, sprintf("page: %s %s %s < %s of userq", sender, column, x, y))
}

function part_of_tcp(sender, column, part,    x, y)
{
	x = get("late", sender, column)
	y = get("late", "tcp", column)
	check(y > 0 && x <= part * y, sprintf("late: %s %s %s <= %s * %s of tcp (%.3f)",
	      sender, column, x, part, y, y > 0 ? x / y : 0))
}

function not_above_userq(sender, column,    x, y)
{
	x = get("late", sender, column)
	y = get("late", "userq", column)
	check(x <= y, sprintf("late: %s %s %s <= %s of userq", sender, column, x, y))
}

function check_page(s, fcp, plt)
{
	at_most("page", s, "fcp_ratio", fcp)
	at_most("page", s, "plt_ratio", plt)
	below_userq(s, "p0_ms")
	below_userq(s, "p1_ms")
	below_userq(s, "p2_ms")
}

function check_sender(s,    x)
{
	check_page(s, 0.22, 1.005)
	part_of_tcp(s, "p50_ms", 0.07)
	part_of_tcp(s, "p99_ms", 0.12)
	not_above_userq(s, "p50_ms")
	not_above_userq(s, "p99_ms")
	x = get("late", s, "bulk_ratio")
	check(x >= 0.99, sprintf("late: %s bulk_ratio %s >= 0.99", s, x))
}

END {
	check_sender("cats-strict")
	check_sender("cats-debt")
	check_sender("cats-bounded")
	check_page("cats-bounded-batch", 0.17, 1.001)
	print "KTAP version 1"
	print "1.." nr
	for (i = 1; i <= nr; i++)
		print lines[i]
	exit failed > 0
}' "$dir/page.tsv" "$dir/late.tsv"
