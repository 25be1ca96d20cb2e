// SPDX-License-Identifier: GPL-2.0
/*
 * catsctl policy: the policy of new sockets of this network namespace.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catsctl.h"
#include "json.h"

static int cannot_read(const char *name)
{
	if (!module_loaded())
		return fail_not_loaded();
	return fail(STATUS_SYSTEM, "cannot read net.cats.%s: %m", name);
}

static int list(bool json)
{
	char *names = read_sysctl("available_conductors"), *current = read_sysctl("conductor");
	char *rest = names, *name;
	struct json j;

	if (!names || !current)
		return cannot_read(names ? "conductor" : "available_conductors");
	json_start(&j, stdout);
	if (json)
		json_array(&j, NULL);
	while ((name = strsep(&rest, " "))) {
		if (json)
			json_text(&j, NULL, name);
		else
			printf("%s%s\n", name, strcmp(name, current) ? "" : " (of new sockets)");
	}
	if (json)
		json_end(&j);
	free(names);
	free(current);
	return STATUS_OK;
}

static int show(bool json)
{
	char *current = read_sysctl("conductor");
	struct json j;

	if (!current)
		return cannot_read("conductor");
	if (json) {
		json_start(&j, stdout);
		json_object(&j, NULL);
		json_text(&j, "policy", current);
		json_end(&j);
	} else {
		puts(current);
	}
	free(current);
	return STATUS_OK;
}

static int refused(const char *name)
{
	char *names;

	if (errno == EACCES || errno == EPERM || errno == EROFS)
		return fail(STATUS_DENIED,
			    "you may not set the policy of this network namespace\n"
			    "  be root in the user namespace that owns it; or let programs\n"
			    "  choose that of their own sockets: CATS_CONDUCTOR in cats(7)");
	if (errno != ENOENT)
		return fail(STATUS_SYSTEM, "cannot set net.cats.conductor: %m");
	names = read_sysctl("available_conductors");
	fail(STATUS_USAGE, "there is no policy \"%s\"\n  there are: %s", name, names ? names : "?");
	free(names);
	return STATUS_USAGE;
}

static int set(const char *name)
{
	int fd = open(SYSCTL_DIR "/conductor", O_WRONLY | O_CLOEXEC);
	int status = STATUS_OK;

	if (fd < 0)
		return module_loaded() ? refused(name) : fail_not_loaded();
	/* The kernel would take nothing for a change of nothing. */
	if (!*name)
		errno = ENOENT;
	if (!*name || write(fd, name, strlen(name)) < 0)
		status = refused(name);
	close(fd);
	return status;
}

static int run_policy(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{}
	};
	bool json = false;
	int option, words;

	while ((option = getopt_long(argc, argv, "jh", options, NULL)) != -1) {
		if (option != 'j')
			return option_error(&policy_command, option);
		json = true;
	}
	words = argc - optind;
	argv += optind;
	if (words == 1 && !strcmp(argv[0], "list"))
		return list(json);
	if (words == 1 && !strcmp(argv[0], "show"))
		return show(json);
	if (words == 2 && !strcmp(argv[0], "set") && !json)
		return set(argv[1]);
	return usage_error(&policy_command, "policy: list, show, or set NAME?");
}

const struct command policy_command = {
	.name	= "policy",
	.help	=
"catsctl policy list [-j]\n"
"catsctl policy show [-j]\n"
"catsctl policy set NAME\n"
"    The policies that there are; that of new sockets of this network namespace, which\n"
"    root may set.\n"
"    -j, --json      as JSON\n",
	.run	= run_policy,
};
