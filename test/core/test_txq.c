/* SPDX-License-Identifier: BSD-3-Clause */
/* Who may send in a step, and what an engine that is full leaves behind. */
#include <CUnit/CUnit.h>

#include "test/core/world.h"

void suite_txq(void);

/* An engine in front of the network's that takes only so much. */
struct valve {
	struct io io;
	struct io *inner;
	struct io_ops ops;
	unsigned room; /* frames it still takes     */
	bool dry;      /* it has no empty packets   */
};

static struct valve *
valve_of(struct io *io)
{
	return container_of(io, struct valve, io);
}

static unsigned
valve_rx(struct io *io, int64_t now, struct io_pkt *pkts, unsigned n)
{
	return io_rx(valve_of(io)->inner, now, pkts, n);
}

static void
valve_release(struct io *io, struct io_pkt *pkts, unsigned n)
{
	io_release(valve_of(io)->inner, pkts, n);
}

static unsigned
valve_alloc(struct io *io, struct io_pkt *pkts, unsigned n)
{
	return valve_of(io)->dry ? 0 : io_alloc(valve_of(io)->inner, pkts, n);
}

static unsigned
valve_tx(struct io *io, int64_t now, struct io_pkt *pkts, unsigned n)
{
	struct valve *v = valve_of(io);
	unsigned sent = n ? io_tx(v->inner, now, pkts, min(n, v->room)) : 0;

	v->room -= sent;
	return sent;
}

static void
valve_open(struct valve *v, struct world *w)
{
	v->inner = world_stack(w, 0)->port[0].io;
	v->ops = (struct io_ops){ .name = "valve", .rx = valve_rx, .release = valve_release,
		                  .alloc = valve_alloc, .tx = valve_tx };
	v->io.ops = &v->ops;
	v->room = UINT32_MAX;
	v->dry = false;
	world_stack(w, 0)->port[0].io = &v->io;
}

static void
cfg_quotas(struct stack_cfg *cfg, unsigned who)
{
	(void)who;
	cfg->tx_control = 4;
	cfg->tx_ack = 3;
	cfg->tx_data = 2;
	cfg->tcp.initial_cwnd = 40;
}

/* Accepted calls of the stranger. */
static void
accept_calls(struct world *w, struct call *k, struct sock **a, unsigned n)
{
	struct sock *l = world_listen(w, 0, WORLD_PORT, (int)n);

	for (unsigned i = 0; i < n; i++) {
		CU_ASSERT_TRUE_FATAL(world_calls(w, 0, (uint16_t)(100 + i), WORLD_PORT, &k[i]));
		a[i] = host_accept(&w->host[0], l);
		CU_ASSERT_PTR_NOT_NULL_FATAL(a[i]);
	}
	(void)world_skips(w, 0);
}

static bool
wants_another_step(const struct world *w)
{
	return w->host[0].deadline <= net_now(w->net);
}

/* ---------------------------------------------------------------- quotas -- */

static void
test_control_has_a_quota(void)
{
	struct world w;
	struct ip_addr peer = host_ip(WORLD_STRANGER);

	world_init(&w, 1, cfg_quotas);
	for (unsigned i = 0; i < 10; i++)
		host_connect(&w.host[0], host_socket(&w.host[0]), &peer, 80);
	for (unsigned left = 10; left > 0; left -= min(left, 4u)) {
		world_step(&w, 0);
		CU_ASSERT_EQUAL(world_skips(&w, 0), min(left, 4u));
		CU_ASSERT_EQUAL(wants_another_step(&w), left > 4);
	}
	world_step(&w, 0);
	CU_ASSERT_EQUAL(world_skips(&w, 0), 0);
	world_fini(&w);
}

static void
test_syn_acks_have_a_quota(void)
{
	struct world w;

	world_init(&w, 1, cfg_quotas);
	(void)world_listen(&w, 0, WORLD_PORT, 50);
	for (uint16_t i = 0; i < 10; i++)
		world_drop_in(&w, 0, &(struct tcp_seg){ .flags = TCP_SYN, .sport = i,
		                                        .dport = WORLD_PORT });
	for (unsigned left = 10; left > 0; left -= min(left, 4u)) {
		world_step(&w, 0);
		CU_ASSERT_EQUAL(world_skips(&w, 0), min(left, 4u));
	}
	world_fini(&w);
}

