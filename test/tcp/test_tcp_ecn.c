/* SPDX-License-Identifier: BSD-3-Clause */
/* Two ends and a path that marks: the clauses are in test_script_ecn.c. */
#include "tcp/tcp_ecn.h"

#include <CUnit/CUnit.h>

#include "test/tcp/duo.h"

void suite_tcp_ecn(void);

static void
asks(struct tcp_cfg *cfg, int who)
{
	cfg->ecn = who == DUO_A ? TCP_ECN_ON : TCP_ECN_PASSIVE;
}

/* Sends `total` bytes from A to B over a path that marks or loses so many in a million. */
static struct duo *
transfer(uint32_t ce_ppm, uint32_t loss_ppm, uint32_t total)
{
	struct duo_opts o = { .seed = ce_ppm + loss_ppm, .cfg = asks };
	struct duo *d = duo_established(&o);
	uint32_t wrote = 0, got = 0;
	int64_t end = d->now + SEC(600);

	d->ce_ppm = ce_ppm;
	d->loss_ppm = loss_ppm;
	while (got < total && d->now < end) {
		wrote += duo_write_pattern(&d->side[DUO_A], min(total - wrote, 50000u));
		duo_run(d, MS(5));
		got += duo_read_pattern(&d->side[DUO_B]);
	}
	CU_ASSERT_EQUAL(got, total);
	return d;
}

static bool
says_ece(const struct duo_record *r)
{
	return (r->s.flags & (TCP_ECE | TCP_SYN)) == TCP_ECE;
}

static bool
says_cwr(const struct duo_record *r)
{
	return (r->s.flags & (TCP_CWR | TCP_SYN)) == TCP_CWR;
}

static void
test_marks_instead_of_losses(void)
{
	struct duo *d = transfer(10000, 0, 3000000);
	const struct tcp_conn *a = &d->side[DUO_A].conn;

	CU_ASSERT_TRUE(duo_count(d, DUO_B, says_ece) > 10);
	CU_ASSERT_TRUE(duo_count(d, DUO_A, says_cwr) > 3);
	CU_ASSERT_EQUAL(tcp_rare(a)->total_retrans, 0);
	CU_ASSERT_TRUE(a->ssthresh < 1000000);
	CU_ASSERT_TRUE(tcp_rare(a)->delivered_ce > 0);
	duo_free(d);
}

/* Every CWR ends an echo: there are no more of them than windows were reduced, and the echo
 * does not go on for ever. */
static void
test_the_echo_ends(void)
{
	struct duo *d = transfer(1000, 0, 3000000);

	d->ce_ppm = 0;
	duo_run(d, MS(100));
	duo_write_pattern(&d->side[DUO_A], 20000);
	duo_run(d, MS(200));
	duo_log_clear(d);
	duo_write_pattern(&d->side[DUO_A], 20000);
	duo_run(d, MS(200));
	CU_ASSERT_EQUAL(duo_count(d, DUO_B, says_ece), 0);
	CU_ASSERT_EQUAL(duo_count(d, DUO_A, says_cwr), 0);
	duo_free(d);
}

static void
test_marks_and_losses(void)
{
	for (uint32_t i = 1; i <= 4; i++)
		duo_free(transfer(i * 20000, i * 10000, 300000));
}

/* A path that marks everything leaves little, but goes on. */
static void
test_everything_is_marked(void)
{
	struct duo *d = transfer(1000000, 0, 300000);

	CU_ASSERT_EQUAL(tcp_rare(&d->side[DUO_A].conn)->total_retrans, 0);
	CU_ASSERT_TRUE(d->side[DUO_A].conn.cwnd <= 4u * d->side[DUO_A].conn.mss);
	duo_free(d);
}

static void
dctcp_or_reno(struct tcp_cfg *cfg, int who)
{
	cfg->ecn = TCP_ECN_OFF;
	cfg->cc = who == DUO_A ? &cc_reno : &cc_cubic;
}

static void
test_off_marks_nothing(void)
{
	struct duo_opts o = { .seed = 3, .cfg = dctcp_or_reno };
	struct duo *d = duo_established(&o);

	d->ce_ppm = 1000000;
	duo_write_pattern(&d->side[DUO_A], 10000);
	duo_run(d, MS(100));
	CU_ASSERT_EQUAL(duo_read_pattern(&d->side[DUO_B]), 10000);
	CU_ASSERT_EQUAL(duo_count(d, DUO_B, says_ece), 0);
	CU_ASSERT_EQUAL(d->side[DUO_A].conn.ecn, 0);
	duo_free(d);
}

void
suite_tcp_ecn(void)
{
	CU_pSuite s = CU_add_suite("tcp_ecn", NULL, NULL);

	CU_add_test(s, "marks instead of losses", test_marks_instead_of_losses);
	CU_add_test(s, "the echo ends", test_the_echo_ends);
	CU_add_test(s, "marks and losses", test_marks_and_losses);
	CU_add_test(s, "everything is marked", test_everything_is_marked);
	CU_add_test(s, "off marks nothing", test_off_marks_nothing);
}
