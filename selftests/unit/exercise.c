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
	&cats_bounded, &cats_wfq, &cats_edf,
};

static const char *const policy_names[NR_POLICIES] = {
	"strict", "debt", "debt-paper", "debt-refcode", "bounded", "wfq", "edf",
};

static void follow_policy(struct exercise *x)
{
	model_init(x);
	x->asked = SHADOW_NONE;
	x->was_by_deadline |= x->c.ops->by_deadline;
	shadow_restart_turns(&x->shadow);
	bounds_restart(x);
}

void exercise_init(struct exercise *x, struct exercise_stats *stats)
{
	unsigned int i;

	/* From the last exercise; memset() must not trip over it. */
	unpoison(x->msgs, sizeof(x->msgs));
	memset(x->msgs, GARBAGE, sizeof(x->msgs));
	memset(&x->c, GARBAGE, sizeof(x->c));
	poison(x->msgs, sizeof(x->msgs));
	for (i = 0; i < SHADOW_STREAMS; i++)
		cats_stream_init(&x->streams[i]);
	shadow_init(&x->shadow);
	x->now = 0;
	x->stats = stats;
	x->property = NULL;
	x->was_by_deadline = false;
	cats_conductor_init(&x->c, &cats_debt);
	follow_policy(x);
}

static struct cats_stream *stream_of(struct exercise *x, unsigned int number)
{
	return number ? &x->streams[number] : NULL;
}

/* The module's half of message @id, which is new to the shadow. */
static struct cats_msg *new_msg(struct exercise *x, int id)
{
	const struct shadow_msg *s = &x->shadow.msgs[id];
	struct cats_msg *m = &x->msgs[id];

	unpoison(m, sizeof(*m));
	m->len = s->len;
	m->committed = 0;
	m->urgency = s->urgency;
	m->incremental = s->incremental;
	m->deadline_ns = s->deadline;
	m->open = s->open;
	return m;
}

static bool enqueue(struct exercise *x, struct shadow_new n)
{
	int id;

	if (!x->shadow.nr_unused)
		return false;
	n.len = min(max(n.len, 1U), MSG_MAX);
	x->bounds_stale |= n.len > x->shadow.largest;
	id = shadow_enqueue(&x->shadow, &n, x->now);
	cats_conductor_enqueue(&x->c, new_msg(x, id), stream_of(x, n.number), x->now);
	return true;
}

/* Three bits of urgency, four of the stream, and whether that takes turns. */
static struct shadow_new new_from(unsigned int arg, u32 len)
{
	struct shadow_new n = {
		.urgency = arg & 7,
		.number = (arg >> 3 & 15) % SHADOW_STREAMS,
		.len = len,
	};

	n.incremental = n.number && arg >> 7;
	return n;
}

static bool apply_enqueue(struct exercise *x, const struct op *op)
{
	return enqueue(x, (struct shadow_new){ .urgency = op->arg & 7, .len = op->value });
}

static bool apply_open(struct exercise *x, const struct op *op)
{
	return enqueue(x, (struct shadow_new){ .urgency = op->arg & 7, .len = op->value,
					       .open = true });
}

static bool apply_stream(struct exercise *x, const struct op *op)
{
	return enqueue(x, new_from(op->arg, op->value));
}

static bool apply_timed(struct exercise *x, const struct op *op)
{
	struct shadow_new n = new_from(op->arg, op->value & 0xffff);

	n.deadline = x->now + 1 + (op->value >> 16) * 1000ULL;
	return enqueue(x, n);
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
	left = cats_conductor_close_msg(&x->c, &x->msgs[id], x->now);
	check_left(x, id, left, shadow_close(&x->shadow, id));
	return true;
}

static bool expire(struct exercise *x)
{
	bool any = false;

	while (check_expired(x))
		any = true;
	return any;
}

static bool apply_expire(struct exercise *x, const struct op *op)
{
	return expire(x);
}

static bool apply_next(struct exercise *x, const struct op *op)
{
	expire(x);
	return check_next(x) != SHADOW_NONE;
}

