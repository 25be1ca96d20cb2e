/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Parameters of policies, by name: see params.c.
 */
#ifndef _CATSCTL_PARAMS_H
#define _CATSCTL_PARAMS_H

#include <stdbool.h>

#include "conductor.h"
#include "json.h"

/* There are seven, see params.c. */
#define NR_PARAMS	7

/**
 * struct params - the parameters that were given
 * @given: bit per parameter of the table in params.c
 * @values: of each
 */
struct params {
	unsigned int	given;
	u32		values[NR_PARAMS][CATS_NR_URGENCIES];
};

bool params_parse(struct params *p, const char *name, const char *numbers);
bool params_read(struct params *p, const char *path);
enum cats_reason params_set(const struct params *p, struct cats_conductor *c);
void params_print(const struct cats_conductor *c);
void params_json(const struct cats_conductor *c, struct json *j);

#endif /* _CATSCTL_PARAMS_H */
