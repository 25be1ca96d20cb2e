/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * CATS: tagged writes on one TCP connection, scheduled in the kernel.
 *
 * The contract
 * ============
 *
 * Attach.  setsockopt(fd, IPPROTO_TCP, TCP_ULP, "cats", 4) on a TCP socket:
 * before or after connect(2), or on a listener, whose accepted sockets are CATS
 * sockets with its settings.  From then on every call that writes (sendmsg(2),
 * write(2), ...) hands over a *message*, and the *Conductor* decides, just before
 * TCP transmits, which message goes next.  The peer is any TCP: nothing changes on
 * the wire but the order of messages.  ENOENT: the module is not loaded.
 *
 * Tag.  A message carries the tag of its CATS_TAG control message; without one
 * it has the socket's default tag (setsockopt CATS_TAG; urgency 3 at first).
 * On a socket without CATS, TCP ignores the control message and sends the data
 * untagged, so one program runs with and without the module.
 *
 * Message.  It is contiguous in the byte stream: other messages go before or
 * after it, never inside it.  Messages of one urgency keep their order, unless
 * they are of different streams or have lifetimes that the Conductor looks at.
 * The receiver needs no knowledge of CATS, but it must find the borders of
 * messages itself, as in any framed protocol.  Do not put CATS *below*
 * encryption done in user space: TLS records must not change their order.
 *
 * Stream.  Messages with the same stream number never overtake each other,
 * whatever their urgency: the stream goes by the urgency of its oldest message.
 * Within an urgency the streams are served as RFC 9218, section 10, has it:
 * non-incremental ones one after another in order of arrival, incremental ones
 * in turns, and the former all together take one of these turns.  A message with
 * stream 0 is a non-incremental stream by itself.
 *
 * Lifetime.  A tagged message that has not begun within its lifetime is dropped
 * whole; one that has begun is sent.
 *
 * What is queued can be taken back (CATS_CANCEL), moved (CATS_REPRIORITIZE) or
 * replaced (CATS_F_REPLACE), as long as it has not begun.
 *
 * Notices.  The tag can ask to be told what became of the message.  Each event is
 * one entry of the socket's error queue, as with time stamps: poll(2) says
 * EPOLLERR, and recvmsg(2) with MSG_ERRQUEUE returns 0 bytes and a control message
 * of level SOL_CATS and type CATS_NOTICE.
 *
 * Longer messages.  A call with MSG_MORE leaves its message unfinished; the next
 * call of the same urgency continues it; one without MSG_MORE, or with MSG_EOR,
 * ends it.  A sendfile(2) or splice(2) of many pages is one message.  If all calls
 * were tagged nothing of it is sent before its end, and it must fit the send buffer.
 * Otherwise it begins when nothing else waits or the buffer is full; once it has
 * begun everything else waits for its end; and it ends by itself after 200 ms without
 * a continuation.
 *
 * Whole or part.  A write with a CATS_TAG control message is accepted whole or
 * not at all.  A write without one follows TCP: it may be accepted in part, and
 * what one call accepted is one message (or goes on one, see above).
 *
 * Size of structures.  Every structure here may grow at its end, and its size
 * is negotiated as by openat2(2).  To the kernel: shorter than the kernel's is
 * extended by zeroes (a lone __u32 urgency is a valid tag), longer is accepted
 * if all that the kernel does not know is zero, else E2BIG.  From the kernel:
 * min(your size, the kernel's) bytes are written and that number is returned in
 * *optlen.
 *
 * Errors.  Beside TCP's own: EINVAL bad tag, name or parameter; E2BIG see
 * above; EMSGSIZE a tagged message that can never fit the send buffer;
 * ENOENT no Conductor of that name; ENOBUFS refused by CATS_ADMIT.  A refused
 * call changes nothing, and &struct cats_info.reason then says why in words, and
 * &struct cats_info.reason_code as one of CATS_REASONS.
 *
 * To look at somebody else's sockets: sock_diag(7) with CAP_NET_ADMIN has, for each CATS
 * socket, "cats" and an attribute CATS_ULP_INFO in INET_DIAG_ULP_INFO; and there are the
 * tracepoints of the system "cats", and /proc/net/cats_stat.
 */
#ifndef _UAPI_LINUX_CATS_H
#define _UAPI_LINUX_CATS_H

#include <linux/types.h>

/*
 * Level for setsockopt(), getsockopt() and control messages.  Clear of the
 * levels of include/linux/socket.h (up to 287) and of those that out-of-tree
 * protocols are known to use (288).
 */
#ifndef SOL_CATS
#define SOL_CATS		313
#endif

/* The name to pass to TCP_ULP. */
#define CATS_ULP_NAME		"cats"

/**
 * enum cats_option - options at level SOL_CATS
 * @CATS_TAG: &struct cats_tag; as control message the tag of this message, as
 *	option (get, set) the tag of messages that carry none
 * @CATS_CONDUCTOR: name of the scheduling policy (get, set), at most
 *	CATS_CONDUCTOR_NAME_MAX bytes with the final 0; may be changed at any
 *	time, what is queued keeps its place in its class.  The sysctl
 *	net.cats.available_conductors lists them: "bounded" (the default), "strict",
 *	"wfq", "edf", "debt", "debt-paper", "debt-refcode"
 * @CATS_INFO: &struct cats_info (get)
 * @CATS_DEBT_PARAMS: &struct cats_debt_params (get, set) of a socket whose
 *	Conductor is one of the "debt" family, else EINVAL
 * @CATS_POLL_URGENCY: __s32 (get, set): EPOLLOUT means that a message of this
 *	urgency fits; 0 to CATS_URGENCY_MAX, or CATS_POLL_DEFAULT_TAG (at first)
 *	for the urgency of the default tag, whatever that is.  After a tagged
 *	message was refused with EAGAIN, EPOLLOUT for its urgency means that there
 *	is room for that message
 * @CATS_CANCEL: &struct cats_change (get, reads the value too): take back what is
 *	queued
 * @CATS_REPRIORITIZE: &struct cats_change (get, reads the value too): give another
 *	urgency to what is queued
 * @CATS_ADMIT: &struct cats_admit (get, set)
 * @CATS_NOTICE: control message from the error queue: &struct cats_notice
 * @CATS_BOUNDED_PARAMS: &struct cats_bounded_params (get, set) of a socket whose
 *	Conductor is "bounded", else EINVAL
 * @CATS_WFQ_PARAMS: &struct cats_wfq_params (get, set) of a socket whose Conductor
 *	is "wfq", else EINVAL
 */
enum cats_option {
	CATS_TAG		= 1,
	CATS_CONDUCTOR		= 2,
	CATS_INFO		= 3,
	CATS_DEBT_PARAMS	= 4,
	CATS_POLL_URGENCY	= 5,
	CATS_CANCEL		= 6,
	CATS_REPRIORITIZE	= 7,
	CATS_ADMIT		= 8,
	CATS_NOTICE		= 9,
	CATS_BOUNDED_PARAMS	= 10,
	CATS_WFQ_PARAMS		= 11,
};

/* Value of CATS_POLL_URGENCY. */
#define CATS_POLL_DEFAULT_TAG	(-1)

/*
 * Urgency as in RFC 9218, section 4.1: 0 is the most urgent, 7 is background.
 * The five names are the five levels P0 to P4 of the CATS paper
 * (arXiv 2603.13945).
 */
#define CATS_URGENCY_MAX	7
#define CATS_URGENCY_DEFAULT	3
#define CATS_NR_URGENCIES	(CATS_URGENCY_MAX + 1)

enum cats_priority {
	CATS_PRIO_CONTROL	= 0,	/* P0: heartbeats, aborts, control */
	CATS_PRIO_INTERACTIVE	= 1,	/* P1: keystrokes, the page's HTML */
	CATS_PRIO_NORMAL	= 3,	/* P2: the default */
	CATS_PRIO_BULK		= 5,	/* P3: images, downloads */
	CATS_PRIO_SCAVENGER	= 7,	/* P4: prefetch, backup */
};

/* &struct cats_tag.flags */
#define CATS_F_INCREMENTAL	(1U << 0)	/* the stream takes turns, RFC 9218 4.2 */
#define CATS_F_REPLACE		(1U << 1)	/* in place of what is queued with my cookie */

/**
 * enum cats_event - what can become of a message
 * @CATS_EVENT_BEGUN: its first byte has a TCP sequence number
 * @CATS_EVENT_SENT: its last byte was transmitted
 * @CATS_EVENT_ACKED: its last byte was acknowledged
 * @CATS_EVENT_EXPIRED: dropped, its lifetime was over
 * @CATS_EVENT_CANCELLED: dropped by CATS_CANCEL
 * @CATS_EVENT_REPLACED: dropped for a message with CATS_F_REPLACE
 * @CATS_EVENT_SHED: dropped by a rule of CATS_ADMIT
 */
enum cats_event {
	CATS_EVENT_BEGUN	= 0,
	CATS_EVENT_SENT		= 1,
	CATS_EVENT_ACKED	= 2,
	CATS_EVENT_EXPIRED	= 3,
	CATS_EVENT_CANCELLED	= 4,
	CATS_EVENT_REPLACED	= 5,
	CATS_EVENT_SHED		= 6,
};

#define CATS_NR_EVENTS		7
/* &struct cats_tag.notify: bit of an event */
#define CATS_NOTIFY(event)	(1U << (event))
#define CATS_NOTIFY_DROPPED	(CATS_NOTIFY(CATS_EVENT_EXPIRED) | \
				 CATS_NOTIFY(CATS_EVENT_CANCELLED) | \
				 CATS_NOTIFY(CATS_EVENT_REPLACED) | \
				 CATS_NOTIFY(CATS_EVENT_SHED))
