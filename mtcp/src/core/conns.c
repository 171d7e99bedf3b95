/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The life of connections, half-open records and TIME-WAIT records on one
 * core: taken from their pools, entered in the demultiplexer, and given back
 * when both the peer and the application are done with them.
 */

#include "core/stack_priv.h"
#include "tcp/tcp_isn.h"
#include "tcp/tcp_chrono.h"
#include "tcp/tcp_rare.h"
#include "tcp/tcp_timer.h"

struct tcp_conn *
conn_new(struct stack *st, const struct tcp_open *o, uint32_t hash, const struct half_open *from,
         int64_t now)
{
	struct tcp_conn *c = pool_get(&st->conns);

	if (!c)
		return NULL;
	c->id = pool_index(&st->conns, c);
	tcp_conn_init(&st->env, c, o, now);
	c->hash = hash;
	c->in_use = TCP_CONN_IN_USE;
	if (from) {
		demux_replace(&st->demux, DEMUX_REQ, from, DEMUX_CONN, c, hash);
	} else if (!demux_add(&st->demux, DEMUX_CONN, c, hash)) {
		c->in_use = 0;
		pool_put(&st->conns, c);
		return NULL;
	}
	demux_remember(&st->demux, c);
	trace_add(&st->trace, now, c->id, T_OPEN, o->tuple.lport, o->tuple.rport);
	return c;
}

/* What a connection that never came about had chosen is free again; bind()'s choice stays. */
void
conn_unname(struct sock *s)
{
	if (s->bound == SOCK_UNBOUND || s->bound == SOCK_BOUND_PORT)
		s->name.local = IP_ANY;
	if (!bind_has_port(s))
		s->name.lport = 0;
}

/* `stays`: it has something left to say. */
static void
detach(struct stack *st, struct tcp_conn *c, bool stays)
{
	struct sock *s = conn_sock(c);

	if (!s)
		return;
	if (stays)
		tcp_rare_own(&st->env, c)->name = s->name;
	s->conn = NULL;
	c->streams = NULL;
	if (!(sock_facts(s) & SOCK_CONNECTED))
		conn_unname(s);
	if (s->goodbye)
		slot_release(st, s);
}

/* The caller has the application wait: both halves of the streams are the stack's. */
bool
conn_forget(struct stack *st, struct sock *s, int64_t now)
{
	if (s->kind == SOCK_KIND_LISTENER || (sock_facts(s) & SOCK_BORN))
		return false;
	if (s->conn) {
		tcp_abort(&st->env, s->conn, TCP_E_NONE, now);
		conn_settle(st, s->conn, now);
	}
	if (s->conn) /* its reset has not left yet */
		detach(st, s->conn, true);
	slot_streams_drop(st, s);
	s->told_written = 0;
	s->err = 0;
	s->kind = SOCK_KIND_PLAIN;
	sock_set_peer(s, &(struct sock_addr){ IP_ANY, 0 });
	conn_unname(s);
	atomic_store_explicit(&s->snd_limit, 0, memory_order_relaxed);
	atomic_store_explicit(&s->accepts, 0, memory_order_relaxed); /* was rcv_urgent */
	atomic_store_explicit(&s->facts, 0, memory_order_release);
	return true;
}

/* `stays`: a small record keeps the tuple, and its place. */
static void
conn_free(struct stack *st, struct tcp_conn *c, const struct tcp_tw *stays)
{
	struct tcp_tuple name;

	if (stays) {
		demux_replace(&st->demux, DEMUX_CONN, c, DEMUX_TW, stays, c->hash);
	} else {
		name = *tcp_name(c);
		port_freed(&st->ports, steer_ports(st, &name.local), &name);
		demux_del(&st->demux, DEMUX_CONN, c, c->hash);
		keeper_look_gone(st, &name, c->hash);
	}
	tcp_conn_release(&st->env, c);
	detach(st, c, false);
	opts_drop(st, c->opts);
	link_remove(&c->tx_link);
	wheel_cancel(&st->wheel, &c->timer);
	c->in_use = 0;
	pool_put(&st->conns, c);
}

/* The records whose turn to go comes next have left all caches since they were made: of the first the
 * place in the demultiplexer is fetched, the second itself. */
