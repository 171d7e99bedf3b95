/* SPDX-License-Identifier: BSD-3-Clause */
/* Segments that belong to nobody, to a half-open connection, to a TIME-WAIT record, or that an
 * ICMP error speaks of. */
#include <CUnit/CUnit.h>

#include "test/core/world.h"

void suite_segment(void);

static void
expect_silence(struct world *w, const struct tcp_seg *s, enum fate fate)
{
	uint64_t before = world_fate(w, 0, fate);

	world_say(w, 0, s);
	CU_ASSERT_EQUAL(world_fate(w, 0, fate), before + 1);
	CU_ASSERT_EQUAL(world_skips(w, 0), 0);
}

/* ------------------------------------------------------- of no connection -- */

/* RFC 9293 3.10.7.1: with an ACK the reset takes its number from there. */
static void
test_a_reset_for_an_ack_stands_where_it_points(void)
{
	static const uint8_t kinds[] = {
		TCP_ACK, TCP_ACK | TCP_PSH, TCP_SYN | TCP_ACK, TCP_FIN | TCP_ACK, TCP_ACK | TCP_URG,
	};
	struct world w;
	struct tcp_seg s;

	world_init(&w, 1, NULL);
	for (unsigned i = 0; i < array_len(kinds); i++) {
		world_say(&w, 0, &(struct tcp_seg){ .seq = { 100 }, .ack = { 0xfffffff0 },
		                                    .flags = kinds[i], .sport = 5, .dport = 6,
		                                    .len = i });
		CU_ASSERT_TRUE_FATAL(world_hears(&w, 0, &s));
		CU_ASSERT_EQUAL(s.flags, TCP_RST);
		CU_ASSERT_EQUAL(s.seq.v, 0xfffffff0);
		CU_ASSERT_TRUE(s.sport == 6 && s.dport == 5 && s.len == 0 && s.opts == 0);
		CU_ASSERT_EQUAL(world_skips(&w, 0), 0);
	}
	CU_ASSERT_EQUAL(world_fate(&w, 0, DROP_NO_CONN), array_len(kinds));
	world_fini(&w);
}

/* Without one it acknowledges everything, SYN and FIN included. */
static void
test_a_reset_without_an_ack_acknowledges_all(void)
{
	static const struct { uint8_t flags; uint32_t len, ack; } kinds[] = {
		{ TCP_SYN, 0, 1 }, { TCP_SYN, 10, 11 }, { TCP_FIN, 0, 1 }, { TCP_SYN | TCP_FIN, 3, 5 },
		{ 0, 0, 0 }, { TCP_PSH, 20, 20 },
	};
	struct world w;
	struct tcp_seg s;

	world_init(&w, 1, NULL);
	for (unsigned i = 0; i < array_len(kinds); i++) {
		world_say(&w, 0, &(struct tcp_seg){ .seq = { UINT32_MAX }, .flags = kinds[i].flags,
		                                    .sport = 5, .dport = 6, .len = kinds[i].len });
		CU_ASSERT_TRUE_FATAL(world_hears(&w, 0, &s));
		CU_ASSERT_EQUAL(s.flags, TCP_RST | TCP_ACK);
		CU_ASSERT_EQUAL(s.seq.v, 0);
		CU_ASSERT_EQUAL(s.ack.v, UINT32_MAX + kinds[i].ack);
	}
	world_fini(&w);
}

static void
test_a_reset_is_never_answered(void)
{
	struct world w;
	struct call k;

	world_init(&w, 1, NULL);
	(void)world_listen(&w, 0, WORLD_PORT, 5);
	for (unsigned flags = 0; flags < 256; flags++) {
		struct tcp_seg s = { .seq = { 1 }, .ack = { 2 }, .flags = (uint8_t)flags | TCP_RST,
			             .sport = 5, .dport = 6, .len = flags % 3 };

		expect_silence(&w, &s, DROP_NO_CONN_RST);
		s.dport = WORLD_PORT;
		expect_silence(&w, &s, DROP_NO_CONN_RST);
	}
	CU_ASSERT_TRUE(world_calls(&w, 0, 1, WORLD_PORT, &k));
	world_fini(&w);
}

