/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HTTP/1.1 as text.  A head is cut into lines once, each line into a field once,
 * and every reader below works on those spans; nothing is copied but paths.
 */
#include "apps/http.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "apps/http_quick.h"

/* A piece of somebody else's text. */
struct span {
	const char *at;
	size_t len;
};

static bool
span_is(struct span s, const char *word)
{
	return s.len == strlen(word) && strncasecmp(s.at, word, s.len) == 0;
}

/* RFC 9110 5.6.2: what names and methods are made of. */
static bool
is_token(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char ch = (unsigned char)s.at[i];
		bool alnum = (ch >= '0' && ch <= '9') || (ch >= 'A' && ch <= 'Z') ||
		             (ch >= 'a' && ch <= 'z');

		if (!alnum && (ch == 0 || !strchr("!#$%&'*+-.^_`|~", ch)))
			return false;
	}
	return s.len > 0;
}

/* Decimal digits only, below 2^63. */
static bool
span_number(struct span s, uint64_t *out)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (s.at[i] < '0' || s.at[i] > '9' || n > (INT64_MAX - 9) / 10)
			return false;
		n = n * 10 + (uint64_t)(s.at[i] - '0');
	}
	*out = n;
	return s.len > 0;
}

static int
hex_value(char ch)
{
	if (ch >= '0' && ch <= '9')
		return ch - '0';
	if (ch >= 'a' && ch <= 'f')
		return ch - 'a' + 10;
	if (ch >= 'A' && ch <= 'F')
		return ch - 'A' + 10;
	return -1;
}

/* ---- heads --------------------------------------------------------------- */

size_t
http_head_end(const char *buf, size_t len, size_t *scan)
{
	size_t i = *scan;

	while (i < len) {
		const char *nl = memchr(buf + i, '\n', len - i);

		if (!nl) {
			i = len;
			break;
		}
		i = (size_t)(nl - buf) + 1;
		if (i < len && buf[i] == '\n')
			return i + 1;
		if (i + 1 < len && buf[i] == '\r' && buf[i + 1] == '\n')
			return i + 2;
		/* The line may be the last one, but the bytes that tell are yet to come. */
		if (i >= len || (i + 1 >= len && buf[i] == '\r')) {
			i--;
			break;
		}
	}
	*scan = i;
	return 0;
}

size_t
http_blank(const char *buf, size_t len)
{
	size_t n = 0;

	for (;;) {
		if (n < len && buf[n] == '\n')
			n += 1;
		else if (n + 1 < len && buf[n] == '\r' && buf[n + 1] == '\n')
			n += 2;
		else
			return n;
	}
}

/* The next line of a head without its end; a bare LF ends one too (RFC 9112 2.2). */
static struct span
line_next(struct span *head)
{
	struct span line = {head->at, 0};
	const char *nl = memchr(head->at, '\n', head->len);
	size_t whole = nl ? (size_t)(nl - head->at) + 1 : head->len;

	line.len = nl ? whole - 1 : whole;
	if (nl && line.len > 0 && line.at[line.len - 1] == '\r')
		line.len--;
	head->at += whole;
	head->len -= whole;
	return line;
}

static struct span
span_trim(struct span s)
{
	while (s.len > 0 && (s.at[0] == ' ' || s.at[0] == '\t')) {
		s.at++;
		s.len--;
	}
	while (s.len > 0 && (s.at[s.len - 1] == ' ' || s.at[s.len - 1] == '\t'))
		s.len--;
	return s;
}

/* RFC 9110 5.5: no control character may hide in a value. */
static bool
is_field_text(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char ch = (unsigned char)s.at[i];

		if ((ch < 0x20 && ch != '\t') || ch == 0x7f)
			return false;
	}
	return true;
}

/* Cuts "name: value".  A folded line or a space before the colon fails as a name
 * (RFC 9112 5.1, 5.2). */
static bool
field_split(struct span line, struct span *name, struct span *value)
{
	const char *colon = memchr(line.at, ':', line.len);

	if (!colon)
		return false;
	*name = (struct span){line.at, (size_t)(colon - line.at)};
	*value = (struct span){colon + 1, line.len - name->len - 1};
	*value = span_trim(*value);
	return is_token(*name) && is_field_text(*value);
}

