/* SPDX-License-Identifier: BSD-3-Clause */
/* Local ports: bound, chosen, and none left. */
#include <CUnit/CUnit.h>

#include <stdlib.h>

#include "core/port.h"
#include "tcp/tcp_rare.h"

#define LO      40000u
#define HI      40015u
#define N_PORTS (HI - LO + 1)

void suite_port(void);

struct table {
	struct pool conns, reqs, tws;
	struct demux d;
	struct port_table p;
	void *mem;
};

static void
setup_conns(struct table *t, uint16_t lo, uint16_t hi, uint64_t key, uint32_t conns)
{
	struct siphash_key secret = { key, ~key };
	struct region mem = { .size = (1 << 18) + 1024 * (size_t)conns };

	t->mem = aligned_alloc(CACHE_LINE, mem.size);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t->mem);
	memset(t->mem, 0, mem.size);
	mem.base = t->mem;
	CU_ASSERT_FATAL(pool_init(&t->conns, &mem, sizeof(struct tcp_conn), conns));
	CU_ASSERT_FATAL(pool_init(&t->reqs, &mem, sizeof(struct tcp_req), 1));
	CU_ASSERT_FATAL(pool_init(&t->tws, &mem, sizeof(struct tcp_tw), 1));
	CU_ASSERT_FATAL(demux_init(&t->d, &mem, &secret, &t->conns, &t->reqs, &t->tws));
	CU_ASSERT_FATAL(port_table_init(&t->p, &mem, &secret, 32, lo, hi));
}

static void
setup(struct table *t, uint16_t lo, uint16_t hi, uint64_t key)
{
	setup_conns(t, lo, hi, key, 64);
}

static void
teardown(struct table *t)
{
	free(t->mem);
}

static struct tcp_tuple
to(uint32_t remote)
{
	struct tcp_tuple t;

	memset(&t, 0, sizeof t);
	t.local = ip_addr_v4(1);
	t.remote = ip_addr_v4(remote);
	t.rport = 80;
	return t;
}

static void
conn_name(struct table *t, struct tcp_conn *c, const struct tcp_tuple *tuple)
{
	static struct tcp_streams streams[1u << 14];
	uint32_t i = pool_index(&t->conns, c);

	CU_ASSERT_FATAL(i < array_len(streams));
	streams[i].name = *tuple;
	c->streams = &streams[i];
}

/* Chooses a port for a connection, and makes it. */
static uint16_t
connects(struct table *t, uint32_t remote)
{
	struct tcp_tuple tuple = to(remote);
	struct tcp_conn *c;
	uint32_t hash;

	if (!port_choose_connect(&t->p, NULL, &t->d, &tuple, &hash))
		return 0;
	CU_ASSERT_EQUAL(hash, demux_hash(&t->d, &tuple));
	c = pool_get(&t->conns);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	memset(c, 0, sizeof *c);
	conn_name(t, c, &tuple);
	c->hash = hash;
	CU_ASSERT_TRUE(demux_add(&t->d, DEMUX_CONN, c, hash));
	return tuple.lport;
}

static unsigned
holders(const struct table *t, uint16_t port)
{
	unsigned n = 0;

	for (uint32_t s, i = port_first(&t->p, port); port_next(&t->p, port, &i, &s);)
		n++;
	return n;
}

static void
test_a_port_may_have_several_holders(void)
{
	struct table t;

	setup(&t, LO, HI, 1);
	CU_ASSERT_FALSE(port_is_bound(&t.p, 80));
	CU_ASSERT_TRUE(port_bind(&t.p, 80, 3));
	CU_ASSERT_TRUE(port_bind(&t.p, 80, 4));
	CU_ASSERT_TRUE(port_bind(&t.p, 81, 5));
	CU_ASSERT_EQUAL(holders(&t, 80), 2);
	port_unbind(&t.p, 80, 5); /* holds another port: nothing happens */
	CU_ASSERT_EQUAL(holders(&t, 80), 2);
	port_unbind(&t.p, 80, 3);
	CU_ASSERT_EQUAL(holders(&t, 80), 1);
	CU_ASSERT_TRUE(port_is_bound(&t.p, 80));
	port_unbind(&t.p, 80, 4);
	CU_ASSERT_FALSE(port_is_bound(&t.p, 80));
	CU_ASSERT_TRUE(port_is_bound(&t.p, 81));
	teardown(&t);
}

