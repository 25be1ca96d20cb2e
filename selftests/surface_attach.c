// SPDX-License-Identifier: GPL-2.0
/* Attaching in each state of a socket, and what accepted sockets inherit. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "surface.h"

FIXTURE(inherit)
{
	int listener;
	int client;
	struct address addr;
};

FIXTURE_VARIANT(inherit)
{
	int family;
};

FIXTURE_VARIANT_ADD(inherit, v4)
{
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(inherit, v6)
{
	.family = AF_INET6,
};

FIXTURE_SETUP(inherit)
{
	int size = SMALL_RCVBUF;

	self->listener = socket(variant->family, SOCK_STREAM, 0);
	self->client = socket(variant->family, SOCK_STREAM, 0);
	setsockopt(self->client, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	ASSERT_EQ(0, surface_listen(self->listener, variant->family, &self->addr));
}

FIXTURE_TEARDOWN(inherit)
{
	loopback_netem(NULL);
	close(self->client);
	close(self->listener);
}

static bool is_attached(int fd)
{
	char name[16] = "";
	socklen_t len = sizeof(name);

	return !getsockopt(fd, IPPROTO_TCP, TCP_ULP, name, &len) && !strcmp(name, "cats");
}

static int set_tag(int fd, uint32_t urgency)
{
	return setsockopt(fd, SOL_CATS, CATS_TAG, &urgency, sizeof(urgency));
}

static int get_tag(int fd)
{
	struct cats_tag tag;
	socklen_t len = sizeof(tag);

	return getsockopt(fd, SOL_CATS, CATS_TAG, &tag, &len) ? -1 : (int)tag.urgency;
}

/* Slow beside the writes, on a kernel with sanitizers, too; bytes/s. */
#define CRAWL_RATE	(100 * 1000)

/* Urgent overtakes bulk that waits; what fits the first window does not. */
static void expect_scheduling(struct __test_metadata *_metadata, int tx, int rx)
{
	struct frame frame;
	int i, place = -1;

	ASSERT_EQ(0, set_int(tx, SOL_SOCKET, SO_MAX_PACING_RATE, CRAWL_RATE));
	for (i = 0; i < 40; i++)
		ASSERT_EQ(1000, send_frame(tx, 7, i, 1000, MSG_DONTWAIT));
	ASSERT_EQ(1000, send_frame(tx, 0, 99, 1000, MSG_DONTWAIT));
	for (i = 0; i < 41; i++) {
		ASSERT_EQ(1, read_frame(rx, &frame));
		if (frame.id == 99)
			place = i;
	}
	EXPECT_LE(0, place);
	EXPECT_GT(30, place);
}

TEST_F(inherit, accepted_sockets_are_attached)
{
	int fd;

	ASSERT_EQ(0, attach(self->listener));
	ASSERT_EQ(0, surface_connect(self->client, &self->addr));
	fd = accept(self->listener, NULL, NULL);
	EXPECT_TRUE(is_attached(fd));
	EXPECT_EQ(-1, attach(fd));
	EXPECT_EQ(EEXIST, errno);
	expect_scheduling(_metadata, fd, self->client);
	close(fd);
}

TEST_F(inherit, settings)
{
	struct cats_debt_params set, got;
	char name[CATS_CONDUCTOR_NAME_MAX] = "";
	socklen_t len = sizeof(set);
	int fd;

	ASSERT_EQ(0, attach(self->listener));
	ASSERT_EQ(0, set_conductor(self->listener, "debt-paper"));
	ASSERT_EQ(0, getsockopt(self->listener, SOL_CATS, CATS_DEBT_PARAMS, &set, &len));
	set.high[3] += 1000;
	ASSERT_EQ(0, setsockopt(self->listener, SOL_CATS, CATS_DEBT_PARAMS, &set, sizeof(set)));
	ASSERT_EQ(0, set_tag(self->listener, 6));
	ASSERT_EQ(0, surface_connect(self->client, &self->addr));
	fd = accept(self->listener, NULL, NULL);
	EXPECT_EQ(6, get_tag(fd));
	len = sizeof(name);
	ASSERT_EQ(0, getsockopt(fd, SOL_CATS, CATS_CONDUCTOR, name, &len));
	EXPECT_STREQ("debt-paper", name);
	len = sizeof(got);
	ASSERT_EQ(0, getsockopt(fd, SOL_CATS, CATS_DEBT_PARAMS, &got, &len));
	EXPECT_EQ(0, memcmp(&set, &got, sizeof(set)));
	close(fd);
}

