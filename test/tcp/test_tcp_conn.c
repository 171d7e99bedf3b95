/* SPDX-License-Identifier: BSD-3-Clause */
/* A connection's life: made from any memory, given back whole; options; what TCP_INFO shows. */
#include <CUnit/CUnit.h>

#include "tcp/tcp_reass.h"
#include "tcp/tcp_timer.h"
#include "test/tcp/duo.h"

void suite_tcp_conn(void);

static void
test_defaults_are_those_that_peers_expect(void)
{
	struct tcp_cfg c;

	tcp_cfg_default(&c);
	CU_ASSERT_PTR_EQUAL(c.cc, &cc_cubic);
	CU_ASSERT_EQUAL(c.initial_cwnd, 10);
	CU_ASSERT_EQUAL(c.rto_initial_ns, SEC(1));
	CU_ASSERT_EQUAL(c.rto_min_ns, MS(200));
	CU_ASSERT_EQUAL(c.rto_max_ns, SEC(120));
	CU_ASSERT_EQUAL(c.keepidle_ns, SEC(7200));
	CU_ASSERT_EQUAL(c.time_wait_ns, SEC(60));
	CU_ASSERT_EQUAL(c.idle_timeout_ns, TIME_NEVER);
	CU_ASSERT_TRUE(c.timestamps && c.sack && c.window_scaling);
	CU_ASSERT_TRUE(c.delack_max_ns < MS(500));
}

static void
test_any_memory_becomes_a_closed_connection(void)
{
	struct duo *d = duo_new(NULL);
	struct duo_side *a = &d->side[DUO_A];

	duo_connect(a); /* the duo fills the memory with a pattern first */
	CU_ASSERT_EQUAL(a->conn.id, DUO_A);
	CU_ASSERT_PTR_NULL(a->conn.rare);
	CU_ASSERT_FALSE(link_on_list(&a->conn.tx_link));
	CU_ASSERT_FALSE(wheel_is_set(&a->conn.timer));
	CU_ASSERT_EQUAL(a->conn.err, TCP_E_NONE);
	CU_ASSERT_PTR_NULL(a->conn.xmit);
	CU_ASSERT_PTR_NULL(tcp_reass(&a->conn));
	duo_free(d);
}

static void
test_options_have_the_configured_default(void)
{
	struct duo *d = duo_new(NULL);
	struct duo_side *a = &d->side[DUO_A];
	const struct tcp_opts none = { 0 };
	struct tcp_opts some = { 0 };

	CU_ASSERT_EQUAL(tcp_opt_value(&a->env, &none, TCP_OPTION_KEEPIDLE), 7200);
	CU_ASSERT_EQUAL(tcp_opt_value(&a->env, &none, TCP_OPTION_KEEPINTVL), 75);
	CU_ASSERT_EQUAL(tcp_opt_value(&a->env, &none, TCP_OPTION_KEEPCNT), 9);
	CU_ASSERT_EQUAL(tcp_opt_value(&a->env, &none, TCP_OPTION_SYNCNT), 6);
	CU_ASSERT_EQUAL(tcp_opt_value(&a->env, &none, TCP_OPTION_LINGER2), 60);
	CU_ASSERT_EQUAL(tcp_opt_value(&a->env, &none, TCP_OPTION_TTL), 64);
	CU_ASSERT_EQUAL(tcp_opt_value(&a->env, &none, TCP_OPTION_LINGER), -1);
	CU_ASSERT_EQUAL(tcp_opt_value(&a->env, &none, TCP_OPTION_USER_TIMEOUT), 0);
	some.set = 1u << TCP_OPTION_KEEPIDLE | 1u << TCP_OPTION_LINGER;
	some.value[TCP_OPTION_KEEPIDLE] = 5;
	some.value[TCP_OPTION_LINGER] = 0;
	CU_ASSERT_EQUAL(tcp_opt_value(&a->env, &some, TCP_OPTION_KEEPIDLE), 5);
	CU_ASSERT_EQUAL(tcp_opt_value(&a->env, &some, TCP_OPTION_LINGER), 0);
	CU_ASSERT_EQUAL(tcp_opt_value(&a->env, &some, TCP_OPTION_KEEPCNT), 9);
	duo_free(d);
}

