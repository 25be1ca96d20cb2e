// SPDX-License-Identifier: GPL-2.0
/*
 * catsctl stat: the counters of this network namespace, /proc/net/cats_stat.
 */
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "catsctl.h"
#include "json.h"
#include "table.h"

#define GAUGE		"CatsCurr"
#define NSEC_PER_SEC	1000000000LL

/**
 * struct counter - a line of the file
 * @name: whatever the module calls it
 * @value: of it
 */
struct counter {
	char		name[64];
	uint64_t	value;
};

/**
 * struct sample - the file at a moment
 * @counters: its lines
 * @count: of them
 * @ns: moment
 */
struct sample {
	struct counter	*counters;
	size_t		count;
	long long	ns;
};

/**
 * struct view - how to show samples
 * @interval: seconds between two; 0: one sample
 * @times: differences to show; 0: no end
 * @all: zeroes too
 * @json: as JSON
 */
struct view {
	double		interval;
	uint64_t	times;
	bool		all;
	bool		json;
};

static long long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static bool take(struct sample *s)
{
	FILE *file = fopen(STAT_FILE, "re");
	struct counter c;

	memset(s, 0, sizeof(*s));
	if (!file)
		return false;
	s->ns = now_ns();
	while (fscanf(file, "%63s %" SCNu64, c.name, &c.value) == 2) {
		s->counters = grow(s->counters, s->count, sizeof(c));
		s->counters[s->count++] = c;
	}
	fclose(file);
	return true;
}

static bool is_gauge(const struct counter *c)
{
	return !strncmp(c->name, GAUGE, strlen(GAUGE));
}

/* What the counter had in @before: nothing where the module was loaded anew. */
static uint64_t value_before(const struct sample *before, const struct counter *c)
{
	size_t i;

	for (i = 0; i < before->count; i++)
		if (!strcmp(before->counters[i].name, c->name))
			return before->counters[i].value <= c->value ?
			       before->counters[i].value : 0;
	return 0;
}

static double per_second(const struct sample *before, const struct sample *s, size_t i)
{
	uint64_t more = s->counters[i].value - value_before(before, &s->counters[i]);

	return more * (double)NSEC_PER_SEC / (s->ns - before->ns);
}

static void show_totals(const struct sample *s, const struct view *view)
{
	struct table t;
	size_t i;

	table_start(&t, "lr");
	for (i = 0; i < s->count; i++) {
		if (!s->counters[i].value && !view->all)
			continue;
		table_add(&t, "%s", s->counters[i].name);
		table_add(&t, "%" PRIu64, s->counters[i].value);
	}
	table_print(&t, 0);
}

static void json_totals(const struct sample *s)
{
	struct json j;
	size_t i;

	json_start(&j, stdout);
	json_object(&j, NULL);
	json_object(&j, "totals");
	for (i = 0; i < s->count; i++)
		json_number(&j, s->counters[i].name, s->counters[i].value);
	json_end(&j);
	json_end(&j);
}

static void show_rates(const struct sample *before, const struct sample *s,
		       const struct view *view)
{
	double rate;
	struct table t;
	size_t i;

	puts("");
	printf("in %.3f s:\n", (s->ns - before->ns) / (double)NSEC_PER_SEC);
	table_start(&t, "lrl");
	for (i = 0; i < s->count; i++) {
		rate = per_second(before, s, i);
		if (!(is_gauge(&s->counters[i]) ? s->counters[i].value : rate > 0) && !view->all)
			continue;
		table_add(&t, "%s", s->counters[i].name);
		if (is_gauge(&s->counters[i]))
			table_add(&t, "%" PRIu64, s->counters[i].value);
		else
			table_add(&t, "%.1f", rate);
		table_add(&t, "%s", is_gauge(&s->counters[i]) ? "now" : "/s");
	}
	table_print(&t, 0);
}

static void json_members(struct json *j, const struct sample *before, const struct sample *s,
			 bool gauges)
{
	size_t i;

	json_object(j, gauges ? "gauges" : "rates");
	for (i = 0; i < s->count; i++) {
		if (is_gauge(&s->counters[i]) != gauges)
			continue;
		if (gauges)
			json_number(j, s->counters[i].name, s->counters[i].value);
		else
			json_seconds(j, s->counters[i].name, per_second(before, s, i));
	}
	json_end(j);
}

static void json_rates(const struct sample *before, const struct sample *s)
{
	struct json j;

	json_start(&j, stdout);
	json_object(&j, NULL);
	json_seconds(&j, "interval_s", (s->ns - before->ns) / (double)NSEC_PER_SEC);
	json_members(&j, before, s, false);
	json_members(&j, before, s, true);
	json_end(&j);
}

static void sleep_until(long long ns)
{
	struct timespec ts = { .tv_sec = ns / NSEC_PER_SEC, .tv_nsec = ns % NSEC_PER_SEC };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

static int watch(struct sample *before, const struct view *view)
{
	long long next = before->ns;
	struct sample s;
	uint64_t n;

	for (n = 0; !view->times || n < view->times; n++) {
		fflush(stdout);
		next += view->interval * NSEC_PER_SEC;
		sleep_until(next);
		if (!take(&s))
			return fail_not_loaded();
		if (view->json)
			json_rates(before, &s);
		else
			show_rates(before, &s, view);
		free(before->counters);
		*before = s;
	}
	return STATUS_OK;
}

static int show(const struct view *view)
{
	struct sample s;
	int status = STATUS_OK;

	if (!take(&s))
		return module_loaded() ? fail(STATUS_SYSTEM, "cannot read " STAT_FILE ": %m") :
		       fail_not_loaded();
	if (view->json)
		json_totals(&s);
	else
		show_totals(&s, view);
	if (view->interval > 0)
		status = watch(&s, view);
	free(s.counters);
	return status;
}

static int run_stat(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "interval", required_argument, NULL, 'i' },
		{ "count", required_argument, NULL, 'n' },
		{ "all", no_argument, NULL, 'a' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{}
	};
	struct view view = {};
	int option;

	while ((option = getopt_long(argc, argv, "i:n:ajh", options, NULL)) != -1) {
		if (option == 'a')
			view.all = true;
		else if (option == 'j')
			view.json = true;
		else if (option != 'i' && option != 'n')
			return option_error(&stat_command, option);
		else if (option == 'i' && !parse_seconds(optarg, &view.interval))
			return usage_error(&stat_command, "stat: -i wants seconds, not %s", optarg);
		else if (option == 'n' && (!parse_u64(optarg, INT_MAX, &view.times) || !view.times))
			return usage_error(&stat_command, "stat: -n wants a number, not %s",
					   optarg);
	}
	if (optind < argc)
		return usage_error(&stat_command, "stat: %s is too much", argv[optind]);
	if (view.times && view.interval == 0)
		view.interval = 1;
	return show(&view);
}

const struct command stat_command = {
	.name	= "stat",
	.help	=
"catsctl stat [-i SECONDS] [-n COUNT] [-a] [-j]\n"
"    The counters of this network namespace: totals, then what comes per second.\n"
"    -i, --interval SECONDS  show differences, every so often\n"
"    -n, --count COUNT       end after so many of them (and -i 1, if there is no -i)\n"
"    -a, --all               what is 0, too\n"
"    -j, --json              as JSON, a line each time\n",
	.run	= run_stat,
};
