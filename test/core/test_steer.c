/* SPDX-License-Identifier: BSD-3-Clause */
/* Several cores behind one address, and frames that arrive wherever the device likes. */
#include <CUnit/CUnit.h>

#include "test/core/town.h"

void suite_steer(void);

static void
test_connections_to_us_live_wherever_packets_arrive(void)
{
	static struct town t;

	town_open_random(&t, 4, 4);
	town_listen(&t, 0, TOWN_ALL);
	for (unsigned i = 0; i < 200; i++)
		(void)town_talk(&t, 1, 0, 0, false);
	town_run(&t, SEC(3));
	CU_ASSERT_EQUAL(town_heard(&t), 200);
	for (unsigned i = 0; i < 4; i++)
		CU_ASSERT_TRUE(t.side[0].accepted[i] > 25);
	CU_ASSERT_TRUE(town_out(&t, 0) > 500);
	CU_ASSERT_EQUAL(town_exceptions(&t, 0), 0);
	town_check_accounts(&t, 0);
	town_close(&t);
}

/* Ports are chosen so that home is the core that opens: no record of anything is needed. */
static void
test_connections_of_ours_live_wherever_packets_arrive(void)
{
	static struct town t;
	static bool seen[65536];

	memset(seen, 0, sizeof seen);
	town_open_random(&t, 4, 4);
	town_listen(&t, 1, TOWN_ALL);
	for (unsigned i = 0; i < 200; i++)
		(void)town_talk(&t, 0, i % 4, 0, true);
	town_run(&t, SEC(3));
	CU_ASSERT_EQUAL(town_heard(&t), 200);
	for (unsigned i = 0; i < 200; i++) {
		CU_ASSERT_FALSE(seen[t.talk[i].s->name.lport]);
		seen[t.talk[i].s->name.lport] = true;
	}
	CU_ASSERT_EQUAL(town_exceptions(&t, 0), 0);
	town_check_accounts(&t, 0);
	town_close(&t);
}

/* -- devices that can steer ---------------------------------------------------------- */

struct card {
	struct rss rss;
	struct io_rss says; /* to the stacks */
};

static unsigned
by_card(void *arg, unsigned side, unsigned queue, const uint8_t *frame, uint32_t len)
{
	const struct card *card = arg;
	struct craft_way way;
	struct tcp_seg s;

	(void)queue;
	if (side == 0 || !craft_parse_tcp(frame, len, &way, &s))
		return 0;
	return rss_core(&card->rss, rss_hash(&card->rss, &way.src, &way.dst, s.sport, s.dport));
}

static void
open_card(struct town *t, struct card *card, unsigned cores)
{
	memset(t, 0, offsetof(struct town, side));
	t->rng = (struct rng){ 4 };
	t->tune = NULL;
	card->says.types = IO_RSS_TCP4;
	card->says.size = 128;
	memcpy(card->says.key, rss_default_key, sizeof card->says.key);
	for (unsigned i = 0; i < 128; i++)
		card->says.table[i] = (uint16_t)(i % cores);
	CU_ASSERT_TRUE_FATAL(rss_init(&card->rss, card->says.key, card->says.table, 128));
	t->cfg = (struct io_mem_config){ .queues = cores, .steer = by_card, .steer_arg = card,
		                         .rss = &card->says };
}

static void
both_ways(struct town *t)
{
	town_listen(t, 0, TOWN_ALL);
	town_listen(t, 1, TOWN_ALL);
	for (unsigned i = 0; i < 80; i++) {
		(void)town_talk(t, 1, 0, 0, false);
		(void)town_talk(t, 0, i % 4, 0, false);
	}
	town_run(t, SEC(3));
	CU_ASSERT_EQUAL(town_heard(t), 160);
	town_check_accounts(t, 0);
}

static void
test_a_card_leaves_nothing_to_hand_over(void)
{
	static struct town t;
	static struct card card;

	open_card(&t, &card, 4);
	town_open(&t, 4, 1);
	both_ways(&t);
	CU_ASSERT_EQUAL(town_out(&t, 0), 0);
	town_close(&t);
}

/* A card that does otherwise than it says costs time, not connections. */
static void
test_a_card_that_lies_does_no_harm(void)
{
	static struct town t;
	static struct card card;

	open_card(&t, &card, 4);
	card.says.table[3] = 1;
	card.says.key[7] ^= 0x04; /* under the addresses: all flows move by one */
	town_open(&t, 4, 1);
	both_ways(&t);
	CU_ASSERT_TRUE(town_out(&t, 0) > 100);
	town_close(&t);
}