/* RFC 9293 3.10.7.2. */
static void
test_a_listener_wants_a_syn_and_nothing_else(void)
{
	struct world w;
	struct tcp_seg s;

	world_init(&w, 1, NULL);
	(void)world_listen(&w, 0, WORLD_PORT, 5);
	for (unsigned flags = TCP_ACK; flags < 256; flags++) {
		if (!(flags & TCP_ACK) || (flags & TCP_RST))
			continue;
		world_say(&w, 0, &(struct tcp_seg){ .ack = { 9 }, .flags = (uint8_t)flags, .sport = 5,
		                                    .dport = WORLD_PORT });
		CU_ASSERT_TRUE(world_hears(&w, 0, &s) && s.flags == TCP_RST && s.seq.v == 9);
	}
	expect_silence(&w, &(struct tcp_seg){ .sport = 5, .dport = WORLD_PORT }, DROP_LISTEN);
	expect_silence(&w, &(struct tcp_seg){ .flags = TCP_FIN, .sport = 5, .dport = WORLD_PORT },
	               DROP_LISTEN);
	expect_silence(&w, &(struct tcp_seg){ .flags = TCP_SYN | TCP_FIN, .sport = 5,
	                                      .dport = WORLD_PORT }, DROP_LISTEN);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->half_opens.used, 0);
	world_fini(&w);
}

/* The reset goes back to the link address the segment came from; nobody is asked for the way. */
static void
test_a_reset_goes_back_the_way_it_came(void)
{
	struct world w;
	struct craft_way way, back;
	const struct world_frame *r;
	struct tcp_seg knock = { .flags = TCP_SYN, .sport = 5, .dport = 6 }, s;
	uint8_t f[CRAFT_MAX];

	world_init(&w, 1, NULL);
	way = world_way(&w, 0);
	way.src = ip_addr_v4(0x0a000077);
	way.smac = (struct mac_addr){ { 2, 7, 7, 7, 7, 7 } };
	world_frame(&w, 0, f, craft_tcp(f, &way, &knock, NULL));
	r = world_next(&w, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	CU_ASSERT_TRUE(craft_parse_tcp(r->data, r->len, &back, &s));
	CU_ASSERT_TRUE(mac_eq(&back.dmac, &way.smac) && ip_addr_eq(&back.dst, &way.src));
	CU_ASSERT_TRUE(ip_addr_eq(&back.src, &way.dst));
	CU_ASSERT_EQUAL(world_skips(&w, 0), 0);
	world_fini(&w);
}

/* ------------------------------------------------------------ half-open -- */

/* The stranger's SYN; false: no proper answer. */
static bool
half_open(struct world *w, struct call *k)
{
	struct tcp_seg s;

	*k = (struct call){ 5, WORLD_PORT, { 1000 }, { 0 } };
	world_say(w, 0, &(struct tcp_seg){ .seq = k->snd, .flags = TCP_SYN, .sport = k->sport,
	                                   .dport = k->dport, .wnd = 1000 });
	k->snd = seq_add(k->snd, 1);
	if (!world_hears(w, 0, &s) || s.flags != (TCP_SYN | TCP_ACK))
		return false;
	k->rcv = seq_add(s.seq, 1);
	return true;
}

static void
test_a_repeated_syn_gets_the_same_answer(void)
{
	struct world w;
	struct call a, b;

	world_init(&w, 1, NULL);
	(void)world_listen(&w, 0, WORLD_PORT, 5);
	CU_ASSERT_TRUE(half_open(&w, &a));
	world_run(&w, MS(100));
	CU_ASSERT_TRUE(half_open(&w, &b));
	CU_ASSERT_TRUE(seq_eq(a.rcv, b.rcv));
	CU_ASSERT_EQUAL(world_fate(&w, 0, SYN_AGAIN), 1);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->half_opens.used, 1);
	world_fini(&w);
}

