/* SPDX-License-Identifier: BSD-3-Clause */
/* Who is at home where, and what becomes of a segment that nobody here knows. */

#include "core/stack_priv.h"

#define ADOPTED_NS US(500) /* how often queues are looked at that wake nobody    */
#define RETRY_NS   US(50)  /* how soon a lane that was full is tried again       */

/* ------------------------------------------------------------------- home -- */

/* The device's function serves if it reaches every core. */
static bool
by_device(struct rss *r, const struct io_info *info, unsigned cores)
{
	const struct io_rss *dev = info->rss;
	uint64_t reached = 0;

	if (info->steering != IO_STEER_RSS || !dev || !(dev->types & IO_RSS_TCP4))
		return false;
	for (unsigned i = 0; i < dev->size && i < IO_RSS_TABLE_MAX; i++)
		if (dev->table[i] < cores)
			reached |= UINT64_C(1) << dev->table[i];
		else
			return false;
	return reached == UINT64_MAX >> (64 - cores) && rss_init(r, dev->key, dev->table, dev->size);
}

static void
by_ourselves(struct rss *r, const struct hall *h)
{
	uint16_t table[RSS_TABLE_MAX];
	bool ok;

	for (unsigned i = 0; i < RSS_TABLE_MAX; i++)
		table[i] = (uint16_t)(i % h->cores);
	ok = rss_init(r, h->key, table, RSS_TABLE_MAX);
	assert(ok);
	(void)ok;
}

static void
join_port(struct stack *st, struct stack_port *p)
{
	const struct hall *h = st->steer.hall;
	struct steer_port *s = &p->steer;

	if (!by_device(&s->rss, &p->info, h->cores))
		by_ourselves(&s->rss, h);
	s->chooses = rss_ports_init(&s->own, &s->rss, st->steer.me, false);
	s->chooses6 = rss_ports_init(&s->own6, &s->rss, st->steer.me, true);
	s->origin = p->info.steering == IO_STEER_ORIGIN;
	s->relay = STEER_NO_RELAY;
	if (p->info.queue == IO_NO_QUEUE)
		s->relay = h->first + (st->steer.me - h->first) % max(p->info.queues, 1u);
}

bool
stack_join(struct stack *st, struct hall *h)
{
	struct steer *r = &st->steer;

	if (h->cores != st->cfg.cores || st->cfg.core >= h->cores)
		return false;
	r->hall = h;
	r->me = st->cfg.core;
	r->pending = h->all; /* of an earlier turn, too */
	st->ports.core = to_u16(r->me);
	st->ports.cores = to_u16(h->cores);
	for (unsigned i = 0; i < st->cfg.n_ports; i++)
		join_port(st, &st->port[i]);
	if (h->far)
		census_join(st);
	else
		hall_enter(h, r->me, HALL_RUNS);
	return true;
}

const struct rss_ports *
steer_ports(const struct stack *st, const struct ip_addr *local)
{
	const struct steer_port *s;

	if (!st->steer.hall)
		return NULL;
	s = &st->port[ip_port_of(st, local)].steer;
	if (unlikely(!ip_addr_is_v4(local)))
		return s->chooses6 ? &s->own6 : NULL;
	return s->chooses ? &s->own : NULL;
}

unsigned
steer_primary(const struct stack *st, unsigned port, const struct tcp_tuple *t, uint32_t *hash)
{
	const struct rss *r = &st->port[port].steer.rss;

	*hash = rss_hash(r, &t->remote, &t->local, t->rport, t->lport);
	return rss_core(r, *hash);
}

unsigned
steer_home(const struct stack *st, unsigned port, const struct tcp_tuple *t)
{
	uint32_t hash;
	unsigned home = steer_primary(st, port, t, &hash);

	return census_home(st->steer.hall, home, hash);
}

