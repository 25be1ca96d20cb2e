// SPDX-License-Identifier: GPL-2.0
/*
 * Others that take over a TCP socket as CATS does: kTLS, espintcp, MPTCP, SMC, BPF
 * sockmap, a second CATS.  None stacks, in either order.  Who comes second gets an
 * errno, and who came first goes on: bytes pass, and tags still schedule.
 *
 * Not every kernel has them all.  Where one is missing, its name is refused with
 * the kernel's own errno, and that is tested then.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/bpf.h>

#include "cats_test.h"
#include "kselftest_harness.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP	262
#endif
#ifndef AF_SMC
#define AF_SMC		43
#endif
/* Protocols of AF_SMC. */
#define SMCPROTO_SMC	0
#define SMCPROTO_SMC6	1

/* The socket is the sockmap's: not one that we know. */
#define SOCKMAP_ERRNO	EOPNOTSUPP

/* More than one burst (2 segments) and what the closed window takes. */
#define BULK_LEN	1000
#define BULK_MSGS	40

FIXTURE(stack)
{
	struct pair p;
};

FIXTURE_VARIANT(stack)
{
	int family;
};

FIXTURE_VARIANT_ADD(stack, v4)
{
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(stack, v6)
{
	.family = AF_INET6,
};

FIXTURE_SETUP(stack)
{
	ASSERT_EQ(0, pair_open(&self->p, variant->family));
}

FIXTURE_TEARDOWN(stack)
{
	pair_close(&self->p);
}

static int set_ulp(int fd, const char *name)
{
	return setsockopt(fd, IPPROTO_TCP, TCP_ULP, name, strlen(name));
}

/* Whether the kernel has this ULP, and if so how it answers a connected TCP socket. */
static int ulp_errno(struct __test_metadata *_metadata, int family, const char *name)
{
	struct pair p;
	int err;

	ASSERT_EQ(0, pair_open(&p, family));
	err = set_ulp(p.tx, name) ? errno : 0;
	pair_close(&p);
	return err;
}

/* One message each way, byte by byte. */
static void expect_passing(struct __test_metadata *_metadata, int a, int b)
{
	struct frame frame;

	ASSERT_EQ(700, send_frame(a, UNTAGGED, 21, 700, 0));
	ASSERT_EQ(1, read_frame(b, &frame));
	EXPECT_EQ(21, frame.id);
	ASSERT_EQ(900, send_frame(b, UNTAGGED, 22, 900, 0));
	ASSERT_EQ(1, read_frame(a, &frame));
	EXPECT_EQ(22, frame.id);
}

/* @tx is CATS: an urgent message overtakes the bulk that waits before it. */
static void expect_scheduling(struct __test_metadata *_metadata, int tx, int rx)
{
	char name[16] = "";
	socklen_t len = sizeof(name);
	struct frame frame;
	int i, place = -1, bulk = 0;

	ASSERT_EQ(0, getsockopt(tx, IPPROTO_TCP, TCP_ULP, name, &len));
	ASSERT_STREQ(CATS_ULP_NAME, name);
	for (i = 0; i < BULK_MSGS; i++)
		ASSERT_EQ(BULK_LEN, send_frame(tx, 7, i, BULK_LEN, 0));
	ASSERT_EQ(200, send_frame(tx, 0, 1000, 200, 0));
	for (i = 0; i <= BULK_MSGS; i++) {
		ASSERT_EQ(1, read_frame(rx, &frame));
		if (frame.urgency == 0)
			place = i;
		else
			EXPECT_EQ(bulk++, frame.id);
	}
	EXPECT_EQ(BULK_MSGS, bulk);
	EXPECT_LE(0, place);
	EXPECT_LT(place, BULK_MSGS - 2);
}

/* CATS first: @name finds the place taken, or is unknown to this kernel. */
static void expect_refused_above(struct __test_metadata *_metadata, int tx, int rx,
				 int family, const char *name)
{
	int expected = ulp_errno(_metadata, family, name) == ENOENT ? ENOENT : EEXIST;

	TH_LOG("%s is %s", name, expected == ENOENT ? "not in this kernel" : "there");
	ASSERT_EQ(0, attach(tx));
	EXPECT_EQ(-1, set_ulp(tx, name));
	EXPECT_EQ(expected, errno);
	expect_passing(_metadata, tx, rx);
	expect_scheduling(_metadata, tx, rx);
}

TEST_F(stack, cats_above_cats)
{
	ASSERT_EQ(0, attach(self->p.tx));
	EXPECT_EQ(-1, attach(self->p.tx));
	EXPECT_EQ(EEXIST, errno);
	expect_passing(_metadata, self->p.tx, self->p.rx);
	expect_scheduling(_metadata, self->p.tx, self->p.rx);
}

TEST_F(stack, tls_above_cats)
{
	expect_refused_above(_metadata, self->p.tx, self->p.rx, variant->family, "tls");
}

TEST_F(stack, cats_above_tls)
{
	ASSERT_EQ(0, set_ulp(self->p.tx, "tls"));
	EXPECT_EQ(-1, attach(self->p.tx));
	EXPECT_EQ(EEXIST, errno);
	/* Without keys, kTLS is TCP. */
	expect_passing(_metadata, self->p.tx, self->p.rx);
	/* The other end is free. */
	EXPECT_EQ(0, attach(self->p.rx));
	expect_passing(_metadata, self->p.tx, self->p.rx);
}

TEST_F(stack, espintcp_above_cats)
{
	expect_refused_above(_metadata, self->p.tx, self->p.rx, variant->family,
			     "espintcp");
}

TEST_F(stack, cats_above_espintcp)
{
	int err = set_ulp(self->p.tx, "espintcp") ? errno : 0;

	if (!err) {
		EXPECT_EQ(-1, attach(self->p.tx));
		EXPECT_EQ(EEXIST, errno);
		return;
	}
	TH_LOG("espintcp is not in this kernel");
	EXPECT_EQ(ENOENT, err);
	ASSERT_EQ(0, attach(self->p.tx));
	expect_scheduling(_metadata, self->p.tx, self->p.rx);
}

/* A ULP that the kernel keeps for its own sockets. */
TEST_F(stack, mptcp_ulp_above_cats)
{
	expect_refused_above(_metadata, self->p.tx, self->p.rx, variant->family, "mptcp");
}

TEST_F(stack, cats_above_mptcp_ulp)
{
	EXPECT_EQ(-1, set_ulp(self->p.tx, "mptcp"));
	EXPECT_EQ(EOPNOTSUPP, errno);
	ASSERT_EQ(0, attach(self->p.tx));
	expect_passing(_metadata, self->p.tx, self->p.rx);
	expect_scheduling(_metadata, self->p.tx, self->p.rx);
}

/* Linux 5.17 to 6.1 turn a TCP socket into an SMC socket by this. */
TEST_F(stack, smc_ulp_above_cats)
{
	expect_refused_above(_metadata, self->p.tx, self->p.rx, variant->family, "smc");
}

/* Listens on an address of loopback; the child's receive buffer is small. */
static int listen_on(int fd, int family, struct sockaddr_storage *ss, socklen_t *len)
{
	int size = 4096;

	*len = loopback_address(ss, family);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) ||
	    bind(fd, (struct sockaddr *)ss, *len) || listen(fd, 1))
		return -1;
	return getsockname(fd, (struct sockaddr *)ss, len);
}

