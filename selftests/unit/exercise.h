/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Exercises a Conductor: applies operations, and after each one compares all
 * that can be seen of it with what must be so.
 *
 *	op --> exercise --> Conductor (module/)
 *	           |------> shadow      messages, counters, waits
 *	           `------> model_debt  debts
 *
 * The properties, by the names that a failure is reported with:
 *
 *	conservation	bytes and messages in = sent + removed + queued, in each
 *			class and in total; a message leaves exactly once
 *	order		messages of one urgency leave in order of arrival
 *	contiguity	a begun message is followed by its own bytes, or by none
 *			while its writer has not closed it
 *	policy		strict: the most urgent waiting class; debt: the class that
 *			the model picks
 *	debt-model	debts and flags are the model's
 *	turns		rule 2 ends as soon as debt_bounds.c says
 *	starvation	no class waits longer than its bound
 *	late-decision	asking twice gives the same answer and changes no debt
 *	params		valid ones take effect, invalid ones change nothing
 *	info		waits, flags and other figures of CATS_INFO
 *	find		policies by name
 */
#ifndef _UNIT_EXERCISE_H
#define _UNIT_EXERCISE_H

#include "conductor.h"
#include "model_debt.h"
#include "ops.h"
#include "shadow.h"

#define MSG_MAX		0x7fffffffU
#define NR_POLICIES	4

/**
 * struct exercise_stats - what happened, over any number of exercises
 * @applied: operations that did something, by kind
 * @decisions: messages picked
 * @late: picks changed by an arrival between two questions
 * @blocked: times that a message waited behind an open one
 * @passed_over: times that a class in debt was passed over
 * @shared: turns of rule 2
 * @turns_max: most of them in one decision
 * @followed: times that the model followed the module at a watermark
 * @closest: largest share of its bound that each class has waited
 */
struct exercise_stats {
	u64		applied[OP_KINDS];
	u64		decisions;
	u64		late;
	u64		blocked;
	u64		passed_over;
	u64		shared;
	unsigned int	turns_max;
	u64		followed;
	double		closest[CATS_NR_URGENCIES];
};

/**
 * struct exercise - a Conductor under test
 * @c: it
 * @msgs: its messages, by the shadow's numbers; poisoned while not queued
 * @shadow: what must be queued
 * @model: what must be owed, while @debt
 * @debt: the policy is of the "debt" family
 * @debt_before: debts when the parameters were set
 * @bounds: of the waits, if not @bounds_stale
 * @bounds_stale: compute them anew
 * @asked: answer to the last question if nothing was committed since
 * @now: time
 * @bounds_only: do not compare with what the policy should do: whatever it
 *	does, the bounds must hold
 * @stats: added to
 * @property: the one that failed, or NULL
 * @failure: what was wrong
 */
struct exercise {
	struct cats_conductor	c;
	struct cats_msg		msgs[SHADOW_MSGS];
	struct shadow		shadow;
	struct model_debt	model;
	bool			debt;
	double			debt_before[CATS_NR_URGENCIES];
	double			bounds[CATS_NR_URGENCIES];
	bool			bounds_stale;
	int			asked;
	u64			now;
	bool			bounds_only;
	struct exercise_stats	*stats;
	const char		*property;
	char			failure[200];
};

void exercise_init(struct exercise *x, struct exercise_stats *stats);
bool exercise_step(struct exercise *x, const struct op *op);
bool exercise_drain(struct exercise *x);
void params_from(u32 value, struct cats_debt_params *p);

#endif /* _UNIT_EXERCISE_H */
