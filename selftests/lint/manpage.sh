#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The manual pages: well-formed, and nothing is missing in them of what a user meets:
# in cats(7) options, sysctls, and errors with their causes, in catsctl(8) commands and
# options.
. "$(dirname "$0")/lib.sh"

page=Documentation/man/cats.7
status=0

# Each word of stdin: a line that matches the pattern $1, where @ stands for the word.
documented()
{
	local what=$1 pattern=$2 word bad=0

	while read -r word; do
		grep -qE -- "${pattern//@/$word}" "$page" && continue
		echo "$page: $what $word is missing" >&2
		bad=1
	done
	return "$bad"
}

options()
{
	awk '/^enum cats_option/, /^};/' uapi/linux/cats.h | grep -oE '^\sCATS_\w+'
}

sysctls()
{
	sed -nE 's/.*\.procname\s*= "([^"]+)".*/\1/p' module/*.c
}

reasons()
{
	sed -nE 's/^\tREASON\((\w+), .*/\1/p' uapi/linux/cats.h
}

counters()
{
	sed -nE 's/^\tMIB\(\w+, "(\w+)".*/\1/p' module/mib.h
}

# Errnos that the module chooses, each with a reason.
errnos()
{
	sed -nE 's/^\tREASON\(\w+, [0-9]+, (\w+),.*/\1/p' uapi/linux/cats.h | sort -u
}

# As catsctl --help has them.
commands()
{
	sed -nE 's/^\t\.name\t= "(.*)",$/\1/p' tools/catsctl/*.c
}

# For the page, where each hyphen is written \-.
long_options()
{
	sed -nE 's/^\t+\{ "([a-z0-9-]+)", (no|required|optional)_argument,.*/--\1/p' \
		tools/catsctl/*.c | sort -u | sed 's/-/.-/g'
}

need mandoc mandoc
mandoc -T lint -W warning Documentation/man/*.[1-8] || status=1
need cpp cpp
tools/docs/lists.sh --check || status=1
reasons | documented reason '^\.BR @ " \(' || status=1
counters | documented counter '^\.I @$' || status=1
options | documented option '^\.BR? @\b' || status=1
sysctls | documented sysctl '^\.IR? (.* )?@( |$)' || status=1
errnos | documented errno '^\.B @$' || status=1
page=Documentation/man/catsctl.8
commands | documented command '^\.SS catsctl @$' || status=1
long_options | documented option '@( |$)' || status=1
exit "$status"
