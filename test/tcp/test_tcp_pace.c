/* SPDX-License-Identifier: BSD-3-Clause */
/* Segments spread over time: what a link sees of a paced sender. */
#include "tcp/tcp_pace.h"

#include <CUnit/CUnit.h>

#include "test/tcp/duo.h"

void suite_tcp_pace(void);

#define MSS 1448u

static void
paced(struct tcp_cfg *cfg, int who)
{
	cfg->pacing = who == DUO_A;
	cfg->sndbuf = cfg->sndbuf_max = 4000000;
	cfg->rcvbuf = cfg->rcvbuf_max = 8000000;
	cfg->quickack = 0;
}

static void
not_paced(struct tcp_cfg *cfg, int who)
{
	paced(cfg, who);
	cfg->pacing = false;
}

static struct duo *
pair(void (*cfg)(struct tcp_cfg *, int), int64_t latency)
{
	struct duo_opts o = { .seed = 1, .cfg = cfg, .latency = latency };

	return duo_established(&o);
}

/* The largest number of segments with text that left A within `ns`. */
static unsigned
most_within(const struct duo *d, int64_t ns)
{
	unsigned most = 0;

	for (size_t i = 0; i < d->n_log; i++) {
		unsigned n = 0;

		for (size_t k = i; k < d->n_log && d->log[k].at < d->log[i].at + ns; k++)
			n += d->log[k].from == DUO_A && d->log[k].s.len > 0;
		most = max(most, n);
	}
	return most;
}

static void
reads_for(struct duo *d, int64_t ns)
{
	for (int64_t end = d->now + ns; d->now < end;) {
		duo_run(d, MS(1));
		(void)duo_read_pattern(&d->side[DUO_B]);
	}
}

static void
test_off_by_default(void)
{
	struct duo *d = pair(not_paced, MS(50));

	CU_ASSERT_FALSE(tcp_pace_on(&d->side[DUO_A].env, &d->side[DUO_A].conn));
	duo_write_pattern(&d->side[DUO_A], 1000000);
	reads_for(d, MS(350)); /* rounds of 10, 20, 40 */
	CU_ASSERT_TRUE(most_within(d, MS(1)) >= 40);
	CU_ASSERT_EQUAL(tcp_rare(&d->side[DUO_A].conn)->pace_at, 0);
	duo_free(d);
}

/* The first window as one burst, then at twice the rate of a window a round trip. */
static void
test_spread_over_the_round_trip(void)
{
	struct duo *d = pair(paced, MS(50));

	duo_write_pattern(&d->side[DUO_A], 1000000);
	CU_ASSERT_EQUAL(most_within(d, MS(1)), TCP_PACE_BURST);
	duo_log_clear(d);
	reads_for(d, MS(350));
	CU_ASSERT_TRUE(d->side[DUO_A].conn.cwnd >= 50 * MSS);
	CU_ASSERT_TRUE(most_within(d, MS(1)) <= 5); /* a quantum late, and one */
	CU_ASSERT_TRUE(d->side[DUO_A].sent > 80);
	duo_free(d);
}

/* Linux's tcp_pacing_ss_ratio and tcp_pacing_ca_ratio. */
static void
test_both_ratios_are_a_choice(void)
{
	struct duo *d = pair(paced, MS(50));
	struct duo_side *a = &d->side[DUO_A];
	uint64_t full;

	a->cfg.pacing_ss_ratio = 100;
	full = tcp_pace_rate(&a->env, &a->conn);
	a->cfg.pacing_ss_ratio = 300;
	CU_ASSERT_EQUAL(tcp_pace_rate(&a->env, &a->conn) / full, 3);
	a->conn.ssthresh = a->conn.cwnd;
	CU_ASSERT_EQUAL(tcp_pace_rate(&a->env, &a->conn) * 10 / full, 12);
	a->cfg.pacing_ca_ratio = 50;
	CU_ASSERT_EQUAL(tcp_pace_rate(&a->env, &a->conn) * 10 / full, 5);
	duo_free(d);
}

/* SO_MAX_PACING_RATE is kept to over any length of time. */
static void
test_a_rate_is_kept(void)
{
	struct duo *d = pair(not_paced, MS(2));
	struct duo_side *a = &d->side[DUO_A];
	uint64_t got;

	a->opts.max_pacing_rate = 100000;
	duo_option(a, TCP_OPTION_MAX_PACING_RATE, 0);
	CU_ASSERT_TRUE(tcp_pace_on(&a->env, &a->conn));
	CU_ASSERT_EQUAL(tcp_pace_rate(&a->env, &a->conn), 100000);
	duo_write_pattern(a, 3000000);
	reads_for(d, SEC(10));
	got = tcp_bytes_acked(&a->conn);
	CU_ASSERT_TRUE(got <= 1000000 + TCP_PACE_BURST * MSS);
	CU_ASSERT_TRUE(got >= 950000);
	CU_ASSERT_TRUE(most_within(d, SEC(1)) <= 100000 / MSS + TCP_PACE_BURST + 1);
	duo_free(d);
}

/* A pause gives no more than a burst of credit. */
static void
test_a_pause_earns_a_burst(void)
{
	struct duo *d = pair(not_paced, MS(2));
	struct duo_side *a = &d->side[DUO_A];

	a->opts.max_pacing_rate = 100000;
	duo_option(a, TCP_OPTION_MAX_PACING_RATE, 0);
	duo_write_pattern(a, 20000);
	reads_for(d, SEC(3));
	duo_log_clear(d);
	duo_write_pattern(a, 200000);
	CU_ASSERT_EQUAL(most_within(d, MS(1)), TCP_PACE_BURST);
	reads_for(d, MS(500));
	CU_ASSERT_TRUE(most_within(d, MS(400)) <= TCP_PACE_BURST + 40000 / MSS + 1);
	duo_free(d);
}

