// SPDX-License-Identifier: GPL-2.0
/*
 * The bounds of the credit rule, for all classes; the ones that the manual
 * states for urgencies 0 and 7 are the two ends of this.
 *
 * Class i waits, and none of its own messages goes.  M is the largest message,
 * cap[j] = high[j] + M is above every debt that class j can have: it begins a
 * message only below high[j].  While i waits:
 *
 * - Classes less urgent than i go only while i is in debt.  Each of their bytes
 *   pays at least the smallest multiplier p among them, so together they send
 *	L <= (cap[i] - low[i]) / p + M		(L = 0 for the least urgent)
 *
 * - Rule 2 applies only while i is in debt, and each turn leaves i the share
 *   s[i] = payback[i] / payback_sum of it.  So it applies R times at most, the
 *   smallest R with cap[i] * s[i]^R <= low[i]	(R = 0 for the least urgent)
 *   and each time forgives a more urgent j at most (1 - s[j]) * cap[j].
 *
 * - Class j, more urgent than i, sends what its debt may grow by and what it is
 *   paid back or forgiven meanwhile.  With q the largest multiplier of the
 *   classes less urgent than i:
 *	X(j) <= cap[j] + sum over j < l < i of payback[l] * X(l) + q * L
 *		+ R * (1 - s[j]) * cap[j]
 *
 * - The bound is L + sum over j < i of X(j).
 */
#include <math.h>

#include "debt_bounds.h"

#define LEAST_URGENT	CATS_URGENCY_MAX

static double share(const struct model_debt *m, unsigned int urgency)
{
	return m->classes[urgency].payback / m->payback_sum;
}

/* R: turns of rule 2 after which a class with less than @debt is out of debt. */
unsigned int debt_turns(const struct model_debt *m, unsigned int urgency, double debt)
{
	unsigned int turns = 0;

	if (urgency == LEAST_URGENT)
		return 0;
	while (debt > m->classes[urgency].low) {
		debt *= share(m, urgency);
		turns++;
	}
	return turns;
}

static void multipliers_below(const struct model_debt *m, unsigned int urgency,
			      double *least, double *most)
{
	unsigned int i;

	*least = INFINITY;
	*most = 0;
	for (i = urgency + 1; i < CATS_NR_URGENCIES; i++) {
		*least = fmin(*least, m->classes[i].payback);
		*most = fmax(*most, m->classes[i].payback);
	}
}

static double bound_of(const struct model_debt *m, const double cap[],
		       unsigned int urgency, double largest)
{
	unsigned int turns = debt_turns(m, urgency, cap[urgency]);
	double least, most, bound = 0, paid, x;
	int j;

	multipliers_below(m, urgency, &least, &most);
	if (urgency != LEAST_URGENT)
		bound = fmax(0, cap[urgency] - m->classes[urgency].low) / least + largest;
	paid = most * bound;
	for (j = (int)urgency - 1; j >= 0; j--) {
		x = cap[j] + paid + turns * (1 - share(m, j)) * cap[j];
		paid += x * m->classes[j].payback;
		bound += x;
	}
	return bound;
}

/**
 * debt_bounds() - bytes of others that each class may have to wait for
 * @m: parameters
 * @debt_before: debts when the parameters were set, which may exceed high
 * @largest: bytes of the largest message
 * @bounds: filled, by urgency
 */
void debt_bounds(const struct model_debt *m, const double debt_before[],
		 double largest, double bounds[])
{
	double cap[CATS_NR_URGENCIES];
	unsigned int i;

	for (i = 0; i < CATS_NR_URGENCIES; i++)
		cap[i] = fmax(m->classes[i].high, debt_before[i]) + largest;
	for (i = 0; i < CATS_NR_URGENCIES; i++)
		bounds[i] = bound_of(m, cap, i, largest);
}
