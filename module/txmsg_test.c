// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of messages: what is charged for them and given back, and that their
 * bytes and pages survive.
 *
 * pair_exit() checks after each case that the account of the socket balances.
 */
#include <linux/prandom.h>
#include <linux/uio.h>

#include "pair_test.h"

static u32 chunks_mem(u32 chunks)
{
	return sizeof(struct cats_txmsg) + chunks * CATS_CHUNK_CHARGE;
}

/* As the Feeder does: whose bytes they are now pays for them, here nobody. */
static void consume(struct pair *p, struct cats_txmsg *m, u32 bytes)
{
	cats_txmsg_consume(p->sk, p->cs, m, bytes);
	sk_mem_uncharge(p->sk, bytes);
}

/* Each case finds a message, and a page for bytes. */
static int txmsg_init(struct kunit *test)
{
	struct pair *p;
	int err;

	err = pair_init(test);
	if (err)
		return err;
	p = test->priv;
	if (!pair_msg(p, 3) || !sk_page_frag_refill(p->sk, sk_page_frag(p->sk)))
		return -ENOMEM;
	return 0;
}

static struct cats_txmsg *the_msg(struct pair *p)
{
	return p->own[0];
}

/* A page of its own, with only the last @room bytes free. */
static void fresh_page(struct kunit *test, u32 room)
{
	struct pair *p = test->priv;
	struct page_frag *pfrag = sk_page_frag(p->sk);
	struct page *page = alloc_page(GFP_KERNEL);

	KUNIT_EXPECT_NOT_NULL(test, page);
	if (!page)
		return;
	/* With a second user it does not start over at offset 0. */
	get_page(page);
	if (pfrag->page)
		put_page(pfrag->page);
	pfrag->page = page;
	pfrag->size = PAGE_SIZE;
	pfrag->offset = PAGE_SIZE - room;
}

/* Ends fresh_page(). */
static void drop_page(struct pair *p)
{
	put_page(sk_page_frag(p->sk)->page);
}

static int copy_from(struct pair *p, struct cats_txmsg *m, void *data, size_t there,
		     size_t wanted)
{
	struct kvec kvec = { .iov_base = data, .iov_len = there };
	struct iov_iter from;

	iov_iter_kvec(&from, ITER_SOURCE, &kvec, 1, there);
	return cats_txmsg_copy(p->sk, p->cs, m, &from, wanted);
}

static void alloc__charges_itself(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = the_msg(p);

	KUNIT_EXPECT_EQ(test, p->cs->mem, chunks_mem(0));
	KUNIT_EXPECT_EQ(test, pair_balance(p), p->balance);
	KUNIT_EXPECT_EQ(test, m->msg.urgency, 3);
	KUNIT_EXPECT_EQ(test, m->msg.len, 0);
	KUNIT_EXPECT_TRUE(test, m->has_writer);
	KUNIT_EXPECT_TRUE(test, list_empty(&m->msg.node));
	pair_put(p, m);
	KUNIT_EXPECT_EQ(test, p->cs->mem, 0);
	KUNIT_EXPECT_EQ(test, pair_balance(p), p->balance);
}

/* Memory for one, two and three chunks: each has four fragments. */
static void copy__charges_chunks(struct kunit *test)
{
	static const struct {
		u32 frags, chunks;
	} rows[] = { { 1, 0 }, { 2, 0 }, { 4, 0 }, { 5, 1 }, { 8, 1 }, { 9, 2 }, { 13, 3 } };
	struct pair *p = test->priv;
	struct cats_txmsg *m = the_msg(p);
	u32 i, frags = 0;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		for (; frags < rows[i].frags; frags++)
			KUNIT_EXPECT_EQ(test, pair_copy_apart(p, m, 1, 10), 0);
		KUNIT_EXPECT_EQ(test, p->cs->mem, chunks_mem(rows[i].chunks) + 10 * frags);
		KUNIT_EXPECT_EQ(test, pair_balance(p), p->balance);
	}
	pair_put(p, m);
	KUNIT_EXPECT_EQ(test, p->cs->mem, 0);
}

