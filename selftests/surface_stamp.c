// SPDX-License-Identifier: GPL-2.0
/*
 * SO_TIMESTAMPING of what is sent: which stamps come, and which byte their id names.
 * With SOF_TIMESTAMPING_OPT_ID it is the last byte of the call, counted in the order
 * of the calls.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>

#include "surface_fixture.h"

#define STAMPS_ALL	(SOF_TIMESTAMPING_TX_SCHED | SOF_TIMESTAMPING_TX_SOFTWARE | \
			 SOF_TIMESTAMPING_TX_ACK)
#define STAMPS_REPORT	(SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_ID)
#define STAMPS_ID	(STAMPS_REPORT | SOF_TIMESTAMPING_OPT_TSONLY)

/**
 * struct stamp - one message of the error queue
 * @type: SCM_TSTAMP_SND, SCHED or ACK
 * @id: ee_data
 * @bytes: of the packet that came along
 * @ns: time
 */
struct stamp {
	uint32_t	type;
	uint32_t	id;
	ssize_t		bytes;
	uint64_t	ns;
};

static bool read_stamp(int fd, struct stamp *stamp)
{
	char control[CMSG_SPACE(256)] __attribute__((aligned(8))), data[4096];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct sock_extended_err *err = NULL;
	struct scm_timestamping *ts = NULL;
	struct cmsghdr *cmsg;

	stamp->bytes = recvmsg(fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT);
	if (stamp->bytes < 0)
		return false;
	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg)) {
		if (cmsg->cmsg_level == SOL_SOCKET)
			ts = (void *)CMSG_DATA(cmsg);
		else
			err = (void *)CMSG_DATA(cmsg);
	}
	if (!ts || !err || err->ee_origin != SO_EE_ORIGIN_TIMESTAMPING)
		return false;
	stamp->type = err->ee_info;
	stamp->id = err->ee_data;
	stamp->ns = ts->ts[0].tv_sec * 1000000000ull + ts->ts[0].tv_nsec;
	return true;
}

/* Reads @n stamps, waiting for each; returns how many came. */
static int read_stamps(int fd, struct stamp *stamps, int n)
{
	int i;

	for (i = 0; i < n; i++)
		if (!(poll_for(fd, 0, 1000) & POLLERR) || !read_stamp(fd, &stamps[i]))
			break;
	return i;
}

static const struct stamp *find(const struct stamp *stamps, int n, uint32_t type, uint32_t id)
{
	int i;

	for (i = 0; i < n; i++)
		if (stamps[i].type == type && stamps[i].id == id)
			return &stamps[i];
	return NULL;
}

static int enable(int fd, int flags)
{
	return set_int(fd, SOL_SOCKET, SO_TIMESTAMPING, flags);
}

/* Writes and reads @len bytes, so that each write is on its own. */
static void pass(struct __test_metadata *_metadata, struct pair *p, int len)
{
	char buf[4096] = {};

	ASSERT_EQ(len, send(p->tx, buf, len, 0));
	ASSERT_EQ(len, recv(p->rx, buf, len, MSG_WAITALL));
	ASSERT_TRUE(wait_queue_empty(p->tx));
}

TEST_F(surface, stamp_ids)
{
	static const uint32_t types[] = { SCM_TSTAMP_SCHED, SCM_TSTAMP_SND, SCM_TSTAMP_ACK };
	struct stamp stamps[9];
	int i, type;

	ASSERT_EQ(0, enable(self->p.tx, STAMPS_ALL | STAMPS_ID));
	for (i = 0; i < 3; i++)
		pass(_metadata, &self->p, 100);
	ASSERT_EQ(9, read_stamps(self->p.tx, stamps, 9));
	for (i = 0; i < 3; i++)
		for (type = 0; type < 3; type++)
			EXPECT_TRUE(!!find(stamps, 9, types[type], i * 100 + 99));
	for (i = 0; i < 9; i++)
		EXPECT_EQ(0, stamps[i].bytes);
	EXPECT_EQ(0, poll_now(self->p.tx, 0));
}

