// SPDX-License-Identifier: GPL-2.0
/* Tags and options: every form that is accepted, every one that is refused. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "cats_test.h"
#include "kselftest_harness.h"

FIXTURE(tag)
{
	struct pair p;
};

FIXTURE_SETUP(tag)
{
	ASSERT_EQ(0, pair_open(&self->p, AF_INET));
	ASSERT_EQ(0, attach(self->p.tx));
}

FIXTURE_TEARDOWN(tag)
{
	pair_close(&self->p);
}

/* What a refused call must leave: no byte sent, no byte queued, a reason. */
#define EXPECT_REFUSED(ret, err, text) do {				\
	const int _err = err;						\
	struct cats_info _i;						\
	EXPECT_EQ(-1, ret);						\
	EXPECT_EQ(_err, errno);						\
	ASSERT_EQ(0, get_info(self->p.tx, &_i));			\
	EXPECT_STREQ(text, _i.reason);					\
	EXPECT_EQ(_err, (int)_i.reason_errno);				\
	EXPECT_EQ(0, queued_bytes(&_i));				\
	EXPECT_EQ(-1, recv(self->p.rx, &_i, 1, MSG_DONTWAIT));		\
	EXPECT_EQ(EAGAIN, errno);					\
} while (0)

static int send_raw(int fd, const void *tag, size_t len)
{
	return send_cmsg(fd, "x", 1, SOL_CATS, CATS_TAG, tag, len, 0);
}

static int class_of_last(struct __test_metadata *_metadata, int fd)
{
	struct cats_info info;
	int i;

	ASSERT_EQ(0, get_info(fd, &info));
	for (i = 0; i < CATS_NR_URGENCIES; i++)
		if (info.classes[i].sent_msgs)
			return i;
	return -1;
}

TEST_F(tag, none_is_default)
{
	ASSERT_EQ(1, send_tagged(self->p.tx, UNTAGGED, "x", 1, 0));
	EXPECT_EQ(CATS_URGENCY_DEFAULT, class_of_last(_metadata, self->p.tx));
}

TEST_F(tag, full)
{
	struct cats_tag tag = { .urgency = 6 };

	ASSERT_EQ(1, send_raw(self->p.tx, &tag, sizeof(tag)));
	EXPECT_EQ(6, class_of_last(_metadata, self->p.tx));
}

TEST_F(tag, bare_u32)
{
	__u32 urgency = 5;

	ASSERT_EQ(1, send_raw(self->p.tx, &urgency, sizeof(urgency)));
	EXPECT_EQ(5, class_of_last(_metadata, self->p.tx));
}

TEST_F(tag, shorter_than_full)
{
	struct cats_tag tag = { .urgency = 1, .stream = 77 };

	ASSERT_EQ(1, send_raw(self->p.tx, &tag, offsetof(struct cats_tag, stream)));
	EXPECT_EQ(1, class_of_last(_metadata, self->p.tx));
}

TEST_F(tag, longer_and_zero)
{
	struct { struct cats_tag tag; __u64 more[2]; } big = { .tag.urgency = 2 };

	ASSERT_EQ(1, send_raw(self->p.tx, &big, sizeof(big)));
	EXPECT_EQ(2, class_of_last(_metadata, self->p.tx));
}

TEST_F(tag, longer_and_not_zero)
{
	struct { struct cats_tag tag; __u64 more[2]; } big = { .more[1] = 1 };

	EXPECT_REFUSED(send_raw(self->p.tx, &big, sizeof(big)), E2BIG,
		       "tag: longer than this kernel knows, and not 0 there");
}

TEST_F(tag, too_short)
{
	EXPECT_REFUSED(send_raw(self->p.tx, "\0\0", 3), EINVAL,
		       "tag: shorter than 4 bytes");
}

TEST_F(tag, every_urgency)
{
	struct cats_info info;
	int i;

	for (i = 0; i < CATS_NR_URGENCIES; i++)
		ASSERT_EQ(10, send_tagged(self->p.tx, i, "0123456789", 10, 0));
	ASSERT_EQ(0, get_info(self->p.tx, &info));
	for (i = 0; i < CATS_NR_URGENCIES; i++) {
		EXPECT_EQ(1, info.classes[i].sent_msgs);
		EXPECT_EQ(10, info.classes[i].sent_bytes);
	}
}

TEST_F(tag, bad_urgency)
{
	struct cats_tag tag = { .urgency = 8 };

	EXPECT_REFUSED(send_raw(self->p.tx, &tag, sizeof(tag)), EINVAL,
		       "tag: urgency is above 7");
	tag.urgency = ~0U;
	EXPECT_REFUSED(send_raw(self->p.tx, &tag, sizeof(tag)), EINVAL,
		       "tag: urgency is above 7");
}