/* RFC 9293 3.10.7.4, fifth: an ACK of something else is reset, and the right one still counts. */
static void
test_a_wrong_ack_of_a_syn_ack_is_reset(void)
{
	struct world w;
	struct call k, wrong;
	struct tcp_seg s;
	struct sock *l;

	world_init(&w, 1, NULL);
	l = world_listen(&w, 0, WORLD_PORT, 5);
	CU_ASSERT_TRUE(half_open(&w, &k));
	wrong = k;
	wrong.rcv = seq_add(k.rcv, 1);
	world_tells(&w, 0, &wrong, TCP_ACK, 0);
	CU_ASSERT_TRUE(world_hears(&w, 0, &s) && s.flags == TCP_RST && seq_eq(s.seq, wrong.rcv));
	CU_ASSERT_PTR_NULL(host_accept(&w.host[0], l));
	world_tells(&w, 0, &k, TCP_ACK, 0);
	CU_ASSERT_PTR_NOT_NULL(host_accept(&w.host[0], l));
	world_fini(&w);
}

/* RFC 9293 MUST-11: back to LISTEN, and the application never hears of it. */
static void
test_a_reset_ends_a_half_open_connection(void)
{
	struct world w;
	struct call k;
	struct sock *l;

	world_init(&w, 1, NULL);
	l = world_listen(&w, 0, WORLD_PORT, 5);
	CU_ASSERT_TRUE(half_open(&w, &k));
	k.snd = seq_add(k.snd, 1); /* in the window, but not exactly there: RFC 5961 3.2 */
	world_tells(&w, 0, &k, TCP_RST, 0);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->half_opens.used, 1);
	CU_ASSERT_EQUAL(world_skips(&w, 0), 1); /* the challenge */
	k.snd = seq_add(k.snd, UINT32_MAX);
	world_tells(&w, 0, &k, TCP_RST, 0);
	CU_ASSERT_EQUAL(world_fate(&w, 0, REQ_RESET), 1);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->half_opens.used, 0);
	CU_ASSERT_FALSE(host_news(&w.host[0], l));
	CU_ASSERT_EQUAL(world_skips(&w, 0), 0);
	world_fini(&w);
}

/* ------------------------------------------------------------ TIME-WAIT -- */

/* A call that the host ends first: it goes to TIME-WAIT. */
static void
hang_up(struct world *w, const struct sock *l, uint16_t sport, struct call *k)
{
	CU_ASSERT_TRUE_FATAL(world_calls(w, 0, sport, WORLD_PORT, k));
	host_close(&w->host[0], host_accept(&w->host[0], l));
	world_now(w);
	k->rcv = seq_add(k->rcv, 1);
	world_tells(w, 0, k, TCP_FIN | TCP_ACK, 0);
	(void)world_skips(w, 0);
}

/* One such call; the listener is socket 0. */
static bool
time_wait(struct world *w, struct call *k)
{
	hang_up(w, world_listen(w, 0, WORLD_PORT, 5), 77, k);
	return world_stack(w, 0)->tws.used == 1 && world_stack(w, 0)->conns.used == 0;
}

/* RFC 9293 3.10.7.4, eighth: the last ACK was lost; 2 MSL start again. */
static void
test_time_wait_acknowledges_the_fin_again(void)
{
	struct world w;
	struct call k, again;
	struct tcp_seg s;

	world_init(&w, 1, NULL);
	CU_ASSERT_TRUE_FATAL(time_wait(&w, &k));
	world_run(&w, SEC(50));
	again = k;
	again.snd = seq_add(k.snd, UINT32_MAX);
	world_tells(&w, 0, &again, TCP_FIN | TCP_ACK, 0);
	CU_ASSERT_TRUE(world_hears(&w, 0, &s) && s.flags == TCP_ACK);
	CU_ASSERT_TRUE(seq_eq(s.ack, k.snd) && seq_eq(s.seq, k.rcv));
	CU_ASSERT_EQUAL(world_fate(&w, 0, TW_ACKED), 1);
	world_run(&w, SEC(59));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->tws.used, 1);
	world_run(&w, SEC(2));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->tws.used, 0);
	again.snd = seq_add(k.snd, UINT32_MAX);
	world_tells(&w, 0, &again, TCP_FIN | TCP_ACK, 0);
	CU_ASSERT_TRUE(world_hears(&w, 0, &s) && s.flags == TCP_RST);
	world_fini(&w);
}

static void
rfc1337(struct stack_cfg *cfg, unsigned who)
{
	(void)who;
	cfg->tcp.rfc1337 = true;
}

