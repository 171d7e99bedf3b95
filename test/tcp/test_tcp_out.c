/* SPDX-License-Identifier: BSD-3-Clause */
/* What leaves, in which order, and what the core is told about it. */
#include <CUnit/CUnit.h>

#include "test/script/peer.h"

void suite_tcp_out(void);

#define MSS 1460u

/* RFC 9293 3.10.7.1. */
static void
test_reset_for_nobody(void)
{
	struct tcp_seg in = { .seq = seq_of(100), .ack = seq_of(200), .sport = 1, .dport = 2 };
	struct tcp_seg out;

	in.flags = TCP_RST;
	CU_ASSERT_FALSE(tcp_reset_for(&in, &out));
	in.flags = TCP_RST | TCP_ACK;
	CU_ASSERT_FALSE(tcp_reset_for(&in, &out));

	in.flags = TCP_ACK;
	in.len = 7;
	CU_ASSERT_TRUE(tcp_reset_for(&in, &out));
	CU_ASSERT_EQUAL(out.flags, TCP_RST);
	CU_ASSERT_EQUAL(out.seq.v, 200);
	CU_ASSERT_EQUAL(out.sport, 2);
	CU_ASSERT_EQUAL(out.dport, 1);
	CU_ASSERT_EQUAL(out.len, 0);
	CU_ASSERT_EQUAL(out.opts, 0);

	in.flags = TCP_SYN | TCP_FIN;
	CU_ASSERT_TRUE(tcp_reset_for(&in, &out));
	CU_ASSERT_EQUAL(out.flags, TCP_RST | TCP_ACK);
	CU_ASSERT_EQUAL(out.seq.v, 0);
	CU_ASSERT_EQUAL(out.ack.v, 109);
}

static enum tcp_owes
owes(const struct peer *p)
{
	return tcp_owes(&p->a->env, &p->a->conn, p->d->now);
}

/* Asked before anything is sent: the duo would send at once. */
static void
test_what_is_owed(void)
{
	struct peer p;
	struct tcp_env *e;
	struct tcp_conn *c;
	struct tcp_seg s;
	int64_t now;

	peer_connected(&p, NULL);
	e = &p.a->env;
	c = &p.a->conn;
	now = p.d->now;
	CU_ASSERT_EQUAL(owes(&p), TCP_OWES_NOTHING);
	c->flags |= TCPF_ACK_NOW;
	CU_ASSERT_EQUAL(owes(&p), TCP_OWES_ACK);
	CU_ASSERT_TRUE(tcp_chunks_want(e, 2));
	(void)stream_write(&p.a->snd_w, &p.a->snd_r, &e->spare, (const uint8_t *)"abc", 3);
	CU_ASSERT_EQUAL(owes(&p), TCP_OWES_DATA); /* the text carries the ACK */
	CU_ASSERT_TRUE(tcp_out_next(e, c, now, &s));
	CU_ASSERT_EQUAL(s.len, 3);
	CU_ASSERT_FALSE(tcp_out_next(e, c, now, &s));
	CU_ASSERT_EQUAL(owes(&p), TCP_OWES_NOTHING);
	tcp_shutdown(e, c, now);
	CU_ASSERT_EQUAL(owes(&p), TCP_OWES_DATA); /* the FIN */
	CU_ASSERT_TRUE(tcp_out_next(e, c, now, &s));
	CU_ASSERT_EQUAL(s.flags & TCP_FIN, TCP_FIN);
	CU_ASSERT_EQUAL(owes(&p), TCP_OWES_NOTHING);
	tcp_abort(e, c, TCP_E_NONE, now);
	CU_ASSERT_EQUAL(owes(&p), TCP_OWES_CONTROL);
	CU_ASSERT_TRUE(tcp_out_next(e, c, now, &s));
	CU_ASSERT_EQUAL(s.flags, TCP_RST | TCP_ACK);
	CU_ASSERT_EQUAL(owes(&p), TCP_OWES_NOTHING);
	CU_ASSERT_FALSE(tcp_out_next(e, c, now, &s));
	peer_free(&p);
}