/* However often a SYN comes before its answer has left, there is one. */
static void
test_a_repeated_syn_queues_one_syn_ack(void)
{
	struct world w;

	world_init(&w, 1, cfg_quotas);
	(void)world_listen(&w, 0, WORLD_PORT, 50);
	for (unsigned i = 0; i < 3; i++)
		world_drop_in(&w, 0, &(struct tcp_seg){ .flags = TCP_SYN, .sport = 5,
		                                        .dport = WORLD_PORT });
	world_now(&w);
	CU_ASSERT_EQUAL(world_fate(&w, 0, SYN_AGAIN), 2);
	CU_ASSERT_EQUAL(world_skips(&w, 0), 1);
	world_fini(&w);
}

static void
test_acks_have_a_quota(void)
{
	struct world w;
	struct call k[10];
	struct sock *a[10];

	world_init(&w, 1, cfg_quotas);
	accept_calls(&w, k, a, 10);
	for (unsigned i = 0; i < 10; i++)
		world_drop_in(&w, 0, &(struct tcp_seg){ .seq = k[i].snd, .ack = k[i].rcv,
		                                        .flags = TCP_ACK, .sport = k[i].sport,
		                                        .dport = WORLD_PORT, .wnd = 65535,
		                                        .len = 536 });
	for (unsigned left = 10; left > 0; left -= min(left, 3u)) {
		world_step(&w, 0);
		CU_ASSERT_EQUAL(world_skips(&w, 0), min(left, 3u));
	}
	world_fini(&w);
}

static void
ask(struct world *w, const struct call *k, uint32_t len)
{
	world_drop_in(w, 0, &(struct tcp_seg){ .seq = k->snd, .ack = k->rcv, .flags = TCP_ACK,
	                                       .sport = k->sport, .dport = WORLD_PORT,
	                                       .wnd = 65535, .len = len });
}

/* The answer to a small segment carries its ACK, if it comes in time; the ACK of a full one,
 * behind which others come, waits for nothing. */
static void
test_an_ack_waits_for_the_applications_turn(void)
{
	struct world w;
	struct call k[3];
	struct sock *a[3];
	struct tcp_seg s;

	world_init(&w, 1, NULL);
	accept_calls(&w, k, a, 3);
	ask(&w, &k[0], 10);
	ask(&w, &k[1], 10);
	ask(&w, &k[2], 536);
	world_step(&w, 0);
	CU_ASSERT_TRUE(world_hears(&w, 0, &s) && s.dport == k[2].sport);
	CU_ASSERT_EQUAL(s.ack.v, k[2].snd.v + 536);
	CU_ASSERT_FALSE(world_hears(&w, 0, &s));
	CU_ASSERT_EQUAL(world_write(&w, 0, a[0], 100), 100);
	world_step(&w, 0);
	CU_ASSERT_TRUE(world_hears(&w, 0, &s) && s.dport == k[0].sport);
	CU_ASSERT_EQUAL(s.ack.v, k[0].snd.v + 10);
	CU_ASSERT_EQUAL(s.len, 100);
	CU_ASSERT_FALSE(world_hears(&w, 0, &s));
	CU_ASSERT_EQUAL(w.host[0].deadline, net_now(w.net) + US(50));
	world_run(&w, US(50));
	CU_ASSERT_TRUE(world_hears(&w, 0, &s) && s.dport == k[1].sport && s.len == 0);
	CU_ASSERT_EQUAL(s.ack.v, k[1].snd.v + 10);
	CU_ASSERT_FALSE(world_hears(&w, 0, &s));
	world_fini(&w);
}

/* Who sends more before it has heard of the first waits no longer. */
static void
test_an_ack_waits_for_no_second_segment(void)
{
	struct world w;
	struct call k;
	struct sock *a;
	struct tcp_seg s;

	world_init(&w, 1, NULL);
	accept_calls(&w, &k, &a, 1);
	ask(&w, &k, 10);
	world_step(&w, 0);
	CU_ASSERT_FALSE(world_hears(&w, 0, &s));
	k.snd = seq_add(k.snd, 10);
	ask(&w, &k, 10);
	world_step(&w, 0);
	CU_ASSERT_TRUE(world_hears(&w, 0, &s));
	world_fini(&w);
}

/* Or where data takes all the room there is it would never leave: it is behind what was made while
 * it waited, one burst, and no more. */
