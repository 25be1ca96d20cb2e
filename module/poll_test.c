// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of readiness: who is told that there is room.
 */
#include <linux/wait.h>

#include "pair_test.h"

/* For poll() by TCP's rule: a third free. */
static void stream_memory_free__a_third(struct kunit *test)
{
	struct pair *p = test->priv;
	int held = p->sk->sk_wmem_queued;

	p->sk->sk_sndbuf = 90000;
	pair_use(p, 40000, 20000);
	KUNIT_EXPECT_TRUE(test, cats_stream_memory_free(p->sk, 1));
	pair_use(p, 40000, 20002);
	KUNIT_EXPECT_FALSE(test, cats_stream_memory_free(p->sk, 1));
	KUNIT_EXPECT_TRUE(test, cats_stream_memory_free(p->sk, 0));
	pair_use(p, 40000, 49999);
	KUNIT_EXPECT_TRUE(test, cats_stream_memory_free(p->sk, 0));
	pair_use(p, 40000, 50000);
	KUNIT_EXPECT_FALSE(test, cats_stream_memory_free(p->sk, 0));
	p->cs->urgency = 2;
	KUNIT_EXPECT_TRUE(test, cats_stream_memory_free(p->sk, 0));
	pair_use(p, held, 0);
	p->sk->sk_sndbuf = PAIR_SNDBUF;
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

/**
 * struct sleeper - stands for somebody who waits
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

/* How often somebody in the queue of the socket is woken by one call. */
static int wakes(struct pair *p)
{
	struct sleeper sleeper = {};

	init_waitqueue_func_entry(&sleeper.entry, count_wake);
	add_wait_queue(sk_sleep(p->sk), &sleeper.entry);
	cats_wake_writers(p->sk, p->cs);
	remove_wait_queue(sk_sleep(p->sk), &sleeper.entry);
	return sleeper.woken;
}

/* What poll() says of writing. */
static bool ask(struct pair *p)
{
	const __poll_t out = EPOLLOUT | EPOLLWRNORM;

	return (p->near->ops->poll(NULL, p->near, NULL) & out) == out;
}

/* The mark of one who was told to wait goes with the wake-up. */
static void wake_writers__once(struct kunit *test)
{
	struct pair *p = test->priv;
	int held = p->sk->sk_wmem_queued;

	pair_use(p, PAIR_SNDBUF, 0);
	KUNIT_EXPECT_FALSE(test, ask(p));
	KUNIT_EXPECT_EQ(test, p->cs->wanted, BIT(3));
	KUNIT_EXPECT_TRUE(test, test_bit(SOCK_NOSPACE, &p->near->flags));
	KUNIT_EXPECT_EQ(test, wakes(p), 0);
	pair_use(p, held, 0);
	KUNIT_EXPECT_EQ(test, wakes(p), 1);
	KUNIT_EXPECT_EQ(test, wakes(p), 0);
	KUNIT_EXPECT_TRUE(test, ask(p));
	KUNIT_EXPECT_EQ(test, wakes(p), 0);
}

/* Each class for itself; one wake-up if several are due at once. */
static void wake_writers__by_urgency(struct kunit *test)
{
	struct pair *p = test->priv;
	int held = p->sk->sk_wmem_queued;

	pair_use(p, PAIR_SNDBUF, 0);
	cats_want_room(p->sk, p->cs, 7);
	cats_want_room(p->sk, p->cs, 3);
	cats_want_room(p->sk, p->cs, 0);
	KUNIT_EXPECT_EQ(test, wakes(p), 1);
	KUNIT_EXPECT_EQ(test, p->cs->wanted, BIT(7) | BIT(3));
	pair_use(p, PAIR_SNDBUF * 2 / 3, 0);
	KUNIT_EXPECT_EQ(test, wakes(p), 1);
	KUNIT_EXPECT_EQ(test, p->cs->wanted, BIT(7));
	cats_want_room(p->sk, p->cs, 3);
	pair_use(p, held, 0);
	KUNIT_EXPECT_EQ(test, wakes(p), 1);
	KUNIT_EXPECT_EQ(test, p->cs->wanted, 0);
}

static void wake_writers__refused_message(struct kunit *test)
{
	struct pair *p = test->priv;
	int held = p->sk->sk_wmem_queued;
	long timeo = 0;

	pair_use(p, PAIR_SNDBUF, 0);
	KUNIT_EXPECT_EQ(test, cats_wait_room(p->sk, p->cs, 3, 100000, NULL, &timeo),
			-EAGAIN);
	pair_use(p, PAIR_SNDBUF - 99999, 0);
	KUNIT_EXPECT_FALSE(test, ask(p));
	KUNIT_EXPECT_EQ(test, wakes(p), 0);
	pair_use(p, PAIR_SNDBUF - 100000, 0);
	KUNIT_EXPECT_EQ(test, wakes(p), 1);
	KUNIT_EXPECT_TRUE(test, ask(p));
	pair_use(p, PAIR_SNDBUF - 99999, 0);
	cats_write_accepted(p->sk, p->cs, 3);
	KUNIT_EXPECT_TRUE(test, ask(p));
	pair_use(p, held, 0);
}

/* TCP decides in all other states, and after a shutdown. */
static void poll__states(struct kunit *test)
{
	struct pair *p = test->priv;
	int held = p->sk->sk_wmem_queued;
	unsigned char state;

	/* TCP's rule says no, that of the urgent yes. */
	p->cs->poll_urgency = 0;
	pair_use(p, PAIR_SNDBUF, 0);
	for (state = TCP_ESTABLISHED; state < TCP_LISTEN; state++) {
		WRITE_ONCE(p->sk->sk_state, state);
		KUNIT_EXPECT_EQ(test, ask(p),
				state == TCP_ESTABLISHED || state == TCP_CLOSE_WAIT);
	}
	WRITE_ONCE(p->sk->sk_state, TCP_ESTABLISHED);
	pair_use(p, 2 * PAIR_SNDBUF, 0);
	KUNIT_EXPECT_FALSE(test, ask(p));
	p->sk->sk_shutdown = SEND_SHUTDOWN;
	KUNIT_EXPECT_TRUE(test, ask(p));
	p->sk->sk_shutdown = 0;
	pair_use(p, held, 0);
}

/* The operations of struct socket stay when CATS has gone. */
static void poll__not_attached(struct kunit *test)
{
	struct pair *p = test->priv;
	struct proto *prot = p->sk->sk_prot;
	int held = p->sk->sk_wmem_queued;

	pair_use(p, 0, PAIR_SNDBUF);
	KUNIT_EXPECT_FALSE(test, ask(p));
	p->sk->sk_prot = (struct proto *)p->base;
	KUNIT_EXPECT_TRUE(test, ask(p));
	p->sk->sk_prot = prot;
	pair_use(p, held, 0);
}

/* As long as somebody needs it. */
static void arm_hook__as_needed(struct kunit *test)
{
	struct pair *p = test->priv;
	unsigned long *flags = &p->near->flags;
	struct socket *sock = p->sk->sk_socket;

	set_bit(SOCK_NOSPACE, flags);
	cats_arm_hook(p->sk, p->cs);
	KUNIT_EXPECT_FALSE(test, test_bit(SOCK_NOSPACE, flags));
	cats_want_room(p->sk, p->cs, 7);
	clear_bit(SOCK_NOSPACE, flags);
	cats_arm_hook(p->sk, p->cs);
	KUNIT_EXPECT_TRUE(test, test_bit(SOCK_NOSPACE, flags));
	p->sk->sk_socket = NULL;
	clear_bit(SOCK_NOSPACE, flags);
	cats_arm_hook(p->sk, p->cs);
	KUNIT_EXPECT_FALSE(test, test_bit(SOCK_NOSPACE, flags));
	p->sk->sk_socket = sock;
	p->cs->wanted = 0;
}

static struct kunit_case poll_cases[] = {
	KUNIT_CASE(stream_memory_free__a_third),
	KUNIT_CASE(stream_memory_free__low_water_mark),
	KUNIT_CASE(wake_writers__once),
	KUNIT_CASE(wake_writers__by_urgency),
	KUNIT_CASE(wake_writers__refused_message),
	KUNIT_CASE(poll__states),
	KUNIT_CASE(poll__not_attached),
	KUNIT_CASE(arm_hook__as_needed),
	{}
};

static struct kunit_suite poll_suite = {
	.name = "poll",
	.suite_init = pair_suite_init,
	.suite_exit = pair_suite_exit,
	.init = pair_init_limits,
	.exit = pair_exit,
	.test_cases = poll_cases,
};

kunit_test_suite(poll_suite);
