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
#include "name.h"

static struct kmem_cache *txmsg_cache;

/*
 * Under pressure __sk_mem_raise_allocated() gives a socket no more than its share of
 * tcp_mem[2], counting what is in sk_wmem_queued.  What we hold is not: here is the
 * same test with it.
 */
static bool within_share(struct sock *sk, const struct cats_sock *cs, u32 bytes)
{
	int more = PAGE_ALIGN(max_t(int, bytes - sk->sk_forward_alloc, 0));
	u64 pages;

	if (!more || !sk_under_memory_pressure(sk) ||
	    sk_memory_allocated(sk) + (more >> PAGE_SHIFT) <= sk_prot_mem_limits(sk, 0))
		return true;
	pages = sk_mem_pages(sk->sk_wmem_queued + cs->mem + sk->sk_forward_alloc + more +
			     atomic_read(&sk->sk_rmem_alloc));
	return sk_prot_mem_limits(sk, 2) > sk_sockets_allocated_read_positive(sk) * pages;
}

/**
 * cats_mem_charge() - charge memory for what is queued
 * @sk: socket
 * @cs: its CATS state
 * @bytes: how much
 *
 * As TCP, a socket gets tcp_wmem[0] whatever the limits: tcp_wmem_schedule().
 *
 * Return: false, with nothing charged, where the limits do not allow it.
 */
bool cats_mem_charge(struct sock *sk, struct cats_sock *cs, u32 bytes)
{
	u32 wmem_min = READ_ONCE(sock_net(sk)->ipv4.sysctl_tcp_wmem[0]);

	if ((!within_share(sk, cs, bytes) || !sk_wmem_schedule(sk, bytes)) &&
	    sk->sk_wmem_queued + cs->mem + bytes > wmem_min)
		return false;
	sk_mem_charge(sk, bytes);
	WRITE_ONCE(cs->mem, cs->mem + bytes);
	return true;
}

/**
 * cats_mem_uncharge() - give it back
 * @sk: socket
 * @cs: its CATS state
 * @bytes: how much
 */
void cats_mem_uncharge(struct sock *sk, struct cats_sock *cs, u32 bytes)
{
	sk_mem_uncharge(sk, bytes);
	WRITE_ONCE(cs->mem, cs->mem - bytes);
}

/**
 * cats_txmsg_truesize() - memory that a message will be charged, at most
 * @len: bytes of payload, copied
 *
 * At most because fragments are as large as the allocator can give; a page is
 * the least.  For pages of others it is an estimate: they come as they are cut.
 */
size_t cats_txmsg_truesize(size_t len)
{
	size_t frags = DIV_ROUND_UP(len, PAGE_SIZE) + 1;
	size_t chunks = DIV_ROUND_UP(frags, CATS_CHUNK_FRAGS) - 1;

	return sizeof(struct cats_txmsg) + chunks * CATS_CHUNK_CHARGE + len;
}

/**
 * cats_txmsg_alloc() - a message without bytes
 * @sk: socket, owned by the caller, who may sleep
 * @cs: its CATS state
 * @tag: its tag
 *
 * Return: the message, with @has_writer set; NULL without memory.
 */
struct cats_txmsg *cats_txmsg_alloc(struct sock *sk, struct cats_sock *cs,
				    const struct cats_tag *tag)
{
	struct cats_txmsg *m;

	cats_sock_held(sk);
	m = kmem_cache_zalloc(txmsg_cache, sk->sk_allocation);
	if (!m)
		return NULL;
	INIT_LIST_HEAD(&m->msg.node);
	INIT_LIST_HEAD(&m->watch);
	m->msg.urgency = tag->urgency;
	m->msg.incremental = tag->flags & CATS_F_INCREMENTAL;
	m->tag = *tag;
	m->head = &m->chunk;
	m->tail = &m->chunk;
	if (!cats_mem_charge(sk, cs, sizeof(*m)))
		goto no_charge;
	if (cats_name_add(sk, cs, m))
		goto no_name;
	m->has_writer = true;
	return m;

no_name:
	cats_mem_uncharge(sk, cs, sizeof(*m));
no_charge:
	kmem_cache_free(txmsg_cache, m);
	return NULL;
}

/* For the next kind of fragments. */
static void reset_chunk(struct cats_chunk *chunk)
{
	net_zcopy_put(chunk->uarg);
	chunk->uarg = NULL;
	chunk->shared = false;
	chunk->first = 0;
	chunk->nr = 0;
}

