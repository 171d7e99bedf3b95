/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Five deadlines a connection, one node of the core's wheel:
 *
 *  rtx_at   something sent has not been acknowledged (RFC 6298), or a probe may
 *           tell why (RFC 8985 7), or RACK wants to look again (6.3), or the
 *           window keeps us from sending and we have to ask (RFC 9293 3.8.6.1);
 *           rtx_kind says which
 *  ack_at   the delayed ACK (RFC 9293 3.8.6.3)
 *  wait_at  keep-alive (3.8.4), FIN-WAIT-2 without an owner, idle time-out
 *  cork_at  a corked partial segment has waited long enough
 *  pace_at  the next segment may leave, while TCPF_PACED
 */

#include "tcp/tcp_timer.h"

#include "tcp/tcp_pmtu.h"
#include "tcp/tcp_rare.h"
#include "tcp/tcp_recovery.h"
#include "tcp/tcp_rtt.h"
#include "tcp/tcp_tlp.h"

#define OVERRIDE_MAX_NS SEC(1)

/* What TCP_USER_TIMEOUT counts from: the first transmission, or the last ACK that was news;
 * or when the window closed, whether or not the peer answers probes (as on Linux). */
static void
waits_anew(struct tcp_conn *c, int64_t now)
{
	c->waiting_ms = (uint32_t)(now / NS_PER_MS);
}

static void
rtx_stop(struct tcp_conn *c)
{
	c->rtx_kind = RTX_NONE;
	c->rtx_at = TIME_NEVER;
}

static void
rtx_start(struct tcp_conn *c, int64_t now)
{
	c->rtx_kind = RTX_RTO;
	c->rtx_at = now + tcp_rto_ns(c);
	if (c->xmit)
		c->xmit->rto_at = c->rtx_at;
}

/* Back to the RTO, which has run on while the timer waited for something earlier. */
static void
rtx_resume(struct tcp_conn *c)
{
	c->rtx_kind = RTX_RTO;
	c->rtx_at = c->xmit->rto_at;
}

/* A window that is open but silly is overridden within a second (RFC 9293
 * 3.8.6.2.1); one that is closed is probed after an RTO (3.8.6.1). */
static void
persist_start(struct tcp_conn *c, int64_t now)
{
	int64_t rto = tcp_rto_ns(c);

	c->rtx_kind = RTX_PERSIST;
	c->rtx_at = now + (c->snd_wnd ? min(rto, OVERRIDE_MAX_NS) : rto);
}

/* When the peer has been silent for the idle time; after that, and while there
 * is no need to ask because text is on its way, once an interval. */
static int64_t
keepalive_at(const struct tcp_env *e, const struct tcp_conn *c, int64_t now)
{
	int64_t idle = SEC(tcp_opt_value(e, c->opts, TCP_OPTION_KEEPIDLE));
	int64_t interval = SEC(tcp_opt_value(e, c->opts, TCP_OPTION_KEEPINTVL));
	int64_t silence = tcp_silence_ns(c, now);

	if (c->probes == 0 && silence < idle)
		return now + idle - silence;
	return now + max(interval, NS_PER_S);
}

/* How long neither side has said anything. */
static int64_t
idle_ns(const struct tcp_conn *c, int64_t now)
{
	return min(tcp_silence_ns(c, now), now - c->sent_at);
}

/* A deadline that was counted from a silence may come a tick too early. */
static bool
lasts(int64_t silence, int64_t limit)
{
	return silence > limit - TCP_TICK;
}

/* Keep-alive probes, a lingering half-close and the idle limit share wait_at:
 * a connection is in at most one of these situations that matters. */
static void
wait_start(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	int64_t at = TIME_NEVER;

	if (c->state == TCP_FIN_WAIT_2 && (c->flags & TCPF_ORPHAN)) {
		int64_t linger = SEC(tcp_opt_value(e, c->opts, TCP_OPTION_LINGER2));

		at = now + max(linger, INT64_C(0));
	} else if (tcp_facts[c->state].synchronized && c->state != TCP_TIME_WAIT) {
		if (c->flags & TCPF_KEEPALIVE)
			at = keepalive_at(e, c, now);
		if (e->cfg->idle_timeout_ns != TIME_NEVER)
			at = min(at, now - idle_ns(c, now) + e->cfg->idle_timeout_ns);
	}
	c->wait_at = at;
}