static bool
is_syn(const struct tcp_seg *s)
{
	return (s->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}

/* A new flow of ours goes to a core that listens. */
static enum fate
to_keeper(struct stack *st, const struct segment_from *from, const struct tcp_tuple *t,
          uint32_t hash, const struct tcp_seg *s)
{
	struct steer *r = &st->steer;
	unsigned keeper = hall_listener(r->hall, r->me, t->lport, hash);
	struct away *a;
	enum fate fate;

	if (keeper == HALL_CORES_MAX)
		return SEG_OK;
	if (!is_syn(s))
		return handover_to(st, keeper, from, STEER_KEEP, 0);
	fate = handover_to(st, keeper, from, STEER_KEEP, 1);
	if (fate != HANDED_OVER)
		return fate;
	a = away_new(r, t, hash, keeper);
	a->keeping = 1;
	return fate;
}

/* Each SYN is a keeping of its own: the keeper says goodbye to the last of them. */
static enum fate
to_its_keeper(struct stack *st, struct away *a, const struct segment_from *from,
              const struct tcp_seg *s)
{
	uint32_t next = is_syn(s) ? (a->keeping & ~KEEPING_CLAIM) % (KEEPING_CLAIM - 1) + 1 : 0;
	enum fate fate = handover_to(st, a->core, from, STEER_KEEP, next);

	if (next && fate == HANDED_OVER)
		a->keeping = next;
	return fate;
}

static enum fate
at_home(struct stack *st, const struct segment_from *from, const struct tcp_tuple *t, uint32_t hash,
        const struct tcp_seg *s, int64_t now)
{
	struct steer *r = &st->steer;
	struct away *a;

	words_hear(st, now); /* a claim may have come since this step began */
	if ((a = away_find(r, t, hash)))
		return to_its_keeper(st, a, from, s);
	if (hall_listens(r->hall, r->me, t->lport) || (s->flags & TCP_RST))
		return SEG_OK;
	return to_keeper(st, from, t, hash, s);
}

/* A SYN from elsewhere stays with the process whose queue it came by: what that process has
 * accepted shall not end with another one. */
static bool
stays(const struct stack *st, unsigned home, const struct segment_from *from,
      const struct tcp_tuple *t, const struct tcp_seg *s)
{
	const struct hall *h = st->steer.hall;

	return !(from->pkt->flags & STEER_HOME) && is_syn(s) && !hall_is_near(h, home) &&
	       hall_listens(h, st->steer.me, t->lport);
}

/* Where a segment is at home that does not say so itself. */
static unsigned
home_for(struct stack *st, const struct segment_from *from, const struct tcp_tuple *t,
         const struct tcp_seg *s)
{
	struct steer *r = &st->steer;
	unsigned primary, home = r->me;
	uint32_t place;

	if (st->port[from->port].steer.origin &&
	    (is_syn(s) || hall_listens(r->hall, r->me, t->lport)))
		return home;
	primary = steer_primary(st, from->port, t, &place);
	if (likely(primary == home && !r->hall->far))
		return home;
	if (!(from->pkt->flags & STEER_HOME))
		home = census_home(r->hall, primary, place);
	r->lodges = primary != r->me && (home == r->me || stays(st, home, from, t, s));
	return r->lodges ? r->me : home;
}

static __attribute__((noinline)) enum fate
to_its_core(struct stack *st, const struct segment_from *from, const struct tcp_tuple *t,
            uint32_t hash, const struct tcp_seg *s, int64_t now)
{
	struct steer *r = &st->steer;
	unsigned home = r->me;
	enum fate fate;

	if (!(from->pkt->flags & STEER_HOME) || r->hall->far)
		home = home_for(st, from, t, s);
	fate = home != r->me ? handover_to(st, home, from, STEER_HOME, 0)
	                     : at_home(st, from, t, hash, s, now);
	r->lodges = r->lodges && fate == SEG_OK;
	return fate;
}

/* The usual stranger: a SYN at home, for a listener of ours, and nobody keeps anything. */
static inline bool
is_plain(struct stack *st, const struct segment_from *from, const struct tcp_tuple *t)
{
	struct steer *r = &st->steer;
	uint32_t place;

	return r->kept.away_map.n == 0 && !r->hall->far && !words_wait(r) &&
	       hall_listens(r->hall, r->me, t->lport) &&
	       steer_primary(st, from->port, t, &place) == r->me;
}

enum fate
steer_segment(struct stack *st, const struct segment_from *from, const struct tcp_tuple *t,
              uint32_t hash, const struct tcp_seg *s, int64_t now)
{
	struct steer *r = &st->steer;

	r->lodges = false;
	if (!r->hall || !from->pkt || (from->pkt->flags & STEER_KEEP) ||
	    likely(is_plain(st, from, t)))
		return SEG_OK;
	return to_its_core(st, from, t, hash, s, now);
}

unsigned
steer_rx(struct stack *st, int64_t now)
{
	struct steer *r = &st->steer;
	unsigned total = 0;

	if (unlikely(!list_empty(&r->kept.goodbyes)))
		keeper_say_goodbyes(st);
	if (words_wait(r))
		words_hear(st, now);
	if (likely(!r->pending && !r->hall->far))
		return 0;
	if (r->hall->far && !census_step(st, now))
		return 0;
	for (uint64_t cores = r->pending; cores; cores &= cores - 1)
		total += handover_take(st, (unsigned)__builtin_ctzll(cores), now);
	return total;
}

int64_t
steer_deadline(const struct stack *st, int64_t now)
{
	const struct steer *r = &st->steer;

	if (r->hall->far && !census_joined(&r->census))
		return now + RETRY_NS;
	if (r->pending)
		return now;
	if (r->hall->far && census_waits(&r->census, r->hall))
		return now + MS(1);
	if (!list_empty(&r->kept.goodbyes))
		return now + RETRY_NS;
	return r->census.adopted ? now + ADOPTED_NS : TIME_NEVER;
}

/* ------------------------------------------------------------------- seat -- */

void
steer_ring(struct stack *st)
{
	struct steer *r = &st->steer;

	for (; r->rings; r->rings &= r->rings - 1) {
		unsigned to = (unsigned)__builtin_ctzll(r->rings);

		if (hall_ring(r->hall, r->me, to))
			r->wakes |= UINT64_C(1) << to;
	}
}

uint64_t
stack_take_wakes(struct stack *st)
{
	uint64_t wakes = st->steer.wakes;

	st->steer.wakes = 0;
	return wakes;
}

bool
stack_may_sleep(struct stack *st)
{
	return !st->steer.hall || hall_sleep(st->steer.hall, st->steer.me);
}

void
stack_woke(struct stack *st)
{
	if (st->steer.hall)
		hall_rouse(st->steer.hall, st->steer.me);
}

void
steer_listen(struct stack *st, uint16_t port, bool on)
{
	if (st->steer.hall)
		hall_listen(st->steer.hall, st->steer.me, port, on);
}

bool
steer_others_listen(const struct stack *st, uint16_t port)
{
	const struct hall *h = st->steer.hall;

	return h && hall_listener(h, st->steer.me, port, 0) != HALL_CORES_MAX;
}

void
steer_leave(struct stack *st)
{
	struct steer *r = &st->steer;

	if (!r->hall)
		return;
	census_leave(st);
	hall_deafen(r->hall, r->me);
	hall_enter(r->hall, r->me, HALL_GONE);
	handover_give_back(st);
}