/* RFC 1337: neither a reset nor an old ACK ends TIME-WAIT, nor is there an answer. */
static void
test_time_wait_ignores_resets_and_acks(void)
{
	struct world w;
	struct call k;

	world_init(&w, 1, rfc1337);
	CU_ASSERT_TRUE_FATAL(time_wait(&w, &k));
	world_tells(&w, 0, &k, TCP_RST, 0);
	world_tells(&w, 0, &k, TCP_RST | TCP_ACK, 0);
	world_tells(&w, 0, &k, TCP_ACK, 0);
	CU_ASSERT_EQUAL(world_fate(&w, 0, TW_IGNORED), 3);
	CU_ASSERT_EQUAL(world_skips(&w, 0), 0);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->tws.used, 1);
	world_fini(&w);
}

/* A peer that was restarted answers our ACK like this, and wants to connect again. */
static void
test_an_exact_reset_ends_time_wait(void)
{
	struct world w;
	struct call k;

	world_init(&w, 1, NULL);
	CU_ASSERT_TRUE_FATAL(time_wait(&w, &k));
	world_tells(&w, 0, &k, TCP_RST, 0);
	CU_ASSERT_EQUAL(world_fate(&w, 0, TW_RESET), 1);
	CU_ASSERT_EQUAL(world_skips(&w, 0), 0);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->tws.used, 0);
	world_fini(&w);
}

/* Only the FIN does that: old segments do not keep the record alive. */
static void
test_an_old_segment_does_not_prolong_time_wait(void)
{
	struct world w;
	struct call k, old, later;
	struct tcp_seg s;

	world_init(&w, 1, NULL);
	CU_ASSERT_TRUE_FATAL(time_wait(&w, &k));
	world_run(&w, SEC(50));
	hang_up(&w, w.host[0].ch->socks, 78, &later);
	old = k;
	old.snd = seq_add(k.snd, (uint32_t)-1000);
	world_tells(&w, 0, &old, TCP_ACK, 10);
	CU_ASSERT_TRUE(world_hears(&w, 0, &s) && s.flags == TCP_ACK && seq_eq(s.ack, k.snd));
	world_run(&w, SEC(11));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->tws.used, 1); /* the later one */
	world_fini(&w);
}

/* RFC 6191, RFC 9293 MAY-2: beyond everything the old connection said. */
static void
test_a_syn_opens_the_same_connection_again(void)
{
	struct world w;
	struct call k;
	struct tcp_seg s, syn;

	world_init(&w, 1, NULL);
	CU_ASSERT_TRUE_FATAL(time_wait(&w, &k));
	syn = (struct tcp_seg){ .seq = seq_add(k.snd, 50), .flags = TCP_SYN, .sport = k.sport,
		                .dport = k.dport, .wnd = 1000 };
	world_say(&w, 0, &syn);
	CU_ASSERT_EQUAL(world_fate(&w, 0, TW_REOPENED), 1);
	CU_ASSERT_TRUE_FATAL(world_hears(&w, 0, &s));
	CU_ASSERT_EQUAL(s.flags, TCP_SYN | TCP_ACK);
	CU_ASSERT_TRUE(seq_lt(seq_add(k.rcv, 65535), s.seq));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->tws.used, 0);
	k = (struct call){ k.sport, k.dport, seq_add(syn.seq, 1), seq_add(s.seq, 1) };
	world_tells(&w, 0, &k, TCP_ACK, 0);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->conns.used, 1);
	world_fini(&w);
}

/* A SYN that the listener has no room for leaves the record as it was. */
static void
test_a_syn_without_room_leaves_time_wait_alone(void)
{
	struct world w;
	struct call k, other;
	struct tcp_seg syn;

	world_init(&w, 1, NULL);
	CU_ASSERT_TRUE_FATAL(time_wait(&w, &k));
	syn = (struct tcp_seg){ .seq = seq_add(k.snd, 50), .flags = TCP_SYN, .sport = k.sport,
		                .dport = k.dport, .wnd = 1000 };
	CU_ASSERT_EQUAL(host_listen(&w.host[0], w.host[0].ch->socks, 1), 0);
	CU_ASSERT_TRUE(world_calls(&w, 0, 78, WORLD_PORT, &other));
	(void)world_skips(&w, 0);
	expect_silence(&w, &syn, DROP_BACKLOG);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->tws.used, 1);
	CU_ASSERT_PTR_NOT_NULL(host_accept(&w.host[0], w.host[0].ch->socks));
	world_say(&w, 0, &syn);
	CU_ASSERT_EQUAL(world_fate(&w, 0, TW_REOPENED), 1);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->tws.used, 0);
	world_fini(&w);
}

