/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv4 and ICMP, byte for byte as another implementation writes them, and every false length.
 */
#include "wire/ip4.h"

#include "base/rng.h"
#include "test/wire/hex.h"
#include "wire/sum.h"

void suite_ip4(void);

#define IP_A         0xc0000201u /* 192.0.2.1     */
#define IP_B         0xc633644du /* 198.51.100.77 */

#define FRAGMENT     "45b9001c1c4620b93d115397c0000201c633644d 7878787878787878"
#define WHOLE        "4500001b0007400040064e54c0000201c633644d 30313233343536"
#define WITH_OPTIONS "4700001f000900004011f73ec0000201c633644d 9404000001000000 616263"
#define ECHO         "0800612212340005 70696e67206f646421"
#define FRAG_NEEDED  \
	"0304035800000578 45000028000740003c065247c0000201c633644d 9c40005089abcdef"

static struct ip4_hdr
parsed(const char *capture)
{
	struct bytes b = hex(capture);
	struct ip4_hdr h;

	CU_ASSERT_EQUAL_FATAL(wire_ip4_parse(b.b, b.len, true, &h), WIRE_IP_OK);
	CU_ASSERT_EQUAL(ip_addr_v4_host(&h.src), IP_A);
	CU_ASSERT_EQUAL(ip_addr_v4_host(&h.dst), IP_B);
	CU_ASSERT(ip_addr_is_v4(&h.src) && ip_addr_is_v4(&h.dst));
	CU_ASSERT_EQUAL(h.total_len, b.len);
	return h;
}

static void
test_captures_are_understood(void)
{
	struct ip4_hdr h = parsed(FRAGMENT);

	CU_ASSERT_EQUAL(h.hdr_len, 20);
	CU_ASSERT_EQUAL(h.tos, 0xb9);
	CU_ASSERT_EQUAL(h.id, 0x1c46);
	CU_ASSERT_EQUAL(h.frag_off, 185 * 8);
	CU_ASSERT(h.mf && !h.df);
	CU_ASSERT_EQUAL(h.ttl, 61);
	CU_ASSERT_EQUAL(h.proto, IP_PROTO_UDP);

	h = parsed(WHOLE);
	CU_ASSERT(h.df && !h.mf && h.frag_off == 0);
	CU_ASSERT_EQUAL(h.proto, IP_PROTO_TCP);
}

/* RFC 9293 MUST-50: what IP options say is not our business, where they end is. */
static void
test_options_are_skipped(void)
{
	struct ip4_hdr h = parsed(WITH_OPTIONS);

	CU_ASSERT_EQUAL(h.hdr_len, 28);
	CU_ASSERT_EQUAL(h.total_len - h.hdr_len, 3);
}

static void
check_rebuilt(const char *capture)
{
	struct ip4_hdr h = parsed(capture);
	struct bytes want = hex(capture);
	uint8_t p[IP4_LEN];

	want.len = IP4_LEN;
	wire_ip4_build(p, &h, true);
	check_bytes(capture, p, sizeof p, &want);
	memset(want.b + 10, 0, 2);
	wire_ip4_build(p, &h, false);
	check_bytes("without checksum", p, sizeof p, &want);
}

static void
test_headers_are_built_to_the_byte(void)
{
	check_rebuilt(FRAGMENT);
	check_rebuilt(WHOLE);
}

static enum wire_ip_error
parse_changed(const char *capture, size_t at, uint8_t to, bool check_sum)
{
	struct bytes b = hex(capture);
	struct ip4_hdr h;

	b.b[at] = to;
	return wire_ip4_parse(b.b, b.len, check_sum, &h);
}

