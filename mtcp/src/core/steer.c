/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the records are: `away` at a flow's home, `guest` at its keeper. */

#include "core/stack_priv.h"

#define RX_QUOTA   (4 * IO_BURST) /* packets from one core, a step          */
#define ADOPTED_NS US(500)       /* how often queues are looked at that wake nobody    */
#define RETRY_NS   US(50)         /* how soon a lane that was full is tried again */
#define WORD_QUOTA 4096u          /* messages from one core, a step         */
#define CLAIM_BIT  (UINT32_C(1) << 31) /* in the number of a keeping: the keeper's own count */

/* A flow whose home this is and that another core keeps. */
struct away {
	struct tcp_tuple tuple;
	uint32_t hash;
	uint32_t keeping; /* its number                                   */
	uint32_t core;    /* the keeper ...                               */
	uint32_t turn;    /* ... in this turn of its seat                 */
	struct link order;
};

bool
steer_init(struct steer *r, struct region *mem, const struct stack_cfg *cfg)
{
	uint32_t n = cfg->cores > 1 ? cfg->max_conns + cfg->max_half_open + cfg->max_time_wait : 1;
	bool ok = true;

	list_init(&r->away_list);
	list_init(&r->goodbyes);
	list_init(&r->guest_list);
	ok &= hashmap_init(&r->away_map, mem, n);
	ok &= hashmap_init(&r->guest_map, mem, n);
	ok &= pool_init(&r->aways, mem, sizeof(struct away), n);
	ok &= pool_init(&r->guests, mem, sizeof(struct guest), n);
	return ok;
}

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
	s->chooses = rss_ports_init(&s->own, &s->rss, st->steer.me);
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
	return s->chooses ? &s->own : NULL;
}

unsigned
steer_primary(const struct stack *st, unsigned port, const struct tcp_tuple *t, uint32_t *hash)
{
	const struct rss *r = &st->port[port].steer.rss;

	*hash = rss_hash(r, &t->remote, &t->local, t->rport, t->lport);
	return rss_core(r, *hash);
}

static unsigned
home_of(const struct stack *st, unsigned port, const struct tcp_tuple *t)
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

/* ---------------------------------------------------------------- records -- */

static void
away_free(struct steer *r, struct away *a)
{
	(void)hashmap_del(&r->away_map, a->hash, pool_index(&r->aways, a));
	link_remove(&a->order);
	pool_put(&r->aways, a);
}

