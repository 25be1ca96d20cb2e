// SPDX-License-Identifier: GPL-2.0
/*
 * Options at level SOL_CATS, and the ioctls that ask for queued bytes.
 */
#include <linux/sockios.h>
#include <linux/uaccess.h>

#include <asm/ioctls.h>

#include "cats_sock.h"
#include "policy.h"

/*
 * Copies in a structure of negotiated size, see the uapi header; at least
 * @min bytes.
 */
static int copy_in(struct cats_sock *cs, void *to, size_t size, size_t min,
		   sockptr_t optval, unsigned int optlen)
{
	int zeroed;

	if (optlen < min)
		return cats_refuse(cs, CATS_REASON_OPTION_SHORT);
	if (optlen > PAGE_SIZE)
		return cats_refuse(cs, CATS_REASON_OPTION_PAGE);
	if (optlen > size) {
		zeroed = check_zeroed_sockptr(optval, size, optlen - size);
		if (zeroed < 0)
			return zeroed;
		if (!zeroed)
			return cats_refuse(cs, CATS_REASON_OPTION_LONG);
		optlen = size;
	}
	memset(to, 0, size);
	return copy_from_sockptr(to, optval, optlen) ? -EFAULT : 0;
}

static int set_tag(struct cats_sock *cs, sockptr_t optval, unsigned int optlen)
{
	struct cats_tag tag;
	enum cats_reason why;
	int err;

	cats_sock_held(cs->sk);
	err = copy_in(cs, &tag, sizeof(tag), sizeof(tag.urgency), optval, optlen);
	if (err)
		return err;
	why = cats_tag_check_default(&tag);
	if (why)
		return cats_refuse(cs, why);
	spin_lock_bh(&cs->settings_lock);
	WRITE_ONCE(cs->urgency, tag.urgency);
	spin_unlock_bh(&cs->settings_lock);
	cats_poll_changed(cs->sk, cs);
	return 0;
}

static int set_poll_urgency(struct cats_sock *cs, sockptr_t optval,
			    unsigned int optlen)
{
	__s32 urgency;
	int err;

	cats_sock_held(cs->sk);
	err = copy_in(cs, &urgency, sizeof(urgency), sizeof(urgency), optval, optlen);
	if (err)
		return err;
	if (urgency < CATS_POLL_DEFAULT_TAG || urgency > CATS_URGENCY_MAX)
		return cats_refuse(cs, CATS_REASON_POLL_URGENCY);
	spin_lock_bh(&cs->settings_lock);
	WRITE_ONCE(cs->poll_urgency, urgency);
	spin_unlock_bh(&cs->settings_lock);
	cats_poll_changed(cs->sk, cs);
	return 0;
}

static int set_conductor(struct cats_sock *cs, sockptr_t optval,
			 unsigned int optlen)
{
	const struct cats_conductor_ops *ops, *old = cs->conductor.ops;
	char name[CATS_CONDUCTOR_NAME_MAX] = "";

	cats_sock_held(cs->sk);
	if (!optlen || optlen > sizeof(name))
		return cats_refuse(cs, CATS_REASON_CONDUCTOR_NAME);
	if (copy_from_sockptr(name, optval, optlen))
		return -EFAULT;
	if (!name[0] || strnlen(name, sizeof(name)) == sizeof(name))
		return cats_refuse(cs, CATS_REASON_CONDUCTOR_NAME);
	ops = cats_policy_get(name);
	if (!ops)
		return cats_refuse(cs, CATS_REASON_CONDUCTOR_UNKNOWN);
	spin_lock_bh(&cs->settings_lock);
	cats_net_set_conductor(sock_net(cs->sk), &cs->conductor, ops);
	spin_unlock_bh(&cs->settings_lock);
	cats_policy_put(old);
	return 0;
}

/**
 * union params - parameters of a policy
 * @debt: CATS_DEBT_PARAMS
 * @bounded: CATS_BOUNDED_PARAMS
 * @wfq: CATS_WFQ_PARAMS
 */
