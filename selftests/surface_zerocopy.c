// SPDX-License-Identifier: GPL-2.0
/*
 * MSG_ZEROCOPY: ids, ranges and the code of notifications, and what takes no id.
 * Over loopback the receiver has to copy, so each says SO_EE_CODE_ZEROCOPY_COPIED.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/errqueue.h>

#include "surface_fixture.h"

/* Notifications that came, as a set of ids. */
struct notified {
	uint64_t	ids;
	int		messages;
	int		copied;
	bool		in_order;
};

/* One message of the error queue; false if there is none. */
static bool read_notification(int fd, struct notified *seen)
{
	char control[CMSG_SPACE(128)] __attribute__((aligned(8)));
	struct msghdr msg = { .msg_control = control, .msg_controllen = sizeof(control) };
	struct sock_extended_err *err;
	uint32_t id;

	if (recvmsg(fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) || !CMSG_FIRSTHDR(&msg))
		return false;
	err = (struct sock_extended_err *)CMSG_DATA(CMSG_FIRSTHDR(&msg));
	if (err->ee_origin != SO_EE_ORIGIN_ZEROCOPY || err->ee_errno)
		return false;
	for (id = err->ee_info; id <= err->ee_data && id < 64; id++) {
		if (seen->ids >> id & 1 || seen->ids >> id)
			seen->in_order = false;
		seen->ids |= 1ull << id;
	}
	seen->messages++;
	seen->copied += err->ee_code == SO_EE_CODE_ZEROCOPY_COPIED;
	return true;
}

/* Waits for the first @n ids, up to two seconds for each message. */
static void wait_ids(int fd, int n, struct notified *seen)
{
	*seen = (struct notified) { .in_order = true };
	while (seen->ids != (1ull << n) - 1) {
		if (!(poll_for(fd, 0, 2000) & POLLERR))
			return;
		if (!read_notification(fd, seen))
			return;
	}
}

/* Turns it on, with room for what these tests write while nobody reads. */
static int enable(int fd)
{
	return set_int(fd, SOL_SOCKET, SO_ZEROCOPY, 1) ||
	       set_int(fd, SOL_SOCKET, SO_SNDBUF, 1 << 20);
}

static char *pages(size_t len, int seed)
{
	char *mem = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t i;

	for (i = 0; i < len; i++)
		mem[i] = i * 31 + (i >> 8) + seed;
	return mem;
}

static void expect_pages(struct __test_metadata *_metadata, int fd, const char *mem, size_t len)
{
	char *buf = malloc(len);

	ASSERT_EQ((ssize_t)len, recv(fd, buf, len, MSG_WAITALL));
	EXPECT_EQ(0, memcmp(buf, mem, len));
	free(buf);
}

TEST_F(surface, zerocopy_bytes_and_ids)
{
	struct notified seen;
	char *mem[4];
	int i;

	ASSERT_EQ(0, enable(self->p.tx));
	for (i = 0; i < 4; i++) {
		mem[i] = pages(20000, i);
		ASSERT_EQ(20000, send(self->p.tx, mem[i], 20000, MSG_ZEROCOPY));
	}
	for (i = 0; i < 4; i++)
		expect_pages(_metadata, self->p.rx, mem[i], 20000);
	wait_ids(self->p.tx, 4, &seen);
	EXPECT_EQ(0xf, seen.ids);
	EXPECT_TRUE(seen.in_order);
	EXPECT_EQ(seen.messages, seen.copied);
	EXPECT_EQ(0, poll_now(self->p.tx, 0));
}

TEST_F(surface, zerocopy_option_reads_back)
{
	EXPECT_EQ(0, get_int(self->p.tx, SOL_SOCKET, SO_ZEROCOPY));
	ASSERT_EQ(0, set_int(self->p.tx, SOL_SOCKET, SO_ZEROCOPY, 1));
	EXPECT_EQ(1, get_int(self->p.tx, SOL_SOCKET, SO_ZEROCOPY));
	EXPECT_ERRNO(EINVAL, set_int(self->p.tx, SOL_SOCKET, SO_ZEROCOPY, 2));
}

