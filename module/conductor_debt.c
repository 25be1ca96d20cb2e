// SPDX-License-Identifier: GPL-2.0
/*
 * Conductor "debt": the credit rule of the CATS paper (arXiv 2603.13945).
 *
 * Each class i has a debt, two watermarks high[i] >= low[i], and a payback
 * multiplier payback[i].
 *
 *	pick:	the most urgent waiting class that is not in debt
 *	sent:	n bytes of class i:	debt[i] += n; debt[i] >= high[i] puts i in debt
 *		every more urgent j:	debt[j] -= n * payback[i], not below 0;
 *					debt[j] < low[j] takes j out of debt
 *	all waiting classes in debt: each of them keeps the share
 *		payback[i] / payback_sum of its debt, until one is out of debt
 *
 *	            debt >= high
 *	 may send  -------------->  in debt
 *	           <--------------
 *	            debt < low
 *
 * The least urgent class never accrues debt, so while it waits the last rule
 * never applies and it is served once all others are in debt.
 *
 * Bound of class i, in bytes of others, with M the largest message, p the smallest and
 * q the largest multiplier of the classes less urgent than i, and R turns of the last
 * rule (Documentation/conductor.rst derives it):
 *
 *	cap[j] = high[j] + M
 *	L      = (cap[i] - low[i]) / p + M		0 for the least urgent class
 *	X(j)   = cap[j] * (1 + R * (1 - payback[j] / payback_sum)) + q * L
 *		 + sum over j < l < i of payback[l] * X(l)
 *	bound  = L + sum over j < i of X(j)
 *
 * The paper computes in floating point.  Here debt is in thousandths of a byte
 * and multipliers are in thousandths, so all but the division of the last rule
 * is exact, and that one is exact to a thousandth of a byte.
 */
#include <linux/bitops.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/overflow.h>
#include <linux/string.h>

#include "conductor.h"

#define MILLI		1000
#define LEAST_URGENT	CATS_URGENCY_MAX
#define WATERMARK_MAX	BIT(30)
#define PAYBACK_MAX	(1000 * MILLI)

/**
 * struct debt_state - private state of the policy
 * @params: as in the uapi header, payback_sum filled in
 * @debt: per class, thousandths of a byte
 * @debt_before: @debt when the parameters were set: it may exceed their watermarks
 */
struct debt_state {
	struct cats_debt_params	params;
	u64			debt[CATS_NR_URGENCIES];
	u64			debt_before[CATS_NR_URGENCIES];
};

/*
 * The paper has five levels, at urgencies 0, 1, 3, 5, 7; the ones between are
 * interpolated (6, which has one neighbour with a watermark, goes on in the
 * same steps).  The divisor of the last rule stays the paper's, the sum over
 * its five, so that traffic in its five levels is scheduled as there.
 */
static const struct cats_debt_params paper = {
	.high	 = { 60000, 48000, 42000, 36000, 30000, 24000, 18000, 0 },
	.low	 = { 30000, 24000, 21000, 18000, 15000, 12000, 9000, 0 },
	.payback = { 2000, 1600, 1400, 1200, 1000, 800, 600, 400 },
	.payback_sum = 6000,
};

/*
 * The default: the paper's with twice its watermarks.  With the paper's own the
 * 40000 bytes of P2 in its reference page exceed their watermark of 36000, and
 * their last tenth waits for 22500 bytes of P3.
 */
const struct cats_debt_params cats_debt_defaults = {
	.high	 = { 120000, 96000, 84000, 72000, 60000, 48000, 36000, 0 },
	.low	 = { 60000, 48000, 42000, 36000, 30000, 24000, 18000, 0 },
	.payback = { 2000, 1600, 1400, 1200, 1000, 800, 600, 400 },
	.payback_sum = 6000,
};

/* The set compiled into the paper's simulator code, completed likewise. */
static const struct cats_debt_params refcode = {
	.high	 = { 60000, 30000, 22500, 15000, 10500, 6000, 3000, 0 },
	.low	 = { 30000, 15000, 11250, 7500, 5250, 3000, 1500, 0 },
	.payback = { 250, 500, 750, 1000, 1250, 1500, 1750, 2000 },
	.payback_sum = 5250,
};

static struct debt_state *debt_state(const struct cats_conductor *c)
{
	BUILD_BUG_ON(sizeof(struct debt_state) > CATS_CONDUCTOR_PRIV_SIZE);
	return cats_conductor_priv(c);
}

