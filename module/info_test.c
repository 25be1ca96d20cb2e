// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of what a socket says of itself: with its lock what waits in its queues,
 * without it, as a listener, nothing of them.
 */
#include <linux/inet_diag.h>
#include <net/netlink.h>

#include "pair_test.h"

#define BYTES	3000

/* What cats_diag_info() says; all bits set if it did not. */
static void ask(struct pair *p, struct cats_info *info)
{
	struct sk_buff *skb = alloc_skb(NLMSG_GOODSIZE, GFP_KERNEL);

	memset(info, 0xff, sizeof(*info));
	if (skb && !cats_diag_info(p->sk, skb))
		memcpy(info, nla_data((struct nlattr *)skb->data), sizeof(*info));
	kfree_skb(skb);
}

static void fill_info__counts_what_waits(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_info *info = kunit_kzalloc(test, sizeof(*info), GFP_KERNEL);

	KUNIT_EXPECT_NOT_NULL(test, info);
	if (!info)
		return;
	pair_queue(p, 3, 1, BYTES);
	cats_fill_info(p->sk, p->cs, info);
	KUNIT_EXPECT_EQ(test, info->classes[3].queued_msgs, 1);
	KUNIT_EXPECT_EQ(test, info->classes[3].queued_bytes, BYTES);
}

/*
 * A listener that became a connection since its state was read: messages come and go
 * under the socket lock, which is not taken.
 */
static void diag__listener_without_its_queue(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_info *info = kunit_kzalloc(test, sizeof(*info), GFP_KERNEL);

	KUNIT_EXPECT_NOT_NULL(test, info);
	if (!info)
		return;
	pair_queue(p, 3, 1, BYTES);
	WRITE_ONCE(p->sk->sk_state, TCP_LISTEN);
	ask(p, info);
	WRITE_ONCE(p->sk->sk_state, TCP_ESTABLISHED);
	KUNIT_EXPECT_STREQ(test, info->conductor, p->cs->conductor.ops->name);
	KUNIT_EXPECT_EQ(test, info->urgency, CATS_URGENCY_DEFAULT);
	KUNIT_EXPECT_NE(test, info->waits[3].bound_bytes, 0);
	KUNIT_EXPECT_EQ(test, info->classes[3].queued_msgs, 0);
	KUNIT_EXPECT_EQ(test, info->classes[3].longest_wait_us, 0);
}

static struct kunit_case info_cases[] = {
	KUNIT_CASE(fill_info__counts_what_waits),
	KUNIT_CASE(diag__listener_without_its_queue),
	{}
};

static struct kunit_suite info_suite = {
	.name = "info",
	.suite_init = pair_suite_init,
	.suite_exit = pair_suite_exit,
	.init = pair_init,
	.exit = pair_exit,
	.test_cases = info_cases,
};

kunit_test_suite(info_suite);