static void
test_an_ack_that_has_waited_comes_before_data(void)
{
	struct world w;
	struct valve v;
	struct call k[5];
	struct sock *a[5];
	struct tcp_seg s;
	unsigned before = 0;
	bool acked = false;

	world_init(&w, 1, NULL);
	accept_calls(&w, k, a, 5);
	valve_open(&v, &w);
	v.room = 0;
	ask(&w, &k[0], 10);
	world_step(&w, 0);
	for (unsigned i = 1; i < 5; i++)
		CU_ASSERT_EQUAL(world_write(&w, 0, a[i], 14600), 14600);
	world_run(&w, US(60));
	for (unsigned i = 0; i < 40 && !acked; i++) {
		v.room = 1;
		world_run(&w, US(60));
		if (world_hears(&w, 0, &s)) {
			acked = s.dport == k[0].sport;
			before += !acked;
		}
	}
	CU_ASSERT_TRUE(acked && s.len == 0);
	CU_ASSERT_TRUE(before <= IO_BURST);
	v.room = UINT32_MAX;
	world_fini(&w);
}

/* Two segments a step, and each connection's turn comes. */
static void
test_data_has_a_quota_and_goes_round(void)
{
	struct world w;
	struct call k[3];
	struct sock *a[3];
	struct tcp_seg s;

	world_init(&w, 1, cfg_quotas);
	accept_calls(&w, k, a, 3);
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(world_write(&w, 0, a[i], 4 * 1460), 4 * 1460);
	for (unsigned i = 0; i < 6; i++) {
		world_step(&w, 0);
		for (unsigned n = 0; n < 2; n++) {
			CU_ASSERT_TRUE(world_hears(&w, 0, &s));
			CU_ASSERT_EQUAL(s.dport, k[i % 3].sport);
			CU_ASSERT_EQUAL(s.len, 1460);
		}
		CU_ASSERT_FALSE(world_hears(&w, 0, &s));
	}
	world_fini(&w);
}

/* In one step: control first, then ACKs, then data, each its share. */
static void
test_control_comes_before_acks_before_data(void)
{
	struct world w;
	struct ip_addr peer = host_ip(WORLD_STRANGER);
	struct call k[2];
	struct sock *a[2];
	struct tcp_seg s;

	world_init(&w, 1, cfg_quotas);
	accept_calls(&w, k, a, 2);
	CU_ASSERT_EQUAL(world_write(&w, 0, a[0], 100), 100);
	world_drop_in(&w, 0, &(struct tcp_seg){ .seq = k[1].snd, .ack = k[1].rcv, .flags = TCP_ACK,
	                                        .sport = k[1].sport, .dport = WORLD_PORT,
	                                        .wnd = 65535, .len = 536 });
	for (unsigned i = 0; i < 8; i++) /* more than its quota */
		host_connect(&w.host[0], host_socket(&w.host[0]), &peer, 80);
	world_step(&w, 0);
	for (unsigned i = 0; i < 4; i++)
		CU_ASSERT_TRUE(world_hears(&w, 0, &s) && s.flags == TCP_SYN);
	CU_ASSERT_TRUE(world_hears(&w, 0, &s) && s.dport == k[1].sport && s.len == 0);
	CU_ASSERT_TRUE(world_hears(&w, 0, &s) && s.dport == k[0].sport && s.len == 100);
	CU_ASSERT_FALSE(world_hears(&w, 0, &s));
	world_fini(&w);
}

/* A segment's worth of text leaves when it is asked for, before who asks later in the same step. */
static void
test_little_text_waits_for_nobody_behind_it(void)
{
	struct world w;
	struct ip_addr peer = host_ip(WORLD_STRANGER);
	struct call k[1];
	struct sock *a[1];
	struct tcp_seg s;

	world_init(&w, 1, cfg_quotas);
	accept_calls(&w, k, a, 1);
	CU_ASSERT_EQUAL(world_write(&w, 0, a[0], 100), 100);
	host_connect(&w.host[0], host_socket(&w.host[0]), &peer, 80);
	world_step(&w, 0);
	CU_ASSERT_TRUE(world_hears(&w, 0, &s) && s.dport == k[0].sport && s.len == 100);
	CU_ASSERT_TRUE(world_hears(&w, 0, &s) && s.flags == TCP_SYN);
	CU_ASSERT_FALSE(world_hears(&w, 0, &s));
	world_fini(&w);
}

