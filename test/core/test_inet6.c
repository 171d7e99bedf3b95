/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames of IPv6 that are for us and frames that are not, each to its fate; and connections over
 * IPv6 as over IPv4. */
#include "core/inet6.h"

#include <CUnit/CUnit.h>

#include <stdio.h>

#include "test/core/world.h"
#include "wire/udp_wire.h"

void suite_inet6(void);

static const struct tcp_seg knock = { .seq = { 7 }, .flags = TCP_SYN, .sport = 1000, .dport = 9,
	                              .wnd = 1000, .opts = TCP_OPT_MSS, .mss = 1440 };

static void
expect_silence(struct world *w, const uint8_t *frame, uint32_t len, enum fate fate)
{
	uint64_t before = world_fate(w, 0, fate);

	world_frame(w, 0, frame, len);
	if (world_fate(w, 0, fate) != before + 1)
		printf("\nexpected silence and fate %s\n", stack_fate_name(fate));
	CU_ASSERT_EQUAL(world_fate(w, 0, fate), before + 1);
	CU_ASSERT_EQUAL(world_skips(w, 0), 0);
}

/* The ICMPv6 message that the host has just sent, or type 0. */
static struct icmp6_msg
heard(struct world *w)
{
	const struct world_frame *f = world_next(w, 0);
	struct ip6_problem problem;
	struct icmp6_msg m = { 0 };
	struct ip6_hdr h;

	if (!f || wire_ip6_parse(f->data + ETH_LEN, f->len - ETH_LEN, &h, &problem) ||
	    h.proto != IP_PROTO_ICMP6 ||
	    !wire_icmp6_parse(f->data + ETH_LEN + h.hdr_len, h.total_len - h.hdr_len, &h.src, &h.dst,
	                      &m))
		return (struct icmp6_msg){ 0 };
	return m;
}

static void
test_a_knock_is_heard(void)
{
	struct world w;
	struct craft_way way;
	struct tcp_seg s;
	uint8_t f[CRAFT_MAX];

	world_init(&w, 1, world_v6);
	way = world_way(&w, 0);
	world_frame(&w, 0, f, craft_tcp(f, &way, &knock, NULL));
	CU_ASSERT(world_hears(&w, 0, &s) && (s.flags & TCP_RST));
	CU_ASSERT_EQUAL(world_skips(&w, 0), 0);
	world_fini(&w);
}

static void
test_an_echo_is_answered(void)
{
	struct world w;
	struct craft_way way;
	struct icmp6_msg m;
	uint8_t f[CRAFT_MAX];

	world_init(&w, 1, world_v6);
	way = world_way(&w, 0);
	world_frame(&w, 0, f, craft_echo(f, &way, 77, (const uint8_t *)"abc", 3));
	m = heard(&w);
	CU_ASSERT(m.type == ICMP6_ECHO_REPLY && m.rest == 77 && m.len == 3);
	world_fini(&w);
}

static void
test_packets_for_others_are_never_answered(void)
{
	struct ip_addr others[] = { host_ip6(1), ip6_all_routers(), { { 0xff, 5, [15] = 1 } }, IP_ANY,
		                    { { [15] = 1 } }, { { 0xfe, 0x80, [15] = 1 } } };
	struct world w;
	uint8_t f[CRAFT_MAX];

	world_init(&w, 1, world_v6);
	for (unsigned i = 0; i < array_len(others); i++) {
		struct craft_way way = world_way(&w, 0);

		way.dst = others[i];
		expect_silence(&w, f, craft_tcp(f, &way, &knock, NULL), DROP_NOT_OURS);
		expect_silence(&w, f, craft_echo(f, &way, 1, NULL, 0), DROP_NOT_OURS);
	}
	world_fini(&w);
}

/* RFC 1122 3.3.6 of IPv4; a group that we are in is no address of ours either. */
static void
test_groups_are_never_answered(void)
{
	struct world w;
	struct craft_way way;
	uint8_t f[CRAFT_MAX];

	world_init(&w, 1, world_v6);
	way = world_way(&w, 0);
	way.dst = ip6_all_nodes();
	way.dmac = ip6_group_mac(&way.dst);
	expect_silence(&w, f, craft_tcp(f, &way, &knock, NULL), DROP_NOT_OURS);
	expect_silence(&w, f, craft_echo(f, &way, 1, NULL, 0), DROP_ICMP);
	way.dst = w.host[0].ip;
	expect_silence(&w, f, craft_tcp(f, &way, &knock, NULL), DROP_NOT_OURS);
	world_fini(&w);
}

