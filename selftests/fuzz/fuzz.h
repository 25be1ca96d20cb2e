/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The operation fuzzer.
 *
 *	seed --> program --> episode: actors run it --> oracle --> verdict
 *	             ^                                                |
 *	             +------------- shorter program <-- shrink -------+
 *
 * An *episode* is one connection.  Its *program* is data, made from the seed
 * before anything runs: parameters, and a list of operations for each *actor*:
 * threads and a forked process that share the CATS socket, and the peer, which
 * is plain TCP.  So it can be printed, replayed and shortened.
 *
 * Every message that a program writes has an entry in a ledger, in memory that
 * all actors share; what the peer reads is kept.  When all calls have returned
 * the oracle explains every byte that came by the ledger.
 *
 * A process of its own runs each episode: what it leaves behind, the kernel has
 * to clean up, and if it hangs it can be killed.
 */
#ifndef _FUZZ_H
#define _FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <linux/cats.h>

#define MAX_OPS		512
/* Messages of one operation: sendmmsg() has several. */
#define MSGS_PER_OP	4
#define MAX_MSGS	(MAX_OPS * MSGS_PER_OP)
#define MAX_LEN		(128 * 1024)
#define STREAM_MAX	(8 * 1024 * 1024)
#define MAX_THREADS	3

enum actor {
	ACTOR_MAIN = 0,			/* and the next two: threads */
	ACTOR_CHILD = MAX_THREADS,	/* a forked process */
	ACTOR_PEER,
	ACTOR_ENDER,			/* see episode.c */
	NR_ACTORS,
};

enum param {
	P_PATH, P_ACCEPTED, P_CONDUCTOR, P_CC, P_SNDBUF, P_RCVBUF, P_PACING,
	P_PRELUDE, P_THREADS, P_CHILD, P_KEEP, P_TIMER_US, P_FINAL, P_NETNS,
	P_IDLE_US, P_ATTACH, P_ZEROCOPY, P_TXSTAMP, P_RICH, NR_PARAMS,
};

enum path { PATH_V4, PATH_V6, PATH_MAPPED, PATH_VETH_V4, PATH_VETH_V6, NR_PATHS };

/*
 * P_RICH: tags have all that a tag may have, messages are cancelled, moved and shed.  Then
 * a tagged one may be dropped, whole; none is of several calls, which would have the
 * tag of the first.
 */
enum final {
	FINAL_CLOSE, FINAL_SHUTDOWN, FINAL_LINGER, FINAL_RESET, FINAL_DISCONNECT,
	FINAL_EXIT, NR_FINALS,
};

/* When our side becomes a CATS socket. */
enum attach { ATTACH_AFTER, ATTACH_BEFORE, NR_ATTACHES };

enum child { CHILD_NONE, CHILD_RUNS, CHILD_KILLED, NR_CHILDREN };

enum op_kind {
	OP_SEND, OP_TAGGED, OP_WRITE, OP_MMSG, OP_SENDFILE, OP_SPLICE, OP_FAULT,
	OP_BADTAG, OP_EMPTY, OP_TAG, OP_CONDUCTOR, OP_DEBT, OP_INFO, OP_OUTQ,
	OP_SETOPT, OP_GETOPT, OP_SNDBUF, OP_SNDTIMEO, OP_NODELAY, OP_CORK, OP_RECV,
	OP_POLL, OP_ERRQUEUE, OP_NAMES, OP_ATTACH, OP_CHANGE, OP_ADMIT, OP_UNLOAD, OP_SCM,
	OP_SIGNAL, OP_PAUSE,
	OP_SHUTDOWN, OP_CLOSE, OP_DISCONNECT, OP_LINGER,
	OP_PEER_READ, OP_PEER_PAUSE, OP_PEER_SEND, OP_PEER_RCVBUF, OP_PEER_SHUTDOWN,
	OP_PEER_CLOSE, OP_PEER_RESET, NR_OPS,
};

/**
 * struct op - one operation
 * @kind: enum op_kind
 * @actor: who does it
 * @flags: MSG_* for those that write
 * @a: length or the like
 * @b: urgency, value or the like
 */
struct op {
	uint8_t		kind;
	uint8_t		actor;
	uint32_t	flags;
	uint32_t	a;
	uint32_t	b;
};

/**
 * struct program - an episode as data
 * @param: by enum param
 * @nr: operations
 * @ops: in the order in which they were made; each actor does its own in turn
 */
struct program {
	uint32_t	param[NR_PARAMS];
	uint32_t	nr;
	struct op	ops[MAX_OPS];
};

enum message_state { MESSAGE_NONE, MESSAGE_STARTED, MESSAGE_DONE };

/* &struct message.flags; what a call wrote is called a message throughout */
#define MESSAGE_WHOLE	1	/* accepted whole or not at all */
#define MESSAGE_PAGED	2	/* many calls for the module: sendfile(), splice() */
#define MESSAGE_MORE	4	/* MSG_MORE: the next call of the class continues it */
#define MESSAGE_MAYBE	8	/* as above, or it ended: a sendfile() cut short */
#define MESSAGE_LOOSE	16	/* may be dropped whole: see P_RICH */
#define MESSAGE_NO_ORDER 32	/* may go before or behind any other */

/* Classes of messages whose order the oracle knows, beside the urgencies. */
#define CLASS_PLAIN	CATS_NR_URGENCIES	/* written before the attach */
#define CLASS_UNKNOWN	(CLASS_PLAIN + 1)

