// SPDX-License-Identifier: GPL-2.0
/* Attaching: where it works, where it is refused, and what it leaves alone. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cats_test.h"
#include "kselftest_harness.h"

FIXTURE(attach)
{
	struct pair p;
};

FIXTURE_VARIANT(attach)
{
	int family;
};

FIXTURE_VARIANT_ADD(attach, v4)
{
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(attach, v6)
{
	.family = AF_INET6,
};

FIXTURE_SETUP(attach)
{
	ASSERT_EQ(0, pair_open(&self->p, variant->family));
}

FIXTURE_TEARDOWN(attach)
{
	pair_close(&self->p);
}

TEST_F(attach, connected)
{
	char name[16] = "";
	socklen_t len = sizeof(name);

	ASSERT_EQ(0, attach(self->p.tx));
	ASSERT_EQ(0, getsockopt(self->p.tx, IPPROTO_TCP, TCP_ULP, name, &len));
	EXPECT_STREQ("cats", name);
}

TEST_F(attach, accepted_end_too)
{
	struct frame frame;

	ASSERT_EQ(0, attach(self->p.rx));
	ASSERT_EQ(100, send_frame(self->p.rx, 2, 7, 100, 0));
	ASSERT_EQ(1, read_frame(self->p.tx, &frame));
	EXPECT_EQ(7, frame.id);
}

TEST_F(attach, twice)
{
	ASSERT_EQ(0, attach(self->p.tx));
	EXPECT_EQ(-1, attach(self->p.tx));
	EXPECT_EQ(EEXIST, errno);
}

TEST_F(attach, before_connect)
{
	int fd = socket(variant->family, SOCK_STREAM, 0);

	EXPECT_EQ(0, attach(fd));
	EXPECT_EQ(-1, attach(fd));
	EXPECT_EQ(EEXIST, errno);
	close(fd);
}

TEST_F(attach, listener)
{
	int fd = socket(variant->family, SOCK_STREAM, 0);

	ASSERT_EQ(0, listen(fd, 1));
	EXPECT_EQ(0, attach(fd));
	close(fd);
}

TEST_F(attach, peer_closed_first)
{
	char c;

	close(self->p.rx);
	self->p.rx = -1;
	ASSERT_EQ(0, recv(self->p.tx, &c, 1, 0));
	EXPECT_EQ(0, attach(self->p.tx));
}

/* Nothing will be sent any more. */
TEST_F(attach, after_our_end)
{
	ASSERT_EQ(0, shutdown(self->p.tx, SHUT_WR));
	EXPECT_EQ(-1, attach(self->p.tx));
	EXPECT_EQ(ENOTCONN, errno);
}

TEST_F(attach, defaults)
{
	char name[CATS_CONDUCTOR_NAME_MAX] = "";
	struct cats_tag tag = { .urgency = 99 };
	struct cats_info info;
	socklen_t len = sizeof(tag);

	ASSERT_EQ(0, attach(self->p.tx));
	ASSERT_EQ(0, getsockopt(self->p.tx, SOL_CATS, CATS_TAG, &tag, &len));
	EXPECT_EQ(sizeof(tag), len);
	EXPECT_EQ(CATS_URGENCY_DEFAULT, tag.urgency);
	EXPECT_EQ(0, tag.flags);
	len = sizeof(name);
	ASSERT_EQ(0, getsockopt(self->p.tx, SOL_CATS, CATS_CONDUCTOR, name, &len));
	EXPECT_STREQ("bounded", name);
	ASSERT_EQ(0, get_info(self->p.tx, &info));
	EXPECT_STREQ("bounded", info.conductor);
	EXPECT_STREQ("", info.reason);
	EXPECT_EQ(0, queued_bytes(&info));
	EXPECT_EQ(0, info.mem_queued);
}

TEST_F(attach, unknown_option)
{
	struct cats_info info;
	int value = 0;

	ASSERT_EQ(0, attach(self->p.tx));
	EXPECT_EQ(-1, setsockopt(self->p.tx, SOL_CATS, 99, &value, sizeof(value)));
	EXPECT_EQ(ENOPROTOOPT, errno);
	EXPECT_EQ(-1, setsockopt(self->p.tx, SOL_CATS, CATS_INFO, &value,
				 sizeof(value)));
	EXPECT_EQ(ENOPROTOOPT, errno);
	ASSERT_EQ(0, get_info(self->p.tx, &info));
	EXPECT_EQ(ENOPROTOOPT, info.reason_errno);
	EXPECT_STREQ("option: unknown to this kernel", info.reason);
}

TEST_F(attach, other_levels_still_work)
{
	int one = 1, value = 0;
	socklen_t len = sizeof(value);

	ASSERT_EQ(0, attach(self->p.tx));
	ASSERT_EQ(0, setsockopt(self->p.tx, IPPROTO_TCP, TCP_NODELAY, &one,
				sizeof(one)));
	ASSERT_EQ(0, getsockopt(self->p.tx, IPPROTO_TCP, TCP_NODELAY, &value, &len));
	EXPECT_EQ(1, value);
}

TEST_F(attach, data_before_attach_goes_first)
{
	struct frame frame;

	ASSERT_EQ(500, send_frame(self->p.tx, UNTAGGED, 1, 500, 0));
	ASSERT_EQ(0, attach(self->p.tx));
	ASSERT_EQ(500, send_frame(self->p.tx, 0, 2, 500, 0));
	ASSERT_EQ(1, read_frame(self->p.rx, &frame));
	EXPECT_EQ(1, frame.id);
	ASSERT_EQ(1, read_frame(self->p.rx, &frame));
	EXPECT_EQ(2, frame.id);
}

/* A program runs with and without the module: TCP ignores the tag. */
TEST_F(attach, tag_on_a_plain_socket)
{
	struct frame frame;

	ASSERT_EQ(300, send_frame(self->p.tx, 0, 5, 300, 0));
	ASSERT_EQ(1, read_frame(self->p.rx, &frame));
	EXPECT_EQ(5, frame.id);
}

TEST_F(attach, reading_is_untouched)
{
	struct frame frame;

	ASSERT_EQ(0, attach(self->p.tx));
	ASSERT_EQ(400, send_frame(self->p.rx, UNTAGGED, 9, 400, 0));
	ASSERT_EQ(1, read_frame(self->p.tx, &frame));
	EXPECT_EQ(9, frame.id);
}

/* It sleeps in TCP and would go on there, in the middle of a message. */
TEST_F(attach, while_a_write_sleeps)
{
	struct blocked_write w;
	struct frame frame;

	ASSERT_EQ(0, start_blocked(&w, self->p.tx, UNTAGGED, 6000000));
	EXPECT_EQ(-1, attach(self->p.tx));
	EXPECT_EQ(EBUSY, errno);
	ASSERT_EQ(1, read_frame(self->p.rx, &frame));
	EXPECT_EQ(BLOCKED_ID, frame.id);
	pthread_join(w.thread, NULL);
	EXPECT_EQ(0, attach(self->p.tx));
}

TEST_F(attach, tls_does_not_stack)
{
	ASSERT_EQ(0, attach(self->p.tx));
	EXPECT_EQ(-1, setsockopt(self->p.tx, IPPROTO_TCP, TCP_ULP, "tls", 4));
	EXPECT_EQ(EEXIST, errno);
}

TEST_HARNESS_MAIN
