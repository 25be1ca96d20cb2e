// SPDX-License-Identifier: GPL-2.0
/*
 * The work that the Conductor does per call must not depend on what is queued.
 * Here it is counted, not timed: the module's files are compiled to call
 * __sanitizer_cov_trace_pc() in every basic block, and that is one step.
 *
 * The same operations run twice, with a few and with 10^6 messages queued before
 * them, so many that no class runs dry.  All messages are equal, so all decisions
 * are the same, and so must be the steps of each single call.  A constant holds
 * for all of them.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/kernel.h>

#include "conductor.h"

#define MSG_LEN		1000
#define BACKLOG_SMALL	(2 * CATS_NR_URGENCIES)
#define BACKLOG_LARGE	1000000
#define NR_STREAMS	10000
/* Messages that pass through, each by an enqueue, a next and a commit. */
#define ROUNDS		20000

/*
 * No call but a decision with rule 2 takes more.  The longest is that of "bounded" and
 * of "wfq", which look at eight classes at up to 10 blocks each; then a commit and
 * get_info: eight classes at up to 5 blocks each, and some 40 around them.
 */
#define STEPS_MAX	100
/* One turn of rule 2: seven classes at up to 7 blocks each, and the loop. */
#define STEPS_PER_TURN	52
/*
 * Turns that are needed at most.  They halve a debt, of less than 2^30 bytes
 * and a message of 2^31, until it is below a watermark of 1 byte.
 */
#define TURNS_MAX	32
/* So what exceeds this depends on what is queued, or never ends. */
#define STEPS_LIMIT	(STEPS_MAX + TURNS_MAX * STEPS_PER_TURN)

/**
 * enum call - what is counted
 * @CALL_ENQUEUE: cats_conductor_enqueue()
 * @CALL_NEXT: cats_conductor_next()
 * @CALL_COMMIT: cats_conductor_commit()
 * @CALL_INFO: cats_conductor_get_info()
 * @CALLS: how many there are
 */
enum call {
	CALL_ENQUEUE,
	CALL_NEXT,
	CALL_COMMIT,
	CALL_INFO,
	CALLS,
};

static const char *const call_names[CALLS] = { "enqueue", "next", "commit", "get_info" };

/**
 * struct trace - steps of each call, in order
 * @steps: by round
 * @most: by call
 */
struct trace {
	u16	steps[ROUNDS][CALLS];
	u16	most[CALLS];
};

static struct trace small, large;
static struct cats_stream streams[NR_STREAMS];
static struct cats_msg msgs[BACKLOG_LARGE + ROUNDS];
static unsigned int results, failed;
static unsigned long steps;

/* Called by the compiler's instrumentation. */
void __sanitizer_cov_trace_pc(void)
{
	if (++steps <= STEPS_LIMIT)
		return;
	printf("Bail out! a call took more than %d steps\n", STEPS_LIMIT);
	exit(EXIT_FAILURE);
}

