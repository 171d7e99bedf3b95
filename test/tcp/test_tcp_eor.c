/* SPDX-License-Identifier: BSD-3-Clause */
/* Ends of records: what stands on both sides of one never leaves together. */
#include <CUnit/CUnit.h>

#include "tcp/tcp_eor.h"
#include "tcp/tcp_plpmtu.h"
#include "test/script/peer.h"

void suite_tcp_eor(void);

static _Atomic(struct tcp_eor *) marks;
static bool ended; /* what was written last ends a record */

static void
marks_begin(struct duo_side *a)
{
	CU_ASSERT_FATAL(tcp_chunks_want(&a->env, 1));
	marks = tcp_eor_new(chunk_list_get(&a->env.spare));
	ended = false;
	atomic_store(&a->streams.eor, marks);
	atomic_store(&a->snd_w.marked, true);
}

static void
connected(struct peer *p, const struct peer_opts *o)
{
	peer_connected(p, o);
	marks_begin(p->a);
}

static void
over(struct peer *p)
{
	tcp_eor_free(marks, &p->a->env.spare);
	peer_free(p);
}

/* As the API has it: the mark is left once something follows. */
static void
mark_if_ended(struct duo_side *a)
{
	CU_ASSERT_FATAL(tcp_chunks_want(&a->env, 1));
	if (ended)
		tcp_eor_mark(marks, &a->snd_w, &a->env.spare);
	ended = false;
}

static void
a_writes(struct peer *p, uint32_t len)
{
	mark_if_ended(p->a);
	CU_ASSERT_EQUAL(peer_a_writes(p, len), len);
}

static void
a_writes_record(struct peer *p, uint32_t len)
{
	a_writes(p, len);
	ended = true;
}

/* The last small one waits for what is out; one that another follows has nothing to wait for. */
static void
test_records_share_no_segment(void)
{
	struct peer p;

	connected(&p, NULL);
	a_writes_record(&p, 100);
	EXPECT(&p, "P.", 1, 100, 1);
	a_writes_record(&p, 50);
	EXPECT_NOTHING(&p);
	a_writes(&p, 30);
	EXPECT(&p, "P.", 101, 50, 1);
	EXPECT_NOTHING(&p);
	a_writes(&p, 10); /* this belongs to the same */
	SAY(&p, ".", 1, 0, 151);
	EXPECT(&p, "P.", 151, 40, 1);
	over(&p);
}

static void
test_a_long_record_ends_with_a_short_segment(void)
{
	struct peer p;

	connected(&p, NULL);
	p.a->conn.flags |= TCPF_CORK;
	a_writes_record(&p, 3000);
	EXPECT(&p, ".", 1, 1460, 1);
	EXPECT(&p, ".", 1461, 1460, 1);
	EXPECT_NOTHING(&p);
	a_writes_record(&p, 1460);
	EXPECT(&p, "P.", 2921, 80, 1);
	EXPECT(&p, "P.", 3001, 1460, 1);
	a_writes(&p, 10);
	EXPECT_NOTHING(&p);
	EXPECT_NUMBER(&p, stream_used(&atomic_load(&marks)->w, &atomic_load(&marks)->r), 0);
	over(&p);
}

/* Marks are there before their text can leave, and are found one after the other. */
static void
test_records_that_wait_stay_apart(void)
{
	struct peer p;

	connected(&p, &(struct peer_opts){ .wnd = 100 });
	duo_flag(p.a, TCPF_NODELAY, true);
	for (int i = 0; i < 700; i++) /* more marks than a chunk takes */
		a_writes_record(&p, 10);
	for (uint32_t i = 0; i < 10; i++)
		EXPECT(&p, "P.", 1 + 10 * i, 10, 1);
	EXPECT_NOTHING(&p);
	p.wnd = 65535;
	SAY(&p, ".", 1, 0, 101);
	for (uint32_t i = 10; i < 700; i++)
		EXPECT(&p, "P.", 1 + 10 * i, 10, 1);
	EXPECT_NOTHING(&p);
	over(&p);
}

