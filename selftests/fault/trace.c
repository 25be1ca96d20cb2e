// SPDX-License-Identifier: GPL-2.0
/*
 * Sees the faults, and the pages: the kernel's tracing, by tracefs.
 *
 * Events record the stack of each fault.  The kernel's own report of it, verbose=2,
 * would look like a warning to whoever reads the log; and probes on the return of
 * functions make the unwinder warn if an interrupt comes at the wrong moment.
 *
 * kmemleak knows nothing of pages, so a second buffer records each page fragment
 * that the page allocator gave to skb_page_frag_refill(), and all pages that were
 * freed.  Those of the first sort that are not of the second are lost.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fault.h"

#define TRACEFS		"/sys/kernel/tracing/"
#define PAGES		TRACEFS "instances/cats_pages/"
#define MAX_FRAMES	32
#define MAX_PAGES	65536
/*
 * GFP_KERNEL without __GFP_DIRECT_RECLAIM, with __GFP_COMP, __GFP_NOWARN and
 * __GFP_NORETRY: nobody but skb_page_frag_refill() asks so.  If that changes no page is
 * seen, and a scenario that sees none fails.
 */
#define FRAG_GFP	0x528c0

struct frame_of_stack {
	char		symbol[64];
	uint64_t	addr;
	bool		ours;
};

/**
 * struct fault - what a fault left in the trace
 * @kind: FAULT_*
 * @softirq: where it happened
 * @nr: number of frames
 * @frames: innermost first
 */
struct fault {
	unsigned int		kind;
	bool			softirq;
	unsigned int		nr;
	struct frame_of_stack	frames[MAX_FRAMES];
};

/**
 * struct event - that tells of a fault
 * @name: of the event
 * @kind: of fault
 * @probe: function whose call is probed for it; NULL for a tracepoint
 * @path: of the event below events/
 * @filter: true for a fault; NULL if always
 *
 * sk_page_frag_refill() tries twice; TCP is under pressure when it found no page at
 * all.  A copy that failed is worth a line in the kernel log, which is an event as
 * well.
 */
struct event {
	const char	*name;
	unsigned int	kind;
	const char	*probe;
	const char	*path;
	const char	*filter;
};

static const struct event events[] = {
	{ "kmem_cache_alloc", FAULT_SLAB, NULL, "kmem/kmem_cache_alloc", "ptr == 0" },
	{ "kmalloc", FAULT_SLAB, NULL, "kmem/kmalloc", "ptr == 0" },
	{ "pressure", FAULT_PAGE, "tcp_enter_memory_pressure", "cats/pressure", NULL },
	{ "console", FAULT_COPY, NULL, "printk/console", "msg ~ \"*FAULT_INJECTION*\"" },
	{ "sock_exceed_buf_limit", FAULT_CHARGE, NULL, "sock/sock_exceed_buf_limit",
	  "kind == 0" },
};

#define NR_EVENTS	(sizeof(events) / sizeof(events[0]))

static uint64_t text_base;

static uint64_t read_text_base(void)
{
	FILE *f = must_open("/sys/module/cats/sections/.text", "r");
	uint64_t base;

	if (fscanf(f, "%" SCNx64, &base) != 1)
		die("no address of the module's text");
	fclose(f);
	return base;
}

static void clear(const char *path)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	close(fd);
}

static void setup_pages(void)
{
	if (mkdir(PAGES, 0700))
		die("cannot make %s", PAGES);
	put(PAGES "buffer_size_kb", "16384");
	put(PAGES "events/kmem/mm_page_alloc/filter", "gfp_flags == %d && order == 3", FRAG_GFP);
	put(PAGES "events/kmem/mm_page_alloc/enable", "1");
	put(PAGES "events/kmem/mm_page_free/enable", "1");
}

static void put_event(const struct event *event, const char *file, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), TRACEFS "events/%s/%s", event->path, file);
	put(path, "%s", value);
}

void trace_setup(void)
{
	size_t i;

	if (!access(PAGES, F_OK))
		return;
	for (i = 0; i < NR_EVENTS; i++) {
		if (events[i].probe)
			put(TRACEFS "kprobe_events", "p:%s %s\n", events[i].path,
			    events[i].probe);
		if (events[i].filter)
			put_event(&events[i], "filter", events[i].filter);
		put_event(&events[i], "enable", "1");
	}
	put(TRACEFS "options/stacktrace", "1");
	/* With offsets come the names of modules. */
	put(TRACEFS "options/sym-offset", "1");
	put(TRACEFS "options/sym-addr", "1");
	setup_pages();
}

/* " => symbol+0x1/0x2 [module] <ffffffff81000000>" */
static bool parse_frame(const char *line, struct frame_of_stack *frame)
{
	const char *addr = strchr(line, '<');

	if (sscanf(line, " => %63[^ +\n]", frame->symbol) != 1 || !addr)
		return false;
	frame->addr = strtoull(addr + 1, NULL, 16);
	frame->ours = strstr(line, "[cats]");
	return true;
}

/* The third of the flags before the time stamp. */
static bool flags_say_softirq(const char *line)
{
	const char *flags = strstr(line, "] ");

	return flags && strspn(flags + 2, " ") == 0 && (flags[4] == 's' || flags[4] == 'S');
}

