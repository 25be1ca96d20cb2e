// SPDX-License-Identifier: GPL-2.0
/*
 * The Conductor: queues, and the questions that the Feeder asks them.
 *
 *	enqueue --> stream --> class[urgency] --> next: policy picks a class --> commit
 *	            (FIFO)     (conductor_queue.c)      and it its next stream   (bytes)
 *
 * The Feeder commits a message piece by piece, as TCP makes room.  From its
 * first committed byte to its last one a message is @current_msg, and next()
 * returns nothing else: that is what makes it contiguous on the wire.
 *
 * A decision costs the same whatever is queued: a pick is a find-first-set over
 * @waiting, or a few counters per class, and the head of one list or the leftmost
 * node of one tree.  Messages with a deadline are put into trees as they come, and
 * taken out as they go, in time that grows with the logarithm of their number.
 */
#include <linux/bitops.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/string.h>

#include "conductor_queue.h"

struct cats_conductor_ops *const cats_conductors[CATS_NR_CONDUCTORS] = {
	&cats_bounded,
	&cats_strict,
	&cats_wfq,
	&cats_edf,
	&cats_debt,
	&cats_debt_paper,
	&cats_debt_refcode,
};

/**
 * cats_conductor_find() - look up a policy of this module
 * @name: its name
 *
 * Return: the policy, NULL if there is none of that name.
 */
const struct cats_conductor_ops *cats_conductor_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cats_conductors); i++)
		if (!strcmp(cats_conductors[i]->name, name))
			return cats_conductors[i];
	return NULL;
}

/**
 * cats_conductor_init() - make a Conductor ready, with nothing queued
 * @c: Conductor
 * @ops: policy
 */
void cats_conductor_init(struct cats_conductor *c,
			 const struct cats_conductor_ops *ops)
{
	unsigned int i;

	memset(c, 0, sizeof(*c));
	c->deadlines = RB_ROOT_CACHED;
	for (i = 0; i < CATS_NR_URGENCIES; i++)
		cats_class_init(&c->classes[i]);
	cats_conductor_set_ops(c, ops);
}

/**
 * cats_conductor_restart_gaps() - forget how long the classes have waited
 * @c: Conductor
 *
 * The policy or its parameters have changed: from now on another bound holds.  The time
 * that a class waits goes on, as nobody says what time it is.
 */
void cats_conductor_restart_gaps(struct cats_conductor *c)
{
	unsigned int i;

	for (i = 0; i < CATS_NR_URGENCIES; i++) {
		c->classes[i].waits_since = c->sent_bytes;
		c->classes[i].gap_bytes = 0;
		c->classes[i].gap_ns = 0;
	}
}

/**
 * cats_conductor_set_ops() - change the policy
 * @c: Conductor, may hold messages: they stay where they are
 * @ops: policy, starts from its initial state
 */
void cats_conductor_set_ops(struct cats_conductor *c,
			    const struct cats_conductor_ops *ops)
{
	memset(c->priv, 0, sizeof(c->priv));
	c->in_debt = 0;
	c->ops = ops;
	if (ops->init)
		ops->init(c);
	cats_conductor_restart_gaps(c);
}

static bool msg_before(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct cats_msg, by_deadline)->deadline_ns <
	       rb_entry(b, struct cats_msg, by_deadline)->deadline_ns;
}

/* It has no deadline any more: it has begun, or goes. */
static void forget_deadline(struct cats_conductor *c, struct cats_msg *m)
{
	if (RB_EMPTY_NODE(&m->by_deadline))
		return;
	rb_erase_cached(&m->by_deadline, &c->deadlines);
	RB_CLEAR_NODE(&m->by_deadline);
}

static void count_in(struct cats_conductor *c, struct cats_msg *m)
{
	struct cats_class *class = &c->classes[m->urgency];

	class->queued_msgs++;
	class->queued_bytes += m->len - m->committed;
	c->queued_bytes += m->len - m->committed;
}

static void count_out(struct cats_conductor *c, struct cats_msg *m)
{
	struct cats_class *class = &c->classes[m->urgency];

	class->queued_msgs--;
	class->queued_bytes -= m->len - m->committed;
	c->queued_bytes -= m->len - m->committed;
}

static void add_to_class(struct cats_conductor *c, struct cats_msg *m)
{
	list_add_tail(&m->node, &c->classes[m->urgency].queue);
	count_in(c, m);
	c->largest = max(c->largest, m->len);
}

