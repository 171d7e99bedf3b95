/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Network byte order as types: a be16_t cannot be added to or compared with an
 * integer by accident.  Headers on the wire are unaligned, so they are read
 * and written through memcpy, which compiles to one instruction.
 */
#pragma once

#include "base/base.h"

typedef struct {
	uint16_t raw;
} be16_t;

typedef struct {
	uint32_t raw;
} be32_t;

static inline be16_t
be16(uint16_t v)
{
	return (be16_t){ __builtin_bswap16(v) };
}

static inline be32_t
be32(uint32_t v)
{
	return (be32_t){ __builtin_bswap32(v) };
}

static inline uint16_t
be16_host(be16_t v)
{
	return __builtin_bswap16(v.raw);
}

static inline uint32_t
be32_host(be32_t v)
{
	return __builtin_bswap32(v.raw);
}

static inline uint16_t
get_be16(const uint8_t *p)
{
	be16_t v;

	memcpy(&v, p, sizeof v);
	return be16_host(v);
}

static inline uint32_t
get_be32(const uint8_t *p)
{
	be32_t v;

	memcpy(&v, p, sizeof v);
	return be32_host(v);
}

static inline uint64_t
get_be64(const uint8_t *p)
{
	uint64_t raw;

	memcpy(&raw, p, sizeof raw);
	return __builtin_bswap64(raw);
}

static inline void
put_be16(uint8_t *p, uint16_t h)
{
	be16_t v = be16(h);

	memcpy(p, &v, sizeof v);
}

static inline void
put_be32(uint8_t *p, uint32_t h)
{
	be32_t v = be32(h);

	memcpy(p, &v, sizeof v);
}

static inline void
put_be64(uint8_t *p, uint64_t h)
{
	uint64_t raw = __builtin_bswap64(h);

	memcpy(p, &raw, sizeof raw);
}

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "be.h swaps without asking");
