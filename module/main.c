// SPDX-License-Identifier: GPL-2.0
/*
 * The ULP "cats": attaching to TCP sockets, inheriting from listeners, and the module.
 *
 * A CATS socket is *armed* while it is, or may become, a connection: its
 * operations (struct proto) and callbacks are ours, as kTLS does it.  A listener is
 * not: it never sends, and softirqs copy it without its lock whenever a connection
 * comes in, so nothing of it may change under them.  It keeps TCP's operations, and
 * only passes its settings on to the sockets that are accepted from it.
 *
 * The module stays referenced by each attached socket until the socket is destroyed,
 * and by each file that uses our operations until it is released.
 */
#include <linux/module.h>
#include <net/tcp.h>

#include "cats_sock.h"
#include "name.h"
#include "policy.h"
#include "trace.h"
#include "version.h"

static struct kmem_cache *sock_cache;

/* States in which there is, may be, or may come a direction to send in. */
#define ATTACH_STATES	(TCPF_CLOSE | TCPF_LISTEN | TCPF_SYN_SENT | TCPF_SYN_RECV | \
			 TCPF_ESTABLISHED | TCPF_CLOSE_WAIT)

/* Returns an error pointer on failure. */
static struct cats_sock *alloc_cats_sock(struct sock *sk, gfp_t gfp)
{
	struct cats_sock *cs;

	if (!cats_net_get_socket(sock_net(sk)))
		return ERR_PTR(-ENOBUFS);
	cs = kmem_cache_zalloc(sock_cache, gfp);
	if (!cs) {
		cats_net_put_socket(sock_net(sk));
		return ERR_PTR(-ENOMEM);
	}
	cs->sk = sk;
	cs->mib = cats_net_mib(sock_net(sk));
	spin_lock_init(&cs->settings_lock);
	timer_setup(&cs->timer, cats_timer, 0);
	cats_flight_init(cs);
	INIT_LIST_HEAD(&cs->txstamps);
	INIT_LIST_HEAD(&cs->unsent);
	INIT_LIST_HEAD(&cs->unacked);
	return cs;
}

static void free_cats_sock_rcu(struct rcu_head *head)
{
	struct cats_sock *cs = container_of(head, struct cats_sock, rcu);

	cats_policy_put(cs->conductor.ops);
	kmem_cache_free(sock_cache, cs);
}

/* For one that nobody has seen. */
static void free_cats_sock(struct cats_sock *cs)
{
	cats_net_put_socket(sock_net(cs->sk));
	free_cats_sock_rcu(&cs->rcu);
}

/**
 * cats_of() - CATS state of a socket that may have none
 * @sk: socket, locked, or a file that refers to it is held
 *
 * Return: the state, armed or not; NULL if the ULP is not "cats".
 */
struct cats_sock *cats_of(const struct sock *sk)
{
	return READ_ONCE(inet_csk(sk)->icsk_ulp_ops) == &cats_ulp ? cats_sk(sk) : NULL;
}

/**
 * cats_arm() - take over what a connection does
 * @sk: socket, locked
 * @cs: its CATS state
 *
 * Return: 0, or -EBUSY if somebody else uses sk_user_data.
 */
int cats_arm(struct sock *sk, struct cats_sock *cs)
{
	cats_sock_held(sk);
	if (rcu_access_pointer(__sk_user_data(sk)))
		return -EBUSY;
	cs->seen_snd_nxt = tcp_sk(sk)->snd_nxt;
	write_lock_bh(&sk->sk_callback_lock);
	sk->sk_write_space = cats_write_space;
	sk->sk_state_change = cats_state_change;
	__rcu_assign_sk_user_data_with_flags(sk, cs, SK_USER_DATA_NOCOPY);
	write_unlock_bh(&sk->sk_callback_lock);
	/* Readers without the lock find cs once they see the new operations. */
	smp_store_release(&sk->sk_prot, cats_proto(cs->base));
	return 0;
}

static void disarm(struct sock *sk, struct cats_sock *cs)
{
	WRITE_ONCE(sk->sk_prot, (struct proto *)cs->base);
	write_lock_bh(&sk->sk_callback_lock);
	sk->sk_write_space = cs->saved_write_space;
	sk->sk_state_change = cs->saved_state_change;
	rcu_assign_sk_user_data(sk, NULL);
	write_unlock_bh(&sk->sk_callback_lock);
	sk_stop_timer(sk, &cs->timer);
	cats_flight_stop(sk, cs);
}

