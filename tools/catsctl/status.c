// SPDX-License-Identifier: GPL-2.0
/*
 * catsctl status: is CATS there, which version, and with what defaults?
 */
#include <dirent.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "absence.h"
#include "catsctl.h"
#include "json.h"
#include "table.h"
#include "version.h"

/**
 * struct sysctl - a sysctl of this namespace
 * @name: below net.cats
 * @value: of it
 */
struct sysctl {
	char	*name;
	char	*value;
};

/* All that can be read, by name; stays until the program ends. */
static size_t read_sysctls(struct sysctl **list)
{
	struct dirent **names;
	int found = scandir(SYSCTL_DIR, &names, NULL, alphasort), i;
	size_t count = 0;
	char *value;

	*list = NULL;
	for (i = 0; i < found; i++) {
		value = *names[i]->d_name == '.' ? NULL : read_sysctl(names[i]->d_name);
		if (!value)
			continue;
		*list = grow(*list, count, sizeof(**list));
		(*list)[count++] = (struct sysctl) { names[i]->d_name, value };
	}
	return count;
}

static void json_sysctls(struct json *j)
{
	struct sysctl *list;
	size_t count = read_sysctls(&list), i;

	json_object(j, "sysctls");
	for (i = 0; i < count; i++)
		json_text(j, list[i].name, list[i].value);
	json_end(j);
}

static void print_json(const char *release, const char *version, const char *state)
{
	struct absence absence;
	struct json j;

	json_start(&j, stdout);
	json_object(&j, NULL);
	json_bool(&j, "loaded", module_loaded());
	json_text(&j, "kernel", release);
	json_text(&j, "catsctl_version", CATS_VERSION);
	json_text(&j, "module_version", version);
	json_text(&j, "module_state", state);
	if (module_loaded()) {
		json_sysctls(&j);
	} else {
		find_absence(&absence);
		json_text(&j, "reason", absence.reason);
		json_text(&j, "remedy", absence.remedy);
	}
	json_end(&j);
}

static void add(struct table *t, const char *name, const char *value)
{
	table_add(t, "%s", name);
	table_add(t, "%s", value ? value : "unknown");
}

static void print_sysctls(void)
{
	struct sysctl *list;
	size_t count = read_sysctls(&list), i;
	struct table t;

	table_start(&t, "ll");
	for (i = 0; i < count; i++)
		if (strcmp(list[i].name, "sockets") && strcmp(list[i].name, "plain_children"))
			add(&t, list[i].name, list[i].value);
	table_print(&t, 2);
}

static void add_sockets(struct table *t)
{
	char *sockets = read_sysctl("sockets"), *plain = read_sysctl("plain_children");

	table_add(t, "sockets");
	table_add(t, "%s in this network namespace", sockets ? sockets : "unknown");
	table_add(t, "plain children");
	table_add(t, "%s accepted by CATS listeners, without CATS", plain ? plain : "unknown");
	free(sockets);
	free(plain);
}

static void print_loaded(struct table *t)
{
	add_sockets(t);
	table_print(t, 0);
	puts("defaults of new sockets in this network namespace, net.cats:");
	print_sysctls();
}

static void print_absent(struct table *t)
{
	struct absence absence;

	find_absence(&absence);
	add(t, "reason", absence.reason);
	add(t, "remedy", absence.remedy);
	table_print(t, 0);
}

static void print_table(const char *release, const char *version, const char *state)
{
	struct table t;

	table_start(&t, "ll");
	table_add(&t, "CATS");
	if (module_loaded())
		table_add(&t, "loaded%s%s", state && strcmp(state, "live") ? ", state: " : "",
			  state && strcmp(state, "live") ? state : "");
	else
		table_add(&t, "not loaded");
	add(&t, "kernel", release);
	add(&t, "catsctl", CATS_VERSION);
	if (!module_loaded()) {
		print_absent(&t);
		return;
	}
	add(&t, "module", version);
	if (version && strcmp(version, CATS_VERSION))
		add(&t, "", "not the version of catsctl: each may know what the other does not");
	print_loaded(&t);
}

static int run_status(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{}
	};
	char *version, *state;
	struct utsname uts;
	bool json = false;
	int option;

	while ((option = getopt_long(argc, argv, "jh", options, NULL)) != -1) {
		if (option != 'j')
			return option_error(&status_command, option);
		json = true;
	}
	if (optind < argc)
		return usage_error(&status_command, "status: %s is too much", argv[optind]);
	uname(&uts);
	version = read_line(MODULE_DIR "/version");
	state = read_line(MODULE_DIR "/initstate");
	(json ? print_json : print_table)(uts.release, version, state);
	free(version);
	free(state);
	return module_loaded() ? STATUS_OK : STATUS_NO;
}

const struct command status_command = {
	.name	= "status",
	.help	=
"catsctl status [-j]\n"
"    Is CATS loaded, which version, with what defaults; if not, why, and what to do.\n"
"    -j, --json      as JSON\n",
	.run	= run_status,
};
