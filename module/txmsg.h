/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The bytes of a queued message: references to page fragments.
 *
 * Payload lies densely in the task's page fragment, as TCP itself stores it, so
 * that consecutive messages coalesce when they become skb fragments; what
 * describes it lies elsewhere.  Both are charged to the socket.
 */
#ifndef _CATS_TXMSG_H
#define _CATS_TXMSG_H

#include <net/sock.h>

#include "conductor.h"

struct cats_name;
struct cats_sock;
struct cats_txstamp;
struct cats_txstream;

/**
 * struct cats_frag - a piece of a page
 * @page: page, one reference held
 * @offset: first byte
 * @len: bytes
 */
struct cats_frag {
	struct page	*page;
	u32		offset;
	u32		len;
};

#define CATS_CHUNK_FRAGS	4
/*
 * What each chunk but the first is charged, bytes.  A byte may be all that holds a page
 * of 32 KiB, so a fragment must not be cheaper than in TCP, which charges an skb of 1280
 * bytes for up to 17; and the slabs of message and chunk lose a few per cent.
 */
#define CATS_CHUNK_CHARGE	(CATS_CHUNK_FRAGS * 84)

/**
 * struct cats_chunk - a few fragments of one kind, 88 bytes on a 64-bit machine
 * @next: following chunk of the message, or NULL
 * @uarg: to be told when the pages are no longer in use (MSG_ZEROCOPY); a
 *	reference, or NULL
 * @first: index of the first fragment not yet taken
 * @nr: number of fragments filled
 * @shared: somebody else may write to the pages: sendfile()
 * @frags: the fragments
 */
struct cats_chunk {
	struct cats_chunk	*next;
	struct ubuf_info	*uarg;
	u16			first;
	u16			nr;
	bool			shared;
	struct cats_frag	frags[CATS_CHUNK_FRAGS];
};

/* &struct cats_txmsg.marks: what TCP is told of the last byte */
#define CATS_MARK_EOR	BIT(0)	/* end of record: MSG_EOR */
#define CATS_MARK_URG	BIT(1)	/* urgent data: MSG_OOB */

/**
 * struct cats_txmsg - a message and its bytes
 * @msg: what the Conductor sees
 * @has_writer: a call is still working on it and will free it, see
 *	cats_txmsg_put()
 * @whole: every call that wrote it was tagged: it begins when it is complete
 * @was_queued: the Conductor has, or had, it.  If it is not queued any more its
 *	bytes are committed, or the connection ended.
 * @marks: CATS_MARK_*
 * @first_seq: sequence number of the first byte, once it has begun
 * @touched: when the last call ended, jiffies
 * @tag: of the first call that wrote it; zero but for the urgency if it has none
 * @stream: of @tag, or NULL
 * @name: entry of the cookie of @tag, or NULL
 * @waited_ns: how long it had waited when it began
 * @watch: in a list of &struct cats_sock while all of it is committed, and there is
 *	more to tell of it; see notice.c
 * @stamp: transmit time stamp wanted for the last byte, or NULL
 * @head: chunk to take from
 * @tail: chunk to add to
 * @chunk: the first chunk, enough for a small message
 */
struct cats_txmsg {
	struct cats_msg		msg;
	bool			has_writer;
	bool			whole;
	bool			was_queued;
	u8			marks;
	u32			first_seq;
	unsigned long		touched;
	struct cats_tag		tag;
	struct cats_txstream	*stream;
	struct cats_name	*name;
	u64			waited_ns;
	struct list_head	watch;
	struct cats_txstamp	*stamp;
	struct cats_chunk	*head;
	struct cats_chunk	*tail;
	struct cats_chunk	chunk;
};

/**
 * to_txmsg() - message of the Conductor's view of it
 * @m: what the Conductor returned
 */
static inline struct cats_txmsg *to_txmsg(struct cats_msg *m)
{
	return container_of(m, struct cats_txmsg, msg);
}

/**
 * cats_txmsg_left() - bytes of a message that are not committed
 * @m: message
 */
static inline u32 cats_txmsg_left(const struct cats_txmsg *m)
{
	return m->msg.len - m->msg.committed;
}

/**
 * cats_txmsg_gone() - was the message taken from its writer?
 * @m: message whose writer asks
 *
 * All of it was committed, or dropped with the connection.
 */
static inline bool cats_txmsg_gone(const struct cats_txmsg *m)
{
	return m->was_queued && list_empty(&m->msg.node);
}

bool cats_mem_charge(struct sock *sk, struct cats_sock *cs, u32 bytes);
void cats_mem_uncharge(struct sock *sk, struct cats_sock *cs, u32 bytes);

size_t cats_txmsg_truesize(size_t len);
struct cats_txmsg *cats_txmsg_alloc(struct sock *sk, struct cats_sock *cs,
				    const struct cats_tag *tag);
int cats_txmsg_copy(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m,
		    struct iov_iter *from, size_t max);
int cats_txmsg_pin(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m,
		   struct iov_iter *from, size_t max, struct ubuf_info *uarg);
int cats_txmsg_add_page(struct sock *sk, struct cats_sock *cs,
			struct cats_txmsg *m, struct page *page, u32 offset,
			u32 bytes);
void cats_txmsg_trim(struct sock *sk, struct cats_sock *cs,
		     struct cats_txmsg *m);
struct cats_frag *cats_txmsg_first_frag(struct cats_txmsg *m);
void cats_txmsg_consume(struct sock *sk, struct cats_sock *cs,
			struct cats_txmsg *m, u32 bytes);
void cats_txmsg_put(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m);

int cats_txmsg_init(void);
void cats_txmsg_exit(void);

#endif /* _CATS_TXMSG_H */
