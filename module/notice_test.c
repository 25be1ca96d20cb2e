// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of notices: which are queued, with what in them, and how long a message
 * stays because of them.
 */
#include <linux/errqueue.h>

#include "name.h"
#include "pair_test.h"

#define BYTES		1000
#define TO_THE_END	(CATS_NOTIFY(CATS_EVENT_BEGUN) | CATS_NOTIFY(CATS_EVENT_SENT) | \
			 CATS_NOTIFY(CATS_EVENT_ACKED))

/* Of a held pair: the first notice of the error queue; its event, or -1. */
static int next_notice(struct pair *p, struct cats_notice *notice)
{
	u8 control[CMSG_SPACE(sizeof(*notice))] __aligned(8) = {};
	struct msghdr msg = { .msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg = (struct cmsghdr *)control;

	if (!cats_notice_recv(p->sk, &msg))
		return -1;
	KUNIT_EXPECT_EQ(p->test, (int)msg.msg_flags, MSG_ERRQUEUE);
	KUNIT_EXPECT_EQ(p->test, cmsg->cmsg_level, SOL_CATS);
	KUNIT_EXPECT_EQ(p->test, cmsg->cmsg_type, CATS_NOTICE);
	KUNIT_EXPECT_EQ(p->test, cmsg->cmsg_len, CMSG_LEN(sizeof(*notice)));
	memcpy(notice, CMSG_DATA(cmsg), sizeof(*notice));
	return notice->event;
}

static struct cats_txmsg *queue_noted(struct pair *p, unsigned int urgency, u32 notify)
{
	struct cats_txmsg *m = pair_queue(p, urgency, urgency, BYTES);

	if (m)
		m->tag = (struct cats_tag) {
			.urgency = urgency, .cookie = 42, .stream = 7, .notify = notify,
		};
	return m;
}

static void notify__only_if_asked(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = queue_noted(p, 3, CATS_NOTIFY(CATS_EVENT_EXPIRED));
	struct cats_notice notice;
	unsigned int event;

	if (!m)
		return;
	for (event = 0; event < CATS_NR_EVENTS; event++)
		cats_notify(p->sk, p->cs, m, event);
	KUNIT_EXPECT_EQ(test, next_notice(p, &notice), (int)CATS_EVENT_EXPIRED);
	KUNIT_EXPECT_EQ(test, next_notice(p, &notice), -1);
	KUNIT_EXPECT_EQ(test, p->cs->notices_lost, 0);
}

/* Not begun: it has no place in the stream, and has waited until now. */
static void notify__dropped(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = queue_noted(p, 3, CATS_NOTIFY_DROPPED);
	struct cats_notice notice;
	unsigned int event;

	if (!m)
		return;
	m->msg.enqueued_ns -= 5 * NSEC_PER_MSEC;
	/* It may have been moved. */
	m->msg.urgency = 5;
	for (event = CATS_EVENT_EXPIRED; event < CATS_NR_EVENTS; event++) {
		cats_notify(p->sk, p->cs, m, event);
		KUNIT_EXPECT_EQ(test, next_notice(p, &notice), (int)event);
		KUNIT_EXPECT_EQ(test, notice.cookie, 42);
		KUNIT_EXPECT_EQ(test, notice.stream, 7);
		KUNIT_EXPECT_EQ(test, notice.urgency, 5);
		KUNIT_EXPECT_EQ(test, notice.len, BYTES);
		KUNIT_EXPECT_GE(test, notice.delay_us, 5000);
		KUNIT_EXPECT_LT(test, notice.delay_us, 1000000);
		KUNIT_EXPECT_EQ(test, notice.first_seq | notice.end_seq, 0);
	}
	m->msg.urgency = 3;
}

static void notify__unqueued(struct kunit *test)
{
	struct cats_tag tag = { .urgency = 6, .cookie = 9, .stream = 8,
				.notify = CATS_NOTIFY(CATS_EVENT_SHED) };
	struct pair *p = test->priv;
	struct cats_notice notice;

	cats_notify_unqueued(p->sk, p->cs, &tag, 17, CATS_EVENT_CANCELLED);
	KUNIT_EXPECT_EQ(test, next_notice(p, &notice), -1);
	cats_notify_unqueued(p->sk, p->cs, &tag, 17, CATS_EVENT_SHED);
	KUNIT_EXPECT_EQ(test, next_notice(p, &notice), (int)CATS_EVENT_SHED);
	KUNIT_EXPECT_EQ(test, notice.cookie, 9);
	KUNIT_EXPECT_EQ(test, notice.stream, 8);
	KUNIT_EXPECT_EQ(test, notice.urgency, 6);
	KUNIT_EXPECT_EQ(test, notice.len, 17);
	KUNIT_EXPECT_EQ(test, notice.delay_us, 0);
}

/* No room in the receive buffer: lost, and counted, and the message goes its way. */
static void notify__no_room(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = queue_noted(p, 3, TO_THE_END);
	int rcvbuf = p->sk->sk_rcvbuf;
	struct cats_notice notice;

	if (!m)
		return;
	p->sk->sk_rcvbuf = 0;
	cats_feed(p->sk, p->cs);
	KUNIT_EXPECT_EQ(test, p->cs->notices_lost, 1);
	KUNIT_EXPECT_EQ(test, cats_unsent(p->sk), BYTES);
	p->sk->sk_rcvbuf = rcvbuf;
	KUNIT_EXPECT_EQ(test, next_notice(p, &notice), -1);
}

/*
 * Committed, not transmitted; only what describes the message is left, and charged, and
 * nobody finds it any more.
 */
static void watch__unsent(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = queue_noted(p, 3, TO_THE_END);
	u32 seq = tcp_sk(p->sk)->write_seq;
	struct cats_notice notice;

	if (!m)
		return;
	KUNIT_EXPECT_EQ(test, cats_name_add(p->sk, p->cs, m), 0);
	cats_feed(p->sk, p->cs);
	KUNIT_EXPECT_PTR_EQ(test, m->name, NULL);
	KUNIT_EXPECT_PTR_EQ(test, cats_stream_find(p->cs, m->tag.stream), NULL);
	KUNIT_EXPECT_EQ(test, next_notice(p, &notice), (int)CATS_EVENT_BEGUN);
	KUNIT_EXPECT_EQ(test, notice.first_seq, seq);
	KUNIT_EXPECT_EQ(test, notice.end_seq, seq + BYTES);
	KUNIT_EXPECT_EQ(test, p->cs->mem, (u32)sizeof(*m));
	KUNIT_EXPECT_PTR_EQ(test, list_first_entry_or_null(&p->cs->unsent, struct cats_txmsg,
							   watch), m);
	KUNIT_EXPECT_TRUE(test, test_bit(SOCK_NOSPACE, &p->near->flags));
	cats_notice_progress(p->sk, p->cs);
	KUNIT_EXPECT_EQ(test, next_notice(p, &notice), -1);
	cats_notice_drop_all(p->sk, p->cs);
	KUNIT_EXPECT_EQ(test, p->cs->mem, 0);
	KUNIT_EXPECT_FALSE(test, cats_notices_due(p->cs));
}

static void watch__until_acknowledged(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = queue_noted(p, 3, TO_THE_END);
	struct cats_notice notice;

	if (!m)
		return;
	cats_feed(p->sk, p->cs);
	pair_drop(p);
	pair_await_acks(p);
	pair_hold(p);
	KUNIT_EXPECT_EQ(test, next_notice(p, &notice), (int)CATS_EVENT_BEGUN);
	KUNIT_EXPECT_EQ(test, next_notice(p, &notice), (int)CATS_EVENT_SENT);
	KUNIT_EXPECT_EQ(test, next_notice(p, &notice), (int)CATS_EVENT_ACKED);
	KUNIT_EXPECT_FALSE(test, cats_notices_due(p->cs));
	KUNIT_EXPECT_FALSE(test, test_bit(SOCK_NOSPACE, &p->near->flags));
	KUNIT_EXPECT_EQ(test, p->cs->mem, 0);
}

/* In between: one that is sent waits in the other list, one that only asked is gone. */
static void watch__unacked(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *a = queue_noted(p, 3, CATS_NOTIFY(CATS_EVENT_SENT));
	struct cats_txmsg *b = queue_noted(p, 3, CATS_NOTIFY(CATS_EVENT_ACKED));
	struct tcp_sock *tp = tcp_sk(p->sk);
	struct cats_notice notice;
	u32 snd_nxt = tp->snd_nxt;

	if (!a || !b)
		return;
	cats_feed(p->sk, p->cs);
	tp->snd_nxt = snd_nxt + 2 * BYTES - 1;
	cats_notice_progress(p->sk, p->cs);
	KUNIT_EXPECT_EQ(test, next_notice(p, &notice), (int)CATS_EVENT_SENT);
	KUNIT_EXPECT_EQ(test, p->cs->mem, (u32)sizeof(*b));
	KUNIT_EXPECT_TRUE(test, list_empty(&p->cs->unacked));
	tp->snd_nxt = snd_nxt + 2 * BYTES;
	cats_notice_progress(p->sk, p->cs);
	KUNIT_EXPECT_EQ(test, next_notice(p, &notice), -1);
	KUNIT_EXPECT_TRUE(test, list_empty(&p->cs->unsent));
	KUNIT_EXPECT_FALSE(test, list_empty(&p->cs->unacked));
	tp->snd_nxt = snd_nxt;
	/* Both lists. */
	queue_noted(p, 3, CATS_NOTIFY(CATS_EVENT_ACKED));
	cats_feed(p->sk, p->cs);
	KUNIT_EXPECT_FALSE(test, list_empty(&p->cs->unsent));
	cats_purge(p->sk, p->cs);
	KUNIT_EXPECT_EQ(test, p->cs->mem, 0);
}

/* A writer sleeps over it as it is drained: the later of the two frees it. */
static void watch__with_a_writer(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = pair_msg(p, 3);

	KUNIT_EXPECT_NOT_NULL(test, m);
	if (!m || pair_copy(p, m, 1, BYTES))
		return;
	m->tag.notify = TO_THE_END;
	p->cs->held_bytes += BYTES;
	cats_chain_queue(p->cs, m, true);
	cats_feed(p->sk, p->cs);
	cats_drain(p->sk, p->cs);
	KUNIT_EXPECT_TRUE(test, cats_txmsg_gone(m));
	KUNIT_EXPECT_FALSE(test, list_empty(&p->cs->unsent));
	/* The writer is done first. */
	pair_put(p, m);
	KUNIT_EXPECT_EQ(test, p->cs->mem, (u32)sizeof(*m));
	cats_notice_drop_all(p->sk, p->cs);
	KUNIT_EXPECT_EQ(test, p->cs->mem, 0);
}

static void queue_error(struct pair *p, u8 origin)
{
	struct sk_buff *skb = alloc_skb(0, GFP_KERNEL);

	KUNIT_EXPECT_NOT_NULL(p->test, skb);
	if (!skb)
		return;
	memset(SKB_EXT_ERR(skb), 0, sizeof(struct sock_exterr_skb));
	SKB_EXT_ERR(skb)->ee.ee_origin = origin;
	KUNIT_EXPECT_EQ(p->test, sock_queue_err_skb(p->sk, skb), 0);
}

/* What others queued is theirs to read, and the order stays. */
static void recv__among_others(struct kunit *test)
{
	struct cats_tag tag = { .notify = CATS_NOTIFY_ALL };
	struct pair *p = test->priv;
	struct cats_notice notice;

	KUNIT_EXPECT_TRUE(test, cats_notices_only(p->sk));
	cats_notify_unqueued(p->sk, p->cs, &tag, 1, CATS_EVENT_SHED);
	KUNIT_EXPECT_TRUE(test, cats_notices_only(p->sk));
	queue_error(p, SO_EE_ORIGIN_TIMESTAMPING);
	cats_notify_unqueued(p->sk, p->cs, &tag, 2, CATS_EVENT_EXPIRED);
	KUNIT_EXPECT_FALSE(test, cats_notices_only(p->sk));
	KUNIT_EXPECT_EQ(test, next_notice(p, &notice), (int)CATS_EVENT_SHED);
	KUNIT_EXPECT_EQ(test, next_notice(p, &notice), -1);
	kfree_skb(sock_dequeue_err_skb(p->sk));
	KUNIT_EXPECT_EQ(test, next_notice(p, &notice), (int)CATS_EVENT_EXPIRED);
	KUNIT_EXPECT_EQ(test, next_notice(p, &notice), -1);
}

static struct kunit_case notice_cases[] = {
	KUNIT_CASE(notify__only_if_asked),
	KUNIT_CASE(notify__dropped),
	KUNIT_CASE(notify__unqueued),
	KUNIT_CASE(notify__no_room),
	KUNIT_CASE(watch__unsent),
	KUNIT_CASE(watch__until_acknowledged),
	KUNIT_CASE(watch__unacked),
	KUNIT_CASE(watch__with_a_writer),
	KUNIT_CASE(recv__among_others),
	{}
};

static struct kunit_suite notice_suite = {
	.name = "notice",
	.suite_init = pair_suite_init,
	.suite_exit = pair_suite_exit,
	.init = pair_init,
	.exit = pair_exit,
	.test_cases = notice_cases,
};

kunit_test_suite(notice_suite);
