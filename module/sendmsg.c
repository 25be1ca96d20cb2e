// SPDX-License-Identifier: GPL-2.0
/*
 * Writing: one call, one message.
 *
 * A tagged message is built in private, sleeping as often as it takes, and
 * queued at once: other threads cannot come between its parts.  An untagged
 * write follows TCP and is accepted part by part as room appears; a message
 * that has to wait for room is queued *open*, and goes on where it stopped.
 */
#include <linux/sched/signal.h>

#include "cats_sock.h"

/*
 * An untagged write adds this much between looks at the limit, so that it
 * overshoots by one small piece and not by 64 KiB as TCP's skbs do: the room
 * above belongs to the urgent.
 */
#define PIECE_MAX	SZ_16K
/* ... and at least this much, or a nearly full buffer would take single bytes. */
#define PIECE_MIN	1024
/* Between looks for memory; sk_stream_wait_memory() takes up to 200 ms. */
#define NOMEM_NAP	(HZ / 10)

/**
 * struct write_op - one call that writes
 * @cs: CATS socket
 * @msg: where the data comes from
 * @m: the message, or NULL as long as there is none
 * @urgency: class
 * @whole: tagged: nothing is queued before all of it is there
 * @queued: the message was queued, open; if it no longer is, the connection or
 *	its sending side ended meanwhile
 * @copied: bytes in @m
 * @timeo: time left to sleep, jiffies
 */
struct write_op {
	struct cats_sock	*cs;
	struct msghdr		*msg;
	struct cats_txmsg	*m;
	unsigned int		urgency;
	bool			whole;
	bool			queued;
	u32			copied;
	long			timeo;
};

static bool send_side_ended(const struct sock *sk)
{
	return sk->sk_err || (sk->sk_shutdown & SEND_SHUTDOWN);
}

static int alloc_msg(struct sock *sk, struct write_op *op)
{
	op->m = cats_txmsg_alloc(sk, op->cs, op->urgency);
	return op->m ? 0 : -ENOMEM;
}

/* Copies a piece of at most @max bytes into the message. */
static int copy_piece(struct sock *sk, struct write_op *op, size_t max)
{
	struct cats_txmsg *m = op->m;
	int n = cats_txmsg_copy(sk, op->cs, m, &op->msg->msg_iter,
				min(max, msg_data_left(op->msg)));

	if (n < 0)
		return n;
	op->copied += n;
	if (op->queued)
		cats_conductor_extend(&op->cs->conductor, &m->msg, n);
	else
		m->msg.len += n;
	return 0;
}

/* Lets the Conductor have what there is, and TCP what it takes of it. */
static void queue_open(struct sock *sk, struct write_op *op)
{
	if (op->whole || !op->copied)
		return;
	if (!op->queued) {
		op->queued = true;
		op->m->msg.open = true;
		cats_conductor_enqueue(&op->cs->conductor, &op->m->msg,
				       ktime_get_ns());
	}
	cats_feed(sk, op->cs);
}

/* The call ends: its message is complete, unless nothing came of it. */
static void finish(struct sock *sk, struct write_op *op)
{
	struct cats_conductor *c = &op->cs->conductor;
	struct cats_txmsg *m = op->m;
	bool gone;

	if (!m)
		return;
	m->has_writer = false;
	if (op->queued) {
		gone = list_empty(&m->msg.node) ||
		       cats_conductor_close_msg(c, &m->msg);
	} else {
		gone = !op->copied;
		if (!gone)
			cats_conductor_enqueue(c, &m->msg, ktime_get_ns());
	}
	if (gone) {
		cats_txmsg_put(sk, op->cs, m);
		/* There may be room now that nobody else would tell of. */
		cats_wake_writers(sk, op->cs);
	}
	cats_feed(sk, op->cs);
}

/*
 * No memory although the limits of the socket allow it: nobody will tell when
 * that changes, so look again soon.  As sk_stream_wait_memory() does, which we
 * cannot use: it waits for room for the default urgency first.
 */
static int wait_for_memory(struct sock *sk, struct write_op *op)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	long nap = min_t(long, op->timeo, NOMEM_NAP), slept = nap;

	if (!op->timeo)
		return -EAGAIN;
	if (signal_pending(current))
		return sock_intr_errno(op->timeo);
	add_wait_queue(sk_sleep(sk), &wait);
	sk_wait_event(sk, &nap, READ_ONCE(sk->sk_err) ||
		      (READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN), &wait);
	remove_wait_queue(sk_sleep(sk), &wait);
	slept -= nap;
	if (op->timeo != MAX_SCHEDULE_TIMEOUT)
		op->timeo -= slept;
	return send_side_ended(sk) ? -EPIPE : 0;
}

/* Runs @step until it does not fail for want of memory any more. */
static int retry_nomem(struct sock *sk, struct write_op *op, size_t max,
		       int (*step)(struct sock *sk, struct write_op *op,
				   size_t max))
{
	int err;

	while ((err = step(sk, op, max)) == -ENOMEM) {
		queue_open(sk, op);
		err = wait_for_memory(sk, op);
		if (err)
			break;
	}
	return err;
}

