/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Exercises a Conductor: applies operations, and after each one compares all
 * that can be seen of it with what must be so.
 *
 *	op --> exercise --> Conductor (module/)
 *	           |------> shadow      messages, streams, counters, waits
 *	           `------> model_*     what the policy must pick
 *
 * The properties, by the names that a failure is reported with:
 *
 *	conservation	bytes and messages in = sent + removed + queued, in each
 *			class and in total; a message leaves exactly once
 *	order		a message never overtakes one of its stream; of one urgency the
 *			streams that are not incremental leave in order of arrival; with
 *			"edf" the earliest deadline does
 *	turns-taken	of one urgency, who takes turns and always waits is at most two
 *			quanta ahead of another that does
 *	contiguity	a begun message is followed by its own bytes, or by none
 *			while its writer has not closed it
 *	policy		the class that the model of the policy picks
 *	debt-model	debts and flags are the model's
 *	turns		rule 2 ends as soon as debt_bounds.c says
 *	starvation	no class waits longer than its bound
 *	bound		the bound that the module tells is the manual's
 *	lifetime	what has begun does not expire, and nothing begins too late
 *	late-decision	asking twice gives the same answer and changes no debt
 *	params		valid ones take effect, invalid ones change nothing
 *	info		waits, flags and other figures of CATS_INFO
 *	find		policies by name
 */
#ifndef _UNIT_EXERCISE_H
#define _UNIT_EXERCISE_H

#include "conductor.h"
#include "model_debt.h"
#include "model_share.h"
#include "ops.h"
#include "shadow.h"

#define MSG_MAX		0x7fffffffU
#define NR_POLICIES	7

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
 * @expired: messages that were too old
 * @ahead: most quanta that one who takes turns was ahead of another
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
	u64		expired;
	double		ahead;
	double		closest[CATS_NR_URGENCIES];
};

/**
 * enum policy - what OP_POLICY chooses by number; the first ones keep theirs, for replays
 */
enum policy {
	POLICY_STRICT,
	POLICY_DEBT,
	POLICY_DEBT_PAPER,
	POLICY_DEBT_REFCODE,
	POLICY_BOUNDED,
	POLICY_WFQ,
	POLICY_EDF,
};

/* Whose parameters can be set. */
enum family {
	FAMILY_NONE,
	FAMILY_DEBT,
	FAMILY_BOUNDED,
	FAMILY_WFQ,
};

/**
 * struct params - of all families
 */
struct params {
	struct cats_debt_params		debt;
	struct cats_bounded_params	bounded;
	struct cats_wfq_params		wfq;
};

/**
 * struct exercise - a Conductor under test
 * @c: it
 * @msgs: its messages, by the shadow's numbers; poisoned while not queued
 * @streams: of these, by number
 * @shadow: what must be queued
 * @family: the policy's
 * @model: what must be owed, of FAMILY_DEBT
 * @bounded: the model of FAMILY_BOUNDED
 * @wfq: the model of FAMILY_WFQ
 * @arrivals: times that each class began to wait, as far as the model knows
 * @was_by_deadline: "edf" has mixed up the turns: somebody may be a quantum more ahead
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
	struct cats_stream	streams[SHADOW_STREAMS];
	struct shadow		shadow;
	enum family		family;
	struct model_debt	model;
	struct model_bounded	bounded;
	struct model_wfq	wfq;
	u32			arrivals[CATS_NR_URGENCIES];
	bool			was_by_deadline;
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
void params_from(u32 value, struct params *p);

#endif /* _UNIT_EXERCISE_H */
