// SPDX-License-Identifier: GPL-2.0
/*
 * The other way to feed TCP, for comparison only: fragments go through TCP's own
 * do_tcp_sendpages() (tcp_sendmsg_locked() with MSG_SPLICE_PAGES from Linux 6.5
 * on).  selftests/bench/run.sh builds the module with this file in place of
 * module/append.c and measures both; Documentation/feeder.rst has the result.
 *
 * It mirrors no field of TCP.  What it needs instead is below: the call starts
 * transmissions of its own, asks for send buffer space, honours sk_shutdown and
 * reports (and clears) sk_err, all of which the Feeder must not do.  Zero-copy, time
 * stamps and marks at the end of a message it does not know.
 */
#include "cats_sock.h"

#define SENDPAGES_FLAGS (MSG_DONTWAIT | MSG_NOSIGNAL | MSG_SENDPAGE_NOTLAST | \
			 MSG_NO_SHARED_FRAGS)

/**
 * struct disguise - what has to look different to TCP during the call
 * @prot: sk_prot, for its stream_memory_free()
 * @write_space: or the transmissions of the call would feed recursively
 * @allocation: the call may run in softirq
 * @shutdown: inet_shutdown() sets it before it lets us drain
 */
struct disguise {
	struct proto	*prot;
	void		(*write_space)(struct sock *sk);
	gfp_t		allocation;
	u8		shutdown;
};

static struct disguise put_on(struct sock *sk, struct cats_sock *cs, gfp_t gfp)
{
	struct disguise d = {
		.prot = sk->sk_prot,
		.write_space = sk->sk_write_space,
		.allocation = sk->sk_allocation,
		.shutdown = sk->sk_shutdown,
	};

	WRITE_ONCE(sk->sk_prot, (struct proto *)cs->base);
	sk->sk_write_space = cs->saved_write_space;
	sk->sk_allocation = gfp & ~(__GFP_NOFAIL | __GFP_NOWARN);
	WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown & ~SEND_SHUTDOWN);
	return d;
}

static void take_off(struct sock *sk, const struct disguise *d)
{
	WRITE_ONCE(sk->sk_prot, d->prot);
	sk->sk_write_space = d->write_space;
	sk->sk_allocation = d->allocation;
	WRITE_ONCE(sk->sk_shutdown, d->shutdown);
}

int cats_append(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m,
		u32 limit, u32 size_goal, gfp_t gfp)
{
	struct cats_frag *frag = cats_txmsg_first_frag(m);
	u32 bytes = min3(limit, cats_txmsg_left(m), frag->len);
	struct disguise d;
	ssize_t n;

	/* An error of the socket is for the application to fetch. */
	if (sk->sk_err)
		return -ENOMEM;
	d = put_on(sk, cs, gfp);
	n = do_tcp_sendpages(sk, frag->page, frag->offset, bytes, SENDPAGES_FLAGS);
	take_off(sk, &d);
	if (n <= 0)
		return -ENOMEM;
	/* TCP charged the bytes once more. */
	cats_txmsg_consume(sk, cs, m, n);
	sk_mem_uncharge(sk, n);
	return n;
}

void cats_skip_nagle(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!(tp->nonagle & TCP_NAGLE_CORK))
		tp->nonagle |= TCP_NAGLE_PUSH;
}

void cats_append_done(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m)
{
	if (m->msg.urgency < CATS_URGENCY_DEFAULT &&
	    cats_conductor_empty(&cs->conductor))
		cats_skip_nagle(sk);
}
