/* SPDX-License-Identifier: GPL-2.0 */
/* Runs sequences of operations, and shortens those that fail. */
#ifndef _UNIT_SHRINK_H
#define _UNIT_SHRINK_H

#include "exercise.h"

size_t ops_run(struct exercise *x, struct exercise_stats *stats, const struct op *ops,
	       size_t n);
size_t ops_shrink(struct exercise *x, struct op *ops, size_t n, const char *property);

#endif /* _UNIT_SHRINK_H */
