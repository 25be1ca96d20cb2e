// SPDX-License-Identifier: GPL-2.0
/*
 * Operations that write, each with its entry in the ledger and with the errors
 * that it may give.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fuzz.h"

#define SENDFILE_MAX	(48 * 1024)
#define SPLICE_MAX	(16 * 1024)
#define FILE_PAGE	4096
#define MMSG_MAX	2000
#define MMSG_NR		3
#define NO_TAG		(-1)

/* A message on its way into the kernel: two vectors, and a tag if it has one. */
struct outgoing {
	struct msghdr	msg;
	struct iovec	iov[3];
	union {
		char		buf[2 * CMSG_SPACE(64)];
		struct cmsghdr	align;
	} control;
};

static void set_cmsg(struct outgoing *o, int type, const void *data, size_t len)
{
	struct cmsghdr *cmsg = (struct cmsghdr *)((char *)&o->control +
						  o->msg.msg_controllen);

	cmsg->cmsg_level = SOL_CATS;
	cmsg->cmsg_type = type;
	cmsg->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(cmsg), data, len);
	o->msg.msg_control = &o->control;
	o->msg.msg_controllen += CMSG_SPACE(len);
}

static bool is_rich(void)
{
	return episode.program->param[P_RICH];
}

/* Some messages have all, some none of it. */
static void enrich(struct cats_tag *tag, uint32_t id)
{
	uint32_t rnd = id * 2654435761u >> 8;

	if (!is_rich() || rnd & 1)
		return;
	tag->stream = (rnd >> 1) % (NR_STREAMS + 1);
	if (tag->stream && rnd & 64)
		tag->flags |= CATS_F_INCREMENTAL;
	if (rnd & 128)
		tag->lifetime_us = 1 + (rnd >> 8) % 50000;
	tag->cookie = (rnd >> 12) % 3;
	if (tag->cookie && rnd & 1 << 16)
		tag->flags |= CATS_F_REPLACE;
	if (rnd & 1 << 17)
		tag->notify = CATS_NOTIFY_ALL & rnd;
}

/* Notes what the oracle has to know of it. */
static void note_tag(uint32_t id, int urgency)
{
	struct cats_tag tag = { .urgency = urgency };
	struct message *m = &ledger->msgs[id];

	if (urgency == NO_TAG || !is_rich())
		return;
	enrich(&tag, id);
	m->flags |= MESSAGE_LOOSE;
	m->stream = tag.stream;
	if (tag.flags & CATS_F_REPLACE || (!tag.stream && (tag.cookie || tag.lifetime_us)))
		m->flags |= MESSAGE_NO_ORDER;
}

static void outgoing_init(struct outgoing *o, uint32_t id, uint32_t len, int urgency)
{
	struct cats_tag tag = { .urgency = urgency };
	const uint8_t *head, *body;
	uint32_t head_len;

	message_bytes(id, 0, &head, &head_len, &body);
	memset(&o->msg, 0, sizeof(o->msg));
	o->iov[0].iov_base = (void *)head;
	o->iov[0].iov_len = head_len < len ? head_len : len;
	o->iov[1].iov_base = (void *)body;
	o->iov[1].iov_len = len - o->iov[0].iov_len;
	o->msg.msg_iov = o->iov;
	o->msg.msg_iovlen = 2;
	/* Both forms of a tag. */
	enrich(&tag, id);
	if (urgency != NO_TAG)
		set_cmsg(o, CATS_TAG, &tag, id & 1 || is_rich() ? sizeof(tag) :
								  sizeof(__u32));
}

static void message_begin(uint32_t id, uint32_t len, int urgency, uint32_t flags)
{
	struct message *m = &ledger->msgs[id];

	m->len = len;
	m->flags = flags;
	m->class = urgency;
	if (urgency != NO_TAG && ledger->attached)
		m->flags |= MESSAGE_WHOLE;
	if (!ledger->attached)
		m->class = CLASS_PLAIN;
	else
		note_tag(id, urgency);
	m->start_us = now_us();
	m->start = ledger_tick();
	__atomic_store_n(&m->state, MESSAGE_STARTED, __ATOMIC_RELEASE);
}

