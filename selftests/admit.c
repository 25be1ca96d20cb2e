// SPDX-License-Identifier: GPL-2.0
/*
 * CATS_ADMIT: what is refused, dropped and shed, what is not, and what the
 * application is told of it; and the rate that decides.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/errqueue.h>
#include <linux/inet_diag.h>
#include <linux/tcp.h>

#include "cats_test.h"
#include "kselftest_harness.h"

#define MSG_LEN		1000
/* Queued behind a closed window before a test begins: at least so many messages. */
#define BACKLOG		5

FIXTURE(admit)
{
	struct pair p;
};

FIXTURE_VARIANT(admit)
{
	int family;
};

FIXTURE_VARIANT_ADD(admit, v4)
{
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(admit, v6)
{
	.family = AF_INET6,
};

FIXTURE_SETUP(admit)
{
	ASSERT_EQ(0, pair_open(&self->p, variant->family));
	ASSERT_EQ(0, attach(self->p.tx));
	ASSERT_EQ(0, set_conductor(self->p.tx, "strict"));
}

FIXTURE_TEARDOWN(admit)
{
	pair_close(&self->p);
}

static int set_admit(int fd, const struct cats_admit *admit)
{
	return setsockopt(fd, SOL_CATS, CATS_ADMIT, admit, sizeof(*admit));
}

static int get_admit(int fd, struct cats_admit *admit)
{
	socklen_t len = sizeof(*admit);

	return getsockopt(fd, SOL_CATS, CATS_ADMIT, admit, &len);
}

static struct cats_info info_of(struct __test_metadata *_metadata, int fd)
{
	struct cats_info info;

	ASSERT_EQ(0, get_info(fd, &info));
	return info;
}

/* A message whose cookie is its number, and that is to be told of if it is dropped. */
static ssize_t send_named(int fd, int urgency, uint32_t id, int flags)
{
	struct cats_tag tag = {
		.urgency = urgency, .cookie = id, .notify = CATS_NOTIFY_DROPPED,
	};

	return send_frame_tag(fd, &tag, id, MSG_LEN, flags | MSG_DONTWAIT);
}

/* Messages of urgency 0 until BACKLOG of them wait; returns how many there are. */
static int close_window(struct __test_metadata *_metadata, int fd)
{
	uint64_t queued = 0;
	int n;

	for (n = 0; queued < BACKLOG * MSG_LEN; n++) {
		ASSERT_EQ(MSG_LEN, send_frame(fd, 0, n, MSG_LEN, MSG_DONTWAIT));
		ASSERT_TRUE(wait_settled(fd));
		queued = info_of(_metadata, fd).classes[0].queued_bytes;
	}
	return n;
}

/* Ends the stream, skips @skip messages, and expects these, and no other. */
#define EXPECT_IDS(skip, ...) do {						\
	uint32_t _want[] = { __VA_ARGS__ };					\
	struct frame _frame;							\
	int _i;									\
	ASSERT_EQ(0, shutdown(self->p.tx, SHUT_WR));				\
	for (_i = 0; _i < (skip); _i++)						\
		ASSERT_EQ(1, read_frame(self->p.rx, &_frame));			\
	for (_i = 0; _i < (int)(sizeof(_want) / sizeof(_want[0])); _i++) {	\
		ASSERT_EQ(1, read_frame(self->p.rx, &_frame));			\
		EXPECT_EQ(_want[_i], _frame.id);				\
	}									\
	EXPECT_EQ(0, read_frame(self->p.rx, &_frame));				\
} while (0)

static void expect_shed(struct __test_metadata *_metadata, int fd, uint32_t id,
			uint32_t urgency)
{
	struct cats_notice notice;

	ASSERT_EQ(0, read_notice(fd, &notice));
	EXPECT_EQ(CATS_EVENT_SHED, notice.event);
	EXPECT_EQ(id, notice.cookie);
	EXPECT_EQ(urgency, notice.urgency);
	EXPECT_EQ(0, notice.first_seq);
	EXPECT_EQ(0, notice.end_seq);
}

