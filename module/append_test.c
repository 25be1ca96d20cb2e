// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of appending: what TCP's write queue looks like afterwards.
 *
 * pair_exit() then lets TCP transmit what was appended.
 */
#include <linux/prandom.h>

#include "pair_test.h"

#define GOAL	1000

/* Appends @m, at most @limit bytes of it. */
static int append(struct pair *p, struct cats_txmsg *m, u32 limit)
{
	int n = cats_append(p->sk, p->cs, m, limit, GOAL, GFP_KERNEL);

	if (n > 0)
		cats_conductor_commit(&p->cs->conductor, &m->msg, n, ktime_get_ns());
	return n;
}

/* Makes a message of @bytes and appends it, or what @limit allows of it. */
static int append_new(struct pair *p, u8 fill, u32 bytes, u32 limit)
{
	struct cats_txmsg *m = pair_queue(p, 3, fill, bytes);
	int n;

	if (!m)
		return -ENOMEM;
	n = append(p, m, limit);
	if (list_empty(&m->msg.node))
		cats_txmsg_put(p->sk, p->cs, m);
	return n;
}

static struct sk_buff *nth_skb(struct pair *p, unsigned int n)
{
	struct sk_buff *skb;

	skb_queue_walk(&p->sk->sk_write_queue, skb)
		if (!n--)
			return skb;
	return NULL;
}

/* Lengths of the skbs of the write queue, 0 behind the last. */
static void expect_lengths(struct kunit *test, const u32 *lengths)
{
	struct pair *p = test->priv;
	struct sk_buff *skb;

	skb_queue_walk(&p->sk->sk_write_queue, skb)
		KUNIT_EXPECT_EQ(test, skb->len, *lengths ? *lengths++ : 0);
	KUNIT_EXPECT_EQ(test, *lengths, 0);
}

/* Sequence numbers without gaps from @seq on, and the accounts of each skb. */
static void expect_sound(struct kunit *test, u32 seq)
{
	struct pair *p = test->priv;
	struct sk_buff *skb;
	int truesize = 0;

	skb_queue_walk(&p->sk->sk_write_queue, skb) {
		KUNIT_EXPECT_EQ(test, TCP_SKB_CB(skb)->seq, seq);
		seq += skb->len;
		KUNIT_EXPECT_EQ(test, TCP_SKB_CB(skb)->end_seq, seq);
		KUNIT_EXPECT_EQ(test, skb->data_len, skb->len);
		KUNIT_EXPECT_EQ(test, (int)skb->truesize,
				(int)SKB_TRUESIZE(skb_end_offset(skb)) + (int)skb->len);
		KUNIT_EXPECT_EQ(test, tcp_skb_pcount(skb), 0);
		KUNIT_EXPECT_TRUE(test, skb->ip_summed == CHECKSUM_PARTIAL);
		KUNIT_EXPECT_EQ(test, skb_headroom(skb), MAX_TCP_HEADER);
		truesize += skb->truesize;
	}
	KUNIT_EXPECT_EQ(test, tcp_sk(p->sk)->write_seq, seq);
	KUNIT_EXPECT_EQ(test, p->sk->sk_wmem_queued, truesize);
	KUNIT_EXPECT_EQ(test, pair_balance(p), p->balance);
}

static void append__one_message(struct kunit *test)
{
	struct pair *p = test->priv;
	u32 seq = tcp_sk(p->sk)->write_seq;

	KUNIT_EXPECT_EQ(test, append_new(p, 0x11, 700, U32_MAX), 700);
	expect_lengths(test, (const u32[]){ 700, 0 });
	expect_sound(test, seq);
	KUNIT_EXPECT_TRUE(test, pair_queue_has(p, 0, 0x11, 700));
	KUNIT_EXPECT_EQ(test, p->cs->mem, 0);
	KUNIT_EXPECT_TRUE(test, tcp_sk(p->sk)->chrono_type == TCP_CHRONO_BUSY);
	KUNIT_EXPECT_EQ(test, TCP_SKB_CB(nth_skb(p, 0))->tcp_flags, TCPHDR_ACK);
}

