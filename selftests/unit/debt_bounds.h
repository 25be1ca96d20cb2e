/* SPDX-License-Identifier: GPL-2.0 */
/* How long each class can wait under the "debt" Conductors: see debt_bounds.c. */
#ifndef _UNIT_DEBT_BOUNDS_H
#define _UNIT_DEBT_BOUNDS_H

#include "model_debt.h"

void debt_bounds(const struct model_debt *m, const double debt_before[],
		 double largest, double bounds[]);
unsigned int debt_turns(const struct model_debt *m, unsigned int urgency, double debt);

#endif /* _UNIT_DEBT_BOUNDS_H */
