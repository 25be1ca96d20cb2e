// SPDX-License-Identifier: GPL-2.0
/* What the policy of an exercise must do, by its model, and how long a class may wait. */
#include <math.h>

#include <linux/kernel.h>

#include "debt_bounds.h"
#include "exercise_check.h"

/* The policy has changed: it starts from its initial state. */
void model_init(struct exercise *x)
{
	unsigned int i;

	x->family = FAMILY_NONE;
	if (model_debt_init(&x->model, x->c.ops->name))
		x->family = FAMILY_DEBT;
	else if (x->c.ops == &cats_bounded)
		x->family = FAMILY_BOUNDED;
	else if (x->c.ops == &cats_wfq)
		x->family = FAMILY_WFQ;
	model_bounded_init(&x->bounded);
	model_wfq_init(&x->wfq);
	for (i = 0; i < CATS_NR_URGENCIES; i++)
		x->arrivals[i] = x->shadow.classes[i].arrivals;
}

void model_set(struct exercise *x, const struct params *p)
{
	if (x->family == FAMILY_DEBT)
		model_debt_set(&x->model, &p->debt);
	else if (x->family == FAMILY_BOUNDED)
		model_bounded_set(&x->bounded, &p->bounded);
	else if (x->family == FAMILY_WFQ)
		model_wfq_set(&x->wfq, &p->wfq);
}

/* What classes began to wait since. */
void model_follow_arrivals(struct exercise *x)
{
	unsigned int i;

	for (i = 0; i < CATS_NR_URGENCIES; i++) {
		if (x->arrivals[i] == x->shadow.classes[i].arrivals)
			continue;
		x->arrivals[i] = x->shadow.classes[i].arrivals;
		model_bounded_arrive(&x->bounded, i);
	}
}

/* True if they agree, or the model could follow the module, which is at a watermark. */
bool model_compare_debt(struct exercise *x, unsigned int urgency,
			const struct cats_class_info *info)
{
	enum model_verdict verdict = model_debt_compare(&x->model, urgency, info);

	x->stats->followed += verdict == MODEL_FOLLOWED;
	return verdict != MODEL_DIFFERS;
}

/* False if the module differs and is not at a watermark, where it is followed. */
static bool follow(struct exercise *x)
{
	struct cats_class_info info;
	bool agree = true;
	unsigned int i;

	for (i = 0; i < CATS_NR_URGENCIES; i++) {
		cats_conductor_get_info(&x->c, i, x->now, &info);
		agree &= model_compare_debt(x, i, &info);
	}
	return agree;
}

/* The debt that a class of the model stays below. */
static double debt_cap(const struct exercise *x, unsigned int urgency)
{
	return fmax(x->model.classes[urgency].high, x->debt_before[urgency]) +
	       x->shadow.largest;
}

static unsigned int turns_allowed(const struct exercise *x, u8 waiting)
{
	unsigned int i, allowed = ~0U;

	for (i = 0; i < CATS_NR_URGENCIES; i++)
		if (waiting >> i & 1)
			allowed = min(allowed, debt_turns(&x->model, i, debt_cap(x, i)));
	return allowed;
}

static unsigned int share_debts(struct exercise *x, u8 waiting, bool following)
{
	unsigned int turns = 0;

	while (model_debt_first(&x->model, waiting) < 0) {
		model_debt_share(&x->model, waiting);
		turns++;
		if (following)
			follow(x);
	}
	return turns;
}

/*
 * How many turns rule 2 took.  The model first decides by itself when to end;
 * where that is not what the module did, it may have been at a watermark.
 */
static unsigned int rule_2(struct exercise *x, u8 waiting)
{
	struct model_debt before = x->model;
	u64 followed = x->stats->followed;
	unsigned int turns = share_debts(x, waiting, false);

	if (follow(x))
		return turns;
	x->model = before;
	x->stats->followed = followed;
	return share_debts(x, waiting, true);
}

