/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv6 and ICMPv6, byte for byte as another implementation writes them; every false length, and
 * extension headers of every kind. */
#include "wire/ip6.h"

#include "base/rng.h"
#include "test/wire/hex.h"
#include "wire/sum.h"
#include "wire/tcp_wire.h"

void suite_ip6(void);

#define A   "20010db8000000000000000000000001"
#define B   "20010db8000000000000000000000002"
#define SYN "600998d400280640" A B \
	"a9cc00096c972e2000000000a002fd205ba30000020405a00402080a16d92e32000000000103030a"
#define ECHO "600445c600103a40" A B "800099047f2a00010001020304050607"
#define UNREACHABLE "600a050f003d3a40" B A \
	"0104e63c00000000600fb915000d1140" A B "976f0009000d5b9368656c6c6f"
#define REPORT "6000000000240001fe80000000000000000000fffe000002ff020000000000000000000000000016" \
	"3a000502000001008f0072050000000104000000ff0200000000000000000001ff000002"

static enum wire_ip6_error
parse(const struct bytes *b, struct ip6_hdr *h, struct ip6_problem *problem)
{
	uint8_t *copy = exact_copy(b->b, b->len);
	enum wire_ip6_error e = wire_ip6_parse(copy, b->len, h, problem);

	free(copy);
	return e;
}

/* A packet whose first header is of kind `proto`, with `rest` behind the fixed header. */
static struct bytes
packet(uint8_t proto, const char *rest)
{
	struct bytes b = hex("6000000000000040" A B), r = hex(rest);

	memcpy(b.b + b.len, r.b, r.len);
	b.len += r.len;
	put_be16(b.b + 4, to_u16(r.len));
	b.b[6] = proto;
	return b;
}

static void
expect(uint8_t proto, const char *rest, enum wire_ip6_error want)
{
	struct bytes b = packet(proto, rest);
	struct ip6_problem problem;
	struct ip6_hdr h;
	enum wire_ip6_error e = parse(&b, &h, &problem);

	if (e != want)
		printf("\n%s: %d, not %d\n", rest, e, want);
	CU_ASSERT_EQUAL(e, want);
}

static void
expect_problem(uint8_t proto, const char *rest, uint8_t code, uint16_t at, bool to_group)
{
	struct bytes b = packet(proto, rest);
	struct ip6_problem problem = { 0 };
	struct ip6_hdr h;

	CU_ASSERT_EQUAL(parse(&b, &h, &problem), WIRE_IP6_PROBLEM);
	CU_ASSERT_EQUAL(problem.code, code);
	CU_ASSERT_EQUAL(problem.at, at);
	CU_ASSERT_EQUAL(problem.to_group, to_group);
}

static void
test_captures_are_understood(void)
{
	struct bytes b = hex(SYN);
	struct ip6_problem problem;
	struct ip6_hdr h;
	struct tcp_seg s;

	CU_ASSERT_EQUAL_FATAL(parse(&b, &h, &problem), WIRE_IP6_OK);
	CU_ASSERT(h.hdr_len == 40 && h.total_len == 80 && h.proto == IP_PROTO_TCP);
	CU_ASSERT(h.flow == 0x998d4 && h.tclass == 0 && h.hop_limit == 64);
	CU_ASSERT(h.src.b[15] == 1 && h.dst.b[15] == 2 && h.frag_at == 0 && h.proto_at == 6);
	/* Its sender left the sum to its device: what stands there is the pseudo-header's. */
	CU_ASSERT_EQUAL(wire_tcp_parse(b.b + 40, 40, &s), WIRE_TCP_OK);
	CU_ASSERT_EQUAL(s.mss, 1440);

	b = hex(REPORT);
	CU_ASSERT_EQUAL_FATAL(parse(&b, &h, &problem), WIRE_IP6_OK);
	CU_ASSERT(h.hdr_len == 48 && h.proto == IP_PROTO_ICMP6 && h.proto_at == 40);
}

static void
test_a_header_is_built_as_it_was(void)
{
	static const char *const captures[] = { SYN, ECHO, UNREACHABLE };

	for (size_t i = 0; i < array_len(captures); i++) {
		struct bytes b = hex(captures[i]), head = b;
		struct ip6_problem problem;
		struct ip6_hdr h;
		uint8_t out[IP6_LEN];

		CU_ASSERT_EQUAL(parse(&b, &h, &problem), WIRE_IP6_OK);
		head.len = IP6_LEN;
		wire_ip6_build(out, &h);
		check_bytes(captures[i], out, IP6_LEN, &head);
	}
}

