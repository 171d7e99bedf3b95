/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The usual heads are read quickly, and nothing that is read quickly is read otherwise
 * than by those who read everything: neither whole, cut short, nor with any byte changed.
 */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/http_quick.h"

static const char *const requests[] = {
	"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
	"GET /a/b.html?x=%20 HTTP/1.1\r\nHost: [::1]:80\r\nUser-Agent: x\r\nAccept: */*\r\n"
	"Connection: keep-alive\r\n\r\n",
	"HEAD /x HTTP/1.0\r\n\r\n",
	"GET /x HTTP/1.0\r\nconnection: Keep-Alive\r\n\r\n",
	"GET /x HTTP/1.1\r\nHOST:h\r\nConnection: close\r\nContent-Length: 12\r\n\r\n",
};

static const char *const responses[] = {
	"HTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\n",
	"HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: s\r\n"
	"Content-Type: text/plain\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
	"HTTP/1.1 200 \r\ncontent-length: 123456789012345678\r\nConnection: Keep-Alive\r\n\r\n",
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Right behind the last byte there is none, as a sanitizer sees. */
static char *
copy_of(const char *text, size_t len)
{
	char *copy = malloc(len ? len : 1);

	memcpy(copy, text, len);
	return copy;
}

/* ---- requests ------------------------------------------------------------ */

/* What is read quickly, if anything, is what is read slowly; its length. */
static size_t
request_both_ways(const char *text, size_t len)
{
	struct http_request quick, slow;
	char *buf = copy_of(text, len);
	size_t scan = 0, n = http_request_quick(&quick, buf, len);

	if (n > 0) {
		CU_ASSERT_EQUAL(http_head_end(buf, len, &scan), n);
		CU_ASSERT_EQUAL(http_request_parse(&slow, buf, n), 0);
		CU_ASSERT_EQUAL(quick.method, slow.method);
		CU_ASSERT_EQUAL(quick.minor, slow.minor);
		CU_ASSERT_EQUAL(quick.keep_alive, slow.keep_alive);
		CU_ASSERT_EQUAL(quick.body_len, slow.body_len);
		CU_ASSERT_PTR_EQUAL(quick.target, slow.target);
		CU_ASSERT_EQUAL(quick.target_len, slow.target_len);
	}
	free(buf);
	return n;
}

static void
test_usual_requests_are_read_quickly(void)
{
	for (size_t i = 0; i < COUNT(requests); i++)
		CU_ASSERT_EQUAL(request_both_ways(requests[i], strlen(requests[i])),
		                strlen(requests[i]));
}

static void
test_a_request_cut_short_is_not_read(void)
{
	for (size_t i = 0; i < COUNT(requests); i++)
		for (size_t len = 0; len < strlen(requests[i]); len++)
			CU_ASSERT_EQUAL(request_both_ways(requests[i], len), 0);
}

static void
test_of_pipelined_requests_the_first_is_read(void)
{
	char two[512];

	snprintf(two, sizeof(two), "%s%s", requests[1], requests[2]);
	CU_ASSERT_EQUAL(request_both_ways(two, strlen(two)), strlen(requests[1]));
}

static void
test_no_changed_byte_makes_a_request_another(void)
{
	char text[512];

	for (size_t i = 0; i < COUNT(requests); i++) {
		size_t len = strlen(requests[i]);

		for (size_t at = 0; at < len; at++) {
			for (int byte = 0; byte < 256; byte++) {
				memcpy(text, requests[i], len);
				text[at] = (char)byte;
				(void)request_both_ways(text, len);
			}
		}
	}
}

static void
test_unusual_requests_are_left_alone(void)
{
	static const char *const others[] = {
		"PUT / HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET / HTTP/1.1\nHost: h\n\n",
		"GET / HTTP/1.1\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n",
		"GET / HTTP/1.2\r\nHost: h\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: h\r\nConnection: close, x\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1234567890123456789\r\n\r\n",
	};

	for (size_t i = 0; i < COUNT(others); i++)
		CU_ASSERT_EQUAL(request_both_ways(others[i], strlen(others[i])), 0);
}

/* ---- responses ----------------------------------------------------------- */

static size_t
response_both_ways(const char *text, size_t len)
{
	struct http_response quick, slow;
	char *buf = copy_of(text, len);
	size_t scan = 0, n = http_response_quick(&quick, buf, len);

	if (n > 0) {
		CU_ASSERT_EQUAL(http_head_end(buf, len, &scan), n);
		CU_ASSERT_EQUAL(http_response_parse(&slow, buf, n, false), 0);
		CU_ASSERT_EQUAL(quick.status, slow.status);
		CU_ASSERT_EQUAL(quick.framing, slow.framing);
		CU_ASSERT_EQUAL(quick.length, slow.length);
		CU_ASSERT_EQUAL(quick.keep_alive, slow.keep_alive);
	}
	free(buf);
	return n;
}

static void
test_usual_responses_are_read_quickly(void)
{
	for (size_t i = 0; i < COUNT(responses); i++) {
		size_t len = strlen(responses[i]);

		CU_ASSERT_EQUAL(response_both_ways(responses[i], len), len);
		while (len-- > 0)
			CU_ASSERT_EQUAL(response_both_ways(responses[i], len), 0);
	}
}

static void
test_no_changed_byte_makes_a_response_another(void)
{
	char text[512];

	for (size_t i = 0; i < COUNT(responses); i++) {
		size_t len = strlen(responses[i]);

		for (size_t at = 0; at < len; at++) {
			for (int byte = 0; byte < 256; byte++) {
				memcpy(text, responses[i], len);
				text[at] = (char)byte;
				(void)response_both_ways(text, len);
			}
		}
	}
}

/* ---- paths --------------------------------------------------------------- */

static void
check_path(const char *target, const char *want)
{
	char path[64];
	size_t len = strlen(target);

	CU_ASSERT_EQUAL(http_path_quick(path, sizeof(path), target, len),
	                want ? (ssize_t)strlen(want) : -1);
	if (want)
		CU_ASSERT_STRING_EQUAL(path, want);
	/* As if there were only the slow way, which an escape takes. */
	if (want && len + 2 < sizeof(path)) {
		char escaped[64], slow[64];

		snprintf(escaped, sizeof(escaped), "/%%2f%s", target + 1);
		CU_ASSERT_EQUAL(http_target_path(slow, sizeof(slow), escaped, strlen(escaped)), 0);
		CU_ASSERT_STRING_EQUAL(slow, want);
	}
}

static void
test_plain_targets_are_paths_as_they_stand(void)
{
	check_path("/", "");
	check_path("/a", "a");
	check_path("/a/b.html", "a/b.html");
	check_path("/a/", "a/");
	check_path("/a../b.", "a../b.");
	check_path("/a b", NULL);
	check_path("/a?b", NULL);
	check_path("/a#b", NULL);
	check_path("/%41", NULL);
	check_path("/./a", NULL);
	check_path("/a/../b", NULL);
	check_path("/.a", NULL);
	check_path("//a", NULL);
	check_path("a", NULL);
	check_path("", NULL);
}

static void
test_a_path_that_does_not_fit_is_left_alone(void)
{
	char path[4];

	CU_ASSERT_EQUAL(http_path_quick(path, sizeof(path), "/abc", 4), 3);
	CU_ASSERT_EQUAL(http_path_quick(path, sizeof(path), "/abcd", 5), -1);
}

void suite_http_quick(void);

void
suite_http_quick(void)
{
	CU_pSuite s = CU_add_suite("http_quick", NULL, NULL);

	CU_add_test(s, "usual requests are read quickly", test_usual_requests_are_read_quickly);
	CU_add_test(s, "a request cut short is not read", test_a_request_cut_short_is_not_read);
	CU_add_test(s, "of pipelined requests the first is read",
	            test_of_pipelined_requests_the_first_is_read);
	CU_add_test(s, "no changed byte makes a request another",
	            test_no_changed_byte_makes_a_request_another);
	CU_add_test(s, "unusual requests are left alone", test_unusual_requests_are_left_alone);
	CU_add_test(s, "usual responses are read quickly", test_usual_responses_are_read_quickly);
	CU_add_test(s, "no changed byte makes a response another",
	            test_no_changed_byte_makes_a_response_another);
	CU_add_test(s, "plain targets are paths as they stand",
	            test_plain_targets_are_paths_as_they_stand);
	CU_add_test(s, "a path that does not fit is left alone",
	            test_a_path_that_does_not_fit_is_left_alone);
}
