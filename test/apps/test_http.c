/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HTTP as text: what RFC 9112 lets a server accept, what it must refuse, and that
 * no way of cutting a message into pieces changes its meaning.
 */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/http.h"

#define GOOD "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"

/* The status that a whole head earns. */
static int
judge(struct http_request *r, const char *head)
{
	size_t scan = 0, len = strlen(head);

	memset(r, 0xa5, sizeof(*r));
	CU_ASSERT_EQUAL(http_head_end(head, len, &scan), len);
	return http_request_parse(r, head, len);
}

static int
status_of(const char *head)
{
	struct http_request r;

	return judge(&r, head);
}

static void
test_a_head_ends_at_its_empty_line(void)
{
	size_t scan = 0;

	CU_ASSERT_EQUAL(http_head_end(GOOD "tail", strlen(GOOD) + 4, &scan), strlen(GOOD));
	scan = 0;
	CU_ASSERT_EQUAL(http_head_end("GET / HTTP/1.0\n\nx", 17, &scan), 16);
	scan = 0;
	CU_ASSERT_EQUAL(http_head_end("GET / HTTP/1.0\n\r\nx", 18, &scan), 17);
	scan = 0;
	CU_ASSERT_EQUAL(http_head_end("a\r\nb\r\n\r", 8, &scan), 0);
}

/* Byte by byte and remembering the scan, the end is found at the same place. */
static void
test_a_split_head_is_found_at_its_last_byte(void)
{
	static const char *const heads[] = {GOOD, "GET / HTTP/1.0\n\n", "a\nb\r\n\nc", "\n\r\n"};

	for (size_t h = 0; h < sizeof(heads) / sizeof(heads[0]); h++) {
		size_t whole, scan = 0, first = 0;

		whole = http_head_end(heads[h], strlen(heads[h]), &first);
		CU_ASSERT_NOT_EQUAL(whole, 0);
		for (size_t len = 0; len < whole; len++)
			CU_ASSERT_EQUAL(http_head_end(heads[h], len, &scan), 0);
		CU_ASSERT_EQUAL(http_head_end(heads[h], whole, &scan), whole);
	}
}

static void
test_pipelined_heads_come_one_at_a_time(void)
{
	static const char two[] = GOOD "HEAD /b HTTP/1.0\r\n\r\n";
	struct http_request r;
	size_t scan = 0, first, second;

	first = http_head_end(two, strlen(two), &scan);
	CU_ASSERT_EQUAL(first, strlen(GOOD));
	scan = 0;
	second = http_head_end(two + first, strlen(two) - first, &scan);
	CU_ASSERT_EQUAL(first + second, strlen(two));
	CU_ASSERT_EQUAL(http_request_parse(&r, two + first, second), 0);
	CU_ASSERT_EQUAL(r.method, HTTP_HEAD);
	CU_ASSERT_NSTRING_EQUAL(r.target, "/b", r.target_len);
}

/* RFC 9112 2.2 */
static void
test_empty_lines_before_a_request_are_skipped(void)
{
	CU_ASSERT_EQUAL(http_blank("\r\n\n\r\nGET", 8), 5);
	CU_ASSERT_EQUAL(http_blank("GET", 3), 0);
	CU_ASSERT_EQUAL(http_blank("\r", 1), 0);
	CU_ASSERT_EQUAL(http_blank("\rG", 2), 0);
}

