/* SPDX-License-Identifier: BSD-3-Clause */
/* `away` at a flow's home, `guest` at its keeper: found by hash, both lists oldest first. */

#include "core/stack_priv.h"

bool
keeper_init(struct keepings *k, struct region *mem, const struct stack_cfg *cfg)
{
	uint32_t n = cfg->cores > 1 ? cfg->max_conns + cfg->max_half_open + cfg->max_time_wait : 1;
	bool ok = true;

	list_init(&k->away_list);
	list_init(&k->goodbyes);
	list_init(&k->guest_list);
	ok &= hashmap_init(&k->away_map, mem, n);
	ok &= hashmap_init(&k->guest_map, mem, n);
	ok &= pool_init(&k->aways, mem, sizeof(struct away), n);
	ok &= pool_init(&k->guests, mem, sizeof(struct guest), n);
	return ok;
}

static void
away_free(struct steer *r, struct away *a)
{
	(void)hashmap_del(&r->kept.away_map, a->hash, pool_index(&r->kept.aways, a));
	link_remove(&a->order);
	pool_put(&r->kept.aways, a);
}

struct away *
away_find(struct steer *r, const struct tcp_tuple *t, uint32_t hash)
{
	if (likely(r->kept.away_map.n == 0))
		return NULL;
	for (uint32_t v, i = hashmap_first(&r->kept.away_map, hash);
	     hashmap_next(&r->kept.away_map, hash, &i, &v);) {
		struct away *a = pool_at(&r->kept.aways, v);

		if (memcmp(&a->tuple, t, sizeof *t) != 0)
			continue;
		if (a->turn == hall_turn(r->hall, a->core) &&
		    hall_state(r->hall, a->core) != HALL_GONE)
			return a;
		away_free(r, a);
		return NULL;
	}
	return NULL;
}

/* When there are too many the oldest makes room: its flow is found again by the hash that
 * had chosen its keeper, unless others listen by now. */
struct away *
away_new(struct steer *r, const struct tcp_tuple *t, uint32_t hash, unsigned core)
{
	struct away *a = pool_get(&r->kept.aways);

	if (!a) {
		away_free(r, container_of(list_first(&r->kept.away_list), struct away, order));
		a = pool_get(&r->kept.aways);
	}
	memset(a, 0, sizeof *a);
	a->tuple = *t;
	a->hash = hash;
	a->core = core;
	a->turn = hall_turn(r->hall, core);
	(void)hashmap_add(&r->kept.away_map, hash, pool_index(&r->kept.aways, a));
	list_push_back(&r->kept.away_list, &a->order);
	return a;
}

static struct guest *
guest_find(struct steer *r, const struct tcp_tuple *t, uint32_t hash)
{
	if (likely(r->kept.guest_map.n == 0))
		return NULL;
	for (uint32_t v, i = hashmap_first(&r->kept.guest_map, hash);
	     hashmap_next(&r->kept.guest_map, hash, &i, &v);) {
		struct guest *g = pool_at(&r->kept.guests, v);

		if (memcmp(&g->tuple, t, sizeof *t) == 0)
			return g;
	}
	return NULL;
}

static void
guest_free(struct steer *r, struct guest *g)
{
	(void)hashmap_del(&r->kept.guest_map, g->hash, pool_index(&r->kept.guests, g));
	link_remove(&g->goodbye);
	link_remove(&g->all);
	pool_put(&r->kept.guests, g);
}

/* There is room for as many as there are connections and records. */
static struct guest *
guest_note(struct steer *r, const struct tcp_tuple *t, uint32_t hash, unsigned home,
           uint32_t keeping)
{
	struct guest *g = guest_find(r, t, hash);

	if (!g) {
		if (!(g = pool_get(&r->kept.guests)))
			return NULL;
		memset(g, 0, sizeof *g);
		g->tuple = *t;
		g->hash = hash;
		(void)hashmap_add(&r->kept.guest_map, hash, pool_index(&r->kept.guests, g));
		list_push_back(&r->kept.guest_list, &g->all);
	}
	link_remove(&g->goodbye);
	g->home = home;
	g->turn = hall_turn(r->hall, home);
	g->keeping = keeping;
	return g;
}

