// SPDX-License-Identifier: GPL-2.0
/*
 * The tracepoints of the system "cats": that each fires where it should, once, with the
 * values that the application, TCP or CATS_INFO have as well.
 *
 * Each case has a trace buffer of its own (an instance in tracefs) and looks at the
 * events of its own socket, which it knows by its port.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cats_test.h"
#include "kselftest_harness.h"
#include "surface.h"

#define MSG_LEN		1000
#define LINE_MAX_LEN	1024
#define MAX_EVENTS	4096
#define NR_TRACEPOINTS	21

/**
 * struct event - a line of the trace
 * @name: of the tracepoint
 * @fields: NAME=VALUE, separated by blanks
 */
struct event {
	char	name[32];
	char	fields[LINE_MAX_LEN];
};

FIXTURE(trace)
{
	struct pair p;
	char mount[32];
	char instance[64];
	int pipe;
	int port;
};

static int write_file(const char *dir, const char *name, const char *value)
{
	char path[128];
	int fd, ret;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_TRUNC);
	ret = write(fd, value, strlen(value)) == (ssize_t)strlen(value) ? 0 : -1;
	close(fd);
	return ret;
}

FIXTURE_SETUP(trace)
{
	char path[128];

	ASSERT_EQ(0, new_netns());
	strcpy(self->mount, "/tmp/cats-trace-XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->mount));
	ASSERT_EQ(0, mount("tracefs", self->mount, "tracefs", 0, NULL));
	snprintf(self->instance, sizeof(self->instance), "%s/instances/cats-%d",
		 self->mount, getpid());
	ASSERT_EQ(0, mkdir(self->instance, 0700));
	ASSERT_EQ(0, write_file(self->instance, "events/cats/enable", "1"));
	snprintf(path, sizeof(path), "%s/trace_pipe", self->instance);
	self->pipe = open(path, O_RDONLY | O_NONBLOCK);
	ASSERT_LE(0, self->pipe);
	ASSERT_EQ(0, pair_open(&self->p, AF_INET));
	self->port = port_of(self->p.tx);
	ASSERT_EQ(0, attach(self->p.tx));
	ASSERT_EQ(0, set_conductor(self->p.tx, "strict"));
}

FIXTURE_TEARDOWN(trace)
{
	pair_close(&self->p);
	close(self->pipe);
	EXPECT_EQ(0, rmdir(self->instance));
	EXPECT_EQ(0, umount(self->mount));
	rmdir(self->mount);
}

/* The value of a field, which may be 32 bits without sign; -1 if there is none. */
static long long field(const struct event *e, const char *name)
{
	const char *at = e->fields;
	size_t len = strlen(name);

	while (at) {
		at += *at == ' ';
		if (!strncmp(at, name, len) && at[len] == '=')
			return strtoll(at + len + 1, NULL, 0);
		at = strchr(at, ' ');
	}
	return -1;
}

static bool has(const struct event *e, const char *text)
{
	return strstr(e->fields, text);
}

/* What the trace had when we looked last. */
static struct event events[MAX_EVENTS];
static int nr_events;

static void add_line(const char *line)
{
	struct event *e = &events[nr_events];
	const char *at = strstr(line, ": cats_");

	if (at && nr_events < MAX_EVENTS &&
	    sscanf(at, ": %31[^:]: %1023[^\n]", e->name, e->fields) == 2)
		nr_events++;
}

/* Takes what has come since from the pipe, which gives whole lines. */
static void read_events(int pipe)
{
	char buf[65536], *line, *next;
	ssize_t n;

	while ((n = read(pipe, buf, sizeof(buf) - 1)) > 0) {
		buf[n] = 0;
		for (line = buf; (next = strchr(line, '\n')); line = next + 1) {
			*next = 0;
			add_line(line);
		}
	}
}

/* The @nth event, from 0, of that name and of our socket. */
static bool find(int pipe, int port, const char *name, int nth, struct event *e)
{
	int i;

	read_events(pipe);
	for (i = 0; i < nr_events; i++) {
		if (strcmp(events[i].name, name) || field(&events[i], "sport") != port || nth--)
			continue;
		*e = events[i];
		return true;
	}
	return false;
}

static int count(int pipe, int port, const char *name)
{
	struct event e;
	int n = 0;

	while (find(pipe, port, name, n, &e))
		n++;
	return n;
}

#define COUNT(name)	count(self->pipe, self->port, name)
#define FIND(name, nth, e)	ASSERT_TRUE(find(self->pipe, self->port, name, nth, e))

/* Waits until an event has come, in softirq or from RCU. */
static bool comes(int pipe, int port, const char *name, int n)
{
	int tries;

	for (tries = 0; tries < 10000; tries++) {
		if (count(pipe, port, name) >= n)
			return true;
		usleep(1000);
	}
	return false;
}

TEST_F(trace, attach_and_detach)
{
	struct event e;
	char peer[32];

	FIND("cats_attach", 0, &e);
	EXPECT_EQ(AF_INET, field(&e, "family"));
	EXPECT_EQ(STATE_ESTABLISHED, field(&e, "state"));
	EXPECT_EQ(0, field(&e, "accepted"));
	EXPECT_EQ(CATS_URGENCY_DEFAULT, field(&e, "urgency"));
	EXPECT_TRUE(has(&e, "saddr=::ffff:127.0.0.1 daddr=::ffff:127.0.0.1"));
	EXPECT_TRUE(has(&e, "conductor=bounded"));
	snprintf(peer, sizeof(peer), "dport=%d ", port_of(self->p.rx));
	EXPECT_TRUE(has(&e, peer));
	ASSERT_EQ(5, send(self->p.tx, "bytes", 5, 0));
	close(self->p.tx);
	close(self->p.rx);
	self->p.tx = -1;
	self->p.rx = -1;
	ASSERT_TRUE(comes(self->pipe, self->port, "cats_detach", 1));
	FIND("cats_detach", 0, &e);
	EXPECT_EQ(5, field(&e, "sent_bytes"));
	EXPECT_EQ(1, COUNT("cats_attach"));
	EXPECT_EQ(1, COUNT("cats_detach"));
}

/* A connection to a CATS listener; both ends have the same address, as @addresses says. */
static void accept_traced(struct __test_metadata *_metadata, int pipe, int family,
			  const char *addresses)
{
	int fd = surface_socket(WAY_EARLY, family), client, child;
	struct address addr;
	struct event e;

	ASSERT_EQ(0, surface_listen(fd, family, &addr));
	client = socket(family, SOCK_STREAM, 0);
	ASSERT_EQ(0, surface_connect(client, &addr));
	child = accept(fd, NULL, NULL);
	ASSERT_LE(0, child);
	ASSERT_TRUE(find(pipe, port_of(child), "cats_attach", 0, &e));
	/* The listener has the same port. */
	if (!field(&e, "accepted"))
		ASSERT_TRUE(find(pipe, port_of(child), "cats_attach", 1, &e));
	EXPECT_EQ(1, field(&e, "accepted"));
	EXPECT_EQ(family, field(&e, "family"));
	EXPECT_EQ(port_of(client), field(&e, "dport"));
	EXPECT_TRUE(has(&e, addresses));
	close(child);
	close(client);
	close(fd);
}

TEST_F(trace, attach_of_a_child)
{
	accept_traced(_metadata, self->pipe, AF_INET6, "saddr=::1 daddr=::1");
	accept_traced(_metadata, self->pipe, AF_INET,
		      "saddr=::ffff:127.0.0.1 daddr=::ffff:127.0.0.1");
}

static void expect_refused(struct __test_metadata *_metadata, int pipe, int port, int nth,
			   int reason, int error, const char *text)
{
	struct event e;

	ASSERT_TRUE(find(pipe, port, "cats_refuse", nth, &e));
	EXPECT_EQ(reason, field(&e, "reason"));
	EXPECT_EQ(error, field(&e, "error"));
	EXPECT_TRUE(has(&e, text));
}

/* Of a socket, and of what has none: its port is 0. */
TEST_F(trace, refuse)
{
	struct cats_info info;

	EXPECT_ERRNO(EINVAL, send_tagged(self->p.tx, 8, "x", 1, 0));
	expect_refused(_metadata, self->pipe, self->port, 0, CATS_REASON_TAG_URGENCY, EINVAL,
		       "text=tag: urgency is above 7");
	ASSERT_EQ(0, get_info(self->p.tx, &info));
	EXPECT_EQ(CATS_REASON_TAG_URGENCY, info.reason_code);
	EXPECT_EQ(EINVAL, info.reason_errno);
	EXPECT_STREQ("tag: urgency is above 7", info.reason);
	EXPECT_NE(0, write_sysctl("net/cats/conductor", "none"));
	expect_refused(_metadata, self->pipe, 0, 0, CATS_REASON_CONDUCTOR_UNKNOWN, ENOENT,
		       "Conductor: no policy of that name");
	EXPECT_EQ(1, COUNT("cats_refuse"));
}

/* The whole life of a message that waits. */
TEST_F(trace, enqueue_pick_commit)
{
	struct cats_tag tag = { .urgency = 2, .stream = 9, .cookie = 77 };
	struct cats_tag noted = { .urgency = 1, .notify = CATS_NOTIFY(CATS_EVENT_BEGUN) };
	struct event enqueue, pick, commit;
	struct cats_notice notice;
	struct frame frame;
	int n, i;

	ASSERT_LT(0, fill_tcp(self->p.tx));
	n = COUNT("cats_enqueue");
	ASSERT_EQ(MSG_LEN, send_frame_tag(self->p.tx, &tag, 1, MSG_LEN, 0));
	ASSERT_EQ(MSG_LEN, send_frame_tag(self->p.tx, &noted, 2, MSG_LEN, 0));
	ASSERT_EQ(n + 2, COUNT("cats_enqueue"));
	FIND("cats_enqueue", n, &enqueue);
	EXPECT_EQ(2, field(&enqueue, "urgency"));
	EXPECT_EQ(9, field(&enqueue, "stream"));
	EXPECT_EQ(77, field(&enqueue, "cookie"));
	EXPECT_EQ(MSG_LEN, field(&enqueue, "len"));
	EXPECT_EQ(1, field(&enqueue, "tagged"));
	EXPECT_EQ(0, field(&enqueue, "open"));
	EXPECT_LT(MSG_LEN, field(&enqueue, "queued"));
	n = COUNT("cats_pick");
	for (i = 0; i < 2; i++)
		ASSERT_EQ(1, read_own(self->p.rx, &frame));
	ASSERT_EQ(0, read_notice(self->p.tx, &notice));
	/* What was begun before goes to its end; then 1, which is noted, and 2. */
	do {
		FIND("cats_pick", n, &pick);
		n++;
	} while (field(&pick, "urgency") != 1);
	EXPECT_EQ(0x86, field(&pick, "waiting"));
	EXPECT_TRUE(has(&pick, "why=urgent conductor=strict"));
	EXPECT_EQ(MSG_LEN, field(&pick, "len"));
	FIND("cats_pick", n, &pick);
	EXPECT_EQ(2, field(&pick, "urgency"));
	EXPECT_EQ(9, field(&pick, "stream"));
	EXPECT_EQ(0x84, field(&pick, "waiting"));
	n = 0;
	do {
		FIND("cats_commit", n, &commit);
		n++;
	} while (field(&commit, "urgency") != 1);
	EXPECT_EQ(0, field(&commit, "offset"));
	EXPECT_EQ(notice.first_seq, field(&commit, "seq"));
	EXPECT_EQ(notice.delay_us, field(&commit, "delay_us"));
	EXPECT_EQ(field(&commit, "end_seq"),
		  (uint32_t)(field(&commit, "seq") + MSG_LEN - field(&commit, "left")));
}

/* Every byte is in one commit, and they follow each other. */
TEST_F(trace, commits_are_contiguous)
{
	long long next, left = 0;
	struct event e;
	struct frame frame;
	int n, i;

	n = fill_tcp(self->p.tx);
	ASSERT_LT(0, n);
	ASSERT_EQ(0, shutdown(self->p.tx, SHUT_WR));
	for (i = 0; i < n; i++)
		ASSERT_EQ(1, read_frame(self->p.rx, &frame));
	FIND("cats_commit", 0, &e);
	next = field(&e, "seq");
	for (i = 0; find(self->pipe, self->port, "cats_commit", i, &e); i++) {
		EXPECT_EQ(next, field(&e, "seq"));
		EXPECT_EQ(left ? MSG_LEN - left : 0, field(&e, "offset"));
		next = field(&e, "end_seq");
		left = field(&e, "left");
	}
	FIND("cats_commit", 0, &e);
	EXPECT_EQ(n * MSG_LEN, (uint32_t)(next - field(&e, "seq")));
	EXPECT_EQ(0, left);
	EXPECT_EQ(n, COUNT("cats_pick"));
	EXPECT_EQ(1, COUNT("cats_drain"));
	FIND("cats_drain", 0, &e);
	EXPECT_LT(0, field(&e, "queued"));
}

TEST_F(trace, direct)
{
	struct event e;

	ASSERT_EQ(5, send(self->p.tx, "plain", 5, 0));
	FIND("cats_pick", 0, &e);
	EXPECT_TRUE(has(&e, "why=direct"));
	EXPECT_EQ(3, field(&e, "urgency"));
	EXPECT_EQ(5, field(&e, "len"));
	FIND("cats_commit", 0, &e);
	EXPECT_EQ(5, (uint32_t)(field(&e, "end_seq") - field(&e, "seq")));
	EXPECT_EQ(0, field(&e, "delay_us"));
	EXPECT_EQ(0, COUNT("cats_enqueue"));
}

/* The one event of that name is about a message of MSG_LEN bytes. */
static void expect_event(struct __test_metadata *_metadata, int pipe, int port,
			 const char *name, long long cookie, long long urgency)
{
	struct event e;

	ASSERT_TRUE(find(pipe, port, name, 0, &e));
	EXPECT_EQ(cookie, field(&e, "cookie"));
	EXPECT_EQ(urgency, field(&e, "urgency"));
	EXPECT_EQ(MSG_LEN, field(&e, "len"));
	EXPECT_EQ(1, count(pipe, port, name));
}

#define EXPECT_EVENT(name, cookie, urgency)					\
	expect_event(_metadata, self->pipe, self->port, name, cookie, urgency)

#define SEND(...) do {								\
	const struct cats_tag _tag = { __VA_ARGS__ };				\
	ASSERT_EQ(MSG_LEN, send_frame_tag(self->p.tx, &_tag, 1, MSG_LEN, 0));	\
} while (0)

