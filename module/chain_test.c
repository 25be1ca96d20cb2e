// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of messages longer than one call: what continues what, what of it may
 * be sent, and when it ends.
 */
#include "pair_test.h"

#define MSS	1000
#define CEILING	(HZ / 5)

/* Budget of several segments, and a segment of 1000 bytes. */
static int chain_init(struct kunit *test)
{
	struct pair *p;
	int err;

	err = pair_init(test);
	if (err)
		return err;
	p = test->priv;
	tcp_sk(p->sk)->mss_cache = MSS;
	return 0;
}

/* A first call of @bytes with MSG_MORE; NULL without memory. */
static struct cats_txmsg *begin(struct pair *p, unsigned int urgency, bool whole,
				u8 fill, u32 bytes)
{
	struct cats_txmsg *m = pair_msg(p, urgency);

	KUNIT_EXPECT_NOT_NULL(p->test, m);
	if (!m)
		return NULL;
	KUNIT_EXPECT_EQ(p->test, pair_copy(p, m, fill, bytes), 0);
	p->cs->held_bytes += bytes;
	pair_disown(p, m);
	m->whole = whole;
	m->has_writer = false;
	cats_chain_leave(p->sk, p->cs, m);
	return m;
}

static void join__same_class(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = begin(p, 5, false, 1, 100);

	KUNIT_EXPECT_NULL(test, cats_chain_join(p->cs, 4, false));
	KUNIT_EXPECT_PTR_EQ(test, cats_chain_join(p->cs, 5, false), m);
	KUNIT_EXPECT_TRUE(test, m && m->has_writer);
	/* Another thread, meanwhile: a message of its own. */
	KUNIT_EXPECT_NULL(test, cats_chain_join(p->cs, 5, false));
	KUNIT_EXPECT_NULL(test, cats_chain_join(p->cs, 5, true));
	KUNIT_EXPECT_PTR_EQ(test, p->cs->chains[5], m);
	if (m)
		m->has_writer = false;
}

/* Tagged calls stay together; with an untagged one TCP's rules are the message's. */
static void join__whole(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = begin(p, 1, true, 1, 100);

	if (!m)
		return;
	KUNIT_EXPECT_PTR_EQ(test, cats_chain_join(p->cs, 1, true), m);
	KUNIT_EXPECT_TRUE(test, m->whole);
	m->has_writer = false;
	KUNIT_EXPECT_PTR_EQ(test, cats_chain_join(p->cs, 1, false), m);
	KUNIT_EXPECT_FALSE(test, m->whole);
	m->has_writer = false;
	/* It may have begun by now: a tagged call ends it. */
	KUNIT_EXPECT_NULL(test, cats_chain_join(p->cs, 1, true));
	KUNIT_EXPECT_PTR_EQ(test, p->cs->chains[1], NULL);
	KUNIT_EXPECT_EQ(test, p->cs->conductor.queued_bytes, 100);
	KUNIT_EXPECT_FALSE(test, m->msg.open);
	KUNIT_EXPECT_EQ(test, p->cs->held_bytes, 0);
}

/* What the Conductor does not have is counted nevertheless. */
static void leave__held(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = begin(p, 5, true, 1, 100);

	if (!m)
		return;
	KUNIT_EXPECT_TRUE(test, cats_conductor_empty(&p->cs->conductor));
	KUNIT_EXPECT_EQ(test, cats_queued_bytes(p->cs), 100);
	/* Nobody waits for a tagged one. */
	KUNIT_EXPECT_FALSE(test, timer_pending(&p->cs->timer));
	begin(p, 6, false, 1, 50);
	KUNIT_EXPECT_TRUE(test, timer_pending(&p->cs->timer));
	KUNIT_EXPECT_EQ(test, cats_queued_bytes(p->cs), 150);
}

/* Two threads leave unfinished messages of one class: the later one ends at once. */
static void leave__two_writers(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *first = begin(p, 5, false, 1, 100);
	struct cats_txmsg *second = begin(p, 5, false, 2, 200);

	KUNIT_EXPECT_PTR_EQ(test, p->cs->chains[5], first);
	KUNIT_EXPECT_TRUE(test, second && second->was_queued && !second->msg.open);
	KUNIT_EXPECT_EQ(test, p->cs->conductor.queued_bytes, 200);
	KUNIT_EXPECT_EQ(test, p->cs->held_bytes, 100);
}

/*
 * While one thread slept over a message that it continued, another wrote one of its
 * own: a third call must not get in front of that.
 */