/* What the fields of any head say about its message. */
struct facts {
	unsigned hosts;
	bool has_length;
	bool has_encoding;
	bool chunked; /* the last encoding is chunked */
	bool close;
	bool keep_alive;
	uint64_t length;
};

/* The last member of a comma-separated list into *item, the rest stays. */
static bool
list_pop(struct span *list, struct span *item)
{
	const char *comma;

	if (list->len == 0)
		return false;
	comma = memrchr(list->at, ',', list->len);
	if (comma) {
		size_t before = (size_t)(comma - list->at);

		*item = span_trim((struct span){comma + 1, list->len - before - 1});
		list->len = before;
	} else {
		*item = span_trim(*list);
		list->len = 0;
	}
	return true;
}

static void
note_connection(struct facts *f, struct span list)
{
	struct span item;

	while (list_pop(&list, &item)) {
		f->close |= span_is(item, "close");
		f->keep_alive |= span_is(item, "keep-alive");
	}
}

/* RFC 9112 6.3: lengths that differ are an attack on whoever reads next. */
static bool
note_length(struct facts *f, struct span value)
{
	uint64_t n;

	if (!span_number(value, &n) || (f->has_length && n != f->length))
		return false;
	f->has_length = true;
	f->length = n;
	return true;
}

static bool
note_field(struct facts *f, struct span name, struct span value)
{
	struct span last;

	if (span_is(name, "host"))
		f->hosts++;
	else if (span_is(name, "connection"))
		note_connection(f, value);
	else if (span_is(name, "content-length"))
		return note_length(f, value);
	else if (span_is(name, "transfer-encoding")) {
		f->has_encoding = true;
		f->chunked = list_pop(&value, &last) && span_is(last, "chunked");
	}
	return true;
}

static bool
read_fields(struct facts *f, struct span head)
{
	struct span name, value;

	*f = (struct facts){0};
	while (head.len > 0) {
		struct span line = line_next(&head);

		if (line.len == 0)
			return head.len == 0;
		if (!field_split(line, &name, &value) || !note_field(f, name, value))
			return false;
	}
	return true;
}

/* "HTTP/1.x": the minor version; -400 when it is none, -505 when it is not ours. */
static int
read_version(struct span s)
{
	if (s.len != 8 || memcmp(s.at, "HTTP/", 5) != 0 || s.at[6] != '.')
		return -400;
	if (s.at[5] < '0' || s.at[5] > '9' || s.at[7] < '0' || s.at[7] > '9')
		return -400;
	if (s.at[5] != '1')
		return -505;
	return s.at[7] == '0' ? 0 : 1;
}

/* RFC 9112 9.3 */
static bool
wants_more(const struct facts *f, int minor)
{
	if (f->close)
		return false;
	return minor >= 1 || f->keep_alive;
}

/* ---- requests ------------------------------------------------------------ */

static enum http_method
method_of(struct span s)
{
	if (s.len == 3 && memcmp(s.at, "GET", 3) == 0)
		return HTTP_GET;
	if (s.len == 4 && memcmp(s.at, "HEAD", 4) == 0)
		return HTTP_HEAD;
	return HTTP_OTHER;
}

static bool
is_target(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.at[i] <= ' ' || s.at[i] == 0x7f)
			return false;
	return s.len > 0;
}

/* method SP target SP version: exactly two spaces (RFC 9112 3). */
static int
read_request_line(struct http_request *r, struct span line)
{
	const char *first = memchr(line.at, ' ', line.len);
	const char *last = memrchr(line.at, ' ', line.len);
	struct span method, target, version;
	int minor;

	if (!first || first == last)
		return 400;
	method = (struct span){line.at, (size_t)(first - line.at)};
	target = (struct span){first + 1, (size_t)(last - first) - 1};
	version = (struct span){last + 1, line.len - (size_t)(last - line.at) - 1};
	if (!is_token(method) || !is_target(target))
		return 400;
	minor = read_version(version);
	if (minor < 0)
		return -minor;
	r->method = method_of(method);
	r->minor = minor;
	r->target = target.at;
	r->target_len = target.len;
	return 0;
}

int
http_request_parse(struct http_request *r, const char *head, size_t len)
{
	struct span rest = {head, len};
	struct facts f;
	int status = read_request_line(r, line_next(&rest));

	if (status)
		return status;
	if (!read_fields(&f, rest))
		return 400;
	/* RFC 9112 3.2 */
	if (f.hosts > 1 || (f.hosts == 0 && r->minor >= 1))
		return 400;
	/* RFC 9112 6.1: both is request smuggling.  Only bodies of a known length can
	 * be skipped here, and we have no use for any. */
	if (f.has_encoding)
		return f.has_length ? 400 : 501;
	r->body_len = f.length;
	r->keep_alive = wants_more(&f, r->minor);
	return 0;
}

