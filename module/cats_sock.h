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
#include "mib.h"
#include "txmsg.h"

/**
 * struct cats_drops - messages of one urgency that were not sent, as in
 *	&struct cats_wait_info
 * @expired: their lifetime was over
 * @cancelled: taken back, or replaced
 * @shed: dropped by a rule of CATS_ADMIT
 * @refused: writes refused by a rule of CATS_ADMIT
 */
struct cats_drops {
	u32	expired;
	u32	cancelled;
	u32	shed;
	u32	refused;
};

/**
 * struct cats_sock - state of a CATS socket
 * @conductor: queues and policy
 * @sk: the TCP socket
 * @mib: counters of its namespace
 * @base: operations of the socket without CATS; all calls go on to them
 * @saved_write_space: the socket's callback without CATS
 * @saved_state_change: likewise
 * @timer: feeds again when there was no memory and no ACK is to come, and ends
 *	MSG_MORE chains that nobody continues
 * @hold_timer: ends @holding; it has a reference to the socket while it is pending
 * @chains: per urgency, the message that the next call of the class continues, or
 *	NULL; see chain.c
 * @whole_chains: bit i: that of urgency i is whole, so what it holds cannot be sent
 * @txstamps: see txstamp.c
 * @unsent: messages that are committed and not all transmitted, and whose end is to
 *	be told of, in the order of their sequence numbers
 * @unacked: likewise, transmitted and not all acknowledged
 * @mem: memory charged to the socket for queued messages, bytes
 * @held_bytes: bytes in unfinished messages that the Conductor does not have yet
 * @dropped_bytes: bytes that were accepted and are not sent, see drop.c
 * @seen_snd_nxt: snd_nxt when the Feeder last ran, to know where it is called
 *	from, see cats_write_space()
 * @committed_max: see &struct cats_info
 * @budget_max: see &struct cats_info
 * @alloc_failures: see &struct cats_info
 * @notices_lost: see &struct cats_info
 * @reason: why the last refused call was refused: enum cats_reason
 * @drops: per urgency
 * @settings_lock: held to change what accepted sockets inherit, beside the socket
 *	lock, which they cannot take
 * @urgency: the default tag's
 * @admit: CATS_ADMIT
 * @poll_urgency: EPOLLOUT is about; CATS_POLL_DEFAULT_TAG for the default tag's
 * @wanted: bit i: poll() or a write was told that there is no room for urgency
 *	i; set without the lock
 * @refused: memory that the last write of a class wanted, and did not get; 0
 *	once one was accepted
 * @blocked: bit i: writers wait in cats_wait_room() for urgency i
 * @sleeping: bit i: of these, at least one was not woken since it went to sleep
 * @nr_blocked: how many, per urgency
 * @least_need: memory that these want, at least
 * @turn: number of a class that is blocked; the lowest is first, see wait.c
 * @last_turn: the last number that was given out
 * @turn_from: admitted_bytes() when a class became first
 * @last_urgency: of the message that was committed last
 * @traced_in_debt: bit i: class i was in debt when that was traced last
 * @traced_debt: bit i: likewise, it had any debt
 * @pushing: a transmission that we started is running
 * @batch: nothing goes before the end of a sendmmsg(), see first_flight.c
 * @holding: what is less urgent than the default is held, see first_flight.c
 * @hold_over: that has ended while somebody owned the socket; with its spinlock
 * @rcu: readers without the lock: poll
 */
struct cats_sock {
	struct cats_conductor	conductor;
	struct sock		*sk;
	struct cats_mib __percpu *mib;
	const struct proto	*base;
	void			(*saved_write_space)(struct sock *sk);
	void			(*saved_state_change)(struct sock *sk);
	struct timer_list	timer;
	struct hrtimer		hold_timer;
	struct cats_txmsg	*chains[CATS_NR_URGENCIES];
	struct list_head	txstamps;
	struct list_head	unsent;
	struct list_head	unacked;
	u32			mem;
	u32			held_bytes;
	u32			dropped_bytes;
	u32			seen_snd_nxt;
	u32			committed_max;
	u32			budget_max;
	u32			alloc_failures;
	u32			notices_lost;
	u32			reason;
	struct cats_drops	drops[CATS_NR_URGENCIES];
	/* what accepted sockets inherit, beside the socket lock */
	spinlock_t		settings_lock;
	struct cats_admit	admit;
	u8			urgency;
	s8			poll_urgency;
	u8			whole_chains;
	u8			blocked;
	u8			sleeping;
	u8			last_urgency;
	u8			traced_in_debt;
	u8			traced_debt;
	bool			pushing;
	bool			batch;
	bool			holding;
	bool			hold_over;
	unsigned long		wanted;
	u32			refused[CATS_NR_URGENCIES];
	u32			nr_blocked[CATS_NR_URGENCIES];
	u32			least_need[CATS_NR_URGENCIES];
	u32			turn[CATS_NR_URGENCIES];
	u32			last_turn;
	u64			turn_from;
	struct rcu_head		rcu;
};

