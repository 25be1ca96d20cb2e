// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of attaching: which sockets, and what changes in them.
 */
#include <linux/module.h>
#include <net/transp_v6.h>

#include "pair_test.h"

/* Refused with @err, and the socket is as it was. */
static void expect_refused(struct kunit *test, int err)
{
	struct pair *p = test->priv;
	const struct proto *prot = p->sk->sk_prot;
	void *user_data = rcu_access_pointer(__sk_user_data(p->sk));

	KUNIT_EXPECT_EQ(test, pair_attach(p), err);
	KUNIT_EXPECT_PTR_EQ(test, (const struct proto *)p->sk->sk_prot, prot);
	KUNIT_EXPECT_PTR_EQ(test, rcu_access_pointer(__sk_user_data(p->sk)), user_data);
	KUNIT_EXPECT_TRUE(test, p->sk->sk_write_space == p->write_space);
	KUNIT_EXPECT_TRUE(test, p->sk->sk_state_change == p->state_change);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), p->nr_refs);
}

static void attach__takes_over(struct kunit *test)
{
	struct pair *p = test->priv;
	const struct proto *prot;

	KUNIT_ASSERT_EQ(test, pair_attach(p), 0);
	prot = p->sk->sk_prot;
	KUNIT_EXPECT_PTR_EQ(test, p->cs->base, (const struct proto *)&tcp_prot);
	KUNIT_EXPECT_PTR_EQ(test, p->cs->sk, p->sk);
	KUNIT_EXPECT_TRUE(test, prot->sendmsg == cats_sendmsg);
	KUNIT_EXPECT_TRUE(test, prot->close == cats_close);
	KUNIT_EXPECT_TRUE(test, prot->shutdown == cats_shutdown);
	KUNIT_EXPECT_TRUE(test, prot->disconnect == cats_disconnect);
	KUNIT_EXPECT_TRUE(test, prot->stream_memory_free == cats_stream_memory_free);
	KUNIT_EXPECT_TRUE(test, prot->recvmsg == tcp_prot.recvmsg);
	KUNIT_EXPECT_TRUE(test, prot->sysctl_mem == tcp_prot.sysctl_mem);
	KUNIT_EXPECT_TRUE(test, p->sk->sk_write_space == cats_write_space);
	KUNIT_EXPECT_TRUE(test, p->sk->sk_state_change == cats_state_change);
	KUNIT_EXPECT_TRUE(test, p->cs->saved_write_space == p->write_space);
	KUNIT_EXPECT_TRUE(test, p->cs->saved_state_change == p->state_change);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), p->nr_refs + 2);
}

static void attach__starts_from_the_defaults(struct kunit *test)
{
	struct pair *p = test->priv;

	KUNIT_ASSERT_EQ(test, pair_attach(p), 0);
	KUNIT_EXPECT_EQ(test, p->cs->urgency, CATS_URGENCY_DEFAULT);
	KUNIT_EXPECT_PTR_EQ(test, p->cs->conductor.ops, &cats_debt);
	KUNIT_EXPECT_TRUE(test, cats_conductor_empty(&p->cs->conductor));
	KUNIT_EXPECT_EQ(test, p->cs->mem, 0);
	KUNIT_EXPECT_EQ(test, p->cs->seen_snd_nxt, tcp_sk(p->sk)->snd_nxt);
	KUNIT_EXPECT_PTR_EQ(test, p->cs->reason, NULL);
	KUNIT_EXPECT_FALSE(test, timer_pending(&p->cs->retry));
}

static void attach__only_established(struct kunit *test)
{
	struct pair *p = test->priv;
	unsigned char state;

	for (state = TCP_ESTABLISHED + 1; state < TCP_MAX_STATES; state++) {
		WRITE_ONCE(p->sk->sk_state, state);
		expect_refused(test, -ENOTCONN);
	}
	WRITE_ONCE(p->sk->sk_state, TCP_ESTABLISHED);
	KUNIT_EXPECT_EQ(test, pair_attach(p), 0);
}

static void attach__twice(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_sock *cs;

	KUNIT_ASSERT_EQ(test, pair_attach(p), 0);
	cs = p->cs;
	KUNIT_EXPECT_EQ(test, pair_attach(p), -EEXIST);
	KUNIT_EXPECT_PTR_EQ(test, cats_sk(p->sk), cs);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), p->nr_refs + 2);
}

static void attach__user_data_in_use(struct kunit *test)
{
	struct pair *p = test->priv;

	rcu_assign_sk_user_data(p->sk, test);
	expect_refused(test, -EBUSY);
	rcu_assign_sk_user_data(p->sk, NULL);
	KUNIT_EXPECT_EQ(test, pair_attach(p), 0);
}

