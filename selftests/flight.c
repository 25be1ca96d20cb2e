// SPDX-License-Identifier: GPL-2.0
/*
 * The first flight on an idle connection: what is held for a moment, what is not,
 * that sendmmsg(2) goes as a whole, and that nothing stays behind.
 *
 * The order on the wire is the receiver's; how long something was held is what
 * CATS_INFO says of it.  Time is the machine's, which is virtual.  With sanitizers a
 * call may take longer than anything is held: then what depends on that is not
 * asserted, and the bounds are wider by what the machine's own work takes.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cats_test.h"
#include "kselftest_harness.h"
#include "surface.h"

/* RTT 160 ms: srtt/128 is more than the 1 ms that is the most. */
#define LONG_PATH	"delay 80ms"
/* RTT 64 ms: srtt/128 is 500 us, and what the machine adds. */
#define SHORT_PATH	"delay 32ms"

#define LEN		100
#define BATCH_MAX	1024

FIXTURE(flight)
{
	struct pair p;
};

static int set_first_flight(const char *us)
{
	return write_sysctl("net/cats/first_flight", us);
}

FIXTURE_SETUP(flight)
{
	ASSERT_EQ(0, set_first_flight("1000"));
	ASSERT_EQ(0, loopback_netem(LONG_PATH));
	ASSERT_EQ(0, pair_open(&self->p, AF_INET));
	ASSERT_EQ(0, attach(self->p.tx));
	ASSERT_EQ(0, set_conductor(self->p.tx, "strict"));
}

FIXTURE_TEARDOWN(flight)
{
	pair_close(&self->p);
	loopback_netem(NULL);
}

static void expect(struct __test_metadata *_metadata, int fd, int urgency, int id)
{
	struct frame frame = {};

	EXPECT_EQ(1, read_frame(fd, &frame));
	EXPECT_EQ(urgency, frame.urgency);
	EXPECT_EQ(id, frame.id);
}

static uint64_t queued_now(int fd)
{
	struct cats_info info;

	return get_info(fd, &info) ? ~0ULL : queued_bytes(&info);
}

static uint64_t longest_wait(int fd, int urgency)
{
	struct cats_info info;

	return get_info(fd, &info) ? ~0ULL : info.classes[urgency].longest_wait_us;
}

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000ull + ts.tv_nsec / 1000;
}

/* What ending a hold may take, us: an interrupt, and feeding.  As 20 plain calls. */
static uint64_t slack(int fd)
{
	uint64_t start = now_us();
	int i;

	for (i = 0; i < 20; i++)
		queued_now(fd);
	return now_us() - start + 10;
}

/* Is something that began to be held at @start still held? */
static bool in_time(uint64_t start)
{
	return now_us() - start < 950;
}

/* So many bytes are held since @start, if that can be seen in time. */
#define EXPECT_HELD(bytes, fd, start) do {					\
	uint64_t _queued = queued_now(fd);					\
	if (in_time(start))							\
		EXPECT_EQ(bytes, _queued);					\
} while (0)

/**
 * struct batch - messages for one sendmmsg()
 * @n: how many
 * @headers: of the call
 * @iov: data of each
 * @control: tag of each
 * @data: the messages
 */
struct batch {
	unsigned int	n;
	struct mmsghdr	headers[BATCH_MAX];
	struct iovec	iov[BATCH_MAX];
	char		control[BATCH_MAX][CMSG_SPACE(sizeof(uint32_t))]
				__attribute__((aligned(8)));
	char		*data[BATCH_MAX];
};

static struct batch batch;