static void append__splits_at_size_goal(struct kunit *test)
{
	struct pair *p = test->priv;
	u32 seq = tcp_sk(p->sk)->write_seq;

	KUNIT_EXPECT_EQ(test, append_new(p, 1, 2500, U32_MAX), 2500);
	expect_lengths(test, (const u32[]){ GOAL, GOAL, 500, 0 });
	expect_sound(test, seq);
}

static void append__stops_at_limit(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = pair_queue(p, 3, 1, 2500);
	u32 seq = tcp_sk(p->sk)->write_seq;

	if (!m)
		return;
	KUNIT_EXPECT_EQ(test, append(p, m, 1), 1);
	KUNIT_EXPECT_EQ(test, append(p, m, 1200), 1200);
	KUNIT_EXPECT_EQ(test, cats_txmsg_left(m), 1299);
	expect_lengths(test, (const u32[]){ GOAL, 201, 0 });
	expect_sound(test, seq);
}

/* The last skb goes on, across messages; bytes that are adjacent join. */
static void append__fills_the_last_skb(struct kunit *test)
{
	struct pair *p = test->priv;
	u32 seq = tcp_sk(p->sk)->write_seq;

	KUNIT_EXPECT_EQ(test, append_new(p, 0xaa, 300, U32_MAX), 300);
	KUNIT_EXPECT_EQ(test, append_new(p, 0xbb, 300, U32_MAX), 300);
	KUNIT_EXPECT_EQ(test, skb_shinfo(nth_skb(p, 0))->nr_frags, 1);
	sk_page_frag(p->sk)->offset++;
	KUNIT_EXPECT_EQ(test, append_new(p, 0xcc, 600, U32_MAX), 600);
	KUNIT_EXPECT_EQ(test, skb_shinfo(nth_skb(p, 0))->nr_frags, 2);
	expect_lengths(test, (const u32[]){ GOAL, 200, 0 });
	expect_sound(test, seq);
	KUNIT_EXPECT_TRUE(test, pair_queue_has(p, 0, 0xaa, 300));
	KUNIT_EXPECT_TRUE(test, pair_queue_has(p, 300, 0xbb, 300));
	KUNIT_EXPECT_TRUE(test, pair_queue_has(p, 600, 0xcc, 600));
}

/* Nothing may follow the end of a record within its skb. */
static void append__respects_end_of_record(struct kunit *test)
{
	struct pair *p = test->priv;
	u32 seq = tcp_sk(p->sk)->write_seq;

	KUNIT_EXPECT_EQ(test, append_new(p, 1, 10, U32_MAX), 10);
	TCP_SKB_CB(nth_skb(p, 0))->eor = 1;
	KUNIT_EXPECT_EQ(test, append_new(p, 2, 10, U32_MAX), 10);
	expect_lengths(test, (const u32[]){ 10, 10, 0 });
	expect_sound(test, seq);
}

/* An skb takes MAX_SKB_FRAGS fragments, or fewer if the administrator says so. */
static void append__fragments_per_skb(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = pair_msg(p, 3);
	int saved = READ_ONCE(sysctl_max_skb_frags);
	u32 seq = tcp_sk(p->sk)->write_seq;
	u32 i;

	KUNIT_EXPECT_NOT_NULL(test, m);
	for (i = 0; m && i < MAX_SKB_FRAGS + 6; i++)
		KUNIT_EXPECT_EQ(test, pair_copy_apart(p, m, i, 10), 0);
	if (!m)
		return;
	pair_enqueue(p, m);
	KUNIT_EXPECT_EQ(test, append(p, m, 10 * (MAX_SKB_FRAGS + 1)),
			10 * ((int)MAX_SKB_FRAGS + 1));
	expect_lengths(test, (const u32[]){ 10 * MAX_SKB_FRAGS, 10, 0 });
	KUNIT_EXPECT_EQ(test, skb_shinfo(nth_skb(p, 0))->nr_frags, (u8)MAX_SKB_FRAGS);
	WRITE_ONCE(sysctl_max_skb_frags, 2);
	KUNIT_EXPECT_EQ(test, append(p, m, U32_MAX), 50);
	expect_lengths(test, (const u32[]){ 10 * MAX_SKB_FRAGS, 20, 20, 20, 0 });
	WRITE_ONCE(sysctl_max_skb_frags, saved);
	expect_sound(test, seq);
	for (i = 0; i < MAX_SKB_FRAGS + 6; i++)
		KUNIT_EXPECT_TRUE(test, pair_queue_has(p, 10 * i, i, 10));
	cats_txmsg_put(p->sk, p->cs, m);
}

