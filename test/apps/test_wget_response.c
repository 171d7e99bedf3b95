/* SPDX-License-Identifier: BSD-3-Clause */
/* One response, in pieces of any size. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apps/wget_response.h"

static const struct response_check any = { .size = -1 };

/* The text in pieces of `size`; how it went, and whether it was complete. */
static enum failure
feed(struct response *r, const char *text, size_t size, bool *done)
{
	enum failure why = NO_FAILURE;

	*done = false;
	for (size_t len = strlen(text); len > 0 && !why && !*done;) {
		size_t n = len < size ? len : size;

		why = response_take(r, text, n, done);
		text += n;
		len -= n;
	}
	return why;
}

static enum failure
result_of(const struct response_check *check, const char *text, bool *done)
{
	struct response r;
	enum failure why;

	response_begin(&r, check, -1);
	why = feed(&r, text, 4096, done);
	response_drop(&r);
	return why;
}

/* Whole or in pieces, first or again; and another head in between says another thing. */
static void
test_known(void)
{
	static const char *const text[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbye",
		"HTTP/1.1 404 No\r\nContent-Length: 3\r\n\r\nbye",
	};
	static const enum failure want[] = { NO_FAILURE, NO_FAILURE, BAD_STATUS };
	struct response_known known = { .head = { .len = 0 } };
	struct response r;
	bool done;

	for (int round = 0; round < 12; round++) {
		int which = round / 2 % 3;

		response_begin(&r, &any, -1);
		r.known = &known;
		CU_ASSERT_EQUAL(feed(&r, text[which], round % 4 ? 4096 : 7, &done), want[which]);
		CU_ASSERT_EQUAL(done, want[which] == NO_FAILURE);
		CU_ASSERT_EQUAL(r.head.status, which == 2 ? 404 : 200);
		CU_ASSERT_EQUAL(r.head.length, which == 0 ? 5 : 3);
		CU_ASSERT_EQUAL(r.head.keep_alive, which != 1);
		response_drop(&r);
	}
}

static void
test_pieces(void)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n"
				   "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
	static const char chunked[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
				      "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n";
	struct response r;
	bool done;

	for (size_t size = 1; size < sizeof(text); size++) {
		response_begin(&r, &any, -1);
		CU_ASSERT_EQUAL(feed(&r, text, size, &done), NO_FAILURE);
		CU_ASSERT_TRUE(done);
		CU_ASSERT_EQUAL(r.got, 5);
		response_drop(&r);
		response_begin(&r, &any, -1);
		CU_ASSERT_EQUAL(feed(&r, chunked, size, &done), NO_FAILURE);
		CU_ASSERT_TRUE(done);
		CU_ASSERT_EQUAL(r.got, 5);
		response_drop(&r);
	}
}

static void
test_wrong(void)
{
	bool done;

	CU_ASSERT_EQUAL(result_of(&any, "SSH-2.0-x\r\n\r\n", &done), BAD_HEAD);
	CU_ASSERT_EQUAL(result_of(&any, "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", &done),
	                BAD_STATUS);
	CU_ASSERT_EQUAL(
	    result_of(&any, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxy", &done), BAD_BODY);
	CU_ASSERT_EQUAL(
	    result_of(&any, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nz", &done),
	    BAD_BODY);
}

static void
test_endless_head(void)
{
	struct response r;
	enum failure why = NO_FAILURE;
	bool done;

	response_begin(&r, &any, -1);
	why = feed(&r, "HTTP/1.1 200 OK\r\n", 100, &done);
	for (int i = 0; i < 10000 && !why; i++)
		why = feed(&r, "A: b\r\n", 100, &done);
	CU_ASSERT_EQUAL(why, BAD_HEAD);
	response_drop(&r);
}

static void
test_close(void)
{
	struct response r;
	bool done;

	response_begin(&r, &any, -1);
	CU_ASSERT_EQUAL(feed(&r, "HTTP/1.1 200 OK\r\n\r\nab", 100, &done), NO_FAILURE);
	CU_ASSERT_FALSE(done);
	CU_ASSERT_EQUAL(response_close(&r), NO_FAILURE);
	response_begin(&r, &any, -1);
	CU_ASSERT_EQUAL(feed(&r, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", 7, &done),
	                NO_FAILURE);
	CU_ASSERT_EQUAL(response_close(&r), CUT_SHORT);
	response_drop(&r);
}

static void
test_check(void)
{
	static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";
	struct response_check size = { .size = 2 }, digest = { .size = -1, .has_digest = true };
	struct sha256 sum;
	bool done;

	CU_ASSERT_EQUAL(result_of(&size, text, &done), BAD_SIZE);
	size.size = 1;
	CU_ASSERT_EQUAL(result_of(&size, text, &done), NO_FAILURE);
	CU_ASSERT_EQUAL(result_of(&digest, text, &done), BAD_DIGEST);
	sha256_start(&sum);
	sha256_add(&sum, "x", 1);
	sha256_end(&sum, digest.digest);
	CU_ASSERT_EQUAL(result_of(&digest, text, &done), NO_FAILURE);
	CU_ASSERT_TRUE(done);
}

static void
test_output(void)
{
	static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
	struct response r;
	char got[4] = "";
	int fd[2];
	bool done;

	CU_ASSERT_EQUAL_FATAL(pipe(fd), 0);
	response_begin(&r, &any, fd[1]);
	CU_ASSERT_EQUAL(feed(&r, text, 100, &done), NO_FAILURE);
	CU_ASSERT_EQUAL(read(fd[0], got, 4), 2);
	CU_ASSERT_STRING_EQUAL(got, "ok");
	response_begin(&r, &any, fd[0]);
	CU_ASSERT_EQUAL(feed(&r, text, 100, &done), BAD_FILE);
	close(fd[0]);
	close(fd[1]);
}

void suite_wget_response(void);

void
suite_wget_response(void)
{
	CU_pSuite s = CU_add_suite("wget_response", NULL, NULL);

	CU_add_test(s, "a response in pieces of any size is complete at its last byte",
	            test_pieces);
	CU_add_test(s, "a head that came before says the same again", test_known);
	CU_add_test(s, "what is wrong with a response has a cause", test_wrong);
	CU_add_test(s, "a head without an end is given up", test_endless_head);
	CU_add_test(
	    s, "the end of the connection ends a response that said so, and cuts another short",
	    test_close);
	CU_add_test(s, "a body of another size or content is a failure", test_check);
	CU_add_test(s, "the body is kept where it should be, or that failed", test_output);
}