TEST_F(trace, drops)
{
	struct cats_admit admit = { .drop = 1 << 6 };
	struct event e;

	ASSERT_LT(0, fill_tcp(self->p.tx));
	SEND(.urgency = 3, .cookie = 1);
	SEND(.urgency = 4, .cookie = 1, .flags = CATS_F_REPLACE);
	EXPECT_EVENT("cats_replace", 1, 3);
	ASSERT_EQ(1, change_cookie(self->p.tx, CATS_REPRIORITIZE, 1, 2));
	EXPECT_EVENT("cats_reprioritize", 1, 2);
	FIND("cats_reprioritize", 0, &e);
	EXPECT_EQ(4, field(&e, "old_urgency"));
	ASSERT_EQ(1, change_cookie(self->p.tx, CATS_CANCEL, 1, 0));
	EXPECT_EVENT("cats_cancel", 1, 2);
	SEND(.urgency = 5, .cookie = 2, .lifetime_us = 2000);
	ASSERT_TRUE(comes(self->pipe, self->port, "cats_expire", 1));
	EXPECT_EVENT("cats_expire", 2, 5);
	FIND("cats_expire", 0, &e);
	EXPECT_LE(2000, field(&e, "waited_us"));
	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_CATS, CATS_ADMIT, &admit, sizeof(admit)));
	SEND(.urgency = 6, .cookie = 3);
	EXPECT_EVENT("cats_shed_write", 3, 6);
	admit = (struct cats_admit) { .shed = 1 << 5, .max_delay_us = 1 };
	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_CATS, CATS_ADMIT, &admit, sizeof(admit)));
	SEND(.urgency = 5, .cookie = 4);
	EXPECT_EVENT("cats_shed", 4, 5);
	admit = (struct cats_admit) {};
	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_CATS, CATS_ADMIT, &admit, sizeof(admit)));
	SEND(.urgency = 0, .cookie = 5);
	close(self->p.rx);
	self->p.rx = -1;
	ASSERT_TRUE(comes(self->pipe, self->port, "cats_purge", 1));
	FIND("cats_purge", 0, &e);
	EXPECT_EQ(5, field(&e, "cookie"));
}

