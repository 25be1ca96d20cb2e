/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Fault injection: what the files of the driver offer each other.
 *
 * A *scenario* does one thing with a socket while a chosen allocation of the module
 * fails.  It is run again and again, each time as an *episode* with a connection and
 * a thread of its own, and each time a later allocation fails, until there was none
 * left to fail.  After each fault the episode proves that nothing was lost: every
 * accepted byte arrives once and in order, the socket works, its queues and its
 * accounts are empty in the end.
 */
#ifndef _FAULT_H
#define _FAULT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "../cats_test.h"

/* Kinds of faults, a mask. */
enum {
	FAULT_SLAB	= 1 << 0,	/* kmalloc() and the like */
	FAULT_PAGE	= 1 << 1,	/* page allocator */
	FAULT_COPY	= 1 << 2,	/* copies from and to user space */
	FAULT_CHARGE	= 1 << 3,	/* the account of TCP's memory is full */
};

/* Where allocations fail. */
enum where {
	IN_CALL,	/* the n-th of the calling task */
	ANYWHERE,	/* in softirq, too; the first after so many bytes */
	IN_ACCOUNT,	/* charges, by what the scenario leaves in the account: charge.c */
};

#define FOR_EVER	1000000

struct episode;

/**
 * struct scenario - something that is done while an allocation fails
 * @name: of the test
 * @kinds: what fails
 * @where: and where
 * @only: fail below this function alone; NULL for all of the module
 * @times: how many allocations fail, one after the other: a sweep for each, up to 0
 * @refusal: errno with which the call may refuse; 0 if it must succeed
 * @in_part: it may also accept a part
 * @no_fault: no allocation that could fail may be there
 * @prepare: before the faults; may be NULL.  The episode is connected.
 * @act: what is done; says what the caller saw, see outcome()
 */
struct scenario {
	const char	*name;
	unsigned int	kinds;
	enum where	where;
	const char	*only;
	int		times[4];
	int		refusal;
	bool		in_part;
	bool		no_fault;
	void		(*prepare)(struct episode *e);
	void		(*act)(struct episode *e);
};

/**
 * struct reader - a thread that reads all that arrives at a socket
 * @thread: to join
 * @lock: for all below
 * @more: something has come
 * @fd: socket
 * @data: what came
 * @len: its bytes
 * @end: no more will come
 */
struct reader {
	pthread_t	thread;
	pthread_mutex_t	lock;
	pthread_cond_t	more;
	int		fd;
	uint8_t		*data;
	size_t		len;
	bool		end;
};

/**
 * struct episode - one run of a scenario
 * @scenario: which
 * @n: the n-th allocation fails
 * @times: and how many
 * @p: connection
 * @reader: at the receiving end
 * @reading: it was started
 * @accepted: bytes that the calls accepted so far
 * @saw: what the caller saw
 * @hit: there was a fault, as fail-nth tells
 * @failed: something was not as it must be
 */
struct episode {
	const struct scenario	*scenario;
	unsigned int		n;
	int			times;
	struct pair		p;
	struct reader		reader;
	bool			reading;
	size_t			accepted;
	char			saw[64];
	bool			hit;
	bool			failed;
};

/* scenarios.c */
extern const struct scenario scenarios[];

/* episode.c */
void fail(struct episode *e, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void outcome(struct episode *e, ssize_t ret, size_t len);
ssize_t write_on(struct episode *e, int urgency, size_t len, int flags);
void pattern(uint8_t *buf, size_t from, size_t len);
void start_reading(struct episode *e);
bool wait_arrival(struct episode *e);
void run_episode(struct episode *e);

/* inject.c */
void inject_setup(void);
void inject_select(const struct scenario *s);
void inject_arm(const struct episode *e);
bool inject_disarm(const struct episode *e);
void inject_module_init(unsigned int n);
bool inject_task_done(void);

/* charge.c */
void charge_setup(void);
void charge_reserve(const struct episode *e, int bytes);
void charge_filler(struct episode *e, size_t len);
void charge_leave(struct episode *e, int bytes);
int charge_of_message(struct episode *e);
void skb_per_fragment(bool on);
void charge_fill(void);
void charge_free(void);

/* trace.c */
void trace_setup(void);
unsigned int trace_faults(const struct episode *e, FILE *out);
bool trace_saw(const char *symbol);
unsigned int trace_pages_missing(unsigned int *seen);

/* load.c */
int load_sweep(const char *file, FILE *out);

/* files.c */
void put(const char *path, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
FILE *must_open(const char *path, const char *mode);
void die(const char *format, ...)
	__attribute__((format(printf, 1, 2), noreturn));
uint64_t symbol_range(const char *name, uint64_t *end);
uint64_t module_range(uint64_t *end);

#endif /* _FAULT_H */
