// SPDX-License-Identifier: GPL-2.0
/*
 * Names: messages by their cookies, and streams by their numbers.
 *
 * Both are found in hash tables that all sockets share, in which the socket is a part of
 * the key.  A table per socket could not be destroyed with the socket, which may happen
 * in softirq: the kernel's tables resize themselves in a worker.
 *
 * What is in the tables is added and removed under the lock of its socket.  But those who
 * look for something of another socket come by, so it is freed by RCU.
 */
#include <linux/rhashtable.h>
#include <linux/slab.h>

#include "cats_sock.h"
#include "name.h"

static struct rhltable names;
static struct rhashtable streams;

static const struct rhashtable_params name_params = {
	.key_len		= sizeof(struct cats_key),
	.key_offset		= offsetof(struct cats_name, key),
	.head_offset		= offsetof(struct cats_name, node),
	.automatic_shrinking	= true,
};

static const struct rhashtable_params stream_params = {
	.key_len		= sizeof(struct cats_key),
	.key_offset		= offsetof(struct cats_txstream, key),
	.head_offset		= offsetof(struct cats_txstream, node),
	.automatic_shrinking	= true,
};

static struct cats_key key_of(const struct cats_sock *cs, u64 id)
{
	return (struct cats_key){ .cs = cs, .id = id };
}

/**
 * cats_stream_find() - look up a stream
 * @cs: CATS socket
 * @id: its number
 *
 * Return: the stream, which has a message; NULL if there is none.
 */
struct cats_txstream *cats_stream_find(const struct cats_sock *cs, u32 id)
{
	struct cats_key key = key_of(cs, id);

	cats_sock_held(cs->sk);
	return rhashtable_lookup_fast(&streams, &key, stream_params);
}

static struct cats_txstream *stream_new(struct sock *sk, struct cats_sock *cs, u32 id)
{
	struct cats_txstream *s;

	if (!cats_mem_charge(sk, cs, sizeof(*s)))
		return NULL;
	s = kzalloc(sizeof(*s), sk->sk_allocation);
	if (!s)
		goto no_memory;
	s->key = key_of(cs, id);
	cats_stream_init(&s->stream);
	if (!rhashtable_insert_fast(&streams, &s->node, stream_params))
		return s;
	kfree(s);
no_memory:
	cats_mem_uncharge(sk, cs, sizeof(*s));
	return NULL;
}

static int add_stream(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m)
{
	if (!m->tag.stream)
		return 0;
	m->stream = cats_stream_find(cs, m->tag.stream) ?:
		    stream_new(sk, cs, m->tag.stream);
	if (!m->stream)
		return -ENOMEM;
	m->stream->users++;
	return 0;
}

/**
 * cats_stream_put() - somebody needs a stream no longer
 * @sk: socket
 * @cs: its CATS state
 * @s: stream, goes with the last who needed it
 */
void cats_stream_put(struct sock *sk, struct cats_sock *cs, struct cats_txstream *s)
{
	cats_sock_held(sk);
	if (--s->users)
		return;
	rhashtable_remove_fast(&streams, &s->node, stream_params);
	kfree_rcu(s, rcu);
	cats_mem_uncharge(sk, cs, sizeof(*s));
}

static void drop_stream(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m)
{
	if (m->stream)
		cats_stream_put(sk, cs, m->stream);
	m->stream = NULL;
}

static int add_cookie(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m)
{
	struct cats_name *name;

	if (!m->tag.cookie)
		return 0;
	if (!cats_mem_charge(sk, cs, sizeof(*name)))
		return -ENOMEM;
	name = kzalloc(sizeof(*name), sk->sk_allocation);
	if (!name)
		goto no_memory;
	name->key = key_of(cs, m->tag.cookie);
	name->m = m;
	if (rhltable_insert(&names, &name->node, name_params))
		goto no_insert;
	m->name = name;
	return 0;

no_insert:
	kfree(name);
no_memory:
	cats_mem_uncharge(sk, cs, sizeof(*name));
	return -ENOMEM;
}

static void drop_cookie(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m)
{
	struct cats_name *name = m->name;

	m->name = NULL;
	if (!name)
		return;
	rhltable_remove(&names, &name->node, name_params);
	kfree_rcu(name, rcu);
	cats_mem_uncharge(sk, cs, sizeof(*name));
}

/**
 * cats_name_add() - have a message found by its cookie, and its stream
 * @sk: socket, owned by the caller, who may sleep
 * @cs: its CATS state
 * @m: message with a tag
 *
 * Return: 0 or -ENOMEM.
 */
int cats_name_add(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m)
{
	int err;

	cats_sock_held(sk);
	err = add_stream(sk, cs, m);
	if (err)
		return err;
	err = add_cookie(sk, cs, m);
	if (err)
		drop_stream(sk, cs, m);
	return err;
}

/**
 * cats_name_drop() - undo that
 * @sk: socket
 * @cs: its CATS state
 * @m: message, not queued
 */
void cats_name_drop(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m)
{
	drop_cookie(sk, cs, m);
	drop_stream(sk, cs, m);
}

/**
 * cats_name_truesize() - memory that the names of a message are charged, at most
 * @tag: its tag
 */
size_t cats_name_truesize(const struct cats_tag *tag)
{
	return (tag->cookie ? sizeof(struct cats_name) : 0) +
	       (tag->stream ? sizeof(struct cats_txstream) : 0);
}

/**
 * cats_name_first() - the messages with a cookie
 * @cs: CATS socket
 * @cookie: cookie
 *
 * Return: list for cats_name_for_each(), or NULL; to be used under rcu_read_lock(),
 * which is also what allows to drop them meanwhile.
 */
struct rhlist_head *cats_name_first(const struct cats_sock *cs, u64 cookie)
{
	struct cats_key key = key_of(cs, cookie);

	cats_sock_held(cs->sk);
	return rhltable_lookup(&names, &key, name_params);
}

/**
 * cats_name_init() - set up the tables
 *
 * Return: 0 or a negative errno.
 */
int __init cats_name_init(void)
{
	int err = rhltable_init(&names, &name_params);

	if (err)
		return err;
	err = rhashtable_init(&streams, &stream_params);
	if (err)
		rhltable_destroy(&names);
	return err;
}

/**
 * cats_name_exit() - release the tables; no message is left
 */
void cats_name_exit(void)
{
	rhashtable_destroy(&streams);
	rhltable_destroy(&names);
}
