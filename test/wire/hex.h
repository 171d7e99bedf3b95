/* SPDX-License-Identifier: BSD-3-Clause */
/* Captures as text, and copies of bytes that end where their memory ends. */
#pragma once

#include <CUnit/CUnit.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"

#define HEX_MAX 256u

struct bytes {
	uint8_t b[HEX_MAX];
	size_t len;
};

/* Blanks are skipped; the rest must be pairs of hexadecimal digits. */
static inline struct bytes
hex(const char *s)
{
	struct bytes v = { .len = 0 };

	for (; *s; s++) {
		char pair[3] = { s[0], s[1], 0 };

		if (*s == ' ')
			continue;
		if (v.len == HEX_MAX || !s[1])
			abort();
		v.b[v.len++] = (uint8_t)strtoul(pair, NULL, 16);
		s++;
	}
	return v;
}

/* The first `len` bytes in memory of exactly that size: a checked build sees every byte read
 * beyond.  The caller frees it. */
static inline uint8_t *
exact_copy(const void *p, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	if (!copy)
		abort();
	memcpy(copy, p, len);
	return copy;
}

static inline void
check_bytes(const char *what, const uint8_t *got, size_t len, const struct bytes *want)
{
	bool same = len == want->len && memcmp(got, want->b, len) == 0;

	CU_ASSERT(same);
	if (same)
		return;
	printf("\n%s\n  want ", what);
	for (size_t i = 0; i < want->len; i++)
		printf("%02x", want->b[i]);
	printf("\n  got  ");
	for (size_t i = 0; i < len; i++)
		printf("%02x", got[i]);
	printf("\n");
}