size_t
http_request_read(struct http_request *r, const char *buf, size_t len, size_t *scan,
                  int *status)
{
	size_t end = *scan == 0 ? http_request_quick(r, buf, len) : 0;

	*status = 0;
	if (end > 0)
		return end;
	end = http_head_end(buf, len, scan);
	if (end > 0)
		*status = http_request_parse(r, buf, end);
	return end;
}

/* ---- paths --------------------------------------------------------------- */

/* An absolute-form target without its scheme and authority (RFC 9112 3.2.2). */
static struct span
target_origin(struct span t)
{
	static const char scheme[] = "http://";
	const char *slash;

	if (t.len < sizeof(scheme) - 1 || t.at[0] == '/' ||
	    strncasecmp(t.at, scheme, sizeof(scheme) - 1) != 0)
		return t;
	t.at += sizeof(scheme) - 1;
	t.len -= sizeof(scheme) - 1;
	slash = memchr(t.at, '/', t.len);
	if (!slash)
		return (struct span){"/", 1};
	t.len -= (size_t)(slash - t.at);
	t.at = slash;
	return t;
}

/* The next character of a target, decoded; 0 at its end, -1 when malformed. */
static int
target_char(struct span *t)
{
	int ch = 0, high, low;

	if (t->len == 0 || t->at[0] == '?' || t->at[0] == '#')
		return 0;
	if (t->at[0] != '%') {
		ch = (unsigned char)t->at[0];
		t->at++;
		t->len--;
		return ch;
	}
	if (t->len < 3)
		return -1;
	high = hex_value(t->at[1]);
	low = hex_value(t->at[2]);
	if (high < 0 || low < 0 || (high == 0 && low == 0))
		return -1;
	t->at += 3;
	t->len -= 3;
	return high * 16 + low;
}

/* Ends the segment that starts at seg of path[0..n): what is left of the path after
 * "", "." and ".." have had their effect; -1 when it left the root. */
static ssize_t
segment_end(const char *path, size_t seg, size_t n)
{
	size_t len = n - seg;

	if (len == 0 || (len == 1 && path[seg] == '.'))
		return (ssize_t)seg;
	if (len != 2 || path[seg] != '.' || path[seg + 1] != '.')
		return (ssize_t)n;
	if (seg == 0)
		return -1;
	for (seg--; seg > 0 && path[seg - 1] != '/'; seg--)
		;
	return (ssize_t)seg;
}

int
http_target_path(char *path, size_t size, const char *target, size_t len)
{
	struct span t = target_origin((struct span){target, len});
	size_t n = 0, seg = 0;
	ssize_t kept;
	int ch;

	if (http_path_quick(path, size, t.at, t.len) >= 0)
		return 0;
	if (t.len == 0 || t.at[0] != '/')
		return 400;
	while ((ch = target_char(&t)) > 0) {
		if (n + 2 > size)
			return 414;
		if (ch != '/') {
			path[n++] = (char)ch;
			continue;
		}
		kept = segment_end(path, seg, n);
		if (kept < 0)
			return 400;
		n = (size_t)kept;
		if (n > seg) /* a real name: its slash stays */
			path[n++] = '/';
		seg = n;
	}
	if (ch < 0)
		return 400;
	kept = segment_end(path, seg, n);
	if (kept < 0)
		return 400;
	path[kept] = '\0';
	return 0;
}

/* ---- replies ------------------------------------------------------------- */

const char *
http_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} table[] = {
		{200, "OK"},
		{400, "Bad Request"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{414, "URI Too Long"},
		{431, "Request Header Fields Too Large"},
		{500, "Internal Server Error"},
		{501, "Not Implemented"},
		{503, "Service Unavailable"},
		{505, "HTTP Version Not Supported"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].status == status)
			return table[i].reason;
	return "Unknown";
}

