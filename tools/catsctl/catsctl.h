/* SPDX-License-Identifier: GPL-2.0 */
/*
 * catsctl: what the commands share.
 */
#ifndef _CATSCTL_H
#define _CATSCTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>

#define SYSCTL_DIR	"/proc/sys/net/cats"
#define STAT_FILE	"/proc/net/cats_stat"
#define MODULE_DIR	"/sys/module/cats"

/**
 * enum status - exit status of catsctl
 * @STATUS_OK: done
 * @STATUS_NO: a negative answer: not loaded, none found
 * @STATUS_USAGE: bad arguments
 * @STATUS_DENIED: no permission
 * @STATUS_SYSTEM: the system failed
 */
enum status {
	STATUS_OK	= 0,
	STATUS_NO	= 1,
	STATUS_USAGE	= 2,
	STATUS_DENIED	= 3,
	STATUS_SYSTEM	= 4,
};

/**
 * struct command - a word after "catsctl"
 * @name: the word
 * @help: synopsis and options, as --help prints them
 * @run: argv[0] is the word; returns enum status
 */
struct command {
	const char	*name;
	const char	*help;
	int		(*run)(int argc, char *argv[]);
};

extern const struct command status_command, ss_command, stat_command, policy_command,
	bound_command, explain_command;

/* main.c */
int fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
noreturn void die(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
int option_error(const struct command *command, int option);
int usage_error(const struct command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* alloc.c: these end the program where there is no memory */
void *allocate(size_t size);
void *grow(void *array, size_t count, size_t size);
char *copy_text(const char *text);
char *join_words(int argc, char *argv[]);

/* file.c */
char *read_line(const char *path);
char *read_sysctl(const char *name);

/* loaded.c */
bool module_loaded(void);
int fail_not_loaded(void);

/* text.c */
bool parse_u64(const char *text, uint64_t max, uint64_t *value);
bool parse_seconds(const char *text, double *seconds);
bool parse_rate(const char *text, uint64_t *bits_per_s);
const char *format_rate(char *buf, size_t size, uint64_t bytes_per_s);
const char *format_ms(char *buf, size_t size, uint64_t us);

#endif /* _CATSCTL_H */
