/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the CATS kselftests share: connected pairs, tagged writes, and messages
 * that say what they are.
 *
 * A message on the wire is a struct frame and a payload that follows from it,
 * so that a receiver that knows nothing but TCP can tell whether every byte
 * arrived once, in one piece, and in which order the messages went.
 */
#ifndef _CATS_TEST_H
#define _CATS_TEST_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <linux/cats.h>

#ifndef TCP_ULP
#define TCP_ULP		31
#endif

/* Urgency argument of the send functions: no control message. */
#define UNTAGGED	(-1)

/**
 * struct pair - both ends of a TCP connection over loopback
 * @tx: the end that CATS is attached to
 * @rx: plain TCP with a small receive buffer: what is not read stays at @tx
 */
struct pair {
	int	tx;
	int	rx;
};

/**
 * struct frame - head of a message
 * @len: bytes with this head
 * @id: the sender's number
 * @urgency: as tagged
 * @magic: FRAME_MAGIC
 */
struct frame {
	uint32_t	len;
	uint32_t	id;
	uint32_t	urgency;
	uint32_t	magic;
};

#define FRAME_MAGIC	0x43415453

#define BLOCKED_ID	4711

/* Counters of the thread's network namespace. */
#define CATS_STAT	"/proc/thread-self/net/cats_stat"

/* See fill_tcp(). */
#define FILL_ID	1000000
#define FILL_LEN	1000

/**
 * struct blocked_write - a write that sleeps in a thread of its own
 * @thread: to join
 * @fd: socket
 * @urgency: as for send_tagged()
 * @id: of the message
 * @len: of the message
 * @ret: what the call returned
 * @err: errno then
 * @tid: thread id, 0 before it runs
 * @done: the call has returned
 */
struct blocked_write {
	pthread_t	thread;
	int		fd;
	int		urgency;
	uint32_t	id;
	uint32_t	len;
	ssize_t		ret;
	int		err;
	atomic_int	tid;
	atomic_bool	done;
};

socklen_t loopback_address(struct sockaddr_storage *ss, int family);
int pair_open(struct pair *p, int family);
void pair_close(struct pair *p);
int attach(int fd);
int set_conductor(int fd, const char *name);
int get_info(int fd, struct cats_info *info);
int send_cmsg(int fd, const void *buf, size_t len, int level, int type,
	      const void *data, size_t data_len, int flags);
ssize_t send_tagged(int fd, int urgency, const void *buf, size_t len, int flags);
void frame_build(void *buf, uint32_t len, uint32_t id, uint32_t urgency);
ssize_t send_frame(int fd, int urgency, uint32_t id, uint32_t len, int flags);
ssize_t send_frame_tag(int fd, const struct cats_tag *tag, uint32_t id, uint32_t len,
		       int flags);
int read_notice(int fd, struct cats_notice *notice);
int read_frame(int fd, struct frame *frame);
bool wait_settled(int fd);
int fill_tcp(int fd);
int change_cookie(int fd, int option, uint64_t cookie, uint32_t urgency);
int read_own(int fd, struct frame *frame);
int fill(int fd, int urgency, uint32_t id, uint32_t len);
uint64_t queued_bytes(const struct cats_info *info);
int mem_used(int fd);
long cats_counter(const char *name);
int read_sysctl(const char *name, char *value, size_t size);
bool wait_queue_empty(int fd);
int new_netns(void);
int enter_netns(const char *name);
int start_blocked(struct blocked_write *w, int fd, int urgency, uint32_t len);

#endif /* _CATS_TEST_H */
