/* SPDX-License-Identifier: BSD-3-Clause */
/* Several cores behind one address, and frames that arrive wherever the device likes. */
#include <CUnit/CUnit.h>

#include <stdio.h>

#include "tcp/tcp_cookie.h"
#include "test/core/town.h"

void suite_steer(void);

#define ALL 0xffu

/* Frames to side 0 arrive on any of its queues, to side 1 on its first. */
static unsigned
anywhere(void *arg, unsigned side, unsigned queue, const uint8_t *frame, uint32_t len)
{
	struct town *t = arg;

	(void)queue;
	(void)frame;
	(void)len;
	return side == 1 ? rng_below(&t->rng, max(t->cfg.queues, 1u)) : 0;
}

/* Side 0 has `cores` cores and `queues` queues, side 1 a core. */
static void
open_random(struct town *t, unsigned cores, unsigned queues)
{
	memset(t, 0, offsetof(struct town, side));
	t->tune = NULL;
	t->fenced = false;
	t->rng = (struct rng){ 17 };
	t->cfg = (struct io_mem_config){ .queues = queues, .idle = cores - queues,
		                         .steer = anywhere, .steer_arg = t };
	town_open(t, cores, 1);
}

/* Each frame met one end: what was handed over met it elsewhere. */
static void
check_accounts(const struct town *t, unsigned side)
{
	uint64_t ends = 0, rx = 0;

	for (unsigned i = 0; i < t->side[side].cores; i++)
		rx += atomic_load(&stack_stats(t->side[side].core[i].st)->rx_pkts);
	for (unsigned f = 0; f < N_FATES; f++)
		ends += f == HANDED_OVER ? 0 : town_fates(t, side, (enum fate)f);
	CU_ASSERT_EQUAL(ends - town_fates(t, side, DROP_ICMP_QUOTE), rx);
	CU_ASSERT_EQUAL(town_fates(t, side, HANDED_OVER), town_out(t, side));
	CU_ASSERT_EQUAL(town_out(t, side), town_in(t, side));
	CU_ASSERT_EQUAL(town_dropped(t, side), 0);
	CU_ASSERT_EQUAL(town_fates(t, side, DROP_NO_CONN), 0);
}

static void
test_connections_to_us_live_wherever_packets_arrive(void)
{
	static struct town t;

	open_random(&t, 4, 4);
	town_listen(&t, 0, ALL);
	for (unsigned i = 0; i < 200; i++)
		(void)town_talk(&t, 1, 0, 0, false);
	town_run(&t, SEC(3));
	CU_ASSERT_EQUAL(town_heard(&t), 200);
	for (unsigned i = 0; i < 4; i++)
		CU_ASSERT_TRUE(t.side[0].accepted[i] > 25);
	CU_ASSERT_TRUE(town_out(&t, 0) > 500);
	CU_ASSERT_EQUAL(town_exceptions(&t, 0), 0);
	check_accounts(&t, 0);
	town_close(&t);
}

/* Ports are chosen so that home is the core that opens: no record of anything is needed. */
static void
test_connections_of_ours_live_wherever_packets_arrive(void)
{
	static struct town t;
	static bool seen[65536];

	memset(seen, 0, sizeof seen);
	open_random(&t, 4, 4);
	town_listen(&t, 1, ALL);
	for (unsigned i = 0; i < 200; i++)
		(void)town_talk(&t, 0, i % 4, 0, true);
	town_run(&t, SEC(3));
	CU_ASSERT_EQUAL(town_heard(&t), 200);
	for (unsigned i = 0; i < 200; i++) {
		CU_ASSERT_FALSE(seen[t.talk[i].s->name.lport]);
		seen[t.talk[i].s->name.lport] = true;
	}
	CU_ASSERT_EQUAL(town_exceptions(&t, 0), 0);
	check_accounts(&t, 0);
	town_close(&t);
}

