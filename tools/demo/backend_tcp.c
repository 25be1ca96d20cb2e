// SPDX-License-Identifier: GPL-2.0
/* tcp: messages are written in the order in which the application makes them. */
#include "sender.h"

static void tcp_setup(struct conn *c)
{
	(void)c;
}

static bool tcp_submit(struct conn *c, const struct message *m)
{
	return conn_finish_partial(c) && conn_write(c, m);
}

static void tcp_writable(struct conn *c)
{
	conn_finish_partial(c);
}

const struct backend backend_tcp = {
	.name = "tcp",
	.setup = tcp_setup,
	.submit = tcp_submit,
	.writable = tcp_writable,
};
