/* SPDX-License-Identifier: BSD-3-Clause */
/* TIME-WAIT in its small record: what it answers, ignores, and gives way to. */
#include "tcp/tcp_tw.h"

#include <CUnit/CUnit.h>

#include "test/tcp/duo.h"

void suite_tcp_tw(void);

#define SND_NXT  0xfffffff0u
#define RCV_NXT  0xffffff00u
#define TS_LAST  5000u
#define NOW      SEC(1000)

struct fixture {
	struct tcp_cfg cfg;
	struct tcp_env e;
	struct tcp_tw w;
	struct tcp_seg reply;
};

/* What a connection leaves behind, close to the wrap. */
static void
fixture_init(struct fixture *f, bool ts)
{
	struct tcp_streams streams;
	struct tcp_conn c;

	memset(f, 0, sizeof *f);
	memset(&c, 0, sizeof c);
	tcp_cfg_default(&f->cfg);
	f->e.cfg = &f->cfg;
	memset(&streams, 0, sizeof streams);
	streams.name = (struct tcp_tuple){ .lport = 80, .rport = 40000 };
	c.streams = &streams;
	c.hash = 77;
	c.snd_nxt = seq_of(SND_NXT);
	c.rcv_nxt = seq_of(RCV_NXT);
	c.rcv_adv = seq_of(RCV_NXT + 64000);
	c.rcv_wscale = 7;
	c.ts_recent = TS_LAST;
	c.ts_offset = 3;
	c.flags = ts ? TCPF_TS : 0;
	tcp_tw_init(&f->e, &f->w, &c, NOW);
}

static enum fate
in(struct fixture *f, uint8_t flags, uint32_t seq, uint32_t len, int64_t now)
{
	struct tcp_seg s = { .flags = flags, .seq = seq_of(seq), .len = len };

	s.ack = f->w.snd_nxt;
	if (f->w.opts & TCP_OPT_TS) {
		s.opts = TCP_OPT_TS;
		s.tsval = TS_LAST;
	}
	memset(&f->reply, 0xee, sizeof f->reply);
	return tcp_tw_in(&f->e, &f->w, &s, now, &f->reply);
}

static void
test_it_waits_for_twice_the_lifetime(void)
{
	struct fixture f;

	fixture_init(&f, true);
	CU_ASSERT_EQUAL(f.w.until, NOW + SEC(60));
	CU_ASSERT_EQUAL(f.w.hash, 77);
	CU_ASSERT_EQUAL(f.w.tuple.rport, 40000);
	CU_ASSERT_FALSE(link_on_list(&f.w.link));
}

static void
reply_is_the_last_ack(const struct fixture *f, int64_t now)
{
	CU_ASSERT_EQUAL(f->reply.flags, TCP_ACK);
	CU_ASSERT_EQUAL(f->reply.seq.v, SND_NXT);
	CU_ASSERT_EQUAL(f->reply.ack.v, RCV_NXT);
	CU_ASSERT_EQUAL(f->reply.len, 0);
	CU_ASSERT_EQUAL(f->reply.n_sack, 0);
	CU_ASSERT_EQUAL(f->reply.wnd, 500);
	CU_ASSERT_EQUAL(f->reply.sport, 80);
	CU_ASSERT_EQUAL(f->reply.dport, 40000);
	CU_ASSERT_EQUAL(f->reply.opts, f->w.opts);
	if (f->w.opts) {
		CU_ASSERT_EQUAL(f->reply.tsval, (uint32_t)(now / NS_PER_MS) + 3);
		CU_ASSERT_EQUAL(f->reply.tsecr, TS_LAST);
	}
}

/* RFC 9293 3.10.7.4, eighth: "acknowledge it, and restart the 2 MSL timeout". */
static void
test_the_fin_again_is_acknowledged_and_starts_the_wait_anew(void)
{
	for (int ts = 0; ts < 2; ts++) {
		struct fixture f;

		fixture_init(&f, ts);
		CU_ASSERT_EQUAL(in(&f, TCP_FIN | TCP_ACK, RCV_NXT - 1, 0, NOW + SEC(7)), TW_ACKED);
		reply_is_the_last_ack(&f, NOW + SEC(7));
		CU_ASSERT_EQUAL(f.w.until, NOW + SEC(67));
		CU_ASSERT_EQUAL(in(&f, TCP_FIN | TCP_ACK, RCV_NXT - 101, 100, NOW + SEC(8)),
		                TW_ACKED);
		CU_ASSERT_EQUAL(f.w.until, NOW + SEC(68));
	}
}

