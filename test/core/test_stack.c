/* SPDX-License-Identifier: BSD-3-Clause */
/* A whole stack: what it is built in, when it wants to be stepped, and each of its pools at its
 * limit while two hosts have things to say over a bad line. */
#include <CUnit/CUnit.h>

#include <stdlib.h>
#include <sys/mman.h>

#include "test/core/world.h"

void suite_stack(void);

#define PAGE 4096u

/* --------------------------------------------------------------- building -- */

static void
test_a_stack_fits_the_memory_it_asks_for(void)
{
	struct net *net = net_new(&(struct net_cfg){ .seed = 1 });
	struct io *io = net_port(net, 0);
	struct stack_cfg cfg;
	struct stack *st;
	size_t size;
	void *mem;

	host_cfg(&cfg, 0, 1);
	size = stack_memory(&cfg);
	mem = aligned_alloc(CACHE_LINE, align_up(size, CACHE_LINE));
	CU_ASSERT_PTR_NOT_NULL_FATAL(mem);
	memset(mem, 0, size);
	for (size_t less = size / 2; less < size - CACHE_LINE; less += size / 37) {
		struct region r = { mem, less, 0 };

		CU_ASSERT_PTR_NULL(stack_new(&cfg, &r, &io, 0));
		memset(mem, 0, size);
	}
	st = stack_new(&cfg, &(struct region){ mem, size, 0 }, &io, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(st);
	stack_delete(st);
	free(mem);
	net_free(net);
}

/* Pages of `mem` that are there. */
static size_t
pages_of(uint8_t *mem, size_t size)
{
	unsigned char *there = malloc(size / PAGE + 1);
	size_t n = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(there);
	CU_ASSERT_EQUAL(mincore(mem, size, there), 0);
	for (size_t i = 0; i < (size + PAGE - 1) / PAGE; i++)
		n += there[i] & 1;
	free(there);
	return n;
}

static void
test_room_for_ten_million_costs_nothing_until_it_is_used(void)
{
	struct net *net = net_new(&(struct net_cfg){ .seed = 1 });
	struct io *io = net_port(net, 0);
	struct stack_cfg cfg;
	struct stack *st;
	size_t size;
	void *mem;

	host_cfg(&cfg, 0, 1);
	cfg.max_conns = cfg.max_socks = cfg.max_half_open = cfg.max_time_wait = 10000000;
	cfg.max_chunks = cfg.max_in_flight = 10000000;
	cfg.trace_records = 0;
	size = stack_memory(&cfg);
	CU_ASSERT_TRUE(size > (size_t)4 << 30);
	mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
	           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CU_ASSERT_TRUE_FATAL(mem != MAP_FAILED);
	(void)madvise(mem, size, MADV_NOHUGEPAGE);
	st = stack_new(&cfg, &(struct region){ mem, size, 0 }, &io, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(st);
	for (int64_t now = 0; now < SEC(3); now += MS(10))
		(void)stack_step(st, now);
	/* The stack itself, the sockets' numbers and chunks kept ready, and the beginnings. */
	CU_ASSERT_TRUE(pages_of(mem, size) * PAGE < 2 << 20);
	stack_delete(st);
	CU_ASSERT_EQUAL(munmap(mem, size), 0);
	net_free(net);
}

static void
test_the_defaults_build(void)
{
	struct stack_cfg *cfg = malloc(sizeof *cfg);

	CU_ASSERT_PTR_NOT_NULL_FATAL(cfg);
	stack_cfg_default(cfg);
	CU_ASSERT_TRUE(stack_memory(cfg) > (size_t)cfg->max_chunks * CHUNK_SIZE);
	CU_ASSERT_TRUE(cfg->max_socks >= cfg->max_conns);
	CU_ASSERT_TRUE(cfg->ephemeral_lo < cfg->ephemeral_hi);
	CU_ASSERT_EQUAL(cfg->n_ports, 0);
	free(cfg);
}

static void
test_every_fate_has_a_name_and_a_text(void)
{
	struct world w;

	world_init(&w, 1, NULL);
	for (unsigned f = 0; f < N_FATES; f++) {
		CU_ASSERT_TRUE(stack_fate_name(f) && strlen(stack_fate_name(f)) > 3);
		CU_ASSERT_TRUE(stack_fate_text(f) && strlen(stack_fate_text(f)) > 3);
		CU_ASSERT_EQUAL(stack_fate_count(world_stack(&w, 0), f), 0);
	}
	CU_ASSERT_PTR_NULL(stack_fate_name(N_FATES));
	CU_ASSERT_PTR_NULL(stack_fate_text(N_FATES));
	CU_ASSERT_EQUAL(stack_fate_count(world_stack(&w, 0), N_FATES), 0);
	CU_ASSERT_PTR_NOT_NULL(stack_trace(world_stack(&w, 0)));
	world_fini(&w);
}

static void
test_neighbours_are_given_to_ports_that_exist(void)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 7 }, group[6] = { 3, 0, 0, 0, 0, 7 };
	struct ip_addr ip = ip_addr_v4(0x0a000007);
	struct world w;

	world_init(&w, 1, NULL);
	CU_ASSERT_FALSE(stack_neighbour(world_stack(&w, 0), 1, &ip, mac));
	CU_ASSERT_FALSE(stack_neighbour(world_stack(&w, 0), 0, &ip, group));
	CU_ASSERT_TRUE(stack_neighbour(world_stack(&w, 0), 0, &ip, mac));
	host_connect(&w.host[0], host_socket(&w.host[0]), &ip, 80);
	world_now(&w);
	CU_ASSERT_EQUAL(world_skips(&w, 0), 1);
	CU_ASSERT_EQUAL(w.log[w.n_log - 1].len, 74); /* the SYN, and no question */
	world_fini(&w);
}

