// SPDX-License-Identifier: GPL-2.0
/*
 * Conductors "strict" and "edf": the most urgent waiting class, always.
 *
 * Of one class "strict" takes streams as they come, "edf" the earliest deadline first;
 * messages without one come after all that have one.
 *
 * Bound of the delay of class i: the message that has begun, and everything
 * more urgent.  So class 0 waits for at most one message (beside its own), and
 * no other class has a bound: both starve by design.
 */
#include <linux/bitops.h>

#include "conductor.h"

static unsigned int strict_pick(struct cats_conductor *c)
{
	return __ffs(c->waiting);
}

static u64 strict_bound(const struct cats_conductor *c, unsigned int urgency, u32 largest)
{
	return urgency ? CATS_NO_BOUND : largest;
}

struct cats_conductor_ops cats_strict = {
	.name	= "strict",
	.pick	= strict_pick,
	.bound	= strict_bound,
};

struct cats_conductor_ops cats_edf = {
	.name		= "edf",
	.by_deadline	= true,
	.pick		= strict_pick,
	.bound		= strict_bound,
};
