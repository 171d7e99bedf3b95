/* SPDX-License-Identifier: BSD-3-Clause */
/* Acknowledging and reassembly: RFC 9293 3.8.6.3, RFC 5681 4.2, RFC 2018, RFC 2883. */
#include <CUnit/CUnit.h>

#include "tcp/tcp_reass.h"
#include "test/script/peer.h"

void suite_script_ack(void);

static void
no_quick(struct tcp_cfg *cfg, int who)
{
	(void)who;
	cfg->quickack = 0;
}

static const struct peer_opts slow = { .cfg = no_quick };

/* The next segment has these SACK blocks, relative to the peer's ISN; end with 0. */
static void
expect_sack(struct peer *p, unsigned n, uint32_t s0, uint32_t e0, uint32_t s1, uint32_t e1,
            uint32_t s2, uint32_t e2)
{
	const uint32_t want[] = { s0, e0, s1, e1, s2, e2 };

	CU_ASSERT_PTR_NOT_NULL_FATAL(p->last);
	EXPECT_NUMBER(p, p->last->s.n_sack, n);
	for (unsigned i = 0; i < n && i < 3; i++) {
		EXPECT_NUMBER(p, seq_sub(p->last->s.sack[i].start, p->iss), want[2 * i]);
		EXPECT_NUMBER(p, seq_sub(p->last->s.sack[i].end, p->iss), want[2 * i + 1]);
	}
}

/* MUST-40. */
static void
test_delayed_ack(void)
{
	struct peer p;
	int64_t t0;

	peer_connected(&p, &slow);
	t0 = p.d->now;
	SAY(&p, "P.", 1, 10, 1);
	EXPECT_NOTHING(&p);
	peer_sleeps(&p, MS(500));
	EXPECT(&p, ".", 1, 0, 11);
	CU_ASSERT_TRUE(peer_after(&p, t0) >= MS(40));
	CU_ASSERT_TRUE(peer_after(&p, t0) <= MS(200));
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

static void
two_quick(struct tcp_cfg *cfg, int who)
{
	(void)who;
	cfg->quickack = 2;
}

/* Two ACKs at once from here on, and the third waits. */
static void
expect_two_quick(struct peer *p, uint32_t at)
{
	for (uint32_t i = 0; i < 2; i++) {
		SAY(p, "P.", at + i, 1, 1);
		EXPECT(p, ".", 1, 0, at + i + 1);
	}
	SAY(p, "P.", at + 2, 1, 1);
	EXPECT_NOTHING(p);
	peer_sleeps(p, MS(100)); /* less than an RTO */
	EXPECT(p, ".", 1, 0, at + 3);
}

/* What the peer's slow start needs, at the start and when it has to start over. */
static void
test_quick_acks(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .cfg = two_quick });
	expect_two_quick(&p, 1);
	peer_sleeps(&p, SEC(2));
	expect_two_quick(&p, 4); /* after a silence of more than an RTO */
	SAY(&p, "P.", 7, 1, 1);
	EXPECT_NOTHING(&p);
	SAY(&p, "P.", 6, 1, 1); /* a repetition */
	EXPECT(&p, ".", 1, 0, 8);
	expect_two_quick(&p, 8);
	peer_free(&p);
}

/* Segments of one burst: what filled the hole, and what came behind it. */
static void
test_repair_acks(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .cfg = two_quick });
	SAY(&p, ".", 1, 1460, 1);
	EXPECT(&p, ".", 1, 0, 1461);
	SAY(&p, ".", 2921, 1460, 1);
	EXPECT(&p, ".", 1, 0, 1461);
	p.a->opened = 0; /* a core takes its whole burst first */
	SAY(&p, ".", 1461, 1460, 1);
	p.a->opened = 1;
	SAY(&p, ".", 4381, 1460, 1);
	EXPECT(&p, ".", 1, 0, 4381); /* were it lost, the next would do */
	EXPECT(&p, ".", 1, 0, 5841);
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

