/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Operations on a Conductor as data: what the property tests and the fuzzer
 * make up, shorten, print and replay.
 *
 * Every operation can be applied in every state (one that makes no sense there
 * does nothing), so any part of a sequence is a sequence.
 */
#ifndef _UNIT_OPS_H
#define _UNIT_OPS_H

#include <stdio.h>

#include <linux/types.h>

/**
 * enum op_kind - the operations
 * @OP_ENQUEUE: a whole message of @value bytes, urgency @arg
 * @OP_OPEN: an open message likewise
 * @OP_EXTEND: @value more bytes for an open message; @arg says which
 * @OP_CLOSE: close an open message; @arg says which
 * @OP_NEXT: only ask
 * @OP_COMMIT: ask, and commit at most @value bytes of the answer
 * @OP_COMMIT_ALL: ask, and commit all of the answer
 * @OP_REMOVE: take out at most @value messages, as when the connection broke
 * @OP_POLICY: policy number @arg
 * @OP_PARAMS: valid parameters that follow from @value
 * @OP_BAD_PARAMS: the same, with one field made invalid; @arg says which
 * @OP_FIND: look up names
 * @OP_TICK: @value microseconds pass
 * @OP_STREAM: a whole message of @value bytes; urgency and stream from @arg
 * @OP_TIMED: likewise, with a lifetime: @value has 16 bits of each
 * @OP_EXPIRE: take out what is too old
 * @OP_CANCEL: take out a message that waits; @value says which
 * @OP_REPLACE: put a message in place of one that waits, of its urgency and stream or
 *	those of @arg; @value says which, and how many bytes
 * @OP_MOVE: another urgency, from @arg, for a message that waits; @value says which
 * @OP_PASS: a message of @value bytes, urgency @arg, goes by
 * @OP_KINDS: how many there are
 */
enum op_kind {
	OP_ENQUEUE,
	OP_OPEN,
	OP_EXTEND,
	OP_CLOSE,
	OP_NEXT,
	OP_COMMIT,
	OP_COMMIT_ALL,
	OP_REMOVE,
	OP_POLICY,
	OP_PARAMS,
	OP_BAD_PARAMS,
	OP_FIND,
	OP_TICK,
	OP_STREAM,
	OP_TIMED,
	OP_EXPIRE,
	OP_CANCEL,
	OP_REPLACE,
	OP_MOVE,
	OP_PASS,
	OP_KINDS,
};

/**
 * struct op - one operation
 * @kind: enum op_kind
 * @arg: see there
 * @value: see there
 */
struct op {
	u8	kind;
	u8	arg;
	u32	value;
};

/* Bytes of a fuzzer's input per operation. */
#define OP_BYTES	4

struct op op_from_bytes(const u8 *bytes);
void ops_print(FILE *out, const char *prefix, const struct op *ops, size_t n);
struct op *ops_read(FILE *in, size_t *n);

#endif /* _UNIT_OPS_H */
