/* SPDX-License-Identifier: BSD-3-Clause */
/* Who is told why a packet was not taken, how often, and who is never told. */
#include <CUnit/CUnit.h>

#include "test/core/world.h"

void suite_refuse(void);

/* The host's next frame is this error about a packet of `proto`. */
static bool
hears_error(struct world *w, uint8_t type, uint8_t code, uint8_t proto)
{
	const struct world_frame *f = world_next(w, 0);
	struct ip4_hdr h, q;
	struct icmp4_msg m;

	return f && wire_ip4_parse(f->data + ETH_LEN, f->len - ETH_LEN, true, &h) == WIRE_IP_OK &&
	       h.proto == IP_PROTO_ICMP && h.total_len <= ICMP_ERROR_MAX &&
	       wire_icmp4_parse(f->data + ETH_LEN + IP4_LEN, h.total_len - IP4_LEN, &m) &&
	       m.type == type && m.code == code &&
	       wire_ip4_parse_quoted(m.payload, m.len, &q) == WIRE_IP_OK && q.proto == proto &&
	       ip_addr_eq(&q.dst, &h.src) && ip_addr_eq(&q.src, &h.dst) &&
	       m.len >= min((uint32_t)q.total_len, IP4_LEN + 8u);
}

static void
test_other_protocols_are_refused(void)
{
	struct world w;
	struct craft_way way;
	uint8_t f[CRAFT_MAX], data[1400] = { 0 };

	world_init(&w, 1, NULL);
	way = world_way(&w, 0);
	world_frame(&w, 0, f, craft_ip(f, &way, 132, data, 40));
	CU_ASSERT_TRUE(hears_error(&w, ICMP4_UNREACHABLE, ICMP4_CODE_PROTO, 132));
	world_frame(&w, 0, f, craft_ip(f, &way, 47, data, sizeof data));
	CU_ASSERT_TRUE(hears_error(&w, ICMP4_UNREACHABLE, ICMP4_CODE_PROTO, 47));
	CU_ASSERT_EQUAL(world_fate(&w, 0, DROP_IP_PROTO), 2);
	world_fini(&w);
}

static void
test_errors_are_limited(void)
{
	struct world w;
	struct craft_way way;
	uint8_t f[CRAFT_MAX], data[40] = { 0 };
	unsigned n;

	world_init(&w, 1, NULL);
	way = world_way(&w, 0);
	for (unsigned i = 0; i < 1000; i++)
		world_frame(&w, 0, f, craft_ip(f, &way, 132, data, 40));
	n = world_skips(&w, 0);
	CU_ASSERT_TRUE(n >= 10 && n <= 50);
	world_run(&w, SEC(1));
	world_frame(&w, 0, f, craft_ip(f, &way, 132, data, 40));
	CU_ASSERT_TRUE(hears_error(&w, ICMP4_UNREACHABLE, ICMP4_CODE_PROTO, 132));
	world_fini(&w);
}

/* RFC 1122 3.2.2. */
static void
test_what_must_not_be_told(void)
{
	static const struct { uint32_t src, dst; uint8_t proto, type; uint16_t frag; bool ok; } p[] = {
		{ 0x0a000002, 0x0a000001, 132, 0, 0, true },
		{ 0x0a000002, 0x0a000001, 132, 0, 0x2000, true },
		{ 0x0a000002, 0x0a000001, 132, 0, 0x0001, false },
		{ 0x0a000002, 0xffffffff, 132, 0, 0, false },
		{ 0x0a000002, 0xe0000001, 132, 0, 0, false },
		{ 0x00000000, 0x0a000001, 132, 0, 0, false },
		{ 0xe0000001, 0x0a000001, 132, 0, 0, false },
		{ 0x7f000001, 0x0a000001, 132, 0, 0, false },
		{ 0xffffffff, 0x0a000001, 132, 0, 0, false },
		{ 0x0a000002, 0x0a000001, 1, ICMP4_UNREACHABLE, 0, false },
		{ 0x0a000002, 0x0a000001, 1, ICMP4_TIME_EXCEEDED, 0, false },
		{ 0x0a000002, 0x0a000001, 1, ICMP4_REDIRECT, 0, false },
		{ 0x0a000002, 0x0a000001, 1, ICMP4_SOURCE_QUENCH, 0, false },
		{ 0x0a000002, 0x0a000001, 1, ICMP4_PARAM_PROBLEM, 0, false },
		{ 0x0a000002, 0x0a000001, 1, ICMP4_ECHO_REQUEST, 0x2000, true },
	};

	for (unsigned i = 0; i < array_len(p); i++) {
		struct ip4_hdr h = { .src = ip_addr_v4(p[i].src), .dst = ip_addr_v4(p[i].dst),
			             .proto = p[i].proto, .total_len = 60,
			             .mf = p[i].frag & 0x2000, .frag_off = (p[i].frag & 1) * 8u };
		uint8_t ip[60] = { 0 };

		wire_ip4_build(ip, &h, true);
		ip[IP4_LEN] = p[i].type;
		CU_ASSERT_EQUAL(icmp4_may_tell(ip, sizeof ip), p[i].ok);
	}
}

void
suite_refuse(void)
{
	CU_pSuite s = CU_add_suite("core/refuse", NULL, NULL);

	CU_add_test(s, "other protocols are refused (RFC 1122 3.2.2.1)",
	            test_other_protocols_are_refused);
	CU_add_test(s, "errors are limited (RFC 1812 4.3.2.8)", test_errors_are_limited);
	CU_add_test(s, "what must not be told is not (RFC 1122 3.2.2, RFC 1812 4.3.2.7)",
	            test_what_must_not_be_told);
}