static void
test_an_old_syn_does_not(void)
{
	struct world w;
	struct call k;
	struct tcp_seg s;

	world_init(&w, 1, NULL);
	CU_ASSERT_TRUE_FATAL(time_wait(&w, &k));
	world_say(&w, 0, &(struct tcp_seg){ .seq = seq_add(k.snd, UINT32_MAX - 20),
	                                    .flags = TCP_SYN, .sport = k.sport,
	                                    .dport = k.dport });
	CU_ASSERT_TRUE(world_hears(&w, 0, &s) && s.flags == TCP_ACK && seq_eq(s.ack, k.snd));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->tws.used, 1);
	world_fini(&w);
}

/* RFC 9293 3.10.7.1: whom nobody listens for gets the answer of CLOSED; the record stays, since
 * a forged SYN shall not end it. */
static void
test_a_syn_for_no_listener_is_reset(void)
{
	struct world w;
	struct call k;
	struct tcp_seg s;
	struct sock *l;

	world_init(&w, 1, NULL);
	CU_ASSERT_TRUE_FATAL(time_wait(&w, &k));
	for (unsigned i = 0; i < w.host[0].ch->n_socks; i++) {
		l = &w.host[0].ch->socks[i];
		if (l->kind == SOCK_KIND_LISTENER)
			host_close(&w.host[0], l);
	}
	world_now(&w);
	world_say(&w, 0, &(struct tcp_seg){ .seq = seq_add(k.snd, 1000), .flags = TCP_SYN,
	                                    .sport = k.sport, .dport = k.dport });
	CU_ASSERT_TRUE(world_hears(&w, 0, &s) && s.flags == (TCP_RST | TCP_ACK));
	CU_ASSERT_TRUE(seq_eq(s.ack, seq_add(k.snd, 1001)));
	CU_ASSERT_EQUAL(world_fate(&w, 0, DROP_NO_CONN), 1);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->tws.used, 1);
	world_fini(&w);
}

/* ---------------------------------------------------------- connections -- */

#define GHOST_IP 0x0a00004du /* a host that never speaks ARP with this core */

static void
ghost_says(struct world *w, struct call *k, uint8_t flags, uint32_t len)
{
	static const uint8_t text[1460];
	struct tcp_seg s = { .seq = k->snd, .ack = k->rcv, .flags = flags, .sport = k->sport,
		             .dport = k->dport, .wnd = 65535, .len = len };
	struct craft_way way = world_way(w, 0);
	uint8_t f[CRAFT_MAX];

	way.src = ip_addr_v4(GHOST_IP);
	way.smac.b[5] = 0x4d;
	world_frame(w, 0, f, craft_tcp(f, &way, &s, text));
	k->snd = seq_add(k->snd, seg_space(&s));
}

/* RFC 4861 7.3.1: text that comes in order shows that our ACKs arrive, so a flow that only
 * receives keeps its neighbour, whoever hears the answers to ARP. */
