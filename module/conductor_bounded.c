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
 *		of the classes that are due the one that was served least recently; else
 *		the most urgent one that waits
 *	sent:	n bytes of class i:	credit[i] -= n, not below 0
 *		all others that wait:	credit += n * share
 *		i = 0:			bucket -= n, if it was not empty when the message
 *					began: all of the message, or nothing
 *		any i:			bucket += n * share[0], not above its size
 *
 * So class 0, within its bucket, waits for one message only, and the others wait for a
 * bounded number of bytes, whatever class 0 does.  With M the largest message and
 * s = share[0], in bytes of others (Documentation/conductor.rst derives them):
 *
 *	class 0		M, while its bucket is not empty, and M / s anyway
 *	class i		M / share[i] + D, where D, from being due to being served, is
 *			7 * M with a bucket of size 0, else the least of
 *			14 * M + 7 * bucket / (1 - s) and the larger of
 *			7 * M + (bucket + 6 * s * M) / (1 - s) and
 *			8 * M + (min(bucket, s * M) + 6 * s * M) / (1 - s)
 *
 * There are the message that has begun, one of each of the six others, and class 0.  It
 * sends what its bucket has, and is filled with meanwhile, and may overdraw it by M: the
 * bucket was full, or it was empty when class 0 began the message that is sent.  Nor can
 * class 0 send more than a full bucket and M between two messages of others.
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
 * @charge: the message of class 0 that is sent, or is to begin, is paid from the bucket
 * @served: bytes sent of all classes when the class was served last
 * @credit: 1024ths of a byte
 * @bucket: of class 0, 1024ths of a byte; may be below 0 by a message
 */
struct bounded_state {
	struct cats_bounded_params	params;
	bool				charge;
	u64				served[CATS_NR_URGENCIES];
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
	bounded_state(c)->credit[urgency] = 0;
}

static bool is_due(const struct cats_conductor *c, const struct bounded_state *b,
		   unsigned int i)
{
	return c->waiting & (1U << i) &&
	       b->credit[i] >= (u64)cats_conductor_first(c, i)->len * ONE;
}

/* 0, which is never due, if none is. */
static unsigned int first_due(const struct cats_conductor *c, const struct bounded_state *b)
{
	unsigned int i, first = 0;

	for (i = 1; i < CATS_NR_URGENCIES; i++)
		if (is_due(c, b, i) && (!first || b->served[i] < b->served[first]))
			first = i;
	return first;
}

static unsigned int bounded_pick(struct cats_conductor *c)
{
	struct bounded_state *b = bounded_state(c);
	unsigned int most_urgent = __ffs(c->waiting);

	b->charge = b->bucket > 0;
	if (c->waiting == 1U << most_urgent || (!most_urgent && b->charge))
		return most_urgent;
	return first_due(c, b) ?: most_urgent;
}

static void update_bucket(struct bounded_state *b, unsigned int urgency, u32 bytes)
{
	if (!urgency && b->charge)
		b->bucket -= (s64)bytes * ONE;
	b->bucket = min_t(s64, b->bucket + (u64)bytes * b->params.share[0],
			  (s64)b->params.bucket * ONE);
}

static void bounded_sent(struct cats_conductor *c, unsigned int urgency, u32 bytes)
{
	struct bounded_state *b = bounded_state(c);
	unsigned int i;

	update_bucket(b, urgency, bytes);
	b->served[urgency] = c->sent_bytes;
	b->credit[urgency] -= min(b->credit[urgency], (u64)bytes * ONE);
	for (i = 1; i < CATS_NR_URGENCIES; i++)
		if (i != urgency && c->waiting & (1U << i))
			b->credit[i] += (u64)bytes * b->params.share[i];
}

/* D of the head of this file. */
static u64 after_due(const struct cats_bounded_params *p, u64 largest)
{
	u64 filled = largest * p->share[0], bucket = (u64)p->bucket * ONE;
	u32 left = ONE - p->share[0];
	u64 full, empty;

	if (!p->bucket)
		return 7 * largest;
	full = 7 * largest + div_u64(bucket + 6 * filled, left);
	empty = 8 * largest + div_u64(min(bucket, filled) + 6 * filled, left);
	return min(max(full, empty), 14 * largest + div_u64(7 * bucket, left));
}

static u64 bounded_bound(const struct cats_conductor *c, unsigned int urgency, u32 largest)
{
	const struct cats_bounded_params *p = &bounded_state(c)->params;
	u32 share = p->share[urgency];
	u64 earn;

	if (!urgency && (!share || !p->bucket))
		return CATS_NO_BOUND;
	earn = div_u64((u64)largest * ONE + share - 1, share);
	return urgency ? earn + after_due(p, largest) : earn;
}

static void set_params(struct bounded_state *b, const struct cats_bounded_params *params)
{
	b->params = *params;
	b->bucket = (s64)params->bucket * ONE;
	b->charge = true;
}

static void bounded_init(struct cats_conductor *c)
{
	set_params(bounded_state(c), &defaults);
}

static bool is_bounded(const struct cats_conductor *c)
{
	return c->ops->pick == bounded_pick;
}

static enum cats_reason check_params(const struct cats_bounded_params *p)
{
	unsigned int i;
	u32 sum = 0;

	if (p->bucket > BUCKET_MAX)
		return CATS_REASON_BOUNDED_BUCKET;
	if (p->share[0] > SHARE_MAX)
		return CATS_REASON_BOUNDED_SHARE_0;
	for (i = 1; i < CATS_NR_URGENCIES; i++) {
		if (!p->share[i] || p->share[i] > SHARE_MAX)
			return CATS_REASON_BOUNDED_SHARE;
		sum += p->share[i];
	}
	return sum > SHARE_MAX ? CATS_REASON_BOUNDED_SUM : CATS_REASON_NONE;
}

/**
 * cats_bounded_set_params() - set the parameters of the Conductor "bounded"
 * @c: Conductor
 * @params: parameters; credits stay, the bucket is full
 *
 * Return: 0, or why not, with nothing changed.
 */
enum cats_reason cats_bounded_set_params(struct cats_conductor *c,
					 const struct cats_bounded_params *params)
{
	enum cats_reason why;

	if (!is_bounded(c))
		return CATS_REASON_PARAMS_OTHER;
	why = check_params(params);
	if (why)
		return why;
	set_params(bounded_state(c), params);
	cats_conductor_restart_gaps(c);
	return CATS_REASON_NONE;
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
	.passes_over = CATS_PICK_SHARE,
	.pick	= bounded_pick,
	.sent	= bounded_sent,
	.bound	= bounded_bound,
};
