// SPDX-License-Identifier: GPL-2.0
/*
 * Property tests of the Conductor: for each policy and each pattern of arrival,
 * seeded random operations, all properties of exercise.h after each one.
 *
 * A failure prints its seed and the shortest sequence that was found to show
 * it.  Both can be repeated: --case NAME --seed N, and --replay FILE.
 *
 * A policy that is not what its model says fails at once.  With --bounds-only
 * it may pick as it likes, as long as no class waits longer than its bound.
 */
#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sanitizer/common_interface_defs.h>

#include <linux/kernel.h>

#include "patterns.h"
#include "random.h"
#include "shrink.h"

#define OPS_DEFAULT	12000000ULL
#define OPS_PER_RUN	50000
/* Seconds that a run, normally a tenth of one, may take: a pick must end. */
#define RUN_SECONDS	60
/* So many failures are shortened, which takes seconds, and printed so far. */
#define SHORTEN_MAX	3
#define PRINT_MAX	400
/* At most one decision in this many may be too close for the model to call. */
#define FOLLOWED_RARE	10000

/**
 * struct setting - a policy, and whose parameters
 * @name: for the results
 * @policy: number of OP_POLICY
 * @random: parameters at random, not the policy's own
 */
struct setting {
	const char	*name;
	enum policy	policy;
	bool		random;
};

static const struct setting settings[] = {
	{ "strict", POLICY_STRICT, false },
	{ "debt", POLICY_DEBT, false },
	{ "debt-paper", POLICY_DEBT_PAPER, false },
	{ "debt-refcode", POLICY_DEBT_REFCODE, false },
	{ "debt-random", POLICY_DEBT, true },
	{ "bounded", POLICY_BOUNDED, false },
	{ "bounded-random", POLICY_BOUNDED, true },
	{ "wfq", POLICY_WFQ, false },
	{ "wfq-random", POLICY_WFQ, true },
	{ "edf", POLICY_EDF, false },
};

#define NR_SETTINGS	ARRAY_SIZE(settings)
#define NR_CASES	((unsigned int)(NR_SETTINGS * NR_PATTERNS))

/**
 * struct options - the command line
 * @ops: operations in total
 * @seed: of the first run, or of the only one
 * @one_case: NULL for all
 * @replay: file, or NULL
 */
struct options {
	u64		ops;
	u64		seed;
	const char	*one_case;
	const char	*replay;
};

static struct exercise the_exercise;
static struct op ops[OPS_PER_RUN + 2];
static unsigned int results, failed;

/* For what ends the program before a result can be printed. */
static char running[80];

static void last_words(void)
{
	const char *end = strchr(running, 0);

	if (write(STDOUT_FILENO, running, end - running) < 0)
		_exit(2);
}

static void too_long(int sig)
{
	last_words();
	_exit(2);
}

static void result(bool ok, const char *name, const char *diagnostic)
{
	failed += !ok;
	printf("%s %u %s # %s\n", ok ? "ok" : "not ok", ++results, name, diagnostic);
	fflush(stdout);
}

/* One run; returns the number of the operation that failed, or 0. */
static size_t run(const struct setting *setting, const struct pattern *pattern, u64 seed,
		  struct exercise_stats *stats)
{
	struct pattern_state s = {
		.random = seed << 8 | (setting - settings), .classes = 0xff,
	};
	struct exercise *x = &the_exercise;
	size_t n = 0;

	exercise_init(x, stats);
	ops[n++] = (struct op){ .kind = OP_POLICY, .arg = setting->policy };
	exercise_step(x, &ops[0]);
	if (setting->random) {
		ops[n] = (struct op){ .kind = OP_PARAMS, .value = random_next(&s.random) };
		exercise_step(x, &ops[n++]);
	}
	while (!x->property && n < OPS_PER_RUN) {
		ops[n] = pattern->next(&s, x);
		exercise_step(x, &ops[n++]);
	}
	return exercise_drain(x) ? 0 : n;
}

static void report_failure(u64 seed, size_t n)
{
	struct exercise *x = &the_exercise;
	const char *property = x->property;

	printf("# seed %llu, operation %zu: %s: %s\n", seed, n, property, x->failure);
	fflush(stdout);
	if (failed >= SHORTEN_MAX)
		return;
	alarm(RUN_SECONDS);
	n = ops_shrink(x, ops, n, property);
	printf("# these %zu operations show it (conductor_prop --replay):\n", n);
	ops_print(stdout, "#   ", ops, min_t(size_t, n, PRINT_MAX));
	if (n > PRINT_MAX)
		printf("# ... too many to print\n");
}

static void add_stats(struct exercise_stats *sum, const struct exercise_stats *add)
{
	unsigned int i;

	for (i = 0; i < OP_KINDS; i++)
		sum->applied[i] += add->applied[i];
	for (i = 0; i < CATS_NR_URGENCIES; i++)
		sum->closest[i] = max(sum->closest[i], add->closest[i]);
	sum->decisions += add->decisions;
	sum->late += add->late;
	sum->blocked += add->blocked;
	sum->passed_over += add->passed_over;
	sum->shared += add->shared;
	sum->turns_max = max(sum->turns_max, add->turns_max);
	sum->followed += add->followed;
	sum->expired += add->expired;
	sum->ahead = fmax(sum->ahead, add->ahead);
}

