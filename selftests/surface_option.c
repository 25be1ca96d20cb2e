// SPDX-License-Identifier: GPL-2.0
/* TCP_REPAIR, TCP_MD5SIG, marks and other control messages, IPV6_ADDRFORM, sizes. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/ethernet.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>

#include "surface_fixture.h"

static ssize_t backlog(int fd)
{
	if (set_int(fd, SOL_SOCKET, SO_SNDBUF, 30000) || slow_down(fd))
		return -1;
	return fill_bytes(fd);
}

static int outq(int fd, int cmd)
{
	int value;

	return ioctl(fd, cmd, &value) ? -1 : value;
}

/* What was not acknowledged, and what was not sent: all that was not received. */
TEST_F(surface, outq_behind_a_closed_window)
{
	ssize_t queued = backlog(self->p.tx);
	/* The SYN of a client counts as a byte. */
	const int syn = variant->way != WAY_CHILD;
	struct tcp_info info = {};
	socklen_t len = sizeof(info);
	int received;

	ASSERT_LT(0, queued);
	ASSERT_EQ(0, ioctl(self->p.rx, FIONREAD, &received));
	EXPECT_EQ(queued - received, outq(self->p.tx, SIOCOUTQ));
	EXPECT_EQ(queued - received, outq(self->p.tx, SIOCOUTQNSD));
	ASSERT_EQ(0, getsockopt(self->p.tx, IPPROTO_TCP, TCP_INFO, &info, &len));
	EXPECT_EQ(queued - received, info.tcpi_notsent_bytes);
	EXPECT_EQ(received + syn, info.tcpi_bytes_acked);
	ASSERT_EQ(queued, read_pattern(self->p.rx, 0, queued));
	ASSERT_TRUE(wait_queue_empty(self->p.tx));
	len = sizeof(info);
	ASSERT_EQ(0, getsockopt(self->p.tx, IPPROTO_TCP, TCP_INFO, &info, &len));
	EXPECT_EQ(0, info.tcpi_notsent_bytes);
	EXPECT_EQ(queued + syn, info.tcpi_bytes_acked);
}

TEST_F(surface, outq_in_flight)
{
	ASSERT_EQ(0, loopback_netem("delay 10ms"));
	ASSERT_EQ(100, send(self->p.tx, (char[100]) {}, 100, 0));
	EXPECT_EQ(100, outq(self->p.tx, SIOCOUTQ));
	EXPECT_EQ(0, outq(self->p.tx, SIOCOUTQNSD));
	EXPECT_TRUE(wait_queue_empty(self->p.tx));
}

TEST_F(surface, outq_of_a_listener)
{
	int fd = socket(variant->family, SOCK_STREAM, 0);
	struct address addr;

	ASSERT_EQ(0, surface_listen(fd, variant->family, &addr));
	if (is_cats())
		ASSERT_EQ(0, attach(fd));
	EXPECT_ERRNO(EINVAL, outq(fd, SIOCOUTQ));
	EXPECT_ERRNO(EINVAL, outq(fd, SIOCOUTQNSD));
	close(fd);
}

/* SO_MEMINFO knows what TCP has; what the Conductor holds is in CATS_INFO. */
TEST_F(surface, meminfo)
{
	ssize_t queued = backlog(self->p.tx);
	struct cats_info info = {};
	int mem[SK_MEMINFO_VARS];
	socklen_t len = sizeof(mem);

	ASSERT_LT(0, queued);
	ASSERT_EQ(0, getsockopt(self->p.tx, SOL_SOCKET, SO_MEMINFO, mem, &len));
	EXPECT_EQ(60000, mem[SK_MEMINFO_SNDBUF]);
	if (is_cats())
		ASSERT_EQ(0, get_info(self->p.tx, &info));
	EXPECT_LE(queued - 2 * SMALL_RCVBUF,
		  mem[SK_MEMINFO_WMEM_QUEUED] + (int)info.mem_queued);
	EXPECT_EQ(is_cats(), info.mem_queued > 0);
}

