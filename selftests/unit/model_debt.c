// SPDX-License-Identifier: GPL-2.0
/* See model_debt.h; the numbers of the rules are those of the manual. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <linux/kernel.h>

#include "model_debt.h"

#define LEAST_URGENT	CATS_URGENCY_MAX

/*
 * Watermarks are whole bytes and, before debts are first shared out, debts are
 * whole thousandths.  What doubles lose on them is far below this, so here two
 * values that are equal on paper compare as equal.
 */
#define DOUBLE_ERROR	0.00001

/**
 * struct named_set - a row of the manual's table
 * @policy: name
 * @high: watermarks; the low ones are half of them
 * @payback: multipliers
 * @payback_sum: over the paper's five levels
 */
struct named_set {
	const char	*policy;
	double		high[CATS_NR_URGENCIES];
	double		payback[CATS_NR_URGENCIES];
	double		payback_sum;
};

static const struct named_set named_sets[] = {
	{ "debt", { 120e3, 96e3, 84e3, 72e3, 60e3, 48e3, 36e3 },
	  { 2.0, 1.6, 1.4, 1.2, 1.0, 0.8, 0.6, 0.4 }, 6.0 },
	{ "debt-paper", { 60e3, 48e3, 42e3, 36e3, 30e3, 24e3, 18e3 },
	  { 2.0, 1.6, 1.4, 1.2, 1.0, 0.8, 0.6, 0.4 }, 6.0 },
	{ "debt-refcode", { 60e3, 30e3, 22.5e3, 15e3, 10.5e3, 6e3, 3e3 },
	  { 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0 }, 5.25 },
};

/* No debts, and the parameters of @policy; false if it is not of the family. */
bool model_debt_init(struct model_debt *m, const char *policy)
{
	const struct named_set *set = named_sets;
	unsigned int i;

	while (set < named_sets + ARRAY_SIZE(named_sets) && strcmp(set->policy, policy))
		set++;
	if (set == named_sets + ARRAY_SIZE(named_sets))
		return false;
	for (i = 0; i < CATS_NR_URGENCIES; i++)
		m->classes[i] = (struct model_class){
			.high = set->high[i],
			.low = set->high[i] / 2,
			.payback = set->payback[i],
		};
	m->payback_sum = set->payback_sum;
	return true;
}

/* Hysteresis: between the watermarks a class stays what it was. */
static void judge(struct model_class *class)
{
	if (class->debt >= class->high - DOUBLE_ERROR)
		class->in_debt = true;
	else if (class->debt < class->low - DOUBLE_ERROR)
		class->in_debt = false;
}

/* New parameters, valid ones. */
void model_debt_set(struct model_debt *m, const struct cats_debt_params *p)
{
	double sum = 0;
	unsigned int i;

	for (i = 0; i < CATS_NR_URGENCIES; i++) {
		m->classes[i].high = p->high[i];
		m->classes[i].low = p->low[i];
		m->classes[i].payback = p->payback[i] / 1000.0;
		sum += m->classes[i].payback;
		if (i != LEAST_URGENT)
			judge(&m->classes[i]);
	}
	m->payback_sum = p->payback_sum ? p->payback_sum / 1000.0 : sum;
}

/* Rule 1: the most urgent waiting class that is not in debt, or -1. */
int model_debt_first(const struct model_debt *m, u8 waiting)
{
	int i;

	for (i = 0; i < CATS_NR_URGENCIES; i++)
		if ((waiting >> i & 1) && !m->classes[i].in_debt)
			return i;
	return -1;
}

/* Rule 2, one turn. */
void model_debt_share(struct model_debt *m, u8 waiting)
{
	struct model_class *class;
	unsigned int i;

	for (i = 0; i < LEAST_URGENT; i++) {
		class = &m->classes[i];
		if (!(waiting >> i & 1))
			continue;
		class->debt *= class->payback / m->payback_sum;
		class->shared = true;
		judge(class);
	}
}

/* Rule 3. */
void model_debt_sent(struct model_debt *m, unsigned int urgency, u32 bytes)
{
	double paid = bytes * m->classes[urgency].payback;
	unsigned int i;

	for (i = 0; i < urgency; i++) {
		m->classes[i].debt = fmax(0, m->classes[i].debt - paid);
		m->classes[i].shared &= m->classes[i].debt > 0;
		judge(&m->classes[i]);
	}
	if (urgency == LEAST_URGENT)
		return;
	m->classes[urgency].debt += bytes;
	judge(&m->classes[urgency]);
}

static bool at_watermark(const struct model_class *class)
{
	return class->shared && (fabs(class->debt - class->high) < MODEL_EPSILON ||
				 fabs(class->debt - class->low) < MODEL_EPSILON);
}

/* @seen has whole bytes, rounded down. */
enum model_verdict model_debt_compare(struct model_debt *m, unsigned int urgency,
				      const struct cats_class_info *seen)
{
	struct model_class *class = &m->classes[urgency];
	bool in_debt = seen->flags & CATS_CLASS_F_IN_DEBT;

	if (class->debt < seen->debt - MODEL_EPSILON ||
	    class->debt > seen->debt + 1 + MODEL_EPSILON)
		return MODEL_DIFFERS;
	if (in_debt == class->in_debt)
		return MODEL_AGREES;
	if (!at_watermark(class))
		return MODEL_DIFFERS;
	class->in_debt = in_debt;
	return MODEL_FOLLOWED;
}
