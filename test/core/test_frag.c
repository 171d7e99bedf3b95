/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets in fragments are taken, answered in fragments, and given up; on one core and on many. */
#include <CUnit/CUnit.h>

#include "test/core/town.h"
#include "test/core/world.h"

void suite_frag(void);

/* Part of an IP packet that stands behind its header in `pkt`, as a frame. */
static uint32_t
craft_frag(uint8_t *f, const struct craft_way *way, uint16_t id, const uint8_t *pkt, uint32_t off,
           uint32_t len, bool more, uint8_t proto)
{
	struct ip4_hdr h = {
		.src = way->src, .dst = way->dst, .ttl = 64, .proto = proto, .id = id,
		.total_len = to_u16(IP4_LEN + len), .frag_off = to_u16(off), .mf = more,
	};

	(void)craft_ip(f, way, proto, pkt + off, len);
	wire_ip4_build(f + ETH_LEN, &h, true);
	return ETH_LEN + IP4_LEN + len;
}

static uint32_t
echo_request(uint8_t *icmp, uint32_t len)
{
	struct icmp4_msg m = { .type = ICMP4_ECHO_REQUEST, .rest = 77, .len = len };

	for (uint32_t i = 0; i < len; i++)
		icmp[ICMP4_LEN + i] = (uint8_t)(i ^ i >> 8);
	m.payload = icmp + ICMP4_LEN;
	wire_icmp4_build(icmp, &m);
	return ICMP4_LEN + len;
}

/* Puts the host's answer together; its length. */
static uint32_t
hear_whole(struct world *w, uint8_t *to)
{
	const struct world_frame *f;
	uint32_t got = 0, all = 0;
	struct ip4_hdr h;

	while ((f = world_next(w, 0))) {
		CU_ASSERT_EQUAL_FATAL(wire_ip4_parse(f->data + ETH_LEN, f->len - ETH_LEN, true, &h),
		                      WIRE_IP_OK);
		CU_ASSERT_TRUE(h.total_len <= 1500 && !h.df && h.id != 0);
		memcpy(to + h.frag_off, f->data + ETH_LEN + h.hdr_len, h.total_len - IP4_LEN);
		got += h.total_len - IP4_LEN;
		if (!h.mf)
			all = h.frag_off + h.total_len - IP4_LEN;
	}
	CU_ASSERT_EQUAL(got, all);
	return all;
}

static void
test_a_large_echo_is_answered(void)
{
	static const uint32_t sizes[] = { 1473, 4000, 65000, 65507 };
	static uint8_t icmp[70000], back[70000];
	struct world w;
	struct craft_way way;
	uint8_t f[CRAFT_MAX];

	world_init(&w, 1, NULL);
	way = world_way(&w, 0);
	for (unsigned i = 0; i < array_len(sizes); i++) {
		uint32_t len = echo_request(icmp, sizes[i]);
		struct icmp4_msg m;

		for (uint32_t off = 0; off < len; off += 1480) {
			uint32_t n = min(len - off, 1480u);

			world_frame(&w, 0, f, craft_frag(f, &way, (uint16_t)i, icmp, off, n,
			                                 off + n < len, IP_PROTO_ICMP));
		}
		CU_ASSERT_EQUAL_FATAL(hear_whole(&w, back), len);
		CU_ASSERT_TRUE(wire_icmp4_parse(back, len, &m) && m.type == ICMP4_ECHO_REPLY);
		CU_ASSERT_EQUAL(memcmp(back + ICMP4_LEN, icmp + ICMP4_LEN, sizes[i]), 0);
	}
	CU_ASSERT_PTR_NULL(world_leak(&w, 0));
	world_fini(&w);
}

/* One byte too long to be answered, and one too long to be at all. */
static void
test_a_packet_beyond_any_length_is_dropped(void)
{
	static uint8_t icmp[70000];
	struct world w;
	struct craft_way way;
	uint8_t f[CRAFT_MAX];

	world_init(&w, 1, NULL);
	way = world_way(&w, 0);
	world_frame(&w, 0, f, craft_frag(f, &way, 1, icmp, 65512, 8, false, IP_PROTO_ICMP));
	CU_ASSERT_EQUAL(world_fate(&w, 0, DROP_FRAGMENT), 1);
	CU_ASSERT_EQUAL(world_skips(&w, 0), 0);
	world_fini(&w);
}

