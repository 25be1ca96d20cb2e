// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the Feeder: how much it commits, when it does, and in which order
 * it drains.
 */
#include <linux/win_minmax.h>

#include "pair_test.h"

#define MSS	1000

/**
 * struct rate - what the budget depends on, and what it must be
 * @pacing: sk_pacing_rate, bytes per second
 * @min_rtt: us
 * @gso_max_size: bytes
 * @gso_max_segs: segments
 * @want: the budget, bytes
 */
struct rate {
	unsigned long	pacing;
	u32		min_rtt;
	u32		gso_max_size;
	u32		gso_max_segs;
	u32		want;
};

static void set_rate(struct pair *p, const struct rate *rate)
{
	struct sock *sk = p->sk;

	tcp_sk(sk)->mss_cache = MSS;
	sk->sk_pacing_rate = rate->pacing;
	sk->sk_pacing_shift = 10;
	sk->sk_gso_max_size = rate->gso_max_size;
	sk->sk_gso_max_segs = rate->gso_max_segs;
	minmax_reset(&tcp_sk(sk)->rtt_min, tcp_jiffies32, rate->min_rtt);
}

/* A budget of 9 segments, and of 2, at any moment of a case. */
static const struct rate nine_segments = { 10000000, 100000, 65536, 65535, 9 * MSS };
static const struct rate two_segments = { 1000, 100000, 65536, 65535, 2 * MSS };

/* Computed by hand from the rule that the head of cats_burst() states. */
static void burst__follows_the_rate(struct kunit *test)
{
	static const struct rate rates[] = {
		/* 1 ms of the pacing rate, in whole segments. */
		{ 10000000, 100000, 65536, 65535, 9000 },
		{ 20000000, 100000, 65536, 65535, 19000 },
		/* At least tcp_min_tso_segs. */
		{ 1000, 100000, 65536, 65535, 2000 },
		{ 0, 100000, 65536, 65535, 2000 },
		/* At most what one skb may have. */
		{ ULONG_MAX, 100000, 65536, 65535, 65000 },
		{ ULONG_MAX, 0, 65536, 65535, 65000 },
		{ ULONG_MAX, 100000, 16384, 65535, 16000 },
		{ ULONG_MAX, 100000, 65536, 7, 7000 },
		{ ULONG_MAX, 100000, 65536, 0, 1000 },
		/* Short round trips: gso_max_size halves every 512 us. */
		{ 10000000, 511, 65536, 65535, 65000 },
		{ 10000000, 512, 65536, 65535, 42000 },
		{ 10000000, 1024, 65536, 65535, 26000 },
		{ 10000000, 2559, 65536, 65535, 13000 },
		{ 10000000, 31 * 512, 65536, 65535, 9000 },
		{ 10000000, U32_MAX, 65536, 65535, 9000 },
	};
	struct pair *p = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rates); i++) {
		set_rate(p, &rates[i]);
		KUNIT_EXPECT_EQ_MSG(test, cats_burst(p->sk), rates[i].want, "row %u", i);
	}
	set_rate(p, &nine_segments);
}

static u32 five_segs(struct sock *sk)
{
	return 5;
}

/* The congestion control's minimum comes before the administrator's. */
static void burst__minimum_of_the_congestion_control(struct kunit *test)
{
	struct pair *p = test->priv;
	const struct tcp_congestion_ops *ca = inet_csk(p->sk)->icsk_ca_ops;
	struct tcp_congestion_ops other = *ca;

	set_rate(p, &two_segments);
	other.min_tso_segs = five_segs;
	inet_csk(p->sk)->icsk_ca_ops = &other;
	KUNIT_EXPECT_EQ(test, cats_burst(p->sk), 5 * MSS);
	inet_csk(p->sk)->icsk_ca_ops = ca;
	KUNIT_EXPECT_EQ(test, cats_burst(p->sk), 2 * MSS);
}

static bool pushes(const struct pair *p)
{
	return test_bit(TCP_TSQ_DEFERRED, &p->sk->sk_tsq_flags);
}

