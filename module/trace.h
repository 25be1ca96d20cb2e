/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints of the system "cats": what the Conductor and the Feeder decide.
 *
 * A stable interface, as the uapi header: events and fields are added, never renamed;
 * Documentation/observe.rst has the table.  All but cats_refuse and cats_detach are
 * called with the socket lock held, in process context or softirq.  Fields that they
 * share:
 *
 *	skaddr		the socket, as in the tracepoints of "tcp"
 *	sport, dport	ports in host byte order
 *	msg		address of the message: the same from cats_enqueue to its end
 *	urgency		of the message or class: 0 to 7
 *	stream, cookie	of its tag, 0 for none
 *	len		bytes of the message so far
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM cats

#if !defined(_CATS_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _CATS_TRACE_H

#include <linux/tracepoint.h>
#include <net/tcp.h>

#include "cats_sock.h"

#define CATS_SOCK_FIELDS							\
		__field(const void *, skaddr)					\
		__field(__u16, sport)						\
		__field(__u16, dport)

#define CATS_SOCK_ASSIGN							\
		__entry->skaddr = sk;						\
		__entry->sport = sk ? ntohs(inet_sk(sk)->inet_sport) : 0;	\
		__entry->dport = sk ? ntohs(inet_sk(sk)->inet_dport) : 0

#define CATS_SOCK_FORMAT	"skaddr=%p sport=%hu dport=%hu "
#define CATS_SOCK_ARGS		__entry->skaddr, __entry->sport, __entry->dport

#define CATS_MSG_FIELDS								\
		CATS_SOCK_FIELDS						\
		__field(const void *, msg)					\
		__field(__u64, cookie)						\
		__field(__u32, stream)						\
		__field(__u32, len)						\
		__field(__u8, urgency)

#define CATS_MSG_ASSIGN								\
		CATS_SOCK_ASSIGN;						\
		__entry->msg = m;						\
		__entry->cookie = m->tag.cookie;				\
		__entry->stream = m->tag.stream;				\
		__entry->len = m->msg.len;					\
		__entry->urgency = m->msg.urgency

#define CATS_MSG_FORMAT								\
	CATS_SOCK_FORMAT "msg=%p urgency=%u stream=%u cookie=%llu len=%u"
#define CATS_MSG_ARGS								\
	CATS_SOCK_ARGS, __entry->msg, __entry->urgency, __entry->stream,	\
	__entry->cookie, __entry->len

/* Who reads the ring buffer itself, as perf, knows numbers and not our enum. */
TRACE_DEFINE_ENUM(CATS_PICK_ONLY);
TRACE_DEFINE_ENUM(CATS_PICK_URGENT);
TRACE_DEFINE_ENUM(CATS_PICK_SHARE);
TRACE_DEFINE_ENUM(CATS_PICK_DEBT);
TRACE_DEFINE_ENUM(CATS_PICK_TURN);
TRACE_DEFINE_ENUM(CATS_PICK_POLICY);
TRACE_DEFINE_ENUM(CATS_PICK_DIRECT);

#define cats_show_pick(why)							\
	__print_symbolic(why,							\
			 { CATS_PICK_ONLY, "only" },				\
			 { CATS_PICK_URGENT, "urgent" },			\
			 { CATS_PICK_SHARE, "share" },				\
			 { CATS_PICK_DEBT, "debt" },				\
			 { CATS_PICK_TURN, "turn" },				\
			 { CATS_PICK_POLICY, "policy" },			\
			 { CATS_PICK_DIRECT, "direct" })

/* Likewise: a table of numbers and texts, no call of a function. */
#define CATS_REASON_SYMBOL(name, code, err, text)	{ code, text },

#define cats_show_reason(reason)						\
	__print_symbolic(reason, CATS_REASONS(CATS_REASON_SYMBOL) { 0, "none" })

/*
 * CATS on a socket: by setsockopt(), or on a connection from a CATS listener
 * (accepted).  The addresses are IPv6's, mapped if it is IPv4.
 */
