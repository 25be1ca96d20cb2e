// SPDX-License-Identifier: GPL-2.0
/*
 * catsctl ss: CATS sockets, with what the Conductor has and does.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "catsctl.h"
#include "json.h"
#include "sock.h"

#define NSEC_PER_SEC	1000000000L

/**
 * struct view - what to show
 * @filter: NULL: everything
 * @states: bit per state
 * @only: AF_INET or AF_INET6; AF_UNSPEC: both
 * @json: as JSON
 * @interval: seconds until it is shown again; 0: once
 * @times: how often; 0: no end
 * @told: the user knows that these are not all
 */
struct view {
	const struct filter	*filter;
	unsigned int		states;
	int			only;
	bool			json;
	double			interval;
	uint64_t		times;
	bool			told;
};

static int collect(struct sockets *sockets, const struct view *view)
{
	static const int families[] = { AF_INET, AF_INET6 };
	int status = STATUS_OK;
	size_t i;

	memset(sockets, 0, sizeof(*sockets));
	sockets->privileged = true;
	for (i = 0; i < 2 && !status; i++)
		if (!view->only || view->only == families[i])
			status = diag_dump(sockets, families[i], view->states);
	return status;
}

static void keep_matching(struct sockets *sockets, const struct view *view)
{
	size_t i, n = 0;

	for (i = 0; i < sockets->count; i++)
		if (sockets->list[i].cats &&
		    (!view->filter || filter_match(view->filter, &sockets->list[i])))
			sockets->list[n++] = sockets->list[i];
	sockets->count = n;
}

static void print_json(const struct sockets *sockets)
{
	struct json j;
	size_t i;

	json_start(&j, stdout);
	json_array(&j, NULL);
	for (i = 0; i < sockets->count; i++)
		ss_print_json(&j, &sockets->list[i]);
	json_end(&j);
}

static void print_table(const struct sockets *sockets)
{
	size_t i;

	for (i = 0; i < sockets->count; i++)
		ss_print_table(&sockets->list[i]);
}

/* Returns STATUS_NO if there are none. */
static int show(struct view *view)
{
	struct sockets sockets;
	int status = collect(&sockets, view);

	if (!status) {
		if (!sockets.privileged)
			own_sockets(&sockets, !view->told);
		view->told = true;
		keep_matching(&sockets, view);
		(view->json ? print_json : print_table)(&sockets);
		status = sockets.count ? STATUS_OK : STATUS_NO;
	}
	free(sockets.list);
	return status;
}

static void print_time(void)
{
	char text[32];
	time_t now = time(NULL);

	strftime(text, sizeof(text), "%H:%M:%S", localtime(&now));
	printf("# %s\n", text);
}

static void wait_for(double seconds)
{
	struct timespec ts = { .tv_sec = seconds };

	ts.tv_nsec = (seconds - ts.tv_sec) * NSEC_PER_SEC;
	fflush(stdout);
	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, &ts) == EINTR)
		;
}

/* Shows on a terminal what fits, at its top; the rest would push that out. */
static int redraw(struct view *view)
{
	struct winsize size = {};
	char *screen = NULL, *line, *rest;
	FILE *terminal = stdout;
	unsigned int row;
	size_t length;
	int status;

	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	stdout = open_memstream(&screen, &length);
	if (!stdout)
		die(STATUS_SYSTEM, "no memory");
	print_time();
	status = show(view);
	fclose(stdout);
	stdout = terminal;
	fputs("\033[H\033[J", stdout);
	rest = screen;
	for (row = 1; (line = strsep(&rest, "\n")) && (row < size.ws_row || !size.ws_row); row++)
		printf("%.*s\n", size.ws_col ? size.ws_col : INT_MAX, line);
	free(screen);
	return status;
}

static int watch(struct view *view)
{
	int status = STATUS_OK;
	uint64_t n;

	for (n = 0; !view->times || n < view->times; n++) {
		if (n)
			wait_for(view->interval);
		if (!view->json && isatty(STDOUT_FILENO)) {
			status = redraw(view);
		} else {
			if (!view->json)
				print_time();
			status = show(view);
		}
		/* None may be some later. */
		if (status > STATUS_NO)
			break;
	}
	return status;
}

/* The words after the options; -w may have taken the first for its seconds. */
static int start(struct view *view, int words, char *argv[])
{
	struct filter *filter;

	if (words) {
		filter = filter_parse(words, argv);
		if (!filter)
			return option_error(&ss_command, '?');
		view->filter = filter;
		if (filter_names_state(filter))
			view->states = STATE_ALL;
	}
	if (!module_loaded())
		return fail_not_loaded();
	return view->interval > 0 ? watch(view) : show(view);
}

static const struct option options[] = {
	{ "watch", optional_argument, NULL, 'w' },
	{ "count", required_argument, NULL, 'n' },
	{ "listening", no_argument, NULL, 'l' },
	{ "all", no_argument, NULL, 'a' },
	{ "ipv4", no_argument, NULL, '4' },
	{ "ipv6", no_argument, NULL, '6' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{}
};

/* STATUS_OK, or what to end with; -1: it is none of these. */
static int take_option(struct view *view, int option, int argc, char *argv[])
{
	switch (option) {
	case 'l':
		view->states = STATE_LISTENING;
		return STATUS_OK;
	case 'a':
		view->states = STATE_ALL;
		return STATUS_OK;
	case '4':
		view->only = AF_INET;
		return STATUS_OK;
	case '6':
		view->only = AF_INET6;
		return STATUS_OK;
	case 'j':
		view->json = true;
		return STATUS_OK;
	case 'n':
		if (parse_u64(optarg, INT_MAX, &view->times) && view->times)
			return STATUS_OK;
		return usage_error(&ss_command, "ss: -n wants a number, not %s", optarg);
	case 'w':
		view->interval = 1;
		/* The seconds may be a word of their own. */
		if (!optarg && optind < argc && parse_seconds(argv[optind], &view->interval))
			optind++;
		if (!optarg || parse_seconds(optarg, &view->interval))
			return STATUS_OK;
		return usage_error(&ss_command, "ss: -w wants seconds, not %s", optarg);
	default:
		return -1;
	}
}

static int run_ss(int argc, char *argv[])
{
	struct view view = { .states = STATE_USUAL };
	int option, status;

	while ((option = getopt_long(argc, argv, "w::n:la46jh", options, NULL)) != -1) {
		status = take_option(&view, option, argc, argv);
		if (status < 0)
			return option_error(&ss_command, option);
		if (status)
			return status;
	}
	if (view.times && view.interval == 0)
		view.interval = 1;
	return start(&view, argc - optind, argv + optind);
}

const struct command ss_command = {
	.name	= "ss",
	.help	=
"catsctl ss [-w [SECONDS]] [-n COUNT] [-l | -a] [-4 | -6] [-j] [FILTER]\n"
"    CATS sockets of this network namespace: queues, debts, waits, TCP's estimates.  Without\n"
"    CAP_NET_ADMIN one's own.  FILTER as in ss(8): src, dst, sport, dport, state, and, or,\n"
"    not, parentheses.\n"
"    -w, --watch [SECONDS]   again and again, every second or SECONDS\n"
"    -n, --count COUNT       end after COUNT times\n"
"    -l, --listening         listeners\n"
"    -a, --all               listeners, too\n"
"    -4, --ipv4, -6, --ipv6  sockets of this family\n"
"    -j, --json              as JSON, an array each time\n",
	.run	= run_ss,
};
