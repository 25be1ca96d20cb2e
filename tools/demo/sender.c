// SPDX-License-Identifier: GPL-2.0
/*
 * demo-send: one sender of one experiment, over one TCP connection.
 *
 * The event loop, the socket options and the congestion control are the same
 * for all senders; what differs is in the table below.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <linux/cats.h>

#include "sender.h"
#include "util.h"

/* The longest experiment takes 20 s, and then what is queued has to drain. */
#define GIVE_UP_NS	(60 * NSEC_PER_SEC)

/* So many times writable in a row without anything written is no accident. */
#define MAX_FUTILE	1000

static const struct sender {
	const char *name;
	const struct backend *backend;
	const char *conductor;
	bool batch;
	bool perfect;
} senders[] = {
	{ .name = "tcp", .backend = &backend_tcp },
	{ .name = "userq", .backend = &backend_userq },
	{ .name = "cats-strict", .backend = &backend_cats, .conductor = "strict" },
	{ .name = "cats-debt", .backend = &backend_cats, .conductor = "debt" },
	{ .name = "cats-bounded", .backend = &backend_cats, .conductor = "bounded" },
	/* the same; vm.sh sets net.cats.first_flight to 0 */
	{ .name = "cats-bounded-nohold", .backend = &backend_cats, .conductor = "bounded" },
	{ .name = "cats-bounded-batch", .backend = &backend_cats, .conductor = "bounded",
	  .batch = true },
	{ .name = "perfect", .backend = &backend_tcp, .perfect = true },
};

const unsigned int group_urgency[NR_GROUPS] = {
	CATS_PRIO_CONTROL, CATS_PRIO_INTERACTIVE, CATS_PRIO_NORMAL,
	CATS_PRIO_BULK, CATS_PRIO_SCAVENGER,
};

void message_make(struct message *m, unsigned int group, uint32_t seq, uint32_t len,
		  uint64_t want_ns, bool last)
{
	const struct frame f = {
		.magic = FRAME_MAGIC,
		.group = group,
		.flags = last ? FRAME_LAST : 0,
		.seq = seq,
		.len = len,
		.want_ns = want_ns,
	};

	m->urgency = group_urgency[group];
	m->len = len;
	frame_build(m->data, &f);
}

/* Returns the bytes that the socket took, perhaps 0. */
static uint32_t conn_send(struct conn *c, const unsigned char *data, uint32_t len)
{
	ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN)
		die_errno("send");
	if (n < (ssize_t)len)
		c->blocked = true;
	if (n < 0)
		return 0;
	c->taken += n;
	return n;
}

bool conn_write(struct conn *c, const struct message *m)
{
	uint32_t n = conn_send(c, m->data, m->len);

	if (!n) {
		c->refused++;
		return false;
	}
	if (n < m->len) {
		c->partial = *m;
		c->partial_pos = n;
	}
	return true;
}

bool conn_finish_partial(struct conn *c)
{
	uint32_t left = c->partial.len - c->partial_pos;

	if (left)
		c->partial_pos += conn_send(c, c->partial.data + c->partial_pos, left);
	return c->partial_pos == c->partial.len;
}

static void print_usage(void)
{
	size_t i;

	fputs("usage: demo-send -e page|late -s SENDER [-p PORT] [-b PORT] [-i FILE] ADDRESS\n"
	      "  -p  port of the receiver (7000)\n"
	      "  -b  own port (any)\n"
	      "  -i  append samples of what CATS promises to FILE\n"
	      "senders:", stderr);
	for (i = 0; i < sizeof(senders) / sizeof(*senders); i++)
		fprintf(stderr, " %s", senders[i].name);
	fputc('\n', stderr);
	exit(2);
}

static void choose_sender(struct conn *c, const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(senders) / sizeof(*senders); i++) {
		if (strcmp(name, senders[i].name))
			continue;
		c->sender = senders[i].name;
		c->backend = senders[i].backend;
		c->conductor = senders[i].conductor;
		c->batch = senders[i].batch;
		c->perfect = senders[i].perfect;
		return;
	}
	die("no sender \"%s\"", name);
}

static void choose_experiment(struct conn *c, const char *name)
{
	if (!strcmp(name, experiment_page.name))
		c->exp = &experiment_page;
	else if (!strcmp(name, experiment_late.name))
		c->exp = &experiment_late;
	else
		die("no experiment \"%s\"", name);
}

static void open_samples(struct conn *c, const char *path)
{
	c->samples = fopen(path, "a");
	if (!c->samples)
		die_errno("%s", path);
}

static const char *parse_options(int argc, char **argv, struct conn *c,
				 unsigned int *port, unsigned int *own_port)
{
	int opt;

	while ((opt = getopt(argc, argv, "e:s:p:b:i:")) != -1) {
		switch (opt) {
		case 'e':
			choose_experiment(c, optarg);
			break;
		case 's':
			choose_sender(c, optarg);
			break;
		case 'p':
			*port = parse_number("-p", optarg, 1, 65535);
			break;
		case 'b':
			*own_port = parse_number("-b", optarg, 1, 65535);
			break;
		case 'i':
			open_samples(c, optarg);
			break;
		default:
			print_usage();
		}
	}
	if (!c->exp || !c->sender || optind != argc - 1)
		print_usage();
	if (c->perfect && c->exp != &experiment_page)
		die("%s: what comes late cannot be put in order in advance", c->sender);
	return argv[optind];
}

