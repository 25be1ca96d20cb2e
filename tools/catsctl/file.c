// SPDX-License-Identifier: GPL-2.0
/*
 * Files of one line, as /proc and /sys have them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catsctl.h"

/**
 * read_line() - the first line of a file
 * @path: file
 *
 * Return: the line without its end, to be freed; NULL with errno.
 */
char *read_line(const char *path)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;

	if (!file)
		return NULL;
	if (getline(&line, &size, file) < 0) {
		free(line);
		line = NULL;
	} else {
		line[strcspn(line, "\n")] = 0;
	}
	fclose(file);
	return line;
}

/**
 * read_sysctl() - a sysctl of CATS
 * @name: below net.cats
 *
 * Return: as read_line().
 */
char *read_sysctl(const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), SYSCTL_DIR "/%s", name);
	return read_line(path);
}
