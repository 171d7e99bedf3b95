/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Internet checksum (RFC 1071).  A running sum is any 32-bit partial sum
 * in the order bytes have in memory; only wire_sum_finish() folds it.
 */
#pragma once

#include "base/ip_addr.h"

/* Four bytes as they lie in memory: what is added up. */
static inline uint64_t
wire_sum_word(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

/* End-around carries: words added into 64 bits become a running sum.  What was not 0 does not
 * become 0, as in a sum of 16-bit words. */
static inline uint32_t
wire_sum_carries(uint64_t v)
{
	v = (v & UINT32_MAX) + (v >> 32);
	return (uint32_t)((v & UINT32_MAX) + (v >> 32));
}

/* Adds `len` bytes; every call but the last must add an even number. */
uint32_t wire_sum_add(uint32_t sum, const void *data, size_t len);

/* The pseudo-header of RFC 9293 3.1 (IPv4) or RFC 8200 8.1 (IPv6). */
uint32_t wire_sum_pseudo(const struct ip_addr *src, const struct ip_addr *dst, uint8_t proto,
                         uint32_t len);

/* Folds to the 16 bits that stand in a header, inverted, as they lie in memory. */
uint16_t wire_sum_finish(uint32_t sum);

/* Folds without inverting: what a port with checksum offload wants in the field. */
uint16_t wire_sum_fold(uint32_t sum);
