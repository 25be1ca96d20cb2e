// SPDX-License-Identifier: GPL-2.0
/*
 * What forms a message: one call, or a chain of calls with MSG_MORE; and what becomes
 * of one that stops half-way.  Every test has messages of two classes in front of a
 * peer that does not read, then reads, and looks at order and contiguity.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#include "surface.h"
#include "kselftest_harness.h"

#define MSG_LEN		1000
/* As SO_SNDBUF: behind the peer's window this many bytes of bulk are queued. */
#define SNDBUF		65536
/* Of a message that its writer does not end, ms. */
#define CEILING_MIN	190
#define CEILING_MAX	300

#define CHAIN_ID	500
#define CHAIN_LEN	3000
#define OTHER_ID	600

FIXTURE(message)
{
	struct pair p;
	char chain[CHAIN_LEN];
	int bulk;
};

/* Bulk of urgency 7 is queued.  Chains here are of urgency 2, others of 1 and 4. */
FIXTURE_SETUP(message)
{
	ASSERT_EQ(0, pair_open(&self->p, AF_INET));
	ASSERT_EQ(0, attach(self->p.tx));
	ASSERT_EQ(0, set_conductor(self->p.tx, "strict"));
	ASSERT_EQ(0, set_int(self->p.tx, SOL_SOCKET, SO_SNDBUF, SNDBUF));
	for (self->bulk = 0; self->bulk < 20; self->bulk++)
		ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, 7, self->bulk, MSG_LEN,
					      MSG_DONTWAIT));
	ASSERT_TRUE(wait_settled(self->p.tx));
	frame_build(self->chain, CHAIN_LEN, CHAIN_ID, 2);
}

FIXTURE_TEARDOWN(message)
{
	pair_close(&self->p);
}

static int default_tag(int fd, uint32_t urgency)
{
	return setsockopt(fd, SOL_CATS, CATS_TAG, &urgency, sizeof(urgency));
}

/* Part @part of three of the chain; the last has no MSG_MORE by itself. */
static ssize_t send_part(int fd, int urgency, const char *chain, int part, int flags)
{
	return send_tagged(fd, urgency, chain + part * MSG_LEN, MSG_LEN,
			   flags | MSG_DONTWAIT | (part < 2 ? MSG_MORE : 0));
}

/*
 * Reads whole messages until the end of the stream: @order gets their ids without
 * bulk, which must come in its own order.  Returns how many, -1 if one was torn.
 */
static int read_order(int fd, uint32_t *order, int max)
{
	uint32_t bulk = 0;
	struct frame frame;
	int ret, n = 0;

	while ((ret = read_frame(fd, &frame)) == 1) {
		if (frame.urgency == 7 && frame.id != bulk++)
			return -1;
		if (frame.urgency != 7 && n < max)
			order[n++] = frame.id;
	}
	return ret ? -1 : n;
}

/* Ends the stream and expects these ids, beside bulk. */
#define EXPECT_ORDER(...) do {							\
	uint32_t _want[] = { __VA_ARGS__ }, _got[16] = {};			\
	int _n = sizeof(_want) / sizeof(_want[0]), _i;				\
	ASSERT_EQ(0, shutdown(self->p.tx, SHUT_WR));				\
	ASSERT_EQ(_n, read_order(self->p.rx, _got, 16));			\
	for (_i = 0; _i < _n; _i++)						\
		EXPECT_EQ(_want[_i], _got[_i]);					\
} while (0)

/* So many messages of urgency 2 so far: order alone does not tell two from one. */
#define EXPECT_MESSAGES(n) do {							\
	struct cats_info _info;							\
	ASSERT_EQ(0, get_info(self->p.tx, &_info));				\
	EXPECT_EQ(n, _info.classes[2].queued_msgs + _info.classes[2].sent_msgs);	\
} while (0)

/* Bytes of urgency 2 that have gone to TCP. */
static uint64_t chain_sent(int fd)
{
	struct cats_info info;

	return get_info(fd, &info) ? UINT64_MAX : info.classes[2].sent_bytes;
}