static void
test_false_version_and_lengths_are_refused(void)
{
	CU_ASSERT_EQUAL(parse_changed(WHOLE, 0, 0x65, false), WIRE_IP_VERSION);
	CU_ASSERT_EQUAL(parse_changed(WHOLE, 0, 0x44, false), WIRE_IP_VERSION);
	CU_ASSERT_EQUAL(parse_changed(WHOLE, 0, 0x40, false), WIRE_IP_VERSION);
	/* A header longer than the packet, a packet longer than the frame or shorter than its
	 * header. */
	CU_ASSERT_EQUAL(parse_changed(WHOLE, 0, 0x4f, false), WIRE_IP_SHORT);
	CU_ASSERT_EQUAL(parse_changed(WHOLE, 0, 0x47, false), WIRE_IP_SHORT);
	CU_ASSERT_EQUAL(parse_changed(WHOLE, 3, 28, false), WIRE_IP_SHORT);
	CU_ASSERT_EQUAL(parse_changed(WHOLE, 2, 0xff, false), WIRE_IP_SHORT);
	CU_ASSERT_EQUAL(parse_changed(WHOLE, 3, 19, false), WIRE_IP_SHORT);
	CU_ASSERT_EQUAL(parse_changed(WHOLE, 3, 0, false), WIRE_IP_SHORT);
	CU_ASSERT_EQUAL(parse_changed(WHOLE, 3, 20, false), WIRE_IP_OK);
	CU_ASSERT_EQUAL(parse_changed(WITH_OPTIONS, 3, 27, false), WIRE_IP_SHORT);
}

static void
test_every_prefix_of_a_packet_is_short(void)
{
	struct bytes b = hex(WITH_OPTIONS);

	for (size_t len = 0; len < b.len; len++) {
		uint8_t *p = exact_copy(b.b, len);
		struct ip4_hdr h;

		CU_ASSERT_EQUAL(wire_ip4_parse(p, len, true, &h), WIRE_IP_SHORT);
		free(p);
	}
}

static void
test_a_frame_may_be_padded(void)
{
	struct bytes b = hex(WHOLE "00000000");
	struct ip4_hdr h;

	CU_ASSERT_EQUAL(wire_ip4_parse(b.b, b.len, true, &h), WIRE_IP_OK);
	CU_ASSERT_EQUAL(h.total_len, b.len - 4);
}

static void
test_any_flipped_bit_breaks_the_header_checksum(void)
{
	for (size_t bit = 8; bit < IP4_LEN * 8;
	     bit++) { /* version and length have their own errors */
		struct bytes b = hex(WHOLE "00");
		struct ip4_hdr h;

		b.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
		CU_ASSERT_NOT_EQUAL(wire_ip4_parse(b.b, b.len, true, &h), WIRE_IP_OK);
	}
	CU_ASSERT_EQUAL(parse_changed(WHOLE, 10, 0, true), WIRE_IP_SUM);
	CU_ASSERT_EQUAL(parse_changed(WHOLE, 10, 0, false), WIRE_IP_OK);
	CU_ASSERT_EQUAL(parse_changed(WITH_OPTIONS, 21, 5, true), WIRE_IP_SUM);
}

/* RFC 792: the header and 8 bytes, whatever the packet's length was. */
static void
test_a_quoted_header_may_be_cut_behind_itself(void)
{
	struct bytes b = hex(WITH_OPTIONS);
	struct ip4_hdr h;

	for (size_t len = 0; len <= b.len; len++) {
		uint8_t *p = exact_copy(b.b, len);

		CU_ASSERT_EQUAL(wire_ip4_parse_quoted(p, len, &h),
		                len < 28 ? WIRE_IP_SHORT : WIRE_IP_OK);
		free(p);
	}
	CU_ASSERT_EQUAL(h.total_len, 31);
	b.b[0] = 0x64;
	CU_ASSERT_EQUAL(wire_ip4_parse_quoted(b.b, b.len, &h), WIRE_IP_VERSION);
}

static struct ip4_hdr
random_header(struct rng *r)
{
	return (struct ip4_hdr){
		.src = ip_addr_v4((uint32_t)rng_u64(r)),
		.dst = ip_addr_v4((uint32_t)rng_u64(r)),
		.hdr_len = IP4_LEN,
		.tos = (uint8_t)rng_u64(r),
		.ttl = (uint8_t)rng_u64(r),
		.proto = (uint8_t)rng_u64(r),
		.total_len = (uint16_t)(IP4_LEN + rng_below(r, 1000)),
		.id = (uint16_t)rng_u64(r),
		.frag_off = (uint16_t)(rng_below(r, 8192) * 8),
		.df = rng_below(r, 2),
		.mf = rng_below(r, 2),
	};
}

