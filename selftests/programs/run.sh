#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Unmodified programs over CATS: each runs on plain TCP and on CATS, in one boot of the
# stock kernel, and must give the same results, at no less than 0.97 of the throughput
# (0.75 where that varies) over a path of 20 Mbit/s.  Their sockets are attached from
# outside, by selftests/preload.  Prints TAP.
#
# Usage: run.sh [--out DIR] [--ko FILE] [PROGRAM...]
#
#	--out DIR	for results (default out/programs)
#	--ko FILE	the module (default: build it)
#	PROGRAM...	these only: iperf3 redis nginx postgres ssh
#
# Writes to DIR: programs.tsv, the throughputs (program, case, link, unit, tcp, cats,
# ratio); programs.txt, the same as a table; packages.tsv, the versions of the programs;
# vm/, what guest.sh wrote.

set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
. "$top/selftests/suite.sh"
timeout=2400
least=0.97
least_varying=0.75

out=$top/out/programs ko=

# Sets packages: the directory with the programs.
prepare()
{
	suite_out
	rm -rf "$out/vm" "$out"/*.tsv "$out"/*.txt
	suite_module
	make -s -C "$top/selftests/preload" OUT="$out/bin" >&2
	packages=$("$top/selftests/vm/packages.sh" "$here/packages")
	cp "$packages/packages.tsv" "$out/"
}

# Shows what the guest says.
run_guest()
{
	vm_status=0
	"$top/selftests/vm/run" --timeout "$timeout" --mem 1500 --ko "$ko" --module tcp_bbr \
		--shift 0 --add "$packages/root.tar:/test/root.tar" --add "$here:/test/programs" \
		--add "$out/bin/cats_preload.so:/lib/cats_preload.so" \
		--add "$(command -v b2sum)" --out "$out/vm" \
		"$here/guest.sh" "${programs[@]}" 2>&1 | tee "$out/log" |
		{ grep --line-buffered '^#' || :; } || vm_status=${PIPESTATUS[0]}
}

results()
{
	touch "$out/vm"/{plan,results,sockets}.tsv
	awk -v table="$out/programs.tsv" -v least="$least" \
		-v least_varying="$least_varying" -f "$here/judge.awk" \
		"$out/vm"/{plan,results,sockets}.tsv
	machine_result "$vm_status" "$out/log" "$out/vm/log"
}

main()
{
	suite_options "$@"
	programs=("${names[@]}")
	[[ ${#programs[@]} -gt 0 ]] || programs=(iperf3 redis nginx postgres ssh)
	echo "TAP version 13"
	prepare
	run_guest
	results >"$out/results"
	column -t -s $'\t' "$out/programs.tsv" >"$out/programs.txt"
	sed 's/^/# /' "$out/programs.txt"
	number "$out/results"
}

# Read to the end before it starts: this file may change during a run.
main "$@"
