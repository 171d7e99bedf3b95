/* SPDX-License-Identifier: BSD-3-Clause */
/* What is read and written in one go, beside what eth, ip4 and tcp_wire make of it together. */
#include "wire/usual.h"

#include "base/rng.h"
#include "test/wire/hex.h"
#include "wire/sum.h"

void suite_usual(void);

#define FRAME_MAX 256u

struct frame {
	uint8_t b[FRAME_MAX];
	uint32_t len;
	struct tcp_seg s;      /* that it was made of */
	struct usual_hdr h;
	struct ip_addr src, dst;
};

static const uint8_t macs[2][6] = { { 2, 0, 0, 0, 0, 1 }, { 2, 0, 0, 0, 0, 2 } };

static struct tcp_seg
random_segment(struct rng *rng)
{
	bool ts = rng_below(rng, 4) > 0;

	return (struct tcp_seg){
		.seq = seq_of((uint32_t)rng_u64(rng)),
		.ack = seq_of((uint32_t)rng_u64(rng)),
		.wnd = rng_below(rng, 65536),
		.len = rng_below(rng, 100),
		.sport = (uint16_t)rng_below(rng, 65536),
		.dport = (uint16_t)rng_below(rng, 65536),
		.urg = (uint16_t)rng_below(rng, 65536),
		.flags = (uint8_t)(rng_below(rng, 256) & (unsigned)~TCP_SYN),
		.opts = ts ? TCP_OPT_TS : 0,
		.tsval = ts ? (uint32_t)rng_u64(rng) : 0,
		.tsecr = ts ? (uint32_t)rng_u64(rng) : 0,
		.ecn = (uint8_t)rng_below(rng, 4),
	};
}

/* The way of the other files. */
static void
build_in_parts(struct frame *f, bool ip_sum, bool tcp_sum)
{
	uint8_t *ip = f->b + ETH_LEN, *tcp = ip + IP4_LEN;
	uint32_t len = wire_tcp_hdr_len(&f->s) + f->s.len;
	struct eth_hdr eth = { .type = ETH_TYPE_IP4 };
	struct ip4_hdr h = { .src = f->src, .dst = f->dst, .tos = f->h.tos, .ttl = f->h.ttl,
		             .proto = IP_PROTO_TCP, .total_len = to_u16(IP4_LEN + len), .df = true };

	memcpy(eth.dst.b, f->h.dst_mac, 6);
	memcpy(eth.src.b, f->h.src_mac, 6);
	wire_eth_build(f->b, &eth);
	(void)wire_tcp_build(tcp, &f->s);
	wire_ip4_build(ip, &h, ip_sum);
	if (tcp_sum)
		wire_tcp_sum_fill(tcp, len, &f->src, &f->dst);
	else
		wire_tcp_sum_pseudo(tcp, len, &f->src, &f->dst);
	f->len = ETH_LEN + IP4_LEN + len;
}

static void
random_frame(struct rng *rng, struct frame *f)
{
	f->s = random_segment(rng);
	f->src = ip_addr_v4((uint32_t)rng_u64(rng));
	f->dst = ip_addr_v4((uint32_t)rng_u64(rng));
	f->h = (struct usual_hdr){
		.dst_mac = macs[0],
		.src_mac = macs[1],
		.src = &f->src,
		.dst = &f->dst,
		.len = wire_usual_hdr_len(&f->s),
		.tos = (uint8_t)(rng_below(rng, 64) << 2 | f->s.ecn),
		.ttl = (uint8_t)rng_below(rng, 256),
	};
	for (unsigned i = 0; i < FRAME_MAX; i++)
		f->b[i] = (uint8_t)rng_below(rng, 256);
}

static void
test_frames_are_built_as_in_parts(void)
{
	struct rng rng = { 1 };
	struct frame f, g;

	for (unsigned i = 0; i < 4000; i++) {
		random_frame(&rng, &f);
		g = f;
		f.h.ip_sum = rng_below(&rng, 2);
		f.h.tcp_sum = rng_below(&rng, 2);
		CU_ASSERT(wire_usual_can(&f.s));
		wire_usual_build(f.b, &f.h, &f.s);
		build_in_parts(&g, f.h.ip_sum, f.h.tcp_sum);
		CU_ASSERT_EQUAL(wire_usual_hdr_len(&f.s) + f.s.len, g.len);
		CU_ASSERT_EQUAL(memcmp(f.b, g.b, sizeof f.b), 0);
	}
}

static void
test_other_segments_cannot_be_built(void)
{
	struct tcp_seg s = { .flags = TCP_ACK };

	CU_ASSERT(wire_usual_can(&s));
	s.opts = TCP_OPT_SACK | TCP_OPT_TS;
	CU_ASSERT_FALSE(wire_usual_can(&s));
	s.opts = 0;
	s.flags = TCP_SYN;
	CU_ASSERT_FALSE(wire_usual_can(&s));
}

