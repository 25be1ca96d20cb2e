// SPDX-License-Identifier: GPL-2.0
/*
 * Writing.
 *
 * A tagged message is built in private, sleeping as often as it takes, and
 * queued at once: other threads cannot come between its parts.  An untagged
 * write follows TCP and is accepted part by part as room appears; a message
 * that has to wait for room is queued *open*, and goes on where it stopped.
 * What several calls make one message of: see chain.c.
 */
#include <linux/sched/signal.h>

#include "cats_sock.h"
#include "name.h"

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
 * @msg: where the data comes from, and the flags; its iterator is not used if
 *	there is a @page
 * @page: sendpage(): the page
 * @offset: first byte in @page
 * @left: bytes of @page still to be taken
 * @m: the message, or NULL as long as there is none
 * @uarg: MSG_ZEROCOPY: whom to tell when the pages are free, or NULL
 * @pin: take the user's pages themselves
 * @tsflags: time stamps wanted
 * @tag: of the message; zero but for the urgency if it has none
 * @urgency: class
 * @whole: tagged: nothing is accepted before all of it is there
 * @was_whole: the message was, before this call
 * @more: the message goes on in another call
 * @copied: bytes of this call in @m
 * @timeo: time left to sleep, jiffies
 */
struct write_op {
	struct cats_sock	*cs;
	struct msghdr		*msg;
	struct page		*page;
	u32			offset;
	u32			left;
	struct cats_txmsg	*m;
	struct ubuf_info	*uarg;
	bool			pin;
	u16			tsflags;
	struct cats_tag		tag;
	unsigned int		urgency;
	bool			whole;
	bool			was_whole;
	bool			more;
	u32			copied;
	long			timeo;
};

static size_t data_left(const struct write_op *op)
{
	return op->page ? op->left : msg_data_left(op->msg);
}

static int alloc_msg(struct sock *sk, struct write_op *op)
{
	op->m = cats_txmsg_alloc(sk, op->cs, &op->tag);
	if (!op->m)
		return -ENOMEM;
	op->m->whole = op->whole;
	return 0;
}

static int take_page(struct sock *sk, struct write_op *op, size_t max)
{
	u32 n = min_t(size_t, max, op->left);
	int err = cats_txmsg_add_page(sk, op->cs, op->m, op->page, op->offset, n);

	if (err)
		return err;
	op->offset += n;
	op->left -= n;
	return n;
}

/* Bytes are accepted: they are part of the message. */
static void accept_bytes(struct write_op *op, u32 bytes)
{
	struct cats_sock *cs = op->cs;
	struct cats_txmsg *m = op->m;

	if (m->was_queued) {
		cats_conductor_extend(&cs->conductor, &m->msg, bytes);
		return;
	}
	m->msg.len += bytes;
	WRITE_ONCE(cs->held_bytes, cs->held_bytes + bytes);
}

/* Takes a piece of at most @max bytes. */
static int take_piece(struct sock *sk, struct write_op *op, size_t max)
{
	struct cats_sock *cs = op->cs;
	int n;

	max = min(max, data_left(op));
	if (op->page)
		n = take_page(sk, op, max);
	else if (op->pin)
		n = cats_txmsg_pin(sk, cs, op->m, &op->msg->msg_iter, max, op->uarg);
	else
		n = cats_txmsg_copy(sk, cs, op->m, &op->msg->msg_iter, max);
	if (n < 0)
		return n;
	op->copied += n;
	if (!op->whole)
		accept_bytes(op, n);
	return 0;
}

/* Lets the Conductor have what there is, and TCP what it takes of it. */
static void queue_open(struct sock *sk, struct write_op *op)
{
	struct cats_txmsg *m = op->m;

	if (op->whole || !m || !m->msg.len)
		return;
	if (!m->was_queued)
		cats_chain_queue(op->cs, m, true);
	cats_feed(sk, op->cs);
}

static void free_msg(struct sock *sk, struct write_op *op)
{
	cats_txmsg_put(sk, op->cs, op->m);
	/* There may be room now that nobody else would tell of. */
	cats_wake_writers(sk, op->cs);
}

