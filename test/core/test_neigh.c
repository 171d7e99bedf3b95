/* SPDX-License-Identifier: BSD-3-Clause */
/* Neighbours in virtual time: every arc of the state machine, and floods. */
#include "core/neigh.h"

#include <CUnit/CUnit.h>

#include <stdlib.h>

#include "base/rng.h"

void suite_neigh(void);

#define T0   SEC(1000)
#define HOST 0x0a000000u

struct net {
	struct neigh n;
	struct region mem;
	int64_t now;
	struct list ready, failed;
};

static struct net *
net_new(uint32_t max)
{
	static const struct siphash_key key = { 1, 2 };
	struct net *t = calloc(1, sizeof *t);
	struct neigh_cfg cfg;
	struct region size = { 0 };

	if (!t)
		abort();
	neigh_cfg_default(&cfg);
	cfg.max = max;
	t->now = T0;
	list_init(&t->ready);
	list_init(&t->failed);
	(void)neigh_init(&t->n, &cfg, &size, &key, T0);
	t->mem.size = size.used;
	t->mem.base = aligned_alloc(CACHE_LINE, align_up(size.used, CACHE_LINE));
	if (!t->mem.base)
		abort();
	memset(t->mem.base, 0, size.used);
	CU_ASSERT_FATAL(neigh_init(&t->n, &cfg, &t->mem, &key, T0));
	return t;
}

static void
net_free(struct net *t)
{
	neigh_check(&t->n);
	free(t->mem.base);
	free(t);
}

static struct ip_addr
host(uint32_t i)
{
	return ip_addr_v4(HOST + i);
}

static struct mac_addr
mac_of(uint32_t i)
{
	struct mac_addr m = { { 2 } };

	put_be32(m.b + 2, i);
	return m;
}

/* Lets time pass in the steps that deadlines ask for; requests are lost. */
static unsigned
pass(struct net *t, int64_t ns)
{
	int64_t end = t->now + ns;
	struct neigh_probe p;
	unsigned probes = 0;

	for (;;) {
		int64_t next = neigh_deadline(&t->n);

		if (next > end)
			break;
		t->now = max(t->now, next);
		neigh_timers(&t->n, t->now, &t->failed);
		while (neigh_next_probe(&t->n, t->now, &p))
			probes++;
		neigh_check(&t->n);
	}
	t->now = end;
	return probes;
}

static bool
learn(struct net *t, uint32_t i, uint32_t mac, enum neigh_kind kind)
{
	struct ip_addr ip = host(i);
	struct mac_addr m = mac_of(mac);

	return neigh_learn(&t->n, &ip, &m, kind, t->now, &t->ready);
}

static enum neigh_answer
wait_for(struct net *t, uint32_t i, struct link *waiter)
{
	struct ip_addr ip = host(i);

	return neigh_wait(&t->n, &ip, waiter, t->now);
}

/* The address that a packet to host `i` would be sent to now, as mac_of()'s number; 0: none. */
static uint32_t
used_mac(struct net *t, uint32_t i)
{
	struct ip_addr ip = host(i);
	const struct neigh_entry *e = neigh_lookup(&t->n, &ip, t->now);

	return e ? get_be32(e->mac.b + 2) : 0;
}

static void
confirm(struct net *t, uint32_t i)
{
	struct ip_addr ip = host(i);
	struct neigh_entry *e = neigh_lookup(&t->n, &ip, t->now);

	CU_ASSERT_PTR_NOT_NULL_FATAL(e);
	neigh_confirm(&t->n, e, t->now);
}

/* A neighbour whose address was asked for and answered. */
static void
resolve(struct net *t, uint32_t i)
{
	struct neigh_probe p;

	CU_ASSERT_EQUAL(wait_for(t, i, NULL), NEIGH_WAITING);
	CU_ASSERT(neigh_next_probe(&t->n, t->now, &p));
	CU_ASSERT(learn(t, i, i, NEIGH_HEARD_REPLY));
	CU_ASSERT_EQUAL(used_mac(t, i), i);
}

/* -- Resolution ------------------------------------------------------------------------- */

