/* SPDX-License-Identifier: BSD-3-Clause */
/* Whose a datagram is: by port, address, peer and core; and what becomes of those for nobody. */
#include "test/core/dgrams.h"
#include "test/core/town.h"
#include "test/core/world.h"

void suite_udp(void);

#define E_REFUSED 111

static uint32_t
said(struct world *w, uint16_t sport, uint16_t dport, const char *text)
{
	struct craft_way way = world_way(w, 0);
	uint8_t f[CRAFT_MAX];
	uint32_t len = craft_udp(f, &way, sport, dport, text, (uint32_t)strlen(text));

	world_frame(w, 0, f, len);
	return len;
}

/* The socket has exactly this, and then nothing. */
static void
expect(struct world *w, struct sock *s, const char *text)
{
	char got[2000];
	int n = dgram_hears(&w->host[0], s, got, NULL);

	CU_ASSERT_EQUAL(n, text ? (int)strlen(text) : -1);
	if (text && n > 0)
		CU_ASSERT_EQUAL(memcmp(got, text, strlen(text)), 0);
	if (text)
		expect(w, s, NULL);
}

static void
test_a_datagram_reaches_its_port(void)
{
	struct world w;
	struct sock *s;
	struct sock_addr from;
	struct ip_addr stranger = host_ip(WORLD_STRANGER);
	char got[100];

	world_init(&w, 1, NULL);
	s = dgram_bound(&w.host[0], 53);
	(void)said(&w, 4000, 53, "who is it?");
	CU_ASSERT_EQUAL(world_fate(&w, 0, IN_UDP), 1);
	CU_ASSERT_TRUE(host_news(&w.host[0], s));
	CU_ASSERT_EQUAL(dgram_hears(&w.host[0], s, got, &from), 10);
	CU_ASSERT_TRUE(ip_addr_eq(&from.ip, &stranger) && from.port == 4000);
	(void)said(&w, 4000, 53, "");
	CU_ASSERT_EQUAL(dgram_hears(&w.host[0], s, got, &from), 0);
	expect(&w, s, NULL);
	CU_ASSERT_EQUAL(world_skips(&w, 0), 0);
	host_close(&w.host[0], s);
	world_now(&w);
	CU_ASSERT_PTR_NULL(world_leak(&w, 0));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->udp.socks.used, 0);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->udp.map.n, 0);
	world_fini(&w);
}

/* RFC 1122 4.1.3.1. */
static void
test_nobodys_datagrams_are_told(void)
{
	const struct world_frame *f;
	struct world w;
	struct ip4_hdr h;
	struct icmp4_msg m;

	world_init(&w, 1, NULL);
	(void)said(&w, 4000, 53, "anybody?");
	CU_ASSERT_EQUAL(world_fate(&w, 0, DROP_UDP_NOBODY), 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f = world_next(&w, 0));
	CU_ASSERT_EQUAL(wire_ip4_parse(f->data + ETH_LEN, f->len - ETH_LEN, true, &h), WIRE_IP_OK);
	CU_ASSERT_TRUE(wire_icmp4_parse(f->data + ETH_LEN + IP4_LEN, h.total_len - IP4_LEN, &m));
	CU_ASSERT_TRUE(m.type == ICMP4_UNREACHABLE && m.code == ICMP4_CODE_PORT);
	CU_ASSERT_EQUAL(m.len, IP4_LEN + UDP_LEN + 8);
	world_fini(&w);
}

static void
test_wrong_datagrams_are_dropped_in_silence(void)
{
	struct craft_way way;
	struct world w;
	struct sock *s;
	uint8_t f[CRAFT_MAX];
	uint32_t len;

	world_init(&w, 1, NULL);
	s = dgram_bound(&w.host[0], 53);
	way = world_way(&w, 0);
	len = craft_udp(f, &way, 1, 53, "text", 4);
	f[len - 1] ^= 1;
	world_frame(&w, 0, f, len);
	CU_ASSERT_EQUAL(world_fate(&w, 0, DROP_UDP_SUM), 1);
	put_be16(f + ETH_LEN + IP4_LEN + 6, 0); /* then it has none: taken */
	world_frame(&w, 0, f, len);
	CU_ASSERT_EQUAL(world_fate(&w, 0, IN_UDP), 1);
	put_be16(f + ETH_LEN + IP4_LEN + 4, 13);
	world_frame(&w, 0, f, len);
	put_be16(f + ETH_LEN + IP4_LEN + 4, 7);
	world_frame(&w, 0, f, len);
	CU_ASSERT_EQUAL(world_fate(&w, 0, DROP_UDP_HEADER), 2);
	(void)s;
	CU_ASSERT_EQUAL(world_skips(&w, 0), 0);
	world_fini(&w);
}

