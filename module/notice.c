// SPDX-License-Identifier: GPL-2.0
/*
 * Notices: an application is told what became of its messages.
 *
 *	queued --> first byte committed --> last byte committed --> transmitted --> acknowledged
 *	   |              BEGUN                 |     @unsent         SENT  @unacked   ACKED
 *	   `--> dropped: EXPIRED, ...           `--> watched, without its bytes
 *
 * A notice is an entry of the socket's error queue, as a transmit time stamp is: it
 * counts against SO_RCVBUF, and wakes those who wait for EPOLLERR.  What has no room
 * there is lost, and counted.
 *
 * How far TCP is we see where it calls cats_write_space(): after each transmission,
 * and after each ACK.  Both lists are in the order of sequence numbers, so only their
 * heads are looked at.
 */
#include <linux/errqueue.h>

#include "cats_sock.h"
#include "name.h"

/*
 * Marks our entries; the kernel's own SO_EE_ORIGIN_* are small numbers.  Who reads one
 * when the socket is a listener, and without our operations, gets 0 bytes and an
 * IP_RECVERR with this origin.
 */
#define ORIGIN_CATS	0xca

static u32 end_seq(const struct cats_txmsg *m)
{
	return m->first_seq + m->msg.len;
}

static bool wants(const struct cats_tag *tag, enum cats_event event)
{
	return tag->notify & CATS_NOTIFY(event);
}

/* The notice lies behind the data, of which there is none. */
static struct sk_buff *notice_skb(const struct cats_notice *notice)
{
	struct sk_buff *skb = alloc_skb(sizeof(*notice), GFP_ATOMIC | __GFP_NOWARN);
	struct sock_exterr_skb *serr;

	if (!skb)
		return NULL;
	memcpy(skb->data, notice, sizeof(*notice));
	serr = SKB_EXT_ERR(skb);
	memset(serr, 0, sizeof(*serr));
	serr->ee.ee_origin = ORIGIN_CATS;
	return skb;
}

static void queue_notice(struct sock *sk, struct cats_sock *cs,
			 const struct cats_notice *notice)
{
	struct sk_buff *skb = notice_skb(notice);

	if (skb && !sock_queue_err_skb(sk, skb))
		return;
	cs->notices_lost++;
	cats_count(cs->mib, CATS_MIB_NOTICES_LOST);
	kfree_skb(skb);
}

/**
 * cats_notify() - tell of a message, if it was asked for
 * @sk: socket
 * @cs: its CATS state
 * @m: message that is, or was, queued
 * @event: what became of it
 */
void cats_notify(struct sock *sk, struct cats_sock *cs, const struct cats_txmsg *m,
		 enum cats_event event)
{
	struct cats_notice notice = {
		.cookie = m->tag.cookie,
		.event = event,
		.urgency = m->msg.urgency,
		.stream = m->tag.stream,
		.len = m->msg.len,
	};
	u64 waited = m->waited_ns;

	cats_sock_held(sk);
	if (!wants(&m->tag, event))
		return;
	if (m->msg.committed) {
		notice.first_seq = m->first_seq;
		notice.end_seq = end_seq(m);
	} else {
		waited = ktime_get_ns() - m->msg.enqueued_ns;
	}
	notice.delay_us = div_u64(waited, NSEC_PER_USEC);
	queue_notice(sk, cs, &notice);
}

/**
 * cats_notify_unqueued() - tell of a message that was never queued
 * @sk: socket
 * @cs: its CATS state
 * @tag: of the message
 * @len: its bytes
 * @event: what became of it
 */
void cats_notify_unqueued(struct sock *sk, struct cats_sock *cs,
			  const struct cats_tag *tag, u32 len, enum cats_event event)
{
	const struct cats_notice notice = {
		.cookie = tag->cookie,
		.event = event,
		.urgency = tag->urgency,
		.stream = tag->stream,
		.len = len,
	};

	cats_sock_held(sk);
	if (wants(tag, event))
		queue_notice(sk, cs, &notice);
}

/**
 * cats_notice_begun() - the first bytes of a message were committed
 * @sk: socket
 * @cs: its CATS state
 * @m: message
 * @bytes: how many; they are the last in TCP's write queue
 * @now_ns: time
 */
void cats_notice_begun(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m,
		       u32 bytes, u64 now_ns)
{
	m->first_seq = tcp_sk(sk)->write_seq - bytes;
	m->waited_ns = now_ns - m->msg.enqueued_ns;
	cats_notify(sk, cs, m, CATS_EVENT_BEGUN);
}

