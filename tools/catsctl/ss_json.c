// SPDX-License-Identifier: GPL-2.0
/*
 * A socket as JSON; catsctl(8) documents the members.
 */
#include <arpa/inet.h>
#include <string.h>

#include "json.h"
#include "reason.h"
#include "sock.h"

/**
 * address_text() - an address in words
 * @e: endpoint
 * @buf: result
 * @size: of @buf
 *
 * Return: @buf
 */
const char *address_text(const struct endpoint *e, char *buf, size_t size)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (!memcmp(e->address, mapped, sizeof(mapped)))
		return inet_ntop(AF_INET, e->address + sizeof(mapped), buf, size);
	return inet_ntop(AF_INET6, e->address, buf, size);
}

static void endpoint(struct json *j, const char *key, const struct endpoint *e)
{
	char text[INET6_ADDRSTRLEN];

	json_object(j, key);
	json_text(j, "address", address_text(e, text, sizeof(text)));
	json_number(j, "port", e->port);
	json_end(j);
}

static void number_if(struct json *j, const char *key, bool known, uint64_t number)
{
	if (known)
		json_number(j, key, number);
	else
		json_null(j, key);
}

#define MEMBER(j, s, member)	number_if(j, #member, KNOWN(s, member), (s)->info.member)

static void bbr(struct json *j, const struct cats_socket *s)
{
	uint64_t bandwidth = (uint64_t)s->bbr.bbr_bw_hi << 32 | s->bbr.bbr_bw_lo;

	number_if(j, "bandwidth", s->has_bbr, bandwidth);
	number_if(j, "bbr_min_rtt_us", s->has_bbr, s->bbr.bbr_min_rtt);
	number_if(j, "pacing_gain_256", s->has_bbr, s->bbr.bbr_pacing_gain);
	number_if(j, "cwnd_gain_256", s->has_bbr, s->bbr.bbr_cwnd_gain);
}

static void congestion(struct json *j, const struct cats_socket *s)
{
	json_object(j, "tcp");
	json_text(j, "congestion", s->congestion);
	bbr(j, s);
	json_number(j, "rtt_us", s->tcp.tcpi_rtt);
	json_number(j, "min_rtt_us", s->tcp.tcpi_min_rtt);
	/* All ones: not paced. */
	number_if(j, "pacing_rate", s->tcp.tcpi_pacing_rate != ~0ULL, s->tcp.tcpi_pacing_rate);
	json_number(j, "delivery_rate", s->tcp.tcpi_delivery_rate);
	json_number(j, "cwnd", s->tcp.tcpi_snd_cwnd);
	json_number(j, "mss", s->tcp.tcpi_snd_mss);
	json_number(j, "unacked", s->tcp.tcpi_unacked);
	json_number(j, "notsent_bytes", s->tcp.tcpi_notsent_bytes);
	json_number(j, "retransmits", s->tcp.tcpi_total_retrans);
	json_end(j);
}

static void refusal(struct json *j, const struct cats_socket *s)
{
	const struct reason *r = reason_by_code(s->info.reason_code);

	if (!*s->info.reason) {
		json_null(j, "refusal");
		return;
	}
	json_object(j, "refusal");
	MEMBER(j, s, reason_code);
	json_text(j, "name", r ? r->name : NULL);
	json_number(j, "errno", s->info.reason_errno);
	json_text(j, "errno_name", errno_name(s->info.reason_errno));
	json_text(j, "text", s->info.reason);
	json_end(j);
}

static void class_waits(struct json *j, const struct cats_socket *s, unsigned int i)
{
	const struct cats_wait_info *w = &s->info.waits[i];
	bool known = KNOWN(s, waits);

	number_if(j, "gap_bytes", known, w->gap_bytes);
	number_if(j, "gap_us", known, w->gap_us);
	number_if(j, "bound_bytes", known && w->bound_bytes != CATS_NO_BOUND, w->bound_bytes);
	number_if(j, "bound_us", known && w->bound_us != CATS_NO_BOUND, w->bound_us);
	number_if(j, "expired_msgs", known, w->expired_msgs);
	number_if(j, "cancelled_msgs", known, w->cancelled_msgs);
	number_if(j, "shed_msgs", known, w->shed_msgs);
	number_if(j, "refused_msgs", known, w->refused_msgs);
}

static void class(struct json *j, const struct cats_socket *s, unsigned int i)
{
	const struct cats_class_info *c = &s->info.classes[i];

	json_object(j, NULL);
	json_number(j, "urgency", i);
	json_number(j, "queued_bytes", c->queued_bytes);
	json_number(j, "queued_msgs", c->queued_msgs);
	json_number(j, "sent_bytes", c->sent_bytes);
	json_number(j, "sent_msgs", c->sent_msgs);
	json_number(j, "debt", c->debt);
	json_bool(j, "in_debt", c->flags & CATS_CLASS_F_IN_DEBT);
	json_number(j, "longest_wait_us", c->longest_wait_us);
	class_waits(j, s, i);
	json_end(j);
}

static void conductor(struct json *j, const struct cats_socket *s)
{
	unsigned int i;

	json_text(j, "policy", KNOWN(s, conductor) ? s->info.conductor : NULL);
	MEMBER(j, s, urgency);
	MEMBER(j, s, rate);
	MEMBER(j, s, committed);
	MEMBER(j, s, committed_max);
	MEMBER(j, s, budget);
	MEMBER(j, s, budget_max);
	MEMBER(j, s, largest_msg);
	MEMBER(j, s, mem_queued);
	MEMBER(j, s, mem_limit);
	MEMBER(j, s, alloc_failures);
	MEMBER(j, s, notices_lost);
	refusal(j, s);
	json_array(j, "classes");
	for (i = 0; KNOWN(s, classes) && i < CATS_NR_URGENCIES; i++)
		class(j, s, i);
	json_end(j);
}

/**
 * ss_print_json() - add a socket to an array
 * @j: JSON, in the array
 * @s: socket
 */
void ss_print_json(struct json *j, const struct cats_socket *s)
{
	json_object(j, NULL);
	json_text(j, "state", state_name(s->state));
	json_text(j, "family", s->family == AF_INET ? "inet" : "inet6");
	endpoint(j, "local", &s->local);
	endpoint(j, "remote", &s->remote);
	json_number(j, "uid", s->uid);
	json_number(j, "inode", s->inode);
	conductor(j, s);
	congestion(j, s);
	json_end(j);
}