/* A forged source, one of IPv4 in IPv6's clothes, or one with a scope already inside. */
static void
test_strange_sources_are_dropped(void)
{
	struct ip_addr strange[] = { IP_ANY, { { [15] = 1 } }, ip6_all_nodes(), ip_addr_v4(0x0a000004),
		                     host_ip6(0), { { 0xfe, 0x80, [3] = 1, [15] = 9 } } };
	struct world w;
	uint8_t f[CRAFT_MAX];

	world_init(&w, 1, world_v6);
	for (unsigned i = 0; i < array_len(strange); i++) {
		struct craft_way way = world_way(&w, 0);

		uint32_t len = craft_tcp(f, &way, &knock, NULL);

		memcpy(f + ETH_LEN + 8, strange[i].b, 16);
		expect_silence(&w, f, len, DROP_IP_SOURCE);
	}
	world_fini(&w);
}

static void
test_damage_is_dropped(void)
{
	struct world w;
	struct craft_way way;
	uint8_t f[CRAFT_MAX];
	uint32_t len;

	world_init(&w, 1, world_v6);
	way = world_way(&w, 0);
	len = craft_tcp(f, &way, &knock, NULL);
	f[len - 1] ^= 1;
	expect_silence(&w, f, len, DROP_TCP_SUM);
	f[len - 1] ^= 1;
	expect_silence(&w, f, len - 1, DROP_IP_HEADER);
	f[ETH_LEN] = 0x50;
	expect_silence(&w, f, len, DROP_IP_HEADER);
	len = craft_ip(f, &way, IP_PROTO_TCP, f, 19);
	expect_silence(&w, f, len, DROP_TCP_HEADER);
	world_fini(&w);
}

/* Behind options that say nothing to us stands a segment as any other. */
static void
test_extension_headers_are_no_obstacle(void)
{
	static const uint8_t options[8] = { IP_PROTO_TCP, 0, 1, 4 };
	struct world w;
	struct craft_way way;
	struct tcp_seg s;
	uint8_t f[CRAFT_MAX], g[CRAFT_MAX];
	uint32_t len;

	world_init(&w, 1, world_v6);
	way = world_way(&w, 0);
	len = craft_tcp(f, &way, &knock, NULL) - ETH_LEN - IP6_LEN;
	memmove(f + 8, f + ETH_LEN + IP6_LEN, len);
	memcpy(f, options, 8);
	world_frame(&w, 0, g, craft_ip(g, &way, IP_PROTO_HOP_BY_HOP, f, len + 8));
	CU_ASSERT(world_hears(&w, 0, &s) && (s.flags & TCP_RST));
	world_fini(&w);
}

/* RFC 8200 4: whoever sent it is told which byte nobody here understands. */
static void
test_what_is_not_understood_is_told(void)
{
	static const uint8_t options[8] = { IP_PROTO_TCP, 0, 0xbe, 4 };
	struct world w;
	struct craft_way way;
	struct icmp6_msg m;
	uint8_t f[CRAFT_MAX];

	world_init(&w, 1, world_v6);
	way = world_way(&w, 0);
	world_frame(&w, 0, f, craft_ip(f, &way, 99, options, 8));
	m = heard(&w);
	CU_ASSERT(m.type == ICMP6_PARAM_PROBLEM && m.code == ICMP6_CODE_NEXT_HEADER && m.rest == 6);
	CU_ASSERT_EQUAL(world_fate(&w, 0, DROP_IP_PROTO), 1);
	world_frame(&w, 0, f, craft_ip(f, &way, IP_PROTO_DST_OPTS, options, 8));
	m = heard(&w);
	CU_ASSERT(m.type == ICMP6_PARAM_PROBLEM && m.code == ICMP6_CODE_OPTION && m.rest == 42);
	CU_ASSERT_EQUAL(world_fate(&w, 0, DROP_IP6_EXT), 1);
	way.dst = ip6_all_nodes();
	way.dmac = ip6_group_mac(&way.dst);
	world_frame(&w, 0, f, craft_ip(f, &way, IP_PROTO_DST_OPTS, options, 8));
	CU_ASSERT_EQUAL(heard(&w).type, ICMP6_PARAM_PROBLEM);
	expect_silence(&w, f, craft_ip(f, &way, 99, options, 8), DROP_IP_PROTO);
	world_fini(&w);
}