/* Its table leaves a core out: the stacks' own function serves. */
static void
test_a_card_that_forgets_a_core_is_not_followed(void)
{
	static struct town t;
	static struct card card;

	open_card(&t, &card, 3);
	t.cfg.idle = 1;
	town_open(&t, 4, 1);
	both_ways(&t);
	CU_ASSERT_TRUE(t.side[0].accepted[3] > 0);
	town_close(&t);
}

/* -- queues in pairs ----------------------------------------------------------------- */

static void
open_pairs(struct town *t)
{
	memset(t, 0, offsetof(struct town, side));
	t->rng = (struct rng){ 6 };
	t->tune = NULL;
	t->cfg = (struct io_mem_config){ .queues = 4 };
	town_open(t, 4, 4);
}

static void
test_paired_queues_leave_nothing_to_hand_over(void)
{
	static struct town t;

	open_pairs(&t);
	town_listen(&t, 1, TOWN_ALL);
	for (unsigned i = 0; i < 120; i++)
		(void)town_talk(&t, 0, i % 4, 0, false);
	town_run(&t, SEC(3));
	CU_ASSERT_EQUAL(town_heard(&t), 120);
	for (unsigned i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(t.side[1].accepted[i], 30);
	CU_ASSERT_EQUAL(town_out(&t, 0) + town_out(&t, 1), 0);
	town_close(&t);
}

static void
test_one_core_may_listen_behind_paired_queues(void)
{
	static struct town t;

	open_pairs(&t);
	town_listen(&t, 1, 1 << 1);
	for (unsigned i = 0; i < 120; i++)
		(void)town_talk(&t, 0, i % 4, (uint16_t)(i % 3 ? 0 : 3000 + i), false);
	town_run(&t, SEC(3));
	CU_ASSERT_EQUAL(town_heard(&t), 120);
	CU_ASSERT_EQUAL(t.side[1].accepted[1], 120);
	town_run(&t, SEC(200));
	CU_ASSERT_EQUAL(town_exceptions(&t, 0) + town_exceptions(&t, 1), 0);
	town_close(&t);
}

/* -- nothing shared -------------------------------------------------------------------- */

/* While a core steps every other core's memory is unmapped for reading and writing: whoever
 * touches it ends this program. */
static void
test_cores_share_nothing_but_the_hall(void)
{
	static struct town t;

	town_open_random(&t, 5, 3);
	t.fenced = true;
	town_listen(&t, 0, 1 << 0 | 1 << 4);
	town_listen(&t, 1, TOWN_ALL);
	for (unsigned i = 0; i < 60; i++) {
		(void)town_talk(&t, 1, 0, 0, i % 2);
		(void)town_talk(&t, 0, i % 5, (uint16_t)(i % 3 ? 0 : 5000 + i), false);
	}
	town_run(&t, SEC(1));
	town_deaf(&t, 0, 4);
	town_listen(&t, 0, 1 << 1);
	for (unsigned i = 0; i < 60; i++)
		(void)town_talk(&t, 1, 0, 0, false);
	town_run(&t, SEC(2));
	CU_ASSERT_EQUAL(town_heard(&t), 180);
	CU_ASSERT_TRUE(town_out(&t, 0) > 300);
	town_check_accounts(&t, 0);
	town_close(&t);
}

static void
test_a_hall_is_for_so_many_cores(void)
{
	static struct town t;

	town_open_random(&t, 4, 4);
	CU_ASSERT_FALSE(stack_join(t.side[1].core[0].st, t.side[0].hall));
	town_close(&t);
}

void
suite_steer(void)
{
	CU_pSuite s = CU_add_suite("core/steer", NULL, NULL);

	CU_add_test(s, "connections to us live wherever packets arrive",
	            test_connections_to_us_live_wherever_packets_arrive);
	CU_add_test(s, "connections of ours live wherever packets arrive",
	            test_connections_of_ours_live_wherever_packets_arrive);
	CU_add_test(s, "a card leaves nothing to hand over",
	            test_a_card_leaves_nothing_to_hand_over);
	CU_add_test(s, "a card that lies does no harm", test_a_card_that_lies_does_no_harm);
	CU_add_test(s, "a card that forgets a core is not followed",
	            test_a_card_that_forgets_a_core_is_not_followed);
	CU_add_test(s, "paired queues leave nothing to hand over",
	            test_paired_queues_leave_nothing_to_hand_over);
	CU_add_test(s, "one core may listen behind paired queues",
	            test_one_core_may_listen_behind_paired_queues);
	CU_add_test(s, "a hall is for so many cores", test_a_hall_is_for_so_many_cores);
	CU_add_test(s, "cores share nothing but the hall", test_cores_share_nothing_but_the_hall);
}