/* One reference per fragment, not per copy. */
static void copy__joins_what_is_adjacent(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = the_msg(p);
	struct page *page = sk_page_frag(p->sk)->page;
	int refs = page_ref_count(page);
	int i;

	for (i = 0; i < 8; i++)
		KUNIT_EXPECT_EQ(test, pair_copy(p, m, i, 3), 0);
	KUNIT_EXPECT_EQ(test, m->chunk.nr, 1);
	KUNIT_EXPECT_EQ(test, cats_txmsg_first_frag(m)->len, 24);
	KUNIT_EXPECT_EQ(test, page_ref_count(page), refs + 1);
	KUNIT_EXPECT_EQ(test, pair_copy_apart(p, m, 9, 3), 0);
	KUNIT_EXPECT_EQ(test, m->chunk.nr, 2);
	KUNIT_EXPECT_EQ(test, page_ref_count(page), refs + 2);
	pair_put(p, m);
	KUNIT_EXPECT_EQ(test, page_ref_count(page), refs);
}

/* What a fault in the middle of the user's data looks like from here. */
static void copy__ends_early(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = the_msg(p);
	u8 data[40] = {};

	KUNIT_EXPECT_EQ(test, copy_from(p, m, data, 40, 100), 40);
	KUNIT_EXPECT_EQ(test, p->cs->mem, chunks_mem(0) + 40);
	KUNIT_EXPECT_EQ(test, cats_txmsg_first_frag(m)->len, 40);
	KUNIT_EXPECT_EQ(test, pair_balance(p), p->balance);
}

static void copy__faults_at_once(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = the_msg(p);
	struct page *page = sk_page_frag(p->sk)->page;
	int refs = page_ref_count(page);
	u32 offset = sk_page_frag(p->sk)->offset;

	KUNIT_EXPECT_EQ(test, copy_from(p, m, NULL, 0, 100), -EFAULT);
	KUNIT_EXPECT_EQ(test, m->chunk.nr, 0);
	KUNIT_EXPECT_EQ(test, p->cs->mem, chunks_mem(0));
	KUNIT_EXPECT_EQ(test, page_ref_count(page), refs);
	KUNIT_EXPECT_EQ(test, sk_page_frag(p->sk)->offset, offset);
	KUNIT_EXPECT_EQ(test, pair_balance(p), p->balance);
}

/* A fragment ends where the page does, and no byte is lost there. */
static void copy__ends_with_the_page(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = the_msg(p);
	u8 data[64] = {};

	fresh_page(test, 48);
	KUNIT_EXPECT_EQ(test, copy_from(p, m, data, 64, 64), 48);
	drop_page(p);
	KUNIT_EXPECT_EQ(test, copy_from(p, m, data, 16, 16), 16);
	KUNIT_EXPECT_EQ(test, m->chunk.nr, 2);
	KUNIT_EXPECT_EQ(test, p->cs->mem, chunks_mem(0) + 64);
}

/* The bound that admission asks for, where the allocator gives single pages. */
static void truesize__bounds_the_worst_case(struct kunit *test)
{
	static const u32 lens[] = { 32, 33, 4096, 4097, 8224, 8225, 12288, 24608, 40000 };
	struct pair *p = test->priv;
	u8 *data = kunit_kzalloc(test, 40000, GFP_KERNEL);
	u32 i, room, done;

	pair_put(p, the_msg(p));
	for (i = 0; data && i < ARRAY_SIZE(lens); i++) {
		struct cats_txmsg *m = pair_msg(p, 3);

		KUNIT_EXPECT_NOT_NULL(test, m);
		if (!m)
			return;
		/* A first fragment as small as there may be. */
		for (done = 0, room = 32; done < lens[i]; room = PAGE_SIZE) {
			fresh_page(test, room);
			done += copy_from(p, m, data, lens[i] - done, lens[i] - done);
			drop_page(p);
		}
		KUNIT_EXPECT_LE(test, (size_t)p->cs->mem, cats_txmsg_truesize(lens[i]));
		/* And not by much: the fragment that it allows for, a chunk. */
		KUNIT_EXPECT_GE(test, p->cs->mem + CATS_CHUNK_CHARGE,
				cats_txmsg_truesize(lens[i]));
		pair_put(p, m);
	}
	KUNIT_EXPECT_EQ(test, i, (u32)ARRAY_SIZE(lens));
}

