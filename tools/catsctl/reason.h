/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Why CATS refuses calls, and what to do: see reason.c.
 */
#ifndef _CATSCTL_REASON_H
#define _CATSCTL_REASON_H

#include <stddef.h>

/**
 * struct reason - why a call was refused
 * @name: as after CATS_REASON_; of an errno: where it comes from
 * @code: enum cats_reason; 0: an errno that is not one of CATS's own refusals
 * @error: errno
 * @text: what it means
 * @remedy: what to do
 */
struct reason {
	const char	*name;
	unsigned int	code;
	int		error;
	const char	*text;
	const char	*remedy;
};

extern const struct reason reasons[];
extern const size_t nr_reasons;

const struct reason *reason_by_code(unsigned int code);
const char *errno_name(int error);
int errno_by_name(const char *name);

#endif /* _CATSCTL_REASON_H */