/**
 * cats_notice_watch() - the last byte of a message was committed
 * @sk: socket
 * @cs: its CATS state
 * @m: message.  If there is more to tell of it cats_txmsg_put() leaves it to us; it
 *	stays charged, without its bytes, and without names: those are for what can
 *	be changed.
 */
void cats_notice_watch(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m)
{
	cats_sock_held(sk);
	if (!wants(&m->tag, CATS_EVENT_SENT) && !wants(&m->tag, CATS_EVENT_ACKED))
		return;
	list_add_tail(&m->watch, &cs->unsent);
	cats_name_drop(sk, cs, m);
}

static void drop(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m)
{
	list_del_init(&m->watch);
	cats_txmsg_put(sk, cs, m);
}

/**
 * cats_notice_progress() - tell of what TCP has transmitted and got acknowledged
 * @sk: socket
 * @cs: its CATS state
 */
void cats_notice_progress(struct sock *sk, struct cats_sock *cs)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	struct cats_txmsg *m, *next;

	cats_sock_held(sk);
	list_for_each_entry_safe(m, next, &cs->unsent, watch) {
		if (after(end_seq(m), tp->snd_nxt))
			break;
		cats_notify(sk, cs, m, CATS_EVENT_SENT);
		if (wants(&m->tag, CATS_EVENT_ACKED))
			list_move_tail(&m->watch, &cs->unacked);
		else
			drop(sk, cs, m);
	}
	list_for_each_entry_safe(m, next, &cs->unacked, watch) {
		if (after(end_seq(m), tp->snd_una))
			break;
		cats_notify(sk, cs, m, CATS_EVENT_ACKED);
		drop(sk, cs, m);
	}
}

/**
 * cats_notice_drop_all() - there is nothing more to tell: the connection ends
 * @sk: socket
 * @cs: its CATS state
 */
void cats_notice_drop_all(struct sock *sk, struct cats_sock *cs)
{
	struct cats_txmsg *m, *next;

	cats_sock_held(sk);
	list_splice_init(&cs->unacked, &cs->unsent);
	list_for_each_entry_safe(m, next, &cs->unsent, watch)
		drop(sk, cs, m);
}

static bool is_notice(const struct sk_buff *skb)
{
	return SKB_EXT_ERR(skb)->ee.ee_origin == ORIGIN_CATS;
}

/**
 * cats_notices_only() - is nothing but notices in the error queue?
 * @sk: socket
 */
bool cats_notices_only(struct sock *sk)
{
	struct sk_buff_head *queue = &sk->sk_error_queue;
	struct sk_buff *skb;
	unsigned long flags;
	bool only = true;

	spin_lock_irqsave(&queue->lock, flags);
	skb_queue_walk(queue, skb) {
		only = is_notice(skb);
		if (!only)
			break;
	}
	spin_unlock_irqrestore(&queue->lock, flags);
	return only;
}

/* The first entry of the error queue if it is a notice, or NULL. */
static struct sk_buff *take_notice(struct sock *sk)
{
	struct sk_buff_head *queue = &sk->sk_error_queue;
	struct sk_buff *skb;
	unsigned long flags;

	spin_lock_irqsave(&queue->lock, flags);
	skb = skb_peek(queue);
	if (skb && is_notice(skb))
		__skb_unlink(skb, queue);
	else
		skb = NULL;
	spin_unlock_irqrestore(&queue->lock, flags);
	/* As sock_dequeue_err_skb(): edge-triggered waiters hear of the next. */
	if (skb && !skb_queue_empty_lockless(queue))
		sk_error_report(sk);
	return skb;
}

/**
 * cats_notice_recv() - hand a notice over to the application
 * @sk: socket, owned by the caller
 * @msg: gets it as a control message
 *
 * Return: whether a notice was the first in the error queue.
 */
bool cats_notice_recv(struct sock *sk, struct msghdr *msg)
{
	struct sk_buff *skb = take_notice(sk);
	struct cats_notice notice;

	cats_sock_held(sk);
	if (!skb)
		return false;
	/* By the stack: user space may not be given the head of an skb directly. */
	memcpy(&notice, skb->data, sizeof(notice));
	put_cmsg(msg, SOL_CATS, CATS_NOTICE, sizeof(notice), &notice);
	msg->msg_flags |= MSG_ERRQUEUE;
	consume_skb(skb);
	return true;
}
