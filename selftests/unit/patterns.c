// SPDX-License-Identifier: GPL-2.0
/*
 * Ways in which operations arrive:
 *
 *	mixed		everything but changes of the policy, evenly
 *	bursts		many messages come, then many go
 *	saturated	every class of a phase, often all, always has a message
 *	adversary	the same, with lengths that drive debts as high as they go
 *	writers		open messages, extended and committed piecemeal
 *	changes		policies and parameters change, messages are taken out
 *	streams		messages of streams, taken back, replaced and moved
 *	deadlines	messages of streams that are too late, or nearly
 *	turns		streams that take turns and never run dry, of unlike messages
 */
#include <linux/kernel.h>

#include "patterns.h"
#include "random.h"

/* Largest message of the adversary. */
#define ADVERSARY_LEN	9000

static struct op op(enum op_kind kind, unsigned int arg, u32 value)
{
	return (struct op){ .kind = kind, .arg = arg, .value = value };
}

/* Starts a phase of at most @longest operations when the last one is over. */
static bool new_phase(struct pattern_state *s, u32 longest)
{
	if (s->left--)
		return false;
	s->left = random_magnitude(&s->random, 31 - __builtin_clz(longest));
	s->classes = random_below(&s->random, 255) + 1;
	s->filling = !s->filling;
	/* Huge messages are rare: one of them makes all later bounds huge. */
	s->len_bits = random_below(&s->random, 200) ? random_below(&s->random, 17) : 31;
	return true;
}

static u32 random_len(struct pattern_state *s)
{
	/* Round lengths meet the watermarks exactly. */
	if (!random_below(&s->random, 4))
		return 1000;
	return random_magnitude(&s->random, s->len_bits);
}

/* One of the classes of the phase. */
static unsigned int random_class(struct pattern_state *s)
{
	unsigned int i;

	do
		i = random_below(&s->random, CATS_NR_URGENCIES);
	while (!(s->classes >> i & 1));
	return i;
}

static struct op random_op(struct pattern_state *s, const enum op_kind *kinds,
			   unsigned int n)
{
	enum op_kind kind = kinds[random_below(&s->random, n)];

	switch (kind) {
	case OP_ENQUEUE:
	case OP_OPEN:
		return op(kind, random_class(s), random_len(s));
	case OP_EXTEND:
	case OP_COMMIT:
		return op(kind, random_below(&s->random, 256), random_len(s));
	case OP_REMOVE:
		return op(kind, 0, random_magnitude(&s->random, 6));
	case OP_STREAM:
	case OP_PASS:
		return op(kind, random_below(&s->random, 256), random_len(s));
	case OP_TIMED:
		return op(kind, random_below(&s->random, 256), random_below(&s->random, 2000) |
			  random_magnitude(&s->random, 10) << 16);
	case OP_REPLACE:
		return op(kind, random_below(&s->random, 256),
			  random_below(&s->random, SHADOW_MSGS) |
			  random_magnitude(&s->random, 14) << 10);
	case OP_TICK:
		return op(kind, 0, random_magnitude(&s->random, 20));
	default:
		return op(kind, random_below(&s->random, 256),
			  random_next(&s->random));
	}
}

static struct op mixed_next(struct pattern_state *s, const struct exercise *x)
{
	static const enum op_kind kinds[] = {
		OP_ENQUEUE, OP_ENQUEUE, OP_ENQUEUE, OP_OPEN, OP_EXTEND, OP_CLOSE,
		OP_CLOSE, OP_NEXT, OP_COMMIT, OP_COMMIT, OP_COMMIT_ALL,
		OP_COMMIT_ALL, OP_FIND, OP_TICK, OP_BAD_PARAMS,
	};

	new_phase(s, 1000);
	return random_op(s, kinds, ARRAY_SIZE(kinds));
}

static struct op bursts_next(struct pattern_state *s, const struct exercise *x)
{
	static const enum op_kind commits[] = {
		OP_COMMIT_ALL, OP_COMMIT_ALL, OP_COMMIT_ALL, OP_COMMIT, OP_NEXT,
	};

	new_phase(s, 512);
	if (s->filling)
		return op(OP_ENQUEUE, random_class(s), random_len(s));
	return random_op(s, commits, ARRAY_SIZE(commits));
}

/* A phase in which classes never run dry: waits are longest when all take part. */
static void new_saturation(struct pattern_state *s, u32 longest)
{
	if (new_phase(s, longest) && s->filling)
		s->classes = 0xff;
}

/* A class of the phase that has no message; CATS_NR_URGENCIES if all have. */
static unsigned int idle_class(const struct pattern_state *s, const struct exercise *x)
{
	u8 idle = s->classes & ~shadow_waiting(&x->shadow);

	return idle ? __builtin_ctz(idle) : CATS_NR_URGENCIES;
}

static struct op saturated_next(struct pattern_state *s, const struct exercise *x)
{
	unsigned int i;

	new_saturation(s, 1U << 14);
	i = idle_class(s, x);
	if (i < CATS_NR_URGENCIES)
		return op(OP_ENQUEUE, i, min(random_len(s), 2000U));
	return op(random_below(&s->random, 8) ? OP_COMMIT_ALL : OP_COMMIT, 0, random_len(s));
}

/*
 * Of class @i the length that takes its debt to just below its watermark or,
 * from there, as far above as one message can.
 */
