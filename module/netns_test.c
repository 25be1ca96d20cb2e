// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: counts of a namespace, and what a new socket starts with.  The
 * sysctls are tested from outside, by selftests/netns.c.
 */
#include "mib.h"
#include "netns.h"
#include "pair_test.h"

/* Set back when a case ends. */
static struct cats_net saved;

static int netns_init(struct kunit *test)
{
	saved = *cats_net(&init_net);
	return pair_init_plain(test);
}

static void netns_exit(struct kunit *test)
{
	struct cats_net *cn = cats_net(&init_net);

	pair_exit(test);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&cn->nr_sockets),
			atomic_long_read(&saved.nr_sockets));
	cn->conductor = saved.conductor;
	cn->urgency = saved.urgency;
	cn->debt = saved.debt;
	cn->max_sockets = saved.max_sockets;
}

static void count__up_to_the_limit(struct kunit *test)
{
	struct cats_net *cn = cats_net(&init_net);
	int i, n = 3;

	cn->max_sockets = atomic_long_read(&saved.nr_sockets) + n;
	for (i = 0; i < n; i++)
		KUNIT_EXPECT_TRUE(test, cats_net_get_socket(&init_net));
	KUNIT_EXPECT_FALSE(test, cats_net_get_socket(&init_net));
	KUNIT_EXPECT_EQ(test, atomic_long_read(&cn->nr_sockets), (long)cn->max_sockets);
	cats_net_put_socket(&init_net);
	KUNIT_EXPECT_TRUE(test, cats_net_get_socket(&init_net));
	KUNIT_EXPECT_FALSE(test, cats_net_get_socket(&init_net));
	for (i = 0; i < n; i++)
		cats_net_put_socket(&init_net);
}

static void count__lowered_below_what_there_is(struct kunit *test)
{
	struct cats_net *cn = cats_net(&init_net);

	KUNIT_EXPECT_TRUE(test, cats_net_get_socket(&init_net));
	cn->max_sockets = 0;
	KUNIT_EXPECT_FALSE(test, cats_net_get_socket(&init_net));
	cats_net_put_socket(&init_net);
	KUNIT_EXPECT_FALSE(test, cats_net_get_socket(&init_net));
}

static void count__plain_children(struct kunit *test)
{
	unsigned long before = cats_mib_read(&init_net, CATS_MIB_PLAIN_CHILDREN);

	cats_net_plain_child(&init_net);
	KUNIT_EXPECT_EQ(test, cats_mib_read(&init_net, CATS_MIB_PLAIN_CHILDREN), before + 1);
}

static void count__with_the_socket(struct kunit *test)
{
	struct cats_net *cn = cats_net(&init_net);
	struct pair *p = test->priv;
	long before = atomic_long_read(&cn->nr_sockets);

	KUNIT_ASSERT_EQ(test, pair_attach(p), 0);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&cn->nr_sockets), before + 1);
	KUNIT_EXPECT_EQ(test, pair_attach(p), -EEXIST);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&cn->nr_sockets), before + 1);
}

static void attach__over_the_limit(struct kunit *test)
{
	struct cats_net *cn = cats_net(&init_net);
	struct pair *p = test->priv;

	cn->max_sockets = atomic_long_read(&cn->nr_sockets);
	KUNIT_EXPECT_EQ(test, pair_attach(p), -ENOBUFS);
	KUNIT_EXPECT_PTR_EQ(test, (const struct proto *)p->sk->sk_prot, p->base);
	cn->max_sockets++;
	KUNIT_EXPECT_EQ(test, pair_attach(p), 0);
}

static void defaults__of_the_namespace(struct kunit *test)
{
	struct cats_net *cn = cats_net(&init_net);
	struct pair *p = test->priv;
	struct cats_debt_params params;

	cn->urgency = 6;
	cn->conductor = &cats_debt;
	cn->debt.high[0] = 555555;
	KUNIT_ASSERT_EQ(test, pair_attach(p), 0);
	KUNIT_EXPECT_EQ(test, p->cs->urgency, 6);
	KUNIT_EXPECT_TRUE(test, cats_debt_get_params(&p->cs->conductor, &params));
	KUNIT_EXPECT_EQ(test, params.high[0], 555555U);
	KUNIT_EXPECT_EQ(test, memcmp(params.low, saved.debt.low, sizeof(params.low)), 0);
}

static void defaults__of_another_policy(struct kunit *test)
{
	struct cats_net *cn = cats_net(&init_net);
	struct pair *p = test->priv;
	struct cats_debt_params params;

	cn->conductor = &cats_debt_paper;
	cn->debt.high[0] = 555555;
	KUNIT_ASSERT_EQ(test, pair_attach(p), 0);
	KUNIT_EXPECT_PTR_EQ(test, p->cs->conductor.ops, &cats_debt_paper);
	KUNIT_EXPECT_TRUE(test, cats_debt_get_params(&p->cs->conductor, &params));
	KUNIT_EXPECT_EQ(test, params.high[0], 60000U);
	/* Chosen later, "debt" has the namespace's parameters. */
	cats_net_set_conductor(&init_net, &p->cs->conductor, &cats_debt);
	KUNIT_EXPECT_TRUE(test, cats_debt_get_params(&p->cs->conductor, &params));
	KUNIT_EXPECT_EQ(test, params.high[0], 555555U);
}

/* What a processor counted down, and no other up as far as we have read. */
static void gauge__never_below_zero(struct kunit *test)
{
	struct cats_mib __percpu *mib = cats_net_mib(&init_net);

	KUNIT_ASSERT_EQ(test, cats_mib_read(&init_net, CATS_MIB_CURR_BLOCKED), 0UL);
	cats_count_down(mib, CATS_MIB_CURR_BLOCKED);
	KUNIT_EXPECT_EQ(test, cats_mib_read(&init_net, CATS_MIB_CURR_BLOCKED), 0UL);
	cats_count(mib, CATS_MIB_CURR_BLOCKED);
	cats_count(mib, CATS_MIB_CURR_BLOCKED);
	KUNIT_EXPECT_EQ(test, cats_mib_read(&init_net, CATS_MIB_CURR_BLOCKED), 1UL);
	cats_count_down(mib, CATS_MIB_CURR_BLOCKED);
}

static struct kunit_case netns_cases[] = {
	KUNIT_CASE(count__up_to_the_limit),
	KUNIT_CASE(count__lowered_below_what_there_is),
	KUNIT_CASE(count__plain_children),
	KUNIT_CASE(count__with_the_socket),
	KUNIT_CASE(attach__over_the_limit),
	KUNIT_CASE(defaults__of_the_namespace),
	KUNIT_CASE(defaults__of_another_policy),
	KUNIT_CASE(gauge__never_below_zero),
	{}
};

static struct kunit_suite netns_suite = {
	.name = "netns",
	.suite_init = pair_suite_init,
	.suite_exit = pair_suite_exit,
	.init = netns_init,
	.exit = netns_exit,
	.test_cases = netns_cases,
};

kunit_test_suite(netns_suite);
