// SPDX-License-Identifier: GPL-2.0
/* Urgent data in the sense of TCP: MSG_OOB sent, and what the receiver sees. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/sockios.h>

#include "surface_fixture.h"

static int at_mark(int fd)
{
	int mark = -1;

	return ioctl(fd, SIOCATMARK, &mark) ? -1 : mark;
}

static int read_urgent(int fd)
{
	char c;

	return recv(fd, &c, 1, MSG_OOB | MSG_DONTWAIT) == 1 ? c : -errno;
}

TEST_F(surface, oob_is_the_last_byte)
{
	ASSERT_EQ(3, send(self->p.tx, "abc", 3, MSG_OOB));
	EXPECT_EQ(POLLPRI, poll_for(self->p.rx, POLLPRI, 1000));
	EXPECT_EQ('c', read_urgent(self->p.rx));
	EXPECT_EQ(-EINVAL, read_urgent(self->p.rx));
	EXPECT_BYTES(self->p.rx, "ab");
	EXPECT_EQ(1, at_mark(self->p.rx));
}

TEST_F(surface, oob_stops_a_read_at_the_mark)
{
	char buf[16] = "";

	ASSERT_EQ(2, send(self->p.tx, "ab", 2, 0));
	ASSERT_EQ(1, send(self->p.tx, "!", 1, MSG_OOB));
	ASSERT_EQ(2, send(self->p.tx, "cd", 2, 0));
	ASSERT_EQ(POLLPRI, poll_for(self->p.rx, POLLPRI, 1000));
	EXPECT_EQ(0, at_mark(self->p.rx));
	EXPECT_EQ(2, recv(self->p.rx, buf, sizeof(buf), 0));
	EXPECT_STREQ("ab", buf);
	EXPECT_EQ(1, at_mark(self->p.rx));
	EXPECT_EQ(2, recv(self->p.rx, buf, sizeof(buf), 0));
	EXPECT_STREQ("cd", buf);
	EXPECT_EQ(0, at_mark(self->p.rx));
}

TEST_F(surface, oob_inline)
{
	char buf[16] = "";

	ASSERT_EQ(0, set_int(self->p.rx, SOL_SOCKET, SO_OOBINLINE, 1));
	ASSERT_EQ(2, send(self->p.tx, "ab", 2, 0));
	ASSERT_EQ(1, send(self->p.tx, "!", 1, MSG_OOB));
	ASSERT_EQ(1, send(self->p.tx, "c", 1, 0));
	ASSERT_EQ(POLLPRI, poll_for(self->p.rx, POLLPRI, 1000));
	EXPECT_EQ(-EINVAL, read_urgent(self->p.rx));
	EXPECT_EQ(2, recv(self->p.rx, buf, sizeof(buf), 0));
	EXPECT_EQ(1, at_mark(self->p.rx));
	EXPECT_EQ(2, recv(self->p.rx, buf, sizeof(buf), MSG_WAITALL | MSG_DONTWAIT));
	EXPECT_EQ('!', buf[0]);
	EXPECT_EQ('c', buf[1]);
}

/* There is one urgent byte: the first becomes ordinary data. */
TEST_F(surface, oob_twice)
{
	ASSERT_EQ(2, send(self->p.tx, "a1", 2, MSG_OOB));
	ASSERT_EQ(POLLPRI, poll_for(self->p.rx, POLLPRI, 1000));
	ASSERT_EQ(2, send(self->p.tx, "b2", 2, MSG_OOB));
	ASSERT_TRUE(wait_queue_empty(self->p.tx));
	EXPECT_EQ('2', read_urgent(self->p.rx));
	EXPECT_BYTES(self->p.rx, "a1b");
}

TEST_F(surface, oob_of_nothing)
{
	ASSERT_EQ(0, send(self->p.tx, "", 0, MSG_OOB));
	EXPECT_EQ(0, poll_for(self->p.rx, POLLPRI | POLLIN, 100));
}

TEST_F(surface, oob_sigurg)
{
	count_signals(SIGURG);
	ASSERT_EQ(0, fcntl(self->p.rx, F_SETOWN, getpid()));
	ASSERT_EQ(1, send(self->p.tx, "!", 1, MSG_OOB));
	ASSERT_TRUE(wait_queue_empty(self->p.tx));
	EXPECT_EQ(1, signals_seen());
	EXPECT_EQ('!', read_urgent(self->p.rx));
}

TEST_F(surface, oob_after_shutdown)
{
	ASSERT_EQ(0, shutdown(self->p.tx, SHUT_WR));
	EXPECT_EQ(-1, send(self->p.tx, "!", 1, MSG_OOB | MSG_NOSIGNAL));
	EXPECT_EQ(EPIPE, errno);
}

/* A closed window: the byte comes when its turn has come, in its place. */
TEST_F(surface, oob_behind_a_backlog)
{
	ssize_t queued, got = 0, n;
	char buf[1000];

	ASSERT_EQ(0, set_int(self->p.tx, SOL_SOCKET, SO_SNDBUF, 30000));
	ASSERT_EQ(0, slow_down(self->p.tx));
	queued = fill_bytes(self->p.tx);
	ASSERT_LT(SMALL_RCVBUF, queued);
	ASSERT_EQ(0, set_int(self->p.tx, SOL_SOCKET, SO_SNDBUF, 60000));
	ASSERT_EQ(3, send(self->p.tx, "ab!", 3, MSG_OOB | MSG_DONTWAIT));
	ASSERT_EQ(2, send(self->p.tx, "cd", 2, MSG_DONTWAIT));
	while (at_mark(self->p.rx) == 0) {
		n = recv(self->p.rx, buf, sizeof(buf), 0);
		ASSERT_LT(0, n);
		got += n;
	}
	EXPECT_EQ(queued + 2, got);
	EXPECT_EQ('!', read_urgent(self->p.rx));
	EXPECT_BYTES(self->p.rx, "cd");
}

/* The urgent byte goes where its message goes: between two others. */
TEST_F(surface, oob_overtaking)
{
	ssize_t n, got = 0;
	char buf[1000];
	int bulk;

	if (!is_cats())
		return;
	ASSERT_EQ(0, set_int(self->p.tx, SOL_SOCKET, SO_SNDBUF, 30000));
	ASSERT_EQ(0, slow_down(self->p.tx));
	bulk = fill(self->p.tx, 7, 0, 1000);
	ASSERT_LT(SMALL_RCVBUF / 1000, bulk);
	ASSERT_EQ(6, send_tagged(self->p.tx, 2, "abort!", 6, MSG_DONTWAIT | MSG_OOB));
	while (at_mark(self->p.rx) == 0) {
		n = recv(self->p.rx, buf, sizeof(buf), 0);
		ASSERT_LT(0, n);
		got += n;
	}
	EXPECT_EQ('!', read_urgent(self->p.rx));
	EXPECT_EQ(5, got % 1000);
	EXPECT_GT(bulk / 2, got / 1000);
	for (; got < bulk * 1000 + 5; got += n) {
		n = recv(self->p.rx, buf, sizeof(buf), 0);
		ASSERT_LT(0, n);
	}
}

TEST_HARNESS_MAIN
