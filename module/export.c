// SPDX-License-Identifier: GPL-2.0
/*
 * What cats.ko offers to modules that bring policies.  In a file of its own because the
 * module with the KUnit suites has all the others, too, and a symbol can be exported once.
 */
#include <linux/export.h>

#include "policy.h"

EXPORT_SYMBOL_GPL(cats_register_conductor);
EXPORT_SYMBOL_GPL(cats_unregister_conductor);
EXPORT_SYMBOL_GPL(cats_conductor_first);
