/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every entry is in the map and, unless it is static or waited for, on the list
 * that says how early it makes room: `spare` or `used`.  Its state changes in
 * enter_*() only, which keep the timer, the list and the request in step.
 */
#include "core/neigh.h"

void
neigh_cfg_default(struct neigh_cfg *cfg)
{
	*cfg = (struct neigh_cfg){
		.max = 1024,
		.tries = 3,
		.retrans_ns = SEC(1),
		.reachable_ns = SEC(30),
		.delay_ns = SEC(5),
		.fail_ns = SEC(3),
		.keep_ns = SEC(60),
	};
}

bool
neigh_init(struct neigh *n, const struct neigh_cfg *cfg, struct region *mem,
           const struct siphash_key *key, int64_t now)
{
	bool fits;

	memset(n, 0, sizeof *n);
	n->cfg = *cfg;
	n->key = *key;
	list_init(&n->spare);
	list_init(&n->used);
	list_init(&n->ask);
	wheel_init(&n->wheel, now);
	/* Both count, also when the first does not fit: the region may be asked for its size.
	 */
	fits = pool_init(&n->pool, mem, sizeof(struct neigh_entry), cfg->max);
	return hashmap_init(&n->map, mem, cfg->max) && fits;
}

/* -- Finding ----------------------------------------------------------------------- */

static inline bool
has_mac(const struct neigh_entry *e)
{
	return e->state >= NEIGH_REACHABLE;
}

static uint32_t
hash_of(const struct neigh *n, const struct ip_addr *ip)
{
	return (uint32_t)siphash13(&n->key, ip->b, sizeof ip->b);
}

static struct neigh_entry *
find_hashed(struct neigh *n, const struct ip_addr *ip, uint32_t hash)
{
	for (uint32_t v, i = hashmap_first(&n->map, hash);
	     hashmap_next(&n->map, hash, &i, &v);) {
		struct neigh_entry *e = pool_at(&n->pool, v);

		if (ip_addr_eq(&e->ip, ip))
			return n->last = e;
	}
	return NULL;
}

/* Most packets go where the one before went: to the gateway. */
static inline struct neigh_entry *
find(struct neigh *n, const struct ip_addr *ip)
{
	struct neigh_entry *e = n->last;

	if (e && ip_addr_eq(&e->ip, ip))
		return e;
	return find_hashed(n, ip, hash_of(n, ip));
}

/* -- What changes with the state ---------------------------------------------------- */

/* Puts the entry at the end of the list it belongs on. */
static void
reorder(struct neigh *n, struct neigh_entry *e)
{
	link_remove(&e->order);
	if (e->is_static || !list_empty(&e->waiters))
		return;
	list_push_back(has_mac(e) && e->used_until != INT64_MIN ? &n->used : &n->spare,
	               &e->order);
}

/* Nothing more to ask; `at` is when the state changes by itself. */
static void
enter(struct neigh *n, struct neigh_entry *e, enum neigh_state state, int64_t at)
{
	e->state = (uint8_t)state;
	e->tries = 0;
	link_remove(&e->ask);
	wheel_set(&n->wheel, &e->timer, at);
}

static void
enter_reachable(struct neigh *n, struct neigh_entry *e, int64_t now)
{
	e->confirmed_at = now;
	enter(n, e, NEIGH_REACHABLE, e->is_static ? TIME_NEVER : now + n->cfg.reachable_ns);
}

static void
enter_stale(struct neigh *n, struct neigh_entry *e)
{
	enter(n, e, NEIGH_STALE, TIME_NEVER);
}

static void
enter_delay(struct neigh *n, struct neigh_entry *e, int64_t now)
{
	enter(n, e, NEIGH_DELAY, now + n->cfg.delay_ns);
}

/* INCOMPLETE or PROBE: asks at once; neigh_next_probe() sets the timer. */
static void
enter_asking(struct neigh *n, struct neigh_entry *e, enum neigh_state state)
{
	enter(n, e, state, TIME_NEVER);
	list_push_back(&n->ask, &e->ask);
}

static void
enter_failed(struct neigh *n, struct neigh_entry *e, int64_t now, struct list *failed)
{
	enter(n, e, NEIGH_FAILED, now + n->cfg.fail_ns);
	list_splice_back(failed, &e->waiters);
	reorder(n, e);
}

/* -- Entries come and go ------------------------------------------------------------ */

static void
remove_entry(struct neigh *n, struct neigh_entry *e)
{
	assert(list_empty(&e->waiters));
	enter(n, e, NEIGH_FREE, TIME_NEVER);
	link_remove(&e->order);
	hashmap_del(&n->map, e->hash, pool_index(&n->pool, e));
	n->gen++;
	if (n->last == e)
		n->last = NULL;
	pool_put(&n->pool, e);
}

static struct neigh_entry *
entry_of_order(struct link *l)
{
	return container_of(l, struct neigh_entry, order);
}

