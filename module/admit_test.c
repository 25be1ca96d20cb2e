// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of admission, at the byte where it turns over.
 *
 * What counts as used is set by hand, and taken back at the end of each case.
 */
#include "pair_test.h"

static void limit__per_urgency(struct kunit *test)
{
	struct pair *p = test->priv;
	unsigned int u;

	for (u = 0; u < CATS_NR_URGENCIES; u++)
		KUNIT_EXPECT_EQ(test, cats_mem_limit(p->sk, u),
				PAIR_SNDBUF + (3 - (int)u) * PAIR_STEP);
}

/* The step is at most 16 KiB, and the default has TCP's limit whatever the size. */
static void limit__extremes(struct kunit *test)
{
	struct pair *p = test->priv;

	p->sk->sk_sndbuf = SZ_1M;
	KUNIT_EXPECT_EQ(test, cats_mem_limit(p->sk, 0), SZ_1M + 3 * SZ_16K);
	KUNIT_EXPECT_EQ(test, cats_mem_limit(p->sk, 3), SZ_1M);
	KUNIT_EXPECT_EQ(test, cats_mem_limit(p->sk, 7), SZ_1M - 4 * SZ_16K);
	p->sk->sk_sndbuf = SZ_256K;
	KUNIT_EXPECT_EQ(test, cats_mem_limit(p->sk, 0), SZ_256K + 3 * SZ_16K);
	p->sk->sk_sndbuf = SZ_256K - 16;
	KUNIT_EXPECT_EQ(test, cats_mem_limit(p->sk, 2), SZ_256K - 16 + SZ_16K - 1);
	p->sk->sk_sndbuf = 15;
	KUNIT_EXPECT_EQ(test, cats_mem_limit(p->sk, 0), 15);
	KUNIT_EXPECT_EQ(test, cats_mem_limit(p->sk, 7), 15);
	p->sk->sk_sndbuf = SZ_1M;
}

/* tcp_wmem[2] and SO_SNDBUFFORCE go up to here. */
static void limit__largest_buffer(struct kunit *test)
{
	struct pair *p = test->priv;

	p->sk->sk_sndbuf = INT_MAX;
	KUNIT_EXPECT_EQ(test, cats_mem_limit(p->sk, 0), INT_MAX);
	KUNIT_EXPECT_EQ(test, cats_mem_limit(p->sk, 3), INT_MAX);
	KUNIT_EXPECT_EQ(test, cats_mem_limit(p->sk, 7), INT_MAX - 4 * SZ_16K);
	KUNIT_EXPECT_TRUE(test, cats_can_ever_fit(p->sk, 0, SZ_16K));
	KUNIT_EXPECT_TRUE(test, cats_has_room(p->sk, p->cs, 0, SZ_16K, NULL));
	p->sk->sk_sndbuf = SZ_1M;
}

static void room__counts_tcp_and_conductor(struct kunit *test)
{
	struct pair *p = test->priv;
	int held = p->sk->sk_wmem_queued;

	pair_use(p, 50000, 7000);
	KUNIT_EXPECT_EQ(test, cats_mem_room(p->sk, p->cs, 3), PAIR_SNDBUF - 57000);
	KUNIT_EXPECT_EQ(test, cats_mem_room(p->sk, p->cs, 7), PAIR_SNDBUF - 57000 - 4 * PAIR_STEP);
	pair_use(p, PAIR_SNDBUF, 1);
	KUNIT_EXPECT_EQ(test, cats_mem_room(p->sk, p->cs, 3), -1);
	KUNIT_EXPECT_EQ(test, cats_mem_room(p->sk, p->cs, 0), 3 * PAIR_STEP - 1);
	pair_use(p, held, 0);
}

static void can_ever_fit__fixed_buffer(struct kunit *test)
{
	struct pair *p = test->priv;
	unsigned int u;

	for (u = 0; u < CATS_NR_URGENCIES; u++) {
		int limit = cats_mem_limit(p->sk, u);

		KUNIT_EXPECT_TRUE(test, cats_can_ever_fit(p->sk, u, limit));
		KUNIT_EXPECT_FALSE(test, cats_can_ever_fit(p->sk, u, limit + 1));
	}
}

