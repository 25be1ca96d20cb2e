// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the first flight: what is held and for how long, batches, and all
 * that ends either.
 */
#include "netns.h"
#include "pair_test.h"

/* 128 ms, as TCP has it. */
#define SRTT	(128000 << 3)

static int flight_init(struct kunit *test)
{
	int err = pair_init(test);
	struct pair *p = test->priv;

	if (err)
		return err;
	tcp_sk(p->sk)->srtt_us = SRTT;
	cats_conductor_set_ops(&p->cs->conductor, &cats_strict);
	return 0;
}

static void flight_exit(struct kunit *test)
{
	cats_net(&init_net)->first_flight = 1000;
	pair_exit(test);
}

/* Without softirqs, in which the timer would come. */
static bool begins_hold(struct pair *p, unsigned int urgency, bool batch)
{
	bool begins;

	local_bh_disable();
	cats_flight_begin(p->sk, p->cs, urgency, batch);
	begins = p->cs->holding;
	cats_flight_stop(p->sk, p->cs);
	local_bh_enable();
	return begins;
}

static void hold__length(struct kunit *test)
{
	static const struct {
		u32	srtt;
		int	first_flight;
		u32	us;
	} rows[] = {
		{ SRTT, 1000, 1000 },
		{ SRTT - (1 << 10), 1000, 999 },
		{ 10 << 10, 1000, 10 },
		{ (10 << 10) - 1, 1000, 0 },
		{ 0, 1000, 0 },
		{ U32_MAX, 1000, 1000 },
		{ U32_MAX, 400, 400 },
		{ SRTT, 10, 10 },
		{ SRTT, 9, 0 },
		{ SRTT, 0, 0 },
	};
	struct pair *p = test->priv;
	ktime_t before, after, expires;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		tcp_sk(p->sk)->srtt_us = rows[i].srtt;
		cats_net(&init_net)->first_flight = rows[i].first_flight;
		local_bh_disable();
		before = ktime_get();
		cats_flight_begin(p->sk, p->cs, 4, false);
		after = ktime_get();
		expires = hrtimer_get_expires(&p->cs->hold_timer);
		KUNIT_EXPECT_EQ_MSG(test, p->cs->holding, rows[i].us > 0, "row %u", i);
		cats_flight_stop(p->sk, p->cs);
		local_bh_enable();
		KUNIT_EXPECT_FALSE(test, p->cs->holding);
		if (!rows[i].us)
			continue;
		KUNIT_EXPECT_GE(test, expires - before, (s64)rows[i].us * NSEC_PER_USEC);
		KUNIT_EXPECT_LE(test, expires - after, (s64)rows[i].us * NSEC_PER_USEC);
	}
}

static void hold__less_urgent_than_the_default(struct kunit *test)
{
	struct pair *p = test->priv;
	unsigned int u;

	for (u = 0; u < CATS_NR_URGENCIES; u++)
		KUNIT_EXPECT_EQ(test, begins_hold(p, u, false), u > 3);
	KUNIT_EXPECT_FALSE(test, begins_hold(p, 7, true));
}

/* Something queued, unfinished, unsent or in flight: not idle. */
static void hold__only_when_idle(struct kunit *test)
{
	struct pair *p = test->priv;

	p->cs->held_bytes = 1;
	KUNIT_EXPECT_FALSE(test, begins_hold(p, 7, false));
	p->cs->held_bytes = 0;
	pair_queue(p, 7, 1, 100);
	KUNIT_EXPECT_FALSE(test, begins_hold(p, 7, false));
	cats_feed(p->sk, p->cs);
	KUNIT_EXPECT_EQ(test, cats_unsent(p->sk), 100);
	KUNIT_EXPECT_TRUE(test, cats_conductor_empty(&p->cs->conductor));
	KUNIT_EXPECT_FALSE(test, begins_hold(p, 7, false));
	cats_flight_begin(p->sk, p->cs, 7, true);
	KUNIT_EXPECT_FALSE(test, p->cs->batch);
	pair_drop(p);
	pair_await_acks(p);
	pair_hold(p);
	tcp_sk(p->sk)->srtt_us = SRTT;
	KUNIT_EXPECT_TRUE(test, begins_hold(p, 7, false));
	cats_flight_begin(p->sk, p->cs, 7, true);
	KUNIT_EXPECT_TRUE(test, p->cs->batch);
}

