// SPDX-License-Identifier: GPL-2.0
/*
 * What a decision of the Conductor costs, in nanoseconds of virtual time: that is, in
 * instructions.  Runs in the VM; prints TSV.
 *
 * A decision is cats_conductor_next(), of a Conductor that holds a backlog, and the commit of
 * all of the message, after which the next one is due.  The message is queued again
 * behind the others of its stream, so the backlog stays what it is; that is not counted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <x86intrin.h>

#include "conductor.h"

#define MSG_LEN		1000
#define DECISIONS	20000
#define MSGS_MAX	1000000
#define STREAMS_MAX	10000

/**
 * struct backlog - what is queued
 * @msgs: messages, of all urgencies in turn
 * @streams: that they are of, each of one urgency; 0: of none
 */
static const struct backlog {
	unsigned int msgs;
	unsigned int streams;
} backlogs[] = {
	{ 10, 0 }, { MSGS_MAX, 0 },
	/* One stream in each urgency. */
	{ 10, CATS_NR_URGENCIES }, { MSGS_MAX, CATS_NR_URGENCIES },
	{ STREAMS_MAX, STREAMS_MAX }, { MSGS_MAX, STREAMS_MAX },
};

static struct cats_msg *msgs;
static struct cats_stream streams[STREAMS_MAX];
static struct cats_conductor c;

static struct cats_stream *stream_of(const struct backlog *b, unsigned int i)
{
	return b->streams ? &streams[i % b->streams] : NULL;
}

static void enqueue(struct cats_msg *m, struct cats_stream *s)
{
	m->committed = 0;
	cats_conductor_enqueue(&c, m, s, 0);
}

static void fill(const struct cats_conductor_ops *ops, const struct backlog *b)
{
	unsigned int i;

	cats_conductor_init(&c, ops);
	for (i = 0; i < b->streams; i++)
		cats_stream_init(&streams[i]);
	for (i = 0; i < b->msgs; i++) {
		msgs[i].len = MSG_LEN;
		/* A stream is of one urgency. */
		msgs[i].urgency = (b->streams ? i % b->streams : i) % CATS_NR_URGENCIES;
		msgs[i].incremental = b->streams > 1;
		enqueue(&msgs[i], stream_of(b, i));
	}
}

/* Virtual time of one decision, ns. */
static double measure(const struct backlog *b)
{
	unsigned long long from, sum = 0;
	struct cats_msg *m;
	unsigned int i;

	for (i = 0; i < DECISIONS; i++) {
		from = __rdtsc();
		m = cats_conductor_next(&c);
		cats_conductor_commit(&c, m, m->len, 0);
		sum += __rdtsc() - from;
		enqueue(m, stream_of(b, m - msgs));
	}
	return (double)sum / DECISIONS;
}

int main(void)
{
	unsigned int p, i;

	msgs = calloc(MSGS_MAX, sizeof(*msgs));
	if (!msgs)
		return EXIT_FAILURE;
	printf("conductor\tmsgs\tstreams\tdecision_ns\n");
	for (p = 0; p < CATS_NR_CONDUCTORS; p++)
		for (i = 0; i < ARRAY_SIZE(backlogs); i++) {
			fill(cats_conductors[p], &backlogs[i]);
			printf("%s\t%u\t%u\t%.1f\n", cats_conductors[p]->name,
			       backlogs[i].msgs, backlogs[i].streams, measure(&backlogs[i]));
			fflush(stdout);
		}
	return EXIT_SUCCESS;
}