static void can_ever_fit__autotuned(struct kunit *test)
{
	struct pair *p = test->priv;
	int wmem_max = init_net.ipv4.sysctl_tcp_wmem[2];

	p->sk->sk_userlocks &= ~SOCK_SNDBUF_LOCK;
	KUNIT_EXPECT_GT(test, wmem_max, SZ_256K);
	KUNIT_EXPECT_TRUE(test, cats_can_ever_fit(p->sk, 3, wmem_max));
	KUNIT_EXPECT_FALSE(test, cats_can_ever_fit(p->sk, 3, wmem_max + 1));
	KUNIT_EXPECT_TRUE(test, cats_can_ever_fit(p->sk, 7, wmem_max - 4 * SZ_16K));
	KUNIT_EXPECT_FALSE(test, cats_can_ever_fit(p->sk, 7, wmem_max - 4 * SZ_16K + 1));
	/* Set by somebody who may, and larger than autotuning goes. */
	p->sk->sk_sndbuf = wmem_max + 1;
	KUNIT_EXPECT_TRUE(test, cats_can_ever_fit(p->sk, 3, wmem_max + 1));
	p->sk->sk_sndbuf = PAIR_SNDBUF;
}

static void sndbuf_expand__as_needed(struct kunit *test)
{
	struct pair *p = test->priv;
	int wmem_max = init_net.ipv4.sysctl_tcp_wmem[2];

	cats_sndbuf_expand(p->sk, 3, PAIR_SNDBUF + 1);
	KUNIT_EXPECT_EQ(test, p->sk->sk_sndbuf, PAIR_SNDBUF);
	p->sk->sk_userlocks &= ~SOCK_SNDBUF_LOCK;
	cats_sndbuf_expand(p->sk, 3, PAIR_SNDBUF);
	KUNIT_EXPECT_EQ(test, p->sk->sk_sndbuf, PAIR_SNDBUF);
	cats_sndbuf_expand(p->sk, 3, PAIR_SNDBUF + 2);
	KUNIT_EXPECT_EQ(test, p->sk->sk_sndbuf, PAIR_SNDBUF + 2 + PAIR_SNDBUF / 2 + 1);
	cats_sndbuf_expand(p->sk, 3, wmem_max);
	KUNIT_EXPECT_EQ(test, p->sk->sk_sndbuf, wmem_max);
	p->sk->sk_sndbuf = PAIR_SNDBUF;
}

/* What may ever fit does fit after the buffer has grown, for any urgency. */
static void sndbuf_expand__is_enough(struct kunit *test)
{
	struct pair *p = test->priv;
	int wmem_max = init_net.ipv4.sysctl_tcp_wmem[2];
	unsigned int u, need;

	p->sk->sk_userlocks &= ~SOCK_SNDBUF_LOCK;
	for (u = 0; u < CATS_NR_URGENCIES; u++) {
		for (need = 1000; need < wmem_max; need += need / 3) {
			p->sk->sk_sndbuf = SOCK_MIN_SNDBUF;
			if (!cats_can_ever_fit(p->sk, u, need))
				continue;
			cats_sndbuf_expand(p->sk, u, need);
			KUNIT_EXPECT_GE(test, cats_mem_limit(p->sk, u), (int)need);
			KUNIT_EXPECT_LE(test, p->sk->sk_sndbuf, wmem_max);
		}
	}
	p->sk->sk_sndbuf = PAIR_SNDBUF;
}

