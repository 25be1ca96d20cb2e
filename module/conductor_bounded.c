// SPDX-License-Identifier: GPL-2.0
/*
 * Conductor "bounded": strict urgency, with a guaranteed share for everybody.
 *
 * Class 0 has a bucket.  It goes before all others while the bucket is not empty, which
 * is filled with share[0] of each byte sent of any class.  Every other class has a
 * credit: while it waits it earns share[i] of each byte that others send, and it is
 * *due* when its credit pays for its next message.
 *
 *	pick:	class 0, if it waits and has something in its bucket; else
 *		the class that has been due for longest; else
 *		the most urgent one that waits
 *	sent:	n bytes of class i:	credit[i] -= n, not below 0; i = 0: bucket -= n
 *		all others that wait:	credit += n * share
 *		bucket += n * share[0], not above its size
 *
 * So class 0, within its bucket, waits for one message only, and the others wait for a
 * bounded number of bytes, whatever class 0 does.  Documentation/conductor.rst derives
 * the bounds:
 *
 *	class 0		M			while its bucket is not empty
 *	class i		M / share[i] + (8 * M + bucket) / (1 - share[0])
 *
 * with M the largest message.  The first term is the time to earn a message; the second
 * is what can be before a class that is due: the message that has begun, one of each of
 * the six others that may have been due earlier, and class 0 with a full bucket, which
 * it may overdraw by a message.
 */
#include <linux/bitops.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/string.h>

#include "conductor.h"

/* Shares, and with them credits, are in 1024ths. */
#define ONE		1024
#define SHARE_MAX	1000
#define BUCKET_MAX	BIT(30)

/**
 * struct bounded_state - private state of the policy
 * @params: as in the uapi header
 * @due: bit i: class i is due
 * @due_since: number of the pick that found it due
 * @picks: number of the last pick
 * @credit: 1024ths of a byte
 * @bucket: of class 0, 1024ths of a byte; may be below 0 by a message
 */
struct bounded_state {
	struct cats_bounded_params	params;
	u8				due;
	u32				due_since[CATS_NR_URGENCIES];
	u32				picks;
	u64				credit[CATS_NR_URGENCIES];
	s64				bucket;
};

/*
 * A class that waits gets at least one byte in 64 (but 0, which has its bucket: half of
 * all bytes).  So the page of the paper's experiment, whose first paint takes 33000
 * bytes in messages of 1000, is painted before the rest is due.
 */
static const struct cats_bounded_params defaults = {
	.share	= { 512, 16, 16, 16, 16, 16, 16, 16 },
	.bucket	= 32768,
};

static struct bounded_state *bounded_state(const struct cats_conductor *c)
{
	BUILD_BUG_ON(sizeof(struct bounded_state) > CATS_CONDUCTOR_PRIV_SIZE);
	return cats_conductor_priv(c);
}

static void bounded_arrive(struct cats_conductor *c, unsigned int urgency)
{
	struct bounded_state *b = bounded_state(c);

	b->credit[urgency] = 0;
	b->due &= ~(1U << urgency);
}

/* Messages may have come and gone since: who is due is decided anew. */
static void update_due(struct cats_conductor *c, struct bounded_state *b)
{
	u8 due = 0;
	unsigned int i;

	b->picks++;
	for (i = 1; i < CATS_NR_URGENCIES; i++) {
		if (!(c->waiting & (1U << i)) ||
		    b->credit[i] < (u64)cats_conductor_first(c, i)->len * ONE)
			continue;
		due |= 1U << i;
		if (!(b->due & (1U << i)))
			b->due_since[i] = b->picks;
	}
	b->due = due;
}

static unsigned int longest_due(const struct bounded_state *b)
{
	unsigned int i, first = __ffs(b->due);

	for (i = first + 1; i < CATS_NR_URGENCIES; i++)
		if (b->due & (1U << i) && (s32)(b->due_since[i] - b->due_since[first]) < 0)
			first = i;
	return first;
}

static unsigned int bounded_pick(struct cats_conductor *c)
{
	struct bounded_state *b = bounded_state(c);

	if (!(c->waiting & (c->waiting - 1)))
		return __ffs(c->waiting);
	if (c->waiting & 1 && b->bucket > 0)
		return 0;
	update_due(c, b);
	return b->due ? longest_due(b) : __ffs(c->waiting);
}

