#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# "make check": runs every suite and reports in KTAP, each suite a subtest.  The
# last line counts the leaves: N passed, N failed, N skipped.
#
# A suite fails as a whole if it printed fewer results than it planned, or ended
# with an error that no result explains: a crash must not look like a pass.
set -euo pipefail

top=$(cd "$(dirname "$0")/.." && pwd)
out=$top/out/check
vm=$top/selftests/vm

# Suites that run in the VM; the names of C programs and of scripts.
guest_programs=(attach tag schedule buffer close plain unload)
guest_scripts=(path.sh)
guest_helpers=(transfer)

passed=0 failed=0 skipped=0 suite_no=0 suites_failed=0

progress()
{
	echo "# $(date +%H:%M:%S) $*"
}

# report NAME LOG STATUS: one suite as a KTAP subtest
report()
{
	local name=$1 log=$2 status=$3 ok bad skip verdict

	suite_no=$((suite_no + 1))
	read -r ok bad skip < <(awk -v status="$status" -f "$top/selftests/count.awk" "$log")
	echo "    # Subtest: $name"
	sed 's/^/    /' "$log"
	verdict=ok
	if [ "$bad" -gt 0 ]; then
		verdict="not ok"
		suites_failed=$((suites_failed + 1))
	fi
	echo "$verdict $suite_no $name # $ok passed, $bad failed, $skip skipped"
	passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
}

# host_suite NAME COMMAND...
host_suite()
{
	local name=$1 status=0

	shift
	progress "$name"
	"$@" >"$out/$name.tap" 2>&1 || status=$?
	report "$name" "$out/$name.tap" "$status"
}

build_guest_programs()
{
	make -s -C "$top/selftests" OUT="$out/bin" \
		PROGRAMS="${guest_programs[*]} ${guest_helpers[*]}"
	for script in "${guest_scripts[@]}"; do
		cp "$top/selftests/$script" "$out/bin/"
	done
}

guest_suites()
{
	local status=0 name

	progress "virtual machine: ${guest_programs[*]} ${guest_scripts[*]}"
	"$vm/run" --timeout 600 --ko "$top/cats.ko" --module tls \
		--add "$out/bin:/test" --out "$out/vm" \
		"$top/selftests/guest.sh" "${guest_programs[@]}" "${guest_scripts[@]}" \
		>"$out/vm.log" 2>&1 || status=$?
	grep '^# running' "$out/vm.log" || :
	for name in "${guest_programs[@]}" "${guest_scripts[@]}"; do
		report_guest "$name"
	done
	vm_verdict "$status" >"$out/vm.tap"
	report vm "$out/vm.tap" 0
}

report_guest()
{
	local log=$out/vm/$1.tap status=1

	[ -f "$log" ] || echo "# no output: the machine did not get here" >"$log"
	[ -f "$out/vm/$1.status" ] && status=$(<"$out/vm/$1.status")
	report "$1" "$log" "$status"
}

# The machine itself: no splat in the kernel log, the module unloaded cleanly.
vm_verdict()
{
	echo "1..1"
	if [ "$1" -eq 0 ]; then
		echo "ok 1 no-kernel-warning"
	else
		tail -n 40 "$out/vm.log" | sed 's/^/# /'
		echo "not ok 1 no-kernel-warning # status $1"
	fi
}

demo_suite()
{
	progress "demo (about two minutes)"
	if "$top/tools/demo/run.sh" >"$out/demo.log" 2>&1; then
		host_suite demo "$top/tools/demo/check.sh"
	else
		tail -n 30 "$out/demo.log" | sed 's/^/# /' >"$out/demo.tap"
		report demo "$out/demo.tap" 1
	fi
}

main()
{
	echo "KTAP version 1"
	mkdir -p "$out/bin" "$out/vm"
	rm -f "$out"/*.tap "$out"/vm/*
	"$vm/deps.sh" build vm demo check
	progress "building the module and the tests"
	make -s -C "$top" module
	build_guest_programs
	make -s -C "$top/selftests/unit" OUT="$out/unit"

	host_suite conductor "$out/unit/conductor_test"
	host_suite uapi "$top/selftests/uapi.sh"
	host_suite vm-lab "$vm/selftest.sh"
	guest_suites
	demo_suite
	echo "1..$suite_no"
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ]
}

main
