// SPDX-License-Identifier: GPL-2.0
/* See module.h.  All return 0, or -1 with errno. */
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "module.h"

/* Where vm/run puts it. */
#define MODULE_FILE	"/lib/cats/cats.ko"

int module_load(void)
{
	int fd = open(MODULE_FILE, O_RDONLY), ret;

	ret = syscall(SYS_finit_module, fd, "", 0);
	close(fd);
	return ret;
}

int module_unload(void)
{
	return syscall(SYS_delete_module, "cats", O_NONBLOCK);
}

/* The last reference goes when the last socket is destroyed, after close(). */
int module_unload_soon(void)
{
	int tries;

	for (tries = 0; tries < 1000; tries++) {
		if (!module_unload())
			return 0;
		poll(NULL, 0, 1);
	}
	return -1;
}
