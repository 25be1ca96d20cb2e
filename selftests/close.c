// SPDX-License-Identifier: GPL-2.0
/*
 * Ways out with a backlog in the Conductor: what was accepted arrives, in the
 * Conductor's order, unless TCP itself would drop it.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cats_test.h"
#include "kselftest_harness.h"

#define MSG_LEN		1000
#define BULK_MSGS	30
#define URGENT_MSGS	3

FIXTURE(close)
{
	struct pair p;
};

FIXTURE_VARIANT(close)
{
	int family;
};

FIXTURE_VARIANT_ADD(close, v4)
{
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(close, v6)
{
	.family = AF_INET6,
};

FIXTURE_SETUP(close)
{
	ASSERT_EQ(0, pair_open(&self->p, variant->family));
	ASSERT_EQ(0, attach(self->p.tx));
}

FIXTURE_TEARDOWN(close)
{
	pair_close(&self->p);
}

/* Bulk first, urgent after it; both must be waiting in the Conductor. */
static void backlog(struct __test_metadata *_metadata, int fd)
{
	struct cats_info info;
	int i;

	for (i = 0; i < BULK_MSGS; i++)
		ASSERT_EQ(MSG_LEN, send_frame(fd, 7, i, MSG_LEN, 0));
	ASSERT_TRUE(wait_settled(fd));
	for (i = 0; i < URGENT_MSGS; i++)
		ASSERT_EQ(MSG_LEN, send_frame(fd, 0, i, MSG_LEN, 0));
	ASSERT_EQ(0, get_info(fd, &info));
	ASSERT_GT(info.classes[7].queued_msgs, BULK_MSGS / 2);
	ASSERT_EQ(URGENT_MSGS, info.classes[0].queued_msgs);
}

/* All of backlog(), then the end of the stream; the urgent not last. */
static void expect_all(struct __test_metadata *_metadata, int fd)
{
	int urgent = 0, bulk = 0, ret;
	struct frame frame;

	while ((ret = read_frame(fd, &frame)) == 1) {
		if (frame.urgency == 0) {
			ASSERT_EQ(urgent, frame.id);
			urgent++;
			continue;
		}
		ASSERT_EQ(bulk, frame.id);
		bulk++;
		if (bulk > BULK_MSGS / 2)
			EXPECT_EQ(URGENT_MSGS, urgent);
	}
	EXPECT_EQ(0, ret);
	EXPECT_EQ(BULK_MSGS, bulk);
	EXPECT_EQ(URGENT_MSGS, urgent);
}

TEST_F(close, drains)
{
	backlog(_metadata, self->p.tx);
	ASSERT_EQ(0, close(self->p.tx));
	self->p.tx = -1;
	expect_all(_metadata, self->p.rx);
}

TEST_F(close, shutdown_drains)
{
	struct cats_info info;

	backlog(_metadata, self->p.tx);
	ASSERT_EQ(0, shutdown(self->p.tx, SHUT_WR));
	ASSERT_EQ(0, get_info(self->p.tx, &info));
	EXPECT_EQ(0, queued_bytes(&info));
	EXPECT_EQ(0, info.mem_queued);
	EXPECT_EQ(-1, send_frame(self->p.tx, 0, 1, MSG_LEN, 0));
	EXPECT_EQ(EPIPE, errno);
	expect_all(_metadata, self->p.rx);
	/* The other direction lives on. */
	ASSERT_EQ(MSG_LEN, send_frame(self->p.rx, UNTAGGED, 1, MSG_LEN, 0));
}

TEST_F(close, shutdown_of_reading_keeps_queue)
{
	struct cats_info info;

	backlog(_metadata, self->p.tx);
	ASSERT_EQ(0, shutdown(self->p.tx, SHUT_RD));
	ASSERT_EQ(0, get_info(self->p.tx, &info));
	EXPECT_EQ(URGENT_MSGS, info.classes[0].queued_msgs);
	ASSERT_EQ(0, shutdown(self->p.tx, SHUT_WR));
	expect_all(_metadata, self->p.rx);
}

TEST_F(close, half_closed_by_peer_still_sends)
{
	char c;

	backlog(_metadata, self->p.tx);
	ASSERT_EQ(0, shutdown(self->p.rx, SHUT_WR));
	ASSERT_EQ(0, recv(self->p.tx, &c, 1, 0));
	ASSERT_EQ(0, close(self->p.tx));
	self->p.tx = -1;
	expect_all(_metadata, self->p.rx);
}