TEST_F(tag, unknown_flag)
{
	struct cats_tag tag = { .flags = 4 };

	EXPECT_REFUSED(send_raw(self->p.tx, &tag, sizeof(tag)), EINVAL,
		       "tag: unknown flag");
}

TEST_F(tag, flags_that_need_more)
{
	struct cats_tag tag = { .flags = CATS_F_INCREMENTAL, .cookie = 1 };

	EXPECT_REFUSED(send_raw(self->p.tx, &tag, sizeof(tag)), EINVAL,
		       "tag: CATS_F_INCREMENTAL without a stream");
	tag = (struct cats_tag){ .flags = CATS_F_REPLACE, .stream = 1 };
	EXPECT_REFUSED(send_raw(self->p.tx, &tag, sizeof(tag)), EINVAL,
		       "tag: CATS_F_REPLACE without a cookie");
}

TEST_F(tag, unknown_event)
{
	struct cats_tag tag = { .notify = CATS_NOTIFY_ALL + 1 };

	EXPECT_REFUSED(send_raw(self->p.tx, &tag, sizeof(tag)), EINVAL,
		       "tag: unknown event in notify");
}

/* It says how urgent untagged messages are, and nothing else. */
TEST_F(tag, default_is_an_urgency)
{
	static const struct cats_tag tags[] = {
		{ .stream = 1 }, { .lifetime_us = 1 }, { .cookie = 1 },
		{ .stream = 1, .flags = CATS_F_INCREMENTAL },
		{ .notify = CATS_NOTIFY_ALL }, { .reserved = 1 },
	};
	unsigned int i;

	for (i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
		EXPECT_REFUSED(setsockopt(self->p.tx, SOL_CATS, CATS_TAG, &tags[i],
					  sizeof(tags[i])), EINVAL,
			       "default tag: has more than an urgency");
}

TEST_F(tag, reserved)
{
	struct cats_tag tag = { .reserved = 1 };

	EXPECT_REFUSED(send_raw(self->p.tx, &tag, sizeof(tag)), EINVAL,
		       "tag: reserved field is not 0");
}

TEST_F(tag, unknown_cmsg_type)
{
	__u32 zero = 0;

	EXPECT_REFUSED(send_cmsg(self->p.tx, "x", 1, SOL_CATS, 99, &zero,
				 sizeof(zero), 0),
		       EINVAL, "control message: unknown type");
}

/* Two control messages: @second_level decides what the other one is. */
static int send_two(int fd, int second_level, int second_type)
{
	char control[2 * CMSG_SPACE(sizeof(struct cats_tag))]
		__attribute__((aligned(8))) = {};
	struct iovec iov = { .iov_base = "x", .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_len = CMSG_LEN(sizeof(struct cats_tag));
	cmsg->cmsg_level = second_level;
	cmsg->cmsg_type = second_type;
	cmsg = CMSG_NXTHDR(&msg, cmsg);
	cmsg->cmsg_len = CMSG_LEN(sizeof(struct cats_tag));
	cmsg->cmsg_level = SOL_CATS;
	cmsg->cmsg_type = CATS_TAG;
	((struct cats_tag *)CMSG_DATA(cmsg))->urgency = 4;
	return sendmsg(fd, &msg, MSG_NOSIGNAL);
}

TEST_F(tag, two_tags)
{
	EXPECT_REFUSED(send_two(self->p.tx, SOL_CATS, CATS_TAG), EINVAL,
		       "control message: more than one tag");
}

TEST_F(tag, beside_a_foreign_cmsg)
{
	ASSERT_EQ(1, send_two(self->p.tx, IPPROTO_IP, 12345));
	EXPECT_EQ(4, class_of_last(_metadata, self->p.tx));
}

TEST_F(tag, only_a_foreign_cmsg)
{
	int value = 1;

	ASSERT_EQ(1, send_cmsg(self->p.tx, "x", 1, IPPROTO_IP, 12345, &value,
			       sizeof(value), 0));
	EXPECT_EQ(CATS_URGENCY_DEFAULT, class_of_last(_metadata, self->p.tx));
}

TEST_F(tag, bad_socket_level_cmsg)
{
	int value = 1;

	EXPECT_REFUSED(send_cmsg(self->p.tx, "x", 1, SOL_SOCKET, 12345, &value,
				 sizeof(value), 0),
		       EINVAL, "control message: refused by the socket layer");
}

TEST_F(tag, nothing_to_send)
{
	struct cats_info info;

	EXPECT_EQ(0, send_tagged(self->p.tx, 1, "", 0, 0));
	ASSERT_EQ(0, get_info(self->p.tx, &info));
	EXPECT_EQ(0, info.classes[1].sent_msgs);
	EXPECT_EQ(0, info.mem_queued);
}

TEST_F(tag, fault_in_the_data)
{
	struct cats_info info;

	EXPECT_EQ(-1, send_tagged(self->p.tx, 1, (void *)8, 100, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, send_tagged(self->p.tx, UNTAGGED, (void *)8, 100, 0));
	EXPECT_EQ(EFAULT, errno);
	ASSERT_EQ(0, get_info(self->p.tx, &info));
	EXPECT_EQ(0, info.mem_queued);
	EXPECT_EQ(0, queued_bytes(&info));
}

TEST_F(tag, default_by_option)
{
	struct cats_tag tag = { .urgency = 6 }, got;
	socklen_t len = sizeof(got);

	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_CATS, CATS_TAG, &tag, sizeof(tag)));
	ASSERT_EQ(0, getsockopt(self->p.tx, SOL_CATS, CATS_TAG, &got, &len));
	EXPECT_EQ(6, got.urgency);
	ASSERT_EQ(1, send_tagged(self->p.tx, UNTAGGED, "x", 1, 0));
	EXPECT_EQ(6, class_of_last(_metadata, self->p.tx));
}

TEST_F(tag, option_sizes)
{
	struct { struct cats_tag tag; __u64 more; } big = { .tag.urgency = 4 };
	struct cats_tag got = {};
	socklen_t len = 4;
	__u32 urgency = 2;
	int fd = self->p.tx;

	EXPECT_EQ(0, setsockopt(fd, SOL_CATS, CATS_TAG, &urgency, 4));
	EXPECT_EQ(0, getsockopt(fd, SOL_CATS, CATS_TAG, &got, &len));
	EXPECT_EQ(4, len);
	EXPECT_EQ(2, got.urgency);
	EXPECT_REFUSED(setsockopt(fd, SOL_CATS, CATS_TAG, &urgency, 3), EINVAL,
		       "option: value is too short");
	EXPECT_EQ(0, setsockopt(fd, SOL_CATS, CATS_TAG, &big, sizeof(big)));
	big.more = 1;
	EXPECT_REFUSED(setsockopt(fd, SOL_CATS, CATS_TAG, &big, sizeof(big)), E2BIG,
		       "option: longer than this kernel knows, and not 0 there");
	big.tag.urgency = 8;
	EXPECT_REFUSED(setsockopt(fd, SOL_CATS, CATS_TAG, &big, sizeof(big.tag)),
		       EINVAL, "tag: urgency is above 7");
	len = sizeof(got);
	EXPECT_EQ(0, getsockopt(fd, SOL_CATS, CATS_TAG, &got, &len));
	EXPECT_EQ(4, got.urgency);
}

TEST_F(tag, option_larger_than_a_page)
{
	static char big[65536];

	EXPECT_REFUSED(setsockopt(self->p.tx, SOL_CATS, CATS_TAG, big, sizeof(big)),
		       E2BIG, "option: larger than a page");
}

TEST_F(tag, unknown_option)
{
	socklen_t len = sizeof(int);
	int value = 0;

	EXPECT_REFUSED(setsockopt(self->p.tx, SOL_CATS, 99, &value, sizeof(value)),
		       ENOPROTOOPT, "option: unknown to this kernel");
	EXPECT_REFUSED(getsockopt(self->p.tx, SOL_CATS, 99, &value, &len),
		       ENOPROTOOPT, "option: unknown to this kernel");
	EXPECT_EQ(sizeof(int), len);
}

TEST_F(tag, options_at_bad_addresses)
{
	void *nowhere = (void *)8;
	struct cats_tag tag;
	socklen_t len = -1;
	int fd = self->p.tx;

	EXPECT_EQ(-1, getsockopt(fd, SOL_CATS, CATS_TAG, &tag, &len));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, getsockopt(fd, SOL_CATS, CATS_TAG, &tag, nowhere));
	EXPECT_EQ(EFAULT, errno);
	len = sizeof(tag);
	EXPECT_EQ(-1, getsockopt(fd, SOL_CATS, CATS_TAG, nowhere, &len));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, setsockopt(fd, SOL_CATS, CATS_TAG, nowhere, sizeof(tag)));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, setsockopt(fd, SOL_CATS, CATS_TAG, nowhere, sizeof(tag) + 4));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, setsockopt(fd, SOL_CATS, CATS_CONDUCTOR, nowhere, 7));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, setsockopt(fd, SOL_CATS, CATS_DEBT_PARAMS, nowhere,
				 sizeof(struct cats_debt_params)));
	EXPECT_EQ(EFAULT, errno);
	ASSERT_EQ(0, getsockopt(fd, SOL_CATS, CATS_TAG, &tag, &len));
	EXPECT_EQ(CATS_URGENCY_DEFAULT, tag.urgency);
}

