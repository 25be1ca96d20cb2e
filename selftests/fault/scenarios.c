// SPDX-License-Identifier: GPL-2.0
/* What is done while an allocation fails. */
#include <errno.h>
#include <fcntl.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/tcp.h>

#include "fault.h"

#define URGENCY		CATS_PRIO_BULK
#define SMALL		1000
/* More fragments than fit the first chunk: a page fragment is 32 KiB at most. */
#define LARGE		150000
#define MEDIUM		40000
#define BACKLOG		12

static void do_attach(struct episode *e)
{
	if (attach(e->p.tx))
		die("cannot attach: %s", strerror(errno));
}

/* Messages that wait: nobody reads, and the window closes. */
static void backlog(struct episode *e)
{
	struct cats_info info;
	int i;

	do_attach(e);
	for (i = 0; i < BACKLOG; i++) {
		if (write_on(e, URGENCY, SMALL, MSG_DONTWAIT) != SMALL)
			die("cannot queue: %s", strerror(errno));
		e->accepted += SMALL;
	}
	if (get_info(e->p.tx, &info) || !queued_bytes(&info))
		die("nothing is queued");
}

static void attach_and_read(struct episode *e)
{
	do_attach(e);
	start_reading(e);
}

/* The call that was hit has returned @ret and errno: keeps an account of it. */
static void hit_over(struct episode *e, ssize_t ret, size_t len)
{
	int saved = errno;

	e->hit = inject_disarm(e);
	errno = saved;
	outcome(e, ret, len);
}

/* The call that is hit, and an account of it. */
static void hit_write(struct episode *e, int urgency, size_t len, int flags)
{
	ssize_t ret;

	inject_arm(e);
	ret = write_on(e, urgency, len, flags);
	hit_over(e, ret, len);
}

static void act_attach(struct episode *e)
{
	int ret;

	inject_arm(e);
	ret = attach(e->p.tx);
	hit_over(e, ret, 0);
	/* A refusal changed nothing: it can be done again. */
	if (ret)
		do_attach(e);
}

/* A connection comes in at a CATS listener; without memory it is a plain one. */
static void act_clone(struct episode *e)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct sockaddr *address = (struct sockaddr *)&sin;
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof(sin);
	struct cats_info info;

	pair_close(&e->p);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	e->p.rx = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, address, len) || listen(listener, 1) ||
	    getsockname(listener, address, &len) || attach(listener))
		die("no listener: %s", strerror(errno));
	inject_arm(e);
	if (connect(e->p.rx, address, len))
		fail(e, "connect: %s", strerror(errno));
	inject_disarm(e);
	e->p.tx = accept(listener, NULL, NULL);
	close(listener);
	if (get_info(e->p.tx, &info)) {
		snprintf(e->saw, sizeof(e->saw), "a plain socket");
		/* One that can become ours. */
		do_attach(e);
	} else {
		snprintf(e->saw, sizeof(e->saw), "success");
	}
}

static void prepare_stamped(struct episode *e)
{
	int stamps = SOF_TIMESTAMPING_TX_ACK | SOF_TIMESTAMPING_SOFTWARE |
		     SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY;

	do_attach(e);
	if (setsockopt(e->p.tx, SOL_SOCKET, SO_TIMESTAMPING, &stamps, sizeof(stamps)))
		die("no time stamps: %s", strerror(errno));
}

static void prepare_zerocopy(struct episode *e)
{
	int on = 1;

	do_attach(e);
	if (setsockopt(e->p.tx, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof(on)))
		die("no SO_ZEROCOPY: %s", strerror(errno));
}

/* The pages stay as they are until all of them have arrived. */
static ssize_t write_zerocopy(struct episode *e)
{
	static uint8_t buf[LARGE];

	pattern(buf, e->accepted, LARGE);
	return send_tagged(e->p.tx, URGENCY, buf, LARGE, MSG_DONTWAIT | MSG_ZEROCOPY);
}