/* The last segment that the peer's window lets leave: it waits for us. */
static void
test_pushed_full_segment(void)
{
	struct peer p;

	peer_connected(&p, &slow);
	SAY(&p, ".", 1, 1460, 1);
	EXPECT_NOTHING(&p);
	peer_sleeps(&p, MS(300));
	EXPECT(&p, ".", 1, 0, 1461);
	SAY(&p, "P.", 1461, 1460, 1);
	EXPECT(&p, ".", 1, 0, 2921);
	SAY(&p, "P.", 2921, 100, 1); /* ours may answer it */
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

/* A second small one does not push the first one's ACK further away. */
static void
test_delayed_ack_is_not_postponed(void)
{
	struct peer p;
	int64_t t0;

	peer_connected(&p, &slow);
	t0 = p.d->now;
	for (uint32_t i = 0; i < 50; i++) {
		SAY(&p, "P.", 1 + i, 1, 1);
		peer_sleeps(&p, MS(10));
		if (p.at < p.d->n_log)
			break;
	}
	CU_ASSERT_TRUE(p.d->log[p.at].at - t0 <= MS(200));
	peer_free(&p);
}

/* SHLD-19, RFC 2525 2.13. */
static void
test_every_second_full_segment(void)
{
	struct peer p;
	uint32_t at = 1;

	peer_connected(&p, &slow);
	SAY(&p, ".", at, 1460, 1);
	peer_sleeps(&p, MS(300));
	(void)peer_skips(&p);
	at += 1460;
	for (int i = 0; i < 10; i++) {
		SAY(&p, ".", at, 1460, 1);
		EXPECT_NOTHING(&p);
		at += 1460;
		SAY(&p, ".", at, 1460, 1);
		at += 1460;
		EXPECT(&p, ".", 1, 0, at);
	}
	peer_free(&p);
}

static void
test_quick_acks_at_the_start(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	for (uint32_t i = 0; i < 16; i++) {
		SAY(&p, "P.", 1 + i, 1, 1);
		EXPECT(&p, ".", 1, 0, 2 + i);
	}
	SAY(&p, "P.", 17, 1, 1);
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

/* A server's answer carries the ACK. */
static void
test_ack_rides_on_text(void)
{
	struct peer p;

	peer_connected(&p, &slow);
	SAY(&p, "P.", 1, 10, 1);
	peer_a_writes(&p, 20);
	EXPECT(&p, "P.", 1, 20, 11);
	peer_sleeps(&p, MS(150));
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

/* RFC 5681 4.2: out of order at once, and at once what fills a hole. */
static void
test_a_hole_is_acknowledged_at_once(void)
{
	struct peer p;

	peer_connected(&p, &slow);
	SAY_FATE(&p, ".", 101, 100, 1, SEG_OUT_OF_ORDER);
	EXPECT(&p, ".", 1, 0, 1);
	SAY_FATE(&p, ".", 201, 100, 1, SEG_OUT_OF_ORDER);
	EXPECT(&p, ".", 1, 0, 1);
	SAY_FATE(&p, ".", 1, 50, 1, SEG_OK); /* a part of it */
	EXPECT(&p, ".", 1, 0, 51);
	SAY_FATE(&p, ".", 51, 50, 1, SEG_OK);
	EXPECT(&p, ".", 1, 0, 301);
	EXPECT_NUMBER(&p, p.last->s.n_sack, 0);
	EXPECT_NUMBER(&p, peer_a_reads(&p), 300);
	peer_free(&p);
}

static void
test_reassembly_of_overlaps(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	SAY(&p, ".", 301, 100, 1);
	SAY(&p, ".", 101, 100, 1);
	SAY(&p, ".", 151, 200, 1); /* over the end of one and the start of the other */
	SAY(&p, ".", 81, 500, 1);  /* around all of it */
	SAY(&p, ".", 90, 10, 1);
	SAY(&p, ".", 1, 100, 1);
	EXPECT_NUMBER(&p, seq_sub(p.a->conn.rcv_nxt, p.iss), 581);
	EXPECT_NUMBER(&p, peer_a_reads(&p), 580); /* asserts every byte */
	peer_free(&p);
}

static void
large_buffer(struct tcp_cfg *cfg, int who)
{
	(void)who;
	cfg->rcvbuf = 1 << 20;
}

static void
test_reassembly_of_bytes_from_the_end(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .cfg = large_buffer });
	for (uint32_t i = 200; i > 1; i--)
		SAY(&p, ".", i, 1, 1);
	EXPECT_NUMBER(&p, tcp_reass(&p.a->conn)->n_runs, 199);
	SAY(&p, ".", 1, 1, 1);
	EXPECT_NUMBER(&p, peer_a_reads(&p), 200);
	CU_ASSERT_PTR_NULL(tcp_reass(&p.a->conn));
	peer_free(&p);
}

/* Thousands of tiny segments: bounded memory, and it still comes right. */
static void
test_reassembly_is_bounded(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .cfg = large_buffer });
	for (uint32_t i = 0; i < 2000; i++)
		SAY(&p, ".", 3 + 2 * i, 1, 1);
	EXPECT_NUMBER(&p, tcp_reass(&p.a->conn)->n_runs, 256);
	CU_ASSERT_EQUAL(p.a->seen[DROP_REASS_FULL], 2000 - 256);
	for (uint32_t i = 0; i < 400; i++)
		SAY(&p, ".", 1 + 10 * i, 10, 1);
	EXPECT_NUMBER(&p, peer_a_reads(&p), 4000);
	peer_free(&p);
}

