// SPDX-License-Identifier: GPL-2.0
/*
 * One run of a scenario, with a connection of its own, and the proof that nothing was
 * lost.
 *
 * All bytes of an episode are of one urgency and follow one pattern, so what must
 * arrive is known to the byte: the pattern, as far as the calls accepted it.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "fault.h"

#define CAPACITY	(512 * 1024)
/* Longer than any retransmission takes, in virtual time. */
#define PATIENCE	60
#define AFTERWARDS	700

void fail(struct episode *e, const char *format, ...)
{
	va_list args;

	e->failed = true;
	printf("# %s, n=%u, times=%d: ", e->scenario->name, e->n, e->times);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

void pattern(uint8_t *buf, size_t from, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		buf[i] = ((uint32_t)(from + i) * 2654435761u) >> 13;
}

/* Judges what a call returned that may have been hit, and keeps the account. */
void outcome(struct episode *e, ssize_t ret, size_t len)
{
	const struct scenario *s = e->scenario;

	if (ret >= 0)
		e->accepted += ret;
	if (ret == (ssize_t)len)
		snprintf(e->saw, sizeof(e->saw), "success");
	else if (ret >= 0)
		snprintf(e->saw, sizeof(e->saw), "a part accepted");
	else
		snprintf(e->saw, sizeof(e->saw), "%s", strerrorname_np(errno));
	if (ret < 0 ? errno != s->refusal : ret < (ssize_t)len && !s->in_part)
		fail(e, "%zd of %zu: %s", ret, len, e->saw);
}

/* Writes the next bytes of the pattern; the caller calls outcome(). */
ssize_t write_on(struct episode *e, int urgency, size_t len, int flags)
{
	uint8_t *buf = malloc(len);
	ssize_t ret;
	int saved;

	pattern(buf, e->accepted, len);
	ret = send_tagged(e->p.tx, urgency, buf, len, flags);
	saved = errno;
	free(buf);
	errno = saved;
	return ret;
}

static void *reader_run(void *arg)
{
	struct reader *r = arg;
	uint8_t buf[8192];
	ssize_t n;

	do {
		n = recv(r->fd, buf, sizeof(buf), 0);
		pthread_mutex_lock(&r->lock);
		if (n > 0 && r->len + n <= CAPACITY) {
			memcpy(r->data + r->len, buf, n);
			r->len += n;
		} else {
			r->end = true;
		}
		pthread_cond_signal(&r->more);
		pthread_mutex_unlock(&r->lock);
	} while (!r->end);
	return NULL;
}

void start_reading(struct episode *e)
{
	struct reader *r = &e->reader;

	r->fd = e->p.rx;
	r->data = malloc(CAPACITY);
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->more, NULL);
	e->reading = !pthread_create(&r->thread, NULL, reader_run, r);
	if (!e->reading)
		die("no thread");
}

/* Waits until what was accepted has arrived, or the stream ended. */
bool wait_arrival(struct episode *e)
{
	struct reader *r = &e->reader;
	struct timespec until;
	int err = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE;
	pthread_mutex_lock(&r->lock);
	while (r->len < e->accepted && !r->end && !err)
		err = pthread_cond_timedwait(&r->more, &r->lock, &until);
	pthread_mutex_unlock(&r->lock);
	return r->len >= e->accepted;
}

static void check_arrived(struct episode *e)
{
	uint8_t *wanted;
	size_t i = 0;

	if (!wait_arrival(e))
		fail(e, "%zu of %zu bytes arrived", e->reader.len, e->accepted);
	if (e->reader.len > e->accepted)
		fail(e, "%zu bytes arrived, accepted were %zu", e->reader.len, e->accepted);
	wanted = malloc(e->accepted + 1);
	pattern(wanted, 0, e->accepted);
	while (i < e->accepted && i < e->reader.len && e->reader.data[i] == wanted[i])
		i++;
	if (i < e->accepted && i < e->reader.len)
		fail(e, "byte %zu is not the one that was written", i);
	free(wanted);
}

/* The socket works, and its queues and accounts are empty. */
static void check_socket(struct episode *e)
{
	struct cats_info info;
	ssize_t ret;

	ret = write_on(e, CATS_PRIO_BULK, AFTERWARDS, 0);
	if (ret != AFTERWARDS)
		fail(e, "afterwards: write: %zd, %s", ret, strerror(errno));
	e->accepted += ret > 0 ? ret : 0;
	check_arrived(e);
	if (!wait_queue_empty(e->p.tx))
		fail(e, "afterwards: SIOCOUTQ does not become 0");
	if (get_info(e->p.tx, &info))
		fail(e, "afterwards: no CATS_INFO: %s", strerror(errno));
	else if (info.mem_queued || queued_bytes(&info))
		fail(e, "afterwards: %u bytes charged, %llu queued", info.mem_queued,
		     (unsigned long long)queued_bytes(&info));
	else if (info.reason[0])
		fail(e, "a reason although nothing was refused by a rule: %s", info.reason);
}

/* close() is the last thing that may lose bytes. */
static void finish(struct episode *e)
{
	if (e->p.tx >= 0 && close(e->p.tx))
		fail(e, "close: %s", strerror(errno));
	e->p.tx = -1;
	pthread_join(e->reader.thread, NULL);
	check_arrived(e);
	pair_close(&e->p);
	free(e->reader.data);
}

static bool sends_after(const struct episode *e)
{
	struct cats_info info;

	/* Shut down or closed by the scenario itself? */
	return e->p.tx >= 0 && !get_info(e->p.tx, &info) &&
	       send(e->p.tx, NULL, 0, MSG_NOSIGNAL) == 0;
}

void run_episode(struct episode *e)
{
	const struct scenario *s = e->scenario;
	struct timeval patience = { .tv_sec = PATIENCE };

	if (pair_open(&e->p, AF_INET))
		die("no connection: %s", strerror(errno));
	setsockopt(e->p.rx, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (s->prepare)
		s->prepare(e);
	s->act(e);
	if (!e->reading)
		start_reading(e);
	check_arrived(e);
	if (sends_after(e))
		check_socket(e);
	finish(e);
}