static void
test_every_free_port_is_found_for_bind(void)
{
	struct table t;
	bool seen[N_PORTS] = { false };

	setup(&t, LO, HI, 2);
	CU_ASSERT_TRUE(port_bind(&t.p, LO + 3, 0));
	for (unsigned i = 0; i < N_PORTS - 1; i++) {
		uint16_t port = port_choose_bind(&t.p);

		CU_ASSERT_FATAL(port >= LO && port <= HI);
		CU_ASSERT_FALSE(seen[port - LO]);
		seen[port - LO] = true;
		CU_ASSERT_TRUE(port_bind(&t.p, port, i + 1));
	}
	CU_ASSERT_FALSE(seen[3]);
	CU_ASSERT_EQUAL(port_choose_bind(&t.p), 0);
	port_unbind(&t.p, LO + 3, 0);
	CU_ASSERT_EQUAL(port_choose_bind(&t.p), LO + 3);
	teardown(&t);
}

static void
test_every_free_port_is_found_for_connect(void)
{
	struct table t;
	bool seen[N_PORTS] = { false };

	setup(&t, LO, HI, 3);
	CU_ASSERT_TRUE(port_bind(&t.p, LO + 7, 0));
	for (unsigned i = 0; i < N_PORTS - 1; i++) {
		uint16_t port = connects(&t, 2);

		CU_ASSERT_FATAL(port >= LO && port <= HI);
		CU_ASSERT_FALSE(seen[port - LO]);
		seen[port - LO] = true;
	}
	CU_ASSERT_FALSE(seen[7]);
	CU_ASSERT_EQUAL(connects(&t, 2), 0);
	/* Another destination is another name space. */
	CU_ASSERT_NOT_EQUAL(connects(&t, 3), 0);
	teardown(&t);
}

/* RFC 6056 3.3.3: whoever sees the ports to one destination learns nothing of another's. */
static void
test_destinations_start_apart(void)
{
	struct table t;
	unsigned near = 0;

	setup(&t, 10000, 59999, 4);
	for (uint32_t remote = 2; remote < 202; remote++) {
		struct tcp_tuple a = to(remote), b = to(remote + 1000);
		uint32_t hash;

		CU_ASSERT_TRUE(port_choose_connect(&t.p, NULL, &t.d, &a, &hash));
		CU_ASSERT_TRUE(port_choose_connect(&t.p, NULL, &t.d, &b, &hash));
		near += (uint16_t)(b.lport - a.lport + 8) < 16;
	}
	CU_ASSERT_TRUE(near <= 2);
	teardown(&t);
}

static void
test_the_secret_decides_where(void)
{
	struct table a, b;
	unsigned equal = 0;

	setup(&a, 10000, 59999, 5);
	setup(&b, 10000, 59999, 6);
	for (uint32_t remote = 2; remote < 102; remote++) {
		struct tcp_tuple x = to(remote), y = to(remote);
		uint32_t hash;

		CU_ASSERT_TRUE(port_choose_connect(&a.p, NULL, &a.d, &x, &hash));
		CU_ASSERT_TRUE(port_choose_connect(&b.p, NULL, &b.d, &y, &hash));
		equal += x.lport == y.lport;
	}
	CU_ASSERT_TRUE(equal <= 2);
	teardown(&a);
	teardown(&b);
}

/* The next connection does not take the port that was free a moment ago: the peer may still be
 * in TIME-WAIT with it. */
static void
test_a_port_is_not_taken_again_at_once(void)
{
	struct table t;
	struct tcp_tuple a = to(2), b = to(2);
	uint32_t hash;

	setup(&t, LO, HI, 7);
	CU_ASSERT_TRUE(port_choose_connect(&t.p, NULL, &t.d, &a, &hash));
	CU_ASSERT_TRUE(port_choose_connect(&t.p, NULL, &t.d, &b, &hash));
	CU_ASSERT_NOT_EQUAL(a.lport, b.lport);
	teardown(&t);
}

