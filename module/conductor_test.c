// SPDX-License-Identifier: GPL-2.0
/* Unit tests of the Conductor, and of the policies "strict" and "debt". */
#include <linux/math64.h>

#include "conductor_test.h"

static void find__known_and_unknown(struct kunit *test)
{
	KUNIT_EXPECT_PTR_EQ(test, cats_conductor_find("strict"), &cats_strict);
	KUNIT_EXPECT_PTR_EQ(test, cats_conductor_find("debt"), &cats_debt);
	KUNIT_EXPECT_PTR_EQ(test, cats_conductor_find("debt-paper"),
			    &cats_debt_paper);
	KUNIT_EXPECT_PTR_EQ(test, cats_conductor_find("debt-refcode"),
			    &cats_debt_refcode);
	KUNIT_EXPECT_PTR_EQ(test, cats_conductor_find("bounded"), &cats_bounded);
	KUNIT_EXPECT_PTR_EQ(test, cats_conductor_find("wfq"), &cats_wfq);
	KUNIT_EXPECT_PTR_EQ(test, cats_conductor_find("edf"), &cats_edf);
	KUNIT_EXPECT_PTR_EQ(test, cats_conductor_find("deb"), NULL);
	KUNIT_EXPECT_PTR_EQ(test, cats_conductor_find(""), NULL);
}

static void next__empty(struct kunit *test)
{
	struct bench *b = bench_new(&cats_strict);

	KUNIT_EXPECT_TRUE(test, cats_conductor_empty(&b->c));
	KUNIT_EXPECT_PTR_EQ(test, cats_conductor_next(&b->c), NULL);
	KUNIT_EXPECT_PTR_EQ(test, cats_conductor_remove_first(&b->c), NULL);
}

static void next__most_urgent_first(struct kunit *test)
{
	struct bench *b = bench_new(&cats_strict);
	unsigned int i;

	for (i = 0; i < CATS_NR_URGENCIES; i++)
		put(b, CATS_URGENCY_MAX - i, 100);
	for (i = 0; i < CATS_NR_URGENCIES; i++) {
		struct cats_msg *m = take(b);

		KUNIT_ASSERT_NOT_NULL(test, m);
		KUNIT_EXPECT_EQ(test, m->urgency, i);
	}
	KUNIT_EXPECT_TRUE(test, cats_conductor_empty(&b->c));
}

static void next__order_within_class(struct kunit *test)
{
	struct bench *b = bench_new(&cats_debt);
	struct cats_msg *first = put(b, 3, 10), *second = put(b, 3, 20);
	struct cats_msg *third = put(b, 3, 30);

	KUNIT_EXPECT_PTR_EQ(test, take(b), first);
	KUNIT_EXPECT_PTR_EQ(test, take(b), second);
	KUNIT_EXPECT_PTR_EQ(test, take(b), third);
}

static void next__decides_late(struct kunit *test)
{
	struct bench *b = bench_new(&cats_strict);
	struct cats_msg *bulk = put(b, 7, 1000), *urgent;

	KUNIT_EXPECT_PTR_EQ(test, cats_conductor_next(&b->c), bulk);
	urgent = put(b, 0, 10);
	KUNIT_EXPECT_PTR_EQ(test, cats_conductor_next(&b->c), urgent);
}

static void commit__begun_message_is_contiguous(struct kunit *test)
{
	struct bench *b = bench_new(&cats_strict);
	struct cats_msg *bulk = put(b, 7, 1000), *urgent;

	KUNIT_EXPECT_FALSE(test, cats_conductor_commit(&b->c, bulk, 1, 0));
	urgent = put(b, 0, 10);
	KUNIT_EXPECT_PTR_EQ(test, cats_conductor_next(&b->c), bulk);
	KUNIT_EXPECT_FALSE(test, cats_conductor_commit(&b->c, bulk, 998, 0));
	KUNIT_EXPECT_PTR_EQ(test, cats_conductor_next(&b->c), bulk);
	KUNIT_EXPECT_TRUE(test, cats_conductor_commit(&b->c, bulk, 1, 0));
	KUNIT_EXPECT_PTR_EQ(test, cats_conductor_next(&b->c), urgent);
}