/* An skb holds its pages by references of its own. */
static void append__keeps_the_pages(struct kunit *test)
{
	struct pair *p = test->priv;
	struct page *page;
	int refs;

	KUNIT_EXPECT_TRUE(test, sk_page_frag_refill(p->sk, sk_page_frag(p->sk)));
	page = sk_page_frag(p->sk)->page;
	refs = page_ref_count(page);
	KUNIT_EXPECT_EQ(test, append_new(p, 1, 100, U32_MAX), 100);
	KUNIT_EXPECT_EQ(test, page_ref_count(page), refs + 1);
	/* Joins the fragment before: no further one. */
	KUNIT_EXPECT_EQ(test, append_new(p, 1, 100, U32_MAX), 100);
	KUNIT_EXPECT_EQ(test, page_ref_count(page), refs + 1);
}

/*
 * Two messages, the first of them in TCP in part, and no memory for an skb: what
 * fits the last skb goes, the rest stays as it is.
 */
static void append__nomem(struct kunit *test)
{
	struct pair *p = test->priv;
	u32 seq = tcp_sk(p->sk)->write_seq, mem;
	struct cats_txmsg *m;
	int left;

	KUNIT_EXPECT_EQ(test, append_new(p, 1, 300, U32_MAX), 300);
	m = pair_queue(p, 3, 2, 2000);
	if (!m)
		return;
	left = p->sk->sk_forward_alloc;
	sk_mem_charge(p->sk, left);
	pair_no_memory(p);
	KUNIT_EXPECT_EQ(test, append(p, m, 2000), GOAL - 300);
	mem = p->cs->mem;
	KUNIT_EXPECT_EQ(test, append(p, m, 2000), -ENOMEM);
	KUNIT_EXPECT_EQ(test, p->cs->mem, mem);
	KUNIT_EXPECT_EQ(test, cats_txmsg_left(m), 2000 - (GOAL - 300));
	expect_lengths(test, (const u32[]){ GOAL, 0 });
	/* Draining has no choice. */
	KUNIT_EXPECT_EQ(test, cats_append(p->sk, p->cs, m, 1, GOAL,
					  GFP_KERNEL | __GFP_NOFAIL), 1);
	cats_conductor_commit(&p->cs->conductor, &m->msg, 1, ktime_get_ns());
	expect_lengths(test, (const u32[]){ GOAL, 1, 0 });
	pair_memory_back(p);
	sk_mem_uncharge(p->sk, left);
	expect_sound(test, seq);
}

/* With nothing in TCP at all, one skb goes whatever the limits. */
static void append__nomem_with_empty_queues(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = pair_queue(p, 3, 2, 2000);
	u32 seq = tcp_sk(p->sk)->write_seq;
	int left = p->sk->sk_forward_alloc;

	if (!m)
		return;
	sk_mem_charge(p->sk, left);
	pair_no_memory(p);
	KUNIT_EXPECT_EQ(test, append(p, m, 2000), GOAL);
	KUNIT_EXPECT_EQ(test, append(p, m, 2000), -ENOMEM);
	pair_memory_back(p);
	sk_mem_uncharge(p->sk, left);
	expect_sound(test, seq);
}