static void
test_a_range_may_be_one_port_or_upside_down(void)
{
	struct table t;

	setup(&t, LO, LO, 8);
	CU_ASSERT_EQUAL(connects(&t, 2), LO);
	CU_ASSERT_EQUAL(connects(&t, 2), 0);
	CU_ASSERT_EQUAL(port_choose_bind(&t.p), LO);
	teardown(&t);
	setup(&t, 65535, 1, 9);
	CU_ASSERT_EQUAL(connects(&t, 2), 65535);
	CU_ASSERT_EQUAL(connects(&t, 2), 0);
	teardown(&t);
}

static void
test_the_counter_may_wrap(void)
{
	struct table t;
	bool seen[N_PORTS] = { false };

	setup(&t, LO, HI - 1, 10); /* 15 does not divide 2^32 */
	t.p.counter = UINT32_MAX - 3;
	for (unsigned i = 0; i < N_PORTS - 1; i++) {
		uint16_t port = port_choose_bind(&t.p);

		CU_ASSERT_FATAL(port >= LO && port <= HI);
		CU_ASSERT_FALSE(seen[port - LO]);
		seen[port - LO] = true;
		CU_ASSERT_TRUE(port_bind(&t.p, port, i));
	}
	teardown(&t);
}

/* ------------------------------------------------------------- all are taken -- */

#define WIDE_LO 10000u
#define WIDE_HI 12999u
#define WIDE    (WIDE_HI - WIDE_LO + 1)

static void
gone(struct table *t, struct tcp_conn *c)
{
	demux_del(&t->d, DEMUX_CONN, c, c->hash);
	port_freed(&t->p, NULL, tcp_name(c));
	pool_put(&t->conns, c);
}

static void
setup_full(struct table *t)
{
	unsigned refused = 0, n = 0;

	setup_conns(t, WIDE_LO, WIDE_HI, 11, WIDE + 10);
	while (n < WIDE && refused < WIDE)
		if (connects(t, 2))
			n++;
		else
			refused++;
	CU_ASSERT_EQUAL_FATAL(n, WIDE);
}

/* However many are taken, one call looks at no more than PORT_LOOKS; and once all have been
 * looked at in vain, at none, until one is free. */
static void
test_a_full_range_costs_nothing(void)
{
	struct table t;
	uint64_t looks;

	setup_full(&t);
	for (unsigned i = 0; i < WIDE / PORT_LOOKS + 1; i++) {
		looks = t.p.looks;
		CU_ASSERT_EQUAL(connects(&t, 2), 0);
		CU_ASSERT_TRUE(t.p.looks - looks <= PORT_LOOKS);
	}
	looks = t.p.looks;
	for (unsigned i = 0; i < 1000; i++)
		CU_ASSERT_EQUAL(connects(&t, 2), 0);
	CU_ASSERT_EQUAL(t.p.looks, looks);
	CU_ASSERT_NOT_EQUAL(connects(&t, 3), 0); /* another destination: its own space */
	teardown(&t);
}

/* The port that becomes free is the first that is looked at. */
static void
test_the_last_free_port_is_found_at_once(void)
{
	struct table t;
	struct tcp_conn *c;
	uint64_t looks;

	setup_full(&t);
	for (unsigned i = 0; i < WIDE / PORT_LOOKS + 1; i++)
		(void)connects(&t, 2);
	for (uint32_t i = 0; i < 20; i++) {
		uint16_t port;

		c = pool_at(&t.conns, i * 97);
		port = tcp_name(c)->lport;
		gone(&t, c);
		looks = t.p.looks;
		CU_ASSERT_EQUAL(connects(&t, 2), port);
		CU_ASSERT_EQUAL(t.p.looks, looks + 1);
		CU_ASSERT_EQUAL(connects(&t, 2), 0);
		for (unsigned k = 0; k < WIDE / PORT_LOOKS; k++)
			(void)connects(&t, 2);
	}
	teardown(&t);
}

