// SPDX-License-Identifier: GPL-2.0
/* MSG_MORE, MSG_EOR, TCP_CORK, TCP_NODELAY: how many segments reach the peer, and when. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#include "surface_fixture.h"

/* When TCP sends what MSG_MORE or TCP_CORK holds, ms. */
#define CEILING_MIN	190
#define CEILING_MAX	300

/* Segments with data that @fd has sent. */
static int segments(int fd)
{
	struct tcp_info info = {};
	socklen_t len = sizeof(info);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) ? -1 :
		(int)info.tcpi_data_segs_out;
}

static int segment_size(int fd)
{
	return get_int(fd, IPPROTO_TCP, TCP_MAXSEG);
}

TEST_F(surface, nodelay_sends_each_write)
{
	int i;

	ASSERT_EQ(0, set_int(self->p.tx, IPPROTO_TCP, TCP_NODELAY, 1));
	for (i = 0; i < 10; i++)
		ASSERT_EQ(4, send(self->p.tx, "data", 4, 0));
	EXPECT_EQ(10, segments(self->p.tx));
	EXPECT_BYTES(self->p.rx, "datadatadatadatadatadatadatadatadatadata");
}

/* A small segment waits while another is in flight. */
TEST_F(surface, nagle)
{
	ASSERT_EQ(0, loopback_netem("delay 10ms"));
	ASSERT_EQ(1, send(self->p.tx, "a", 1, 0));
	ASSERT_EQ(1, send(self->p.tx, "b", 1, 0));
	ASSERT_EQ(1, send(self->p.tx, "c", 1, 0));
	EXPECT_EQ(1, segments(self->p.tx));
	EXPECT_BYTES(self->p.rx, "abc");
	EXPECT_EQ(2, segments(self->p.tx));
}

TEST_F(surface, nodelay_ends_nagles_wait)
{
	ASSERT_EQ(0, loopback_netem("delay 10ms"));
	ASSERT_EQ(1, send(self->p.tx, "a", 1, 0));
	ASSERT_EQ(1, send(self->p.tx, "b", 1, 0));
	ASSERT_EQ(1, segments(self->p.tx));
	ASSERT_EQ(0, set_int(self->p.tx, IPPROTO_TCP, TCP_NODELAY, 1));
	EXPECT_EQ(2, segments(self->p.tx));
	EXPECT_BYTES(self->p.rx, "ab");
}

TEST_F(surface, cork_joins_writes)
{
	int i;

	ASSERT_EQ(0, set_int(self->p.tx, IPPROTO_TCP, TCP_CORK, 1));
	for (i = 0; i < 10; i++)
		ASSERT_EQ(4, send(self->p.tx, "data", 4, 0));
	EXPECT_EQ(0, segments(self->p.tx));
	ASSERT_EQ(0, set_int(self->p.tx, IPPROTO_TCP, TCP_CORK, 0));
	EXPECT_EQ(1, segments(self->p.tx));
	EXPECT_BYTES(self->p.rx, "datadatadatadatadatadatadatadatadatadata");
}

/* Whole segments go, the rest waits. */
TEST_F(surface, cork_sends_whole_segments)
{
	int mss = segment_size(self->p.tx);
	char *buf = calloc(2, mss);

	ASSERT_EQ(0, set_int(self->p.tx, IPPROTO_TCP, TCP_CORK, 1));
	ASSERT_EQ(mss + 10, send(self->p.tx, buf, mss + 10, 0));
	ASSERT_EQ(mss, recv(self->p.rx, buf, mss, MSG_WAITALL));
	EXPECT_ERRNO(EAGAIN, recv(self->p.rx, buf, 10, MSG_DONTWAIT));
	ASSERT_EQ(0, set_int(self->p.tx, IPPROTO_TCP, TCP_CORK, 0));
	EXPECT_EQ(10, recv(self->p.rx, buf, 10, MSG_WAITALL));
	free(buf);
}