static void add(int urgency, uint32_t id, uint32_t len)
{
	unsigned int i = batch.n++;
	struct msghdr *msg = &batch.headers[i].msg_hdr;
	struct cmsghdr *cmsg = (struct cmsghdr *)batch.control[i];
	uint32_t tag = urgency;

	batch.data[i] = malloc(len);
	frame_build(batch.data[i], len, id, urgency);
	batch.iov[i] = (struct iovec) { batch.data[i], len };
	*msg = (struct msghdr) { .msg_iov = &batch.iov[i], .msg_iovlen = 1 };
	cmsg->cmsg_level = SOL_CATS;
	cmsg->cmsg_type = CATS_TAG;
	cmsg->cmsg_len = CMSG_LEN(sizeof(tag));
	memcpy(CMSG_DATA(cmsg), &tag, sizeof(tag));
	msg->msg_control = cmsg;
	msg->msg_controllen = sizeof(batch.control[i]);
}

/* Of urgencies 7 to 0, numbered in that order. */
static void add_worst_order(void)
{
	int urgency;

	for (urgency = 7; urgency >= 0; urgency--)
		add(urgency, 7 - urgency, LEN);
}

static int send_batch(int fd, int flags)
{
	int ret = sendmmsg(fd, batch.headers, batch.n, flags | MSG_NOSIGNAL);
	int saved = errno;

	while (batch.n)
		free(batch.data[--batch.n]);
	errno = saved;
	return ret;
}

TEST_F(flight, urgent_goes_before_what_is_held)
{
	uint64_t start = now_us(), before, after;

	ASSERT_EQ(LEN, send_frame(self->p.tx, 7, 1, LEN, 0));
	ASSERT_EQ(LEN, send_frame(self->p.tx, 5, 2, LEN, 0));
	before = queued_now(self->p.tx);
	ASSERT_EQ(LEN, send_frame(self->p.tx, 1, 3, LEN, 0));
	after = queued_now(self->p.tx);
	if (!in_time(start))
		return;
	EXPECT_EQ(2 * LEN, before);
	EXPECT_EQ(2 * LEN, after);
	expect(_metadata, self->p.rx, 1, 3);
	expect(_metadata, self->p.rx, 5, 2);
	expect(_metadata, self->p.rx, 7, 1);
}

TEST_F(flight, for_a_millisecond_at_most)
{
	ASSERT_EQ(LEN, send_frame(self->p.tx, 7, 1, LEN, 0));
	expect(_metadata, self->p.rx, 7, 1);
	EXPECT_GE(1000 + slack(self->p.tx), longest_wait(self->p.tx, 7));
	EXPECT_LE(800, longest_wait(self->p.tx, 7));
}

/* On a path of its own, as srtt is known from the handshake. */
TEST_F(flight, for_a_part_of_the_round_trip)
{
	struct pair p;

	ASSERT_EQ(0, loopback_netem(SHORT_PATH));
	ASSERT_EQ(0, pair_open(&p, AF_INET));
	ASSERT_EQ(0, attach(p.tx));
	ASSERT_EQ(LEN, send_frame(p.tx, 4, 1, LEN, 0));
	expect(_metadata, p.rx, 4, 1);
	EXPECT_GE(520 + slack(p.tx), longest_wait(p.tx, 4));
	EXPECT_LE(300, longest_wait(p.tx, 4));
	pair_close(&p);
}

TEST_F(flight, for_what_the_sysctl_says)
{
	ASSERT_EQ(0, set_first_flight("300"));
	ASSERT_EQ(LEN, send_frame(self->p.tx, 7, 1, LEN, 0));
	expect(_metadata, self->p.rx, 7, 1);
	EXPECT_GE(300 + slack(self->p.tx), longest_wait(self->p.tx, 7));
	EXPECT_LE(100, longest_wait(self->p.tx, 7));
}

TEST_F(flight, default_urgency_is_not_held)
{
	int i;

	for (i = 3; i >= 0; i--) {
		ASSERT_EQ(LEN, send_frame(self->p.tx, i, i, LEN, 0));
		EXPECT_EQ(0, queued_now(self->p.tx));
	}
	for (i = 3; i >= 0; i--)
		expect(_metadata, self->p.rx, i, i);
}