static void
test_nobody_is_there_for_a_datagram(void)
{
	struct udp_hdr h = { .sport = 1000, .dport = 53, .len = UDP_LEN + 4 };
	uint8_t f[CRAFT_MAX], datagram[UDP_LEN + 4] = { [UDP_LEN] = 'p', 'i', 'n', 'g' };
	struct world w;
	struct craft_way way;
	struct icmp6_msg m;

	world_init(&w, 1, world_v6);
	way = world_way(&w, 0);
	wire_udp_build(datagram, &h, &way.src, &way.dst);
	world_frame(&w, 0, f, craft_ip(f, &way, IP_PROTO_UDP, datagram, sizeof datagram));
	m = heard(&w);
	CU_ASSERT(m.type == ICMP6_UNREACHABLE && m.code == ICMP6_CODE_PORT);
	CU_ASSERT_EQUAL(world_fate(&w, 0, DROP_UDP_NOBODY), 1);
	datagram[UDP_LEN] ^= 1;
	expect_silence(&w, f, craft_ip(f, &way, IP_PROTO_UDP, datagram, sizeof datagram),
	               DROP_UDP_SUM);
	expect_silence(&w, f, craft_ip(f, &way, IP_PROTO_UDP, datagram, 7), DROP_UDP_HEADER);
	way.dst = ip6_all_nodes();
	way.dmac = ip6_group_mac(&way.dst);
	expect_silence(&w, f, craft_ip(f, &way, IP_PROTO_UDP, datagram, sizeof datagram),
	               DROP_NOT_OURS);
	world_fini(&w);
}

static void
test_nothing_follows_no_next_header(void)
{
	static const uint8_t fragment[8] = { IP_PROTO_TCP, 0, 0, 1 };
	struct world w;
	struct craft_way way;
	uint8_t f[CRAFT_MAX];

	world_init(&w, 1, world_v6);
	way = world_way(&w, 0);
	expect_silence(&w, f, craft_ip(f, &way, IP_PROTO_NONE, NULL, 0), DROP_IP_PROTO);
	expect_silence(&w, f, craft_ip(f, &way, IP_PROTO_FRAGMENT, fragment, 8), DROP_FRAGMENT);
	world_fini(&w);
}

static uint32_t
text_both_ways(struct world *w)
{
	struct sock *l = world_listen(w, 1, WORLD_PORT, 4), *client, *server;
	uint32_t done = 0, sent = 0;

	world_pair(w, l, &client, &server);
	CU_ASSERT(ip_addr_eq(&client->name.local, &w->host[0].ip));
	CU_ASSERT(ip_addr_eq(&server->name.remote, &w->host[0].ip));
	for (unsigned i = 0; i < 50; i++) {
		sent += world_write(w, 0, client, 100000 - sent);
		world_run(w, MS(5));
		done += world_read(w, 1, server);
	}
	host_close(&w->host[0], client);
	world_run(w, MS(50));
	CU_ASSERT_TRUE(host_eof(server));
	host_close(&w->host[1], server);
	host_close(&w->host[1], l);
	world_run(w, SEC(130));
	CU_ASSERT_PTR_NULL(world_leak(w, 0));
	CU_ASSERT_PTR_NULL(world_leak(w, 1));
	return done;
}

static void
test_text_goes_both_ways(void)
{
	struct world w;
	struct tcp_seg s;
	bool mss = false;

	world_init(&w, 2, world_v6);
	CU_ASSERT_EQUAL(text_both_ways(&w), 100000);
	w.heard[0] = 0;
	while (world_hears(&w, 0, &s))
		if (s.flags & TCP_SYN)
			mss |= s.mss == 1440; /* 1500 less both headers */
	CU_ASSERT(mss);
	CU_ASSERT(world_fate(&w, 0, IN_ND) > 0); /* nobody knew the other */
	world_fini(&w);
}

static void
v6_local(struct stack_cfg *cfg, unsigned who)
{
	struct ip_addr a = { { 0xfe, 0x80, [15] = (uint8_t)(who + 1) } };

	host_cfg6(cfg, who);
	cfg->port[0].addr[0].ip = a;
}

/* Both hosts know themselves by the scoped address; no frame ever shows the scope. */
static void
test_link_local_addresses_stay_on_their_link(void)
{
	struct world w;
	const struct world_frame *f;

	world_init(&w, 2, v6_local);
	for (unsigned i = 0; i < 2; i++)
		w.host[i].ip = ip6_scoped(&w.host[i].ip, 0);
	CU_ASSERT_EQUAL(text_both_ways(&w), 100000);
	w.heard[0] = w.heard[1] = 0;
	for (unsigned i = 0; i < 2; i++)
		while ((f = world_next(&w, i)))
			CU_ASSERT(get_be16(f->data + ETH_LEN + 8 + 2) == 0);
	world_fini(&w);
}

