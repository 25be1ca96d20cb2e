// SPDX-License-Identifier: GPL-2.0
/*
 * Messages that are not sent after all: their lifetime is over, they are cancelled, or
 * another one takes their place.  And messages that move to another class.
 *
 * Only what is queued, whole and not begun: a begun message is contiguous on the wire and
 * has to be sent to its end; an unfinished one still belongs to its writer; and of one
 * that an untagged call has continued, the application was told that its bytes are sent.
 */
#include "cats_sock.h"
#include "name.h"
#include "trace.h"

/* Of the socket, of its namespace, and for those who trace. */
static void note_drop(struct cats_sock *cs, const struct cats_txmsg *m, enum cats_event event)
{
	struct cats_drops *drops = &cs->drops[m->msg.urgency];

	switch (event) {
	case CATS_EVENT_EXPIRED:
		drops->expired++;
		cats_count(cs->mib, CATS_MIB_EXPIRED);
		trace_cats_expire(cs->sk, m);
		break;
	case CATS_EVENT_SHED:
		drops->shed++;
		cats_count(cs->mib, CATS_MIB_SHED);
		trace_cats_shed(cs->sk, m);
		break;
	case CATS_EVENT_REPLACED:
		drops->cancelled++;
		cats_count(cs->mib, CATS_MIB_REPLACED);
		trace_cats_replace(cs->sk, m);
		break;
	default:
		drops->cancelled++;
		cats_count(cs->mib, CATS_MIB_CANCELLED);
		trace_cats_cancel(cs->sk, m);
	}
	cats_count_down(cs->mib, CATS_MIB_CURR_MSGS);
}

/**
 * cats_drop() - a message is not sent
 * @sk: socket
 * @cs: its CATS state
 * @m: message, has just been taken out of the Conductor
 * @event: why
 */
void cats_drop(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m,
	       enum cats_event event)
{
	cats_sock_held(sk);
	cs->dropped_bytes += m->msg.len;
	note_drop(cs, m, event);
	cats_notify(sk, cs, m, event);
	cats_txmsg_put(sk, cs, m);
}

/**
 * cats_expire() - drop the messages whose lifetime is over
 * @sk: socket
 * @cs: its CATS state
 *
 * Return: whether there was one; then there is room for others.
 */
bool cats_expire(struct sock *sk, struct cats_sock *cs)
{
	struct cats_conductor *c = &cs->conductor;
	struct cats_msg *m;
	bool any = false;
	u64 now;

	if (likely(!cats_conductor_first_deadline(c)))
		return false;
	now = ktime_get_ns();
	while ((m = cats_conductor_remove_expired(c, now))) {
		cats_drop(sk, cs, to_txmsg(m), CATS_EVENT_EXPIRED);
		any = true;
	}
	return any;
}

/**
 * cats_expire_later() - have the timer look at the next lifetime that ends
 * @sk: socket
 * @cs: its CATS state
 *
 * The Feeder looks whenever it runs; where it does not, because the peer takes
 * nothing, memory should be given back and the application told in time.
 */
void cats_expire_later(struct sock *sk, struct cats_sock *cs)
{
	u64 deadline = cats_conductor_first_deadline(&cs->conductor);
	u64 now;

	if (likely(!deadline))
		return;
	now = ktime_get_ns();
	cats_timer_by(sk, cs, jiffies + 1 +
		      (deadline > now ? nsecs_to_jiffies(deadline - now) : 0));
}

static bool has_begun(const struct cats_txmsg *m)
{
	return m->msg.committed;
}

static bool may_change(const struct cats_txmsg *m)
{
	return m->whole && !list_empty(&m->msg.node);
}

/* Another message with the cookie, that can be replaced; NULL if there is none. */
static struct cats_txmsg *find_replaceable(struct cats_sock *cs, const struct cats_txmsg *m)
{
	struct rhlist_head *pos = cats_name_first(cs, m->tag.cookie);
	struct cats_name *name;

	cats_name_for_each(name, pos)
		if (name->m != m && may_change(name->m) && !has_begun(name->m))
			return name->m;
	return NULL;
}

/* What the Conductor sees of its stream, NULL if it has none. */
static struct cats_stream *stream_of(const struct cats_txmsg *m)
{
	return m->stream ? &m->stream->stream : NULL;
}

/* The first gives its place, if there are more they just go. */
static void replace(struct cats_sock *cs, struct cats_txmsg *m, u64 now)
{
	struct cats_conductor *c = &cs->conductor;
	struct cats_txmsg *old;

	rcu_read_lock();
	old = find_replaceable(cs, m);
	if (!old) {
		cats_conductor_enqueue(c, &m->msg, stream_of(m), now);
		goto out;
	}
	cats_conductor_replace(c, &old->msg, &m->msg, stream_of(m), now);
	cats_drop(cs->sk, cs, old, CATS_EVENT_REPLACED);
	while ((old = find_replaceable(cs, m))) {
		cats_conductor_remove(c, &old->msg, now);
		cats_drop(cs->sk, cs, old, CATS_EVENT_REPLACED);
	}
	cats_wake_writers(cs->sk, cs);
out:
	rcu_read_unlock();
}

