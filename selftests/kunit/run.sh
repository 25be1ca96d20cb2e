#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs the KUnit suites of the module in the debug kernel, and prints what they found
# as KTAP; status 0 if all passed, and the kernel had nothing to say.
#
# Usage: run.sh KERNEL CATS_KUNIT_KO OUT
#
# KERNEL is the debug kernel's vmlinux; what comes back from the machine, the log and
# the line counts, goes to OUT.
#
# Which suites there must be is read from the sources, so that one that is not in
# Kbuild is missed.

set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)

[[ $# -eq 3 ]] || {
	sed -n '/^# Usage:/,/^#$/s/^# \{0,1\}//p' "$0" >&2
	exit 2
}

mapfile -t suites < <(grep -lE '^kunit_test_suite\(' "$top"/module/*_test.c |
	sed 's|.*/||; s|_test\.c$||')
exec "$top/selftests/vm/run" --timeout 900 --mem 1024 --kernel "$1" --ko "$2" --out "$3" \
	--add "$top/selftests/vm/kmemleak.sh" \
	--add "$top/selftests/coverage/collect.sh" "$here/guest.sh" "${suites[@]}"