#define CATS_NOTIFY_ALL		((1U << CATS_NR_EVENTS) - 1)

/**
 * struct cats_tag - what the application says of a message
 * @urgency: 0 (most urgent) to CATS_URGENCY_MAX
 * @flags: CATS_F_*
 * @stream: number of the stream; 0: none.  CATS_F_INCREMENTAL needs one.
 * @lifetime_us: drop the message if it has not begun after this time, us; 0: never
 * @cookie: name of the message for CATS_CANCEL, CATS_REPRIORITIZE and notices; 0:
 *	none.  CATS_F_REPLACE needs one.
 * @notify: events to be told of, CATS_NOTIFY()
 * @reserved: must be 0 (EINVAL)
 *
 * A bare __u32 urgency is a valid tag, see "Size of structures" above.  The
 * default tag of a socket has an urgency only, the rest must be 0 (EINVAL).
 *
 * A message of several calls (MSG_MORE) has the tag of the first; of the others
 * only the urgency counts.
 */
struct cats_tag {
	__u32		urgency;
	__u32		flags;
	__u32		stream;
	__u32		lifetime_us;
	__aligned_u64	cookie;
	__u32		notify;
	__u32		reserved;
};

/**
 * struct cats_change - which messages, what becomes of them, and of how many
 * @cookie: in: those with this cookie; 0: any
 * @stream: in: those of this stream; 0: any.  At least one of the two must be given
 *	(EINVAL); with both, both must match.
 * @flags: in: CATS_REPRIORITIZE with @stream: CATS_F_INCREMENTAL or not, from now
 *	on; else 0 (EINVAL)
 * @urgency: in: CATS_REPRIORITIZE: the new one; CATS_CANCEL: 0 (EINVAL)
 * @msgs: out: messages taken back, or moved
 * @bytes: out: their bytes
 * @begun_bytes: out: bytes of those that match but have begun
 * @begun_msgs: out: how many they are: 0 or 1.  Their bytes are sent.
 * @reserved: must be 0 (EINVAL)
 *
 * A message that is counted in neither has been committed whole, or never was.
 * Neither is one whose call, or MSG_MORE chain, has not ended, or had an untagged call.
 */
