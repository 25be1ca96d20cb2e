// SPDX-License-Identifier: GPL-2.0
/*
 * Admission: how much each urgency may queue, and waiting for room.
 *
 * TCP has one limit, sk_sndbuf, and compares with it what its queues hold.
 * Here what the Conductor holds counts as well, and the limit depends on the
 * urgency:
 *
 *	limit(u) = sndbuf + (default - u) * min(sndbuf / 16, 16 KiB)
 *
 * so that bulk which fills its share never shuts out what is more urgent
 * (SCTP's single limit does: its urgent writes get EAGAIN behind bulk).  The
 * default urgency has exactly TCP's limit.  The most urgent may go 48 KiB above
 * it, which is less than the one skb of up to 64 KiB by which TCP itself may
 * overshoot, so a socket holds no more kernel memory than a plain one may.
 */
#include <linux/sched/signal.h>

#include "cats_sock.h"

#define LIMIT_STEP_SHIFT	4
#define LIMIT_STEP_MAX		SZ_16K

static int limit_of(int sndbuf, unsigned int urgency)
{
	int step = min(sndbuf >> LIMIT_STEP_SHIFT, LIMIT_STEP_MAX);
	s64 limit = sndbuf + (CATS_URGENCY_DEFAULT - (s64)urgency) * step;

	/* SO_SNDBUFFORCE can set sndbuf to just below INT_MAX. */
	return min_t(s64, limit, INT_MAX);
}

/**
 * cats_mem_limit() - memory beyond which a class is not admitted, bytes
 * @sk: socket, need not be locked
 * @urgency: class
 */
int cats_mem_limit(const struct sock *sk, unsigned int urgency)
{
	return limit_of(READ_ONCE(sk->sk_sndbuf), urgency);
}

static int mem_used(const struct sock *sk, const struct cats_sock *cs)
{
	return READ_ONCE(sk->sk_wmem_queued) + READ_ONCE(cs->mem);
}

/**
 * cats_mem_room() - memory that a class may still take, bytes; may be negative
 * @sk: socket, need not be locked
 * @cs: its CATS state
 * @urgency: class
 */
int cats_mem_room(const struct sock *sk, const struct cats_sock *cs,
		  unsigned int urgency)
{
	return cats_mem_limit(sk, urgency) - mem_used(sk, cs);
}

/*
 * TCP_NOTSENT_LOWAT limits what TCP holds unsent; what the Conductor holds is
 * unsent too.  As in tcp_stream_memory_free().
 */
static bool below_lowat(const struct sock *sk, const struct cats_sock *cs, int wake)
{
	u64 notsent = cats_unsent(sk) + cats_queued_bytes(cs);

	return notsent << wake < tcp_notsent_lowat(tcp_sk(sk));
}

/**
 * cats_stream_memory_free() - proto.stream_memory_free: is there room to write?
 * @sk: socket, need not be locked
 * @wake: as in tcp_stream_memory_free(): 1 if asked to decide about EPOLLOUT,
 *	which TCP gives only when a third of the buffer is free, so that writers
 *	do not wake for every ACK
 *
 * Asked by poll() and sk_stream_write_space(), for the default tag's urgency.
 */
bool cats_stream_memory_free(const struct sock *sk, int wake)
{
	const struct cats_sock *cs = cats_sk(sk);
	int room = cats_mem_room(sk, cs, READ_ONCE(cs->urgency));

	if (room <= 0 || (wake && room < mem_used(sk, cs) >> 1))
		return false;
	return below_lowat(sk, cs, wake);
}

static int sndbuf_max(const struct sock *sk)
{
	if (sk->sk_userlocks & SOCK_SNDBUF_LOCK)
		return sk->sk_sndbuf;
	return max(sk->sk_sndbuf,
		   READ_ONCE(sock_net(sk)->ipv4.sysctl_tcp_wmem[2]));
}

/**
 * cats_can_ever_fit() - may a message be admitted once everything has drained?
 * @sk: socket
 * @urgency: class
 * @need: memory of the message, bytes
 *
 * Where SO_SNDBUF was not set, up to what TCP's autotuning may reach.
 */
bool cats_can_ever_fit(const struct sock *sk, unsigned int urgency, size_t need)
{
	return (ssize_t)need <= limit_of(sndbuf_max(sk), urgency);
}

/**
 * cats_sndbuf_expand() - let an autotuned send buffer grow for a large message
 * @sk: socket
 * @urgency: class of the message
 * @need: its memory, bytes; cats_can_ever_fit()
 *
 * A message that must be queued whole and is larger than today's limit would
 * wait for ever: autotuning follows cwnd, which does not grow on an idle
 * connection.  The bound is autotuning's, tcp_wmem[2].  Half more than needed,
 * because the least urgent class may fill three quarters only.
 */
void cats_sndbuf_expand(struct sock *sk, unsigned int urgency, size_t need)
{
	cats_sock_held(sk);
	if (need > cats_mem_limit(sk, urgency) &&
	    !(sk->sk_userlocks & SOCK_SNDBUF_LOCK))
		WRITE_ONCE(sk->sk_sndbuf, min_t(size_t, sndbuf_max(sk),
						need + (need >> 1)));
}

