// SPDX-License-Identifier: GPL-2.0
/*
 * Invariant: a CATS socket that never tags anything behaves as plain TCP does.
 * Each test runs on a plain and on a CATS socket with the same expectations.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/sockios.h>

#include "cats_test.h"
#include "kselftest_harness.h"

FIXTURE(plain)
{
	struct pair p;
};

FIXTURE_VARIANT(plain)
{
	bool cats;
	int family;
};

FIXTURE_VARIANT_ADD(plain, tcp4)
{
	.cats = false, .family = AF_INET,
};

FIXTURE_VARIANT_ADD(plain, cats4)
{
	.cats = true, .family = AF_INET,
};

FIXTURE_VARIANT_ADD(plain, tcp6)
{
	.cats = false, .family = AF_INET6,
};

FIXTURE_VARIANT_ADD(plain, cats6)
{
	.cats = true, .family = AF_INET6,
};

FIXTURE_SETUP(plain)
{
	ASSERT_EQ(0, pair_open(&self->p, variant->family));
	if (variant->cats)
		ASSERT_EQ(0, attach(self->p.tx));
}

FIXTURE_TEARDOWN(plain)
{
	pair_close(&self->p);
}

static void expect_bytes(struct __test_metadata *_metadata, int fd,
			 const char *bytes)
{
	char buf[64] = "";
	size_t len = strlen(bytes);

	ASSERT_EQ((ssize_t)len, recv(fd, buf, len, MSG_WAITALL));
	EXPECT_STREQ(bytes, buf);
}

TEST_F(plain, write)
{
	ASSERT_EQ(5, write(self->p.tx, "hello", 5));
	expect_bytes(_metadata, self->p.rx, "hello");
}

TEST_F(plain, writes_keep_order)
{
	int i;

	for (i = 0; i < 200; i++)
		ASSERT_EQ(100, send_frame(self->p.tx, UNTAGGED, i, 100,
					  MSG_DONTWAIT));
	for (i = 0; i < 200; i++) {
		struct frame frame;

		ASSERT_EQ(1, read_frame(self->p.rx, &frame));
		ASSERT_EQ(i, frame.id);
	}
}

TEST_F(plain, writev)
{
	struct iovec iov[] = { { "ab", 2 }, { "", 0 }, { "cde", 3 } };

	ASSERT_EQ(5, writev(self->p.tx, iov, 3));
	expect_bytes(_metadata, self->p.rx, "abcde");
}

TEST_F(plain, sendmmsg)
{
	struct iovec iov[] = { { "one", 3 }, { "two", 3 } };
	struct mmsghdr msgs[] = {
		{ .msg_hdr = { .msg_iov = &iov[0], .msg_iovlen = 1 } },
		{ .msg_hdr = { .msg_iov = &iov[1], .msg_iovlen = 1 } },
	};

	ASSERT_EQ(2, sendmmsg(self->p.tx, msgs, 2, 0));
	EXPECT_EQ(3, msgs[1].msg_len);
	expect_bytes(_metadata, self->p.rx, "onetwo");
}

TEST_F(plain, msg_more_is_delivered)
{
	ASSERT_EQ(3, send(self->p.tx, "abc", 3, MSG_MORE));
	ASSERT_EQ(3, send(self->p.tx, "def", 3, 0));
	expect_bytes(_metadata, self->p.rx, "abcdef");
}

TEST_F(plain, sendfile)
{
	char name[] = "/tmp/cats-sendfile-XXXXXX", out[20000], in[20000];
	int fd = mkstemp(name), i;
	off_t offset = 0;

	unlink(name);
	for (i = 0; i < (int)sizeof(out); i++)
		out[i] = i * 7;
	ASSERT_EQ((ssize_t)sizeof(out), write(fd, out, sizeof(out)));
	ASSERT_EQ((ssize_t)sizeof(out), sendfile(self->p.tx, fd, &offset,
						 sizeof(out)));
	ASSERT_EQ((ssize_t)sizeof(in), recv(self->p.rx, in, sizeof(in), MSG_WAITALL));
	EXPECT_EQ(0, memcmp(in, out, sizeof(in)));
	close(fd);
}

TEST_F(plain, splice)
{
	int fds[2];

	ASSERT_EQ(0, pipe(fds));
	ASSERT_EQ(6, write(fds[1], "splice", 6));
	ASSERT_EQ(6, splice(fds[0], NULL, self->p.tx, NULL, 6, 0));
	expect_bytes(_metadata, self->p.rx, "splice");
	close(fds[0]);
	close(fds[1]);
}

TEST_F(plain, zero_bytes)
{
	EXPECT_EQ(0, send(self->p.tx, "", 0, 0));
	EXPECT_EQ(0, write(self->p.tx, "", 0));
}

TEST_F(plain, fault)
{
	EXPECT_EQ(-1, send(self->p.tx, (void *)8, 10, 0));
	EXPECT_EQ(EFAULT, errno);
}

TEST_F(plain, full_buffer_is_eagain)
{
	char buf[8192] = {};

	while (send(self->p.tx, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
	EXPECT_EQ(EAGAIN, errno);
}

TEST_F(plain, full_buffer_with_o_nonblock)
{
	char buf[8192] = {};

	ASSERT_EQ(0, fcntl(self->p.tx, F_SETFL, O_NONBLOCK));
	while (write(self->p.tx, buf, sizeof(buf)) > 0)
		;
	EXPECT_EQ(EAGAIN, errno);
}

/* Not writable when full; writable, with an edge, when read by the peer. */
TEST_F(plain, poll_out)
{
	struct pollfd pfd = { .fd = self->p.tx, .events = POLLOUT };
	char buf[8192] = {};

	ASSERT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_EQ(POLLOUT, pfd.revents);
	do {
		while (send(self->p.tx, buf, sizeof(buf), MSG_DONTWAIT) > 0)
			;
	} while (poll(&pfd, 1, 100));
	while (recv(self->p.rx, buf, sizeof(buf), MSG_DONTWAIT) > 0 ||
	       !poll(&pfd, 1, 1))
		;
	EXPECT_EQ(POLLOUT, pfd.revents);
}

