// SPDX-License-Identifier: GPL-2.0
/* Connecting again, listening, being aborted from outside (ss -K), and time-outs of calls. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>

#include "surface_fixture.h"

static ssize_t backlog(int fd)
{
	if (set_int(fd, SOL_SOCKET, SO_SNDBUF, 30000) || slow_down(fd))
		return -1;
	return fill_bytes(fd);
}

static int disconnect(int fd)
{
	struct sockaddr unspec = { .sa_family = AF_UNSPEC };

	return connect(fd, &unspec, sizeof(unspec));
}

static void ulp_name(int fd, char name[16])
{
	socklen_t len = 16;

	memset(name, 0, 16);
	getsockopt(fd, IPPROTO_TCP, TCP_ULP, name, &len);
}

TEST_F(surface, disconnect_drops_and_resets)
{
	char buf[4096];

	ASSERT_LT(0, backlog(self->p.tx));
	ASSERT_EQ(0, disconnect(self->p.tx));
	EXPECT_EQ(STATE_CLOSE, tcp_state(self->p.tx));
	EXPECT_EQ(POLLOUT | POLLERR | POLLHUP, poll_now(self->p.tx, POLLOUT));
	EXPECT_EQ(ECONNRESET, get_int(self->p.tx, SOL_SOCKET, SO_ERROR));
	while (recv(self->p.rx, buf, sizeof(buf), 0) > 0)
		;
	EXPECT_EQ(ECONNRESET, errno);
}

/* The new connection has nothing of the old one. */
TEST_F(surface, reconnect)
{
	int listener = socket(variant->family, SOCK_STREAM, 0), server;
	struct address addr;
	ssize_t queued;

	ASSERT_EQ(0, surface_listen(listener, variant->family, &addr));
	ASSERT_LT(0, backlog(self->p.tx));
	ASSERT_EQ(0, set_int(self->p.tx, SOL_SOCKET, SO_SNDBUF, 60000));
	ASSERT_EQ(2, send(self->p.tx, "ab", 2, MSG_MORE | MSG_DONTWAIT));
	ASSERT_EQ(0, disconnect(self->p.tx));
	ASSERT_EQ(0, surface_connect(self->p.tx, &addr));
	server = accept(listener, NULL, NULL);
	ASSERT_EQ(3, send(self->p.tx, "new", 3, 0));
	EXPECT_BYTES(server, "new");
	queued = fill_bytes(self->p.tx);
	ASSERT_LT(0, queued);
	ASSERT_EQ(0, close(self->p.tx));
	self->p.tx = -1;
	EXPECT_EQ(queued, read_pattern(server, 0, -1));
	close(server);
	close(listener);
}

/* A client becomes a listener; what it accepts has what it has. */
TEST_F(surface, listen_after_disconnect)
{
	int client = socket(variant->family, SOCK_STREAM, 0), server;
	struct address addr;
	char name[16];

	ASSERT_EQ(0, disconnect(self->p.tx));
	ASSERT_EQ(0, surface_listen(self->p.tx, variant->family, &addr));
	ASSERT_EQ(0, surface_connect(client, &addr));
	server = accept(self->p.tx, NULL, NULL);
	ASSERT_EQ(4, send(server, "data", 4, 0));
	EXPECT_BYTES(client, "data");
	ulp_name(server, name);
	EXPECT_STREQ(is_cats() ? "cats" : "", name);
	close(server);
	close(client);
}

/* A listener becomes a client. */
TEST_F(surface, connect_after_listen)
{
	int old = socket(variant->family, SOCK_STREAM, 0), server;
	int listener = socket(variant->family, SOCK_STREAM, 0);
	struct address addr, own;

	if (is_cats())
		ASSERT_EQ(0, attach(old));
	ASSERT_EQ(0, surface_listen(listener, variant->family, &addr));
	ASSERT_EQ(0, surface_listen(old, variant->family, &own));
	EXPECT_ERRNO(EISCONN, surface_connect(old, &addr));
	ASSERT_EQ(0, shutdown(old, SHUT_RD));
	ASSERT_EQ(0, surface_connect(old, &addr));
	server = accept(listener, NULL, NULL);
	ASSERT_EQ(4, send(old, "data", 4, 0));
	EXPECT_BYTES(server, "data");
	close(server);
	close(listener);
	close(old);
}

