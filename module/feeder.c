// SPDX-License-Identifier: GPL-2.0
/*
 * The Feeder: moves picked messages into TCP's write queue just in time.
 *
 *	sendmsg --------------------------> cats_feed() --------> push
 *	tcp_write_xmit() loop --+
 *	ACK, after its push ----+-> cats_write_space() -> feed_budget()
 *	                                                    | while unsent < burst:
 *	                                   Conductor: next -+-> append, commit
 *
 * TCP calls sk_write_space after every skb that it transmits, whoever asked for
 * the transmission (ACK, pacing timer, TSQ, a write), as long as SOCK_NOSPACE
 * is set: tcp_event_new_data_sent() -> tcp_check_space().  Topping up there
 * keeps one TSO burst committed: less, and TCP would run dry or send runts;
 * more, and an urgent message would wait behind it.
 *
 * While the Conductor holds data there is an unsent skb in TCP (unless memory
 * ran out): the pacing timer, TSQ and zero-window probes look for one, and a
 * flow without one counts as application-limited for BBR.
 */
#include "cats_sock.h"
#include "trace.h"

/* Between attempts to find memory when no ACK will call us; about a min RTO. */
#define RETRY_DELAY	(HZ / 5)

/**
 * cats_burst() - bytes of one TSO burst at the present rate: the budget
 * @sk: socket
 *
 * As tcp_tso_segs() and tcp_tso_autosize(): what TCP would put into one skb,
 * about 1 ms at the pacing rate plus an allowance for short RTTs, at least the
 * congestion control's minimum of segments.
 */
u32 cats_burst(const struct sock *sk)
{
	const struct tcp_congestion_ops *ca = inet_csk(sk)->icsk_ca_ops;
	const struct tcp_sock *tp = tcp_sk(sk);
	const struct netns_ipv4 *net = &sock_net(sk)->ipv4;
	unsigned long bytes;
	u32 r, segs, mss = tp->mss_cache;

	bytes = READ_ONCE(sk->sk_pacing_rate) >> READ_ONCE(sk->sk_pacing_shift);
	r = tcp_min_rtt(tp) >> READ_ONCE(net->sysctl_tcp_tso_rtt_log);
	if (r < BITS_PER_TYPE(sk->sk_gso_max_size))
		bytes += sk->sk_gso_max_size >> r;
	bytes = min_t(unsigned long, bytes, sk->sk_gso_max_size);
	segs = ca->min_tso_segs ? ca->min_tso_segs((struct sock *)sk) :
				  READ_ONCE(net->sysctl_tcp_min_tso_segs);
	segs = min_t(u32, max_t(u32, bytes / mss, segs), sk->sk_gso_max_segs);
	return max(segs, 1U) * mss;
}

/**
 * cats_can_send() - would TCP transmit data in this state?
 * @sk: socket, need not be locked
 *
 * The server side of TCP Fast Open sends before the handshake is complete.
 */
bool cats_can_send(const struct sock *sk)
{
	int state = inet_sk_state_load(sk);

	if (state == TCP_SYN_RECV)
		return rcu_access_pointer(tcp_sk(sk)->fastopen_rsk);
	return (1 << state) & (TCPF_ESTABLISHED | TCPF_CLOSE_WAIT);
}

/**
 * cats_sent_whole() - the Conductor does not have a message any more, all was committed
 * @sk: socket
 * @cs: its CATS state
 * @m: message
 */
void cats_sent_whole(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m)
{
	cats_count(cs->mib, CATS_MIB_SENT_MSGS);
	cats_count_down(cs->mib, CATS_MIB_CURR_MSGS);
	cats_notice_watch(sk, cs, m);
	cats_txmsg_put(sk, cs, m);
}

/**
 * cats_committed() - bytes of a message have got sequence numbers
 * @sk: socket
 * @cs: its CATS state
 * @m: what the Conductor has picked
 * @bytes: how many; they are the last in TCP's write queue
 *
 * Return: true if the message is complete; it is no longer queued then.
 */
