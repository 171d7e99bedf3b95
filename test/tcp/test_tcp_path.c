/* SPDX-License-Identifier: BSD-3-Clause */
/* What is remembered of the way to a host, and who makes room for whom. */
#include <CUnit/CUnit.h>

#include "tcp/tcp_path.h"

#include <stdlib.h>

void suite_tcp_path(void);

struct table {
	struct tcp_paths paths;
	void *mem;
};

static void
table_init(struct table *t, uint32_t n)
{
	static const struct siphash_key key = { 1, 2 };
	struct region r = { NULL, 0, 0 };

	(void)tcp_paths_init(&t->paths, &r, &key, n);
	r.size = align_up(r.used, CACHE_LINE) + CACHE_LINE;
	r.used = 0;
	t->mem = r.base = aligned_alloc(CACHE_LINE, r.size);
	if (!r.base)
		abort();
	memset(r.base, 0, r.size);
	CU_ASSERT(tcp_paths_init(&t->paths, &r, &key, n));
}

static void
test_what_was_noted_is_found(void)
{
	struct table t;
	struct ip_addr a = ip_addr_v4(0x0a000001), b = ip_addr_v4(0x0a000002);
	struct tcp_path *p;

	table_init(&t, 100);
	CU_ASSERT_EQUAL(t.paths.n, 128);
	CU_ASSERT_PTR_NULL(tcp_path_find(&t.paths, &a, 1));
	p = tcp_path_get(&t.paths, &a, 1);
	p->pmtu = 1000;
	CU_ASSERT_PTR_EQUAL(tcp_path_get(&t.paths, &a, 2), p);
	CU_ASSERT_PTR_EQUAL(tcp_path_find(&t.paths, &a, 3), p);
	CU_ASSERT_EQUAL(p->pmtu, 1000);
	CU_ASSERT_EQUAL(p->used_at, 3);
	CU_ASSERT_PTR_NULL(tcp_path_find(&t.paths, &b, 3));
	free(t.mem);
}

/* With one set of four, the fifth takes the place of the one used longest ago. */
static void
test_the_one_used_longest_ago_makes_room(void)
{
	struct table t;
	struct ip_addr a[5];

	table_init(&t, 4);
	for (unsigned i = 0; i < 5; i++)
		a[i] = ip_addr_v4(0x0a000001 + i);
	for (unsigned i = 0; i < 4; i++)
		tcp_path_get(&t.paths, &a[i], 10 + i)->mss = (uint16_t)(100 + i);
	(void)tcp_path_find(&t.paths, &a[0], 20);
	CU_ASSERT_EQUAL(tcp_path_get(&t.paths, &a[4], 21)->mss, 0);
	CU_ASSERT_PTR_NULL(tcp_path_find(&t.paths, &a[1], 22));
	CU_ASSERT_EQUAL(tcp_path_find(&t.paths, &a[0], 22)->mss, 100);
	CU_ASSERT_EQUAL(tcp_path_find(&t.paths, &a[2], 22)->mss, 102);
	CU_ASSERT_EQUAL(tcp_path_find(&t.paths, &a[3], 22)->mss, 103);
	free(t.mem);
}

static void
test_no_table_remembers_nothing(void)
{
	struct tcp_paths none;
	struct region r = { NULL, 0, 0 };
	struct ip_addr a = ip_addr_v4(1);

	CU_ASSERT(tcp_paths_init(&none, &r, &(struct siphash_key){ 1, 2 }, 0));
	CU_ASSERT_PTR_NULL(tcp_path_get(&none, &a, 1));
	CU_ASSERT_PTR_NULL(tcp_path_find(&none, &a, 1));
}

/* Many addresses cost what the table costs. */
static void
test_a_flood_of_addresses_stays_in_the_table(void)
{
	struct table t;
	unsigned known = 0;

	table_init(&t, 64);
	for (uint32_t i = 1; i <= 10000; i++) {
		struct ip_addr a = ip_addr_v4(i * 2654435761u);

		CU_ASSERT_PTR_NOT_NULL(tcp_path_get(&t.paths, &a, i));
	}
	for (uint32_t i = 1; i <= 10000; i++) {
		struct ip_addr a = ip_addr_v4(i * 2654435761u);

		known += tcp_path_find(&t.paths, &a, 20000) != NULL;
	}
	CU_ASSERT_EQUAL(known, 64);
	free(t.mem);
}

void
suite_tcp_path(void)
{
	CU_pSuite s = CU_add_suite("tcp_path", NULL, NULL);

	CU_add_test(s, "what was noted is found", test_what_was_noted_is_found);
	CU_add_test(s, "the one used longest ago makes room",
	            test_the_one_used_longest_ago_makes_room);
	CU_add_test(s, "no table remembers nothing", test_no_table_remembers_nothing);
	CU_add_test(s, "a flood of addresses stays in the table",
	            test_a_flood_of_addresses_stays_in_the_table);
}
