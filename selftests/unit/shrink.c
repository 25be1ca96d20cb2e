// SPDX-License-Identifier: GPL-2.0
/*
 * Shortens a failing sequence: takes out chunks, halving their size, as long
 * as what remains violates the same property.
 */
#include <string.h>

#include <linux/kernel.h>

#include "shrink.h"

/* Operations to spend on it: a few seconds. */
#define SHRINK_OPS	3000000

/* How many operations it took to fail; 0 if none did. */
size_t ops_run(struct exercise *x, struct exercise_stats *stats, const struct op *ops,
	       size_t n)
{
	size_t i;

	exercise_init(x, stats);
	for (i = 0; i < n; i++)
		if (!exercise_step(x, &ops[i]))
			return i + 1;
	return exercise_drain(x) ? 0 : n;
}

/* Takes @count operations out at @at, and puts them back if that cures it. */
static size_t without(struct exercise *x, struct op *ops, size_t n, size_t at,
		      size_t count, const char *property)
{
	struct exercise_stats stats = {};
	struct op saved[count];
	size_t failed;

	memcpy(saved, &ops[at], sizeof(saved));
	memmove(&ops[at], &ops[at + count], (n - at - count) * sizeof(*ops));
	failed = ops_run(x, &stats, ops, n - count);
	if (failed && !strcmp(x->property, property))
		return failed;
	memmove(&ops[at + count], &ops[at], (n - at - count) * sizeof(*ops));
	memcpy(&ops[at], saved, sizeof(saved));
	return n;
}

/* Shortens @ops, which violates @property; returns its new length. */
size_t ops_shrink(struct exercise *x, struct op *ops, size_t n, const char *property)
{
	size_t chunk, at, spent = 0, before;

	for (chunk = n / 2; chunk; chunk /= 2) {
		for (at = 0; at + chunk <= n && spent < SHRINK_OPS;) {
			spent += n;
			before = n;
			n = without(x, ops, n, at, chunk, property);
			if (n == before)
				at += chunk;
		}
	}
	return n;
}
