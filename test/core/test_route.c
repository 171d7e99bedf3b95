/* SPDX-License-Identifier: BSD-3-Clause */
/* The longest prefix wins: small stories, and a twin that looks at every bit of every route. */
#include "core/route.h"

#include <CUnit/CUnit.h>

#include <stdlib.h>

#include "base/rng.h"

void suite_route(void);

static struct ip_addr
v6(uint16_t first, uint16_t last)
{
	struct ip_addr a = IP_ANY;

	put_be16(a.b, first);
	put_be16(a.b + 14, last);
	return a;
}

/* An IPv4 route; gateway 0: on the link. */
static enum route_error
add_v4(struct route_table *t, uint32_t prefix, uint8_t len, uint32_t gateway, unsigned port)
{
	struct ip_addr p = ip_addr_v4(prefix), g = gateway ? ip_addr_v4(gateway) : IP_ANY;

	return route_add(t, &p, (uint8_t)(ROUTE_V4 + len), &g, port);
}

/* The port that leads to an IPv4 address; -1: none. */
static int
port_to(const struct route_table *t, uint32_t ip)
{
	struct ip_addr dst = ip_addr_v4(ip);
	const struct route *r = route_lookup(t, &dst);

	return r ? r->port : -1;
}

static struct route_table *
table_new(void)
{
	struct route_table *t = malloc(sizeof *t);

	if (!t)
		abort();
	route_init(t);
	return t;
}

static void
test_the_longest_prefix_wins(void)
{
	struct route_table *t = table_new();

	CU_ASSERT_EQUAL(add_v4(t, 0x0a000000, 8, 0, 1), ROUTE_OK);
	CU_ASSERT_EQUAL(add_v4(t, 0x0a010200, 24, 0, 3), ROUTE_OK);
	CU_ASSERT_EQUAL(add_v4(t, 0x0a010000, 16, 0, 2), ROUTE_OK);
	CU_ASSERT_EQUAL(add_v4(t, 0x0a010203, 32, 0, 4), ROUTE_OK);
	CU_ASSERT_EQUAL(port_to(t, 0x0aff0000), 1);
	CU_ASSERT_EQUAL(port_to(t, 0x0a01ff00), 2);
	CU_ASSERT_EQUAL(port_to(t, 0x0a0102ff), 3);
	CU_ASSERT_EQUAL(port_to(t, 0x0a010203), 4);
	CU_ASSERT_EQUAL(port_to(t, 0x0b000000), -1);
	free(t);
}

static void
test_an_empty_table_leads_nowhere(void)
{
	struct route_table *t = table_new();

	CU_ASSERT_EQUAL(port_to(t, 0x0a000001), -1);
	free(t);
}

static void
test_the_default_route_catches_the_rest(void)
{
	struct route_table *t = table_new();
	struct ip_addr far = ip_addr_v4(0x08080808), near = ip_addr_v4(0xc0000207);
	struct ip_addr gateway = ip_addr_v4(0xc00002fe);
	const struct route *r;

	add_v4(t, 0xc0000200, 24, 0, 0);
	add_v4(t, 0, 0, 0xc00002fe, 0);
	r = route_lookup(t, &far);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	CU_ASSERT(ip_addr_eq(route_next_hop(r, &far), &gateway));
	r = route_lookup(t, &near);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	CU_ASSERT(ip_addr_eq(route_next_hop(r, &near), &near));
	free(t);
}

static void
test_the_default_of_one_family_is_not_the_others(void)
{
	struct route_table *t = table_new();
	struct ip_addr any6 = IP_ANY, gateway6 = v6(0xfe80, 1), dst6 = v6(0x2001, 5);

	CU_ASSERT_EQUAL(route_add(t, &any6, 0, &gateway6, 1), ROUTE_OK);
	CU_ASSERT_EQUAL(port_to(t, 0x08080808), -1);
	CU_ASSERT_PTR_NOT_NULL(route_lookup(t, &dst6));
	route_init(t);
	CU_ASSERT_EQUAL(add_v4(t, 0, 0, 0x0a000001, 2), ROUTE_OK);
	CU_ASSERT_EQUAL(port_to(t, 0x08080808), 2);
	CU_ASSERT_PTR_NULL(route_lookup(t, &dst6));
	free(t);
}

static void
test_host_bits_of_a_prefix_do_not_matter(void)
{
	struct route_table *t = table_new();

	CU_ASSERT_EQUAL(add_v4(t, 0x0a0102ff, 23, 0, 1), ROUTE_OK);
	CU_ASSERT_EQUAL(port_to(t, 0x0a010201), 1);
	CU_ASSERT_EQUAL(port_to(t, 0x0a010301), 1);
	CU_ASSERT_EQUAL(port_to(t, 0x0a010401), -1);
	CU_ASSERT_EQUAL(add_v4(t, 0x0a010300, 23, 0, 2), ROUTE_EXISTS);
	CU_ASSERT_EQUAL(port_to(t, 0x0a010201), 1);
	free(t);
}