TEST_F(message, tagged_chain_is_one)
{
	int i;

	for (i = 0; i < 3; i++)
		ASSERT_EQ(MSG_LEN, send_part(self->p.tx, 2, self->chain, i, 0));
	ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, 1, OTHER_ID, MSG_LEN, MSG_DONTWAIT));
	EXPECT_MESSAGES(1);
	EXPECT_ORDER(OTHER_ID, CHAIN_ID);
}

/* Others of any class go in between in time, but not in place. */
TEST_F(message, tagged_chain_holds_up_nobody)
{
	struct frame frame;
	int i;

	ASSERT_EQ(MSG_LEN, send_part(self->p.tx, 2, self->chain, 0, 0));
	ASSERT_EQ(MSG_LEN, send_part(self->p.tx, 2, self->chain, 1, 0));
	ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, 4, OTHER_ID, MSG_LEN, MSG_DONTWAIT));
	for (i = 0; i < self->bulk + 1; i++) {
		ASSERT_EQ(1, read_frame(self->p.rx, &frame));
		EXPECT_NE(CHAIN_ID, frame.id);
	}
	EXPECT_EQ(0, chain_sent(self->p.tx));
	ASSERT_EQ(MSG_LEN, send_part(self->p.tx, 2, self->chain, 2, 0));
	ASSERT_EQ(1, read_frame(self->p.rx, &frame));
	EXPECT_EQ(CHAIN_ID, frame.id);
}

/* Nor is it sent by the ceiling: it is whole, or not there. */
TEST_F(message, tagged_chain_has_no_ceiling)
{
	struct frame frame;
	int i;

	ASSERT_EQ(MSG_LEN, send_part(self->p.tx, 2, self->chain, 0, 0));
	for (i = 0; i < self->bulk; i++)
		ASSERT_EQ(1, read_frame(self->p.rx, &frame));
	EXPECT_EQ(0, poll_for(self->p.rx, POLLIN, 2000));
	EXPECT_EQ(0, chain_sent(self->p.tx));
	ASSERT_EQ(MSG_LEN, send_part(self->p.tx, 2, self->chain, 1, 0));
	ASSERT_EQ(MSG_LEN, send_part(self->p.tx, 2, self->chain, 2, 0));
	ASSERT_EQ(1, read_frame(self->p.rx, &frame));
	EXPECT_EQ(CHAIN_ID, frame.id);
}

/* Chains of different classes are different messages. */
TEST_F(message, chains_of_two_classes)
{
	char other[CHAIN_LEN];
	int i;

	frame_build(other, CHAIN_LEN, OTHER_ID, 4);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(MSG_LEN, send_part(self->p.tx, 2, self->chain, i, 0));
		ASSERT_EQ(MSG_LEN, send_part(self->p.tx, 4, other, i, 0));
	}
	EXPECT_ORDER(CHAIN_ID, OTHER_ID);
}

TEST_F(message, eor_ends_a_chain)
{
	ASSERT_EQ(MSG_LEN, send_part(self->p.tx, 2, self->chain, 0, 0));
	ASSERT_EQ(2 * MSG_LEN, send_tagged(self->p.tx, 2, self->chain + MSG_LEN, 2 * MSG_LEN,
					   MSG_MORE | MSG_EOR | MSG_DONTWAIT));
	/* Had it not ended this would be a part of it, and not go first. */
	ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, 2, OTHER_ID, MSG_LEN,
				      MSG_DONTWAIT | MSG_MORE));
	ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, 1, OTHER_ID + 1, MSG_LEN, MSG_DONTWAIT));
	EXPECT_ORDER(OTHER_ID + 1, CHAIN_ID, OTHER_ID);
}

TEST_F(message, empty_call_ends_a_chain)
{
	ASSERT_EQ(CHAIN_LEN, send_tagged(self->p.tx, 2, self->chain, CHAIN_LEN,
					 MSG_MORE | MSG_DONTWAIT));
	ASSERT_EQ(0, send_tagged(self->p.tx, 2, "", 0, MSG_DONTWAIT));
	ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, 2, OTHER_ID, MSG_LEN, MSG_DONTWAIT));
	EXPECT_MESSAGES(2);
	EXPECT_ORDER(CHAIN_ID, OTHER_ID);
}