struct cats_change {
	__aligned_u64	cookie;
	__u32		stream;
	__u32		flags;
	__u32		urgency;
	__u32		msgs;
	__aligned_u64	bytes;
	__aligned_u64	begun_bytes;
	__u32		begun_msgs;
	__u32		reserved;
};

/**
 * struct cats_admit - what to do when too much is queued; all 0 (at first): nothing
 * @threshold: bytes queued, all urgencies, from which @refuse and @drop apply
 * @max_delay_us: longest time that sending what is queued may take at the rate of
 *	&struct cats_info.rate, us; beyond it messages of @shed are dropped, the oldest of
 *	the least urgent first.  0: no limit
 * @refuse: bit i: a write of urgency i is refused (ENOBUFS)
 * @drop: bit i: a tagged message of urgency i is accepted and dropped; an untagged
 *	write is not, as the application is told that its bytes are sent
 * @shed: bit i: tagged messages of urgency i may be dropped; an untagged one
 *	shields what came after it in its class
 * @reserved: must be 0 (EINVAL)
 */
struct cats_admit {
	__u32	threshold;
	__u32	max_delay_us;
	__u8	refuse;
	__u8	drop;
	__u8	shed;
	__u8	reserved;
};

/**
 * struct cats_notice - what became of a message
 * @cookie: of its tag
 * @delay_us: from the end of its write to its first byte getting a sequence number,
 *	or to its being dropped, us
 * @event: enum cats_event
 * @urgency: the last that it had
 * @stream: of its tag
 * @len: its bytes
 * @first_seq: TCP sequence number of its first byte; 0 if it was dropped
 * @end_seq: of the byte after its last; CATS_EVENT_BEGUN: likewise, it is known
 */