static void
test_the_nearest_socket_has_it(void)
{
	struct ip_addr stranger = host_ip(WORLD_STRANGER), own = host_ip(0);
	struct sock *any, *addr, *talks;
	struct world w;
	struct host *h = &w.host[0];

	world_init(&w, 1, NULL);
	any = dgram_socket(h);
	addr = dgram_socket(h);
	talks = dgram_socket(h);
	atomic_store(&any->opt_bits, SOCK_OPT_REUSEADDR);
	atomic_store(&addr->opt_bits, SOCK_OPT_REUSEADDR);
	atomic_store(&talks->opt_bits, SOCK_OPT_REUSEADDR);
	CU_ASSERT_EQUAL(dgram_ask(h, SOCK_CALL_BIND, any, &IP_ANY, 53), 0);
	CU_ASSERT_EQUAL(dgram_ask(h, SOCK_CALL_BIND, addr, &own, 53), 0);
	CU_ASSERT_EQUAL(dgram_ask(h, SOCK_CALL_BIND, talks, &IP_ANY, 53), 0);
	CU_ASSERT_EQUAL(dgram_ask(h, SOCK_CALL_DGRAM_CONNECT, talks, &stranger, 4000), 0);
	CU_ASSERT_TRUE(ip_addr_eq(&talks->name.local, &own));
	(void)said(&w, 4001, 53, "to the address");
	(void)said(&w, 4000, 53, "to the peer");
	expect(&w, any, NULL);
	expect(&w, addr, "to the address");
	expect(&w, talks, "to the peer");
	CU_ASSERT_EQUAL(dgram_ask(h, SOCK_CALL_DGRAM_CONNECT, talks, &IP_ANY, 0), 0);
	CU_ASSERT_TRUE(ip_addr_is_any(&talks->name.local) && talks->name.lport == 53);
	host_close(h, addr);
	host_close(h, talks);
	world_now(&w);
	(void)said(&w, 4000, 53, "to who is left");
	expect(&w, any, "to who is left");
	host_close(h, any);
	world_now(&w);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->udp.map.n, 0);
	CU_ASSERT_PTR_NULL(world_leak(&w, 0));
	world_fini(&w);
}

static void
test_a_port_is_had_once_unless_shared(void)
{
	struct ip_addr own = host_ip(0), other = host_ip(1);
	struct world w;
	struct host *h = &w.host[0];
	struct sock *a, *b;

	world_init(&w, 1, NULL);
	a = dgram_bound(h, 53);
	b = dgram_socket(h);
	CU_ASSERT_EQUAL(dgram_ask(h, SOCK_CALL_BIND, b, &own, 53), E_ADDRINUSE);
	CU_ASSERT_EQUAL(dgram_ask(h, SOCK_CALL_BIND, b, &other, 54), E_ADDRNOTAVAIL);
	atomic_store(&b->opt_bits, SOCK_OPT_REUSEPORT);
	CU_ASSERT_EQUAL(dgram_ask(h, SOCK_CALL_BIND, b, &IP_ANY, 53), E_ADDRINUSE);
	atomic_store(&a->opt_bits, SOCK_OPT_REUSEPORT);
	CU_ASSERT_EQUAL(dgram_ask(h, SOCK_CALL_BIND, b, &IP_ANY, 53), 0);
	CU_ASSERT_EQUAL(dgram_ask(h, SOCK_CALL_BIND, b, &IP_ANY, 55), E_INVAL);
	/* Each flow keeps to one of them, and both have some. */
	for (uint16_t p = 1; p <= 64; p++) {
		uint32_t was = stream_used(&a->rcv_w, &a->rcv_r);
		bool to_a;

		(void)said(&w, p, 53, "x");
		to_a = stream_used(&a->rcv_w, &a->rcv_r) > was;
		was = stream_used(&a->rcv_w, &a->rcv_r);
		(void)said(&w, p, 53, "x");
		CU_ASSERT_EQUAL(stream_used(&a->rcv_w, &a->rcv_r) > was, to_a);
	}
	CU_ASSERT_TRUE(stream_used(&a->rcv_w, &a->rcv_r) > 0);
	CU_ASSERT_TRUE(stream_used(&b->rcv_w, &b->rcv_r) > 0);
	world_fini(&w);
}

