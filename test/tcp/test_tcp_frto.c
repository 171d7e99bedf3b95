/* SPDX-License-Identifier: BSD-3-Clause */
/* Time-outs are doubted: the first two ACKs decide. */
#include "tcp/tcp_frto.h"

#include <CUnit/CUnit.h>

#include "test/script/peer.h"

void suite_tcp_frto(void);

#define MSS 1460u

static const struct peer_opts no_sack = { .opts = TCP_OPT_MSS };
static const struct peer_opts with_sack = { .cfg = peer_no_probes };

static void
no_doubt(struct tcp_cfg *cfg, int who)
{
	peer_no_probes(cfg, who);
	cfg->frto = false;
}

/* Ten are out, more is written, and the timer has expired. */
static void
timed_out(struct peer *p, const struct peer_opts *o, uint32_t more)
{
	peer_connected(p, o);
	p->a->conn.snd_limit = 1u << 20;
	peer_a_writes(p, 10 * MSS);
	EXPECT_NUMBER(p, peer_skips(p), 10);
	if (more)
		peer_a_writes(p, more * MSS);
	EXPECT_NOTHING(p);
	peer_sleeps(p, MS(300));
	EXPECT(p, ".", 1, MSS, 1);
	EXPECT_NOTHING(p);
	EXPECT_NUMBER(p, p->a->conn.ca, TCP_CA_LOSS);
}

static void
is_spurious(struct peer *p)
{
	EXPECT_NUMBER(p, p->a->conn.ca, TCP_CA_OPEN);
	EXPECT_NUMBER(p, p->a->conn.ssthresh, UINT32_MAX);
	CU_ASSERT_TRUE(p->a->conn.cwnd >= 10 * MSS);
	CU_ASSERT_PTR_NULL(tcp_sack_first_lost(&p->a->conn));
}

/* Two new segments instead of retransmissions; the second ACK advances too. */
static void
test_without_sack_the_second_ack_decides(void)
{
	struct peer p;

	timed_out(&p, &no_sack, 10);
	SAY(&p, ".", 1, 0, 1 + MSS);
	EXPECT(&p, ".", 1 + 10 * MSS, MSS, 1);
	EXPECT(&p, ".", 1 + 11 * MSS, MSS, 1);
	EXPECT_NOTHING(&p);
	SAY(&p, ".", 1, 0, 1 + 2 * MSS);
	is_spurious(&p);
	peer_free(&p);
}

static void
test_without_sack_a_duplicate_means_loss(void)
{
	struct peer p;

	timed_out(&p, &no_sack, 10);
	SAY(&p, ".", 1, 0, 1 + MSS);
	EXPECT_NUMBER(&p, peer_skips(&p), 2);
	SAY(&p, ".", 1, 0, 1 + MSS);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_LOSS);
	CU_ASSERT_TRUE(p.a->conn.cwnd <= 3 * MSS);
	EXPECT(&p, ".", 1 + MSS, MSS, 1); /* as after any time-out */
	peer_free(&p);
}

/* 2.1 step 2a. */
static void
test_a_first_duplicate_ends_the_doubt(void)
{
	struct peer p;

	timed_out(&p, &no_sack, 10);
	SAY(&p, ".", 1, 0, 1);
	SAY(&p, ".", 1, 0, 1 + MSS);
	EXPECT(&p, ".", 1 + MSS, MSS, 1);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_LOSS);
	peer_free(&p);
}

