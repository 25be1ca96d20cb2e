// SPDX-License-Identifier: GPL-2.0
/*
 * Memory: what is queued is charged as TCP charges it, a flow that finds none slows
 * and goes on, and nobody holds more of it than by plain TCP.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cats_test.h"
#include "kselftest_harness.h"

static bool write_to(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY);
	bool ok = write(fd, value, strlen(value)) == (ssize_t)strlen(value);

	close(fd);
	return ok;
}

/* tcp_mem is one for all namespaces, and seen in the initial one only. */
static int set_tcp_mem(const char *value, char saved[64])
{
	int here = open("/proc/self/ns/net", O_RDONLY);
	int initial = open("/proc/1/ns/net", O_RDONLY), fd, ret = -1;

	if (setns(initial, CLONE_NEWNET))
		return -1;
	fd = open("/proc/sys/net/ipv4/tcp_mem", O_RDWR);
	if (saved) {
		ret = read(fd, saved, 63);
		saved[ret > 0 ? ret : 0] = '\0';
	}
	ret = pwrite(fd, value, strlen(value), 0) == (ssize_t)strlen(value) ? 0 : -1;
	close(fd);
	close(initial);
	if (setns(here, CLONE_NEWNET))
		ret = -1;
	close(here);
	return ret;
}

/* Opens @n pairs with room for @sndbuf bytes; false if that fails. */
static bool open_pairs(struct pair *pairs, int n, int cats_from, int sndbuf)
{
	int i;

	for (i = 0; i < n; i++)
		if (pair_open(&pairs[i], AF_INET) ||
		    setsockopt(pairs[i].tx, SOL_SOCKET, SO_SNDBUFFORCE, &sndbuf,
			       sizeof(sndbuf)) ||
		    (i >= cats_from && attach(pairs[i].tx)))
			return false;
	return true;
}

FIXTURE(pressure)
{
	char saved[64];
	struct pair pairs[4];
};

FIXTURE_SETUP(pressure)
{
	memset(self->pairs, 0xff, sizeof(self->pairs));
	ASSERT_EQ(0, set_tcp_mem("100000 200000 300000", self->saved));
}

FIXTURE_TEARDOWN(pressure)
{
	int i;

	for (i = 0; i < 4; i++)
		pair_close(&self->pairs[i]);
	set_tcp_mem(self->saved, NULL);
}

/* Writes to a peer that does not read until TCP wants no more; returns bytes. */
static long write_until_full(int fd)
{
	static char buf[1000];
	long sum = 0;
	ssize_t n;

	while ((n = send(fd, buf, sizeof(buf), MSG_DONTWAIT | MSG_NOSIGNAL)) > 0)
		sum += n;
	return sum;
}

/*
 * Pressure begins at 1 page, and none may have more than its share of tcp_mem[2]: 8192
 * pages for some 128 sockets.  By SO_SNDBUF both could have much more.
 *
 * The kernel counts sockets in steps of 32, so a few would be none, and pages in steps of
 * a mebibyte: the first writer gets that much before anybody feels pressure.
 */
TEST_F(pressure, nobody_has_more_than_his_share)
{
	int extra[128], i;
	long plain, cats;

	ASSERT_TRUE(open_pairs(self->pairs, 4, 2, 1 << 20));
	for (i = 0; i < 128; i++)
		extra[i] = socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(0, set_tcp_mem("1 1 8192", NULL));
	write_until_full(self->pairs[1].tx);
	plain = write_until_full(self->pairs[0].tx);
	cats = write_until_full(self->pairs[2].tx);
	TH_LOG("accepted: tcp %ld, cats %ld", plain, cats);
	EXPECT_LT(0, plain);
	EXPECT_LT(plain, 8192 * 4096 / 128);
	EXPECT_GE(cats, plain);
	EXPECT_LT(cats, 8192 * 4096 / 128);
	for (i = 0; i < 128; i++)
		close(extra[i]);
}

#define FLOW_MSGS	400
#define FLOW_LEN	1000

static void *flow_run(void *arg)
{
	int fd = *(int *)arg;
	uint32_t i;

	for (i = 0; i < FLOW_MSGS; i++)
		if (send_frame(fd, i % CATS_NR_URGENCIES, i, FLOW_LEN, 0) != FLOW_LEN)
			break;
	return NULL;
}

/* A blocking writer and a reader; returns how long it took, us, -1 if bytes are wrong. */
static long flow(struct pair *p)
{
	long last[CATS_NR_URGENCIES] = {};
	struct timespec from, to;
	struct frame frame;
	pthread_t writer;
	long ret = 0;
	int i;

	clock_gettime(CLOCK_MONOTONIC, &from);
	if (pthread_create(&writer, NULL, flow_run, &p->tx))
		return -1;
	for (i = 0; !ret && i < FLOW_MSGS; i++) {
		if (read_frame(p->rx, &frame) != 1 || frame.len != FLOW_LEN ||
		    frame.urgency >= CATS_NR_URGENCIES ||
		    last[frame.urgency] > frame.id)
			ret = -1;
		else
			last[frame.urgency] = frame.id;
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	pthread_join(writer, NULL);
	return ret ?: (to.tv_sec - from.tv_sec) * 1000000 +
		      (to.tv_nsec - from.tv_nsec) / 1000;
}

/* What it may take longer because the reader had no memory and dropped segments, us. */
static long lost_time(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len))
		return 0;
	return 2 * info.tcpi_rto * info.tcpi_total_retrans;
}