static void
test_an_answer_releases_all_who_wait(void)
{
	struct net *t = net_new(4);
	struct link a = { 0 }, b = { 0 }, c = { 0 };
	struct ip_addr ip = host(1);
	struct neigh_probe p;

	CU_ASSERT_EQUAL(used_mac(t, 1), 0);
	CU_ASSERT_EQUAL(wait_for(t, 1, &a), NEIGH_WAITING);
	CU_ASSERT_EQUAL(wait_for(t, 1, &b), NEIGH_WAITING);
	CU_ASSERT_EQUAL(wait_for(t, 2, &c), NEIGH_WAITING);
	CU_ASSERT_EQUAL(neigh_deadline(&t->n), INT64_MIN);
	CU_ASSERT_FATAL(neigh_next_probe(&t->n, t->now, &p));
	CU_ASSERT(p.broadcast && mac_is_broadcast(&p.mac) && ip_addr_eq(&p.ip, &ip));
	CU_ASSERT(learn(t, 1, 1, NEIGH_HEARD_REPLY));
	CU_ASSERT_PTR_EQUAL(list_pop_front(&t->ready), &a);
	CU_ASSERT_PTR_EQUAL(list_pop_front(&t->ready), &b);
	CU_ASSERT(list_empty(&t->ready) && link_on_list(&c));
	CU_ASSERT_EQUAL(used_mac(t, 1), 1);
	CU_ASSERT_EQUAL(wait_for(t, 1, &a), NEIGH_KNOWN);
	net_free(t);
}

static void
test_requests_go_out_once_a_second_three_times(void)
{
	struct net *t = net_new(4);
	struct link a = { 0 };
	struct neigh_probe p;

	wait_for(t, 1, &a);
	CU_ASSERT(neigh_next_probe(&t->n, t->now, &p));
	CU_ASSERT(!neigh_next_probe(&t->n, t->now, &p));
	for (int i = 0; i < 100; i++)
		CU_ASSERT_EQUAL(wait_for(t, 1, NULL), NEIGH_WAITING);
	CU_ASSERT(!neigh_next_probe(&t->n, t->now, &p));
	CU_ASSERT_EQUAL(pass(t, MS(999)), 0);
	CU_ASSERT_EQUAL(pass(t, MS(2)), 1);
	CU_ASSERT_EQUAL(pass(t, MS(998)), 0);
	CU_ASSERT_EQUAL(pass(t, MS(3)), 1);
	CU_ASSERT(list_empty(&t->failed));
	CU_ASSERT_EQUAL(pass(t, SEC(1)), 0);
	CU_ASSERT_PTR_EQUAL(list_pop_front(&t->failed), &a);
	net_free(t);
}

static void
test_a_failure_is_remembered_for_a_while(void)
{
	struct net *t = net_new(4);

	wait_for(t, 1, NULL);
	CU_ASSERT_EQUAL(pass(t, MS(3100)), 3);
	CU_ASSERT_EQUAL(wait_for(t, 1, NULL), NEIGH_UNREACHABLE);
	CU_ASSERT_EQUAL(pass(t, MS(2800)), 0);
	CU_ASSERT_EQUAL(wait_for(t, 1, NULL), NEIGH_UNREACHABLE);
	CU_ASSERT_EQUAL(pass(t, MS(200)), 0);
	CU_ASSERT_EQUAL(wait_for(t, 1, NULL), NEIGH_WAITING);
	CU_ASSERT_EQUAL(pass(t, MS(1)), 1);
	net_free(t);
}

static void
test_a_failed_neighbour_that_speaks_is_back(void)
{
	struct net *t = net_new(4);

	wait_for(t, 1, NULL);
	pass(t, MS(3100));
	CU_ASSERT(learn(t, 1, 1, NEIGH_HEARD_ANNOUNCE));
	CU_ASSERT_EQUAL(used_mac(t, 1), 1);
	net_free(t);
}