static void
test_a_flow_that_only_receives_keeps_its_neighbour(void)
{
	struct call k = { 99, WORLD_PORT, { 700 }, { 0 } };
	struct world w;
	struct sock *l, *a;
	struct tcp_seg s;

	world_init(&w, 1, NULL);
	l = world_listen(&w, 0, WORLD_PORT, 5);
	ghost_says(&w, &k, TCP_SYN, 0);
	CU_ASSERT_TRUE_FATAL(world_hears(&w, 0, &s));
	k.rcv = seq_add(s.seq, 1);
	ghost_says(&w, &k, TCP_ACK, 0);
	a = host_accept(&w.host[0], l);
	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	for (unsigned i = 0; i < 60; i++) {
		world_run(&w, SEC(1));
		(void)world_skips(&w, 0);
		ghost_says(&w, &k, TCP_ACK | TCP_PSH, 100);
		world_run(&w, MS(300));
		CU_ASSERT_TRUE(world_hears(&w, 0, &s) && seq_eq(s.ack, k.snd));
		CU_ASSERT_EQUAL(world_read(&w, 0, a), 100);
	}
	/* Even one that was silent until its neighbour had been forgotten. */
	world_run(&w, SEC(200));
	ghost_says(&w, &k, TCP_ACK | TCP_PSH, 100);
	world_run(&w, SEC(20));
	(void)world_skips(&w, 0);
	ghost_says(&w, &k, TCP_ACK | TCP_PSH, 100);
	world_run(&w, MS(300));
	CU_ASSERT_TRUE(world_hears(&w, 0, &s) && seq_eq(s.ack, k.snd));
	world_fini(&w);
}

/* The ACK of the last FIN is no segment for nobody, although it ends the connection. */
static void
test_the_last_ack_is_accepted(void)
{
	struct world w;
	struct call k;
	struct sock *l;

	world_init(&w, 1, NULL);
	l = world_listen(&w, 0, WORLD_PORT, 5);
	CU_ASSERT_TRUE_FATAL(world_calls(&w, 0, 77, WORLD_PORT, &k));
	world_tells(&w, 0, &k, TCP_FIN | TCP_ACK, 0);
	host_close(&w.host[0], host_accept(&w.host[0], l));
	world_now(&w);
	(void)world_skips(&w, 0);
	k.rcv = seq_add(k.rcv, 1);
	world_tells(&w, 0, &k, TCP_ACK, 0);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->conns.used, 0);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->tws.used, 0);
	CU_ASSERT_EQUAL(world_fate(&w, 0, DROP_NO_CONN), 0);
	CU_ASSERT_EQUAL(world_skips(&w, 0), 0);
	world_fini(&w);
}

/* RFC 9293 3.10.7.3: an ACK of nothing we sent is reset, and the SYN goes on. */
static void
test_a_wrong_answer_to_a_syn_is_reset(void)
{
	struct world w;
	struct ip_addr peer = host_ip(WORLD_STRANGER);
	struct tcp_seg syn, s;
	struct sock *k;

	world_init(&w, 1, NULL);
	k = host_socket(&w.host[0]);
	host_connect(&w.host[0], k, &peer, 80);
	world_now(&w);
	CU_ASSERT_TRUE_FATAL(world_hears(&w, 0, &syn));
	s = (struct tcp_seg){ .seq = { 9 }, .ack = seq_add(syn.seq, 5), .flags = TCP_SYN | TCP_ACK,
		              .sport = 80, .dport = syn.sport, .wnd = 100 };
	world_say(&w, 0, &s);
	CU_ASSERT_TRUE(world_hears(&w, 0, &s) && s.flags == TCP_RST);
	CU_ASSERT_EQUAL(s.seq.v, syn.seq.v + 5);
	CU_ASSERT_FALSE(sock_facts(k) & (SOCK_CONNECTED | SOCK_ERROR));
	s = (struct tcp_seg){ .seq = { 9 }, .ack = seq_add(syn.seq, 1), .flags = TCP_SYN | TCP_ACK,
		              .sport = 80, .dport = syn.sport, .wnd = 100 };
	world_say(&w, 0, &s);
	CU_ASSERT_TRUE(sock_facts(k) & SOCK_CONNECTED);
	world_fini(&w);
}

/* ------------------------------------------------------------------ ICMP -- */

static void
icmp(struct world *w, const struct tcp_seg *quoted, uint8_t type, uint8_t code, uint32_t rest,
     seq_t seq)
{
	struct craft_way way = world_way(w, 0);
	struct ip_addr peer = way.src;
	uint8_t f[CRAFT_MAX];

	way.src = ip_addr_v4(0x0a000063); /* some router */
	world_frame(w, 0, f, craft_icmp_error(f, &way, type, code, rest, &peer, quoted->sport,
	                                      quoted->dport, seq));
}

