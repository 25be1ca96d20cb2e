// SPDX-License-Identifier: GPL-2.0
/*
 * The bound of each policy and class beside the longest wait that arrivals made for the
 * purpose produce: it must never be exceeded and, where that is claimed, nearly reached.
 *
 * Prints KTAP or, with --table, the named policies' figures as TSV.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bounds_attack.h"
#include "random.h"

#define RANDOM_SETS	8
#define TABLE_LEN	16384

static const u32 lens[] = { 1000, 16384 };

/**
 * struct tally - of one policy and class, over sizes and parameters
 * @n: how many
 * @exceeded: of them with a wait beyond the bound
 * @least: smallest share of the bound that was reached
 * @most: largest
 */
struct tally {
	unsigned int	n;
	unsigned int	exceeded;
	double		least;
	double		most;
};

static unsigned int results, failed;

static void add(struct tally *t, const struct outcome *o)
{
	double share = (double)o->longest / o->bound;

	t->exceeded += o->longest > o->bound;
	t->least = t->n ? min(t->least, share) : share;
	t->most = max(t->most, share);
	t->n++;
}

/* @claim: share of the bound that must be reached each time */
static void report(const char *name, unsigned int urgency, const struct tally *t, double claim)
{
	bool ok = t->n && !t->exceeded && t->least >= claim;

	failed += !ok;
	printf("%s %u %s/%u # %u sets, %u beyond the bound, reached %.3f to %.3f of it\n",
	       ok ? "ok" : "not ok", ++results, name, urgency, t->n, t->exceeded, t->least,
	       t->most);
	fflush(stdout);
}

static void run_strict(const char *name)
{
	struct tally t = {};
	struct outcome o;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		o = attack_strict(cats_conductor_find(name), lens[i]);
		add(&t, &o);
	}
	report(name, 0, &t, 0.9);
}

/* The named parameters, and others from 1 on. */
static void params_of(unsigned int set, struct params *p)
{
	struct model_bounded bounded;
	struct model_wfq wfq;
	u64 random = set;
	unsigned int i;

	params_from(random_next(&random), p);
	/* To use up more takes long, and is no different. */
	p->bounded.bucket = min(p->bounded.bucket, 1U << 22);
	for (i = 0; i < CATS_NR_URGENCIES; i++)
		p->wfq.weight[i] = min(p->wfq.weight[i], 1U << 18);
	if (set)
		return;
	model_bounded_init(&bounded);
	model_wfq_init(&wfq);
	p->bounded = bounded.params;
	p->wfq = wfq.params;
}

/*
 * Class 1 is passed over by nobody but class 0 and those that are due.  So class 0 keeps
 * its bucket empty while class 1 earns, and of what a full bucket adds to the bound
 * nothing is reached.  Likewise the bound of class 0, if those that are due cannot send
 * enough for its bucket to fill.
 */
static bool bounded_is_tight(const struct cats_bounded_params *p, unsigned int urgency, u32 len)
{
	if (!urgency)
		return p->share[0] * 6 >= 1024;
	return urgency > 1 || p->bucket <= len;
}

static void run_bounded(unsigned int urgency)
{
	struct tally tight = {}, loose = {};
	unsigned int set, i;
	struct params p;
	struct outcome o;

	for (set = 0; set <= RANDOM_SETS; set++) {
		params_of(set, &p);
		for (i = 0; i < ARRAY_SIZE(lens); i++) {
			o = attack_bounded(&p.bounded, urgency, lens[i]);
			if (o.bound == CATS_NO_BOUND)
				continue;
			add(bounded_is_tight(&p.bounded, urgency, lens[i]) ? &tight : &loose, &o);
		}
	}
	report("bounded", urgency, &tight, 0.9);
	if (urgency <= 1)
		report("bounded-loose", urgency, &loose, 0);
}

static void run_wfq(unsigned int urgency)
{
	struct tally t = {};
	unsigned int set, i;
	struct params p;
	struct outcome o;

	for (set = 0; set <= RANDOM_SETS; set++) {
		params_of(set, &p);
		for (i = 0; i < ARRAY_SIZE(lens); i++) {
			o = attack_wfq(&p.wfq, urgency, lens[i]);
			add(&t, &o);
		}
	}
	report("wfq", urgency, &t, 0.9);
}

/* Claimed where the least urgent class, which has no debt, pays back the least. */
static void run_debt(const char *name, unsigned int urgency)
{
	bool tight = !urgency && strcmp(name, "debt-refcode");
	struct tally t = {};
	struct outcome o;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		o = attack_debt(name, urgency, lens[i]);
		add(&t, &o);
	}
	report(name, urgency, &t, tight ? 0.9 : 0);
}

static const char *const debts[] = { "debt", "debt-paper", "debt-refcode" };

static void run_all(void)
{
	unsigned int i, j;

	printf("KTAP version 1\n1..%zu\n", 2 + CATS_NR_URGENCIES * (2 + ARRAY_SIZE(debts)) + 2);
	run_strict("strict");
	run_strict("edf");
	for (i = 0; i < CATS_NR_URGENCIES; i++)
		run_bounded(i);
	for (i = 0; i < CATS_NR_URGENCIES; i++)
		run_wfq(i);
	for (j = 0; j < ARRAY_SIZE(debts); j++)
		for (i = 0; i < CATS_NR_URGENCIES; i++)
			run_debt(debts[j], i);
}

static void row(const char *name, unsigned int urgency, struct outcome o)
{
	printf("%s\t%u\t%llu\t%llu\t%.2f\n", name, urgency, o.bound, o.longest,
	       (double)o.longest / o.bound);
}

static void print_table(void)
{
	struct params p;
	unsigned int i, j;

	params_of(0, &p);
	printf("conductor\turgency\tbound_bytes\tlongest_bytes\treached\n");
	row("strict", 0, attack_strict(&cats_strict, TABLE_LEN));
	row("edf", 0, attack_strict(&cats_edf, TABLE_LEN));
	for (i = 0; i < CATS_NR_URGENCIES; i++)
		row("bounded", i, attack_bounded(&p.bounded, i, TABLE_LEN));
	for (i = 0; i < CATS_NR_URGENCIES; i++)
		row("wfq", i, attack_wfq(&p.wfq, i, TABLE_LEN));
	for (j = 0; j < ARRAY_SIZE(debts); j++)
		for (i = 0; i < CATS_NR_URGENCIES; i++)
			row(debts[j], i, attack_debt(debts[j], i, TABLE_LEN));
}

int main(int argc, char **argv)
{
	if (argc > 2 || (argc == 2 && strcmp(argv[1], "--table"))) {
		fprintf(stderr, "usage: %s [--table]\n", argv[0]);
		return 2;
	}
	if (argc == 2)
		print_table();
	else
		run_all();
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