/* --------------------------------------------------------------- stepping -- */

static void
test_an_idle_stack_wants_nothing(void)
{
	struct world w;
	struct sock *l, *c, *s;

	world_init(&w, 2, NULL);
	l = world_listen(&w, 1, WORLD_PORT, 5);
	world_step(&w, 0);
	CU_ASSERT_EQUAL(w.host[0].deadline, TIME_NEVER);
	CU_ASSERT_FALSE(stack_was_busy(world_stack(&w, 0)));
	CU_ASSERT_FALSE(w.host[0].woken);
	/* An idle connection neither, once its timers have run out and its neighbour was asked. */
	world_pair(&w, l, &c, &s);
	world_run(&w, SEC(300));
	CU_ASSERT_EQUAL(w.host[0].deadline, TIME_NEVER);
	CU_ASSERT_EQUAL(w.host[1].deadline, TIME_NEVER);
	world_fini(&w);
}

static void
test_a_packet_a_job_and_a_segment_are_business(void)
{
	struct world w;
	struct sock *c;

	world_init(&w, 1, NULL);
	world_drop_in(&w, 0, &(struct tcp_seg){ .flags = TCP_RST, .sport = 1, .dport = 2 });
	world_step(&w, 0);
	CU_ASSERT_TRUE(stack_was_busy(world_stack(&w, 0)));
	world_step(&w, 0);
	CU_ASSERT_FALSE(stack_was_busy(world_stack(&w, 0)));
	c = host_socket(&w.host[0]);
	host_close(&w.host[0], c);
	world_step(&w, 0);
	CU_ASSERT_TRUE(stack_was_busy(world_stack(&w, 0)));
	world_fini(&w);
}

static void
cfg_small_bursts(struct stack_cfg *cfg, unsigned who)
{
	(void)who;
	cfg->rx_burst = 4;
	cfg->rx_bursts = 3;
}

/* A flood cannot keep a step from ending. */
static void
test_a_step_takes_a_few_bursts(void)
{
	struct world w;

	world_init(&w, 1, cfg_small_bursts);
	for (unsigned i = 0; i < 20; i++)
		world_drop_in(&w, 0, &(struct tcp_seg){ .flags = TCP_RST, .sport = 1, .dport = 2 });
	world_step(&w, 0);
	CU_ASSERT_EQUAL(world_fate(&w, 0, DROP_NO_CONN_RST), 12);
	world_step(&w, 0);
	CU_ASSERT_EQUAL(world_fate(&w, 0, DROP_NO_CONN_RST), 20);
	world_fini(&w);
}