/* By the default tag, which makes a call untagged. */
TEST_F(message, untagged_chain_waits_for_its_turn)
{
	int i;

	ASSERT_EQ(0, default_tag(self->p.tx, 2));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(MSG_LEN, send_part(self->p.tx, UNTAGGED, self->chain, i, 0));
	ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, 1, OTHER_ID, MSG_LEN, MSG_DONTWAIT));
	ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, 4, OTHER_ID + 1, MSG_LEN, MSG_DONTWAIT));
	EXPECT_ORDER(OTHER_ID, CHAIN_ID, OTHER_ID + 1);
}

/* Unfinished it does not begin while others wait, more urgent or less. */
TEST_F(message, untagged_chain_is_overtaken_before_it_begins)
{
	ASSERT_EQ(0, default_tag(self->p.tx, 2));
	ASSERT_EQ(MSG_LEN, send_part(self->p.tx, UNTAGGED, self->chain, 0, 0));
	ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, 4, OTHER_ID, MSG_LEN, MSG_DONTWAIT));
	EXPECT_EQ(0, chain_sent(self->p.tx));
	ASSERT_EQ(MSG_LEN, send_part(self->p.tx, UNTAGGED, self->chain, 1, 0));
	ASSERT_EQ(MSG_LEN, send_part(self->p.tx, UNTAGGED, self->chain, 2, 0));
	EXPECT_ORDER(CHAIN_ID, OTHER_ID);
}

static void read_bulk(struct __test_metadata *_metadata, int fd, int n)
{
	struct frame frame;

	while (n--) {
		ASSERT_EQ(1, read_frame(fd, &frame));
		ASSERT_EQ(7, frame.urgency);
	}
}

/* Nothing else waits: it begins, and then everybody waits for its end. */
TEST_F(message, begun_chain_holds_up_all)
{
	struct frame frame;

	ASSERT_EQ(0, default_tag(self->p.tx, 2));
	read_bulk(_metadata, self->p.rx, self->bulk);
	ASSERT_TRUE(wait_queue_empty(self->p.tx));
	ASSERT_EQ(2 * MSG_LEN, send_tagged(self->p.tx, UNTAGGED, self->chain, 2 * MSG_LEN,
					   MSG_MORE | MSG_DONTWAIT));
	EXPECT_LT(0, chain_sent(self->p.tx));
	ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, 0, OTHER_ID, MSG_LEN, MSG_DONTWAIT));
	ASSERT_EQ(MSG_LEN, send_part(self->p.tx, UNTAGGED, self->chain, 2, 0));
	ASSERT_EQ(1, read_frame(self->p.rx, &frame));
	EXPECT_EQ(CHAIN_ID, frame.id);
	ASSERT_EQ(1, read_frame(self->p.rx, &frame));
	EXPECT_EQ(OTHER_ID, frame.id);
}

/* ... but not for ever.  What is written after the ceiling is another message. */
TEST_F(message, ceiling_ends_a_begun_chain)
{
	char head[2 * MSG_LEN];
	uint64_t start;
	struct frame frame;

	ASSERT_EQ(0, default_tag(self->p.tx, 2));
	read_bulk(_metadata, self->p.rx, self->bulk);
	ASSERT_TRUE(wait_queue_empty(self->p.tx));
	frame_build(head, sizeof(head), CHAIN_ID, 2);
	start = now_ms();
	ASSERT_EQ(sizeof(head), send_tagged(self->p.tx, UNTAGGED, head, sizeof(head),
					    MSG_MORE | MSG_DONTWAIT));
	ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, 0, OTHER_ID, MSG_LEN, MSG_DONTWAIT));
	ASSERT_EQ(1, read_frame(self->p.rx, &frame));
	EXPECT_EQ(CHAIN_ID, frame.id);
	ASSERT_EQ(1, read_frame(self->p.rx, &frame));
	EXPECT_EQ(OTHER_ID, frame.id);
	EXPECT_LE(CEILING_MIN, now_ms() - start);
	EXPECT_GE(CEILING_MAX, now_ms() - start);
}

