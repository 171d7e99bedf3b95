/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections from birth to a pool that is full again. */
#include <CUnit/CUnit.h>

#include "test/core/world.h"

void suite_conns(void);

static struct sock *
accepted(struct world *w, struct call *k, uint16_t sport)
{
	struct sock *a;

	CU_ASSERT_TRUE_FATAL(world_calls(w, 0, sport, WORLD_PORT, k));
	a = host_accept(&w->host[0], &w->host[0].ch->socks[0]);
	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	(void)world_skips(w, 0);
	return a;
}

/* A world of one host whose socket 0 listens. */
static void
begin(struct world *w, void (*cfg)(struct stack_cfg *, unsigned))
{
	world_init(w, 1, cfg);
	CU_ASSERT_PTR_EQUAL_FATAL(world_listen(w, 0, WORLD_PORT, 50), w->host[0].ch->socks);
}

/* ---------------------------------------------------------- a full life -- */

#define CLIENTS 40u

struct client {
	struct sock *c, *s;
	unsigned lives;
	uint32_t sent, got;
};

/* One life: connect, ask, be answered, close.  False: nothing to do. */
static bool
client_turn(struct world *w, struct client *k, unsigned lives, bool server_first)
{
	if (!k->c) {
		if (k->lives == lives || !(k->c = host_socket(&w->host[0])))
			return false;
		host_connect(&w->host[0], k->c, &w->host[1].ip, WORLD_PORT);
		k->sent = k->got = 0;
		k->lives++;
		return true;
	}
	if (!(sock_facts(k->c) & SOCK_CONNECTED))
		return false;
	if (!k->sent)
		k->sent = world_write(w, 0, k->c, 100);
	k->got += world_read(w, 0, k->c);
	if (server_first ? !host_eof(k->c) : k->got < 3000)
		return false;
	CU_ASSERT_EQUAL(k->got, 3000);
	host_close(&w->host[0], k->c);
	k->c = NULL;
	return true;
}

static void
server_turn(struct world *w, struct sock *s, uint32_t *asked)
{
	uint32_t n = world_read(w, 1, s);

	*asked += n;
	if (n && *asked == 100)
		CU_ASSERT_EQUAL(world_write(w, 1, s, 3000), 3000);
}

static void
short_lives(bool server_first)
{
	struct world w;
	struct client k[CLIENTS] = { { 0 } };
	struct sock *l, *s, *open[256] = { NULL };
	uint32_t asked[256] = { 0 };
	unsigned served = 0;

	world_init(&w, 2, NULL);
	l = world_listen(&w, 1, WORLD_PORT, 100);
	for (unsigned turn = 0; turn < 3000 && served < 1000; turn++) {
		for (unsigned i = 0; i < CLIENTS; i++)
			(void)client_turn(&w, &k[i], 1000 / CLIENTS, server_first);
		while ((s = host_accept(&w.host[1], l))) {
			open[sock_number(w.host[1].ch, s)] = s;
			asked[sock_number(w.host[1].ch, s)] = 0;
		}
		for (unsigned i = 0; i < 256; i++) {
			if (!open[i])
				continue;
			server_turn(&w, open[i], &asked[i]);
			if (server_first ? asked[i] == 100 : host_eof(open[i])) {
				host_close(&w.host[1], open[i]);
				open[i] = NULL;
				served++;
			}
		}
		world_run(&w, US(250));
	}
	CU_ASSERT_EQUAL(served, 1000);
	for (unsigned turn = 0; turn < 100; turn++) {
		for (unsigned i = 0; i < CLIENTS; i++)
			(void)client_turn(&w, &k[i], 1000 / CLIENTS, server_first);
		world_run(&w, MS(1));
	}
	for (unsigned i = 0; i < CLIENTS; i++)
		CU_ASSERT_PTR_NULL(k[i].c);
	host_close(&w.host[1], l);
	world_run(&w, SEC(1));
	CU_ASSERT_PTR_NULL(world_leak(&w, 0));
	CU_ASSERT_PTR_NULL(world_leak(&w, 1));
	CU_ASSERT_TRUE(world_stack(&w, server_first)->tws.used > 0);
	world_run(&w, SEC(61));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->tws.used + world_stack(&w, 1)->tws.used, 0);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->demux.map.n + world_stack(&w, 1)->demux.map.n, 0);
	for (unsigned i = 0; i < 2; i++)
		CU_ASSERT_EQUAL(atomic_load(&stack_stats(world_stack(&w, i))->flows), 0);
	world_fini(&w);
}

static void
test_a_thousand_short_connections_leave_nothing(void)
{
	short_lives(false);
	short_lives(true);
}

