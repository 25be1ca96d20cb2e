# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# What suites with a driver of their own share; each sources this.

# suite_options ARGUMENT...: sets out and ko by --out DIR and --ko FILE, and the rest,
# names of cases, in names.  The caller has usage().
# shellcheck disable=SC2034 # they are the caller's
suite_options()
{
	while [[ $# -gt 0 && $1 == -* ]]; do
		[[ $# -gt 1 ]] || usage
		case $1 in
		--out)	out=$2 ;;
		--ko)	ko=$2 ;;
		*)	usage ;;
		esac
		shift 2
	done
	names=("$@")
}

# number FILE: results without numbers as TAP; fails if one of them failed
number()
{
	echo "1..$(grep -cE '^(not )?ok - ' "$1")"
	awk '/^(not )?ok - / { sub(/ok - /, "ok " ++n " ") } { print }' "$1"
	! grep -q '^not ok' "$1"
}