static void
test_a_full_socket_drops_and_counts(void)
{
	struct world w;
	struct sock *s;
	unsigned fits = 2304 / dgram_size(1) + 1;

	world_init(&w, 1, NULL);
	s = dgram_bound(&w.host[0], 53);
	CU_ASSERT_EQUAL(host_set(&w.host[0], s, TCP_OPTION_RCVBUF, 2304), 0);
	for (unsigned i = 0; i < 500; i++)
		(void)said(&w, 1, 53, "x");
	CU_ASSERT_EQUAL(world_fate(&w, 0, IN_UDP), fits);
	CU_ASSERT_EQUAL(world_fate(&w, 0, DROP_UDP_FULL), 500 - fits);
	CU_ASSERT_EQUAL(((struct udp_sock *)pool_at(&world_stack(&w, 0)->udp.socks, 0))->dropped,
	                500 - fits);
	CU_ASSERT_EQUAL(world_skips(&w, 0), 0);
	world_fini(&w);
}

/* RFC 1122 4.1.3.3: what ICMP says reaches who is connected, and nobody else. */
static void
test_errors_reach_the_connected(void)
{
	struct ip_addr peer = host_ip(1);
	struct world w;
	struct sock *a, *b;
	uint32_t word;

	world_init(&w, 2, NULL);
	a = dgram_socket(&w.host[0]);
	b = dgram_bound(&w.host[0], 99);
	CU_ASSERT_EQUAL(dgram_ask(&w.host[0], SOCK_CALL_DGRAM_CONNECT, a, &peer, 7), 0);
	dgram_says(&w.host[0], a, &peer, 7, "is anybody there?", 17);
	dgram_says(&w.host[0], b, &peer, 7, "is anybody there?", 17);
	world_run(&w, MS(10));
	CU_ASSERT_EQUAL(world_fate(&w, 1, DROP_UDP_NOBODY), 2);
	word = atomic_load(&a->dgram_error);
	CU_ASSERT_EQUAL(word, 1u << 16 | E_REFUSED);
	CU_ASSERT_EQUAL(atomic_load(&b->dgram_error), 0);
	CU_ASSERT_TRUE(host_news(&w.host[0], a));
	world_fini(&w);
}

static void
test_refusals_come_over_v6(void)
{
	struct world w;
	struct sock *a;

	world_init(&w, 2, world_v6);
	a = dgram_socket(&w.host[0]);
	CU_ASSERT_EQUAL(dgram_ask(&w.host[0], SOCK_CALL_DGRAM_CONNECT, a, &w.host[1].ip, 7), 0);
	dgram_says(&w.host[0], a, &w.host[1].ip, 7, "is anybody there?", 17);
	world_run(&w, MS(10));
	CU_ASSERT_EQUAL(world_fate(&w, 1, DROP_UDP_NOBODY), 1);
	CU_ASSERT_EQUAL(atomic_load(&a->dgram_error), 1u << 16 | E_REFUSED);
	world_fini(&w);
}

static void
test_chosen_ports_cannot_be_guessed(void)
{
	struct ip_addr peer = host_ip(1);
	struct world w;
	uint16_t last = 0;
	unsigned near = 0;

	world_init(&w, 1, NULL);
	for (unsigned i = 0; i < 200; i++) {
		struct sock *s = dgram_socket(&w.host[0]);

		CU_ASSERT_EQUAL_FATAL(dgram_ask(&w.host[0], SOCK_CALL_DGRAM_OPEN, s, &peer, 53), 0);
		near += (uint16_t)(s->name.lport - last + 100) < 200;
		last = s->name.lport;
		CU_ASSERT_TRUE(last >= 32768 && last <= 60999);
		if (i % 2)
			host_close(&w.host[0], s);
	}
	CU_ASSERT_TRUE(near < 10);
	world_fini(&w);
}

