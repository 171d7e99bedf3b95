/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any fragments at any time.  Whatever comes, limits hold, memory adds up, and what is said to be
 * whole is whole: its bytes are those of the fragments that were kept.
 */
#include <stdlib.h>

#include "core/reass_ip.h"
#include "test/fuzz/fuzz.h"
#include "test/fuzz/tape.h"

#define CHUNKS 256u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What stands at each offset, whoever says it. */
static uint8_t
byte_at(uint32_t off)
{
	return (uint8_t)(off * 31 + (off >> 8));
}

static void
must_be_true(const struct reass_ip_pkt *p)
{
	static uint8_t got[REASS_IP_MAX];

	must(p->end > 0 && p->got == p->end && p->end <= REASS_IP_MAX && p->head_len == 4);
	reass_ip_copy(p, got, p->end);
	for (uint32_t i = 0; i < p->end; i++)
		must(got[i] == byte_at(i));
	must(reass_ip_ecn(p) <= 3 && reass_ip_first(p, 100) == min(p->end, 100u));
}

static void
one_fragment(struct reass_ip *r, struct tape *t, int64_t now)
{
	static uint8_t text[UINT16_MAX];
	uint8_t kind = tape_u8(t);
	struct reass_ip_frag f = {
		.key = { ip_addr_v4(kind & 3), ip_addr_v4(9), kind >> 2 & 3, 17, 0, 0 },
		.more = kind & 0x10,
		.ecn = kind >> 6,
		.data = text,
		.head = (const uint8_t *)"head",
		.head_len = 4,
	};
	struct reass_ip_pkt *whole;

	f.off = kind & 0x20 ? tape_u16(t) : tape_u8(t) * 8u;
	f.len = kind & 0x20 ? tape_u16(t) : tape_u8(t);
	for (uint32_t i = 0; i < f.len; i++)
		text[i] = byte_at(f.off + i);
	if (reass_ip_in(r, &f, now, &whole) != REASS_IP_WHOLE)
		return;
	must_be_true(whole);
	reass_ip_free(r, whole);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t *memory;
	static const struct siphash_key key;
	struct tape t = { data, size };
	struct tcp_env env = { 0 };
	struct reass_ip_pkt *p;
	struct reass_ip r;
	struct region mem = { .size = CHUNKS * CHUNK_SIZE + (2u << 20) };
	int64_t now = 0;

	if (!memory && !(memory = aligned_alloc(CACHE_LINE, mem.size)))
		return 0;
	mem.base = memory;
	must(pool_init(&env.chunks, &mem, CHUNK_SIZE, CHUNKS));
	must(reass_ip_init(&r, &mem, &env, &key));
	while (t.len > 0) {
		now += SEC(tape_u8(&t)) / 16;
		while ((p = reass_ip_late(&r, now)))
			reass_ip_free(&r, p);
		one_fragment(&r, &t, now);
		reass_ip_check(&r);
		must(reass_ip_deadline(&r) > now);
	}
	while ((p = reass_ip_late(&r, TIME_NEVER - 1)))
		reass_ip_free(&r, p);
	must(r.chunks == 0 && env.chunks.used == env.spare.n);
	return 0;
}
