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
	       !strcmp(property, "turns") || !strcmp(property, "bound");
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
	unsigned int must = model_pick(x), urgency;

	if (id < 0) {
		fail(x, "conservation", "next has none (%d) of what is queued", id);
		return;
	}
	urgency = x->shadow.msgs[id].urgency;
	if (!shadow_in_order(&x->shadow, id, x->c.ops->by_deadline))
		fail(x, "order", "urgency %u: next is message %d", urgency, id);
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

/* What was taken out by its name. */
void check_gone(struct exercise *x, int id)
{
	retire(x, id);
}

static void take_out(struct exercise *x, int id)
{
	shadow_remove(&x->shadow, id);
	retire(x, id);
	model_follow_arrivals(x);
}

/* False when nothing is left. */
bool check_removed(struct exercise *x, struct cats_msg *m)
{
	int id = id_of(x, m);

	if (id == NOT_A_MESSAGE || (id == SHADOW_NONE && shadow_waiting(&x->shadow)))
		fail(x, "conservation", "what was taken out was not queued (%d)", id);
	if (id < 0)
		return false;
	if (!shadow_in_order(&x->shadow, id, false))
		fail(x, "order", "message %d was taken out before an older one", id);
	if (x->property)
		return false;
	take_out(x, id);
	return true;
}

/* Takes out a message that is too old, the oldest first; false if there is none. */
bool check_expired(struct exercise *x)
{
	u64 first = shadow_first_deadline(&x->shadow);
	int id;

	if (cats_conductor_first_deadline(&x->c) != first)
		fail(x, "lifetime", "first deadline is %llu, not %llu",
		     cats_conductor_first_deadline(&x->c), first);
	id = id_of(x, cats_conductor_remove_expired(&x->c, x->now));
	if (id == NOT_A_MESSAGE || (id == SHADOW_NONE && first && first <= x->now))
		fail(x, "lifetime", "what has expired is not taken out (%d)", id);
	if (x->property || id == SHADOW_NONE)
		return false;
	if (x->shadow.msgs[id].committed || x->shadow.msgs[id].deadline != first ||
	    first > x->now)
		fail(x, "lifetime", "message %d is taken out at %llu, %u committed", id, x->now,
		     x->shadow.msgs[id].committed);
	take_out(x, id);
	x->stats->expired++;
	return true;
}

/* Message @id may begin, if it has not. */
void check_begin(struct exercise *x, int id)
{
	const struct shadow_msg *m = &x->shadow.msgs[id];

	if (!m->committed && m->deadline && m->deadline <= x->now)
		fail(x, "lifetime", "message %d begins at %llu, which is too late", id, x->now);
}

/* A message of class @urgency has gone. */
void check_turns(struct exercise *x, unsigned int urgency)
{
	double most = x->was_by_deadline ? 3 : 2, ahead;

	if (x->c.ops->by_deadline)
		return;
	ahead = shadow_turn_ahead(&x->shadow, urgency);
	if (ahead > most)
		fail(x, "turns-taken", "urgency %u: one is %.2f quanta ahead of another",
		     urgency, ahead);
	x->stats->ahead = fmax(x->stats->ahead, ahead);
}

/*
 * Of debts the module rounds up at each step, which later ones multiply; and as it
 * rounds debts down, rule 2 may take it a turn less than the model.  The others are exact,
 * as far as a double is.
 */
static bool same_bound(const struct exercise *x, unsigned int i, u64 told)
{
	double must = x->bounds[i];

	if (told == CATS_NO_BOUND)
		return isinf(must) || (x->family == FAMILY_DEBT && must > 1e14);
	if (x->family != FAMILY_DEBT)
		return fabs(told - must) <= 1 + must / 1e12;
	return told >= 0.4 * must - 1 && told <= 2 * must + 100;
}

