/* SPDX-License-Identifier: BSD-3-Clause */
/* Paths that drop what is too large and do not say so. */
#include <CUnit/CUnit.h>

#include "tcp/tcp_plpmtu.h"
#include "tcp/tcp_pmtu.h"
#include "test/script/peer.h"

void suite_tcp_plpmtu(void);

static uint32_t probing, limit;

static void
tuned(struct tcp_cfg *cfg, int who)
{
	(void)who;
	cfg->mtu_probing = probing;
	cfg->hystart = TCP_HYSTART_OFF;
}

/* The way from A takes segments of `limit` bytes, options counted. */
static bool
narrow(struct duo *d, int from, struct tcp_seg *s)
{
	(void)d;
	return from != DUO_A || s->len + (s->opts & TCP_OPT_TS ? 12 : 0) <= limit;
}

static struct duo *
narrow_path_of(void (*cfg)(struct tcp_cfg *, int), uint32_t how, uint32_t bytes)
{
	struct duo *d;

	probing = how;
	limit = bytes;
	d = duo_established(&(struct duo_opts){ .cfg = cfg });
	d->filter = narrow;
	return d;
}

static struct duo *
narrow_path(uint32_t how, uint32_t bytes)
{
	return narrow_path_of(tuned, how, bytes);
}

/* Sends the pattern for so long; what arrives is right.  Returns how much did. */
static uint32_t
sends_for(struct duo *d, int64_t ns)
{
	int64_t end = d->now + ns;
	uint32_t got = 0;

	while (d->now < end) {
		(void)duo_write_pattern(&d->side[DUO_A], 100000);
		duo_run(d, MS(100));
		got += duo_read_pattern(&d->side[DUO_B]);
	}
	return got;
}

static uint32_t
size_of(const struct duo *d)
{
	return d->side[DUO_A].conn.mss + 12u;
}

static void
test_the_size_of_both_ends_is_tried_first(void)
{
	struct duo *d = narrow_path(TCP_MTU_PROBING_ALWAYS, 1460);

	CU_ASSERT_EQUAL(d->side[DUO_A].conn.mss, 1024);
	CU_ASSERT(sends_for(d, SEC(1)) > 500000);
	CU_ASSERT_EQUAL(size_of(d), 1460);
	CU_ASSERT_EQUAL(tcp_rare(&d->side[DUO_A].conn)->plpmtu_high, 1460);
	CU_ASSERT_EQUAL(d->side[DUO_A].conn.ssthresh, UINT32_MAX);
	duo_free(d);
}

static void
test_the_size_is_found_and_lost_probes_are_no_congestion(void)
{
	struct duo *d = narrow_path(TCP_MTU_PROBING_ALWAYS, 1300);
	struct tcp_conn *c = &d->side[DUO_A].conn;

	CU_ASSERT(sends_for(d, SEC(3)) > 500000);
	CU_ASSERT(size_of(d) <= 1300 && size_of(d) > 1300 - 8);
	CU_ASSERT(tcp_rare(c)->total_retrans >= 2 && tcp_rare(c)->total_retrans < 40);
	CU_ASSERT_EQUAL(tcp_rare(c)->plpmtu_low, 1299);
	CU_ASSERT_EQUAL(tcp_rare(c)->plpmtu_high, 1303); /* near enough */
	CU_ASSERT_EQUAL(c->ssthresh, UINT32_MAX);
	CU_ASSERT_EQUAL(c->xmit ? c->xmit->probe : 0, 0);
	duo_free(d);
}

static void
no_sack(struct tcp_cfg *cfg, int who)
{
	tuned(cfg, who);
	cfg->sack = false;
}

static void
test_without_sack_too(void)
{
	struct duo *d = narrow_path_of(no_sack, TCP_MTU_PROBING_ALWAYS, 1300);

	CU_ASSERT(sends_for(d, SEC(3)) > 500000);
	CU_ASSERT(size_of(d) <= 1300 && size_of(d) > 1300 - 8);
	CU_ASSERT_EQUAL(d->side[DUO_A].conn.ssthresh, UINT32_MAX);
	duo_free(d);
}