TEST_F(admit, option)
{
	struct cats_admit admit = { .threshold = 1 }, zero = {}, got;
	char longer[sizeof(admit) + 4] = {};

	ASSERT_EQ(0, get_admit(self->p.tx, &got));
	EXPECT_EQ(0, memcmp(&zero, &got, sizeof(got)));
	admit = (struct cats_admit) { 10000, 20000, 0x80, 0x40, 0x20, 0 };
	ASSERT_EQ(0, set_admit(self->p.tx, &admit));
	ASSERT_EQ(0, get_admit(self->p.tx, &got));
	EXPECT_EQ(0, memcmp(&admit, &got, sizeof(got)));
	memcpy(longer, &zero, sizeof(zero));
	longer[sizeof(admit)] = 1;
	EXPECT_EQ(-1, setsockopt(self->p.tx, SOL_CATS, CATS_ADMIT, longer, sizeof(longer)));
	EXPECT_EQ(E2BIG, errno);
	EXPECT_EQ(-1, setsockopt(self->p.tx, SOL_CATS, CATS_ADMIT, &zero, 3));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, setsockopt(self->p.tx, SOL_CATS, CATS_ADMIT, NULL, sizeof(zero)));
	EXPECT_EQ(EFAULT, errno);
	admit.reserved = 1;
	EXPECT_EQ(-1, set_admit(self->p.tx, &admit));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_STREQ("CATS_ADMIT: reserved field is not 0",
		     info_of(_metadata, self->p.tx).reason);
	admit.reserved = 0;
	ASSERT_EQ(0, get_admit(self->p.tx, &got));
	EXPECT_EQ(0, memcmp(&admit, &got, sizeof(got)));
	/* The rest is 0. */
	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_CATS, CATS_ADMIT, &admit, 4));
	ASSERT_EQ(0, get_admit(self->p.tx, &got));
	EXPECT_EQ(10000, got.threshold);
	EXPECT_EQ(0, got.refuse | got.drop | got.shed | got.max_delay_us);
}

TEST_F(admit, inherited)
{
	struct cats_admit admit = { 10000, 20000, 1, 2, 4, 0 }, got;
	int listener = socket(variant->family, SOCK_STREAM, 0), child, fd;
	struct sockaddr_storage ss;
	socklen_t len = loopback_address(&ss, variant->family);

	ASSERT_EQ(0, attach(listener));
	ASSERT_EQ(0, set_admit(listener, &admit));
	ASSERT_EQ(0, bind(listener, (struct sockaddr *)&ss, len));
	ASSERT_EQ(0, listen(listener, 1));
	ASSERT_EQ(0, getsockname(listener, (struct sockaddr *)&ss, &len));
	fd = socket(variant->family, SOCK_STREAM, 0);
	ASSERT_EQ(0, connect(fd, (struct sockaddr *)&ss, len));
	child = accept(listener, NULL, NULL);
	ASSERT_EQ(0, get_admit(child, &got));
	EXPECT_EQ(0, memcmp(&admit, &got, sizeof(got)));
	close(child);
	close(fd);
	close(listener);
}

