/* SPDX-License-Identifier: BSD-3-Clause */
/* Explicit congestion notification: RFC 3168, and DCTCP's echo, RFC 8257. */
#include <CUnit/CUnit.h>

#include "tcp/tcp_ecn.h"
#include "test/script/peer.h"

void suite_script_ecn(void);

#define MSS 1460u

static void
ecn_on(struct tcp_cfg *cfg, int who)
{
	(void)who;
	cfg->ecn = TCP_ECN_ON;
	cfg->quickack = 0;
	cfg->cc = &cc_reno;
}

static void
ecn_off(struct tcp_cfg *cfg, int who)
{
	(void)who;
	cfg->ecn = TCP_ECN_OFF;
}

static const struct peer_opts on = { .cfg = ecn_on };

/* A asks for ECN and the peer agrees. */
static void
connected(struct peer *p, const struct peer_opts *o, const char *synack)
{
	peer_new(p, o);
	duo_connect(p->a);
	EXPECT(p, "SEC", 0, 0, 0);
	EXPECT_NUMBER(p, p->last->s.ecn, IP_ECN_NONE);
	peer_sleeps(p, MS(10));
	peer_syn_options(p);
	SAY(p, synack, 0, 0, 1);
	EXPECT(p, ".", 1, 0, 1);
	EXPECT_NUMBER(p, p->last->s.ecn, IP_ECN_NONE);
}

static void
accepted(struct peer *p, const struct peer_opts *o, const char *syn, const char *synack)
{
	peer_new(p, o);
	duo_listen(p->a);
	peer_syn_options(p);
	SAY(p, syn, 0, 0, 0);
	EXPECT(p, synack, 0, 0, 1);
	SAY(p, ".", 1, 0, 1);
	EXPECT_STATE(p, TCP_ESTABLISHED);
}

/* The peer says text that was marked on its way. */
static void
say_marked(struct peer *p, const char *flags, uint32_t seq, uint32_t len)
{
	p->with.ecn = IP_ECN_CE;
	SAY(p, flags, seq, len, 1);
}

/* RFC 3168 6.1.1: an ECN-setup SYN has both bits, the SYN-ACK that agrees only ECE. */
static void
test_setup(void)
{
	struct peer p;

	connected(&p, &on, "S.E");
	peer_a_writes(&p, 100);
	EXPECT(&p, "P.", 1, 100, 1);
	EXPECT_NUMBER(&p, p.last->s.ecn, IP_ECN_ECT0);
	peer_free(&p);
}

static void
test_no_agreement(void)
{
	static const char *const refusals[] = { "S.", "S.EC", "S.C" };

	for (unsigned i = 0; i < 3; i++) {
		struct peer p;

		connected(&p, &on, refusals[i]);
		peer_a_writes(&p, 100);
		EXPECT(&p, "P.", 1, 100, 1);
		EXPECT_NUMBER(&p, p.last->s.ecn, IP_ECN_NONE);
		say_marked(&p, ".", 1, 2 * MSS);
		EXPECT(&p, ".", 101, 0, 1 + 2 * MSS);
		peer_free(&p);
	}
}

/* The default: agree with who asks, ask nobody. */
static void
test_passive(void)
{
	struct peer p;

	accepted(&p, NULL, "SEC", "S.E");
	peer_a_writes(&p, 100);
	EXPECT(&p, "P.", 1, 100, 1);
	EXPECT_NUMBER(&p, p.last->s.ecn, IP_ECN_ECT0);
	peer_free(&p);
	accepted(&p, NULL, "SE", "S.");
	peer_a_writes(&p, 100);
	EXPECT(&p, "P.", 1, 100, 1);
	EXPECT_NUMBER(&p, p.last->s.ecn, IP_ECN_NONE);
	peer_free(&p);
	peer_new(&p, NULL);
	duo_connect(p.a);
	EXPECT(&p, "S", 0, 0, 0);
	peer_free(&p);
}

static void
test_off(void)
{
	static const struct peer_opts off = { .cfg = ecn_off };
	struct peer p;

	accepted(&p, &off, "SEC", "S.");
	peer_free(&p);
}

/* RFC 3168 6.1.1.1: the repeated SYN does without. */
static void
test_syn_lost(void)
{
	struct peer p;

	peer_new(&p, &on);
	duo_connect(p.a);
	EXPECT(&p, "SEC", 0, 0, 0);
	peer_sleeps(&p, SEC(1) + MS(50));
	EXPECT(&p, "S", 0, 0, 0);
	peer_syn_options(&p);
	SAY(&p, "S.E", 0, 0, 1); /* nobody asked */
	EXPECT(&p, ".", 1, 0, 1);
	peer_a_writes(&p, 100);
	EXPECT(&p, "P.", 1, 100, 1);
	EXPECT_NUMBER(&p, p.last->s.ecn, IP_ECN_NONE);
	peer_free(&p);
}

