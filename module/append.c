// SPDX-License-Identifier: GPL-2.0
/*
 * Append: bytes of a message get sequence numbers and join TCP's write queue.
 *
 * The fragments of the message become fragments of the last unsent skb, or of a
 * new one; nothing is copied.  Nothing is transmitted either: that makes it safe
 * to call from inside tcp_write_xmit().  Documentation/feeder.rst compares this
 * with handing pages to TCP's own sendpage.
 *
 * What has no exported counterpart mirrors, field by field:
 *	new_skb()		tcp_stream_alloc_skb()
 *	entail()		tcp_skb_entail(), tcp_chrono_start()
 *	restart_after_idle()	tcp_slow_start_after_idle_check(),
 *				tcp_cwnd_restart(), tcp_init_cwnd()
 *	append_frag()		tcp_build_frag()
 * all of net/ipv4/tcp*.c in Linux 6.1.
 */
#include "cats_sock.h"

/*
 * An application that paused longer than the RTO must not burst its old window
 * into a path that may have changed (RFC 5681, section 4.1).  Congestion
 * controls that pace by themselves, as BBR does, opt out.
 */
static void restart_after_idle(struct sock *sk)
{
	const struct dst_entry *dst = __sk_dst_get(sk);
	s32 rto = inet_csk(sk)->icsk_rto;
	struct tcp_sock *tp = tcp_sk(sk);
	s32 delta = tcp_jiffies32 - tp->lsndtime;
	u32 cwnd = tcp_snd_cwnd(tp), restart;

	if (!READ_ONCE(sock_net(sk)->ipv4.sysctl_tcp_slow_start_after_idle) ||
	    tp->packets_out || inet_csk(sk)->icsk_ca_ops->cong_control ||
	    delta <= rto)
		return;
	tcp_ca_event(sk, CA_EVENT_CWND_RESTART);
	tp->snd_ssthresh = tcp_current_ssthresh(sk);
	restart = (dst ? dst_metric(dst, RTAX_INITCWND) : 0) ?: TCP_INIT_CWND;
	restart = min3(restart, tp->snd_cwnd_clamp, cwnd);
	while ((delta -= rto) > 0 && cwnd > restart)
		cwnd >>= 1;
	tcp_snd_cwnd_set(tp, max(cwnd, restart));
	tp->snd_cwnd_stamp = tcp_jiffies32;
	tp->snd_cwnd_used = 0;
}

/*
 * The accounting may not fail where the allocation may not (draining), nor with
 * TCP's queues empty: over tcp_mem or the memcg's limit, what TCP forces through
 * then is all the progress there is.  sk_forced_mem_schedule() is not exported:
 * forward_alloc goes below zero by the skb, and the next charge makes up for it.
 */
static struct sk_buff *new_skb(struct sock *sk, gfp_t gfp)
{
	struct sk_buff *skb = alloc_skb_fclone(MAX_TCP_HEADER, gfp);
	bool force = gfp & __GFP_NOFAIL || tcp_rtx_and_write_queues_empty(sk);

	if (!skb)
		return NULL;
	skb->truesize = SKB_TRUESIZE(skb_end_offset(skb));
	if (!sk_wmem_schedule(sk, skb->truesize) && !force) {
		__kfree_skb(skb);
		return NULL;
	}
	skb_reserve(skb, MAX_TCP_HEADER);
	skb->ip_summed = CHECKSUM_PARTIAL;
	INIT_LIST_HEAD(&skb->tcp_tsorted_anchor);
	return skb;
}

static void entail(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_skb_cb *tcb = TCP_SKB_CB(skb);
	bool first = tcp_write_queue_empty(sk);
	struct tcp_sock *tp = tcp_sk(sk);

	tcb->seq = tp->write_seq;
	tcb->end_seq = tp->write_seq;
	tcb->tcp_flags = TCPHDR_ACK;
	__skb_header_release(skb);
	__skb_queue_tail(&sk->sk_write_queue, skb);
	if (tp->chrono_type == TCP_CHRONO_UNSPEC) {
		tp->chrono_start = tcp_jiffies32;
		tp->chrono_type = TCP_CHRONO_BUSY;
	}
	sk_wmem_queued_add(sk, skb->truesize);
	sk_mem_charge(sk, skb->truesize);
	tp->nonagle &= ~TCP_NAGLE_PUSH;
	if (first)
		restart_after_idle(sk);
}

/*
 * One skb has the pages of one MSG_ZEROCOPY call, or of none.  TCP's own skbs of such
 * pages only are not charged, so nothing that is may be added.
 */
static bool can_extend(struct sk_buff *skb, u32 size_goal,
		       const struct cats_chunk *chunk)
{
	return skb && skb->len < size_goal && tcp_skb_can_collapse_to(skb) &&
	       skb_zcopy(skb) == chunk->uarg && !skb_zcopy_pure(skb);
}

