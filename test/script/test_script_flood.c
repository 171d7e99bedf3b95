/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Attackers that use memory up.  Each has a bound: on what the pools hold at worst, on what is
 * done meanwhile, and on how long a well-behaved flow takes that runs beside.
 */
#include <CUnit/CUnit.h>

#include "tcp/tcp_reass.h"
#include "test/core/world.h"
#include "test/script/peer.h"

void suite_script_flood(void);

#define CHUNKS 512u
#define CALLS  80u

static void
cfg_little_memory(struct stack_cfg *cfg, unsigned who)
{
	if (who == 0)
		cfg->max_chunks = CHUNKS;
}

static uint32_t
chunks_in_use(struct world *w)
{
	const struct tcp_env *e = &world_stack(w, 0)->env;

	return e->chunks.used - e->spare.n;
}

/* A flow from host 1 to the victim: 50 kB within a few seconds of virtual time, in steps that a
 * flow alone would need a few times less of. */
static void
good_flow_is_served(struct world *w, const struct sock *l)
{
	uint64_t steps = w->host[0].steps;
	struct sock *c = world_connect(w, 1, WORLD_PORT), *s;
	uint32_t sent = 0, got = 0;

	world_run(w, MS(50));
	s = host_accept(&w->host[0], l);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	for (unsigned i = 0; i < 50 && got < 50000; i++) {
		sent += world_write(w, 1, c, 50000 - sent);
		world_run(w, MS(50));
		got += world_read(w, 0, s);
	}
	CU_ASSERT_EQUAL(got, 50000);
	CU_ASSERT_TRUE(w->host[0].steps - steps < 2000);
	host_abort(&w->host[1], c);
	world_run(w, MS(10));
	host_close(&w->host[0], s);
	world_run(w, MS(10));
}

static void
callers(struct world *w, const struct sock *l, struct call *k, struct sock **a)
{
	for (unsigned i = 0; i < CALLS; i++) {
		CU_ASSERT_TRUE_FATAL(
		    world_calls(w, 0, (uint16_t)(1000 + i), WORLD_PORT, &k[i]));
		a[i] = host_accept(&w->host[0], l);
		CU_ASSERT_PTR_NOT_NULL_FATAL(a[i]);
	}
}

/* What they hold is back in the pools when they have gone. */
static void
all_go(struct world *w, struct call *k, struct sock **a, struct sock *l)
{
	for (unsigned i = 0; i < CALLS; i++) {
		world_tells(w, 0, &k[i], TCP_RST, 0);
		host_close(&w->host[0], a[i]);
	}
	host_close(&w->host[0], l);
	world_run(w, SEC(1));
	CU_ASSERT_PTR_NULL(world_leak(w, 0));
}

/* Peers whose windows stay closed, and an application that writes all it can to each: it gets
 * no chunk of the last eighth, so what comes in still finds memory. */
static void
test_peers_that_never_read(void)
{
	static struct call k[CALLS];
	struct sock *a[CALLS], *l;
	struct world w;
	uint32_t written = 0;

	world_init(&w, 2, cfg_little_memory);
	l = world_listen(&w, 0, WORLD_PORT, 5);
	callers(&w, l, k, a);
	for (unsigned i = 0; i < CALLS; i++) {
		world_say(&w, 0, &(struct tcp_seg){ .seq = k[i].snd, .ack = k[i].rcv,
		                                    .flags = TCP_ACK, .sport = k[i].sport,
		                                    .dport = k[i].dport, .wnd = 0 });
		written += world_write(&w, 0, a[i], 1 << 20);
	}
	CU_ASSERT_TRUE(written > CHUNKS / 2 * CHUNK_ROOM);
	CU_ASSERT_TRUE(chunks_in_use(&w) <= CHUNKS - CHUNKS / 8 + CHANNEL_BATCH);
	good_flow_is_served(&w, l);
	world_run(&w, SEC(60)); /* probes, and nothing else */
	CU_ASSERT_TRUE(chunks_in_use(&w) <= CHUNKS - CHUNKS / 8 + CHANNEL_BATCH);
	all_go(&w, k, a, l);
	world_fini(&w);
}

/* Peers that say nothing hold no buffer, no scoreboard and no store. */
static void
test_peers_that_never_send(void)
{
	static struct call k[CALLS];
	struct sock *a[CALLS], *l;
	struct world w;
	uint32_t before;
	uint64_t steps;

	world_init(&w, 2, cfg_little_memory);
	l = world_listen(&w, 0, WORLD_PORT, 5);
	before = chunks_in_use(&w);
	callers(&w, l, k, a);
	CU_ASSERT_EQUAL(chunks_in_use(&w), before);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->env.xmits.used, 0);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->env.reasses.used, 0);
	steps = w.host[0].steps;
	world_run(&w, SEC(3600));
	CU_ASSERT_TRUE(w.host[0].steps - steps < 100); /* nor time */
	good_flow_is_served(&w, l);
	all_go(&w, k, a, l);
	world_fini(&w);
}

/* Every peer sends single bytes with holes before each: a quarter of the core's memory stays
 * free of them, and no peer holds more than its receive buffer. */