const char *
http_type(const char *path)
{
	static const char *const table[][2] = {
		{"html", "text/html; charset=utf-8"},
		{"htm", "text/html; charset=utf-8"},
		{"css", "text/css"},
		{"js", "text/javascript"},
		{"mjs", "text/javascript"},
		{"json", "application/json"},
		{"txt", "text/plain; charset=utf-8"},
		{"md", "text/plain; charset=utf-8"},
		{"csv", "text/csv"},
		{"xml", "application/xml"},
		{"svg", "image/svg+xml"},
		{"png", "image/png"},
		{"jpg", "image/jpeg"},
		{"jpeg", "image/jpeg"},
		{"gif", "image/gif"},
		{"webp", "image/webp"},
		{"avif", "image/avif"},
		{"ico", "image/x-icon"},
		{"pdf", "application/pdf"},
		{"wasm", "application/wasm"},
		{"woff2", "font/woff2"},
		{"mp3", "audio/mpeg"},
		{"mp4", "video/mp4"},
		{"webm", "video/webm"},
		{"gz", "application/gzip"},
		{"zip", "application/zip"},
	};
	const char *slash = strrchr(path, '/');
	const char *dot = strrchr(slash ? slash : path, '.');

	if (dot)
		for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
			if (strcasecmp(dot + 1, table[i][0]) == 0)
				return table[i][1];
	return "application/octet-stream";
}

void
http_date(char out[HTTP_DATE_SIZE], time_t at)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct tm tm;

	/* Not strftime(): its names follow the locale. */
	if (!gmtime_r(&at, &tm) || tm.tm_year > 9999 - 1900)
		tm = (struct tm){.tm_year = 70, .tm_mday = 1, .tm_wday = 4};
	snprintf(out, HTTP_DATE_SIZE, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT",
	         days + 3 * tm.tm_wday, (unsigned)tm.tm_mday % 100u, months + 3 * tm.tm_mon,
	         (unsigned)(tm.tm_year + 1900) % 10000u, (unsigned)tm.tm_hour % 100u,
	         (unsigned)tm.tm_min % 100u, (unsigned)tm.tm_sec % 100u);
}

size_t
http_reply_format(char *buf, const struct http_reply *r)
{
	/* RFC 9110 15.5.6: 405 says what is allowed. */
	int n = snprintf(buf, HTTP_REPLY_MAX,
	                 "HTTP/1.1 %d %s\r\nDate: %s\r\nServer: epserver\r\n"
	                 "Content-Type: %s\r\nContent-Length: %llu\r\n%sConnection: %s\r\n\r\n",
	                 r->status, http_reason(r->status), r->date, r->type,
	                 (unsigned long long)r->length,
	                 r->status == 405 ? "Allow: GET, HEAD\r\n" : "",
	                 r->keep_alive ? "keep-alive" : "close");

	return n < HTTP_REPLY_MAX ? (size_t)n : HTTP_REPLY_MAX - 1;
}

/* ---- responses ----------------------------------------------------------- */

/* version SP 3DIGIT [SP reason] (RFC 9112 4): the minor version, or -1. */
static int
read_status_line(struct http_response *r, struct span line)
{
	uint64_t status;
	int minor;

	if (line.len < 12 || line.at[8] != ' ' || (line.len > 12 && line.at[12] != ' '))
		return -1;
	minor = read_version((struct span){line.at, 8});
	if (minor < 0 || !span_number((struct span){line.at + 9, 3}, &status) || status < 100)
		return -1;
	r->status = (int)status;
	return minor;
}

/* RFC 9112 6.3, in its order. */
static enum http_framing
response_framing(const struct facts *f, int status, bool was_head)
{
	if (was_head || status < 200 || status == 204 || status == 304)
		return HTTP_NO_BODY;
	if (f->has_encoding)
		return f->chunked ? HTTP_BY_CHUNKS : HTTP_BY_CLOSE;
	return f->has_length ? HTTP_BY_LENGTH : HTTP_BY_CLOSE;
}

int
http_response_parse(struct http_response *r, const char *head, size_t len, bool was_head)
{
	struct span rest = {head, len};
	struct facts f;
	int minor = read_status_line(r, line_next(&rest));

	if (minor < 0 || !read_fields(&f, rest))
		return -1;
	r->framing = response_framing(&f, r->status, was_head);
	r->length = f.length;
	r->keep_alive = wants_more(&f, minor) && r->framing != HTTP_BY_CLOSE;
	return 0;
}

