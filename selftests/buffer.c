// SPDX-License-Identifier: GPL-2.0
/* A full send buffer: EAGAIN, EMSGSIZE, blocking, poll, and room for the urgent. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/sock_diag.h>
#include <linux/sockios.h>

#include "cats_test.h"
#include "kselftest_harness.h"

#define MSG_LEN		1000
/* As SO_SNDBUF; the kernel doubles it. */
#define SNDBUF		65536

FIXTURE(buffer)
{
	struct pair p;
};

FIXTURE_SETUP(buffer)
{
	int size = SNDBUF;

	ASSERT_EQ(0, pair_open(&self->p, AF_INET));
	ASSERT_EQ(0, attach(self->p.tx));
	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_SOCKET, SO_SNDBUF, &size,
				sizeof(size)));
}

FIXTURE_TEARDOWN(buffer)
{
	pair_close(&self->p);
}

static short writable(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };

	return poll(&pfd, 1, 0) == 1 ? pfd.revents : 0;
}

/* Reads @n messages; returns how many had @urgency. */
static int drain(struct __test_metadata *_metadata, int fd, int n, int urgency)
{
	struct frame frame;
	int found = 0;

	while (n--) {
		ASSERT_EQ(1, read_frame(fd, &frame));
		found += (int)frame.urgency == urgency;
	}
	return found;
}

TEST_F(buffer, tagged_whole_or_eagain)
{
	int n = fill(self->p.tx, 7, 0, MSG_LEN);

	/* fill() fails if a message was accepted in part. */
	ASSERT_GT(n, 20);
	EXPECT_EQ(n, drain(_metadata, self->p.rx, n, 7));
	ASSERT_TRUE(wait_queue_empty(self->p.tx));
	EXPECT_EQ(MSG_LEN, send_frame(self->p.tx, 7, 0, MSG_LEN, MSG_DONTWAIT));
}

TEST_F(buffer, untagged_accepts_a_part)
{
	size_t len = 4 * SNDBUF;
	char *buf = calloc(1, len);
	struct cats_class_info *class;
	struct cats_info info;
	ssize_t n, sum = 0;
	int calls;

	for (calls = 0; (n = send(self->p.tx, buf, len, MSG_DONTWAIT)) > 0; calls++) {
		EXPECT_LT(n, (ssize_t)len);
		sum += n;
	}
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_GT(sum, SNDBUF);
	/* What one call accepted is one message. */
	ASSERT_EQ(0, get_info(self->p.tx, &info));
	class = &info.classes[CATS_URGENCY_DEFAULT];
	EXPECT_EQ(calls, class->queued_msgs + class->sent_msgs);
	EXPECT_EQ(sum, (ssize_t)(class->queued_bytes + class->sent_bytes));
	free(buf);
}

TEST_F(buffer, urgent_fits_when_bulk_has_filled_it)
{
	int u;

	ASSERT_GT(fill(self->p.tx, 7, 0, MSG_LEN), 0);
	/* Untagged until nothing more is taken, even in part. */
	while (send_frame(self->p.tx, UNTAGGED, 1, MSG_LEN, MSG_DONTWAIT) > 0)
		;
	for (u = 2; u >= 0; u--) {
		EXPECT_EQ(MSG_LEN, send_frame(self->p.tx, u, u, MSG_LEN,
					      MSG_DONTWAIT));
		EXPECT_GT(fill(self->p.tx, u, 100, MSG_LEN), 0);
	}
}

/* At its limit no urgency can take more, and the total is bounded. */
TEST_F(buffer, limits_are_bounded)
{
	int sndbuf, mem[SK_MEMINFO_VARS], u;
	socklen_t len = sizeof(sndbuf);
	struct cats_info info;

	for (u = 7; u >= 0; u--)
		ASSERT_GE(fill(self->p.tx, u, 0, MSG_LEN), 1);
	ASSERT_EQ(0, getsockopt(self->p.tx, SOL_SOCKET, SO_SNDBUF, &sndbuf, &len));
	ASSERT_EQ(0, get_info(self->p.tx, &info));
	len = sizeof(mem);
	ASSERT_EQ(0, getsockopt(self->p.tx, SOL_SOCKET, SO_MEMINFO, mem, &len));
	EXPECT_EQ(2 * SNDBUF, sndbuf);
	EXPECT_LE(info.mem_queued + mem[SK_MEMINFO_WMEM_QUEUED],
		  sndbuf + 3 * sndbuf / 16);
}