static void
test_every_false_length_is_refused(void)
{
	struct bytes b = hex(SYN);
	struct ip6_problem problem;
	struct ip6_hdr h;

	for (size_t len = 0; len < b.len; len++) {
		struct bytes cut = b;

		cut.len = len;
		CU_ASSERT_EQUAL(parse(&cut, &h, &problem), WIRE_IP6_SHORT);
	}
	b.len++; /* what the frame has more is padding */
	CU_ASSERT_EQUAL(parse(&b, &h, &problem), WIRE_IP6_OK);
	CU_ASSERT_EQUAL(h.total_len, 80);
	b.b[0] = 0x45;
	CU_ASSERT_EQUAL(parse(&b, &h, &problem), WIRE_IP6_VERSION);
}

static void
test_extension_headers_are_walked(void)
{
	struct bytes b = packet(0, "3c00010400000000" "2b00010400000000" "2c00040000000000"
	                           "0600000000000007" "61626364");
	struct ip6_problem problem;
	struct ip6_hdr h;

	CU_ASSERT_EQUAL_FATAL(parse(&b, &h, &problem), WIRE_IP6_OK);
	CU_ASSERT(h.proto == IP_PROTO_TCP && h.hdr_len == 72 && h.proto_at == 64);
	CU_ASSERT(h.frag_at == 64 && h.frag_off == 0 && !h.mf && h.id == 7); /* RFC 6946 */
}

static void
test_a_fragment_is_told(void)
{
	struct bytes b = packet(44, "3c00000912345678" "ff"); /* behind it there is no header */
	struct ip6_problem problem;
	struct ip6_hdr h;

	CU_ASSERT_EQUAL_FATAL(parse(&b, &h, &problem), WIRE_IP6_OK);
	CU_ASSERT(h.frag_off == 8 && h.mf && h.id == 0x12345678 && h.proto == IP_PROTO_DST_OPTS);
	CU_ASSERT(h.hdr_len == 48 && h.frag_at == 40);
	expect(44, "2c00000000000001" "0600000000000001", WIRE_IP6_EXT);
}

static void
test_hop_by_hop_options_come_first_or_never(void)
{
	expect(0, "0600010400000000", WIRE_IP6_OK);
	expect_problem(60, "0000010400000000" "0600010400000000", ICMP6_CODE_NEXT_HEADER, 40, false);
	expect_problem(0, "0000010400000000" "0600010400000000", ICMP6_CODE_NEXT_HEADER, 40, false);
}

/* RFC 8200 4.2: the two highest bits of its type. */
static void
test_unknown_options_say_what_is_to_be_done(void)
{
	expect(0, "06003e0400000000", WIRE_IP6_OK);
	expect(60, "06007e0400000000", WIRE_IP6_SILENT);
	expect_problem(60, "0600be0400000000", ICMP6_CODE_OPTION, 42, true);
	expect_problem(60, "0600fe0400000000", ICMP6_CODE_OPTION, 42, false);
	expect_problem(60, "06000000fe020000", ICMP6_CODE_OPTION, 44, false);
}

static void
test_a_route_that_goes_on_is_not_ours(void)
{
	expect(43, "0600000000000000", WIRE_IP6_OK);
	expect_problem(43, "0600000100000000", ICMP6_CODE_FIELD, 42, false);
	expect_problem(43, "0600040100000000", ICMP6_CODE_FIELD, 42, false);
}

static void
test_options_end_where_their_header_does(void)
{
	expect(0, "0600010500000000", WIRE_IP6_EXT);
	expect(0, "0600000000000001", WIRE_IP6_EXT);
	expect(0, "06000104000000", WIRE_IP6_EXT);
	expect(0, "0601010400000000", WIRE_IP6_EXT);
	expect(0, "", WIRE_IP6_EXT);
}

