// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/net/cats_stat: which counters there are, what moves each of them and by how
 * much, and that the gauges come back to 0.
 *
 * A namespace per case, so that all counters begin at 0.  CatsFeedNoMemory takes a fault:
 * see the scenarios of selftests/fault.
 */
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cats_test.h"
#include "kselftest_harness.h"
#include "surface.h"

#define MSG_LEN		1000

static const char *const names[] = {
	"CatsCurrSockets", "CatsCurrMsgs", "CatsCurrBlocked", "CatsAttached",
	"CatsAccepted", "CatsPlainChildren", "CatsRefused", "CatsMsgs", "CatsDirect",
	"CatsSentMsgs", "CatsSentBytes", "CatsPicks", "CatsPicksUrgent",
	"CatsPicksPassedOver", "CatsExpired", "CatsCancelled", "CatsReplaced", "CatsShed",
	"CatsPurged", "CatsReprioritized", "CatsBlocked", "CatsNoRoom", "CatsHolds",
	"CatsBatches", "CatsDrains", "CatsFeedNoMemory", "CatsNoticesLost",
};

#define NR_NAMES	(sizeof(names) / sizeof(names[0]))
#define CURR_MSGS	1

static long before[NR_NAMES];

static void snapshot(void)
{
	unsigned int i;

	for (i = 0; i < NR_NAMES; i++)
		before[i] = cats_counter(names[i]);
}

/* How much it has grown since. */
static long grown(const char *name)
{
	unsigned int i = 0;

	while (strcmp(names[i], name))
		i++;
	return cats_counter(name) - before[i];
}

/* What is freed by RCU, or by a thread that ends, comes a little later. */
static bool comes_to(const char *name, long value)
{
	int tries;

	for (tries = 0; tries < 10000; tries++) {
		if (cats_counter(name) == value)
			return true;
		usleep(1000);
	}
	return false;
}

FIXTURE(counters)
{
	struct pair p;
};

FIXTURE_SETUP(counters)
{
	ASSERT_EQ(0, new_netns());
	ASSERT_EQ(0, pair_open(&self->p, AF_INET));
	ASSERT_EQ(0, attach(self->p.tx));
	ASSERT_EQ(0, set_conductor(self->p.tx, "strict"));
}

FIXTURE_TEARDOWN(counters)
{
	pair_close(&self->p);
}

TEST_F(counters, names)
{
	FILE *file = fopen(CATS_STAT, "r");
	unsigned int i;
	char name[64];
	long value;

	ASSERT_NE(NULL, file);
	for (i = 0; i < NR_NAMES; i++) {
		ASSERT_EQ(2, fscanf(file, "%63s %ld", name, &value));
		EXPECT_STREQ(names[i], name);
	}
	EXPECT_EQ(EOF, fscanf(file, "%63s", name));
	fclose(file);
}

TEST_F(counters, all_but_attached_begin_at_0)
{
	unsigned int i;

	for (i = 0; i < NR_NAMES; i++)
		EXPECT_EQ(!strcmp(names[i], "CatsCurrSockets") ||
			  !strcmp(names[i], "CatsAttached"), cats_counter(names[i]));
}

TEST_F(counters, belong_to_their_namespace)
{
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	EXPECT_EQ(0, cats_counter("CatsCurrSockets"));
	EXPECT_EQ(0, cats_counter("CatsAttached"));
}

TEST_F(counters, sockets)
{
	close(self->p.tx);
	close(self->p.rx);
	EXPECT_TRUE(comes_to("CatsCurrSockets", 0));
	EXPECT_EQ(1, cats_counter("CatsAttached"));
	ASSERT_EQ(0, pair_open(&self->p, AF_INET));
	EXPECT_EQ(0, cats_counter("CatsCurrSockets"));
	ASSERT_EQ(0, attach(self->p.tx));
	EXPECT_EQ(1, cats_counter("CatsCurrSockets"));
	EXPECT_EQ(2, cats_counter("CatsAttached"));
}

/* A connection of the CATS listener @fd; returns its end. */
static int accept_one(int fd, const struct address *addr, int *client)
{
	*client = socket(AF_INET, SOCK_STREAM, 0);
	if (surface_connect(*client, addr))
		return -1;
	return accept(fd, NULL, NULL);
}

