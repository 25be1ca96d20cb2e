#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Line coverage of the module by everything that ran in the debug kernel, in TAP.
#
# Usage: report.sh TREE OUT COUNTS...
#
# TREE is where the module was built with CATS_GCOV=y; each of COUNTS a directory
# of .gcda files that a virtual machine brought back (collect.sh).  They are added
# up with gcov-tool, so that a line counts as covered if any of them ran it.
#
# Writes OUT/coverage.tsv, a row per file, and OUT/uncovered.tsv, the lines that
# never ran.  uncovered.txt beside this script explains those that cannot be
# helped: the test fails for a line that is not explained there, for one that is
# but runs, and for a total below the goal.

set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
goal=95

[[ $# -ge 3 ]] || {
	sed -n '/^# Usage:/,/^#$/s/^# \{0,1\}//p' "$0" >&2
	exit 2
}
tree=$(cd "$1" && pwd)
mkdir -p "$2"
out=$(cd "$2" && pwd)
shift 2

# merge COUNTS...: into OUT/sum; later ones are added to the first.
merge()
{
	local counts

	rm -rf "$out/sum" "$out/next"
	cp -r "$1" "$out/sum"
	shift
	for counts in "$@"; do
		gcov-tool merge -o "$out/next" "$out/sum" "$counts"
		rm -rf "$out/sum"
		mv "$out/next" "$out/sum"
	done
}

# Annotated sources, OUT/sum/*.gcov; of what is included only our own headers.
annotate()
{
	cp "$tree"/module/*.gcno "$out/sum/"
	(cd "$out/sum" && gcov -r -s "$tree" -- *.gcda >gcov.log 2>&1) || {
		tail -n 5 "$out/sum/gcov.log" >&2
		return 1
	}
	# trace.h is for the kernel's macros, which make functions of it for ftrace, perf
	# and BPF; selftests/trace.c asserts each of its events.
	rm -f "$out"/sum/*_test.[ch].gcov "$out"/sum/trace.h.gcov
}

# One "file TAB line TAB count TAB code" per line with code; - for never.
lines()
{
	awk -F: '
		$3 == "" && $2 + 0 == 0 { next }
		FNR == 1 { file = FILENAME; sub(/.*\//, "", file); sub(/\.gcov$/, "", file) }
		$2 + 0 && $1 !~ /-$/ {
			code = $0
			sub(/^[^:]*:[^:]*:[ \t]*/, "", code)
			count = $1
			gsub(/[ *]/, "", count)
			print file "\t" $2 + 0 "\t" (count ~ /^[#=]/ ? 0 : count) "\t" code
		}' "$out"/sum/*.gcov
}

table()
{
	printf 'file\tlines\tcovered\tpercent\n'
	awk -F'\t' '
		{ n[$1]++; total++ }
		$3 != "0" { hit[$1]++; hits++ }
		END {
			for (file in n)
				printf "%s\t%d\t%d\t%.1f\n", file, n[file], hit[file], \
					100 * hit[file] / n[file] | "sort"
			close("sort")
			printf "total\t%d\t%d\t%.2f\n", total, hits, 100 * hits / total
		}' "$out/lines.tsv"
}

# "file TAB code TAB mark" for each entry of uncovered.txt; mark is ? for those
# that run in some runs only, else !.
explained()
{
	awk '/^[^# \t]/ {
		mark = sub(/^\? /, "") ? "?" : "!"
		split($0, part, ": ")
		print part[1] "\t" substr($0, length(part[1]) + 3) "\t" mark
	}' "$here/uncovered.txt"
}

# Complaints: lines that are not explained, explanations that are not needed.
compare()
{
	awk -F'\t' '
		FILENAME == ARGV[1] { mark[$1 "\t" $2] = $3; next }
		$3 == "0" {
			if (($1 "\t" $4) in mark)
				used[$1 "\t" $4] = 1
			else
				print "never ran, not explained: " $1 ":" $2 ": " $4
		}
		END {
			for (key in mark)
				if (mark[key] == "!" && !(key in used)) {
					sub(/\t/, ": ", key)
					print "explained, but it runs or is gone: " key
				}
		}' "$out/explained.tsv" "$out/lines.tsv"
}

# result NUMBER NAME FILE: ok if FILE, the complaints, is empty
result()
{
	if [[ -s $3 ]]; then
		sed 's/^/# /' "$3"
		echo "not ok $1 $2"
		failed=1
	else
		echo "ok $1 $2"
	fi
}

failed=0
merge "$@"
annotate
lines >"$out/lines.tsv"
table >"$out/coverage.tsv"
awk -F'\t' '$3 == "0"' "$out/lines.tsv" >"$out/uncovered.tsv"
explained >"$out/explained.tsv"

echo "TAP version 13"
echo "1..2"
column -t -s $'\t' "$out/coverage.tsv" | sed 's/^/# /'
awk -F'\t' -v goal="$goal" '$1 == "total" && $4 + 0 < goal {
	print "total " $4 " % is below " goal " %"
}' "$out/coverage.tsv" >"$out/goal"
result 1 "line coverage of module/ is at least $goal %" "$out/goal"
compare >"$out/complaints"
result 2 "every line that never ran is explained" "$out/complaints"
exit "$failed"