TEST_F(tag, info_sizes)
{
	char buf[sizeof(struct cats_info) + 8];
	socklen_t len = sizeof(buf);

	EXPECT_EQ(0, getsockopt(self->p.tx, SOL_CATS, CATS_INFO, buf, &len));
	EXPECT_EQ(sizeof(struct cats_info), len);
	len = 5;
	memset(buf, 0x55, sizeof(buf));
	EXPECT_EQ(0, getsockopt(self->p.tx, SOL_CATS, CATS_INFO, buf, &len));
	EXPECT_EQ(5, len);
	EXPECT_EQ(0, memcmp(buf, "bound\x55", 6));
}

TEST_F(tag, conductor_by_name)
{
	static const char *const names[] = {
		"strict", "debt-paper", "debt-refcode", "debt",
	};
	char name[CATS_CONDUCTOR_NAME_MAX];
	socklen_t len;
	size_t i;

	for (i = 0; i < 4; i++) {
		len = sizeof(name);
		EXPECT_EQ(0, set_conductor(self->p.tx, names[i]));
		EXPECT_EQ(0, getsockopt(self->p.tx, SOL_CATS, CATS_CONDUCTOR, name,
					&len));
		EXPECT_STREQ(names[i], name);
	}
	/* As TCP_CONGESTION, the final 0 may be missing. */
	EXPECT_EQ(0, setsockopt(self->p.tx, SOL_CATS, CATS_CONDUCTOR, "strict", 6));
}

