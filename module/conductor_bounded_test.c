// SPDX-License-Identifier: GPL-2.0
/* Unit tests of the Conductor "bounded". */
#include "conductor_test.h"

#define LEN	1000

/* No bucket and the least shares, but what the case changes. */
static void set_shares(struct kunit *test, struct bench *b, u32 bucket, u32 share_0,
		       u32 share)
{
	struct cats_bounded_params p = { .bucket = bucket };
	unsigned int i;

	for (i = 1; i < CATS_NR_URGENCIES; i++)
		p.share[i] = share;
	p.share[0] = share_0;
	KUNIT_EXPECT_EQ(test, cats_bounded_set_params(&b->c, &p), CATS_REASON_NONE);
}

static void bounded__class_0_within_its_bucket(struct kunit *test)
{
	struct bench *b = bench_new(&cats_bounded);
	unsigned int i;

	/* All others are due after 10 messages; 20 of class 0 go first. */
	set_shares(test, b, 20 * LEN, 0, 103);
	for (i = 0; i < 20; i++)
		KUNIT_EXPECT_EQ(test, take_class(b, 0xff), 0);
	KUNIT_EXPECT_EQ(test, take_class(b, 0xff), 1);
	KUNIT_EXPECT_EQ(test, take_class(b, 0xff), 2);
}

/* Of all bytes that go, those of others too, class 0 may send its share first. */
static void bounded__bucket_fills(struct kunit *test)
{
	struct bench *b = bench_new(&cats_bounded);
	unsigned int i;

	set_shares(test, b, LEN, 512, 142);
	KUNIT_EXPECT_EQ(test, take_class(b, 0xff), 0);
	/* 512 left, then overdrawn by 488 - 500 of its own. */
	KUNIT_EXPECT_EQ(test, take_class(b, 0xff), 0);
	for (i = 0; i < 50; i++)
		take_class(b, 0xff);
	KUNIT_EXPECT_GE(test, b->c.classes[0].sent_msgs, 26);
	KUNIT_EXPECT_LE(test, b->c.classes[0].sent_msgs, 52);
}

/* However a message is cut it is paid for whole, or class 0 would shut out the rest. */
static void bounded__pieces_are_paid_for(struct kunit *test)
{
	struct bench *b = bench_new(&cats_bounded);
	struct cats_msg *m;
	unsigned int i;

	set_shares(test, b, 1000, 512, 16);
	for (i = 0; i < 4000; i++) {
		refill(b, BIT(0) | BIT(7), 16384);
		m = cats_conductor_next(&b->c);
		cats_conductor_commit(&b->c, m, 8190 + i % 2 * 4, 0);
	}
	KUNIT_EXPECT_LE(test, waits_of(b, 7).gap_bytes, waits_of(b, 7).bound_bytes);
	KUNIT_EXPECT_GE(test, b->c.classes[7].sent_msgs, 10);
}

/* Of those that are due the one that was served least recently is first. */
static void bounded__least_recently_served(struct kunit *test)
{
	struct bench *b = bench_new(&cats_bounded);

	set_shares(test, b, 0, 0, 103);
	put(b, 2, LEN);
	take(b);
	put(b, 1, LEN);
	take(b);
	put(b, 1, LEN);
	put(b, 2, LEN);
	put(b, 0, 10 * LEN);
	KUNIT_EXPECT_EQ(test, take(b)->urgency, 0);
	put(b, 0, 10 * LEN);
	KUNIT_EXPECT_EQ(test, take(b)->urgency, 2);
	KUNIT_EXPECT_EQ(test, take(b)->urgency, 1);
	KUNIT_EXPECT_EQ(test, take(b)->urgency, 0);
}

/* Who begins to wait has earned nothing yet. */
static void bounded__arrives_without_credit(struct kunit *test)
{
	struct bench *b = bench_new(&cats_bounded);
	unsigned int i;

	set_shares(test, b, 0, 0, 103);
	put(b, 7, LEN);
	for (i = 0; i < 9; i++)
		KUNIT_EXPECT_EQ(test, take_class(b, BIT(0)), 0);
	cats_conductor_remove_first(&b->c);
	refill(b, BIT(0) | BIT(7), LEN);
	for (i = 0; i < 9; i++)
		KUNIT_EXPECT_EQ(test, take_class(b, BIT(0) | BIT(7)), 0);
}

static void bounded__guarantees_the_share(struct kunit *test)
{
	struct bench *b = bench_new(&cats_bounded);
	unsigned int i, n = 20000;

	for (i = 0; i < n; i++)
		take_class(b, 0xff);
	/* 1 of 64 each; class 0 all the rest. */
	for (i = 1; i < CATS_NR_URGENCIES; i++) {
		KUNIT_EXPECT_GE(test, b->c.classes[i].sent_msgs, n / 64 - n / 800);
		KUNIT_EXPECT_LE(test, b->c.classes[i].sent_msgs, n / 64 + n / 800);
	}
	KUNIT_EXPECT_GE(test, b->c.classes[0].sent_msgs, n * 8 / 10);
}