TEST_F(flight, off)
{
	ASSERT_EQ(0, set_first_flight("0"));
	ASSERT_EQ(LEN, send_frame(self->p.tx, 7, 1, LEN, 0));
	EXPECT_EQ(0, queued_now(self->p.tx));
	ASSERT_EQ(LEN, send_frame(self->p.tx, 0, 2, LEN, 0));
	expect(_metadata, self->p.rx, 7, 1);
	expect(_metadata, self->p.rx, 0, 2);
}

/* Untagged writes go by the socket's tag, and not past the Conductor. */
TEST_F(flight, untagged)
{
	struct cats_tag tag = { .urgency = 6 };
	uint64_t start;

	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_CATS, CATS_TAG, &tag, sizeof(tag)));
	start = now_us();
	ASSERT_EQ(LEN, send_frame(self->p.tx, UNTAGGED, 1, LEN, 0));
	EXPECT_HELD(LEN, self->p.tx, start);
	ASSERT_EQ(LEN, send_frame(self->p.tx, 2, 2, LEN, 0));
	if (!in_time(start))
		return;
	expect(_metadata, self->p.rx, 2, 2);
	expect(_metadata, self->p.rx, UNTAGGED, 1);
}

/* With something in flight more waits for its ACK anyway. */
TEST_F(flight, only_when_idle)
{
	uint64_t start;

	ASSERT_EQ(LEN, send_frame(self->p.tx, 3, 1, LEN, 0));
	ASSERT_EQ(LEN, send_frame(self->p.tx, 7, 2, LEN, 0));
	EXPECT_EQ(0, queued_now(self->p.tx));
	expect(_metadata, self->p.rx, 3, 1);
	expect(_metadata, self->p.rx, 7, 2);
	/* Idle again. */
	ASSERT_TRUE(wait_queue_empty(self->p.tx));
	start = now_us();
	ASSERT_EQ(LEN, send_frame(self->p.tx, 7, 3, LEN, 0));
	EXPECT_HELD(LEN, self->p.tx, start);
	ASSERT_EQ(LEN, send_frame(self->p.tx, 0, 4, LEN, 0));
	if (!in_time(start))
		return;
	expect(_metadata, self->p.rx, 0, 4);
	expect(_metadata, self->p.rx, 7, 3);
}

TEST_F(flight, poll_does_not_care)
{
	struct pollfd pfd = { .fd = self->p.tx, .events = POLLOUT };
	uint64_t start = now_us();

	ASSERT_EQ(LEN, send_frame(self->p.tx, 7, 1, LEN, 0));
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_HELD(LEN, self->p.tx, start);
	expect(_metadata, self->p.rx, 7, 1);
}

TEST_F(flight, nodelay_and_cork_end_it)
{
	uint64_t start = now_us();
	int on = 1, off = 0;

	ASSERT_EQ(LEN, send_frame(self->p.tx, 7, 1, LEN, 0));
	EXPECT_HELD(LEN, self->p.tx, start);
	ASSERT_EQ(0, setsockopt(self->p.tx, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)));
	EXPECT_EQ(0, queued_now(self->p.tx));
	expect(_metadata, self->p.rx, 7, 1);
	ASSERT_TRUE(wait_queue_empty(self->p.tx));
	ASSERT_EQ(0, setsockopt(self->p.tx, IPPROTO_TCP, TCP_CORK, &on, sizeof(on)));
	start = now_us();
	ASSERT_EQ(LEN, send_frame(self->p.tx, 7, 2, LEN, 0));
	EXPECT_HELD(LEN, self->p.tx, start);
	ASSERT_EQ(0, setsockopt(self->p.tx, IPPROTO_TCP, TCP_CORK, &off, sizeof(off)));
	EXPECT_EQ(0, queued_now(self->p.tx));
	expect(_metadata, self->p.rx, 7, 2);
}

