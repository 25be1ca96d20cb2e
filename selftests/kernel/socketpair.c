// SPDX-License-Identifier: GPL-2.0
/*
 * LD_PRELOAD library: socketpair() of the Unix domain makes a pair of connected TCP
 * sockets instead.  So tests that want any two sockets, as epoll_wakeup_test does,
 * test TCP.  It asks for the sockets by socket() and accept(), and so another
 * preloaded library sees them.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static int connect_pair(int listener, int fds[2])
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(addr);

	if (bind(listener, (struct sockaddr *)&addr, len) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&addr, &len) ||
	    connect(fds[0], (struct sockaddr *)&addr, len))
		return -1;
	fds[1] = accept(listener, NULL, NULL);
	return fds[1] < 0 ? -1 : 0;
}

int socketpair(int domain, int type, int protocol, int fds[2])
{
	int listener, ret;

	if (domain != AF_UNIX || type != SOCK_STREAM || protocol) {
		errno = EOPNOTSUPP;
		return -1;
	}
	listener = socket(AF_INET, type, 0);
	fds[0] = socket(AF_INET, type, 0);
	ret = connect_pair(listener, fds);
	close(listener);
	return ret;
}