/**
 * cats_enqueue() - let the Conductor have a message, as its tag says
 * @sk: socket
 * @cs: its CATS state
 * @m: message with at least one byte, not queued before; complete if it is whole
 */
void cats_enqueue(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m)
{
	u64 now = ktime_get_ns();

	cats_sock_held(sk);
	if (m->whole && m->tag.lifetime_us)
		m->msg.deadline_ns = now + (u64)m->tag.lifetime_us * NSEC_PER_USEC;
	if (m->whole && m->tag.flags & CATS_F_REPLACE)
		replace(cs, m, now);
	else
		cats_conductor_enqueue(&cs->conductor, &m->msg, stream_of(m), now);
	cats_count(cs->mib, CATS_MIB_MSGS);
	cats_count(cs->mib, CATS_MIB_CURR_MSGS);
	trace_cats_enqueue(sk, cs, m);
	cats_expire_later(sk, cs);
}

/* What CATS_CANCEL and CATS_REPRIORITIZE do with one message. */
static void change_one(struct cats_sock *cs, struct cats_change *change,
		       struct cats_txmsg *m, bool cancel)
{
	struct cats_conductor *c = &cs->conductor;
	u64 now = ktime_get_ns();
	unsigned int old_urgency;

	if (!may_change(m) || (change->stream && change->stream != m->tag.stream))
		return;
	if (has_begun(m)) {
		change->begun_msgs++;
		change->begun_bytes += m->msg.len;
		return;
	}
	change->msgs++;
	change->bytes += m->msg.len;
	if (cancel) {
		cats_conductor_remove(c, &m->msg, now);
		cats_drop(cs->sk, cs, m, CATS_EVENT_CANCELLED);
		return;
	}
	old_urgency = m->msg.urgency;
	cats_conductor_reprioritize(c, &m->msg, change->urgency, change->stream ?
				    change->flags & CATS_F_INCREMENTAL :
				    m->msg.incremental, now);
	cats_count(cs->mib, CATS_MIB_REPRIORITIZED);
	trace_cats_reprioritize(cs->sk, m, old_urgency);
}

static void change_by_cookie(struct cats_sock *cs, struct cats_change *change, bool cancel)
{
	struct rhlist_head *pos;
	struct cats_name *name;

	/* The entries stay readable when their messages go. */
	rcu_read_lock();
	pos = cats_name_first(cs, change->cookie);
	cats_name_for_each(name, pos)
		change_one(cs, change, name->m, cancel);
	rcu_read_unlock();
}

static void change_stream(struct cats_sock *cs, struct cats_change *change, bool cancel)
{
	struct cats_txstream *s = cats_stream_find(cs, change->stream);
	struct cats_msg *m, *next;

	if (!s)
		return;
	/* The stream goes with its last message; the head of the list is part of it. */
	s->users++;
	list_for_each_entry_safe(m, next, &s->stream.msgs, stream_node)
		change_one(cs, change, to_txmsg(m), cancel);
	cats_stream_put(cs->sk, cs, s);
}

/* Returns 0, or why not. */
static enum cats_reason check_change(const struct cats_change *change, bool cancel)
{
	u32 flags = cancel || !change->stream ? 0 : CATS_F_INCREMENTAL;

	if (!change->cookie && !change->stream)
		return CATS_REASON_CHANGE_WHAT;
	if (change->flags & ~flags)
		return CATS_REASON_CHANGE_FLAG;
	if (change->urgency > (cancel ? 0 : CATS_URGENCY_MAX))
		return cancel ? CATS_REASON_CANCEL_URGENCY : CATS_REASON_CHANGE_URGENCY;
	if (change->reserved)
		return CATS_REASON_CHANGE_RESERVED;
	return CATS_REASON_NONE;
}

/**
 * cats_change() - CATS_CANCEL and CATS_REPRIORITIZE
 * @sk: socket, owned by the caller
 * @cs: its CATS state
 * @change: what to change; the results are filled in
 * @cancel: which of the two
 *
 * Return: 0, or -EINVAL with the reason set and nothing changed.
 */
int cats_change(struct sock *sk, struct cats_sock *cs, struct cats_change *change,
		bool cancel)
{
	enum cats_reason why = check_change(change, cancel);

	cats_sock_held(sk);
	if (why)
		return cats_refuse(cs, why);
	cats_expire(sk, cs);
	change->msgs = 0;
	change->bytes = 0;
	change->begun_msgs = 0;
	change->begun_bytes = 0;
	if (change->cookie)
		change_by_cookie(cs, change, cancel);
	else
		change_stream(cs, change, cancel);
	cats_wake_writers(sk, cs);
	cats_feed(sk, cs);
	return 0;
}
