// SPDX-License-Identifier: GPL-2.0
/*
 * The ULP "cats": attaching to a TCP socket, and the module.
 *
 * Attaching swaps the operations of the socket (struct proto) for a copy in
 * which writing, options and the ways out are ours, as kTLS does.  The module
 * stays referenced by each attached socket until the socket is destroyed.
 */
#include <linux/module.h>
#include <net/tcp.h>
#include <net/transp_v6.h>

#include "cats_sock.h"

enum { FAMILY_V4, FAMILY_V6, NR_FAMILIES };

static struct proto cats_prots[NR_FAMILIES] __ro_after_init;

static void __init build_proto(struct proto *prot, const struct proto *base)
{
	*prot = *base;
	prot->sendmsg = cats_sendmsg;
	/* The socket layer falls back to sendmsg, which copies. */
	prot->sendpage = NULL;
	prot->setsockopt = cats_setsockopt;
	prot->getsockopt = cats_getsockopt;
	prot->ioctl = cats_ioctl;
	prot->shutdown = cats_shutdown;
	prot->disconnect = cats_disconnect;
	prot->close = cats_close;
	prot->stream_memory_free = cats_stream_memory_free;
}

/* Only sockets that nobody else has taken over: NULL for the rest. */
static struct proto *proto_for(const struct sock *sk)
{
	if (sk->sk_prot == &tcp_prot)
		return &cats_prots[FAMILY_V4];
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_prot == &tcpv6_prot)
		return &cats_prots[FAMILY_V6];
#endif
	return NULL;
}

static void hook_callbacks(struct sock *sk, struct cats_sock *cs)
{
	write_lock_bh(&sk->sk_callback_lock);
	cs->saved_write_space = sk->sk_write_space;
	cs->saved_state_change = sk->sk_state_change;
	sk->sk_write_space = cats_write_space;
	sk->sk_state_change = cats_state_change;
	__rcu_assign_sk_user_data_with_flags(sk, cs, SK_USER_DATA_NOCOPY);
	write_unlock_bh(&sk->sk_callback_lock);
}

/* Attach; the socket is owned by setsockopt(TCP_ULP). */
static int cats_ulp_init(struct sock *sk)
{
	struct proto *prot = proto_for(sk);
	struct cats_sock *cs;

	cats_sock_held(sk);
	if (sk->sk_state != TCP_ESTABLISHED)
		return -ENOTCONN;
	if (!prot || sk_is_mptcp(sk))
		return -EOPNOTSUPP;
	/* A write that sleeps would go on in TCP, amidst our messages. */
	if (rcu_access_pointer(__sk_user_data(sk)) || sk->sk_write_pending)
		return -EBUSY;
	cs = kzalloc(sizeof(*cs), GFP_KERNEL_ACCOUNT);
	if (!cs)
		return -ENOMEM;
	cats_conductor_init(&cs->conductor, &cats_debt);
	cs->sk = sk;
	cs->base = sk->sk_prot;
	cs->urgency = CATS_URGENCY_DEFAULT;
	cs->seen_snd_nxt = tcp_sk(sk)->snd_nxt;
	timer_setup(&cs->retry, cats_retry_feed, 0);
	hook_callbacks(sk, cs);
	/* Readers without the lock find cs once they see the new operations. */
	smp_store_release(&sk->sk_prot, prot);
	return 0;
}

/* The socket is being destroyed, in any context; it was closed before. */
static void cats_ulp_release(struct sock *sk)
{
	struct cats_sock *cs = cats_sk(sk);

	cats_purge(sk, cs);
	rcu_assign_sk_user_data(sk, NULL);
	kfree_rcu(cs, rcu);
}

static struct tcp_ulp_ops cats_ulp __read_mostly = {
	.name		= CATS_ULP_NAME,
	.owner		= THIS_MODULE,
	.init		= cats_ulp_init,
	.release	= cats_ulp_release,
};

static int __init cats_init(void)
{
	int err;

	build_proto(&cats_prots[FAMILY_V4], &tcp_prot);
#if IS_ENABLED(CONFIG_IPV6)
	build_proto(&cats_prots[FAMILY_V6], &tcpv6_prot);
#endif
	err = cats_txmsg_init();
	if (err)
		return err;
	err = tcp_register_ulp(&cats_ulp);
	if (err)
		cats_txmsg_exit();
	return err;
}

static void __exit cats_exit(void)
{
	tcp_unregister_ulp(&cats_ulp);
	cats_txmsg_exit();
}

module_init(cats_init);
module_exit(cats_exit);

MODULE_DESCRIPTION("CATS: tagged writes on one TCP connection, scheduled in the kernel");
MODULE_LICENSE("GPL");
MODULE_ALIAS_TCP_ULP(CATS_ULP_NAME);