/* Each takes what the one before it gave back, while it is still in the cache. */
static void
test_the_next_connection_takes_the_last_ones_memory(void)
{
	struct world w;
	struct call k;
	struct sock *a;

	begin(&w, NULL);
	for (uint16_t i = 0; i < 100; i++) {
		a = accepted(&w, &k, (uint16_t)(100 + i));
		CU_ASSERT_PTR_NOT_NULL_FATAL(a);
		host_abort(&w.host[0], a);
		world_run(&w, US(10));
	}
	CU_ASSERT_EQUAL(world_stack(&w, 0)->conns.fresh, 1);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->half_opens.fresh, 1);
	world_fini(&w);
}

/* --------------------------------------------------------------- closing -- */

static void
test_an_abort_sends_a_reset(void)
{
	struct world w;
	struct call k;
	struct tcp_seg s;
	struct sock *a;

	begin(&w, NULL);
	a = accepted(&w, &k, 100);
	host_abort(&w.host[0], a);
	world_now(&w);
	CU_ASSERT_TRUE(world_hears(&w, 0, &s) && s.flags == (TCP_RST | TCP_ACK));
	CU_ASSERT_TRUE(seq_eq(s.seq, k.rcv) && seq_eq(s.ack, k.snd));
	CU_ASSERT_EQUAL(world_skips(&w, 0), 0);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->conns.used, 0);
	CU_ASSERT_EQUAL(a->kind, SOCK_KIND_FREE);
	world_fini(&w);
}

static void
cfg_little_control(struct stack_cfg *cfg, unsigned who)
{
	(void)who;
	cfg->tx_control = 3;
}

/* What is owed leaves, however many steps that takes. */
static void
test_many_resets_leave_all(void)
{
	struct world w;
	struct call k;
	struct tcp_seg s;
	struct sock *a[20];
	unsigned resets = 0;

	begin(&w, cfg_little_control);
	for (uint16_t i = 0; i < 20; i++)
		a[i] = accepted(&w, &k, (uint16_t)(100 + i));
	for (unsigned i = 0; i < 20; i++)
		host_abort(&w.host[0], a[i]);
	world_now(&w);
	while (world_hears(&w, 0, &s))
		resets += (s.flags & TCP_RST) != 0;
	CU_ASSERT_EQUAL(resets, 20);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->conns.used, 0);
	world_fini(&w);
}

/* RFC 2525 2.17: data that nobody read is lost, and the peer must know. */
static void
test_closing_with_unread_text_resets(void)
{
	struct world w;
	struct call k;
	struct tcp_seg s;
	struct sock *a;

	begin(&w, NULL);
	a = accepted(&w, &k, 100);
	world_tells(&w, 0, &k, TCP_ACK, 100);
	(void)world_skips(&w, 0);
	host_close(&w.host[0], a);
	world_now(&w);
	CU_ASSERT_TRUE(world_hears(&w, 0, &s) && (s.flags & TCP_RST));
	CU_ASSERT_EQUAL(world_skips(&w, 0), 0);
	host_close(&w.host[0], &w.host[0].ch->socks[0]);
	CU_ASSERT_PTR_NULL(world_leak(&w, 0));
	world_fini(&w);
}

/* SO_LINGER with 0 s asks for the same. */
static void
test_lingering_for_no_time_resets(void)
{
	struct world w;
	struct call k;
	struct tcp_seg s;
	struct sock *a;

	begin(&w, NULL);
	a = accepted(&w, &k, 100);
	CU_ASSERT_EQUAL(host_set(&w.host[0], a, TCP_OPTION_LINGER, 0), 0);
	host_close(&w.host[0], a);
	world_now(&w);
	CU_ASSERT_TRUE(world_hears(&w, 0, &s) && (s.flags & TCP_RST));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->conns.used, 0);
	world_fini(&w);
}

/* RFC 9293 SHLD-3: text for an application that has closed. */
static void
test_text_after_close_is_reset(void)
{
	struct world w;
	struct call k;
	struct tcp_seg s;
	struct sock *a;

	begin(&w, NULL);
	a = accepted(&w, &k, 100);
	host_close(&w.host[0], a);
	world_now(&w);
	k.rcv = seq_add(k.rcv, 1);
	world_tells(&w, 0, &k, TCP_ACK, 0);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->n_fin_wait_2, 1);
	(void)world_skips(&w, 0);
	world_tells(&w, 0, &k, TCP_ACK, 10);
	CU_ASSERT_TRUE(world_hears(&w, 0, &s) && s.flags == (TCP_RST | TCP_ACK));
	CU_ASSERT_TRUE(seq_eq(s.seq, k.rcv));
	CU_ASSERT_EQUAL(world_fate(&w, 0, DROP_AFTER_CLOSE), 1);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->tws.used, 0);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->n_fin_wait_2, 0);
	world_fini(&w);
}