TRACE_EVENT(cats_attach,

	TP_PROTO(const struct sock *sk, const struct cats_sock *cs,
		 const struct request_sock *req),

	TP_ARGS(sk, cs, req),

	TP_STRUCT__entry(
		CATS_SOCK_FIELDS
		__field(__u16, family)
		__field(__u8, state)
		__field(__u8, accepted)
		__field(__u8, urgency)
		__array(__u8, saddr, 16)
		__array(__u8, daddr, 16)
		__array(char, conductor, CATS_CONDUCTOR_NAME_MAX)
	),

	TP_fast_assign(
		CATS_SOCK_ASSIGN;
		__entry->family = sk->sk_family;
		__entry->state = sk->sk_state;
		__entry->accepted = !!req;
		__entry->urgency = cs->urgency;
		cats_trace_addresses(sk, req, (struct in6_addr *)__entry->saddr,
				     (struct in6_addr *)__entry->daddr);
		memcpy(__entry->conductor, cs->conductor.ops->name,
		       CATS_CONDUCTOR_NAME_MAX);
	),

	TP_printk(CATS_SOCK_FORMAT
		  "family=%hu state=%u accepted=%u urgency=%u saddr=%pI6c daddr=%pI6c conductor=%s",
		  CATS_SOCK_ARGS, __entry->family, __entry->state, __entry->accepted,
		  __entry->urgency, __entry->saddr, __entry->daddr, __entry->conductor)
);

/* The socket is destroyed; sent_bytes: committed since it was attached. */
TRACE_EVENT(cats_detach,

	TP_PROTO(const struct sock *sk, const struct cats_sock *cs),

	TP_ARGS(sk, cs),

	TP_STRUCT__entry(
		CATS_SOCK_FIELDS
		__field(__u64, sent_bytes)
	),

	TP_fast_assign(
		CATS_SOCK_ASSIGN;
		__entry->sent_bytes = cs->conductor.sent_bytes;
	),

	TP_printk(CATS_SOCK_FORMAT "sent_bytes=%llu",
		  CATS_SOCK_ARGS, __entry->sent_bytes)
);

/* A call is refused; reason: enum cats_reason; skaddr is NULL for a sysctl. */
TRACE_EVENT(cats_refuse,

	TP_PROTO(const struct sock *sk, unsigned int reason, int error),

	TP_ARGS(sk, reason, error),

	TP_STRUCT__entry(
		CATS_SOCK_FIELDS
		__field(__u32, reason)
		__field(__u32, error)
	),

	TP_fast_assign(
		CATS_SOCK_ASSIGN;
		__entry->reason = reason;
		__entry->error = error;
	),

	TP_printk(CATS_SOCK_FORMAT "reason=%u error=%u text=%s",
		  CATS_SOCK_ARGS, __entry->reason, __entry->error,
		  cats_show_reason(__entry->reason))
);

/*
 * A message is queued; open: it goes on in the same call, or the next.  queued: bytes
 * that wait now, with it.
 */
TRACE_EVENT(cats_enqueue,

	TP_PROTO(const struct sock *sk, const struct cats_sock *cs,
		 const struct cats_txmsg *m),

	TP_ARGS(sk, cs, m),

	TP_STRUCT__entry(
		CATS_MSG_FIELDS
		__field(__u8, tagged)
		__field(__u8, open)
		__field(__u32, lifetime_us)
		__field(__u64, queued)
	),

	TP_fast_assign(
		CATS_MSG_ASSIGN;
		__entry->tagged = m->whole;
		__entry->open = m->msg.open;
		__entry->lifetime_us = m->tag.lifetime_us;
		__entry->queued = cs->conductor.queued_bytes;
	),

	TP_printk(CATS_MSG_FORMAT " tagged=%u open=%u lifetime_us=%u queued=%llu",
		  CATS_MSG_ARGS, __entry->tagged, __entry->open, __entry->lifetime_us,
		  __entry->queued)
);

/*
 * The Conductor has chosen which message begins, once per message.  waiting: bit i: class
 * i waits, the chosen one among them; why: enum cats_pick; debt of the chosen class,
 * bytes.  msg is NULL for a write that TCP gets directly, as nothing waits (why: direct).
 */
