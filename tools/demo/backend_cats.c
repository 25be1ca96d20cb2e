// SPDX-License-Identifier: GPL-2.0
/*
 * cats: every message goes to the kernel at once, with its urgency beside it.
 * The kernel decides which one goes next.
 *
 * In a batch all messages that are due together go in one sendmmsg(2), in the
 * application's order.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/cats.h>

#include "sender.h"
#include "util.h"

/* As many as one sendmmsg() takes. */
#define MAX_BATCH	1024

/* Says why the kernel refused something, in its own words if it has any. */
static void __attribute__((noreturn)) refused(const struct conn *c, const char *what)
{
	struct cats_info info = { .reason = "" };
	socklen_t len = sizeof(info);
	int err = errno;

	if (!getsockopt(c->fd, SOL_CATS, CATS_INFO, &info, &len) && info.reason[0])
		die("%s: %s (the kernel says: %.*s)", what, strerror(err),
		    CATS_REASON_MAX, info.reason);
	errno = err;
	die_errno("%s", what);
}

static void cats_setup(struct conn *c)
{
	/* poll(2) speaks of the default tag: let that be the tag of bulk */
	struct cats_tag bulk = { .urgency = CATS_PRIO_SCAVENGER };

	if (setsockopt(c->fd, IPPROTO_TCP, TCP_ULP, CATS_ULP_NAME, strlen(CATS_ULP_NAME))) {
		if (errno == ENOENT)
			die("TCP_ULP cats: not loaded (insmod cats.ko; see uapi/linux/cats.h)");
		die_errno("TCP_ULP cats");
	}
	if (setsockopt(c->fd, SOL_CATS, CATS_CONDUCTOR, c->conductor, strlen(c->conductor) + 1))
		refused(c, "CATS_CONDUCTOR");
	if (setsockopt(c->fd, SOL_CATS, CATS_TAG, &bulk, sizeof(bulk)))
		refused(c, "CATS_TAG");
}

/* A message as sendmsg() wants it. */
struct tagged {
	struct iovec iov;
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(struct cats_tag))];
	} control;
};

static void make_tagged(struct msghdr *msg, struct tagged *t, const struct message *m)
{
	const struct cats_tag tag = { .urgency = m->urgency };
	struct cmsghdr *cmsg;

	memset(t, 0, sizeof(*t));
	t->iov.iov_base = (void *)m->data;
	t->iov.iov_len = m->len;
	*msg = (struct msghdr) {
		.msg_iov = &t->iov,
		.msg_iovlen = 1,
		.msg_control = t->control.space,
		.msg_controllen = sizeof(t->control.space),
	};
	cmsg = CMSG_FIRSTHDR(msg);
	cmsg->cmsg_level = SOL_CATS;
	cmsg->cmsg_type = CATS_TAG;
	cmsg->cmsg_len = CMSG_LEN(sizeof(tag));
	memcpy(CMSG_DATA(cmsg), &tag, sizeof(tag));
}

/* What is gathered for one call; those before @sent the kernel has. */
static struct {
	struct message messages[MAX_BATCH];
	struct tagged tagged[MAX_BATCH];
	struct mmsghdr headers[MAX_BATCH];
	unsigned int nr, sent;
} batch;

static bool gather(const struct message *m)
{
	unsigned int i = batch.nr;

	if (i == MAX_BATCH)
		die("more than %d messages are due together", MAX_BATCH);
	batch.messages[i] = *m;
	make_tagged(&batch.headers[i].msg_hdr, &batch.tagged[i], &batch.messages[i]);
	batch.nr++;
	return true;
}

static bool cats_submit(struct conn *c, const struct message *m)
{
	struct tagged tagged;
	struct msghdr msg;
	ssize_t n;

	if (c->batch)
		return gather(m);
	make_tagged(&msg, &tagged, m);
	n = sendmsg(c->fd, &msg, MSG_NOSIGNAL);
	if (n == (ssize_t)m->len) {
		c->taken += n;
		return true;
	}
	if (n >= 0)
		die("a tagged message was taken in part, %zd bytes of %u", n, m->len);
	if (errno != EAGAIN)
		refused(c, "sendmsg with CATS_TAG");
	c->blocked = true;
	c->refused++;
	return false;
}

static uint64_t read_info(const struct conn *c, struct cats_info *info)
{
	socklen_t len = sizeof(*info);
	uint64_t queued = 0;
	int i;

	if (getsockopt(c->fd, SOL_CATS, CATS_INFO, info, &len))
		die_errno("CATS_INFO");
	for (i = 0; i < CATS_NR_URGENCIES; i++)
		queued += info->classes[i].queued_bytes;
	return queued;
}

/*
 * While the Conductor holds data, TCP must not be application-limited.  Nobody
 * writes between the two looks at the queue, so if there is data in both there
 * was data all the time between them.
 */
static void cats_sample(struct conn *c)
{
	struct cats_info info;
	struct tcp_info tcp;
	socklen_t len = sizeof(tcp);
	uint64_t queued;

	if (!c->samples || !read_info(c, &info))
		return;
	if (getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &tcp, &len))
		die_errno("TCP_INFO");
	queued = read_info(c, &info);
	if (!queued)
		return;
	fprintf(c->samples, "%s\t%s\t%.1f\t%" PRIu64 "\t%u\t%u\t%u\t%u\t%u\n",
		c->exp->name, c->sender, (double)(now_ns() - c->start_ns) / NSEC_PER_MSEC,
		queued, tcp.tcpi_delivery_rate_app_limited,
		info.committed, info.committed_max, info.budget, info.budget_max);
}

static void cats_flush(struct conn *c)
{
	int n;

	if (c->blocked || batch.sent == batch.nr)
		return;
	n = sendmmsg(c->fd, batch.headers + batch.sent, batch.nr - batch.sent, MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN)
		refused(c, "sendmmsg with CATS_TAG");
	for (; n > 0; n--, batch.sent++) {
		if (batch.headers[batch.sent].msg_len != batch.messages[batch.sent].len)
			die("a tagged message was taken in part");
		c->taken += batch.headers[batch.sent].msg_len;
	}
	c->blocked = batch.sent < batch.nr;
	c->refused += c->blocked;
	cats_sample(c);
}

const struct backend backend_cats = {
	.name = "cats",
	.setup = cats_setup,
	.submit = cats_submit,
	.writable = cats_flush,
	.flush = cats_flush,
	.sample = cats_sample,
};
