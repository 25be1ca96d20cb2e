/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Why the module is not loaded: see loaded.c.
 */
#ifndef _CATSCTL_ABSENCE_H
#define _CATSCTL_ABSENCE_H

/**
 * struct absence - the module is not loaded
 * @reason: why, as far as can be seen
 * @remedy: what to do
 */
struct absence {
	char	reason[512];
	char	remedy[512];
};

void find_absence(struct absence *absence);

#endif /* _CATSCTL_ABSENCE_H */
