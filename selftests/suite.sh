# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# What suites with a driver of their own share; each sources this, and has set top, the
# root of the source.
# shellcheck disable=SC2154 # top, out and ko are the caller's

# The head of the suite's script, from its usage on.
usage()
{
	sed -n '/^# Usage:/,/^# Writes/s/^# \{0,1\}//p' "$0" >&2
	exit 2
}

# suite_options ARGUMENT...: sets out and ko by --out DIR and --ko FILE, and the rest,
# names of cases, in names.
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

# suite_out: makes out, and its name one that is good anywhere
suite_out()
{
	mkdir -p "$out"
	out=$(cd "$out" && pwd)
}

# suite_module: builds the module, unless ko says which to take
suite_module()
{
	[[ -z $ko ]] || return 0
	make -s -C "$top" module >&2
	ko=$top/cats.ko
}

# copy_module DIR: what it takes to build the module, and nothing that was built
copy_module()
{
	rm -rf "$1"
	mkdir -p "$1"
	cp -r "$top/Kbuild" "$top/module" "$top/uapi" "$1/"
	find "$1" \( -name '*.o' -o -name '.*.cmd' \) -delete
}

# build_copy DIR [VARIABLE=VALUE...]: DIR/cats.ko, of a copy
build_copy()
{
	local dir=$1

	shift
	make -s -C "/lib/modules/$("$top/selftests/vm/kernel.sh" version)/build" M="$dir" \
		"$@" modules >"$dir.log" 2>&1 || {
		tail -n 20 "$dir.log" >&2
		exit 1
	}
}

# machine_result STATUS LOG...: whether the virtual machine ran to its end
machine_result()
{
	local status=$1

	shift
	if [[ $status == 0 ]]; then
		echo "ok - machine"
	else
		tail -n 40 "$@" | sed 's/^/# /'
		echo "not ok - machine # status $status"
	fi
}

# number FILE: results without numbers as TAP; fails if one of them failed
number()
{
	echo "1..$(grep -cE '^(not )?ok - ' "$1")"
	awk '/^(not )?ok - / { sub(/ok - /, "ok " ++n " ") } { print }' "$1"
	! grep -q '^not ok' "$1"
}
