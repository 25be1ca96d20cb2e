// SPDX-License-Identifier: GPL-2.0
/*
 * Transmit time stamps (SO_TIMESTAMPING), and the names of their bytes.
 *
 * With SOF_TIMESTAMPING_OPT_ID TCP names a stamp by the position in the stream of
 * the last byte of the call: an application counts the bytes that it wrote.  When a
 * message overtakes another the two differ.  TCP needs the position in the stream,
 * because it compares it with what was acknowledged; so that goes into the skb, and
 * when the application reads the stamp from its error queue we put in the number
 * that it expects: how many bytes it had written by then, in the order of its calls.
 */
#include <linux/errqueue.h>

#include "cats_sock.h"

/**
 * struct cats_txstamp - stamp of the last byte of a message
 * @node: in cats_sock.txstamps, in the order of @seq, once that is known
 * @seq: sequence number of the byte
 * @key: the one that it would have if nothing had been overtaken
 * @tsflags: SOF_TIMESTAMPING_*
 */
struct cats_txstamp {
	struct list_head	node;
	u32			seq;
	u32			key;
	u16			tsflags;
};

/**
 * cats_txstamp_request() - have the last byte of a call stamped
 * @sk: socket, owned by the caller
 * @cs: its CATS state
 * @m: message that the call wrote to, all bytes of the call included
 * @tsflags: SOF_TIMESTAMPING_* of the call
 *
 * Memory comes from the socket's option memory, for it is in use until the
 * application has read its error queue.  If that is used up there is no stamp, as
 * when the error queue is full.
 */
void cats_txstamp_request(struct sock *sk, struct cats_sock *cs,
			  struct cats_txmsg *m, u16 tsflags)
{
	cats_sock_held(sk);
	if (!(tsflags & SOF_TIMESTAMPING_TX_RECORD_MASK))
		return;
	if (!m->stamp)
		m->stamp = sock_kmalloc(sk, sizeof(*m->stamp), sk->sk_allocation);
	if (!m->stamp)
		return;
	m->stamp->tsflags = tsflags;
	m->stamp->key = tcp_sk(sk)->write_seq + cats_queued_bytes(cs) +
			cs->dropped_bytes - 1;
}

/**
 * cats_txstamp_free() - forget the request of a message
 * @sk: socket
 * @m: message
 */
void cats_txstamp_free(struct sock *sk, struct cats_txmsg *m)
{
	if (m->stamp)
		sock_kfree_s(sk, m->stamp, sizeof(*m->stamp));
	m->stamp = NULL;
}

static void drop_first(struct sock *sk, struct cats_txstamp *stamp)
{
	list_del(&stamp->node);
	sock_kfree_s(sk, stamp, sizeof(*stamp));
}

/* Those of acknowledged bytes are done once the error queue has no stamps any more. */
static void drop_done(struct sock *sk, struct cats_sock *cs)
{
	struct cats_txstamp *stamp, *next;

	list_for_each_entry_safe(stamp, next, &cs->txstamps, node) {
		if (!before(stamp->seq, tcp_sk(sk)->snd_una) || !cats_notices_only(sk))
			break;
		drop_first(sk, stamp);
	}
}

/**
 * cats_txstamp_purge() - forget all stamps
 * @sk: socket that is being destroyed, locked or known to nobody else
 * @cs: its CATS state
 *
 * Not before: what is in the error queue can be read after a disconnect.
 */
void cats_txstamp_purge(struct sock *sk, struct cats_sock *cs)
{
	struct cats_txstamp *stamp, *next;

	list_for_each_entry_safe(stamp, next, &cs->txstamps, node)
		drop_first(sk, stamp);
}

/**
 * cats_txstamp_mark() - the last byte of a message got its sequence number
 * @sk: socket
 * @cs: its CATS state
 * @m: message with a stamp
 * @skb: TCP's last skb, which has the byte
 *
 * As tcp_tx_timestamp().
 */
void cats_txstamp_mark(struct sock *sk, struct cats_sock *cs,
		       struct cats_txmsg *m, struct sk_buff *skb)
{
	struct skb_shared_info *shinfo = skb_shinfo(skb);
	struct cats_txstamp *stamp = m->stamp;

	cats_sock_held(sk);
	sock_tx_timestamp(sk, stamp->tsflags, &shinfo->tx_flags);
	if (stamp->tsflags & SOF_TIMESTAMPING_TX_ACK)
		TCP_SKB_CB(skb)->txstamp_ack = 1;
	stamp->seq = TCP_SKB_CB(skb)->end_seq - 1;
	shinfo->tskey = stamp->seq;
	drop_done(sk, cs);
	if (stamp->seq == stamp->key)
		return;
	list_add_tail(&stamp->node, &cs->txstamps);
	m->stamp = NULL;
}

/* Puts in the number that the application expects. */
static void rename(struct sock *sk, struct cats_sock *cs, struct sk_buff *skb)
{
	struct sock_extended_err *ee = &SKB_EXT_ERR(skb)->ee;
	u32 zero = atomic_read(&sk->sk_tskey);
	struct cats_txstamp *stamp;

	if (ee->ee_origin != SO_EE_ORIGIN_TIMESTAMPING ||
	    !(sk->sk_tsflags & SOF_TIMESTAMPING_OPT_ID))
		return;
	list_for_each_entry(stamp, &cs->txstamps, node) {
		if (stamp->seq - zero != ee->ee_data)
			continue;
		ee->ee_data = stamp->key - zero;
		break;
	}
}

/* As without CATS, but for the names of stamps. */
static int recv_error(struct sock *sk, struct cats_sock *cs, struct msghdr *msg,
		      size_t len, int flags, int *addr_len)
{
	unsigned long irqflags;
	struct sk_buff *skb;

	/* The head stays the head: only readers take it, and we have the lock. */
	spin_lock_irqsave(&sk->sk_error_queue.lock, irqflags);
	skb = skb_peek(&sk->sk_error_queue);
	if (skb)
		rename(sk, cs, skb);
	spin_unlock_irqrestore(&sk->sk_error_queue.lock, irqflags);
	/* Into an empty queue another one may have come, with the wrong name. */
	return skb ? cs->base->recvmsg(sk, msg, len, flags, addr_len) : -EAGAIN;
}

/**
 * cats_recvmsg() - proto.recvmsg
 * @sk: socket
 * @msg: where the data goes
 * @len: room there, bytes
 * @flags: of the call
 * @addr_len: as in tcp_recvmsg()
 *
 * Return: as tcp_recvmsg().
 */
int cats_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags,
		 int *addr_len)
{
	struct cats_sock *cs = cats_sk(sk);
	int ret = 0;

	if (!(flags & MSG_ERRQUEUE))
		return cs->base->recvmsg(sk, msg, len, flags, addr_len);
	lock_sock(sk);
	if (!cats_notice_recv(sk, msg))
		ret = recv_error(sk, cs, msg, len, flags, addr_len);
	drop_done(sk, cs);
	release_sock(sk);
	return ret;
}
