/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP headers: byte for byte as another implementation writes them, and everything a hostile
 * peer can do to lengths and options. */
#include "wire/tcp_wire.h"

#include "base/rng.h"
#include "test/wire/hex.h"
#include "wire/ip4.h"
#include "wire/sum.h"

void suite_tcp_wire(void);

static const struct ip_addr v4_a = { { [10] = 0xff, 0xff, 192, 0, 2, 1 } };
static const struct ip_addr v4_b = { { [10] = 0xff, 0xff, 198, 51, 100, 77 } };
static const struct ip_addr v6_a = { { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } };
static const struct ip_addr v6_b = { { 0x20, 0x01, 0x0d, 0xb8, [13] = 2, 0, 0x77 } };

/* -- Captures --------------------------------------------------------------------------- */

struct capture {
	const char *name, *bytes;
	bool v6;
	struct tcp_seg seg; /* but for what captured() adds */
	const char *text;
};

/* clang-format off */
#define SEQ(n) { n }
/* clang-format on */
#define ALL "9c4001bbfffffff012345678"

static const struct capture captures[] = {
	{ "SYN",
	  ALL "a00201f54eea0000 020405b40402080a010203040000000001030307",
	  false,
	  { .flags = TCP_SYN,
	    .opts = TCP_OPT_MSS | TCP_OPT_SACK_OK | TCP_OPT_TS | TCP_OPT_WSCALE,
	    .mss = 1460,
	    .wscale = 7,
	    .tsval = 0x01020304 },
	  "" },
	{ "SYN without timestamps",
	  ALL "800201f57a010000 020405b40101040201030307",
	  false,
	  { .flags = TCP_SYN,
	    .opts = TCP_OPT_MSS | TCP_OPT_SACK_OK | TCP_OPT_WSCALE,
	    .mss = 1460,
	    .wscale = 7 },
	  "" },
	{ "SYN with MSS alone",
	  ALL "600201f5a6b20000 02040218",
	  false,
	  { .flags = TCP_SYN, .opts = TCP_OPT_MSS, .mss = 536 },
	  "" },
	{ "SYN-ACK with ECE and timestamps, without SACK",
	  ALL "905201f566900000 020404c40101080a0000000901020304",
	  false,
	  { .flags = TCP_SYN | TCP_ACK | TCP_ECE,
	    .opts = TCP_OPT_MSS | TCP_OPT_TS,
	    .mss = 1220,
	    .tsval = 9,
	    .tsecr = 0x01020304 },
	  "" },
	{ "data without options",
	  ALL "501801f576e50000 68656c6c6f",
	  false,
	  { .flags = TCP_PSH | TCP_ACK },
	  "hello" },
	{ "data with timestamps",
	  ALL "801801f58ae20000 0101080adeadbeefcafebabe 6f6464",
	  false,
	  { .flags = TCP_PSH | TCP_ACK,
	    .opts = TCP_OPT_TS,
	    .tsval = 0xdeadbeef,
	    .tsecr = 0xcafebabe },
	  "odd" },
	{ "ACK with timestamps and three SACK blocks",
	  ALL "f01001f524f00000 0101080a0000000100000002"
	      "0101051a 1234600012346200 fffffffe00000010 0000000500000006",
	  false,
	  { .flags = TCP_ACK,
	    .opts = TCP_OPT_TS | TCP_OPT_SACK,
	    .tsval = 1,
	    .tsecr = 2,
	    .n_sack = 3,
	    .sack = { { SEQ(0x12346000), SEQ(0x12346200) },
	              { SEQ(0xfffffffe), SEQ(0x10) },
	              { SEQ(5), SEQ(6) } } },
	  "" },
	{ "ACK with four SACK blocks",
	  ALL "e01001f524590000 01010522 0000000100000002 0000000300000004"
	      "0000000500000006 0000000700000008",
	  false,
	  { .flags = TCP_ACK,
	    .opts = TCP_OPT_SACK,
	    .n_sack = 4,
	    .sack = { { SEQ(1), SEQ(2) },
	              { SEQ(3), SEQ(4) },
	              { SEQ(5), SEQ(6) },
	              { SEQ(7), SEQ(8) } } },
	  "" },
	{ "urgent data and FIN over IPv6",
	  ALL "803901f526a90002 0101080a0000000100000002 736978",
	  true,
	  { .flags = TCP_FIN | TCP_PSH | TCP_ACK | TCP_URG,
	    .opts = TCP_OPT_TS,
	    .tsval = 1,
	    .tsecr = 2,
	    .urg = 2 },
	  "six" },
	{ "RST", ALL "500401f5bad00000", false, { .flags = TCP_RST }, "" },
};