static void
test_random_round_trips(void)
{
	static uint8_t p[IP4_LEN + 1000];
	struct rng r = { 5 };

	for (int n = 0; n < 2000; n++) {
		struct ip4_hdr h = random_header(&r), g;

		wire_ip4_build(p, &h, true);
		CU_ASSERT_EQUAL_FATAL(wire_ip4_parse(p, sizeof p, true, &g), WIRE_IP_OK);
		CU_ASSERT(ip_addr_eq(&h.src, &g.src) && ip_addr_eq(&h.dst, &g.dst));
		CU_ASSERT(h.hdr_len == g.hdr_len && h.total_len == g.total_len &&
		          h.tos == g.tos);
		CU_ASSERT(h.ttl == g.ttl && h.proto == g.proto && h.id == g.id);
		CU_ASSERT(h.frag_off == g.frag_off && h.df == g.df && h.mf == g.mf);
	}
}

static void
test_icmp_captures_are_understood(void)
{
	struct bytes echo = hex(ECHO), needed = hex(FRAG_NEEDED);
	struct icmp4_msg m;

	CU_ASSERT_FATAL(wire_icmp4_parse(echo.b, echo.len, &m));
	CU_ASSERT(m.type == ICMP4_ECHO_REQUEST && m.code == 0);
	CU_ASSERT_EQUAL(m.rest, 0x12340005);
	CU_ASSERT_EQUAL(m.len, 9);
	CU_ASSERT_EQUAL(memcmp(m.payload, "ping odd!", 9), 0);

	CU_ASSERT_FATAL(wire_icmp4_parse(needed.b, needed.len, &m));
	CU_ASSERT(m.type == ICMP4_UNREACHABLE && m.code == ICMP4_CODE_FRAG_NEEDED);
	CU_ASSERT_EQUAL(m.rest & UINT16_MAX, 1400);
}

static void
test_icmp_is_built_to_the_byte(void)
{
	struct bytes want = hex(ECHO), b = want;
	struct icmp4_msg m = { .type = ICMP4_ECHO_REQUEST, .rest = 0x12340005, .len = 9 };

	memset(b.b, 0xee, ICMP4_LEN);
	wire_icmp4_build(b.b, &m);
	check_bytes("echo", b.b, b.len, &want);
}

static void
test_icmp_short_or_damaged_is_refused(void)
{
	struct bytes b = hex(ECHO);
	struct icmp4_msg m;

	for (size_t len = 0; len < b.len; len++) {
		uint8_t *p = exact_copy(b.b, len);

		CU_ASSERT_FALSE(wire_icmp4_parse(p, len, &m));
		free(p);
	}
	for (size_t bit = 0; bit < b.len * 8; bit++) {
		b.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
		CU_ASSERT_FALSE(wire_icmp4_parse(b.b, b.len, &m));
		b.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

void
suite_ip4(void)
{
	CU_pSuite s = CU_add_suite("ip4", NULL, NULL);

	CU_add_test(s, "captures are understood", test_captures_are_understood);
	CU_add_test(s, "options are skipped", test_options_are_skipped);
	CU_add_test(s, "headers are built to the byte", test_headers_are_built_to_the_byte);
	CU_add_test(s, "false version and lengths are refused",
	            test_false_version_and_lengths_are_refused);
	CU_add_test(s, "every prefix of a packet is short",
	            test_every_prefix_of_a_packet_is_short);
	CU_add_test(s, "a frame may be padded", test_a_frame_may_be_padded);
	CU_add_test(s, "any flipped bit breaks the header checksum",
	            test_any_flipped_bit_breaks_the_header_checksum);
	CU_add_test(s, "a quoted header may be cut behind itself",
	            test_a_quoted_header_may_be_cut_behind_itself);
	CU_add_test(s, "what is built is parsed to the same", test_random_round_trips);
	CU_add_test(s, "ICMP captures are understood", test_icmp_captures_are_understood);
	CU_add_test(s, "ICMP is built to the byte", test_icmp_is_built_to_the_byte);
	CU_add_test(s, "ICMP that is short or damaged is refused",
	            test_icmp_short_or_damaged_is_refused);
}
