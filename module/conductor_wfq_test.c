// SPDX-License-Identifier: GPL-2.0
/* Unit tests of the Conductor "wfq". */
#include "conductor_test.h"

static void set_weights(struct kunit *test, struct bench *b, u32 first, u32 others)
{
	struct cats_wfq_params p;
	unsigned int i;

	p.weight[0] = first;
	for (i = 1; i < CATS_NR_URGENCIES; i++)
		p.weight[i] = others;
	KUNIT_EXPECT_EQ(test, cats_wfq_set_params(&b->c, &p), CATS_REASON_NONE);
}

static void wfq__shares_are_the_weights(struct kunit *test)
{
	struct bench *b = bench_new(&cats_wfq);
	struct cats_wfq_params p;
	unsigned int i;
	u64 must;

	KUNIT_ASSERT_TRUE(test, cats_wfq_get_params(&b->c, &p));
	for (i = 0; i < 20000; i++)
		take_class(b, 0xff);
	for (i = 0; i < CATS_NR_URGENCIES; i++) {
		must = b->c.sent_bytes / 32640 * p.weight[i];
		KUNIT_EXPECT_LE(test, b->c.classes[i].sent_bytes, must + p.weight[i] + 1000);
		KUNIT_EXPECT_GE(test, b->c.classes[i].sent_bytes + p.weight[i] + 1000, must);
	}
}

static void wfq__most_urgent_first_in_a_round(struct kunit *test)
{
	struct bench *b = bench_new(&cats_wfq);
	unsigned int i;

	set_weights(test, b, 1000, 1000);
	for (i = 0; i < 16; i++)
		KUNIT_EXPECT_EQ(test, take_class(b, 0xff), i % 8);
}

/* Asking for the next message makes rounds pass only once. */
static void wfq__asking_again(struct kunit *test)
{
	struct bench *b = bench_new(&cats_wfq);
	unsigned int i;

	set_weights(test, b, 10, 10);
	refill(b, 0xff, 1000);
	take(b);
	for (i = 0; i < 1000; i++)
		KUNIT_EXPECT_EQ(test, cats_conductor_next(&b->c)->urgency, 1);
}

/* As many rounds as it takes, at once, and in proportion. */
static void wfq__small_weights(struct kunit *test)
{
	struct bench *b = bench_new(&cats_wfq);
	unsigned int i;

	set_weights(test, b, 3, 1);
	for (i = 0; i < 4000; i++) {
		refill(b, BIT(0) | BIT(1), 1 << 20);
		take(b);
	}
	KUNIT_EXPECT_GE(test, b->c.classes[0].sent_msgs, 2998);
	KUNIT_EXPECT_LE(test, b->c.classes[0].sent_msgs, 3002);
}

/* Who has nothing to send when a round ends saves nothing up. */
static void wfq__nobody_saves_up(struct kunit *test)
{
	struct bench *b = bench_new(&cats_wfq);
	unsigned int i;

	set_weights(test, b, 5000, 5000);
	KUNIT_EXPECT_EQ(test, take_class(b, BIT(0) | BIT(1)), 0);
	/* Class 0 goes away with 4000 left; the round ends without it. */
	for (i = 0; i < 6; i++)
		KUNIT_EXPECT_EQ(test, take_class(b, BIT(1)), 1);
	for (i = 0; i < 5; i++)
		KUNIT_EXPECT_EQ(test, take_class(b, BIT(0) | BIT(1)), i < 4);
}

/* Who writes one message at a time has all of his round. */
static void wfq__one_at_a_time(struct kunit *test)
{
	struct bench *b = bench_new(&cats_wfq);
	unsigned int i;

	set_weights(test, b, 3000, 2000);
	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_EQ(test, take_class(b, BIT(0) | BIT(1)), i % 5 >= 3);
}

/* What a class sent too much it still owes when it comes back. */
static void wfq__debts_stay(struct kunit *test)
{
	struct bench *b = bench_new(&cats_wfq);
	unsigned int i;

	set_weights(test, b, 1000, 1000);
	put(b, 0, 10000);
	take(b);
	for (i = 0; i < 9; i++)
		KUNIT_EXPECT_EQ(test, take_class(b, BIT(0) | BIT(1)), 1);
}

