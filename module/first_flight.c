// SPDX-License-Identifier: GPL-2.0
/*
 * The first flight: what goes first on a connection that was idle.
 *
 * On a busy connection messages wait anyway, and the Conductor chooses among them.
 * On an idle one TCP would get each of them as it is written, so a page that is
 * written in the worst order would fill the first window with its least important
 * bytes.  Two things keep them together for a moment:
 *
 *	hold	a message less urgent than the default waits for up to srtt/128, and
 *		what is more urgent and comes meanwhile goes first.  1 ms at most, by
 *		sysctl, so that the whole takes less than a hundredth longer;
 *	batch	of a sendmmsg(2) nothing goes before its last message is queued, if
 *		the first has a tag: what is never tagged goes in the segments of
 *		plain TCP.  The kernel marks all but the last with MSG_BATCH.
 *
 * Neither stays without an end: the hold has a timer of its own; a batch ends with
 * a call that is not part of it, with one that fails or would sleep, and where the
 * kernel gives one up without telling us (it cannot read the next message), when
 * the Feeder's timer finds that nothing is in flight.
 */
#include <linux/hrtimer.h>

#include "cats_sock.h"
#include "trace.h"

/*
 * A shorter hold is none, us: the path takes less than 1.3 ms, and setting a timer
 * and being interrupted by it would cost as much as can be gained.
 */
#define HOLD_MIN	10

static u32 hold_us(const struct sock *sk)
{
	/* srtt_us is 8 times the time. */
	u32 us = min_t(u32, tcp_sk(sk)->srtt_us >> 10,
		       cats_net_first_flight(sock_net(sk)));

	return us < HOLD_MIN ? 0 : us;
}

static void hold_end(const struct sock *sk, struct cats_sock *cs)
{
	if (!READ_ONCE(cs->holding))
		return;
	WRITE_ONCE(cs->holding, false);
	trace_cats_resume(sk, cs, false);
}

/* The time is up; the timer's reference to the socket goes. */
static enum hrtimer_restart hold_over(struct hrtimer *timer)
{
	struct cats_sock *cs = container_of(timer, struct cats_sock, hold_timer);
	struct sock *sk = cs->sk;

	bh_lock_sock(sk);
	/* Closed meanwhile: @cs is alive for this softirq, but not in use. */
	if (sk->sk_write_space != cats_write_space || !READ_ONCE(cs->holding))
		goto out;
	hold_end(sk, cs);
	if (sock_owned_by_user(sk))
		cs->hold_over = true;
	else
		cats_feed_atomic(sk, cs);
out:
	bh_unlock_sock(sk);
	sock_put(sk);
	return HRTIMER_NORESTART;
}

/**
 * cats_flight_init() - set up a new socket
 * @cs: CATS state
 */
void cats_flight_init(struct cats_sock *cs)
{
	hrtimer_init(&cs->hold_timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_SOFT);
	cs->hold_timer.function = hold_over;
}

static void start_hold(struct sock *sk, struct cats_sock *cs)
{
	u32 us = hold_us(sk);

	if (!us)
		return;
	WRITE_ONCE(cs->holding, true);
	cats_count(cs->mib, CATS_MIB_HOLDS);
	trace_cats_hold(sk, false, us);
	/* If it was pending, after a hold that ended early, it has its reference. */
	if (hrtimer_try_to_cancel(&cs->hold_timer) != 1)
		sock_hold(sk);
	hrtimer_start(&cs->hold_timer, ns_to_ktime(us * NSEC_PER_USEC), HRTIMER_MODE_REL_SOFT);
}

static void start_batch(const struct sock *sk, struct cats_sock *cs)
{
	if (cs->batch)
		return;
	cs->batch = true;
	cats_count(cs->mib, CATS_MIB_BATCHES);
	trace_cats_hold(sk, true, 0);
}

/**
 * cats_flight_begin() - a write begins: is it the first on an idle connection?
 * @sk: socket
 * @cs: its CATS state
 * @urgency: class of the write
 * @batch: it may begin a batch
 */
void cats_flight_begin(struct sock *sk, struct cats_sock *cs, unsigned int urgency,
		       bool batch)
{
	cats_sock_held(sk);
	if (!cats_conductor_empty(&cs->conductor) || cs->held_bytes ||
	    !tcp_rtx_and_write_queues_empty(sk))
		return;
	if (batch)
		start_batch(sk, cs);
	else if (urgency > CATS_URGENCY_DEFAULT && !READ_ONCE(cs->holding))
		start_hold(sk, cs);
}

/**
 * cats_may_go() - may messages of a class go now?
 * @cs: CATS socket
 * @urgency: class; of what the Conductor has picked, unless it has nothing
 *
 * What may not be held is not held up by what is, either: if the Conductor wants
 * one of the latter to go first it goes.
 */
bool cats_may_go(const struct cats_sock *cs, unsigned int urgency)
{
	if (cs->batch)
		return false;
	return urgency <= CATS_URGENCY_DEFAULT || !READ_ONCE(cs->holding) ||
	       cs->conductor.waiting & GENMASK(CATS_URGENCY_DEFAULT, 0);
}

/**
 * cats_batch_over() - a batch holds nothing any more
 * @sk: socket
 * @cs: its CATS state
 */
void cats_batch_over(const struct sock *sk, struct cats_sock *cs)
{
	if (!cs->batch)
		return;
	cs->batch = false;
	trace_cats_resume(sk, cs, true);
}

/**
 * cats_flight_end() - everything may go
 * @sk: socket
 * @cs: its CATS state
 */
void cats_flight_end(const struct sock *sk, struct cats_sock *cs)
{
	cats_batch_over(sk, cs);
	hold_end(sk, cs);
}

/**
 * cats_flight_stop() - likewise, and the timer does not come any more
 * @sk: socket
 * @cs: its CATS state
 */
void cats_flight_stop(struct sock *sk, struct cats_sock *cs)
{
	cats_flight_end(sk, cs);
	if (hrtimer_try_to_cancel(&cs->hold_timer) == 1)
		__sock_put(sk);
}

/**
 * cats_batch_end() - the batch is complete, or will not be
 * @sk: socket, owned by the caller
 * @cs: its CATS state
 */
void cats_batch_end(struct sock *sk, struct cats_sock *cs)
{
	if (!cs->batch)
		return;
	cats_batch_over(sk, cs);
	cats_feed(sk, cs);
}

/**
 * cats_release_cb() - proto.release_cb: the owner lets go
 * @sk: socket, owned, and its spinlock held
 *
 * A hold that ended meanwhile could not be ended by its timer.
 */
void cats_release_cb(struct sock *sk)
{
	struct cats_sock *cs = cats_sk(sk);

	if (cs->hold_over) {
		cs->hold_over = false;
		cats_feed_atomic(sk, cs);
	}
	cs->base->release_cb(sk);
}
