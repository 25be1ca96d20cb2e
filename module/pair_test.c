// SPDX-License-Identifier: GPL-2.0
/*
 * What the KUnit suites of the socket side share: a TCP connection inside the
 * kernel, over loopback, whose near end has CATS.
 *
 * A case finds it attached and owned: nothing is transmitted before the case drops
 * it, so what is queued can be looked at.  While it is held a case expects
 * (KUNIT_EXPECT_*) and does not assert: an assertion ends the thread, with the lock.
 *
 * pair_exit() runs however a case ends.  It frees what the case left, closes both
 * ends, and checks what must hold after anything: the account of the socket
 * balances, and its reference to the module is back.
 */
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/iopoll.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/tcp.h>
#include <linux/uio.h>

#include "pair_test.h"

/* Small segments, so that a few kilobytes are many of them. */
#define PAIR_MSS	1000
/* Virtual time; in the longest the peer's acknowledgment is delayed. */
#define PAIR_PATIENCE	(5 * USEC_PER_SEC)

/**
 * pair_suite_init() - kunit_suite.suite_init: set the module up
 * @suite: suite
 *
 * Kernels differ in whether suites run before a module's own initialization or
 * after it.  Before, it is done here for each suite; that the allocator of messages
 * can be destroyed after each shows that no message was lost.  (__ref: the code for
 * that is there as long as the state is COMING.)
 *
 * Return: as the module's initialization.
 */
int __ref pair_suite_init(struct kunit_suite *suite)
{
	return THIS_MODULE->state == MODULE_STATE_COMING ? init_module() : 0;
}

/**
 * pair_suite_exit() - kunit_suite.suite_exit
 * @suite: suite
 */
void __ref pair_suite_exit(struct kunit_suite *suite)
{
	if (THIS_MODULE->state == MODULE_STATE_COMING)
		cleanup_module();
}

static int loopback_address(int family, struct sockaddr_storage *addr)
{
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)addr;
	struct sockaddr_in *four = (struct sockaddr_in *)addr;

	memset(addr, 0, sizeof(*addr));
	addr->ss_family = family;
	if (family == AF_INET6) {
		six->sin6_addr = in6addr_loopback;
		return sizeof(*six);
	}
	four->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sizeof(*four);
}

static int listen_on(struct socket *listener, struct sockaddr *addr, int len)
{
	int mss = PAIR_MSS;
	int err;

	err = kernel_bind(listener, addr, len);
	if (!err)
		err = listener->ops->setsockopt(listener, SOL_TCP, TCP_MAXSEG,
						KERNEL_SOCKPTR(&mss), sizeof(mss));
	if (!err)
		err = kernel_listen(listener, 1);
	/* The port that it got; success is the length of the address. */
	if (!err)
		err = kernel_getsockname(listener, addr);
	return min(err, 0);
}

/**
 * pair_listen() - make a listener at a port of its own
 * @p: pair without one
 * @family: AF_INET or AF_INET6
 *
 * Return: 0 or an errno of the socket layer; what there is by then is closed by
 * pair_exit().
 */
int pair_listen(struct pair *p, int family)
{
	int len = loopback_address(family, &p->addr);
	int err;

	err = sock_create_kern(&init_net, family, SOCK_STREAM, IPPROTO_TCP, &p->listener);
	return err ?: listen_on(p->listener, (struct sockaddr *)&p->addr, len);
}

/**
 * pair_dial() - connect the near end to the listener
 * @p: pair with a listener; @near is made unless it is there
 *
 * Return: as pair_listen().
 */
int pair_dial(struct pair *p)
{
	int err = 0;

	if (!p->near)
		err = sock_create_kern(&init_net, p->addr.ss_family, SOCK_STREAM,
				       IPPROTO_TCP, &p->near);
	if (!err)
		err = kernel_connect(p->near, (struct sockaddr *)&p->addr,
				     sizeof(p->addr), 0);
	return err;
}

/**
 * pair_connect() - make the connection, and no listener remains
 * @p: pair without one
 * @family: AF_INET or AF_INET6
 *
 * Return: as pair_listen().
 */