/* Streams that messages are of, from 1 on. */
#define NR_STREAMS	4
#define NR_ORDERS	(CLASS_UNKNOWN + 1 + NR_STREAMS)

/**
 * struct message - an entry of the ledger
 * @len: bytes offered
 * @accepted: bytes that the call says it took
 * @start: the ledger's clock when the call began
 * @end: when it had returned
 * @seen: bytes that arrived
 * @start_us: time when the call began
 * @end_us: time when it had returned
 * @state: enum message_state
 * @flags: MESSAGE_*
 * @class: urgency, or one of the above
 * @stream: of its tag
 */
struct message {
	uint32_t	len;
	uint32_t	accepted;
	uint32_t	start;
	uint32_t	end;
	uint32_t	seen;
	uint64_t	start_us;
	uint64_t	end_us;
	uint8_t		state;
	uint8_t		flags;
	uint8_t		class;
	uint8_t		stream;
};

enum peer_end { PEER_OPEN, PEER_EOF, PEER_RESET_BY_US, PEER_GONE };

/**
 * struct ledger - what all processes of an episode share
 * @calls: system calls on the sockets, by actor
 * @doing: operation that each actor is at, for the report of a hang
 * @clock: orders calls that do not overlap
 * @tag_changes: odd while the default tag is being set
 * @tag: the default tag
 * @attached: CATS is
 * @reset_seen: a call gave ECONNRESET
 * @error_seen: a call gave an error that ends the connection
 * @error_lost: a call may have taken the error and reported a part instead
 * @we_abort: our side did something after which a reset may follow
 * @we_shut: our side shut down writing or disconnected
 * @peer_fin: the peer ended its direction
 * @peer_told: writing told the peer that the connection is gone
 * @timeouts: a send timeout was set
 * @chains_ended: when end_chains() was called last, by the ledger's clock
 * @zerocopies: calls with MSG_ZEROCOPY that accepted something
 * @completed: of them completed, by the error queue
 * @peer_end: how the stream ended for the peer
 * @stream_len: bytes the peer has read
 * @wire_bytes: of them checked
 * @failed: somebody has written @why
 * @why: what is wrong
 * @msgs: by message id
 * @stream: what the peer has read
 */
struct ledger {
	uint64_t	calls[NR_ACTORS];
	uint32_t	doing[NR_ACTORS];
	uint32_t	clock;
	uint32_t	tag_changes;
	uint32_t	tag;
	bool		attached;
	bool		reset_seen;
	bool		error_seen;
	bool		error_lost;
	bool		we_abort;
	bool		we_shut;
	bool		peer_fin;
	bool		peer_told;
	bool		timeouts;
	uint32_t	chains_ended;
	uint32_t	zerocopies;
	uint32_t	completed;
	uint32_t	peer_end;
	uint32_t	stream_len;
	uint32_t	wire_bytes;
	uint32_t	failed;
	char		why[256];
	struct message	msgs[MAX_MSGS];
	uint8_t		stream[STREAM_MAX];
};

extern struct ledger *ledger;

/* The running episode; @tx and the like are the same in all threads. */
struct episode {
	const struct program	*program;
	int			tx;
	int			keep;
	int			rx;
	int			closed;
	int			unix_pair[2];
	pid_t			tid[NR_ACTORS];
};

extern struct episode episode;

/* What a thread needs for its calls. */
struct worker {
	enum actor	actor;
	int		memfd;
	off_t		memfd_used;
	int		pipe[2];
	uint8_t		*buf;
	uint8_t		*unmapped;
};

/* program.c */
uint64_t random_next(uint64_t *state);
void program_make(struct program *p, uint64_t seed, uint32_t episode_no);
bool program_holds(const struct program *p);
void program_print(const struct program *p, FILE *f);
int program_parse(struct program *p, FILE *f);
const char *op_name(uint32_t kind);

/* oracle.c */
void oracle_init(void);
void ledger_reset(void);
void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
uint32_t ledger_tick(void);
void message_bytes(uint32_t id, uint32_t offset, const uint8_t **head,
		   uint32_t *head_len, const uint8_t **body);
void message_copy(uint32_t id, uint8_t *to, uint32_t len);
void oracle_check(void);
uint64_t oracle_accepted(bool *exact);
uint64_t now_us(void);

/* write.c */
void op_write(struct worker *w, const struct op *op, uint32_t op_no);
void end_chains(struct worker *w, int fd);

/* errqueue.c */
int errqueue_open(const struct program *p, int fd);
void errqueue_read(struct worker *w, int fd);
void errqueue_check(void);

/* option.c */
void op_option(struct worker *w, const struct op *op);
void check_info(int fd, bool drained);
bool attach_cats(int fd);
const char *conductor_name(const struct program *p);
bool is_cats(int fd, const char *conductor);

/* control.c */
void op_control(struct worker *w, const struct op *op);
void count_call(const struct worker *w);
void note_error(int err);
void expect(const struct worker *w, const struct op *op, long ret, int err,
	    const int *allowed);

/* peer.c */
void *peer_run(void *arg);

/* connection.c */
int connection_init(void);
int connection_open(const struct program *p, int *tx, int *rx);
int connection_fresh_netns(void);

/* episode.c */
bool episode_run(const struct program *p);

/* shrink.c */
void shrink(struct program *p);

#endif /* _FUZZ_H */
