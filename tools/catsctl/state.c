// SPDX-License-Identifier: GPL-2.0
/*
 * TCP's states, by the names that ss(8) has for them.
 */
#include <strings.h>

#include "sock.h"

static const char *const names[] = {
	[1]	= "established",
	[2]	= "syn-sent",
	[3]	= "syn-recv",
	[4]	= "fin-wait-1",
	[5]	= "fin-wait-2",
	[6]	= "time-wait",
	[7]	= "closed",
	[8]	= "close-wait",
	[9]	= "last-ack",
	[10]	= "listening",
	[11]	= "closing",
	[12]	= "new-syn-recv",
};

#define NR_STATES	(sizeof(names) / sizeof(*names))

/**
 * struct group - another name
 * @name: name
 * @states: bit per state
 */
struct group {
	const char	*name;
	unsigned int	states;
};

static const struct group groups[] = {
	{ "all", STATE_ALL },
	{ "listen", STATE_LISTENING },
	{ "connected", STATE_ALL & ~(STATE_LISTENING | 1U << 7) },
	{ "synchronized", STATE_ALL & ~(STATE_LISTENING | 1U << 7 | 1U << 2) },
};

/**
 * state_name() - name of a state
 * @state: TCP's number
 */
const char *state_name(unsigned int state)
{
	return state && state < NR_STATES ? names[state] : "unknown";
}

/**
 * state_mask() - states of a name
 * @name: of one, or of several
 *
 * Return: bit per state, 0 if there is no such name.
 */
unsigned int state_mask(const char *name)
{
	unsigned int i;

	for (i = 1; i < NR_STATES; i++)
		if (!strcasecmp(names[i], name))
			return 1U << i;
	for (i = 0; i < sizeof(groups) / sizeof(*groups); i++)
		if (!strcasecmp(groups[i].name, name))
			return groups[i].states;
	return 0;
}
