// SPDX-License-Identifier: GPL-2.0
/* Blocked writers of each urgency, and fairness between those of different ones. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "cats_test.h"
#include "kselftest_harness.h"

/* As SO_SNDBUF; the kernel doubles it. */
#define SNDBUF		65536
#define MSG_LEN		2000
/* More messages than fit the buffer several times over. */
#define PATIENCE	1000

FIXTURE(turn)
{
	struct pair p;
};

FIXTURE_SETUP(turn)
{
	int size = SNDBUF;

	ASSERT_EQ(0, pair_open(&self->p, AF_INET));
	ASSERT_EQ(0, attach(self->p.tx));
	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_SOCKET, SO_SNDBUF, &size,
				sizeof(size)));
}

FIXTURE_TEARDOWN(turn)
{
	pair_close(&self->p);
}

/**
 * struct writer - a thread that writes messages of one urgency, blocking
 * @thread: to join
 * @fd: socket
 * @urgency: as for send_tagged()
 * @len: of a message
 * @sent: messages accepted so far
 * @stop: write no more
 */
struct writer {
	pthread_t	thread;
	int		fd;
	int		urgency;
	uint32_t	len;
	atomic_int	sent;
	atomic_bool	stop;
};

static void *write_on(void *arg)
{
	struct writer *w = arg;

	while (!w->stop && send_frame(w->fd, w->urgency, w->sent, w->len, 0) > 0)
		w->sent++;
	return NULL;
}

/* Returns when it has filled what it may. */
static int start_writer(struct writer *w, int fd, int urgency, uint32_t len)
{
	int before;

	*w = (struct writer) { .fd = fd, .urgency = urgency, .len = len };
	if (pthread_create(&w->thread, NULL, write_on, w))
		return -1;
	do {
		before = w->sent;
		poll(NULL, 0, 300);
	} while (w->sent == 0 || w->sent > before);
	return 0;
}

static void read_down_to(struct __test_metadata *_metadata, struct pair *p, int bytes)
{
	struct frame frame;

	while (mem_used(p->tx) > bytes)
		ASSERT_EQ(1, read_frame(p->rx, &frame));
}

/* Whether it returns although nothing is read. */
static bool ends(const struct blocked_write *w, int ms)
{
	while (ms-- > 0 && !w->done)
		poll(NULL, 0, 1);
	return w->done;
}

static void nothing(int sig)
{
}

/* Ends it; the socket is of no use then. */
static void stop_writer(struct writer *w)
{
	w->stop = true;
	shutdown(w->fd, SHUT_RDWR);
	pthread_join(w->thread, NULL);
}

/* Reads until the write has returned; how many messages, at most PATIENCE. */
static int read_until_done(struct __test_metadata *_metadata, int fd,
			   const struct blocked_write *w)
{
	struct frame frame;
	int n;

	for (n = 0; n < PATIENCE && !w->done; n++)
		ASSERT_EQ(1, read_frame(fd, &frame));
	return n;
}

/* A thread of a lower limit, beside one that refills at each opportunity. */
TEST_F(turn, bulk_beside_a_busy_writer)
{
	struct blocked_write bulk;
	struct writer busy;

	ASSERT_EQ(0, start_writer(&busy, self->p.tx, 3, MSG_LEN));
	ASSERT_EQ(0, start_blocked(&bulk, self->p.tx, 7, 20000));
	/* What the buffer holds twice over, and little more. */
	EXPECT_LT(read_until_done(_metadata, self->p.rx, &bulk), 150);
	EXPECT_EQ(20000, bulk.ret);
	stop_writer(&busy);
	pthread_join(bulk.thread, NULL);
}

TEST_F(turn, bulk_beside_a_busy_untagged_writer)
{
	struct blocked_write bulk;
	struct writer busy;

	ASSERT_EQ(0, start_writer(&busy, self->p.tx, UNTAGGED, MSG_LEN));
	ASSERT_EQ(0, start_blocked(&bulk, self->p.tx, 7, 20000));
	EXPECT_LT(read_until_done(_metadata, self->p.rx, &bulk), 150);
	EXPECT_EQ(20000, bulk.ret);
	stop_writer(&busy);
	pthread_join(bulk.thread, NULL);
}

/* Three that never stop: each gets on, and none much more than its share. */
TEST_F(turn, three_busy_writers)
{
	struct writer w[3];
	struct frame frame;
	int i;

	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, start_writer(&w[i], self->p.tx, 7 - 2 * i, MSG_LEN));
	for (i = 0; i < PATIENCE; i++)
		ASSERT_EQ(1, read_frame(self->p.rx, &frame));
	for (i = 0; i < 3; i++) {
		TH_LOG("urgency %d: %d messages", w[i].urgency, w[i].sent);
		EXPECT_LT(PATIENCE / 20, w[i].sent);
	}
	for (i = 0; i < 3; i++)
		stop_writer(&w[i]);
}

