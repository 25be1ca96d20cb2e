// SPDX-License-Identifier: GPL-2.0
/*
 * Acts as somebody with certain privileges; see privilege.sh.
 *
 *	privilege WHO WHAT
 *
 * Exits with 0 if everything was as it should be, else says what was not.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>

#include "cats_test.h"

#define NOBODY	65534
#define SYSCTLS	"/proc/sys/net/cats"

static void become_nobody(void)
{
	if (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY))
		err(2, "setuid");
	/* Or the process's own files in /proc would go on to belong to root. */
	prctl(PR_SET_DUMPABLE, 1);
}

static void loopback_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (ioctl(fd, SIOCSIFFLAGS, &ifr))
		err(2, "lo");
	close(fd);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		err(2, "%s", path);
	close(fd);
}

/* A fresh user namespace, made without privilege; root in there. */
static void enter_userns(int also)
{
	become_nobody();
	if (unshare(CLONE_NEWUSER | also))
		err(2, "unshare");
	write_file("/proc/self/setgroups", "deny");
	write_file("/proc/self/gid_map", "0 65534 1");
	write_file("/proc/self/uid_map", "0 65534 1");
	if (setgid(0) || setuid(0))
		err(2, "root of the namespace");
}

static void become(const char *who)
{
	if (!strcmp(who, "nobody")) {
		become_nobody();
	} else if (!strcmp(who, "userns")) {
		enter_userns(0);
	} else if (!strcmp(who, "userns-netns")) {
		enter_userns(CLONE_NEWNET);
		loopback_up();
	} else if (strcmp(who, "root")) {
		errx(2, "%s?", who);
	}
}

static void use_options(int fd)
{
	struct cats_debt_params params;
	struct cats_tag tag = { .urgency = 5 };
	char name[CATS_CONDUCTOR_NAME_MAX];
	socklen_t len = sizeof(params);

	if (setsockopt(fd, SOL_CATS, CATS_TAG, &tag, sizeof(tag)))
		err(1, "set CATS_TAG");
	if (set_conductor(fd, "debt"))
		err(1, "set CATS_CONDUCTOR");
	if (getsockopt(fd, SOL_CATS, CATS_DEBT_PARAMS, &params, &len))
		err(1, "get CATS_DEBT_PARAMS");
	if (setsockopt(fd, SOL_CATS, CATS_DEBT_PARAMS, &params, sizeof(params)))
		err(1, "set CATS_DEBT_PARAMS");
	if (set_conductor(fd, "strict"))
		err(1, "set CATS_CONDUCTOR");
	len = sizeof(name);
	if (getsockopt(fd, SOL_CATS, CATS_CONDUCTOR, name, &len))
		err(1, "get CATS_CONDUCTOR");
	len = sizeof(tag);
	if (getsockopt(fd, SOL_CATS, CATS_TAG, &tag, &len) || tag.urgency != 5)
		err(1, "get CATS_TAG");
}

static void use(void)
{
	struct cats_info info;
	struct frame frame;
	struct pair p;
	int urgency;

	if (pair_open(&p, AF_INET))
		err(2, "connect");
	if (attach(p.tx))
		err(1, "attach");
	use_options(p.tx);
	for (urgency = UNTAGGED; urgency < CATS_NR_URGENCIES; urgency++) {
		if (send_frame(p.tx, urgency, urgency, 100, 0) != 100)
			err(1, "message of urgency %d", urgency);
		if (read_frame(p.rx, &frame) != 1 || frame.id != (uint32_t)urgency)
			errx(1, "message of urgency %d did not arrive", urgency);
	}
	if (get_info(p.tx, &info) || strcmp(info.conductor, "strict"))
		err(1, "get CATS_INFO");
	pair_close(&p);
}

static void attach_expecting(int expected)
{
	struct pair p;
	int got;

	if (pair_open(&p, AF_INET))
		err(2, "connect");
	got = attach(p.tx) ? errno : 0;
	if (got != expected)
		errx(1, "attach: %s, not %s", strerror(got), strerror(expected));
	pair_close(&p);
}

/* All that can be read is there; what can be written depends. */
static void try_sysctls(bool may_write)
{
	DIR *dir = opendir(SYSCTLS);
	struct dirent *entry;
	char value[256];
	int fd, n = 0, files = 0;
	bool readonly;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		files++;
		readonly = !strcmp(entry->d_name, "sockets") ||
			   !strcmp(entry->d_name, "plain_children") ||
			   !strcmp(entry->d_name, "available_conductors");
		fd = openat(dirfd(dir), entry->d_name, O_RDONLY);
		n = read(fd, value, sizeof(value));
		if (n <= 0)
			err(1, "%s: read", entry->d_name);
		close(fd);
		fd = openat(dirfd(dir), entry->d_name, O_WRONLY);
		if (fd >= 0 && write(fd, value, n) == n) {
			if (!may_write || readonly)
				errx(1, "%s is writable", entry->d_name);
		} else if (errno != EACCES && errno != EPERM) {
			err(1, "%s: write", entry->d_name);
		} else if (may_write && !readonly) {
			errx(1, "%s is not writable", entry->d_name);
		}
		close(fd);
	}
	if (files != 11)
		errx(1, "%d sysctls, not 11", files);
}