static void update_in_debt(struct cats_conductor *c, unsigned int i)
{
	const struct debt_state *d = debt_state(c);

	if (i == LEAST_URGENT)
		return;
	if (d->debt[i] >= (u64)d->params.high[i] * MILLI)
		c->in_debt |= 1U << i;
	else if (d->debt[i] < (u64)d->params.low[i] * MILLI)
		c->in_debt &= ~(1U << i);
}

static void redistribute(struct cats_conductor *c)
{
	struct debt_state *d = debt_state(c);
	unsigned int i;

	for (i = 0; i < LEAST_URGENT; i++) {
		if (!(c->waiting & (1U << i)))
			continue;
		d->debt[i] = div64_u64(d->debt[i] * d->params.payback[i],
				       d->params.payback_sum);
		update_in_debt(c, i);
	}
}

/*
 * The loop ends: without the least urgent class, which is never in debt, each
 * turn at least halves every waiting debt (payback_sum >= 2 * payback).  A debt
 * is below high + M.  With the sets above a turn leaves at most a third of it, so
 * two turns do for M <= 3.5 * high; 32 do for any parameters and M <= 2^31.
 */
static unsigned int debt_pick(struct cats_conductor *c)
{
	while (!(c->waiting & ~c->in_debt))
		redistribute(c);
	return __ffs(c->waiting & ~c->in_debt);
}

static void debt_sent(struct cats_conductor *c, unsigned int urgency, u32 bytes)
{
	struct debt_state *d = debt_state(c);
	u64 paid = (u64)bytes * d->params.payback[urgency];
	unsigned int j;

	if (urgency != LEAST_URGENT) {
		d->debt[urgency] += (u64)bytes * MILLI;
		update_in_debt(c, urgency);
	}
	for (j = 0; j < urgency; j++) {
		d->debt[j] -= min(d->debt[j], paid);
		update_in_debt(c, j);
	}
}

/* CATS_NO_BOUND stands for all that is as large, or larger. */
static u64 add(u64 a, u64 b)
{
	u64 sum;

	return check_add_overflow(a, b, &sum) ? CATS_NO_BOUND : sum;
}

static u64 multiply(u64 a, u64 b)
{
	u64 product;

	return check_mul_overflow(a, b, &product) ? CATS_NO_BOUND : product;
}

/* A debt that class @i stays below, thousandths of a byte. */
static u64 debt_cap(const struct debt_state *d, unsigned int i, u32 largest)
{
	return max((u64)d->params.high[i] * MILLI, d->debt_before[i]) + (u64)largest * MILLI;
}

/* R of the head of this file: turns of the last rule that take class @i out of debt. */
static unsigned int turns_needed(const struct debt_state *d, unsigned int i, u32 largest)
{
	u64 debt = debt_cap(d, i, largest);
	unsigned int turns = 0;

	while (debt > (u64)d->params.low[i] * MILLI) {
		debt = div64_u64(debt * d->params.payback[i], d->params.payback_sum);
		turns++;
	}
	return turns;
}

/* L likewise, in bytes, and @q. */
static u64 bytes_in_debt(const struct debt_state *d, unsigned int i, u32 largest, u32 *q)
{
	u64 low = (u64)d->params.low[i] * MILLI, cap = debt_cap(d, i, largest);
	u32 p = PAYBACK_MAX;
	unsigned int j;

	for (j = i + 1; j < CATS_NR_URGENCIES; j++) {
		p = min(p, d->params.payback[j]);
		*q = max(*q, d->params.payback[j]);
	}
	return div_u64(cap - low, p) + 1 + largest;
}

/*
 * What class @j sends at most, bytes, if it is paid back @paid, in thousandths, and the
 * last rule is applied @turns times; each forgives up to a thousandth too much.
 */
static u64 sent_before(const struct debt_state *d, unsigned int j, u32 largest,
		       u64 paid, unsigned int turns)
{
	u64 cap = debt_cap(d, j, largest);
	u64 forgiven = cap - div64_u64(cap * d->params.payback[j], d->params.payback_sum);

	return div_u64(add(add(cap, multiply(forgiven + 1, turns)), paid), MILLI) + 1;
}

static u64 debt_bound(const struct cats_conductor *c, unsigned int urgency, u32 largest)
{
	const struct debt_state *d = debt_state(c);
	unsigned int j = urgency, turns = 0;
	u64 bound = 0, paid, x;
	u32 q = 0;

	if (urgency != LEAST_URGENT) {
		bound = bytes_in_debt(d, urgency, largest, &q);
		turns = turns_needed(d, urgency, largest);
	}
	paid = multiply(bound, q);
	while (j--) {
		if (paid == CATS_NO_BOUND)
			return CATS_NO_BOUND;
		x = sent_before(d, j, largest, paid, turns);
		paid = add(paid, multiply(x, d->params.payback[j]));
		bound = add(bound, x);
	}
	return bound;
}

