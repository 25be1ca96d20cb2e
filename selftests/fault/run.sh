#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Fault injection: every allocation, charge and copy of the module fails at least
# once, in each call that makes it, on the debug kernel.  In TAP: a result for each
# scenario (scenarios.c), and one for each site that is found in the source.  A site
# that never failed is a failure, and so is a fault at a place that the source was
# not searched for.
#
# Usage: run.sh [--out DIR] [--ko FILE] [SCENARIO...]
#
#	--out DIR	for results (default out/fault)
#	--ko FILE	cats.ko of debug-module.sh (default: build it in DIR/module)
#	SCENARIO...	these only, and no sites
#
# Writes to DIR: fault-sites.tsv, who saw what of which site; fault-sites.txt, the same
# as a table.

set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
vm=$top/selftests/vm
. "$top/selftests/suite.sh"
# Functions of the module that fail for their callers.
wrappers=charge
timeout=1800

out=$top/out/fault ko=

prepare()
{
	suite_out
	rm -rf "$out/vm" "$out"/*.tsv "$out"/*.txt
	make -s -C "$here" OUT="$out/bin" >&2
	if [[ -z $ko ]]; then
		"$vm/debug-module.sh" "$out/module" >&2
		ko=$out/module/cats.ko
	fi
	# Without lines, which the machine does not need.
	mkdir -p "$out/stripped"
	objcopy --strip-debug "$ko" "$out/stripped/cats.ko"
}

# Shows what the guest says, but for the results, which are numbered later.
run_guest()
{
	local kernel

	kernel=$("$vm/kernel.sh" debug)
	vm_status=0
	"$vm/run" --timeout "$timeout" --kernel "$kernel/boot/vmlinux" \
		--ko "$out/stripped/cats.ko" --add "$out/bin/fault:/test/fault" \
		--add "$vm/kmemleak.sh" --add "$top/selftests/coverage/collect.sh" \
		--out "$out/vm" "$here/guest.sh" "${scenarios[@]}" 2>&1 |
		tee "$out/log" | { grep --line-buffered '^#' || :; } ||
		vm_status=${PIPESTATUS[0]}
}

# The names of the results that the guest must have printed.
planned()
{
	if [[ ${#scenarios[@]} -gt 0 ]]; then
		printf '%s\n' "${scenarios[@]}"
	else
		"$out/bin/fault" --list
		printf '%s\n' load load_log
	fi
	printf '%s\n' no_socket_left unload kmemleak
}

# One that is not there was not reached, which is no better than failed.
guest_results()
{
	local name

	while read -r name; do
		if ! grep -xE "(not )?ok - $name" "$out/log"; then
			echo "not ok - $name # no result"
		fi
	done < <(planned)
	# The script's own failure is explained by the results.
	if [[ $vm_status -le 1 ]]; then
		echo "ok - no_kernel_warning"
	else
		grep -v '^#' "$out/log" | tail -n 5 | sed 's/^/# /'
		echo "not ok - no_kernel_warning # status $vm_status"
	fi
}

# The lines of all addresses in the faults.
addr2lines()
{
	local offset

	while read -r offset; do
		# The call is before the address to which it returns.
		printf '0x%x\n' $((16#$offset - 1))
	done <"$out/offsets" |
		addr2line -a -i -f -j .text -e "$ko" >"$out/lines"
}

sources()
{
	find "$top/module" -name '*.c' ! -name '*_test.c' -printf 'module/%P\n' | sort
}

site_results()
{
	local -a files

	mapfile -t files < <(sources)
	(cd "$top" && awk -v wrappers="$wrappers" -f "$here/sites.awk" \
		"${files[@]}" "${files[@]}") >"$out/sites.tsv"
	touch "$out/faults.tsv"
	[[ ! -e $out/vm/faults.tsv ]] || cp "$out/vm/faults.tsv" "$out/faults.tsv"
	cut -f 7 "$out/faults.tsv" | tr ',' '\n' | grep -xE '[0-9a-f]+' | sort -u \
		>"$out/offsets" || :
	addr2lines
	awk -F'\t' -v wrappers="$wrappers" -f "$here/attribute.awk" \
		"$out/offsets" "$out/lines" "$out/faults.tsv" >"$out/attributed.tsv"
	awk -F'\t' -v table="$out/fault-sites.tsv" -f "$here/judge.awk" \
		"$out/sites.tsv" "$out/attributed.tsv"
	column -t -s $'\t' "$out/fault-sites.tsv" >"$out/fault-sites.txt"
}

main()
{
	suite_options "$@"
	scenarios=("${names[@]}")
	echo "TAP version 13"
	prepare
	run_guest
	{
		guest_results
		[[ ${#scenarios[@]} -gt 0 ]] || site_results
	} >"$out/results"
	number "$out/results"
}

# Read to the end before it starts: this file may change during a run.
main "$@"