static int step_whole(struct sock *sk, struct write_op *op, size_t max)
{
	int err = op->m ? 0 : alloc_msg(sk, op);

	while (!err && msg_data_left(op->msg))
		err = copy_piece(sk, op, max);
	return err;
}

/* A tagged write: all of it or nothing. */
static int write_whole(struct sock *sk, struct write_op *op, size_t size)
{
	size_t need = cats_txmsg_truesize(size);
	struct cats_sock *cs = op->cs;
	int err;

	err = cats_wait_room(sk, cs, op->urgency, need, NULL, &op->timeo);
	if (err == -EMSGSIZE)
		return cats_refuse(cs, err,
				   "message: larger than the send buffer can ever hold");
	if (err)
		return err;
	return retry_nomem(sk, op, SIZE_MAX, step_whole);
}

static int step_part(struct sock *sk, struct write_op *op, size_t max)
{
	int err = op->m ? 0 : alloc_msg(sk, op);

	return err ?: copy_piece(sk, op, max);
}

/* An untagged write: as much as there is room for, then sleep or be content. */
static int write_part(struct sock *sk, struct write_op *op)
{
	struct cats_sock *cs = op->cs;
	int room, err;

	while (msg_data_left(op->msg)) {
		if (!cats_has_room(sk, cs, op->urgency, 1, op->m)) {
			queue_open(sk, op);
			err = cats_wait_room(sk, cs, op->urgency, 1, op->m,
					     &op->timeo);
			if (err)
				return err;
		}
		room = cats_mem_room(sk, cs, op->urgency);
		err = retry_nomem(sk, op, clamp(room, PIECE_MIN, PIECE_MAX),
				  step_part);
		if (err)
			return err;
	}
	return 0;
}

/* What TCP does with these would not name the right bytes here, or cannot. */
static int check_flags(struct sock *sk, struct cats_sock *cs,
		       const struct msghdr *msg)
{
	if (msg->msg_flags & MSG_OOB)
		return cats_refuse(cs, -EOPNOTSUPP,
				   "urgent data (MSG_OOB) is not supported");
	if (msg->msg_flags & MSG_FASTOPEN)
		return cats_refuse(cs, -EISCONN,
				   "MSG_FASTOPEN: the socket is connected");
	if ((msg->msg_flags & MSG_ZEROCOPY) &&
	    (msg->msg_ubuf || sock_flag(sk, SOCK_ZEROCOPY)))
		return cats_refuse(cs, -EOPNOTSUPP,
				   "MSG_ZEROCOPY is not supported");
	if (tcp_sk(sk)->repair)
		return cats_refuse(cs, -EOPNOTSUPP,
				   "TCP_REPAIR is not supported");
	return 0;
}

/* In TCP's order: state, then control messages, then errors of the socket. */
static int check_write(struct sock *sk, struct write_op *op,
		       struct cats_tag *tag)
{
	struct sockcm_cookie sockc;
	int err;

	if ((1 << sk->sk_state) & ~(TCPF_ESTABLISHED | TCPF_CLOSE_WAIT)) {
		err = sk_stream_wait_connect(sk, &op->timeo);
		if (err)
			return err;
	}
	err = check_flags(sk, op->cs, op->msg);
	if (err)
		return err;
	sockcm_init(&sockc, sk);
	if (op->msg->msg_controllen && sock_cmsg_send(sk, op->msg, &sockc))
		return cats_refuse(op->cs, -EINVAL,
				   "control message: refused by the socket layer");
	err = cats_tag_from_msg(op->cs, op->msg, tag);
	if (err < 0)
		return err;
	return send_side_ended(sk) ? -EPIPE : err;
}

static int sendmsg_locked(struct sock *sk, struct msghdr *msg, size_t size)
{
	struct write_op op = {
		.cs = cats_sk(sk),
		.msg = msg,
		.timeo = sock_sndtimeo(sk, msg->msg_flags & MSG_DONTWAIT),
	};
	struct cats_tag tag;
	int err;

	err = check_write(sk, &op, &tag);
	if (err < 0)
		return err;
	if (!size)
		return 0;
	op.whole = err;
	op.urgency = op.whole ? tag.urgency : op.cs->urgency;
	sk_clear_bit(SOCKWQ_ASYNC_NOSPACE, sk);
	if (cats_conductor_empty(&op.cs->conductor))
		tcp_rate_check_app_limited(sk);
	err = op.whole ? write_whole(sk, &op, size) : write_part(sk, &op);
	if (op.whole && err) {
		/* io_uring tries again with the same iterator. */
		iov_iter_revert(&msg->msg_iter, op.copied);
		op.copied = 0;
	}
	finish(sk, &op);
	return op.copied ?: err;
}

/**
 * cats_sendmsg() - proto.sendmsg
 * @sk: socket
 * @msg: message
 * @size: its bytes
 *
 * Context: process; takes the socket lock and may sleep.
 * Return: bytes accepted, or the errno of tcp(7), or one of those that the uapi
 * header lists, with the reason set.
 */
int cats_sendmsg(struct sock *sk, struct msghdr *msg, size_t size)
{
	int ret;

	lock_sock(sk);
	ret = sendmsg_locked(sk, msg, size);
	if (ret < 0)
		ret = sk_stream_error(sk, msg->msg_flags, ret);
	release_sock(sk);
	return ret;
}
