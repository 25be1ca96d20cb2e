/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What conductor.c asks of conductor_queue.c: streams within a class.
 */
#ifndef _CATS_CONDUCTOR_QUEUE_H
#define _CATS_CONDUCTOR_QUEUE_H

#include "conductor.h"

void cats_class_init(struct cats_class *class);
struct cats_stream *cats_class_next(const struct cats_class *class, bool by_deadline);
void cats_class_charge(struct cats_class *class, struct cats_stream *s, u32 bytes);

struct cats_msg *cats_stream_head(const struct cats_stream *s);
void cats_stream_place(struct cats_conductor *c, struct cats_stream *s,
		       struct cats_stream *behind, u64 now_ns);
void cats_stream_take(struct cats_conductor *c, struct cats_stream *s);
void cats_stream_renew(struct cats_conductor *c, struct cats_stream *s, u64 now_ns);

#endif /* _CATS_CONDUCTOR_QUEUE_H */