/* RFC 7217: the same each time, another for each port, and not the link address. */
static void
test_a_port_gets_a_link_local_address(void)
{
	struct world w, again;
	const struct stack_port *p, *q, *r;
	struct ip_addr plain;

	world_init(&w, 2, world_v6);
	world_init(&again, 1, world_v6);
	p = &world_stack(&w, 0)->port[0];
	q = &world_stack(&w, 1)->port[0];
	r = &world_stack(&again, 0)->port[0];
	CU_ASSERT_EQUAL_FATAL(p->cfg.n_addrs, 2);
	CU_ASSERT(ip6_is_link_local(&p->cfg.addr[1].ip) && ip6_scope(&p->cfg.addr[1].ip) == 1);
	CU_ASSERT_FALSE(ip_addr_eq(&p->cfg.addr[1].ip, &q->cfg.addr[1].ip));
	CU_ASSERT(ip_addr_eq(&p->cfg.addr[1].ip, &r->cfg.addr[1].ip));
	CU_ASSERT(memcmp(p->cfg.addr[1].ip.b + 13, p->info.mac + 3, 3) != 0);
	plain = ip6_plain(&p->cfg.addr[1].ip);
	CU_ASSERT(ip6_scope(&plain) == 0 && !ip_is_ours(world_stack(&w, 0), &plain));
	world_fini(&w);
	world_fini(&again);
}

/* Who speaks IPv4 alone is not there for IPv6. */
static void
test_a_port_without_ipv6_is_silent(void)
{
	struct world w;
	struct craft_way way;
	uint8_t f[CRAFT_MAX];

	world_init(&w, 1, NULL);
	way = world_way(&w, 0);
	way.src = host_ip6(WORLD_STRANGER);
	way.dst = host_ip6(0);
	expect_silence(&w, f, craft_echo(f, &way, 1, NULL, 0), DROP_NOT_OURS);
	way.dst = ip6_all_nodes();
	way.dmac = ip6_group_mac(&way.dst);
	expect_silence(&w, f, craft_echo(f, &way, 1, NULL, 0), DROP_NOT_OURS);
	world_fini(&w);
}

static void
test_a_packet_too_big_makes_segments_smaller(void)
{
	struct world w;
	struct craft_way way;
	struct call k;
	struct sock *l, *s;
	struct tcp_seg seg, first = { 0 };
	uint8_t f[CRAFT_MAX];

	world_init(&w, 1, world_v6);
	way = world_way(&w, 0);
	l = world_listen(&w, 0, WORLD_PORT, 4);
	CU_ASSERT_FATAL(world_calls(&w, 0, 1000, WORLD_PORT, &k));
	CU_ASSERT_PTR_NOT_NULL_FATAL(s = host_accept(&w.host[0], l));
	(void)world_write(&w, 0, s, 3000);
	world_now(&w);
	CU_ASSERT_FATAL(world_hears(&w, 0, &first));
	CU_ASSERT_EQUAL(first.len, 1440);
	(void)world_skips(&w, 0);
	world_frame(&w, 0, f, craft_icmp_error(f, &way, ICMP6_TOO_BIG, 0, 1000, &way.src,
	                                       WORLD_PORT, 1000, first.seq));
	CU_ASSERT_FATAL(world_hears(&w, 0, &seg));
	CU_ASSERT(seq_eq(seg.seq, first.seq) && seg.len == 1220); /* never below 1280 (RFC 8201 4) */
	host_abort(&w.host[0], s);
	host_close(&w.host[0], l);
	world_run(&w, SEC(1));
	world_fini(&w);
}

static struct sock *
socket_on(struct world *w, uint16_t bits, const struct ip_addr *ip, int err)
{
	struct sock *s = host_socket(&w->host[0]);

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	atomic_fetch_or(&s->opt_bits, bits);
	CU_ASSERT_EQUAL(host_bind(&w->host[0], s, ip, WORLD_PORT), err);
	return s;
}

static void
both(struct stack_cfg *cfg, unsigned who)
{
	struct ip_addr net = host_ip6(0), any = IP_ANY;

	cfg->port[0].addr[cfg->port[0].n_addrs++] =
	    (struct stack_addr){ .ip = host_ip6(who), .prefix = 64 };
	(void)route_add(&cfg->routes, &net, 64, &any, 0);
}

