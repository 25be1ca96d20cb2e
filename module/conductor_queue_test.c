// SPDX-License-Identifier: GPL-2.0
/* Unit tests of the Conductor: streams, deadlines, and what is taken back or moved. */
#include "conductor_test.h"

static void stream__is_never_overtaken(struct kunit *test)
{
	struct bench *b = bench_new(&cats_strict);
	struct cats_msg *bulk = put_in(b, 0, 7, 100), *urgent = put_in(b, 0, 0, 10);
	struct cats_msg *other = put(b, 5, 10);

	/* The urgent one waits in class 7, behind the first of its stream. */
	KUNIT_EXPECT_EQ(test, b->c.waiting, BIT(5) | BIT(7));
	KUNIT_EXPECT_EQ(test, b->c.classes[0].queued_msgs, 1);
	KUNIT_EXPECT_PTR_EQ(test, take(b), other);
	KUNIT_EXPECT_PTR_EQ(test, take(b), bulk);
	KUNIT_EXPECT_EQ(test, b->c.waiting, BIT(0));
	put(b, 1, 10);
	KUNIT_EXPECT_PTR_EQ(test, take(b), urgent);
	KUNIT_EXPECT_EQ(test, b->c.waiting, BIT(1));
}

static void streams__one_after_another(struct kunit *test)
{
	struct bench *b = bench_new(&cats_strict);
	struct cats_msg *a1 = put_in(b, 0, 3, 10), *b1 = put_in(b, 1, 3, 10);
	struct cats_msg *single = put(b, 3, 10), *a2 = put_in(b, 0, 3, 10);

	KUNIT_EXPECT_PTR_EQ(test, take(b), a1);
	KUNIT_EXPECT_PTR_EQ(test, take(b), a2);
	KUNIT_EXPECT_PTR_EQ(test, take(b), b1);
	KUNIT_EXPECT_PTR_EQ(test, take(b), single);
}

/* The ones that are not incremental share as one incremental stream would. */
static void streams__incremental_take_turns(struct kunit *test)
{
	static const unsigned int stream[] = { 2, 0, 3, 2, 0, 3, 2, 1, 3 };
	struct bench *b = bench_new(&cats_strict);
	struct cats_msg *m;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		put_in(b, 2, 3, 100);
		put_in(b, i < 2 ? 0 : 1, 3, 100);
		put_in(b, 3, 3, 100);
	}
	for (i = 0; i < ARRAY_SIZE(stream); i++) {
		m = take(b);
		KUNIT_ASSERT_NOT_NULL(test, m);
		KUNIT_EXPECT_PTR_EQ(test, m->stream, &b->streams[stream[i]]);
	}
}

/* Two streams of messages of different sizes never differ by more than two quanta. */
static void streams__share_bytes(struct kunit *test)
{
	struct bench *b = bench_new(&cats_strict);
	s64 ahead = 0, most = 0;
	struct cats_msg *m;
	unsigned int i;

	for (i = 0; i < 10000; i++) {
		while (list_empty(&b->streams[2].msgs))
			put_in(b, 2, 3, 1000);
		while (list_empty(&b->streams[3].msgs))
			put_in(b, 3, 3, 1 + i % 97);
		/* Neither runs dry: its stream would begin anew. */
		if (list_empty(&b->streams[2].msgs) || b->streams[2].msgs.next->next ==
		    &b->streams[2].msgs)
			put_in(b, 2, 3, 1000);
		if (b->streams[3].msgs.next->next == &b->streams[3].msgs)
			put_in(b, 3, 3, 1 + i % 89);
		m = take(b);
		ahead += m->stream == &b->streams[2] ? m->len : -(s64)m->len;
		most = max(most, max(ahead, -ahead));
	}
	KUNIT_EXPECT_LE(test, most, 2000);
	KUNIT_EXPECT_GE(test, most, 900);
}

static void streams__not_overtaken_by_replacing(struct kunit *test)
{
	struct bench *b = bench_new(&cats_strict);
	struct cats_msg *a1 = put_in(b, 2, 3, 100), *single, *a2, *newer;

	put_in(b, 3, 3, 100);
	single = put(b, 3, 100);
	a2 = put_in(b, 2, 3, 100);
	newer = msg_of(b, 3, 200);
	newer->incremental = true;
	cats_conductor_replace(&b->c, a1, newer, &b->streams[2], 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&a1->node));
	KUNIT_EXPECT_EQ(test, b->c.classes[3].queued_bytes, 500);
	KUNIT_EXPECT_EQ(test, b->c.classes[3].queued_msgs, 4);
	KUNIT_EXPECT_PTR_EQ(test, take(b), newer);
	KUNIT_EXPECT_PTR_EQ(test, take(b)->stream, &b->streams[3]);
	KUNIT_EXPECT_PTR_EQ(test, take(b), single);
	KUNIT_EXPECT_PTR_EQ(test, take(b), a2);
}