int pair_connect(struct pair *p, int family)
{
	int err;

	err = pair_listen(p, family);
	if (!err)
		err = pair_dial(p);
	if (!err)
		err = kernel_accept(p->listener, &p->peer, 0);
	if (err)
		return err;
	sock_release(p->listener);
	p->listener = NULL;
	p->sk = p->near->sk;
	p->base = p->sk->sk_prot;
	p->write_space = p->sk->sk_write_space;
	p->state_change = p->sk->sk_state_change;
	return 0;
}

/**
 * pair_release() - close what is open of the connection
 * @p: pair, not held
 */
void pair_release(struct pair *p)
{
	if (p->near)
		sock_release(p->near);
	if (p->peer)
		sock_release(p->peer);
	if (p->listener)
		sock_release(p->listener);
	p->near = NULL;
	p->peer = NULL;
	p->listener = NULL;
	p->sk = NULL;
	p->cs = NULL;
}

/**
 * pair_set_ulp() - attach CATS to a socket, as an application does
 * @sock: socket
 *
 * Return: as setsockopt(TCP_ULP).
 */
int pair_set_ulp(struct socket *sock)
{
	char name[] = CATS_ULP_NAME;

	return sock->ops->setsockopt(sock, SOL_TCP, TCP_ULP, KERNEL_SOCKPTR(name),
				     strlen(name));
}

/**
 * pair_attach() - attach CATS to the near end
 * @p: pair, connected, not held
 *
 * Return: as setsockopt(TCP_ULP).
 */
int pair_attach(struct pair *p)
{
	int err = pair_set_ulp(p->near);

	if (err)
		return err;
	p->cs = cats_sk(p->sk);
	p->balance = pair_balance(p);
	return 0;
}

/**
 * pair_hold() - become the owner of the near end
 * @p: pair
 */
void pair_hold(struct pair *p)
{
	lock_sock(p->sk);
	p->held = true;
}

/**
 * pair_drop() - cease to be the owner: from here on TCP transmits
 * @p: pair, held
 */
void pair_drop(struct pair *p)
{
	p->held = false;
	release_sock(p->sk);
}

/**
 * pair_init_none() - kunit_suite.init: no sockets yet
 * @test: case; its priv is the pair
 *
 * Return: 0 or a negative errno.
 */
int pair_init_none(struct kunit *test)
{
	struct pair *p = kunit_kzalloc(test, sizeof(*p), GFP_KERNEL);

	if (!p)
		return -ENOMEM;
	p->test = test;
	p->nr_refs = module_refcount(THIS_MODULE);
	memcpy(p->tcp_mem, sysctl_tcp_mem, sizeof(p->tcp_mem));
	test->priv = p;
	return 0;
}

/**
 * pair_init_plain() - kunit_suite.init: a connection without CATS, not held
 * @test: case; its priv is the pair
 *
 * Return: 0 or a negative errno.
 */
int pair_init_plain(struct kunit *test)
{
	int err = pair_init_none(test);

	return err ?: pair_connect(test->priv, AF_INET);
}

/**
 * pair_init() - kunit_suite.init: a connection with CATS, held
 * @test: case; its priv is the pair
 *
 * The send buffer is large, and fixed.
 *
 * Return: 0 or a negative errno.
 */
int pair_init(struct kunit *test)
{
	struct pair *p;
	int err;

	err = pair_init_plain(test);
	if (err)
		return err;
	p = test->priv;
	err = pair_attach(p);
	if (err)
		return err;
	pair_hold(p);
	p->sk->sk_sndbuf = SZ_1M;
	p->sk->sk_userlocks |= SOCK_SNDBUF_LOCK;
	return 0;
}

/**
 * pair_init_limits() - kunit_suite.init: as pair_init(), with a buffer of PAIR_SNDBUF
 * @test: case; its priv is the pair
 *
 * Return: 0 or a negative errno.
 */