static void
test_a_waiter_may_leave(void)
{
	struct net *t = net_new(4);
	struct link a = { 0 }, b = { 0 };

	wait_for(t, 1, &a);
	wait_for(t, 1, &b);
	link_remove(&a);
	pass(t, SEC(4));
	CU_ASSERT_PTR_EQUAL(list_pop_front(&t->failed), &b);
	CU_ASSERT(list_empty(&t->failed));
	net_free(t);
}

/* -- Aging ------------------------------------------------------------------------------- */

static void
test_an_unused_neighbour_is_left_in_peace(void)
{
	struct net *t = net_new(4);

	resolve(t, 1);
	CU_ASSERT_EQUAL(pass(t, SEC(3600)), 0);
	CU_ASSERT_EQUAL(neigh_deadline(&t->n), TIME_NEVER);
	CU_ASSERT_EQUAL(used_mac(t, 1), 1);
	net_free(t);
}

/* RFC 4861 7.3.3: in use, unconfirmed: asked directly, 5 s after it is used again. */
static void
test_a_stale_neighbour_in_use_is_asked_directly(void)
{
	struct net *t = net_new(4);
	struct mac_addr m = mac_of(1);
	struct neigh_probe p;

	resolve(t, 1);
	pass(t, SEC(31));
	CU_ASSERT_EQUAL(used_mac(t, 1), 1);
	CU_ASSERT_EQUAL(pass(t, MS(4900)), 0);
	t->now += MS(101);
	neigh_timers(&t->n, t->now, &t->failed);
	CU_ASSERT_FATAL(neigh_next_probe(&t->n, t->now, &p));
	CU_ASSERT(!p.broadcast && mac_eq(&p.mac, &m));
	CU_ASSERT_EQUAL(used_mac(t, 1), 1);
	CU_ASSERT(learn(t, 1, 1, NEIGH_HEARD_REPLY));
	CU_ASSERT_EQUAL(pass(t, SEC(29)), 0);
	net_free(t);
}

static void
test_a_neighbour_that_is_gone_is_forgotten(void)
{
	struct net *t = net_new(4);
	struct neigh_probe p;

	resolve(t, 1);
	pass(t, SEC(31));
	used_mac(t, 1);
	CU_ASSERT_EQUAL(pass(t, MS(8100)), 3);
	CU_ASSERT_EQUAL(used_mac(t, 1), 0);
	CU_ASSERT_EQUAL(wait_for(t, 1, NULL), NEIGH_WAITING); /* everybody is asked again */
	CU_ASSERT(neigh_next_probe(&t->n, t->now, &p) && p.broadcast);
	net_free(t);
}

static void
test_progress_of_tcp_saves_the_question(void)
{
	struct net *t = net_new(4);

	resolve(t, 1);
	for (int i = 0; i < 20; i++) {
		CU_ASSERT_EQUAL(pass(t, SEC(20)), 0);
		confirm(t, 1);
	}
	CU_ASSERT_EQUAL(pass(t, SEC(33)), 0); /* stale */
	CU_ASSERT_EQUAL(used_mac(t, 1), 1);   /* delay */
	CU_ASSERT_EQUAL(pass(t, SEC(4)), 0);
	confirm(t, 1);
	CU_ASSERT_EQUAL(pass(t, SEC(29)), 0);
	CU_ASSERT_EQUAL(pass(t, SEC(2)), 0); /* stale */
	used_mac(t, 1);
	CU_ASSERT_EQUAL(pass(t, MS(5500)), 1); /* asked once */
	confirm(t, 1);
	CU_ASSERT_EQUAL(pass(t, SEC(29)), 0);
	net_free(t);
}

static void
test_the_last_confirmation_counts(void)
{
	struct net *t = net_new(4);

	resolve(t, 1);
	pass(t, SEC(20));
	confirm(t, 1);
	pass(t, SEC(15));
	CU_ASSERT_EQUAL(used_mac(t, 1),
	                1); /* 35 s after the answer, 15 after the confirmation */
	CU_ASSERT_EQUAL(pass(t, SEC(6)), 0);
	net_free(t);
}

/* -- News --------------------------------------------------------------------------------- */