union params {
	struct cats_debt_params		debt;
	struct cats_bounded_params	bounded;
	struct cats_wfq_params		wfq;
};

static size_t params_size(int optname)
{
	switch (optname) {
	case CATS_DEBT_PARAMS:
		return sizeof(struct cats_debt_params);
	case CATS_BOUNDED_PARAMS:
		return sizeof(struct cats_bounded_params);
	default:
		return sizeof(struct cats_wfq_params);
	}
}

/* Returns 0, or why not. */
static enum cats_reason give_params(struct cats_conductor *c, int optname,
				    const union params *params)
{
	switch (optname) {
	case CATS_DEBT_PARAMS:
		return cats_debt_set_params(c, &params->debt);
	case CATS_BOUNDED_PARAMS:
		return cats_bounded_set_params(c, &params->bounded);
	default:
		return cats_wfq_set_params(c, &params->wfq);
	}
}

static int set_params(struct cats_sock *cs, int optname, sockptr_t optval,
		      unsigned int optlen)
{
	const size_t per_urgency = CATS_NR_URGENCIES * sizeof(__u32);
	union params params;
	enum cats_reason why;
	int err;

	cats_sock_held(cs->sk);
	err = copy_in(cs, &params, params_size(optname), per_urgency, optval, optlen);
	if (err)
		return err;
	spin_lock_bh(&cs->settings_lock);
	why = give_params(&cs->conductor, optname, &params);
	spin_unlock_bh(&cs->settings_lock);
	return why ? cats_refuse(cs, why) : 0;
}

/* Returns their size, or a negative errno. */
static int get_params(struct cats_sock *cs, int optname, union params *params)
{
	const struct cats_conductor *c = &cs->conductor;

	switch (optname) {
	case CATS_DEBT_PARAMS:
		if (cats_debt_get_params(c, &params->debt))
			return sizeof(params->debt);
		break;
	case CATS_BOUNDED_PARAMS:
		if (cats_bounded_get_params(c, &params->bounded))
			return sizeof(params->bounded);
		break;
	default:
		if (cats_wfq_get_params(c, &params->wfq))
			return sizeof(params->wfq);
	}
	return cats_refuse(cs, CATS_REASON_PARAMS_OTHER);
}

static int set_admit(struct cats_sock *cs, sockptr_t optval, unsigned int optlen)
{
	struct cats_admit admit;
	int err;

	cats_sock_held(cs->sk);
	err = copy_in(cs, &admit, sizeof(admit), sizeof(admit.threshold), optval, optlen);
	if (err)
		return err;
	if (admit.reserved)
		return cats_refuse(cs, CATS_REASON_ADMIT_RESERVED);
	spin_lock_bh(&cs->settings_lock);
	cs->admit = admit;
	spin_unlock_bh(&cs->settings_lock);
	return 0;
}

static int set_option(struct cats_sock *cs, int optname, sockptr_t optval,
		      unsigned int optlen)
{
	switch (optname) {
	case CATS_TAG:
		return set_tag(cs, optval, optlen);
	case CATS_CONDUCTOR:
		return set_conductor(cs, optval, optlen);
	case CATS_DEBT_PARAMS:
	case CATS_BOUNDED_PARAMS:
	case CATS_WFQ_PARAMS:
		return set_params(cs, optname, optval, optlen);
	case CATS_POLL_URGENCY:
		return set_poll_urgency(cs, optval, optlen);
	case CATS_ADMIT:
		return set_admit(cs, optval, optlen);
	default:
		return cats_refuse(cs, CATS_REASON_OPTION_UNKNOWN);
	}
}

/* While it is on, TCP's queue is looked at, and filled, from outside. */
static int set_repair(struct sock *sk, struct cats_sock *cs, sockptr_t optval,
		      unsigned int optlen)
{
	int err = cs->base->setsockopt(sk, SOL_TCP, TCP_REPAIR, optval, optlen);

	lock_sock(sk);
	if (tcp_sk(sk)->repair)
		cats_drain(sk, cs);
	release_sock(sk);
	return err;
}

