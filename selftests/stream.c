// SPDX-License-Identifier: GPL-2.0
/*
 * Streams, lifetimes, and what changes messages that are queued, on a live connection:
 * behind a backlog that fills TCP the messages of a test wait in the Conductor, and the
 * order in which they arrive tells what it did.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "cats_test.h"
#include "kselftest_harness.h"
#include "surface.h"

#define MSG_LEN	500

FIXTURE(stream)
{
	struct pair p;
	int backlog;
};

FIXTURE_VARIANT(stream)
{
	int family;
	const char *conductor;
};

FIXTURE_VARIANT_ADD(stream, v4_strict)
{
	.family = AF_INET, .conductor = "strict",
};

FIXTURE_VARIANT_ADD(stream, v4_bounded)
{
	.family = AF_INET, .conductor = "bounded",
};

FIXTURE_VARIANT_ADD(stream, v6_bounded)
{
	.family = AF_INET6, .conductor = "bounded",
};

FIXTURE_SETUP(stream)
{
	ASSERT_EQ(0, pair_open(&self->p, variant->family));
	ASSERT_EQ(0, attach(self->p.tx));
	ASSERT_EQ(0, set_conductor(self->p.tx, variant->conductor));
	self->backlog = fill_tcp(self->p.tx);
	ASSERT_LT(0, self->backlog);
}

FIXTURE_TEARDOWN(stream)
{
	pair_close(&self->p);
}

#define SEND(id, ...) do {							\
	const struct cats_tag _tag = { __VA_ARGS__ };				\
	ASSERT_EQ(MSG_LEN, send_frame_tag(self->p.tx, &_tag, id, MSG_LEN, MSG_DONTWAIT));	\
} while (0)

/* The next messages that arrive, beside the backlog; -1 is the end of the list. */
static void expect_order(struct __test_metadata *_metadata, int fd, const int *ids)
{
	struct frame frame;

	for (; *ids >= 0; ids++) {
		ASSERT_EQ(1, read_own(fd, &frame));
		EXPECT_EQ(*ids, (int)frame.id);
	}
}

#define EXPECT_ORDER(...) do {							\
	const int _ids[] = { __VA_ARGS__, -1 };					\
	expect_order(_metadata, self->p.rx, _ids);				\
} while (0)

static struct cats_class_info class_info(int fd, int urgency)
{
	struct cats_info info = {};

	get_info(fd, &info);
	return info.classes[urgency];
}

static struct cats_wait_info wait_info(int fd, int urgency)
{
	struct cats_info info = {};

	get_info(fd, &info);
	return info.waits[urgency];
}

/* RFC 9218, section 10. */
TEST_F(stream, one_after_another)
{
	SEND(1, .urgency = 2, .stream = 10);
	SEND(2, .urgency = 2, .stream = 20);
	SEND(3, .urgency = 2, .stream = 10);
	SEND(4, .urgency = 2, .stream = 20);
	EXPECT_ORDER(1, 3, 2, 4);
}

TEST_F(stream, incremental_ones_take_turns)
{
	SEND(1, .urgency = 2, .stream = 10, .flags = CATS_F_INCREMENTAL);
	SEND(2, .urgency = 2, .stream = 10, .flags = CATS_F_INCREMENTAL);
	SEND(3, .urgency = 2, .stream = 10, .flags = CATS_F_INCREMENTAL);
	SEND(4, .urgency = 2, .stream = 20, .flags = CATS_F_INCREMENTAL);
	SEND(5, .urgency = 2, .stream = 20, .flags = CATS_F_INCREMENTAL);
	SEND(6, .urgency = 2, .stream = 30, .flags = CATS_F_INCREMENTAL);
	EXPECT_ORDER(1, 4, 6, 2, 5, 3);
}

TEST_F(stream, the_others_share_one_turn)
{
	SEND(1, .urgency = 2);
	SEND(2, .urgency = 2, .stream = 20, .flags = CATS_F_INCREMENTAL);
	SEND(3, .urgency = 2, .stream = 30);
	SEND(4, .urgency = 2, .stream = 20, .flags = CATS_F_INCREMENTAL);
	SEND(5, .urgency = 2);
	SEND(6, .urgency = 2, .stream = 20, .flags = CATS_F_INCREMENTAL);
	EXPECT_ORDER(1, 2, 3, 4, 5, 6);
}

