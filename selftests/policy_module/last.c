// SPDX-License-Identifier: GPL-2.0
/*
 * A policy in a module of its own: the least urgent first.  For the test that policies
 * come and go as congestion controls do; and the least that one needs.
 */
#include <linux/bitops.h>
#include <linux/module.h>

#include "policy.h"

static unsigned int last_pick(struct cats_conductor *c)
{
	return __fls(c->waiting);
}

static struct cats_conductor_ops last = {
	.name	= "last",
	.owner	= THIS_MODULE,
	.pick	= last_pick,
};

static int __init last_init(void)
{
	return cats_register_conductor(&last);
}

static void __exit last_exit(void)
{
	cats_unregister_conductor(&last);
}

module_init(last_init);
module_exit(last_exit);

MODULE_DESCRIPTION("CATS Conductor for tests: the least urgent first");
MODULE_LICENSE("GPL");
