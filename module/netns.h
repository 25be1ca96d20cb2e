/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What each network namespace has of its own: see netns.c.
 */
#ifndef _CATS_NETNS_H
#define _CATS_NETNS_H

#include <linux/sysctl.h>
#include <net/net_namespace.h>

#include "conductor.h"
#include "mib.h"

/**
 * struct cats_net - defaults and limits of a network namespace
 * @net: the namespace
 * @lock: of @debt; taken in any context
 * @conductor: policy of a new socket
 * @debt: parameters of the policy "debt" where it is chosen
 * @max_sockets: how many sockets may have CATS at once, but see
 *	cats_net_max_sockets()
 * @urgency: default tag of a new socket
 * @first_flight: see first_flight.c: longest hold, us
 * @nr_sockets: how many have it now
 * @mib: /proc/net/cats_stat
 * @sysctl: /proc/sys/net/cats
 */
struct cats_net {
	struct net			*net;
	spinlock_t			lock;	/* of @debt */
	const struct cats_conductor_ops	*conductor;
	struct cats_debt_params		debt;
	int				max_sockets;
	int				first_flight;
	u8				urgency;
	atomic_long_t			nr_sockets;
	struct cats_mib __percpu	*mib;
	struct ctl_table_header		*sysctl;
};

struct cats_net *cats_net(const struct net *net);
int cats_net_max_sockets(const struct net *net);

#endif /* _CATS_NETNS_H */