TEST_F(surface, cork_with_nodelay)
{
	ASSERT_EQ(0, set_int(self->p.tx, IPPROTO_TCP, TCP_NODELAY, 1));
	ASSERT_EQ(0, set_int(self->p.tx, IPPROTO_TCP, TCP_CORK, 1));
	ASSERT_EQ(2, send(self->p.tx, "ab", 2, 0));
	EXPECT_EQ(0, segments(self->p.tx));
	EXPECT_EQ(2, send(self->p.tx, "cd", 2, 0));
	EXPECT_EQ(0, segments(self->p.tx));
	/* Setting it again sends what is there, corked or not. */
	ASSERT_EQ(0, set_int(self->p.tx, IPPROTO_TCP, TCP_NODELAY, 1));
	EXPECT_EQ(1, segments(self->p.tx));
	EXPECT_BYTES(self->p.rx, "abcd");
}

/* Nobody takes the cork away: TCP's timer does. */
TEST_F(surface, cork_ceiling)
{
	uint64_t start = now_ms();

	ASSERT_EQ(0, set_int(self->p.tx, IPPROTO_TCP, TCP_CORK, 1));
	ASSERT_EQ(1, send(self->p.tx, "a", 1, 0));
	EXPECT_BYTES(self->p.rx, "a");
	EXPECT_LE(CEILING_MIN, now_ms() - start);
	EXPECT_GE(CEILING_MAX, now_ms() - start);
}

TEST_F(surface, shutdown_ends_cork)
{
	uint64_t start = now_ms();

	ASSERT_EQ(0, set_int(self->p.tx, IPPROTO_TCP, TCP_CORK, 1));
	ASSERT_EQ(1, send(self->p.tx, "a", 1, 0));
	ASSERT_EQ(0, shutdown(self->p.tx, SHUT_WR));
	EXPECT_BYTES(self->p.rx, "a");
	EXPECT_GT(CEILING_MIN, now_ms() - start);
}

TEST_F(surface, more_joins_calls)
{
	int i;

	for (i = 0; i < 9; i++)
		ASSERT_EQ(4, send(self->p.tx, "data", 4, MSG_MORE));
	EXPECT_EQ(0, segments(self->p.tx));
	ASSERT_EQ(4, send(self->p.tx, "last", 4, 0));
	EXPECT_EQ(1, segments(self->p.tx));
	EXPECT_BYTES(self->p.rx, "datadatadatadatadatadatadatadatadatalast");
}

/* It holds the tail back until an ACK comes, not longer. */
TEST_F(surface, more_holds_until_an_ack)
{
	int mss = segment_size(self->p.tx);
	char *buf = calloc(2, mss);
	uint64_t start = now_ms();

	ASSERT_EQ(mss + 10, send(self->p.tx, buf, mss + 10, MSG_MORE));
	EXPECT_EQ(mss + 10, recv(self->p.rx, buf, mss + 10, MSG_WAITALL));
	EXPECT_GT(CEILING_MIN, now_ms() - start);
	EXPECT_EQ(2, segments(self->p.tx));
	free(buf);
}

/* The continuation does not come. */
TEST_F(surface, more_ceiling)
{
	uint64_t start = now_ms();

	ASSERT_EQ(1, send(self->p.tx, "a", 1, MSG_MORE));
	EXPECT_BYTES(self->p.rx, "a");
	EXPECT_LE(CEILING_MIN, now_ms() - start);
	EXPECT_GE(CEILING_MAX, now_ms() - start);
}

TEST_F(surface, more_with_nodelay)
{
	ASSERT_EQ(0, set_int(self->p.tx, IPPROTO_TCP, TCP_NODELAY, 1));
	ASSERT_EQ(1, send(self->p.tx, "a", 1, MSG_MORE));
	EXPECT_EQ(0, segments(self->p.tx));
	ASSERT_EQ(1, send(self->p.tx, "b", 1, 0));
	EXPECT_EQ(1, segments(self->p.tx));
	EXPECT_BYTES(self->p.rx, "ab");
}

TEST_F(surface, setting_nodelay_sends_more)
{
	ASSERT_EQ(1, send(self->p.tx, "a", 1, MSG_MORE));
	ASSERT_EQ(0, segments(self->p.tx));
	ASSERT_EQ(0, set_int(self->p.tx, IPPROTO_TCP, TCP_NODELAY, 1));
	EXPECT_EQ(1, segments(self->p.tx));
	EXPECT_BYTES(self->p.rx, "a");
}