static void free_chunk(struct sock *sk, struct cats_sock *cs,
		       struct cats_txmsg *m, struct cats_chunk *chunk)
{
	reset_chunk(chunk);
	if (chunk == &m->chunk)
		return;
	kfree(chunk);
	cats_mem_uncharge(sk, cs, CATS_CHUNK_CHARGE);
}

static struct cats_chunk *add_chunk(struct sock *sk, struct cats_sock *cs,
				    struct cats_txmsg *m)
{
	struct cats_chunk *chunk;

	if (!cats_mem_charge(sk, cs, CATS_CHUNK_CHARGE))
		return NULL;
	chunk = kzalloc(sizeof(*chunk), sk->sk_allocation);
	if (!chunk) {
		cats_mem_uncharge(sk, cs, CATS_CHUNK_CHARGE);
		return NULL;
	}
	m->tail->next = chunk;
	m->tail = chunk;
	return chunk;
}

/**
 * struct piece - where bytes that are added lie, and what they are
 * @page: page
 * @offset: first byte
 * @uarg: see &struct cats_chunk
 * @shared: likewise
 */
struct piece {
	struct page		*page;
	u32			offset;
	struct ubuf_info	*uarg;
	bool			shared;
};

static bool same_kind(const struct cats_chunk *chunk, const struct piece *p)
{
	return chunk->uarg == p->uarg && chunk->shared == p->shared;
}

/* The fragment that bytes at @p belong to, or a new one; NULL without memory. */
static struct cats_frag *last_frag(struct sock *sk, struct cats_sock *cs,
				   struct cats_txmsg *m, const struct piece *p)
{
	struct cats_chunk *chunk = m->tail;
	struct cats_frag *frag;

	if (chunk->nr > chunk->first && same_kind(chunk, p)) {
		frag = &chunk->frags[chunk->nr - 1];
		if (frag->page == p->page && frag->offset + frag->len == p->offset)
			return frag;
	}
	if (chunk->nr == CATS_CHUNK_FRAGS || (chunk->nr && !same_kind(chunk, p))) {
		chunk = add_chunk(sk, cs, m);
		if (!chunk)
			return NULL;
	}
	return &chunk->frags[chunk->nr];
}

/* Takes a reference to the page unless the fragment has one. */
static void frag_add(struct cats_chunk *chunk, struct cats_frag *frag,
		     const struct piece *p, u32 bytes)
{
	if (frag == &chunk->frags[chunk->nr]) {
		if (!chunk->nr && p->uarg) {
			net_zcopy_get(p->uarg);
			chunk->uarg = p->uarg;
		}
		chunk->shared = p->shared;
		get_page(p->page);
		frag->page = p->page;
		frag->offset = p->offset;
		frag->len = 0;
		chunk->nr++;
	}
	frag->len += bytes;
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
	struct piece p = {};
	size_t bytes, copied;

	cats_sock_held(sk);
	if (!sk_page_frag_refill(sk, pfrag))
		return -ENOMEM;
	p.page = pfrag->page;
	p.offset = pfrag->offset;
	bytes = min_t(size_t, max, pfrag->size - pfrag->offset);
	frag = last_frag(sk, cs, m, &p);
	if (!frag || !cats_mem_charge(sk, cs, bytes))
		return -ENOMEM;
	copied = copy_page_from_iter(pfrag->page, pfrag->offset, bytes, from);
	if (copied) {
		frag_add(m->tail, frag, &p, copied);
		pfrag->offset += copied;
	}
	if (copied < bytes)
		cats_mem_uncharge(sk, cs, bytes - copied);
	return copied ?: -EFAULT;
}

static int add_piece(struct sock *sk, struct cats_sock *cs,
		     struct cats_txmsg *m, const struct piece *p, u32 bytes)
{
	struct cats_frag *frag = last_frag(sk, cs, m, p);

	if (!frag || !cats_mem_charge(sk, cs, bytes))
		return -ENOMEM;
	frag_add(m->tail, frag, p, bytes);
	return 0;
}

/**
 * cats_txmsg_add_page() - add a part of somebody's page to a message
 * @sk: socket, owned by the caller, who may sleep
 * @cs: its CATS state
 * @m: message, as in cats_txmsg_copy()
 * @page: page of the page cache or of a pipe: its owner may still write to it
 * @offset: first byte in it
 * @bytes: how many
 *
 * Return: 0 or -ENOMEM.
 */
