// SPDX-License-Identifier: GPL-2.0
/* TCP Fast Open, by the client and by the server. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "surface.h"

/**
 * struct fastopen - a server and what connects to it
 * @listener: with Fast Open
 * @addr: of it; the address is a new one for each test, because the kernel keeps
 *	cookies per address
 */
FIXTURE(fastopen)
{
	int listener;
	struct address addr;
};

FIXTURE_VARIANT(fastopen)
{
	enum attach_way way;
};

FIXTURE_VARIANT_ADD(fastopen, tcp)
{
	.way = WAY_TCP,
};

FIXTURE_VARIANT_ADD(fastopen, client)
{
	.way = WAY_EARLY,
};

FIXTURE_VARIANT_ADD(fastopen, server)
{
	.way = WAY_CHILD,
};

FIXTURE_SETUP(fastopen)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&self->addr.ss;

	ASSERT_EQ(0, write_sysctl("net/ipv4/tcp_fastopen", "3"));
	self->listener = socket(AF_INET, SOCK_STREAM, 0);
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK + getpid() % 65000 * 256);
	self->addr.len = sizeof(*in);
	if (variant->way == WAY_CHILD)
		ASSERT_EQ(0, attach(self->listener));
	ASSERT_EQ(0, bind(self->listener, (struct sockaddr *)in, self->addr.len));
	ASSERT_EQ(0, set_int(self->listener, IPPROTO_TCP, TCP_FASTOPEN, 8));
	ASSERT_EQ(0, listen(self->listener, 8));
	ASSERT_EQ(0, getsockname(self->listener, (struct sockaddr *)in, &self->addr.len));
}

FIXTURE_TEARDOWN(fastopen)
{
	loopback_netem(NULL);
	close(self->listener);
}

static ssize_t send_syn(int fd, const struct address *addr, const void *buf, size_t len,
			int flags)
{
	return sendto(fd, buf, len, MSG_FASTOPEN | flags, (struct sockaddr *)&addr->ss,
		      addr->len);
}

/* The SYN carried data that the server took. */
static bool syn_had_data(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	return !getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) &&
	       info.tcpi_options & TCPI_OPT_SYN_DATA;
}

/* A first connection, for the cookie. */
static void get_cookie(struct __test_metadata *_metadata, int listener,
		       const struct address *addr)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), server;

	ASSERT_EQ(6, send_syn(fd, addr, "cookie", 6, 0));
	server = accept(listener, NULL, NULL);
	EXPECT_BYTES(server, "cookie");
	EXPECT_FALSE(syn_had_data(fd));
	close(fd);
	close(server);
}

TEST_F(fastopen, without_cookie)
{
	int fd = surface_socket(variant->way, AF_INET), server;

	ASSERT_EQ(5, send_syn(fd, &self->addr, "hello", 5, 0));
	server = accept(self->listener, NULL, NULL);
	EXPECT_BYTES(server, "hello");
	EXPECT_FALSE(syn_had_data(fd));
	ASSERT_EQ(5, send(fd, "again", 5, 0));
	EXPECT_BYTES(server, "again");
	close(fd);
	close(server);
}

TEST_F(fastopen, with_cookie)
{
	int fd = surface_socket(variant->way, AF_INET), server;

	get_cookie(_metadata, self->listener, &self->addr);
	ASSERT_EQ(5, send_syn(fd, &self->addr, "hello", 5, 0));
	ASSERT_EQ(4, send(fd, "more", 4, 0));
	server = accept(self->listener, NULL, NULL);
	EXPECT_BYTES(server, "hellomore");
	EXPECT_TRUE(syn_had_data(fd));
	ASSERT_EQ(5, send(server, "reply", 5, 0));
	EXPECT_BYTES(fd, "reply");
	close(fd);
	close(server);
}

TEST_F(fastopen, without_cookie_nonblocking)
{
	int fd = surface_socket(variant->way, AF_INET), server;

	ASSERT_EQ(0, loopback_netem("delay 50ms"));
	EXPECT_EQ(-1, send_syn(fd, &self->addr, "hello", 5, MSG_DONTWAIT));
	EXPECT_EQ(EINPROGRESS, errno);
	EXPECT_EQ(-1, send_syn(fd, &self->addr, "hello", 5, MSG_DONTWAIT));
	EXPECT_EQ(EALREADY, errno);
	ASSERT_EQ(POLLOUT, poll_for(fd, POLLOUT, 1000));
	ASSERT_EQ(5, send(fd, "later", 5, 0));
	server = accept(self->listener, NULL, NULL);
	EXPECT_BYTES(server, "later");
	close(fd);
	close(server);
}