/* Tagged and not, blocking and not, and by sendfile(). */
TEST_F(admit, refuses)
{
	struct cats_admit admit = { .refuse = 1 << 7 };
	int file = memfd_create("data", 0);
	uint32_t tag = 7;
	struct cats_info info;

	ASSERT_EQ(0, ftruncate(file, MSG_LEN));
	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_CATS, CATS_TAG, &tag, sizeof(tag)));
	ASSERT_EQ(0, set_admit(self->p.tx, &admit));
	EXPECT_EQ(-1, send_frame(self->p.tx, 7, 1, MSG_LEN, MSG_DONTWAIT));
	EXPECT_EQ(ENOBUFS, errno);
	EXPECT_EQ(-1, send_frame(self->p.tx, 7, 1, MSG_LEN, MSG_MORE));
	EXPECT_EQ(ENOBUFS, errno);
	EXPECT_EQ(-1, send_frame(self->p.tx, UNTAGGED, 1, MSG_LEN, 0));
	EXPECT_EQ(ENOBUFS, errno);
	EXPECT_EQ(-1, sendfile(self->p.tx, file, NULL, MSG_LEN));
	EXPECT_EQ(ENOBUFS, errno);
	/* No bytes, nothing to refuse. */
	EXPECT_EQ(0, send(self->p.tx, "", 0, 0));
	info = info_of(_metadata, self->p.tx);
	EXPECT_EQ(4, info.waits[7].refused_msgs);
	EXPECT_EQ(0, info.waits[0].refused_msgs);
	EXPECT_EQ(0, info.waits[7].shed_msgs);
	EXPECT_EQ(ENOBUFS, info.reason_errno);
	EXPECT_STREQ("CATS_ADMIT: so much is queued that writes are refused", info.reason);
	EXPECT_EQ(0, info.mem_queued);
	EXPECT_EQ(MSG_LEN, send_frame(self->p.tx, 6, 2, MSG_LEN, 0));
	EXPECT_IDS(0, 2);
	close(file);
}

/* From the threshold on, and no longer when less is queued. */
TEST_F(admit, refuses_from_the_threshold)
{
	struct cats_admit admit = { .refuse = 1 << 7 };
	int n = close_window(_metadata, self->p.tx), i;
	struct frame frame;

	admit.threshold = info_of(_metadata, self->p.tx).classes[0].queued_bytes + 1;
	ASSERT_EQ(0, set_admit(self->p.tx, &admit));
	ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, 7, 1, MSG_LEN, MSG_DONTWAIT));
	EXPECT_EQ(-1, send_frame(self->p.tx, 7, 2, MSG_LEN, MSG_DONTWAIT));
	EXPECT_EQ(ENOBUFS, errno);
	ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, 0, 3, MSG_LEN, MSG_DONTWAIT));
	for (i = 0; i < n + 2; i++)
		ASSERT_EQ(1, read_frame(self->p.rx, &frame));
	ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, 7, 4, MSG_LEN, MSG_DONTWAIT));
	EXPECT_IDS(0, 4);
}

/* A refused call leaves the message of the calls before as it was. */
TEST_F(admit, refuses_to_go_on)
{
	struct cats_admit admit = { .refuse = 1 << 7 }, zero = {};
	char buf[2 * MSG_LEN];

	frame_build(buf, sizeof(buf), 1, 7);
	ASSERT_EQ(MSG_LEN, send_tagged(self->p.tx, 7, buf, MSG_LEN, MSG_MORE));
	ASSERT_EQ(0, set_admit(self->p.tx, &admit));
	EXPECT_EQ(-1, send_tagged(self->p.tx, 7, buf + MSG_LEN, MSG_LEN, 0));
	EXPECT_EQ(ENOBUFS, errno);
	ASSERT_EQ(0, set_admit(self->p.tx, &zero));
	ASSERT_EQ(MSG_LEN, send_tagged(self->p.tx, 7, buf + MSG_LEN, MSG_LEN, 0));
	EXPECT_IDS(0, 1);
}

