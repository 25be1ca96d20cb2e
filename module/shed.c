// SPDX-License-Identifier: GPL-2.0
/*
 * Shedding: what to do when too much is queued, by the rules of CATS_ADMIT.
 *
 *	refuse	a write gets ENOBUFS		from a threshold of bytes on
 *	drop	a new message is dropped	likewise
 *	shed	the oldest of the least		as long as what is queued takes longer
 *		urgent are dropped		than a time, at the present rate
 *
 * Only whole messages that were tagged are dropped: of untagged bytes the application
 * was told that they are sent.  One of several calls counts when it is complete.
 */
#include <linux/inet_diag.h>

#include "cats_sock.h"
#include "trace.h"

/**
 * cats_rate() - estimated bandwidth of the path, bytes/s
 * @sk: socket
 *
 * What BBR has measured, or the pacing rate: of others that is not an estimate of the
 * bandwidth, but it is twice cwnd per RTT at most.
 *
 * Return: the rate, 0 if there is none yet.
 */
u64 cats_rate(const struct sock *sk)
{
	const struct tcp_congestion_ops *ca = inet_csk(sk)->icsk_ca_ops;
	unsigned long pacing = READ_ONCE(sk->sk_pacing_rate);
	union tcp_cc_info info;
	int attr = 0;

	if (ca->get_info &&
	    ca->get_info((struct sock *)sk, BIT(INET_DIAG_BBRINFO - 1), &attr, &info) &&
	    attr == INET_DIAG_BBRINFO)
		return (u64)info.bbr.bbr_bw_hi << 32 | info.bbr.bbr_bw_lo;
	return pacing == ~0UL ? 0 : pacing;
}

/* Are @bytes so much that the rules which have the threshold apply? */
static bool over_threshold(const struct cats_sock *cs, u64 bytes, u8 rule,
			   unsigned int urgency)
{
	return rule & BIT(urgency) && bytes >= cs->admit.threshold;
}

/**
 * cats_admit_refuses() - is a write refused?  If so it is counted.
 * @cs: CATS socket
 * @urgency: class
 */
bool cats_admit_refuses(struct cats_sock *cs, unsigned int urgency)
{
	cats_sock_held(cs->sk);
	if (!over_threshold(cs, cats_queued_bytes(cs), cs->admit.refuse, urgency))
		return false;
	cs->drops[urgency].refused++;
	return true;
}

/**
 * cats_admit_drops() - is a message of one tagged call dropped?
 * @sk: socket
 * @cs: its CATS state
 * @urgency: class
 * @len: its bytes.  One that could never be sent is not: the application must know.
 */
bool cats_admit_drops(const struct sock *sk, const struct cats_sock *cs,
		      unsigned int urgency, size_t len)
{
	return over_threshold(cs, cats_queued_bytes(cs), cs->admit.drop, urgency) &&
	       cats_can_ever_fit(sk, urgency, cats_txmsg_truesize(len));
}

/**
 * cats_drop_unqueued() - a message of one call is dropped instead of queued
 * @sk: socket
 * @cs: its CATS state
 * @tag: of the call
 * @len: its bytes
 */
void cats_drop_unqueued(struct sock *sk, struct cats_sock *cs, const struct cats_tag *tag,
			u32 len)
{
	cs->dropped_bytes += len;
	cs->drops[tag->urgency].shed++;
	cats_count(cs->mib, CATS_MIB_SHED);
	trace_cats_shed_write(sk, tag, len);
	cats_notify_unqueued(sk, cs, tag, len, CATS_EVENT_SHED);
}

/**
 * cats_drop_whole() - drop a message that was built, if the rules want that
 * @sk: socket
 * @cs: its CATS state
 * @m: message that is complete, and not queued
 *
 * Return: whether it is gone.
 */
bool cats_drop_whole(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m)
{
	unsigned int urgency = m->msg.urgency;

	cats_sock_held(sk);
	if (!m->whole || !over_threshold(cs, cats_queued_bytes(cs) - m->msg.len,
					 cs->admit.drop, urgency))
		return false;
	WRITE_ONCE(cs->held_bytes, cs->held_bytes - m->msg.len);
	m->was_queued = true;
	cats_drop_unqueued(sk, cs, &m->tag, m->msg.len);
	cats_txmsg_put(sk, cs, m);
	cats_wake_writers(sk, cs);
	return true;
}

static bool takes_too_long(const struct sock *sk, const struct cats_sock *cs)
{
	u64 rate = cats_rate(sk);

	return rate && div64_u64(cs->conductor.queued_bytes * USEC_PER_SEC, rate) >
		       cs->admit.max_delay_us;
}

/* The oldest of a class, unless it must be sent; NULL if there is none. */
static struct cats_txmsg *oldest(const struct cats_sock *cs, unsigned int urgency)
{
	const struct cats_class *class = &cs->conductor.classes[urgency];
	struct cats_msg *m;

	list_for_each_entry(m, &class->queue, node) {
		/* At most one has begun. */
		if (m == cs->conductor.current_msg)
			continue;
		return to_txmsg(m)->whole ? to_txmsg(m) : NULL;
	}
	return NULL;
}

static struct cats_txmsg *next_to_shed(const struct cats_sock *cs)
{
	struct cats_txmsg *m;
	int urgency;

	for (urgency = CATS_URGENCY_MAX; urgency >= 0; urgency--) {
		if (!(cs->admit.shed & BIT(urgency)))
			continue;
		m = oldest(cs, urgency);
		if (m)
			return m;
	}
	return NULL;
}

/**
 * cats_shed() - drop what is too much, after a write
 * @sk: socket
 * @cs: its CATS state
 */
void cats_shed(struct sock *sk, struct cats_sock *cs)
{
	struct cats_txmsg *m;
	bool any = false;

	cats_sock_held(sk);
	if (!cs->admit.max_delay_us)
		return;
	while (takes_too_long(sk, cs) && (m = next_to_shed(cs))) {
		cats_conductor_remove(&cs->conductor, &m->msg, ktime_get_ns());
		cats_drop(sk, cs, m, CATS_EVENT_SHED);
		any = true;
	}
	if (any)
		cats_wake_writers(sk, cs);
}
