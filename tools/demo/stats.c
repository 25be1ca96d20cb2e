// SPDX-License-Identifier: GPL-2.0
/*
 * demo-stats: from what arrived when, to the tables of the demo.
 *
 * Reads RAW/page/SENDER.tsv, RAW/late/SENDER.tsv (demo-recv) and
 * samples-SENDER.tsv beside them (demo-send); writes OUT/page.tsv, OUT/late.tsv and
 * OUT/invariants.tsv and prints the tables.  Exit status 1 if something is
 * missing or a sample breaks what CATS promises.
 *
 * page: when each group was complete, counted from the first byte that arrived.
 * late: from when the application wanted to send an urgent message to when it
 * had arrived; the 3 s in which BBR finds the rate are left out.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame.h"
#include "util.h"

#define WARMUP_NS	(3 * (int64_t)NSEC_PER_SEC)
#define END_NS		(20 * (int64_t)NSEC_PER_SEC)
#define URGENT_GROUP	0
#define BULK_GROUP	4
#define MESSAGE_MAX	FRAME_MAX

static const char * const senders[] = {
	"tcp", "userq", "cats-strict", "cats-debt", "cats-bounded",
	"cats-bounded-nohold", "cats-bounded-batch", "perfect",
};

enum { TCP, USERQ, BOUNDED = 4, NOHOLD, BATCH };

#define NR_PAGE_SENDERS	8
#define NR_LATE_SENDERS	5		/* the rest is about how a page is handed over */

struct arrival {
	unsigned int group, seq, bytes;
	long long want_ns, arrived_ns;
};

struct arrivals {
	struct arrival *at;
	size_t nr;
};

struct page {
	double group_ms[NR_GROUPS];
	double fcp_ms, plt_ms;
};

struct late {
	double p50_ms, p99_ms, max_ms, bulk_mbit;
};

static FILE *open_in(const char *dir, const char *name, const char *mode)
{
	char path[4096];
	FILE *f;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
		die("%s: path too long", dir);
	f = fopen(path, mode);
	if (!f)
		die_errno("%s", path);
	return f;
}

static struct arrivals read_arrivals(const char *dir, const char *experiment,
				     const char *sender)
{
	struct arrivals a = { .at = NULL };
	char name[64], line[128];
	struct arrival x;
	FILE *f;

	snprintf(name, sizeof(name), "%s/%s.tsv", experiment, sender);
	f = open_in(dir, name, "r");
	if (!fgets(line, sizeof(line), f))
		die("%s: empty", name);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%u %u %u %lld %lld", &x.group, &x.seq, &x.bytes,
			   &x.want_ns, &x.arrived_ns) != 5 || x.group >= NR_GROUPS)
			die("%s: bad line: %s", name, line);
		a.at = realloc(a.at, (a.nr + 1) * sizeof(*a.at));
		if (!a.at)
			die_errno("memory for %zu arrivals", a.nr + 1);
		a.at[a.nr++] = x;
	}
	fclose(f);
	if (!a.nr)
		die("%s: no arrivals", name);
	return a;
}

static double max(double a, double b)
{
	return a > b ? a : b;
}

static double to_ms(long long ns)
{
	return (double)ns / NSEC_PER_MSEC;
}

static struct page measure_page(const struct arrivals *a)
{
	struct page p = { .fcp_ms = 0 };
	size_t i;

	for (i = 0; i < a->nr; i++) {
		double *group_ms = &p.group_ms[a->at[i].group];
		double ms = to_ms(a->at[i].arrived_ns);

		*group_ms = max(*group_ms, ms);
		p.plt_ms = max(p.plt_ms, ms);
	}
	p.fcp_ms = max(p.group_ms[0], p.group_ms[1]);
	return p;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Nearest rank: the smallest value that @percent of all values do not exceed. */
static double percentile(const double *sorted, size_t nr, unsigned int percent)
{
	return sorted[(nr * percent + 99) / 100 - 1];
}

static long long start_of(const struct arrivals *a, const char *sender)
{
	size_t i;

	for (i = 0; i < a->nr; i++) {
		/* the first urgent message was due at the start */
		if (a->at[i].group == URGENT_GROUP && !a->at[i].seq)
			return a->at[i].want_ns;
	}
	die("late %s: the first urgent message is missing", sender);
}

static struct late measure_late(const struct arrivals *a, const char *sender)
{
	long long start = start_of(a, sender), bulk_bytes = 0;
	double *ms = calloc(a->nr, sizeof(*ms));
	struct late l;
	size_t nr = 0, i;

