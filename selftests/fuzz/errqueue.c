// SPDX-License-Identifier: GPL-2.0
/*
 * The error queue: completions of MSG_ZEROCOPY, transmit time stamps, and notices.
 *
 * Every call with MSG_ZEROCOPY is completed once, however it was sent.  A time stamp
 * has the number of the last byte of a call, in the order of the calls, whatever has
 * overtaken what; with one thread that writes, the ledger knows all of these.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/errqueue.h>
#include <linux/net_tstamp.h>

#include "fuzz.h"

#define STAMPS	(SOF_TIMESTAMPING_TX_SCHED | SOF_TIMESTAMPING_TX_SOFTWARE | \
		 SOF_TIMESTAMPING_TX_ACK | SOF_TIMESTAMPING_SOFTWARE | \
		 SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY)

/**
 * errqueue_open() - ask for what the program wants
 * @p: program
 * @fd: CATS socket, nothing written
 *
 * Return: 0 or -1.
 */
int errqueue_open(const struct program *p, int fd)
{
	int stamps = p->param[P_TXSTAMP] ? STAMPS : 0, on = p->param[P_ZEROCOPY];

	return setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof(on)) ||
	       setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &stamps, sizeof(stamps));
}

/* Is byte @number, counted from 0, the last one of a call? */
static bool ends_a_call(uint32_t number)
{
	uint32_t id, end = 0;

	for (id = 0; id < MAX_MSGS; id++) {
		const struct message *m = &ledger->msgs[id];

		if (!m->accepted)
			continue;
		end += m->accepted;
		if (number == end - 1)
			return true;
		/* The pages of a sendfile() are calls for the module. */
		if (number < end)
			return m->flags & MESSAGE_PAGED;
	}
	/* What check_told() writes is not in the ledger. */
	return ledger->peer_fin;
}

static void check_stamp(uint32_t number)
{
	const uint32_t *param = episode.program->param;

	if (!param[P_TXSTAMP])
		fail("errqueue: a time stamp that nobody wanted");
	/* In the order of their numbers, messages are written by one thread only. */
	if (param[P_THREADS] == 1 && !param[P_CHILD] && !ends_a_call(number))
		fail("errqueue: time stamp of byte %u, with which no call ended", number);
}

static void check_event(const struct sock_extended_err *ee)
{
	switch (ee->ee_origin) {
	case SO_EE_ORIGIN_ZEROCOPY:
		__atomic_fetch_add(&ledger->completed, ee->ee_data - ee->ee_info + 1,
				   __ATOMIC_RELAXED);
		break;
	case SO_EE_ORIGIN_TIMESTAMPING:
		check_stamp(ee->ee_data);
		break;
	}
}

static void check_notice(const struct cats_notice *notice)
{
	if (!episode.program->param[P_RICH])
		fail("errqueue: a notice that nobody wanted");
	if (notice->event >= CATS_NR_EVENTS || notice->urgency > CATS_URGENCY_MAX ||
	    notice->stream > NR_STREAMS || notice->cookie > 2 || !notice->len)
		fail("errqueue: notice of event %u, urgency %u, stream %u, %u bytes",
		     notice->event, notice->urgency, notice->stream, notice->len);
	if (notice->event > CATS_EVENT_ACKED ? notice->end_seq :
	    notice->end_seq - notice->first_seq != notice->len)
		fail("errqueue: notice of event %u from %u to %u, of %u bytes",
		     notice->event, notice->first_seq, notice->end_seq, notice->len);
}

/* Returns false if there was nothing. */
static bool read_one(struct worker *w, int fd)
{
	char control[512];
	struct msghdr msg = { .msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg;

	count_call(w);
	if (recvmsg(fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) {
		if (errno != EAGAIN && errno != EBADF)
			fail("errqueue: error %d (%s)", errno, strerror(errno));
		return false;
	}
	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg))
		if ((cmsg->cmsg_level == SOL_IP && cmsg->cmsg_type == IP_RECVERR) ||
		    (cmsg->cmsg_level == SOL_IPV6 && cmsg->cmsg_type == IPV6_RECVERR))
			check_event((struct sock_extended_err *)CMSG_DATA(cmsg));
		else if (cmsg->cmsg_level == SOL_CATS)
			check_notice((struct cats_notice *)CMSG_DATA(cmsg));
	return true;
}

/**
 * errqueue_read() - read all that is there
 * @w: who reads
 * @fd: CATS socket
 */
void errqueue_read(struct worker *w, int fd)
{
	while (read_one(w, fd))
		;
}

/**
 * errqueue_check() - everything was acknowledged: is it completed?
 */
void errqueue_check(void)
{
	bool exact;

	oracle_accepted(&exact);
	/* It may have read one, and not come to note that. */
	if (episode.program->param[P_CHILD] == CHILD_KILLED &&
	    ledger->completed < ledger->zerocopies)
		return;
	if (episode.program->param[P_ZEROCOPY] && exact &&
	    ledger->completed != ledger->zerocopies)
		fail("errqueue: %u calls with MSG_ZEROCOPY, %u completed",
		     ledger->zerocopies, ledger->completed);
}