void
tcp_timer_state(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	if (c->state == TCP_CLOSED || c->state == TCP_TIME_WAIT) {
		rtx_stop(c);
		c->ack_at = c->wait_at = TIME_NEVER;
		if (c->rare)
			c->rare->cork_at = TIME_NEVER;
		c->flags &= ~(uint32_t)TCPF_PACED;
		return;
	}
	if (c->state == TCP_ESTABLISHED || c->state == TCP_FIN_WAIT_2)
		wait_start(e, c, now);
}

void
tcp_timer_retune(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	if (c->state != TCP_FIN_WAIT_2 || !(c->flags & TCPF_ORPHAN))
		wait_start(e, c, now);
}

void
tcp_timer_sent(struct tcp_conn *c, int64_t now)
{
	if (c->rtx_kind == RTX_NONE || c->rtx_kind == RTX_PERSIST) {
		rtx_start(c, now);
		waits_anew(c, now);
	}
	tcp_timer_probe(c, now);
}

/* RFC 8985 7.2. */
void
tcp_timer_probe(struct tcp_conn *c, int64_t now)
{
	if ((c->rtx_kind != RTX_RTO && c->rtx_kind != RTX_TLP) || !tcp_tlp_wanted(c))
		return;
	c->rtx_kind = RTX_TLP;
	c->rtx_at = min(now + tcp_tlp_pto(c), c->xmit->rto_at);
}

/* Without SACK recovery learns of one loss in a round trip.  Of many in a window the RTO makes
 * an end, since only the first partial ACK restarts it (RFC 6582 3.2 step 3 and 4: impatient):
 * slow start repairs in a few round trips what would take seconds. */
static bool
waits_no_longer(const struct tcp_conn *c)
{
	return c->ca == TCP_CA_RECOVERY && !(c->flags & TCPF_SACK) && c->rtx_kind == RTX_RTO &&
	       seq_lt(c->snd_una, c->recover) && c->xmit->partial_acked;
}

/* The first missing segment has left again: from now on its ACK is waited for. */
void
tcp_timer_resent(struct tcp_conn *c, int64_t now)
{
	if (c->ca == TCP_CA_RECOVERY && c->rtx_kind == RTX_RTO && !waits_no_longer(c))
		rtx_start(c, now);
}

void
tcp_timer_acked(struct tcp_conn *c, int64_t now)
{
	c->retries = 0;
	waits_anew(c, now);
	if (tcp_flight(c) == 0)
		rtx_stop(c);
	else if (!waits_no_longer(c))
		rtx_start(c, now);
	if (c->xmit)
		c->xmit->partial_acked = true;
}

/* The reordering timer only ever brings the deadline forward. */
void
tcp_timer_reorder(struct tcp_conn *c, int64_t at)
{
	if (c->rtx_kind == RTX_TLP) /* what was SACKed says more than a probe could */
		rtx_resume(c);
	if (c->rtx_kind == RTX_RTO && at < c->rtx_at) {
		c->rtx_kind = RTX_REORDER;
		c->rtx_at = at;
	}
}

void
tcp_timer_blocked(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	(void)e;
	if (c->rtx_kind != RTX_NONE || tcp_flight(c) > 0)
		return;
	waits_anew(c, now);
	persist_start(c, now);
}

/* Probing had grown slow; what is sent now is judged by the path again. */
void
tcp_timer_window_opened(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	if (c->rtx_kind != RTX_PERSIST)
		return;
	tcp_rtt_forget_back_off(e->cfg, c);
	waits_anew(c, now);
	persist_start(c, now);
}

void
tcp_timer_received(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	c->received = tcp_tick(now);
	if (c->wait_at != TIME_NEVER && c->state != TCP_FIN_WAIT_2) {
		/* Lazily: the expiry looks at the silence before it acts. */
		if (c->probes) {
			c->probes = 0;
			wait_start(e, c, now);
		}
	} else {
		c->probes = 0;
	}
}

/* Between 40 and 200 ms, around half a round trip: long enough for a reply to
 * carry the ACK, below the half second of RFC 9293 MUST-40. */
