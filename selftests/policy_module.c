// SPDX-License-Identifier: GPL-2.0
/*
 * A policy that another module brings: who uses it keeps that module, and nobody else.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "cats_test.h"
#include "kselftest_harness.h"
#include "module.h"
#include "surface.h"

#define POLICY_FILE	"/lib/cats/cats_last.ko"
#define POLICY_MODULE	"cats_last"

FIXTURE(policy_module)
{
	struct pair p;
};

FIXTURE_SETUP(policy_module)
{
	ASSERT_EQ(0, pair_open(&self->p, AF_INET));
	ASSERT_EQ(0, attach(self->p.tx));
	ASSERT_EQ(0, module_load_file(POLICY_FILE));
}

FIXTURE_TEARDOWN(policy_module)
{
	pair_close(&self->p);
	/* The state of the last socket is freed a little later. */
	EXPECT_EQ(0, module_unload_soon_named(POLICY_MODULE));
}

TEST_F(policy_module, decides)
{
	struct frame frame;
	int i;

	ASSERT_EQ(0, set_conductor(self->p.tx, "last"));
	ASSERT_LT(0, fill_tcp(self->p.tx));
	for (i = 0; i < 7; i++)
		ASSERT_EQ(100, send_frame(self->p.tx, i, i, 100, 0));
	for (i = 6; i >= 0; i--) {
		ASSERT_EQ(1, read_own(self->p.rx, &frame));
		EXPECT_EQ(i, (int)frame.id);
	}
}

TEST_F(policy_module, a_socket_keeps_it)
{
	ASSERT_EQ(0, set_conductor(self->p.tx, "last"));
	EXPECT_ERRNO(EWOULDBLOCK, module_unload_named(POLICY_MODULE));
	ASSERT_EQ(0, set_conductor(self->p.tx, "strict"));
	ASSERT_EQ(0, module_unload_named(POLICY_MODULE));
	EXPECT_ERRNO(ENOENT, set_conductor(self->p.tx, "last"));
	ASSERT_EQ(0, module_load_file(POLICY_FILE));
}

TEST_F(policy_module, an_accepted_socket_keeps_it)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0), client, child;
	struct address addr;

	client = socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(0, surface_listen(listener, AF_INET, &addr));
	ASSERT_EQ(0, attach(listener));
	ASSERT_EQ(0, set_conductor(listener, "last"));
	ASSERT_EQ(0, surface_connect(client, &addr));
	child = accept(listener, NULL, NULL);
	close(listener);
	EXPECT_ERRNO(EWOULDBLOCK, module_unload_named(POLICY_MODULE));
	close(child);
	close(client);
	EXPECT_EQ(0, module_unload_soon_named(POLICY_MODULE));
	ASSERT_EQ(0, module_load_file(POLICY_FILE));
}

TEST_F(policy_module, the_default_keeps_it)
{
	ASSERT_EQ(0, write_sysctl("net/cats/conductor", "last"));
	EXPECT_ERRNO(EWOULDBLOCK, module_unload_named(POLICY_MODULE));
	ASSERT_EQ(0, write_sysctl("net/cats/conductor", "bounded"));
}

TEST_HARNESS_MAIN