/* Without a stream there is no order but that of arrival, which is kept. */
TEST_F(stream, without_one_as_before)
{
	SEND(1, .urgency = 2);
	SEND(2, .urgency = 2, .stream = 10);
	SEND(3, .urgency = 2);
	SEND(4, .urgency = 2, .stream = 10);
	EXPECT_ORDER(1, 2, 4, 3);
}

TEST_F(stream, no_overtaking_across_urgencies)
{
	SEND(1, .urgency = 6, .stream = 10);
	SEND(2, .urgency = 0, .stream = 10);
	SEND(3, .urgency = 4);
	SEND(4, .urgency = 0);
	SEND(5, .urgency = 1);
	/* 1 holds 2 back, until it has gone. */
	EXPECT_ORDER(4, 5, 3, 1, 2);
}

TEST_F(stream, a_thousand_of_them)
{
	enum { STREAMS = 1000, LEN = 20 };
	int size = 4 << 20, i, round;
	struct frame frame;

	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)));
	for (i = 0; i < 2 * STREAMS; i++) {
		const struct cats_tag tag = {
			.urgency = 5, .stream = 1 + i / 2, .flags = CATS_F_INCREMENTAL,
		};

		ASSERT_EQ(LEN, send_frame_tag(self->p.tx, &tag, i, LEN, MSG_DONTWAIT));
	}
	for (round = 0; round < 2; round++)
		for (i = 0; i < STREAMS; i++) {
			ASSERT_EQ(1, read_own(self->p.rx, &frame));
			ASSERT_EQ(2 * i + round, (int)frame.id);
		}
}

TEST_F(stream, expires_whole_and_is_counted)
{
	uint64_t before;

	SEND(1, .urgency = 2, .lifetime_us = 100000);
	SEND(2, .urgency = 2);
	SEND(3, .urgency = 2, .lifetime_us = 3600000000U);
	before = class_info(self->p.tx, 2).queued_bytes;
	EXPECT_EQ(3 * MSG_LEN, before);
	/* The timer sees to it: nobody reads. */
	while (class_info(self->p.tx, 2).queued_msgs == 3)
		poll(NULL, 0, 1);
	EXPECT_EQ(2 * MSG_LEN, class_info(self->p.tx, 2).queued_bytes);
	EXPECT_EQ(1, wait_info(self->p.tx, 2).expired_msgs);
	EXPECT_ORDER(2, 3);
	EXPECT_EQ(1, wait_info(self->p.tx, 2).expired_msgs);
	EXPECT_EQ(2, class_info(self->p.tx, 2).sent_msgs);
}

/* What has begun is sent, however long that takes. */
TEST_F(stream, does_not_expire_once_begun)
{
	enum { LONG = 20000 };
	const struct cats_tag tag = { .urgency = 0, .lifetime_us = 300000 };
	struct frame frame;
	int i;

	/* In the way, with its first bytes, of all that comes after it. */
	ASSERT_EQ(LONG, send_frame_tag(self->p.tx, &tag, 1, LONG, MSG_DONTWAIT));
	for (i = 0; i < self->backlog &&
	     class_info(self->p.tx, 0).queued_bytes == LONG; i++)
		ASSERT_EQ(1, read_frame(self->p.rx, &frame));
	EXPECT_GT(LONG, class_info(self->p.tx, 0).queued_bytes);
	EXPECT_LT(0, class_info(self->p.tx, 0).queued_bytes);
	poll(NULL, 0, 600);
	EXPECT_EQ(1, class_info(self->p.tx, 0).queued_msgs);
	EXPECT_EQ(0, wait_info(self->p.tx, 0).expired_msgs);
	EXPECT_ORDER(1);
}

/* What expires gives its room back, and those who wait for it hear that. */
TEST_F(stream, expiry_makes_room)
{
	const struct cats_tag tag = { .urgency = 3, .lifetime_us = 100000 };
	struct pollfd pfd = { .fd = self->p.tx, .events = POLLOUT };

	while (send_frame_tag(self->p.tx, &tag, 1, 5000, MSG_DONTWAIT) == 5000)
		;
	ASSERT_EQ(EAGAIN, errno);
	ASSERT_EQ(1, poll(&pfd, 1, 100000));
	EXPECT_EQ(POLLOUT, pfd.revents);
	EXPECT_LT(0, wait_info(self->p.tx, 3).expired_msgs);
	/* Those that were written later have longer to live. */
	while (class_info(self->p.tx, 3).queued_msgs)
		poll(NULL, 0, 1);
	EXPECT_EQ(0, class_info(self->p.tx, 3).sent_msgs);
}

