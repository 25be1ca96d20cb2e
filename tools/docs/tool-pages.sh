#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Writes the manual pages of the tools of tools/bpftrace, from the comments at the heads
# of their programs, which --help prints: one text for both.
#
# Usage: tool-pages.sh		write Documentation/man/NAME.8 for each
#        tool-pages.sh --check	fail if that would change one
set -euo pipefail
shopt -s inherit_errexit

top=$(cd "$(dirname "$0")/../.." && pwd)

# The comment, without its frame.
comment()
{
	sed -n '/^ \*\//q; s/^ \* \{0,1\}//p' "$1"
}

# Text as it is: hyphens, backslashes, and a dot or an apostrophe at the beginning.
literal()
{
	sed 's/\\/\\e/g; s/-/\\-/g; s/^[.'\'']/\\\&&/'
}

# Of the manual as a whole: that of cats(7).
date_of_manual()
{
	sed -n 's/^\.TH CATS 7 \([0-9-]*\) .*/\1/p' "$top/Documentation/man/cats.7"
}

# page FILE
page()
{
	local name what usage

	name=$(basename "$1" .bt)
	what=$(comment "$1" | sed -n "1s/^$name: //p")
	usage=$(comment "$1" | sed -n "s/^Usage: $name *//p")
	cat <<-TROFF
	.\\" SPDX-License-Identifier: GPL-2.0
	.\\" From tools/bpftrace/$name.bt, by tools/docs/tool-pages.sh.
	.TH ${name^^} 8 $(date_of_manual) CATS "CATS for the Linux kernel"
	.SH NAME
	$name \\- $(literal <<<"$what")
	.SH SYNOPSIS
	.B $name
	$(literal <<<"$usage")
	.SH DESCRIPTION
	A
	.BR bpftrace (8)
	program over the tracepoints of
	.BR cats (7).
	.PP
	.nf
	$(comment "$1" | sed "1d; /^Usage: /d" | sed '/./,$!d' | literal)
	.fi
	.SH REQUIREMENTS
	Root, or
	.B CAP_BPF
	and
	.BR CAP_PERFMON ;
	the module; bpftrace 0.17 or newer; a kernel that describes its types (BTF).
	.SH EXIT STATUS
	.TP
	.B 0
	Ended by Ctrl\\-C.
	.TP
	.B 2
	Bad usage.
	.TP
	.B 3
	It cannot run here; a message says why, and what to do.
	.SH EXAMPLES
	.I /usr/local/share/cats/${name}_example.txt
	.SH SEE ALSO
	.BR bpftrace (8),
	.BR catsctl (8),
	.BR cats (7)
	TROFF
}

status=0
for program in "$top"/tools/bpftrace/*.bt; do
	file=$top/Documentation/man/$(basename "$program" .bt).8
	case ${1:-} in
	'')	page "$program" >"$file" ;;
	--check)
		page "$program" | diff -u "$file" - || {
			echo "$file: not what its program says: run tools/docs/tool-pages.sh" >&2
			status=1
		} ;;
	*)	sed -n '/^# Usage:/,/^set/s/^# \{0,1\}//p' "$0" >&2
		exit 2 ;;
	esac
done
exit "$status"
