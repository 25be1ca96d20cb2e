// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that is there, or the program ends.
 */
#include <stdlib.h>
#include <string.h>

#include "catsctl.h"

/**
 * allocate() - memory, all zero
 * @size: bytes
 */
void *allocate(size_t size)
{
	void *memory = calloc(1, size);

	if (!memory)
		die(STATUS_SYSTEM, "no memory");
	return memory;
}

/**
 * grow() - make room for one more element
 * @array: NULL, or what this returned
 * @count: elements in it
 * @size: bytes of one
 *
 * Return: the array, maybe elsewhere; the new element is not set.
 */
void *grow(void *array, size_t count, size_t size)
{
	/* There is room for the next power of two. */
	if (count & (count - 1))
		return array;
	array = reallocarray(array, count ? 2 * count : 1, size);
	if (!array)
		die(STATUS_SYSTEM, "no memory");
	return array;
}

/**
 * copy_text() - strdup()
 * @text: text
 */
char *copy_text(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		die(STATUS_SYSTEM, "no memory");
	return copy;
}

/**
 * join_words() - words as one text, with spaces between them
 * @argc: how many
 * @argv: words: what is left of the arguments, so that a text need not be quoted
 *
 * Return: the text, to be freed.
 */
char *join_words(int argc, char *argv[])
{
	size_t size = 1;
	char *text;
	int i;

	for (i = 0; i < argc; i++)
		size += strlen(argv[i]) + 1;
	text = allocate(size);
	for (i = 0; i < argc; i++) {
		strcat(text, i ? " " : "");
		strcat(text, argv[i]);
	}
	return text;
}
