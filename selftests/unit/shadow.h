/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a Conductor must hold, kept beside it: every message by number, in its class and
 * in its stream, and who waits where.  Knows no policy and calls nothing of the module.
 */
#ifndef _UNIT_SHADOW_H
#define _UNIT_SHADOW_H

#include <linux/cats.h>
#include <linux/list.h>
#include <linux/types.h>

/* Messages that can be queued at a time. */
#define SHADOW_MSGS	1024
#define SHADOW_NONE	(-1)

/* Streams have the numbers 1 to SHADOW_STREAMS - 1; 0: a message without one. */
#define SHADOW_STREAMS	9

/*
 * Who takes turns in a class: incremental streams by their number, and as number 0 all
 * the others together.
 */
#define SHADOW_TURNS	SHADOW_STREAMS

/**
 * struct shadow_stream - messages that must leave in order
 * @msgs: these
 * @line: in its class while it waits and is not incremental
 * @turn: its number among those that take turns
 * @urgency: class that it waits in
 * @waits: it does
 */
struct shadow_stream {
	struct list_head	msgs;
	struct list_head	line;
	u8			turn;
	u8			urgency;
	bool			waits;
};

/**
 * struct shadow_msg - a message
 * @in_class: in its class
 * @in_stream: in its stream
 * @timed: among those that have a deadline and have not begun
 * @own: its stream if it has none
 * @number: of its stream
 * @since: when it was queued
 * @deadline: it must begin before, 0: never mind
 * @len: bytes
 * @committed: bytes that have left
 * @urgency: class
 * @incremental: its stream takes turns
 * @open: may be extended
 * @queued: it is in the Conductor
 */
struct shadow_msg {
	struct list_head	in_class;
	struct list_head	in_stream;
	struct list_head	timed;
	struct shadow_stream	own;
	u8			number;
	u64			since;
	u64			deadline;
	u32			len;
	u32			committed;
	u8			urgency;
	bool			incremental;
	bool			open;
	bool			queued;
};

/**
 * struct shadow_class - one urgency
 * @msgs: messages in order of arrival, or of being moved here
 * @line: streams that wait and are not incremental, in order of arrival
 * @streams: how many streams wait, of both kinds
 * @arrivals: times that the class began to wait
 * @in_bytes: all bytes that ever came in, or were moved here; less those moved away
 * @sent_bytes: ... were committed
 * @removed_bytes: ... were taken out
 * @in_msgs: likewise messages
 * @sent_msgs: ... left whole
 * @removed_msgs: ... were taken out
 * @longest_wait: of the messages that have begun
 * @gap: bytes of others since the class began to wait, or was last served
 * @gap_max: the largest that ended with a message of the class
 * @turns: bit i: number i takes turns
 * @turn_sent: bytes of whole messages of each
 * @turn_base: what [i] was ahead of [j] when the later of them came
 * @quantum: largest message that was the first of its stream while the class waits
 */
struct shadow_class {
	struct list_head	msgs;
	struct list_head	line;
	u32			streams;
	u32			arrivals;
	u64			in_bytes;
	u64			sent_bytes;
	u64			removed_bytes;
	u64			in_msgs;
	u64			sent_msgs;
	u64			removed_msgs;
	u64			longest_wait;
	u64			gap;
	u64			gap_max;
	u32			turns;
	u64			turn_sent[SHADOW_TURNS];
	s64			turn_base[SHADOW_TURNS][SHADOW_TURNS];
	u32			quantum;
};

/**
 * struct shadow - all of it
 * @msgs: by number
 * @streams: by number
 * @unused: numbers of messages that are not in use, a stack
 * @nr_unused: how many
 * @classes: by urgency
 * @timed: messages that have a deadline and have not begun
 * @current: message that has begun, or SHADOW_NONE
 * @largest: bytes of the largest message so far
 */
struct shadow {
	struct shadow_msg	msgs[SHADOW_MSGS];
	struct shadow_stream	streams[SHADOW_STREAMS];
	u16			unused[SHADOW_MSGS];
	u32			nr_unused;
	struct shadow_class	classes[CATS_NR_URGENCIES];
	struct list_head	timed;
	int			current;
	u32			largest;
};

/**
 * struct shadow_new - a message to come
 * @urgency: class
 * @number: of its stream, or 0
 * @incremental: its stream takes turns; it must have one
 * @open: may be extended
 * @len: bytes
 * @deadline: or 0
 */
struct shadow_new {
	u8	urgency;
	u8	number;
	bool	incremental;
	bool	open;
	u32	len;
	u64	deadline;
};

void shadow_init(struct shadow *s);
int shadow_enqueue(struct shadow *s, const struct shadow_new *n, u64 now);
int shadow_replace(struct shadow *s, int old, const struct shadow_new *n, u64 now);
void shadow_extend(struct shadow *s, int id, u32 bytes);
bool shadow_close(struct shadow *s, int id);
bool shadow_commit(struct shadow *s, int id, u32 bytes, u64 now);
void shadow_pass(struct shadow *s, unsigned int urgency, u32 bytes);
void shadow_remove(struct shadow *s, int id);
void shadow_move(struct shadow *s, int id, unsigned int urgency, bool incremental);
void shadow_restart_gaps(struct shadow *s);
void shadow_restart_turns(struct shadow *s);

const struct shadow_stream *shadow_stream(const struct shadow *s, int id);
bool shadow_in_order(const struct shadow *s, int id, bool by_deadline);
double shadow_turn_ahead(const struct shadow *s, unsigned int urgency);
u64 shadow_first_deadline(const struct shadow *s);
int shadow_find_open(const struct shadow *s, unsigned int which);
int shadow_find_waiting(const struct shadow *s, unsigned int which);
bool shadow_stalled(const struct shadow *s);
u8 shadow_waiting(const struct shadow *s);
u64 shadow_queued_bytes(const struct shadow *s, unsigned int urgency);
u64 shadow_queued_msgs(const struct shadow *s, unsigned int urgency);
u64 shadow_longest_wait(const struct shadow *s, unsigned int urgency, u64 now);
u64 shadow_longest_gap(const struct shadow *s, unsigned int urgency);

#endif /* _UNIT_SHADOW_H */