/* RFC 1122 3.3.2: the sender is told, if its first fragment came. */
static void
test_what_is_not_whole_in_time_is_told(void)
{
	static uint8_t icmp[2000];
	const struct world_frame *a;
	struct world w;
	struct craft_way way;
	uint8_t f[CRAFT_MAX];
	struct ip4_hdr h;
	struct icmp4_msg m;

	world_init(&w, 1, NULL);
	way = world_way(&w, 0);
	(void)echo_request(icmp, 1600);
	world_frame(&w, 0, f, craft_frag(f, &way, 1, icmp, 0, 800, true, IP_PROTO_ICMP));
	world_frame(&w, 0, f, craft_frag(f, &way, 2, icmp, 800, 808, false, IP_PROTO_ICMP));
	CU_ASSERT_EQUAL(world_fate(&w, 0, IN_FRAGMENT), 2);
	world_run(&w, REASS_IP_NS - MS(1));
	CU_ASSERT_EQUAL(world_fate(&w, 0, DROP_FRAGMENT_LATE), 0);
	CU_ASSERT_EQUAL(world_skips(&w, 0), 0);
	world_run(&w, MS(2));
	CU_ASSERT_EQUAL(world_fate(&w, 0, DROP_FRAGMENT_LATE), 2);
	CU_ASSERT_PTR_NOT_NULL_FATAL(a = world_next(&w, 0));
	CU_ASSERT_EQUAL(wire_ip4_parse(a->data + ETH_LEN, a->len - ETH_LEN, true, &h), WIRE_IP_OK);
	CU_ASSERT_TRUE_FATAL(wire_icmp4_parse(a->data + ETH_LEN + IP4_LEN,
	                                      (size_t)h.total_len - IP4_LEN, &m));
	CU_ASSERT_TRUE(m.type == ICMP4_TIME_EXCEEDED && m.code == ICMP4_CODE_REASSEMBLY);
	CU_ASSERT_EQUAL(h.total_len, ICMP_ERROR_MAX);
	CU_ASSERT_EQUAL(wire_ip4_parse_quoted(m.payload, m.len, &h), WIRE_IP_OK);
	CU_ASSERT_TRUE(h.id == 1 && h.mf);
	CU_ASSERT_EQUAL(memcmp(m.payload + IP4_LEN, icmp, m.len - IP4_LEN), 0);
	CU_ASSERT_EQUAL(world_skips(&w, 0), 0);
	CU_ASSERT_PTR_NULL(world_leak(&w, 0));
	world_fini(&w);
}

static void
test_fragments_of_v6(void)
{
	static uint8_t icmp[6000], back[6000];
	struct world w;
	struct craft_way way;
	struct icmp6_msg m = { .type = ICMP6_ECHO_REQUEST, .rest = 77, .len = 4000 };
	struct icmp6_msg r;
	const struct world_frame *f;
	uint32_t got = 0, len = ICMP6_LEN + 4000;

	world_init(&w, 1, world_v6);
	way = world_way(&w, 0);
	for (uint32_t i = 0; i < m.len; i++)
		icmp[ICMP6_LEN + i] = (uint8_t)(i ^ i >> 8);
	m.payload = icmp + ICMP6_LEN;
	wire_icmp6_build(icmp, &way.src, &way.dst, &m);
	for (uint32_t i = 0, step = 1400; i < 3; i++) { /* the last comes first */
		uint32_t off = (i ? i - 1 : 2) * step, n = min(step, len - off);
		uint8_t frame[CRAFT_MAX];
		struct ip6_hdr six = { .src = way.src, .dst = way.dst, .hop_limit = 9,
			               .proto = IP_PROTO_FRAGMENT,
			               .total_len = to_u16(IP6_LEN + IP6_FRAG_LEN + n) };
		struct eth_hdr eth = { way.dmac, way.smac, ETH_TYPE_IP6 };

		wire_eth_build(frame, &eth);
		wire_ip6_build(frame + ETH_LEN, &six);
		wire_ip6_fragment_build(frame + ETH_LEN + IP6_LEN, IP_PROTO_ICMP6, off,
		                        off + n < len, 5);
		memcpy(frame + ETH_LEN + IP6_LEN + IP6_FRAG_LEN, icmp + off, n);
		world_frame(&w, 0, frame, ETH_LEN + IP6_LEN + IP6_FRAG_LEN + n);
	}
	while ((f = world_next(&w, 0))) {
		struct ip6_problem problem;
		struct ip6_hdr six;

		CU_ASSERT_EQUAL_FATAL(wire_ip6_parse(f->data + ETH_LEN, f->len - ETH_LEN, &six,
		                                     &problem), WIRE_IP6_OK);
		CU_ASSERT_TRUE(six.total_len <= 1500 && six.frag_at == IP6_LEN);
		memcpy(back + six.frag_off, f->data + ETH_LEN + IP6_LEN + IP6_FRAG_LEN,
		       (size_t)six.total_len - IP6_LEN - IP6_FRAG_LEN);
		got += six.total_len - IP6_LEN - IP6_FRAG_LEN;
	}
	CU_ASSERT_EQUAL_FATAL(got, len);
	CU_ASSERT_TRUE(wire_icmp6_parse(back, len, &way.dst, &way.src, &r));
	CU_ASSERT_TRUE(r.type == ICMP6_ECHO_REPLY && memcmp(r.payload, m.payload, m.len) == 0);
	CU_ASSERT_PTR_NULL(world_leak(&w, 0));
	world_fini(&w);
}

