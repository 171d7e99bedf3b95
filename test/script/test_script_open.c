/* SPDX-License-Identifier: BSD-3-Clause */
/* Opening: RFC 9293 3.5 and 3.10.7.2 to 3.10.7.4, RFC 7323 2, RFC 6298 5.7, RFC 9293 3.7.1. */
#include <CUnit/CUnit.h>

#include "test/script/peer.h"

void suite_script_open(void);

static void
test_active_open(void)
{
	struct peer p;

	peer_new(&p, NULL);
	duo_connect(p.a);
	EXPECT_STATE(&p, TCP_SYN_SENT);
	EXPECT(&p, "S", 0, 0, 0);
	CU_ASSERT_EQUAL(p.last->s.opts,
	                TCP_OPT_MSS | TCP_OPT_SACK_OK | TCP_OPT_TS | TCP_OPT_WSCALE);
	EXPECT_NUMBER(&p, p.last->s.mss, 1460);
	EXPECT_NUMBER(&p, p.last->s.wscale, 7);
	EXPECT_NUMBER(&p, p.last->s.wnd, 65535);
	EXPECT_NUMBER(&p, p.last->s.tsecr, 0);
	peer_sleeps(&p, MS(10));
	peer_syn_options(&p);
	SAY_FATE(&p, "S.", 0, 0, 1, SEG_OK);
	EXPECT(&p, ".", 1, 0, 1);
	EXPECT_STATE(&p, TCP_ESTABLISHED);
	EXPECT_NOTHING(&p);
	EXPECT_NUMBER(&p, p.a->conn.srtt_us >> 3, 10000);
	peer_free(&p);
}

static void
test_passive_open(void)
{
	struct peer p;

	peer_new(&p, NULL);
	duo_listen(p.a);
	peer_syn_options(&p);
	SAY_FATE(&p, "S", 0, 0, 0, SYN_TAKEN);
	EXPECT(&p, "S.", 0, 0, 1);
	/* mirrors what was offered: no timestamps */
	CU_ASSERT_EQUAL(p.last->s.opts, TCP_OPT_MSS | TCP_OPT_SACK_OK | TCP_OPT_WSCALE);
	peer_sleeps(&p, MS(10));
	SAY_FATE(&p, ".", 1, 0, 1, SEG_OK);
	EXPECT_STATE(&p, TCP_ESTABLISHED);
	EXPECT_NOTHING(&p);
	EXPECT_NUMBER(&p, p.a->conn.srtt_us >> 3, 10000);
	peer_free(&p);
}

static void
test_syn_ack_has_no_option_that_was_not_offered(void)
{
	struct peer p;

	peer_accepted(&p, &(struct peer_opts){ .opts = TCP_OPT_MSS });
	CU_ASSERT_EQUAL(p.last->s.opts, TCP_OPT_MSS);
	peer_free(&p);
}

/* The ACK of the SYN-ACK is lost: the first text brings it. */
static void
test_text_completes_the_handshake(void)
{
	struct peer p;

	peer_new(&p, NULL);
	duo_listen(p.a);
	peer_syn_options(&p);
	SAY(&p, "S", 0, 0, 0);
	EXPECT(&p, "S.", 0, 0, 1);
	SAY_FATE(&p, "P.", 1, 100, 1, SEG_OK);
	EXPECT_STATE(&p, TCP_ESTABLISHED);
	EXPECT(&p, ".", 1, 0, 101);
	EXPECT_NUMBER(&p, peer_a_reads(&p), 100);
	peer_free(&p);
}

static void
test_fin_completes_the_handshake(void)
{
	struct peer p;

	peer_new(&p, NULL);
	duo_listen(p.a);
	peer_syn_options(&p);
	SAY(&p, "S", 0, 0, 0);
	EXPECT(&p, "S.", 0, 0, 1);
	SAY_FATE(&p, "F.", 1, 100, 1, SEG_OK);
	EXPECT_STATE(&p, TCP_CLOSE_WAIT);
	EXPECT(&p, ".", 1, 0, 102);
	peer_free(&p);
}

/* RFC 9293 3.10.7.3: text beside the SYN-ACK counts. */
static void
test_text_beside_the_syn_ack(void)
{
	struct peer p;

	peer_new(&p, NULL);
	duo_connect(p.a);
	EXPECT(&p, "S", 0, 0, 0);
	peer_syn_options(&p);
	/* the text of a SYN starts one later: give it the pattern of byte 0 */
	{
		uint8_t text[10];
		struct tcp_seg s = p.with;

		for (uint32_t i = 0; i < sizeof text; i++)
			text[i] = duo_pattern(DUO_B, i);
		s.flags = TCP_SYN | TCP_ACK;
		s.seq = p.iss;
		s.ack = seq_add(p.a_iss, 1);
		s.wnd = 1000;
		s.text = text;
		s.len = sizeof text;
		CU_ASSERT_EQUAL(duo_inject(p.a, &s), SEG_OK);
	}
	EXPECT(&p, ".", 1, 0, 11);
	EXPECT_NUMBER(&p, peer_a_reads(&p), 10);
	peer_free(&p);
}