/* One reference while the timer is pending, however often a hold begins. */
static void hold__references(struct kunit *test)
{
	struct pair *p = test->priv;
	int refs = refcount_read(&p->sk->sk_refcnt);

	local_bh_disable();
	cats_flight_begin(p->sk, p->cs, 7, false);
	cats_flight_begin(p->sk, p->cs, 7, false);
	KUNIT_EXPECT_TRUE(test, hrtimer_is_queued(&p->cs->hold_timer));
	KUNIT_EXPECT_EQ(test, refcount_read(&p->sk->sk_refcnt), refs + 1);
	cats_flight_end(p->sk, p->cs);
	KUNIT_EXPECT_TRUE(test, hrtimer_is_queued(&p->cs->hold_timer));
	cats_flight_begin(p->sk, p->cs, 7, false);
	KUNIT_EXPECT_EQ(test, refcount_read(&p->sk->sk_refcnt), refs + 1);
	cats_flight_stop(p->sk, p->cs);
	KUNIT_EXPECT_FALSE(test, hrtimer_is_queued(&p->cs->hold_timer));
	KUNIT_EXPECT_EQ(test, refcount_read(&p->sk->sk_refcnt), refs);
	cats_flight_stop(p->sk, p->cs);
	local_bh_enable();
	KUNIT_EXPECT_EQ(test, refcount_read(&p->sk->sk_refcnt), refs);
}

static void may_go__by_class(struct kunit *test)
{
	struct pair *p = test->priv;
	unsigned int u;

	for (u = 0; u < CATS_NR_URGENCIES; u++) {
		KUNIT_EXPECT_TRUE(test, cats_may_go(p->cs, u));
		p->cs->holding = true;
		KUNIT_EXPECT_EQ(test, cats_may_go(p->cs, u), u <= 3);
		p->cs->batch = true;
		KUNIT_EXPECT_FALSE(test, cats_may_go(p->cs, u));
		p->cs->holding = false;
		KUNIT_EXPECT_FALSE(test, cats_may_go(p->cs, u));
		p->cs->batch = false;
	}
}

/* What comes meanwhile and is urgent goes at once; the rest is still held. */
static void held__urgent_goes(struct kunit *test)
{
	struct pair *p = test->priv;

	p->cs->holding = true;
	pair_queue(p, 7, 0x77, 500);
	cats_feed(p->sk, p->cs);
	KUNIT_EXPECT_EQ(test, cats_unsent(p->sk), 0);
	KUNIT_EXPECT_FALSE(test, timer_pending(&p->cs->timer));
	KUNIT_EXPECT_TRUE(test, test_bit(SOCK_NOSPACE, &p->near->flags));
	pair_queue(p, 4, 0x44, 500);
	cats_feed(p->sk, p->cs);
	KUNIT_EXPECT_EQ(test, cats_unsent(p->sk), 0);
	pair_queue(p, 3, 0x33, 500);
	cats_feed(p->sk, p->cs);
	KUNIT_EXPECT_TRUE(test, pair_queue_has(p, 0, 0x33, 500));
	KUNIT_EXPECT_EQ(test, cats_unsent(p->sk), 500);
	KUNIT_EXPECT_TRUE(test, p->cs->holding);
	cats_write_space(p->sk);
	KUNIT_EXPECT_EQ(test, cats_unsent(p->sk), 500);
	p->cs->holding = false;
	cats_write_space(p->sk);
	KUNIT_EXPECT_TRUE(test, pair_queue_has(p, 500, 0x44, 500));
	KUNIT_EXPECT_TRUE(test, pair_queue_has(p, 1000, 0x77, 500));
}

static unsigned int pick_least_urgent(struct cats_conductor *c)
{
	return __fls(c->waiting);
}

/* The policy lets it go first: then the urgent do not wait for the hold. */
static void held__turn_before_the_urgent(struct kunit *test)
{
	static const struct cats_conductor_ops backwards = {
		.name = "backwards", .pick = pick_least_urgent,
	};
	struct pair *p = test->priv;

	cats_conductor_set_ops(&p->cs->conductor, &backwards);
	p->cs->holding = true;
	pair_queue(p, 7, 0x77, 500);
	pair_queue(p, 5, 0x55, 500);
	cats_feed(p->sk, p->cs);
	KUNIT_EXPECT_EQ(test, cats_unsent(p->sk), 0);
	pair_queue(p, 0, 0x10, 500);
	cats_feed(p->sk, p->cs);
	KUNIT_EXPECT_TRUE(test, pair_queue_has(p, 0, 0x77, 500));
	KUNIT_EXPECT_TRUE(test, pair_queue_has(p, 500, 0x55, 500));
	KUNIT_EXPECT_TRUE(test, pair_queue_has(p, 1000, 0x10, 500));
	cats_conductor_set_ops(&p->cs->conductor, &cats_strict);
}

