// SPDX-License-Identifier: GPL-2.0
/*
 * The oracle: the bytes that arrived, explained by the ledger.
 *
 * A message begins with four bytes that name it; the rest comes from a table of
 * random bytes, at a place that depends on the name.  The first byte, MARK, is
 * nowhere in the table.  So what a message must look like is known without a
 * checksum, and comparing with that is both stricter and cheaper than one.
 *
 * Checked is:
 * - every byte belongs to a message that was accepted, in one piece, once;
 * - an accepted prefix is what arrives, to the byte, and all of a tagged one;
 * - order: of two messages of one urgency, where the call of the first had
 *   returned before that of the second began, the first arrives first;
 * - unity: what a call with MSG_MORE left unfinished, and what the next call of
 *   the class wrote, is in one piece, and so are the pages of a sendfile().  Not
 *   if another thread wrote to the class meanwhile: it may have continued the
 *   message, or begun one of its own.  Nor if TCP's rules hold for the message and
 *   it may have been left alone for the 200 ms after which it ends by itself;
 * - streams: likewise for two messages of one stream, whatever their urgency;
 * - the end: after a FIN nothing is missing but what may be dropped, and that as a
 *   whole.  After a reset something may be,
 *   if our side caused that, or was told (episode.c).
 */
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "fuzz.h"

#define HEAD_LEN	4
#define MARK		0xc5
/* Parts of a MESSAGE_PAGED end where a page of its source does, or earlier. */
#define PAGE		4096
#define TABLE_SHIFTS	4096
/* An unfinished message does not end by itself before, less two ticks of a clock. */
#define CEILING_US	180000
/* Bytes at the start of a part by which it is told from another. */
#define PART_HEAD	8

struct ledger *ledger;

static uint8_t table[TABLE_SHIFTS + MAX_LEN];
static uint8_t heads[MAX_MSGS][HEAD_LEN];
/* Of a message that is_scattered(): bytes of each page that arrived. */
static uint16_t page_seen[MAX_MSGS][MAX_LEN / PAGE];