TEST_F(trace, block_and_unblock)
{
	struct blocked_write w;
	struct frame frame;
	struct event e;

	ASSERT_LT(0, fill_tcp(self->p.tx));
	ASSERT_LT(0, fill(self->p.tx, 3, 1, MSG_LEN));
	EXPECT_EQ(0, COUNT("cats_block"));
	ASSERT_EQ(0, start_blocked(&w, self->p.tx, 3, MSG_LEN));
	ASSERT_TRUE(comes(self->pipe, self->port, "cats_block", 1));
	FIND("cats_block", 0, &e);
	EXPECT_EQ(3, field(&e, "urgency"));
	EXPECT_LT(MSG_LEN, field(&e, "need"));
	EXPECT_LT(MSG_LEN, field(&e, "mem"));
	EXPECT_EQ(0, COUNT("cats_unblock"));
	while (!atomic_load(&w.done))
		ASSERT_EQ(1, read_frame(self->p.rx, &frame));
	pthread_join(w.thread, NULL);
	FIND("cats_unblock", 0, &e);
	EXPECT_EQ(3, field(&e, "urgency"));
	EXPECT_EQ(0, field(&e, "error"));
	EXPECT_EQ(1, COUNT("cats_block"));
	EXPECT_EQ(1, COUNT("cats_unblock"));
}