/* RFC 9112 9.3 */
static void
test_connections_persist_by_version_and_wish(void)
{
	struct http_request r;

	CU_ASSERT_EQUAL(judge(&r, GOOD), 0);
	CU_ASSERT_TRUE(r.keep_alive);
	CU_ASSERT_EQUAL(r.minor, 1);
	CU_ASSERT_EQUAL(judge(&r, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"), 0);
	CU_ASSERT_FALSE(r.keep_alive);
	CU_ASSERT_EQUAL(judge(&r, "GET / HTTP/1.0\r\n\r\n"), 0);
	CU_ASSERT_FALSE(r.keep_alive);
	CU_ASSERT_EQUAL(judge(&r, "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"), 0);
	CU_ASSERT_TRUE(r.keep_alive);
	CU_ASSERT_EQUAL(
		judge(&r, "GET / HTTP/1.1\r\nHost: h\r\nconnection: x, CLOSE ,keep-alive\r\n\r\n"), 0);
	CU_ASSERT_FALSE(r.keep_alive);
}

static void
test_a_body_is_measured(void)
{
	struct http_request r;

	CU_ASSERT_EQUAL(judge(&r, "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 12 \r\n\r\n"), 0);
	CU_ASSERT_EQUAL(r.method, HTTP_OTHER);
	CU_ASSERT_EQUAL(r.body_len, 12);
	CU_ASSERT_EQUAL(judge(&r, GOOD), 0);
	CU_ASSERT_EQUAL(r.body_len, 0);
}

static void
test_malformed_request_lines_are_refused(void)
{
	CU_ASSERT_EQUAL(status_of("GET /\r\n\r\n"), 400);
	CU_ASSERT_EQUAL(status_of("GET  / HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
	CU_ASSERT_EQUAL(status_of("GET / a HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
	CU_ASSERT_EQUAL(status_of("G(T / HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
	CU_ASSERT_EQUAL(status_of(" / HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
	CU_ASSERT_EQUAL(status_of("GET / HTTP/1.1 \r\nHost: h\r\n\r\n"), 400);
	CU_ASSERT_EQUAL(status_of("GET / http/1.1\r\nHost: h\r\n\r\n"), 400);
	CU_ASSERT_EQUAL(status_of("GET /\x01 HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
	CU_ASSERT_EQUAL(status_of("GET / HTTP/2.0\r\nHost: h\r\n\r\n"), 505);
	CU_ASSERT_EQUAL(status_of("GET / HTTP/1.9\r\nHost: h\r\n\r\n"), 0);
}

static void
test_malformed_fields_are_refused(void)
{
	CU_ASSERT_EQUAL(status_of("GET / HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n"), 400);
	CU_ASSERT_EQUAL(status_of("GET / HTTP/1.1\r\nHost : h\r\n\r\n"), 400);
	CU_ASSERT_EQUAL(status_of("GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n"), 400);
	CU_ASSERT_EQUAL(status_of("GET / HTTP/1.1\r\nHost: h\r\n: b\r\n\r\n"), 400);
	CU_ASSERT_EQUAL(status_of("GET / HTTP/1.1\r\nHost: h\r\nA: b\rc\r\n\r\n"), 400);
	CU_ASSERT_EQUAL(status_of("GET / HTTP/1.1\r\nHost: h\r\nA:\r\n\r\n"), 0);
}

/* RFC 9112 3.2 */
static void
test_a_host_is_required_once(void)
{
	CU_ASSERT_EQUAL(status_of("GET / HTTP/1.1\r\n\r\n"), 400);
	CU_ASSERT_EQUAL(status_of("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), 400);
	CU_ASSERT_EQUAL(status_of("GET / HTTP/1.0\r\n\r\n"), 0);
}

/* RFC 9112 6.1, 6.3: a body whose end is open to debate. */
static void
test_ambiguous_bodies_are_refused(void)
{
	CU_ASSERT_EQUAL(status_of("A / HTTP/1.0\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
	                400);
	CU_ASSERT_EQUAL(status_of("A / HTTP/1.0\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n"),
	                0);
	CU_ASSERT_EQUAL(status_of("A / HTTP/1.0\r\nContent-Length: -1\r\n\r\n"), 400);
	CU_ASSERT_EQUAL(status_of("A / HTTP/1.0\r\nContent-Length: 1x\r\n\r\n"), 400);
	CU_ASSERT_EQUAL(status_of("A / HTTP/1.0\r\nContent-Length:\r\n\r\n"), 400);
	CU_ASSERT_EQUAL(status_of("A / HTTP/1.0\r\nContent-Length: 99999999999999999999\r\n\r\n"),
	                400);
	CU_ASSERT_EQUAL(status_of("A / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 501);
	CU_ASSERT_EQUAL(status_of("A / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n"
	                          "Content-Length: 1\r\n\r\n"),
	                400);
}

/* A NUL, any byte, any length: an answer, never a fault. */
static void
test_no_byte_in_a_head_does_harm(void)
{
	struct http_request r;
	char head[sizeof(GOOD)];

	for (size_t at = 0; at < strlen(GOOD); at++) {
		for (int byte = 0; byte < 256; byte++) {
			int status;

			memcpy(head, GOOD, sizeof(head));
			head[at] = (char)byte;
			status = http_request_parse(&r, head, strlen(GOOD));
			CU_ASSERT_TRUE(status == 0 || status == 400 || status == 505);
		}
	}
	for (size_t len = 0; len < strlen(GOOD); len++) {
		char *cut = malloc(len + 1);

		/* A block of its own, so that a sanitizer sees a byte too far. */
		memcpy(cut, GOOD, len);
		(void)http_request_parse(&r, cut, len);
		free(cut);
	}
}

static void
check_path(const char *target, int status, const char *want)
{
	char path[64] = "";
	int got = http_target_path(path, sizeof(path), target, strlen(target));

	if (got != status || (status == 0 && strcmp(path, want) != 0))
		printf("\n%s: %d '%s', not %d '%s'\n", target, got, path, status, want);
	CU_ASSERT_EQUAL(got, status);
	if (got == 0 && status == 0)
		CU_ASSERT_STRING_EQUAL(path, want);
}

static void
test_targets_become_paths(void)
{
	check_path("/", 0, "");
	check_path("/a/b.html", 0, "a/b.html");
	check_path("/a/", 0, "a/");
	check_path("/a%20b%2fc", 0, "a b/c");
	check_path("/a?b=/../..", 0, "a");
	check_path("/a#b", 0, "a");
	check_path("//a///b", 0, "a/b");
	check_path("/a/./b/.", 0, "a/b/");
	check_path("/a/b/..", 0, "a/");
	check_path("/a/../b", 0, "b");
	check_path("/a/..b/...", 0, "a/..b/...");
	check_path("http://h:80/x", 0, "x");
	check_path("HTTP://h", 0, "");
}

static void
test_no_target_leaves_the_root(void)
{
	check_path("/..", 400, "");
	check_path("/../etc/passwd", 400, "");
	check_path("/a/../../etc/passwd", 400, "");
	check_path("/%2e%2e/etc/passwd", 400, "");
	check_path("/a%2f..%2F..%2fetc", 400, "");
	check_path("/.%2e/x", 400, "");
	check_path("//..//x", 400, "");
	check_path("http://h/../x", 400, "");
}

static void
test_malformed_targets_are_refused(void)
{
	char long_target[100];

	check_path("", 400, "");
	check_path("*", 400, "");
	check_path("a", 400, "");
	check_path("/%", 400, "");
	check_path("/%4", 400, "");
	check_path("/%zz", 400, "");
	check_path("/a%00b", 400, "");
	memset(long_target, 'a', sizeof(long_target) - 1);
	long_target[0] = '/';
	long_target[sizeof(long_target) - 1] = '\0';
	check_path(long_target, 414, "");
	long_target[63] = '\0'; /* 62 characters and a NUL */
	check_path(long_target, 0, long_target + 1);
}

static void
test_types_follow_the_ending_of_a_name(void)
{
	CU_ASSERT_STRING_EQUAL(http_type("a/b.HTML"), "text/html; charset=utf-8");
	CU_ASSERT_STRING_EQUAL(http_type("x.png"), "image/png");
	CU_ASSERT_STRING_EQUAL(http_type("a.png/x"), "application/octet-stream");
	CU_ASSERT_STRING_EQUAL(http_type(""), "application/octet-stream");
}

/* The example of RFC 9110 5.6.7. */
static void
test_dates_are_in_gmt(void)
{
	char date[HTTP_DATE_SIZE];

	http_date(date, 784111777);
	CU_ASSERT_STRING_EQUAL(date, "Sun, 06 Nov 1994 08:49:37 GMT");
	http_date(date, (time_t)1 << 60);
	CU_ASSERT_EQUAL(strlen(date), HTTP_DATE_SIZE - 1);
}

/* What we write, we can read. */
static void
test_a_reply_reads_back(void)
{
	struct http_reply r = {405, "text/plain", "Sun, 06 Nov 1994 08:49:37 GMT", 7, false};
	struct http_response back;
	char head[HTTP_REPLY_MAX + 1];
	size_t scan = 0, len = http_reply_format(head, &r);

	head[len] = '\0';
	CU_ASSERT_EQUAL(http_head_end(head, len, &scan), len);
	CU_ASSERT_EQUAL(http_response_parse(&back, head, len, false), 0);
	CU_ASSERT_EQUAL(back.status, 405);
	CU_ASSERT_EQUAL(back.framing, HTTP_BY_LENGTH);
	CU_ASSERT_EQUAL(back.length, 7);
	CU_ASSERT_FALSE(back.keep_alive);
	CU_ASSERT_PTR_NOT_NULL(strstr(head, "\r\nAllow: GET, HEAD\r\n"));
}

static void
check_framing(const char *head, bool was_head, enum http_framing want, bool keep_alive)
{
	struct http_response r;

	CU_ASSERT_EQUAL(http_response_parse(&r, head, strlen(head), was_head), 0);
	CU_ASSERT_EQUAL(r.framing, want);
	CU_ASSERT_EQUAL(r.keep_alive, keep_alive);
}

/* RFC 9112 6.3 */
static void
test_a_response_tells_where_its_body_ends(void)
{
	check_framing("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", false, HTTP_BY_LENGTH, true);
	check_framing("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true, HTTP_NO_BODY, true);
	check_framing("HTTP/1.1 204 No\r\n\r\n", false, HTTP_NO_BODY, true);
	check_framing("HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n", false, HTTP_NO_BODY, true);
	check_framing("HTTP/1.1 100\r\n\r\n", false, HTTP_NO_BODY, true);
	check_framing("HTTP/1.1 200 OK\r\n\r\n", false, HTTP_BY_CLOSE, false);
	check_framing("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n", false,
	              HTTP_BY_CHUNKS, true);
	check_framing("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", false, HTTP_BY_CLOSE,
	              false);
	check_framing("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", false, HTTP_BY_LENGTH, false);
}

static void
test_what_is_no_response_is_refused(void)
{
	static const char *const bad[] = {
		"HTTP/1.1 20 OK\r\n\r\n",   "HTTP/1.1 099 OK\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n",
		"HTTP/1.1 2000\r\n\r\n",    "SSH-2.0-x\r\n\r\n",       "\r\n",
		"HTTP/1.1  200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nA b\r\n\r\n",
	};
	struct http_response r;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT_EQUAL(http_response_parse(&r, bad[i], strlen(bad[i]), false), -1);
}

/* Decodes text in pieces of step bytes; what was taken, or -1. */
static ssize_t
unchunk(const char *text, size_t step, char *out, bool *done)
{
	struct http_chunks k = {0};
	size_t at = 0, len = strlen(text), have = 0;

	while (at < len && !k.done) {
		const char *body = NULL;
		size_t n, piece = step < len - at ? step : len - at;
		ssize_t taken = http_chunks_next(&k, text + at, piece, &body, &n);

		if (taken < 0)
			return -1;
		memcpy(out + have, body ? body : "", n);
		have += n;
		at += (size_t)taken;
	}
	out[have] = '\0';
	*done = k.done;
	return (ssize_t)at;
}

static void
test_chunks_decode_however_they_are_split(void)
{
	static const char text[] = "5\r\nhello\r\nA;x=\"y\"\r\n 0123456\r\n\r\n001 \r\n!\r\n"
	                           "0\r\nTrailer: t\r\n\r\n";
	char out[sizeof(text)];
	bool done;

	for (size_t step = 1; step <= strlen(text); step++) {
		CU_ASSERT_EQUAL(unchunk(text, step, out, &done), (ssize_t)strlen(text));
		CU_ASSERT_TRUE(done);
		CU_ASSERT_STRING_EQUAL(out, "hello 0123456\r\n!");
	}
	CU_ASSERT_EQUAL(unchunk("0\r\n\r\nnext", 99, out, &done), 5);
	CU_ASSERT_TRUE(done);
	CU_ASSERT_EQUAL(unchunk("5\r\nhell", 99, out, &done), 7);
	CU_ASSERT_FALSE(done);
}

static void
test_malformed_chunks_are_refused(void)
{
	static const char *const bad[] = {"\r\n", "x\r\n", "-1\r\n", "1g\r\n",
	                                  "1\r\nab\r\n", "1\r\na\rb", "fffffffffffffffff\r\n"};
	char out[64];
	bool done;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT_EQUAL(unchunk(bad[i], 1, out, &done), -1);
}

/* A peer that sends an endless line must not be read for ever. */
static void
test_a_chunk_line_is_bounded(void)
{
	struct http_chunks k = {0};
	const char *body;
	size_t n, i = 0;

	CU_ASSERT_EQUAL(http_chunks_next(&k, "1;", 2, &body, &n), 2);
	while (i < 2 * HTTP_HEAD_MAX && http_chunks_next(&k, "a", 1, &body, &n) == 1)
		i++;
	CU_ASSERT_TRUE(i < HTTP_HEAD_MAX);
}

static void
test_urls_are_taken_apart(void)
{
	struct http_url u;

	CU_ASSERT_PTR_NULL(http_url_parse(&u, "http://10.0.0.1:8080/a?b#c"));
	CU_ASSERT_STRING_EQUAL(u.host, "10.0.0.1");
	CU_ASSERT_EQUAL(u.port, 8080);
	CU_ASSERT_STRING_EQUAL(u.path, "/a?b");
	CU_ASSERT_FALSE(u.bracketed);
	CU_ASSERT_PTR_NULL(http_url_parse(&u, "10.0.0.1"));
	CU_ASSERT_EQUAL(u.port, 80);
	CU_ASSERT_STRING_EQUAL(u.path, "/");
	CU_ASSERT_PTR_NULL(http_url_parse(&u, "[fd00::1]:81/x"));
	CU_ASSERT_TRUE(u.bracketed);
	CU_ASSERT_STRING_EQUAL(u.host, "fd00::1");
	CU_ASSERT_EQUAL(u.port, 81);
}

static void
test_bad_urls_say_what_is_wrong(void)
{
	static const char *const bad[] = {
		"", "http://", "https://a/", "a:0/", "a:65536/", "a:/", "a:8x/", "[::1", "[]/x",
		"a?b", "a/b c", "[::1]x",
	};
	struct http_url u;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT_PTR_NOT_NULL(http_url_parse(&u, bad[i]));
}

void suite_http(void);

void
suite_http(void)
{
	CU_pSuite s = CU_add_suite("http", NULL, NULL);

	CU_add_test(s, "a head ends at its empty line", test_a_head_ends_at_its_empty_line);
	CU_add_test(s, "a split head is found at its last byte",
	            test_a_split_head_is_found_at_its_last_byte);
	CU_add_test(s, "pipelined heads come one at a time",
	            test_pipelined_heads_come_one_at_a_time);
	CU_add_test(s, "empty lines before a request are skipped",
	            test_empty_lines_before_a_request_are_skipped);
	CU_add_test(s, "connections persist by version and wish",
	            test_connections_persist_by_version_and_wish);
	CU_add_test(s, "a body is measured", test_a_body_is_measured);
	CU_add_test(s, "malformed request lines are refused",
	            test_malformed_request_lines_are_refused);
	CU_add_test(s, "malformed fields are refused", test_malformed_fields_are_refused);
	CU_add_test(s, "a host is required once", test_a_host_is_required_once);
	CU_add_test(s, "ambiguous bodies are refused", test_ambiguous_bodies_are_refused);
	CU_add_test(s, "no byte in a head does harm", test_no_byte_in_a_head_does_harm);
	CU_add_test(s, "targets become paths", test_targets_become_paths);
	CU_add_test(s, "no target leaves the root", test_no_target_leaves_the_root);
	CU_add_test(s, "malformed targets are refused", test_malformed_targets_are_refused);
	CU_add_test(s, "types follow the ending of a name", test_types_follow_the_ending_of_a_name);
	CU_add_test(s, "dates are in GMT", test_dates_are_in_gmt);
	CU_add_test(s, "a reply reads back", test_a_reply_reads_back);
	CU_add_test(s, "a response tells where its body ends",
	            test_a_response_tells_where_its_body_ends);
	CU_add_test(s, "what is no response is refused", test_what_is_no_response_is_refused);
	CU_add_test(s, "chunks decode however they are split",
	            test_chunks_decode_however_they_are_split);
	CU_add_test(s, "malformed chunks are refused", test_malformed_chunks_are_refused);
	CU_add_test(s, "a chunk line is bounded", test_a_chunk_line_is_bounded);
	CU_add_test(s, "URLs are taken apart", test_urls_are_taken_apart);
	CU_add_test(s, "bad URLs say what is wrong", test_bad_urls_say_what_is_wrong);
}
