/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/*
 * One response on its way: bytes in, in pieces of any size; out comes "more",
 * "complete" or what is wrong.  Knows no socket.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/http.h"
#include "apps/http_known.h"
#include "apps/sha256.h"
#include "apps/wget_failure.h"

/* What every body must be. */
struct response_check {
	long size; /* -1: any */
	bool has_digest;
	uint8_t digest[SHA256_SIZE];
};

struct response_known {
	struct http_known head;
	struct http_response said;
};

struct response {
	const struct response_check *check;
	struct http_response head;
	struct http_chunks chunks;
	bool in_body;
	int out;      /* the body is written there; -1: it is not kept */
	uint64_t got; /* bytes of body */
	struct sha256 sum;
	/* The last head of any response, and what it said, if the owner keeps that; NULL: not. */
	struct response_known *known;
	char *kept; /* an unfinished head; NULL when there is none */
	size_t kept_len;
};

/* A response is awaited.  Both check and the descriptor out belong to the caller. */
void response_begin(struct response *r, const struct response_check *check, int out);

/*
 * Takes all of data.  NO_FAILURE with *done saying whether the response is complete and
 * as it must be, or what is wrong (BAD_STATUS: head.status tells; BAD_FILE: errno tells).
 */
enum failure response_take(struct response *r, const char *data, size_t len, bool *done);

/* The server has closed: NO_FAILURE when just that completes the response. */
enum failure response_close(struct response *r);

/* Gives back what an unfinished response holds; may be called at any time. */
void response_drop(struct response *r);
