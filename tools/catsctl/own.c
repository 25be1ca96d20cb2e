// SPDX-License-Identifier: GPL-2.0
/*
 * CATS sockets without CAP_NET_ADMIN: the user's own.
 *
 * The kernel has told which TCP sockets of this network namespace are the user's, but not
 * their ULP.  So look for them in the user's own processes, take the file for a moment
 * (pidfd_getfd(2), which asks whether one might trace the process) and ask the socket.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "catsctl.h"
#include "sock.h"

#define TCP_LEVEL	6
#define ULP_NAME_SIZE	16

/**
 * struct search - looking for sockets
 * @sockets: what is looked for, by inode
 * @asked: likewise: which were found and asked
 * @refused: sockets of ours that may not be looked at, by the processes that have them
 */
struct search {
	struct sockets	*sockets;
	bool		*asked;
	unsigned int	refused;
};

static int by_inode(const void *a, const void *b)
{
	const struct cats_socket *x = a, *y = b;

	return (x->inode > y->inode) - (x->inode < y->inode);
}

static struct cats_socket *find(const struct search *search, uint32_t inode)
{
	const struct cats_socket key = { .inode = inode };

	return bsearch(&key, search->sockets->list, search->sockets->count, sizeof(key), by_inode);
}

/* What sock_diag would have told. */
static void ask(struct cats_socket *s, int fd)
{
	char name[ULP_NAME_SIZE] = "";
	socklen_t size = sizeof(name) - 1;

	if (getsockopt(fd, TCP_LEVEL, TCP_ULP, name, &size) || strcmp(name, CATS_ULP_NAME))
		return;
	size = sizeof(s->info);
	memset(&s->info, 0, sizeof(s->info));
	s->cats = !getsockopt(fd, SOL_CATS, CATS_INFO, &s->info, &size);
	s->info_size = size;
}

/* The process may have put another file there since its name was read. */
static bool is_inode(int fd, uint32_t inode)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISSOCK(st.st_mode) && st.st_ino == inode;
}

/* A file of a process; -1 if it is no socket that is looked for, or was asked. */
static long wanted_socket(const struct search *search, int dir, const char *name)
{
	struct cats_socket *s;
	char target[64];
	uint32_t inode;
	ssize_t len = readlinkat(dir, name, target, sizeof(target) - 1);

	if (len < 0)
		return -1;
	target[len] = 0;
	if (sscanf(target, "socket:[%" SCNu32 "]", &inode) != 1)
		return -1;
	s = find(search, inode);
	return !s || search->asked[s - search->sockets->list] ? -1 : s - search->sockets->list;
}

static void look_at_file(struct search *search, int pidfd, int dir, const char *name)
{
	long i = wanted_socket(search, dir, name);
	int fd;

	if (i < 0)
		return;
	fd = syscall(SYS_pidfd_getfd, pidfd, atoi(name), 0);
	if (fd >= 0) {
		if (is_inode(fd, search->sockets->list[i].inode)) {
			ask(&search->sockets->list[i], fd);
			search->asked[i] = true;
		}
		close(fd);
	} else if (errno == EPERM) {
		search->refused++;
	}
}

static void look_at_process(struct search *search, const char *pid)
{
	int pidfd = syscall(SYS_pidfd_open, atoi(pid), 0);
	struct dirent *entry;
	char path[64];
	DIR *dir;

	if (pidfd < 0)
		return;
	snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	dir = opendir(path);
	if (!dir && errno == EACCES)
		search->refused++;
	while (dir && (entry = readdir(dir)))
		if (isdigit((unsigned char)*entry->d_name))
			look_at_file(search, pidfd, dirfd(dir), entry->d_name);
	if (dir)
		closedir(dir);
	close(pidfd);
}

/* The user's processes, by the owner of their files in /proc. */
static void look_at_processes(struct search *search)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	struct stat st;

	while (proc && (entry = readdir(proc)))
		if (isdigit((unsigned char)*entry->d_name) &&
		    !fstatat(dirfd(proc), entry->d_name, &st, 0) && st.st_uid == geteuid())
			look_at_process(search, entry->d_name);
	if (proc)
		closedir(proc);
}

static void say_so(unsigned int refused)
{
	char *scope;

	fail(0, "without CAP_NET_ADMIN these are your own sockets only\n"
	     "  for all of this network namespace: be root in the user namespace that owns it");
	if (!refused)
		return;
	scope = read_line("/proc/sys/kernel/yama/ptrace_scope");
	fail(0, "and %u of your own may not be looked at (kernel.yama.ptrace_scope is %s)\n"
	     "  ptrace_scope 0 lets you look at all of your processes; root may anyway", refused,
	     scope ? scope : "not there");
	free(scope);
}

/**
 * own_sockets() - find out which of the user's own sockets have CATS
 * @sockets: the user's TCP sockets, as diag_dump() told of them
 * @tell: tell the user that these are not all
 */
void own_sockets(struct sockets *sockets, bool tell)
{
	struct search search = { .sockets = sockets };

	search.asked = allocate(sockets->count + 1);
	if (sockets->count)
		qsort(sockets->list, sockets->count, sizeof(*sockets->list), by_inode);
	look_at_processes(&search);
	if (tell)
		say_so(search.refused);
	free(search.asked);
}