void
tcp_timer_delay_ack(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	int64_t delay = max(tcp_srtt_ns(c) / 2, e->cfg->delack_min_ns);

	if (c->ack_at == TIME_NEVER)
		c->ack_at = now + min(delay, e->cfg->delack_max_ns);
}

void
tcp_timer_ack_sent(struct tcp_conn *c)
{
	c->ack_at = TIME_NEVER;
}

void
tcp_timer_corked(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	struct tcp_rare *r = tcp_rare_own(e, c);

	if (r->cork_at == TIME_NEVER)
		r->cork_at = now + e->cfg->cork_max_ns;
}

void
tcp_timer_options(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	if (tcp_facts[c->state].synchronized)
		wait_start(e, c, now);
}

int64_t
tcp_timer_next(const struct tcp_conn *c)
{
	int64_t at = min(c->rtx_at, c->ack_at);

	at = min(at, c->wait_at);
	if (likely(!c->rare))
		return at;
	at = min(at, c->rare->cork_at);
	return c->flags & TCPF_PACED ? min(at, c->rare->pace_at) : at;
}

static void
give_up(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	enum tcp_error why = c->err ? (enum tcp_error)c->err : TCP_E_TIMEDOUT;

	trace_add(e->trace, now, c->id, T_CLOSE, why, 0);
	c->err = (uint8_t)why;
	tcp_set_state(e, c, TCP_CLOSED, now);
}

/* R2 of RFC 9293 3.8.3: how many expiries in a row end the connection. */
static uint32_t
retry_limit(const struct tcp_env *e, const struct tcp_conn *c)
{
	if (c->state == TCP_SYN_SENT)
		return (uint32_t)tcp_opt_value(e, c->opts, TCP_OPTION_SYNCNT);
	if (c->state == TCP_SYN_RCVD)
		return e->cfg->synack_retries;
	return c->flags & TCPF_ORPHAN ? e->cfg->orphan_retries : e->cfg->retries;
}

/* TCP_USER_TIMEOUT (RFC 5482): too long without progress, whatever the count. */
static int64_t
user_timeout_at(const struct tcp_env *e, const struct tcp_conn *c, int64_t now)
{
	int64_t limit = MS(tcp_opt_value(e, c->opts, TCP_OPTION_USER_TIMEOUT));
	uint32_t waited = (uint32_t)(now / NS_PER_MS) - c->waiting_ms;

	return limit > 0 ? now - MS((int64_t)waited) + limit : TIME_NEVER;
}

/* The next expiry, but not beyond the user's limit. */
static void
rtx_again(const struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	int64_t limit = user_timeout_at(e, c, now);

	c->rtx_at = now + tcp_rto_ns(c);
	if (limit > now)
		c->rtx_at = min(c->rtx_at, limit);
	if (c->xmit)
		c->xmit->rto_at = c->rtx_at;
}

static void
rto_expired(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	bool too_long = c->retries > 0 && now >= user_timeout_at(e, c, now);

	if (too_long || c->retries >= min(retry_limit(e, c), (uint32_t)UINT8_MAX)) {
		give_up(e, c, now);
		return;
	}
	c->retries++;
	trace_add(e->trace, now, c->id, T_RTO, c->rto_us, c->retries);
	tcp_rtt_back_off(e->cfg, c);
	tcp_pmtu_timeout(e, c, now);
	if (tcp_facts[c->state].synchronized)
		tcp_recovery_timeout(e, c, now);
	else
		c->flags |= TCPF_SYN_DUE;
	c->rtx_kind = RTX_RTO;
	rtx_again(e, c, now);
}

/* RFC 9293 3.8.6.1: ask for the window for as long as the peer answers
 * (MUST-37), ever more slowly (SHLD-30); a peer that has gone ends it.  Once
 * nobody holds the socket, `retries` counts what a live peer lets us wait. */
