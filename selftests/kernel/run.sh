#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The kernel's own TCP tests, in TAP: on plain TCP and, in the same boot of the
# distribution's kernel, with CATS on every TCP socket.  The file `list` says which, how
# and what is expected.
#
# Usage: run.sh [OPTION...] [CASE...]	all cases, or these
#	--ko FILE	the module (default: what "make module" has built)
#	--out DIR	for results (default out/kernel)
#
# One result for each case: what the program said and its exit status are the same on
# both and as the list says; or they differ, and the list says why that is right.  And
# one for the list: no test of TCP is missing in it.

set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
vm=$top/selftests/vm
. "$top/selftests/suite.sh"

ko=$top/cats.ko out=$top/out/kernel

usage()
{
	sed -n '/^# Usage:/,/^#$/s/^# \{0,1\}//p' "$here/run.sh" >&2
	exit 2
}

# The kernel's scripts that commands of the list name.
scripts()
{
	rows | cut -f 3 | grep -oE '[a-z_]+\.sh' | sort -u
	echo in_netns.sh
}

rows()
{
	grep -v '^#' "$here/list"
}

prepare()
{
	local name

	rm -rf "$out"
	mkdir -p "$out/bin"
	make -s -C "$here" OUT="$out/bin" >&2
	make -s -C "$top/selftests/preload" OUT="$out/bin" >&2
	strip -g -o "$out/cats.ko" "$ko"
	cp "$here/list" "$out/bin/"
	while read -r name; do
		cp "$tests/net/$name" "$out/bin/"
	done < <(scripts)
}

run_machine()
{
	local library
	local -a options=()

	for library in tcp_diag ifb cls_u32 act_mirred sch_ingress; do
		options+=(--module "$library")
	done
	for name in ss nstat; do
		options+=(--add "$(command -v "$name"):/sbin/$name")
	done
	# Loaded by name only, when a thread ends.
	library=$(gcc -print-file-name=libgcc_s.so.1)
	options+=(--add "$library:/lib/x86_64-linux-gnu/libgcc_s.so.1")
	"$vm/run" --timeout 2400 --mem 2048 "${options[@]}" --ko "$out/cats.ko" \
		--add "$out/bin:/kernel" --out "$out/vm" "$here/guest.sh" "$@" \
		>"$out/log" 2>&1
}

# counted WORD CASE: sum of what the preloaded library counted by that name
counted()
{
	awk -v word="$1" '{ for (i = 3; i < NF; i += 2) if ($i == word) sum += $(i + 1) }
			  END { print sum + 0 }' "$out/vm/cats/$2.sockets" 2>/dev/null || echo 0
}

complain()
{
	echo "# $*"
	bad=1
}

# judge CASE PLAIN CATS: sets bad; comments on stdout say why
judge()
{
	local name=$1 plain cats

	bad=0
	[[ -f $out/vm/cats/$name.status ]] || {
		complain "did not run"
		return
	}
	plain=$(<"$out/vm/plain/$name.status") cats=$(<"$out/vm/cats/$name.status")
	[[ $plain == "$2" ]] || complain "exit status on plain TCP: $plain, not $2"
	[[ $(counted attached "$name") -gt 0 ]] || complain "no CATS socket"
	[[ $(counted refused "$name") -eq 0 ]] || complain "attaching was refused"
	[[ $(counted plain "$name") -eq 0 ]] || complain "accepted sockets without CATS"
	diff -u "$out/vm/plain/$name.result" "$out/vm/cats/$name.result" >"$out/diff" || :
	if [[ $3 == same ]]; then
		[[ $cats == "$plain" ]] || complain "exit status on CATS: $cats, not $plain"
		[[ ! -s $out/diff ]] || complain "differs:"
	else
		[[ $cats == "$3" ]] || complain "exit status on CATS: $cats, not $3"
	fi
	[[ $bad -eq 0 ]] || sed 's/^/# /' "$out/diff"
}

# Every program that asks for a stream socket, and every script that speaks of TCP.
check_list()
{
	local missing

	missing=$({
			grep -l SOCK_STREAM "$tests/net/"*.c
			grep -liw tcp "$tests/net/"*.sh
		} | sed 's|.*/||' | grep -vxFf <(rows | cut -f 1)) || :
	[[ -z $missing ]] && return
	echo "# not in the list: ${missing//$'\n'/ }"
	return 1
}

report()
{
	local number=0 name plain expected wanted=" $* "

	echo "1..$(rows | awk -F'\t' -v wanted="$wanted" '
		$2 != "-" && (wanted == "  " || index(wanted, " " $2 " ")) { n++ }
		END { print n + 1 }')"
	while IFS=$'\t' read -r _ name _ plain expected _; do
		[[ $name != - ]] || continue
		[[ $# -eq 0 || $wanted == *" $name "* ]] || continue
		number=$((number + 1))
		judge "$name" "$plain" "$expected"
		if [[ $bad -eq 0 && $expected == same ]]; then
			echo "ok $number $name"
		elif [[ $bad -eq 0 ]]; then
			echo "ok $number $name, differs as documented"
		else
			echo "not ok $number $name"
			failed=1
		fi
	done < <(rows)
	number=$((number + 1))
	if check_list; then
		echo "ok $number list-is-complete"
	else
		echo "not ok $number list-is-complete"
		failed=1
	fi
}

suite_options "$@"
set -- "${names[@]}"
tests=$("$vm/kernel.sh" source)/tools/testing/selftests
failed=0 bad=0
prepare
run_machine "$@" || {
	tail -n 40 "$out/log" | sed 's/^/# /'
	failed=1
}
report "$@"
exit "$failed"
