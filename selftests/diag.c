// SPDX-License-Identifier: GPL-2.0
/*
 * sock_diag(7): every CATS socket says so, and what CATS_INFO says, to administrators
 * of its namespace, and nothing of that to anybody else.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>

#include "cats_test.h"
#include "kselftest_harness.h"
#include "surface.h"

/**
 * struct answer - what sock_diag says of a socket
 * @found: it is there
 * @name: of its ULP, empty if it has none
 * @info_len: bytes of CATS_ULP_INFO, 0 if it is not there
 * @info: likewise
 */
struct answer {
	bool			found;
	char			name[16];
	size_t			info_len;
	struct cats_info	info;
};

FIXTURE(diag)
{
	struct pair p;
};

FIXTURE_VARIANT(diag)
{
	int family;
};

FIXTURE_VARIANT_ADD(diag, v4)
{
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(diag, v6)
{
	.family = AF_INET6,
};

FIXTURE_SETUP(diag)
{
	ASSERT_EQ(0, new_netns());
	ASSERT_EQ(0, pair_open(&self->p, variant->family));
}

FIXTURE_TEARDOWN(diag)
{
	pair_close(&self->p);
}

/**
 * struct diag_message - a question to sock_diag
 * @head: of netlink
 * @request: which sockets
 */
struct diag_message {
	struct nlmsghdr		head;
	struct inet_diag_req_v2	request;
};

/* One socket, by its addresses: then the kernel asks how large the answer may be. */
static int ask_one(int fd, int family, int ours, int theirs)
{
	struct diag_message message = {
		.head = {
			.nlmsg_len = sizeof(message),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST,
		},
		.request = {
			.sdiag_family = family,
			.sdiag_protocol = IPPROTO_TCP,
			.idiag_ext = 1 << (INET_DIAG_INFO - 1),
			.idiag_states = ~0U,
			.id.idiag_sport = htons(ours),
			.id.idiag_dport = htons(theirs),
			.id.idiag_cookie = { INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE },
		},
	};
	struct inet_diag_sockid *id = &message.request.id;

	id->idiag_src[family == AF_INET ? 0 : 3] = htonl(family == AF_INET ? 0x7f000001 : 1);
	memcpy(id->idiag_dst, id->idiag_src, sizeof(id->idiag_dst));
	return send(fd, &message, sizeof(message), 0) == sizeof(message) ? 0 : -1;
}

static int ask(int fd, int family, int port)
{
	struct diag_message message = {
		.head = {
			.nlmsg_len = sizeof(message),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		},
		.request = {
			.sdiag_family = family,
			.sdiag_protocol = IPPROTO_TCP,
			.idiag_ext = 1 << (INET_DIAG_INFO - 1),
			.idiag_states = ~0U,
			.id.idiag_sport = htons(port),
		},
	};

	return send(fd, &message, sizeof(message), 0) == sizeof(message) ? 0 : -1;
}

static void read_ulp(struct rtattr *attr, int len, struct answer *answer)
{
	for (; RTA_OK(attr, len); attr = RTA_NEXT(attr, len)) {
		size_t size = RTA_PAYLOAD(attr);

		if (attr->rta_type == INET_ULP_INFO_NAME)
			strncpy(answer->name, RTA_DATA(attr), sizeof(answer->name) - 1);
		if (attr->rta_type != CATS_ULP_INFO || size > sizeof(answer->info))
			continue;
		answer->info_len = size;
		memcpy(&answer->info, RTA_DATA(attr), size);
	}
}

static void read_socket(const struct nlmsghdr *head, struct answer *answer)
{
	struct inet_diag_msg *msg = NLMSG_DATA(head);
	int len = head->nlmsg_len - NLMSG_LENGTH(sizeof(*msg));
	struct rtattr *attr = (struct rtattr *)(msg + 1);

	answer->found = true;
	for (; RTA_OK(attr, len); attr = RTA_NEXT(attr, len))
		if ((attr->rta_type & NLA_TYPE_MASK) == INET_DIAG_ULP_INFO)
			read_ulp(RTA_DATA(attr), RTA_PAYLOAD(attr), answer);
}

/* Returns 0 to go on, 1 at the end, -1 on failure. */
static int read_part(int fd, struct answer *answer)
{
	char buf[32768] __attribute__((aligned(8)));
	int len = recv(fd, buf, sizeof(buf), 0);
	struct nlmsghdr *head = (struct nlmsghdr *)buf;

	if (len < 0)
		return -1;
	for (; NLMSG_OK(head, (unsigned int)len); head = NLMSG_NEXT(head, len)) {
		if (head->nlmsg_type == NLMSG_DONE)
			return 1;
		if (head->nlmsg_type != SOCK_DIAG_BY_FAMILY)
			return -1;
		read_socket(head, answer);
	}
	return 0;
}

/* What a dump says of the socket with that port; 0 or -1. */
static int look_up(int family, int port, struct answer *answer)
{
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG), ret;

	memset(answer, 0, sizeof(*answer));
	ret = ask(fd, family, port);
	while (!ret)
		ret = read_part(fd, answer);
	close(fd);
	return ret == 1 ? 0 : -1;
}

TEST_F(diag, plain_socket_has_none)
{
	struct answer answer;

	ASSERT_EQ(0, look_up(variant->family, port_of(self->p.tx), &answer));
	EXPECT_TRUE(answer.found);
	EXPECT_STREQ("", answer.name);
	EXPECT_EQ(0, answer.info_len);
}