/* No memory: the peer sends it again. */
static void
test_no_memory_for_text(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .chunks = 3 });
	for (uint32_t i = 0; i < 10; i++)
		SAY(&p, ".", 1 + 1000 * i, 1000, 1);
	CU_ASSERT_TRUE(p.a->seen[DROP_NO_MEMORY] > 0);
	CU_ASSERT_TRUE(duo_readable(p.a) >= 4000);
	{
		uint32_t got = peer_a_reads(&p);

		while (got < 10000) {
			SAY(&p, ".", got + 1, min(10000 - got, 1000u), 1);
			got += peer_a_reads(&p);
		}
		EXPECT_NUMBER(&p, got, 10000);
	}
	peer_free(&p);
}

static void
test_no_memory_for_reassembly(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .chunks = 4, .runs = 2, .reasses = 1 });
	SAY_FATE(&p, ".", 101, 100, 1, SEG_OUT_OF_ORDER);
	SAY_FATE(&p, ".", 301, 100, 1, SEG_OUT_OF_ORDER);
	SAY_FATE(&p, ".", 501, 100, 1, DROP_NO_MEMORY);
	SAY_FATE(&p, ".", 1, 100, 1, SEG_OK);
	SAY_FATE(&p, ".", 201, 100, 1, SEG_OK);
	EXPECT_NUMBER(&p, peer_a_reads(&p), 400);
	peer_free(&p);
}

/* The runs became contiguous when there was no chunk: reading makes room. */
static void
test_delivery_goes_on_when_there_is_memory(void)
{
	struct peer p;
	uint32_t got = 0;

	peer_connected(&p, &(struct peer_opts){ .chunks = 4 });
	SAY(&p, ".", 1461, 1460, 1);
	SAY(&p, ".", 2921, 1460, 1);
	SAY(&p, ".", 1, 1460, 1);
	for (int i = 0; i < 10; i++) {
		got += peer_a_reads(&p);
		if (got < 4380)
			SAY(&p, ".", got + 1, min(1460u, 4380 - got), 1);
	}
	EXPECT_NUMBER(&p, got, 4380);
	peer_free(&p);
}

/* ------------------------------------------------------------- SACK -- */

