// SPDX-License-Identifier: GPL-2.0
/*
 * Prints, as TSV, the bounds of the "debt" Conductors beside the longest waits
 * that saturating all classes with 1000-byte messages shows.
 */
#include <stdio.h>
#include <string.h>

#include "conductor.h"
#include "debt_bounds.h"

#define MSG_LEN	1000
#define PICKS	1000000

static struct cats_msg msgs[CATS_NR_URGENCIES];

static void saturate(struct cats_conductor *c)
{
	unsigned int i;

	for (i = 0; i < CATS_NR_URGENCIES; i++) {
		if (c->waiting & (1U << i))
			continue;
		memset(&msgs[i], 0, sizeof(msgs[i]));
		msgs[i].urgency = i;
		msgs[i].len = MSG_LEN;
		cats_conductor_enqueue(c, &msgs[i], NULL, 0);
	}
}

/* Longest run of bytes of others between two picks of each class. */
static void measure(struct cats_conductor *c, u64 longest[])
{
	u64 gap[CATS_NR_URGENCIES] = {};
	struct cats_msg *m;
	unsigned int i, n;

	for (n = 0; n < PICKS; n++) {
		saturate(c);
		m = cats_conductor_next(c);
		for (i = 0; i < CATS_NR_URGENCIES; i++) {
			gap[i] = i == m->urgency ? 0 : gap[i] + MSG_LEN;
			longest[i] = max(longest[i], gap[i]);
		}
		cats_conductor_commit(c, m, MSG_LEN, 0);
	}
}

int main(void)
{
	static const char * const names[] = { "debt", "debt-paper", "debt-refcode" };
	static const double no_debts[CATS_NR_URGENCIES];
	double bounds[CATS_NR_URGENCIES];
	struct model_debt params;
	struct cats_conductor c;
	unsigned int i;

	printf("conductor\turgency\tbound_bytes\tlongest_bytes\n");
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		u64 longest[CATS_NR_URGENCIES] = {};

		cats_conductor_init(&c, cats_conductor_find(names[i]));
		measure(&c, longest);
		model_debt_init(&params, names[i]);
		debt_bounds(&params, no_debts, MSG_LEN, bounds);
		printf("%s\t0\t%.0f\t%llu\n", names[i], bounds[0], longest[0]);
		printf("%s\t7\t%.0f\t%llu\n", names[i], bounds[7], longest[7]);
	}
	return 0;
}
