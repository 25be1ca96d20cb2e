// SPDX-License-Identifier: GPL-2.0
/*
 * Readiness: what poll() says of which urgency, and who is woken how often.
 *
 * An epoll item is asked for its events only after a wake-up: what epoll_wait()
 * returns without waiting are the wake-ups so far, or, edge-triggered, since it
 * was called last.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/sockios.h>

#include "cats_test.h"
#include "kselftest_harness.h"

#define MSG_LEN		1000
/* As SO_SNDBUF; the kernel doubles it. */
#define SNDBUF		65536

static short writable(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };

	return poll(&pfd, 1, 0) == 1 ? pfd.revents : 0;
}

static int set_poll_urgency(int fd, int32_t urgency)
{
	return setsockopt(fd, SOL_CATS, CATS_POLL_URGENCY, &urgency, sizeof(urgency));
}

static int set_sndbuf(int fd, int size)
{
	return setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

static int set_lowat(int fd, int lowat)
{
	return setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &lowat, sizeof(lowat));
}

static int unsent(int fd)
{
	int bytes = 0;

	ioctl(fd, SIOCOUTQNSD, &bytes);
	return bytes;
}

/* Writes without tags until nothing is taken, and nothing moves; bytes. */
static int stuff(int fd)
{
	char buf[MSG_LEN] = {};
	int sum = 0, before = -1, n;

	while (sum > before) {
		before = sum;
		while ((n = send(fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0)
			sum += n;
		poll(NULL, 0, 300);
	}
	return sum;
}

static int watch(int fd, uint32_t events)
{
	struct epoll_event event = { .events = events };
	int epoll = epoll_create1(0);

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) ? -1 : epoll;
}

static int told(int epoll)
{
	struct epoll_event event;

	return epoll_wait(epoll, &event, 1, 0);
}

/* Reads it all in small pieces; how often the other end was told of room. */
static int drain_and_count(struct __test_metadata *_metadata, struct pair *p,
			   int bytes, int epoll)
{
	char buf[700];
	int n, edges = 0;

	while (bytes > 0) {
		n = recv(p->rx, buf, sizeof(buf), 0);
		ASSERT_GT(n, 0);
		bytes -= n;
		edges += told(epoll);
	}
	ASSERT_TRUE(wait_queue_empty(p->tx));
	return edges + told(epoll);
}

FIXTURE(ready)
{
	struct pair p;
};

FIXTURE_VARIANT(ready)
{
	bool cats;
};

FIXTURE_VARIANT_ADD(ready, tcp)
{
	.cats = false,
};

FIXTURE_VARIANT_ADD(ready, cats)
{
	.cats = true,
};

FIXTURE_SETUP(ready)
{
	ASSERT_EQ(0, pair_open(&self->p, AF_INET));
	if (variant->cats)
		ASSERT_EQ(0, attach(self->p.tx));
	ASSERT_EQ(0, set_sndbuf(self->p.tx, SNDBUF));
}

FIXTURE_TEARDOWN(ready)
{
	pair_close(&self->p);
}

TEST_F(ready, one_edge_for_a_refused_write)
{
	int epoll = watch(self->p.tx, EPOLLOUT | EPOLLET), round, bytes;

	EXPECT_EQ(1, told(epoll));
	EXPECT_EQ(0, told(epoll));
	for (round = 0; round < 5; round++) {
		bytes = stuff(self->p.tx);
		EXPECT_EQ(0, told(epoll));
		EXPECT_EQ(1, drain_and_count(_metadata, &self->p, bytes, epoll));
	}
	close(epoll);
}

/* Never refused, nobody has to be told. */
TEST_F(ready, no_edge_without_need)
{
	int epoll = watch(self->p.tx, EPOLLOUT | EPOLLET), i;
	char buf[MSG_LEN] = {};

	EXPECT_EQ(1, told(epoll));
	for (i = 0; i < 40; i++)
		ASSERT_EQ(MSG_LEN, send(self->p.tx, buf, MSG_LEN, MSG_DONTWAIT));
	EXPECT_EQ(0, drain_and_count(_metadata, &self->p, 40 * MSG_LEN, epoll));
	close(epoll);
}

/* poll() said no: that counts as asking. */
TEST_F(ready, one_edge_for_a_poll)
{
	int epoll, bytes = stuff(self->p.tx);

	EXPECT_EQ(0, writable(self->p.tx));
	epoll = watch(self->p.tx, EPOLLOUT | EPOLLET);
	EXPECT_EQ(0, told(epoll));
	EXPECT_EQ(1, drain_and_count(_metadata, &self->p, bytes, epoll));
	close(epoll);
}

TEST_F(ready, level_triggered)
{
	int epoll = watch(self->p.tx, EPOLLOUT), bytes;

	EXPECT_EQ(1, told(epoll));
	EXPECT_EQ(1, told(epoll));
	bytes = stuff(self->p.tx);
	EXPECT_EQ(0, told(epoll));
	EXPECT_LT(1, drain_and_count(_metadata, &self->p, bytes, epoll));
	close(epoll);
}

/* A third of the buffer is free: at each step, to the byte. */
TEST_F(ready, third_free)
{
	int left = stuff(self->p.tx), n, before, now, no = 0, yes = 0;
	char buf[700];

	for (; left > 0; left -= n) {
		n = recv(self->p.rx, buf, sizeof(buf), 0);
		ASSERT_GT(n, 0);
		before = mem_used(self->p.tx);
		now = writable(self->p.tx);
		if (mem_used(self->p.tx) != before)
			continue;
		EXPECT_EQ(2 * SNDBUF - before >= before >> 1, now == POLLOUT);
		no += !now;
		yes += !!now;
	}
	EXPECT_LT(5, no);
	EXPECT_LT(5, yes);
}

TEST_F(ready, half_of_the_low_water_mark)
{
	int left, lowat = 32768, n, before, now, no = 0, yes = 0;
	char buf[700];

	ASSERT_EQ(0, set_sndbuf(self->p.tx, 16 * SNDBUF));
	ASSERT_EQ(0, set_lowat(self->p.tx, lowat));
	for (left = stuff(self->p.tx); left > 0; left -= n) {
		n = recv(self->p.rx, buf, sizeof(buf), 0);
		ASSERT_GT(n, 0);
		before = unsent(self->p.tx);
		now = writable(self->p.tx);
		if (unsent(self->p.tx) != before)
			continue;
		EXPECT_EQ(2 * before < lowat, now == POLLOUT);
		no += !now;
		yes += !!now;
	}
	EXPECT_LT(5, no);
	EXPECT_LT(5, yes);
}

/* A mark that is raised, a buffer that grows: it is told without an ACK. */
TEST_F(ready, told_when_a_limit_moves)
{
	int epoll;

	ASSERT_EQ(0, set_lowat(self->p.tx, 8192));
	ASSERT_LT(0, stuff(self->p.tx));
	epoll = watch(self->p.tx, EPOLLOUT | EPOLLET);
	EXPECT_EQ(0, told(epoll));
	ASSERT_EQ(0, set_lowat(self->p.tx, 1 << 30));
	EXPECT_EQ(1, told(epoll));
	ASSERT_LT(0, stuff(self->p.tx));
	EXPECT_EQ(0, told(epoll));
	ASSERT_EQ(0, set_sndbuf(self->p.tx, 4 * SNDBUF));
	EXPECT_EQ(1, told(epoll));
	close(epoll);
}

TEST_F(ready, state_decides_when_it_does)
{
	ASSERT_LT(0, stuff(self->p.tx));
	EXPECT_EQ(0, writable(self->p.tx));
	ASSERT_EQ(0, shutdown(self->p.tx, SHUT_WR));
	EXPECT_EQ(POLLOUT, writable(self->p.tx));
	ASSERT_EQ(0, close(self->p.rx));
	self->p.rx = -1;
	/* Unread data: the peer resets. */
	while (!(writable(self->p.tx) & POLLERR))
		poll(NULL, 0, 1);
	EXPECT_EQ(POLLOUT | POLLERR | POLLHUP, writable(self->p.tx));
}

static atomic_int nr_signals;

static void count_signal(int sig, siginfo_t *info, void *context)
{
	nr_signals += info->si_code == POLL_OUT;
}

TEST_F(ready, one_signal_for_a_refused_write)
{
	struct sigaction action = {
		.sa_sigaction = count_signal, .sa_flags = SA_SIGINFO | SA_RESTART,
	};
	int fd = self->p.tx, epoll = watch(fd, EPOLLOUT), bytes, round;

	ASSERT_EQ(0, sigaction(SIGRTMIN, &action, NULL));
	ASSERT_EQ(0, fcntl(fd, F_SETSIG, SIGRTMIN));
	ASSERT_EQ(0, fcntl(fd, F_SETOWN, getpid()));
	ASSERT_EQ(0, fcntl(fd, F_SETFL, O_ASYNC));
	for (round = 1; round <= 3; round++) {
		bytes = stuff(fd);
		drain_and_count(_metadata, &self->p, bytes, epoll);
		EXPECT_EQ(round, nr_signals);
	}
	ASSERT_EQ(0, fcntl(fd, F_SETFL, 0));
	close(epoll);
}

FIXTURE(urgency)
{
	struct pair p;
};

FIXTURE_SETUP(urgency)
{
	ASSERT_EQ(0, pair_open(&self->p, AF_INET));
	ASSERT_EQ(0, attach(self->p.tx));
	ASSERT_EQ(0, set_sndbuf(self->p.tx, SNDBUF));
}

FIXTURE_TEARDOWN(urgency)
{
	pair_close(&self->p);
}

static void read_messages(struct __test_metadata *_metadata, int fd, int n)
{
	struct frame frame;

	while (n--)
		ASSERT_EQ(1, read_frame(fd, &frame));
}

TEST_F(urgency, option)
{
	int32_t value = 0, good[] = { 0, 7, 3, CATS_POLL_DEFAULT_TAG };
	int32_t bad[] = { 8, -2, INT32_MAX, INT32_MIN };
	socklen_t len = sizeof(value);
	int fd = self->p.tx, i;

	ASSERT_EQ(0, getsockopt(fd, SOL_CATS, CATS_POLL_URGENCY, &value, &len));
	EXPECT_EQ(CATS_POLL_DEFAULT_TAG, value);
	EXPECT_EQ(sizeof(value), len);
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(0, set_poll_urgency(fd, good[i]));
		ASSERT_EQ(0, getsockopt(fd, SOL_CATS, CATS_POLL_URGENCY, &value,
					&len));
		EXPECT_EQ(good[i], value);
	}
	ASSERT_EQ(0, set_poll_urgency(fd, 5));
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(-1, set_poll_urgency(fd, bad[i]));
		EXPECT_EQ(EINVAL, errno);
	}
	ASSERT_EQ(0, getsockopt(fd, SOL_CATS, CATS_POLL_URGENCY, &value, &len));
	EXPECT_EQ(5, value);
}