/* What inet_diag says of the ULP of the socket with port @port, in @answer. */
static int ask_diag(uint16_t port, char *answer, int size)
{
	struct {
		struct nlmsghdr nlh;
		struct inet_diag_req_v2 req;
	} ask = {
		.nlh = {
			.nlmsg_len = sizeof(ask), .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		},
		.req = {
			.sdiag_family = AF_INET, .sdiag_protocol = IPPROTO_TCP,
			.idiag_ext = 0xff, .idiag_states = 1 << TCP_ESTABLISHED,
			.id.idiag_sport = port,
		},
	};
	int fd = socket(AF_NETLINK, SOCK_DGRAM, NETLINK_SOCK_DIAG), n;

	if (send(fd, &ask, sizeof(ask), 0) < 0)
		err(2, "inet_diag");
	n = recv(fd, answer, size, 0);
	close(fd);
	return n;
}

/* The nested attribute @type of a socket's answer; NULL if there is none. */
static struct nlattr *diag_attr(char *answer, int type)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)answer;
	char *at = (char *)NLMSG_DATA(nlh) + sizeof(struct inet_diag_msg);
	struct nlattr *attr;

	for (; at + sizeof(*attr) <= answer + nlh->nlmsg_len; at += NLA_ALIGN(attr->nla_len)) {
		attr = (struct nlattr *)at;
		if (attr->nla_len < sizeof(*attr))
			break;
		if (attr->nla_type == type)
			return attr;
	}
	return NULL;
}

/* Administrators see the name of the ULP and its state, others the name at most. */
static void check_ulp_info(uint16_t port, bool privileged)
{
	char answer[16384];
	int n = ask_diag(port, answer, sizeof(answer));
	struct nlattr *ulp, *name, *state;
	int size;

	if (n < NLMSG_LENGTH(sizeof(struct inet_diag_msg)) ||
	    ((struct nlmsghdr *)answer)->nlmsg_type != SOCK_DIAG_BY_FAMILY)
		errx(1, "inet_diag says nothing of the socket");
	ulp = diag_attr(answer, INET_DIAG_ULP_INFO);
	if (!ulp) {
		if (privileged)
			errx(1, "inet_diag names no ULP");
		return;
	}
	name = (struct nlattr *)((char *)ulp + NLA_HDRLEN);
	if (name->nla_type != INET_ULP_INFO_NAME)
		errx(1, "inet_diag does not begin with the name of the ULP");
	size = NLA_HDRLEN + NLA_ALIGN(name->nla_len);
	if (!privileged && ulp->nla_len != size)
		errx(1, "inet_diag says more of the ULP than its name");
	state = (struct nlattr *)((char *)ulp + size);
	if (privileged && (ulp->nla_len == size || state->nla_type != CATS_ULP_INFO))
		errx(1, "inet_diag does not say the state of the ULP");
}

/* @who looks at a socket of root's with messages queued. */
static void look_at_another(const char *who)
{
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);
	struct pair p;
	int status;

	if (pair_open(&p, AF_INET) || attach(p.tx) || fill(p.tx, 0, 0, 1000) < 1 ||
	    getsockname(p.tx, (struct sockaddr *)&addr, &len))
		err(2, "a socket to look at");
	check_ulp_info(addr.sin_port, true);
	if (!fork()) {
		pair_close(&p);
		become(who);
		check_ulp_info(addr.sin_port, false);
		exit(0);
	}
	wait(&status);
	if (status)
		exit(1);
}

int main(int argc, char *argv[])
{
	const char *what = argc == 3 ? argv[2] : "";

	if (!strcmp(what, "look")) {
		look_at_another(argv[1]);
		return 0;
	}
	if (*what)
		become(argv[1]);
	if (!strcmp(what, "use"))
		use();
	else if (!strcmp(what, "attach"))
		attach_expecting(0);
	else if (!strcmp(what, "attach-enoent"))
		attach_expecting(ENOENT);
	else if (!strcmp(what, "own-sysctl"))
		try_sysctls(true);
	else if (!strcmp(what, "initial-sysctl"))
		try_sysctls(false);
	else
		errx(2, "usage: privilege WHO WHAT");
	return 0;
}
