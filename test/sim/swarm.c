/* SPDX-License-Identifier: BSD-3-Clause */
/* Every draw in one place, in one order: a seed means the same run for ever only as long as
 * nothing is drawn before what stands here. */

#include "test/sim/swarm.h"

#include <inttypes.h>
#include <stdio.h>

#include "tcp/tcp_cc.h"
#include "tcp/tcp_cookie.h"
#include "tcp/tcp_isn.h"

static bool
one_in(struct rng *r, uint32_t n)
{
	return rng_below(r, n) == 0;
}

/* Half of the runs leave a fault out altogether. */
static uint32_t
maybe(struct rng *r, uint32_t limit)
{
	return one_in(r, 2) ? rng_below(r, limit) : 0;
}

static uint32_t
between(struct rng *r, uint32_t lo, uint32_t hi)
{
	return lo + rng_below(r, hi - lo + 1);
}

/* -------------------------------------------------------------- the line -- */

static void
draw_net(struct swarm *s, struct rng *r)
{
	struct net_cfg *n = &s->net;
	int64_t dark = SEC(between(r, 1, 120));

	n->seed = rng_u64(r);
	n->latency_ns = one_in(r, 4) ? US(50) : MS(between(r, 1, 60));
	n->loss = maybe(r, 150000);
	n->dup = maybe(r, 50000);
	n->corrupt = maybe(r, 30000);
	n->arp_loss = maybe(r, 500000);
	n->split = maybe(r, 300000);
	n->jitter_ns = maybe(r, 20000000);
	n->full = maybe(r, 300000);
	n->starve = maybe(r, 300000);
	if (one_in(r, 3)) {
		n->rate_bps = between(r, 1, 100) * 1000000u;
		n->queue = between(r, 5, 100);
	}
	n->dark_from = n->dark_to = TIME_NEVER;
	if (one_in(r, 4)) {
		n->dark_from = MS(between(r, 0, 5000));
		n->dark_to = n->dark_from + dark;
	}
	n->caps = rng_below(r, 16); /* any of the four sums */
}

/* ------------------------------------------------------------ the stacks -- */

