// SPDX-License-Identifier: GPL-2.0
/*
 * The Conductor: queues, and the questions that the Feeder asks them.
 *
 *	enqueue --> class[urgency] --> next: policy picks a class --> commit
 *	               (FIFO)           and its oldest message        (bytes)
 *
 * The Feeder commits a message piece by piece, as TCP makes room.  From its
 * first committed byte to its last one a message is @current_msg, and next()
 * returns nothing else: that is what makes it contiguous on the wire.
 *
 * Work per call is bounded by CATS_NR_URGENCIES, whatever the queue length: a
 * pick is a find-first-set over @waiting and the head of one list.
 */
#include <linux/bitops.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/string.h>

#include "conductor.h"

static const struct cats_conductor_ops *const policies[] = {
	&cats_debt,
	&cats_debt_paper,
	&cats_debt_refcode,
	&cats_strict,
};

/**
 * cats_conductor_find() - look up a policy
 * @name: its name
 *
 * Return: the policy, NULL if there is none of that name.
 */
const struct cats_conductor_ops *cats_conductor_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(policies); i++)
		if (!strcmp(policies[i]->name, name))
			return policies[i];
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
	for (i = 0; i < CATS_NR_URGENCIES; i++)
		INIT_LIST_HEAD(&c->classes[i].queue);
	cats_conductor_set_ops(c, ops);
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
	c->ops = ops;
	if (ops->init)
		ops->init(c);
}

/**
 * cats_conductor_enqueue() - queue a message behind its class
 * @c: Conductor
 * @m: message with @len > 0, @committed 0, @urgency and @open set; must stay
 *	valid until it is removed
 * @now_ns: time
 */
void cats_conductor_enqueue(struct cats_conductor *c, struct cats_msg *m,
			    u64 now_ns)
{
	struct cats_class *class = &c->classes[m->urgency];

	m->enqueued_ns = now_ns;
	list_add_tail(&m->node, &class->queue);
	class->queued_msgs++;
	class->queued_bytes += m->len;
	c->queued_bytes += m->len;
	c->waiting |= 1U << m->urgency;
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
	unsigned int urgency;

	if (cats_conductor_stalled(c))
		return NULL;
	if (c->current_msg)
		return c->current_msg;
	if (!c->waiting)
		return NULL;
	urgency = c->ops->pick(c);
	return list_first_entry(&c->classes[urgency].queue, struct cats_msg,
				node);
}

static void dequeue(struct cats_conductor *c, struct cats_msg *m)
{
	struct cats_class *class = &c->classes[m->urgency];

	list_del_init(&m->node);
	class->queued_msgs--;
	if (list_empty(&class->queue))
		c->waiting &= ~(1U << m->urgency);
	if (c->current_msg == m)
		c->current_msg = NULL;
}

static bool dequeue_if_sent(struct cats_conductor *c, struct cats_msg *m)
{
	if (m->open || m->committed < m->len)
		return false;
	dequeue(c, m);
	c->classes[m->urgency].sent_msgs++;
	return true;
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
		class->longest_wait_ns = max(class->longest_wait_ns,
					     now_ns - m->enqueued_ns);
	m->committed += bytes;
	class->queued_bytes -= bytes;
	class->sent_bytes += bytes;
	c->queued_bytes -= bytes;
	c->current_msg = m;
	if (c->ops->sent)
		c->ops->sent(c, m->urgency, bytes);
	return dequeue_if_sent(c, m);
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
	c->ops->pick(c);
	c->waiting = 0;
	c->classes[urgency].sent_bytes += bytes;
	c->classes[urgency].sent_msgs++;
	if (c->ops->sent)
		c->ops->sent(c, urgency, bytes);
}

/**
 * cats_conductor_close_msg() - no more bytes will be added to an open message
 * @c: Conductor
 * @m: message that is queued and open
 *
 * Return: true if all of it was committed; it is no longer queued then.
 */
bool cats_conductor_close_msg(struct cats_conductor *c, struct cats_msg *m)
{
	m->open = false;
	return dequeue_if_sent(c, m);
}

/**
 * cats_conductor_remove_first() - take a message out, unsent
 * @c: Conductor
 *
 * For emptying the Conductor after the connection broke.  What was not
 * committed does not count as sent.
 *
 * Return: a message that was queued, NULL if none is left.
 */
struct cats_msg *cats_conductor_remove_first(struct cats_conductor *c)
{
	struct cats_class *class;
	struct cats_msg *m;
	u32 left;

	if (!c->waiting)
		return NULL;
	class = &c->classes[__ffs(c->waiting)];
	m = list_first_entry(&class->queue, struct cats_msg, node);
	left = m->len - m->committed;
	class->queued_bytes -= left;
	c->queued_bytes -= left;
	dequeue(c, m);
	return m;
}

/*
 * A message that waits right now counts: it may wait for ever.  The oldest of
 * them is the first or, if that one has begun, the second of its class.
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
	if (c->ops->get_info)
		c->ops->get_info(c, urgency, info);
}
