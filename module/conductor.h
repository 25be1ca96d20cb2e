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
#include <linux/rbtree.h>
#include <linux/types.h>

struct cats_conductor;
struct module;

/**
 * enum cats_pick - why a message is the next; tracepoint cats_pick
 * @CATS_PICK_ONLY: no other class waits
 * @CATS_PICK_URGENT: its class is the most urgent that waits
 * @CATS_PICK_SHARE: its class is due by its guaranteed share ("bounded")
 * @CATS_PICK_DEBT: the more urgent ones are in debt ("debt")
 * @CATS_PICK_TURN: the more urgent ones have sent their weight ("wfq")
 * @CATS_PICK_POLICY: a policy that does not say why passed over a more urgent one
 * @CATS_PICK_DIRECT: nothing is queued; TCP got the write directly
 */
enum cats_pick {
	CATS_PICK_ONLY		= 0,
	CATS_PICK_URGENT	= 1,
	CATS_PICK_SHARE		= 2,
	CATS_PICK_DEBT		= 3,
	CATS_PICK_TURN		= 4,
	CATS_PICK_POLICY	= 5,
	CATS_PICK_DIRECT	= 6,
};

/**
 * struct cats_stream - messages that never overtake each other
 * @node: in its class, see &struct cats_class; unlinked while it has no message
 * @msgs: messages, oldest first
 * @by_deadline: in &struct cats_class.deadlines if @deadline_ns is not 0
 * @deadline_ns: of the oldest message, 0 for none
 * @surplus: bytes that it may still send in this turn; below 0: it has sent more
 * @urgency: class that it is queued in: the oldest message's
 * @incremental: takes turns: the oldest message's
 *
 * The stream of a message without one is @own of that message.
 */
struct cats_stream {
	struct list_head	node;
	struct list_head	msgs;
	struct rb_node		by_deadline;
	u64			deadline_ns;
	s64			surplus;
	u8			urgency;
	bool			incremental;
};

/**
 * struct cats_msg - what the Conductor knows of a message
 * @node: in its class, in order of arrival; unlinked if not queued
 * @stream_node: in its stream
 * @by_deadline: in &struct cats_conductor.deadlines while it has not begun, if
 *	@deadline_ns is not 0
 * @stream: its stream, @own if it has none
 * @own: its stream if it has none
 * @enqueued_ns: when the message was queued
 * @deadline_ns: it must begin before, 0 for never
 * @len: bytes accepted so far
 * @committed: bytes that have TCP sequence numbers
 * @urgency: class
 * @incremental: its stream takes turns
 * @open: the call that writes it is still adding bytes.  Once such a message
 *	has begun nothing else may go until it is closed: it is contiguous.
 */
struct cats_msg {
	struct list_head	node;
	struct list_head	stream_node;
	struct rb_node		by_deadline;
	struct cats_stream	*stream;
	struct cats_stream	own;
	u64			enqueued_ns;
	u64			deadline_ns;
	u32			len;
	u32			committed;
	u8			urgency;
	bool			incremental;
	bool			open;
};

/**
 * struct cats_class - all queued messages of one urgency
 * @queue: messages, oldest first
 * @turns: incremental streams, and @fifo if any other is queued: who goes next
 * @fifo: stands for all streams that are not incremental
 * @streams: these, in order of arrival
 * @deadlines: streams whose oldest message has a deadline, the earliest first
 * @quantum: bytes of a turn: the largest message since the class was empty
 * @queued_bytes: bytes not yet committed
 * @sent_bytes: bytes committed since attach
 * @sent_msgs: messages committed whole since attach
 * @longest_wait_ns: longest time from enqueue to the first committed byte
 * @waits_since: &struct cats_conductor.sent_bytes when it began to wait, or was
 *	served last
 * @waits_since_ns: likewise the time
 * @gap_bytes: the most that others sent meanwhile, since the policy or its parameters
 *	were set
 * @gap_ns: the longest time of that
 * @queued_msgs: messages in @queue
 */
struct cats_class {
	struct list_head	queue;
	struct list_head	turns;
	struct cats_stream	fifo;
	struct list_head	streams;
	struct rb_root_cached	deadlines;
	u32			quantum;
	u32			queued_msgs;
	u64			queued_bytes;
	u64			sent_bytes;
	u64			sent_msgs;
	u64			longest_wait_ns;
	u64			waits_since;
	u64			waits_since_ns;
	u64			gap_bytes;
	u64			gap_ns;
};

/**
 * struct cats_conductor_ops - a policy
 * @name: as in CATS_CONDUCTOR
 * @owner: module that it is part of
 * @list: among the registered ones
 * @by_deadline: within an urgency the earliest deadline goes first
 * @passes_over: enum cats_pick: why it picks a class that is not the most urgent; 0 for
 *	a policy that never does, or does not say
 * @init: set up the policy's private state; messages may be queued already.  May
 *	be NULL.
 * @arrive: class @urgency begins to wait.  May be NULL.
 * @pick: urgency of the class to serve next; called with at least one class
 *	waiting, must return a waiting one, in time independent of the queues.  If
 *	only one waits it may have no message yet: see cats_conductor_pass().
 * @sent: @bytes of class @urgency were committed.  May be NULL.
 * @bound: bytes that others send at most while class @urgency waits, between two of
 *	its messages or before its first, if no message has more than @largest bytes;
 *	CATS_NO_BOUND.  May be NULL: none.
 * @get_info: fill @debt of @info for class @urgency.  May be NULL.
 */
