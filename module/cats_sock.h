/* SPDX-License-Identifier: GPL-2.0 */
/*
 * State of a CATS socket, and what the files of the socket side offer each
 * other.  Unless it says otherwise every function here wants the socket lock:
 * owned by the caller, or its spinlock held in softirq by somebody who found
 * the socket not owned.  cats_sock_held() checks that.
 */
#ifndef _CATS_SOCK_H
#define _CATS_SOCK_H

#include <net/tcp.h>

#include "compat.h"
#include "conductor.h"
#include "txmsg.h"

/**
 * struct cats_sock - state of a CATS socket
 * @conductor: queues and policy
 * @sk: the TCP socket
 * @base: operations of the socket without CATS; all calls go on to them
 * @saved_write_space: the socket's callback without CATS
 * @saved_state_change: likewise
 * @retry: feeds again when there was no memory and no ACK is to come
 * @mem: memory charged to the socket for queued messages, bytes
 * @seen_snd_nxt: snd_nxt when the Feeder last ran, to know where it is called
 *	from, see cats_write_space()
 * @committed_max: see &struct cats_info
 * @budget_max: see &struct cats_info
 * @alloc_failures: see &struct cats_info
 * @reason: why the last refused call was refused, or NULL
 * @reason_errno: errno of that call
 * @urgency: the default tag's
 * @blocked: bit i: writers wait for room for urgency i
 * @nr_blocked: how many, per urgency
 * @last_urgency: of the message that was committed last
 * @pushing: a transmission that we started is running
 * @rcu: readers without the lock: poll
 */
struct cats_sock {
	struct cats_conductor	conductor;
	struct sock		*sk;
	const struct proto	*base;
	void			(*saved_write_space)(struct sock *sk);
	void			(*saved_state_change)(struct sock *sk);
	struct timer_list	retry;
	u32			mem;
	u32			seen_snd_nxt;
	u32			committed_max;
	u32			budget_max;
	u32			alloc_failures;
	const char		*reason;
	int			reason_errno;
	u8			urgency;
	u8			blocked;
	u8			last_urgency;
	bool			pushing;
	u32			nr_blocked[CATS_NR_URGENCIES];
	struct rcu_head		rcu;
};

/**
 * cats_sk() - CATS state of a socket
 * @sk: socket with CATS attached; locked, or a file that refers to it is held
 *
 * It is in sk_user_data and not in icsk_ulp_data, so that another ULP that
 * needs the latter can be below.
 */
static inline struct cats_sock *cats_sk(const struct sock *sk)
{
	/* Neither the lock nor the file is something that lockdep-RCU knows. */
	return (void *)((uintptr_t)rcu_dereference_raw(__sk_user_data(sk)) &
			SK_USER_DATA_PTRMASK);
}

/**
 * cats_sock_held() - assert that the socket lock is held, in either way
 * @sk: socket
 *
 * For lockdep; nothing without it.  Stricter than sock_owned_by_me(), which is
 * content with the spinlock while somebody else owns the socket.  Static checkers
 * cannot tell: lock_sock() has no context that they see.
 */
static inline void cats_sock_held(const struct sock *sk)
{
	lockdep_assert_once(lockdep_is_held(&sk->sk_lock) ||
			    (lockdep_is_held(&sk->sk_lock.slock) &&
			     !sock_owned_by_user_nocheck(sk)));
}

/**
 * cats_refuse() - remember why a call is refused
 * @cs: CATS socket
 * @err: negative errno
 * @reason: text of static storage, shorter than CATS_REASON_MAX
 *
 * Return: @err
 */
static inline int cats_refuse(struct cats_sock *cs, int err, const char *reason)
{
	cs->reason = reason;
	cs->reason_errno = -err;
	return err;
}

/**
 * cats_unsent() - bytes with sequence numbers that were not transmitted
 * @sk: socket
 */
static inline u32 cats_unsent(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	return READ_ONCE(tp->write_seq) - READ_ONCE(tp->snd_nxt);
}

/* admit.c: who may queue how much, and waiting for room */
int cats_mem_limit(const struct sock *sk, unsigned int urgency);
int cats_mem_room(const struct sock *sk, const struct cats_sock *cs,
		  unsigned int urgency);
bool cats_can_ever_fit(const struct sock *sk, unsigned int urgency, size_t need);
void cats_sndbuf_expand(struct sock *sk, unsigned int urgency, size_t need);
bool cats_stream_memory_free(const struct sock *sk, int wake);
int cats_wait_room(struct sock *sk, struct cats_sock *cs, unsigned int urgency,
		   size_t need, const struct cats_txmsg *m, long *timeo);
bool cats_has_room(const struct sock *sk, const struct cats_sock *cs,
		   unsigned int urgency, size_t need, const struct cats_txmsg *m);
void cats_wake_writers(struct sock *sk, struct cats_sock *cs);

/* append.c: bytes of a message become bytes of TCP's write queue */
int cats_append(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m,
		u32 limit, u32 size_goal, gfp_t gfp);
void cats_append_done(struct sock *sk, bool no_nagle);

/* feeder.c: just-in-time feeding of TCP */
u32 cats_burst(const struct sock *sk);
void cats_feed(struct sock *sk, struct cats_sock *cs);
void cats_drain(struct sock *sk, struct cats_sock *cs);
void cats_write_space(struct sock *sk);
void cats_retry_feed(struct timer_list *t);

/* tag.c: what the application says of a message */
const char *cats_tag_check(const struct cats_tag *tag);
int cats_tag_from_msg(struct cats_sock *cs, struct msghdr *msg,
		      struct cats_tag *tag);

/* sendmsg.c */
int cats_sendmsg(struct sock *sk, struct msghdr *msg, size_t size);

/* sockopt.c */
int cats_setsockopt(struct sock *sk, int level, int optname, sockptr_t optval,
		    unsigned int optlen);
int cats_getsockopt(struct sock *sk, int level, int optname,
		    char __user *optval, int __user *optlen);
int cats_ioctl(struct sock *sk, int cmd, unsigned long arg);

/* close.c: ways out of a connection */
void cats_purge(struct sock *sk, struct cats_sock *cs);
void cats_state_change(struct sock *sk);
void cats_shutdown(struct sock *sk, int how);
int cats_disconnect(struct sock *sk, int flags);
void cats_close(struct sock *sk, long timeout);

#endif /* _CATS_SOCK_H */