TEST_F(admit, drops)
{
	struct cats_admit admit = { .drop = 1 << 7 };
	int n = close_window(_metadata, self->p.tx);
	struct cats_notice notice;
	struct cats_info info;
	uint32_t tag = 7;

	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_CATS, CATS_TAG, &tag, sizeof(tag)));
	admit.threshold = info_of(_metadata, self->p.tx).classes[0].queued_bytes;
	ASSERT_EQ(0, set_admit(self->p.tx, &admit));
	ASSERT_EQ(MSG_LEN, send_named(self->p.tx, 7, 100, 0));
	ASSERT_EQ(MSG_LEN, send_named(self->p.tx, 6, 101, 0));
	/* Of its bytes nobody was told that they may be dropped. */
	ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, UNTAGGED, 102, MSG_LEN, MSG_DONTWAIT));
	ASSERT_EQ(0, read_notice(self->p.tx, &notice));
	EXPECT_EQ(CATS_EVENT_SHED, notice.event);
	EXPECT_EQ(100, notice.cookie);
	EXPECT_EQ(7, notice.urgency);
	EXPECT_EQ(MSG_LEN, notice.len);
	EXPECT_EQ(0, notice.delay_us | notice.first_seq | notice.end_seq);
	EXPECT_EQ(-1, read_notice(self->p.tx, &notice));
	info = info_of(_metadata, self->p.tx);
	EXPECT_EQ(1, info.waits[7].shed_msgs);
	EXPECT_EQ(0, info.waits[6].shed_msgs);
	EXPECT_EQ(1, info.classes[7].queued_msgs);
	EXPECT_IDS(n, 101, 102);
}

/* What has no notice asked for is dropped as silently as it says. */
TEST_F(admit, drops_without_a_notice)
{
	struct cats_admit admit = { .drop = 1 << 7 };
	struct pollfd pfd = { .fd = self->p.tx };

	ASSERT_EQ(0, set_admit(self->p.tx, &admit));
	ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, 7, 1, MSG_LEN, 0));
	EXPECT_EQ(0, poll(&pfd, 1, 0));
	EXPECT_EQ(1, info_of(_metadata, self->p.tx).waits[7].shed_msgs);
	ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, 6, 2, MSG_LEN, 0));
	EXPECT_IDS(0, 2);
}

/* A full buffer is no reason to wait for what is not queued. */
TEST_F(admit, drops_where_nothing_fits)
{
	struct cats_admit admit = { .drop = 1 << 7 };
	int size = 16384;

	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)));
	ASSERT_LT(0, fill(self->p.tx, 7, 0, MSG_LEN));
	EXPECT_EQ(-1, send_named(self->p.tx, 7, 99, 0));
	EXPECT_EQ(EAGAIN, errno);
	ASSERT_EQ(0, set_admit(self->p.tx, &admit));
	EXPECT_EQ(MSG_LEN, send_named(self->p.tx, 7, 99, 0));
	expect_shed(_metadata, self->p.tx, 99, 7);
}

/* What is wrong with a call is an error, dropped or not. */
TEST_F(admit, drops_no_error)
{
	struct cats_admit admit = { .drop = 1 << 7 };
	int size = 16384;

	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)));
	ASSERT_EQ(0, set_admit(self->p.tx, &admit));
	EXPECT_EQ(-1, send_frame(self->p.tx, 7, 1, 100000, MSG_DONTWAIT));
	EXPECT_EQ(EMSGSIZE, errno);
	EXPECT_EQ(-1, send_tagged(self->p.tx, 7, (void *)1, 100, MSG_DONTWAIT));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(0, info_of(_metadata, self->p.tx).waits[7].shed_msgs);
}

/* Of several calls: all or nothing of it, by what is queued at its end. */
TEST_F(admit, drops_a_chain)
{
	struct cats_admit admit = { .drop = 1 << 7 }, zero = {};
	struct cats_notice notice;
	int i;

	ASSERT_EQ(0, set_admit(self->p.tx, &admit));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(MSG_LEN, send_named(self->p.tx, 7, i, i < 2 ? MSG_MORE : 0));
	ASSERT_EQ(0, read_notice(self->p.tx, &notice));
	EXPECT_EQ(0, notice.cookie);
	EXPECT_EQ(3 * MSG_LEN, notice.len);
	EXPECT_EQ(1, info_of(_metadata, self->p.tx).waits[7].shed_msgs);
	EXPECT_EQ(0, info_of(_metadata, self->p.tx).mem_queued);
	ASSERT_EQ(MSG_LEN, send_named(self->p.tx, 7, 1, MSG_MORE));
	ASSERT_EQ(0, set_admit(self->p.tx, &zero));
	ASSERT_EQ(MSG_LEN, send_named(self->p.tx, 7, 2, 0));
	EXPECT_EQ(-1, read_notice(self->p.tx, &notice));
	EXPECT_IDS(0, 1, 2);
}