/* Connects two sockets that exist; @p->rx is what @listener accepts. */
static int connect_through(struct pair *p, int listener, int family)
{
	unsigned int rate = 2 * 1000 * 1000;
	struct sockaddr_storage ss;
	socklen_t len;

	p->rx = -1;
	if (listen_on(listener, family, &ss, &len) ||
	    connect(p->tx, (struct sockaddr *)&ss, len))
		return -1;
	/* Bursts of two segments, see cats_test.c. */
	setsockopt(p->tx, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof(rate));
	p->rx = accept(listener, NULL, NULL);
	return p->rx < 0 ? -1 : 0;
}

/* An MPTCP socket is none of ours, and has no such option, connected or not. */
TEST_F(stack, cats_on_mptcp)
{
	int listener = socket(variant->family, SOCK_STREAM, IPPROTO_MPTCP);
	struct pair p = { .tx = socket(variant->family, SOCK_STREAM, IPPROTO_MPTCP) };

	ASSERT_LE(0, listener);
	EXPECT_EQ(-1, attach(p.tx));
	EXPECT_EQ(ENOPROTOOPT, errno);
	EXPECT_EQ(-1, attach(listener));
	EXPECT_EQ(ENOPROTOOPT, errno);
	ASSERT_EQ(0, connect_through(&p, listener, variant->family));
	EXPECT_EQ(-1, attach(p.tx));
	EXPECT_EQ(ENOPROTOOPT, errno);
	EXPECT_EQ(-1, attach(p.rx));
	EXPECT_EQ(ENOPROTOOPT, errno);
	expect_passing(_metadata, p.tx, p.rx);
	pair_close(&p);
	close(listener);
}

