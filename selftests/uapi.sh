#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The uapi header compiles alone, in C and C++, and has one layout everywhere.
set -u

top=$(cd "$(dirname "$0")/.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

cat >"$tmp/layout.c" <<'CODE'
#include <linux/cats.h>
#include <stddef.h>
#ifdef __cplusplus
#define CHECK(cond) static_assert(cond, #cond)
#else
#define CHECK(cond) _Static_assert(cond, #cond)
#endif
CHECK(sizeof(struct cats_tag) == 32);
CHECK(offsetof(struct cats_tag, urgency) == 0);
CHECK(offsetof(struct cats_tag, flags) == 4);
CHECK(offsetof(struct cats_tag, stream) == 8);
CHECK(offsetof(struct cats_tag, lifetime_us) == 12);
CHECK(offsetof(struct cats_tag, cookie) == 16);
CHECK(offsetof(struct cats_tag, notify) == 24);
CHECK(sizeof(struct cats_change) == 48);
CHECK(offsetof(struct cats_change, bytes) == 24);
CHECK(offsetof(struct cats_change, begun_msgs) == 40);
CHECK(sizeof(struct cats_admit) == 12);
CHECK(offsetof(struct cats_admit, refuse) == 8);
CHECK(sizeof(struct cats_notice) == 40);
CHECK(offsetof(struct cats_notice, event) == 16);
CHECK(offsetof(struct cats_notice, end_seq) == 36);
CHECK(sizeof(struct cats_wait_info) == 48);
CHECK(offsetof(struct cats_wait_info, expired_msgs) == 32);
CHECK(sizeof(struct cats_bounded_params) == 36);
CHECK(sizeof(struct cats_wfq_params) == 32);
CHECK(sizeof(struct cats_class_info) == 48);
CHECK(offsetof(struct cats_class_info, queued_msgs) == 40);
CHECK(sizeof(struct cats_info) == 920);
CHECK(offsetof(struct cats_info, reason) == 16);
CHECK(offsetof(struct cats_info, reason_errno) == 96);
CHECK(offsetof(struct cats_info, committed) == 100);
CHECK(offsetof(struct cats_info, classes) == 128);
CHECK(offsetof(struct cats_info, rate) == 512);
CHECK(offsetof(struct cats_info, waits) == 528);
CHECK(sizeof(struct cats_debt_params) == 100);
CHECK(offsetof(struct cats_debt_params, payback_sum) == 96);
CODE
cp "$tmp/layout.c" "$tmp/layout.cc"

n=0
# check NAME COMMAND...
check()
{
	name=$1
	shift
	n=$((n + 1))
	if "$@" -Werror -Wall -Wextra -pedantic -I"$top/uapi" -fsyntax-only \
		>"$tmp/log" 2>&1; then
		echo "ok $n $name"
	else
		sed 's/^/# /' "$tmp/log"
		echo "not ok $n $name"
	fi
}

# The 32-bit compiler has no headers of its own; those of the 64-bit one serve.
inc32=/usr/include/$(gcc -print-multiarch)

echo "TAP version 13"
echo "1..6"
check alone-c11 gcc -std=c11 -x c "$top/uapi/linux/cats.h"
check alone-c++11 g++ -std=c++11 -x c++ "$top/uapi/linux/cats.h"
check layout-c11-64 gcc -m64 -std=c11 "$tmp/layout.c"
check layout-c11-32 gcc -m32 -idirafter "$inc32" -std=c11 "$tmp/layout.c"
check layout-c++11-64 g++ -m64 -std=c++11 "$tmp/layout.cc"
check layout-c++11-32 g++ -m32 -ffreestanding -idirafter "$inc32" -std=c++11 "$tmp/layout.cc"
