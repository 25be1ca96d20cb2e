// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of waiting for room, and of turns.
 *
 * Whoever is blocked is so by hand; nobody sleeps but where the time is up.
 */
#include "pair_test.h"

static int wait(struct pair *p, unsigned int urgency, size_t need, long timeo)
{
	return cats_wait_room(p->sk, p->cs, urgency, need, NULL, &timeo);
}

static void wait_room__answers_at_once(struct kunit *test)
{
	struct pair *p = test->priv;
	int held = p->sk->sk_wmem_queued;

	KUNIT_EXPECT_EQ(test, wait(p, 3, PAIR_SNDBUF - held, 0), 0);
	KUNIT_EXPECT_FALSE(test, test_bit(SOCK_NOSPACE, &p->near->flags));
	KUNIT_EXPECT_EQ(test, wait(p, 3, PAIR_SNDBUF + 1, 0), -EMSGSIZE);
	pair_use(p, PAIR_SNDBUF, 0);
	KUNIT_EXPECT_EQ(test, wait(p, 3, 1, 0), -EAGAIN);
	/* So that TCP tells us. */
	KUNIT_EXPECT_TRUE(test, test_bit(SOCK_NOSPACE, &p->near->flags));
	KUNIT_EXPECT_EQ(test, wait(p, 2, PAIR_STEP, 0), 0);
	p->sk->sk_err = ECONNRESET;
	KUNIT_EXPECT_EQ(test, wait(p, 2, 1, 0), -EPIPE);
	p->sk->sk_err = 0;
	p->sk->sk_shutdown = SEND_SHUTDOWN;
	KUNIT_EXPECT_EQ(test, wait(p, 2, 1, 0), -EPIPE);
	p->sk->sk_shutdown = 0;
	KUNIT_EXPECT_EQ(test, p->cs->blocked, 0);
	pair_use(p, held, 0);
}

static void wait_room__time_is_up(struct kunit *test)
{
	struct pair *p = test->priv;
	int held = p->sk->sk_wmem_queued;
	long timeo = 3;

	pair_use(p, PAIR_SNDBUF, 0);
	KUNIT_EXPECT_EQ(test, cats_wait_room(p->sk, p->cs, 5, 1, NULL, &timeo), -EAGAIN);
	KUNIT_EXPECT_EQ(test, timeo, 0);
	KUNIT_EXPECT_EQ(test, p->cs->blocked, 0);
	KUNIT_EXPECT_EQ(test, p->cs->nr_blocked[5], 0);
	KUNIT_EXPECT_EQ(test, p->sk->sk_write_pending, 0);
	pair_use(p, held, 0);
}

/* As if a writer went to sleep. */
static void put_to_sleep(struct pair *p, unsigned int urgency, u32 turn)
{
	struct cats_sock *cs = p->cs;

	cs->nr_blocked[urgency] = 1;
	cs->least_need[urgency] = 1;
	cs->turn[urgency] = turn;
	cs->last_turn = turn;
	cs->blocked |= BIT(urgency);
	cs->sleeping |= BIT(urgency);
}

static void wake_all(struct pair *p)
{
	p->cs->blocked = 0;
	p->cs->sleeping = 0;
	memset(p->cs->nr_blocked, 0, sizeof(p->cs->nr_blocked));
}

/* One bit per urgency that a write that may sleep gets in with. */
static unsigned int may_write(struct pair *p)
{
	unsigned int u, may = 0;

	for (u = 0; u < CATS_NR_URGENCIES; u++)
		if (cats_may_write(p->sk, p->cs, u, 1, NULL, 1))
			may |= BIT(u);
	return may;
}

/* The first, the urgent, and those who have room of their own. */
static void turn__whose_it_is(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_class *classes = p->cs->conductor.classes;

	KUNIT_EXPECT_EQ(test, may_write(p), 0xff);
	put_to_sleep(p, 5, 1);
	KUNIT_EXPECT_EQ(test, may_write(p), 0x3f);
	classes[3].sent_bytes += PAIR_STEP;
	KUNIT_EXPECT_EQ(test, may_write(p), 0x2f);
	classes[4].queued_bytes += PAIR_STEP - 1;
	KUNIT_EXPECT_EQ(test, may_write(p), 0x2f);
	classes[4].queued_bytes++;
	KUNIT_EXPECT_EQ(test, may_write(p), 0x27);
	/* One that may not sleep. */
	KUNIT_EXPECT_TRUE(test, cats_may_write(p->sk, p->cs, 7, 1, NULL, 0));
	classes[4].queued_bytes = 0;
	wake_all(p);
}

