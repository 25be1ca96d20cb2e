// SPDX-License-Identifier: GPL-2.0
/*
 * Allocation, filling and release of queued messages, with their accounting.
 *
 * Memory is charged with sk_wmem_schedule() and sk_mem_charge(), that is to
 * tcp_mem and the memcg of the socket, and summed up in cats_sock.mem.  It is
 * not added to sk_wmem_queued: TCP compares that with sk_sndbuf before it lets
 * the Feeder append.  admit.c adds the two when it admits messages.
 */
#include <linux/slab.h>
#include <linux/uio.h>

#include "cats_sock.h"
#include "txmsg.h"

static struct kmem_cache *txmsg_cache;

/* As TCP, a socket gets tcp_wmem[0] whatever the limits: tcp_wmem_schedule(). */
static bool charge(struct sock *sk, struct cats_sock *cs, u32 bytes)
{
	u32 wmem_min = READ_ONCE(sock_net(sk)->ipv4.sysctl_tcp_wmem[0]);

	if (!sk_wmem_schedule(sk, bytes) &&
	    sk->sk_wmem_queued + cs->mem + bytes > wmem_min)
		return false;
	sk_mem_charge(sk, bytes);
	WRITE_ONCE(cs->mem, cs->mem + bytes);
	return true;
}

static void uncharge(struct sock *sk, struct cats_sock *cs, u32 bytes)
{
	sk_mem_uncharge(sk, bytes);
	WRITE_ONCE(cs->mem, cs->mem - bytes);
}

/**
 * cats_txmsg_truesize() - memory that a message will be charged, at most
 * @len: bytes of payload
 *
 * At most because fragments are as large as the allocator can give; a page is
 * the least.
 */
size_t cats_txmsg_truesize(size_t len)
{
	size_t frags = DIV_ROUND_UP(len, PAGE_SIZE) + 1;
	size_t chunks = DIV_ROUND_UP(frags, CATS_CHUNK_FRAGS) - 1;

	return sizeof(struct cats_txmsg) + chunks * sizeof(struct cats_chunk) + len;
}

/**
 * cats_txmsg_alloc() - a message without bytes
 * @sk: socket, owned by the caller, who may sleep
 * @cs: its CATS state
 * @urgency: class
 *
 * Return: the message, with @has_writer set; NULL without memory.
 */
struct cats_txmsg *cats_txmsg_alloc(struct sock *sk, struct cats_sock *cs,
				    unsigned int urgency)
{
	struct cats_txmsg *m;

	cats_sock_held(sk);
	m = kmem_cache_zalloc(txmsg_cache, sk->sk_allocation);
	if (!m)
		return NULL;
	if (!charge(sk, cs, sizeof(*m))) {
		kmem_cache_free(txmsg_cache, m);
		return NULL;
	}
	INIT_LIST_HEAD(&m->msg.node);
	m->msg.urgency = urgency;
	m->has_writer = true;
	m->head = &m->chunk;
	m->tail = &m->chunk;
	return m;
}

static void free_chunk(struct sock *sk, struct cats_sock *cs,
		       struct cats_txmsg *m, struct cats_chunk *chunk)
{
	if (chunk == &m->chunk)
		return;
	kfree(chunk);
	uncharge(sk, cs, sizeof(*chunk));
}

/* The fragment that new bytes at the end of @pfrag belong to, or a new one. */
static struct cats_frag *last_frag(struct sock *sk, struct cats_sock *cs,
				   struct cats_txmsg *m,
				   const struct page_frag *pfrag)
{
	struct cats_chunk *chunk = m->tail;
	struct cats_frag *frag;

	if (chunk->nr > chunk->first) {
		frag = &chunk->frags[chunk->nr - 1];
		if (frag->page == pfrag->page &&
		    frag->offset + frag->len == pfrag->offset)
			return frag;
	}
	if (chunk->nr == CATS_CHUNK_FRAGS) {
		if (!charge(sk, cs, sizeof(*chunk)))
			return NULL;
		chunk = kzalloc(sizeof(*chunk), sk->sk_allocation);
		if (!chunk) {
			uncharge(sk, cs, sizeof(*chunk));
			return NULL;
		}
		m->tail->next = chunk;
		m->tail = chunk;
	}
	return &chunk->frags[chunk->nr];
}