static void
test_what_happens_is_counted(void)
{
	struct world w;
	struct sock *l, *c, *s;
	const struct stack_stats *a;

	world_init(&w, 2, NULL);
	a = stack_stats(world_stack(&w, 0));
	l = world_listen(&w, 1, WORLD_PORT, 5);
	world_pair(&w, l, &c, &s);
	CU_ASSERT_EQUAL(world_write(&w, 0, c, 5000), 5000);
	world_run(&w, MS(50));
	CU_ASSERT_EQUAL(atomic_load(&a->flows), 1);
	CU_ASSERT_TRUE(atomic_load(&a->tx_bytes) > 5000);
	CU_ASSERT_TRUE(atomic_load(&a->tx_pkts) >= 6 && atomic_load(&a->rx_pkts) >= 2);
	CU_ASSERT_TRUE(atomic_load(&a->jobs) >= 2 && atomic_load(&a->events) >= 1);
	CU_ASSERT_TRUE(atomic_load(&a->steps) > 0);
	CU_ASSERT_EQUAL(atomic_load(&a->rx_errors), 0);
	CU_ASSERT_EQUAL(net_stats(w.net)->sent,
	                atomic_load(&a->tx_pkts) +
	                    atomic_load(&stack_stats(world_stack(&w, 1))->tx_pkts));
	world_fini(&w);
}

/* -------------------------------------------------------- pools at their limits -- */

#define N_FLOWS 6u
#define N_BYTES 60000u

struct flow {
	struct sock *end[2];
	uint32_t written[2], got[2];
};

/* Both ends write and read as they can; true when both have everything. */
static bool
flow_turn(struct world *w, struct flow *f)
{
	bool done = true;

	for (unsigned i = 0; i < 2; i++) {
		f->written[i] += world_write(w, i, f->end[i], N_BYTES - f->written[i]);
		f->got[i] += world_read(w, i, f->end[i]);
		host_return_chunks(&w->host[i]);
		done &= f->got[i] == N_BYTES;
	}
	return done;
}

/* N_FLOWS connections send N_BYTES each way over a line that loses and reorders. */
static void
crowd(void (*cfg)(struct stack_cfg *, unsigned))
{
	struct net_cfg bad = { .seed = 5, .latency_ns = US(500), .jitter_ns = MS(2),
		               .loss = 20000, .dup = 10000 };
	struct flow f[N_FLOWS];
	struct world w;
	struct sock *l;
	bool done = false;

	memset(f, 0, sizeof f);
	world_init(&w, 2, cfg);
	l = world_listen(&w, 1, WORLD_PORT, 50);
	for (unsigned i = 0; i < N_FLOWS; i++)
		world_pair(&w, l, &f[i].end[0], &f[i].end[1]);
	net_set(w.net, &bad);
	for (unsigned turn = 0; turn < 200000 && !done; turn++) {
		done = true;
		for (unsigned i = 0; i < N_FLOWS; i++)
			done &= flow_turn(&w, &f[i]);
		world_run(&w, MS(5));
	}
	CU_ASSERT_TRUE(done);
	net_set(w.net, &w.net_cfg);
	for (unsigned i = 0; i < N_FLOWS; i++) {
		host_close(&w.host[0], f[i].end[0]);
		host_close(&w.host[1], f[i].end[1]);
	}
	host_close(&w.host[1], l);
	world_run(&w, SEC(130));
	CU_ASSERT_PTR_NULL(world_leak(&w, 0));
	CU_ASSERT_PTR_NULL(world_leak(&w, 1));
	world_fini(&w);
}

static void
test_a_crowd_gets_through(void)
{
	crowd(NULL);
}

static void
cfg_few_sents(struct stack_cfg *cfg, unsigned who)
{
	(void)who;
	cfg->max_in_flight = 7;
}

static void
cfg_few_chunks(struct stack_cfg *cfg, unsigned who)
{
	(void)who;
	cfg->max_chunks = 96;
}

static void
cfg_few_runs(struct stack_cfg *cfg, unsigned who)
{
	(void)who;
	cfg->tcp.reass_runs = 1;
}

/* Records of segments in flight, and of runs beyond a hole, are for all connections of a core. */
static void
test_a_crowd_gets_through_with_few_records(void)
{
	crowd(cfg_few_sents);
}

static void
test_a_crowd_gets_through_with_few_chunks(void)
{
	crowd(cfg_few_chunks);
}

static void
test_a_crowd_gets_through_with_one_run(void)
{
	crowd(cfg_few_runs);
}

