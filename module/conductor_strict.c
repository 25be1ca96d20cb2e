// SPDX-License-Identifier: GPL-2.0
/*
 * Conductor "strict": the most urgent waiting class, always.
 *
 * Bound of the delay of class i: the message that has begun, and everything
 * more urgent.  So class 0 waits for at most one message (beside its own), and
 * no other class has a bound: "strict" starves by design.
 */
#include <linux/bitops.h>

#include "conductor.h"

static unsigned int strict_pick(struct cats_conductor *c)
{
	return __ffs(c->waiting);
}

const struct cats_conductor_ops cats_strict = {
	.name	= "strict",
	.pick	= strict_pick,
};
