/* SPDX-License-Identifier: BSD-3-Clause */
/* Datagrams of all lengths leave, whole or in fragments; neighbours that say nothing delay
 * nobody else. */
#include "test/core/dgrams.h"
#include "test/core/world.h"

void suite_udp_out(void);

static uint8_t text[DGRAM_MAX], got[DGRAM_MAX];

static void
play_lengths(void (*cfg)(struct stack_cfg *, unsigned))
{
	static const uint32_t len[] = { 0, 1, 511, 1471, 1472, 1473, 2952, 9000, 65506, 65507 };
	struct ip_addr peer;
	struct world w;
	struct sock *a, *b;
	struct sock_addr from;

	for (uint32_t i = 0; i < sizeof text; i++)
		text[i] = (uint8_t)(i * 11 + i / 256);
	world_init(&w, 2, cfg);
	peer = w.host[1].ip;
	a = dgram_bound(&w.host[0], 40000);
	b = dgram_bound(&w.host[1], 7);
	for (unsigned i = 0; i < array_len(len); i++) {
		dgram_says(&w.host[0], a, &peer, 7, text, len[i]);
		world_run(&w, MS(10));
		CU_ASSERT_EQUAL_FATAL(dgram_hears(&w.host[1], b, got, &from), (int)len[i]);
		CU_ASSERT_EQUAL(memcmp(got, text, len[i]), 0);
		CU_ASSERT_TRUE(from.port == 40000 && ip_addr_eq(&from.ip, &w.host[0].ip));
	}
	CU_ASSERT_EQUAL(world_fate(&w, 1, IN_UDP), array_len(len));
	for (unsigned who = 0; who < 2; who++)
		host_close(&w.host[who], who ? b : a);
	world_now(&w);
	CU_ASSERT_PTR_NULL(world_leak(&w, 0));
	CU_ASSERT_PTR_NULL(world_leak(&w, 1));
	world_fini(&w);
}

static void
test_every_length_arrives(void)
{
	play_lengths(NULL);
}

static void
test_every_length_arrives_over_v6(void)
{
	play_lengths(world_v6);
}

/* What was written before a close still leaves. */
static void
test_a_close_loses_nothing(void)
{
	struct ip_addr peer = host_ip(1);
	struct world w;
	struct sock *a, *b;

	world_init(&w, 2, NULL);
	a = dgram_bound(&w.host[0], 40000);
	b = dgram_bound(&w.host[1], 7);
	dgram_says(&w.host[0], a, &peer, 7, text, 1);
	world_run(&w, MS(10));
	CU_ASSERT_EQUAL(dgram_hears(&w.host[1], b, got, NULL), 1);
	for (unsigned i = 0; i < 100; i++)
		dgram_says(&w.host[0], a, &peer, 7, text, 100 + i);
	host_close(&w.host[0], a);
	world_run(&w, MS(10));
	for (unsigned i = 0; i < 100; i++)
		CU_ASSERT_EQUAL(dgram_hears(&w.host[1], b, got, NULL), (int)(100 + i));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->udp.socks.used, 0);
	CU_ASSERT_PTR_NULL(world_leak(&w, 0));
	world_fini(&w);
}

/* RFC 1122 2.3.2.2: the last ones are kept for a neighbour that does not answer. */
static void
test_silent_neighbours_delay_nobody(void)
{
	struct ip_addr stranger = host_ip(WORLD_STRANGER);
	struct world w;
	struct sock *a;
	unsigned heard = 0;
	const struct world_frame *f;

	world_init(&w, 1, NULL);
	a = dgram_bound(&w.host[0], 40000);
	for (unsigned i = 0; i < 300; i++) {
		struct ip_addr nobody = ip_addr_v4(0x0a000000 + 20 + i % 200);

		dgram_says(&w.host[0], a, &nobody, 7, "?", 1);
		if (i % 3 == 0)
			dgram_says(&w.host[0], a, &stranger, 7, "!", 1);
		world_now(&w);
	}
	while ((f = world_next(&w, 0)))
		heard += f->len == ETH_LEN + IP4_LEN + UDP_LEN + 1;
	CU_ASSERT_EQUAL(heard, 100);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->udp.n_held, UDP_HELD);
	world_run(&w, UDP_HELD_NS + MS(1));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->udp.n_held, 0);
	CU_ASSERT_FALSE(world_stack(&w, 0)->aside);
	world_fini(&w);
}

static void
test_who_answers_late_has_all_of_it(void)
{
	struct ip_addr peer = host_ip(1);
	struct world w;
	struct sock *a, *b;

	world_init(&w, 2, NULL);
	a = dgram_bound(&w.host[0], 40000);
	b = dgram_bound(&w.host[1], 7);
	dgram_says(&w.host[0], a, &peer, 7, text, 40000);
	dgram_says(&w.host[0], a, &peer, 7, text, 10);
	world_run(&w, MS(20));
	CU_ASSERT_EQUAL(dgram_hears(&w.host[1], b, got, NULL), 40000);
	CU_ASSERT_EQUAL(dgram_hears(&w.host[1], b, got, NULL), 10);
	world_fini(&w);
}

