// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of admission, at the byte where it turns over.
 *
 * What counts as used is set by hand, and taken back at the end of each case.
 */
#include <linux/wait.h>

#include "pair_test.h"

/* A sixteenth of it is below 16 KiB: steps of 10000 per urgency. */
#define SNDBUF		160000
#define STEP		10000

static int admit_init(struct kunit *test)
{
	struct pair *p;
	int err;

	err = pair_init(test);
	if (err)
		return err;
	p = test->priv;
	p->sk->sk_sndbuf = SNDBUF;
	return 0;
}

/* As if TCP and the Conductor held so much. */
static void use(struct pair *p, int tcp, u32 conductor)
{
	p->sk->sk_wmem_queued = tcp;
	p->cs->mem = conductor;
}

static void limit__per_urgency(struct kunit *test)
{
	struct pair *p = test->priv;
	unsigned int u;

	for (u = 0; u < CATS_NR_URGENCIES; u++)
		KUNIT_EXPECT_EQ(test, cats_mem_limit(p->sk, u),
				SNDBUF + (3 - (int)u) * STEP);
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

	use(p, 50000, 7000);
	KUNIT_EXPECT_EQ(test, cats_mem_room(p->sk, p->cs, 3), SNDBUF - 57000);
	KUNIT_EXPECT_EQ(test, cats_mem_room(p->sk, p->cs, 7), SNDBUF - 57000 - 4 * STEP);
	use(p, SNDBUF, 1);
	KUNIT_EXPECT_EQ(test, cats_mem_room(p->sk, p->cs, 3), -1);
	KUNIT_EXPECT_EQ(test, cats_mem_room(p->sk, p->cs, 0), 3 * STEP - 1);
	use(p, held, 0);
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
	p->sk->sk_sndbuf = SNDBUF;
}

static void sndbuf_expand__as_needed(struct kunit *test)
{
	struct pair *p = test->priv;
	int wmem_max = init_net.ipv4.sysctl_tcp_wmem[2];

	cats_sndbuf_expand(p->sk, 3, SNDBUF + 1);
	KUNIT_EXPECT_EQ(test, p->sk->sk_sndbuf, SNDBUF);
	p->sk->sk_userlocks &= ~SOCK_SNDBUF_LOCK;
	cats_sndbuf_expand(p->sk, 3, SNDBUF);
	KUNIT_EXPECT_EQ(test, p->sk->sk_sndbuf, SNDBUF);
	cats_sndbuf_expand(p->sk, 3, SNDBUF + 2);
	KUNIT_EXPECT_EQ(test, p->sk->sk_sndbuf, SNDBUF + 2 + SNDBUF / 2 + 1);
	cats_sndbuf_expand(p->sk, 3, wmem_max);
	KUNIT_EXPECT_EQ(test, p->sk->sk_sndbuf, wmem_max);
	p->sk->sk_sndbuf = SNDBUF;
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
	p->sk->sk_sndbuf = SNDBUF;
}

static void has_room__to_the_byte(struct kunit *test)
{
	struct pair *p = test->priv;
	int held = p->sk->sk_wmem_queued;
	unsigned int u;

	use(p, 30000, 20000);
	for (u = 0; u < CATS_NR_URGENCIES; u++) {
		int room = cats_mem_limit(p->sk, u) - 50000;

		KUNIT_EXPECT_TRUE(test, cats_has_room(p->sk, p->cs, u, room, NULL));
		KUNIT_EXPECT_FALSE(test, cats_has_room(p->sk, p->cs, u, room + 1, NULL));
	}
	use(p, held, 0);
}