static void consume__passes_the_charge_on(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = the_msg(p);
	int forward;

	KUNIT_EXPECT_EQ(test, pair_copy(p, m, 7, 100), 0);
	forward = p->sk->sk_forward_alloc;
	cats_txmsg_consume(p->sk, p->cs, m, 60);
	KUNIT_EXPECT_EQ(test, p->cs->mem, chunks_mem(0) + 40);
	KUNIT_EXPECT_EQ(test, p->sk->sk_forward_alloc, forward);
	KUNIT_EXPECT_EQ(test, cats_txmsg_first_frag(m)->len, 40);
	sk_mem_uncharge(p->sk, 60);
}

/* Chunks go as they empty, pages as their fragments do. */
static void consume__frees_chunks(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = the_msg(p);
	struct page *page = sk_page_frag(p->sk)->page;
	int refs = page_ref_count(page);
	u32 i;

	for (i = 0; i < 9; i++)
		KUNIT_EXPECT_EQ(test, pair_copy_apart(p, m, i, 10), 0);
	for (i = 0; i < 9; i++) {
		/* The first chunk is part of the message. */
		KUNIT_EXPECT_EQ(test, p->cs->mem,
				chunks_mem(i < 8 ? 2 : 1) + 10 * (9 - i));
		KUNIT_EXPECT_EQ(test, page_ref_count(page), refs + 9 - (int)i);
		consume(p, m, 10);
	}
	KUNIT_EXPECT_EQ(test, p->cs->mem, chunks_mem(1));
	KUNIT_EXPECT_EQ(test, page_ref_count(page), refs);
	pair_put(p, m);
	KUNIT_EXPECT_EQ(test, p->cs->mem, 0);
}

/* An open message that ran dry goes on in the chunk that it has. */
static void consume__open_message_goes_on(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = the_msg(p);
	u32 i;

	for (i = 0; i < 5; i++) {
		KUNIT_EXPECT_EQ(test, pair_copy(p, m, i, 10), 0);
		KUNIT_EXPECT_EQ(test, cats_txmsg_first_frag(m)->len, 10);
		consume(p, m, 10);
		KUNIT_EXPECT_EQ(test, p->cs->mem, chunks_mem(0));
	}
}

static void put__leaves_it_to_the_writer(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = the_msg(p);

	KUNIT_EXPECT_EQ(test, pair_copy(p, m, 1, 50), 0);
	cats_txmsg_put(p->sk, p->cs, m);
	KUNIT_EXPECT_EQ(test, p->cs->mem, chunks_mem(0) + 50);
	KUNIT_EXPECT_EQ(test, cats_txmsg_first_frag(m)->len, 50);
	pair_put(p, m);
	KUNIT_EXPECT_EQ(test, p->cs->mem, 0);
}

static void put__half_consumed(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = the_msg(p);
	struct page *page = sk_page_frag(p->sk)->page;
	int refs = page_ref_count(page);
	u32 i;

	for (i = 0; i < 8; i++)
		KUNIT_EXPECT_EQ(test, pair_copy_apart(p, m, i, 10), 0);
	for (i = 0; i < 4; i++)
		consume(p, m, 10);
	consume(p, m, 3);
	pair_put(p, m);
	KUNIT_EXPECT_EQ(test, p->cs->mem, 0);
	KUNIT_EXPECT_EQ(test, page_ref_count(page), refs);
	KUNIT_EXPECT_EQ(test, pair_balance(p), p->balance);
}

/*
 * Uses up what the socket has reserved, so that the next charge asks tcp_mem.
 * Returns how much, to be given back.
 */
static int exhaust(struct pair *p)
{
	int left = p->sk->sk_forward_alloc;

	sk_mem_charge(p->sk, left);
	return left;
}

