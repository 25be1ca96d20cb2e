// SPDX-License-Identifier: GPL-2.0
/*
 * demo-recv: a plain TCP receiver that believes nothing.
 *
 * It takes one connection, checks every byte of every message and that the
 * messages of a group arrive in order with none missing, notes when each was
 * complete, answers with one byte when it has everything, and expects the end
 * of the stream after that.  It knows nothing of CATS.
 *
 * Times are those at which read() returned the last byte of a message, counted
 * from the return of the first read(), so that they compare between runs.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "frame.h"
#include "util.h"

struct options {
	unsigned int port;
	unsigned int silence_s;		/* give up when nothing comes for so long */
	bool expect[NR_GROUPS];
	const char *out;
	char **command;			/* the sender, or NULL */
};

struct record {
	struct frame frame;
	uint64_t arrived_ns;
};

struct receiver {
	const struct options *opt;
	struct record *records;
	size_t nr_records, max_records;
	uint32_t next_seq[NR_GROUPS];
	bool complete[NR_GROUPS];
	uint64_t first_ns;		/* the first byte of all */
	uint64_t stream_pos;		/* of the first byte in buf, for error messages */
	size_t fill;			/* bytes in buf */
	unsigned char buf[256 * 1024];
};

static void print_usage(void)
{
	fputs("usage: demo-recv [-p PORT] [-t SECONDS] -g GROUPS -o FILE [-- COMMAND [ARG]...]\n"
	      "  -g  the groups that must arrive, as digits: 01234 for P0 to P4\n"
	      "  -o  arrivals, tab separated, one line per message\n"
	      "  -t  give up when nothing arrives for so long (30)\n"
	      "COMMAND, the sender, is started once demo-recv listens; its failure is ours.\n",
	      stderr);
	exit(2);
}

static void parse_groups(const char *digits, bool *expect)
{
	for (; *digits; digits++) {
		if (*digits < '0' || *digits >= '0' + NR_GROUPS)
			die("-g: '%c' is not a group from 0 to %d", *digits, NR_GROUPS - 1);
		expect[*digits - '0'] = true;
	}
}

static void parse_options(int argc, char **argv, struct options *opt)
{
	int c;

	while ((c = getopt(argc, argv, "p:t:g:o:")) != -1) {
		switch (c) {
		case 'p':
			opt->port = parse_number("-p", optarg, 1, 65535);
			break;
		case 't':
			opt->silence_s = parse_number("-t", optarg, 1, 3600);
			break;
		case 'g':
			parse_groups(optarg, opt->expect);
			break;
		case 'o':
			opt->out = optarg;
			break;
		default:
			print_usage();
		}
	}
	if (!opt->out || !memchr(opt->expect, true, sizeof(opt->expect)))
		print_usage();
	opt->command = optind < argc ? argv + optind : NULL;
}

/* Where in the stream an error is: the border of the message that is wrong. */
static void __attribute__((noreturn)) bad(const struct receiver *r, size_t offset,
					  const struct frame *f, const char *what)
{
	die("byte %llu of the stream, message %u of P%u: %s",
	    (unsigned long long)(r->stream_pos + offset), f->seq, f->group, what);
}

static void note(struct receiver *r, const struct frame *f, uint64_t when)
{
	if (r->nr_records == r->max_records) {
		r->max_records = r->max_records ? 2 * r->max_records : 1024;
		r->records = realloc(r->records, r->max_records * sizeof(*r->records));
		if (!r->records)
			die_errno("memory for %zu arrivals", r->max_records);
	}
	r->records[r->nr_records++] = (struct record){ .frame = *f, .arrived_ns = when };
}

/* What the messages of one group must be to each other. */
static void check_order(struct receiver *r, size_t offset, const struct frame *f)
{
	char text[80];

	if (!r->opt->expect[f->group])
		bad(r, offset, f, "nobody was to send in this group (-g)");
	if (r->complete[f->group])
		bad(r, offset, f, "comes after the last message of its group");
	if (f->seq != r->next_seq[f->group]) {
		snprintf(text, sizeof(text), "out of order, message %u was due",
			 r->next_seq[f->group]);
		bad(r, offset, f, text);
	}
	r->next_seq[f->group]++;
	r->complete[f->group] = f->flags & FRAME_LAST;
}

/*
 * Takes one whole message from buf + @offset.  Returns its length, or 0 if it
 * is not all there.
 */
static size_t take_message(struct receiver *r, size_t offset, uint64_t when)
{
	const unsigned char *p = r->buf + offset;
	const char *problem;
	struct frame f;
	size_t wrong;

	if (r->fill - offset < sizeof(f))
		return 0;
	problem = frame_parse(p, &f);
	if (problem)
		die("byte %llu of the stream: %s",
		    (unsigned long long)(r->stream_pos + offset), problem);
	if (r->fill - offset < f.len)
		return 0;
	wrong = frame_check_payload(p, &f);
	if (wrong)
		bad(r, offset + wrong, &f, "payload byte is wrong");
	check_order(r, offset, &f);
	note(r, &f, when);
	return f.len;
}