/* RFC 2018 4: the block with the newest segment first. */
static void
test_sack_newest_first(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .opts = TCP_OPT_MSS | TCP_OPT_SACK_OK | TCP_OPT_TS });
	SAY(&p, ".", 101, 100, 1);
	EXPECT(&p, ".", 1, 0, 1);
	expect_sack(&p, 1, 101, 201, 0, 0, 0, 0);
	SAY(&p, ".", 501, 100, 1);
	EXPECT(&p, ".", 1, 0, 1);
	expect_sack(&p, 2, 501, 601, 101, 201, 0, 0);
	SAY(&p, ".", 301, 100, 1);
	EXPECT(&p, ".", 1, 0, 1);
	expect_sack(&p, 3, 301, 401, 501, 601, 101, 201);
	SAY(&p, ".", 201, 100, 1); /* joins two */
	EXPECT(&p, ".", 1, 0, 1);
	expect_sack(&p, 2, 101, 401, 501, 601, 0, 0);
	SAY(&p, ".", 701, 100, 1);
	EXPECT(&p, ".", 1, 0, 1);
	expect_sack(&p, 3, 701, 801, 101, 401, 501, 601);
	SAY(&p, ".", 901, 100, 1); /* three, beside a timestamp */
	EXPECT(&p, ".", 1, 0, 1);
	expect_sack(&p, 3, 901, 1001, 701, 801, 101, 401);
	SAY(&p, ".", 1, 100, 1);
	EXPECT(&p, ".", 1, 0, 401);
	expect_sack(&p, 3, 901, 1001, 701, 801, 501, 601);
	peer_free(&p);
}

/* The header has room for four; a duplicate takes one of them, and the first place. */
static void
test_four_blocks_fit_without_a_timestamp(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	for (uint32_t i = 1; i <= 6; i++) {
		SAY(&p, ".", 1 + 200 * i, 100, 1);
		EXPECT(&p, ".", 1, 0, 1);
		EXPECT_NUMBER(&p, p.seen.s.n_sack, min(i, 4u));
	}
	SAY(&p, ".", 201, 100, 1);
	EXPECT(&p, ".", 1, 0, 1);
	EXPECT_NUMBER(&p, p.seen.s.n_sack, 4);
	EXPECT_NUMBER(&p, seq_sub(p.seen.s.sack[0].start, p.iss), 201);
	EXPECT_NUMBER(&p, seq_sub(p.seen.s.sack[0].end, p.iss), 301);
	peer_free(&p);
}

static void
test_no_sack_without_permission(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .opts = TCP_OPT_MSS });
	SAY(&p, ".", 101, 100, 1);
	EXPECT(&p, ".", 1, 0, 1);
	EXPECT_NUMBER(&p, p.last->s.n_sack, 0);
	SAY(&p, ".", 1, 100, 1);
	EXPECT_NUMBER(&p, peer_a_reads(&p), 200);
	peer_free(&p);
}

/* RFC 2883 4. */
static void
test_d_sack(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	SAY(&p, ".", 1, 100, 1);
	EXPECT(&p, ".", 1, 0, 101);
	SAY_FATE(&p, ".", 1, 100, 1, DROP_DUPLICATE); /* 4.1: all of it again */
	EXPECT(&p, ".", 1, 0, 101);
	expect_sack(&p, 1, 1, 101, 0, 0, 0, 0);
	SAY(&p, ".", 201, 100, 1);
	EXPECT(&p, ".", 1, 0, 101);
	expect_sack(&p, 1, 201, 301, 0, 0, 0, 0); /* reported once */
	SAY(&p, ".", 201, 100, 1); /* 4.1.3: out of order, and again */
	EXPECT(&p, ".", 1, 0, 101);
	expect_sack(&p, 2, 201, 301, 201, 301, 0, 0);
	SAY(&p, ".", 51, 100, 1); /* 4.2: a part of it again */
	EXPECT(&p, ".", 1, 0, 151);
	expect_sack(&p, 2, 51, 101, 201, 301, 0, 0);
	peer_free(&p);
}

