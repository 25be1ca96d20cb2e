// SPDX-License-Identifier: GPL-2.0
/*
 * Parameters of the credit rule from one number: valid ones, near and far from
 * the named sets, at the ends of their ranges too; and invalid ones.
 */
#include <linux/bitops.h>
#include <linux/kernel.h>

#include "exercise_check.h"
#include "random.h"

#define HIGH_MAX	BIT(30)
#define PAYBACK_MAX	1000000

static u32 largest_payback(const struct cats_debt_params *p)
{
	u32 largest = 0;
	unsigned int i;

	for (i = 0; i < CATS_NR_URGENCIES; i++)
		largest = max(largest, p->payback[i]);
	return largest;
}

/* 0 where that is valid and the dice say so, else from the least upwards. */
static u32 choose_sum(u64 *random, const struct cats_debt_params *p)
{
	u32 least = 2 * largest_payback(p), sum = 0;
	unsigned int i;

	for (i = 0; i < CATS_NR_URGENCIES; i++)
		sum += p->payback[i];
	if (sum >= least && random_below(random, 2))
		return 0;
	return random_below(random, 4) ? least + random_magnitude(random, 31) : least;
}

void params_from(u32 value, struct cats_debt_params *p)
{
	u64 random = value;
	/* Half of them within what messages of a few kB reach. */
	unsigned int high_bits = random_below(&random, 2) ? 17 : 30;
	unsigned int payback_bits = random_below(&random, 2) ? 12 : 20;
	unsigned int i;

	*p = (struct cats_debt_params){};
	for (i = 0; i < CATS_NR_URGENCIES; i++) {
		p->payback[i] = min_t(u32, random_magnitude(&random, payback_bits),
				      PAYBACK_MAX);
		if (i == CATS_URGENCY_MAX)
			break;
		p->high[i] = random_magnitude(&random, high_bits);
		p->low[i] = random_below(&random, 2) ? (p->high[i] + 1) / 2 :
			    1 + random_below(&random, p->high[i]);
	}
	p->payback_sum = choose_sum(&random, p);
}

/* Makes @p invalid in the way @how. */
void params_break(unsigned int how, struct cats_debt_params *p)
{
	unsigned int i = how / 16 % CATS_URGENCY_MAX;
	u32 *const fields[] = {
		&p->high[i], &p->high[i], &p->high[i], &p->low[i], &p->low[i],
		&p->high[CATS_URGENCY_MAX], &p->low[CATS_URGENCY_MAX],
		&p->payback[i + 1], &p->payback[i + 1], &p->payback[i + 1],
		&p->payback_sum, &p->payback_sum,
	};
	const u32 values[] = {
		0, HIGH_MAX + 1, ~0U, 0, p->high[i] + 1,
		1, 1,
		0, PAYBACK_MAX + 1, ~0U,
		2 * largest_payback(p) - 1, 1,
	};

	*fields[how % ARRAY_SIZE(fields)] = values[how % ARRAY_SIZE(values)];
}
