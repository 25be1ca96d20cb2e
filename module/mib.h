/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters of a network namespace, /proc/net/cats_stat: see mib.c.
 */
#ifndef _CATS_MIB_H
#define _CATS_MIB_H

#include <linux/percpu.h>
#include <net/net_namespace.h>

/*
 * MIB(name, name in the file, what it counts).  CatsCurr*, the first: how many now; all
 * others: since the module was loaded or the namespace was made.  This is the list that
 * cats(7) has.
 */
#define CATS_MIBS(MIB)								\
	MIB(CURR_SOCKETS, "CatsCurrSockets",					\
	    "sockets with CATS, listeners among them")				\
	MIB(CURR_MSGS, "CatsCurrMsgs",						\
	    "messages that the Conductor has")					\
	MIB(CURR_BLOCKED, "CatsCurrBlocked",					\
	    "writes that sleep until there is room")				\
	MIB(ATTACHED, "CatsAttached",						\
	    "sockets that were attached by setsockopt(2)")			\
	MIB(ACCEPTED, "CatsAccepted",						\
	    "connections of CATS listeners that got CATS")			\
	MIB(PLAIN_CHILDREN, "CatsPlainChildren",				\
	    "likewise, that became plain TCP: no memory, or over the limit")	\
	MIB(REFUSED, "CatsRefused",						\
	    "calls that were refused with a reason")				\
	MIB(MSGS, "CatsMsgs",							\
	    "messages that were queued")					\
	MIB(DIRECT, "CatsDirect",						\
	    "writes that TCP got directly, as nothing waited")			\
	MIB(SENT_MSGS, "CatsSentMsgs",						\
	    "queued messages that were committed to their end")			\
	MIB(SENT_BYTES, "CatsSentBytes",					\
	    "bytes that were committed, of queued and direct ones")		\
	MIB(PICKS, "CatsPicks",							\
	    "decisions: messages that were begun")				\
	MIB(PICKS_URGENT, "CatsPicksUrgent",					\
	    "decisions for a class while a less urgent one waited")		\
	MIB(PICKS_PASSED_OVER, "CatsPicksPassedOver",				\
	    "decisions for a class while a more urgent one waited")		\
	MIB(EXPIRED, "CatsExpired",						\
	    "messages dropped, their lifetime was over")			\
	MIB(CANCELLED, "CatsCancelled",						\
	    "messages dropped by CATS_CANCEL")					\
	MIB(REPLACED, "CatsReplaced",						\
	    "messages dropped for one with CATS_F_REPLACE")			\
	MIB(SHED, "CatsShed",							\
	    "messages dropped by a rule of CATS_ADMIT")				\
	MIB(PURGED, "CatsPurged",						\
	    "messages dropped because the connection had ended")		\
	MIB(REPRIORITIZED, "CatsReprioritized",					\
	    "messages moved by CATS_REPRIORITIZE")				\
	MIB(BLOCKED, "CatsBlocked",						\
	    "writes that had to sleep until there was room")			\
	MIB(NO_ROOM, "CatsNoRoom",						\
	    "writes that ended early for want of room: EAGAIN, or a part")	\
	MIB(HOLDS, "CatsHolds",							\
	    "first flights that were held for a time")				\
	MIB(BATCHES, "CatsBatches",						\
	    "first flights that waited for the end of a sendmmsg(2)")		\
	MIB(DRAINS, "CatsDrains",						\
	    "queues that went to TCP at once, before a FIN or for TCP_REPAIR")	\
	MIB(FEED_NO_MEMORY, "CatsFeedNoMemory",					\
	    "times that the Feeder found no memory")				\
	MIB(NOTICES_LOST, "CatsNoticesLost",					\
	    "notices for which there was no memory, or no room")

#define CATS_MIB_INDEX(name, file_name, text)	CATS_MIB_##name,

enum cats_mib_index {
	CATS_MIBS(CATS_MIB_INDEX)
	CATS_NR_MIBS
};

/**
 * struct cats_mib - counters of one processor
 * @count: indexed by enum cats_mib_index; a gauge may be below 0 here
 */
struct cats_mib {
	unsigned long	count[CATS_NR_MIBS];
};

/**
 * cats_count_add() - count
 * @mib: counters of the namespace
 * @i: which
 * @n: how many; wraps around, so that it may be negative for a gauge
 *
 * Context: any.
 */
static inline void cats_count_add(struct cats_mib __percpu *mib, enum cats_mib_index i,
				  unsigned long n)
{
	this_cpu_add(mib->count[i], n);
}

/**
 * cats_count() - count one more
 * @mib: counters of the namespace
 * @i: which
 */
static inline void cats_count(struct cats_mib __percpu *mib, enum cats_mib_index i)
{
	cats_count_add(mib, i, 1);
}

/**
 * cats_count_down() - one less, of a gauge
 * @mib: counters of the namespace
 * @i: which
 */
static inline void cats_count_down(struct cats_mib __percpu *mib, enum cats_mib_index i)
{
	cats_count_add(mib, i, -1UL);
}

struct cats_mib __percpu *cats_net_mib(const struct net *net);
unsigned long cats_mib_read(const struct net *net, enum cats_mib_index i);
int cats_mib_init(struct net *net);
void cats_mib_exit(struct net *net);

#endif /* _CATS_MIB_H */