/* RFC 826: whoever asks for us will soon be talked to. */
static void
test_a_request_for_us_makes_an_entry(void)
{
	struct net *t = net_new(4);

	CU_ASSERT(learn(t, 1, 7, NEIGH_HEARD_REQUEST));
	CU_ASSERT_EQUAL(used_mac(t, 1), 7);
	CU_ASSERT_EQUAL(pass(t, MS(5100)), 1); /* not proved by that: verified once used */
	net_free(t);
}

static void
test_other_news_makes_no_entry(void)
{
	struct net *t = net_new(4);

	CU_ASSERT_FALSE(learn(t, 1, 1, NEIGH_HEARD_ANNOUNCE));
	CU_ASSERT_FALSE(learn(t, 2, 2, NEIGH_HEARD_REPLY));
	CU_ASSERT_EQUAL(t->n.pool.used, 0);
	net_free(t);
}

static void
test_an_announcement_moves_a_neighbour(void)
{
	struct net *t = net_new(4);

	resolve(t, 1);
	CU_ASSERT(learn(t, 1, 9, NEIGH_HEARD_ANNOUNCE));
	CU_ASSERT_EQUAL(used_mac(t, 1), 9);
	CU_ASSERT_EQUAL(pass(t, MS(5100)), 1);
	net_free(t);
}

static void
test_an_announcement_of_what_is_known_changes_nothing(void)
{
	struct net *t = net_new(4);

	resolve(t, 1);
	for (int i = 0; i < 6; i++) {
		CU_ASSERT_EQUAL(pass(t, SEC(5)), 0);
		learn(t, 1, 1, NEIGH_HEARD_ANNOUNCE);
		learn(t, 1, 1, NEIGH_HEARD_REPLY); /* nobody asked */
	}
	pass(t, SEC(1));
	used_mac(t, 1);
	CU_ASSERT_EQUAL(pass(t, MS(5100)), 1); /* it did go stale */
	net_free(t);
}

static void
test_an_announcement_helps_those_who_wait(void)
{
	struct net *t = net_new(4);
	struct link a = { 0 };

	wait_for(t, 1, &a);
	CU_ASSERT(learn(t, 1, 1, NEIGH_HEARD_ANNOUNCE));
	CU_ASSERT_PTR_EQUAL(list_pop_front(&t->ready), &a);
	used_mac(t, 1);
	CU_ASSERT_EQUAL(pass(t, MS(5100)), 1); /* believed, but verified */
	net_free(t);
}

static void
test_unusable_addresses_are_not_believed(void)
{
	static const struct mac_addr zero, group = { { 1, 0, 0x5e, 0, 0, 1 } };
	static const struct mac_addr all = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };
	struct net *t = net_new(4);
	struct ip_addr ip = host(1), any = ip_addr_v4(0);
	struct mac_addr m = mac_of(1);

	CU_ASSERT_FALSE(neigh_learn(&t->n, &ip, &zero, NEIGH_HEARD_REQUEST, t->now, &t->ready));
	CU_ASSERT_FALSE(
	    neigh_learn(&t->n, &ip, &group, NEIGH_HEARD_REQUEST, t->now, &t->ready));
	CU_ASSERT_FALSE(neigh_learn(&t->n, &ip, &all, NEIGH_HEARD_REQUEST, t->now, &t->ready));
	/* RFC 5227's probe: its sender has no address yet. */
	CU_ASSERT_FALSE(neigh_learn(&t->n, &any, &m, NEIGH_HEARD_REQUEST, t->now, &t->ready));
	CU_ASSERT_FALSE(neigh_add_static(&t->n, &ip, &group));
	CU_ASSERT_EQUAL(t->n.pool.used, 0);
	net_free(t);
}

