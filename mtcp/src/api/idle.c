/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Naps grow by half each, from 20 us: the reply to a request sent a moment ago
 * is found soon, and a silent port costs little.
 */
#include "api/idle.h"

#define NAP_FIRST  US(20)
#define YIELDS     2u
#define CREDIT_MAX 16u
#define CREDIT_HIT 4u

/* While the application is at work on this CPU: its requests wait no longer
 * than this for a stack that naps.  When it has asked nothing for a while it is
 * waiting somewhere else, and may as well wake us when it comes back. */
#define NAP_SHARED_MAX US(200)
#define GIVE_UP        MS(10)

void
idle_init(struct idle *i, int64_t spin_ns, int64_t nap_max_ns, bool can_wait, int64_t now)
{
	*i = (struct idle){
		.spin_ns = spin_ns,
		.nap_max_ns = nap_max_ns,
		.can_wait = can_wait,
		.since = now,
		.credit = CREDIT_MAX,
	};
}

void
idle_busy(struct idle *i, int64_t now)
{
	if (i->looked && !i->spun)
		i->credit = min(i->credit + CREDIT_HIT, CREDIT_MAX);
	i->since = now;
	i->nap_ns = 0;
	i->yields = 0;
	i->looked = false;
	i->spun = false;
}

static int64_t
next_nap(struct idle *i, int64_t most)
{
	i->nap_ns = i->nap_ns ? i->nap_ns + i->nap_ns / 2 : NAP_FIRST;
	i->nap_ns = min(i->nap_ns, most);
	return i->nap_ns;
}

/* The application is at work here. */
static enum idle_act
give_way(struct idle *i, int64_t idle_for, int64_t *nap)
{
	if (i->yields < YIELDS) {
		i->yields++;
		return IDLE_YIELD;
	}
	if (idle_for < GIVE_UP) {
		*nap = next_nap(i, NAP_SHARED_MAX);
		return IDLE_NAP;
	}
	*nap = i->can_wait ? TIME_NEVER : next_nap(i, i->nap_max_ns);
	return IDLE_SLEEP;
}

static bool
looks(struct idle *i, int64_t idle_for)
{
	if (idle_for < (i->credit ? i->spin_ns : i->spin_ns / 8)) {
		i->looked = true;
		return true;
	}
	if (!i->spun && i->credit > 0)
		i->credit--;
	i->spun = true;
	return false;
}

enum idle_act
idle_next(struct idle *i, int64_t now, bool shared, bool app_sleeps, int64_t *nap)
{
	int64_t idle_for = now - i->since;

	*nap = TIME_NEVER;
	if (shared && !app_sleeps)
		return give_way(i, idle_for, nap);
	if (looks(i, idle_for))
		return IDLE_LOOK;
	if (!i->can_wait)
		*nap = next_nap(i, i->nap_max_ns);
	return IDLE_SLEEP;
}
