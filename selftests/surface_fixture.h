/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fixture of the surface_*.c suites.  Its variants are plain TCP and the ways
 * in which a socket gets CATS.  Every test has one set of expectations for all of
 * them; where CATS differs the test says so by is_cats(), and
 * Documentation/surface.rst in words.
 */
#ifndef _CATS_SURFACE_FIXTURE_H
#define _CATS_SURFACE_FIXTURE_H

#include <errno.h>
#include <string.h>

#include "kselftest_harness.h"
#include "surface.h"

FIXTURE(surface)
{
	struct pair p;
};

FIXTURE_VARIANT(surface)
{
	enum attach_way way;
	int family;
};

FIXTURE_VARIANT_ADD(surface, tcp4)
{
	.way = WAY_TCP, .family = AF_INET,
};

FIXTURE_VARIANT_ADD(surface, cats4)
{
	.way = WAY_CATS, .family = AF_INET,
};

FIXTURE_VARIANT_ADD(surface, early4)
{
	.way = WAY_EARLY, .family = AF_INET,
};

FIXTURE_VARIANT_ADD(surface, child4)
{
	.way = WAY_CHILD, .family = AF_INET,
};

FIXTURE_VARIANT_ADD(surface, tcp6)
{
	.way = WAY_TCP, .family = AF_INET6,
};

FIXTURE_VARIANT_ADD(surface, cats6)
{
	.way = WAY_CATS, .family = AF_INET6,
};

FIXTURE_SETUP(surface)
{
	ASSERT_EQ(0, surface_pair(&self->p, variant->way, variant->family));
}

FIXTURE_TEARDOWN(surface)
{
	loopback_netem(NULL);
	pair_close(&self->p);
}

#define is_cats()	(variant->way != WAY_TCP)

#endif /* _CATS_SURFACE_FIXTURE_H */
