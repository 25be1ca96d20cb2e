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

# Sets packages: the directory with bpftrace.
prepare()
{
	suite_out
	mkdir -p "$out/bin"
	rm -rf "$out/vm" "$out"/*.tsv "$out"/*.txt
	suite_module
	cp "$ko" "$out/bin/traced.ko"
	copy_module "$out/notrace"
	build_copy "$out/notrace" CATS_NOTRACE=y
	cp "$out/notrace/cats.ko" "$out/bin/notrace.ko"
	gcc -O2 -Wall -Wextra -Werror -static -pthread -D_GNU_SOURCE -I"$top/uapi" \
		-o "$out/bin/bulk" "$here/bulk.c" "$top/selftests/cats_test.c"
	packages=$("$top/selftests/vm/packages.sh" "$top/selftests/bpftrace/packages")
}

run_guest()
{
	"$top/selftests/vm/run" --timeout 1800 --shift "$shift_bits" --mem 1500 \
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
	{
		[[ $status -ne 0 ]] || results
		machine_result "$status" "$out/log"
	} >"$out/results"
	if [[ -e $out/trace.tsv ]]; then
		column -t -s $'\t' "$out/trace.tsv" | tee "$out/trace.txt" | sed 's/^/# /'
	fi
	number "$out/results"
}

main "$@"
