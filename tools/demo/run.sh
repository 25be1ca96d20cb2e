#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# run.sh: the demo, from nothing to tables and charts; `make demo` calls it.
#
# What comes out, in out/demo:
#	page.tsv late.tsv		the tables
#	page.svg .png late.svg .png	the charts
#	invariants.tsv			what CATS promises, sampled while it worked
#	raw/				arrival of every message, logs of the two VMs
set -euo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
demo=$top/tools/demo
out=$top/out/demo
bin=$out/bin
raw=$out/raw
make=${MAKE:-make}
started=$SECONDS

step()
{
	printf '[%3d s] %s\n' $((SECONDS - started)) "$*"
}

die()
{
	echo "demo: $*" >&2
	exit 1
}

build_quietly()
{
	"$make" -s -C "$top" module && "$make" -s -C "$demo" OUT="$bin"
}

build()
{
	step "building cats.ko and the programs of the demo"
	if ! build_quietly >"$raw/build.log" 2>&1; then
		tail -n 40 "$raw/build.log" >&2
		die "building failed, see above (all of it: out/demo/raw/build.log)"
	fi
	[[ -e $top/cats.ko ]] || die "\"make module\" made no cats.ko"
}

# boot EXPERIMENT SENDER...: in the background.  Each experiment has a VM of its
# own: a VM uses one processor, and time in it does not depend on the other.
boot()
{
	"$top/selftests/vm/run" --timeout 600 --ko "$top/cats.ko" \
		--add "$demo/topology.sh" --add "$bin/demo-recv" --add "$bin/demo-send" \
		--out "$raw/$1" "$demo/vm.sh" "$@" >"$raw/$1.log" 2>&1 &
	vm[$1]=$!
}

# Ends what still runs, if we are interrupted.
# shellcheck disable=SC2317 # called by trap
cleanup()
{
	local experiment

	for experiment in "${!vm[@]}"; do
		kill "${vm[$experiment]}" 2>/dev/null
	done
	wait || :
}

# join EXPERIMENT
join()
{
	local status=0

	wait "${vm[$1]}" || status=$?
	unset "vm[$1]"
	[[ $status -eq 0 ]] || {
		cat "$raw/$1.log" >&2
		die "experiment $1 failed with status $status in the VM, see above"
	}
	step "experiment $1 has run"
}

measure()
{
	step "booting two VMs with Debian's kernel, in virtual time:"
	step "  page: five groups in the worst order, eight senders"
	step "  late: 20 s of bulk with urgent messages in between, five senders"
	boot page tcp userq cats-strict cats-debt cats-bounded cats-bounded-nohold \
		cats-bounded-batch perfect
	boot late tcp userq cats-strict cats-debt cats-bounded
	join page
	join late
}

chart()
{
	local name form

	for name in page late; do
		for form in svg png; do
			gnuplot -e "dir='$demo'; tsv='$out/$name.tsv'" \
				-e "form='$form'; target='$out/$name.$form'" "$demo/$name.gp" ||
				die "gnuplot failed on $name.$form, see above"
		done
	done
}

declare -A vm=()
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

[[ $demo != *"'"* ]] || die "gnuplot cannot work in a path with a ' in it: $top"
step "looking for what is needed"
"$top/selftests/vm/deps.sh" build vm demo
rm -rf "$out"
mkdir -p "$raw"
build
measure
status=0
"$bin/demo-stats" "$raw" "$out" || status=$?
chart
step "done: tables and charts are in out/demo/, raw arrivals in out/demo/raw/"
exit "$status"
