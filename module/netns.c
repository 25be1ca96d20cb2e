// SPDX-License-Identifier: GPL-2.0
/*
 * Network namespaces: defaults of new sockets, the limit on their number, and the
 * sysctls net.cats.* that set both.
 *
 * A namespace starts with the values that the initial one has at that time.  What
 * is written applies to sockets that attach afterwards; first_flight to all.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <net/netns/generic.h>

#include "cats_sock.h"
#include "netns.h"
#include "policy.h"

/*
 * One CATS socket per 64 KiB of the machine's memory.  The state of a socket takes
 * less than 4 KiB, so one namespace can put 6.25 % of memory into it; what is queued is
 * limited elsewhere, as TCP's.
 */
#define MEMORY_PER_SOCKET	SZ_64K

static unsigned int cats_net_id __read_mostly;
static const unsigned int urgency_max = CATS_URGENCY_MAX;

/**
 * cats_net() - what a network namespace has of its own
 * @net: namespace
 */
struct cats_net *cats_net(const struct net *net)
{
	return net_generic(net, cats_net_id);
}

/*
 * Whoever made a user namespace is root in the network namespaces below it, and
 * can make many; none of them may have more than the administrator grants.
 */
static int max_sockets_ceiling(const struct net *net)
{
	if (net->user_ns == &init_user_ns)
		return INT_MAX;
	return READ_ONCE(cats_net(&init_net)->max_sockets);
}

/**
 * cats_net_max_sockets() - how many sockets of a namespace may have CATS
 * @net: namespace
 *
 * Not above the initial namespace's, which may have been lowered since.
 */
int cats_net_max_sockets(const struct net *net)
{
	return min(READ_ONCE(cats_net(net)->max_sockets), max_sockets_ceiling(net));
}

/**
 * cats_net_get_socket() - count one more CATS socket
 * @net: its namespace
 *
 * Context: any.
 * Return: false, and nothing counted, where there are as many as there may be.
 */
bool cats_net_get_socket(struct net *net)
{
	struct cats_net *cn = cats_net(net);

	if (atomic_long_inc_return(&cn->nr_sockets) <= cats_net_max_sockets(net))
		return true;
	atomic_long_dec(&cn->nr_sockets);
	return false;
}

/**
 * cats_net_put_socket() - a CATS socket is gone
 * @net: its namespace
 *
 * Context: any.
 */
void cats_net_put_socket(struct net *net)
{
	atomic_long_dec(&cats_net(net)->nr_sockets);
}

/**
 * cats_net_plain_child() - a child of a CATS listener became a plain TCP socket
 * @net: its namespace
 *
 * Context: any.
 */
void cats_net_plain_child(struct net *net)
{
	cats_count(cats_net_mib(net), CATS_MIB_PLAIN_CHILDREN);
}

/**
 * cats_net_set_conductor() - choose a policy, with the namespace's parameters
 * @net: namespace of the socket
 * @c: its Conductor
 * @ops: policy, held for it
 */
void cats_net_set_conductor(struct net *net, struct cats_conductor *c,
			    const struct cats_conductor_ops *ops)
{
	struct cats_net *cn = cats_net(net);

	cats_conductor_set_ops(c, ops);
	if (ops != &cats_debt)
		return;
	spin_lock_bh(&cn->lock);
	/* They were checked as they were set. */
	cats_debt_set_params(c, &cn->debt);
	spin_unlock_bh(&cn->lock);
}

/* Another one may be set, and the module of this one go, at any moment. */
static const struct cats_conductor_ops *hold_default(struct net *net)
{
	const struct cats_conductor_ops *ops;

	rcu_read_lock();
	do
		ops = READ_ONCE(cats_net(net)->conductor);
	while (!cats_policy_hold(ops));
	rcu_read_unlock();
	return ops;
}

/**
 * cats_net_defaults() - give a new socket what its namespace has for it
 * @net: namespace
 * @cs: CATS state, not attached yet; policy, parameters and default tag are set
 */
void cats_net_defaults(struct net *net, struct cats_sock *cs)
{
	const struct cats_net *cn = cats_net(net);
	const struct cats_conductor_ops *ops = hold_default(net);

	cats_conductor_init(&cs->conductor, ops);
	cats_net_set_conductor(net, &cs->conductor, ops);
	cs->urgency = READ_ONCE(cn->urgency);
}

/**
 * cats_net_first_flight() - the longest that a first flight may be held
 * @net: namespace
 *
 * Return: us, 0 if it may not be held.
 */
int cats_net_first_flight(const struct net *net)
{
	return READ_ONCE(cats_net(net)->first_flight);
}

