// SPDX-License-Identifier: GPL-2.0
/*
 * For each policy the arrivals that make one class, the victim, wait for as long as the
 * derivation of its bound in Documentation/conductor.rst says that it can.  They know the
 * state of the policy from its model.
 */
#include <string.h>

#include <linux/kernel.h>

#include "bounds_attack.h"

#define LEAST_URGENT	CATS_URGENCY_MAX
/* Decisions with everybody saturated, for what no construction is known for. */
#define PICKS		300000

/**
 * struct arena - a Conductor under attack
 * @c: it
 * @msgs: at most two of each class are queued
 * @bounded: model of its state
 * @wfq: likewise
 * @debt: likewise
 * @largest: bytes of the largest message
 * @victim: class that is to wait
 */
struct arena {
	struct cats_conductor	c;
	struct cats_msg		msgs[CATS_NR_URGENCIES][2];
	struct model_bounded	bounded;
	struct model_wfq	wfq;
	struct model_debt	debt;
	u32			largest;
	unsigned int		victim;
};

static struct arena the_arena;

static struct arena *arena_new(const struct cats_conductor_ops *ops, unsigned int victim,
			       u32 largest)
{
	struct arena *a = &the_arena;

	memset(a, 0, sizeof(*a));
	cats_conductor_init(&a->c, ops);
	model_bounded_init(&a->bounded);
	model_wfq_init(&a->wfq);
	model_debt_init(&a->debt, ops->name);
	a->largest = largest;
	a->victim = victim;
	return a;
}

static bool waits(const struct arena *a, unsigned int urgency)
{
	return a->c.waiting >> urgency & 1;
}

static void put(struct arena *a, unsigned int urgency, u32 len)
{
	struct cats_msg *m = a->msgs[urgency];

	if (!waits(a, urgency))
		model_bounded_arrive(&a->bounded, urgency);
	while (m->node.next && !list_empty(&m->node))
		m++;
	memset(m, 0, sizeof(*m));
	m->urgency = urgency;
	m->len = len;
	cats_conductor_enqueue(&a->c, m, NULL, 0);
}

/* The next message, which the models see picked. */
static struct cats_msg *next(struct arena *a)
{
	struct cats_msg *m = cats_conductor_next(&a->c);
	u32 lens[CATS_NR_URGENCIES] = {};
	unsigned int i;

	for (i = 0; i < CATS_NR_URGENCIES; i++)
		if (waits(a, i))
			lens[i] = cats_conductor_first(&a->c, i)->len;
	model_bounded_pick(&a->bounded, a->c.waiting, lens);
	model_wfq_pick(&a->wfq, a->c.waiting);
	return m;
}

static void commit(struct arena *a, struct cats_msg *m, u32 bytes)
{
	unsigned int urgency = m->urgency;

	model_bounded_sent(&a->bounded, a->c.waiting, urgency, bytes);
	model_wfq_sent(&a->wfq, urgency, bytes);
	model_debt_sent(&a->debt, urgency, bytes);
	cats_conductor_commit(&a->c, m, bytes, 0);
}

/* All of the next message; returns its class. */
static unsigned int take(struct arena *a)
{
	struct cats_msg *m = next(a);
	unsigned int urgency = m->urgency;

	commit(a, m, m->len);
	return urgency;
}

/* The first message of a class that waits gets another length. */
static void resize(struct arena *a, unsigned int urgency, u32 len)
{
	struct cats_msg *m = cats_conductor_first(&a->c, urgency);

	put(a, urgency, len);
	cats_conductor_remove(&a->c, m, 0);
}

static struct outcome outcome_of(const struct arena *a)
{
	struct cats_wait_info waits;

	cats_conductor_get_waits(&a->c, a->victim, 0, &waits);
	return (struct outcome){ .bound = waits.bound_bytes, .longest = waits.gap_bytes };
}

/* A message has just begun. */
struct outcome attack_strict(const struct cats_conductor_ops *ops, u32 largest)
{
	struct arena *a = arena_new(ops, 0, largest);
	struct cats_msg *m;

	put(a, LEAST_URGENT, largest);
	m = next(a);
	commit(a, m, 1);
	put(a, 0, 1);
	commit(a, m, largest - 1);
	take(a);
	return outcome_of(a);
}

/* wfq */

/* Rounds until the victim has a surplus. */
static s64 rounds_left(const struct arena *a)
{
	s64 weight = a->wfq.params.weight[a->victim], surplus = a->wfq.surplus[a->victim];

	return surplus > 0 ? 0 : (1 - surplus + weight - 1) / weight;
}

