/* SPDX-License-Identifier: BSD-3-Clause */
/* A walk goes through the guests as they stand in their list, each to its end; who becomes a
 * guest meanwhile is told of at once. */

#include "core/stack_priv.h"

#define GREET_NS  MS(200) /* so long a core that joins waits for what others have to tell */
#define UNSURE_NS SEC(2)  /* ... and one that is there refuses nobody whom they may know   */
#define WALK_STEP 256u    /* guests, a step                                     */

/* Whose flows nobody else has to care for. */
static bool
is_home(const struct hall *h, unsigned core)
{
	return hall_lives(h, core);
}

static unsigned
stand_in(const struct hall *h, unsigned primary, uint32_t hash)
{
	unsigned n = 0;

	for (unsigned i = 0; i < h->cores; i++)
		n += is_home(h, i);
	if (n == 0)
		return primary;
	n = hash % n;
	for (unsigned i = 0; i < h->cores; i++)
		if (is_home(h, i) && n-- == 0)
			return i;
	return primary; /* it has gone meanwhile */
}

unsigned
census_home(const struct hall *h, unsigned primary, uint32_t hash)
{
	if (likely(!h->far) || is_home(h, primary))
		return primary;
	return stand_in(h, primary, hash);
}

/* ----------------------------------------------------------------- adopting -- */

static bool
adopt_all(struct stack *st, uint64_t cores)
{
	bool can = st->cfg.n_ports > 0;

	for (unsigned i = 0; i < st->cfg.n_ports; i++)
		can = io_adopt(st->port[i].io, cores) && can;
	return can;
}

/* The seat of one who is not there becomes ours, unless another has it who lives. */
static bool
adopt(const struct hall *h, unsigned me, unsigned core)
{
	_Atomic uint32_t *adopter = &h->seat[core].adopter;
	uint32_t who = atomic_load_explicit(adopter, memory_order_acquire);

	if (who == me + 1)
		return true;
	if (who > 0 && who <= h->cores && hall_lives(h, who - 1))
		return false;
	return atomic_compare_exchange_strong(adopter, &who, me + 1);
}

static void
give_back(struct stack *st, uint64_t cores)
{
	struct steer *r = &st->steer;

	(void)adopt_all(st, r->census.adopted &= ~cores);
	for (; cores; cores &= cores - 1)
		atomic_store_explicit(&r->hall->seat[__builtin_ctzll(cores)].adopter, 0,
		                      memory_order_release);
}

static void
adopt_absent(struct stack *st)
{
	struct steer *r = &st->steer;
	const struct hall *h = r->hall;
	uint64_t back = 0, more = 0;

	for (unsigned i = 0; i < h->cores; i++) {
		uint64_t bit = UINT64_C(1) << i;

		if (i == r->me)
			continue;
		if (hall_lives(h, i))
			back |= r->census.adopted & bit;
		else if (stand_in(h, i, i) == r->me && adopt(h, r->me, i))
			more |= bit;
	}
	if (back)
		give_back(st, back);
	if (more & ~r->census.adopted)
		(void)adopt_all(st, r->census.adopted |= more);
}

/* Nobody else looks at our queues any more. */
static bool
is_given_back(const struct hall *h, unsigned me)
{
	uint32_t who = atomic_load_explicit(&h->seat[me].adopter, memory_order_acquire);

	return who == 0 || who > h->cores || !hall_lives(h, who - 1);
}

void
census_leave(struct stack *st)
{
	if (st->steer.census.adopted)
		give_back(st, st->steer.census.adopted);
}

void
census_join(struct stack *st)
{
	struct steer *r = &st->steer;
	struct hall *h = r->hall;

	hall_sweep(h, r->me);
	hall_enter(h, r->me, HALL_JOINS);
	r->census = (struct census){ .joins = true, .can_adopt = adopt_all(st, 0) };
	for (unsigned i = 0; i < h->cores; i++)
		if (i != r->me && hall_lives(h, i))
			r->rings |= UINT64_C(1) << i;
}

/* ------------------------------------------------------------------ telling -- */

