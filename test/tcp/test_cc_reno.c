/* SPDX-License-Identifier: BSD-3-Clause */
/* Reno (RFC 5681) with byte counting (RFC 3465): growth and reduction, ACK by ACK. */
#include <CUnit/CUnit.h>

#include "base/rng.h"
#include "tcp/tcp_rare.h"

void suite_cc_reno(void);

#define MSS 1000u

static struct tcp_conn
conn(uint32_t cwnd, uint32_t ssthresh)
{
	static struct tcp_rare rare;
	struct tcp_conn c;

	memset(&c, 0, sizeof c);
	memset(&rare, 0xff, sizeof rare);
	c.rare = &rare;
	c.mss = MSS;
	c.cwnd = cwnd;
	c.ssthresh = ssthresh;
	cc_reno.init(NULL, &c, 0);
	return c;
}

static void
ack(struct tcp_conn *c, uint32_t bytes)
{
	struct cc_ack a = { .acked = bytes, .flight = c->cwnd, .cwnd_limited = true, .rtt_ns = -1 };

	cc_reno.on_ack(NULL, c, &a);
}

/* RFC 5681 3.1, equation 2, by bytes. */
static void
test_slow_start_grows_by_what_is_acknowledged(void)
{
	struct tcp_conn c = conn(10 * MSS, UINT32_MAX);

	ack(&c, MSS);
	CU_ASSERT_EQUAL(c.cwnd, 11 * MSS);
	ack(&c, 2 * MSS);
	CU_ASSERT_EQUAL(c.cwnd, 13 * MSS);
	for (unsigned i = 0; i < 100; i++) /* an ACK a byte earns nothing more */
		ack(&c, 1);
	CU_ASSERT_EQUAL(c.cwnd, 13 * MSS + 100);
}

static void
test_slow_start_ends_at_ssthresh(void)
{
	struct tcp_conn c = conn(10 * MSS, 12 * MSS);

	ack(&c, 5 * MSS);
	CU_ASSERT_EQUAL(c.cwnd, 12 * MSS);
	ack(&c, 9 * MSS - 1); /* 3 MSS were left over: together nearly a window */
	CU_ASSERT_EQUAL(c.cwnd, 12 * MSS);
	ack(&c, 1);
	CU_ASSERT_EQUAL(c.cwnd, 13 * MSS);
}

/* RFC 3465 2.1: a segment for a window, however the ACKs are cut. */
static void
test_avoidance_adds_a_segment_a_window(void)
{
	struct rng rng = { 5681 };

	for (unsigned run = 0; run < 50; run++) {
		struct tcp_conn c = conn(20 * MSS, 20 * MSS);
		uint32_t most = 1 + rng_below(&rng, 4 * MSS);

		for (uint32_t window = 20; window < 40; window++) {
			CU_ASSERT_EQUAL(c.cwnd, window * MSS);
			for (uint32_t left = window * MSS, n; left; left -= n) {
				CU_ASSERT_EQUAL(c.cwnd, window * MSS);
				n = 1 + rng_below(&rng, most);
				n = min(n, left);
				ack(&c, n);
			}
		}
	}
}

static void
test_no_growth_while_the_application_limits(void)
{
	struct tcp_conn c = conn(10 * MSS, UINT32_MAX);
	struct cc_ack a = { .acked = MSS, .flight = MSS, .rtt_ns = -1 };

	cc_reno.on_ack(NULL, &c, &a);
	c.ssthresh = MSS;
	for (unsigned i = 0; i < 100; i++)
		cc_reno.on_ack(NULL, &c, &a);
	CU_ASSERT_EQUAL(c.cwnd, 10 * MSS);
}

/* RFC 5681 3.1, equation 4: half of what is in flight, not of cwnd; at least two segments. */
static void
test_ssthresh_is_half_the_flight(void)
{
	struct tcp_conn c = conn(100 * MSS, UINT32_MAX);

	c.snd_una = seq_of(UINT32_MAX - 5);
	c.snd_nxt = seq_add(c.snd_una, 30 * MSS);
	CU_ASSERT_EQUAL(cc_reno.ssthresh(NULL, &c, 0), 15 * MSS);
	c.snd_nxt = seq_add(c.snd_una, 3 * MSS);
	CU_ASSERT_EQUAL(cc_reno.ssthresh(NULL, &c, 0), 2 * MSS);
}

static void
test_recovery_starts_the_count_anew(void)
{
	struct tcp_conn c = conn(10 * MSS, 10 * MSS);

	ack(&c, 10 * MSS - 1);
	cc_reno.on_recovered(&c, 0);
	ack(&c, 10 * MSS - 1);
	CU_ASSERT_EQUAL(c.cwnd, 10 * MSS);
	ack(&c, 1);
	CU_ASSERT_EQUAL(c.cwnd, 11 * MSS);
}

/* For days, on a path that loses nothing. */
static void
test_cwnd_does_not_wrap(void)
{
	struct tcp_conn c = conn(10 * MSS, UINT32_MAX);

	for (unsigned i = 0; i < 100; i++) {
		uint32_t before = c.cwnd;

		ack(&c, c.cwnd);
		CU_ASSERT(c.cwnd >= before);
	}
	CU_ASSERT_EQUAL(c.cwnd, 1u << 30);
	c.ssthresh = MSS;
	for (unsigned i = 0; i < 100; i++)
		ack(&c, c.cwnd);
	CU_ASSERT_EQUAL(c.cwnd, 1u << 30);
}

static void
test_idle_time_changes_nothing_here(void)
{
	struct tcp_conn c = conn(10 * MSS, 10 * MSS);

	ack(&c, 9 * MSS);
	cc_reno.on_restart(&c, SEC(10));
	CU_ASSERT_EQUAL(c.cwnd, 10 * MSS);
	ack(&c, MSS);
	CU_ASSERT_EQUAL(c.cwnd, 11 * MSS);
}

void
suite_cc_reno(void)
{
	CU_pSuite s = CU_add_suite("cc_reno", NULL, NULL);

	CU_add_test(s, "slow start grows by what is acknowledged (RFC 5681 3.1/slow-start)",
	            test_slow_start_grows_by_what_is_acknowledged);
	CU_add_test(s, "slow start ends at ssthresh", test_slow_start_ends_at_ssthresh);
	CU_add_test(s, "avoidance adds a segment a window (RFC 5681 3.1/avoidance)",
	            test_avoidance_adds_a_segment_a_window);
	CU_add_test(s, "no growth while the application limits",
	            test_no_growth_while_the_application_limits);
	CU_add_test(s, "ssthresh is half the flight (RFC 5681 3.1/ssthresh)",
	            test_ssthresh_is_half_the_flight);
	CU_add_test(s, "recovery starts the count anew", test_recovery_starts_the_count_anew);
	CU_add_test(s, "cwnd does not wrap", test_cwnd_does_not_wrap);
	CU_add_test(s, "idle time changes nothing here", test_idle_time_changes_nothing_here);
}
