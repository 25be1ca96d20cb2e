// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of tags: control messages as the socket layer hands them over, that
 * is copied into the kernel and not yet looked at.
 */
#include <kunit/test.h>

#include "cats_sock.h"
#include "pair_test.h"

#define TAG_ROOM	64

/**
 * union control - control messages
 * @first: the first of them
 * @bytes: all of them
 */
union control {
	struct cmsghdr	first;
	u8		bytes[4 * CMSG_SPACE(TAG_ROOM)];
};

/**
 * struct bench - a write with control messages
 * @inet: the socket, as much of it as is looked at
 * @cs: where refusals are remembered
 * @msg: the write
 * @control: its control messages
 * @tag: what was found
 */
struct bench {
	struct inet_sock	inet;
	struct cats_sock	cs;
	struct msghdr		msg;
	union control		control;
	struct cats_tag		tag;
};

static int bench_init(struct kunit *test)
{
	struct bench *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);

	if (!b)
		return -ENOMEM;
	sock_net_set(&b->inet.sk, &init_net);
	b->cs.sk = &b->inet.sk;
	b->msg.msg_control = &b->control;
	test->priv = b;
	return 0;
}

/* Adds a control message of @len bytes of data; returns the data, all 0. */
static u32 *add_cmsg(struct bench *b, int level, int type, size_t len)
{
	struct cmsghdr *cmsg = (void *)&b->control.bytes[b->msg.msg_controllen];

	cmsg->cmsg_level = level;
	cmsg->cmsg_type = type;
	cmsg->cmsg_len = CMSG_LEN(len);
	b->msg.msg_controllen += CMSG_SPACE(len);
	return CMSG_DATA(cmsg);
}

static u32 *add_tag(struct bench *b, size_t len)
{
	return add_cmsg(b, SOL_CATS, CATS_TAG, len);
}

static int find_tag(struct bench *b)
{
	memset(&b->tag, 0xa5, sizeof(b->tag));
	return cats_tag_from_msg(&b->cs, &b->msg, &b->tag);
}

static void expect_refused(struct kunit *test, int err, const char *reason)
{
	struct bench *b = test->priv;

	b->cs.reason = CATS_REASON_NONE;
	KUNIT_EXPECT_EQ(test, find_tag(b), err);
	KUNIT_EXPECT_STREQ(test, cats_reason_text(b->cs.reason), reason);
	KUNIT_EXPECT_EQ(test, cats_reason_errno(b->cs.reason), -err);
	KUNIT_EXPECT_LT(test, strlen(reason), (size_t)CATS_REASON_MAX);
}

/* Accepted, as @urgency and with no flag set. */
static void expect_tag(struct kunit *test, u32 urgency)
{
	struct bench *b = test->priv;

	KUNIT_EXPECT_EQ(test, find_tag(b), 1);
	KUNIT_EXPECT_EQ(test, b->tag.urgency, urgency);
	KUNIT_EXPECT_EQ(test, b->tag.flags, 0);
	KUNIT_EXPECT_EQ(test, b->tag.stream, 0);
	KUNIT_EXPECT_EQ(test, b->tag.reserved, 0);
	KUNIT_EXPECT_EQ(test, b->cs.reason, CATS_REASON_NONE);
}

static void check__urgencies(struct kunit *test)
{
	struct cats_tag tag = {};

	for (tag.urgency = 0; tag.urgency <= CATS_URGENCY_MAX; tag.urgency++)
		KUNIT_EXPECT_EQ(test, cats_tag_check(&tag), CATS_REASON_NONE);
	KUNIT_EXPECT_EQ(test, cats_tag_check(&tag), CATS_REASON_TAG_URGENCY);
	tag.urgency = U32_MAX;
	KUNIT_EXPECT_EQ(test, cats_tag_check(&tag), CATS_REASON_TAG_URGENCY);
}

static void check__reserved_fields(struct kunit *test)
{
	struct cats_tag flag = { .flags = 1U << 31 };
	struct cats_tag notify = { .notify = 1U << CATS_NR_EVENTS };
	struct cats_tag reserved = { .reserved = 1U << 31 };

	KUNIT_EXPECT_EQ(test, cats_tag_check(&flag), CATS_REASON_TAG_FLAG);
	KUNIT_EXPECT_EQ(test, cats_tag_check(&notify), CATS_REASON_TAG_NOTIFY);
	KUNIT_EXPECT_EQ(test, cats_tag_check(&reserved), CATS_REASON_TAG_RESERVED);
}

