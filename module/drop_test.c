// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of messages that expire, are replaced, cancelled or moved.
 */
#include "pair_test.h"

/* A complete message of @bytes that waits. */
static struct cats_txmsg *queue(struct pair *p, const struct cats_tag *tag, u32 bytes)
{
	struct cats_txmsg *m = pair_msg_tag(p, tag);

	KUNIT_EXPECT_NOT_NULL(p->test, m);
	if (!m)
		return NULL;
	KUNIT_EXPECT_EQ(p->test, pair_copy(p, m, 1, bytes), 0);
	pair_disown(p, m);
	m->has_writer = false;
	m->whole = true;
	m->was_queued = true;
	m->msg.len = bytes;
	cats_enqueue(p->sk, p->cs, m);
	return m;
}

static u32 queued(struct pair *p, unsigned int urgency)
{
	return p->cs->conductor.classes[urgency].queued_msgs;
}

static void expire__only_when_it_is_time(struct kunit *test)
{
	struct cats_tag hour = { .lifetime_us = 3600U * USEC_PER_SEC };
	struct cats_tag never = {}, soon = { .lifetime_us = 1 };
	struct pair *p = test->priv;

	queue(p, &hour, 10);
	queue(p, &never, 10);
	KUNIT_EXPECT_FALSE(test, cats_expire(p->sk, p->cs));
	KUNIT_EXPECT_TRUE(test, timer_pending(&p->cs->timer));
	KUNIT_EXPECT_TRUE(test, time_after(p->cs->timer.expires, jiffies + 3500UL * HZ));
	queue(p, &soon, 25);
	KUNIT_EXPECT_TRUE(test, time_before(p->cs->timer.expires, jiffies + HZ));
	udelay(2);
	KUNIT_EXPECT_TRUE(test, cats_expire(p->sk, p->cs));
	KUNIT_EXPECT_FALSE(test, cats_expire(p->sk, p->cs));
	KUNIT_EXPECT_EQ(test, queued(p, 0), 2U);
	KUNIT_EXPECT_EQ(test, p->cs->dropped_bytes, 25U);
}

/* The Feeder does not ask for what has expired. */
static void expire__before_it_is_fed(struct kunit *test)
{
	struct cats_tag soon = { .lifetime_us = 1 };
	struct pair *p = test->priv;
	u32 seq = tcp_sk(p->sk)->write_seq;

	queue(p, &soon, 100);
	udelay(2);
	cats_feed(p->sk, p->cs);
	KUNIT_EXPECT_EQ(test, tcp_sk(p->sk)->write_seq, seq);
	KUNIT_EXPECT_EQ(test, queued(p, 0), 0U);
}

static void replace__all_that_have_the_cookie(struct kunit *test)
{
	struct cats_tag tag = { .urgency = 4, .cookie = 3 };
	struct pair *p = test->priv;
	struct cats_txmsg *m;

	queue(p, &tag, 10);
	queue(p, &tag, 20);
	tag.flags = CATS_F_REPLACE;
	m = queue(p, &tag, 30);
	KUNIT_EXPECT_EQ(test, queued(p, 4), 1U);
	KUNIT_EXPECT_EQ(test, p->cs->dropped_bytes, 30U);
	KUNIT_EXPECT_PTR_EQ(test, cats_conductor_next(&p->cs->conductor), &m->msg);
}

static void replace__nothing(struct kunit *test)
{
	struct cats_tag tag = { .urgency = 4, .cookie = 3, .flags = CATS_F_REPLACE };
	struct pair *p = test->priv;

	queue(p, &tag, 10);
	KUNIT_EXPECT_EQ(test, queued(p, 4), 1U);
	KUNIT_EXPECT_EQ(test, p->cs->dropped_bytes, 0U);
}

static void cancel__counts(struct kunit *test)
{
	struct cats_tag tag = { .urgency = 4, .cookie = 3, .stream = 5 };
	struct cats_change change = { .stream = 5 };
	struct pair *p = test->priv;

	queue(p, &tag, 10);
	tag.cookie = 0;
	queue(p, &tag, 20);
	KUNIT_EXPECT_EQ(test, cats_change(p->sk, p->cs, &change, true), 0);
	KUNIT_EXPECT_EQ(test, change.msgs, 2U);
	KUNIT_EXPECT_EQ(test, change.bytes, 30ULL);
	KUNIT_EXPECT_EQ(test, queued(p, 4), 0U);
	KUNIT_EXPECT_EQ(test, p->cs->mem, 0U);
}

static void cancel__refused(struct kunit *test)
{
	struct cats_change change = {};
	struct pair *p = test->priv;

	KUNIT_EXPECT_EQ(test, cats_change(p->sk, p->cs, &change, true), -EINVAL);
	KUNIT_EXPECT_EQ(test, p->cs->reason, CATS_REASON_CHANGE_WHAT);
}

static void reprioritize__moves(struct kunit *test)
{
	struct cats_tag tag = { .urgency = 4, .cookie = 3 };
	struct cats_change change = { .cookie = 3, .urgency = 6 };
	struct pair *p = test->priv;
	u32 burst = cats_burst(p->sk);

	/* In the way, or it would be fed at once. */
	tcp_sk(p->sk)->write_seq += burst;
	queue(p, &tag, 10);
	KUNIT_EXPECT_EQ(test, cats_change(p->sk, p->cs, &change, false), 0);
	KUNIT_EXPECT_EQ(test, change.msgs, 1U);
	KUNIT_EXPECT_EQ(test, queued(p, 4), 0U);
	KUNIT_EXPECT_EQ(test, queued(p, 6), 1U);
	tcp_sk(p->sk)->write_seq -= burst;
}

static struct kunit_case drop_cases[] = {
	KUNIT_CASE(expire__only_when_it_is_time),
	KUNIT_CASE(expire__before_it_is_fed),
	KUNIT_CASE(replace__all_that_have_the_cookie),
	KUNIT_CASE(replace__nothing),
	KUNIT_CASE(cancel__counts),
	KUNIT_CASE(cancel__refused),
	KUNIT_CASE(reprioritize__moves),
	{}
};

static struct kunit_suite drop_suite = {
	.name = "drop",
	.suite_init = pair_suite_init,
	.suite_exit = pair_suite_exit,
	.init = pair_init,
	.exit = pair_exit,
	.test_cases = drop_cases,
};

kunit_test_suite(drop_suite);
