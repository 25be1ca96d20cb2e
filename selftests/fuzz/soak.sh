#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# "make soak": the operation fuzzer for a long time, in two machines at once: one
# in virtual time, where what fails can be replayed, and one with two processors in
# real time, where races are real.
#
# Usage: soak.sh MINUTES [SEED]	SEED is the first (default: the time)
#
# Ends early when something fails.  Results, logs and programs are in out/soak.

set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
out=$top/out/soak

[[ ${1:-} =~ ^[0-9]+$ ]] || {
	sed -n '/^# Usage:/,/^#$/s/^# \{0,1\}//p' "$0" >&2
	exit 2
}
minutes=$1
seed=${2:-$(date +%s)}
declare -A machines=()

cleanup()
{
	trap - EXIT INT TERM HUP
	for pid in "${!machines[@]}"; do
		kill -TERM -- "-$pid" 2>/dev/null || :
	done
	wait
}

# machine NAME OPTION...: in a process group of its own, its output with its name
machine()
{
	local name=$1

	shift
	"$here/run.sh" --out "$out/$name" --ko "$out/cats.ko" --minutes "$minutes" \
		--seed "$seed" "$@" > >(sed -u "s/^/$name: /") 2>&1 &
	machines[$!]=$name
}

mkdir -p "$out"
"$top/selftests/vm/debug-module.sh" "$out/module"
cp "$out/module/cats.ko" "$out/cats.ko"
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
set -m
machine virtual
machine smp --smp 2
while [[ ${#machines[@]} -gt 0 ]]; do
	status=0
	wait -n -p pid || status=$?
	echo "${machines[$pid]} ended with status $status"
	unset "machines[$pid]"
	[[ $status -eq 0 ]] || exit "$status"
done