TEST_F(plain, outq)
{
	int outq = -1;

	ASSERT_EQ(0, ioctl(self->p.tx, SIOCOUTQ, &outq));
	EXPECT_EQ(0, outq);
	ASSERT_EQ(3, send(self->p.tx, "abc", 3, 0));
	EXPECT_TRUE(wait_queue_empty(self->p.tx));
	ASSERT_EQ(0, ioctl(self->p.tx, SIOCOUTQNSD, &outq));
	EXPECT_EQ(0, outq);
	EXPECT_EQ(-1, ioctl(self->p.tx, 0x1234, &outq));
	EXPECT_EQ(ENOTTY, errno);
}

TEST_F(plain, unknown_level)
{
	int value = 0;
	socklen_t len = sizeof(value);

	EXPECT_EQ(-1, setsockopt(self->p.tx, 9999, 1, &value, sizeof(value)));
	EXPECT_EQ(ENOPROTOOPT, errno);
	EXPECT_EQ(-1, getsockopt(self->p.tx, 9999, 1, &value, &len));
	EXPECT_EQ(variant->family == AF_INET ? EOPNOTSUPP : ENOPROTOOPT, errno);
}

TEST_F(plain, bad_socket_cmsg)
{
	int value = 0;

	EXPECT_EQ(-1, send_cmsg(self->p.tx, "x", 1, SOL_SOCKET, 12345, &value,
				sizeof(value), 0));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(plain, foreign_cmsg)
{
	int value = 0;

	EXPECT_EQ(1, send_cmsg(self->p.tx, "x", 1, IPPROTO_IPV6, 12345, &value,
			       sizeof(value), 0));
	expect_bytes(_metadata, self->p.rx, "x");
}

TEST_F(plain, fastopen_when_connected)
{
	EXPECT_EQ(-1, send(self->p.tx, "x", 1, MSG_FASTOPEN));
	EXPECT_EQ(EISCONN, errno);
}

TEST_F(plain, epipe_after_shutdown)
{
	ASSERT_EQ(0, shutdown(self->p.tx, SHUT_WR));
	EXPECT_EQ(-1, send(self->p.tx, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_EQ(-1, send(self->p.tx, "", 0, MSG_NOSIGNAL));
	EXPECT_EQ(EPIPE, errno);
}

static atomic_int sigpipes;

static void count_sigpipe(int sig)
{
	sigpipes++;
}

TEST_F(plain, sigpipe)
{
	signal(SIGPIPE, count_sigpipe);
	ASSERT_EQ(0, shutdown(self->p.tx, SHUT_WR));
	EXPECT_EQ(-1, send(self->p.tx, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(0, sigpipes);
	EXPECT_EQ(-1, write(self->p.tx, "x", 1));
	EXPECT_EQ(1, sigpipes);
}

TEST_F(plain, reset_is_econnreset_once)
{
	struct linger linger = { .l_onoff = 1 };
	struct pollfd pfd = { .fd = self->p.tx };

	ASSERT_EQ(0, setsockopt(self->p.rx, SOL_SOCKET, SO_LINGER, &linger,
				sizeof(linger)));
	ASSERT_EQ(0, close(self->p.rx));
	self->p.rx = -1;
	ASSERT_EQ(1, poll(&pfd, 1, 10000));
	EXPECT_EQ(-1, send(self->p.tx, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(ECONNRESET, errno);
	EXPECT_EQ(-1, send(self->p.tx, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(EPIPE, errno);
}

TEST_F(plain, disconnected)
{
	struct sockaddr unspec = { .sa_family = AF_UNSPEC };

	ASSERT_EQ(0, connect(self->p.tx, &unspec, sizeof(unspec)));
	EXPECT_EQ(-1, send(self->p.tx, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(ECONNRESET, errno);
	EXPECT_EQ(-1, send(self->p.tx, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(EPIPE, errno);
}

TEST_F(plain, send_timeout)
{
	struct timeval tv = { .tv_usec = 20000 };
	char buf[8192] = {};

	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_SOCKET, SO_SNDTIMEO, &tv,
				sizeof(tv)));
	while (send(self->p.tx, buf, sizeof(buf), 0) > 0)
		;
	EXPECT_EQ(EAGAIN, errno);
}

/* Corked: what is less than a segment waits until the cork goes. */
TEST_F(plain, cork)
{
	int one = 1, zero = 0;
	char c;

	ASSERT_EQ(0, setsockopt(self->p.tx, IPPROTO_TCP, TCP_CORK, &one, sizeof(one)));
	ASSERT_EQ(1, send(self->p.tx, "a", 1, 0));
	ASSERT_EQ(1, send(self->p.tx, "b", 1, 0));
	EXPECT_EQ(-1, recv(self->p.rx, &c, 1, MSG_DONTWAIT));
	ASSERT_EQ(0, setsockopt(self->p.tx, IPPROTO_TCP, TCP_CORK, &zero,
				sizeof(zero)));
	expect_bytes(_metadata, self->p.rx, "ab");
}

TEST_F(plain, close_delivers)
{
	ASSERT_EQ(3, send(self->p.tx, "end", 3, 0));
	ASSERT_EQ(0, close(self->p.tx));
	self->p.tx = -1;
	expect_bytes(_metadata, self->p.rx, "end");
	EXPECT_EQ(0, recv(self->p.rx, (char[1]) {}, 1, 0));
}

TEST_HARNESS_MAIN
