/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames that are for us and frames that are not: each to its fate, and silence where RFC 1122
 * and RFC 9293 want silence. */
#include <CUnit/CUnit.h>

#include <stdio.h>

#include "test/core/world.h"

void suite_ip(void);

/* A SYN to nobody's port: whoever takes it answers with a RST. */
static const struct tcp_seg knock = { .seq = { 7 }, .flags = TCP_SYN, .sport = 1000, .dport = 9,
	                              .wnd = 1000, .opts = TCP_OPT_MSS, .mss = 1460 };

static uint32_t
craft_knock(uint8_t *out, const struct craft_way *way)
{
	return craft_tcp(out, way, &knock, NULL);
}

/* The frame meets this fate, and no answer. */
static void
expect_silence(struct world *w, const uint8_t *frame, uint32_t len, enum fate fate)
{
	uint64_t before = world_fate(w, 0, fate);

	world_frame(w, 0, frame, len);
	if (world_fate(w, 0, fate) != before + 1 || world_skips(w, 0) != 0)
		printf("\nexpected silence and fate %s\n", stack_fate_name(fate));
	CU_ASSERT_EQUAL(world_fate(w, 0, fate), before + 1);
	CU_ASSERT_EQUAL(world_skips(w, 0), 0);
}

static void
expect_rst(struct world *w, const uint8_t *frame, uint32_t len)
{
	struct tcp_seg s;

	world_frame(w, 0, frame, len);
	CU_ASSERT_TRUE(world_hears(w, 0, &s) && (s.flags & TCP_RST));
	CU_ASSERT_EQUAL(world_skips(w, 0), 0);
}

static void
test_the_knock_is_heard(void)
{
	struct world w;
	struct craft_way way;
	uint8_t f[CRAFT_MAX];

	world_init(&w, 1, NULL);
	way = world_way(&w, 0);
	expect_rst(&w, f, craft_knock(f, &way));
	world_fini(&w);
}

static void
test_packets_for_others_are_never_answered(void)
{
	static const uint32_t others[] = {
		0x0a000002, /* a neighbour      */
		0x0a0000ff, 0xffffffff, /* broadcast */
		0x0a000000, 0,
		0xe0000001, /* multicast        */
		0x7f000001, 0xf0000001,
	};
	struct world w;
	uint8_t f[CRAFT_MAX];

	world_init(&w, 1, NULL);
	for (unsigned i = 0; i < array_len(others); i++) {
		struct craft_way way = world_way(&w, 0);

		way.dst = ip_addr_v4(others[i]);
		expect_silence(&w, f, craft_knock(f, &way), DROP_NOT_OURS);
		expect_silence(&w, f, craft_echo(f, &way, 1, NULL, 0), DROP_NOT_OURS);
	}
	world_fini(&w);
}