static void
tws_ahead(const struct stack *st, const struct list *list)
{
	struct link *first = list_first(list), *second = first ? first->next : NULL;
	const uint8_t *w;

	if (!first || second == &list->head)
		return;
	demux_expect(&st->demux, container_of(first, struct tcp_tw, link)->hash);
	w = (const uint8_t *)container_of(second, struct tcp_tw, link);
	__builtin_prefetch(w);
	__builtin_prefetch(w + sizeof(struct tcp_tw) - 1);
}

/* The oldest record makes room: TIME-WAIT must never refuse work.  It is one of the state that
 * has more of them, so that a flood of one kind does not push the other out. */
static struct tcp_tw *
tw_get(struct stack *st)
{
	bool more = st->n_fin_wait_2 > st->tws.used / 2;
	const struct list *list = more ? &st->fin_wait_2_list : &st->tw_list;
	struct link *l = list_first(list);
	struct tcp_tw *w = pool_get(&st->tws);

	if (w || !l)
		return w;
	tw_free(st, container_of(l, struct tcp_tw, link));
	tws_ahead(st, list);
	return pool_get(&st->tws);
}

void
tw_free(struct stack *st, struct tcp_tw *w)
{
	port_freed(&st->ports, steer_ports(st, &w->tuple.local), &w->tuple);
	demux_del(&st->demux, DEMUX_TW, w, w->hash);
	keeper_look_gone(st, &w->tuple, w->hash);
	link_remove(&w->link);
	st->n_fin_wait_2 -= w->fin_wait_2;
	pool_put(&st->tws, w);
}

#define PLACES_MAX 32u /* looked at for a record that does not belong last */

/* Where a record that ends at `until` belongs on the list of FIN-WAIT-2: sockets may have
 * limits of their own.  NULL: farther from its end than it is worth to look. */
static struct link *
fin_wait_2_place(struct stack *st, int64_t until)
{
	struct link *l = st->fin_wait_2_list.head.prev;

	for (unsigned i = 0; i < PLACES_MAX; i++, l = l->prev)
		if (l == &st->fin_wait_2_list.head ||
		    container_of(l, struct tcp_tw, link)->until <= until)
			return l;
	return NULL;
}

/* The application has gone, our FIN is acknowledged and no ACK of ours is due.  What has been
 * asked to finish stays a connection: it is reset when time is up. */
static bool
awaits_only_a_fin(const struct stack *st, const struct tcp_conn *c, int64_t now)
{
	return st->quiesce_until == TIME_NEVER && c->state == TCP_FIN_WAIT_2 &&
	       (c->flags & TCPF_ORPHAN) && c->ack_at == TIME_NEVER && c->wait_at > now;
}

/* False: there is no record for it, and it stays what it is.  No other makes room for it before
 * it is sure that it has a place; the one that does may have stood just there. */
static bool
conn_to_fin_wait_2(struct stack *st, struct tcp_conn *c, int64_t now)
{
	bool fits = st->cfg.tcp.time_wait_ns > 0 && fin_wait_2_place(st, c->wait_at);
	struct tcp_tw *w = fits ? tw_get(st) : NULL;

	if (!w)
		return false;
	tcp_tw_init(&st->env, w, c, now);
	conn_free(st, c, w);
	link_insert_after(fin_wait_2_place(st, w->until), &w->link);
	st->n_fin_wait_2++;
	return true;
}

void
tw_fin(struct stack *st, struct tcp_tw *w)
{
	st->n_fin_wait_2--;
	link_remove(&w->link);
	list_push_back(&st->tw_list, &w->link);
}

/* TIME-WAIT: only a small record stays behind. */
static void
conn_to_time_wait(struct stack *st, struct tcp_conn *c, int64_t now)
{
	struct tcp_tw *w = st->cfg.tcp.time_wait_ns > 0 ? tw_get(st) : NULL;

	if (w) {
		tcp_tw_init(&st->env, w, c, now);
		list_push_back(&st->tw_list, &w->link);
	}
	conn_free(st, c, w);
}

enum fate
conn_in(struct stack *st, struct tcp_conn *c, const struct tcp_seg *s, int64_t now)
{
	enum fate fate = tcp_in(&st->env, c, s, now);

	if (likely(!(c->flags & TCPF_URG_NEWS)))
		return fate;
	events_urgent(st, c);
	return tcp_in_rest(&st->env, c, s, now);
}