/* Frees the entry that is missed least; false when each is needed. */
static bool
make_room(struct neigh *n, int64_t now)
{
	struct link *l = list_first(&n->spare);

	if (!l) {
		l = list_first(&n->used);
		if (!l || entry_of_order(l)->used_until > now)
			return false;
	}
	remove_entry(n, entry_of_order(l));
	return true;
}

/* A new entry without a state; NULL when there is no room. */
static struct neigh_entry *
add_entry(struct neigh *n, const struct ip_addr *ip, int64_t now)
{
	struct neigh_entry *e = pool_get(&n->pool);

	if (!e && make_room(n, now))
		e = pool_get(&n->pool);
	if (!e)
		return NULL;
	memset(e, 0, sizeof *e);
	e->ip = *ip;
	e->hash = hash_of(n, ip);
	e->used_until = INT64_MIN;
	list_init(&e->waiters);
	hashmap_add(&n->map, e->hash, pool_index(&n->pool, e));
	return e;
}

/* -- Using -------------------------------------------------------------------------- */

/* Use protects an entry for keep_ns, and moves it behind all that were used before. */
static inline void
touch(struct neigh *n, struct neigh_entry *e, int64_t now)
{
	int64_t until = now + n->cfg.keep_ns;

	if (e->used_until != INT64_MIN && until - e->used_until < NEIGH_TOUCH_NS)
		return;
	e->used_until = until;
	reorder(n, e);
}

void
neigh_use_again(struct neigh *n, struct neigh_entry *e, int64_t now)
{
	touch(n, e, now);
	if (e->state == NEIGH_STALE)
		enter_delay(n, e, now);
}

struct neigh_entry *
neigh_lookup(struct neigh *n, const struct ip_addr *ip, int64_t now)
{
	struct neigh_entry *e = find(n, ip);

	if (!e || !has_mac(e))
		return NULL;
	neigh_use_again(n, e, now);
	return e;
}

enum neigh_answer
neigh_wait(struct neigh *n, const struct ip_addr *ip, struct link *waiter, int64_t now)
{
	struct neigh_entry *e = find(n, ip);

	if (e && has_mac(e))
		return NEIGH_KNOWN;
	if (e && e->state == NEIGH_FAILED)
		return NEIGH_UNREACHABLE;
	if (!e) {
		e = add_entry(n, ip, now);
		if (!e)
			return NEIGH_NO_ROOM;
		enter_asking(n, e, NEIGH_INCOMPLETE);
	}
	if (waiter)
		list_push_back(&e->waiters, waiter);
	if (waiter || !link_on_list(&e->order))
		reorder(n, e);
	return NEIGH_WAITING;
}

void
neigh_confirm_new(struct neigh *n, struct neigh_entry *e, int64_t now)
{
	if (has_mac(e))
		enter_reachable(n, e, now);
}

/* -- Learning ------------------------------------------------------------------------ */

static bool
mac_is_usable(const struct mac_addr *mac)
{
	static const struct mac_addr zero;

	return !mac_is_group(mac) && !mac_eq(mac, &zero);
}

/* RFC 4861 7.2.5: an answer to our question is proof; any other news is not, and news of what
 * we know already changes nothing. */
static void
update(struct neigh *n, struct neigh_entry *e, const struct mac_addr *mac, bool answer,
       int64_t now)
{
	bool news = !has_mac(e) || !mac_eq(&e->mac, mac);

	e->mac = *mac;
	n->news += news;
	if (answer)
		enter_reachable(n, e, now);
	else if (news)
		enter_stale(n, e);
}

bool
neigh_learn(struct neigh *n, const struct ip_addr *ip, const struct mac_addr *mac,
            enum neigh_kind kind, int64_t now, struct list *ready)
{
	struct neigh_entry *e;
	bool had_mac, asked;

	if (!mac_is_usable(mac) || ip_addr_is_any(ip))
		return false;
	e = find(n, ip);
	if (!e && kind == NEIGH_HEARD_REQUEST)
		e = add_entry(n, ip, now);
	if (!e || e->is_static)
		return false;
	had_mac = has_mac(e);
	asked = e->state == NEIGH_INCOMPLETE || e->state == NEIGH_PROBE;
	update(n, e, mac, asked && kind == NEIGH_HEARD_REPLY, now);
	if (had_mac)
		return true;
	list_splice_back(ready, &e->waiters);
	reorder(n, e);
	return true;
}

/* RFC 4861 7.2.5, for who has no address yet.  An answer that nobody asked for is no proof. */
static void
advert_first(struct neigh *n, struct neigh_entry *e, const struct mac_addr *mac, bool solicited,
             int64_t now, struct list *ready)
{
	e->mac = *mac;
	n->news++;
	if (solicited)
		enter_reachable(n, e, now);
	else
		enter_stale(n, e);
	list_splice_back(ready, &e->waiters);
	reorder(n, e);
}