static void bounded__bounds(struct kunit *test)
{
	struct bench *b = bench_new(&cats_bounded);

	put(b, 3, 16384);
	/* 64 * M + 7 * M + 2 * (2 * M + 3 * M) */
	KUNIT_EXPECT_EQ(test, waits_of(b, 7).bound_bytes, 81 * 16384);
	KUNIT_EXPECT_EQ(test, waits_of(b, 0).bound_bytes, 2 * 16384);
	/* A bucket of less than a message: 64 * M + 8 * M + 2 * (1 + 3 * M) */
	set_shares(test, b, 1, 512, 16);
	KUNIT_EXPECT_EQ(test, waits_of(b, 7).bound_bytes, 78 * 16384 + 2);
	/* One that fills so fast that messages of others are what counts: 78 * M + 7 * 4 */
	set_shares(test, b, 1, 768, 16);
	KUNIT_EXPECT_EQ(test, waits_of(b, 7).bound_bytes, 78 * 16384 + 28);
	/* None: class 0 is last of the urgent if all others are due. */
	set_shares(test, b, 0, 512, 16);
	KUNIT_EXPECT_EQ(test, waits_of(b, 1).bound_bytes, 71 * 16384);
	KUNIT_EXPECT_EQ(test, waits_of(b, 0).bound_bytes, CATS_NO_BOUND);
	set_shares(test, b, 1000, 0, 16);
	KUNIT_EXPECT_EQ(test, waits_of(b, 0).bound_bytes, CATS_NO_BOUND);
}

/* A message of class 0 that began under another policy is paid for. */
static void bounded__change_inside_a_message(struct kunit *test)
{
	struct bench *b = bench_new(&cats_strict);
	struct cats_msg *m = put(b, 0, 100000);

	cats_conductor_commit(&b->c, m, 1, 0);
	cats_conductor_set_ops(&b->c, &cats_bounded);
	set_shares(test, b, 1000, 0, 142);
	refill(b, BIT(7), LEN);
	KUNIT_EXPECT_EQ(test, take_class(b, BIT(0) | BIT(7)), 0);
	KUNIT_EXPECT_EQ(test, take_class(b, BIT(0) | BIT(7)), 7);
}

static void params__roundtrip(struct kunit *test)
{
	struct bench *b = bench_new(&cats_bounded);
	struct cats_bounded_params p, q;

	KUNIT_ASSERT_TRUE(test, cats_bounded_get_params(&b->c, &p));
	KUNIT_EXPECT_EQ(test, p.share[0], 512);
	KUNIT_EXPECT_EQ(test, p.share[7], 16);
	KUNIT_EXPECT_EQ(test, p.bucket, 32768);
	p.share[0] = 1000;
	p.share[7] = 904;
	p.bucket = BIT(30);
	KUNIT_EXPECT_EQ(test, cats_bounded_set_params(&b->c, &p), CATS_REASON_NONE);
	KUNIT_EXPECT_TRUE(test, cats_bounded_get_params(&b->c, &q));
	KUNIT_EXPECT_EQ(test, memcmp(&p, &q, sizeof(p)), 0);
}

/* One field out of range; nothing may change. */
static void expect_refused(struct kunit *test, size_t offset, u32 value)
{
	struct bench *b = bench_new(&cats_bounded);
	struct cats_bounded_params p, before, after;

	cats_bounded_get_params(&b->c, &before);
	p = before;
	memcpy((char *)&p + offset, &value, sizeof(value));
	KUNIT_EXPECT_NE(test, cats_bounded_set_params(&b->c, &p), CATS_REASON_NONE);
	cats_bounded_get_params(&b->c, &after);
	KUNIT_EXPECT_EQ(test, memcmp(&before, &after, sizeof(before)), 0);
}

static void params__refused(struct kunit *test)
{
	expect_refused(test, offsetof(struct cats_bounded_params, share[0]), 1001);
	expect_refused(test, offsetof(struct cats_bounded_params, share[1]), 0);
	expect_refused(test, offsetof(struct cats_bounded_params, share[7]), 1001);
	expect_refused(test, offsetof(struct cats_bounded_params, share[7]), ~0U);
	/* 905 and six times 16 */
	expect_refused(test, offsetof(struct cats_bounded_params, share[4]), 905);
	expect_refused(test, offsetof(struct cats_bounded_params, bucket), BIT(30) + 1);
}

static void params__only_bounded(struct kunit *test)
{
	struct bench *b = bench_new(&cats_bounded);
	struct cats_bounded_params p;

	cats_bounded_get_params(&b->c, &p);
	cats_conductor_set_ops(&b->c, &cats_wfq);
	KUNIT_EXPECT_FALSE(test, cats_bounded_get_params(&b->c, &p));
	KUNIT_EXPECT_NE(test, cats_bounded_set_params(&b->c, &p), CATS_REASON_NONE);
}

static struct kunit_case conductor_bounded_cases[] = {
	KUNIT_CASE(bounded__class_0_within_its_bucket),
	KUNIT_CASE(bounded__bucket_fills),
	KUNIT_CASE(bounded__pieces_are_paid_for),
	KUNIT_CASE(bounded__least_recently_served),
	KUNIT_CASE(bounded__arrives_without_credit),
	KUNIT_CASE(bounded__guarantees_the_share),
	KUNIT_CASE(bounded__bounds),
	KUNIT_CASE(bounded__change_inside_a_message),
	KUNIT_CASE(params__roundtrip),
	KUNIT_CASE(params__refused),
	KUNIT_CASE(params__only_bounded),
	{}
};

static struct kunit_suite conductor_bounded_suite = {
	.name = "conductor_bounded",
	.test_cases = conductor_bounded_cases,
};

kunit_test_suite(conductor_bounded_suite);