/* Another text, or another FIN, is acknowledged, but keeps nothing alive. */
static void
test_other_text_does_not_prolong_the_wait(void)
{
	struct fixture f;

	fixture_init(&f, true);
	CU_ASSERT_EQUAL(in(&f, TCP_ACK, RCV_NXT - 500, 100, NOW + SEC(7)), TW_ACKED);
	reply_is_the_last_ack(&f, NOW + SEC(7));
	CU_ASSERT_EQUAL(in(&f, TCP_ACK, RCV_NXT, 100, NOW + SEC(7)), TW_ACKED);
	CU_ASSERT_EQUAL(in(&f, TCP_FIN | TCP_ACK, RCV_NXT + 10, 0, NOW + SEC(7)), TW_ACKED);
	CU_ASSERT_EQUAL(f.w.until, NOW + SEC(60));
}

/* RFC 5961 3.2's rule: exactly at RCV.NXT or not at all. */
static void
test_only_an_exact_reset_ends_it(void)
{
	struct fixture f;

	fixture_init(&f, true);
	CU_ASSERT_EQUAL(in(&f, TCP_RST, RCV_NXT, 0, NOW), TW_RESET);
	CU_ASSERT_EQUAL(in(&f, TCP_RST | TCP_ACK, RCV_NXT, 0, NOW), TW_RESET);
	CU_ASSERT_EQUAL(in(&f, TCP_RST, RCV_NXT + 1, 0, NOW), TW_IGNORED);
	CU_ASSERT_EQUAL(in(&f, TCP_RST, RCV_NXT - 1, 0, NOW), TW_IGNORED);
	CU_ASSERT_EQUAL(in(&f, TCP_RST | TCP_SYN, RCV_NXT + 1, 0, NOW), TW_IGNORED);
	CU_ASSERT_EQUAL(f.w.until, NOW + SEC(60));
}

/* RFC 1337 F1, by configuration: nothing assassinates TIME-WAIT. */
static void
test_no_reset_ends_it_when_so_configured(void)
{
	struct fixture f;

	fixture_init(&f, true);
	f.cfg.rfc1337 = true;
	CU_ASSERT_EQUAL(in(&f, TCP_RST, RCV_NXT, 0, NOW), TW_IGNORED);
	CU_ASSERT_EQUAL(in(&f, TCP_RST | TCP_ACK, RCV_NXT, 0, NOW), TW_IGNORED);
	CU_ASSERT_EQUAL(f.w.until, NOW + SEC(60));
}

/* The ACK of our FIN, late; an answer to it could go on for ever. */
static void
test_an_ack_that_says_nothing_is_not_answered(void)
{
	struct fixture f;

	fixture_init(&f, false);
	CU_ASSERT_EQUAL(in(&f, TCP_ACK, RCV_NXT, 0, NOW), TW_IGNORED);
}

static enum fate
syn(struct fixture *f, uint32_t seq, bool ts, uint32_t tsval)
{
	struct tcp_seg s = { .flags = TCP_SYN, .seq = seq_of(seq), .tsval = tsval };

	s.opts = ts ? TCP_OPT_TS : 0;
	return tcp_tw_in(&f->e, &f->w, &s, NOW, &f->reply);
}

/* RFC 6191 2: a later timestamp is enough, whatever the sequence number. */
static void
test_a_syn_with_a_later_timestamp_reopens(void)
{
	struct fixture f;

	fixture_init(&f, true);
	CU_ASSERT_EQUAL(syn(&f, RCV_NXT + 1, true, TS_LAST + 1), TW_REOPENED);
	CU_ASSERT_EQUAL(syn(&f, RCV_NXT - 1000, true, TS_LAST + 1), TW_REOPENED);
	CU_ASSERT_EQUAL(syn(&f, RCV_NXT + 1000, true, TS_LAST - 1), TW_ACKED);
	reply_is_the_last_ack(&f, NOW);
	CU_ASSERT_EQUAL(syn(&f, RCV_NXT + 1000, true, TS_LAST + 0x80000001u), TW_ACKED);
	CU_ASSERT_EQUAL(f.w.until, NOW + SEC(60));
}

/* RFC 6191 2: with the same timestamp, or without, a higher sequence number. */
static void
test_a_syn_with_a_higher_number_reopens(void)
{
	struct fixture f;

	fixture_init(&f, true);
	CU_ASSERT_EQUAL(syn(&f, RCV_NXT + 1, true, TS_LAST), TW_REOPENED);
	CU_ASSERT_EQUAL(syn(&f, RCV_NXT - 1, true, TS_LAST), TW_ACKED);
	CU_ASSERT_EQUAL(syn(&f, RCV_NXT + 1, false, 0), TW_REOPENED);
	CU_ASSERT_EQUAL(syn(&f, RCV_NXT - 1, false, 0), TW_ACKED);
	fixture_init(&f, false);
	CU_ASSERT_EQUAL(syn(&f, RCV_NXT + 0x7fffffff, true, 1), TW_REOPENED); /* past the wrap */
	CU_ASSERT_EQUAL(syn(&f, RCV_NXT, false, 0), TW_ACKED);
	CU_ASSERT_EQUAL(syn(&f, RCV_NXT - 1, true, UINT32_MAX), TW_ACKED);
}

