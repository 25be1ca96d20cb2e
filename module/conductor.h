/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The Conductor: which message goes next.
 *
 * Pure C over plain data: no struct sock, no skb, no locks, no allocation, so
 * that the same source runs in the kernel and under sanitizers in user space.
 * The caller serializes all calls on one Conductor (in the kernel: the socket
 * lock), owns the messages, and passes the time, in nanoseconds of any
 * monotonic clock.
 */
#ifndef _CATS_CONDUCTOR_H
#define _CATS_CONDUCTOR_H

#include <linux/cats.h>
#include <linux/list.h>
#include <linux/types.h>

struct cats_conductor;

/**
 * struct cats_msg - what the Conductor knows of a message
 * @node: in its class, in order of arrival; unlinked if not queued
 * @enqueued_ns: when the message was queued
 * @len: bytes accepted so far
 * @committed: bytes that have TCP sequence numbers
 * @urgency: class
 * @open: the call that writes it is still adding bytes.  Once such a message
 *	has begun nothing else may go until it is closed: it is contiguous.
 */
struct cats_msg {
	struct list_head	node;
	u64			enqueued_ns;
	u32			len;
	u32			committed;
	u8			urgency;
	bool			open;
};

/**
 * struct cats_class - all queued messages of one urgency
 * @queue: messages, oldest first
 * @queued_bytes: bytes not yet committed
 * @sent_bytes: bytes committed since attach
 * @sent_msgs: messages committed whole since attach
 * @longest_wait_ns: longest time from enqueue to the first committed byte
 * @queued_msgs: messages in @queue
 */
struct cats_class {
	struct list_head	queue;
	u64			queued_bytes;
	u64			sent_bytes;
	u64			sent_msgs;
	u64			longest_wait_ns;
	u32			queued_msgs;
};

/**
 * struct cats_conductor_ops - a policy
 * @name: as in CATS_CONDUCTOR
 * @init: set up the policy's private state; messages may be queued already
 * @pick: urgency of the class to serve next; called with at least one class
 *	waiting, must return a waiting one, in time independent of the queues
 * @sent: @bytes of class @urgency were committed.  May be NULL.
 * @get_info: fill @debt and @flags of @info for class @urgency.  May be NULL.
 */
struct cats_conductor_ops {
	char		name[CATS_CONDUCTOR_NAME_MAX];
	void		(*init)(struct cats_conductor *c);
	unsigned int	(*pick)(struct cats_conductor *c);
	void		(*sent)(struct cats_conductor *c, unsigned int urgency,
				u32 bytes);
	void		(*get_info)(const struct cats_conductor *c,
				    unsigned int urgency,
				    struct cats_class_info *info);
};

#define CATS_CONDUCTOR_PRIV_SIZE	(22 * sizeof(u64))

/**
 * struct cats_conductor - queues of one socket and the policy over them
 * @ops: the policy
 * @current_msg: message of which a part is committed, or NULL
 * @queued_bytes: bytes not yet committed, all classes
 * @waiting: bit i is set while class i has messages
 * @classes: one per urgency
 * @priv: state of the policy, see cats_conductor_priv()
 */
struct cats_conductor {
	const struct cats_conductor_ops	*ops;
	struct cats_msg			*current_msg;
	u64				queued_bytes;
	u8				waiting;
	struct cats_class		classes[CATS_NR_URGENCIES];
	u64				priv[CATS_CONDUCTOR_PRIV_SIZE / sizeof(u64)];
};

/**
 * cats_conductor_priv() - private state of the policy
 * @c: Conductor
 */
static inline void *cats_conductor_priv(const struct cats_conductor *c)
{
	return (void *)c->priv;
}

/**
 * cats_conductor_empty() - no message is queued
 * @c: Conductor
 */
static inline bool cats_conductor_empty(const struct cats_conductor *c)
{
	return !c->waiting;
}

/**
 * cats_conductor_stalled() - everything waits for the writer of one message
 * @c: Conductor
 *
 * True while a message that has begun is open and has no bytes left to commit.
 */
static inline bool cats_conductor_stalled(const struct cats_conductor *c)
{
	const struct cats_msg *m = c->current_msg;

	return m && m->open && m->committed == m->len;
}

void cats_conductor_init(struct cats_conductor *c,
			 const struct cats_conductor_ops *ops);
void cats_conductor_set_ops(struct cats_conductor *c,
			    const struct cats_conductor_ops *ops);
void cats_conductor_enqueue(struct cats_conductor *c, struct cats_msg *m,
			    u64 now_ns);
void cats_conductor_extend(struct cats_conductor *c, struct cats_msg *m,
			   u32 bytes);
struct cats_msg *cats_conductor_next(struct cats_conductor *c);
bool cats_conductor_commit(struct cats_conductor *c, struct cats_msg *m,
			   u32 bytes, u64 now_ns);
void cats_conductor_pass(struct cats_conductor *c, unsigned int urgency, u32 bytes);
bool cats_conductor_close_msg(struct cats_conductor *c, struct cats_msg *m);
struct cats_msg *cats_conductor_remove_first(struct cats_conductor *c);
void cats_conductor_get_info(const struct cats_conductor *c,
			     unsigned int urgency, u64 now_ns,
			     struct cats_class_info *info);

const struct cats_conductor_ops *cats_conductor_find(const char *name);

/* The policies; the first is the default. */
extern const struct cats_conductor_ops cats_debt;
extern const struct cats_conductor_ops cats_debt_paper;
extern const struct cats_conductor_ops cats_debt_refcode;
extern const struct cats_conductor_ops cats_strict;

/* Parameters of cats_debt before anybody sets others. */
extern const struct cats_debt_params cats_debt_defaults;

const char *cats_debt_check_params(const struct cats_debt_params *params);
const char *cats_debt_set_params(struct cats_conductor *c,
				 const struct cats_debt_params *params);
bool cats_debt_get_params(const struct cats_conductor *c,
			  struct cats_debt_params *params);

#endif /* _CATS_CONDUCTOR_H */
