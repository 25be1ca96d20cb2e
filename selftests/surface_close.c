// SPDX-License-Identifier: GPL-2.0
/* Ends of a connection: shutdown, close, linger, reset, time-outs, abort. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "surface_fixture.h"

#define SNDBUF		30000

/* Data behind a closed window; on CATS most of it is in the Conductor. */
static ssize_t backlog(int fd)
{
	if (set_int(fd, SOL_SOCKET, SO_SNDBUF, SNDBUF) || slow_down(fd))
		return -1;
	return fill_bytes(fd);
}

static int linger(int fd, int seconds)
{
	struct linger linger = { .l_onoff = 1, .l_linger = seconds };

	return setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

/* The error that a broken connection tells, once. */
static int socket_error(int fd)
{
	return get_int(fd, SOL_SOCKET, SO_ERROR);
}

TEST_F(surface, shutdown_wr_sends_the_backlog)
{
	ssize_t queued = backlog(self->p.tx);

	ASSERT_LT(SMALL_RCVBUF, queued);
	ASSERT_EQ(0, shutdown(self->p.tx, SHUT_WR));
	EXPECT_EQ(STATE_FIN_WAIT1, tcp_state(self->p.tx));
	EXPECT_EQ(POLLOUT, poll_now(self->p.tx, POLLOUT));
	EXPECT_ERRNO(EPIPE, send(self->p.tx, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(queued, read_pattern(self->p.rx, 0, -1));
	/* The other direction lives. */
	ASSERT_EQ(5, send(self->p.rx, "reply", 5, 0));
	EXPECT_BYTES(self->p.tx, "reply");
	EXPECT_EQ(STATE_FIN_WAIT2, tcp_state(self->p.tx));
}

TEST_F(surface, shutdown_rd)
{
	ssize_t queued = backlog(self->p.tx);
	char c;

	ASSERT_LT(0, queued);
	ASSERT_EQ(0, shutdown(self->p.tx, SHUT_RD));
	EXPECT_EQ(0, recv(self->p.tx, &c, 1, 0));
	EXPECT_EQ(POLLIN | POLLRDHUP, poll_now(self->p.tx, POLLIN | POLLRDHUP | POLLOUT));
	ASSERT_EQ(queued, read_pattern(self->p.rx, 0, queued));
	EXPECT_EQ(1, send(self->p.tx, "x", 1, 0));
	EXPECT_BYTES(self->p.rx, "x");
}

TEST_F(surface, shutdown_rdwr)
{
	ssize_t queued = backlog(self->p.tx);
	short all = POLLIN | POLLRDHUP | POLLOUT;
	char c;

	ASSERT_LT(0, queued);
	ASSERT_EQ(0, shutdown(self->p.tx, SHUT_RDWR));
	EXPECT_EQ(all | POLLHUP, poll_now(self->p.tx, all));
	EXPECT_EQ(0, recv(self->p.tx, &c, 1, 0));
	EXPECT_ERRNO(EPIPE, send(self->p.tx, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(queued, read_pattern(self->p.rx, 0, -1));
}

TEST_F(surface, shutdown_twice)
{
	ASSERT_EQ(0, shutdown(self->p.tx, SHUT_WR));
	EXPECT_EQ(0, shutdown(self->p.tx, SHUT_WR));
	EXPECT_ERRNO(EINVAL, shutdown(self->p.tx, 3));
}

/* The peer has ended its direction; ours goes on. */
TEST_F(surface, half_closed_by_the_peer)
{
	ssize_t queued = backlog(self->p.tx);
	char c;

	ASSERT_EQ(0, shutdown(self->p.rx, SHUT_WR));
	ASSERT_EQ(0, recv(self->p.tx, &c, 1, 0));
	EXPECT_EQ(STATE_CLOSE_WAIT, tcp_state(self->p.tx));
	ASSERT_EQ(queued, read_pattern(self->p.rx, 0, queued));
	ASSERT_EQ(4, send(self->p.tx, "more", 4, 0));
	EXPECT_BYTES(self->p.rx, "more");
	ASSERT_EQ(0, shutdown(self->p.tx, SHUT_WR));
	EXPECT_EQ(0, recv(self->p.rx, &c, 1, 0));
	EXPECT_TRUE(wait_state(self->p.tx, STATE_CLOSE));
}

/* Both ends at once: their FINs cross. */
TEST_F(surface, simultaneous_close)
{
	ASSERT_EQ(2, send(self->p.tx, "ab", 2, 0));
	EXPECT_BYTES(self->p.rx, "ab");
	ASSERT_EQ(0, loopback_netem("delay 50ms"));
	ASSERT_EQ(0, shutdown(self->p.tx, SHUT_WR));
	ASSERT_EQ(0, shutdown(self->p.rx, SHUT_WR));
	EXPECT_EQ(STATE_FIN_WAIT1, tcp_state(self->p.tx));
	EXPECT_EQ(STATE_FIN_WAIT1, tcp_state(self->p.rx));
	EXPECT_TRUE(wait_state(self->p.tx, STATE_CLOSING));
	EXPECT_TRUE(wait_state(self->p.tx, STATE_CLOSE));
	EXPECT_TRUE(wait_state(self->p.rx, STATE_CLOSE));
}

TEST_F(surface, close_sends_the_backlog)
{
	ssize_t queued = backlog(self->p.tx);

	ASSERT_EQ(0, close(self->p.tx));
	self->p.tx = -1;
	EXPECT_EQ(queued, read_pattern(self->p.rx, 0, -1));
}

TEST_F(surface, close_with_unread_data_resets)
{
	char buf[4096];

	ASSERT_EQ(1, send(self->p.rx, "x", 1, 0));
	ASSERT_EQ(POLLIN, poll_for(self->p.tx, POLLIN, 1000));
	ASSERT_LT(0, backlog(self->p.tx));
	ASSERT_EQ(0, close(self->p.tx));
	self->p.tx = -1;
	while (recv(self->p.rx, buf, sizeof(buf), 0) > 0)
		;
	EXPECT_EQ(ECONNRESET, errno);
}

TEST_F(surface, linger_zero_resets)
{
	char buf[4096];

	ASSERT_LT(0, backlog(self->p.tx));
	ASSERT_EQ(0, linger(self->p.tx, 0));
	ASSERT_EQ(0, close(self->p.tx));
	self->p.tx = -1;
	while (recv(self->p.rx, buf, sizeof(buf), 0) > 0)
		;
	EXPECT_EQ(ECONNRESET, errno);
}

/* Nobody reads: close() gives up after its time, the data is sent all the same. */
TEST_F(surface, linger_times_out)
{
	ssize_t queued = backlog(self->p.tx);
	uint64_t start = now_ms();

	ASSERT_EQ(0, linger(self->p.tx, 2));
	ASSERT_EQ(0, close(self->p.tx));
	self->p.tx = -1;
	EXPECT_LE(1990, now_ms() - start);
	EXPECT_GE(2100, now_ms() - start);
	EXPECT_EQ(queued, read_pattern(self->p.rx, 0, -1));
}

static void *read_later(void *arg)
{
	poll(NULL, 0, 500);
	return (void *)read_pattern(*(int *)arg, 0, -1);
}

/* close() returns when the last byte was acknowledged. */
TEST_F(surface, linger_until_sent)
{
	ssize_t queued = backlog(self->p.tx);
	uint64_t start = now_ms();
	pthread_t reader;
	void *got;

	ASSERT_EQ(0, linger(self->p.tx, 20));
	ASSERT_EQ(0, pthread_create(&reader, NULL, read_later, &self->p.rx));
	ASSERT_EQ(0, close(self->p.tx));
	self->p.tx = -1;
	EXPECT_LE(490, now_ms() - start);
	EXPECT_GE(5000, now_ms() - start);
	pthread_join(reader, &got);
	EXPECT_EQ(queued, (ssize_t)got);
}

TEST_F(surface, reset_by_the_peer)
{
	short all = POLLIN | POLLOUT | POLLRDHUP;

	ASSERT_LT(0, backlog(self->p.tx));
	ASSERT_EQ(0, close(self->p.rx));
	self->p.rx = -1;
	ASSERT_TRUE(wait_state(self->p.tx, STATE_CLOSE));
	EXPECT_EQ(all | POLLERR | POLLHUP, poll_now(self->p.tx, all));
	EXPECT_EQ(ECONNRESET, socket_error(self->p.tx));
	EXPECT_EQ(0, socket_error(self->p.tx));
	EXPECT_ERRNO(EPIPE, send(self->p.tx, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(0, recv(self->p.tx, &all, 1, 0));
}

/* SIGPIPE comes with EPIPE, not with the error that tells of the reset. */
TEST_F(surface, sigpipe_after_reset)
{
	count_signals(SIGPIPE);
	ASSERT_LT(0, backlog(self->p.tx));
	ASSERT_EQ(0, close(self->p.rx));
	self->p.rx = -1;
	ASSERT_TRUE(wait_state(self->p.tx, STATE_CLOSE));
	EXPECT_ERRNO(ECONNRESET, send(self->p.tx, "x", 1, 0));
	EXPECT_EQ(0, signals_seen());
	EXPECT_ERRNO(EPIPE, send(self->p.tx, "x", 1, 0));
	EXPECT_EQ(1, signals_seen());
	EXPECT_ERRNO(EPIPE, send(self->p.tx, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(1, signals_seen());
}

/* Nothing is sent, and nobody answers the probes: after 1 + 2 * 1 seconds. */
TEST_F(surface, keepalive)
{
	uint64_t start = now_ms();

	ASSERT_EQ(0, set_int(self->p.tx, IPPROTO_TCP, TCP_KEEPIDLE, 1));
	ASSERT_EQ(0, set_int(self->p.tx, IPPROTO_TCP, TCP_KEEPINTVL, 1));
	ASSERT_EQ(0, set_int(self->p.tx, IPPROTO_TCP, TCP_KEEPCNT, 2));
	ASSERT_EQ(0, set_int(self->p.tx, SOL_SOCKET, SO_KEEPALIVE, 1));
	ASSERT_EQ(0, loopback_netem("loss 100%"));
	EXPECT_EQ(POLLERR | POLLHUP, poll_for(self->p.tx, 0, 10000));
	EXPECT_LE(2900, now_ms() - start);
	/* With the time that tc takes on a slow machine. */
	EXPECT_GE(5000, now_ms() - start);
	EXPECT_EQ(ETIMEDOUT, socket_error(self->p.tx));
}

TEST_F(surface, keepalive_of_a_living_peer)
{
	ASSERT_EQ(0, set_int(self->p.tx, IPPROTO_TCP, TCP_KEEPIDLE, 1));
	ASSERT_EQ(0, set_int(self->p.tx, IPPROTO_TCP, TCP_KEEPINTVL, 1));
	ASSERT_EQ(0, set_int(self->p.tx, IPPROTO_TCP, TCP_KEEPCNT, 2));
	ASSERT_EQ(0, set_int(self->p.tx, SOL_SOCKET, SO_KEEPALIVE, 1));
	EXPECT_EQ(0, poll_for(self->p.tx, 0, 10000));
	ASSERT_EQ(2, send(self->p.tx, "ok", 2, 0));
	EXPECT_BYTES(self->p.rx, "ok");
}

/* The path is gone with data in flight. */
TEST_F(surface, user_timeout_of_lost_data)
{
	uint64_t start = now_ms();

	ASSERT_EQ(0, set_int(self->p.tx, IPPROTO_TCP, TCP_USER_TIMEOUT, 2000));
	ASSERT_EQ(0, slow_down(self->p.tx));
	ASSERT_EQ(0, loopback_netem("loss 100%"));
	ASSERT_EQ(5, send(self->p.tx, "hello", 5, 0));
	EXPECT_EQ(POLLERR | POLLHUP, poll_for(self->p.tx, 0, 20000));
	EXPECT_LE(1990, now_ms() - start);
	EXPECT_GE(4000, now_ms() - start);
	EXPECT_EQ(ETIMEDOUT, socket_error(self->p.tx));
}

/* The peer answers, but does not read. */
TEST_F(surface, user_timeout_of_a_closed_window)
{
	uint64_t start;

	ASSERT_EQ(0, set_int(self->p.tx, IPPROTO_TCP, TCP_USER_TIMEOUT, 3000));
	ASSERT_LT(0, backlog(self->p.tx));
	start = now_ms();
	EXPECT_EQ(POLLERR | POLLHUP, poll_for(self->p.tx, 0, 20000));
	EXPECT_LE(2000, now_ms() - start);
	EXPECT_GE(8000, now_ms() - start);
	EXPECT_EQ(ETIMEDOUT, socket_error(self->p.tx));
}

TEST_F(surface, connection_times_out_a_blocked_write)
{
	struct blocked_write w;

	ASSERT_EQ(0, set_int(self->p.tx, IPPROTO_TCP, TCP_USER_TIMEOUT, 1000));
	ASSERT_EQ(0, start_blocked(&w, self->p.tx, UNTAGGED, 6000000));
	pthread_join(w.thread, NULL);
	/* What was accepted is the result, the error comes next. */
	EXPECT_LT(0, w.ret);
	EXPECT_ERRNO(ETIMEDOUT, send(self->p.tx, "x", 1, MSG_NOSIGNAL));
	EXPECT_ERRNO(EPIPE, send(self->p.tx, "x", 1, MSG_NOSIGNAL));
}

static pid_t blocked_child(struct pair *p)
{
	pid_t child = fork();
	char buf[65536] = {};

	if (child)
		return child;
	close(p->rx);
	while (send(p->tx, buf, sizeof(buf), 0) > 0)
		;
	_exit(errno == EPIPE || errno == ECONNRESET ? 7 : 8);
}

/* A process killed in a blocking write: what was accepted is delivered. */
TEST_F(surface, killed_in_a_blocking_write)
{
	pid_t child = blocked_child(&self->p);
	char buf[65536];
	ssize_t n, sum = 0;
	int status;

	ASSERT_EQ(0, close(self->p.tx));
	self->p.tx = -1;
	ASSERT_EQ(POLLIN, poll_for(self->p.rx, POLLIN, 1000));
	poll(NULL, 0, 100);
	ASSERT_EQ(0, kill(child, SIGKILL));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(SIGKILL, WTERMSIG(status));
	while ((n = recv(self->p.rx, buf, sizeof(buf), 0)) > 0)
		sum += n;
	EXPECT_EQ(0, n);
	EXPECT_LT(SMALL_RCVBUF, sum);
}

TEST_HARNESS_MAIN
