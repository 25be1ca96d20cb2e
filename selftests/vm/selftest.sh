#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Test of the virtual machine itself, in KTAP.  Takes about two minutes.

set -uo pipefail
here=$(dirname "$(readlink -f "$0")")
scratch=$(mktemp -d "${TMPDIR:-/tmp}/cats-vm-selftest.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

number=0
failures=0

# script NAME: stdin as a script, at $scratch/NAME.
script()
{
	cat >"$scratch/$1"
}

# vm EXPECTED-STATUS ARG...: `run`, its output in $scratch/stdout and stderr.
vm()
{
	local expected=$1 status=0

	shift
	"$here/run" "$@" >"$scratch/stdout" 2>"$scratch/stderr" || status=$?
	if [[ $status -ne $expected ]]; then
		echo "# exit status $status, not $expected"
		sed 's/^/# /' "$scratch/stdout" "$scratch/stderr"
		return 1
	fi
}

# same FILE FILE
same()
{
	cmp "$1" "$2" >"$scratch/cmp" 2>&1 && return
	sed 's/^/# /' "$scratch/cmp"
	diff -a "$1" "$2" | head -n 20 | sed 's/^/# /'
	return 1
}

# contains FILE STRING
contains()
{
	grep -qF -- "$2" "$1" && return
	echo "# not found: $2"
	sed 's/^/# /' "$1"
	return 1
}

# await FILE PID STRING: until process PID has written STRING to FILE.
await()
{
	tail -f -n +1 -s 0.1 --pid="$2" "$1" | grep -qF -m 1 -- "$3"
}

test_success()
{
	script success <<-'EOF'
		#!/bin/sh
		exit 0
	EOF
	vm 0 "$scratch/success"
}

test_status()
{
	script status <<-'EOF'
		#!/bin/sh
		exit 7
	EOF
	vm 7 "$scratch/status"
}

test_output()
{
	script output <<-'EOF'
		#!/bin/sh
		echo out 1
		echo err 2 >&2
		printf 'tab\there\n'
		echo "kernel message" >/dev/kmsg
		for arg; do echo "<$arg>"; done
		printf 'no line end'
	EOF
	# shellcheck disable=SC2016 # must arrive like this
	vm 0 "$scratch/output" "two words" "it's" '$HOME' '' || return
	printf '%s\n' "out 1" "err 2" $'tab\there' "<two words>" "<it's>" \
		"<\$HOME>" "<>" >"$scratch/expected"
	printf 'no line end' >>"$scratch/expected"
	same "$scratch/expected" "$scratch/stdout"
}

test_verbose()
{
	script verbose <<-'EOF'
		#!/bin/sh
		echo "kernel message" >/dev/kmsg
	EOF
	vm 0 --verbose "$scratch/verbose" || return
	contains "$scratch/stdout" "kernel message"
}

test_files()
{
	head -c 300000 /dev/urandom >"$scratch/random"
	mkdir -p "$scratch/tree/sub"
	echo leaf >"$scratch/tree/sub/leaf"
	script files <<-'EOF'
		#!/bin/sh
		mkdir /out/sub
		cp /test/random /out/
		cp /data/sub/leaf /out/sub/
	EOF
	vm 0 --out "$scratch/back" --add "$scratch/random" \
		--add "$scratch/tree:/data" "$scratch/files" || return
	same "$scratch/random" "$scratch/back/random" || return
	same "$scratch/tree/sub/leaf" "$scratch/back/sub/leaf" || return
	contains "$scratch/back/console.log" "Linux version"
}

test_program()
{
	script program <<-'EOF'
		#!/bin/sh
		/usr/bin/sort --version
	EOF
	vm 0 --add "$(command -v sort):/usr/bin/sort" "$scratch/program" || return
	contains "$scratch/stdout" "GNU coreutils"
}

test_modules()
{
	script modules <<-'EOF'
		#!/bin/sh
		set -e
		for ns in a b; do ip netns add $ns; done
		ip link add va netns a type veth peer name vb netns b
		ip -n a addr add 10.0.0.1/24 dev va
		ip -n b addr add 10.0.0.2/24 dev vb
		ip -n a link set va up
		ip -n b link set vb up
		tc -n a qdisc add dev va root handle 1: netem delay 10ms
		tc -n b qdisc add dev vb root tbf rate 10mbit burst 3000 latency 50ms
		ip netns exec a sysctl -w net.ipv4.tcp_congestion_control=bbr
		ip netns exec a ping -c 2 10.0.0.2
		tc -n b qdisc replace dev vb root fq
		[ -d /sys/module/sch_htb ]
	EOF
	vm 0 --module sch_htb "$scratch/modules" || return
	# 10 ms of netem plus a fraction: time is virtual, so this is exact.
	contains "$scratch/stdout" "seq=1 ttl=64 time=10."
}

test_missing_module()
{
	vm 125 --module no_such_module "$scratch/success"
}

test_timeout()
{
	script hang <<-'EOF'
		#!/bin/sh
		echo waiting
		while :; do :; done
	EOF
	vm 124 --timeout 60 "$scratch/hang" || return
	contains "$scratch/stdout" waiting
}

test_panic()
{
	script panic <<-'EOF'
		#!/bin/sh
		echo c >/proc/sysrq-trigger
	EOF
	vm 125 "$scratch/panic" || return
	contains "$scratch/stderr" "Kernel panic" || return
	vm 125 --allow-warnings "$scratch/panic"
}

test_warning()
{
	script warning <<-'EOF'
		#!/bin/sh
		echo "WARNING: x" >/dev/kmsg
	EOF
	vm 125 "$scratch/warning" || return
	contains "$scratch/stderr" "WARNING: x" || return
	vm 0 --allow-warnings "$scratch/warning"
}

test_early_end()
{
	script early <<-'EOF'
		#!/bin/sh
		reboot -f
	EOF
	vm 125 "$scratch/early" || return
	contains "$scratch/stderr" "no exit status"
}

test_shell()
{
	local status=0 input

	mkfifo "$scratch/input"
	: >"$scratch/stdout"
	"$here/run" --shell <"$scratch/input" >"$scratch/stdout" &
	exec {input}>"$scratch/input"
	await "$scratch/stdout" $! "(vm)"
	# shellcheck disable=SC2016 # for the shell in there
	echo 'echo $((6 * 7)) $(ip -V); exit 3' >&"$input"
	wait $! || status=$?
	exec {input}>&-
	[[ $status -eq 3 ]] || return
	contains "$scratch/stdout" "42 ip utility"
}

test_leftovers()
{
	local status=0

	mkdir "$scratch/tmp"
	: >"$scratch/stdout"
	TMPDIR=$scratch/tmp "$here/run" "$scratch/hang" >"$scratch/stdout" \
		2>"$scratch/stderr" &
	await "$scratch/stdout" $! waiting
	kill -TERM $!
	wait $! || status=$?
	[[ $status -eq 143 && -z $(ls "$scratch/tmp") ]]
}

# Random numbers, ports, sequence numbers, clocks, and the kernel's log with
# its time stamps: all of it the same in two runs.  Of four: a busy host may move an
# event by some instructions (README.md).
test_identical()
{
	local i j

	script identical <<-'EOF'
		#!/bin/bash
		cat /proc/sys/kernel/random/uuid
		echo $EPOCHREALTIME $BASHPID $RANDOM
		grep '^now at' /proc/timer_list
		cat /proc/uptime /proc/stat /proc/meminfo
		echo 1 >/sys/kernel/tracing/events/tcp/tcp_probe/enable
		nc -l -p 5000 -e cat &
		until exec 3<>/dev/tcp/127.0.0.1/5000; do :; done 2>/dev/null
		for i in 1 2 3; do
			echo $i >&3
			read -r answer <&3
		done
		cat /proc/net/tcp
		cat /sys/kernel/tracing/trace
		cp /sys/kernel/tracing/trace /proc/net/tcp /proc/interrupts /out/
		head -c 100000 /dev/urandom >/out/random
	EOF
	for i in 1 2 3 4; do
		vm 0 --out "$scratch/identical.$i" "$scratch/identical" || return
		contains "$scratch/stdout" "snd_nxt=" || return
		cp "$scratch/stdout" "$scratch/identical.$i/stdout"
		for ((j = 1; j < i; j++)); do
			! diff -rq "$scratch/identical.$j" "$scratch/identical.$i" \
				>"$scratch/cmp" || return 0
		done
	done
	sed 's/^/# /' "$scratch/cmp"
	same "$scratch/identical.1/stdout" "$scratch/identical.2/stdout"
	same "$scratch/identical.1/console.log" "$scratch/identical.2/console.log"
	return 1
}

# In another course of events the random numbers are others.
test_seed()
{
	script uuid <<-'EOF'
		#!/bin/sh
		exec cat /proc/sys/kernel/random/uuid
	EOF
	vm 0 "$scratch/uuid" || return
	cp "$scratch/stdout" "$scratch/uuid.none"
	CATS_SEED=5 vm 0 "$scratch/uuid" || return
	! cmp -s "$scratch/stdout" "$scratch/uuid.none" || return
	CATS_SEED=x vm 2 "$scratch/uuid" || return
	contains "$scratch/stderr" "CATS_SEED wants a number, not 'x'"
}

# fake_kernel: $scratch/source, that compiles 400 files into a vmlinux, or fails.
fake_kernel()
{
	mkdir -p "$scratch/source"
	cat >"$scratch/source/Makefile" <<-'EOF'
		.RECIPEPREFIX = >
		quiet := $(findstring s,$(firstword -$(MAKEFLAGS)))
		vmlinux:
		> @$(if $(quiet),,for i in $$(seq 400); do echo "  CC      $$i.o"; done)
		> @test ! -e broken || { echo "cannot compile" >&2; exit 1; }
		> @touch $(O)/vmlinux
		modules: ;
	EOF
}

# make_debug MAKEFLAGS: as "make MAKEFLAGS check" has the debug kernel built, of that
make_debug()
{
	rm -rf "$scratch/debug"
	mkdir "$scratch/debug"
	# shellcheck disable=SC2016 # for that shell
	MAKEFLAGS=$1 bash -euo pipefail -c '. "$1"
		kernel_configure() { :; }
		kernel_make_debug "$2/debug" "$2/source"' \
		bash "$here/kernel.sh" "$scratch" 2>"$scratch/stderr"
}

test_debug_kernel()
{
	local flags

	fake_kernel
	for flags in "" s; do
		make_debug "$flags" || return
		contains "$scratch/stderr" "files compiled: 400" || return
		[[ -e $scratch/debug/root/boot/vmlinux ]] || return
	done
	touch "$scratch/source/broken"
	! make_debug s || return
	contains "$scratch/stderr" "cannot compile" || return
	contains "$scratch/stderr" "cannot build the debug kernel"
}

check()
{
	local function=$1 name=$2

	number=$((number + 1))
	if "$function"; then
		echo "ok $number - $name"
	else
		echo "not ok $number - $name"
		failures=$((failures + 1))
	fi
}

echo "TAP version 13"
echo "1..17"
check test_success "a script that succeeds"
check test_status "exit status 7 passes through"
check test_output "output, arguments and their order"
check test_verbose "kernel messages with --verbose"
check test_files "files there and back"
check test_program "a program with its libraries"
check test_modules "modules: veth, netem, tbf, fq, bbr, and one more"
check test_missing_module "a module that does not exist"
check test_timeout "a timeout gives 124"
check test_panic "a kernel panic gives 125"
check test_warning "a kernel warning gives 125, unless allowed"
check test_early_end "a missing exit status gives 125"
check test_shell "a shell"
check test_leftovers "an interrupted run leaves nothing behind"
check test_identical "two runs are identical"
check test_seed "other runs, on purpose"
check test_debug_kernel "building a debug kernel: progress, and what failed"
[[ $failures -eq 0 ]]