static void commit__counts(struct kunit *test)
{
	struct bench *b = bench_new(&cats_strict);
	struct cats_class_info info;
	struct cats_msg *m;

	b->now = 5000;
	m = put(b, 2, 300);
	put(b, 2, 50);
	cats_conductor_commit(&b->c, m, 100, 12000);
	cats_conductor_get_info(&b->c, 2, 12000, &info);
	KUNIT_EXPECT_EQ(test, info.queued_msgs, 2);
	KUNIT_EXPECT_EQ(test, info.queued_bytes, 250);
	KUNIT_EXPECT_EQ(test, info.sent_msgs, 0);
	KUNIT_EXPECT_EQ(test, info.sent_bytes, 100);
	KUNIT_EXPECT_EQ(test, info.longest_wait_us, 7);
	KUNIT_EXPECT_EQ(test, b->c.queued_bytes, 250);
	cats_conductor_commit(&b->c, m, 200, 99000);
	cats_conductor_get_info(&b->c, 2, 99000, &info);
	KUNIT_EXPECT_EQ(test, info.queued_msgs, 1);
	KUNIT_EXPECT_EQ(test, info.sent_msgs, 1);
	/* The second still waits, longer than the first did. */
	KUNIT_EXPECT_EQ(test, info.longest_wait_us, 94);
}

/* What waits behind a message that has begun waits as well. */
static void get_info__waits_behind_a_begun_message(struct kunit *test)
{
	struct bench *b = bench_new(&cats_strict);
	struct cats_class_info info;
	struct cats_msg *m;

	m = put(b, 2, 300);
	put(b, 2, 50);
	cats_conductor_commit(&b->c, m, 1, 3000);
	cats_conductor_get_info(&b->c, 2, 90000, &info);
	KUNIT_EXPECT_EQ(test, info.longest_wait_us, 90);
}

static void open__stalls_until_extended_or_closed(struct kunit *test)
{
	struct bench *b = bench_new(&cats_strict);
	struct cats_msg *m = msg_of(b, 3, 100), *urgent;

	m->open = true;
	cats_conductor_enqueue(&b->c, m, NULL, 0);
	KUNIT_EXPECT_FALSE(test, cats_conductor_commit(&b->c, m, 100, 0));
	urgent = put(b, 0, 10);
	KUNIT_EXPECT_TRUE(test, cats_conductor_stalled(&b->c));
	KUNIT_EXPECT_PTR_EQ(test, cats_conductor_next(&b->c), NULL);
	cats_conductor_extend(&b->c, m, 5);
	KUNIT_EXPECT_PTR_EQ(test, cats_conductor_next(&b->c), m);
	KUNIT_EXPECT_FALSE(test, cats_conductor_commit(&b->c, m, 5, 0));
	KUNIT_EXPECT_TRUE(test, cats_conductor_close_msg(&b->c, m, b->now));
	KUNIT_EXPECT_PTR_EQ(test, cats_conductor_next(&b->c), urgent);
}

static void open__not_begun_does_not_stall(struct kunit *test)
{
	struct bench *b = bench_new(&cats_strict);
	struct cats_msg *m = msg_of(b, 3, 100), *urgent;

	m->open = true;
	cats_conductor_enqueue(&b->c, m, NULL, 0);
	urgent = put(b, 0, 10);
	KUNIT_EXPECT_PTR_EQ(test, take(b), urgent);
	KUNIT_EXPECT_FALSE(test, cats_conductor_close_msg(&b->c, m, b->now));
	KUNIT_EXPECT_PTR_EQ(test, take(b), m);
}

/* What went by leaves the same behind as what was queued and committed. */
static void pass__as_if_queued(struct kunit *test)
{
	static u64 priv[CATS_CONDUCTOR_PRIV_SIZE / sizeof(u64)];
	struct cats_class_info queued[CATS_NR_URGENCIES], passed;
	struct bench *b;
	unsigned int p, i, u;

	for (p = 0; p < CATS_NR_CONDUCTORS; p++) {
		b = bench_new(cats_conductors[p]);
		for (i = 0; i < 200; i++) {
			put(b, i * 5 % CATS_NR_URGENCIES, 1 + i * 997 % 20000);
			take(b);
		}
		for (u = 0; u < CATS_NR_URGENCIES; u++)
			cats_conductor_get_info(&b->c, u, b->now, &queued[u]);
		memcpy(priv, b->c.priv, sizeof(priv));
		b = bench_new(cats_conductors[p]);
		for (i = 0; i < 200; i++)
			cats_conductor_pass(&b->c, i * 5 % CATS_NR_URGENCIES,
					    1 + i * 997 % 20000);
		KUNIT_EXPECT_TRUE(test, cats_conductor_empty(&b->c));
		KUNIT_EXPECT_EQ(test, memcmp(priv, b->c.priv, sizeof(priv)), 0);
		for (u = 0; u < CATS_NR_URGENCIES; u++) {
			cats_conductor_get_info(&b->c, u, b->now, &passed);
			KUNIT_EXPECT_EQ(test, memcmp(&passed, &queued[u], sizeof(passed)), 0);
		}
	}
}

