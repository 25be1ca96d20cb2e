/* SPDX-License-Identifier: GPL-2.0 */
/*
 * JSON, written as it comes, on one line: see json.c.
 */
#ifndef _CATSCTL_JSON_H
#define _CATSCTL_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define JSON_DEPTH	16

/**
 * struct json - a value that is written
 * @file: where to
 * @depth: arrays and objects that are open
 * @close: what ends each
 * @filled: whether it has a member
 */
struct json {
	FILE		*file;
	unsigned int	depth;
	char		close[JSON_DEPTH];
	bool		filled[JSON_DEPTH];
};

void json_start(struct json *j, FILE *file);
void json_object(struct json *j, const char *key);
void json_array(struct json *j, const char *key);
void json_end(struct json *j);
void json_text(struct json *j, const char *key, const char *text);
void json_number(struct json *j, const char *key, uint64_t number);
void json_seconds(struct json *j, const char *key, double seconds);
void json_bool(struct json *j, const char *key, bool value);
void json_null(struct json *j, const char *key);

#endif /* _CATSCTL_JSON_H */
