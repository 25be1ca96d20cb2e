// SPDX-License-Identifier: GPL-2.0
/*
 * One episode: connect, attach, let the actors do their parts, end the
 * connection, ask the oracle.  In a process of its own, watched from outside.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/sockios.h>

#include "fuzz.h"

/*
 * Seconds without a call that returns.  A blocked writer may have to wait for probes
 * of a closed window, 120 s apart, several if the path loses them; and BBR, which
 * takes the rate of a peer that hardly reads for that of the path, paces segments
 * minutes apart.  Virtual time costs nothing, and what is stuck is stuck for ever.
 */
#define HANG_SECONDS	3000
/* Until what was written has been acknowledged, or the end was noticed. */
#define SETTLE_SECONDS	3000
/* An unfinished message ends by itself after this. */
#define MORE_CEILING_US	250000
/* Without a call that returns, until unfinished messages are ended. */
#define ENDER_US	5000000

struct episode episode;

static struct worker workers[NR_ACTORS];

static void worker_init(struct worker *w, enum actor actor)
{
	w->actor = actor;
	w->memfd = memfd_create("fuzz", 0);
	w->buf = mmap(NULL, MAX_LEN + 4096, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	w->unmapped = mmap(NULL, MAX_LEN, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (w->memfd < 0 || pipe2(w->pipe, 04000 /* O_NONBLOCK */))
		fail("no file descriptors: error %d", errno);
}

static void do_op(struct worker *w, uint32_t op_no)
{
	const struct op *op = &episode.program->ops[op_no];

	__atomic_store_n(&ledger->doing[w->actor], op_no + 1, __ATOMIC_RELAXED);
	op_write(w, op, op_no);
	op_option(w, op);
	op_control(w, op);
}

/* The operations that go before the attach: plain writes of the first thread. */
static bool in_prelude(uint32_t op_no)
{
	const struct op *ops = episode.program->ops;

	return op_no < episode.program->param[P_PRELUDE] &&
	       ops[op_no].actor == ACTOR_MAIN && ops[op_no].kind <= OP_WRITE;
}

static void run_ops(struct worker *w)
{
	const struct program *p = episode.program;
	uint32_t i;

	for (i = 0; i < p->nr; i++)
		if (p->ops[i].actor == w->actor && !in_prelude(i))
			do_op(w, i);
	ledger->doing[w->actor] = MAX_OPS + 1;
}

static void *thread_run(void *arg)
{
	struct worker *w = arg;

	episode.tid[w->actor] = syscall(SYS_gettid);
	run_ops(w);
	return NULL;
}

static pid_t start_child(void)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	/* A close by the peer must be the last one. */
	close(episode.rx);
	run_ops(&workers[ACTOR_CHILD]);
	_exit(0);
}

static void prelude(void)
{
	uint32_t i;

	for (i = 0; i < episode.program->nr; i++)
		if (in_prelude(i))
			do_op(&workers[ACTOR_MAIN], i);
}

/* Before connect(), or on the listener, which hands it down. */
static void check_attached(const char *name)
{
	int fd = episode.tx;

	count_call(&workers[ACTOR_MAIN]);
	if (attach_cats(fd))
		fail("attached twice");
	else if (errno != EEXIST)
		fail("TCP_ULP after an attach before: error %d (%s)", errno, strerror(errno));
	if (episode.program->param[P_ACCEPTED] && !is_cats(fd, name))
		fail("accepted from a CATS listener, and not as the listener was");
}

static bool attach(void)
{
	const char *name = conductor_name(episode.program);

	if (episode.program->param[P_ATTACH] == ATTACH_BEFORE) {
		check_attached(name);
		ledger->attached = true;
		return true;
	}
	count_call(&workers[ACTOR_MAIN]);
	if (!attach_cats(episode.tx)) {
		/* The peer may have left already. */
		if (errno != ENOTCONN || !ledger->peer_fin)
			fail("TCP_ULP: error %d (%s)", errno, strerror(errno));
		return false;
	}
	ledger->attached = true;
	count_call(&workers[ACTOR_MAIN]);
	setsockopt(episode.tx, SOL_CATS, CATS_CONDUCTOR, name, strlen(name));
	return true;
}

static void signal_ignored(int sig)
{
}

static void set_timer(uint32_t us)
{
	struct itimerval tv = {
		.it_interval = { .tv_usec = us }, .it_value = { .tv_usec = us },
	};

	setitimer(ITIMER_REAL, &tv, NULL);
}

/* Signals interrupt calls: no SA_RESTART. */
static void set_signals(void)
{
	struct sigaction sa = { .sa_handler = signal_ignored };
	sigset_t none;

	sigaction(SIGALRM, &sa, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void nap(uint32_t us)
{
	struct timespec ts = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };

	nanosleep(&ts, NULL);
}

/* Of the program: the calls of the ender are none. */
static uint64_t progress(void)
{
	uint64_t sum = ledger->stream_len;
	uint32_t i;

	for (i = 0; i < ACTOR_ENDER; i++)
		sum += ledger->calls[i];
	return sum;
}

/*
 * Unfinished messages, all tagged, wait for their end, and others for the room that
 * they take: an application that does that has to end them, from another thread.
 */
static void *ender_run(void *arg)
{
	uint64_t before = 0, now;

	for (;;) {
		nap(ENDER_US);
		now = progress();
		if (now == before && program_holds(episode.program))
			end_chains(arg, episode.tx);
		before = now;
	}
	return NULL;
}

static void actors_run(void)
{
	const uint32_t *param = episode.program->param;
	uint32_t i, nr = param[P_THREADS];
	pthread_t threads[MAX_THREADS], ender;
	pid_t child = 0;

	if (param[P_CHILD])
		child = start_child();
	pthread_create(&ender, NULL, ender_run, &workers[ACTOR_ENDER]);
	set_timer(param[P_TIMER_US]);
	for (i = 0; i < nr && i < MAX_THREADS; i++)
		pthread_create(&threads[i], NULL, thread_run, &workers[i]);
	if (param[P_CHILD] == CHILD_KILLED) {
		nap(param[P_IDLE_US]);
		/* The result of the call that it dies in is lost. */
		ledger->error_lost = true;
		kill(child, SIGKILL);
	}
	while (i-- > 0)
		pthread_join(threads[i], NULL);
	while (child && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	set_timer(0);
	pthread_cancel(ender);
	pthread_join(ender, NULL);
}

/* Everybody has written: with a peer that reads the queues become empty. */
static void check_drained(void)
{
	struct worker *w = &workers[ACTOR_MAIN];
	uint64_t slept = 0;
	uint32_t us = 500;
	int left = 1;

	if (program_holds(episode.program))
		end_chains(w, episode.keep);
	while (!ledger->failed && !ledger->peer_fin) {
		count_call(w);
		if (ioctl(episode.keep, SIOCOUTQ, &left) || !left)
			break;
		nap(us);
		slept += us;
		us = us < 100000 ? us * 2 : us;
		if (slept > SETTLE_SECONDS * 1000000ull) {
			fail("%d bytes were not sent within %d s", left, SETTLE_SECONDS);
			return;
		}
	}
	count_call(w);
	if (ledger->peer_fin)
		return;
	/* Others have ended by themselves by then. */
	nap(2 * MORE_CEILING_US);
	check_info(episode.keep, true);
	errqueue_read(w, episode.keep);
	errqueue_check();
}

/*
 * The peer has left, and not everything that was accepted can have been read.
 * Was our side told?  Writing once more draws a reset if that was lost.
 */
static void check_told(void)
{
	struct worker *w = &workers[ACTOR_MAIN];
	struct pollfd pfd = { .fd = episode.keep };
	socklen_t len = sizeof(int);
	int tries, err = 0;
	bool exact;

	/* What is missing may have been dropped. */
	if (oracle_accepted(&exact) <= ledger->stream_len || !exact ||
	    episode.program->param[P_RICH])
		return;
	for (tries = 0; tries < SETTLE_SECONDS; tries++) {
		/* What is in there makes poll() tell of an error. */
		errqueue_read(w, episode.keep);
		count_call(w);
		if (poll(&pfd, 1, 1000) > 0 && pfd.revents & POLLHUP)
			break;
		count_call(w);
		if (send(episode.keep, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			note_error(errno);
	}
	count_call(w);
	getsockopt(episode.keep, SOL_SOCKET, SO_ERROR, &err, &len);
	note_error(err);
	if (!(pfd.revents & POLLHUP))
		fail("the peer has left, data is lost, and poll() does not tell");
	else if (!ledger->reset_seen && !ledger->error_lost)
		fail("the peer has reset, data is lost, and no call gave ECONNRESET");
}

static void close_all(void)
{
	struct worker *w = &workers[ACTOR_MAIN];

	count_call(w);
	close(episode.tx);
	if (episode.keep >= 0) {
		count_call(w);
		close(episode.keep);
	}
	/* With what is on its way between the two. */
	close(episode.unix_pair[0]);
	close(episode.unix_pair[1]);
}

static void finish(enum final final)
{
	struct linger linger = { .l_onoff = 1, .l_linger = final == FINAL_LINGER ? 5 : 0 };
	struct sockaddr unspec = { .sa_family = AF_UNSPEC };
	int fd = episode.keep >= 0 ? episode.keep : episode.tx;

	ledger->we_shut = true;
	count_call(&workers[ACTOR_MAIN]);
	switch (final) {
	case FINAL_RESET:
		ledger->we_abort = true;
		__attribute__((fallthrough));
	case FINAL_LINGER:
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
		break;
	case FINAL_SHUTDOWN:
		shutdown(fd, SHUT_WR);
		break;
	case FINAL_DISCONNECT:
		ledger->we_abort = true;
		connect(fd, &unspec, sizeof(unspec));
		break;
	default:
		break;
	}
	close_all();
}

static void check_end(void)
{
	oracle_check();
	if (ledger->peer_end == PEER_RESET_BY_US && !ledger->we_abort)
		fail("the peer got a reset for no reason");
}

static void episode_main(const struct program *p)
{
	pthread_t peer;
	uint32_t i;

	episode.program = p;
	episode.keep = -1;
	set_signals();
	if (p->param[P_NETNS] && connection_fresh_netns()) {
		fail("no network namespace: error %d", errno);
		return;
	}
	if (connection_open(p, &episode.tx, &episode.rx) ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, episode.unix_pair)) {
		fail("no connection: error %d", errno);
		return;
	}
	if (p->param[P_KEEP])
		episode.keep = dup(episode.tx);
	for (i = 0; i < NR_ACTORS; i++)
		worker_init(&workers[i], i);
	pthread_create(&peer, NULL, peer_run, &workers[ACTOR_PEER]);
	prelude();
	if (attach() && errqueue_open(p, episode.tx))
		fail("SO_ZEROCOPY or SO_TIMESTAMPING: error %d", errno);
	if (ledger->attached)
		actors_run();
	if (p->param[P_FINAL] == FINAL_EXIT)
		return;
	if (ledger->attached && episode.keep >= 0 && !ledger->we_shut) {
		if (!ledger->peer_fin)
			check_drained();
		if (ledger->peer_end == PEER_GONE)
			check_told();
	}
	finish(p->param[P_FINAL]);
	pthread_join(peer, NULL);
	check_end();
}

static void report_hang(void)
{
	const struct program *p = episode.program;
	static unsigned int reported;
	char text[160] = "";
	uint32_t i, doing;

	for (i = 0; i < NR_ACTORS; i++) {
		doing = ledger->doing[i];
		if (doing && doing <= MAX_OPS)
			snprintf(text + strlen(text), sizeof(text) - strlen(text),
				 " actor %u: op %u %s;", i, doing - 1,
				 op_name(p->ops[doing - 1].kind));
	}
	/* Once: the shortened programs hang in the same way. */
	if (!reported++ && system("hang.sh 2>&1 | sed 's/^#* */# /'"))
		fprintf(stderr, "# hang.sh failed\n");
	fail("nothing happened for %d s;%s", HANG_SECONDS, text);
}

/* Returns when the process @pid has ended, or hangs. */
static void watch(pid_t pid)
{
	struct timespec ts = { .tv_sec = HANG_SECONDS };
	uint64_t before = ~0ull, now;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	while (waitpid(pid, NULL, WNOHANG) != pid) {
		if (sigtimedwait(&set, NULL, &ts) == SIGCHLD)
			continue;
		now = progress();
		if (now == before) {
			report_hang();
			kill(-pid, SIGKILL);
			waitpid(pid, NULL, 0);
			return;
		}
		before = now;
	}
}

/**
 * episode_run() - run a program
 * @p: program
 *
 * Return: true if all was well; else ledger->why says what was not.
 */
bool episode_run(const struct program *p)
{
	pid_t pid;

	episode.program = p;
	ledger_reset();
	pid = fork();
	if (!pid) {
		setpgid(0, 0);
		episode_main(p);
		_exit(0);
	}
	watch(pid);
	return !ledger->failed;
}