/* It counts as data does: the third finds the quota used up. */
static void
test_little_text_has_the_quota_of_data(void)
{
	struct world w;
	struct call k[3];
	struct sock *a[3];
	struct tcp_seg s;

	world_init(&w, 1, cfg_quotas);
	accept_calls(&w, k, a, 3);
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(world_write(&w, 0, a[i], 100), 100);
	world_step(&w, 0);
	for (unsigned i = 0; i < 2; i++)
		CU_ASSERT_TRUE(world_hears(&w, 0, &s) && s.dport == k[i].sport && s.len == 100);
	CU_ASSERT_FALSE(world_hears(&w, 0, &s));
	world_step(&w, 0);
	CU_ASSERT_TRUE(world_hears(&w, 0, &s) && s.dport == k[2].sport && s.len == 100);
	CU_ASSERT_FALSE(world_hears(&w, 0, &s));
	world_fini(&w);
}

/* Segments for nobody are answered from half of a small array: what finds no room is not
 * answered. */
static void
test_resets_for_nobody_are_bounded(void)
{
	struct world w;

	world_init(&w, 1, NULL);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < STACK_STRAYS; i++)
			world_drop_in(&w, 0, &(struct tcp_seg){ .flags = TCP_ACK, .sport = 5,
			                                        .dport = 6 });
		world_step(&w, 0);
		CU_ASSERT_EQUAL(world_skips(&w, 0), STACK_STRAYS / 2);
		CU_ASSERT_EQUAL(world_stack(&w, 0)->n_strays, 0);
	}
	CU_ASSERT_EQUAL(world_fate(&w, 0, DROP_NO_CONN), 3 * STACK_STRAYS);
	world_fini(&w);
}

/* -------------------------------------------------------------- the engine -- */

/* The text of one connection must arrive whole and in order. */
static void
expect_text(struct world *w, const struct call *k, unsigned n, uint32_t len)
{
	uint32_t got[8] = { 0 };
	struct tcp_seg s;

	while (world_hears(w, 0, &s)) {
		unsigned i = s.dport - 100u;

		if (s.len == 0)
			continue;
		CU_ASSERT_FATAL(i < n);
		CU_ASSERT_EQUAL(seq_sub(s.seq, k[i].rcv), got[i]);
		got[i] += s.len;
	}
	for (unsigned i = 0; i < n; i++)
		CU_ASSERT_EQUAL(got[i], len);
}

static void
test_a_full_engine_loses_nothing(void)
{
	struct world w;
	struct valve v;
	struct call k[8];
	struct sock *a[8];
	uint64_t steps;

	world_init(&w, 1, NULL);
	accept_calls(&w, k, a, 8);
	valve_open(&v, &w);
	v.room = 0;
	for (unsigned i = 0; i < 8; i++)
		CU_ASSERT_EQUAL(world_write(&w, 0, a[i], 10000), 10000);
	steps = w.host[0].steps;
	world_run(&w, MS(10));
	CU_ASSERT_EQUAL(world_skips(&w, 0), 0);
	CU_ASSERT_TRUE(w.host[0].steps - steps < 500); /* it asks again now and then */
	for (unsigned i = 0; i < 80; i++) {            /* a frame at a time          */
		v.room = 1;
		world_run(&w, MS(1));
	}
	v.room = UINT32_MAX;
	world_run(&w, MS(1));
	expect_text(&w, k, 8, 10000);
	CU_ASSERT_EQUAL(atomic_load(&stack_stats(world_stack(&w, 0))->retransmits), 0);
	world_fini(&w);
}

static void
test_an_engine_without_packets_is_waited_for(void)
{
	struct world w;
	struct valve v;
	struct call k[2];
	struct sock *a[2];
	uint64_t steps;

	world_init(&w, 1, NULL);
	accept_calls(&w, k, a, 2);
	valve_open(&v, &w);
	v.dry = true;
	for (unsigned i = 0; i < 2; i++) /* more than the packets it holds already */
		CU_ASSERT_EQUAL(world_write(&w, 0, a[i], 14000), 14000);
	for (unsigned i = 0; i < 2 * IO_BURST; i++)
		world_drop_in(&w, 0, &(struct tcp_seg){ .flags = TCP_ACK, .sport = 5, .dport = 6 });
	steps = w.host[0].steps;
	world_run(&w, MS(10));
	CU_ASSERT_TRUE(w.host[0].steps - steps < 500);
	v.dry = false;
	world_run(&w, MS(1));
	for (unsigned i = 0; i < w.n_log; i++) /* resets for nobody are not of interest */
		if (w.log[i].len == ETH_LEN + IP4_LEN + TCP_HDR_LEN)
			w.log[i].from = WORLD_STRANGER;
	expect_text(&w, k, 2, 14000);
	CU_ASSERT_EQUAL(atomic_load(&stack_stats(world_stack(&w, 0))->retransmits), 0);
	world_fini(&w);
}