/* What a chain held is room for others, before the probes of the closed window come. */
TEST_F(admit, drops_a_chain_and_wakes)
{
	struct cats_admit admit = { .drop = 1 << 0 };
	struct blocked_write w;
	struct frame frame;
	int n, ms;

	ASSERT_EQ(0, set_admit(self->p.tx, &admit));
	for (n = 0; n < 20; n++)
		ASSERT_EQ(MSG_LEN, send_named(self->p.tx, 0, n, MSG_MORE));
	n = fill(self->p.tx, 1, 0, MSG_LEN);
	ASSERT_LT(0, n);
	ASSERT_EQ(0, start_blocked(&w, self->p.tx, 1, MSG_LEN));
	ASSERT_EQ(MSG_LEN, send_named(self->p.tx, 0, 1, 0));
	for (ms = 0; ms < 100 && !w.done; ms++)
		poll(NULL, 0, 1);
	EXPECT_TRUE(w.done);
	while (n--)
		ASSERT_EQ(1, read_frame(self->p.rx, &frame));
	ASSERT_EQ(0, pthread_join(w.thread, NULL));
	EXPECT_EQ(MSG_LEN, w.ret);
}

/* Its own bytes are no reason to drop it. */
TEST_F(admit, drops_no_chain_for_itself)
{
	struct cats_admit admit = { .drop = 1 << 7, .threshold = MSG_LEN };
	int i;

	ASSERT_EQ(0, set_admit(self->p.tx, &admit));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(MSG_LEN, send_named(self->p.tx, 7, i, i < 2 ? MSG_MORE : 0));
	EXPECT_IDS(0, 0, 1, 2);
}

/* Who counts his MSG_ZEROCOPY calls gets the completion of this one, too. */
TEST_F(admit, drops_and_completes)
{
	struct cats_admit admit = { .drop = 1 << 7 };
	char control[256] __attribute__((aligned(8)));
	struct msghdr msg = { .msg_control = control, .msg_controllen = sizeof(control) };
	struct sock_extended_err *err;
	int one = 1;

	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)));
	ASSERT_EQ(0, set_admit(self->p.tx, &admit));
	ASSERT_EQ(MSG_LEN, send_named(self->p.tx, 7, 1, MSG_ZEROCOPY));
	expect_shed(_metadata, self->p.tx, 1, 7);
	ASSERT_EQ(0, recvmsg(self->p.tx, &msg, MSG_ERRQUEUE));
	ASSERT_TRUE(!!CMSG_FIRSTHDR(&msg));
	err = (struct sock_extended_err *)CMSG_DATA(CMSG_FIRSTHDR(&msg));
	EXPECT_EQ(SO_EE_ORIGIN_ZEROCOPY, err->ee_origin);
	EXPECT_EQ(0, err->ee_info);
	EXPECT_EQ(0, err->ee_data);
}

/* The time that @msgs messages on top of what is queued take at the present rate. */
static void limit_delay(struct __test_metadata *_metadata, int fd, uint8_t shed, int msgs)
{
	struct cats_info info = info_of(_metadata, fd);
	struct cats_admit admit = { .shed = shed };

	ASSERT_LT(0, info.rate);
	admit.max_delay_us = (queued_bytes(&info) + msgs * MSG_LEN) * 1000000 / info.rate;
	ASSERT_EQ(0, set_admit(fd, &admit));
}

