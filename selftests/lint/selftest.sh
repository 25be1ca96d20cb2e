#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Tests of the checks: in a copy of the project each gets something to find, and
# must find it.  Prints TAP, one result per planted defect.
. "$(dirname "$0")/lib.sh"

copy=$(mktemp -d "${TMPDIR:-/tmp}/cats-lint.XXXXXX")
trap 'rm -rf "$copy"' EXIT
trap 'exit 1' INT TERM HUP
number=0 failed=0

# A new work tree, and everything in it as it is here.
fill_copy()
{
	git init -q "$copy"
	files . | tar -c -T - | tar -x -C "$copy"
}

# finds CHECK TEXT FILE: FILE has a defect now; CHECK must fail and say TEXT.  Then
# FILE is what it was.
finds()
{
	local check=$1 text=$2 file=$3 status=0 output verdict=ok

	number=$((number + 1))
	output=$("$copy/selftests/lint/run.sh" "$check" 2>&1) || status=$?
	if [[ $status -eq 0 || $output == *'# SKIP'* ]] ||
	   ! grep -qE "$text" <<<"$output"; then
		printf '%s\n' "$output" | sed 's/^/# /'
		verdict="not ok"
		failed=$((failed + 1))
	fi
	echo "$verdict $number $check: $text"
	rm -f "$copy/$file"
	[[ ! -f $top/$file ]] || cp -p "$top/$file" "$copy/$file"
}

# plant FILE CHECK TEXT: appends stdin to FILE
plant()
{
	cat >>"$copy/$1"
	finds "$2" "$3" "$1"
}

rules()
{
	local script=selftests/path.sh

	plant new.sh rules 'new.sh: no SPDX' <<<'echo planted'
	plant "$script" rules 'path.sh: no newline' < <(printf '#')
	plant "$script" rules 'path.sh:.*100 columns' < <(printf '# %0100d\n' 0)
	plant "$script" rules 'path.sh:.*at the end' <<<'# planted '
	plant "$script" rules 'path.sh:.*before a tab' < <(printf '# \t# planted\n')
}

functions()
{
	plant module/tag.c functions 'planted.. has 62 lines' < <(
		printf 'int planted(void)\n{\n'
		printf '\tx();\n%.0s' {1..60}
		printf '}\n'
	)
	plant selftests/lint/functions.except functions 'not needed any more' \
		< <(printf 'module/tag.c\tplanted\tno reason\n')
}

# The misspelled word is in two parts, so that this file passes.
text()
{
	local script=selftests/path.sh

	plant "$script" codespell 'path.sh:.*receive' <<<"# re""cieve"
	# shellcheck disable=SC2016 # not to be expanded
	plant "$script" shellcheck 'path.sh:.*SC2086' <<<'echo $planted'
}

manpage()
{
	local page=Documentation/man/cats.7

	plant $page manpage 'cats.7:.*unknown' <<<'.Planted macro'
	sed -i '/^\.BR\? CATS_INFO\b/d' "$copy/$page"
	finds manpage 'option CATS_INFO is missing' $page
	plant uapi/linux/cats.h manpage 'errno EXDEV is missing' \
		<<<'	REASON(PLANTED, 99, EXDEV, "planted")'
	plant module/tag.c manpage 'sysctl planted is missing' <<<'	.procname = "planted",'
}

comments()
{
	plant module/tag.c kernel-doc "'arg' not described" <<-'EOT'
		/**
		 * planted() - without its argument
		 */
		void planted(int arg)
		{
		}
	EOT
	plant module/tag.c checkpatch 'tag.c:.*SPACING' <<<'int planted=1;'
	plant tools/demo/page.c checkpatch 'page.c:.*SPACING' <<<'int planted=1;'
	plant module/tag.c checkpatch 'tag.c:.*PREFER_KERNEL_TYPES' <<<'uint32_t planted;'
}

headers()
{
	plant module/conductor.h headers 'conductor.h.*gfp_t' <<<'extern gfp_t planted;'
	plant selftests/cats_test.h headers 'redefinition.*planted' <<<'int planted = 1;'
}

builds()
{
	local check

	for check in gcc clang; do
		plant module/tag.c "$check" 'no previous prototype.*planted' <<-'EOT'
			void planted(void)
			{
			}
		EOT
	done
	# What gcc lets pass.
	plant module/tag.c clang 'Wself-assign' <<-'EOT'
		static void __maybe_unused planted(int x)
		{
			x = x;
		}
	EOT
}

# A path that keeps a lock, an address of user space.
sparse()
{
	plant module/tag.c sparse "context imbalance in 'planted'" <<-'EOT'
		static void __maybe_unused planted(struct sock *sk)
		{
			bh_lock_sock(sk);
			if (!sk->sk_err)
				bh_unlock_sock(sk);
		}
	EOT
	plant module/tag.c sparse 'dereference of noderef' <<-'EOT'
		static int __maybe_unused planted(int __user *p)
		{
			return *p;
		}
	EOT
}

coccinelle()
{
	plant module/tag.c coccinelle 'NULL but dereferenced' <<-'EOT'
		static u32 planted(struct cats_tag *t)
		{
			if (!t)
				return t->flags;
			return 0;
		}
	EOT
}

echo "1..25"
fill_copy
rules
functions
text
manpage
comments
headers
builds
sparse
coccinelle
[[ $failed -eq 0 ]]