static void feed__one_budget(struct kunit *test)
{
	struct pair *p = test->priv;
	unsigned int i;

	set_rate(p, &nine_segments);
	for (i = 0; i < 10; i++)
		pair_queue(p, 3, i, 2500);
	cats_feed(p->sk, p->cs);
	KUNIT_EXPECT_EQ(test, cats_unsent(p->sk), 9 * MSS);
	KUNIT_EXPECT_EQ(test, p->cs->conductor.queued_bytes, 25000 - 9 * MSS);
	KUNIT_EXPECT_EQ(test, p->cs->committed_max, 9 * MSS);
	KUNIT_EXPECT_EQ(test, p->cs->budget_max, 9 * MSS);
	KUNIT_EXPECT_TRUE(test, pushes(p));
	KUNIT_EXPECT_TRUE(test, test_bit(SOCK_NOSPACE, &p->near->flags));
	/* Nothing was transmitted since: no more. */
	cats_feed(p->sk, p->cs);
	KUNIT_EXPECT_EQ(test, cats_unsent(p->sk), 9 * MSS);
	/* At a lower rate: what is committed is, but no more. */
	set_rate(p, &two_segments);
	cats_feed(p->sk, p->cs);
	KUNIT_EXPECT_EQ(test, cats_unsent(p->sk), 9 * MSS);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_TRUE(test, pair_queue_has(p, 2500 * i, i, 2500));
	KUNIT_EXPECT_EQ(test, p->cs->committed_max, 9 * MSS);
	set_rate(p, &nine_segments);
}

/* What is in the Conductor is still to be decided on. */
static void feed__urgent_before_the_rest_of_bulk(struct kunit *test)
{
	struct pair *p = test->priv;

	set_rate(p, &two_segments);
	pair_queue(p, 7, 0x77, 1500);
	pair_queue(p, 7, 0x78, 1500);
	pair_queue(p, 7, 0x79, 1500);
	cats_feed(p->sk, p->cs);
	pair_queue(p, 0, 0x01, 100);
	set_rate(p, &nine_segments);
	cats_feed(p->sk, p->cs);
	/* The second message had begun. */
	KUNIT_EXPECT_TRUE(test, pair_queue_has(p, 0, 0x77, 1500));
	KUNIT_EXPECT_TRUE(test, pair_queue_has(p, 1500, 0x78, 1500));
	KUNIT_EXPECT_TRUE(test, pair_queue_has(p, 3000, 0x01, 100));
	KUNIT_EXPECT_TRUE(test, pair_queue_has(p, 3100, 0x79, 1500));
	KUNIT_EXPECT_TRUE(test, cats_conductor_empty(&p->cs->conductor));
}

/* Only an urgent message that ends the queue is exempt from Nagle's rule. */
static void feed__nagle(struct kunit *test)
{
	struct pair *p = test->priv;
	struct tcp_sock *tp = tcp_sk(p->sk);

	set_rate(p, &nine_segments);
	pair_queue(p, 3, 1, 100);
	cats_feed(p->sk, p->cs);
	KUNIT_EXPECT_EQ(test, tp->nonagle & TCP_NAGLE_PUSH, 0);
	pair_queue(p, 2, 1, 100);
	cats_feed(p->sk, p->cs);
	KUNIT_EXPECT_EQ(test, tp->nonagle & TCP_NAGLE_PUSH, TCP_NAGLE_PUSH);
}

/* As if @segment, if any, were in flight, and @bytes with the driver. */
static void fly(struct pair *p, struct rb_node *segment, int bytes)
{
	p->sk->tcp_rtx_queue.rb_node = segment;
	refcount_add(bytes, &p->sk->sk_wmem_alloc);
}

static void land(struct pair *p, int bytes)
{
	WARN_ON_ONCE(refcount_sub_and_test(bytes, &p->sk->sk_wmem_alloc));
	p->sk->tcp_rtx_queue.rb_node = NULL;
	clear_bit(TSQ_THROTTLED, &p->sk->sk_tsq_flags);
}

/* Whether a message of 100 bytes is pushed while the driver has @bytes. */
static bool pushed_beside(struct pair *p, unsigned int urgency, int bytes)
{
	struct rb_node segment = {};
	bool throttled;

	fly(p, &segment, bytes);
	pair_queue(p, urgency, 1, 100);
	cats_feed(p->sk, p->cs);
	throttled = test_bit(TSQ_THROTTLED, &p->sk->sk_tsq_flags);
	land(p, bytes);
	/* Either we transmit, or the driver's completion does. */
	KUNIT_EXPECT_NE(p->test, pushes(p), throttled);
	return pushes(p);
}

/* Small writes wait for the driver to share a segment, if they are not urgent. */
static void feed__autocork(struct kunit *test)
{
	struct pair *p = test->priv;

	set_rate(p, &nine_segments);
	KUNIT_EXPECT_FALSE(test, pushed_beside(p, 3, SZ_64K));
	KUNIT_EXPECT_FALSE(test, pushed_beside(p, 7, SZ_64K));
	/* The driver has no more than this skb itself. */
	KUNIT_EXPECT_TRUE(test, pushed_beside(p, 3, 1));
}

