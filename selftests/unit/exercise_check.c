// SPDX-License-Identifier: GPL-2.0
/*
 * Compares the Conductor with its shadow and with the model of its policy; see
 * exercise.h for the properties.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/kernel.h>

#include "debt_bounds.h"
#include "exercise_check.h"

#define NOT_A_MESSAGE	(-2)

/*
 * Bytes by which a wait may exceed its bound: rule 2 forgives up to a
 * thousandth of a byte too much per turn, since the module rounds down.
 */
#define BOUND_SLACK	1

static bool is_of_model(const char *property)
{
	return !strcmp(property, "policy") || !strcmp(property, "debt-model") ||
	       !strcmp(property, "turns");
}

/* Only the first failure counts: what follows may follow from it. */
void fail(struct exercise *x, const char *property, const char *format, ...)
{
	va_list args;

	if (x->property || (x->bounds_only && is_of_model(property)))
		return;
	x->property = property;
	va_start(args, format);
	vsnprintf(x->failure, sizeof(x->failure), format, args);
	va_end(args);
}

static int id_of(const struct exercise *x, const struct cats_msg *m)
{
	size_t offset = (char *)m - (char *)x->msgs;

	if (!m)
		return SHADOW_NONE;
	if (offset >= sizeof(x->msgs) || offset % sizeof(*m) ||
	    !x->shadow.msgs[offset / sizeof(*m)].queued)
		return NOT_A_MESSAGE;
	return offset / sizeof(*m);
}

static enum model_verdict compare_debt(struct exercise *x, unsigned int urgency,
				       const struct cats_class_info *info)
{
	enum model_verdict verdict = model_debt_compare(&x->model, urgency, info);

	x->stats->followed += verdict == MODEL_FOLLOWED;
	return verdict;
}

/* False if the module differs and is not at a watermark, where it is followed. */
static bool follow(struct exercise *x)
{
	struct cats_class_info info;
	bool agree = true;
	unsigned int i;

	for (i = 0; i < CATS_NR_URGENCIES; i++) {
		cats_conductor_get_info(&x->c, i, x->now, &info);
		agree &= compare_debt(x, i, &info) != MODEL_DIFFERS;
	}
	return agree;
}

/* The debt that a class of the model stays below. */
static double debt_cap(const struct exercise *x, unsigned int urgency)
{
	return fmax(x->model.classes[urgency].high, x->debt_before[urgency]) +
	       x->shadow.largest;
}

static unsigned int turns_allowed(const struct exercise *x, u8 waiting)
{
	unsigned int i, allowed = ~0U;

	for (i = 0; i < CATS_NR_URGENCIES; i++)
		if (waiting >> i & 1)
			allowed = min(allowed, debt_turns(&x->model, i, debt_cap(x, i)));
	return allowed;
}

static unsigned int share_debts(struct exercise *x, u8 waiting, bool following)
{
	unsigned int turns = 0;

	while (model_debt_first(&x->model, waiting) < 0) {
		model_debt_share(&x->model, waiting);
		turns++;
		if (following)
			follow(x);
	}
	return turns;
}

/*
 * How many turns rule 2 took.  The model first decides by itself when to end;
 * where that is not what the module did, it may have been at a watermark.
 */
static unsigned int rule_2(struct exercise *x, u8 waiting)
{
	struct model_debt before = x->model;
	u64 followed = x->stats->followed;
	unsigned int turns = share_debts(x, waiting, false);

	if (follow(x))
		return turns;
	x->model = before;
	x->stats->followed = followed;
	return share_debts(x, waiting, true);
}

static unsigned int debt_pick(struct exercise *x, u8 waiting)
{
	unsigned int turns = 0;

	if (model_debt_first(&x->model, waiting) < 0)
		turns = rule_2(x, waiting);
	if (turns && turns > turns_allowed(x, waiting))
		fail(x, "turns", "rule 2 took %u turns, not at most %u", turns,
		     turns_allowed(x, waiting));
	x->stats->shared += turns;
	x->stats->turns_max = max(x->stats->turns_max, turns);
	return model_debt_first(&x->model, waiting);
}

/* The class to serve; the model has to follow what asking does to debts. */
static unsigned int pick(struct exercise *x)
{
	u8 waiting = shadow_waiting(&x->shadow);
	unsigned int first = __builtin_ctz(waiting), picked = first;

	if (x->debt)
		picked = debt_pick(x, waiting);
	x->stats->passed_over += picked != first;
	return picked;
}

