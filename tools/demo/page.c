// SPDX-License-Identifier: GPL-2.0
/*
 * page: the reference experiment.  Five groups of messages, all there at once,
 * written in the worst order.  What arrives when?
 */
#include "sender.h"
#include "util.h"

static const struct group {
	unsigned int group;
	uint32_t bytes;
} worst_order[NR_GROUPS] = {
	{ 4, 150000 }, { 3, 60000 }, { 2, 40000 }, { 1, 25000 }, { 0, 8000 },
};

/* Where the application is in writing its page. */
static struct {
	int turn;			/* index of the group */
	uint32_t seq, written;		/* in that group */
	uint64_t start;
} at;

static void page_start(struct conn *c, uint64_t now)
{
	(void)c;
	at.start = now;
}

static const struct group *current_group(const struct conn *c)
{
	return &worst_order[c->perfect ? NR_GROUPS - 1 - at.turn : at.turn];
}

/* A message, not a group, is contiguous on the wire: so a group is many of them. */
static void page_run(struct conn *c)
{
	const struct group *g;
	struct message m;
	uint32_t len;

	while (at.turn < NR_GROUPS) {
		g = current_group(c);
		len = g->bytes - at.written < FRAME_MAX ? g->bytes - at.written : FRAME_MAX;
		message_make(&m, g->group, at.seq, len, at.start, at.written + len == g->bytes);
		if (c->backend->sample && !at.seq)
			c->backend->sample(c);
		if (!c->backend->submit(c, &m))
			return;
		at.seq++;
		at.written += len;
		if (at.written < g->bytes)
			continue;
		at.turn++;
		at.seq = 0;
		at.written = 0;
	}
}

static uint64_t page_next_due(void)
{
	return 0;
}

const struct experiment experiment_page = {
	.name = "page",
	/* The default limit of net.core.wmem_max: the whole page fits. */
	.sndbuf = 212992,
	.start = page_start,
	.run = page_run,
	.next_due = page_next_due,
};
