/* SPDX-License-Identifier: BSD-3-Clause */
/* Windows: RFC 9293 3.8.6, both sides; zero windows, silly windows, shrinking windows. */
#include <CUnit/CUnit.h>

#include "test/script/peer.h"

void suite_script_window(void);

/* --------------------------------------------------------- the sender -- */

/* MUST-36, SHLD-29, SHLD-30, MUST-37. */
static void
test_zero_window_is_probed_for_hours(void)
{
	struct peer p;
	int64_t at, gap, rto, last = 0;
	unsigned n = 0;

	peer_connected(&p, &(struct peer_opts){ .wnd = 1000 });
	peer_a_writes(&p, 1500);
	EXPECT(&p, ".", 1, 1000, 1);
	p.wnd = 0;
	at = p.d->now;
	SAY(&p, ".", 1, 0, 1001);
	rto = tcp_rto_ns(&p.a->conn);
	while (p.d->now < DUO_T0 + SEC(4 * 3600)) {
		peer_sleeps(&p, SEC(121));
		while (p.at < p.d->n_log) {
			EXPECT(&p, ".", 1000, 0, 1); /* SND.UNA - 1, no text */
			gap = peer_after(&p, at);
			at = p.last->at;
			if (n++ == 0)
				EXPECT_NUMBER(&p, gap, rto);
			CU_ASSERT_TRUE(gap >= last);
			last = gap;
			SAY(&p, ".", 1, 0, 1001);
		}
	}
	EXPECT_NUMBER(&p, last, SEC(120));
	EXPECT_STATE(&p, TCP_ESTABLISHED);
	CU_ASSERT_TRUE(n > 100 && n < 140);
	p.wnd = 1000;
	SAY(&p, ".", 1, 0, 1001);
	EXPECT(&p, "P.", 1001, 500, 1);
	/* What happened while the window was closed says nothing of the path. */
	peer_sleeps(&p, MS(250));
	EXPECT(&p, "P.", 1001, 500, 1);
	peer_free(&p);
}

static void
test_zero_window_of_a_dead_peer_ends(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .wnd = 1000 });
	peer_a_writes(&p, 1500);
	p.wnd = 0;
	SAY(&p, ".", 1, 0, 1001);
	peer_sleeps(&p, SEC(3600));
	EXPECT_STATE(&p, TCP_CLOSED);
	EXPECT_NUMBER(&p, p.a->conn.err, TCP_E_TIMEDOUT);
	EXPECT(&p, ".", 1, 1000, 1);
	EXPECT_NUMBER(&p, peer_skips(&p), 15);
	peer_free(&p);
}

/* RFC 6429: nobody would ever learn that the peer does not read. */
static void
test_zero_window_of_an_orphan_ends(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .wnd = 1000 });
	peer_a_writes(&p, 1500);
	p.wnd = 0;
	SAY(&p, ".", 1, 0, 1001);
	duo_close(p.a);
	while (p.d->now < DUO_T0 + SEC(3600)) {
		peer_sleeps(&p, SEC(1));
		if (peer_skips(&p) && p.a->conn.state != TCP_CLOSED)
			SAY(&p, ".", 1, 0, 1001);
	}
	EXPECT_STATE(&p, TCP_CLOSED);
	peer_free(&p);
}

/* The window update is lost: the next probe finds it. */
static void
test_lost_window_update(void)
{
	struct duo *d = duo_established(NULL);
	uint32_t sent = 0, got = 0;

	while (d->side[DUO_A].conn.snd_wnd > 0 && sent < 10000000) {
		sent += duo_write_pattern(&d->side[DUO_A], 16384);
		duo_run(d, MS(10));
	}
	CU_ASSERT_EQUAL(d->side[DUO_A].conn.snd_wnd, 0);
	d->cut[DUO_B] = true;
	got += duo_read_pattern(&d->side[DUO_B]);
	duo_run(d, MS(50));
	d->cut[DUO_B] = false;
	duo_run(d, SEC(10));
	got += duo_read_pattern(&d->side[DUO_B]);
	CU_ASSERT_EQUAL(got, sent);
	duo_free(d);
}