/* All is acknowledged: what the driver has is others', and nobody would push. */
static void feed__not_corked_with_nothing_in_flight(struct kunit *test)
{
	struct pair *p = test->priv;

	set_rate(p, &nine_segments);
	pair_queue(p, 3, 1, 100);
	fly(p, NULL, SZ_64K);
	cats_feed(p->sk, p->cs);
	land(p, SZ_64K);
	KUNIT_EXPECT_TRUE(test, pushes(p));
}

static void feed__urgent_is_not_corked(struct kunit *test)
{
	struct pair *p = test->priv;

	set_rate(p, &nine_segments);
	KUNIT_EXPECT_TRUE(test, pushed_beside(p, 2, SZ_64K));
}

static void feed__full_skb_is_not_corked(struct kunit *test)
{
	struct pair *p = test->priv;

	set_rate(p, &two_segments);
	pair_queue(p, 3, 1, 2 * MSS - 100);
	KUNIT_EXPECT_TRUE(test, pushed_beside(p, 3, SZ_64K));
}

static void feed__autocork_is_optional(struct kunit *test)
{
	struct pair *p = test->priv;
	u8 saved = init_net.ipv4.sysctl_tcp_autocorking;

	set_rate(p, &nine_segments);
	init_net.ipv4.sysctl_tcp_autocorking = 0;
	KUNIT_EXPECT_TRUE(test, pushed_beside(p, 3, SZ_64K));
	init_net.ipv4.sysctl_tcp_autocorking = saved;
}

/* Does the Feeder commit anything in @state? */
static bool feeds_in(struct pair *p, unsigned char state)
{
	u32 before = tcp_sk(p->sk)->write_seq;

	WRITE_ONCE(p->sk->sk_state, state);
	cats_feed(p->sk, p->cs);
	cats_write_space(p->sk);
	cats_drain(p->sk, p->cs);
	WRITE_ONCE(p->sk->sk_state, TCP_ESTABLISHED);
	return tcp_sk(p->sk)->write_seq != before;
}

static void feed__states(struct kunit *test)
{
	struct pair *p = test->priv;
	unsigned char state;

	set_rate(p, &nine_segments);
	for (state = TCP_ESTABLISHED; state < TCP_MAX_STATES; state++) {
		pair_queue(p, 3, state, 100);
		KUNIT_EXPECT_EQ_MSG(test, feeds_in(p, state),
				    state == TCP_ESTABLISHED || state == TCP_CLOSE_WAIT,
				    "state %u", state);
	}
	KUNIT_EXPECT_FALSE(test, timer_pending(&p->cs->timer));
	KUNIT_EXPECT_FALSE(test, cats_conductor_empty(&p->cs->conductor));
}

/* In the transmit loop, which has moved snd_nxt, the loop sends what comes. */
static void write_space__in_the_loop(struct kunit *test)
{
	struct pair *p = test->priv;

	set_rate(p, &nine_segments);
	pair_queue(p, 0, 1, 500);
	p->cs->seen_snd_nxt = tcp_sk(p->sk)->snd_nxt - 1;
	cats_write_space(p->sk);
	KUNIT_EXPECT_EQ(test, cats_unsent(p->sk), 500);
	KUNIT_EXPECT_FALSE(test, pushes(p));
	KUNIT_EXPECT_EQ(test, p->cs->seen_snd_nxt, tcp_sk(p->sk)->snd_nxt);
}

static void write_space__after_the_loop(struct kunit *test)
{
	struct pair *p = test->priv;

	set_rate(p, &nine_segments);
	pair_queue(p, 0, 1, 500);
	cats_write_space(p->sk);
	KUNIT_EXPECT_EQ(test, cats_unsent(p->sk), 500);
	KUNIT_EXPECT_TRUE(test, pushes(p));
}

/* The hook stays while it is needed. */
static void write_space__keeps_the_hook(struct kunit *test)
{
	struct pair *p = test->priv;
	unsigned long *flags = &p->near->flags;

	set_rate(p, &two_segments);
	clear_bit(SOCK_NOSPACE, flags);
	cats_write_space(p->sk);
	KUNIT_EXPECT_FALSE(test, test_bit(SOCK_NOSPACE, flags));
	p->cs->blocked = BIT(7);
	cats_write_space(p->sk);
	KUNIT_EXPECT_TRUE(test, test_bit(SOCK_NOSPACE, flags));
	p->cs->blocked = 0;
	clear_bit(SOCK_NOSPACE, flags);
	pair_queue(p, 3, 1, 5000);
	cats_write_space(p->sk);
	KUNIT_EXPECT_TRUE(test, test_bit(SOCK_NOSPACE, flags));
}

