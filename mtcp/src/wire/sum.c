/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ones' complement addition does not care about the size of the words it adds
 * (RFC 1071 2(C)): 2^64 - 1 is a multiple of 2^16 - 1, so a sum of 64-bit
 * words folds to the same 16 bits.  Nor does it care about byte order (2(B)):
 * nothing is swapped.  Carries are counted, and added at the end (2(A)): 2^64 is
 * as good as 1.  Four sums, so that no addition waits for the one before it.
 */
#include "wire/sum.h"

static inline uint64_t
load16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

/* The last 0..3 bytes; an odd one is the first of a word whose second is 0 (RFC 1071 1). */
static inline uint64_t
load_tail(const uint8_t *p, size_t len)
{
	uint64_t v = 0;

	if (len & 2) {
		v = load16(p);
		p += 2;
	}
	return len & 1 ? v + *p : v;
}

/* A sum of 64-bit words, and how often it has gone beyond 64 bits. */
struct wide {
	uint64_t sum, carries;
};

static inline uint64_t
load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

static inline void
wide_add(struct wide *w, uint64_t v)
{
	w->sum += v;
	w->carries += w->sum < v;
}

static inline uint64_t
wide_fold(const struct wide *w)
{
	return (w->sum & UINT32_MAX) + (w->sum >> 32) + w->carries;
}

uint32_t
wire_sum_add(uint32_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;
	struct wide a = { sum, 0 }, b = { 0, 0 }, c = { 0, 0 }, d = { 0, 0 };

	for (; len >= 32; p += 32, len -= 32) {
		wide_add(&a, load64(p));
		wide_add(&b, load64(p + 8));
		wide_add(&c, load64(p + 16));
		wide_add(&d, load64(p + 24));
	}
	for (; len >= 8; p += 8, len -= 8)
		wide_add(&a, load64(p));
	if (len & 4) {
		wide_add(&b, wire_sum_word(p));
		p += 4;
	}
	wide_add(&c, load_tail(p, len & 3));
	return wire_sum_carries(wide_fold(&a) + wide_fold(&b) + wide_fold(&c) + wide_fold(&d));
}

static uint64_t
sum_addr(const struct ip_addr *a)
{
	return wire_sum_word(a->b) + wire_sum_word(a->b + 4) + wire_sum_word(a->b + 8) +
	       wire_sum_word(a->b + 12);
}

uint32_t
wire_sum_pseudo(const struct ip_addr *src, const struct ip_addr *dst, uint8_t proto,
                uint32_t len)
{
	/* RFC 8200's zeros and 32-bit length add up to the same as RFC 9293's
	 * zero, protocol and 16-bit length: only the addresses differ. */
	uint64_t sum = (uint64_t)be32(proto).raw + be32(len).raw;

	if (ip_addr_is_v4(src) && ip_addr_is_v4(dst))
		return wire_sum_carries(sum + wire_sum_word(src->b + 12) +
		                        wire_sum_word(dst->b + 12));
	return wire_sum_carries(sum + sum_addr(src) + sum_addr(dst));
}

uint16_t
wire_sum_fold(uint32_t sum)
{
	sum = (sum & UINT16_MAX) + (sum >> 16);
	return (uint16_t)((sum & UINT16_MAX) + (sum >> 16));
}

uint16_t
wire_sum_finish(uint32_t sum)
{
	return (uint16_t)~wire_sum_fold(sum);
}