static void fill_bucket(struct bounded_state *b, unsigned int urgency, u32 bytes)
{
	if (!urgency && b->bucket > 0)
		b->bucket -= (s64)bytes * ONE;
	b->bucket = min_t(s64, b->bucket + (u64)bytes * b->params.share[0],
			  (s64)b->params.bucket * ONE);
}

static void bounded_sent(struct cats_conductor *c, unsigned int urgency, u32 bytes)
{
	struct bounded_state *b = bounded_state(c);
	unsigned int i;

	fill_bucket(b, urgency, bytes);
	b->credit[urgency] -= min(b->credit[urgency], (u64)bytes * ONE);
	b->due &= ~(1U << urgency);
	for (i = 1; i < CATS_NR_URGENCIES; i++)
		if (i != urgency && c->waiting & (1U << i))
			b->credit[i] += (u64)bytes * b->params.share[i];
}

static u64 after_due(const struct bounded_state *b, u32 largest)
{
	return div_u64((8 * (u64)largest + b->params.bucket) * ONE,
		       ONE - b->params.share[0]);
}

/* What those who are due when class 0 has nothing in its bucket send before it. */
static u64 bound_beyond_bucket(const struct bounded_state *b, u32 largest)
{
	u64 carry = 0;
	u32 sum = 0;
	unsigned int i;

	for (i = 1; i < CATS_NR_URGENCIES; i++)
		sum += b->params.share[i];
	carry = div_u64(after_due(b, largest) * sum, ONE);
	return div_u64((8 * (u64)largest + carry) * ONE, ONE - sum);
}

static u64 bounded_bound(const struct cats_conductor *c, unsigned int urgency, u32 largest)
{
	const struct bounded_state *b = bounded_state(c);

	if (!urgency)
		return bound_beyond_bucket(b, largest);
	return div_u64((u64)largest * ONE, b->params.share[urgency]) + after_due(b, largest);
}

static void bounded_init(struct cats_conductor *c)
{
	struct bounded_state *b = bounded_state(c);

	b->params = defaults;
	b->bucket = (s64)b->params.bucket * ONE;
}

static bool is_bounded(const struct cats_conductor *c)
{
	return c->ops->pick == bounded_pick;
}

static const char *check_params(const struct cats_bounded_params *p)
{
	unsigned int i;
	u32 sum = 0;

	if (p->bucket > BUCKET_MAX)
		return "bounded parameters: bucket is above 2^30";
	if (p->share[0] > SHARE_MAX)
		return "bounded parameters: share of urgency 0 is above 1000";
	for (i = 1; i < CATS_NR_URGENCIES; i++) {
		if (!p->share[i] || p->share[i] > SHARE_MAX)
			return "bounded parameters: share is not in 1 to 1000";
		sum += p->share[i];
	}
	return sum > SHARE_MAX ? "bounded parameters: shares are above 1000 together" : NULL;
}

/**
 * cats_bounded_set_params() - set the parameters of the Conductor "bounded"
 * @c: Conductor
 * @params: parameters; credits stay, the bucket is full
 *
 * Return: NULL, or why not, with nothing changed.
 */
const char *cats_bounded_set_params(struct cats_conductor *c,
				    const struct cats_bounded_params *params)
{
	struct bounded_state *b = bounded_state(c);
	const char *why;

	if (!is_bounded(c))
		return "bounded parameters: the Conductor is not bounded";
	why = check_params(params);
	if (why)
		return why;
	b->params = *params;
	b->bucket = (s64)b->params.bucket * ONE;
	return NULL;
}

/**
 * cats_bounded_get_params() - read the parameters of the Conductor "bounded"
 * @c: Conductor
 * @params: filled
 *
 * Return: false if the Conductor is another.
 */
bool cats_bounded_get_params(const struct cats_conductor *c,
			     struct cats_bounded_params *params)
{
	if (!is_bounded(c))
		return false;
	*params = bounded_state(c)->params;
	return true;
}

struct cats_conductor_ops cats_bounded = {
	.name	= "bounded",
	.init	= bounded_init,
	.arrive	= bounded_arrive,
	.pick	= bounded_pick,
	.sent	= bounded_sent,
	.bound	= bounded_bound,
};
