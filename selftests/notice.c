// SPDX-License-Identifier: GPL-2.0
/*
 * Completion notices: which come, in which order, with what in them, and what becomes
 * of them when the connection ends.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <linux/sock_diag.h>

#include "cats_test.h"
#include "kselftest_harness.h"

#define MSG_LEN		1000
#define BULK_MSGS	20
#define TO_THE_END	(CATS_NOTIFY(CATS_EVENT_BEGUN) | CATS_NOTIFY(CATS_EVENT_SENT) | \
			 CATS_NOTIFY(CATS_EVENT_ACKED))
#define SENDING		(CATS_NOTIFY(CATS_EVENT_BEGUN) | CATS_NOTIFY(CATS_EVENT_SENT))
/* What an error queue entry of ours looks like where CATS does not read it. */
#define ORIGIN_CATS	0xca

FIXTURE(notice)
{
	struct pair p;
};

FIXTURE_VARIANT(notice)
{
	int family;
};

FIXTURE_VARIANT_ADD(notice, v4)
{
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(notice, v6)
{
	.family = AF_INET6,
};

FIXTURE_SETUP(notice)
{
	ASSERT_EQ(0, pair_open(&self->p, variant->family));
	ASSERT_EQ(0, attach(self->p.tx));
}

FIXTURE_TEARDOWN(notice)
{
	pair_close(&self->p);
}

/* A message whose cookie is its number. */
static ssize_t send_noted(int fd, int urgency, uint32_t id, uint32_t notify, int flags)
{
	struct cats_tag tag = { .urgency = urgency, .cookie = id, .notify = notify };

	return send_frame_tag(fd, &tag, id, MSG_LEN, flags);
}

static short poll_errors(int fd, int timeout_ms)
{
	struct pollfd pfd = { .fd = fd };

	return poll(&pfd, 1, timeout_ms) == 1 ? pfd.revents : 0;
}

/* Waits for a notice; 0, or -1 if there is none, or not of this message and event. */
static int await(int fd, uint32_t id, uint32_t event, struct cats_notice *notice)
{
	if (!(poll_errors(fd, 10000) & POLLERR) || read_notice(fd, notice))
		return -1;
	return notice->cookie == id && notice->event == event ? 0 : -1;
}

static uint32_t mem_queued(int fd)
{
	struct cats_info info = {};

	get_info(fd, &info);
	return info.mem_queued;
}

static uint32_t notices_lost(int fd)
{
	struct cats_info info = {};

	get_info(fd, &info);
	return info.notices_lost;
}

/* Bulk until the window is closed, and more of it waits; returns how many messages. */
static int close_window(struct __test_metadata *_metadata, int fd)
{
	struct cats_info info = {};
	int n;

	for (n = 0; queued_bytes(&info) < 3 * MSG_LEN; n++) {
		ASSERT_EQ(MSG_LEN, send_frame(fd, 7, n, MSG_LEN, MSG_DONTWAIT));
		poll(NULL, 0, 1);
		ASSERT_EQ(0, get_info(fd, &info));
	}
	ASSERT_TRUE(wait_settled(fd));
	return n;
}

static void read_frames(struct __test_metadata *_metadata, int fd, int n)
{
	struct frame frame;

	while (n--)
		ASSERT_EQ(1, read_frame(fd, &frame));
}

TEST_F(notice, from_begin_to_end)
{
	struct cats_notice begun, sent, acked, next;

	ASSERT_EQ(MSG_LEN, send_noted(self->p.tx, 2, 7, TO_THE_END, 0));
	ASSERT_EQ(0, await(self->p.tx, 7, CATS_EVENT_BEGUN, &begun));
	ASSERT_EQ(0, await(self->p.tx, 7, CATS_EVENT_SENT, &sent));
	ASSERT_EQ(0, await(self->p.tx, 7, CATS_EVENT_ACKED, &acked));
	EXPECT_EQ(0, poll_errors(self->p.tx, 0));
	EXPECT_EQ(2, begun.urgency);
	EXPECT_EQ(0, begun.stream);
	EXPECT_EQ(MSG_LEN, begun.len);
	EXPECT_EQ(MSG_LEN, begun.end_seq - begun.first_seq);
	/* They differ in the event alone. */
	sent.event = begun.event;
	acked.event = begun.event;
	EXPECT_EQ(0, memcmp(&begun, &sent, sizeof(begun)));
	EXPECT_EQ(0, memcmp(&begun, &acked, sizeof(begun)));
	EXPECT_EQ(0, mem_queued(self->p.tx));
	ASSERT_EQ(MSG_LEN, send_noted(self->p.tx, 5, 8, TO_THE_END, 0));
	ASSERT_EQ(0, await(self->p.tx, 8, CATS_EVENT_BEGUN, &next));
	EXPECT_EQ(begun.end_seq, next.first_seq);
	EXPECT_EQ(5, next.urgency);
}

TEST_F(notice, only_if_asked)
{
	struct cats_notice notice;

	ASSERT_EQ(MSG_LEN, send_noted(self->p.tx, 2, 1, 0, 0));
	ASSERT_EQ(MSG_LEN, send_noted(self->p.tx, 2, 2, CATS_NOTIFY_DROPPED, 0));
	ASSERT_EQ(MSG_LEN, send_frame(self->p.tx, UNTAGGED, 3, MSG_LEN, 0));
	ASSERT_TRUE(wait_queue_empty(self->p.tx));
	EXPECT_EQ(0, poll_errors(self->p.tx, 0));
	EXPECT_EQ(-1, read_notice(self->p.tx, &notice));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(0, mem_queued(self->p.tx));
	ASSERT_EQ(MSG_LEN, send_noted(self->p.tx, 2, 4, CATS_NOTIFY(CATS_EVENT_SENT), 0));
	ASSERT_EQ(MSG_LEN, send_noted(self->p.tx, 2, 5, CATS_NOTIFY(CATS_EVENT_ACKED), 0));
	ASSERT_EQ(0, await(self->p.tx, 4, CATS_EVENT_SENT, &notice));
	ASSERT_EQ(0, await(self->p.tx, 5, CATS_EVENT_ACKED, &notice));
	EXPECT_EQ(0, poll_errors(self->p.tx, 0));
}

/* In the order of the wire, and the wait is that of each. */
TEST_F(notice, of_what_overtakes)
{
	int n = close_window(_metadata, self->p.tx);
	struct cats_notice slow, fast;

	ASSERT_EQ(MSG_LEN, send_noted(self->p.tx, 7, 1, TO_THE_END, MSG_DONTWAIT));
	poll(NULL, 0, 50);
	ASSERT_EQ(MSG_LEN, send_noted(self->p.tx, 0, 2, TO_THE_END, MSG_DONTWAIT));
	poll(NULL, 0, 20);
	EXPECT_EQ(0, poll_errors(self->p.tx, 0));
	read_frames(_metadata, self->p.rx, n + 2);
	ASSERT_EQ(0, await(self->p.tx, 2, CATS_EVENT_BEGUN, &fast));
	EXPECT_LE(20000, fast.delay_us);
	while (await(self->p.tx, 1, CATS_EVENT_BEGUN, &slow))
		ASSERT_EQ(2, slow.cookie);
	EXPECT_LE(fast.delay_us + 50000, slow.delay_us);
	EXPECT_LE(MSG_LEN, slow.first_seq - fast.first_seq);
	EXPECT_GE(n * MSG_LEN, slow.first_seq - fast.first_seq);
}

/* Each message step by step, and none before the one that was written before it. */
static void expect_steps(struct __test_metadata *_metadata, int fd, int n)
{
	uint32_t next[BULK_MSGS + 1] = {}, done = 0;
	struct cats_notice notice;

	while (done < 3 * n) {
		ASSERT_EQ(POLLERR, poll_errors(fd, 10000));
		ASSERT_EQ(0, read_notice(fd, &notice));
		ASSERT_GT(n, notice.cookie);
		ASSERT_EQ(next[notice.cookie], notice.event);
		next[notice.cookie]++;
		if (notice.cookie)
			ASSERT_GE(next[notice.cookie - 1], next[notice.cookie]);
		done++;
	}
}

TEST_F(notice, step_by_step)
{
	int n = close_window(_metadata, self->p.tx), i;

	for (i = 0; i < BULK_MSGS; i++)
		ASSERT_EQ(MSG_LEN, send_noted(self->p.tx, 0, i, TO_THE_END, MSG_DONTWAIT));
	EXPECT_EQ(0, poll_errors(self->p.tx, 50));
	read_frames(_metadata, self->p.rx, n + BULK_MSGS);
	expect_steps(_metadata, self->p.tx, BULK_MSGS);
	EXPECT_EQ(0, poll_errors(self->p.tx, 50));
	EXPECT_EQ(0, mem_queued(self->p.tx));
}

/* Until the end is told of, what describes the message is charged, and that alone. */
TEST_F(notice, is_charged)
{
	uint32_t asked;

	close_window(_metadata, self->p.tx);
	/* All goes to TCP, but not to the peer. */
	ASSERT_EQ(MSG_LEN, send_noted(self->p.tx, 0, 1, 0, MSG_DONTWAIT));
	ASSERT_EQ(MSG_LEN, send_noted(self->p.tx, 0, 2, TO_THE_END, MSG_DONTWAIT));
	ASSERT_EQ(0, shutdown(self->p.tx, SHUT_WR));
	asked = mem_queued(self->p.tx);
	EXPECT_LT(0, asked);
	EXPECT_GT(MSG_LEN, asked);
	while (recv(self->p.rx, (char[MSG_LEN]) {}, MSG_LEN, 0) > 0)
		;
	ASSERT_TRUE(wait_queue_empty(self->p.tx));
	EXPECT_EQ(0, mem_queued(self->p.tx));
}

TEST_F(notice, after_shutdown)
{
	struct cats_notice notice;
	struct frame frame;
	int n = close_window(_metadata, self->p.tx);

	ASSERT_EQ(MSG_LEN, send_noted(self->p.tx, 7, 1, TO_THE_END, MSG_DONTWAIT));
	ASSERT_EQ(0, shutdown(self->p.tx, SHUT_WR));
	ASSERT_EQ(0, await(self->p.tx, 1, CATS_EVENT_BEGUN, &notice));
	EXPECT_EQ(0, poll_errors(self->p.tx, 50));
	read_frames(_metadata, self->p.rx, n + 1);
	ASSERT_EQ(0, read_frame(self->p.rx, &frame));
	ASSERT_EQ(0, await(self->p.tx, 1, CATS_EVENT_SENT, &notice));
	ASSERT_EQ(0, await(self->p.tx, 1, CATS_EVENT_ACKED, &notice));
}

/* The last segment of the connection acknowledges the message and the FIN. */
TEST_F(notice, by_the_last_ack)
{
	struct cats_notice notice;
	char c;

	ASSERT_EQ(0, shutdown(self->p.rx, SHUT_WR));
	ASSERT_EQ(0, recv(self->p.tx, &c, 1, 0));
	ASSERT_EQ(MSG_LEN, send_noted(self->p.tx, 7, 1, TO_THE_END, MSG_MORE));
	ASSERT_EQ(0, shutdown(self->p.tx, SHUT_WR));
	ASSERT_EQ(0, await(self->p.tx, 1, CATS_EVENT_BEGUN, &notice));
	ASSERT_EQ(0, await(self->p.tx, 1, CATS_EVENT_SENT, &notice));
	while (!(poll_errors(self->p.tx, 10000) & POLLHUP))
		;
	ASSERT_EQ(0, await(self->p.tx, 1, CATS_EVENT_ACKED, &notice));
	EXPECT_EQ(0, mem_queued(self->p.tx));
}

static void reset(struct __test_metadata *_metadata, struct pair *p)
{
	struct linger linger = { .l_onoff = 1 };

	ASSERT_EQ(0, setsockopt(p->rx, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	ASSERT_EQ(0, close(p->rx));
	p->rx = -1;
}

/* What was told can be read; of the rest nothing is told, and nothing is left. */
TEST_F(notice, reset_by_the_peer)
{
	struct cats_notice notice;
	int i;

	ASSERT_EQ(MSG_LEN, send_noted(self->p.tx, 0, 99, TO_THE_END, 0));
	ASSERT_TRUE(wait_queue_empty(self->p.tx));
	close_window(_metadata, self->p.tx);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(MSG_LEN, send_noted(self->p.tx, 0, i, TO_THE_END, MSG_DONTWAIT));
	reset(_metadata, &self->p);
	while (!(poll_errors(self->p.tx, 10000) & POLLHUP))
		;
	ASSERT_EQ(0, read_notice(self->p.tx, &notice));
	EXPECT_EQ(CATS_EVENT_BEGUN, notice.event);
	ASSERT_EQ(0, read_notice(self->p.tx, &notice));
	ASSERT_EQ(0, read_notice(self->p.tx, &notice));
	EXPECT_EQ(99, notice.cookie);
	EXPECT_EQ(CATS_EVENT_ACKED, notice.event);
	EXPECT_EQ(-1, read_notice(self->p.tx, &notice));
	EXPECT_EQ(0, mem_queued(self->p.tx));
}

/* Some committed, some not: for kmemleak and the account, that warns by itself. */
TEST_F(notice, close_with_some_outstanding)
{
	int i;

	ASSERT_EQ(MSG_LEN, send_noted(self->p.tx, 0, 99, TO_THE_END, 0));
	close_window(_metadata, self->p.tx);
	for (i = 0; i < 5; i++)
		ASSERT_EQ(MSG_LEN, send_noted(self->p.tx, 0, i, TO_THE_END, MSG_DONTWAIT));
	ASSERT_EQ(0, close(self->p.tx));
	self->p.tx = -1;
	while (recv(self->p.rx, (char[MSG_LEN]) {}, MSG_LEN, 0) > 0)
		;
}

TEST_F(notice, disconnect)
{
	struct sockaddr unspec = { .sa_family = AF_UNSPEC };
	struct cats_notice notice;

	close_window(_metadata, self->p.tx);
	ASSERT_EQ(MSG_LEN, send_noted(self->p.tx, 0, 1, TO_THE_END, MSG_DONTWAIT));
	/* All to TCP, which keeps it. */
	ASSERT_EQ(0, shutdown(self->p.tx, SHUT_WR));
	ASSERT_LT(0, mem_queued(self->p.tx));
	ASSERT_EQ(0, connect(self->p.tx, &unspec, sizeof(unspec)));
	EXPECT_EQ(0, mem_queued(self->p.tx));
	ASSERT_EQ(0, read_notice(self->p.tx, &notice));
	EXPECT_EQ(CATS_EVENT_BEGUN, notice.event);
	EXPECT_EQ(-1, read_notice(self->p.tx, &notice));
}

/* A listener has TCP's operations: there a notice is an entry of unknown origin. */
TEST_F(notice, read_by_tcp)
{
	char control[256] __attribute__((aligned(8)));
	struct msghdr msg = { .msg_control = control, .msg_controllen = sizeof(control) };
	struct sockaddr unspec = { .sa_family = AF_UNSPEC };
	struct sock_extended_err *err;
	struct cmsghdr *cmsg;

	ASSERT_EQ(MSG_LEN, send_noted(self->p.tx, 0, 1, CATS_NOTIFY(CATS_EVENT_BEGUN), 0));
	ASSERT_EQ(0, connect(self->p.tx, &unspec, sizeof(unspec)));
	ASSERT_EQ(0, listen(self->p.tx, 1));
	ASSERT_EQ(0, recvmsg(self->p.tx, &msg, MSG_ERRQUEUE));
	cmsg = CMSG_FIRSTHDR(&msg);
	ASSERT_TRUE(!!cmsg);
	EXPECT_EQ(variant->family == AF_INET ? SOL_IP : SOL_IPV6, cmsg->cmsg_level);
	err = (struct sock_extended_err *)CMSG_DATA(cmsg);
	EXPECT_EQ(ORIGIN_CATS, err->ee_origin);
	EXPECT_EQ(0, err->ee_errno);
}

/* The call that began it says what to tell, and the notices are of all of it. */
TEST_F(notice, of_a_chain)
{
	struct cats_notice notice;

	ASSERT_EQ(MSG_LEN, send_noted(self->p.tx, 2, 1, TO_THE_END, MSG_MORE));
	ASSERT_EQ(MSG_LEN, send_noted(self->p.tx, 2, 2, 0, MSG_MORE));
	EXPECT_EQ(0, poll_errors(self->p.tx, 50));
	ASSERT_EQ(MSG_LEN, send_noted(self->p.tx, 2, 3, CATS_NOTIFY(CATS_EVENT_SENT), 0));
	ASSERT_EQ(0, await(self->p.tx, 1, CATS_EVENT_BEGUN, &notice));
	EXPECT_EQ(3 * MSG_LEN, notice.len);
	ASSERT_EQ(0, await(self->p.tx, 1, CATS_EVENT_SENT, &notice));
	EXPECT_EQ(3 * MSG_LEN, notice.end_seq - notice.first_seq);
	ASSERT_EQ(0, await(self->p.tx, 1, CATS_EVENT_ACKED, &notice));
	EXPECT_EQ(0, poll_errors(self->p.tx, 0));
}

/* An untagged call has made it one that may begin before its end. */
TEST_F(notice, of_a_chain_that_begins_early)
{
	struct cats_notice notice;
	char buf[5 * MSG_LEN] = {};
	uint32_t first_seq;

	ASSERT_EQ(MSG_LEN, send_noted(self->p.tx, CATS_URGENCY_DEFAULT, 1, TO_THE_END,
				      MSG_MORE));
	ASSERT_EQ(4 * MSG_LEN, send(self->p.tx, buf, 4 * MSG_LEN, MSG_MORE));
	ASSERT_EQ(0, await(self->p.tx, 1, CATS_EVENT_BEGUN, &notice));
	EXPECT_LE(MSG_LEN, notice.len);
	first_seq = notice.first_seq;
	ASSERT_EQ(5 * MSG_LEN, recv(self->p.rx, buf, 5 * MSG_LEN, MSG_WAITALL));
	EXPECT_EQ(0, poll_errors(self->p.tx, 50));
	ASSERT_EQ(MSG_LEN, send(self->p.tx, buf, MSG_LEN, 0));
	ASSERT_EQ(0, await(self->p.tx, 1, CATS_EVENT_SENT, &notice));
	EXPECT_EQ(6 * MSG_LEN, notice.len);
	EXPECT_EQ(first_seq, notice.first_seq);
	EXPECT_EQ(first_seq + 6 * MSG_LEN, notice.end_seq);
	ASSERT_EQ(0, await(self->p.tx, 1, CATS_EVENT_ACKED, &notice));
}

/* Nothing more fits: what is lost is counted, the messages arrive. */
TEST_F(notice, full_error_queue)
{
	struct cats_notice notice;
	int size = 4096, i, n = 0;

	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)));
	for (i = 0; i < BULK_MSGS; i++) {
		ASSERT_EQ(MSG_LEN, send_noted(self->p.tx, 2, i, TO_THE_END, 0));
		read_frames(_metadata, self->p.rx, 1);
		ASSERT_TRUE(wait_queue_empty(self->p.tx));
	}
	while (!read_notice(self->p.tx, &notice))
		n++;
	EXPECT_LT(3, n);
	EXPECT_GT(3 * BULK_MSGS, n);
	EXPECT_EQ(3 * BULK_MSGS, n + notices_lost(self->p.tx));
	EXPECT_EQ(0, mem_queued(self->p.tx));
	/* There is room again. */
	ASSERT_EQ(MSG_LEN, send_noted(self->p.tx, 2, 99, TO_THE_END, 0));
	ASSERT_EQ(0, await(self->p.tx, 99, CATS_EVENT_BEGUN, &notice));
}