int pair_init_limits(struct kunit *test)
{
	int err = pair_init(test);
	struct pair *p = test->priv;

	if (!err)
		p->sk->sk_sndbuf = PAIR_SNDBUF;
	return err;
}

/* What the case allocated, no longer queued. */
static void put_own(struct pair *p)
{
	unsigned int i;

	for (i = 0; i < PAIR_MSGS_MAX; i++)
		if (p->own[i])
			pair_put(p, p->own[i]);
}

/**
 * pair_exit() - kunit_suite.exit: end of a case, however it came about
 * @test: case
 */
void pair_exit(struct kunit *test)
{
	struct pair *p = test->priv;
	int refs, late;

	if (!p)
		return;
	pair_memory_back(p);
	if (p->held) {
		cats_purge(p->sk, p->cs);
		put_own(p);
		KUNIT_EXPECT_EQ(test, pair_balance(p), p->balance);
		pair_drop(p);
	}
	pair_release(p);
	late = read_poll_timeout(module_refcount, refs, refs == p->nr_refs,
				 USEC_PER_MSEC, PAIR_PATIENCE, false, THIS_MODULE);
	KUNIT_EXPECT_EQ(test, late, 0);
}

/**
 * pair_balance() - what may not change, whatever is charged and given back
 * @p: pair, attached
 *
 * A socket reserves memory in pages.  What it has of that, what is charged for
 * messages and what is charged for skbs is a number of pages together, beside what
 * the handshake left.
 *
 * Return: the rest.
 */
int pair_balance(const struct pair *p)
{
	return (p->sk->sk_forward_alloc + p->sk->sk_wmem_queued + (int)p->cs->mem) &
	       (PAGE_SIZE - 1);
}

/**
 * pair_use() - as if TCP and the Conductor held so much
 * @p: pair, held; the case sets what was there before at its end
 * @tcp: bytes in sk_wmem_queued
 * @conductor: bytes in cats_sock.mem
 */
void pair_use(struct pair *p, int tcp, u32 conductor)
{
	p->sk->sk_wmem_queued = tcp;
	p->cs->mem = conductor;
}

/**
 * pair_no_memory() - from here on no socket gets memory from tcp_mem
 * @p: pair, held
 *
 * But what its own page has left.
 */
void pair_no_memory(struct pair *p)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(p->tcp_mem); i++)
		WRITE_ONCE(sysctl_tcp_mem[i], -1);
}

/**
 * pair_memory_back() - undo pair_no_memory()
 * @p: pair
 */
void pair_memory_back(struct pair *p)
{
	memcpy(sysctl_tcp_mem, p->tcp_mem, sizeof(p->tcp_mem));
}

static struct cats_txmsg **own_slot(struct pair *p, const struct cats_txmsg *m)
{
	unsigned int i;

	for (i = 0; i < PAIR_MSGS_MAX; i++)
		if (p->own[i] == m)
			return &p->own[i];
	return NULL;
}

/**
 * pair_msg_tag() - a message without bytes
 * @p: pair, held
 * @tag: its tag
 *
 * Return: the message, or NULL without memory.
 */
struct cats_txmsg *pair_msg_tag(struct pair *p, const struct cats_tag *tag)
{
	struct cats_txmsg *m = cats_txmsg_alloc(p->sk, p->cs, tag);

	if (m)
		*own_slot(p, NULL) = m;
	return m;
}

/**
 * pair_msg() - likewise, with no more than an urgency
 * @p: pair, held
 * @urgency: class
 *
 * Return: the message, or NULL without memory.
 */
struct cats_txmsg *pair_msg(struct pair *p, unsigned int urgency)
{
	struct cats_tag tag = { .urgency = urgency };

	return pair_msg_tag(p, &tag);
}

/**
 * pair_copy() - add bytes to a message, in as many pieces as it takes
 * @p: pair, held
 * @m: message
 * @fill: value of the bytes
 * @bytes: how many
 *
 * Return: 0 or a negative errno.
 */