static void
test_headers_and_options_have_limits(void)
{
	struct bytes b = packet(60, "");
	struct ip6_problem problem;
	struct ip6_hdr h;

	for (unsigned n = 1; n <= IP6_EXT_MAX + 1; n++) {
		struct bytes ext = hex("3c00010400000000");

		memcpy(b.b + b.len, ext.b, ext.len);
		b.len += ext.len;
		b.b[b.len - 8] = IP_PROTO_NONE;
		if (n > 1)
			b.b[b.len - 16] = IP_PROTO_DST_OPTS;
		put_be16(b.b + 4, to_u16(b.len - IP6_LEN));
		CU_ASSERT_EQUAL(parse(&b, &h, &problem),
		                n <= IP6_EXT_MAX ? WIRE_IP6_OK : WIRE_IP6_EXT);
	}
	expect(60, "3b02" "3e003e003e003e003e003e003e003e00" "010400000000", WIRE_IP6_OK);
	expect(60, "3b02" "3e003e003e003e003e003e003e003e003e00" "01020000", WIRE_IP6_EXT);
}

static void
test_one_long_header_is_too_long(void)
{
	static uint8_t p[IP6_LEN + 512];
	struct ip6_problem problem;
	struct ip6_hdr h = { .total_len = sizeof p, .proto = IP_PROTO_DST_OPTS };

	wire_ip6_build(p, &h);
	p[IP6_LEN] = IP_PROTO_NONE;
	p[IP6_LEN + 1] = IP6_EXT_BYTES / 8 - 1;
	CU_ASSERT_EQUAL(wire_ip6_parse(p, sizeof p, &h, &problem), WIRE_IP6_OK);
	p[IP6_LEN + 1]++;
	CU_ASSERT_EQUAL(wire_ip6_parse(p, sizeof p, &h, &problem), WIRE_IP6_EXT);
}

static void
test_a_quoted_packet_may_be_cut(void)
{
	struct bytes b = hex(SYN);
	struct ip6_hdr h;

	CU_ASSERT_EQUAL(wire_ip6_parse_quoted(b.b, IP6_LEN, &h), WIRE_IP6_OK);
	CU_ASSERT(h.total_len == 80 && h.proto == IP_PROTO_TCP && h.hdr_len == IP6_LEN);
	b = packet(60, "0600fe0400000000"); /* an option that we would complain of */
	CU_ASSERT_EQUAL(wire_ip6_parse_quoted(b.b, b.len, &h), WIRE_IP6_OK);
	CU_ASSERT_EQUAL(wire_ip6_parse_quoted(b.b, b.len - 1, &h), WIRE_IP6_EXT);
	CU_ASSERT_EQUAL(wire_ip6_parse_quoted(b.b, IP6_LEN - 1, &h), WIRE_IP6_SHORT);
}

static void
test_icmp_captures_are_understood_and_built(void)
{
	static const char *const captures[] = { ECHO, UNREACHABLE };

	for (size_t i = 0; i < array_len(captures); i++) {
		struct bytes b = hex(captures[i]), want = b;
		struct ip6_problem problem;
		struct icmp6_msg m;
		struct ip6_hdr h;
		size_t len = b.len - IP6_LEN;

		CU_ASSERT_EQUAL(parse(&b, &h, &problem), WIRE_IP6_OK);
		CU_ASSERT_FATAL(wire_icmp6_parse(b.b + IP6_LEN, len, &h.src, &h.dst, &m));
		CU_ASSERT_EQUAL(m.len, len - ICMP6_LEN);
		memset(b.b + IP6_LEN, 0, ICMP6_LEN);
		wire_icmp6_build(b.b + IP6_LEN, &h.src, &h.dst, &m);
		check_bytes(captures[i], b.b, b.len, &want);
	}
}

/* Also of the addresses: what reaches a wrong one is damaged. */
static void
test_a_damaged_icmp_message_is_refused(void)
{
	struct bytes b = hex(ECHO);
	struct ip6_problem problem;
	struct icmp6_msg m;
	struct ip6_hdr h;

	CU_ASSERT_EQUAL(parse(&b, &h, &problem), WIRE_IP6_OK);
	for (size_t i = IP6_LEN; i < b.len; i++) {
		b.b[i] ^= 0x10;
		CU_ASSERT_FALSE(wire_icmp6_parse(b.b + IP6_LEN, 16, &h.src, &h.dst, &m));
		b.b[i] ^= 0x10;
	}
	CU_ASSERT(wire_icmp6_parse(b.b + IP6_LEN, 16, &h.src, &h.dst, &m));
	CU_ASSERT_FALSE(wire_icmp6_parse(b.b + IP6_LEN, 7, &h.src, &h.dst, &m));
	h.dst.b[15] ^= 4;
	CU_ASSERT_FALSE(wire_icmp6_parse(b.b + IP6_LEN, 16, &h.src, &h.dst, &m));
}