/* A SYN nobody has answered needs no reset. */
static void
test_closing_before_the_answer_is_silent(void)
{
	struct world w;
	struct ip_addr peer = host_ip(WORLD_STRANGER);
	struct sock *c;

	world_init(&w, 1, NULL);
	c = host_socket(&w.host[0]);
	host_connect(&w.host[0], c, &peer, 80);
	world_now(&w);
	(void)world_skips(&w, 0);
	host_close(&w.host[0], c);
	world_run(&w, SEC(100));
	CU_ASSERT_EQUAL(world_skips(&w, 0), 0);
	CU_ASSERT_PTR_NULL(world_leak(&w, 0));
	world_fini(&w);
}

/* RFC 9293 3.6, figure 14: both in TIME-WAIT. */
static void
test_both_may_close_at_once(void)
{
	struct world w;
	struct sock *l, *c, *s;

	world_init(&w, 2, NULL);
	l = world_listen(&w, 1, WORLD_PORT, 5);
	world_pair(&w, l, &c, &s);
	host_close(&w.host[0], c);
	host_close(&w.host[1], s);
	world_run(&w, MS(10));
	for (unsigned i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(world_stack(&w, i)->conns.used, 0);
		CU_ASSERT_EQUAL(world_stack(&w, i)->tws.used, 1);
	}
	world_fini(&w);
}

/* ---------------------------------------------------- peers that are gone -- */

/* Nobody acknowledges the FIN, and nobody holds the socket. */
static void
test_an_orphan_is_given_up(void)
{
	struct world w;
	struct call k;
	struct sock *a;

	begin(&w, NULL);
	a = accepted(&w, &k, 100);
	CU_ASSERT_EQUAL(world_write(&w, 0, a, 1000), 1000);
	host_close(&w.host[0], a);
	world_run(&w, SEC(10));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->conns.used, 1);
	world_run(&w, SEC(300));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->conns.used, 0);
	CU_ASSERT_EQUAL(a->kind, SOCK_KIND_FREE);
	world_fini(&w);
}

/* The peer answers every probe, but never opens its window: nobody is left to wait for. */
static void
test_an_orphan_before_a_closed_window_is_given_up(void)
{
	struct world w;
	struct call k;
	struct tcp_seg s;
	struct sock *a;
	unsigned minutes = 0;

	begin(&w, NULL);
	a = accepted(&w, &k, 100);
	CU_ASSERT_EQUAL(world_write(&w, 0, a, 1000), 1000);
	world_say(&w, 0, &(struct tcp_seg){ .seq = k.snd, .ack = k.rcv, .flags = TCP_ACK,
	                                    .sport = k.sport, .dport = k.dport, .wnd = 0 });
	host_close(&w.host[0], a);
	for (; minutes < 240 && world_stack(&w, 0)->conns.used; minutes++) {
		world_run(&w, SEC(60));
		while (world_hears(&w, 0, &s))
			world_say(&w, 0, &(struct tcp_seg){ .seq = k.snd, .ack = k.rcv,
			                                    .flags = TCP_ACK, .sport = k.sport,
			                                    .dport = k.dport, .wnd = 0 });
	}
	CU_ASSERT_TRUE(minutes < 240);
	world_fini(&w);
}

static void
test_fin_wait_2_ends_without_the_peer(void)
{
	struct world w;
	struct call k;
	struct tcp_seg s;
	struct sock *a;

	begin(&w, NULL);
	a = accepted(&w, &k, 100);
	host_close(&w.host[0], a);
	world_now(&w);
	k.rcv = seq_add(k.rcv, 1);
	world_tells(&w, 0, &k, TCP_ACK, 0);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->conns.used, 0);
	world_run(&w, SEC(59));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->n_fin_wait_2, 1);
	world_run(&w, SEC(2));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->n_fin_wait_2, 0);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->tws.used, 0);
	(void)world_skips(&w, 0);
	world_tells(&w, 0, &k, TCP_FIN | TCP_ACK, 0);
	CU_ASSERT_TRUE(world_hears(&w, 0, &s) && s.flags == TCP_RST);
	world_fini(&w);
}

/* The record answers as the connection did (RFC 9293 3.10.7.4): challenges in place of doubt,
 * then the FIN, and TIME-WAIT. */