TEST_F(surface, sndbuf_reads_back)
{
	ASSERT_EQ(0, set_int(self->p.tx, SOL_SOCKET, SO_SNDBUF, 50000));
	EXPECT_EQ(100000, get_int(self->p.tx, SOL_SOCKET, SO_SNDBUF));
}

/* Checkpoint: what was not acknowledged can be read from the send queue. */
TEST_F(surface, repair_shows_the_send_queue)
{
	ssize_t queued = backlog(self->p.tx), i;
	int unacked = outq(self->p.tx, SIOCOUTQ);
	unsigned char *buf = malloc(100000);
	const int from = queued - unacked;
	unsigned char *want = malloc(100000);

	ASSERT_LT(0, unacked);
	ASSERT_EQ(0, set_int(self->p.tx, IPPROTO_TCP, TCP_REPAIR, TCP_REPAIR_ON));
	ASSERT_EQ(0, set_int(self->p.tx, IPPROTO_TCP, TCP_REPAIR_QUEUE, TCP_SEND_QUEUE));
	ASSERT_EQ(unacked, recv(self->p.tx, buf, 100000, MSG_PEEK | MSG_DONTWAIT));
	ASSERT_EQ(0, set_int(self->p.tx, IPPROTO_TCP, TCP_REPAIR, TCP_REPAIR_OFF));
	/* It is what the peer would have received. */
	ASSERT_EQ(from, recv(self->p.rx, want, from, MSG_WAITALL));
	for (i = 0; i < unacked; ) {
		ssize_t n = recv(self->p.rx, want, unacked - i, 0);

		ASSERT_LT(0, n);
		EXPECT_EQ(0, memcmp(buf + i, want, n));
		i += n;
	}
	free(want);
	free(buf);
}

TEST_F(surface, repair_then_on)
{
	ASSERT_EQ(0, set_int(self->p.tx, IPPROTO_TCP, TCP_REPAIR, TCP_REPAIR_ON));
	EXPECT_ERRNO(EINVAL, send(self->p.tx, "x", 1, 0));
	ASSERT_EQ(0, set_int(self->p.tx, IPPROTO_TCP, TCP_REPAIR, TCP_REPAIR_OFF));
	ASSERT_EQ(4, send(self->p.tx, "data", 4, 0));
	EXPECT_BYTES(self->p.rx, "data");
}

static int queue_seq(int fd, int queue)
{
	if (set_int(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, queue))
		return -1;
	return get_int(fd, IPPROTO_TCP, TCP_QUEUE_SEQ);
}

static int set_queue_seq(int fd, int queue, int seq)
{
	return set_int(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, queue) ||
	       set_int(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, seq);
}

/* A connection moves to another socket, as CRIU does it. */
TEST_F(surface, repair_moves_a_connection)
{
	struct address local = { .len = sizeof(local.ss) }, peer = { .len = sizeof(peer.ss) };
	int snd, rcv, fd, one = 1;

	ASSERT_EQ(3, send(self->p.tx, "old", 3, 0));
	EXPECT_BYTES(self->p.rx, "old");
	ASSERT_TRUE(wait_queue_empty(self->p.tx));
	getsockname(self->p.tx, (struct sockaddr *)&local.ss, &local.len);
	getpeername(self->p.tx, (struct sockaddr *)&peer.ss, &peer.len);
	ASSERT_EQ(0, set_int(self->p.tx, IPPROTO_TCP, TCP_REPAIR, TCP_REPAIR_ON));
	snd = queue_seq(self->p.tx, TCP_SEND_QUEUE);
	rcv = queue_seq(self->p.tx, TCP_RECV_QUEUE);
	ASSERT_EQ(0, close(self->p.tx));
	fd = surface_socket(variant->way, variant->family);
	self->p.tx = fd;
	ASSERT_EQ(0, set_int(fd, IPPROTO_TCP, TCP_REPAIR, TCP_REPAIR_ON));
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	ASSERT_EQ(0, bind(fd, (struct sockaddr *)&local.ss, local.len));
	ASSERT_EQ(0, set_queue_seq(fd, TCP_SEND_QUEUE, snd));
	ASSERT_EQ(0, set_queue_seq(fd, TCP_RECV_QUEUE, rcv));
	ASSERT_EQ(0, surface_connect(fd, &peer));
	ASSERT_EQ(0, set_int(fd, IPPROTO_TCP, TCP_REPAIR, TCP_REPAIR_OFF));
	if (variant->way == WAY_CATS)
		ASSERT_EQ(0, attach(fd));
	ASSERT_EQ(3, send(fd, "new", 3, 0));
	EXPECT_BYTES(self->p.rx, "new");
	ASSERT_EQ(5, send(self->p.rx, "reply", 5, 0));
	EXPECT_BYTES(fd, "reply");
}