static int change(int fd, int option, struct cats_change *change)
{
	socklen_t len = sizeof(*change);
	int ret = getsockopt(fd, SOL_CATS, option, change, &len);

	return ret ?: len == sizeof(*change) ? 0 : -2;
}

#define CHANGE(option, ...) ({							\
	struct cats_change _change = { __VA_ARGS__ };				\
	ASSERT_EQ(0, change(self->p.tx, option, &_change));			\
	_change;								\
})

TEST_F(stream, cancel_by_cookie)
{
	struct cats_change done;

	SEND(1, .urgency = 2, .cookie = 77);
	SEND(2, .urgency = 2, .cookie = 88);
	SEND(3, .urgency = 6, .cookie = 77);
	done = CHANGE(CATS_CANCEL, .cookie = 77);
	EXPECT_EQ(2, done.msgs);
	EXPECT_EQ(2 * MSG_LEN, done.bytes);
	EXPECT_EQ(0, done.begun_msgs);
	done = CHANGE(CATS_CANCEL, .cookie = 77);
	EXPECT_EQ(0, done.msgs);
	EXPECT_EQ(1, wait_info(self->p.tx, 2).cancelled_msgs);
	EXPECT_EQ(1, wait_info(self->p.tx, 6).cancelled_msgs);
	SEND(4, .urgency = 6);
	EXPECT_ORDER(2, 4);
}

TEST_F(stream, cancel_a_stream)
{
	struct cats_change done;

	SEND(1, .urgency = 2, .stream = 10, .cookie = 1);
	SEND(2, .urgency = 4, .stream = 10, .cookie = 2);
	SEND(3, .urgency = 2, .stream = 20, .cookie = 1);
	SEND(4, .urgency = 2, .stream = 10);
	/* Both must match. */
	done = CHANGE(CATS_CANCEL, .cookie = 1, .stream = 20);
	EXPECT_EQ(1, done.msgs);
	done = CHANGE(CATS_CANCEL, .stream = 10);
	EXPECT_EQ(3, done.msgs);
	EXPECT_EQ(3 * MSG_LEN, done.bytes);
	/* The number can be used again. */
	SEND(5, .urgency = 2, .stream = 10);
	EXPECT_ORDER(5);
}

TEST_F(stream, cancel_leaves_what_has_begun)
{
	enum { LONG = 20000 };
	const struct cats_tag tag = { .urgency = 0, .cookie = 5 };
	struct cats_change done;
	struct frame frame;

	ASSERT_EQ(LONG, send_frame_tag(self->p.tx, &tag, 1, LONG, MSG_DONTWAIT));
	while (class_info(self->p.tx, 0).queued_bytes == LONG)
		ASSERT_EQ(1, read_frame(self->p.rx, &frame));
	SEND(2, .urgency = 0, .cookie = 5);
	done = CHANGE(CATS_CANCEL, .cookie = 5);
	EXPECT_EQ(1, done.msgs);
	EXPECT_EQ(1, done.begun_msgs);
	EXPECT_EQ(LONG, done.begun_bytes);
	SEND(3, .urgency = 0);
	EXPECT_ORDER(1, 3);
}

TEST_F(stream, cancel_makes_room)
{
	const struct cats_tag tag = { .urgency = 3, .cookie = 9 };
	struct pollfd pfd = { .fd = self->p.tx, .events = POLLOUT };

	while (send_frame_tag(self->p.tx, &tag, 1, 5000, MSG_DONTWAIT) == 5000)
		;
	ASSERT_EQ(EAGAIN, errno);
	EXPECT_EQ(0, poll(&pfd, 1, 0));
	CHANGE(CATS_CANCEL, .cookie = 9);
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_EQ(5000, send_frame_tag(self->p.tx, &tag, 2, 5000, MSG_DONTWAIT));
}