/* Lazily: a node that fires too early finds nothing due and is set again, which
 * is cheaper than moving it with every segment. */
static void
set_timer(struct stack *st, struct tcp_conn *c)
{
	int64_t at = tcp_timer_next(c);

	if (at != TIME_NEVER && (!wheel_is_set(&c->timer) || at < c->timer.at))
		wheel_set(&st->wheel, &c->timer, at);
}

/* Once the peer has everything, an orphan has no use for its streams. */
static bool
streams_unused(const struct tcp_conn *c)
{
	return (c->flags & TCPF_ORPHAN) && c->streams &&
	       (c->state == TCP_FIN_WAIT_2 || c->state == TCP_TIME_WAIT);
}

/* The application was refused room, and has not been told of any since. */
static bool
wants_room(const struct tcp_conn *c)
{
	const struct sock *s = conn_sock(c);

	if (!s || (c->flags & TCPF_ORPHAN))
		return false;
	return atomic_load_explicit(&s->want_space, memory_order_relaxed) != s->told_space;
}

static void
fastopen_look(struct stack *st, struct tcp_conn *c, int64_t now)
{
	if ((c->flags & (TCPF_FASTOPEN | TCPF_PASSIVE)) == (TCPF_FASTOPEN | TCPF_PASSIVE) &&
	    c->state != TCP_SYN_RCVD)
		listener_fastopen_over(st, c, now);
}

/* The states below in which it can. */
static inline bool
ends_here(const struct tcp_conn *c)
{
	return c->state == TCP_CLOSED || c->state == TCP_TIME_WAIT || c->state == TCP_FIN_WAIT_2;
}

/* It may have ended, or nearly so.  True: it is over, and `c` is gone.  Not inlined: what goes on has
 * fewer registers to save. */
static __attribute__((noinline)) bool
over(struct stack *st, struct tcp_conn *c, int64_t now)
{
	enum tcp_owes owes;

	if (!ends_here(c))
		return false;
	owes = tcp_owes(&st->env, c, now);
	if (owes == TCP_OWES_NOTHING && c->state == TCP_CLOSED) {
		conn_free(st, c, NULL);
		return true;
	}
	if (owes == TCP_OWES_NOTHING && c->state == TCP_TIME_WAIT) {
		conn_to_time_wait(st, c, now);
		return true;
	}
	if (owes == TCP_OWES_NOTHING && awaits_only_a_fin(st, c, now) &&
	    conn_to_fin_wait_2(st, c, now))
		return true;
	if (streams_unused(c))
		detach(st, c, true);
	return false;
}

/* Open both ways, and nobody has begun to close it. */
static inline bool
goes_on(const struct tcp_conn *c)
{
	return c->state == TCP_ESTABLISHED && !(c->flags & (TCPF_FASTOPEN | TCPF_ORPHAN));
}

/* False: it is over, and `c` is gone. */
static bool
settle(struct stack *st, struct tcp_conn *c, int64_t now)
{
	bool open = goes_on(c);

	if (unlikely(!open))
		fastopen_look(st, c, now);
	events_conn(st, c);
	tcp_chrono_look(&st->env, c, wants_room(c), now);
	if (unlikely(!open) && over(st, c, now))
		return false;
	set_timer(st, c);
	return true;
}

void
conn_settle(struct stack *st, struct tcp_conn *c, int64_t now)
{
	if (settle(st, c, now))
		txq_put(st, c, tcp_owes(&st->env, c, now));
}

void
conn_blocked(struct stack *st, struct tcp_conn *c, int64_t now)
{
	(void)settle(st, c, now);
}

void
conn_asked(struct stack *st, struct tcp_conn *c, int64_t now)
{
	bool may = goes_on(c) && c->tx_list != TX_WAITS &&
	           !(c->flags & (TCPF_RST | TCPF_SYN_DUE | TCPF_PACED));
	uint32_t unsent = may ? tcp_unsent(c) : 0;

	if (unsent)
		txq_asked(st, c, unsent, now);
	else
		conn_settle(st, c, now);
}