/**
 * cats_sk() - CATS state of a socket
 * @sk: socket with CATS attached; locked, or a file that refers to it is held
 *
 * Valid from attaching until the socket is destroyed.  sk_user_data points to it,
 * too, while the socket is armed: so others who need that field keep away.
 */
static inline struct cats_sock *cats_sk(const struct sock *sk)
{
	/* Neither the lock nor the file is something that lockdep-RCU knows. */
	return rcu_dereference_raw(inet_csk(sk)->icsk_ulp_data);
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
 * cats_unsent() - bytes with sequence numbers that were not transmitted
 * @sk: socket
 */
static inline u32 cats_unsent(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	return READ_ONCE(tp->write_seq) - READ_ONCE(tp->snd_nxt);
}

/**
 * cats_send_ended() - is there an error, or has our side ended?
 * @sk: socket, need not be locked
 */
static inline bool cats_send_ended(const struct sock *sk)
{
	return READ_ONCE(sk->sk_err) || (READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN);
}

/**
 * cats_queued_bytes() - bytes accepted that have no sequence numbers yet
 * @cs: CATS socket; without the lock the answer is a little old
 */
static inline u64 cats_queued_bytes(const struct cats_sock *cs)
{
	return READ_ONCE(cs->conductor.queued_bytes) + READ_ONCE(cs->held_bytes);
}

/* main.c: attaching */
extern struct tcp_ulp_ops cats_ulp;

struct cats_sock *cats_of(const struct sock *sk);
int cats_arm(struct sock *sk, struct cats_sock *cs);
void cats_disarm(struct sock *sk, struct cats_sock *cs);

/* proto.c: operations of CATS sockets */
void cats_proto_init(void);
struct proto *cats_proto(const struct proto *base);
int cats_swap_ops(struct socket *sock);

/* admit.c: who may queue how much */
int cats_mem_limit(const struct sock *sk, unsigned int urgency);
int cats_mem_room(const struct sock *sk, const struct cats_sock *cs,
		  unsigned int urgency);
bool cats_can_ever_fit(const struct sock *sk, unsigned int urgency, size_t need);
void cats_sndbuf_expand(struct sock *sk, unsigned int urgency, size_t need);
bool cats_ran_dry(const struct cats_sock *cs, const struct cats_txmsg *m);
bool cats_has_room(const struct sock *sk, const struct cats_sock *cs,
		   unsigned int urgency, size_t need, const struct cats_txmsg *m);
bool cats_worth_trying(const struct sock *sk, const struct cats_sock *cs,
		       unsigned int urgency, u32 need);

/* shed.c: what to do when too much is queued */
u64 cats_rate(const struct sock *sk);
bool cats_admit_refuses(struct cats_sock *cs, unsigned int urgency);
bool cats_admit_drops(const struct sock *sk, const struct cats_sock *cs,
		      unsigned int urgency, size_t len);
void cats_drop_unqueued(struct sock *sk, struct cats_sock *cs, const struct cats_tag *tag,
			u32 len);
bool cats_drop_whole(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m);
void cats_shed(struct sock *sk, struct cats_sock *cs);

/* wait.c: writers that sleep until there is room */
bool cats_may_write(const struct sock *sk, const struct cats_sock *cs,
		    unsigned int urgency, size_t need,
		    const struct cats_txmsg *m, long timeo);
void cats_write_accepted(struct sock *sk, struct cats_sock *cs,
			 unsigned int urgency);
bool cats_sleepers_due(struct sock *sk, struct cats_sock *cs);
int cats_wait_room(struct sock *sk, struct cats_sock *cs, unsigned int urgency,
		   size_t need, const struct cats_txmsg *m, long *timeo);

/* poll.c: who is told that there is room */
bool cats_stream_memory_free(const struct sock *sk, int wake);
void cats_want_room(struct sock *sk, struct cats_sock *cs, unsigned int urgency);
__poll_t cats_poll(struct file *file, struct socket *sock, poll_table *wait);
void cats_wake_writers(struct sock *sk, struct cats_sock *cs);
void cats_poll_changed(struct sock *sk, struct cats_sock *cs);
void cats_arm_hook(struct sock *sk, const struct cats_sock *cs);

/* append.c: bytes of a message become bytes of TCP's write queue */
int cats_append(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m,
		u32 limit, u32 size_goal, gfp_t gfp);
void cats_skip_nagle(struct sock *sk);
void cats_append_done(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m);

/* feeder.c: just-in-time feeding of TCP */
void cats_sent_whole(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m);
bool cats_committed(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m, u32 bytes);
u32 cats_burst(const struct sock *sk);
void cats_feed(struct sock *sk, struct cats_sock *cs);
void cats_feed_all(struct sock *sk, struct cats_sock *cs);
void cats_feed_atomic(struct sock *sk, struct cats_sock *cs);
void cats_drain(struct sock *sk, struct cats_sock *cs);
void cats_write_space(struct sock *sk);
void cats_timer(struct timer_list *t);
void cats_timer_by(struct sock *sk, struct cats_sock *cs, unsigned long when);
bool cats_can_send(const struct sock *sk);

/* first_flight.c: what goes first on a connection that was idle */
void cats_flight_init(struct cats_sock *cs);
void cats_flight_begin(struct sock *sk, struct cats_sock *cs, unsigned int urgency,
		       bool batch);
bool cats_may_go(const struct cats_sock *cs, unsigned int urgency);
void cats_flight_end(const struct sock *sk, struct cats_sock *cs);
void cats_flight_stop(struct sock *sk, struct cats_sock *cs);
void cats_batch_over(const struct sock *sk, struct cats_sock *cs);
void cats_batch_end(struct sock *sk, struct cats_sock *cs);
void cats_release_cb(struct sock *sk);

/* reason.c: why a call is refused */
const char *cats_reason_text(unsigned int reason);
int cats_reason_errno(unsigned int reason);
int cats_refuse_call(struct net *net, const struct sock *sk, enum cats_reason reason);
int cats_refuse(struct cats_sock *cs, enum cats_reason reason);

/* tag.c: what the application says of a message */
enum cats_reason cats_tag_check(const struct cats_tag *tag);
enum cats_reason cats_tag_check_default(const struct cats_tag *tag);
int cats_tag_from_msg(struct cats_sock *cs, struct msghdr *msg,
		      struct cats_tag *tag);

/* chain.c: messages longer than one call */
struct cats_txmsg *cats_chain_join(struct cats_sock *cs, unsigned int urgency,
				   bool whole);
void cats_chain_queue(struct cats_sock *cs, struct cats_txmsg *m, bool open);
void cats_chain_leave(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m);
void cats_chain_end(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m);
void cats_chain_end_all(struct sock *sk, struct cats_sock *cs);
void cats_chain_drop_all(struct sock *sk, struct cats_sock *cs);
u32 cats_chain_hold(const struct sock *sk, const struct cats_txmsg *m);
bool cats_chain_begin(struct sock *sk, struct cats_sock *cs, bool flush);
void cats_chain_expire(struct sock *sk, struct cats_sock *cs);

/* drop.c: what is not sent after all */
void cats_drop(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m,
	       enum cats_event event);
bool cats_expire(struct sock *sk, struct cats_sock *cs);
void cats_expire_later(struct sock *sk, struct cats_sock *cs);
void cats_enqueue(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m);
int cats_change(struct sock *sk, struct cats_sock *cs, struct cats_change *change,
		bool cancel);

/* txstamp.c: transmit time stamps of messages that overtake */
void cats_txstamp_request(struct sock *sk, struct cats_sock *cs,
			  struct cats_txmsg *m, u16 tsflags);
void cats_txstamp_mark(struct sock *sk, struct cats_sock *cs,
		       struct cats_txmsg *m, struct sk_buff *skb);
void cats_txstamp_free(struct sock *sk, struct cats_txmsg *m);
void cats_txstamp_purge(struct sock *sk, struct cats_sock *cs);
int cats_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags,
		 int *addr_len);