/* Returns false if @skb has no place for a fragment that does not coalesce. */
static bool add_frag(struct sk_buff *skb, const struct cats_frag *frag, u32 bytes)
{
	int i = skb_shinfo(skb)->nr_frags;

	if (skb_can_coalesce(skb, i, frag->page, frag->offset)) {
		skb_frag_size_add(&skb_shinfo(skb)->frags[i - 1], bytes);
		return true;
	}
	if (i >= READ_ONCE(sysctl_max_skb_frags))
		return false;
	get_page(frag->page);
	skb_fill_page_desc(skb, i, frag->page, frag->offset, bytes);
	return true;
}

/* As tcp_build_frag() and skb_zerocopy_iter_stream(). */
static void set_kind(struct sk_buff *skb, const struct cats_chunk *chunk)
{
	if (chunk->shared)
		skb_shinfo(skb)->flags |= SKBFL_SHARED_FRAG;
	skb_zcopy_set(skb, chunk->uarg, NULL);
}

/* The memory of the bytes is charged already; now it is the skb's. */
static void account(struct sock *sk, struct sk_buff *skb, u32 bytes)
{
	struct tcp_sock *tp = tcp_sk(sk);

	skb->len += bytes;
	skb->data_len += bytes;
	skb->truesize += bytes;
	sk_wmem_queued_add(sk, bytes);
	TCP_SKB_CB(skb)->tcp_flags &= ~TCPHDR_PSH;
	TCP_SKB_CB(skb)->end_seq += bytes;
	WRITE_ONCE(tp->write_seq, tp->write_seq + bytes);
	/* tcp_write_xmit() counts the segments anew. */
	tcp_skb_pcount_set(skb, 0);
}

/**
 * cats_append() - append bytes of a message to TCP's write queue
 * @sk: socket in a state that may send
 * @cs: its CATS state
 * @m: message with uncommitted bytes
 * @limit: bytes at most, at least 1; never more than the message has
 * @size_goal: bytes of an skb, a multiple of the MSS
 * @gfp: for a new skb; __GFP_NOFAIL appends whatever the memory limits say
 *
 * Return: bytes appended, at least 1, or -ENOMEM.
 */
int cats_append(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m,
		u32 limit, u32 size_goal, gfp_t gfp)
{
	u32 left = min(limit, cats_txmsg_left(m));
	u32 appended = 0;

	cats_sock_held(sk);
	while (appended < left) {
		struct sk_buff *skb = tcp_write_queue_tail(sk);
		struct cats_frag *frag = cats_txmsg_first_frag(m);
		u32 bytes = min(left - appended, frag->len);

		if (can_extend(skb, size_goal, m->head)) {
			bytes = min(bytes, size_goal - skb->len);
		} else {
			skb = NULL;
			bytes = min(bytes, size_goal);
		}
		if (!skb || !add_frag(skb, frag, bytes)) {
			skb = new_skb(sk, gfp);
			if (!skb)
				return appended ?: -ENOMEM;
			entail(sk, skb);
			add_frag(skb, frag, bytes);
		}
		set_kind(skb, m->head);
		account(sk, skb, bytes);
		/* Who asks for room without the lock sees them twice, or once. */
		smp_wmb();
		cats_txmsg_consume(sk, cs, m, bytes);
		appended += bytes;
	}
	return appended;
}

/**
 * cats_skip_nagle() - the last bytes must not wait for an ACK to fill their segment
 * @sk: socket
 *
 * What setting TCP_NODELAY does for the data queued at that moment; TCP_CORK, which
 * the application asked for, stays.
 */
void cats_skip_nagle(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!(tp->nonagle & TCP_NAGLE_CORK))
		tp->nonagle |= TCP_NAGLE_PUSH;
}

/**
 * cats_append_done() - a message was appended to its end
 * @sk: socket
 * @cs: its CATS state
 * @m: message, complete
 *
 * Tells TCP what the application asked for at its last byte, as tcp_mark_push(),
 * tcp_mark_urg() and the end of tcp_sendmsg_locked() do: the receiver may deliver;
 * urgent data; end of record; time stamp.  Its last bytes may have been transmitted
 * already, if they came before the end of the call that wrote them.
 */
void cats_append_done(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m)
{
	struct sk_buff *skb = tcp_write_queue_tail(sk);
	struct tcp_sock *tp = tcp_sk(sk);

	cats_sock_held(sk);
	if (skb) {
		TCP_SKB_CB(skb)->tcp_flags |= TCPHDR_PSH;
		tp->pushed_seq = tp->write_seq;
		if (m->msg.urgency < CATS_URGENCY_DEFAULT &&
		    cats_conductor_empty(&cs->conductor))
			cats_skip_nagle(sk);
	}
	if (m->marks & CATS_MARK_URG)
		tp->snd_up = tp->write_seq;
	skb = skb ?: skb_rb_last(&sk->tcp_rtx_queue);
	if (!skb)
		return;
	if (m->marks & CATS_MARK_EOR)
		TCP_SKB_CB(skb)->eor = 1;
	if (m->stamp)
		cats_txstamp_mark(sk, cs, m, skb);
}
