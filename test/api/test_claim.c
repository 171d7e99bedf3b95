/* SPDX-License-Identifier: BSD-3-Clause */
/* One end of a wire in memory is ours; the test plays the other hosts. */
#include "api/claim.h"

#include <CUnit/CUnit.h>

#include "io_engine/io_mem.h"
#include "wire/nd.h"

#define OURS   0x0a000002u
#define SECOND 0x0a000003u

void suite_claim(void);

static const struct mac_addr other = { { 2, 0, 0, 0, 0, 9 } };

struct link_of_two {
	struct io_mem_wire *wire;
	struct io *us, *peer;
	struct stack_port_cfg port;
};

static struct link_of_two
link_of_two(void)
{
	struct link_of_two l = { .wire = io_mem_wire_new(NULL) };

	CU_ASSERT_FATAL(l.wire != NULL);
	l.us = io_mem_end(l.wire, 0, 0);
	l.peer = io_mem_end(l.wire, 1, 0);
	l.port.addr[0].ip = ip_addr_v4(OURS);
	l.port.addr[1].ip = ip_addr_v4(SECOND);
	l.port.addr[2].ip = (struct ip_addr){ { 0xfd, 1 } };
	l.port.n_addrs = 3;
	return l;
}

static void
say(struct link_of_two *l, uint16_t op, const struct mac_addr *who, uint32_t spa, uint32_t tpa)
{
	struct eth_hdr eth = { .src = *who, .type = ETH_TYPE_ARP };
	struct arp_pkt arp = { .op = op, .sha = *who, .spa = spa, .tpa = tpa };
	uint8_t frame[ETH_LEN + ARP_LEN];

	wire_eth_build(frame, &eth);
	wire_arp_build(frame + ETH_LEN, &arp);
	CU_ASSERT_TRUE(io_mem_inject(l->wire, 1, 0, 1, frame, sizeof frame));
}

static bool
heard(struct link_of_two *l, struct claim_rival *r)
{
	return claim_heard(l->us, &l->port, 2, r);
}

/* RFC 5227 2.1.1: broadcast, from the address 0.0.0.0. */
static void
test_each_ipv4_address_is_probed(void)
{
	struct link_of_two l = link_of_two();
	const uint32_t want[] = { OURS, SECOND };
	uint8_t frame[128];
	struct eth_hdr eth;
	struct arp_pkt arp;

	claim_ask(l.us, &l.port, 1);
	for (unsigned i = 0; i < 2; i++) {
		uint32_t len = io_mem_read(l.peer, 1, frame, sizeof frame);

		CU_ASSERT_TRUE(wire_eth_parse(frame, len, &eth) && mac_is_broadcast(&eth.dst));
		CU_ASSERT_TRUE(wire_arp_parse(frame + ETH_LEN, len - ETH_LEN, &arp));
		CU_ASSERT_EQUAL(arp.op, ARP_REQUEST);
		CU_ASSERT_EQUAL(arp.spa, 0);
		CU_ASSERT_EQUAL(arp.tpa, want[i]);
	}
	io_mem_wire_free(l.wire);
}

/* RFC 4862 5.4.2: to the group of the address, from nobody, without a link address. */
static void
test_an_ipv6_address_is_probed(void)
{
	struct link_of_two l = link_of_two();
	struct ip_addr ours = { { 0xfd, 1 } };
	struct ip6_problem problem;
	struct icmp6_msg m;
	struct nd_neigh n;
	struct ip6_hdr h;
	uint8_t frame[128];
	uint32_t len;

	claim_ask(l.us, &l.port, 1);
	for (unsigned i = 0; i < 3; i++)
		len = io_mem_read(l.peer, 1, frame, sizeof frame);
	CU_ASSERT_EQUAL_FATAL(wire_ip6_parse(frame + ETH_LEN, len - ETH_LEN, &h, &problem),
	                      WIRE_IP6_OK);
	CU_ASSERT_FATAL(wire_icmp6_parse(frame + ETH_LEN + IP6_LEN, len - ETH_LEN - IP6_LEN, &h.src,
	                                 &h.dst, &m));
	CU_ASSERT(wire_nd_parse(&h, &m, &n) && !n.advert && !n.has_mac);
	CU_ASSERT(ip_addr_eq(&n.target, &ours) && ip6_is_unspecified(&h.src));
	CU_ASSERT(frame[0] == 0x33 && frame[2] == 0xff);
	CU_ASSERT_EQUAL(io_mem_read(l.peer, 1, frame, sizeof frame), 0);
	io_mem_wire_free(l.wire);
}