/* False: there is no room to tell it. */
static bool
tell_home(struct stack *st, struct guest *g)
{
	struct steer *r = &st->steer;
	unsigned port = ip_port_of(st, &g->tuple.local), home;
	uint32_t hash, primary = steer_primary(st, port, &g->tuple, &hash);

	home = census_home(r->hall, primary, hash);
	if (home == g->home && (home == r->me || hall_turn(r->hall, home) == g->turn))
		return true;
	/* Who is home no more needs to know nothing, but may forget. */
	if (g->home != r->me && g->turn == hall_turn(r->hall, g->home) &&
	    hall_lives(r->hall, g->home))
		(void)keeper_tell(st, g, HALL_OP_GONE);
	g->home = home;
	g->turn = hall_turn(r->hall, home);
	if (home == r->me || keeper_tell(st, g, HALL_OP_CLAIM))
		return true;
	g->turn--; /* not told */
	return false;
}

static void
walk_begin(struct stack *st, uint32_t epoch)
{
	struct steer *r = &st->steer;
	struct census *c = &r->census;

	c->walk = epoch;
	c->walks = true;
	c->left = r->kept.guests.used;
	for (unsigned i = 0; i < r->hall->cores; i++)
		c->turn[i] = hall_turn(r->hall, i);
}

static void
greet_all(struct stack *st)
{
	struct steer *r = &st->steer;
	struct hall_seat *mine = &r->hall->seat[r->me];

	for (unsigned i = 0; i < r->hall->cores; i++) {
		if (i == r->me ||
		    atomic_load_explicit(&mine->greeted[i], memory_order_relaxed) ==
		        r->census.turn[i])
			continue;
		atomic_store_explicit(&mine->greeted[i], r->census.turn[i],
		                      memory_order_release);
		r->rings |= UINT64_C(1) << i;
	}
}

/* Others may look for it before they hear the bell. */
static void
say_told(struct stack *st)
{
	struct steer *r = &st->steer;

	atomic_store_explicit(&r->hall->seat[r->me].told, r->census.walk, memory_order_release);
}

static void
walk_on(struct stack *st)
{
	struct steer *r = &st->steer;
	struct census *c = &r->census;
	struct link *l;

	for (unsigned n = 0; n < WALK_STEP && c->left > 0; n++, c->left--) {
		if (!(l = list_first(&r->kept.guest_list))) {
			c->left = 0;
			break;
		}
		if (!tell_home(st, container_of(l, struct guest, all)))
			return;
		link_remove(l);
		list_push_back(&r->kept.guest_list, l);
	}
	if (c->left > 0)
		return;
	greet_all(st);
	say_told(st);
	c->walks = false;
	c->epoch = c->walk;
}

static bool
all_have_told(const struct hall *h, unsigned me)
{
	for (unsigned i = 0; i < h->cores; i++)
		if (i != me && hall_lives(h, i) &&
		    atomic_load_explicit(&h->seat[i].told, memory_order_acquire) != hall_epoch(h))
			return false;
	return true;
}

/* What they have told lies in their lanes, heard or not. */
static void
become_sure(struct stack *st, int64_t now)
{
	struct steer *r = &st->steer;

	if (now < r->census.unsure && !all_have_told(r->hall, r->me))
		return;
	r->pending = r->hall->all;
	words_hear(st, now);
	r->census.unsure = 0;
}

/* ------------------------------------------------------------------ joining -- */

static bool
all_have_greeted(const struct stack *st)
{
	const struct steer *r = &st->steer;
	uint32_t turn = hall_turn(r->hall, r->me);

	for (unsigned i = 0; i < r->hall->cores; i++)
		if (i != r->me && hall_lives(r->hall, i) &&
		    atomic_load_explicit(&r->hall->seat[i].greeted[r->me],
		                         memory_order_acquire) != turn)
			return false;
	return true;
}

bool
census_step(struct stack *st, int64_t now)
{
	struct steer *r = &st->steer;
	struct census *c = &r->census;
	uint32_t epoch = hall_epoch(r->hall);

	if (unlikely(epoch != c->epoch)) {
		if (c->can_adopt && !c->joins)
			adopt_absent(st);
		if (!c->walks || c->walk != epoch) {
			walk_begin(st, epoch);
			c->unsure = now + UNSURE_NS;
		}
		walk_on(st);
	}
	if (unlikely(c->unsure))
		become_sure(st, now);
	if (likely(!c->joins))
		return true;
	if (c->until == 0)
		c->until = now + GREET_NS;
	if ((!all_have_greeted(st) && now < c->until) ||
	    (c->can_adopt && !is_given_back(r->hall, r->me)))
		return false;
	c->joins = false;
	atomic_store_explicit(&r->hall->seat[r->me].adopter, 0, memory_order_relaxed);
	hall_enter(r->hall, r->me, HALL_RUNS);
	return true;
}
