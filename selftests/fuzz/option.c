// SPDX-License-Identifier: GPL-2.0
/*
 * Operations on options: those of CATS with results that are checked, and those
 * of everybody else with random values.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/time.h>

#include "fuzz.h"

#ifndef TCP_ULP
#define TCP_ULP		31
#endif

#define SLOWEST_RATE	100000

static const char *const conductors[] = {
	"debt", "strict", "debt-paper", "debt-refcode", "bounded", "wfq", "edf", "no-such",
};

#define NR_CONDUCTORS	(sizeof(conductors) / sizeof(conductors[0]))

static const char *const congestion_controls[] = { "cubic", "reno", "bbr" };

static const int levels[] = { SOL_SOCKET, IPPROTO_TCP, IPPROTO_IP, IPPROTO_IPV6, SOL_CATS };
#define NR_LEVELS	5
#define NR_OPTIONS	80
#define NR_CATS_OPTIONS	(CATS_WFQ_PARAMS + 1)

/*
 * Options that the oracle has no model for: they cut the path, forge sequence
 * numbers, end the connection by a timer, or wait for a user-space helper.
 */
static const uint8_t excluded[NR_LEVELS][20] = {
	/* LINGER, RCVTIMEO, SNDTIMEO, BINDTODEVICE, filters, BINDTOIFINDEX; and, set
	 * by errqueue_open(), TIMESTAMPING and ZEROCOPY
	 */
	{ 13, 20, 21, 25, 26, 37, 50, 51, 52, 60, 62, 65, 66, 67 },
	/* KEEPCNT, LINGER2, MD5SIG, USER_TIMEOUT, REPAIR*, ULP, MD5SIG_EXT, TX_DELAY */
	{ 6, 8, 14, 18, 19, 20, 21, 22, 29, 31, 32, 37, 38 },
	/* TTL, OPTIONS, RECVERR (0 empties the error queue), IPSEC, XFRM, MINTTL,
	 * UNICAST_IF
	 */
	{ 2, 4, 11, 16, 17, 21, 50 },
	/* sticky headers, UNICAST_HOPS, RECVERR, IPSEC, XFRM, UNICAST_IF, MINHOPCOUNT */
	{ 2, 3, 4, 5, 6, 16, 25, 34, 35, 54, 55, 57, 59, 73, 76 },
};

static bool is_excluded(uint32_t level, uint32_t option)
{
	return option && memchr(excluded[level], option, sizeof(excluded[level]));
}

static void op_setopt(struct worker *w, const struct op *op)
{
	uint32_t level = op->b % NR_LEVELS, option = (op->b >> 3) % NR_OPTIONS;
	static const uint8_t lens[] = { 4, 4, 4, 4, 4, 0, 1, 8, 16, 64 };
	const uint32_t values[] = {
		0, 1, op->a & 0xff, op->a, INT32_MAX, UINT32_MAX,
	};
	uint32_t value[16] = { values[(op->b >> 10) % 6] };
	socklen_t len = lens[(op->b >> 13) % 10];
	const void *data = value;

	if (is_excluded(level, option))
		return;
	if (levels[level] == SOL_CATS)
		option %= NR_CATS_OPTIONS;
	/* This one has an operation of its own: others may lose messages by it. */
	if (levels[level] == SOL_CATS && option == CATS_ADMIT)
		return;
	if (levels[level] == SOL_SOCKET && option == SO_MAX_PACING_RATE &&
	    value[0] < SLOWEST_RATE)
		value[0] = SLOWEST_RATE;
	/* The only family that it takes. */
	if (levels[level] == IPPROTO_IPV6 && option == IPV6_ADDRFORM)
		value[0] = AF_INET;
	if (levels[level] == IPPROTO_TCP && option == TCP_CONGESTION) {
		data = congestion_controls[op->a % 3];
		len = strlen(data);
	}
	/* The default tag has an operation of its own, which notes it down. */
	if (levels[level] == SOL_CATS && option == CATS_TAG)
		return;
	setsockopt(episode.tx, levels[level], option, data, len);
	count_call(w);
}

static void op_getopt(struct worker *w, const struct op *op)
{
	uint32_t level = op->b % NR_LEVELS, option = (op->b >> 3) % NR_OPTIONS;
	char value[1024] __attribute__((aligned(8)));
	socklen_t len = op->a % (sizeof(value) + 1);

	/* The error of the connection must not be taken in vain. */
	if (levels[level] == SOL_SOCKET && option == SO_ERROR)
		len = sizeof(int);
	memset(value, op->b, sizeof(value));
	if (levels[level] == SOL_CATS)
		option %= NR_CATS_OPTIONS;
	if (!getsockopt(episode.tx, levels[level], option, value, &len) &&
	    levels[level] == SOL_SOCKET && option == SO_ERROR)
		note_error(*(int *)value);
	count_call(w);
}