static void remove_first__takes_all(struct kunit *test)
{
	struct bench *b = bench_new(&cats_debt);
	struct cats_msg *bulk = put(b, 7, 1000);

	cats_conductor_commit(&b->c, bulk, 400, 0);
	put(b, 0, 10);
	put(b, 7, 20);
	while (cats_conductor_remove_first(&b->c))
		;
	KUNIT_EXPECT_TRUE(test, cats_conductor_empty(&b->c));
	KUNIT_EXPECT_EQ(test, b->c.queued_bytes, 0);
	KUNIT_EXPECT_EQ(test, b->c.classes[7].queued_bytes, 0);
	KUNIT_EXPECT_EQ(test, b->c.classes[7].sent_bytes, 400);
	KUNIT_EXPECT_EQ(test, b->c.classes[7].sent_msgs, 0);
	KUNIT_EXPECT_PTR_EQ(test, b->c.current_msg, NULL);
}

static void set_ops__keeps_messages(struct kunit *test)
{
	struct bench *b = bench_new(&cats_strict);
	struct cats_msg *first = put(b, 5, 10), *second = put(b, 5, 10);

	cats_conductor_commit(&b->c, first, 1, 0);
	cats_conductor_set_ops(&b->c, &cats_debt);
	KUNIT_EXPECT_PTR_EQ(test, take(b), first);
	KUNIT_EXPECT_PTR_EQ(test, take(b), second);
}

static u64 debt_of(struct bench *b, unsigned int urgency)
{
	struct cats_class_info info;

	cats_conductor_get_info(&b->c, urgency, 0, &info);
	return info.debt;
}

static bool in_debt(struct bench *b, unsigned int urgency)
{
	struct cats_class_info info;

	cats_conductor_get_info(&b->c, urgency, 0, &info);
	return info.flags & CATS_CLASS_F_IN_DEBT;
}

static void debt__urgent_blocked_at_high(struct kunit *test)
{
	struct bench *b = bench_new(&cats_debt_paper);
	unsigned int i;

	for (i = 0; i < 60; i++)
		KUNIT_EXPECT_EQ(test, take_class(b, BIT(0) | BIT(7)), 0);
	KUNIT_EXPECT_EQ(test, debt_of(b, 0), 60000);
	KUNIT_EXPECT_TRUE(test, in_debt(b, 0));
	/* 0.4 per byte: 75 messages bring it to low, the 76th below. */
	for (i = 0; i < 76; i++)
		KUNIT_EXPECT_EQ(test, take_class(b, BIT(0) | BIT(7)), 7);
	KUNIT_EXPECT_EQ(test, debt_of(b, 0), 29600);
	KUNIT_EXPECT_FALSE(test, in_debt(b, 0));
	KUNIT_EXPECT_EQ(test, take_class(b, BIT(0) | BIT(7)), 0);
}

/* Each byte pays by the multiplier of the class that sends it. */
static void debt__sender_sets_the_payback(struct kunit *test)
{
	struct bench *b = bench_new(&cats_debt_paper);

	put(b, 0, 10000);
	take(b);
	put(b, 1, 10000);
	take(b);
	KUNIT_EXPECT_EQ(test, debt_of(b, 0), 0);
	KUNIT_EXPECT_EQ(test, debt_of(b, 1), 10000);
	put(b, 5, 1000);
	take(b);
	KUNIT_EXPECT_EQ(test, debt_of(b, 1), 9200);
	put(b, 7, 1000);
	take(b);
	KUNIT_EXPECT_EQ(test, debt_of(b, 1), 8800);
	KUNIT_EXPECT_EQ(test, debt_of(b, 5), 600);
}

