/* SPDX-License-Identifier: BSD-3-Clause */
/* Round-trip time: RFC 6298's formulas in integers against the same in floating point. */
#include "tcp/tcp_rtt.h"

#include <CUnit/CUnit.h>
#include <math.h>

#include "base/rng.h"

void suite_tcp_rtt(void);

struct fixture {
	struct tcp_cfg cfg;
	struct tcp_conn c;
};

static struct fixture
fixture_new(void)
{
	struct fixture f;

	memset(&f, 0, sizeof f);
	tcp_cfg_default(&f.cfg);
	f.c.rto_us = (uint32_t)(f.cfg.rto_initial_ns / NS_PER_US);
	return f;
}

/* RFC 6298 2.2: SRTT = R, RTTVAR = R/2, RTO = SRTT + 4 RTTVAR. */
static void
test_first_sample(void)
{
	struct fixture f = fixture_new();

	tcp_rtt_sample(&f.cfg, &f.c, MS(100));
	CU_ASSERT_EQUAL(tcp_srtt_ns(&f.c), MS(100));
	CU_ASSERT_EQUAL(f.c.rttvar_us, 4 * 50000);
	CU_ASSERT_EQUAL(tcp_rto_ns(&f.c), MS(300));
	CU_ASSERT_EQUAL(f.c.min_rtt_us, 100000);
}

/* RFC 6298 2.3: RTTVAR <- 3/4 RTTVAR + 1/4 |SRTT - R'|, then SRTT <- 7/8 SRTT + 1/8 R'. */
static void
test_later_samples_follow_the_formulas(void)
{
	struct fixture f = fixture_new();
	struct rng rng = { 6298 };
	double srtt = 0, var = 0;

	for (int i = 0; i < 20000; i++) {
		uint32_t us = 1 + rng_below(&rng, i / 1000 % 2 ? 3000 : 900000);
		double off;

		tcp_rtt_sample(&f.cfg, &f.c, US(us));
		var = i ? 0.75 * var + 0.25 * fabs(srtt - us) : us / 2.0;
		srtt = i ? 0.875 * srtt + 0.125 * us : us;
		off = fabs(f.c.srtt_us / 8.0 - srtt);
		CU_ASSERT(off <= 1.5); /* what the fractions that are dropped add up to */
		off = fabs(f.c.rttvar_us / 4.0 - var);
		CU_ASSERT(off <= 3);
	}
}

/* The floor is on the variance term: a long path keeps its margin. */
static void
test_the_floor_is_on_the_variance(void)
{
	struct fixture f = fixture_new();

	for (int i = 0; i < 200; i++)
		tcp_rtt_sample(&f.cfg, &f.c, MS(500));
	CU_ASSERT_EQUAL(tcp_srtt_ns(&f.c), MS(500));
	CU_ASSERT_EQUAL(tcp_rto_ns(&f.c), MS(700));
	f.cfg.rto_min_ns = MS(10);
	tcp_rtt_sample(&f.cfg, &f.c, MS(500));
	CU_ASSERT_EQUAL(tcp_rto_ns(&f.c), MS(510));
}

static void
test_the_time_out_has_a_ceiling(void)
{
	struct fixture f = fixture_new();

	tcp_rtt_sample(&f.cfg, &f.c, SEC(90));
	CU_ASSERT_EQUAL(tcp_rto_ns(&f.c), f.cfg.rto_max_ns);
}

/* A segment on the way for longer than any timer, or for no time at all. */
static void
test_extreme_samples_do_no_harm(void)
{
	static const int64_t samples[] = { 0, 999, INT64_MAX, 0, INT64_MAX, INT64_MAX, 1, SEC(1) };
	struct fixture f = fixture_new();

	for (int i = 0; i < 1000; i++) {
		tcp_rtt_sample(&f.cfg, &f.c, samples[(unsigned)i % array_len(samples)]);
		CU_ASSERT(f.c.srtt_us >= 8); /* 0 would mean "none yet" */
		CU_ASSERT(f.c.srtt_us <= 8 * 100000000u);
		CU_ASSERT(tcp_rto_ns(&f.c) >= f.cfg.rto_min_ns);
		CU_ASSERT(tcp_rto_ns(&f.c) <= f.cfg.rto_max_ns);
	}
	CU_ASSERT_EQUAL(f.c.min_rtt_us, 1);
}