/* What a class may send under the old weights must not exceed the new ones. */
static void wfq__new_weights_bind(struct kunit *test)
{
	struct bench *b = bench_new(&cats_wfq);

	set_weights(test, b, BIT(24), 1000);
	KUNIT_EXPECT_EQ(test, take_class(b, 0xff), 0);
	set_weights(test, b, 1000, 1000);
	KUNIT_EXPECT_EQ(test, take_class(b, 0xff), 0);
	KUNIT_EXPECT_EQ(test, take_class(b, 0xff), 1);
}

static void wfq__bounds(struct kunit *test)
{
	struct bench *b = bench_new(&cats_wfq);

	put(b, 3, 16384);
	/* 1 round: 128 + ... + 8192 and 7 messages */
	KUNIT_EXPECT_EQ(test, waits_of(b, 0).bound_bytes, 16256 + 7 * 16384);
	/* 128 rounds, and what is left of one: 129 * (256 + ... + 16384) */
	KUNIT_EXPECT_EQ(test, waits_of(b, 7).bound_bytes, 129 * 32512 + 7 * 16384);
}

static void params__roundtrip(struct kunit *test)
{
	struct bench *b = bench_new(&cats_wfq);
	struct cats_wfq_params p, q;

	KUNIT_ASSERT_TRUE(test, cats_wfq_get_params(&b->c, &p));
	KUNIT_EXPECT_EQ(test, p.weight[0], 16384);
	KUNIT_EXPECT_EQ(test, p.weight[7], 128);
	p.weight[0] = 1;
	p.weight[7] = BIT(24);
	KUNIT_EXPECT_EQ(test, cats_wfq_set_params(&b->c, &p), CATS_REASON_NONE);
	KUNIT_EXPECT_TRUE(test, cats_wfq_get_params(&b->c, &q));
	KUNIT_EXPECT_EQ(test, memcmp(&p, &q, sizeof(p)), 0);
}

static void params__refused(struct kunit *test)
{
	struct bench *b = bench_new(&cats_wfq);
	struct cats_wfq_params before, p, after;

	cats_wfq_get_params(&b->c, &before);
	p = before;
	p.weight[3] = 0;
	KUNIT_EXPECT_NE(test, cats_wfq_set_params(&b->c, &p), CATS_REASON_NONE);
	p.weight[3] = BIT(24) + 1;
	KUNIT_EXPECT_NE(test, cats_wfq_set_params(&b->c, &p), CATS_REASON_NONE);
	cats_wfq_get_params(&b->c, &after);
	KUNIT_EXPECT_EQ(test, memcmp(&before, &after, sizeof(before)), 0);
	cats_conductor_set_ops(&b->c, &cats_bounded);
	KUNIT_EXPECT_NE(test, cats_wfq_set_params(&b->c, &before), CATS_REASON_NONE);
	KUNIT_EXPECT_FALSE(test, cats_wfq_get_params(&b->c, &p));
}

static struct kunit_case conductor_wfq_cases[] = {
	KUNIT_CASE(wfq__shares_are_the_weights),
	KUNIT_CASE(wfq__most_urgent_first_in_a_round),
	KUNIT_CASE(wfq__asking_again),
	KUNIT_CASE(wfq__small_weights),
	KUNIT_CASE(wfq__nobody_saves_up),
	KUNIT_CASE(wfq__one_at_a_time),
	KUNIT_CASE(wfq__debts_stay),
	KUNIT_CASE(wfq__new_weights_bind),
	KUNIT_CASE(wfq__bounds),
	KUNIT_CASE(params__roundtrip),
	KUNIT_CASE(params__refused),
	{}
};

static struct kunit_suite conductor_wfq_suite = {
	.name = "conductor_wfq",
	.test_cases = conductor_wfq_cases,
};

kunit_test_suite(conductor_wfq_suite);