/* Its limit is lower, so its room is not touched: it need not wait in line. */
TEST_F(turn, keeps_the_room_of_the_more_urgent)
{
	struct writer busy;

	ASSERT_EQ(0, start_writer(&busy, self->p.tx, 7, MSG_LEN));
	/* Sleeps for ever if it has to wait: nobody reads. */
	EXPECT_EQ(MSG_LEN, send_frame(self->p.tx, 3, 1, MSG_LEN, 0));
	EXPECT_EQ(MSG_LEN, send_frame(self->p.tx, 5, 1, MSG_LEN, 0));
	EXPECT_EQ(MSG_LEN, send_frame(self->p.tx, 2, 1, MSG_LEN, 0));
	EXPECT_EQ(MSG_LEN, send_frame(self->p.tx, 0, 1, MSG_LEN, 0));
	stop_writer(&busy);
}

/*
 * Urgency 7 is first and wants much.  Urgency 5 has overtaken as far as it may,
 * and there is room for it: it sleeps for its turn alone.
 */
static void hold_back(struct __test_metadata *_metadata, struct pair *p,
		      struct blocked_write *first, struct blocked_write *held)
{
	ASSERT_LT(0, fill(p->tx, 3, 0, MSG_LEN));
	ASSERT_EQ(0, start_blocked(first, p->tx, 7, 90000));
	read_down_to(_metadata, p, 50000);
	ASSERT_EQ(20000, send_frame(p->tx, 5, 1, 20000, 0));
	ASSERT_EQ(0, start_blocked(held, p->tx, 5, 10000));
	EXPECT_GT(SNDBUF * 2 * 14 / 16 - 10000, mem_used(p->tx));
}

TEST_F(turn, passes_when_the_first_gives_up)
{
	struct sigaction action = { .sa_handler = nothing };
	struct blocked_write first, held;

	sigaction(SIGUSR1, &action, NULL);
	hold_back(_metadata, &self->p, &first, &held);
	/* An ACK would wake it as well.  From now on window probes are rare. */
	poll(NULL, 0, 5000);
	pthread_kill(first.thread, SIGUSR1);
	pthread_join(first.thread, NULL);
	EXPECT_EQ(EINTR, first.err);
	EXPECT_TRUE(ends(&held, 50));
	pthread_join(held.thread, NULL);
	EXPECT_EQ(10000, held.ret);
}

TEST_F(turn, passes_when_the_first_was_admitted)
{
	struct blocked_write first, held;

	hold_back(_metadata, &self->p, &first, &held);
	/* What is left afterwards has room for the other, too. */
	read_down_to(_metadata, &self->p, 5000);
	ASSERT_TRUE(ends(&first, 10000));
	ASSERT_TRUE(ends(&held, 10000));
	pthread_join(first.thread, NULL);
	pthread_join(held.thread, NULL);
	EXPECT_EQ(90000, first.ret);
	EXPECT_EQ(10000, held.ret);
}

/* Whoever must not block, and the urgent, do not wait in line. */
TEST_F(turn, is_for_those_who_block)
{
	struct blocked_write first, held;

	hold_back(_metadata, &self->p, &first, &held);
	EXPECT_EQ(MSG_LEN, send_frame(self->p.tx, 5, 2, MSG_LEN, MSG_DONTWAIT));
	EXPECT_EQ(MSG_LEN, send_frame(self->p.tx, 2, 2, MSG_LEN, 0));
	EXPECT_FALSE(held.done);
	ASSERT_EQ(0, shutdown(self->p.tx, SHUT_RDWR));
	pthread_join(first.thread, NULL);
	pthread_join(held.thread, NULL);
	EXPECT_EQ(EPIPE, first.err);
	EXPECT_EQ(EPIPE, held.err);
}

FIXTURE(blocked)
{
	struct pair p;
	struct blocked_write w;
	int full;
};

FIXTURE_VARIANT(blocked)
{
	int urgency;
};

FIXTURE_VARIANT_ADD(blocked, urgent)
{
	.urgency = 0,
};

FIXTURE_VARIANT_ADD(blocked, normal)
{
	.urgency = 3,
};

FIXTURE_VARIANT_ADD(blocked, untagged)
{
	.urgency = UNTAGGED,
};

FIXTURE_VARIANT_ADD(blocked, bulk)
{
	.urgency = 7,
};

/* Full, whatever the urgency. */
FIXTURE_SETUP(blocked)
{
	int size = SNDBUF;

	ASSERT_EQ(0, pair_open(&self->p, AF_INET));
	ASSERT_EQ(0, attach(self->p.tx));
	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_SOCKET, SO_SNDBUF, &size,
				sizeof(size)));
	self->full = fill(self->p.tx, 7, 0, MSG_LEN);
	self->full += fill(self->p.tx, 3, 0, MSG_LEN);
	self->full += fill(self->p.tx, 0, 0, MSG_LEN);
}