static void
set_mode(struct sock *s, enum udp_pmtu_mode mode)
{
	atomic_store(&s->opt_bits, (uint16_t)((unsigned)(mode ^ UDP_PMTU_WANT) << SOCK_OPT_PMTU_SHIFT));
}

/* RFC 1191 3: what a router says of the way counts from then on. */
static void
test_the_way_takes_less(void)
{
	struct ip_addr stranger = host_ip(WORLD_STRANGER);
	struct icmp_error e = { .type = ICMP4_UNREACHABLE, .code = ICMP4_CODE_FRAG_NEEDED,
		                .proto = IP_PROTO_UDP, .mtu = 1000, .src = host_ip(0),
		                .dst = stranger, .sport = 40000, .dport = 7 };
	struct world w;
	struct sock *a;
	struct ip4_hdr h;
	const struct world_frame *f;

	world_init(&w, 1, NULL);
	a = dgram_bound(&w.host[0], 40000);
	udp_icmp_error(world_stack(&w, 0), &e, 0, SEC(1000));
	dgram_says(&w.host[0], a, &stranger, 7, text, 1200);
	world_now(&w);
	for (unsigned i = 0; i < 2; i++) {
		CU_ASSERT_PTR_NOT_NULL_FATAL(f = world_next(&w, 0));
		(void)wire_ip4_parse(f->data + ETH_LEN, f->len - ETH_LEN, true, &h);
		CU_ASSERT_TRUE(h.total_len <= 1000 && !h.df && h.mf == (i == 0));
	}
	dgram_says(&w.host[0], a, &stranger, 7, text, 100);
	world_now(&w);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f = world_next(&w, 0));
	(void)wire_ip4_parse(f->data + ETH_LEN, f->len - ETH_LEN, true, &h);
	CU_ASSERT_TRUE(h.df);
	set_mode(a, UDP_PMTU_DO);
	dgram_says(&w.host[0], a, &stranger, 7, text, 1200);
	world_now(&w);
	CU_ASSERT_EQUAL(world_skips(&w, 0), 0);
	CU_ASSERT_EQUAL(atomic_load(&a->dgram_error) & UINT16_MAX, 90);
	set_mode(a, UDP_PMTU_PROBE);
	dgram_says(&w.host[0], a, &stranger, 7, text, 1200);
	world_now(&w);
	CU_ASSERT_PTR_NOT_NULL(world_next(&w, 0));
	set_mode(a, UDP_PMTU_DONT);
	dgram_says(&w.host[0], a, &stranger, 7, text, 100);
	world_now(&w);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f = world_next(&w, 0));
	(void)wire_ip4_parse(f->data + ETH_LEN, f->len - ETH_LEN, true, &h);
	CU_ASSERT_FALSE(h.df);
	world_fini(&w);
}

static void
test_broadcasts_need_a_word(void)
{
	static const uint8_t all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	struct ip_addr subnet = ip_addr_v4(0x0a0000ff);
	const struct world_frame *f;
	struct world w;
	struct sock *a;

	world_init(&w, 1, NULL);
	a = dgram_bound(&w.host[0], 68);
	dgram_says(&w.host[0], a, &subnet, 67, "dhcp?", 5);
	world_now(&w);
	CU_ASSERT_EQUAL(world_skips(&w, 0), 0);
	CU_ASSERT_EQUAL(atomic_load(&a->dgram_error) & UINT16_MAX, 13);
	atomic_store(&a->opt_bits, SOCK_OPT_BROADCAST);
	dgram_says(&w.host[0], a, &subnet, 67, "dhcp?", 5);
	world_now(&w);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f = world_next(&w, 0));
	CU_ASSERT_EQUAL(memcmp(f->data, all, 6), 0);
	world_fini(&w);
}

void
suite_udp_out(void)
{
	CU_pSuite s = CU_add_suite("core/udp_out", NULL, NULL);

	CU_add_test(s, "every length arrives (RFC 1122 3.3.3)", test_every_length_arrives);
	CU_add_test(s, "every length arrives over IPv6 (RFC 8200 4.5)",
	            test_every_length_arrives_over_v6);
	CU_add_test(s, "a close loses nothing", test_a_close_loses_nothing);
	CU_add_test(s, "silent neighbours delay nobody (RFC 1122 2.3.2.2)",
	            test_silent_neighbours_delay_nobody);
	CU_add_test(s, "who answers late has all of it", test_who_answers_late_has_all_of_it);
	CU_add_test(s, "the way takes less (RFC 1191 3; RFC 8085 3.2)", test_the_way_takes_less);
	CU_add_test(s, "broadcasts need a word (RFC 1122 3.3.6)", test_broadcasts_need_a_word);
}