/* RFC 5927 4.1: only a quote of what is in flight counts. */
static void
test_an_icmp_error_must_quote_what_is_in_flight(void)
{
	struct world w;
	struct ip_addr peer = host_ip(WORLD_STRANGER);
	struct tcp_seg syn;
	struct sock *k;

	world_init(&w, 1, NULL);
	k = host_socket(&w.host[0]);
	host_connect(&w.host[0], k, &peer, 80);
	world_now(&w);
	CU_ASSERT_TRUE_FATAL(world_hears(&w, 0, &syn));
	icmp(&w, &syn, ICMP4_UNREACHABLE, 3, 0, seq_add(syn.seq, 1));
	icmp(&w, &syn, ICMP4_UNREACHABLE, 3, 0, seq_add(syn.seq, UINT32_MAX));
	CU_ASSERT_EQUAL(world_fate(&w, 0, DROP_ICMP_QUOTE), 2);
	syn.sport++;
	icmp(&w, &syn, ICMP4_UNREACHABLE, 3, 0, syn.seq);
	CU_ASSERT_EQUAL(world_fate(&w, 0, DROP_ICMP_QUOTE), 3);
	CU_ASSERT_FALSE(sock_facts(k) & SOCK_ERROR);
	syn.sport--;
	icmp(&w, &syn, ICMP4_UNREACHABLE, 3, 0, syn.seq);
	CU_ASSERT_TRUE(sock_facts(k) & SOCK_ERROR);
	CU_ASSERT_EQUAL(k->err, TCP_E_REFUSED);
	CU_ASSERT_EQUAL(world_skips(&w, 0), 0);
	world_fini(&w);
}

static void
test_each_unreachable_code_has_its_error(void)
{
	static const struct { uint8_t code; int err; } codes[] = {
		{ 0, TCP_E_NETUNREACH }, { 1, TCP_E_HOSTUNREACH }, { 2, TCP_E_REFUSED },
		{ 3, TCP_E_REFUSED }, { 13, TCP_E_HOSTUNREACH },
	};
	struct world w;
	struct ip_addr peer = host_ip(WORLD_STRANGER);
	struct tcp_seg syn;
	struct sock *k;

	world_init(&w, 1, NULL);
	for (unsigned i = 0; i < array_len(codes); i++) {
		k = host_socket(&w.host[0]);
		host_connect(&w.host[0], k, &peer, 80);
		world_now(&w);
		CU_ASSERT_TRUE_FATAL(world_hears(&w, 0, &syn));
		icmp(&w, &syn, ICMP4_UNREACHABLE, codes[i].code, 0, syn.seq);
		CU_ASSERT_EQUAL(sock_facts(k), SOCK_ERROR | SOCK_OVER);
		CU_ASSERT_EQUAL(k->err, codes[i].err);
	}
	CU_ASSERT_EQUAL(world_stack(&w, 0)->conns.used, 0);
	world_fini(&w);
}

/* RFC 9293 MUST-56: what is established is not given up for an ICMP error. */
static void
test_an_established_connection_survives_icmp(void)
{
	struct world w;
	struct tcp_seg s;
	struct call k;
	struct sock *l, *a;
	uint32_t mss;

	world_init(&w, 1, NULL);
	l = world_listen(&w, 0, WORLD_PORT, 5);
	CU_ASSERT_TRUE_FATAL(world_calls(&w, 0, 77, WORLD_PORT, &k));
	a = host_accept(&w.host[0], l);
	CU_ASSERT_EQUAL(world_write(&w, 0, a, 3000), 3000);
	world_now(&w);
	CU_ASSERT_TRUE_FATAL(world_hears(&w, 0, &s));
	(void)world_skips(&w, 0);
	for (uint8_t code = 0; code < 16; code++)
		if (code != ICMP4_CODE_FRAG_NEEDED)
			icmp(&w, &s, ICMP4_UNREACHABLE, code, 0, s.seq);
	icmp(&w, &s, ICMP4_TIME_EXCEEDED, 0, 0, s.seq);
	icmp(&w, &s, ICMP4_PARAM_PROBLEM, 0, 0, s.seq);
	CU_ASSERT_EQUAL(sock_facts(a), SOCK_BORN | SOCK_CONNECTED);
	CU_ASSERT_EQUAL(world_skips(&w, 0), 0);
	mss = a->conn->mss;
	icmp(&w, &s, ICMP4_UNREACHABLE, ICMP4_CODE_FRAG_NEEDED, 9000, s.seq);
	CU_ASSERT_EQUAL(a->conn->mss, mss);
	icmp(&w, &s, ICMP4_UNREACHABLE, ICMP4_CODE_FRAG_NEEDED, 1000, seq_add(s.seq, 100000));
	CU_ASSERT_EQUAL(a->conn->mss, mss);
	/* RFC 1191: sent again at once, in pieces that fit. */
	icmp(&w, &s, ICMP4_UNREACHABLE, ICMP4_CODE_FRAG_NEEDED, 1000, s.seq);
	CU_ASSERT_EQUAL(a->conn->mss, 960);
	CU_ASSERT_TRUE(world_hears(&w, 0, &s) && s.len == 960 && seq_eq(s.seq, k.rcv));
	world_fini(&w);
}

