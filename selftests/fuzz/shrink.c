// SPDX-License-Identifier: GPL-2.0
/*
 * Shortens a program that fails: leaves out ever smaller pieces, as long as what
 * is left still fails.  A failure that depends on timing may not show each time,
 * so each try is repeated.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#define TRIES		2
#define MAX_RUNS	120

static char last_why[sizeof(ledger->why)];

static bool still_fails(const struct program *p, uint32_t *runs)
{
	uint32_t i;

	for (i = 0; i < TRIES; i++) {
		(*runs)++;
		if (!episode_run(p)) {
			memcpy(last_why, ledger->why, sizeof(last_why));
			return true;
		}
	}
	return false;
}

static void without(struct program *to, const struct program *p, uint32_t from,
		    uint32_t nr)
{
	uint32_t rest;

	if (nr > p->nr - from)
		nr = p->nr - from;
	rest = p->nr - from - nr;
	memcpy(to, p, sizeof(*to));
	memmove(&to->ops[from], &to->ops[from + nr], rest * sizeof(*to->ops));
	to->nr -= nr;
}

/**
 * shrink() - shorten a program that fails
 * @p: program; replaced by the shortest that was found to fail
 */
void shrink(struct program *p)
{
	static struct program shorter;
	uint32_t piece, from, runs = 0;

	for (piece = p->nr / 2; piece && runs < MAX_RUNS; piece /= 2)
		for (from = 0; from < p->nr && runs < MAX_RUNS;) {
			without(&shorter, p, from, piece);
			if (still_fails(&shorter, &runs))
				memcpy(p, &shorter, sizeof(*p));
			else
				from += piece;
		}
	printf("# shortened to %u operations in %u runs: %s\n", p->nr, runs, last_why);
}