static ssize_t write_tag(struct episode *e, const struct cats_tag *tag)
{
	uint8_t buf[SMALL];

	pattern(buf, e->accepted, SMALL);
	return send_cmsg(e->p.tx, buf, SMALL, SOL_CATS, CATS_TAG, tag, sizeof(*tag),
			 MSG_DONTWAIT);
}

static ssize_t write_noted(struct episode *e)
{
	struct cats_tag tag = { .urgency = URGENCY, .notify = CATS_NOTIFY_ALL };

	return write_tag(e, &tag);
}

/* In a stream that is not there yet, and with a name. */
static void act_named(struct episode *e)
{
	struct cats_tag tag = { .urgency = URGENCY, .stream = 3, .cookie = 4 };

	inject_arm(e);
	hit_over(e, write_tag(e, &tag), SMALL);
}

static void act_list_policies(struct episode *e)
{
	int fd = open("/proc/sys/net/cats/available_conductors", O_RDONLY);
	char names[200];
	ssize_t n;

	inject_arm(e);
	n = read(fd, names, sizeof(names));
	hit_over(e, n < 0 ? -1 : 0, 0);
	close(fd);
}

static void act_zerocopy(struct episode *e)
{
	ssize_t ret;

	inject_arm(e);
	ret = write_zerocopy(e);
	hit_over(e, ret, LARGE);
}

/* How many notices are lost is the whole effect of a fault. */
static void expect_lost(struct episode *e, bool lost)
{
	struct cats_info info;

	if (get_info(e->p.tx, &info) || info.notices_lost != lost)
		fail(e, "%u notices were lost, not %d", info.notices_lost, lost);
}

static void act_notice(struct episode *e)
{
	inject_arm(e);
	hit_over(e, write_noted(e), SMALL);
	expect_lost(e, e->hit);
}

/* That TCP has transmitted it, or that it was acknowledged, is told to nobody. */
static void act_notice_by_acks(struct episode *e)
{
	inject_arm(e);
	outcome(e, write_noted(e), SMALL);
	if (!wait_arrival(e) || !wait_queue_empty(e->p.tx))
		fail(e, "%zu of %zu bytes arrived", e->reader.len, e->accepted);
	inject_disarm(e);
	expect_lost(e, e->n <= 2);
	snprintf(e->saw, sizeof(e->saw), "nothing: no notice");
}

static void act_tagged(struct episode *e)
{
	hit_write(e, URGENCY, SMALL, MSG_DONTWAIT);
}

static void act_tagged_blocking(struct episode *e)
{
	hit_write(e, URGENCY, SMALL, 0);
}

static void act_tagged_medium(struct episode *e)
{
	hit_write(e, URGENCY, MEDIUM, MSG_DONTWAIT);
}

static void act_tagged_large(struct episode *e)
{
	hit_write(e, URGENCY, LARGE, MSG_DONTWAIT);
}

static void act_tagged_large_blocking(struct episode *e)
{
	hit_write(e, URGENCY, LARGE, 0);
}

/* The default tag: what is written without one is of the episode's urgency, too. */
static void prepare_untagged(struct episode *e)
{
	struct cats_tag tag = { .urgency = URGENCY };

	do_attach(e);
	if (setsockopt(e->p.tx, SOL_CATS, CATS_TAG, &tag, sizeof(tag)))
		die("cannot set the tag: %s", strerror(errno));
}

static void prepare_untagged_and_read(struct episode *e)
{
	prepare_untagged(e);
	start_reading(e);
}

static void act_untagged(struct episode *e)
{
	hit_write(e, UNTAGGED, MEDIUM, MSG_DONTWAIT);
}

/* How much of a burst TCP grants to short round-trip times: all of it, or none. */
static void grant_bursts(bool all)
{
	int fd = open("/proc/sys/net/ipv4/tcp_tso_rtt_log", O_WRONLY);

	if (write(fd, all ? "31" : "0", all ? 2 : 1) < 0)
		die("cannot set the burst: %s", strerror(errno));
	close(fd);
}