/* In the Conductor's order, and then comes the end. */
TEST_F(flight, close_loses_nothing)
{
	uint64_t start = now_us();
	struct frame first, second, end;
	bool held;

	ASSERT_EQ(LEN, send_frame(self->p.tx, 7, 1, LEN, 0));
	ASSERT_EQ(LEN, send_frame(self->p.tx, 6, 2, LEN, 0));
	held = in_time(start);
	ASSERT_EQ(0, close(self->p.tx));
	self->p.tx = -1;
	EXPECT_EQ(1, read_frame(self->p.rx, &first));
	EXPECT_EQ(1, read_frame(self->p.rx, &second));
	EXPECT_EQ(3, first.id + second.id);
	if (held)
		EXPECT_EQ(2, first.id);
	EXPECT_EQ(0, read_frame(self->p.rx, &end));
}

TEST_F(flight, shutdown_loses_nothing)
{
	struct frame frame;

	ASSERT_EQ(LEN, send_frame(self->p.tx, 7, 1, LEN, 0));
	ASSERT_EQ(0, shutdown(self->p.tx, SHUT_WR));
	EXPECT_EQ(0, queued_now(self->p.tx));
	expect(_metadata, self->p.rx, 7, 1);
	EXPECT_EQ(0, read_frame(self->p.rx, &frame));
}

/* The next connection of the socket begins anew. */
TEST_F(flight, disconnect)
{
	struct sockaddr unspec = { .sa_family = AF_UNSPEC };
	struct sockaddr_storage ss;
	socklen_t len = loopback_address(&ss, AF_INET);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	ASSERT_EQ(LEN, send_frame(self->p.tx, 7, 1, LEN, MSG_BATCH));
	ASSERT_EQ(0, connect(self->p.tx, &unspec, sizeof(unspec)));
	EXPECT_EQ(0, queued_now(self->p.tx));
	ASSERT_EQ(0, bind(listener, (struct sockaddr *)&ss, len));
	ASSERT_EQ(0, listen(listener, 1));
	ASSERT_EQ(0, getsockname(listener, (struct sockaddr *)&ss, &len));
	ASSERT_EQ(0, connect(self->p.tx, (struct sockaddr *)&ss, len));
	close(self->p.rx);
	self->p.rx = accept(listener, NULL, NULL);
	close(listener);
	ASSERT_EQ(LEN, send_frame(self->p.tx, 3, 2, LEN, 0));
	EXPECT_EQ(0, queued_now(self->p.tx));
	expect(_metadata, self->p.rx, 3, 2);
}

/* What has no end yet is held, too, and ends as ever. */
TEST_F(flight, unfinished_message)
{
	struct cats_tag tag = { .urgency = 7 };
	uint64_t start, queued;
	char buf[2000];

	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_CATS, CATS_TAG, &tag, sizeof(tag)));
	frame_build(buf, sizeof(buf), 1, 7);
	start = now_us();
	ASSERT_EQ(1900, send(self->p.tx, buf, 1900, MSG_MORE));
	queued = queued_now(self->p.tx);
	ASSERT_EQ(LEN, send_frame(self->p.tx, 0, 2, LEN, 0));
	if (!in_time(start))
		return;
	EXPECT_EQ(1900, queued);
	ASSERT_EQ(100, send(self->p.tx, buf + 1900, 100, 0));
	expect(_metadata, self->p.rx, 0, 2);
	expect(_metadata, self->p.rx, 7, 1);
}

/* One page, one call: the first byte on the wire is the most urgent one. */
TEST_F(flight, batch_goes_in_order)
{
	int i;

	add_worst_order();
	ASSERT_EQ(8, send_batch(self->p.tx, 0));
	for (i = 0; i < 8; i++)
		expect(_metadata, self->p.rx, i, 7 - i);
	EXPECT_GE(1000 + slack(self->p.tx), longest_wait(self->p.tx, 0));
}

TEST_F(flight, batch_needs_no_hold)
{
	ASSERT_EQ(0, set_first_flight("0"));
	add_worst_order();
	ASSERT_EQ(8, send_batch(self->p.tx, MSG_DONTWAIT));
	expect(_metadata, self->p.rx, 0, 7);
	expect(_metadata, self->p.rx, 1, 6);
}