TEST_F(urgency, option_size_and_reason)
{
	int32_t value[2] = { 8, 0 };
	int fd = self->p.tx;
	struct cats_info info;

	EXPECT_EQ(-1, set_poll_urgency(fd, 8));
	ASSERT_EQ(0, get_info(fd, &info));
	EXPECT_STREQ("poll urgency: not in -1 to 7", info.reason);
	EXPECT_EQ(EINVAL, info.reason_errno);
	value[0] = 4;
	EXPECT_EQ(-1, setsockopt(fd, SOL_CATS, CATS_POLL_URGENCY, value, 3));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, setsockopt(fd, SOL_CATS, CATS_POLL_URGENCY, value, 8));
	value[1] = 1;
	EXPECT_EQ(-1, setsockopt(fd, SOL_CATS, CATS_POLL_URGENCY, value, 8));
	EXPECT_EQ(E2BIG, errno);
}

TEST_F(urgency, decides)
{
	uint32_t tag = 7;
	int fd = self->p.tx;

	ASSERT_LT(0, fill(fd, 7, 0, MSG_LEN));
	ASSERT_EQ(0, set_poll_urgency(fd, 7));
	EXPECT_EQ(0, writable(fd));
	/* Any room will do for the urgent. */
	ASSERT_EQ(0, set_poll_urgency(fd, 2));
	EXPECT_EQ(POLLOUT, writable(fd));
	ASSERT_EQ(0, set_poll_urgency(fd, CATS_POLL_DEFAULT_TAG));
	ASSERT_EQ(0, setsockopt(fd, SOL_CATS, CATS_TAG, &tag, sizeof(tag)));
	EXPECT_EQ(0, writable(fd));
	tag = 0;
	ASSERT_EQ(0, setsockopt(fd, SOL_CATS, CATS_TAG, &tag, sizeof(tag)));
	EXPECT_EQ(POLLOUT, writable(fd));
	ASSERT_LT(0, fill(fd, 0, 0, MSG_LEN));
	EXPECT_EQ(0, writable(fd));
}

