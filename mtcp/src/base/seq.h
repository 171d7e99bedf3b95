/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A point in TCP's sequence space.  It is a struct so that `a < b`, which is
 * wrong across 2^32, does not compile; compare with seq_lt() and its friends
 * (RFC 9293 3.4: all arithmetic is modulo 2^32).
 */
#pragma once

#include "base/base.h"

typedef struct {
	uint32_t v;
} seq_t;

static inline seq_t
seq_of(uint32_t v)
{
	return (seq_t){ v };
}

static inline seq_t
seq_add(seq_t a, uint32_t n)
{
	return (seq_t){ a.v + n };
}

/* The distance from b up to a. */
static inline uint32_t
seq_sub(seq_t a, seq_t b)
{
	return a.v - b.v;
}

static inline bool
seq_eq(seq_t a, seq_t b)
{
	return a.v == b.v;
}

static inline bool
seq_lt(seq_t a, seq_t b)
{
	return (int32_t)(a.v - b.v) < 0;
}

static inline bool
seq_le(seq_t a, seq_t b)
{
	return (int32_t)(a.v - b.v) <= 0;
}

static inline seq_t
seq_max(seq_t a, seq_t b)
{
	return seq_lt(a, b) ? b : a;
}

static inline seq_t
seq_min(seq_t a, seq_t b)
{
	return seq_lt(a, b) ? a : b;
}