static void debt__payback_not_below_zero(struct kunit *test)
{
	struct bench *b = bench_new(&cats_debt);

	put(b, 0, 1000);
	put(b, 7, 10000);
	take(b);
	take(b);
	KUNIT_EXPECT_EQ(test, debt_of(b, 0), 0);
}

static void debt__fractions_are_exact(struct kunit *test)
{
	struct bench *b = bench_new(&cats_debt);
	unsigned int i;

	/* 5 times 1 byte at 0.4 pays 2 bytes of class 5's debt. */
	put(b, 5, 10);
	take(b);
	for (i = 0; i < 5; i++) {
		put(b, 7, 1);
		take(b);
	}
	KUNIT_EXPECT_EQ(test, debt_of(b, 5), 8);
}

static void debt__least_urgent_never_accrues(struct kunit *test)
{
	struct bench *b = bench_new(&cats_debt);

	put(b, 7, 1000000);
	take(b);
	KUNIT_EXPECT_EQ(test, debt_of(b, 7), 0);
	KUNIT_EXPECT_FALSE(test, in_debt(b, 7));
}

static void debt__redistributes_when_all_in_debt(struct kunit *test)
{
	struct bench *b = bench_new(&cats_debt_paper);

	put(b, 0, 90000);
	take(b);
	KUNIT_EXPECT_TRUE(test, in_debt(b, 0));
	put(b, 0, 10);
	/* Alone and in debt: keeps 2.0 / 6.0 of 90000, not below low; again. */
	KUNIT_ASSERT_NOT_NULL(test, take(b));
	KUNIT_EXPECT_EQ(test, debt_of(b, 0), 10010);
	KUNIT_EXPECT_FALSE(test, in_debt(b, 0));
}

static void debt__redistribution_spares_idle_classes(struct kunit *test)
{
	struct bench *b = bench_new(&cats_debt_paper);

	put(b, 1, 60000);
	take(b);
	put(b, 0, 61000);
	take(b);
	put(b, 0, 1);
	take(b);
	KUNIT_EXPECT_EQ(test, debt_of(b, 1), 60000);
	KUNIT_EXPECT_TRUE(test, in_debt(b, 1));
}

static void debt__ends_with_a_pick_from_any_debt(struct kunit *test)
{
	struct bench *b = bench_new(&cats_debt_refcode);
	unsigned int i;

	for (i = 0; i < CATS_URGENCY_MAX; i++) {
		put(b, i, 0x7fffffff);
		take(b);
	}
	for (i = 0; i < CATS_URGENCY_MAX; i++)
		put(b, i, 1);
	for (i = 0; i < CATS_URGENCY_MAX; i++)
		KUNIT_EXPECT_TRUE(test, take(b));
}

/*
 * X(j) and B(k) of the head of conductor_debt.c, in bytes, rounded up; from
 * @params, not from the policy's state.
 */
static u64 starvation_bound(const struct cats_debt_params *p, unsigned int k,
			    u32 msg_max)
{
	u64 sum = 0, paid = 0, x;
	int j;

	for (j = k - 1; j >= 0; j--) {
		x = p->high[j] + msg_max + div_u64(paid + 999, 1000);
		paid += x * p->payback[j];
		sum += x;
	}
	return sum;
}

static u64 longest_gap(struct bench *b, unsigned int victim, unsigned int picks)
{
	u64 gap = 0, longest = 0;
	unsigned int i;

	for (i = 0; i < picks; i++) {
		if (take_class(b, 0xff) == victim)
			gap = 0;
		else
			gap += 1000;
		longest = max(longest, gap);
	}
	return longest;
}

static void debt__bound_of_least_urgent(struct kunit *test)
{
	struct bench *b = bench_new(&cats_debt);
	struct cats_debt_params p;
	u64 longest;

	KUNIT_ASSERT_TRUE(test, cats_debt_get_params(&b->c, &p));
	longest = longest_gap(b, 7, 200000);
	KUNIT_EXPECT_LE(test, longest, starvation_bound(&p, 7, 1000));
	KUNIT_EXPECT_LE(test, starvation_bound(&p, 7, 1000), waits_of(b, 7).bound_bytes);
	KUNIT_EXPECT_GE(test, starvation_bound(&p, 7, 1000) + 100, waits_of(b, 7).bound_bytes);
	/* Served at all, and everybody was saturated before. */
	KUNIT_EXPECT_GT(test, b->c.classes[7].sent_msgs, 0);
	KUNIT_EXPECT_GT(test, longest, p.high[0]);
}

