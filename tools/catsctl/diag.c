// SPDX-License-Identifier: GPL-2.0
/*
 * Ask the kernel for TCP sockets: sock_diag(7).
 *
 * tcp_diag tells the ULP of a socket, and what that has to say, to those with
 * CAP_NET_ADMIN in the user namespace of the network namespace; and the mark likewise, by
 * which one sees whether one has it.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>

#include "catsctl.h"
#include "sock.h"

/* What the kernel puts into one answer to a dump at most. */
#define ANSWER_SIZE	32768
/* Sockets come and go while they are dumped; then the dump is begun anew. */
#define ATTEMPTS	5

#define WANT(attr)	(1U << ((attr) - 1))

static void copy(void *to, size_t size, const struct nlattr *attr)
{
	size_t len = mnl_attr_get_payload_len(attr);

	memcpy(to, mnl_attr_get_payload(attr), len < size ? len : size);
}

/* A module of another version has a shorter struct cats_info, or a longer one. */
static void take_info(struct cats_socket *s, const struct nlattr *attr)
{
	size_t len = mnl_attr_get_payload_len(attr);

	copy(&s->info, sizeof(s->info), attr);
	s->info_size = len < sizeof(s->info) ? len : sizeof(s->info);
}

static void take_ulp(struct cats_socket *s, const struct nlattr *nest)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest) {
		if (mnl_attr_get_type(attr) == INET_ULP_INFO_NAME)
			s->cats = mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0 &&
				  !strcmp(mnl_attr_get_str(attr), CATS_ULP_NAME);
		else if (mnl_attr_get_type(attr) == CATS_ULP_INFO)
			take_info(s, attr);
	}
}

static void take_attr(struct cats_socket *s, const struct nlattr *attr, bool *privileged)
{
	switch (mnl_attr_get_type(attr)) {
	case INET_DIAG_MARK:
		*privileged = true;
		break;
	case INET_DIAG_INFO:
		copy(&s->tcp, sizeof(s->tcp), attr);
		break;
	case INET_DIAG_CONG:
		copy(s->congestion, sizeof(s->congestion) - 1, attr);
		break;
	case INET_DIAG_BBRINFO:
		copy(&s->bbr, sizeof(s->bbr), attr);
		s->has_bbr = true;
		break;
	case INET_DIAG_ULP_INFO:
		take_ulp(s, attr);
		break;
	}
}

static void take_end(struct endpoint *e, int family, const void *address, uint16_t port)
{
	memset(e, 0, sizeof(*e));
	e->port = ntohs(port);
	if (family == AF_INET) {
		e->address[10] = 0xff;
		e->address[11] = 0xff;
		memcpy(e->address + 12, address, 4);
	} else {
		memcpy(e->address, address, 16);
	}
}

static void take_head(struct cats_socket *s, const struct inet_diag_msg *msg)
{
	memset(s, 0, sizeof(*s));
	s->family = msg->idiag_family;
	s->state = msg->idiag_state;
	s->uid = msg->idiag_uid;
	s->inode = msg->idiag_inode;
	take_end(&s->local, s->family, msg->id.idiag_src, msg->id.idiag_sport);
	take_end(&s->remote, s->family, msg->id.idiag_dst, msg->id.idiag_dport);
}

/* Between the end of its connection and its own a socket has the ULP, but no state. */
static bool is_wanted(const struct cats_socket *s, bool privileged)
{
	if (privileged)
		return s->cats && (!s->info_size || *s->info.conductor);
	return s->uid == geteuid() && s->inode;
}

static int take_answer(const struct nlmsghdr *nlh, void *arg)
{
	const struct inet_diag_msg *msg = mnl_nlmsg_get_payload(nlh);
	struct sockets *sockets = arg;
	const struct nlattr *attr;
	struct cats_socket s;
	bool privileged = false;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*msg))
		return MNL_CB_OK;
	take_head(&s, msg);
	mnl_attr_for_each(attr, nlh, sizeof(*msg))
		take_attr(&s, attr, &privileged);
	sockets->privileged &= privileged;
	if (is_wanted(&s, privileged)) {
		sockets->list = grow(sockets->list, sockets->count, sizeof(s));
		sockets->list[sockets->count++] = s;
	}
	return MNL_CB_OK;
}

static bool send_request(struct mnl_socket *nl, int family, unsigned int states)
{
	char buf[MNL_NLMSG_HDRLEN + MNL_ALIGN(sizeof(struct inet_diag_req_v2))];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct inet_diag_req_v2 *req;

	nlh->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	req = mnl_nlmsg_put_extra_header(nlh, sizeof(*req));
	req->sdiag_family = family;
	req->sdiag_protocol = IPPROTO_TCP;
	req->idiag_states = states;
	req->idiag_ext = WANT(INET_DIAG_INFO) | WANT(INET_DIAG_VEGASINFO) | WANT(INET_DIAG_CONG);
	return mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) >= 0;
}

static bool dump_once(struct sockets *sockets, int family, unsigned int states)
{
	struct mnl_socket *nl = mnl_socket_open(NETLINK_SOCK_DIAG);
	char buf[ANSWER_SIZE];
	int error, more = MNL_CB_ERROR;
	ssize_t len;

	if (!nl)
		return false;
	if (!mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) && send_request(nl, family, states)) {
		do {
			len = mnl_socket_recvfrom(nl, buf, sizeof(buf));
			more = len < 0 ? MNL_CB_ERROR :
			       mnl_cb_run(buf, len, 0, mnl_socket_get_portid(nl), take_answer,
					  sockets);
		} while (more > MNL_CB_STOP);
	}
	error = errno;
	mnl_socket_close(nl);
	errno = error;
	return more != MNL_CB_ERROR;
}

/**
 * diag_dump() - all TCP sockets of this network namespace that one may look at
 * @sockets: they are added
 * @family: AF_INET or AF_INET6
 * @states: bit per state
 *
 * Return: enum status, and the user was told if it is not STATUS_OK.
 */
int diag_dump(struct sockets *sockets, int family, unsigned int states)
{
	size_t before = sockets->count;
	unsigned int attempt;

	for (attempt = 0; attempt < ATTEMPTS; attempt++) {
		/* What an attempt brought that was interrupted is brought again. */
		sockets->count = before;
		if (dump_once(sockets, family, states))
			return STATUS_OK;
		if (errno != EINTR)
			break;
	}
	if (errno == ENOENT)
		return fail(STATUS_SYSTEM,
			    "the kernel has no tcp_diag\n  as root: modprobe tcp_diag");
	if (errno == EPERM || errno == EACCES)
		return fail(STATUS_DENIED, "sock_diag is not allowed here: %m");
	return fail(STATUS_SYSTEM, "sock_diag: %m");
}
