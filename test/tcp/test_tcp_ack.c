/* SPDX-License-Identifier: BSD-3-Clause */
/* What one ACK teaches: SND.UNA, the window, the round trip, room for the writer. */
#include <CUnit/CUnit.h>

#include "tcp/tcp_in.h"
#include "test/script/peer.h"

void suite_tcp_ack(void);

static void
test_acknowledged_text_makes_room(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	peer_a_writes(&p, 5000);
	CU_ASSERT_EQUAL(stream_used(&p.a->snd_w, &p.a->snd_r), 5000);
	SAY(&p, ".", 1, 0, 1461);
	CU_ASSERT_EQUAL(stream_used(&p.a->snd_w, &p.a->snd_r), 3540);
	CU_ASSERT_EQUAL(tcp_bytes_acked(&p.a->conn), 1460);
	SAY(&p, ".", 1, 0, 2000); /* within a segment */
	CU_ASSERT_EQUAL(stream_used(&p.a->snd_w, &p.a->snd_r), 3001);
	SAY(&p, ".", 1, 0, 5001);
	CU_ASSERT_EQUAL(stream_used(&p.a->snd_w, &p.a->snd_r), 0);
	CU_ASSERT_EQUAL(tcp_bytes_acked(&p.a->conn), 5000);
	CU_ASSERT_PTR_NULL(p.a->conn.xmit);
	peer_free(&p);
}

static void
test_the_fin_has_no_byte_in_the_stream(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	peer_a_writes(&p, 100);
	duo_shutdown(p.a);
	SAY(&p, ".", 1, 0, 102);
	CU_ASSERT_EQUAL(tcp_bytes_acked(&p.a->conn), 100);
	CU_ASSERT_EQUAL(stream_used(&p.a->snd_w, &p.a->snd_r), 0);
	EXPECT_STATE(&p, TCP_FIN_WAIT_2);
	SAY(&p, ".", 1, 0, 102); /* again is nothing */
	EXPECT_STATE(&p, TCP_FIN_WAIT_2);
	peer_free(&p);
}

/* seq, ack (1: advances), window; what snd_wnd is afterwards when it was 1000. */
static void
test_which_segments_update_the_window(void)
{
	static const struct {
		uint32_t seq, len, ack;
		uint16_t wnd;
		uint32_t after;
	} t[] = {
		{ 1, 0, 1, 2000, 2000 },   /* the same, larger: a window update        */
		{ 1, 0, 1, 500, 1000 },    /* the same, smaller: was overtaken         */
		{ 1, 0, 1, 0, 0 },         /* ... but closed is closed                 */
		{ 1, 0, 101, 500, 500 },   /* acknowledges more                        */
		{ 1, 10, 1, 500, 1000 },   /* text at the same number: may be repeated */
		{ 11, 10, 1, 500, 500 },   /* later text                               */
		{ 11, 10, 101, 3000, 3000 },
	};

	for (unsigned i = 0; i < array_len(t); i++) {
		struct peer p;

		peer_connected(&p, &(struct peer_opts){ .wnd = 1000 });
		SAY(&p, ".", 1, 0, 1); /* WL1 is RCV.NXT */
		peer_a_writes(&p, 100);
		p.wnd = t[i].wnd;
		SAY(&p, ".", t[i].seq, t[i].len, t[i].ack);
		EXPECT_NUMBER(&p, p.a->conn.snd_wnd, t[i].after);
		peer_free(&p);
	}
}

static void
test_window_is_scaled(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .wscale = 14 });
	p.wnd = 65535;
	SAY(&p, ".", 2, 0, 1);
	EXPECT_NUMBER(&p, p.a->conn.snd_wnd, 65535u << 14);
	EXPECT_NUMBER(&p, p.a->conn.snd_wnd_max, 65535u << 14);
	peer_free(&p);
}

static void
test_round_trips(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	EXPECT_NUMBER(&p, p.a->conn.srtt_us >> 3, 10000);
	peer_a_writes(&p, 100);
	peer_sleeps(&p, MS(90));
	SAY(&p, ".", 1, 0, 101);
	EXPECT_NUMBER(&p, p.a->conn.srtt_us >> 3, 20000);
	EXPECT_NUMBER(&p, p.a->conn.min_rtt_us, 10000);
	SAY(&p, ".", 1, 0, 101); /* no news, no sample */
	EXPECT_NUMBER(&p, p.a->conn.srtt_us >> 3, 20000);
	peer_free(&p);
}

/* An echo that cannot be ours is no sample. */
static void
test_wrong_echoes(void)
{
	static const uint32_t echoes[] = { 0, 1, 0x80000000u, 0xffffffffu };

	for (unsigned i = 0; i < array_len(echoes); i++) {
		struct peer p;
		int64_t rto;

		peer_connected(&p, &(struct peer_opts){ .opts = TCP_OPT_MSS | TCP_OPT_TS });
		peer_a_writes(&p, 100);
		peer_sleeps(&p, MS(300)); /* sent again: only the echo could tell */
		rto = tcp_rto_ns(&p.a->conn);
		p.with.opts = TCP_OPT_TS;
		p.with.tsval = p.tsval;
		p.with.tsecr = echoes[i];
		SAY(&p, ".", 1, 0, 101);
		EXPECT_NUMBER(&p, p.a->conn.srtt_us >> 3, 10000);
		EXPECT_NUMBER(&p, tcp_rto_ns(&p.a->conn), rto);
		peer_free(&p);
	}
}

/* The text of a segment whose ACK is old still counts. */
static void
test_overtaken_ack(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	peer_a_writes(&p, 100);
	SAY(&p, ".", 1, 0, 101);
	SAY_FATE(&p, "P.", 1, 10, 1, SEG_OK);
	EXPECT_NUMBER(&p, duo_readable(p.a), 10);
	EXPECT_NUMBER(&p, seq_sub(p.a->conn.snd_una, p.a_iss), 101);
	peer_free(&p);
}

void
suite_tcp_ack(void)
{
	CU_pSuite s = CU_add_suite("tcp_ack", NULL, NULL);

	CU_add_test(s, "acknowledged text makes room", test_acknowledged_text_makes_room);
	CU_add_test(s, "the FIN has no byte in the stream", test_the_fin_has_no_byte_in_the_stream);
	CU_add_test(s, "which segments update the window", test_which_segments_update_the_window);
	CU_add_test(s, "the window is scaled", test_window_is_scaled);
	CU_add_test(s, "round trips", test_round_trips);
	CU_add_test(s, "wrong echoes", test_wrong_echoes);
	CU_add_test(s, "an overtaken ACK", test_overtaken_ack);
}
