/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TCP's dispatcher: finds who a segment is for, and does what the fate asks
 * for beyond the connection: a reset, a reply from TIME-WAIT, a new connection.
 */

#include "core/stack_priv.h"
#include "tcp/tcp_ecn.h"
#include "tcp/tcp_rare.h"
#include "tcp/tcp_timer.h"

static void
reset(struct stack *st, const struct segment_from *from, const struct tcp_tuple *t,
      const struct tcp_seg *s)
{
	struct tcp_seg rst;

	if (tcp_reset_for(s, &rst))
		txq_stray(st, from, t, &rst);
}

/* Whether a flow unknown here is nobody's.  It may be another core's that has not said so yet:
 * what is sent again is answered. */
static bool
is_sure(const struct stack *st, const struct tcp_seg *s, int64_t now)
{
	return !(s->flags & TCP_ACK) || !steer_is_unsure(&st->steer, now);
}

static void
refuse(struct stack *st, const struct segment_from *from, const struct tcp_tuple *t,
       const struct tcp_seg *s, int64_t now)
{
	if (is_sure(st, s, now))
		reset(st, from, t, s);
}

static enum fate
to_listener(struct stack *st, struct listener *l, const struct segment_from *from,
            const struct tcp_tuple *t, uint32_t hash, const struct tcp_seg *s, int64_t now)
{
	enum fate fate;

	/* RFC 9293 3.10.7.2: first RST, second ACK, third SYN. */
	if (s->flags & TCP_RST)
		return DROP_NO_CONN_RST;
	if (s->flags & TCP_ACK) {
		fate = s->flags & TCP_SYN ? DROP_NO_CONN
		                          : listener_cookie(st, l, from, t, hash, s, now);
		if (fate == DROP_NO_CONN || fate == DROP_COOKIE)
			refuse(st, from, t, s, now);
		return fate;
	}
	if (!(s->flags & TCP_SYN) || (s->flags & TCP_FIN))
		return DROP_LISTEN;
	return listener_syn(st, l, from, t, hash, s, seq_of(0), false, now);
}

/* A SYN that was sent to us as one who listens, by a core that could not know better; when it comes
 * again it goes to one who does. */
static bool
came_too_late(const struct stack *st, const struct segment_from *from, const struct tcp_tuple *t,
              const struct tcp_seg *s)
{
	return from->pkt && (from->pkt->flags & STEER_KEEP) && !(s->flags & TCP_ACK) &&
	       steer_others_listen(st, t->lport);
}

/* A SYN that nobody answers yet, or any more: refused, its sender would not try again and find who comes
 * next. */