struct cats_notice {
	__aligned_u64	cookie;
	__aligned_u64	delay_us;
	__u32		event;
	__u32		urgency;
	__u32		stream;
	__u32		len;
	__u32		first_seq;
	__u32		end_seq;
};

#define CATS_CONDUCTOR_NAME_MAX	16
#define CATS_REASON_MAX		80

/*
 * Attribute in INET_DIAG_ULP_INFO of sock_diag(7), beside INET_ULP_INFO_NAME: &struct
 * cats_info.  Clear of the kernel's own INET_ULP_INFO_*.
 */
#define CATS_ULP_INFO		313

/*
 * Why the module refuses a call: REASON(name, code, errno, text), each text shorter than
 * CATS_REASON_MAX.  Codes are stable: new ones come at the end, none is used again.  The
 * module, its tracepoint cats_refuse, "catsctl explain" and cats(7) all have this list.
 */
#define CATS_REASONS(REASON)							\
	REASON(CMSG_REFUSED, 1, EINVAL,						\
	       "control message: refused by the socket layer")			\
	REASON(CMSG_TYPE, 2, EINVAL,						\
	       "control message: unknown type")					\
	REASON(CMSG_LENGTH, 3, EINVAL,						\
	       "control message: bad length")					\
	REASON(CMSG_TAGS, 4, EINVAL,						\
	       "control message: more than one tag")				\
	REASON(TAG_SHORT, 5, EINVAL,						\
	       "tag: shorter than 4 bytes")					\
	REASON(TAG_LONG, 6, E2BIG,						\
	       "tag: longer than this kernel knows, and not 0 there")		\
	REASON(TAG_URGENCY, 7, EINVAL,						\
	       "tag: urgency is above 7")					\
	REASON(TAG_FLAG, 8, EINVAL,						\
	       "tag: unknown flag")						\
	REASON(TAG_INCREMENTAL, 9, EINVAL,					\
	       "tag: CATS_F_INCREMENTAL without a stream")			\
	REASON(TAG_REPLACE, 10, EINVAL,						\
	       "tag: CATS_F_REPLACE without a cookie")				\
	REASON(TAG_NOTIFY, 11, EINVAL,						\
	       "tag: unknown event in notify")					\
	REASON(TAG_RESERVED, 12, EINVAL,					\
	       "tag: reserved field is not 0")					\
	REASON(TAG_DEFAULT, 13, EINVAL,						\
	       "default tag: has more than an urgency")				\
	REASON(MSG_SIZE, 14, EMSGSIZE,						\
	       "message: larger than the send buffer can ever hold")		\
	REASON(ADMIT_REFUSE, 15, ENOBUFS,					\
	       "CATS_ADMIT: so much is queued that writes are refused")		\
	REASON(OPTION_SHORT, 16, EINVAL,					\
	       "option: value is too short")					\
	REASON(OPTION_PAGE, 17, E2BIG,						\
	       "option: larger than a page")					\
	REASON(OPTION_LONG, 18, E2BIG,						\
	       "option: longer than this kernel knows, and not 0 there")	\
	REASON(OPTION_UNKNOWN, 19, ENOPROTOOPT,					\
	       "option: unknown to this kernel")				\
	REASON(POLL_URGENCY, 20, EINVAL,					\
	       "poll urgency: not in -1 to 7")					\
	REASON(CONDUCTOR_NAME, 21, EINVAL,					\
	       "Conductor: name is empty or too long")				\
	REASON(CONDUCTOR_UNKNOWN, 22, ENOENT,					\
	       "Conductor: no policy of that name")				\
	REASON(PARAMS_OTHER, 23, EINVAL,					\
	       "parameters: the Conductor is another one")			\
	REASON(ADMIT_RESERVED, 24, EINVAL,					\
	       "CATS_ADMIT: reserved field is not 0")				\
	REASON(ADDRFORM, 25, EBUSY,						\
	       "IPV6_ADDRFORM: not with CATS")					\
	REASON(CHANGE_WHAT, 26, EINVAL,						\
	       "change: neither a cookie nor a stream")				\
	REASON(CHANGE_FLAG, 27, EINVAL,						\
	       "change: unknown flag")						\
	REASON(CANCEL_URGENCY, 28, EINVAL,					\
	       "change: CATS_CANCEL has no urgency")				\
	REASON(CHANGE_URGENCY, 29, EINVAL,					\
	       "change: urgency is above 7")					\
	REASON(CHANGE_RESERVED, 30, EINVAL,					\
	       "change: reserved field is not 0")				\
	REASON(DEBT_LEAST, 31, EINVAL,						\
	       "debt parameters: the least urgent class has no watermarks")	\
	REASON(DEBT_HIGH, 32, EINVAL,						\
	       "debt parameters: high is not in 1 to 2^30")			\
	REASON(DEBT_LOW, 33, EINVAL,						\
	       "debt parameters: low is not in 1 to high")			\
	REASON(DEBT_PAYBACK, 34, EINVAL,					\
	       "debt parameters: payback is not in 1 to 1000000")		\
	REASON(DEBT_SUM, 35, EINVAL,						\
	       "debt parameters: payback_sum is below twice a payback")		\
	REASON(BOUNDED_BUCKET, 36, EINVAL,					\
	       "bounded parameters: bucket is above 2^30")			\
	REASON(BOUNDED_SHARE_0, 37, EINVAL,					\
	       "bounded parameters: share of urgency 0 is above 1000")		\
	REASON(BOUNDED_SHARE, 38, EINVAL,					\
	       "bounded parameters: share is not in 1 to 1000")			\
	REASON(BOUNDED_SUM, 39, EINVAL,						\
	       "bounded parameters: shares are above 1000 together")		\
	REASON(WFQ_WEIGHT, 40, EINVAL,						\
	       "wfq parameters: weight is not in 1 to 2^24")			\
	REASON(ATTACH_STATE, 41, ENOTCONN,					\
	       "attach: the connection has ended, or is ending")		\
	REASON(ATTACH_OTHER, 42, EOPNOTSUPP,					\
	       "attach: not plain TCP, somebody has taken the socket over")	\
	REASON(ATTACH_BUSY, 43, EBUSY,						\
	       "attach: a write sleeps, or somebody uses the socket")		\
	REASON(ATTACH_LIMIT, 44, ENOBUFS,					\
	       "attach: net.cats.max_sockets is reached")			\
	REASON(ATTACH_MEMORY, 45, ENOMEM,					\
	       "attach: no memory")						\
	REASON(CONNECT_BUSY, 46, EBUSY,						\
	       "connect: somebody else uses the socket")			\
	REASON(SYSCTL_NUMBERS, 47, EINVAL,					\
	       "sysctl: too few numbers")					\
	REASON(SYSCTL_MAX_SOCKETS, 48, EPERM,					\
	       "sysctl: max_sockets is above the initial namespace's")

