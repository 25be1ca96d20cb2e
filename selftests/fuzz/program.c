// SPDX-License-Identifier: GPL-2.0
/*
 * Programs: made from a seed, printed, read back.
 *
 * The text form has one line per parameter and per operation, so that a program
 * can be shortened by leaving lines out:
 *
 *	param NAME VALUE
 *	op KIND ACTOR FLAGS A B
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "fuzz.h"

static const char *const param_names[NR_PARAMS] = {
	[P_PATH] = "path", [P_ACCEPTED] = "accepted", [P_CONDUCTOR] = "conductor",
	[P_CC] = "cc", [P_SNDBUF] = "sndbuf", [P_RCVBUF] = "rcvbuf",
	[P_PACING] = "pacing", [P_PRELUDE] = "prelude", [P_THREADS] = "threads",
	[P_CHILD] = "child", [P_KEEP] = "keep", [P_TIMER_US] = "timer_us",
	[P_FINAL] = "final", [P_NETNS] = "netns", [P_IDLE_US] = "idle_us",
	[P_ATTACH] = "attach", [P_ZEROCOPY] = "zerocopy", [P_TXSTAMP] = "txstamp",
	[P_RICH] = "rich",
};

static const char *const op_names[NR_OPS] = {
	[OP_SEND] = "send", [OP_TAGGED] = "tagged", [OP_WRITE] = "write",
	[OP_MMSG] = "mmsg", [OP_SENDFILE] = "sendfile", [OP_SPLICE] = "splice",
	[OP_FAULT] = "fault", [OP_BADTAG] = "badtag", [OP_EMPTY] = "empty",
	[OP_TAG] = "tag", [OP_CONDUCTOR] = "conductor", [OP_DEBT] = "debt",
	[OP_INFO] = "info", [OP_OUTQ] = "outq", [OP_SETOPT] = "setopt",
	[OP_GETOPT] = "getopt", [OP_SNDBUF] = "sndbuf", [OP_SNDTIMEO] = "sndtimeo",
	[OP_NODELAY] = "nodelay", [OP_CORK] = "cork", [OP_RECV] = "recv",
	[OP_POLL] = "poll", [OP_ERRQUEUE] = "errqueue", [OP_NAMES] = "names",
	[OP_ATTACH] = "attach", [OP_CHANGE] = "change", [OP_ADMIT] = "admit",
	[OP_UNLOAD] = "unload", [OP_SCM] = "scm", [OP_SIGNAL] = "signal",
	[OP_PAUSE] = "pause", [OP_SHUTDOWN] = "shutdown", [OP_CLOSE] = "close",
	[OP_DISCONNECT] = "disconnect", [OP_LINGER] = "linger",
	[OP_PEER_READ] = "peer-read", [OP_PEER_PAUSE] = "peer-pause",
	[OP_PEER_SEND] = "peer-send", [OP_PEER_RCVBUF] = "peer-rcvbuf",
	[OP_PEER_SHUTDOWN] = "peer-shutdown", [OP_PEER_CLOSE] = "peer-close",
	[OP_PEER_RESET] = "peer-reset",
};

/*
 * How often an operation comes, of our side's and of the peer's.  On the debug
 * kernel a write, with its way to the peer, costs as much as ten other calls.
 */
static const uint8_t our_weights[NR_OPS] = {
	[OP_SEND] = 14, [OP_TAGGED] = 26, [OP_WRITE] = 6, [OP_MMSG] = 2,
	[OP_SENDFILE] = 2, [OP_SPLICE] = 2, [OP_FAULT] = 3, [OP_BADTAG] = 5,
	[OP_EMPTY] = 3, [OP_TAG] = 6, [OP_CONDUCTOR] = 6, [OP_DEBT] = 3,
	[OP_INFO] = 14, [OP_OUTQ] = 10, [OP_SETOPT] = 30, [OP_GETOPT] = 20,
	[OP_SNDBUF] = 3, [OP_SNDTIMEO] = 1, [OP_NODELAY] = 4, [OP_CORK] = 3,
	[OP_RECV] = 8, [OP_POLL] = 10, [OP_ERRQUEUE] = 6, [OP_NAMES] = 2, [OP_ATTACH] = 3,
	[OP_CHANGE] = 8, [OP_ADMIT] = 2,
	[OP_UNLOAD] = 1, [OP_SCM] = 2, [OP_SIGNAL] = 3, [OP_PAUSE] = 5,
};

static const uint8_t peer_weights[NR_OPS] = {
	[OP_PEER_READ] = 80, [OP_PEER_PAUSE] = 6, [OP_PEER_SEND] = 4,
	[OP_PEER_RCVBUF] = 2,
};

/* At most one of these in a program: most end the traffic. */
static const uint8_t endings[] = {
	OP_SHUTDOWN, OP_CLOSE, OP_DISCONNECT, OP_LINGER,
	OP_PEER_SHUTDOWN, OP_PEER_CLOSE, OP_PEER_RESET, OP_PEER_RESET,
};

/* xorshift64* */
uint64_t random_next(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (*state * 2685821657736338717ull) >> 16;
}

