// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of shedding: the rate, the thresholds, and what goes first.
 */
#include <linux/inet_diag.h>

#include "pair_test.h"

#define BYTES	1000

/* A congestion control that tells of itself as BBR does, or as another. */
static u64 told_rate;
static int told_attr;

static size_t tell(struct sock *sk, u32 ext, int *attr, union tcp_cc_info *info)
{
	if (!told_attr)
		return 0;
	*attr = told_attr;
	memset(info, 0, sizeof(*info));
	info->bbr.bbr_bw_lo = told_rate;
	info->bbr.bbr_bw_hi = told_rate >> 32;
	return sizeof(info->bbr);
}

static void rate__what_it_is(struct kunit *test)
{
	static const u64 large = 5000000000;
	struct pair *p = test->priv;
	struct inet_connection_sock *icsk = inet_csk(p->sk);
	const struct tcp_congestion_ops *saved = icsk->icsk_ca_ops;
	struct tcp_congestion_ops ca = *saved;

	ca.get_info = NULL;
	icsk->icsk_ca_ops = &ca;
	p->sk->sk_pacing_rate = 12345;
	KUNIT_EXPECT_EQ(test, cats_rate(p->sk), 12345);
	ca.get_info = tell;
	told_attr = 0;
	KUNIT_EXPECT_EQ(test, cats_rate(p->sk), 12345);
	told_attr = INET_DIAG_DCTCPINFO;
	KUNIT_EXPECT_EQ(test, cats_rate(p->sk), 12345);
	told_attr = INET_DIAG_BBRINFO;
	told_rate = large;
	KUNIT_EXPECT_EQ(test, cats_rate(p->sk), large);
	told_rate = 0;
	KUNIT_EXPECT_EQ(test, cats_rate(p->sk), 0);
	ca.get_info = NULL;
	p->sk->sk_pacing_rate = ~0UL;
	KUNIT_EXPECT_EQ(test, cats_rate(p->sk), 0);
	icsk->icsk_ca_ops = saved;
}

static void refuses__from_the_threshold(struct kunit *test)
{
	struct pair *p = test->priv;

	p->cs->admit = (struct cats_admit) { .threshold = 2 * BYTES, .refuse = BIT(7) };
	pair_queue(p, 0, 1, 2 * BYTES - 1);
	KUNIT_EXPECT_FALSE(test, cats_admit_refuses(p->cs, 7));
	KUNIT_EXPECT_EQ(test, p->cs->drops[7].refused, 0);
	/* What is held counts as well. */
	p->cs->held_bytes = 1;
	KUNIT_EXPECT_TRUE(test, cats_admit_refuses(p->cs, 7));
	KUNIT_EXPECT_FALSE(test, cats_admit_refuses(p->cs, 6));
	KUNIT_EXPECT_EQ(test, p->cs->drops[7].refused, 1);
	KUNIT_EXPECT_EQ(test, p->cs->drops[6].refused, 0);
	p->cs->held_bytes = 0;
}

static void drops__what_could_be_sent(struct kunit *test)
{
	struct pair *p = test->priv;

	KUNIT_EXPECT_FALSE(test, cats_admit_drops(p->sk, p->cs, 7, BYTES));
	p->cs->admit = (struct cats_admit) { .threshold = BYTES, .drop = BIT(7) };
	KUNIT_EXPECT_FALSE(test, cats_admit_drops(p->sk, p->cs, 7, BYTES));
	pair_queue(p, 0, 1, BYTES);
	KUNIT_EXPECT_TRUE(test, cats_admit_drops(p->sk, p->cs, 7, BYTES));
	KUNIT_EXPECT_FALSE(test, cats_admit_drops(p->sk, p->cs, 6, BYTES));
	KUNIT_EXPECT_FALSE(test, cats_admit_drops(p->sk, p->cs, 7, SZ_2M));
}

/* Of several calls: only if all were tagged. */
static void drop_whole__tagged_only(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = pair_msg(p, 7);

	KUNIT_EXPECT_NOT_NULL(test, m);
	if (!m || pair_copy(p, m, 1, BYTES))
		return;
	m->has_writer = false;
	m->tag.urgency = 7;
	p->cs->held_bytes = BYTES;
	p->cs->admit.drop = BIT(7);
	KUNIT_EXPECT_FALSE(test, cats_drop_whole(p->sk, p->cs, m));
	m->whole = true;
	p->cs->admit.threshold = 1;
	KUNIT_EXPECT_FALSE(test, cats_drop_whole(p->sk, p->cs, m));
	p->cs->admit.threshold = 0;
	pair_disown(p, m);
	KUNIT_EXPECT_TRUE(test, cats_drop_whole(p->sk, p->cs, m));
	KUNIT_EXPECT_EQ(test, p->cs->drops[7].shed, 1);
	KUNIT_EXPECT_EQ(test, p->cs->held_bytes, 0);
	KUNIT_EXPECT_EQ(test, p->cs->mem, 0);
}