/* Each call of the chain starts the time anew. */
TEST_F(message, continuation_restarts_the_ceiling)
{
	struct frame frame;
	uint64_t start;
	int i;

	ASSERT_EQ(0, default_tag(self->p.tx, 2));
	read_bulk(_metadata, self->p.rx, self->bulk);
	ASSERT_TRUE(wait_queue_empty(self->p.tx));
	start = now_ms();
	ASSERT_EQ(2 * MSG_LEN, send_tagged(self->p.tx, UNTAGGED, self->chain, 2 * MSG_LEN,
					   MSG_MORE | MSG_DONTWAIT));
	ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, 0, OTHER_ID, MSG_LEN, MSG_DONTWAIT));
	for (i = 0; i < 4; i++) {
		/* A continuation in time; this is a delay, not a wait for something. */
		poll(NULL, 0, 150);
		ASSERT_EQ(200, send_tagged(self->p.tx, UNTAGGED,
					   self->chain + 2 * MSG_LEN + 200 * i, 200,
					   MSG_MORE | MSG_DONTWAIT));
	}
	ASSERT_EQ(200, send_tagged(self->p.tx, UNTAGGED, self->chain + CHAIN_LEN - 200, 200,
				   MSG_DONTWAIT));
	EXPECT_LE(4 * 150, now_ms() - start);
	ASSERT_EQ(1, read_frame(self->p.rx, &frame));
	EXPECT_EQ(CHAIN_ID, frame.id);
	ASSERT_EQ(1, read_frame(self->p.rx, &frame));
	EXPECT_EQ(OTHER_ID, frame.id);
}

/* A tagged call must be accepted whole, so it cannot go on one that may have begun. */
TEST_F(message, tagged_call_ends_an_untagged_chain)
{
	ASSERT_EQ(0, default_tag(self->p.tx, 2));
	ASSERT_EQ(CHAIN_LEN, send_tagged(self->p.tx, UNTAGGED, self->chain, CHAIN_LEN,
					 MSG_MORE | MSG_DONTWAIT));
	ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, 2, OTHER_ID, MSG_LEN,
				      MSG_DONTWAIT | MSG_MORE));
	ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, 1, OTHER_ID + 1, MSG_LEN, MSG_DONTWAIT));
	EXPECT_MESSAGES(2);
	EXPECT_ORDER(OTHER_ID + 1, CHAIN_ID, OTHER_ID);
}

TEST_F(message, untagged_call_goes_on_a_tagged_chain)
{
	ASSERT_EQ(0, default_tag(self->p.tx, 2));
	ASSERT_EQ(MSG_LEN, send_part(self->p.tx, 2, self->chain, 0, 0));
	ASSERT_EQ(MSG_LEN, send_part(self->p.tx, UNTAGGED, self->chain, 1, 0));
	ASSERT_EQ(MSG_LEN, send_part(self->p.tx, UNTAGGED, self->chain, 2, 0));
	EXPECT_MESSAGES(1);
	EXPECT_ORDER(CHAIN_ID);
}

/* Each call would fit the buffer, all of them never: the one that is too much is refused. */
TEST_F(message, chain_larger_than_the_buffer_is_emsgsize)
{
	char *large = malloc(100000);
	struct cats_info info;

	frame_build(large, 100000, CHAIN_ID, 2);
	ASSERT_EQ(90000, send_tagged(self->p.tx, 2, large, 90000, MSG_MORE | MSG_DONTWAIT));
	EXPECT_EQ(-1, send_tagged(self->p.tx, 2, large, 60000, MSG_DONTWAIT));
	EXPECT_EQ(EMSGSIZE, errno);
	ASSERT_EQ(0, get_info(self->p.tx, &info));
	EXPECT_STREQ("message: larger than the send buffer can ever hold", info.reason);
	ASSERT_EQ(10000, send_tagged(self->p.tx, 2, large + 90000, 10000, MSG_DONTWAIT));
	EXPECT_ORDER(CHAIN_ID);
	free(large);
}

