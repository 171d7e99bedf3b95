/* SPDX-License-Identifier: BSD-3-Clause */
/* Ethernet and ARP, byte for byte as another implementation writes them. */
#include "wire/eth.h"

#include "base/rng.h"
#include "test/wire/hex.h"

void suite_eth(void);

/* clang-format off */
#define MAC_A { { 0x02, 0, 0, 0, 0, 0x01 } }
#define MAC_B { { 0x02, 0, 0x5e, 0x10, 0, 0xfe } }
/* clang-format on */
#define IP_A 0xc0000201u /* 192.0.2.1     */
#define IP_B 0xc633644du /* 198.51.100.77 */

#define REQUEST                                                                                \
	"ffffffffffff 020000000001 0806 0001 0800 06 04 0001"                                  \
	"020000000001 c0000201 000000000000 c633644d"
#define REPLY                                                                                  \
	"020000000001 02005e1000fe 0806 0001 0800 06 04 0002"                                  \
	"02005e1000fe c633644d 020000000001 c0000201"

static void
build_frame(uint8_t *p, const struct eth_hdr *h, const struct arp_pkt *a)
{
	wire_eth_build(p, h);
	wire_arp_build(p + ETH_LEN, a);
}

static void
test_arp_frames_are_built_to_the_byte(void)
{
	struct eth_hdr h = { { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } }, MAC_A, ETH_TYPE_ARP };
	struct arp_pkt a = { .op = ARP_REQUEST, .sha = MAC_A, .spa = IP_A, .tpa = IP_B };
	struct bytes request = hex(REQUEST), reply = hex(REPLY);
	uint8_t p[ETH_LEN + ARP_LEN];

	build_frame(p, &h, &a);
	check_bytes("request", p, sizeof p, &request);

	h = (struct eth_hdr){ MAC_A, MAC_B, ETH_TYPE_ARP };
	a = (struct arp_pkt){ ARP_REPLY, MAC_B, MAC_A, IP_B, IP_A };
	build_frame(p, &h, &a);
	check_bytes("reply", p, sizeof p, &reply);
}

static void
test_arp_frames_are_understood(void)
{
	struct mac_addr mac_a = MAC_A, mac_b = MAC_B;
	struct bytes b = hex(REPLY);
	struct eth_hdr h;
	struct arp_pkt a;

	CU_ASSERT_FATAL(wire_eth_parse(b.b, b.len, &h));
	CU_ASSERT(mac_eq(&h.dst, &mac_a) && mac_eq(&h.src, &mac_b));
	CU_ASSERT_EQUAL(h.type, ETH_TYPE_ARP);
	CU_ASSERT_FATAL(wire_arp_parse(b.b + ETH_LEN, b.len - ETH_LEN, &a));
	CU_ASSERT_EQUAL(a.op, ARP_REPLY);
	CU_ASSERT(mac_eq(&a.sha, &mac_b) && mac_eq(&a.tha, &mac_a));
	CU_ASSERT_EQUAL(a.spa, IP_B);
	CU_ASSERT_EQUAL(a.tpa, IP_A);
}

static void
test_short_frames_are_refused(void)
{
	struct bytes b = hex(REPLY);
	struct eth_hdr h;
	struct arp_pkt a;

	for (size_t len = 0; len <= b.len - ETH_LEN; len++) {
		uint8_t *p = exact_copy(b.b, len), *q = exact_copy(b.b + ETH_LEN, len);

		CU_ASSERT_EQUAL(wire_eth_parse(p, len, &h), len >= ETH_LEN);
		CU_ASSERT_EQUAL(wire_arp_parse(q, len, &a), len >= ARP_LEN);
		free(p);
		free(q);
	}
}

/* Ports pad short frames to ETH_MIN. */
static void
test_padding_is_ignored(void)
{
	struct bytes b = hex(REPLY "000000000000000000000000000000000000");
	struct arp_pkt a;

	CU_ASSERT_EQUAL(b.len, ETH_MIN);
	CU_ASSERT(wire_arp_parse(b.b + ETH_LEN, b.len - ETH_LEN, &a));
}

static void
test_arp_for_other_hardware_or_protocol_is_refused(void)
{
	for (size_t at = 0; at < 6; at++) {
		struct bytes b = hex(REQUEST);
		struct arp_pkt a;

		b.b[ETH_LEN + at] ^= 0x10;
		CU_ASSERT_FALSE(wire_arp_parse(b.b + ETH_LEN, ARP_LEN, &a));
	}
}

static void
random_mac(struct rng *r, struct mac_addr *m)
{
	for (size_t i = 0; i < sizeof m->b; i++)
		m->b[i] = (uint8_t)rng_u64(r);
}

static void
test_random_round_trips(void)
{
	struct rng r = { 4 };

	for (int n = 0; n < 1000; n++) {
		struct eth_hdr h = { .type = (uint16_t)rng_u64(&r) }, h2;
		struct arp_pkt a = { .op = (uint16_t)rng_u64(&r) }, a2;
		uint8_t p[ETH_LEN + ARP_LEN];

		random_mac(&r, &h.dst);
		random_mac(&r, &h.src);
		random_mac(&r, &a.sha);
		random_mac(&r, &a.tha);
		a.spa = (uint32_t)rng_u64(&r);
		a.tpa = (uint32_t)rng_u64(&r);
		build_frame(p, &h, &a);
		CU_ASSERT_FATAL(wire_eth_parse(p, sizeof p, &h2));
		CU_ASSERT_FATAL(wire_arp_parse(p + ETH_LEN, ARP_LEN, &a2));
		CU_ASSERT(mac_eq(&h.dst, &h2.dst) && mac_eq(&h.src, &h2.src) &&
		          h.type == h2.type);
		CU_ASSERT(mac_eq(&a.sha, &a2.sha) && mac_eq(&a.tha, &a2.tha));
		CU_ASSERT(a.op == a2.op && a.spa == a2.spa && a.tpa == a2.tpa);
	}
}

static void
test_group_and_broadcast_addresses(void)
{
	struct mac_addr all = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };
	struct mac_addr group = { { 0x01, 0, 0x5e, 0, 0, 1 } }, one = MAC_A;

	CU_ASSERT(mac_is_broadcast(&all) && mac_is_group(&all));
	CU_ASSERT(!mac_is_broadcast(&group) && mac_is_group(&group));
	CU_ASSERT(!mac_is_broadcast(&one) && !mac_is_group(&one));
}

void
suite_eth(void)
{
	CU_pSuite s = CU_add_suite("eth", NULL, NULL);

	CU_add_test(s, "ARP frames are built to the byte",
	            test_arp_frames_are_built_to_the_byte);
	CU_add_test(s, "ARP frames are understood", test_arp_frames_are_understood);
	CU_add_test(s, "short frames are refused", test_short_frames_are_refused);
	CU_add_test(s, "padding is ignored", test_padding_is_ignored);
	CU_add_test(s, "ARP for other hardware or protocols is refused",
	            test_arp_for_other_hardware_or_protocol_is_refused);
	CU_add_test(s, "what is built is parsed to the same", test_random_round_trips);
	CU_add_test(s, "group and broadcast addresses are told apart",
	            test_group_and_broadcast_addresses);
}