TEST_F(inherit, settings_are_those_of_the_handshake)
{
	int fd;

	ASSERT_EQ(0, attach(self->listener));
	ASSERT_EQ(0, set_tag(self->listener, 6));
	ASSERT_EQ(0, surface_connect(self->client, &self->addr));
	ASSERT_EQ(0, set_tag(self->listener, 1));
	fd = accept(self->listener, NULL, NULL);
	EXPECT_EQ(6, get_tag(fd));
	ASSERT_EQ(0, set_tag(fd, 4));
	EXPECT_EQ(1, get_tag(self->listener));
	close(fd);
}

/* Only what comes in afterwards. */
TEST_F(inherit, connections_before_attach_stay_plain)
{
	int other = socket(variant->family, SOCK_STREAM, 0), fd;

	ASSERT_EQ(0, surface_connect(self->client, &self->addr));
	ASSERT_EQ(0, attach(self->listener));
	ASSERT_EQ(0, surface_connect(other, &self->addr));
	fd = accept(self->listener, NULL, NULL);
	EXPECT_FALSE(is_attached(fd));
	EXPECT_EQ(0, attach(fd));
	expect_scheduling(_metadata, fd, self->client);
	close(fd);
	fd = accept(self->listener, NULL, NULL);
	EXPECT_TRUE(is_attached(fd));
	close(fd);
	close(other);
}

TEST_F(inherit, children_outlive_the_listener)
{
	int fd;

	ASSERT_EQ(0, attach(self->listener));
	ASSERT_EQ(0, surface_connect(self->client, &self->addr));
	fd = accept(self->listener, NULL, NULL);
	ASSERT_EQ(0, close(self->listener));
	expect_scheduling(_metadata, fd, self->client);
	close(fd);
}

/* A connection that nobody accepts ends with the listener. */
TEST_F(inherit, unaccepted_children_are_reset)
{
	char c;

	ASSERT_EQ(0, attach(self->listener));
	ASSERT_EQ(0, surface_connect(self->client, &self->addr));
	ASSERT_EQ(0, close(self->listener));
	EXPECT_EQ(-1, recv(self->client, &c, 1, 0));
	EXPECT_EQ(ECONNRESET, errno);
}