static void message_end(uint32_t id, uint32_t accepted)
{
	struct message *m = &ledger->msgs[id];

	if (m->flags & MESSAGE_WHOLE && accepted && accepted != m->len)
		fail("message %u: tagged, accepted in part: %u of %u bytes", id,
		     accepted, m->len);
	m->accepted = accepted;
	m->end = ledger_tick();
	m->end_us = now_us();
	__atomic_store_n(&m->state, MESSAGE_DONE, __ATOMIC_RELEASE);
}

/* The default tag, or that it changed under our hands. */
static int default_class(uint32_t changes_before, uint32_t tag)
{
	if (changes_before & 1 ||
	    changes_before != __atomic_load_n(&ledger->tag_changes, __ATOMIC_SEQ_CST))
		return CLASS_UNKNOWN;
	return tag;
}

static bool connection_may_be_gone(void)
{
	return ledger->we_shut || ledger->peer_fin;
}

static void check_result(struct worker *w, const struct op *op, long ret, int err,
			 bool tagged)
{
	int allowed[13], n = 0;

	count_call(w);
	allowed[n++] = EINTR;
	if (op->flags & MSG_DONTWAIT || ledger->timeouts)
		allowed[n++] = EAGAIN;
	if (connection_may_be_gone()) {
		allowed[n++] = EPIPE;
		allowed[n++] = ECONNRESET;
	}
	if (episode.closed)
		allowed[n++] = EBADF;
	if (tagged)
		allowed[n++] = EMSGSIZE;
	if (op->kind == OP_FAULT)
		allowed[n++] = EFAULT;
	if (op->flags & MSG_ZEROCOPY || is_rich())
		allowed[n++] = ENOBUFS;
	if (op->flags & MSG_FASTOPEN) {
		allowed[n++] = EISCONN;
		/* Disconnected, and without an address. */
		allowed[n++] = EINVAL;
	}
	allowed[n] = 0;
	expect(w, op, ret, err, allowed);
}

/* Does a call with these flags leave its message unfinished? */
static uint32_t more_flag(uint32_t flags)
{
	return flags & MSG_MORE && !(flags & (MSG_EOR | MSG_OOB)) ? MESSAGE_MORE : 0;
}

static void write_msg(struct worker *w, const struct op *op, uint32_t id, int urgency)
{
	uint32_t changes = __atomic_load_n(&ledger->tag_changes, __ATOMIC_SEQ_CST);
	uint32_t tag = ledger->tag, flags = op->flags | MSG_NOSIGNAL;
	struct outgoing o;
	long ret;
	int err;

	outgoing_init(&o, id, op->a, urgency);
	if (!ledger->attached)
		flags &= MSG_DONTWAIT | MSG_MORE | MSG_NOSIGNAL;
	message_begin(id, op->a, urgency, more_flag(flags));
	ret = sendmsg(episode.tx, &o.msg, flags);
	err = errno;
	if (ret > 0 && flags & MSG_ZEROCOPY)
		__atomic_fetch_add(&ledger->zerocopies, 1, __ATOMIC_RELAXED);
	if (urgency == NO_TAG && ledger->attached)
		ledger->msgs[id].class = default_class(changes, tag);
	message_end(id, ret > 0 ? ret : 0);
	check_result(w, op, ret, err, urgency != NO_TAG);
}

static void op_write_plain(struct worker *w, const struct op *op, uint32_t id)
{
	uint32_t changes = __atomic_load_n(&ledger->tag_changes, __ATOMIC_SEQ_CST);
	struct op as_done = *op;
	uint32_t tag = ledger->tag;
	long ret;
	int err;

	as_done.flags = 0;
	message_copy(id, w->buf, op->a);
	message_begin(id, op->a, NO_TAG, 0);
	ret = write(episode.tx, w->buf, op->a);
	err = errno;
	if (ledger->attached)
		ledger->msgs[id].class = default_class(changes, tag);
	message_end(id, ret > 0 ? ret : 0);
	check_result(w, &as_done, ret, err, false);
}

