// SPDX-License-Identifier: GPL-2.0
/*
 * late: bulk saturates the link, and every 50 ms something urgent comes up.
 * How long does that take?  No ordering in advance helps: the urgent message
 * does not exist yet when the bulk before it is written.
 *
 * The application makes bulk whenever the socket is writable.  An urgent message
 * is offered when it is due, even to a socket that is full of bulk, and until the
 * socket takes it no more bulk is made.
 */
#include "sender.h"
#include "util.h"

#define DURATION	(20 * NSEC_PER_SEC)
#define PERIOD		(50 * NSEC_PER_MSEC)
#define NR_URGENT	(DURATION / PERIOD)

#define URGENT_GROUP	0
#define URGENT_BYTES	200
#define BULK_GROUP	4
#define BULK_BYTES	1000

static uint64_t start_ns;
static uint32_t urgent_seq, bulk_seq;
static bool bulk_ended;
static uint32_t sampled_seq;		/* the next urgent message to take a sample before */
static bool urgent_waits;		/* due, but the socket did not take it */

static uint64_t urgent_due(void)
{
	return start_ns + urgent_seq * PERIOD;
}

static void late_start(struct conn *c, uint64_t now)
{
	(void)c;
	start_ns = now;
}

/* False: an urgent message is due and the socket did not take it. */
static bool send_urgent(struct conn *c)
{
	struct message m;

	while (urgent_seq < NR_URGENT && urgent_due() <= now_ns()) {
		if (c->backend->sample && sampled_seq == urgent_seq) {
			c->backend->sample(c);
			sampled_seq++;
		}
		message_make(&m, URGENT_GROUP, urgent_seq, URGENT_BYTES, urgent_due(),
			     urgent_seq == NR_URGENT - 1);
		urgent_waits = !c->backend->submit(c, &m);
		if (urgent_waits)
			return false;
		urgent_seq++;
	}
	return true;
}

static void late_run(struct conn *c)
{
	struct message m;
	uint64_t now;

	while (send_urgent(c) && !c->blocked && !bulk_ended) {
		now = now_ns();
		/* the first one that is made after the end says that it is the last */
		message_make(&m, BULK_GROUP, bulk_seq, BULK_BYTES, now,
			     now >= start_ns + DURATION);
		if (!c->backend->submit(c, &m))
			return;
		bulk_seq++;
		bulk_ended = now >= start_ns + DURATION;
	}
}

static uint64_t late_next_due(void)
{
	return urgent_seq < NR_URGENT && !urgent_waits ? urgent_due() : 0;
}

const struct experiment experiment_late = {
	.name = "late",
	.sndbuf = 0,
	.start = late_start,
	.run = late_run,
	.next_due = late_next_due,
};