/* Nothing waits, and it is one burst: it goes to TCP directly. */
static void act_pass(struct episode *e)
{
	grant_bursts(true);
	hit_write(e, UNTAGGED, MEDIUM, MSG_DONTWAIT);
	grant_bursts(false);
}

static void act_untagged_blocking(struct episode *e)
{
	hit_write(e, UNTAGGED, LARGE, 0);
}

/* A file with the next bytes of the pattern. */
static int pattern_file(const struct episode *e, size_t len)
{
	int fd = memfd_create("pattern", 0);
	uint8_t *data;

	if (fd < 0 || ftruncate(fd, len))
		die("no file: %s", strerror(errno));
	data = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED)
		die("no mapping: %s", strerror(errno));
	pattern(data, e->accepted, len);
	munmap(data, len);
	return fd;
}

static void hit_sendfile(struct episode *e)
{
	int fd = pattern_file(e, MEDIUM), saved;
	ssize_t ret;

	inject_arm(e);
	ret = sendfile(e->p.tx, fd, NULL, MEDIUM);
	saved = errno;
	e->hit = inject_disarm(e);
	errno = saved;
	outcome(e, ret, MEDIUM);
	close(fd);
}

static void act_sendfile(struct episode *e)
{
	fcntl(e->p.tx, F_SETFL, O_NONBLOCK);
	hit_sendfile(e);
	fcntl(e->p.tx, F_SETFL, 0);
}

static void act_sendfile_blocking(struct episode *e)
{
	hit_sendfile(e);
}

static void act_splice(struct episode *e)
{
	int pipe_fds[2], fd = pattern_file(e, MEDIUM), saved;
	ssize_t ret;

	if (pipe(pipe_fds) ||
	    splice(fd, NULL, pipe_fds[1], NULL, MEDIUM, 0) != MEDIUM)
		die("no pipe: %s", strerror(errno));
	inject_arm(e);
	ret = splice(pipe_fds[0], NULL, e->p.tx, NULL, MEDIUM, SPLICE_F_NONBLOCK);
	saved = errno;
	e->hit = inject_disarm(e);
	errno = saved;
	outcome(e, ret, MEDIUM);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	close(fd);
}

static void check_unchanged(struct episode *e)
{
	char name[CATS_CONDUCTOR_NAME_MAX] = "";
	socklen_t len = sizeof(name);
	struct cats_tag tag = {};

	if (getsockopt(e->p.tx, SOL_CATS, CATS_CONDUCTOR, name, &len) ||
	    strcmp(name, "bounded"))
		fail(e, "a refused option changed the Conductor: %s", name);
	len = sizeof(tag);
	if (getsockopt(e->p.tx, SOL_CATS, CATS_TAG, &tag, &len) ||
	    tag.urgency != CATS_URGENCY_DEFAULT)
		fail(e, "a refused option changed the tag: %u", tag.urgency);
}

/* The n-th of several calls is hit; the first that fails is what counts. */
static void act_setsockopt(struct episode *e)
{
	struct cats_tag tag = { .urgency = CATS_URGENCY_DEFAULT };
	int ret;

	inject_arm(e);
	ret = setsockopt(e->p.tx, SOL_CATS, CATS_TAG, &tag, sizeof(tag));
	if (!ret)
		ret = set_conductor(e->p.tx, "strict");
	hit_over(e, ret, 0);
	if (ret)
		check_unchanged(e);
}

static void act_getsockopt(struct episode *e)
{
	struct cats_info info;
	int ret;

	inject_arm(e);
	ret = get_info(e->p.tx, &info);
	hit_over(e, ret, 0);
}

/* Of the machine, where this episode's is the only socket. */
static long feeder_failures(void)
{
	return cats_counter("CatsFeedNoMemory");
}