/* A choice among few values, so that each is met often. */
static uint32_t
pick(struct rng *r, const uint32_t *of, unsigned n)
{
	return of[rng_below(r, n)];
}
#define PICK(r, ...)                                                                           \
	pick(r, (const uint32_t[]){ __VA_ARGS__ },                                             \
	     sizeof((uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

static void
draw_tcp(struct tcp_cfg *t, struct rng *r)
{
	t->cc = one_in(r, 2) ? &cc_cubic : &cc_reno;
	t->timestamps = !one_in(r, 4);
	t->sack = !one_in(r, 4);
	t->window_scaling = !one_in(r, 4);
	t->initial_cwnd = PICK(r, 10, 10, 1, 2, 4);
	t->quickack = PICK(r, 16, 16, 0);
	t->slow_start_after_idle = one_in(r, 2);
	t->reass_runs = PICK(r, 256, 256, 4, 1);
	/* Whoever is cut off for two minutes must not give up. */
	t->retries = t->orphan_retries = 30;
	t->syn_retries = t->synack_retries = 12;
	t->keepidle_ns = SEC(20);
	t->keepintvl_ns = SEC(5);
	t->keepcnt = 5;
	if (one_in(r, 2)) {
		t->rcvbuf = t->rcvbuf_max = PICK(r, 2048, 3000, 8192, 65535, 200000);
		t->sndbuf = t->sndbuf_max = PICK(r, 2048, 4096, 65536, 200000);
	}
}

static void
draw_stack(struct swarm *s, unsigned i, struct rng *r)
{
	struct stack_cfg *c = &s->cfg[i];

	host_cfg(c, i, rng_u64(r));
	draw_tcp(&c->tcp, r);
	c->port[0].mtu = (uint16_t)PICK(r, 1500, 1500, 1500, 576, 1280, 296, 1006);
	c->rx_burst = PICK(r, 32, 32, 1, 7);
	c->rx_bursts = PICK(r, 4, 1);
	c->tx_control = PICK(r, 256, 1, 5);
	c->tx_ack = PICK(r, 256, 1, 5);
	c->tx_data = PICK(r, 256, 1, 20);
	if (one_in(r, 4))
		c->max_in_flight = PICK(r, 4, 16, 64);
	if (one_in(r, 3))
		c->max_chunks = PICK(r, 96, 128, 320, 1024);
	if (s->tight) {
		c->max_conns = between(r, 2, 10);
		c->max_half_open = between(r, 1, 5);
		c->max_time_wait = between(r, 1, 5);
		c->max_socks = between(r, 70, 100);
	}
}

/* ------------------------------------------------------------- the flows -- */

static uint32_t
draw_total(struct rng *r, uint32_t budget)
{
	switch (rng_below(r, 4)) {
	case 0:
		return rng_below(r, 10);
	case 1:
		return between(r, 1, 8) * PICK(r, 1448, 1460, 536, 524) + rng_below(r, 3);
	case 2:
		return rng_below(r, 20000);
	default:
		return rng_below(r, budget);
	}
}

static void
draw_end(struct swarm_end *e, struct rng *r, uint32_t budget)
{
	static const uint16_t bits[] = { 0, 0, 0, SOCK_OPT_NODELAY, SOCK_OPT_CORK };

	*e = (struct swarm_end){
		.total = draw_total(r, budget),
		.slice = PICK(r, 65536, 65536, 1, 100, 1448, 3000),
		.pause = one_in(r, 3) ? MS(rng_below(r, 300)) : 0,
		.lazy = maybe(r, 995000),
		.gulp = PICK(r, 65536, 65536, 1000, 100),
		.mode = (enum swarm_end_mode)rng_below(r, SWARM_N_MODES),
		.opt_bits = bits[rng_below(r, 5)],
		.abort_after = UINT32_MAX,
	};
	/* A byte now and then takes for ever: only for short ones. */
	e->slice = max(e->slice, e->total / 200 + 1);
	e->gulp = max(e->gulp, budget / 500 + 1);
}

static void
draw_flow(struct swarm *s, unsigned i, struct rng *r, uint32_t budget, bool aborts)
{
	struct swarm_flow *f = &s->flow[i];

	f->client = rng_below(r, 2);
	f->bind = i == 0 ? SWARM_BOUND : 0;
	f->start = i == 0 ? 0 : MS(rng_below(r, 3000));
	f->cross = i > 0 && one_in(r, 8);
	for (unsigned k = 0; k < 2; k++) {
		draw_end(&f->end[k], r, budget);
		/* Every byte now and then would be a frame, dead link or not. */
		if (s->net.dark_from != TIME_NEVER && f->end[k].pause)
			f->end[k].opt_bits = 0;
	}
	f->may_fail = aborts && one_in(r, 3);
	if (f->may_fail) {
		struct swarm_end *e = &f->end[rng_below(r, 2)];

		e->abort_after = rng_below(r, e->total + 1000);
		e->gently = one_in(r, 2);
	}
	if (f->may_fail || swarm_lenient(s)) { /* or the other end would never know */
		f->end[0].opt_bits |= SOCK_OPT_KEEPALIVE;
		f->end[1].opt_bits |= SOCK_OPT_KEEPALIVE;
	}
}

/* Flow 1 takes the same ports as soon as flow 0 is over, which may have left a TIME-WAIT
 * behind (RFC 6191). */
static void
draw_successor(struct swarm *s, struct rng *r)
{
	struct swarm_flow *f = &s->flow[1];

	if (s->n_flows < 2 || !one_in(r, 2))
		return;
	f->client = s->flow[0].client;
	f->bind = SWARM_BOUND;
	f->cross = false;
	f->start = TIME_NEVER;
}

/* Sets host `i`'s clock so that flow 0 meets 2^32 soon: its sequence numbers (RFC 9293 3.4.1),
 * or its timestamps. */
static void
aim_clock(struct swarm *s, unsigned i, struct rng *r)
{
	const struct swarm_flow *f = &s->flow[0];
	const struct siphash_key *key = &s->cfg[i].secret;
	bool client = f->client == i;
	struct tcp_tuple t = { s->v6 ? host_ip6(i) : host_ip(i),
		               s->v6 ? host_ip6(!i) : host_ip(!i),
		               client ? SWARM_BOUND : SWARM_PORT,
		               client ? SWARM_PORT : SWARM_BOUND };
	uint32_t near = 0u - rng_below(r, 200000);

	s->epoch[i] = SEC(1000 + rng_below(r, 100000000));
	switch (rng_below(r, 4)) {
	case 0:
	case 1: /* tcp_isn() at 0 is the tuple's share of the number */
		s->epoch[i] =
		    (int64_t)(near - tcp_isn(key, &t, 0).v) * 4000 + (INT64_C(1) << 32) * 4000;
		break;
	case 2:
		s->epoch[i] =
		    (int64_t)((near >> 4 | 0xf0000000u) - tcp_ts_offset(key, &t)) * NS_PER_MS;
		break;
	default:
		break;
	}
}

/* Congestion control of every kind, on paths that mark. */
static void
draw_cc(struct tcp_cfg *t, struct rng *r)
{
	unsigned n = 0;

	while (tcp_cc_at(n))
		n++;
	t->cc = tcp_cc_at(rng_below(r, n));
	t->ecn = (uint8_t)rng_below(r, 3);
	t->hystart = (uint8_t)rng_below(r, 3);
	t->pacing = one_in(r, 3);
}

/* Off, as servers have it; or with every listener, with cookies or without. */
static void
draw_fastopen(struct swarm *s, struct rng *r)
{
	for (unsigned i = 0; i < 2; i++)
		s->cfg[i].tcp.fastopen = PICK(r, 1, 0x403, 0x403, 0x607, 0);
	for (unsigned i = 0; i < s->n_flows; i++)
		s->flow[i].fastopen = one_in(r, 2);
}

/* A path that becomes narrow, and routers that do not say so: then probing is on, or nothing
 * would ever arrive. */
static void
draw_path(struct swarm *s, struct rng *r)
{
	struct net_cfg *n = &s->net;

	if (one_in(r, 3)) {
		n->path_mtu = (uint16_t)PICK(r, 576, 1006, 1280, 1400);
		n->path_at = MS(rng_below(r, 3000));
		n->path_says = one_in(r, 2);
	}
	for (unsigned i = 0; i < 2; i++)
		s->cfg[i].tcp.mtu_probing = n->path_mtu && !n->path_says ? 1 + rng_below(r, 2)
		                                                         : rng_below(r, 3);
	for (unsigned i = 0; i < s->n_flows; i++)
		/* It waits for nothing, so into a dead link every piece would be a frame. */
		s->flow[i].urgent = one_in(r, 3) && n->dark_from == TIME_NEVER;
}

/* Text of a SYN is written before there is a connection that could be told of them. */
static void
draw_records(struct swarm *s, struct rng *r)
{
	for (unsigned i = 0; i < s->n_flows; i++)
		if (one_in(r, 4) && !s->flow[i].fastopen)
			s->flow[i].record = PICK(r, 500, 1000, 3000, 10000);
}

/* Cookies for everybody.  No SYN-ACK is repeated then, and a segment that comes before the one
 * that begins where the SYN ended is reset (RFC 4987 3.6): with losses, connections fail. */
static void
draw_cookies(struct swarm *s, struct rng *r)
{
	uint32_t who = PICK(r, 1, 2, 3, 3);

	s->cookies = one_in(r, 6) && s->net.dark_from == TIME_NEVER;
	for (unsigned i = 0; s->cookies && i < 2; i++)
		if (who >> i & 1)
			s->cfg[i].tcp.syn_cookies = TCP_COOKIES_ALWAYS;
	for (unsigned i = 0; s->cookies && i < s->n_flows; i++)
		for (unsigned k = 0; k < 2; k++)
			s->flow[i].end[k].opt_bits |= SOCK_OPT_KEEPALIVE;
}

/* What was drawn, for the other family: its links carry 1280 bytes at least. */
static void
speak_v6(struct swarm *s)
{
	for (unsigned i = 0; i < 2; i++) {
		host_cfg6(&s->cfg[i], i);
		s->cfg[i].port[0].mtu = max(s->cfg[i].port[0].mtu, (uint16_t)IP6_MTU_MIN);
	}
	if (s->net.path_mtu)
		s->net.path_mtu = max(s->net.path_mtu, (uint16_t)IP6_MTU_MIN);
}

void
swarm_draw(struct swarm *s, uint64_t seed)
{
	struct rng r = { seed };
	uint32_t budget;
	bool aborts;

	memset(s, 0, sizeof *s);
	(void)rng_u64(&r);
	s->v6 = seed >= SWARM_V6;
	draw_net(s, &r);
	s->tight = one_in(&r, 8);
	s->quiesce_at = one_in(&r, 16) ? MS(rng_below(&r, 5000)) : TIME_NEVER;
	s->quiesce_ms = PICK(&r, 0, 100, 5000, 60000);
	draw_stack(s, 0, &r);
	draw_stack(s, 1, &r);
	s->attack_every = one_in(&r, 2) ? MS(between(&r, 5, 500)) : 0;
	s->accept_pause = one_in(&r, 4) ? MS(rng_below(&r, 1000)) : 0;
	s->backlog = (int)PICK(&r, 64, 64, 4, 1);
	s->n_flows = one_in(&r, 2) ? between(&r, 1, 3) : between(&r, 1, SWARM_FLOWS_MAX);
	budget = max(300000 / s->n_flows, 1000u);
	aborts = one_in(&r, 2);
	for (unsigned i = 0; i < s->n_flows; i++)
		draw_flow(s, i, &r, budget, aborts);
	draw_successor(s, &r);
	aim_clock(s, 0, &r);
	aim_clock(s, 1, &r);
	draw_cc(&s->cfg[0].tcp, &r);
	draw_cc(&s->cfg[1].tcp, &r);
	s->net.ce = maybe(&r, 200000);
	s->net.mark_queue = maybe(&r, 30);
	draw_fastopen(s, &r);
	draw_path(s, &r);
	draw_records(s, &r);
	draw_cookies(s, &r);
	if (s->v6)
		speak_v6(s);
}

void
swarm_print(const struct swarm *s)
{
	const struct net_cfg *n = &s->net;

	printf(
	    "  line: latency %" PRId64 " us, jitter %" PRId64 " us, loss %u dup %u corrupt %u "
	    "arp %u split %u full %u starve %u ce %u ppm, rate %" PRIu64 " queue %u, dark %.3f..%.3f"
	    ", caps %x\n",
	    n->latency_ns / NS_PER_US, n->jitter_ns / NS_PER_US, n->loss, n->dup, n->corrupt,
	    n->arp_loss, n->split, n->full, n->starve, n->ce, n->rate_bps, n->queue,
	    n->dark_from == TIME_NEVER ? 0 : (double)n->dark_from / 1e9,
	    n->dark_to == TIME_NEVER ? 0 : (double)n->dark_to / 1e9, n->caps);
	if (n->path_mtu)
		printf("  path of %u from %.3f s on, %s\n", n->path_mtu, (double)n->path_at / 1e9,
		       n->path_says ? "as routers say" : "silently");
	for (unsigned i = 0; i < 2; i++) {
		const struct stack_cfg *c = &s->cfg[i];

		printf("  host %u: mtu %u ts %d sack %d ws %d fo %x %s iw %u rcvbuf %u..%u sndbuf "
		       "%u..%u "
		       "reass %u sents %u chunks %u conns %u half %u tw %u ecn %u hystart %u%s%s\n",
		       i, c->port[0].mtu, c->tcp.timestamps, c->tcp.sack, c->tcp.window_scaling,
		       c->tcp.fastopen, c->tcp.cc->name, c->tcp.initial_cwnd,
		       c->tcp.rcvbuf, c->tcp.rcvbuf_max, c->tcp.sndbuf, c->tcp.sndbuf_max,
		       c->tcp.reass_runs, c->max_in_flight, c->max_chunks, c->max_conns,
		       c->max_half_open, c->max_time_wait, c->tcp.ecn, c->tcp.hystart,
		       c->tcp.pacing ? " paced" : "",
		       c->tcp.syn_cookies == TCP_COOKIES_ALWAYS ? " cookies" : "");
	}
	printf("  %u flows, attack every %" PRId64 " ms, accept pause %" PRId64
	       " ms, backlog %d%s%s%s\n",
	       s->n_flows, s->attack_every / NS_PER_MS, s->accept_pause / NS_PER_MS, s->backlog,
	       s->tight ? ", tight" : "", s->quiesce_at != TIME_NEVER ? ", quiesce" : "",
	       s->v6 ? ", IPv6" : "");
}
