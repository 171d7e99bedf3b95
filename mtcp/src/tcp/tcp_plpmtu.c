/* SPDX-License-Identifier: BSD-3-Clause */
/* The search: what has arrived, plpmtu_low, and what may be tried, plpmtu_high; both are of
 * segments with their options. */

#include "tcp/tcp_plpmtu.h"

#include "tcp/tcp_pmtu.h"
#include "tcp/tcp_rare.h"
#include "tcp/tcp_reass.h"
#include "tcp/tcp_sack.h"

#define BASE          1024u /* bytes of text (RFC 4821 7.2; Linux's tcp_base_mss)       */
#define NEAR          8u    /* closer is close enough (Linux's tcp_probe_threshold)     */
#define AGAIN_S       600u  /* after that the path may have grown (7.3)                 */
#define CWND_MIN      11u   /* segments: room to find the loss by what follows          */
#define FOLLOW        4u    /* segments that follow the probe, for the same reason      */
#define ALWAYS_FITS   512u  /* bytes of text, or nearly so: what every link takes (RFC 791) */
#define BLACK_RETRIES 3u    /* RFC 1122's R1: after that the path itself is in doubt    */

static uint32_t
stamp(const struct tcp_conn *c)
{
	return c->flags & TCPF_TS ? 12 : 0;
}

/* What peer, interface and routers would allow. */
static uint32_t
ceiling(struct tcp_env *e, const struct tcp_conn *c, int64_t now)
{
	return tcp_mss_for(e, c, tcp_pmtu_path(e, c, now));
}

static void
set_low(struct tcp_env *e, struct tcp_conn *c, uint32_t low, int64_t now)
{
	tcp_rare_own(e, c)->plpmtu_low = to_u16(low);
	tcp_set_mss(e, c, tcp_pmtu_path(e, c, now));
}

static void
begin(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	struct tcp_rare *r = tcp_rare_own(e, c);

	r->plpmtu_high = to_u16(ceiling(e, c, now));
	r->plpmtu_s = (uint16_t)(now / NS_PER_S);
	c->flags |= TCPF_PLPMTU;
	set_low(e, c, min(BASE + stamp(c), (uint32_t)r->plpmtu_high), now);
}

void
tcp_plpmtu_start(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	if (e->cfg->mtu_probing == TCP_MTU_PROBING_ALWAYS)
		begin(e, c, now);
}

/* Most paths take what both ends do: that first (7.3), and then halves.  0: found. */
static uint32_t
next_size(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	struct tcp_rare *r = tcp_rare_own(e, c);
	uint16_t now_s = (uint16_t)(now / NS_PER_S);
	uint32_t low = r->plpmtu_low, high = r->plpmtu_high;
	uint32_t most = ceiling(e, c, now);

	if ((uint16_t)(now_s - r->plpmtu_s) >= AGAIN_S) { /* of 18 h: late once, at worst */
		r->plpmtu_s = now_s;
		r->plpmtu_high = to_u16(most);
		high = most;
	}
	high = min(high, most);
	if (high == most && low < most)
		return most;
	return high < low + NEAR ? 0 : (low + high) / 2;
}

/* 7.4: only while all is well, and nothing waits for it but text that is there. */
uint32_t
tcp_plpmtu_probe(struct tcp_env *e, struct tcp_conn *c, uint32_t unsent, int64_t now)
{
	uint32_t flight = tcp_flight(c), size, need;

	if (c->ca != TCP_CA_OPEN || tcp_reass(c) || c->cwnd < CWND_MIN * c->mss ||
	    (c->xmit && (c->xmit->probe || tcp_sack_first_lost(c))))
		return 0;
	size = next_size(e, c, now);
	if (size <= c->mss + stamp(c))
		return 0;
	size -= stamp(c);
	need = size + FOLLOW * c->mss;
	if (unsent < need || c->snd_wnd < flight + need || tcp_sack_pipe(c) + size > c->cwnd)
		return 0;
	return size;
}

void
tcp_plpmtu_sent(struct tcp_conn *c, uint32_t len)
{
	c->xmit->probe = to_u16(len);
	c->xmit->probe_start = seq_add(c->snd_nxt, 0u - len);
}

void
tcp_plpmtu_acked(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	struct tcp_xmit *x = c->xmit;
	uint32_t size;

	if (seq_lt(c->snd_una, seq_add(x->probe_start, x->probe)))
		return;
	size = x->probe + stamp(c);
	x->probe = 0;
	set_low(e, c, min(size, (uint32_t)tcp_rare(c)->plpmtu_high), now);
}

/* The probe was too large: all of it leaves again, in segments that are not. */
static void
failed(struct tcp_conn *c)
{
	struct tcp_xmit *x = c->xmit;
	seq_t end = seq_add(x->probe_start, x->probe);

	c->rare->plpmtu_high = to_u16(max(x->probe + stamp(c) - 1, (uint32_t)c->rare->plpmtu_low));
	x->probe = 0;
	list_for_each(l, &x->sent) {
		struct tcp_sent *r = container_of(l, struct tcp_sent, link);

		if (seq_le(end, r->start))
			break;
		if (seq_lt(x->probe_start, r->end) && !(r->flags & (SENT_SACKED | SENT_LOST)))
			tcp_sack_lost(c, r);
	}
	c->flags |= TCPF_RETRANSMIT_NOW;
}

static bool
only_probe_lost(const struct tcp_conn *c)
{
	seq_t end = seq_add(c->xmit->probe_start, c->xmit->probe);

	list_for_each(l, &c->xmit->lost) {
		const struct tcp_sent *r = container_of(l, struct tcp_sent, tlink);

		if (seq_lt(end, r->end))
			return false;
	}
	return seq_eq(c->snd_una, c->xmit->probe_start);
}

bool
tcp_plpmtu_lost(struct tcp_conn *c)
{
	if (!c->xmit || !c->xmit->probe || c->ca >= TCP_CA_CWR)
		return false;
	if (!only_probe_lost(c)) {
		c->xmit->probe = 0; /* congestion, perhaps: it says nothing */
		return false;
	}
	failed(c);
	return true;
}

/* A full one, or one that need not be full for a path to be too narrow for it. */
static bool
large_segment_is_first(const struct tcp_conn *c)
{
	struct link *l = c->xmit ? list_first(&c->xmit->sent) : NULL;
	const struct tcp_sent *r = l ? container_of(l, struct tcp_sent, link) : NULL;

	return r && seq_sub(r->end, r->start) >= min((uint32_t)c->mss, ALWAYS_FITS);
}

void
tcp_plpmtu_timeout(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	uint32_t low = tcp_rare(c)->plpmtu_low;

	if (c->xmit)
		c->xmit->probe = 0;
	if (e->cfg->mtu_probing == TCP_MTU_PROBING_OFF || c->retries <= BLACK_RETRIES ||
	    !large_segment_is_first(c))
		return;
	if (!(c->flags & TCPF_PLPMTU)) {
		begin(e, c, now);
		return;
	}
	set_low(e, c, max((low - stamp(c)) / 2 + stamp(c), TCP_MSS_MIN), now);
}

void
tcp_plpmtu_told(struct tcp_conn *c, uint32_t path)
{
	struct tcp_xmit *x = c->xmit;

	if (!(c->flags & TCPF_PLPMTU))
		return;
	if (x && x->probe && x->probe + stamp(c) > path)
		failed(c);
	c->rare->plpmtu_high = to_u16(min((uint32_t)c->rare->plpmtu_high, path));
	c->rare->plpmtu_low = min(c->rare->plpmtu_low, c->rare->plpmtu_high);
}