static int do_conductor(struct ctl_table *table, int write, void *buffer,
			size_t *lenp, loff_t *ppos)
{
	struct cats_net *cn = container_of(table->data, struct cats_net, conductor);
	const struct cats_conductor_ops *ops;
	/* A name that is cut off here is too long to be one. */
	char name[CATS_CONDUCTOR_NAME_MAX + 1];
	struct ctl_table copy = { .data = name, .maxlen = sizeof(name) };
	int err;

	rcu_read_lock();
	strscpy(name, READ_ONCE(cn->conductor)->name, sizeof(name));
	rcu_read_unlock();
	err = proc_dostring(&copy, write, buffer, lenp, ppos);
	if (err || !write)
		return err;
	ops = cats_policy_get(name);
	if (!ops)
		return cats_refuse_call(cn->net, NULL, CATS_REASON_CONDUCTOR_UNKNOWN);
	cats_policy_put(xchg(&cn->conductor, ops));
	return 0;
}

/* As net.ipv4.tcp_available_congestion_control. */
static int do_available(struct ctl_table *table, int write, void *buffer, size_t *lenp,
			loff_t *ppos)
{
	struct ctl_table copy = { .maxlen = PAGE_SIZE };
	int err;

	copy.data = kmalloc(copy.maxlen, GFP_USER);
	if (!copy.data)
		return -ENOMEM;
	cats_policy_names(copy.data, copy.maxlen);
	err = proc_dostring(&copy, write, buffer, lenp, ppos);
	kfree(copy.data);
	return err;
}

static int set_debt(struct cats_net *cn, size_t offset, const int *values, size_t size)
{
	struct cats_debt_params params;
	enum cats_reason why;

	spin_lock_bh(&cn->lock);
	params = cn->debt;
	memcpy((void *)&params + offset, values, size);
	why = cats_debt_check_params(&params);
	if (!why)
		cn->debt = params;
	spin_unlock_bh(&cn->lock);
	return why ? cats_refuse_call(cn->net, NULL, why) : 0;
}

/* Some member of @debt, at @extra1; all numbers of it are written, or none. */
static int do_debt(struct ctl_table *table, int write, void *buffer, size_t *lenp,
		   loff_t *ppos)
{
	struct cats_net *cn = container_of(table->data, struct cats_net, debt);
	size_t offset = (size_t)table->extra1, given = *lenp;
	int values[CATS_NR_URGENCIES];
	struct ctl_table copy = {
		.data = values, .maxlen = table->maxlen, .extra1 = SYSCTL_ZERO,
	};
	int err;

	spin_lock_bh(&cn->lock);
	memcpy(values, table->data + offset, table->maxlen);
	spin_unlock_bh(&cn->lock);
	/* What is not given is noticed by that. */
	if (write)
		memset(values, 0xff, table->maxlen);
	err = proc_dointvec_minmax(&copy, write, buffer, lenp, ppos);
	if (err || !write)
		return err;
	if (*lenp < given || values[table->maxlen / sizeof(*values) - 1] < 0)
		return cats_refuse_call(cn->net, NULL, CATS_REASON_SYSCTL_NUMBERS);
	return set_debt(cn, offset, values, table->maxlen);
}

static int do_max_sockets(struct ctl_table *table, int write, void *buffer,
			  size_t *lenp, loff_t *ppos)
{
	struct net *net = table->extra2;
	int value = cats_net_max_sockets(net);
	struct ctl_table copy = {
		.data = &value, .maxlen = sizeof(value), .extra1 = SYSCTL_ZERO,
	};
	int err;

	err = proc_dointvec_minmax(&copy, write, buffer, lenp, ppos);
	if (err || !write)
		return err;
	if (value > max_sockets_ceiling(net))
		return cats_refuse_call(net, NULL, CATS_REASON_SYSCTL_MAX_SOCKETS);
	WRITE_ONCE(cats_net(net)->max_sockets, value);
	return 0;
}

/* A counter of @mib that was a sysctl before there was /proc/net/cats_stat. */
static int do_counter(struct ctl_table *table, int write, void *buffer, size_t *lenp,
		      loff_t *ppos)
{
	const struct cats_net *cn = container_of(table->data, struct cats_net, mib);
	unsigned long value = cats_mib_read(cn->net, (unsigned long)table->extra1);
	struct ctl_table copy = { .data = &value, .maxlen = sizeof(value) };

	return proc_doulongvec_minmax(&copy, write, buffer, lenp, ppos);
}

/* The member of struct cats_net that a sysctl is about; its place, for now. */
#define MEMBER(name)	((void *)offsetof(struct cats_net, name))
/* The member of struct cats_debt_params, for do_debt(). */
#define DEBT_AT(name)	((void *)offsetof(struct cats_debt_params, name))
#define DEBT_SIZE(name)	sizeof_field(struct cats_debt_params, name)