/* The low-water mark does not hold them back, for poll() either. */
TEST_F(urgency, urgent_and_the_low_water_mark)
{
	int fd = self->p.tx;

	ASSERT_EQ(0, set_lowat(fd, 8192));
	ASSERT_LT(0, fill(fd, UNTAGGED, 0, MSG_LEN));
	EXPECT_EQ(0, writable(fd));
	ASSERT_EQ(0, set_poll_urgency(fd, 2));
	EXPECT_EQ(POLLOUT, writable(fd));
	ASSERT_EQ(0, set_poll_urgency(fd, 4));
	EXPECT_EQ(0, writable(fd));
}

/* Who waits for one class hears that another one counts now. */
TEST_F(urgency, change_is_told)
{
	int fd = self->p.tx, epoll;
	uint32_t tag = 1;

	ASSERT_EQ(0, set_poll_urgency(fd, 7));
	ASSERT_LT(0, fill(fd, 7, 0, MSG_LEN));
	epoll = watch(fd, EPOLLOUT);
	EXPECT_EQ(0, told(epoll));
	ASSERT_EQ(0, set_poll_urgency(fd, 0));
	EXPECT_EQ(1, told(epoll));
	ASSERT_EQ(0, set_poll_urgency(fd, 7));
	EXPECT_EQ(0, told(epoll));
	ASSERT_EQ(0, set_poll_urgency(fd, CATS_POLL_DEFAULT_TAG));
	EXPECT_EQ(0, told(epoll));
	ASSERT_EQ(0, setsockopt(fd, SOL_CATS, CATS_TAG, &tag, sizeof(tag)));
	EXPECT_EQ(1, told(epoll));
	close(epoll);
}