/* As many runs as @n operations take; the first that fails ends it. */
static void run_case(const char *name, const struct setting *setting,
		     const struct pattern *pattern, u64 seed, u64 n, struct exercise_stats *sum)
{
	struct exercise_stats stats = {};
	u64 done, failed_at = 0;
	char text[120];

	for (done = 0; done < n && !failed_at; done += OPS_PER_RUN, seed++) {
		snprintf(running, sizeof(running), "# died in: --case %s --seed %llu\n",
			 name, seed);
		alarm(RUN_SECONDS);
		failed_at = run(setting, pattern, seed, &stats);
	}
	if (failed_at)
		report_failure(seed - 1, failed_at);
	alarm(0);
	snprintf(text, sizeof(text), "%llu operations, waits up to %.2f (0) %.2f (7) of bound",
		 done, stats.closest[0], stats.closest[CATS_URGENCY_MAX]);
	result(!failed_at, name, text);
	add_stats(sum, &stats);
}

/* A property that was never put to the test does not hold. */
static void judge_stats(const struct exercise_stats *sum, u64 wanted)
{
	u64 total = 0, least = ~0ULL;
	char text[120];
	unsigned int i;

	for (i = 0; i < OP_KINDS; i++) {
		total += sum->applied[i];
		least = min(least, sum->applied[i]);
	}
	snprintf(text, sizeof(text), "%llu had an effect, %llu of the rarest kind", total, least);
	result(total > wanted / 2 && least > wanted / 10000, "operations-of-every-kind", text);

	snprintf(text, sizeof(text), "%llu decisions, %llu changed by an arrival, %llu blocked",
		 sum->decisions, sum->late, sum->blocked);
	result(sum->decisions > wanted / 10 && sum->late > wanted / 10000 &&
	       sum->blocked > wanted / 10000, "decisions-of-every-kind", text);

	snprintf(text, sizeof(text), "%llu passed over, rule 2 took %llu turns, %u at once",
		 sum->passed_over, sum->shared, sum->turns_max);
	result(sum->passed_over > wanted / 100 && sum->shared > wanted / 1000 &&
	       sum->turns_max > 2, "debt-rules-used", text);

	snprintf(text, sizeof(text), "at most %.2f quanta ahead", sum->ahead);
	result(sum->ahead > 1.5, "turns-put-to-the-test", text);

	snprintf(text, sizeof(text), "%llu expired", sum->expired);
	result(sum->expired > wanted / 1000, "lifetimes-put-to-the-test", text);

	snprintf(text, sizeof(text), "%llu of %llu at a watermark", sum->followed,
		 sum->decisions);
	result(sum->followed * FOLLOWED_RARE <= sum->decisions, "model-decides-itself", text);
}

static void run_all(const struct options *options)
{
	u64 per_case = options->ops / NR_CASES + 1;
	struct exercise_stats sum = {};
	unsigned int setting, i;
	char name[40];

	printf("KTAP version 1\n1..%d\n", options->one_case ? 1 : NR_CASES + 6);
	for (setting = 0; setting < NR_SETTINGS; setting++) {
		for (i = 0; i < NR_PATTERNS; i++) {
			snprintf(name, sizeof(name), "%s/%s", settings[setting].name,
				 patterns[i].name);
			if (!options->one_case)
				run_case(name, &settings[setting], &patterns[i],
					 options->seed, per_case, &sum);
			else if (!strcmp(name, options->one_case))
				run_case(name, &settings[setting], &patterns[i],
					 options->seed, 1, &sum);
		}
	}
	if (!options->one_case)
		judge_stats(&sum, options->ops);
}

static void replay(const char *file)
{
	struct exercise_stats stats = {};
	struct exercise *x = &the_exercise;
	FILE *in = fopen(file, "r");
	struct op *list;
	size_t n, failed_at;

	if (!in) {
		perror(file);
		exit(2);
	}
	printf("KTAP version 1\n1..1\n");
	list = ops_read(in, &n);
	fclose(in);
	if (!list)
		exit(2);
	failed_at = ops_run(x, &stats, list, n);
	if (failed_at)
		printf("# operation %zu of %zu: %s: %s\n", failed_at, n, x->property,
		       x->failure);
	result(!failed_at, "replay", file);
	free(list);
}

static void wrong_usage(const char *program)
{
	fprintf(stderr, "usage: %s [--bounds-only] [--ops N] [--seed N] [--case NAME]\n"
		"       %s [--bounds-only] --replay FILE\n", program, program);
	exit(2);
}

static void parse(int argc, char **argv, struct options *options)
{
	static const struct option longs[] = {
		{ "ops", required_argument, NULL, 'o' },
		{ "seed", required_argument, NULL, 's' },
		{ "case", required_argument, NULL, 'c' },
		{ "replay", required_argument, NULL, 'r' },
		{ "bounds-only", no_argument, NULL, 'b' },
		{}
	};
	int c;

	*options = (struct options){ .ops = OPS_DEFAULT, .seed = 1 };
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'o':
			options->ops = strtoull(optarg, NULL, 0);
			break;
		case 's':
			options->seed = strtoull(optarg, NULL, 0);
			break;
		case 'c':
			options->one_case = optarg;
			break;
		case 'r':
			options->replay = optarg;
			break;
		case 'b':
			the_exercise.bounds_only = true;
			break;
		default:
			wrong_usage(argv[0]);
		}
	}
}

int main(int argc, char **argv)
{
	struct options options;

	parse(argc, argv, &options);
	signal(SIGALRM, too_long);
	__sanitizer_set_death_callback(last_words);
	if (options.replay)
		replay(options.replay);
	else
		run_all(&options);
	return failed || !results ? EXIT_FAILURE : EXIT_SUCCESS;
}
