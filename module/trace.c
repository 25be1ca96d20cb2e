// SPDX-License-Identifier: GPL-2.0
/*
 * Tracepoints: what they need beyond their arguments, only while they are on.  That is in
 * functions of their own, which are not inlined: what is on their stacks would cost
 * those who call them when all is off.
 */
#include "cats_sock.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

static void addresses_of_request(const struct request_sock *req, struct in6_addr *saddr,
				 struct in6_addr *daddr)
{
	const struct inet_request_sock *ireq = inet_rsk(req);

#if IS_ENABLED(CONFIG_IPV6)
	if (ireq->ireq_family == AF_INET6) {
		*saddr = ireq->ir_v6_loc_addr;
		*daddr = ireq->ir_v6_rmt_addr;
		return;
	}
#endif
	ipv6_addr_set_v4mapped(ireq->ir_loc_addr, saddr);
	ipv6_addr_set_v4mapped(ireq->ir_rmt_addr, daddr);
}

/**
 * cats_trace_addresses() - addresses of a socket as IPv6's
 * @sk: socket
 * @req: of which it is made, and does not have its addresses yet; NULL if it is not new
 * @saddr: ours is stored here
 * @daddr: the peer's
 */
void cats_trace_addresses(const struct sock *sk, const struct request_sock *req,
			  struct in6_addr *saddr, struct in6_addr *daddr)
{
	if (req) {
		addresses_of_request(req, saddr, daddr);
		return;
	}
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6) {
		*saddr = sk->sk_v6_rcv_saddr;
		*daddr = sk->sk_v6_daddr;
		return;
	}
#endif
	ipv6_addr_set_v4mapped(sk->sk_rcv_saddr, saddr);
	ipv6_addr_set_v4mapped(sk->sk_daddr, daddr);
}

/* Which classes are in debt is compared with what was traced last. */
static noinline void trace_debts(const struct sock *sk, struct cats_sock *cs)
{
	const struct cats_conductor *c = &cs->conductor;
	u8 changed = c->in_debt ^ cs->traced_in_debt, had = cs->traced_debt;
	struct cats_class_info info;
	unsigned int i;

	cs->traced_debt = 0;
	cs->traced_in_debt = c->in_debt;
	for (i = 0; i < CATS_NR_URGENCIES; i++) {
		info.debt = 0;
		if (c->ops->get_info)
			c->ops->get_info(c, i, &info);
		if (info.debt)
			cs->traced_debt |= BIT(i);
		if ((cs->traced_debt | had) & BIT(i))
			trace_cats_debt(sk, i, info.debt);
		if (changed & c->in_debt & BIT(i))
			trace_cats_debt_enter(sk, i, info.debt);
		else if (changed & BIT(i))
			trace_cats_debt_leave(sk, i, info.debt);
	}
}

/*
 * Bytes were committed, so debts may have changed; but for policies that say nothing of
 * their classes, unless there is something left of the one before.
 */
static void note_debts(const struct sock *sk, struct cats_sock *cs)
{
	if ((trace_cats_debt_enabled() || trace_cats_debt_enter_enabled() ||
	     trace_cats_debt_leave_enabled()) &&
	    (cs->conductor.ops->get_info || cs->traced_debt || cs->traced_in_debt))
		trace_debts(sk, cs);
}

static void count_pick(const struct cats_sock *cs, unsigned int urgency)
{
	u8 waiting = cs->conductor.waiting;

	cats_count(cs->mib, CATS_MIB_PICKS);
	if (waiting >> (urgency + 1))
		cats_count(cs->mib, CATS_MIB_PICKS_URGENT);
	if (waiting & (BIT(urgency) - 1))
		cats_count(cs->mib, CATS_MIB_PICKS_PASSED_OVER);
}

static noinline void trace_begin(const struct sock *sk, const struct cats_sock *cs,
				 const struct cats_txmsg *m)
{
	const struct cats_conductor *c = &cs->conductor;
	const struct cats_pick_info pick = {
		.m = m,
		.len = m->msg.len,
		.urgency = m->msg.urgency,
		.waiting = c->waiting,
		.why = cats_conductor_why(c, m->msg.urgency),
	};

	trace_cats_pick(sk, c, &pick);
}

/**
 * cats_note_begin() - the Conductor has picked a message, and it begins
 * @sk: socket
 * @cs: its CATS state, as it was when the message was picked
 * @m: message
 */
void cats_note_begin(const struct sock *sk, const struct cats_sock *cs,
		     const struct cats_txmsg *m)
{
	count_pick(cs, m->msg.urgency);
	if (trace_cats_pick_enabled())
		trace_begin(sk, cs, m);
}

static noinline void trace_commit(const struct sock *sk, const struct cats_txmsg *m,
				  u32 bytes)
{
	const struct cats_commit commit = {
		.m = m,
		.delay_ns = m->waited_ns,
		.bytes = bytes,
		.offset = m->msg.committed - bytes,
		.left = cats_txmsg_left(m),
		.urgency = m->msg.urgency,
	};

	trace_cats_commit(sk, &commit);
}

/**
 * cats_note_commit() - bytes of a message were committed
 * @sk: socket
 * @cs: its CATS state
 * @m: message
 * @bytes: how many
 */
void cats_note_commit(const struct sock *sk, struct cats_sock *cs,
		      const struct cats_txmsg *m, u32 bytes)
{
	cats_count_add(cs->mib, CATS_MIB_SENT_BYTES, bytes);
	note_debts(sk, cs);
	if (trace_cats_commit_enabled())
		trace_commit(sk, m, bytes);
}

static noinline void trace_direct(const struct sock *sk, const struct cats_sock *cs,
				  unsigned int urgency, u32 bytes)
{
	const struct cats_pick_info pick = {
		.len = bytes,
		.urgency = urgency,
		.waiting = BIT(urgency),
		.why = CATS_PICK_DIRECT,
	};
	const struct cats_commit commit = { .bytes = bytes, .urgency = urgency };

	trace_cats_pick(sk, &cs->conductor, &pick);
	trace_cats_commit(sk, &commit);
}

/**
 * cats_note_direct() - TCP got a write directly
 * @sk: socket
 * @cs: its CATS state
 * @urgency: class of the write
 * @bytes: of it
 */
void cats_note_direct(const struct sock *sk, struct cats_sock *cs, unsigned int urgency,
		      u32 bytes)
{
	cats_count(cs->mib, CATS_MIB_DIRECT);
	cats_count_add(cs->mib, CATS_MIB_SENT_BYTES, bytes);
	if (trace_cats_pick_enabled() || trace_cats_commit_enabled())
		trace_direct(sk, cs, urgency, bytes);
	note_debts(sk, cs);
}
