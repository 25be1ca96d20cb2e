/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The credit rule as Documentation/conductor.rst states it, in bytes and in
 * floating point: what the "debt" Conductors are compared with.  It shares no
 * code, no table and no representation with module/conductor_debt.c.
 */
#ifndef _UNIT_MODEL_DEBT_H
#define _UNIT_MODEL_DEBT_H

#include <linux/cats.h>
#include <linux/types.h>

/*
 * How far, in bytes, the module's debt may be from the model's.  When debts are
 * shared out the module rounds down to a thousandth of a byte, and passes on at
 * most half of the error that it had: together never more than two thousandths.
 * The rest is for the rounding of the model's own sums.
 */
#define MODEL_EPSILON	0.01

/**
 * struct model_class - one urgency
 * @high: watermark, bytes
 * @low: watermark, bytes
 * @payback: bytes of debt that one byte sent pays back
 * @debt: bytes
 * @in_debt: passed over
 * @shared: rule 2 was applied to @debt, so the module's is rounded
 */
struct model_class {
	double	high;
	double	low;
	double	payback;
	double	debt;
	bool	in_debt;
	bool	shared;
};

/**
 * struct model_debt - the state of the rule
 * @classes: by urgency
 * @payback_sum: divisor of rule 2
 */
struct model_debt {
	struct model_class	classes[CATS_NR_URGENCIES];
	double			payback_sum;
};

/**
 * enum model_verdict - a class of the module beside the one of the model
 * @MODEL_AGREES: debt and flag are the same
 * @MODEL_FOLLOWED: the debt, which was shared out, is so close to a watermark
 *	that either flag is right; the model has taken over the module's
 * @MODEL_DIFFERS: the module is wrong
 */
enum model_verdict {
	MODEL_AGREES,
	MODEL_FOLLOWED,
	MODEL_DIFFERS,
};

bool model_debt_init(struct model_debt *m, const char *policy);
void model_debt_set(struct model_debt *m, const struct cats_debt_params *p);
int model_debt_first(const struct model_debt *m, u8 waiting);
void model_debt_share(struct model_debt *m, u8 waiting);
void model_debt_sent(struct model_debt *m, unsigned int urgency, u32 bytes);
enum model_verdict model_debt_compare(struct model_debt *m, unsigned int urgency,
				      const struct cats_class_info *seen);

#endif /* _UNIT_MODEL_DEBT_H */
