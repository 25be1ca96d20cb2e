// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of transmit time stamps: what TCP is asked for, and the numbers that
 * an application reads.
 */
#include <linux/errqueue.h>

#include "pair_test.h"

#define FLAGS	(SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_TX_ACK | \
		 SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_ID | \
		 SOF_TIMESTAMPING_OPT_TSONLY)

/* Option memory in use, besides what was there before the case. */
static int omem(const struct pair *p)
{
	return atomic_read(&p->sk->sk_omem_alloc);
}

/* As setsockopt(SO_TIMESTAMPING) does it on a connection with nothing in flight. */
static int txstamp_init(struct kunit *test)
{
	struct pair *p;
	int err;

	err = pair_init(test);
	if (err)
		return err;
	p = test->priv;
	p->sk->sk_tsflags = FLAGS;
	atomic_set(&p->sk->sk_tskey, tcp_sk(p->sk)->snd_una);
	return 0;
}

/* A message of @bytes, with a stamp wanted, queued. */
static struct cats_txmsg *queue_stamped(struct pair *p, unsigned int urgency, u32 bytes)
{
	struct cats_txmsg *m = pair_queue(p, urgency, urgency, bytes);

	if (m)
		cats_txstamp_request(p->sk, p->cs, m, FLAGS);
	return m;
}

static void request__only_if_wanted(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = pair_queue(p, 3, 1, 100);
	int before = omem(p);

	if (!m)
		return;
	cats_txstamp_request(p->sk, p->cs, m, SOF_TIMESTAMPING_SOFTWARE |
			     SOF_TIMESTAMPING_OPT_ID);
	KUNIT_EXPECT_PTR_EQ(test, m->stamp, NULL);
	cats_txstamp_request(p->sk, p->cs, m, FLAGS);
	KUNIT_EXPECT_NOT_NULL(test, m->stamp);
	KUNIT_EXPECT_GT(test, omem(p), before);
	cats_txstamp_free(p->sk, m);
	KUNIT_EXPECT_PTR_EQ(test, m->stamp, NULL);
	KUNIT_EXPECT_EQ(test, omem(p), before);
	cats_txstamp_free(p->sk, m);
}

/* Unlike a write, a stamp may fail: it is lost, as if the error queue were full. */
static void request__no_option_memory(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = pair_queue(p, 3, 1, 100);
	int saved = READ_ONCE(sysctl_optmem_max);

	if (!m)
		return;
	WRITE_ONCE(sysctl_optmem_max, 0);
	cats_txstamp_request(p->sk, p->cs, m, FLAGS);
	WRITE_ONCE(sysctl_optmem_max, saved);
	KUNIT_EXPECT_PTR_EQ(test, m->stamp, NULL);
	cats_feed(p->sk, p->cs);
	KUNIT_EXPECT_EQ(test, cats_unsent(p->sk), 100);
}

/* What goes with the message that was dropped, with the memory of its stamp. */
static void request__dropped(struct kunit *test)
{
	struct pair *p = test->priv;
	int before = omem(p);

	queue_stamped(p, 3, 100);
	KUNIT_EXPECT_GT(test, omem(p), before);
	cats_purge(p->sk, p->cs);
	KUNIT_EXPECT_EQ(test, omem(p), before);
}

/* In order: TCP's own number is the right one, and nothing is kept. */
static void mark__in_order(struct kunit *test)
{
	struct pair *p = test->priv;
	u32 seq = tcp_sk(p->sk)->write_seq;
	int before = omem(p);
	struct sk_buff *skb;

	queue_stamped(p, 3, 100);
	cats_feed(p->sk, p->cs);
	skb = tcp_write_queue_tail(p->sk);
	KUNIT_EXPECT_EQ(test, skb_shinfo(skb)->tskey, seq + 99);
	KUNIT_EXPECT_TRUE(test, skb_shinfo(skb)->tx_flags & SKBTX_SW_TSTAMP);
	KUNIT_EXPECT_EQ(test, (int)TCP_SKB_CB(skb)->txstamp_ack, 1);
	KUNIT_EXPECT_TRUE(test, list_empty(&p->cs->txstamps));
	KUNIT_EXPECT_EQ(test, omem(p), before);
}

