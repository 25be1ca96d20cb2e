// SPDX-License-Identifier: GPL-2.0
/*
 * Makes CATS sockets that stay as they are, for others to look at: a listener, and a
 * connection whose peer does not read.  Of the latter TCP is full, and the Conductor has
 * two messages of 1000 bytes of urgency 0 and three of 2000 of urgency 5, and has refused
 * one of urgency 9.
 *
 *	holder
 *
 * Prints, once that is so, "port", the port of the connection, the port of its peer and
 * that of the listener; then for each urgency "class", its number, bytes queued, messages
 * queued, bytes sent, messages sent.  Then it stays until it is killed.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../cats_test.h"

static unsigned int port_of(int fd)
{
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);

	if (getsockname(fd, (struct sockaddr *)&addr, &len))
		err(1, "getsockname");
	return ntohs(addr.sin_port);
}

static int make_listener(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || attach(fd) || listen(fd, 1))
		err(1, "listener");
	return fd;
}

static void queue(int fd)
{
	int i;

	if (fill_tcp(fd) < 1)
		err(1, "fill");
	for (i = 0; i < 2; i++)
		if (send_frame(fd, 0, i, 1000, 0) != 1000)
			err(1, "urgency 0");
	for (i = 0; i < 3; i++)
		if (send_frame(fd, 5, i, 2000, 0) != 2000)
			err(1, "urgency 5");
	if (send_tagged(fd, 9, "x", 1, 0) != -1 || errno != EINVAL)
		errx(1, "urgency 9 was accepted");
}

static void say_what_is(const struct pair *p, int listener)
{
	struct cats_info info;
	int i;

	if (!wait_settled(p->tx) || get_info(p->tx, &info))
		err(1, "info");
	printf("port %u %u %u\n", port_of(p->tx), port_of(p->rx), port_of(listener));
	for (i = 0; i < CATS_NR_URGENCIES; i++)
		printf("class %d %llu %u %llu %llu\n", i, info.classes[i].queued_bytes,
		       info.classes[i].queued_msgs, info.classes[i].sent_bytes,
		       info.classes[i].sent_msgs);
	/* What reads this reads until an end. */
	puts("end");
	fflush(stdout);
}

int main(void)
{
	int listener = make_listener();
	struct pair p;

	if (pair_open(&p, AF_INET) || attach(p.tx))
		err(1, "connection");
	/* Root may. */
	setsockopt(p.tx, IPPROTO_TCP, TCP_CONGESTION, "bbr", 3);
	queue(p.tx);
	say_what_is(&p, listener);
	pause();
	return 0;
}