static void
test_a_broadcast_reaches_everybody(void)
{
	static const uint32_t to[] = { 0xffffffff, 0x0a0000ff };
	struct craft_way way;
	struct world w;
	struct sock *a, *b, *c;
	struct ip_addr own = host_ip(0);
	uint8_t f[CRAFT_MAX];

	world_init(&w, 1, NULL);
	a = dgram_socket(&w.host[0]);
	b = dgram_socket(&w.host[0]);
	c = dgram_socket(&w.host[0]);
	atomic_store(&a->opt_bits, SOCK_OPT_REUSEADDR);
	atomic_store(&b->opt_bits, SOCK_OPT_REUSEADDR);
	atomic_store(&c->opt_bits, SOCK_OPT_REUSEADDR);
	(void)dgram_ask(&w.host[0], SOCK_CALL_BIND, a, &IP_ANY, 68);
	(void)dgram_ask(&w.host[0], SOCK_CALL_BIND, b, &IP_ANY, 68);
	(void)dgram_ask(&w.host[0], SOCK_CALL_BIND, c, &own, 68);
	for (unsigned i = 0; i < array_len(to); i++) {
		way = world_way(&w, 0);
		way.dst = ip_addr_v4(to[i]);
		memset(way.dmac.b, 0xff, 6);
		world_frame(&w, 0, f, craft_udp(f, &way, 67, 68, "all", 3));
		expect(&w, a, "all");
		expect(&w, b, "all");
		expect(&w, c, NULL);
		world_frame(&w, 0, f, craft_udp(f, &way, 67, 69, "nobody", 6));
	}
	/* To one of us, but by the link's broadcast: not for us (RFC 1122 3.3.6). */
	way.dst = own;
	world_frame(&w, 0, f, craft_udp(f, &way, 67, 68, "no", 2));
	expect(&w, c, NULL);
	CU_ASSERT_EQUAL(world_skips(&w, 0), 0);
	world_fini(&w);
}

/* ------------------------------------------------------------- many cores -- */

static void
inject(struct town *t, unsigned queue, uint16_t sport, uint16_t dport, const char *text)
{
	struct craft_way way = { .src = host_ip(1), .dst = host_ip(0) };
	uint8_t f[CRAFT_MAX];

	net_mac(1, way.smac.b);
	net_mac(0, way.dmac.b);
	CU_ASSERT_TRUE(io_mem_inject(t->wire, 1, queue, net_now(t->clock), f,
	                             craft_udp(f, &way, sport, dport, text,
	                                       (uint32_t)strlen(text))));
}

/* Only one of four cores has the port; what comes by any queue reaches it. */
static void
play_any_queue(unsigned per)
{
	static struct town t;
	struct sock *s;
	char got[100];

	memset(&t, 0, sizeof t);
	t.per = per;
	town_open_random(&t, 4, 4);
	town_run(&t, SEC(1));
	s = dgram_bound(&t.side[0].core[2], 53);
	for (uint16_t i = 0; i < 40; i++) {
		inject(&t, i % 4, (uint16_t)(1000 + i), 53, "hello");
		town_run(&t, US(100));
	}
	town_run(&t, MS(1));
	for (unsigned i = 0; i < 40; i++)
		CU_ASSERT_EQUAL(dgram_hears(&t.side[0].core[2], s, got, NULL), 5);
	CU_ASSERT_EQUAL(town_fates(&t, 0, IN_UDP), 40);
	CU_ASSERT_EQUAL(town_fates(&t, 0, DROP_UDP_NOBODY), 0);
	host_close(&t.side[0].core[2], s);
	town_run(&t, MS(1));
	inject(&t, 0, 1, 53, "gone");
	town_run(&t, MS(1));
	CU_ASSERT_EQUAL(town_fates(&t, 0, DROP_UDP_NOBODY), 1);
	town_close(&t);
}

static void
test_a_datagram_finds_its_core(void)
{
	play_any_queue(0);
}

static void
test_a_datagram_finds_its_process(void)
{
	play_any_queue(2);
}

