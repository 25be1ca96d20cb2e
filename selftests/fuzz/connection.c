// SPDX-License-Identifier: GPL-2.0
/*
 * Connections of the episodes.
 *
 *	namespace fuzz-a (we are here)		namespace fuzz-b
 *	listener 127.0.0.1, ::1
 *	veth 10.77.0.1, fd77::1  -------------	10.77.0.2, fd77::2, listener
 *
 * guest.sh makes the namespaces.  Listeners are opened once: so an episode needs
 * no setns(), and those whose CATS end is the accepted one live in fuzz-b.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fuzz.h"

#define MTU	1500

struct listener {
	int			fd;
	struct sockaddr_storage	address;
	socklen_t		len;
};

static struct listener listeners[NR_PATHS];

static const char *const addresses[NR_PATHS] = {
	[PATH_V4] = "127.0.0.1", [PATH_V6] = "::1", [PATH_MAPPED] = "::ffff:127.0.0.1",
	[PATH_VETH_V4] = "10.77.0.2", [PATH_VETH_V6] = "fd77::2",
};

static int enter_netns(const char *name)
{
	char path[64];
	int fd, ret;

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY);
	ret = setns(fd, CLONE_NEWNET);
	close(fd);
	return ret;
}

static void parse_address(struct listener *l, const char *text)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&l->address;
	struct sockaddr_in *v4 = (struct sockaddr_in *)&l->address;

	memset(&l->address, 0, sizeof(l->address));
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		l->len = sizeof(*v4);
	} else {
		inet_pton(AF_INET6, text, &v6->sin6_addr);
		v6->sin6_family = AF_INET6;
		l->len = sizeof(*v6);
	}
}

static int open_listener(enum path path, struct listener *l)
{
	parse_address(l, addresses[path]);
	l->fd = socket(l->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return bind(l->fd, (struct sockaddr *)&l->address, l->len) ||
	       listen(l->fd, 8) ||
	       getsockname(l->fd, (struct sockaddr *)&l->address, &l->len);
}

static int open_listeners(enum path from, enum path to)
{
	int ret = 0;

	for (; from < to && !ret; from++)
		ret = open_listener(from, &listeners[from]);
	return ret;
}

/**
 * connection_init() - open the listeners; ends in namespace fuzz-a
 *
 * Return: 0 or -1.
 */
int connection_init(void)
{
	if (enter_netns("fuzz-b") || open_listeners(PATH_VETH_V4, NR_PATHS))
		return -1;
	if (enter_netns("fuzz-a"))
		return -1;
	return open_listeners(PATH_V4, PATH_VETH_V4);
}

static int loopback_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_mtu = MTU };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), ret;

	ret = ioctl(fd, SIOCSIFMTU, &ifr);
	ifr.ifr_flags = IFF_UP;
	ret |= ioctl(fd, SIOCSIFFLAGS, &ifr);
	close(fd);
	return ret;
}

/**
 * connection_fresh_netns() - a namespace of our own, which goes with our sockets
 *
 * Return: 0 or -1.
 */
int connection_fresh_netns(void)
{
	if (unshare(CLONE_NEWNET) || loopback_up())
		return -1;
	return open_listeners(PATH_V4, PATH_VETH_V4);
}

static void set_buffers(const struct program *p, int fd, bool is_tx)
{
	int value = p->param[is_tx ? P_SNDBUF : P_RCVBUF];
	uint32_t rate = p->param[P_PACING] ?: ~0u;

	if (value)
		setsockopt(fd, SOL_SOCKET, is_tx ? SO_SNDBUF : SO_RCVBUF, &value,
			   sizeof(value));
	if (is_tx)
		setsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof(rate));
}

/*
 * A reset that the path loses is not sent again: without this a peer that only
 * reads would wait for ever.
 */
static void probe_for_reset(int fd)
{
	int on = 1, seconds = 20;

	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof(seconds));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &seconds, sizeof(seconds));
}

/* The urgent byte of MSG_OOB is one of the stream. */
static void read_urgent_inline(int fd)
{
	int on = 1;

	setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on));
}

/* A CATS listener, whose connections are ours; 0 or -1. */
static int open_cats_listener(const struct program *p, enum path where, struct listener *l)
{
	bool far = where >= PATH_VETH_V4;
	const char *name = conductor_name(p);
	int ret;

	if (far && enter_netns("fuzz-b"))
		return -1;
	ret = open_listener(where, l);
	if (far && enter_netns("fuzz-a"))
		return -1;
	if (ret)
		return -1;
	return !attach_cats(l->fd) ||
	       setsockopt(l->fd, SOL_CATS, CATS_CONDUCTOR, name, strlen(name));
}

/**
 * connection_open() - a connected pair as the program wants it
 * @p: program
 * @tx: set to our side
 * @rx: set to the peer
 *
 * Return: 0 or -1.
 */
int connection_open(const struct program *p, int *tx, int *rx)
{
	static const char *const names[] = { "cubic", "reno", "bbr" };
	enum path path = p->param[P_PATH] % NR_PATHS;
	struct listener *l = &listeners[path], own;
	const char *cc = names[p->param[P_CC] % 3];
	bool accepted = p->param[P_ACCEPTED];
	bool before = p->param[P_ATTACH] == ATTACH_BEFORE;
	int client, server;

	if (before && accepted) {
		l = &own;
		if (open_cats_listener(p, path, l))
			return -1;
	}
	client = socket(l->address.ss_family, SOCK_STREAM, 0);
	if (before && !accepted && !attach_cats(client))
		return -1;
	set_buffers(p, client, !accepted);
	if (connect(client, (struct sockaddr *)&l->address, l->len))
		return -1;
	server = accept(l->fd, NULL, NULL);
	if (l == &own)
		close(l->fd);
	set_buffers(p, server, accepted);
	*tx = accepted ? server : client;
	*rx = accepted ? client : server;
	probe_for_reset(*rx);
	read_urgent_inline(*rx);
	return server < 0 ||
	       setsockopt(*tx, IPPROTO_TCP, TCP_CONGESTION, cc, strlen(cc));
}