/* The path is long enough for a hold. */
TEST_F(trace, hold_and_resume)
{
	struct frame frame;
	struct event e;

	pair_close(&self->p);
	ASSERT_EQ(0, loopback_netem("delay 80ms"));
	ASSERT_EQ(0, pair_open(&self->p, AF_INET));
	self->port = port_of(self->p.tx);
	ASSERT_EQ(0, attach(self->p.tx));
	ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, 3, 1, MSG_LEN, 0));
	ASSERT_EQ(1, read_frame(self->p.rx, &frame));
	ASSERT_TRUE(wait_settled(self->p.tx));
	EXPECT_EQ(0, COUNT("cats_hold"));
	ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, 7, 2, MSG_LEN, 0));
	ASSERT_EQ(1, read_frame(self->p.rx, &frame));
	FIND("cats_hold", 0, &e);
	EXPECT_EQ(0, field(&e, "batch"));
	EXPECT_EQ(1000, field(&e, "hold_us"));
	FIND("cats_resume", 0, &e);
	EXPECT_EQ(0, field(&e, "batch"));
	EXPECT_EQ(MSG_LEN, field(&e, "queued"));
	EXPECT_EQ(1, COUNT("cats_hold"));
	EXPECT_EQ(1, COUNT("cats_resume"));
}

