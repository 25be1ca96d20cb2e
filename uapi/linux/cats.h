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
 * after it, never inside it.  Messages of one urgency keep their order.  The
 * receiver needs no knowledge of CATS, but it must find the borders of
 * messages itself, as in any framed protocol.  Do not put CATS *below*
 * encryption done in user space: TLS records must not change their order.
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
 * ENOENT no Conductor of that name.  A refused call changes nothing, and
 * &struct cats_info.reason then says why in words.
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
 *	time, what is queued keeps its place in its class.  "strict": the most
 *	urgent first, always; "debt" (the default), "debt-paper" and
 *	"debt-refcode": the credit rule of the CATS paper, with watermarks twice
 *	the paper's, the paper's, and those of its simulator code
 * @CATS_INFO: &struct cats_info (get)
 * @CATS_DEBT_PARAMS: &struct cats_debt_params (get, set) of a socket whose
 *	Conductor is one of the "debt" family, else EINVAL
 * @CATS_POLL_URGENCY: __s32 (get, set): EPOLLOUT means that a message of this
 *	urgency fits; 0 to CATS_URGENCY_MAX, or CATS_POLL_DEFAULT_TAG (at first)
 *	for the urgency of the default tag, whatever that is.  After a tagged
 *	message was refused with EAGAIN, EPOLLOUT for its urgency means that there
 *	is room for that message
 */
enum cats_option {
	CATS_TAG		= 1,
	CATS_CONDUCTOR		= 2,
	CATS_INFO		= 3,
	CATS_DEBT_PARAMS	= 4,
	CATS_POLL_URGENCY	= 5,
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

/**
 * struct cats_tag - what the application says of a message
 * @urgency: 0 (most urgent) to CATS_URGENCY_MAX
 * @flags: none defined yet, must be 0 (EINVAL)
 * @stream: reserved for ordering across urgencies, must be 0 (EINVAL)
 * @reserved: must be 0 (EINVAL)
 *
 * A bare __u32 urgency is a valid tag, see "Size of structures" above.
 */
struct cats_tag {
	__u32	urgency;
	__u32	flags;
	__u32	stream;
	__u32	reserved;
};

#define CATS_CONDUCTOR_NAME_MAX	16
#define CATS_REASON_MAX		80

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

#endif /* _UAPI_LINUX_CATS_H */