bool
keeper_tell(struct stack *st, struct guest *g, enum hall_op op)
{
	struct hall_word w = { .op = to_u8(op), .tuple = g->tuple };

	if (op == HALL_OP_CLAIM)
		g->keeping = ++st->steer.kept.claims | KEEPING_CLAIM;
	w.n = g->keeping;
	return words_say(st, g->home, &w);
}

void
keeper_say_goodbyes(struct stack *st)
{
	struct steer *r = &st->steer;
	struct link *l;

	while ((l = list_first(&r->kept.goodbyes))) {
		struct guest *g = container_of(l, struct guest, goodbye);

		if (g->home != r->me && words_reach(r, g->home) && !keeper_tell(st, g, HALL_OP_GONE))
			return;
		guest_free(r, g);
	}
}

void
keeper_look_gone(struct stack *st, const struct tcp_tuple *t, uint32_t hash)
{
	struct steer *r = &st->steer;
	struct guest *g = guest_find(r, t, hash);
	void *found;

	if (likely(!g) || demux_find(&st->demux, t, hash, &found) != DEMUX_NONE)
		return;
	link_remove(&g->goodbye);
	list_push_back(&r->kept.goodbyes, &g->goodbye);
	keeper_say_goodbyes(st);
}

static bool
claim(struct stack *st, const struct tcp_tuple *t, uint32_t hash, unsigned home)
{
	struct steer *r = &st->steer;
	struct hall_word w = { .op = HALL_OP_CLAIM, .n = ++r->kept.claims | KEEPING_CLAIM, .tuple = *t };

	if (!words_say(st, home, &w))
		return false;
	guest_note(r, t, hash, home, w.n);
	steer_ring(st);
	return true;
}

bool
keeper_claim(struct stack *st, const struct tcp_tuple *t, uint32_t hash)
{
	struct steer *r = &st->steer;
	unsigned primary, home;
	uint32_t place;

	if (!r->hall)
		return true;
	primary = steer_primary(st, ip_port_of(st, &t->local), t, &place);
	home = census_home(r->hall, primary, place);
	if (home != r->me)
		return claim(st, t, hash, home);
	if (primary != r->me) /* it may come back */
		(void)guest_note(r, t, hash, r->me, 0);
	return true;
}

void
keeper_lodge(struct stack *st, const struct tcp_tuple *t, uint32_t hash)
{
	void *found;

	st->steer.lodges = false;
	if (demux_find(&st->demux, t, hash, &found) != DEMUX_NONE)
		(void)keeper_claim(st, t, hash);
}

void
keeper_kept(struct stack *st, const struct tcp_tuple *t, uint32_t hash, enum fate fate)
{
	struct steer *r = &st->steer;

	if (r->adopt) {
		guest_note(r, t, hash, r->from, r->adopt);
		keeper_look_gone(st, t, hash); /* it was refused */
	} else if (fate == COOKIE_TAKEN) {
		(void)claim(st, t, hash, r->from);
	}
}

void
keeper_hear_claim(struct stack *st, unsigned from, const struct hall_word *w)
{
	uint32_t hash = demux_hash(&st->demux, &w->tuple);
	struct away *a = away_find(&st->steer, &w->tuple, hash);

	if (!a)
		a = away_new(&st->steer, &w->tuple, hash, from);
	a->core = from;
	a->turn = hall_turn(st->steer.hall, from);
	a->keeping = w->n;
}

void
keeper_hear_gone(struct stack *st, unsigned from, const struct hall_word *w)
{
	struct away *a = away_find(&st->steer, &w->tuple, demux_hash(&st->demux, &w->tuple));

	if (a && a->core == from && a->keeping == w->n)
		away_free(&st->steer, a);
}