/* As with any control message: cut off, and the entry is gone. */
TEST_F(notice, too_small_a_buffer)
{
	char control[CMSG_SPACE(8)] __attribute__((aligned(8)));
	struct msghdr msg = { .msg_control = control, .msg_controllen = sizeof(control) };

	ASSERT_EQ(MSG_LEN, send_noted(self->p.tx, 2, 1, SENDING, 0));
	ASSERT_TRUE(wait_queue_empty(self->p.tx));
	ASSERT_EQ(0, recvmsg(self->p.tx, &msg, MSG_ERRQUEUE));
	EXPECT_EQ(MSG_ERRQUEUE | MSG_CTRUNC, msg.msg_flags);
	msg.msg_control = NULL;
	msg.msg_controllen = 0;
	ASSERT_EQ(0, recvmsg(self->p.tx, &msg, MSG_ERRQUEUE));
	EXPECT_EQ(MSG_ERRQUEUE | MSG_CTRUNC, msg.msg_flags);
	EXPECT_EQ(-1, recvmsg(self->p.tx, &msg, MSG_ERRQUEUE));
	EXPECT_EQ(EAGAIN, errno);
}

/* Several by one call, and no name of a sender with them. */
TEST_F(notice, recvmmsg)
{
	char control[4][CMSG_SPACE(sizeof(struct cats_notice))] __attribute__((aligned(8)));
	struct sockaddr_storage name;
	struct mmsghdr msgs[4] = {};
	int i;

	for (i = 0; i < 4; i++) {
		msgs[i].msg_hdr.msg_control = control[i];
		msgs[i].msg_hdr.msg_controllen = sizeof(control[i]);
		msgs[i].msg_hdr.msg_name = &name;
		msgs[i].msg_hdr.msg_namelen = sizeof(name);
	}
	ASSERT_EQ(MSG_LEN, send_noted(self->p.tx, 2, 1, TO_THE_END, 0));
	ASSERT_TRUE(wait_queue_empty(self->p.tx));
	ASSERT_EQ(3, recvmmsg(self->p.tx, msgs, 4, MSG_ERRQUEUE, NULL));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(CMSG_SPACE(sizeof(struct cats_notice)),
			  msgs[i].msg_hdr.msg_controllen);
		EXPECT_EQ(i, ((struct cats_notice *)
			      CMSG_DATA((struct cmsghdr *)control[i]))->event);
		EXPECT_EQ(0, msgs[i].msg_hdr.msg_namelen);
	}
}