static void check_contiguity(struct exercise *x, int id)
{
	int must = x->shadow.current;

	if (shadow_stalled(&x->shadow)) {
		must = SHADOW_NONE;
		x->stats->blocked++;
	}
	if (id != must)
		fail(x, "contiguity", "next is message %d, not %d", id, must);
}

static void check_pick(struct exercise *x, int id)
{
	unsigned int must = pick(x), urgency;

	if (id < 0) {
		fail(x, "conservation", "next has none (%d) of what is queued", id);
		return;
	}
	urgency = x->shadow.msgs[id].urgency;
	if (id != shadow_oldest(&x->shadow, urgency))
		fail(x, "order", "urgency %u: next is message %d, not %d", urgency, id,
		     shadow_oldest(&x->shadow, urgency));
	else if (urgency != must)
		fail(x, "policy", "next is of urgency %u, not %u", urgency, must);
}

static void check_asking_again(struct exercise *x, int id)
{
	if (id_of(x, cats_conductor_next(&x->c)) != id)
		fail(x, "late-decision", "asking again, next is not message %d", id);
	x->stats->late += x->asked != SHADOW_NONE && x->asked != id;
	x->stats->decisions++;
	x->asked = id;
}

/* Asks; returns the number of the message, SHADOW_NONE if none goes. */
int check_next(struct exercise *x)
{
	int id = id_of(x, cats_conductor_next(&x->c));

	if (x->shadow.current != SHADOW_NONE) {
		check_contiguity(x, id);
	} else if (shadow_waiting(&x->shadow)) {
		check_pick(x, id);
		check_asking_again(x, id);
	} else if (id != SHADOW_NONE) {
		fail(x, "conservation", "next is message %d though all have left", id);
	}
	return x->property ? SHADOW_NONE : id;
}

/* Gives a message that left back to its owner. */
static void retire(struct exercise *x, int id)
{
	struct cats_msg *m = &x->msgs[id];

	if (!list_empty(&m->node))
		fail(x, "conservation", "message %d left, but is still linked", id);
	poison(m, sizeof(*m));
	if (x->asked == id)
		x->asked = SHADOW_NONE;
}

void check_left(struct exercise *x, int id, bool left, bool must)
{
	if (left != must)
		fail(x, "conservation", "message %d %s complete", id,
		     must ? "is not called" : "is called");
	else if (left)
		retire(x, id);
}

/* False when nothing is left. */
bool check_removed(struct exercise *x, struct cats_msg *m)
{
	int id = id_of(x, m);

	if (id == NOT_A_MESSAGE || (id == SHADOW_NONE && shadow_waiting(&x->shadow)))
		fail(x, "conservation", "what was taken out was not queued (%d)", id);
	if (id < 0)
		return false;
	if (id != shadow_oldest(&x->shadow, x->shadow.msgs[id].urgency))
		fail(x, "order", "message %d was taken out before an older one", id);
	if (x->property)
		return false;
	shadow_remove(&x->shadow, id);
	retire(x, id);
	return true;
}

/* The policy or its parameters changed: waits start anew. */
void check_new_bounds(struct exercise *x)
{
	unsigned int i;

	for (i = 0; i < CATS_NR_URGENCIES; i++) {
		x->shadow.classes[i].gap = 0;
		x->debt_before[i] = x->debt ? x->model.classes[i].debt : 0;
		x->bounds[i] = INFINITY;
	}
	x->bounds_stale = true;
}

static void update_bounds(struct exercise *x)
{
	if (x->debt)
		debt_bounds(&x->model, x->debt_before, x->shadow.largest, x->bounds);
	else
		x->bounds[0] = x->shadow.largest;
	x->bounds_stale = false;
}

void check_waits(struct exercise *x)
{
	unsigned int i;
	u64 gap;

	if (x->bounds_stale)
		update_bounds(x);
	for (i = 0; i < CATS_NR_URGENCIES; i++) {
		gap = x->shadow.classes[i].gap;
		if (gap > x->bounds[i] + BOUND_SLACK)
			fail(x, "starvation", "urgency %u waited for %llu bytes, not %.0f",
			     i, gap, x->bounds[i]);
		x->stats->closest[i] = fmax(x->stats->closest[i], gap / x->bounds[i]);
	}
}