/* Ports that were chosen for a destination are at home here, however its replies arrive. */
static void
test_replies_find_who_asked(void)
{
	static struct town t;
	struct ip_addr peer = host_ip(1);
	struct sock *s[32];
	char got[100];

	memset(&t, 0, sizeof t);
	town_open_random(&t, 4, 4);
	town_run(&t, SEC(1));
	for (unsigned i = 0; i < 32; i++) {
		struct host *h = &t.side[0].core[i % 4];
		struct tcp_tuple name;

		s[i] = dgram_socket(h);
		CU_ASSERT_EQUAL(dgram_ask(h, i & 4 ? SOCK_CALL_DGRAM_OPEN : SOCK_CALL_DGRAM_CONNECT,
		                          s[i], &peer, 53), 0);
		name = s[i]->name;
		if (!(i & 4)) {
			CU_ASSERT_EQUAL(steer_home(h->st, 0, &name), i % 4);
			CU_ASSERT_FALSE(atomic_load(&t.side[0].hall->seat[i % 4]
			                                .dgrams[name.lport / 64]) >>
			                        name.lport % 64 & 1);
		}
		inject(&t, i / 4 % 4, 53, name.lport, "answer");
	}
	town_run(&t, MS(2));
	for (unsigned i = 0; i < 32; i++)
		CU_ASSERT_EQUAL(dgram_hears(&t.side[0].core[i % 4], s[i], got, NULL), 6);
	CU_ASSERT_EQUAL(town_fates(&t, 0, IN_UDP), 32);
	town_close(&t);
}

/* What ICMP says on one core of a datagram that left by another. */
static void
test_errors_find_who_asked(void)
{
	static struct town t;
	struct ip_addr peer = host_ip(1);
	struct sock *s[8];

	memset(&t, 0, sizeof t);
	town_open_random(&t, 4, 4);
	town_run(&t, SEC(1));
	for (unsigned i = 0; i < 8; i++) {
		struct host *h = &t.side[0].core[i % 4];

		s[i] = i < 4 ? dgram_socket(h) : dgram_bound(h, (uint16_t)(5000 + i));
		CU_ASSERT_EQUAL(dgram_ask(h, SOCK_CALL_DGRAM_CONNECT, s[i], &peer, 9), 0);
		dgram_says(h, s[i], &peer, 9, "discard", 7);
	}
	town_run(&t, MS(50));
	for (unsigned i = 0; i < 8; i++)
		CU_ASSERT_EQUAL(atomic_load(&s[i]->dgram_error), 1u << 16 | E_REFUSED);
	town_close(&t);
}

void
suite_udp(void)
{
	CU_pSuite s = CU_add_suite("core/udp", NULL, NULL);

	CU_add_test(s, "a datagram reaches its port (RFC 768 1/header)", test_a_datagram_reaches_its_port);
	CU_add_test(s, "the senders of nobody's datagrams are told (RFC 1122 4.1.3.1)",
	            test_nobodys_datagrams_are_told);
	CU_add_test(s, "wrong datagrams are dropped in silence (RFC 768 1/checksum; RFC 1122 4.1.3.4)",
	            test_wrong_datagrams_are_dropped_in_silence);
	CU_add_test(s, "the nearest socket has it", test_the_nearest_socket_has_it);
	CU_add_test(s, "a port is had once, unless it is shared",
	            test_a_port_is_had_once_unless_shared);
	CU_add_test(s, "a full socket drops and counts (attack: datagram flood)",
	            test_a_full_socket_drops_and_counts);
	CU_add_test(s, "errors reach the connected (RFC 1122 4.1.3.3; RFC 8085 5.2)",
	            test_errors_reach_the_connected);
	CU_add_test(s, "refusals come over IPv6, too (RFC 4443 3.1)", test_refusals_come_over_v6);
	CU_add_test(s, "chosen ports cannot be guessed (RFC 6056 3.3.1; RFC 8085 5.1)",
	            test_chosen_ports_cannot_be_guessed);
	CU_add_test(s, "a broadcast reaches everybody (RFC 1122 3.3.6)",
	            test_a_broadcast_reaches_everybody);
	CU_add_test(s, "a datagram finds its core", test_a_datagram_finds_its_core);
	CU_add_test(s, "a datagram finds its process", test_a_datagram_finds_its_process);
	CU_add_test(s, "replies find who asked", test_replies_find_who_asked);
	CU_add_test(s, "errors find who asked", test_errors_find_who_asked);
}