/* Messages of any size in pieces of any size: the bytes, and only they. */
static void append__random(struct kunit *test)
{
	struct pair *p = test->priv;
	u32 seq = tcp_sk(p->sk)->write_seq, begin[40], at = 0;
	struct rnd_state rnd;
	unsigned int i;

	prandom_seed_state(&rnd, 1);
	for (i = 0; i < ARRAY_SIZE(begin); i++) {
		struct cats_txmsg *m;

		begin[i] = at;
		if (prandom_u32_state(&rnd) & 1)
			sk_page_frag(p->sk)->offset++;
		m = pair_queue(p, 3, i, 1 + prandom_u32_state(&rnd) % 2000);
		if (!m)
			return;
		at += m->msg.len;
		while (append(p, m, 1 + prandom_u32_state(&rnd) % 1500) > 0)
			if (list_empty(&m->msg.node))
				break;
		KUNIT_EXPECT_TRUE(test, list_empty(&m->msg.node));
		if (!list_empty(&m->msg.node))
			return;
		cats_txmsg_put(p->sk, p->cs, m);
	}
	expect_sound(test, seq);
	KUNIT_EXPECT_EQ(test, tcp_sk(p->sk)->write_seq - seq, at);
	for (i = 0; i < ARRAY_SIZE(begin) - 1; i++)
		KUNIT_EXPECT_TRUE(test, pair_queue_has(p, begin[i], i,
						       begin[i + 1] - begin[i]));
	KUNIT_EXPECT_EQ(test, p->cs->mem, 0);
}

static void append_done__marks_the_last(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = pair_msg(p, 3);
	struct tcp_sock *tp = tcp_sk(p->sk);

	if (!m)
		return;
	/* All of it was transmitted, and acknowledged. */
	cats_append_done(p->sk, p->cs, m);
	KUNIT_EXPECT_EQ(test, append_new(p, 1, GOAL + 1, U32_MAX), GOAL + 1);
	cats_append_done(p->sk, p->cs, m);
	KUNIT_EXPECT_EQ(test, TCP_SKB_CB(nth_skb(p, 0))->tcp_flags & TCPHDR_PSH, 0);
	KUNIT_EXPECT_EQ(test, TCP_SKB_CB(nth_skb(p, 1))->tcp_flags & TCPHDR_PSH,
			TCPHDR_PSH);
	KUNIT_EXPECT_EQ(test, tp->pushed_seq, tp->write_seq);
	KUNIT_EXPECT_EQ(test, tp->nonagle & TCP_NAGLE_PUSH, 0);
	/* What follows is not the end any more. */
	KUNIT_EXPECT_EQ(test, append_new(p, 1, 1, U32_MAX), 1);
	KUNIT_EXPECT_EQ(test, TCP_SKB_CB(nth_skb(p, 1))->tcp_flags & TCPHDR_PSH, 0);
}

static void append_done__nagle(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = pair_msg(p, 2);
	struct tcp_sock *tp = tcp_sk(p->sk);

	if (!m)
		return;
	KUNIT_EXPECT_EQ(test, append_new(p, 1, 10, U32_MAX), 10);
	tp->nonagle |= TCP_NAGLE_CORK;
	cats_append_done(p->sk, p->cs, m);
	KUNIT_EXPECT_EQ(test, tp->nonagle & TCP_NAGLE_PUSH, 0);
	tp->nonagle &= ~TCP_NAGLE_CORK;
	cats_append_done(p->sk, p->cs, m);
	KUNIT_EXPECT_EQ(test, tp->nonagle & TCP_NAGLE_PUSH, TCP_NAGLE_PUSH);
	/* An skb later Nagle's rule holds again, and while there is more to send. */
	KUNIT_EXPECT_EQ(test, append_new(p, 1, GOAL, U32_MAX), GOAL);
	KUNIT_EXPECT_EQ(test, tp->nonagle & TCP_NAGLE_PUSH, 0);
	pair_queue(p, 7, 1, 10);
	cats_append_done(p->sk, p->cs, m);
	KUNIT_EXPECT_EQ(test, tp->nonagle & TCP_NAGLE_PUSH, 0);
}

