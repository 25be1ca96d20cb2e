// SPDX-License-Identifier: GPL-2.0
/*
 * Conductor "wfq": weighted shares per urgency, by a surplus round robin (a relative of
 * deficit round robin, Shreedhar and Varghese 1995, that need not know the length of a
 * message before it is sent).
 *
 * Each class has a surplus.  A round serves the waiting classes in the order of their
 * urgency, each as long as its surplus is positive; what it sends is taken off.  When no
 * waiting class has a surplus all of them get their weight on top, as many times as it
 * takes for one to be positive: computed at once, so a pick takes the same time however
 * small the weights are beside the messages.  No surplus ever exceeds the weight.
 *
 * With M the largest message and k = M / weight[i], rounded up, class i waits at most for
 *
 *	sum over j < i of ((k + 1) * weight[j] + M)
 *	+ sum over j > i of (k * weight[j] + M)
 *
 * bytes of the others (Documentation/conductor.rst): after k rounds it is served from any
 * surplus above -M, all more urgent ones before it.  A less urgent one has its k-th turn
 * after it, but may have a turn of the present round before.  So may a more urgent one,
 * if class i was not there to be passed.
 */
#include <linux/bitops.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/string.h>

#include "conductor.h"

#define WEIGHT_MAX	BIT(24)

/**
 * struct wfq_state - private state of the policy
 * @params: as in the uapi header
 * @surplus: bytes that a class may send, below 0: has sent more
 */
struct wfq_state {
	struct cats_wfq_params	params;
	s64			surplus[CATS_NR_URGENCIES];
};

/* Each urgency has twice the share of the next. */
static const struct cats_wfq_params defaults = {
	.weight = { 16384, 8192, 4096, 2048, 1024, 512, 256, 128 },
};

static struct wfq_state *wfq_state(const struct cats_conductor *c)
{
	BUILD_BUG_ON(sizeof(struct wfq_state) > CATS_CONDUCTOR_PRIV_SIZE);
	return cats_conductor_priv(c);
}

/* Returns CATS_NR_URGENCIES if nobody waits who has a surplus. */
static unsigned int first_with_surplus(const struct cats_conductor *c,
				       const struct wfq_state *w)
{
	unsigned int i;

	for (i = 0; i < CATS_NR_URGENCIES; i++)
		if (c->waiting & (1U << i) && w->surplus[i] > 0)
			break;
	return i;
}

/* Rounds until a surplus is positive. */
static u64 rounds_needed(const struct wfq_state *w, unsigned int i)
{
	return div_u64(-w->surplus[i], w->params.weight[i]) + 1;
}

/* Nobody saves up who has nothing to send now; what he sent too much stays. */
static void next_round(struct cats_conductor *c, struct wfq_state *w)
{
	u64 rounds = ~0ULL;
	unsigned int i;

	for (i = 0; i < CATS_NR_URGENCIES; i++)
		if (c->waiting & (1U << i))
			rounds = min(rounds, rounds_needed(w, i));
	for (i = 0; i < CATS_NR_URGENCIES; i++)
		if (c->waiting & (1U << i))
			w->surplus[i] += rounds * w->params.weight[i];
		else
			w->surplus[i] = min_t(s64, w->surplus[i], 0);
}

static unsigned int wfq_pick(struct cats_conductor *c)
{
	struct wfq_state *w = wfq_state(c);
	unsigned int first = first_with_surplus(c, w);

	if (first < CATS_NR_URGENCIES)
		return first;
	next_round(c, w);
	return first_with_surplus(c, w);
}

static void wfq_sent(struct cats_conductor *c, unsigned int urgency, u32 bytes)
{
	wfq_state(c)->surplus[urgency] -= bytes;
}

static u64 wfq_bound(const struct cats_conductor *c, unsigned int urgency, u32 largest)
{
	const struct cats_wfq_params *p = &wfq_state(c)->params;
	u64 rounds, sum = 0;
	unsigned int i;

	rounds = div_u64((u64)largest + p->weight[urgency] - 1, p->weight[urgency]);
	for (i = 0; i < CATS_NR_URGENCIES; i++)
		if (i != urgency)
			sum += (rounds + (i < urgency)) * p->weight[i] + largest;
	return sum;
}

static void wfq_init(struct cats_conductor *c)
{
	wfq_state(c)->params = defaults;
}

static bool is_wfq(const struct cats_conductor *c)
{
	return c->ops->pick == wfq_pick;
}

/**
 * cats_wfq_set_params() - set the weights of the Conductor "wfq"
 * @c: Conductor
 * @params: weights; what everybody has sent too much stays, and of what he may send
 *	at most the new weight
 *
 * Return: 0, or why not, with nothing changed.
 */
enum cats_reason cats_wfq_set_params(struct cats_conductor *c,
				     const struct cats_wfq_params *params)
{
	struct wfq_state *w = wfq_state(c);
	unsigned int i;

	if (!is_wfq(c))
		return CATS_REASON_PARAMS_OTHER;
	for (i = 0; i < CATS_NR_URGENCIES; i++)
		if (!params->weight[i] || params->weight[i] > WEIGHT_MAX)
			return CATS_REASON_WFQ_WEIGHT;
	w->params = *params;
	for (i = 0; i < CATS_NR_URGENCIES; i++)
		w->surplus[i] = min_t(s64, w->surplus[i], params->weight[i]);
	cats_conductor_restart_gaps(c);
	return CATS_REASON_NONE;
}

/**
 * cats_wfq_get_params() - read the weights of the Conductor "wfq"
 * @c: Conductor
 * @params: filled
 *
 * Return: false if the Conductor is another.
 */
bool cats_wfq_get_params(const struct cats_conductor *c, struct cats_wfq_params *params)
{
	if (!is_wfq(c))
		return false;
	*params = wfq_state(c)->params;
	return true;
}

struct cats_conductor_ops cats_wfq = {
	.name	= "wfq",
	.init	= wfq_init,
	.passes_over = CATS_PICK_TURN,
	.pick	= wfq_pick,
	.sent	= wfq_sent,
	.bound	= wfq_bound,
};
