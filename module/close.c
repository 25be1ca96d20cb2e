// SPDX-License-Identifier: GPL-2.0
/*
 * Ways out of a connection.
 *
 * Every accepted byte is inside TCP before TCP sends its FIN, in the order of
 * the Conductor; from there on close(), linger and retransmission are TCP's.
 * Where the connection is gone (RST, timeout, disconnect) TCP drops its write
 * queue, and so does the Conductor.
 */
#include "cats_sock.h"
#include "trace.h"

static void drop_purged(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m)
{
	cats_count(cs->mib, CATS_MIB_PURGED);
	cats_count_down(cs->mib, CATS_MIB_CURR_MSGS);
	trace_cats_purge(sk, m);
	cats_txmsg_put(sk, cs, m);
}

/**
 * cats_purge() - drop all that is queued
 * @sk: socket
 * @cs: its CATS state
 *
 * A writer who sleeps over an open message finds it unlinked when he wakes.
 */
void cats_purge(struct sock *sk, struct cats_sock *cs)
{
	struct cats_msg *m;

	cats_sock_held(sk);
	cats_flight_end(sk, cs);
	cats_chain_drop_all(sk, cs);
	cats_notice_drop_all(sk, cs);
	while ((m = cats_conductor_remove_first(&cs->conductor)))
		drop_purged(sk, cs, to_txmsg(m));
}

/**
 * cats_state_change() - sk_state_change: free the queues of a dead connection
 * @sk: socket, locked
 *
 * tcp_done() has purged TCP's queues; the application may keep the file open
 * for hours.
 */
void cats_state_change(struct sock *sk)
{
	struct cats_sock *cs = cats_sk(sk);

	cats_sock_held(sk);
	if (sk->sk_state == TCP_CLOSE) {
		/* The last segment may have acknowledged something. */
		cats_notice_progress(sk, cs);
		cats_purge(sk, cs);
	}
	cs->saved_state_change(sk);
}

/**
 * cats_shutdown() - proto.shutdown
 * @sk: socket, owned by the caller, who has set sk_shutdown already
 * @how: SEND_SHUTDOWN and RCV_SHUTDOWN
 */
void cats_shutdown(struct sock *sk, int how)
{
	struct cats_sock *cs = cats_sk(sk);

	cats_sock_held(sk);
	if (how & SEND_SHUTDOWN)
		cats_drain(sk, cs);
	cs->base->shutdown(sk, how);
}

/**
 * cats_disconnect() - proto.disconnect: connect(AF_UNSPEC), which aborts
 * @sk: socket, owned by the caller
 * @flags: of the call
 *
 * Return: as tcp_disconnect().
 */
int cats_disconnect(struct sock *sk, int flags)
{
	struct cats_sock *cs = cats_sk(sk);

	cats_sock_held(sk);
	cats_purge(sk, cs);
	sk_stop_timer(sk, &cs->timer);
	cats_flight_stop(sk, cs);
	return cs->base->disconnect(sk, flags);
}

/**
 * cats_close() - proto.close
 * @sk: socket; nobody else has a file that refers to it
 * @timeout: how long to linger, jiffies
 *
 * If a reset follows (linger 0, unread data) TCP drops what was drained, as it
 * drops the rest.
 *
 * The last statement may destroy the socket and drop its reference to this
 * module.
 */
void cats_close(struct sock *sk, long timeout)
{
	struct cats_sock *cs = cats_sk(sk);
	const struct proto *base = cs->base;

	lock_sock(sk);
	cats_drain(sk, cs);
	cats_purge(sk, cs);
	/* From here on the socket is a plain one with a ULP that does nothing. */
	cats_disarm(sk, cs);
	release_sock(sk);
	base->close(sk, timeout);
}
