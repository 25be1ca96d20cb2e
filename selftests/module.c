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

int module_load_file(const char *file)
{
	int fd = open(file, O_RDONLY), ret;

	ret = syscall(SYS_finit_module, fd, "", 0);
	close(fd);
	return ret;
}

int module_load(void)
{
	return module_load_file(MODULE_FILE);
}

int module_unload_named(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK);
}

int module_unload(void)
{
	return module_unload_named("cats");
}

/* The last reference goes when the last socket is destroyed, after close(). */
int module_unload_soon_named(const char *name)
{
	int tries;

	for (tries = 0; tries < 1000; tries++) {
		if (!module_unload_named(name))
			return 0;
		poll(NULL, 0, 1);
	}
	return -1;
}

int module_unload_soon(void)
{
	return module_unload_soon_named("cats");
}
