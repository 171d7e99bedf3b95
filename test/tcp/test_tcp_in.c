/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The RFC's list against the RFC's words: acceptability of every small segment
 * around a small window, and arbitrary segments in every state.  Single clauses
 * are in test/script.
 */
#include <CUnit/CUnit.h>

#include "tcp/tcp_in.h"
#include "test/script/peer.h"

void suite_tcp_in(void);

/* A window of exactly `wnd` bytes is open, all before it has been received. */
static uint32_t wnd_wanted;

static void
small_buffer(struct tcp_cfg *cfg, int who)
{
	(void)who;
	cfg->rcvbuf = cfg->rcvbuf_max = 2048; /* a window of 1024 */
	cfg->quickack = 0;
	cfg->challenge_ack_per_s = 1000000;
}

static uint32_t
with_window(struct peer *p)
{
	uint32_t n = 1024 - wnd_wanted;

	peer_connected(p, &(struct peer_opts){ .cfg = small_buffer });
	SAY(p, ".", 1, n, 1);
	peer_sleeps(p, MS(300));
	(void)peer_skips(p);
	EXPECT_NUMBER(p, tcp_rcv_wnd(&p->a->conn), wnd_wanted);
	return 1 + n;
}

/* RFC 9293 3.10.7.4, table 6; the window is [nxt, nxt + wnd).  One difference, as on Linux:
 * without text the right edge itself is acceptable. */
static bool
rfc_acceptable(int64_t seq, int64_t len, int64_t nxt, int64_t wnd)
{
	if (len == 0 && wnd == 0)
		return seq == nxt;
	if (len == 0)
		return nxt <= seq && seq <= nxt + wnd;
	if (wnd == 0)
		return false;
	return (nxt <= seq && seq < nxt + wnd) ||
	       (nxt <= seq + len - 1 && seq + len - 1 < nxt + wnd);
}

static void
one_segment(uint32_t wnd, int32_t offset, uint32_t len, bool fin)
{
	struct peer p;
	uint32_t nxt, before;
	bool accepted, should;
	enum fate fate;

	wnd_wanted = wnd;
	nxt = with_window(&p);
	before = seq_sub(p.a->conn.rcv_nxt, p.iss);
	fate = peer_say(&p, fin ? "F." : ".", nxt + (uint32_t)offset, len, 1);
	accepted = fate != DROP_OUTSIDE_WINDOW && fate != DROP_DUPLICATE;
	should = rfc_acceptable(offset, len + fin, 0, wnd);
	/* MUST-66: at the edge of a closed window its ACK and RST are looked at. */
	if (wnd == 0 && offset == 0)
		should = true;
	CU_ASSERT_EQUAL(accepted, should);
	if (!accepted)
		CU_ASSERT_EQUAL(seq_sub(p.a->conn.rcv_nxt, p.iss), before);
	/* What is not accepted is answered (RFC 9293 3.10.7.4), and text always is. */
	if (!accepted || wnd == 0) {
		if (len + fin > 0 || !accepted)
			CU_ASSERT_EQUAL(peer_skips(&p), 1);
	}
	peer_free(&p);
}

static void
test_acceptability(void)
{
	static const uint32_t windows[] = { 0, 1, 4 };

	for (unsigned w = 0; w < array_len(windows); w++)
		for (int32_t offset = -4; offset <= 6; offset++)
			for (uint32_t len = 0; len <= 6; len++)
				for (int fin = 0; fin < 2; fin++)
					one_segment(windows[w], offset, len, fin);
}

/* What does not fit the sequence space around RCV.NXT is far away in every direction. */
static void
test_far_away(void)
{
	static const uint32_t far[] = { 0x10000, 0x40000000, 0x7fffffff, 0x80000000, 0xc0000000 };

	for (unsigned i = 0; i < array_len(far); i++)
		one_segment(4, (int32_t)far[i], 3, false);
}