static int set_md5(int fd, const struct address *addr, const char *key)
{
	struct tcp_md5sig sig = { .tcpm_keylen = strlen(key) };

	memcpy(&sig.tcpm_addr, &addr->ss, addr->len);
	memcpy(sig.tcpm_key, key, strlen(key));
	return setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &sig, sizeof(sig));
}

/* Every segment is signed; with the wrong key none would arrive. */
TEST_F(surface, md5)
{
	int listener = socket(variant->family, SOCK_STREAM, 0);
	int fd = surface_socket(variant->way, variant->family), server;
	struct address addr;
	ssize_t queued;

	if (variant->way == WAY_CHILD)
		ASSERT_EQ(0, attach(listener));
	ASSERT_EQ(0, surface_listen(listener, variant->family, &addr));
	ASSERT_EQ(0, set_md5(listener, &addr, "secret"));
	ASSERT_EQ(0, set_md5(fd, &addr, "secret"));
	ASSERT_EQ(0, surface_connect(fd, &addr));
	server = accept(listener, NULL, NULL);
	if (variant->way == WAY_CATS)
		ASSERT_EQ(0, attach(fd));
	queued = backlog(fd);
	ASSERT_LT(0, queued);
	ASSERT_EQ(0, shutdown(fd, SHUT_WR));
	EXPECT_EQ(queued, read_pattern(server, 0, -1));
	ASSERT_EQ(2, send(server, "ok", 2, 0));
	EXPECT_BYTES(fd, "ok");
	close(server);
	close(fd);
	close(listener);
}

/* A packet socket that sees what has this mark. */
static int open_mark_tap(uint32_t mark)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_MARK),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, mark, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, -1),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = { 4, code };
	int fd = socket(AF_PACKET, SOCK_DGRAM, 0);
	struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) ||
	    bind(fd, (struct sockaddr *)&ll, sizeof(ll)))
		return -1;
	return fd;
}

TEST_F(surface, so_mark)
{
	int tap = open_mark_tap(0xca75);

	ASSERT_LE(0, tap);
	ASSERT_EQ(1, send(self->p.tx, "a", 1, 0));
	EXPECT_BYTES(self->p.rx, "a");
	EXPECT_EQ(0, poll_now(tap, POLLIN));
	ASSERT_EQ(0, set_int(self->p.tx, SOL_SOCKET, SO_MARK, 0xca75));
	ASSERT_EQ(1, send(self->p.tx, "b", 1, 0));
	EXPECT_BYTES(self->p.rx, "b");
	EXPECT_EQ(POLLIN, poll_for(tap, POLLIN, 1000));
	close(tap);
}

TEST_F(surface, so_priority)
{
	ASSERT_EQ(0, set_int(self->p.tx, SOL_SOCKET, SO_PRIORITY, 5));
	EXPECT_EQ(5, get_int(self->p.tx, SOL_SOCKET, SO_PRIORITY));
	ASSERT_EQ(1, send(self->p.tx, "a", 1, 0));
	EXPECT_BYTES(self->p.rx, "a");
}

static int send_with(int fd, int type, const void *data, size_t len)
{
	return send_cmsg(fd, "x", 1, SOL_SOCKET, type, data, len, 0);
}

/* TCP checks it, and does nothing with it. */
TEST_F(surface, mark_cmsg)
{
	uint32_t mark = 0xca75;
	int tap = open_mark_tap(mark);

	ASSERT_EQ(1, send_with(self->p.tx, SO_MARK, &mark, sizeof(mark)));
	EXPECT_BYTES(self->p.rx, "x");
	EXPECT_EQ(0, poll_now(tap, POLLIN));
	EXPECT_ERRNO(EINVAL, send_with(self->p.tx, SO_MARK, &mark, 3));
	close(tap);
}