/* Its last message is all that it waits for: nothing of it is held. */
TEST_F(flight, batch_is_not_held)
{
	add(7, 1, LEN);
	add(6, 2, LEN);
	ASSERT_EQ(2, send_batch(self->p.tx, 0));
	EXPECT_EQ(0, queued_now(self->p.tx));
	expect(_metadata, self->p.rx, 6, 2);
	expect(_metadata, self->p.rx, 7, 1);
}

TEST_F(flight, batch_of_one)
{
	add(3, 1, LEN);
	ASSERT_EQ(1, send_batch(self->p.tx, 0));
	EXPECT_EQ(0, queued_now(self->p.tx));
	expect(_metadata, self->p.rx, 3, 1);
}

/* Nothing tagged, nothing held: plain TCP's segments. */
TEST_F(flight, batch_without_tags)
{
	struct cats_tag tag = { .urgency = 1 };

	ASSERT_EQ(LEN, send_frame(self->p.tx, UNTAGGED, 1, LEN, MSG_BATCH));
	EXPECT_EQ(0, queued_now(self->p.tx));
	expect(_metadata, self->p.rx, UNTAGGED, 1);
	ASSERT_TRUE(wait_queue_empty(self->p.tx));
	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_CATS, CATS_TAG, &tag, sizeof(tag)));
	ASSERT_EQ(LEN, send_frame(self->p.tx, UNTAGGED, 2, LEN, MSG_BATCH));
	EXPECT_EQ(0, queued_now(self->p.tx));
	expect(_metadata, self->p.rx, UNTAGGED, 2);
}

/* ... which may still be part of one. */
TEST_F(flight, batch_untagged_in_between)
{
	ASSERT_EQ(LEN, send_frame(self->p.tx, 7, 1, LEN, MSG_BATCH));
	ASSERT_EQ(LEN, send_frame(self->p.tx, UNTAGGED, 2, LEN, MSG_BATCH));
	EXPECT_EQ(2 * LEN, queued_now(self->p.tx));
	ASSERT_EQ(LEN, send_frame(self->p.tx, 0, 3, LEN, 0));
	expect(_metadata, self->p.rx, 0, 3);
	expect(_metadata, self->p.rx, UNTAGGED, 2);
	expect(_metadata, self->p.rx, 7, 1);
}

TEST_F(flight, batch_on_a_busy_connection)
{
	ASSERT_EQ(LEN, send_frame(self->p.tx, 3, 1, LEN, 0));
	ASSERT_EQ(LEN, send_frame(self->p.tx, 7, 2, LEN, MSG_BATCH));
	EXPECT_EQ(0, queued_now(self->p.tx));
	expect(_metadata, self->p.rx, 3, 1);
	expect(_metadata, self->p.rx, 7, 2);
}

/* A call that is not part of it ends it; what it holds is the Conductor's. */
TEST_F(flight, batch_ends_with_another_call)
{
	ASSERT_EQ(LEN, send_frame(self->p.tx, 7, 1, LEN, MSG_BATCH));
	ASSERT_EQ(LEN, send_frame(self->p.tx, 0, 2, LEN, MSG_BATCH));
	EXPECT_EQ(2 * LEN, queued_now(self->p.tx));
	ASSERT_EQ(LEN, send_frame(self->p.tx, 5, 3, LEN, 0));
	EXPECT_EQ(0, queued_now(self->p.tx));
	expect(_metadata, self->p.rx, 0, 2);
	expect(_metadata, self->p.rx, 5, 3);
	expect(_metadata, self->p.rx, 7, 1);
}

/* A refused message is the end of the call. */
TEST_F(flight, batch_with_a_bad_tag)
{
	add(7, 1, LEN);
	add(0, 2, LEN);
	add(99, 3, LEN);
	add(1, 4, LEN);
	ASSERT_EQ(2, send_batch(self->p.tx, 0));
	EXPECT_EQ(0, queued_now(self->p.tx));
	expect(_metadata, self->p.rx, 0, 2);
	expect(_metadata, self->p.rx, 7, 1);
}