/*
 * What class @i sends next: it uses up what it has in each round, no more, but for the
 * last before the victim is served, where it has 1 left for a message of the largest size.
 */
static u32 wfq_len(const struct arena *a, unsigned int i)
{
	s64 surplus = a->wfq.surplus[i], left = rounds_left(a);

	if (surplus <= 0) {
		surplus += a->wfq.params.weight[i];
		left--;
	}
	if (surplus <= 0)
		return a->largest;
	if (left != (i < a->victim ? 0 : 1))
		return min_t(s64, a->largest, surplus);
	return surplus > 1 ? min_t(s64, a->largest, surplus - 1) : a->largest;
}

/* The victim has overdrawn by all that it can, and is not there when a round begins. */
struct outcome attack_wfq(const struct cats_wfq_params *p, unsigned int victim, u32 largest)
{
	struct arena *a = arena_new(&cats_wfq, victim, largest);
	unsigned int i;
	s64 left;

	cats_wfq_set_params(&a->c, p);
	model_wfq_set(&a->wfq, p);
	for (left = p->weight[victim] - 1; left > 0; left -= largest) {
		put(a, victim, min_t(s64, left, largest));
		take(a);
	}
	put(a, victim, largest);
	take(a);
	for (i = 0; i < CATS_NR_URGENCIES; i++)
		if (i != victim)
			put(a, i, min(largest, p->weight[i]));
	next(a);
	put(a, victim, 1);
	while ((i = next(a)->urgency) != victim) {
		/* What was put there could not know yet what is left to send. */
		resize(a, i, wfq_len(a, i));
		take(a);
		put(a, i, 1);
	}
	take(a);
	return outcome_of(a);
}

/* bounded */

/* Bytes of others after which class @i can pay for the largest message. */
static u64 earning(const struct arena *a, unsigned int i)
{
	u32 share = a->bounded.params.share[i];

	return ((u64)a->largest * 1024 + share - 1) / share;
}

/* A byte of each class, so that the victim is the one that was served last. */
static void settle_order(struct arena *a)
{
	unsigned int i;

	for (i = 1; i < CATS_NR_URGENCIES; i++) {
		if (i == a->victim)
			continue;
		put(a, i, 1);
		take(a);
	}
	put(a, a->victim, 1);
	take(a);
}

/* Bytes that class 0 may send from its bucket so that something is left in it. */
static u32 within_bucket(const struct arena *a)
{
	s64 per_byte = 1024 - a->bounded.params.share[0];

	return min_t(s64, a->largest, max(0LL, (a->bounded.tokens - 1) / per_byte));
}

/* 1 byte in the end, so that the bucket of class 0 can be made empty, or just not so. */
static u32 supply_len(const struct arena *a, unsigned int supplier, u64 left)
{
	u32 fine = a->largest / 256;

	if (supplier)
		return a->largest;
	return left > 64 * (fine + 2) ? fine : 1;
}

/* Who begins to wait now earns enough in @left bytes; returns how many until another must. */
static u64 join_in_time(struct arena *a, unsigned int supplier, u64 left)
{
	u64 until = left;
	unsigned int i;

	for (i = 1; i < CATS_NR_URGENCIES; i++) {
		if (i == supplier || waits(a, i))
			continue;
		if (left <= earning(a, i))
			put(a, i, a->largest);
		else
			until = min(until, left - earning(a, i));
	}
	return until;
}

/*
 * @supplier keeps everybody waiting until all but itself, beginning to wait in time for
 * that, are just about to be due, and then begins a message of the largest size.  Class 0
 * as the supplier begins it when something is left in its bucket, or when not, as
 * @paid says; else it has saved all of it.
 */
static void make_due(struct arena *a, unsigned int supplier, bool paid)
{
	u64 margin = supplier ? 1 : 64, left = 0;
	unsigned int i;
	u32 len;

	for (i = 1; i < CATS_NR_URGENCIES; i++)
		if (i != supplier)
			left = max(left, earning(a, i));
	for (; left > margin; left -= len) {
		len = min_t(u64, join_in_time(a, supplier, left), left - margin);
		len = min(len, supply_len(a, supplier, left));
		put(a, supplier, len);
		take(a);
	}
	for (; left > 1 && (a->bounded.tokens > 0) != paid; left--) {
		put(a, supplier, 1);
		take(a);
	}
	put(a, supplier, a->largest);
	take(a);
}

/*
 * What class 0 sends next, 0: nothing.  As long as others are due it leaves just so much
 * room in its bucket that nothing is lost of what their next message fills it with; then
 * it uses up the rest, and overdraws it by all that it can.
 */