TRACE_EVENT(cats_pick,

	TP_PROTO(const struct sock *sk, const struct cats_conductor *c,
		 const struct cats_pick_info *pick),

	TP_ARGS(sk, c, pick),

	TP_STRUCT__entry(
		CATS_SOCK_FIELDS
		__field(const void *, msg)
		__field(__u64, queued)
		__field(__u32, stream)
		__field(__u32, len)
		__field(__u8, urgency)
		__field(__u8, waiting)
		__field(__u8, in_debt)
		__field(__u8, why)
		__array(char, conductor, CATS_CONDUCTOR_NAME_MAX)
	),

	TP_fast_assign(
		CATS_SOCK_ASSIGN;
		__entry->msg = pick->m;
		__entry->queued = c->queued_bytes;
		__entry->stream = pick->m ? pick->m->tag.stream : 0;
		__entry->len = pick->len;
		__entry->urgency = pick->urgency;
		__entry->waiting = pick->waiting;
		__entry->in_debt = c->in_debt;
		__entry->why = pick->why;
		memcpy(__entry->conductor, c->ops->name, CATS_CONDUCTOR_NAME_MAX);
	),

	TP_printk(CATS_SOCK_FORMAT
		  "msg=%p urgency=%u stream=%u len=%u waiting=0x%02x in_debt=0x%02x queued=%llu why=%s conductor=%s",
		  CATS_SOCK_ARGS, __entry->msg, __entry->urgency, __entry->stream,
		  __entry->len, __entry->waiting, __entry->in_debt, __entry->queued,
		  cats_show_pick(__entry->why), __entry->conductor)
);

/*
 * Bytes of a message have got sequence numbers, seq to end_seq.  offset: of the first of
 * them in the message; left: bytes of it that are still queued; delay_us: from its being
 * queued to its first byte being committed; unsent: bytes in TCP's write queue that were
 * not transmitted, with these.  msg is NULL as in cats_pick.
 */
TRACE_EVENT(cats_commit,

	TP_PROTO(const struct sock *sk, const struct cats_commit *commit),

	TP_ARGS(sk, commit),

	TP_STRUCT__entry(
		CATS_SOCK_FIELDS
		__field(const void *, msg)
		__field(__u64, delay_us)
		__field(__u64, cookie)
		__field(__u32, stream)
		__field(__u32, seq)
		__field(__u32, end_seq)
		__field(__u32, offset)
		__field(__u32, left)
		__field(__u32, unsent)
		__field(__u8, urgency)
		__field(__u8, open)
	),

	TP_fast_assign(
		CATS_SOCK_ASSIGN;
		__entry->msg = commit->m;
		__entry->delay_us = div_u64(commit->delay_ns, NSEC_PER_USEC);
		__entry->cookie = commit->m ? commit->m->tag.cookie : 0;
		__entry->stream = commit->m ? commit->m->tag.stream : 0;
		__entry->seq = tcp_sk(sk)->write_seq - commit->bytes;
		__entry->end_seq = tcp_sk(sk)->write_seq;
		__entry->offset = commit->offset;
		__entry->left = commit->left;
		__entry->unsent = cats_unsent(sk);
		__entry->urgency = commit->urgency;
		__entry->open = commit->m ? commit->m->msg.open : 0;
	),

	TP_printk(CATS_SOCK_FORMAT
		  "msg=%p urgency=%u stream=%u cookie=%llu seq=%u end_seq=%u offset=%u left=%u open=%u delay_us=%llu unsent=%u",
		  CATS_SOCK_ARGS, __entry->msg, __entry->urgency, __entry->stream,
		  __entry->cookie, __entry->seq, __entry->end_seq, __entry->offset,
		  __entry->left, __entry->open, __entry->delay_us, __entry->unsent)
);

/* A message is not sent; waited_us: since it was queued, 0 if it never was. */
DECLARE_EVENT_CLASS(cats_drop,

	TP_PROTO(const struct sock *sk, const struct cats_txmsg *m),

	TP_ARGS(sk, m),

	TP_STRUCT__entry(
		CATS_MSG_FIELDS
		__field(__u64, waited_us)
	),

	TP_fast_assign(
		CATS_MSG_ASSIGN;
		__entry->waited_us = div_u64(ktime_get_ns() - m->msg.enqueued_ns,
					     NSEC_PER_USEC);
	),

	TP_printk(CATS_MSG_FORMAT " waited_us=%llu", CATS_MSG_ARGS, __entry->waited_us)
);