static void debt__bound_of_most_urgent(struct kunit *test)
{
	struct bench *b = bench_new(&cats_debt);
	u64 bound = (120000 + 1000 - 60000) * 10 / 4 + 1000;

	KUNIT_EXPECT_LE(test, longest_gap(b, 0, 200000), bound);
	KUNIT_EXPECT_EQ(test, waits_of(b, 0).bound_bytes, bound + 1);
}

/* From changed parameters on it is the debt at that moment that has to be paid. */
static void debt__bound_after_new_parameters(struct kunit *test)
{
	struct bench *b = bench_new(&cats_debt);
	struct cats_debt_params p;

	put(b, 0, 1000000);
	take(b);
	cats_debt_get_params(&b->c, &p);
	KUNIT_EXPECT_EQ(test, cats_debt_set_params(&b->c, &p), CATS_REASON_NONE);
	KUNIT_EXPECT_EQ(test, waits_of(b, 0).bound_bytes,
			(2000000 - 60000) * 10 / 4 + 1 + 1000000);
}

/* A bound that does not fit 64 bits is none. */
static void debt__bound_saturates(struct kunit *test)
{
	struct bench *b = bench_new(&cats_debt);
	struct cats_debt_params p;
	unsigned int i;

	cats_debt_get_params(&b->c, &p);
	for (i = 0; i < CATS_URGENCY_MAX; i++) {
		p.high[i] = BIT(30);
		p.low[i] = 1;
		p.payback[i] = 1000000;
	}
	p.payback_sum = 2000000;
	KUNIT_EXPECT_EQ(test, cats_debt_set_params(&b->c, &p), CATS_REASON_NONE);
	put(b, 7, 0x7fffffff);
	KUNIT_EXPECT_EQ(test, waits_of(b, 7).bound_bytes, CATS_NO_BOUND);
	KUNIT_EXPECT_EQ(test, waits_of(b, 6).bound_bytes, CATS_NO_BOUND);
	KUNIT_EXPECT_LT(test, waits_of(b, 1).bound_bytes, 1ULL << 60);
}

static void strict__starves(struct kunit *test)
{
	struct bench *b = bench_new(&cats_strict);

	KUNIT_EXPECT_EQ(test, longest_gap(b, 7, 100000), 100000ULL * 1000);
}

static void params__roundtrip(struct kunit *test)
{
	struct bench *b = bench_new(&cats_debt_paper);
	struct cats_debt_params p, q;

	KUNIT_ASSERT_TRUE(test, cats_debt_get_params(&b->c, &p));
	KUNIT_EXPECT_EQ(test, p.high[0], 60000);
	KUNIT_EXPECT_EQ(test, p.low[5], 12000);
	KUNIT_EXPECT_EQ(test, p.payback[3], 1200);
	p.high[0] = 1000;
	p.low[0] = 500;
	p.payback_sum = 0;
	KUNIT_EXPECT_EQ(test, cats_debt_set_params(&b->c, &p), CATS_REASON_NONE);
	cats_debt_get_params(&b->c, &q);
	KUNIT_EXPECT_EQ(test, q.high[0], 1000);
	KUNIT_EXPECT_EQ(test, q.payback_sum, 9000);
}

static void params__take_effect(struct kunit *test)
{
	struct bench *b = bench_new(&cats_debt);
	struct cats_debt_params p;

	cats_debt_get_params(&b->c, &p);
	p.high[0] = 2000;
	p.low[0] = 1000;
	KUNIT_EXPECT_EQ(test, cats_debt_set_params(&b->c, &p), CATS_REASON_NONE);
	KUNIT_EXPECT_EQ(test, take_class(b, BIT(0) | BIT(7)), 0);
	KUNIT_EXPECT_EQ(test, take_class(b, BIT(0) | BIT(7)), 0);
	KUNIT_EXPECT_EQ(test, take_class(b, BIT(0) | BIT(7)), 7);
}

