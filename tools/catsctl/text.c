// SPDX-License-Identifier: GPL-2.0
/*
 * Numbers as people write and read them.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "catsctl.h"

/* A day: longer is a mistake. */
#define SECONDS_MAX	86400

/**
 * parse_u64() - a whole number
 * @text: decimal digits
 * @max: the largest that is accepted
 * @value: set
 */
bool parse_u64(const char *text, uint64_t max, uint64_t *value)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*value = strtoull(text, &end, 10);
	return !errno && !*end && *value <= max;
}

/**
 * parse_seconds() - a time, above 0
 * @text: decimal number
 * @seconds: set
 */
bool parse_seconds(const char *text, double *seconds)
{
	char *end;

	if (!isdigit((unsigned char)*text) && *text != '.')
		return false;
	*seconds = strtod(text, &end);
	return end != text && !*end && *seconds > 0 && *seconds <= SECONDS_MAX;
}

/**
 * parse_rate() - a rate
 * @text: decimal number, and one of the units "bit", "kbit", "mbit", "gbit"; "bit" may be
 *	left out
 * @bits_per_s: set, above 0
 */
bool parse_rate(const char *text, uint64_t *bits_per_s)
{
	static const char units[] = "kmg";
	double factor = 1, rate;
	const char *unit;
	char *end;

	if (!isdigit((unsigned char)*text) && *text != '.')
		return false;
	rate = strtod(text, &end);
	unit = *end ? strchr(units, tolower((unsigned char)*end)) : NULL;
	if (unit) {
		factor = pow(1000, unit - units + 1);
		end++;
	}
	if (*end && strcasecmp(end, "bit"))
		return false;
	rate *= factor;
	if (!(rate >= 1 && rate <= 1e15))
		return false;
	*bits_per_s = rate;
	return true;
}

/**
 * format_rate() - a rate for people
 * @buf: result
 * @size: of @buf
 * @bytes_per_s: rate
 *
 * Return: @buf
 */
const char *format_rate(char *buf, size_t size, uint64_t bytes_per_s)
{
	double bits = bytes_per_s * 8.0;

	if (bits < 1e6)
		snprintf(buf, size, "%.1f kbit/s", bits / 1e3);
	else if (bits < 1e9)
		snprintf(buf, size, "%.1f Mbit/s", bits / 1e6);
	else
		snprintf(buf, size, "%.2f Gbit/s", bits / 1e9);
	return buf;
}

/**
 * format_ms() - a time in milliseconds
 * @buf: result
 * @size: of @buf
 * @us: time
 *
 * Return: @buf
 */
const char *format_ms(char *buf, size_t size, uint64_t us)
{
	snprintf(buf, size, "%" PRIu64 ".%03" PRIu64, us / 1000, us % 1000);
	return buf;
}