/* Bulk that has filled its share shuts out nobody who is more urgent. */
static void has_room__urgent_beside_bulk(struct kunit *test)
{
	struct pair *p = test->priv;
	int held = p->sk->sk_wmem_queued;
	unsigned int u;

	use(p, cats_mem_limit(p->sk, 7) / 2, cats_mem_limit(p->sk, 7) / 2);
	KUNIT_EXPECT_FALSE(test, cats_has_room(p->sk, p->cs, 7, 1, NULL));
	for (u = 0; u < 7; u++)
		KUNIT_EXPECT_TRUE(test, cats_has_room(p->sk, p->cs, u, STEP, NULL));
	use(p, held, 0);
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
	m->msg.len = 299;
	KUNIT_EXPECT_TRUE(test, cats_has_room(p->sk, p->cs, 3, 1, m));
	m->msg.len = 300;
	KUNIT_EXPECT_FALSE(test, cats_has_room(p->sk, p->cs, 3, 1, m));
	KUNIT_EXPECT_FALSE(test, cats_has_room(p->sk, p->cs, 7, 1, m));
	KUNIT_EXPECT_TRUE(test, cats_has_room(p->sk, p->cs, 2, 1, m));
	KUNIT_EXPECT_TRUE(test, cats_has_room(p->sk, p->cs, 3, 1, NULL));
	/* Once queued, its bytes are among those of the Conductor. */
	list_add(&m->msg.node, &p->cs->conductor.classes[3].queue);
	KUNIT_EXPECT_TRUE(test, cats_has_room(p->sk, p->cs, 3, 1, m));
	p->cs->conductor.queued_bytes = 600;
	KUNIT_EXPECT_FALSE(test, cats_has_room(p->sk, p->cs, 3, 1, m));
	list_del_init(&m->msg.node);
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
	use(p, SNDBUF, SNDBUF);
	m->msg.len = 10;
	m->msg.committed = 10;
	KUNIT_EXPECT_FALSE(test, cats_has_room(p->sk, p->cs, 7, 1, m));
	p->cs->conductor.current_msg = &m->msg;
	KUNIT_EXPECT_TRUE(test, cats_has_room(p->sk, p->cs, 7, 1, m));
	KUNIT_EXPECT_FALSE(test, cats_has_room(p->sk, p->cs, 7, 1, NULL));
	m->msg.committed = 9;
	KUNIT_EXPECT_FALSE(test, cats_has_room(p->sk, p->cs, 7, 1, m));
	p->cs->conductor.current_msg = NULL;
	use(p, held, mem);
}

/* For poll() by TCP's rule: a third free. */
static void stream_memory_free__a_third(struct kunit *test)
{
	struct pair *p = test->priv;
	int held = p->sk->sk_wmem_queued;

	p->sk->sk_sndbuf = 90000;
	use(p, 40000, 20000);
	KUNIT_EXPECT_TRUE(test, cats_stream_memory_free(p->sk, 1));
	use(p, 40000, 20002);
	KUNIT_EXPECT_FALSE(test, cats_stream_memory_free(p->sk, 1));
	KUNIT_EXPECT_TRUE(test, cats_stream_memory_free(p->sk, 0));
	use(p, 40000, 49999);
	KUNIT_EXPECT_TRUE(test, cats_stream_memory_free(p->sk, 0));
	use(p, 40000, 50000);
	KUNIT_EXPECT_FALSE(test, cats_stream_memory_free(p->sk, 0));
	p->cs->urgency = 2;
	KUNIT_EXPECT_TRUE(test, cats_stream_memory_free(p->sk, 0));
	use(p, held, 0);
	p->sk->sk_sndbuf = SNDBUF;
}

static void stream_memory_free__low_water_mark(struct kunit *test)
{
	struct pair *p = test->priv;

	tcp_sk(p->sk)->notsent_lowat = 1000;
	p->cs->conductor.queued_bytes = 499;
	KUNIT_EXPECT_TRUE(test, cats_stream_memory_free(p->sk, 1));
	p->cs->conductor.queued_bytes = 500;
	KUNIT_EXPECT_FALSE(test, cats_stream_memory_free(p->sk, 1));
	KUNIT_EXPECT_TRUE(test, cats_stream_memory_free(p->sk, 0));
	p->cs->conductor.queued_bytes = 1000;
	KUNIT_EXPECT_FALSE(test, cats_stream_memory_free(p->sk, 0));
	p->cs->conductor.queued_bytes = 0;
	tcp_sk(p->sk)->notsent_lowat = 0;
}

static int wait(struct pair *p, unsigned int urgency, size_t need, long timeo)
{
	return cats_wait_room(p->sk, p->cs, urgency, need, NULL, &timeo);
}

static void wait_room__answers_at_once(struct kunit *test)
{
	struct pair *p = test->priv;
	int held = p->sk->sk_wmem_queued;

	KUNIT_EXPECT_EQ(test, wait(p, 3, SNDBUF - held, 0), 0);
	KUNIT_EXPECT_FALSE(test, test_bit(SOCK_NOSPACE, &p->near->flags));
	KUNIT_EXPECT_EQ(test, wait(p, 3, SNDBUF + 1, 0), -EMSGSIZE);
	use(p, SNDBUF, 0);
	KUNIT_EXPECT_EQ(test, wait(p, 3, 1, 0), -EAGAIN);
	/* So that TCP tells us. */
	KUNIT_EXPECT_TRUE(test, test_bit(SOCK_NOSPACE, &p->near->flags));
	KUNIT_EXPECT_EQ(test, wait(p, 2, STEP, 0), 0);
	p->sk->sk_err = ECONNRESET;
	KUNIT_EXPECT_EQ(test, wait(p, 2, 1, 0), -EPIPE);
	p->sk->sk_err = 0;
	p->sk->sk_shutdown = SEND_SHUTDOWN;
	KUNIT_EXPECT_EQ(test, wait(p, 2, 1, 0), -EPIPE);
	p->sk->sk_shutdown = 0;
	KUNIT_EXPECT_EQ(test, p->cs->blocked, 0);
	use(p, held, 0);
}