/*
 * EPOLLOUT waits for room for the message that was refused, and is true then, but
 * for bytes that become skbs between the calls: those take more memory.
 */
TEST_F(urgency, room_for_the_refused_message)
{
	int fd = self->p.tx, urgency, n, was_free = 0, refused = 0;

	for (urgency = 0; urgency <= CATS_URGENCY_MAX; urgency++) {
		ASSERT_EQ(0, set_poll_urgency(fd, urgency));
		n = fill(fd, urgency, 0, MSG_LEN);
		ASSERT_LT(0, n);
		while (send_frame(fd, urgency, 1, 60000, MSG_DONTWAIT) < 0) {
			ASSERT_EQ(EAGAIN, errno);
			refused++;
			for (; !writable(fd); n--) {
				ASSERT_LT(0, n);
				was_free += mem_used(fd) < SNDBUF * 7 / 6;
				read_messages(_metadata, self->p.rx, 1);
			}
		}
		read_messages(_metadata, self->p.rx, n + 1);
		ASSERT_TRUE(wait_queue_empty(fd));
	}
	EXPECT_LE(CATS_NR_URGENCIES, refused);
	EXPECT_GE(2 * CATS_NR_URGENCIES, refused);
	/* A third of it was free before that, and nobody was told. */
	EXPECT_LT(0, was_free);
}

/* A smaller one was accepted meanwhile: TCP's rule again. */
TEST_F(urgency, accepted_write_ends_the_waiting)
{
	int fd = self->p.tx, n;

	ASSERT_EQ(0, set_poll_urgency(fd, 5));
	n = fill(fd, 5, 0, MSG_LEN);
	EXPECT_EQ(-1, send_frame(fd, 5, 1, 60000, MSG_DONTWAIT));
	for (; mem_used(fd) > 72000; n--)
		read_messages(_metadata, self->p.rx, 1);
	EXPECT_EQ(0, writable(fd));
	EXPECT_EQ(MSG_LEN, send_frame(fd, 5, 1, MSG_LEN, MSG_DONTWAIT));
	EXPECT_EQ(POLLOUT, writable(fd));
}

