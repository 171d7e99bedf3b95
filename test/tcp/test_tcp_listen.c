/* SPDX-License-Identifier: BSD-3-Clause */
/* Half-open records: what they remember, what they answer, what they become. */
#include <CUnit/CUnit.h>

#include "tcp/tcp_listen.h"
#include "test/script/peer.h"

void suite_tcp_listen(void);

static const struct tcp_seg plain_syn = {
	.seq = { 5000 },
	.flags = TCP_SYN,
	.wnd = 3000,
	.opts = TCP_OPT_MSS | TCP_OPT_SACK_OK | TCP_OPT_WSCALE | TCP_OPT_TS,
	.mss = 1400,
	.wscale = 5,
	.tsval = 77,
};

static void
record(struct duo *d, struct tcp_req *r, const struct tcp_seg *syn, uint32_t rcvbuf)
{
	struct tcp_tuple t = { .local = ip_addr_v4(1), .remote = ip_addr_v4(2), 80, 1234 };

	tcp_req_init(&d->side[DUO_A].env, r, &t, syn, seq_of(100), 1460, rcvbuf, d->now);
}

static void
test_syn_ack(void)
{
	struct duo *d = duo_new(NULL);
	struct tcp_req r;
	struct tcp_seg s;
	int64_t again;

	record(d, &r, &plain_syn, 131072);
	CU_ASSERT_TRUE(r.due);
	again = tcp_req_synack(&d->side[DUO_A].env, &r, d->now, &s);
	CU_ASSERT_FALSE(r.due);
	CU_ASSERT_EQUAL(again, d->now + SEC(1));
	CU_ASSERT_EQUAL(s.seq.v, 100);
	CU_ASSERT_EQUAL(s.ack.v, 5001);
	CU_ASSERT_EQUAL(s.flags, TCP_SYN | TCP_ACK);
	CU_ASSERT_EQUAL(s.opts, plain_syn.opts);
	CU_ASSERT_EQUAL(s.mss, 1460);
	CU_ASSERT_EQUAL(s.wscale, 7);
	CU_ASSERT_EQUAL(s.tsecr, 77);
	CU_ASSERT_EQUAL(s.wnd, 65535);
	CU_ASSERT_EQUAL(s.sport, 80);
	CU_ASSERT_EQUAL(s.dport, 1234);
	duo_free(d);
}

static void
none(struct tcp_cfg *cfg, int who)
{
	(void)who;
	cfg->timestamps = cfg->sack = cfg->window_scaling = false;
}

static void
test_what_is_switched_off_is_not_agreed(void)
{
	struct duo *d = duo_new(&(struct duo_opts){ .cfg = none });
	struct tcp_req r;
	struct tcp_seg s;

	record(d, &r, &plain_syn, 131072);
	(void)tcp_req_synack(&d->side[DUO_A].env, &r, d->now, &s);
	CU_ASSERT_EQUAL(s.opts, TCP_OPT_MSS);
	duo_free(d);
}

static void
test_small_buffers_offer_what_they_hold(void)
{
	struct duo *d = duo_new(NULL);
	struct tcp_req r;
	struct tcp_seg s;

	record(d, &r, &plain_syn, 20000);
	(void)tcp_req_synack(&d->side[DUO_A].env, &r, d->now, &s);
	CU_ASSERT_EQUAL(s.wnd, 10000);
	record(d, &r, &plain_syn, 0);
	(void)tcp_req_synack(&d->side[DUO_A].env, &r, d->now, &s);
	CU_ASSERT_EQUAL(s.wnd, 1024);
	duo_free(d);
}

static void
test_expiry_doubles_and_ends(void)
{
	struct duo *d = duo_new(NULL);
	struct tcp_env *e = &d->side[DUO_A].env;
	struct tcp_req r;
	struct tcp_seg s;

	record(d, &r, &plain_syn, 131072);
	for (int i = 0; i < 5; i++) {
		CU_ASSERT_EQUAL(tcp_req_synack(e, &r, d->now, &s), d->now + (SEC(1) << i));
		CU_ASSERT_TRUE(tcp_req_expired(e, &r));
		CU_ASSERT_TRUE(r.due);
	}
	CU_ASSERT_FALSE(tcp_req_expired(e, &r));
	duo_free(d);
}