void check_accepted(struct exercise *x, const struct cats_debt_params *p)
{
	const char *why = cats_debt_set_params(&x->c, p);
	struct cats_debt_params must = *p, now;
	unsigned int i;

	if (why)
		fail(x, "params", "refused: %s", why);
	for (i = 0; !p->payback_sum && i < CATS_NR_URGENCIES; i++)
		must.payback_sum += p->payback[i];
	if (!cats_debt_get_params(&x->c, &now) || memcmp(&now, &must, sizeof(now)))
		fail(x, "params", "accepted, but not those that were set");
}

void check_refused(struct exercise *x, const struct cats_debt_params *p)
{
	struct cats_debt_params before, after;
	bool has = cats_debt_get_params(&x->c, &before);

	if (has != x->debt)
		fail(x, "params", "%s has parameters: %d", x->c.ops->name, has);
	if (!cats_debt_set_params(&x->c, p))
		fail(x, "params", "invalid ones accepted");
	if (cats_debt_get_params(&x->c, &after) && memcmp(&before, &after, sizeof(after)))
		fail(x, "params", "refused, but changed");
}

/* @name is found as @ops, and nothing that is like it is found. */
void check_found(struct exercise *x, const char *name, const struct cats_conductor_ops *ops)
{
	char other[CATS_CONDUCTOR_NAME_MAX + 1];

	if (cats_conductor_find(name) != ops || strcmp(ops->name, name))
		fail(x, "find", "%s is not found", name);
	snprintf(other, sizeof(other), "%s-", name);
	if (cats_conductor_find(other))
		fail(x, "find", "%s is found", other);
	snprintf(other, sizeof(other), "%s", name + 1);
	if (cats_conductor_find(other))
		fail(x, "find", "%s is found", other);
}

static void check_class_debt(struct exercise *x, unsigned int i,
			     const struct cats_class_info *info)
{
	const struct model_class *class = &x->model.classes[i];

	if (!x->debt) {
		if (info->debt || info->flags)
			fail(x, "info", "urgency %u: debt under %s", i, x->c.ops->name);
		return;
	}
	if (compare_debt(x, i, info) == MODEL_DIFFERS)
		fail(x, "debt-model", "urgency %u: debt %llu%s, not %.3f%s", i,
		     (u64)info->debt, info->flags ? " (in debt)" : "", class->debt,
		     class->in_debt ? " (in debt)" : "");
}

static void check_class(struct exercise *x, unsigned int i)
{
	const struct shadow_class *class = &x->shadow.classes[i];
	u64 longest_us = shadow_longest_wait(&x->shadow, i, x->now) / 1000;
	struct cats_class_info info;

	cats_conductor_get_info(&x->c, i, x->now, &info);
	if (info.queued_bytes != shadow_queued_bytes(&x->shadow, i) ||
	    info.sent_bytes != class->sent_bytes)
		fail(x, "conservation", "urgency %u: bytes queued %llu, sent %llu of %llu", i,
		     (u64)info.queued_bytes, (u64)info.sent_bytes, class->in_bytes);
	if (info.queued_msgs != class->in_msgs - class->sent_msgs - class->removed_msgs ||
	    info.sent_msgs != class->sent_msgs)
		fail(x, "conservation", "urgency %u: messages queued %u, sent %llu of %llu", i,
		     info.queued_msgs, (u64)info.sent_msgs, class->in_msgs);
	if (info.longest_wait_us != longest_us)
		fail(x, "info", "urgency %u: longest wait %llu us, not %llu", i,
		     (u64)info.longest_wait_us, longest_us);
	check_class_debt(x, i, &info);
}

/* All that can be seen without asking. */
void check_state(struct exercise *x)
{
	const struct shadow *s = &x->shadow;
	u64 queued = 0;
	unsigned int i;

	for (i = 0; i < CATS_NR_URGENCIES; i++) {
		check_class(x, i);
		queued += shadow_queued_bytes(s, i);
	}
	if (x->c.queued_bytes != queued)
		fail(x, "conservation", "%llu bytes queued in total, not %llu",
		     x->c.queued_bytes, queued);
	if (x->c.waiting != shadow_waiting(s) ||
	    cats_conductor_empty(&x->c) != !shadow_waiting(s))
		fail(x, "conservation", "waiting is %#x, not %#x", x->c.waiting,
		     shadow_waiting(s));
	if (id_of(x, x->c.current_msg) != s->current ||
	    cats_conductor_stalled(&x->c) != shadow_stalled(s))
		fail(x, "contiguity", "begun is message %d, not %d",
		     id_of(x, x->c.current_msg), s->current);
}
