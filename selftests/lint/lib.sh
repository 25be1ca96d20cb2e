# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# What the checks share; each sources this first.

set -euo pipefail
shopt -s inherit_errexit

lint=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
top=$(cd "$lint/../.." && pwd)
# For the checks.
# shellcheck disable=SC2034
out=$top/out/lint
cd "$top"

# Where run.sh shows progress; without it, beside the errors.
{ true >&3; } 2>/dev/null || exec 3>&2

progress()
{
	echo "# $*" >&3
}

# This check cannot run here.
skip()
{
	echo "$*" >&2
	exit 77
}

# need PROGRAM PACKAGE
need()
{
	command -v "$1" >/dev/null ||
		skip "$1 is not installed: apt-get install --no-install-recommends $2"
}

# files PATTERN...: the project's files, new ones included
files()
{
	local file

	git ls-files -co --exclude-standard -- "$@" | while read -r file; do
		[[ ! -f $file ]] || echo "$file"
	done
}

is_script()
{
	local line

	[[ $1 == *.sh ]] && return
	read -r line <"$1" || :
	[[ $line =~ ^'#!'.*[/\ ](ba|da)?sh ]]
} 2>/dev/null

# Shell scripts, by name or by first line.
scripts()
{
	local file

	files . | while read -r file; do
		! is_script "$file" || echo "$file"
	done
}

# The kernel source, for its scripts.
source_tree()
{
	selftests/vm/kernel.sh source ||
		skip "the kernel source cannot be had: see out/lint/*.log"
}

# The build tree of the kernel that the module is made for.
kernel_build_tree()
{
	local dir

	dir=/lib/modules/$(selftests/vm/kernel.sh version)/build || dir=
	[[ -d $dir ]] || skip "no kernel headers: apt-get install linux-headers-amd64"
	echo "$dir"
}

# module_copy DIR: what a build of the module reads; the build would otherwise
# leave its files among the sources.
module_copy()
{
	rm -rf "$1"
	mkdir -p "$1"
	cp -r Kbuild module uapi "$1/"
	find "$1" \( -name '*.o' -o -name '*.cmd' \) -delete
}

# Said by modpost where there is no vmlinux: no BTF, no symbols to check.
no_vmlinux='^Skipping BTF generation'
no_vmlinux+='|^WARNING: (Symbol version dump|Module.symvers is missing)'
no_vmlinux+='|^ +(Modules may not have dependencies|You may get many unresolved)'
no_vmlinux+='|modpost: (.* undefined!$|suppressed .* unresolved symbol)'

# build_module DIR KERNEL_TREE MAKE_ARGUMENT...: fails if it has anything to say
build_module()
{
	local dir=$1 tree=$2 output status=0

	shift 2
	output=$(make -s -C "$tree" M="$dir" "$@" 2>&1) || status=$?
	output=$(grep -vE "$no_vmlinux" <<<"$output") || :
	[[ -z $output ]] || echo "$output"
	[[ -z $output && $status -eq 0 ]]
}

need git git
git rev-parse --git-dir >/dev/null 2>&1 || skip "not a git work tree"