#define CATS_REASON_CODE(name, code, err, text)	CATS_REASON_##name = code,

/* CATS_REASON_TAG_SHORT and so on; CATS_REASON_NONE: nothing was refused */
enum cats_reason {
	CATS_REASON_NONE	= 0,
	CATS_REASONS(CATS_REASON_CODE)
};

/* &struct cats_class_info.flags */
#define CATS_CLASS_F_IN_DEBT	(1U << 0)	/* passed over until it has paid */

/**
 * struct cats_class_info - the messages of one urgency
 * @queued_bytes: bytes that have no TCP sequence numbers yet
 * @sent_bytes: bytes handed to TCP since attach
 * @sent_msgs: messages handed to TCP whole since attach
 * @debt: bytes of debt, 0 unless the Conductor is of the "debt" family
 * @longest_wait_us: longest time from the end of a write to the first byte of
 *	its message being handed to TCP, us
 * @queued_msgs: messages that are queued, or unfinished.  One of the latter
 *	counts even if all bytes that it has so far were handed to TCP.
 * @flags: CATS_CLASS_F_*
 */
struct cats_class_info {
	__aligned_u64	queued_bytes;
	__aligned_u64	sent_bytes;
	__aligned_u64	sent_msgs;
	__aligned_u64	debt;
	__aligned_u64	longest_wait_us;
	__u32		queued_msgs;
	__u32		flags;
};