TEST_F(counters, accepted)
{
	int fd = surface_socket(WAY_EARLY, AF_INET), client[2], child[2];
	struct address addr;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, surface_listen(fd, AF_INET, &addr));
	child[0] = accept_one(fd, &addr, &client[0]);
	ASSERT_LE(0, child[0]);
	EXPECT_EQ(1, cats_counter("CatsAccepted"));
	EXPECT_EQ(3, cats_counter("CatsCurrSockets"));
	ASSERT_EQ(0, write_sysctl("net/cats/max_sockets", "3"));
	child[1] = accept_one(fd, &addr, &client[1]);
	ASSERT_LE(0, child[1]);
	EXPECT_EQ(1, cats_counter("CatsAccepted"));
	EXPECT_EQ(1, cats_counter("CatsPlainChildren"));
	EXPECT_EQ(3, cats_counter("CatsCurrSockets"));
}

TEST_F(counters, refused)
{
	int plain = socket(AF_INET, SOCK_STREAM, 0);

	EXPECT_ERRNO(EINVAL, send_tagged(self->p.tx, 8, "x", 1, 0));
	EXPECT_EQ(1, cats_counter("CatsRefused"));
	EXPECT_ERRNO(ENOENT, set_conductor(self->p.tx, "none"));
	EXPECT_EQ(2, cats_counter("CatsRefused"));
	ASSERT_EQ(0, write_sysctl("net/cats/max_sockets", "1"));
	EXPECT_ERRNO(ENOBUFS, attach(plain));
	EXPECT_EQ(3, cats_counter("CatsRefused"));
	EXPECT_NE(0, write_sysctl("net/cats/conductor", "none"));
	EXPECT_EQ(4, cats_counter("CatsRefused"));
	EXPECT_NE(0, write_sysctl("net/cats/debt_high", "1 2"));
	EXPECT_EQ(5, cats_counter("CatsRefused"));
	close(plain);
}

TEST_F(counters, direct)
{
	ASSERT_EQ(5, send(self->p.tx, "plain", 5, 0));
	EXPECT_EQ(1, cats_counter("CatsDirect"));
	EXPECT_EQ(5, cats_counter("CatsSentBytes"));
	EXPECT_EQ(0, cats_counter("CatsMsgs"));
	EXPECT_EQ(0, cats_counter("CatsPicks"));
}

/* Some wait, and TCP has what it takes; the counters are from now on. */
static void backlog(struct __test_metadata *_metadata, int fd)
{
	ASSERT_LT(0, fill_tcp(fd));
	snapshot();
}

static void read_to_end(struct __test_metadata *_metadata, const struct pair *p)
{
	struct frame frame;
	int ret;

	ASSERT_EQ(0, shutdown(p->tx, SHUT_WR));
	while ((ret = read_frame(p->rx, &frame)) == 1)
		;
	EXPECT_EQ(0, ret);
	EXPECT_EQ(0, cats_counter("CatsCurrMsgs"));
}

TEST_F(counters, messages)
{
	long waiting, sent;

	backlog(_metadata, self->p.tx);
	waiting = cats_counter("CatsCurrMsgs");
	EXPECT_LT(0, waiting);
	sent = cats_counter("CatsSentMsgs");
	ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, 7, 1, MSG_LEN, 0));
	ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, 0, 2, MSG_LEN, 0));
	EXPECT_EQ(2, grown("CatsMsgs"));
	EXPECT_EQ(2, grown("CatsCurrMsgs"));
	EXPECT_EQ(0, grown("CatsSentMsgs"));
	EXPECT_EQ(0, cats_counter("CatsDrains"));
	read_to_end(_metadata, &self->p);
	EXPECT_EQ(1, cats_counter("CatsDrains"));
	EXPECT_EQ(waiting + 2, grown("CatsSentMsgs"));
	EXPECT_EQ(cats_counter("CatsMsgs"), cats_counter("CatsSentMsgs"));
	EXPECT_EQ(cats_counter("CatsMsgs"), cats_counter("CatsPicks"));
	EXPECT_EQ(MSG_LEN * (sent + waiting + 2), cats_counter("CatsSentBytes"));
}