/* A corked text and a closed window: the window is what has to be asked about. */
static void
test_corked_text_probes_a_closed_window(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .wnd = 1000 });
	duo_flag(p.a, TCPF_CORK, true);
	peer_a_writes(&p, 1500);
	peer_sleeps(&p, MS(250)); /* the cork's ceiling */
	EXPECT(&p, ".", 1, 1000, 1);
	p.wnd = 0;
	SAY(&p, ".", 1, 0, 1001);
	peer_sleeps(&p, SEC(2));
	CU_ASSERT_TRUE(peer_skips(&p) >= 2); /* probes */
	p.wnd = 1000;
	SAY(&p, ".", 1, 0, 1001);
	peer_sleeps(&p, MS(250));
	EXPECT(&p, "P.", 1001, 500, 1);
	peer_free(&p);
}

/* RFC 9293 3.8.6.2.1: MUST-38. */
static void
test_sender_avoids_silly_segments(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .wnd = 8000 });
	peer_a_writes(&p, 16000);
	(void)peer_skips(&p); /* 1..8001 are full: 5 * 1460, then 700 is silly */
	EXPECT_NUMBER(&p, seq_sub(p.a->conn.snd_nxt, p.a_iss), 1 + 5 * 1460);
	/* Each ACK opens a little: nothing leaves before a segment is full. */
	p.wnd = 700 + 100;
	SAY(&p, ".", 1, 0, 1 + 5 * 1460);
	EXPECT_NOTHING(&p);
	p.wnd = 1459;
	SAY(&p, ".", 1, 0, 1 + 5 * 1460);
	EXPECT_NOTHING(&p);
	p.wnd = 1460;
	SAY(&p, ".", 1, 0, 1 + 5 * 1460);
	EXPECT(&p, ".", 7301, 1460, 1);
	peer_free(&p);
}

/* ... but not for ever: the override time-out. */
static void
test_sender_overrides_a_silly_window(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .wnd = 8000 });
	peer_a_writes(&p, 16000);
	p.wnd = 800;
	SAY(&p, ".", 1, 0, 1 + 5 * 1460);
	(void)peer_skips(&p);
	peer_sleeps(&p, MS(1000));
	EXPECT(&p, ".", 7301, 800, 1);
	peer_free(&p);
}

/* ... within a second, however long the round trip is. */
static void
test_override_on_a_long_path(void)
{
	struct peer p;

	peer_new(&p, NULL);
	duo_connect(p.a);
	peer_sleeps(&p, MS(900));
	peer_syn_options(&p);
	p.wnd = 8000;
	SAY(&p, "S.", 0, 0, 1);
	CU_ASSERT_TRUE(tcp_rto_ns(&p.a->conn) > SEC(2));
	peer_a_writes(&p, 16000);
	peer_sleeps(&p, MS(900));
	p.wnd = 800;
	SAY(&p, ".", 1, 0, 1 + 5 * 1460);
	(void)peer_skips(&p);
	peer_sleeps(&p, MS(1000));
	EXPECT(&p, ".", 7301, 800, 1);
	peer_free(&p);
}

/* Also when the window had been closed for long, and opens a little only. */
static void
test_silly_window_after_a_closed_one(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .wnd = 8000 });
	peer_a_writes(&p, 16000);
	p.wnd = 0;
	SAY(&p, ".", 1, 0, 1 + 5 * 1460);
	for (int i = 0; i < 20; i++) {
		peer_sleeps(&p, SEC(60));
		SAY(&p, ".", 1, 0, 1 + 5 * 1460);
	}
	(void)peer_skips(&p);
	p.wnd = 800;
	SAY(&p, ".", 1, 0, 1 + 5 * 1460);
	EXPECT_NOTHING(&p);
	peer_sleeps(&p, MS(1000));
	EXPECT(&p, ".", 7301, 800, 1);
	peer_free(&p);
}