TEST_F(surface, uncorking_sends_more)
{
	ASSERT_EQ(1, send(self->p.tx, "a", 1, MSG_MORE));
	ASSERT_EQ(0, segments(self->p.tx));
	ASSERT_EQ(0, set_int(self->p.tx, IPPROTO_TCP, TCP_CORK, 0));
	EXPECT_EQ(1, segments(self->p.tx));
	EXPECT_BYTES(self->p.rx, "a");
}

TEST_F(surface, more_then_shutdown)
{
	ASSERT_EQ(2, send(self->p.tx, "ab", 2, MSG_MORE));
	ASSERT_EQ(0, shutdown(self->p.tx, SHUT_WR));
	EXPECT_BYTES(self->p.rx, "ab");
	EXPECT_EQ(0, recv(self->p.rx, (char[1]) {}, 1, 0));
}

TEST_F(surface, more_then_close)
{
	ASSERT_EQ(2, send(self->p.tx, "ab", 2, MSG_MORE));
	ASSERT_EQ(0, close(self->p.tx));
	self->p.tx = -1;
	EXPECT_BYTES(self->p.rx, "ab");
	EXPECT_EQ(0, recv(self->p.rx, (char[1]) {}, 1, 0));
}

/* The end of a record ends a segment, too, even one that is corked. */
TEST_F(surface, eor_ends_a_segment)
{
	ASSERT_EQ(0, set_int(self->p.tx, IPPROTO_TCP, TCP_CORK, 1));
	ASSERT_EQ(2, send(self->p.tx, "ab", 2, MSG_EOR));
	ASSERT_EQ(2, send(self->p.tx, "cd", 2, MSG_EOR));
	ASSERT_EQ(2, send(self->p.tx, "ef", 2, 0));
	ASSERT_EQ(0, set_int(self->p.tx, IPPROTO_TCP, TCP_CORK, 0));
	EXPECT_BYTES(self->p.rx, "abcdef");
	EXPECT_EQ(3, segments(self->p.tx));
}

TEST_F(surface, more_with_eor)
{
	ASSERT_EQ(2, send(self->p.tx, "ab", 2, MSG_MORE | MSG_EOR));
	EXPECT_EQ(2, send(self->p.tx, "cd", 2, 0));
	EXPECT_BYTES(self->p.rx, "abcd");
	EXPECT_EQ(2, segments(self->p.tx));
}

TEST_F(surface, writev_is_one_segment)
{
	struct iovec iov[] = { { "ab", 2 }, { "", 0 }, { "cde", 3 } };

	ASSERT_EQ(5, writev(self->p.tx, iov, 3));
	EXPECT_EQ(1, segments(self->p.tx));
	EXPECT_BYTES(self->p.rx, "abcde");
}

/* Each of its messages goes at once, but for MSG_MORE. */
TEST_F(surface, sendmmsg_segments)
{
	struct iovec iov[] = { { "one", 3 }, { "two", 3 }, { "three", 5 } };
	struct mmsghdr msgs[] = {
		{ .msg_hdr = { .msg_iov = &iov[0], .msg_iovlen = 1 } },
		{ .msg_hdr = { .msg_iov = &iov[1], .msg_iovlen = 1 } },
		{ .msg_hdr = { .msg_iov = &iov[2], .msg_iovlen = 1 } },
	};

	ASSERT_EQ(0, set_int(self->p.tx, IPPROTO_TCP, TCP_NODELAY, 1));
	ASSERT_EQ(3, sendmmsg(self->p.tx, msgs, 3, 0));
	EXPECT_EQ(3, segments(self->p.tx));
	EXPECT_BYTES(self->p.rx, "onetwothree");
	EXPECT_EQ(3, msgs[0].msg_len);
	EXPECT_EQ(5, msgs[2].msg_len);
}

static int file_with(const void *bytes, size_t len)
{
	char name[] = "/tmp/cats-surface-XXXXXX";
	int fd = mkstemp(name);

	unlink(name);
	if (write(fd, bytes, len) != (ssize_t)len) {
		close(fd);
		return -1;
	}
	return fd;
}

