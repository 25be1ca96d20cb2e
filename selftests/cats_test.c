// SPDX-License-Identifier: GPL-2.0
/* See cats_test.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <linux/tcp.h>

#include "cats_test.h"

/* Small, so that a few KiB that nobody reads close the window. */
#define RX_BUFFER	4096
/*
 * Over loopback TCP's bursts are 64 KiB.  At this rate, bytes/s, they are two
 * segments, and what is written is queued instead of committed.
 */
#define PACING_RATE	(2 * 1000 * 1000)

/* Any port of the loopback address; returns its size. */
socklen_t loopback_address(struct sockaddr_storage *ss, int family)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *v4 = (struct sockaddr_in *)ss;

	memset(ss, 0, sizeof(*ss));
	ss->ss_family = family;
	if (family == AF_INET) {
		v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return sizeof(*v4);
	}
	v6->sin6_addr = in6addr_loopback;
	return sizeof(*v6);
}

static int listen_loopback(int family, struct sockaddr_storage *ss, socklen_t *len)
{
	int fd = socket(family, SOCK_STREAM, 0), size = RX_BUFFER;

	*len = loopback_address(ss, family);
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) ||
	    bind(fd, (struct sockaddr *)ss, *len) || listen(fd, 1) ||
	    getsockname(fd, (struct sockaddr *)ss, len)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Connects a pair; returns 0, or -1 with errno. */
int pair_open(struct pair *p, int family)
{
	struct sockaddr_storage ss;
	socklen_t len;
	int listener = listen_loopback(family, &ss, &len);
	unsigned int rate = PACING_RATE;

	p->rx = -1;
	p->tx = socket(family, SOCK_STREAM, 0);
	if (listener >= 0 && p->tx >= 0 &&
	    !setsockopt(p->tx, SOL_SOCKET, SO_MAX_PACING_RATE, &rate,
			sizeof(rate)) &&
	    !connect(p->tx, (struct sockaddr *)&ss, len))
		p->rx = accept(listener, NULL, NULL);
	close(listener);
	return p->rx < 0 ? -1 : 0;
}

void pair_close(struct pair *p)
{
	if (p->tx >= 0)
		close(p->tx);
	if (p->rx >= 0)
		close(p->rx);
}

int attach(int fd)
{
	return setsockopt(fd, IPPROTO_TCP, TCP_ULP, CATS_ULP_NAME,
			  strlen(CATS_ULP_NAME));
}

int set_conductor(int fd, const char *name)
{
	return setsockopt(fd, SOL_CATS, CATS_CONDUCTOR, name, strlen(name) + 1);
}

int get_info(int fd, struct cats_info *info)
{
	socklen_t len = sizeof(*info);

	return getsockopt(fd, SOL_CATS, CATS_INFO, info, &len);
}

