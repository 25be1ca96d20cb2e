// SPDX-License-Identifier: GPL-2.0
/* See shadow.h. */
#include <linux/kernel.h>

#include "shadow.h"

static void init_stream(struct shadow_stream *stream)
{
	*stream = (struct shadow_stream){};
	INIT_LIST_HEAD(&stream->msgs);
	INIT_LIST_HEAD(&stream->line);
}

void shadow_init(struct shadow *s)
{
	unsigned int i;

	for (i = 0; i < SHADOW_MSGS; i++) {
		s->msgs[i].queued = false;
		s->unused[i] = SHADOW_MSGS - 1 - i;
	}
	for (i = 0; i < SHADOW_STREAMS; i++)
		init_stream(&s->streams[i]);
	s->nr_unused = SHADOW_MSGS;
	for (i = 0; i < CATS_NR_URGENCIES; i++) {
		s->classes[i] = (struct shadow_class){};
		INIT_LIST_HEAD(&s->classes[i].msgs);
		INIT_LIST_HEAD(&s->classes[i].line);
	}
	INIT_LIST_HEAD(&s->timed);
	s->current = SHADOW_NONE;
	s->largest = 0;
}

static struct shadow_msg *first_of(const struct shadow_stream *stream)
{
	return list_first_entry(&stream->msgs, struct shadow_msg, in_stream);
}

static struct shadow_stream *stream_of(struct shadow *s, struct shadow_msg *m)
{
	return m->number ? &s->streams[m->number] : &m->own;
}

const struct shadow_stream *shadow_stream(const struct shadow *s, int id)
{
	const struct shadow_msg *m = &s->msgs[id];

	return m->number ? &s->streams[m->number] : &m->own;
}

static void join_turns(struct shadow_class *class, unsigned int turn)
{
	unsigned int i;

	for (i = 0; i < SHADOW_TURNS; i++) {
		s64 ahead = class->turn_sent[turn] - class->turn_sent[i];

		class->turn_base[turn][i] = ahead;
		class->turn_base[i][turn] = -ahead;
	}
	class->turns |= 1U << turn;
}

/* In the line before @behind, or at its end. */
static void begin_waiting(struct shadow *s, struct shadow_stream *stream,
			  struct list_head *behind)
{
	const struct shadow_msg *m = first_of(stream);
	struct shadow_class *class = &s->classes[m->urgency];

	stream->urgency = m->urgency;
	stream->turn = m->incremental ? m->number : 0;
	stream->waits = true;
	if (!class->streams++) {
		class->arrivals++;
		class->gap = 0;
		class->quantum = 0;
	}
	class->quantum = max(class->quantum, m->len);
	if (!(class->turns >> stream->turn & 1))
		join_turns(class, stream->turn);
	if (!stream->turn)
		list_add_tail(&stream->line, behind ?: &class->line);
}

static void stop_waiting(struct shadow *s, struct shadow_stream *stream)
{
	struct shadow_class *class = &s->classes[stream->urgency];

	stream->waits = false;
	class->streams--;
	if (!stream->turn)
		list_del_init(&stream->line);
	if (stream->turn || list_empty(&class->line))
		class->turns &= ~(1U << stream->turn);
}

/* Another message may have become the first of a stream. */
static void look_again(struct shadow *s, struct shadow_stream *stream)
{
	const struct shadow_msg *m;

	if (list_empty(&stream->msgs)) {
		stop_waiting(s, stream);
		return;
	}
	m = first_of(stream);
	if (m->urgency == stream->urgency &&
	    stream->turn == (m->incremental ? m->number : 0)) {
		s->classes[m->urgency].quantum = max(s->classes[m->urgency].quantum, m->len);
		return;
	}
	stop_waiting(s, stream);
	begin_waiting(s, stream, NULL);
}

static struct shadow_msg *come_in(struct shadow *s, const struct shadow_new *n, u64 now)
{
	struct shadow_msg *m = &s->msgs[s->unused[--s->nr_unused]];
	struct shadow_class *class = &s->classes[n->urgency];

	*m = (struct shadow_msg){
		.since = now, .len = n->len, .urgency = n->urgency, .number = n->number,
		.incremental = n->incremental, .open = n->open, .deadline = n->deadline,
		.queued = true,
	};
	init_stream(&m->own);
	list_add_tail(&m->in_class, &class->msgs);
	INIT_LIST_HEAD(&m->timed);
	if (m->deadline)
		list_add_tail(&m->timed, &s->timed);
	class->in_bytes += m->len;
	class->in_msgs++;
	s->largest = max(s->largest, m->len);
	return m;
}

/* The number of the message that came in. */
int shadow_enqueue(struct shadow *s, const struct shadow_new *n, u64 now)
{
	struct shadow_msg *m = come_in(s, n, now);
	struct shadow_stream *stream = stream_of(s, m);

	list_add_tail(&m->in_stream, &stream->msgs);
	if (!stream->waits)
		begin_waiting(s, stream, NULL);
	return m - s->msgs;
}

