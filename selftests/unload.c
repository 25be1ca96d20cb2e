// SPDX-License-Identifier: GPL-2.0
/* Module life: no unloading while a socket uses it, cleanly afterwards. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cats_test.h"
#include "kselftest_harness.h"
#include "module.h"

TEST(refused_while_attached)
{
	struct frame frame;
	struct pair p;

	ASSERT_EQ(0, pair_open(&p, AF_INET));
	ASSERT_EQ(0, attach(p.tx));
	EXPECT_EQ(-1, module_unload());
	EXPECT_EQ(EWOULDBLOCK, errno);
	/* The refusal did no harm. */
	ASSERT_EQ(100, send_frame(p.tx, 0, 1, 100, 0));
	ASSERT_EQ(1, read_frame(p.rx, &frame));
	pair_close(&p);
	ASSERT_EQ(0, module_unload_soon());
	ASSERT_EQ(0, module_load());
}

/* Closed with a backlog: TCP still sends, our code is no longer needed. */
TEST(after_close_with_backlog)
{
	struct frame frame;
	struct pair p;
	int i;

	ASSERT_EQ(0, pair_open(&p, AF_INET));
	ASSERT_EQ(0, attach(p.tx));
	for (i = 0; i < 30; i++)
		ASSERT_EQ(1000, send_frame(p.tx, 7, i, 1000, 0));
	ASSERT_EQ(0, close(p.tx));
	p.tx = -1;
	for (i = 0; i < 30; i++) {
		ASSERT_EQ(1, read_frame(p.rx, &frame));
		ASSERT_EQ(i, frame.id);
	}
	EXPECT_EQ(0, read_frame(p.rx, &frame));
	pair_close(&p);
	ASSERT_EQ(0, module_unload_soon());
	ASSERT_EQ(0, module_load());
}

TEST(attach_without_the_module)
{
	struct pair p;

	ASSERT_EQ(0, module_unload_soon());
	ASSERT_EQ(0, pair_open(&p, AF_INET));
	EXPECT_EQ(-1, attach(p.tx));
	EXPECT_EQ(ENOENT, errno);
	ASSERT_EQ(0, module_load());
	EXPECT_EQ(0, attach(p.tx));
	pair_close(&p);
}

/* A socket that nobody has accepted, and nobody will: it goes with its listener. */
TEST(child_in_the_accept_queue)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof(addr);
	char c;

	ASSERT_EQ(0, bind(listener, (struct sockaddr *)&addr, len));
	ASSERT_EQ(0, getsockname(listener, (struct sockaddr *)&addr, &len));
	ASSERT_EQ(0, listen(listener, 1));
	ASSERT_EQ(0, attach(listener));
	ASSERT_EQ(0, connect(fd, (struct sockaddr *)&addr, len));
	ASSERT_EQ(100, send_frame(fd, UNTAGGED, 1, 100, 0));
	EXPECT_EQ(-1, module_unload());
	EXPECT_EQ(EWOULDBLOCK, errno);
	ASSERT_EQ(0, close(listener));
	/* What TCP does then. */
	EXPECT_EQ(-1, recv(fd, &c, 1, 0));
	EXPECT_EQ(ECONNRESET, errno);
	ASSERT_EQ(0, module_unload_soon());
	close(fd);
	ASSERT_EQ(0, module_load());
}

/* Closed, and the peer does not read: the end of the connection keeps the module. */
TEST(in_fin_wait_1)
{
	struct frame frame;
	struct pair p;
	int i, n;

	ASSERT_EQ(0, pair_open(&p, AF_INET));
	ASSERT_EQ(0, attach(p.tx));
	n = fill(p.tx, 3, 0, 1000);
	ASSERT_LT(0, n);
	ASSERT_EQ(0, close(p.tx));
	p.tx = -1;
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(-1, module_unload());
		ASSERT_EQ(EWOULDBLOCK, errno);
		poll(NULL, 0, 10);
	}
	for (i = 0; i < n; i++) {
		ASSERT_EQ(1, read_frame(p.rx, &frame));
		ASSERT_EQ(i, frame.id);
	}
	EXPECT_EQ(0, read_frame(p.rx, &frame));
	pair_close(&p);
	ASSERT_EQ(0, module_unload_soon());
	ASSERT_EQ(0, module_load());
}

/* Half closed and still open: reading goes on. */
TEST(in_fin_wait_2)
{
	struct frame frame;
	struct pair p;

	ASSERT_EQ(0, pair_open(&p, AF_INET));
	ASSERT_EQ(0, attach(p.tx));
	ASSERT_EQ(0, shutdown(p.tx, SHUT_WR));
	EXPECT_EQ(0, read_frame(p.rx, &frame));
	EXPECT_EQ(-1, module_unload());
	EXPECT_EQ(EWOULDBLOCK, errno);
	ASSERT_EQ(300, send_frame(p.rx, UNTAGGED, 4, 300, 0));
	ASSERT_EQ(1, read_frame(p.tx, &frame));
	EXPECT_EQ(4, frame.id);
	pair_close(&p);
	ASSERT_EQ(0, module_unload_soon());
	ASSERT_EQ(0, module_load());
}

TEST(many_times)
{
	struct frame frame;
	struct pair p;
	int i;

	for (i = 0; i < 50; i++) {
		ASSERT_EQ(0, pair_open(&p, i % 2 ? AF_INET : AF_INET6));
		ASSERT_EQ(0, attach(p.tx));
		ASSERT_EQ(500, send_frame(p.tx, i % 8, i, 500, 0));
		ASSERT_EQ(1, read_frame(p.rx, &frame));
		pair_close(&p);
		ASSERT_EQ(0, module_unload_soon());
		ASSERT_EQ(0, module_load());
	}
}

TEST_HARNESS_MAIN