static u32 bucket_len(const struct arena *a, bool others)
{
	const struct cats_bounded_params *p = &a->bounded.params;
	s64 target = p->bucket * 1024LL - (s64)a->largest * p->share[0];
	s64 tokens = a->bounded.tokens;
	u32 len = within_bucket(a);

	if (tokens <= 0)
		return 0;
	if (!others)
		return len ?: a->largest;
	if (target > 0)
		return len;
	return min_t(s64, a->largest, (tokens - target) / (1024 - p->share[0]));
}

/* Class 0 uses its bucket, until nobody else is left before the victim. */
static void use_bucket(struct arena *a, unsigned int supplier)
{
	unsigned int before = CATS_NR_URGENCIES - 2 - !!supplier;
	u32 len;

	for (;;) {
		len = bucket_len(a, before);
		if (len)
			put(a, 0, len);
		if (take(a) == a->victim)
			return;
		before -= !len;
	}
}

/* The bucket of class 0 is overdrawn, and those that are due just do not fill it. */
static void keep_bucket_empty(struct arena *a)
{
	u32 share = a->bounded.params.share[0];
	u32 rest = (u64)-a->bounded.tokens / share % a->largest;

	if (rest)
		resize(a, 1, rest);
	put(a, 0, 1);
	while (take(a))
		;
}

static struct outcome bounded_by(const struct cats_bounded_params *p, unsigned int victim,
				 u32 largest, unsigned int supplier)
{
	struct arena *a = arena_new(&cats_bounded, victim, largest);

	cats_bounded_set_params(&a->c, p);
	model_bounded_set(&a->bounded, p);
	/* Overdrawn: much of what class 0 sends from now on is not paid for. */
	while (!supplier && a->bounded.tokens > 0) {
		put(a, 0, within_bucket(a) ?: largest);
		take(a);
	}
	settle_order(a);
	make_due(a, supplier, !victim);
	if (victim)
		use_bucket(a, supplier);
	else
		keep_bucket_empty(a);
	return outcome_of(a);
}

/* The two cases of the derivation; the first needs a supplier more urgent than the victim. */
struct outcome attack_bounded(const struct cats_bounded_params *p, unsigned int victim,
			      u32 largest)
{
	struct outcome o = { .bound = CATS_NO_BOUND }, other;

	if (!victim && (!p->share[0] || !p->bucket))
		return o;
	o = bounded_by(p, victim, largest, 0);
	if (victim <= 1)
		return o;
	other = bounded_by(p, victim, largest, 1);
	return other.longest > o.longest ? other : o;
}

/* debt */

/* Class 0 is as deep in debt as can be, and who pays back the least is all that goes. */
static struct outcome debt_deep(const struct cats_conductor_ops *ops, u32 largest)
{
	struct arena *a = arena_new(ops, 0, largest);
	const struct model_class *class = &a->debt.classes[0];
	double pays = a->debt.classes[LEAST_URGENT].payback;

	while (class->debt < class->high - 1) {
		put(a, 0, min_t(u32, largest, class->high - 1 - class->debt));
		take(a);
	}
	put(a, 0, largest);
	take(a);
	put(a, 0, 1);
	while (class->debt - class->low >= pays) {
		put(a, LEAST_URGENT, min_t(u64, largest, (class->debt - class->low) / pays));
		take(a);
	}
	put(a, LEAST_URGENT, largest);
	while (take(a))
		;
	return outcome_of(a);
}

/* All wait, each with what takes it to just below its watermark, or the largest there is. */
static struct outcome debt_saturated(const struct cats_conductor_ops *ops, unsigned int victim,
				     u32 largest)
{
	struct arena *a = arena_new(ops, victim, largest);
	unsigned int i, n;
	double room;

	for (n = 0; n < PICKS; n++) {
		for (i = 0; i < CATS_NR_URGENCIES; i++) {
			if (waits(a, i))
				continue;
			room = a->debt.classes[i].high - 1 - a->debt.classes[i].debt;
			put(a, i, room >= 1 && room < largest ? (u32)room : largest);
		}
		take(a);
	}
	return outcome_of(a);
}

struct outcome attack_debt(const char *policy, unsigned int victim, u32 largest)
{
	const struct cats_conductor_ops *ops = cats_conductor_find(policy);
	struct outcome saturated = debt_saturated(ops, victim, largest), deep;

	if (victim)
		return saturated;
	deep = debt_deep(ops, largest);
	return deep.longest > saturated.longest ? deep : saturated;
}