static void
test_holes_of_many_peers(void)
{
	static struct call k[CALLS];
	struct sock *a[CALLS], *l;
	struct world w;
	struct call early;

	world_init(&w, 2, cfg_little_memory);
	l = world_listen(&w, 0, WORLD_PORT, 5);
	callers(&w, l, k, a);
	for (unsigned i = 0; i < CALLS; i++) {
		for (uint32_t n = 0; n < 100; n++) {
			early = k[i];
			early.snd = seq_add(k[i].snd, 10 + 10 * n);
			world_tells(&w, 0, &early, TCP_ACK, 1);
			world_run(&w, US(1));
		}
		CU_ASSERT_TRUE(!tcp_reass(a[i]->conn) || tcp_reass(a[i]->conn)->chunks <= 64);
	}
	CU_ASSERT_TRUE(world_fate(&w, 0, DROP_REASS_FULL) > 0);
	CU_ASSERT_TRUE(world_fate(&w, 0, DROP_NO_MEMORY) > 0);
	CU_ASSERT_TRUE(chunks_in_use(&w) <= CHUNKS - CHUNKS / 4 + 1);
	good_flow_is_served(&w, l);
	for (unsigned i = 0; i < CALLS; i++) /* whoever fills his hole is heard */
		world_tells(&w, 0, &k[i], TCP_ACK, 10);
	for (unsigned i = 0; i < CALLS; i++)
		CU_ASSERT_TRUE(world_read(&w, 0, a[i]) >= 10);
	for (unsigned i = 0; i < CALLS; i++)
		k[i].snd = a[i]->conn->rcv_nxt;
	all_go(&w, k, a, l);
	world_fini(&w);
}

/* ------------------------------------------------------------ one connection -- */

static void
wide(struct tcp_cfg *cfg, int who)
{
	(void)who;
	cfg->initial_cwnd = 2000;
	cfg->sndbuf = cfg->sndbuf_max = 4 << 20;
}

#define SEGMENTS 1000u

/* A peer that has every second segment of a thousand, and says so in ACKs of one byte's
 * difference: no more records than segments, and each ACK changes a few of them only. */
static void
test_sack_holes_by_the_thousand(void)
{
	struct peer p;
	uint32_t n;

	peer_connected(&p, &(struct peer_opts){ .cfg = wide, .wnd = 65535, .wscale = 7,
	                                        .chunks = 4096 });
	SAY(&p, ".", 1, 0, 1); /* the window of the SYN-ACK was not scaled */
	CU_ASSERT_EQUAL_FATAL(peer_a_writes(&p, SEGMENTS * 1460), SEGMENTS * 1460);
	n = p.a->conn.xmit->n_sent;
	CU_ASSERT_TRUE_FATAL(n >= SEGMENTS - 1);
	(void)peer_skips(&p);
	for (uint32_t i = 1; i + 1 < SEGMENTS; i += 2) {
		peer_sack(&p, 1 + i * 1460, 1 + (i + 1) * 1460, 0);
		SAY(&p, ".", 1, 0, 1);
		peer_sack(&p, 1 + i * 1460 - 7, 1 + i * 1460 + 3, 0); /* parts of two */
		SAY(&p, ".", 1, 0, 1);
	}
	CU_ASSERT_TRUE(p.a->env.sents.used <= SEGMENTS + 1);
	CU_ASSERT_TRUE(p.a->conn.xmit->n_sacked >= SEGMENTS / 2 - 1);
	/* Not a segment more than what is missing, and never what the peer has. */
	CU_ASSERT_TRUE(peer_skips(&p) <= SEGMENTS);
	SAY(&p, ".", 1, 0, 1 + SEGMENTS * 1460);
	EXPECT_NUMBER(&p, p.a->env.sents.used, 0);
	EXPECT_NUMBER(&p, p.a->env.xmits.used, 0);
	peer_free(&p);
}

/* RFC 5961 7: whatever a blind attacker does to one connection tells nothing of another, and
 * draws a hundred answers a second at most. */
static void
test_challenges_draw_no_flood(void)
{
	struct world w;
	struct sock *l;
	struct call k[2];
	struct tcp_seg s;
	unsigned n = 0;

	world_init(&w, 1, NULL);
	l = world_listen(&w, 0, WORLD_PORT, 5);
	for (uint16_t i = 0; i < 2; i++) {
		CU_ASSERT_TRUE_FATAL(
		    world_calls(&w, 0, (uint16_t)(100 + i), WORLD_PORT, &k[i]));
		CU_ASSERT_PTR_NOT_NULL(host_accept(&w.host[0], l));
	}
	world_run(&w, SEC(1));
	(void)world_skips(&w, 0);
	for (unsigned i = 0; i < 1000; i++)
		world_say(&w, 0, &(struct tcp_seg){ .seq = seq_add(k[0].snd, 1 + i),
		                                    .flags = i % 2 ? TCP_RST : TCP_SYN,
		                                    .sport = k[0].sport, .dport = k[0].dport });
	while (world_hears(&w, 0, &s))
		n += s.flags == TCP_ACK && s.dport == k[0].sport;
	CU_ASSERT_EQUAL(n, 100);
	world_say(&w, 0, &(struct tcp_seg){ .seq = seq_add(k[1].snd, 1), .flags = TCP_RST,
	                                    .sport = k[1].sport, .dport = k[1].dport });
	CU_ASSERT_TRUE(world_hears(&w, 0, &s) && s.dport == k[1].sport);
	world_fini(&w);
}

void
suite_script_flood(void)
{
	CU_pSuite s = CU_add_suite("script_flood", NULL, NULL);

	CU_add_test(s, "peers that never read (attack: never reads; attack: pools at their "
	            "limits)",
	            test_peers_that_never_read);
	CU_add_test(s, "peers that never send (attack: never sends)",
	            test_peers_that_never_send);
	CU_add_test(s, "holes of many peers (attack: tiny out-of-order segments; attack: pools "
	            "at their limits)",
	            test_holes_of_many_peers);
	CU_add_test(s, "SACK holes by the thousand (attack: SACK holes)",
	            test_sack_holes_by_the_thousand);
	CU_add_test(s, "challenges draw no flood (RFC 5961 7; attack: challenge side channel; "
	            "attack: blind RST; attack: blind SYN)",
	            test_challenges_draw_no_flood);
}