static const struct ctl_table sysctls[] = {
	{
		.procname	= "conductor",
		.data		= MEMBER(conductor),
		.mode		= 0644,
		.proc_handler	= do_conductor,
	}, {
		.procname	= "available_conductors",
		.mode		= 0444,
		.proc_handler	= do_available,
	}, {
		.procname	= "urgency",
		.data		= MEMBER(urgency),
		.maxlen		= sizeof(u8),
		.mode		= 0644,
		.proc_handler	= proc_dou8vec_minmax,
		.extra2		= (void *)&urgency_max,
	}, {
		.procname	= "first_flight",
		.data		= MEMBER(first_flight),
		.maxlen		= sizeof(int),
		.mode		= 0644,
		.proc_handler	= proc_dointvec_minmax,
		.extra1		= SYSCTL_ZERO,
		.extra2		= SYSCTL_ONE_THOUSAND,
	}, {
		.procname	= "debt_high",
		.data		= MEMBER(debt),
		.maxlen		= DEBT_SIZE(high),
		.mode		= 0644,
		.proc_handler	= do_debt,
		.extra1		= DEBT_AT(high),
	}, {
		.procname	= "debt_low",
		.data		= MEMBER(debt),
		.maxlen		= DEBT_SIZE(low),
		.mode		= 0644,
		.proc_handler	= do_debt,
		.extra1		= DEBT_AT(low),
	}, {
		.procname	= "debt_payback",
		.data		= MEMBER(debt),
		.maxlen		= DEBT_SIZE(payback),
		.mode		= 0644,
		.proc_handler	= do_debt,
		.extra1		= DEBT_AT(payback),
	}, {
		.procname	= "debt_payback_sum",
		.data		= MEMBER(debt),
		.maxlen		= DEBT_SIZE(payback_sum),
		.mode		= 0644,
		.proc_handler	= do_debt,
		.extra1		= DEBT_AT(payback_sum),
	}, {
		.procname	= "max_sockets",
		.data		= MEMBER(max_sockets),
		.mode		= 0644,
		.proc_handler	= do_max_sockets,
	}, {
		.procname	= "sockets",
		.data		= MEMBER(mib),
		.mode		= 0444,
		.proc_handler	= do_counter,
		.extra1		= (void *)CATS_MIB_CURR_SOCKETS,
	}, {
		.procname	= "plain_children",
		.data		= MEMBER(mib),
		.mode		= 0444,
		.proc_handler	= do_counter,
		.extra1		= (void *)CATS_MIB_PLAIN_CHILDREN,
	},
	{}
};

static int register_sysctls(struct net *net, struct cats_net *cn)
{
	struct ctl_table *table = kmemdup(sysctls, sizeof(sysctls), GFP_KERNEL);
	struct ctl_table *entry;

	if (!table)
		return -ENOMEM;
	for (entry = table; entry->procname; entry++) {
		if (entry->proc_handler != do_available)
			entry->data = (void *)cn + (size_t)entry->data;
		if (entry->proc_handler == do_max_sockets)
			entry->extra2 = net;
	}
	cn->sysctl = register_net_sysctl(net, "net/cats", table);
	if (cn->sysctl)
		return 0;
	kfree(table);
	return -ENOMEM;
}

static void init_values(struct cats_net *cn)
{
	cn->conductor = cats_conductors[0];
	cn->debt = cats_debt_defaults;
	cn->urgency = CATS_URGENCY_DEFAULT;
	cn->first_flight = USEC_PER_MSEC;
	cn->max_sockets = min_t(u64, INT_MAX, ((u64)totalram_pages() << PAGE_SHIFT) /
				MEMORY_PER_SOCKET);
}

static void copy_values(struct cats_net *cn, struct cats_net *from)
{
	cn->conductor = hold_default(&init_net);
	cn->urgency = READ_ONCE(from->urgency);
	cn->first_flight = READ_ONCE(from->first_flight);
	cn->max_sockets = READ_ONCE(from->max_sockets);
	spin_lock_bh(&from->lock);
	cn->debt = from->debt;
	spin_unlock_bh(&from->lock);
}

static int __net_init net_init(struct net *net)
{
	struct cats_net *cn = cats_net(net);
	int err = cats_mib_init(net);

	if (err)
		return err;
	cn->net = net;
	spin_lock_init(&cn->lock);
	if (net_eq(net, &init_net))
		init_values(cn);
	else
		copy_values(cn, cats_net(&init_net));
	err = register_sysctls(net, cn);
	if (err) {
		cats_policy_put(cn->conductor);
		cats_mib_exit(net);
	}
	return err;
}

static void __net_exit net_exit(struct net *net)
{
	struct cats_net *cn = cats_net(net);
	const struct ctl_table *table = cn->sysctl->ctl_table_arg;

	unregister_net_sysctl_table(cn->sysctl);
	kfree(table);
	cats_policy_put(cn->conductor);
	DEBUG_NET_WARN_ON_ONCE(atomic_long_read(&cn->nr_sockets));
	cats_mib_exit(net);
}

static struct pernet_operations cats_net_ops = {
	.init	= net_init,
	.exit	= net_exit,
	.id	= &cats_net_id,
	.size	= sizeof(struct cats_net),
};

/**
 * cats_net_init() - set up all namespaces, and those to come
 *
 * Return: 0 or -ENOMEM.
 */
int __init cats_net_init(void)
{
	return register_pernet_subsys(&cats_net_ops);
}

/**
 * cats_net_exit() - undo that; no CATS socket is left
 */
void cats_net_exit(void)
{
	unregister_pernet_subsys(&cats_net_ops);
}
