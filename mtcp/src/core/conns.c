/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The life of connections, half-open records and TIME-WAIT records on one
 * core: taken from their pools, entered in the demultiplexer, and given back
 * when both the peer and the application are done with them.
 */

#include "core/stack_priv.h"
#include "tcp/tcp_isn.h"
#include "tcp/tcp_timer.h"

struct tcp_conn *
conn_new(struct stack *st, const struct tcp_open *o, uint32_t hash, int64_t now)
{
	struct tcp_conn *c = pool_get(&st->conns);

	if (!c)
		return NULL;
	c->id = pool_index(&st->conns, c);
	tcp_conn_init(&st->env, c, o, now);
	c->hash = hash;
	c->in_use = TCP_CONN_IN_USE;
	if (!demux_add(&st->demux, DEMUX_CONN, c, hash)) {
		c->in_use = 0;
		pool_put(&st->conns, c);
		return NULL;
	}
	trace_add(&st->trace, now, c->id, T_OPEN, o->tuple.lport, o->tuple.rport);
	return c;
}

void
conn_streams(struct tcp_open *o, struct sock *s)
{
	o->snd_r = &s->snd_r;
	o->snd_w = &s->snd_w;
	o->rcv_w = &s->rcv_w;
	o->rcv_r = &s->rcv_r;
	o->snd_cur = &s->snd_cur;
}

static void
detach(struct stack *st, struct tcp_conn *c)
{
	struct sock *s;

	if (c->sock == NO_SOCK)
		return;
	s = &st->ch.socks[c->sock];
	s->conn = NULL;
	c->sock = NO_SOCK;
	c->snd_r = NULL;
	c->snd_w = NULL;
	c->rcv_w = NULL;
	c->rcv_r = NULL;
	c->snd_cur = NULL;
	if (s->goodbye)
		slot_release(st, s);
}

static void
conn_free(struct stack *st, struct tcp_conn *c)
{
	tcp_conn_release(&st->env, c);
	detach(st, c);
	opts_drop(st, c->opts);
	link_remove(&c->tx_link);
	wheel_cancel(&st->wheel, &c->timer);
	demux_del(&st->demux, DEMUX_CONN, c, c->hash);
	c->in_use = 0;
	pool_put(&st->conns, c);
}

/* The oldest record makes room: TIME-WAIT must never refuse work. */
static struct tcp_tw *
tw_get(struct stack *st)
{
	struct tcp_tw *w = pool_get(&st->tws);

	if (w || list_empty(&st->tw_list))
		return w;
	tw_free(st, container_of(list_first(&st->tw_list), struct tcp_tw, link));
	return pool_get(&st->tws);
}

void
tw_free(struct stack *st, struct tcp_tw *w)
{
	demux_del(&st->demux, DEMUX_TW, w, w->hash);
	link_remove(&w->link);
	pool_put(&st->tws, w);
}

/* TIME-WAIT: only a small record stays behind. */
static void
conn_to_time_wait(struct stack *st, struct tcp_conn *c, int64_t now)
{
	struct tcp_tw *w = st->cfg.tcp.time_wait_ns > 0 ? tw_get(st) : NULL;
	uint32_t hash = c->hash;

	if (w)
		tcp_tw_init(&st->env, w, c, now);
	conn_free(st, c);
	if (!w)
		return;
	if (demux_add(&st->demux, DEMUX_TW, w, hash))
		list_push_back(&st->tw_list, &w->link);
	else
		pool_put(&st->tws, w);
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
	return (c->flags & TCPF_ORPHAN) && c->sock != NO_SOCK &&
	       (c->state == TCP_FIN_WAIT_2 || c->state == TCP_TIME_WAIT);
}

/* False: it is over, and `c` is gone. */
static bool
settle(struct stack *st, struct tcp_conn *c, int64_t now)
{
	enum tcp_owes owes = tcp_owes(&st->env, c, now);

	events_conn(st, c);
	if (owes == TCP_OWES_NOTHING && c->state == TCP_CLOSED) {
		conn_free(st, c);
		return false;
	}
	if (owes == TCP_OWES_NOTHING && c->state == TCP_TIME_WAIT) {
		conn_to_time_wait(st, c, now);
		return false;
	}
	if (streams_unused(c))
		detach(st, c);
	set_timer(st, c);
	return true;
}

void
conn_settle(struct stack *st, struct tcp_conn *c, int64_t now)
{
	if (settle(st, c, now))
		txq_put(st, c, now);
}

void
conn_blocked(struct stack *st, struct tcp_conn *c, int64_t now)
{
	(void)settle(st, c, now);
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
	list_push_back(&st->half_open_list, &h->age);
	return h;
}

void
half_open_free(struct stack *st, struct half_open *h)
{
	struct listener *l = listener_of(st, h->req.listener);

	if (l)
		l->half_open--;
	demux_del(&st->demux, DEMUX_REQ, h, h->req.hash);
	link_remove(&h->age);
	link_remove(&h->req.tx_link);
	wheel_cancel(&st->wheel, &h->req.timer);
	pool_put(&st->half_opens, h);
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
