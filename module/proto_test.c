// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of listeners: who is armed when, and what accepted sockets inherit.
 */
#include <net/inet_common.h>

#include "pair_test.h"

static bool armed(const struct socket *sock)
{
	const struct sock *sk = sock->sk;
	bool known;

	rcu_read_lock();
	known = rcu_dereference_sk_user_data(sk) == cats_sk(sk);
	rcu_read_unlock();
	return known && sk->sk_prot->sendmsg == cats_sendmsg &&
	       sk->sk_write_space == cats_write_space &&
	       sk->sk_state_change == cats_state_change;
}

/* Nothing of CATS in what TCP calls. */
static bool plain(const struct socket *sock)
{
	return sock->sk->sk_prot == &tcp_prot &&
	       sock->sk->sk_write_space != cats_write_space &&
	       sock->sk->sk_state_change != cats_state_change &&
	       !rcu_access_pointer(__sk_user_data(sock->sk));
}

static int set_option(struct socket *sock, int optname, void *value, int len)
{
	return sock->ops->setsockopt(sock, SOL_CATS, optname, KERNEL_SOCKPTR(value), len);
}

/* As accept4() does it; kernel_accept() sets the operations afterwards. */
static int accept_as_user(struct pair *p)
{
	int err;

	err = sock_create_lite(AF_INET, SOCK_STREAM, IPPROTO_TCP, &p->peer);
	if (err)
		return err;
	p->peer->ops = p->listener->ops;
	__module_get(p->peer->ops->owner);
	return p->peer->ops->accept(p->listener, p->peer, 0, false);
}

static void clone__inherits(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_tag tag = { .urgency = 6 };
	char name[] = "strict";
	struct cats_sock *cs;

	KUNIT_ASSERT_EQ(test, pair_listen(p, AF_INET), 0);
	KUNIT_ASSERT_EQ(test, pair_set_ulp(p->listener), 0);
	KUNIT_EXPECT_TRUE(test, plain(p->listener));
	KUNIT_EXPECT_EQ(test, set_option(p->listener, CATS_TAG, &tag, sizeof(tag)), 0);
	KUNIT_EXPECT_EQ(test, set_option(p->listener, CATS_CONDUCTOR, name, sizeof(name)), 0);
	KUNIT_ASSERT_EQ(test, pair_dial(p), 0);
	KUNIT_ASSERT_EQ(test, accept_as_user(p), 0);
	KUNIT_EXPECT_TRUE(test, armed(p->peer));
	cs = cats_of(p->peer->sk);
	KUNIT_ASSERT_NOT_NULL(test, cs);
	KUNIT_EXPECT_PTR_NE(test, cs, cats_of(p->listener->sk));
	KUNIT_EXPECT_PTR_EQ(test, cs->sk, p->peer->sk);
	KUNIT_EXPECT_EQ(test, cs->urgency, 6);
	KUNIT_EXPECT_PTR_EQ(test, cs->conductor.ops, &cats_strict);
	KUNIT_EXPECT_TRUE(test, cats_conductor_empty(&cs->conductor));
	KUNIT_EXPECT_PTR_EQ(test, p->peer->ops, p->listener->ops);
	KUNIT_EXPECT_TRUE(test, plain(p->listener));
	/* A ULP and a file, twice. */
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), p->nr_refs + 4);
	KUNIT_EXPECT_EQ(test, pair_set_ulp(p->peer), -EEXIST);
}

static void clone__inherits_parameters(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_debt_params params, got;

	KUNIT_ASSERT_EQ(test, pair_listen(p, AF_INET), 0);
	KUNIT_ASSERT_EQ(test, pair_set_ulp(p->listener), 0);
	KUNIT_ASSERT_EQ(test, set_option(p->listener, CATS_CONDUCTOR, "debt", 5), 0);
	KUNIT_ASSERT_TRUE(test, cats_debt_get_params(&cats_sk(p->listener->sk)->conductor,
						     &params));
	params.high[2] += 77;
	KUNIT_EXPECT_EQ(test, set_option(p->listener, CATS_DEBT_PARAMS, &params,
					 sizeof(params)), 0);
	KUNIT_ASSERT_EQ(test, pair_dial(p), 0);
	KUNIT_ASSERT_EQ(test, accept_as_user(p), 0);
	KUNIT_ASSERT_NOT_NULL(test, cats_of(p->peer->sk));
	KUNIT_EXPECT_TRUE(test, cats_debt_get_params(&cats_sk(p->peer->sk)->conductor, &got));
	KUNIT_EXPECT_EQ(test, got.high[2], params.high[2]);
}