static void
test_a_static_entry_never_changes(void)
{
	struct net *t = net_new(4);
	struct ip_addr ip = host(1);
	struct mac_addr m = mac_of(5);

	CU_ASSERT(neigh_add_static(&t->n, &ip, &m));
	CU_ASSERT_EQUAL(used_mac(t, 1), 5);
	CU_ASSERT_FALSE(learn(t, 1, 6, NEIGH_HEARD_REQUEST));
	CU_ASSERT_FALSE(learn(t, 1, 6, NEIGH_HEARD_REPLY));
	confirm(t, 1);
	CU_ASSERT_EQUAL(pass(t, SEC(3600)), 0);
	CU_ASSERT_EQUAL(used_mac(t, 1), 5);
	m = mac_of(6);
	CU_ASSERT(neigh_add_static(&t->n, &ip, &m));
	CU_ASSERT_EQUAL(used_mac(t, 1), 6);
	CU_ASSERT_EQUAL(t->n.pool.used, 1);
	net_free(t);
}

/* -- Floods ---------------------------------------------------------------------------------
 */

static void
flood(struct net *t, uint32_t from, uint32_t n)
{
	for (uint32_t i = from; i < from + n; i++)
		learn(t, i, i, NEIGH_HEARD_REQUEST);
	neigh_check(&t->n);
}

static void
test_a_flood_evicts_neither_used_nor_static_nor_awaited(void)
{
	struct net *t = net_new(16);
	struct ip_addr ip = host(1);
	struct mac_addr m = mac_of(1);
	struct link a = { 0 };

	neigh_add_static(&t->n, &ip, &m);
	resolve(t, 2);
	resolve(t, 3);
	wait_for(t, 4, &a);
	flood(t, 1000, 10000);
	CU_ASSERT_EQUAL(used_mac(t, 1), 1);
	CU_ASSERT_EQUAL(used_mac(t, 2), 2);
	CU_ASSERT_EQUAL(used_mac(t, 3), 3);
	CU_ASSERT(learn(t, 4, 4, NEIGH_HEARD_REPLY));
	CU_ASSERT_PTR_EQUAL(list_pop_front(&t->ready), &a);
	CU_ASSERT_EQUAL(t->n.pool.used, 16);
	resolve(t, 5);
	net_free(t);
}

static void
test_a_table_in_use_refuses_newcomers_until_somebody_rests(void)
{
	struct net *t = net_new(4);

	for (uint32_t i = 1; i <= 4; i++) {
		resolve(t, i);
		t->now += SEC(2);
	}
	CU_ASSERT_EQUAL(used_mac(t, 1), 1); /* so 2 is the one that rests longest */
	CU_ASSERT_EQUAL(wait_for(t, 9, NULL), NEIGH_NO_ROOM);
	CU_ASSERT_FALSE(learn(t, 9, 9, NEIGH_HEARD_REQUEST));
	t->now = T0 + SEC(2) + SEC(61);
	CU_ASSERT_EQUAL(wait_for(t, 9, NULL), NEIGH_WAITING);
	CU_ASSERT_EQUAL(wait_for(t, 2, NULL),
	                NEIGH_WAITING); /* evicts 9, which has no address */
	CU_ASSERT_EQUAL(used_mac(t, 3), 3);
	CU_ASSERT_EQUAL(used_mac(t, 4), 4);
	CU_ASSERT_EQUAL(used_mac(t, 1), 1);
	net_free(t);
}

static void
test_hopeless_questions_make_room(void)
{
	struct net *t = net_new(8);

	for (uint32_t i = 0; i < 1000; i++)
		CU_ASSERT_EQUAL(wait_for(t, 100 + i, NULL), NEIGH_WAITING);
	CU_ASSERT_EQUAL(t->n.pool.used, 8);
	CU_ASSERT_EQUAL(pass(t, SEC(10)), 8 * 3);
	CU_ASSERT_EQUAL(t->n.pool.used, 0);
	net_free(t);
}

/* -- Anything at all --------------------------------------------------------------------------
 */

enum { HOSTS = 40, LINKS = 60 };

static void
anything(struct net *t, struct rng *r, struct link *links)
{
	uint32_t i = 1 + rng_below(r, HOSTS);
	uint32_t mac = 1 + rng_below(r, 5);
	enum neigh_kind kind = (enum neigh_kind)rng_below(r, 3);
	struct link *l = &links[rng_below(r, LINKS)];
	int64_t scale = rng_below(r, 10) ? MS(1) : MS(50);

	switch (rng_below(r, 6)) {
	case 0:
	case 1:
		learn(t, i, mac, kind);
		break;
	case 2:
		if (used_mac(t, i) && rng_below(r, 2))
			confirm(t, i);
		break;
	case 3:
		wait_for(t, i, link_on_list(l) ? NULL : l);
		break;
	case 4:
		link_remove(l);
		break;
	default:
		pass(t, rng_below(r, 1000) * scale);
	}
}