TEST_F(close, lingers)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 30 };
	int status, closed[2];
	pid_t child;
	char c;

	backlog(_metadata, self->p.tx);
	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_SOCKET, SO_LINGER, &linger,
				sizeof(linger)));
	ASSERT_EQ(0, pipe(closed));
	child = fork();
	if (!child) {
		close(self->p.tx);
		close(closed[0]);
		close(closed[1]);
		expect_all(_metadata, self->p.rx);
		_exit(!_metadata->passed);
	}
	/* Once the child has let go of it the parent's close() is the last. */
	close(closed[1]);
	ASSERT_EQ(0, read(closed[0], &c, 1));
	ASSERT_EQ(0, close(self->p.rx));
	self->p.rx = -1;
	ASSERT_EQ(0, close(self->p.tx));
	self->p.tx = -1;
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_F(close, linger_zero_resets)
{
	struct linger linger = { .l_onoff = 1 };
	char buf[4096];

	backlog(_metadata, self->p.tx);
	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_SOCKET, SO_LINGER, &linger,
				sizeof(linger)));
	ASSERT_EQ(0, close(self->p.tx));
	self->p.tx = -1;
	/* As with TCP the reset may overtake data that was not read. */
	while (recv(self->p.rx, buf, sizeof(buf), 0) > 0)
		;
	EXPECT_EQ(ECONNRESET, errno);
}

TEST_F(close, unread_data_resets)
{
	char buf[4096];

	backlog(_metadata, self->p.tx);
	ASSERT_EQ(1, send(self->p.rx, "x", 1, 0));
	while (recv(self->p.tx, buf, 1, MSG_PEEK) != 1)
		;
	ASSERT_EQ(0, close(self->p.tx));
	self->p.tx = -1;
	while (recv(self->p.rx, buf, sizeof(buf), 0) > 0)
		;
	EXPECT_EQ(ECONNRESET, errno);
}

/* The peer resets by closing with data that it did not read. */
static void reset_by_peer(struct __test_metadata *_metadata, struct pair *p)
{
	struct pollfd pfd = { .fd = p->tx };

	ASSERT_EQ(0, close(p->rx));
	p->rx = -1;
	ASSERT_EQ(1, poll(&pfd, 1, 10000));
	ASSERT_TRUE(pfd.revents & POLLHUP);
}

TEST_F(close, reset_by_peer_frees_the_queue)
{
	struct cats_info info;

	backlog(_metadata, self->p.tx);
	reset_by_peer(_metadata, &self->p);
	ASSERT_EQ(0, get_info(self->p.tx, &info));
	EXPECT_EQ(0, queued_bytes(&info));
	EXPECT_EQ(0, info.mem_queued);
	EXPECT_EQ(-1, send_frame(self->p.tx, 0, 1, MSG_LEN, 0));
	EXPECT_EQ(ECONNRESET, errno);
	EXPECT_EQ(-1, send_frame(self->p.tx, 0, 1, MSG_LEN, 0));
	EXPECT_EQ(EPIPE, errno);
}

TEST_F(close, disconnect_drops_the_queue)
{
	struct sockaddr unspec = { .sa_family = AF_UNSPEC };
	struct cats_info info;

	backlog(_metadata, self->p.tx);
	ASSERT_EQ(0, connect(self->p.tx, &unspec, sizeof(unspec)));
	ASSERT_EQ(0, get_info(self->p.tx, &info));
	EXPECT_EQ(0, queued_bytes(&info));
	EXPECT_EQ(0, info.mem_queued);
	EXPECT_EQ(0, listen(self->p.tx, 1));
}

/* Larger than any send buffer. */
#define HUGE_LEN	6000000

TEST_F(close, reset_ends_a_blocked_write)
{
	struct blocked_write w;
	struct cats_info info;

	ASSERT_EQ(0, start_blocked(&w, self->p.tx, UNTAGGED, HUGE_LEN));
	reset_by_peer(_metadata, &self->p);
	pthread_join(w.thread, NULL);
	/* As TCP: what was accepted is the result, the error comes next. */
	EXPECT_GT(w.ret, 0);
	EXPECT_EQ(-1, send_frame(self->p.tx, 0, 1, MSG_LEN, 0));
	EXPECT_EQ(ECONNRESET, errno);
	ASSERT_EQ(0, get_info(self->p.tx, &info));
	EXPECT_EQ(0, info.mem_queued);
}

TEST_F(close, shutdown_ends_a_blocked_write)
{
	struct blocked_write w;
	struct cats_info info;
	ssize_t n, sum = 0;
	char buf[4096];

	ASSERT_EQ(0, start_blocked(&w, self->p.tx, UNTAGGED, HUGE_LEN));
	ASSERT_EQ(0, shutdown(self->p.tx, SHUT_WR));
	pthread_join(w.thread, NULL);
	EXPECT_GT(w.ret, 0);
	ASSERT_EQ(0, get_info(self->p.tx, &info));
	EXPECT_EQ(0, info.mem_queued);
	while ((n = recv(self->p.rx, buf, sizeof(buf), 0)) > 0)
		sum += n;
	EXPECT_EQ(0, n);
	EXPECT_EQ(w.ret, sum);
}

/* A process that dies leaves what it wrote. */
TEST_F(close, killed_process_delivers)
{
	pid_t child = fork();
	int status;

	if (!child) {
		close(self->p.rx);
		backlog(_metadata, self->p.tx);
		kill(getpid(), _metadata->passed ? SIGKILL : SIGTERM);
	}
	ASSERT_EQ(0, close(self->p.tx));
	self->p.tx = -1;
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(SIGKILL, WTERMSIG(status));
	expect_all(_metadata, self->p.rx);
}

TEST_HARNESS_MAIN
