/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What "catsctl ss" knows of sockets.
 */
#ifndef _CATSCTL_SOCK_H
#define _CATSCTL_SOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/cats.h>
#include <linux/inet_diag.h>
#include <linux/tcp.h>

/**
 * struct endpoint - one end of a connection
 * @address: IPv6 address in network byte order; IPv4 ones are mapped, ::ffff:a.b.c.d
 * @port: port
 */
struct endpoint {
	uint8_t		address[16];
	uint16_t	port;
};

/**
 * struct cats_socket - a TCP socket
 * @family: AF_INET or AF_INET6
 * @state: number of the TCP state, see state.c
 * @local: this end
 * @remote: the other end
 * @uid: owner
 * @inode: of its file, 0 if it has none (yet)
 * @cats: it is a CATS socket
 * @has_bbr: @bbr is set
 * @congestion: name of its congestion control
 * @tcp: as by TCP_INFO; what the kernel does not tell is 0
 * @bbr: what BBR has estimated
 * @info: as by CATS_INFO
 * @info_size: bytes of it that the module told; the rest is 0
 */
struct cats_socket {
	int			family;
	unsigned int		state;
	struct endpoint		local;
	struct endpoint		remote;
	uint32_t		uid;
	uint32_t		inode;
	bool			cats;
	bool			has_bbr;
	char			congestion[16];
	struct tcp_info		tcp;
	struct tcp_bbr_info	bbr;
	struct cats_info	info;
	size_t			info_size;
};

/* Did the module tell this member of struct cats_info? */
#define KNOWN(s, member) \
	((s)->info_size >= offsetof(struct cats_info, member) + sizeof((s)->info.member))

/**
 * struct sockets - a list
 * @list: sockets
 * @count: of them
 * @privileged: the kernel has told everything of everybody's, or there are none; else
 *	@list are our user's TCP sockets, see own.c
 */
struct sockets {
	struct cats_socket	*list;
	size_t			count;
	bool			privileged;
};

/* state.c */
#define STATE_ALL	0x1ffeU
#define STATE_LISTENING	(1U << 10)
/* Neither listens nor has just the rest of a connection: what ss(8) shows at first. */
#define STATE_USUAL	(STATE_ALL & ~(STATE_LISTENING | 1U << 3 | 1U << 6 | 1U << 7 | 1U << 12))

const char *state_name(unsigned int state);
unsigned int state_mask(const char *name);

/* filter.c */
struct filter;
struct filter *filter_parse(int argc, char *argv[]);
bool filter_match(const struct filter *f, const struct cats_socket *s);
bool filter_names_state(const struct filter *f);

/* diag.c */
int diag_dump(struct sockets *sockets, int family, unsigned int states);

/* own.c */
void own_sockets(struct sockets *sockets, bool tell);

/* ss_table.c, ss_json.c */
void ss_print_table(const struct cats_socket *s);
struct json;
void ss_print_json(struct json *j, const struct cats_socket *s);
const char *address_text(const struct endpoint *e, char *buf, size_t size);

#endif /* _CATSCTL_SOCK_H */
