// SPDX-License-Identifier: GPL-2.0
/*
 * Policies: their names, their parameters, and changing them on a live connection.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "cats_test.h"
#include "kselftest_harness.h"
#include "surface.h"

static const char *const policies[] = {
	"bounded", "strict", "wfq", "edf", "debt", "debt-paper", "debt-refcode",
};

#define NR_POLICIES	((int)(sizeof(policies) / sizeof(policies[0])))

FIXTURE(policy)
{
	struct pair p;
};

FIXTURE_SETUP(policy)
{
	ASSERT_EQ(0, pair_open(&self->p, AF_INET));
	ASSERT_EQ(0, attach(self->p.tx));
}

FIXTURE_TEARDOWN(policy)
{
	pair_close(&self->p);
}

TEST_F(policy, all_are_listed_and_can_be_chosen)
{
	char names[256], want[256] = "", name[CATS_CONDUCTOR_NAME_MAX];
	socklen_t len;
	int i;

	for (i = 0; i < NR_POLICIES; i++) {
		strcat(strcat(want, i ? " " : ""), policies[i]);
		EXPECT_EQ(0, set_conductor(self->p.tx, policies[i]));
		len = sizeof(name);
		EXPECT_EQ(0, getsockopt(self->p.tx, SOL_CATS, CATS_CONDUCTOR, name, &len));
		EXPECT_STREQ(policies[i], name);
	}
	ASSERT_EQ(0, read_sysctl("available_conductors", names, sizeof(names)));
	EXPECT_STREQ(want, names);
}

TEST_F(policy, bounded_is_the_default)
{
	struct cats_info info;
	char name[64];

	ASSERT_EQ(0, get_info(self->p.tx, &info));
	EXPECT_STREQ("bounded", info.conductor);
	ASSERT_EQ(0, read_sysctl("conductor", name, sizeof(name)));
	EXPECT_STREQ("bounded", name);
}

/* Nothing is lost, and nothing overtakes within a class. */
TEST_F(policy, change_under_way)
{
	enum { MSGS = 200, LEN = 300 };
	uint32_t last[CATS_NR_URGENCIES] = {};
	struct frame frame;
	int i, size = 1 << 20;

	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)));
	for (i = 0; i < MSGS; i++)
		ASSERT_EQ(LEN, send_frame(self->p.tx, i % 8, 1 + i, LEN, 0));
	for (i = 0; i < MSGS; i++) {
		ASSERT_EQ(0, set_conductor(self->p.tx, policies[i % NR_POLICIES]));
		ASSERT_EQ(1, read_frame(self->p.rx, &frame));
		ASSERT_LT(last[frame.urgency], frame.id);
		last[frame.urgency] = frame.id;
	}
	for (i = 0; i < CATS_NR_URGENCIES; i++)
		EXPECT_EQ(MSGS - 7 + i, (int)last[i]);
}

/* Messages with a lifetime go first, by the time that they have left. */
TEST_F(policy, edf_goes_by_the_deadline)
{
	static const struct {
		unsigned int urgency, lifetime_s;
	} msgs[] = { { 3, 0 }, { 3, 300 }, { 3, 100 }, { 3, 200 }, { 2, 400 }, { 3, 0 } };
	static const int order[] = { 4, 2, 3, 1, 0, 5 };
	struct frame frame;
	unsigned int i;

	ASSERT_EQ(0, set_conductor(self->p.tx, "edf"));
	ASSERT_LT(0, fill_tcp(self->p.tx));
	for (i = 0; i < 6; i++) {
		const struct cats_tag tag = {
			.urgency = msgs[i].urgency,
			.lifetime_us = msgs[i].lifetime_s * 1000000,
		};

		ASSERT_EQ(200, send_frame_tag(self->p.tx, &tag, i, 200, MSG_DONTWAIT));
	}
	for (i = 0; i < 6; i++) {
		ASSERT_EQ(1, read_own(self->p.rx, &frame));
		EXPECT_EQ(order[i], (int)frame.id);
	}
}

/* What the first @n messages have that arrive, of urgencies 0 and 7. */
static int count_urgent(struct __test_metadata *_metadata, int fd, int n)
{
	struct frame frame;
	int i, urgent = 0;

	do {
		EXPECT_EQ(1, read_frame(fd, &frame));
	} while (frame.urgency);
	for (i = 0; i < n; i++) {
		urgent += !frame.urgency;
		EXPECT_EQ(1, read_frame(fd, &frame));
	}
	return urgent;
}

static void saturate(struct __test_metadata *_metadata, int fd)
{
	int i, size = 1 << 20;

	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)));
	ASSERT_LT(0, fill_tcp(fd));
	for (i = 0; i < 200; i++) {
		ASSERT_EQ(1000, send_frame(fd, 0, i, 1000, 0));
		ASSERT_EQ(1000, send_frame(fd, 7, i, 1000, 0));
	}
}