/* The peer asks for MPTCP, a CATS listener answers as TCP does. */
TEST_F(stack, mptcp_peer_of_cats_listener)
{
	int listener = socket(variant->family, SOCK_STREAM, 0);
	struct pair p = { .tx = socket(variant->family, SOCK_STREAM, IPPROTO_MPTCP) };

	ASSERT_EQ(0, attach(listener));
	ASSERT_EQ(0, connect_through(&p, listener, variant->family));
	EXPECT_EQ(-1, attach(p.rx));
	EXPECT_EQ(EEXIST, errno);
	expect_passing(_metadata, p.tx, p.rx);
	pair_close(&p);
	close(listener);
}

/* What an MPTCP listener accepts from a TCP peer is plain TCP, of another making. */
TEST_F(stack, tcp_child_of_mptcp_listener)
{
	int listener = socket(variant->family, SOCK_STREAM, IPPROTO_MPTCP);
	struct pair p = { .tx = socket(variant->family, SOCK_STREAM, 0) };

	ASSERT_EQ(0, connect_through(&p, listener, variant->family));
	ASSERT_EQ(0, attach(p.rx));
	expect_passing(_metadata, p.tx, p.rx);
	ASSERT_EQ(0, attach(p.tx));
	expect_scheduling(_metadata, p.tx, p.rx);
	pair_close(&p);
	close(listener);
}

/*
 * SMC makes TCP connections of its own: those must not be disturbed.  Without RDMA it
 * falls back to TCP; the descriptor is the TCP socket's then, which SMC still watches.
 */
TEST_F(stack, cats_on_smc)
{
	int protocol = variant->family == AF_INET ? SMCPROTO_SMC : SMCPROTO_SMC6;
	int listener = socket(AF_SMC, SOCK_STREAM, protocol);
	struct pair p = { .tx = socket(AF_SMC, SOCK_STREAM, protocol) };

	if (listener < 0) {
		TH_LOG("SMC is not in this kernel");
		ASSERT_EQ(EAFNOSUPPORT, errno);
		return;
	}
	EXPECT_EQ(-1, attach(p.tx));
	EXPECT_EQ(EOPNOTSUPP, errno);
	ASSERT_EQ(0, connect_through(&p, listener, variant->family));
	EXPECT_EQ(-1, attach(p.tx));
	EXPECT_EQ(EBUSY, errno);
	expect_passing(_metadata, p.tx, p.rx);
	/* What was accepted after that is plain TCP. */
	ASSERT_EQ(0, attach(p.rx));
	expect_passing(_metadata, p.tx, p.rx);
	pair_close(&p);
	close(listener);
}

static int make_sockmap(enum bpf_map_type type)
{
	union bpf_attr attr = {
		.map_type = type, .key_size = 4, .value_size = 4, .max_entries = 4,
	};

	return syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
}

/* Puts a socket into place 0. */
static int map_socket(int map, int fd)
{
	__u32 key = 0, value = fd;
	union bpf_attr attr = {
		.map_fd = map, .key = (__u64)(unsigned long)&key,
		.value = (__u64)(unsigned long)&value,
	};

	return syscall(SYS_bpf, BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr));
}

