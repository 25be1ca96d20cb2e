// SPDX-License-Identifier: GPL-2.0
/*
 * catsctl explain: what a refusal means, and what to do.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "catsctl.h"
#include "json.h"
#include "reason.h"

#define PREFIX	"CATS_REASON_"

/**
 * struct question - what is asked for
 * @words: as given; NULL: everything
 * @number: code or errno; 0: it is no number
 * @error: errno of that name or number; 0: it is none
 */
struct question {
	const char	*words;
	uint64_t	number;
	int		error;
};

static bool matches(const struct reason *r, const struct question *q)
{
	const char *name = q->words;

	if (!name)
		return true;
	if ((q->error && r->error == q->error) || (q->number && r->code == q->number))
		return true;
	if (!strncasecmp(name, PREFIX, strlen(PREFIX)))
		name += strlen(PREFIX);
	if (!strcasecmp(r->name, name))
		return true;
	return !q->error && !q->number && strcasestr(r->text, q->words);
}

static void print(const struct reason *r)
{
	if (r->code)
		printf("%s (%d)  " PREFIX "%s (%u)\n", errno_name(r->error), r->error, r->name,
		       r->code);
	else
		printf("%s (%d)  as TCP gives it: %s\n", errno_name(r->error), r->error, r->name);
	printf("    %s\n    > %s\n", r->text, r->remedy);
}

static void print_json(struct json *j, const struct reason *r)
{
	json_object(j, NULL);
	if (r->code)
		json_number(j, "code", r->code);
	else
		json_null(j, "code");
	json_text(j, "name", r->name);
	json_number(j, "errno", r->error);
	json_text(j, "errno_name", errno_name(r->error));
	json_text(j, "text", r->text);
	json_text(j, "remedy", r->remedy);
	json_end(j);
}

static int answer(const struct question *q, bool json)
{
	unsigned int count = 0;
	struct json j;
	size_t i;

	json_start(&j, stdout);
	if (json)
		json_array(&j, NULL);
	for (i = 0; i < nr_reasons; i++) {
		if (!matches(&reasons[i], q))
			continue;
		count++;
		if (json)
			print_json(&j, &reasons[i]);
		else
			print(&reasons[i]);
	}
	if (json)
		json_end(&j);
	if (count)
		return STATUS_OK;
	if (q->error)
		return fail(STATUS_NO, "%s (%d) is no refusal of CATS: %s\n  see tcp(7), socket(7)",
			    errno_name(q->error), q->error, strerror(q->error));
	return fail(STATUS_NO, "no errno or reason \"%s\"\n  catsctl explain --all has them all",
		    q->words);
}

static int ask(int argc, char *argv[], bool json)
{
	char *words = join_words(argc, argv);
	struct question q = { .words = words };
	int status;

	if (parse_u64(words, INT32_MAX, &q.number))
		q.error = strerrorname_np(q.number) ? q.number : 0;
	else
		q.error = errno_by_name(words);
	if (*words)
		status = answer(&q, json);
	else
		status = usage_error(&explain_command, "explain: an empty word");
	free(words);
	return status;
}

static int run_explain(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "all", no_argument, NULL, 'a' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{}
	};
	const struct question everything = {};
	bool all = false, json = false;
	int option;

	while ((option = getopt_long(argc, argv, "ajh", options, NULL)) != -1) {
		if (option == 'a')
			all = true;
		else if (option == 'j')
			json = true;
		else
			return option_error(&explain_command, option);
	}
	if (optind == argc)
		return answer(&everything, json);
	if (all)
		return usage_error(&explain_command, "explain: --all, or a word");
	return ask(argc - optind, argv + optind, json);
}

const struct command explain_command = {
	.name	= "explain",
	.help	=
"catsctl explain [-j] [-a | ERRNO | REASON]\n"
"    What a refusal means and what to do.  ERRNO: name or number; REASON: name, number or\n"
"    text (or a part of it) as CATS_INFO has them.\n"
"    -a, --all       everything; so does no argument\n"
"    -j, --json      as JSON\n",
	.run	= run_explain,
};