/* 0 and 7 in turns, as both may send one byte more per round; then the rest of 7. */
TEST_F(counters, picks)
{
	struct cats_wfq_params params = { .weight = { 1, 1, 1, 1, 1, 1, 1, 1 } };
	int i;

	ASSERT_EQ(0, set_conductor(self->p.tx, "wfq"));
	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_CATS, CATS_WFQ_PARAMS, &params,
				sizeof(params)));
	backlog(_metadata, self->p.tx);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, 0, i, MSG_LEN, 0));
	read_to_end(_metadata, &self->p);
	EXPECT_EQ(2, grown("CatsPicksUrgent"));
	EXPECT_EQ(1, grown("CatsPicksPassedOver"));
}

static int send_cookie(int fd, uint64_t cookie, uint32_t flags)
{
	struct cats_tag tag = { .urgency = 3, .cookie = cookie, .flags = flags };

	return send_frame_tag(fd, &tag, 1, MSG_LEN, 0);
}

TEST_F(counters, changes)
{
	backlog(_metadata, self->p.tx);
	ASSERT_EQ(MSG_LEN, send_cookie(self->p.tx, 1, 0));
	ASSERT_EQ(MSG_LEN, send_cookie(self->p.tx, 1, CATS_F_REPLACE));
	EXPECT_EQ(1, cats_counter("CatsReplaced"));
	EXPECT_EQ(1, grown("CatsCurrMsgs"));
	ASSERT_EQ(1, change_cookie(self->p.tx, CATS_REPRIORITIZE, 1, 5));
	EXPECT_EQ(1, cats_counter("CatsReprioritized"));
	ASSERT_EQ(1, change_cookie(self->p.tx, CATS_CANCEL, 1, 0));
	EXPECT_EQ(1, cats_counter("CatsCancelled"));
	EXPECT_EQ(1, cats_counter("CatsReplaced"));
	EXPECT_EQ(0, grown("CatsCurrMsgs"));
}

TEST_F(counters, expired)
{
	struct cats_tag tag = { .urgency = 3, .lifetime_us = 1000 };

	backlog(_metadata, self->p.tx);
	ASSERT_EQ(MSG_LEN, send_frame_tag(self->p.tx, &tag, 1, MSG_LEN, 0));
	EXPECT_TRUE(comes_to("CatsExpired", 1));
	EXPECT_EQ(0, grown("CatsCurrMsgs"));
}

/* One instead of being queued, one from the queue. */
TEST_F(counters, shed)
{
	struct cats_admit drop = { .drop = 1 << 7 };
	struct cats_admit shed = { .shed = 1 << 7, .max_delay_us = 1 };

	backlog(_metadata, self->p.tx);
	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_CATS, CATS_ADMIT, &drop, sizeof(drop)));
	ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, 7, 1, MSG_LEN, 0));
	EXPECT_EQ(1, cats_counter("CatsShed"));
	EXPECT_EQ(0, grown("CatsCurrMsgs"));
	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_CATS, CATS_ADMIT, &shed, sizeof(shed)));
	ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, 7, 2, MSG_LEN, 0));
	/* All but the one that may have begun. */
	EXPECT_GE(1, cats_counter("CatsCurrMsgs"));
	EXPECT_EQ(1 + 1 + before[CURR_MSGS] - cats_counter("CatsCurrMsgs"),
		  cats_counter("CatsShed"));
	drop = (struct cats_admit) { .refuse = 1 << 7 };
	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_CATS, CATS_ADMIT, &drop, sizeof(drop)));
	EXPECT_ERRNO(ENOBUFS, send_frame(self->p.tx, 7, 3, MSG_LEN, 0));
	EXPECT_EQ(1, cats_counter("CatsRefused"));
}

/* The peer resets: what it has not read when it closes is lost. */
TEST_F(counters, purged)
{
	backlog(_metadata, self->p.tx);
	ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, 3, 1, MSG_LEN, 0));
	ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, 0, 2, MSG_LEN, 0));
	close(self->p.rx);
	self->p.rx = -1;
	EXPECT_TRUE(comes_to("CatsPurged", before[CURR_MSGS] + 2));
	EXPECT_EQ(0, cats_counter("CatsCurrMsgs"));
	EXPECT_EQ(0, cats_counter("CatsDrains"));
}