static void replace__takes_the_place(struct kunit *test)
{
	struct bench *b = bench_new(&cats_strict);
	struct cats_msg *old = put(b, 3, 100), *other = put(b, 3, 10);
	struct cats_msg *newer = msg_of(b, 3, 50);

	cats_conductor_replace(&b->c, old, newer, NULL, 5000);
	KUNIT_EXPECT_TRUE(test, list_empty(&old->node));
	KUNIT_EXPECT_EQ(test, b->c.queued_bytes, 60);
	/* What came last is the youngest of its class nevertheless. */
	KUNIT_EXPECT_PTR_EQ(test, b->c.classes[3].queue.prev, &newer->node);
	KUNIT_EXPECT_PTR_EQ(test, take(b), newer);
	KUNIT_EXPECT_PTR_EQ(test, take(b), other);
	KUNIT_EXPECT_TRUE(test, cats_conductor_empty(&b->c));
}

/* An incremental one without a stream keeps what its turn has left. */
static void replace__keeps_the_turn(struct kunit *test)
{
	struct bench *b = bench_new(&cats_strict);
	struct cats_msg *old = msg_of(b, 3, 100), *newer, *other;

	old->incremental = true;
	cats_conductor_enqueue(&b->c, old, NULL, 0);
	other = msg_of(b, 3, 100);
	other->incremental = true;
	cats_conductor_enqueue(&b->c, other, NULL, 0);
	newer = msg_of(b, 3, 50);
	newer->incremental = true;
	cats_conductor_replace(&b->c, old, newer, NULL, 0);
	KUNIT_EXPECT_EQ(test, newer->own.surplus, 100);
	KUNIT_EXPECT_PTR_EQ(test, take(b), newer);
	KUNIT_EXPECT_PTR_EQ(test, take(b), other);
}

static void replace__elsewhere(struct kunit *test)
{
	struct bench *b = bench_new(&cats_strict);
	struct cats_msg *old = put_in(b, 0, 7, 100), *other = put(b, 7, 10);
	struct cats_msg *newer = msg_of(b, 1, 50);

	cats_conductor_replace(&b->c, old, newer, &b->streams[0], 0);
	KUNIT_EXPECT_EQ(test, b->c.classes[7].queued_bytes, 10);
	KUNIT_EXPECT_EQ(test, b->c.classes[1].queued_bytes, 50);
	KUNIT_EXPECT_PTR_EQ(test, take(b), newer);
	KUNIT_EXPECT_PTR_EQ(test, take(b), other);
}

/* A class of which the only message is replaced has waited all the time. */
static void replace__goes_on_waiting(struct kunit *test)
{
	struct bench *b = bench_new(&cats_strict);
	struct cats_msg *old = put_in(b, 0, 7, 100);

	put(b, 0, 1000);
	take(b);
	cats_conductor_replace(&b->c, old, msg_of(b, 7, 50), NULL, 0);
	KUNIT_EXPECT_EQ(test, waits_of(b, 7).gap_bytes, 1000);
}

static void remove__first_middle_last(struct kunit *test)
{
	struct bench *b = bench_new(&cats_strict);
	struct cats_msg *m[3];
	unsigned int i;

	for (i = 0; i < 3; i++) {
		m[0] = put_in(b, 2, 3, 1);
		m[1] = put_in(b, 2, 4, 2);
		m[2] = put_in(b, 2, 5, 4);
		cats_conductor_remove(&b->c, m[i], 0);
		KUNIT_EXPECT_EQ(test, b->c.queued_bytes, 7 - (1 << i));
		KUNIT_EXPECT_EQ(test, b->c.waiting, i ? BIT(3) : BIT(4));
		KUNIT_EXPECT_PTR_EQ(test, take(b), i ? m[0] : m[1]);
		KUNIT_EXPECT_PTR_EQ(test, take(b), i == 2 ? m[1] : m[2]);
		KUNIT_EXPECT_EQ(test, b->c.waiting, 0);
	}
	KUNIT_EXPECT_EQ(test, b->c.sent_bytes, 14);
}