static void
test_nothing_new_to_send_ends_the_doubt(void)
{
	struct peer p;

	timed_out(&p, &no_sack, 0);
	SAY(&p, ".", 1, 0, 1 + MSS);
	EXPECT(&p, ".", 1 + MSS, MSS, 1);
	EXPECT(&p, ".", 1 + 2 * MSS, MSS, 1);
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

/* 3.1: what was never sent again arrives. */
/* A small segment is on its way, and another waits for its ACK: not any more. */
static void
test_a_little_new_text_will_do(void)
{
	struct peer p;

	peer_connected(&p, &no_sack);
	peer_a_writes(&p, 4 * MSS + 100);
	EXPECT_NUMBER(&p, peer_skips(&p), 5);
	peer_a_writes(&p, 50);
	EXPECT_NOTHING(&p);
	peer_sleeps(&p, MS(300));
	EXPECT(&p, ".", 1, MSS, 1);
	SAY(&p, ".", 1, 0, 1 + MSS);
	EXPECT(&p, "P.", 1 + 4 * MSS + 100, 50, 1);
	SAY(&p, ".", 1, 0, 1 + 2 * MSS);
	is_spurious(&p);
	peer_free(&p);
}

static void
test_with_sack_an_original_decides(void)
{
	struct peer p;

	timed_out(&p, &with_sack, 10);
	SAY(&p, ".", 1, 0, 1 + MSS);
	EXPECT(&p, ".", 1 + 10 * MSS, MSS, 1);
	EXPECT(&p, ".", 1 + 11 * MSS, MSS, 1);
	EXPECT_NOTHING(&p);
	peer_sack(&p, 1 + 4 * MSS, 1 + 5 * MSS, 0);
	SAY(&p, ".", 1, 0, 1 + MSS);
	EXPECT_NUMBER(&p, p.a->conn.ssthresh, UINT32_MAX);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_DISORDER);
	peer_free(&p);
}

/* 3.1 step 3a: only the new text arrives; the originals were lost. */
static void
test_with_sack_new_text_alone_means_loss(void)
{
	struct peer p;

	timed_out(&p, &with_sack, 10);
	SAY(&p, ".", 1, 0, 1 + MSS);
	EXPECT_NUMBER(&p, peer_skips(&p), 2);
	peer_sack(&p, 1 + 10 * MSS, 1 + 11 * MSS, 0);
	SAY(&p, ".", 1, 0, 1 + MSS);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_LOSS);
	CU_ASSERT_TRUE(p.a->conn.cwnd <= 3 * MSS);
	EXPECT(&p, ".", 1 + MSS, MSS, 1);
	peer_free(&p);
}

/* Not in the second time-out of the same flight: that was lost. */
static void
test_only_the_first_time_out_is_doubted(void)
{
	struct peer p;

	timed_out(&p, &no_sack, 10);
	peer_sleeps(&p, MS(500));
	EXPECT(&p, ".", 1, MSS, 1);
	SAY(&p, ".", 1, 0, 1 + MSS);
	EXPECT(&p, ".", 1 + MSS, MSS, 1);
	peer_free(&p);
}

static void
test_it_can_be_switched_off(void)
{
	struct peer p;

	timed_out(&p, &(struct peer_opts){ .cfg = no_doubt }, 10);
	SAY(&p, ".", 1, 0, 1 + MSS);
	EXPECT(&p, ".", 1 + MSS, MSS, 1);
	peer_free(&p);
}

void
suite_tcp_frto(void)
{
	CU_pSuite s = CU_add_suite("tcp_frto", NULL, NULL);

	CU_add_test(s, "without SACK the second ACK decides (RFC 5682 2.1/new-data, 2.1/spurious)",
	            test_without_sack_the_second_ack_decides);
	CU_add_test(s, "without SACK a duplicate means loss (RFC 5682 2.1/spurious)",
	            test_without_sack_a_duplicate_means_loss);
	CU_add_test(s, "a first duplicate ends the doubt (RFC 5682 2.1/new-data)",
	            test_a_first_duplicate_ends_the_doubt);
	CU_add_test(s, "nothing new to send ends the doubt (RFC 5682 2.1/new-data)",
	            test_nothing_new_to_send_ends_the_doubt);
	CU_add_test(s, "a little new text will do (RFC 5682 2.1/new-data)",
	            test_a_little_new_text_will_do);
	CU_add_test(s, "with SACK an original decides (RFC 5682 3.1; RFC 4015 3)",
	            test_with_sack_an_original_decides);
	CU_add_test(s, "with SACK new text alone means loss (RFC 5682 3.1)",
	            test_with_sack_new_text_alone_means_loss);
	CU_add_test(s, "only the first time-out is doubted", test_only_the_first_time_out_is_doubted);
	CU_add_test(s, "it can be switched off", test_it_can_be_switched_off);
}
