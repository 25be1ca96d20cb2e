#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shortens a program in which the kernel crashes: runs it in ever new machines,
# with ever smaller pieces left out.  (What fails without a crash the fuzzer
# shortens by itself.)
#
# Usage: shrink.sh [--seed S --episode N | --program FILE] [--tries N]
#		   [--repeat N] [OPTION of run.sh...]
#
# Prints the shortest program that still crashes; it is in OUT/shortest, too.
# --tries limits the machines (default 40), --repeat says how often the program
# runs in each (default 5).

set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
out=$top/out/fuzz-shrink

seed='' episode='' program='' tries=40 repeat=5
run_args=()

usage()
{
	sed -n '/^# Usage:/,/^#$/s/^# \{0,1\}//p' "$here/shrink.sh" >&2
	exit 2
}

parse_options()
{
	while [[ $# -gt 0 ]]; do
		[[ $# -gt 1 ]] || usage
		case $1 in
		--seed)		seed=$2 ;;
		--episode)	episode=$2 ;;
		--program)	program=$2 ;;
		--tries)	tries=$2 ;;
		--repeat)	repeat=$2 ;;
		--out)		out=$2 ;;
		*)		run_args+=("$1" "$2") ;;
		esac
		shift 2
	done
	[[ -n $program || ( -n $seed && -n $episode ) ]] || usage
}

# crashes FILE: a failure that the fuzzer itself reports is no crash.
crashes()
{
	machines=$((machines + 1))
	"$here/run.sh" --out "$out/run" --replay "$1" --repeat "$repeat" --no-shrink \
		--no-leaks "${run_args[@]}" >"$out/last.tap" 2>&1 || :
	grep -q '^not ok .* no warning of the kernel' "$out/last.tap"
}

# without FIRST NR: the shortest program so far, but not these operations
without()
{
	awk -v first="$1" -v nr="$2" '
		$1 == "op" { n++ }
		$1 != "op" || n <= first || n > first + nr
	' "$out/shortest"
}

operations()
{
	grep -c '^op ' "$out/shortest" || :
}

shorten()
{
	local piece at

	for ((piece = $(operations) / 2; piece > 0; piece /= 2)); do
		at=0
		while [[ $at -lt $(operations) ]]; do
			[[ $machines -lt $tries ]] || return 0
			without "$at" "$piece" >"$out/shorter"
			if crashes "$out/shorter"; then
				mv "$out/shorter" "$out/shortest"
				echo "# $(operations) operations, $machines machines"
			else
				at=$((at + piece))
			fi
		done
	done
}

main()
{
	parse_options "$@"
	mkdir -p "$out"
	out=$(cd "$out" && pwd)
	make -s -C "$here" OUT="$out/run/bin" >&2
	if [[ -n $program ]]; then
		cp "$program" "$out/shortest"
	else
		"$out/run/bin/fuzz" --seed "$seed" --from "$episode" --print \
			>"$out/shortest"
	fi
	machines=0
	if ! crashes "$out/shortest"; then
		echo "# $(operations) operations do not crash the kernel in $repeat runs"
		echo "# it may depend on what ran before; see $out/last.tap"
		exit 1
	fi
	echo "# $(operations) operations crash the kernel"
	shorten
	cat "$out/shortest"
}

main "$@"
