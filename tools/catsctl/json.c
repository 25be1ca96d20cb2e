// SPDX-License-Identifier: GPL-2.0
/*
 * JSON, RFC 8259.
 *
 * A value that ends at depth 0 ends its line, so that what comes again and again can be
 * read line by line.  Keys are the program's own, and need no escapes; NULL in an array.
 */
#include <inttypes.h>
#include <string.h>

#include "json.h"

/**
 * json_start() - set up
 * @j: JSON
 * @file: where to
 */
void json_start(struct json *j, FILE *file)
{
	memset(j, 0, sizeof(*j));
	j->file = file;
}

/* Bytes of the UTF-8 sequence at the start of @s; 0: it is none. */
static unsigned int utf8_length(const unsigned char *s)
{
	unsigned int len, i;

	if (*s < 0x80)
		return 1;
	if (*s < 0xc2 || *s > 0xf4)
		return 0;
	len = *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : 4;
	for (i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* Too long for its value, a surrogate, or above U+10FFFF. */
	if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] > 0x9f) ||
	    (*s == 0xf0 && s[1] < 0x90) || (*s == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

static void quote(FILE *file, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	unsigned int len;

	fputc('"', file);
	while (*s) {
		len = utf8_length(s);
		if (*s == '"' || *s == '\\')
			fprintf(file, "\\%c", *s);
		else if (*s < ' ' || *s == 0x7f)
			fprintf(file, "\\u%04x", *s);
		else if (len)
			fwrite(s, len, 1, file);
		else
			fputs("\\ufffd", file);
		s += len ? len : 1;
	}
	fputc('"', file);
}

/* Before each value. */
static void begin(struct json *j, const char *key)
{
	if (j->depth) {
		if (j->filled[j->depth - 1])
			fputc(',', j->file);
		j->filled[j->depth - 1] = true;
	}
	if (key)
		fprintf(j->file, "\"%s\":", key);
}

static void open_nested(struct json *j, const char *key, char first, char last)
{
	begin(j, key);
	fputc(first, j->file);
	j->close[j->depth] = last;
	j->filled[j->depth++] = false;
}

/**
 * json_object() - begin an object
 * @j: JSON
 * @key: its name
 */
void json_object(struct json *j, const char *key)
{
	open_nested(j, key, '{', '}');
}

/**
 * json_array() - begin an array
 * @j: JSON
 * @key: its name
 */
void json_array(struct json *j, const char *key)
{
	open_nested(j, key, '[', ']');
}

/**
 * json_end() - end the object or array that was begun last
 * @j: JSON
 */
void json_end(struct json *j)
{
	fputc(j->close[--j->depth], j->file);
	if (!j->depth)
		fputc('\n', j->file);
}

/**
 * json_text() - write a string
 * @j: JSON
 * @key: its name
 * @text: any bytes; what is not UTF-8 becomes U+FFFD.  NULL: null
 */
void json_text(struct json *j, const char *key, const char *text)
{
	if (!text) {
		json_null(j, key);
		return;
	}
	begin(j, key);
	quote(j->file, text);
}

/**
 * json_number() - write a whole number
 * @j: JSON
 * @key: its name
 * @number: number
 */
void json_number(struct json *j, const char *key, uint64_t number)
{
	begin(j, key);
	fprintf(j->file, "%" PRIu64, number);
}

/**
 * json_seconds() - write a number with three decimals
 * @j: JSON
 * @key: its name
 * @seconds: number
 */
void json_seconds(struct json *j, const char *key, double seconds)
{
	begin(j, key);
	fprintf(j->file, "%.3f", seconds);
}

/**
 * json_bool() - write true or false
 * @j: JSON
 * @key: its name
 * @value: which
 */
void json_bool(struct json *j, const char *key, bool value)
{
	begin(j, key);
	fputs(value ? "true" : "false", j->file);
}

/**
 * json_null() - write that there is no value
 * @j: JSON
 * @key: its name
 */
void json_null(struct json *j, const char *key)
{
	begin(j, key);
	fputs("null", j->file);
}
