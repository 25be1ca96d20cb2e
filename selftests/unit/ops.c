// SPDX-License-Identifier: GPL-2.0
/*
 * Operations as text, one a line (kind, arg, value), and from a fuzzer's bytes.
 * In text, '#' and blanks at the start of a line are skipped, so that lines of
 * a test's output can be replayed as they are.
 */
#include <stdlib.h>
#include <string.h>

#include "ops.h"

static const char * const kind_names[OP_KINDS] = {
	[OP_ENQUEUE]	= "enqueue",
	[OP_OPEN]	= "open",
	[OP_EXTEND]	= "extend",
	[OP_CLOSE]	= "close",
	[OP_NEXT]	= "next",
	[OP_COMMIT]	= "commit",
	[OP_COMMIT_ALL]	= "commit-all",
	[OP_REMOVE]	= "remove",
	[OP_POLICY]	= "policy",
	[OP_PARAMS]	= "params",
	[OP_BAD_PARAMS]	= "bad-params",
	[OP_FIND]	= "find",
	[OP_TICK]	= "tick",
	[OP_STREAM]	= "stream",
	[OP_TIMED]	= "timed",
	[OP_EXPIRE]	= "expire",
	[OP_CANCEL]	= "cancel",
	[OP_REPLACE]	= "replace",
	[OP_MOVE]	= "move",
	[OP_PASS]	= "pass",
};

/*
 * Kind, arg, and 16 bits of value, of which the upper 4 are how far the lower 12
 * are shifted: values up to 128 Mi, in few bits.
 */
struct op op_from_bytes(const u8 *bytes)
{
	unsigned int value = bytes[2] | bytes[3] << 8;

	return (struct op){
		.kind = bytes[0] % OP_KINDS,
		.arg = bytes[1],
		.value = (value & 0xfff) << (value >> 12),
	};
}

void ops_print(FILE *out, const char *prefix, const struct op *ops, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		fprintf(out, "%s%s %u %u\n", prefix, kind_names[ops[i].kind],
			ops[i].arg, ops[i].value);
}

static bool parse(const char *line, struct op *op)
{
	unsigned int kind, arg, value;
	char name[16];

	if (sscanf(line, "%15s %u %u", name, &arg, &value) != 3)
		return false;
	for (kind = 0; kind < OP_KINDS; kind++)
		if (!strcmp(name, kind_names[kind]))
			break;
	*op = (struct op){ .kind = kind, .arg = arg, .value = value };
	return kind < OP_KINDS && arg <= 255;
}

/* All operations of @in, for the caller to free; NULL if one is not valid. */
struct op *ops_read(FILE *in, size_t *n)
{
	size_t room = 0;
	struct op *ops = NULL;
	char line[80], *text;

	for (*n = 0; fgets(line, sizeof(line), in);) {
		text = line + strspn(line, "# \t\n");
		if (!*text)
			continue;
		if (*n == room) {
			room = 2 * room + 64;
			ops = realloc(ops, room * sizeof(*ops));
			if (!ops)
				abort();
		}
		if (!parse(text, &ops[*n])) {
			fprintf(stderr, "not an operation: %s", text);
			free(ops);
			return NULL;
		}
		(*n)++;
	}
	return ops;
}