/* The engine is full at the very end: what stays in the stack goes back to the engine. */
static void
test_a_stack_that_ends_gives_its_packets_back(void)
{
	struct world w;
	struct valve v;
	struct call k[1];
	struct sock *a[1];

	world_init(&w, 1, NULL);
	accept_calls(&w, k, a, 1);
	valve_open(&v, &w);
	v.room = 0;
	CU_ASSERT_EQUAL(world_write(&w, 0, a[0], 10000), 10000);
	world_run(&w, MS(1));
	CU_ASSERT_TRUE(net_held(w.net, 0) > 0);
	world_fini(&w); /* looks whether all are back */
}

/* -------------------------------------------------------- nobody waits -- */

static void
test_a_closed_window_delays_nobody(void)
{
	struct world w;
	struct call k[8];
	struct sock *a[8];
	struct tcp_seg s;

	world_init(&w, 1, NULL);
	accept_calls(&w, k, a, 8);
	for (unsigned i = 0; i < 7; i++) { /* these peers take nothing */
		world_say(&w, 0, &(struct tcp_seg){ .seq = k[i].snd, .ack = k[i].rcv,
		                                    .flags = TCP_ACK, .sport = k[i].sport,
		                                    .dport = WORLD_PORT, .wnd = 0 });
		CU_ASSERT_EQUAL(world_write(&w, 0, a[i], 5000), 5000);
	}
	world_now(&w);
	CU_ASSERT_EQUAL(world_skips(&w, 0), 0);
	CU_ASSERT_EQUAL(world_write(&w, 0, a[7], 5000), 5000);
	world_step(&w, 0);
	for (unsigned got = 0; got < 5000; got += s.len)
		CU_ASSERT_TRUE_FATAL(world_hears(&w, 0, &s) && s.dport == k[7].sport);
	CU_ASSERT_FALSE(wants_another_step(&w)); /* nor does the stack spin for them */
	/* One window opens: that connection goes on at once. */
	world_tells(&w, 0, &k[3], TCP_ACK, 0);
	CU_ASSERT_TRUE(world_hears(&w, 0, &s) && s.dport == k[3].sport && s.len == 1460);
	world_fini(&w);
}

/* Somebody's neighbour does not answer: his connections wait, and nobody else's. */
static void
test_an_unresolved_neighbour_delays_nobody(void)
{
	struct world w;
	struct ip_addr dead = ip_addr_v4(0x0a000063), peer = host_ip(WORLD_STRANGER);
	struct tcp_seg s;
	struct sock *c;

	world_init(&w, 1, cfg_quotas);
	for (unsigned i = 0; i < 40; i++)
		host_connect(&w.host[0], host_socket(&w.host[0]), &dead, 80);
	world_now(&w);
	CU_ASSERT_EQUAL(world_skips(&w, 0), 1); /* one question for all of them */
	c = host_socket(&w.host[0]);
	host_connect(&w.host[0], c, &peer, 80);
	world_step(&w, 0);
	CU_ASSERT_TRUE(world_hears(&w, 0, &s) && s.flags == TCP_SYN);
	CU_ASSERT_FALSE(wants_another_step(&w));
	host_abort(&w.host[0], c); /* and may go while others hang there */
	world_run(&w, SEC(5));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->conns.used, 0);
	world_fini(&w);
}

