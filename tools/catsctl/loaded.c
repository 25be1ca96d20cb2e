// SPDX-License-Identifier: GPL-2.0
/*
 * Is the module loaded, and if not, why?
 */
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "absence.h"
#include "catsctl.h"

#define MODULES		"/lib/modules"
/* What the kernel looks for at the end of a module's file. */
#define SIGNATURE_MARK	"~Module signature appended~\n"
#define VERMAGIC	"vermagic="

/* The first file that nftw() found; empty: none. */
static char found[PATH_MAX];

/**
 * module_loaded() - is the module loaded?
 */
bool module_loaded(void)
{
	return !access(STAT_FILE, F_OK) || !access(MODULE_DIR, F_OK);
}

/* cats.ko, or cats.ko.xz and the like. */
static int visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	const char *name = path + ftw->base;
	size_t len = strlen("cats.ko");

	(void)st;
	if (type != FTW_F || strncmp(name, "cats.ko", len) || (name[len] && name[len] != '.'))
		return 0;
	snprintf(found, sizeof(found), "%s", path);
	return 1;
}

static bool find_module(const char *dir)
{
	*found = 0;
	return nftw(dir, visit, 16, FTW_PHYS) == 1;
}

static char *read_all(const char *path, size_t *size)
{
	FILE *file = fopen(path, "re"), *memory;
	char *all = NULL, part[4096];
	size_t n;

	if (!file)
		return NULL;
	memory = open_memstream(&all, size);
	while (memory && (n = fread(part, 1, sizeof(part), file)))
		fwrite(part, 1, n, memory);
	fclose(file);
	if (!memory || fclose(memory))
		die(STATUS_SYSTEM, "no memory");
	return all;
}

static bool is_signed(const char *all, size_t size)
{
	size_t len = strlen(SIGNATURE_MARK);

	return size >= len && !memcmp(all + size - len, SIGNATURE_MARK, len);
}

static bool signatures_enforced(void)
{
	char *lockdown = read_line("/sys/kernel/security/lockdown");
	char *enforce = read_line("/sys/module/module/parameters/sig_enforce");
	bool enforced = (lockdown && !strstr(lockdown, "[none]")) || (enforce && *enforce == 'Y');

	free(lockdown);
	free(enforce);
	return enforced;
}

static void set_remedy(struct absence *a, const char *remedy)
{
	snprintf(a->remedy, sizeof(a->remedy), "%s", remedy);
}

/* What the file itself says; one that is compressed says nothing. */
static bool check_file(struct absence *a, const char *release)
{
	size_t size = 0, len = strlen(release);
	char *all = read_all(found, &size), *magic;
	bool bad = false;

	magic = all ? memmem(all, size, VERMAGIC, strlen(VERMAGIC)) : NULL;
	if (magic) {
		magic += strlen(VERMAGIC);
		if (strncmp(magic, release, len) || magic[len] != ' ') {
			snprintf(a->reason, sizeof(a->reason), "%.200s was built for kernel %.*s",
				 found, (int)strcspn(magic, " "), magic);
			set_remedy(a, "build it for this kernel: make install KVER=$(uname -r)");
			bad = true;
		} else if (signatures_enforced() && !is_signed(all, size)) {
			snprintf(a->reason, sizeof(a->reason),
				 "this kernel loads signed modules only, %.200s is not signed",
				 found);
			set_remedy(a, "sign it, or switch Secure Boot off");
			bad = true;
		}
	}
	free(all);
	return bad;
}

/* modprobe(8) looks there. */
static bool in_modules_dep(const char *release)
{
	char path[PATH_MAX], *all;
	size_t size = 0;
	bool is;

	snprintf(path, sizeof(path), MODULES "/%s/modules.dep", release);
	all = read_all(path, &size);
	is = all && strstr(all, "cats.ko");
	free(all);
	return is;
}

static void not_for_this_kernel(struct absence *a, const char *release)
{
	if (find_module(MODULES))
		snprintf(a->reason, sizeof(a->reason),
			 "it is installed for another kernel (%.200s), not for %s", found, release);
	else
		snprintf(a->reason, sizeof(a->reason), "it is not installed for kernel %s",
			 release);
	if (strncmp(release, "6.1.", 4))
		set_remedy(a, "boot a Linux 6.1 kernel, CATS is made for that");
	else
		set_remedy(a, "in the source of CATS: make install KVER=$(uname -r); "
			   "then, as root: modprobe cats");
}

static bool loading_is_disabled(void)
{
	char *value = read_line("/proc/sys/kernel/modules_disabled");
	bool disabled = value && *value == '1';

	free(value);
	return disabled;
}

/**
 * find_absence() - why is the module not loaded?
 * @a: filled; what would be in the way first
 */
void find_absence(struct absence *a)
{
	char dir[PATH_MAX];
	struct utsname uts;

	uname(&uts);
	snprintf(dir, sizeof(dir), MODULES "/%s", uts.release);
	if (loading_is_disabled()) {
		snprintf(a->reason, sizeof(a->reason),
			 "kernel.modules_disabled is 1: no module can be loaded until a reboot");
		set_remedy(a, "name cats in a file in /etc/modules-load.d, and reboot");
	} else if (!find_module(dir)) {
		not_for_this_kernel(a, uts.release);
	} else if (!check_file(a, uts.release)) {
		snprintf(a->reason, sizeof(a->reason), "%.200s is there, but not loaded", found);
		set_remedy(a, in_modules_dep(uts.release) ? "as root: modprobe cats" :
			   "as root: depmod -a && modprobe cats");
	}
}

/**
 * fail_not_loaded() - say that the module is not loaded, why, and what to do
 *
 * Return: STATUS_NO
 */
int fail_not_loaded(void)
{
	struct absence absence;

	find_absence(&absence);
	return fail(STATUS_NO, "CATS is not loaded: %s\n  %s", absence.reason, absence.remedy);
}
