// SPDX-License-Identifier: GPL-2.0
/*
 * Admission: how much each urgency may queue.
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

/* Without the lock: too much, never too little, while bytes go over to TCP. */
static int mem_used(const struct sock *sk, const struct cats_sock *cs)
{
	u32 mem = READ_ONCE(cs->mem);

	/* Pairs with cats_append(). */
	smp_rmb();
	return READ_ONCE(sk->sk_wmem_queued) + mem;
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

static int sndbuf_max(const struct sock *sk)
{
	int sndbuf = READ_ONCE(sk->sk_sndbuf);

	if (sk->sk_userlocks & SOCK_SNDBUF_LOCK)
		return sndbuf;
	return max(sndbuf, READ_ONCE(sock_net(sk)->ipv4.sysctl_tcp_wmem[2]));
}

/**
 * cats_can_ever_fit() - may a message be admitted once everything has drained?
 * @sk: socket, need not be locked
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

/**
 * cats_ran_dry() - has the writer's own message begun, and all its bytes gone?
 * @cs: CATS socket, need not be locked
 * @m: the message so far, or NULL; nobody looks at another one, as its writer
 *	keeps this one alive
 */
bool cats_ran_dry(const struct cats_sock *cs, const struct cats_txmsg *m)
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
 * begun and ran dry may go on whatever the others hold: they wait for it, and with
 * the buffer full of them nobody would move again.  What TCP holds is limited as
 * ever: acknowledgments move that.
 */
bool cats_has_room(const struct sock *sk, const struct cats_sock *cs,
		   unsigned int urgency, size_t need, const struct cats_txmsg *m)
{
	if (cats_ran_dry(cs, m))
		return READ_ONCE(sk->sk_wmem_queued) < READ_ONCE(sk->sk_sndbuf);
	if (cats_mem_room(sk, cs, urgency) < (int)need)
		return false;
	return urgency < CATS_URGENCY_DEFAULT || below_lowat(sk, cs, 0);
}

/**
 * cats_worth_trying() - is there so much room that a writer should be told?
 * @sk: socket, need not be locked
 * @cs: its CATS state
 * @urgency: class
 * @need: memory that the write wants, bytes, at least 1
 *
 * TCP's rule for EPOLLOUT: a third of the buffer is free, and half of the
 * low-water mark, so that writers do not wake for every ACK.  The urgent do not
 * wait for that, any room will do.  Where the buffer has shrunk so that the
 * write can never fit, the writer should hear that.
 */
bool cats_worth_trying(const struct sock *sk, const struct cats_sock *cs,
		       unsigned int urgency, u32 need)
{
	int room = cats_mem_room(sk, cs, urgency);

	if (!cats_can_ever_fit(sk, urgency, need))
		return true;
	/* An autotuned buffer may grow for it, but not before it is empty. */
	if (room < min_t(s64, need, cats_mem_limit(sk, urgency)))
		return false;
	if (urgency < CATS_URGENCY_DEFAULT)
		return true;
	return room >= mem_used(sk, cs) >> 1 && below_lowat(sk, cs, 1);
}
