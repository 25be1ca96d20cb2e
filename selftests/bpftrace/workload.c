// SPDX-License-Identifier: GPL-2.0
/*
 * Traffic whose answers are known, for the tests of tools/bpftrace.
 *
 * workload messages		one message of each fate; prints, in the order in which
 *				they have it, COOKIE URGENCY STREAM BYTES FATE
 * workload debt		a class gets into debt twice, and out of it
 * workload sink		reads what comes to SINK_PORT, for ever
 * workload invert KIND ADDR	an urgent message is held on its way to the sink at ADDR;
 *				KIND says by which layer, its first letter is the cookie
 *
 * Exit status 0 if all went as it should.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/tcp.h>

#include "../cats_test.h"

#define SINK_PORT	5000
#define DISCARD_PORT	9

/* Of the experiments with inversions, bytes/s, and what then takes 200 ms. */
#define RATE		(1000 * 1000)
#define HELD_BYTES	(RATE / 5)

#define must(what)							\
	do {								\
		if (!(what)) {						\
			fprintf(stderr, "%s:%d: %s: %s\n", __FILE__,	\
				__LINE__, #what, strerror(errno));	\
			exit(1);					\
		}							\
	} while (0)

static void say(const struct cats_tag *tag, uint32_t len, const char *fate)
{
	printf("%llu %u %u %u %s\n", (unsigned long long)tag->cookie, tag->urgency,
	       tag->stream, len, fate);
}

static void queue(int fd, const struct cats_tag *tag, uint32_t len)
{
	must(send_frame_tag(fd, tag, tag->cookie, len, 0) == len);
}

static void wait_expired(int fd, unsigned int urgency)
{
	struct cats_info info;

	do {
		poll(NULL, 0, 1);
		must(!get_info(fd, &info));
	} while (!info.waits[urgency].expired_msgs);
}

static void read_until(int fd, uint32_t id)
{
	struct frame frame;

	do
		must(read_frame(fd, &frame) == 1);
	while (frame.id != id);
}

static struct pair filled_pair(const char *conductor)
{
	struct pair p;

	must(!pair_open(&p, AF_INET) && !attach(p.tx) && !set_conductor(p.tx, conductor));
	must(fill_tcp(p.tx) > 0);
	return p;
}

static const struct cats_tag alone = { .urgency = 2, .cookie = 9, .stream = 3 };
static const struct cats_tag bulk = { .urgency = 7, .cookie = 10, .stream = 5 };
static const struct cats_tag normal = { .urgency = 3, .cookie = 11 };
static const struct cats_tag urgent = { .urgency = 0, .cookie = 12, .stream = 1 };
static const struct cats_tag mortal = { .urgency = 3, .cookie = 13, .lifetime_us = 1000 };
static const struct cats_tag cancelled = { .urgency = 5, .cookie = 14 };
static const struct cats_tag replaced = { .urgency = 4, .cookie = 15 };
static const struct cats_tag purged = { .urgency = 6, .cookie = 20 };

static void drop_all_ways(int fd)
{
	struct cats_tag newer = replaced;
	struct cats_change change = { .cookie = cancelled.cookie };
	socklen_t len = sizeof(change);

	queue(fd, &mortal, 300);
	wait_expired(fd, mortal.urgency);
	say(&mortal, 300, "expired");
	queue(fd, &cancelled, 350);
	must(!getsockopt(fd, SOL_CATS, CATS_CANCEL, &change, &len) && change.msgs == 1);
	say(&cancelled, 350, "cancelled");
	queue(fd, &replaced, 390);
	newer.flags = CATS_F_REPLACE;
	queue(fd, &newer, 400);
	say(&replaced, 390, "replaced");
}

/* By rules, and by a bad tag. */
static void refuse(int fd)
{
	struct cats_admit admit = { .threshold = 1, .drop = 1 << 6, .refuse = 1 << 1 };
	const struct cats_tag shed = { .urgency = 6, .cookie = 16, .stream = 2 };

	must(!setsockopt(fd, SOL_CATS, CATS_ADMIT, &admit, sizeof(admit)));
	queue(fd, &shed, 450);
	say(&shed, 450, "shed");
	must(send_frame(fd, 1, 17, 500, 0) < 0 && errno == ENOBUFS);
	printf("refused reason=%d errno=%d\n", CATS_REASON_ADMIT_REFUSE, ENOBUFS);
	must(send_frame(fd, 8, 18, 500, 0) < 0 && errno == EINVAL);
	printf("refused reason=%d errno=%d\n", CATS_REASON_TAG_URGENCY, EINVAL);
	memset(&admit, 0, sizeof(admit));
	must(!setsockopt(fd, SOL_CATS, CATS_ADMIT, &admit, sizeof(admit)));
}

static void purge(void)
{
	struct pair p = filled_pair("strict");

	queue(p.tx, &purged, 600);
	/* With unread data, so that it is a reset. */
	close(p.rx);
	close(p.tx);
	say(&purged, 600, "purged");
}

static void run_messages(void)
{
	struct pair p;

	must(!pair_open(&p, AF_INET) && !attach(p.tx));
	must(send_frame(p.tx, UNTAGGED, 1, 150, 0) == 150 && wait_queue_empty(p.tx));
	printf("0 %u 0 150 direct\n", CATS_URGENCY_DEFAULT);
	queue(p.tx, &alone, 100);
	say(&alone, 100, "sent");
	pair_close(&p);

	p = filled_pair("strict");
	queue(p.tx, &bulk, 1000);
	queue(p.tx, &normal, 500);
	queue(p.tx, &urgent, 200);
	drop_all_ways(p.tx);
	refuse(p.tx);
	read_until(p.rx, bulk.cookie);
	must(wait_queue_empty(p.tx));
	say(&urgent, 200, "sent");
	say(&normal, 500, "sent");
	say(&replaced, 400, "sent");
	say(&bulk, 1000, "sent");
	pair_close(&p);
	purge();
}

/*
 * Each byte of urgency 7 pays back one of 0's, whose debt goes 1000, 2000, 3000: enter;
 * 2000, 1000, 0: leave; and once more.
 */
static void run_debt(void)
{
	struct cats_debt_params params;
	socklen_t len = sizeof(params);
	struct pair p = filled_pair("debt");
	int i;

	must(!getsockopt(p.tx, SOL_CATS, CATS_DEBT_PARAMS, &params, &len));
	params.high[0] = 3000;
	params.low[0] = 1000;
	params.payback[7] = 1000;
	must(!setsockopt(p.tx, SOL_CATS, CATS_DEBT_PARAMS, &params, sizeof(params)));
	for (i = 0; i < 6; i++)
		must(send_frame(p.tx, 0, i, 1000, 0) == 1000);
	for (i = 6; i < 16; i++)
		must(send_frame(p.tx, 7, i, 1000, 0) == 1000);
	read_until(p.rx, 15);
	must(wait_queue_empty(p.tx));
	pair_close(&p);
}

static struct sockaddr_in address(const char *host, int port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(port) };

	must(inet_pton(AF_INET, host, &sin.sin_addr) == 1);
	return sin;
}