/* One whose keeper has ended, and perhaps begun anew, is none. */
static struct away *
away_find(struct steer *r, const struct tcp_tuple *t, uint32_t hash)
{
	if (likely(r->away_map.n == 0))
		return NULL;
	for (uint32_t v, i = hashmap_first(&r->away_map, hash);
	     hashmap_next(&r->away_map, hash, &i, &v);) {
		struct away *a = pool_at(&r->aways, v);

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
static struct away *
away_new(struct steer *r, const struct tcp_tuple *t, uint32_t hash, unsigned core)
{
	struct away *a = pool_get(&r->aways);

	if (!a) {
		away_free(r, container_of(list_first(&r->away_list), struct away, order));
		a = pool_get(&r->aways);
	}
	memset(a, 0, sizeof *a);
	a->tuple = *t;
	a->hash = hash;
	a->core = core;
	a->turn = hall_turn(r->hall, core);
	(void)hashmap_add(&r->away_map, hash, pool_index(&r->aways, a));
	list_push_back(&r->away_list, &a->order);
	return a;
}

static struct guest *
guest_find(struct steer *r, const struct tcp_tuple *t, uint32_t hash)
{
	if (likely(r->guest_map.n == 0))
		return NULL;
	for (uint32_t v, i = hashmap_first(&r->guest_map, hash);
	     hashmap_next(&r->guest_map, hash, &i, &v);) {
		struct guest *g = pool_at(&r->guests, v);

		if (memcmp(&g->tuple, t, sizeof *t) == 0)
			return g;
	}
	return NULL;
}

static void
guest_free(struct steer *r, struct guest *g)
{
	(void)hashmap_del(&r->guest_map, g->hash, pool_index(&r->guests, g));
	link_remove(&g->goodbye);
	link_remove(&g->all);
	pool_put(&r->guests, g);
}

/* There is room for as many as there are connections and records. */
static struct guest *
guest_note(struct steer *r, const struct tcp_tuple *t, uint32_t hash, unsigned home,
           uint32_t keeping)
{
	struct guest *g = guest_find(r, t, hash);

	if (!g) {
		if (!(g = pool_get(&r->guests)))
			return NULL;
		memset(g, 0, sizeof *g);
		g->tuple = *t;
		g->hash = hash;
		(void)hashmap_add(&r->guest_map, hash, pool_index(&r->guests, g));
		list_push_back(&r->guest_list, &g->all);
	}
	link_remove(&g->goodbye);
	g->home = home;
	g->turn = hall_turn(r->hall, home);
	g->keeping = keeping;
	return g;
}

/* --------------------------------------------------------------- messages -- */

/* A core of ours that is not there yet will be. */
static bool
reaches(const struct steer *r, unsigned to)
{
	return hall_is_near(r->hall, to) ? hall_state(r->hall, to) != HALL_GONE
	                                 : hall_lives(r->hall, to);
}

/* False: no room, or nobody there. */
static bool
say(struct stack *st, unsigned to, const struct hall_word *w)
{
	struct steer *r = &st->steer;
	union hall_slot slot;

	memset(&slot, 0, sizeof slot);
	slot.word = *w;
	if (!reaches(r, to) || !hall_push(r->hall, r->me, to, HALL_WORDS, &slot)) {
		stats_add(&st->stats.handed_dropped, 1);
		return false;
	}
	r->rings |= UINT64_C(1) << to;
	return true;
}

static void
say_to_all(struct stack *st, const struct hall_word *w)
{
	for (unsigned i = 0; i < st->steer.hall->cores; i++)
		if (i != st->steer.me && hall_state(st->steer.hall, i) == HALL_RUNS)
			(void)say(st, i, w);
}

bool
steer_tell(struct stack *st, struct guest *g, enum hall_op op)
{
	struct hall_word w = { .op = to_u8(op), .tuple = g->tuple };

	if (op == HALL_OP_CLAIM)
		g->keeping = ++st->steer.claims | CLAIM_BIT;
	w.n = g->keeping;
	return say(st, g->home, &w);
}

static void
say_goodbyes(struct stack *st)
{
	struct steer *r = &st->steer;
	struct link *l;

	while ((l = list_first(&r->goodbyes))) {
		struct guest *g = container_of(l, struct guest, goodbye);

		if (g->home != r->me && reaches(r, g->home) && !steer_tell(st, g, HALL_OP_GONE))
			return;
		guest_free(r, g);
	}
}

void
steer_look_gone(struct stack *st, const struct tcp_tuple *t, uint32_t hash)
{
	struct steer *r = &st->steer;
	struct guest *g = guest_find(r, t, hash);
	void *found;

	if (likely(!g) || demux_find(&st->demux, t, hash, &found) != DEMUX_NONE)
		return;
	link_remove(&g->goodbye);
	list_push_back(&r->goodbyes, &g->goodbye);
	say_goodbyes(st);
}

/* Its home hears of it before the SYN can be answered. */
static bool
claim(struct stack *st, const struct tcp_tuple *t, uint32_t hash, unsigned home)
{
	struct steer *r = &st->steer;
	struct hall_word w = { .op = HALL_OP_CLAIM, .n = ++r->claims | CLAIM_BIT, .tuple = *t };

	if (!say(st, home, &w))
		return false;
	guest_note(r, t, hash, home, w.n);
	steer_ring(st);
	return true;
}

bool
steer_claim(struct stack *st, const struct tcp_tuple *t, uint32_t hash)
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
steer_lodge(struct stack *st, const struct tcp_tuple *t, uint32_t hash)
{
	void *found;

	st->steer.lodges = false;
	if (demux_find(&st->demux, t, hash, &found) != DEMUX_NONE)
		(void)steer_claim(st, t, hash);
}

void
steer_neighbour(struct stack *st, unsigned port, const struct ip_addr *ip,
                const struct mac_addr *mac, enum neigh_kind kind)
{
	struct hall_word w = { .op = HALL_OP_NEIGHBOUR, .port = to_u8(port), .kind = to_u8(kind) };

	if (!st->steer.hall)
		return;
	w.neigh.ip = *ip;
	w.neigh.mac = *mac;
	say_to_all(st, &w);
}

bool
steer_icmp(struct stack *st, const struct icmp_error *err, const struct tcp_tuple *t,
           uint32_t hash, unsigned hop)
{
	struct steer *r = &st->steer;
	struct hall_word w = { .op = HALL_OP_ICMP, .kind = to_u8(hop + 1), .icmp = *err };
	unsigned port, home;
	struct away *a;

	if (!r->hall || hop >= 2 || !ip_is_ours(st, &t->local))
		return false;
	port = ip_port_of(st, &t->local);
	home = hop == 0 ? home_of(st, port, t) : r->me;
	if (home != r->me)
		return say(st, home, &w);
	w.kind = 2;
	if ((a = away_find(r, t, hash)))
		return say(st, a->core, &w);
	if (!st->port[port].steer.origin)
		return false;
	say_to_all(st, &w);
	return true;
}

/* ---------------------------------------------------------------- hearing -- */

static void
hear_claim(struct stack *st, unsigned from, const struct hall_word *w)
{
	uint32_t hash = demux_hash(&st->demux, &w->tuple);
	struct away *a = away_find(&st->steer, &w->tuple, hash);

	if (!a)
		a = away_new(&st->steer, &w->tuple, hash, from);
	a->core = from;
	a->turn = hall_turn(st->steer.hall, from);
	a->keeping = w->n;
}

static void
hear_gone(struct stack *st, unsigned from, const struct hall_word *w)
{
	struct away *a = away_find(&st->steer, &w->tuple, demux_hash(&st->demux, &w->tuple));

	if (a && a->core == from && a->keeping == w->n)
		away_free(&st->steer, a);
}

static void
hear_neighbour(struct stack *st, const struct hall_word *w, int64_t now)
{
	struct list ready;

	if (w->port >= st->cfg.n_ports || w->kind > NEIGH_HEARD_ANNOUNCE)
		return;
	list_init(&ready);
	(void)neigh_learn(&st->port[w->port].neigh, &w->neigh.ip, &w->neigh.mac,
	                  (enum neigh_kind)w->kind, now, &ready);
	ip_unblock(st, &ready, now);
}

static void
hear(struct stack *st, unsigned from, const struct hall_word *w, int64_t now)
{
	switch ((enum hall_op)w->op) {
	case HALL_OP_CLAIM:
		hear_claim(st, from, w);
		break;
	case HALL_OP_GONE:
		hear_gone(st, from, w);
		break;
	case HALL_OP_NEIGHBOUR:
		hear_neighbour(st, w, now);
		break;
	case HALL_OP_ICMP:
		segment_icmp_error(st, &w->icmp, max(w->kind, 1u), now);
		break;
	}
}

static void
hear_pending(struct stack *st, int64_t now)
{
	struct steer *r = &st->steer;
	union hall_slot slot;

	for (uint64_t cores = r->pending; cores; cores &= cores - 1) {
		unsigned from = (unsigned)__builtin_ctzll(cores);

		for (unsigned n = 0; n < WORD_QUOTA; n++) {
			if (!hall_pop(r->hall, from, r->me, HALL_WORDS, &slot))
				break;
			hear(st, from, &slot.word, now);
		}
	}
}

static inline void
hear_words(struct stack *st, int64_t now)
{
	struct steer *r = &st->steer;

	r->pending |= hall_heard(r->hall, r->me);
	if (unlikely(r->pending))
		hear_pending(st, now);
}

/* ---------------------------------------------------------------- packets -- */

static union hall_slot
slot_of(const struct io_pkt *k, unsigned port, unsigned flags, uint32_t adopt)
{
	union hall_slot slot;

	memset(&slot, 0, sizeof slot);
	slot.pkt = (struct hall_packet){
		.handle = (uintptr_t)k->handle,
		.data = (int64_t)((uintptr_t)k->data - (uintptr_t)k->handle),
		.len = k->len,
		.room = k->room,
		.hash = k->hash,
		.adopt = adopt,
		.flags = (uint16_t)flags,
		.port = to_u8(port),
		.l2_len = k->l2_len,
		.l3_len = k->l3_len,
		.l4_len = k->l4_len,
	};
	return slot;
}

static struct io_pkt
pkt_of(const struct hall_packet *p)
{
	return (struct io_pkt){
		.data = (uint8_t *)(uintptr_t)(p->handle + (uint64_t)p->data),
		.len = p->len,
		.room = p->room,
		.hash = p->hash,
		.flags = p->flags,
		.l2_len = p->l2_len,
		.l3_len = p->l3_len,
		.l4_len = p->l4_len,
		.handle = (void *)(uintptr_t)p->handle,
	};
}

/* Another process gets a copy. */
static bool
put(struct stack *st, unsigned to, const struct segment_from *from, const union hall_slot *slot)
{
	struct steer *r = &st->steer;
	struct io_pkt spent = *from->pkt;

	if (hall_is_near(r->hall, to))
		return hall_push(r->hall, r->me, to, HALL_PACKETS, slot);
	if (!hall_push_frame(r->hall, r->me, to, slot, from->pkt->data))
		return false;
	io_release(st->port[from->port].io, &spent, 1);
	return true;
}

/* Its sums have been looked at, and were good. */
static enum fate
hand_over(struct stack *st, unsigned to, const struct segment_from *from, unsigned as,
          uint32_t adopt)
{
	struct steer *r = &st->steer;
	unsigned flags = from->pkt->flags & ~(unsigned)(STEER_HOME | STEER_KEEP);
	union hall_slot slot = slot_of(from->pkt, from->port,
	                               flags | as | IO_RX_IP_GOOD | IO_RX_L4_GOOD, adopt);

	if (!reaches(r, to)) {
		stats_add(&st->stats.handed_dropped, 1);
		return DROP_CORE_GONE;
	}
	if (!put(st, to, from, &slot)) {
		stats_add(&st->stats.handed_dropped, 1);
		return DROP_HANDOVER_FULL;
	}
	stats_add(&st->stats.handed_out, 1);
	r->rings |= UINT64_C(1) << to;
	return HANDED_OVER;
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
		return hand_over(st, keeper, from, STEER_KEEP, 0);
	fate = hand_over(st, keeper, from, STEER_KEEP, 1);
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
	uint32_t next = is_syn(s) ? (a->keeping & ~CLAIM_BIT) % (CLAIM_BIT - 1) + 1 : 0;
	enum fate fate = hand_over(st, a->core, from, STEER_KEEP, next);

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

	hear_words(st, now); /* a claim may have come since this step began */
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

enum fate
steer_segment(struct stack *st, const struct segment_from *from, const struct tcp_tuple *t,
              uint32_t hash, const struct tcp_seg *s, int64_t now)
{
	struct steer *r = &st->steer;
	unsigned home = r->me;
	enum fate fate;

	r->lodges = false;
	if (!r->hall || !from->pkt || (from->pkt->flags & STEER_KEEP))
		return SEG_OK;
	if (!(from->pkt->flags & STEER_HOME) || r->hall->far)
		home = home_for(st, from, t, s);
	fate = home != r->me ? hand_over(st, home, from, STEER_HOME, 0)
	                     : at_home(st, from, t, hash, s, now);
	r->lodges = r->lodges && fate == SEG_OK;
	return fate;
}

void
steer_kept(struct stack *st, const struct tcp_tuple *t, uint32_t hash, enum fate fate)
{
	struct steer *r = &st->steer;

	if (r->adopt) {
		guest_note(r, t, hash, r->from, r->adopt);
		steer_look_gone(st, t, hash); /* it was refused */
	} else if (fate == COOKIE_TAKEN) {
		(void)claim(st, t, hash, r->from);
	}
}

/* --------------------------------------------------------------- arriving -- */

/* Packets of one port that are to be given back. */
struct spent {
	unsigned port, n;
	struct io_pkt pkt[IO_BURST];
};

static void
spent_flush(struct stack *st, struct spent *s)
{
	io_release(st->port[s->port].io, s->pkt, s->n);
	s->n = 0;
}

static void
spent_add(struct stack *st, struct spent *s, unsigned port, const struct io_pkt *pkt)
{
	if (s->n == IO_BURST || (s->n > 0 && s->port != port))
		spent_flush(st, s);
	s->port = port;
	s->pkt[s->n++] = *pkt;
}

/* Whatever stands in the slot of another process is looked at before it is believed. */
static bool
frame_copy(struct stack *st, const struct hall_packet *p, const uint8_t *frame,
           struct io_pkt *pkt)
{
	if (p->port >= st->cfg.n_ports || io_alloc(st->port[p->port].io, pkt, 1) != 1)
		return false;
	if (p->len > pkt->room) {
		io_release(st->port[p->port].io, pkt, 1);
		return false;
	}
	memcpy(pkt->data, frame, p->len);
	pkt->len = p->len;
	pkt->hash = 0;
	pkt->flags = p->flags & (IO_RX_IP_GOOD | IO_RX_L4_GOOD | STEER_HOME | STEER_KEEP);
	return true;
}

/* What other processes have left. */
static unsigned
take_frames(struct stack *st, unsigned from, int64_t now)
{
	struct steer *r = &st->steer;
	union hall_slot slot;
	const uint8_t *frame;
	unsigned n = 0;

	for (; n < RX_QUOTA && (frame = hall_next_frame(r->hall, from, r->me, &slot)); n++) {
		struct io_pkt pkt;
		bool copied = frame_copy(st, &slot.pkt, frame, &pkt);
		enum fate fate;

		hall_drop_frame(r->hall, from, r->me);
		if (!copied) {
			st->fates[DROP_HANDOVER_FULL]++;
			stats_add(&st->stats.handed_dropped, 1);
			continue;
		}
		r->from = from;
		r->adopt = slot.pkt.adopt;
		fate = ip_frame_in(st, slot.pkt.port, &pkt, now);
		st->fates[fate]++;
		if (fate != HANDED_OVER)
			io_release(st->port[slot.pkt.port].io, &pkt, 1);
	}
	stats_add(&st->stats.handed_in, n);
	return n;
}

static unsigned
take_packets(struct stack *st, unsigned from, int64_t now)
{
	struct steer *r = &st->steer;
	union hall_slot slot;
	struct spent spent;
	unsigned n = 0;

	spent.port = spent.n = 0;
	while (n < RX_QUOTA && hall_pop(r->hall, from, r->me, HALL_PACKETS, &slot)) {
		struct io_pkt pkt = pkt_of(&slot.pkt);
		enum fate fate;

		n++;
		r->from = from;
		r->adopt = slot.pkt.adopt;
		fate = ip_frame_in(st, slot.pkt.port, &pkt, now);
		st->fates[fate]++;
		if (fate != HANDED_OVER)
			spent_add(st, &spent, slot.pkt.port, &pkt);
	}
	spent_flush(st, &spent);
	stats_add(&st->stats.handed_in, n);
	return n;
}

/* What a core without a queue wants sent; false: the engine is full. */
static bool
take_sends(struct stack *st, unsigned from, int64_t now)
{
	struct steer *r = &st->steer;
	union hall_slot slot;

	for (unsigned n = 0; n < RX_QUOTA && ip_sends_room(st, now); n++) {
		if (!hall_pop(r->hall, from, r->me, HALL_SENDS, &slot))
			return true;
		ip_send_for(st, slot.pkt.port, pkt_of(&slot.pkt));
	}
	return false;
}

static void
take_all(struct stack *st, unsigned from, int64_t now, unsigned *total)
{
	struct steer *r = &st->steer;
	bool near = hall_is_near(r->hall, from);
	unsigned n = near ? take_packets(st, from, now) : take_frames(st, from, now);

	if ((!near || take_sends(st, from, now)) && n < RX_QUOTA)
		r->pending &= ~(UINT64_C(1) << from);
	*total += n;
}

unsigned
steer_rx(struct stack *st, int64_t now)
{
	struct steer *r = &st->steer;
	unsigned total = 0;

	if (unlikely(!list_empty(&r->goodbyes)))
		say_goodbyes(st);
	hear_words(st, now);
	if (likely(!r->pending && !r->hall->far))
		return 0;
	if (r->hall->far && !census_step(st, now))
		return 0;
	for (uint64_t cores = r->pending; cores; cores &= cores - 1)
		take_all(st, (unsigned)__builtin_ctzll(cores), now, &total);
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
	if (!list_empty(&r->goodbyes))
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

unsigned
steer_send(struct stack *st, unsigned port, struct io_pkt *pkts, unsigned n)
{
	struct steer *r = &st->steer;
	unsigned to = st->port[port].steer.relay, i;

	if (hall_state(r->hall, to) == HALL_GONE) {
		io_release(st->port[port].io, pkts, n);
		stats_add(&st->stats.tx_drops, n);
		return n;
	}
	for (i = 0; i < n; i++) {
		union hall_slot slot = slot_of(&pkts[i], port, pkts[i].flags, 0);

		if (!hall_push(r->hall, r->me, to, HALL_SENDS, &slot))
			break;
	}
	if (i > 0)
		r->rings |= UINT64_C(1) << to;
	return i;
}

static void
give_back(struct stack *st, unsigned from, enum hall_lane_kind kind)
{
	union hall_slot slot;

	while (hall_pop(st->steer.hall, from, st->steer.me, kind, &slot)) {
		struct io_pkt pkt = pkt_of(&slot.pkt);

		io_release(st->port[slot.pkt.port].io, &pkt, 1);
	}
}

void
steer_leave(struct stack *st)
{
	struct steer *r = &st->steer;

	if (!r->hall)
		return;
	census_leave(st);
	for (unsigned port = 0; port <= UINT16_MAX; port++)
		if (hall_listens(r->hall, r->me, (uint16_t)port))
			hall_listen(r->hall, r->me, (uint16_t)port, false);
	hall_enter(r->hall, r->me, HALL_GONE);
	for (unsigned i = r->hall->first; i < r->hall->first + r->hall->mine; i++) {
		give_back(st, i, HALL_PACKETS);
		give_back(st, i, HALL_SENDS);
	}
}