static void
test_fin_wait_2_in_a_record(void)
{
	struct world w;
	struct call k, odd;
	struct tcp_seg s;
	struct sock *a;

	begin(&w, NULL);
	a = accepted(&w, &k, 100);
	host_close(&w.host[0], a);
	world_now(&w);
	k.rcv = seq_add(k.rcv, 1);
	world_tells(&w, 0, &k, TCP_ACK, 0);
	CU_ASSERT_EQUAL_FATAL(world_stack(&w, 0)->n_fin_wait_2, 1);
	(void)world_skips(&w, 0);
	world_tells(&w, 0, &k, TCP_ACK, 0);
	CU_ASSERT_FALSE(world_hears(&w, 0, &s));
	for (unsigned i = 0; i < 3; i++) { /* a reset in the window, a SYN, an ACK of what never left */
		odd = k;
		odd.snd = seq_add(k.snd, i < 2 ? 5 : 0);
		odd.rcv = seq_add(k.rcv, i < 2 ? 0 : 9);
		world_tells(&w, 0, &odd, i == 0 ? TCP_RST : i == 1 ? TCP_SYN : TCP_ACK | TCP_FIN, 0);
		CU_ASSERT_TRUE(world_hears(&w, 0, &s) && s.flags == TCP_ACK && seq_eq(s.ack, k.snd));
	}
	odd = k;
	odd.snd = seq_add(k.snd, 100000);
	world_tells(&w, 0, &odd, TCP_RST, 0);
	CU_ASSERT_FALSE(world_hears(&w, 0, &s));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->n_fin_wait_2, 1);
	world_run(&w, SEC(30));
	world_tells(&w, 0, &k, TCP_FIN | TCP_ACK, 0);
	CU_ASSERT_TRUE(world_hears(&w, 0, &s) && s.flags == TCP_ACK && seq_eq(s.ack, k.snd));
	CU_ASSERT_EQUAL(world_fate(&w, 0, TW_FIN), 1);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->n_fin_wait_2, 0);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->tws.used, 1);
	world_run(&w, SEC(59));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->tws.used, 1);
	world_run(&w, SEC(2));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->tws.used, 0);
	world_fini(&w);
}

static void
close_and_ack(struct world *w, struct call *k, struct sock *a)
{
	host_close(&w->host[0], a);
	world_now(w);
	k->rcv = seq_add(k->rcv, 1);
	world_tells(w, 0, k, TCP_ACK, 0);
}

/* Sockets may have limits of their own; each ends at its time. */
/* Nobody holds it, and an ACK that is owed keeps it a connection: there is no stream any more
 * that urgent text could point into. */
static void
test_urgent_text_for_nobody(void)
{
	struct tcp_seg old, s;
	struct world w;
	struct call k;
	struct sock *l;

	world_init(&w, 1, NULL);
	l = world_listen(&w, 0, WORLD_PORT, 5);
	CU_ASSERT_TRUE_FATAL(world_calls(&w, 0, 77, WORLD_PORT, &k));
	host_close(&w.host[0], host_accept(&w.host[0], l));
	world_now(&w);
	s = (struct tcp_seg){ .seq = k.snd, .ack = seq_add(k.rcv, 1), .flags = TCP_ACK,
		              .sport = k.sport, .dport = k.dport, .wnd = 1000 };
	old = s;
	old.seq = seq_add(k.snd, UINT32_MAX);
	old.ack = k.rcv;
	old.len = 1;
	world_drop_in(&w, 0, &old); /* an ACK is due */
	world_drop_in(&w, 0, &s);   /* FIN-WAIT-2 */
	s.flags |= TCP_URG;
	s.urg = 100;
	world_drop_in(&w, 0, &s);
	world_now(&w);
	stack_check(world_stack(&w, 0));
	CU_ASSERT_EQUAL(conns_open(world_stack(&w, 0)), 1);
	world_fini(&w);
}

static void
test_fin_wait_2_ends_in_order(void)
{
	static const int linger[] = { 60, 10, 30, 20, 60 };
	struct world w;
	struct call k[5];
	struct sock *a;

	begin(&w, NULL);
	for (uint16_t i = 0; i < 5; i++) {
		a = accepted(&w, &k[i], (uint16_t)(100 + i));
		if (linger[i] != 60)
			CU_ASSERT_EQUAL(host_set(&w.host[0], a, TCP_OPTION_LINGER2, linger[i]), 0);
		close_and_ack(&w, &k[i], a);
	}
	for (unsigned left = 5, at = 5; at <= 65; at += 10) {
		CU_ASSERT_EQUAL(world_stack(&w, 0)->n_fin_wait_2, left);
		world_run(&w, SEC(10));
		left = at < 10 ? 4 : at < 20 ? 3 : at < 50 ? 2 : 0;
	}
	world_fini(&w);
}

