/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The only place that knows kernel versions.
 *
 * What differs between kernels is found by a compile probe, never by a version
 * number; the range below is the one that the tests cover.
 */
#ifndef _CATS_COMPAT_H
#define _CATS_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0) || \
	LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#error "CATS is tested on Linux 6.1 only: see Documentation/cats.rst"
#endif

#endif /* _CATS_COMPAT_H */