/* tcp_wmem[0] is for each socket, whatever the limits; not a byte more. */
static void charge__minimum_without_memory(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = the_msg(p);
	u32 wmem_min = init_net.ipv4.sysctl_tcp_wmem[0];
	u32 room = wmem_min - chunks_mem(0);
	u8 *data = kunit_kzalloc(test, room, GFP_KERNEL);
	int left;

	KUNIT_EXPECT_NOT_NULL(test, data);
	if (!data)
		return;
	left = exhaust(p);
	pair_no_memory(p);
	/* A page that is large enough for all of it. */
	sk_page_frag(p->sk)->offset = 0;
	KUNIT_EXPECT_EQ(test, copy_from(p, m, data, 100, 100), 100);
	KUNIT_EXPECT_EQ(test, copy_from(p, m, data, room - 99, room - 99), -ENOMEM);
	KUNIT_EXPECT_EQ(test, p->cs->mem, chunks_mem(0) + 100);
	KUNIT_EXPECT_EQ(test, copy_from(p, m, data, room - 100, room - 100),
			(int)room - 100);
	KUNIT_EXPECT_EQ(test, p->cs->mem, wmem_min);
	KUNIT_EXPECT_EQ(test, copy_from(p, m, data, 1, 1), -ENOMEM);
	KUNIT_EXPECT_NULL(test, pair_msg(p, 0));
	KUNIT_EXPECT_EQ(test, p->cs->mem, wmem_min);
	pair_memory_back(p);
	sk_mem_uncharge(p->sk, left);
}

/* What TCP has queued counts against the minimum, too. */
static void charge__minimum_counts_tcp(struct kunit *test)
{
	struct pair *p = test->priv;
	int wmem_min = init_net.ipv4.sysctl_tcp_wmem[0];
	int left;

	pair_put(p, the_msg(p));
	left = exhaust(p);
	pair_no_memory(p);
	p->sk->sk_wmem_queued += wmem_min - (int)chunks_mem(0) + 1;
	KUNIT_EXPECT_NULL(test, pair_msg(p, 0));
	p->sk->sk_wmem_queued--;
	KUNIT_EXPECT_NOT_NULL(test, pair_msg(p, 0));
	p->sk->sk_wmem_queued -= wmem_min - (int)chunks_mem(0);
	KUNIT_EXPECT_EQ(test, p->cs->mem, chunks_mem(0));
	pair_memory_back(p);
	sk_mem_uncharge(p->sk, left);
}

/* With memory for a chunk and none for bytes, the chunk waits for them. */
static void copy__nomem_behind_a_new_chunk(struct kunit *test)
{
	struct pair *p = test->priv;
	u32 wmem_min = init_net.ipv4.sysctl_tcp_wmem[0];
	struct cats_txmsg *m = the_msg(p);
	u8 data[16] = {};
	int i, left;

	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, pair_copy_apart(p, m, i, 10), 0);
	left = exhaust(p);
	pair_no_memory(p);
	p->sk->sk_wmem_queued += wmem_min - (int)chunks_mem(1) - 40;
	sk_page_frag(p->sk)->offset++;
	KUNIT_EXPECT_EQ(test, copy_from(p, m, data, 16, 16), -ENOMEM);
	KUNIT_EXPECT_EQ(test, p->cs->mem, chunks_mem(1) + 40);
	p->sk->sk_wmem_queued -= wmem_min - (int)chunks_mem(1) - 40;
	pair_memory_back(p);
	sk_mem_uncharge(p->sk, left);
	for (i = 0; i < 4; i++)
		consume(p, m, 10);
	KUNIT_EXPECT_EQ(test, pair_copy(p, m, 5, 16), 0);
	KUNIT_EXPECT_EQ(test, cats_txmsg_first_frag(m)->len, 16);
	KUNIT_EXPECT_EQ(test, p->cs->mem, chunks_mem(1) + 16);
}

/* The byte at position @at of the stream that a random sequence writes. */
static u8 pattern(u32 at)
{
	return at ^ at >> 8;
}

/**
 * struct run - a random sequence of operations on one message
 * @rnd: decides
 * @p: pair
 * @m: message
 * @written: bytes copied into it
 * @taken: bytes consumed; those between are what it holds
 */
struct run {
	struct rnd_state	rnd;
	struct pair		*p;
	struct cats_txmsg	*m;
	u32			written;
	u32			taken;
};

static void run_write(struct kunit *test, struct run *r)
{
	u32 i, bytes = 1 + prandom_u32_state(&r->rnd) % 200;
	u8 data[200];
	int n;

	for (i = 0; i < bytes; i++)
		data[i] = pattern(r->written + i);
	if (prandom_u32_state(&r->rnd) & 1)
		sk_page_frag(r->p->sk)->offset++;
	n = copy_from(r->p, r->m, data, bytes, bytes);
	KUNIT_EXPECT_GT(test, n, 0);
	r->written += max(n, 0);
}

