// SPDX-License-Identifier: GPL-2.0
/*
 * Load the module, attach, let traffic pass, unload: many times.  Nothing may be left
 * of it.  What one round leaves behind is too small to see, and what the kernel keeps
 * for later is not a leak; so the kernel's counters are read after some rounds and
 * again after many more, and must not have grown with their number.
 *
 * Usage: cycles ROUNDS
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cats_test.h"
#include "module.h"

#define MAX_CACHES	512
/* Objects of a cache that are there at times, as files before their RCU callback. */
#define SLACK		100
/* The peers of rounds that ended in TIME_WAIT are gone after 60 s. */
#define SETTLE_S	70

/*
 * Kinds of rounds: how the connection ends.  UNACCEPTED: the child stays in the accept
 * queue.
 */
enum ending { CLOSED, RESET, BACKLOG, UNACCEPTED, NR_ENDINGS };

struct cache {
	char	name[64];
	long	objects;
	long	size;
};

/**
 * struct sample - what the kernel says of its memory
 * @caches: of /proc/slabinfo
 * @nr_caches: valid ones of them
 * @free_kb: MemFree
 * @slab_kb: SUnreclaim
 * @percpu_kb: Percpu
 * @vmalloc_kb: VmallocUsed
 * @sockets: in use, of all families
 * @tcp: TCP sockets: "inuse orphan tw alloc mem" of /proc/net/sockstat
 */
struct sample {
	struct cache	caches[MAX_CACHES];
	int		nr_caches;
	long		free_kb;
	long		slab_kb;
	long		percpu_kb;
	long		vmalloc_kb;
	long		sockets;
	long		tcp[5];
};

static int failures, results;

static void result(int ok, const char *name)
{
	printf("%sok %d %s\n", ok ? "" : "not ", ++results, name);
	failures += !ok;
}

static int listen_attached(int family, struct sockaddr_storage *ss, socklen_t *len)
{
	int fd = socket(family, SOCK_STREAM, 0);

	*len = loopback_address(ss, family);
	if (attach(fd) || set_conductor(fd, "strict") ||
	    bind(fd, (struct sockaddr *)ss, *len) || listen(fd, 4) ||
	    getsockname(fd, (struct sockaddr *)ss, len))
		return -1;
	return fd;
}

/* Messages of all kinds; the last of them are not read if the round ends early. */
static int write_messages(int fd)
{
	int one = 1, i;

	setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one));
	for (i = 0; i < 8; i++)
		if (send_frame(fd, i, i, 1000 + i, 0) < 0)
			return -1;
	if (send_frame(fd, 2, 8, 500, MSG_MORE) < 0 ||
	    send_frame(fd, 2, 9, 500, 0) < 0 ||
	    send_frame(fd, UNTAGGED, 10, 9000, MSG_ZEROCOPY) < 0)
		return -1;
	return 11;
}

static int read_messages(int fd, int n)
{
	struct frame frame;
	int i;

	for (i = 0; i < n; i++)
		if (read_frame(fd, &frame) != 1)
			return -1;
	return 0;
}

static int end_connection(struct pair *p, enum ending how, int messages)
{
	struct linger reset = { .l_onoff = 1 };
	int err = 0;

	if (how == RESET)
		setsockopt(p->tx, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	else if (how == CLOSED)
		err = read_messages(p->rx, messages) ||
		      send_frame(p->rx, 1, 1, 300, 0) != 300 ||
		      read_messages(p->tx, 1);
	close(p->tx);
	p->tx = -1;
	if (how == BACKLOG)
		err = read_messages(p->rx, messages);
	return err;
}

static int traffic(int family, enum ending how)
{
	struct pair p = { .rx = -1, .tx = socket(family, SOCK_STREAM, 0) };
	struct sockaddr_storage ss;
	socklen_t len;
	int listener = listen_attached(family, &ss, &len), messages, err;

	err = listener < 0 || attach(p.tx) ||
	      connect(p.tx, (struct sockaddr *)&ss, len);
	if (!err && how != UNACCEPTED) {
		p.rx = accept(listener, NULL, NULL);
		err = p.rx < 0;
	}
	messages = err ? -1 : write_messages(p.tx);
	err = messages < 0 || end_connection(&p, how, messages);
	close(listener);
	pair_close(&p);
	return err ? -1 : 0;
}

/* Returns the number of rounds that went well; the next one did not. */
static int run_rounds(int n)
{
	int i;

	for (i = 0; i < n; i++) {
		if (module_load())
			break;
		if (traffic(i / NR_ENDINGS % 2 ? AF_INET6 : AF_INET, i % NR_ENDINGS) ||
		    module_unload_soon())
			break;
	}
	if (i < n)
		printf("# round %d: %m\n", i);
	return i;
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		printf("# cannot write %s: %m\n", path);
	close(fd);
}

/* What caches keep on the side counts as in use: have it returned. */
static void shrink_caches(void)
{
	DIR *dir = opendir("/sys/kernel/slab");
	struct dirent *entry;
	char path[512];

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink", entry->d_name);
		write_file(path, "1");
	}
	if (dir)
		closedir(dir);
}