/*
 * Has the writer's own message begun, and all its bytes gone?  Asked without the
 * lock, too: looks at no message but @m, which its writer keeps alive.
 */
static bool ran_dry(const struct cats_sock *cs, const struct cats_txmsg *m)
{
	return m && READ_ONCE(cs->conductor.current_msg) == &m->msg &&
	       READ_ONCE(m->msg.committed) == m->msg.len;
}

/**
 * cats_has_room() - may this write go on?
 * @sk: socket, need not be locked
 * @cs: its CATS state
 * @urgency: class
 * @need: memory wanted, bytes; more than 1 for a message that is queued whole
 * @m: the message so far, or NULL
 *
 * The low-water mark holds back what is not urgent only.  A message that has
 * begun and ran dry may go on whatever the limits: everything else waits for
 * it, and with the buffer full of the others nobody would move again.
 */
bool cats_has_room(const struct sock *sk, const struct cats_sock *cs,
		   unsigned int urgency, size_t need, const struct cats_txmsg *m)
{
	if (ran_dry(cs, m))
		return true;
	if (cats_mem_room(sk, cs, urgency) < (int)need)
		return false;
	return urgency < CATS_URGENCY_DEFAULT || below_lowat(sk, cs, 0);
}

static void block(struct cats_sock *cs, unsigned int urgency)
{
	cs->nr_blocked[urgency]++;
	cs->blocked |= 1U << urgency;
}

static void unblock(struct cats_sock *cs, unsigned int urgency)
{
	if (!--cs->nr_blocked[urgency])
		cs->blocked &= ~(1U << urgency);
}

/**
 * cats_wait_room() - sleep until a write may go on
 * @sk: socket, owned by the caller; released meanwhile
 * @cs: its CATS state
 * @urgency: class
 * @need: as in cats_has_room()
 * @m: likewise
 * @timeo: time left, jiffies; 0 does not sleep
 *
 * The class-aware counterpart of sk_stream_wait_memory().
 *
 * Return: 0, or -EPIPE on error or shutdown, -EMSGSIZE if @need can never fit,
 * -EAGAIN when the time is up, -ERESTARTSYS or -EINTR on a signal.
 */
int cats_wait_room(struct sock *sk, struct cats_sock *cs, unsigned int urgency,
		   size_t need, const struct cats_txmsg *m, long *timeo)
{
	/* What waits for this call itself makes no room. */
	size_t held = m && m->whole ? cats_txmsg_truesize(m->msg.len) : 0;
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	int err = 0;

	cats_sock_held(sk);
	add_wait_queue(sk_sleep(sk), &wait);
	block(cs, urgency);
	for (;;) {
		err = -EPIPE;
		if (sk->sk_err || (sk->sk_shutdown & SEND_SHUTDOWN))
			break;
		/* The send buffer may have shrunk since the last look. */
		err = -EMSGSIZE;
		if (!cats_can_ever_fit(sk, urgency, need + held))
			break;
		cats_sndbuf_expand(sk, urgency, need + held);
		err = 0;
		if (cats_has_room(sk, cs, urgency, need, m))
			break;
		/* So that TCP calls cats_write_space(), and poll sees it. */
		set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
		sk_set_bit(SOCKWQ_ASYNC_NOSPACE, sk);
		err = -EAGAIN;
		if (!*timeo)
			break;
		err = sock_intr_errno(*timeo);
		if (signal_pending(current))
			break;
		sk_clear_bit(SOCKWQ_ASYNC_NOSPACE, sk);
		sk->sk_write_pending++;
		err = sk_wait_event(sk, timeo, READ_ONCE(sk->sk_err) ||
				    (READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN) ||
				    cats_has_room(sk, cs, urgency, need, m),
				    &wait);
		sk->sk_write_pending--;
		if (err < 0)
			break;
	}
	unblock(cs, urgency);
	remove_wait_queue(sk_sleep(sk), &wait);
	return err;
}

/* TCP's rule for waking, a third free; the urgent do not wait for that. */
static bool worth_waking(const struct sock *sk, const struct cats_sock *cs,
			 unsigned int urgency)
{
	int room = cats_mem_room(sk, cs, urgency);

	if (cats_conductor_stalled(&cs->conductor) &&
	    to_txmsg(cs->conductor.current_msg)->has_writer)
		return true;
	if (urgency < CATS_URGENCY_DEFAULT)
		return room > 0;
	return room >= mem_used(sk, cs) >> 1;
}

/**
 * cats_wake_writers() - wake those for whom there may be room now
 * @sk: socket
 * @cs: its CATS state
 *
 * First poll() and the like, by the callback of the socket below, which asks
 * cats_stream_memory_free().  Then the writers that sleep in cats_wait_room().
 */
void cats_wake_writers(struct sock *sk, struct cats_sock *cs)
{
	unsigned long blocked = cs->blocked;
	unsigned int urgency;

	cats_sock_held(sk);
	cs->saved_write_space(sk);
	for_each_set_bit(urgency, &blocked, CATS_NR_URGENCIES) {
		if (!worth_waking(sk, cs, urgency))
			continue;
		wake_up_interruptible_poll(sk_sleep(sk), EPOLLOUT |
					   EPOLLWRNORM | EPOLLWRBAND);
		return;
	}
}