/* The peer's next segment, of `len` bytes and not answered yet. */
static void
hears(struct peer *p, uint32_t len, uint8_t flags)
{
	static const uint8_t text[1000];
	struct tcp_conn *c = &p->a->conn;
	struct tcp_seg s = { .seq = c->rcv_nxt, .ack = c->snd_nxt, .flags = TCP_ACK | flags,
		             .wnd = 1000, .len = len, .text = text };

	(void)tcp_in(&p->a->env, c, &s, p->d->now);
}

/* An ACK waits for the application's turn where its answer may carry it, and nothing else hangs on
 * it. */
static void
test_which_acks_wait_for_an_answer(void)
{
	struct peer p;
	struct tcp_seg s;

	peer_connected(&p, NULL);
	p.a->conn.quickacks = 16;
	hears(&p, 10, 0);
	CU_ASSERT_EQUAL(owes(&p), TCP_OWES_ACK_SOON);
	hears(&p, 10, 0); /* he has more to say */
	CU_ASSERT_EQUAL(owes(&p), TCP_OWES_ACK);
	while (tcp_out_next(&p.a->env, &p.a->conn, p.d->now, &s))
		;
	hears(&p, 10, 0);
	CU_ASSERT_EQUAL(owes(&p), TCP_OWES_ACK_SOON); /* it was of that one only */
	CU_ASSERT_TRUE(tcp_out_next(&p.a->env, &p.a->conn, p.d->now, &s));
	CU_ASSERT_EQUAL(owes(&p), TCP_OWES_NOTHING);
	hears(&p, 600, 0); /* a full one */
	CU_ASSERT_EQUAL(owes(&p), TCP_OWES_ACK);
	CU_ASSERT_TRUE(tcp_out_next(&p.a->env, &p.a->conn, p.d->now, &s));
	hears(&p, 10, 0);
	p.a->conn.flags |= TCPF_PROBE;
	CU_ASSERT_EQUAL(owes(&p), TCP_OWES_ACK);
	p.a->conn.flags &= ~(uint32_t)TCPF_PROBE;
	p.a->conn.quickacks = 0; /* this one's could wait for long */
	hears(&p, 10, 0);
	CU_ASSERT_EQUAL(owes(&p), TCP_OWES_ACK);
	hears(&p, 0, TCP_FIN); /* ... but is owed already */
	CU_ASSERT_EQUAL(owes(&p), TCP_OWES_ACK);
	peer_free(&p);
}

/* What is asked twice at once is answered once: no ACK beside text. */
static void
test_one_segment_carries_all_that_is_owed(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	p.a->conn.flags |= TCPF_ACK_NOW;
	peer_a_writes(&p, 100);
	EXPECT(&p, "P.", 1, 100, 1);
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

/* Retransmissions come before new text, and the lowest of them first. */
static void
test_order(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	peer_a_writes(&p, 10 * MSS);
	(void)peer_skips(&p);
	peer_sleeps(&p, MS(10));
	peer_a_writes(&p, 16384 - 10 * MSS);
	peer_sack(&p, 1 + 2 * MSS, 1 + 9 * MSS, 0); /* 1 and 2 are lost */
	SAY(&p, ".", 1, 0, 1);
	EXPECT(&p, ".", 1, MSS, 1);
	EXPECT(&p, ".", 1 + MSS, MSS, 1);
	EXPECT(&p, ".", 1 + 10 * MSS, MSS, 1);
	peer_free(&p);
}

/* Segments that are lost together leave again as one (SHLD-28). */
static void
test_small_ones_are_repeated_together(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .cfg = peer_no_probes });
	duo_flag(p.a, TCPF_NODELAY, true);
	for (int i = 0; i < 20; i++)
		peer_a_writes(&p, 100);
	EXPECT_NUMBER(&p, peer_skips(&p), 20);
	peer_sleeps(&p, MS(250));
	EXPECT(&p, ".", 1, 1400, 1);
	EXPECT_NOTHING(&p);
	SAY(&p, ".", 1, 0, 1401);
	EXPECT(&p, "P.", 1401, 600, 1);
	SAY(&p, ".", 1, 0, 2001);
	EXPECT_NUMBER(&p, p.a->env.sents.used, 0);
	peer_free(&p);
}