/* Peers that never say FIN cost small records, and never more than there are: the oldest of
 * them makes room, and not what is in TIME-WAIT. */
static void
test_a_fin_wait_2_flood_costs_records_only(void)
{
	struct world w;
	struct call k, first;
	struct sock *a;

	begin(&w, NULL);
	a = accepted(&w, &first, 99);
	close_and_ack(&w, &first, a);
	world_tells(&w, 0, &first, TCP_FIN | TCP_ACK, 0);
	for (uint16_t i = 0; i < 1000; i++) {
		a = accepted(&w, &k, (uint16_t)(100 + i));
		close_and_ack(&w, &k, a);
		CU_ASSERT_TRUE(world_stack(&w, 0)->conns.used == 0);
		world_run(&w, MS(1));
	}
	CU_ASSERT_EQUAL(world_stack(&w, 0)->tws.used, 256);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->n_fin_wait_2, 255);
	world_run(&w, SEC(61));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->tws.used, 0);
	world_fini(&w);
}

static void
cfg_large_buffers(struct stack_cfg *cfg, unsigned who)
{
	(void)who;
	cfg->max_chunks = 1024;
	cfg->tcp.sndbuf = cfg->tcp.sndbuf_max = 131072;
}

/* Peers that let a program write and close, and then say nothing any more, hold its text. */
static void
test_orphans_give_way_when_memory_is_scarce(void)
{
	struct world w;
	struct call k[14];
	struct sock *a[14];
	struct tcp_seg s;
	unsigned resets = 0;

	begin(&w, cfg_large_buffers);
	for (uint16_t i = 0; i < 14; i++) {
		a[i] = accepted(&w, &k[i], (uint16_t)(100 + i));
		(void)world_write(&w, 0, a[i], 131072);
	}
	host_return_chunks(&w.host[0]);
	world_now(&w);
	CU_ASSERT_EQUAL_FATAL(tcp_mem_level(&world_stack(&w, 0)->env), TCP_MEM_SCARCE);
	for (unsigned i = 1; i < 14; i++)
		host_close(&w.host[0], a[i]);
	world_now(&w);
	CU_ASSERT_EQUAL(world_fate(&w, 0, ORPHAN_RESET), 0); /* the peers may answer yet */
	world_run(&w, SEC(3));
	CU_ASSERT_NOT_EQUAL(tcp_mem_level(&world_stack(&w, 0)->env), TCP_MEM_SCARCE);
	while (world_hears(&w, 0, &s))
		resets += (s.flags & TCP_RST) != 0;
	CU_ASSERT_TRUE(resets > 0 && resets < 10); /* no more than it takes */
	CU_ASSERT_EQUAL(world_fate(&w, 0, ORPHAN_RESET), resets);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->conns.used, 14 - resets);
	CU_ASSERT_FALSE(sock_facts(a[0]) & SOCK_OVER); /* somebody's */
	host_abort(&w.host[0], a[0]);
	world_run(&w, SEC(600));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->conns.used, 0);
	host_close(&w.host[0], w.host[0].ch->socks);
	host_return_chunks(&w.host[0]);
	world_step(&w, 0);
	CU_ASSERT_PTR_NULL(world_leak(&w, 0));
	world_fini(&w);
}

/* One that would stand too far from its end stays a connection, and pushes nobody out for that. */
static void
test_who_finds_no_place_pushes_nobody_out(void)
{
	struct world w;
	struct call k;
	struct sock *a;

	begin(&w, NULL);
	for (uint16_t i = 0; i < 256; i++)
		close_and_ack(&w, &k, accepted(&w, &k, (uint16_t)(100 + i)));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->n_fin_wait_2, 256);
	a = accepted(&w, &k, 99);
	CU_ASSERT_EQUAL(host_set(&w.host[0], a, TCP_OPTION_LINGER2, 10), 0);
	close_and_ack(&w, &k, a);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->n_fin_wait_2, 256);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->conns.used, 1);
	world_run(&w, SEC(11));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->conns.used, 0);
	world_fini(&w);
}

/* A half-closed connection that somebody still reads from has no limit. */
static void
test_fin_wait_2_of_a_reader_lasts(void)
{
	struct world w;
	struct call k;
	struct sock *a;

	begin(&w, NULL);
	a = accepted(&w, &k, 100);
	host_shutdown(&w.host[0], a);
	world_now(&w);
	k.rcv = seq_add(k.rcv, 1);
	world_tells(&w, 0, &k, TCP_ACK, 0);
	world_run(&w, SEC(1000));
	world_tells(&w, 0, &k, TCP_ACK, 10);
	CU_ASSERT_EQUAL(world_read(&w, 0, a), 10);
	host_close(&w.host[0], a);
	world_run(&w, SEC(61));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->conns.used, 0);
	world_fini(&w);
}