/* sendmsg() with one control message, if @data_len is not 0. */
int send_cmsg(int fd, const void *buf, size_t len, int level, int type,
	      const void *data, size_t data_len, int flags)
{
	char control[CMSG_SPACE(64)] __attribute__((aligned(8))) = {};
	struct iovec iov = { .iov_base = (void *)buf, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg = (struct cmsghdr *)control;

	if (data_len) {
		cmsg->cmsg_level = level;
		cmsg->cmsg_type = type;
		cmsg->cmsg_len = CMSG_LEN(data_len);
		memcpy(CMSG_DATA(cmsg), data, data_len);
		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(data_len);
	}
	return sendmsg(fd, &msg, flags | MSG_NOSIGNAL);
}

ssize_t send_tagged(int fd, int urgency, const void *buf, size_t len, int flags)
{
	struct cats_tag tag = { .urgency = urgency };

	return send_cmsg(fd, buf, len, SOL_CATS, CATS_TAG, &tag,
			 urgency == UNTAGGED ? 0 : sizeof(tag), flags);
}

/* Differs for every message and every place in it. */
static uint8_t payload_byte(uint32_t id, uint32_t offset)
{
	return (id * 2654435761u + offset * 40503u) >> 13;
}

void frame_build(void *buf, uint32_t len, uint32_t id, uint32_t urgency)
{
	struct frame frame = {
		.len = len, .id = id, .urgency = urgency, .magic = FRAME_MAGIC,
	};
	uint32_t i;

	memcpy(buf, &frame, sizeof(frame));
	for (i = sizeof(frame); i < len; i++)
		((uint8_t *)buf)[i] = payload_byte(id, i);
}

static ssize_t build_and_send(int fd, const struct cats_tag *tag, size_t tag_len,
			      uint32_t id, uint32_t len, int flags)
{
	void *buf = malloc(len);
	ssize_t ret;
	int saved;

	frame_build(buf, len, id, tag->urgency);
	ret = send_cmsg(fd, buf, len, SOL_CATS, CATS_TAG, tag, tag_len, flags);
	saved = errno;
	free(buf);
	errno = saved;
	return ret;
}

ssize_t send_frame(int fd, int urgency, uint32_t id, uint32_t len, int flags)
{
	struct cats_tag tag = { .urgency = urgency };

	return build_and_send(fd, &tag, urgency == UNTAGGED ? 0 : sizeof(tag), id, len,
			      flags);
}

/* Likewise with a tag that says more. */
ssize_t send_frame_tag(int fd, const struct cats_tag *tag, uint32_t id, uint32_t len,
		       int flags)
{
	return build_and_send(fd, tag, sizeof(*tag), id, len, flags);
}

/* Takes a notice from the error queue; 0, or -1 if there is none, or something else. */
int read_notice(int fd, struct cats_notice *notice)
{
	char control[CMSG_SPACE(256)] __attribute__((aligned(8)));
	struct msghdr msg = { .msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg;

	if (recvmsg(fd, &msg, MSG_ERRQUEUE) || msg.msg_flags != MSG_ERRQUEUE)
		return -1;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!cmsg || cmsg->cmsg_level != SOL_CATS || cmsg->cmsg_type != CATS_NOTICE ||
	    cmsg->cmsg_len != CMSG_LEN(sizeof(*notice)) || CMSG_NXTHDR(&msg, cmsg))
		return -1;
	memcpy(notice, CMSG_DATA(cmsg), sizeof(*notice));
	return 0;
}

/* CATS_CANCEL or CATS_REPRIORITIZE by cookie; how many messages that was, or -1. */
int change_cookie(int fd, int option, uint64_t cookie, uint32_t urgency)
{
	struct cats_change change = { .cookie = cookie, .urgency = urgency };
	socklen_t len = sizeof(change);

	return getsockopt(fd, SOL_CATS, option, &change, &len) ? -1 : (int)change.msgs;
}

/* The next message that is not of the backlog; as read_frame(). */
int read_own(int fd, struct frame *frame)
{
	int ret;

	do
		ret = read_frame(fd, frame);
	while (ret == 1 && frame->id >= FILL_ID);
	return ret;
}

static int read_all(int fd, void *buf, size_t len)
{
	ssize_t n = recv(fd, buf, len, MSG_WAITALL);

	if (n == 0)
		return 0;
	return n == (ssize_t)len ? 1 : -1;
}

/*
 * Reads one message and checks every byte.  Returns 1, 0 at the end of the
 * stream, -1 if what came is not a message.
 */
int read_frame(int fd, struct frame *frame)
{
	uint8_t *payload;
	uint32_t i, len;
	int ret = read_all(fd, frame, sizeof(*frame));

	if (ret != 1)
		return ret;
	if (frame->magic != FRAME_MAGIC || frame->len < sizeof(*frame))
		return -1;
	len = frame->len - sizeof(*frame);
	payload = malloc(len + 1);
	ret = len ? read_all(fd, payload, len) : 1;
	for (i = 0; ret == 1 && i < len; i++)
		if (payload[i] != payload_byte(frame->id, i + sizeof(*frame)))
			ret = -1;
	free(payload);
	return ret == 1 ? 1 : -1;
}

static bool get_tcp_info(int fd, struct tcp_info *info)
{
	socklen_t len = sizeof(*info);

	return !getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &len);
}

/*
 * Waits until TCP sends nothing before the peer reads or more is written: all was
 * acknowledged, and all was sent or the peer's window is 0.  Less does not do.  Nothing
 * is in flight between two paced segments either; and into a window that is too small
 * for the next segment the first probe sends what fits (tcp_write_wakeup()), 200 ms
 * after the last ACK, with which the Conductor is asked for more.
 */
bool wait_settled(int fd)
{
	struct tcp_info info;
	int tries;

	for (tries = 0; tries < 10000; tries++) {
		if (!get_tcp_info(fd, &info))
			return false;
		if (!info.tcpi_unacked && (!info.tcpi_notsent_bytes || !info.tcpi_snd_wnd))
			return true;
		poll(NULL, 0, 1);
	}
	return false;
}

/*
 * Fills TCP, so that it takes no more as long as nobody reads: messages FILL_ID to
 * FILL_ID + n - 1 of urgency 7.  Returns n, or -1.
 */
int fill_tcp(int fd)
{
	struct cats_info info = {};
	int n = 0;

	while (info.classes[7].queued_msgs < 3) {
		do {
			if (send_frame(fd, 7, FILL_ID + n, FILL_LEN, 0) != FILL_LEN ||
			    get_info(fd, &info))
				return -1;
			n++;
		} while (info.classes[7].queued_msgs < 3);
		if (!wait_settled(fd) || get_info(fd, &info))
			return -1;
	}
	return n;
}

/*
 * Writes messages of @len bytes without blocking until EAGAIN, which stays
 * EAGAIN as long as the peer does not read; returns how many were accepted, or
 * -1 if one was accepted in part or refused otherwise.
 */