/* A peer whose whole window is small is served by the half of it. */
static void
test_half_of_a_small_window_is_not_silly(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .wnd = 600 });
	peer_a_writes(&p, 2000);
	EXPECT(&p, ".", 1, 600, 1);
	p.wnd = 300;
	SAY(&p, ".", 1, 0, 601);
	EXPECT(&p, ".", 601, 300, 1);
	peer_free(&p);
}

/* SHLD-15, SHLD-16, SHLD-17, MUST-34. */
static void
test_peer_shrinks_its_window(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .wnd = 10000, .cfg = peer_no_probes });
	peer_a_writes(&p, 16000);
	EXPECT_NUMBER(&p, peer_skips(&p), 6);
	p.wnd = 2000; /* 6 * 1460 are in flight */
	SAY(&p, ".", 1, 0, 1461);
	EXPECT_NOTHING(&p); /* nothing new */
	EXPECT_STATE(&p, TCP_ESTABLISHED);
	peer_sleeps(&p, MS(300));
	EXPECT(&p, ".", 1461, 1460, 1); /* the old is repeated */
	p.wnd = 0;
	SAY(&p, ".", 1, 0, 1461);
	(void)peer_skips(&p);
	/* For as long as the peer answers it does not time out. */
	while (p.d->now < DUO_T0 + SEC(3 * 3600)) {
		peer_sleeps(&p, SEC(60));
		if (peer_skips(&p))
			SAY(&p, ".", 1, 0, 1461);
	}
	EXPECT_STATE(&p, TCP_ESTABLISHED);
	p.wnd = 10000;
	SAY(&p, ".", 1, 0, 1461);
	(void)peer_skips(&p);
	peer_sleeps(&p, SEC(200));
	EXPECT(&p, ".", 1461, 1460, 1);
	peer_free(&p);
}

/* A window that shrinks to 0 without acknowledging more. */
static void
test_peer_closes_its_window_by_the_same_ack(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .wnd = 10000 });
	p.wnd = 0;
	SAY(&p, ".", 1, 0, 1);
	EXPECT_NUMBER(&p, p.a->conn.snd_wnd, 0);
	peer_a_writes(&p, 100);
	EXPECT_NOTHING(&p);
	p.wnd = 10000;
	SAY(&p, ".", 1, 0, 1);
	EXPECT(&p, "P.", 1, 100, 1);
	peer_free(&p);
}

/* An ACK that advances carries a window, however old its own sequence number is:
 * otherwise the right edge would move out. */
static void
test_an_ack_that_advances_always_updates(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .wnd = 10000 });
	peer_a_writes(&p, 5000);
	SAY(&p, ".", 101, 100, 1); /* beyond a hole: SND.WL1 is 101 now */
	(void)peer_skips(&p);
	p.wnd = 5000;
	SAY(&p, ".", 1, 0, 5001);
	EXPECT_NUMBER(&p, p.a->conn.snd_wnd, 5000);
	peer_free(&p);
}

/* An ACK that was overtaken takes nothing back. */
static void
test_an_old_ack_does_not_shrink(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .wnd = 10000 });
	peer_a_writes(&p, 5000);
	SAY(&p, ".", 1, 0, 5001);
	p.wnd = 100;
	SAY(&p, ".", 1, 0, 2921);
	EXPECT_NUMBER(&p, p.a->conn.snd_wnd, 10000);
	SAY(&p, ".", 1, 0, 5001);
	EXPECT_NUMBER(&p, p.a->conn.snd_wnd, 10000);
	peer_free(&p);
}

/* MUST-1: unsigned. */
static void
test_windows_above_32767_are_not_negative(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .wnd = 40000 });
	peer_a_writes(&p, 14600);
	EXPECT_NUMBER(&p, peer_skips(&p), 10);
	peer_free(&p);
}

static void
test_fin_waits_for_the_window(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .wnd = 100 });
	peer_a_writes(&p, 100);
	EXPECT(&p, "P.", 1, 100, 1);
	p.wnd = 0;
	SAY(&p, ".", 1, 0, 101);
	duo_shutdown(p.a);
	EXPECT_NOTHING(&p);
	peer_sleeps(&p, MS(300));
	EXPECT(&p, ".", 100, 0, 1);
	p.wnd = 1;
	SAY(&p, ".", 1, 0, 101);
	EXPECT(&p, "F.", 101, 0, 1);
	peer_free(&p);
}