static void wait_room__time_is_up(struct kunit *test)
{
	struct pair *p = test->priv;
	int held = p->sk->sk_wmem_queued;
	long timeo = 3;

	use(p, SNDBUF, 0);
	KUNIT_EXPECT_EQ(test, cats_wait_room(p->sk, p->cs, 5, 1, NULL, &timeo), -EAGAIN);
	KUNIT_EXPECT_EQ(test, timeo, 0);
	KUNIT_EXPECT_EQ(test, p->cs->blocked, 0);
	KUNIT_EXPECT_EQ(test, p->cs->nr_blocked[5], 0);
	KUNIT_EXPECT_EQ(test, p->sk->sk_write_pending, 0);
	use(p, held, 0);
}

/**
 * struct sleeper - stands for a writer in cats_wait_room()
 * @entry: in the socket's queue
 * @woken: how often it was woken
 */
struct sleeper {
	struct wait_queue_entry	entry;
	int			woken;
};

static int count_wake(struct wait_queue_entry *entry, unsigned int mode, int flags,
		      void *key)
{
	container_of(entry, struct sleeper, entry)->woken++;
	return 1;
}

static int nr_space_calls;

static void count_space(struct sock *sk)
{
	nr_space_calls++;
}

/* Whether one who waits for @urgency is woken. */
static int wakes(struct pair *p, unsigned int urgency)
{
	struct sleeper sleeper = {};

	init_waitqueue_func_entry(&sleeper.entry, count_wake);
	add_wait_queue(sk_sleep(p->sk), &sleeper.entry);
	p->cs->blocked = 1U << urgency;
	cats_wake_writers(p->sk, p->cs);
	p->cs->blocked = 0;
	remove_wait_queue(sk_sleep(p->sk), &sleeper.entry);
	return sleeper.woken;
}

/* Bulk for a third of the buffer as TCP does, the urgent for any room. */
static void wake_writers__by_urgency(struct kunit *test)
{
	struct pair *p = test->priv;
	int held = p->sk->sk_wmem_queued;

	p->cs->saved_write_space = count_space;
	nr_space_calls = 0;
	p->sk->sk_sndbuf = 90000;
	use(p, 60000, 0);
	KUNIT_EXPECT_EQ(test, wakes(p, 3), 1);
	use(p, 60002, 0);
	KUNIT_EXPECT_EQ(test, wakes(p, 3), 0);
	KUNIT_EXPECT_EQ(test, wakes(p, 2), 1);
	use(p, cats_mem_limit(p->sk, 2) - 1, 0);
	KUNIT_EXPECT_EQ(test, wakes(p, 2), 1);
	use(p, cats_mem_limit(p->sk, 2), 0);
	KUNIT_EXPECT_EQ(test, wakes(p, 2), 0);
	KUNIT_EXPECT_EQ(test, nr_space_calls, 5);
	use(p, held, 0);
	p->cs->saved_write_space = p->write_space;
	p->sk->sk_sndbuf = SNDBUF;
}

/* Everything waits for the writer of a message that ran dry. */
static void wake_writers__stalled(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_msg dry = { .len = 5, .committed = 5, .open = true };
	int held = p->sk->sk_wmem_queued;

	p->cs->saved_write_space = count_space;
	use(p, SNDBUF, SNDBUF);
	KUNIT_EXPECT_EQ(test, wakes(p, 7), 0);
	p->cs->conductor.current_msg = &dry;
	KUNIT_EXPECT_EQ(test, wakes(p, 7), 1);
	dry.open = false;
	KUNIT_EXPECT_EQ(test, wakes(p, 7), 0);
	p->cs->conductor.current_msg = NULL;
	p->cs->saved_write_space = p->write_space;
	use(p, held, 0);
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
	KUNIT_CASE(stream_memory_free__a_third),
	KUNIT_CASE(stream_memory_free__low_water_mark),
	KUNIT_CASE(wait_room__answers_at_once),
	KUNIT_CASE(wait_room__time_is_up),
	KUNIT_CASE(wake_writers__by_urgency),
	KUNIT_CASE(wake_writers__stalled),
	{}
};

static struct kunit_suite admit_suite = {
	.name = "admit",
	.suite_init = pair_suite_init,
	.suite_exit = pair_suite_exit,
	.init = admit_init,
	.exit = pair_exit,
	.test_cases = admit_cases,
};

kunit_test_suite(admit_suite);