static bool commit(struct exercise *x, u32 bytes)
{
	u8 waiting, urgency;
	struct shadow_msg *m;
	bool left;
	int id;

	expire(x);
	id = check_next(x);
	if (id == SHADOW_NONE)
		return false;
	m = &x->shadow.msgs[id];
	urgency = m->urgency;
	waiting = shadow_waiting(&x->shadow);
	bytes = min(max(bytes, 1U), m->len - m->committed);
	check_begin(x, id);
	x->asked = SHADOW_NONE;
	left = cats_conductor_commit(&x->c, &x->msgs[id], bytes, x->now);
	model_sent(x, waiting, urgency, bytes);
	check_left(x, id, left, shadow_commit(&x->shadow, id, bytes, x->now));
	check_turns(x, urgency);
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

/* Goes by if nothing is queued; the model sees it come and go. */
static bool apply_pass(struct exercise *x, const struct op *op)
{
	static const u32 no_lengths[CATS_NR_URGENCIES];
	unsigned int urgency = op->arg & 7;
	u32 len = min(max(op->value, 1U), MSG_MAX);

	if (shadow_waiting(&x->shadow) || x->family == FAMILY_DEBT)
		return false;
	x->bounds_stale |= len > x->shadow.largest;
	cats_conductor_pass(&x->c, urgency, len);
	shadow_pass(&x->shadow, urgency, len);
	if (x->family == FAMILY_BOUNDED) {
		model_bounded_arrive(&x->bounded, urgency);
		model_bounded_pick(&x->bounded, 1U << urgency, no_lengths);
	} else if (x->family == FAMILY_WFQ) {
		model_wfq_pick(&x->wfq, 1U << urgency);
	}
	model_sent(x, 0, urgency, len);
	return true;
}

static bool apply_remove(struct exercise *x, const struct op *op)
{
	u32 n;

	for (n = 0; n < min(op->value, 2U * SHADOW_MSGS); n++)
		if (!check_removed(x, cats_conductor_remove_first(&x->c)))
			break;
	return n;
}

static bool apply_cancel(struct exercise *x, const struct op *op)
{
	int id = shadow_find_waiting(&x->shadow, op->value);

	if (id == SHADOW_NONE)
		return false;
	cats_conductor_remove(&x->c, &x->msgs[id], x->now);
	shadow_remove(&x->shadow, id);
	check_gone(x, id);
	return true;
}

static bool apply_replace(struct exercise *x, const struct op *op)
{
	int old = shadow_find_waiting(&x->shadow, op->value), id;
	struct shadow_new n = new_from(op->arg, 1 + (op->value >> 10));
	const struct shadow_msg *o;

	if (old == SHADOW_NONE || !x->shadow.nr_unused)
		return false;
	o = &x->shadow.msgs[old];
	if (op->arg & 1) {
		n.urgency = o->urgency;
		n.number = o->number;
		n.incremental = o->incremental;
	}
	x->bounds_stale |= n.len > x->shadow.largest;
	id = shadow_replace(&x->shadow, old, &n, x->now);
	cats_conductor_replace(&x->c, &x->msgs[old], new_msg(x, id), stream_of(x, n.number),
			       x->now);
	check_gone(x, old);
	return true;
}

static bool apply_move(struct exercise *x, const struct op *op)
{
	int id = shadow_find_waiting(&x->shadow, op->value);
	bool incremental;

	if (id == SHADOW_NONE)
		return false;
	incremental = x->shadow.msgs[id].number && op->arg >> 7;
	shadow_move(&x->shadow, id, op->arg & 7, incremental);
	cats_conductor_reprioritize(&x->c, &x->msgs[id], op->arg & 7, incremental, x->now);
	return true;
}

static bool apply_policy(struct exercise *x, const struct op *op)
{
	cats_conductor_set_ops(&x->c, policies[op->arg % NR_POLICIES]);
	follow_policy(x);
	return true;
}

static bool apply_params(struct exercise *x, const struct op *op)
{
	struct params p;

	params_from(op->value, &p);
	check_accepted(x, &p);
	if (x->family == FAMILY_NONE)
		return false;
	model_set(x, &p);
	bounds_restart(x);
	return true;
}

static bool apply_bad_params(struct exercise *x, const struct op *op)
{
	struct params p;

	params_from(op->value, &p);
	params_break(op->arg, &p);
	check_refused(x, &p);
	return x->family != FAMILY_NONE;
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
	[OP_STREAM]	= apply_stream,
	[OP_TIMED]	= apply_timed,
	[OP_EXPIRE]	= apply_expire,
	[OP_CANCEL]	= apply_cancel,
	[OP_REPLACE]	= apply_replace,
	[OP_MOVE]	= apply_move,
	[OP_PASS]	= apply_pass,
};

/* One operation; false if a property does not hold. */
bool exercise_step(struct exercise *x, const struct op *op)
{
	x->now += STEP_NS;
	if (appliers[op->kind](x, op))
		x->stats->applied[op->kind]++;
	if (!x->property) {
		model_follow_arrivals(x);
		check_state(x);
		check_waits(x);
	}
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
