// SPDX-License-Identifier: GPL-2.0
/* net.cats.*: what each sysctl does, refuses, and keeps to its own namespace. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cats_test.h"
#include "kselftest_harness.h"

#define VALUE_MAX	256

static const char *const writable[] = {
	"conductor", "urgency", "debt_high", "debt_low", "debt_payback",
	"debt_payback_sum", "max_sockets", "first_flight",
};

#define NR_WRITABLE	(sizeof(writable) / sizeof(writable[0]))

/* Opens the sysctl, for writing, in the namespace that the process is in. */
static int open_sysctl(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/sys/net/cats/%s", name);
	return open(path, O_WRONLY);
}

/* Numbers are separated by single blanks in @value. */
static int get(const char *name, char value[VALUE_MAX])
{
	char *c;

	if (read_sysctl(name, value, VALUE_MAX))
		return -1;
	for (c = value; *c; c++)
		if (*c == '\t')
			*c = ' ';
	return 0;
}

/* Returns 0, or the errno. */
static int set(const char *name, const char *value)
{
	int fd = open_sysctl(name), err = 0;

	if (fd < 0)
		return errno;
	if (write(fd, value, strlen(value)) != (ssize_t)strlen(value))
		err = errno;
	close(fd);
	return err;
}

static long get_number(const char *name)
{
	char value[VALUE_MAX];

	return get(name, value) ? -1 : atol(value);
}

/* The last reference of a socket goes after close(). */
static bool wait_sockets(long n)
{
	int tries;

	for (tries = 0; tries < 1000; tries++) {
		if (get_number("sockets") == n)
			return true;
		poll(NULL, 0, 1);
	}
	return false;
}

static int enter_initial(void)
{
	int fd = open("/proc/1/ns/net", O_RDONLY), ret;

	ret = setns(fd, CLONE_NEWNET);
	close(fd);
	return ret;
}

/* Each case has a namespace of its own, with the initial one's values. */
FIXTURE(netns)
{
	struct pair p;
};

FIXTURE_SETUP(netns)
{
	ASSERT_EQ(0, new_netns());
	ASSERT_EQ(0, pair_open(&self->p, AF_INET));
}

FIXTURE_TEARDOWN(netns)
{
	pair_close(&self->p);
}

TEST_F(netns, defaults)
{
	static const char *const expected[] = {
		"bounded", "3",
		"120000 96000 84000 72000 60000 48000 36000 0",
		"60000 48000 42000 36000 30000 24000 18000 0",
		"2000 1600 1400 1200 1000 800 600 400", "6000",
	};
	char value[VALUE_MAX];
	unsigned int i;

	for (i = 0; i < 6; i++) {
		ASSERT_EQ(0, get(writable[i], value));
		EXPECT_STREQ(expected[i], value);
	}
	EXPECT_EQ(1000, get_number("first_flight"));
	EXPECT_EQ(0, get_number("sockets"));
	EXPECT_EQ(0, get_number("plain_children"));
}

/* One for each 64 KiB that the kernel has for itself and others. */
TEST_F(netns, max_sockets_follows_memory)
{
	long pages = sysconf(_SC_PHYS_PAGES), max = get_number("max_sockets");

	EXPECT_GE(max, pages / 16 - 8);
	EXPECT_LE(max, pages / 16 + 8);
}

TEST_F(netns, reads_what_was_written)
{
	static const char *const values[] = {
		"strict", "7", "1073741824 8 7 6 5 4 3 0", "1 2 3 4 5 4 3 0",
		"1 2 3 4 5 6 7 8", "0", "2147483647", "0",
	};
	char value[VALUE_MAX];
	int i;

	/* Low marks before high ones, which must not be below them. */
	ASSERT_EQ(0, set("debt_low", values[3]));
	for (i = 0; i < NR_WRITABLE; i++)
		ASSERT_EQ(0, set(writable[i], values[i]));
	for (i = 0; i < NR_WRITABLE; i++) {
		ASSERT_EQ(0, get(writable[i], value));
		EXPECT_STREQ(values[i], value);
	}
}

