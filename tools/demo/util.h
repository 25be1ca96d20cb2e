/* SPDX-License-Identifier: GPL-2.0 */
/* Clock, error messages and numbers on the command line, for all demo programs. */
#ifndef DEMO_UTIL_H
#define DEMO_UTIL_H

#include <stdint.h>

#define NSEC_PER_SEC	1000000000ull
#define NSEC_PER_MSEC	1000000ull
#define NSEC_PER_USEC	1000ull

uint64_t now_ns(void);			/* CLOCK_MONOTONIC */

/* Print "program: message" and exit with status 1; die_errno() adds the errno. */
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
void die_errno(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* @text as a number from @min to @max, or exit with a message that names @what. */
unsigned long parse_number(const char *what, const char *text, unsigned long min,
			   unsigned long max);

#endif /* DEMO_UTIL_H */