/* The number of the next entry, which is a stamp; -1 if it is not. */
static int64_t read_stamp(int fd)
{
	char control[256] __attribute__((aligned(8)));
	struct msghdr msg = { .msg_control = control, .msg_controllen = sizeof(control) };
	struct sock_extended_err *err;
	struct cmsghdr *cmsg;
	int64_t id = -1;

	if (recvmsg(fd, &msg, MSG_ERRQUEUE))
		return -1;
	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg)) {
		err = (struct sock_extended_err *)CMSG_DATA(cmsg);
		if (cmsg->cmsg_level != SOL_SOCKET && cmsg->cmsg_level != SOL_CATS &&
		    err->ee_origin == SO_EE_ORIGIN_TIMESTAMPING)
			id = err->ee_data;
	}
	return id;
}

/* Among time stamps each is what it is, and stamps have their names. */
TEST_F(notice, among_time_stamps)
{
	int flags = SOF_TIMESTAMPING_TX_ACK | SOF_TIMESTAMPING_SOFTWARE |
		    SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY, i;
	struct cats_notice notice;

	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_SOCKET, SO_TIMESTAMPING, &flags,
				sizeof(flags)));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(MSG_LEN, send_noted(self->p.tx, 2, i, TO_THE_END, 0));
		read_frames(_metadata, self->p.rx, 1);
		ASSERT_TRUE(wait_queue_empty(self->p.tx));
	}
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, await(self->p.tx, i, CATS_EVENT_BEGUN, &notice));
		ASSERT_EQ(0, await(self->p.tx, i, CATS_EVENT_SENT, &notice));
		EXPECT_EQ(i * MSG_LEN + MSG_LEN - 1, read_stamp(self->p.tx));
		ASSERT_EQ(0, await(self->p.tx, i, CATS_EVENT_ACKED, &notice));
	}
	EXPECT_EQ(0, poll_errors(self->p.tx, 0));
}

