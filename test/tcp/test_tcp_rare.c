/* SPDX-License-Identifier: BSD-3-Clause */
/* Records beside connections: who has one, and what it begins with. */
#include <CUnit/CUnit.h>

#include "test/script/peer.h"

void suite_tcp_rare(void);

/* Requests and replies, Nagle and delayed ACKs included, want nothing of it. */
static void
test_a_plain_connection_has_none(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	for (int i = 0; i < 10; i++) {
		peer_a_writes(&p, 1000);
		peer_sleeps(&p, MS(1));
		(void)peer_skips(&p);
		SAY(&p, "P.", 1 + 100 * (uint32_t)i, 100, 1001 + 1000 * (uint32_t)i);
		(void)duo_read_pattern(p.a);
		peer_sleeps(&p, MS(300));
		(void)peer_skips(&p);
	}
	EXPECT_STATE(&p, TCP_ESTABLISHED);
	CU_ASSERT_PTR_NULL(p.a->conn.rare);
	CU_ASSERT_EQUAL(p.a->env.rares.used, 0);
	peer_free(&p);
}

static void
test_what_was_never_written_can_be_read(void)
{
	struct tcp_conn c = { .flags = 0 };

	CU_ASSERT_EQUAL(tcp_rare(&c)->total_retrans, 0);
	CU_ASSERT_EQUAL(tcp_rare(&c)->cork_at, TIME_NEVER);
	CU_ASSERT_FALSE(tcp_rare(&c)->fin_waits);
}

/* The pool has had the memory before. */
static void
test_a_record_begins_as_new_and_is_given_back(void)
{
	struct peer p;
	struct tcp_rare *r;

	peer_connected(&p, NULL);
	r = tcp_rare_own(&p.a->env, &p.a->conn);
	CU_ASSERT_PTR_EQUAL(tcp_rare_own(&p.a->env, &p.a->conn), r);
	CU_ASSERT_PTR_EQUAL(tcp_rare(&p.a->conn), r);
	memset(r, 0xff, sizeof *r);
	tcp_rare_release(&p.a->env, &p.a->conn);
	CU_ASSERT_EQUAL(p.a->env.rares.used, 0);
	r = tcp_rare_own(&p.a->env, &p.a->conn);
	CU_ASSERT_EQUAL(r->cork_at, TIME_NEVER);
	CU_ASSERT_EQUAL(r->bytes_retrans, 0);
	EXPECT_NUMBER(&p, seq_sub(r->snd_up, p.a->conn.iss), 0);
	peer_free(&p);
}

/* What the first retransmission needs stays for the connection's life, and no longer. */
static void
test_a_loss_takes_a_record(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	peer_a_writes(&p, 100);
	EXPECT(&p, "P.", 1, 100, 1);
	peer_sleeps(&p, SEC(2));
	CU_ASSERT_TRUE(peer_skips(&p) >= 1);
	CU_ASSERT_EQUAL(p.a->env.rares.used, 1);
	CU_ASSERT_TRUE(tcp_rare(&p.a->conn)->total_retrans >= 1);
	peer_free(&p); /* looks whether it was given back */
}

void
suite_tcp_rare(void)
{
	CU_pSuite s = CU_add_suite("tcp/tcp_rare", NULL, NULL);

	CU_add_test(s, "a plain connection has none", test_a_plain_connection_has_none);
	CU_add_test(s, "what was never written can be read", test_what_was_never_written_can_be_read);
	CU_add_test(s, "a record begins as new and is given back",
	            test_a_record_begins_as_new_and_is_given_back);
	CU_add_test(s, "a loss takes a record", test_a_loss_takes_a_record);
}