/* MSG_EOR and MSG_OOB: the last byte of the message. */
static void append_done__marks(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = pair_msg(p, 3);
	struct tcp_sock *tp = tcp_sk(p->sk);
	u32 seq = tp->write_seq;

	if (!m)
		return;
	KUNIT_EXPECT_EQ(test, append_new(p, 1, 10, U32_MAX), 10);
	m->marks = CATS_MARK_EOR;
	cats_append_done(p->sk, p->cs, m);
	KUNIT_EXPECT_EQ(test, (int)TCP_SKB_CB(nth_skb(p, 0))->eor, 1);
	KUNIT_EXPECT_NE(test, tp->snd_up, seq + 10);
	KUNIT_EXPECT_EQ(test, append_new(p, 2, 20, U32_MAX), 20);
	m->marks = CATS_MARK_URG;
	cats_append_done(p->sk, p->cs, m);
	KUNIT_EXPECT_EQ(test, (int)TCP_SKB_CB(nth_skb(p, 1))->eor, 0);
	KUNIT_EXPECT_EQ(test, tp->snd_up, seq + 30);
	expect_lengths(test, (const u32[]){ 10, 20, 0 });
}

/* Fragments of one kind share an skb, those of different notifications do not. */
static void append__kinds(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = pair_msg(p, 3);
	struct ubuf_info uarg[2] = {};
	u32 seq = tcp_sk(p->sk)->write_seq;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(uarg); i++) {
		refcount_set(&uarg[i].refcnt, 1);
		uarg[i].callback = pair_uarg_done;
		uarg[i].flags = SKBFL_ZEROCOPY_FRAG;
	}
	if (!m)
		return;
	KUNIT_EXPECT_EQ(test, pair_copy(p, m, 1, 10), 0);
	KUNIT_EXPECT_EQ(test, pair_add_page(p, m, 2, 20), 0);
	KUNIT_EXPECT_EQ(test, pair_pin(p, m, 3, 30, &uarg[0]), 0);
	KUNIT_EXPECT_EQ(test, pair_pin(p, m, 4, 40, &uarg[1]), 0);
	KUNIT_EXPECT_EQ(test, pair_copy(p, m, 5, 50), 0);
	pair_enqueue(p, m);
	KUNIT_EXPECT_EQ(test, append(p, m, U32_MAX), 150);
	expect_lengths(test, (const u32[]){ 30, 30, 40, 50, 0 });
	KUNIT_EXPECT_TRUE(test, skb_has_shared_frag(nth_skb(p, 0)));
	KUNIT_EXPECT_PTR_EQ(test, skb_zcopy(nth_skb(p, 0)), NULL);
	KUNIT_EXPECT_PTR_EQ(test, skb_zcopy(nth_skb(p, 1)), &uarg[0]);
	KUNIT_EXPECT_PTR_EQ(test, skb_zcopy(nth_skb(p, 2)), &uarg[1]);
	KUNIT_EXPECT_PTR_EQ(test, skb_zcopy(nth_skb(p, 3)), NULL);
	for (i = 0, seq = 0; i < 5; seq += 10 * ++i)
		KUNIT_EXPECT_TRUE(test, pair_queue_has(p, seq, i + 1, 10 * (i + 1)));
	cats_txmsg_put(p->sk, p->cs, m);
	/* What is left of the references are those of the skbs. */
	for (i = 0; i < ARRAY_SIZE(uarg); i++) {
		KUNIT_EXPECT_EQ(test, refcount_read(&uarg[i].refcnt), 2);
		skb_zcopy_clear(nth_skb(p, 1 + i), true);
		KUNIT_EXPECT_EQ(test, refcount_read(&uarg[i].refcnt), 1);
	}
}

/* cwnd after the first byte that follows a pause of @pause. */
static u32 cwnd_after(struct pair *p, u32 cwnd, u32 pause)
{
	tcp_snd_cwnd_set(tcp_sk(p->sk), cwnd);
	tcp_sk(p->sk)->lsndtime = tcp_jiffies32 - pause;
	append_new(p, 1, 1, U32_MAX);
	return tcp_snd_cwnd(tcp_sk(p->sk));
}