static void
test_options_take_effect_at_once(void)
{
	struct duo *d = duo_established(NULL);
	struct duo_side *a = &d->side[DUO_A];

	duo_option(a, TCP_OPTION_TOS, 0x10);
	duo_option(a, TCP_OPTION_TTL, 3);
	duo_option(a, TCP_OPTION_MAXSEG, 500);
	duo_option(a, TCP_OPTION_RCVBUF, 8192);
	duo_option(a, TCP_OPTION_SNDBUF, 100);
	CU_ASSERT_EQUAL(a->conn.tos, 0x10);
	CU_ASSERT_EQUAL(a->conn.ttl, 3);
	CU_ASSERT_EQUAL(a->conn.mss, 500 - 12);
	CU_ASSERT_EQUAL(a->conn.rcv_space, 4096);
	CU_ASSERT_EQUAL(a->conn.snd_limit, 2048);
	CU_ASSERT_PTR_EQUAL(tcp_cc(&a->conn), &cc_cubic);
	duo_option(a, TCP_OPTION_CONGESTION, 1);
	CU_ASSERT_PTR_EQUAL(tcp_cc(&a->conn), &cc_reno);
	duo_option(a, TCP_OPTION_CONGESTION, 1000); /* there is none */
	CU_ASSERT_PTR_EQUAL(tcp_cc(&a->conn), &cc_reno);
	duo_option(a, TCP_OPTION_RCVBUF, 0);
	CU_ASSERT_EQUAL(a->conn.rcv_space, 1024);
	/* and what flows, flows on */
	CU_ASSERT_EQUAL(duo_write_pattern(a, 2000), 2000);
	duo_run(d, SEC(1));
	CU_ASSERT_EQUAL(duo_read_pattern(&d->side[DUO_B]), 2000);
	duo_free(d);
}

static void
test_options_set_before_the_open_count(void)
{
	struct duo *d = duo_new(NULL);
	struct duo_side *a = &d->side[DUO_A];

	duo_option(a, TCP_OPTION_CONGESTION, 1);
	duo_option(a, TCP_OPTION_RCVBUF, 20000);
	duo_option(a, TCP_OPTION_MAXSEG, 600);
	duo_listen(&d->side[DUO_B]);
	duo_connect(a);
	CU_ASSERT_EQUAL(duo_nth(d, DUO_A, 0, NULL)->s.wnd, 10000);
	duo_run(d, MS(100));
	CU_ASSERT_EQUAL(a->conn.state, TCP_ESTABLISHED);
	CU_ASSERT_PTR_EQUAL(tcp_cc(&a->conn), &cc_reno);
	CU_ASSERT_EQUAL(a->conn.mss, 588);
	duo_free(d);
}

static void
test_release_gives_everything_back(void)
{
	struct duo *d = duo_established(NULL);
	struct duo_side *a = &d->side[DUO_A], *b = &d->side[DUO_B];

	d->loss_ppm = 300000;
	(void)duo_write_pattern(a, 16384);
	(void)duo_write_pattern(b, 16384);
	duo_run(d, MS(30));
	CU_ASSERT_TRUE(a->env.sents.used > 0);
	CU_ASSERT_TRUE(a->env.xmits.used == 1);
	tcp_conn_release(&a->env, &a->conn);
	tcp_conn_release(&a->env, &a->conn); /* once more is nothing */
	CU_ASSERT_EQUAL(a->env.sents.used, 0);
	CU_ASSERT_EQUAL(a->env.xmits.used, 0);
	CU_ASSERT_EQUAL(a->env.reasses.used, 0);
	CU_ASSERT_EQUAL(a->env.runs.used, 0);
	/* the rest of the books is judged by duo_free() */
	tcp_set_state(&a->env, &a->conn, TCP_CLOSED, d->now);
	duo_free(d);
}

static void
test_chunks_come_from_those_used_before(void)
{
	struct duo *d = duo_new(&(struct duo_opts){ .chunks = 3 });
	struct tcp_env *e = &d->side[DUO_A].env;
	struct chunk *k;

	CU_ASSERT_TRUE(tcp_chunks_want(e, 2));
	CU_ASSERT_EQUAL(e->chunks.used, 2);
	CU_ASSERT_TRUE(tcp_chunks_want(e, 2));
	CU_ASSERT_EQUAL(e->chunks.used, 2);
	k = tcp_chunk_get(e);
	CU_ASSERT_EQUAL(e->chunks.used, 2);
	CU_ASSERT_EQUAL(e->spare.n, 1);
	CU_ASSERT_FALSE(tcp_chunks_want(e, 3));
	CU_ASSERT_EQUAL(e->spare.n, 2); /* what there is */
	chunk_list_put(&e->spare, k);
	for (int i = 0; i < 3; i++)
		CU_ASSERT_PTR_NOT_NULL(tcp_chunk_get(e));
	CU_ASSERT_PTR_NULL(tcp_chunk_get(e));
	e->chunks.used = 0; /* they are not given back */
	duo_free(d);
}