/* ---------------------------------------------------------------- limits -- */

static void
cfg_few_time_waits(struct stack_cfg *cfg, unsigned who)
{
	(void)who;
	cfg->max_time_wait = 4;
}

/* The host closes first. */
static void
end(struct world *w, struct call *k, struct sock *a)
{
	host_close(&w->host[0], a);
	world_now(w);
	k->rcv = seq_add(k->rcv, 1);
	world_tells(w, 0, k, TCP_FIN | TCP_ACK, 0);
	world_run(w, MS(1));
	(void)world_skips(w, 0);
}

static void
test_the_oldest_time_wait_makes_room(void)
{
	struct world w;
	struct call k[10];
	struct tcp_seg s;

	begin(&w, cfg_few_time_waits);
	for (uint16_t i = 0; i < 10; i++)
		end(&w, &k[i], accepted(&w, &k[i], (uint16_t)(100 + i)));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->tws.used, 4);
	for (unsigned i = 0; i < 10; i++) {
		k[i].snd = seq_add(k[i].snd, UINT32_MAX);
		world_tells(&w, 0, &k[i], TCP_FIN | TCP_ACK, 0);
		CU_ASSERT_TRUE(world_hears(&w, 0, &s));
		CU_ASSERT_EQUAL(s.flags, i < 6 ? TCP_RST : TCP_ACK);
	}
	world_fini(&w);
}

static void
cfg_no_time_wait(struct stack_cfg *cfg, unsigned who)
{
	(void)who;
	cfg->tcp.time_wait_ns = 0;
}

static void
cfg_no_time_wait_records(struct stack_cfg *cfg, unsigned who)
{
	(void)who;
	cfg->max_time_wait = 0;
}

static void
test_time_wait_may_be_off(void)
{
	struct world w;
	struct call k;

	begin(&w, cfg_no_time_wait);
	end(&w, &k, accepted(&w, &k, 100));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->tws.used, 0);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->conns.used, 0);
	world_fini(&w);
	begin(&w, cfg_no_time_wait_records);
	end(&w, &k, accepted(&w, &k, 100));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->conns.used, 0);
	world_fini(&w);
}

static void
cfg_few_conns(struct stack_cfg *cfg, unsigned who)
{
	if (who == 0)
		cfg->max_conns = 3;
}

/* Outgoing: the application is told.  Incoming: the handshake is tried again later. */
static void
test_connections_run_out(void)
{
	struct world w;
	struct ip_addr peer = host_ip(WORLD_STRANGER);
	struct call k[4];
	struct sock *a[4], *c;

	begin(&w, cfg_few_conns);
	for (uint16_t i = 0; i < 3; i++)
		a[i] = accepted(&w, &k[i], (uint16_t)(100 + i));
	c = host_socket(&w.host[0]);
	host_connect(&w.host[0], c, &peer, 80);
	world_now(&w);
	CU_ASSERT_TRUE((sock_facts(c) & SOCK_ERROR) && c->err == TCP_E_NOBUFS);
	CU_ASSERT_TRUE(world_calls(&w, 0, 103, WORLD_PORT, &k[3]));
	CU_ASSERT_EQUAL(world_fate(&w, 0, DROP_NO_MEMORY), 1);
	CU_ASSERT_PTR_NULL(host_accept(&w.host[0], w.host[0].ch->socks));
	host_abort(&w.host[0], a[1]);
	world_now(&w);
	world_tells(&w, 0, &k[3], TCP_ACK, 10);
	a[3] = host_accept(&w.host[0], w.host[0].ch->socks);
	CU_ASSERT_PTR_NOT_NULL_FATAL(a[3]);
	CU_ASSERT_EQUAL(world_read(&w, 0, a[3]), 10);
	world_fini(&w);
}

static void
cfg_few_socks(struct stack_cfg *cfg, unsigned who)
{
	(void)who;
	cfg->max_socks = 3; /* one is kept ready for the application, one taken for the listener */
}

