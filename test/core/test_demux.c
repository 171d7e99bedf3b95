/* SPDX-License-Identifier: BSD-3-Clause */
/* Tuples and whose they are, against a table without cleverness. */
#include <CUnit/CUnit.h>

#include <stdlib.h>

#include "base/rng.h"
#include "core/demux.h"

#define N_CONNS 64u
#define N_REQS  32u
#define N_TWS   128u

void suite_demux(void);

/* The records of one core, and the table under test. */
struct records {
	struct pool conns, reqs, tws;
	struct demux d;
	void *mem;
};

static void
setup(struct records *r, uint64_t key)
{
	struct siphash_key secret = { key, ~key };
	struct region mem = { .size = 1 << 18 };

	r->mem = aligned_alloc(CACHE_LINE, mem.size);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r->mem);
	memset(r->mem, 0, mem.size);
	mem.base = r->mem;
	CU_ASSERT_FATAL(pool_init(&r->conns, &mem, sizeof(struct tcp_conn), N_CONNS));
	CU_ASSERT_FATAL(pool_init(&r->reqs, &mem, sizeof(struct tcp_req), N_REQS));
	CU_ASSERT_FATAL(pool_init(&r->tws, &mem, sizeof(struct tcp_tw), N_TWS));
	CU_ASSERT_FATAL(demux_init(&r->d, &mem, &secret, &r->conns, &r->reqs, &r->tws));
}

static void
teardown(struct records *r)
{
	free(r->mem);
}

static struct tcp_tuple
tuple(uint32_t local, uint32_t remote, uint16_t lport, uint16_t rport)
{
	struct tcp_tuple t;

	memset(&t, 0, sizeof t);
	t.local = ip_addr_v4(local);
	t.remote = ip_addr_v4(remote);
	t.lport = lport;
	t.rport = rport;
	return t;
}

static struct pool *
pool_for(struct records *r, enum demux_kind kind)
{
	return kind == DEMUX_CONN ? &r->conns : kind == DEMUX_REQ ? &r->reqs : &r->tws;
}

/* With a place for its name. */
static struct tcp_conn *
conn_named(const struct records *r, struct tcp_conn *c)
{
	static struct tcp_streams streams[1u << 12];
	uint32_t i = pool_index(&r->conns, c);

	CU_ASSERT_FATAL(i < array_len(streams));
	c->streams = &streams[i];
	return c;
}

static struct tcp_tuple *
name_of(enum demux_kind kind, void *obj)
{
	if (kind == DEMUX_CONN)
		return &((struct tcp_conn *)obj)->streams->name;
	if (kind == DEMUX_REQ)
		return &((struct tcp_req *)obj)->tuple;
	return &((struct tcp_tw *)obj)->tuple;
}

static void *
enter(struct records *r, enum demux_kind kind, const struct tcp_tuple *t)
{
	void *obj = pool_get(pool_for(r, kind));

	if (!obj)
		return NULL;
	if (kind == DEMUX_CONN)
		(void)conn_named(r, obj);
	*name_of(kind, obj) = *t;
	CU_ASSERT_TRUE(demux_add(&r->d, kind, obj, demux_hash(&r->d, t)));
	return obj;
}

static enum demux_kind
find(const struct records *r, const struct tcp_tuple *t, void **found)
{
	return demux_find(&r->d, t, demux_hash(&r->d, t), found);
}

static void
test_each_kind_is_found_as_what_it_is(void)
{
	struct records r;
	struct tcp_tuple t[4];
	void *obj[4], *found = &r;

	setup(&r, 1);
	for (enum demux_kind k = DEMUX_CONN; k <= DEMUX_TW; k++) {
		t[k] = tuple(1, 2, 80, (uint16_t)(1000 + k));
		obj[k] = enter(&r, k, &t[k]);
	}
	for (enum demux_kind k = DEMUX_CONN; k <= DEMUX_TW; k++) {
		CU_ASSERT_EQUAL(find(&r, &t[k], &found), k);
		CU_ASSERT_PTR_EQUAL(found, obj[k]);
	}
	t[0] = tuple(1, 2, 80, 999);
	CU_ASSERT_EQUAL(find(&r, &t[0], &found), DEMUX_NONE);
	CU_ASSERT_PTR_NULL(found);
	teardown(&r);
}

