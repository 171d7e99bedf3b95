/* SPDX-License-Identifier: BSD-3-Clause */
/* Urgent text: RFC 9293 3.8.5. */
#include <CUnit/CUnit.h>

#include "tcp/tcp_rare.h"
#include "tcp/tcp_urgent.h"
#include "test/script/peer.h"

void suite_tcp_urgent(void);

/* Writes text of which the last byte is urgent. */
static void
a_writes_urgent(struct peer *p, uint32_t len)
{
	uint32_t end = atomic_load(&p->a->snd_w.written) + len;

	tcp_urgent_wrote(&p->a->env, &p->a->conn, end);
	peer_a_writes(p, len);
}

static void
say_urgent(struct peer *p, uint32_t seq, uint32_t len, uint16_t urg)
{
	p->with.urg = urg;
	SAY(p, "U.", seq, len, 1);
}

static void
test_pointer_stands_behind_the_last_urgent_byte(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	duo_flag(p.a, TCPF_NODELAY, true);
	a_writes_urgent(&p, 10);
	EXPECT(&p, "UP.", 1, 10, 1);
	EXPECT_NUMBER(&p, p.seen.s.urg, 10);
	peer_a_writes(&p, 10);
	EXPECT(&p, "P.", 11, 10, 1);
	EXPECT_NUMBER(&p, p.seen.s.flags & TCP_URG, 0);
	SAY(&p, ".", 1, 0, 11);
	peer_a_writes(&p, 10);
	EXPECT(&p, "P.", 21, 10, 1);
	EXPECT_NUMBER(&p, p.seen.s.flags & TCP_URG, 0);
	peer_free(&p);
}

static void
test_what_is_sent_again_is_still_urgent(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	a_writes_urgent(&p, 10);
	EXPECT(&p, "UP.", 1, 10, 1);
	peer_sleeps(&p, SEC(1));
	EXPECT(&p, "U.", 1, 10, 1);
	EXPECT_NUMBER(&p, p.seen.s.urg, 10);
	peer_free(&p);
}

static void
test_all_segments_in_front_say_so(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	a_writes_urgent(&p, 3000);
	EXPECT(&p, "U.", 1, 1460, 1);
	EXPECT_NUMBER(&p, p.seen.s.urg, 3000);
	EXPECT(&p, "U.", 1461, 1460, 1);
	EXPECT_NUMBER(&p, p.seen.s.urg, 1540);
	EXPECT(&p, "UP.", 2921, 80, 1);
	EXPECT_NUMBER(&p, p.seen.s.urg, 80);
	peer_free(&p);
}

/* The first segment's pointer cannot say it, and says the most it can. */
static void
test_urgent_text_of_any_length(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .cfg = NULL });
	duo_option(p.a, TCP_OPTION_SNDBUF, 400000);
	a_writes_urgent(&p, 100000);
	EXPECT(&p, "U.", 1, 1460, 1);
	EXPECT_NUMBER(&p, p.seen.s.urg, UINT16_MAX);
	peer_skips(&p);
	SAY(&p, ".", 1, 0, 14601);
	(void)peer_skips(&p);
	tcp_urgent_wrote(&p.a->env, &p.a->conn, 50000); /* an older one changes nothing */
	EXPECT_NUMBER(&p, seq_sub(tcp_rare(&p.a->conn)->snd_up, p.a->conn.iss), 100001);
	peer_free(&p);
}

/* Nagle's algorithm and the cork are for text that has time. */
static void
test_urgent_text_waits_for_nothing(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	peer_a_writes(&p, 10);
	EXPECT(&p, "P.", 1, 10, 1);
	peer_a_writes(&p, 10);
	EXPECT_NOTHING(&p);
	a_writes_urgent(&p, 1);
	EXPECT(&p, "UP.", 11, 11, 1);
	EXPECT_NUMBER(&p, p.seen.s.urg, 11);
	peer_free(&p);
}

/* The peer is to read what stands in front: it has to hear of it while its window is closed. */
static void
test_a_closed_window_lets_the_pointer_through(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .wnd = 1000 });
	peer_a_writes(&p, 1000);
	EXPECT(&p, "P.", 1, 1000, 1);
	p.wnd = 0;
	SAY(&p, ".", 1, 0, 1001);
	a_writes_urgent(&p, 5);
	EXPECT_NOTHING(&p);
	peer_sleeps(&p, SEC(1));
	EXPECT(&p, "U.", 1000, 0, 1);
	EXPECT(&p, "U.", 1001, 0, 1);
	EXPECT_NUMBER(&p, p.seen.s.urg, 5);
	peer_free(&p);
}