/**
 * cats_disarm() - give back what cats_arm() took
 * @sk: socket, locked
 * @cs: its CATS state; nothing is queued
 */
void cats_disarm(struct sock *sk, struct cats_sock *cs)
{
	cats_sock_held(sk);
	disarm(sk, cs);
}

/* Returns 0, or why not. */
static enum cats_reason check_attach(const struct sock *sk)
{
	if (!((1 << sk->sk_state) & ATTACH_STATES))
		return CATS_REASON_ATTACH_STATE;
	if (!cats_proto(sk->sk_prot) || sk_is_mptcp(sk))
		return CATS_REASON_ATTACH_OTHER;
	/* A write that sleeps would go on in TCP, amidst our messages. */
	if (sk->sk_write_pending ||
	    (sk->sk_state != TCP_LISTEN && rcu_access_pointer(__sk_user_data(sk))))
		return CATS_REASON_ATTACH_BUSY;
	return CATS_REASON_NONE;
}

/* Returns 0, or why not. */
static enum cats_reason attach(struct sock *sk)
{
	struct cats_sock *cs = alloc_cats_sock(sk, GFP_KERNEL);

	if (IS_ERR(cs))
		return PTR_ERR(cs) == -ENOBUFS ? CATS_REASON_ATTACH_LIMIT :
						 CATS_REASON_ATTACH_MEMORY;
	cats_net_defaults(sock_net(sk), cs);
	cs->poll_urgency = CATS_POLL_DEFAULT_TAG;
	cs->base = sk->sk_prot;
	cs->saved_write_space = sk->sk_write_space;
	cs->saved_state_change = sk->sk_state_change;
	if (cats_swap_ops(sk->sk_socket)) {
		free_cats_sock(cs);
		return CATS_REASON_ATTACH_OTHER;
	}
	rcu_assign_pointer(inet_csk(sk)->icsk_ulp_data, cs);
	if (sk->sk_state != TCP_LISTEN)
		cats_arm(sk, cs);
	cats_count(cs->mib, CATS_MIB_ATTACHED);
	trace_cats_attach(sk, cs, NULL);
	return CATS_REASON_NONE;
}

/* The socket is owned by setsockopt(TCP_ULP). */
static int cats_ulp_init(struct sock *sk)
{
	enum cats_reason why;

	cats_sock_held(sk);
	/* The core has cleared it, even if we refuse.  TCP has it, and so have we. */
	set_bit(SOCK_SUPPORT_ZC, &sk->sk_socket->flags);
	why = check_attach(sk) ?: attach(sk);
	return why ? cats_refuse_call(sock_net(sk), sk, why) : 0;
}

/* It has the policy already. */
static void inherit_params(struct cats_conductor *c, const struct cats_conductor *from)
{
	union {
		struct cats_bounded_params	bounded;
		struct cats_wfq_params		wfq;
		struct cats_debt_params		debt;
	} params;

	if (cats_bounded_get_params(from, &params.bounded))
		cats_bounded_set_params(c, &params.bounded);
	else if (cats_wfq_get_params(from, &params.wfq))
		cats_wfq_set_params(c, &params.wfq);
	else if (cats_debt_get_params(from, &params.debt))
		cats_debt_set_params(c, &params.debt);
}

/*
 * Settings of the listener may change on another processor: hence the lock.  It keeps
 * the module of its policy until its own state is freed by RCU, if not longer.
 */
static void inherit(struct cats_sock *cs, struct cats_sock *listener)
{
	cs->base = listener->base;
	cs->saved_write_space = listener->saved_write_space;
	cs->saved_state_change = listener->saved_state_change;
	spin_lock_bh(&listener->settings_lock);
	cs->urgency = listener->urgency;
	cs->poll_urgency = listener->poll_urgency;
	cs->admit = listener->admit;
	cats_conductor_init(&cs->conductor, listener->conductor.ops);
	inherit_params(&cs->conductor, &listener->conductor);
	WARN_ON_ONCE(!cats_policy_hold(cs->conductor.ops));
	spin_unlock_bh(&listener->settings_lock);
}

/* As the listener was; it is armed if listen() raced with a connect() that failed. */
static void look_plain(struct sock *newsk, const struct cats_sock *listener)
{
	newsk->sk_prot_creator = (struct proto *)listener->base;
	newsk->sk_prot = (struct proto *)listener->base;
	newsk->sk_write_space = listener->saved_write_space;
	newsk->sk_state_change = listener->saved_state_change;
}