static uint32_t below(uint64_t *rnd, uint32_t n)
{
	return random_next(rnd) % n;
}

static bool one_in(uint64_t *rnd, uint32_t n)
{
	return below(rnd, n) == 0;
}

const char *op_name(uint32_t kind)
{
	return kind < NR_OPS ? op_names[kind] : "nothing";
}

static void make_params(uint32_t *param, uint64_t *rnd)
{
	static const uint32_t sndbufs[] = { 0, 0, 0, 2304, 8192, 16384, 65536, 262144 };
	static const uint32_t rcvbufs[] = { 0, 0, 4096, 8192, 32768 };
	static const uint32_t rates[] = { 0, 0, 200000, 500000, 2000000, 2000000 };
	static const uint32_t timers[] = { 0, 0, 0, 2000, 20000 };

	param[P_PATH] = below(rnd, NR_PATHS);
	param[P_ACCEPTED] = below(rnd, 2);
	param[P_CONDUCTOR] = below(rnd, 7);
	param[P_CC] = below(rnd, 3);
	param[P_SNDBUF] = sndbufs[below(rnd, 8)];
	param[P_RCVBUF] = rcvbufs[below(rnd, 5)];
	param[P_PACING] = rates[below(rnd, 6)];
	param[P_PRELUDE] = one_in(rnd, 3) ? below(rnd, 4) : 0;
	param[P_THREADS] = 1 + below(rnd, MAX_THREADS);
	param[P_CHILD] = one_in(rnd, 3) ? 1 + below(rnd, 2) : CHILD_NONE;
	param[P_KEEP] = !one_in(rnd, 3);
	param[P_TIMER_US] = timers[below(rnd, 5)];
	param[P_FINAL] = below(rnd, NR_FINALS);
	param[P_NETNS] = one_in(rnd, 32);
	param[P_IDLE_US] = one_in(rnd, 4) ? below(rnd, 20000) : 0;
	param[P_ATTACH] = one_in(rnd, 3) ? ATTACH_BEFORE : ATTACH_AFTER;
	param[P_ZEROCOPY] = one_in(rnd, 2);
	param[P_TXSTAMP] = one_in(rnd, 3);
	param[P_RICH] = one_in(rnd, 2);
	/* Nothing is written before, and numbers count from the first byte. */
	if (param[P_ATTACH] == ATTACH_BEFORE || param[P_TXSTAMP])
		param[P_PRELUDE] = 0;
	if (param[P_NETNS]) {
		param[P_PATH] = below(rnd, PATH_VETH_V4);
		param[P_FINAL] = FINAL_EXIT;
	}
}

/* Small mostly: what is to be fuzzed is the machinery, not memcpy(). */
static uint32_t make_len(uint64_t *rnd)
{
	switch (below(rnd, 32)) {
	case 0:
		return 4 + below(rnd, MAX_LEN - 4);
	case 1:
		return 4 + below(rnd, 20000);
	case 2 ... 8:
		return 4 + below(rnd, 4096);
	default:
		return 4 + below(rnd, 400);
	}
}

static uint32_t make_flags(uint64_t *rnd)
{
	static const uint32_t rare[] = {
		MSG_EOR, MSG_ZEROCOPY, MSG_OOB, MSG_FASTOPEN, MSG_DONTROUTE,
		MSG_CONFIRM, MSG_WAITALL,
	};
	uint32_t flags = 0;

	if (!one_in(rnd, 3))
		flags |= MSG_DONTWAIT;
	if (one_in(rnd, 6))
		flags |= MSG_MORE;
	if (one_in(rnd, 12))
		flags |= MSG_ZEROCOPY;
	if (one_in(rnd, 24))
		flags |= rare[below(rnd, 7)];
	return flags;
}

static uint32_t draw(const uint8_t *weights, uint64_t *rnd)
{
	uint32_t i, sum = 0, at;

	for (i = 0; i < NR_OPS; i++)
		sum += weights[i];
	at = below(rnd, sum);
	for (i = 0; at >= weights[i]; i++)
		at -= weights[i];
	return i;
}

/*
 * Tagged messages of several calls hold room until they are complete.  If calls that
 * continue them waited for room, several threads could wait for each other for ever.
 */
static void separate_chains(struct op *op, bool chains)
{
	if (op->kind != OP_TAGGED && op->kind != OP_MMSG && op->kind != OP_FAULT)
		return;
	if (chains)
		op->flags |= MSG_DONTWAIT;
	else
		op->flags &= ~MSG_MORE;
}

static void make_op(struct program *p, struct op *op, uint64_t *rnd)
{
	uint32_t actors = p->param[P_THREADS] + !!p->param[P_CHILD];
	bool peer = one_in(rnd, 4);

	op->kind = draw(peer ? peer_weights : our_weights, rnd);
	op->actor = below(rnd, actors);
	if (peer)
		op->actor = ACTOR_PEER;
	else if (op->actor == p->param[P_THREADS])
		op->actor = ACTOR_CHILD;
	op->flags = make_flags(rnd);
	op->a = make_len(rnd);
	op->b = random_next(rnd);
	if (op->kind <= OP_FAULT)
		op->b %= CATS_NR_URGENCIES;
	/* The parts of a killed writer could not be told from others. */
	if (p->param[P_CHILD] == CHILD_KILLED && op->actor == ACTOR_CHILD &&
	    (op->kind == OP_SENDFILE || op->kind == OP_SPLICE))
		op->kind = OP_TAGGED;
}