TEST_F(surface, send_on_a_listener)
{
	int fd = socket(variant->family, SOCK_STREAM, 0);
	struct address addr;

	ASSERT_EQ(0, surface_listen(fd, variant->family, &addr));
	if (is_cats())
		ASSERT_EQ(0, attach(fd));
	EXPECT_ERRNO(EPIPE, send(fd, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(0, poll_now(fd, POLLIN | POLLOUT));
	close(fd);
}

TEST_F(surface, send_before_connect)
{
	int fd = socket(variant->family, SOCK_STREAM, 0);

	if (is_cats())
		ASSERT_EQ(0, attach(fd));
	EXPECT_ERRNO(EPIPE, send(fd, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(POLLOUT | POLLHUP, poll_now(fd, POLLOUT));
	EXPECT_ERRNO(ENOTCONN, shutdown(fd, SHUT_WR));
	close(fd);
}

/* A write during the handshake: EAGAIN, or it waits. */
TEST_F(surface, send_while_connecting)
{
	int listener = socket(variant->family, SOCK_STREAM, 0), server;
	int fd = socket(variant->family, SOCK_STREAM, 0);
	struct address addr;

	if (is_cats())
		ASSERT_EQ(0, attach(fd));
	ASSERT_EQ(0, surface_listen(listener, variant->family, &addr));
	ASSERT_EQ(0, loopback_netem("delay 10ms"));
	ASSERT_EQ(0, fcntl(fd, F_SETFL, O_NONBLOCK));
	EXPECT_ERRNO(EINPROGRESS, surface_connect(fd, &addr));
	EXPECT_EQ(0, poll_now(fd, POLLOUT));
	EXPECT_ERRNO(EAGAIN, send(fd, "x", 1, 0));
	ASSERT_EQ(0, fcntl(fd, F_SETFL, 0));
	EXPECT_EQ(4, send(fd, "data", 4, 0));
	server = accept(listener, NULL, NULL);
	EXPECT_BYTES(server, "data");
	close(server);
	close(fd);
	close(listener);
}

TEST_F(surface, connect_refused)
{
	int listener = socket(variant->family, SOCK_STREAM, 0);
	int fd = socket(variant->family, SOCK_STREAM, 0);
	struct address addr;

	if (is_cats())
		ASSERT_EQ(0, attach(fd));
	ASSERT_EQ(0, surface_listen(listener, variant->family, &addr));
	close(listener);
	EXPECT_ERRNO(ECONNREFUSED, surface_connect(fd, &addr));
	EXPECT_ERRNO(EPIPE, send(fd, "x", 1, MSG_NOSIGNAL));
	close(fd);
}

static void fill_id(struct inet_diag_sockid *id, const struct address *src,
		    const struct address *dst)
{
	const struct sockaddr_in *s4 = (void *)&src->ss, *d4 = (void *)&dst->ss;
	const struct sockaddr_in6 *s6 = (void *)&src->ss, *d6 = (void *)&dst->ss;

	id->idiag_sport = s4->sin_port;
	id->idiag_dport = d4->sin_port;
	id->idiag_cookie[0] = INET_DIAG_NOCOOKIE;
	id->idiag_cookie[1] = INET_DIAG_NOCOOKIE;
	if (src->ss.ss_family == AF_INET) {
		id->idiag_src[0] = s4->sin_addr.s_addr;
		id->idiag_dst[0] = d4->sin_addr.s_addr;
		return;
	}
	memcpy(id->idiag_src, &s6->sin6_addr, 16);
	memcpy(id->idiag_dst, &d6->sin6_addr, 16);
}

/* As ss -K; 0 or an errno. */
static int destroy_socket(int family, int fd)
{
	struct {
		struct nlmsghdr head;
		struct inet_diag_req_v2 req;
	} msg = {
		.head = {
			.nlmsg_len = sizeof(msg), .nlmsg_type = SOCK_DESTROY,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
		},
		.req = {
			.sdiag_family = family, .sdiag_protocol = IPPROTO_TCP,
			.idiag_states = -1,
		},
	};
	struct address src = { .len = sizeof(src.ss) }, dst = { .len = sizeof(dst.ss) };
	struct {
		struct nlmsghdr head;
		struct nlmsgerr err;
		char rest[512];
	} answer;
	int nl = socket(AF_NETLINK, SOCK_DGRAM, NETLINK_SOCK_DIAG), err = EIO;

	getsockname(fd, (struct sockaddr *)&src.ss, &src.len);
	getpeername(fd, (struct sockaddr *)&dst.ss, &dst.len);
	fill_id(&msg.req.id, &src, &dst);
	if (send(nl, &msg, sizeof(msg), 0) == sizeof(msg) &&
	    recv(nl, &answer, sizeof(answer), 0) > 0 && answer.head.nlmsg_type == NLMSG_ERROR)
		err = -answer.err.error;
	close(nl);
	return err;
}

TEST_F(surface, abort_with_a_backlog)
{
	short all = POLLIN | POLLOUT | POLLRDHUP;
	char buf[4096];

	ASSERT_LT(0, backlog(self->p.tx));
	ASSERT_EQ(0, destroy_socket(variant->family, self->p.tx));
	EXPECT_EQ(STATE_CLOSE, tcp_state(self->p.tx));
	EXPECT_EQ(all | POLLERR | POLLHUP, poll_now(self->p.tx, all));
	EXPECT_ERRNO(ECONNABORTED, send(self->p.tx, "x", 1, MSG_NOSIGNAL));
	EXPECT_ERRNO(EPIPE, send(self->p.tx, "x", 1, MSG_NOSIGNAL));
	while (recv(self->p.rx, buf, sizeof(buf), 0) > 0)
		;
	EXPECT_EQ(ECONNRESET, errno);
}

TEST_F(surface, abort_ends_a_blocked_write)
{
	struct blocked_write w;

	ASSERT_EQ(0, start_blocked(&w, self->p.tx, UNTAGGED, 6000000));
	ASSERT_EQ(0, destroy_socket(variant->family, self->p.tx));
	pthread_join(w.thread, NULL);
	EXPECT_LT(0, w.ret);
	EXPECT_ERRNO(ECONNABORTED, send(self->p.tx, "x", 1, MSG_NOSIGNAL));
}

TEST_F(surface, abort_of_a_closed_socket)
{
	ASSERT_EQ(0, disconnect(self->p.tx));
	EXPECT_EQ(ENOENT, destroy_socket(variant->family, self->p.tx));
}

/* SO_SNDTIMEO and SO_RCVTIMEO, in virtual time. */
TEST_F(surface, send_timeout)
{
	struct timeval tv = { .tv_sec = 2 };
	ssize_t queued = backlog(self->p.tx);
	uint64_t start = now_ms();

	ASSERT_LT(0, queued);
	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)));
	EXPECT_ERRNO(EAGAIN, send(self->p.tx, "x", 1, 0));
	EXPECT_LE(1990, now_ms() - start);
	EXPECT_GE(2100, now_ms() - start);
}

TEST_F(surface, send_timeout_keeps_the_accepted_part)
{
	struct timeval tv = { .tv_usec = 500000 };
	char *buf = calloc(1, 1 << 20);
	ssize_t n, got = 0;

	ASSERT_EQ(0, set_int(self->p.tx, SOL_SOCKET, SO_SNDBUF, 30000));
	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)));
	n = send(self->p.tx, buf, 1 << 20, 0);
	ASSERT_LT(0, n);
	EXPECT_GT(1 << 20, n);
	ASSERT_EQ(0, shutdown(self->p.tx, SHUT_WR));
	while (got < n) {
		ssize_t part = recv(self->p.rx, buf, 4096, 0);

		ASSERT_LT(0, part);
		got += part;
	}
	EXPECT_EQ(n, got);
	EXPECT_EQ(0, recv(self->p.rx, buf, 1, 0));
	free(buf);
}

TEST_F(surface, receive_timeout)
{
	struct timeval tv = { .tv_sec = 1 };
	uint64_t start = now_ms();
	char c;

	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	EXPECT_ERRNO(EAGAIN, recv(self->p.tx, &c, 1, 0));
	EXPECT_LE(990, now_ms() - start);
	EXPECT_GE(1100, now_ms() - start);
}

TEST_HARNESS_MAIN
