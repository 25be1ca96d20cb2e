// SPDX-License-Identifier: GPL-2.0
/* Small files of the kernel: written in one go, or the driver gives up. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fault.h"

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("# driver: ");
	vprintf(format, args);
	printf("\n");
	va_end(args);
	exit(1);
}

FILE *must_open(const char *path, const char *mode)
{
	FILE *f = fopen(path, mode);

	if (!f)
		die("%s: %s", path, strerror(errno));
	return f;
}

/* Appends, which for kprobe_events makes a difference. */
void put(const char *path, const char *format, ...)
{
	char text[256];
	va_list args;
	int fd, len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fd = open(path, O_WRONLY | O_APPEND);
	if (fd < 0 || write(fd, text, len) != len)
		die("%s: cannot write \"%s\": %s", path, text, strerror(errno));
	close(fd);
}

/* The addresses of a function: up to the next symbol. */
uint64_t symbol_range(const char *name, uint64_t *end)
{
	FILE *f = must_open("/proc/kallsyms", "r");
	uint64_t start = 0, addr;
	char symbol[128], line[256];

	*end = UINT64_MAX;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%" SCNx64 " %*c %127s", &addr, symbol) == 2 &&
		    !strcmp(symbol, name))
			start = addr;
	rewind(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%" SCNx64, &addr) == 1 && addr > start && addr < *end)
			*end = addr;
	fclose(f);
	if (!start)
		die("the kernel has no function %s", name);
	return start;
}

uint64_t module_range(uint64_t *end)
{
	FILE *f = must_open("/proc/modules", "r");
	uint64_t start = 0, addr;
	unsigned long size;
	char line[256];

	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "cats %lu %*s %*s %*s 0x%" SCNx64, &size, &addr) == 2) {
			start = addr;
			*end = addr + size;
		}
	fclose(f);
	if (!start)
		die("the module is not loaded");
	return start;
}