static void op_mmsg(struct worker *w, const struct op *op, uint32_t id)
{
	uint32_t len = 4 + op->a % MMSG_MAX, i;
	struct outgoing o[MMSG_NR];
	struct mmsghdr v[MMSG_NR];
	int ret, err;

	for (i = 0; i < MMSG_NR; i++) {
		outgoing_init(&o[i], id + i, len, (op->b + i) % CATS_NR_URGENCIES);
		v[i].msg_hdr = o[i].msg;
		message_begin(id + i, len, (op->b + i) % CATS_NR_URGENCIES,
			      more_flag(op->flags & MSG_MORE));
	}
	/* A batch that the kernel gives up after its first message. */
	if (op->a % 4 == 0)
		v[1].msg_hdr.msg_iov = (struct iovec *)w->unmapped;
	ret = sendmmsg(episode.tx, v, MMSG_NR,
		       (op->flags & (MSG_DONTWAIT | MSG_MORE)) | MSG_NOSIGNAL);
	err = errno;
	if (ret >= 0 && ret < MMSG_NR)
		ledger->error_lost = true;
	for (i = 0; i < MMSG_NR; i++)
		message_end(id + i, (int)i < ret ? v[i].msg_len : 0);
	check_result(w, op, ret, err, true);
}

/* Each page is a call for the module. */
static void paged(struct worker *w, const struct op *op, uint32_t id, uint32_t len,
		  bool from_file)
{
	uint32_t changes = __atomic_load_n(&ledger->tag_changes, __ATOMIC_SEQ_CST);
	struct op as_done = *op;
	uint32_t tag = ledger->tag;
	off_t offset = w->memfd_used;
	long ret;
	int err;

	as_done.flags = 0;
	message_begin(id, len, NO_TAG, MESSAGE_PAGED);
	if (from_file)
		ret = sendfile(episode.tx, w->memfd, &offset, len);
	else
		ret = splice(w->pipe[0], NULL, episode.tx, NULL, len,
			     op->flags & MSG_MORE ? SPLICE_F_MORE : 0);
	err = errno;
	if (ret >= 0 && ret < len)
		ledger->error_lost = true;
	ledger->msgs[id].class = default_class(changes, tag);
	if (ret > 0 && ret < len)
		ledger->msgs[id].flags |= MESSAGE_MAYBE;
	else if (!from_file && ret > 0)
		ledger->msgs[id].flags |= more_flag(op->flags & MSG_MORE);
	message_end(id, ret > 0 ? ret : 0);
	check_result(w, &as_done, ret, err, false);
}

static void op_sendfile(struct worker *w, const struct op *op, uint32_t id)
{
	uint32_t len = 4 + op->a % SENDFILE_MAX;

	message_copy(id, w->buf, len);
	if (pwrite(w->memfd, w->buf, len, w->memfd_used) == len)
		paged(w, op, id, len, true);
	/* The pages themselves are sent: they may not change any more. */
	w->memfd_used += (len + FILE_PAGE - 1) / FILE_PAGE * FILE_PAGE;
}

static void op_splice(struct worker *w, const struct op *op, uint32_t id)
{
	uint32_t len = 4 + op->a % SPLICE_MAX;
	ssize_t n;

	message_copy(id, w->buf, len);
	n = write(w->pipe[1], w->buf, len);
	if (n > 0)
		paged(w, op, id, n, false);
	/* The socket did not take all of it. */
	while (read(w->pipe[0], w->buf, SPLICE_MAX) > 0)
		;
}

/* The second half of the data is not there. */
static void op_fault(struct worker *w, const struct op *op, uint32_t id)
{
	int urgency = op->b & 1 ? (int)op->b : NO_TAG;
	uint32_t good = op->a / 2 + 4;
	struct outgoing o;
	long ret;
	int err;

	outgoing_init(&o, id, good, urgency);
	o.iov[2].iov_base = w->unmapped;
	o.iov[2].iov_len = good;
	o.msg.msg_iovlen = 3;
	message_begin(id, good, urgency, 0);
	ledger->msgs[id].class = CLASS_UNKNOWN;
	ret = sendmsg(episode.tx, &o.msg,
		      (op->flags & MSG_DONTWAIT) | MSG_NOSIGNAL);
	err = errno;
	if (ret > 0 && urgency != NO_TAG)
		fail("fault: a tagged message with a hole in it was accepted");
	message_end(id, ret > 0 ? ret : 0);
	check_result(w, op, ret, err, urgency != NO_TAG);
}

