/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Transmission: control first, then ACKs, then data, each with a quota per
 * step, so that control cannot starve data and one connection not another.  Data that
 * finds nobody waiting leaves when the application asks, as the first of its list.  A
 * connection that may not send now leaves its list; the event that unblocks it
 * puts it back.  If an engine is full, what would leave by it stays; what leaves
 * by another does not wait for it.
 */

#include "core/stack_priv.h"
#include "tcp/tcp_rare.h"
#include "tcp/tcp_urgent.h"

#define SEGMENTS_PER_TURN 16u /* of one connection, before the next one's turn */
#define PATIENCE_NS US(50) /* that an ACK has for an application on a CPU of its own */

static struct list *
list_of(struct stack *st, enum tx_list l)
{
	switch (l) {
	case TX_CONTROL:
		return &st->tx_control;
	case TX_ACK:
		return &st->tx_ack;
	case TX_SOON:
		return &st->tx_soon;
	case TX_DATA:
		return &st->tx_data;
	case TX_NONE:
	case TX_WAITS:
		break;
	}
	return NULL;
}

static enum tx_list
wanted_list(enum tcp_owes owes)
{
	switch (owes) {
	case TCP_OWES_CONTROL:
		return TX_CONTROL;
	case TCP_OWES_ACK:
		return TX_ACK;
	case TCP_OWES_ACK_SOON:
		return TX_SOON;
	case TCP_OWES_DATA:
		return TX_DATA;
	case TCP_OWES_NOTHING:
		break;
	}
	return TX_NONE;
}

void
txq_put(struct stack *st, struct tcp_conn *c, enum tcp_owes owes)
{
	enum tx_list want = wanted_list(owes);

	if (c->tx_list == want || (c->tx_list == TX_WAITS && want != TX_NONE))
		return;
	link_remove(&c->tx_link);
	c->tx_list = (uint8_t)want;
	if (want != TX_NONE)
		list_push_back(list_of(st, want), &c->tx_link);
}

void
txq_put_synack(struct stack *st, struct half_open *h)
{
	if (!link_on_list(&h->req.tx_link))
		list_push_back(&st->tx_synack, &h->req.tx_link);
}

/* Whatever is to be reset, half of the room is for those who wait for an answer: a SYN-ACK
 * with a cookie is never repeated. */
void
txq_stray(struct stack *st, const struct segment_from *from, const struct tcp_tuple *t,
          const struct tcp_seg *s)
{
	if (st->n_strays < (s->flags & TCP_RST ? STACK_STRAYS / 2 : STACK_STRAYS))
		st->stray[st->n_strays++] =
		    (struct stray){ *t, *s, from->mac, (uint8_t)from->port };
}

/* Nothing more can leave by any port.  While one can, whoever waits for another
 * makes room for whoever does not. */
static bool
all_full(const struct stack *st)
{
	for (unsigned i = 0; i < st->cfg.n_ports; i++) {
		const struct stack_port *p = &st->port[i];

		if (!p->full || (p->n_out < IO_BURST && p->n_fresh > 0))
			return false;
	}
	return true;
}

static unsigned
strays_run(struct stack *st, int64_t now)
{
	unsigned kept = 0, n = st->n_strays;

	for (unsigned i = 0; i < n; i++) {
		struct stray *y = &st->stray[i];
		struct ip_way way = { y->port, y->mac };

		if (ip_room(st, y->port, now))
			ip_segment_out(st, &way, &y->tuple, &y->seg, NULL);
		else if (kept++ < i)
			st->stray[kept - 1] = *y;
	}
	st->n_strays = kept;
	return n - kept;
}

static unsigned
synacks_run(struct stack *st, unsigned quota, int64_t now)
{
	unsigned n = 0;
	struct link *l;

	for (unsigned i = 0; i < quota && (l = list_first(&st->tx_synack)); i++) {
		struct half_open *h = container_of(l, struct half_open, req.tx_link);
		struct ip_way way = { h->port, h->mac };
		struct tcp_seg s;

		link_remove(l);
		if (!ip_room(st, h->port, now)) {
			list_push_back(&st->tx_synack, l);
			if (all_full(st))
				break;
			continue;
		}
		/* The timer is not moved: who repeats its SYN shall not keep the record. */
		(void)tcp_req_synack(&st->env, &h->req, now, &s);
		ip_segment_out(st, &way, &h->req.tuple, &s, NULL);
		n++;
	}
	return n;
}

/* No way to the peer: the segment counts as sent and lost, so that the timer
 * decides how long this may last; and one is enough to start it: more of them would
 * only make the recovery longer, should the way come back.  A neighbour for whom
 * there is no entry is nobody's fault but ours: that is no error, the timer asks again.
 * False: nothing may leave now anyway. */