/* It returns what the SYN took. */
TEST_F(fastopen, with_cookie_nonblocking)
{
	int fd = surface_socket(variant->way, AF_INET), server;
	char buf[100000] = "start";
	ssize_t n;

	get_cookie(_metadata, self->listener, &self->addr);
	ASSERT_EQ(0, loopback_netem("delay 50ms"));
	n = send_syn(fd, &self->addr, buf, sizeof(buf), MSG_DONTWAIT);
	EXPECT_LT(1000, n);
	EXPECT_GT(1500, n);
	server = accept(self->listener, NULL, NULL);
	EXPECT_EQ(n, recv(server, buf, n, MSG_WAITALL));
	ASSERT_EQ(POLLOUT, poll_for(fd, POLLOUT, 1000));
	ASSERT_EQ(3, send(fd, "end", 3, 0));
	EXPECT_BYTES(server, "end");
	close(fd);
	close(server);
}

/* More than the SYN takes: the rest follows in order. */
static void large(struct __test_metadata *_metadata, int fd, int listener,
		  const struct address *addr)
{
	enum { LEN = 30000 };
	char *out = malloc(LEN), *in = malloc(LEN);
	int i, server;

	for (i = 0; i < LEN; i++)
		out[i] = i * 7 + (i >> 8);
	ASSERT_EQ(LEN, send_syn(fd, addr, out, LEN, 0));
	server = accept(listener, NULL, NULL);
	ASSERT_EQ(LEN, recv(server, in, LEN, MSG_WAITALL));
	EXPECT_EQ(0, memcmp(in, out, LEN));
	free(in);
	free(out);
	close(server);
}

TEST_F(fastopen, large_without_cookie)
{
	int fd = surface_socket(variant->way, AF_INET);

	large(_metadata, fd, self->listener, &self->addr);
	EXPECT_FALSE(syn_had_data(fd));
	close(fd);
}

TEST_F(fastopen, large_with_cookie)
{
	int fd = surface_socket(variant->way, AF_INET);

	get_cookie(_metadata, self->listener, &self->addr);
	large(_metadata, fd, self->listener, &self->addr);
	EXPECT_TRUE(syn_had_data(fd));
	close(fd);
}

/* connect() sends nothing yet, the first write sends the SYN. */
TEST_F(fastopen, connect_option)
{
	int fd = surface_socket(variant->way, AF_INET), server;

	get_cookie(_metadata, self->listener, &self->addr);
	ASSERT_EQ(0, set_int(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1));
	ASSERT_EQ(0, surface_connect(fd, &self->addr));
	EXPECT_EQ(STATE_SYN_SENT, tcp_state(fd));
	EXPECT_EQ(POLLOUT, poll_now(fd, POLLOUT));
	EXPECT_EQ(0, poll_for(self->listener, POLLIN, 100));
	ASSERT_EQ(5, send(fd, "hello", 5, 0));
	server = accept(self->listener, NULL, NULL);
	EXPECT_BYTES(server, "hello");
	EXPECT_TRUE(syn_had_data(fd));
	close(fd);
	close(server);
}

TEST_F(fastopen, connect_option_without_cookie)
{
	int fd = surface_socket(variant->way, AF_INET), server;

	ASSERT_EQ(0, set_int(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1));
	ASSERT_EQ(0, surface_connect(fd, &self->addr));
	EXPECT_EQ(STATE_ESTABLISHED, tcp_state(fd));
	ASSERT_EQ(5, send(fd, "hello", 5, 0));
	server = accept(self->listener, NULL, NULL);
	EXPECT_BYTES(server, "hello");
	EXPECT_FALSE(syn_had_data(fd));
	close(fd);
	close(server);
}