static void
test_senseless_routes_are_refused(void)
{
	struct route_table *t = table_new();
	struct ip_addr v4 = ip_addr_v4(0x0a000000), six = v6(0x2001, 0);
	struct route r = { .prefix = six, .src = v4, .len = 64 };

	CU_ASSERT_EQUAL(route_add(t, &six, 129, &IP_ANY, 0), ROUTE_BAD);
	CU_ASSERT_EQUAL(route_add(t, &v4, 8, &IP_ANY, 0), ROUTE_BAD);
	CU_ASSERT_EQUAL(route_add(t, &v4, 104, &six, 0), ROUTE_BAD);
	CU_ASSERT_EQUAL(route_add(t, &six, 64, &v4, 0), ROUTE_BAD);
	CU_ASSERT_EQUAL(route_insert(t, &r), ROUTE_BAD);
	CU_ASSERT_EQUAL(t->n, 0);
	free(t);
}

static void
test_a_full_table_says_so_and_still_works(void)
{
	struct route_table *t = table_new();

	for (uint32_t i = 0; i < ROUTE_MAX; i++)
		CU_ASSERT_EQUAL(add_v4(t, 0x0a000000 + (i << 8), 24, 0, i % 200), ROUTE_OK);
	CU_ASSERT_EQUAL(add_v4(t, 0x0b000000, 24, 0, 1), ROUTE_FULL);
	for (uint32_t i = 0; i < ROUTE_MAX; i++)
		CU_ASSERT_EQUAL(port_to(t, 0x0a000005 + (i << 8)), (int)(i % 200));
	free(t);
}

/* -- The twin --------------------------------------------------------------------------- */

static bool
bit(const struct ip_addr *a, uint32_t i)
{
	return a->b[i / 8] >> (7 - i % 8) & 1;
}

static bool
holds(const struct route *r, const struct ip_addr *dst)
{
	for (uint32_t i = 0; i < r->len; i++) {
		if (bit(&r->prefix, i) != bit(dst, i))
			return false;
	}
	return r->len >= ROUTE_V4 || !ip_addr_is_v4(dst);
}

static const struct route *
slow_lookup(const struct route *route, uint32_t n, const struct ip_addr *dst)
{
	const struct route *best = NULL;

	for (uint32_t i = 0; i < n; i++) {
		if (holds(&route[i], dst) && (!best || route[i].len > best->len))
			best = &route[i];
	}
	return best;
}

/* Addresses of few values, so that prefixes nest and repeat. */
static struct ip_addr
random_addr(struct rng *r)
{
	static const uint8_t some[] = { 0x00, 0x01, 0x80, 0xff };
	struct ip_addr a = IP_ANY;

	if (rng_below(r, 2)) {
		for (size_t i = 0; i < sizeof a.b; i++)
			a.b[i] = some[rng_below(r, sizeof some)];
		return a;
	}
	a = ip_addr_v4(0);
	for (size_t i = 12; i < sizeof a.b; i++)
		a.b[i] = some[rng_below(r, sizeof some)];
	return a;
}

static uint8_t
random_len(struct rng *r, const struct ip_addr *a)
{
	return (uint8_t)(ip_addr_is_v4(a) ? ROUTE_V4 + rng_below(r, 33) : rng_below(r, 129));
}

static void
test_lookups_equal_those_of_the_twin(void)
{
	struct route_table *t = table_new();
	struct route *all = calloc(300, sizeof *all);
	struct rng r = { 7 };

	for (int round = 0; round < 20; round++) {
		uint32_t n = 0;

		route_init(t);
		while (n < 300) {
			struct route one = { .prefix = random_addr(&r), .port = (uint8_t)n };

			one.len = random_len(&r, &one.prefix);
			if (route_insert(t, &one) == ROUTE_OK)
				all[n++] = one;
		}
		for (int k = 0; k < 500; k++) {
			struct ip_addr dst = random_addr(&r);
			const struct route *a = route_lookup(t, &dst);
			const struct route *b = slow_lookup(all, n, &dst);

			CU_ASSERT_EQUAL(a != NULL, b != NULL);
			CU_ASSERT(!a || !b || (a->len == b->len && a->port == b->port));
		}
	}
	free(all);
	free(t);
}

void
suite_route(void)
{
	CU_pSuite s = CU_add_suite("route", NULL, NULL);

	CU_add_test(s, "the longest prefix wins", test_the_longest_prefix_wins);
	CU_add_test(s, "an empty table leads nowhere", test_an_empty_table_leads_nowhere);
	CU_add_test(s, "the default route catches the rest",
	            test_the_default_route_catches_the_rest);
	CU_add_test(s, "the default of one family is not the other's",
	            test_the_default_of_one_family_is_not_the_others);
	CU_add_test(s, "host bits of a prefix do not matter",
	            test_host_bits_of_a_prefix_do_not_matter);
	CU_add_test(s, "senseless routes are refused", test_senseless_routes_are_refused);
	CU_add_test(s, "a full table says so and still works",
	            test_a_full_table_says_so_and_still_works);
	CU_add_test(s, "lookups equal those of a twin that looks at every bit",
	            test_lookups_equal_those_of_the_twin);
}