static void frag_add(struct cats_chunk *chunk, struct cats_frag *frag,
		     struct page_frag *pfrag, u32 bytes)
{
	if (frag == &chunk->frags[chunk->nr]) {
		get_page(pfrag->page);
		frag->page = pfrag->page;
		frag->offset = pfrag->offset;
		chunk->nr++;
	}
	frag->len += bytes;
	pfrag->offset += bytes;
}

/**
 * cats_txmsg_copy() - copy user data into a message, as one piece
 * @sk: socket, owned by the caller, who may sleep
 * @cs: its CATS state
 * @m: message; its @msg.len is not changed, the caller tells the Conductor
 * @from: data
 * @max: bytes at most
 *
 * Return: bytes copied, at least 1; -ENOMEM without memory, -EFAULT if the data
 * cannot be read.
 */
int cats_txmsg_copy(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m,
		    struct iov_iter *from, size_t max)
{
	struct page_frag *pfrag = sk_page_frag(sk);
	struct cats_frag *frag;
	size_t bytes, copied;

	cats_sock_held(sk);
	if (!sk_page_frag_refill(sk, pfrag))
		return -ENOMEM;
	bytes = min_t(size_t, max, pfrag->size - pfrag->offset);
	frag = last_frag(sk, cs, m, pfrag);
	if (!frag || !charge(sk, cs, bytes))
		return -ENOMEM;
	copied = copy_page_from_iter(pfrag->page, pfrag->offset, bytes, from);
	if (copied)
		frag_add(m->tail, frag, pfrag, copied);
	if (copied < bytes)
		uncharge(sk, cs, bytes - copied);
	return copied ?: -EFAULT;
}

/**
 * cats_txmsg_first_frag() - the next bytes to take from a message
 * @m: message with uncommitted bytes
 */
struct cats_frag *cats_txmsg_first_frag(struct cats_txmsg *m)
{
	return &m->head->frags[m->head->first];
}

/**
 * cats_txmsg_consume() - bytes of the first fragment were taken over
 * @sk: socket
 * @cs: its CATS state
 * @m: message
 * @bytes: how many; at most the first fragment's length.  The memory they were
 *	charged for goes over to the taker, who also has a page reference of his
 *	own.
 */
void cats_txmsg_consume(struct sock *sk, struct cats_sock *cs,
			struct cats_txmsg *m, u32 bytes)
{
	struct cats_chunk *chunk = m->head;
	struct cats_frag *frag = &chunk->frags[chunk->first];

	cats_sock_held(sk);
	WRITE_ONCE(cs->mem, cs->mem - bytes);
	frag->offset += bytes;
	frag->len -= bytes;
	if (frag->len)
		return;
	put_page(frag->page);
	chunk->first++;
	if (chunk->first < chunk->nr)
		return;
	if (chunk->next) {
		m->head = chunk->next;
		free_chunk(sk, cs, m, chunk);
	} else {
		/* An open message goes on in the same chunk. */
		chunk->first = 0;
		chunk->nr = 0;
	}
}

static void release_frags(struct sock *sk, struct cats_sock *cs,
			  struct cats_txmsg *m, struct cats_chunk *chunk)
{
	u32 bytes = 0;

	for (; chunk->first < chunk->nr; chunk->first++) {
		put_page(chunk->frags[chunk->first].page);
		bytes += chunk->frags[chunk->first].len;
	}
	uncharge(sk, cs, bytes);
}

/**
 * cats_txmsg_put() - free a message with what it holds
 * @sk: socket
 * @cs: its CATS state
 * @m: message, not queued.  One that still has a writer is left to him: he
 *	finds it unlinked.
 */
void cats_txmsg_put(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m)
{
	struct cats_chunk *chunk, *next;

	cats_sock_held(sk);
	if (m->has_writer)
		return;
	for (chunk = m->head; chunk; chunk = next) {
		next = chunk->next;
		release_frags(sk, cs, m, chunk);
		free_chunk(sk, cs, m, chunk);
	}
	kmem_cache_free(txmsg_cache, m);
	uncharge(sk, cs, sizeof(*m));
}

/**
 * cats_txmsg_init() - set up the allocator of messages
 *
 * Return: 0 or -ENOMEM.
 */
int __init cats_txmsg_init(void)
{
	txmsg_cache = KMEM_CACHE(cats_txmsg, 0);
	return txmsg_cache ? 0 : -ENOMEM;
}

/**
 * cats_txmsg_exit() - release the allocator; no message is left
 */
void cats_txmsg_exit(void)
{
	kmem_cache_destroy(txmsg_cache);
}