/* What stops a call leaves what the calls before have said. */
TEST_F(message, eagain_within_a_tagged_chain)
{
	char *large = malloc(80000);
	int parts = 1, i;
	struct frame frame;

	frame_build(large, 80000, CHAIN_ID, 2);
	i = fill(self->p.tx, 7, self->bulk, MSG_LEN);
	ASSERT_LE(0, i);
	self->bulk += i;
	ASSERT_EQ(MSG_LEN, send_tagged(self->p.tx, 2, large, MSG_LEN, MSG_MORE | MSG_DONTWAIT));
	while (send_tagged(self->p.tx, 2, large + parts * MSG_LEN, MSG_LEN,
			   MSG_MORE | MSG_DONTWAIT) == MSG_LEN)
		parts++;
	ASSERT_EQ(EAGAIN, errno);
	ASSERT_GT(80, parts);
	read_bulk(_metadata, self->p.rx, self->bulk);
	for (i = parts; i < 79; i++)
		ASSERT_EQ(MSG_LEN, send_tagged(self->p.tx, 2, large + i * MSG_LEN, MSG_LEN,
					       MSG_MORE));
	ASSERT_EQ(MSG_LEN, send_tagged(self->p.tx, 2, large + i * MSG_LEN, MSG_LEN, 0));
	EXPECT_MESSAGES(1);
	EXPECT_EQ(1, read_frame(self->p.rx, &frame));
	EXPECT_EQ(CHAIN_ID, frame.id);
	free(large);
}

TEST_F(message, fault_within_a_tagged_chain)
{
	ASSERT_EQ(MSG_LEN, send_part(self->p.tx, 2, self->chain, 0, 0));
	EXPECT_EQ(-1, send_tagged(self->p.tx, 2, (void *)4096, MSG_LEN, MSG_DONTWAIT));
	EXPECT_EQ(EFAULT, errno);
	ASSERT_EQ(MSG_LEN, send_part(self->p.tx, 2, self->chain, 1, 0));
	ASSERT_EQ(MSG_LEN, send_part(self->p.tx, 2, self->chain, 2, 0));
	EXPECT_MESSAGES(1);
	EXPECT_ORDER(CHAIN_ID);
}

/* By TCP's rules it would end after 200 ms. */
TEST_F(message, untagged_fault_leaves_a_tagged_chain)
{
	ASSERT_EQ(0, default_tag(self->p.tx, 2));
	ASSERT_EQ(MSG_LEN, send_part(self->p.tx, 2, self->chain, 0, 0));
	EXPECT_EQ(-1, send(self->p.tx, (void *)4096, MSG_LEN, MSG_DONTWAIT | MSG_MORE));
	EXPECT_EQ(EFAULT, errno);
	poll(NULL, 0, 400);
	ASSERT_EQ(MSG_LEN, send_part(self->p.tx, 2, self->chain, 1, 0));
	ASSERT_EQ(MSG_LEN, send_part(self->p.tx, 2, self->chain, 2, 0));
	EXPECT_MESSAGES(1);
	EXPECT_ORDER(CHAIN_ID);
}

TEST_F(message, fault_within_an_untagged_chain)
{
	ASSERT_EQ(0, default_tag(self->p.tx, 2));
	ASSERT_EQ(MSG_LEN, send_part(self->p.tx, UNTAGGED, self->chain, 0, 0));
	EXPECT_EQ(-1, send(self->p.tx, (void *)4096, MSG_LEN, MSG_DONTWAIT));
	EXPECT_EQ(EFAULT, errno);
	ASSERT_EQ(MSG_LEN, send_part(self->p.tx, UNTAGGED, self->chain, 1, 0));
	ASSERT_EQ(MSG_LEN, send_part(self->p.tx, UNTAGGED, self->chain, 2, 0));
	EXPECT_MESSAGES(1);
	EXPECT_ORDER(CHAIN_ID);
}

TEST_F(message, close_ends_a_tagged_chain)
{
	uint32_t order[4] = {};

	ASSERT_EQ(CHAIN_LEN, send_tagged(self->p.tx, 2, self->chain, CHAIN_LEN,
					 MSG_MORE | MSG_DONTWAIT));
	ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, 4, OTHER_ID, MSG_LEN, MSG_DONTWAIT));
	ASSERT_EQ(0, close(self->p.tx));
	self->p.tx = -1;
	ASSERT_EQ(2, read_order(self->p.rx, order, 4));
	EXPECT_EQ(CHAIN_ID, order[0]);
	EXPECT_EQ(OTHER_ID, order[1]);
}