/* The share of the urgent comes on top of a limit that is as large as an int. */
TEST_F(buffer, largest_buffer_admits_all)
{
	int size = INT_MAX, urgency;
	struct cats_info info;
	uint32_t tag;

	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_SOCKET, SO_SNDBUFFORCE, &size,
				sizeof(size)));
	for (urgency = 0; urgency <= CATS_URGENCY_MAX; urgency++) {
		tag = urgency;
		ASSERT_EQ(0, setsockopt(self->p.tx, SOL_CATS, CATS_TAG, &tag,
					sizeof(tag)));
		ASSERT_EQ(0, get_info(self->p.tx, &info));
		EXPECT_GE(INT_MAX, info.mem_limit);
		EXPECT_EQ(MSG_LEN, send_frame(self->p.tx, urgency, urgency,
					      MSG_LEN, MSG_DONTWAIT));
		EXPECT_EQ(MSG_LEN, send_frame(self->p.tx, UNTAGGED, urgency,
					      MSG_LEN, MSG_DONTWAIT));
	}
}

TEST_F(buffer, emsgsize)
{
	size_t len = 2 * SNDBUF + 1;
	char *buf = calloc(1, len);
	struct cats_info info;

	EXPECT_EQ(-1, send_tagged(self->p.tx, 7, buf, len, 0));
	EXPECT_EQ(EMSGSIZE, errno);
	ASSERT_EQ(0, get_info(self->p.tx, &info));
	EXPECT_STREQ("message: larger than the send buffer can ever hold",
		     info.reason);
	EXPECT_EQ(0, info.mem_queued);
	free(buf);
}

/* SO_SNDBUF not set: the buffer grows as autotuning might, once. */
TEST(autotuned_buffer_grows_for_a_large_message)
{
	size_t len = 500000;
	struct frame frame;
	struct pair p;

	ASSERT_EQ(0, pair_open(&p, AF_INET));
	ASSERT_EQ(0, attach(p.tx));
	ASSERT_EQ((ssize_t)len, send_frame(p.tx, 7, 1, len, MSG_DONTWAIT));
	ASSERT_EQ(1, read_frame(p.rx, &frame));
	EXPECT_EQ(len, frame.len);
	pair_close(&p);
}

TEST_F(buffer, poll_follows_the_default_class)
{
	int n;

	EXPECT_EQ(POLLOUT, writable(self->p.tx));
	n = fill(self->p.tx, CATS_URGENCY_DEFAULT, 0, MSG_LEN);
	ASSERT_GT(n, 0);
	EXPECT_EQ(0, writable(self->p.tx));
	drain(_metadata, self->p.rx, n, 3);
	ASSERT_TRUE(wait_queue_empty(self->p.tx));
	EXPECT_EQ(POLLOUT, writable(self->p.tx));
}

TEST_F(buffer, notsent_lowat_counts_queued)
{
	int lowat = 8192, n;

	ASSERT_EQ(0, setsockopt(self->p.tx, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &lowat,
				sizeof(lowat)));
	n = fill(self->p.tx, UNTAGGED, 0, MSG_LEN);
	ASSERT_GT(n, 0);
	EXPECT_LT(n, 20);
	EXPECT_EQ(0, writable(self->p.tx));
	/* It does not hold back what is urgent. */
	EXPECT_EQ(100, send_frame(self->p.tx, 1, 99, 100, MSG_DONTWAIT));
}

/* One call must not take more than a plain socket would. */
TEST_F(buffer, notsent_lowat_holds_within_a_call)
{
	int lowat = 16384;
	size_t len = 1 << 20;
	char *buf = calloc(1, len);
	ssize_t n;

	ASSERT_EQ(0, setsockopt(self->p.tx, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &lowat,
				sizeof(lowat)));
	n = send(self->p.tx, buf, len, MSG_DONTWAIT);
	EXPECT_GT(n, 0);
	/* TCP overshoots by an skb, this by a piece of 16 KiB; and what is sent. */
	EXPECT_LT(n, 3 * lowat);
	free(buf);
}

/* The buffer shrinks under a sleeping writer: it can never fit any more. */
TEST_F(buffer, shrunk_buffer_ends_a_blocked_write)
{
	int n = fill(self->p.tx, 7, 0, MSG_LEN), size = 8192;
	struct blocked_write w;

	ASSERT_GT(n, 0);
	ASSERT_EQ(0, start_blocked(&w, self->p.tx, 7, 60000));
	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_SOCKET, SO_SNDBUF, &size,
				sizeof(size)));
	drain(_metadata, self->p.rx, n, 7);
	pthread_join(w.thread, NULL);
	EXPECT_EQ(-1, w.ret);
	EXPECT_EQ(EMSGSIZE, w.err);
}