/* What can never fit is not waited for: the call says so. */
TEST_F(urgency, shrunk_buffer_is_told)
{
	int fd = self->p.tx, epoll;

	ASSERT_EQ(0, set_poll_urgency(fd, 5));
	ASSERT_LT(0, fill(fd, 5, 0, MSG_LEN));
	EXPECT_EQ(-1, send_frame(fd, 5, 1, 60000, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	epoll = watch(fd, EPOLLOUT);
	EXPECT_EQ(0, told(epoll));
	ASSERT_EQ(0, set_sndbuf(fd, SNDBUF / 4));
	EXPECT_EQ(1, told(epoll));
	EXPECT_EQ(-1, send_frame(fd, 5, 1, 60000, MSG_DONTWAIT));
	EXPECT_EQ(EMSGSIZE, errno);
	close(epoll);
}

/* A refused class is told of its room although poll() is about another one. */
TEST_F(urgency, refused_class_causes_one_edge)
{
	int fd = self->p.tx, epoll, n;

	ASSERT_EQ(0, set_poll_urgency(fd, 0));
	epoll = watch(fd, EPOLLOUT | EPOLLET);
	EXPECT_EQ(1, told(epoll));
	n = fill(fd, 7, 0, MSG_LEN);
	ASSERT_LT(0, n);
	EXPECT_EQ(0, told(epoll));
	EXPECT_EQ(1, drain_and_count(_metadata, &self->p, n * MSG_LEN, epoll));
	EXPECT_EQ(MSG_LEN, send_frame(fd, 7, 1, MSG_LEN, MSG_DONTWAIT));
	close(epoll);
}

#define FLOW_MESSAGES	100

/**
 * struct flow - a thread that writes when poll() says that it can
 * @thread: to join
 * @fd: socket
 * @urgency: of its messages, and for poll()
 * @late: waits that ended by the time
 * @untrue: writes that were refused although poll() said there is room
 */
struct flow {
	pthread_t	thread;
	int		fd;
	int		urgency;
	int		late;
	int		untrue;
};

static void *flow_run(void *arg)
{
	struct flow *f = arg;
	struct pollfd pfd = { .fd = f->fd, .events = POLLOUT };
	int i = 0, refused = 0;

	while (i < FLOW_MESSAGES && !f->late) {
		if (send_frame(f->fd, f->urgency, i, 20 + i * 7919 % 50000,
			       MSG_DONTWAIT) > 0) {
			refused = 0;
			i++;
			continue;
		}
		f->untrue += refused;
		refused = 1;
		f->late += poll(&pfd, 1, 20000) != 1;
	}
	return NULL;
}

/*
 * Nobody is forgotten, and what poll() says is true, for each urgency.  Not always:
 * between the calls bytes of messages become skbs, which take more memory.
 */
TEST_F_TIMEOUT(urgency, flow, 120)
{
	struct flow f = { .fd = self->p.tx };

	for (; f.urgency <= CATS_URGENCY_MAX; f.urgency++) {
		ASSERT_EQ(0, set_poll_urgency(f.fd, f.urgency));
		ASSERT_EQ(0, pthread_create(&f.thread, NULL, flow_run, &f));
		read_messages(_metadata, self->p.rx, FLOW_MESSAGES);
		pthread_join(f.thread, NULL);
		EXPECT_EQ(0, f.late);
		EXPECT_GT(FLOW_MESSAGES / 10, f.untrue);
	}
}

static void *careful_run(void *arg)
{
	struct flow *f = arg;
	struct pollfd pfd = { .fd = f->fd, .events = POLLOUT };
	int i;

	for (i = 0; i < 5 * FLOW_MESSAGES && !f->late; i++) {
		f->late += poll(&pfd, 1, 20000) != 1;
		f->untrue += send_frame(f->fd, f->urgency, i, MSG_LEN,
					MSG_DONTWAIT) != MSG_LEN;
	}
	return NULL;
}

/* Asks before each write: none is refused, so it is poll() that has to be told. */
TEST_F_TIMEOUT(urgency, flow_without_refusal, 120)
{
	struct flow f = { .fd = self->p.tx, .urgency = CATS_URGENCY_DEFAULT };

	for (; f.urgency <= CATS_URGENCY_MAX; f.urgency++) {
		ASSERT_EQ(0, set_poll_urgency(f.fd, f.urgency));
		ASSERT_EQ(0, pthread_create(&f.thread, NULL, careful_run, &f));
		read_messages(_metadata, self->p.rx, 5 * FLOW_MESSAGES);
		pthread_join(f.thread, NULL);
		EXPECT_EQ(0, f.late);
		EXPECT_EQ(0, f.untrue);
	}
}

TEST_HARNESS_MAIN