static void check__flags_that_need_more(struct kunit *test)
{
	struct cats_tag incremental = { .flags = CATS_F_INCREMENTAL };
	struct cats_tag replace = { .flags = CATS_F_REPLACE };

	KUNIT_EXPECT_EQ(test, cats_tag_check(&incremental), CATS_REASON_TAG_INCREMENTAL);
	incremental.stream = 1;
	KUNIT_EXPECT_EQ(test, cats_tag_check(&incremental), CATS_REASON_NONE);
	KUNIT_EXPECT_EQ(test, cats_tag_check(&replace), CATS_REASON_TAG_REPLACE);
	replace.cookie = 1;
	KUNIT_EXPECT_EQ(test, cats_tag_check(&replace), CATS_REASON_NONE);
}

static void check__default(struct kunit *test)
{
	struct cats_tag tag = { .urgency = CATS_URGENCY_MAX };

	KUNIT_EXPECT_EQ(test, cats_tag_check_default(&tag), CATS_REASON_NONE);
	tag.urgency++;
	KUNIT_EXPECT_EQ(test, cats_tag_check_default(&tag), CATS_REASON_TAG_URGENCY);
	tag = (struct cats_tag){ .stream = 1 };
	KUNIT_EXPECT_EQ(test, cats_tag_check_default(&tag), CATS_REASON_TAG_DEFAULT);
}

static void from_msg__no_control(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, find_tag(test->priv), 0);
}

/* Fewer bytes than a header are no control message, for TCP as for us. */
static void from_msg__less_than_a_header(struct kunit *test)
{
	struct bench *b = test->priv;

	*add_tag(b, 4) = 9;
	b->msg.msg_controllen = sizeof(struct cmsghdr) - 1;
	KUNIT_EXPECT_EQ(test, find_tag(b), 0);
	b->msg.msg_controllen = CMSG_SPACE(4) + sizeof(struct cmsghdr) - 1;
	expect_refused(test, -EINVAL, "tag: urgency is above 7");
	*(u32 *)CMSG_DATA(&b->control.first) = 5;
	KUNIT_EXPECT_EQ(test, find_tag(b), 1);
}

static void from_msg__bare_urgency(struct kunit *test)
{
	*add_tag(test->priv, sizeof(u32)) = 6;
	expect_tag(test, 6);
}

/* What is there counts, byte for byte; the rest is 0. */
static void from_msg__cut_within_a_field(struct kunit *test)
{
	struct bench *b = test->priv;
	u32 *data = add_tag(b, sizeof(u32) + 1);

	data[0] = 2;
	/* Behind the length: padding, not the tag's. */
	data[1] = 0xffffff00;
	expect_tag(test, 2);
	data[1] = 4;
	expect_refused(test, -EINVAL, "tag: unknown flag");
}

static void from_msg__full(struct kunit *test)
{
	u32 *data = add_tag(test->priv, sizeof(struct cats_tag));

	data[0] = 7;
	expect_tag(test, 7);
	data[1] = 4;
	expect_refused(test, -EINVAL, "tag: unknown flag");
	data[1] = 0;
	data[6] = 1U << CATS_NR_EVENTS;
	expect_refused(test, -EINVAL, "tag: unknown event in notify");
	data[6] = 0;
	data[7] = 1;
	expect_refused(test, -EINVAL, "tag: reserved field is not 0");
}

static void from_msg__longer_and_zero(struct kunit *test)
{
	*add_tag(test->priv, TAG_ROOM) = 1;
	expect_tag(test, 1);
}

static void from_msg__longer_and_not_zero(struct kunit *test)
{
	u8 *data = (u8 *)add_tag(test->priv, TAG_ROOM);
	const char *why = "tag: longer than this kernel knows, and not 0 there";

	data[TAG_ROOM - 1] = 1;
	expect_refused(test, -E2BIG, why);
	data[TAG_ROOM - 1] = 0;
	data[sizeof(struct cats_tag)] = 0x80;
	expect_refused(test, -E2BIG, why);
}