#define ORPHAN_LOOKS 64u /* at connections, in a step */

/* Nobody waits for what it still has to say, and its peer acknowledges nothing; when it is the
 * last eighth of the memory that others need, not even that is asked. */
static bool
must_go(const struct stack *st, const struct tcp_conn *c)
{
	const struct tcp_env *e = &st->env;
	bool last = e->chunks.used - e->spare.n > e->chunks.max - e->chunks.max / 8;

	if (c->in_use != TCP_CONN_IN_USE || !(c->flags & TCPF_ORPHAN) || !c->streams)
		return false;
	return conn_sock(c)->goodbye &&
	       stream_used(&c->streams->snd_w, &c->streams->snd_r) > 0 &&
	       (last || c->retries > 0 || c->probes > 0);
}

/* As Linux's tcp_out_of_memory(). */
void
conns_orphans(struct stack *st, int64_t now)
{
	for (unsigned i = 0; i < ORPHAN_LOOKS && tcp_mem_level(&st->env) == TCP_MEM_SCARCE; i++) {
		struct tcp_conn *c;

		if (++st->orphans_at >= st->conns.fresh)
			st->orphans_at = 0;
		c = pool_at(&st->conns, st->orphans_at);
		if (st->conns.fresh == 0 || !must_go(st, c))
			continue;
		st->fates[ORPHAN_RESET]++;
		tcp_abort(&st->env, c, TCP_E_NOBUFS, now);
		conn_settle(st, c, now);
		if (c->in_use == TCP_CONN_IN_USE)
			detach(st, c, true); /* its reset needs none of the text */
	}
}

/* RFC 4987 3.4: when a flood has taken all records the oldest makes room, so that
 * a peer whose ACK takes less time than the flood to come around is served. */
static struct half_open *
half_open_get(struct stack *st)
{
	struct half_open *h = pool_get(&st->half_opens);

	if (h || list_empty(&st->half_open_list))
		return h;
	st->fates[DROP_HALF_OPEN]++;
	half_open_free(st, container_of(list_first(&st->half_open_list), struct half_open, age));
	return pool_get(&st->half_opens);
}

struct half_open *
half_open_new(struct stack *st, const struct tcp_tuple *t, uint32_t hash)
{
	struct half_open *h = half_open_get(st);

	if (!h)
		return NULL;
	memset(h, 0, sizeof *h);
	h->req.tuple = *t;
	if (!demux_add(&st->demux, DEMUX_REQ, h, hash)) {
		pool_put(&st->half_opens, h);
		return NULL;
	}
	demux_open(&st->demux, &h->req);
	list_push_back(&st->half_open_list, &h->age);
	return h;
}

void
half_open_replaced(struct stack *st, struct half_open *h)
{
	struct listener *l = listener_of(st, h->req.listener);

	if (l)
		l->half_open--;
	demux_opened(&st->demux, &h->req);
	link_remove(&h->age);
	link_remove(&h->req.tx_link);
	wheel_cancel(&st->wheel, &h->req.timer);
	pool_put(&st->half_opens, h);
}

void
half_open_free(struct stack *st, struct half_open *h)
{
	demux_del(&st->demux, DEMUX_REQ, h, h->req.hash);
	keeper_look_gone(st, &h->req.tuple, h->req.hash);
	half_open_replaced(st, h);
}

seq_t
conn_isn(const struct stack *st, const struct tcp_tuple *t, int64_t now)
{
	return st->cfg.isn_fixed ? seq_of(st->cfg.isn) : tcp_isn(&st->env.secret, t, now);
}

/* Pool objects that were never given out, or given back, are CLOSED and on no
 * list; an open one is checked whole. */
void
conn_check_all(const struct stack *st)
{
	for (uint32_t i = 0; i < st->conns.fresh; i++) {
		const struct tcp_conn *c = pool_at(&st->conns, i);

		if (c->in_use != TCP_CONN_IN_USE)
			continue;
		tcp_check(&st->env, c);
		assert(tcp_timer_next(c) == TIME_NEVER ||
		       (wheel_is_set(&c->timer) && c->timer.at <= tcp_timer_next(c)));
		assert((c->tx_list != TX_NONE) == link_on_list(&c->tx_link));
	}
}
