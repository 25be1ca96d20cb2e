/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names of messages and streams: see name.c.
 */
#ifndef _CATS_NAME_H
#define _CATS_NAME_H

#include <linux/rhashtable-types.h>

#include "txmsg.h"

/**
 * struct cats_key - whose, and which
 * @cs: CATS socket
 * @id: cookie, or number of a stream
 */
struct cats_key {
	const struct cats_sock	*cs;
	u64			id;
};

/**
 * struct cats_name - a message by its cookie
 * @node: in the table; several messages may have the same cookie
 * @key: its key there
 * @m: message
 * @rcu: to free it
 */
struct cats_name {
	struct rhlist_head	node;
	struct cats_key		key;
	struct cats_txmsg	*m;
	struct rcu_head		rcu;
};

/**
 * struct cats_txstream - a stream by its number
 * @node: in the table
 * @key: its key there
 * @stream: what the Conductor sees
 * @users: messages that are of it, and who looks at it
 * @rcu: to free it
 */
struct cats_txstream {
	struct rhash_head	node;
	struct cats_key		key;
	struct cats_stream	stream;
	u32			users;
	struct rcu_head		rcu;
};

/**
 * cats_name_for_each() - for all messages with a cookie
 * @name: &struct cats_name, the cursor
 * @pos: what cats_name_first() returned, changed
 */
#define cats_name_for_each(name, pos) \
	for (; (pos) && ((name) = container_of(pos, struct cats_name, node)); \
	     (pos) = rcu_dereference_raw((pos)->next))

int cats_name_add(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m);
void cats_name_drop(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m);
size_t cats_name_truesize(const struct cats_tag *tag);
struct rhlist_head *cats_name_first(const struct cats_sock *cs, u64 cookie);
struct cats_txstream *cats_stream_find(const struct cats_sock *cs, u32 id);
void cats_stream_put(struct sock *sk, struct cats_sock *cs, struct cats_txstream *s);
int cats_name_init(void);
void cats_name_exit(void);

#endif /* _CATS_NAME_H */
