// SPDX-License-Identifier: GPL-2.0
/* See model_share.h. */
#include <linux/kernel.h>

#include "model_share.h"

/* Nothing sent yet, and the parameters of the manual. */
void model_bounded_init(struct model_bounded *m)
{
	static const struct cats_bounded_params p = {
		.share = { 512, 16, 16, 16, 16, 16, 16, 16 }, .bucket = 32 * 1024,
	};

	*m = (struct model_bounded){};
	model_bounded_set(m, &p);
}

void model_bounded_set(struct model_bounded *m, const struct cats_bounded_params *p)
{
	m->params = *p;
	m->tokens = p->bucket * 1024LL;
	m->paying = true;
}

void model_bounded_arrive(struct model_bounded *m, unsigned int urgency)
{
	m->credit[urgency] = 0;
}

static unsigned int most_urgent(u8 waiting)
{
	unsigned int i = 0;

	while (!(waiting >> i & 1))
		i++;
	return i;
}

/* @lens: of the next message of each class that waits */
unsigned int model_bounded_pick(struct model_bounded *m, u8 waiting, const u32 lens[])
{
	int i, first = -1;

	m->paying = m->tokens > 0;
	if ((waiting & 1) && m->paying)
		return 0;
	for (i = CATS_URGENCY_MAX; i > 0; i--) {
		if (!(waiting >> i & 1) || m->credit[i] < lens[i] * 1024LL)
			continue;
		if (first < 0 || m->turn[i] <= m->turn[first])
			first = i;
	}
	/* Alone, no class has to be due. */
	return first < 0 || !(waiting & (waiting - 1)) ? most_urgent(waiting) : (u32)first;
}

/* @waiting: while they were sent */
void model_bounded_sent(struct model_bounded *m, u8 waiting, unsigned int urgency, u32 bytes)
{
	unsigned int i;

	if (!urgency && m->paying)
		m->tokens -= bytes * 1024LL;
	m->tokens += (s64)bytes * m->params.share[0];
	if (m->tokens > m->params.bucket * 1024LL)
		m->tokens = m->params.bucket * 1024LL;
	m->turn[urgency] = ++m->turns;
	for (i = 1; i < CATS_NR_URGENCIES; i++) {
		if (i == urgency)
			m->credit[i] = max(m->credit[i] - bytes * 1024LL, 0LL);
		else if (waiting >> i & 1)
			m->credit[i] += (s64)bytes * m->params.share[i];
	}
}

/* Nothing sent yet, and the weights of the manual. */
void model_wfq_init(struct model_wfq *m)
{
	unsigned int i;

	*m = (struct model_wfq){};
	for (i = 0; i < CATS_NR_URGENCIES; i++)
		m->params.weight[i] = 128 << (CATS_URGENCY_MAX - i);
}

void model_wfq_set(struct model_wfq *m, const struct cats_wfq_params *p)
{
	unsigned int i;

	m->params = *p;
	for (i = 0; i < CATS_NR_URGENCIES; i++)
		if (m->surplus[i] > p->weight[i])
			m->surplus[i] = p->weight[i];
}

/* @rounds pass in which nobody has a surplus, but for the last. */
static void pass_rounds(struct model_wfq *m, u8 waiting, s64 rounds)
{
	unsigned int i;

	for (i = 0; i < CATS_NR_URGENCIES; i++) {
		if (waiting >> i & 1)
			m->surplus[i] += rounds * m->params.weight[i];
		else if (m->surplus[i] > 0)
			m->surplus[i] = 0;
	}
}

/* The most urgent one that waits and has a surplus; -1: none has. */
static int with_surplus(const struct model_wfq *m, u8 waiting)
{
	int i;

	for (i = 0; i < CATS_NR_URGENCIES; i++)
		if ((waiting >> i & 1) && m->surplus[i] > 0)
			return i;
	return -1;
}

unsigned int model_wfq_pick(struct model_wfq *m, u8 waiting)
{
	s64 rounds = (s64)(~0ULL >> 1), needed;
	unsigned int i;

	if (with_surplus(m, waiting) < 0) {
		for (i = 0; i < CATS_NR_URGENCIES; i++) {
			/* At least 1 is to be reached: rounded up. */
			needed = (1 - m->surplus[i] + m->params.weight[i] - 1) /
				 m->params.weight[i];
			if (waiting >> i & 1)
				rounds = min(rounds, needed);
		}
		pass_rounds(m, waiting, rounds);
	}
	return with_surplus(m, waiting);
}

void model_wfq_sent(struct model_wfq *m, unsigned int urgency, u32 bytes)
{
	m->surplus[urgency] -= bytes;
}