/* What the Feeder did not get, of @before and now: the socket and its namespace agree. */
static void check_feeder_failures(struct episode *e, long before)
{
	long counted = feeder_failures() - before;
	struct cats_info info;

	if (get_info(e->p.tx, &info))
		die("CATS_INFO: %s", strerror(errno));
	if (before < 0 || counted != info.alloc_failures)
		fail(e, "CatsFeedNoMemory is %ld, alloc_failures %u", counted,
		     info.alloc_failures);
}

/* What is queued goes when ACKs come; the memory that it takes is not there. */
static void act_drain_by_acks(struct episode *e)
{
	long before = feeder_failures();

	inject_arm(e);
	start_reading(e);
	if (!wait_arrival(e))
		fail(e, "%zu of %zu bytes arrived", e->reader.len, e->accepted);
	e->hit = inject_disarm(e);
	snprintf(e->saw, sizeof(e->saw), "nothing: sent later");
	check_feeder_failures(e, before);
}

/* Nothing is in flight: only the timer can try again. */
static void act_first_feed(struct episode *e)
{
	long before = feeder_failures();

	start_reading(e);
	inject_arm(e);
	outcome(e, write_on(e, URGENCY, SMALL, MSG_DONTWAIT), SMALL);
	if (!wait_arrival(e))
		fail(e, "%zu of %zu bytes arrived", e->reader.len, e->accepted);
	e->hit = inject_disarm(e);
	check_feeder_failures(e, before);
	/* Nothing was appended before it failed, so the Feeder has noticed. */
	if (e->hit && feeder_failures() == before)
		fail(e, "CatsFeedNoMemory has not counted");
}

/*
 * All that waits must go into TCP at once, and nothing of it fits the skb that is
 * there: each message has a page of its own.
 */
static void prepare_drain(struct episode *e)
{
	struct cats_info info;
	int i;

	do_attach(e);
	for (i = 0; i < BACKLOG; i++)
		charge_filler(e, SMALL);
	if (get_info(e->p.tx, &info) || queued_bytes(&info) < 2 * SMALL)
		die("too little is queued");
	skb_per_fragment(true);
}

static void act_shutdown(struct episode *e)
{
	int ret;

	inject_arm(e);
	ret = shutdown(e->p.tx, SHUT_WR);
	inject_disarm(e);
	skb_per_fragment(false);
	outcome(e, ret, 0);
}

static void act_close(struct episode *e)
{
	int ret;

	inject_arm(e);
	ret = close(e->p.tx);
	e->p.tx = -1;
	inject_disarm(e);
	skb_per_fragment(false);
	outcome(e, ret, 0);
}

/* The window closes, and from then on nothing moves from queue to queue. */
static void fill_window(struct episode *e)
{
	struct cats_info info;

	do {
		charge_filler(e, SMALL);
		if (!wait_settled(e->p.tx) || get_info(e->p.tx, &info))
			die("no TCP_INFO or CATS_INFO: %s", strerror(errno));
	} while (!queued_bytes(&info));
}

static void prepare_charge(struct episode *e)
{
	do_attach(e);
	charge_reserve(e, 2 * LARGE);
	fill_window(e);
}

/*
 * The charges of a large message: itself, and fragment by fragment, 32 KiB each; the
 * fifth needs a chunk.  What is left in the account is enough for the first n - 1 of
 * these.
 */
static void act_charge(struct episode *e)
{
	static const int enough_for_fragments[] = {
		100, 32768 + 100, 2 * 32768 + 100, 3 * 32768 + 100, 4 * 32768 + 32,
		4 * 32768 + 300, LARGE + 4096,
	};
	int message = charge_of_message(e), saved;
	ssize_t ret;

	charge_leave(e, e->n > 1 ? message + enough_for_fragments[e->n - 2] : 0);
	charge_fill();
	ret = write_on(e, URGENCY, LARGE, MSG_DONTWAIT);
	saved = errno;
	charge_free();
	errno = saved;
	outcome(e, ret, LARGE);
}