/* Likewise; in the same place if it is of the same stream and kind. */
int shadow_replace(struct shadow *s, int old, const struct shadow_new *n, u64 now)
{
	struct shadow_msg *o = &s->msgs[old], *m;
	struct shadow_stream *stream;
	int id;

	if (o->urgency != n->urgency || o->number != n->number ||
	    o->incremental != n->incremental) {
		id = shadow_enqueue(s, n, now);
		shadow_remove(s, old);
		return id;
	}
	m = come_in(s, n, now);
	stream = stream_of(s, m);
	if (m->number) {
		list_add_tail(&m->in_stream, &o->in_stream);
		look_again(s, stream);
	} else {
		list_add_tail(&m->in_stream, &stream->msgs);
		begin_waiting(s, stream, &o->own.line);
	}
	shadow_remove(s, old);
	return m - s->msgs;
}

void shadow_extend(struct shadow *s, int id, u32 bytes)
{
	struct shadow_msg *m = &s->msgs[id];

	m->len += bytes;
	s->classes[m->urgency].in_bytes += bytes;
	s->largest = max(s->largest, m->len);
	look_again(s, stream_of(s, m));
}

static void leave(struct shadow *s, int id)
{
	struct shadow_msg *m = &s->msgs[id];

	m->queued = false;
	s->unused[s->nr_unused++] = id;
	list_del_init(&m->in_class);
	list_del_init(&m->in_stream);
	list_del_init(&m->timed);
	look_again(s, stream_of(s, m));
	if (s->current == id)
		s->current = SHADOW_NONE;
}

static bool leave_if_sent(struct shadow *s, int id)
{
	struct shadow_msg *m = &s->msgs[id];
	struct shadow_class *class = &s->classes[m->urgency];

	if (m->open || m->committed < m->len)
		return false;
	class->sent_msgs++;
	class->turn_sent[stream_of(s, m)->turn] += m->len;
	leave(s, id);
	return true;
}

/* True if the message has left. */
bool shadow_close(struct shadow *s, int id)
{
	s->msgs[id].open = false;
	return leave_if_sent(s, id);
}

static void count_gaps(struct shadow *s, unsigned int served, u32 bytes)
{
	unsigned int i;

	for (i = 0; i < CATS_NR_URGENCIES; i++)
		if (i != served && s->classes[i].streams)
			s->classes[i].gap += bytes;
}

/* True if the message has left. */
bool shadow_commit(struct shadow *s, int id, u32 bytes, u64 now)
{
	struct shadow_msg *m = &s->msgs[id];
	struct shadow_class *class = &s->classes[m->urgency];

	if (!m->committed) {
		class->longest_wait = max(class->longest_wait, now - m->since);
		class->gap_max = max(class->gap_max, class->gap);
		list_del_init(&m->timed);
	}
	class->gap = 0;
	m->committed += bytes;
	class->sent_bytes += bytes;
	s->current = id;
	count_gaps(s, m->urgency, bytes);
	return leave_if_sent(s, id);
}

/* A message of which nothing was ever queued. */
void shadow_pass(struct shadow *s, unsigned int urgency, u32 bytes)
{
	struct shadow_class *class = &s->classes[urgency];

	class->in_bytes += bytes;
	class->in_msgs++;
	class->sent_bytes += bytes;
	class->sent_msgs++;
	s->largest = max(s->largest, bytes);
}

void shadow_remove(struct shadow *s, int id)
{
	struct shadow_msg *m = &s->msgs[id];

	s->classes[m->urgency].removed_bytes += m->len - m->committed;
	s->classes[m->urgency].removed_msgs++;
	leave(s, id);
}

/* A message that has not begun, to another class, or kind. */
void shadow_move(struct shadow *s, int id, unsigned int urgency, bool incremental)
{
	struct shadow_msg *m = &s->msgs[id];

	if (m->urgency != urgency) {
		s->classes[m->urgency].in_bytes -= m->len;
		s->classes[m->urgency].in_msgs--;
		s->classes[urgency].in_bytes += m->len;
		s->classes[urgency].in_msgs++;
		list_move_tail(&m->in_class, &s->classes[urgency].msgs);
	}
	m->urgency = urgency;
	m->incremental = incremental;
	look_again(s, stream_of(s, m));
}

/* Waits are measured from now on. */
void shadow_restart_gaps(struct shadow *s)
{
	unsigned int i;

	for (i = 0; i < CATS_NR_URGENCIES; i++) {
		s->classes[i].gap = 0;
		s->classes[i].gap_max = 0;
	}
}

/* Likewise what those that take turns are ahead of each other. */
void shadow_restart_turns(struct shadow *s)
{
	unsigned int i, turn;

	for (i = 0; i < CATS_NR_URGENCIES; i++)
		for (turn = 0; turn < SHADOW_TURNS; turn++)
			if (s->classes[i].turns >> turn & 1)
				join_turns(&s->classes[i], turn);
}

