// SPDX-License-Identifier: GPL-2.0
/*
 * Filters: the part of ss(8)'s language that is about addresses, ports and states.
 *
 *	filter	= both { "or" both }
 *	both	= term { [ "and" ] term }
 *	term	= "not" term | "(" filter ")" | test
 *	test	= "src" [ "=" | "!=" ] ADDRESS | "dst" [ "=" | "!=" ] ADDRESS |
 *		  "sport" [ compare ] PORT | "dport" [ compare ] PORT | "state" STATE
 *	compare	= "=" | "!=" | "<" | ">" | "<=" | ">="
 *
 * ADDRESS: address, prefix, or either with :PORT; IPv6 in brackets then.  PORT: a number
 * or a service, with or without a colon.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "catsctl.h"
#include "sock.h"

enum kind { KIND_OR, KIND_AND, KIND_NOT, KIND_ADDRESS, KIND_PORT, KIND_STATE };

enum compare { SAME, DIFFERENT, LESS, GREATER, AT_MOST, AT_LEAST };

/**
 * struct filter - a filter, or a part of one
 * @kind: which of these it is
 * @a: KIND_OR, KIND_AND, KIND_NOT: the first operand
 * @b: KIND_OR, KIND_AND: the second one
 * @remote: KIND_ADDRESS, KIND_PORT: of the other end
 * @compare: KIND_PORT: how
 * @end: address, port; to compare with
 * @bits: KIND_ADDRESS: of the address that count
 * @states: KIND_STATE: bit per state
 */
struct filter {
	enum kind	kind;
	struct filter	*a;
	struct filter	*b;
	bool		remote;
	enum compare	compare;
	struct endpoint	end;
	unsigned int	bits;
	unsigned int	states;
};

/* What is left to read. */
struct parser {
	const char	*at;
	char		token[256];
	bool		failed;
};

#define SYMBOLS	"()!=<>&|"

/* The next token, a word or a symbol; empty at the end. */
static void advance(struct parser *p)
{
	size_t len;

	p->at += strspn(p->at, " \t\n");
	if (*p->at && strchr("()", *p->at))
		len = 1;
	else if (*p->at && strchr(SYMBOLS, *p->at))
		len = strspn(p->at, *p->at == '&' ? "&" : *p->at == '|' ? "|" : "!=<>");
	else
		len = strcspn(p->at, " \t\n" SYMBOLS);
	if (len >= sizeof(p->token))
		len = sizeof(p->token) - 1;
	memcpy(p->token, p->at, len);
	p->token[len] = 0;
	p->at += len;
}

/* Is it one of these words, separated by spaces?  If so it is read. */
static bool accept_word(struct parser *p, const char *words)
{
	size_t len = strlen(p->token);
	const char *at;

	for (at = words; len && *at; at += *at == ' ') {
		if (!strncasecmp(at, p->token, len) && (!at[len] || at[len] == ' ')) {
			advance(p);
			return true;
		}
		at += strcspn(at, " ");
	}
	return false;
}

static void parse_error(struct parser *p, const char *what)
{
	if (!p->failed)
		fail(STATUS_USAGE, "filter: %s at \"%s%s\"", what, p->token, p->at);
	p->failed = true;
}

static struct filter *make(enum kind kind, struct filter *a, struct filter *b)
{
	struct filter *f = allocate(sizeof(*f));

	f->kind = kind;
	f->a = a;
	f->b = b;
	return f;
}

static enum compare parse_compare(struct parser *p)
{
	if (accept_word(p, "!= ne neq"))
		return DIFFERENT;
	if (accept_word(p, "<= le leq"))
		return AT_MOST;
	if (accept_word(p, ">= ge geq"))
		return AT_LEAST;
	if (accept_word(p, "< lt"))
		return LESS;
	if (accept_word(p, "> gt"))
		return GREATER;
	accept_word(p, "= == eq");
	return SAME;
}

static bool parse_port(const char *text, uint16_t *port)
{
	const struct servent *service;
	uint64_t number;

	if (parse_u64(text, UINT16_MAX, &number)) {
		*port = number;
		return true;
	}
	service = getservbyname(text, "tcp");
	if (service)
		*port = ntohs(service->s_port);
	return service;
}

/* Address, mapped if it is IPv4, and how many bits of it count. */
static bool parse_prefix(struct filter *f, char *text)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	unsigned int all = 128, before = 0;
	char *slash = strchr(text, '/');
	uint64_t bits;

	if (slash)
		*slash++ = 0;
	if (inet_pton(AF_INET, text, f->end.address + sizeof(mapped)) == 1) {
		memcpy(f->end.address, mapped, sizeof(mapped));
		all = 32;
		before = 96;
	} else if (inet_pton(AF_INET6, text, f->end.address) != 1) {
		return false;
	}
	bits = all;
	if (slash && !parse_u64(slash, all, &bits))
		return false;
	f->bits = before + bits;
	return true;
}

/* Splits [ADDRESS]:PORT and the like; NULL: there is no port. */
static char *split_port(char *text, char **address)
{
	char *end = strchr(text, ']'), *colon;

	*address = text;
	if (*text == '[' && end) {
		*address = text + 1;
		/* The prefix may be outside: [ADDRESS]/BITS. */
		memmove(end, end + 1, strlen(end));
		colon = strchr(end, ':');
	} else {
		colon = strrchr(text, ':');
		/* An IPv6 address has more of them. */
		if (colon && colon != text && memchr(text, ':', colon - text))
			colon = NULL;
	}
	if (colon)
		*colon++ = 0;
	return colon;
}

