// SPDX-License-Identifier: GPL-2.0
/*
 * LD_PRELOAD library: attaches CATS to every TCP socket that a program makes, so
 * that programs which know nothing of CATS run over it unchanged.
 *
 *	CATS_PRELOAD_LOG=FILE	at the end of each process that had TCP sockets, append
 *				a line, see write_log()
 *	CATS_PRELOAD_URGENCY=N	default urgency of the sockets (default: the kernel's)
 *
 * A socket that cannot be attached stays plain TCP: the program must not notice.
 * It is counted.  What accept() returns should have inherited CATS from its
 * listener; it is asked, not attached.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/cats.h>

#define SOCK_TYPE_MASK	0xf

static const char *log_file;
static __u32 urgency;
static int has_urgency;

static atomic_int attached;	/* by socket() */
static atomic_int inherited;	/* by accept(), from the listener */
static atomic_int plain;	/* accepted, but not attached */
static atomic_int refused;	/* by setsockopt() */
static atomic_int last_errno;	/* of the last refusal */
static atomic_flag logged = ATOMIC_FLAG_INIT;

/* The next definition of a function that this library hides. */
static void *next(const char *name)
{
	void *function = dlsym(RTLD_NEXT, name);

	if (!function)
		abort();
	return function;
}

static int set_options(int fd)
{
	if (setsockopt(fd, IPPROTO_TCP, TCP_ULP, CATS_ULP_NAME, strlen(CATS_ULP_NAME)))
		return -1;
	if (!has_urgency)
		return 0;
	return setsockopt(fd, SOL_CATS, CATS_TAG, &urgency, sizeof(urgency));
}

static void attach(int fd)
{
	int saved = errno;

	if (set_options(fd)) {
		atomic_store(&last_errno, errno);
		atomic_fetch_add(&refused, 1);
	} else {
		atomic_fetch_add(&attached, 1);
	}
	errno = saved;
}

/* The option is unknown to what is not TCP. */
static void count_accepted(int fd)
{
	char name[16] = "";
	socklen_t len = sizeof(name);
	int saved = errno;

	if (!getsockopt(fd, IPPROTO_TCP, TCP_ULP, name, &len)) {
		if (len && !strcmp(name, CATS_ULP_NAME))
			atomic_fetch_add(&inherited, 1);
		else
			atomic_fetch_add(&plain, 1);
	}
	errno = saved;
}

int socket(int domain, int type, int protocol)
{
	typeof(socket) *next_socket = next("socket");
	int fd = next_socket(domain, type, protocol);

	if (fd >= 0 && (domain == AF_INET || domain == AF_INET6) &&
	    (type & SOCK_TYPE_MASK) == SOCK_STREAM &&
	    (protocol == 0 || protocol == IPPROTO_TCP))
		attach(fd);
	return fd;
}

int accept(int listener, struct sockaddr *addr, socklen_t *len)
{
	typeof(accept) *next_accept = next("accept");
	int fd = next_accept(listener, addr, len);

	if (fd >= 0)
		count_accepted(fd);
	return fd;
}

int accept4(int listener, struct sockaddr *addr, socklen_t *len, int flags)
{
	typeof(accept4) *next_accept4 = next("accept4");
	int fd = next_accept4(listener, addr, len, flags);

	if (fd >= 0)
		count_accepted(fd);
	return fd;
}

/*
 * "PROGRAM PID attached N inherited N plain N refused N errno N", in one write(),
 * so that lines of several processes do not mix.
 */
static void write_log(void)
{
	char line[256];
	int fd, n;

	if (!log_file || atomic_flag_test_and_set(&logged) ||
	    !(attached + inherited + plain + refused))
		return;
	n = snprintf(line, sizeof(line),
		     "%.64s %d attached %d inherited %d plain %d refused %d errno %d\n",
		     program_invocation_short_name, getpid(), attached, inherited, plain,
		     refused, last_errno);
	fd = open(log_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (fd < 0)
		return;
	if (write(fd, line, n) != n)
		fprintf(stderr, "cats preload: cannot write %s\n", log_file);
	close(fd);
}

/* Destructors do not run then. */
void _exit(int status)
{
	write_log();
	for (;;)
		syscall(SYS_exit_group, status);
}

/* The parent counts what was before. */
static void forget(void)
{
	attached = 0;
	inherited = 0;
	plain = 0;
	refused = 0;
	last_errno = 0;
	atomic_flag_clear(&logged);
}

/* Programs overwrite their environment to set their title: copy. */
__attribute__((constructor)) static void begin(void)
{
	const char *text = getenv("CATS_PRELOAD_URGENCY");

	if (text) {
		urgency = strtoul(text, NULL, 10);
		has_urgency = 1;
	}
	text = getenv("CATS_PRELOAD_LOG");
	if (text)
		log_file = strdup(text);
	pthread_atfork(NULL, NULL, forget);
}

__attribute__((destructor)) static void end(void)
{
	write_log();
}
