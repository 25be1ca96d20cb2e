/* SPDX-License-Identifier: GPL-2.0 */
/* User-space stand-in: the kernel's short type names over its uapi header. */
#ifndef _UNIT_LINUX_TYPES_H
#define _UNIT_LINUX_TYPES_H

#include_next <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef unsigned long long u64;
typedef int s32;
typedef long long s64;

#endif
