/* SPDX-License-Identifier: BSD-3-Clause */
/* A fuzzer's bytes as a tape of numbers; past its end there are only zeros. */
#pragma once

#include "base/base.h"

struct tape {
	const uint8_t *p;
	size_t len;
};

static inline uint8_t
tape_u8(struct tape *t)
{
	if (t->len == 0)
		return 0;
	t->len--;
	return *t->p++;
}

static inline uint16_t
tape_u16(struct tape *t)
{
	uint8_t hi = tape_u8(t);

	return (uint16_t)(hi << 8 | tape_u8(t));
}

/* Up to `n` bytes as they stand; how many there were. */
static inline uint32_t
tape_bytes(struct tape *t, uint32_t n, const uint8_t **at)
{
	uint32_t got = (uint32_t)min((size_t)n, t->len);

	*at = t->p;
	t->p += got;
	t->len -= got;
	return got;
}

/* A distance that is mostly small, of either sign, and now and then anywhere. */
static inline uint32_t
tape_distance(struct tape *t)
{
	uint8_t kind = tape_u8(t), n = kind & 0x3f;

	switch (kind >> 6) {
	case 0:
		return 0;
	case 1:
		return n;
	case 2:
		return UINT32_MAX - n + 1;
	default:
		return (uint32_t)tape_u16(t) << (n & 15);
	}
}