/* notice.c: what became of a message */
void cats_notify(struct sock *sk, struct cats_sock *cs, const struct cats_txmsg *m,
		 enum cats_event event);
void cats_notify_unqueued(struct sock *sk, struct cats_sock *cs,
			  const struct cats_tag *tag, u32 len, enum cats_event event);
void cats_notice_begun(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m,
		       u32 bytes, u64 now_ns);
void cats_notice_watch(struct sock *sk, struct cats_sock *cs, struct cats_txmsg *m);
void cats_notice_progress(struct sock *sk, struct cats_sock *cs);
void cats_notice_drop_all(struct sock *sk, struct cats_sock *cs);
bool cats_notices_only(struct sock *sk);
bool cats_notice_recv(struct sock *sk, struct msghdr *msg);

/**
 * cats_notices_due() - is there a message of which there is more to tell?
 * @cs: CATS socket
 */
static inline bool cats_notices_due(const struct cats_sock *cs)
{
	return !list_empty(&cs->unsent) || !list_empty(&cs->unacked);
}

/* sendmsg.c */
int cats_sendmsg_locked(struct sock *sk, struct msghdr *msg, size_t size);
int cats_sendmsg(struct sock *sk, struct msghdr *msg, size_t size);
int cats_sendpage(struct sock *sk, struct page *page, int offset, size_t size,
		  int flags);