TEST_F(netns, new_sockets_start_with_them)
{
	char name[CATS_CONDUCTOR_NAME_MAX] = "";
	struct cats_tag tag = { .urgency = 99 };
	struct cats_debt_params params;
	socklen_t len = sizeof(tag);

	ASSERT_EQ(0, set("urgency", "5"));
	ASSERT_EQ(0, set("conductor", "debt"));
	ASSERT_EQ(0, set("debt_low", "1 1 1 1 1 1 1 0"));
	ASSERT_EQ(0, set("debt_high", "7 6 5 4 3 2 1 0"));
	ASSERT_EQ(0, set("debt_payback", "1 2 3 4 5 6 7 8"));
	ASSERT_EQ(0, set("debt_payback_sum", "0"));
	ASSERT_EQ(0, attach(self->p.tx));
	ASSERT_EQ(0, set("urgency", "2"));
	ASSERT_EQ(0, set("conductor", "strict"));
	ASSERT_EQ(0, set("debt_high", "8 8 8 8 8 8 8 0"));

	/* Those of the time when it was attached. */
	ASSERT_EQ(0, getsockopt(self->p.tx, SOL_CATS, CATS_TAG, &tag, &len));
	EXPECT_EQ(5, tag.urgency);
	len = sizeof(name);
	ASSERT_EQ(0, getsockopt(self->p.tx, SOL_CATS, CATS_CONDUCTOR, name, &len));
	EXPECT_STREQ("debt", name);
	len = sizeof(params);
	ASSERT_EQ(0, getsockopt(self->p.tx, SOL_CATS, CATS_DEBT_PARAMS, &params, &len));
	EXPECT_EQ(7, params.high[0]);
	EXPECT_EQ(1, params.low[6]);
	EXPECT_EQ(8, params.payback[7]);
	EXPECT_EQ(36, params.payback_sum);

	ASSERT_EQ(0, attach(self->p.rx));
	len = sizeof(tag);
	ASSERT_EQ(0, getsockopt(self->p.rx, SOL_CATS, CATS_TAG, &tag, &len));
	EXPECT_EQ(2, tag.urgency);
	len = sizeof(name);
	ASSERT_EQ(0, getsockopt(self->p.rx, SOL_CATS, CATS_CONDUCTOR, name, &len));
	EXPECT_STREQ("strict", name);
}

/* An untagged message goes by the default tag that the namespace gave. */
TEST_F(netns, default_urgency_is_used)
{
	struct cats_info info;
	struct frame frame;

	ASSERT_EQ(0, set("urgency", "6"));
	ASSERT_EQ(0, attach(self->p.tx));
	ASSERT_EQ(100, send_frame(self->p.tx, UNTAGGED, 1, 100, 0));
	ASSERT_EQ(1, read_frame(self->p.rx, &frame));
	ASSERT_EQ(0, get_info(self->p.tx, &info));
	EXPECT_EQ(100, info.classes[6].sent_bytes);
}

/* debt_* are the parameters of "debt", and of no other of its family. */
TEST_F(netns, debt_where_it_is_chosen)
{
	struct cats_debt_params params;
	socklen_t len = sizeof(params);

	ASSERT_EQ(0, set("debt_high", "777777 96000 84000 72000 60000 48000 36000 0"));
	ASSERT_EQ(0, set("conductor", "debt-paper"));
	ASSERT_EQ(0, attach(self->p.tx));
	ASSERT_EQ(0, getsockopt(self->p.tx, SOL_CATS, CATS_DEBT_PARAMS, &params, &len));
	EXPECT_EQ(60000, params.high[0]);
	ASSERT_EQ(0, set_conductor(self->p.tx, "debt"));
	ASSERT_EQ(0, getsockopt(self->p.tx, SOL_CATS, CATS_DEBT_PARAMS, &params, &len));
	EXPECT_EQ(777777, params.high[0]);
}

