/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An Internet address of either family.  An IPv4 address is held as its
 * IPv4-mapped IPv6 form (RFC 4291 2.5.5.2), so that equality, hashing and
 * dual-stack listeners need one code path.  Bytes stand in network order.
 */
#pragma once

#include "base/be.h"

struct ip_addr {
	uint8_t b[16];
};

#define IP_ANY ((struct ip_addr){ { 0 } })

/* `host` in host order: 0x0a000001 is 10.0.0.1. */
static inline struct ip_addr
ip_addr_v4(uint32_t host)
{
	struct ip_addr a = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff } };

	put_be32(a.b + 12, host);
	return a;
}

static inline bool
ip_addr_is_v4(const struct ip_addr *a)
{
	static const uint8_t prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

	return memcmp(a->b, prefix, sizeof prefix) == 0;
}

/* The IPv4 address in host order; only for addresses that are one. */
static inline uint32_t
ip_addr_v4_host(const struct ip_addr *a)
{
	return get_be32(a->b + 12);
}

static inline bool
ip_addr_eq(const struct ip_addr *a, const struct ip_addr *b)
{
	return memcmp(a->b, b->b, sizeof a->b) == 0;
}

/* The unspecified address of either family: ::, or 0.0.0.0 in its mapped form. */
static inline bool
ip_addr_is_any(const struct ip_addr *a)
{
	static const struct ip_addr any;

	return ip_addr_eq(a, &any) || (ip_addr_is_v4(a) && ip_addr_v4_host(a) == 0);
}