/**
 * cats_attached() - is it a CATS socket, and armed?
 * @sk: TCP socket, need not be locked
 *
 * If so cats_sk() is valid as long as a file that refers to the socket is held.
 */
static inline bool cats_attached(const struct sock *sk)
{
	/* Pairs with the release when the operations are swapped. */
	return smp_load_acquire(&sk->sk_prot)->sendmsg == cats_sendmsg;
}

/* info.c: the state of a socket, for those who ask */
void cats_fill_info(const struct sock *sk, const struct cats_sock *cs,
		    struct cats_info *info);
int cats_diag_info(struct sock *sk, struct sk_buff *skb);
size_t cats_diag_info_size(const struct sock *sk);

/**
 * struct cats_pick_info - a decision, for the tracepoint cats_pick
 * @m: message, NULL if it was not queued
 * @len: its bytes
 * @urgency: class
 * @waiting: bit i: class i waits
 * @why: enum cats_pick
 */
struct cats_pick_info {
	const struct cats_txmsg	*m;
	u32			len;
	u8			urgency;
	u8			waiting;
	u8			why;
};

/**
 * struct cats_commit - bytes that were committed, for the tracepoint cats_commit
 * @m: message, NULL if it was not queued
 * @delay_ns: from its being queued to its being begun, ns
 * @bytes: how many
 * @offset: of the first of them in the message
 * @left: bytes of it that are not committed
 * @urgency: class
 */
struct cats_commit {
	const struct cats_txmsg	*m;
	u64			delay_ns;
	u32			bytes;
	u32			offset;
	u32			left;
	u8			urgency;
};

/* trace.c: what tracepoints tell, and what is counted with them */
void cats_trace_addresses(const struct sock *sk, const struct request_sock *req,
			  struct in6_addr *saddr, struct in6_addr *daddr);
void cats_note_begin(const struct sock *sk, const struct cats_sock *cs,
		     const struct cats_txmsg *m);
void cats_note_commit(const struct sock *sk, struct cats_sock *cs,
		      const struct cats_txmsg *m, u32 bytes);
void cats_note_direct(const struct sock *sk, struct cats_sock *cs, unsigned int urgency,
		      u32 bytes);

/* sockopt.c */
int cats_setsockopt(struct socket *sock, int level, int optname,
		    sockptr_t optval, unsigned int optlen);
int cats_getsockopt(struct socket *sock, int level, int optname,
		    char __user *optval, int __user *optlen);
int cats_ioctl(struct sock *sk, int cmd, unsigned long arg);

/* netns.c: what each network namespace sets and limits */
bool cats_net_get_socket(struct net *net);
void cats_net_put_socket(struct net *net);
void cats_net_plain_child(struct net *net);
void cats_net_set_conductor(struct net *net, struct cats_conductor *c,
			    const struct cats_conductor_ops *ops);
void cats_net_defaults(struct net *net, struct cats_sock *cs);
int cats_net_first_flight(const struct net *net);
int cats_net_init(void);
void cats_net_exit(void);

/* close.c: ways out of a connection */
void cats_purge(struct sock *sk, struct cats_sock *cs);
void cats_state_change(struct sock *sk);
void cats_shutdown(struct sock *sk, int how);
int cats_disconnect(struct sock *sk, int flags);
void cats_close(struct sock *sk, long timeout);

#endif /* _CATS_SOCK_H */