static void init_msg(struct cats_conductor *c, struct cats_msg *m, struct cats_stream *s,
		     u64 now_ns)
{
	m->enqueued_ns = now_ns;
	if (!s)
		cats_stream_init(&m->own);
	m->stream = s ?: &m->own;
	RB_CLEAR_NODE(&m->by_deadline);
	if (m->deadline_ns)
		rb_add_cached(&m->by_deadline, &c->deadlines, msg_before);
}

/**
 * cats_conductor_enqueue() - queue a message behind its stream, or its class
 * @c: Conductor
 * @m: message with @len > 0, @committed 0, @urgency, @incremental, @deadline_ns and
 *	@open set; must stay valid until it is removed
 * @s: its stream, must stay valid as long as it has messages; NULL: it has none
 * @now_ns: time
 */
void cats_conductor_enqueue(struct cats_conductor *c, struct cats_msg *m,
			    struct cats_stream *s, u64 now_ns)
{
	init_msg(c, m, s, now_ns);
	add_to_class(c, m);
	list_add_tail(&m->stream_node, &m->stream->msgs);
	if (list_empty(&m->stream->node))
		cats_stream_place(c, m->stream, NULL, now_ns);
}

/**
 * cats_conductor_extend() - add bytes to a queued open message
 * @c: Conductor
 * @m: message that is queued and open
 * @bytes: how many were added at its end
 */
void cats_conductor_extend(struct cats_conductor *c, struct cats_msg *m,
			   u32 bytes)
{
	m->len += bytes;
	c->classes[m->urgency].queued_bytes += bytes;
	c->queued_bytes += bytes;
	cats_stream_renew(c, m->stream, m->enqueued_ns);
	c->largest = max(c->largest, m->len);
}

/**
 * cats_conductor_first() - the message of a class that goes next
 * @c: Conductor, nothing has begun
 * @urgency: class in which one waits
 */
struct cats_msg *cats_conductor_first(const struct cats_conductor *c,
				      unsigned int urgency)
{
	return cats_stream_head(cats_class_next(&c->classes[urgency], c->ops->by_deadline));
}

/**
 * cats_conductor_next() - the message whose bytes go next
 * @c: Conductor
 *
 * The decision is made again until the first byte is committed, so a more
 * urgent message that arrives meanwhile wins.  Asking again changes nothing;
 * the first time, a policy may change its state to come to a decision.
 *
 * Return: a message with at least one byte to commit, or NULL if nothing is
 * queued or the message that has begun waits for its writer.
 */
struct cats_msg *cats_conductor_next(struct cats_conductor *c)
{
	if (cats_conductor_stalled(c))
		return NULL;
	if (c->current_msg)
		return c->current_msg;
	if (!c->waiting)
		return NULL;
	return cats_conductor_first(c, c->ops->pick(c));
}

/* What is not committed yet does not count as sent. */
static void dequeue(struct cats_conductor *c, struct cats_msg *m, u64 now_ns)
{
	struct cats_stream *s = m->stream;
	bool was_first = cats_stream_head(s) == m;

	count_out(c, m);
	forget_deadline(c, m);
	list_del_init(&m->node);
	list_del_init(&m->stream_node);
	if (list_empty(&s->msgs))
		cats_stream_take(c, s);
	else if (was_first)
		cats_stream_renew(c, s, now_ns);
	if (c->current_msg == m)
		c->current_msg = NULL;
}

static bool dequeue_if_sent(struct cats_conductor *c, struct cats_msg *m, u64 now_ns)
{
	if (m->open || m->committed < m->len)
		return false;
	cats_class_charge(&c->classes[m->urgency], m->stream, m->len);
	dequeue(c, m, now_ns);
	c->classes[m->urgency].sent_msgs++;
	return true;
}

/* The class was served: it begins to wait anew. */
static void note_gap(struct cats_conductor *c, struct cats_class *class, u64 now_ns)
{
	class->gap_bytes = max(class->gap_bytes, c->sent_bytes - class->waits_since);
	class->gap_ns = max(class->gap_ns, now_ns - class->waits_since_ns);
}

static void begin(struct cats_conductor *c, struct cats_msg *m, u64 now_ns)
{
	struct cats_class *class = &c->classes[m->urgency];

	class->longest_wait_ns = max(class->longest_wait_ns, now_ns - m->enqueued_ns);
	note_gap(c, class, now_ns);
	forget_deadline(c, m);
}