/* Whether the mark came before the text had left, or after: three of ten bytes, all lost. */
static void
lost_records(struct peer *p, bool late)
{
	connected(p, &(struct peer_opts){ .cfg = peer_no_probes, .wnd = late ? 0 : 10 });
	duo_flag(p->a, TCPF_NODELAY, true);
	for (int i = 0; i < 3; i++)
		a_writes_record(p, 10);
	a_writes(p, 10);
	if (!late) {
		EXPECT(p, "P.", 1, 10, 1);
		p->wnd = 65535;
		SAY(p, ".", 1, 0, 11);
	}
	(void)peer_skips(p);
}

static void
test_records_are_sent_again_apart(void)
{
	struct peer p;

	for (int late = 0; late < 2; late++) {
		uint32_t first = late ? 1 : 11;

		lost_records(&p, late);
		a_writes(&p, 10); /* to the last one: these two are sent again as one */
		(void)peer_skips(&p);
		peer_sleeps(&p, MS(300));
		EXPECT(&p, "P.", first, 10, 1);
		SAY(&p, ".", 1, 0, first + 10);
		EXPECT(&p, "P.", first + 10, 10, 1);
		if (late)
			EXPECT(&p, "P.", first + 20, 10, 1);
		EXPECT(&p, "P.", 31, 20, 1);
		EXPECT_NOTHING(&p);
		over(&p);
	}
}

/* Of three, two of a record, all lost twice: what was joined still ends where it ended. */
static void
test_what_was_sent_as_one_still_ends_there(void)
{
	struct peer p;

	connected(&p, &(struct peer_opts){ .cfg = peer_no_probes });
	duo_flag(p.a, TCPF_NODELAY, true);
	a_writes(&p, 10);
	a_writes_record(&p, 10);
	a_writes(&p, 10);
	(void)peer_skips(&p);
	for (int i = 0; i < 2; i++) {
		peer_sleeps(&p, MS(230) << i);
		EXPECT(&p, "P.", 1, 20, 1);
		EXPECT(&p, "P.", 21, 10, 1);
		EXPECT_NOTHING(&p);
	}
	over(&p);
}

/* What the peer holds is remembered apart as well: it may lose it again (RFC 2018 8). */
static void
test_what_the_peer_holds_stays_apart(void)
{
	struct peer p;

	connected(&p, NULL);
	duo_flag(p.a, TCPF_NODELAY, true);
	a_writes(&p, 10);
	a_writes_record(&p, 10);
	a_writes(&p, 10);
	a_writes(&p, 10);
	EXPECT_NUMBER(&p, p.a->conn.xmit->n_sent, 4);
	peer_sack(&p, 21, 41, 0);
	SAY(&p, ".", 1, 0, 1);
	EXPECT_NUMBER(&p, p.a->conn.xmit->n_sent, 3);
	peer_sack(&p, 11, 41, 0);
	SAY(&p, ".", 1, 0, 1);
	EXPECT_NUMBER(&p, p.a->conn.xmit->n_sent, 3);
	over(&p);
}

/* The same told of in the other order. */
static void
test_what_the_peer_holds_stays_apart_from_the_front(void)
{
	struct peer p;

	connected(&p, NULL);
	duo_flag(p.a, TCPF_NODELAY, true);
	a_writes(&p, 10);
	a_writes_record(&p, 10);
	a_writes(&p, 10);
	peer_sack(&p, 11, 21, 0);
	SAY(&p, ".", 1, 0, 1);
	peer_sack(&p, 11, 31, 0);
	SAY(&p, ".", 1, 0, 1);
	EXPECT_NUMBER(&p, p.a->conn.xmit->n_sent, 3);
	over(&p);
}

