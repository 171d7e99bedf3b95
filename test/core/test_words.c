/* SPDX-License-Identifier: BSD-3-Clause */
/* What one core hears, others hear of. */
#include <CUnit/CUnit.h>

#include "test/core/town.h"

void suite_words(void);

static void
test_an_icmp_error_reaches_its_connection(void)
{
	static struct town t;
	struct craft_way way = { .src = host_ip(1), .dst = host_ip(0) };
	struct town_talk *k[8];
	uint8_t frame[CRAFT_MAX];

	town_open_random(&t, 4, 4);
	net_mac(1, way.smac.b);
	net_mac(0, way.dmac.b);
	town_listen(&t, 1, TOWN_ALL);
	for (unsigned i = 0; i < 8; i++)
		k[i] = town_talk(&t, 0, i % 4, (uint16_t)(i < 4 ? 0 : 4000 + i), true);
	town_run(&t, SEC(1));
	CU_ASSERT_EQUAL(town_heard(&t), 8);
	for (unsigned i = 0; i < 8; i++) {
		struct tcp_conn *c = k[i]->s->conn;
		uint32_t n;

		/* Something is in flight when the router complains. */
		CU_ASSERT_EQUAL(host_write(k[i]->host, k[i]->s, (const uint8_t *)"x", 1), 1);
		host_step(k[i]->host);
		n = craft_icmp_error(frame, &way, ICMP4_UNREACHABLE, ICMP4_CODE_FRAG_NEEDED, 1000,
		                     &way.src, k[i]->s->name.lport, 80, c->snd_una);
		CU_ASSERT_TRUE(io_mem_inject(t.wire, 1, (i + 1) % 4, net_now(t.clock), frame, n));
	}
	town_run(&t, MS(1));
	CU_ASSERT_EQUAL(town_fates(&t, 0, DROP_ICMP_QUOTE), 0);
	CU_ASSERT_EQUAL(town_fates(&t, 0, IN_ICMP), 8);
	town_close(&t);
}

/* The answer to one core's question may arrive on any; all of them know it then. */
static void
test_arp_answers_reach_every_core(void)
{
	static struct town t;
	struct ip_addr peer = host_ip(1);

	town_open_random(&t, 4, 4);
	town_listen(&t, 1, TOWN_ALL);
	for (unsigned i = 0; i < 4; i++)
		(void)town_talk(&t, 0, i, 0, false);
	town_run(&t, SEC(1));
	CU_ASSERT_EQUAL(town_heard(&t), 4);
	for (unsigned i = 0; i < 4; i++)
		CU_ASSERT_PTR_NOT_NULL(neigh_lookup(&t.side[0].core[i].st->port[0].neigh, &peer,
		                                    net_now(t.clock)));
	town_close(&t);
}

void
suite_words(void)
{
	CU_pSuite s = CU_add_suite("core/words", NULL, NULL);

	CU_add_test(s, "an ICMP error reaches its connection",
	            test_an_icmp_error_reaches_its_connection);
	CU_add_test(s, "ARP's answers reach every core", test_arp_answers_reach_every_core);
}