TEST_F(policy, bounded_shares)
{
	struct cats_bounded_params params;
	socklen_t len = sizeof(params);

	ASSERT_EQ(0, getsockopt(self->p.tx, SOL_CATS, CATS_BOUNDED_PARAMS, &params, &len));
	EXPECT_EQ(sizeof(params), len);
	params.share[0] = 0;
	params.bucket = 0;
	params.share[7] = 256;
	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_CATS, CATS_BOUNDED_PARAMS, &params, len));
	saturate(_metadata, self->p.tx);
	/* A byte for every four of the others: one message in five. */
	EXPECT_EQ(80, count_urgent(_metadata, self->p.rx, 100));
}

TEST_F(policy, wfq_shares)
{
	struct cats_wfq_params params;
	socklen_t len = sizeof(params);

	ASSERT_EQ(0, set_conductor(self->p.tx, "wfq"));
	ASSERT_EQ(0, getsockopt(self->p.tx, SOL_CATS, CATS_WFQ_PARAMS, &params, &len));
	params.weight[0] = 3000;
	params.weight[7] = 1000;
	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_CATS, CATS_WFQ_PARAMS, &params, len));
	saturate(_metadata, self->p.tx);
	EXPECT_EQ(75, count_urgent(_metadata, self->p.rx, 100));
}

/* Returns the reason. */
static const char *refused(int fd, int option, const void *value, size_t len)
{
	static struct cats_info info;

	if (!setsockopt(fd, SOL_CATS, option, value, len) || errno != EINVAL)
		return "accepted";
	return get_info(fd, &info) ? "no info" : info.reason;
}

TEST_F(policy, bad_parameters_change_nothing)
{
	struct cats_bounded_params bounded, bad, after;
	socklen_t len = sizeof(bounded);
	struct cats_wfq_params wfq = {};

	ASSERT_EQ(0, getsockopt(self->p.tx, SOL_CATS, CATS_BOUNDED_PARAMS, &bounded, &len));
	bad = bounded;
	bad.share[3] = 0;
	EXPECT_STREQ("bounded parameters: share is not in 1 to 1000",
		     refused(self->p.tx, CATS_BOUNDED_PARAMS, &bad, sizeof(bad)));
	bad.share[3] = 1000;
	EXPECT_STREQ("bounded parameters: shares are above 1000 together",
		     refused(self->p.tx, CATS_BOUNDED_PARAMS, &bad, sizeof(bad)));
	bad = bounded;
	bad.share[0] = 1001;
	EXPECT_STREQ("bounded parameters: share of urgency 0 is above 1000",
		     refused(self->p.tx, CATS_BOUNDED_PARAMS, &bad, sizeof(bad)));
	bad = bounded;
	bad.bucket = (1U << 30) + 1;
	EXPECT_STREQ("bounded parameters: bucket is above 2^30",
		     refused(self->p.tx, CATS_BOUNDED_PARAMS, &bad, sizeof(bad)));
	EXPECT_STREQ("parameters: the Conductor is another one",
		     refused(self->p.tx, CATS_WFQ_PARAMS, &wfq, sizeof(wfq)));
	EXPECT_STREQ("option: value is too short",
		     refused(self->p.tx, CATS_BOUNDED_PARAMS, &bad, 4));
	ASSERT_EQ(0, getsockopt(self->p.tx, SOL_CATS, CATS_BOUNDED_PARAMS, &after, &len));
	EXPECT_EQ(0, memcmp(&bounded, &after, sizeof(after)));
	ASSERT_EQ(0, set_conductor(self->p.tx, "wfq"));
	EXPECT_STREQ("wfq parameters: weight is not in 1 to 2^24",
		     refused(self->p.tx, CATS_WFQ_PARAMS, &wfq, sizeof(wfq)));
	EXPECT_STREQ("parameters: the Conductor is another one",
		     refused(self->p.tx, CATS_BOUNDED_PARAMS, &bounded, sizeof(bounded)));
	EXPECT_ERRNO(EINVAL, getsockopt(self->p.tx, SOL_CATS, CATS_BOUNDED_PARAMS, &after,
					&len));
}

/* Accepted sockets have the policy of the listener, and its parameters. */
TEST_F(policy, is_inherited)
{
	struct cats_wfq_params params = { .weight = { 8, 7, 6, 5, 4, 3, 2, 1 } }, got;
	int listener = socket(AF_INET, SOCK_STREAM, 0), client, child;
	socklen_t len = sizeof(got);
	struct address addr;

	client = socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(0, surface_listen(listener, AF_INET, &addr));
	ASSERT_EQ(0, attach(listener));
	ASSERT_EQ(0, set_conductor(listener, "wfq"));
	ASSERT_EQ(0, setsockopt(listener, SOL_CATS, CATS_WFQ_PARAMS, &params, sizeof(params)));
	ASSERT_EQ(0, surface_connect(client, &addr));
	child = accept(listener, NULL, NULL);
	ASSERT_LE(0, child);
	ASSERT_EQ(0, getsockopt(child, SOL_CATS, CATS_WFQ_PARAMS, &got, &len));
	EXPECT_EQ(0, memcmp(&params, &got, sizeof(got)));
	close(child);
	close(client);
	close(listener);
}

TEST_HARNESS_MAIN
