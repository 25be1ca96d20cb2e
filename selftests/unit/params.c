// SPDX-License-Identifier: GPL-2.0
/*
 * Parameters of the policies from one number: valid ones, near and far from the named
 * sets, at the ends of their ranges too; and invalid ones.
 */
#include <linux/bitops.h>
#include <linux/kernel.h>

#include "exercise_check.h"
#include "random.h"

#define HIGH_MAX	BIT(30)
#define PAYBACK_MAX	1000000
#define SHARE_MAX	1000
#define BUCKET_MAX	BIT(30)
#define WEIGHT_MAX	BIT(24)

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

static void debt_from(u64 random, struct cats_debt_params *p)
{
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

static void bounded_from(u64 random, struct cats_bounded_params *p)
{
	u32 left = SHARE_MAX;
	unsigned int i;

	/* The ends of the range, too: no bucket, a full share. */
	p->bucket = random_below(&random, 8) ? random_magnitude(&random, 20) :
		    random_below(&random, 2) * BUCKET_MAX;
	p->share[0] = random_below(&random, 8) ? random_below(&random, SHARE_MAX) :
		      random_below(&random, 2) * SHARE_MAX;
	for (i = CATS_URGENCY_MAX; i > 0; i--) {
		p->share[i] = 1 + random_below(&random, min(left - i + 1, 1U << (3 + i)));
		left -= p->share[i];
	}
}

static void wfq_from(u64 random, struct cats_wfq_params *p)
{
	unsigned int bits = random_below(&random, 25);
	unsigned int i;

	for (i = 0; i < CATS_NR_URGENCIES; i++)
		p->weight[i] = random_magnitude(&random, bits);
}

void params_from(u32 value, struct params *p)
{
	debt_from(value, &p->debt);
	bounded_from(value, &p->bounded);
	wfq_from(value, &p->wfq);
}

static void debt_break(unsigned int how, struct cats_debt_params *p)
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

static void bounded_break(unsigned int how, struct cats_bounded_params *p)
{
	unsigned int i = 1 + how / 16 % CATS_URGENCY_MAX;
	u32 *const fields[] = {
		&p->bucket, &p->share[0], &p->share[i], &p->share[i], &p->share[i],
	};
	/* The other six have at least 1 each. */
	const u32 values[] = { BUCKET_MAX + 1, SHARE_MAX + 1, 0, SHARE_MAX - 5, ~0U };

	*fields[how % ARRAY_SIZE(fields)] = values[how % ARRAY_SIZE(values)];
}

/* Makes all of @p invalid in the way @how. */
void params_break(unsigned int how, struct params *p)
{
	debt_break(how, &p->debt);
	bounded_break(how, &p->bounded);
	p->wfq.weight[how / 2 % CATS_NR_URGENCIES] = how % 2 ? 0 : WEIGHT_MAX + 1;
}