static void leave__followed(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = begin(p, 5, false, 1, 100);

	KUNIT_EXPECT_PTR_EQ(test, cats_chain_join(p->cs, 5, false), m);
	if (!m)
		return;
	cats_chain_queue(p->cs, m, true);
	KUNIT_EXPECT_NOT_NULL(test, pair_queue(p, 5, 2, 50));
	m->has_writer = false;
	cats_chain_leave(p->sk, p->cs, m);
	KUNIT_EXPECT_PTR_EQ(test, p->cs->chains[5], NULL);
	KUNIT_EXPECT_TRUE(test, m->was_queued && !m->msg.open);
	KUNIT_EXPECT_NULL(test, cats_chain_join(p->cs, 5, false));
}

static void end__queues_it(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = begin(p, 5, true, 0x55, 700);

	if (!m)
		return;
	cats_feed(p->sk, p->cs);
	KUNIT_EXPECT_EQ(test, cats_unsent(p->sk), 0);
	cats_chain_end(p->sk, p->cs, m);
	KUNIT_EXPECT_PTR_EQ(test, p->cs->chains[5], NULL);
	KUNIT_EXPECT_EQ(test, p->cs->held_bytes, 0);
	cats_feed(p->sk, p->cs);
	KUNIT_EXPECT_TRUE(test, pair_queue_has(p, 0, 0x55, 700));
	KUNIT_EXPECT_EQ(test, p->cs->conductor.classes[5].sent_msgs, 1);
	KUNIT_EXPECT_EQ(test, p->cs->mem, 0);
}

/* All its bytes are in TCP: its end is told to TCP now. */
static void end__after_the_last_byte(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = begin(p, 5, false, 0x55, MSS);
	struct sk_buff *skb;

	if (!m)
		return;
	cats_feed(p->sk, p->cs);
	KUNIT_EXPECT_EQ(test, cats_unsent(p->sk), MSS);
	KUNIT_EXPECT_TRUE(test, cats_conductor_stalled(&p->cs->conductor));
	skb = tcp_write_queue_tail(p->sk);
	KUNIT_EXPECT_EQ(test, TCP_SKB_CB(skb)->tcp_flags & TCPHDR_PSH, 0);
	m->marks = CATS_MARK_EOR;
	cats_chain_end(p->sk, p->cs, m);
	KUNIT_EXPECT_TRUE(test, cats_conductor_empty(&p->cs->conductor));
	KUNIT_EXPECT_EQ(test, TCP_SKB_CB(skb)->tcp_flags & TCPHDR_PSH, TCPHDR_PSH);
	KUNIT_EXPECT_EQ(test, (int)TCP_SKB_CB(skb)->eor, 1);
	KUNIT_EXPECT_EQ(test, p->cs->mem, 0);
}

/* Full segments go, the rest waits: for more, for an ACK, for the end. */
static void hold__what_fills_no_segment(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = begin(p, 5, false, 0x55, 700);

	if (!m)
		return;
	KUNIT_EXPECT_EQ(test, cats_chain_hold(p->sk, m), 700);
	cats_feed(p->sk, p->cs);
	KUNIT_EXPECT_EQ(test, cats_unsent(p->sk), 0);
	KUNIT_EXPECT_FALSE(test, m->was_queued);
	KUNIT_EXPECT_PTR_EQ(test, cats_chain_join(p->cs, 5, false), m);
	/* Its writer may be about to sleep: nothing is held back from him. */
	KUNIT_EXPECT_EQ(test, cats_chain_hold(p->sk, m), 0);
	KUNIT_EXPECT_EQ(test, pair_copy(p, m, 0x55, 700), 0);
	p->cs->held_bytes += 700;
	m->has_writer = false;
	cats_chain_leave(p->sk, p->cs, m);
	KUNIT_EXPECT_EQ(test, cats_chain_hold(p->sk, m), 400);
	cats_feed(p->sk, p->cs);
	KUNIT_EXPECT_EQ(test, cats_unsent(p->sk), MSS);
	KUNIT_EXPECT_EQ(test, cats_txmsg_left(m), 400);
	/* Together with what is unsent, that is a whole number of segments. */
	KUNIT_EXPECT_EQ(test, cats_chain_hold(p->sk, m), 400);
	KUNIT_EXPECT_TRUE(test, test_bit(SOCK_NOSPACE, &p->near->flags));
	cats_write_space(p->sk);
	KUNIT_EXPECT_EQ(test, cats_unsent(p->sk), MSS + 400);
	KUNIT_EXPECT_TRUE(test, pair_queue_has(p, 0, 0x55, MSS + 400));
	KUNIT_EXPECT_TRUE(test, m->msg.open);
}