static void
test_a_path_that_grows_is_found_out(void)
{
	struct duo *d = narrow_path(TCP_MTU_PROBING_ALWAYS, 1300);

	(void)sends_for(d, SEC(3));
	limit = 1460;
	(void)sends_for(d, SEC(3));
	CU_ASSERT(size_of(d) <= 1300);
	duo_run(d, SEC(600));
	(void)sends_for(d, SEC(3));
	CU_ASSERT_EQUAL(size_of(d), 1460);
	duo_free(d);
}

static void
slow_to_start(struct tcp_cfg *cfg, int who)
{
	tuned(cfg, who);
	cfg->initial_cwnd = 1;
}

/* What leaves of A fits its window, in these paths of one segment at a time after a pause. */
static bool
narrow_and_in_cwnd(struct duo *d, int from, struct tcp_seg *s)
{
	if (from == DUO_A && s->len > d->side[DUO_A].conn.cwnd)
		CU_FAIL("a segment larger than cwnd");
	return narrow(d, from, s);
}

static void
test_a_probe_fits_the_window_that_a_pause_leaves(void)
{
	struct duo *d = narrow_path_of(slow_to_start, TCP_MTU_PROBING_ALWAYS, 1300);

	d->filter = narrow_and_in_cwnd;
	(void)sends_for(d, SEC(3));
	limit = 1460;
	duo_run(d, SEC(600));
	(void)sends_for(d, SEC(3));
	CU_ASSERT_EQUAL(size_of(d), 1460);
	duo_free(d);
}

static void
test_a_black_hole_is_found(void)
{
	struct duo *d = narrow_path(TCP_MTU_PROBING_BLACK_HOLE, 1460);

	CU_ASSERT_EQUAL(size_of(d), 1460);
	(void)sends_for(d, SEC(1));
	limit = 600;
	CU_ASSERT(sends_for(d, SEC(30)) > 100000);
	CU_ASSERT(size_of(d) <= 600 && size_of(d) > 500);
	duo_free(d);
}

/* Not full, and yet too large. */
static void
test_a_black_hole_swallows_segments_that_are_not_full(void)
{
	struct duo *d = narrow_path(TCP_MTU_PROBING_BLACK_HOLE, 600);

	(void)duo_write_pattern(&d->side[DUO_A], 700);
	duo_run(d, SEC(30));
	CU_ASSERT_EQUAL(duo_read_pattern(&d->side[DUO_B]), 700);
	duo_free(d);
}

static void
test_nothing_is_searched_unless_asked(void)
{
	struct duo *d = narrow_path(TCP_MTU_PROBING_OFF, 1300);

	CU_ASSERT_EQUAL(sends_for(d, SEC(20)), 0);
	CU_ASSERT_EQUAL(size_of(d), 1460);
	duo_free(d);
}

/* A dead path is no narrow one: when it is back the search finds what it took before. */
static void
test_a_dead_path_does_not_make_segments_small_for_ever(void)
{
	struct duo *d = narrow_path(TCP_MTU_PROBING_BLACK_HOLE, 1460);

	(void)sends_for(d, SEC(1));
	d->cut[DUO_A] = true;
	(void)sends_for(d, SEC(20));
	CU_ASSERT(size_of(d) < 1036);
	d->cut[DUO_A] = false;
	(void)sends_for(d, SEC(40));
	CU_ASSERT_EQUAL(size_of(d), 1460);
	duo_free(d);
}

/* ----------------------------------------------- probes one by one -- */

/* The first window has room for 10 segments; the 11th may be a probe. */
#define PROBE (1 + 10 * 1024u)