static void nothing(int sig)
{
}

/* The limit is one for all namespaces, and only the first one shows it. */
static void set_tcp_mem(struct __test_metadata *_metadata, const char *pages)
{
	int own = open("/proc/self/ns/net", O_RDONLY);
	int first = open("/proc/1/ns/net", O_RDONLY);
	int fd;

	ASSERT_EQ(0, setns(first, CLONE_NEWNET));
	fd = open("/proc/sys/net/ipv4/tcp_mem", O_WRONLY);
	ASSERT_EQ(0, setns(own, CLONE_NEWNET));
	ASSERT_EQ((ssize_t)strlen(pages), write(fd, pages, strlen(pages)));
	close(fd);
	close(first);
	close(own);
}

/* Plain data that nobody reads, so that all of TCP is over any small limit. */
static void open_ballast(struct __test_metadata *_metadata, struct pair *p)
{
	int size = 4 << 20;
	char buf[65536] = {};

	ASSERT_EQ(0, pair_open(p, AF_INET));
	ASSERT_EQ(0, setsockopt(p->tx, SOL_SOCKET, SO_SNDBUFFORCE, &size,
				sizeof(size)));
	while (send(p->tx, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
}

/* Over tcp_mem TCP lets each socket have an skb: what is queued must drain. */
TEST_F(buffer, drains_over_tcp_mem)
{
	int n = fill(self->p.tx, 7, 0, MSG_LEN);
	struct pair ballast;

	ASSERT_GT(n, 0);
	open_ballast(_metadata, &ballast);
	set_tcp_mem(_metadata, "1 1 1");
	EXPECT_EQ(n, drain(_metadata, self->p.rx, n, 7));
	set_tcp_mem(_metadata, "5000 6000 12000");
	pair_close(&ballast);
}

/* ... and tcp_wmem[0] to write into. */
TEST_F(buffer, writes_over_tcp_mem)
{
	struct timeval tv = { .tv_sec = 5 };
	struct pair ballast;
	struct frame frame;
	int i;

	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_SOCKET, SO_SNDTIMEO, &tv,
				sizeof(tv)));
	open_ballast(_metadata, &ballast);
	set_tcp_mem(_metadata, "1 1 1");
	for (i = 0; i < 20; i++) {
		EXPECT_EQ(MSG_LEN, send_frame(self->p.tx, 3, i, MSG_LEN, 0));
		EXPECT_EQ(1, read_frame(self->p.rx, &frame));
	}
	set_tcp_mem(_metadata, "5000 6000 12000");
	pair_close(&ballast);
}

/* There is room in the socket, but no memory: until the time is up, or a signal. */
TEST_F(buffer, waits_for_memory)
{
	struct timeval some = { .tv_usec = 50000 }, forever = {};
	struct sigaction action = { .sa_handler = nothing };
	int fd = self->p.tx, n = fill(fd, 7, 0, MSG_LEN);
	struct blocked_write w;
	struct cats_info info;
	struct pair ballast;

	ASSERT_GT(n, 0);
	sigaction(SIGUSR1, &action, NULL);
	open_ballast(_metadata, &ballast);
	set_tcp_mem(_metadata, "1 1 1");
	EXPECT_EQ(-1, send_frame(fd, 0, 0, 20000, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &some, sizeof(some));
	EXPECT_EQ(-1, send_frame(fd, 0, 0, 20000, 0));
	EXPECT_EQ(EAGAIN, errno);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &forever, sizeof(forever));
	EXPECT_EQ(0, start_blocked(&w, fd, 0, 20000));
	pthread_kill(w.thread, SIGUSR1);
	pthread_join(w.thread, NULL);
	EXPECT_EQ(-1, w.ret);
	EXPECT_EQ(EINTR, w.err);
	set_tcp_mem(_metadata, "5000 6000 12000");
	EXPECT_EQ(20000, send_frame(fd, 0, 0, 20000, MSG_DONTWAIT));
	ASSERT_EQ(0, get_info(fd, &info));
	EXPECT_EQ(1, info.classes[0].queued_msgs);
	pair_close(&ballast);
}

TEST_F(buffer, outq_counts_queued)
{
	int outq, nsd, n = fill(self->p.tx, 7, 0, MSG_LEN);
	struct cats_info info;

	ASSERT_EQ(0, get_info(self->p.tx, &info));
	ASSERT_EQ(0, ioctl(self->p.tx, SIOCOUTQ, &outq));
	ASSERT_EQ(0, ioctl(self->p.tx, SIOCOUTQNSD, &nsd));
	EXPECT_EQ(queued_bytes(&info) + info.committed, nsd);
	EXPECT_GE(outq, nsd);
	EXPECT_LE(outq, n * MSG_LEN);
}

