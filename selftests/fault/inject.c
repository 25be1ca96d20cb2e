// SPDX-License-Identifier: GPL-2.0
/*
 * Lets allocations fail: the kernel's fault injection, by debugfs and procfs.
 *
 * Only allocations that the module itself asks for count and fail: those with its
 * text among the first DEPTH return addresses.  What TCP allocates below calls of
 * the module is further away, and TCP's own business; FIN, for one, is not sent at
 * all if TCP finds no memory for it.
 *
 * In a call the n-th allocation of the thread fails (fail-nth), and then, by
 * the attribute files, as many more as there shall be.  These know no counter that
 * could be reset, so elsewhere the first fault comes after so many bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "fault.h"

#define DEBUGFS		"/sys/kernel/debug/"
#define FAIL_NTH	"/proc/thread-self/fail-nth"
/*
 * The longest way from the module to the decision, kmalloc() in alloc_skb(), has
 * 8 return addresses; the shortest of TCP's below a call of the module 9.
 */
#define DEPTH		8
/* A step in bytes; smaller than any allocation that happens in softirq. */
#define STEP		400

static const char *const attributes[] = {
	"failslab", "fail_page_alloc", "fail_usercopy",
};

#define NR_ATTRIBUTES	(sizeof(attributes) / sizeof(attributes[0]))

static void set(const char *attribute, const char *file, const char *format, uint64_t value)
{
	char path[128];

	snprintf(path, sizeof(path), DEBUGFS "%s/%s", attribute, file);
	put(path, format, value);
}

static void set_number(const char *attribute, const char *file, uint64_t value)
{
	set(attribute, file, "%" PRIu64, value);
}

static void set_bool(const char *attribute, const char *file, bool value)
{
	set(attribute, file, value ? "Y" : "N", 0);
}

/*
 * kmemleak allocates below each allocation of the module, and gives up altogether if
 * it finds no memory.
 */
void inject_setup(void)
{
	uint64_t start, end;
	size_t i;

	start = symbol_range("__create_object", &end);
	for (i = 0; i < NR_ATTRIBUTES; i++) {
		set_number(attributes[i], "probability", 0);
		set_number(attributes[i], "verbose", 0);
		set_number(attributes[i], "reject-start", start);
		set_number(attributes[i], "reject-end", end);
	}
	/* A line of log for each, see trace.c. */
	set_number("fail_usercopy", "verbose", 1);
	set_bool("fail_page_alloc", "ignore-gfp-highmem", false);
	set_number("fail_page_alloc", "min-order", 0);
}

/* What fails, and below what; the rest is switched off and does not count. */
void inject_select(const struct scenario *s)
{
	uint64_t start, end;
	size_t i;

	start = s->only ? symbol_range(s->only, &end) : module_range(&end);
	for (i = 0; i < NR_ATTRIBUTES; i++) {
		bool on = s->kinds & (1 << i);

		set_number(attributes[i], "stacktrace-depth", on ? DEPTH : 0);
		set_number(attributes[i], "require-start", on ? start : 1);
		set_number(attributes[i], "require-end", on ? end : 1);
		set_bool(attributes[i], "task-filter", s->where == IN_CALL);
	}
	set_bool("failslab", "ignore-gfp-wait", false);
	set_bool("fail_page_alloc", "ignore-gfp-wait", false);
}

/* Opened before: to open it takes memory, too. */
static int nth_file;

static void task_begin(unsigned int n)
{
	nth_file = open(FAIL_NTH, O_RDWR);
	if (nth_file < 0 || dprintf(nth_file, "%u", n) <= 0)
		die("%s: %s", FAIL_NTH, strerror(errno));
}

/* In the thread that will make the call. */
void inject_arm(const struct episode *e)
{
	const struct scenario *s = e->scenario;
	size_t i;

	for (i = 0; i < NR_ATTRIBUTES; i++) {
		if (!(s->kinds & (1 << i)))
			continue;
		set_number(attributes[i], "times", e->times);
		set_number(attributes[i], "space",
			   s->where == ANYWHERE ? (e->n - 1) * STEP : 0);
		set_number(attributes[i], "probability", 100);
	}
	if (s->where == IN_CALL) {
		put("/proc/thread-self/make-it-fail", "1");
		task_begin(e->n);
	}
}

bool inject_task_done(void)
{
	char text[16] = "";

	if (pread(nth_file, text, sizeof(text) - 1, 0) <= 0 ||
	    pwrite(nth_file, "0", 1, 0) != 1)
		die("%s: %s", FAIL_NTH, strerror(errno));
	close(nth_file);
	return text[0] == '0';
}

/* Returns whether a fault must have happened, as far as this file can tell. */
bool inject_disarm(const struct episode *e)
{
	const struct scenario *s = e->scenario;
	bool done = false;
	size_t i;

	if (s->where == IN_CALL) {
		done = inject_task_done();
		put("/proc/thread-self/make-it-fail", "0");
	}
	for (i = 0; i < NR_ATTRIBUTES; i++)
		if (s->kinds & (1 << i))
			set_number(attributes[i], "probability", 0);
	return done;
}

/*
 * The n-th slab allocation of this thread fails, whoever asks for it as the module
 * starts.  Not while it is loaded before that: the kernel warns if it finds no memory
 * to set up tracepoints.
 */
void inject_module_init(unsigned int n)
{
	uint64_t start, end;

	start = symbol_range("do_init_module", &end);
	set_bool("failslab", "ignore-gfp-wait", false);
	set_number("failslab", "stacktrace-depth", 32);
	set_number("failslab", "require-start", start);
	set_number("failslab", "require-end", end);
	set_number("fail_page_alloc", "stacktrace-depth", 0);
	set_number("fail_page_alloc", "require-start", 1);
	set_number("fail_usercopy", "stacktrace-depth", 0);
	set_number("fail_usercopy", "require-start", 1);
	task_begin(n);
}