	if (!ms)
		die_errno("memory for %zu latencies", a->nr);
	for (i = 0; i < a->nr; i++) {
		const struct arrival *x = &a->at[i];

		if (x->group == URGENT_GROUP && x->want_ns - start >= WARMUP_NS)
			ms[nr++] = to_ms(x->arrived_ns - x->want_ns);
		if (x->group == BULK_GROUP && x->arrived_ns - start >= WARMUP_NS &&
		    x->arrived_ns - start < END_NS)
			bulk_bytes += x->bytes;
	}
	if (!nr)
		die("late %s: no urgent message after the first 3 s", sender);
	qsort(ms, nr, sizeof(*ms), compare);
	l.p50_ms = percentile(ms, nr, 50);
	l.p99_ms = percentile(ms, nr, 99);
	l.max_ms = ms[nr - 1];
	l.bulk_mbit = bulk_bytes * 8 * 1e3 / (END_NS - WARMUP_NS);
	free(ms);
	return l;
}

static void write_page(const char *out, const struct page *rows)
{
	FILE *f = open_in(out, "page.tsv", "w");
	int i, g;

	fputs("sender\tp0_ms\tp1_ms\tp2_ms\tp3_ms\tp4_ms\t"
	      "fcp_ms\tplt_ms\tfcp_ratio\tplt_ratio\n", f);
	for (i = 0; i < NR_PAGE_SENDERS; i++) {
		fprintf(f, "%s", senders[i]);
		for (g = 0; g < NR_GROUPS; g++)
			fprintf(f, "\t%.1f", rows[i].group_ms[g]);
		fprintf(f, "\t%.1f\t%.1f\t%.4f\t%.4f\n", rows[i].fcp_ms, rows[i].plt_ms,
			rows[i].fcp_ms / rows[0].fcp_ms, rows[i].plt_ms / rows[0].plt_ms);
	}
	if (fclose(f))
		die_errno("page.tsv");
}

static void print_page(const struct page *rows)
{
	int i, g;

	puts("\npage: a page of 283 kB in five groups, written in the worst order (P4 first).\n"
	     "      2 Mbit/s, RTT 120 ms.  ms from the first byte until a group is complete;\n"
	     "      FCP: P0 and P1 are there, PLT: everything is\n");
	printf("  %-20s%9s%9s%9s%9s%9s %9s%9s   %s\n", "sender", "P0", "P1", "P2", "P3", "P4",
	       "FCP", "PLT", "FCP to tcp");
	for (i = 0; i < NR_PAGE_SENDERS; i++) {
		printf("  %-20s", senders[i]);
		for (g = 0; g < NR_GROUPS; g++)
			printf("%9.1f", rows[i].group_ms[g]);
		printf(" %9.1f%9.1f   %10.3f\n", rows[i].fcp_ms, rows[i].plt_ms,
		       rows[i].fcp_ms / rows[0].fcp_ms);
	}
	puts("\n  With CATS (bounded, the default) what the reader waits for is there after");
	printf("  %.0f ms instead of %.0f (user-space queue: %.0f),\n",
	       rows[BOUNDED].fcp_ms, rows[TCP].fcp_ms, rows[USERQ].fcp_ms);
	printf("  and the page as a whole takes %.0f ms instead of %.0f.\n",
	       rows[BOUNDED].plt_ms, rows[TCP].plt_ms);
	puts("  Writing the page call by call takes this machine several times longer than");
	puts("  anything is held on an idle connection, so that this changes little:");
	printf("  %.0f ms without.  Handed over in one sendmmsg() it is %.0f ms.\n",
	       rows[NOHOLD].fcp_ms, rows[BATCH].fcp_ms);
}

static void write_late(const char *out, const struct late *rows)
{
	FILE *f = open_in(out, "late.tsv", "w");
	int i;

	fputs("sender\tp50_ms\tp99_ms\tmax_ms\tbulk_mbit\tbulk_ratio\n", f);
	for (i = 0; i < NR_LATE_SENDERS; i++)
		fprintf(f, "%s\t%.1f\t%.1f\t%.1f\t%.4f\t%.4f\n", senders[i], rows[i].p50_ms,
			rows[i].p99_ms, rows[i].max_ms, rows[i].bulk_mbit,
			rows[i].bulk_mbit / rows[0].bulk_mbit);
	if (fclose(f))
		die_errno("late.tsv");
}

static void print_late(const struct late *rows)
{
	int i;

	puts("\nlate: bulk saturates the same link; every 50 ms an urgent message of 200 B.\n"
	     "      ms from when it is due until it has arrived; the path alone takes 60\n");
	printf("  %-12s%9s%9s%9s   %s   %s\n", "sender", "p50", "p99", "max",
	       "bulk Mbit/s", "bulk to tcp");
	for (i = 0; i < NR_LATE_SENDERS; i++)
		printf("  %-12s%9.1f%9.1f%9.1f   %11.3f   %11.3f\n", senders[i], rows[i].p50_ms,
		       rows[i].p99_ms, rows[i].max_ms, rows[i].bulk_mbit,
		       rows[i].bulk_mbit / rows[0].bulk_mbit);
	puts("\n  With CATS (bounded) an urgent message takes");
	printf("  %.0f ms instead of %.0f (user-space queue: %.0f),\n"
	       "  and bulk gets %.1f %% of what it gets from plain TCP.\n\n",
	       rows[BOUNDED].p50_ms, rows[TCP].p50_ms, rows[USERQ].p50_ms,
	       100 * rows[BOUNDED].bulk_mbit / rows[TCP].bulk_mbit);
}

/* One sample of demo-send; true if it keeps the promises of CATS. */
static bool sample_ok(const char *line)
{
	unsigned int app_limited, committed_max, budget_max;
	char experiment[16], sender[32];
	double ms;

	if (sscanf(line, "%15s %31s %lf %*u %u %*u %u %*u %u", experiment, sender, &ms,
		   &app_limited, &committed_max, &budget_max) != 6)
		die("bad sample: %s", line);
	/* a page is over before BBR has found the rate: to be read only */
	if (strcmp(experiment, "late"))
		return true;
	if (app_limited && ms * NSEC_PER_MSEC >= WARMUP_NS) {
		fprintf(stderr, "demo-stats: %s at %.1f ms: ", sender, ms);
		fputs("application-limited while CATS holds data\n", stderr);
		return false;
	}
	if (committed_max > budget_max + MESSAGE_MAX) {
		fprintf(stderr, "demo-stats: %s at %.1f ms: ", sender, ms);
		fprintf(stderr, "%u bytes committed, more than a budget of %u and a message\n",
			committed_max, budget_max);
		return false;
	}
	return true;
}

/* Returns the number of samples that break a promise. */
static unsigned int copy_samples(const char *raw, const char *experiment,
				 const char *sender, FILE *out)
{
	unsigned int bad = 0, nr = 0;
	char name[64], line[256];
	FILE *in;

	snprintf(name, sizeof(name), "%s/samples-%s.tsv", experiment, sender);
	in = open_in(raw, name, "r");
	for (; fgets(line, sizeof(line), in); nr++) {
		fputs(line, out);
		bad += !sample_ok(line);
	}
	fclose(in);
	if (!nr)
		die("%s: not one sample with data in the Conductor", name);
	return bad;
}

static unsigned int judge_samples(const char *raw, const char *out)
{
	FILE *f = open_in(out, "invariants.tsv", "w");
	unsigned int bad = 0;
	int i;

	fputs("experiment\tsender\tt_ms\tqueued_bytes\tapp_limited\t"
	      "committed\tcommitted_max\tbudget\tbudget_max\n", f);
	for (i = 0; i < NR_PAGE_SENDERS; i++) {
		if (strncmp(senders[i], "cats-", 5))
			continue;
		bad += copy_samples(raw, "page", senders[i], f);
		if (i < NR_LATE_SENDERS)
			bad += copy_samples(raw, "late", senders[i], f);
	}
	if (fclose(f))
		die_errno("invariants.tsv");
	return bad;
}

int main(int argc, char **argv)
{
	struct page page[NR_PAGE_SENDERS];
	struct late late[NR_LATE_SENDERS];
	struct arrivals a;
	unsigned int bad;
	int i;

	if (argc != 3) {
		fputs("usage: demo-stats RAW_DIR OUT_DIR\n", stderr);
		return 2;
	}
	for (i = 0; i < NR_PAGE_SENDERS; i++) {
		a = read_arrivals(argv[1], "page", senders[i]);
		page[i] = measure_page(&a);
		free(a.at);
	}
	for (i = 0; i < NR_LATE_SENDERS; i++) {
		a = read_arrivals(argv[1], "late", senders[i]);
		late[i] = measure_late(&a, senders[i]);
		free(a.at);
	}
	write_page(argv[2], page);
	write_late(argv[2], late);
	print_page(page);
	print_late(late);
	bad = judge_samples(argv[1], argv[2]);
	if (bad)
		die("%u samples break what CATS promises, see above", bad);
	return 0;
}