/* An unfinished message does not begin while its class is held. */
static void held__unfinished(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = pair_msg(p, 6);

	KUNIT_EXPECT_NOT_NULL(test, m);
	if (!m)
		return;
	KUNIT_EXPECT_EQ(test, pair_copy(p, m, 0x66, 5000), 0);
	p->cs->held_bytes += 5000;
	m->has_writer = false;
	pair_disown(p, m);
	p->cs->holding = true;
	cats_chain_leave(p->sk, p->cs, m);
	cats_feed(p->sk, p->cs);
	KUNIT_EXPECT_FALSE(test, m->was_queued);
	KUNIT_EXPECT_EQ(test, cats_unsent(p->sk), 0);
	cats_feed_all(p->sk, p->cs);
	KUNIT_EXPECT_FALSE(test, p->cs->holding);
	KUNIT_EXPECT_TRUE(test, m->was_queued);
	KUNIT_EXPECT_GT(test, cats_unsent(p->sk), 0);
	sk_stop_timer(p->sk, &p->cs->timer);
}

/* As the timer does it; the reference that the timer has is dropped. */
static void fire(struct pair *p)
{
	sock_hold(p->sk);
	local_bh_disable();
	KUNIT_EXPECT_EQ(p->test, p->cs->hold_timer.function(&p->cs->hold_timer),
			HRTIMER_NORESTART);
	local_bh_enable();
}

static void timer__feeds(struct kunit *test)
{
	struct pair *p = test->priv;
	u8 data[700];

	p->cs->holding = true;
	pair_queue(p, 7, 0x5a, sizeof(data));
	cats_feed(p->sk, p->cs);
	pair_drop(p);
	fire(p);
	KUNIT_EXPECT_FALSE(test, p->cs->holding);
	KUNIT_EXPECT_EQ(test, pair_read(p, data, sizeof(data)), (int)sizeof(data));
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(data, 0x5a, sizeof(data)), NULL);
}

/* The real one, in its time. */
static void timer__comes(struct kunit *test)
{
	struct pair *p = test->priv;
	u8 data[700];

	cats_flight_begin(p->sk, p->cs, 7, false);
	pair_queue(p, 7, 0x5b, sizeof(data));
	cats_feed(p->sk, p->cs);
	pair_drop(p);
	KUNIT_EXPECT_EQ(test, pair_read(p, data, sizeof(data)), (int)sizeof(data));
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(data, 0x5b, sizeof(data)), NULL);
	KUNIT_EXPECT_FALSE(test, p->cs->holding);
}

/* Somebody owns the socket: as soon as he lets go. */
static void timer__owned(struct kunit *test)
{
	struct pair *p = test->priv;
	u8 data[700];

	p->cs->holding = true;
	pair_queue(p, 7, 0x5c, sizeof(data));
	fire(p);
	KUNIT_EXPECT_FALSE(test, p->cs->holding);
	KUNIT_EXPECT_TRUE(test, p->cs->hold_over);
	KUNIT_EXPECT_EQ(test, cats_unsent(p->sk), 0);
	pair_drop(p);
	KUNIT_EXPECT_FALSE(test, p->cs->hold_over);
	KUNIT_EXPECT_EQ(test, pair_read(p, data, sizeof(data)), (int)sizeof(data));
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(data, 0x5c, sizeof(data)), NULL);
}

/* The socket is no longer ours, or the hold ended early: hands off. */
static void timer__too_late(struct kunit *test)
{
	struct pair *p = test->priv;
	int refs = refcount_read(&p->sk->sk_refcnt);

	pair_queue(p, 7, 1, 100);
	p->cs->holding = true;
	p->sk->sk_write_space = p->write_space;
	pair_drop(p);
	fire(p);
	pair_hold(p);
	KUNIT_EXPECT_TRUE(test, p->cs->holding);
	p->sk->sk_write_space = cats_write_space;
	p->cs->holding = false;
	pair_drop(p);
	fire(p);
	pair_hold(p);
	KUNIT_EXPECT_FALSE(test, p->cs->hold_over);
	KUNIT_EXPECT_FALSE(test, cats_conductor_empty(&p->cs->conductor));
	KUNIT_EXPECT_EQ(test, refcount_read(&p->sk->sk_refcnt), refs);
}