static int unmap_socket(int map)
{
	__u32 key = 0;
	union bpf_attr attr = {
		.map_fd = map, .key = (__u64)(unsigned long)&key,
	};

	return syscall(SYS_bpf, BPF_MAP_DELETE_ELEM, &attr, sizeof(attr));
}

FIXTURE(sockmap)
{
	struct pair p;
	int map;
};

FIXTURE_VARIANT(sockmap)
{
	int family;
	enum bpf_map_type type;
};

FIXTURE_VARIANT_ADD(sockmap, map_v4)
{
	.family = AF_INET, .type = BPF_MAP_TYPE_SOCKMAP,
};

FIXTURE_VARIANT_ADD(sockmap, map_v6)
{
	.family = AF_INET6, .type = BPF_MAP_TYPE_SOCKMAP,
};

FIXTURE_VARIANT_ADD(sockmap, hash_v4)
{
	.family = AF_INET, .type = BPF_MAP_TYPE_SOCKHASH,
};

FIXTURE_SETUP(sockmap)
{
	self->map = make_sockmap(variant->type);
	ASSERT_LE(0, self->map);
	ASSERT_EQ(0, pair_open(&self->p, variant->family));
}

FIXTURE_TEARDOWN(sockmap)
{
	pair_close(&self->p);
	close(self->map);
}

TEST_F(sockmap, above_cats)
{
	ASSERT_EQ(0, attach(self->p.tx));
	EXPECT_EQ(-1, map_socket(self->map, self->p.tx));
	EXPECT_EQ(EINVAL, errno);
	expect_passing(_metadata, self->p.tx, self->p.rx);
	expect_scheduling(_metadata, self->p.tx, self->p.rx);
}

TEST_F(sockmap, above_cats_listener)
{
	int listener = socket(variant->family, SOCK_STREAM, 0);
	struct pair p = { .tx = socket(variant->family, SOCK_STREAM, 0) };

	ASSERT_EQ(0, attach(listener));
	ASSERT_EQ(0, connect_through(&p, listener, variant->family));
	EXPECT_EQ(-1, map_socket(self->map, listener));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, map_socket(self->map, p.rx));
	EXPECT_EQ(EINVAL, errno);
	expect_passing(_metadata, p.tx, p.rx);
	pair_close(&p);
	close(listener);
}

TEST_F(sockmap, below_cats)
{
	ASSERT_EQ(0, map_socket(self->map, self->p.tx));
	EXPECT_EQ(-1, attach(self->p.tx));
	EXPECT_EQ(SOCKMAP_ERRNO, errno);
	expect_passing(_metadata, self->p.tx, self->p.rx);
	/* Out of the map it is plain TCP again. */
	ASSERT_EQ(0, unmap_socket(self->map));
	ASSERT_EQ(0, attach(self->p.tx));
	expect_passing(_metadata, self->p.tx, self->p.rx);
	expect_scheduling(_metadata, self->p.tx, self->p.rx);
}

/* What a listener in the map accepts is not in the map. */
TEST_F(sockmap, listener_below_cats)
{
	int listener = socket(variant->family, SOCK_STREAM, 0);
	struct pair p = { .tx = socket(variant->family, SOCK_STREAM, 0) };
	struct sockaddr_storage ss;
	socklen_t len;

	ASSERT_EQ(0, listen_on(listener, variant->family, &ss, &len));
	ASSERT_EQ(0, map_socket(self->map, listener));
	EXPECT_EQ(-1, attach(listener));
	EXPECT_EQ(SOCKMAP_ERRNO, errno);
	ASSERT_EQ(0, connect(p.tx, (struct sockaddr *)&ss, len));
	p.rx = accept(listener, NULL, NULL);
	ASSERT_LE(0, p.rx);
	ASSERT_EQ(0, attach(p.rx));
	expect_passing(_metadata, p.rx, p.tx);
	pair_close(&p);
	close(listener);
}

TEST_HARNESS_MAIN