/* The segment that a capture shows; text points nowhere. */
static struct tcp_seg
captured(const struct capture *k)
{
	struct tcp_seg s = k->seg;

	s.sport = 40000;
	s.dport = 443;
	s.seq = seq_of(0xfffffff0);
	s.ack = seq_of(0x12345678);
	s.wnd = 501;
	s.len = (uint32_t)strlen(k->text);
	return s;
}

static bool
same_segment(const struct tcp_seg *a, const struct tcp_seg *b)
{
	if (a->sport != b->sport || a->dport != b->dport || !seq_eq(a->seq, b->seq) ||
	    !seq_eq(a->ack, b->ack) || a->wnd != b->wnd || a->len != b->len ||
	    a->urg != b->urg || a->flags != b->flags || a->opts != b->opts ||
	    a->wscale != b->wscale || a->mss != b->mss || a->tsval != b->tsval ||
	    a->tsecr != b->tsecr || a->n_sack != b->n_sack)
		return false;
	for (unsigned i = 0; i < a->n_sack; i++) {
		if (!seq_eq(a->sack[i].start, b->sack[i].start) ||
		    !seq_eq(a->sack[i].end, b->sack[i].end))
			return false;
	}
	return true;
}

static void
test_captures_are_understood(void)
{
	for (size_t i = 0; i < array_len(captures); i++) {
		const struct capture *k = &captures[i];
		struct tcp_seg want = captured(k), got;
		struct bytes b = hex(k->bytes);

		CU_ASSERT_EQUAL_FATAL(wire_tcp_parse(b.b, b.len, &got), WIRE_TCP_OK);
		CU_ASSERT(same_segment(&want, &got));
		CU_ASSERT_PTR_EQUAL(got.text, b.b + b.len - got.len);
		CU_ASSERT_EQUAL(memcmp(got.text, k->text, got.len), 0);
		CU_ASSERT(
		    wire_tcp_sum_ok(b.b, b.len, k->v6 ? &v6_a : &v4_a, k->v6 ? &v6_b : &v4_b));
	}
}

static void
test_captures_are_built_to_the_byte(void)
{
	for (size_t i = 0; i < array_len(captures); i++) {
		const struct capture *k = &captures[i];
		struct tcp_seg s = captured(k);
		struct bytes want = hex(k->bytes);
		uint8_t p[HEX_MAX];
		uint32_t len;

		memset(p, 0xee, sizeof p);
		len = wire_tcp_build(p, &s);
		CU_ASSERT_EQUAL(len, wire_tcp_hdr_len(&s));
		CU_ASSERT(p[16] == 0 && p[17] == 0);
		memcpy(p + len, k->text, s.len);
		wire_tcp_sum_fill(p, len + s.len, k->v6 ? &v6_a : &v4_a, k->v6 ? &v6_b : &v4_b);
		check_bytes(k->name, p, len + s.len, &want);
	}
}

static void
test_no_prefix_is_read_beyond_its_end(void)
{
	for (size_t i = 0; i < array_len(captures); i++) {
		struct bytes b = hex(captures[i].bytes);
		size_t hdr_len = b.b[12] / 16 * 4u;

		for (size_t len = 0; len <= b.len; len++) {
			uint8_t *p = exact_copy(b.b, len);
			struct tcp_seg s;

			CU_ASSERT_EQUAL(wire_tcp_parse(p, len, &s),
			                len < hdr_len ? WIRE_TCP_SHORT : WIRE_TCP_OK);
			free(p);
		}
	}
}