void
suite_segment(void)
{
	CU_pSuite suite = CU_add_suite("core/segment", NULL, NULL);

	CU_add_test(suite, "a reset for an ACK stands where it points",
	            test_a_reset_for_an_ack_stands_where_it_points);
	CU_add_test(suite, "a reset without an ACK acknowledges all",
	            test_a_reset_without_an_ack_acknowledges_all);
	CU_add_test(suite, "a reset is never answered", test_a_reset_is_never_answered);
	CU_add_test(suite, "a listener wants a SYN and nothing else",
	            test_a_listener_wants_a_syn_and_nothing_else);
	CU_add_test(suite, "a reset goes back the way it came",
	            test_a_reset_goes_back_the_way_it_came);
	CU_add_test(suite, "a repeated SYN gets the same answer",
	            test_a_repeated_syn_gets_the_same_answer);
	CU_add_test(suite, "a wrong ACK of a SYN-ACK is reset",
	            test_a_wrong_ack_of_a_syn_ack_is_reset);
	CU_add_test(suite, "a reset ends a half-open connection (RFC 9293 MUST-11)",
	            test_a_reset_ends_a_half_open_connection);
	CU_add_test(suite, "TIME-WAIT acknowledges the FIN again",
	            test_time_wait_acknowledges_the_fin_again);
	CU_add_test(suite, "an exact reset ends TIME-WAIT (RFC 1337 2)",
	            test_an_exact_reset_ends_time_wait);
	CU_add_test(suite, "TIME-WAIT ignores resets and ACKs (RFC 1337)",
	            test_time_wait_ignores_resets_and_acks);
	CU_add_test(suite, "an old segment does not prolong TIME-WAIT",
	            test_an_old_segment_does_not_prolong_time_wait);
	CU_add_test(suite, "a SYN opens the same connection again (RFC 6191)",
	            test_a_syn_opens_the_same_connection_again);
	CU_add_test(suite, "a SYN without room leaves TIME-WAIT alone",
	            test_a_syn_without_room_leaves_time_wait_alone);
	CU_add_test(suite, "an old SYN does not", test_an_old_syn_does_not);
	CU_add_test(suite, "a SYN for no listener is reset, as in CLOSED",
	            test_a_syn_for_no_listener_is_reset);
	CU_add_test(suite, "a flow that only receives keeps its neighbour (RFC 4861 7.3.1)",
	            test_a_flow_that_only_receives_keeps_its_neighbour);
	CU_add_test(suite, "the last ACK is accepted", test_the_last_ack_is_accepted);
	CU_add_test(suite, "a wrong answer to a SYN is reset",
	            test_a_wrong_answer_to_a_syn_is_reset);
	CU_add_test(suite, "an ICMP error must quote what is in flight (RFC 5927 4.1; RFC 9293 "
	            "MUST-54)",
	            test_an_icmp_error_must_quote_what_is_in_flight);
	CU_add_test(suite, "each unreachable code has its error (RFC 9293 SHLD-25, SHLD-26)",
	            test_each_unreachable_code_has_its_error);
	CU_add_test(suite, "an established connection survives ICMP (RFC 9293 MUST-56)",
	            test_an_established_connection_survives_icmp);
}
