#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Documentation/surface.rst: every test that a row names exists, every test of its
# suites is named by a row, and every row says what a CATS socket does and has a test.
#
# Usage: surface.sh [TABLE]
set -euo pipefail

top=$(cd "$(dirname "$0")/.." && pwd)
table=${1:-$top/Documentation/surface.rst}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# "SUITE.TEST" per test that is named, and "SUITE: FEATURE" per row that is incomplete.
read_table()
{
	awk -v named="$tmp/named" -v incomplete="$tmp/incomplete" '
	function row_ends() {
		if (cell && !header && (!text || !tests))
			print suite ": " feature > incomplete
		cell = text = tests = 0
	}
	BEGIN { printf "" > named; printf "" > incomplete }
	/^Suite ``/ { row_ends(); split($0, part, "``"); suite = part[2]; print suite; next }
	/^   \* - / { row_ends(); cell = 1; feature = substr($0, 8); header = feature == "feature" }
	/^     - / { cell++ }
	/^$/ { row_ends() }
	cell == 2 && /[A-Z]/ { text = 1 }
	cell == 3 && !header {
		n = split($0, part, "``")
		for (i = 2; i <= n; i += 2) {
			print suite "." part[i] > named
			tests++
		}
	}
	END { row_ends() }' "$table"
}

# The suites of which it must name all tests: those in the table, and any other surface_*.
read_suites()
{
	local suite

	{
		read_table
		basename -s .c -a "$top"/selftests/surface_*.c
	} | sort -u | while read -r suite; do
		sed -nE "s/^TEST(_F)?\\(([a-z0-9_]+, )?([a-z0-9_]+)\\)$/$suite.\\3/p" \
			"$top/selftests/$suite.c"
	done >"$tmp/tests"
}

n=0
# check NAME FILE: passes if the file is empty
check()
{
	n=$((n + 1))
	if [[ -s $2 ]]; then
		sed 's/^/# /' "$2"
		echo "not ok $n $1"
	else
		echo "ok $n $1"
	fi
}

read_suites
sort "$tmp/named" >"$tmp/named.sorted"
sort "$tmp/tests" >"$tmp/tests.sorted"
comm -23 "$tmp/named.sorted" "$tmp/tests.sorted" >"$tmp/unknown"
comm -13 "$tmp/named.sorted" "$tmp/tests.sorted" >"$tmp/unnamed"
[[ -s $tmp/named ]] || echo "the table names no test" >>"$tmp/unknown"

echo "TAP version 13"
echo "1..3"
check tests-in-rows-exist "$tmp/unknown"
check tests-are-in-rows "$tmp/unnamed"
check rows-are-complete "$tmp/incomplete"
