// SPDX-License-Identifier: GPL-2.0
/*
 * The operations of CATS sockets: copies of TCP's, with what is ours put in.
 *
 * struct proto, one level below the socket layer, is swapped for connections only,
 * see main.c.  struct proto_ops, what the socket layer calls, is swapped for every
 * attached socket, and is what accept() hands down to the new file.  So the
 * functions for the latter here must expect sockets without CATS: connections that
 * were made before the listener was attached, and are accepted in the kernel.
 */
#include <linux/module.h>
#include <net/inet_common.h>
#include <net/transp_v6.h>

#include "cats_sock.h"

enum { FAMILY_V4, FAMILY_V6, NR_FAMILIES };

static struct proto cats_prots[NR_FAMILIES] __ro_after_init;
static struct proto_ops cats_ops[NR_FAMILIES];
static const struct proto_ops *base_ops[NR_FAMILIES];
static DEFINE_MUTEX(ops_mutex);

static void __init build_proto(struct proto *prot, const struct proto *base)
{
	*prot = *base;
	prot->sendmsg = cats_sendmsg;
	prot->sendpage = cats_sendpage;
	prot->recvmsg = cats_recvmsg;
	prot->ioctl = cats_ioctl;
	prot->shutdown = cats_shutdown;
	prot->disconnect = cats_disconnect;
	prot->close = cats_close;
	prot->release_cb = cats_release_cb;
	prot->stream_memory_free = cats_stream_memory_free;
}

/**
 * cats_proto_init() - build the operations of connections
 */
void __init cats_proto_init(void)
{
	build_proto(&cats_prots[FAMILY_V4], &tcp_prot);
#if IS_ENABLED(CONFIG_IPV6)
	build_proto(&cats_prots[FAMILY_V6], &tcpv6_prot);
#endif
}

/**
 * cats_proto() - the operations of a connection with CATS
 * @base: those that it has without
 *
 * Return: NULL for a socket that somebody else has taken over.
 */
struct proto *cats_proto(const struct proto *base)
{
	if (base == &tcp_prot)
		return &cats_prots[FAMILY_V4];
#if IS_ENABLED(CONFIG_IPV6)
	if (base == &tcpv6_prot)
		return &cats_prots[FAMILY_V6];
#endif
	return NULL;
}

/*
 * The new file has our operations, as the listener has.  A connection without CATS
 * gets back those of TCP: others replace them without dropping the reference to us
 * (kTLS, IPV6_ADDRFORM), or copy them.
 */
static int cats_accept(struct socket *sock, struct socket *newsock, int flags, bool kern)
{
	int err = inet_accept(sock, newsock, flags, kern);
	const struct proto_ops *ops = newsock->ops;

	if (err || cats_of(newsock->sk) || !ops || ops->owner != THIS_MODULE)
		return err;
	newsock->ops = base_ops[ops == &cats_ops[FAMILY_V4] ? FAMILY_V4 : FAMILY_V6];
	/* Not the last one: @sock has one, too. */
	__module_get(newsock->ops->owner);
	module_put(THIS_MODULE);
	return 0;
}

/* Becomes a listener: those are not armed. */
static int cats_listen(struct socket *sock, int backlog)
{
	struct sock *sk = sock->sk;
	struct cats_sock *cs;
	int err;

	lock_sock(sk);
	cs = cats_of(sk);
	if (cs && sk->sk_state == TCP_CLOSE)
		cats_disarm(sk, cs);
	release_sock(sk);
	err = inet_listen(sock, backlog);
	if (!err)
		return 0;
	lock_sock(sk);
	if (cs && sk->sk_state == TCP_CLOSE)
		cats_arm(sk, cs);
	release_sock(sk);
	return err;
}

/* Becomes a connection, perhaps after it was a listener. */
static int cats_connect(struct socket *sock, struct sockaddr *addr, int len, int flags)
{
	struct sock *sk = sock->sk;
	struct cats_sock *cs;
	int err = 0;

	lock_sock(sk);
	cs = cats_of(sk);
	if (cs && sk->sk_state == TCP_CLOSE && sk->sk_prot == cs->base)
		err = cats_arm(sk, cs);
	if (err)
		err = cats_refuse(cs, CATS_REASON_CONNECT_BUSY);
	release_sock(sk);
	return err ?: inet_stream_connect(sock, addr, len, flags);
}

static void build_ops(struct proto_ops *ops, const struct proto_ops *base)
{
	*ops = *base;
	ops->owner = THIS_MODULE;
	ops->listen = cats_listen;
	ops->connect = cats_connect;
	ops->accept = cats_accept;
	ops->poll = cats_poll;
	ops->setsockopt = cats_setsockopt;
	ops->getsockopt = cats_getsockopt;
	/* For users in the kernel who own the socket; without, they use the above. */
	ops->sendmsg_locked = cats_sendmsg_locked;
	ops->sendpage_locked = NULL;
}

/* Those of the first socket serve all: inet6_stream_ops is not exported. */
static const struct proto_ops *ops_for(const struct proto_ops *base)
{
	int i = base->family == PF_INET ? FAMILY_V4 : FAMILY_V6;

	mutex_lock(&ops_mutex);
	if (!base_ops[i] && base->poll == tcp_poll) {
		build_ops(&cats_ops[i], base);
		base_ops[i] = base;
	}
	mutex_unlock(&ops_mutex);
	return base_ops[i] == base ? &cats_ops[i] : NULL;
}

/**
 * cats_swap_ops() - let the socket layer call us
 * @sock: socket; its sk is locked
 *
 * They stay until the file is released, which drops the reference to their owner.
 *
 * Return: 0, or -EOPNOTSUPP if somebody else has taken the socket over.
 */
int cats_swap_ops(struct socket *sock)
{
	const struct proto_ops *base = sock->ops, *ops;

	if (base->owner == THIS_MODULE)
		return 0;
	ops = ops_for(base);
	if (!ops)
		return -EOPNOTSUPP;
	__module_get(THIS_MODULE);
	WRITE_ONCE(sock->ops, ops);
	module_put(base->owner);
	return 0;
}