static void
probed(struct peer *p)
{
	probing = TCP_MTU_PROBING_ALWAYS;
	peer_connected(p, &(struct peer_opts){ .cfg = tuned });
	duo_option(p->a, TCP_OPTION_SNDBUF, 200000);
	peer_a_writes(p, 60000);
	for (unsigned i = 0; i < 10; i++)
		EXPECT(p, ".", 1 + i * 1024, 1024, 1);
	SAY(p, ".", 1, 0, 1025);
	EXPECT(p, ".", PROBE, 1460, 1);
}

static void
test_a_probe_has_text_behind_it(void)
{
	struct peer p;

	probed(&p);
	SAY(&p, ".", 1, 0, 3073);
	EXPECT(&p, ".", PROBE + 1460, 1024, 1); /* one at a time */
	(void)peer_skips(&p);
	CU_ASSERT_EQUAL(p.a->conn.mss, 1024);
	SAY(&p, ".", 1, 0, PROBE + 1460);
	CU_ASSERT_EQUAL(p.a->conn.mss, 1460);
	peer_free(&p);
}

/* 7.6: with something else it may have been congestion. */
static void
test_more_losses_than_the_probe_are_congestion(void)
{
	struct peer p;

	probed(&p);
	SAY(&p, ".", 1, 0, PROBE);
	(void)peer_skips(&p);
	peer_sack(&p, PROBE + 1460 + 1024, PROBE + 1460 + 5 * 1024, 0);
	SAY(&p, ".", 1, 0, PROBE);
	CU_ASSERT_EQUAL(p.a->conn.ca, TCP_CA_RECOVERY);
	CU_ASSERT_EQUAL(tcp_rare(&p.a->conn)->plpmtu_high, 1460);
	EXPECT(&p, ".", PROBE, 1024, 1);
	peer_free(&p);
}

static void
test_a_lost_probe_leaves_again_in_parts(void)
{
	struct peer p;
	uint32_t cwnd;

	probed(&p);
	SAY(&p, ".", 1, 0, PROBE);
	(void)peer_skips(&p);
	cwnd = p.a->conn.cwnd;
	peer_sack(&p, PROBE + 1460, PROBE + 1460 + 4 * 1024, 0);
	SAY(&p, ".", 1, 0, PROBE);
	EXPECT(&p, ".", PROBE, 1024, 1);
	EXPECT(&p, ".", PROBE + 1024, 436, 1);
	CU_ASSERT_EQUAL(p.a->conn.ca, TCP_CA_DISORDER);
	CU_ASSERT(p.a->conn.cwnd >= cwnd);
	CU_ASSERT_EQUAL(tcp_rare(&p.a->conn)->plpmtu_high, 1459);
	peer_free(&p);
}

/* 7.3: a router's word on a probe is as good as its loss, and says more. */
static void
test_a_router_answers_a_probe(void)
{
	struct peer p;

	probed(&p);
	tcp_icmp_frag_needed(&p.a->env, &p.a->conn, 1340, p.d->now);
	CU_ASSERT_EQUAL(tcp_rare(&p.a->conn)->plpmtu_high, 1300);
	CU_ASSERT_EQUAL(p.a->conn.mss, 1024);
	duo_pump(p.a);
	EXPECT(&p, ".", PROBE, 1024, 1);
	peer_free(&p);
}

static void
test_a_timeout_says_nothing_of_a_probe(void)
{
	struct peer p;

	probed(&p);
	SAY(&p, ".", 1, 0, PROBE);
	peer_sleeps(&p, SEC(3));
	CU_ASSERT_EQUAL(p.a->conn.xmit->probe, 0);
	CU_ASSERT_EQUAL(tcp_rare(&p.a->conn)->plpmtu_high, 1460);
	peer_free(&p);
}

