#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The manual page: well-formed, and nothing is missing in it of what a user meets:
# options, sysctls, and errors with their causes.
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

# Errnos that the module chooses, with a reason or as the result of attaching.
errnos()
{
	{
		grep -ohE 'cats_refuse\([^;]*-E[A-Z0-9]+' -z module/*.c | tr '\0' '\n'
		awk '/^static int cats_ulp_init/, /^}/' module/main.c
	} | grep -oE '\-E[A-Z0-9]+' | tr -d - | sort -u
}

need mandoc mandoc
mandoc -T lint -W warning "$page"
options | documented option '^\.BR? @\b' || status=1
sysctls | documented sysctl '^\.IR? (.* )?@( |$)' || status=1
errnos | documented errno '^\.B @$' || status=1
exit "$status"