TEST_F(tag, conductor_refused)
{
	struct cats_info info;

	EXPECT_REFUSED(set_conductor(self->p.tx, "stric"), ENOENT,
		       "Conductor: no policy of that name");
	EXPECT_REFUSED(setsockopt(self->p.tx, SOL_CATS, CATS_CONDUCTOR, "", 0),
		       EINVAL, "Conductor: name is empty or too long");
	EXPECT_REFUSED(set_conductor(self->p.tx, ""), EINVAL,
		       "Conductor: name is empty or too long");
	EXPECT_REFUSED(set_conductor(self->p.tx, "a-name-of-16-byt"), EINVAL,
		       "Conductor: name is empty or too long");
	EXPECT_REFUSED(setsockopt(self->p.tx, SOL_CATS, CATS_CONDUCTOR,
				  "a-name-of-16-byt", CATS_CONDUCTOR_NAME_MAX),
		       EINVAL, "Conductor: name is empty or too long");
	ASSERT_EQ(0, get_info(self->p.tx, &info));
	EXPECT_STREQ("bounded", info.conductor);
}

TEST_F(tag, debt_params)
{
	struct cats_debt_params p, q;
	socklen_t len = sizeof(p);
	int fd = self->p.tx;

	ASSERT_EQ(0, set_conductor(fd, "debt"));
	ASSERT_EQ(0, getsockopt(fd, SOL_CATS, CATS_DEBT_PARAMS, &p, &len));
	EXPECT_EQ(sizeof(p), len);
	EXPECT_EQ(120000, p.high[0]);
	EXPECT_EQ(6000, p.payback_sum);
	p.high[0] = 5000;
	p.low[0] = 2000;
	ASSERT_EQ(0, setsockopt(fd, SOL_CATS, CATS_DEBT_PARAMS, &p, sizeof(p)));
	p.low[0] = 5001;
	EXPECT_REFUSED(setsockopt(fd, SOL_CATS, CATS_DEBT_PARAMS, &p, sizeof(p)),
		       EINVAL, "debt parameters: low is not in 1 to high");
	ASSERT_EQ(0, getsockopt(fd, SOL_CATS, CATS_DEBT_PARAMS, &q, &len));
	EXPECT_EQ(2000, q.low[0]);
	ASSERT_EQ(0, set_conductor(fd, "strict"));
	EXPECT_REFUSED(setsockopt(fd, SOL_CATS, CATS_DEBT_PARAMS, &q, sizeof(q)),
		       EINVAL,
		       "parameters: the Conductor is another one");
	EXPECT_REFUSED(getsockopt(fd, SOL_CATS, CATS_DEBT_PARAMS, &q, &len), EINVAL,
		       "parameters: the Conductor is another one");
}

TEST_HARNESS_MAIN