/* These options have TCP send what waits for more. */
static void send_pending(struct sock *sk, struct cats_sock *cs)
{
	lock_sock(sk);
	if (!(tcp_sk(sk)->nonagle & TCP_NAGLE_CORK))
		cats_feed_all(sk, cs);
	release_sock(sk);
}

static int set_base_option(struct sock *sk, struct cats_sock *cs, int level,
			   int optname, sockptr_t optval, unsigned int optlen)
{
	int err;

	if (level == SOL_TCP && optname == TCP_REPAIR)
		return set_repair(sk, cs, optval, optlen);
	err = cs->base->setsockopt(sk, level, optname, optval, optlen);
	if (!err && level == SOL_TCP && (optname == TCP_NODELAY || optname == TCP_CORK))
		send_pending(sk, cs);
	if (level == SOL_IPV6 && optname == IPV6_ADDRFORM && err == -EBUSY)
		cats_refuse(cs, CATS_REASON_ADDRFORM);
	return err;
}

/**
 * cats_setsockopt() - proto_ops.setsockopt
 * @sock: socket
 * @level: SOL_CATS is ours, the rest goes to the socket below
 * @optname: enum cats_option
 * @optval: value
 * @optlen: its size, bytes
 *
 * Context: process; takes the socket lock.
 * Return: 0, or -EINVAL, -E2BIG, -ENOENT, -ENOPROTOOPT, -EFAULT with nothing
 * changed.
 */
int cats_setsockopt(struct socket *sock, int level, int optname,
		    sockptr_t optval, unsigned int optlen)
{
	struct sock *sk = sock->sk;
	struct cats_sock *cs = cats_of(sk);
	int err;

	if (!cs)
		return sock_common_setsockopt(sock, level, optname, optval, optlen);
	if (level != SOL_CATS)
		return set_base_option(sk, cs, level, optname, optval, optlen);
	lock_sock(sk);
	err = set_option(cs, optname, optval, optlen);
	release_sock(sk);
	return err;
}

/**
 * union cats_option_value - any value that can be read
 * @tag: CATS_TAG
 * @name: CATS_CONDUCTOR
 * @info: CATS_INFO
 * @params: CATS_DEBT_PARAMS, CATS_BOUNDED_PARAMS, CATS_WFQ_PARAMS
 * @change: CATS_CANCEL, CATS_REPRIORITIZE
 * @poll_urgency: CATS_POLL_URGENCY
 * @admit: CATS_ADMIT
 */
union cats_option_value {
	struct cats_tag		tag;
	char			name[CATS_CONDUCTOR_NAME_MAX];
	struct cats_info	info;
	union params		params;
	struct cats_change	change;
	__s32			poll_urgency;
	struct cats_admit	admit;
};

/* What CATS_CANCEL and CATS_REPRIORITIZE have to be told at least. */
#define MIN_CHANGE	offsetofend(struct cats_change, urgency)

/* Returns the size of the value, or a negative errno. */
static int get_value(struct sock *sk, struct cats_sock *cs, int optname,
		     union cats_option_value *v, char __user *optval, int len)
{
	int err;

