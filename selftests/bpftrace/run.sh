#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The tools of tools/bpftrace, with the distribution's bpftrace and kernel, beside
# workloads whose answers are known; and bad usage.  Prints TAP.
#
# Usage: run.sh [--out DIR] [--ko FILE]
#
#	--out DIR	for results (default out/bpftrace)
#	--ko FILE	the module (default: build it)
#
# Writes to DIR: packages.tsv, the versions of the programs; vm/, what guest.sh wrote.

set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
. "$top/selftests/suite.sh"
timeout=1500

out=$top/out/bpftrace ko=

prepare()
{
	suite_out
	rm -rf "$out/vm"
	suite_module
	make -s -C "$top/selftests" OUT="$out/bin" PROGRAMS=bpftrace/workload >&2
	packages=$("$top/selftests/vm/packages.sh" "$here/packages")
	cp "$packages/packages.tsv" "$out/"
}

# Shows what the guest says.
run_guest()
{
	vm_status=0
	"$top/selftests/vm/run" --timeout "$timeout" --mem 1500 --ko "$ko" \
		--add "$packages/root.tar:/test/root.tar" \
		--add "$here/bpftrace.sh:/test/bpftrace" \
		--add "$out/bin/bpftrace/workload" --add "$top/tools/bpftrace:/test/tools" \
		--out "$out/vm" "$here/guest.sh" 2>&1 | tee "$out/log" |
		{ grep --line-buffered '^#' || :; } || vm_status=${PIPESTATUS[0]}
}

main()
{
	suite_options "$@"
	echo "TAP version 13"
	prepare
	run_guest
	{
		[[ $vm_status -ne 0 ]] || "$here/judge.sh" "$out/vm" ||
			echo "not ok - the results can be read"
		machine_result "$vm_status" "$out/log"
	} >"$out/results"
	number "$out/results"
}

# Read to the end before it starts: this file may change during a run.
main "$@"
