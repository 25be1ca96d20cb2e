// SPDX-License-Identifier: GPL-2.0
/*
 * The application of Documentation/observe.rst: heartbeats and bulk on one connection.
 *
 *	telemetry ADDRESS BULK_BYTES	sends until it is killed: every 50 ms a heartbeat of
 *					200 bytes and urgency 0, and messages of BULK_BYTES
 *					and urgency 7 one after another
 *	telemetry			collects: for each connection prints, every 40
 *					heartbeats, how late they were
 *
 * Both ends have the same clock.
 */
#include <arpa/inet.h>
#include <err.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../cats_test.h"

#define PORT		7000
#define HEARTBEAT_BYTES	200
#define HEARTBEAT_NS	50000000ULL
#define BULK_MAX	(4 << 20)
#define REPORT		40

/**
 * struct head - of a message
 * @len: bytes of it, with this
 * @urgency: of its tag
 * @due_ns: when it was to be written
 */
struct head {
	uint32_t	len;
	uint32_t	urgency;
	uint64_t	due_ns;
};

static int sock;
static size_t bulk_bytes;
static char bulk[BULK_MAX], scratch[1 << 16];

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void write_message(char *message, uint32_t len, int urgency, uint64_t due_ns)
{
	struct head head = { .len = len, .urgency = urgency, .due_ns = due_ns };

	memcpy(message, &head, sizeof(head));
	if (send_tagged(sock, urgency, message, len, 0) != (ssize_t)len)
		err(1, "send");
}

static void *write_bulk(void *arg)
{
	for (;;)
		write_message(bulk, bulk_bytes, CATS_PRIO_SCAVENGER, now_ns());
	return arg;
}

static void write_heartbeats(void)
{
	char message[HEARTBEAT_BYTES] = "";
	uint64_t due = now_ns();
	struct timespec ts;

	for (;; due += HEARTBEAT_NS) {
		ts.tv_sec = due / 1000000000;
		ts.tv_nsec = due % 1000000000;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
		write_message(message, sizeof(message), CATS_PRIO_CONTROL, due);
	}
}

static void produce(const char *address)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	/* When it is killed, what is queued is not in the way of the next connection. */
	struct linger linger = { .l_onoff = 1 };
	pthread_t thread;

	if (inet_pton(AF_INET, address, &addr.sin_addr) != 1)
		errx(2, "%s is no IPv4 address", address);
	sock = socket(AF_INET, SOCK_STREAM, 0);
	if (setsockopt(sock, IPPROTO_TCP, TCP_CONGESTION, "bbr", 3) ||
	    setsockopt(sock, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) ||
	    connect(sock, (struct sockaddr *)&addr, sizeof(addr)) || attach(sock))
		err(1, "%s", address);
	if (pthread_create(&thread, NULL, write_bulk, NULL))
		errx(1, "thread");
	write_heartbeats();
}

static void read_bytes(int fd, void *buf, size_t len)
{
	ssize_t n = recv(fd, buf, len, MSG_WAITALL);

	if (n != (ssize_t)len)
		exit(0);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void report(uint64_t *late)
{
	qsort(late, REPORT, sizeof(*late), compare);
	printf("%d heartbeats late by: median %6.1f ms, most %6.1f ms\n", REPORT,
	       late[REPORT / 2] / 1e6, late[REPORT - 1] / 1e6);
	fflush(stdout);
}

static void collect_from(int fd)
{
	uint64_t late[REPORT];
	struct head head;
	size_t left, n;
	int heartbeats = 0;

	for (;;) {
		read_bytes(fd, &head, sizeof(head));
		for (left = head.len - sizeof(head); left; left -= n) {
			n = left < sizeof(scratch) ? left : sizeof(scratch);
			read_bytes(fd, scratch, n);
		}
		if (head.urgency == CATS_PRIO_CONTROL)
			late[heartbeats++] = now_ns() - head.due_ns;
		if (heartbeats == REPORT) {
			report(late);
			heartbeats = 0;
		}
	}
}

static void collect(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd;

	if (bind(listener, (struct sockaddr *)&addr, sizeof(addr)) || listen(listener, 1))
		err(1, "listen");
	for (;;) {
		fd = accept(listener, NULL, NULL);
		if (!fork())
			collect_from(fd);
		close(fd);
	}
}

int main(int argc, char *argv[])
{
	if (argc == 1)
		collect();
	if (argc != 3)
		errx(2, "usage: telemetry [ADDRESS BULK_BYTES]");
	bulk_bytes = strtoul(argv[2], NULL, 10);
	if (bulk_bytes < sizeof(struct head) || bulk_bytes > BULK_MAX)
		errx(2, "BULK_BYTES: %zu to %d", sizeof(struct head), BULK_MAX);
	produce(argv[1]);
}