/**
 * cats_conductor_commit() - bytes of a message were given sequence numbers
 * @c: Conductor
 * @m: what cats_conductor_next() returned
 * @bytes: how many, at least 1
 * @now_ns: time
 *
 * Return: true if the message is complete; it is no longer queued then.
 */
bool cats_conductor_commit(struct cats_conductor *c, struct cats_msg *m,
			   u32 bytes, u64 now_ns)
{
	struct cats_class *class = &c->classes[m->urgency];

	if (!m->committed)
		begin(c, m, now_ns);
	m->committed += bytes;
	class->queued_bytes -= bytes;
	class->sent_bytes += bytes;
	c->queued_bytes -= bytes;
	c->sent_bytes += bytes;
	class->waits_since = c->sent_bytes;
	class->waits_since_ns = now_ns;
	c->current_msg = m;
	if (c->ops->sent)
		c->ops->sent(c, m->urgency, bytes);
	return dequeue_if_sent(c, m, now_ns);
}

/**
 * cats_conductor_pass() - a message went by, because nothing was queued
 * @c: Conductor, empty
 * @urgency: class of the message
 * @bytes: its length
 *
 * Leaves the policy and the figures as if it had been queued and committed.
 */
void cats_conductor_pass(struct cats_conductor *c, unsigned int urgency, u32 bytes)
{
	c->waiting = 1U << urgency;
	if (c->ops->arrive)
		c->ops->arrive(c, urgency);
	c->ops->pick(c);
	c->waiting = 0;
	c->classes[urgency].sent_bytes += bytes;
	c->classes[urgency].sent_msgs++;
	c->sent_bytes += bytes;
	c->largest = max(c->largest, bytes);
	if (c->ops->sent)
		c->ops->sent(c, urgency, bytes);
}

/**
 * cats_conductor_close_msg() - no more bytes will be added to an open message
 * @c: Conductor
 * @m: message that is queued and open
 * @now_ns: time
 *
 * Return: true if all of it was committed; it is no longer queued then.
 */
bool cats_conductor_close_msg(struct cats_conductor *c, struct cats_msg *m,
			      u64 now_ns)
{
	m->open = false;
	return dequeue_if_sent(c, m, now_ns);
}

/**
 * cats_conductor_remove() - take a message out, unsent
 * @c: Conductor
 * @m: message that is queued.  If it has begun the connection has ended.
 * @now_ns: time
 */
void cats_conductor_remove(struct cats_conductor *c, struct cats_msg *m, u64 now_ns)
{
	dequeue(c, m, now_ns);
}

/**
 * cats_conductor_remove_first() - take a message out, unsent
 * @c: Conductor
 *
 * For emptying the Conductor after the connection broke.
 *
 * Return: a message that was queued, NULL if none is left.
 */
struct cats_msg *cats_conductor_remove_first(struct cats_conductor *c)
{
	struct cats_msg *m;

	if (!c->waiting)
		return NULL;
	m = cats_stream_head(cats_class_next(&c->classes[__ffs(c->waiting)], false));
	dequeue(c, m, m->enqueued_ns);
	return m;
}

static struct cats_msg *earliest(const struct cats_conductor *c)
{
	return rb_entry_safe(rb_first_cached(&c->deadlines), struct cats_msg, by_deadline);
}

/**
 * cats_conductor_first_deadline() - when will there be something to expire?
 * @c: Conductor
 *
 * Return: the earliest deadline of a message that has not begun; 0 if none has one.
 */
u64 cats_conductor_first_deadline(const struct cats_conductor *c)
{
	const struct cats_msg *m = earliest(c);

	return m ? m->deadline_ns : 0;
}

/**
 * cats_conductor_remove_expired() - take out a message whose lifetime is over
 * @c: Conductor
 * @now_ns: time
 *
 * To be asked before cats_conductor_next(), until there is none.
 *
 * Return: a message that was queued and had not begun, NULL if none is left.
 */
struct cats_msg *cats_conductor_remove_expired(struct cats_conductor *c, u64 now_ns)
{
	struct cats_msg *m = earliest(c);

	if (!m || m->deadline_ns > now_ns)
		return NULL;
	dequeue(c, m, now_ns);
	return m;
}

static bool replaces_in_place(const struct cats_msg *old, const struct cats_msg *m,
			      const struct cats_stream *s)
{
	return old->urgency == m->urgency && old->incremental == m->incremental &&
	       old->stream == (s ?: &old->own);
}