TEST_F(stream, replace_takes_the_place)
{
	SEND(1, .urgency = 4, .cookie = 7);
	SEND(2, .urgency = 4);
	SEND(3, .urgency = 4, .cookie = 7, .flags = CATS_F_REPLACE);
	SEND(4, .urgency = 4, .cookie = 7, .flags = CATS_F_REPLACE);
	EXPECT_EQ(2, wait_info(self->p.tx, 4).cancelled_msgs);
	EXPECT_EQ(2, class_info(self->p.tx, 4).queued_msgs);
	EXPECT_ORDER(4, 2);
}

TEST_F(stream, replace_in_a_stream)
{
	SEND(1, .urgency = 4, .stream = 3);
	SEND(2, .urgency = 4, .stream = 3, .cookie = 7);
	SEND(3, .urgency = 4, .stream = 3);
	SEND(4, .urgency = 4, .stream = 3, .cookie = 7, .flags = CATS_F_REPLACE);
	EXPECT_ORDER(1, 4, 3);
}

TEST_F(stream, replace_from_another_class)
{
	SEND(1, .urgency = 4, .cookie = 7);
	SEND(2, .urgency = 4);
	SEND(3, .urgency = 5, .cookie = 7, .flags = CATS_F_REPLACE);
	SEND(4, .urgency = 4);
	EXPECT_EQ(1, wait_info(self->p.tx, 4).cancelled_msgs);
	EXPECT_ORDER(2, 4, 3);
}

TEST_F(stream, reprioritize_a_message)
{
	struct cats_change done;

	SEND(1, .urgency = 5, .cookie = 1);
	SEND(2, .urgency = 5, .cookie = 2);
	SEND(3, .urgency = 5, .cookie = 3);
	done = CHANGE(CATS_REPRIORITIZE, .cookie = 3, .urgency = 1);
	EXPECT_EQ(1, done.msgs);
	EXPECT_EQ(MSG_LEN, done.bytes);
	done = CHANGE(CATS_REPRIORITIZE, .cookie = 1, .urgency = 6);
	EXPECT_EQ(1, done.msgs);
	EXPECT_EQ(1, class_info(self->p.tx, 1).queued_msgs);
	EXPECT_EQ(1, class_info(self->p.tx, 5).queued_msgs);
	EXPECT_EQ(1, class_info(self->p.tx, 6).queued_msgs);
	EXPECT_ORDER(3, 2, 1);
}

/* RFC 9218, section 6: a client changes its mind. */
TEST_F(stream, reprioritize_a_stream)
{
	struct cats_change done;

	SEND(1, .urgency = 5, .stream = 10);
	SEND(2, .urgency = 5, .stream = 20);
	SEND(3, .urgency = 5, .stream = 20);
	SEND(4, .urgency = 5, .stream = 30, .flags = CATS_F_INCREMENTAL);
	SEND(5, .urgency = 5, .stream = 30, .flags = CATS_F_INCREMENTAL);
	done = CHANGE(CATS_REPRIORITIZE, .stream = 20, .urgency = 5,
		      .flags = CATS_F_INCREMENTAL);
	EXPECT_EQ(2, done.msgs);
	done = CHANGE(CATS_REPRIORITIZE, .stream = 10, .urgency = 6);
	EXPECT_EQ(1, done.msgs);
	EXPECT_ORDER(4, 2, 5, 3, 1);
}

static void expect_refused(struct __test_metadata *_metadata, int fd, int option,
			   struct cats_change change_in, const char *reason)
{
	struct cats_change before = change_in;
	struct cats_info info;

	EXPECT_ERRNO(EINVAL, change(fd, option, &change_in));
	EXPECT_EQ(0, memcmp(&before, &change_in, sizeof(before)));
	ASSERT_EQ(0, get_info(fd, &info));
	EXPECT_EQ(EINVAL, info.reason_errno);
	EXPECT_STREQ(reason, info.reason);
}

#define REFUSED(option, reason, ...)						\
	expect_refused(_metadata, self->p.tx, option,				\
		       (struct cats_change){ __VA_ARGS__ }, reason)