static bool
answers(struct world *w, struct ip_addr src, struct ip_addr dst)
{
	struct craft_way way = world_way(w, 0);
	struct tcp_seg syn = knock, s;
	uint8_t f[CRAFT_MAX];

	way.src = src;
	way.dst = dst;
	syn.dport = WORLD_PORT;
	syn.sport = (uint16_t)(w->n_log + 1000);
	(void)world_skips(w, 0);
	world_frame(w, 0, f, craft_tcp(f, &way, &syn, NULL));
	return world_hears(w, 0, &s) && (s.flags & TCP_SYN);
}

/* RFC 3493 5.3. */
static void
test_a_listener_takes_both_families_unless_told_not_to(void)
{
	static const uint16_t bits[] = { 0, SOCK_OPT_V6, SOCK_OPT_V6 | SOCK_OPT_V6ONLY };
	struct ip_addr any = IP_ANY;

	for (unsigned i = 0; i < array_len(bits); i++) {
		struct world w;
		struct sock *l;

		world_init(&w, 1, both);
		l = socket_on(&w, bits[i], &any, 0);
		CU_ASSERT_EQUAL(host_listen(&w.host[0], l, 8), 0);
		CU_ASSERT_EQUAL(answers(&w, host_ip(3), host_ip(0)), i < 2);
		CU_ASSERT_EQUAL(answers(&w, host_ip6(3), host_ip6(0)), i > 0);
		host_close(&w.host[0], l);
		world_run(&w, SEC(1));
		world_fini(&w);
	}
}

static void
test_families_share_a_port_only_apart(void)
{
	struct ip_addr any = IP_ANY, v4 = host_ip(0), v6 = host_ip6(0);
	struct world w;

	world_init(&w, 1, both);
	(void)socket_on(&w, SOCK_OPT_V6 | SOCK_OPT_V6ONLY, &any, 0);
	(void)socket_on(&w, 0, &any, 0);
	(void)socket_on(&w, SOCK_OPT_V6, &any, 98); /* EADDRINUSE */
	(void)socket_on(&w, SOCK_OPT_V6, &v6, 98);
	(void)socket_on(&w, 0, &v4, 98);
	world_fini(&w);
	world_init(&w, 1, both);
	(void)socket_on(&w, SOCK_OPT_V6, &v6, 0);
	(void)socket_on(&w, 0, &any, 0);
	(void)socket_on(&w, SOCK_OPT_V6, &any, 98);
	world_fini(&w);
}

void
suite_inet6(void)
{
	CU_pSuite s = CU_add_suite("inet6", NULL, NULL);

	CU_add_test(s, "a knock over IPv6 is heard", test_a_knock_is_heard);
	CU_add_test(s, "an echo over IPv6 is answered", test_an_echo_is_answered);
	CU_add_test(s, "packets of IPv6 for others are never answered",
	            test_packets_for_others_are_never_answered);
	CU_add_test(s, "groups are never answered (RFC 9293 MUST-57)", test_groups_are_never_answered);
	CU_add_test(s, "strange sources of IPv6 are dropped", test_strange_sources_are_dropped);
	CU_add_test(s, "damage of IPv6 is dropped", test_damage_is_dropped);
	CU_add_test(s, "extension headers are no obstacle (RFC 8200 4)", test_extension_headers_are_no_obstacle);
	CU_add_test(s, "what is not understood is told (RFC 8200 4, 4.2; RFC 4443 3)", test_what_is_not_understood_is_told);
	CU_add_test(s, "nobody is there for a datagram of IPv6 (RFC 4443 3)",
	            test_nobody_is_there_for_a_datagram);
	CU_add_test(s, "nothing follows no next header, and fragments are dropped",
	            test_nothing_follows_no_next_header);
	CU_add_test(s, "text goes both ways over IPv6", test_text_goes_both_ways);
	CU_add_test(s, "link-local addresses stay on their link (RFC 4007 6)",
	            test_link_local_addresses_stay_on_their_link);
	CU_add_test(s, "a port gets a link-local address (RFC 4291 2.8; RFC 8064 3)", test_a_port_gets_a_link_local_address);
	CU_add_test(s, "a port without IPv6 is silent", test_a_port_without_ipv6_is_silent);
	CU_add_test(s, "a packet too big makes segments smaller, but not below 1280 (RFC 8201 4)",
	            test_a_packet_too_big_makes_segments_smaller);
	CU_add_test(s, "a listener takes both families unless told not to (RFC 3493 5.3)",
	            test_a_listener_takes_both_families_unless_told_not_to);
	CU_add_test(s, "families share a port only apart", test_families_share_a_port_only_apart);
}