/* The same when socket numbers have run out. */
static void
test_socket_numbers_run_out(void)
{
	struct world w;
	struct call k[3];
	struct sock *a[3];

	begin(&w, cfg_few_socks);
	a[0] = accepted(&w, &k[0], 100);
	CU_ASSERT_TRUE(world_calls(&w, 0, 101, WORLD_PORT, &k[1]));
	CU_ASSERT_EQUAL(world_fate(&w, 0, DROP_NO_MEMORY), 1);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->conns.used, 1);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->half_opens.used, 1);
	host_abort(&w.host[0], a[0]);
	world_now(&w);
	world_tells(&w, 0, &k[1], TCP_ACK, 10);
	a[1] = host_accept(&w.host[0], w.host[0].ch->socks);
	CU_ASSERT_PTR_NOT_NULL(a[1]);
	world_fini(&w);
}

/* ------------------------------------------------------- what one costs -- */

#define IDLE       1920u
#define IDLE_BATCH 16u
#define IDLE_BYTES 512u /* a connection, all in; mtcp/README.md, "Memory" */
#define GRAIN      256u

/* Tables as full as they may be, and no larger than that; a trace that is soon full. */
static void
many_idle(struct stack_cfg *cfg, unsigned who)
{
	(void)who;
	cfg->max_conns = IDLE + 64;
	cfg->max_socks = IDLE + 64 + CHANNEL_IDS - 1; /* twice with one more: a power of two */
	cfg->max_half_open = cfg->max_time_wait = 32;
	cfg->max_chunks = cfg->max_in_flight = 512;
	cfg->trace_records = 64;
}

/* Bytes of the core's memory in which anything was ever written. */
static size_t
touched(const struct host *h)
{
	static const uint8_t never[GRAIN];
	size_t n = 0;

	for (size_t at = 0; at + GRAIN <= h->mem_size; at += GRAIN)
		n += memcmp((const uint8_t *)h->mem + at, never, GRAIN) != 0;
	return n * GRAIN;
}

static void
batch_says(struct world *w, struct call k[], uint8_t flags, uint32_t len)
{
	for (unsigned i = 0; i < IDLE_BATCH; i++) {
		struct tcp_seg s = { .seq = k[i].snd, .ack = k[i].rcv, .flags = flags,
			             .sport = k[i].sport, .dport = k[i].dport, .wnd = 65535,
			             .opts = flags & TCP_SYN ? TCP_OPT_MSS : 0, .mss = 1460,
			             .len = len };

		world_drop_in(w, 0, &s);
		k[i].snd = seq_add(k[i].snd, seg_space(&s));
	}
	world_now(w);
}

/* How many of the batch were answered with text or a SYN. */
static unsigned
batch_hears(struct world *w, struct call k[])
{
	struct tcp_seg s;
	unsigned n = 0;

	while (world_hears(w, 0, &s)) {
		struct call *c = &k[(uint16_t)(s.dport - k[0].sport)];

		CU_ASSERT_TRUE_FATAL(c < k + IDLE_BATCH);
		c->rcv = seq_add(s.seq, seg_space(&s));
		n += seg_space(&s) > 0;
	}
	return n;
}

/* They connect, ask, and are answered. */
static void
batch_talks(struct world *w, uint16_t sport)
{
	struct host *h = &w->host[0];
	struct call k[IDLE_BATCH];
	struct sock *s;

	for (unsigned i = 0; i < IDLE_BATCH; i++)
		k[i] = (struct call){ (uint16_t)(sport + i), WORLD_PORT, seq_of(5000), seq_of(0) };
	batch_says(w, k, TCP_SYN, 0);
	CU_ASSERT_EQUAL_FATAL(batch_hears(w, k), IDLE_BATCH);
	batch_says(w, k, TCP_ACK, 0);
	batch_says(w, k, TCP_PSH | TCP_ACK, 64);
	for (unsigned i = 0; i < IDLE_BATCH; i++) {
		s = host_accept(h, &h->ch->socks[0]);
		CU_ASSERT_PTR_NOT_NULL_FATAL(s);
		CU_ASSERT_EQUAL(world_read(w, 0, s), 64);
		CU_ASSERT_EQUAL(world_write(w, 0, s, 64), 64);
	}
	world_now(w);
	CU_ASSERT_EQUAL(batch_hears(w, k), IDLE_BATCH);
	batch_says(w, k, TCP_ACK, 0);
}