TEST_F(surface, stamp_order)
{
	const struct stamp *sched, *snd, *ack;
	struct stamp stamps[3];

	ASSERT_EQ(0, loopback_netem("delay 20ms"));
	ASSERT_EQ(0, enable(self->p.tx, STAMPS_ALL | STAMPS_ID));
	pass(_metadata, &self->p, 10);
	ASSERT_EQ(3, read_stamps(self->p.tx, stamps, 3));
	sched = find(stamps, 3, SCM_TSTAMP_SCHED, 9);
	snd = find(stamps, 3, SCM_TSTAMP_SND, 9);
	ack = find(stamps, 3, SCM_TSTAMP_ACK, 9);
	ASSERT_TRUE(sched && snd && ack);
	/* The queueing discipline holds the packet, the path the ACK. */
	EXPECT_LE(19000000, snd->ns - sched->ns);
	EXPECT_LE(19000000, ack->ns - snd->ns);
}

/* The packet comes along, with its headers. */
TEST_F(surface, stamp_with_packet)
{
	struct stamp stamp;

	ASSERT_EQ(0, enable(self->p.tx, SOF_TIMESTAMPING_TX_SOFTWARE | STAMPS_REPORT));
	pass(_metadata, &self->p, 100);
	ASSERT_EQ(1, read_stamps(self->p.tx, &stamp, 1));
	EXPECT_EQ(99, stamp.id);
	EXPECT_LT(100, stamp.bytes);
}

TEST_F(surface, stamp_ids_start_at_the_option)
{
	struct stamp stamp;

	pass(_metadata, &self->p, 1000);
	ASSERT_EQ(0, enable(self->p.tx, SOF_TIMESTAMPING_TX_ACK | STAMPS_ID));
	pass(_metadata, &self->p, 50);
	ASSERT_EQ(1, read_stamps(self->p.tx, &stamp, 1));
	EXPECT_EQ(49, stamp.id);
}

/* By control message, for this call alone. */
TEST_F(surface, stamp_of_one_call)
{
	uint32_t flags = SOF_TIMESTAMPING_TX_ACK;
	struct stamp stamp;

	ASSERT_EQ(0, enable(self->p.tx, STAMPS_ID));
	pass(_metadata, &self->p, 100);
	ASSERT_EQ(3, send_cmsg(self->p.tx, "abc", 3, SOL_SOCKET, SO_TIMESTAMPING, &flags,
			       sizeof(flags), 0));
	EXPECT_BYTES(self->p.rx, "abc");
	pass(_metadata, &self->p, 100);
	ASSERT_EQ(1, read_stamps(self->p.tx, &stamp, 1));
	EXPECT_EQ(102, stamp.id);
	EXPECT_EQ(SCM_TSTAMP_ACK, stamp.type);
	EXPECT_EQ(0, poll_now(self->p.tx, 0));
}

TEST_F(surface, stamp_cmsg_must_be_for_sending)
{
	uint32_t flags = SOF_TIMESTAMPING_RX_SOFTWARE;

	EXPECT_EQ(-1, send_cmsg(self->p.tx, "x", 1, SOL_SOCKET, SO_TIMESTAMPING, &flags,
				sizeof(flags), 0));
	EXPECT_EQ(EINVAL, errno);
}

/* A large write has one stamp, that of its last byte. */
TEST_F(surface, stamp_of_a_large_write)
{
	char *buf = calloc(1, 60000);
	struct stamp stamp;

	ASSERT_EQ(0, set_int(self->p.tx, SOL_SOCKET, SO_SNDBUF, 200000));
	ASSERT_EQ(0, enable(self->p.tx, SOF_TIMESTAMPING_TX_ACK | STAMPS_ID));
	ASSERT_EQ(60000, send(self->p.tx, buf, 60000, 0));
	EXPECT_EQ(0, poll_for(self->p.tx, 0, 100));
	ASSERT_EQ(60000, recv(self->p.rx, buf, 60000, MSG_WAITALL));
	ASSERT_EQ(1, read_stamps(self->p.tx, &stamp, 1));
	EXPECT_EQ(59999, stamp.id);
	EXPECT_EQ(0, poll_for(self->p.tx, 0, 100));
	free(buf);
}

/*
 * Fills the peer's window, then makes room in the send buffer.  TCP counts ids from
 * the first byte that was not acknowledged when the option was set: @base.
 */
static ssize_t backlog(int fd, int *base)
{
	ssize_t queued;

	if (slow_down(fd) || set_int(fd, SOL_SOCKET, SO_SNDBUF, 16384))
		return -1;
	queued = fill_bytes(fd);
	if (set_int(fd, SOL_SOCKET, SO_SNDBUF, 200000) || ioctl(fd, SIOCOUTQ, base))
		return -1;
	return queued;
}

