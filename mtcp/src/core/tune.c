/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tunables that change while a stack runs.  Most are read when they are needed,
 * so a new value counts from then on.  What remembers an old value is here:
 * timers that were computed from it, TIME-WAIT records, empty packets of the old
 * MTU, and what a SYN has announced already.
 */
#include "core/stack_priv.h"
#include "tcp/tcp_fastopen.h"
#include "tcp/tcp_timer.h"
#include "tcp/tcp_window.h"

static bool
in_handshake(const struct tcp_conn *c)
{
	return c->state == TCP_SYN_SENT || c->state == TCP_SYN_RCVD;
}

static bool
handshake_under_way(const struct stack *st)
{
	for (uint32_t i = 0; i < st->conns.fresh; i++) {
		const struct tcp_conn *c = pool_at(&st->conns, i);

		if (c->in_use == TCP_CONN_IN_USE && in_handshake(c))
			return true;
	}
	return st->half_opens.used > 0;
}

/* What both sides of a handshake must mean the same by. */
static bool
announces_otherwise(const struct tcp_cfg *is, const struct tcp_cfg *to)
{
	return is->timestamps != to->timestamps || is->ts_plain != to->ts_plain ||
	       is->sack != to->sack ||
	       is->window_scaling != to->window_scaling || is->ecn != to->ecn ||
	       tcp_window_shift(is->rcvbuf_max) != tcp_window_shift(to->rcvbuf_max);
}

/* Records stand in the order of their ends: those that would end later than a new
 * one end with it. */
static void
shorten_time_wait(struct stack *st, int64_t now)
{
	list_for_each(n, &st->tw_list) {
		struct tcp_tw *w = container_of(n, struct tcp_tw, link);

		w->until = min(w->until, now + st->cfg.tcp.time_wait_ns);
	}
}

static void
retime(struct stack *st, int64_t now)
{
	for (uint32_t i = 0; i < st->conns.fresh; i++) {
		struct tcp_conn *c = pool_at(&st->conns, i);
		int64_t most;

		if (c->in_use != TCP_CONN_IN_USE)
			continue;
		most = max(st->cfg.tcp.rto_max_ns, SEC(3));
		c->rto_us = (uint32_t)(min(tcp_rto_ns(c), most) / NS_PER_US);
		tcp_timer_retune(&st->env, c, now);
		conn_settle(st, c, now);
	}
}

static void
set_ephemeral(struct stack *st, const struct stack_cfg *cfg)
{
	if (cfg->ephemeral_lo == st->cfg.ephemeral_lo && cfg->ephemeral_hi == st->cfg.ephemeral_hi)
		return;
	st->cfg.ephemeral_lo = cfg->ephemeral_lo;
	st->cfg.ephemeral_hi = cfg->ephemeral_hi;
	port_set_range(&st->ports, cfg->ephemeral_lo, cfg->ephemeral_hi);
}

static void
set_mtu(struct stack_port *p, uint16_t mtu)
{
	p->cfg.mtu = mtu;
	p->mtu = mtu ? min(mtu, p->info.mtu) : p->info.mtu;
	io_release(p->io, p->fresh, p->n_fresh); /* their room may be too small now */
	p->n_fresh = 0;
}

bool
stack_tune(struct stack *st, const struct stack_cfg *cfg, int64_t now)
{
	bool otherwise = announces_otherwise(&st->cfg.tcp, &cfg->tcp);

	if (otherwise && handshake_under_way(st))
		return false;
	if (otherwise) /* what was said with a cookie is not remembered: they are void */
		st->cookies_until = now;
	if (memcmp(&st->cfg.tcp.fastopen_key, &cfg->tcp.fastopen_key,
	           sizeof cfg->tcp.fastopen_key) != 0)
		tcp_fastopen_keys(&st->env.fastopen, &cfg->tcp, &st->env.clock_key);
	st->cfg.tcp = cfg->tcp;
	st->cfg.rx_burst = cfg->rx_burst;
	st->cfg.rx_bursts = cfg->rx_bursts;
	st->cfg.tx_control = cfg->tx_control;
	st->cfg.tx_ack = cfg->tx_ack;
	st->cfg.tx_data = cfg->tx_data;
	set_ephemeral(st, cfg);
	for (unsigned i = 0; i < st->cfg.n_ports; i++)
		if (st->port[i].cfg.mtu != cfg->port[i].mtu)
			set_mtu(&st->port[i], cfg->port[i].mtu);
	shorten_time_wait(st, now);
	retime(st, now);
	return true;
}