static void run_sink(void)
{
	struct sockaddr_in sin = address("0.0.0.0", SINK_PORT);
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd;
	static char buf[65536];

	must(!bind(listener, (struct sockaddr *)&sin, sizeof(sin)) && !listen(listener, 8));
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		while (read(fd, buf, sizeof(buf)) > 0)
			;
		close(fd);
	}
}

/* Room for all, and what TCP sends in a second. */
static int connected(const char *host)
{
	struct sockaddr_in sin = address(host, SINK_PORT);
	int fd = socket(AF_INET, SOCK_STREAM, 0), size = 4 * HELD_BYTES;
	unsigned int rate = RATE;

	must(!setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) &&
	     !setsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof(rate)) &&
	     !connect(fd, (struct sockaddr *)&sin, sizeof(sin)));
	return fd;
}

/* Urgency 5 of cookie 1, stream 77: begins when those before it have been sent. */
static void begin_long_message(int fd)
{
	const struct cats_tag tag = {
		.urgency = 5, .cookie = 1, .stream = 77,
		.notify = CATS_NOTIFY(CATS_EVENT_BEGUN),
	};
	struct cats_notice notice;
	struct pollfd pfd = { .fd = fd };
	int i;

	for (i = 0; i < 20; i++)
		must(send_frame(fd, 7, i, 1000, 0) == 1000);
	queue(fd, &tag, HELD_BYTES);
	do
		must(poll(&pfd, 1, 10000) == 1);
	while (read_notice(fd, &notice));
}

/* Other traffic to the same host, which the sender hands to its device at once. */
static void flood(const char *host)
{
	struct sockaddr_in sin = address(host, DISCARD_PORT);
	int fd = socket(AF_INET, SOCK_DGRAM, 0), i, size = 4 * HELD_BYTES;
	char buf[1000] = {};

	must(!setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)));
	for (i = 0; i < HELD_BYTES / (int)sizeof(buf); i++)
		must(sendto(fd, buf, sizeof(buf), 0, (struct sockaddr *)&sin,
			    sizeof(sin)) == sizeof(buf));
	close(fd);
}

static void fill_plain(int fd)
{
	static char buf[HELD_BYTES];

	must(write(fd, buf, sizeof(buf)) == sizeof(buf));
}

static void run_invert(const char *kind, const char *host)
{
	const struct cats_tag tag = { .urgency = 0, .cookie = *kind, .stream = 1 };
	int fd = connected(host);

	if (!strcmp(kind, "tcp"))
		fill_plain(fd);
	must(!attach(fd) && !set_conductor(fd, "strict"));
	if (!strcmp(kind, "conductor"))
		begin_long_message(fd);
	else if (strcmp(kind, "tcp"))
		flood(host);
	queue(fd, &tag, 200);
	must(wait_queue_empty(fd));
	close(fd);
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (argc == 2 && !strcmp(argv[1], "messages"))
		run_messages();
	else if (argc == 2 && !strcmp(argv[1], "debt"))
		run_debt();
	else if (argc == 2 && !strcmp(argv[1], "sink"))
		run_sink();
	else if (argc == 4 && !strcmp(argv[1], "invert"))
		run_invert(argv[2], argv[3]);
	else
		return 2;
	return 0;
}