/* The listener is being destroyed: what comes in yet is plain. */
static void clone__listener_without_state(struct kunit *test)
{
	struct pair *p = test->priv;
	void __rcu **state;
	void *saved;

	KUNIT_ASSERT_EQ(test, pair_listen(p, AF_INET), 0);
	KUNIT_ASSERT_EQ(test, pair_set_ulp(p->listener), 0);
	state = &inet_csk(p->listener->sk)->icsk_ulp_data;
	saved = rcu_dereference_raw(*state);
	rcu_assign_pointer(*state, NULL);
	KUNIT_EXPECT_EQ(test, pair_dial(p), 0);
	rcu_assign_pointer(*state, saved);
	KUNIT_ASSERT_EQ(test, accept_as_user(p), 0);
	KUNIT_EXPECT_TRUE(test, plain(p->peer));
	KUNIT_EXPECT_PTR_EQ(test, inet_csk(p->peer->sk)->icsk_ulp_ops, NULL);
	KUNIT_EXPECT_PTR_EQ(test, inet_csk(p->peer->sk)->icsk_ulp_data, NULL);
	KUNIT_EXPECT_PTR_EQ(test, p->peer->ops, p->near->ops);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), p->nr_refs + 2);
}

/* pair_exit() sees that the references come back. */
static void clone__never_accepted(struct kunit *test)
{
	struct pair *p = test->priv;

	KUNIT_ASSERT_EQ(test, pair_listen(p, AF_INET), 0);
	KUNIT_ASSERT_EQ(test, pair_set_ulp(p->listener), 0);
	KUNIT_ASSERT_EQ(test, pair_dial(p), 0);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), p->nr_refs + 3);
}

/* A connection that was made before: TCP's, with a way to become ours. */
static void accept__made_before_the_attach(struct kunit *test)
{
	struct pair *p = test->priv;

	KUNIT_ASSERT_EQ(test, pair_listen(p, AF_INET), 0);
	KUNIT_ASSERT_EQ(test, pair_dial(p), 0);
	KUNIT_ASSERT_EQ(test, pair_set_ulp(p->listener), 0);
	KUNIT_ASSERT_EQ(test, accept_as_user(p), 0);
	KUNIT_EXPECT_TRUE(test, plain(p->peer));
	KUNIT_EXPECT_PTR_EQ(test, p->peer->ops, p->near->ops);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), p->nr_refs + 2);
	KUNIT_EXPECT_EQ(test, pair_set_ulp(p->peer), 0);
	KUNIT_EXPECT_TRUE(test, armed(p->peer));
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), p->nr_refs + 4);
}

/* In the kernel such a socket has our operations, which are those of TCP for it. */
static void accept__in_the_kernel(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_tag tag = {};
	int one = 1;

	KUNIT_ASSERT_EQ(test, pair_listen(p, AF_INET), 0);
	KUNIT_ASSERT_EQ(test, pair_dial(p), 0);
	KUNIT_ASSERT_EQ(test, pair_set_ulp(p->listener), 0);
	KUNIT_ASSERT_EQ(test, kernel_accept(p->listener, &p->peer, 0), 0);
	KUNIT_EXPECT_TRUE(test, plain(p->peer));
	KUNIT_EXPECT_PTR_EQ(test, p->peer->ops, p->listener->ops);
	KUNIT_EXPECT_EQ(test, set_option(p->peer, CATS_TAG, &tag, sizeof(tag)), -ENOPROTOOPT);
	KUNIT_EXPECT_EQ(test, p->peer->ops->setsockopt(p->peer, SOL_TCP, TCP_NODELAY,
						       KERNEL_SOCKPTR(&one), sizeof(one)), 0);
}

/* Attached, and nothing else. */
static int open_near(struct pair *p)
{
	int err = sock_create_kern(&init_net, AF_INET, SOCK_STREAM, IPPROTO_TCP, &p->near);

	return err ?: pair_set_ulp(p->near);
}

/* A CATS socket that was a listener until it was shut down, and one to connect to. */
static void shut_listener(struct kunit *test)
{
	struct pair *p = test->priv;

	KUNIT_ASSERT_EQ(test, pair_listen(p, AF_INET), 0);
	KUNIT_ASSERT_EQ(test, open_near(p), 0);
	KUNIT_ASSERT_EQ(test, kernel_listen(p->near, 1), 0);
	KUNIT_EXPECT_EQ(test, kernel_sock_shutdown(p->near, SHUT_RDWR), 0);
}