/* -- Checksums -------------------------------------------------------------------------- */

/* RFC 9293 MUST-3. */
static void
test_any_flipped_bit_breaks_the_checksum(void)
{
	struct bytes b = hex(captures[5].bytes);

	for (size_t bit = 0; bit < b.len * 8; bit++) {
		b.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
		CU_ASSERT_FALSE(wire_tcp_sum_ok(b.b, b.len, &v4_a, &v4_b));
		b.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	CU_ASSERT(wire_tcp_sum_ok(b.b, b.len, &v4_a, &v4_b));
	CU_ASSERT_FALSE(wire_tcp_sum_ok(b.b, b.len, &v4_a, &v4_a));
	CU_ASSERT_FALSE(wire_tcp_sum_ok(b.b, b.len - 1, &v4_a, &v4_b));
}

/* What a port with checksum offload does: sums the segment, whose checksum field holds the
 * pseudo-header's sum, and stores the result inverted. */
static void
test_a_port_can_finish_the_pseudo_sum(void)
{
	for (size_t i = 0; i < array_len(captures); i++) {
		const struct capture *k = &captures[i];
		struct bytes b = hex(k->bytes), want = b;
		uint16_t sum;

		wire_tcp_sum_pseudo(b.b, b.len, k->v6 ? &v6_a : &v4_a, k->v6 ? &v6_b : &v4_b);
		sum = wire_sum_finish(wire_sum_add(0, b.b, b.len));
		memcpy(b.b + 16, &sum, 2);
		check_bytes(k->name, b.b, b.len, &want);
	}
}

/* -- Headers and options as a hostile peer writes them ------------------------------------ */

#define SYN_ALL (TCP_OPT_MSS | TCP_OPT_SACK_OK | TCP_OPT_TS | TCP_OPT_WSCALE)

/* Parses a segment with these flags and options (padded with zeros to words), in memory that
 * ends with the header. */
static struct tcp_seg
with_options(uint8_t flags, const char *options)
{
	struct bytes o = hex(options);
	size_t len = align_up(TCP_HDR_LEN + o.len, 4);
	uint8_t *p = calloc(1, len);
	struct tcp_seg s;

	if (!p || len > TCP_HDR_MAX)
		abort();
	p[12] = (uint8_t)(len / 4 << 4);
	p[13] = flags;
	memcpy(p + TCP_HDR_LEN, o.b, o.len);
	CU_ASSERT_EQUAL(wire_tcp_parse(p, len, &s), WIRE_TCP_OK);
	CU_ASSERT_EQUAL(s.len, 0);
	free(p);
	return s;
}

static void
test_false_data_offsets_are_refused(void)
{
	for (unsigned words = 0; words < 16; words++) {
		struct bytes b = hex(captures[1].bytes); /* 8 words */
		struct tcp_seg s;

		b.b[12] = (uint8_t)(words << 4);
		CU_ASSERT_EQUAL(wire_tcp_parse(b.b, b.len, &s),
		                words < 5 || words > 8 ? WIRE_TCP_SHORT : WIRE_TCP_OK);
	}
}

/* RFC 9293 MUST-7: what stood before the malformed option counts, what follows does not. */
static void
test_option_length_0_or_1_ends_the_options(void)
{
	static const char *const bad[] = { "0800", "0801", "fd00", "fd01", "0200", "0501" };

	for (size_t i = 0; i < array_len(bad); i++) {
		char text[64];
		struct tcp_seg s;

		snprintf(text, sizeof text, "020405b4 %s 030307 01", bad[i]);
		s = with_options(TCP_SYN, text);
		CU_ASSERT_EQUAL(s.opts, TCP_OPT_MSS);
		CU_ASSERT_EQUAL(s.mss, 1460);
	}
}

static void
test_option_past_the_end_ends_the_options(void)
{
	CU_ASSERT_EQUAL(with_options(TCP_SYN, "020405b4 080a0000").opts, TCP_OPT_MSS);
	CU_ASSERT_EQUAL(with_options(TCP_SYN, "020405b4 010101 02").opts, TCP_OPT_MSS);
	CU_ASSERT_EQUAL(with_options(TCP_SYN, "020405b4 0101 0204").opts, TCP_OPT_MSS);
	CU_ASSERT_EQUAL(with_options(TCP_SYN, "01 030307 020405b4 010101 08").opts,
	                TCP_OPT_MSS | TCP_OPT_WSCALE);
	CU_ASSERT_EQUAL(with_options(TCP_SYN, "fdff0000").opts, 0);
	CU_ASSERT_EQUAL(with_options(TCP_ACK, "0101050a 00000001").opts, 0);
	CU_ASSERT_EQUAL(with_options(TCP_ACK, "0101080a 00000001 000000").opts, TCP_OPT_TS);
	CU_ASSERT_EQUAL(with_options(TCP_ACK, "010101 080a 00000001 000000").opts, 0);
}

/* MUST-6, and RFC 9293 3.2 for the end of the list. */
static void
test_unknown_options_are_skipped(void)
{
	struct tcp_seg s = with_options(TCP_SYN, "fd02 1e04abcd 020405b4 ff060102 0304 030305");

	CU_ASSERT_EQUAL(s.opts, TCP_OPT_MSS | TCP_OPT_WSCALE);
	CU_ASSERT_EQUAL(s.mss, 1460);
	CU_ASSERT_EQUAL(s.wscale, 5);
}

static void
test_nothing_counts_behind_the_end_of_list(void)
{
	CU_ASSERT_EQUAL(with_options(TCP_SYN, "020405b4 00 030307").opts, TCP_OPT_MSS);
	CU_ASSERT_EQUAL(with_options(TCP_SYN, "00 020405b4").opts, 0);
	CU_ASSERT_EQUAL(with_options(TCP_SYN, "0002 020405b4").opts, 0); /* it has no length */
}

static void
test_known_kinds_of_false_length_are_skipped(void)
{
	CU_ASSERT_EQUAL(
	    with_options(TCP_SYN, "020305 0302 040300 080900000000000000 030304").opts,
	    TCP_OPT_WSCALE);
	CU_ASSERT_EQUAL(
	    with_options(TCP_SYN, "0205 05b400 03040700 080b000000010000000200").opts, 0);
	CU_ASSERT_EQUAL(
	    with_options(TCP_ACK, "0502 0506 00000000 0101080a0000000100000002").opts,
	    TCP_OPT_TS);
	CU_ASSERT_EQUAL(with_options(TCP_ACK, "050b 000000010000000200").opts, 0);
}

/* MUST-64. */
static void
test_options_count_at_any_alignment(void)
{
	for (unsigned nops = 0; nops <= 19; nops++) {
		char text[128] = "";
		struct tcp_seg s;

		for (unsigned i = 0; i < nops; i++)
			strcat(text, "01");
		strcat(text, "080adeadbeefcafebabe 0402 03030e 020405b4");
		s = with_options(TCP_SYN, text);
		CU_ASSERT_EQUAL(s.opts, SYN_ALL);
		CU_ASSERT(s.tsval == 0xdeadbeef && s.tsecr == 0xcafebabe);
		CU_ASSERT(s.wscale == 14 && s.mss == 1460);
	}
}

static void
test_forty_bytes_of_options(void)
{
	static const char nops[] =
	    "01010101010101010101010101010101010101010101010101010101010101"
	    "010101010101010101";
	struct tcp_seg s = with_options(TCP_ACK, nops);

	CU_ASSERT_EQUAL(s.opts, 0);
	s = with_options(TCP_SYN,
	                 "fd24 00000000000000000000000000000000000000000000000000000000000000"
	                 "000000 020405b4");
	CU_ASSERT_EQUAL(s.opts, TCP_OPT_MSS);
	s = with_options(TCP_ACK,
	                 "fd28 00000000000000000000000000000000000000000000000000000000000000"
	                 "00000000000000");
	CU_ASSERT_EQUAL(s.opts, 0);
}

/* RFC 7323 2.3. */
static void
test_window_scale_above_14_is_14(void)
{
	CU_ASSERT_EQUAL(with_options(TCP_SYN, "01 03030e").wscale, 14);
	CU_ASSERT_EQUAL(with_options(TCP_SYN, "01 03030f").wscale, 14);
	CU_ASSERT_EQUAL(with_options(TCP_SYN, "01 0303ff").wscale, 14);
	CU_ASSERT_EQUAL(with_options(TCP_SYN, "01 030300").wscale, 0);
	CU_ASSERT_EQUAL(with_options(TCP_SYN, "01 030300").opts, TCP_OPT_WSCALE);
}

static void
test_mss_is_what_the_peer_said(void)
{
	CU_ASSERT_EQUAL(with_options(TCP_SYN, "02040000").mss, 0);
	CU_ASSERT_EQUAL(with_options(TCP_SYN, "02040000").opts, TCP_OPT_MSS);
	CU_ASSERT_EQUAL(with_options(TCP_SYN, "02040001").mss, 1);
	CU_ASSERT_EQUAL(with_options(TCP_SYN, "0204ffff").mss, 65535);
}

/* MUST-65. */
static void
test_options_of_a_syn_count_only_there(void)
{
	struct tcp_seg s =
	    with_options(TCP_ACK, "020405b4 0402 030307 01 0101080a0000000100000002");

	CU_ASSERT_EQUAL(s.opts, TCP_OPT_TS);
	CU_ASSERT(s.mss == 0 && s.wscale == 0);
	s = with_options(TCP_SYN | TCP_ACK, "020405b4 0101050a 0000000100000002");
	CU_ASSERT_EQUAL(s.opts, TCP_OPT_MSS);
	CU_ASSERT_EQUAL(s.n_sack, 0);
}

static void
test_of_two_alike_the_last_counts(void)
{
	struct tcp_seg s = with_options(TCP_SYN, "020405b4 02040218");

	CU_ASSERT_EQUAL(s.mss, 536);
	s = with_options(TCP_ACK,
	                 "0512 00000001000000020000000300000004 050a 0000000500000006");
	CU_ASSERT_EQUAL(s.n_sack, 1);
	CU_ASSERT_EQUAL(s.sack[0].start.v, 5);
}

/* The layout that the parser knows by sight means the same as one it has to walk. */
static void
test_usual_and_unusual_layout_mean_the_same(void)
{
	struct tcp_seg usual = with_options(TCP_ACK, "0101080adeadbeefcafebabe");
	struct tcp_seg unusual = with_options(TCP_ACK, "080adeadbeefcafebabe0101");

	CU_ASSERT(same_segment(&usual, &unusual));
	CU_ASSERT_EQUAL(usual.opts, TCP_OPT_TS);
}

static void
test_quoted_bytes_give_ports_and_sequence(void)
{
	struct bytes b = hex(captures[0].bytes);
	struct tcp_quote q;

	for (size_t len = 0; len <= 8; len++) {
		uint8_t *p = exact_copy(b.b, len);

		CU_ASSERT_EQUAL(wire_tcp_parse_quoted(p, len, &q), len == 8);
		free(p);
	}
	CU_ASSERT(q.sport == 40000 && q.dport == 443 && q.seq.v == 0xfffffff0);
}

/* -- Round trips ------------------------------------------------------------------------- */

/* Anything output might ask for, and SACK blocks beyond what fits. */
static struct tcp_seg
random_segment(struct rng *r)
{
	struct tcp_seg s = {
		.seq = seq_of((uint32_t)rng_u64(r)),
		.ack = seq_of((uint32_t)rng_u64(r)),
		.wnd = rng_below(r, 65536),
		.len = rng_below(r, 100),
		.sport = (uint16_t)rng_u64(r),
		.dport = (uint16_t)rng_u64(r),
		.urg = (uint16_t)rng_u64(r),
		.flags = (uint8_t)rng_u64(r),
	};

	if (rng_below(r, 2)) {
		s.opts |= TCP_OPT_TS;
		s.tsval = (uint32_t)rng_u64(r);
		s.tsecr = (uint32_t)rng_u64(r);
	}
	if (s.flags & TCP_SYN) {
		s.opts |=
		    (uint8_t)(rng_u64(r) & (TCP_OPT_MSS | TCP_OPT_WSCALE | TCP_OPT_SACK_OK));
		s.mss = s.opts & TCP_OPT_MSS ? (uint16_t)rng_u64(r) : 0;
		s.wscale = s.opts & TCP_OPT_WSCALE ? (uint8_t)rng_below(r, 15) : 0;
	} else if (rng_below(r, 2)) {
		s.opts |= TCP_OPT_SACK;
		s.n_sack = (uint8_t)(1 + rng_below(r, TCP_SACK_MAX));
		for (unsigned i = 0; i < s.n_sack; i++) {
			s.sack[i].start = seq_of((uint32_t)rng_u64(r));
			s.sack[i].end = seq_of((uint32_t)rng_u64(r));
		}
	}
	return s;
}

static void
test_random_round_trips(void)
{
	struct rng r = { 6 };

	for (int n = 0; n < 5000; n++) {
		struct tcp_seg s = random_segment(&r), t;
		uint32_t hdr_len = wire_tcp_hdr_len(&s);
		uint8_t *p = calloc(1, hdr_len + s.len);

		CU_ASSERT_FATAL(p != NULL);
		CU_ASSERT(hdr_len % 4 == 0 && hdr_len <= TCP_HDR_MAX);
		CU_ASSERT_EQUAL(wire_tcp_build(p, &s), hdr_len);
		wire_tcp_sum_fill(p, hdr_len + s.len, &v4_a, &v4_b);
		CU_ASSERT(wire_tcp_sum_ok(p, hdr_len + s.len, &v4_a, &v4_b));
		CU_ASSERT_EQUAL_FATAL(wire_tcp_parse(p, hdr_len + s.len, &t), WIRE_TCP_OK);
		if (s.opts & TCP_OPT_TS)
			s.n_sack = min(s.n_sack, (uint8_t)3); /* what fits beside it */
		CU_ASSERT(same_segment(&s, &t));
		free(p);
	}
}

/* MUST-65: whatever the caller's flags say, options of a SYN stand in a SYN. */
static void
test_a_syn_and_others_get_their_own_options(void)
{
	struct tcp_seg s = {
		.flags = TCP_ACK, .opts = 0xff, .n_sack = 1, .mss = 9, .wscale = 200
	};

	CU_ASSERT_EQUAL(wire_tcp_hdr_len(&s), 20 + 12 + 12);
	s.flags = TCP_SYN;
	CU_ASSERT_EQUAL(wire_tcp_hdr_len(&s), 20 + 24);
	s.opts = TCP_OPT_SACK;
	CU_ASSERT_EQUAL(wire_tcp_hdr_len(&s), 20);
	s.flags = TCP_ACK;
	s.n_sack = 0;
	CU_ASSERT_EQUAL(wire_tcp_hdr_len(&s), 20);
}

/* RFC 7413 4.1.1: kind 34; nothing, or 4 to 16 bytes, an even number. */
static void
test_fast_open_cookies(void)
{
	for (uint8_t n = 0; n <= 18; n++) {
		bool good = n == 0 || (n >= 4 && n <= 16 && n % 2 == 0);
		uint8_t p[TCP_HDR_LEN + TCP_OPT_MAX] = { [12] = 0xf0, [13] = TCP_SYN };
		struct tcp_seg s;

		p[20] = 34;
		p[21] = (uint8_t)(2 + n);
		for (unsigned i = 0; i < n; i++)
			p[22 + i] = (uint8_t)(i + 1);
		CU_ASSERT_EQUAL_FATAL(wire_tcp_parse(p, sizeof p, &s), WIRE_TCP_OK);
		CU_ASSERT_EQUAL((s.opts & TCP_OPT_FASTOPEN) != 0, good);
		CU_ASSERT_EQUAL(s.n_cookie, good ? n : 0);
		if (!good)
			continue;
		CU_ASSERT_EQUAL(memcmp(s.cookie, p + 22, n), 0);
		s.opts |= TCP_OPT_TS | TCP_OPT_MSS | TCP_OPT_SACK_OK | TCP_OPT_WSCALE;
		memset(p, 0, sizeof p);
		CU_ASSERT_EQUAL(wire_tcp_build(p, &s), wire_tcp_hdr_len(&s));
		CU_ASSERT_EQUAL(wire_tcp_hdr_len(&s), 40 + (2 + n + 3) / 4 * 4);
		CU_ASSERT_EQUAL(p[40], 34);
		CU_ASSERT_EQUAL(p[41], 2 + n);
		CU_ASSERT(n % 4 == 2 || p[42 + n] == 1); /* padded by nops */
		p[13] = TCP_ACK; /* only a SYN has it */
		CU_ASSERT_EQUAL_FATAL(wire_tcp_parse(p, wire_tcp_hdr_len(&s), &s), WIRE_TCP_OK);
		CU_ASSERT_FALSE(s.opts & TCP_OPT_FASTOPEN);
	}
}

void
suite_tcp_wire(void)
{
	CU_pSuite s = CU_add_suite("tcp_wire", NULL, NULL);

	CU_add_test(s, "captures are understood", test_captures_are_understood);
	CU_add_test(s, "captures are built to the byte (RFC 9293 MUST-2, MUST-69; RFC 1122 4.2.2.7; "
	            "Linux: SYN options; Linux: ACK options)",
	            test_captures_are_built_to_the_byte);
	CU_add_test(s, "no prefix is read beyond its end",
	            test_no_prefix_is_read_beyond_its_end);
	CU_add_test(s, "any flipped bit breaks the checksum (RFC 9293 MUST-3; RFC 1122 "
	            "4.2.2.7)",
	            test_any_flipped_bit_breaks_the_checksum);
	CU_add_test(s, "a port can finish the pseudo-header's sum",
	            test_a_port_can_finish_the_pseudo_sum);
	CU_add_test(s, "false data offsets are refused", test_false_data_offsets_are_refused);
	CU_add_test(s, "an option of length 0 or 1 ends the options (RFC 9293 MUST-7; attack: "
	            "option length 0; attack: option length 1)",
	            test_option_length_0_or_1_ends_the_options);
	CU_add_test(s, "an option past the end ends the options (RFC 9293 MUST-7; attack: "
	            "option past the end)",
	            test_option_past_the_end_ends_the_options);
	CU_add_test(s, "unknown options are skipped (RFC 9293 MUST-6, MUST-68; attack: unknown "
	            "option kinds)",
	            test_unknown_options_are_skipped);
	CU_add_test(s, "nothing counts behind the end of the list",
	            test_nothing_counts_behind_the_end_of_list);
	CU_add_test(s, "known kinds of false length are skipped",
	            test_known_kinds_of_false_length_are_skipped);
	CU_add_test(s, "options count at any alignment (RFC 9293 MUST-64)",
	            test_options_count_at_any_alignment);
	CU_add_test(s, "forty bytes of options are read and no more (attack: 40 bytes of "
	            "options)",
	            test_forty_bytes_of_options);
	CU_add_test(s, "a window scale above 14 is 14 (RFC 7323 2.3)",
	            test_window_scale_above_14_is_14);
	CU_add_test(s, "the MSS is what the peer said", test_mss_is_what_the_peer_said);
	CU_add_test(s, "options of a SYN count only there (RFC 9293 MUST-65)",
	            test_options_of_a_syn_count_only_there);
	CU_add_test(s, "of two options alike the last counts",
	            test_of_two_alike_the_last_counts);
	CU_add_test(s, "usual and unusual layout mean the same",
	            test_usual_and_unusual_layout_mean_the_same);
	CU_add_test(s, "quoted bytes give ports and sequence",
	            test_quoted_bytes_give_ports_and_sequence);
	CU_add_test(s, "what is built is parsed to the same",
	            test_random_round_trips);
	CU_add_test(s, "a SYN and others get their own options",
	            test_a_syn_and_others_get_their_own_options);
	CU_add_test(s, "Fast Open cookies (RFC 7413 2/size)", test_fast_open_cookies);
}
