/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For the unit tests of the Conductor.  One source for KUnit and for user space, where
 * selftests/unit supplies the headers and runs it under ASan and UBSan.
 */
#ifndef _CATS_CONDUCTOR_TEST_H
#define _CATS_CONDUCTOR_TEST_H

#include <kunit/test.h>
#include <linux/bitops.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "conductor.h"

#define BENCH_MSGS	16
#define BENCH_STREAMS	4

/**
 * struct bench - a Conductor with messages to put in
 * @c: under test
 * @msgs: pool
 * @streams: to put them in
 * @now: time, ns
 */
struct bench {
	struct cats_conductor	c;
	struct cats_msg		msgs[BENCH_MSGS];
	struct cats_stream	streams[BENCH_STREAMS];
	u64			now;
};

/* Too large for the kernel's stack; the cases run one after the other. */
static struct bench the_bench;

static inline struct bench *bench_new(const struct cats_conductor_ops *ops)
{
	unsigned int i;

	memset(&the_bench, 0, sizeof(the_bench));
	for (i = 0; i < BENCH_STREAMS; i++)
		cats_stream_init(&the_bench.streams[i]);
	cats_conductor_init(&the_bench.c, ops);
	return &the_bench;
}

static inline struct cats_msg *msg_of(struct bench *b, unsigned int urgency, u32 len)
{
	struct cats_msg *m = b->msgs;

	while (m->node.next && !list_empty(&m->node))
		m++;
	memset(m, 0, sizeof(*m));
	m->urgency = urgency;
	m->len = len;
	return m;
}

static inline struct cats_msg *put(struct bench *b, unsigned int urgency, u32 len)
{
	struct cats_msg *m = msg_of(b, urgency, len);

	cats_conductor_enqueue(&b->c, m, NULL, b->now);
	return m;
}

/* Into stream number @stream, which is incremental from 2 on. */
static inline struct cats_msg *put_in(struct bench *b, unsigned int stream,
				      unsigned int urgency, u32 len)
{
	struct cats_msg *m = msg_of(b, urgency, len);

	m->incremental = stream >= 2;
	cats_conductor_enqueue(&b->c, m, &b->streams[stream], b->now);
	return m;
}

static inline struct cats_msg *put_until(struct bench *b, unsigned int urgency, u64 deadline)
{
	struct cats_msg *m = msg_of(b, urgency, 100);

	m->deadline_ns = deadline;
	cats_conductor_enqueue(&b->c, m, NULL, b->now);
	return m;
}

/* Commits all of the next message; NULL if there is none. */
static inline struct cats_msg *take(struct bench *b)
{
	struct cats_msg *m = cats_conductor_next(&b->c);

	if (m)
		cats_conductor_commit(&b->c, m, m->len - m->committed, b->now);
	return m;
}

/* Keeps one message of @len bytes waiting in each class of @classes. */
static inline void refill(struct bench *b, u8 classes, u32 len)
{
	unsigned int i;

	for (i = 0; i < CATS_NR_URGENCIES; i++)
		if ((classes & ~b->c.waiting) & BIT(i))
			put(b, i, len);
}

static inline unsigned int take_class(struct bench *b, u8 classes)
{
	refill(b, classes, 1000);
	return take(b)->urgency;
}

static inline struct cats_wait_info waits_of(struct bench *b, unsigned int urgency)
{
	struct cats_wait_info waits = {};

	cats_conductor_get_waits(&b->c, urgency, b->now, &waits);
	return waits;
}

#endif /* _CATS_CONDUCTOR_TEST_H */