/* Several become free before anybody asks: all of them are found, in so many calls. */
static void
test_every_freed_port_is_found(void)
{
	struct table t;
	unsigned found = 0, calls = 0;

	setup_full(&t);
	for (unsigned i = 0; i < WIDE / PORT_LOOKS + 1; i++)
		(void)connects(&t, 2);
	for (uint32_t i = 0; i < 20; i++)
		gone(&t, pool_at(&t.conns, i * 149));
	for (; found < 20 && calls < 20 + WIDE / PORT_LOOKS + 1; calls++)
		found += connects(&t, 2) != 0;
	CU_ASSERT_EQUAL(found, 20);
	teardown(&t);
}

/* A port that nothing is bound to any more is free to every destination. */
static void
test_an_unbound_port_is_found(void)
{
	struct table t;

	setup(&t, LO, HI, 12);
	CU_ASSERT_TRUE(port_bind(&t.p, LO + 5, 1));
	for (unsigned i = 0; i < N_PORTS - 1; i++)
		CU_ASSERT_NOT_EQUAL(connects(&t, 2), 0);
	CU_ASSERT_EQUAL(connects(&t, 2), 0);
	CU_ASSERT_EQUAL(connects(&t, 2), 0);
	port_unbind(&t.p, LO + 5, 1);
	CU_ASSERT_EQUAL(connects(&t, 2), LO + 5);
	teardown(&t);
}

/* -------------------------------------------------------------- several cores -- */

#define CORES 4u

static void
some_device(struct rss *r, struct rss_ports own[CORES])
{
	uint16_t table[RSS_TABLE_SIZE];

	for (unsigned i = 0; i < RSS_TABLE_SIZE; i++)
		table[i] = (uint16_t)(i % CORES);
	CU_ASSERT_TRUE_FATAL(rss_init(r, rss_default_key, table, RSS_TABLE_SIZE));
	for (unsigned i = 0; i < CORES; i++)
		CU_ASSERT_TRUE_FATAL(rss_ports_init(&own[i], r, i, false));
}

/* To one destination, every port of the range is exactly one core's, and all are found. */
static void
test_cores_divide_the_range(void)
{
	static bool seen[WIDE];
	static struct rss r;
	static struct rss_ports own[CORES];
	struct table t;
	unsigned n = 0, core_had[CORES] = { 0 }, core = CORES;

	memset(seen, 0, sizeof seen);
	some_device(&r, own);
	setup_conns(&t, WIDE_LO, WIDE_HI, 20, WIDE + 10);
	for (unsigned calls = 0; calls < 4 * WIDE; calls++) {
		struct tcp_tuple tuple = to(2);
		struct tcp_conn *c;
		uint32_t hash;

		if (core != calls / WIDE) /* as if it were another core's table */
			port_set_range(&t.p, WIDE_LO, WIDE_HI);
		core = calls / WIDE;
		if (!port_choose_connect(&t.p, &own[core], &t.d, &tuple, &hash))
			continue;
		CU_ASSERT_EQUAL(rss_core(&r, rss_hash(&r, &tuple.remote, &tuple.local, tuple.rport,
		                                      tuple.lport)), core);
		CU_ASSERT_FALSE(seen[tuple.lport - WIDE_LO]);
		seen[tuple.lport - WIDE_LO] = true;
		core_had[core]++;
		n++;
		c = pool_get(&t.conns);
		memset(c, 0, sizeof *c);
		conn_name(&t, c, &tuple);
		c->hash = hash;
		CU_ASSERT_TRUE(demux_add(&t.d, DEMUX_CONN, c, hash));
	}
	CU_ASSERT_EQUAL(n, WIDE);
	for (unsigned i = 0; i < CORES; i++)
		CU_ASSERT_TRUE(core_had[i] > WIDE / CORES - 64 && core_had[i] < WIDE / CORES + 64);
	teardown(&t);
}

/* Where ports are computed, a search looks at few besides those it finds. */
static void
test_own_ports_cost_no_search(void)
{
	static struct rss r;
	static struct rss_ports own[CORES];
	struct table t;
	unsigned found = 0;

	some_device(&r, own);
	setup(&t, 32768, 60999, 21);
	for (uint32_t remote = 2; remote < 1002; remote++) {
		struct tcp_tuple tuple = to(remote);
		uint32_t hash;

		found += port_choose_connect(&t.p, &own[remote % CORES], &t.d, &tuple, &hash);
	}
	CU_ASSERT_EQUAL(found, 1000);
	CU_ASSERT_TRUE(t.p.looks < 1100);
	teardown(&t);
}