static void prepare_charge_zerocopy(struct episode *e)
{
	prepare_zerocopy(e);
	charge_reserve(e, 2 * LARGE);
	fill_window(e);
}

/* The same of user pages, at the first of them and at the last. */
static void act_charge_zerocopy(struct episode *e)
{
	static const int enough_for_pages[] = { 100, LARGE - 2000, LARGE + 8192 };
	int message = charge_of_message(e), saved;
	ssize_t ret;

	charge_leave(e, e->n > 1 ? message + enough_for_pages[e->n - 2] : 0);
	charge_fill();
	ret = write_zerocopy(e);
	saved = errno;
	charge_free();
	errno = saved;
	outcome(e, ret, LARGE);
}

/*
 * An skb for each of many small messages: TCP itself forces a page into the account
 * as it cuts the first one, and that is enough for two or three.
 */
static void prepare_charge_by_acks(struct episode *e)
{
	int small = 20;

	do_attach(e);
	charge_reserve(e, MEDIUM);
	fill_window(e);
	while (small--)
		charge_filler(e, 100);
	charge_leave(e, (e->n - 1) * 4 * SMALL);
}

/* The account stays full until all has arrived: what ACKs free must do. */
static void act_charge_by_acks(struct episode *e)
{
	charge_fill();
	start_reading(e);
	if (!wait_arrival(e))
		fail(e, "%zu of %zu bytes arrived", e->reader.len, e->accepted);
	charge_free();
	snprintf(e->saw, sizeof(e->saw), "nothing: sent later");
}

#define MEMORY	(FAULT_SLAB | FAULT_PAGE)