static void run_take(struct kunit *test, struct run *r)
{
	struct cats_frag *frag = cats_txmsg_first_frag(r->m);
	u8 *data = page_address(frag->page);
	u32 i, bytes = 1 + prandom_u32_state(&r->rnd) % frag->len;
	bool same = true;

	for (i = 0; i < bytes; i++)
		same &= data[frag->offset + i] == pattern(r->taken + i);
	KUNIT_EXPECT_TRUE(test, same);
	r->taken += bytes;
	consume(r->p, r->m, bytes);
}

/* The message and its bytes are charged, with at most a chunk per fragment. */
static void run_check(struct kunit *test, struct run *r)
{
	u32 held = chunks_mem(0) + r->written - r->taken;

	KUNIT_EXPECT_GE(test, r->p->cs->mem, held);
	KUNIT_EXPECT_EQ(test, (r->p->cs->mem - held) % CATS_CHUNK_CHARGE, 0U);
	KUNIT_EXPECT_EQ(test, pair_balance(r->p), r->p->balance);
}

static void random__bytes_and_account(struct kunit *test)
{
	struct run r = { .p = test->priv };
	u32 seed, i;

	pair_put(r.p, the_msg(r.p));
	for (seed = 1; seed <= 20; seed++) {
		prandom_seed_state(&r.rnd, seed);
		r.m = pair_msg(r.p, 3);
		r.written = 0;
		r.taken = 0;
		for (i = 0; r.m && i < 300; i++) {
			/* Fills up in one half of the time, empties in the other. */
			if (r.written == r.taken ||
			    prandom_u32_state(&r.rnd) % 4 > (i / 75) % 2 * 2)
				run_write(test, &r);
			else
				run_take(test, &r);
			run_check(test, &r);
		}
		if (r.m)
			pair_put(r.p, r.m);
		KUNIT_EXPECT_EQ(test, i, 300);
		KUNIT_EXPECT_EQ(test, r.p->cs->mem, 0);
	}
}

/* A notification of MSG_ZEROCOPY, with one reference for the call. */
static void init_uarg(struct ubuf_info *uarg)
{
	memset(uarg, 0, sizeof(*uarg));
	refcount_set(&uarg->refcnt, 1);
	uarg->callback = pair_uarg_done;
}

/* The page of a file: nothing is copied, it is charged as if it were. */
static void add_page__takes_a_reference(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = the_msg(p);
	struct page *page = alloc_page(GFP_KERNEL);

	KUNIT_EXPECT_NOT_NULL(test, page);
	if (!page)
		return;
	KUNIT_EXPECT_EQ(test, cats_txmsg_add_page(p->sk, p->cs, m, page, 100, 50), 0);
	KUNIT_EXPECT_EQ(test, page_ref_count(page), 2);
	KUNIT_EXPECT_EQ(test, p->cs->mem, chunks_mem(0) + 50);
	/* What follows in the page joins. */
	KUNIT_EXPECT_EQ(test, cats_txmsg_add_page(p->sk, p->cs, m, page, 150, 50), 0);
	KUNIT_EXPECT_EQ(test, m->chunk.nr, 1);
	KUNIT_EXPECT_EQ(test, page_ref_count(page), 2);
	KUNIT_EXPECT_EQ(test, cats_txmsg_add_page(p->sk, p->cs, m, page, 300, 50), 0);
	KUNIT_EXPECT_EQ(test, m->chunk.nr, 2);
	KUNIT_EXPECT_TRUE(test, m->chunk.shared);
	KUNIT_EXPECT_EQ(test, page_ref_count(page), 3);
	pair_put(p, m);
	KUNIT_EXPECT_EQ(test, page_ref_count(page), 1);
	KUNIT_EXPECT_EQ(test, p->cs->mem, 0);
	put_page(page);
}