/* From SYN to TIME-WAIT it is one name. */
static void
test_one_takes_the_place_of_another(void)
{
	struct tcp_tuple t = tuple(1, 2, 80, 1000);
	struct records r;
	void *req, *found;
	struct tcp_tw *tw;
	uint32_t hash;

	setup(&r, 1);
	hash = demux_hash(&r.d, &t);
	req = enter(&r, DEMUX_REQ, &t);
	tw = pool_get(&r.tws);
	CU_ASSERT_PTR_NOT_NULL_FATAL(tw);
	tw->tuple = t;
	demux_replace(&r.d, DEMUX_REQ, req, DEMUX_TW, tw, hash);
	CU_ASSERT_EQUAL(find(&r, &t, &found), DEMUX_TW);
	CU_ASSERT_PTR_EQUAL(found, tw);
	demux_del(&r.d, DEMUX_TW, tw, hash);
	CU_ASSERT_EQUAL(find(&r, &t, &found), DEMUX_NONE);
	teardown(&r);
}

static void
test_all_four_numbers_count(void)
{
	struct records r;
	struct tcp_tuple t = tuple(10, 20, 80, 1000);
	struct tcp_tuple others[] = {
		tuple(11, 20, 80, 1000), tuple(10, 21, 80, 1000), tuple(10, 20, 81, 1000),
		tuple(10, 20, 80, 1001), tuple(20, 10, 1000, 80),
	};
	void *found;

	setup(&r, 2);
	(void)enter(&r, DEMUX_CONN, &t);
	for (unsigned i = 0; i < array_len(others); i++)
		CU_ASSERT_EQUAL(find(&r, &others[i], &found), DEMUX_NONE);
	teardown(&r);
}

/* Where one address is of IPv6 all of its bytes count, beside those of IPv4. */
static void
test_every_byte_of_a_tuple_counts_in_the_hash(void)
{
	struct records r;
	struct tcp_tuple t = tuple(10, 20, 80, 1000);
	uint32_t v4;

	setup(&r, 5);
	v4 = demux_hash(&r.d, &t);
	for (size_t i = 0; i < sizeof t; i++) {
		struct tcp_tuple u = t, v = t;

		((uint8_t *)&u)[i] ^= 0x10;
		CU_ASSERT_NOT_EQUAL(demux_hash(&r.d, &u), v4);
		v.local.b[0] = 0x20;
		u.local.b[0] ^= 0x20;
		CU_ASSERT_NOT_EQUAL(demux_hash(&r.d, &u), demux_hash(&r.d, &v));
	}
	teardown(&r);
}

/* How a frame from the peer names it. */
static void
frame_name(const struct tcp_tuple *t, uint8_t *name)
{
	memcpy(name, t->remote.b + 12, 4);
	memcpy(name + 4, t->local.b + 12, 4);
	put_be16(name + 8, t->rport);
	put_be16(name + 10, t->lport);
}

