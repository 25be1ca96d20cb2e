#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What tracepoints cost: prints TAP, writes a table.  In one boot a sender pushes tagged
# messages over loopback as fast as the machine can, while
#
#	notrace		the module has been built without tracepoints
#	off		it has them, and nothing is attached
#	cats_NAME	this event is on (tracefs)
#	all		all of them are
#	catslat		tools/bpftrace/catslat.bt is attached
#	all+catslat	both
#
# The processor never idles, so time is instructions: of sender, receiver, both stacks.
# That is what asserts something of tracing: a network of any rate hides it.
# The loads:
#	bulk		messages of 16 KiB
#	large		messages of 64 KiB
#	small		messages of 200 bytes: nothing but overhead, the worst case
#	debt		messages of 4 KiB, with the policy "debt"
#
# Asserted: "off" is within 0.5 % of "notrace", and "all+catslat" keeps 0.95 of the
# throughput of "off", with messages of 64 KiB.  With 16 KiB it is a little less, which is
# in the table: what tracing costs it costs per message.
#
# Usage: trace.sh [--out DIR] [--ko FILE] [ROUNDS]
#
#	--out DIR	for results (default out/trace)
#	--ko FILE	the module (default: build it)
#	ROUNDS		each figure is the median of so many (default 5)
#
# Writes to DIR: trace.tsv, trace.txt, the same as a table; vm/, what the guest wrote.

set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
. "$top/selftests/suite.sh"
shift_bits=1

out=$top/out/trace ko=

usage()
{
	sed -n '/^# Usage:/,/^# Writes/s/^# \{0,1\}//p' "$0" >&2
	exit 2
}

# The module without tracepoints, in a copy.
build_notrace()
{
	local copy=$out/notrace

	rm -rf "$copy"
	mkdir -p "$copy"
	cp -r "$top/Kbuild" "$top/module" "$top/uapi" "$copy/"
	find "$copy" \( -name '*.o' -o -name '.*.cmd' \) -delete
	make -s -C "/lib/modules/$("$top/selftests/vm/kernel.sh" version)/build" \
		M="$copy" CATS_NOTRACE=y modules >"$out/notrace.log" 2>&1 || {
		tail -n 20 "$out/notrace.log" >&2
		exit 1
	}
	cp "$copy/cats.ko" "$out/bin/notrace.ko"
}

# Sets packages: the directory with bpftrace.
prepare()
{
	mkdir -p "$out/bin"
	out=$(cd "$out" && pwd)
	rm -rf "$out/vm" "$out"/*.tsv "$out"/*.txt
	if [[ -z $ko ]]; then
		make -s -C "$top" module >&2
		ko=$top/cats.ko
	fi
	cp "$ko" "$out/bin/traced.ko"
	build_notrace
	gcc -O2 -Wall -Wextra -Werror -static -pthread -D_GNU_SOURCE -I"$top/uapi" \
		-o "$out/bin/bulk" "$here/bulk.c" "$top/selftests/cats_test.c"
	packages=$("$top/selftests/vm/packages.sh" "$top/selftests/bpftrace/packages")
}

run_guest()
{
	"$top/selftests/vm/run" --timeout 900 --shift "$shift_bits" --mem 1500 \
		--ko "$out/bin/notrace.ko" --ko "$out/bin/traced.ko" \
		--add "$out/bin/bulk" --add "$packages/root.tar:/test/root.tar" \
		--add "$top/selftests/bpftrace/bpftrace.sh:/test/bpftrace" \
		--add "$top/tools/bpftrace/catslat.bt" --out "$out/vm" \
		"$here/trace-guest.sh" /test/catslat.bt "$rounds" >"$out/log" 2>&1
}

# Was it attached?  It has counted all messages that were sent then, and no others.
check_catslat()
{
	local file sent

	sent=$(awk -F'\t' -v rounds="$rounds" '
		$2 ~ /catslat/ { n += $5 / $3 } END { print n / rounds }' "$out/vm/rows.tsv")
	for file in "$out"/vm/catslat-*.txt; do
		awk -v name="${file##*/}" -v sent="$sent" '
		match($0, /^[\[(].*[])] +[0-9]+ \|/) {
			n = substr($0, RSTART, RLENGTH)
			sub(/^.*[])] +/, "", n)
			seen += n
		}
		END {
			printf "%sok - %s # counted %d of %d messages\n",
			       seen == sent ? "" : "not ", name, seen, sent
		}' "$file"
	done
}

results()
{
	awk -v table="$out/trace.tsv" -v scale=$((1 << shift_bits)) -f "$here/trace.awk" \
		"$out/vm/rows.tsv"
	check_catslat
}

main()
{
	local status=0

	suite_options "$@"
	rounds=${names[0]:-5}
	echo "TAP version 13"
	prepare
	run_guest || status=$?
	if [[ $status -ne 0 ]]; then
		tail -n 40 "$out/log" | sed 's/^/# /'
		echo "1..1"
		echo "not ok 1 machine # status $status"
		exit 1
	fi
	results >"$out/results"
	column -t -s $'\t' "$out/trace.tsv" >"$out/trace.txt"
	sed 's/^/# /' "$out/trace.txt"
	number "$out/results"
}

main "$@"