/* Its lifetime was over. */
DEFINE_EVENT(cats_drop, cats_expire,
	TP_PROTO(const struct sock *sk, const struct cats_txmsg *m),
	TP_ARGS(sk, m)
);

/* By CATS_CANCEL. */
DEFINE_EVENT(cats_drop, cats_cancel,
	TP_PROTO(const struct sock *sk, const struct cats_txmsg *m),
	TP_ARGS(sk, m)
);

/* By CATS_F_REPLACE of another message. */
DEFINE_EVENT(cats_drop, cats_replace,
	TP_PROTO(const struct sock *sk, const struct cats_txmsg *m),
	TP_ARGS(sk, m)
);

/* By a rule of CATS_ADMIT, after it was queued. */
DEFINE_EVENT(cats_drop, cats_shed,
	TP_PROTO(const struct sock *sk, const struct cats_txmsg *m),
	TP_ARGS(sk, m)
);

/* The connection has ended with the message in the queue. */
DEFINE_EVENT(cats_drop, cats_purge,
	TP_PROTO(const struct sock *sk, const struct cats_txmsg *m),
	TP_ARGS(sk, m)
);

/* By a rule of CATS_ADMIT, instead of being queued. */
TRACE_EVENT(cats_shed_write,

	TP_PROTO(const struct sock *sk, const struct cats_tag *tag, u32 len),

	TP_ARGS(sk, tag, len),

	TP_STRUCT__entry(
		CATS_SOCK_FIELDS
		__field(__u64, cookie)
		__field(__u32, stream)
		__field(__u32, len)
		__field(__u8, urgency)
	),

	TP_fast_assign(
		CATS_SOCK_ASSIGN;
		__entry->cookie = tag->cookie;
		__entry->stream = tag->stream;
		__entry->len = len;
		__entry->urgency = tag->urgency;
	),

	TP_printk(CATS_SOCK_FORMAT "urgency=%u stream=%u cookie=%llu len=%u",
		  CATS_SOCK_ARGS, __entry->urgency, __entry->stream, __entry->cookie,
		  __entry->len)
);

/* CATS_REPRIORITIZE; urgency is the new one. */
TRACE_EVENT(cats_reprioritize,

	TP_PROTO(const struct sock *sk, const struct cats_txmsg *m, unsigned int old_urgency),

	TP_ARGS(sk, m, old_urgency),

	TP_STRUCT__entry(
		CATS_MSG_FIELDS
		__field(__u8, old_urgency)
	),

	TP_fast_assign(
		CATS_MSG_ASSIGN;
		__entry->old_urgency = old_urgency;
	),

	TP_printk(CATS_MSG_FORMAT " old_urgency=%u", CATS_MSG_ARGS, __entry->old_urgency)
);

/*
 * The Feeder holds a first flight: what is less urgent than the default for hold_us, or
 * everything until a batch is complete (batch, hold_us is 0).  And lets it go.
 */
TRACE_EVENT(cats_hold,

	TP_PROTO(const struct sock *sk, bool batch, u32 hold_us),

	TP_ARGS(sk, batch, hold_us),

	TP_STRUCT__entry(
		CATS_SOCK_FIELDS
		__field(__u8, batch)
		__field(__u32, hold_us)
	),

	TP_fast_assign(
		CATS_SOCK_ASSIGN;
		__entry->batch = batch;
		__entry->hold_us = hold_us;
	),

	TP_printk(CATS_SOCK_FORMAT "batch=%u hold_us=%u",
		  CATS_SOCK_ARGS, __entry->batch, __entry->hold_us)
);