/* &struct cats_wait_info: there is no bound */
#define CATS_NO_BOUND		(~0ULL)

/**
 * struct cats_wait_info - how long an urgency waits, and what became of the rest
 * @bound_bytes: while the class waits the others send at most this between two
 *	messages of it, or before its first one; by the formula of its Conductor in
 *	Documentation/conductor.rst, for the largest message so far.  CATS_NO_BOUND: as
 *	much as they like.
 * @gap_bytes: the most that they did send since the Conductor or its parameters were set
 * @bound_us: the time that @bound_bytes and a full budget take at
 *	&struct cats_info.rate, us; or CATS_NO_BOUND
 * @gap_us: the longest time between two messages, or before the first, us
 * @expired_msgs: messages dropped because their lifetime was over
 * @cancelled_msgs: ... by CATS_CANCEL or CATS_F_REPLACE
 * @shed_msgs: ... by a rule of CATS_ADMIT
 * @refused_msgs: writes refused by a rule of CATS_ADMIT
 */
struct cats_wait_info {
	__aligned_u64	bound_bytes;
	__aligned_u64	gap_bytes;
	__aligned_u64	bound_us;
	__aligned_u64	gap_us;
	__u32		expired_msgs;
	__u32		cancelled_msgs;
	__u32		shed_msgs;
	__u32		refused_msgs;
};

