// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the ways out of a connection: what is queued reaches TCP or is
 * dropped, and what was changed in the socket is changed back.
 */
#include <linux/iopoll.h>
#include <net/inet_common.h>

#include "pair_test.h"

#define BYTES	3000

static int nr_state_calls;
static unsigned char state_seen;

static void note_state(struct sock *sk)
{
	nr_state_calls++;
	state_seen = sk->sk_state;
}

static void purge__all_classes(struct kunit *test)
{
	struct pair *p = test->priv;
	unsigned int u, i;

	for (u = 0; u < CATS_NR_URGENCIES; u++)
		for (i = 0; i < 3; i++)
			pair_queue(p, u, 1, 1 + 5000 * i);
	KUNIT_EXPECT_GT(test, p->cs->mem, CATS_NR_URGENCIES * 15003);
	cats_purge(p->sk, p->cs);
	KUNIT_EXPECT_TRUE(test, cats_conductor_empty(&p->cs->conductor));
	KUNIT_EXPECT_EQ(test, p->cs->conductor.queued_bytes, 0);
	KUNIT_EXPECT_EQ(test, p->cs->mem, 0);
	KUNIT_EXPECT_EQ(test, pair_balance(p), p->balance);
	KUNIT_EXPECT_EQ(test, pair_queued_skbs(p), 0);
}

/* The writer of an open message finds it unlinked, with its bytes. */
static void purge__leaves_a_writer_his_message(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = pair_msg(p, 3);

	KUNIT_EXPECT_NOT_NULL(test, m);
	if (!m)
		return;
	KUNIT_EXPECT_EQ(test, pair_copy(p, m, 1, BYTES), 0);
	p->cs->held_bytes += BYTES;
	cats_chain_queue(p->cs, m, true);
	p->cs->conductor.current_msg = &m->msg;
	cats_purge(p->sk, p->cs);
	KUNIT_EXPECT_TRUE(test, list_empty(&m->msg.node));
	KUNIT_EXPECT_PTR_EQ(test, p->cs->conductor.current_msg, NULL);
	KUNIT_EXPECT_EQ(test, p->cs->mem, (u32)sizeof(*m) + BYTES);
}

static void state_change__purges_in_close_only(struct kunit *test)
{
	struct pair *p = test->priv;
	unsigned char state;

	p->cs->saved_state_change = note_state;
	for (state = TCP_ESTABLISHED; state < TCP_MAX_STATES; state++) {
		nr_state_calls = 0;
		pair_queue(p, 3, 1, BYTES);
		WRITE_ONCE(p->sk->sk_state, state);
		cats_state_change(p->sk);
		KUNIT_EXPECT_EQ_MSG(test, cats_conductor_empty(&p->cs->conductor),
				    state == TCP_CLOSE, "state %u", state);
		KUNIT_EXPECT_EQ(test, nr_state_calls, 1);
		KUNIT_EXPECT_EQ(test, state_seen, state);
	}
	WRITE_ONCE(p->sk->sk_state, TCP_ESTABLISHED);
	KUNIT_EXPECT_EQ(test, pair_queued_skbs(p), 0);
	p->cs->saved_state_change = p->state_change;
}

/* The peer resets: TCP's queues go, and ours with them, the file being open still. */
static void state_change__reset_by_the_peer(struct kunit *test)
{
	struct pair *p = test->priv;
	int state;

	pair_queue(p, 3, 1, BYTES);
	pair_drop(p);
	sock_no_linger(p->peer->sk);
	sock_release(p->peer);
	p->peer = NULL;
	KUNIT_EXPECT_EQ(test, read_poll_timeout(READ_ONCE, state, state == TCP_CLOSE,
						USEC_PER_MSEC, USEC_PER_SEC, false,
						p->sk->sk_state), 0);
	pair_hold(p);
	KUNIT_EXPECT_TRUE(test, cats_conductor_empty(&p->cs->conductor));
	KUNIT_EXPECT_EQ(test, p->cs->mem, 0);
	KUNIT_EXPECT_EQ(test, p->sk->sk_err, ECONNRESET);
}

static void shutdown__receive_side_only(struct kunit *test)
{
	struct pair *p = test->priv;

	pair_queue(p, 3, 1, BYTES);
	cats_shutdown(p->sk, RCV_SHUTDOWN);
	KUNIT_EXPECT_EQ(test, p->cs->conductor.queued_bytes, BYTES);
	KUNIT_EXPECT_EQ(test, pair_queued_skbs(p), 0);
	KUNIT_EXPECT_EQ(test, p->sk->sk_state, TCP_ESTABLISHED);
}

/* All bytes, then the FIN, then no more. */
static void shutdown__drains_before_the_fin(struct kunit *test)
{
	struct pair *p = test->priv;
	u8 *data = kunit_kzalloc(test, 2 * BYTES + 1, GFP_KERNEL);

	pair_queue(p, 7, 0x77, BYTES);
	pair_queue(p, 0, 0x01, BYTES);
	p->sk->sk_shutdown |= SEND_SHUTDOWN;
	cats_shutdown(p->sk, SEND_SHUTDOWN);
	KUNIT_EXPECT_TRUE(test, cats_conductor_empty(&p->cs->conductor));
	KUNIT_EXPECT_EQ(test, p->sk->sk_state, TCP_FIN_WAIT1);
	pair_drop(p);
	if (!data)
		return;
	KUNIT_EXPECT_EQ(test, pair_read(p, data, 2 * BYTES + 1), 2 * BYTES);
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(data, 0x01, BYTES), NULL);
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(data + BYTES, 0x77, BYTES), NULL);
	KUNIT_EXPECT_EQ(test, pair_read(p, data, 1), 0);
	KUNIT_EXPECT_NE(test, p->sk->sk_state, TCP_ESTABLISHED);
}

