// SPDX-License-Identifier: GPL-2.0
/*
 * Loading the module while the n-th slab allocation fails, whoever asks for it after
 * its own code has begun, for every n.  It loads, or fails with ENOMEM and leaves
 * nothing behind; and it loads afterwards.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fault.h"

#define MAX_LOADS	4000

static int load(int fd)
{
	return syscall(SYS_finit_module, fd, "", 0);
}

static void unload(void)
{
	if (syscall(SYS_delete_module, "cats", O_NONBLOCK))
		die("the module does not go: %s", strerror(errno));
}

/* The functions that the module calls as it starts, and that allocate. */
static void report_site(const struct episode *e, FILE *out)
{
	if (trace_saw("kmem_cache_create_usercopy"))
		fprintf(out, "load\t%u\t1\tslab\ttask\tkmem_cache_create\tinit\t%s\n",
			e->n, e->saw);
}

/* Returns 0 if all went well. */
int load_sweep(const char *file, FILE *out)
{
	static const struct scenario s = { .name = "load" };
	struct episode e = { .scenario = &s, .times = 1 };
	unsigned int refused = 0;
	int ret, saved, fd = open(file, O_RDONLY);
	bool done = true;

	if (fd < 0)
		die("%s: %s", file, strerror(errno));
	for (e.n = 1; done && e.n < MAX_LOADS; e.n++) {
		inject_module_init(e.n);
		ret = load(fd);
		saved = errno;
		done = inject_task_done();
		snprintf(e.saw, sizeof(e.saw), "%s", ret ? strerrorname_np(saved) : "success");
		report_site(&e, out);
		if (!ret)
			unload();
		else if (saved != ENOMEM)
			fail(&e, "%s", e.saw);
		refused += ret != 0;
	}
	close(fd);
	printf("# load: %u allocations, %u times refused\n", e.n - 2, refused);
	if (done || !refused)
		fail(&e, "the sweep did not come to an end");
	return e.failed;
}
