#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The operation fuzzer in the VM, in TAP.
#
# Usage: run.sh [OPTION...]
#	--calls N	end after so many calls (default 100000)
#	--seed S	(default 1)
#	--from N	begin with this episode of the seed (default 0)
#	--episodes N	end after so many
#	--minutes N	go on with new seeds until so much real time is over
#	--replay FILE	run this program instead (what a failure printed)
#	--repeat N	so many times
#	--no-shrink	do not shorten a program that fails
#	--no-leaks	run without kmemleak, which is faster
#	--kernel FILE	(default: the debug kernel); stock: the distribution's, on
#			which a call costs a tenth, but which finds no bad accesses
#	--ko FILE	the module for it (default: built from this tree; with stock
#			what "make module" has built)
#	--out DIR	for results (default out/fuzz)
#	--timeout N	real seconds per machine (default 1500)
#	--smp N		N processors in real time, nothing is repeatable then
#
# After a panic of the kernel the last result names the episode in which it
# happened; shrink.sh shortens that.

set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
vm=$top/selftests/vm

out=$top/out/fuzz
kernel='' ko='' replay='' minutes=0 seed=1 timeout=1500
leaks=1 results=4
guest_options=()
guest_args=()
vm_args=()

usage()
{
	sed -n '/^# Usage:/,/^#$/s/^# \{0,1\}//p' "$here/run.sh" >&2
	exit 2
}

parse_options()
{
	while [[ $# -gt 0 ]]; do
		case $1 in
		--no-shrink)	guest_args+=("$1"); shift; continue ;;
		--no-leaks)	leaks=0; shift; continue ;;
		esac
		[[ $# -gt 1 ]] || usage
		case $1 in
		--calls | --from | --episodes | --repeat)
				guest_args+=("$1" "$2") ;;
		--seed)		seed=$2 ;;
		--minutes)	minutes=$2 ;;
		--replay)	replay=$(readlink -f "$2") ;;
		--kernel)	kernel=$2 ;;
		--ko)		ko=$(readlink -f "$2") ;;
		--out)		out=$2 ;;
		--timeout)	timeout=$2 ;;
		--smp)		vm_args+=(--smp "$2") ;;
		*)		usage ;;
		esac
		shift 2
	done
}

prepare()
{
	mkdir -p "$out"
	out=$(cd "$out" && pwd)
	make -s -C "$here" OUT="$out/bin" >&2
	if [[ $kernel == stock ]]; then
		ko=${ko:-$top/cats.ko}
		leaks=0
	else
		[[ -n $kernel ]] || kernel=$("$vm/kernel.sh" debug)/boot/vmlinux
		vm_args+=(--kernel "$kernel")
	fi
	if [[ -z $ko ]]; then
		"$vm/debug-module.sh" "$out/module"
		ko=$out/module/cats.ko
	fi
	if [[ $leaks -eq 0 ]]; then
		guest_options+=(--no-leaks)
		vm_args+=(--append kmemleak=off)
		results=3
	fi
	if [[ -n $replay ]]; then
		cp "$replay" "$out/bin/replay"
		guest_args+=(--replay /test/replay)
	fi
}

# run_machine SEED: the results of the guest go to standard output.
run_machine()
{
	local status=0

	rm -f "$out/console.log"
	"$vm/run" --timeout "$timeout" --mem 512 "${vm_args[@]}" \
		--ko "$ko" --add "$out/bin:/test" --add "$vm/kmemleak.sh" \
		--add "$here/hang.sh" --add "$(command -v ss):/sbin/ss" \
		--add "$top/selftests/coverage/collect.sh" --out "$out" "$here/guest.sh" \
		"${guest_options[@]}" --seed "$1" "${guest_args[@]}" 2>"$out/vm.log" || status=$?
	if [[ $status -eq 0 ]]; then
		echo "ok $results - no warning of the kernel"
		return 0
	fi
	# Status 1 is that of a result above; the kernel is well then.
	if [[ $status -eq 1 ]]; then
		echo "ok $results - no warning of the kernel"
		return 1
	fi
	grep -v 'cats-fuzz: seed' "$out/vm.log" | tail -n 60
	echo "# in $(last_episode)"
	echo "not ok $results - no warning of the kernel # status $status"
	return 1
}

last_episode()
{
	[[ -e $out/console.log ]] || return 0
	grep -o 'cats-fuzz: seed .*' "$out/console.log" | tail -n 1
}

main()
{
	local until_time status=0

	parse_options "$@"
	prepare
	until_time=$(($(date +%s) + minutes * 60))
	while :; do
		echo "# seed $seed"
		echo "1..$results"
		run_machine "$seed" || status=1
		seed=$((seed + 1))
		[[ $status -eq 0 && $(date +%s) -lt $until_time ]] || break
	done
	exit "$status"
}

main "$@"
