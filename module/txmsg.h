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

struct cats_sock;

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

#define CATS_CHUNK_FRAGS	3

/**
 * struct cats_chunk - a few fragments, 64 bytes on a 64-bit machine
 * @next: following chunk of the message, or NULL
 * @first: index of the first fragment not yet taken
 * @nr: number of fragments filled
 * @frags: the fragments
 */
struct cats_chunk {
	struct cats_chunk	*next;
	u16			first;
	u16			nr;
	struct cats_frag	frags[CATS_CHUNK_FRAGS];
};

/**
 * struct cats_txmsg - a message and its bytes
 * @msg: what the Conductor sees
 * @has_writer: a call is still working on it and will free it, see
 *	cats_txmsg_put()
 * @head: chunk to take from
 * @tail: chunk to add to
 * @chunk: the first chunk, enough for a small message
 */
struct cats_txmsg {
	struct cats_msg		msg;
	bool			has_writer;
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

size_t cats_txmsg_truesize(size_t len);
struct cats_txmsg *cats_txmsg_alloc(struct sock *sk, struct cats_sock *cs,
				    unsigned int urgency);
int cats_txmsg_copy(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m,
		    struct iov_iter *from, size_t max);
struct cats_frag *cats_txmsg_first_frag(struct cats_txmsg *m);
void cats_txmsg_consume(struct sock *sk, struct cats_sock *cs,
			struct cats_txmsg *m, u32 bytes);
void cats_txmsg_put(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m);

int cats_txmsg_init(void);
void cats_txmsg_exit(void);

#endif /* _CATS_TXMSG_H */
