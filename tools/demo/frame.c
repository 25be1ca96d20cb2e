// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "frame.h"

_Static_assert(sizeof(struct frame) == 24, "a hole in the header would be sent as garbage");

/*
 * The payload is the high bytes of a linear congruential sequence whose start
 * depends on group and number: no two messages look alike, and a byte that is
 * moved by any distance is as wrong as one that is changed.
 */
static uint32_t pattern_start(const struct frame *f)
{
	return (f->seq * NR_GROUPS + f->group) * 2654435761u;
}

static unsigned char pattern_next(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 24;
}

void frame_build(unsigned char *buf, const struct frame *f)
{
	uint32_t state = pattern_start(f);
	size_t i;

	memcpy(buf, f, sizeof(*f));
	for (i = sizeof(*f); i < f->len; i++)
		buf[i] = pattern_next(&state);
}

const char *frame_parse(const unsigned char *buf, struct frame *f)
{
	memcpy(f, buf, sizeof(*f));
	if (f->magic != FRAME_MAGIC)
		return "no message starts here: the one before it was cut or mixed with another";
	if (f->group >= NR_GROUPS)
		return "group out of range";
	if (f->len < sizeof(*f) || f->len > FRAME_MAX)
		return "length out of range";
	if (f->flags & ~FRAME_LAST)
		return "unknown flag";
	return NULL;
}

size_t frame_check_payload(const unsigned char *buf, const struct frame *f)
{
	uint32_t state = pattern_start(f);
	size_t i;

	for (i = sizeof(*f); i < f->len; i++) {
		if (buf[i] != pattern_next(&state))
			return i;
	}
	return 0;
}
