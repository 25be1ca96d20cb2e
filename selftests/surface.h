/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the surface_*.c suites share: connections of every kind, and what to ask
 * of a socket.
 */
#ifndef _CATS_SURFACE_H
#define _CATS_SURFACE_H

#include <netinet/in.h>
#include <sys/socket.h>

#include <linux/tcp.h>

#include "cats_test.h"

/**
 * enum attach_way - how the socket under test gets CATS
 * @WAY_TCP: not at all
 * @WAY_CATS: when connected
 * @WAY_EARLY: before connect()
 * @WAY_CHILD: by being accepted from a listener that has it
 */
enum attach_way { WAY_TCP, WAY_CATS, WAY_EARLY, WAY_CHILD };

/* tcpi_state; <netinet/tcp.h>, which has these, excludes <linux/tcp.h>. */
enum {
	STATE_ESTABLISHED = 1, STATE_SYN_SENT, STATE_SYN_RECV, STATE_FIN_WAIT1,
	STATE_FIN_WAIT2, STATE_TIME_WAIT, STATE_CLOSE, STATE_CLOSE_WAIT,
	STATE_LAST_ACK, STATE_LISTEN, STATE_CLOSING,
};

/* Of the receiver, so that a few KiB that nobody reads close the window. */
#define SMALL_RCVBUF	4096

/**
 * struct address - of a listener
 * @ss: address
 * @len: of it
 */
struct address {
	struct sockaddr_storage	ss;
	socklen_t		len;
};

int surface_socket(enum attach_way way, int family);
int surface_listen(int fd, int family, struct address *addr);
int surface_connect(int fd, const struct address *addr);
int surface_pair(struct pair *p, enum attach_way way, int family);
int set_int(int fd, int level, int name, int value);
int get_int(int fd, int level, int name);
int port_of(int fd);
int tcp_state(int fd);
bool wait_state(int fd, int state);
short poll_now(int fd, short events);
short poll_for(int fd, short events, int timeout_ms);
int slow_down(int fd);
ssize_t fill_bytes(int fd);
ssize_t read_pattern(int fd, ssize_t from, ssize_t len);
uint64_t now_ms(void);
int write_sysctl(const char *name, const char *value);
int loopback_netem(const char *args);
void count_signals(int sig);
int signals_seen(void);

/* The next bytes that @fd receives. */
#define EXPECT_BYTES(fd, bytes) do {						\
	const char *_want = bytes;						\
	size_t _len = strlen(_want);						\
	char _buf[256] = "";							\
	ASSERT_EQ((ssize_t)_len, recv(fd, _buf, _len, MSG_WAITALL));		\
	EXPECT_STREQ(_want, _buf);						\
} while (0)

/* A call that fails with @err. */
#define EXPECT_ERRNO(err, call) do {						\
	EXPECT_EQ(-1, call);							\
	EXPECT_EQ(err, errno);							\
} while (0)

#endif /* _CATS_SURFACE_H */