TEST_F(message, shutdown_ends_an_untagged_chain)
{
	ASSERT_EQ(0, default_tag(self->p.tx, 2));
	ASSERT_EQ(CHAIN_LEN, send_tagged(self->p.tx, UNTAGGED, self->chain, CHAIN_LEN,
					 MSG_MORE | MSG_DONTWAIT));
	ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, 4, OTHER_ID, MSG_LEN, MSG_DONTWAIT));
	EXPECT_ORDER(CHAIN_ID, OTHER_ID);
}

/* A reset drops it, and frees its memory. */
TEST_F(message, reset_drops_chains)
{
	struct cats_info info;

	ASSERT_EQ(0, default_tag(self->p.tx, 4));
	ASSERT_EQ(MSG_LEN, send_part(self->p.tx, 2, self->chain, 0, 0));
	ASSERT_EQ(MSG_LEN, send_part(self->p.tx, UNTAGGED, self->chain, 0, 0));
	ASSERT_EQ(0, close(self->p.rx));
	self->p.rx = -1;
	ASSERT_TRUE(wait_state(self->p.tx, STATE_CLOSE));
	ASSERT_EQ(0, get_info(self->p.tx, &info));
	EXPECT_EQ(0, info.mem_queued);
	EXPECT_EQ(0, queued_bytes(&info));
	EXPECT_EQ(-1, send_part(self->p.tx, 2, self->chain, 1, 0));
	EXPECT_EQ(ECONNRESET, errno);
	EXPECT_EQ(-1, send_part(self->p.tx, 2, self->chain, 1, 0));
	EXPECT_EQ(EPIPE, errno);
}

/* A blocking call in the middle of a chain, ended by a signal or by the time. */
static void stopped_within_a_chain(struct __test_metadata *_metadata, struct pair *p,
				   const char *chain, int err)
{
	struct timeval tv = { .tv_usec = err == EAGAIN ? 50000 : 0 };
	struct blocked_write w;

	count_signals(SIGUSR1);
	ASSERT_EQ(0, setsockopt(p->tx, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)));
	ASSERT_EQ(MSG_LEN, send_part(p->tx, 2, chain, 0, 0));
	ASSERT_LE(0, fill(p->tx, 7, 20, MSG_LEN));
	/* Larger than the rest of the buffer, but not than all of it. */
	ASSERT_EQ(0, start_blocked(&w, p->tx, 2, 80000));
	if (err == EINTR)
		pthread_kill(w.thread, SIGUSR1);
	pthread_join(w.thread, NULL);
	EXPECT_EQ(-1, w.ret);
	EXPECT_EQ(err, w.err);
	ASSERT_EQ(MSG_LEN, send_part(p->tx, 2, chain, 1, 0));
	ASSERT_EQ(MSG_LEN, send_part(p->tx, 2, chain, 2, 0));
}

TEST_F(message, signal_within_a_chain)
{
	stopped_within_a_chain(_metadata, &self->p, self->chain, EINTR);
	EXPECT_MESSAGES(1);
	EXPECT_ORDER(CHAIN_ID);
}

TEST_F(message, timeout_within_a_chain)
{
	stopped_within_a_chain(_metadata, &self->p, self->chain, EAGAIN);
	EXPECT_MESSAGES(1);
	EXPECT_ORDER(CHAIN_ID);
}

/* While a thread sleeps in a call, another of the class makes a message of its own. */
TEST_F(message, two_threads_of_a_class)
{
	int n = fill(self->p.tx, 7, self->bulk, MSG_LEN);
	struct blocked_write w;

	ASSERT_LE(0, n);
	ASSERT_EQ(0, start_blocked(&w, self->p.tx, 2, 80000));
	ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, 2, OTHER_ID, MSG_LEN, MSG_DONTWAIT));
	read_bulk(_metadata, self->p.rx, 3);
	for (n = 0; n < 2;) {
		struct frame frame;

		ASSERT_EQ(1, read_frame(self->p.rx, &frame));
		n += frame.urgency == 2;
	}
	pthread_join(w.thread, NULL);
	EXPECT_EQ(80000, w.ret);
}

