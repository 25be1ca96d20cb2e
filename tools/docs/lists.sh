#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Writes the lists of cats(7) that come from headers: the reasons of refusals, from
# uapi/linux/cats.h, and the counters, from module/mib.h.  The preprocessor expands
# them, so that they are what the module has.
#
# Usage: lists.sh		rewrite the page
#        lists.sh --check	fail if that would change it
set -euo pipefail
shopt -s inherit_errexit

top=$(cd "$(dirname "$0")/../.." && pwd)
page=$top/Documentation/man/cats.7

# expand HEADER LIST: its entries, one per line, their arguments separated by tabs.
# Texts have no quotation marks, and commas only inside them.
expand()
{
	local entry='ENTRY(a, b, ...) @a@b@__VA_ARGS__@'

	{
		sed -n "/^#define $2(/,/[^\\\\]\$/p" "$top/$1"
		echo "#define $entry"
		echo "$2(ENTRY)"
	} | cpp -P - | tr -d '\n' | awk '1' |
		sed -E 's/@ *@/\n/g; s/(^|\n)@//g; s/@\n?$//' |
		sed -E 's/@ */\t/g; s/, *"/\t/; s/"[^"]*$//; s/"//g'
}

# Numbers, names and errnos, to look up what a program or a trace has.
reasons()
{
	local name code rest error text

	expand uapi/linux/cats.h CATS_REASONS | while IFS=$'\t' read -r name code rest; do
		error=${rest%%$'\t'*} text=${rest#*$'\t'}
		printf '.TP\n.BR %s " (" %s ", " %s ")"\n%s.\n' "$name" "$code" "$error" "$text"
	done
}

counters()
{
	local name file_name text

	expand module/mib.h CATS_MIBS | while IFS=$'\t' read -r name file_name text; do
		printf '.TP\n.I %s\n%s.\n' "$file_name" "${text^}"
	done
}

# The page with its lists as they must be.
rewrite()
{
	local line

	while IFS= read -r line; do
		printf '%s\n' "$line"
		[[ $line == *begin-list:* ]] || continue
		"${line##*begin-list: }"
		while IFS= read -r line && [[ $line != *end-list* ]]; do
			:
		done
		printf '%s\n' "$line"
	done <"$page"
}

new=$(rewrite)
case ${1:-} in
'')	printf '%s\n' "$new" >"$page" ;;
--check)
	diff -u "$page" - <<<"$new" || {
		echo "$page: its lists are not those of the headers: run tools/docs/lists.sh" >&2
		exit 1
	} ;;
*)	sed -n '/^# Usage:/,/^set/s/^# \{0,1\}//p' "$0" >&2
	exit 2 ;;
esac
