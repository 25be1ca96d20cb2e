#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# "make lint": all that can be said of the sources without running them.  Prints
# TAP, one result per check; each check is a script beside this one.
#
# Usage: run.sh [CHECK...]
#
# A check prints what it found; status 0: nothing, 77: it cannot run here (its
# last line says why), else: it failed.
set -euo pipefail

lint=$(dirname "$(readlink -f "$0")")
top=$(cd "$lint/../.." && pwd)
out=$top/out/lint

# Quick ones first.
checks=(rules functions codespell shellcheck manpage kernel-doc checkpatch headers gcc
	sparse clang coccinelle)

usage()
{
	{
		sed -n '/^# Usage:/,/^#$/s/^# \{0,1\}//p' "$0"
		echo "Checks: ${checks[*]}"
	} >&2
	exit 2
}

select_checks()
{
	local name

	for name in "$@"; do
		[[ " ${checks[*]} " == *" $name "* ]] || usage
	done
	[[ $# -eq 0 ]] || checks=("$@")
}

# run_check NUMBER NAME: status 1 if it failed.  A check shows its progress on
# descriptor 3.
run_check()
{
	local number=$1 name=$2 log=$out/$2.log status=0 start=$SECONDS

	"$lint/$name.sh" 3>&1 >"$log" 2>&1 || status=$?
	case $status in
	0)
		echo "ok $number $name # $((SECONDS - start)) s"
		;;
	77)
		echo "ok $number $name # SKIP $(tail -n 1 "$log")"
		;;
	*)
		sed 's/^/# /' "$log"
		echo "not ok $number $name # status $status"
		return 1
		;;
	esac
}

main()
{
	local failed=0 number=0 name

	select_checks "$@"
	mkdir -p "$out"
	echo "1..${#checks[@]}"
	for name in "${checks[@]}"; do
		number=$((number + 1))
		echo "# $(date +%H:%M:%S) $name"
		run_check "$number" "$name" || failed=$((failed + 1))
	done
	[[ $failed -eq 0 ]]
}

main "$@"