static void make_ending(struct program *p, uint64_t *rnd)
{
	struct op *op = &p->ops[p->nr / 2 + below(rnd, p->nr / 2)];

	op->kind = endings[below(rnd, sizeof(endings))];
	op->actor = op->kind >= OP_PEER_READ ? ACTOR_PEER : ACTOR_MAIN;
	op->b = random_next(rnd);
}

/**
 * program_make() - the program of an episode
 * @p: filled
 * @seed: of the run
 * @episode_no: in the run; each has a random sequence of its own, so that it can
 *	be replayed without those before it
 */
void program_make(struct program *p, uint64_t seed, uint32_t episode_no)
{
	uint64_t rnd = (seed + 1) * 0x9e3779b97f4a7c15ull ^
		       (episode_no + 1) * 0xc2b2ae3d27d4eb4full;
	uint32_t i, bytes = 0, budget;
	bool peer_talks, chains;

	for (i = 0; i < 8; i++)
		random_next(&rnd);
	memset(p, 0, sizeof(*p));
	make_params(p->param, &rnd);
	/* Tiny windows and slow paths take long, in instructions too. */
	budget = one_in(&rnd, 8) && p->param[P_RCVBUF] != 4096 ? 600000 : 100000;
	/* What our side does not read makes its close a reset: not too often. */
	peer_talks = one_in(&rnd, 4);
	chains = one_in(&rnd, 2) && !p->param[P_RICH];
	p->nr = MAX_OPS / 4 + below(&rnd, MAX_OPS * 3 / 4);
	for (i = 0; i < p->nr; i++) {
		make_op(p, &p->ops[i], &rnd);
		separate_chains(&p->ops[i], chains);
		if (p->param[P_RICH])
			p->ops[i].flags &= ~MSG_MORE;
		if (p->ops[i].kind == OP_PEER_SEND && !peer_talks)
			p->ops[i].kind = OP_PEER_READ;
		if (p->ops[i].kind > OP_FAULT)
			continue;
		if (bytes + p->ops[i].a > budget)
			p->ops[i].a = 4 + p->ops[i].a % 64;
		bytes += p->ops[i].a;
	}
	if (one_in(&rnd, 2))
		make_ending(p, &rnd);
}

/**
 * program_holds() - does a program leave tagged messages unfinished?
 * @p: program
 *
 * Others end by themselves.
 */
bool program_holds(const struct program *p)
{
	uint32_t i;

	for (i = 0; i < p->nr; i++)
		if ((p->ops[i].kind == OP_TAGGED || p->ops[i].kind == OP_MMSG) &&
		    p->ops[i].flags & MSG_MORE)
			return true;
	return false;
}

void program_print(const struct program *p, FILE *f)
{
	uint32_t i;

	for (i = 0; i < NR_PARAMS; i++)
		fprintf(f, "param %s %u\n", param_names[i], p->param[i]);
	for (i = 0; i < p->nr; i++)
		fprintf(f, "op %s %u 0x%x %u %u\n", op_names[p->ops[i].kind],
			p->ops[i].actor, p->ops[i].flags, p->ops[i].a, p->ops[i].b);
}

static int lookup(const char *const *names, uint32_t nr, const char *name)
{
	uint32_t i;

	for (i = 0; i < nr; i++)
		if (!strcmp(names[i], name))
			return i;
	return -1;
}

static int parse_line(struct program *p, const char *line)
{
	struct op *op = &p->ops[p->nr];
	uint32_t value, actor;
	char name[32];
	int i;

	if (sscanf(line, "param %31s %u", name, &value) == 2) {
		i = lookup(param_names, NR_PARAMS, name);
		if (i < 0)
			return -1;
		p->param[i] = value;
		return 0;
	}
	if (p->nr == MAX_OPS ||
	    sscanf(line, "op %31s %u %x %u %u", name, &actor, &op->flags, &op->a,
		   &op->b) != 5)
		return -1;
	i = lookup(op_names, NR_OPS, name);
	if (i < 0 || actor >= NR_ACTORS)
		return -1;
	op->kind = i;
	op->actor = actor;
	p->nr++;
	return 0;
}

/**
 * program_parse() - read what program_print() wrote
 * @p: filled
 * @f: text; lines that begin with # are comments
 *
 * Return: 0, or -1 at a line that makes no sense.
 */
int program_parse(struct program *p, FILE *f)
{
	char line[128];

	memset(p, 0, sizeof(*p));
	while (fgets(line, sizeof(line), f))
		if (line[0] != '#' && line[0] != '\n' && parse_line(p, line))
			return -1;
	return 0;
}