static void
test_who_was_found_is_remembered_while_it_lives(void)
{
	struct records r;
	struct tcp_tuple t = tuple(10, 20, 80, 1000);
	struct tcp_conn *c;
	uint8_t name[12];

	setup(&r, 5);
	c = enter(&r, DEMUX_CONN, &t);
	c->in_use = TCP_CONN_IN_USE;
	frame_name(&t, name);
	CU_ASSERT_PTR_NULL(demux_recent(&r.d, name));
	demux_remember(&r.d, c);
	CU_ASSERT_PTR_EQUAL(demux_recent(&r.d, name), c);
	for (unsigned i = 0; i < 12 * 8; i++) {
		name[i / 8] ^= (uint8_t)(1u << i % 8);
		CU_ASSERT_PTR_NULL(demux_recent(&r.d, name));
		name[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	c->streams->name.remote.b[0] = 0x20; /* of IPv6 */
	CU_ASSERT_PTR_NULL(demux_recent(&r.d, name));
	c->streams->name.remote.b[0] = 0;
	c->in_use = 0;
	CU_ASSERT_PTR_NULL(demux_recent(&r.d, name));
	teardown(&r);
}

/* All 36 bytes of the name count, those of IPv4's mapped form too. */
static void
test_who_was_found_over_ipv6_is_remembered(void)
{
	struct records r;
	struct tcp_tuple t = tuple(10, 20, 80, 1000);
	struct tcp_conn *c;
	uint8_t name[36];

	setup(&r, 5);
	c = enter(&r, DEMUX_CONN, &t);
	c->in_use = TCP_CONN_IN_USE;
	demux_remember(&r.d, c);
	c->streams->name.remote.b[0] = 0x20;
	c->streams->name.local.b[0] = 0xfd;
	t = c->streams->name;
	memcpy(name, t.remote.b, 16);
	memcpy(name + 16, t.local.b, 16);
	put_be16(name + 32, t.rport);
	put_be16(name + 34, t.lport);
	CU_ASSERT_PTR_EQUAL(demux_recent6(&r.d, name), c);
	for (unsigned i = 0; i < sizeof name * 8; i++) {
		name[i / 8] ^= (uint8_t)(1u << i % 8);
		CU_ASSERT_PTR_NULL(demux_recent6(&r.d, name));
		name[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	c->in_use = 0;
	CU_ASSERT_PTR_NULL(demux_recent6(&r.d, name));
	c->streams->name.remote.b[0] = c->streams->name.local.b[0] = 0;
	teardown(&r);
}

static void
test_who_opens_is_remembered_until_forgotten(void)
{
	struct records r;
	struct tcp_tuple t = tuple(10, 20, 80, 1000), u = tuple(10, 20, 80, 1001);
	struct tcp_req *a, *b;
	uint8_t name[12];

	setup(&r, 5);
	a = enter(&r, DEMUX_REQ, &t);
	b = enter(&r, DEMUX_REQ, &u);
	frame_name(&t, name);
	CU_ASSERT_PTR_NULL(demux_opening(&r.d, name));
	demux_open(&r.d, a);
	CU_ASSERT_PTR_EQUAL(demux_opening(&r.d, name), a);
	CU_ASSERT_PTR_NULL(demux_recent(&r.d, name));
	for (unsigned i = 0; i < 12 * 8; i++) {
		name[i / 8] ^= (uint8_t)(1u << i % 8);
		CU_ASSERT_PTR_NULL(demux_opening(&r.d, name));
		name[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	demux_opened(&r.d, b); /* wherever that would stand */
	CU_ASSERT_PTR_EQUAL(demux_opening(&r.d, name), a);
	demux_opened(&r.d, a);
	CU_ASSERT_PTR_NULL(demux_opening(&r.d, name));
	teardown(&r);
}

static struct tcp_req *
who_opens(const struct records *r, const struct tcp_req *who)
{
	uint8_t name[12];

	frame_name(&who->tuple, name);
	return demux_opening(&r->d, name);
}

/* A later one of the same place pushes the first out, and does not go with it. */
static void
test_of_two_in_a_place_the_later_stays(void)
{
	struct tcp_req *all[N_REQS], *out[N_REQS];
	unsigned n_out = 0;
	struct records r;

	setup(&r, 6);
	for (uint16_t p = 0; p < N_REQS; p++) {
		struct tcp_tuple t = tuple(10, 20, 80, (uint16_t)(p + 1));

		all[p] = enter(&r, DEMUX_REQ, &t);
		demux_open(&r.d, all[p]);
		CU_ASSERT_PTR_EQUAL(who_opens(&r, all[p]), all[p]);
	}
	for (unsigned i = 0; i < N_REQS; i++)
		if (!who_opens(&r, all[i]))
			out[n_out++] = all[i];
	CU_ASSERT(n_out > 0 && n_out < N_REQS);
	for (unsigned i = 0; i < n_out; i++)
		demux_opened(&r.d, out[i]);
	for (unsigned i = 0; i < N_REQS; i++) {
		n_out -= who_opens(&r, all[i]) != all[i];
		demux_opened(&r.d, all[i]);
		CU_ASSERT_PTR_NULL(who_opens(&r, all[i]));
	}
	CU_ASSERT_EQUAL(n_out, 0);
	teardown(&r);
}

/* Peers choose tuples; they must not be able to choose where these fall. */
static void
test_the_hash_depends_on_the_secret(void)
{
	struct records a, b;
	unsigned equal = 0;

	setup(&a, 1);
	setup(&b, 2);
	for (uint16_t p = 1; p <= 1000; p++) {
		struct tcp_tuple t = tuple(1, 2, 80, p);

		equal += demux_hash(&a.d, &t) == demux_hash(&b.d, &t);
	}
	CU_ASSERT_TRUE(equal < 3);
	teardown(&a);
	teardown(&b);
}

/* Two records of one hash are told apart by their tuples. */
static void
test_a_collision_is_no_match(void)
{
	struct records r;
	struct tcp_tuple t = tuple(1, 2, 80, 1), u = tuple(1, 2, 80, 2);
	struct tcp_conn *c, *o;
	void *found;

	setup(&r, 3);
	c = pool_get(&r.conns);
	o = pool_get(&r.conns);
	conn_named(&r, c)->streams->name = t;
	conn_named(&r, o)->streams->name = u;
	CU_ASSERT_TRUE(demux_add(&r.d, DEMUX_CONN, c, 77));
	CU_ASSERT_TRUE(demux_add(&r.d, DEMUX_CONN, o, 77));
	CU_ASSERT_EQUAL(demux_find(&r.d, &t, 77, &found), DEMUX_CONN);
	CU_ASSERT_PTR_EQUAL(found, c);
	CU_ASSERT_EQUAL(demux_find(&r.d, &u, 77, &found), DEMUX_CONN);
	CU_ASSERT_PTR_EQUAL(found, o);
	demux_del(&r.d, DEMUX_CONN, c, 77);
	CU_ASSERT_EQUAL(demux_find(&r.d, &t, 77, &found), DEMUX_NONE);
	CU_ASSERT_EQUAL(demux_find(&r.d, &u, 77, &found), DEMUX_CONN);
	teardown(&r);
}

static void
test_there_is_room_for_every_record(void)
{
	struct records r;
	unsigned n = 0;

	setup(&r, 4);
	for (enum demux_kind k = DEMUX_CONN; k <= DEMUX_TW; k++) {
		struct tcp_tuple t = tuple(k, 2, 80, 0);

		while (t.rport++, enter(&r, k, &t))
			n++;
	}
	CU_ASSERT_EQUAL(n, N_CONNS + N_REQS + N_TWS);
	CU_ASSERT_EQUAL(r.d.map.n, n);
	teardown(&r);
}

/* The twin: an array that is searched from end to end. */
struct twin {
	struct tcp_tuple t;
	void *obj;
	enum demux_kind kind; /* DEMUX_NONE: free */
};

static struct twin *
twin_find(struct twin *w, unsigned n, const struct tcp_tuple *t)
{
	for (unsigned i = 0; i < n; i++)
		if (w[i].kind != DEMUX_NONE && memcmp(&w[i].t, t, sizeof *t) == 0)
			return &w[i];
	return NULL;
}

static void
twin_turn(struct records *r, struct twin *w, unsigned n, struct rng *rng)
{
	struct tcp_tuple t = tuple(1, 2 + rng_below(rng, 3), 80, (uint16_t)rng_below(rng, 100));
	enum demux_kind kind = 1 + rng_below(rng, 3);
	struct twin *is = twin_find(w, n, &t), *room = w;
	void *found, *obj;

	CU_ASSERT_EQUAL(find(r, &t, &found), is ? is->kind : DEMUX_NONE);
	CU_ASSERT_PTR_EQUAL(found, is ? is->obj : NULL);
	if (is) {
		demux_del(&r->d, is->kind, is->obj, demux_hash(&r->d, &t));
		pool_put(pool_for(r, is->kind), is->obj);
		is->kind = DEMUX_NONE;
	} else if ((obj = enter(r, kind, &t))) {
		while (room->kind != DEMUX_NONE)
			room++;
		*room = (struct twin){ t, obj, kind };
	}
}

static void
test_it_agrees_with_its_twin(void)
{
	struct twin w[N_CONNS + N_REQS + N_TWS + 1];
	struct rng rng = { 12 };
	struct records r;

	memset(w, 0, sizeof w);
	setup(&r, 5);
	for (unsigned i = 0; i < 20000; i++)
		twin_turn(&r, w, array_len(w), &rng);
	CU_ASSERT_EQUAL(r.d.map.n, r.conns.used + r.reqs.used + r.tws.used);
	teardown(&r);
}

void
suite_demux(void)
{
	CU_pSuite suite = CU_add_suite("core/demux", NULL, NULL);

	CU_add_test(suite, "each kind is found as what it is",
	            test_each_kind_is_found_as_what_it_is);
	CU_add_test(suite, "one takes the place of another", test_one_takes_the_place_of_another);
	CU_add_test(suite, "all four numbers count", test_all_four_numbers_count);
	CU_add_test(suite, "every byte of a tuple counts in the hash",
	            test_every_byte_of_a_tuple_counts_in_the_hash);
	CU_add_test(suite, "the hash depends on the secret (attack: hash collisions)",
	            test_the_hash_depends_on_the_secret);
	CU_add_test(suite, "who was found over IPv6 is remembered",
	            test_who_was_found_over_ipv6_is_remembered);
	CU_add_test(suite, "who was found is remembered while it lives",
	            test_who_was_found_is_remembered_while_it_lives);
	CU_add_test(suite, "who opens is remembered until forgotten",
	            test_who_opens_is_remembered_until_forgotten);
	CU_add_test(suite, "of two in a place the later stays",
	            test_of_two_in_a_place_the_later_stays);
	CU_add_test(suite, "a collision is no match", test_a_collision_is_no_match);
	CU_add_test(suite, "there is room for every record", test_there_is_room_for_every_record);
	CU_add_test(suite, "it agrees with its twin", test_it_agrees_with_its_twin);
}