/* Of a socket at rest, with something queued and a refused call. */
TEST_F(diag, says_what_cats_info_says)
{
	struct answer answer;
	struct cats_info info;
	int i;

	ASSERT_EQ(0, attach(self->p.tx));
	ASSERT_EQ(0, set_conductor(self->p.tx, "debt"));
	ASSERT_LT(0, fill_tcp(self->p.tx));
	ASSERT_EQ(1000, send_frame(self->p.tx, 2, 1, 1000, 0));
	EXPECT_ERRNO(EINVAL, send_tagged(self->p.tx, 8, "x", 1, 0));
	ASSERT_TRUE(wait_settled(self->p.tx));
	ASSERT_EQ(0, look_up(variant->family, port_of(self->p.tx), &answer));
	ASSERT_EQ(0, get_info(self->p.tx, &info));
	EXPECT_STREQ("cats", answer.name);
	ASSERT_EQ(sizeof(info), answer.info_len);
	EXPECT_EQ(CATS_REASON_TAG_URGENCY, answer.info.reason_code);
	EXPECT_EQ(1000, answer.info.classes[2].queued_bytes);
	/* They still wait. */
	for (i = 0; i < CATS_NR_URGENCIES; i++) {
		EXPECT_LE(answer.info.classes[i].longest_wait_us,
			  info.classes[i].longest_wait_us);
		EXPECT_LE(answer.info.waits[i].gap_us, info.waits[i].gap_us);
		answer.info.classes[i].longest_wait_us = info.classes[i].longest_wait_us;
		answer.info.waits[i].gap_us = info.waits[i].gap_us;
	}
	EXPECT_EQ(0, memcmp(&info, &answer.info, sizeof(info)));
}

TEST_F(diag, one_socket)
{
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
	struct answer answer = {};

	ASSERT_EQ(0, attach(self->p.tx));
	ASSERT_EQ(0, ask_one(fd, variant->family, port_of(self->p.tx), port_of(self->p.rx)));
	ASSERT_EQ(0, read_part(fd, &answer));
	EXPECT_STREQ("cats", answer.name);
	EXPECT_EQ(sizeof(struct cats_info), answer.info_len);
	EXPECT_STREQ("bounded", answer.info.conductor);
	close(fd);
}

TEST_F(diag, listener)
{
	int fd = surface_socket(WAY_EARLY, variant->family);
	struct answer answer;
	struct address addr;

	ASSERT_EQ(0, surface_listen(fd, variant->family, &addr));
	ASSERT_EQ(0, set_conductor(fd, "wfq"));
	ASSERT_EQ(0, look_up(variant->family, port_of(fd), &answer));
	EXPECT_STREQ("cats", answer.name);
	EXPECT_EQ(sizeof(struct cats_info), answer.info_len);
	EXPECT_STREQ("wfq", answer.info.conductor);
	EXPECT_EQ(CATS_URGENCY_DEFAULT, answer.info.urgency);
	close(fd);
}

/* The file is gone, the connection is not: what is left is a plain socket. */
TEST_F(diag, closed_socket)
{
	int port = port_of(self->p.tx);
	struct answer answer;

	ASSERT_EQ(0, attach(self->p.tx));
	ASSERT_EQ(4, send_tagged(self->p.tx, 1, "last", 4, 0));
	close(self->p.tx);
	self->p.tx = -1;
	ASSERT_EQ(0, look_up(variant->family, port, &answer));
	EXPECT_TRUE(answer.found);
	EXPECT_STREQ("cats", answer.name);
	EXPECT_EQ(4, answer.info.classes[1].sent_bytes);
	EXPECT_EQ(0, answer.info.mem_queued);
}

/* In a process of its own, as another user without capabilities. */
static int look_up_as_nobody(int family, int port, struct answer *answer)
{
	int status, pipes[2];
	pid_t pid;

	if (pipe(pipes))
		return -1;
	pid = fork();
	if (!pid) {
		if (setresuid(65534, 65534, 65534) || look_up(family, port, answer))
			_exit(1);
		_exit(write(pipes[1], answer, sizeof(*answer)) != sizeof(*answer));
	}
	close(pipes[1]);
	if (read(pipes[0], answer, sizeof(*answer)) != sizeof(*answer))
		memset(answer, 0, sizeof(*answer));
	close(pipes[0]);
	return waitpid(pid, &status, 0) == pid && !status ? 0 : -1;
}

TEST_F(diag, nothing_for_others)
{
	int fd = surface_socket(WAY_EARLY, variant->family);
	struct answer answer;
	struct address addr;

	ASSERT_EQ(0, attach(self->p.tx));
	ASSERT_EQ(0, surface_listen(fd, variant->family, &addr));
	ASSERT_EQ(0, look_up_as_nobody(variant->family, port_of(self->p.tx), &answer));
	EXPECT_TRUE(answer.found);
	EXPECT_STREQ("", answer.name);
	EXPECT_EQ(0, answer.info_len);
	ASSERT_EQ(0, look_up_as_nobody(variant->family, port_of(fd), &answer));
	EXPECT_TRUE(answer.found);
	EXPECT_STREQ("", answer.name);
	EXPECT_EQ(0, answer.info_len);
	close(fd);
}

TEST_HARNESS_MAIN