/* The last of the records taken in the middle of a life: nothing is lost for it. */
static void
test_a_shortage_passes(void)
{
	struct world w;
	struct sock *l, *c, *s;
	struct stack *st;
	void *hog[16384 + 1]; /* host_cfg(), and the end */
	unsigned n = 0;

	world_init(&w, 2, NULL);
	l = world_listen(&w, 1, WORLD_PORT, 5);
	world_pair(&w, l, &c, &s);
	st = world_stack(&w, 0);
	while ((hog[n] = pool_get(&st->env.sents)))
		n++;
	CU_ASSERT_EQUAL(world_write(&w, 0, c, 1000), 1000);
	world_run(&w, MS(1));
	CU_ASSERT_EQUAL(host_readable(s), 0);
	CU_ASSERT_TRUE(w.host[0].deadline > net_now(w.net)); /* and no spinning */
	while (n > 0)
		pool_put(&st->env.sents, hog[--n]);
	world_run(&w, SEC(2));
	CU_ASSERT_EQUAL(world_read(&w, 1, s), 1000);
	world_fini(&w);
}

/* ----------------------------------------------------------------- floods -- */

/* Segments of every kind for nobody, for a listener and for others, while a client works. */
static void
test_a_client_is_served_during_a_flood(void)
{
	struct world w;
	struct sock *l, *c, *s;
	struct rng rng = { 8 };
	uint32_t got = 0;

	world_init(&w, 2, NULL);
	l = world_listen(&w, 1, WORLD_PORT, 20);
	world_pair(&w, l, &c, &s);
	CU_ASSERT_EQUAL(world_write(&w, 0, c, 14000), 14000);
	for (unsigned round = 0; round < 200; round++) {
		for (unsigned i = 0; i < 100; i++)
			world_drop_in(&w, 1, &(struct tcp_seg){
			                         .seq = seq_of((uint32_t)rng_u64(&rng)),
			                         .ack = seq_of((uint32_t)rng_u64(&rng)),
			                         .flags = (uint8_t)rng_below(&rng, 256),
			                         .sport = (uint16_t)rng_below(&rng, 65536),
			                         .dport = rng_below(&rng, 2) ? WORLD_PORT : 9,
			                         .len = rng_below(&rng, 100) });
		world_run(&w, US(200));
		got += world_read(&w, 1, s);
	}
	CU_ASSERT_EQUAL(got, 14000);
	CU_ASSERT_EQUAL(world_stack(&w, 1)->conns.used, 1);
	world_run(&w, SEC(70));
	CU_ASSERT_EQUAL(world_stack(&w, 1)->half_opens.used, 0);
	world_fini(&w);
}

void
suite_stack(void)
{
	CU_pSuite suite = CU_add_suite("core/stack", NULL, NULL);

	CU_add_test(suite, "a stack fits the memory it asks for",
	            test_a_stack_fits_the_memory_it_asks_for);
	CU_add_test(suite, "room for ten million costs nothing until it is used",
	            test_room_for_ten_million_costs_nothing_until_it_is_used);
	CU_add_test(suite, "the defaults build", test_the_defaults_build);
	CU_add_test(suite, "every fate has a name and a text",
	            test_every_fate_has_a_name_and_a_text);
	CU_add_test(suite, "neighbours are given to ports that exist",
	            test_neighbours_are_given_to_ports_that_exist);
	CU_add_test(suite, "an idle stack wants nothing", test_an_idle_stack_wants_nothing);
	CU_add_test(suite, "a packet, a job and a segment are business",
	            test_a_packet_a_job_and_a_segment_are_business);
	CU_add_test(suite, "a step takes a few bursts", test_a_step_takes_a_few_bursts);
	CU_add_test(suite, "what happens is counted", test_what_happens_is_counted);
	CU_add_test(suite, "a crowd gets through", test_a_crowd_gets_through);
	CU_add_test(suite, "a crowd gets through with few records (attack: pools at their "
	            "limits)",
	            test_a_crowd_gets_through_with_few_records);
	CU_add_test(suite, "a crowd gets through with few chunks (attack: pools at their "
	            "limits)",
	            test_a_crowd_gets_through_with_few_chunks);
	CU_add_test(suite, "a crowd gets through with one run (attack: pools at their limits)",
	            test_a_crowd_gets_through_with_one_run);
	CU_add_test(suite, "a shortage passes", test_a_shortage_passes);
	CU_add_test(suite, "a client is served during a flood (attack: SYN flood)",
	            test_a_client_is_served_during_a_flood);
}
