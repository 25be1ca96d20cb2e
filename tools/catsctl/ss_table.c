// SPDX-License-Identifier: GPL-2.0
/*
 * A socket for people: some lines on it, then a row for each urgency that was used.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "catsctl.h"
#include "reason.h"
#include "sock.h"
#include "table.h"

static void print_end(const struct endpoint *e)
{
	char text[INET6_ADDRSTRLEN];

	address_text(e, text, sizeof(text));
	printf(strchr(text, ':') ? "[%s]:%u" : "%s:%u", text, e->port);
}

static void print_head(const struct cats_socket *s)
{
	printf("%s  ", state_name(s->state));
	print_end(&s->local);
	if (s->remote.port) {
		printf(" > ");
		print_end(&s->remote);
	}
	if (KNOWN(s, conductor))
		printf("  %s", s->info.conductor);
	if (KNOWN(s, urgency))
		printf("  urgency %u", s->info.urgency);
	printf("  uid %u\n", s->uid);
}

static void print_tcp(const struct cats_socket *s)
{
	uint64_t bandwidth = (uint64_t)s->bbr.bbr_bw_hi << 32 | s->bbr.bbr_bw_lo;
	char text[32], time[32];

	printf("  %s: ", *s->congestion ? s->congestion : "congestion control unknown");
	if (s->has_bbr)
		printf("bandwidth %s, min RTT %s ms, ",
		       format_rate(text, sizeof(text), bandwidth),
		       format_ms(time, sizeof(time), s->bbr.bbr_min_rtt));
	else
		printf("min RTT %s ms, ", format_ms(text, sizeof(text), s->tcp.tcpi_min_rtt));
	printf("RTT %s ms, ", format_ms(text, sizeof(text), s->tcp.tcpi_rtt));
	if (s->tcp.tcpi_pacing_rate != ~0ULL)
		printf("pacing %s, ", format_rate(text, sizeof(text), s->tcp.tcpi_pacing_rate));
	printf("cwnd %u\n", s->tcp.tcpi_snd_cwnd);
}

static void print_refusal(const struct cats_socket *s)
{
	const struct reason *r = reason_by_code(s->info.reason_code);

	if (*s->info.reason)
		printf("  last refusal: %s%s%s: %s\n", errno_name(s->info.reason_errno),
		       r ? " " : "", r ? r->name : "", s->info.reason);
}

static void print_conductor(const struct cats_socket *s)
{
	char text[32];

	printf("  committed %u of %u bytes (most: %u), memory %u of %u", s->info.committed,
	       s->info.budget, s->info.committed_max, s->info.mem_queued, s->info.mem_limit);
	if (KNOWN(s, rate) && s->info.rate)
		printf(", rate %s", format_rate(text, sizeof(text), s->info.rate));
	puts("");
	if (s->info.alloc_failures || s->info.notices_lost)
		printf("  no memory %u times, notices lost %u\n", s->info.alloc_failures,
		       s->info.notices_lost);
	print_refusal(s);
}

static const char heads[] =
	"urg queued msgs sent msgs debt wait_ms gap_ms bound_ms expired cancel shed refuse";

static bool is_used(const struct cats_class_info *c, const struct cats_wait_info *w)
{
	return c->queued_msgs || c->sent_msgs || c->sent_bytes || c->debt || w->expired_msgs ||
	       w->cancelled_msgs || w->shed_msgs || w->refused_msgs;
}

static void add_class(struct table *t, const struct cats_socket *s, unsigned int i)
{
	const struct cats_class_info *c = &s->info.classes[i];
	const struct cats_wait_info *w = &s->info.waits[i];
	char text[32];

	table_add(t, "%u", i);
	table_add(t, "%llu", c->queued_bytes);
	table_add(t, "%u", c->queued_msgs);
	table_add(t, "%llu", c->sent_bytes);
	table_add(t, "%llu", c->sent_msgs);
	table_add(t, "%llu%s", c->debt, c->flags & CATS_CLASS_F_IN_DEBT ? "!" : "");
	table_add(t, "%s", format_ms(text, sizeof(text), c->longest_wait_us));
	table_add(t, "%s", format_ms(text, sizeof(text), w->gap_us));
	table_add(t, "%s", !KNOWN(s, waits) || w->bound_us == CATS_NO_BOUND ? "none" :
		  format_ms(text, sizeof(text), w->bound_us));
	table_add(t, "%u", w->expired_msgs);
	table_add(t, "%u", w->cancelled_msgs);
	table_add(t, "%u", w->shed_msgs);
	table_add(t, "%u", w->refused_msgs);
}

static void print_classes(const struct cats_socket *s)
{
	bool any = false;
	struct table t;
	unsigned int i;

	table_start(&t, "rrrrrrrrrrrrr");
	table_heads(&t, heads);
	for (i = 0; i < CATS_NR_URGENCIES; i++) {
		if (!is_used(&s->info.classes[i], &s->info.waits[i]))
			continue;
		any = true;
		add_class(&t, s, i);
	}
	if (any)
		table_print(&t, 2);
	else
		table_free(&t);
}

/**
 * ss_print_table() - print a socket to stdout
 * @s: socket
 */
void ss_print_table(const struct cats_socket *s)
{
	print_head(s);
	/* A listener sends nothing, but hands down what it has. */
	if (STATE_LISTENING & (1U << s->state)) {
		print_refusal(s);
		return;
	}
	print_tcp(s);
	if (KNOWN(s, classes)) {
		print_conductor(s);
		print_classes(s);
	}
}
