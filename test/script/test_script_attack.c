/* SPDX-License-Identifier: BSD-3-Clause */
/* Peers that mean harm, or are merely broken: what they may cost, and that nobody else pays. */
#include <CUnit/CUnit.h>

#include "test/core/world.h"
#include "test/script/peer.h"

void suite_script_attack(void);

#define N_BAD 20u

/* A client of host 1, served by host 0 from first to last. */
static void
good_client_is_served(struct world *w, const struct sock *l)
{
	struct sock *c = world_connect(w, 1, WORLD_PORT), *s;
	uint32_t got = 0;

	world_run(w, MS(20));
	s = host_accept(&w->host[0], l);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT_EQUAL(world_write(w, 0, s, 10000), 10000);
	host_close(&w->host[0], s);
	for (int i = 0; i < 20; i++) {
		world_run(w, MS(10));
		got += world_read(w, 1, c);
	}
	CU_ASSERT_EQUAL(got, 10000);
	CU_ASSERT_TRUE(host_eof(c));
	host_close(&w->host[1], c);
	world_run(w, MS(20));
}

/* The stranger connects with a window of 0, from this port on; the server takes him. */
static struct sock *
bad_client(struct world *w, const struct sock *l, uint16_t sport)
{
	struct tcp_seg s = { .seq = seq_of(5000), .flags = TCP_SYN, .sport = sport,
		             .dport = WORLD_PORT, .opts = TCP_OPT_MSS, .mss = 1460 };
	struct tcp_seg reply;

	(void)world_skips(w, 0);
	world_say(w, 0, &s);
	if (!world_hears(w, 0, &reply))
		return NULL;
	s.seq = seq_of(5001);
	s.ack = seq_add(reply.seq, 1);
	s.flags = TCP_ACK;
	s.opts = 0;
	world_say(w, 0, &s);
	return host_accept(&w->host[0], l);
}

/* What the server has written for them waits, and is given up in the end. */
static void
test_peers_that_never_read(void)
{
	struct world w;
	struct sock *l, *bad[N_BAD];
	struct stack *st;

	world_init(&w, 2, NULL);
	st = world_stack(&w, 0);
	l = world_listen(&w, 0, WORLD_PORT, N_BAD);
	for (unsigned i = 0; i < N_BAD; i++) {
		bad[i] = bad_client(&w, l, to_u16(100 + i));
		CU_ASSERT_PTR_NOT_NULL_FATAL(bad[i]);
		CU_ASSERT_EQUAL(world_write(&w, 0, bad[i], 10000), 10000);
	}
	good_client_is_served(&w, l);
	CU_ASSERT_TRUE(st->conns.used <= N_BAD + 1);
	for (unsigned i = 0; i < N_BAD; i++)
		host_close(&w.host[0], bad[i]); /* what was written is still owed */
	good_client_is_served(&w, l);
	world_run(&w, SEC(3600)); /* no probe is ever answered */
	CU_ASSERT_EQUAL(st->conns.used, 0);
	host_close(&w.host[0], l);
	world_now(&w);
	CU_ASSERT_PTR_NULL(world_leak(&w, 0));
	world_fini(&w);
}

static void
cfg_idle_limit(struct stack_cfg *cfg, unsigned who)
{
	if (who == 0)
		cfg->tcp.idle_timeout_ns = SEC(300);
}

/* They cost a connection and no buffer; the idle limit, where there is one, ends them. */
static void
test_peers_that_never_send(void)
{
	struct world w;
	struct sock *l, *bad[N_BAD];
	struct stack *st;

	world_init(&w, 2, cfg_idle_limit);
	st = world_stack(&w, 0);
	l = world_listen(&w, 0, WORLD_PORT, N_BAD);
	for (unsigned i = 0; i < N_BAD; i++) {
		bad[i] = bad_client(&w, l, to_u16(100 + i));
		CU_ASSERT_PTR_NOT_NULL_FATAL(bad[i]);
	}
	good_client_is_served(&w, l);
	CU_ASSERT_TRUE(st->conns.used <= N_BAD + 1);
	CU_ASSERT_EQUAL(st->env.xmits.used, 0);
	CU_ASSERT_EQUAL(st->env.reasses.used, 0);
	world_run(&w, SEC(310));
	for (unsigned i = 0; i < N_BAD; i++) {
		CU_ASSERT_TRUE(sock_facts(bad[i]) & SOCK_OVER);
		host_close(&w.host[0], bad[i]);
	}
	host_close(&w.host[0], l);
	world_run(&w, SEC(100));
	CU_ASSERT_EQUAL(st->conns.used, 0);
	CU_ASSERT_PTR_NULL(world_leak(&w, 0));
	world_fini(&w);
}

/* ------------------------------------------------------------- SACK holes -- */

#define MSS    1460u
#define FLIGHT 1000u

static void
cfg_wide(struct tcp_cfg *cfg, int who)
{
	(void)who;
	cfg->initial_cwnd = FLIGHT;
	cfg->sndbuf = cfg->sndbuf_max = 4u << 20;
}

/* Every second segment, each in a block of its own; then blocks of single bytes by the thousand.
 * The scoreboard holds what was sent, whatever is said of it, and the transfer ends. */
static void
test_holes_by_the_thousand(void)
{
	struct peer p;
	uint32_t sent, most = 0;

	peer_connected(&p, &(struct peer_opts){ .cfg = cfg_wide, .wscale = 7, .sents = 4096,
	                                        .chunks = 4096 });
	SAY(&p, ".", 2, 0, 1);
	sent = peer_a_writes(&p, FLIGHT * MSS);
	(void)peer_skips(&p);
	sent = min(sent, seq_sub(p.a->conn.snd_nxt, p.a_iss) - 1);
	CU_ASSERT_TRUE(sent >= FLIGHT / 2 * MSS);
	for (uint32_t at = 1; at + 6 * MSS < sent; at += 6 * MSS) {
		peer_sack(&p, at + MSS, at + 2 * MSS, at + 3 * MSS, at + 4 * MSS, at + 5 * MSS,
		          at + 6 * MSS, 0);
		SAY(&p, ".", 2, 0, 1);
		if (p.a->conn.xmit)
			most = max(most, p.a->conn.xmit->n_sent);
	}
	for (uint32_t i = 0; i < 20000; i++) {
		uint32_t at = 1 + i * 71 % (sent - 8);

		peer_sack(&p, at, at + 1, at + 3, at + 4, at + 6, at + 7, 0);
		SAY(&p, ".", 2, 0, 1);
		if (p.a->conn.xmit)
			most = max(most, p.a->conn.xmit->n_sent);
	}
	CU_ASSERT_TRUE(most <= FLIGHT + 2);
	p.wnd = 65535;
	SAY(&p, ".", 2, 0, seq_sub(p.a->conn.snd_nxt, p.a_iss));
	EXPECT_NUMBER(&p, seq_sub(p.a->conn.snd_nxt, p.a->conn.snd_una), 0);
	CU_ASSERT_PTR_NULL(p.a->conn.xmit);
	peer_free(&p);
}

void
suite_script_attack(void)
{
	CU_pSuite s = CU_add_suite("script_attack", NULL, NULL);

	CU_add_test(s, "peers that never read (attack: never reads)", test_peers_that_never_read);
	CU_add_test(s, "peers that never send (attack: never sends)", test_peers_that_never_send);
	CU_add_test(s, "holes by the thousand (attack: SACK holes)", test_holes_by_the_thousand);
}
