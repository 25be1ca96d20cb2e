// SPDX-License-Identifier: GPL-2.0
/*
 * Sends messages of random size and urgency over a path and checks, at a plain
 * TCP receiver in another network namespace, that every byte arrived once, each
 * message in one piece, and those of one urgency in order.
 *
 *	transfer SERVER_NETNS ADDRESS MESSAGES SEED
 *
 * While the Conductor holds data the sender also checks that TCP was never
 * application-limited and that no more than the budget was committed.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/tcp.h>

#include "cats_test.h"

#define PORT		7000
#define MSG_LEN_MAX	20000
/*
 * With less than a message queued before a write the Conductor may have run
 * empty by the time of the write.
 */
#define NEARLY_EMPTY	MSG_LEN_MAX

static uint32_t ids[CATS_NR_URGENCIES];

/* xorshift32: the same messages from the same seed, everywhere. */
static uint32_t rnd(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static socklen_t parse_address(struct sockaddr_storage *ss, const char *text)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *v4 = (struct sockaddr_in *)ss;

	memset(ss, 0, sizeof(*ss));
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(PORT);
		return sizeof(*v4);
	}
	if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1)
		errx(2, "not an address: %s", text);
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(PORT);
	return sizeof(*v6);
}

/* Exits with 0 if all messages came as they should. */
static void receive(int fd, uint32_t messages)
{
	struct frame frame;
	uint32_t n = 0;
	int ret;

	while ((ret = read_frame(fd, &frame)) == 1) {
		if (frame.urgency >= CATS_NR_URGENCIES)
			errx(1, "message %u: urgency %u", n, frame.urgency);
		if (frame.id != ids[frame.urgency]++)
			errx(1, "message %u: urgency %u number %u, expected %u", n,
			     frame.urgency, frame.id, ids[frame.urgency] - 1);
		n++;
	}
	if (ret)
		errx(1, "after %u messages: not a message", n);
	if (n != messages)
		errx(1, "%u of %u messages arrived", n, messages);
	exit(0);
}

static pid_t start_receiver(const char *netns, const struct sockaddr_storage *ss,
			    socklen_t len, uint32_t messages)
{
	int ready[2], fd;
	pid_t child;
	char c;

	if (pipe(ready))
		err(2, "pipe");
	child = fork();
	if (!child) {
		if (enter_netns(netns))
			err(2, "%s", netns);
		fd = socket(ss->ss_family, SOCK_STREAM, 0);
		if (bind(fd, (const struct sockaddr *)ss, len) || listen(fd, 1))
			err(2, "listen");
		close(ready[0]);
		close(ready[1]);
		receive(accept(fd, NULL, NULL), messages);
	}
	close(ready[1]);
	if (read(ready[0], &c, 1))
		errx(2, "receiver: unexpected data");
	close(ready[0]);
	return child;
}

/**
 * struct watch - what the sender knows of its connection
 * @written: bytes written so far
 * @limited_until: what is delivered up to this byte may be marked as limited by
 *	the application: it had not enough to send then.  At least the first
 *	flight, which follows idleness.
 * @checks: times that the mark was looked at
 */
struct watch {
	uint64_t	written;
	uint64_t	limited_until;
	unsigned int	checks;
};

static void before_write(int fd, struct watch *w)
{
	struct cats_info info;

	if (get_info(fd, &info))
		err(1, "info");
	if (queued_bytes(&info) < NEARLY_EMPTY)
		w->limited_until = w->written + MSG_LEN_MAX;
}

/* What must hold at any moment while data waits. */
static void check_invariants(int fd, struct watch *w)
{
	struct cats_info info;
	struct tcp_info tcp;
	socklen_t len = sizeof(tcp);

	if (get_info(fd, &info) || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &tcp, &len))
		err(1, "info");
	if (info.committed_max > info.budget_max)
		errx(1, "%u bytes committed, budget %u", info.committed_max,
		     info.budget_max);
	if (tcp.tcpi_bytes_acked <= w->limited_until)
		return;
	w->checks++;
	if (tcp.tcpi_delivery_rate_app_limited)
		errx(1, "application-limited with %llu bytes queued",
		     (unsigned long long)queued_bytes(&info));
}

static void send_random(int fd, uint32_t messages, uint32_t seed)
{
	struct watch w = {};
	uint32_t i, len, urgency;

	for (i = 0; i < messages; i++) {
		urgency = rnd(&seed) % CATS_NR_URGENCIES;
		len = sizeof(struct frame) + rnd(&seed) % MSG_LEN_MAX;
		/* Mostly small; a few that take many segments. */
		if (rnd(&seed) % 4)
			len = sizeof(struct frame) + len % 1000;
		before_write(fd, &w);
		if (send_frame(fd, urgency, ids[urgency]++, len, 0) != (int)len)
			err(1, "message %u of %u bytes", i, len);
		w.written += len;
		check_invariants(fd, &w);
	}
	printf("# looked %u times whether application-limited\n", w.checks);
}

/* Waits until the Conductor is empty: close() would drain what is left. */
static void wait_fed(int fd)
{
	struct cats_info info;

	do {
		poll(NULL, 0, 1);
		if (get_info(fd, &info))
			err(1, "info");
	} while (queued_bytes(&info));
}

int main(int argc, char *argv[])
{
	struct sockaddr_storage ss;
	int status, fd;
	uint32_t messages;
	socklen_t len;
	pid_t child;

	if (argc != 5)
		errx(2, "usage: transfer SERVER_NETNS ADDRESS MESSAGES SEED");
	len = parse_address(&ss, argv[2]);
	messages = strtoul(argv[3], NULL, 10);
	child = start_receiver(argv[1], &ss, len, messages);
	fd = socket(ss.ss_family, SOCK_STREAM, 0);
	if (setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "bbr", 3))
		err(2, "bbr");
	if (connect(fd, (struct sockaddr *)&ss, len))
		err(2, "connect");
	if (attach(fd))
		err(2, "attach");
	send_random(fd, messages, strtoul(argv[4], NULL, 10) | 1);
	wait_fed(fd);
	close(fd);
	if (waitpid(child, &status, 0) != child || status)
		errx(1, "the receiver was not content");
	return 0;
}