static void set_options(struct conn *c)
{
	static const char cc[] = "bbr";
	int one = 1;

	if (setsockopt(c->fd, IPPROTO_TCP, TCP_CONGESTION, cc, strlen(cc)))
		die_errno("TCP_CONGESTION bbr (is tcp_bbr loaded?)");
	/* the last segment of a message must not wait for an ACK */
	if (setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)))
		die_errno("TCP_NODELAY");
	if (c->exp->sndbuf && setsockopt(c->fd, SOL_SOCKET, SO_SNDBUF, &c->exp->sndbuf,
					 sizeof(c->exp->sndbuf)))
		die_errno("SO_SNDBUF");
}

static void connect_to(struct conn *c, const char *address, unsigned int port,
		       unsigned int own_port)
{
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_port = htons(own_port) };
	struct sockaddr_in peer = { .sin_family = AF_INET, .sin_port = htons(port) };
	int one = 1;

	if (inet_pton(AF_INET, address, &peer.sin_addr) != 1)
		die("\"%s\" is not an IPv4 address", address);
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		die_errno("socket");
	set_options(c);
	if (own_port && (setsockopt(c->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
			 bind(c->fd, (struct sockaddr *)&own, sizeof(own))))
		die_errno("bind to port %u", own_port);
	if (connect(c->fd, (struct sockaddr *)&peer, sizeof(peer)))
		die_errno("connect to %s port %u", address, port);
	c->backend->setup(c);
	if (fcntl(c->fd, F_SETFL, O_NONBLOCK))
		die_errno("O_NONBLOCK");
}

static void watch(int epoll, int op, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };

	if (epoll_ctl(epoll, op, fd, &ev))
		die_errno("epoll_ctl");
}

static void arm(int timer, uint64_t when)
{
	const struct itimerspec at = {
		.it_value.tv_sec = when / NSEC_PER_SEC,
		.it_value.tv_nsec = when % NSEC_PER_SEC,
	};

	if (timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL))
		die_errno("timerfd_settime");
}

/* True: the receiver has everything. */
static bool acknowledged(const struct conn *c)
{
	char byte;
	ssize_t n = recv(c->fd, &byte, 1, 0);

	if (n < 0 && errno != EAGAIN)
		die_errno("wait for the receiver's answer");
	if (!n)
		die("the receiver closed before it had everything");
	return n == 1;
}

/* The socket said that there is room: it must not lie. */
static void check_progress(const struct conn *c, uint64_t taken_before)
{
	static unsigned int futile;

	if (c->taken != taken_before || !c->blocked)
		futile = 0;
	else if (++futile > MAX_FUTILE)
		die("the socket says EPOLLOUT but takes nothing: poll and sendmsg disagree");
}

static void run_experiment(struct conn *c)
{
	c->exp->run(c);
	if (c->backend->flush)
		c->backend->flush(c);
}

/* Waits for what comes next and lets backend and experiment go on; true: all is done. */
static bool step(struct conn *c, int epoll, int timer)
{
	uint64_t taken = c->taken;
	struct epoll_event ev[2];
	bool writable = false, done = false;
	uint64_t due = c->exp->next_due();
	int n, i;

	arm(timer, due ? due : c->start_ns + GIVE_UP_NS);
	watch(epoll, EPOLL_CTL_MOD, c->fd, EPOLLIN | (c->blocked ? EPOLLOUT : 0));
	n = epoll_wait(epoll, ev, 2, -1);
	if (n < 0 && errno != EINTR)
		die_errno("epoll_wait");
	for (i = 0; i < n; i++) {
		if (ev[i].data.fd == timer)
			continue;
		writable = ev[i].events & EPOLLOUT;
		done = ev[i].events & ~EPOLLOUT && acknowledged(c);
	}
	if (now_ns() > c->start_ns + GIVE_UP_NS)
		die("not done after %llu s", GIVE_UP_NS / NSEC_PER_SEC);
	if (writable) {
		c->blocked = false;
		c->backend->writable(c);
	}
	run_experiment(c);
	if (writable)
		check_progress(c, taken);
	return done;
}

int main(int argc, char **argv)
{
	static struct conn c;
	unsigned int port = 7000, own_port = 0;
	const char *address = parse_options(argc, argv, &c, &port, &own_port);
	int epoll, timer;

	connect_to(&c, address, port, own_port);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (epoll < 0 || timer < 0)
		die_errno("event loop");
	watch(epoll, EPOLL_CTL_ADD, timer, EPOLLIN);
	watch(epoll, EPOLL_CTL_ADD, c.fd, EPOLLIN);

	c.start_ns = now_ns();
	c.exp->start(&c, c.start_ns);
	run_experiment(&c);
	while (!step(&c, epoll, timer))
		;
	fprintf(stderr, "demo-send: %s %s: all arrived, %u refused writes\n",
		c.exp->name, c.sender, c.refused);
	if (c.samples && fclose(c.samples))
		die_errno("samples");
	return 0;
}