const struct scenario scenarios[] = {
	{ .name = "attach", .kinds = FAULT_SLAB, .times = { 1 },
	  .refusal = ENOMEM, .act = act_attach },
	{ .name = "clone", .kinds = FAULT_SLAB, .where = ANYWHERE,
	  .only = "cats_ulp_clone", .times = { 1 }, .act = act_clone },
	{ .name = "tagged", .kinds = MEMORY, .times = { 1, 2, FOR_EVER },
	  .refusal = EAGAIN, .prepare = do_attach, .act = act_tagged },
	{ .name = "tagged_blocking", .kinds = MEMORY, .times = { 1, 2, 20 },
	  .prepare = do_attach, .act = act_tagged_blocking },
	{ .name = "tagged_large", .kinds = MEMORY, .times = { 1, 2 },
	  .refusal = EAGAIN, .prepare = do_attach, .act = act_tagged_large },
	{ .name = "tagged_large_blocking", .kinds = MEMORY, .times = { 2 },
	  .prepare = attach_and_read, .act = act_tagged_large_blocking },
	{ .name = "untagged", .kinds = MEMORY, .times = { 1, 2, FOR_EVER },
	  .refusal = EAGAIN, .in_part = true, .prepare = prepare_untagged,
	  .act = act_untagged },
	{ .name = "pass", .kinds = MEMORY, .times = { 1, 2 }, .refusal = EAGAIN,
	  .in_part = true, .prepare = do_attach, .act = act_pass },
	{ .name = "untagged_blocking", .kinds = MEMORY, .times = { 1, 2 },
	  .prepare = prepare_untagged_and_read, .act = act_untagged_blocking },
	{ .name = "sendfile", .kinds = MEMORY, .times = { 1, 2 },
	  .refusal = EAGAIN, .in_part = true, .prepare = prepare_untagged,
	  .act = act_sendfile },
	{ .name = "sendfile_blocking", .kinds = MEMORY, .times = { 2 },
	  .prepare = prepare_untagged_and_read, .act = act_sendfile_blocking },
	{ .name = "splice", .kinds = MEMORY, .times = { 2 },
	  .refusal = EAGAIN, .in_part = true, .prepare = prepare_untagged,
	  .act = act_splice },
	{ .name = "stamped", .kinds = FAULT_SLAB, .times = { 1 },
	  .refusal = EAGAIN, .prepare = prepare_stamped, .act = act_tagged },
	{ .name = "zerocopy", .kinds = FAULT_SLAB, .only = "cats_txmsg_pin",
	  .times = { 1, 2 }, .refusal = EAGAIN, .prepare = prepare_zerocopy, .act = act_zerocopy },
	{ .name = "zerocopy_notice", .kinds = FAULT_SLAB, .only = "msg_zerocopy_realloc",
	  .times = { 1 }, .refusal = ENOBUFS,
	  .prepare = prepare_zerocopy, .act = act_zerocopy },
	{ .name = "named", .kinds = FAULT_SLAB, .times = { 1, FOR_EVER },
	  .refusal = EAGAIN, .prepare = do_attach, .act = act_named },
	{ .name = "list_policies", .kinds = FAULT_SLAB, .times = { 1 },
	  .refusal = ENOMEM, .prepare = do_attach, .act = act_list_policies },
	{ .name = "notice", .kinds = FAULT_SLAB, .only = "cats_notice_begun",
	  .times = { 1 }, .prepare = do_attach, .act = act_notice },
	{ .name = "notice_by_acks", .kinds = FAULT_SLAB, .where = ANYWHERE,
	  .only = "cats_notice_progress", .times = { 1 },
	  .prepare = attach_and_read, .act = act_notice_by_acks },
	{ .name = "copy_tagged", .kinds = FAULT_COPY, .times = { 1 },
	  .refusal = EFAULT, .prepare = do_attach, .act = act_tagged_medium },
	{ .name = "copy_untagged", .kinds = FAULT_COPY, .times = { 1 },
	  .refusal = EFAULT, .in_part = true, .prepare = prepare_untagged,
	  .act = act_untagged },
	{ .name = "copy_setsockopt", .kinds = FAULT_COPY, .times = { 1 },
	  .refusal = EFAULT, .prepare = do_attach, .act = act_setsockopt },
	{ .name = "copy_getsockopt", .kinds = FAULT_COPY, .times = { 1 },
	  .refusal = EFAULT, .prepare = do_attach, .act = act_getsockopt },
	{ .name = "drain_by_acks", .kinds = FAULT_SLAB, .where = ANYWHERE,
	  .only = "cats_append", .times = { 1, 5 },
	  .prepare = backlog, .act = act_drain_by_acks },
	{ .name = "first_feed", .kinds = FAULT_SLAB, .where = ANYWHERE,
	  .only = "cats_append", .times = { 1, 2, 7 },
	  .prepare = do_attach, .act = act_first_feed },
	{ .name = "shutdown", .kinds = MEMORY, .where = ANYWHERE, .times = { 3 },
	  .no_fault = true, .prepare = prepare_drain, .act = act_shutdown },
	{ .name = "close", .kinds = MEMORY, .where = ANYWHERE, .times = { 3 },
	  .no_fault = true, .prepare = prepare_drain, .act = act_close },
	{ .name = "charge", .kinds = FAULT_CHARGE, .where = IN_ACCOUNT, .times = { 1 },
	  .refusal = EAGAIN, .prepare = prepare_charge, .act = act_charge },
	{ .name = "charge_zerocopy", .kinds = FAULT_CHARGE, .where = IN_ACCOUNT,
	  .times = { 1 }, .refusal = EAGAIN, .prepare = prepare_charge_zerocopy,
	  .act = act_charge_zerocopy },
	{ .name = "charge_by_acks", .kinds = FAULT_CHARGE, .where = IN_ACCOUNT,
	  .times = { 1 }, .prepare = prepare_charge_by_acks, .act = act_charge_by_acks },
	{ }
};
