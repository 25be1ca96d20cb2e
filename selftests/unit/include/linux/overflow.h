/* SPDX-License-Identifier: GPL-2.0 */
/* User-space stand-in for what the Conductor uses of the kernel's header. */
#ifndef _UNIT_LINUX_OVERFLOW_H
#define _UNIT_LINUX_OVERFLOW_H

#define check_add_overflow(a, b, d)	__builtin_add_overflow(a, b, d)
#define check_mul_overflow(a, b, d)	__builtin_mul_overflow(a, b, d)

#endif