/* Numbers wrap around. */
static void turn__lowest_is_first(struct kunit *test)
{
	struct pair *p = test->priv;

	p->cs->conductor.classes[3].sent_bytes = PAIR_SNDBUF;
	put_to_sleep(p, 0, 0);
	put_to_sleep(p, 6, U32_MAX);
	put_to_sleep(p, 4, 0);
	put_to_sleep(p, 7, 1);
	KUNIT_EXPECT_EQ(test, may_write(p), 0x47);
	cats_write_accepted(p->sk, p->cs, 7);
	KUNIT_EXPECT_EQ(test, may_write(p), 0x47);
	cats_write_accepted(p->sk, p->cs, 6);
	/* From here on urgency 3 may overtake again. */
	KUNIT_EXPECT_EQ(test, may_write(p), 0x1f);
	cats_write_accepted(p->sk, p->cs, 4);
	KUNIT_EXPECT_EQ(test, may_write(p), 0xff);
	p->cs->conductor.classes[3].sent_bytes += PAIR_SNDBUF;
	KUNIT_EXPECT_EQ(test, may_write(p), 0x87);
	wake_all(p);
}

/* Who only waited for the turn is woken when it comes. */
static void turn__wakes_the_next(struct kunit *test)
{
	struct pair *p = test->priv;

	put_to_sleep(p, 3, 1);
	put_to_sleep(p, 7, 2);
	p->cs->sleeping = BIT(7);
	cats_wake_writers(p->sk, p->cs);
	KUNIT_EXPECT_EQ(test, p->cs->sleeping, BIT(7));
	cats_write_accepted(p->sk, p->cs, 3);
	KUNIT_EXPECT_EQ(test, p->cs->sleeping, 0);
	wake_all(p);
}

/* A message that has begun goes on: all the others wait for it. */
static void turn__ran_dry(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = pair_msg(p, 7);

	KUNIT_EXPECT_NOT_NULL(test, m);
	if (!m)
		return;
	put_to_sleep(p, 3, 1);
	m->msg.len = 10;
	m->msg.committed = 10;
	KUNIT_EXPECT_FALSE(test, cats_may_write(p->sk, p->cs, 7, 1, m, 1));
	p->cs->conductor.current_msg = &m->msg;
	KUNIT_EXPECT_TRUE(test, cats_may_write(p->sk, p->cs, 7, 1, m, 1));
	p->cs->conductor.current_msg = NULL;
	wake_all(p);
}

/* TCP's rule for waking, the least that is wanted, and each of them once. */
static void sleepers_due__for_room(struct kunit *test)
{
	struct pair *p = test->priv;
	int held = p->sk->sk_wmem_queued;

	put_to_sleep(p, 3, 1);
	p->cs->least_need[3] = 100000;
	pair_use(p, PAIR_SNDBUF - 99999, 0);
	KUNIT_EXPECT_FALSE(test, cats_sleepers_due(p->sk, p->cs));
	pair_use(p, PAIR_SNDBUF - 100000, 0);
	KUNIT_EXPECT_TRUE(test, cats_sleepers_due(p->sk, p->cs));
	KUNIT_EXPECT_FALSE(test, cats_sleepers_due(p->sk, p->cs));
	wake_all(p);
	put_to_sleep(p, 2, 2);
	pair_use(p, cats_mem_limit(p->sk, 2), 0);
	KUNIT_EXPECT_FALSE(test, cats_sleepers_due(p->sk, p->cs));
	pair_use(p, cats_mem_limit(p->sk, 2) - 1, 0);
	KUNIT_EXPECT_TRUE(test, cats_sleepers_due(p->sk, p->cs));
	wake_all(p);
	pair_use(p, held, 0);
}

/* Everything waits for the writer of a message that ran dry. */
static void sleepers_due__stalled(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg dry = {
		.msg = { .len = 5, .committed = 5 },
		.has_writer = true,
	};
	int held = p->sk->sk_wmem_queued;

	pair_use(p, PAIR_SNDBUF, PAIR_SNDBUF);
	put_to_sleep(p, 7, 1);
	KUNIT_EXPECT_FALSE(test, cats_sleepers_due(p->sk, p->cs));
	p->cs->conductor.current_msg = &dry.msg;
	KUNIT_EXPECT_FALSE(test, cats_sleepers_due(p->sk, p->cs));
	/* Nobody sleeps over it: it waits for another call. */
	dry.msg.open = true;
	dry.has_writer = false;
	KUNIT_EXPECT_FALSE(test, cats_sleepers_due(p->sk, p->cs));
	dry.has_writer = true;
	KUNIT_EXPECT_TRUE(test, cats_sleepers_due(p->sk, p->cs));
	p->cs->conductor.current_msg = NULL;
	wake_all(p);
	pair_use(p, held, 0);
}

static struct kunit_case wait_cases[] = {
	KUNIT_CASE(wait_room__answers_at_once),
	KUNIT_CASE(wait_room__time_is_up),
	KUNIT_CASE(turn__whose_it_is),
	KUNIT_CASE(turn__lowest_is_first),
	KUNIT_CASE(turn__wakes_the_next),
	KUNIT_CASE(turn__ran_dry),
	KUNIT_CASE(sleepers_due__for_room),
	KUNIT_CASE(sleepers_due__stalled),
	{}
};

static struct kunit_suite wait_suite = {
	.name = "wait",
	.suite_init = pair_suite_init,
	.suite_exit = pair_suite_exit,
	.init = pair_init_limits,
	.exit = pair_exit,
	.test_cases = wait_cases,
};

kunit_test_suite(wait_suite);