TEST_F(netns, refused)
{
	static const struct {
		const char *name;
		const char *value;
		int err;
	} bad[] = {
		{ "conductor", "no-such", ENOENT },
		{ "conductor", "\n", ENOENT },
		{ "conductor", "strictstrictstrictstrict", ENOENT },
		{ "urgency", "8", EINVAL },
		{ "urgency", "-1", EINVAL },
		{ "urgency", "x", EINVAL },
		{ "debt_high", "1 1 1 1 1 1 1", EINVAL },
		{ "debt_high", "1 1 1 1 1 1 1 0 1", EINVAL },
		{ "debt_high", "200000 96000 84000 72000 60000 48000 36000 1", EINVAL },
		{ "debt_high", "-1 96000 84000 72000 60000 48000 36000 0", EINVAL },
		{ "debt_high", "1073741825 96000 84000 72000 60000 48000 36000 0", EINVAL },
		{ "debt_high", "59999 96000 84000 72000 60000 48000 36000 0", EINVAL },
		{ "debt_low", "120001 48000 42000 36000 30000 24000 18000 0", EINVAL },
		{ "debt_low", "60000 48000 0 36000 30000 24000 18000 0", EINVAL },
		{ "debt_payback", "3001 1600 1400 1200 1000 800 600 400", EINVAL },
		{ "debt_payback", "0 1600 1400 1200 1000 800 600 400", EINVAL },
		{ "debt_payback", "2000 1600 1400 1200 1000 800 600 400 x", EINVAL },
		{ "debt_payback_sum", "3999", EINVAL },
		{ "debt_payback_sum", "6000 1", EINVAL },
		{ "max_sockets", "-1", EINVAL },
		{ "first_flight", "-1", EINVAL },
		{ "first_flight", "1001", EINVAL },
		{ "max_sockets", "2147483648", EINVAL },
		{ "sockets", "0", EPERM },
		{ "plain_children", "0", EPERM },
	};
	char before[VALUE_MAX], after[VALUE_MAX];
	unsigned int i;
	int err;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ASSERT_EQ(0, get(bad[i].name, before));
		err = set(bad[i].name, bad[i].value);
		/* Root may open what is read-only. */
		EXPECT_TRUE(err == bad[i].err || (bad[i].err == EPERM && err == EACCES)) {
			TH_LOG("%s = \"%s\": errno %d", bad[i].name, bad[i].value, err);
		}
		ASSERT_EQ(0, get(bad[i].name, after));
		EXPECT_STREQ(before, after);
	}
}

TEST_F(netns, max_sockets)
{
	struct pair more;

	ASSERT_EQ(0, pair_open(&more, AF_INET6));
	ASSERT_EQ(0, set("max_sockets", "2"));
	EXPECT_EQ(0, get_number("sockets"));
	ASSERT_EQ(0, attach(self->p.tx));
	ASSERT_EQ(0, attach(self->p.rx));
	EXPECT_EQ(2, get_number("sockets"));
	EXPECT_EQ(-1, attach(more.tx));
	EXPECT_EQ(ENOBUFS, errno);
	EXPECT_EQ(2, get_number("sockets"));
	/* It is still a TCP socket. */
	EXPECT_EQ(100, send_frame(more.tx, UNTAGGED, 1, 100, 0));

	pair_close(&self->p);
	self->p.tx = -1;
	self->p.rx = -1;
	ASSERT_TRUE(wait_sockets(0));
	EXPECT_EQ(0, attach(more.tx));
	EXPECT_EQ(1, get_number("sockets"));
	pair_close(&more);
	EXPECT_TRUE(wait_sockets(0));
}

/* An attempt that fails otherwise is not counted. */
TEST_F(netns, refused_attach_is_not_counted)
{
	ASSERT_EQ(0, attach(self->p.tx));
	EXPECT_EQ(-1, attach(self->p.tx));
	EXPECT_EQ(EEXIST, errno);
	EXPECT_EQ(1, get_number("sockets"));
}