static bool
comes_again(const struct stack *st, const struct tcp_tuple *t, const struct tcp_seg *s, int64_t now)
{
	return (s->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN &&
	       (now < st->deaf_until || listener_is_deaf(st, t));
}

static enum fate
to_nobody(struct stack *st, const struct segment_from *from, const struct tcp_tuple *t,
          uint32_t hash, const struct tcp_seg *s, int64_t now)
{
	enum fate fate = steer_segment(st, from, t, hash, s, now);
	struct listener *l;

	if (fate != SEG_OK)
		return fate;
	if ((l = listener_find(st, t))) {
		fate = to_listener(st, l, from, t, hash, s, now);
		if (st->steer.lodges)
			keeper_lodge(st, t, hash);
		return fate;
	}
	if (s->flags & TCP_RST)
		return DROP_NO_CONN_RST;
	if (came_too_late(st, from, t, s))
		return DROP_CORE_GONE;
	if (comes_again(st, t, s, now))
		return DROP_DEAF;
	if (st->port[from->port].except.io && is_sure(st, s, now))
		return TO_KERNEL;
	refuse(st, from, t, s, now);
	return DROP_NO_CONN;
}

static enum fate
to_half_open(struct stack *st, struct half_open *h, const struct segment_from *from,
             const struct tcp_tuple *t, const struct tcp_seg *s, int64_t now)
{
	enum fate fate = tcp_req_in(&st->env, &h->req, s, now);
	struct tcp_seg ack;

	switch (fate) {
	case SEG_OK:
		return listener_ack(st, h, s, now);
	case SYN_AGAIN:
		txq_put_synack(st, h);
		break;
	case REQ_RESET:
		half_open_free(st, h);
		break;
	case DROP_HANDSHAKE_RESET:
		reset(st, from, t, s);
		break;
	default:
		if (tcp_req_answer(&st->env, &h->req, s, fate, now, &ack))
			txq_stray(st, from, t, &ack);
		break;
	}
	return fate;
}

/* Nobody listens here any more.  Others may: what was kept for them to see no old segments goes,
 * and the SYN finds them, now or, if it was sent to us as its keeper, when it comes again. */
static enum fate
reopen_elsewhere(struct stack *st, struct tcp_tw *w, const struct segment_from *from,
                 const struct tcp_tuple *t, uint32_t hash, const struct tcp_seg *s, int64_t now)
{
	if (!steer_others_listen(st, t->lport) && comes_again(st, t, s, now))
		return DROP_DEAF;
	if (!steer_others_listen(st, t->lport)) { /* as for CLOSED; a forged SYN does not end the wait */
		reset(st, from, t, s);
		return DROP_NO_CONN;
	}
	tw_free(st, w);
	return from->pkt && (from->pkt->flags & STEER_KEEP) ? DROP_CORE_GONE
	                                                    : to_nobody(st, from, t, hash, s, now);
}

static enum fate
to_time_wait(struct stack *st, struct tcp_tw *w, const struct segment_from *from,
             const struct tcp_tuple *t, uint32_t hash, const struct tcp_seg *s, int64_t now)
{
	struct tcp_seg reply;
	struct listener *l;
	seq_t min_iss;
	int64_t until = w->until;
	enum fate fate = tcp_tw_in(&st->env, w, s, now, &reply);

	switch (fate) {
	case TW_ACKED:
		txq_stray(st, from, t, &reply);
		if (w->until == until)
			break;
		link_remove(&w->link); /* it was the FIN: last in the list again */
		list_push_back(&st->tw_list, &w->link);
		break;
	case TW_REOPENED:
		min_iss = tcp_tw_min_iss(w);
		l = listener_find(st, t);
		if (!l)
			return reopen_elsewhere(st, w, from, t, hash, s, now);
		fate = listener_syn(st, l, from, t, hash, s, min_iss, true, now);
		if (fate != SYN_TAKEN && fate != SYN_FASTOPEN)
			break; /* it comes again, and finds the record as it was */
		tw_free(st, w);
		return TW_REOPENED;
	case TW_FIN:
		txq_stray(st, from, t, &reply);
		tw_fin(st, w);
		break;
	case DROP_AFTER_CLOSE:
		txq_stray(st, from, t, &reply);
		tw_free(st, w);
		break;
	case TW_RESET:
		tw_free(st, w);
		break;
	default:
		break;
	}
	return fate;
}

/* Forward progress, either way, shows that what we send arrives (RFC 4861 7.3.1): new text
 * would not come if our ACKs were lost.  Whose neighbour has been forgotten meanwhile learns
 * the way from the segment itself: replies to ARP may all go to another core. */
static void
made_progress(struct stack *st, const struct segment_from *from, const struct ip_addr *peer,
              int64_t now)
{
	unsigned port;
	struct neigh_entry *e;

	if (st->proved_at == now && ip_addr_eq(&st->proved, peer))
		return; /* as the segment before */
	st->proved_at = now;
	st->proved = *peer;
	e = ip_way_known(st, peer, now, &port);
	if (likely(e != NULL))
		neigh_confirm(&st->port[port].neigh, e, now);
	else
		ip_learn_way(st, peer, from, now);
}

/* The peer's FIN has ended it: its ACK leaves as that of a TIME-WAIT record would, which can take its
 * place at once. */
static void
last_ack(struct stack *st, struct tcp_conn *c, const struct segment_from *from,
         const struct tcp_tuple *t, int64_t now)
{
	struct tcp_seg ack;

	if (c->tos != 0 || c->ttl != st->cfg.tcp.ttl || /* a stray's are the default */
	    (c->ecn & ECN_ACK_FIRST)) /* this is not all that is owed */
		return;
	if (st->n_strays < STACK_STRAYS && tcp_owes(&st->env, c, now) == TCP_OWES_ACK &&
	    tcp_out_next(&st->env, c, now, &ack))
		txq_stray(st, from, t, &ack);
}

static enum fate
to_connection(struct stack *st, struct tcp_conn *c, const struct segment_from *from,
              const struct tcp_tuple *t, const struct tcp_seg *s, int64_t now)
{
	seq_t una = c->snd_una, nxt = c->rcv_nxt;
	bool synchronized = tcp_synchronized(c->state), progress;
	struct ip_addr peer = t->remote; /* `t` may be the connection's own, and go with it */
	enum fate fate = conn_in(st, c, s, now);

	if (fate != SEG_OK)
		trace_add(&st->trace, now, c->id, T_FATE, fate, s->seq.v);
	if (fate == DROP_HANDSHAKE_RESET)
		reset(st, from, t, s);
	if (fate == DROP_NO_CONN && !(c->flags & TCPF_RST) && c->state == TCP_CLOSED)
		fate = SEG_OK; /* LAST-ACK: its last ACK has closed it */
	if (unlikely(c->state == TCP_TIME_WAIT))
		last_ack(st, c, from, t, now);
	progress = seq_lt(una, c->snd_una) || (synchronized && seq_lt(nxt, c->rcv_nxt));
	conn_settle(st, c, now);
	if (progress) /* last: it lets go on who waited, and that may be `c` */
		made_progress(st, from, &peer, now);
	return fate;
}

static enum fate
dispatch(struct stack *st, const struct segment_from *from, const struct tcp_tuple *t,
         uint32_t hash, const struct tcp_seg *s, int64_t now)
{
	void *found;

	switch (demux_find(&st->demux, t, hash, &found)) {
	case DEMUX_CONN:
		demux_remember(&st->demux, found);
		return to_connection(st, found, from, t, s, now);
	case DEMUX_REQ:
		return to_half_open(st, found, from, t, s, now);
	case DEMUX_TW:
		return to_time_wait(st, found, from, t, hash, s, now);
	case DEMUX_NONE:
		break;
	}
	return to_nobody(st, from, t, hash, s, now);
}

enum fate
segment_in_conn(struct stack *st, struct tcp_conn *c, const struct segment_from *from,
                const struct tcp_seg *s, int64_t now)
{
	return to_connection(st, c, from, tcp_name(c), s, now);
}

enum fate
segment_in_opening(struct stack *st, struct tcp_req *r, const struct segment_from *from,
                   const struct tcp_seg *s, int64_t now)
{
	struct tcp_tuple t = r->tuple; /* the record may be gone before the answer is written */

	return to_half_open(st, container_of(r, struct half_open, req), from, &t, s, now);
}

enum fate
segment_in(struct stack *st, const struct segment_from *from, const struct tcp_tuple *t,
           const struct tcp_seg *s, int64_t now)
{
	uint32_t hash = demux_hash(&st->demux, t);
	enum fate fate = dispatch(st, from, t, hash, s, now);

	if (unlikely(from->pkt && (from->pkt->flags & STEER_KEEP)))
		keeper_kept(st, t, hash, fate);
	return fate;
}

/* RFC 5927: only what quotes a segment in flight counts. */
void
segment_icmp_error(struct stack *st, const struct icmp_error *err, unsigned hop, int64_t now)
{
	struct tcp_tuple t = { err->src, err->dst, err->sport, err->dport };
	uint32_t hash = demux_hash(&st->demux, &t);
	struct tcp_conn *c;
	void *found;

	if (err->proto == IP_PROTO_UDP) {
		udp_icmp_error(st, err, hop, now);
		return;
	}
	if (demux_find(&st->demux, &t, hash, &found) != DEMUX_CONN) {
		if (!words_icmp(st, err, &t, hash, hop))
			st->fates[DROP_ICMP_QUOTE]++;
		return;
	}
	c = found;
	if (!tcp_icmp_valid(c, err->seq)) {
		st->fates[DROP_ICMP_QUOTE]++;
		return;
	}
	if (err->type == ICMP4_UNREACHABLE && err->code == ICMP4_CODE_FRAG_NEEDED)
		tcp_icmp_frag_needed(&st->env, c, err->mtu, now);
	else if (err->type == ICMP4_UNREACHABLE)
		tcp_icmp_unreachable(&st->env, c,
		                     err->code == 0   ? TCP_E_NETUNREACH
		                     : err->code <= 3 && err->code >= 2 ? TCP_E_REFUSED
		                                      : TCP_E_HOSTUNREACH,
		                     now);
	conn_settle(st, c, now);
}

/* --------------------------------------------------------------- timers -- */

/* Connections and half-open records hang their nodes on one wheel: whose node
 * it is shows from whose pool it lies in. */
static bool
in_pool(const struct pool *p, const void *obj)
{
	const uint8_t *at = obj;

	return at >= p->base && at < p->base + (size_t)p->stride * p->max;
}

static void
timer_fired(struct stack *st, struct wheel_node *n, int64_t now)
{
	if (in_pool(&st->conns, n)) {
		struct tcp_conn *c = container_of(n, struct tcp_conn, timer);

		tcp_timer_run(&st->env, c, now);
		conn_settle(st, c, now);
	} else {
		struct half_open *h = container_of(n, struct half_open, req.timer);

		if (!tcp_req_expired(&st->env, &h->req)) {
			half_open_free(st, h);
			return;
		}
		wheel_set(&st->wheel, &h->req.timer, now + h->req.rto_ns);
		if (h->req.due)
			txq_put_synack(st, h);
	}
}

static int64_t
tws_deadline(const struct list *list)
{
	struct link *l = list_first(list);

	return l ? container_of(l, struct tcp_tw, link)->until : TIME_NEVER;
}

static void
tws_expire(struct stack *st, const struct list *list, int64_t now)
{
	while (tws_deadline(list) <= now)
		tw_free(st, container_of(list_first(list), struct tcp_tw, link));
}

void
segment_timers(struct stack *st, int64_t now)
{
	struct wheel_node *n;

	wheel_advance(&st->wheel, now);
	while ((n = wheel_pop(&st->wheel)))
		timer_fired(st, n, now);
	tws_expire(st, &st->tw_list, now);
	tws_expire(st, &st->fin_wait_2_list, now);
}

int64_t
segment_deadline(const struct stack *st)
{
	int64_t timer = wheel_next(&st->wheel), tw = tws_deadline(&st->tw_list);
	int64_t fin_wait_2 = tws_deadline(&st->fin_wait_2_list), at = min(timer, tw);

	return min(at, fin_wait_2);
}
