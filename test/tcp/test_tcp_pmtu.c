/* SPDX-License-Identifier: BSD-3-Clause */
/* What a router said of the path: who heeds it, and for how long. */
#include <CUnit/CUnit.h>

#include "tcp/tcp_pmtu.h"
#include "test/script/peer.h"

void suite_tcp_pmtu(void);

static void
lowers(struct peer *p, uint32_t mtu)
{
	tcp_icmp_frag_needed(&p->a->env, &p->a->conn, mtu, p->d->now);
	duo_pump(p->a);
}

/* A has a connection whose path takes 1000 bytes; all is acknowledged. */
static void
narrowed(struct peer *p)
{
	peer_connected(p, NULL);
	peer_a_writes(p, 1460);
	EXPECT(p, "P.", 1, 1460, 1);
	lowers(p, 1000);
	EXPECT(p, ".", 1, 960, 1);
	EXPECT(p, "P.", 961, 500, 1);
	SAY(p, ".", 1, 0, 1461);
}

static void
test_no_word_to_congestion_control(void)
{
	struct peer p;
	uint32_t cwnd;

	peer_connected(&p, NULL);
	cwnd = p.a->conn.cwnd;
	peer_a_writes(&p, 1460);
	(void)peer_skips(&p);
	lowers(&p, 1000);
	EXPECT(&p, ".", 1, 960, 1);
	CU_ASSERT_EQUAL(p.a->conn.cwnd, cwnd);
	CU_ASSERT_EQUAL(p.a->conn.ssthresh, UINT32_MAX);
	CU_ASSERT_EQUAL(p.a->conn.ca, TCP_CA_OPEN);
	peer_free(&p);
}

static void
test_a_larger_size_is_tried_after_ten_minutes(void)
{
	struct peer p;

	narrowed(&p);
	peer_sleeps(&p, SEC(599));
	peer_a_writes(&p, 960);
	EXPECT(&p, "P.", 1461, 960, 1);
	SAY(&p, ".", 1, 0, 2421);
	peer_sleeps(&p, SEC(2));
	peer_a_writes(&p, 1460);
	EXPECT(&p, "P.", 2421, 1460, 1);
	lowers(&p, 1000); /* in vain: it leaves again at once */
	EXPECT(&p, ".", 2421, 960, 1);
	peer_free(&p);
}

static void
test_new_connections_know(void)
{
	struct peer p;

	narrowed(&p);
	for (unsigned i = 0; i < 2; i++) {
		SAY(&p, "R", 1, 0, 0);
		(void)peer_skips(&p);
		duo_connect(p.a);
		EXPECT(&p, "S", 0, 0, 0);
		CU_ASSERT_EQUAL(p.last->s.mss, 1460); /* what we take is another matter */
		peer_syn_options(&p);
		SAY(&p, "S.", 0, 0, 1);
		EXPECT(&p, ".", 1, 0, 1);
		peer_a_writes(&p, 1460);
		EXPECT(&p, ".", 1, i ? 1460 : 960, 1);
		peer_sleeps(&p, i ? 0 : SEC(601));
		(void)peer_skips(&p);
	}
	peer_free(&p);
}

/* A smaller word shortens; a larger one neither raises nor lengthens. */
static void
test_the_smallest_word_counts(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	lowers(&p, 1000);
	lowers(&p, 1400);
	CU_ASSERT_EQUAL(tcp_pmtu_path(&p.a->env, &p.a->conn, p.d->now), 960);
	lowers(&p, 800);
	CU_ASSERT_EQUAL(tcp_pmtu_path(&p.a->env, &p.a->conn, p.d->now), 760);
	CU_ASSERT_EQUAL(p.a->conn.mss, 760);
	lowers(&p, 68);
	CU_ASSERT_EQUAL(p.a->conn.mss, 512);
	CU_ASSERT_EQUAL(tcp_pmtu_path(&p.a->env, &p.a->conn, p.d->now + SEC(601)), 1460);
	peer_free(&p);
}