/* RFC 9293 MUST-57, RFC 1122 3.3.6: a link-layer broadcast is no way to talk to one host. */
static void
test_frames_for_other_links_are_never_answered(void)
{
	static const struct mac_addr others[] = {
		{ { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
		{ { 1, 0, 0x5e, 0, 0, 1 } },
		{ { 2, 0, 0, 0, 0, 99 } },
	};
	struct world w;
	uint8_t f[CRAFT_MAX];

	world_init(&w, 1, NULL);
	for (unsigned i = 0; i < array_len(others); i++) {
		struct craft_way way = world_way(&w, 0);

		way.dmac = others[i];
		expect_silence(&w, f, craft_knock(f, &way), DROP_NOT_OURS);
		expect_silence(&w, f, craft_echo(f, &way, 1, NULL, 0), DROP_NOT_OURS);
	}
	world_fini(&w);
}

/* RFC 9293 MUST-63. */
static void
test_sources_that_are_no_hosts_are_never_answered(void)
{
	static const uint32_t sources[] = {
		0x0a000001, /* our own          */
		0x0a0000ff, 0xffffffff, 0, 0xe0000001, 0x7f000001, 0xf0000001,
	};
	struct world w;
	uint8_t f[CRAFT_MAX];

	world_init(&w, 1, NULL);
	for (unsigned i = 0; i < array_len(sources); i++) {
		struct craft_way way = world_way(&w, 0);

		way.src = ip_addr_v4(sources[i]);
		expect_silence(&w, f, craft_knock(f, &way), DROP_IP_SOURCE);
		expect_silence(&w, f, craft_echo(f, &way, 1, NULL, 0), DROP_IP_SOURCE);
	}
	world_fini(&w);
}

static void
test_a_group_as_link_source_is_never_answered(void)
{
	struct world w;
	struct craft_way way;
	uint8_t f[CRAFT_MAX];

	world_init(&w, 1, NULL);
	way = world_way(&w, 0);
	way.smac.b[0] |= 1;
	expect_silence(&w, f, craft_knock(f, &way), DROP_NOT_OURS);
	world_fini(&w);
}

/* Every bit of the header and of the segment counts, but for those that make it another
 * protocol or another host's; whatever is flipped, nobody answers. */
static void
test_no_flipped_bit_is_answered(void)
{
	struct world w;
	struct craft_way way;
	uint8_t f[CRAFT_MAX], bad[CRAFT_MAX];
	uint32_t len;

	world_init(&w, 1, NULL);
	way = world_way(&w, 0);
	len = craft_knock(f, &way);
	for (uint32_t bit = ETH_LEN * 8; bit < len * 8; bit++) {
		memcpy(bad, f, len);
		bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
		world_frame(&w, 0, bad, len);
		CU_ASSERT_EQUAL(world_skips(&w, 0), 0);
	}
	CU_ASSERT_EQUAL(world_fate(&w, 0, DROP_TCP_SUM) + world_fate(&w, 0, DROP_TCP_HEADER),
	                (len - ETH_LEN - IP4_LEN) * 8);
	CU_ASSERT_TRUE(world_fate(&w, 0, DROP_IP_SUM) > 0);
	CU_ASSERT_EQUAL(world_fate(&w, 0, DROP_NO_CONN), 0);
	world_fini(&w);
}

/* What the port says of the sums is believed; then nobody computes them again. */
static void
test_the_ports_judgement_counts(void)
{
	struct world w;
	struct net_cfg offload = { .caps = IO_CAP_RX_IP_SUM | IO_CAP_RX_L4_SUM };
	struct craft_way way;
	uint8_t f[CRAFT_MAX];
	uint32_t len;

	world_init(&w, 1, NULL);
	net_set(w.net, &offload);
	way = world_way(&w, 0);
	len = craft_knock(f, &way);
	expect_rst(&w, f, len);
	f[ETH_LEN + IP4_LEN + 4] ^= 1;
	expect_silence(&w, f, len, DROP_TCP_SUM);
	len = craft_knock(f, &way);
	f[ETH_LEN + 10] ^= 1;
	expect_silence(&w, f, len, DROP_IP_SUM);
	world_fini(&w);
}

static void
test_truncated_frames_are_dropped(void)
{
	struct world w;
	struct craft_way way;
	uint8_t f[CRAFT_MAX];
	uint32_t len;

	world_init(&w, 1, NULL);
	way = world_way(&w, 0);
	len = craft_knock(f, &way);
	for (uint32_t cut = 1; cut < len; cut++)
		expect_silence(&w, f, cut, cut < ETH_LEN ? DROP_SHORT : DROP_IP_HEADER);
	len = craft_echo(f, &way, 1, f, 8);
	for (uint32_t cut = 1; cut < len; cut++)
		expect_silence(&w, f, cut, cut < ETH_LEN ? DROP_SHORT : DROP_IP_HEADER);
	world_fini(&w);
}

/* Short packets come in frames that are padded. */
static void
test_padding_does_not_count(void)
{
	struct world w;
	struct craft_way way;
	uint8_t f[CRAFT_MAX];
	uint32_t len;

	world_init(&w, 1, NULL);
	way = world_way(&w, 0);
	len = craft_knock(f, &way);
	memset(f + len, 0xa5, 18);
	expect_rst(&w, f, len + 18);
	world_fini(&w);
}

/* Rewrites the IP header around what stands behind it. */
static void
header_again(uint8_t *f, uint32_t hdr_len)
{
	uint32_t sum = 0;
	uint8_t *ip = f + ETH_LEN;

	ip[0] = (uint8_t)(0x40 | hdr_len / 4);
	put_be16(ip + 10, 0);
	for (uint32_t i = 0; i < hdr_len; i += 2)
		sum += get_be16(ip + i);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	put_be16(ip + 10, (uint16_t)~sum);
}

static void
test_fragments_are_kept_in_silence(void)
{
	static const uint16_t words[] = { 0x2000, 0x2001, 0x0001, 0x1fff, 0x6000, 0x0002 };
	struct world w;
	struct craft_way way;
	uint8_t f[CRAFT_MAX];

	world_init(&w, 1, NULL);
	way = world_way(&w, 0);
	for (unsigned i = 0; i < array_len(words); i++) {
		uint32_t len = craft_knock(f, &way);

		put_be16(f + ETH_LEN + 4, to_u16(i));
		put_be16(f + ETH_LEN + 6, words[i]);
		header_again(f, IP4_LEN);
		expect_silence(&w, f, len, words[i] == 0x1fff ? DROP_FRAGMENT : IN_FRAGMENT);
	}
	world_fini(&w);
}

/* RFC 9293 MUST-50: options that nobody knows are passed over. */
static void
test_ip_options_are_passed_over(void)
{
	struct world w;
	struct craft_way way;
	uint8_t f[CRAFT_MAX];

	world_init(&w, 1, NULL);
	way = world_way(&w, 0);
	for (uint32_t words = 1; words <= 10; words++) {
		uint32_t len = craft_knock(f, &way), room = 4 * words;
		uint8_t *ip = f + ETH_LEN;

		memmove(ip + IP4_LEN + room, ip + IP4_LEN, len - ETH_LEN - IP4_LEN);
		memset(ip + IP4_LEN, 0x9f, room); /* of no known kind, of a silly length */
		put_be16(ip + 2, (uint16_t)(len - ETH_LEN + room));
		header_again(f, IP4_LEN + room);
		expect_rst(&w, f, len + room);
	}
	world_fini(&w);
}

static void
test_silly_headers_are_dropped(void)
{
	struct world w;
	struct craft_way way;
	uint8_t f[CRAFT_MAX];
	uint32_t len;

	world_init(&w, 1, NULL);
	way = world_way(&w, 0);
	len = craft_knock(f, &way);
	for (unsigned first = 0; first < 256; first++) {
		f[ETH_LEN] = (uint8_t)first;
		if (first >> 4 != 4 || (first & 15) < 5)
			expect_silence(&w, f, len, DROP_IP_HEADER);
	}
	len = craft_knock(f, &way);
	put_be16(f + ETH_LEN + 2, (uint16_t)(len - ETH_LEN + 1));
	header_again(f, IP4_LEN);
	expect_silence(&w, f, len, DROP_IP_HEADER);
	put_be16(f + ETH_LEN + 2, IP4_LEN - 1);
	header_again(f, IP4_LEN);
	expect_silence(&w, f, len, DROP_IP_HEADER);
	put_be16(f + ETH_LEN + 2, IP4_LEN + TCP_HDR_LEN - 1);
	header_again(f, IP4_LEN);
	expect_silence(&w, f, len, DROP_TCP_HEADER);
	world_fini(&w);
}

static void
test_other_protocols_are_dropped(void)
{
	struct world w;
	struct craft_way way;
	uint8_t f[CRAFT_MAX], data[40] = { 0 };
	uint32_t len;

	world_init(&w, 1, NULL);
	way = world_way(&w, 0);
	for (unsigned proto = 0; proto < 256; proto++)
		if (proto != IP_PROTO_TCP && proto != IP_PROTO_ICMP && proto != IP_PROTO_UDP)
			world_frame(&w, 0, f, craft_ip(f, &way, (uint8_t)proto, data, 40));
	CU_ASSERT_EQUAL(world_fate(&w, 0, DROP_IP_PROTO), 253);
	(void)world_skips(&w, 0); /* test_refuse.c looks at what was said */
	len = craft_knock(f, &way);
	put_be16(f + 12, ETH_TYPE_IP6);
	expect_silence(&w, f, len, DROP_IP_HEADER);
	put_be16(f + 12, 60);
	expect_silence(&w, f, len, DROP_ETHERTYPE);
	world_fini(&w);
}

/* ---------------------------------------------------------------- ICMP -- */

static void
test_echo_is_answered(void)
{
	static const uint8_t data[] = "what comes back is what was sent";
	const struct world_frame *r;
	struct world w;
	struct craft_way way;
	struct ip4_hdr ip;
	struct icmp4_msg m;
	struct eth_hdr eth;
	uint8_t f[CRAFT_MAX];

	world_init(&w, 1, NULL);
	way = world_way(&w, 0);
	world_frame(&w, 0, f, craft_echo(f, &way, 0x12340005, data, sizeof data));
	CU_ASSERT_EQUAL(world_fate(&w, 0, IN_ICMP), 1);
	r = world_next(&w, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	CU_ASSERT_TRUE(wire_eth_parse(r->data, r->len, &eth));
	CU_ASSERT_TRUE(mac_eq(&eth.dst, &way.smac) && mac_eq(&eth.src, &way.dmac));
	CU_ASSERT_EQUAL(wire_ip4_parse(r->data + ETH_LEN, r->len - ETH_LEN, true, &ip), WIRE_IP_OK);
	CU_ASSERT_TRUE(ip_addr_eq(&ip.src, &way.dst) && ip_addr_eq(&ip.dst, &way.src));
	CU_ASSERT_TRUE(wire_icmp4_parse(r->data + ETH_LEN + ip.hdr_len,
	                                ip.total_len - ip.hdr_len, &m));
	CU_ASSERT_EQUAL(m.type, ICMP4_ECHO_REPLY);
	CU_ASSERT_EQUAL(m.rest, 0x12340005);
	CU_ASSERT_EQUAL(m.len, sizeof data);
	CU_ASSERT_EQUAL(memcmp(m.payload, data, sizeof data), 0);
	CU_ASSERT_PTR_NULL(world_next(&w, 0));
	world_fini(&w);
}

static void
test_damaged_and_unknown_icmp_is_dropped(void)
{
	struct world w;
	struct craft_way way;
	uint8_t f[CRAFT_MAX];
	uint32_t len;

	world_init(&w, 1, NULL);
	way = world_way(&w, 0);
	len = craft_echo(f, &way, 1, NULL, 0);
	f[len - 1] ^= 1;
	expect_silence(&w, f, len, DROP_ICMP);
	expect_silence(&w, f, craft_ip(f, &way, IP_PROTO_ICMP, NULL, 0), DROP_ICMP);
	expect_silence(&w, f, craft_ip(f, &way, IP_PROTO_ICMP, f, 7), DROP_ICMP);
	/* RFC 6633: source quench is not even looked at. */
	expect_silence(&w, f, craft_icmp_error(f, &way, ICMP4_SOURCE_QUENCH, 0, 0, &way.src, 1, 2,
	                                       seq_of(0)), DROP_ICMP);
	world_fini(&w);
}

/* A flood of echo requests does not become a flood of replies. */
static void
test_echo_replies_are_limited(void)
{
	struct world w;
	struct craft_way way;
	uint8_t f[CRAFT_MAX];
	unsigned n;

	world_init(&w, 1, NULL);
	way = world_way(&w, 0);
	for (unsigned i = 0; i < 1000; i++)
		world_frame(&w, 0, f, craft_echo(f, &way, i, NULL, 0));
	n = world_skips(&w, 0);
	CU_ASSERT_TRUE(n > 0 && n < 200);
	world_run(&w, SEC(1));
	world_frame(&w, 0, f, craft_echo(f, &way, 1, NULL, 0));
	CU_ASSERT_EQUAL(world_skips(&w, 0), 1);
	world_fini(&w);
}

/* ----------------------------------------------------------------- ARP -- */

static const struct mac_addr broadcast = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };

static struct arp_pkt
arp(uint16_t op, uint8_t last, uint32_t spa, uint32_t tpa)
{
	return (struct arp_pkt){ .op = op, .sha = { { 2, 0, 0, 0, 9, last } }, .spa = spa,
		                 .tpa = tpa };
}

/* The ARP packet of a frame. */
static bool
arp_heard(struct world *w, struct arp_pkt *a, struct eth_hdr *eth)
{
	const struct world_frame *f = world_next(w, 0);

	return f && wire_eth_parse(f->data, f->len, eth) && eth->type == ETH_TYPE_ARP &&
	       wire_arp_parse(f->data + ETH_LEN, f->len - ETH_LEN, a);
}

static void
test_an_arp_request_is_answered(void)
{
	struct world w;
	struct arp_pkt ask = arp(ARP_REQUEST, 1, 0x0a000032, 0x0a000001), a;
	struct eth_hdr eth;
	uint8_t f[CRAFT_MAX];

	world_init(&w, 1, NULL);
	world_frame(&w, 0, f, craft_arp(f, &broadcast, &ask));
	CU_ASSERT_EQUAL(world_fate(&w, 0, IN_ARP), 1);
	CU_ASSERT_TRUE_FATAL(arp_heard(&w, &a, &eth));
	CU_ASSERT_EQUAL(a.op, ARP_REPLY);
	CU_ASSERT_EQUAL(a.spa, 0x0a000001);
	CU_ASSERT_EQUAL(a.tpa, 0x0a000032);
	CU_ASSERT_TRUE(mac_eq(&a.tha, &ask.sha) && mac_eq(&eth.dst, &ask.sha));
	CU_ASSERT_EQUAL(a.sha.b[5], 1);
	CU_ASSERT_EQUAL(world_skips(&w, 0), 0);
	/* A probe for a duplicate address (RFC 5227) has no sender. */
	ask.spa = 0;
	world_frame(&w, 0, f, craft_arp(f, &broadcast, &ask));
	CU_ASSERT_TRUE(arp_heard(&w, &a, &eth) && a.op == ARP_REPLY);
	world_fini(&w);
}

static void
test_arp_for_others_is_not_answered(void)
{
	static const struct mac_addr another = { { 2, 0, 0, 0, 0, 99 } };
	struct world w;
	struct arp_pkt ask = arp(ARP_REQUEST, 1, 0x0a000032, 0x0a000033);
	struct arp_pkt ours = arp(ARP_REQUEST, 1, 0x0a000032, 0x0a000001);
	struct arp_pkt reply = arp(ARP_REPLY, 1, 0x0a000032, 0x0a000001);
	uint8_t f[CRAFT_MAX];
	uint32_t len;

	world_init(&w, 1, NULL);
	expect_silence(&w, f, craft_arp(f, &broadcast, &ask), DROP_NOT_OURS);
	expect_silence(&w, f, craft_arp(f, &another, &ours), DROP_NOT_OURS);
	expect_silence(&w, f, craft_arp(f, &broadcast, &reply), IN_ARP);
	len = craft_arp(f, &broadcast, &ours);
	f[ETH_LEN + 1] = 6; /* not Ethernet */
	expect_silence(&w, f, len, DROP_ARP);
	for (uint32_t cut = ETH_LEN; cut < len; cut++)
		expect_silence(&w, f, cut, DROP_ARP);
	ours.sha.b[0] |= 1;
	len = craft_arp(f, &broadcast, &ours);
	f[6] &= 0xfe;
	expect_silence(&w, f, len, DROP_ARP);
	world_fini(&w);
}

/* A stack looks for its peer; the answer lets its SYN go there.  Whoever asked us is known
 * without a question. */
static void
test_neighbours_are_asked_for_and_learned(void)
{
	struct world w;
	struct arp_pkt a, reply = arp(ARP_REPLY, 7, 0x0a000032, 0x0a000001);
	struct arp_pkt ask = arp(ARP_REQUEST, 8, 0x0a000033, 0x0a000001);
	struct ip_addr ip = ip_addr_v4(0x0a000032), asker = ip_addr_v4(0x0a000033);
	const struct world_frame *r;
	struct craft_way way;
	struct eth_hdr eth;
	struct tcp_seg s;
	struct sock *k;
	uint8_t f[CRAFT_MAX];

	world_init(&w, 1, NULL);
	k = host_socket(&w.host[0]);
	host_connect(&w.host[0], k, &ip, 80);
	world_now(&w);
	CU_ASSERT_TRUE_FATAL(arp_heard(&w, &a, &eth));
	CU_ASSERT_TRUE(a.op == ARP_REQUEST && a.tpa == 0x0a000032 && a.spa == 0x0a000001);
	CU_ASSERT_TRUE(mac_is_broadcast(&eth.dst));
	CU_ASSERT_PTR_NULL(world_next(&w, 0));
	way = world_way(&w, 0);
	world_frame(&w, 0, f, craft_arp(f, &way.dmac, &reply));
	r = world_next(&w, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	CU_ASSERT_TRUE(craft_parse_tcp(r->data, r->len, &way, &s) && s.flags == TCP_SYN);
	CU_ASSERT_TRUE(mac_eq(&way.dmac, &reply.sha));

	world_frame(&w, 0, f, craft_arp(f, &broadcast, &ask));
	(void)world_skips(&w, 0);
	host_connect(&w.host[0], host_socket(&w.host[0]), &asker, 80);
	world_now(&w);
	r = world_next(&w, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	CU_ASSERT_TRUE(craft_parse_tcp(r->data, r->len, &way, &s) && s.flags == TCP_SYN);
	CU_ASSERT_TRUE(mac_eq(&way.dmac, &ask.sha));
	world_fini(&w);
}

/* RFC 5227 3: a host that starts tells its neighbours. */
static void
test_a_stack_announces_its_addresses(void)
{
	struct world w;
	struct arp_pkt a;
	struct eth_hdr eth;

	world_init(&w, 1, NULL);
	w.heard[0] = 0;
	CU_ASSERT_TRUE_FATAL(arp_heard(&w, &a, &eth));
	CU_ASSERT_TRUE(a.op == ARP_REQUEST && a.spa == 0x0a000001 && a.tpa == 0x0a000001);
	CU_ASSERT_TRUE(mac_is_broadcast(&eth.dst));
	world_fini(&w);
}

static void
cfg_range(struct stack_cfg *cfg, unsigned who)
{
	(void)who;
	cfg->port[0].addr[0].more = 2;
}

/* The first, the last and none more, each announced. */
static void
test_a_range_of_addresses_is_ours(void)
{
	struct world w;
	struct arp_pkt a, ask = arp(ARP_REQUEST, 1, 0x0a000032, 0);
	struct eth_hdr eth;
	uint8_t f[CRAFT_MAX];

	world_init(&w, 1, cfg_range);
	w.heard[0] = 0;
	for (uint32_t ip = 0x0a000001; ip <= 0x0a000003; ip++)
		CU_ASSERT_TRUE(arp_heard(&w, &a, &eth) && a.spa == ip && a.tpa == ip);
	(void)world_skips(&w, 0);
	for (uint32_t ip = 0x0a000000; ip <= 0x0a000004; ip++) {
		bool ours = ip >= 0x0a000001 && ip <= 0x0a000003;

		ask.tpa = ip;
		world_frame(&w, 0, f, craft_arp(f, &broadcast, &ask));
		CU_ASSERT_EQUAL(arp_heard(&w, &a, &eth), ours);
		CU_ASSERT_TRUE(!ours || (a.op == ARP_REPLY && a.spa == ip));
	}
	world_fini(&w);
}

/* Ten thousand senders that nobody knows: the table holds what it holds. */
static void
test_an_arp_flood_is_bounded(void)
{
	struct world w;
	struct sock *l, *c, *s;
	uint8_t f[CRAFT_MAX];

	world_init(&w, 2, NULL);
	l = world_listen(&w, 1, WORLD_PORT, 5);
	world_pair(&w, l, &c, &s);
	for (uint32_t i = 0; i < 10000; i++) {
		struct arp_pkt ask = arp(ARP_REQUEST, (uint8_t)i, 0x0a010000 + i, 0x0a000001);

		world_run(&w, US(1));
		ask.sha.b[4] = (uint8_t)(i >> 8);
		world_frame(&w, 0, f, craft_arp(f, &broadcast, &ask));
	}
	CU_ASSERT_TRUE(world_stack(&w, 0)->port[0].neigh.pool.used <= 32);
	(void)world_skips(&w, 0);
	CU_ASSERT_EQUAL(world_write(&w, 0, c, 100), 100);
	world_run(&w, MS(50));
	CU_ASSERT_EQUAL(world_read(&w, 1, s), 100);
	world_fini(&w);
}

/* ---------------------------------------------------------------- ways -- */

static void
cfg_ways(struct stack_cfg *cfg, unsigned who)
{
	struct ip_addr wide = ip_addr_v4(0x0b000000), gate = ip_addr_v4(0x0a000004);
	struct ip_addr far = ip_addr_v4(0x0c000000), any = IP_ANY;

	(void)who;
	cfg->port[0].n_addrs = 2;
	cfg->port[0].addr[1] = (struct stack_addr){ .ip = ip_addr_v4(0x0b000001), .prefix = 96 + 8 };
	cfg->port[0].mtu = 1400;
	(void)route_add(&cfg->routes, &wide, 96 + 8, &any, 0);
	(void)route_add(&cfg->routes, &far, 96 + 8, &gate, 0);
}

static void
test_the_source_is_the_address_nearest_to_the_next_hop(void)
{
	static const struct { uint32_t dst, src; } ways[] = {
		{ 0x0a000009, 0x0a000001 }, { 0x0b123456, 0x0b000001 },
		{ 0x0c000001, 0x0a000001 }, /* by the gateway */
	};
	static const uint32_t nowhere[] = {
		0x0d000001, 0, 0xffffffff, 0xe0000001, 0x7f000001, 0x0a000001, 0x0b000001,
		0x0a0000ff, 0x0bffffff,
	};
	struct ip_addr dst, src;
	struct world w;
	uint16_t mtu;

	world_init(&w, 1, cfg_ways);
	for (unsigned i = 0; i < array_len(ways); i++) {
		dst = ip_addr_v4(ways[i].dst);
		CU_ASSERT_TRUE(ip_source(world_stack(&w, 0), &dst, &src, &mtu));
		CU_ASSERT_EQUAL(ip_addr_v4_host(&src), ways[i].src);
		CU_ASSERT_EQUAL(mtu, 1400);
	}
	for (unsigned i = 0; i < array_len(nowhere); i++) {
		dst = ip_addr_v4(nowhere[i]);
		CU_ASSERT_FALSE(ip_source(world_stack(&w, 0), &dst, &src, &mtu));
	}
	world_fini(&w);
}

void
suite_ip(void)
{
	CU_pSuite suite = CU_add_suite("core/ip", NULL, NULL);

	CU_add_test(suite, "the knock is heard", test_the_knock_is_heard);
	CU_add_test(suite, "packets for others are never answered (attack: packets for others)",
	            test_packets_for_others_are_never_answered);
	CU_add_test(suite, "frames for other links are never answered (RFC 9293 MUST-57)",
	            test_frames_for_other_links_are_never_answered);
	CU_add_test(suite, "sources that are no hosts are never answered (RFC 9293 MUST-63)",
	            test_sources_that_are_no_hosts_are_never_answered);
	CU_add_test(suite, "a group as link source is never answered",
	            test_a_group_as_link_source_is_never_answered);
	CU_add_test(suite, "no flipped bit is answered (RFC 9293 MUST-3; attack: wrong "
	            "checksums)",
	            test_no_flipped_bit_is_answered);
	CU_add_test(suite, "the port's judgement counts", test_the_ports_judgement_counts);
	CU_add_test(suite, "truncated frames are dropped", test_truncated_frames_are_dropped);
	CU_add_test(suite, "padding does not count", test_padding_does_not_count);
	CU_add_test(suite, "fragments are kept in silence (attack: fragments)",
	            test_fragments_are_kept_in_silence);
	CU_add_test(suite, "IP options are passed over (RFC 9293 MUST-50, MAY-10, MAY-11, "
	            "MUST-52; attack: IP options)",
	            test_ip_options_are_passed_over);
	CU_add_test(suite, "silly headers are dropped (attack: IP length beyond the frame)",
	            test_silly_headers_are_dropped);
	CU_add_test(suite, "other protocols are dropped", test_other_protocols_are_dropped);
	CU_add_test(suite, "echo is answered", test_echo_is_answered);
	CU_add_test(suite, "damaged and unknown ICMP is dropped",
	            test_damaged_and_unknown_icmp_is_dropped);
	CU_add_test(suite, "echo replies are limited", test_echo_replies_are_limited);
	CU_add_test(suite, "an ARP request is answered", test_an_arp_request_is_answered);
	CU_add_test(suite, "ARP for others is not answered", test_arp_for_others_is_not_answered);
	CU_add_test(suite, "neighbours are asked for, and learned",
	            test_neighbours_are_asked_for_and_learned);
	CU_add_test(suite, "a stack announces its addresses", test_a_stack_announces_its_addresses);
	CU_add_test(suite, "a range of addresses is ours", test_a_range_of_addresses_is_ours);
	CU_add_test(suite, "an ARP flood is bounded (attack: ARP flood)",
	            test_an_arp_flood_is_bounded);
	CU_add_test(suite, "the source is the address nearest to the next hop (RFC 9293 "
	            "MUST-44)",
	            test_the_source_is_the_address_nearest_to_the_next_hop);
}
