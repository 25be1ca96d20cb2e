// SPDX-License-Identifier: GPL-2.0
/*
 * The reasons of uapi/linux/cats.h, and a remedy for each: one that is missing does not
 * compile.  After them the errnos that calls on CATS sockets have from TCP.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include <linux/cats.h>

#include "reason.h"

#define REMEDY_CMSG_REFUSED \
	"correct the control messages of level SOL_SOCKET in this sendmsg(2), see socket(7)"
#define REMEDY_CMSG_TYPE \
	"send no control message of level SOL_CATS but CATS_TAG"
#define REMEDY_CMSG_LENGTH \
	"set cmsg_len by CMSG_LEN(), and msg_controllen to the sum of CMSG_SPACE()"
#define REMEDY_CMSG_TAGS \
	"send one CATS_TAG with a message"
#define REMEDY_TAG_SHORT \
	"pass a __u32 urgency at least, or a whole struct cats_tag"
#define REMEDY_TAG_LONG \
	"set the members that this kernel does not know to 0, or load a newer module"
#define REMEDY_TAG_URGENCY \
	"use 0, the most urgent, to 7; an uninitialised struct cats_tag shows like this"
#define REMEDY_TAG_FLAG \
	"use CATS_F_INCREMENTAL and CATS_F_REPLACE only, or load a newer module"
#define REMEDY_TAG_INCREMENTAL \
	"set the number of the stream, or leave the flag out"
#define REMEDY_TAG_REPLACE \
	"set the cookie of the message to replace, or leave the flag out"
#define REMEDY_TAG_NOTIFY \
	"use bits of CATS_NOTIFY_ALL only, or load a newer module"
#define REMEDY_TAG_RESERVED \
	"set the whole struct cats_tag to 0 before its members"
#define REMEDY_TAG_DEFAULT \
	"set nothing but the urgency in the option CATS_TAG, the rest goes with each message"
#define REMEDY_MSG_SIZE \
	"write smaller messages (bulk: a few kB each), or raise SO_SNDBUF or net.ipv4.tcp_wmem"
#define REMEDY_ADMIT_REFUSE \
	"write less urgent data later or not at all, or change the option CATS_ADMIT"
#define REMEDY_OPTION_SHORT \
	"pass the type that cats(7) names for the option, and its size"
#define REMEDY_OPTION_PAGE \
	"pass the size of the structure"
#define REMEDY_OPTION_LONG \
	"set the members that this kernel does not know to 0, or load a newer module"
#define REMEDY_OPTION_UNKNOWN \
	"see cats(7) for the options, and which can be set; or load a newer module"
#define REMEDY_POLL_URGENCY \
	"use 0 to 7, or CATS_POLL_DEFAULT_TAG, -1"
#define REMEDY_CONDUCTOR_NAME \
	"pass a name of \"catsctl policy list\", and its length"
#define REMEDY_CONDUCTOR_UNKNOWN \
	"use a name of \"catsctl policy list\", or load the module that brings the policy"
#define REMEDY_PARAMS_OTHER \
	"set the option CATS_CONDUCTOR first, then the parameters of that policy"
#define REMEDY_ADMIT_RESERVED \
	"set the whole struct cats_admit to 0 before its members"
#define REMEDY_ADDRFORM \
	"set IPV6_ADDRFORM before CATS is attached, or use an IPv4 socket"
#define REMEDY_CHANGE_WHAT \
	"set the cookie, the stream, or both in struct cats_change"
#define REMEDY_CHANGE_FLAG \
	"use CATS_F_INCREMENTAL only, and that with CATS_REPRIORITIZE of a stream"
#define REMEDY_CANCEL_URGENCY \
	"set the urgency to 0 for CATS_CANCEL"
#define REMEDY_CHANGE_URGENCY \
	"use 0, the most urgent, to 7"
#define REMEDY_CHANGE_RESERVED \
	"set the whole struct cats_change to 0 before its members"
#define REMEDY_DEBT_LEAST \
	"set high and low of urgency 7 to 0"
#define REMEDY_DEBT_HIGH \
	"set high of urgencies 0 to 6 to 1 to 1073741824 bytes"
#define REMEDY_DEBT_LOW \
	"set low of urgencies 0 to 6 to at least 1 and at most high; high is set first when " \
	"it grows, low when it shrinks"
#define REMEDY_DEBT_PAYBACK \
	"set payback to 1 to 1000000 thousandths"
#define REMEDY_DEBT_SUM \
	"set payback_sum to twice the largest payback or more, or to 0 for the sum of all"
#define REMEDY_BOUNDED_BUCKET \
	"set bucket to at most 1073741824 bytes"
#define REMEDY_BOUNDED_SHARE_0 \
	"set share[0] to 0 to 1000 1024ths"
#define REMEDY_BOUNDED_SHARE \
	"set the shares of urgencies 1 to 7 to 1 to 1000 1024ths each"
#define REMEDY_BOUNDED_SUM \
	"make the shares of urgencies 1 to 7 smaller, 1000 1024ths together is the most"
#define REMEDY_WFQ_WEIGHT \
	"set each weight to 1 to 16777216 bytes"
#define REMEDY_ATTACH_STATE \
	"attach before connect(2), to a listener, or while the connection sends"
#define REMEDY_ATTACH_OTHER \
	"attach CATS before a sockmap takes the socket, or leave one of the two out"
#define REMEDY_ATTACH_BUSY \
	"attach before other threads write, or when their calls have returned"
#define REMEDY_ATTACH_LIMIT \
	"close CATS sockets, or raise net.cats.max_sockets (\"catsctl status\" shows both)"
#define REMEDY_ATTACH_MEMORY \
	"try again when memory is free; the socket is plain TCP until then"
#define REMEDY_CONNECT_BUSY \
	"take the socket out of what uses it (a BPF sockmap, for example) before connect(2)"
#define REMEDY_SYSCTL_NUMBERS \
	"write all numbers of the sysctl at once, with spaces between them"
#define REMEDY_SYSCTL_MAX_SOCKETS \
	"stay below the initial namespace's net.cats.max_sockets, or have that raised first"

#define ENTRY(name, code, err, text)	{ #name, code, err, text, REMEDY_##name },

const struct reason reasons[] = {
	CATS_REASONS(ENTRY)
	{ "TCP_ULP", 0, ENOENT, "attach: the module is not loaded",
	  "as root: modprobe cats; \"catsctl status\" says more" },
	{ "TCP_ULP", 0, EEXIST, "attach: the socket has a ULP: CATS already, or kTLS",
	  "do not attach twice: what a CATS listener accepts has CATS" },
	{ "TCP_ULP", 0, ENOPROTOOPT, "attach: no TCP socket (MPTCP, for example)",
	  "make the socket with IPPROTO_TCP" },
	{ "write", 0, EAGAIN, "no room for the message in the send buffer (not blocking)",
	  "wait for POLLOUT: after this it means room for that message; see CATS_POLL_URGENCY" },
	{ "write", 0, EPIPE, "the sending direction has ended",
	  "connect anew; what was queued and not acknowledged may be lost" },
	{ "write", 0, ECONNRESET, "the peer has reset the connection, what was queued is dropped",
	  "connect anew; notices tell which messages were acknowledged" },
	{ "write", 0, ETIMEDOUT, "the peer did not acknowledge, what was queued is dropped",
	  "connect anew; see TCP_USER_TIMEOUT in tcp(7)" },
	{ "write", 0, ENOTCONN, "the socket is not connected",
	  "connect(2) first; CATS may be attached before" },
	{ "write", 0, ENOMEM, "no memory",
	  "try again; see net.ipv4.tcp_mem" },
	{ "write", 0, ENOBUFS, "MSG_ZEROCOPY: too many notifications are outstanding",
	  "read the error queue, or raise net.core.optmem_max" },
	{ "write", 0, EFAULT, "the data, a tag or an option's value is at a bad address",
	  "correct the pointer or the length" },
	{ "write", 0, EINTR, "a signal came before anything was accepted",
	  "call again, or set SA_RESTART" },
};

const size_t nr_reasons = sizeof(reasons) / sizeof(*reasons);

/**
 * reason_by_code() - find a reason
 * @code: enum cats_reason
 *
 * Return: reason; NULL for one that this program does not know.
 */
const struct reason *reason_by_code(unsigned int code)
{
	size_t i;

	for (i = 0; code && i < nr_reasons; i++)
		if (reasons[i].code == code)
			return &reasons[i];
	return NULL;
}

/**
 * errno_name() - the name of an errno
 * @error: errno
 */
const char *errno_name(int error)
{
	const char *name = strerrorname_np(error);

	return name ? name : "?";
}

/**
 * errno_by_name() - the errno of a name
 * @name: in letters of any case
 *
 * Return: 0 if there is none.
 */
int errno_by_name(const char *name)
{
	const char *known;
	int error;

	for (error = 1; error <= EHWPOISON; error++) {
		known = strerrorname_np(error);
		if (known && !strcasecmp(known, name))
			return error;
	}
	return strcasecmp(name, "EWOULDBLOCK") ? 0 : EAGAIN;
}