static void reprioritize__moves(struct kunit *test)
{
	struct bench *b = bench_new(&cats_strict);
	struct cats_msg *first = put(b, 3, 10), *second = put(b, 3, 20);
	struct cats_msg *third = put(b, 2, 40);

	cats_conductor_reprioritize(&b->c, first, 2, false, 0);
	KUNIT_EXPECT_EQ(test, b->c.classes[2].queued_bytes, 50);
	KUNIT_EXPECT_EQ(test, b->c.classes[2].queued_msgs, 2);
	KUNIT_EXPECT_EQ(test, b->c.classes[3].queued_bytes, 20);
	KUNIT_EXPECT_PTR_EQ(test, take(b), third);
	KUNIT_EXPECT_PTR_EQ(test, take(b), first);
	KUNIT_EXPECT_PTR_EQ(test, take(b), second);
}

/* Where it is already it keeps its place. */
static void reprioritize__to_the_same(struct kunit *test)
{
	struct bench *b = bench_new(&cats_strict);
	struct cats_msg *first = put(b, 3, 10), *second = put(b, 3, 20);

	cats_conductor_reprioritize(&b->c, first, 3, false, 0);
	KUNIT_EXPECT_PTR_EQ(test, b->c.classes[3].queue.next, &first->node);
	KUNIT_EXPECT_PTR_EQ(test, take(b), first);
	KUNIT_EXPECT_PTR_EQ(test, take(b), second);
}

static void reprioritize__behind_its_stream(struct kunit *test)
{
	struct bench *b = bench_new(&cats_strict);
	struct cats_msg *first = put_in(b, 0, 5, 10), *second = put_in(b, 0, 5, 20);

	cats_conductor_reprioritize(&b->c, second, 0, true, 0);
	KUNIT_EXPECT_EQ(test, b->c.waiting, BIT(5));
	KUNIT_EXPECT_EQ(test, b->c.classes[0].queued_bytes, 20);
	KUNIT_EXPECT_PTR_EQ(test, take(b), first);
	KUNIT_EXPECT_EQ(test, b->c.waiting, BIT(0));
	KUNIT_EXPECT_TRUE(test, b->streams[0].incremental);
	KUNIT_EXPECT_PTR_EQ(test, take(b), second);
}

static void reprioritize__becomes_incremental(struct kunit *test)
{
	struct bench *b = bench_new(&cats_strict);
	struct cats_msg *a1 = put_in(b, 0, 3, 10), *a2 = put_in(b, 0, 3, 10);
	struct cats_msg *single = put(b, 3, 10);

	cats_conductor_reprioritize(&b->c, a1, 3, true, 0);
	cats_conductor_reprioritize(&b->c, a2, 3, true, 0);
	KUNIT_EXPECT_PTR_EQ(test, take(b), single);
	KUNIT_EXPECT_PTR_EQ(test, take(b), a1);
	KUNIT_EXPECT_PTR_EQ(test, take(b), a2);
}

static void deadline__earliest_first(struct kunit *test)
{
	struct bench *b = bench_new(&cats_edf);
	struct cats_msg *none = put(b, 3, 10), *late = put_until(b, 3, 3000);
	struct cats_msg *early = put_until(b, 3, 1000), *bulk = put_until(b, 7, 500);
	struct cats_msg *middle = put_until(b, 3, 2000);

	KUNIT_EXPECT_EQ(test, cats_conductor_first_deadline(&b->c), 500);
	KUNIT_EXPECT_PTR_EQ(test, take(b), early);
	KUNIT_EXPECT_PTR_EQ(test, take(b), middle);
	KUNIT_EXPECT_PTR_EQ(test, take(b), late);
	KUNIT_EXPECT_PTR_EQ(test, take(b), none);
	KUNIT_EXPECT_PTR_EQ(test, take(b), bulk);
	KUNIT_EXPECT_EQ(test, cats_conductor_first_deadline(&b->c), 0);
}

/* A stream goes by its oldest message, and in turn where no deadline says otherwise. */
static void deadline__of_a_stream(struct kunit *test)
{
	struct bench *b = bench_new(&cats_edf);
	struct cats_msg *a1 = put_in(b, 0, 3, 10), *a2 = msg_of(b, 3, 10), *other;

	a2->deadline_ns = 1000;
	cats_conductor_enqueue(&b->c, a2, &b->streams[0], 0);
	other = put_until(b, 3, 9000);
	KUNIT_EXPECT_PTR_EQ(test, take(b), other);
	KUNIT_EXPECT_PTR_EQ(test, take(b), a1);
	other = put_until(b, 3, 2000);
	KUNIT_EXPECT_PTR_EQ(test, take(b), a2);
	KUNIT_EXPECT_PTR_EQ(test, take(b), other);
}

