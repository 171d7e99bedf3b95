/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every invariant of a connection, in one place.  The simulator and builds
 * with checks call this after each step.
 */

#include "tcp/tcp_rare.h"
#include "tcp/tcp_reass.h"
#include "tcp/tcp_recovery.h"
#include "tcp/tcp_timer.h"

/* Written and not sent, whether or not a FIN has left. */
static uint32_t
never_sent(const struct tcp_conn *c)
{
	uint32_t fin = c->flags & TCPF_FIN_SENT ? 1 : 0;

	if (!c->streams)
		return 0;
	return atomic_load_explicit(&c->streams->snd_w.written, memory_order_acquire) -
	       (seq_sub(c->snd_nxt, c->iss) - 1 - fin);
}

static void
check_send(const struct tcp_conn *c)
{
	uint32_t unsent = never_sent(c);

	assert(seq_le(c->snd_una, c->snd_nxt));
	assert(c->cwnd >= c->mss);
	assert(c->mss > 0);
	assert(unsent < 1u << 31); /* never more sent than written */
	assert(!(c->flags & TCPF_FIN_SENT) || unsent == 0);
	(void)unsent;
}

static void
check_receive(const struct tcp_conn *c)
{
	assert(seq_le(c->rcv_nxt, c->rcv_adv));
	assert(seq_le(c->rcv_acked, c->rcv_nxt));
	if (tcp_rare(c)->fin_waits)
		assert(seq_le(c->rcv_nxt, c->rare->rcv_fin));
	tcp_reass_check(c);
}

/* Nothing may wait for ever: whatever is outstanding has a timer. */
static void
check_timers(const struct tcp_conn *c)
{
	bool all_sent = tcp_unsent(c) == 0;

	(void)all_sent;
	if (tcp_flight(c) > 0)
		assert(c->rtx_at != TIME_NEVER);
	assert((c->rtx_at == TIME_NEVER) == (c->rtx_kind == RTX_NONE));
	if (!all_sent && tcp_flight(c) == 0 && tcp_facts[c->state].may_send)
		assert(c->rtx_at != TIME_NEVER || tcp_rare(c)->cork_at != TIME_NEVER ||
		       (c->flags & (TCPF_PUSH_SMALL | TCPF_PACED)) || link_on_list(&c->tx_link));
}

void
tcp_check(const struct tcp_env *e, const struct tcp_conn *c)
{
	(void)e;
	if (c->state == TCP_CLOSED) {
		assert(tcp_timer_next(c) == TIME_NEVER);
		return;
	}
	assert(c->rto_us > 0 && tcp_rto_ns(c) <= max(e->cfg->rto_max_ns, SEC(3)));
	if (!tcp_facts[c->state].synchronized)
		return;
	check_send(c);
	check_receive(c);
	check_timers(c);
	tcp_sack_check(c);
}