static void
narrow_ways(struct tcp_cfg *cfg, int who)
{
	(void)who;
	cfg->min_pmtu = 68;
}

/* RFC 1191 3: 68 bytes, by choice; IPv6 has 1280 (RFC 8201 4) and no choice. */
static void
test_the_least_size_is_a_choice(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .cfg = narrow_ways });
	lowers(&p, 300);
	CU_ASSERT_EQUAL(p.a->conn.mss, 260);
	lowers(&p, 0);
	CU_ASSERT_EQUAL(p.a->conn.mss, TCP_MSS_MIN); /* no segment is smaller */
	peer_free(&p);
	peer_connected(&p, &(struct peer_opts){ .cfg = narrow_ways, .v6 = true });
	lowers(&p, 300);
	CU_ASSERT_EQUAL(p.a->conn.mss, 1220);
	peer_free(&p);
}

/* The core may keep no paths: then the connection is all that knows. */
static void
test_a_connection_knows_alone(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	p.a->env.paths.n = 0;
	lowers(&p, 1000);
	for (uint32_t at = 1; at < 10000; at += 960) {
		peer_a_writes(&p, 960);
		EXPECT(&p, "P.", at, 960, 1);
		SAY(&p, ".", 1, 0, at + 960);
	}
	peer_a_writes(&p, 1460);
	EXPECT(&p, ".", 10561, 960, 1);
	peer_free(&p);
}

/* What has arrived contradicts the router: it waits for an RTO to prove it right. */
static void
test_a_router_that_what_arrives_contradicts(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	peer_a_writes(&p, 1460);
	(void)peer_skips(&p);
	SAY(&p, ".", 1, 0, 1461);
	peer_a_writes(&p, 1460);
	EXPECT(&p, "P.", 1461, 1460, 1);
	lowers(&p, 1000);
	EXPECT_NOTHING(&p);
	SAY(&p, ".", 1, 0, 2921); /* so it lied */
	CU_ASSERT_EQUAL(p.a->conn.mss, 1460);
	CU_ASSERT_EQUAL(tcp_rare(&p.a->conn)->pmtu_claim, 0);
	peer_a_writes(&p, 1460);
	EXPECT(&p, "P.", 2921, 1460, 1);
	lowers(&p, 1000);
	lowers(&p, 1200); /* the last word counts */
	peer_sleeps(&p, SEC(1));
	EXPECT(&p, "P.", 2921, 1460, 1); /* a tail loss probe */
	EXPECT(&p, ".", 2921, 1160, 1);
	CU_ASSERT_EQUAL(p.a->conn.mss, 1160);
	lowers(&p, 900); /* nothing has arrived since: believed at once */
	CU_ASSERT_EQUAL(p.a->conn.mss, 860);
	peer_free(&p);
}

void
suite_tcp_pmtu(void)
{
	CU_pSuite s = CU_add_suite("tcp_pmtu", NULL, NULL);

	CU_add_test(s, "what was too large is no sign of congestion (RFC 1191 6.4)",
	            test_no_word_to_congestion_control);
	CU_add_test(s, "a larger size is tried after ten minutes (RFC 1191 6.3)",
	            test_a_larger_size_is_tried_after_ten_minutes);
	CU_add_test(s, "a router that what arrives contradicts is not believed yet (RFC 5927 7.2)",
	            test_a_router_that_what_arrives_contradicts);
	CU_add_test(s, "new connections know the path MTU (RFC 1191 3/lowers)",
	            test_new_connections_know);
	CU_add_test(s, "the smallest word counts (RFC 1191 3/lowers, 3/floor)",
	            test_the_smallest_word_counts);
	CU_add_test(s, "the least size is a choice (RFC 1191 3/floor)",
	            test_the_least_size_is_a_choice);
	CU_add_test(s, "a connection knows alone", test_a_connection_knows_alone);
}
