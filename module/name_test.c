// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the names of messages and streams.
 */
#include "name.h"
#include "pair_test.h"

/* How many messages have a cookie. */
static int count(struct pair *p, u64 cookie)
{
	struct rhlist_head *pos;
	struct cats_name *name;
	int n = 0;

	rcu_read_lock();
	pos = cats_name_first(p->cs, cookie);
	cats_name_for_each(name, pos)
		n += name->key.id == cookie && name->m->tag.cookie == cookie;
	rcu_read_unlock();
	return n;
}

static void cookie__found_until_dropped(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_tag tag = { .cookie = 1ULL << 40 };
	struct cats_txmsg *a = pair_msg_tag(p, &tag), *b = pair_msg_tag(p, &tag);

	KUNIT_ASSERT_NOT_NULL(test, a);
	KUNIT_ASSERT_NOT_NULL(test, b);
	KUNIT_EXPECT_EQ(test, count(p, tag.cookie), 2);
	KUNIT_EXPECT_EQ(test, count(p, 1), 0);
	pair_put(p, a);
	KUNIT_EXPECT_EQ(test, count(p, tag.cookie), 1);
	pair_put(p, b);
	KUNIT_EXPECT_EQ(test, count(p, tag.cookie), 0);
	KUNIT_EXPECT_EQ(test, p->cs->mem, 0U);
}

static void stream__lives_as_long_as_its_messages(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_tag tag = { .stream = 7 };
	struct cats_txmsg *a = pair_msg_tag(p, &tag), *b = pair_msg_tag(p, &tag);

	KUNIT_ASSERT_NOT_NULL(test, a);
	KUNIT_ASSERT_NOT_NULL(test, b);
	KUNIT_EXPECT_PTR_EQ(test, a->stream, b->stream);
	KUNIT_EXPECT_PTR_EQ(test, cats_stream_find(p->cs, 7), a->stream);
	KUNIT_EXPECT_NULL(test, cats_stream_find(p->cs, 8));
	pair_put(p, a);
	KUNIT_EXPECT_PTR_EQ(test, cats_stream_find(p->cs, 7), b->stream);
	pair_put(p, b);
	KUNIT_EXPECT_NULL(test, cats_stream_find(p->cs, 7));
	KUNIT_EXPECT_EQ(test, p->cs->mem, 0U);
}

/* The names of one socket are none of another's. */
static void key__has_the_socket(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_tag tag = { .stream = 7, .cookie = 9 };
	struct cats_txmsg *m = pair_msg_tag(p, &tag);
	struct cats_sock *other = kunit_kzalloc(test, sizeof(*other), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, other);
	other->sk = p->sk;
	KUNIT_ASSERT_NOT_NULL(test, m);
	KUNIT_EXPECT_NULL(test, cats_stream_find(other, 7));
	rcu_read_lock();
	KUNIT_EXPECT_NULL(test, cats_name_first(other, 9));
	rcu_read_unlock();
}

static void truesize__is_what_is_charged(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_tag tag = { .stream = 7, .cookie = 9 };
	struct cats_txmsg *m = pair_msg_tag(p, &tag);

	KUNIT_ASSERT_NOT_NULL(test, m);
	KUNIT_EXPECT_EQ(test, p->cs->mem, sizeof(*m) + cats_name_truesize(&tag));
}

static void no_memory__leaves_nothing(struct kunit *test)
{
	struct cats_tag tag = { .stream = 7, .cookie = 9 };
	struct pair *p = test->priv;

	/* Above what a socket gets whatever the limits. */
	pair_use(p, PAIR_SNDBUF, 0);
	pair_no_memory(p);
	KUNIT_EXPECT_NULL(test, pair_msg_tag(p, &tag));
	pair_memory_back(p);
	pair_use(p, 0, 0);
	KUNIT_EXPECT_NULL(test, cats_stream_find(p->cs, 7));
	KUNIT_EXPECT_EQ(test, count(p, 9), 0);
	KUNIT_EXPECT_EQ(test, p->cs->mem, 0U);
}

static struct kunit_case name_cases[] = {
	KUNIT_CASE(cookie__found_until_dropped),
	KUNIT_CASE(stream__lives_as_long_as_its_messages),
	KUNIT_CASE(key__has_the_socket),
	KUNIT_CASE(truesize__is_what_is_charged),
	KUNIT_CASE(no_memory__leaves_nothing),
	{}
};

static struct kunit_suite name_suite = {
	.name = "name",
	.suite_init = pair_suite_init,
	.suite_exit = pair_suite_exit,
	.init = pair_init,
	.exit = pair_exit,
	.test_cases = name_cases,
};

kunit_test_suite(name_suite);