/* Behind a full window: by MSG_EOR no two share a segment, so each has its stamps. */
TEST_F(surface, stamps_of_queued_writes)
{
	char buf[1000] = {};
	struct stamp stamps[20];
	ssize_t queued;
	int i, base;

	queued = backlog(self->p.tx, &base);
	ASSERT_LT(0, queued);
	ASSERT_EQ(0, enable(self->p.tx, SOF_TIMESTAMPING_TX_ACK | STAMPS_ID));
	for (i = 0; i < 20; i++)
		ASSERT_EQ(1000, send(self->p.tx, buf, 1000, MSG_EOR | MSG_DONTWAIT));
	ASSERT_EQ(queued, read_pattern(self->p.rx, 0, queued));
	for (i = 0; i < 20; i++)
		ASSERT_EQ(1000, recv(self->p.rx, buf, 1000, MSG_WAITALL));
	ASSERT_EQ(20, read_stamps(self->p.tx, stamps, 20));
	for (i = 0; i < 20; i++)
		EXPECT_EQ(base + i * 1000 + 999, stamps[i].id);
}

/* Writes that TCP joined have the stamp of the last. */
TEST_F(surface, stamp_of_joined_writes)
{
	struct stamp stamps[2];

	ASSERT_EQ(0, enable(self->p.tx, SOF_TIMESTAMPING_TX_ACK | STAMPS_ID));
	ASSERT_EQ(0, set_int(self->p.tx, IPPROTO_TCP, TCP_CORK, 1));
	ASSERT_EQ(2, send(self->p.tx, "ab", 2, 0));
	ASSERT_EQ(2, send(self->p.tx, "cd", 2, 0));
	ASSERT_EQ(0, set_int(self->p.tx, IPPROTO_TCP, TCP_CORK, 0));
	EXPECT_BYTES(self->p.rx, "abcd");
	ASSERT_EQ(1, read_stamps(self->p.tx, stamps, 2));
	EXPECT_EQ(3, stamps[0].id);
}

TEST_F(surface, stamp_of_a_more_chain)
{
	struct stamp stamps[2];

	ASSERT_EQ(0, enable(self->p.tx, SOF_TIMESTAMPING_TX_ACK | STAMPS_ID));
	ASSERT_EQ(2, send(self->p.tx, "ab", 2, MSG_MORE));
	ASSERT_EQ(2, send(self->p.tx, "cd", 2, 0));
	EXPECT_BYTES(self->p.rx, "abcd");
	ASSERT_EQ(1, read_stamps(self->p.tx, stamps, 2));
	EXPECT_EQ(3, stamps[0].id);
}

/* An id is that of the order of calls, also where the bytes go in another. */
TEST_F(surface, stamp_overtaking)
{
	struct stamp stamps[31];
	struct frame frame;
	ssize_t queued;
	int i, base;

	if (!is_cats())
		return;
	ASSERT_EQ(0, set_conductor(self->p.tx, "strict"));
	queued = backlog(self->p.tx, &base);
	ASSERT_LT(0, queued);
	ASSERT_EQ(0, enable(self->p.tx, SOF_TIMESTAMPING_TX_ACK | STAMPS_ID));
	for (i = 0; i < 30; i++)
		ASSERT_EQ(1000, send_frame(self->p.tx, 7, i, 1000, MSG_EOR | MSG_DONTWAIT));
	ASSERT_EQ(100, send_frame(self->p.tx, 5, 99, 100, MSG_EOR | MSG_DONTWAIT));
	ASSERT_EQ(queued, read_pattern(self->p.rx, 0, queued));
	for (i = 0; i < 31; i++)
		ASSERT_EQ(1, read_frame(self->p.rx, &frame));
	ASSERT_EQ(31, read_stamps(self->p.tx, stamps, 31));
	EXPECT_NE(base + 30099, stamps[30].id);
	EXPECT_TRUE(!!find(stamps, 31, SCM_TSTAMP_ACK, base + 30099));
	for (i = 0; i < 30; i++)
		EXPECT_TRUE(!!find(stamps, 31, SCM_TSTAMP_ACK,
				   base + i * 1000 + 999));
}

TEST_HARNESS_MAIN
