// SPDX-License-Identifier: GPL-2.0
/*
 * Scheduling on a live connection.  The receiver does not read, so its window
 * closes and everything but the first few KiB waits in the Conductor; then it
 * reads, and the order of messages on the wire tells what was decided.  The
 * sending socket stays open: close() would drain by itself.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "cats_test.h"
#include "kselftest_harness.h"

/* More than one burst (2 segments) and what the closed window took. */
#define BULK_LEN	1000
#define BULK_MSGS	40

FIXTURE(schedule)
{
	struct pair p;
};

FIXTURE_VARIANT(schedule)
{
	int family;
	const char *conductor;
};

FIXTURE_VARIANT_ADD(schedule, v4_strict)
{
	.family = AF_INET, .conductor = "strict",
};

FIXTURE_VARIANT_ADD(schedule, v4_debt)
{
	.family = AF_INET, .conductor = "debt",
};

FIXTURE_VARIANT_ADD(schedule, v6_debt)
{
	.family = AF_INET6, .conductor = "debt",
};

FIXTURE_SETUP(schedule)
{
	ASSERT_EQ(0, pair_open(&self->p, variant->family));
	ASSERT_EQ(0, attach(self->p.tx));
	ASSERT_EQ(0, set_conductor(self->p.tx, variant->conductor));
}

FIXTURE_TEARDOWN(schedule)
{
	pair_close(&self->p);
}

/* Messages 0 to n-1 of @urgency; at least one of them must be waiting. */
static void backlog(struct __test_metadata *_metadata, int fd, int urgency, int n)
{
	struct cats_info info;
	int i;

	for (i = 0; i < n; i++)
		ASSERT_EQ(BULK_LEN, send_frame(fd, urgency, i, BULK_LEN, 0));
	ASSERT_TRUE(wait_settled(fd));
	ASSERT_EQ(0, get_info(fd, &info));
	ASSERT_GT(info.classes[urgency].queued_msgs, 2);
}

/* Reads a message that must be whole, and of this urgency and number. */
static void expect_frame(struct __test_metadata *_metadata, int fd, int urgency,
			 int id)
{
	struct frame frame;

	ASSERT_EQ(1, read_frame(fd, &frame));
	ASSERT_EQ(urgency, frame.urgency);
	ASSERT_EQ(id, frame.id);
}

TEST_F(schedule, order_within_class)
{
	int i;

	backlog(_metadata, self->p.tx, 7, BULK_MSGS);
	for (i = 0; i < BULK_MSGS; i++)
		expect_frame(_metadata, self->p.rx, 7, i);
}

TEST_F(schedule, urgent_overtakes_unsent_bulk)
{
	struct cats_info info;
	struct frame frame;
	int i, before, bulk = 0;

	backlog(_metadata, self->p.tx, 7, BULK_MSGS);
	ASSERT_EQ(0, get_info(self->p.tx, &info));
	before = BULK_MSGS - info.classes[7].queued_msgs;
	ASSERT_EQ(200, send_frame(self->p.tx, 0, 1000, 200, 0));
	for (i = 0; i < BULK_MSGS + 1; i++) {
		ASSERT_EQ(1, read_frame(self->p.rx, &frame));
		if (frame.urgency == 0)
			break;
		EXPECT_EQ(bulk++, frame.id);
	}
	/* Behind what was committed, with the message that had begun; no more. */
	EXPECT_EQ(0, frame.urgency);
	EXPECT_LE(bulk, before + 1);
	EXPECT_LT(bulk, BULK_MSGS - 2);
	for (; bulk < BULK_MSGS; bulk++)
		expect_frame(_metadata, self->p.rx, 7, bulk);
}

TEST_F(schedule, all_urgencies_in_order)
{
	struct frame frame;
	int i, last = -1;

	backlog(_metadata, self->p.tx, 7, BULK_MSGS);
	for (i = 6; i >= 0; i--)
		ASSERT_EQ(300, send_frame(self->p.tx, i, 100 + i, 300, 0));
	do {
		ASSERT_EQ(1, read_frame(self->p.rx, &frame));
	} while (frame.urgency == 7);
	for (i = 0; i < 7; i++) {
		EXPECT_EQ(100 + i, frame.id);
		EXPECT_GT((int)frame.urgency, last);
		last = frame.urgency;
		ASSERT_EQ(1, read_frame(self->p.rx, &frame));
	}
	EXPECT_EQ(7, frame.urgency);
}

/* 60 KB: many segments, many feeds, and one message all the same. */
TEST_F(schedule, large_message_is_contiguous)
{
	int size = 1 << 20;

	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_SOCKET, SO_SNDBUFFORCE, &size,
				sizeof(size)));
	ASSERT_EQ(60000, send_frame(self->p.tx, 7, 1, 60000, 0));
	ASSERT_EQ(60000, send_frame(self->p.tx, 7, 2, 60000, 0));
	ASSERT_EQ(100, send_frame(self->p.tx, 0, 3, 100, 0));
	expect_frame(_metadata, self->p.rx, 7, 1);
	expect_frame(_metadata, self->p.rx, 0, 3);
	expect_frame(_metadata, self->p.rx, 7, 2);
}