static void
test_the_last_free_port_of_a_core_is_found_at_once(void)
{
	static struct rss r;
	static struct rss_ports own[CORES];
	struct table t;
	struct tcp_tuple tuple = to(2);
	unsigned failures = 0;
	uint32_t hash;
	struct tcp_conn *c = NULL;

	some_device(&r, own);
	setup_conns(&t, WIDE_LO, WIDE_HI, 22, WIDE + 10);
	while (failures < WIDE / PORT_LOOKS + 2) {
		tuple = to(2);
		if (!port_choose_connect(&t.p, &own[1], &t.d, &tuple, &hash)) {
			failures++;
			continue;
		}
		c = pool_get(&t.conns);
		memset(c, 0, sizeof *c);
		conn_name(&t, c, &tuple);
		c->hash = hash;
		CU_ASSERT_TRUE(demux_add(&t.d, DEMUX_CONN, c, hash));
	}
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	c = pool_at(&t.conns, 100);
	tuple = to(2);
	demux_del(&t.d, DEMUX_CONN, c, c->hash);
	port_freed(&t.p, &own[1], tcp_name(c));
	t.p.looks = 0;
	CU_ASSERT_TRUE(port_choose_connect(&t.p, &own[1], &t.d, &tuple, &hash));
	CU_ASSERT_EQUAL(tuple.lport, tcp_name(c)->lport);
	CU_ASSERT_EQUAL(t.p.looks, 1);
	teardown(&t);
}

/* bind() on several cores chooses different ports as long as there are some. */
static void
test_cores_bind_apart(void)
{
	struct table t;
	unsigned own = 0;

	setup(&t, LO, HI, 23);
	t.p.core = 3;
	t.p.cores = CORES;
	for (unsigned i = 0; i < N_PORTS; i++) {
		uint16_t port = port_choose_bind(&t.p);

		CU_ASSERT_FATAL(port >= LO && port <= HI);
		CU_ASSERT_TRUE(port_bind(&t.p, port, i));
		own += port % CORES == 3;
		CU_ASSERT_TRUE(i >= N_PORTS / CORES || port % CORES == 3);
	}
	CU_ASSERT_EQUAL(own, N_PORTS / CORES);
	CU_ASSERT_EQUAL(port_choose_bind(&t.p), 0);
	teardown(&t);
}

void
suite_port(void)
{
	CU_pSuite suite = CU_add_suite("core/port", NULL, NULL);

	CU_add_test(suite, "a port may have several holders", test_a_port_may_have_several_holders);
	CU_add_test(suite, "every free port is found for bind",
	            test_every_free_port_is_found_for_bind);
	CU_add_test(suite, "every free port is found for connect",
	            test_every_free_port_is_found_for_connect);
	CU_add_test(suite, "destinations start apart (RFC 6056 3.3.3; attack: port statistics)",
	            test_destinations_start_apart);
	CU_add_test(suite, "the secret decides where", test_the_secret_decides_where);
	CU_add_test(suite, "a port is not taken again at once",
	            test_a_port_is_not_taken_again_at_once);
	CU_add_test(suite, "a range may be one port, or upside down",
	            test_a_range_may_be_one_port_or_upside_down);
	CU_add_test(suite, "the counter may wrap", test_the_counter_may_wrap);
	CU_add_test(suite, "a full range costs nothing (RFC 6056 3.2, 3.3.4)", test_a_full_range_costs_nothing);
	CU_add_test(suite, "the last free port is found at once",
	            test_the_last_free_port_is_found_at_once);
	CU_add_test(suite, "every freed port is found", test_every_freed_port_is_found);
	CU_add_test(suite, "an unbound port is found", test_an_unbound_port_is_found);
	CU_add_test(suite, "cores divide the range", test_cores_divide_the_range);
	CU_add_test(suite, "own ports cost no search", test_own_ports_cost_no_search);
	CU_add_test(suite, "the last free port of a core is found at once",
	            test_the_last_free_port_of_a_core_is_found_at_once);
	CU_add_test(suite, "cores bind apart", test_cores_bind_apart);
}
