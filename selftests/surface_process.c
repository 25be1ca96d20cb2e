// SPDX-License-Identifier: GPL-2.0
/* One socket in several descriptors and processes, signals, and io_uring. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/io_uring.h>

#include "surface_fixture.h"

static ssize_t backlog(int fd)
{
	if (set_int(fd, SOL_SOCKET, SO_SNDBUF, 30000) || slow_down(fd))
		return -1;
	return fill_bytes(fd);
}

/* The connection ends with the last descriptor. */
TEST_F(surface, dup)
{
	int fd = dup(self->p.tx);

	ASSERT_EQ(2, send(self->p.tx, "ab", 2, 0));
	ASSERT_EQ(0, close(self->p.tx));
	self->p.tx = fd;
	ASSERT_EQ(2, send(fd, "cd", 2, 0));
	EXPECT_BYTES(self->p.rx, "abcd");
	EXPECT_EQ(STATE_ESTABLISHED, tcp_state(fd));
}

/* Both processes write messages; each arrives in one piece. */
TEST_F(surface, fork_and_write)
{
	int i, status, next[2] = {};
	pid_t child = fork();
	struct frame frame;

	if (!child) {
		for (i = 0; i < 50; i++)
			if (send_frame(self->p.tx, UNTAGGED, 1000 + i, 500, 0) != 500)
				_exit(1);
		_exit(0);
	}
	ASSERT_EQ(0, set_int(self->p.rx, SOL_SOCKET, SO_RCVBUF, 200000));
	for (i = 0; i < 50; i++)
		ASSERT_EQ(500, send_frame(self->p.tx, UNTAGGED, i, 500, 0));
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(1, read_frame(self->p.rx, &frame));
		ASSERT_EQ(next[frame.id >= 1000], frame.id % 1000);
		next[frame.id >= 1000]++;
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

/* The parent goes; the child has the connection. */
TEST_F(surface, fork_and_close)
{
	ssize_t queued = backlog(self->p.tx);
	int status;
	pid_t child = fork();

	if (!child) {
		while (send(self->p.tx, "x", 1, 0) != 1)
			;
		_exit(close(self->p.tx));
	}
	ASSERT_EQ(0, close(self->p.tx));
	self->p.tx = -1;
	ASSERT_EQ(queued, read_pattern(self->p.rx, 0, queued));
	EXPECT_BYTES(self->p.rx, "x");
	EXPECT_EQ(0, recv(self->p.rx, (char[1]) {}, 1, 0));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

static int pass_descriptor(int through, int fd)
{
	return send_cmsg(through, "x", 1, SOL_SOCKET, SCM_RIGHTS, &fd, sizeof(fd), 0);
}

static int take_descriptor(int from)
{
	char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8))), c;
	struct iovec iov = { &c, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	int fd = -1;

	if (recvmsg(from, &msg, 0) == 1 && CMSG_FIRSTHDR(&msg))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

TEST_F(surface, scm_rights)
{
	ssize_t queued = backlog(self->p.tx);
	int unix_pair[2], fd;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, unix_pair));
	ASSERT_EQ(1, pass_descriptor(unix_pair[0], self->p.tx));
	/* Only the message in the socket refers to it now. */
	ASSERT_EQ(0, close(self->p.tx));
	fd = take_descriptor(unix_pair[1]);
	self->p.tx = fd;
	ASSERT_LE(0, fd);
	ASSERT_EQ(queued, read_pattern(self->p.rx, 0, queued));
	ASSERT_EQ(3, send(fd, "end", 3, 0));
	EXPECT_BYTES(self->p.rx, "end");
	close(unix_pair[0]);
	close(unix_pair[1]);
}

/* A descriptor that dies in flight closes the connection. */
TEST_F(surface, scm_rights_dropped)
{
	ssize_t queued = backlog(self->p.tx);
	int unix_pair[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, unix_pair));
	ASSERT_EQ(1, pass_descriptor(unix_pair[0], self->p.tx));
	ASSERT_EQ(0, close(self->p.tx));
	self->p.tx = -1;
	close(unix_pair[0]);
	close(unix_pair[1]);
	EXPECT_EQ(queued, read_pattern(self->p.rx, 0, -1));
}