bool
neigh_advert(struct neigh *n, const struct ip_addr *ip, const struct mac_addr *mac, bool solicited,
             bool override, int64_t now, struct list *ready)
{
	struct neigh_entry *e = find(n, ip);
	bool differs;

	if (!e || e->is_static || (mac && !mac_is_usable(mac)))
		return false;
	if (!has_mac(e)) {
		if (mac)
			advert_first(n, e, mac, solicited, now, ready);
		return mac != NULL;
	}
	differs = mac && !mac_eq(&e->mac, mac);
	if (differs && !override) { /* (I): another says otherwise; ask again before long */
		if (e->state == NEIGH_REACHABLE)
			enter_stale(n, e);
		return false;
	}
	n->news += differs;
	if (differs)
		e->mac = *mac;
	if (solicited)
		enter_reachable(n, e, now);
	else if (differs)
		enter_stale(n, e);
	return true;
}

bool
neigh_add_static(struct neigh *n, const struct ip_addr *ip, const struct mac_addr *mac)
{
	struct neigh_entry *e;

	if (!mac_is_usable(mac) || ip_addr_is_any(ip))
		return false;
	e = find(n, ip);
	if (!e)
		e = add_entry(n, ip, INT64_MIN);
	if (!e)
		return false;
	assert(list_empty(&e->waiters)); /* set-up comes before the first connection */
	e->is_static = true;
	e->mac = *mac;
	enter_reachable(n, e, 0);
	reorder(n, e);
	return true;
}

/* -- Time ---------------------------------------------------------------------------- */

/* RFC 1122 2.3.2.1: asked in vain.  A neighbour that was there is forgotten, so that the next
 * use asks everybody; one that never answered is remembered for a while. */
static void
give_up(struct neigh *n, struct neigh_entry *e, int64_t now, struct list *failed)
{
	if (e->state == NEIGH_INCOMPLETE)
		enter_failed(n, e, now, failed);
	else
		remove_entry(n, e);
}

static void
believe_or_doubt(struct neigh *n, struct neigh_entry *e, int64_t now)
{
	int64_t until = e->confirmed_at + n->cfg.reachable_ns;

	if (until > now)
		wheel_set(&n->wheel, &e->timer, until);
	else
		enter_stale(n, e);
}

static void
expire(struct neigh *n, struct neigh_entry *e, int64_t now, struct list *failed)
{
	switch ((enum neigh_state)e->state) {
	case NEIGH_INCOMPLETE:
	case NEIGH_PROBE:
		if (e->tries < n->cfg.tries)
			list_push_back(&n->ask, &e->ask);
		else
			give_up(n, e, now, failed);
		break;
	case NEIGH_REACHABLE:
		believe_or_doubt(n, e, now);
		break;
	case NEIGH_DELAY:
		enter_asking(n, e, NEIGH_PROBE);
		break;
	case NEIGH_FAILED:
		remove_entry(n, e);
		break;
	case NEIGH_FREE:
	case NEIGH_STALE:
		break;
	}
}

void
neigh_timers(struct neigh *n, int64_t now, struct list *failed)
{
	struct wheel_node *w;

	wheel_advance(&n->wheel, now);
	while ((w = wheel_pop(&n->wheel)))
		expire(n, container_of(w, struct neigh_entry, timer), now, failed);
}

/* RFC 1122 2.3.2.1 (2): what we knew is asked directly, what we do not know of everybody. */
bool
neigh_next_probe(struct neigh *n, int64_t now, struct neigh_probe *out)
{
	static const struct mac_addr everybody = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };
	struct link *l = list_pop_front(&n->ask);
	struct neigh_entry *e;

	if (!l)
		return false;
	e = container_of(l, struct neigh_entry, ask);
	e->tries++;
	wheel_set(&n->wheel, &e->timer, now + n->cfg.retrans_ns);
	out->ip = e->ip;
	out->broadcast = e->state == NEIGH_INCOMPLETE;
	out->mac = out->broadcast ? everybody : e->mac;
	return true;
}

int64_t
neigh_deadline(const struct neigh *n)
{
	return list_empty(&n->ask) ? wheel_next(&n->wheel) : INT64_MIN;
}

/* -- Checking ------------------------------------------------------------------------ */

static void
check_entry(const struct neigh *n, const struct neigh_entry *e)
{
	bool asking = e->state == NEIGH_INCOMPLETE || e->state == NEIGH_PROBE;
	bool needed = e->is_static || !list_empty(&e->waiters);

	assert(e->state != NEIGH_FREE);
	assert(e->hash == hash_of(n, &e->ip));
	assert(!e->is_static || e->state == NEIGH_REACHABLE);
	assert(list_empty(&e->waiters) || e->state == NEIGH_INCOMPLETE);
	assert(!link_on_list(&e->ask) || asking);
	assert(!asking || link_on_list(&e->ask) != wheel_is_set(&e->timer));
	assert(!needed || !link_on_list(&e->order));
	(void)asking, (void)needed, (void)n, (void)e;
}

void
neigh_check(const struct neigh *n)
{
	uint32_t entries = 0;

	for (uint32_t i = 0; i <= n->map.mask; i++) {
		if (n->map.slot[i].value == 0)
			continue;
		check_entry(n, pool_at(&n->pool, n->map.slot[i].value - 1));
		entries++;
	}
	assert(entries == n->map.n && entries == n->pool.used);
	(void)entries;
}
