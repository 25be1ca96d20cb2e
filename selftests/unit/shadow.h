/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a Conductor must hold, kept in plain arrays beside it: every message by
 * number, and per urgency the numbers in order of arrival.  Knows no policy and
 * calls nothing of the module.
 */
#ifndef _UNIT_SHADOW_H
#define _UNIT_SHADOW_H

#include <linux/cats.h>
#include <linux/types.h>

/* Messages that can be queued at a time. */
#define SHADOW_MSGS	1024
#define SHADOW_NONE	(-1)

/**
 * struct shadow_msg - a message
 * @since: when it was queued
 * @len: bytes
 * @committed: bytes that have left
 * @urgency: class
 * @open: may be extended
 * @queued: it is in the Conductor
 */
struct shadow_msg {
	u64	since;
	u32	len;
	u32	committed;
	u8	urgency;
	bool	open;
	bool	queued;
};

/**
 * struct shadow_class - one urgency
 * @fifo: messages in order of arrival, a ring
 * @head: oldest
 * @count: how many
 * @in_bytes: all bytes that ever came in
 * @sent_bytes: ... were committed
 * @removed_bytes: ... were taken out
 * @in_msgs: all messages that ever came in
 * @sent_msgs: ... left whole
 * @removed_msgs: ... were taken out
 * @longest_wait: of the messages that have begun
 * @gap: bytes of others since the class began to wait, or was last served
 */
struct shadow_class {
	u16	fifo[SHADOW_MSGS];
	u32	head;
	u32	count;
	u64	in_bytes;
	u64	sent_bytes;
	u64	removed_bytes;
	u64	in_msgs;
	u64	sent_msgs;
	u64	removed_msgs;
	u64	longest_wait;
	u64	gap;
};

/**
 * struct shadow - all of it
 * @msgs: by number
 * @unused: numbers that are not in use, a stack
 * @nr_unused: how many
 * @classes: by urgency
 * @current: message that has begun, or SHADOW_NONE
 * @largest: bytes of the largest message so far
 */
struct shadow {
	struct shadow_msg	msgs[SHADOW_MSGS];
	u16			unused[SHADOW_MSGS];
	u32			nr_unused;
	struct shadow_class	classes[CATS_NR_URGENCIES];
	int			current;
	u32			largest;
};

void shadow_init(struct shadow *s);
int shadow_enqueue(struct shadow *s, unsigned int urgency, u32 len, bool open, u64 now);
void shadow_extend(struct shadow *s, int id, u32 bytes);
bool shadow_close(struct shadow *s, int id);
bool shadow_commit(struct shadow *s, int id, u32 bytes, u64 now);
void shadow_remove(struct shadow *s, int id);
int shadow_oldest(const struct shadow *s, unsigned int urgency);
int shadow_find_open(const struct shadow *s, unsigned int which);
bool shadow_stalled(const struct shadow *s);
u8 shadow_waiting(const struct shadow *s);
u64 shadow_queued_bytes(const struct shadow *s, unsigned int urgency);
u64 shadow_longest_wait(const struct shadow *s, unsigned int urgency, u64 now);

#endif /* _UNIT_SHADOW_H */