static void
test_whatever_happens_it_holds_together(void)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct net *t = net_new(16);
		struct link links[LINKS] = { 0 };
		struct rng r = { seed };
		unsigned hanging = 0;

		for (int k = 0; k < 2000; k++) {
			anything(t, &r, links);
			neigh_check(&t->n);
			while (list_pop_front(&t->ready) || list_pop_front(&t->failed))
				;
		}
		pass(t, SEC(10));
		while (list_pop_front(&t->failed))
			;
		for (int i = 0; i < LINKS; i++)
			hanging += link_on_list(&links[i]);
		CU_ASSERT_EQUAL(hanging, 0);
		net_free(t);
	}
}

/* -- Advertisements (RFC 4861 7.2.5) ---------------------------------------------------- */

static const struct mac_addr mac_a = { { 2, 0, 0, 0, 0, 1 } }, mac_b = { { 2, 0, 0, 0, 0, 2 } };

static struct neigh_entry *
known(struct net *t, const struct ip_addr *ip)
{
	struct neigh_entry *e = neigh_lookup(&t->n, ip, t->now);

	CU_ASSERT_PTR_NOT_NULL_FATAL(e);
	return e;
}

static bool
advert(struct net *t, const struct ip_addr *ip, const struct mac_addr *mac, bool solicited,
       bool override)
{
	return neigh_advert(&t->n, ip, mac, solicited, override, t->now, &t->ready);
}

static void
test_a_first_advertisement_needs_a_link_address(void)
{
	struct net *t = net_new(8);
	struct ip_addr ip = host(1), other = host(2);
	struct link waiter = { 0 };

	CU_ASSERT_FALSE(advert(t, &ip, &mac_a, true, true)); /* nobody asked */
	CU_ASSERT_EQUAL(neigh_wait(&t->n, &ip, &waiter, t->now), NEIGH_WAITING);
	CU_ASSERT_FALSE(advert(t, &ip, NULL, true, true));
	CU_ASSERT(advert(t, &ip, &mac_a, true, false));
	CU_ASSERT(list_pop_front(&t->ready) == &waiter);
	CU_ASSERT_EQUAL(known(t, &ip)->state, NEIGH_REACHABLE);
	CU_ASSERT_EQUAL(neigh_wait(&t->n, &other, NULL, t->now), NEIGH_WAITING);
	CU_ASSERT(advert(t, &other, &mac_a, false, true)); /* not an answer: no proof */
	CU_ASSERT_EQUAL(known(t, &other)->state, NEIGH_DELAY); /* STALE, until it was looked up */
	net_free(t);
}

static void
test_only_an_overriding_advertisement_moves_a_neighbour(void)
{
	struct net *t = net_new(8);
	struct ip_addr ip = host(1);

	(void)neigh_wait(&t->n, &ip, NULL, t->now);
	CU_ASSERT(advert(t, &ip, &mac_a, true, true));
	CU_ASSERT_FALSE(advert(t, &ip, &mac_b, true, false));
	CU_ASSERT(mac_eq(&known(t, &ip)->mac, &mac_a));
	CU_ASSERT_EQUAL(known(t, &ip)->state, NEIGH_DELAY); /* doubted, and used */
	CU_ASSERT_FALSE(advert(t, &ip, &mac_b, true, false));
	CU_ASSERT_EQUAL(known(t, &ip)->state, NEIGH_DELAY); /* and the doubt does not start anew */
	CU_ASSERT(advert(t, &ip, &mac_b, true, true));
	CU_ASSERT(mac_eq(&known(t, &ip)->mac, &mac_b));
	CU_ASSERT_EQUAL(known(t, &ip)->state, NEIGH_REACHABLE);
	CU_ASSERT(advert(t, &ip, &mac_a, false, true));
	CU_ASSERT(mac_eq(&known(t, &ip)->mac, &mac_a));
	CU_ASSERT_EQUAL(known(t, &ip)->state, NEIGH_DELAY);
	net_free(t);
}

