#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# "make docs": writes the measured figures into the documentation, from out/demo,
# out/bench and out/check.  Each place is a block between two lines that contain
#	begin-figures: NAME
#	end-figures
# and NAME is a function here that prints the block.
set -euo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
demo=$top/out/demo
bench=$top/out/bench
check=$top/out/check

# Markdown: header, rule, rows.  Columns right-aligned but for the first.
markdown_table()
{
	awk -F'\t' '
		{ printf "|"; for (i = 1; i <= NF; i++) printf " %s |", $i; print "" }
		NR == 1 { printf "|---|"; for (i = 2; i <= NF; i++) printf "---:|"; print "" }'
}

literal_table()
{
	printf '::\n\n'
	column -t -s $'\t' | sed 's/^/    /'
}

readme_page()
{
	markdown_table <"$demo/page.tsv"
}

readme_late()
{
	markdown_table <"$demo/late.tsv"
}

rst_page()
{
	literal_table <"$demo/page.tsv"
}

rst_late()
{
	literal_table <"$demo/late.tsv"
}

rst_feeder()
{
	literal_table <"$bench/feeder.tsv"
}

rst_idle()
{
	literal_table <"$bench/idle-sockets.tsv"
}

rst_bounds()
{
	"$check/unit/conductor_bounds" --table | literal_table
}

rst_starve()
{
	literal_table <"$check/starve/starve.tsv"
}

rst_coverage()
{
	literal_table <"$check/coverage/coverage.tsv"
}

rst_fault()
{
	literal_table <"$check/fault/fault-sites.tsv"
}

# The planted bugs, and the first line that reported each.
rst_gate()
{
	literal_table <"$check/gate/caught.tsv"
}

rst_programs()
{
	literal_table <"$check/programs/programs.tsv"
}

trace_cost()
{
	literal_table <"$check/trace/trace.tsv"
}

# observe_output STEP: what its commands printed, not too much of it
observe_output()
{
	printf '::\n\n'
	expand "$check/observe/steps/$1.txt" | sed 's/ *$//' | cat -s |
		awk 'NR <= 32 { print $0 == "" ? "" : "    " $0 }
		     END { if (NR > 32) print "    ..." }'
}

# A name and its fields per line.
observe_tracepoints()
{
	printf '::\n\n'
	awk -f "$top/tools/docs/tracepoints.awk" "$top/module/trace.h"
}

observe_mib()
{
	awk 'match($0, /"Cats[A-Za-z]*"/) { name = substr($0, RSTART + 1, RLENGTH - 2); next }
	     name != "" { gsub(/^[^"]*"|"[^"]*$/, ""); print name "\t" $0; name = "" }' \
		"$top/module/mib.h" | literal_table
}

# What the tools of tools/bpftrace print in their test; bpftrace separates by empty lines.
bpftrace_output()
{
	sed 's/ *$//' "$check/bpftrace/vm/$1.txt" | cat -s | sed -e '${/^$/d}'
}

# block NAME: by the function of the name, the output of a step of observe.rst, or of a
# tool of tools/bpftrace
block()
{
	if [[ $(type -t "$1") == function ]]; then
		"$1"
	elif [[ $1 == observe_* ]]; then
		observe_output "${1#observe_}"
	else
		bpftrace_output "${1#bpftrace_}"
	fi
}

# replace FILE: every block of it
replace()
{
	local line name tmp

	tmp=$(mktemp)
	while IFS= read -r line; do
		printf '%s\n' "$line"
		[[ $line == *begin-figures:* ]] || continue
		name=${line##*begin-figures: }
		name=${name%% *}
		echo
		block "$name"
		echo
		while IFS= read -r line && [[ $line != *end-figures* ]]; do
			:
		done
		printf '%s\n' "$line"
	done <"$1" >"$tmp"
	cat "$tmp" >"$1"
	rm "$tmp"
}

"$top/tools/docs/lists.sh"
make -s -C "$top/selftests/unit" OUT="$check/unit"
for needed in "$demo/page.tsv" "$bench/feeder.tsv" "$bench/idle-sockets.tsv" \
	      "$check/starve/starve.tsv" "$check/coverage/coverage.tsv" \
	      "$check/fault/fault-sites.tsv" "$check/gate/caught.tsv" \
	      "$check/programs/programs.tsv" "$check/bpftrace/vm/catsinv.txt" \
	      "$check/trace/trace.tsv" \
	      "$check/observe/steps/explain.txt"; do
	[ -e "$needed" ] || {
		echo "docs: no ${needed#"$top/"}: run make check, feeder-bench and idle-bench" >&2
		exit 1
	}
done
for file in "$top/README.md" "$top"/Documentation/*.rst \
	    "$top"/tools/bpftrace/*_example.txt; do
	replace "$file"
done
cp "$demo/page.svg" "$demo/late.svg" "$top/Documentation/images/"