TEST_F(inherit, accept4_flags)
{
	int fd;

	ASSERT_EQ(0, attach(self->listener));
	ASSERT_EQ(0, surface_connect(self->client, &self->addr));
	fd = accept4(self->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	EXPECT_TRUE(fcntl(fd, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_TRUE(is_attached(fd));
	while (send(fd, (char[1000]) {}, 1000, 0) > 0)
		;
	EXPECT_EQ(EAGAIN, errno);
	close(fd);
}

TEST_F(inherit, many_children)
{
	int clients[20], fds[20], i;

	ASSERT_EQ(0, listen(self->listener, 20));
	ASSERT_EQ(0, attach(self->listener));
	for (i = 0; i < 20; i++) {
		clients[i] = socket(variant->family, SOCK_STREAM, 0);
		ASSERT_EQ(0, surface_connect(clients[i], &self->addr));
	}
	for (i = 0; i < 20; i++) {
		fds[i] = accept(self->listener, NULL, NULL);
		EXPECT_TRUE(is_attached(fds[i]));
		ASSERT_EQ(100, send_frame(fds[i], i % 8, i, 100, 0));
	}
	for (i = 0; i < 20; i++) {
		struct frame frame;

		EXPECT_EQ(1, read_frame(clients[i], &frame));
		close(fds[i]);
		close(clients[i]);
	}
}

TEST_F(inherit, attach_before_connect)
{
	int fd;

	ASSERT_EQ(0, attach(self->client));
	ASSERT_EQ(0, set_tag(self->client, 5));
	ASSERT_EQ(0, surface_connect(self->client, &self->addr));
	fd = accept(self->listener, NULL, NULL);
	EXPECT_FALSE(is_attached(fd));
	EXPECT_EQ(5, get_tag(self->client));
	ASSERT_EQ(0, set_int(fd, SOL_SOCKET, SO_RCVBUF, SMALL_RCVBUF));
	expect_scheduling(_metadata, self->client, fd);
	close(fd);
}

TEST_F(inherit, attach_in_syn_sent)
{
	int fd;

	ASSERT_EQ(0, loopback_netem("delay 50ms"));
	ASSERT_EQ(0, fcntl(self->client, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-1, surface_connect(self->client, &self->addr));
	ASSERT_EQ(STATE_SYN_SENT, tcp_state(self->client));
	EXPECT_EQ(0, attach(self->client));
	ASSERT_EQ(POLLOUT, poll_for(self->client, POLLOUT, 1000));
	fd = accept(self->listener, NULL, NULL);
	expect_scheduling(_metadata, self->client, fd);
	close(fd);
}

/* A server that got the data with the SYN, before the handshake is complete. */
TEST_F(inherit, attach_in_syn_recv)
{
	struct sockaddr *sa = (struct sockaddr *)&self->addr.ss;
	int fd;

	ASSERT_EQ(0, write_sysctl("net/ipv4/tcp_fastopen", "3"));
	ASSERT_EQ(0, set_int(self->listener, IPPROTO_TCP, TCP_FASTOPEN, 8));
	ASSERT_EQ(0, set_int(self->listener, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, 1));
	ASSERT_EQ(0, set_int(self->client, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, 1));
	ASSERT_EQ(0, loopback_netem("delay 50ms"));
	ASSERT_EQ(2, sendto(self->client, "hi", 2, MSG_FASTOPEN, sa, self->addr.len));
	fd = accept(self->listener, NULL, NULL);
	ASSERT_EQ(STATE_SYN_RECV, tcp_state(fd));
	EXPECT_EQ(0, attach(fd));
	expect_scheduling(_metadata, fd, self->client);
	close(fd);
}

TEST_F(inherit, attach_in_close_wait)
{
	int fd;
	char c;

	ASSERT_EQ(0, surface_connect(self->client, &self->addr));
	fd = accept(self->listener, NULL, NULL);
	ASSERT_EQ(0, shutdown(self->client, SHUT_WR));
	ASSERT_EQ(0, recv(fd, &c, 1, 0));
	ASSERT_EQ(STATE_CLOSE_WAIT, tcp_state(fd));
	EXPECT_EQ(0, attach(fd));
	expect_scheduling(_metadata, fd, self->client);
	close(fd);
}

static void expect_notconn(struct __test_metadata *_metadata, int fd, int state)
{
	ASSERT_EQ(state, tcp_state(fd));
	EXPECT_EQ(-1, attach(fd));
	EXPECT_EQ(ENOTCONN, errno);
	EXPECT_FALSE(is_attached(fd));
}

/* Nothing will be sent any more. */
TEST_F(inherit, no_attach_after_our_fin)
{
	int fd;

	ASSERT_EQ(0, surface_connect(self->client, &self->addr));
	fd = accept(self->listener, NULL, NULL);
	ASSERT_EQ(0, loopback_netem("delay 50ms"));
	ASSERT_EQ(0, shutdown(fd, SHUT_WR));
	expect_notconn(_metadata, fd, STATE_FIN_WAIT1);
	ASSERT_TRUE(wait_state(fd, STATE_FIN_WAIT2));
	expect_notconn(_metadata, fd, STATE_FIN_WAIT2);
	ASSERT_EQ(0, shutdown(self->client, SHUT_WR));
	expect_notconn(_metadata, self->client, STATE_LAST_ACK);
	close(fd);
}

TEST_F(inherit, no_attach_in_closing)
{
	int fd;

	ASSERT_EQ(0, surface_connect(self->client, &self->addr));
	fd = accept(self->listener, NULL, NULL);
	ASSERT_EQ(0, loopback_netem("delay 50ms"));
	ASSERT_EQ(0, shutdown(fd, SHUT_WR));
	ASSERT_EQ(0, shutdown(self->client, SHUT_WR));
	ASSERT_TRUE(wait_state(fd, STATE_CLOSING));
	expect_notconn(_metadata, fd, STATE_CLOSING);
	close(fd);
}

TEST_F(inherit, attach_after_disconnect)
{
	struct sockaddr unspec = { .sa_family = AF_UNSPEC };
	int fd;

	ASSERT_EQ(0, surface_connect(self->client, &self->addr));
	close(accept(self->listener, NULL, NULL));
	ASSERT_EQ(0, connect(self->client, &unspec, sizeof(unspec)));
	EXPECT_EQ(0, attach(self->client));
	ASSERT_EQ(0, surface_connect(self->client, &self->addr));
	fd = accept(self->listener, NULL, NULL);
	ASSERT_EQ(0, set_int(fd, SOL_SOCKET, SO_RCVBUF, SMALL_RCVBUF));
	expect_scheduling(_metadata, self->client, fd);
	close(fd);
}

TEST_HARNESS_MAIN