__attribute__((format(printf, 3, 4)))
static void result(bool ok, const char *name, const char *format, ...)
{
	va_list args;

	failed += !ok;
	printf("%s %u %s # ", ok ? "ok" : "not ok", ++results, name);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

static void put(struct cats_conductor *c, struct cats_msg *m, unsigned int urgency, u32 len)
{
	memset(m, 0, sizeof(*m));
	m->urgency = urgency;
	m->len = len;
	steps = 0;
	cats_conductor_enqueue(c, m, NULL, 0);
}

static void note(struct trace *t, unsigned int round, enum call call)
{
	t->steps[round][call] = steps;
	t->most[call] = max_t(u16, t->most[call], steps);
	steps = 0;
}

/* Each round queues a message of the class that the last one was taken from. */
static void trace(struct trace *t, const struct cats_conductor_ops *ops,
		  unsigned int classes, unsigned int backlog)
{
	unsigned int i, urgency = 0;
	struct cats_class_info info;
	struct cats_conductor c;
	struct cats_msg *m;

	memset(t, 0, sizeof(*t));
	cats_conductor_init(&c, ops);
	for (i = 0; i < backlog; i++)
		put(&c, &msgs[i], i % classes, MSG_LEN);
	for (i = 0; i < ROUNDS; i++) {
		put(&c, &msgs[backlog + i], urgency, MSG_LEN);
		note(t, i, CALL_ENQUEUE);
		m = cats_conductor_next(&c);
		note(t, i, CALL_NEXT);
		urgency = m->urgency;
		cats_conductor_commit(&c, m, MSG_LEN, 0);
		note(t, i, CALL_COMMIT);
		cats_conductor_get_info(&c, urgency, 0, &info);
		note(t, i, CALL_INFO);
	}
}

static unsigned int turns_of(unsigned int spent)
{
	return spent > STEPS_MAX ? (spent - STEPS_MAX + STEPS_PER_TURN - 1) / STEPS_PER_TURN : 0;
}

/*
 * With all eight classes waiting rule 2 is never used; without the least urgent
 * it is.  There a message is small beside the watermarks, and two turns do.
 */
static void compare(const struct cats_conductor_ops *ops, unsigned int classes)
{
	unsigned int i;
	char name[60];

	trace(&small, ops, classes, BACKLOG_SMALL);
	trace(&large, ops, classes, BACKLOG_LARGE);
	for (i = 0; i < CALLS; i++) {
		unsigned int turns = classes == CATS_NR_URGENCIES ? 0 : 2;
		bool bounded = small.most[i] && turns_of(small.most[i]) <= turns;

		snprintf(name, sizeof(name), "%s/%s/%u-classes", ops->name, call_names[i],
			 classes);
		result(bounded && small.most[i] == large.most[i], name,
		       "at most %u steps with few queued, %u with 10^6", small.most[i],
		       large.most[i]);
	}
	snprintf(name, sizeof(name), "%s/every-call/%u-classes", ops->name, classes);
	result(!memcmp(&small, &large, sizeof(small)), name, "the same %u calls", ROUNDS * CALLS);
}

/* Into stream @s, or with a deadline, or both. */
static void put_in(struct cats_conductor *c, struct cats_msg *m, struct cats_stream *s,
		   u64 deadline)
{
	memset(m, 0, sizeof(*m));
	m->urgency = CATS_URGENCY_DEFAULT;
	m->len = MSG_LEN;
	m->incremental = s;
	m->deadline_ns = deadline;
	steps = 0;
	cats_conductor_enqueue(c, m, s, 0);
}

/*
 * @n incremental streams of two messages each; or, with @timed, @n messages with
 * deadlines, in no order.  What is sent is queued again.
 */
static void trace_many(struct trace *t, const struct cats_conductor_ops *ops, unsigned int n,
		       bool timed)
{
	unsigned int i, count = timed ? n : 2 * n;
	struct cats_conductor c;
	struct cats_msg *m;

	memset(t, 0, sizeof(*t));
	cats_conductor_init(&c, ops);
	for (i = 0; i < n && !timed; i++) {
		cats_stream_init(&streams[i]);
		steps = 0;
	}
	for (i = 0; i < count; i++)
		put_in(&c, &msgs[i], timed ? NULL : &streams[i / 2],
		       timed ? 1 + i * 2654435761U : 0);
	for (i = 0; i < ROUNDS; i++) {
		steps = 0;
		m = cats_conductor_next(&c);
		note(t, i, CALL_NEXT);
		cats_conductor_commit(&c, m, MSG_LEN, 0);
		note(t, i, CALL_COMMIT);
		put_in(&c, m, timed ? NULL : m->stream,
		       timed ? 1 + (count + i) * 2654435761U : 0);
		note(t, i, CALL_ENQUEUE);
	}
}

/* 1 stream and 10 000: no call may tell. */
static void compare_streams(const struct cats_conductor_ops *ops)
{
	char name[60];

	trace_many(&small, ops, 1, false);
	trace_many(&large, ops, NR_STREAMS, false);
	snprintf(name, sizeof(name), "%s/streams", ops->name);
	result(small.most[CALL_NEXT] && !memcmp(&small, &large, sizeof(small)), name,
	       "next %u, commit %u, enqueue %u steps with 1 and with 10^4 streams",
	       large.most[CALL_NEXT], large.most[CALL_COMMIT], large.most[CALL_ENQUEUE]);
}

/*
 * A decision finds the earliest deadline; to queue one takes a walk down two trees, of at
 * most twice the logarithm each, with 3 blocks for each step of it.
 */
static void compare_deadlines(const struct cats_conductor_ops *ops)
{
	unsigned int walk = 2 * 2 * 3 * 20;
	char name[60];

	trace_many(&small, ops, BACKLOG_SMALL, true);
	trace_many(&large, ops, BACKLOG_LARGE, true);
	snprintf(name, sizeof(name), "%s/deadlines", ops->name);
	result(small.most[CALL_NEXT] && small.most[CALL_NEXT] == large.most[CALL_NEXT] &&
	       large.most[CALL_COMMIT] <= STEPS_MAX &&
	       large.most[CALL_ENQUEUE] <= STEPS_MAX + walk, name,
	       "next %u, commit %u, enqueue %u steps with few, %u %u %u with 10^6 deadlines",
	       small.most[CALL_NEXT], small.most[CALL_COMMIT], small.most[CALL_ENQUEUE],
	       large.most[CALL_NEXT], large.most[CALL_COMMIT], large.most[CALL_ENQUEUE]);
}

static void send(struct cats_conductor *c, unsigned int urgency, u32 len)
{
	put(c, &msgs[0], urgency, len);
	steps = 0;
	cats_conductor_commit(c, cats_conductor_next(c), len, 0);
}

/* The most turns that valid parameters and one message can ask for. */
static void longest_decision(void)
{
	struct cats_debt_params p;
	struct cats_conductor c;
	unsigned int i;
	bool valid;

	cats_conductor_init(&c, &cats_debt);
	cats_debt_get_params(&c, &p);
	for (i = 0; i < CATS_URGENCY_MAX; i++) {
		p.high[i] = 1U << 30;
		p.low[i] = 1;
		p.payback[i] = 2;
	}
	p.payback_sum = 4;
	p.payback[CATS_URGENCY_MAX] = 1;
	valid = !cats_debt_set_params(&c, &p);
	for (i = CATS_URGENCY_MAX; i--;) {
		/* What is sent pays the debt of more urgent classes: none yet. */
		send(&c, i, (1U << 30) - 1);
		send(&c, i, 1U << 31);
	}
	for (i = 0; i < CATS_URGENCY_MAX; i++)
		put(&c, &msgs[i], i, 1);
	steps = 0;
	cats_conductor_next(&c);
	i = turns_of(steps);
	result(valid && i > TURNS_MAX / 2 && i <= TURNS_MAX, "debt/longest-decision",
	       "%lu steps, room for %u turns", steps, TURNS_MAX);
}

int main(void)
{
	static const struct cats_conductor_ops *const policies[] = {
		&cats_bounded, &cats_strict, &cats_wfq, &cats_edf, &cats_debt,
		&cats_debt_paper, &cats_debt_refcode,
	};
	unsigned int i;

	printf("KTAP version 1\n1..%zu\n", ARRAY_SIZE(policies) * (2 * (CALLS + 1) + 2) + 1);
	for (i = 0; i < ARRAY_SIZE(policies); i++) {
		compare(policies[i], CATS_NR_URGENCIES);
		compare(policies[i], CATS_URGENCY_MAX);
		compare_streams(policies[i]);
		compare_deadlines(policies[i]);
	}
	longest_decision();
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
