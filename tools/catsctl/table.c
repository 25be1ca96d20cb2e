// SPDX-License-Identifier: GPL-2.0
/*
 * Tables for people: columns as wide as their widest cell, two spaces between them.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catsctl.h"
#include "table.h"

/**
 * table_start() - set up
 * @t: table
 * @align: a letter per column, 'l' or 'r'; stays the caller's
 */
void table_start(struct table *t, const char *align)
{
	memset(t, 0, sizeof(*t));
	t->align = align;
}

static void add(struct table *t, char *cell)
{
	t->cells = grow(t->cells, t->count, sizeof(*t->cells));
	t->cells[t->count++] = cell;
}

/**
 * table_add() - add the next cell
 * @t: table
 * @format: as for printf()
 */
void table_add(struct table *t, const char *format, ...)
{
	va_list args;
	char *cell;

	va_start(args, format);
	if (vasprintf(&cell, format, args) < 0)
		die(STATUS_SYSTEM, "no memory");
	va_end(args);
	add(t, cell);
}

/**
 * table_heads() - add cells that are words
 * @t: table
 * @heads: the words, with a space between two
 */
void table_heads(struct table *t, const char *heads)
{
	char *words = copy_text(heads), *rest = words, *word;

	while ((word = strsep(&rest, " ")))
		add(t, copy_text(word));
	free(words);
}

static int width(const struct table *t, size_t column)
{
	size_t columns = strlen(t->align), widest = 0, i, len;

	for (i = column; i < t->count; i += columns) {
		len = strlen(t->cells[i]);
		widest = len > widest ? len : widest;
	}
	return widest;
}

static void print_cell(const struct table *t, size_t i, int wide)
{
	size_t columns = strlen(t->align), column = i % columns;

	if (t->align[column] == 'r')
		printf("%*s", wide, t->cells[i]);
	else if (column + 1 < columns)
		printf("%-*s", wide, t->cells[i]);
	else
		fputs(t->cells[i], stdout);
	fputs(column + 1 < columns ? "  " : "\n", stdout);
}

/**
 * table_print() - print to stdout and free the cells
 * @t: table, its last row is complete
 * @indent: spaces before each row
 */
void table_print(struct table *t, unsigned int indent)
{
	size_t columns = strlen(t->align), i;
	int *widths = allocate(columns * sizeof(*widths));

	for (i = 0; i < columns; i++)
		widths[i] = width(t, i);
	for (i = 0; i < t->count; i++) {
		if (!(i % columns))
			printf("%*s", indent, "");
		print_cell(t, i, widths[i % columns]);
	}
	free(widths);
	table_free(t);
}

/**
 * table_free() - free the cells
 * @t: table
 */
void table_free(struct table *t)
{
	size_t i;

	for (i = 0; i < t->count; i++)
		free(t->cells[i]);
	free(t->cells);
}
