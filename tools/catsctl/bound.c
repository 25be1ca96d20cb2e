// SPDX-License-Identifier: GPL-2.0
/*
 * catsctl bound: how long does each urgency wait at most?
 *
 * The module's own policies answer: their sources are part of this program.  Neither the
 * module nor a kernel with it is needed.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catsctl.h"
#include "conductor.h"
#include "json.h"
#include "params.h"
#include "reason.h"
#include "table.h"

/* As the figures of Documentation/conductor.rst. */
#define MESSAGE_DEFAULT	16384

/**
 * struct inquiry - what is asked
 * @message: bytes of the largest message
 * @rate: bits per second; 0: not given
 * @budget: bytes that are committed before
 * @json: as JSON
 * @params: parameters
 */
struct inquiry {
	uint64_t	message;
	uint64_t	rate;
	uint64_t	budget;
	bool		json;
	struct params	params;
};

static u64 bound_bytes(const struct cats_conductor *c, unsigned int urgency,
		       const struct inquiry *q)
{
	return c->ops->bound ? c->ops->bound(c, urgency, q->message) : CATS_NO_BOUND;
}

/* As bound_us in CATS_INFO: of the bytes and the budget. */
static u64 bound_us(u64 bytes, const struct inquiry *q)
{
	unsigned __int128 us;

	if (bytes == CATS_NO_BOUND || !q->rate)
		return CATS_NO_BOUND;
	us = ((unsigned __int128)bytes + q->budget) * 8000000 / q->rate;
	return us < CATS_NO_BOUND ? us : CATS_NO_BOUND;
}

static void print(const struct cats_conductor *c, const struct inquiry *q)
{
	char text[32];
	struct table t;
	u64 bytes, us;
	unsigned int i;

	printf("%s, messages of at most %" PRIu64 " bytes", c->ops->name, q->message);
	if (q->rate)
		printf(", at %s", format_rate(text, sizeof(text), q->rate / 8));
	if (q->budget)
		printf(", after %" PRIu64 " bytes", q->budget);
	puts("");
	params_print(c);
	table_start(&t, q->rate ? "rrr" : "rr");
	table_heads(&t, q->rate ? "urgency bound_bytes bound_ms" : "urgency bound_bytes");
	for (i = 0; i < CATS_NR_URGENCIES; i++) {
		bytes = bound_bytes(c, i, q);
		us = bound_us(bytes, q);
		table_add(&t, "%u", i);
		if (bytes == CATS_NO_BOUND)
			table_add(&t, "none");
		else
			table_add(&t, "%llu", bytes);
		if (q->rate)
			table_add(&t, "%s", us == CATS_NO_BOUND ? "none" :
				  format_ms(text, sizeof(text), us));
	}
	table_print(&t, 0);
}

static void json_bound(struct json *j, const char *key, u64 bound)
{
	if (bound == CATS_NO_BOUND)
		json_null(j, key);
	else
		json_number(j, key, bound);
}

static void print_json(const struct cats_conductor *c, const struct inquiry *q)
{
	unsigned int i;
	struct json j;

	json_start(&j, stdout);
	json_object(&j, NULL);
	json_text(&j, "policy", c->ops->name);
	json_number(&j, "message", q->message);
	if (q->rate)
		json_number(&j, "rate_bit_s", q->rate);
	else
		json_null(&j, "rate_bit_s");
	json_number(&j, "budget", q->budget);
	params_json(c, &j);
	json_array(&j, "classes");
	for (i = 0; i < CATS_NR_URGENCIES; i++) {
		json_object(&j, NULL);
		json_number(&j, "urgency", i);
		json_bound(&j, "bound_bytes", bound_bytes(c, i, q));
		json_bound(&j, "bound_us", bound_us(bound_bytes(c, i, q), q));
		json_end(&j);
	}
	json_end(&j);
	json_end(&j);
}

static int unknown_policy(const char *name)
{
	size_t i;

	fail(STATUS_USAGE, "bound: no policy \"%s\" is part of CATS; there are:", name);
	for (i = 0; i < CATS_NR_CONDUCTORS; i++)
		fprintf(stderr, "  %s\n", cats_conductors[i]->name);
	return STATUS_USAGE;
}