/* RFC 3168 6.1.1: whoever has sent a SYN without it does not want it. */
static void
test_peer_gives_up_on_it(void)
{
	struct peer p;

	peer_new(&p, NULL);
	duo_listen(p.a);
	peer_syn_options(&p);
	SAY(&p, "SEC", 0, 0, 0);
	EXPECT(&p, "S.E", 0, 0, 1);
	peer_syn_options(&p);
	SAY(&p, "S", 0, 0, 0);
	EXPECT(&p, "S.", 0, 0, 1);
	SAY(&p, ".", 1, 0, 1);
	peer_a_writes(&p, 100);
	EXPECT(&p, "P.", 1, 100, 1);
	EXPECT_NUMBER(&p, p.last->s.ecn, IP_ECN_NONE);
	peer_free(&p);
}

/* RFC 3168 6.1.3: ECE in every ACK until CWR comes. */
static void
test_echo_until_cwr(void)
{
	struct peer p;

	connected(&p, &on, "S.E");
	say_marked(&p, ".", 1, 10);
	EXPECT(&p, ".E", 1, 0, 11); /* at once */
	SAY(&p, ".", 11, 2 * MSS, 1);
	EXPECT(&p, ".E", 1, 0, 11 + 2 * MSS);
	peer_a_writes(&p, 100); /* text acknowledges as well */
	EXPECT(&p, "P.E", 1, 100, 11 + 2 * MSS);
	SAY(&p, ".C", 11 + 2 * MSS, 10, 101);
	EXPECT(&p, ".", 101, 0, 21 + 2 * MSS);
	SAY(&p, ".", 21 + 2 * MSS, 2 * MSS, 101);
	EXPECT(&p, ".", 101, 0, 21 + 4 * MSS);
	peer_free(&p);
}

/* ... and what carries CWR may be marked itself. */
static void
test_cwr_is_marked(void)
{
	struct peer p;

	connected(&p, &on, "S.E");
	say_marked(&p, ".", 1, 10);
	EXPECT(&p, ".E", 1, 0, 11);
	say_marked(&p, ".C", 11, 10);
	EXPECT(&p, ".E", 1, 0, 21);
	peer_free(&p);
}

/* RFC 3168 6.1.5: a mark outside of the window says nothing. */
static void
test_mark_outside_the_window(void)
{
	struct peer p;

	connected(&p, &on, "S.E");
	SAY(&p, ".", 1, 2 * MSS, 1);
	EXPECT(&p, ".", 1, 0, 1 + 2 * MSS);
	say_marked(&p, ".", 1, MSS);
	EXPECT(&p, ".", 1, 0, 1 + 2 * MSS);
	say_marked(&p, ".", 10000000, MSS);
	EXPECT(&p, ".", 1, 0, 1 + 2 * MSS);
	peer_free(&p);
}

/* RFC 3168 6.1.2: half, once in a window, and CWR on the first new text. */
static void
test_one_reduction_a_window(void)
{
	struct peer p;

	connected(&p, &on, "S.E");
	peer_a_writes(&p, 40 * MSS);
	CU_ASSERT_EQUAL(peer_skips(&p), 10);
	SAY(&p, ".E", 1, 0, 1 + MSS);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_CWR);
	EXPECT_NUMBER(&p, p.a->conn.ssthresh, 5 * MSS);
	for (uint32_t i = 2; i <= 10; i++)
		SAY(&p, ".E", 1, 0, 1 + i * MSS);
	EXPECT_NUMBER(&p, p.a->conn.ssthresh, 5 * MSS);
	EXPECT(&p, ".C", 1 + 10 * MSS, MSS, 1);
	EXPECT_NUMBER(&p, p.last->s.ecn, IP_ECN_ECT0);
	EXPECT(&p, ".", 1 + 11 * MSS, MSS, 1);
	(void)peer_skips(&p);
	SAY(&p, ".", 1, 0, 1 + 11 * MSS);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_OPEN);
	EXPECT_NUMBER(&p, p.a->conn.cwnd, 5 * MSS);
	EXPECT_NUMBER(&p, tcp_rare(&p.a->conn)->total_retrans, 0);
	peer_free(&p);
}