/* One field out of range; nothing may change. */
static void expect_refused(struct kunit *test, size_t offset, u32 value)
{
	struct bench *b = bench_new(&cats_debt);
	struct cats_debt_params p, before, after;

	cats_debt_get_params(&b->c, &before);
	p = before;
	memcpy((char *)&p + offset, &value, sizeof(value));
	KUNIT_EXPECT_NE(test, cats_debt_set_params(&b->c, &p), CATS_REASON_NONE);
	cats_debt_get_params(&b->c, &after);
	KUNIT_EXPECT_EQ(test, memcmp(&before, &after, sizeof(before)), 0);
}

static void params__refused(struct kunit *test)
{
	expect_refused(test, offsetof(struct cats_debt_params, high[0]), 0);
	expect_refused(test, offsetof(struct cats_debt_params, high[2]),
		       BIT(30) + 1);
	expect_refused(test, offsetof(struct cats_debt_params, low[1]), 0);
	expect_refused(test, offsetof(struct cats_debt_params, low[1]), 96001);
	expect_refused(test, offsetof(struct cats_debt_params, high[7]), 1);
	expect_refused(test, offsetof(struct cats_debt_params, low[7]), 1);
	expect_refused(test, offsetof(struct cats_debt_params, payback[7]), 0);
	expect_refused(test, offsetof(struct cats_debt_params, payback[0]),
		       1000001);
	expect_refused(test, offsetof(struct cats_debt_params, payback_sum), 3999);
	expect_refused(test, offsetof(struct cats_debt_params, payback[0]), ~0U);
}

static void params__only_debt_family(struct kunit *test)
{
	struct bench *b = bench_new(&cats_debt_refcode);
	struct cats_debt_params p;

	KUNIT_EXPECT_TRUE(test, cats_debt_get_params(&b->c, &p));
	KUNIT_EXPECT_EQ(test, p.high[1], 30000);
	KUNIT_EXPECT_EQ(test, p.payback[7], 2000);
	KUNIT_EXPECT_EQ(test, p.payback_sum, 5250);
	cats_conductor_set_ops(&b->c, &cats_strict);
	KUNIT_EXPECT_FALSE(test, cats_debt_get_params(&b->c, &p));
	KUNIT_EXPECT_NE(test, cats_debt_set_params(&b->c, &p), CATS_REASON_NONE);
}

static struct kunit_case conductor_cases[] = {
	KUNIT_CASE(find__known_and_unknown),
	KUNIT_CASE(next__empty),
	KUNIT_CASE(next__most_urgent_first),
	KUNIT_CASE(next__order_within_class),
	KUNIT_CASE(next__decides_late),
	KUNIT_CASE(commit__begun_message_is_contiguous),
	KUNIT_CASE(commit__counts),
	KUNIT_CASE(get_info__waits_behind_a_begun_message),
	KUNIT_CASE(open__stalls_until_extended_or_closed),
	KUNIT_CASE(open__not_begun_does_not_stall),
	KUNIT_CASE(pass__as_if_queued),
	KUNIT_CASE(remove_first__takes_all),
	KUNIT_CASE(set_ops__keeps_messages),
	KUNIT_CASE(debt__urgent_blocked_at_high),
	KUNIT_CASE(debt__sender_sets_the_payback),
	KUNIT_CASE(debt__payback_not_below_zero),
	KUNIT_CASE(debt__fractions_are_exact),
	KUNIT_CASE(debt__least_urgent_never_accrues),
	KUNIT_CASE(debt__redistributes_when_all_in_debt),
	KUNIT_CASE(debt__redistribution_spares_idle_classes),
	KUNIT_CASE(debt__ends_with_a_pick_from_any_debt),
	KUNIT_CASE(debt__bound_of_least_urgent),
	KUNIT_CASE(debt__bound_of_most_urgent),
	KUNIT_CASE(debt__bound_after_new_parameters),
	KUNIT_CASE(debt__bound_saturates),
	KUNIT_CASE(strict__starves),
	KUNIT_CASE(params__roundtrip),
	KUNIT_CASE(params__take_effect),
	KUNIT_CASE(params__refused),
	KUNIT_CASE(params__only_debt_family),
	{}
};

static struct kunit_suite conductor_suite = {
	.name = "conductor",
	.test_cases = conductor_cases,
};

kunit_test_suite(conductor_suite);
