/* SPDX-License-Identifier: BSD-3-Clause */
/* Closing: RFC 9293 3.6 and 3.10.4, 3.10.5; TIME-WAIT with RFC 1337 and RFC 6191. */
#include <CUnit/CUnit.h>

#include "test/script/peer.h"

void suite_script_close(void);

/* A has sent its FIN, which the peer has acknowledged. */
static void
half_closed(struct peer *p, const struct peer_opts *o)
{
	peer_connected(p, o);
	duo_shutdown(p->a);
	EXPECT_STATE(p, TCP_FIN_WAIT_1);
	EXPECT(p, "F.", 1, 0, 1);
	SAY(p, ".", 1, 0, 2);
	EXPECT_STATE(p, TCP_FIN_WAIT_2);
	EXPECT_NOTHING(p);
}

static void
test_we_close_first(void)
{
	struct peer p;

	half_closed(&p, NULL);
	SAY_FATE(&p, "F.", 1, 0, 2, SEG_OK);
	EXPECT(&p, ".", 2, 0, 2);
	EXPECT_STATE(&p, TCP_TIME_WAIT);
	peer_sleeps(&p, SEC(59));
	EXPECT_STATE(&p, TCP_TIME_WAIT);
	peer_sleeps(&p, SEC(1));
	EXPECT_STATE(&p, TCP_CLOSED);
	EXPECT_NUMBER(&p, p.a->conn.err, TCP_E_NONE);
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

static void
test_the_peer_closes_first(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	SAY(&p, "F.", 1, 0, 1);
	EXPECT(&p, ".", 1, 0, 2);
	EXPECT_STATE(&p, TCP_CLOSE_WAIT);
	peer_a_writes(&p, 10); /* still allowed */
	EXPECT(&p, "P.", 1, 10, 2);
	SAY(&p, ".", 2, 0, 11);
	duo_close(p.a);
	EXPECT(&p, "F.", 11, 0, 2);
	EXPECT_STATE(&p, TCP_LAST_ACK);
	SAY_FATE(&p, ".", 2, 0, 12, SEG_OK); /* and no reset for it */
	EXPECT_STATE(&p, TCP_CLOSED);
	EXPECT_NUMBER(&p, p.a->conn.err, TCP_E_NONE);
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

/* RFC 9293 3.6, figure 12: after our FIN the peer's text still arrives. */
static void
test_half_close_still_receives(void)
{
	struct peer p;

	half_closed(&p, NULL);
	peer_sleeps(&p, SEC(500)); /* for ever, while somebody holds the socket */
	EXPECT_STATE(&p, TCP_FIN_WAIT_2);
	SAY(&p, "P.", 1, 1000, 2);
	EXPECT(&p, ".", 2, 0, 1001);
	EXPECT_NUMBER(&p, peer_a_reads(&p), 1000);
	SAY(&p, "F.", 1001, 0, 2);
	EXPECT(&p, ".", 2, 0, 1002);
	EXPECT_STATE(&p, TCP_TIME_WAIT);
	peer_free(&p);
}

/* RFC 9293 3.6, figure 13. */
static void
test_simultaneous_close(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	duo_close(p.a);
	EXPECT(&p, "F.", 1, 0, 1);
	SAY(&p, "F.", 1, 0, 1);
	EXPECT_STATE(&p, TCP_CLOSING);
	EXPECT(&p, ".", 2, 0, 2);
	SAY(&p, ".", 2, 0, 2);
	EXPECT_STATE(&p, TCP_TIME_WAIT);
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

/* FIN and the ACK of ours in one: FIN-WAIT-1 passes through. */
static void
test_fin_with_the_ack_of_ours(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	duo_close(p.a);
	EXPECT(&p, "F.", 1, 0, 1);
	SAY(&p, "F.", 1, 0, 2);
	EXPECT_STATE(&p, TCP_TIME_WAIT);
	EXPECT(&p, ".", 2, 0, 2);
	peer_free(&p);
}

static void
test_lost_fin_is_repeated(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	duo_close(p.a);
	EXPECT(&p, "F.", 1, 0, 1);
	peer_sleeps(&p, MS(250));
	EXPECT(&p, "F.", 1, 0, 1);
	SAY(&p, ".", 1, 0, 2);
	EXPECT_STATE(&p, TCP_FIN_WAIT_2);
	peer_free(&p);
}

static void
test_fin_rides_on_the_last_text(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .cfg = peer_no_probes });
	duo_flag(p.a, TCPF_CORK, true);
	peer_a_writes(&p, 2000);
	EXPECT(&p, ".", 1, 1460, 1);
	duo_close(p.a); /* lets go of the cork */
	EXPECT(&p, "FP.", 1461, 540, 1);
	peer_sleeps(&p, MS(250)); /* both lost */
	EXPECT(&p, ".", 1, 1460, 1);
	SAY(&p, ".", 1, 0, 1461);
	EXPECT(&p, "FP.", 1461, 540, 1);
	/* The text arrives and its FIN does not: some box cut it off. */
	SAY(&p, ".", 1, 0, 2001);
	EXPECT_STATE(&p, TCP_FIN_WAIT_1);
	peer_sleeps(&p, SEC(1));
	EXPECT(&p, "F.", 2001, 0, 1);
	SAY(&p, ".", 1, 0, 2002);
	EXPECT_STATE(&p, TCP_FIN_WAIT_2);
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

/* RFC 2525 2.16: nothing delays it but the window. */
static void
test_fin_leaves_at_once_after_small_text(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	peer_a_writes(&p, 10);
	EXPECT(&p, "P.", 1, 10, 1);
	peer_a_writes(&p, 10); /* Nagle holds it */
	EXPECT_NOTHING(&p);
	duo_close(p.a);
	EXPECT(&p, "FP.", 11, 10, 1);
	peer_free(&p);
}

static void
test_fin_before_the_text_it_follows(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	SAY_FATE(&p, "FP.", 101, 50, 1, SEG_OUT_OF_ORDER);
	EXPECT(&p, ".", 1, 0, 1);
	EXPECT_STATE(&p, TCP_ESTABLISHED);
	SAY_FATE(&p, "F.", 151, 0, 1, SEG_OK); /* the FIN alone, again */
	(void)peer_skips(&p);
	SAY_FATE(&p, ".", 1, 100, 1, SEG_OK);
	EXPECT(&p, ".", 1, 0, 152);
	EXPECT_STATE(&p, TCP_CLOSE_WAIT);
	EXPECT_NUMBER(&p, peer_a_reads(&p), 150);
	peer_free(&p);
}

static void
test_repeated_fin_is_acknowledged(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	SAY(&p, "F.", 1, 10, 1);
	EXPECT(&p, ".", 1, 0, 12);
	SAY_FATE(&p, "F.", 1, 10, 1, DROP_DUPLICATE);
	EXPECT(&p, ".", 1, 0, 12);
	SAY_FATE(&p, "F.", 11, 0, 1, DROP_DUPLICATE);
	EXPECT(&p, ".", 1, 0, 12);
	EXPECT_STATE(&p, TCP_CLOSE_WAIT);
	EXPECT_NUMBER(&p, peer_a_reads(&p), 10);
	peer_free(&p);
}

/* Text behind a FIN, or a FIN inside text: the peer contradicts itself, and may
 * get what it gets, but nothing breaks. */
static void
test_contradicting_fins(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	SAY(&p, ".", 101, 100, 1);  /* 101..200 held         */
	SAY(&p, "F.", 51, 50, 1);   /* FIN at 101: contradicts */
	SAY(&p, ".", 1, 50, 1);     /* fills the hole        */
	EXPECT_NUMBER(&p, peer_a_reads(&p), 200);
	EXPECT_STATE(&p, TCP_ESTABLISHED);
	SAY(&p, "F.", 201, 0, 1);
	EXPECT_STATE(&p, TCP_CLOSE_WAIT);
	peer_free(&p);

	peer_connected(&p, NULL);
	SAY(&p, ".", 51, 100, 1);   /* 51..150 held          */
	SAY(&p, "F.", 1, 100, 1);   /* FIN at 101            */
	EXPECT_NUMBER(&p, peer_a_reads(&p), 150);
	EXPECT_STATE(&p, TCP_ESTABLISHED);
	peer_free(&p);

	peer_connected(&p, NULL);
	SAY(&p, "F.", 101, 0, 1);   /* FIN at 101 first      */
	SAY(&p, ".", 101, 100, 1);  /* nothing can follow it */
	SAY(&p, ".", 51, 100, 1);   /* half of this          */
	SAY(&p, ".", 1, 50, 1);
	EXPECT_NUMBER(&p, peer_a_reads(&p), 100);
	EXPECT_STATE(&p, TCP_CLOSE_WAIT);
	(void)peer_skips(&p);
	SAY(&p, ".", 102, 100, 1);  /* and nothing later     */
	EXPECT_NOTHING(&p);
	EXPECT_NUMBER(&p, peer_a_reads(&p), 0);
	peer_free(&p);
}

/* RFC 9293 SHLD-3, RFC 2525 2.17. */
static void
test_close_with_unread_text_resets(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	SAY(&p, "P.", 1, 10, 1);
	EXPECT(&p, ".", 1, 0, 11);
	duo_close(p.a);
	EXPECT(&p, "R.", 1, 0, 11);
	EXPECT_STATE(&p, TCP_CLOSED);
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

static void
test_text_after_close_resets(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	duo_close(p.a);
	EXPECT(&p, "F.", 1, 0, 1);
	SAY(&p, ".", 1, 0, 2);
	SAY_FATE(&p, "P.", 1, 10, 2, DROP_AFTER_CLOSE);
	EXPECT(&p, "R.", 2, 0, 1);
	EXPECT_STATE(&p, TCP_CLOSED);
	peer_free(&p);
}

/* Old text is no new text. */
static void
test_repeated_text_after_close_does_not_reset(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	SAY(&p, "P.", 1, 10, 1);
	EXPECT(&p, ".", 1, 0, 11);
	EXPECT_NUMBER(&p, peer_a_reads(&p), 10);
	duo_close(p.a);
	EXPECT(&p, "F.", 1, 0, 11);
	SAY_FATE(&p, "P.", 1, 10, 1, DROP_DUPLICATE);
	EXPECT(&p, ".", 2, 0, 11);
	SAY(&p, "F.", 11, 0, 2);
	EXPECT(&p, ".", 2, 0, 12);
	EXPECT_STATE(&p, TCP_TIME_WAIT);
	peer_free(&p);
}

static void
test_orphan_in_fin_wait_2_is_given_up(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	duo_close(p.a);
	SAY(&p, ".", 1, 0, 2);
	(void)peer_skips(&p);
	peer_sleeps(&p, SEC(59));
	EXPECT_STATE(&p, TCP_FIN_WAIT_2);
	peer_sleeps(&p, SEC(2));
	EXPECT_STATE(&p, TCP_CLOSED);
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

/* shutdown() first, close() later: from then on the wait is limited. */
static void
test_orphan_in_fin_wait_2_by_close_after_shutdown(void)
{
	struct peer p;

	half_closed(&p, NULL);
	peer_sleeps(&p, SEC(1000));
	EXPECT_STATE(&p, TCP_FIN_WAIT_2);
	duo_option(p.a, TCP_OPTION_LINGER2, 5);
	duo_close(p.a);
	peer_sleeps(&p, MS(4900));
	EXPECT_STATE(&p, TCP_FIN_WAIT_2);
	peer_sleeps(&p, MS(200));
	EXPECT_STATE(&p, TCP_CLOSED);
	peer_free(&p);
}

/* What was written before close() is delivered after it. */
static void
test_orphan_delivers_what_was_written(void)
{
	struct duo *d = duo_established(NULL);
	uint32_t got = 0;

	CU_ASSERT_EQUAL(duo_write_pattern(&d->side[DUO_A], 10000), 10000);
	duo_close(&d->side[DUO_A]);
	d->cut[DUO_A] = true;
	duo_run(d, SEC(3));
	d->cut[DUO_A] = false;
	duo_run(d, SEC(10));
	got += duo_read_pattern(&d->side[DUO_B]);
	CU_ASSERT_EQUAL(got, 10000);
	CU_ASSERT_EQUAL(d->side[DUO_B].conn.state, TCP_CLOSE_WAIT);
	CU_ASSERT_EQUAL(d->side[DUO_A].conn.state, TCP_FIN_WAIT_2);
	duo_close(&d->side[DUO_B]);
	duo_run(d, SEC(1));
	CU_ASSERT_TRUE(d->side[DUO_A].has_tw);
	CU_ASSERT_TRUE(duo_over(d));
	duo_free(d);
}

/* orphan_retries: 8 expiries, and nobody is told. */
static void
test_orphan_of_a_dead_peer_ends(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .cfg = peer_no_probes });
	peer_a_writes(&p, 10);
	duo_close(p.a);
	peer_sleeps(&p, SEC(300));
	EXPECT_STATE(&p, TCP_CLOSED);
	EXPECT(&p, "P.", 1, 10, 1);
	EXPECT(&p, "F.", 11, 0, 1);
	EXPECT_NUMBER(&p, peer_skips(&p), 8); /* text and FIN leave as one now */
	peer_free(&p);
}

static void
test_last_ack_of_a_dead_peer_ends(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	SAY(&p, "F.", 1, 0, 1);
	duo_close(p.a);
	EXPECT_STATE(&p, TCP_LAST_ACK);
	peer_sleeps(&p, SEC(300));
	EXPECT_STATE(&p, TCP_CLOSED);
	peer_free(&p);
}

static void
test_abort_sends_one_reset(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	peer_a_writes(&p, 3000);
	(void)peer_skips(&p);
	duo_abort(p.a);
	EXPECT(&p, "R.", 3001, 0, 1);
	EXPECT_STATE(&p, TCP_CLOSED);
	peer_sleeps(&p, SEC(100));
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

static void
test_what_a_reset_means(void)
{
	static const struct {
		bool fin, close;
		int err;
	} cases[] = {
		{ false, false, TCP_E_RESET }, /* ESTABLISHED */
		{ true, false, TCP_E_PIPE },   /* CLOSE-WAIT  */
		{ false, true, TCP_E_RESET },  /* FIN-WAIT-1  */
		{ true, true, TCP_E_NONE },    /* LAST-ACK    */
	};

	for (unsigned i = 0; i < array_len(cases); i++) {
		struct peer p;

		peer_connected(&p, NULL);
		if (cases[i].fin)
			SAY(&p, "F.", 1, 0, 1);
		if (cases[i].close)
			duo_close(p.a);
		(void)peer_skips(&p);
		SAY_FATE(&p, "R", cases[i].fin ? 2 : 1, 0, 0, DROP_RESET);
		EXPECT_STATE(&p, TCP_CLOSED);
		EXPECT_NUMBER(&p, p.a->conn.err, cases[i].err);
		EXPECT_NOTHING(&p);
		peer_free(&p);
	}
}

/* ------------------------------------------------------------ TIME-WAIT -- */

static void
in_time_wait(struct peer *p, const struct peer_opts *o)
{
	half_closed(p, o);
	SAY(p, "F.", 1, 0, 2);
	EXPECT(p, ".", 2, 0, 2);
	EXPECT_STATE(p, TCP_TIME_WAIT);
}

/* RFC 9293 3.10.7.4, eighth: acknowledge it, restart 2 MSL. */
static void
test_time_wait_fin_again(void)
{
	struct peer p;

	in_time_wait(&p, NULL);
	peer_sleeps(&p, SEC(40));
	SAY_FATE(&p, "F.", 1, 0, 2, TW_ACKED);
	EXPECT(&p, ".", 2, 0, 2);
	peer_sleeps(&p, SEC(40));
	EXPECT_STATE(&p, TCP_TIME_WAIT);
	peer_sleeps(&p, SEC(21));
	EXPECT_STATE(&p, TCP_CLOSED);
	peer_free(&p);
}

/* Anybody may send a FIN from elsewhere in the sequence space. */
static void
test_time_wait_is_not_prolonged_by_other_fins(void)
{
	struct peer p;

	in_time_wait(&p, NULL);
	peer_sleeps(&p, SEC(40));
	SAY_FATE(&p, "F.", 500, 0, 2, TW_ACKED);
	peer_sleeps(&p, SEC(21));
	EXPECT_STATE(&p, TCP_CLOSED);
	peer_free(&p);
}

static void
wants_rfc1337(struct tcp_cfg *cfg, int who)
{
	(void)who;
	cfg->rfc1337 = true;
}

/* RFC 1337 F1, when asked for. */
static void
test_time_wait_survives_a_reset(void)
{
	struct peer_opts o = { .cfg = wants_rfc1337 };
	struct peer p;

	in_time_wait(&p, &o);
	SAY_FATE(&p, "R", 2, 0, 0, TW_IGNORED);
	SAY_FATE(&p, "R.", 2, 0, 2, TW_IGNORED);
	EXPECT_STATE(&p, TCP_TIME_WAIT);
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

static void
test_time_wait_answers_old_segments(void)
{
	struct peer p;

	in_time_wait(&p, NULL);
	SAY_FATE(&p, ".", 2, 0, 2, TW_IGNORED);
	EXPECT_NOTHING(&p);
	SAY_FATE(&p, ".", 1, 0, 2, TW_ACKED);
	EXPECT(&p, ".", 2, 0, 2);
	SAY_FATE(&p, "S", 0, 0, 0, TW_ACKED); /* an old duplicate */
	EXPECT(&p, ".", 2, 0, 2);
	peer_free(&p);
}

/* RFC 6191 2, without timestamps: a higher sequence number. */
static void
test_time_wait_reopens_by_sequence_number(void)
{
	struct peer p;

	in_time_wait(&p, NULL);
	SAY_FATE(&p, "S", 2, 0, 0, TW_ACKED);
	(void)peer_skips(&p);
	duo_listen(p.a);
	peer_syn_options(&p);
	SAY_FATE(&p, "S", 3, 0, 0, TW_REOPENED);
	EXPECT(&p, "S.", 2 + 65537, 0, 4);
	SAY_FATE(&p, ".", 4, 0, 2 + 65538, SEG_OK);
	EXPECT_STATE(&p, TCP_ESTABLISHED);
	peer_free(&p);
}

static void
test_time_wait_reopens_by_timestamp(void)
{
	struct peer_opts o = { .opts = TCP_OPT_MSS | TCP_OPT_TS };
	struct peer p;

	in_time_wait(&p, &o);
	duo_listen(p.a);
	p.tsval--;
	SAY_FATE(&p, "S", 500000, 0, 0, TW_ACKED); /* older, whatever the number */
	EXPECT(&p, ".", 2, 0, 2);
	p.tsval += 2;
	peer_syn_options(&p);
	SAY_FATE(&p, "S", (uint32_t)-500000, 0, 0, TW_REOPENED); /* later likewise */
	EXPECT(&p, "S.", 2 + 65537, 0, (uint32_t)-499999);
	peer_free(&p);
}

static void
test_time_wait_keeps_the_timestamps(void)
{
	struct peer_opts o = { .opts = TCP_OPT_MSS | TCP_OPT_TS };
	struct peer p;
	uint32_t before;

	in_time_wait(&p, &o);
	before = p.last->s.tsval;
	peer_sleeps(&p, SEC(7));
	SAY_FATE(&p, "F.", 1, 0, 2, TW_ACKED);
	EXPECT(&p, ".", 2, 0, 2);
	EXPECT_NUMBER(&p, p.last->s.tsval - before, 7000);
	EXPECT_NUMBER(&p, p.last->s.tsecr, p.tsval - 7000);
	peer_free(&p);
}

/* The ACK of the peer's FIN is lost: TIME-WAIT is there for it. */
static void
test_lost_last_ack(void)
{
	struct duo *d = duo_established(NULL);

	duo_close(&d->side[DUO_A]);
	duo_run(d, MS(100));
	d->cut[DUO_A] = true;
	duo_close(&d->side[DUO_B]);
	duo_run(d, MS(100));
	CU_ASSERT_TRUE(d->side[DUO_A].has_tw);
	CU_ASSERT_EQUAL(d->side[DUO_B].conn.state, TCP_LAST_ACK);
	d->cut[DUO_A] = false;
	duo_run(d, SEC(2));
	CU_ASSERT_EQUAL(d->side[DUO_B].conn.state, TCP_CLOSED);
	CU_ASSERT_EQUAL(d->side[DUO_B].conn.err, TCP_E_NONE);
	duo_free(d);
}

/* Every way to lose a few of the segments that close a connection. */
static bool
lose_by_mask(struct duo *d, int from, struct tcp_seg *s)
{
	uint32_t *mask = d->filter_arg;
	bool lost = *mask & 1;

	(void)from;
	(void)s;
	*mask >>= 1;
	return !lost;
}

static void
test_close_whatever_is_lost(void)
{
	for (uint32_t m = 0; m < 256; m++) {
		struct duo *d = duo_established(NULL);
		uint32_t mask = m;

		d->filter = lose_by_mask;
		d->filter_arg = &mask;
		(void)duo_write_pattern(&d->side[DUO_A], 100);
		duo_shutdown(&d->side[DUO_A]);
		if (m & 1)
			duo_shutdown(&d->side[DUO_B]);
		duo_run(d, SEC(1));
		duo_shutdown(&d->side[DUO_B]);
		duo_run(d, SEC(30));
		CU_ASSERT_EQUAL(duo_read_pattern(&d->side[DUO_B]), 100);
		CU_ASSERT_TRUE(duo_over(d));
		CU_ASSERT_EQUAL(d->side[DUO_A].conn.err, TCP_E_NONE);
		CU_ASSERT_EQUAL(d->side[DUO_B].conn.err, TCP_E_NONE);
		CU_ASSERT_EQUAL(duo_count(d, DUO_A, duo_likes_rst), 0);
		CU_ASSERT_EQUAL(duo_count(d, DUO_B, duo_likes_rst), 0);
		duo_free(d);
	}
}

void
suite_script_close(void)
{
	CU_pSuite s = CU_add_suite("script_close", NULL, NULL);

	CU_add_test(s, "we close first", test_we_close_first);
	CU_add_test(s, "the peer closes first", test_the_peer_closes_first);
	CU_add_test(s, "half close still receives (RFC 9293 MAY-1)",
	            test_half_close_still_receives);
	CU_add_test(s, "simultaneous close (RFC 9293 3.6)", test_simultaneous_close);
	CU_add_test(s, "FIN with the ACK of ours", test_fin_with_the_ack_of_ours);
	CU_add_test(s, "a lost FIN is repeated", test_lost_fin_is_repeated);
	CU_add_test(s, "FIN rides on the last text", test_fin_rides_on_the_last_text);
	CU_add_test(s, "FIN leaves at once after small text (RFC 2525 2.15)",
	            test_fin_leaves_at_once_after_small_text);
	CU_add_test(s, "FIN before the text it follows (RFC 9293 3.10.7.4)",
	            test_fin_before_the_text_it_follows);
	CU_add_test(s, "a repeated FIN is acknowledged", test_repeated_fin_is_acknowledged);
	CU_add_test(s, "contradicting FINs", test_contradicting_fins);
	CU_add_test(s, "close with unread text resets (RFC 9293 SHLD-3; Linux: close with "
	            "unread text)",
	            test_close_with_unread_text_resets);
	CU_add_test(s, "text after close resets (RFC 9293 SHLD-3)",
	            test_text_after_close_resets);
	CU_add_test(s, "repeated text after close does not reset",
	            test_repeated_text_after_close_does_not_reset);
	CU_add_test(s, "orphan in FIN-WAIT-2 is given up (Linux: TIME-WAIT)",
	            test_orphan_in_fin_wait_2_is_given_up);
	CU_add_test(s, "orphan in FIN-WAIT-2 by close after shutdown",
	            test_orphan_in_fin_wait_2_by_close_after_shutdown);
	CU_add_test(s, "orphan delivers what was written", test_orphan_delivers_what_was_written);
	CU_add_test(s, "orphan of a dead peer ends", test_orphan_of_a_dead_peer_ends);
	CU_add_test(s, "LAST-ACK of a dead peer ends", test_last_ack_of_a_dead_peer_ends);
	CU_add_test(s, "abort sends one reset", test_abort_sends_one_reset);
	CU_add_test(s, "what a reset means (RFC 9293 MUST-12)", test_what_a_reset_means);
	CU_add_test(s, "TIME-WAIT: FIN again (RFC 9293 MUST-13; Linux: TIME-WAIT)",
	            test_time_wait_fin_again);
	CU_add_test(s, "TIME-WAIT is not prolonged by other FINs",
	            test_time_wait_is_not_prolonged_by_other_fins);
	CU_add_test(s, "TIME-WAIT survives a reset (RFC 1337 3; attack: RST against TIME-WAIT)",
	            test_time_wait_survives_a_reset);
	CU_add_test(s, "TIME-WAIT answers old segments (RFC 9293 MUST-13)",
	            test_time_wait_answers_old_segments);
	CU_add_test(s, "TIME-WAIT reopens by sequence number (RFC 9293 MAY-2; RFC 6191 2)",
	            test_time_wait_reopens_by_sequence_number);
	CU_add_test(s, "TIME-WAIT reopens by timestamp (RFC 9293 MAY-2, SHLD-4; RFC 6191 2)",
	            test_time_wait_reopens_by_timestamp);
	CU_add_test(s, "TIME-WAIT keeps the timestamps", test_time_wait_keeps_the_timestamps);
	CU_add_test(s, "the last ACK is lost", test_lost_last_ack);
	CU_add_test(s, "close, whatever is lost", test_close_whatever_is_lost);
}
