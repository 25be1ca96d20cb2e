/* SPDX-License-Identifier: GPL-2.0 */
/* Arrivals that make one class wait for as long as can be: see bounds_attack.c. */
#ifndef _UNIT_BOUNDS_ATTACK_H
#define _UNIT_BOUNDS_ATTACK_H

#include "exercise.h"

/**
 * struct outcome - of an attack
 * @bound: of the wait, as the Conductor tells it, bytes
 * @longest: the longest that there was
 */
struct outcome {
	u64	bound;
	u64	longest;
};

struct outcome attack_strict(const struct cats_conductor_ops *ops, u32 largest);
struct outcome attack_bounded(const struct cats_bounded_params *p, unsigned int victim,
			      u32 largest);
struct outcome attack_wfq(const struct cats_wfq_params *p, unsigned int victim, u32 largest);
struct outcome attack_debt(const char *policy, unsigned int victim, u32 largest);

#endif /* _UNIT_BOUNDS_ATTACK_H */
