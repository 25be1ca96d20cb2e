// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer target: every OP_BYTES bytes of the input are one operation of the
 * exercise.  A failed property prints the operations, fit for conductor_prop
 * --replay, and aborts.
 */
#include <stdio.h>
#include <stdlib.h>

#include "exercise.h"

#define OPS_MAX	4096

static struct exercise the_exercise;
static struct op ops[OPS_MAX];

static void report_failure(size_t n)
{
	const struct exercise *x = &the_exercise;

	printf("# operation %zu: %s: %s\n", n, x->property, x->failure);
	ops_print(stdout, "#   ", ops, n);
	fflush(stdout);
	abort();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct exercise_stats stats = {};
	struct exercise *x = &the_exercise;
	size_t n = 0;

	exercise_init(x, &stats);
	while (n < OPS_MAX && n < size / OP_BYTES) {
		ops[n] = op_from_bytes(data + n * OP_BYTES);
		if (!exercise_step(x, &ops[n++]))
			report_failure(n);
	}
	if (!exercise_drain(x))
		report_failure(n);
	return 0;
}