static void check_wait(struct exercise *x, unsigned int i)
{
	u64 gap = shadow_longest_gap(&x->shadow, i);
	struct cats_wait_info waits;

	cats_conductor_get_waits(&x->c, i, x->now, &waits);
	if (waits.gap_bytes != gap)
		fail(x, "info", "urgency %u: longest gap %llu bytes, not %llu", i,
		     (u64)waits.gap_bytes, gap);
	if (!same_bound(x, i, waits.bound_bytes))
		fail(x, "bound", "urgency %u: %llu, not %.0f", i, (u64)waits.bound_bytes,
		     x->bounds[i]);
	if (gap > waits.bound_bytes || gap > x->bounds[i] + BOUND_SLACK)
		fail(x, "starvation", "urgency %u waited for %llu bytes, not %.0f", i, gap,
		     x->bounds[i]);
	x->stats->closest[i] = fmax(x->stats->closest[i], gap / x->bounds[i]);
}

void check_waits(struct exercise *x)
{
	unsigned int i;

	if (x->bounds_stale)
		bounds_update(x);
	for (i = 0; i < CATS_NR_URGENCIES && x->shadow.largest; i++)
		check_wait(x, i);
}

static enum cats_reason set_params(struct exercise *x, enum family which, const struct params *p)
{
	if (which == FAMILY_DEBT)
		return cats_debt_set_params(&x->c, &p->debt);
	if (which == FAMILY_BOUNDED)
		return cats_bounded_set_params(&x->c, &p->bounded);
	return cats_wfq_set_params(&x->c, &p->wfq);
}

/* The parameters of other policies are 0. */
static void get_params(struct exercise *x, struct params *p)
{
	unsigned int has = 0;

	memset(p, 0, sizeof(*p));
	has |= cats_debt_get_params(&x->c, &p->debt) << FAMILY_DEBT;
	has |= cats_bounded_get_params(&x->c, &p->bounded) << FAMILY_BOUNDED;
	has |= cats_wfq_get_params(&x->c, &p->wfq) << FAMILY_WFQ;
	if (has != (1U << x->family & ~(1U << FAMILY_NONE)))
		fail(x, "params", "%s has the parameters of policies %#x", x->c.ops->name, has);
}

/* What must be set, by @p, for the family of the policy. */
static struct params expected_params(const struct exercise *x, const struct params *p)
{
	struct params must = {};
	unsigned int i;

	if (x->family == FAMILY_DEBT) {
		must.debt = p->debt;
		for (i = 0; !p->debt.payback_sum && i < CATS_NR_URGENCIES; i++)
			must.debt.payback_sum += p->debt.payback[i];
	} else if (x->family == FAMILY_BOUNDED) {
		must.bounded = p->bounded;
	} else if (x->family == FAMILY_WFQ) {
		must.wfq = p->wfq;
	}
	return must;
}

/* The policy takes those that are its own. */
void check_accepted(struct exercise *x, const struct params *p)
{
	struct params must = expected_params(x, p), now;
	enum family family;
	enum cats_reason why;

	for (family = FAMILY_DEBT; family <= FAMILY_WFQ; family++) {
		why = set_params(x, family, p);
		if (why && family == x->family)
			fail(x, "params", "refused, reason %u", why);
		if (!why && family != x->family)
			fail(x, "params", "%s takes those of others", x->c.ops->name);
	}
	get_params(x, &now);
	if (memcmp(&now, &must, sizeof(now)))
		fail(x, "params", "accepted, but not those that were set");
}

void check_refused(struct exercise *x, const struct params *p)
{
	struct params before, after;
	enum family family;

	get_params(x, &before);
	for (family = FAMILY_DEBT; family <= FAMILY_WFQ; family++)
		if (!set_params(x, family, p))
			fail(x, "params", "invalid ones accepted");
	get_params(x, &after);
	if (memcmp(&before, &after, sizeof(after)))
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

	if (x->family != FAMILY_DEBT) {
		if (info->debt || info->flags)
			fail(x, "info", "urgency %u: debt under %s", i, x->c.ops->name);
		return;
	}
	if (!model_compare_debt(x, i, info))
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
	if (info.queued_msgs != shadow_queued_msgs(&x->shadow, i) ||
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