/* Stamps of messages that overtook are forgotten, though notices keep coming. */
TEST_F(notice, stamps_do_not_pile_up)
{
	int flags = SOF_TIMESTAMPING_TX_ACK | SOF_TIMESTAMPING_SOFTWARE |
		    SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY;
	int n = close_window(_metadata, self->p.tx), i;
	uint32_t limit, mem[SK_MEMINFO_VARS];
	struct cats_notice notice;
	socklen_t len = sizeof(mem);

	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_SOCKET, SO_TIMESTAMPING, &flags,
				sizeof(flags)));
	for (i = 0; i < 5; i++)
		ASSERT_EQ(MSG_LEN, send_noted(self->p.tx, 0, i, TO_THE_END,
					      MSG_DONTWAIT | MSG_EOR));
	read_frames(_metadata, self->p.rx, n + 5);
	ASSERT_TRUE(wait_queue_empty(self->p.tx));
	ASSERT_EQ(0, getsockopt(self->p.tx, SOL_SOCKET, SO_MEMINFO, mem, &len));
	limit = mem[SK_MEMINFO_OPTMEM];
	EXPECT_LT(0, limit);
	/* All stamps, and not the last notice. */
	for (i = 0; i < 19; i++)
		ASSERT_EQ(0, recvmsg(self->p.tx, &(struct msghdr) {}, MSG_ERRQUEUE));
	ASSERT_EQ(0, getsockopt(self->p.tx, SOL_SOCKET, SO_MEMINFO, mem, &len));
	EXPECT_EQ(0, mem[SK_MEMINFO_OPTMEM]);
	ASSERT_EQ(0, await(self->p.tx, 4, CATS_EVENT_ACKED, &notice));
}

TEST_HARNESS_MAIN