/* RFC 9293 3.5, figure 7. */
static void
test_simultaneous_open(void)
{
	struct peer p;

	peer_new(&p, NULL);
	duo_connect(p.a);
	EXPECT(&p, "S", 0, 0, 0);
	peer_syn_options(&p);
	SAY_FATE(&p, "S", 0, 0, 0, SEG_OK);
	EXPECT_STATE(&p, TCP_SYN_RCVD);
	EXPECT(&p, "S.", 0, 0, 1);
	CU_ASSERT_EQUAL(p.last->s.opts, TCP_OPT_MSS | TCP_OPT_SACK_OK | TCP_OPT_WSCALE);
	peer_syn_options(&p);
	SAY_FATE(&p, "S.", 0, 0, 1, SEG_OK);
	EXPECT_STATE(&p, TCP_ESTABLISHED);
	EXPECT(&p, ".", 1, 0, 1);
	EXPECT_NOTHING(&p);
	peer_a_writes(&p, 10);
	EXPECT(&p, "P.", 1, 10, 1);
	peer_free(&p);
}

/* Our SYN-ACK was lost: the peer repeats its SYN, and gets it again.  Anything
 * else that is not acceptable gets an ACK, not a SYN-ACK from the wrong place. */
static void
test_what_syn_received_answers(void)
{
	struct peer p;

	peer_new(&p, NULL);
	duo_connect(p.a);
	EXPECT(&p, "S", 0, 0, 0);
	peer_syn_options(&p);
	SAY(&p, "S", 0, 0, 0);
	EXPECT(&p, "S.", 0, 0, 1);
	SAY_FATE(&p, "S", 0, 0, 0, SYN_AGAIN);
	EXPECT(&p, "S.", 0, 0, 1);
	SAY_FATE(&p, "P.", 100000, 10, 1, DROP_OUTSIDE_WINDOW);
	EXPECT(&p, ".", 1, 0, 1);
	SAY_FATE(&p, ".", 1, 0, 2, DROP_HANDSHAKE_RESET);
	EXPECT(&p, "R", 2, 0, 0);
	EXPECT_STATE(&p, TCP_SYN_RCVD);
	SAY_FATE(&p, ".", 1, 0, 1, SEG_OK);
	EXPECT_STATE(&p, TCP_ESTABLISHED);
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

static void
test_simultaneous_open_of_two(void)
{
	struct duo *d = duo_new(NULL);

	duo_connect(&d->side[DUO_A]);
	duo_connect(&d->side[DUO_B]);
	duo_run(d, SEC(1));
	CU_ASSERT_EQUAL(d->side[DUO_A].conn.state, TCP_ESTABLISHED);
	CU_ASSERT_EQUAL(d->side[DUO_B].conn.state, TCP_ESTABLISHED);
	CU_ASSERT_EQUAL(duo_write_pattern(&d->side[DUO_A], 5000), 5000);
	duo_run(d, SEC(1));
	CU_ASSERT_EQUAL(duo_read_pattern(&d->side[DUO_B]), 5000);
	duo_free(d);
}

/* One SYN-ACK of the two is lost, or one of the SYNs, or any two. */
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
test_simultaneous_open_whatever_is_lost(void)
{
	for (uint32_t m = 0; m < 64; m++) {
		struct duo *d = duo_new(NULL);
		uint32_t mask = m;

		d->filter = lose_by_mask;
		d->filter_arg = &mask;
		duo_connect(&d->side[DUO_A]);
		duo_connect(&d->side[DUO_B]);
		duo_run(d, SEC(60));
		CU_ASSERT_EQUAL(d->side[DUO_A].conn.state, TCP_ESTABLISHED);
		CU_ASSERT_EQUAL(d->side[DUO_B].conn.state, TCP_ESTABLISHED);
		duo_free(d);
	}
}

static void
test_open_whatever_is_lost(void)
{
	for (uint32_t m = 0; m < 64; m++) {
		struct duo *d = duo_new(NULL);
		uint32_t mask = m;

		d->filter = lose_by_mask;
		d->filter_arg = &mask;
		duo_listen(&d->side[DUO_B]);
		duo_connect(&d->side[DUO_A]);
		duo_run(d, SEC(100));
		CU_ASSERT_EQUAL(d->side[DUO_A].conn.state, TCP_ESTABLISHED);
		CU_ASSERT_EQUAL(duo_write_pattern(&d->side[DUO_A], 1), 1);
		duo_run(d, SEC(100));
		CU_ASSERT_EQUAL(d->side[DUO_B].conn.state, TCP_ESTABLISHED);
		CU_ASSERT_EQUAL(duo_read_pattern(&d->side[DUO_B]), 1);
		duo_free(d);
	}
}

/* RFC 9293 3.8.3, MUST-23: R2 of a SYN, 127 s as Linux. */
static void
test_syn_is_repeated_and_given_up(void)
{
	struct peer p;
	int64_t t0 = DUO_T0;

	peer_new(&p, NULL);
	duo_connect(p.a);
	peer_sleeps(&p, SEC(126));
	EXPECT(&p, "S", 0, 0, 0);
	for (int i = 0; i < 6; i++) {
		EXPECT(&p, "S", 0, 0, 0);
		EXPECT_NUMBER(&p, peer_after(&p, t0), SEC((2 << i) - 1));
	}
	EXPECT_NOTHING(&p);
	EXPECT_STATE(&p, TCP_SYN_SENT);
	peer_sleeps(&p, SEC(2));
	EXPECT_STATE(&p, TCP_CLOSED);
	EXPECT_NUMBER(&p, p.a->conn.err, TCP_E_TIMEDOUT);
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

static void
test_syn_count_by_option(void)
{
	struct peer p;

	peer_new(&p, NULL);
	duo_option(p.a, TCP_OPTION_SYNCNT, 1);
	duo_connect(p.a);
	peer_sleeps(&p, SEC(4));
	EXPECT_STATE(&p, TCP_CLOSED);
	EXPECT_NUMBER(&p, peer_skips(&p), 2);
	peer_free(&p);
}

static void
test_syn_ack_is_repeated_and_given_up(void)
{
	struct peer p;

	peer_new(&p, NULL);
	duo_listen(p.a);
	peer_syn_options(&p);
	SAY(&p, "S", 0, 0, 0);
	peer_sleeps(&p, SEC(200));
	for (int i = 0; i < 6; i++) {
		EXPECT(&p, "S.", 0, 0, 1);
		EXPECT_NUMBER(&p, peer_after(&p, DUO_T0), SEC((1 << i) - 1));
	}
	EXPECT_NOTHING(&p);
	CU_ASSERT_FALSE(p.a->has_req);
	/* An ACK that comes after that is nobody's. */
	SAY_FATE(&p, ".", 1, 0, 1, DROP_NO_CONN);
	EXPECT(&p, "R", 1, 0, 0);
	peer_free(&p);
}

static void
test_repeated_syn_gets_the_syn_ack_again(void)
{
	struct peer p;

	peer_new(&p, NULL);
	duo_listen(p.a);
	peer_syn_options(&p);
	SAY(&p, "S", 0, 0, 0);
	EXPECT(&p, "S.", 0, 0, 1);
	peer_sleeps(&p, MS(300));
	peer_syn_options(&p);
	SAY_FATE(&p, "S", 0, 0, 0, SYN_AGAIN);
	EXPECT(&p, "S.", 0, 0, 1);
	SAY(&p, ".", 1, 0, 1);
	EXPECT_STATE(&p, TCP_ESTABLISHED);
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

/* RFC 6298 5.7 and RFC 5681 3.1: one segment, and 3 s. */
static void
test_after_a_lost_syn_cwnd_is_one_and_rto_three_seconds(void)
{
	struct peer p;

	peer_new(&p, NULL);
	duo_connect(p.a);
	peer_sleeps(&p, MS(1500));
	EXPECT(&p, "S", 0, 0, 0);
	EXPECT(&p, "S", 0, 0, 0);
	peer_syn_options(&p);
	SAY(&p, "S.", 0, 0, 1);
	EXPECT(&p, ".", 1, 0, 1);
	EXPECT_NUMBER(&p, p.a->conn.cwnd, 1460);
	EXPECT_NUMBER(&p, p.a->conn.srtt_us, 0); /* Karn */
	peer_a_writes(&p, 5000);
	EXPECT(&p, ".", 1, 1460, 1);
	EXPECT_NOTHING(&p);
	peer_sleeps(&p, MS(2999));
	EXPECT_NOTHING(&p);
	peer_sleeps(&p, MS(1));
	EXPECT(&p, ".", 1, 1460, 1);
	peer_free(&p);
}

static void
test_refused(void)
{
	struct peer p;

	peer_new(&p, NULL);
	duo_connect(p.a);
	EXPECT(&p, "S", 0, 0, 0);
	SAY_FATE(&p, "R.", 0, 0, 1, DROP_RESET);
	EXPECT_STATE(&p, TCP_CLOSED);
	EXPECT_NUMBER(&p, p.a->conn.err, TCP_E_REFUSED);
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

/* RFC 9293 3.10.7.3, first and second. */
static void
test_resets_of_others_do_not_refuse(void)
{
	struct peer p;

	peer_new(&p, NULL);
	duo_connect(p.a);
	EXPECT(&p, "S", 0, 0, 0);
	SAY_FATE(&p, "R", 0, 0, 0, DROP_HANDSHAKE);
	SAY_FATE(&p, "R.", 0, 0, 0, DROP_HANDSHAKE);
	SAY_FATE(&p, "R.", 0, 0, 2, DROP_HANDSHAKE);
	SAY_FATE(&p, "R.", 0, 0, 77777, DROP_HANDSHAKE);
	EXPECT_STATE(&p, TCP_SYN_SENT);
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

/* RFC 9293 3.5.1, figure 9: half-open connection discovered. */
static void
test_old_ack_in_syn_sent_is_reset(void)
{
	struct peer p;

	peer_new(&p, NULL);
	duo_connect(p.a);
	EXPECT(&p, "S", 0, 0, 0);
	SAY_FATE(&p, ".", 300, 0, 100, DROP_HANDSHAKE_RESET);
	EXPECT(&p, "R", 100, 0, 0);
	SAY_FATE(&p, "S.", 300, 0, 0, DROP_HANDSHAKE_RESET);
	EXPECT(&p, "R", 0, 0, 0);
	SAY_FATE(&p, ".", 300, 0, 1, DROP_HANDSHAKE); /* neither SYN nor RST */
	EXPECT_NOTHING(&p);
	EXPECT_STATE(&p, TCP_SYN_SENT);
	peer_free(&p);
}

/* RFC 9293 3.10.7.2. */
static void
test_listen_answers_strangers(void)
{
	struct peer p;

	peer_new(&p, NULL);
	duo_listen(p.a);
	SAY_FATE(&p, "R", 0, 0, 0, DROP_NO_CONN_RST);
	SAY_FATE(&p, "R.", 0, 0, 5, DROP_NO_CONN_RST);
	EXPECT_NOTHING(&p);
	SAY(&p, ".", 0, 0, 55);
	EXPECT(&p, "R", 55, 0, 0);
	SAY(&p, "S.", 0, 0, 55);
	EXPECT(&p, "R", 55, 0, 0);
	SAY(&p, "P", 0, 10, 0);
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

/* RFC 9293 3.10.7.1: what nobody listens to. */
static void
test_closed_answers_with_a_reset(void)
{
	struct peer p;

	peer_new(&p, NULL);
	SAY(&p, "S", 0, 0, 0);
	CU_ASSERT_EQUAL(p.d->log[0].s.flags, TCP_RST | TCP_ACK);
	CU_ASSERT_EQUAL(p.d->log[0].s.seq.v, 0);
	CU_ASSERT_EQUAL(p.d->log[0].s.ack.v, p.iss.v + 1);
	SAY(&p, "F", 0, 10, 0);
	CU_ASSERT_EQUAL(p.d->log[1].s.ack.v, p.iss.v + 11);
	SAY(&p, "S.", 0, 0, 77);
	CU_ASSERT_EQUAL(p.d->log[2].s.flags, TCP_RST);
	CU_ASSERT_EQUAL(p.d->log[2].s.seq.v, p.a_iss.v + 77);
	SAY(&p, "R", 0, 0, 0);
	SAY(&p, "R.", 0, 0, 77);
	CU_ASSERT_EQUAL(p.d->n_log, 3);
	peer_free(&p);
}

static void
test_half_open_refuses_a_wrong_ack(void)
{
	struct peer p;

	peer_new(&p, NULL);
	duo_listen(p.a);
	peer_syn_options(&p);
	SAY(&p, "S", 0, 0, 0);
	EXPECT(&p, "S.", 0, 0, 1);
	SAY_FATE(&p, ".", 1, 0, 2, DROP_HANDSHAKE_RESET);
	EXPECT(&p, "R", 2, 0, 0);
	SAY_FATE(&p, ".", 1, 0, 0, DROP_HANDSHAKE_RESET);
	EXPECT(&p, "R", 0, 0, 0);
	SAY_FATE(&p, ".", 70000, 0, 1, DROP_OUTSIDE_WINDOW);
	EXPECT(&p, ".", 1, 0, 1);
	SAY_FATE(&p, "P", 1, 10, 0, DROP_NO_ACK);
	SAY_FATE(&p, "R", 2, 0, 0, DROP_RST_CHALLENGED);
	SAY_FATE(&p, "S", 100, 0, 0, DROP_SYN_CHALLENGED);
	EXPECT_NOTHING(&p); /* one half a second */
	SAY_FATE(&p, ".", 1, 0, 1, SEG_OK);
	EXPECT_STATE(&p, TCP_ESTABLISHED);
	peer_free(&p);
}

/* RFC 9293 3.10.7.4, RFC 5961 3.2 and 4.2: as of an open connection. */
static void
half_open_answers(const char *flags, uint32_t seq, enum fate fate, bool answers)
{
	struct peer p;
	uint32_t offered;
	uint8_t scale;

	peer_new(&p, NULL);
	duo_listen(p.a);
	peer_syn_options(&p);
	SAY(&p, "S", 0, 0, 0);
	EXPECT(&p, "S.", 0, 0, 1);
	offered = p.last->s.wnd; /* of a SYN-ACK: not scaled */
	scale = p.last->s.wscale;
	for (unsigned i = 0; i < 3; i++)
		SAY_FATE(&p, flags, seq, 0, 1, fate);
	if (answers) {
		EXPECT(&p, ".", 1, 0, 1);
		CU_ASSERT_TRUE((uint32_t)p.last->s.wnd << scale >= offered);
	}
	EXPECT_NOTHING(&p);
	peer_sleeps(&p, MS(500));
	SAY_FATE(&p, flags, seq, 0, 1, fate);
	if (answers)
		EXPECT(&p, ".", 1, 0, 1);
	EXPECT_NOTHING(&p);
	SAY_FATE(&p, ".", 1, 0, 1, SEG_OK);
	EXPECT_STATE(&p, TCP_ESTABLISHED);
	peer_free(&p);
}

static void
test_half_open_challenges(void)
{
	half_open_answers("R", 2, DROP_RST_CHALLENGED, true);
	half_open_answers("R", 70000, DROP_OUTSIDE_WINDOW, false);
	half_open_answers("S", 100, DROP_SYN_CHALLENGED, true);
	half_open_answers("S", 1u << 30, DROP_OUTSIDE_WINDOW, true);
	half_open_answers("P.", 70000, DROP_OUTSIDE_WINDOW, true);
}

static void
test_half_open_is_reset(void)
{
	struct peer p;

	peer_new(&p, NULL);
	duo_listen(p.a);
	peer_syn_options(&p);
	SAY(&p, "S", 0, 0, 0);
	EXPECT(&p, "S.", 0, 0, 1);
	SAY_FATE(&p, "R", 1, 0, 0, REQ_RESET);
	CU_ASSERT_FALSE(p.a->has_req);
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

/* What one full segment holds for each MSS that the peer may announce. */
static void
segment_is(const struct peer_opts *o, uint32_t len)
{
	struct peer p;

	peer_connected(&p, o);
	peer_a_writes(&p, 5000);
	EXPECT(&p, ".", 1, len, 1);
	peer_free(&p);
}

static void
test_mss(void)
{
	segment_is(&(struct peer_opts){ .mss = 1460 }, 1460);
	segment_is(&(struct peer_opts){ .mss = 1000 }, 1000);
	segment_is(&(struct peer_opts){ .mss = 65535 }, 1460);
	segment_is(&(struct peer_opts){ .mss = 1460, .a_mss = 1400 }, 1400);
	/* RFC 9293 MUST-15 */
	segment_is(&(struct peer_opts){ .opts = TCP_OPT_WSCALE }, 536);
	segment_is(&(struct peer_opts){ .opts = TCP_OPT_WSCALE, .v6 = true }, 1220);
	/* RFC 6691: options are taken off, whatever the peer does */
	segment_is(&(struct peer_opts){ .opts = TCP_OPT_MSS | TCP_OPT_TS }, 1448);
}

static void
test_mss_too_small_to_be_true(void)
{
	struct peer p;

	for (int i = 0; i < 3; i++) {
		peer_new(&p, NULL);
		duo_connect(p.a);
		peer_syn_options(&p);
		p.with.mss = (uint16_t)(i == 0 ? 0 : i == 1 ? 1 : 47);
		SAY(&p, "S.", 0, 0, 1);
		peer_skips(&p);
		peer_a_writes(&p, 600);
		EXPECT(&p, ".", 1, i == 0 ? 536 : 88, 1); /* 0 says nothing */
		peer_free(&p);
	}
	peer_accepted(&p, &(struct peer_opts){ .mss = 1, .opts = TCP_OPT_MSS | TCP_OPT_TS });
	peer_a_writes(&p, 500);
	EXPECT(&p, ".", 1, 76, 1);
	peer_free(&p);
}

/* RFC 7323 2.3: more than 14 is 14; 2.2: a SYN's window is never scaled. */
static void
test_window_scale(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .wscale = 3, .wnd = 1000 });
	EXPECT_NUMBER(&p, p.a->conn.snd_wnd, 1000);
	SAY(&p, ".", 2, 0, 1); /* the window of a later segment */
	EXPECT_NUMBER(&p, p.a->conn.snd_wnd, 8000);
	peer_free(&p);

	peer_new(&p, NULL);
	duo_connect(p.a);
	{
		static const uint8_t syn_ack[] = {
			0, 0, 0, 0,  0, 0, 0, 0,  0, 0, 0, 0,  6 << 4, TCP_SYN | TCP_ACK, 1, 0,
			0, 0, 0, 0,  1, 3, 3, 200,
		};
		uint8_t b[sizeof syn_ack];

		memcpy(b, syn_ack, sizeof b);
		put_be32(b + 4, p.iss.v);
		put_be32(b + 8, p.a_iss.v + 1);
		CU_ASSERT_EQUAL(duo_inject_bytes(p.a, b, sizeof b), SEG_OK);
	}
	EXPECT_NUMBER(&p, p.a->conn.snd_wscale, 14);
	EXPECT_NUMBER(&p, p.a->conn.snd_wnd, 256);
	peer_free(&p);

	/* not offered: not in force, in either direction */
	peer_connected(&p, &(struct peer_opts){ .opts = TCP_OPT_MSS, .wnd = 1000 });
	SAY(&p, ".", 2, 0, 1);
	EXPECT_NUMBER(&p, p.a->conn.snd_wnd, 1000);
	EXPECT_NUMBER(&p, p.a->conn.rcv_wscale, 0);
	peer_free(&p);
}

/* RFC 9293 MUST-4 to MUST-7, MUST-64, MUST-65, MUST-68: on an established
 * connection any option may come, and none of them harms. */
static void
test_malformed_options(void)
{
	static const uint8_t options[][8] = {
		{ 8, 0, 0, 0, 0, 0, 0, 0 },         /* length 0                       */
		{ 8, 1, 0, 0, 0, 0, 0, 0 },         /* length 1                       */
		{ 8, 40, 0, 0, 0, 0, 0, 0 },        /* past the end                   */
		{ 1, 1, 1, 1, 1, 1, 1, 8 },         /* no length at all               */
		{ 253, 8, 1, 2, 3, 4, 5, 6 },       /* unknown                        */
		{ 2, 4, 0, 1, 3, 3, 7, 0 },         /* MSS, window scale: not a SYN   */
		{ 5, 8, 0, 0, 0, 0, 0, 0 },         /* SACK with less than a block    */
		{ 0, 8, 10, 0, 0, 0, 0, 0 },        /* nothing behind the end         */
	};
	struct peer p;

	peer_connected(&p, NULL);
	for (unsigned i = 0; i < array_len(options); i++) {
		uint8_t b[28 + 1] = { 0 };

		put_be32(b + 4, p.iss.v + 1 + i);
		put_be32(b + 8, p.a_iss.v + 1);
		b[12] = 7 << 4;
		b[13] = TCP_ACK;
		put_be16(b + 14, 65535);
		memcpy(b + 20, options[i], 8);
		b[28] = duo_pattern(DUO_B, i);
		CU_ASSERT_EQUAL(duo_inject_bytes(p.a, b, sizeof b), SEG_OK);
	}
	EXPECT_NUMBER(&p, p.a->conn.mss, 1460);
	EXPECT_NUMBER(&p, p.a->conn.snd_wscale, 0);
	EXPECT_NUMBER(&p, peer_a_reads(&p), 8);
	peer_free(&p);
}

static void
test_header_beyond_the_segment(void)
{
	struct peer p;
	uint8_t b[20] = { 0 };

	peer_connected(&p, NULL);
	b[12] = 15 << 4;
	CU_ASSERT_EQUAL(duo_inject_bytes(p.a, b, sizeof b), DROP_TCP_HEADER);
	b[12] = 4 << 4;
	CU_ASSERT_EQUAL(duo_inject_bytes(p.a, b, sizeof b), DROP_TCP_HEADER);
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

/* The window may be closed from the start; what was written waits and probes. */
static void
test_zero_window_in_the_handshake(void)
{
	struct peer p;

	peer_new(&p, NULL);
	p.wnd = 0;
	duo_connect(p.a);
	EXPECT(&p, "S", 0, 0, 0);
	peer_sleeps(&p, MS(10));
	peer_syn_options(&p);
	SAY(&p, "S.", 0, 0, 1);
	EXPECT(&p, ".", 1, 0, 1);
	peer_a_writes(&p, 100);
	EXPECT_NOTHING(&p);
	peer_sleeps(&p, MS(300));
	EXPECT(&p, ".", 0, 0, 1);
	EXPECT_NOTHING(&p);
	p.wnd = 1000;
	SAY(&p, ".", 1, 0, 1);
	EXPECT(&p, "P.", 1, 100, 1);
	peer_free(&p);
}

static void
test_close_before_the_answer(void)
{
	struct peer p;

	peer_new(&p, NULL);
	duo_connect(p.a);
	EXPECT(&p, "S", 0, 0, 0);
	duo_close(p.a);
	EXPECT_STATE(&p, TCP_CLOSED);
	EXPECT_NOTHING(&p);
	CU_ASSERT_EQUAL(tcp_owes(&p.a->env, &p.a->conn, p.d->now), TCP_OWES_NOTHING);
	peer_syn_options(&p);
	SAY(&p, "S.", 0, 0, 1);
	EXPECT(&p, "R", 1, 0, 0);
	peer_free(&p);
}

/* An abort where the peer knows nothing of us says nothing (RFC 9293 3.10.5). */
static void
test_abort_before_the_answer(void)
{
	struct peer p;

	peer_new(&p, NULL);
	duo_connect(p.a);
	EXPECT(&p, "S", 0, 0, 0);
	duo_abort(p.a);
	EXPECT_STATE(&p, TCP_CLOSED);
	EXPECT_NOTHING(&p);
	peer_free(&p);

	peer_new(&p, NULL);
	duo_connect(p.a);
	SAY(&p, "S", 0, 0, 0);
	EXPECT_STATE(&p, TCP_SYN_RCVD);
	(void)peer_skips(&p);
	duo_abort(p.a);
	EXPECT(&p, "R.", 1, 0, 1);
	EXPECT_STATE(&p, TCP_CLOSED);
	peer_free(&p);
}

/* Closed while a simultaneous open is under way: FIN after the handshake. */
static void
test_close_in_syn_received(void)
{
	struct peer p;

	peer_new(&p, NULL);
	duo_connect(p.a);
	SAY(&p, "S", 0, 0, 0);
	duo_close(p.a);
	(void)peer_skips(&p);
	SAY(&p, ".", 1, 0, 1);
	EXPECT_STATE(&p, TCP_FIN_WAIT_1);
	EXPECT(&p, "F.", 1, 0, 1);
	peer_free(&p);
}

/* MUST-56 and RFC 5927: a SYN may fail by it, nothing else. */
static void
test_unreachable(void)
{
	struct peer p;

	peer_new(&p, NULL);
	duo_connect(p.a);
	EXPECT(&p, "S", 0, 0, 0);
	CU_ASSERT_TRUE(tcp_icmp_valid(&p.a->conn, p.a_iss));
	CU_ASSERT_FALSE(tcp_icmp_valid(&p.a->conn, seq_add(p.a_iss, 1)));
	tcp_icmp_unreachable(&p.a->env, &p.a->conn, TCP_E_HOSTUNREACH, p.d->now);
	EXPECT_STATE(&p, TCP_CLOSED);
	EXPECT_NUMBER(&p, p.a->conn.err, TCP_E_HOSTUNREACH);
	peer_free(&p);
}

/* The sequence numbers of both wrap within the first bytes. */
static void
test_wrap_in_the_handshake(void)
{
	struct peer p;
	struct peer_opts o = { .iss = seq_of(UINT32_MAX), .a_iss = seq_of(UINT32_MAX) };

	peer_connected(&p, &o);
	peer_a_writes(&p, 100);
	EXPECT(&p, "P.", 1, 100, 1);
	SAY_FATE(&p, "P.", 1, 100, 101, SEG_OK);
	EXPECT(&p, ".", 101, 0, 101);
	EXPECT_NUMBER(&p, peer_a_reads(&p), 100);
	peer_free(&p);
}

void
suite_script_open(void)
{
	CU_pSuite s = CU_add_suite("script_open", NULL, NULL);

	CU_add_test(s, "active open (Linux: first window; RFC 9293 MUST-14, SHLD-5, MAY-3)",
	            test_active_open);
	CU_add_test(s, "passive open (Linux: SYN options)", test_passive_open);
	CU_add_test(s, "the SYN-ACK has no option that was not offered",
	            test_syn_ack_has_no_option_that_was_not_offered);
	CU_add_test(s, "text completes the handshake", test_text_completes_the_handshake);
	CU_add_test(s, "FIN completes the handshake", test_fin_completes_the_handshake);
	CU_add_test(s, "text beside the SYN-ACK (RFC 9293 3.10.7.3)",
	            test_text_beside_the_syn_ack);
	CU_add_test(s, "simultaneous open (RFC 9293 MUST-10)", test_simultaneous_open);
	CU_add_test(s, "what SYN-RECEIVED answers (RFC 9293 3.10.7.4)",
	            test_what_syn_received_answers);
	CU_add_test(s, "simultaneous open of two (RFC 9293 MUST-10)",
	            test_simultaneous_open_of_two);
	CU_add_test(s, "simultaneous open, whatever is lost (RFC 9293 MUST-10)",
	            test_simultaneous_open_whatever_is_lost);
	CU_add_test(s, "open, whatever is lost", test_open_whatever_is_lost);
	CU_add_test(s, "SYN is repeated and given up (RFC 9293 MUST-22, MUST-23; Linux: "
	            "initial RTO; RFC 6298 2.1, 5.5)",
	            test_syn_is_repeated_and_given_up);
	CU_add_test(s, "SYN count by option", test_syn_count_by_option);
	CU_add_test(s, "SYN-ACK is repeated and given up (RFC 9293 MUST-22; Linux: initial "
	            "RTO)",
	            test_syn_ack_is_repeated_and_given_up);
	CU_add_test(s, "a repeated SYN gets the SYN-ACK again",
	            test_repeated_syn_gets_the_syn_ack_again);
	CU_add_test(s, "after a lost SYN cwnd is one segment and the RTO 3 s (RFC 6298 5.7; "
	            "RFC 5681 3.1/lost-syn)",
	            test_after_a_lost_syn_cwnd_is_one_and_rto_three_seconds);
	CU_add_test(s, "refused", test_refused);
	CU_add_test(s, "resets of others do not refuse (RFC 9293 3.10.7.3)",
	            test_resets_of_others_do_not_refuse);
	CU_add_test(s, "an old ACK in SYN-SENT is reset (RFC 9293 3.5.1)",
	            test_old_ack_in_syn_sent_is_reset);
	CU_add_test(s, "LISTEN answers strangers (RFC 9293 3.10.7.2)",
	            test_listen_answers_strangers);
	CU_add_test(s, "CLOSED answers with a reset (RFC 9293 3.10.7.1; Linux: RST for unknown)",
	            test_closed_answers_with_a_reset);
	CU_add_test(s, "half open refuses a wrong ACK", test_half_open_refuses_a_wrong_ack);
	CU_add_test(s, "half open challenges (RFC 9293 3.10.7.4; RFC 5961 3.2/window, 4.2)",
	            test_half_open_challenges);
	CU_add_test(s, "half open is reset", test_half_open_is_reset);
	CU_add_test(s, "MSS (RFC 9293 MUST-14, MUST-15, MUST-16; RFC 1122 4.2.2.6; Linux: MSS; "
	            "attack: MSS 65535)",
	            test_mss);
	CU_add_test(s, "an MSS too small to be true (attack: MSS 0; attack: MSS 1; attack: "
	            "one-byte MSS)",
	            test_mss_too_small_to_be_true);
	CU_add_test(s, "window scale (RFC 7323 1.3, 2.2, 2.3; attack: window scale above 14)",
	            test_window_scale);
	CU_add_test(s, "malformed options (RFC 9293 MUST-4, MUST-5, MUST-6, MUST-7, MUST-64, "
	            "MUST-65, MUST-68)",
	            test_malformed_options);
	CU_add_test(s, "a header beyond the segment (attack: TCP header beyond the frame)",
	            test_header_beyond_the_segment);
	CU_add_test(s, "zero window in the handshake", test_zero_window_in_the_handshake);
	CU_add_test(s, "close before the answer", test_close_before_the_answer);
	CU_add_test(s, "abort before the answer", test_abort_before_the_answer);
	CU_add_test(s, "close in SYN-RECEIVED", test_close_in_syn_received);
	CU_add_test(s, "unreachable (RFC 9293 MUST-56, SHLD-25, SHLD-26; RFC 1122 4.2.3.9)",
	            test_unreachable);
	CU_add_test(s, "sequence numbers wrap in the handshake", test_wrap_in_the_handshake);
}