static void
persist_expired(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	bool too_long = now >= user_timeout_at(e, c, now); /* also if it answers */
	uint32_t most = min(e->cfg->retries, (uint32_t)UINT8_MAX);

	if (too_long || c->probes >= min(retry_limit(e, c), (uint32_t)UINT8_MAX) ||
	    ((c->flags & TCPF_ORPHAN) && c->retries >= most)) {
		give_up(e, c, now);
		return;
	}
	trace_add(e->trace, now, c->id, T_PROBE, c->snd_una.v, c->snd_wnd);
	if (c->snd_wnd > 0) {
		c->flags |= TCPF_PUSH_SMALL;
		rtx_stop(c);
		return;
	}
	c->probes++;
	c->retries = (uint8_t)min(c->retries + 1, UINT8_MAX);
	c->flags |= TCPF_PROBE;
	tcp_rtt_back_off(e->cfg, c);
	rtx_again(e, c, now);
}

/* RFC 8985 7.3: with a probe the RTO starts anew.  Without, it has run on. */
static void
tlp_expired(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	if (tcp_tlp_wanted(c)) {
		c->flags |= TCPF_LOSS_PROBE;
		rtx_start(c, now);
		return;
	}
	rtx_resume(c);
	if (c->rtx_at <= now)
		rto_expired(e, c, now);
}

static void
rtx_expired(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	switch ((enum tcp_rtx_kind)c->rtx_kind) {
	case RTX_TLP:
		tlp_expired(e, c, now);
		break;
	case RTX_REORDER:
		rtx_start(c, now);
		tcp_recovery_reorder_expired(e, c, now);
		break;
	case RTX_PERSIST:
		persist_expired(e, c, now);
		break;
	case RTX_RTO:
	case RTX_NONE:
		rto_expired(e, c, now);
		break;
	}
}

/* With TCP_USER_TIMEOUT it is the time that counts, and not how many (as on Linux). */
static bool
keepalive_in_vain(const struct tcp_env *e, const struct tcp_conn *c, int64_t now)
{
	int64_t limit = MS(tcp_opt_value(e, c->opts, TCP_OPTION_USER_TIMEOUT));

	if (limit > 0)
		return c->probes > 0 && lasts(tcp_silence_ns(c, now), limit);
	return c->probes >= tcp_opt_value(e, c->opts, TCP_OPTION_KEEPCNT);
}

/* RFC 9293 3.8.4: a probe draws an ACK from a live peer and a RST from one
 * that has forgotten us. */
static void
keepalive_expired(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	int64_t idle = SEC(tcp_opt_value(e, c->opts, TCP_OPTION_KEEPIDLE));

	if (c->probes == 0 && !lasts(tcp_silence_ns(c, now), idle)) {
		wait_start(e, c, now);
		return;
	}
	if (keepalive_in_vain(e, c, now)) {
		tcp_abort(e, c, TCP_E_TIMEDOUT, now);
		return;
	}
	if (tcp_flight(c) == 0 && tcp_unsent(c) == 0) { /* MUST-26: only when idle */
		trace_add(e->trace, now, c->id, T_KEEPALIVE, c->probes, 0);
		c->probes++;
		c->flags |= TCPF_PROBE;
	}
	wait_start(e, c, now);
}

static void
wait_expired(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	if (c->state == TCP_FIN_WAIT_2 && (c->flags & TCPF_ORPHAN)) {
		tcp_set_state(e, c, TCP_CLOSED, now);
		return;
	}
	if (e->cfg->idle_timeout_ns != TIME_NEVER &&
	    lasts(idle_ns(c, now), e->cfg->idle_timeout_ns)) {
		tcp_abort(e, c, TCP_E_TIMEDOUT, now);
		return;
	}
	if (c->flags & TCPF_KEEPALIVE)
		keepalive_expired(e, c, now);
	else
		wait_start(e, c, now);
}

static void
rare_expired(struct tcp_conn *c, int64_t now)
{
	if (now >= c->rare->cork_at) {
		c->rare->cork_at = TIME_NEVER;
		c->flags |= tcp_unsent(c) ? TCPF_PUSH_SMALL : 0;
	}
	if (now >= c->rare->pace_at)
		c->flags &= ~(uint32_t)TCPF_PACED; /* output does the rest */
}

void
tcp_timer_run(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	if (now >= c->ack_at) {
		c->ack_at = TIME_NEVER;
		c->flags |= TCPF_ACK_NOW;
	}
	if (c->rare)
		rare_expired(c, now);
	if (now >= c->rtx_at)
		rtx_expired(e, c, now);
	if (now >= c->wait_at && c->state != TCP_CLOSED)
		wait_expired(e, c, now);
}