/* The kernel cannot read the second message, and tells nobody: 200 ms. */
TEST_F(flight, batch_given_up)
{
	uint64_t wait;

	add(2, 1, LEN);
	add(1, 2, LEN);
	batch.headers[1].msg_hdr.msg_iov = (struct iovec *)8;
	ASSERT_EQ(1, send_batch(self->p.tx, 0));
	EXPECT_EQ(LEN, queued_now(self->p.tx));
	expect(_metadata, self->p.rx, 2, 1);
	wait = longest_wait(self->p.tx, 2);
	EXPECT_LE(190000, wait);
	EXPECT_GE(215000, wait);
}

TEST_F(flight, batch_given_up_and_closed)
{
	struct frame frame;

	add(2, 1, LEN);
	add(1, 2, LEN);
	batch.headers[1].msg_hdr.msg_iov = (struct iovec *)8;
	ASSERT_EQ(1, send_batch(self->p.tx, 0));
	ASSERT_EQ(0, close(self->p.tx));
	self->p.tx = -1;
	expect(_metadata, self->p.rx, 2, 1);
	EXPECT_EQ(0, read_frame(self->p.rx, &frame));
}

/* More than fits: the call ends there, and what was accepted goes at once. */
TEST_F(flight, batch_without_room)
{
	int size = 40000, n, i;

	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)));
	for (i = 0; i < 200; i++)
		add(5, i, 1000);
	n = send_batch(self->p.tx, MSG_DONTWAIT);
	ASSERT_LT(10, n);
	ASSERT_GT(200, n);
	EXPECT_GT(n * 1000, queued_now(self->p.tx));
	for (i = 0; i < n; i++)
		expect(_metadata, self->p.rx, 5, i);
}

static uint64_t first_ms;

static void *read_all_frames(void *arg)
{
	struct frame frame;
	long n = 0;

	while (read_frame(*(int *)arg, &frame) == 1) {
		first_ms = first_ms ?: now_ms();
		n += frame.id == n;
	}
	return (void *)n;
}

/* A blocking one goes on as room appears. */
TEST_F(flight, batch_that_sleeps)
{
	int size = 40000, i;
	pthread_t reader;
	uint64_t start;
	void *n;

	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)));
	ASSERT_EQ(0, pthread_create(&reader, NULL, read_all_frames, &self->p.rx));
	for (i = 0; i < 200; i++)
		add(5, i, 1000);
	start = now_ms();
	EXPECT_EQ(200, send_batch(self->p.tx, 0));
	ASSERT_EQ(0, shutdown(self->p.tx, SHUT_WR));
	ASSERT_EQ(0, pthread_join(reader, &n));
	EXPECT_EQ(200, (long)n);
	/* The path, and not the 200 ms after which it would have been given up. */
	EXPECT_GT(150, first_ms - start);
}

/* An untagged one that is accepted in part is the end of the call, too. */
TEST_F(flight, batch_untagged_in_part)
{
	static char zeroes[300000];
	struct iovec iov = { zeroes, sizeof(zeroes) };
	struct msghdr large = { .msg_iov = &iov, .msg_iovlen = 1 };
	int size = 40000;
	uint32_t taken;

	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)));
	add(2, 1, LEN);
	add(2, 2, LEN);
	add(2, 3, LEN);
	batch.headers[1].msg_hdr = large;
	ASSERT_EQ(2, send_batch(self->p.tx, MSG_DONTWAIT));
	taken = batch.headers[1].msg_len;
	EXPECT_GT(sizeof(zeroes), taken);
	EXPECT_GT(LEN + taken, queued_now(self->p.tx));
	expect(_metadata, self->p.rx, 2, 1);
}

TEST_HARNESS_MAIN
