/* SPDX-License-Identifier: GPL-2.0 */
/* Internal to the exercise: comparing the Conductor with what must be so. */
#ifndef _UNIT_EXERCISE_CHECK_H
#define _UNIT_EXERCISE_CHECK_H

#include <sanitizer/asan_interface.h>

#include "exercise.h"

/* The Conductor must not touch a message that it no longer holds. */
static inline void poison(void *p, size_t size)
{
	ASAN_POISON_MEMORY_REGION(p, size);
}

static inline void unpoison(void *p, size_t size)
{
	ASAN_UNPOISON_MEMORY_REGION(p, size);
}

__attribute__((format(printf, 3, 4)))
void fail(struct exercise *x, const char *property, const char *format, ...);

int check_next(struct exercise *x);
bool check_expired(struct exercise *x);
void check_begin(struct exercise *x, int id);
void check_left(struct exercise *x, int id, bool left, bool must);
bool check_removed(struct exercise *x, struct cats_msg *m);
void check_gone(struct exercise *x, int id);
void check_turns(struct exercise *x, unsigned int urgency);
void check_waits(struct exercise *x);
void check_accepted(struct exercise *x, const struct params *p);
void check_refused(struct exercise *x, const struct params *p);
void check_found(struct exercise *x, const char *name, const struct cats_conductor_ops *ops);
void check_state(struct exercise *x);

void model_init(struct exercise *x);
void model_set(struct exercise *x, const struct params *p);
unsigned int model_pick(struct exercise *x);
void model_sent(struct exercise *x, u8 waiting, unsigned int urgency, u32 bytes);
void model_follow_arrivals(struct exercise *x);
bool model_compare_debt(struct exercise *x, unsigned int urgency,
			const struct cats_class_info *info);

void bounds_restart(struct exercise *x);
void bounds_update(struct exercise *x);

void params_break(unsigned int how, struct params *p);

#endif /* _UNIT_EXERCISE_CHECK_H */
