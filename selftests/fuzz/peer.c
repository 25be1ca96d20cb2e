// SPDX-License-Identifier: GPL-2.0
/*
 * The peer: plain TCP.  Does what its part of the program says, then reads to
 * the end of the stream, unless it has left.
 */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

/* Reads what is there, at most @max; returns false at the end. */
static bool read_some(struct worker *w, uint32_t max, int flags)
{
	uint32_t room = STREAM_MAX - ledger->stream_len;
	ssize_t n;

	n = recv(episode.rx, ledger->stream + ledger->stream_len,
		 max < room ? max : room, flags);
	count_call(w);
	if (n > 0) {
		ledger->stream_len += n;
		return true;
	}
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	/* The error of a reset comes once, and writing may have got it. */
	ledger->peer_end = n || ledger->peer_told ? PEER_RESET_BY_US : PEER_EOF;
	if (n && errno != ECONNRESET)
		fail("peer: recv gives error %d (%s)", errno, strerror(errno));
	return false;
}

static void leave(struct worker *w, bool reset)
{
	struct linger linger = { .l_onoff = 1 };

	/*
	 * The rest of our side's program may find the connection gone from now on;
	 * if there is unread data a close is a reset, too.
	 */
	ledger->peer_fin = true;
	ledger->peer_end = PEER_GONE;
	if (reset)
		setsockopt(episode.rx, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	else
		ledger->error_lost = true;
	count_call(w);
	close(episode.rx);
	episode.rx = -1;
}

static void peer_pause(const struct op *op)
{
	struct timespec ts = {
		.tv_sec = op->b % 64 == 0 ? 3 : 0, .tv_nsec = op->b % 30000 * 1000,
	};

	nanosleep(&ts, NULL);
}

static void peer_send(struct worker *w, const struct op *op)
{
	/* If our side does not read this, its close is a reset. */
	ledger->we_abort = true;
	count_call(w);
	if (send(episode.rx, w->buf, op->a, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
	    errno != EAGAIN && errno != EINTR)
		ledger->peer_told = true;
}

/* Returns false when the peer is done. */
static bool peer_op(struct worker *w, const struct op *op)
{
	int size = 2048 + op->b % 60000;

	switch (op->kind) {
	case OP_PEER_READ:
		return read_some(w, op->a, op->b & 1 ? MSG_DONTWAIT : 0);
	case OP_PEER_PAUSE:
		peer_pause(op);
		break;
	case OP_PEER_SEND:
		peer_send(w, op);
		break;
	case OP_PEER_RCVBUF:
		count_call(w);
		setsockopt(episode.rx, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
		break;
	case OP_PEER_SHUTDOWN:
		/* A reset then is EPIPE for our side. */
		ledger->error_lost = true;
		count_call(w);
		shutdown(episode.rx, SHUT_WR);
		break;
	case OP_PEER_CLOSE:
	case OP_PEER_RESET:
		leave(w, op->kind == OP_PEER_RESET);
		return false;
	}
	return true;
}

void *peer_run(void *arg)
{
	const struct program *p = episode.program;
	struct worker *w = arg;
	uint32_t i;

	for (i = 0; i < p->nr; i++) {
		if (p->ops[i].actor != ACTOR_PEER)
			continue;
		ledger->doing[ACTOR_PEER] = i + 1;
		if (!peer_op(w, &p->ops[i]))
			return NULL;
	}
	ledger->doing[ACTOR_PEER] = MAX_OPS + 1;
	while (read_some(w, STREAM_MAX, 0))
		;
	return NULL;
}