/* The oldest go, of the least urgent class first, and only as many as it takes. */
TEST_F(admit, sheds)
{
	int n = close_window(_metadata, self->p.tx), i;
	struct cats_info info;

	limit_delay(_metadata, self->p.tx, 1 << 7 | 1 << 5, 4);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(MSG_LEN, send_named(self->p.tx, 5, 50 + i, 0));
	for (i = 0; i < 4; i++)
		ASSERT_EQ(MSG_LEN, send_named(self->p.tx, 7, 70 + i, 0));
	expect_shed(_metadata, self->p.tx, 70, 7);
	expect_shed(_metadata, self->p.tx, 71, 7);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(MSG_LEN, send_named(self->p.tx, 3, 30 + i, 0));
	expect_shed(_metadata, self->p.tx, 72, 7);
	expect_shed(_metadata, self->p.tx, 73, 7);
	expect_shed(_metadata, self->p.tx, 50, 5);
	info = info_of(_metadata, self->p.tx);
	EXPECT_EQ(4, info.waits[7].shed_msgs);
	EXPECT_EQ(1, info.waits[5].shed_msgs);
	EXPECT_EQ(0, info.waits[3].shed_msgs);
	EXPECT_EQ(0, info.classes[7].queued_msgs);
	EXPECT_IDS(n, 30, 31, 32, 51);
}

/* A message that waited, with the time that it did. */
TEST_F(admit, sheds_with_its_delay)
{
	int n = close_window(_metadata, self->p.tx);
	struct cats_notice notice;

	limit_delay(_metadata, self->p.tx, 1 << 7, 1);
	ASSERT_EQ(MSG_LEN, send_named(self->p.tx, 7, 1, 0));
	poll(NULL, 0, 30);
	ASSERT_EQ(MSG_LEN, send_named(self->p.tx, 7, 2, 0));
	ASSERT_EQ(0, read_notice(self->p.tx, &notice));
	EXPECT_EQ(1, notice.cookie);
	EXPECT_LE(30000, notice.delay_us);
	EXPECT_GE(150000, notice.delay_us);
	EXPECT_IDS(n, 2);
}

/* Untagged bytes were promised, and what is behind them in the class stays, too. */
TEST_F(admit, sheds_nothing_untagged)
{
	int n = close_window(_metadata, self->p.tx);
	struct cats_notice notice;
	uint32_t tag = 7;

	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_CATS, CATS_TAG, &tag, sizeof(tag)));
	limit_delay(_metadata, self->p.tx, 1 << 7 | 1 << 6, 0);
	ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, UNTAGGED, 1, MSG_LEN, MSG_DONTWAIT));
	ASSERT_EQ(MSG_LEN, send_named(self->p.tx, 7, 2, 0));
	/* It goes itself, as the last that may. */
	ASSERT_EQ(MSG_LEN, send_named(self->p.tx, 6, 3, 0));
	expect_shed(_metadata, self->p.tx, 3, 6);
	EXPECT_EQ(-1, read_notice(self->p.tx, &notice));
	EXPECT_IDS(n, 1, 2);
}

/* What has begun is sent. */
TEST_F(admit, sheds_nothing_that_has_begun)
{
	struct cats_admit admit = { .shed = 0xff, .max_delay_us = 1 };
	char *buf = malloc(60000);
	struct frame frame;
	struct cats_info info;

	frame_build(buf, 60000, 1, 7);
	ASSERT_EQ(60000, send_tagged(self->p.tx, 7, buf, 60000, MSG_DONTWAIT));
	poll(NULL, 0, 100);
	ASSERT_EQ(0, set_admit(self->p.tx, &admit));
	ASSERT_EQ(MSG_LEN, send_named(self->p.tx, 7, 2, 0));
	expect_shed(_metadata, self->p.tx, 2, 7);
	info = info_of(_metadata, self->p.tx);
	EXPECT_EQ(1, info.waits[7].shed_msgs);
	EXPECT_LT(0, info.classes[7].queued_bytes);
	ASSERT_EQ(0, shutdown(self->p.tx, SHUT_WR));
	ASSERT_EQ(1, read_frame(self->p.rx, &frame));
	EXPECT_EQ(1, frame.id);
	EXPECT_EQ(0, read_frame(self->p.rx, &frame));
	free(buf);
}

