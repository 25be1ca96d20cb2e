// SPDX-License-Identifier: GPL-2.0
/*
 * An unprivileged process that fills sockets, in whatever way, holds no more of the
 * kernel's memory than by plain TCP with the same SO_SNDBUF.  What it holds is
 * measured by the memory that is no longer free, not by what is charged.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cats_test.h"
#include "kselftest_harness.h"

#define UNPRIVILEGED	65534
#define HOLDERS		16
/* What CATS adds to an idle socket, bytes at most: "make idle-bench" measures it. */
#define STATE_MAX	4096
#define HOLD_SNDBUF	65536
/* A page for each byte: few must do. */
#define PIN_SNDBUF	32768
/* TCP and CATS copy what is written into pieces of pages of this size. */
#define PAGE_FRAG	32768

/**
 * struct hold - how somebody fills sockets whose peers do not read
 * @cats: with CATS
 * @urgency: of all messages
 * @len: of each
 * @flags: of each call
 * @pin: after each write use up the rest of the page that it lies in, by a socket
 *	whose peer reads: what was written is all that holds the page then
 */
struct hold {
	bool	cats;
	int	urgency;
	size_t	len;
	int	flags;
	bool	pin;
};

/* Sum of the numbers behind @name in lines of @file that begin with it. */
static long sum_of(const char *file, const char *name)
{
	FILE *f = fopen(file, "r");
	char line[256], *c;
	long sum = 0;

	while (fgets(line, sizeof(line), f)) {
		c = line + strspn(line, " ");
		if (!strncmp(c, name, strlen(name)))
			sum += atol(c + strlen(name));
	}
	fclose(f);
	return sum;
}

static void write_to(const char *path)
{
	int fd = open(path, O_WRONLY);

	if (write(fd, "1", 1) != 1)
		abort();
	close(fd);
}

/*
 * Memory that is free, bytes: after slabs that are empty were given back, and with
 * pages that are free but kept at a processor.
 */
static long free_memory(void)
{
	glob_t caches;
	size_t i;

	/* Sockets are freed after a grace period. */
	poll(NULL, 0, 2000);
	if (glob("/sys/kernel/slab/*/shrink", 0, NULL, &caches))
		abort();
	for (i = 0; i < caches.gl_pathc; i++)
		write_to(caches.gl_pathv[i]);
	globfree(&caches);
	write_to("/proc/sys/vm/stat_refresh");
	return sum_of("/proc/meminfo", "MemFree:") * 1024 +
	       sum_of("/proc/zoneinfo", "count:") * sysconf(_SC_PAGESIZE);
}

static void hold_open(struct pair *p, const struct hold *h)
{
	int size = h->pin ? PIN_SNDBUF : HOLD_SNDBUF;
	unsigned int rate = ~0U;

	if (pair_open(p, AF_INET) ||
	    setsockopt(p->tx, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) ||
	    setsockopt(p->tx, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof(rate)) ||
	    (h->cats && attach(p->tx)))
		_exit(1);
}

static void use_up_page(struct pair *sink, char *buf, size_t used)
{
	size_t left = PAGE_FRAG - used;

	if (send(sink->tx, buf, left, 0) != (ssize_t)left ||
	    recv(sink->rx, buf, left, MSG_WAITALL) != (ssize_t)left)
		_exit(1);
}

/* One message for each; returns how many bytes were accepted. */
static long hold_round(const struct hold *h, struct pair *pairs, struct pair *sink)
{
	static char buf[65536];
	long accepted = 0;
	ssize_t n;
	int i;

	for (i = 0; i < (h->pin ? 1 : HOLDERS); i++) {
		n = send_tagged(pairs[i].tx, h->urgency, buf, h->len,
				h->flags | MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN)
			_exit(1);
		accepted += n > 0 ? n : 0;
		if (n > 0 && h->pin)
			use_up_page(sink, buf, n);
	}
	return accepted;
}

static long hold(const struct hold *h)
{
	static const char peers[6000];
	struct pair pairs[HOLDERS], sink;
	int i, waits, size = 1 << 20;
	long n, accepted = 0;

	if (pair_open(&sink, AF_INET) ||
	    setsockopt(sink.rx, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)))
		_exit(1);
	for (i = 0; i < HOLDERS; i++)
		hold_open(&pairs[i], h);
	/* The peer's share, which is not to be a page for each byte. */
	if (h->pin && send_tagged(pairs[0].tx, h->urgency, peers, sizeof(peers),
				  0) != sizeof(peers))
		_exit(1);
	/* What is on its way to the peers makes room once more. */
	for (waits = 0; waits < 3; waits++) {
		while ((n = hold_round(h, pairs, &sink)))
			accepted += n;
		poll(NULL, 0, 300);
	}
	return accepted;
}