static void
test_application_hears_of_each_new_pointer(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	say_urgent(&p, 1, 10, 5);
	CU_ASSERT_EQUAL(p.a->urgent_told, 1);
	CU_ASSERT_EQUAL(p.a->urgent_at, 4);
	say_urgent(&p, 1, 10, 5); /* it has been received */
	say_urgent(&p, 5, 6, 1);
	say_urgent(&p, 5, 7, 1); /* beside a new byte */
	CU_ASSERT_EQUAL(p.a->urgent_told, 1);
	say_urgent(&p, 11, 10, 500);
	CU_ASSERT_EQUAL(p.a->urgent_told, 2);
	CU_ASSERT_EQUAL(p.a->urgent_at, 509);
	say_urgent(&p, 21, 10, 490);
	say_urgent(&p, 31, 10, 470);
	say_urgent(&p, 31, 11, 2);
	CU_ASSERT_EQUAL(p.a->urgent_told, 2);
	say_urgent(&p, 41, 10, 471);
	CU_ASSERT_EQUAL(p.a->urgent_told, 3);
	CU_ASSERT_EQUAL(p.a->urgent_at, 510);
	CU_ASSERT_EQUAL(peer_a_reads(&p), 50);
	CU_ASSERT_FALSE(p.a->urgent_late); /* or who had read it would not have known */
	peer_free(&p);
}

/* MUST-66. */
static void
test_a_pointer_counts_although_the_window_is_closed(void)
{
	struct peer p;
	uint32_t seq = 1;

	peer_connected(&p, NULL);
	while (tcp_rcv_wnd(&p.a->conn) > 0) {
		uint32_t n = min(tcp_rcv_wnd(&p.a->conn), 1460u);

		SAY(&p, ".", seq, n, 1);
		seq += n;
	}
	say_urgent(&p, seq, 10, 10);
	CU_ASSERT_EQUAL(p.a->urgent_told, 1);
	CU_ASSERT_EQUAL(p.a->urgent_at, seq + 8);
	EXPECT_NUMBER(&p, seq_sub(p.a->conn.rcv_nxt, tcp_irs(&p.a->conn)), seq);
	peer_free(&p);
}

/* A pointer without text; of segments that are not acceptable; with nobody to listen. */
static void
test_pointers_that_mean_nothing(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	say_urgent(&p, 900000, 10, 10);
	CU_ASSERT_EQUAL(p.a->urgent_told, 0);
	say_urgent(&p, 1, 0, 0); /* as Linux reads it: the byte at SEG.SEQ */
	CU_ASSERT_EQUAL(p.a->urgent_told, 1);
	CU_ASSERT_EQUAL(p.a->urgent_at, 0);
	SAY(&p, "F.", 1, 0, 1);
	say_urgent(&p, 2, 0, 10);
	CU_ASSERT_EQUAL(p.a->urgent_told, 1);
	peer_free(&p);
}

/* Four gigabytes later an old pointer shall not look new. */
static void
test_an_old_mark_is_forgotten(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	tcp_urgent_wrote(&p.a->env, &p.a->conn, 1);
	CU_ASSERT_TRUE(tcp_urgent_on(&p.a->conn));
	peer_a_writes(&p, 1);
	SAY(&p, ".", 1, 0, 2);
	CU_ASSERT_FALSE(tcp_urgent_on(&p.a->conn));
	tcp_urgent_wrote(&p.a->env, &p.a->conn, 1); /* the core says it as often as it looks */
	CU_ASSERT_FALSE(tcp_urgent_on(&p.a->conn));
	say_urgent(&p, 1, 1, 1);
	say_urgent(&p, 2, 1, 0);
	CU_ASSERT_EQUAL(p.a->urgent_told, 2);
	SAY(&p, ".", 3, 1, 2);
	CU_ASSERT_EQUAL(p.a->conn.flags & TCPF_URG_IN, 0);
	peer_free(&p);
}

void
suite_tcp_urgent(void)
{
	CU_pSuite s = CU_add_suite("tcp_urgent", NULL, NULL);

	CU_add_test(s, "the pointer stands behind the last urgent byte (RFC 9293 MUST-62)",
	            test_pointer_stands_behind_the_last_urgent_byte);
	CU_add_test(s, "what is sent again is still urgent (RFC 9293 MUST-30)",
	            test_what_is_sent_again_is_still_urgent);
	CU_add_test(s, "all segments in front of the urgent byte say so (RFC 9293 MUST-30)",
	            test_all_segments_in_front_say_so);
	CU_add_test(s, "urgent text of any length (RFC 9293 MUST-31)",
	            test_urgent_text_of_any_length);
	CU_add_test(s, "urgent text waits for nothing", test_urgent_text_waits_for_nothing);
	CU_add_test(s, "a closed window lets the pointer through (RFC 9293 MUST-66)",
	            test_a_closed_window_lets_the_pointer_through);
	CU_add_test(s, "the application hears of each new pointer (RFC 9293 MUST-32)",
	            test_application_hears_of_each_new_pointer);
	CU_add_test(s, "a pointer counts although the window is closed (RFC 9293 MUST-66)",
	            test_a_pointer_counts_although_the_window_is_closed);
	CU_add_test(s, "pointers that mean nothing", test_pointers_that_mean_nothing);
	CU_add_test(s, "an old mark is forgotten", test_an_old_mark_is_forgotten);
}