static void
test_shutdown_twice_is_once(void)
{
	struct duo *d = duo_established(NULL);

	duo_shutdown(&d->side[DUO_A]);
	duo_shutdown(&d->side[DUO_A]);
	duo_close(&d->side[DUO_A]);
	duo_close(&d->side[DUO_A]);
	duo_run(d, SEC(1));
	CU_ASSERT_EQUAL(duo_count(d, DUO_A, duo_likes_fin), 1);
	CU_ASSERT_EQUAL(d->side[DUO_A].conn.state, TCP_FIN_WAIT_2);
	duo_free(d);
}

static void
test_closing_what_is_closed_is_nothing(void)
{
	struct duo *d = duo_established(NULL);
	struct duo_side *a = &d->side[DUO_A];

	duo_abort(a);
	duo_log_clear(d);
	duo_abort(a);
	duo_close(a);
	duo_shutdown(a);
	CU_ASSERT_EQUAL(a->conn.state, TCP_CLOSED);
	CU_ASSERT_EQUAL(d->n_log, 0);
	duo_free(d);
}

static void
test_info(void)
{
	struct duo *d = duo_established(NULL);
	struct duo_side *a = &d->side[DUO_A], *b = &d->side[DUO_B];
	struct tcp_info_data i;

	(void)duo_write_pattern(a, 5000);
	duo_run(d, MS(50));
	(void)duo_write_pattern(a, 5000);
	tcp_info_fill(&a->env, &a->conn, d->now, &i);
	CU_ASSERT_EQUAL(i.state, 1);
	CU_ASSERT_EQUAL(i.options, 7);
	CU_ASSERT_EQUAL(i.snd_wscale, 7);
	CU_ASSERT_EQUAL(i.rcv_wscale, 7);
	CU_ASSERT_EQUAL(i.snd_mss, 1448);
	CU_ASSERT_EQUAL(i.advmss, 1448); /* with a timestamp in each */
	CU_ASSERT_EQUAL(i.pmtu, 1500);
	CU_ASSERT_EQUAL(i.unacked, 4);
	CU_ASSERT_EQUAL(i.bytes_acked, 5000);
	CU_ASSERT_EQUAL(i.min_rtt_ns, MS(10));
	CU_ASSERT_TRUE(i.rto_ns >= MS(200));
	CU_ASSERT_EQUAL(i.snd_cwnd, a->conn.cwnd / 1448);
	tcp_info_fill(&b->env, &b->conn, d->now, &i);
	CU_ASSERT_EQUAL(i.bytes_received, 5000);
	CU_ASSERT_EQUAL(i.rcv_space, 65536);
	duo_run(d, MS(50));
	d->cut[DUO_A] = true;
	(void)duo_write_pattern(a, 5000);
	duo_run(d, SEC(1));
	tcp_info_fill(&a->env, &a->conn, d->now, &i);
	CU_ASSERT_EQUAL(i.ca_state, 4);
	CU_ASSERT_TRUE(i.retransmits >= 1 && i.total_retrans >= 1);
	CU_ASSERT_TRUE(i.lost >= 1);
	duo_abort(a);
	tcp_info_fill(&a->env, &a->conn, d->now, &i);
	CU_ASSERT_EQUAL(i.state, 7);
	duo_free(d);
}

void
suite_tcp_conn(void)
{
	CU_pSuite s = CU_add_suite("tcp_conn", NULL, NULL);

	CU_add_test(s, "defaults are those that peers expect (RFC 9293 MUST-28)",
	            test_defaults_are_those_that_peers_expect);
	CU_add_test(s, "any memory becomes a closed connection",
	            test_any_memory_becomes_a_closed_connection);
	CU_add_test(s, "options have the configured default",
	            test_options_have_the_configured_default);
	CU_add_test(s, "options take effect at once", test_options_take_effect_at_once);
	CU_add_test(s, "options set before the open count",
	            test_options_set_before_the_open_count);
	CU_add_test(s, "release gives everything back", test_release_gives_everything_back);
	CU_add_test(s, "chunks come from those used before",
	            test_chunks_come_from_those_used_before);
	CU_add_test(s, "shutdown twice is once", test_shutdown_twice_is_once);
	CU_add_test(s, "closing what is closed is nothing", test_closing_what_is_closed_is_nothing);
	CU_add_test(s, "TCP_INFO", test_info);
}