TEST_F(fastopen, no_cookie_option)
{
	int fd = surface_socket(variant->way, AF_INET), server;

	ASSERT_EQ(0, set_int(self->listener, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, 1));
	ASSERT_EQ(0, set_int(fd, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, 1));
	ASSERT_EQ(5, send_syn(fd, &self->addr, "hello", 5, 0));
	server = accept(self->listener, NULL, NULL);
	EXPECT_BYTES(server, "hello");
	EXPECT_TRUE(syn_had_data(fd));
	close(fd);
	close(server);
}

TEST_F(fastopen, switched_off)
{
	int fd = surface_socket(variant->way, AF_INET);

	ASSERT_EQ(0, write_sysctl("net/ipv4/tcp_fastopen", "2"));
	EXPECT_EQ(-1, send_syn(fd, &self->addr, "hello", 5, 0));
	EXPECT_EQ(EOPNOTSUPP, errno);
	close(fd);
}

TEST_F(fastopen, twice)
{
	int fd = surface_socket(variant->way, AF_INET);

	ASSERT_EQ(5, send_syn(fd, &self->addr, "hello", 5, 0));
	EXPECT_EQ(-1, send_syn(fd, &self->addr, "hello", 5, 0));
	EXPECT_EQ(EISCONN, errno);
	close(fd);
}

TEST_F(fastopen, refused)
{
	int fd = surface_socket(variant->way, AF_INET);

	ASSERT_EQ(0, close(self->listener));
	EXPECT_EQ(-1, send_syn(fd, &self->addr, "hello", 5, 0));
	EXPECT_EQ(ECONNREFUSED, errno);
	close(fd);
}

/* The server writes before the handshake is complete. */
TEST_F(fastopen, server_writes_first)
{
	int fd = surface_socket(variant->way, AF_INET), server;

	get_cookie(_metadata, self->listener, &self->addr);
	ASSERT_EQ(0, loopback_netem("delay 50ms"));
	ASSERT_EQ(5, send_syn(fd, &self->addr, "hello", 5, 0));
	server = accept(self->listener, NULL, NULL);
	EXPECT_EQ(STATE_SYN_RECV, tcp_state(server));
	ASSERT_EQ(POLLOUT, poll_now(server, POLLOUT));
	ASSERT_EQ(5, send(server, "reply", 5, 0));
	EXPECT_EQ(STATE_SYN_RECV, tcp_state(server));
	EXPECT_BYTES(server, "hello");
	EXPECT_BYTES(fd, "reply");
	close(fd);
	close(server);
}

/* A server that ends before the handshake does. */
TEST_F(fastopen, server_closes_first)
{
	int fd = surface_socket(variant->way, AF_INET), server;
	char c;

	get_cookie(_metadata, self->listener, &self->addr);
	ASSERT_EQ(0, loopback_netem("delay 50ms"));
	ASSERT_EQ(5, send_syn(fd, &self->addr, "hello", 5, 0));
	server = accept(self->listener, NULL, NULL);
	EXPECT_BYTES(server, "hello");
	ASSERT_EQ(5, send(server, "reply", 5, 0));
	ASSERT_EQ(0, close(server));
	EXPECT_BYTES(fd, "reply");
	EXPECT_EQ(0, recv(fd, &c, 1, 0));
	close(fd);
}

/* Tagged, as by a program that always tags; plain TCP ignores the tag. */
TEST_F(fastopen, tagged)
{
	int fd = surface_socket(variant->way, AF_INET), server;
	__u32 urgency = 1;
	char control[CMSG_SPACE(sizeof(urgency))] __attribute__((aligned(8))) = {};
	struct cmsghdr *cmsg = (struct cmsghdr *)control;
	struct iovec iov = { "hello", 5 };
	struct msghdr msg = {
		.msg_name = &self->addr.ss, .msg_namelen = self->addr.len,
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};

	cmsg->cmsg_level = SOL_CATS;
	cmsg->cmsg_type = CATS_TAG;
	cmsg->cmsg_len = CMSG_LEN(sizeof(urgency));
	memcpy(CMSG_DATA(cmsg), &urgency, sizeof(urgency));
	get_cookie(_metadata, self->listener, &self->addr);
	ASSERT_EQ(5, sendmsg(fd, &msg, MSG_FASTOPEN));
	server = accept(self->listener, NULL, NULL);
	EXPECT_BYTES(server, "hello");
	EXPECT_TRUE(syn_had_data(fd));
	close(fd);
	close(server);
}

TEST_HARNESS_MAIN
