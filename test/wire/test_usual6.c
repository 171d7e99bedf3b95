/* SPDX-License-Identifier: BSD-3-Clause */
/* What is read in one go, beside what eth, ip6 and tcp_wire make of it together. */
#include "wire/usual6.h"

#include "base/rng.h"
#include "test/wire/hex.h"

void suite_usual6(void);

#define FRAME_MAX 256u

struct frame {
	uint8_t b[FRAME_MAX];
	uint32_t len;
};

static struct frame
random_frame(struct rng *rng)
{
	struct eth_hdr eth = { .type = ETH_TYPE_IP6 };
	bool ts = rng_below(rng, 4) > 0;
	struct tcp_seg s = {
		.seq = seq_of((uint32_t)rng_u64(rng)), .ack = seq_of((uint32_t)rng_u64(rng)),
		.wnd = rng_below(rng, 65536), .len = rng_below(rng, 100),
		.sport = (uint16_t)rng_u64(rng), .dport = (uint16_t)rng_u64(rng),
		.flags = (uint8_t)(rng_below(rng, 256) & (unsigned)~TCP_SYN),
		.opts = ts ? TCP_OPT_TS : 0, .tsval = ts ? (uint32_t)rng_u64(rng) : 0,
	};
	struct ip6_hdr h = { .tclass = (uint8_t)rng_u64(rng), .flow = rng_below(rng, 1 << 20),
		             .hop_limit = 64, .proto = IP_PROTO_TCP };
	uint32_t len = wire_tcp_hdr_len(&s) + s.len;
	struct frame f;

	for (unsigned i = 0; i < FRAME_MAX; i++)
		f.b[i] = (uint8_t)rng_u64(rng);
	memcpy(h.src.b, f.b + 100, 16);
	memcpy(h.dst.b, f.b + 120, 16);
	h.src.b[0] = 0x20;
	h.dst.b[0] = 0xfd;
	h.total_len = to_u16(IP6_LEN + len);
	wire_eth_build(f.b, &eth);
	wire_ip6_build(f.b + USUAL6_IP, &h);
	(void)wire_tcp_build(f.b + USUAL6_TCP, &s);
	wire_tcp_sum_fill(f.b + USUAL6_TCP, len, &h.src, &h.dst);
	f.len = USUAL6_TCP + len;
	return f;
}

static bool
parse_in_parts(const uint8_t *p, uint32_t len, bool sum, struct tcp_seg *s)
{
	struct ip6_problem problem;
	struct eth_hdr eth;
	struct ip6_hdr h;
	uint32_t n;

	if (!wire_eth_parse(p, len, &eth) || eth.type != ETH_TYPE_IP6 ||
	    wire_ip6_parse(p + ETH_LEN, len - ETH_LEN, &h, &problem) != WIRE_IP6_OK ||
	    h.proto != IP_PROTO_TCP || h.hdr_len != IP6_LEN)
		return false;
	n = h.total_len - IP6_LEN;
	if (wire_tcp_parse(p + USUAL6_TCP, n, s) != WIRE_TCP_OK ||
	    (sum && !wire_tcp_sum_ok(p + USUAL6_TCP, n, &h.src, &h.dst)))
		return false;
	s->ecn = h.tclass & 3u;
	return true;
}

static bool
same_segment(const struct tcp_seg *a, const struct tcp_seg *b)
{
	return seq_eq(a->seq, b->seq) && seq_eq(a->ack, b->ack) && a->wnd == b->wnd &&
	       a->len == b->len && a->text == b->text && a->sport == b->sport &&
	       a->dport == b->dport && a->urg == b->urg && a->flags == b->flags &&
	       a->opts == b->opts && a->ecn == b->ecn &&
	       (!(a->opts & TCP_OPT_TS) || (a->tsval == b->tsval && a->tsecr == b->tsecr));
}

static void
test_frames_are_read_as_in_parts(void)
{
	struct rng rng = { 2 };
	unsigned usual = 0;

	for (unsigned i = 0; i < 4000; i++) {
		struct frame f = random_frame(&rng);
		bool sum = rng_below(&rng, 2), is;
		struct tcp_seg a, b;
		uint8_t *copy;

		f.len += rng_below(&rng, 3); /* padding */
		if (rng_below(&rng, 2))
			f.b[rng_below(&rng, 90)] ^= (uint8_t)(1u << rng_below(&rng, 8));
		if (rng_below(&rng, 10) == 0)
			f.len = rng_below(&rng, f.len);
		copy = exact_copy(f.b, f.len);
		is = wire_usual6_is(copy, f.len);
		usual += is;
		if (is && wire_usual6_parse(copy, sum, &a)) {
			CU_ASSERT(parse_in_parts(copy, f.len, sum, &b) && same_segment(&a, &b));
		} else if (is) {
			CU_ASSERT_FALSE(parse_in_parts(copy, f.len, sum, &b));
		}
		free(copy);
	}
	CU_ASSERT(usual > 2000);
}

static void
test_other_addresses_go_the_other_way(void)
{
	static const uint8_t first[] = { 0x00, 0xfe, 0xff, 0x01, 0x40 };
	struct rng rng = { 3 };
	struct frame f = random_frame(&rng);

	CU_ASSERT(wire_usual6_is(f.b, f.len));
	for (unsigned i = 0; i < sizeof first; i++) {
		struct frame g = f;

		g.b[USUAL6_NAME] = first[i];
		CU_ASSERT_FALSE(wire_usual6_is(g.b, g.len));
		g = f;
		g.b[USUAL6_DST] = first[i];
		CU_ASSERT_FALSE(wire_usual6_is(g.b, g.len));
	}
	f.b[USUAL6_IP + 6] = IP_PROTO_DST_OPTS;
	CU_ASSERT_FALSE(wire_usual6_is(f.b, f.len));
}

void
suite_usual6(void)
{
	CU_pSuite s = CU_add_suite("usual6", NULL, NULL);

	CU_add_test(s, "frames of IPv6 are read as in parts", test_frames_are_read_as_in_parts);
	CU_add_test(s, "other addresses, and what has extension headers, go the other way",
	            test_other_addresses_go_the_other_way);
}