struct cats_conductor_ops {
	char		name[CATS_CONDUCTOR_NAME_MAX];
	struct module	*owner;
	struct list_head list;
	bool		by_deadline;
	u8		passes_over;
	void		(*init)(struct cats_conductor *c);
	void		(*arrive)(struct cats_conductor *c, unsigned int urgency);
	unsigned int	(*pick)(struct cats_conductor *c);
	void		(*sent)(struct cats_conductor *c, unsigned int urgency,
				u32 bytes);
	u64		(*bound)(const struct cats_conductor *c, unsigned int urgency,
				 u32 largest);
	void		(*get_info)(const struct cats_conductor *c,
				    unsigned int urgency,
				    struct cats_class_info *info);
};

#define CATS_CONDUCTOR_PRIV_SIZE	(30 * sizeof(u64))

/**
 * struct cats_conductor - queues of one socket and the policy over them
 * @ops: the policy
 * @current_msg: message of which a part is committed, or NULL
 * @queued_bytes: bytes not yet committed, all classes
 * @sent_bytes: bytes committed since attach, all classes
 * @largest: bytes of the largest message so far
 * @waiting: bit i is set while a stream waits in class i.  (A message that waits
 *	behind a less urgent one of its stream does so in that one's class.)
 * @in_debt: bit i is set while the policy passes class i over until it has paid
 * @classes: one per urgency
 * @deadlines: messages that have not begun and have a deadline, the earliest first
 * @priv: state of the policy, see cats_conductor_priv()
 */
struct cats_conductor {
	const struct cats_conductor_ops	*ops;
	struct cats_msg			*current_msg;
	u64				queued_bytes;
	u64				sent_bytes;
	u32				largest;
	u8				waiting;
	u8				in_debt;
	struct cats_class		classes[CATS_NR_URGENCIES];
	struct rb_root_cached		deadlines;
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

/**
 * cats_conductor_why() - why is a class served next?
 * @c: Conductor, as it was when it picked the class
 * @urgency: class
 */
static inline enum cats_pick cats_conductor_why(const struct cats_conductor *c,
						unsigned int urgency)
{
	if (c->waiting == 1U << urgency)
		return CATS_PICK_ONLY;
	if (!(c->waiting & ((1U << urgency) - 1)))
		return CATS_PICK_URGENT;
	return c->ops->passes_over ?: CATS_PICK_POLICY;
}

void cats_stream_init(struct cats_stream *s);
void cats_conductor_init(struct cats_conductor *c,
			 const struct cats_conductor_ops *ops);
void cats_conductor_set_ops(struct cats_conductor *c,
			    const struct cats_conductor_ops *ops);
void cats_conductor_restart_gaps(struct cats_conductor *c);
void cats_conductor_enqueue(struct cats_conductor *c, struct cats_msg *m,
			    struct cats_stream *s, u64 now_ns);
void cats_conductor_replace(struct cats_conductor *c, struct cats_msg *old,
			    struct cats_msg *m, struct cats_stream *s, u64 now_ns);
void cats_conductor_extend(struct cats_conductor *c, struct cats_msg *m,
			   u32 bytes);
struct cats_msg *cats_conductor_first(const struct cats_conductor *c,
				      unsigned int urgency);
struct cats_msg *cats_conductor_next(struct cats_conductor *c);
bool cats_conductor_commit(struct cats_conductor *c, struct cats_msg *m,
			   u32 bytes, u64 now_ns);
void cats_conductor_pass(struct cats_conductor *c, unsigned int urgency, u32 bytes);
bool cats_conductor_close_msg(struct cats_conductor *c, struct cats_msg *m,
			      u64 now_ns);
void cats_conductor_remove(struct cats_conductor *c, struct cats_msg *m, u64 now_ns);
struct cats_msg *cats_conductor_remove_first(struct cats_conductor *c);
struct cats_msg *cats_conductor_remove_expired(struct cats_conductor *c, u64 now_ns);
u64 cats_conductor_first_deadline(const struct cats_conductor *c);
void cats_conductor_reprioritize(struct cats_conductor *c, struct cats_msg *m,
				 unsigned int urgency, bool incremental, u64 now_ns);
void cats_conductor_get_info(const struct cats_conductor *c,
			     unsigned int urgency, u64 now_ns,
			     struct cats_class_info *info);
void cats_conductor_get_waits(const struct cats_conductor *c, unsigned int urgency,
			      u64 now_ns, struct cats_wait_info *waits);

/* The policies of this module; the first is the default. */
#define CATS_NR_CONDUCTORS	7
extern struct cats_conductor_ops *const cats_conductors[CATS_NR_CONDUCTORS];

extern struct cats_conductor_ops cats_bounded;
extern struct cats_conductor_ops cats_strict;
extern struct cats_conductor_ops cats_wfq;
extern struct cats_conductor_ops cats_edf;
extern struct cats_conductor_ops cats_debt;
extern struct cats_conductor_ops cats_debt_paper;
extern struct cats_conductor_ops cats_debt_refcode;

const struct cats_conductor_ops *cats_conductor_find(const char *name);

/* Parameters of cats_debt before anybody sets others. */
extern const struct cats_debt_params cats_debt_defaults;

enum cats_reason cats_debt_check_params(const struct cats_debt_params *params);
enum cats_reason cats_debt_set_params(struct cats_conductor *c,
				      const struct cats_debt_params *params);
bool cats_debt_get_params(const struct cats_conductor *c,
			  struct cats_debt_params *params);

enum cats_reason cats_bounded_set_params(struct cats_conductor *c,
					 const struct cats_bounded_params *params);
bool cats_bounded_get_params(const struct cats_conductor *c,
			     struct cats_bounded_params *params);
enum cats_reason cats_wfq_set_params(struct cats_conductor *c,
				     const struct cats_wfq_params *params);
bool cats_wfq_get_params(const struct cats_conductor *c,
			 struct cats_wfq_params *params);

#endif /* _CATS_CONDUCTOR_H */