/* The next window has its own. */
static void
test_next_window(void)
{
	struct peer p;

	connected(&p, &on, "S.E");
	peer_a_writes(&p, 80 * MSS);
	SAY(&p, ".E", 1, 0, 1 + 10 * MSS);
	(void)peer_skips(&p);
	SAY(&p, ".", 1, 0, seq_sub(p.a->conn.snd_nxt, p.a_iss));
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_OPEN);
	(void)peer_skips(&p);
	SAY(&p, ".E", 1, 0, seq_sub(p.a->conn.snd_una, p.a_iss) + MSS);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_CWR);
	peer_free(&p);
}

/* All is acknowledged with the mark: the window comes down all the same. */
static void
test_mark_on_the_last_segment(void)
{
	struct peer p;

	connected(&p, &on, "S.E");
	peer_a_writes(&p, 6 * MSS);
	(void)peer_skips(&p);
	SAY(&p, ".E", 1, 0, 1 + 6 * MSS);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_OPEN);
	EXPECT_NUMBER(&p, p.a->conn.cwnd, 5 * MSS);
	peer_a_writes(&p, 100);
	EXPECT(&p, "P.C", 1 + 6 * MSS, 100, 1);
	peer_free(&p);
}

/* RFC 3168 6.1.2 and 6.1.5: a loss says CWR too; what is sent again cannot be marked. */
static void
test_loss_says_cwr(void)
{
	struct peer p;

	connected(&p, &on, "S.E");
	peer_a_writes(&p, 10 * MSS);
	(void)peer_skips(&p);
	peer_sack(&p, 1 + MSS, 1 + 4 * MSS, 0);
	SAY(&p, ".", 1, 0, 1);
	EXPECT(&p, ".", 1, MSS, 1);
	EXPECT_NUMBER(&p, p.last->s.ecn, IP_ECN_NONE);
	SAY(&p, ".", 1, 0, 1 + 10 * MSS);
	peer_a_writes(&p, MSS);
	EXPECT(&p, "P.C", 1 + 10 * MSS, MSS, 1);
	EXPECT_NUMBER(&p, p.last->s.ecn, IP_ECN_ECT0);
	peer_free(&p);
}

/* A loss in a window that has been reduced is repaired without another reduction. */
static void
test_loss_beside_the_mark(void)
{
	struct peer p;
	uint32_t ssthresh;

	connected(&p, &on, "S.E");
	peer_a_writes(&p, 10 * MSS);
	(void)peer_skips(&p);
	SAY(&p, ".E", 1, 0, 1 + MSS);
	ssthresh = p.a->conn.ssthresh;
	peer_sack(&p, 1 + 2 * MSS, 1 + 5 * MSS, 0);
	SAY(&p, ".E", 1, 0, 1 + MSS);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_RECOVERY);
	EXPECT_NUMBER(&p, p.a->conn.ssthresh, ssthresh);
	EXPECT(&p, ".", 1 + MSS, MSS, 1);
	peer_free(&p);
}

/* RFC 4015 3.2: what a mark asked for is not taken back with a loss that was none. */
static void
test_marked_recovery_stays(void)
{
	struct peer p;

	connected(&p, &on, "S.E");
	peer_a_writes(&p, 10 * MSS);
	(void)peer_skips(&p);
	peer_sack(&p, 1 + MSS, 1 + 4 * MSS, 0);
	SAY(&p, ".", 1, 0, 1);
	EXPECT(&p, ".", 1, MSS, 1);
	SAY(&p, ".E", 1, 0, 1 + 4 * MSS);
	peer_sack(&p, 1, 1 + MSS, 0);
	SAY(&p, ".E", 1, 0, 1 + 4 * MSS);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_RECOVERY);
	EXPECT_NUMBER(&p, p.a->conn.ssthresh, 5 * MSS);
	peer_free(&p);
	connected(&p, &on, "S.E"); /* the mark is on the ACK that shows the loss */
	peer_a_writes(&p, 10 * MSS);
	(void)peer_skips(&p);
	peer_sack(&p, 1 + MSS, 1 + 4 * MSS, 0);
	SAY(&p, ".E", 1, 0, 1);
	SAY(&p, ".", 1, 0, 1 + 4 * MSS);
	peer_sack(&p, 1, 1 + MSS, 0);
	SAY(&p, ".", 1, 0, 1 + 4 * MSS);
	EXPECT_NUMBER(&p, p.a->conn.ssthresh, 5 * MSS);
	peer_free(&p);
}