int fill(int fd, int urgency, uint32_t id, uint32_t len)
{
	int n = 0, before;
	ssize_t ret;

	do {
		before = n;
		while ((ret = send_frame(fd, urgency, id + n, len,
					 MSG_DONTWAIT)) == (ssize_t)len)
			n++;
		if (ret >= 0 || errno != EAGAIN || !wait_settled(fd))
			return -1;
	} while (n > before);
	return n;
}

/* Memory that counts against SO_SNDBUF. */
int mem_used(int fd)
{
	int mem[SK_MEMINFO_VARS] = {};
	struct cats_info info = {};
	socklen_t len = sizeof(mem);

	getsockopt(fd, SOL_SOCKET, SO_MEMINFO, mem, &len);
	get_info(fd, &info);
	return mem[SK_MEMINFO_WMEM_QUEUED] + info.mem_queued;
}

uint64_t queued_bytes(const struct cats_info *info)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < CATS_NR_URGENCIES; i++)
		sum += info->classes[i].queued_bytes;
	return sum;
}

/* A line of CATS_STAT; -1 if there is no such counter. */
long cats_counter(const char *name)
{
	FILE *file = fopen(CATS_STAT, "r");
	long value, found = -1;
	char line[64];

	while (file && fscanf(file, "%63s %ld", line, &value) == 2)
		if (!strcmp(line, name))
			found = value;
	if (file)
		fclose(file);
	return found;
}

/* Reads net.cats.@name, without the end of the line; 0 or -1. */
int read_sysctl(const char *name, char *value, size_t size)
{
	char path[128];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/cats/%s", name);
	fd = open(path, O_RDONLY);
	n = read(fd, value, size - 1);
	close(fd);
	if (n <= 0)
		return -1;
	value[n - 1] = '\0';
	return 0;
}

/* Waits until the peer's TCP has acknowledged everything. */
bool wait_queue_empty(int fd)
{
	int left, tries;

	for (tries = 0; tries < 10000; tries++) {
		if (ioctl(fd, SIOCOUTQ, &left))
			return false;
		if (!left)
			return true;
		poll(NULL, 0, 1);
	}
	return false;
}

static int loopback(int fd, unsigned long request, int value)
{
	struct ifreq ifr = { .ifr_name = "lo" };

	if (request == SIOCSIFFLAGS)
		ifr.ifr_flags = value;
	else
		ifr.ifr_mtu = value;
	return ioctl(fd, request, &ifr);
}

/* TCP grants short RTTs bursts of 64 KiB: not here, so that they follow the rate. */
static int bursts_by_rate(void)
{
	int fd = open("/proc/sys/net/ipv4/tcp_tso_rtt_log", O_WRONLY), ret;

	ret = write(fd, "0", 1) == 1 ? 0 : -1;
	close(fd);
	return ret;
}

/* A network namespace of our own, as guest.sh makes them: MTU and bursts of a real path. */
int new_netns(void)
{
	int fd, ret;

	if (unshare(CLONE_NEWNET))
		return -1;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	ret = loopback(fd, SIOCSIFMTU, 1500) ?: loopback(fd, SIOCSIFFLAGS, IFF_UP) ?:
	      bursts_by_rate();
	close(fd);
	return ret;
}

/* Moves the process to a namespace of ip-netns(8); 0, or -1 with errno. */
int enter_netns(const char *name)
{
	char path[128];
	int fd, ret;

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return -1;
	ret = setns(fd, CLONE_NEWNET);
	close(fd);
	return ret;
}

/* True if thread @tid of this process sleeps: the third field of its stat. */
static bool is_asleep(pid_t tid)
{
	char path[64], state = '?';
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	f = fopen(path, "r");
	if (!f)
		return false;
	if (fscanf(f, "%*d %*s %c", &state) != 1)
		state = '?';
	fclose(f);
	return state == 'S';
}

static void *blocked_write_run(void *arg)
{
	struct blocked_write *w = arg;

	w->tid = gettid();
	w->ret = send_frame(w->fd, w->urgency, w->id, w->len, 0);
	w->err = errno;
	w->done = true;
	return NULL;
}

/*
 * Starts a blocking write of one message, number BLOCKED_ID, and waits until it
 * sleeps.  Returns 0, or -1 if it did not have to.
 */
int start_blocked(struct blocked_write *w, int fd, int urgency, uint32_t len)
{
	*w = (struct blocked_write) {
		.fd = fd, .urgency = urgency, .len = len, .id = BLOCKED_ID,
	};
	if (pthread_create(&w->thread, NULL, blocked_write_run, w))
		return -1;
	while (!w->done && !(w->tid && is_asleep(w->tid)))
		poll(NULL, 0, 1);
	return w->done ? -1 : 0;
}
