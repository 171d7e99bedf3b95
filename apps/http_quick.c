/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each byte is looked up once in a table of what it may be part of.  Lines end in
 * CR LF here; of the fields those that say where a message ends or whether the
 * connection stays are read, in the form that everybody writes them in.
 */
#include "apps/http_quick.h"

#include <string.h>
#include <strings.h>

/* RFC 9110 5.6.2, 5.5 and RFC 9112 3; and what of a target is a path as it stands. */
enum { NAME = 1, VALUE = 2, TARGET = 4, PLAIN = 8 };

#define IN_ALL (NAME | VALUE | TARGET | PLAIN)
#define IN_TEXT (VALUE | TARGET | PLAIN)

static const unsigned char part[256] = {
	['\t'] = VALUE, [' '] = VALUE,
	['!'] = IN_ALL, ['"'] = IN_TEXT, ['#'] = NAME | VALUE | TARGET, ['$'] = IN_ALL,
	['%'] = NAME | VALUE | TARGET, ['&' ... '\''] = IN_ALL, ['(' ... ')'] = IN_TEXT,
	['*' ... '+'] = IN_ALL, [','] = IN_TEXT, ['-'] = IN_ALL,
	['.'] = NAME | VALUE | TARGET, ['/'] = VALUE | TARGET, ['0' ... '9'] = IN_ALL,
	[':' ... '>'] = IN_TEXT, ['?'] = VALUE | TARGET, ['@'] = IN_TEXT,
	['A' ... 'Z'] = IN_ALL, ['[' ... ']'] = IN_TEXT, ['^' ... 'z'] = IN_ALL,
	['{'] = IN_TEXT, ['|'] = IN_ALL, ['}'] = IN_TEXT, ['~'] = IN_ALL,
	[0x80 ... 0xff] = IN_TEXT,
};

/* Where the bytes that may be part of `what` end. */
static inline const char *
part_end(const char *at, const char *end, unsigned what)
{
	while (at < end && (part[(unsigned char)*at] & what))
		at++;
	return at;
}

/* Whether one of eight bytes is a control character.  May say so of bytes above 0x7d beside
 * others, which are then looked at one by one. */
static inline bool
has_control(const char *at)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t w;

	memcpy(&w, at, sizeof(w));
	return ((w - 0x20 * ones) | (w + ones)) & ~w & (0x80 * ones);
}

static inline const char *
value_end(const char *at, const char *end)
{
	while (end - at >= 8 && !has_control(at))
		at += 8;
	return part_end(at, end, VALUE);
}

static inline bool
is_line_end(const char *at, const char *end)
{
	return end - at >= 2 && at[0] == '\r' && at[1] == '\n';
}

/* ---- fields -------------------------------------------------------------- */

/* What of the fields matters. */
struct said {
	unsigned hosts;
	bool close, keep_alive;
	bool has_length;
	uint64_t length;
};

/* word is in small letters; a name or value of a field is not told by its case. */
static inline bool
is_word(const char *at, size_t len, const char *word, size_t word_len)
{
	return len == word_len && (at[0] | 0x20) == word[0] && strncasecmp(at, word, word_len) == 0;
}

/* Of four bytes of a name; in those no other byte becomes a small letter by that bit. */
static inline bool
is_host(const char *at)
{
	uint32_t name, host;

	memcpy(&name, at, sizeof(name));
	memcpy(&host, "host", sizeof(host));
	return (name | 0x20202020u) == host;
}

#define IS(at, len, word) is_word(at, len, word, sizeof(word) - 1)

static bool
read_connection(struct said *s, const char *at, size_t len)
{
	if (IS(at, len, "keep-alive"))
		s->keep_alive = true;
	else if (IS(at, len, "close"))
		s->close = true;
	else
		return false;
	return true;
}

/* Once, and in so few digits that they cannot overflow. */
static bool
read_length(struct said *s, const char *at, size_t len)
{
	if (s->has_length || len == 0 || len > 18)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (at[i] < '0' || at[i] > '9')
			return false;
		s->length = s->length * 10 + (uint64_t)(at[i] - '0');
	}
	s->has_length = true;
	return true;
}

