/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A response is a head, perhaps after heads with a 1xx status, then a body whose
 * end the head has told.  A head that came whole is read where it lies; one that
 * did not waits in a buffer of its own.
 */
#include "apps/wget_response.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
response_begin(struct response *r, const struct response_check *check, int out)
{
	r->check = check;
	r->out = out;
	r->in_body = false;
	r->got = 0;
	r->chunks = (struct http_chunks){ 0 };
	r->known = NULL;
	r->kept = NULL;
	r->kept_len = 0;
	if (check->has_digest)
		sha256_start(&r->sum);
}

void
response_drop(struct response *r)
{
	free(r->kept);
	r->kept = NULL;
}

/* ---- the body ------------------------------------------------------------ */

static bool
body_write(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

static enum failure
body_add(struct response *r, const char *data, size_t len)
{
	r->got += len;
	if (r->check->has_digest)
		sha256_add(&r->sum, data, len);
	if (r->out >= 0 && !body_write(r->out, data, len))
		return BAD_FILE;
	return NO_FAILURE;
}

static enum failure
body_chunks(struct response *r, const char *data, size_t len)
{
	enum failure why = NO_FAILURE;

	while (len > 0 && !r->chunks.done && !why) {
		const char *piece = NULL;
		size_t piece_len;
		ssize_t n = http_chunks_next(&r->chunks, data, len, &piece, &piece_len);

		if (n < 0)
			return BAD_BODY;
		data += n;
		len -= (size_t)n;
		if (piece_len > 0)
			why = body_add(r, piece, piece_len);
	}
	return len > 0 && !why ? BAD_BODY : why;
}

static enum failure
body_take(struct response *r, const char *data, size_t len)
{
	if (len == 0)
		return NO_FAILURE;
	if (r->head.framing == HTTP_BY_CHUNKS)
		return body_chunks(r, data, len);
	/* One request at a time: nothing may follow the body. */
	if (r->head.framing == HTTP_NO_BODY ||
	    (r->head.framing == HTTP_BY_LENGTH && len > r->head.length - r->got))
		return BAD_BODY;
	return body_add(r, data, len);
}

static bool
body_complete(const struct response *r)
{
	switch (r->head.framing) {
	case HTTP_NO_BODY:
		return true;
	case HTTP_BY_LENGTH:
		return r->got == r->head.length;
	case HTTP_BY_CHUNKS:
		return r->chunks.done;
	default:
		return false; /* its end is the connection's */
	}
}

static enum failure
body_judge(struct response *r)
{
	uint8_t digest[SHA256_SIZE];
	const struct response_check *want = r->check;

	if (want->size >= 0 && r->got != (uint64_t)want->size)
		return BAD_SIZE;
	if (!want->has_digest)
		return NO_FAILURE;
	sha256_end(&r->sum, digest);
	return memcmp(digest, want->digest, SHA256_SIZE) == 0 ? NO_FAILURE : BAD_DIGEST;
}

/* ---- the head ------------------------------------------------------------ */

static bool
head_keep(struct response *r, const char *data, size_t len)
{
	if (!r->kept) {
		r->kept = malloc(HTTP_HEAD_MAX);
		r->kept_len = 0;
	}
	if (!r->kept || len > HTTP_HEAD_MAX - r->kept_len)
		return false;
	memcpy(r->kept + r->kept_len, data, len);
	r->kept_len += len;
	return true;
}

/* Of a head that was read; status is what http_response_read() said of it. */
static enum failure
head_judge(struct response *r, int status)
{
	if (status != 0)
		return BAD_HEAD;
	if (r->head.status >= 200 && r->head.status != 200)
		return BAD_STATUS;
	r->in_body = r->head.status == 200; /* 1xx: another head follows */
	return NO_FAILURE;
}

/* http_response_read(), but for what was read last. */
static size_t
head_read(struct response *r, const char *head, size_t len, int *status)
{
	struct response_known *k = r->known;
	size_t scan = 0, end;

	if (k && http_is_known(&k->head, head, len)) {
		r->head = k->said;
		*status = 0;
		return k->head.len;
	}
	end = http_response_read(&r->head, head, len, &scan, status);
	if (k && end > 0 && *status == 0 && http_know(&k->head, head, end))
		k->said = r->head;
	return end;
}

/*
 * Reads the head at the front of data, which may continue a kept one; *taken is how
 * many bytes of data were its own, all of them when it is not complete.
 */
static enum failure
head_take(struct response *r, const char *data, size_t len, size_t *taken)
{
	size_t before = r->kept ? r->kept_len : 0, end;
	size_t fits = len < HTTP_HEAD_MAX - before ? len : HTTP_HEAD_MAX - before;
	const char *head = data;
	enum failure why;
	int status;

	if (r->kept) {
		if (!head_keep(r, data, fits))
			return BAD_HEAD;
		head = r->kept;
	}
	end = head_read(r, head, before + fits, &status);
	if (end == 0) {
		*taken = len;
		if (fits < len || before + fits == HTTP_HEAD_MAX)
			return BAD_HEAD;
		return r->kept || head_keep(r, data, fits) ? NO_FAILURE : BAD_HEAD;
	}
	*taken = end - before;
	why = head_judge(r, status);
	if (r->kept)
		response_drop(r);
	return why;
}

/* ---- both ---------------------------------------------------------------- */

enum failure
response_take(struct response *r, const char *data, size_t len, bool *done)
{
	enum failure why;

	*done = false;
	while (!r->in_body && len > 0) {
		size_t taken;

		why = head_take(r, data, len, &taken);
		if (why)
			return why;
		data += taken;
		len -= taken;
	}
	if (!r->in_body)
		return NO_FAILURE;
	why = body_take(r, data, len);
	if (why || !body_complete(r))
		return why;
	*done = true;
	return body_judge(r);
}

enum failure
response_close(struct response *r)
{
	if (!r->in_body || r->head.framing != HTTP_BY_CLOSE)
		return CUT_SHORT;
	return body_judge(r);
}