/* Empties the write queue, so that the next byte is the first one. */
static void rewind(struct pair *p)
{
	struct sk_buff *skb = __skb_dequeue(&p->sk->sk_write_queue);

	if (!skb)
		return;
	tcp_sk(p->sk)->write_seq -= skb->len;
	tcp_skb_tsorted_anchor_cleanup(skb);
	tcp_wmem_free_skb(p->sk, skb);
}

/* RFC 5681, section 4.1, as TCP does it: halved per RTO, not below the initial. */
static void append__restarts_after_idle(struct kunit *test)
{
	struct pair *p = test->priv;
	u32 rto = inet_csk(p->sk)->icsk_rto;
	static const struct {
		u32 cwnd, rtos, want;
	} rows[] = { { 80, 1, 80 }, { 80, 2, 40 }, { 80, 3, 20 }, { 80, 4, 10 },
		     { 80, 20, 10 }, { 100, 20, 10 }, { 5, 20, 5 } };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		/* Half an RTO less, for what the test itself takes. */
		KUNIT_EXPECT_EQ(test, cwnd_after(p, rows[i].cwnd,
						 rto * rows[i].rtos - rto / 2),
				rows[i].want);
		rewind(p);
	}
	/* Another byte behind unsent ones is not the first after a pause. */
	KUNIT_EXPECT_EQ(test, cwnd_after(p, 80, 0), 80);
	KUNIT_EXPECT_EQ(test, cwnd_after(p, 80, 20 * rto), 80);
}

static void append__restart_is_optional(struct kunit *test)
{
	struct pair *p = test->priv;
	const struct tcp_congestion_ops *ca = inet_csk(p->sk)->icsk_ca_ops;
	struct tcp_congestion_ops paces = *ca;
	u32 pause = 20 * inet_csk(p->sk)->icsk_rto;
	u8 saved = init_net.ipv4.sysctl_tcp_slow_start_after_idle;

	init_net.ipv4.sysctl_tcp_slow_start_after_idle = 0;
	KUNIT_EXPECT_EQ(test, cwnd_after(p, 80, pause), 80);
	rewind(p);
	init_net.ipv4.sysctl_tcp_slow_start_after_idle = 1;
	paces.cong_control = (void *)1;
	inet_csk(p->sk)->icsk_ca_ops = &paces;
	KUNIT_EXPECT_EQ(test, cwnd_after(p, 80, pause), 80);
	inet_csk(p->sk)->icsk_ca_ops = ca;
	rewind(p);
	KUNIT_EXPECT_EQ(test, cwnd_after(p, 80, pause), 10);
	init_net.ipv4.sysctl_tcp_slow_start_after_idle = saved;
}

static struct kunit_case append_cases[] = {
	KUNIT_CASE(append__one_message),
	KUNIT_CASE(append__splits_at_size_goal),
	KUNIT_CASE(append__stops_at_limit),
	KUNIT_CASE(append__fills_the_last_skb),
	KUNIT_CASE(append__respects_end_of_record),
	KUNIT_CASE(append__fragments_per_skb),
	KUNIT_CASE(append__keeps_the_pages),
	KUNIT_CASE(append__nomem),
	KUNIT_CASE(append__nomem_with_empty_queues),
	KUNIT_CASE(append__random),
	KUNIT_CASE(append__restarts_after_idle),
	KUNIT_CASE(append__restart_is_optional),
	KUNIT_CASE(append_done__marks_the_last),
	KUNIT_CASE(append_done__nagle),
	KUNIT_CASE(append_done__marks),
	KUNIT_CASE(append__kinds),
	{}
};

static struct kunit_suite append_suite = {
	.name = "append",
	.suite_init = pair_suite_init,
	.suite_exit = pair_suite_exit,
	.init = pair_init,
	.exit = pair_exit,
	.test_cases = append_cases,
};

kunit_test_suite(append_suite);