	cats_sock_held(sk);
	switch (optname) {
	case CATS_TAG:
		memset(&v->tag, 0, sizeof(v->tag));
		v->tag.urgency = cs->urgency;
		return sizeof(v->tag);
	case CATS_CONDUCTOR:
		strscpy_pad(v->name, cs->conductor.ops->name, sizeof(v->name));
		return sizeof(v->name);
	case CATS_INFO:
		cats_fill_info(sk, cs, &v->info);
		return sizeof(v->info);
	case CATS_DEBT_PARAMS:
	case CATS_BOUNDED_PARAMS:
	case CATS_WFQ_PARAMS:
		return get_params(cs, optname, &v->params);
	case CATS_CANCEL:
	case CATS_REPRIORITIZE:
		err = copy_in(cs, &v->change, sizeof(v->change), MIN_CHANGE,
			      USER_SOCKPTR(optval), len);
		if (!err)
			err = cats_change(sk, cs, &v->change, optname == CATS_CANCEL);
		return err ?: sizeof(v->change);
	case CATS_POLL_URGENCY:
		v->poll_urgency = cs->poll_urgency;
		return sizeof(v->poll_urgency);
	case CATS_ADMIT:
		v->admit = cs->admit;
		return sizeof(v->admit);
	default:
		return cats_refuse(cs, CATS_REASON_OPTION_UNKNOWN);
	}
}

/* tcpi_notsent_bytes counts what is queued, as SIOCOUTQNSD does. */
static int get_tcp_info(struct sock *sk, struct cats_sock *cs,
			char __user *optval, int __user *optlen)
{
	const size_t offset = offsetof(struct tcp_info, tcpi_notsent_bytes);
	u32 __user *to = (u32 __user *)(optval + offset);
	int err, len;
	u32 notsent;

	err = cs->base->getsockopt(sk, SOL_TCP, TCP_INFO, optval, optlen);
	if (err)
		return err;
	if (get_user(len, optlen))
		return -EFAULT;
	if (len < (int)(offset + sizeof(notsent)))
		return 0;
	if (get_user(notsent, to))
		return -EFAULT;
	return put_user(notsent + cats_queued_bytes(cs), to);
}

/**
 * cats_getsockopt() - proto_ops.getsockopt
 * @sock: socket
 * @level: SOL_CATS is ours, the rest goes to the socket below
 * @optname: enum cats_option
 * @optval: where the value goes
 * @optlen: room there in, bytes written out
 *
 * Context: process; takes the socket lock.
 * Return: 0, or -EINVAL, -ENOPROTOOPT, -EFAULT.
 */
int cats_getsockopt(struct socket *sock, int level, int optname,
		    char __user *optval, int __user *optlen)
{
	struct sock *sk = sock->sk;
	struct cats_sock *cs = cats_of(sk);
	union cats_option_value v;
	int len, size;

	if (cs && level == SOL_TCP && optname == TCP_INFO)
		return get_tcp_info(sk, cs, optval, optlen);
	if (!cs || level != SOL_CATS)
		return sock_common_getsockopt(sock, level, optname, optval, optlen);
	if (get_user(len, optlen))
		return -EFAULT;
	if (len < 0)
		return -EINVAL;
	lock_sock(sk);
	size = get_value(sk, cs, optname, &v, optval, len);
	release_sock(sk);
	if (size < 0)
		return size;
	len = min(len, size);
	if (put_user(len, optlen) || copy_to_user(optval, &v, len))
		return -EFAULT;
	return 0;
}

/**
 * cats_ioctl() - proto.ioctl: SIOCOUTQ and SIOCOUTQNSD count queued bytes too
 * @sk: socket
 * @cmd: command
 * @arg: user space address of an int
 *
 * An application that waits for SIOCOUTQ to become 0 must not be told so while
 * the Conductor holds its data.
 *
 * Return: as tcp_ioctl().
 */
int cats_ioctl(struct sock *sk, int cmd, unsigned long arg)
{
	struct cats_sock *cs = cats_sk(sk);
	int __user *answer = (int __user *)arg;
	int err, bytes;

	if (cmd != SIOCOUTQ && cmd != SIOCOUTQNSD)
		return cs->base->ioctl(sk, cmd, arg);
	/* With the lock, so that no byte is counted twice or not at all. */
	lock_sock(sk);
	err = cs->base->ioctl(sk, cmd, arg);
	bytes = cats_queued_bytes(cs);
	release_sock(sk);
	if (err || !bytes)
		return err;
	if (get_user(err, answer))
		return -EFAULT;
	return put_user(err + bytes, answer);
}