TRACE_EVENT(cats_resume,

	TP_PROTO(const struct sock *sk, const struct cats_sock *cs, bool batch),

	TP_ARGS(sk, cs, batch),

	TP_STRUCT__entry(
		CATS_SOCK_FIELDS
		__field(__u8, batch)
		__field(__u64, queued)
	),

	TP_fast_assign(
		CATS_SOCK_ASSIGN;
		__entry->batch = batch;
		__entry->queued = cs->conductor.queued_bytes;
	),

	TP_printk(CATS_SOCK_FORMAT "batch=%u queued=%llu",
		  CATS_SOCK_ARGS, __entry->batch, __entry->queued)
);

/* A write sleeps for need bytes of memory; mem: what is queued has now. */
TRACE_EVENT(cats_block,

	TP_PROTO(const struct sock *sk, const struct cats_sock *cs, unsigned int urgency,
		 u32 need),

	TP_ARGS(sk, cs, urgency, need),

	TP_STRUCT__entry(
		CATS_SOCK_FIELDS
		__field(__u32, need)
		__field(__u32, mem)
		__field(__u8, urgency)
	),

	TP_fast_assign(
		CATS_SOCK_ASSIGN;
		__entry->need = need;
		__entry->mem = cs->mem;
		__entry->urgency = urgency;
	),

	TP_printk(CATS_SOCK_FORMAT "urgency=%u need=%u mem=%u",
		  CATS_SOCK_ARGS, __entry->urgency, __entry->need, __entry->mem)
);

/* It goes on, or ends with an error. */
TRACE_EVENT(cats_unblock,

	TP_PROTO(const struct sock *sk, unsigned int urgency, int error),

	TP_ARGS(sk, urgency, error),

	TP_STRUCT__entry(
		CATS_SOCK_FIELDS
		__field(__u32, error)
		__field(__u8, urgency)
	),

	TP_fast_assign(
		CATS_SOCK_ASSIGN;
		__entry->error = error;
		__entry->urgency = urgency;
	),

	TP_printk(CATS_SOCK_FORMAT "urgency=%u error=%u",
		  CATS_SOCK_ARGS, __entry->urgency, __entry->error)
);

/* Debt of a class of a "debt" Conductor, bytes. */
DECLARE_EVENT_CLASS(cats_class_debt,

	TP_PROTO(const struct sock *sk, unsigned int urgency, u64 debt),

	TP_ARGS(sk, urgency, debt),

	TP_STRUCT__entry(
		CATS_SOCK_FIELDS
		__field(__u64, debt)
		__field(__u8, urgency)
	),

	TP_fast_assign(
		CATS_SOCK_ASSIGN;
		__entry->debt = debt;
		__entry->urgency = urgency;
	),

	TP_printk(CATS_SOCK_FORMAT "urgency=%u debt=%llu",
		  CATS_SOCK_ARGS, __entry->urgency, __entry->debt)
);

/* It is in debt from now on. */
DEFINE_EVENT(cats_class_debt, cats_debt_enter,
	TP_PROTO(const struct sock *sk, unsigned int urgency, u64 debt),
	TP_ARGS(sk, urgency, debt)
);

/* It is not in debt any more. */
DEFINE_EVENT(cats_class_debt, cats_debt_leave,
	TP_PROTO(const struct sock *sk, unsigned int urgency, u64 debt),
	TP_ARGS(sk, urgency, debt)
);

/* After each commit, of each class that has any or had. */
DEFINE_EVENT(cats_class_debt, cats_debt,
	TP_PROTO(const struct sock *sk, unsigned int urgency, u64 debt),
	TP_ARGS(sk, urgency, debt)
);

/* All that was queued goes to TCP, before a FIN or for TCP_REPAIR. */
TRACE_EVENT(cats_drain,

	TP_PROTO(const struct sock *sk, const struct cats_sock *cs),

	TP_ARGS(sk, cs),

	TP_STRUCT__entry(
		CATS_SOCK_FIELDS
		__field(__u64, queued)
	),

	TP_fast_assign(
		CATS_SOCK_ASSIGN;
		__entry->queued = cs->conductor.queued_bytes;
	),

	TP_printk(CATS_SOCK_FORMAT "queued=%llu", CATS_SOCK_ARGS, __entry->queued)
);

#endif /* _CATS_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
