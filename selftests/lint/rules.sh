#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Rules of the project that need no tool: a licence line, clean white space, no
# line of code over 100 columns (of C, checkpatch sees to that: it lets long strings
# pass, which are better not broken).
. "$(dirname "$0")/lib.sh"

status=0

# problem TEXT: of the lines on stdin, if there are any
problem()
{
	if sed "s/\$/: $1/" | grep .; then
		status=1
	fi
}

# Text that we wrote; in patches, pictures and input of tests white space has a
# meaning.
ours()
{
	files ':!COPYING' ':!*.patch' ':!*.svg' ':!*/corpus/*' "$@" | xargs grep -Il ''
}

mapfile -t texts < <(ours)
# Without the page that a forge shows, and settings of tools.
mapfile -t sources < <(
	ours ':!README.md' ':!.*'
	ours '.ci/*'
)
mapfile -t code < <(
	{
		files '*.awk' '*.gp' '*Makefile' Kbuild
		scripts
	} | sort -u
)

without_licence()
{
	local file

	for file in "${sources[@]}"; do
		head -n 3 "$file" | grep -q 'SPDX-License-Identifier: GPL-2\.0' ||
			echo "$file"
	done
}

without_newline()
{
	local file

	for file in "${texts[@]}"; do
		[[ -z $(tail -c 1 "$file") ]] || echo "$file"
	done
}

too_long()
{
	local file

	for file in "${code[@]}"; do
		expand "$file" | awk -v file="$file" 'length > 100 { print file ":" NR }'
	done
}

problem "no SPDX line" < <(without_licence)
problem "no newline at the end" < <(without_newline)
problem "over 100 columns" < <(too_long)
problem "white space at the end" < <(grep -nE '[[:blank:]]+$' -- "${texts[@]}")
problem "space before a tab" < <(grep -nP ' \t' -- "${texts[@]}")
exit "$status"