/* Neither the window nor cwnd is ever exceeded, whatever happens. */
static void
test_limits(void)
{
	struct rng r = { 7 };

	for (int run = 0; run < 50; run++) {
		struct peer p;

		peer_connected(&p, NULL);
		for (int i = 0; i < 200; i++) {
			const struct tcp_conn *c = &p.a->conn;
			uint32_t una = seq_sub(c->snd_una, p.a_iss), flight = tcp_flight(c);
			seq_t edge = seq_add(c->snd_una, c->snd_wnd);

			(void)peer_a_writes(&p, rng_below(&r, 5000));
			while (p.at < p.d->n_log) {
				const struct tcp_seg *s = &p.d->log[p.at++].s;
				bool old = seq_sub(s->seq, c->snd_una) < flight;

				CU_ASSERT_TRUE(s->len <= MSS);
				CU_ASSERT_TRUE(old || seq_le(seq_add(s->seq, s->len), edge));
			}
			CU_ASSERT_TRUE(!c->xmit || c->ca != TCP_CA_OPEN ||
			               c->xmit->pipe <= max(c->cwnd, flight));
			peer_sleeps(&p, MS(rng_below(&r, 40)));
			(void)peer_skips(&p);
			flight = tcp_flight(c);
			p.wnd = (uint16_t)rng_below(&r, 65536);
			una += flight ? rng_below(&r, flight + 1) : 0;
			if (c->state == TCP_ESTABLISHED)
				SAY(&p, ".", 1, 0, una);
			(void)peer_skips(&p);
		}
		peer_free(&p);
	}
}

static uint32_t
offset_of(const struct peer *p, uint32_t seq)
{
	struct tcp_seg s = { .seq = seq_add(p->a_iss, seq) };

	return tcp_text_offset(&p->a->conn, &s);
}

/* Where the text of a segment stands in the stream, also after a wrap. */
static void
test_text_offset(void)
{
	struct peer_opts o = { .a_iss = seq_of((uint32_t)-3000) };
	struct peer p;

	peer_connected(&p, &o);
	peer_a_writes(&p, 5000);
	CU_ASSERT_EQUAL(offset_of(&p, 1), 0);
	CU_ASSERT_EQUAL(tcp_text_offset(&p.a->conn, &(struct tcp_seg){ .seq = p.a_iss,
	                                                                .flags = TCP_SYN }),
	                0);
	CU_ASSERT_EQUAL(offset_of(&p, 4001), 4000);
	SAY(&p, ".", 1, 0, 3501);
	CU_ASSERT_EQUAL(offset_of(&p, 4001), 500);
	peer_free(&p);
}

void
suite_tcp_out(void)
{
	CU_pSuite s = CU_add_suite("tcp_out", NULL, NULL);

	CU_add_test(s, "the reset for nobody", test_reset_for_nobody);
	CU_add_test(s, "what is owed", test_what_is_owed);
	CU_add_test(s, "which ACKs wait for an answer", test_which_acks_wait_for_an_answer);
	CU_add_test(s, "one segment carries all that is owed",
	            test_one_segment_carries_all_that_is_owed);
	CU_add_test(s, "retransmissions first (RFC 6675 4/NextSeg)", test_order);
	CU_add_test(s, "small ones are repeated together", test_small_ones_are_repeated_together);
	CU_add_test(s, "limits", test_limits);
	CU_add_test(s, "where the text stands", test_text_offset);
}