bool cats_committed(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m, u32 bytes)
{
	bool begins = !m->msg.committed, complete;
	u64 now = ktime_get_ns();

	if (begins)
		cats_note_begin(sk, cs, m);
	complete = cats_conductor_commit(&cs->conductor, &m->msg, bytes, now);
	if (begins)
		cats_notice_begun(sk, cs, m, bytes, now);
	cats_note_commit(sk, cs, m, bytes);
	return complete;
}

/* Appends up to @limit bytes of @m; returns how many, or a negative errno. */
static int feed_msg(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m,
		    u32 limit, u32 size_goal, gfp_t gfp)
{
	int n = cats_append(sk, cs, m, limit, size_goal, gfp);

	if (n < 0)
		return n;
	if (cats_committed(sk, cs, m, n)) {
		cats_append_done(sk, cs, m);
		cats_sent_whole(sk, cs, m);
	}
	return n;
}

/*
 * The message to feed, and how much of it, at least 1 byte; NULL if there is none.
 * An unfinished one keeps back what fills no segment unless @flush is set.
 */
static struct cats_txmsg *next_to_feed(struct sock *sk, struct cats_sock *cs,
				       bool flush, u32 *bytes)
{
	struct cats_conductor *c = &cs->conductor;
	struct cats_msg *m;

	if (cats_expire(sk, cs))
		cats_wake_writers(sk, cs);
	m = cats_conductor_next(c);
	if (!m && cats_conductor_empty(c) && cats_chain_begin(sk, cs, flush))
		m = cats_conductor_next(c);
	if (!m || !cats_may_go(cs, m->urgency))
		return NULL;
	*bytes = cats_txmsg_left(to_txmsg(m));
	if (m->open && !flush)
		*bytes -= cats_chain_hold(sk, to_txmsg(m));
	return *bytes ? to_txmsg(m) : NULL;
}

/*
 * @flush: TCP would send what fills no segment although more is to come.
 * Returns whether anything was appended.
 */
static bool feed_budget(struct sock *sk, struct cats_sock *cs, bool flush, gfp_t gfp)
{
	u32 burst = cats_burst(sk), bytes;
	struct cats_txmsg *m;
	bool fed = false;

	if (!cats_can_send(sk))
		return false;
	cs->seen_snd_nxt = tcp_sk(sk)->snd_nxt;
	while (cats_unsent(sk) < burst) {
		m = next_to_feed(sk, cs, flush, &bytes);
		if (!m)
			break;
		cs->last_urgency = m->msg.urgency;
		bytes = min(bytes, burst - cats_unsent(sk));
		if (feed_msg(sk, cs, m, bytes, burst, gfp) < 0) {
			cs->alloc_failures++;
			cats_count(cs->mib, CATS_MIB_FEED_NO_MEMORY);
			break;
		}
		fed = true;
	}
	if (!fed)
		return false;
	cs->budget_max = max(cs->budget_max, burst);
	cs->committed_max = max(cs->committed_max, cats_unsent(sk));
	return true;
}

/**
 * cats_timer_by() - have cats_timer() run by some time
 * @sk: socket
 * @cs: its CATS state
 * @when: jiffies; if the timer is set to an earlier time it stays there
 */
void cats_timer_by(struct sock *sk, struct cats_sock *cs, unsigned long when)
{
	if (!timer_pending(&cs->timer) || time_before(when, cs->timer.expires))
		sk_reset_timer(sk, &cs->timer, when);
}

/*
 * Without a segment in flight no ACK will call us, and without an unsent skb
 * no timer of TCP will.  (What is held has a timer of its own, a batch has not.)
 */
static void retry_later_if_stuck(struct sock *sk, struct cats_sock *cs)
{
	if (cats_conductor_empty(&cs->conductor) ||
	    cats_conductor_stalled(&cs->conductor) || READ_ONCE(cs->holding) ||
	    cats_unsent(sk) || tcp_sk(sk)->packets_out || !cats_can_send(sk))
		return;
	cats_timer_by(sk, cs, jiffies + RETRY_DELAY);
}

