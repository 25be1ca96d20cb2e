/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the KUnit suites of the socket side share: see pair_test.c.
 */
#ifndef _CATS_PAIR_TEST_H
#define _CATS_PAIR_TEST_H

#include <kunit/test.h>

#include "cats_sock.h"

#define PAIR_MSGS_MAX	64
/* A sixteenth of it is below 16 KiB: limits differ by so much per urgency. */
#define PAIR_SNDBUF	160000
#define PAIR_STEP	10000

/**
 * struct pair - the two ends of a TCP connection, CATS attached to the near one
 * @test: the case that runs
 * @listener: where @near connects to, or NULL
 * @addr: its address
 * @near: the end under test
 * @peer: the other end
 * @sk: of @near
 * @cs: of @near, NULL before pair_attach()
 * @held: the case owns @sk
 * @balance: see pair_balance(); at the beginning
 * @base: operations of @sk before it was attached
 * @write_space: callback of @sk before it was attached
 * @state_change: likewise
 * @nr_refs: references to the module before there was a socket
 * @tcp_mem: limits of the memory of all sockets, to be restored
 * @own: messages that are not queued: freed with the pair
 */
struct pair {
	struct kunit		*test;
	struct socket		*listener;
	struct sockaddr_storage	addr;
	struct socket		*near;
	struct socket		*peer;
	struct sock		*sk;
	struct cats_sock	*cs;
	bool			held;
	int			balance;
	const struct proto	*base;
	void			(*write_space)(struct sock *sk);
	void			(*state_change)(struct sock *sk);
	int			nr_refs;
	long			tcp_mem[3];
	struct cats_txmsg	*own[PAIR_MSGS_MAX];
};

/* For a suite: the module's own setting up, and its end. */
int pair_suite_init(struct kunit_suite *suite);
void pair_suite_exit(struct kunit_suite *suite);

/* For each case: a pair, attached and held; a connected one; none; and its end. */
int pair_init(struct kunit *test);
int pair_init_limits(struct kunit *test);
int pair_init_plain(struct kunit *test);
int pair_init_none(struct kunit *test);
void pair_exit(struct kunit *test);

int pair_listen(struct pair *p, int family);
int pair_dial(struct pair *p);
int pair_connect(struct pair *p, int family);
void pair_release(struct pair *p);
int pair_set_ulp(struct socket *sock);
int pair_attach(struct pair *p);
void pair_hold(struct pair *p);
void pair_drop(struct pair *p);

/* Of a held pair. */
int pair_balance(const struct pair *p);
void pair_use(struct pair *p, int tcp, u32 conductor);
void pair_no_memory(struct pair *p);
void pair_memory_back(struct pair *p);
struct cats_txmsg *pair_msg_tag(struct pair *p, const struct cats_tag *tag);
struct cats_txmsg *pair_msg(struct pair *p, unsigned int urgency);
int pair_copy(struct pair *p, struct cats_txmsg *m, u8 fill, size_t bytes);
int pair_copy_apart(struct pair *p, struct cats_txmsg *m, u8 fill, size_t bytes);
int pair_add_page(struct pair *p, struct cats_txmsg *m, u8 fill, u32 bytes);
int pair_pin(struct pair *p, struct cats_txmsg *m, u8 fill, u32 bytes,
	     struct ubuf_info *uarg);
void pair_uarg_done(struct sk_buff *skb, struct ubuf_info *uarg, bool success);
void pair_disown(struct pair *p, struct cats_txmsg *m);
void pair_put(struct pair *p, struct cats_txmsg *m);
void pair_enqueue(struct pair *p, struct cats_txmsg *m);
struct cats_txmsg *pair_queue(struct pair *p, unsigned int urgency, u8 fill,
			      size_t bytes);
u32 pair_queued_skbs(const struct pair *p);
bool pair_queue_has(const struct pair *p, u32 from, u8 fill, u32 bytes);

/* Of one that is not held. */
int pair_read(struct pair *p, void *to, size_t bytes);
void pair_await_acks(struct pair *p);

#endif /* _CATS_PAIR_TEST_H */
