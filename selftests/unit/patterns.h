/* SPDX-License-Identifier: GPL-2.0 */
/* Ways in which operations arrive: see patterns.c. */
#ifndef _UNIT_PATTERNS_H
#define _UNIT_PATTERNS_H

#include "exercise.h"

/**
 * struct pattern_state - where a pattern stands
 * @random: state of the random numbers
 * @left: operations until the next phase
 * @classes: bit i: class i takes part in this phase
 * @filling: this phase enqueues
 * @len_bits: messages of this phase have at most 2^@len_bits bytes
 */
struct pattern_state {
	u64		random;
	u32		left;
	u8		classes;
	bool		filling;
	unsigned int	len_bits;
};

/**
 * struct pattern - a way
 * @name: for the results
 * @next: the operation to apply to @x
 */
struct pattern {
	const char	*name;
	struct op	(*next)(struct pattern_state *s, const struct exercise *x);
};

#define NR_PATTERNS	9

extern const struct pattern patterns[NR_PATTERNS];

#endif /* _UNIT_PATTERNS_H */