/* RFC 3168 6.1.4: neither ACKs nor probes can be marked (the link judges it too). */
static void
test_probes_are_not_marked(void)
{
	struct peer p;

	connected(&p, &on, "S.E");
	p.wnd = 0;
	SAY(&p, ".", 1, 2 * MSS, 1);
	EXPECT(&p, ".", 1, 0, 1 + 2 * MSS);
	peer_a_writes(&p, 100);
	peer_sleeps(&p, SEC(2));
	CU_ASSERT_TRUE(p.at < p.d->n_log);
	for (; p.at < p.d->n_log; p.at++)
		CU_ASSERT_EQUAL(p.d->log[p.at].s.ecn, IP_ECN_NONE);
	peer_free(&p);
}

static void
dctcp(struct tcp_cfg *cfg, int who)
{
	(void)who;
	cfg->cc = tcp_cc_find("dctcp");
	cfg->quickack = 0;
}

static const struct peer_opts exact = { .cfg = dctcp };

/* RFC 8257 3.2: a change of marks is acknowledged at once, and what came before it apart. */
static void
test_exact_echo(void)
{
	struct peer p;

	connected(&p, &exact, "S.E"); /* it asks by itself */
	SAY(&p, ".", 1, MSS, 1);
	EXPECT_NOTHING(&p);
	say_marked(&p, ".", 1 + MSS, MSS);
	EXPECT(&p, ".", 1, 0, 1 + MSS);
	EXPECT(&p, ".E", 1, 0, 1 + 2 * MSS);
	say_marked(&p, ".", 1 + 2 * MSS, MSS);
	EXPECT_NOTHING(&p);
	say_marked(&p, ".C", 1 + 3 * MSS, MSS); /* CWR ends nothing here */
	EXPECT(&p, ".E", 1, 0, 1 + 4 * MSS);
	say_marked(&p, ".", 1 + 4 * MSS, MSS);
	SAY(&p, ".", 1 + 5 * MSS, MSS, 1);
	EXPECT(&p, ".E", 1, 0, 1 + 5 * MSS);
	EXPECT(&p, ".", 1, 0, 1 + 6 * MSS);
	SAY(&p, ".", 1 + 6 * MSS, MSS, 1);
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

/* ... also before text that would carry the newer one, and the window's edge stays. */
static void
test_exact_echo_before_text(void)
{
	struct peer p;
	uint32_t edge;

	connected(&p, &exact, "S.E");
	SAY(&p, ".", 1, MSS, 1);
	p.d->side[DUO_A].conn.flags |= TCPF_CORK;
	p.with.ecn = IP_ECN_CE;
	edge = seq_sub(p.a->conn.rcv_adv, p.iss);
	SAY(&p, ".", 1 + MSS, MSS, 1);
	EXPECT(&p, ".", 1, 0, 1 + MSS);
	CU_ASSERT_TRUE(1 + MSS + ((uint32_t)p.last->s.wnd << p.a->conn.rcv_wscale) >= edge - 1000);
	EXPECT(&p, ".E", 1, 0, 1 + 2 * MSS);
	peer_free(&p);
}

/* Where nothing is marked an ACK apart is only one more, and none that would take back a part of
 * the window, 128 - 39 bytes of it: nothing is left to round it up. */
static void
test_no_ack_apart_takes_back_window(void)
{
	static const struct peer_opts scaled = { .cfg = dctcp, .wscale = 7 };
	struct peer p;
	uint32_t unit;

	connected(&p, &scaled, "S.");
	unit = 1u << p.a->conn.rcv_wscale;
	CU_ASSERT_TRUE(unit > 39);
	SAY(&p, ".", 1, 39, 1);
	EXPECT_NOTHING(&p);
	p.a->conn.rcv_space = 0;
	p.a->conn.quickacks = 2; /* a repair is going on, and an ACK due */
	p.a->conn.flags |= TCPF_ACK_NOW;
	SAY(&p, ".", 1 + 39, unit - 39, 1);
	EXPECT(&p, ".", 1, 0, 1 + unit);
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

/* RFC 8257 3.3: the first window halves, a little marking takes a little. */
static void
test_dctcp_reduces(void)
{
	struct peer p;

	connected(&p, &exact, "S.E");
	peer_a_writes(&p, 40 * MSS);
	SAY(&p, ".E", 1, 0, 1 + MSS);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_CWR);
	EXPECT_NUMBER(&p, p.a->conn.ssthresh, 5 * MSS);
	SAY(&p, ".E", 1, 0, 1 + 2 * MSS);
	EXPECT_NUMBER(&p, p.a->conn.ssthresh, 5 * MSS);
	peer_free(&p);
}

/* RFC 8257 3.5: little was marked, and cwnd hardly lowered; what is lost then halves it. */
static void
test_dctcp_loss_beside_the_mark(void)
{
	struct peer p;

	connected(&p, &exact, "S.E");
	peer_a_writes(&p, 10 * MSS);
	(void)peer_skips(&p);
	SAY(&p, ".E", 1, 0, 1 + MSS);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_CWR);
	p.a->conn.ssthresh = 9 * MSS; /* as if alpha had been small */
	peer_sack(&p, 1 + 2 * MSS, 1 + 5 * MSS, 0);
	SAY(&p, ".", 1, 0, 1 + MSS);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_RECOVERY);
	EXPECT_NUMBER(&p, p.a->conn.ssthresh, 9 * MSS / 2);
	peer_free(&p);
}

