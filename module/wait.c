// SPDX-License-Identifier: GPL-2.0
/*
 * Writers that sleep until there is room, and whose turn it is.
 *
 * Limits differ between urgencies, so a writer that refills the buffer at each
 * opportunity could keep one with a lower limit out for ever.  Therefore the
 * classes from the default urgency on take turns: a class that has to sleep gets
 * a number, the lowest number is first, and a write of the class that was
 * accepted sends it to the back.  While another class is first,
 *
 *	a class with the same or a lower limit does not get in;
 *	one with a higher limit gets in with as many bytes as its limit is
 *	higher: the room that is kept for it is not taken away.
 *
 * So the first class is overtaken by at most the difference of the limits and a
 * message, at most a quarter of the send buffer.  The urgent (below the default)
 * are not held back, nor is a write that must not block.  Among the threads of
 * one class there is no order, as in TCP.
 */
#include <linux/sched/signal.h>

#include "cats_sock.h"
#include "trace.h"

#define TAKE_TURNS	GENMASK(CATS_URGENCY_MAX, CATS_URGENCY_DEFAULT)

/* Returns CATS_NR_URGENCIES if nobody waits for his turn. */
static unsigned int first_in_turn(const struct cats_sock *cs)
{
	unsigned long waiting = READ_ONCE(cs->blocked) & TAKE_TURNS;
	unsigned int u, first = CATS_NR_URGENCIES;

	for_each_set_bit(u, &waiting, CATS_NR_URGENCIES)
		if (first == CATS_NR_URGENCIES ||
		    (s32)(READ_ONCE(cs->turn[u]) - READ_ONCE(cs->turn[first])) < 0)
			first = u;
	return first;
}

/* Bytes that the classes that take turns were allowed to write so far. */
static u64 admitted_bytes(const struct cats_sock *cs)
{
	const struct cats_class *class;
	u64 sum = 0;

	for (class = &cs->conductor.classes[CATS_URGENCY_DEFAULT];
	     class <= &cs->conductor.classes[CATS_URGENCY_MAX]; class++)
		sum += READ_ONCE(class->sent_bytes) + READ_ONCE(class->queued_bytes);
	return sum;
}

static bool has_turn(const struct sock *sk, const struct cats_sock *cs,
		     unsigned int urgency)
{
	unsigned int first = first_in_turn(cs);
	s64 overtaken;

	if (urgency < CATS_URGENCY_DEFAULT || first == urgency ||
	    first == CATS_NR_URGENCIES)
		return true;
	/* The first may wait for what an unfinished message holds. */
	if (READ_ONCE(cs->whole_chains) & BIT(urgency))
		return true;
	overtaken = admitted_bytes(cs) - READ_ONCE(cs->turn_from);
	return overtaken < cats_mem_limit(sk, urgency) - cats_mem_limit(sk, first);
}

/**
 * cats_may_write() - may this write go on, or must it sleep?
 * @sk: socket, need not be locked
 * @cs: its CATS state
 * @urgency: class
 * @need: as in cats_has_room()
 * @m: likewise
 * @timeo: time the write may sleep, jiffies; one that may not knows no turns
 */
bool cats_may_write(const struct sock *sk, const struct cats_sock *cs,
		    unsigned int urgency, size_t need,
		    const struct cats_txmsg *m, long timeo)
{
	if (!cats_has_room(sk, cs, urgency, need, m))
		return false;
	return !timeo || cats_ran_dry(cs, m) || has_turn(sk, cs, urgency);
}

static void to_the_back(struct cats_sock *cs, unsigned int urgency)
{
	WRITE_ONCE(cs->turn[urgency], ++cs->last_turn);
}

/* Another class is first: one that only waited for its turn hears it from us. */
static void next_turn(struct sock *sk, struct cats_sock *cs)
{
	WRITE_ONCE(cs->turn_from, admitted_bytes(cs));
	cats_wake_writers(sk, cs);
}

static void pass_turn(struct sock *sk, struct cats_sock *cs, unsigned int urgency)
{
	if (first_in_turn(cs) != urgency)
		return;
	to_the_back(cs, urgency);
	next_turn(sk, cs);
}

static void block(struct cats_sock *cs, unsigned int urgency, u32 need)
{
	if (cs->nr_blocked[urgency]++) {
		cs->least_need[urgency] = min(cs->least_need[urgency], need);
		return;
	}
	cs->least_need[urgency] = need;
	if (first_in_turn(cs) == CATS_NR_URGENCIES)
		WRITE_ONCE(cs->turn_from, admitted_bytes(cs));
	to_the_back(cs, urgency);
	WRITE_ONCE(cs->blocked, cs->blocked | BIT(urgency));
}