static void
test_an_answer_without_a_link_address_confirms(void)
{
	struct net *t = net_new(8);
	struct ip_addr ip = host(1);

	(void)neigh_wait(&t->n, &ip, NULL, t->now);
	CU_ASSERT(advert(t, &ip, &mac_a, false, true));
	CU_ASSERT(advert(t, &ip, NULL, false, false));
	CU_ASSERT_EQUAL(known(t, &ip)->state, NEIGH_DELAY);
	CU_ASSERT(advert(t, &ip, NULL, true, false));
	CU_ASSERT_EQUAL(known(t, &ip)->state, NEIGH_REACHABLE);
	CU_ASSERT_FALSE(advert(t, &ip, &(struct mac_addr){ { 1 } }, true, true)); /* a group */
	net_free(t);
}

void
suite_neigh(void)
{
	CU_pSuite s = CU_add_suite("neigh", NULL, NULL);

	CU_add_test(s, "a first advertisement needs a link address (RFC 4861 7.2.5)",
	            test_a_first_advertisement_needs_a_link_address);
	CU_add_test(s, "only an overriding advertisement moves a neighbour (RFC 4861 7.2.5)",
	            test_only_an_overriding_advertisement_moves_a_neighbour);
	CU_add_test(s, "an answer without a link address confirms (RFC 4861 7.2.5)",
	            test_an_answer_without_a_link_address_confirms);

	CU_add_test(s, "an answer releases all who wait", test_an_answer_releases_all_who_wait);
	CU_add_test(s, "requests go out once a second, three times",
	            test_requests_go_out_once_a_second_three_times);
	CU_add_test(s, "a failure is remembered for a while",
	            test_a_failure_is_remembered_for_a_while);
	CU_add_test(s, "a failed neighbour that speaks is back",
	            test_a_failed_neighbour_that_speaks_is_back);
	CU_add_test(s, "a waiter may leave", test_a_waiter_may_leave);
	CU_add_test(s, "an unused neighbour is left in peace",
	            test_an_unused_neighbour_is_left_in_peace);
	CU_add_test(s, "a stale neighbour in use is asked directly (RFC 4861 7.3)",
	            test_a_stale_neighbour_in_use_is_asked_directly);
	CU_add_test(s, "a neighbour that is gone is forgotten (RFC 4861 7.3)",
	            test_a_neighbour_that_is_gone_is_forgotten);
	CU_add_test(s, "progress of TCP saves the question (RFC 4861 7.3)",
	            test_progress_of_tcp_saves_the_question);
	CU_add_test(s, "the last confirmation counts", test_the_last_confirmation_counts);
	CU_add_test(s, "a request for us makes an entry", test_a_request_for_us_makes_an_entry);
	CU_add_test(s, "other news makes no entry", test_other_news_makes_no_entry);
	CU_add_test(s, "an announcement moves a neighbour",
	            test_an_announcement_moves_a_neighbour);
	CU_add_test(s, "an announcement of what is known changes nothing",
	            test_an_announcement_of_what_is_known_changes_nothing);
	CU_add_test(s, "an announcement helps those who wait",
	            test_an_announcement_helps_those_who_wait);
	CU_add_test(s, "unusable addresses are not believed",
	            test_unusable_addresses_are_not_believed);
	CU_add_test(s, "a static entry never changes", test_a_static_entry_never_changes);
	CU_add_test(s, "a flood evicts neither used nor static nor awaited entries",
	            test_a_flood_evicts_neither_used_nor_static_nor_awaited);
	CU_add_test(s, "a table in use refuses newcomers until somebody rests",
	            test_a_table_in_use_refuses_newcomers_until_somebody_rests);
	CU_add_test(s, "hopeless questions make room", test_hopeless_questions_make_room);
	CU_add_test(s, "whatever happens, it holds together",
	            test_whatever_happens_it_holds_together);
}