/*
 * The call ends, and its message with it unless more is to come.  A call of which
 * nothing was accepted leaves the message of the calls before as it was.
 */
static void finish(struct sock *sk, struct write_op *op)
{
	struct cats_txmsg *m = op->m;

	if (!m)
		return;
	m->has_writer = false;
	if (!op->copied && !m->was_queued)
		m->whole |= op->was_whole;
	if (cats_txmsg_gone(m) || !m->msg.len) {
		free_msg(sk, op);
	} else {
		if (op->copied)
			cats_txstamp_request(sk, op->cs, m, op->tsflags);
		if (op->more || !op->copied)
			cats_chain_leave(sk, op->cs, m);
		else
			cats_chain_end(sk, op->cs, m);
	}
	cats_feed(sk, op->cs);
	cats_shed(sk, op->cs);
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
	bool ended;

	if (!op->timeo) {
		cats_want_room(sk, op->cs, op->urgency);
		/* As TCP: with nothing in flight nobody else would tell. */
		if (tcp_rtx_and_write_queues_empty(sk))
			cats_wake_writers(sk, op->cs);
		return -EAGAIN;
	}
	if (signal_pending(current))
		return sock_intr_errno(op->timeo);
	cats_batch_end(sk, op->cs);
	/* An acknowledgment gives memory back: then do not sleep to the end. */
	cats_want_room(sk, op->cs, op->urgency);
	add_wait_queue(sk_sleep(sk), &wait);
	ended = sk_wait_event(sk, &nap, cats_send_ended(sk), &wait);
	remove_wait_queue(sk_sleep(sk), &wait);
	slept -= nap;
	if (op->timeo != MAX_SCHEDULE_TIMEOUT)
		op->timeo -= slept;
	return ended ? -EPIPE : 0;
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

	while (!err && data_left(op))
		err = take_piece(sk, op, max);
	return err;
}

/* Nothing of a tagged write: io_uring tries again with the same iterator. */
static void take_back(struct sock *sk, struct write_op *op)
{
	iov_iter_revert(&op->msg->msg_iter, op->copied);
	op->copied = 0;
	if (op->m && !cats_txmsg_gone(op->m))
		cats_txmsg_trim(sk, op->cs, op->m);
}

/* A tagged write: all of it or nothing. */
static int write_whole(struct sock *sk, struct write_op *op, size_t size)
{
	size_t need = cats_txmsg_truesize(size) + cats_name_truesize(&op->tag);
	struct cats_sock *cs = op->cs;
	int err;

	err = cats_wait_room(sk, cs, op->urgency, need, op->m, &op->timeo);
	if (err == -EMSGSIZE)
		return cats_refuse(cs, CATS_REASON_MSG_SIZE);
	if (!err)
		err = retry_nomem(sk, op, SIZE_MAX, step_whole);
	/* Shutdown or reset while we slept. */
	if (!err && cats_txmsg_gone(op->m))
		err = -EPIPE;
	if (err)
		take_back(sk, op);
	else
		accept_bytes(op, op->copied);
	return err;
}

static int step_part(struct sock *sk, struct write_op *op, size_t max)
{
	int err = op->m ? 0 : alloc_msg(sk, op);

	/* While we slept TCP_REPAIR was switched on: it is in TCP, and complete. */
	if (op->m && cats_txmsg_gone(op->m))
		return -EPIPE;
	return err ?: take_piece(sk, op, max);
}