static void op_bad_tag(struct worker *w, const struct op *op)
{
	struct { struct cats_tag tag; uint32_t more; } v = {};
	struct outgoing o;
	long ret;
	int err;

	outgoing_init(&o, 0, 1, NO_TAG);
	switch (op->b % 8) {
	case 0:
		v.tag.urgency = 8 + op->a;
		break;
	case 1:
		v.tag.flags = op->a | 1U << 31;
		break;
	case 2:
		v.tag.notify = op->a | 1U << CATS_NR_EVENTS;
		break;
	case 3:
		v.tag.reserved = op->a;
		break;
	case 4:
		v.more = op->a;
		break;
	}
	if (op->b % 8 == 5)
		set_cmsg(&o, CATS_TAG, &v, 3);
	else if (op->b % 8 == 6)
		set_cmsg(&o, op->a, &v, sizeof(v.tag));
	else
		set_cmsg(&o, CATS_TAG, &v, sizeof(v));
	if (op->b % 8 == 7)
		set_cmsg(&o, CATS_TAG, &v, sizeof(v));
	ret = sendmsg(episode.tx, &o.msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	err = errno;
	count_call(w);
	if (ret >= 0)
		fail("bad tag %u accepted", op->b % 8);
	else if (err != EINVAL && err != E2BIG)
		check_result(w, &(struct op){ .kind = OP_BADTAG }, ret, err, false);
}

/* Ends the message of its class, if there is an unfinished one. */
static void op_empty(struct worker *w, const struct op *op, uint32_t id)
{
	uint32_t changes = __atomic_load_n(&ledger->tag_changes, __ATOMIC_SEQ_CST);
	uint32_t tag = ledger->tag;
	long ret;
	int err;

	message_begin(id, 0, NO_TAG, 0);
	ledger->msgs[id].class = CLASS_UNKNOWN;
	ret = send(episode.tx, "", 0, MSG_DONTWAIT | MSG_NOSIGNAL);
	err = errno;
	ledger->msgs[id].class = default_class(changes, tag);
	message_end(id, 0);
	if (ret > 0)
		fail("empty: %ld bytes of none accepted", ret);
	check_result(w, &(struct op){ .kind = op->kind }, ret, err, false);
}

/**
 * end_chains() - end the messages that calls with MSG_MORE have left unfinished
 * @w: who does it
 * @fd: CATS socket
 *
 * By an empty call in each class; one that another thread is at work on stays.
 */
void end_chains(struct worker *w, int fd)
{
	struct outgoing o;
	int urgency;

	ledger->chains_ended = ledger_tick();
	for (urgency = 0; urgency < CATS_NR_URGENCIES; urgency++) {
		outgoing_init(&o, 0, 0, urgency);
		if (sendmsg(fd, &o.msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			note_error(errno);
		count_call(w);
	}
	ledger->chains_ended = ledger_tick();
}

/**
 * op_write() - do an operation that writes
 * @w: who does it
 * @op: operation
 * @op_no: its place in the program, which gives its messages their numbers
 */
void op_write(struct worker *w, const struct op *op, uint32_t op_no)
{
	uint32_t id = op_no * MSGS_PER_OP;

	switch (op->kind) {
	case OP_SEND:
		write_msg(w, op, id, NO_TAG);
		break;
	case OP_TAGGED:
		write_msg(w, op, id, op->b);
		break;
	case OP_WRITE:
		op_write_plain(w, op, id);
		break;
	case OP_MMSG:
		op_mmsg(w, op, id);
		break;
	case OP_SENDFILE:
		op_sendfile(w, op, id);
		break;
	case OP_SPLICE:
		op_splice(w, op, id);
		break;
	case OP_FAULT:
		op_fault(w, op, id);
		break;
	case OP_BADTAG:
		op_bad_tag(w, op);
		break;
	case OP_EMPTY:
		op_empty(w, op, id);
		break;
	}
}