/* While the number of changes is odd nobody knows; a second changer gives up. */
static void op_tag(struct worker *w, const struct op *op)
{
	static const int allowed[] = { EBADF, 0 };
	uint32_t changes = __atomic_load_n(&ledger->tag_changes, __ATOMIC_SEQ_CST);
	struct cats_tag tag = { .urgency = op->b % CATS_NR_URGENCIES };
	long ret;

	if (changes & 1 ||
	    !__atomic_compare_exchange_n(&ledger->tag_changes, &changes, changes + 1,
					 false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return;
	ret = setsockopt(episode.tx, SOL_CATS, CATS_TAG, &tag,
			 op->a & 1 ? sizeof(tag) : sizeof(__u32));
	count_call(w);
	expect(w, op, ret, errno, allowed);
	if (!ret)
		ledger->tag = tag.urgency;
	__atomic_store_n(&ledger->tag_changes, changes + 2, __ATOMIC_SEQ_CST);
}

static void op_conductor(struct worker *w, const struct op *op)
{
	static const int allowed[] = { EBADF, 0 }, none[] = { ENOENT, EBADF, 0 };
	bool unknown = op->b % NR_CONDUCTORS == NR_CONDUCTORS - 1;
	const char *name = conductors[op->b % NR_CONDUCTORS];
	long ret = setsockopt(episode.tx, SOL_CATS, CATS_CONDUCTOR, name, strlen(name));

	count_call(w);
	expect(w, op, ret, errno, unknown ? none : allowed);
	if (!ret && unknown)
		fail("a Conductor that does not exist was accepted");
}

static void op_debt(struct worker *w, const struct op *op)
{
	static const int allowed[] = { EINVAL, EBADF, 0 };
	struct cats_debt_params params = {};
	socklen_t len = sizeof(params);
	long ret;

	ret = getsockopt(episode.tx, SOL_CATS, CATS_DEBT_PARAMS, &params, &len);
	count_call(w);
	expect(w, op, ret, errno, allowed);
	if (ret)
		return;
	/* One number wrong, or at a limit, or not. */
	((uint32_t *)&params)[op->a % (sizeof(params) / 4)] = op->b >> (op->b % 32);
	ret = setsockopt(episode.tx, SOL_CATS, CATS_DEBT_PARAMS, &params, len);
	count_call(w);
	expect(w, op, ret, errno, allowed);
}

static void check_class(const struct cats_class_info *class, uint32_t urgency,
			bool drained)
{
	if (class->queued_bytes && !class->queued_msgs)
		fail("info: class %u has %llu bytes in no message", urgency,
		     class->queued_bytes);
	if (class->queued_bytes > STREAM_MAX || class->sent_bytes > STREAM_MAX)
		fail("info: class %u has queued %llu bytes, sent %llu", urgency,
		     class->queued_bytes, class->sent_bytes);
	if (drained && class->queued_msgs)
		fail("info: class %u has %u messages after everything was sent",
		     urgency, class->queued_msgs);
}

/**
 * check_info() - do the numbers of CATS_INFO fit together?
 * @fd: CATS socket
 * @drained: nothing is queued and nobody writes
 */
void check_info(int fd, bool drained)
{
	struct cats_info info;
	socklen_t len = sizeof(info);
	uint64_t queued = 0, sent = 0, accepted;
	uint32_t i;
	bool exact;

	if (getsockopt(fd, SOL_CATS, CATS_INFO, &info, &len)) {
		if (errno != EBADF)
			fail("info: error %d", errno);
		return;
	}
	for (i = 0; i < CATS_NR_URGENCIES; i++) {
		check_class(&info.classes[i], i, drained);
		queued += info.classes[i].queued_bytes;
		sent += info.classes[i].sent_bytes;
	}
	if (info.committed_max > info.budget_max)
		fail("info: committed_max %u is above budget_max %u",
		     info.committed_max, info.budget_max);
	if (queued > info.mem_queued)
		fail("info: %llu bytes queued in %u bytes of memory",
		     (unsigned long long)queued, info.mem_queued);
	if (!drained)
		return;
	if (info.mem_queued)
		fail("info: %u bytes of memory held by nothing", info.mem_queued);
	for (i = 0, accepted = oracle_accepted(&exact); i < MAX_MSGS; i++)
		if (ledger->msgs[i].class == CLASS_PLAIN)
			accepted -= ledger->msgs[i].accepted;
	if (exact && (sent > accepted ||
		      (sent < accepted && !episode.program->param[P_RICH])))
		fail("info: %llu bytes sent, %llu accepted", (unsigned long long)sent,
		     (unsigned long long)accepted);
}

static void op_info(struct worker *w)
{
	count_call(w);
	check_info(episode.tx, false);
}

static void op_sndtimeo(struct worker *w, const struct op *op)
{
	struct timeval tv = { .tv_usec = op->b % 4 ? 1000 + op->b % 50000 : 0 };

	ledger->timeouts = true;
	setsockopt(episode.tx, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	count_call(w);
}

static void set_int(struct worker *w, int level, int option, int value)
{
	setsockopt(episode.tx, level, option, &value, sizeof(value));
	count_call(w);
}

bool attach_cats(int fd)
{
	return !setsockopt(fd, IPPROTO_TCP, TCP_ULP, CATS_ULP_NAME,
			   strlen(CATS_ULP_NAME));
}

/* The Conductor that our side of @p begins with. */
const char *conductor_name(const struct program *p)
{
	return conductors[p->param[P_CONDUCTOR] % (NR_CONDUCTORS - 1)];
}

bool is_cats(int fd, const char *conductor)
{
	char ulp[16] = "", name[CATS_CONDUCTOR_NAME_MAX] = "";
	socklen_t ulp_len = sizeof(ulp), name_len = sizeof(name);

	return !getsockopt(fd, IPPROTO_TCP, TCP_ULP, ulp, &ulp_len) &&
	       !strcmp(ulp, CATS_ULP_NAME) &&
	       !getsockopt(fd, SOL_CATS, CATS_CONDUCTOR, name, &name_len) &&
	       !strcmp(name, conductor);
}

/* Cancels or moves what has some cookie, or is of some stream. */
static void op_change(struct worker *w, const struct op *op)
{
	static const int allowed[] = { EINVAL, EBADF, 0 };
	bool cancel = op->a & 1;
	struct cats_change change = {
		.cookie = op->b % 3,
		.stream = (op->b >> 2) % (NR_STREAMS + 1),
		.urgency = cancel ? 0 : (op->b >> 8) % (CATS_NR_URGENCIES + 1),
		.flags = cancel ? 0 : op->a & CATS_F_INCREMENTAL,
	};
	socklen_t len = sizeof(change);
	long ret;

	ret = getsockopt(episode.tx, SOL_CATS, cancel ? CATS_CANCEL : CATS_REPRIORITIZE,
			 &change, &len);
	count_call(w);
	expect(w, op, ret, errno, allowed);
	if (!ret && (change.begun_msgs > 1 || !change.msgs != !change.bytes))
		fail("change: %u messages of %llu bytes, %u begun", change.msgs,
		     change.bytes, change.begun_msgs);
}

static void op_admit(struct worker *w, const struct op *op)
{
	static const int allowed[] = { EBADF, 0 };
	struct cats_admit admit = {
		.threshold = op->a,
		.max_delay_us = op->b & 1 ? op->b % 1000000 : 0,
		.refuse = op->b & 2 ? op->b >> 8 : 0,
		.drop = op->b & 4 ? op->b >> 16 : 0,
		.shed = op->b >> 24,
	};

	if (!episode.program->param[P_RICH])
		return;
	expect(w, op, setsockopt(episode.tx, SOL_CATS, CATS_ADMIT, &admit, sizeof(admit)),
	       errno, allowed);
	count_call(w);
}

static void op_attach(struct worker *w)
{
	count_call(w);
	if (attach_cats(episode.tx))
		fail("attached twice");
	else if (errno != EEXIST && errno != EBADF)
		fail("second attach: error %d (%s)", errno, strerror(errno));
}

/**
 * op_option() - do an operation on options
 * @w: who does it
 * @op: operation
 */
void op_option(struct worker *w, const struct op *op)
{
	switch (op->kind) {
	case OP_SETOPT:
		op_setopt(w, op);
		break;
	case OP_GETOPT:
		op_getopt(w, op);
		break;
	case OP_TAG:
		op_tag(w, op);
		break;
	case OP_CONDUCTOR:
		op_conductor(w, op);
		break;
	case OP_DEBT:
		op_debt(w, op);
		break;
	case OP_INFO:
		op_info(w);
		break;
	case OP_SNDBUF:
		set_int(w, SOL_SOCKET, SO_SNDBUF, op->b % 200000);
		break;
	case OP_SNDTIMEO:
		op_sndtimeo(w, op);
		break;
	case OP_NODELAY:
		set_int(w, IPPROTO_TCP, TCP_NODELAY, op->b & 1);
		break;
	case OP_CORK:
		set_int(w, IPPROTO_TCP, TCP_CORK, op->b & 1);
		break;
	case OP_ATTACH:
		op_attach(w);
		break;
	case OP_CHANGE:
		op_change(w, op);
		break;
	case OP_ADMIT:
		op_admit(w, op);
		break;
	}
}