/* Without the option the flag means nothing. */
TEST_F(surface, zerocopy_without_option)
{
	char *mem = pages(8000, 1);

	ASSERT_EQ(8000, send(self->p.tx, mem, 8000, MSG_ZEROCOPY));
	expect_pages(_metadata, self->p.rx, mem, 8000);
	ASSERT_TRUE(wait_queue_empty(self->p.tx));
	EXPECT_EQ(0, poll_now(self->p.tx, 0));
}

/* Until then the pages belong to the kernel: nothing is told before. */
TEST_F(surface, zerocopy_waits_for_the_peer)
{
	char *mem = pages(60000, 1);
	struct notified seen;

	ASSERT_EQ(0, enable(self->p.tx));
	ASSERT_EQ(60000, send(self->p.tx, mem, 60000, MSG_ZEROCOPY));
	EXPECT_EQ(0, poll_for(self->p.tx, 0, 500));
	expect_pages(_metadata, self->p.rx, mem, 60000);
	wait_ids(self->p.tx, 1, &seen);
	EXPECT_EQ(1, seen.ids);
}

TEST_F(surface, zerocopy_among_copies)
{
	char *mem = pages(8000, 1);
	struct notified seen;

	ASSERT_EQ(0, enable(self->p.tx));
	ASSERT_EQ(4, send(self->p.tx, "head", 4, 0));
	ASSERT_EQ(8000, send(self->p.tx, mem, 8000, MSG_ZEROCOPY));
	ASSERT_EQ(4, send(self->p.tx, "tail", 4, 0));
	EXPECT_BYTES(self->p.rx, "head");
	expect_pages(_metadata, self->p.rx, mem, 8000);
	EXPECT_BYTES(self->p.rx, "tail");
	wait_ids(self->p.tx, 1, &seen);
	EXPECT_EQ(1, seen.ids);
}

TEST_F(surface, zerocopy_of_nothing_takes_no_id)
{
	char *mem = pages(5000, 1);
	struct notified seen;

	ASSERT_EQ(0, enable(self->p.tx));
	ASSERT_EQ(0, send(self->p.tx, mem, 0, MSG_ZEROCOPY));
	ASSERT_EQ(5000, send(self->p.tx, mem, 5000, MSG_ZEROCOPY));
	expect_pages(_metadata, self->p.rx, mem, 5000);
	wait_ids(self->p.tx, 1, &seen);
	EXPECT_EQ(1, seen.ids);
}

TEST_F(surface, zerocopy_fault)
{
	char *mem = pages(5000, 1);
	struct notified seen;

	ASSERT_EQ(0, enable(self->p.tx));
	EXPECT_ERRNO(EFAULT, send(self->p.tx, (void *)4096, 5000, MSG_ZEROCOPY));
	ASSERT_EQ(5000, send(self->p.tx, mem, 5000, MSG_ZEROCOPY));
	expect_pages(_metadata, self->p.rx, mem, 5000);
	wait_ids(self->p.tx, 1, &seen);
	EXPECT_EQ(1, seen.ids);
}

/* Refused calls take no id; those accepted in part do. */
TEST_F(surface, zerocopy_full_buffer)
{
	char *mem = pages(1 << 20, 1);
	struct notified seen;
	ssize_t n, sum = 0;
	int calls = 0;

	ASSERT_EQ(0, enable(self->p.tx));
	ASSERT_EQ(0, set_int(self->p.tx, SOL_SOCKET, SO_SNDBUF, 65536));
	while (calls < 60 &&
	       (n = send(self->p.tx, mem, 1 << 20, MSG_ZEROCOPY | MSG_DONTWAIT)) > 0) {
		sum += n;
		calls++;
	}
	ASSERT_EQ(EAGAIN, errno);
	EXPECT_ERRNO(EAGAIN, send(self->p.tx, mem, 1 << 20, MSG_ZEROCOPY | MSG_DONTWAIT));
	for (; sum; sum -= n) {
		n = recv(self->p.rx, mem, sum < 65536 ? sum : 65536, 0);
		ASSERT_LT(0, n);
	}
	ASSERT_EQ(5000, send(self->p.tx, mem, 5000, MSG_ZEROCOPY));
	ASSERT_EQ(5000, recv(self->p.rx, mem, 5000, MSG_WAITALL));
	wait_ids(self->p.tx, calls + 1, &seen);
	EXPECT_EQ((1ull << (calls + 1)) - 1, seen.ids);
}