/* The first line of an event; false for those that follow, as of a message. */
static bool parse_head(const char *line, char *name)
{
	/* TASK-PID [CPU] flags time: event: ... */
	return line[0] != '#' && !strstr(line, "<stack trace>") &&
	       sscanf(line, "%*[^]]] %*s %*s %31[^:]", name) == 1;
}

static void begin_fault(struct fault *fault, const char *line, const char *name)
{
	size_t i;

	memset(fault, 0, sizeof(*fault));
	for (i = 0; i < NR_EVENTS; i++)
		if (!strcmp(name, events[i].name))
			fault->kind = events[i].kind;
	fault->softirq = flags_say_softirq(line);
}

static const char *kind_name(unsigned int kind)
{
	switch (kind) {
	case FAULT_SLAB:	return "slab";
	case FAULT_PAGE:	return "page";
	case FAULT_COPY:	return "copy";
	default:		return "charge";
	}
}

/*
 * One line: scenario, n, times, kind, context, the function that the module called,
 * offsets of the return addresses in the module's text, what the caller saw.
 * Returns false if the module is not in the stack.
 */
static bool print_fault(const struct episode *e, const struct fault *fault, FILE *out)
{
	const char *callee;
	unsigned int i = 0;

	while (i < fault->nr && !fault->frames[i].ours)
		i++;
	if (i == 0 || i == fault->nr)
		return false;
	callee = fault->frames[i - 1].symbol;
	if (fault->kind == FAULT_PAGE) {
		/* Charges lead to pressure, too, and tell of it themselves. */
		if (!strcmp(callee, "__sk_mem_schedule"))
			return false;
		/* Its own frame is not always in the stack of what it has just called. */
		callee = "sk_page_frag_refill";
	}
	fprintf(out, "%s\t%u\t%d\t%s\t%s\t%s\t", e->scenario->name, e->n, e->times,
		kind_name(fault->kind), fault->softirq ? "softirq" : "task",
		callee);
	for (; i < fault->nr && fault->frames[i].ours; i++)
		fprintf(out, "%" PRIx64 ",", fault->frames[i].addr - text_base);
	fprintf(out, "\t%s\n", e->saw);
	return true;
}

/* Faults of the module since the last call; each goes to @out. */
unsigned int trace_faults(const struct episode *e, FILE *out)
{
	FILE *f = must_open(TRACEFS "trace", "r");
	unsigned int found = 0;
	struct fault fault = {};
	char line[512], name[32];

	if (!text_base)
		text_base = read_text_base();
	while (fgets(line, sizeof(line), f)) {
		struct frame_of_stack frame;

		if (parse_frame(line, &frame)) {
			if (fault.nr < MAX_FRAMES)
				fault.frames[fault.nr++] = frame;
		} else if (parse_head(line, name)) {
			found += fault.kind && print_fault(e, &fault, out);
			begin_fault(&fault, line, name);
		}
	}
	found += fault.kind && print_fault(e, &fault, out);
	fclose(f);
	clear(TRACEFS "trace");
	return found;
}

/* Was there a fault below a function, since the last call? */
bool trace_saw(const char *symbol)
{
	FILE *f = must_open(TRACEFS "trace", "r");
	struct frame_of_stack frame;
	bool found = false;
	char line[512];

	while (fgets(line, sizeof(line), f))
		if (parse_frame(line, &frame) && !strcmp(frame.symbol, symbol))
			found = true;
	fclose(f);
	clear(TRACEFS "trace");
	return found;
}

static uint64_t pages[MAX_PAGES];
static unsigned int nr_pages;

static void page_add(uint64_t page)
{
	if (nr_pages == MAX_PAGES)
		die("more than %d pages at once", MAX_PAGES);
	pages[nr_pages++] = page;
}

static void page_remove(uint64_t page)
{
	unsigned int i;

	for (i = 0; i < nr_pages; i++)
		if (pages[i] == page) {
			pages[i] = pages[--nr_pages];
			return;
		}
}

/* Pages of payload that were not freed yet, of all since the start. */
static unsigned int count_pages(unsigned int *seen)
{
	FILE *f = must_open(PAGES "trace", "r");
	unsigned long in_buffer, written;
	char line[512];
	const char *at;

	while (fgets(line, sizeof(line), f)) {
		at = strstr(line, "pfn=");
		if (sscanf(line, "# entries-in-buffer/entries-written: %lu/%lu",
			   &in_buffer, &written) == 2 && in_buffer != written)
			die("the trace of pages has lost events");
		if (line[0] == '#' || !at)
			continue;
		if (strstr(line, " mm_page_alloc: ")) {
			page_add(strtoull(at + 4, NULL, 16));
			(*seen)++;
		} else {
			page_remove(strtoull(at + 4, NULL, 16));
		}
	}
	fclose(f);
	clear(PAGES "trace");
	return nr_pages;
}

/*
 * Threads that ended, and sockets that were closed, give back their pages soon
 * after; what is missing after 5 s is forgotten here, having been reported.  @seen is
 * how many there were.
 */
unsigned int trace_pages_missing(unsigned int *seen)
{
	unsigned int missing, tries;

	*seen = 0;
	for (tries = 0; (missing = count_pages(seen)) && tries < 500; tries++)
		usleep(10000);
	nr_pages = 0;
	return missing;
}
