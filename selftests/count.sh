#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# count.awk: that what failed is counted, and named, however it failed.
#
# Usage: count.sh
set -euo pipefail

top=$(cd "$(dirname "$0")/.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

nested='TAP version 13
1..3
    # Subtest: x
    1..3
    ok 1 a
    # x.c:5: expected 1
    not ok 2 b
    ok 3 c # SKIP no device
not ok 1 x
ok 2 y
not ok 3 z'

n=0
# check NAME STATUS STRICT LOG COUNTS FAILURES: what is printed, and what named
check()
{
	local name=$1 verdict=ok counts

	: >"$tmp/failures"
	counts=$(printf '%s\n' "$4" | awk -v status="$2" -v strict="$3" -v suite=s \
		-v failures="$tmp/failures" -f "$top/selftests/count.awk")
	if [[ $counts != "$5" || $(<"$tmp/failures") != "$6" ]]; then
		verdict="not ok"
		sed 's/^/# /' "$tmp/failures"
		echo "# $counts"
	fi
	n=$((n + 1))
	echo "$verdict $n $name"
}

echo "TAP version 13"
echo "1..7"
check "all passed" 0 0 $'1..2\nok 1 a\nok 2 b' "2 0 0" ""
check "leaves of nested results" 1 0 "$nested" "2 2 1" \
	$'# s: not ok 2 b\n#     # x.c:5: expected 1\n# s: not ok 3 z'
check "skipped ones fail if strict" 1 1 "$nested" "2 3 0" \
	$'# s: not ok 2 b\n#     # x.c:5: expected 1\n# s: ok 3 c # SKIP no device\n# s: not ok 3 z'
check "results that are missing" 1 0 $'1..3\nok 1 a\n# panic: here' "1 2 0" \
	$'# s: 2 planned results are missing\n#     # panic: here'
check "an end with an error" 3 0 $'1..1\nok 1 a' "1 1 0" \
	"# s: ended with status 3, and no result says why"
check "no results at all" 0 0 "" "0 1 0" \
	"# s: ended with status 0, and no result says why"
check "the last ten lines of what was said" 1 0 \
	"1..1"$'\n'"$(printf '# %s\n' {1..12})"$'\nnot ok 1 a' "0 1 0" \
	$'# s: not ok 1 a\n'"$(printf '#     # %s\n' {3..12})"
