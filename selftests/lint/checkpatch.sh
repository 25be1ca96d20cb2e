#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The kernel's checkpatch over all C files.  checkpatch.except says what is not
# asked of which files, and why.
. "$(dirname "$0")/lib.sh"

need perl perl
source=$(source_tree)

# The types that "$1" is excused from, separated by commas.
excused()
{
	local file=$1 pattern types reason list=

	while IFS=$'\t' read -r pattern types reason; do
		# The pattern is one: it is not to be quoted.
		# shellcheck disable=SC2053
		if [[ -n $reason && $pattern != '#'* && $file == $pattern ]]; then
			list+=,$types
		fi
	done <"$lint/checkpatch.except"
	echo "${list#,}"
}

# One run for all files that are excused from the same.
declare -A group
while read -r file; do
	types=$(excused "$file")
	group[${types:-NONE}]+=$file$'\n'
done < <(files '*.c' '*.h')

# Not run in the work tree, where it would leave a cache.
mkdir -p "$out"
cd "$out"
status=0
for types in "${!group[@]}"; do
	mapfile -t names <<<"${group[$types]%$'\n'}"
	perl "$source/scripts/checkpatch.pl" --no-tree --root="$source" --strict --terse \
		--show-types --quiet --ignore "$types" -f "${names[@]/#/$top/}" |
		sed "/^total: /d; s|^$top/||" || status=1
done
exit "$status"