static void
test_a_syn_with_an_ack_does_not_reopen(void)
{
	struct fixture f;

	fixture_init(&f, false);
	CU_ASSERT_EQUAL(in(&f, TCP_SYN | TCP_ACK, RCV_NXT + 1000, 0, NOW), TW_ACKED);
}

/* The new connection starts where the old one cannot be mistaken for it. */
static void
test_the_next_connection_starts_higher(void)
{
	struct fixture f;

	fixture_init(&f, false);
	CU_ASSERT(seq_sub(tcp_tw_min_iss(&f.w), seq_of(SND_NXT)) > 65535);
	CU_ASSERT(seq_lt(seq_of(SND_NXT), tcp_tw_min_iss(&f.w)));
}

/* The field for an edge `wnd` bytes ahead, with this scale. */
static uint16_t
field_for(struct fixture *f, uint32_t wnd, uint8_t wscale)
{
	struct tcp_conn c;

	memset(&c, 0, sizeof c);
	c.rcv_nxt = seq_of(RCV_NXT);
	c.rcv_adv = seq_of(RCV_NXT + wnd);
	c.rcv_wscale = wscale;
	tcp_tw_init(&f->e, &f->w, &c, NOW);
	return f->w.wnd;
}

/* SHLD-14: rounding must not take back what was offered; the field has 16 bits. */
static void
test_the_window_is_rounded_up_into_the_field(void)
{
	struct fixture f;

	fixture_init(&f, false);
	CU_ASSERT_EQUAL(field_for(&f, 64000, 7), 500);
	CU_ASSERT_EQUAL(field_for(&f, 64001, 7), 501);
	CU_ASSERT_EQUAL(field_for(&f, 0, 7), 0);
	CU_ASSERT_EQUAL(field_for(&f, 1u << 30, 0), 65535);
}

/* All of it once between two: the last ACK is lost, the FIN comes again. */
static void
test_a_lost_last_ack_is_sent_again(void)
{
	struct duo *d = duo_established(NULL);
	struct duo_side *a = &d->side[DUO_A], *b = &d->side[DUO_B];

	duo_close(a);
	duo_run(d, MS(100));
	CU_ASSERT_EQUAL(a->conn.state, TCP_FIN_WAIT_2);
	d->cut[DUO_A] = true;
	duo_close(b);
	duo_run(d, MS(100));
	CU_ASSERT_TRUE(a->has_tw);
	CU_ASSERT_EQUAL(b->conn.state, TCP_LAST_ACK);
	d->cut[DUO_A] = false;
	duo_run(d, SEC(3));
	CU_ASSERT(a->seen[TW_ACKED] >= 1);
	CU_ASSERT_TRUE(duo_over(d));
	duo_run(d, SEC(61));
	CU_ASSERT_FALSE(a->has_tw);
	duo_free(d);
}

/* ------------------------------------------------------------- FIN-WAIT-2 -- */

static void
fin_wait_2(struct fixture *f)
{
	fixture_init(f, true);
	f->w.fin_wait_2 = true;
	f->w.until = NOW + SEC(30);
}

/* RFC 9293 3.10.7.4 with nobody to read: doubt is challenged, text reset. */
static void
test_fin_wait_2_answers_as_a_connection(void)
{
	struct fixture f;

	fin_wait_2(&f);
	CU_ASSERT_EQUAL(in(&f, TCP_ACK, RCV_NXT, 0, NOW), TW_IGNORED);
	CU_ASSERT_EQUAL(in(&f, TCP_SYN, RCV_NXT + 9, 0, NOW), TW_ACKED);
	reply_is_the_last_ack(&f, NOW);
	CU_ASSERT_EQUAL(in(&f, TCP_RST, RCV_NXT + 9, 0, NOW), TW_ACKED);
	CU_ASSERT_EQUAL(in(&f, TCP_RST, RCV_NXT + 100000, 0, NOW), TW_IGNORED);
	CU_ASSERT_EQUAL(in(&f, TCP_ACK, RCV_NXT - 10, 10, NOW), TW_ACKED);
	CU_ASSERT_EQUAL(in(&f, TCP_ACK, RCV_NXT - 10, 11, NOW), DROP_AFTER_CLOSE);
	CU_ASSERT_EQUAL(f.reply.flags, TCP_RST | TCP_ACK);
	CU_ASSERT_EQUAL(f.reply.seq.v, SND_NXT);
	CU_ASSERT_EQUAL(in(&f, TCP_ACK | TCP_FIN, RCV_NXT + 5, 0, NOW), DROP_AFTER_CLOSE);
	CU_ASSERT_EQUAL(in(&f, TCP_RST, RCV_NXT, 0, NOW), TW_RESET);
	CU_ASSERT_EQUAL(in(&f, TCP_ACK | TCP_FIN, RCV_NXT, 0, NOW + SEC(20)), TW_FIN);
	CU_ASSERT_FALSE(f.w.fin_wait_2);
	CU_ASSERT_EQUAL(f.w.until, NOW + SEC(80));
	CU_ASSERT_EQUAL(f.reply.flags, TCP_ACK);
	CU_ASSERT_EQUAL(f.reply.ack.v, RCV_NXT + 1);
	CU_ASSERT_EQUAL(in(&f, TCP_ACK | TCP_FIN, RCV_NXT, 0, NOW + SEC(20)), TW_ACKED);
}

