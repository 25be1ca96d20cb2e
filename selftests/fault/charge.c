// SPDX-License-Identifier: GPL-2.0
/*
 * Faults of accounting: tcp_mem is used up, and charging a socket fails.
 *
 * Processors keep 1 MiB of the account to themselves, so the limit cannot be met to
 * the byte: a connection that has nothing to do with the test holds more than that,
 * and the limit is 0.  What a socket may still charge then is what it has in
 * advance (SO_RESERVE_MEM, which needs a memory cgroup), and that can be known and
 * used up to the byte.
 */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/sock_diag.h>

#include "fault.h"

#define CGROUP		"/sys/fs/cgroup/"
#define TCP_MEM		"/proc/sys/net/ipv4/tcp_mem"
#define TCP_WMEM	"/proc/sys/net/ipv4/tcp_wmem"
#define SKB_FRAGS	"/proc/sys/net/core/max_skb_frags"
#define HOARD		(2 << 20)
#define SNDBUF		(1 << 20)
#define FILLER_MAX	30000

#ifndef SO_RESERVE_MEM
#define SO_RESERVE_MEM	73
#endif

static struct pair hoard = { -1, -1 };
static char tcp_mem[128], tcp_wmem[128], skb_frags[128];

static void save(const char *path, char *text, size_t size)
{
	FILE *f = must_open(path, "r");

	if (!fgets(text, size, f))
		die("cannot read %s", path);
	fclose(f);
}

/* Before any socket is made: a socket belongs to the cgroup of its maker. */
void charge_setup(void)
{
	if (mount("cgroup2", CGROUP, "cgroup2", 0, NULL))
		die("cannot mount %s: %s", CGROUP, strerror(errno));
	put(CGROUP "cgroup.subtree_control", "+memory");
	if (mkdir(CGROUP "fault", 0700))
		die("cannot make a cgroup: %s", strerror(errno));
	put(CGROUP "fault/cgroup.procs", "%d", getpid());
	save(TCP_MEM, tcp_mem, sizeof(tcp_mem));
	save(TCP_WMEM, tcp_wmem, sizeof(tcp_wmem));
	save(SKB_FRAGS, skb_frags, sizeof(skb_frags));
}

static void set_option(int fd, int option, int value)
{
	if (setsockopt(fd, SOL_SOCKET, option, &value, sizeof(value)))
		die("socket option %d: %s", option, strerror(errno));
}

/* Not in the thread of the test, whose page fragment it would use. */
static void in_own_thread(void *(*run)(void *arg), void *arg)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run, arg))
		die("no thread");
	pthread_join(thread, NULL);
}

static void *fill_hoard(void *arg)
{
	char *buf = calloc(1, 65536);
	size_t sent = 0;
	ssize_t n = 0;

	if (pair_open(&hoard, AF_INET))
		die("no connection: %s", strerror(errno));
	set_option(hoard.tx, SO_SNDBUFFORCE, 2 * HOARD);
	while (sent < HOARD && n >= 0) {
		n = send(hoard.tx, buf, 65536, MSG_DONTWAIT);
		sent += n > 0 ? n : 0;
	}
	if (sent < HOARD)
		die("cannot hoard memory: %zu bytes", sent);
	free(buf);
	return NULL;
}

/* A large buffer of a fixed size: else TCP forces charges above a shrunken one. */
void charge_reserve(const struct episode *e, int bytes)
{
	set_option(e->p.tx, SO_SNDBUFFORCE, SNDBUF);
	if (bytes)
		set_option(e->p.tx, SO_RESERVE_MEM, bytes);
}

static int in_advance(const struct episode *e)
{
	uint32_t mem[SK_MEMINFO_VARS];
	socklen_t len = sizeof(mem);

	if (getsockopt(e->p.tx, SOL_SOCKET, SO_MEMINFO, mem, &len))
		die("no SO_MEMINFO: %s", strerror(errno));
	return mem[SK_MEMINFO_FWD_ALLOC];
}

/**
 * struct filler - a message that a thread of its own writes
 * @e: episode
 * @len: of the message
 */
struct filler {
	struct episode	*e;
	size_t		len;
};

static void *fill_run(void *arg)
{
	struct filler *f = arg;

	if (write_on(f->e, CATS_PRIO_BULK, f->len, MSG_DONTWAIT) != (ssize_t)f->len)
		die("filler of %zu bytes: %s", f->len, strerror(errno));
	f->e->accepted += f->len;
	return NULL;
}

void charge_filler(struct episode *e, size_t len)
{
	struct filler f = { .e = e, .len = len };

	in_own_thread(fill_run, &f);
}

/* What a message of one byte costs, less that byte. */
int charge_of_message(struct episode *e)
{
	int before = in_advance(e);

	charge_filler(e, 1);
	return before - in_advance(e) - 1;
}

/* Uses up what the socket has in advance, up to @bytes. */
void charge_leave(struct episode *e, int bytes)
{
	int message = charge_of_message(e), use;

	/* In messages of one fragment: more would cost chunks. */
	while ((use = in_advance(e) - bytes - message) > FILLER_MAX)
		charge_filler(e, FILLER_MAX / 2);
	if (use <= 0)
		die("cannot leave %d bytes of %d", bytes, in_advance(e));
	charge_filler(e, use);
	if (in_advance(e) != bytes)
		die("%d bytes are left instead of %d", in_advance(e), bytes);
}

/*
 * What is fed needs an skb for each fragment that does not lie behind the one before
 * it, instead of one for up to 17 such.
 */
void skb_per_fragment(bool on)
{
	put(SKB_FRAGS, "%s", on ? "1" : skb_frags);
}

/*
 * From here on every charge beyond that fails, and tcp_wmem[0] excuses nobody.  With
 * fewer skbs the next one would be needed only after an ACK has freed another.
 */
void charge_fill(void)
{
	if (hoard.tx < 0)
		in_own_thread(fill_hoard, NULL);
	skb_per_fragment(true);
	put(TCP_WMEM, "1 16384 4194304");
	put(TCP_MEM, "0 0 0");
}

void charge_free(void)
{
	put(TCP_MEM, "%s", tcp_mem);
	put(TCP_WMEM, "%s", tcp_wmem);
	put(SKB_FRAGS, "%s", skb_frags);
	pair_close(&hoard);
	hoard = (struct pair) { -1, -1 };
}