/*
 * Transmit what was appended.  tcp_push() is not exported, but a deferred TSQ
 * run is what release_sock() looks for; in softirq, where nobody owns the
 * socket, its callback may be called at once.  A TSQ run ignores that a closed
 * window needs a probe, which tcp_push() would arm; a transmission replaces
 * that timer by its own.
 */
static void push(struct sock *sk, struct cats_sock *cs)
{
	if (cs->pushing)
		return;
	tcp_check_probe_timer(sk);
	if (!test_and_set_bit(TCP_TSQ_DEFERRED, &sk->sk_tsq_flags))
		sock_hold(sk);
	if (sock_owned_by_user(sk))
		return;
	cs->pushing = true;
	cs->base->release_cb(sk);
	cs->pushing = false;
}

/*
 * Small writes in quick succession share a segment: while the driver still has
 * packets of ours, its completion will transmit, as in tcp_should_autocork() and
 * tcp_push().
 */
static bool autocork(struct sock *sk, u32 size_goal)
{
	const struct sk_buff *skb = tcp_write_queue_tail(sk);

	if (!skb || skb->len >= size_goal || !tcp_skb_can_collapse_to(skb) ||
	    tcp_rtx_queue_empty(sk) ||
	    !READ_ONCE(sock_net(sk)->ipv4.sysctl_tcp_autocorking) ||
	    refcount_read(&sk->sk_wmem_alloc) <= skb->truesize)
		return false;
	if (!test_bit(TSQ_THROTTLED, &sk->sk_tsq_flags)) {
		NET_INC_STATS(sock_net(sk), LINUX_MIB_TCPAUTOCORKING);
		set_bit(TSQ_THROTTLED, &sk->sk_tsq_flags);
		/* The completion, tcp_wfree(), may have come before the bit. */
		smp_mb__after_atomic();
	}
	return refcount_read(&sk->sk_wmem_alloc) > skb->truesize;
}

/* Where nobody may sleep. */
static void feed_now(struct sock *sk, struct cats_sock *cs, bool flush)
{
	if (feed_budget(sk, cs, flush, GFP_ATOMIC | __GFP_NOWARN))
		push(sk, cs);
	else
		retry_later_if_stuck(sk, cs);
	cats_arm_hook(sk, cs);
}

static void feed(struct sock *sk, struct cats_sock *cs, bool flush)
{
	cats_sock_held(sk);
	if (!feed_budget(sk, cs, flush, sk->sk_allocation | __GFP_NOWARN))
		retry_later_if_stuck(sk, cs);
	else if (cs->last_urgency < CATS_URGENCY_DEFAULT ||
		 !autocork(sk, cats_burst(sk)))
		push(sk, cs);
	cats_arm_hook(sk, cs);
}

/**
 * cats_feed() - feed TCP after a write, and transmit
 * @sk: socket, owned by the caller, who may sleep if sk_allocation says so;
 *	transmits when the caller releases it
 * @cs: its CATS state
 */
void cats_feed(struct sock *sk, struct cats_sock *cs)
{
	feed(sk, cs, false);
}

/**
 * cats_feed_all() - likewise, with what of a message waits for more
 * @sk: as in cats_feed()
 * @cs: likewise
 */
void cats_feed_all(struct sock *sk, struct cats_sock *cs)
{
	cats_flight_end(sk, cs);
	feed(sk, cs, true);
}

/**
 * cats_feed_atomic() - feed TCP in softirq, or as the owner lets go, and transmit
 * @sk: socket, its spinlock held
 * @cs: its CATS state
 */
void cats_feed_atomic(struct sock *sk, struct cats_sock *cs)
{
	cats_sock_held(sk);
	feed_now(sk, cs, false);
}

/**
 * cats_write_space() - sk_write_space: TCP has transmitted, or has got an ACK
 * @sk: socket, locked; any context
 *
 * Called from two places that differ.  Inside the loop of tcp_write_xmit() what
 * we append is sent by that loop.  On the ACK path, after its own transmissions,
 * and from setsockopt(SO_SNDBUF), nobody sends it but us.  In the loop snd_nxt has
 * moved since the Feeder last looked.  (After a probe of a closed window or for a
 * lost tail, too, but then a segment is in flight, and its ACK sends the rest.)
 */