static void
test_fin_wait_2_wants_a_possible_ack(void)
{
	struct fixture f;
	struct tcp_seg s = { .flags = TCP_FIN | TCP_ACK, .seq = seq_of(RCV_NXT),
		             .ack = seq_of(SND_NXT + 1), .opts = TCP_OPT_TS, .tsval = TS_LAST };

	fin_wait_2(&f);
	CU_ASSERT_EQUAL(tcp_tw_in(&f.e, &f.w, &s, NOW, &f.reply), TW_ACKED);
	s.ack = seq_of(SND_NXT);
	s.tsval = TS_LAST - 1; /* RFC 7323 5 */
	CU_ASSERT_EQUAL(tcp_tw_in(&f.e, &f.w, &s, NOW, &f.reply), TW_ACKED);
	CU_ASSERT_TRUE(f.w.fin_wait_2);
	s.tsval = TS_LAST + 1;
	CU_ASSERT_EQUAL(tcp_tw_in(&f.e, &f.w, &s, NOW, &f.reply), TW_FIN);
	CU_ASSERT_EQUAL(f.reply.tsecr, TS_LAST + 1);
}

/* RFC 5961 7: so many a second, but the FIN is always acknowledged. */
static void
test_answers_are_limited(void)
{
	struct fixture f;
	unsigned n = 0;

	for (int state = 0; state < 2; state++) {
		fin_wait_2(&f);
		f.w.fin_wait_2 = state;
		for (unsigned i = n = 0; i < 500; i++)
			n += in(&f, TCP_SYN, RCV_NXT - 1000, 0, NOW + MS(i)) == TW_ACKED;
		CU_ASSERT_EQUAL(n, f.cfg.challenge_ack_per_s);
		CU_ASSERT_EQUAL(in(&f, TCP_SYN, RCV_NXT - 1000, 0, NOW + SEC(1)), TW_ACKED);
	}
}

void
suite_tcp_tw(void)
{
	CU_pSuite s = CU_add_suite("tcp_tw", NULL, NULL);

	CU_add_test(s, "it waits for twice the lifetime", test_it_waits_for_twice_the_lifetime);
	CU_add_test(s, "the FIN again is acknowledged and starts the wait anew",
	            test_the_fin_again_is_acknowledged_and_starts_the_wait_anew);
	CU_add_test(s, "other text does not prolong the wait",
	            test_other_text_does_not_prolong_the_wait);
	CU_add_test(s, "only an exact reset ends it", test_only_an_exact_reset_ends_it);
	CU_add_test(s, "no reset ends it when so configured (RFC 1337 3)",
	            test_no_reset_ends_it_when_so_configured);
	CU_add_test(s, "an ACK that says nothing is not answered",
	            test_an_ack_that_says_nothing_is_not_answered);
	CU_add_test(s, "a SYN with a later timestamp reopens",
	            test_a_syn_with_a_later_timestamp_reopens);
	CU_add_test(s, "a SYN with a higher number reopens",
	            test_a_syn_with_a_higher_number_reopens);
	CU_add_test(s, "a SYN with an ACK does not reopen", test_a_syn_with_an_ack_does_not_reopen);
	CU_add_test(s, "the next connection starts higher", test_the_next_connection_starts_higher);
	CU_add_test(s, "the window is rounded up into the field",
	            test_the_window_is_rounded_up_into_the_field);
	CU_add_test(s, "FIN-WAIT-2 answers as a connection",
	            test_fin_wait_2_answers_as_a_connection);
	CU_add_test(s, "FIN-WAIT-2 wants a possible ACK", test_fin_wait_2_wants_a_possible_ack);
	CU_add_test(s, "answers are limited (RFC 5961 7)", test_answers_are_limited);
	CU_add_test(s, "a lost last ACK is sent again", test_a_lost_last_ack_is_sent_again);
}