/* RFC 6298 5.5, 2.5. */
static void
test_each_expiry_doubles_up_to_the_maximum(void)
{
	struct fixture f = fixture_new();
	int64_t expected;

	tcp_rtt_sample(&f.cfg, &f.c, MS(100));
	expected = tcp_rto_ns(&f.c);
	for (int i = 0; i < 100; i++) {
		tcp_rtt_back_off(&f.cfg, &f.c);
		expected = min(2 * expected, SEC(120));
		CU_ASSERT_EQUAL(tcp_rto_ns(&f.c), expected);
	}
}

/* RFC 6298 5, Karn: only a valid sample ends the back-off. */
static void
test_a_sample_ends_the_back_off(void)
{
	struct fixture f = fixture_new();

	tcp_rtt_sample(&f.cfg, &f.c, MS(100));
	tcp_rtt_back_off(&f.cfg, &f.c);
	tcp_rtt_back_off(&f.cfg, &f.c);
	tcp_rtt_sample(&f.cfg, &f.c, MS(100));
	CU_ASSERT(tcp_rto_ns(&f.c) <= MS(300));
}

/* RFC 6298 5.7: only when the handshake gave no sample. */
static void
test_a_slow_handshake_means_three_seconds(void)
{
	struct fixture f = fixture_new();

	tcp_rtt_handshake_was_slow(&f.c);
	CU_ASSERT_EQUAL(tcp_rto_ns(&f.c), SEC(3));
	tcp_rtt_sample(&f.cfg, &f.c, MS(100));
	tcp_rtt_handshake_was_slow(&f.c);
	CU_ASSERT_EQUAL(tcp_rto_ns(&f.c), MS(300));
}

static void
test_a_wait_that_was_not_the_path_is_forgotten(void)
{
	struct fixture f = fixture_new();

	for (int i = 0; i < 5; i++)
		tcp_rtt_back_off(&f.cfg, &f.c);
	tcp_rtt_forget_back_off(&f.cfg, &f.c);
	CU_ASSERT_EQUAL(tcp_rto_ns(&f.c), SEC(3)); /* nothing is known of the path */
	tcp_rtt_sample(&f.cfg, &f.c, MS(100));
	for (int i = 0; i < 5; i++)
		tcp_rtt_back_off(&f.cfg, &f.c);
	tcp_rtt_forget_back_off(&f.cfg, &f.c);
	CU_ASSERT_EQUAL(tcp_rto_ns(&f.c), MS(300));
}

static void
test_the_smallest_sample_is_kept(void)
{
	struct fixture f = fixture_new();

	tcp_rtt_sample(&f.cfg, &f.c, MS(9));
	tcp_rtt_sample(&f.cfg, &f.c, MS(7));
	tcp_rtt_sample(&f.cfg, &f.c, MS(8));
	CU_ASSERT_EQUAL(f.c.min_rtt_us, 7000);
}

void
suite_tcp_rtt(void)
{
	CU_pSuite s = CU_add_suite("tcp_rtt", NULL, NULL);

	CU_add_test(s, "the first sample is the estimate (RFC 6298 2.2; Linux: RTO)",
	            test_first_sample);
	CU_add_test(s, "later samples follow the formulas (RFC 6298 2.3; RFC 8961 4/2)",
	            test_later_samples_follow_the_formulas);
	CU_add_test(s, "the floor is on the variance (RFC 6298 2.4; Linux: RTO)",
	            test_the_floor_is_on_the_variance);
	CU_add_test(s, "the time-out has a ceiling (RFC 6298 2.5)",
	            test_the_time_out_has_a_ceiling);
	CU_add_test(s, "extreme samples do no harm", test_extreme_samples_do_no_harm);
	CU_add_test(s, "each expiry doubles up to the maximum (RFC 6298 5.5)",
	            test_each_expiry_doubles_up_to_the_maximum);
	CU_add_test(s, "a sample ends the back-off", test_a_sample_ends_the_back_off);
	CU_add_test(s, "a slow handshake means three seconds",
	            test_a_slow_handshake_means_three_seconds);
	CU_add_test(s, "a wait that was not the path is forgotten",
	            test_a_wait_that_was_not_the_path_is_forgotten);
	CU_add_test(s, "the smallest sample is kept", test_the_smallest_sample_is_kept);
}