/* As the timer does it; the reference that the timer has is dropped. */
static void fire_timer(struct pair *p)
{
	sock_hold(p->sk);
	local_bh_disable();
	cats_timer(&p->cs->timer);
	local_bh_enable();
}

static void timer__feeds(struct kunit *test)
{
	struct pair *p = test->priv;
	u8 data[700];

	set_rate(p, &nine_segments);
	pair_queue(p, 3, 0x5a, sizeof(data));
	pair_drop(p);
	fire_timer(p);
	KUNIT_EXPECT_EQ(test, pair_read(p, data, sizeof(data)), (int)sizeof(data));
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(data, 0x5a, sizeof(data)), NULL);
	KUNIT_EXPECT_FALSE(test, timer_pending(&p->cs->timer));
}

/* Somebody owns the socket: again in a moment. */
static void timer__owned(struct kunit *test)
{
	struct pair *p = test->priv;
	int refs = refcount_read(&p->sk->sk_refcnt);

	pair_queue(p, 3, 1, 100);
	fire_timer(p);
	KUNIT_EXPECT_EQ(test, cats_unsent(p->sk), 0);
	KUNIT_EXPECT_TRUE(test, timer_pending(&p->cs->timer));
	KUNIT_EXPECT_EQ(test, refcount_read(&p->sk->sk_refcnt), refs + 1);
	sk_stop_timer(p->sk, &p->cs->timer);
	KUNIT_EXPECT_EQ(test, refcount_read(&p->sk->sk_refcnt), refs);
}

/* The socket is no longer ours: hands off. */
static void timer__closed_meanwhile(struct kunit *test)
{
	struct pair *p = test->priv;
	int refs = refcount_read(&p->sk->sk_refcnt);

	pair_queue(p, 3, 1, 100);
	p->sk->sk_write_space = p->write_space;
	pair_drop(p);
	fire_timer(p);
	pair_hold(p);
	KUNIT_EXPECT_EQ(test, tcp_sk(p->sk)->write_seq, tcp_sk(p->sk)->snd_nxt);
	KUNIT_EXPECT_FALSE(test, cats_conductor_empty(&p->cs->conductor));
	KUNIT_EXPECT_FALSE(test, timer_pending(&p->cs->timer));
	KUNIT_EXPECT_EQ(test, refcount_read(&p->sk->sk_refcnt), refs);
	p->sk->sk_write_space = cats_write_space;
}

/* All classes, in the Conductor's order, in skbs as large as they may be. */
static void drain__order(struct kunit *test)
{
	struct pair *p = test->priv;
	unsigned int u;

	set_rate(p, &two_segments);
	cats_conductor_set_ops(&p->cs->conductor, &cats_strict);
	for (u = CATS_NR_URGENCIES; u-- > 0;)
		pair_queue(p, u, 0xd0 + u, 9000);
	cats_drain(p->sk, p->cs);
	for (u = 0; u < CATS_NR_URGENCIES; u++)
		KUNIT_EXPECT_TRUE(test, pair_queue_has(p, 9000 * u, 0xd0 + u, 9000));
	KUNIT_EXPECT_TRUE(test, cats_conductor_empty(&p->cs->conductor));
	KUNIT_EXPECT_EQ(test, p->cs->mem, 0);
	KUNIT_EXPECT_EQ(test, pair_queued_skbs(p), 2);
	KUNIT_EXPECT_EQ(test, tcp_sk(p->sk)->pushed_seq, tcp_sk(p->sk)->write_seq);
	KUNIT_EXPECT_EQ(test, tcp_sk(p->sk)->nonagle & TCP_NAGLE_PUSH, TCP_NAGLE_PUSH);
	set_rate(p, &nine_segments);
}

/* Accepted bytes are not lost, whatever the limits say by now. */
static void drain__without_memory(struct kunit *test)
{
	struct pair *p = test->priv;
	unsigned int i;

	set_rate(p, &nine_segments);
	for (i = 0; i < 10; i++)
		pair_queue(p, 7, i, 20000);
	pair_no_memory(p);
	cats_drain(p->sk, p->cs);
	pair_memory_back(p);
	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_TRUE(test, pair_queue_has(p, 20000 * i, i, 20000));
	KUNIT_EXPECT_EQ(test, p->cs->mem, 0);
	KUNIT_EXPECT_EQ(test, pair_balance(p), p->balance);
}

/*
 * Writers that still work on open messages come too late: one that has run dry is
 * out of the way, the bytes that another has queued go.
 */