/* Inside TCP's loop, where more full segments may follow, the rest waits as well. */
static void hold__in_the_loop(struct kunit *test)
{
	struct pair *p = test->priv;

	if (!begin(p, 5, false, 0x55, 1400))
		return;
	p->cs->seen_snd_nxt = tcp_sk(p->sk)->snd_nxt - 1;
	cats_write_space(p->sk);
	KUNIT_EXPECT_EQ(test, cats_unsent(p->sk), MSS);
}

static void hold__not_after_the_end(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = begin(p, 5, false, 1, 700);

	if (!m)
		return;
	cats_chain_end(p->sk, p->cs, m);
	KUNIT_EXPECT_EQ(test, cats_chain_hold(p->sk, m), 0);
}

/* An unfinished message begins when nothing else waits, not before. */
static void begin__behind_all_others(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = begin(p, 0, false, 0x0a, MSS);

	if (!m)
		return;
	pair_queue(p, 7, 0x77, 100);
	cats_feed(p->sk, p->cs);
	KUNIT_EXPECT_TRUE(test, pair_queue_has(p, 0, 0x77, 100));
	/* 100 bytes are there already: another 900 fill a segment. */
	KUNIT_EXPECT_EQ(test, cats_unsent(p->sk), MSS);
	KUNIT_EXPECT_TRUE(test, pair_queue_has(p, 100, 0x0a, 900));
	KUNIT_EXPECT_EQ(test, cats_txmsg_left(m), 100);
	/* It has begun: the most urgent waits for its end. */
	pair_queue(p, 0, 0x01, 50);
	pair_queue(p, 7, 0x78, 50);
	cats_write_space(p->sk);
	KUNIT_EXPECT_EQ(test, cats_unsent(p->sk), MSS + 100);
	KUNIT_EXPECT_TRUE(test, cats_conductor_stalled(&p->cs->conductor));
	cats_chain_end(p->sk, p->cs, m);
	cats_feed(p->sk, p->cs);
	KUNIT_EXPECT_TRUE(test, pair_queue_has(p, MSS + 100, 0x01, 50));
	KUNIT_EXPECT_TRUE(test, pair_queue_has(p, MSS + 150, 0x78, 50));
}

static void begin__which(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *busy = begin(p, 1, false, 1, 2000), *m;

	begin(p, 0, true, 1, 2000);
	begin(p, 2, false, 1, 10);
	if (!busy)
		return;
	/* Tagged; with a writer; too short. */
	busy->has_writer = true;
	KUNIT_EXPECT_FALSE(test, cats_chain_begin(p->sk, p->cs, false));
	m = begin(p, 3, false, 1, 2000);
	KUNIT_EXPECT_TRUE(test, cats_chain_begin(p->sk, p->cs, false));
	KUNIT_EXPECT_TRUE(test, m && m->was_queued && m->msg.open);
	KUNIT_EXPECT_EQ(test, p->cs->held_bytes, 4010);
	KUNIT_EXPECT_TRUE(test, cats_chain_begin(p->sk, p->cs, true));
	KUNIT_EXPECT_EQ(test, p->cs->held_bytes, 4000);
	KUNIT_EXPECT_FALSE(test, cats_chain_begin(p->sk, p->cs, true));
	busy->has_writer = false;
}

/* As if nobody had continued @m for @age. */
static void grow_old(struct cats_txmsg *m, unsigned long age)
{
	m->touched = jiffies - age;
}

static void expire__the_old(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *old = begin(p, 5, false, 1, 100);
	struct cats_txmsg *young = begin(p, 6, false, 1, 100);
	struct cats_txmsg *busy = begin(p, 4, false, 1, 100);
	struct cats_txmsg *whole = begin(p, 3, true, 1, 100);

	if (!old || !young || !busy || !whole)
		return;
	sk_stop_timer(p->sk, &p->cs->timer);
	busy->has_writer = true;
	grow_old(old, CEILING);
	grow_old(young, CEILING / 2);
	grow_old(busy, 2 * CEILING);
	grow_old(whole, 2 * CEILING);
	cats_chain_expire(p->sk, p->cs);
	KUNIT_EXPECT_PTR_EQ(test, p->cs->chains[5], NULL);
	KUNIT_EXPECT_TRUE(test, old->was_queued && !old->msg.open);
	KUNIT_EXPECT_PTR_EQ(test, p->cs->chains[6], young);
	KUNIT_EXPECT_PTR_EQ(test, p->cs->chains[4], busy);
	KUNIT_EXPECT_PTR_EQ(test, p->cs->chains[3], whole);
	KUNIT_EXPECT_TRUE(test, timer_pending(&p->cs->timer));
	KUNIT_EXPECT_EQ(test, p->cs->timer.expires, young->touched + CEILING);
	busy->has_writer = false;
}