TEST_F(netns, none_allowed)
{
	ASSERT_EQ(0, set("max_sockets", "0"));
	EXPECT_EQ(-1, attach(self->p.tx));
	EXPECT_EQ(ENOBUFS, errno);
}

TEST_F(netns, another_namespace_is_not_affected)
{
	int here = open("/proc/self/ns/net", O_RDONLY);
	struct pair p;

	ASSERT_EQ(0, set("max_sockets", "0"));
	ASSERT_EQ(0, set("urgency", "1"));
	ASSERT_EQ(0, new_netns());
	EXPECT_EQ(3, get_number("urgency"));
	ASSERT_EQ(0, pair_open(&p, AF_INET));
	EXPECT_EQ(0, attach(p.tx));
	EXPECT_EQ(1, get_number("sockets"));
	ASSERT_EQ(0, setns(here, CLONE_NEWNET));
	EXPECT_EQ(0, get_number("sockets"));
	pair_close(&p);
	close(here);
}

TEST_F(netns, new_namespace_copies_the_initial_one)
{
	static const char *const values[] = {
		"debt-refcode", "6", "130000 96000 84000 72000 60000 48000 36000 0",
		"60001 48000 42000 36000 30000 24000 18000 0",
		"2001 1600 1400 1200 1000 800 600 400", "6001", "4321", "789",
	};
	char saved[NR_WRITABLE][VALUE_MAX], value[VALUE_MAX];
	int i;

	ASSERT_EQ(0, enter_initial());
	for (i = 0; i < NR_WRITABLE; i++) {
		ASSERT_EQ(0, get(writable[i], saved[i]));
		EXPECT_EQ(0, set(writable[i], values[i]));
	}
	EXPECT_EQ(0, unshare(CLONE_NEWNET));
	for (i = 0; i < NR_WRITABLE; i++) {
		EXPECT_EQ(0, get(writable[i], value));
		EXPECT_STREQ(values[i], value);
		EXPECT_EQ(0, set(writable[i], saved[i]));
	}
	ASSERT_EQ(0, enter_initial());
	for (i = 0; i < NR_WRITABLE; i++) {
		EXPECT_EQ(0, get(writable[i], value));
		EXPECT_STREQ(values[i], value);
		ASSERT_EQ(0, set(writable[i], saved[i]));
	}
}

/* Its root may lower the limit, and never has more than the administrator set. */
TEST_F(netns, user_namespace_is_bounded_by_the_initial_one)
{
	int outside = open("/proc/self/ns/net", O_RDONLY), initial, limit;
	char before[VALUE_MAX], above[VALUE_MAX];

	ASSERT_EQ(0, enter_initial());
	/* Opened there, it goes on to mean that namespace. */
	initial = open_sysctl("max_sockets");
	ASSERT_LE(0, initial);
	ASSERT_EQ(0, get("max_sockets", before));
	snprintf(above, sizeof(above), "%ld", atol(before) + 1);
	ASSERT_EQ(0, setns(outside, CLONE_NEWNET));
	/* In a namespace of the initial user namespace it may go up. */
	EXPECT_EQ(0, set("max_sockets", above));

	ASSERT_EQ(0, unshare(CLONE_NEWUSER | CLONE_NEWNET));
	EXPECT_EQ(atol(before), get_number("max_sockets"));
	EXPECT_EQ(EPERM, set("max_sockets", above));
	EXPECT_EQ(atol(before), get_number("max_sockets"));
	EXPECT_EQ(0, set("max_sockets", "1000"));
	EXPECT_EQ(0, set("max_sockets", before));
	limit = write(initial, "10", 2);
	EXPECT_EQ(10, get_number("max_sockets"));
	EXPECT_EQ(EPERM, set("max_sockets", "11"));
	EXPECT_EQ((ssize_t)strlen(before), write(initial, before, strlen(before)));
	EXPECT_EQ(2, limit);
	close(initial);
	close(outside);
}

TEST_HARNESS_MAIN