/* What the other files say of a frame: whether it holds a segment that is right. */
static bool
parse_in_parts(const uint8_t *p, uint32_t len, bool ip_sum, bool tcp_sum, struct tcp_seg *s)
{
	struct eth_hdr eth;
	struct ip4_hdr h;
	const uint8_t *tcp;
	uint32_t n;

	if (!wire_eth_parse(p, len, &eth) || eth.type != ETH_TYPE_IP4 ||
	    wire_ip4_parse(p + ETH_LEN, len - ETH_LEN, ip_sum, &h) != WIRE_IP_OK || h.mf ||
	    h.frag_off || h.proto != IP_PROTO_TCP)
		return false;
	tcp = p + ETH_LEN + h.hdr_len;
	n = h.total_len - (uint32_t)h.hdr_len;
	if (wire_tcp_parse(tcp, n, s) != WIRE_TCP_OK ||
	    (tcp_sum && !wire_tcp_sum_ok(tcp, n, &h.src, &h.dst)))
		return false;
	s->ecn = h.tos & 3u;
	return true;
}

static bool
same_segment(const struct tcp_seg *a, const struct tcp_seg *b)
{
	return seq_eq(a->seq, b->seq) && seq_eq(a->ack, b->ack) && a->wnd == b->wnd &&
	       a->len == b->len && a->text == b->text && a->sport == b->sport &&
	       a->dport == b->dport && a->urg == b->urg && a->flags == b->flags &&
	       a->opts == b->opts && a->wscale == b->wscale && a->n_sack == b->n_sack &&
	       a->ecn == b->ecn && a->mss == b->mss && a->tsval == b->tsval &&
	       a->tsecr == b->tsecr && a->n_cookie == b->n_cookie;
}

/* Never more than they say, and the same of it. */
static bool
agrees(const uint8_t *frame, uint32_t len, bool ip_sum, bool tcp_sum)
{
	struct tcp_seg a, b;
	bool usual = wire_usual_is(frame, len) && wire_usual_parse(frame, ip_sum, tcp_sum, &a);
	bool parts = parse_in_parts(frame, len, ip_sum, tcp_sum, &b);

	return usual ? parts && same_segment(&a, &b)
	             : !parts || !wire_usual_is(frame, len) || (b.flags & TCP_SYN);
}

static void
test_frames_are_read_as_in_parts(void)
{
	struct rng rng = { 2 };
	struct frame f;
	unsigned usual = 0;

	for (unsigned i = 0; i < 4000; i++) {
		uint8_t *copy;

		random_frame(&rng, &f);
		build_in_parts(&f, true, true);
		f.len += rng_below(&rng, 3); /* padding */
		if (rng_below(&rng, 2))
			f.b[rng_below(&rng, 70)] ^= (uint8_t)(1u << rng_below(&rng, 8));
		if (rng_below(&rng, 10) == 0)
			f.len = rng_below(&rng, f.len);
		copy = exact_copy(f.b, f.len);
		CU_ASSERT(agrees(copy, f.len, true, true));
		CU_ASSERT(agrees(copy, f.len, rng_below(&rng, 2), rng_below(&rng, 2)));
		usual += wire_usual_is(copy, f.len);
		free(copy);
	}
	CU_ASSERT(usual > 2000);
}

static void
test_whatever_is_wrong_goes_the_other_way(void)
{
	struct rng rng = { 3 };
	struct frame f;

	random_frame(&rng, &f);
	f.s.opts = TCP_OPT_TS;
	build_in_parts(&f, true, true);
	CU_ASSERT(wire_usual_is(f.b, f.len));
	f.b[12] = 0x86; /* another type of frame */
	CU_ASSERT_FALSE(wire_usual_is(f.b, f.len));
	f.b[12] = 0x08;
	f.b[14] = 0x46; /* options of IP */
	CU_ASSERT_FALSE(wire_usual_is(f.b, f.len));
	f.b[14] = 0x45;
	f.b[20] |= 0x20; /* more fragments */
	CU_ASSERT_FALSE(wire_usual_is(f.b, f.len));
	f.b[20] = 0x40;
	f.b[21] = 1; /* the next fragment */
	CU_ASSERT_FALSE(wire_usual_is(f.b, f.len));
	f.b[21] = 0;
	f.b[23] = IP_PROTO_UDP;
	CU_ASSERT_FALSE(wire_usual_is(f.b, f.len));
	f.b[23] = IP_PROTO_TCP;
	f.b[USUAL_TEXT] = 0; /* other options of TCP */
	CU_ASSERT_FALSE(wire_usual_is(f.b, f.len));
}

void
suite_usual(void)
{
	CU_pSuite s = CU_add_suite("usual", NULL, NULL);

	CU_add_test(s, "frames are built as in parts", test_frames_are_built_as_in_parts);
	CU_add_test(s, "other segments cannot be built", test_other_segments_cannot_be_built);
	CU_add_test(s, "frames are read as in parts", test_frames_are_read_as_in_parts);
	CU_add_test(s, "whatever is wrong goes the other way",
	            test_whatever_is_wrong_goes_the_other_way);
}
