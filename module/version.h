/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The version of the module and of its tools: this is the one place that has it.
 */
#ifndef _CATS_VERSION_H
#define _CATS_VERSION_H

#define CATS_VERSION	"0.6.0"

#endif /* _CATS_VERSION_H */
