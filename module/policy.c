// SPDX-License-Identifier: GPL-2.0
/*
 * The policies that there are, by name.  Other modules can bring some, as they can bring
 * congestion controls (net/ipv4/tcp_cong.c, whose locking this follows): a socket or a
 * namespace that uses one keeps its module.
 */
#include <linux/module.h>
#include <linux/rculist.h>

#include "cats_sock.h"
#include "policy.h"

static DEFINE_SPINLOCK(policies_lock);
static LIST_HEAD(policies);

/* Wants the lock, or rcu_read_lock(). */
static const struct cats_conductor_ops *find(const char *name)
{
	const struct cats_conductor_ops *ops;

	list_for_each_entry_rcu(ops, &policies, list, lockdep_is_held(&policies_lock))
		if (!strcmp(ops->name, name))
			return ops;
	return NULL;
}

static bool is_name(const char *name)
{
	size_t len = strnlen(name, CATS_CONDUCTOR_NAME_MAX);

	return len && len < CATS_CONDUCTOR_NAME_MAX && !strpbrk(name, " \t\n");
}

/**
 * cats_register_conductor() - make a policy available
 * @ops: policy, with a name and a pick(); must stay valid until it is unregistered
 *
 * Context: process.
 * Return: 0; -EINVAL without a name or pick(); -EEXIST if the name is taken.
 */
int cats_register_conductor(struct cats_conductor_ops *ops)
{
	int err = 0;

	if (!is_name(ops->name) || !ops->pick)
		return -EINVAL;
	spin_lock(&policies_lock);
	if (find(ops->name))
		err = -EEXIST;
	else
		list_add_tail_rcu(&ops->list, &policies);
	spin_unlock(&policies_lock);
	return err;
}

/**
 * cats_unregister_conductor() - make a policy unavailable
 * @ops: policy; nobody uses it any more if its module could be unloaded
 *
 * Context: process; waits for those who are just looking.
 */
void cats_unregister_conductor(struct cats_conductor_ops *ops)
{
	spin_lock(&policies_lock);
	list_del_rcu(&ops->list);
	spin_unlock(&policies_lock);
	synchronize_rcu();
}

/**
 * cats_policy_get() - a policy by its name
 * @name: name
 *
 * Context: any.
 * Return: the policy, whose module is kept until cats_policy_put(); NULL if there is
 * none of that name.
 */
const struct cats_conductor_ops *cats_policy_get(const char *name)
{
	const struct cats_conductor_ops *ops;

	rcu_read_lock();
	ops = find(name);
	if (ops && !cats_policy_hold(ops))
		ops = NULL;
	rcu_read_unlock();
	return ops;
}

/**
 * cats_policy_hold() - one more user of a policy
 * @ops: policy that somebody uses, or that was found under rcu_read_lock()
 *
 * Context: any.
 * Return: false if its module is being unloaded.
 */
bool cats_policy_hold(const struct cats_conductor_ops *ops)
{
	/* Ours are used by sockets only, which keep this module anyway. */
	return ops->owner == THIS_MODULE || try_module_get(ops->owner);
}

/**
 * cats_policy_put() - a user of a policy less
 * @ops: policy
 *
 * Context: any.
 */
void cats_policy_put(const struct cats_conductor_ops *ops)
{
	if (ops->owner != THIS_MODULE)
		module_put(ops->owner);
}

/**
 * cats_policy_names() - the names of all policies, with spaces between them
 * @buf: where they go
 * @size: room there, bytes
 */
void cats_policy_names(char *buf, size_t size)
{
	const struct cats_conductor_ops *ops;
	size_t at = 0;

	*buf = '\0';
	rcu_read_lock();
	list_for_each_entry_rcu(ops, &policies, list)
		at += scnprintf(buf + at, size - at, "%s%s", at ? " " : "", ops->name);
	rcu_read_unlock();
}

/**
 * cats_policy_init() - register the policies of this module
 */
void __init cats_policy_init(void)
{
	unsigned int i;

	for (i = 0; i < CATS_NR_CONDUCTORS; i++) {
		cats_conductors[i]->owner = THIS_MODULE;
		list_add_tail_rcu(&cats_conductors[i]->list, &policies);
	}
}