/* Cut in two because the path got narrower, a record ends where it ended. */
static void
test_a_record_that_is_cut_ends_with_its_last_part(void)
{
	struct peer p;
	struct tcp_conn *c;

	connected(&p, &(struct peer_opts){ .cfg = peer_no_probes });
	c = &p.a->conn;
	duo_flag(p.a, TCPF_NODELAY, true);
	a_writes_record(&p, 1400);
	a_writes(&p, 100);
	(void)peer_skips(&p);
	c->mss = 1000;
	peer_sleeps(&p, MS(300));
	EXPECT(&p, ".", 1, 1000, 1);
	EXPECT_NUMBER(&p, p.seen.s.flags & TCP_PSH, 0);
	SAY(&p, ".", 1, 0, 1001);
	EXPECT(&p, "P.", 1001, 400, 1);
	EXPECT(&p, "P.", 1401, 100, 1);
	over(&p);
}

static void
test_a_loss_probe_brings_one_record(void)
{
	struct peer p;

	connected(&p, NULL);
	peer_sleeps(&p, MS(10));
	a_writes(&p, 10);
	SAY(&p, ".", 1, 0, 11); /* a round trip is known */
	a_writes_record(&p, 10 * 1460);
	(void)peer_skips(&p);
	a_writes_record(&p, 100);
	a_writes(&p, 100);
	EXPECT_NOTHING(&p); /* the congestion window is full */
	peer_sleeps(&p, MS(300));
	EXPECT(&p, "P.", 11 + 10 * 1460, 100, 1);
	over(&p);
}

static void
test_fin_goes_with_the_last_record(void)
{
	struct peer p;

	connected(&p, NULL);
	p.a->conn.flags |= TCPF_MORE;
	a_writes_record(&p, 10);
	EXPECT_NOTHING(&p);
	a_writes_record(&p, 10);
	EXPECT(&p, "P.", 1, 10, 1);
	p.a->conn.flags &= ~(uint32_t)TCPF_MORE;
	duo_shutdown(p.a);
	EXPECT(&p, "FP.", 11, 10, 1);
	over(&p);
}

static void
probing(struct tcp_cfg *cfg, int who)
{
	(void)who;
	cfg->mtu_probing = TCP_MTU_PROBING_ALWAYS;
}

static bool
likes_probe(const struct duo_record *r)
{
	return r->s.len > 1100;
}

/* A probe of the path's MTU is made of one record, or is not made. */
static void
test_no_probe_across_the_end_of_a_record(void)
{
	for (int apart = 0; apart < 2; apart++) {
		struct duo *d = duo_established(&(struct duo_opts){ .cfg = probing });
		struct duo_side *a = &d->side[DUO_A];

		marks_begin(a);
		for (int i = 0; i < 100; i++) {
			mark_if_ended(a);
			(void)duo_write_pattern(a, 1100);
			ended = apart;
			if (i % 20 == 19)
				duo_run(d, MS(100));
			(void)duo_read_pattern(&d->side[DUO_B]);
		}
		CU_ASSERT_EQUAL(duo_count(d, DUO_A, likes_probe) == 0, apart);
		tcp_eor_free(marks, &a->env.spare);
		duo_free(d);
	}
}

void
suite_tcp_eor(void)
{
	CU_pSuite s = CU_add_suite("tcp_eor", NULL, NULL);

	CU_add_test(s, "records share no segment", test_records_share_no_segment);
	CU_add_test(s, "a long record ends with a short segment",
	            test_a_long_record_ends_with_a_short_segment);
	CU_add_test(s, "records that wait stay apart", test_records_that_wait_stay_apart);
	CU_add_test(s, "records are sent again apart (option: MSG_EOR)",
	            test_records_are_sent_again_apart);
	CU_add_test(s, "what was sent as one still ends there",
	            test_what_was_sent_as_one_still_ends_there);
	CU_add_test(s, "what the peer holds stays apart", test_what_the_peer_holds_stays_apart);
	CU_add_test(s, "what the peer holds stays apart from the front",
	            test_what_the_peer_holds_stays_apart_from_the_front);
	CU_add_test(s, "a record that is cut ends with its last part",
	            test_a_record_that_is_cut_ends_with_its_last_part);
	CU_add_test(s, "a loss probe brings one record", test_a_loss_probe_brings_one_record);
	CU_add_test(s, "FIN goes with the last record", test_fin_goes_with_the_last_record);
	CU_add_test(s, "no probe across the end of a record",
	            test_no_probe_across_the_end_of_a_record);
}