/* With its reference to the module, or NULL. */
static struct cats_sock *alloc_child(struct sock *newsk, gfp_t gfp)
{
	struct cats_sock *cs;

	if (!try_module_get(THIS_MODULE))
		return NULL;
	cs = alloc_cats_sock(newsk, gfp);
	if (!IS_ERR(cs))
		return cs;
	cats_net_plain_child(sock_net(newsk));
	module_put(THIS_MODULE);
	return NULL;
}

/*
 * A connection came in at a CATS listener; @newsk is a copy of that, locked, and
 * nobody else knows it yet.  There is no way to refuse: without memory, or over the
 * limit, the connection is a plain one, where tags are ignored.
 *
 * The listener may be closing on another processor.  Its state is freed by RCU only,
 * for which cats_exit() waits, so there is something to read, and this code; but the
 * copy may have been made when the state was gone already, and the module may be on
 * its way out.
 */
static void cats_ulp_clone(const struct request_sock *req, struct sock *newsk,
			   const gfp_t priority)
{
	struct inet_connection_sock *icsk = inet_csk(newsk);
	struct cats_sock *listener = cats_sk(newsk);
	struct cats_sock *cs = NULL;

	if (listener) {
		look_plain(newsk, listener);
		cs = alloc_child(newsk, priority);
	}
	RCU_INIT_POINTER(icsk->icsk_ulp_data, cs);
	if (!cs) {
		icsk->icsk_ulp_ops = NULL;
		return;
	}
	inherit(cs, listener);
	cats_arm(newsk, cs);
	cats_count(cs->mib, CATS_MIB_ACCEPTED);
	trace_cats_attach(newsk, cs, req);
}

/*
 * The socket is being destroyed, in any context.  It was closed before, unless
 * nobody accepted it; so nothing is queued.  An incoming connection that fails
 * halfway is destroyed without its lock: nobody else knows it.
 */
static void cats_ulp_release(struct sock *sk)
{
	struct cats_sock *cs = cats_sk(sk);

	if (sk->sk_write_space == cats_write_space)
		disarm(sk, cs);
	trace_cats_detach(sk, cs);
	cats_txstamp_purge(sk, cs);
	cats_net_put_socket(sock_net(sk));
	RCU_INIT_POINTER(inet_csk(sk)->icsk_ulp_data, NULL);
	call_rcu(&cs->rcu, free_cats_sock_rcu);
}

struct tcp_ulp_ops cats_ulp __read_mostly = {
	.name		= CATS_ULP_NAME,
	.owner		= THIS_MODULE,
	.init		= cats_ulp_init,
	.clone		= cats_ulp_clone,
	.release	= cats_ulp_release,
	.get_info	= cats_diag_info,
	.get_info_size	= cats_diag_info_size,
};

static int __init cats_init(void)
{
	int err = -ENOMEM;

	cats_proto_init();
	cats_policy_init();
	sock_cache = KMEM_CACHE(cats_sock, SLAB_ACCOUNT);
	if (!sock_cache)
		return err;
	err = cats_txmsg_init();
	if (err)
		goto no_txmsg;
	err = cats_name_init();
	if (err)
		goto no_name;
	err = cats_net_init();
	if (err)
		goto no_net;
	err = tcp_register_ulp(&cats_ulp);
	if (err)
		goto no_ulp;
	return 0;

no_ulp:
	cats_net_exit();
no_net:
	cats_name_exit();
no_name:
	cats_txmsg_exit();
no_txmsg:
	kmem_cache_destroy(sock_cache);
	return err;
}

static void __exit cats_exit(void)
{
	tcp_unregister_ulp(&cats_ulp);
	/* The states of the last sockets are freed by call_rcu(). */
	rcu_barrier();
	cats_net_exit();
	cats_name_exit();
	cats_txmsg_exit();
	kmem_cache_destroy(sock_cache);
}

module_init(cats_init);
module_exit(cats_exit);

MODULE_DESCRIPTION("CATS: tagged writes on one TCP connection, scheduled in the kernel");
MODULE_LICENSE("GPL");
MODULE_VERSION(CATS_VERSION);
MODULE_ALIAS_TCP_ULP(CATS_ULP_NAME);