TEST_F(buffer, blocking_tagged_waits_for_room)
{
	int n = fill(self->p.tx, 7, 0, MSG_LEN);
	struct blocked_write w;
	struct frame frame;

	ASSERT_GT(n, 0);
	ASSERT_EQ(0, start_blocked(&w, self->p.tx, 7, 20000));
	drain(_metadata, self->p.rx, n, 7);
	ASSERT_EQ(1, read_frame(self->p.rx, &frame));
	EXPECT_EQ(BLOCKED_ID, frame.id);
	pthread_join(w.thread, NULL);
	EXPECT_EQ(20000, w.ret);
}

/* Larger than the buffer: accepted part by part, one message all the same. */
TEST_F(buffer, blocking_untagged_is_one_message)
{
	struct blocked_write w;
	struct frame frame;

	ASSERT_EQ(0, start_blocked(&w, self->p.tx, UNTAGGED, 6 * SNDBUF));
	/* It has begun, so this has to wait for all of it. */
	ASSERT_EQ(100, send_frame(self->p.tx, 0, 1, 100, 0));
	ASSERT_EQ(1, read_frame(self->p.rx, &frame));
	EXPECT_EQ(BLOCKED_ID, frame.id);
	ASSERT_EQ(1, read_frame(self->p.rx, &frame));
	EXPECT_EQ(1, frame.id);
	pthread_join(w.thread, NULL);
	EXPECT_EQ(6 * SNDBUF, w.ret);
}

/* The buffer is full of what waits for the open message: it must go on. */
TEST_F(buffer, open_message_cannot_be_shut_out)
{
	struct blocked_write w;
	struct frame frame;
	int urgent, i;

	ASSERT_EQ(0, start_blocked(&w, self->p.tx, UNTAGGED, 6 * SNDBUF));
	urgent = fill(self->p.tx, 0, 0, MSG_LEN);
	ASSERT_GT(urgent, 0);
	ASSERT_EQ(1, read_frame(self->p.rx, &frame));
	EXPECT_EQ(BLOCKED_ID, frame.id);
	for (i = 0; i < urgent; i++) {
		ASSERT_EQ(1, read_frame(self->p.rx, &frame));
		EXPECT_EQ(i, frame.id);
	}
	pthread_join(w.thread, NULL);
}

TEST_F(buffer, signal_ends_a_blocked_write)
{
	struct sigaction action = { .sa_handler = nothing };
	int n = fill(self->p.tx, 7, 0, MSG_LEN);
	struct blocked_write w;
	struct cats_info info;

	ASSERT_GT(n, 0);
	sigaction(SIGUSR1, &action, NULL);
	ASSERT_EQ(0, start_blocked(&w, self->p.tx, 7, 20000));
	pthread_kill(w.thread, SIGUSR1);
	pthread_join(w.thread, NULL);
	EXPECT_EQ(-1, w.ret);
	EXPECT_EQ(EINTR, w.err);
	ASSERT_EQ(0, get_info(self->p.tx, &info));
	EXPECT_EQ(n, info.classes[7].queued_msgs + info.classes[7].sent_msgs);
}

TEST_F(buffer, signal_keeps_the_accepted_part)
{
	struct sigaction action = { .sa_handler = nothing };
	struct blocked_write w;
	struct cats_info info;

	sigaction(SIGUSR1, &action, NULL);
	ASSERT_EQ(0, start_blocked(&w, self->p.tx, UNTAGGED, 6 * SNDBUF));
	pthread_kill(w.thread, SIGUSR1);
	pthread_join(w.thread, NULL);
	ASSERT_GT(w.ret, 0);
	ASSERT_EQ(0, get_info(self->p.tx, &info));
	EXPECT_EQ(w.ret, (ssize_t)(info.classes[3].queued_bytes +
				   info.classes[3].sent_bytes));
}

TEST_F(buffer, send_timeout)
{
	struct timeval tv = { .tv_usec = 50000 };
	int n = fill(self->p.tx, 7, 0, MSG_LEN);

	ASSERT_GT(n, 0);
	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_SOCKET, SO_SNDTIMEO, &tv,
				sizeof(tv)));
	EXPECT_EQ(-1, send_frame(self->p.tx, 7, n, MSG_LEN, 0));
	EXPECT_EQ(EAGAIN, errno);
}

TEST_HARNESS_MAIN
