/* SPDX-License-Identifier: GPL-2.0 */
/* User-space stand-in for what the Conductor uses of the kernel's header. */
#ifndef _UNIT_LINUX_BITOPS_H
#define _UNIT_LINUX_BITOPS_H

#define BIT(n)	(1UL << (n))

static inline unsigned long __ffs(unsigned long word)
{
	return __builtin_ctzl(word);
}

#endif