static void deadline__expires(struct kunit *test)
{
	struct bench *b = bench_new(&cats_strict);
	struct cats_msg *late = put_until(b, 3, 3000), *early = put_until(b, 5, 2000);
	struct cats_msg *none = put(b, 5, 10);

	KUNIT_EXPECT_PTR_EQ(test, cats_conductor_remove_expired(&b->c, 1999), NULL);
	KUNIT_EXPECT_PTR_EQ(test, cats_conductor_remove_expired(&b->c, 3000), early);
	KUNIT_EXPECT_PTR_EQ(test, cats_conductor_remove_expired(&b->c, 3000), late);
	KUNIT_EXPECT_PTR_EQ(test, cats_conductor_remove_expired(&b->c, ~0ULL), NULL);
	KUNIT_EXPECT_EQ(test, b->c.queued_bytes, 10);
	KUNIT_EXPECT_PTR_EQ(test, take(b), none);
}

static void deadline__not_once_begun(struct kunit *test)
{
	struct bench *b = bench_new(&cats_edf);
	struct cats_msg *m = put_until(b, 3, 1000);

	cats_conductor_commit(&b->c, m, 1, 999);
	KUNIT_EXPECT_EQ(test, cats_conductor_first_deadline(&b->c), 0);
	KUNIT_EXPECT_PTR_EQ(test, cats_conductor_remove_expired(&b->c, ~0ULL), NULL);
	KUNIT_EXPECT_PTR_EQ(test, take(b), m);
}

static void gaps__between_messages(struct kunit *test)
{
	struct bench *b = bench_new(&cats_strict);

	b->now = 1000;
	put(b, 7, 100);
	put(b, 7, 100);
	put(b, 0, 300);
	take(b);
	b->now = 5000;
	KUNIT_EXPECT_EQ(test, waits_of(b, 7).gap_bytes, 300);
	KUNIT_EXPECT_EQ(test, waits_of(b, 7).gap_us, 4);
	take(b);
	put(b, 1, 200);
	take(b);
	KUNIT_EXPECT_EQ(test, waits_of(b, 7).gap_bytes, 300);
	take(b);
	/* Nobody waits: what is sent is not missed. */
	put(b, 0, 1000);
	take(b);
	KUNIT_EXPECT_EQ(test, waits_of(b, 7).gap_bytes, 300);
	KUNIT_EXPECT_EQ(test, waits_of(b, 7).bound_bytes, CATS_NO_BOUND);
	KUNIT_EXPECT_EQ(test, waits_of(b, 0).bound_bytes, 1000);
}

/* What others sent under another policy does not count against the bound of this one. */
static void gaps__begin_anew_with_the_policy(struct kunit *test)
{
	struct bench *b = bench_new(&cats_strict);

	put(b, 7, 100);
	put(b, 0, 300);
	take(b);
	cats_conductor_set_ops(&b->c, &cats_bounded);
	KUNIT_EXPECT_EQ(test, waits_of(b, 7).gap_bytes, 0);
	put(b, 0, 200);
	take(b);
	KUNIT_EXPECT_EQ(test, waits_of(b, 7).gap_bytes, 200);
	take(b);
	KUNIT_EXPECT_EQ(test, waits_of(b, 7).gap_bytes, 200);
}

static struct kunit_case conductor_queue_cases[] = {
	KUNIT_CASE(stream__is_never_overtaken),
	KUNIT_CASE(streams__one_after_another),
	KUNIT_CASE(streams__incremental_take_turns),
	KUNIT_CASE(streams__share_bytes),
	KUNIT_CASE(streams__not_overtaken_by_replacing),
	KUNIT_CASE(replace__takes_the_place),
	KUNIT_CASE(replace__keeps_the_turn),
	KUNIT_CASE(replace__elsewhere),
	KUNIT_CASE(replace__goes_on_waiting),
	KUNIT_CASE(remove__first_middle_last),
	KUNIT_CASE(reprioritize__moves),
	KUNIT_CASE(reprioritize__to_the_same),
	KUNIT_CASE(reprioritize__behind_its_stream),
	KUNIT_CASE(reprioritize__becomes_incremental),
	KUNIT_CASE(deadline__earliest_first),
	KUNIT_CASE(deadline__of_a_stream),
	KUNIT_CASE(deadline__expires),
	KUNIT_CASE(deadline__not_once_begun),
	KUNIT_CASE(gaps__between_messages),
	KUNIT_CASE(gaps__begin_anew_with_the_policy),
	{}
};

static struct kunit_suite conductor_queue_suite = {
	.name = "conductor_queue",
	.test_cases = conductor_queue_cases,
};

kunit_test_suite(conductor_queue_suite);