static void attach__while_a_write_sleeps(struct kunit *test)
{
	struct pair *p = test->priv;

	p->sk->sk_write_pending = 1;
	expect_refused(test, -EBUSY);
	p->sk->sk_write_pending = 0;
	KUNIT_EXPECT_EQ(test, pair_attach(p), 0);
}

/* As sockmap and others leave it: the operations of somebody else. */
static void attach__taken_over_by_others(struct kunit *test)
{
	struct pair *p = test->priv;
	struct proto *other = kunit_kmalloc(test, sizeof(*other), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, other);
	*other = *p->base;
	p->sk->sk_prot = other;
	expect_refused(test, -EOPNOTSUPP);
	p->sk->sk_prot = (struct proto *)p->base;
	KUNIT_EXPECT_EQ(test, pair_attach(p), 0);
}

static void attach__ipv6(struct kunit *test)
{
	struct pair *p = test->priv;

	pair_release(p);
	KUNIT_ASSERT_EQ(test, pair_connect(p, AF_INET6), 0);
	KUNIT_ASSERT_EQ(test, pair_attach(p), 0);
	KUNIT_EXPECT_PTR_EQ(test, p->cs->base, (const struct proto *)&tcpv6_prot);
	KUNIT_EXPECT_TRUE(test, p->sk->sk_prot->sendmsg == cats_sendmsg);
	KUNIT_EXPECT_TRUE(test, p->sk->sk_prot->connect == tcpv6_prot.connect);
	pair_hold(p);
	pair_queue(p, 1, 0x66, 100);
	cats_feed(p->sk, p->cs);
	KUNIT_EXPECT_TRUE(test, pair_queue_has(p, 0, 0x66, 100));
}

/* The sockets of one family share their operations, each has its own state. */
static void attach__both_ends(struct kunit *test)
{
	struct pair *p = test->priv;
	char name[] = CATS_ULP_NAME;

	KUNIT_ASSERT_EQ(test, pair_attach(p), 0);
	KUNIT_ASSERT_EQ(test, p->peer->ops->setsockopt(p->peer, SOL_TCP, TCP_ULP,
						       KERNEL_SOCKPTR(name), strlen(name)), 0);
	KUNIT_EXPECT_PTR_EQ(test, p->peer->sk->sk_prot, p->sk->sk_prot);
	KUNIT_EXPECT_PTR_NE(test, cats_sk(p->peer->sk), p->cs);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), p->nr_refs + 4);
}

/*
 * The socket is destroyed with messages still queued, which closing it does not
 * leave: they go with it, and their charge.
 */
static void release__with_messages(struct kunit *test)
{
	struct pair *p = test->priv;
	struct sock *sk = p->sk;
	int before = sk->sk_forward_alloc & (PAGE_SIZE - 1);

	KUNIT_ASSERT_EQ(test, pair_attach(p), 0);
	pair_hold(p);
	pair_queue(p, 3, 1, 10000);
	pair_queue(p, 7, 1, 10000);
	sk->sk_prot = (struct proto *)p->base;
	sk->sk_write_space = p->write_space;
	sk->sk_state_change = p->state_change;
	inet_csk(sk)->icsk_ulp_ops->release(sk);
	module_put(inet_csk(sk)->icsk_ulp_ops->owner);
	inet_csk(sk)->icsk_ulp_ops = NULL;
	KUNIT_EXPECT_EQ(test, sk->sk_forward_alloc & (PAGE_SIZE - 1), (unsigned long)before);
	KUNIT_EXPECT_PTR_EQ(test, rcu_access_pointer(__sk_user_data(sk)), NULL);
	pair_drop(p);
	/* Like a new one. */
	KUNIT_EXPECT_EQ(test, pair_attach(p), 0);
}

static struct kunit_case main_cases[] = {
	KUNIT_CASE(attach__takes_over),
	KUNIT_CASE(attach__starts_from_the_defaults),
	KUNIT_CASE(attach__only_established),
	KUNIT_CASE(attach__twice),
	KUNIT_CASE(attach__user_data_in_use),
	KUNIT_CASE(attach__while_a_write_sleeps),
	KUNIT_CASE(attach__taken_over_by_others),
	KUNIT_CASE(attach__ipv6),
	KUNIT_CASE(attach__both_ends),
	KUNIT_CASE(release__with_messages),
	{}
};

static struct kunit_suite main_suite = {
	.name = "main",
	.suite_init = pair_suite_init,
	.suite_exit = pair_suite_exit,
	.init = pair_init_plain,
	.exit = pair_exit,
	.test_cases = main_cases,
};

kunit_test_suite(main_suite);
