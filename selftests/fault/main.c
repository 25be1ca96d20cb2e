// SPDX-License-Identifier: GPL-2.0
/*
 * The driver: runs the scenarios, each swept over the n-th allocation, and prints a
 * result for each.  Beside run.sh it is of no use: see there.
 *
 * Usage: fault --list			names of the tests
 *	  fault load FILE OUT		the module is loaded, for every n
 *	  fault run OUT [SCENARIO...]	all scenarios, or these
 *
 * OUT gets a line for each fault, see trace.c.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fault.h"

#define MAX_N	400

static void result(const char *name, bool ok)
{
	printf("%sok - %s\n", ok ? "" : "not ", name);
	fflush(stdout);
}

static void *episode_run(void *arg)
{
	run_episode(arg);
	return NULL;
}

/* A fresh thread has a fresh page fragment, so that every episode starts alike. */
static void in_thread(struct episode *e)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, episode_run, e))
		die("no thread");
	pthread_join(thread, NULL);
}

/* Returns whether the fault happened, so that there may be another one behind it. */
static bool one(const struct scenario *s, unsigned int n, int times, FILE *out,
		bool *failed)
{
	struct episode e = { .scenario = s, .n = n, .times = times };
	unsigned int traced;

	in_thread(&e);
	traced = trace_faults(&e, out);
	/* A page may not be missed: then a smaller one did as well. */
	if (e.hit && !traced && !(s->kinds & FAULT_PAGE))
		fail(&e, "an allocation failed that was not seen");
	if (s->no_fault && traced)
		fail(&e, "an allocation failed that must not");
	*failed |= e.failed;
	return e.hit || traced;
}

static bool sweep(const struct scenario *s, int times, FILE *out, unsigned int *count)
{
	bool failed = false, more = true;
	unsigned int n;

	for (n = 1; more && n <= MAX_N && !failed; n++)
		more = one(s, n, times, out, &failed);
	if (more && !failed) {
		printf("# %s: more than %d allocations\n", s->name, MAX_N);
		failed = true;
	}
	*count += n - 1;
	if (n == 2 && !s->no_fault && !failed) {
		printf("# %s: nothing failed\n", s->name);
		failed = true;
	}
	return !failed;
}

static bool run_scenario(const struct scenario *s, FILE *out)
{
	unsigned int count = 0, pages, seen;
	bool ok = true;
	int i;

	inject_select(s);
	for (i = 0; s->times[i]; i++)
		ok &= sweep(s, s->times[i], out, &count);
	pages = trace_pages_missing(&seen);
	if (pages)
		printf("# %s: %u pages of payload were not freed\n", s->name, pages);
	if (!seen)
		printf("# %s: no page of payload was seen\n", s->name);
	printf("# %s: %u episodes, %u page fragments\n", s->name, count, seen);
	return ok && seen && !pages;
}

/* Numbers of /proc/net/sockstat; "mem" is what TCP has charged, in pages. */
static void read_sockstat(int *orphan, int *alloc, int *mem)
{
	FILE *f = must_open("/proc/net/sockstat", "r");
	char line[256];

	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "TCP: inuse %*d orphan %d tw %*d alloc %d mem %d",
			   orphan, alloc, mem) == 3)
			break;
	fclose(f);
}

/* Back to where it was; sockets end some time after their close(). */
static bool sockets_gone(int alloc_before, int mem_before)
{
	int orphan = 0, alloc = 0, mem = 0, tries;

	for (tries = 0; tries < 500; tries++) {
		read_sockstat(&orphan, &alloc, &mem);
		if (!orphan && alloc <= alloc_before && mem <= mem_before)
			return true;
		usleep(100000);
	}
	printf("# orphans %d, sockets %d (%d before), pages %d (%d before)\n", orphan,
	       alloc, alloc_before, mem, mem_before);
	return false;
}

static bool wanted(const char *name, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (!strcmp(name, *names))
			return true;
	return false;
}

static int run(const char *path, char **names)
{
	FILE *out = must_open(path, "a");
	const struct scenario *s;
	int orphan = 0, alloc = 0, mem = 0;
	bool ok, failed = false;

	read_sockstat(&orphan, &alloc, &mem);
	charge_setup();
	inject_setup();
	trace_setup();
	for (s = scenarios; s->name; s++) {
		if (!wanted(s->name, names))
			continue;
		ok = run_scenario(s, out);
		result(s->name, ok);
		failed |= !ok;
	}
	ok = sockets_gone(alloc, mem);
	result("no_socket_left", ok);
	fclose(out);
	return failed || !ok;
}

static int load(const char *file, const char *path)
{
	FILE *out = must_open(path, "a");
	int ret;

	inject_setup();
	trace_setup();
	ret = load_sweep(file, out);
	result("load", !ret);
	fclose(out);
	return ret;
}

int main(int argc, char **argv)
{
	const struct scenario *s;

	setlinebuf(stdout);
	if (argc == 4 && !strcmp(argv[1], "load"))
		return load(argv[2], argv[3]);
	if (argc >= 3 && !strcmp(argv[1], "run"))
		return run(argv[2], argv + 3);
	if (argc != 2 || strcmp(argv[1], "--list"))
		return 2;
	for (s = scenarios; s->name; s++)
		puts(s->name);
	return 0;
}