static u32 spiteful_len(const struct exercise *x, unsigned int i)
{
	const struct model_class *class = &x->model.classes[i];
	double room = class->high - 1 - class->debt;

	if (x->family != FAMILY_DEBT || room < 1 || room > ADVERSARY_LEN)
		return ADVERSARY_LEN;
	return room;
}

static struct op adversary_next(struct pattern_state *s, const struct exercise *x)
{
	unsigned int i;

	new_saturation(s, 1U << 14);
	i = idle_class(s, x);
	if (i < CATS_NR_URGENCIES)
		return op(OP_ENQUEUE, i, spiteful_len(x, i));
	return op(OP_COMMIT_ALL, 0, 0);
}

static struct op writers_next(struct pattern_state *s, const struct exercise *x)
{
	static const enum op_kind kinds[] = {
		OP_OPEN, OP_OPEN, OP_EXTEND, OP_EXTEND, OP_EXTEND, OP_CLOSE,
		OP_CLOSE, OP_COMMIT, OP_COMMIT, OP_COMMIT, OP_COMMIT_ALL,
		OP_ENQUEUE, OP_NEXT, OP_TICK,
	};

	new_phase(s, 256);
	return random_op(s, kinds, ARRAY_SIZE(kinds));
}

static struct op changes_next(struct pattern_state *s, const struct exercise *x)
{
	static const enum op_kind kinds[] = {
		OP_POLICY, OP_PARAMS, OP_PARAMS, OP_BAD_PARAMS, OP_REMOVE,
		OP_OPEN, OP_EXTEND, OP_CLOSE, OP_CANCEL, OP_TIMED, OP_MOVE,
	};
	static const enum op_kind traffic[] = {
		OP_ENQUEUE, OP_STREAM, OP_COMMIT, OP_COMMIT_ALL, OP_COMMIT_ALL,
	};

	new_phase(s, 256);
	if (random_below(&s->random, 50))
		return random_op(s, traffic, ARRAY_SIZE(traffic));
	return random_op(s, kinds, ARRAY_SIZE(kinds));
}

/* Phases that fill, so that much is in the way, and phases that empty. */
static struct op streams_next(struct pattern_state *s, const struct exercise *x)
{
	static const enum op_kind filling[] = {
		OP_STREAM, OP_STREAM, OP_STREAM, OP_STREAM, OP_ENQUEUE, OP_REPLACE, OP_MOVE,
		OP_CANCEL, OP_COMMIT, OP_COMMIT_ALL,
	};
	static const enum op_kind emptying[] = {
		OP_STREAM, OP_REPLACE, OP_MOVE, OP_CANCEL, OP_COMMIT, OP_COMMIT_ALL,
		OP_COMMIT_ALL, OP_COMMIT_ALL, OP_COMMIT_ALL, OP_PASS,
	};

	new_phase(s, 256);
	if (s->filling)
		return random_op(s, filling, ARRAY_SIZE(filling));
	return random_op(s, emptying, ARRAY_SIZE(emptying));
}

static struct op deadlines_next(struct pattern_state *s, const struct exercise *x)
{
	static const enum op_kind kinds[] = {
		OP_TIMED, OP_TIMED, OP_TIMED, OP_STREAM, OP_COMMIT, OP_COMMIT_ALL,
		OP_COMMIT_ALL, OP_NEXT, OP_EXPIRE, OP_PASS,
	};
	struct op next = random_op(s, kinds, ARRAY_SIZE(kinds));

	/* Half of the time one class, where deadlines decide. */
	if ((next.kind == OP_TIMED || next.kind == OP_STREAM) && random_below(&s->random, 2))
		next.arg = (next.arg & 0xf8) | 3;
	if (!random_below(&s->random, 40))
		return op(OP_TICK, 0, random_magnitude(&s->random, 9));
	new_phase(s, 256);
	return next;
}

/* Fewer than two: whoever has none when his turn ends begins anew. */
static bool runs_dry(const struct list_head *msgs)
{
	return msgs->next->next == msgs;
}

static struct op turns_next(struct pattern_state *s, const struct exercise *x)
{
	static const u32 lens[] = { 300, 1000, 1500, 700 };
	unsigned int i;

	if (new_phase(s, 2048))
		s->len_bits = random_below(&s->random, 12);
	for (i = 1; i < ARRAY_SIZE(lens); i++)
		if (runs_dry(&x->shadow.streams[i].msgs))
			return op(OP_STREAM, CATS_URGENCY_DEFAULT | i << 3 | 0x80,
				  lens[i] + random_magnitude(&s->random, s->len_bits));
	if (runs_dry(&x->shadow.classes[CATS_URGENCY_DEFAULT].line))
		return op(OP_ENQUEUE, CATS_URGENCY_DEFAULT, lens[0]);
	return op(random_below(&s->random, 8) ? OP_COMMIT_ALL : OP_COMMIT, 0,
		  random_magnitude(&s->random, 10));
}

const struct pattern patterns[NR_PATTERNS] = {
	{ "mixed", mixed_next },
	{ "bursts", bursts_next },
	{ "saturated", saturated_next },
	{ "adversary", adversary_next },
	{ "writers", writers_next },
	{ "changes", changes_next },
	{ "streams", streams_next },
	{ "deadlines", deadlines_next },
	{ "turns", turns_next },
};