static void
test_old_duplicate_of_the_ack(void)
{
	struct duo *d = duo_new(NULL);
	struct tcp_env *e = &d->side[DUO_A].env;
	struct tcp_seg ack = { .seq = { 5001 }, .ack = { 101 }, .flags = TCP_ACK,
		               .opts = TCP_OPT_TS, .tsval = 76 };
	struct tcp_req r;

	record(d, &r, &plain_syn, 131072);
	CU_ASSERT_EQUAL(tcp_req_in(e, &r, &ack, d->now), DROP_PAWS);
	ack.tsval = 77;
	CU_ASSERT_EQUAL(tcp_req_in(e, &r, &ack, d->now), SEG_OK);
	duo_free(d);
}

/* What was agreed in the record is in force in the connection. */
static void
test_promotion(void)
{
	struct peer p;

	peer_accepted(&p, &(struct peer_opts){ .opts = plain_syn.opts, .wscale = 5,
	                                       .mss = 1400, .wnd = 3000 });
	CU_ASSERT_EQUAL(p.a->conn.flags & (TCPF_TS | TCPF_SACK | TCPF_WSCALE | TCPF_PASSIVE),
	                TCPF_TS | TCPF_SACK | TCPF_WSCALE | TCPF_PASSIVE);
	CU_ASSERT_FALSE(p.a->conn.flags & TCPF_ACTIVE_OPEN);
	EXPECT_NUMBER(&p, p.a->conn.mss, 1400 - 12);
	EXPECT_NUMBER(&p, p.a->conn.snd_wscale, 5);
	EXPECT_NUMBER(&p, p.a->conn.rcv_wscale, 7);
	EXPECT_NUMBER(&p, p.a->conn.snd_wnd, 3000 << 5); /* of the ACK, scaled */
	EXPECT_NUMBER(&p, tcp_rcv_wnd(&p.a->conn), 65535);
	EXPECT_NUMBER(&p, p.a->conn.cwnd, 10 * 1388);
	EXPECT_NUMBER(&p, p.a->conn.rtx_at, TIME_NEVER);
	peer_free(&p);
}

/* RFC 5681 3.1 and RFC 6298 5.7 for the passive side. */
static void
test_promotion_after_a_repeated_syn_ack(void)
{
	struct peer p;

	peer_new(&p, NULL);
	duo_listen(p.a);
	peer_syn_options(&p);
	SAY(&p, "S", 0, 0, 0);
	peer_sleeps(&p, MS(1500));
	SAY(&p, ".", 1, 0, 1);
	EXPECT_STATE(&p, TCP_ESTABLISHED);
	EXPECT_NUMBER(&p, p.a->conn.cwnd, 1460);
	EXPECT_NUMBER(&p, tcp_rto_ns(&p.a->conn), SEC(3));
	EXPECT_NUMBER(&p, p.a->conn.srtt_us, 0);
	peer_free(&p);
}

static void
test_size(void)
{
	CU_ASSERT_TRUE(sizeof(struct tcp_req) <= 192); /* a flood costs little */
	CU_ASSERT_TRUE(sizeof(struct tcp_tw) <= 128);
}

void
suite_tcp_listen(void)
{
	CU_pSuite s = CU_add_suite("tcp_listen", NULL, NULL);

	CU_add_test(s, "SYN-ACK", test_syn_ack);
	CU_add_test(s, "what is switched off is not agreed",
	            test_what_is_switched_off_is_not_agreed);
	CU_add_test(s, "small buffers offer what they hold",
	            test_small_buffers_offer_what_they_hold);
	CU_add_test(s, "expiry doubles and ends", test_expiry_doubles_and_ends);
	CU_add_test(s, "an old duplicate of the ACK", test_old_duplicate_of_the_ack);
	CU_add_test(s, "promotion", test_promotion);
	CU_add_test(s, "promotion after a repeated SYN-ACK",
	            test_promotion_after_a_repeated_syn_ack);
	CU_add_test(s, "records are small", test_size);
}