/* `advert`, or a probe, for the address. */
static void
say6(struct link_of_two *l, const struct mac_addr *who, bool advert, const struct ip_addr *target)
{
	struct ip6_hdr h = { .src = *target, .dst = ip6_all_nodes(), .hop_limit = 255,
		             .proto = IP_PROTO_ICMP6 };
	struct nd_neigh n = { .advert = advert, .target = *target, .mac = *who, .has_mac = advert };
	struct eth_hdr eth = { .src = *who, .type = ETH_TYPE_IP6 };
	uint8_t frame[ETH_LEN + IP6_LEN + ND_LEN_MAX];

	if (!advert) {
		h.src = IP_ANY;
		h.dst = ip6_solicited_node(target);
	}
	wire_eth_build(frame, &eth);
	h.total_len = to_u16(IP6_LEN + wire_nd_build(frame + ETH_LEN + IP6_LEN, &h.src, &h.dst, &n));
	wire_ip6_build(frame + ETH_LEN, &h);
	CU_ASSERT_TRUE(io_mem_inject(l->wire, 1, 0, 1, frame, ETH_LEN + h.total_len));
}

static void
test_who_has_or_wants_an_ipv6_address_is_a_rival(void)
{
	struct link_of_two l = link_of_two();
	struct ip_addr ours = { { 0xfd, 1 } }, theirs = { { 0xfd, 2 } };
	struct claim_rival r;
	struct io_info info;
	struct mac_addr own;

	l.us->ops->info(l.us, &info);
	memcpy(own.b, info.mac, sizeof own.b);
	say6(&l, &other, true, &theirs);
	say6(&l, &other, false, &theirs);
	say6(&l, &own, false, &ours); /* a port that hears itself */
	CU_ASSERT_FALSE(heard(&l, &r));
	say6(&l, &other, true, &ours);
	CU_ASSERT_TRUE(heard(&l, &r));
	CU_ASSERT(ip_addr_eq(&r.ip, &ours) && mac_eq(&r.mac, &other));
	say6(&l, &other, false, &ours);
	CU_ASSERT_TRUE(heard(&l, &r));
	io_mem_wire_free(l.wire);
}

static void
test_an_owner_is_a_rival(void)
{
	struct link_of_two l = link_of_two();
	struct claim_rival r;

	say(&l, ARP_REPLY, &other, SECOND, 0);
	CU_ASSERT_TRUE(heard(&l, &r));
	CU_ASSERT_EQUAL(ip_addr_v4_host(&r.ip), SECOND);
	CU_ASSERT_TRUE(mac_eq(&r.mac, &other));
	say(&l, ARP_REQUEST, &other, OURS, 0x0a000007);
	CU_ASSERT_TRUE(heard(&l, &r));
	CU_ASSERT_EQUAL(ip_addr_v4_host(&r.ip), OURS);
	io_mem_wire_free(l.wire);
}

static void
test_another_that_probes_is_a_rival(void)
{
	struct link_of_two l = link_of_two();
	struct claim_rival r;

	say(&l, ARP_REQUEST, &other, 0, OURS);
	CU_ASSERT_TRUE(heard(&l, &r));
	CU_ASSERT_EQUAL(ip_addr_v4_host(&r.ip), OURS);
	io_mem_wire_free(l.wire);
}

static void
test_other_talk_is_none_of_ours(void)
{
	struct link_of_two l = link_of_two();
	struct claim_rival r;
	struct io_info info;
	struct mac_addr own;
	struct io_mem_stats stats;

	l.us->ops->info(l.us, &info);
	memcpy(own.b, info.mac, sizeof own.b);
	CU_ASSERT_FALSE(heard(&l, &r));
	say(&l, ARP_REQUEST, &other, 0x0a000007, OURS); /* somebody looks for us */
	say(&l, ARP_REPLY, &other, 0x0a000007, 0);
	say(&l, ARP_REPLY, &other, 0, OURS);
	say(&l, ARP_REQUEST, &own, 0, OURS); /* a port that hears itself */
	CU_ASSERT_TRUE(io_mem_inject(l.wire, 1, 0, 1, "short", 5));
	CU_ASSERT_FALSE(heard(&l, &r));
	io_mem_stats(l.us, &stats);
	CU_ASSERT_EQUAL(stats.held, 0);
	io_mem_wire_free(l.wire);
}

void
suite_claim(void)
{
	CU_pSuite s = CU_add_suite("claim", NULL, NULL);

	CU_add_test(s, "each IPv4 address is probed", test_each_ipv4_address_is_probed);
	CU_add_test(s, "an IPv6 address is probed (RFC 4862 5.4.2)", test_an_ipv6_address_is_probed);
	CU_add_test(s, "who has or wants an IPv6 address is a rival (RFC 4862 5.4.3, 5.4.4)",
	            test_who_has_or_wants_an_ipv6_address_is_a_rival);
	CU_add_test(s, "an owner is a rival", test_an_owner_is_a_rival);
	CU_add_test(s, "another that probes is a rival", test_another_that_probes_is_a_rival);
	CU_add_test(s, "other talk is none of ours", test_other_talk_is_none_of_ours);
}
