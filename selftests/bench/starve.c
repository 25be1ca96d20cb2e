// SPDX-License-Identifier: GPL-2.0
/*
 * The least urgent class while the most urgent one always has something to send.
 *
 *	starve CONDUCTOR MAX_BYTES
 *
 * A thread writes messages of urgency 0, so that some of them are always queued;
 * then MESSAGES of urgency 7 are queued.  It ends when those are sent, or MAX_BYTES
 * of urgency 0.  Prints a line of the table, see starve.sh; exits with 1 if urgency
 * 0 ever had nothing queued, as then the figures would say nothing.
 *
 * Over loopback, at a rate of RATE.
 */
#include <err.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../cats_test.h"

#define MESSAGES	1000
#define MESSAGE_BYTES	16384
/* Three quarters of it are for urgency 7. */
#define SNDBUF		(32 << 20)
/* Bytes/s, less than the machine can do: else nothing would ever be queued. */
#define RATE		(64 * 1000 * 1000)
/*
 * Of urgency 0: so much that a writer who is out of the processor for a moment does
 * not matter, and so little that it does not take the room of urgency 7.
 */
#define BACKLOG		(4 << 20)

static char buf[1 << 20];

static struct pair p;
static atomic_bool stop;
static bool saturated = true;

static void *read_all(void *arg)
{
	while (recv(p.rx, buf, sizeof(buf), MSG_TRUNC) > 0)
		;
	return arg;
}

static void write_messages(int urgency, int n)
{
	while (n--)
		if (send_tagged(p.tx, urgency, buf, MESSAGE_BYTES, 0) != MESSAGE_BYTES)
			err(1, "urgency %d", urgency);
}

static void look(struct cats_info *info)
{
	if (get_info(p.tx, info))
		err(2, "CATS_INFO");
}

static void *write_urgent(void *arg)
{
	struct cats_info info;

	while (!stop) {
		look(&info);
		if (info.classes[0].queued_bytes < BACKLOG)
			write_messages(0, 16);
		else
			usleep(1000);
	}
	return arg;
}

static void watch(uint64_t max_bytes)
{
	struct cats_info info;

	do {
		usleep(1000);
		look(&info);
		saturated = saturated && info.classes[0].queued_bytes;
	} while (info.classes[7].sent_msgs < MESSAGES &&
		 info.classes[0].sent_bytes < max_bytes);
}

static pthread_t start(void *(*run)(void *))
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run, NULL))
		err(2, "thread");
	return thread;
}

/* Not pair_open(): that limits the rate and the window to little. */
static void open_connection(const char *conductor)
{
	struct sockaddr_storage ss;
	socklen_t len = loopback_address(&ss, AF_INET);
	int listener = socket(AF_INET, SOCK_STREAM, 0), size = SNDBUF;
	unsigned int rate = RATE;

	p.tx = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&ss, len) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&ss, &len) ||
	    connect(p.tx, (struct sockaddr *)&ss, len))
		err(2, "connect");
	p.rx = accept(listener, NULL, NULL);
	if (attach(p.tx) || set_conductor(p.tx, conductor))
		err(2, "CATS with %s", conductor);
	if (setsockopt(p.tx, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) ||
	    setsockopt(p.tx, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof(rate)))
		err(2, "socket options");
}

/* What others sent between two of its messages at most, the bound of that, and its time. */
static void print_wait(const struct cats_info *info, int urgency)
{
	const struct cats_wait_info *w = &info->waits[urgency];

	printf("\t%" PRIu64, (uint64_t)w->gap_bytes);
	if (w->bound_bytes == CATS_NO_BOUND)
		printf("\tnone");
	else
		printf("\t%" PRIu64, (uint64_t)w->bound_bytes);
	printf("\t%" PRIu64, (uint64_t)w->gap_us);
}

static void print(const char *conductor, const struct cats_info *info)
{
	printf("%s\t%" PRIu64 "\t%" PRIu64, conductor,
	       (uint64_t)info->classes[7].sent_msgs, (uint64_t)info->classes[0].sent_bytes);
	print_wait(info, 7);
	print_wait(info, 0);
	putchar('\n');
}

int main(int argc, char *argv[])
{
	struct cats_info info;
	pthread_t writer;

	if (argc != 3)
		errx(2, "usage: starve CONDUCTOR MAX_BYTES");
	open_connection(argv[1]);
	start(read_all);
	writer = start(write_urgent);
	do {
		usleep(1000);
		look(&info);
	} while (info.classes[0].queued_bytes < BACKLOG);
	write_messages(7, MESSAGES);
	watch(strtoull(argv[2], NULL, 10));
	look(&info);
	stop = true;
	pthread_join(writer, NULL);
	print(argv[1], &info);
	if (!saturated)
		errx(1, "%s: urgency 0 had nothing queued", argv[1]);
	return 0;
}