/* ------------------------------------------------------- the receiver -- */

static void
fixed(struct tcp_cfg *cfg, int who)
{
	(void)who;
	cfg->rcvbuf = cfg->rcvbuf_max = 20000; /* a window of 10000 */
	cfg->quickack = 0;
}

static void
test_receiver_fills_and_empties(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .cfg = fixed });
	EXPECT_NUMBER(&p, p.last->s.wnd, 10000);
	for (uint32_t at = 1; at < 10001; at += 1000)
		SAY(&p, ".", at, 1000, 1);
	peer_sleeps(&p, MS(300));
	(void)peer_skips(&p);
	SAY_FATE(&p, ".", 10001, 1, 1, DROP_ZERO_WINDOW);
	EXPECT(&p, ".", 1, 0, 10001);
	EXPECT_NUMBER(&p, p.last->s.wnd, 0);
	/* MUST-39: a byte of room is not offered. */
	EXPECT_NUMBER(&p, duo_read(p.a, NULL, 1), 1);
	EXPECT_NOTHING(&p);
	SAY(&p, ".", 10000, 0, 1); /* a probe */
	EXPECT(&p, ".", 1, 0, 10001);
	EXPECT_NUMBER(&p, p.last->s.wnd, 0);
	EXPECT_NUMBER(&p, duo_read(p.a, NULL, 1400), 1400);
	EXPECT_NOTHING(&p);
	/* a segment of it is, at once */
	EXPECT_NUMBER(&p, duo_read(p.a, NULL, 100), 100);
	EXPECT(&p, ".", 1, 0, 10001);
	EXPECT_NUMBER(&p, p.last->s.wnd, 1501);
	/* and half of the buffer again */
	EXPECT_NUMBER(&p, duo_read(p.a, NULL, 4000), 4000);
	EXPECT(&p, ".", 1, 0, 10001);
	EXPECT_NUMBER(&p, p.last->s.wnd, 5501);
	EXPECT_NUMBER(&p, duo_read(p.a, NULL, 4000), 4000);
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

/* SHLD-14: whatever is read, the right edge never moves to the left; the link
 * of the duo judges that.  Here the scale makes it round. */
static void
scaled(struct tcp_cfg *cfg, int who)
{
	(void)who;
	cfg->rcvbuf = 300000;
	cfg->rcvbuf_max = 64 << 20;
}

static void
test_rounding_takes_nothing_back(void)
{
	struct peer p;
	uint32_t at = 1;

	peer_connected(&p, &(struct peer_opts){ .cfg = scaled });
	EXPECT_NUMBER(&p, p.a->conn.rcv_wscale, 11);
	for (uint32_t i = 0; i < 3000; i++) {
		uint32_t n = min(1 + i % 97, tcp_rcv_wnd(&p.a->conn));

		if (n == 0)
			break;
		SAY(&p, ".", at, n, 1);
		at += n;
	}
	CU_ASSERT_PTR_NULL(p.d->broken);
	EXPECT_NUMBER(&p, peer_a_reads(&p), at - 1);
	peer_free(&p);
}

static void
test_receive_window_grows_with_the_reader(void)
{
	struct duo_opts o = { .no_log = true, .latency = MS(50) };
	struct duo *d = duo_established(&o);
	uint32_t first = d->side[DUO_B].conn.rcv_space, sent = 0, got = 0;

	for (int i = 0; i < 100000 && sent < 20000000; i++) {
		sent += duo_write_pattern(&d->side[DUO_A], 1000000);
		got += duo_read_pattern(&d->side[DUO_B]);
		(void)duo_step(d, d->now + MS(10));
	}
	CU_ASSERT_EQUAL(first, 65536);
	CU_ASSERT_EQUAL(d->side[DUO_B].conn.rcv_space, 6291456 / 2);
	CU_ASSERT_TRUE(d->side[DUO_A].conn.snd_limit > 1000000);
	CU_ASSERT_TRUE(got > 10000000);
	duo_free(d);
}