/* The program's own ports: claimed at home, and let go of when the connection is over. */
static void
test_ports_of_the_programs_choice_are_claimed(void)
{
	static struct town t;

	open_random(&t, 4, 4);
	town_listen(&t, 1, ALL);
	for (unsigned i = 0; i < 64; i++)
		(void)town_talk(&t, 0, i % 4, (uint16_t)(2000 + i), false);
	town_run(&t, MS(1500));
	CU_ASSERT_EQUAL(town_heard(&t), 64);
	CU_ASSERT_TRUE(town_exceptions(&t, 0) >= 64); /* in TIME-WAIT still */
	check_accounts(&t, 0);
	town_run(&t, SEC(200));
	CU_ASSERT_EQUAL(town_exceptions(&t, 0), 0);
	town_close(&t);
}

static void
test_one_core_may_listen_for_all(void)
{
	static struct town t;

	open_random(&t, 4, 4);
	town_listen(&t, 0, 1 << 2);
	for (unsigned i = 0; i < 100; i++)
		(void)town_talk(&t, 1, 0, 0, false);
	town_run(&t, SEC(3));
	CU_ASSERT_EQUAL(town_heard(&t), 100);
	CU_ASSERT_EQUAL(t.side[0].accepted[2], 100);
	check_accounts(&t, 0);
	town_run(&t, SEC(200));
	CU_ASSERT_EQUAL(town_exceptions(&t, 0), 0);
	town_close(&t);
}

/* Whoever listens later gets what is new; what was there stays where it is. */
static void
test_listeners_may_move(void)
{
	static struct town t;

	open_random(&t, 4, 4);
	town_listen(&t, 0, 1 << 1);
	for (unsigned i = 0; i < 50; i++)
		(void)town_talk(&t, 1, 0, 0, true);
	town_run(&t, SEC(1));
	CU_ASSERT_EQUAL(town_heard(&t), 50);
	town_deaf(&t, 0, 1);
	town_listen(&t, 0, 1 << 0 | 1 << 2 | 1 << 3);
	for (unsigned i = 0; i < 50; i++) {
		town_again(&t.talk[i]);
		(void)town_talk(&t, 1, 0, 0, false);
	}
	town_run(&t, SEC(2));
	CU_ASSERT_EQUAL(town_heard(&t), 100);
	CU_ASSERT_EQUAL(t.side[0].accepted[1], 50);
	CU_ASSERT_EQUAL(t.side[0].accepted[0] + t.side[0].accepted[2] + t.side[0].accepted[3], 50);
	check_accounts(&t, 0);
	town_close(&t);
}

static void
tune_cookies(struct stack_cfg *c, unsigned side, unsigned core)
{
	(void)side;
	(void)core;
	c->tcp.syn_cookies = TCP_COOKIES_ALWAYS;
}

/* Nobody remembers the SYN; the keeper claims what its cookie has made. */
static void
test_cookies_come_back_to_the_keeper(void)
{
	static struct town t;

	memset(&t, 0, offsetof(struct town, side));
	t.rng = (struct rng){ 5 };
	t.tune = tune_cookies;
	t.cfg = (struct io_mem_config){ .queues = 4, .steer = anywhere, .steer_arg = &t };
	town_open(&t, 4, 1);
	town_listen(&t, 0, 1 << 3);
	for (unsigned i = 0; i < 60; i++)
		(void)town_talk(&t, 1, 0, 0, false);
	town_run(&t, SEC(3));
	CU_ASSERT_EQUAL(town_heard(&t), 60);
	CU_ASSERT_EQUAL(t.side[0].accepted[3], 60);
	CU_ASSERT_EQUAL(town_fates(&t, 0, COOKIE_TAKEN), 60);
	town_run(&t, SEC(200));
	CU_ASSERT_EQUAL(town_exceptions(&t, 0), 0);
	town_close(&t);
}