static void drain__open_messages(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_conductor *c = &p->cs->conductor;
	struct cats_txmsg *dry = pair_msg(p, 7), *other = pair_msg(p, 5);

	KUNIT_EXPECT_NOT_NULL(test, dry);
	KUNIT_EXPECT_NOT_NULL(test, other);
	if (!dry || !other)
		return;
	set_rate(p, &nine_segments);
	KUNIT_EXPECT_EQ(test, pair_copy(p, dry, 0x77, 600), 0);
	KUNIT_EXPECT_EQ(test, pair_copy(p, other, 0x55, 600), 0);
	p->cs->held_bytes += 1200;
	cats_chain_queue(p->cs, dry, true);
	cats_feed(p->sk, p->cs);
	cats_chain_queue(p->cs, other, true);
	pair_queue(p, 7, 0x78, 600);
	KUNIT_EXPECT_TRUE(test, cats_conductor_stalled(c));
	cats_drain(p->sk, p->cs);
	KUNIT_EXPECT_TRUE(test, pair_queue_has(p, 0, 0x77, 600));
	KUNIT_EXPECT_TRUE(test, pair_queue_has(p, 600, 0x55, 600));
	KUNIT_EXPECT_TRUE(test, pair_queue_has(p, 1200, 0x78, 600));
	KUNIT_EXPECT_TRUE(test, cats_conductor_empty(c));
	/* They are the writers', who find them unlinked. */
	KUNIT_EXPECT_TRUE(test, cats_txmsg_gone(dry));
	KUNIT_EXPECT_TRUE(test, cats_txmsg_gone(other));
	KUNIT_EXPECT_EQ(test, p->cs->mem, 2 * (u32)sizeof(struct cats_txmsg));
}

/* Set free, TCP asks for all the rest by itself, a budget at a time. */
static void transfer__order_and_budget(struct kunit *test)
{
	struct pair *p = test->priv;
	u32 bytes = 9000, i, total = CATS_NR_URGENCIES * bytes;
	u8 *data = kunit_kzalloc(test, total, GFP_KERNEL);

	if (!data)
		return;
	cats_conductor_set_ops(&p->cs->conductor, &cats_strict);
	for (i = CATS_NR_URGENCIES; i-- > 0;)
		pair_queue(p, i, 0xe0 + i, bytes);
	/* Of itself: loopback has GSO, and the rate is unknown. */
	p->sk->sk_gso_max_size = 2 * MSS;
	cats_feed(p->sk, p->cs);
	pair_drop(p);
	KUNIT_EXPECT_EQ(test, pair_read(p, data, total), (int)total);
	for (i = 0; i < CATS_NR_URGENCIES; i++)
		KUNIT_EXPECT_PTR_EQ(test, memchr_inv(data + i * bytes, 0xe0 + i, bytes),
				    NULL);
	pair_hold(p);
	KUNIT_EXPECT_GT(test, p->cs->committed_max, 0);
	KUNIT_EXPECT_LE(test, p->cs->committed_max, p->cs->budget_max);
	KUNIT_EXPECT_LE(test, p->cs->budget_max, 3 * MSS);
	KUNIT_EXPECT_EQ(test, p->cs->mem, 0);
}

static struct kunit_case feeder_cases[] = {
	KUNIT_CASE(burst__follows_the_rate),
	KUNIT_CASE(burst__minimum_of_the_congestion_control),
	KUNIT_CASE(feed__one_budget),
	KUNIT_CASE(feed__urgent_before_the_rest_of_bulk),
	KUNIT_CASE(feed__nagle),
	KUNIT_CASE(feed__autocork),
	KUNIT_CASE(feed__not_corked_with_nothing_in_flight),
	KUNIT_CASE(feed__urgent_is_not_corked),
	KUNIT_CASE(feed__full_skb_is_not_corked),
	KUNIT_CASE(feed__autocork_is_optional),
	KUNIT_CASE(feed__states),
	KUNIT_CASE(write_space__in_the_loop),
	KUNIT_CASE(write_space__after_the_loop),
	KUNIT_CASE(write_space__keeps_the_hook),
	KUNIT_CASE(timer__feeds),
	KUNIT_CASE(timer__owned),
	KUNIT_CASE(timer__closed_meanwhile),
	KUNIT_CASE(drain__order),
	KUNIT_CASE(drain__without_memory),
	KUNIT_CASE(drain__open_messages),
	KUNIT_CASE(transfer__order_and_budget),
	{}
};

static struct kunit_suite feeder_suite = {
	.name = "feeder",
	.suite_init = pair_suite_init,
	.suite_exit = pair_suite_exit,
	.init = pair_init,
	.exit = pair_exit,
	.test_cases = feeder_cases,
};

kunit_test_suite(feeder_suite);
