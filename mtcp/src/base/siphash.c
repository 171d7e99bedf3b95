/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SipHash-c-d as in the paper (Aumasson and Bernstein, "SipHash: a fast
 * short-input PRF", 2012, section 2): c rounds for each word of input, d at the
 * end.  The variants differ in constants only, so they are one function that
 * the compiler specializes: every packet asks for one, so the rounds of a word
 * (four at the most) stand one behind the other instead of in a loop.
 */
#include "base/siphash.h"

struct sip {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t
rotl(uint64_t v, unsigned by)
{
	return v << by | v >> (64 - by);
}

static inline void
sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = rotl(s->v1, 13) ^ s->v0;
	s->v3 = rotl(s->v3, 16) ^ s->v2;
	s->v0 = rotl(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = rotl(s->v1, 17) ^ s->v2;
	s->v3 = rotl(s->v3, 21) ^ s->v0;
	s->v2 = rotl(s->v2, 32);
}

static inline __attribute__((always_inline)) void
sip_rounds(struct sip *s, unsigned n)
{
	sip_round(s);
	if (n > 1)
		sip_round(s);
	if (n > 2)
		sip_round(s);
	if (n > 3)
		sip_round(s);
}

static inline __attribute__((always_inline)) void
sip_word(struct sip *s, uint64_t m, unsigned c)
{
	s->v3 ^= m;
	sip_rounds(s, c);
	s->v0 ^= m;
}

/* Fewer than eight bytes as a word, without a call of memcpy(). */
static inline __attribute__((always_inline)) uint64_t
sip_tail(const uint8_t *p, size_t left)
{
	uint64_t tail = 0;
	unsigned shift = 0;
	uint32_t four;
	uint16_t two;

	if (left & 4) {
		memcpy(&four, p, sizeof four);
		tail = four;
		shift = 32;
		p += sizeof four;
	}
	if (left & 2) {
		memcpy(&two, p, sizeof two);
		tail |= (uint64_t)two << shift;
		shift += 16;
		p += sizeof two;
	}
	return left & 1 ? tail | (uint64_t)*p << shift : tail;
}

static inline __attribute__((always_inline)) struct sip
sip_begin(const struct siphash_key *key)
{
	return (struct sip){ key->k0 ^ UINT64_C(0x736f6d6570736575),
		             key->k1 ^ UINT64_C(0x646f72616e646f6d),
		             key->k0 ^ UINT64_C(0x6c7967656e657261),
		             key->k1 ^ UINT64_C(0x7465646279746573) };
}

/* The last word, with the length of all. */
static inline __attribute__((always_inline)) uint64_t
sip_end(struct sip *s, uint64_t tail, size_t len, unsigned c, unsigned d)
{
	sip_word(s, tail | (uint64_t)len << 56, c);
	s->v2 ^= 0xff;
	sip_rounds(s, d);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

static inline __attribute__((always_inline)) uint64_t
siphash(const struct siphash_key *key, const uint8_t *p, size_t len, unsigned c, unsigned d)
{
	struct sip s = sip_begin(key);
	uint64_t m;
	size_t left = len;

	for (; left >= sizeof m; left -= sizeof m, p += sizeof m) {
		memcpy(&m, p, sizeof m);
		sip_word(&s, m, c);
	}
	return sip_end(&s, sip_tail(p, left), len, c, d);
}

uint64_t
siphash24(const struct siphash_key *key, const void *data, size_t len)
{
	return siphash(key, data, len, 2, 4);
}

uint64_t
siphash24_13(const struct siphash_key *key, uint64_t eight, uint64_t five)
{
	struct sip s = sip_begin(key);

	sip_word(&s, eight, 2);
	return sip_end(&s, five, 13, 2, 4);
}

uint64_t
siphash13(const struct siphash_key *key, const void *data, size_t len)
{
	return siphash(key, data, len, 1, 3);
}

uint64_t
siphash13_12(const struct siphash_key *key, const void *data)
{
	return siphash(key, data, 12, 1, 3);
}