/* Each message in an skb of its own: stamps are per skb. */
static void mark__overtaken(struct kunit *test)
{
	struct pair *p = test->priv;
	u32 seq = tcp_sk(p->sk)->write_seq;
	struct cats_txmsg *bulk = queue_stamped(p, 7, 100);
	struct cats_txmsg *urgent = queue_stamped(p, 0, 10);
	int before = omem(p);
	struct sk_buff *skb;

	if (!bulk || !urgent)
		return;
	bulk->marks = CATS_MARK_EOR;
	urgent->marks = CATS_MARK_EOR;
	cats_feed(p->sk, p->cs);
	KUNIT_EXPECT_EQ(test, pair_queued_skbs(p), 2);
	skb = skb_peek(&p->sk->sk_write_queue);
	KUNIT_EXPECT_EQ(test, skb_shinfo(skb)->tskey, seq + 9);
	skb = tcp_write_queue_tail(p->sk);
	KUNIT_EXPECT_EQ(test, skb_shinfo(skb)->tskey, seq + 109);
	/* Until they have been read. */
	KUNIT_EXPECT_EQ(test, omem(p), before);
	cats_txstamp_purge(p->sk, p->cs);
	KUNIT_EXPECT_LT(test, omem(p), before);
	KUNIT_EXPECT_TRUE(test, list_empty(&p->cs->txstamps));
}

/* The number of the next stamp in the error queue, or -1; none comes any more. */
static s64 read_stamp(struct pair *p)
{
	struct sock_extended_err *ee;
	struct cmsghdr *cmsg;
	u8 control[256];
	struct kvec kvec = {};
	struct msghdr msg = { .msg_control = control, .msg_controllen = sizeof(control) };

	if (kernel_recvmsg(p->near, &msg, &kvec, 1, 0, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return -1;
	msg.msg_control = control;
	msg.msg_controllen = sizeof(control) - msg.msg_controllen;
	for_each_cmsghdr(cmsg, &msg) {
		ee = CMSG_DATA(cmsg);
		if (cmsg->cmsg_level == SOL_IP && cmsg->cmsg_type == IP_RECVERR &&
		    ee->ee_origin == SO_EE_ORIGIN_TIMESTAMPING)
			return ee->ee_data;
	}
	return -1;
}

/* Bulk of 100 bytes, then 10 that overtake it; all has arrived, nothing is read. */
static bool send_both(struct pair *p)
{
	struct cats_txmsg *bulk = queue_stamped(p, 7, 100);
	struct cats_txmsg *urgent = queue_stamped(p, 0, 10);
	u8 data[110];

	if (!bulk || !urgent)
		return false;
	bulk->marks = CATS_MARK_EOR;
	urgent->marks = CATS_MARK_EOR;
	cats_feed(p->sk, p->cs);
	pair_drop(p);
	KUNIT_EXPECT_EQ(p->test, pair_read(p, data, sizeof(data)), (int)sizeof(data));
	KUNIT_EXPECT_EQ(p->test, data[0], 0);
	KUNIT_EXPECT_EQ(p->test, data[10], 7);
	pair_await_acks(p);
	return true;
}

/* What the application counted: 100 bytes, then 10 more, whatever was first. */
static void expect_both(struct pair *p)
{
	int n[2] = {}, i;
	s64 id;

	for (i = 0; i < 4; i++) {
		id = read_stamp(p);
		KUNIT_EXPECT_TRUE_MSG(p->test, id == 99 || id == 109, "id %lld", id);
		n[id == 99]++;
	}
	/* Transmitted and acknowledged, of each. */
	KUNIT_EXPECT_EQ(p->test, n[0], 2);
	KUNIT_EXPECT_EQ(p->test, n[1], 2);
	KUNIT_EXPECT_EQ(p->test, read_stamp(p), -1);
}

static void read__names_by_the_order_of_calls(struct kunit *test)
{
	struct pair *p = test->priv;
	int before = omem(p);

	if (!send_both(p))
		return;
	expect_both(p);
	pair_hold(p);
	KUNIT_EXPECT_TRUE(test, list_empty(&p->cs->txstamps));
	KUNIT_EXPECT_EQ(test, omem(p), before);
}

static void read__after_a_disconnect(struct kunit *test)
{
	struct pair *p = test->priv;

	if (!send_both(p))
		return;
	pair_hold(p);
	KUNIT_EXPECT_EQ(test, cats_disconnect(p->sk, 0), 0);
	pair_drop(p);
	expect_both(p);
}

static struct kunit_case txstamp_cases[] = {
	KUNIT_CASE(request__only_if_wanted),
	KUNIT_CASE(request__no_option_memory),
	KUNIT_CASE(request__dropped),
	KUNIT_CASE(mark__in_order),
	KUNIT_CASE(mark__overtaken),
	KUNIT_CASE(read__names_by_the_order_of_calls),
	KUNIT_CASE(read__after_a_disconnect),
	{}
};

static struct kunit_suite txstamp_suite = {
	.name = "txstamp",
	.suite_init = pair_suite_init,
	.suite_exit = pair_suite_exit,
	.init = txstamp_init,
	.exit = pair_exit,
	.test_cases = txstamp_cases,
};

kunit_test_suite(txstamp_suite);
