// SPDX-License-Identifier: GPL-2.0
/*
 * Streams within a class: whose turn it is.
 *
 *	class.turns:	[incremental A] -> [fifo] -> [incremental B] -> ...
 *	                                     |
 *	class.streams:	                     `--> C -> D -> ...	not incremental
 *
 * RFC 9218, section 10: of one urgency, responses that are not incremental are sent
 * one after another, and incremental ones share the bandwidth.  It leaves open how
 * the two mix: here all that are not incremental share as one incremental would, so
 * that neither kind can keep the other out.
 *
 * Turns are a surplus round robin: a stream goes as long as its surplus is positive,
 * what it sends is taken off, and at the end of its turn it gets the quantum on top.
 * The quantum is the largest message since the class was empty, so a surplus, which is
 * above minus that, is positive again after one turn: no loop, whatever the number of
 * streams, and two streams that always have data never differ by more than two quanta.
 * With messages of one size that is one message in turn.
 */
#include <linux/kernel.h>
#include <linux/string.h>

#include "conductor_queue.h"

/**
 * cats_stream_init() - make a stream ready
 * @s: stream, without messages
 */
void cats_stream_init(struct cats_stream *s)
{
	memset(s, 0, sizeof(*s));
	INIT_LIST_HEAD(&s->node);
	INIT_LIST_HEAD(&s->msgs);
}

/**
 * cats_class_init() - make a class ready
 * @class: class, without messages
 */
void cats_class_init(struct cats_class *class)
{
	INIT_LIST_HEAD(&class->queue);
	INIT_LIST_HEAD(&class->turns);
	INIT_LIST_HEAD(&class->streams);
	cats_stream_init(&class->fifo);
	class->deadlines = RB_ROOT_CACHED;
}

/**
 * cats_stream_head() - the oldest message of a stream
 * @s: stream with a message
 */
struct cats_msg *cats_stream_head(const struct cats_stream *s)
{
	return list_first_entry(&s->msgs, struct cats_msg, stream_node);
}

static bool stream_before(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct cats_stream, by_deadline)->deadline_ns <
	       rb_entry(b, struct cats_stream, by_deadline)->deadline_ns;
}

static void set_deadline(struct cats_class *class, struct cats_stream *s, u64 deadline_ns)
{
	if (s->deadline_ns)
		rb_erase_cached(&s->by_deadline, &class->deadlines);
	s->deadline_ns = deadline_ns;
	if (deadline_ns)
		rb_add_cached(&s->by_deadline, &class->deadlines, stream_before);
}

static void note_head(struct cats_class *class, struct cats_stream *s,
		      const struct cats_msg *m)
{
	set_deadline(class, s, m->deadline_ns);
	class->quantum = max(class->quantum, m->len);
}

static void join_turns(struct cats_class *class, struct cats_stream *s)
{
	s->surplus = class->quantum;
	list_add_tail(&s->node, &class->turns);
}

static void class_arrives(struct cats_conductor *c, unsigned int urgency, u64 now_ns)
{
	struct cats_class *class = &c->classes[urgency];

	class->waits_since = c->sent_bytes;
	class->waits_since_ns = now_ns;
	c->waiting |= 1U << urgency;
	if (c->ops->arrive)
		c->ops->arrive(c, urgency);
}

/**
 * cats_stream_place() - a stream begins to wait, by what its oldest message says
 * @c: Conductor
 * @s: stream with a message, not in a class
 * @behind: stream of the same class that is to be next to it, and after it; or NULL:
 *	it becomes the last
 * @now_ns: time
 */
void cats_stream_place(struct cats_conductor *c, struct cats_stream *s,
		       struct cats_stream *behind, u64 now_ns)
{
	const struct cats_msg *m = cats_stream_head(s);
	struct cats_class *class = &c->classes[m->urgency];

	s->urgency = m->urgency;
	s->incremental = m->incremental;
	note_head(class, s, m);
	if (behind) {
		s->surplus = behind->surplus;
		list_add_tail(&s->node, &behind->node);
		return;
	}
	if (!(c->waiting & (1U << m->urgency)))
		class_arrives(c, m->urgency, now_ns);
	if (s->incremental) {
		join_turns(class, s);
		return;
	}
	if (list_empty(&class->streams))
		join_turns(class, &class->fifo);
	list_add_tail(&s->node, &class->streams);
}

/**
 * cats_stream_take() - a stream waits no longer, or elsewhere
 * @c: Conductor
 * @s: stream in a class
 */
void cats_stream_take(struct cats_conductor *c, struct cats_stream *s)
{
	struct cats_class *class = &c->classes[s->urgency];

	set_deadline(class, s, 0);
	list_del_init(&s->node);
	if (!s->incremental && list_empty(&class->streams))
		list_del_init(&class->fifo.node);
	if (!list_empty(&class->turns))
		return;
	class->quantum = 0;
	c->waiting &= ~(1U << s->urgency);
}

/**
 * cats_stream_renew() - another message has become the oldest of a stream
 * @c: Conductor
 * @s: stream in a class, with a message
 * @now_ns: time
 */
void cats_stream_renew(struct cats_conductor *c, struct cats_stream *s, u64 now_ns)
{
	const struct cats_msg *m = cats_stream_head(s);

	if (m->urgency != s->urgency || m->incremental != s->incremental) {
		cats_stream_take(c, s);
		cats_stream_place(c, s, NULL, now_ns);
		return;
	}
	note_head(&c->classes[s->urgency], s, m);
}

/**
 * cats_class_next() - the stream that goes next of a class
 * @class: class in which one waits
 * @by_deadline: the earliest deadline is first
 */
struct cats_stream *cats_class_next(const struct cats_class *class, bool by_deadline)
{
	struct rb_node *earliest = rb_first_cached(&class->deadlines);
	struct cats_stream *s;

	if (by_deadline && earliest)
		return rb_entry(earliest, struct cats_stream, by_deadline);
	s = list_first_entry(&class->turns, struct cats_stream, node);
	if (s != &class->fifo)
		return s;
	return list_first_entry(&class->streams, struct cats_stream, node);
}

/**
 * cats_class_charge() - a message of a stream was committed whole
 * @class: class of the stream
 * @s: stream in it
 * @bytes: length of the message
 *
 * Ends the turn if that used it up.
 */
void cats_class_charge(struct cats_class *class, struct cats_stream *s, u32 bytes)
{
	struct cats_stream *turn = s->incremental ? s : &class->fifo;

	turn->surplus -= bytes;
	if (turn->surplus > 0)
		return;
	turn->surplus += class->quantum;
	list_move_tail(&turn->node, &class->turns);
}