/* The debt of urgency 0 passes its high watermark, and is paid back by others. */
TEST_F(trace, debts)
{
	struct cats_debt_params params = {
		.high = { 3000, 3000, 3000, 3000, 3000, 3000, 3000, 0 },
		.low = { 1500, 1500, 1500, 1500, 1500, 1500, 1500, 0 },
		.payback = { 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000 },
	};
	struct frame frame;
	struct event e;
	int i, picks;

	ASSERT_EQ(0, set_conductor(self->p.tx, "debt"));
	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_CATS, CATS_DEBT_PARAMS, &params,
				sizeof(params)));
	ASSERT_LT(0, fill_tcp(self->p.tx));
	EXPECT_EQ(0, COUNT("cats_debt"));
	picks = COUNT("cats_pick");
	for (i = 0; i < 6; i++)
		ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, 0, i, MSG_LEN, 0));
	for (i = 0; i < 6; i++)
		ASSERT_EQ(1, read_own(self->p.rx, &frame));
	FIND("cats_debt_enter", 0, &e);
	EXPECT_EQ(0, field(&e, "urgency"));
	EXPECT_EQ(3000, field(&e, "debt"));
	FIND("cats_debt_leave", 0, &e);
	EXPECT_EQ(0, field(&e, "urgency"));
	EXPECT_GT(1500, field(&e, "debt"));
	FIND("cats_debt", 0, &e);
	EXPECT_EQ(0, field(&e, "urgency"));
	EXPECT_LE(3, COUNT("cats_debt"));
	/* Some pick was for 7, while 0 was there and in debt. */
	do {
		FIND("cats_pick", picks, &e);
		picks++;
	} while (field(&e, "in_debt") != 1);
	EXPECT_EQ(7, field(&e, "urgency"));
	EXPECT_EQ(0x81, field(&e, "waiting"));
	EXPECT_TRUE(has(&e, "why=debt conductor=debt"));
}

