#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The jobs of "make check"; sourced by run.sh, which sets top, out and job, and has
# progress() and record().
#
# What runs on which kernel:
#	stock	the distribution's: the kselftests, the demo and starvation, in virtual time
#	debug	the one with sanitizers: the kselftests again, KUnit, fault injection,
#		the operation fuzzer, and the planted bugs that test these tests
# shellcheck disable=SC2154 # set by run.sh

vm=$top/selftests/vm
fuzz_calls=${FUZZ_CALLS:-1000000}

# In this order, the longest first, so that no processor idles at the end.
# shellcheck disable=SC2034
jobs=(fuzz_1 fuzz_2 gate debug lint fault programs bpftrace lint_gate fuzz_smp kernel trace
      observe demo starve stock decision held cycles vm_lab catsctl kunit unit uapi)
# Need the results of the others.
# shellcheck disable=SC2034
last_jobs=(coverage)

# Suites that run in a VM; the names of C programs and of scripts.
guest_programs=(attach tag schedule stream policy notice admit flight buffer poll turn close
		plain message surface_attach surface_close surface_fastopen surface_option
		surface_process surface_segment surface_stamp surface_state surface_urgent
		surface_zerocopy netns counters trace diag memory stack unload)
guest_scripts=(path.sh privilege.sh)
guest_helpers=(transfer privilege)

# Before the jobs, in the foreground: what they share.
prepare()
{
	"$vm/deps.sh" build tools vm demo check debug lint
	progress "the module and the tests"
	make -s -C "$top" module CATS_POLICY_TEST=y
	build_guest_programs
	progress "the debug kernel"
	debug_kernel=$("$vm/kernel.sh" debug)
	"$vm/debug-module.sh" "$out/debug"
}

build_guest_programs()
{
	local script

	make -s -C "$top/selftests" OUT="$out/bin" \
		PROGRAMS="${guest_programs[*]} policy_module held ${guest_helpers[*]}"
	for script in "${guest_scripts[@]}"; do
		cp "$top/selftests/$script" "$out/bin/"
	done
}

# suite NAME COMMAND...: a command that prints one suite
suite()
{
	local name=$1 status=0

	shift
	"$@" >"$out/$name.tap" || status=$?
	record "$name" "$out/$name.tap" "$status"
}

# guest_suites PREFIX RUN-OPTION...: the kselftests in one VM; its own verdict, no
# splat in the kernel log, is the last suite.
guest_suites()
{
	local prefix=$1 status=0 name
	local results=$out/$prefix.vm

	shift
	rm -rf "$results"
	mkdir -p "$results"
	"$vm/run" "$@" --add "$out/bin:/test" --out "$results" \
		"$top/selftests/guest.sh" "${guest_programs[@]}" "${guest_scripts[@]}" \
		>"$results/log" 2>&1 || status=$?
	for name in "${guest_programs[@]}" "${guest_scripts[@]}"; do
		record_guest "$prefix" "$name"
	done
	vm_verdict "$status" "$results/log" >"$out/$prefix.tap"
	record "$prefix" "$out/$prefix.tap" 0
}

record_guest()
{
	local log=$out/$1.vm/$2.tap status=1

	[[ -f $log ]] || echo "# no output: the machine did not get here" >"$log"
	[[ ! -f $out/$1.vm/$2.status ]] || status=$(<"$out/$1.vm/$2.status")
	record "$1/$2" "$log" "$status"
}

# vm_verdict STATUS LOG
vm_verdict()
{
	echo "1..1"
	if [[ $1 -eq 0 ]]; then
		echo "ok 1 no-kernel-warning"
	else
		tail -n 40 "$2" | sed 's/^/# /'
		echo "not ok 1 no-kernel-warning # status $1"
	fi
}

job_stock()
{
	local guest_programs=("${guest_programs[@]}" policy_module)

	guest_suites stock --timeout 1800 --ko "$top/cats.ko" --module tls \
		--add "$top/cats_last.ko:/lib/cats/cats_last.ko" \
		--module tcp_diag --module smc --module tcp_bbr
}

# The kernel's own TCP tests, on plain TCP and on CATS.
job_kernel()
{
	suite kernel "$top/selftests/kernel/run.sh" --out "$out/kernel"
}

job_cycles()
{
	suite cycles "$top/selftests/cycles.sh" --rounds 1000 --out "$out/cycles"
}

