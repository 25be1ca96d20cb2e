// SPDX-License-Identifier: GPL-2.0
/*
 * Parameters of policies: from text into the structures of the uapi header, which the
 * module's own code then checks, and back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catsctl.h"
#include "params.h"

#define SEPARATORS	" \t\n,="

/* All of them are arrays of u32. */
union any_params {
	struct cats_bounded_params	bounded;
	struct cats_debt_params		debt;
	struct cats_wfq_params		wfq;
};

static bool get_bounded(const struct cats_conductor *c, union any_params *any)
{
	return cats_bounded_get_params(c, &any->bounded);
}

static enum cats_reason set_bounded(struct cats_conductor *c, const union any_params *any)
{
	return cats_bounded_set_params(c, &any->bounded);
}

static bool get_debt(const struct cats_conductor *c, union any_params *any)
{
	return cats_debt_get_params(c, &any->debt);
}

static enum cats_reason set_debt(struct cats_conductor *c, const union any_params *any)
{
	return cats_debt_set_params(c, &any->debt);
}

static bool get_wfq(const struct cats_conductor *c, union any_params *any)
{
	return cats_wfq_get_params(c, &any->wfq);
}

static enum cats_reason set_wfq(struct cats_conductor *c, const union any_params *any)
{
	return cats_wfq_set_params(c, &any->wfq);
}

/**
 * struct family - policies with the same parameters
 * @get: of a Conductor; false if it is of another family
 * @set: likewise; returns why not
 */
struct family {
	bool			(*get)(const struct cats_conductor *c, union any_params *any);
	enum cats_reason	(*set)(struct cats_conductor *c, const union any_params *any);
};

static const struct family bounded = { get_bounded, set_bounded };
static const struct family debt = { get_debt, set_debt };
static const struct family wfq = { get_wfq, set_wfq };

/**
 * struct param - a parameter
 * @name: of the option, and in a file
 * @family: of the policies that have it
 * @at: where it begins, in u32
 * @count: numbers that it has
 */
struct param {
	const char		*name;
	const struct family	*family;
	size_t			at;
	unsigned int		count;
};

#define PARAM(family, name, option)						\
	{ option, &family, offsetof(struct cats_##family##_params, name) / sizeof(u32),	\
	  sizeof(((struct cats_##family##_params *)0)->name) / sizeof(u32) }

static const struct param table[] = {
	PARAM(bounded, share, "share"),
	PARAM(bounded, bucket, "bucket"),
	PARAM(debt, high, "high"),
	PARAM(debt, low, "low"),
	PARAM(debt, payback, "payback"),
	PARAM(debt, payback_sum, "payback-sum"),
	PARAM(wfq, weight, "weight"),
};

_Static_assert(sizeof(table) / sizeof(*table) == NR_PARAMS, "NR_PARAMS");

/* Exactly @count numbers. */
static bool parse_numbers(const char *text, u32 *values, unsigned int count)
{
	char *copy = copy_text(text), *rest = copy, *word;
	unsigned int n = 0;
	uint64_t value;
	bool ok = true;

	while (ok && (word = strsep(&rest, SEPARATORS))) {
		if (!*word)
			continue;
		ok = n < count && parse_u64(word, UINT32_MAX, &value);
		if (ok)
			values[n++] = value;
	}
	free(copy);
	return ok && n == count;
}

/**
 * params_parse() - a parameter was given
 * @p: parameters
 * @name: its name
 * @numbers: its numbers, with commas or spaces between them
 *
 * Return: false, and the user was told, if that is not so.
 */
bool params_parse(struct params *p, const char *name, const char *numbers)
{
	unsigned int i;

	for (i = 0; i < NR_PARAMS; i++) {
		if (strcmp(table[i].name, name))
			continue;
		if (parse_numbers(numbers, p->values[i], table[i].count)) {
			p->given |= 1U << i;
			return true;
		}
		fail(STATUS_USAGE, "bound: %s wants %u whole number%s, not \"%s\"", name,
		     table[i].count, table[i].count == 1 ? "" : "s (urgency 0 to 7)", numbers);
		return false;
	}
	fail(STATUS_USAGE, "bound: there is no parameter \"%s\"", name);
	return false;
}

/**
 * params_read() - parameters from a file: a line for each, its name and its numbers
 * @p: parameters
 * @path: file; "-" is stdin
 *
 * Return: false, and the user was told, if it cannot be read, or has something else.
 */
bool params_read(struct params *p, const char *path)
{
	FILE *file = strcmp(path, "-") ? fopen(path, "re") : stdin;
	char *line = NULL, *name, *rest;
	size_t size = 0;
	bool ok = true;

	if (!file) {
		fail(STATUS_USAGE, "bound: %s: %m", path);
		return false;
	}
	while (ok && getline(&line, &size, file) > 0) {
		line[strcspn(line, "#\n")] = 0;
		name = line + strspn(line, SEPARATORS);
		rest = name + strcspn(name, SEPARATORS);
		if (*rest)
			*rest++ = 0;
		ok = !*name || params_parse(p, name, rest);
	}
	free(line);
	if (file != stdin)
		fclose(file);
	return ok;
}

/**
 * params_set() - give a Conductor what was given
 * @p: parameters; what is missing is as the policy has it
 * @c: Conductor
 *
 * Return: the module's own reason why not, or CATS_REASON_NONE.
 */
enum cats_reason params_set(const struct params *p, struct cats_conductor *c)
{
	const struct family *family = NULL;
	union any_params any;
	unsigned int i;

	for (i = 0; i < NR_PARAMS; i++) {
		if (!(p->given & (1U << i)))
			continue;
		if (table[i].family != family && !table[i].family->get(c, &any))
			return CATS_REASON_PARAMS_OTHER;
		family = table[i].family;
		memcpy((u32 *)&any + table[i].at, p->values[i], table[i].count * sizeof(u32));
	}
	return family ? family->set(c, &any) : CATS_REASON_NONE;
}

/**
 * params_print() - the parameters of a Conductor, a line for each; params_read() takes that
 * @c: Conductor
 */
void params_print(const struct cats_conductor *c)
{
	union any_params any;
	unsigned int i, n;

	for (i = 0; i < NR_PARAMS; i++) {
		if (!table[i].family->get(c, &any))
			continue;
		printf("  %-11s", table[i].name);
		for (n = 0; n < table[i].count; n++)
			printf(" %u", ((u32 *)&any)[table[i].at + n]);
		puts("");
	}
}

/**
 * params_json() - the parameters of a Conductor as an object "parameters"
 * @c: Conductor
 * @j: JSON
 */
void params_json(const struct cats_conductor *c, struct json *j)
{
	union any_params any;
	unsigned int i, n;

	json_object(j, "parameters");
	for (i = 0; i < NR_PARAMS; i++) {
		if (!table[i].family->get(c, &any))
			continue;
		json_array(j, table[i].name);
		for (n = 0; n < table[i].count; n++)
			json_number(j, NULL, ((u32 *)&any)[table[i].at + n]);
		json_end(j);
	}
	json_end(j);
}