static void expire__nothing_left(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = begin(p, 5, false, 1, 100);

	if (!m)
		return;
	sk_stop_timer(p->sk, &p->cs->timer);
	grow_old(m, CEILING);
	cats_chain_expire(p->sk, p->cs);
	KUNIT_EXPECT_FALSE(test, timer_pending(&p->cs->timer));
}

/* The timer by itself: a forsaken message goes, and what waited for its end. */
static void expire__by_the_timer(struct kunit *test)
{
	struct pair *p = test->priv;
	u8 data[MSS + 200];

	begin(p, 5, false, 0x55, MSS + 100);
	cats_feed(p->sk, p->cs);
	pair_queue(p, 0, 0x01, 100);
	pair_drop(p);
	KUNIT_EXPECT_EQ(test, pair_read(p, data, sizeof(data)), (int)sizeof(data));
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(data, 0x55, MSS + 100), NULL);
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(data + MSS + 100, 0x01, 100), NULL);
	KUNIT_EXPECT_PTR_EQ(test, READ_ONCE(p->cs->chains[5]), NULL);
}

static void end_all__in_order(struct kunit *test)
{
	struct pair *p = test->priv;
	unsigned int u;

	cats_conductor_set_ops(&p->cs->conductor, &cats_strict);
	for (u = CATS_NR_URGENCIES; u-- > 0;)
		begin(p, u, u & 1, 0xd0 + u, 100);
	cats_drain(p->sk, p->cs);
	for (u = 0; u < CATS_NR_URGENCIES; u++) {
		KUNIT_EXPECT_TRUE(test, pair_queue_has(p, 100 * u, 0xd0 + u, 100));
		KUNIT_EXPECT_PTR_EQ(test, p->cs->chains[u], NULL);
	}
	KUNIT_EXPECT_EQ(test, cats_queued_bytes(p->cs), 0);
	KUNIT_EXPECT_EQ(test, p->cs->mem, 0);
}

/* The connection is gone: what was held goes, a writer keeps his message. */
static void drop_all__held(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = begin(p, 5, true, 1, 100);

	begin(p, 6, true, 1, 100);
	if (!m)
		return;
	KUNIT_EXPECT_PTR_EQ(test, cats_chain_join(p->cs, 5, true), m);
	cats_purge(p->sk, p->cs);
	KUNIT_EXPECT_EQ(test, p->cs->held_bytes, 0);
	KUNIT_EXPECT_PTR_EQ(test, p->cs->chains[5], NULL);
	KUNIT_EXPECT_TRUE(test, cats_txmsg_gone(m));
	KUNIT_EXPECT_EQ(test, p->cs->mem, (u32)sizeof(*m) + 100);
	m->has_writer = false;
	cats_txmsg_put(p->sk, p->cs, m);
	KUNIT_EXPECT_EQ(test, p->cs->mem, 0);
}

/* What has begun is the Conductor's. */
static void drop_all__queued(struct kunit *test)
{
	struct pair *p = test->priv;

	begin(p, 5, false, 1, 2 * MSS);
	cats_feed(p->sk, p->cs);
	cats_chain_drop_all(p->sk, p->cs);
	KUNIT_EXPECT_PTR_EQ(test, p->cs->chains[5], NULL);
	KUNIT_EXPECT_FALSE(test, cats_conductor_empty(&p->cs->conductor));
	cats_purge(p->sk, p->cs);
	KUNIT_EXPECT_TRUE(test, cats_conductor_empty(&p->cs->conductor));
	KUNIT_EXPECT_EQ(test, p->cs->mem, 0);
}

static struct kunit_case chain_cases[] = {
	KUNIT_CASE(join__same_class),
	KUNIT_CASE(join__whole),
	KUNIT_CASE(leave__held),
	KUNIT_CASE(leave__two_writers),
	KUNIT_CASE(leave__followed),
	KUNIT_CASE(end__queues_it),
	KUNIT_CASE(end__after_the_last_byte),
	KUNIT_CASE(hold__what_fills_no_segment),
	KUNIT_CASE(hold__in_the_loop),
	KUNIT_CASE(hold__not_after_the_end),
	KUNIT_CASE(begin__behind_all_others),
	KUNIT_CASE(begin__which),
	KUNIT_CASE(expire__the_old),
	KUNIT_CASE(expire__nothing_left),
	KUNIT_CASE(expire__by_the_timer),
	KUNIT_CASE(end_all__in_order),
	KUNIT_CASE(drop_all__held),
	KUNIT_CASE(drop_all__queued),
	{}
};

static struct kunit_suite chain_suite = {
	.name = "chain",
	.suite_init = pair_suite_init,
	.suite_exit = pair_suite_exit,
	.init = chain_init,
	.exit = pair_exit,
	.test_cases = chain_cases,
};

kunit_test_suite(chain_suite);