static int answer(const char *name, const struct inquiry *q)
{
	const struct cats_conductor_ops *ops = cats_conductor_find(name);
	struct cats_conductor *c;
	const struct reason *why;

	if (!ops)
		return unknown_policy(name);
	c = allocate(sizeof(*c));
	cats_conductor_init(c, ops);
	why = reason_by_code(params_set(&q->params, c));
	if (!why && q->json)
		print_json(c, q);
	else if (!why)
		print(c, q);
	free(c);
	if (!why)
		return STATUS_OK;
	return fail(STATUS_USAGE, "%s: %s\n  %s", errno_name(why->error), why->text, why->remedy);
}

/* Without a name: what new sockets get here; without the module, what they would get. */
static int answer_default(const struct inquiry *q)
{
	char *name = read_sysctl("conductor");
	int status = answer(name ? name : cats_conductors[0]->name, q);

	free(name);
	return status;
}

static const struct option options[] = {
	{ "message", required_argument, NULL, 'm' },
	{ "rate", required_argument, NULL, 'r' },
	{ "budget", required_argument, NULL, 'b' },
	{ "params", required_argument, NULL, 'p' },
	{ "share", required_argument, NULL, 0 },
	{ "bucket", required_argument, NULL, 0 },
	{ "high", required_argument, NULL, 0 },
	{ "low", required_argument, NULL, 0 },
	{ "payback", required_argument, NULL, 0 },
	{ "payback-sum", required_argument, NULL, 0 },
	{ "weight", required_argument, NULL, 0 },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{}
};

/* STATUS_OK, or what to end with; -1: it is none of these. */
static int take_option(struct inquiry *q, int option, const char *name)
{
	bool ok = true;

	switch (option) {
	case 0:
		return params_parse(&q->params, name, optarg) ? STATUS_OK : STATUS_USAGE;
	case 'p':
		return params_read(&q->params, optarg) ? STATUS_OK : STATUS_USAGE;
	case 'j':
		q->json = true;
		return STATUS_OK;
	case 'm':
		ok = parse_u64(optarg, UINT32_MAX, &q->message) && q->message;
		break;
	case 'r':
		ok = parse_rate(optarg, &q->rate);
		break;
	case 'b':
		ok = parse_u64(optarg, UINT32_MAX, &q->budget);
		break;
	default:
		return -1;
	}
	if (ok)
		return STATUS_OK;
	return fail(STATUS_USAGE, "bound: --%s: %s is not %s", name, optarg,
		    option == 'r' ? "a rate, as 20mbit" : "a number of bytes");
}

static int run_bound(int argc, char *argv[])
{
	struct inquiry q = { .message = MESSAGE_DEFAULT };
	int option, index, status;

	while ((option = getopt_long(argc, argv, "m:r:b:p:jh", options, &index)) != -1) {
		/* A short one does not set the index. */
		if (option)
			for (index = 0; options[index].val && options[index].val != option; index++)
				;
		status = take_option(&q, option, options[index].name);
		if (status < 0)
			return option_error(&bound_command, option);
		if (status)
			return status;
	}
	if (optind + 1 < argc)
		return usage_error(&bound_command, "bound: %s is too much", argv[optind + 1]);
	return optind < argc ? answer(argv[optind], &q) : answer_default(&q);
}

const struct command bound_command = {
	.name	= "bound",
	.help	=
"catsctl bound [POLICY] [-m BYTES] [-r RATE] [-b BYTES] [-p FILE] [PARAMETER...] [-j]\n"
"    The most that others send, or the longest time, while an urgency waits.  Needs no\n"
"    module.  POLICY: that of new sockets here, or else bounded.\n"
"    -m, --message BYTES     the largest message (16384)\n"
"    -r, --rate RATE         bits per second; kbit, mbit, gbit: show times, too\n"
"    -b, --budget BYTES      committed bytes that come on top of the time (0)\n"
"    -p, --params FILE       parameters, a line for each, as this command prints them\n"
"    --share LIST            bounded: 8 shares, 1024ths, with commas between them\n"
"    --bucket BYTES          bounded: bucket of urgency 0\n"
"    --high LIST, --low LIST debt: watermarks, bytes\n"
"    --payback LIST          debt: thousandths of a byte\n"
"    --payback-sum NUMBER    debt: 0 for the sum of all\n"
"    --weight LIST           wfq: bytes per round\n"
"    -j, --json              as JSON\n",
	.run	= run_bound,
};
