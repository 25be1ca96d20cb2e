#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Fuzzes the Conductor with libFuzzer, from the corpus beside this file; prints
# TAP.  Needs clang.
#
# Usage: fuzz.sh [--runs N | --seconds N] [--merge]
#   --runs N	new inputs to try (default 50000); the same N tries the same ones
#   --seconds N	try for that long instead
#   --merge	then write what they reached back to the corpus, minimized
#
# Build outputs, the log and inputs that fail go to $OUT, default out/unit.
set -euo pipefail

unit=$(cd "$(dirname "$0")" && pwd)
OUT=${OUT:-$unit/../../out/unit}
runs=50000 seconds=0 merge=no failed=0
# Operations of 4 bytes: 256 of them in one input.
max_len=1024

usage()
{
	sed -n '/^# Usage:/,/^#$/s/^# \{0,1\}//p' "$0" >&2
	exit 2
}

parse()
{
	while [[ $# -gt 0 ]]; do
		case $1 in
		--runs | --seconds)
			[[ ${2:-} =~ ^[0-9]+$ ]] || usage
			[[ $1 == --runs ]] && runs=$2 seconds=0
			[[ $1 == --seconds ]] && runs=-1 seconds=$2
			shift 2
			;;
		--merge)
			merge=yes
			shift
			;;
		*)
			usage
			;;
		esac
	done
}

# fuzz NAME ARGUMENT...: leaves the log in $OUT/fuzz/NAME.log
fuzz()
{
	local name=$1

	shift
	"$OUT/conductor_fuzz" -seed=1 -max_len=$max_len -timeout=60 -print_final_stats=1 \
		-artifact_prefix="$OUT/fuzz/" "$@" >"$OUT/fuzz/$name.log" 2>&1
}

# How many inputs ran, by the log: a run that did nothing must not pass.
executed()
{
	sed -n 's/^stat::number_of_executed_units: *//p' "$OUT/fuzz/$1.log"
}

# result NUMBER NAME LEAST ARGUMENT...: passes if LEAST inputs ran, none failing
result()
{
	local number=$1 name=$2 least=$3 status=0 count

	shift 3
	fuzz "$name" "$@" || status=$?
	count=$(executed "$name")
	if [[ $status -eq 0 && ${count:-0} -ge $least ]]; then
		echo "ok $number $name # $count inputs"
		return
	fi
	grep -E '^#   |^# operation|ERROR|runtime error|Test unit' "$OUT/fuzz/$name.log" |
		sed 's/^#* */#   /' || :
	echo "not ok $number $name # ${count:-0} inputs, log in $OUT/fuzz/$name.log"
	failed=1
}

# Replaces the corpus by few inputs that reach as much; numbered, short first.
write_corpus()
{
	local file n=0

	fuzz merge -set_cover_merge=1 -use_counters=0 "$OUT/fuzz/merged" "$OUT/fuzz/corpus"
	rm -f "$unit"/corpus/*
	while read -r _ file; do
		cp "$file" "$unit/corpus/$(printf '%03d' $n)"
		n=$((n + 1))
	done < <(stat -c '%s %n' "$OUT/fuzz/merged"/* | sort -n)
	echo "# corpus: $n files, $(du -bc "$unit"/corpus/* | tail -n 1 | cut -f 1) bytes"
}

main()
{
	local corpus=("$unit"/corpus/*)

	parse "$@"
	echo "TAP version 13"
	echo "1..2"
	make -s -C "$unit" OUT="$OUT" fuzz
	rm -rf "$OUT/fuzz"
	mkdir -p "$OUT/fuzz/corpus" "$OUT/fuzz/merged"
	cp "${corpus[@]}" "$OUT/fuzz/corpus/"
	result 1 corpus "${#corpus[@]}" -runs=0 "$OUT/fuzz/corpus"
	result 2 new-inputs "$((runs > 0 ? runs : 1))" -runs="$runs" \
		-max_total_time="$seconds" "$OUT/fuzz/corpus"
	[[ $merge == no || $failed -ne 0 ]] || write_corpus
	return $failed
}

main "$@"