static bool
send_nowhere(struct stack *st, struct tcp_conn *c, enum ip_way_answer why, int64_t now)
{
	struct tcp_seg s;
	bool sent;

	if (why != WAY_NO_ROOM && c->state != TCP_CLOSED)
		tcp_icmp_unreachable(&st->env, c,
		                     why == WAY_NO_ROUTE ? TCP_E_NETUNREACH
		                                         : TCP_E_HOSTUNREACH,
		                     now);
	if (tcp_owes(&st->env, c, now) == TCP_OWES_DATA && c->xmit && c->xmit->pipe > 0)
		return false;
	sent = tcp_out_next(&st->env, c, now, &s);
	stats_add(&st->stats.tx_drops, sent);
	return sent;
}

/* One connection's turn: as many segments as it may and there is room for. */
static unsigned
conn_turn(struct stack *st, struct tcp_conn *c, unsigned quota, int64_t now)
{
	struct ip_way way;
	struct tcp_seg s;
	unsigned n = 0;
	bool full = false;
	enum ip_way_answer answer;

	link_remove(&c->tx_link);
	c->tx_list = TX_NONE;
	answer = ip_way_find(st, &tcp_name(c)->remote, &c->tx_link, now, &way);
	if (answer == WAY_WAITING) {
		c->tx_list = TX_WAITS;
		return 0;
	}
	if (answer != WAY_FOUND) {
		if (send_nowhere(st, c, answer, now))
			conn_settle(st, c, now);
		else
			conn_blocked(st, c, now);
		return 1;
	}
	while (n < quota && !(full = !ip_room(st, way.port, now)) &&
	       tcp_out_next(&st->env, c, now, &s)) {
		/* Said before its text was written: who has seen the text can see it now. */
		if (s.len && jobs_urgent(st, c))
			tcp_urgent_mark(c, &s);
		ip_segment_out(st, &way, tcp_name(c), &s, c);
		n++;
		if (s.last)
			break;
	}
	if (n < quota && !full)
		conn_blocked(st, c, now);
	else
		conn_settle(st, c, now);
	return n;
}

/* Its lines are in the cache, and a place on a list would be made for nothing.  Who has more than a
 * segment takes turns with the others; the quota is that of data. */
void
txq_asked(struct stack *st, struct tcp_conn *c, uint32_t unsent, int64_t now)
{
	unsigned quota = st->cfg.tx_data - st->at_once;

	if (likely(unsent <= c->mss && quota > 0 && !txq_waiting(st)))
		st->at_once += conn_turn(st, c, min(quota, SEGMENTS_PER_TURN), now);
	else
		txq_put(st, c, TCP_OWES_DATA);
}

static unsigned
conns_run(struct stack *st, struct list *list, unsigned quota, int64_t now)
{
	unsigned n = 0;
	struct link *l;
	struct list turn;

	/* Only who is on the list now: a connection that asks again waits for
	 * the next round. */
	list_init(&turn);
	list_splice_back(&turn, list);
	for (unsigned i = 0; i < quota && n < quota && (l = list_first(&turn)); i++) {
		n += conn_turn(st, container_of(l, struct tcp_conn, tx_link),
		               min(quota - n, SEGMENTS_PER_TURN), now);
		if (all_full(st))
			break;
	}
	list_splice_back(&turn, list);
	list_splice_back(list, &turn);
	return n;
}

/* Most lists are empty in most steps. */
static inline unsigned
list_run(struct stack *st, struct list *list, unsigned quota, int64_t now)
{
	return list_empty(list) ? 0 : conns_run(st, list, quota, now);
}

/* ACKs that text of the application's may carry: those that came in this step wait for the next
 * at least, and PATIENCE_NS.  On one CPU the application's turn lies between the two.  Whose text
 * has come meanwhile is with the data; the others are ACKs as any from then on, before the data: a port
 * that this keeps full would never see them, and the peer send again what they acknowledge. */
static void
held_end(struct stack *st, int64_t now)
{
	struct link *l;

	if (now < st->held_until)
		return;
	while ((l = list_first(&st->tx_held))) {
		struct tcp_conn *c = container_of(l, struct tcp_conn, tx_link);

		link_remove(l);
		c->flags &= ~TCPF_ACK_SOON;
		c->tx_list = TX_ACK;
		list_push_back(&st->tx_ack, l);
	}
}

static void
held_begin(struct stack *st, int64_t now)
{
	if (!list_empty(&st->tx_held) || list_empty(&st->tx_soon))
		return;
	list_splice_back(&st->tx_held, &st->tx_soon);
	st->held_until = now + PATIENCE_NS;
}

unsigned
txq_run(struct stack *st, int64_t now)
{
	unsigned n = strays_run(st, now), data = st->cfg.tx_data - st->at_once;

	n += st->at_once;
	st->at_once = 0;
	n += synacks_run(st, st->cfg.tx_control, now);
	n += list_run(st, &st->tx_control, st->cfg.tx_control, now);
	held_end(st, now);
	n += list_run(st, &st->tx_ack, st->cfg.tx_ack, now);
	n += list_run(st, &st->tx_data, data, now);
	held_begin(st, now);
	return n;
}

bool
txq_waiting(const struct stack *st)
{
	return st->n_strays || !list_empty(&st->tx_synack) || !list_empty(&st->tx_control) ||
	       !list_empty(&st->tx_ack) || !list_empty(&st->tx_data);
}