job_programs()
{
	suite programs "$top/selftests/programs/run.sh" --out "$out/programs" \
		--ko "$top/cats.ko"
}

job_catsctl()
{
	suite catsctl "$top/selftests/tools/catsctl.sh" --out "$out/catsctl" \
		--ko "$top/cats.ko"
}

job_bpftrace()
{
	suite bpftrace "$top/selftests/bpftrace/run.sh" --out "$out/bpftrace" \
		--ko "$top/cats.ko"
}

# Not on the debug kernel, whose checks hold memory themselves.
job_held()
{
	local guest_programs=(held) guest_scripts=()

	guest_suites held --timeout 900 --mem 1024 --ko "$top/cats.ko"
}

job_debug()
{
	guest_suites debug --timeout 1800 \
		--kernel "$debug_kernel/boot/vmlinux" --ko "$out/debug/cats.ko" \
		--add "$vm/kmemleak.sh" --add "$top/selftests/coverage/collect.sh"
}

job_kunit()
{
	suite kunit "$top/selftests/kunit/run.sh" "$debug_kernel/boot/vmlinux" \
		"$out/debug/cats_kunit.ko" "$out/kunit.vm"
}

job_fault()
{
	suite fault "$top/selftests/fault/run.sh" --out "$out/fault" \
		--ko "$out/debug/cats.ko"
}

# fuzz NAME OPTION...
fuzz()
{
	local name=$1

	shift
	suite "$name" "$top/selftests/fuzz/run.sh" --out "$out/$name" \
		--timeout 3000 --kernel "$debug_kernel/boot/vmlinux" \
		--ko "$out/debug/cats.ko" "$@"
}

# Different seeds on the two processors of the host: half of the calls each.
job_fuzz_1()
{
	fuzz fuzz_1 --seed 1 --calls $((fuzz_calls / 2))
}

job_fuzz_2()
{
	fuzz fuzz_2 --seed 2 --calls $((fuzz_calls / 2))
}

# Real time and two processors: races that taking turns cannot show.
job_fuzz_smp()
{
	fuzz fuzz_smp --timeout 1500 --smp 2 --seed 3 --calls $((fuzz_calls / 40))
}

job_gate()
{
	suite gate "$top/selftests/gate/run.sh" --no-control "$out/gate"
}

job_lint_gate()
{
	suite lint-gate "$top/selftests/lint/selftest.sh"
}

job_decision()
{
	suite decision "$top/selftests/bench/decision.sh" "$out/decision"
}

job_unit()
{
	make -s -C "$top/selftests/unit" OUT="$out/unit"
	suite conductor "$out/unit/conductor_test"
	suite conductor-queue "$out/unit/conductor_queue_test"
	suite conductor-bounded "$out/unit/conductor_bounded_test"
	suite conductor-wfq "$out/unit/conductor_wfq_test"
	suite conductor-bounds "$out/unit/conductor_bounds"
	suite conductor-prop "$out/unit/conductor_prop"
	suite conductor-steps "$out/unit/conductor_steps"
	suite conductor-fuzz env OUT="$out/unit" "$top/selftests/unit/fuzz.sh"
}

job_uapi()
{
	suite uapi "$top/selftests/uapi.sh"
	suite surface-table "$top/selftests/surface.sh"
	suite count "$top/selftests/count.sh"
}

job_vm_lab()
{
	suite vm-lab "$vm/selftest.sh"
}

job_demo()
{
	"$top/tools/demo/run.sh"
	suite demo "$top/tools/demo/check.sh"
}

job_starve()
{
	suite starve "$top/selftests/bench/starve.sh" "$out/starve"
}

job_trace()
{
	suite trace "$top/selftests/bench/trace.sh" --out "$out/trace" --ko "$top/cats.ko"
}

# The commands of Documentation/observe.rst.
job_observe()
{
	suite observe "$top/selftests/observe/run.sh" --out "$out/observe" \
		--ko "$top/cats.ko"
}

job_lint()
{
	suite lint "$top/selftests/lint/run.sh"
}

job_coverage()
{
	local counts

	mapfile -t counts < <(find "$out" -path "$out/gate" -prune -o -type d -name gcov -print)
	suite coverage "$top/selftests/coverage/report.sh" "$out/debug/tree" \
		"$out/coverage" "${counts[@]}"
}