/* Arbitrary segments into every state: tcp_check() and the duo's rules judge. */
static void
bring_to(struct peer *p, enum tcp_state state)
{
	peer_new(p, NULL);
	duo_connect(p->a);
	peer_syn_options(p);
	if (state == TCP_SYN_SENT)
		return;
	SAY(p, state == TCP_SYN_RCVD ? "S" : "S.", 0, 0, 1);
	if (state == TCP_SYN_RCVD)
		return;
	if (state == TCP_CLOSE_WAIT || state == TCP_LAST_ACK)
		SAY(p, "F.", 1, 0, 1);
	if (state == TCP_FIN_WAIT_1 || state == TCP_FIN_WAIT_2 || state == TCP_CLOSING ||
	    state == TCP_LAST_ACK)
		duo_shutdown(p->a);
	else
		(void)peer_a_writes(p, 3000);
	if (state == TCP_FIN_WAIT_2)
		SAY(p, ".", 1, 0, 2);
	if (state == TCP_CLOSING)
		SAY(p, "F.", 1, 0, 1);
}

static void
arbitrary(struct peer *p, struct rng *r)
{
	static const char *const flags[] = { ".", "P.", "F.", "S", "S.", "R", "R.", "", "F",
		                             "SF.", "SR.", "FSRP.UEC", "U." };
	static const uint32_t edges[] = { 0, 1, 2, 100, 1460, 65535, 65536, 0x7fffffff, 0x80000000,
		                          0xffffffff };
	const struct tcp_conn *c = &p->a->conn;
	uint32_t nxt = seq_sub(c->rcv_nxt, p->iss), una = seq_sub(c->snd_una, p->a_iss);
	uint32_t seq = nxt + edges[rng_below(r, array_len(edges))] - rng_below(r, 3);
	uint32_t ack = una + edges[rng_below(r, array_len(edges))] - rng_below(r, 3);

	p->wnd = (uint16_t)rng_u64(r);
	p->with.opts = (uint8_t)(rng_u64(r) & 0x1f);
	p->with.mss = (uint16_t)rng_u64(r);
	p->with.wscale = (uint8_t)rng_below(r, 16);
	p->with.tsval = (uint32_t)rng_u64(r);
	p->with.tsecr = (uint32_t)rng_u64(r);
	p->with.n_sack = (uint8_t)(1 + rng_below(r, 4));
	for (unsigned i = 0; i < p->with.n_sack; i++) {
		p->with.sack[i].start = seq_add(c->snd_una, edges[rng_below(r, array_len(edges))]);
		p->with.sack[i].end = seq_add(p->with.sack[i].start, rng_below(r, 4000));
	}
	(void)peer_say(p, flags[rng_below(r, array_len(flags))], seq, rng_below(r, 2000), ack);
	if (rng_below(r, 4) == 0)
		peer_sleeps(p, MS(rng_below(r, 2000)));
	if (rng_below(r, 8) == 0)
		(void)duo_read(p->a, NULL, 1000);
}

static void
test_arbitrary_segments_in_every_state(void)
{
	for (uint32_t seed = 0; seed < 400; seed++) {
		enum tcp_state state = TCP_SYN_SENT + seed % (TCP_TIME_WAIT - TCP_SYN_SENT);
		struct rng r = { seed };
		struct peer p;

		bring_to(&p, state);
		CU_ASSERT_EQUAL(p.a->conn.state, state);
		for (int i = 0; i < 60; i++)
			arbitrary(&p, &r);
		/* A peer of no window can make A take the text back: not A's fault. */
		peer_free(&p);
	}
}

/* Retransmission of a segment with something new behind it. */
static void
test_old_and_new_in_one(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	SAY_FATE(&p, "P.", 1, 100, 1, SEG_OK);
	SAY_FATE(&p, "P.", 51, 150, 1, SEG_OK);
	SAY_FATE(&p, "F.", 151, 60, 1, SEG_OK);
	EXPECT_NUMBER(&p, peer_a_reads(&p), 210);
	EXPECT_STATE(&p, TCP_CLOSE_WAIT);
	peer_free(&p);
}

void
suite_tcp_in(void)
{
	CU_pSuite s = CU_add_suite("tcp_in", NULL, NULL);

	CU_add_test(s, "acceptability is the RFC's (RFC 9293 3.10.7.4)", test_acceptability);
	CU_add_test(s, "far away", test_far_away);
	CU_add_test(s, "arbitrary segments in every state",
	            test_arbitrary_segments_in_every_state);
	CU_add_test(s, "old and new in one segment", test_old_and_new_in_one);
}