TEST_F(message, writev_is_one)
{
	struct iovec iov[] = { { self->chain, 100 }, { self->chain + 100, CHAIN_LEN - 100 } };

	ASSERT_EQ(0, default_tag(self->p.tx, 2));
	ASSERT_EQ(CHAIN_LEN, writev(self->p.tx, iov, 2));
	ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, 1, OTHER_ID, MSG_LEN, MSG_DONTWAIT));
	EXPECT_ORDER(OTHER_ID, CHAIN_ID);
}

/* Each of its messages is one; with MSG_MORE for all of them they are one chain. */
TEST_F(message, sendmmsg_is_one_each)
{
	struct mmsghdr msgs[2] = {};
	char other[MSG_LEN];
	struct iovec iov[] = { { self->chain, CHAIN_LEN }, { other, MSG_LEN } };
	int i;

	frame_build(other, MSG_LEN, OTHER_ID, 2);
	for (i = 0; i < 2; i++) {
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	ASSERT_EQ(0, default_tag(self->p.tx, 2));
	ASSERT_EQ(2, sendmmsg(self->p.tx, msgs, 2, MSG_DONTWAIT));
	EXPECT_MESSAGES(2);
	EXPECT_ORDER(CHAIN_ID, OTHER_ID);
}

/* Many pages, one message: nothing more urgent comes between them. */
TEST_F(message, sendfile_is_one)
{
	enum { LEN = 20000 };
	char name[] = "/tmp/cats-message-XXXXXX", *buf = malloc(LEN);
	int fd = mkstemp(name);
	off_t offset = 0;

	unlink(name);
	frame_build(buf, LEN, CHAIN_ID, 2);
	ASSERT_EQ(LEN, write(fd, buf, LEN));
	ASSERT_EQ(0, default_tag(self->p.tx, 2));
	ASSERT_EQ(LEN, sendfile(self->p.tx, fd, &offset, LEN));
	ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, 1, OTHER_ID, MSG_LEN, MSG_DONTWAIT));
	EXPECT_MESSAGES(1);
	EXPECT_ORDER(OTHER_ID, CHAIN_ID);
	close(fd);
	free(buf);
}

TEST_F(message, splice_is_one)
{
	int fds[2], i;

	ASSERT_EQ(0, default_tag(self->p.tx, 2));
	ASSERT_EQ(0, pipe(fds));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(MSG_LEN, write(fds[1], self->chain + i * MSG_LEN, MSG_LEN));
	ASSERT_EQ(CHAIN_LEN, splice(fds[0], NULL, self->p.tx, NULL, CHAIN_LEN, 0));
	ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, 1, OTHER_ID, MSG_LEN, MSG_DONTWAIT));
	EXPECT_MESSAGES(1);
	EXPECT_ORDER(OTHER_ID, CHAIN_ID);
	close(fds[0]);
	close(fds[1]);
}

/* The head of a response by a tagged or untagged call, the file behind it. */
TEST_F(message, head_and_sendfile_are_one)
{
	char name[] = "/tmp/cats-message-XXXXXX";
	int fd = mkstemp(name);
	off_t offset = 0;

	unlink(name);
	ASSERT_EQ(2 * MSG_LEN, write(fd, self->chain + MSG_LEN, 2 * MSG_LEN));
	ASSERT_EQ(0, default_tag(self->p.tx, 2));
	ASSERT_EQ(MSG_LEN, send_part(self->p.tx, UNTAGGED, self->chain, 0, 0));
	ASSERT_EQ(2 * MSG_LEN, sendfile(self->p.tx, fd, &offset, 2 * MSG_LEN));
	ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, 1, OTHER_ID, MSG_LEN, MSG_DONTWAIT));
	EXPECT_ORDER(OTHER_ID, CHAIN_ID);
	close(fd);
}

TEST_HARNESS_MAIN
