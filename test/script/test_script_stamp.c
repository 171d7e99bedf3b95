/* SPDX-License-Identifier: BSD-3-Clause */
/* Timestamps: RFC 7323 3 and 4; what PAWS does with them is in test_script_blind.c. */
#include <CUnit/CUnit.h>

#include "test/script/peer.h"

void suite_script_stamp(void);

#define MSS 1460u

static const struct peer_opts stamped = {
	.opts = TCP_OPT_MSS | TCP_OPT_SACK_OK | TCP_OPT_WSCALE | TCP_OPT_TS,
};

/* Handshake, text, text again, ACK, D-SACK, window probe, FIN. */
static void
test_every_segment_is_stamped(void)
{
	struct peer p;
	size_t seen = 0;

	peer_connected(&p, &stamped);
	peer_a_writes(&p, 3 * MSS);
	peer_sleeps(&p, SEC(2)); /* text again */
	SAY(&p, ".", 1, 0, 1 + 3 * MSS);
	SAY(&p, "P.", 1, 100, 1 + 3 * MSS);
	SAY(&p, "P.", 1, 100, 1 + 3 * MSS);
	p.wnd = 0;
	SAY(&p, ".", 101, 0, 1 + 3 * MSS);
	peer_a_writes(&p, 100);
	peer_sleeps(&p, SEC(5)); /* a probe */
	p.wnd = 65535;
	SAY(&p, ".", 101, 0, 1 + 3 * MSS);
	(void)peer_a_reads(&p);
	duo_close(p.a);
	for (size_t i = 0; i < p.d->n_log; i++) {
		CU_ASSERT_TRUE(p.d->log[i].s.opts & TCP_OPT_TS);
		seen++;
	}
	CU_ASSERT_TRUE(seen >= 9);
	peer_free(&p);
}

/* Not agreed on: never there. */
static void
test_nothing_is_stamped_without_agreement(void)
{
	struct peer p;

	peer_accepted(&p, NULL);
	p.with.opts = TCP_OPT_TS; /* the peer does it all the same */
	p.with.tsval = 77;
	SAY_FATE(&p, "P.", 1, 100, 1, SEG_OK);
	peer_a_writes(&p, 3 * MSS);
	for (size_t i = 0; i < p.d->n_log; i++)
		CU_ASSERT_FALSE(p.d->log[i].s.opts & TCP_OPT_TS);
	peer_free(&p);
}

/* The echo of a SYN without ACK is noise; an ACK is what measures. */
static void
test_an_echo_counts_with_an_ack_only(void)
{
	struct peer p;

	peer_new(&p, &stamped);
	duo_listen(p.a);
	peer_syn_options(&p);
	p.with.tsval = 1000;
	p.with.tsecr = 12345;
	SAY_FATE(&p, "S", 0, 0, 0, SYN_TAKEN);
	EXPECT(&p, "S.", 0, 0, 1);
	EXPECT_NUMBER(&p, p.last->s.tsecr, 1000);
	peer_sleeps(&p, MS(10));
	SAY(&p, ".", 1, 0, 1);
	EXPECT_NUMBER(&p, p.a->conn.srtt_us >> 3, 10000);
	p.with.opts = TCP_OPT_TS;
	p.with.tsval = p.tsval;
	p.with.tsecr = 1;
	SAY_FATE(&p, "P", 1, 10, 0, DROP_NO_ACK);
	EXPECT_NUMBER(&p, p.a->conn.srtt_us >> 3, 10000);
	peer_free(&p);
}

/* RFC 7323 5.4: between 1 ms and 1 s a tick, and never backwards. */
static void
test_the_clock_ticks_in_milliseconds(void)
{
	struct peer p;
	uint32_t first;

	peer_connected(&p, &stamped);
	duo_flag(p.a, TCPF_NODELAY, true);
	peer_a_writes(&p, 10);
	EXPECT(&p, ".", 1, 10, 1);
	first = p.seen.s.tsval;
	for (uint32_t i = 1; i <= 20; i++) {
		peer_sleeps(&p, MS(7));
		SAY(&p, ".", 1, 0, 1 + 10 * i);
		peer_a_writes(&p, 10);
		EXPECT(&p, ".", 1 + 10 * i, 10, 1);
		EXPECT_NUMBER(&p, p.seen.s.tsval - first, 7 * i);
	}
	peer_free(&p);
}

/* RFC 7323 4.3, case (A) and (B): an ACK that waited echoes the first segment it is for; one
 * that tells of a hole echoes what came before the hole. */
static void
test_which_timestamp_is_echoed(void)
{
	struct peer p;
	uint32_t first;

	peer_connected(&p, &stamped);
	p.a->conn.quickacks = 0; /* wait with ACKs */
	p.a->conn.flags |= TCPF_INTERACTIVE;
	peer_sleeps(&p, MS(5));
	first = p.tsval;
	SAY(&p, ".", 1, 600, 1);
	peer_sleeps(&p, MS(5));
	SAY(&p, ".", 601, 600, 1);
	EXPECT(&p, ".", 1, 0, 1201);
	EXPECT_NUMBER(&p, p.seen.s.tsecr, first);
	peer_sleeps(&p, MS(5));
	SAY(&p, ".", 2001, 100, 1); /* beyond a hole */
	EXPECT(&p, ".", 1, 0, 1201);
	EXPECT_NUMBER(&p, p.seen.s.tsecr, first);
	peer_sleeps(&p, MS(5));
	SAY(&p, ".", 1201, 800, 1); /* case (C): it is filled */
	EXPECT(&p, ".", 1, 0, 2101);
	EXPECT_NUMBER(&p, p.seen.s.tsecr, p.tsval);
	peer_free(&p);
}

/* RFC 7323 2.2 and 2.3 with REC-1: the largest scale there is fills 30 bits. */
static void
test_windows_of_a_gigabyte(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .wscale = 14 });
	SAY(&p, ".", 2, 0, 1);
	EXPECT_NUMBER(&p, p.a->conn.snd_wnd, INT64_C(65535) << 14);
	peer_a_writes(&p, 10 * MSS);
	EXPECT_NUMBER(&p, peer_skips(&p), 10);
	peer_free(&p);
}

void
suite_script_stamp(void)
{
	CU_pSuite s = CU_add_suite("script_stamp", NULL, NULL);

	CU_add_test(s, "every segment is stamped (RFC 7323 3.2/every)",
	            test_every_segment_is_stamped);
	CU_add_test(s, "nothing is stamped without agreement (RFC 7323 1.3)",
	            test_nothing_is_stamped_without_agreement);
	CU_add_test(s, "an echo counts with an ACK only (RFC 7323 3.2/TSecr)",
	            test_an_echo_counts_with_an_ack_only);
	CU_add_test(s, "the clock ticks in milliseconds (RFC 7323 5.4; Linux: timestamps)",
	            test_the_clock_ticks_in_milliseconds);
	CU_add_test(s, "which timestamp is echoed (RFC 7323 4.3)", test_which_timestamp_is_echoed);
	CU_add_test(s, "windows of a gigabyte (RFC 9293 REC-1; RFC 7323 2.3)",
	            test_windows_of_a_gigabyte);
}