static void has_room__to_the_byte(struct kunit *test)
{
	struct pair *p = test->priv;
	int held = p->sk->sk_wmem_queued;
	unsigned int u;

	pair_use(p, 30000, 20000);
	for (u = 0; u < CATS_NR_URGENCIES; u++) {
		int room = cats_mem_limit(p->sk, u) - 50000;

		KUNIT_EXPECT_TRUE(test, cats_has_room(p->sk, p->cs, u, room, NULL));
		KUNIT_EXPECT_FALSE(test, cats_has_room(p->sk, p->cs, u, room + 1, NULL));
	}
	pair_use(p, held, 0);
}

/* Bulk that has filled its share shuts out nobody who is more urgent. */
static void has_room__urgent_beside_bulk(struct kunit *test)
{
	struct pair *p = test->priv;
	int held = p->sk->sk_wmem_queued;
	unsigned int u;

	pair_use(p, cats_mem_limit(p->sk, 7) / 2, cats_mem_limit(p->sk, 7) / 2);
	KUNIT_EXPECT_FALSE(test, cats_has_room(p->sk, p->cs, 7, 1, NULL));
	for (u = 0; u < 7; u++)
		KUNIT_EXPECT_TRUE(test, cats_has_room(p->sk, p->cs, u, PAIR_STEP, NULL));
	pair_use(p, held, 0);
}

/* The mark counts what is unsent anywhere, and holds back what is not urgent. */
static void has_room__low_water_mark(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = pair_msg(p, 3);
	struct tcp_sock *tp = tcp_sk(p->sk);

	KUNIT_EXPECT_NOT_NULL(test, m);
	if (!m)
		return;
	tp->notsent_lowat = 1000;
	tp->write_seq += 400;
	p->cs->conductor.queued_bytes = 300;
	/* In messages that several calls write, and that the Conductor does not have. */
	p->cs->held_bytes = 299;
	KUNIT_EXPECT_TRUE(test, cats_has_room(p->sk, p->cs, 3, 1, m));
	p->cs->held_bytes = 300;
	KUNIT_EXPECT_FALSE(test, cats_has_room(p->sk, p->cs, 3, 1, m));
	KUNIT_EXPECT_FALSE(test, cats_has_room(p->sk, p->cs, 7, 1, NULL));
	KUNIT_EXPECT_TRUE(test, cats_has_room(p->sk, p->cs, 2, 1, m));
	p->cs->held_bytes = 0;
	p->cs->conductor.queued_bytes = 600;
	KUNIT_EXPECT_FALSE(test, cats_has_room(p->sk, p->cs, 3, 1, m));
	p->cs->conductor.queued_bytes = 0;
	tp->write_seq -= 400;
	tp->notsent_lowat = 0;
}

/* A message that has begun and has no bytes left may always go on. */
static void has_room__ran_dry(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = pair_msg(p, 7);
	int held = p->sk->sk_wmem_queued;
	u32 mem = p->cs->mem;

	KUNIT_EXPECT_NOT_NULL(test, m);
	if (!m)
		return;
	pair_use(p, PAIR_SNDBUF - 1, PAIR_SNDBUF);
	m->msg.len = 10;
	m->msg.committed = 10;
	KUNIT_EXPECT_FALSE(test, cats_has_room(p->sk, p->cs, 7, 1, m));
	p->cs->conductor.current_msg = &m->msg;
	KUNIT_EXPECT_TRUE(test, cats_has_room(p->sk, p->cs, 7, 1, m));
	/* What TCP holds is its own limit. */
	p->sk->sk_wmem_queued++;
	KUNIT_EXPECT_FALSE(test, cats_has_room(p->sk, p->cs, 7, 1, m));
	p->sk->sk_wmem_queued--;
	KUNIT_EXPECT_FALSE(test, cats_has_room(p->sk, p->cs, 7, 1, NULL));
	m->msg.committed = 9;
	KUNIT_EXPECT_FALSE(test, cats_has_room(p->sk, p->cs, 7, 1, m));
	p->cs->conductor.current_msg = NULL;
	pair_use(p, held, mem);
}

