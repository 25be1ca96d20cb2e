#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Tests the tests, in TAP: plants a bug in a copy of the module and looks whether
# it is caught, and by what was meant to catch it.
#
# Usage: run.sh [--no-control] OUT [NAME...]	all planted bugs, or these (without .patch)
#
# A bug is a file NAME.patch beside this script.  Its first paragraph says what is
# wrong; then come two lines:
#	Run: COMMAND	what is run; see the functions run_*
#	Expect: REGEX	what its output, or the kernel's log, must have (grep -E)
# The command must fail, too.  Each command also runs on the module without a bug
# and must pass: else it would prove nothing.  (Not with --no-control, for "make
# check", where other jobs run all of these tests on the module as it is.)

# Functions are called by names that come from variables.
# shellcheck disable=SC2317

set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
vm=$top/selftests/vm

control=1
if [[ ${1:-} == --no-control ]]; then
	control=0
	shift
fi
[[ $# -ge 1 ]] || {
	sed -n '/^# Usage:/,/^#$/s/^# \{0,1\}//p' "$0" >&2
	exit 2
}
mkdir -p "$1"
out=$(cd "$1" && pwd)
shift

# header FIELD PATCH
header()
{
	sed -n "1,/^---/s/^$1: //p" "$2"
}

# The functions run_KIND DIR ARG...: DIR has tree/, the copy of the sources, and
# cats.ko, if that kind needs it.

# A kselftest in the debug kernel.
run_selftest()
{
	local dir=$1

	make -s -C "$top/selftests" OUT="$out/bin" PROGRAMS="$2" ||
		return
	"$vm/run" --timeout 600 --kernel "$kernel/boot/vmlinux" \
		--ko "$dir/cats.ko" --add "$out/bin:/test" \
		--out "$dir/vm" \
		"$top/selftests/guest.sh" "$2"
}

# Properties of the Conductor, in user space.
run_properties()
{
	local dir=$1

	shift
	make -s -C "$top/selftests/unit" MODULE="$dir/tree/module" \
		OUT="$dir/unit" "$dir/unit/conductor_prop" || return
	"$dir/unit/conductor_prop" "$@"
}

# The operation fuzzer.
run_fuzz()
{
	local dir=$1

	shift
	"$top/selftests/fuzz/run.sh" --out "$dir/fuzz" --ko "$dir/cats.ko" "$@"
}

# The sweep of fault injection.
run_fault()
{
	local dir=$1

	shift
	"$top/selftests/fault/run.sh" --out "$dir/fault" --ko "$dir/cats.ko" "$@"
}

# build DIR RUN [PATCH]: what the command needs
build()
{
	local dir=$1 run=$2

	shift 2
	rm -rf "$dir"
	mkdir -p "$dir"
	case $run in
	properties*)
		mkdir "$dir/tree"
		cp -r "$top/module" "$dir/tree/"
		[[ $# -eq 0 ]] || patch -d "$dir/tree" -p1 -s <"$1"
		;;
	*)
		"$vm/debug-module.sh" "$dir" "$@"
		;;
	esac
}

# attempt DIR RUN: its output in DIR/log; the status is that of the command
attempt()
{
	local dir=$1
	local -a words

	read -ra words <<<"$2"
	"run_${words[0]}" "$dir" "${words[@]:1}" >"$dir/log" 2>&1 </dev/null
}

show_log()
{
	tail -n 25 "$1/log" | sed 's/^/# /'
}

# Once for each command that a patch names.
check_control()
{
	local run=$1 dir=$out/control

	build "$dir" "$run"
	attempt "$dir" "$run" && return
	show_log "$dir"
	return 1
}

# A report without line numbers of the log, time stamps, and paths of this machine.
tidy()
{
	sed 's/^[# ]*\([0-9]*:\)\{0,1\}//; s/^\[ *[0-9.]*\] *//; s|/[^ ]*/module/|module/|g' <<<"$1"
}

check_planted()
{
	local patch=$1 run expect dir found

	dir=$out/$(basename "$patch" .patch)
	run=$(header Run "$patch")
	expect=$(header Expect "$patch")
	[[ -n $run && -n $expect ]] || {
		echo "# $patch: no Run or no Expect"
		return 1
	}
	build "$dir" "$run" "$patch" || return
	if attempt "$dir" "$run"; then
		echo "# passed although the bug is there: $run"
		return 1
	fi
	if found=$(grep -E -m 1 -- "$expect" "$dir/log"); then
		echo "# $found"
		printf '%s\t%s\t%s\n' "$(basename "$patch" .patch)" "${run%% *}" \
			"$(tidy "$found")" >>"$out/caught.tsv"
		return
	fi
	echo "# failed, but nothing says: $expect"
	show_log "$dir"
	return 1
}

# check NAME FUNCTION ARG
check()
{
	local name=$1 seconds=$SECONDS

	number=$((number + 1))
	if "$2" "$3"; then
		echo "ok $number $name # $((SECONDS - seconds)) s"
	else
		echo "not ok $number $name # $((SECONDS - seconds)) s"
		failed=1
	fi
}

number=0 failed=0
patches=()
if [[ $# -gt 0 ]]; then
	patches=("${@/#/$here/}")
	patches=("${patches[@]/%/.patch}")
else
	patches=("$here"/*.patch)
fi
runs=()
if [[ $control -eq 1 ]]; then
	mapfile -t runs < <(for patch in "${patches[@]}"; do header Run "$patch"; done | sort -u)
fi
kernel=$("$vm/kernel.sh" debug)

printf 'planted\tfound by\treport\n' >"$out/caught.tsv"
echo "TAP version 13"
echo "1..$((${#patches[@]} + ${#runs[@]}))"
for run in "${runs[@]}"; do
	check "without a bug: $run" check_control "$run"
done
for patch in "${patches[@]}"; do
	check "planted: $(basename "$patch" .patch)" check_planted "$patch"
done
exit "$failed"