/* After "print fmt" of a format file come C expressions; NULL if they are not there. */
static char *read_expressions(const char *path, char *buf, size_t size)
{
	FILE *file = fopen(path, "r");

	if (!file)
		return NULL;
	buf[fread(buf, 1, size - 1, file)] = 0;
	fclose(file);
	return strstr(buf, "print fmt: ");
}

/* No text has a quotation mark in it: none could be printed. */
static void blank_strings(char *text)
{
	bool quoted = false;

	for (; *text; text++) {
		if (*text == '"')
			quoted = !quoted;
		else if (quoted)
			*text = ' ';
	}
}

/*
 * Who reads the ring buffer itself, as perf and trace-cmd do, has the format to print
 * an event with: numbers, fields and functions of tracing, and nothing of ours.
 */
TEST_F(trace, formats_need_nothing_of_ours)
{
	static char text[16384];
	char *expressions;
	char pattern[128];
	glob_t found;
	size_t i;

	snprintf(pattern, sizeof(pattern), "%s/events/cats/*/format", self->instance);
	ASSERT_EQ(0, glob(pattern, 0, NULL, &found));
	EXPECT_EQ(NR_TRACEPOINTS, found.gl_pathc);
	for (i = 0; i < found.gl_pathc; i++) {
		expressions = read_expressions(found.gl_pathv[i], text, sizeof(text));
		ASSERT_NE(NULL, expressions);
		if (strstr(found.gl_pathv[i], "/cats_pick/"))
			EXPECT_NE(NULL, strstr(expressions, "{ 3, \"debt\" }"));
		blank_strings(expressions);
		EXPECT_EQ(NULL, strstr(expressions, "CATS_")) {
			TH_LOG("%s: %s", found.gl_pathv[i], expressions);
		}
		EXPECT_EQ(NULL, strstr(expressions, "cats_")) {
			TH_LOG("%s: %s", found.gl_pathv[i], expressions);
		}
	}
	globfree(&found);
}

TEST_HARNESS_MAIN