static void listen__disarms(struct kunit *test)
{
	struct pair *p = test->priv;

	KUNIT_ASSERT_EQ(test, open_near(p), 0);
	KUNIT_EXPECT_TRUE(test, armed(p->near));
	KUNIT_EXPECT_EQ(test, kernel_listen(p->near, 1), 0);
	KUNIT_EXPECT_TRUE(test, plain(p->near));
	KUNIT_EXPECT_NOT_NULL(test, cats_of(p->near->sk));
	/* Another backlog. */
	KUNIT_EXPECT_EQ(test, kernel_listen(p->near, 2), 0);
	KUNIT_EXPECT_TRUE(test, plain(p->near));
}

/* Refused, and as it was: on a connection, and with the port taken. */
static void listen__fails(struct kunit *test)
{
	struct pair *p = test->priv;

	KUNIT_ASSERT_EQ(test, pair_listen(p, AF_INET), 0);
	KUNIT_ASSERT_EQ(test, open_near(p), 0);
	/* As the ULP of somebody who does not know listeners. */
	p->near->state = SS_CONNECTING;
	KUNIT_EXPECT_EQ(test, kernel_listen(p->near, 1), -EINVAL);
	KUNIT_EXPECT_TRUE(test, armed(p->near));
	p->near->state = SS_UNCONNECTED;
	KUNIT_ASSERT_EQ(test, pair_dial(p), 0);
	KUNIT_EXPECT_EQ(test, kernel_listen(p->near, 1), -EINVAL);
	KUNIT_EXPECT_TRUE(test, armed(p->near));
}

static void connect__attached_before(struct kunit *test)
{
	struct pair *p = test->priv;
	u8 data[100];

	KUNIT_ASSERT_EQ(test, pair_listen(p, AF_INET), 0);
	KUNIT_ASSERT_EQ(test, sock_create_kern(&init_net, AF_INET, SOCK_STREAM, IPPROTO_TCP,
					       &p->near), 0);
	p->sk = p->near->sk;
	KUNIT_ASSERT_EQ(test, pair_attach(p), 0);
	KUNIT_ASSERT_EQ(test, pair_dial(p), 0);
	KUNIT_EXPECT_TRUE(test, armed(p->near));
	KUNIT_ASSERT_EQ(test, accept_as_user(p), 0);
	p->balance = pair_balance(p);
	pair_hold(p);
	pair_queue(p, 1, 0x5a, sizeof(data));
	cats_feed(p->sk, p->cs);
	pair_drop(p);
	KUNIT_EXPECT_EQ(test, pair_read(p, data, sizeof(data)), (int)sizeof(data));
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(data, 0x5a, sizeof(data)), NULL);
}

/* A listener that was shut down may become a connection. */
static void connect__after_listening(struct kunit *test)
{
	struct pair *p = test->priv;

	shut_listener(test);
	KUNIT_EXPECT_TRUE(test, plain(p->near));
	KUNIT_ASSERT_EQ(test, pair_dial(p), 0);
	KUNIT_EXPECT_TRUE(test, armed(p->near));
}

/* Somebody has taken sk_user_data meanwhile. */
static void connect__busy(struct kunit *test)
{
	struct pair *p = test->priv;

	shut_listener(test);
	rcu_assign_sk_user_data(p->near->sk, test);
	KUNIT_EXPECT_EQ(test, pair_dial(p), -EBUSY);
	rcu_assign_sk_user_data(p->near->sk, NULL);
	KUNIT_EXPECT_EQ(test, pair_dial(p), 0);
	KUNIT_EXPECT_TRUE(test, armed(p->near));
}

static struct kunit_case proto_cases[] = {
	KUNIT_CASE(clone__inherits),
	KUNIT_CASE(clone__inherits_parameters),
	KUNIT_CASE(clone__listener_without_state),
	KUNIT_CASE(clone__never_accepted),
	KUNIT_CASE(accept__made_before_the_attach),
	KUNIT_CASE(accept__in_the_kernel),
	KUNIT_CASE(listen__disarms),
	KUNIT_CASE(listen__fails),
	KUNIT_CASE(connect__attached_before),
	KUNIT_CASE(connect__after_listening),
	KUNIT_CASE(connect__busy),
	{}
};

static struct kunit_suite proto_suite = {
	.name = "proto",
	.suite_init = pair_suite_init,
	.suite_exit = pair_suite_exit,
	.init = pair_init_none,
	.exit = pair_exit,
	.test_cases = proto_cases,
};

kunit_test_suite(proto_suite);