/* A connection that waits for its neighbour is closed: nobody calls it back. */
static void
test_a_waiting_connection_may_go(void)
{
	struct world w;
	struct ip_addr slow = ip_addr_v4(0x0a000063);
	struct arp_pkt reply = { .op = ARP_REPLY, .sha = { { 2, 0, 0, 0, 9, 9 } },
		                 .spa = 0x0a000063, .tpa = 0x0a000001 };
	struct craft_way way;
	struct sock *c[3];
	uint8_t f[CRAFT_MAX];

	world_init(&w, 1, NULL);
	way = world_way(&w, 0);
	for (unsigned i = 0; i < 3; i++) {
		c[i] = host_socket(&w.host[0]);
		host_connect(&w.host[0], c[i], &slow, 80);
	}
	world_now(&w);
	host_abort(&w.host[0], c[1]);
	world_now(&w);
	(void)world_skips(&w, 0);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->conns.used, 2);
	world_frame(&w, 0, f, craft_arp(f, &way.dmac, &reply));
	CU_ASSERT_EQUAL(world_skips(&w, 0), 2);
	world_fini(&w);
}

static void
cfg_two_ports(struct stack_cfg *cfg, unsigned who)
{
	struct ip_addr net = ip_addr_v4(0x0a000100u), any = IP_ANY;

	(void)who;
	cfg->n_ports = 2;
	cfg->port[1].n_addrs = 1;
	cfg->port[1].addr[0] = (struct stack_addr){ .ip = ip_addr_v4(0x0a000101u), .prefix = 96 + 24 };
	CU_ASSERT_EQUAL(route_add(&cfg->routes, &net, 96 + 24, &any, 1), ROUTE_OK);
}

static unsigned
frames_of(const struct world *w, unsigned port)
{
	unsigned n = 0;

	for (size_t i = 0; i < w->n_log; i++)
		n += w->log[i].from == port;
	return n;
}

/* What waits for an engine that takes nothing is in nobody's way who leaves by another. */
static void
test_a_full_engine_delays_no_other(void)
{
	struct ip_addr here = host_ip(WORLD_STRANGER), there = ip_addr_v4(0x0a000109u);
	static const uint8_t mac[6] = { 2, 9, 9, 9, 9, 9 };
	struct sock *far;
	struct world w;
	struct valve v;
	unsigned before;

	world_init(&w, 1, cfg_two_ports);
	CU_ASSERT_TRUE(stack_neighbour(w.host[0].st, 1, &there, mac));
	valve_open(&v, &w);
	v.room = 0;
	v.dry = true;
	for (unsigned i = 0; i < 40; i++) /* more than the stack keeps packets for */
		host_connect(&w.host[0], host_socket(&w.host[0]), &here, 80);
	world_run(&w, MS(1));
	before = frames_of(&w, HOST_PORTS);
	far = host_socket(&w.host[0]);
	host_connect(&w.host[0], far, &there, 80);
	world_now(&w);
	CU_ASSERT_EQUAL(frames_of(&w, HOST_PORTS), before + 1);
	v.room = UINT32_MAX;
	v.dry = false;
	before = frames_of(&w, 0);
	world_run(&w, MS(1));
	CU_ASSERT_EQUAL(frames_of(&w, 0), before + 40);
	world_fini(&w);
}

/* ------------------------------------------------------------- nowhere -- */

static void
cfg_quick_failure(struct stack_cfg *cfg, unsigned who)
{
	(void)who;
	cfg->tcp.retries = 3;
	cfg->neigh.delay_ns = cfg->neigh.retrans_ns = MS(1);
	cfg->neigh.fail_ns = SEC(100);
}

/* Who knows the neighbour of a host that has gone: one segment a time-out is lost, the
 * congestion window is not filled, and in the end the application is told why. */
static void
test_one_segment_a_timeout_goes_nowhere(void)
{
	struct world w;
	struct sock *l, *client, *server;
	const struct tcp_conn *c;

	world_init(&w, 2, cfg_quick_failure);
	l = world_listen(&w, 1, WORLD_PORT, 5);
	world_pair(&w, l, &client, &server);
	world_run(&w, SEC(40)); /* what was learned of the neighbour is old by now */
	w.net_cfg.loss = w.net_cfg.arp_loss = 1000000;
	net_set(w.net, &w.net_cfg);
	CU_ASSERT_EQUAL(world_write(&w, 0, client, 10), 10);
	world_run(&w, MS(20));
	c = client->conn;
	CU_ASSERT_EQUAL_FATAL(c->xmit->n_sent, 1);
	(void)world_write(&w, 0, client, 14000);
	world_run(&w, MS(20));
	CU_ASSERT_EQUAL(c->xmit->n_sent, 1);
	CU_ASSERT_EQUAL(c->err, TCP_E_HOSTUNREACH);
	world_run(&w, SEC(60));
	CU_ASSERT_TRUE(sock_facts(client) & SOCK_ERROR);
	CU_ASSERT_EQUAL(client->err, TCP_E_HOSTUNREACH);
	world_fini(&w);
}