/* SIGIO when there is room again. */
TEST_F(surface, sigio)
{
	ssize_t queued = backlog(self->p.tx);

	count_signals(SIGIO);
	ASSERT_EQ(0, fcntl(self->p.tx, F_SETOWN, getpid()));
	ASSERT_EQ(0, fcntl(self->p.tx, F_SETFL, O_ASYNC | O_NONBLOCK));
	EXPECT_ERRNO(EAGAIN, send(self->p.tx, "x", 1, 0));
	EXPECT_EQ(0, signals_seen());
	ASSERT_EQ(queued, read_pattern(self->p.rx, 0, queued));
	ASSERT_TRUE(wait_queue_empty(self->p.tx));
	EXPECT_LE(1, signals_seen());
}

TEST_F(surface, epoll_edge)
{
	struct epoll_event event = { .events = EPOLLOUT | EPOLLET };
	ssize_t queued = backlog(self->p.tx);
	int ep = epoll_create1(0);

	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, self->p.tx, &event));
	EXPECT_EQ(0, epoll_wait(ep, &event, 1, 100));
	ASSERT_EQ(queued, read_pattern(self->p.rx, 0, queued));
	ASSERT_EQ(1, epoll_wait(ep, &event, 1, 1000));
	EXPECT_EQ(EPOLLOUT, event.events);
	EXPECT_EQ(0, epoll_wait(ep, &event, 1, 100));
	close(ep);
}

/**
 * struct ring - the least of an io_uring: one thread, a few entries
 * @fd: of io_uring_setup()
 * @params: offsets
 * @sq: head, tail, array of the submission queue
 * @cq: head, tail, entries of the completion queue
 * @sqes: what is submitted
 */
struct ring {
	int			fd;
	struct io_uring_params	params;
	char			*sq;
	char			*cq;
	struct io_uring_sqe	*sqes;
};

static int ring_open(struct ring *r)
{
	const size_t size = 4096;
	int prot = PROT_READ | PROT_WRITE, flags = MAP_SHARED | MAP_POPULATE;

	memset(r, 0, sizeof(*r));
	r->fd = syscall(__NR_io_uring_setup, 16, &r->params);
	if (r->fd < 0)
		return -1;
	r->sq = mmap(NULL, size, prot, flags, r->fd, IORING_OFF_SQ_RING);
	r->cq = mmap(NULL, size, prot, flags, r->fd, IORING_OFF_CQ_RING);
	r->sqes = mmap(NULL, size, prot, flags, r->fd, IORING_OFF_SQES);
	return r->sq == MAP_FAILED || r->cq == MAP_FAILED || r->sqes == MAP_FAILED ? -1 : 0;
}

static uint32_t *ring_u32(char *base, uint32_t offset)
{
	return (uint32_t *)(base + offset);
}

/* The next entry; it goes with the next ring_enter(). */
static struct io_uring_sqe *ring_sqe(struct ring *r, int op, int fd, const void *buf, int len)
{
	uint32_t *tail = ring_u32(r->sq, r->params.sq_off.tail);
	uint32_t index = *tail & *ring_u32(r->sq, r->params.sq_off.ring_mask);
	struct io_uring_sqe *sqe = &r->sqes[index];

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = op;
	sqe->fd = fd;
	sqe->addr = (uintptr_t)buf;
	sqe->len = len;
	sqe->user_data = *tail;
	ring_u32(r->sq, r->params.sq_off.array)[index] = index;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	return sqe;
}