/*
 * Another socket has all there is: every charge is refused but a socket's minimum.  The
 * reader is on the same machine: a second segment, before it has read the first, is
 * dropped.  Whether that happens is decided by who runs first, so it is not counted.
 */
TEST_F_TIMEOUT(pressure, flow_slows_and_recovers, 300)
{
	long before, during, after, tcp = 0;
	int i;

	ASSERT_TRUE(open_pairs(self->pairs, 3, 2, 1 << 20));
	write_until_full(self->pairs[0].tx);
	/* 1: plain TCP; 2: CATS */
	for (i = 1; i < 3; i++) {
		before = flow(&self->pairs[i]);
		ASSERT_EQ(0, set_tcp_mem("1 1 1", NULL));
		during = flow(&self->pairs[i]);
		ASSERT_EQ(0, set_tcp_mem(self->saved, NULL));
		after = flow(&self->pairs[i]);
		TH_LOG("%s: %ld us before, %ld without memory, %ld after",
		       i == 1 ? "tcp" : "cats", before, during, after);
		ASSERT_LT(0, before);
		ASSERT_LT(0, during);
		ASSERT_LT(0, after);
		EXPECT_LT(after, 2 * before);
		if (i == 1)
			tcp = before;
		else
			EXPECT_LT(during - lost_time(self->pairs[i].tx), 2 * tcp);
	}
}

#define CGROUP		"/tmp/memory-cgroup"
#define CGROUP_HIGH	CGROUP "/writer/memory.high"

/* How often the cgroup was found above memory.high. */
static long times_high(void)
{
	FILE *f = fopen(CGROUP "/writer/memory.events", "r");
	char line[128];
	long value = -1;

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "high ", 5))
			value = atol(line + 5);
	if (f)
		fclose(f);
	return value;
}

/* Time of a flow: as it is, above memory.high, and as it is again; us. */
struct throttled {
	long before;
	long during;
	long after;
	long times_high;
};

static void run_throttled(bool cats, struct throttled *t)
{
	struct pair p;

	if (!write_to(CGROUP "/writer/cgroup.procs", "0") ||
	    !open_pairs(&p, 1, cats ? 0 : 1, 1 << 20))
		_exit(1);
	t->before = flow(&p);
	/* Less than the process itself has. */
	if (!write_to(CGROUP_HIGH, "4096"))
		_exit(1);
	t->during = flow(&p);
	t->times_high = times_high();
	if (!write_to(CGROUP_HIGH, "max"))
		_exit(1);
	t->after = flow(&p);
}

/* In a child in a cgroup of its own; false if it did not come to an end. */
static bool in_cgroup(bool cats, struct throttled *t)
{
	int fds[2], status = -1;
	pid_t child;
	bool ok;

	if (mkdir(CGROUP "/writer", 0755) || pipe(fds))
		return false;
	child = fork();
	if (!child) {
		run_throttled(cats, t);
		_exit(write(fds[1], t, sizeof(*t)) != sizeof(*t));
	}
	close(fds[1]);
	ok = read(fds[0], t, sizeof(*t)) == sizeof(*t);
	close(fds[0]);
	waitpid(child, &status, 0);
	return !rmdir(CGROUP "/writer") && ok && !status;
}

/* MEMCG_MAX_HIGH_DELAY_JIFFIES: how long the kernel holds up a task each time, us */
#define MAX_HIGH_DELAY	2000000

/*
 * How often a flow meets the limit depends on what the kernel has charged ahead for it,
 * 34 to 1190 times on plain TCP; what is asserted is that nothing but the limit slows it.
 */
TEST_F_TIMEOUT(pressure, memory_high, 6000)
{
	struct throttled tcp, cats, *t;

	mkdir(CGROUP, 0755);
	ASSERT_EQ(0, mount("none", CGROUP, "cgroup2", 0, NULL));
	ASSERT_TRUE(write_to(CGROUP "/cgroup.subtree_control", "+memory"));
	EXPECT_TRUE(in_cgroup(false, &tcp));
	EXPECT_TRUE(in_cgroup(true, &cats));
	for (t = &tcp; t; t = t == &tcp ? &cats : NULL) {
		TH_LOG("%s: %ld us before, %ld above memory.high (%ld times), %ld after",
		       t == &tcp ? "tcp" : "cats", t->before, t->during, t->times_high,
		       t->after);
		EXPECT_LT(0, t->before);
		EXPECT_LT(0, t->times_high);
		EXPECT_GT(t->during, t->before);
		EXPECT_LT(t->during, 2 * t->before + t->times_high * MAX_HIGH_DELAY);
		EXPECT_LT(t->after, 2 * t->before);
	}
	umount(CGROUP);
	rmdir(CGROUP);
}

TEST_HARNESS_MAIN
