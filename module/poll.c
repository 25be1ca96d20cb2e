// SPDX-License-Identifier: GPL-2.0
/*
 * Readiness: who is told that there is room, and when.
 *
 * TCP has one bit for that.  SOCK_NOSPACE is set when poll() said no, a write got
 * EAGAIN or goes to sleep; TCP calls sk_write_space only while it is set, and
 * waking clears it.  So an edge-triggered waiter is woken once, not by each ACK.
 *
 * Here SOCK_NOSPACE is set all the time that the Feeder wants to be called, and
 * those who want to be told have bits of their own, per urgency: cats_sock.wanted
 * for poll() and EAGAIN, cats_sock.sleeping for writers in cats_wait_room().
 * Waking clears them.
 */
#include "cats_sock.h"

static unsigned int poll_urgency(const struct cats_sock *cs)
{
	int urgency = READ_ONCE(cs->poll_urgency);

	return urgency < 0 ? READ_ONCE(cs->urgency) : urgency;
}

/* A message that was refused whole is waited for; else TCP's rule alone. */
static bool writeable(const struct sock *sk, const struct cats_sock *cs,
		      unsigned int urgency)
{
	return cats_worth_trying(sk, cs, urgency,
				 READ_ONCE(cs->refused[urgency]) ?: 1);
}

/**
 * cats_stream_memory_free() - proto.stream_memory_free: is there room to write?
 * @sk: socket, need not be locked
 * @wake: as in tcp_stream_memory_free(): 1 if asked to decide about EPOLLOUT
 *
 * Asked by tcp_poll(), whose answer cats_poll() replaces, and by writes that go
 * to TCP directly.
 */
bool cats_stream_memory_free(const struct sock *sk, int wake)
{
	const struct cats_sock *cs = cats_sk(sk);

	if (wake)
		return writeable(sk, cs, poll_urgency(cs));
	return cats_has_room(sk, cs, READ_ONCE(cs->urgency), 1, NULL);
}

/**
 * cats_want_room() - have it told when there is room for a class again
 * @sk: socket, need not be locked
 * @cs: its CATS state
 * @urgency: class
 *
 * What is freed before the bits are set is told to nobody: look again afterwards.
 */
void cats_want_room(struct sock *sk, struct cats_sock *cs, unsigned int urgency)
{
	sk_set_bit(SOCKWQ_ASYNC_NOSPACE, sk);
	set_bit(urgency, &cs->wanted);
	/* cats_arm_hook() looks at them in the other order. */
	smp_mb__after_atomic();
	set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
	/* Pairs with cats_wake_writers(). */
	smp_mb__after_atomic();
}

/* Is it for us to say whether the socket takes data, and not for its state? */
static bool takes_data(const struct sock *sk)
{
	return !(READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN) && cats_can_send(sk);
}

/**
 * cats_poll() - proto_ops.poll
 * @file: file
 * @sock: its socket
 * @wait: who wants to be woken, or NULL
 *
 * As tcp_poll(), except that EPOLLOUT means that a message of the poll urgency
 * fits: TCP knows neither what the Conductor holds nor the share of the urgent.
 * A socket that is not a CATS socket (accepted from one that listens, but without
 * memory for our state; closed) may have these operations, too.
 *
 * Return: events.
 */
__poll_t cats_poll(struct file *file, struct socket *sock, poll_table *wait)
{
	const __poll_t out = EPOLLOUT | EPOLLWRNORM;
	__poll_t mask = tcp_poll(file, sock, wait);
	struct sock *sk = sock->sk;
	struct cats_sock *cs;
	unsigned int urgency;

	if (!cats_attached(sk) || !takes_data(sk))
		return mask;
	cs = cats_sk(sk);
	urgency = poll_urgency(cs);
	if (writeable(sk, cs, urgency))
		return mask | out;
	cats_want_room(sk, cs, urgency);
	return writeable(sk, cs, urgency) ? mask | out : mask & ~out;
}

/* Those who asked for a class that has room now; they are asked to come back. */
static bool pollers_due(struct sock *sk, struct cats_sock *cs)
{
	unsigned long wanted = READ_ONCE(cs->wanted);
	unsigned int urgency;
	bool due = false;

	for_each_set_bit(urgency, &wanted, CATS_NR_URGENCIES) {
		if (!writeable(sk, cs, urgency))
			continue;
		clear_bit(urgency, &cs->wanted);
		due = true;
	}
	return due;
}

/* As sk_stream_write_space(). */
static void wake(struct sock *sk)
{
	struct socket_wq *wq;

	rcu_read_lock();
	wq = rcu_dereference(sk->sk_wq);
	if (skwq_has_sleeper(wq))
		wake_up_interruptible_poll(&wq->wait, EPOLLOUT | EPOLLWRNORM |
					   EPOLLWRBAND);
	if (wq && wq->fasync_list && !(sk->sk_shutdown & SEND_SHUTDOWN))
		sock_wake_async(wq, SOCK_WAKE_SPACE, POLL_OUT);
	rcu_read_unlock();
}

/**
 * cats_wake_writers() - tell those for whom there may be room now
 * @sk: socket
 * @cs: its CATS state
 *
 * Each of them once, until he is refused, or goes to sleep, again.
 */
void cats_wake_writers(struct sock *sk, struct cats_sock *cs)
{
	bool due;

	cats_sock_held(sk);
	/* Pairs with cats_want_room(): he sees the room, or we see his bit. */
	smp_mb();
	due = pollers_due(sk, cs);
	if (cats_sleepers_due(sk, cs) || due)
		wake(sk);
}

/**
 * cats_poll_changed() - another urgency decides about EPOLLOUT
 * @sk: socket
 * @cs: its CATS state
 *
 * Who was told to wait for the class before may not have to wait any longer.
 */
void cats_poll_changed(struct sock *sk, struct cats_sock *cs)
{
	cats_sock_held(sk);
	if (!READ_ONCE(cs->wanted))
		return;
	cats_want_room(sk, cs, poll_urgency(cs));
	cats_wake_writers(sk, cs);
}

static bool needs_hook(const struct cats_sock *cs)
{
	return !cats_conductor_empty(&cs->conductor) || cs->held_bytes ||
	       cs->blocked || READ_ONCE(cs->wanted) || cats_notices_due(cs);
}

/**
 * cats_arm_hook() - have TCP call cats_write_space() as long as it is needed
 * @sk: socket
 * @cs: its CATS state
 *
 * While data is queued, somebody waits for room, or is to be told how far TCP is.
 */
void cats_arm_hook(struct sock *sk, const struct cats_sock *cs)
{
	unsigned long *flags;

	cats_sock_held(sk);
	if (!sk->sk_socket)
		return;
	flags = &sk->sk_socket->flags;
	if (!needs_hook(cs)) {
		clear_bit(SOCK_NOSPACE, flags);
		/* cats_want_room() may have come before that. */
		smp_mb__after_atomic();
		if (!needs_hook(cs))
			return;
	}
	set_bit(SOCK_NOSPACE, flags);
}