/* Pages of a user: a chunk has one notification, and a reference to it. */
static void pin__a_chunk_per_notification(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = the_msg(p);
	struct ubuf_info one, other;

	init_uarg(&one);
	init_uarg(&other);
	KUNIT_EXPECT_EQ(test, pair_pin(p, m, 1, 5000, &one), 0);
	KUNIT_EXPECT_EQ(test, m->chunk.nr, 2);
	KUNIT_EXPECT_PTR_EQ(test, m->chunk.uarg, &one);
	KUNIT_EXPECT_EQ(test, refcount_read(&one.refcnt), 2);
	KUNIT_EXPECT_EQ(test, pair_pin(p, m, 1, 100, &one), 0);
	KUNIT_EXPECT_PTR_EQ(test, m->tail, &m->chunk);
	KUNIT_EXPECT_EQ(test, refcount_read(&one.refcnt), 2);
	KUNIT_EXPECT_EQ(test, pair_pin(p, m, 2, 100, &other), 0);
	KUNIT_EXPECT_PTR_NE(test, m->tail, &m->chunk);
	KUNIT_EXPECT_PTR_EQ(test, m->tail->uarg, &other);
	KUNIT_EXPECT_EQ(test, p->cs->mem, chunks_mem(1) + 5200);
	/* The first chunk is done: so is its reference. */
	consume(p, m, 904);
	consume(p, m, 4096);
	KUNIT_EXPECT_EQ(test, refcount_read(&one.refcnt), 2);
	consume(p, m, 100);
	KUNIT_EXPECT_EQ(test, refcount_read(&one.refcnt), 1);
	KUNIT_EXPECT_EQ(test, refcount_read(&other.refcnt), 2);
	pair_put(p, m);
	KUNIT_EXPECT_EQ(test, refcount_read(&other.refcnt), 1);
	KUNIT_EXPECT_EQ(test, p->cs->mem, 0);
}

/* Copied, shared and pinned bytes never lie in one chunk, in whatever order. */
static void kinds__do_not_mix(struct kunit *test)
{
	struct pair *p = test->priv;
	struct cats_txmsg *m = the_msg(p);
	struct ubuf_info uarg;
	u32 chunks = 0;
	struct cats_chunk *chunk;
	unsigned int i;

	init_uarg(&uarg);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, pair_copy(p, m, 1, 10), 0);
		KUNIT_EXPECT_EQ(test, pair_add_page(p, m, 2, 10), 0);
		KUNIT_EXPECT_EQ(test, pair_pin(p, m, 3, 10, &uarg), 0);
	}
	for (chunk = m->head; chunk; chunk = chunk->next, chunks++) {
		KUNIT_EXPECT_EQ(test, chunk->nr, 1);
		KUNIT_EXPECT_EQ(test, chunk->shared, chunks % 3 == 1);
		KUNIT_EXPECT_PTR_EQ(test, chunk->uarg, chunks % 3 == 2 ? &uarg : NULL);
	}
	KUNIT_EXPECT_EQ(test, chunks, 9);
	KUNIT_EXPECT_EQ(test, refcount_read(&uarg.refcnt), 4);
	pair_put(p, m);
	KUNIT_EXPECT_EQ(test, refcount_read(&uarg.refcnt), 1);
}

/* Without memory in the middle, what was pinned is told, the rest let go. */
static void pin__nomem(struct kunit *test)
{
	struct pair *p = test->priv;
	u32 wmem_min = init_net.ipv4.sysctl_tcp_wmem[0];
	struct cats_txmsg *m = the_msg(p);
	struct page *page = alloc_page(GFP_KERNEL);
	struct ubuf_info uarg;
	struct iov_iter from;
	struct bio_vec bv[2];
	int left;

	KUNIT_EXPECT_NOT_NULL(test, page);
	if (!page)
		return;
	init_uarg(&uarg);
	bv[0] = (struct bio_vec){ page, 1000, PAGE_SIZE - 1000 };
	bv[1] = (struct bio_vec){ page, 2000, 0 };
	iov_iter_bvec(&from, ITER_SOURCE, bv, 2, 3000);
	left = exhaust(p);
	pair_no_memory(p);
	p->sk->sk_wmem_queued += wmem_min - (int)chunks_mem(0) - 1000;
	KUNIT_EXPECT_EQ(test, cats_txmsg_pin(p->sk, p->cs, m, &from, 3000, &uarg), 1000);
	KUNIT_EXPECT_EQ(test, iov_iter_count(&from), 2000UL);
	KUNIT_EXPECT_EQ(test, cats_txmsg_pin(p->sk, p->cs, m, &from, 3000, &uarg), -ENOMEM);
	KUNIT_EXPECT_EQ(test, iov_iter_count(&from), 2000UL);
	KUNIT_EXPECT_EQ(test, page_ref_count(page), 2);
	KUNIT_EXPECT_EQ(test, refcount_read(&uarg.refcnt), 2);
	p->sk->sk_wmem_queued -= wmem_min - (int)chunks_mem(0) - 1000;
	pair_memory_back(p);
	sk_mem_uncharge(p->sk, left);
	pair_put(p, m);
	KUNIT_EXPECT_EQ(test, page_ref_count(page), 1);
	KUNIT_EXPECT_EQ(test, refcount_read(&uarg.refcnt), 1);
	put_page(page);
}