static void
test_addresses_make_groups(void)
{
	struct ip_addr a = { { 0xfe, 0x80 } }, group, want = { { 0xff, 2 } };
	struct mac_addr m;

	put_be64(a.b + 8, UINT64_C(0x021b21fffe123456));
	group = ip6_solicited_node(&a);
	put_be32(want.b + 8, 1);
	put_be32(want.b + 12, 0xff123456);
	CU_ASSERT(ip_addr_eq(&group, &want));
	m = ip6_group_mac(&group);
	CU_ASSERT(memcmp(m.b, "\x33\x33\xff\x12\x34\x56", 6) == 0);
	group = ip6_all_nodes();
	CU_ASSERT(group.b[1] == 2 && group.b[15] == 1 && ip6_is_multicast(&group));
	group = ip6_all_routers();
	CU_ASSERT(group.b[1] == 2 && group.b[15] == 2);
}

static void
test_addresses_are_of_a_kind(void)
{
	struct ip_addr any = IP_ANY, one = { { [15] = 1 } }, ll = { { 0xfe, 0xbf } },
		       site = { { 0xfe, 0xc0 } };

	CU_ASSERT(ip6_is_unspecified(&any) && !ip6_is_unspecified(&one));
	CU_ASSERT(ip6_is_loopback(&one) && !ip6_is_loopback(&any));
	CU_ASSERT(ip6_is_link_local(&ll) && !ip6_is_link_local(&site));
}

/* Bytes at random behind a valid start: never beyond the end, never for ever. */
static void
test_noise_is_walked_in_bounds(void)
{
	static const uint8_t kinds[] = { 0, 43, 44, 60 };
	struct rng r = { 6 };

	for (unsigned i = 0; i < 20000; i++) {
		struct bytes b = packet(kinds[rng_below(&r, 4)], "");
		struct ip6_problem problem;
		struct ip6_hdr h;

		b.len = IP6_LEN + rng_below(&r, 150);
		put_be16(b.b + 4, to_u16(b.len - IP6_LEN));
		for (size_t k = IP6_LEN; k < b.len; k++)
			b.b[k] = rng_below(&r, 2) ? kinds[rng_below(&r, 4)]
			                          : (uint8_t)rng_below(&r, 256);
		if (parse(&b, &h, &problem) == WIRE_IP6_OK)
			CU_ASSERT(h.hdr_len >= IP6_LEN && h.hdr_len <= h.total_len);
	}
}

void
suite_ip6(void)
{
	CU_pSuite s = CU_add_suite("ip6", NULL, NULL);

	CU_add_test(s, "captures are understood", test_captures_are_understood);
	CU_add_test(s, "a header is built as it was", test_a_header_is_built_as_it_was);
	CU_add_test(s, "every false length is refused", test_every_false_length_is_refused);
	CU_add_test(s, "extension headers are walked (RFC 8200 4, RFC 6946 4)", test_extension_headers_are_walked);
	CU_add_test(s, "a fragment is told, and what it holds not looked at",
	            test_a_fragment_is_told);
	CU_add_test(s, "Hop-by-Hop options come first or never (RFC 8200 4.1)",
	            test_hop_by_hop_options_come_first_or_never);
	CU_add_test(s, "unknown options say what is to be done (RFC 8200 4.2)",
	            test_unknown_options_say_what_is_to_be_done);
	CU_add_test(s, "a route that goes on is not ours (RFC 8200 4.4; RFC 5095 3)", test_a_route_that_goes_on_is_not_ours);
	CU_add_test(s, "options end where their header does",
	            test_options_end_where_their_header_does);
	CU_add_test(s, "headers and options have limits (RFC 8504 5.3)", test_headers_and_options_have_limits);
	CU_add_test(s, "one long header is too long", test_one_long_header_is_too_long);
	CU_add_test(s, "a quoted packet may be cut", test_a_quoted_packet_may_be_cut);
	CU_add_test(s, "ICMP captures are understood and built",
	            test_icmp_captures_are_understood_and_built);
	CU_add_test(s, "a damaged ICMP message is refused (RFC 4443 2.3)",
	            test_a_damaged_icmp_message_is_refused);
	CU_add_test(s, "addresses make groups (RFC 4291 2.7.1; RFC 2464 7)", test_addresses_make_groups);
	CU_add_test(s, "addresses are of a kind", test_addresses_are_of_a_kind);
	CU_add_test(s, "noise is walked in bounds", test_noise_is_walked_in_bounds);
}