/* By TCP's rule, a third free; the urgent for any room. */
static void worth_trying__by_urgency(struct kunit *test)
{
	struct pair *p = test->priv;
	int held = p->sk->sk_wmem_queued;

	p->sk->sk_sndbuf = 90000;
	pair_use(p, 40000, 20000);
	KUNIT_EXPECT_TRUE(test, cats_worth_trying(p->sk, p->cs, 3, 1));
	pair_use(p, 40000, 20002);
	KUNIT_EXPECT_FALSE(test, cats_worth_trying(p->sk, p->cs, 3, 1));
	pair_use(p, cats_mem_limit(p->sk, 2) - 1, 0);
	KUNIT_EXPECT_TRUE(test, cats_worth_trying(p->sk, p->cs, 2, 1));
	pair_use(p, cats_mem_limit(p->sk, 2), 0);
	KUNIT_EXPECT_FALSE(test, cats_worth_trying(p->sk, p->cs, 2, 1));
	pair_use(p, held, 0);
	p->sk->sk_sndbuf = PAIR_SNDBUF;
}

/* A message has to fit, or the writer should hear that it never will. */
static void worth_trying__to_the_byte(struct kunit *test)
{
	struct pair *p = test->priv;
	int held = p->sk->sk_wmem_queued;
	unsigned int u;
	int limit;

	for (u = 0; u < CATS_NR_URGENCIES; u++) {
		limit = cats_mem_limit(p->sk, u);
		pair_use(p, 20000, 10000);
		KUNIT_EXPECT_TRUE(test, cats_worth_trying(p->sk, p->cs, u, limit - 30000));
		KUNIT_EXPECT_FALSE(test, cats_worth_trying(p->sk, p->cs, u, limit - 29999));
		KUNIT_EXPECT_FALSE(test, cats_worth_trying(p->sk, p->cs, u, limit));
		KUNIT_EXPECT_TRUE(test, cats_worth_trying(p->sk, p->cs, u, limit + 1));
	}
	pair_use(p, held, 0);
}

/* An autotuned buffer grows for it, once nothing is left. */
static void worth_trying__autotuned(struct kunit *test)
{
	struct pair *p = test->priv;
	int held = p->sk->sk_wmem_queued;

	p->sk->sk_userlocks &= ~SOCK_SNDBUF_LOCK;
	pair_use(p, 1, 0);
	KUNIT_EXPECT_FALSE(test, cats_worth_trying(p->sk, p->cs, 3, PAIR_SNDBUF + 1));
	pair_use(p, 0, 0);
	KUNIT_EXPECT_TRUE(test, cats_worth_trying(p->sk, p->cs, 3, PAIR_SNDBUF + 1));
	p->sk->sk_userlocks |= SOCK_SNDBUF_LOCK;
	pair_use(p, held, 0);
}

static struct kunit_case admit_cases[] = {
	KUNIT_CASE(limit__per_urgency),
	KUNIT_CASE(limit__extremes),
	KUNIT_CASE(limit__largest_buffer),
	KUNIT_CASE(room__counts_tcp_and_conductor),
	KUNIT_CASE(can_ever_fit__fixed_buffer),
	KUNIT_CASE(can_ever_fit__autotuned),
	KUNIT_CASE(sndbuf_expand__as_needed),
	KUNIT_CASE(sndbuf_expand__is_enough),
	KUNIT_CASE(has_room__to_the_byte),
	KUNIT_CASE(has_room__urgent_beside_bulk),
	KUNIT_CASE(has_room__low_water_mark),
	KUNIT_CASE(has_room__ran_dry),
	KUNIT_CASE(worth_trying__by_urgency),
	KUNIT_CASE(worth_trying__to_the_byte),
	KUNIT_CASE(worth_trying__autotuned),
	{}
};

static struct kunit_suite admit_suite = {
	.name = "admit",
	.suite_init = pair_suite_init,
	.suite_exit = pair_suite_exit,
	.init = pair_init_limits,
	.exit = pair_exit,
	.test_cases = admit_cases,
};

kunit_test_suite(admit_suite);