int pair_copy(struct pair *p, struct cats_txmsg *m, u8 fill, size_t bytes)
{
	void *data = kunit_kmalloc(p->test, bytes, GFP_KERNEL);
	struct kvec kvec = { .iov_base = data, .iov_len = bytes };
	struct iov_iter from;
	int n = 0;

	if (!data)
		return -ENOMEM;
	memset(data, fill, bytes);
	iov_iter_kvec(&from, ITER_SOURCE, &kvec, 1, bytes);
	while (iov_iter_count(&from) && n >= 0) {
		n = cats_txmsg_copy(p->sk, p->cs, m, &from, iov_iter_count(&from));
		if (n > 0)
			m->msg.len += n;
	}
	kunit_kfree(p->test, data);
	return min(n, 0);
}

/**
 * pair_copy_apart() - pair_copy(), as a fragment of its own
 * @p: pair, held
 * @m: message
 * @fill: value of the bytes
 * @bytes: how many, few
 *
 * What is next to the last bytes in memory joins their fragment.
 *
 * Return: 0 or a negative errno.
 */
int pair_copy_apart(struct pair *p, struct cats_txmsg *m, u8 fill, size_t bytes)
{
	struct page_frag *pfrag = sk_page_frag(p->sk);

	if (!sk_page_frag_refill(p->sk, pfrag))
		return -ENOMEM;
	pfrag->offset++;
	return pair_copy(p, m, fill, bytes);
}

/* A page full of @fill, to be put by the caller; NULL without memory. */
static struct page *filled_page(u8 fill)
{
	struct page *page = alloc_page(GFP_KERNEL);

	if (page)
		memset(page_address(page), fill, PAGE_SIZE);
	return page;
}

/**
 * pair_add_page() - add a part of a page of others to a message
 * @p: pair, held
 * @m: message
 * @fill: value of the bytes
 * @bytes: how many, at most a page
 *
 * Return: 0 or a negative errno.
 */
int pair_add_page(struct pair *p, struct cats_txmsg *m, u8 fill, u32 bytes)
{
	struct page *page = filled_page(fill);
	int err;

	if (!page)
		return -ENOMEM;
	err = cats_txmsg_add_page(p->sk, p->cs, m, page, PAGE_SIZE - bytes, bytes);
	if (!err)
		m->msg.len += bytes;
	put_page(page);
	return err;
}

/**
 * pair_pin() - add pages of a user to a message
 * @p: pair, held
 * @m: message
 * @fill: value of the bytes
 * @bytes: how many, at most two pages; the second page is full if there is one
 * @uarg: whom to tell when they are free
 *
 * Return: 0 or a negative errno.
 */
int pair_pin(struct pair *p, struct cats_txmsg *m, u8 fill, u32 bytes,
	     struct ubuf_info *uarg)
{
	struct bio_vec bv[2] = {};
	struct iov_iter from;
	u32 last = min_t(u32, bytes, PAGE_SIZE), first = bytes - last;
	int n = -ENOMEM;

	bv[0] = (struct bio_vec){ filled_page(fill), first, PAGE_SIZE - first };
	bv[1] = (struct bio_vec){ filled_page(fill), last, 0 };
	if (bv[0].bv_page && bv[1].bv_page) {
		iov_iter_bvec(&from, ITER_SOURCE, first ? bv : bv + 1, first ? 2 : 1, bytes);
		while (iov_iter_count(&from)) {
			n = cats_txmsg_pin(p->sk, p->cs, m, &from, bytes, uarg);
			if (n < 0)
				break;
			m->msg.len += n;
		}
	}
	if (bv[0].bv_page)
		put_page(bv[0].bv_page);
	if (bv[1].bv_page)
		put_page(bv[1].bv_page);
	return min(n, 0);
}

/**
 * pair_uarg_done() - ubuf_info.callback of a case: counts references only
 * @skb: unused
 * @uarg: whom to tell
 * @success: unused
 */
void pair_uarg_done(struct sk_buff *skb, struct ubuf_info *uarg, bool success)
{
	refcount_dec(&uarg->refcnt);
}

