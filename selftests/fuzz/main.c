// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz: run episodes until the calls, the episodes or the time are over.
 *
 * Usage: fuzz [--seed S] [--from N] [--episodes N] [--calls N] [--seconds N]
 *	       [--replay FILE [--repeat N]] [--print] [--no-shrink]
 *
 * --print writes the program of episode --from and does nothing else.
 *
 * TAP on standard output.  Before each episode its number goes to the kernel log,
 * so that after a crash of the kernel one knows which it was.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../module.h"
#include "fuzz.h"

/* Between attempts to unload the module; they succeed if no socket is left. */
#define UNLOAD_EVERY	16

enum argument {
	OPT_SEED, OPT_FROM, OPT_EPISODES, OPT_CALLS, OPT_SECONDS, OPT_REPEAT,
	NR_NUMBERS, OPT_REPLAY = NR_NUMBERS, OPT_PRINT, OPT_NO_SHRINK,
};

static const struct option options[] = {
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "from", required_argument, NULL, OPT_FROM },
	{ "episodes", required_argument, NULL, OPT_EPISODES },
	{ "calls", required_argument, NULL, OPT_CALLS },
	{ "seconds", required_argument, NULL, OPT_SECONDS },
	{ "repeat", required_argument, NULL, OPT_REPEAT },
	{ "replay", required_argument, NULL, OPT_REPLAY },
	{ "print", no_argument, NULL, OPT_PRINT },
	{ "no-shrink", no_argument, NULL, OPT_NO_SHRINK },
	{}
};

static uint64_t numbers[NR_NUMBERS] = {
	[OPT_SEED] = 1, [OPT_EPISODES] = ~0ull, [OPT_CALLS] = 100000,
	[OPT_SECONDS] = ~0ull, [OPT_REPEAT] = 1,
};

static const char *replay_file;
static bool only_print, no_shrink;

static struct program program;

/* What happened so far. */
static struct {
	uint64_t	calls;
	uint64_t	bytes;
	uint64_t	messages;
	uint64_t	ends[PEER_GONE + 1];
	uint32_t	episodes;
	uint32_t	unloads;
	uint32_t	refused;
} totals;

static void parse_options(int argc, char **argv)
{
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == '?')
			exit(2);
		if (opt < NR_NUMBERS)
			numbers[opt] = strtoull(optarg, NULL, 0);
		else if (opt == OPT_REPLAY)
			replay_file = optarg;
		else if (opt == OPT_PRINT)
			only_print = true;
		else
			no_shrink = true;
	}
}

static uint64_t seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

/* <6>: as information; the level must be one that the console shows. */
static void announce(uint32_t episode_no)
{
	static int fd = -1;
	char line[80];
	int len;

	if (fd < 0)
		fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	len = snprintf(line, sizeof(line), "<6>cats-fuzz: seed %llu episode %u",
		       (unsigned long long)numbers[OPT_SEED], episode_no);
	if (write(fd, line, len) < 0)
		fd = -1;
}

static void add_totals(void)
{
	uint32_t i;

	for (i = 0; i < NR_ACTORS; i++)
		totals.calls += ledger->calls[i];
	for (i = 0; i < MAX_MSGS; i++)
		totals.messages += !!ledger->msgs[i].accepted;
	totals.bytes += ledger->wire_bytes;
	totals.ends[ledger->peer_end]++;
	totals.episodes++;
}

/* Between episodes the last sockets may be gone, or wait for their FIN. */
static void try_unload(void)
{
	totals.calls++;
	if (module_unload()) {
		totals.refused++;
		return;
	}
	totals.unloads++;
	if (module_load()) {
		printf("Bail out! cannot load the module again: error %d\n", errno);
		exit(1);
	}
}

static void report_failure(uint32_t episode_no)
{
	printf("# FAILED: seed %llu episode %u, after %llu calls: %s\n",
	       (unsigned long long)numbers[OPT_SEED], episode_no,
	       (unsigned long long)totals.calls, ledger->why);
	fflush(stdout);
	if (no_shrink)
		return;
	shrink(&program);
	printf("# save the following lines, without '# ', for --replay\n");
	printf("# # seed %llu episode %u\n", (unsigned long long)numbers[OPT_SEED],
	       episode_no);
	fflush(stdout);
}

/* As comments of TAP. */
static void print_program(void)
{
	char *text = NULL, *line, *save;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	program_print(&program, f);
	fclose(f);
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		printf("# %s\n", line);
	free(text);
}

static bool run_one(uint32_t episode_no)
{
	bool ok;

	announce(episode_no);
	ok = episode_run(&program);
	add_totals();
	if (!ok) {
		report_failure(episode_no);
		if (!no_shrink)
			print_program();
	}
	return ok;
}

static bool run_replay(void)
{
	FILE *f = fopen(replay_file, "r");
	uint32_t i;

	if (!f || program_parse(&program, f)) {
		fprintf(stderr, "fuzz: cannot read %s\n", replay_file);
		exit(2);
	}
	fclose(f);
	for (i = 0; i < numbers[OPT_REPEAT]; i++)
		if (!run_one(i))
			return false;
	return true;
}

static bool run_seed(void)
{
	uint64_t until = numbers[OPT_SECONDS] == ~0ull ? ~0ull :
			 seconds() + numbers[OPT_SECONDS];
	uint64_t last = numbers[OPT_EPISODES] == ~0ull ? ~0ull :
			numbers[OPT_FROM] + numbers[OPT_EPISODES];
	uint64_t i;

	for (i = numbers[OPT_FROM]; i < last && totals.calls < numbers[OPT_CALLS] &&
	     seconds() < until; i++) {
		program_make(&program, numbers[OPT_SEED], i);
		if (!run_one(i))
			return false;
		if (i % UNLOAD_EVERY == 0)
			try_unload();
		if (totals.episodes % 100 == 0) {
			printf("# %llu calls, %u episodes\n",
			       (unsigned long long)totals.calls, totals.episodes);
			fflush(stdout);
		}
	}
	return true;
}

static void print_totals(void)
{
	printf("# %llu calls in %u episodes; %llu messages, %llu bytes checked\n",
	       (unsigned long long)totals.calls, totals.episodes,
	       (unsigned long long)totals.messages, (unsigned long long)totals.bytes);
	printf("# ends: %llu FIN, %llu reset by us, %llu by the peer, %llu exit\n",
	       (unsigned long long)totals.ends[PEER_EOF],
	       (unsigned long long)totals.ends[PEER_RESET_BY_US],
	       (unsigned long long)totals.ends[PEER_GONE],
	       (unsigned long long)totals.ends[PEER_OPEN]);
	printf("# unloaded between episodes: %u, refused: %u\n", totals.unloads,
	       totals.refused);
}

int main(int argc, char **argv)
{
	sigset_t set;
	bool ok;

	parse_options(argc, argv);
	if (only_print) {
		program_make(&program, numbers[OPT_SEED], numbers[OPT_FROM]);
		program_print(&program, stdout);
		return 0;
	}
	oracle_init();
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (connection_init()) {
		fprintf(stderr, "fuzz: no listeners: %s\n", strerror(errno));
		return 2;
	}
	ok = replay_file ? run_replay() : run_seed();
	print_totals();
	printf("%s 1 - every accepted byte arrived as promised, or its loss was told\n",
	       ok ? "ok" : "not ok");
	return !ok;
}
