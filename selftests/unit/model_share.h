/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The Conductors "bounded" and "wfq" as Documentation/conductor.rst states them: what
 * they are compared with.  Shares no code and no table with module/.
 */
#ifndef _UNIT_MODEL_SHARE_H
#define _UNIT_MODEL_SHARE_H

#include <linux/cats.h>
#include <linux/types.h>

/**
 * struct model_bounded - state of "bounded"
 * @params: as set
 * @tokens: in the bucket, 1024ths of a byte
 * @paying: the message of class 0 that is sent, or next, is paid from it
 * @credit: 1024ths of a byte
 * @turn: number of the last service of each class
 * @turns: number of the last service of any
 */
struct model_bounded {
	struct cats_bounded_params	params;
	s64				tokens;
	bool				paying;
	s64				credit[CATS_NR_URGENCIES];
	u64				turn[CATS_NR_URGENCIES];
	u64				turns;
};

void model_bounded_init(struct model_bounded *m);
void model_bounded_set(struct model_bounded *m, const struct cats_bounded_params *p);
void model_bounded_arrive(struct model_bounded *m, unsigned int urgency);
unsigned int model_bounded_pick(struct model_bounded *m, u8 waiting, const u32 lens[]);
void model_bounded_sent(struct model_bounded *m, u8 waiting, unsigned int urgency, u32 bytes);

/**
 * struct model_wfq - state of "wfq"
 * @params: as set
 * @surplus: what a class may send; below 0: sent too much
 */
struct model_wfq {
	struct cats_wfq_params		params;
	s64				surplus[CATS_NR_URGENCIES];
};

void model_wfq_init(struct model_wfq *m);
void model_wfq_set(struct model_wfq *m, const struct cats_wfq_params *p);
unsigned int model_wfq_pick(struct model_wfq *m, u8 waiting);
void model_wfq_sent(struct model_wfq *m, unsigned int urgency, u32 bytes);

#endif /* _UNIT_MODEL_SHARE_H */