TEST_F(stream, bad_changes_change_nothing)
{
	struct cats_change all = { .stream = 1 };
	socklen_t len = 4;

	SEND(1, .urgency = 5, .stream = 1, .cookie = 1);
	REFUSED(CATS_CANCEL, "change: neither a cookie nor a stream");
	REFUSED(CATS_CANCEL, "change: unknown flag", .stream = 1, .flags = CATS_F_INCREMENTAL);
	REFUSED(CATS_CANCEL, "change: CATS_CANCEL has no urgency", .stream = 1, .urgency = 1);
	REFUSED(CATS_CANCEL, "change: reserved field is not 0", .stream = 1, .reserved = 1);
	REFUSED(CATS_REPRIORITIZE, "change: urgency is above 7", .stream = 1, .urgency = 8);
	REFUSED(CATS_REPRIORITIZE, "change: unknown flag", .cookie = 1,
		.flags = CATS_F_INCREMENTAL);
	REFUSED(CATS_REPRIORITIZE, "change: unknown flag", .stream = 1, .flags = CATS_F_REPLACE);
	EXPECT_ERRNO(EINVAL, getsockopt(self->p.tx, SOL_CATS, CATS_CANCEL, &all, &len));
	EXPECT_ERRNO(ENOPROTOOPT, setsockopt(self->p.tx, SOL_CATS, CATS_CANCEL, &all,
					     sizeof(all)));
	EXPECT_EQ(1, class_info(self->p.tx, 5).queued_msgs);
	EXPECT_ORDER(1);
}

/* Everything that is queued leaves in order when the connection is closed. */
TEST_F(stream, close_sends_what_has_not_expired)
{
	SEND(1, .urgency = 5, .stream = 1, .lifetime_us = 3600000000U);
	SEND(2, .urgency = 2, .cookie = 4);
	SEND(3, .urgency = 1, .lifetime_us = 1);
	close(self->p.tx);
	self->p.tx = -1;
	EXPECT_ORDER(2, 1);
}

/* A reset frees them all. */
TEST_F(stream, reset_with_all_of_it_queued)
{
	struct linger none = { .l_onoff = 1 };
	int i;

	for (i = 0; i < 20; i++)
		SEND(i, .urgency = i % 8, .stream = i % 3, .cookie = i % 4,
		     .lifetime_us = i % 5 * 1000000);
	ASSERT_EQ(0, setsockopt(self->p.rx, SOL_SOCKET, SO_LINGER, &none, sizeof(none)));
	close(self->p.rx);
	self->p.rx = -1;
	while (!poll_now(self->p.tx, POLLERR))
		poll(NULL, 0, 1);
	EXPECT_EQ(0, class_info(self->p.tx, 2).queued_msgs);
	EXPECT_EQ(0, CHANGE(CATS_CANCEL, .cookie = 1).msgs);
}

/* A message of several calls has the tag of the first. */
TEST_F(stream, chain_has_the_first_tag)
{
	const struct cats_tag first = { .urgency = 2, .stream = 10, .cookie = 5 };
	const struct cats_tag second = { .urgency = 2, .stream = 99 };
	char buf[MSG_LEN];

	frame_build(buf, MSG_LEN, 1, 2);
	ASSERT_EQ(100, send_cmsg(self->p.tx, buf, 100, SOL_CATS, CATS_TAG, &first,
				 sizeof(first), MSG_MORE));
	/* It still belongs to its writer. */
	EXPECT_EQ(0, CHANGE(CATS_CANCEL, .cookie = 5).msgs);
	ASSERT_EQ(MSG_LEN - 100, send_cmsg(self->p.tx, buf + 100, MSG_LEN - 100, SOL_CATS,
					   CATS_TAG, &second, sizeof(second), 0));
	SEND(2, .urgency = 0, .stream = 10);
	EXPECT_EQ(0, CHANGE(CATS_CANCEL, .stream = 99).msgs);
	EXPECT_ORDER(1, 2);
}

#define OPEN_BYTE	0xab

/*
 * A tagged call, and untagged ones until the buffer is full: the message is queued, behind
 * the backlog, and not complete.  Returns its bytes.
 */
static int open_message(struct __test_metadata *_metadata, int fd,
			const struct cats_tag *tag)
{
	char buf[MSG_LEN];
	int bytes = MSG_LEN;
	ssize_t n;

	memset(buf, OPEN_BYTE, sizeof(buf));
	EXPECT_EQ(MSG_LEN, send_cmsg(fd, buf, MSG_LEN, SOL_CATS, CATS_TAG, tag, sizeof(*tag),
				     MSG_MORE));
	while ((n = send(fd, buf, MSG_LEN, MSG_MORE | MSG_DONTWAIT)) > 0)
		bytes += n;
	EXPECT_EQ(EAGAIN, errno);
	return bytes;
}

