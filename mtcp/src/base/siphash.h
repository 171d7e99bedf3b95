/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SipHash (Aumasson and Bernstein, 2012): a keyed hash short enough for every
 * packet.  SipHash-2-4 where the answer leaves the machine (sequence numbers,
 * cookies); SipHash-1-3 for tables that peers must not be able to fill.
 */
#pragma once

#include "base/base.h"

struct siphash_key {
	uint64_t k0, k1;
};

/* The hash of `len` bytes at `data` (any alignment; may be NULL if len is 0). */
uint64_t siphash24(const struct siphash_key *key, const void *data, size_t len);
uint64_t siphash13(const struct siphash_key *key, const void *data, size_t len);

/* siphash24() of 13 bytes, given as the eight and the five of them that stand in memory as the words
 * do, the first lowest: what four numbers of IPv4 take, and one more byte. */
uint64_t siphash24_13(const struct siphash_key *key, uint64_t eight, uint64_t five);

/* siphash13() of 12 bytes: what four numbers of IPv4 take. */
uint64_t siphash13_12(const struct siphash_key *key, const void *data);