/**
 * cats_conductor_replace() - queue a message in place of another
 * @c: Conductor
 * @old: message that is queued and has not begun; it is not queued any more
 * @m: as in cats_conductor_enqueue()
 * @s: its stream, or NULL
 * @now_ns: time
 *
 * In the same place if both are of the same urgency and stream: who is replaced
 * often, because his data is always the latest, still gets his turn.
 */
void cats_conductor_replace(struct cats_conductor *c, struct cats_msg *old,
			    struct cats_msg *m, struct cats_stream *s, u64 now_ns)
{
	struct list_head *before = &m->own.msgs;

	/* First in, then out: a class that waits goes on waiting. */
	if (!replaces_in_place(old, m, s)) {
		cats_conductor_enqueue(c, m, s, now_ns);
		dequeue(c, old, now_ns);
		return;
	}
	init_msg(c, m, s, now_ns);
	add_to_class(c, m);
	if (s)
		before = &old->stream_node;
	list_add_tail(&m->stream_node, before);
	if (s)
		cats_stream_renew(c, s, now_ns);
	else
		cats_stream_place(c, &m->own, &old->own, now_ns);
	dequeue(c, old, now_ns);
}

/**
 * cats_conductor_reprioritize() - move a message to another class
 * @c: Conductor
 * @m: message that is queued and has not begun; it is the last of its new class,
 *	unless it is in that one already, or an older one of its stream is before it
 * @urgency: the class
 * @incremental: its stream takes turns
 * @now_ns: time
 */
void cats_conductor_reprioritize(struct cats_conductor *c, struct cats_msg *m,
				 unsigned int urgency, bool incremental, u64 now_ns)
{
	if (m->urgency != urgency) {
		count_out(c, m);
		m->urgency = urgency;
		count_in(c, m);
		list_move_tail(&m->node, &c->classes[urgency].queue);
	}
	m->incremental = incremental;
	if (cats_stream_head(m->stream) == m)
		cats_stream_renew(c, m->stream, now_ns);
}

/*
 * A message that waits right now counts: it may wait for ever.  The oldest of
 * them is the first or, if that one has begun, the second of its class; but for
 * those that were moved here, which count when they begin.
 */
static u64 longest_wait_ns(const struct cats_class *class, u64 now_ns)
{
	const struct cats_msg *m;

	list_for_each_entry(m, &class->queue, node)
		if (!m->committed)
			return max(class->longest_wait_ns,
				   now_ns - m->enqueued_ns);
	return class->longest_wait_ns;
}

/**
 * cats_conductor_get_info() - figures of one class, for CATS_INFO
 * @c: Conductor
 * @urgency: class
 * @now_ns: time
 * @info: filled, all fields
 */
void cats_conductor_get_info(const struct cats_conductor *c,
			     unsigned int urgency, u64 now_ns,
			     struct cats_class_info *info)
{
	const struct cats_class *class = &c->classes[urgency];

	memset(info, 0, sizeof(*info));
	info->queued_bytes = class->queued_bytes;
	info->queued_msgs = class->queued_msgs;
	info->sent_bytes = class->sent_bytes;
	info->sent_msgs = class->sent_msgs;
	info->longest_wait_us = div_u64(longest_wait_ns(class, now_ns), 1000);
	if (c->in_debt & (1U << urgency))
		info->flags |= CATS_CLASS_F_IN_DEBT;
	if (c->ops->get_info)
		c->ops->get_info(c, urgency, info);
}

/**
 * cats_conductor_get_waits() - how long a class waited, and may wait, for CATS_INFO
 * @c: Conductor
 * @urgency: class
 * @now_ns: time
 * @waits: @bound_bytes, @gap_bytes and @gap_us are filled
 */
void cats_conductor_get_waits(const struct cats_conductor *c, unsigned int urgency,
			      u64 now_ns, struct cats_wait_info *waits)
{
	const struct cats_class *class = &c->classes[urgency];
	u64 bytes = class->gap_bytes, ns = class->gap_ns;

	if (c->waiting & (1U << urgency)) {
		bytes = max(bytes, c->sent_bytes - class->waits_since);
		ns = max(ns, now_ns - class->waits_since_ns);
	}
	waits->gap_bytes = bytes;
	waits->gap_us = div_u64(ns, 1000);
	waits->bound_bytes = c->ops->bound ? c->ops->bound(c, urgency, c->largest) :
					     CATS_NO_BOUND;
}