static unsigned int debt_pick(struct exercise *x, u8 waiting)
{
	unsigned int turns = 0;

	if (model_debt_first(&x->model, waiting) < 0)
		turns = rule_2(x, waiting);
	if (turns && turns > turns_allowed(x, waiting))
		fail(x, "turns", "rule 2 took %u turns, not at most %u", turns,
		     turns_allowed(x, waiting));
	x->stats->shared += turns;
	x->stats->turns_max = max(x->stats->turns_max, turns);
	return model_debt_first(&x->model, waiting);
}

/*
 * By the length of what the module says is the first of each class; whether it may be
 * that is looked at when it goes.
 */
static unsigned int bounded_pick(struct exercise *x, u8 waiting)
{
	u32 lens[CATS_NR_URGENCIES] = {};
	unsigned int i;

	for (i = 0; i < CATS_NR_URGENCIES; i++)
		if (x->c.waiting & waiting & 1U << i)
			lens[i] = cats_conductor_first(&x->c, i)->len;
	return model_bounded_pick(&x->bounded, waiting, lens);
}

/* The class to serve; the model has to follow what asking does to the policy. */
unsigned int model_pick(struct exercise *x)
{
	u8 waiting = shadow_waiting(&x->shadow);
	unsigned int first = __builtin_ctz(waiting), picked = first;

	if (x->family == FAMILY_DEBT)
		picked = debt_pick(x, waiting);
	else if (x->family == FAMILY_BOUNDED)
		picked = bounded_pick(x, waiting);
	else if (x->family == FAMILY_WFQ)
		picked = model_wfq_pick(&x->wfq, waiting);
	x->stats->passed_over += picked != first;
	return picked;
}

void model_sent(struct exercise *x, u8 waiting, unsigned int urgency, u32 bytes)
{
	if (x->family == FAMILY_DEBT)
		model_debt_sent(&x->model, urgency, bytes);
	else if (x->family == FAMILY_BOUNDED)
		model_bounded_sent(&x->bounded, waiting, urgency, bytes);
	else if (x->family == FAMILY_WFQ)
		model_wfq_sent(&x->wfq, urgency, bytes);
}

/* The policy or its parameters changed: waits start anew. */
void bounds_restart(struct exercise *x)
{
	unsigned int i;

	shadow_restart_gaps(&x->shadow);
	for (i = 0; i < CATS_NR_URGENCIES; i++) {
		x->debt_before[i] = x->family == FAMILY_DEBT ? x->model.classes[i].debt : 0;
		x->bounds[i] = INFINITY;
	}
	x->bounds_stale = true;
}

/* As Documentation/conductor.rst has it, in bytes. */
static double bounded_bound(const struct cats_bounded_params *p, unsigned int i, double m)
{
	double share = p->share[i] / 1024.0, s = p->share[0] / 1024.0, full, empty, runs;

	if (!i)
		return s > 0 && p->bucket ? ceil(m / s) : INFINITY;
	if (!p->bucket)
		return ceil(m / share) + 7 * m;
	full = 7 * m + floor((p->bucket + 6 * s * m) / (1 - s));
	empty = 8 * m + floor((fmin(p->bucket, s * m) + 6 * s * m) / (1 - s));
	runs = 14 * m + floor(7.0 * p->bucket / (1 - s));
	return ceil(m / share) + fmin(fmax(full, empty), runs);
}

static double wfq_bound(const struct cats_wfq_params *p, unsigned int i, double m)
{
	double rounds = ceil(m / p->weight[i]), sum = 0;
	unsigned int j;

	for (j = 0; j < CATS_NR_URGENCIES; j++)
		if (j != i)
			sum += (rounds + (j < i)) * p->weight[j] + m;
	return sum;
}

void bounds_update(struct exercise *x)
{
	double m = x->shadow.largest;
	unsigned int i;

	x->bounds_stale = false;
	if (x->family == FAMILY_DEBT) {
		debt_bounds(&x->model, x->debt_before, m, x->bounds);
		return;
	}
	for (i = 0; i < CATS_NR_URGENCIES; i++) {
		if (x->family == FAMILY_BOUNDED)
			x->bounds[i] = bounded_bound(&x->bounded.params, i, m);
		else if (x->family == FAMILY_WFQ)
			x->bounds[i] = wfq_bound(&x->wfq.params, i, m);
		else
			x->bounds[i] = i ? INFINITY : m;
	}
}