/* An abort: nothing is sent, the socket stays a CATS one. */
static void disconnect__drops(struct kunit *test)
{
	struct pair *p = test->priv;
	u8 byte;

	pair_queue(p, 0, 1, BYTES);
	KUNIT_EXPECT_EQ(test, cats_disconnect(p->sk, 0), 0);
	KUNIT_EXPECT_EQ(test, p->cs->mem, 0);
	KUNIT_EXPECT_TRUE(test, cats_conductor_empty(&p->cs->conductor));
	KUNIT_EXPECT_EQ(test, p->sk->sk_state, TCP_CLOSE);
	KUNIT_EXPECT_TRUE(test, p->sk->sk_prot->close == cats_close);
	KUNIT_EXPECT_PTR_EQ(test, cats_sk(p->sk), p->cs);
	pair_drop(p);
	KUNIT_EXPECT_EQ(test, pair_read(p, &byte, 1), -ECONNRESET);
}

/* Closes the near end; the caller has a reference to its sk. */
static void close_near(struct pair *p)
{
	if (p->held)
		pair_drop(p);
	sock_release(p->near);
	p->near = NULL;
}

static void close__delivers_then_ends(struct kunit *test)
{
	struct pair *p = test->priv;
	u8 *data = kunit_kzalloc(test, 2 * BYTES + 1, GFP_KERNEL);

	pair_queue(p, 7, 0x77, BYTES);
	pair_queue(p, 0, 0x01, BYTES);
	close_near(p);
	if (!data)
		return;
	KUNIT_EXPECT_EQ(test, pair_read(p, data, 2 * BYTES + 1), 2 * BYTES);
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(data, 0x01, BYTES), NULL);
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(data + BYTES, 0x77, BYTES), NULL);
}

/* What is left of the socket is TCP's alone. */
static void close__detaches(struct kunit *test)
{
	struct pair *p = test->priv;
	struct sock *sk = p->sk;

	sock_hold(sk);
	pair_queue(p, 3, 1, BYTES);
	close_near(p);
	KUNIT_EXPECT_PTR_EQ(test, (const struct proto *)sk->sk_prot, p->base);
	KUNIT_EXPECT_TRUE(test, sk->sk_write_space == p->write_space);
	KUNIT_EXPECT_TRUE(test, sk->sk_state_change == p->state_change);
	KUNIT_EXPECT_NE(test, sk->sk_state, TCP_ESTABLISHED);
	sock_put(sk);
}

/* The timer has a reference to the socket: it ends with it. */
static void close__stops_the_timer(struct kunit *test)
{
	struct pair *p = test->priv;
	struct sock *sk = p->sk;

	sock_hold(sk);
	sk_reset_timer(sk, &p->cs->timer, jiffies + 1000 * HZ);
	pair_drop(p);
	sock_release(p->peer);
	p->peer = NULL;
	close_near(p);
	/* Dead on both sides: the reference left is ours. */
	KUNIT_EXPECT_EQ(test, sk->sk_state, TCP_CLOSE);
	KUNIT_EXPECT_EQ(test, refcount_read(&sk->sk_refcnt), 1);
	sock_put(sk);
}

/* With linger 0 a reset follows, and no data before it. */
static void close__linger_0(struct kunit *test)
{
	struct pair *p = test->priv;
	u8 byte;

	pair_queue(p, 0, 1, BYTES);
	sock_set_flag(p->sk, SOCK_LINGER);
	p->sk->sk_lingertime = 0;
	close_near(p);
	KUNIT_EXPECT_EQ(test, pair_read(p, &byte, 1), -ECONNRESET);
}

/* A dead connection: there is nothing to send to, and nothing is left. */
static void close__after_the_connection_broke(struct kunit *test)
{
	struct pair *p = test->priv;
	struct sock *sk = p->sk;

	sock_hold(sk);
	cats_disconnect(sk, 0);
	/* A message of a write that had its memory already. */
	pair_queue(p, 3, 1, BYTES);
	close_near(p);
	KUNIT_EXPECT_EQ(test, sk->sk_wmem_queued, 0);
	KUNIT_EXPECT_PTR_EQ(test, (const struct proto *)sk->sk_prot, p->base);
	sock_put(sk);
}

static struct kunit_case close_cases[] = {
	KUNIT_CASE(purge__all_classes),
	KUNIT_CASE(purge__leaves_a_writer_his_message),
	KUNIT_CASE(state_change__purges_in_close_only),
	KUNIT_CASE(state_change__reset_by_the_peer),
	KUNIT_CASE(shutdown__receive_side_only),
	KUNIT_CASE(shutdown__drains_before_the_fin),
	KUNIT_CASE(disconnect__drops),
	KUNIT_CASE(close__delivers_then_ends),
	KUNIT_CASE(close__detaches),
	KUNIT_CASE(close__stops_the_timer),
	KUNIT_CASE(close__linger_0),
	KUNIT_CASE(close__after_the_connection_broke),
	{}
};

static struct kunit_suite close_suite = {
	.name = "close",
	.suite_init = pair_suite_init,
	.suite_exit = pair_suite_exit,
	.init = pair_init,
	.exit = pair_exit,
	.test_cases = close_cases,
};

kunit_test_suite(close_suite);