/* A repeated FIN is a duplicate, but no text was received twice. */
static void
test_d_sack_counts_no_fin(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	SAY(&p, "F.", 1, 0, 1);
	EXPECT(&p, ".", 1, 0, 2);
	SAY(&p, "F.", 1, 0, 1);
	EXPECT(&p, ".", 1, 0, 2);
	EXPECT_NUMBER(&p, p.last->s.n_sack, 0);
	peer_free(&p);
}

/* An ACK of everything must not provoke another one: no war of ACKs. */
static void
test_no_war_of_acks(void)
{
	struct duo *d = duo_established(NULL);
	struct tcp_seg s = { .flags = TCP_ACK };
	uint32_t before;

	/* Two ends that disagree: each gets what it holds for an old ACK. */
	s.seq = seq_add(d->o.iss[1], 12345678);
	s.ack = seq_add(d->o.iss[0], 1);
	before = d->side[0].sent + d->side[1].sent;
	(void)duo_inject(&d->side[DUO_A], &s);
	duo_run(d, SEC(10));
	CU_ASSERT_TRUE(d->side[0].sent + d->side[1].sent - before <= 2);
	duo_free(d);
}

void
suite_script_ack(void)
{
	CU_pSuite s = CU_add_suite("script_ack", NULL, NULL);

	CU_add_test(s, "delayed ACK (RFC 9293 SHLD-18, MUST-40; RFC 1122 4.2.3.2; Linux: "
	            "delayed ACKs)",
	            test_delayed_ack);
	CU_add_test(s, "ACKs are quick again after a silence or a repetition (Linux: quick ACKs)",
	            test_quick_acks);
	CU_add_test(s, "in a repair the ACKs of one burst are two (RFC 5681 4.2)", test_repair_acks);
	CU_add_test(s, "a full segment that is pushed is acknowledged at once (Linux: delayed ACKs)",
	            test_pushed_full_segment);
	CU_add_test(s, "a delayed ACK is not postponed (RFC 9293 MUST-40)",
	            test_delayed_ack_is_not_postponed);
	CU_add_test(s, "every second full segment (RFC 9293 SHLD-19, MUST-58; RFC 5681 "
	            "4.2/second; RFC 2525 2.13)",
	            test_every_second_full_segment);
	CU_add_test(s, "quick ACKs at the start (Linux: quick ACKs)",
	            test_quick_acks_at_the_start);
	CU_add_test(s, "the ACK rides on text", test_ack_rides_on_text);
	CU_add_test(s, "a hole is acknowledged at once (RFC 9293 SHLD-31, MAY-13; RFC 5681 "
	            "4.2/hole, 4.2/filled)",
	            test_a_hole_is_acknowledged_at_once);
	CU_add_test(s, "reassembly of overlaps", test_reassembly_of_overlaps);
	CU_add_test(s, "reassembly of bytes from the end", test_reassembly_of_bytes_from_the_end);
	CU_add_test(s, "reassembly is bounded (attack: tiny out-of-order segments)",
	            test_reassembly_is_bounded);
	CU_add_test(s, "no memory for text", test_no_memory_for_text);
	CU_add_test(s, "no memory for reassembly", test_no_memory_for_reassembly);
	CU_add_test(s, "delivery goes on when there is memory",
	            test_delivery_goes_on_when_there_is_memory);
	CU_add_test(s, "SACK: newest first (RFC 2018 4; Linux: ACK options)",
	            test_sack_newest_first);
	CU_add_test(s, "four blocks fit without a timestamp (RFC 2018 3, 4; RFC 2883 4; Linux: ACK "
	            "options)",
	            test_four_blocks_fit_without_a_timestamp);
	CU_add_test(s, "no SACK without permission (RFC 2018 3)",
	            test_no_sack_without_permission);
	CU_add_test(s, "D-SACK (RFC 2883 4)", test_d_sack);
	CU_add_test(s, "D-SACK counts no FIN", test_d_sack_counts_no_fin);
	CU_add_test(s, "no war of ACKs", test_no_war_of_acks);
}
