// SPDX-License-Identifier: GPL-2.0
/*
 * Why a call is refused: the errno and the text of each reason.
 */
#include "cats_sock.h"
#include "mib.h"
#include "trace.h"

struct reason {
	int		error;
	const char	*text;
};

#define ENTRY(name, code, err, why)	[CATS_REASON_##name] = { err, why },

static const struct reason reasons[] = {
	[CATS_REASON_NONE] = { 0, "" },
	CATS_REASONS(ENTRY)
};

/**
 * cats_reason_text() - a reason in words
 * @reason: enum cats_reason
 *
 * Return: text of static storage, shorter than CATS_REASON_MAX.
 */
const char *cats_reason_text(unsigned int reason)
{
	return reasons[reason].text;
}

/**
 * cats_reason_errno() - the errno that goes with a reason
 * @reason: enum cats_reason
 *
 * Return: positive errno, 0 for CATS_REASON_NONE.
 */
int cats_reason_errno(unsigned int reason)
{
	return reasons[reason].error;
}

/**
 * cats_refuse_call() - a call is refused that no CATS socket is there to remember
 * @net: namespace
 * @sk: socket that it is about, or NULL
 * @reason: why
 *
 * Context: any.
 * Return: negative errno
 */
int cats_refuse_call(struct net *net, const struct sock *sk, enum cats_reason reason)
{
	int error = cats_reason_errno(reason);

	cats_count(cats_net_mib(net), CATS_MIB_REFUSED);
	trace_cats_refuse(sk, reason, error);
	return -error;
}

/**
 * cats_refuse() - refuse a call, and remember why
 * @cs: CATS socket
 * @reason: why
 *
 * Return: negative errno
 */
int cats_refuse(struct cats_sock *cs, enum cats_reason reason)
{
	WRITE_ONCE(cs->reason, reason);
	return cats_refuse_call(sock_net(cs->sk), cs->sk, reason);
}