TEST_F(surface, mark_cmsg_wants_privilege)
{
	uint32_t mark = 1;

	ASSERT_EQ(0, seteuid(65534));
	EXPECT_ERRNO(EINVAL, send_with(self->p.tx, SO_MARK, &mark, sizeof(mark)));
	ASSERT_EQ(0, seteuid(0));
}

TEST_F(surface, priority_cmsg_is_unknown)
{
	uint32_t priority = 3;

	EXPECT_ERRNO(EINVAL, send_with(self->p.tx, SO_PRIORITY, &priority, sizeof(priority)));
}

TEST_F(surface, txtime_cmsg)
{
	struct sock_txtime config = { .clockid = CLOCK_MONOTONIC };
	uint64_t when = 1;

	EXPECT_ERRNO(EINVAL, send_with(self->p.tx, SCM_TXTIME, &when, sizeof(when)));
	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_SOCKET, SO_TXTIME, &config, sizeof(config)));
	EXPECT_EQ(1, send_with(self->p.tx, SCM_TXTIME, &when, sizeof(when)));
	EXPECT_BYTES(self->p.rx, "x");
}

/* Control messages of other sockets that the socket layer lets pass. */
TEST_F(surface, rights_cmsg_is_ignored)
{
	int fd = 0;

	EXPECT_EQ(1, send_with(self->p.tx, SCM_RIGHTS, &fd, sizeof(fd)));
	EXPECT_BYTES(self->p.rx, "x");
}

/* An IPv4 connection of an IPv6 socket becomes an IPv4 socket; not with a ULP. */
TEST_F(surface, ipv6_addrform)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd = surface_socket(variant->way, AF_INET6);
	struct sockaddr_in6 mapped = { .sin6_family = AF_INET6 };
	struct address addr;
	int ret, server;

	ASSERT_EQ(0, surface_listen(listener, AF_INET, &addr));
	inet_pton(AF_INET6, "::ffff:127.0.0.1", &mapped.sin6_addr);
	mapped.sin6_port = ((struct sockaddr_in *)&addr.ss)->sin_port;
	ASSERT_EQ(0, connect(fd, (struct sockaddr *)&mapped, sizeof(mapped)));
	server = accept(listener, NULL, NULL);
	if (variant->way == WAY_CATS || variant->way == WAY_CHILD)
		ASSERT_EQ(0, attach(fd));
	ret = set_int(fd, IPPROTO_IPV6, IPV6_ADDRFORM, AF_INET);
	EXPECT_EQ(is_cats() ? -1 : 0, ret);
	if (is_cats())
		EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(is_cats() ? AF_INET6 : AF_INET, get_int(fd, SOL_SOCKET, SO_DOMAIN));
	ASSERT_EQ(4, send(fd, "data", 4, 0));
	EXPECT_BYTES(server, "data");
	close(server);
	close(fd);
	close(listener);
}

TEST_F(surface, v4_mapped)
{
	int listener = socket(AF_INET6, SOCK_STREAM, 0), fd = surface_socket(variant->way, AF_INET);
	struct sockaddr_in6 any = { .sin6_family = AF_INET6 };
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof(any);
	ssize_t queued;
	int server;

	if (is_cats())
		ASSERT_EQ(0, attach(listener));
	ASSERT_EQ(0, bind(listener, (struct sockaddr *)&any, len));
	ASSERT_EQ(0, listen(listener, 1));
	ASSERT_EQ(0, getsockname(listener, (struct sockaddr *)&any, &len));
	in.sin_port = any.sin6_port;
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ASSERT_EQ(0, connect(fd, (struct sockaddr *)&in, sizeof(in)));
	server = accept(listener, NULL, NULL);
	queued = backlog(server);
	ASSERT_LT(0, queued);
	ASSERT_EQ(0, shutdown(server, SHUT_WR));
	EXPECT_EQ(queued, read_pattern(fd, 0, -1));
	close(server);
	close(fd);
	close(listener);
}

TEST_HARNESS_MAIN