size_t
http_response_read(struct http_response *r, const char *buf, size_t len, size_t *scan,
                   int *status)
{
	size_t end = *scan == 0 ? http_response_quick(r, buf, len) : 0;

	*status = 0;
	if (end > 0)
		return end;
	end = http_head_end(buf, len, scan);
	if (end > 0)
		*status = http_response_parse(r, buf, end, false);
	return end;
}

/* ---- chunked bodies ------------------------------------------------------ */

enum { CHUNK_SIZE, CHUNK_SIZE_LINE, CHUNK_DATA, CHUNK_DATA_END, CHUNK_TRAILER };

/* One byte of framing: 0, or -1 when it cannot stand there. */
static int
chunk_byte(struct http_chunks *k, char ch)
{
	int digit = hex_value(ch);

	if (++k->line > HTTP_HEAD_MAX)
		return -1;
	switch (k->state) {
	case CHUNK_SIZE:
		if (digit >= 0) {
			if (k->left >> 58)
				return -1;
			k->left = k->left * 16 + (uint64_t)digit;
			return 0;
		}
		/* At least one digit; then an extension, which is ignored, or the end. */
		if (k->line == 1 || !strchr("; \t\r\n", ch) || ch == 0)
			return -1;
		k->state = CHUNK_SIZE_LINE;
		if (ch != '\n')
			return 0;
		/* fallthrough */
	case CHUNK_SIZE_LINE:
		if (ch == '\n') {
			k->state = k->left > 0 ? CHUNK_DATA : CHUNK_TRAILER;
			k->line = 0;
		}
		return 0;
	case CHUNK_DATA_END:
		if (ch == '\n') {
			k->state = CHUNK_SIZE;
			k->line = 0;
		}
		return ch == '\n' || (ch == '\r' && k->line == 1) ? 0 : -1;
	default: /* CHUNK_TRAILER: fields until an empty line */
		if (ch == '\n') {
			k->done = k->left == 0;
			k->left = 0;
			k->line = 0;
		} else if (ch != '\r') {
			k->left = 1; /* this line is not empty */
		}
		return 0;
	}
}

ssize_t
http_chunks_next(struct http_chunks *k, const char *buf, size_t len, const char **body,
                 size_t *body_len)
{
	size_t i = 0;

	*body_len = 0;
	while (i < len && !k->done) {
		if (k->state == CHUNK_DATA) {
			*body = buf + i;
			*body_len = k->left < len - i ? (size_t)k->left : len - i;
			k->left -= *body_len;
			if (k->left == 0)
				k->state = CHUNK_DATA_END;
			return (ssize_t)(i + *body_len);
		}
		if (chunk_byte(k, buf[i++]) < 0)
			return -1;
	}
	return (ssize_t)i;
}

/* ---- URLs ---------------------------------------------------------------- */

/* Splits off [address] or name-or-address; what follows it, or NULL. */
static const char *
url_host(struct http_url *u, const char *text)
{
	const char *end;

	u->bracketed = *text == '[';
	text += u->bracketed;
	end = u->bracketed ? strchr(text, ']') : text + strcspn(text, ":/?#");
	if (!end || end == text || (size_t)(end - text) >= sizeof(u->host))
		return NULL;
	memcpy(u->host, text, (size_t)(end - text));
	u->host[end - text] = '\0';
	return end + u->bracketed;
}

const char *
http_url_parse(struct http_url *u, const char *text)
{
	size_t digits;
	uint64_t port = 80;

	if (strncasecmp(text, "https:", 6) == 0)
		return "https is not supported; use http";
	if (strncasecmp(text, "http://", 7) == 0)
		text += 7;
	text = url_host(u, text);
	if (!text)
		return "no host in it; write [http://]ADDRESS[:PORT]/PATH";
	if (*text == ':') {
		digits = strcspn(++text, "/?#");
		if (!span_number((struct span){text, digits}, &port) || port < 1 || port > 65535)
			return "the port must be a number from 1 to 65535";
		text += digits;
	}
	if (*text != '\0' && *text != '/')
		return "a path must start with a slash";
	if (strlen(text) >= sizeof(u->path))
		return "the path is too long";
	if (*text && !is_target((struct span){text, strlen(text)}))
		return "spaces in the path must be written as %20";
	u->port = (uint16_t)port;
	snprintf(u->path, sizeof(u->path), "%s", *text ? text : "/");
	u->path[strcspn(u->path, "#")] = '\0';
	return NULL;
}