void oracle_init(void)
{
	uint64_t rnd = 4711;
	uint32_t i;

	for (i = 0; i < sizeof(table); i++) {
		table[i] = random_next(&rnd);
		if (table[i] == MARK)
			table[i]++;
	}
	for (i = 0; i < MAX_MSGS; i++) {
		heads[i][0] = MARK;
		heads[i][1] = i;
		heads[i][2] = i >> 8;
		heads[i][3] = i * 37 + (i >> 8) + 11;
	}
	ledger = mmap(NULL, sizeof(*ledger), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

/* All but the stream, of which only what was read counts. */
void ledger_reset(void)
{
	memset(ledger, 0, offsetof(struct ledger, stream));
	ledger->tag = CATS_URGENCY_DEFAULT;
}

/* The first failure of an episode is the one to report. */
void fail(const char *format, ...)
{
	va_list args;

	if (__atomic_fetch_add(&ledger->failed, 1, __ATOMIC_RELAXED))
		return;
	va_start(args, format);
	vsnprintf(ledger->why, sizeof(ledger->why), format, args);
	va_end(args);
}

uint32_t ledger_tick(void)
{
	return __atomic_add_fetch(&ledger->clock, 1, __ATOMIC_SEQ_CST);
}

uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000ull + ts.tv_nsec / 1000;
}

/**
 * message_bytes() - what a message must look like
 * @id: message
 * @offset: from here on
 * @head: bytes before @body
 * @head_len: how many, may be 0
 * @body: then these
 */
void message_bytes(uint32_t id, uint32_t offset, const uint8_t **head,
		   uint32_t *head_len, const uint8_t **body)
{
	uint32_t in_head = offset < HEAD_LEN ? offset : HEAD_LEN;

	*head = heads[id] + in_head;
	*head_len = HEAD_LEN - in_head;
	*body = table + id * 2654435761u % TABLE_SHIFTS +
		(offset > HEAD_LEN ? offset - HEAD_LEN : 0);
}

void message_copy(uint32_t id, uint8_t *to, uint32_t len)
{
	const uint8_t *head, *body;
	uint32_t head_len;

	message_bytes(id, 0, &head, &head_len, &body);
	if (head_len > len)
		head_len = len;
	memcpy(to, head, head_len);
	memcpy(to + head_len, body, len - head_len);
}

static uint32_t same_bytes(const uint8_t *a, const uint8_t *b, uint32_t len)
{
	uint32_t i = 0;

	if (!memcmp(a, b, len))
		return len;
	while (a[i] == b[i])
		i++;
	return i;
}

/* How many of @len bytes at @data continue message @id at @offset. */
static uint32_t matching(uint32_t id, uint32_t offset, const uint8_t *data,
			 uint32_t len)
{
	const uint8_t *head, *body;
	uint32_t head_len, n;

	message_bytes(id, offset, &head, &head_len, &body);
	if (len <= head_len)
		return same_bytes(head, data, len);
	n = same_bytes(head, data, head_len);
	return n < head_len ? n : n + same_bytes(body, data + n, len - n);
}

/* Bytes that message @m may have on the wire. */
static uint32_t at_most(const struct message *m)
{
	return m->state == MESSAGE_DONE ? m->accepted : m->len;
}

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* May a call whose class is @m's or unknown be of @class? */
static bool may_be_of(const struct message *m, uint32_t class)
{
	return m->state != MESSAGE_NONE &&
	       (m->class == class || m->class == CLASS_UNKNOWN || class == CLASS_UNKNOWN);
}

static bool overlap(const struct message *a, const struct message *b)
{
	return (a->state != MESSAGE_DONE || b->start < a->end) &&
	       (b->state != MESSAGE_DONE || a->start < b->end);
}

/* Did another thread write to the class of @m while @m's call ran? */
static bool was_disturbed(const struct message *m)
{
	const struct message *other;

	for (other = ledger->msgs; other < ledger->msgs + MAX_MSGS; other++)
		if (other != m && may_be_of(other, m->class) && overlap(m, other))
			return true;
	return false;
}

/*
 * Did two calls of a class ever run at once?  Then a message may have ended with a call
 * that slept, and the calls after it are of another.
 */
static bool class_was_disturbed(uint32_t class)
{
	const struct message *m;

	for (m = ledger->msgs; m < ledger->msgs + MAX_MSGS; m++)
		if (may_be_of(m, class) && was_disturbed(m))
			return true;
	return false;
}

/*
 * Two threads in one class: while one slept in a call, the other wrote a message of
 * its own, and what the first one had left before may come behind that.
 */
static bool had_rivals_after(const struct message *m)
{
	const struct message *other;

	if (!(m->flags & (MESSAGE_MORE | MESSAGE_MAYBE)))
		return false;
	for (other = ledger->msgs; other < ledger->msgs + MAX_MSGS; other++)
		if (may_be_of(other, m->class) && other->start > m->start &&
		    was_disturbed(other))
			return true;
	return was_disturbed(m);
}

/*
 * Each page of a sendfile() has the default tag of its moment: if that was changed
 * meanwhile, or may have been, a later page can overtake an earlier one.
 */
static bool is_scattered(const struct message *m)
{
	return m->flags & MESSAGE_PAGED &&
	       (m->class == CLASS_UNKNOWN || m->state != MESSAGE_DONE);
}

/* Can a part of @id that begins at @offset be what @data begins with? */
static bool part_fits(uint32_t id, uint32_t offset, const uint8_t *data, uint32_t len)
{
	uint32_t end = at_most(&ledger->msgs[id]), n;

	if (offset >= end)
		return false;
	n = min_u32(min_u32(end - offset, len), PART_HEAD);
	return matching(id, offset, data, n) == n;
}

/* The place in @id where a part that @data begins with belongs, or -1. */
static int find_part(uint32_t id, const uint8_t *data, uint32_t len)
{
	const struct message *m = &ledger->msgs[id];
	uint32_t page, offset;

	if (!is_scattered(m))
		return part_fits(id, m->seen, data, len) ? (int)m->seen : -1;
	for (page = 0; page * PAGE < at_most(m); page++) {
		offset = page * PAGE + page_seen[id][page];
		if (page_seen[id][page] < PAGE && part_fits(id, offset, data, len))
			return offset;
	}
	return -1;
}

/* The message that @data belongs to, or -1; @offset: the place in it. */
static int identify(const uint8_t *data, uint32_t len, uint32_t *offset)
{
	uint32_t id;
	int place;

	*offset = 0;
	if (len >= HEAD_LEN && data[0] == MARK) {
		id = data[1] | data[2] << 8;
		if (id < MAX_MSGS && !memcmp(heads[id], data, HEAD_LEN) &&
		    at_most(&ledger->msgs[id]) >= HEAD_LEN)
			return id;
	}
	/* A later part of one that came in parts, or a very short prefix. */
	for (id = 0; id < MAX_MSGS; id++) {
		const struct message *m = &ledger->msgs[id];

		if (m->state == MESSAGE_NONE)
			continue;
		if (!(m->flags & MESSAGE_PAGED) &&
		    (m->seen || (at_most(m) >= HEAD_LEN && len >= HEAD_LEN)))
			continue;
		place = find_part(id, data, len);
		if (place < 0)
			continue;
		*offset = place;
		return id;
	}
	return -1;
}

/* For the report: which message could bytes that nobody expects be from? */
static void explain(uint32_t pos)
{
	const uint8_t *data = ledger->stream + pos;
	uint32_t id, offset, len = min_u32(ledger->stream_len - pos, 16);
	char text[120] = "";

	for (id = 0; id < MAX_MSGS && strlen(text) < 80; id++) {
		const struct message *m = &ledger->msgs[id];

		for (offset = 0; offset < m->len; offset++)
			if (matching(id, offset, data, len) == len)
				snprintf(text + strlen(text), sizeof(text) - strlen(text),
					 " %u+%u (of %u accepted %u)", id, offset,
					 m->len, m->accepted);
	}
	fail("byte %u of %u of the stream belongs to no message; is it of%s?", pos,
	     ledger->stream_len, *text ? text : " none");
}

/*
 * May @m be a part of the message of @before?  That may have been queued before a call
 * that ended earlier than @m began: while a thread slept in its own part.
 */
static bool may_go_on(const struct message *m, int before)
{
	const struct message *other = &ledger->msgs[before];

	return before >= 0 && may_be_of(other, m->class) &&
	       other->flags & (MESSAGE_MORE | MESSAGE_MAYBE);
}

/* What a message keeps its order with: its stream, or its class. */
static uint32_t order_of(const struct message *m)
{
	return m->stream ? CLASS_UNKNOWN + m->stream : m->class;
}

/* @last_start: of the latest call per order whose message has begun to arrive. */
static void check_order(uint32_t id, int before, uint32_t *last_start)
{
	const struct message *m = &ledger->msgs[id];
	uint32_t class, order = order_of(m);

	if (m->class == CLASS_UNKNOWN || m->state != MESSAGE_DONE ||
	    m->accepted < HEAD_LEN || m->flags & MESSAGE_NO_ORDER)
		return;
	if (m->end < last_start[order] && !had_rivals_after(m))
		fail("order: message %u (%s %u) arrived behind a later one", id,
		     m->stream ? "stream" : "class", m->stream ?: m->class);
	for (class = 0; m->class == CLASS_PLAIN && class < CLASS_PLAIN; class++)
		if (last_start[class])
			fail("order: message %u, written before the attach, came late",
			     id);
	if (last_start[order] < m->start && !may_go_on(m, before))
		last_start[order] = m->start;
}

/* May the message that @m is of have ended by itself until @us? */
static bool may_have_expired(const struct message *m, uint64_t us)
{
	return us - m->start_us >= CEILING_US;
}

/* The call that followed @m in its class, or may have, or NULL. */
static const struct message *continuation(const struct message *m)
{
	const struct message *other, *next = NULL;

	for (other = ledger->msgs; other < ledger->msgs + MAX_MSGS; other++)
		if (other != m && may_be_of(other, m->class) && other->start > m->end &&
		    (!next || other->start < next->start))
			next = other;
	return next;
}

/*
 * Must @other have continued what @m left unfinished?  An empty call, or one that was
 * refused, may have ended the message.  A tagged call is in a message of such.
 */
static bool must_follow(const struct message *m, const struct message *other)
{
	if (!(m->flags & MESSAGE_MORE) || m->state != MESSAGE_DONE ||
	    m->class >= CLASS_PLAIN || ledger->chains_ended > m->start ||
	    class_was_disturbed(m->class))
		return false;
	if (other->class != m->class || other->state != MESSAGE_DONE ||
	    !other->accepted || was_disturbed(other))
		return false;
	if (other->flags & MESSAGE_WHOLE)
		return m->flags & MESSAGE_WHOLE;
	return !may_have_expired(m, other->end_us);
}

/* Bytes of @before arrived, and those of @id next. */
static void check_unity(uint32_t before, uint32_t id)
{
	const struct message *m = &ledger->msgs[before], *next;

	if (before == id)
		return;
	if (m->flags & MESSAGE_PAGED && m->state == MESSAGE_DONE && m->seen < m->accepted) {
		if (m->class < CLASS_PLAIN && !was_disturbed(m) &&
		    !may_have_expired(m, m->end_us))
			fail("unity: message %u (in pages) ends after %u of %u bytes, with %u",
			     before, m->seen, m->accepted, id);
		return;
	}
	next = continuation(m);
	if (next && next != &ledger->msgs[id] && must_follow(m, next))
		fail("unity: message %u (class %u) was left unfinished; %u follows, not %u",
		     before, m->class, id, (uint32_t)(next - ledger->msgs));
}

/* Notes that bytes of @id from @offset on arrived. */
static void mark_seen(uint32_t id, uint32_t offset, uint32_t bytes)
{
	struct message *m = &ledger->msgs[id];

	m->seen += bytes;
	if (m->flags & MESSAGE_PAGED)
		page_seen[id][offset / PAGE] += bytes;
}

/* Did the byte at @offset of @id arrive before? */
static bool was_seen(uint32_t id, uint32_t offset)
{
	const struct message *m = &ledger->msgs[id];

	if (is_scattered(m))
		return offset % PAGE < page_seen[id][offset / PAGE];
	return offset < m->seen;
}

/*
 * One message, or one part of it, at @pos; returns its bytes, 0 if all is lost.
 * @before: the message of the bytes before, or -1; set to that of these.
 */
static uint32_t check_message(uint32_t pos, uint32_t *last_start, int *before)
{
	const uint8_t *data = ledger->stream + pos;
	uint32_t len = ledger->stream_len - pos, want, n, offset;
	int id = identify(data, len, &offset);
	struct message *m;

	if (id < 0) {
		explain(pos);
		return 0;
	}
	m = &ledger->msgs[id];
	if (was_seen(id, offset)) {
		fail("message %u arrived twice", id);
		return 0;
	}
	check_order(id, *before, last_start);
	if (*before >= 0)
		check_unity(*before, id);
	*before = id;
	want = min_u32(at_most(m) - offset, len);
	if (m->flags & MESSAGE_PAGED)
		want = min_u32(want, PAGE - offset % PAGE);
	n = matching(id, offset, data, want);
	mark_seen(id, offset, n);
	if (n < want && !(m->flags & MESSAGE_PAGED) &&
	    (m->state == MESSAGE_DONE || m->flags & MESSAGE_WHOLE)) {
		fail("message %u broken after %u of %u bytes (offset %u of the stream)",
		     id, n, want, pos);
		return 0;
	}
	if (!n)
		fail("message %u (in parts) does not match at %u", id, m->seen);
	return n;
}

static void check_complete(void)
{
	uint32_t id;

	for (id = 0; id < MAX_MSGS; id++) {
		const struct message *m = &ledger->msgs[id];

		if (m->state == MESSAGE_DONE && m->seen != m->accepted &&
		    (m->seen || !(m->flags & MESSAGE_LOOSE)))
			fail("message %u: %u bytes accepted, %u arrived before the FIN",
			     id, m->accepted, m->seen);
	}
}

/**
 * oracle_accepted() - bytes that our side's calls took
 * @exact: set to whether all calls returned
 */
uint64_t oracle_accepted(bool *exact)
{
	uint64_t sum = 0;
	uint32_t id;

	*exact = true;
	for (id = 0; id < MAX_MSGS; id++) {
		sum += ledger->msgs[id].accepted;
		if (ledger->msgs[id].state == MESSAGE_STARTED)
			*exact = false;
	}
	return sum;
}

/**
 * oracle_check() - judge what arrived; all calls have returned
 */
void oracle_check(void)
{
	uint32_t last_start[NR_ORDERS] = {};
	uint32_t pos = 0, n;
	int before = -1;

	memset(page_seen, 0, sizeof(page_seen));
	while (pos < ledger->stream_len) {
		n = check_message(pos, last_start, &before);
		if (!n)
			break;
		pos += n;
	}
	ledger->wire_bytes = pos;
	if (ledger->peer_end == PEER_EOF)
		check_complete();
}