static void unblock(struct sock *sk, struct cats_sock *cs, unsigned int urgency,
		    bool admitted)
{
	bool was_first = first_in_turn(cs) == urgency;

	if (--cs->nr_blocked[urgency]) {
		if (admitted)
			pass_turn(sk, cs, urgency);
		return;
	}
	WRITE_ONCE(cs->blocked, cs->blocked & ~BIT(urgency));
	cs->sleeping &= ~BIT(urgency);
	if (was_first)
		next_turn(sk, cs);
}

/**
 * cats_write_accepted() - a write of a class got room
 * @sk: socket
 * @cs: its CATS state
 * @urgency: class
 */
void cats_write_accepted(struct sock *sk, struct cats_sock *cs,
			 unsigned int urgency)
{
	cats_sock_held(sk);
	WRITE_ONCE(cs->refused[urgency], 0);
	pass_turn(sk, cs, urgency);
}

/* Does everything wait for a call that has begun a message? */
static bool waits_for_writer(const struct cats_sock *cs)
{
	return cats_conductor_stalled(&cs->conductor) &&
	       to_txmsg(cs->conductor.current_msg)->has_writer;
}

/**
 * cats_sleepers_due() - should writers that sleep be woken?
 * @sk: socket
 * @cs: its CATS state
 *
 * All of them sleep in one queue, so they wake together; those who are due are
 * not due again before they have gone back to sleep.
 */
bool cats_sleepers_due(struct sock *sk, struct cats_sock *cs)
{
	unsigned long sleeping = cs->sleeping;
	unsigned int u;

	cats_sock_held(sk);
	for_each_set_bit(u, &sleeping, CATS_NR_URGENCIES)
		if (waits_for_writer(cs) ||
		    (cats_worth_trying(sk, cs, u, cs->least_need[u]) &&
		     has_turn(sk, cs, u)))
			cs->sleeping &= ~BIT(u);
	return cs->sleeping != sleeping;
}

/* Returns 0 to go on, -EAGAIN to sleep, or the errno that ends the write. */
static int look(struct sock *sk, struct cats_sock *cs, unsigned int urgency,
		size_t need, const struct cats_txmsg *m, long timeo)
{
	/* What waits for this call itself makes no room. */
	size_t held = m && m->whole ? cats_txmsg_truesize(m->msg.len) : 0;

	if (cats_send_ended(sk))
		return -EPIPE;
	/* The send buffer may have shrunk since the last look. */
	if (!cats_can_ever_fit(sk, urgency, need + held))
		return -EMSGSIZE;
	cats_sndbuf_expand(sk, urgency, need + held);
	return cats_may_write(sk, cs, urgency, need, m, timeo) ? 0 : -EAGAIN;
}

/* Sleeps once; returns a negative errno if the connection ended meanwhile. */
static int nap(struct sock *sk, struct cats_sock *cs, unsigned int urgency,
	       size_t need, const struct cats_txmsg *m, long *timeo,
	       struct wait_queue_entry *wait)
{
	int ret;

	/* What it holds back makes room. */
	cats_batch_end(sk, cs);
	cs->sleeping |= BIT(urgency);
	set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
	sk->sk_write_pending++;
	ret = sk_wait_event(sk, timeo, cats_send_ended(sk) ||
			    cats_may_write(sk, cs, urgency, need, m, 1), wait);
	sk->sk_write_pending--;
	return min(ret, 0);
}

static int sleep_until_room(struct sock *sk, struct cats_sock *cs,
			    unsigned int urgency, size_t need,
			    const struct cats_txmsg *m, long *timeo)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	int err = -EAGAIN;

	cats_count(cs->mib, CATS_MIB_BLOCKED);
	cats_count(cs->mib, CATS_MIB_CURR_BLOCKED);
	trace_cats_block(sk, cs, urgency, need);
	add_wait_queue(sk_sleep(sk), &wait);
	block(cs, urgency, need);
	while (err == -EAGAIN && *timeo) {
		err = sock_intr_errno(*timeo);
		if (signal_pending(current))
			break;
		err = nap(sk, cs, urgency, need, m, timeo, &wait) ?:
		      look(sk, cs, urgency, need, m, 1);
	}
	remove_wait_queue(sk_sleep(sk), &wait);
	unblock(sk, cs, urgency, !err);
	cats_count_down(cs->mib, CATS_MIB_CURR_BLOCKED);
	trace_cats_unblock(sk, urgency, -err);
	return err;
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
	int err;

	cats_sock_held(sk);
	err = look(sk, cs, urgency, need, m, *timeo);
	if (err == -EAGAIN && *timeo)
		err = sleep_until_room(sk, cs, urgency, need, m, timeo);
	if (err == -EAGAIN) {
		cats_count(cs->mib, CATS_MIB_NO_ROOM);
		WRITE_ONCE(cs->refused[urgency], need);
		cats_want_room(sk, cs, urgency);
	}
	return err;
}
