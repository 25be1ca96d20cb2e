// SPDX-License-Identifier: GPL-2.0
/*
 * The state of a socket, for those who ask: its owner by CATS_INFO, administrators by
 * sock_diag.
 */
#include <linux/inet_diag.h>
#include <linux/module.h>
#include <net/netlink.h>

#include "cats_sock.h"

/* The time that bytes take at a rate, us. */
static u64 time_us(u64 bytes, u64 rate)
{
	u64 scaled;

	if (!rate || check_mul_overflow(bytes, (u64)USEC_PER_SEC, &scaled))
		return CATS_NO_BOUND;
	return div64_u64(scaled, rate);
}

static void fill_waits(const struct cats_sock *cs, unsigned int urgency, u64 now,
		       const struct cats_info *info, struct cats_wait_info *waits)
{
	const struct cats_drops *drops = &cs->drops[urgency];

	cats_conductor_get_waits(&cs->conductor, urgency, now, waits);
	waits->bound_us = CATS_NO_BOUND;
	if (waits->bound_bytes != CATS_NO_BOUND)
		waits->bound_us = time_us(waits->bound_bytes + info->budget, info->rate);
	waits->expired_msgs = drops->expired;
	waits->cancelled_msgs = drops->cancelled;
	waits->shed_msgs = drops->shed;
	waits->refused_msgs = drops->refused;
}

static void fill_reason(const struct cats_sock *cs, struct cats_info *info)
{
	unsigned int reason = READ_ONCE(cs->reason);

	info->reason_code = reason;
	info->reason_errno = cats_reason_errno(reason);
	strscpy(info->reason, cats_reason_text(reason), sizeof(info->reason));
}

/* Numbers and settings, none of them behind a pointer that goes with a message. */
static void fill_figures(const struct sock *sk, const struct cats_sock *cs, u64 now,
			 struct cats_info *info)
{
	unsigned int i;

	memset(info, 0, sizeof(*info));
	strscpy(info->conductor, cs->conductor.ops->name, sizeof(info->conductor));
	fill_reason(cs, info);
	info->committed = cats_unsent(sk);
	info->committed_max = cs->committed_max;
	info->budget = cats_burst(sk);
	info->budget_max = cs->budget_max;
	info->alloc_failures = cs->alloc_failures;
	info->mem_queued = cs->mem;
	info->mem_limit = cats_mem_limit(sk, cs->urgency);
	info->rate = cats_rate(sk);
	info->largest_msg = cs->conductor.largest;
	info->notices_lost = cs->notices_lost;
	info->urgency = cs->urgency;
	for (i = 0; i < CATS_NR_URGENCIES; i++)
		fill_waits(cs, i, now, info, &info->waits[i]);
}

/**
 * cats_fill_info() - what CATS_INFO and sock_diag say of a socket
 * @sk: socket
 * @cs: its CATS state
 * @info: filled
 *
 * Context: socket locked: the queues are looked into.
 */
void cats_fill_info(const struct sock *sk, const struct cats_sock *cs,
		    struct cats_info *info)
{
	u64 now = ktime_get_ns();
	unsigned int i;

	fill_figures(sk, cs, now, info);
	for (i = 0; i < CATS_NR_URGENCIES; i++) {
		cats_conductor_get_info(&cs->conductor, i, now, &info->classes[i]);
		if (cs->chains[i] && !cs->chains[i]->was_queued) {
			info->classes[i].queued_bytes += cs->chains[i]->msg.len;
			info->classes[i].queued_msgs++;
		}
	}
}

/*
 * A listener is copied without its lock, so what it hands down has one of its own.  It
 * queues nothing, but nothing keeps one that is asked for by its address from becoming
 * a connection right now: the queues are not looked at.
 */
static void fill_listener(const struct sock *sk, struct cats_sock *cs,
			  struct cats_info *info)
{
	spin_lock_bh(&cs->settings_lock);
	fill_figures(sk, cs, ktime_get_ns(), info);
	spin_unlock_bh(&cs->settings_lock);
}

/*
 * Who dumps sockets has a reference to this one, but no file: it may have been closed,
 * and its state goes when it is destroyed, with its lock held.
 */
static void fill_locked(struct sock *sk, struct cats_info *info)
{
	bool slow = lock_sock_fast(sk);
	const struct cats_sock *cs = cats_of(sk);

	if (cs)
		cats_fill_info(sk, cs, info);
	unlock_sock_fast(sk, slow);
}

/**
 * cats_diag_info() - tcp_ulp_ops.get_info: CATS_ULP_INFO of sock_diag(7)
 * @sk: socket, a reference is held
 * @skb: where the attribute goes, inside INET_DIAG_ULP_INFO
 *
 * Context: process; takes the socket lock, unless it listens: those are dumped with a
 * spinlock held.  tcp_diag asks for administrators of the namespace only.
 * Return: 0 or -EMSGSIZE.
 */
int cats_diag_info(struct sock *sk, struct sk_buff *skb)
{
	struct nlattr *attr = nla_reserve(skb, CATS_ULP_INFO, sizeof(struct cats_info));
	struct cats_sock *cs;
	struct cats_info *info;

	if (!attr)
		return -EMSGSIZE;
	info = nla_data(attr);
	memset(info, 0, sizeof(*info));
	if (inet_sk_state_load(sk) != TCP_LISTEN) {
		/* The lock may be waited for, and the last user of the module go. */
		if (try_module_get(THIS_MODULE)) {
			fill_locked(sk, info);
			module_put(THIS_MODULE);
		}
		return 0;
	}
	rcu_read_lock();
	cs = rcu_dereference(inet_csk(sk)->icsk_ulp_data);
	if (cs)
		fill_listener(sk, cs, info);
	rcu_read_unlock();
	return 0;
}

/**
 * cats_diag_info_size() - tcp_ulp_ops.get_info_size
 * @sk: socket
 *
 * Return: bytes that cats_diag_info() adds at most.
 */
size_t cats_diag_info_size(const struct sock *sk)
{
	return nla_total_size(sizeof(struct cats_info));
}
