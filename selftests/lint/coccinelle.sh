#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The kernel's semantic patches over the module, in report mode: any report fails.
# Calls spatch itself and not "make coccicheck", which exits with 0 whatever it
# finds, wants a kernel tree that is configured and writable, and runs one
# semantic patch after the other.  Left out are the two that want an OCaml compiler:
# one about a driver, one about 0 instead of NULL, which sparse finds, too.
#
# Usage: coccinelle.sh [PATCH.cocci FILE...]	(with arguments: one, no progress)
. "$(dirname "$0")/lib.sh"

# report COCCI FILE...: prints what it finds.  That a name might be a metavariable is
# a remark about the semantic patch.
report()
{
	local cocci=$1
	local -a options

	shift
	read -ra options < <(sed -n 's/^.*Options: *//p' "$cocci") || :
	{
		spatch -D report --very-quiet --no-show-diff --cocci-file "$cocci" \
			"${options[@]}" -I module -I uapi "$@" 2>&1 ||
			echo "$cocci: spatch failed"
	} | grep -v '^warning: line .* be a metavariable?$' || :
}

if [[ $# -gt 0 ]]; then
	report "$@"
	exit
fi

need spatch coccinelle
source=$(source_tree)
mapfile -t modules < <(files 'module/*.c' 'module/*.h')
mapfile -t patches < <(
	grep -rl --include='*.cocci' '^virtual report' "$source/scripts/coccinelle" |
		xargs grep -L 'script:ocaml' | sort
)
progress "${#patches[@]} semantic patches, ${#modules[@]} files"
found=$(printf '%s\n' "${patches[@]}" |
	xargs -P "$(nproc)" -I '{}' "$lint/coccinelle.sh" '{}' "${modules[@]}")
[[ -z $found ]] || echo "$found"
[[ ${#patches[@]} -gt 0 && -z $found ]]