int cats_txmsg_add_page(struct sock *sk, struct cats_sock *cs,
			struct cats_txmsg *m, struct page *page, u32 offset,
			u32 bytes)
{
	struct piece p = { .page = page, .offset = offset, .shared = true };

	cats_sock_held(sk);
	return add_piece(sk, cs, m, &p, bytes);
}

/* User pages that are looked up at a time. */
#define PIN_PAGES	16

/**
 * cats_txmsg_pin() - add user pages themselves to a message (MSG_ZEROCOPY)
 * @sk: socket, owned by the caller, who may sleep
 * @cs: its CATS state
 * @m: message, as in cats_txmsg_copy()
 * @from: data
 * @max: bytes at most
 * @uarg: told when the pages are free; the message takes references of its own
 *
 * Return: bytes added, at least 1; -ENOMEM without memory, -EFAULT if there are
 * no such pages.
 */
int cats_txmsg_pin(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m,
		   struct iov_iter *from, size_t max, struct ubuf_info *uarg)
{
	struct piece p = { .uarg = uarg };
	struct page *pages[PIN_PAGES];
	ssize_t found, added = 0;
	int i, err = 0;
	size_t start;

	cats_sock_held(sk);
	found = iov_iter_get_pages2(from, pages, max, PIN_PAGES, &start);
	if (found <= 0)
		return -EFAULT;
	p.offset = start;
	for (i = 0; i < DIV_ROUND_UP(start + found, PAGE_SIZE); i++) {
		u32 bytes = min_t(size_t, found - added, PAGE_SIZE - p.offset);

		p.page = pages[i];
		err = err ?: add_piece(sk, cs, m, &p, bytes);
		if (!err)
			added += bytes;
		put_page(pages[i]);
		p.offset = 0;
	}
	iov_iter_revert(from, found - added);
	return added ?: err;
}

/* Keeps at most the first @keep bytes of a chunk, and returns how many. */
static u32 trim_chunk(struct sock *sk, struct cats_sock *cs,
		      struct cats_chunk *chunk, u32 keep)
{
	u16 i, nr = chunk->nr;
	u32 kept = 0;

	for (i = chunk->first; i < nr; i++) {
		struct cats_frag *frag = &chunk->frags[i];
		u32 len = min(frag->len, keep - kept);

		cats_mem_uncharge(sk, cs, frag->len - len);
		frag->len = len;
		kept += len;
		if (len)
			continue;
		put_page(frag->page);
		chunk->nr = min(chunk->nr, i);
	}
	if (chunk->nr == chunk->first)
		reset_chunk(chunk);
	return kept;
}

/**
 * cats_txmsg_trim() - drop what was added to a message since its @msg.len changed
 * @sk: socket
 * @cs: its CATS state
 * @m: message
 */
void cats_txmsg_trim(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m)
{
	struct cats_chunk *chunk, *next, *last = m->head;
	u32 keep = cats_txmsg_left(m);

	cats_sock_held(sk);
	for (chunk = m->head; chunk; chunk = next) {
		next = chunk->next;
		keep -= trim_chunk(sk, cs, chunk, keep);
		if (chunk->nr > chunk->first)
			last = chunk;
		else if (chunk != m->head)
			free_chunk(sk, cs, m, chunk);
	}
	last->next = NULL;
	m->tail = last;
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
		reset_chunk(chunk);
	}
}

/**
 * cats_txmsg_put() - free a message with what it holds
 * @sk: socket
 * @cs: its CATS state
 * @m: message, not queued.  One that still has a writer is left to him: he
 *	finds it unlinked.  One that there is more to tell of stays until that was
 *	told, see notice.c.
 */
void cats_txmsg_put(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m)
{
	struct cats_chunk *chunk, *next;

	cats_sock_held(sk);
	if (m->has_writer || !list_empty(&m->watch))
		return;
	for (chunk = m->head; chunk; chunk = next) {
		next = chunk->next;
		trim_chunk(sk, cs, chunk, 0);
		free_chunk(sk, cs, m, chunk);
	}
	cats_txstamp_free(sk, m);
	cats_name_drop(sk, cs, m);
	kmem_cache_free(txmsg_cache, m);
	cats_mem_uncharge(sk, cs, sizeof(*m));
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