/* TCP_INFO: TCPI_OPT_ECN, TCPI_OPT_ECN_SEEN, and what was marked. */
static void
test_info(void)
{
	struct tcp_info_data i;
	struct peer p;

	connected(&p, &on, "S.E");
	tcp_info_fill(&p.a->env, &p.a->conn, p.d->now, &i);
	EXPECT_NUMBER(&p, i.options & 24, 8);
	p.with.ecn = IP_ECN_ECT0;
	SAY(&p, ".", 1, 10, 1);
	peer_a_writes(&p, 4 * MSS);
	SAY(&p, ".", 11, 0, 1 + MSS);
	SAY(&p, ".E", 11, 0, 1 + 3 * MSS);
	tcp_info_fill(&p.a->env, &p.a->conn, p.d->now, &i);
	EXPECT_NUMBER(&p, i.options & 24, 24);
	EXPECT_NUMBER(&p, i.delivered, 3);
	EXPECT_NUMBER(&p, i.delivered_ce, 2);
	EXPECT_NUMBER(&p, i.ca_state, 2);
	peer_free(&p);
}

void
suite_script_ecn(void)
{
	CU_pSuite s = CU_add_suite("script_ecn", NULL, NULL);

	CU_add_test(s, "RFC 3168 6.1.1, RFC 9293 SHLD-8: SYN and SYN-ACK agree on it", test_setup);
	CU_add_test(s, "RFC 3168 6.1.1: no agreement, no ECT and no ECE", test_no_agreement);
	CU_add_test(s, "RFC 3168 6.1.1: by default it is agreed to, not asked for (Linux: ECN)", test_passive);
	CU_add_test(s, "RFC 3168 6.1.1: off is off", test_off);
	CU_add_test(s, "RFC 3168 6.1.1.1: a SYN that was lost is repeated without", test_syn_lost);
	CU_add_test(s, "RFC 3168 6.1.1: a peer that gives up on it is believed",
	            test_peer_gives_up_on_it);
	CU_add_test(s, "RFC 3168 6.1.3: ECE in every ACK until CWR comes", test_echo_until_cwr);
	CU_add_test(s, "RFC 3168 6.1.3: the segment with CWR may be marked", test_cwr_is_marked);
	CU_add_test(s, "RFC 3168 6.1.5: a mark outside of the window says nothing",
	            test_mark_outside_the_window);
	CU_add_test(s, "RFC 3168 6.1.2: one reduction a window, and CWR",
	            test_one_reduction_a_window);
	CU_add_test(s, "RFC 3168 6.1.2: the next window has its own", test_next_window);
	CU_add_test(s, "RFC 3168 6.1.2: a mark on the last segment counts",
	            test_mark_on_the_last_segment);
	CU_add_test(s, "RFC 3168 6.1.5: a loss says CWR, and what is sent again has no ECT",
	            test_loss_says_cwr);
	CU_add_test(s, "RFC 3168 6.1.2: a loss beside the mark reduces no further",
	            test_loss_beside_the_mark);
	CU_add_test(s, "RFC 3168 6.1.2, RFC 4015 3: a recovery that saw marks is not undone",
	            test_marked_recovery_stays);
	CU_add_test(s, "RFC 3168 6.1.4, 6.1.6: ACKs and probes have no ECT", test_probes_are_not_marked);
	CU_add_test(s, "RFC 8257 3.2: the echo is exact", test_exact_echo);
	CU_add_test(s, "RFC 8257 3.2: what came before is acknowledged first",
	            test_exact_echo_before_text);
	CU_add_test(s, "no ACK apart takes back window where nothing is marked",
	            test_no_ack_apart_takes_back_window);
	CU_add_test(s, "RFC 8257 3.3: once in a window, by the estimate", test_dctcp_reduces);
	CU_add_test(s, "RFC 8257 3.5: a loss beside the mark halves",
	            test_dctcp_loss_beside_the_mark);
	CU_add_test(s, "TCP_INFO tells of ECN", test_info);
}
