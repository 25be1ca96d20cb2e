// SPDX-License-Identifier: GPL-2.0
/*
 * What an idle socket costs: connects pairs over loopback, sends one message on each,
 * then attaches CATS to one end of each and sends another.  Prints the kernel memory
 * that an end of a pair takes, as plain TCP and with CATS; see idle-sockets.sh.
 *
 *	idle_sockets PAIRS
 */
#include <err.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../cats_test.h"

static int listen_loopback(struct sockaddr_in *addr)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof(*addr);

	*addr = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	if (bind(fd, (struct sockaddr *)addr, len) || listen(fd, 1) ||
	    getsockname(fd, (struct sockaddr *)addr, &len))
		err(1, "listen");
	return fd;
}

static void connect_pairs(struct pair *pairs, int n)
{
	struct sockaddr_in addr;
	int listener = listen_loopback(&addr), i;

	for (i = 0; i < n; i++) {
		pairs[i].tx = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(pairs[i].tx, (struct sockaddr *)&addr, sizeof(addr)))
			err(1, "connect");
		pairs[i].rx = accept(listener, NULL, NULL);
		if (pairs[i].rx < 0)
			err(1, "accept");
	}
	close(listener);
}

/* So that each has been in use. */
static void use(struct pair *pairs, int n)
{
	struct frame frame;
	int i;

	for (i = 0; i < n; i++)
		if (send_frame(pairs[i].tx, 0, i, 100, 0) != 100 ||
		    read_frame(pairs[i].rx, &frame) != 1)
			err(1, "message");
	for (i = 0; i < n; i++)
		if (!wait_queue_empty(pairs[i].tx))
			errx(1, "a message is not acknowledged");
}

/* Bytes of memory that nobody uses, or in slabs. */
static long memory_of(const char *name)
{
	FILE *f = fopen("/proc/meminfo", "r");
	char line[128];
	long kib = -1;

	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, name, strlen(name)))
			kib = atol(line + strlen(name));
	fclose(f);
	if (kib < 0)
		errx(1, "no %s", name);
	return kib * 1024;
}

/* What was freed is back in a moment, after a grace period. */
static void settle(void)
{
	poll(NULL, 0, 2000);
}

int main(int argc, char *argv[])
{
	int n = argc == 2 ? atoi(argv[1]) : 0, i;
	struct rlimit files = { 2 * n + 100, 2 * n + 100 };
	struct pair *pairs = calloc(n + 1, sizeof(*pairs));
	long before, plain, cats, slab_plain, slab_cats;

	if (n < 1)
		errx(2, "usage: idle_sockets PAIRS");
	if (setrlimit(RLIMIT_NOFILE, &files))
		err(1, "setrlimit");
	memset(pairs, 0xff, (n + 1) * sizeof(*pairs));
	settle();
	before = memory_of("MemFree:");
	connect_pairs(pairs, n);
	use(pairs, n);
	settle();
	plain = memory_of("MemFree:");
	slab_plain = memory_of("Slab:");
	for (i = 0; i < n; i++)
		if (attach(pairs[i].tx))
			err(1, "attach");
	use(pairs, n);
	settle();
	cats = memory_of("MemFree:");
	slab_cats = memory_of("Slab:");
	printf("%d\t%ld\t%ld\t%ld\n", n, (before - plain) / n / 2, (plain - cats) / n,
	       (slab_cats - slab_plain) / n);
	return 0;
}