void cats_write_space(struct sock *sk)
{
	struct cats_sock *cs = cats_sk(sk);
	bool in_loop = cs->seen_snd_nxt != tcp_sk(sk)->snd_nxt;

	cats_sock_held(sk);
	cats_notice_progress(sk, cs);
	cs->seen_snd_nxt = tcp_sk(sk)->snd_nxt;
	if (feed_budget(sk, cs, !in_loop, GFP_ATOMIC | __GFP_NOWARN)) {
		if (!in_loop)
			push(sk, cs);
	} else {
		retry_later_if_stuck(sk, cs);
	}
	cats_wake_writers(sk, cs);
	cats_arm_hook(sk, cs);
}

/**
 * cats_timer() - feed again after memory ran out; end lifetimes, and messages and batches
 *	that were left alone
 * @t: cats_sock.timer; it holds a reference to the socket
 */
void cats_timer(struct timer_list *t)
{
	struct cats_sock *cs = from_timer(cs, t, timer);
	struct sock *sk = cs->sk;

	bh_lock_sock(sk);
	/* Closed meanwhile: @cs is alive for this softirq, but not in use. */
	if (sk->sk_write_space != cats_write_space)
		goto out;
	if (sock_owned_by_user(sk)) {
		sk_reset_timer(sk, &cs->timer, jiffies + 1);
		goto out;
	}
	cats_chain_expire(sk, cs);
	if (cats_expire(sk, cs))
		cats_wake_writers(sk, cs);
	cats_batch_over(sk, cs);
	feed_now(sk, cs, true);
	cats_expire_later(sk, cs);
out:
	bh_unlock_sock(sk);
	sock_put(sk);
}

static gfp_t nofail_gfp(const struct sock *sk)
{
	if (gfpflags_allow_blocking(sk->sk_allocation))
		return sk->sk_allocation | __GFP_NOFAIL;
	return GFP_KERNEL | __GFP_NOFAIL;
}

static u32 largest_skb(const struct sock *sk)
{
	u32 mss = tcp_sk(sk)->mss_cache;

	return max(sk->sk_gso_max_size / mss, 1U) * mss;
}

/* The message to drain next; a writer who is still at work comes too late. */
static struct cats_txmsg *next_to_drain(struct sock *sk, struct cats_sock *cs)
{
	struct cats_conductor *c = &cs->conductor;
	struct cats_msg *m;

	cats_expire(sk, cs);
	while (cats_conductor_stalled(c)) {
		m = c->current_msg;
		if (cats_conductor_close_msg(c, m, ktime_get_ns()))
			cats_sent_whole(sk, cs, to_txmsg(m));
	}
	m = cats_conductor_next(c);
	return m ? to_txmsg(m) : NULL;
}

static void note_drain(const struct sock *sk, const struct cats_sock *cs)
{
	if (cats_conductor_empty(&cs->conductor))
		return;
	cats_count(cs->mib, CATS_MIB_DRAINS);
	trace_cats_drain(sk, cs);
}

/**
 * cats_drain() - move all that is queued into TCP, in the Conductor's order
 * @sk: socket, owned by the caller, who may sleep
 * @cs: its CATS state
 *
 * Before a FIN: nothing may be queued behind it.  Cannot fail, as bytes that
 * write() accepted must not be lost; what is drained was charged already.
 * Does nothing in states in which TCP would not send either.
 */
void cats_drain(struct sock *sk, struct cats_sock *cs)
{
	u32 size_goal = largest_skb(sk);
	struct cats_txmsg *m;
	bool fed = false;

	cats_sock_held(sk);
	if (!cats_can_send(sk))
		return;
	cats_chain_end_all(sk, cs);
	note_drain(sk, cs);
	while ((m = next_to_drain(sk, cs))) {
		feed_msg(sk, cs, m, cats_txmsg_left(m), size_goal,
			 nofail_gfp(sk));
		fed = true;
	}
	if (fed)
		cats_skip_nagle(sk);
}
