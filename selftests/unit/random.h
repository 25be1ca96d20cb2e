/* SPDX-License-Identifier: GPL-2.0 */
/* Random numbers that follow from a seed alone, on every machine. */
#ifndef _UNIT_RANDOM_H
#define _UNIT_RANDOM_H

#include <linux/types.h>

/* splitmix64: any seed will do, and the state is one number. */
static inline u64 random_next(u64 *state)
{
	u64 z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* 0 to @n - 1 */
static inline u32 random_below(u64 *state, u32 n)
{
	return (random_next(state) >> 32) * n >> 32;
}

/* 1 to 2^@bits, each power of two as likely as the next. */
static inline u32 random_magnitude(u64 *state, unsigned int bits)
{
	unsigned int shift = random_below(state, bits + 1);

	if (shift == bits)
		return 1U << bits;
	return (1U << shift) + random_below(state, 1U << shift);
}

#endif /* _UNIT_RANDOM_H */