static void debt_get_info(const struct cats_conductor *c, unsigned int urgency,
			  struct cats_class_info *info)
{
	info->debt = div_u64(debt_state(c)->debt[urgency], MILLI);
}

static void debt_init(struct cats_conductor *c)
{
	debt_state(c)->params = cats_debt_defaults;
}

static void debt_paper_init(struct cats_conductor *c)
{
	debt_state(c)->params = paper;
}

static void debt_refcode_init(struct cats_conductor *c)
{
	debt_state(c)->params = refcode;
}

static bool is_debt(const struct cats_conductor *c)
{
	return c->ops->pick == debt_pick;
}

static enum cats_reason check_watermarks(const struct cats_debt_params *p)
{
	unsigned int i;

	if (p->high[LEAST_URGENT] || p->low[LEAST_URGENT])
		return CATS_REASON_DEBT_LEAST;
	for (i = 0; i < LEAST_URGENT; i++) {
		if (!p->high[i] || p->high[i] > WATERMARK_MAX)
			return CATS_REASON_DEBT_HIGH;
		if (!p->low[i] || p->low[i] > p->high[i])
			return CATS_REASON_DEBT_LOW;
	}
	return CATS_REASON_NONE;
}

static enum cats_reason check_payback(const struct cats_debt_params *p, u32 sum)
{
	unsigned int i;

	for (i = 0; i < CATS_NR_URGENCIES; i++) {
		if (!p->payback[i] || p->payback[i] > PAYBACK_MAX)
			return CATS_REASON_DEBT_PAYBACK;
		if (sum < 2 * p->payback[i])
			return CATS_REASON_DEBT_SUM;
	}
	return CATS_REASON_NONE;
}

static u32 payback_sum(const struct cats_debt_params *p)
{
	unsigned int i;
	u32 sum = 0;

	if (p->payback_sum)
		return p->payback_sum;
	for (i = 0; i < CATS_NR_URGENCIES; i++)
		sum += min_t(u32, p->payback[i], PAYBACK_MAX);
	return sum;
}

/**
 * cats_debt_check_params() - may these be the parameters of a "debt" Conductor?
 * @params: parameters
 *
 * Return: 0, or why not.
 */
enum cats_reason cats_debt_check_params(const struct cats_debt_params *params)
{
	return check_watermarks(params) ?: check_payback(params, payback_sum(params));
}

/**
 * cats_debt_set_params() - set the parameters of a "debt" Conductor
 * @c: Conductor
 * @params: parameters; debts stay, who is in debt is decided anew
 *
 * Return: 0, or why not, with nothing changed.
 */
enum cats_reason cats_debt_set_params(struct cats_conductor *c,
				      const struct cats_debt_params *params)
{
	struct debt_state *d = debt_state(c);
	enum cats_reason why;
	unsigned int i;

	if (!is_debt(c))
		return CATS_REASON_PARAMS_OTHER;
	why = cats_debt_check_params(params);
	if (why)
		return why;
	d->params = *params;
	d->params.payback_sum = payback_sum(params);
	for (i = 0; i < LEAST_URGENT; i++) {
		d->debt_before[i] = d->debt[i];
		update_in_debt(c, i);
	}
	cats_conductor_restart_gaps(c);
	return CATS_REASON_NONE;
}

/**
 * cats_debt_get_params() - read the parameters of a "debt" Conductor
 * @c: Conductor
 * @params: filled
 *
 * Return: false if the Conductor is not of the debt family.
 */
bool cats_debt_get_params(const struct cats_conductor *c,
			  struct cats_debt_params *params)
{
	if (!is_debt(c))
		return false;
	*params = debt_state(c)->params;
	return true;
}

struct cats_conductor_ops cats_debt = {
	.name		= "debt",
	.init		= debt_init,
	.passes_over	= CATS_PICK_DEBT,
	.pick		= debt_pick,
	.sent		= debt_sent,
	.bound		= debt_bound,
	.get_info	= debt_get_info,
};

struct cats_conductor_ops cats_debt_paper = {
	.name		= "debt-paper",
	.init		= debt_paper_init,
	.passes_over	= CATS_PICK_DEBT,
	.pick		= debt_pick,
	.sent		= debt_sent,
	.bound		= debt_bound,
	.get_info	= debt_get_info,
};

struct cats_conductor_ops cats_debt_refcode = {
	.name		= "debt-refcode",
	.init		= debt_refcode_init,
	.passes_over	= CATS_PICK_DEBT,
	.pick		= debt_pick,
	.sent		= debt_sent,
	.bound		= debt_bound,
	.get_info	= debt_get_info,
};