/* What TCP accepts without a limit on notifications is accepted here, too. */
TEST_F(surface, zerocopy_many_small)
{
	char *mem = pages(4096, 1);
	struct notified seen = { .in_order = true };
	int i;

	ASSERT_EQ(0, set_int(self->p.tx, SOL_SOCKET, SO_SNDBUF, 16384));
	ASSERT_LT(0, fill_bytes(self->p.tx));
	ASSERT_EQ(0, enable(self->p.tx));
	for (i = 0; i < 60; i++)
		ASSERT_EQ(100, send(self->p.tx, mem, 100, MSG_ZEROCOPY | MSG_DONTWAIT));
	ASSERT_EQ(0, shutdown(self->p.tx, SHUT_WR));
	while (recv(self->p.rx, mem, 4096, 0) > 0)
		;
	wait_ids(self->p.tx, 60, &seen);
	EXPECT_EQ((1ull << 60) - 1, seen.ids);
}

TEST_F(surface, zerocopy_then_close)
{
	char *mem = pages(60000, 1);

	ASSERT_EQ(0, enable(self->p.tx));
	ASSERT_EQ(60000, send(self->p.tx, mem, 60000, MSG_ZEROCOPY));
	ASSERT_EQ(0, close(self->p.tx));
	self->p.tx = -1;
	expect_pages(_metadata, self->p.rx, mem, 60000);
	EXPECT_EQ(0, recv(self->p.rx, mem, 1, 0));
}

/* The connection ends: the pages are free, and the application is told. */
TEST_F(surface, zerocopy_then_reset)
{
	char *mem = pages(60000, 1);
	struct notified seen = { .in_order = true };

	ASSERT_EQ(0, enable(self->p.tx));
	ASSERT_EQ(60000, send(self->p.tx, mem, 60000, MSG_ZEROCOPY));
	ASSERT_EQ(0, close(self->p.rx));
	self->p.rx = -1;
	ASSERT_TRUE(wait_state(self->p.tx, STATE_CLOSE));
	while (read_notification(self->p.tx, &seen))
		;
	EXPECT_EQ(1, seen.ids);
}

/* What overtakes is complete before what was written before. */
TEST_F(surface, zerocopy_overtaking)
{
	char *bulk = pages(50000, 7), *urgent = pages(3000, 0);
	struct notified seen = { .in_order = true };
	struct pair *p = &self->p;
	int i;

	if (!is_cats())
		return;
	ASSERT_EQ(0, slow_down(p->tx));
	ASSERT_EQ(0, set_int(p->tx, SOL_SOCKET, SO_SNDBUF, 16384));
	ASSERT_LT(0, fill_bytes(p->tx));
	ASSERT_EQ(0, enable(p->tx));
	ASSERT_EQ(50000, send_tagged(p->tx, 7, bulk, 50000, MSG_ZEROCOPY));
	ASSERT_EQ(3000, send_tagged(p->tx, 0, urgent, 3000, MSG_ZEROCOPY));
	ASSERT_EQ(0, shutdown(p->tx, SHUT_WR));
	while (recv(p->rx, bulk, 2000, 0) > 0)
		;
	for (i = 0; i < 2 && poll_for(p->tx, 0, 2000) & POLLERR; i++)
		ASSERT_TRUE(read_notification(p->tx, &seen));
	EXPECT_EQ(3, seen.ids);
	EXPECT_FALSE(seen.in_order);
}

TEST_HARNESS_MAIN