/* Of the first messages of all streams that wait in class @urgency; 0: none has one. */
static u64 earliest_deadline(const struct shadow *s, unsigned int urgency)
{
	const struct shadow_stream *stream;
	u64 earliest = 0, deadline;
	unsigned int i;

	list_for_each_entry(stream, &s->classes[urgency].line, line) {
		deadline = first_of(stream)->deadline;
		if (deadline && (!earliest || deadline < earliest))
			earliest = deadline;
	}
	for (i = 1; i < SHADOW_STREAMS; i++) {
		stream = &s->streams[i];
		if (!stream->waits || stream->urgency != urgency || !stream->turn)
			continue;
		deadline = first_of(stream)->deadline;
		if (deadline && (!earliest || deadline < earliest))
			earliest = deadline;
	}
	return earliest;
}

/* It may be the next of its class: by its stream, its deadline, and the line. */
bool shadow_in_order(const struct shadow *s, int id, bool by_deadline)
{
	const struct shadow_stream *stream = shadow_stream(s, id);
	u64 earliest = by_deadline ? earliest_deadline(s, stream->urgency) : 0;

	if (first_of(stream) != &s->msgs[id])
		return false;
	if (earliest)
		return s->msgs[id].deadline == earliest;
	return stream->turn || s->classes[stream->urgency].line.next == &stream->line;
}

/* The most that one who takes turns in a class is ahead of another, in quanta. */
double shadow_turn_ahead(const struct shadow *s, unsigned int urgency)
{
	const struct shadow_class *class = &s->classes[urgency];
	unsigned int i, j;
	s64 most = 0;

	if (!(class->turns & (class->turns - 1)))
		return 0;
	for (i = 0; i < SHADOW_TURNS; i++)
		for (j = 0; j < SHADOW_TURNS; j++)
			if ((class->turns >> i) & (class->turns >> j) & 1)
				most = max(most, (s64)(class->turn_sent[i] -
						       class->turn_sent[j]) -
					   class->turn_base[i][j]);
	return (double)most / class->quantum;
}

/* Of those that have not begun; 0: none has one. */
u64 shadow_first_deadline(const struct shadow *s)
{
	const struct shadow_msg *m;
	u64 first = 0;

	list_for_each_entry(m, &s->timed, timed)
		if (!first || m->deadline < first)
			first = m->deadline;
	return first;
}

/* The first open message at or after number @which, if there is one. */
int shadow_find_open(const struct shadow *s, unsigned int which)
{
	unsigned int i, id;

	for (i = 0; i < SHADOW_MSGS; i++) {
		id = (which + i) % SHADOW_MSGS;
		if (s->msgs[id].queued && s->msgs[id].open)
			return id;
	}
	return SHADOW_NONE;
}

/* Likewise one that is whole and has not begun. */
int shadow_find_waiting(const struct shadow *s, unsigned int which)
{
	unsigned int i, id;

	for (i = 0; i < SHADOW_MSGS; i++) {
		id = (which + i) % SHADOW_MSGS;
		if (s->msgs[id].queued && !s->msgs[id].open && !s->msgs[id].committed)
			return id;
	}
	return SHADOW_NONE;
}

bool shadow_stalled(const struct shadow *s)
{
	const struct shadow_msg *m = &s->msgs[max(s->current, 0)];

	return s->current != SHADOW_NONE && m->open && m->committed == m->len;
}

/* Bit i: a stream waits in class i. */
u8 shadow_waiting(const struct shadow *s)
{
	u8 waiting = 0;
	unsigned int i;

	for (i = 0; i < CATS_NR_URGENCIES; i++)
		if (s->classes[i].streams)
			waiting |= 1U << i;
	return waiting;
}

/* Conservation: what came in and neither went nor was taken out. */
u64 shadow_queued_bytes(const struct shadow *s, unsigned int urgency)
{
	const struct shadow_class *class = &s->classes[urgency];

	return class->in_bytes - class->sent_bytes - class->removed_bytes;
}

u64 shadow_queued_msgs(const struct shadow *s, unsigned int urgency)
{
	const struct shadow_class *class = &s->classes[urgency];

	return class->in_msgs - class->sent_msgs - class->removed_msgs;
}

/* With the message that waits right now: the first that has not begun. */
u64 shadow_longest_wait(const struct shadow *s, unsigned int urgency, u64 now)
{
	const struct shadow_class *class = &s->classes[urgency];
	const struct shadow_msg *m;

	list_for_each_entry(m, &class->msgs, in_class)
		if (!m->committed)
			return max(class->longest_wait, now - m->since);
	return class->longest_wait;
}

/* With the gap that lasts. */
u64 shadow_longest_gap(const struct shadow *s, unsigned int urgency)
{
	const struct shadow_class *class = &s->classes[urgency];

	return class->streams ? max(class->gap_max, class->gap) : class->gap_max;
}