static void
test_no_probe_without_text_to_follow(void)
{
	struct peer p;

	probing = TCP_MTU_PROBING_ALWAYS;
	peer_connected(&p, &(struct peer_opts){ .cfg = tuned });
	duo_option(p.a, TCP_OPTION_SNDBUF, 200000);
	peer_a_writes(&p, 10 * 1024 + 1460 + 4 * 1024 - 1);
	for (unsigned i = 0; i < 10; i++)
		EXPECT(&p, ".", 1 + i * 1024, 1024, 1);
	SAY(&p, ".", 1, 0, 1025);
	EXPECT(&p, ".", PROBE, 1024, 1);
	peer_free(&p);
}

/* Until `n` time-outs in a row; false: it does not come to that. */
static bool
times_out(struct duo *d, unsigned n)
{
	int64_t end = d->now + SEC(60);

	while (d->side[DUO_A].conn.retries < n && d->now < end)
		(void)duo_step(d, end);
	return d->side[DUO_A].conn.retries == n;
}

/* Three are bad luck. */
static void
test_the_fourth_timeout_is_a_black_hole(void)
{
	struct duo *d = narrow_path(TCP_MTU_PROBING_BLACK_HOLE, 600);

	(void)duo_write_pattern(&d->side[DUO_A], 10000);
	CU_ASSERT_TRUE(times_out(d, 3));
	CU_ASSERT_EQUAL(size_of(d), 1460);
	CU_ASSERT_TRUE(times_out(d, 4));
	CU_ASSERT_EQUAL(size_of(d), 1036);
	CU_ASSERT_TRUE(times_out(d, 5));
	CU_ASSERT_EQUAL(size_of(d), 524);
	duo_free(d);
}

void
suite_tcp_plpmtu(void)
{
	CU_pSuite s = CU_add_suite("tcp_plpmtu", NULL, NULL);

	CU_add_test(s, "the size of both ends is tried first (RFC 4821 7)",
	            test_the_size_of_both_ends_is_tried_first);
	CU_add_test(s, "the size is found, and lost probes are no congestion (RFC 4821 7, 7.6)",
	            test_the_size_is_found_and_lost_probes_are_no_congestion);
	CU_add_test(s, "without SACK too (RFC 4821 7.6)", test_without_sack_too);
	CU_add_test(s, "a path that grows is found out (RFC 4821 7.3)",
	            test_a_path_that_grows_is_found_out);
	CU_add_test(s, "a probe fits the window that a pause leaves (RFC 4821 7.2)",
	            test_a_probe_fits_the_window_that_a_pause_leaves);
	CU_add_test(s, "a black hole is found (RFC 4821 7.7)", test_a_black_hole_is_found);
	CU_add_test(s, "the fourth time-out is a black hole (RFC 4821 7.7)",
	            test_the_fourth_timeout_is_a_black_hole);
	CU_add_test(s, "no probe without text to follow (RFC 4821 7.4)",
	            test_no_probe_without_text_to_follow);
	CU_add_test(s, "a black hole swallows segments that are not full (RFC 4821 7.7)",
	            test_a_black_hole_swallows_segments_that_are_not_full);
	CU_add_test(s, "nothing is searched unless asked", test_nothing_is_searched_unless_asked);
	CU_add_test(s, "a dead path does not make segments small for ever (RFC 4821 7.7)",
	            test_a_dead_path_does_not_make_segments_small_for_ever);
	CU_add_test(s, "a probe has text behind it (RFC 4821 7.4)", test_a_probe_has_text_behind_it);
	CU_add_test(s, "more losses than the probe are congestion (RFC 4821 7.6)",
	            test_more_losses_than_the_probe_are_congestion);
	CU_add_test(s, "a lost probe leaves again in parts (RFC 4821 7.6)",
	            test_a_lost_probe_leaves_again_in_parts);
	CU_add_test(s, "a router answers a probe (RFC 4821 7.3)", test_a_router_answers_a_probe);
	CU_add_test(s, "a time-out says nothing of a probe (RFC 4821 7.6)",
	            test_a_timeout_says_nothing_of_a_probe);
}