/* Skips the backlog, and expects the message in one piece. */
static void expect_open_message(struct __test_metadata *_metadata, int fd, int bytes)
{
	struct frame frame;
	uint8_t byte;

	do {
		ASSERT_EQ(1, recv(fd, &byte, 1, MSG_PEEK));
		if (byte != OPEN_BYTE)
			ASSERT_EQ(1, read_frame(fd, &frame));
	} while (byte != OPEN_BYTE);
	while (bytes--) {
		ASSERT_EQ(1, recv(fd, &byte, 1, 0));
		ASSERT_EQ(OPEN_BYTE, byte);
	}
}

/* It is its writer's, who has been told that his untagged bytes are sent. */
TEST_F(stream, open_message_is_not_cancelled)
{
	const struct cats_tag tag = { .urgency = CATS_URGENCY_DEFAULT, .stream = 4, .cookie = 5 };
	int bytes = open_message(_metadata, self->p.tx, &tag);

	EXPECT_EQ(1, class_info(self->p.tx, CATS_URGENCY_DEFAULT).queued_msgs);
	EXPECT_EQ(0, CHANGE(CATS_CANCEL, .cookie = 5).msgs);
	EXPECT_EQ(0, CHANGE(CATS_CANCEL, .stream = 4).msgs);
	EXPECT_EQ(bytes, class_info(self->p.tx, CATS_URGENCY_DEFAULT).queued_bytes);
	expect_open_message(_metadata, self->p.rx, bytes);
}

TEST_F(stream, open_message_is_not_moved)
{
	const struct cats_tag tag = { .urgency = CATS_URGENCY_DEFAULT, .cookie = 5 };
	int bytes = open_message(_metadata, self->p.tx, &tag);

	EXPECT_EQ(0, CHANGE(CATS_REPRIORITIZE, .cookie = 5, .urgency = 0).msgs);
	EXPECT_EQ(bytes, class_info(self->p.tx, CATS_URGENCY_DEFAULT).queued_bytes);
	expect_open_message(_metadata, self->p.rx, bytes);
}

TEST_F(stream, open_message_is_not_replaced)
{
	const struct cats_tag tag = { .urgency = CATS_URGENCY_DEFAULT, .cookie = 5 };
	int bytes = open_message(_metadata, self->p.tx, &tag);

	SEND(1, .urgency = 0, .cookie = 5, .flags = CATS_F_REPLACE);
	EXPECT_EQ(0, wait_info(self->p.tx, CATS_URGENCY_DEFAULT).cancelled_msgs);
	EXPECT_ORDER(1);
	expect_open_message(_metadata, self->p.rx, bytes);
}

TEST_F(stream, open_message_does_not_expire)
{
	const struct cats_tag tag = { .urgency = CATS_URGENCY_DEFAULT, .lifetime_us = 20000 };
	int bytes = open_message(_metadata, self->p.tx, &tag);

	poll(NULL, 0, 400);
	EXPECT_EQ(0, wait_info(self->p.tx, CATS_URGENCY_DEFAULT).expired_msgs);
	expect_open_message(_metadata, self->p.rx, bytes);
}

/* The writer that sleeps gets the room, before the probes of the closed window do it. */
TEST_F(stream, replace_wakes)
{
	const struct cats_tag tag = { .urgency = 2, .cookie = 9 };
	struct blocked_write w;
	struct frame frame;
	int n, ms;

	ASSERT_EQ(20000, send_frame_tag(self->p.tx, &tag, 1, 20000, MSG_DONTWAIT));
	n = fill(self->p.tx, 2, 1000, MSG_LEN);
	ASSERT_LT(0, n);
	ASSERT_EQ(0, start_blocked(&w, self->p.tx, 2, MSG_LEN));
	SEND(2, .urgency = 0, .cookie = 9, .flags = CATS_F_REPLACE);
	for (ms = 0; ms < 100 && !w.done; ms++)
		poll(NULL, 0, 1);
	EXPECT_TRUE(w.done);
	while (n--)
		ASSERT_EQ(1, read_own(self->p.rx, &frame));
	ASSERT_EQ(0, pthread_join(w.thread, NULL));
	EXPECT_EQ(MSG_LEN, w.ret);
}

TEST_HARNESS_MAIN
