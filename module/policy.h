/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Policies by name: see policy.c.
 */
#ifndef _CATS_POLICY_H
#define _CATS_POLICY_H

#include "conductor.h"

int cats_register_conductor(struct cats_conductor_ops *ops);
void cats_unregister_conductor(struct cats_conductor_ops *ops);

const struct cats_conductor_ops *cats_policy_get(const char *name);
bool cats_policy_hold(const struct cats_conductor_ops *ops);
void cats_policy_put(const struct cats_conductor_ops *ops);
void cats_policy_names(char *buf, size_t size);
void cats_policy_init(void);

#endif /* _CATS_POLICY_H */