/* The rate of a path so slow that the timer is later than the round trip. */
static void
test_slower_than_the_path(void)
{
	struct duo *d = pair(not_paced, US(100));
	struct duo_side *a = &d->side[DUO_A];

	a->opts.max_pacing_rate = 2000;
	duo_option(a, TCP_OPTION_MAX_PACING_RATE, 0);
	duo_write_pattern(a, 100000);
	reads_for(d, SEC(20));
	CU_ASSERT_TRUE(tcp_bytes_acked(&a->conn) <= 40000 + TCP_PACE_BURST * MSS);
	CU_ASSERT_TRUE(tcp_bytes_acked(&a->conn) >= 36000);
	CU_ASSERT_EQUAL(tcp_rare(&a->conn)->total_retrans, 0);
	a->opts.max_pacing_rate = INT64_MAX; /* and without a limit the rest leaves at once */
	duo_option(a, TCP_OPTION_MAX_PACING_RATE, 0);
	reads_for(d, MS(100));
	CU_ASSERT_EQUAL(tcp_bytes_acked(&a->conn), 100000);
	duo_free(d);
}

static bool
pure_ack(const struct duo_record *r)
{
	return r->s.len == 0 && !(r->s.flags & (TCP_SYN | TCP_FIN));
}

/* ACKs are not paced, and are not held up by text that is. */
static void
test_acks_are_not_paced(void)
{
	struct duo *d = pair(not_paced, MS(2));
	struct duo_side *a = &d->side[DUO_A];

	a->opts.max_pacing_rate = 1000;
	duo_option(a, TCP_OPTION_MAX_PACING_RATE, 0);
	duo_write_pattern(a, 100000);
	duo_run(d, MS(100));
	CU_ASSERT_TRUE(tcp_pace_holds(&a->conn, d->now));
	CU_ASSERT_EQUAL(tcp_owes(&a->env, &a->conn, d->now), TCP_OWES_NOTHING);
	duo_log_clear(d);
	duo_write_pattern(&d->side[DUO_B], 20 * MSS);
	duo_run(d, MS(100));
	CU_ASSERT_TRUE(duo_count(d, DUO_A, pure_ack) >= 10);
	duo_free(d);
}

/* Losses are repaired: the first retransmission does not wait. */
static void
test_losses_under_pacing(void)
{
	for (uint64_t seed = 1; seed <= 3; seed++) {
		struct duo_opts o = { .seed = seed, .cfg = paced };
		struct duo *d = duo_established(&o);
		uint32_t wrote = 0;

		d->loss_ppm = 30000;
		for (int64_t end = d->now + SEC(120);
		     d->now < end && tcp_bytes_acked(&d->side[DUO_A].conn) < 500000;) {
			wrote += duo_write_pattern(&d->side[DUO_A], 500000 - wrote);
			reads_for(d, MS(5));
		}
		CU_ASSERT_EQUAL(tcp_bytes_acked(&d->side[DUO_A].conn), 500000);
		duo_close(&d->side[DUO_A]);
		duo_close(&d->side[DUO_B]);
		duo_run(d, SEC(300));
		CU_ASSERT_TRUE(duo_over(d));
		duo_free(d);
	}
}

/* 200 % while cwnd is below half of ssthresh, then 120 % of cwnd per round trip. */
static void
test_the_rate_follows_cwnd(void)
{
	struct duo *d = pair(not_paced, MS(50));
	struct tcp_conn *c = &d->side[DUO_A].conn;
	struct tcp_info_data i;

	c->srtt_us = 100000 * 8;
	c->cwnd = 100000;
	c->ssthresh = UINT32_MAX;
	CU_ASSERT_EQUAL(tcp_pace_rate(&d->side[DUO_A].env, c), 2000000);
	c->ssthresh = 150000;
	CU_ASSERT_EQUAL(tcp_pace_rate(&d->side[DUO_A].env, c), 1200000);
	tcp_info_fill(&d->side[DUO_A].env, c, d->now, &i);
	CU_ASSERT_EQUAL(i.pacing_rate, 1200000);
	c->cwnd = 1u << 30;
	c->srtt_us = 8;
	CU_ASSERT_EQUAL(tcp_pace_rate(&d->side[DUO_A].env, c), (UINT64_C(120) << 30) * 10000);
	c->srtt_us = 0;
	CU_ASSERT_EQUAL(tcp_pace_rate(&d->side[DUO_A].env, c), UINT64_MAX);
	duo_free(d);
}

void
suite_tcp_pace(void)
{
	CU_pSuite s = CU_add_suite("tcp_pace", NULL, NULL);

	CU_add_test(s, "off by default (Linux: pacing)", test_off_by_default);
	CU_add_test(s, "a window is spread over the round trip (RFC 9002 7.7/rate; Linux: "
	            "pacing)",
	            test_spread_over_the_round_trip);
	CU_add_test(s, "SO_MAX_PACING_RATE is kept (option: SO_MAX_PACING_RATE)",
	            test_a_rate_is_kept);
	CU_add_test(s, "both ratios are a choice (RFC 9002 7.7/rate; Linux: pacing)",
	            test_both_ratios_are_a_choice);
	CU_add_test(s, "RFC 9002 7.7/burst: a pause earns a burst of ten", test_a_pause_earns_a_burst);
	CU_add_test(s, "slower than the path", test_slower_than_the_path);
	CU_add_test(s, "ACKs are not paced (RFC 9002 7.7/acks)", test_acks_are_not_paced);
	CU_add_test(s, "losses under pacing", test_losses_under_pacing);
	CU_add_test(s, "the rate follows cwnd (RFC 9002 7.7/rate)", test_the_rate_follows_cwnd);
}