static void
test_identifications_count_for_each_destination(void)
{
	struct ip_addr a = ip_addr_v4(1), b = ip_addr_v4(2);
	struct world w;
	struct stack *st;
	uint16_t at;

	world_init(&w, 1, NULL);
	st = world_stack(&w, 0);
	at = frag_id(st, &a);
	for (unsigned i = 0; i < 100; i++)
		(void)frag_id(st, &b);
	CU_ASSERT_EQUAL((uint16_t)(frag_id(st, &a) - at), 1);
	world_fini(&w);
}

/* Fragments of SYNs arrive anywhere; one core of four listens: it gets them whole. */
static void
play_many_cores(unsigned per)
{
	static struct town t;
	struct craft_way way = { .src = host_ip(1), .dst = host_ip(0) };
	uint8_t frame[CRAFT_MAX], part[CRAFT_MAX];
	uint32_t n = 0;

	memset(&t, 0, sizeof t);
	t.per = per;
	town_open_random(&t, 4, 4);
	net_mac(1, way.smac.b);
	net_mac(0, way.dmac.b);
	town_listen(&t, 0, 1u << 2);
	town_run(&t, SEC(1));
	for (unsigned i = 0; i < 64; i++) {
		struct tcp_seg s = { .seq = seq_of(i), .flags = TCP_SYN, .sport = to_u16(2000 + i),
			             .dport = 80, .wnd = 999, .opts = TCP_OPT_MSS, .mss = 1460 };
		uint32_t len = craft_tcp(frame, &way, &s, NULL) - ETH_LEN - IP4_LEN;

		for (uint32_t off = 0; off < len; off += 8)
			CU_ASSERT_TRUE(io_mem_inject(
				t.wire, 1, n++ % 4, net_now(t.clock), part,
				craft_frag(part, &way, (uint16_t)i, frame + ETH_LEN + IP4_LEN, off, 8,
			                   off + 8 < len, IP_PROTO_TCP)));
		town_run(&t, MS(1));
	}
	CU_ASSERT_EQUAL(town_fates(&t, 0, SYN_TAKEN), 64);
	CU_ASSERT_EQUAL(stack_fate_count(t.side[0].core[2].st, SYN_TAKEN), 64);
	for (unsigned i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(t.side[0].core[i].st->frags.reass.pkts.used, 0);
	town_close(&t);
}

static void
test_fragments_meet_on_one_core(void)
{
	play_many_cores(0);
}

static void
test_fragments_meet_across_processes(void)
{
	play_many_cores(2);
}

void
suite_frag(void)
{
	CU_pSuite s = CU_add_suite("core/frag", NULL, NULL);

	CU_add_test(s, "a large echo is answered, in fragments (RFC 1122 3.2.2.6, 3.3.2, 3.3.3)",
	            test_a_large_echo_is_answered);
	CU_add_test(s, "a packet beyond any length is dropped (attack: ping of death)",
	            test_a_packet_beyond_any_length_is_dropped);
	CU_add_test(s, "what is not whole in time is told (RFC 1122 3.3.2)",
	            test_what_is_not_whole_in_time_is_told);
	CU_add_test(s, "fragments of IPv6 are put together, and answered (RFC 8200 4.5)",
	            test_fragments_of_v6);
	CU_add_test(s, "identifications count for each destination (RFC 6864 4.3)",
	            test_identifications_count_for_each_destination);
	CU_add_test(s, "fragments meet on one core", test_fragments_meet_on_one_core);
	CU_add_test(s, "fragments meet across processes", test_fragments_meet_across_processes);
}
