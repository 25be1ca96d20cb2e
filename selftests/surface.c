// SPDX-License-Identifier: GPL-2.0
/* See surface.h. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "surface.h"

/* Bytes per second; TCP's bursts are then two segments, the rest is queued. */
#define SLOW_RATE	(2 * 1000 * 1000)

static uint8_t pattern_byte(ssize_t place)
{
	return (place * 2654435761u) >> 16;
}

/* A socket for connect(), with CATS already if that is the way. */
int surface_socket(enum attach_way way, int family)
{
	int fd = socket(family, SOCK_STREAM, 0);

	if (way == WAY_EARLY && attach(fd)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Binds to any port of the loopback address and listens; 0, or -1 with errno. */
int surface_listen(int fd, int family, struct address *addr)
{
	int one = 1;

	addr->len = loopback_address(&addr->ss, family);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&addr->ss, addr->len) || listen(fd, 8))
		return -1;
	return getsockname(fd, (struct sockaddr *)&addr->ss, &addr->len);
}

int surface_connect(int fd, const struct address *addr)
{
	return connect(fd, (const struct sockaddr *)&addr->ss, addr->len);
}

/*
 * Connects a pair.  The end under test is tx, also where it is the one that was
 * accepted; rx has a small receive buffer.
 */
int surface_pair(struct pair *p, enum attach_way way, int family)
{
	int listener = socket(family, SOCK_STREAM, 0), size = SMALL_RCVBUF;
	int client = surface_socket(way, family), server = -1;
	struct address addr;
	bool child = way == WAY_CHILD;

	setsockopt(child ? client : listener, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if ((!child || !attach(listener)) &&
	    !surface_listen(listener, family, &addr) && !surface_connect(client, &addr))
		server = accept(listener, NULL, NULL);
	close(listener);
	p->tx = child ? server : client;
	p->rx = child ? client : server;
	if (server < 0)
		return -1;
	return way == WAY_CATS ? attach(p->tx) : 0;
}

int set_int(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

/* An option that is an int; -1 with errno if there is none. */
int get_int(int fd, int level, int name)
{
	socklen_t len = sizeof(int);
	int value = 0;

	return getsockopt(fd, level, name, &value, &len) ? -1 : value;
}

/* Ours, in host byte order; it has the same place in the addresses of both families. */
int port_of(int fd)
{
	struct sockaddr_in6 addr;
	socklen_t len = sizeof(addr);

	return getsockname(fd, (struct sockaddr *)&addr, &len) ? -1 : ntohs(addr.sin6_port);
}

/* STATE_ESTABLISHED and so on, or -1. */
int tcp_state(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) ? -1 : info.tcpi_state;
}

/* Up to ten seconds. */
bool wait_state(int fd, int state)
{
	int tries;

	for (tries = 0; tries < 10000; tries++) {
		if (tcp_state(fd) == state)
			return true;
		poll(NULL, 0, 1);
	}
	return false;
}

short poll_for(int fd, short events, int timeout_ms)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	return poll(&pfd, 1, timeout_ms) == 1 ? pfd.revents : 0;
}

short poll_now(int fd, short events)
{
	return poll_for(fd, events, 0);
}

/* Makes what is written wait in the Conductor instead of being committed. */
int slow_down(int fd)
{
	return set_int(fd, SOL_SOCKET, SO_MAX_PACING_RATE, SLOW_RATE);
}

/*
 * Writes a counting pattern without blocking until the peer's window and the send
 * buffer are full; the peer must not read.  Returns the bytes, -1 after an error
 * that is not EAGAIN.
 */
ssize_t fill_bytes(int fd)
{
	ssize_t sum = 0, before, n;
	uint8_t buf[1000];
	int i;

	do {
		before = sum;
		do {
			for (i = 0; i < (int)sizeof(buf); i++)
				buf[i] = pattern_byte(sum + i);
			n = send(fd, buf, sizeof(buf), MSG_DONTWAIT | MSG_NOSIGNAL);
			if (n > 0)
				sum += n;
		} while (n > 0);
		if (errno != EAGAIN || !wait_settled(fd))
			return -1;
	} while (sum > before);
	return sum;
}

/*
 * Reads @len bytes that fill_bytes() wrote, from place @from of its pattern;
 * all up to the end of the stream if @len is -1.  Returns how many there were, -1
 * where they are wrong or the stream broke.
 */
ssize_t read_pattern(int fd, ssize_t from, ssize_t len)
{
	uint8_t buf[4096];
	ssize_t sum = 0, n, i;
	size_t want;

	while (len < 0 || sum < len) {
		want = len < 0 || len - sum > (ssize_t)sizeof(buf) ? sizeof(buf) : len - sum;
		n = recv(fd, buf, want, 0);
		if (n <= 0)
			return n ? -1 : sum;
		for (i = 0; i < n; i++)
			if (buf[i] != pattern_byte(from + sum + i))
				return -1;
		sum += n;
	}
	return sum;
}

uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

/* @name with slashes, below /proc/sys/; of this network namespace. */
int write_sysctl(const char *name, const char *value)
{
	char path[128];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return -1;
	n = write(fd, value, strlen(value));
	close(fd);
	return n == (ssize_t)strlen(value) ? 0 : -1;
}

/* netem(8) on the loopback device of this namespace; NULL takes it away. */
int loopback_netem(const char *args)
{
	static bool present;
	char command[128];

	if (!args && !present)
		return 0;
	snprintf(command, sizeof(command), "tc qdisc %s dev lo root %s%s",
		 args ? "replace" : "del", args ? "netem " : "", args ? args : "");
	present = args;
	return system(command);
}

static atomic_int nr_signals;

static void on_signal(int sig)
{
	nr_signals++;
}

/* Counts @sig from now on; a call that it interrupts is not restarted. */
void count_signals(int sig)
{
	struct sigaction action = { .sa_handler = on_signal };

	nr_signals = 0;
	sigaction(sig, &action, NULL);
}

int signals_seen(void)
{
	return nr_signals;
}