static void from_msg__short(struct kunit *test)
{
	struct bench *b = test->priv;
	size_t len;

	add_tag(b, sizeof(u32));
	for (len = 0; len < sizeof(u32); len++) {
		b->control.first.cmsg_len = CMSG_LEN(len);
		expect_refused(test, -EINVAL, "tag: shorter than 4 bytes");
	}
}

static void from_msg__two_tags(struct kunit *test)
{
	*add_tag(test->priv, sizeof(u32)) = 1;
	*add_tag(test->priv, sizeof(u32)) = 1;
	expect_refused(test, -EINVAL, "control message: more than one tag");
}

static void from_msg__unknown_type(struct kunit *test)
{
	struct bench *b = test->priv;
	static const int types[] = { 0, CATS_CONDUCTOR, CATS_INFO, -1, INT_MAX };
	unsigned int i;

	add_tag(b, sizeof(u32));
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		b->control.first.cmsg_type = types[i];
		expect_refused(test, -EINVAL, "control message: unknown type");
	}
}

/* Others' control messages may hold anything, and ours may come after them. */
static void from_msg__foreign_level(struct kunit *test)
{
	struct bench *b = test->priv;

	*add_cmsg(b, SOL_SOCKET, CATS_TAG, sizeof(u32)) = 99;
	*add_cmsg(b, SOL_CATS + 1, CATS_TAG, 0) = 99;
	KUNIT_EXPECT_EQ(test, find_tag(b), 0);
	*add_tag(b, sizeof(u32)) = 4;
	expect_tag(test, 4);
	add_cmsg(b, SOL_IP, 0, 0);
	expect_tag(test, 4);
}

/* The length may not reach beyond the control messages, nor wrap around. */
static void from_msg__bad_length(struct kunit *test)
{
	struct bench *b = test->priv;
	const size_t lengths[] = {
		0, 1, sizeof(struct cmsghdr) - 1, CMSG_SPACE(sizeof(u32)) + 1,
		INT_MAX, U32_MAX, SIZE_MAX / 2, SIZE_MAX - 15, SIZE_MAX - 7, SIZE_MAX,
	};
	unsigned int i;

	add_tag(b, sizeof(u32));
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		b->control.first.cmsg_len = lengths[i];
		b->control.first.cmsg_level = SOL_CATS;
		expect_refused(test, -EINVAL, "control message: bad length");
		b->control.first.cmsg_level = SOL_SOCKET;
		expect_refused(test, -EINVAL, "control message: bad length");
	}
}

static void from_msg__bad_length_behind_a_tag(struct kunit *test)
{
	struct bench *b = test->priv;
	struct cmsghdr *second;

	*add_tag(b, sizeof(u32)) = 1;
	second = (void *)&b->control.bytes[b->msg.msg_controllen];
	add_cmsg(b, SOL_SOCKET, 0, sizeof(u32));
	second->cmsg_len = CMSG_SPACE(sizeof(u32)) + 1;
	expect_refused(test, -EINVAL, "control message: bad length");
}

static struct kunit_case tag_cases[] = {
	KUNIT_CASE(check__urgencies),
	KUNIT_CASE(check__reserved_fields),
	KUNIT_CASE(check__flags_that_need_more),
	KUNIT_CASE(check__default),
	KUNIT_CASE(from_msg__no_control),
	KUNIT_CASE(from_msg__less_than_a_header),
	KUNIT_CASE(from_msg__bare_urgency),
	KUNIT_CASE(from_msg__cut_within_a_field),
	KUNIT_CASE(from_msg__full),
	KUNIT_CASE(from_msg__longer_and_zero),
	KUNIT_CASE(from_msg__longer_and_not_zero),
	KUNIT_CASE(from_msg__short),
	KUNIT_CASE(from_msg__two_tags),
	KUNIT_CASE(from_msg__unknown_type),
	KUNIT_CASE(from_msg__foreign_level),
	KUNIT_CASE(from_msg__bad_length),
	KUNIT_CASE(from_msg__bad_length_behind_a_tag),
	{}
};

static struct kunit_suite tag_suite = {
	.name = "tag",
	.suite_init = pair_suite_init,
	.suite_exit = pair_suite_exit,
	.init = bench_init,
	.test_cases = tag_cases,
};

kunit_test_suite(tag_suite);