static void queue_whole(struct pair *p, unsigned int urgency, unsigned int n)
{
	struct cats_txmsg *m;

	while (n--) {
		m = pair_queue(p, urgency, 1, BYTES);
		if (m)
			m->whole = true;
	}
}

/* At a rate of a message per ms. */
static void shed(struct pair *p, u8 which, u32 max_ms)
{
	p->sk->sk_pacing_rate = BYTES * MSEC_PER_SEC;
	p->cs->admit = (struct cats_admit) {
		.shed = which, .max_delay_us = max_ms * USEC_PER_MSEC,
	};
	cats_shed(p->sk, p->cs);
}

static u32 queued(const struct pair *p, unsigned int urgency)
{
	return p->cs->conductor.classes[urgency].queued_msgs;
}

static void shed__least_urgent_first(struct kunit *test)
{
	struct pair *p = test->priv;

	queue_whole(p, 2, 3);
	queue_whole(p, 5, 3);
	queue_whole(p, 7, 3);
	shed(p, 0xff, 9);
	KUNIT_EXPECT_EQ(test, p->cs->conductor.queued_bytes, 9 * BYTES);
	shed(p, 0xff, 8);
	KUNIT_EXPECT_EQ(test, queued(p, 7), 2);
	shed(p, 0xff, 5);
	KUNIT_EXPECT_EQ(test, queued(p, 7), 0);
	KUNIT_EXPECT_EQ(test, queued(p, 5), 2);
	KUNIT_EXPECT_EQ(test, queued(p, 2), 3);
	KUNIT_EXPECT_EQ(test, p->cs->drops[7].shed, 3);
	KUNIT_EXPECT_EQ(test, p->cs->drops[5].shed, 1);
	/* Not what is not in the rule, however much it is. */
	shed(p, BIT(5), 1);
	KUNIT_EXPECT_EQ(test, queued(p, 5), 0);
	KUNIT_EXPECT_EQ(test, queued(p, 2), 3);
}

static void shed__oldest_first(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *first, *second;

	first = pair_queue(p, 7, 1, BYTES);
	second = pair_queue(p, 7, 2, BYTES);
	if (!first || !second)
		return;
	first->whole = true;
	second->whole = true;
	shed(p, BIT(7), 1);
	KUNIT_EXPECT_EQ(test, queued(p, 7), 1);
	KUNIT_EXPECT_FALSE(test, list_empty(&second->msg.node));
}

static void shed__no_rule_or_no_rate(struct kunit *test)
{
	struct pair *p = test->priv;

	queue_whole(p, 7, 3);
	shed(p, 0xff, 0);
	KUNIT_EXPECT_EQ(test, queued(p, 7), 3);
	shed(p, 0, 1);
	KUNIT_EXPECT_EQ(test, queued(p, 7), 3);
	p->cs->admit.shed = 0xff;
	p->sk->sk_pacing_rate = ~0UL;
	cats_shed(p->sk, p->cs);
	KUNIT_EXPECT_EQ(test, queued(p, 7), 3);
}

/* Nothing untagged, nothing behind it, and nothing that has begun. */
static void shed__what_must_be_sent(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_conductor *c = &p->cs->conductor;

	queue_whole(p, 7, 1);
	cats_conductor_commit(c, cats_conductor_next(c), 1, ktime_get_ns());
	queue_whole(p, 7, 1);
	pair_queue(p, 7, 1, BYTES);
	queue_whole(p, 7, 1);
	shed(p, 0xff, 1);
	KUNIT_EXPECT_EQ(test, queued(p, 7), 3);
	KUNIT_EXPECT_EQ(test, p->cs->drops[7].shed, 1);
}

static struct kunit_case shed_cases[] = {
	KUNIT_CASE(rate__what_it_is),
	KUNIT_CASE(refuses__from_the_threshold),
	KUNIT_CASE(drops__what_could_be_sent),
	KUNIT_CASE(drop_whole__tagged_only),
	KUNIT_CASE(shed__least_urgent_first),
	KUNIT_CASE(shed__oldest_first),
	KUNIT_CASE(shed__no_rule_or_no_rate),
	KUNIT_CASE(shed__what_must_be_sent),
	{}
};

static struct kunit_suite shed_suite = {
	.name = "shed",
	.suite_init = pair_suite_init,
	.suite_exit = pair_suite_exit,
	.init = pair_init,
	.exit = pair_exit,
	.test_cases = shed_cases,
};

kunit_test_suite(shed_suite);