static void batch__goes_when_complete(struct kunit *test)
{
	struct pair *p = test->priv;
	unsigned int u;

	cats_flight_begin(p->sk, p->cs, 7, true);
	for (u = CATS_NR_URGENCIES; u-- > 0;) {
		pair_queue(p, u, 0xb0 + u, 100);
		cats_feed(p->sk, p->cs);
	}
	KUNIT_EXPECT_EQ(test, cats_unsent(p->sk), 0);
	KUNIT_EXPECT_FALSE(test, hrtimer_is_queued(&p->cs->hold_timer));
	/* In case that it is never completed. */
	KUNIT_EXPECT_TRUE(test, timer_pending(&p->cs->timer));
	cats_batch_end(p->sk, p->cs);
	for (u = 0; u < CATS_NR_URGENCIES; u++)
		KUNIT_EXPECT_TRUE(test, pair_queue_has(p, 100 * u, 0xb0 + u, 100));
	sk_stop_timer(p->sk, &p->cs->timer);
}

/* Nothing to end: nothing is fed. */
static void batch__none(struct kunit *test)
{
	struct pair *p = test->priv;

	pair_queue(p, 0, 1, 100);
	cats_batch_end(p->sk, p->cs);
	KUNIT_EXPECT_EQ(test, cats_unsent(p->sk), 0);
}

static void batch__given_up(struct kunit *test)
{
	struct pair *p = test->priv;
	u8 data[100];

	cats_flight_begin(p->sk, p->cs, 7, true);
	pair_queue(p, 7, 0x5d, sizeof(data));
	cats_feed(p->sk, p->cs);
	KUNIT_EXPECT_TRUE(test, timer_pending(&p->cs->timer));
	KUNIT_EXPECT_LE(test, p->cs->timer.expires - jiffies, (unsigned long)HZ / 5);
	pair_drop(p);
	KUNIT_EXPECT_EQ(test, pair_read(p, data, sizeof(data)), (int)sizeof(data));
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(data, 0x5d, sizeof(data)), NULL);
	KUNIT_EXPECT_FALSE(test, p->cs->batch);
}

/* Before a FIN, and where the connection is gone. */
static void end__of_the_connection(struct kunit *test)
{
	struct pair *p = test->priv;

	p->cs->holding = true;
	p->cs->batch = true;
	pair_queue(p, 7, 0x77, 100);
	cats_drain(p->sk, p->cs);
	KUNIT_EXPECT_TRUE(test, pair_queue_has(p, 0, 0x77, 100));
	pair_queue(p, 7, 0x77, 100);
	cats_purge(p->sk, p->cs);
	KUNIT_EXPECT_FALSE(test, p->cs->holding);
	KUNIT_EXPECT_FALSE(test, p->cs->batch);
}

static struct kunit_case flight_cases[] = {
	KUNIT_CASE(hold__length),
	KUNIT_CASE(hold__less_urgent_than_the_default),
	KUNIT_CASE(hold__only_when_idle),
	KUNIT_CASE(hold__references),
	KUNIT_CASE(may_go__by_class),
	KUNIT_CASE(held__urgent_goes),
	KUNIT_CASE(held__turn_before_the_urgent),
	KUNIT_CASE(held__unfinished),
	KUNIT_CASE(timer__feeds),
	KUNIT_CASE(timer__comes),
	KUNIT_CASE(timer__owned),
	KUNIT_CASE(timer__too_late),
	KUNIT_CASE(batch__goes_when_complete),
	KUNIT_CASE(batch__none),
	KUNIT_CASE(batch__given_up),
	KUNIT_CASE(end__of_the_connection),
	{}
};

static struct kunit_suite flight_suite = {
	.name = "first_flight",
	.suite_init = pair_suite_init,
	.suite_exit = pair_suite_exit,
	.init = flight_init,
	.exit = flight_exit,
	.test_cases = flight_cases,
};

kunit_test_suite(flight_suite);
