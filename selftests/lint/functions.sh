#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# No function is longer than 60 lines, but for those of functions.except, each
# with its reason.  An exception that is not needed any more is an error, too.
. "$(dirname "$0")/lib.sh"

{
	files '*.c' '*.h'
	scripts
} | sort -u | xargs awk -v max=60 -v except="$lint/functions.except" \
	-f "$lint/functions.awk"