/**
 * struct cats_info - state of a socket, for CATS_INFO
 * @conductor: name of the policy
 * @reason: why the last refused call was refused; empty if none was.  It
 *	stays until the next refusal.
 * @reason_errno: the errno that went with @reason
 * @committed: bytes that have TCP sequence numbers but were not transmitted
 * @committed_max: the most of them that the Feeder ever left behind
 * @budget: bytes that may be committed now: one TSO burst at the present
 *	pacing rate, as tcp_tso_autosize() computes it
 * @budget_max: the largest budget so far
 * @alloc_failures: times that the Feeder found no memory and had to retry
 * @mem_queued: memory charged for queued messages, bytes
 * @mem_limit: memory at which a message of the default tag no longer fits,
 *	bytes, counting @mem_queued and what TCP itself holds
 * @classes: one per urgency
 * @rate: estimated bandwidth, bytes/s: BBR's estimate if that is the congestion
 *	control, else the pacing rate; 0 if there is none yet
 * @largest_msg: bytes of the largest message so far
 * @notices_lost: notices for which there was no memory, or no room
 * @waits: one per urgency
 * @reason_code: enum cats_reason, @reason in a number; 0 if nothing was refused
 * @urgency: of the default tag
 */
struct cats_info {
	char			conductor[CATS_CONDUCTOR_NAME_MAX];
	char			reason[CATS_REASON_MAX];
	__u32			reason_errno;
	__u32			committed;
	__u32			committed_max;
	__u32			budget;
	__u32			budget_max;
	__u32			alloc_failures;
	__u32			mem_queued;
	__u32			mem_limit;
	struct cats_class_info	classes[CATS_NR_URGENCIES];
	__aligned_u64		rate;
	__u32			largest_msg;
	__u32			notices_lost;
	struct cats_wait_info	waits[CATS_NR_URGENCIES];
	__u32			reason_code;
	__u32			urgency;
};

/**
 * struct cats_debt_params - parameters of the "debt" Conductors
 * @high: a class whose debt reaches this many bytes is in debt; per urgency,
 *	1 to 2^30.  The least urgent class has no debt: both its watermarks
 *	must be 0.
 * @low: a class in debt leaves it when its debt is below this, bytes; 1 to @high
 * @payback: thousandths of a byte that each byte sent of this class pays back
 *	of the debt of every more urgent one, 1 to 1000000
 * @payback_sum: the share of its debt that a class keeps when every waiting
 *	class is in debt is @payback / @payback_sum; at least twice each
 *	@payback, so that the rule ends quickly.  0 stands for the sum of all
 *	eight.
 */
struct cats_debt_params {
	__u32	high[CATS_NR_URGENCIES];
	__u32	low[CATS_NR_URGENCIES];
	__u32	payback[CATS_NR_URGENCIES];
	__u32	payback_sum;
};

/**
 * struct cats_bounded_params - parameters of the Conductor "bounded"
 * @share: per urgency, in 1024ths of all bytes.  Of urgency 0: how fast the bucket
 *	fills that lets it go before all others, 0 to 1000.  Of the others: what they
 *	get at least while they wait, 1 to 1000.
 * @bucket: size of urgency 0's bucket, bytes, 0 to 2^30
 *
 * The shares of 1 to 7 together must not exceed 1000.
 */
struct cats_bounded_params {
	__u32	share[CATS_NR_URGENCIES];
	__u32	bucket;
};

/**
 * struct cats_wfq_params - parameters of the Conductor "wfq"
 * @weight: bytes that a class may send per round, 1 to 2^24
 */
struct cats_wfq_params {
	__u32	weight[CATS_NR_URGENCIES];
};

#endif /* _UAPI_LINUX_CATS_H */
