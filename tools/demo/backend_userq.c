// SPDX-License-Identifier: GPL-2.0
/*
 * userq: the best that an application can do over plain TCP, the honest rival.
 *
 * It keeps its messages in a priority queue of its own and lets the kernel hold
 * no more than TCP_NOTSENT_LOWAT unsent bytes, so that a message waits only
 * behind those.  Whenever the socket takes more, the most urgent message goes
 * first.  A message that the socket took in part is finished before all else:
 * the receiver needs it whole.
 *
 * It asks poll() before every message instead of writing until EAGAIN.  The limit
 * stops a write only where TCP would start a new packet, and while TCP still fills
 * the last one (up to 64 KiB) it takes far more than the limit.  poll() does not,
 * and it says writable only below half of the limit: that is all that an urgent
 * message ever waits behind.
 *
 * 16 KiB is the usual advice; less costs throughput on fast links, more makes
 * urgent messages wait longer.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <linux/cats.h>

#include "sender.h"
#include "util.h"

#define LOWAT	(16 * 1024)

struct node {
	struct node *next;
	struct message message;
};

struct fifo {
	struct node *head, **tail;
};

/* One FIFO per urgency: taking the most urgent message costs eight comparisons. */
static struct fifo queue[CATS_NR_URGENCIES];

static void userq_setup(struct conn *c)
{
	int lowat = LOWAT, i;

	if (setsockopt(c->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &lowat, sizeof(lowat)))
		die_errno("TCP_NOTSENT_LOWAT");
	for (i = 0; i < CATS_NR_URGENCIES; i++)
		queue[i].tail = &queue[i].head;
}

static void push(const struct message *m)
{
	struct fifo *fifo = &queue[m->urgency];
	struct node *node = malloc(sizeof(*node));

	if (!node)
		die_errno("memory for a message");
	node->message = *m;
	node->next = NULL;
	*fifo->tail = node;
	fifo->tail = &node->next;
}

static struct fifo *most_urgent(void)
{
	int i;

	for (i = 0; i < CATS_NR_URGENCIES; i++) {
		if (queue[i].head)
			return &queue[i];
	}
	return NULL;
}

static void drop_head(struct fifo *fifo)
{
	struct node *node = fifo->head;

	fifo->head = node->next;
	if (!fifo->head)
		fifo->tail = &fifo->head;
	free(node);
}

static bool has_room(struct conn *c)
{
	struct pollfd pfd = { .fd = c->fd, .events = POLLOUT };

	if (poll(&pfd, 1, 0) < 0)
		die_errno("poll");
	c->blocked = !(pfd.revents & POLLOUT);
	return !c->blocked;
}

static void userq_writable(struct conn *c)
{
	struct fifo *fifo;

	if (!conn_finish_partial(c))
		return;
	while ((fifo = most_urgent()) && has_room(c)) {
		if (conn_write(c, &fifo->head->message))
			drop_head(fifo);
		if (c->blocked)
			return;
	}
}

/* The queue has no limit: always true.  It is for the experiment to watch c->blocked. */
static bool userq_submit(struct conn *c, const struct message *m)
{
	push(m);
	userq_writable(c);
	return true;
}

const struct backend backend_userq = {
	.name = "userq",
	.setup = userq_setup,
	.submit = userq_submit,
	.writable = userq_writable,
};
