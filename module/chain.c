// SPDX-License-Identifier: GPL-2.0
/*
 * Messages longer than one call.
 *
 * A call with MSG_MORE leaves its message unfinished, and the next call of the same
 * class continues it; sendfile() and splice() are such chains of pages.  What of it
 * may be sent before its end depends on who writes it:
 *
 *	all calls tagged	nothing: the message is *whole*, and holds up nobody
 *	else			TCP's rules: it begins when nothing else waits, or
 *				when its writer waits for room; only full segments;
 *				and it ends by itself when nobody continues it for
 *				the 200 ms that tcp(7) gives as TCP_CORK's ceiling
 *
 * Until it begins the Conductor does not have it: it could not be the next anyway.
 */
#include "cats_sock.h"

#define CHAIN_CEILING	(HZ / 5)

/* The chain of a class has changed. */
static void note_whole(struct cats_sock *cs, unsigned int urgency)
{
	const struct cats_txmsg *m = cs->chains[urgency];
	u8 bit = BIT(urgency);

	WRITE_ONCE(cs->whole_chains, m && m->whole ? cs->whole_chains | bit :
						     cs->whole_chains & ~bit);
}

static void set_chain(struct cats_sock *cs, unsigned int urgency, struct cats_txmsg *m)
{
	cs->chains[urgency] = m;
	note_whole(cs, urgency);
}

/**
 * cats_chain_join() - the message that a call continues
 * @cs: CATS socket
 * @urgency: class of the call
 * @whole: the call is tagged.  It does not continue a message that may begin
 *	already, because it must be accepted whole: there the message before ends.
 *
 * Return: the message, the caller is its writer now; NULL if a new one begins.
 */
struct cats_txmsg *cats_chain_join(struct cats_sock *cs, unsigned int urgency,
				   bool whole)
{
	struct cats_txmsg *m = cs->chains[urgency];

	cats_sock_held(cs->sk);
	if (!m || m->has_writer)
		return NULL;
	if (whole && !m->whole) {
		cats_chain_end(cs->sk, cs, m);
		return NULL;
	}
	m->has_writer = true;
	m->whole = whole;
	note_whole(cs, urgency);
	return m;
}

/**
 * cats_chain_queue() - let the Conductor have a message
 * @cs: CATS socket
 * @m: message with at least one byte, not queued before
 * @open: more bytes are to come
 */
void cats_chain_queue(struct cats_sock *cs, struct cats_txmsg *m, bool open)
{
	cats_sock_held(cs->sk);
	WRITE_ONCE(cs->held_bytes, cs->held_bytes - m->msg.len);
	m->was_queued = true;
	m->msg.open = open;
	cats_enqueue(cs->sk, cs, m);
}

static bool has_followers(const struct cats_sock *cs, const struct cats_txmsg *m)
{
	return m->was_queued &&
	       !list_is_last(&m->msg.node, &cs->conductor.classes[m->msg.urgency].queue);
}

/**
 * cats_chain_leave() - a call ends, its message does not
 * @sk: socket
 * @cs: its CATS state
 * @m: message, its writer is gone
 */
void cats_chain_leave(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m)
{
	unsigned int urgency = m->msg.urgency;

	cats_sock_held(sk);
	/*
	 * Another thread has left one of this class meanwhile; or has queued one: what it
	 * writes next must not get in front of that.
	 */
	if ((cs->chains[urgency] && cs->chains[urgency] != m) || has_followers(cs, m)) {
		cats_chain_end(sk, cs, m);
		return;
	}
	set_chain(cs, urgency, m);
	m->touched = jiffies;
	if (!m->whole)
		cats_timer_by(sk, cs, jiffies + CHAIN_CEILING);
}

/**
 * cats_chain_end() - a message is complete
 * @sk: socket
 * @cs: its CATS state
 * @m: message that is not gone; it may be afterwards
 */
