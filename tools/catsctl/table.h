/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tables for people: see table.c.
 */
#ifndef _CATSCTL_TABLE_H
#define _CATSCTL_TABLE_H

#include <stddef.h>

/**
 * struct table - cells that are to be aligned
 * @align: a letter per column: 'l' or 'r'
 * @cells: row by row
 * @count: of cells
 */
struct table {
	const char	*align;
	char		**cells;
	size_t		count;
};

void table_start(struct table *t, const char *align);
void table_add(struct table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void table_heads(struct table *t, const char *heads);
void table_print(struct table *t, unsigned int indent);
void table_free(struct table *t);

#endif /* _CATSCTL_TABLE_H */
