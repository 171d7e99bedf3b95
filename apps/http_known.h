/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/*
 * A head that was read before and is known again byte by byte: clients, proxies and servers
 * say the same thing over and over.  A head ends where it says so itself, so bytes that begin
 * with one that is known need not be searched for its end.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Longer heads are not remembered. */
#define HTTP_KNOWN_MAX 508u
/* So many bytes at the front choose among several. */
#define HTTP_KNOWN_KEY 32u

/* All zero: nothing is known. */
struct http_known {
	uint32_t len;
	char text[HTTP_KNOWN_MAX];
};

/* Whether buf begins with it. */
static inline bool
http_is_known(const struct http_known *k, const char *buf, size_t len)
{
	return k->len > 0 && k->len <= len && memcmp(buf, k->text, k->len) == 0;
}

/* Remembers a whole head instead; false, and nothing is known, when it is too long. */
static inline bool
http_know(struct http_known *k, const char *head, size_t len)
{
	k->len = 0;
	if (len > HTTP_KNOWN_MAX)
		return false;
	memcpy(k->text, head, len);
	k->len = (uint32_t)len;
	return true;
}

/* A number from the first HTTP_KNOWN_KEY bytes of buf, which must be there. */
static inline uint32_t
http_known_hash(const char *buf)
{
	uint64_t w[HTTP_KNOWN_KEY / sizeof(uint64_t)];

	memcpy(w, buf, sizeof(w));
	w[0] = w[0] * UINT64_C(0x9e3779b97f4a7c15) ^ w[1] * UINT64_C(0xc2b2ae3d27d4eb4f);
	w[0] ^= w[2] * UINT64_C(0x165667b19e3779f9) ^ w[3] * UINT64_C(0xff51afd7ed558ccd);
	return (uint32_t)(w[0] >> 32);
}