/* A writer that sleeps gets the room, before the probes of the closed window do it. */
TEST_F(admit, sheds_and_wakes)
{
	struct cats_admit admit = { .shed = 1 << 7, .max_delay_us = 1 };
	struct blocked_write w;
	int size = 16384, ms;

	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)));
	ASSERT_LT(0, fill(self->p.tx, 7, 0, MSG_LEN));
	ASSERT_EQ(0, start_blocked(&w, self->p.tx, 7, MSG_LEN));
	ASSERT_EQ(0, set_admit(self->p.tx, &admit));
	ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, 0, 1, MSG_LEN, MSG_DONTWAIT));
	for (ms = 0; ms < 100 && !w.done; ms++)
		poll(NULL, 0, 1);
	EXPECT_TRUE(w.done);
	ASSERT_EQ(0, pthread_join(w.thread, NULL));
	EXPECT_EQ(MSG_LEN, w.ret);
}

/* Not BBR's: what TCP paces by, as long as that is known. */
TEST_F(admit, rate_of_pacing)
{
	struct cats_info info = info_of(_metadata, self->p.tx);
	int fd = socket(variant->family, SOCK_STREAM, 0);
	struct tcp_info tcp;
	socklen_t len = sizeof(tcp);

	ASSERT_EQ(0, getsockopt(self->p.tx, IPPROTO_TCP, TCP_INFO, &tcp, &len));
	EXPECT_EQ(tcp.tcpi_pacing_rate, info.rate);
	EXPECT_LT(0, info.rate);
	ASSERT_EQ(0, attach(fd));
	EXPECT_EQ(0, info_of(_metadata, fd).rate);
	EXPECT_EQ(CATS_NO_BOUND, info_of(_metadata, fd).waits[0].bound_us);
	close(fd);
}

TEST_F(admit, rate_of_bbr)
{
	union tcp_cc_info cc = {};
	socklen_t len = sizeof(cc);
	char buf[MSG_LEN] = {};
	uint64_t rate;
	int i;

	ASSERT_EQ(0, setsockopt(self->p.tx, IPPROTO_TCP, TCP_CONGESTION, "bbr", 3));
	EXPECT_EQ(0, info_of(_metadata, self->p.tx).rate);
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(MSG_LEN, send(self->p.tx, buf, MSG_LEN, 0));
		ASSERT_EQ(MSG_LEN, recv(self->p.rx, buf, MSG_LEN, MSG_WAITALL));
	}
	ASSERT_TRUE(wait_queue_empty(self->p.tx));
	rate = info_of(_metadata, self->p.tx).rate;
	ASSERT_EQ(0, getsockopt(self->p.tx, IPPROTO_TCP, TCP_CC_INFO, &cc, &len));
	EXPECT_EQ(cc.bbr.bbr_bw_lo | (uint64_t)cc.bbr.bbr_bw_hi << 32, rate);
	EXPECT_LT(0, rate);
}

/* The bound in seconds is that in bytes, behind a full budget, at the rate. */
TEST_F(admit, bounds)
{
	struct cats_info info;

	ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, 3, 1, MSG_LEN, 0));
	ASSERT_EQ(2 * MSG_LEN, send_frame(self->p.tx, 0, 1, 2 * MSG_LEN, 0));
	info = info_of(_metadata, self->p.tx);
	EXPECT_EQ(2 * MSG_LEN, info.largest_msg);
	/* Of "strict" the most urgent waits for one message, the others have no bound. */
	EXPECT_EQ(2 * MSG_LEN, info.waits[0].bound_bytes);
	EXPECT_EQ((2 * MSG_LEN + info.budget) * 1000000ull / info.rate,
		  info.waits[0].bound_us);
	EXPECT_EQ(CATS_NO_BOUND, info.waits[7].bound_bytes);
	EXPECT_EQ(CATS_NO_BOUND, info.waits[7].bound_us);
}

TEST_HARNESS_MAIN