/* Submits @n and takes one completion of what is there, waiting for it. */
static bool ring_enter(struct ring *r, int n, struct io_uring_cqe *cqe)
{
	uint32_t *head = ring_u32(r->cq, r->params.cq_off.head);
	uint32_t *tail = ring_u32(r->cq, r->params.cq_off.tail);
	struct io_uring_cqe *cqes = (void *)(r->cq + r->params.cq_off.cqes);
	bool there = *head != __atomic_load_n(tail, __ATOMIC_ACQUIRE);

	if ((n || !there) && syscall(__NR_io_uring_enter, r->fd, n, 1,
				     IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		return false;
	*cqe = cqes[*head & *ring_u32(r->cq, r->params.cq_off.ring_mask)];
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return true;
}

TEST_F(surface, uring_send)
{
	struct io_uring_cqe cqe;
	struct ring r;

	ASSERT_EQ(0, ring_open(&r));
	ring_sqe(&r, IORING_OP_SEND, self->p.tx, "hello", 5);
	ASSERT_TRUE(ring_enter(&r, 1, &cqe));
	EXPECT_EQ(5, cqe.res);
	EXPECT_BYTES(self->p.rx, "hello");
	close(r.fd);
}

TEST_F(surface, uring_linked_sends_keep_order)
{
	struct io_uring_cqe cqe;
	struct ring r;
	int i;

	ASSERT_EQ(0, ring_open(&r));
	ring_sqe(&r, IORING_OP_SEND, self->p.tx, "one", 3)->flags = IOSQE_IO_LINK;
	ring_sqe(&r, IORING_OP_WRITE, self->p.tx, "two", 3)->flags = IOSQE_IO_LINK;
	ring_sqe(&r, IORING_OP_SEND, self->p.tx, "three", 5);
	for (i = 0; i < 3; i++) {
		ASSERT_TRUE(ring_enter(&r, i ? 0 : 3, &cqe));
		EXPECT_EQ(i == 2 ? 5 : 3, cqe.res);
		EXPECT_EQ(i, cqe.user_data);
	}
	EXPECT_BYTES(self->p.rx, "onetwothree");
	close(r.fd);
}

TEST_F(surface, uring_sendmsg)
{
	struct iovec iov[] = { { "ab", 2 }, { "cde", 3 } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	struct io_uring_cqe cqe;
	struct ring r;

	ASSERT_EQ(0, ring_open(&r));
	ring_sqe(&r, IORING_OP_SENDMSG, self->p.tx, &msg, 1);
	ASSERT_TRUE(ring_enter(&r, 1, &cqe));
	EXPECT_EQ(5, cqe.res);
	EXPECT_BYTES(self->p.rx, "abcde");
	close(r.fd);
}

static void *read_all_later(void *arg)
{
	poll(NULL, 0, 50);
	return (void *)read_pattern(*(int *)arg, 0, -1);
}

/* No room: it is submitted, and completes when the peer has read. */
TEST_F(surface, uring_send_waits_for_room)
{
	ssize_t queued = backlog(self->p.tx);
	struct io_uring_cqe cqe;
	pthread_t reader;
	struct ring r;
	char byte;
	void *got;

	/* The next byte of the pattern. */
	byte = (queued * 2654435761u) >> 16;
	ASSERT_EQ(0, ring_open(&r));
	ring_sqe(&r, IORING_OP_SEND, self->p.tx, &byte, 1);
	ASSERT_EQ(0, pthread_create(&reader, NULL, read_all_later, &self->p.rx));
	ASSERT_TRUE(ring_enter(&r, 1, &cqe));
	EXPECT_EQ(1, cqe.res);
	ASSERT_EQ(0, shutdown(self->p.tx, SHUT_WR));
	pthread_join(reader, &got);
	EXPECT_EQ(queued + 1, (ssize_t)got);
	close(r.fd);
}

/* MSG_WAITALL: what was accepted in part is continued. */
TEST_F(surface, uring_send_all)
{
	enum { LEN = 300000 };
	char *buf = malloc(LEN);
	struct io_uring_cqe cqe;
	pthread_t reader;
	struct ring r;
	void *got;
	int i;

	for (i = 0; i < LEN; i++)
		buf[i] = (i * 2654435761u) >> 16;
	ASSERT_EQ(0, set_int(self->p.tx, SOL_SOCKET, SO_SNDBUF, 30000));
	ASSERT_EQ(0, ring_open(&r));
	ring_sqe(&r, IORING_OP_SEND, self->p.tx, buf, LEN)->msg_flags = MSG_WAITALL;
	ASSERT_EQ(0, pthread_create(&reader, NULL, read_all_later, &self->p.rx));
	ASSERT_TRUE(ring_enter(&r, 1, &cqe));
	EXPECT_EQ(LEN, cqe.res);
	ASSERT_EQ(0, shutdown(self->p.tx, SHUT_WR));
	pthread_join(reader, &got);
	EXPECT_EQ(LEN, (ssize_t)got);
	close(r.fd);
	free(buf);
}

TEST_F(surface, uring_error)
{
	struct io_uring_cqe cqe;
	struct ring r;

	ASSERT_EQ(0, shutdown(self->p.tx, SHUT_WR));
	ASSERT_EQ(0, ring_open(&r));
	ring_sqe(&r, IORING_OP_SEND, self->p.tx, "x", 1)->msg_flags = MSG_NOSIGNAL;
	ASSERT_TRUE(ring_enter(&r, 1, &cqe));
	EXPECT_EQ(-EPIPE, cqe.res);
	close(r.fd);
}

/* Two completions: the send, and later that the pages are free. */
TEST_F(surface, uring_send_zc)
{
	static char page[4096] __attribute__((aligned(4096))) = "pages";
	struct io_uring_cqe cqe;
	struct ring r;

	ASSERT_EQ(0, ring_open(&r));
	ring_sqe(&r, IORING_OP_SEND_ZC, self->p.tx, page, 5);
	ASSERT_TRUE(ring_enter(&r, 1, &cqe));
	EXPECT_EQ(5, cqe.res);
	EXPECT_EQ(IORING_CQE_F_MORE, cqe.flags);
	EXPECT_BYTES(self->p.rx, "pages");
	ASSERT_TRUE(ring_enter(&r, 0, &cqe));
	EXPECT_EQ(IORING_CQE_F_NOTIF, cqe.flags);
	EXPECT_EQ(0, cqe.res);
	close(r.fd);
}

static int register_buffer(struct ring *r, void *buf, size_t len)
{
	struct iovec iov = { buf, len };

	return syscall(__NR_io_uring_register, r->fd, IORING_REGISTER_BUFFERS, &iov, 1);
}

TEST_F(surface, uring_send_zc_fixed_buffer)
{
	static char page[4096] __attribute__((aligned(4096))) = "fixed";
	struct io_uring_cqe cqe;
	struct ring r;

	ASSERT_EQ(0, ring_open(&r));
	ASSERT_EQ(0, register_buffer(&r, page, sizeof(page)));
	ring_sqe(&r, IORING_OP_SEND_ZC, self->p.tx, page, 5)->ioprio =
		IORING_RECVSEND_FIXED_BUF;
	ASSERT_TRUE(ring_enter(&r, 1, &cqe));
	EXPECT_EQ(5, cqe.res);
	EXPECT_BYTES(self->p.rx, "fixed");
	ASSERT_TRUE(ring_enter(&r, 0, &cqe));
	EXPECT_EQ(IORING_CQE_F_NOTIF, cqe.flags);
	close(r.fd);
}

/* A tag in a control message works there as well; plain TCP ignores it. */
TEST_F(surface, uring_tagged)
{
	uint32_t urgency = 1;
	char control[CMSG_SPACE(sizeof(urgency))] __attribute__((aligned(8))) = {};
	struct iovec iov = { "tagged", 6 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = (struct cmsghdr *)control;
	struct cats_info info = {};
	struct io_uring_cqe cqe;
	struct ring r;

	cmsg->cmsg_level = SOL_CATS;
	cmsg->cmsg_type = CATS_TAG;
	cmsg->cmsg_len = CMSG_LEN(sizeof(urgency));
	memcpy(CMSG_DATA(cmsg), &urgency, sizeof(urgency));
	ASSERT_EQ(0, ring_open(&r));
	ring_sqe(&r, IORING_OP_SENDMSG, self->p.tx, &msg, 1);
	ASSERT_TRUE(ring_enter(&r, 1, &cqe));
	EXPECT_EQ(6, cqe.res);
	EXPECT_BYTES(self->p.rx, "tagged");
	if (is_cats())
		ASSERT_EQ(0, get_info(self->p.tx, &info));
	EXPECT_EQ(is_cats(), info.classes[1].sent_msgs);
	close(r.fd);
}

/* A recvmsg of the error queue waits for a notice; plain TCP has none to wait for. */
TEST_F(surface, uring_notice)
{
	struct cats_tag tag = { .urgency = 1, .notify = CATS_NOTIFY(CATS_EVENT_ACKED) };
	char control[CMSG_SPACE(sizeof(struct cats_notice))] __attribute__((aligned(8)));
	struct msghdr msg = { .msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg = (struct cmsghdr *)control;
	struct io_uring_cqe cqe;
	struct ring r;

	if (!is_cats())
		return;
	ASSERT_EQ(0, ring_open(&r));
	ring_sqe(&r, IORING_OP_RECVMSG, self->p.tx, &msg, 1)->msg_flags = MSG_ERRQUEUE;
	ASSERT_EQ(1, syscall(__NR_io_uring_enter, r.fd, 1, 0, 0, NULL, 0));
	ASSERT_EQ(5, send_cmsg(self->p.tx, "noted", 5, SOL_CATS, CATS_TAG, &tag,
			       sizeof(tag), 0));
	EXPECT_BYTES(self->p.rx, "noted");
	ASSERT_TRUE(ring_enter(&r, 0, &cqe));
	EXPECT_EQ(0, cqe.res);
	EXPECT_EQ(MSG_ERRQUEUE, msg.msg_flags);
	EXPECT_EQ(SOL_CATS, cmsg->cmsg_level);
	EXPECT_EQ(CATS_NOTICE, cmsg->cmsg_type);
	EXPECT_EQ(CATS_EVENT_ACKED, ((struct cats_notice *)CMSG_DATA(cmsg))->event);
	close(r.fd);
}

TEST_HARNESS_MAIN