TEST_F(schedule, committed_stays_within_budget)
{
	struct cats_info info;
	int i;

	backlog(_metadata, self->p.tx, 5, BULK_MSGS);
	ASSERT_EQ(0, get_info(self->p.tx, &info));
	EXPECT_GT(info.committed, 0);
	EXPECT_LE(info.committed, info.budget_max);
	for (i = 0; i < BULK_MSGS; i++)
		expect_frame(_metadata, self->p.rx, 5, i);
	ASSERT_EQ(0, get_info(self->p.tx, &info));
	EXPECT_LE(info.committed_max, info.budget_max);
	EXPECT_EQ(0, info.alloc_failures);
}

TEST_F(schedule, info_adds_up)
{
	struct cats_info info;
	uint64_t bytes;
	int i;

	backlog(_metadata, self->p.tx, 5, BULK_MSGS);
	ASSERT_EQ(0, get_info(self->p.tx, &info));
	bytes = info.classes[5].queued_bytes + info.classes[5].sent_bytes;
	EXPECT_EQ(BULK_MSGS * BULK_LEN, bytes);
	EXPECT_EQ(BULK_MSGS, info.classes[5].queued_msgs + info.classes[5].sent_msgs);
	EXPECT_GE(info.mem_queued, info.classes[5].queued_bytes);
	for (i = 0; i < BULK_MSGS; i++)
		expect_frame(_metadata, self->p.rx, 5, i);
	ASSERT_TRUE(wait_queue_empty(self->p.tx));
	ASSERT_EQ(0, get_info(self->p.tx, &info));
	EXPECT_EQ(0, info.classes[5].queued_bytes);
	EXPECT_EQ(0, info.classes[5].queued_msgs);
	EXPECT_EQ(BULK_MSGS, info.classes[5].sent_msgs);
	EXPECT_EQ(0, info.mem_queued);
	EXPECT_EQ(0, info.committed);
	EXPECT_GT(info.classes[5].longest_wait_us, 0);
}

TEST_F(schedule, conductor_changes_under_way)
{
	int i;

	backlog(_metadata, self->p.tx, 7, BULK_MSGS);
	ASSERT_EQ(0, set_conductor(self->p.tx, "debt-refcode"));
	for (i = 0; i < BULK_MSGS / 2; i++)
		expect_frame(_metadata, self->p.rx, 7, i);
	ASSERT_EQ(0, set_conductor(self->p.tx, "strict"));
	for (; i < BULK_MSGS; i++)
		expect_frame(_metadata, self->p.rx, 7, i);
}

/* Without the Nagle exemption the 200 bytes would wait for an ACK. */
TEST_F(schedule, urgent_tail_does_not_wait_for_ack)
{
	struct cats_info info;

	ASSERT_EQ(100, send_frame(self->p.tx, 7, 1, 100, 0));
	ASSERT_EQ(200, send_frame(self->p.tx, 0, 2, 200, 0));
	ASSERT_EQ(0, get_info(self->p.tx, &info));
	EXPECT_EQ(0, info.committed);
	expect_frame(_metadata, self->p.rx, 7, 1);
	expect_frame(_metadata, self->p.rx, 0, 2);
}

/* Watermarks of a few messages; returns whether the Conductor has any. */
static bool lower_watermarks(struct __test_metadata *_metadata, int fd)
{
	struct cats_debt_params params;
	socklen_t len = sizeof(params);

	if (getsockopt(fd, SOL_CATS, CATS_DEBT_PARAMS, &params, &len))
		return false;
	params.high[0] = 5000;
	params.low[0] = 2500;
	EXPECT_EQ(0, setsockopt(fd, SOL_CATS, CATS_DEBT_PARAMS, &params,
				sizeof(params)));
	return true;
}

/* With debt bulk gets its turn between the urgent, with strict it does not. */
TEST_F(schedule, debt_lets_bulk_through)
{
	bool debt = lower_watermarks(_metadata, self->p.tx);
	struct frame frame;
	int i, urgent = 0;

	backlog(_metadata, self->p.tx, 7, 20);
	for (i = 0; i < 20; i++)
		ASSERT_EQ(1000, send_frame(self->p.tx, 0, i, 1000, 0));
	do {
		ASSERT_EQ(1, read_frame(self->p.rx, &frame));
	} while (frame.urgency == 7);
	for (; frame.urgency == 0; urgent++)
		ASSERT_EQ(1, read_frame(self->p.rx, &frame));
	EXPECT_EQ(debt ? 5 : 20, urgent);
	EXPECT_EQ(7, frame.urgency);
}

TEST_HARNESS_MAIN