static struct filter *parse_address(struct parser *p, bool remote)
{
	enum compare compare = parse_compare(p);
	struct filter *f = make(KIND_ADDRESS, NULL, NULL), *both = f;
	char *address, *port = split_port(p->token, &address);

	f->remote = remote;
	if (compare > DIFFERENT)
		parse_error(p, "addresses are equal or not");
	if (*address && strcmp(address, "*") && !parse_prefix(f, address))
		parse_error(p, "no address or prefix");
	if (port) {
		both = make(KIND_AND, f, make(KIND_PORT, NULL, NULL));
		both->b->remote = remote;
		if (strcmp(port, "*") && !parse_port(port, &both->b->end.port))
			parse_error(p, "no port");
		else if (!strcmp(port, "*"))
			both = f;
	} else if (!*address) {
		parse_error(p, "an address is missing");
	}
	advance(p);
	return compare == DIFFERENT ? make(KIND_NOT, both, NULL) : both;
}

static struct filter *parse_port_test(struct parser *p, bool remote)
{
	struct filter *f = make(KIND_PORT, NULL, NULL);

	f->remote = remote;
	f->compare = parse_compare(p);
	if (!parse_port(p->token + (*p->token == ':'), &f->end.port))
		parse_error(p, "no port");
	advance(p);
	return f;
}

static struct filter *parse_state(struct parser *p)
{
	struct filter *f = make(KIND_STATE, NULL, NULL);

	f->states = state_mask(p->token);
	if (!f->states)
		parse_error(p, "no state");
	advance(p);
	return f;
}

static struct filter *parse_or(struct parser *p);

static struct filter *parse_term(struct parser *p)
{
	struct filter *f;

	if (accept_word(p, "! not"))
		return make(KIND_NOT, parse_term(p), NULL);
	if (accept_word(p, "src"))
		return parse_address(p, false);
	if (accept_word(p, "dst"))
		return parse_address(p, true);
	if (accept_word(p, "sport"))
		return parse_port_test(p, false);
	if (accept_word(p, "dport"))
		return parse_port_test(p, true);
	if (accept_word(p, "state"))
		return parse_state(p);
	if (!accept_word(p, "(")) {
		parse_error(p, *p->token ? "no test" : "something is missing");
		return NULL;
	}
	f = parse_or(p);
	if (!accept_word(p, ")"))
		parse_error(p, "\")\" is missing");
	return f;
}

static bool at_end_of_and(const struct parser *p)
{
	static const char *const ends[] = { "", ")", "or", "|", "||" };
	size_t i;

	for (i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		if (!strcasecmp(p->token, ends[i]))
			return true;
	return false;
}

static struct filter *parse_and(struct parser *p)
{
	struct filter *f = parse_term(p);

	while (!p->failed && (accept_word(p, "and & &&") || !at_end_of_and(p)))
		f = make(KIND_AND, f, parse_term(p));
	return f;
}

static struct filter *parse_or(struct parser *p)
{
	struct filter *f = parse_and(p);

	while (!p->failed && accept_word(p, "or | ||"))
		f = make(KIND_OR, f, parse_and(p));
	return f;
}

/**
 * filter_parse() - make a filter of arguments
 * @argc: how many, at least one
 * @argv: arguments
 *
 * Return: filter, which stays until the program ends; NULL, and the user was told, if it
 * is none.
 */
struct filter *filter_parse(int argc, char *argv[])
{
	char *text = join_words(argc, argv);
	struct parser p = { .at = text };
	struct filter *f;

	advance(&p);
	f = parse_or(&p);
	if (!p.failed && *p.token)
		parse_error(&p, "no test");
	free(text);
	return p.failed ? NULL : f;
}

static bool match_address(const struct filter *f, const struct endpoint *e)
{
	unsigned int bytes = f->bits / 8, bits = f->bits % 8;

	if (memcmp(f->end.address, e->address, bytes))
		return false;
	return !bits || !((f->end.address[bytes] ^ e->address[bytes]) >> (8 - bits));
}

static bool match_port(const struct filter *f, uint16_t port)
{
	switch (f->compare) {
	case SAME:
		return port == f->end.port;
	case DIFFERENT:
		return port != f->end.port;
	case LESS:
		return port < f->end.port;
	case GREATER:
		return port > f->end.port;
	case AT_MOST:
		return port <= f->end.port;
	default:
		return port >= f->end.port;
	}
}

/**
 * filter_match() - does a socket pass?
 * @f: filter
 * @s: socket
 */
bool filter_match(const struct filter *f, const struct cats_socket *s)
{
	const struct endpoint *e = f->remote ? &s->remote : &s->local;

	switch (f->kind) {
	case KIND_OR:
		return filter_match(f->a, s) || filter_match(f->b, s);
	case KIND_AND:
		return filter_match(f->a, s) && filter_match(f->b, s);
	case KIND_NOT:
		return !filter_match(f->a, s);
	case KIND_ADDRESS:
		return match_address(f, e);
	case KIND_PORT:
		return match_port(f, e->port);
	default:
		return f->states & (1U << s->state);
	}
}

/**
 * filter_names_state() - does it say itself which states?
 * @f: filter
 */
bool filter_names_state(const struct filter *f)
{
	return f->kind == KIND_STATE || (f->a && filter_names_state(f->a)) ||
	       (f->b && filter_names_state(f->b));
}
