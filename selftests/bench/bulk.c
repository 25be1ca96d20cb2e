// SPDX-License-Identifier: GPL-2.0
/*
 * Pushes bytes as fast as the machine can and prints what that cost.
 *
 *	bulk tcp|cats SERVER_NETNS ADDRESS MESSAGE_BYTES TOTAL_BYTES
 *
 * With one CPU that never idles virtual time is proportional to instructions,
 * so ns per byte is the cost of sender, receiver and both stacks, and the
 * difference between two senders is the difference between them.
 * Prints: elapsed_ns bytes
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../cats_test.h"

#define PORT	7001

static char buf[1 << 20];

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/*
 * Accepts one connection, reads until the end, says so by one byte.  It runs
 * only when the sender waits.  If it woke for each segment, small writes would
 * fall by chance into one of two rhythms, one segment per write or several
 * writes per segment, on any kind of socket, and that would be what is measured.
 */
static void sink(int listener)
{
	struct sched_param param = {};
	int fd = accept(listener, NULL, NULL);

	if (sched_setscheduler(0, SCHED_IDLE, &param))
		err(2, "SCHED_IDLE");
	while (recv(fd, buf, sizeof(buf), 0) > 0)
		;
	if (send(fd, "x", 1, 0) != 1)
		err(2, "sink");
	_exit(0);
}

static void start_sink(const char *netns, struct sockaddr_in *addr)
{
	int ready[2], fd;

	if (pipe(ready))
		err(2, "pipe");
	if (!fork()) {
		if (enter_netns(netns))
			err(2, "%s", netns);
		fd = socket(AF_INET, SOCK_STREAM, 0);
		if (bind(fd, (struct sockaddr *)addr, sizeof(*addr)) || listen(fd, 1))
			err(2, "listen");
		close(ready[0]);
		close(ready[1]);
		sink(fd);
	}
	close(ready[1]);
	if (read(ready[0], buf, 1))
		errx(2, "sink: unexpected data");
}

int main(int argc, char *argv[])
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	uint64_t start, total, sent = 0;
	size_t len;
	bool cats;
	int fd;

	if (argc != 6)
		errx(2, "usage: bulk tcp|cats SERVER_NETNS ADDRESS MESSAGE_BYTES TOTAL_BYTES");
	cats = !strcmp(argv[1], "cats");
	inet_pton(AF_INET, argv[3], &addr.sin_addr);
	len = strtoul(argv[4], NULL, 10);
	total = strtoull(argv[5], NULL, 10);
	start_sink(argv[2], &addr);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "bbr", 3) ||
	    connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		err(2, "connect");
	if (cats && attach(fd))
		err(2, "attach");
	start = now_ns();
	for (; sent < total; sent += len)
		if (send_tagged(fd, cats ? 5 : UNTAGGED, buf, len, 0) != (ssize_t)len)
			err(1, "send");
	shutdown(fd, SHUT_WR);
	if (recv(fd, buf, 1, 0) != 1)
		err(1, "sink");
	printf("%llu %llu\n", (unsigned long long)(now_ns() - start),
	       (unsigned long long)sent);
	wait(NULL);
	return 0;
}