/* False for what takes more than this to understand. */
static inline bool
read_field(struct said *s, const char *name, size_t name_len, const char *at, size_t len)
{
	switch (name_len) {
	case 4:
		s->hosts += is_host(name);
		return true;
	case 10:
		return !IS(name, name_len, "connection") || read_connection(s, at, len);
	case 14:
		return !IS(name, name_len, "content-length") || read_length(s, at, len);
	case 17:
		return !IS(name, name_len, "transfer-encoding");
	default:
		return true;
	}
}

/* Fields up to the empty line: where that ends; NULL when not sure. */
static const char *
read_fields(struct said *s, const char *at, const char *end)
{
	while (!is_line_end(at, end)) {
		const char *colon = part_end(at, end, NAME), *value, *stop;

		if (colon == at || colon == end || *colon != ':')
			return NULL;
		stop = value_end(colon + 1, end);
		if (!is_line_end(stop, end))
			return NULL;
		value = colon + 1;
		value += *value == ' ';
		if (!read_field(s, at, (size_t)(colon - at), value, (size_t)(stop - value)))
			return NULL;
		at = stop + 2;
	}
	return at + 2;
}

/* RFC 9112 9.3 */
static bool
goes_on(const struct said *s, int minor)
{
	return !s->close && (minor >= 1 || s->keep_alive);
}

/* ---- messages ------------------------------------------------------------ */

#define STARTS(at, end, word) \
	((size_t)((end) - (at)) >= sizeof(word) - 1 && memcmp(at, word, sizeof(word) - 1) == 0)

/* The request line: where it ends, or NULL. */
static const char *
read_request_line(struct http_request *r, const char *at, const char *end)
{
	if (STARTS(at, end, "GET ")) {
		r->method = HTTP_GET;
		at += 4;
	} else if (STARTS(at, end, "HEAD ")) {
		r->method = HTTP_HEAD;
		at += 5;
	} else {
		return NULL;
	}
	r->target = at;
	at = part_end(at, end, TARGET);
	r->target_len = (size_t)(at - r->target);
	if (r->target_len == 0 || !STARTS(at, end, " HTTP/1."))
		return NULL;
	at += 8;
	if (end - at < 3 || (*at != '0' && *at != '1') || !is_line_end(at + 1, end))
		return NULL;
	r->minor = *at - '0';
	return at + 3;
}

size_t
http_request_quick(struct http_request *r, const char *buf, size_t len)
{
	struct said s = {0};
	const char *end = buf + len, *at = read_request_line(r, buf, end);

	if (at)
		at = read_fields(&s, at, end);
	if (!at || s.hosts > 1 || (s.hosts == 0 && r->minor >= 1))
		return 0;
	r->body_len = s.length;
	r->keep_alive = goes_on(&s, r->minor);
	return (size_t)(at - buf);
}

size_t
http_response_quick(struct http_response *r, const char *buf, size_t len)
{
	struct said s = {0};
	const char *end = buf + len, *at;

	if (!STARTS(buf, end, "HTTP/1.1 200 "))
		return 0;
	at = value_end(buf + 13, end);
	if (!is_line_end(at, end))
		return 0;
	at = read_fields(&s, at + 2, end);
	if (!at || !s.has_length)
		return 0;
	*r = (struct http_response){
		.status = 200,
		.framing = HTTP_BY_LENGTH,
		.length = s.length,
		.keep_alive = goes_on(&s, 1),
	};
	return (size_t)(at - buf);
}

/* ---- paths --------------------------------------------------------------- */

ssize_t
http_path_quick(char *path, size_t size, const char *target, size_t len)
{
	size_t n = 0;

	if (len == 0 || len > size || target[0] != '/')
		return -1;
	for (size_t i = 1; i < len; i++) {
		unsigned char ch = (unsigned char)target[i];

		/* Segments that begin by a dot may be steps; those that are empty do not count. */
		if (!(part[ch] & PLAIN) && !(ch == '.' && target[i - 1] != '/') &&
		    !(ch == '/' && target[i - 1] != '/'))
			return -1;
		path[n++] = (char)ch;
	}
	path[n] = '\0';
	return (ssize_t)n;
}
