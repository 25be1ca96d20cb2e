// SPDX-License-Identifier: GPL-2.0
/* See shadow.h. */
#include <linux/kernel.h>

#include "shadow.h"

void shadow_init(struct shadow *s)
{
	unsigned int i;

	for (i = 0; i < SHADOW_MSGS; i++) {
		s->msgs[i].queued = false;
		s->unused[i] = SHADOW_MSGS - 1 - i;
	}
	s->nr_unused = SHADOW_MSGS;
	for (i = 0; i < CATS_NR_URGENCIES; i++)
		s->classes[i] = (struct shadow_class){};
	s->current = SHADOW_NONE;
	s->largest = 0;
}

static int nth(const struct shadow_class *class, u32 n)
{
	return class->fifo[(class->head + n) % SHADOW_MSGS];
}

/* The number of the message that came in. */
int shadow_enqueue(struct shadow *s, unsigned int urgency, u32 len, bool open, u64 now)
{
	struct shadow_class *class = &s->classes[urgency];
	int id = s->unused[--s->nr_unused];

	s->msgs[id] = (struct shadow_msg){
		.since = now, .len = len, .urgency = urgency, .open = open, .queued = true,
	};
	class->fifo[(class->head + class->count++) % SHADOW_MSGS] = id;
	class->in_bytes += len;
	class->in_msgs++;
	s->largest = max(s->largest, len);
	return id;
}

void shadow_extend(struct shadow *s, int id, u32 bytes)
{
	struct shadow_msg *m = &s->msgs[id];

	m->len += bytes;
	s->classes[m->urgency].in_bytes += bytes;
	s->largest = max(s->largest, m->len);
}

/* Only the oldest of a class can leave. */
static void leave(struct shadow *s, int id)
{
	struct shadow_class *class = &s->classes[s->msgs[id].urgency];

	s->msgs[id].queued = false;
	s->unused[s->nr_unused++] = id;
	class->head = (class->head + 1) % SHADOW_MSGS;
	class->count--;
	if (!class->count)
		class->gap = 0;
	if (s->current == id)
		s->current = SHADOW_NONE;
}

static bool leave_if_sent(struct shadow *s, int id)
{
	if (s->msgs[id].open || s->msgs[id].committed < s->msgs[id].len)
		return false;
	s->classes[s->msgs[id].urgency].sent_msgs++;
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
		if (i != served && s->classes[i].count)
			s->classes[i].gap += bytes;
	s->classes[served].gap = 0;
}

/* True if the message has left. */
bool shadow_commit(struct shadow *s, int id, u32 bytes, u64 now)
{
	struct shadow_msg *m = &s->msgs[id];
	struct shadow_class *class = &s->classes[m->urgency];

	if (!m->committed)
		class->longest_wait = max(class->longest_wait, now - m->since);
	m->committed += bytes;
	class->sent_bytes += bytes;
	s->current = id;
	count_gaps(s, m->urgency, bytes);
	return leave_if_sent(s, id);
}

void shadow_remove(struct shadow *s, int id)
{
	struct shadow_msg *m = &s->msgs[id];

	s->classes[m->urgency].removed_bytes += m->len - m->committed;
	s->classes[m->urgency].removed_msgs++;
	leave(s, id);
}

int shadow_oldest(const struct shadow *s, unsigned int urgency)
{
	const struct shadow_class *class = &s->classes[urgency];

	return class->count ? nth(class, 0) : SHADOW_NONE;
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

bool shadow_stalled(const struct shadow *s)
{
	const struct shadow_msg *m = &s->msgs[max(s->current, 0)];

	return s->current != SHADOW_NONE && m->open && m->committed == m->len;
}

/* Bit i: class i has messages. */
u8 shadow_waiting(const struct shadow *s)
{
	u8 waiting = 0;
	unsigned int i;

	for (i = 0; i < CATS_NR_URGENCIES; i++)
		if (s->classes[i].count)
			waiting |= 1U << i;
	return waiting;
}

/* Conservation: what came in and neither went nor was taken out. */
u64 shadow_queued_bytes(const struct shadow *s, unsigned int urgency)
{
	const struct shadow_class *class = &s->classes[urgency];

	return class->in_bytes - class->sent_bytes - class->removed_bytes;
}

/* With the message that waits right now: the oldest that has not begun. */
u64 shadow_longest_wait(const struct shadow *s, unsigned int urgency, u64 now)
{
	const struct shadow_class *class = &s->classes[urgency];
	u32 n;

	for (n = 0; n < class->count; n++)
		if (!s->msgs[nth(class, n)].committed)
			return max(class->longest_wait, now - s->msgs[nth(class, n)].since);
	return class->longest_wait;
}