static void
test_a_fixed_buffer_does_not_grow(void)
{
	struct duo_opts o = { .no_log = true };
	struct duo *d = duo_established(&o);
	uint32_t sent = 0, got = 0;

	duo_option(&d->side[DUO_B], TCP_OPTION_RCVBUF, 40000);
	duo_option(&d->side[DUO_A], TCP_OPTION_SNDBUF, 30000);
	for (int i = 0; i < 2000; i++) {
		sent += duo_write_pattern(&d->side[DUO_A], 1000000);
		CU_ASSERT_TRUE(sent - got <= 30000 + 65536);
		got += duo_read_pattern(&d->side[DUO_B]);
		(void)duo_step(d, d->now + MS(10));
	}
	CU_ASSERT_EQUAL(d->side[DUO_B].conn.rcv_space, 20000);
	CU_ASSERT_EQUAL(d->side[DUO_A].conn.snd_limit, 30000);
	duo_free(d);
}

void
suite_script_window(void)
{
	CU_pSuite s = CU_add_suite("script_window", NULL, NULL);

	CU_add_test(s, "a zero window is probed for hours (RFC 9293 MUST-35, MUST-36, SHLD-29, "
	            "SHLD-30, MUST-37; RFC 1122 4.2.2.17; Linux: window probe)",
	            test_zero_window_is_probed_for_hours);
	CU_add_test(s, "a zero window of a dead peer ends", test_zero_window_of_a_dead_peer_ends);
	CU_add_test(s, "a zero window of an orphan ends (RFC 6429 4)",
	            test_zero_window_of_an_orphan_ends);
	CU_add_test(s, "a lost window update", test_lost_window_update);
	CU_add_test(s, "corked text probes a closed window",
	            test_corked_text_probes_a_closed_window);
	CU_add_test(s, "the sender avoids silly segments (RFC 9293 MUST-38; RFC 1122 4.2.3.4)",
	            test_sender_avoids_silly_segments);
	CU_add_test(s, "the sender overrides a silly window (RFC 9293 MUST-38; RFC 1122 "
	            "4.2.3.4)",
	            test_sender_overrides_a_silly_window);
	CU_add_test(s, "override on a long path", test_override_on_a_long_path);
	CU_add_test(s, "a silly window after a closed one", test_silly_window_after_a_closed_one);
	CU_add_test(s, "half of a small window is not silly",
	            test_half_of_a_small_window_is_not_silly);
	CU_add_test(s, "the peer shrinks its window (RFC 9293 SHLD-15, SHLD-16, SHLD-17, "
	            "MUST-34, MAY-7)",
	            test_peer_shrinks_its_window);
	CU_add_test(s, "the peer closes its window by the same ACK",
	            test_peer_closes_its_window_by_the_same_ack);
	CU_add_test(s, "an ACK that advances always updates",
	            test_an_ack_that_advances_always_updates);
	CU_add_test(s, "an old ACK does not shrink", test_an_old_ack_does_not_shrink);
	CU_add_test(s, "windows above 32767 are not negative (RFC 9293 MUST-1)",
	            test_windows_above_32767_are_not_negative);
	CU_add_test(s, "FIN waits for the window", test_fin_waits_for_the_window);
	CU_add_test(s, "the receiver fills and empties (RFC 9293 MUST-39, MAY-8; RFC 1122 "
	            "4.2.3.3)",
	            test_receiver_fills_and_empties);
	CU_add_test(s, "rounding takes nothing back (RFC 9293 SHLD-14; RFC 7323 2.4)",
	            test_rounding_takes_nothing_back);
	CU_add_test(s, "the receive window grows with the reader (Linux: buffers)",
	            test_receive_window_grows_with_the_reader);
	CU_add_test(s, "a fixed buffer does not grow", test_a_fixed_buffer_does_not_grow);
}