TEST_F(counters, blocked)
{
	struct blocked_write w;
	struct frame frame;
	long no_room;

	backlog(_metadata, self->p.tx);
	ASSERT_LT(0, fill(self->p.tx, 3, 1, MSG_LEN));
	no_room = cats_counter("CatsNoRoom");
	EXPECT_LT(0, no_room);
	EXPECT_EQ(0, cats_counter("CatsBlocked"));
	ASSERT_EQ(0, start_blocked(&w, self->p.tx, 3, MSG_LEN));
	EXPECT_TRUE(comes_to("CatsCurrBlocked", 1));
	while (!atomic_load(&w.done))
		ASSERT_EQ(1, read_frame(self->p.rx, &frame));
	pthread_join(w.thread, NULL);
	EXPECT_EQ(MSG_LEN, w.ret);
	EXPECT_EQ(0, cats_counter("CatsCurrBlocked"));
	EXPECT_EQ(1, cats_counter("CatsBlocked"));
	EXPECT_EQ(no_room, cats_counter("CatsNoRoom"));
}

/* The path is long enough for a hold. */
static void reconnect_far(struct __test_metadata *_metadata, struct pair *p)
{
	pair_close(p);
	ASSERT_EQ(0, loopback_netem("delay 80ms"));
	ASSERT_EQ(0, pair_open(p, AF_INET));
	ASSERT_EQ(0, attach(p->tx));
}

TEST_F(counters, holds)
{
	struct frame frame;

	reconnect_far(_metadata, &self->p);
	ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, 3, 1, MSG_LEN, 0));
	ASSERT_EQ(1, read_frame(self->p.rx, &frame));
	ASSERT_TRUE(wait_settled(self->p.tx));
	EXPECT_EQ(0, cats_counter("CatsHolds"));
	ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, 7, 2, MSG_LEN, 0));
	EXPECT_EQ(1, cats_counter("CatsHolds"));
	ASSERT_EQ(1, read_frame(self->p.rx, &frame));
	EXPECT_EQ(0, cats_counter("CatsBatches"));
}

TEST_F(counters, batches)
{
	char control[2][CMSG_SPACE(sizeof(uint32_t))] __attribute__((aligned(8))) = {};
	struct iovec iov = { .iov_base = "0123456789", .iov_len = 10 };
	struct mmsghdr headers[2] = {};
	int i;

	for (i = 0; i < 2; i++) {
		headers[i].msg_hdr.msg_iov = &iov;
		headers[i].msg_hdr.msg_iovlen = 1;
		headers[i].msg_hdr.msg_control = control[i];
		headers[i].msg_hdr.msg_controllen = sizeof(control[i]);
		*CMSG_FIRSTHDR(&headers[i].msg_hdr) = (struct cmsghdr) {
			.cmsg_len = CMSG_LEN(sizeof(uint32_t)),
			.cmsg_level = SOL_CATS,
			.cmsg_type = CATS_TAG,
		};
	}
	ASSERT_EQ(2, sendmmsg(self->p.tx, headers, 2, 0));
	EXPECT_EQ(1, cats_counter("CatsBatches"));
	EXPECT_EQ(2, cats_counter("CatsPicks"));
	EXPECT_EQ(0, cats_counter("CatsHolds"));
	EXPECT_BYTES(self->p.rx, "01234567890123456789");
}

/* Each message is told of thrice; what does not fit the error queue is lost. */
TEST_F(counters, notices_lost)
{
	struct cats_tag tag = { .urgency = 3, .notify = CATS_NOTIFY_ALL };
	struct cats_notice notice;
	int size = 4096, i, n = 0;
	struct frame frame;

	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)));
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(MSG_LEN, send_frame_tag(self->p.tx, &tag, i, MSG_LEN, 0));
		ASSERT_EQ(1, read_frame(self->p.rx, &frame));
		ASSERT_TRUE(wait_queue_empty(self->p.tx));
	}
	while (!read_notice(self->p.tx, &notice))
		n++;
	EXPECT_LT(0, n);
	EXPECT_LT(0, cats_counter("CatsNoticesLost"));
	EXPECT_EQ(3 * 20, n + cats_counter("CatsNoticesLost"));
}

TEST_HARNESS_MAIN