/**
 * pair_disown() - somebody else frees this message from here on
 * @p: pair, held
 * @m: message
 */
void pair_disown(struct pair *p, struct cats_txmsg *m)
{
	struct cats_txmsg **slot = own_slot(p, m);

	if (slot)
		*slot = NULL;
}

/**
 * pair_put() - free a message that is not queued
 * @p: pair, held
 * @m: message
 */
void pair_put(struct pair *p, struct cats_txmsg *m)
{
	pair_disown(p, m);
	m->has_writer = false;
	cats_txmsg_put(p->sk, p->cs, m);
}

/**
 * pair_enqueue() - queue a message, complete; from here on it is the Conductor's
 * @p: pair, held
 * @m: message
 */
void pair_enqueue(struct pair *p, struct cats_txmsg *m)
{
	pair_disown(p, m);
	m->has_writer = false;
	m->was_queued = true;
	cats_conductor_enqueue(&p->cs->conductor, &m->msg, NULL, ktime_get_ns());
}

/**
 * pair_queue() - make a message and queue it
 * @p: pair, held
 * @urgency: class
 * @fill: value of its bytes
 * @bytes: how many
 *
 * Return: the message; NULL if there was no memory, and then the case has failed.
 */
struct cats_txmsg *pair_queue(struct pair *p, unsigned int urgency, u8 fill,
			      size_t bytes)
{
	struct cats_txmsg *m = pair_msg(p, urgency);

	KUNIT_EXPECT_NOT_NULL(p->test, m);
	if (!m)
		return NULL;
	KUNIT_EXPECT_EQ(p->test, pair_copy(p, m, fill, bytes), 0);
	pair_enqueue(p, m);
	return m;
}

/**
 * pair_queued_skbs() - number of skbs in TCP's write queue, none transmitted
 * @p: pair, held
 */
u32 pair_queued_skbs(const struct pair *p)
{
	return skb_queue_len(&p->sk->sk_write_queue);
}

/* The byte at @offset of the payload of @skb. */
static u8 byte_of(struct sk_buff *skb, u32 offset)
{
	u8 byte = 0;

	skb_copy_bits(skb, offset, &byte, sizeof(byte));
	return byte;
}

/**
 * pair_queue_has() - do these bytes lie in TCP's write queue, unsent?
 * @p: pair, held
 * @from: number of bytes before them in the queue
 * @fill: value of all of them
 * @bytes: how many
 */
bool pair_queue_has(const struct pair *p, u32 from, u8 fill, u32 bytes)
{
	struct sk_buff *skb;
	u32 i, begin = 0, seen = 0;

	skb_queue_walk(&p->sk->sk_write_queue, skb) {
		for (i = 0; i < skb->len; i++) {
			if (begin + i < from || begin + i >= from + bytes)
				continue;
			if (byte_of(skb, i) != fill)
				return false;
			seen++;
		}
		begin += skb->len;
	}
	return seen == bytes;
}

/**
 * pair_read() - what arrives at the peer
 * @p: pair, not held
 * @to: where to
 * @bytes: how many to wait for
 *
 * Return: bytes read, fewer at the end of the stream or if no more come; or a
 * negative errno.
 */
int pair_read(struct pair *p, void *to, size_t bytes)
{
	struct kvec kvec = { .iov_base = to, .iov_len = bytes };
	struct msghdr msg = {};

	p->peer->sk->sk_rcvtimeo = usecs_to_jiffies(PAIR_PATIENCE);
	return kernel_recvmsg(p->peer, &msg, &kvec, 1, bytes, MSG_WAITALL);
}

/**
 * pair_await_acks() - wait until the peer has acknowledged all
 * @p: pair, not held
 */
void pair_await_acks(struct pair *p)
{
	struct tcp_sock *tp = tcp_sk(p->sk);
	u32 una;

	KUNIT_EXPECT_EQ(p->test, read_poll_timeout(READ_ONCE, una, una == tp->write_seq,
						   USEC_PER_MSEC, PAIR_PATIENCE, false,
						   tp->snd_una), 0);
}