static void
cfg_two_neighbours(struct stack_cfg *cfg, unsigned who)
{
	(void)who;
	cfg->neigh.max = 2; /* one of them is the stranger's */
}

static bool
asks_for(struct world *w, uint32_t ip)
{
	const struct world_frame *f;
	struct arp_pkt a;

	while ((f = world_next(w, 0)))
		if (f->len >= ETH_LEN + ARP_LEN &&
		    wire_arp_parse(f->data + ETH_LEN, f->len - ETH_LEN, &a) && a.tpa == ip)
			return true;
	return false;
}

/* A table full of others says nothing about a host. */
static void
test_no_room_for_a_neighbour_is_no_error(void)
{
	struct ip_addr first = ip_addr_v4(0x0a000041), second = ip_addr_v4(0x0a000042);
	struct world w;
	struct sock *a, *b;

	world_init(&w, 1, cfg_two_neighbours);
	a = host_socket(&w.host[0]);
	host_connect(&w.host[0], a, &first, 80);
	world_run(&w, MS(1));
	b = host_socket(&w.host[0]);
	host_connect(&w.host[0], b, &second, 80);
	world_run(&w, SEC(2));
	CU_ASSERT_EQUAL(sock_facts(b), 0);
	CU_ASSERT_FALSE(asks_for(&w, 0x0a000042));
	world_run(&w, SEC(2));
	CU_ASSERT_EQUAL(a->err, TCP_E_HOSTUNREACH);
	world_run(&w, SEC(4));
	CU_ASSERT_TRUE(asks_for(&w, 0x0a000042)); /* the entry of the other is free again */
	world_fini(&w);
}

void
suite_txq(void)
{
	CU_pSuite suite = CU_add_suite("core/txq", NULL, NULL);

	CU_add_test(suite, "control has a quota", test_control_has_a_quota);
	CU_add_test(suite, "SYN-ACKs have a quota", test_syn_acks_have_a_quota);
	CU_add_test(suite, "a repeated SYN queues one SYN-ACK",
	            test_a_repeated_syn_queues_one_syn_ack);
	CU_add_test(suite, "ACKs have a quota", test_acks_have_a_quota);
	CU_add_test(suite, "an ACK waits for the application's turn",
	            test_an_ack_waits_for_the_applications_turn);
	CU_add_test(suite, "an ACK that has waited comes before data",
	            test_an_ack_that_has_waited_comes_before_data);
	CU_add_test(suite, "an ACK waits for no second segment",
	            test_an_ack_waits_for_no_second_segment);
	CU_add_test(suite, "data has a quota, and goes round",
	            test_data_has_a_quota_and_goes_round);
	CU_add_test(suite, "control comes before ACKs before data",
	            test_control_comes_before_acks_before_data);
	CU_add_test(suite, "little text waits for nobody behind it",
	            test_little_text_waits_for_nobody_behind_it);
	CU_add_test(suite, "little text has the quota of data",
	            test_little_text_has_the_quota_of_data);
	CU_add_test(suite, "resets for nobody are bounded", test_resets_for_nobody_are_bounded);
	CU_add_test(suite, "a full engine loses nothing", test_a_full_engine_loses_nothing);
	CU_add_test(suite, "a full engine delays no other", test_a_full_engine_delays_no_other);
	CU_add_test(suite, "an engine without packets is waited for",
	            test_an_engine_without_packets_is_waited_for);
	CU_add_test(suite, "a stack that ends gives its packets back",
	            test_a_stack_that_ends_gives_its_packets_back);
	CU_add_test(suite, "a closed window delays nobody (attack: application never reads)",
	            test_a_closed_window_delays_nobody);
	CU_add_test(suite, "an unresolved neighbour delays nobody (attack: unresolved "
	            "neighbours)",
	            test_an_unresolved_neighbour_delays_nobody);
	CU_add_test(suite, "a waiting connection may go", test_a_waiting_connection_may_go);
	CU_add_test(suite, "one segment a time-out goes nowhere",
	            test_one_segment_a_timeout_goes_nowhere);
	CU_add_test(suite, "no room for a neighbour is no error",
	            test_no_room_for_a_neighbour_is_no_error);
}