TEST_F(surface, sendfile_bytes)
{
	char out[50000], in[50000];
	int fd, i;
	off_t offset = 0;

	for (i = 0; i < (int)sizeof(out); i++)
		out[i] = i * 7 + (i >> 9);
	fd = file_with(out, sizeof(out));
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, set_int(self->p.rx, SOL_SOCKET, SO_RCVBUF, 200000));
	ASSERT_EQ((ssize_t)sizeof(out), sendfile(self->p.tx, fd, &offset, sizeof(out)));
	EXPECT_EQ(sizeof(out), offset);
	ASSERT_EQ((ssize_t)sizeof(in), recv(self->p.rx, in, sizeof(in), MSG_WAITALL));
	EXPECT_EQ(0, memcmp(in, out, sizeof(in)));
	close(fd);
}

TEST_F(surface, sendfile_header_by_more)
{
	int fd = file_with("body", 4);

	ASSERT_EQ(4, send(self->p.tx, "head", 4, MSG_MORE));
	ASSERT_EQ(0, lseek(fd, 0, SEEK_SET));
	ASSERT_EQ(4, sendfile(self->p.tx, fd, NULL, 4));
	EXPECT_EQ(1, segments(self->p.tx));
	EXPECT_BYTES(self->p.rx, "headbody");
	close(fd);
}

/* More was asked for than the file has: the kernel leaves MSG_MORE set. */
TEST_F(surface, sendfile_beyond_the_end)
{
	int fd = file_with("body", 4);
	off_t offset = 0;
	uint64_t start = now_ms();

	ASSERT_EQ(4, sendfile(self->p.tx, fd, &offset, 1000));
	EXPECT_BYTES(self->p.rx, "body");
	EXPECT_GE(CEILING_MAX, now_ms() - start);
	close(fd);
}

TEST_F(surface, sendfile_full_buffer)
{
	char *out = calloc(1, 1 << 20);
	int fd = file_with(out, 1 << 20);
	off_t offset = 0;
	ssize_t sum = 0, n;

	ASSERT_EQ(0, set_int(self->p.tx, SOL_SOCKET, SO_SNDBUF, 65536));
	ASSERT_EQ(0, fcntl(self->p.tx, F_SETFL, O_NONBLOCK));
	while ((n = sendfile(self->p.tx, fd, &offset, (1 << 20) - offset)) > 0)
		sum += n;
	EXPECT_EQ(-1, n);
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(sum, offset);
	EXPECT_LT(65536, sum);
	ASSERT_EQ(0, shutdown(self->p.tx, SHUT_WR));
	while ((n = recv(self->p.rx, out, 65536, 0)) > 0)
		sum -= n;
	EXPECT_EQ(0, n);
	EXPECT_EQ(0, sum);
	close(fd);
	free(out);
}

TEST_F(surface, splice_more)
{
	int fds[2];

	ASSERT_EQ(0, pipe(fds));
	ASSERT_EQ(2, write(fds[1], "ab", 2));
	ASSERT_EQ(2, splice(fds[0], NULL, self->p.tx, NULL, 2, SPLICE_F_MORE));
	EXPECT_EQ(0, segments(self->p.tx));
	ASSERT_EQ(2, write(fds[1], "cd", 2));
	ASSERT_EQ(2, splice(fds[0], NULL, self->p.tx, NULL, 2, 0));
	EXPECT_EQ(1, segments(self->p.tx));
	EXPECT_BYTES(self->p.rx, "abcd");
	close(fds[0]);
	close(fds[1]);
}

/* User pages by way of a pipe. */
TEST_F(surface, vmsplice)
{
	static char page[4096] __attribute__((aligned(4096))) = "gift";
	struct iovec iov = { page, 4 };
	int fds[2];

	ASSERT_EQ(0, pipe(fds));
	ASSERT_EQ(4, vmsplice(fds[1], &iov, 1, 0));
	ASSERT_EQ(4, splice(fds[0], NULL, self->p.tx, NULL, 4, 0));
	EXPECT_BYTES(self->p.rx, "gift");
	close(fds[0]);
	close(fds[1]);
}

TEST_HARNESS_MAIN