static void
test_cores_may_be_more_than_queues(void)
{
	static struct town t;

	open_random(&t, 5, 2);
	town_listen(&t, 0, ALL);
	town_listen(&t, 1, ALL);
	for (unsigned i = 0; i < 100; i++) {
		(void)town_talk(&t, 1, 0, 0, false);
		(void)town_talk(&t, 0, i % 5, 0, false);
	}
	town_run(&t, SEC(3));
	CU_ASSERT_EQUAL(town_heard(&t), 200);
	for (unsigned i = 0; i < 5; i++)
		CU_ASSERT_TRUE(t.side[0].accepted[i] > 8);
	check_accounts(&t, 0);
	for (unsigned i = 2; i < 5; i++) /* what they sent others have sent */
		CU_ASSERT_EQUAL(atomic_load(&stack_stats(t.side[0].core[i].st)->tx_pkts), 0);
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
	town_listen(t, 0, ALL);
	town_listen(t, 1, ALL);
	for (unsigned i = 0; i < 80; i++) {
		(void)town_talk(t, 1, 0, 0, false);
		(void)town_talk(t, 0, i % 4, 0, false);
	}
	town_run(t, SEC(3));
	CU_ASSERT_EQUAL(town_heard(t), 160);
	check_accounts(t, 0);
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
	town_listen(&t, 1, ALL);
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

/* -- when it goes wrong -------------------------------------------------------------- */

/* A core that does not run for a while: its lane fills, what is too much is counted, and TCP
 * sends it again. */
static void
test_a_full_lane_loses_and_counts(void)
{
	static struct town t;
	int64_t until;

	open_random(&t, 2, 2);
	town_listen(&t, 0, ALL);
	for (unsigned i = 0; i < 400; i++)
		(void)town_talk(&t, 1, 0, 0, false);
	until = net_now(t.clock) + MS(100);
	t.side[0].left = 1; /* core 0 is held up */
	while (net_now(t.clock) < until)
		town_run(&t, MS(10));
	CU_ASSERT_TRUE(town_dropped(&t, 0) == 0 || town_fates(&t, 0, DROP_HANDOVER_FULL) > 0);
	t.side[0].left = 0;
	town_run(&t, SEC(10));
	CU_ASSERT_EQUAL(town_heard(&t), 400);
	CU_ASSERT_EQUAL(town_out(&t, 0), town_in(&t, 0));
	CU_ASSERT_EQUAL(town_fates(&t, 0, DROP_HANDOVER_FULL), town_dropped(&t, 0));
	town_close(&t);
}

static void
test_a_core_that_has_ended_gets_nothing(void)
{
	static struct town t;
	uint64_t gone;

	open_random(&t, 3, 3);
	town_listen(&t, 0, ALL);
	town_run(&t, MS(10));
	town_leave(&t, 0, 0);
	for (unsigned i = 0; i < 60; i++)
		(void)town_talk(&t, 1, 0, 0, false);
	town_run(&t, MS(50));
	gone = town_fates(&t, 0, DROP_CORE_GONE);
	CU_ASSERT_TRUE(gone > 0);
	CU_ASSERT_EQUAL(town_dropped(&t, 0), gone);
	town_close(&t);
}

/* A keeper that ends is forgotten by home, and the next connection goes to another. */
static void
test_the_keepers_end_is_noticed(void)
{
	static struct town t;

	open_random(&t, 3, 3);
	town_listen(&t, 0, 1 << 0);
	for (unsigned i = 0; i < 30; i++)
		(void)town_talk(&t, 1, 0, 0, true);
	town_run(&t, SEC(1));
	CU_ASSERT_EQUAL(town_heard(&t), 30);
	town_leave(&t, 0, 0);
	town_listen(&t, 0, 1 << 1 | 1 << 2);
	for (unsigned i = 0; i < 30; i++) /* to somebody who does not know them */
		town_again(&t.talk[i]);
	town_run(&t, SEC(2));
	CU_ASSERT_TRUE(town_fates(&t, 0, DROP_NO_CONN) > 0);
	town_close(&t);
}

/* -- other packets ------------------------------------------------------------------- */

static void
test_an_icmp_error_reaches_its_connection(void)
{
	static struct town t;
	struct craft_way way = { .src = host_ip(1), .dst = host_ip(0) };
	struct town_talk *k[8];
	uint8_t frame[CRAFT_MAX];

	open_random(&t, 4, 4);
	net_mac(1, way.smac.b);
	net_mac(0, way.dmac.b);
	town_listen(&t, 1, ALL);
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

	open_random(&t, 4, 4);
	town_listen(&t, 1, ALL);
	for (unsigned i = 0; i < 4; i++)
		(void)town_talk(&t, 0, i, 0, false);
	town_run(&t, SEC(1));
	CU_ASSERT_EQUAL(town_heard(&t), 4);
	for (unsigned i = 0; i < 4; i++)
		CU_ASSERT_PTR_NOT_NULL(neigh_lookup(&t.side[0].core[i].st->port[0].neigh, &peer,
		                                    net_now(t.clock)));
	town_close(&t);
}

/* -- sleep ---------------------------------------------------------------------------- */

static void
test_a_sleeping_core_is_named_once(void)
{
	static struct town t;
	uint64_t woken = 0;
	unsigned times = 0;

	open_random(&t, 2, 2);
	town_listen(&t, 0, ALL);
	town_run(&t, MS(10));
	t.side[0].left = 1; /* core 0 sleeps */
	CU_ASSERT_TRUE(stack_may_sleep(t.side[0].core[0].st));
	for (unsigned i = 0; i < 40; i++)
		(void)town_talk(&t, 1, 0, 0, false);
	for (unsigned i = 0; i < 50; i++) {
		uint64_t wakes;

		town_run(&t, US(20));
		wakes = stack_take_wakes(t.side[0].core[1].st);
		woken |= wakes;
		times += wakes != 0;
	}
	CU_ASSERT_EQUAL(woken, 1);
	CU_ASSERT_EQUAL(times, 1);
	CU_ASSERT_FALSE(stack_may_sleep(t.side[0].core[0].st)); /* there is something for it */
	stack_woke(t.side[0].core[0].st);
	t.side[0].left = 0;
	town_run(&t, SEC(4));
	CU_ASSERT_EQUAL(town_heard(&t), 40);
	CU_ASSERT_TRUE(stack_may_sleep(t.side[0].core[0].st));
	stack_woke(t.side[0].core[0].st);
	town_close(&t);
}

/* -- nothing shared -------------------------------------------------------------------- */

/* While a core steps every other core's memory is unmapped for reading and writing: whoever
 * touches it ends this program. */
static void
test_cores_share_nothing_but_the_hall(void)
{
	static struct town t;

	open_random(&t, 5, 3);
	t.fenced = true;
	town_listen(&t, 0, 1 << 0 | 1 << 4);
	town_listen(&t, 1, ALL);
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
	check_accounts(&t, 0);
	town_close(&t);
}

static void
test_a_hall_is_for_so_many_cores(void)
{
	static struct town t;

	open_random(&t, 4, 4);
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
	CU_add_test(s, "ports of the program's choice are claimed",
	            test_ports_of_the_programs_choice_are_claimed);
	CU_add_test(s, "one core may listen for all", test_one_core_may_listen_for_all);
	CU_add_test(s, "listeners may move", test_listeners_may_move);
	CU_add_test(s, "cookies come back to the keeper", test_cookies_come_back_to_the_keeper);
	CU_add_test(s, "cores may be more than queues", test_cores_may_be_more_than_queues);
	CU_add_test(s, "a card leaves nothing to hand over",
	            test_a_card_leaves_nothing_to_hand_over);
	CU_add_test(s, "a card that lies does no harm", test_a_card_that_lies_does_no_harm);
	CU_add_test(s, "a card that forgets a core is not followed",
	            test_a_card_that_forgets_a_core_is_not_followed);
	CU_add_test(s, "paired queues leave nothing to hand over",
	            test_paired_queues_leave_nothing_to_hand_over);
	CU_add_test(s, "one core may listen behind paired queues",
	            test_one_core_may_listen_behind_paired_queues);
	CU_add_test(s, "a full lane loses, and counts", test_a_full_lane_loses_and_counts);
	CU_add_test(s, "a core that has ended gets nothing",
	            test_a_core_that_has_ended_gets_nothing);
	CU_add_test(s, "the keeper's end is noticed", test_the_keepers_end_is_noticed);
	CU_add_test(s, "an ICMP error reaches its connection",
	            test_an_icmp_error_reaches_its_connection);
	CU_add_test(s, "ARP's answers reach every core", test_arp_answers_reach_every_core);
	CU_add_test(s, "a sleeping core is named once", test_a_sleeping_core_is_named_once);
	CU_add_test(s, "a hall is for so many cores", test_a_hall_is_for_so_many_cores);
	CU_add_test(s, "cores share nothing but the hall", test_cores_share_nothing_but_the_hall);
}