/* After a request and its answer: nothing of any pool but the connection itself. */
static void
test_an_idle_connection_costs_little(void)
{
	struct world w;
	struct tcp_env *e;
	uint32_t chunks, n = 4 * IDLE_BATCH; /* after so many, what is used again was used */
	size_t before, after;

	begin(&w, many_idle);
	e = &world_stack(&w, 0)->env;
	for (uint32_t i = 0; i < n; i += IDLE_BATCH)
		batch_talks(&w, (uint16_t)(10000 + i));
	before = touched(&w.host[0]);
	chunks = e->chunks.used;
	for (uint32_t i = n; i < IDLE; i += IDLE_BATCH)
		batch_talks(&w, (uint16_t)(10000 + i));
	world_run(&w, SEC(1));
	after = touched(&w.host[0]);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->conns.used, IDLE);
	CU_ASSERT_TRUE((after - before) / (IDLE - n) <= IDLE_BYTES);
	CU_ASSERT_EQUAL(e->xmits.used + e->reasses.used + e->rares.used + e->ccs.used, 0);
	CU_ASSERT_EQUAL(e->chunks.used, chunks);
	world_fini(&w);
}

static void
many_more(struct stack_cfg *cfg, unsigned who)
{
	many_idle(cfg, who);
	cfg->max_conns = cfg->max_socks = 1u << 14;
	cfg->max_half_open = cfg->max_time_wait = 1u << 14;
	cfg->max_in_flight = 1u << 14;
}

/* Room for eight times as much, and not a page more of it is used. */
static void
test_room_costs_nothing_until_it_is_used(void)
{
	size_t used[2];

	for (int more = 0; more < 2; more++) {
		struct world w;
		struct call k;

		begin(&w, more ? many_more : many_idle);
		(void)accepted(&w, &k, 9000);
		used[more] = touched(&w.host[0]);
		world_fini(&w);
	}
	CU_ASSERT_TRUE(used[1] < used[0] + 4 * GRAIN);
}

void
suite_conns(void)
{
	CU_pSuite suite = CU_add_suite("core/conns", NULL, NULL);

	CU_add_test(suite, "a thousand short connections leave nothing",
	            test_a_thousand_short_connections_leave_nothing);
	CU_add_test(suite, "the next connection takes the last one's memory",
	            test_the_next_connection_takes_the_last_ones_memory);
	CU_add_test(suite, "an abort sends a reset", test_an_abort_sends_a_reset);
	CU_add_test(suite, "many resets leave all", test_many_resets_leave_all);
	CU_add_test(suite, "closing with unread text resets (RFC 2525 2.17; RFC 9293 SHLD-3)",
	            test_closing_with_unread_text_resets);
	CU_add_test(suite, "lingering for no time resets", test_lingering_for_no_time_resets);
	CU_add_test(suite, "text after close is reset (RFC 9293 SHLD-3)",
	            test_text_after_close_is_reset);
	CU_add_test(suite, "closing before the answer is silent",
	            test_closing_before_the_answer_is_silent);
	CU_add_test(suite, "both may close at once", test_both_may_close_at_once);
	CU_add_test(suite, "an orphan is given up", test_an_orphan_is_given_up);
	CU_add_test(suite, "an orphan before a closed window is given up (RFC 6429)",
	            test_an_orphan_before_a_closed_window_is_given_up);
	CU_add_test(suite, "FIN-WAIT-2 ends without the peer",
	            test_fin_wait_2_ends_without_the_peer);
	CU_add_test(suite, "FIN-WAIT-2 in a record (RFC 9293 3.10.7.4)",
	            test_fin_wait_2_in_a_record);
	CU_add_test(suite, "urgent text for nobody (RFC 9293 MUST-66)",
	            test_urgent_text_for_nobody);
	CU_add_test(suite, "FIN-WAIT-2 ends in order", test_fin_wait_2_ends_in_order);
	CU_add_test(suite, "a FIN-WAIT-2 flood costs records only (attack: FIN-WAIT-2 flood)",
	            test_a_fin_wait_2_flood_costs_records_only);
	CU_add_test(suite, "orphans give way when memory is scarce (attack: silent orphans)",
	            test_orphans_give_way_when_memory_is_scarce);
	CU_add_test(suite, "who finds no place in FIN-WAIT-2 pushes nobody out",
	            test_who_finds_no_place_pushes_nobody_out);
	CU_add_test(suite, "FIN-WAIT-2 of a reader lasts", test_fin_wait_2_of_a_reader_lasts);
	CU_add_test(suite, "the oldest TIME-WAIT makes room (attack: TIME-WAIT flood)",
	            test_the_oldest_time_wait_makes_room);
	CU_add_test(suite, "TIME-WAIT may be off", test_time_wait_may_be_off);
	CU_add_test(suite, "connections run out", test_connections_run_out);
	CU_add_test(suite, "socket numbers run out", test_socket_numbers_run_out);
	CU_add_test(suite, "an idle connection costs little", test_an_idle_connection_costs_little);
	CU_add_test(suite, "room costs nothing until it is used",
	            test_room_costs_nothing_until_it_is_used);
}