/* An untagged write: as much as there is room for, then sleep or be content. */
static int write_part(struct sock *sk, struct write_op *op)
{
	struct cats_sock *cs = op->cs;
	int room, err;

	while (data_left(op)) {
		if (!cats_may_write(sk, cs, op->urgency, 1, op->m, op->timeo)) {
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

/* Of the MSG_ZEROCOPY call right before this one, if both wait one behind the other. */
static struct ubuf_info *uarg_before(struct sock *sk, struct write_op *op)
{
	struct cats_conductor *c = &op->cs->conductor;
	struct list_head *queue = &c->classes[op->urgency].queue;
	struct sk_buff *skb;

	if (op->m)
		return op->m->tail->uarg;
	if (!list_empty(queue))
		return to_txmsg(list_last_entry(queue, struct cats_msg, node))->tail->uarg;
	skb = cats_conductor_empty(c) ? tcp_write_queue_tail(sk) : NULL;
	return skb ? skb_zcopy(skb) : NULL;
}

/*
 * As at the beginning of tcp_sendmsg_locked(): consecutive calls share a notification,
 * or the socket's option memory would not last for many small ones.
 */
static int get_uarg(struct sock *sk, struct write_op *op, size_t size)
{
	struct ubuf_info *uarg = op->msg->msg_ubuf;

	if (!(op->msg->msg_flags & MSG_ZEROCOPY) || op->uarg ||
	    (!uarg && !sock_flag(sk, SOCK_ZEROCOPY)))
		return 0;
	op->pin = sk->sk_route_caps & NETIF_F_SG;
	if (uarg) {
		net_zcopy_get(uarg);
	} else {
		uarg = msg_zerocopy_realloc(sk, size, uarg_before(sk, op));
		if (!uarg)
			return -ENOBUFS;
		if (!op->pin)
			uarg_to_msgzc(uarg)->zerocopy = 0;
	}
	op->uarg = uarg;
	return 0;
}

/*
 * TCP sends what fits the SYN, as of a non-blocking call.  The rest, which goes on
 * when there is a connection, is ours.
 */
static int fastopen(struct sock *sk, struct write_op *op, size_t *size)
{
	struct msghdr *msg = op->msg;
	int flags = msg->msg_flags, n;

	/* There is one notification, for the part of TCP as well. */
	op->urgency = op->cs->urgency;
	n = get_uarg(sk, op, *size);
	if (n)
		return n;
	msg->msg_flags = (flags & ~MSG_ZEROCOPY) | MSG_DONTWAIT;
	n = tcp_sendmsg_locked(sk, msg, *size);
	msg->msg_flags = flags;
	if (n == -EINPROGRESS && !(flags & MSG_DONTWAIT))
		n = 0;
	if (n > 0)
		*size -= n;
	return n;
}

/* There will be a connection, or there is none: a blocking call waits. */
static int wait_connect(struct sock *sk, struct write_op *op)
{
	struct socket *sock = sk->sk_socket;
	int err;

	if (cats_can_send(sk))
		return 0;
	err = sk_stream_wait_connect(sk, &op->timeo);
	/* As inet_stream_connect() after it has waited. */
	if (!err && sock->state == SS_CONNECTING)
		sock->state = SS_CONNECTED;
	return err;
}

/*
 * In TCP's order: state, then control messages, then errors of the socket.
 * Returns 1 with a tag, 0 without one, or a negative errno.
 */
static int check_write(struct sock *sk, struct write_op *op)
{
	struct sockcm_cookie sockc;
	int err;

	err = wait_connect(sk, op);
	if (err)
		return err;
	sockcm_init(&sockc, sk);
	if (op->msg->msg_controllen && sock_cmsg_send(sk, op->msg, &sockc))
		return cats_refuse(op->cs, CATS_REASON_CMSG_REFUSED);
	op->tsflags = sockc.tsflags;
	err = cats_tag_from_msg(op->cs, op->msg, &op->tag);
	if (err < 0)
		return err;
	return cats_send_ended(sk) ? -EPIPE : err;
}

/* An empty call ends the message of its class unless it says MSG_MORE. */
static int write_nothing(struct sock *sk, struct write_op *op)
{
	struct cats_txmsg *m = op->cs->chains[op->urgency];

	if (m && !m->has_writer && !op->more) {
		cats_chain_end(sk, op->cs, m);
		cats_feed(sk, op->cs);
	}
	return 0;
}

/*
 * Nothing waits, and TCP would get all of it at once: then it may go there directly,
 * which is what an interactive connection mostly does.  Only the plainest calls: what
 * TCP accepts of a tagged one might be a part.
 */
static bool may_pass(struct sock *sk, const struct write_op *op, size_t size)
{
	const struct cats_sock *cs = op->cs;

	return !(op->msg->msg_flags & ~(MSG_DONTWAIT | MSG_NOSIGNAL)) && !op->whole &&
	       !op->page && !(op->tsflags && cs->dropped_bytes) &&
	       cats_conductor_empty(&cs->conductor) && !cs->held_bytes &&
	       cats_may_go(cs, op->urgency) &&
	       size + cats_unsent(sk) <= cats_burst(sk) &&
	       cats_may_write(sk, cs, op->urgency, 1, NULL, op->timeo);
}

/* TCP has the first bytes of a message: the rest must come next. */
static int pass_rest(struct sock *sk, struct write_op *op)
{
	int err = alloc_msg(sk, op);

	if (err)
		return err;
	accept_bytes(op, op->copied);
	cats_chain_queue(op->cs, op->m, true);
	cats_conductor_next(&op->cs->conductor);
	cats_committed(sk, op->cs, op->m, op->copied);
	return 0;
}

/*
 * Returns whether the call is done, with @op->copied, or a negative errno.  If not,
 * TCP has found no memory: that is for us to wait for.
 */
static int pass(struct sock *sk, struct write_op *op, size_t size)
{
	struct msghdr *msg = op->msg;
	int flags = msg->msg_flags, n;

	msg->msg_flags |= MSG_DONTWAIT;
	n = tcp_sendmsg_locked(sk, msg, size);
	msg->msg_flags = flags;
	if (n <= 0)
		return n == -EAGAIN ? 0 : n;
	op->copied = n;
	if (n < size && !pass_rest(sk, op))
		return 0;
	cats_conductor_pass(&op->cs->conductor, op->urgency, n);
	cats_note_direct(sk, op->cs, op->urgency, n);
	cats_write_accepted(sk, op->cs, op->urgency);
	return 1;
}

/*
 * By a rule of CATS_ADMIT, as a message that is complete.  One that goes on is built,
 * and dropped when it ends.
 */
static bool may_drop(const struct sock *sk, const struct write_op *op, size_t size)
{
	return op->whole && !op->more && !op->cs->chains[op->urgency] &&
	       cats_admit_drops(sk, op->cs, op->urgency, size);
}

/* Who asked for the completion of a MSG_ZEROCOPY call counts this one as well. */
static int write_dropped(struct sock *sk, struct write_op *op, size_t size)
{
	int err;

	/* What could not be read would not be accepted either if it were queued. */
	if (fault_in_iov_iter_readable(&op->msg->msg_iter, size))
		return -EFAULT;
	err = get_uarg(sk, op, size);
	if (err)
		return err;
	iov_iter_advance(&op->msg->msg_iter, size);
	cats_drop_unqueued(sk, op->cs, &op->tag, size);
	cats_write_accepted(sk, op->cs, op->urgency);
	return size;
}

static int write_data(struct sock *sk, struct write_op *op, size_t size)
{
	struct cats_conductor *c = &op->cs->conductor;
	int err;

	if (cats_admit_refuses(op->cs, op->urgency))
		return cats_refuse(op->cs, CATS_REASON_ADMIT_REFUSE);
	if (may_drop(sk, op, size))
		return write_dropped(sk, op, size);
	cats_flight_begin(sk, op->cs, op->urgency,
			  op->whole && op->msg->msg_flags & MSG_BATCH);
	if (may_pass(sk, op, size)) {
		err = pass(sk, op, size);
		if (err)
			return err < 0 ? err : op->copied;
	}
	op->was_whole = op->cs->whole_chains & BIT(op->urgency);
	if (!op->m)
		op->m = cats_chain_join(op->cs, op->urgency, op->whole);
	err = get_uarg(sk, op, size);
	if (err) {
		finish(sk, op);
		return err;
	}
	sk_clear_bit(SOCKWQ_ASYNC_NOSPACE, sk);
	if (cats_conductor_empty(c) || cats_conductor_stalled(c))
		tcp_rate_check_app_limited(sk);
	err = op->whole ? write_whole(sk, op, size) : write_part(sk, op);
	if (op->copied && op->msg->msg_flags & MSG_OOB)
		op->m->marks |= CATS_MARK_URG;
	if (op->copied && !data_left(op) && op->msg->msg_flags & MSG_EOR)
		op->m->marks |= CATS_MARK_EOR;
	finish(sk, op);
	if (op->copied)
		cats_write_accepted(sk, op->cs, op->urgency);
	return op->copied ?: err;
}

static int write_call(struct sock *sk, struct write_op *op, size_t size)
{
	int flags = op->msg->msg_flags, err, in_syn = 0;

	if (unlikely(flags & MSG_FASTOPEN || inet_sk(sk)->defer_connect) &&
	    !op->page) {
		in_syn = fastopen(sk, op, &size);
		if (in_syn < 0 || (in_syn && (!size || flags & MSG_DONTWAIT)))
			return in_syn;
	}
	op->timeo = sock_sndtimeo(sk, flags & MSG_DONTWAIT);
	err = check_write(sk, op);
	if (err < 0)
		return err;
	op->whole = err;
	if (!op->whole)
		op->tag = (struct cats_tag){ .urgency = op->cs->urgency };
	op->urgency = op->tag.urgency;
	op->more = flags & (MSG_MORE | MSG_SENDPAGE_NOTLAST) &&
		   !(flags & (MSG_EOR | MSG_OOB));
	err = size ? write_data(sk, op, size) : write_nothing(sk, op);
	return err < 0 ? in_syn ?: err : err + in_syn;
}

/* A batch ends with its last message, or with one that fails or is cut short. */
static int do_write(struct sock *sk, struct write_op *op, size_t size)
{
	int ret = write_call(sk, op, size);

	if (!(op->msg->msg_flags & MSG_BATCH) || ret < (int)size)
		cats_batch_end(sk, op->cs);
	return ret;
}

/**
 * cats_sendmsg_locked() - proto_ops.sendmsg_locked
 * @sk: socket, owned by the caller
 * @msg: message
 * @size: its bytes
 *
 * Return: as cats_sendmsg().
 */
int cats_sendmsg_locked(struct sock *sk, struct msghdr *msg, size_t size)
{
	struct write_op op = { .msg = msg };
	int ret;

	op.cs = cats_of(sk);
	/* Not armed; or being restored, when queues are filled, not sent. */
	if (!op.cs || tcp_sk(sk)->repair)
		return tcp_sendmsg_locked(sk, msg, size);
	ret = do_write(sk, &op, size);
	if (ret < 0) {
		net_zcopy_put_abort(op.uarg, true);
		return sk_stream_error(sk, msg->msg_flags, ret);
	}
	net_zcopy_put(op.uarg);
	return ret;
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
	ret = cats_sendmsg_locked(sk, msg, size);
	release_sock(sk);
	return ret;
}

/**
 * cats_sendpage() - proto.sendpage: sendfile() and splice()
 * @sk: socket
 * @page: page of a file or a pipe
 * @offset: first byte in it
 * @size: bytes
 * @flags: MSG_MORE and others; MSG_SENDPAGE_NOTLAST: the next page comes at once
 *
 * Context: process; takes the socket lock and may sleep.
 * Return: bytes accepted, or an errno of tcp(7).
 */
int cats_sendpage(struct sock *sk, struct page *page, int offset, size_t size,
		  int flags)
{
	struct cats_sock *cs = cats_sk(sk);
	struct msghdr msg = { .msg_flags = flags };
	struct write_op op = {
		.cs = cs,
		.msg = &msg,
		.page = page,
		.offset = offset,
		.left = size,
	};
	int ret;

	if (tcp_sk(sk)->repair)
		return cs->base->sendpage(sk, page, offset, size, flags);
	if (!(sk->sk_route_caps & NETIF_F_SG))
		return sock_no_sendpage(sk->sk_socket, page, offset, size, flags);
	lock_sock(sk);
	ret = do_write(sk, &op, size);
	if (ret < 0)
		ret = sk_stream_error(sk, flags, ret);
	release_sock(sk);
	return ret;
}
