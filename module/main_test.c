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
	KUNIT_EXPECT_TRUE(test, test_bit(SOCK_SUPPORT_ZC, &p->near->flags));
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
	KUNIT_EXPECT_TRUE(test, prot->sendpage == cats_sendpage);
	KUNIT_EXPECT_TRUE(test, prot->recvmsg == cats_recvmsg);
	KUNIT_EXPECT_TRUE(test, prot->ioctl == cats_ioctl);
	KUNIT_EXPECT_TRUE(test, prot->getsockopt == tcp_prot.getsockopt);
	KUNIT_EXPECT_TRUE(test, prot->sysctl_mem == tcp_prot.sysctl_mem);
	KUNIT_EXPECT_TRUE(test, p->sk->sk_write_space == cats_write_space);
	KUNIT_EXPECT_TRUE(test, p->sk->sk_state_change == cats_state_change);
	KUNIT_EXPECT_TRUE(test, p->cs->saved_write_space == p->write_space);
	KUNIT_EXPECT_TRUE(test, p->cs->saved_state_change == p->state_change);
	KUNIT_EXPECT_TRUE(test, p->near->ops->setsockopt == cats_setsockopt);
	KUNIT_EXPECT_TRUE(test, p->near->ops->getsockopt == cats_getsockopt);
	KUNIT_EXPECT_TRUE(test, p->near->ops->sendmsg_locked == cats_sendmsg_locked);
	KUNIT_EXPECT_TRUE(test, p->near->ops->bind == p->peer->ops->bind);
	KUNIT_EXPECT_TRUE(test, test_bit(SOCK_SUPPORT_ZC, &p->near->flags));
	KUNIT_EXPECT_PTR_EQ(test, cats_of(p->sk), p->cs);
	KUNIT_EXPECT_PTR_EQ(test, cats_of(p->peer->sk), NULL);
	/* The ULP's, and the file's. */
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), p->nr_refs + 2);
}

static void attach__starts_from_the_defaults(struct kunit *test)
{
	struct pair *p = test->priv;

	KUNIT_ASSERT_EQ(test, pair_attach(p), 0);
	KUNIT_EXPECT_EQ(test, p->cs->urgency, CATS_URGENCY_DEFAULT);
	KUNIT_EXPECT_PTR_EQ(test, p->cs->conductor.ops, &cats_bounded);
	KUNIT_EXPECT_TRUE(test, cats_conductor_empty(&p->cs->conductor));
	KUNIT_EXPECT_EQ(test, p->cs->mem, 0);
	KUNIT_EXPECT_EQ(test, p->cs->seen_snd_nxt, tcp_sk(p->sk)->snd_nxt);
	KUNIT_EXPECT_EQ(test, p->cs->reason, CATS_REASON_NONE);
	KUNIT_EXPECT_FALSE(test, timer_pending(&p->cs->timer));
}

static void attach__not_after_the_end(struct kunit *test)
{
	static const unsigned char states[] = { TCP_FIN_WAIT1, TCP_FIN_WAIT2, TCP_TIME_WAIT,
						TCP_LAST_ACK, TCP_CLOSING, TCP_NEW_SYN_RECV };
	struct pair *p = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(states); i++) {
		WRITE_ONCE(p->sk->sk_state, states[i]);
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

	KUNIT_ASSERT_EQ(test, pair_attach(p), 0);
	KUNIT_ASSERT_EQ(test, pair_set_ulp(p->peer), 0);
	KUNIT_EXPECT_PTR_EQ(test, p->peer->sk->sk_prot, p->sk->sk_prot);
	KUNIT_EXPECT_PTR_NE(test, cats_sk(p->peer->sk), p->cs);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), p->nr_refs + 4);
}

static void release(struct sock *sk)
{
	inet_csk(sk)->icsk_ulp_ops->release(sk);
	module_put(inet_csk(sk)->icsk_ulp_ops->owner);
	inet_csk(sk)->icsk_ulp_ops = NULL;
}

/*
 * A connection that came in and failed halfway: it is destroyed armed, and nobody
 * holds its lock.
 */
static void release__gives_back(struct kunit *test)
{
	struct pair *p = test->priv;
	struct sock *sk = p->sk;

	KUNIT_ASSERT_EQ(test, pair_attach(p), 0);
	release(sk);
	KUNIT_EXPECT_PTR_EQ(test, (const struct proto *)sk->sk_prot, p->base);
	KUNIT_EXPECT_TRUE(test, sk->sk_write_space == p->write_space);
	KUNIT_EXPECT_TRUE(test, sk->sk_state_change == p->state_change);
	KUNIT_EXPECT_PTR_EQ(test, rcu_access_pointer(__sk_user_data(sk)), NULL);
	KUNIT_EXPECT_PTR_EQ(test, inet_csk(sk)->icsk_ulp_data, NULL);
	KUNIT_EXPECT_PTR_EQ(test, cats_of(sk), NULL);
	/* The file has our operations until it is released. */
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), p->nr_refs + 1);
	/* Like a new one. */
	KUNIT_EXPECT_EQ(test, pair_attach(p), 0);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), p->nr_refs + 2);
}

static struct kunit_case main_cases[] = {
	KUNIT_CASE(attach__takes_over),
	KUNIT_CASE(attach__starts_from_the_defaults),
	KUNIT_CASE(attach__not_after_the_end),
	KUNIT_CASE(attach__twice),
	KUNIT_CASE(attach__user_data_in_use),
	KUNIT_CASE(attach__while_a_write_sleeps),
	KUNIT_CASE(attach__taken_over_by_others),
	KUNIT_CASE(attach__ipv6),
	KUNIT_CASE(attach__both_ends),
	KUNIT_CASE(release__gives_back),
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
