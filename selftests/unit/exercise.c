// SPDX-License-Identifier: GPL-2.0
/* Applies operations to the Conductor and to its shadow; see exercise.h. */
#include <string.h>

#include <linux/kernel.h>

#include "exercise_check.h"

/* Time that each operation takes. */
#define STEP_NS	700

/* What the Conductor must not rely on in a new message. */
#define GARBAGE	0xa5

static const struct cats_conductor_ops *const policies[NR_POLICIES] = {
	&cats_strict, &cats_debt, &cats_debt_paper, &cats_debt_refcode,
};

static const char *const policy_names[NR_POLICIES] = {
	"strict", "debt", "debt-paper", "debt-refcode",
};

static void follow_policy(struct exercise *x)
{
	x->debt = model_debt_init(&x->model, x->c.ops->name);
	x->asked = SHADOW_NONE;
	check_new_bounds(x);
}

void exercise_init(struct exercise *x, struct exercise_stats *stats)
{
	/* From the last exercise; memset() must not trip over it. */
	unpoison(x->msgs, sizeof(x->msgs));
	memset(x->msgs, GARBAGE, sizeof(x->msgs));
	memset(&x->c, GARBAGE, sizeof(x->c));
	poison(x->msgs, sizeof(x->msgs));
	shadow_init(&x->shadow);
	x->now = 0;
	x->stats = stats;
	x->property = NULL;
	cats_conductor_init(&x->c, &cats_debt);
	follow_policy(x);
}

static bool enqueue(struct exercise *x, const struct op *op, bool open)
{
	unsigned int urgency = op->arg % CATS_NR_URGENCIES;
	u32 len = min(max(op->value, 1U), MSG_MAX);
	struct cats_msg *m;
	int id;

	if (!x->shadow.nr_unused)
		return false;
	x->bounds_stale |= len > x->shadow.largest;
	id = shadow_enqueue(&x->shadow, urgency, len, open, x->now);
	m = &x->msgs[id];
	unpoison(m, sizeof(*m));
	m->len = len;
	m->committed = 0;
	m->urgency = urgency;
	m->incremental = false;
	m->deadline_ns = 0;
	m->open = open;
	cats_conductor_enqueue(&x->c, m, NULL, x->now);
	return true;
}

static bool apply_enqueue(struct exercise *x, const struct op *op)
{
	return enqueue(x, op, false);
}

static bool apply_open(struct exercise *x, const struct op *op)
{
	return enqueue(x, op, true);
}

static bool apply_extend(struct exercise *x, const struct op *op)
{
	int id = shadow_find_open(&x->shadow, op->arg);

	if (id == SHADOW_NONE || !op->value ||
	    op->value > MSG_MAX - x->shadow.msgs[id].len)
		return false;
	x->bounds_stale = true;
	shadow_extend(&x->shadow, id, op->value);
	cats_conductor_extend(&x->c, &x->msgs[id], op->value);
	return true;
}

static bool apply_close(struct exercise *x, const struct op *op)
{
	int id = shadow_find_open(&x->shadow, op->arg);
	bool left;

	if (id == SHADOW_NONE)
		return false;
	left = cats_conductor_close_msg(&x->c, &x->msgs[id]);
	check_left(x, id, left, shadow_close(&x->shadow, id));
	return true;
}

static bool apply_next(struct exercise *x, const struct op *op)
{
	return check_next(x) != SHADOW_NONE;
}

static bool commit(struct exercise *x, u32 bytes)
{
	int id = check_next(x);
	struct shadow_msg *m;
	bool left;

	if (id == SHADOW_NONE)
		return false;
	m = &x->shadow.msgs[id];
	bytes = min(max(bytes, 1U), m->len - m->committed);
	x->asked = SHADOW_NONE;
	left = cats_conductor_commit(&x->c, &x->msgs[id], bytes, x->now);
	if (x->debt)
		model_debt_sent(&x->model, m->urgency, bytes);
	check_left(x, id, left, shadow_commit(&x->shadow, id, bytes, x->now));
	check_waits(x);
	return true;
}

static bool apply_commit(struct exercise *x, const struct op *op)
{
	return commit(x, op->value);
}

static bool apply_commit_all(struct exercise *x, const struct op *op)
{
	return commit(x, MSG_MAX);
}

static bool apply_remove(struct exercise *x, const struct op *op)
{
	u32 n;

	for (n = 0; n < min(op->value, 2U * SHADOW_MSGS); n++)
		if (!check_removed(x, cats_conductor_remove_first(&x->c)))
			break;
	return n;
}

static bool apply_policy(struct exercise *x, const struct op *op)
{
	cats_conductor_set_ops(&x->c, policies[op->arg % NR_POLICIES]);
	follow_policy(x);
	return true;
}

static bool apply_params(struct exercise *x, const struct op *op)
{
	struct cats_debt_params p;

	params_from(op->value, &p);
	if (!x->debt) {
		check_refused(x, &p);
		return false;
	}
	check_accepted(x, &p);
	model_debt_set(&x->model, &p);
	check_new_bounds(x);
	return true;
}

static bool apply_bad_params(struct exercise *x, const struct op *op)
{
	struct cats_debt_params p;

	params_from(op->value, &p);
	params_break(op->arg, &p);
	check_refused(x, &p);
	return x->debt;
}

static bool apply_find(struct exercise *x, const struct op *op)
{
	unsigned int i = op->arg % NR_POLICIES;

	check_found(x, policy_names[i], policies[i]);
	return true;
}

static bool apply_tick(struct exercise *x, const struct op *op)
{
	x->now += op->value * 1000ULL;
	return true;
}

static bool (*const appliers[OP_KINDS])(struct exercise *x, const struct op *op) = {
	[OP_ENQUEUE]	= apply_enqueue,
	[OP_OPEN]	= apply_open,
	[OP_EXTEND]	= apply_extend,
	[OP_CLOSE]	= apply_close,
	[OP_NEXT]	= apply_next,
	[OP_COMMIT]	= apply_commit,
	[OP_COMMIT_ALL]	= apply_commit_all,
	[OP_REMOVE]	= apply_remove,
	[OP_POLICY]	= apply_policy,
	[OP_PARAMS]	= apply_params,
	[OP_BAD_PARAMS]	= apply_bad_params,
	[OP_FIND]	= apply_find,
	[OP_TICK]	= apply_tick,
};

/* One operation; false if a property does not hold. */
bool exercise_step(struct exercise *x, const struct op *op)
{
	x->now += STEP_NS;
	if (appliers[op->kind](x, op))
		x->stats->applied[op->kind]++;
	if (!x->property)
		check_state(x);
	return !x->property;
}

/* Conservation to the end: everything that is still queued comes out, once. */
bool exercise_drain(struct exercise *x)
{
	const struct op close = { .kind = OP_CLOSE };
	const struct op commit_all = { .kind = OP_COMMIT_ALL };

	while (!x->property && shadow_find_open(&x->shadow, 0) != SHADOW_NONE)
		exercise_step(x, &close);
	while (!x->property && shadow_waiting(&x->shadow))
		exercise_step(x, &commit_all);
	if (!x->property && cats_conductor_next(&x->c))
		fail(x, "conservation", "a message too many");
	return !x->property;
}
