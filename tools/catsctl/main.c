// SPDX-License-Identifier: GPL-2.0
/*
 * catsctl: look at CATS and set its defaults; catsctl(8) is the manual.
 */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catsctl.h"
#include "version.h"

static const struct command *const commands[] = {
	&status_command, &ss_command, &stat_command, &policy_command, &bound_command,
	&explain_command,
};

#define NR_COMMANDS	(sizeof(commands) / sizeof(*commands))

static void complain(const char *format, va_list args)
{
	int error = errno;

	/* What was printed comes before; and the message may be about the errno. */
	fflush(stdout);
	errno = error;
	fputs("catsctl: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

/**
 * fail() - say what is wrong, and what to do
 * @status: enum status
 * @format: as for printf()
 *
 * Return: @status
 */
int fail(int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain(format, args);
	va_end(args);
	return status;
}

/**
 * die() - fail() where nobody could go on
 * @status: enum status
 * @format: as for printf()
 */
void die(int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain(format, args);
	va_end(args);
	exit(status);
}

/**
 * option_error() - what getopt_long() returned is no option of the command's own
 * @command: command
 * @option: 'h', or '?' where getopt_long() has complained
 *
 * Return: enum status
 */
int option_error(const struct command *command, int option)
{
	if (option == 'h') {
		fputs(command->help, stdout);
		return STATUS_OK;
	}
	return fail(STATUS_USAGE, "try catsctl %s --help", command->name);
}

/**
 * usage_error() - arguments are wrong
 * @command: command
 * @format: what is wrong with them
 *
 * Return: STATUS_USAGE
 */
int usage_error(const struct command *command, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain(format, args);
	va_end(args);
	return option_error(command, '?');
}

static void print_help(void)
{
	size_t i;

	puts("Usage: catsctl COMMAND [OPTION...]\n"
	     "       catsctl -h | --help\n"
	     "       catsctl -V | --version\n\n"
	     "Looks at CATS, tagged writes on one TCP connection, scheduled in the kernel.\n"
	     "catsctl COMMAND --help is about one command; the manual is catsctl(8).\n");
	for (i = 0; i < NR_COMMANDS; i++)
		printf("%s\n", commands[i]->help);
	puts("Exit status: 0 ok; 1 a negative answer: not loaded, none found; 2 bad arguments;\n"
	     "3 no permission; 4 the system failed.");
}

static int run(int argc, char *argv[])
{
	size_t i;

	for (i = 0; i < NR_COMMANDS; i++)
		if (!strcmp(argv[0], commands[i]->name))
			return commands[i]->run(argc, argv);
	return fail(STATUS_USAGE, "there is no command %s; try catsctl --help", argv[0]);
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{}
	};
	int option = getopt_long(argc, argv, "+hV", options, NULL), status = STATUS_OK;

	if (option == 'h') {
		print_help();
	} else if (option == 'V') {
		puts("catsctl " CATS_VERSION);
	} else if (option != -1 || optind == argc) {
		status = fail(STATUS_USAGE, "which command? Try catsctl --help");
	} else {
		argc -= optind;
		argv += optind;
		/* Begins getopt_long() anew. */
		optind = 0;
		status = run(argc, argv);
	}
	if (fflush(stdout) || ferror(stdout))
		status = fail(STATUS_SYSTEM, "cannot write the output: %m");
	return status;
}