/* Returns what a child of ours held, bytes; it and its sockets are gone then. */
static long held(const struct hold *h, long *accepted)
{
	long before = free_memory(), after = -1;
	int status, fds[2];
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
		abort();
	child = fork();
	if (!child) {
		if (setgid(UNPRIVILEGED) || setuid(UNPRIVILEGED))
			_exit(1);
		close(fds[0]);
		*accepted = hold(h);
		if (write(fds[1], accepted, sizeof(*accepted)) < 0 ||
		    read(fds[1], accepted, 1))
			_exit(1);
		_exit(0);
	}
	close(fds[1]);
	if (read(fds[0], accepted, sizeof(*accepted)) == sizeof(*accepted))
		after = free_memory();
	close(fds[0]);
	waitpid(child, &status, 0);
	return after < 0 || status ? -1 : before - after;
}

/* Room for what is urgent beyond SO_SNDBUF, as a part of that; see admit.c. */
static double reserved(const struct hold *h)
{
	if (h->urgency == UNTAGGED || h->urgency >= CATS_URGENCY_DEFAULT)
		return 0;
	return (CATS_URGENCY_DEFAULT - h->urgency) / 16.;
}

/**
 * struct way - one way to fill sockets
 * @name: of the way
 * @h: how
 */
struct way {
	const char	*name;
	struct hold	h;
};

/* Of what slabs are rounded to: five of a hundred.  The state of a socket comes on top. */
static void compare(struct __test_metadata *_metadata, const struct way *ways, int n)
{
	long tcp, cats, bytes;
	struct hold h;
	int i;

	for (i = 0; i < n; i++) {
		h = ways[i].h;
		/* For TCP a chain is no other way. */
		h.flags = 0;
		tcp = held(&h, &bytes);
		h.flags = ways[i].h.flags;
		h.cats = true;
		cats = held(&h, &bytes);
		printf("# %s: tcp %ld, cats %ld bytes, ratio %.3f\n", ways[i].name, tcp, cats,
		       (double)cats / tcp);
		fflush(stdout);
		ASSERT_LT(0, tcp);
		ASSERT_LT(0, cats);
		EXPECT_LE(cats, tcp * (1.05 + reserved(&h)) + HOLDERS * STATE_MAX);
	}
}

FIXTURE(held)
{
};

FIXTURE_SETUP(held)
{
}

FIXTURE_TEARDOWN(held)
{
}

TEST_F_TIMEOUT(held, messages, 400)
{
	static const struct way ways[] = {
		{ .name = "1 byte, untagged", .h = { .urgency = UNTAGGED, .len = 1 } },
		{ .name = "200 bytes, untagged", .h = { .urgency = UNTAGGED, .len = 200 } },
		{ .name = "65536 bytes, untagged", .h = { .urgency = UNTAGGED, .len = 65536 } },
		{ .name = "1 byte, urgent", .h = { .urgency = 0, .len = 1 } },
		{ .name = "200 bytes, urgent", .h = { .urgency = 0, .len = 200 } },
		{ .name = "65536 bytes, urgent", .h = { .urgency = 0, .len = 65536 } },
	};

	compare(_metadata, ways, sizeof(ways) / sizeof(ways[0]));
}

TEST_F_TIMEOUT(held, pages, 400)
{
	static const struct way ways[] = {
		{ .name = "a page for a byte, untagged",
		  .h = { .urgency = UNTAGGED, .len = 1, .pin = true } },
		{ .name = "a page for a byte, urgent",
		  .h = { .urgency = 0, .len = 1, .pin = true } },
		{ .name = "a page for a byte, tagged chain",
		  .h = { .urgency = 3, .len = 1, .pin = true, .flags = MSG_MORE } },
		{ .name = "a page for a byte, untagged chain",
		  .h = { .urgency = UNTAGGED, .len = 1, .pin = true, .flags = MSG_MORE } },
	};

	compare(_metadata, ways, sizeof(ways) / sizeof(ways[0]));
}

TEST_HARNESS_MAIN