/* A call that fails takes back what it had added, be it part of a fragment. */
static void trim__keeps_what_was_accepted(struct kunit *test)
{
	static const u32 keeps[] = { 0, 1, 9, 10, 11, 35, 40, 41, 60, 79, 80 };
	struct pair *p = test->priv;
	struct page *page = sk_page_frag(p->sk)->page;
	struct cats_txmsg *m = the_msg(p);
	struct ubuf_info uarg;
	u32 i, j, done;
	int refs;

	init_uarg(&uarg);
	pair_put(p, m);
	refs = page_ref_count(page);
	for (i = 0; i < ARRAY_SIZE(keeps); i++) {
		m = pair_msg(p, 3);
		if (!m)
			return;
		for (j = 0; j < 6; j++)
			KUNIT_EXPECT_EQ(test, pair_copy_apart(p, m, j, 10), 0);
		KUNIT_EXPECT_EQ(test, pair_pin(p, m, 9, 20, &uarg), 0);
		m->msg.len = keeps[i];
		cats_txmsg_trim(p->sk, p->cs, m);
		/* In chunks of four fragments, and one for the pinned. */
		KUNIT_EXPECT_EQ(test, p->cs->mem, chunks_mem(keeps[i] > 60 ? 2 : keeps[i] > 40) +
				keeps[i]);
		KUNIT_EXPECT_EQ(test, page_ref_count(page),
				refs + min_t(int, DIV_ROUND_UP(keeps[i], 10), 6));
		KUNIT_EXPECT_EQ(test, refcount_read(&uarg.refcnt), keeps[i] > 60 ? 2 : 1);
		KUNIT_EXPECT_EQ(test, pair_balance(p), p->balance);
		/* It goes on behind what was kept. */
		KUNIT_EXPECT_EQ(test, pair_copy(p, m, 7, 5), 0);
		for (done = 0; done < keeps[i] + 5; done += j) {
			j = cats_txmsg_first_frag(m)->len;
			consume(p, m, j);
		}
		KUNIT_EXPECT_EQ(test, done, keeps[i] + 5);
		pair_put(p, m);
		KUNIT_EXPECT_EQ(test, p->cs->mem, 0);
		KUNIT_EXPECT_EQ(test, refcount_read(&uarg.refcnt), 1);
	}
}

static struct kunit_case txmsg_cases[] = {
	KUNIT_CASE(alloc__charges_itself),
	KUNIT_CASE(copy__charges_chunks),
	KUNIT_CASE(copy__joins_what_is_adjacent),
	KUNIT_CASE(copy__ends_early),
	KUNIT_CASE(copy__faults_at_once),
	KUNIT_CASE(copy__ends_with_the_page),
	KUNIT_CASE(copy__nomem_behind_a_new_chunk),
	KUNIT_CASE(truesize__bounds_the_worst_case),
	KUNIT_CASE(consume__passes_the_charge_on),
	KUNIT_CASE(consume__frees_chunks),
	KUNIT_CASE(consume__open_message_goes_on),
	KUNIT_CASE(put__leaves_it_to_the_writer),
	KUNIT_CASE(put__half_consumed),
	KUNIT_CASE(charge__minimum_without_memory),
	KUNIT_CASE(charge__minimum_counts_tcp),
	KUNIT_CASE(random__bytes_and_account),
	KUNIT_CASE(add_page__takes_a_reference),
	KUNIT_CASE(pin__a_chunk_per_notification),
	KUNIT_CASE(pin__nomem),
	KUNIT_CASE(kinds__do_not_mix),
	KUNIT_CASE(trim__keeps_what_was_accepted),
	{}
};

static struct kunit_suite txmsg_suite = {
	.name = "txmsg",
	.suite_init = pair_suite_init,
	.suite_exit = pair_suite_exit,
	.init = txmsg_init,
	.exit = pair_exit,
	.test_cases = txmsg_cases,
};

kunit_test_suite(txmsg_suite);