/* A number of a file: of the line that begins so, at the n-th place. */
static long read_number(const char *path, const char *label, int place)
{
	FILE *f = fopen(path, "r");
	char line[512], *at;
	long value = -1;

	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, label, strlen(label)))
			continue;
		at = line + strlen(label);
		do {
			while (*at && (*at < '0' || *at > '9'))
				at++;
			value = strtol(at, &at, 10);
		} while (place--);
		break;
	}
	if (f)
		fclose(f);
	return value;
}

static void read_caches(struct sample *s)
{
	FILE *f = fopen("/proc/slabinfo", "r");
	struct cache *c;
	char line[512];

	s->nr_caches = 0;
	while (f && fgets(line, sizeof(line), f) && s->nr_caches < MAX_CACHES) {
		c = &s->caches[s->nr_caches];
		if (sscanf(line, "%63s %ld %*d %ld", c->name, &c->objects, &c->size) == 3)
			s->nr_caches++;
	}
	if (f)
		fclose(f);
}

static void take_sample(struct sample *s)
{
	int i;

	sleep(SETTLE_S);
	sync();
	write_file("/proc/sys/vm/drop_caches", "3");
	shrink_caches();
	sleep(5);
	read_caches(s);
	s->free_kb = read_number("/proc/meminfo", "MemFree:", 0);
	s->slab_kb = read_number("/proc/meminfo", "SUnreclaim:", 0);
	s->percpu_kb = read_number("/proc/meminfo", "Percpu:", 0);
	s->vmalloc_kb = read_number("/proc/meminfo", "VmallocUsed:", 0);
	s->sockets = read_number("/proc/net/sockstat", "sockets:", 0);
	for (i = 0; i < 5; i++)
		s->tcp[i] = read_number("/proc/net/sockstat", "TCP:", i);
	printf("# kB: free %ld, slab %ld, percpu %ld, vmalloc %ld; %ld sockets; TCP",
	       s->free_kb, s->slab_kb, s->percpu_kb, s->vmalloc_kb, s->sockets);
	for (i = 0; i < 5; i++)
		printf(" %ld", s->tcp[i]);
	printf("\n");
}

static const struct cache *find_cache(const struct sample *s, const char *name)
{
	int i;

	for (i = 0; i < s->nr_caches; i++)
		if (!strcmp(s->caches[i].name, name))
			return &s->caches[i];
	return NULL;
}

/* True if no cache has an object more for every fourth round.  Some come and go. */
static bool caches_bounded(const struct sample *before, const struct sample *after, int n)
{
	const struct cache *c, *old;
	bool bounded = true;
	long grown;
	int i;

	for (i = 0; i < after->nr_caches; i++) {
		c = &after->caches[i];
		old = find_cache(before, c->name);
		grown = c->objects - (old ? old->objects : 0);
		if (grown > n / 16)
			printf("# %s: %ld objects more, of %ld bytes\n", c->name, grown,
			       c->size);
		bounded &= grown <= n / 4 + SLACK;
	}
	return bounded && after->nr_caches > 0;
}

static bool no_cache_left(const struct sample *s)
{
	bool none = true;
	int i;

	for (i = 0; i < s->nr_caches; i++) {
		if (strncmp(s->caches[i].name, "cats", 4))
			continue;
		printf("# %s is left\n", s->caches[i].name);
		none = false;
	}
	return none;
}

int main(int argc, char **argv)
{
	static struct sample before, after;
	int n = argc == 2 ? atoi(argv[1]) : 0, warm_up;
	/* A page in four rounds. */
	long bound_kb = n;

	if (n < 200) {
		fprintf(stderr, "usage: cycles ROUNDS (200 or more)\n");
		return 2;
	}
	setlinebuf(stdout);
	printf("TAP version 13\n1..7\n");
	warm_up = n / 10;
	result(run_rounds(warm_up) == warm_up, "warm-up");
	take_sample(&before);
	result(run_rounds(n) == n, "rounds");
	take_sample(&after);
	result(no_cache_left(&after), "no-cache-left");
	result(caches_bounded(&before, &after, n), "slab-objects");
	result(before.free_kb - after.free_kb < bound_kb, "pages");
	result(after.percpu_kb - before.percpu_kb < bound_kb / 16 &&
	       after.vmalloc_kb - before.vmalloc_kb < bound_kb / 16, "percpu-and-vmalloc");
	result(after.sockets == before.sockets &&
	       !memcmp(after.tcp, before.tcp, sizeof(after.tcp)), "sockets");
	return failures > 0;
}