void cats_chain_end(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m)
{
	struct cats_conductor *c = &cs->conductor;

	cats_sock_held(sk);
	if (cs->chains[m->msg.urgency] == m)
		set_chain(cs, m->msg.urgency, NULL);
	if (!m->was_queued) {
		if (!cats_drop_whole(sk, cs, m))
			cats_chain_queue(cs, m, false);
	} else if (cats_conductor_close_msg(c, &m->msg, ktime_get_ns())) {
		cats_append_done(sk, cs, m);
		cats_sent_whole(sk, cs, m);
	}
}

/**
 * cats_chain_end_all() - nothing can be added to any message any more
 * @sk: socket
 * @cs: its CATS state
 */
void cats_chain_end_all(struct sock *sk, struct cats_sock *cs)
{
	unsigned int i;

	for (i = 0; i < CATS_NR_URGENCIES; i++)
		if (cs->chains[i])
			cats_chain_end(sk, cs, cs->chains[i]);
}

/**
 * cats_chain_drop_all() - drop what the Conductor does not have
 * @sk: socket
 * @cs: its CATS state
 *
 * A writer who sleeps over such a message finds it gone.
 */
void cats_chain_drop_all(struct sock *sk, struct cats_sock *cs)
{
	struct cats_txmsg *m;
	unsigned int i;

	cats_sock_held(sk);
	for (i = 0; i < CATS_NR_URGENCIES; i++) {
		m = cs->chains[i];
		set_chain(cs, i, NULL);
		if (!m || m->was_queued)
			continue;
		WRITE_ONCE(cs->held_bytes, cs->held_bytes - m->msg.len);
		m->was_queued = true;
		cats_txmsg_put(sk, cs, m);
	}
}

/**
 * cats_chain_hold() - bytes at the end of a message that wait for more
 * @sk: socket
 * @m: message
 *
 * What does not fill a segment, as TCP does with MSG_MORE; an ACK or the ceiling
 * releases it.  Not while the writer waits for room: he would wait for ever.
 */
u32 cats_chain_hold(const struct sock *sk, const struct cats_txmsg *m)
{
	if (m->has_writer || (m->was_queued && !m->msg.open))
		return 0;
	return min(cats_txmsg_left(m),
		   (cats_unsent(sk) + cats_txmsg_left(m)) % tcp_sk(sk)->mss_cache);
}

/**
 * cats_chain_begin() - begin an unfinished message, because nothing else waits
 * @sk: socket
 * @cs: its CATS state
 * @flush: hold nothing back
 *
 * Return: whether the Conductor has one now.
 */
bool cats_chain_begin(struct sock *sk, struct cats_sock *cs, bool flush)
{
	struct cats_txmsg *m;
	unsigned int i;

	cats_sock_held(sk);
	for (i = 0; i < CATS_NR_URGENCIES; i++) {
		m = cs->chains[i];
		if (!m || m->whole || m->was_queued || m->has_writer ||
		    !cats_may_go(cs, i))
			continue;
		if (!flush && cats_chain_hold(sk, m) == m->msg.len)
			continue;
		cats_chain_queue(cs, m, true);
		return true;
	}
	return false;
}

/**
 * cats_chain_expire() - end the messages that nobody has continued for long
 * @sk: socket
 * @cs: its CATS state
 *
 * Called by the timer, which it sets again if there are younger ones.
 */
void cats_chain_expire(struct sock *sk, struct cats_sock *cs)
{
	unsigned long next = 0;
	unsigned int i;

	cats_sock_held(sk);
	for (i = 0; i < CATS_NR_URGENCIES; i++) {
		struct cats_txmsg *m = cs->chains[i];

		if (!m || m->whole || m->has_writer)
			continue;
		if (time_after_eq(jiffies, m->touched + CHAIN_CEILING))
			cats_chain_end(sk, cs, m);
		else if (!next || time_before(m->touched + CHAIN_CEILING, next))
			next = m->touched + CHAIN_CEILING;
	}
	if (next)
		cats_timer_by(sk, cs, next);
}
