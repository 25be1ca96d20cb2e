/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One connection, one event loop, and two things that can be exchanged:
 *
 *	experiment	what the application wants to send, and when (page.c, late.c)
 *	backend		how it gets into the connection (backend_*.c)
 *
 * All that is not in one of the two is the same for every row of the tables.
 */
#ifndef DEMO_SENDER_H
#define DEMO_SENDER_H

#include <stdio.h>

#include "frame.h"

struct backend;
struct experiment;

struct message {
	unsigned int urgency;
	uint32_t len;
	unsigned char data[FRAME_MAX];
};

struct conn {
	int fd;
	const struct backend *backend;
	const struct experiment *exp;
	const char *sender;		/* name of the row */
	const char *conductor;		/* for CATS */
	bool batch;			/* CATS: what is due together goes in one call */
	bool perfect;			/* knows the perfect order from the start */

	/* The socket said EAGAIN, and EPOLLOUT did not follow yet. */
	bool blocked;

	/* The rest of a message that plain TCP took in part: goes out before all else. */
	struct message partial;
	uint32_t partial_pos;

	uint64_t taken;			/* bytes that the socket took */
	unsigned int refused;		/* messages that it did not take when they were offered */

	FILE *samples;			/* where backend->sample writes to, or NULL */
	uint64_t start_ns;
};

struct backend {
	const char *name;
	/* After connect(), before the socket becomes non-blocking. */
	void (*setup)(struct conn *c);
	/*
	 * Hands over a message; from then on it is the backend's.  False: no room,
	 * offer it again when the socket has become writable.
	 */
	bool (*submit)(struct conn *c, const struct message *m);
	/* The socket became writable. */
	void (*writable)(struct conn *c);
	/* May be NULL; for now all is submitted. */
	void (*flush)(struct conn *c);
	/* May be NULL; an occasion to look at the connection, before an urgent message. */
	void (*sample)(struct conn *c);
};

struct experiment {
	const char *name;
	int sndbuf;			/* SO_SNDBUF, 0: leave it to the kernel */
	void (*start)(struct conn *c, uint64_t now);
	/* Make and submit all that is due and fits. */
	void (*run)(struct conn *c);
	/* When to call run() even if the socket does not become writable; 0: never. */
	uint64_t (*next_due)(void);
};

extern const struct backend backend_tcp, backend_userq, backend_cats;
extern const struct experiment experiment_page, experiment_late;

/* Urgency of each group, P0 to P4. */
extern const unsigned int group_urgency[NR_GROUPS];

/* Makes message @seq of @group, @len bytes. */
void message_make(struct message *m, unsigned int group, uint32_t seq, uint32_t len,
		  uint64_t want_ns, bool last);

/*
 * Plain TCP, for the backends that write a message untagged.  conn_write()
 * takes @m, perhaps the end of it only into c->partial; false if none of it fits.
 * conn_finish_partial() is true when nothing is left of it.
 */
bool conn_write(struct conn *c, const struct message *m);
bool conn_finish_partial(struct conn *c);

#endif /* DEMO_SENDER_H */
