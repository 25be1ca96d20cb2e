// SPDX-License-Identifier: GPL-2.0
/*
 * Operations that neither write nor set options, and what all of them share:
 * counting, and the errors a call may give.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/sockios.h>

#include "../module.h"
#include "fuzz.h"

void count_call(const struct worker *w)
{
	ledger->calls[w->actor]++;
}

/* Remembers that the application was told of the end of the connection. */
void note_error(int err)
{
	if (err == ECONNRESET)
		ledger->reset_seen = true;
	if (err == ECONNRESET || err == EPIPE || err == ETIMEDOUT)
		ledger->error_seen = true;
}

/**
 * expect() - was this a result that the call may have?
 * @w: who called
 * @op: what
 * @ret: negative if it failed
 * @err: errno then
 * @allowed: list of errors, ends with 0
 */
void expect(const struct worker *w, const struct op *op, long ret, int err,
	    const int *allowed)
{
	if (ret >= 0)
		return;
	note_error(err);
	for (; *allowed; allowed++)
		if (*allowed == err)
			return;
	fail("%s by actor %u: unexpected error %d (%s)", op_name(op->kind), w->actor,
	     err, strerror(err));
}

static void op_recv(struct worker *w, const struct op *op)
{
	static const int allowed[] = {
		EAGAIN, EINTR, ECONNRESET, EPIPE, ENOTCONN, EBADF, 0
	};
	long ret = recv(episode.tx, w->buf, op->a, MSG_DONTWAIT);

	count_call(w);
	expect(w, op, ret, errno, allowed);
}

static void op_poll(struct worker *w, const struct op *op)
{
	struct pollfd pfd = { .fd = episode.tx, .events = op->b & POLLOUT ?: POLLIN };
	static const int allowed[] = { EINTR, 0 };
	long ret = poll(&pfd, 1, op->a % 4);

	count_call(w);
	expect(w, op, ret, errno, allowed);
}

static void op_outq(struct worker *w, const struct op *op)
{
	static const unsigned long requests[] = { SIOCOUTQ, SIOCOUTQNSD, SIOCINQ };
	static const int allowed[] = { EBADF, EINVAL, 0 };
	int bytes = 0;
	long ret = ioctl(episode.tx, requests[op->b % 3], &bytes);

	count_call(w);
	expect(w, op, ret, errno, allowed);
	if (!ret && (bytes < 0 || bytes > STREAM_MAX))
		fail("outq: %d bytes", bytes);
}

static void op_names(struct worker *w)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	struct stat st;

	getsockname(episode.tx, (struct sockaddr *)&ss, &len);
	count_call(w);
	len = sizeof(ss);
	getpeername(episode.tx, (struct sockaddr *)&ss, &len);
	count_call(w);
	fstat(episode.tx, &st);
	count_call(w);
}

static void op_unload(struct worker *w)
{
	/* Only while this process is sure to hold an attached socket. */
	if (episode.keep < 0 || !ledger->attached)
		return;
	count_call(w);
	if (!module_unload())
		fail("the module was unloaded under a socket");
	else if (errno != EAGAIN && errno != EBUSY)
		fail("unload: unexpected error %d (%s)", errno, strerror(errno));
}

/* Passes the socket to ourselves, or leaves it on its way. */
static void op_scm(struct worker *w, const struct op *op)
{
	union { char buf[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control;
	struct iovec iov = { .iov_base = w->buf, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	int fd = episode.tx;

	if (episode.closed)
		return;
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	count_call(w);
	if (sendmsg(episode.unix_pair[0], &msg, MSG_DONTWAIT) != 1 || op->b % 4 == 0)
		return;
	count_call(w);
	msg.msg_controllen = sizeof(control);
	if (recvmsg(episode.unix_pair[1], &msg, MSG_DONTWAIT) != 1 ||
	    msg.msg_controllen < CMSG_LEN(sizeof(fd)))
		return;
	memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
	close(fd);
}

static void op_signal(struct worker *w, const struct op *op)
{
	pid_t tid = episode.tid[op->b % MAX_THREADS];

	count_call(w);
	if (tid && w->actor != ACTOR_CHILD)
		syscall(SYS_tgkill, getpid(), tid, SIGUSR1);
}

static void op_pause(const struct op *op)
{
	struct timespec ts = { .tv_nsec = op->b % 1000 * 1000 };

	if (op->b & 1)
		nanosleep(&ts, NULL);
	else
		syscall(SYS_sched_yield);
}

static void op_shutdown(struct worker *w, const struct op *op)
{
	static const int allowed[] = { ENOTCONN, EBADF, 0 };
	int how = op->b % 4 ? SHUT_WR : SHUT_RD;

	if (how == SHUT_WR)
		ledger->we_shut = true;
	count_call(w);
	expect(w, op, shutdown(episode.tx, how), errno, allowed);
}

/*
 * The number must stay taken, or another file would get it while other threads
 * write: it becomes one on which every call gives EBADF.
 */
static void op_close(struct worker *w)
{
	int nothing = open("/", O_PATH);

	episode.closed = 1;
	ledger->we_shut = true;
	count_call(w);
	dup2(nothing, episode.tx);
	close(nothing);
}

static void op_disconnect(struct worker *w, const struct op *op)
{
	struct sockaddr unspec = { .sa_family = AF_UNSPEC };
	static const int allowed[] = { EBADF, 0 };

	ledger->we_abort = true;
	ledger->we_shut = true;
	count_call(w);
	expect(w, op, connect(episode.tx, &unspec, sizeof(unspec)), errno, allowed);
}

static void op_linger(struct worker *w, const struct op *op)
{
	struct linger linger = { .l_onoff = op->b & 1, .l_linger = op->b & 2 };
	static const int allowed[] = { EBADF, 0 };

	ledger->we_abort = true;
	count_call(w);
	expect(w, op, setsockopt(episode.tx, SOL_SOCKET, SO_LINGER, &linger,
				 sizeof(linger)), errno, allowed);
}

/**
 * op_control() - do an operation that neither writes nor sets options
 * @w: who does it
 * @op: operation
 */
void op_control(struct worker *w, const struct op *op)
{
	switch (op->kind) {
	case OP_RECV:
		op_recv(w, op);
		break;
	case OP_POLL:
		op_poll(w, op);
		break;
	case OP_ERRQUEUE:
		errqueue_read(w, episode.tx);
		break;
	case OP_OUTQ:
		op_outq(w, op);
		break;
	case OP_NAMES:
		op_names(w);
		break;
	case OP_UNLOAD:
		op_unload(w);
		break;
	case OP_SCM:
		op_scm(w, op);
		break;
	case OP_SIGNAL:
		op_signal(w, op);
		break;
	case OP_PAUSE:
		op_pause(op);
		break;
	case OP_SHUTDOWN:
		op_shutdown(w, op);
		break;
	case OP_CLOSE:
		op_close(w);
		break;
	case OP_DISCONNECT:
		op_disconnect(w, op);
		break;
	case OP_LINGER:
		op_linger(w, op);
		break;
	}
}