FIXTURE_TEARDOWN(blocked)
{
	pair_close(&self->p);
}

TEST_F(blocked, dontwait)
{
	EXPECT_EQ(-1, send_frame(self->p.tx, variant->urgency, 1, MSG_LEN,
				 MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
}

TEST_F(blocked, timeout)
{
	struct timeval tv = { .tv_usec = 50000 };
	struct timespec from, to;
	long ms;

	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)));
	clock_gettime(CLOCK_MONOTONIC, &from);
	EXPECT_EQ(-1, send_frame(self->p.tx, variant->urgency, 1, MSG_LEN, 0));
	EXPECT_EQ(EAGAIN, errno);
	clock_gettime(CLOCK_MONOTONIC, &to);
	ms = (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000;
	EXPECT_LE(45, ms);
	EXPECT_GE(150, ms);
}

TEST_F(blocked, signal)
{
	struct sigaction action = { .sa_handler = nothing };

	sigaction(SIGUSR1, &action, NULL);
	ASSERT_EQ(0, start_blocked(&self->w, self->p.tx, variant->urgency, MSG_LEN));
	pthread_kill(self->w.thread, SIGUSR1);
	pthread_join(self->w.thread, NULL);
	EXPECT_EQ(-1, self->w.ret);
	EXPECT_EQ(EINTR, self->w.err);
}

TEST_F(blocked, room)
{
	struct frame frame;

	ASSERT_EQ(0, start_blocked(&self->w, self->p.tx, variant->urgency, MSG_LEN));
	while (self->full--)
		ASSERT_EQ(1, read_frame(self->p.rx, &frame));
	ASSERT_TRUE(ends(&self->w, 10000));
	pthread_join(self->w.thread, NULL);
	EXPECT_EQ(MSG_LEN, self->w.ret);
}

TEST_F(blocked, larger_buffer)
{
	int size = 4 * SNDBUF;

	ASSERT_EQ(0, start_blocked(&self->w, self->p.tx, variant->urgency, MSG_LEN));
	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)));
	ASSERT_TRUE(ends(&self->w, 10000));
	pthread_join(self->w.thread, NULL);
	EXPECT_EQ(MSG_LEN, self->w.ret);
}

TEST_F(blocked, shutdown)
{
	ASSERT_EQ(0, start_blocked(&self->w, self->p.tx, variant->urgency, MSG_LEN));
	ASSERT_EQ(0, shutdown(self->p.tx, SHUT_WR));
	ASSERT_TRUE(ends(&self->w, 10000));
	pthread_join(self->w.thread, NULL);
	EXPECT_EQ(EPIPE, self->w.err);
}

/* The mark counts for what is not urgent, and moves under the sleeper. */
TEST_F(blocked, higher_low_water_mark)
{
	int size = 8 * SNDBUF, lowat = 8192;

	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)));
	ASSERT_EQ(0, setsockopt(self->p.tx, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &lowat,
				sizeof(lowat)));
	if (variant->urgency == 0) {
		EXPECT_EQ(MSG_LEN, send_frame(self->p.tx, 0, 1, MSG_LEN, 0));
		return;
	}
	ASSERT_EQ(0, start_blocked(&self->w, self->p.tx, variant->urgency, MSG_LEN));
	lowat = 1 << 30;
	ASSERT_EQ(0, setsockopt(self->p.tx, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &lowat,
				sizeof(lowat)));
	ASSERT_TRUE(ends(&self->w, 10000));
	pthread_join(self->w.thread, NULL);
	EXPECT_EQ(MSG_LEN, self->w.ret);
}

/*
 * The first waits for room that an unfinished message holds: if the call that ends
 * that had to wait for its turn, both would wait for ever.
 */
TEST_F(turn, an_unfinished_message_is_not_held_back)
{
	struct timeval limit = { .tv_sec = 5 };
	size_t all = 90000 + 5000 + 2 * 9000 + 30000;
	char *buf = calloc(1, all);
	struct blocked_write first;
	int fd = self->p.tx;

	ASSERT_NE(NULL, buf);
	ASSERT_EQ(90000, send_tagged(fd, 3, buf, 90000, MSG_MORE));
	ASSERT_EQ(0, start_blocked(&first, fd, 5, 30000));
	/* As much as the limits of 3 and 5 differ by. */
	ASSERT_EQ(9000, send_frame(fd, 4, 1, 9000, MSG_DONTWAIT));
	ASSERT_EQ(9000, send_frame(fd, 4, 2, 9000, MSG_DONTWAIT));
	EXPECT_FALSE(first.done);
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)));
	EXPECT_EQ(5000, send_tagged(fd, 3, buf, 5000, 0));
	EXPECT_EQ(all, recv(self->p.rx, buf, all, MSG_WAITALL));
	pthread_join(first.thread, NULL);
	EXPECT_EQ(30000, first.ret);
	free(buf);
}

TEST_HARNESS_MAIN