static void take_messages(struct receiver *r, uint64_t when)
{
	size_t offset = 0, len;

	while ((len = take_message(r, offset, when)))
		offset += len;
	memmove(r->buf, r->buf + offset, r->fill - offset);
	r->fill -= offset;
	r->stream_pos += offset;
}

static bool have_everything(const struct receiver *r)
{
	int g;

	for (g = 0; g < NR_GROUPS; g++) {
		if (r->opt->expect[g] && !r->complete[g])
			return false;
	}
	return true;
}

/* Why no more comes, and what had come until then. */
static void __attribute__((noreturn)) missing(const struct receiver *r, const char *why)
{
	int g;

	for (g = 0; g < NR_GROUPS; g++) {
		if (r->opt->expect[g])
			fprintf(stderr, "demo-recv: P%d: %u messages%s\n", g, r->next_seq[g],
				r->complete[g] ? ", complete" : ", more were to come");
	}
	die("%s after %llu bytes", why, (unsigned long long)(r->stream_pos + r->fill));
}

/* Returns what read() does, a failure excepted. */
static size_t read_more(struct receiver *r, int fd)
{
	ssize_t n;

	do {
		n = read(fd, r->buf + r->fill, sizeof(r->buf) - r->fill);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		missing(r, "nothing more arrived (-t)");
	if (n < 0)
		missing(r, strerror(errno));
	return n;
}

static void receive(struct receiver *r, int fd)
{
	uint64_t when;
	size_t n;

	while (!have_everything(r)) {
		n = read_more(r, fd);
		when = now_ns();
		if (!n)
			missing(r, "the sender closed");
		if (!r->first_ns)
			r->first_ns = when;
		r->fill += n;
		take_messages(r, when);
	}
	if (write(fd, "!", 1) != 1)
		die_errno("acknowledge");
	if (r->fill || read_more(r, fd))
		die("bytes after the last message of every group");
}

static void write_arrivals(const struct receiver *r)
{
	FILE *out = fopen(r->opt->out, "w");
	size_t i;

	if (!out)
		die_errno("%s", r->opt->out);
	fputs("group\tseq\tbytes\twant_ns\tarrived_ns\n", out);
	for (i = 0; i < r->nr_records; i++) {
		const struct record *rec = &r->records[i];

		/* want_ns is before the first arrival for most of a page: signed */
		fprintf(out, "%u\t%u\t%u\t%lld\t%lld\n", rec->frame.group, rec->frame.seq,
			rec->frame.len, (long long)(rec->frame.want_ns - r->first_ns),
			(long long)(rec->arrived_ns - r->first_ns));
	}
	if (fclose(out))
		die_errno("%s", r->opt->out);
}

static int listen_on(unsigned int port)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
	};
	int one = 1, fd;

	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		die_errno("socket");
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 1))
		die_errno("listen on port %u", port);
	return fd;
}

static pid_t start(char **command)
{
	pid_t pid = fork();

	if (pid < 0)
		die_errno("fork");
	if (!pid) {
		execvp(command[0], command);
		die_errno("%s", command[0]);
	}
	return pid;
}

/* Exits if @pid did not do its work well. */
static void reap(pid_t pid, const char *name)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		die_errno("wait for %s", name);
	if (WIFSIGNALED(status))
		die("%s was killed by signal %d", name, WTERMSIG(status));
	if (WEXITSTATUS(status))
		die("%s failed with status %d, see above", name, WEXITSTATUS(status));
}

/* A sender that dies before it connects must not leave us in accept() forever. */
static void wait_for_connection(int listener, pid_t sender, const char *name)
{
	struct pollfd fds[] = {
		{ .fd = listener, .events = POLLIN },
		{ .fd = pidfd_open(sender, 0), .events = POLLIN },
	};

	if (fds[1].fd < 0)
		die_errno("pidfd_open");
	while (poll(fds, 2, -1) < 0) {
		if (errno != EINTR)
			die_errno("poll");
	}
	if (!fds[0].revents) {
		reap(sender, name);
		die("%s ended without connecting", name);
	}
	close(fds[1].fd);
}

int main(int argc, char **argv)
{
	static struct options opt = { .port = 7000, .silence_s = 30 };
	static struct receiver r = { .opt = &opt };
	struct timeval silence;
	int listener, fd;
	pid_t sender = 0;

	parse_options(argc, argv, &opt);
	listener = listen_on(opt.port);
	if (opt.command) {
		sender = start(opt.command);
		wait_for_connection(listener, sender, opt.command[0]);
	}
	fd = accept(listener, NULL, NULL);
	if (fd < 0)
		die_errno("accept");
	silence = (struct timeval){ .tv_sec = opt.silence_s };
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof(silence)))
		die_errno("SO_RCVTIMEO");
	receive(&r, fd);
	close(fd);
	write_arrivals(&r);
	if (sender)
		reap(sender, opt.command[0]);
	return 0;
}
