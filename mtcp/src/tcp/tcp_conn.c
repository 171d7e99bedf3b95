/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A connection's life as its owner sees it: made, opened, told what the
 * application did, closed, given back (RFC 9293 3.10.1 to 3.10.5).
 */

#include "tcp/tcp_chrono.h"
#include "tcp/tcp_ecn.h"
#include "tcp/tcp_cookie.h"
#include "tcp/tcp_fastopen.h"
#include "tcp/tcp_in.h"
#include "tcp/tcp_pace.h"
#include "tcp/tcp_plpmtu.h"
#include "tcp/tcp_pmtu.h"
#include "tcp/tcp_rack.h"
#include "tcp/tcp_rare.h"
#include "tcp/tcp_reass.h"
#include "tcp/tcp_recovery.h"
#include "tcp/tcp_rtt.h"
#include "tcp/tcp_timer.h"
#include "tcp/tcp_tlp.h"
#include "tcp/tcp_window.h"

#define MSS_DEFAULT_V4 536u  /* RFC 9293 MUST-15 */
#define MSS_DEFAULT_V6 1220u
#define TS_BYTES       12u
#define SPACE_MIN      1024u
#define SND_LIMIT_MIN  2048u

void
tcp_cfg_default(struct tcp_cfg *cfg)
{
	*cfg = (struct tcp_cfg){
		.cc = &cc_cubic,
		.initial_cwnd = 10,
		.slow_start_after_idle = true,
		.ecn = TCP_ECN_PASSIVE,
		.hystart = TCP_HYSTART_DELAY,
		.loss_probe = true,
		.frto = true,
		.dupthresh = 3,
		.recovery = TCP_RECOVERY_RACK,
		.min_pmtu = 552,
		.pacing_ss_ratio = 200,
		.pacing_ca_ratio = 120,
		.rto_initial_ns = SEC(1),
		.rto_min_ns = MS(200),
		.rto_max_ns = SEC(120),
		.syn_retries = 6,
		.synack_retries = 5,
		.retries = 15,
		.orphan_retries = 8,
		.delack_min_ns = MS(40),
		.delack_max_ns = MS(200),
		.quickack = 16,
		.cork_max_ns = MS(200),
		.time_wait_ns = SEC(60),
		.fin_wait_2_ns = SEC(60),
		.keepidle_ns = SEC(7200),
		.keepintvl_ns = SEC(75),
		.keepcnt = 9,
		.idle_timeout_ns = TIME_NEVER,
		.timestamps = true,
		.sack = true,
		.window_scaling = true,
		.fastopen = FASTOPEN_CLIENT,
		.rcvbuf = 131072,
		.rcvbuf_max = 6291456,
		.sndbuf = 16384,
		.sndbuf_max = 4194304,
		.reass_runs = 256,
		.syn_cookies = TCP_COOKIES_ON,
		.challenge_ack_per_s = 100,
		.ttl = 64,
	};
}

/* ----------------------------------------------------------------- memory -- */

struct chunk *
tcp_chunk_get(struct tcp_env *e)
{
	struct chunk *k = chunk_list_get(&e->spare);

	return k ? k : pool_get(&e->chunks);
}

bool
tcp_chunks_want(struct tcp_env *e, uint32_t n)
{
	while (e->spare.n < n) {
		struct chunk *k = pool_get(&e->chunks);

		if (!k)
			return false;
		chunk_list_put(&e->spare, k);
	}
	return true;
}

/* ---------------------------------------------------------------- options -- */

int64_t
tcp_opt_value(const struct tcp_env *e, const struct tcp_opts *o, enum tcp_option opt)
{
	const struct tcp_cfg *cfg = e->cfg;

	if ((o->set & 1u << opt) && !(opt == TCP_OPTION_LINGER2 && o->value[opt] == 0))
		return opt == TCP_OPTION_MAX_PACING_RATE ? o->max_pacing_rate : o->value[opt];
	switch (opt) {
	case TCP_OPTION_KEEPIDLE:
		return cfg->keepidle_ns / NS_PER_S;
	case TCP_OPTION_KEEPINTVL:
		return cfg->keepintvl_ns / NS_PER_S;
	case TCP_OPTION_KEEPCNT:
		return cfg->keepcnt;
	case TCP_OPTION_SYNCNT:
		return cfg->syn_retries;
	case TCP_OPTION_LINGER2:
		return cfg->fin_wait_2_ns / NS_PER_S;
	case TCP_OPTION_RCVBUF:
		return cfg->rcvbuf;
	case TCP_OPTION_SNDBUF:
		return cfg->sndbuf;
	case TCP_OPTION_TTL:
		return cfg->ttl;
	case TCP_OPTION_LINGER:
		return -1;
	case TCP_OPTION_MAX_PACING_RATE:
		return INT64_MAX;
	case TCP_OPTION_USER_TIMEOUT:
	case TCP_OPTION_MAXSEG:
	case TCP_OPTION_CONGESTION:
	case TCP_OPTION_TOS:
	case TCP_OPTION_WINDOW_CLAMP:
	case TCP_OPTION_NOTSENT_LOWAT:
	case TCP_OPTION_FASTOPEN:
	case TCP_OPTION_DEFER_ACCEPT:
	case TCP_N_OPTIONS:
		break;
	}
	return 0;
}

uint32_t
tcp_mss_for(const struct tcp_env *e, const struct tcp_conn *c, uint32_t path)
{
	uint32_t user = (uint32_t)tcp_opt_value(e, c->opts, TCP_OPTION_MAXSEG);
	uint32_t mss = min((uint32_t)c->peer_mss, path);

	if (user)
		mss = min(mss, user);
	return max(mss, TCP_MSS_MIN);
}

/* The text that fits a full segment beside a timestamp, when there is one; one always may
 * leave. */
void
tcp_set_mss(const struct tcp_env *e, struct tcp_conn *c, uint32_t path)
{
	uint32_t found = c->flags & TCPF_PLPMTU ? tcp_rare(c)->plpmtu_low : UINT32_MAX;
	uint32_t mss = tcp_mss_for(e, c, min(path, found));

	c->mss = to_u16(mss - (c->flags & TCPF_TS ? TS_BYTES : 0));
	c->cwnd = c->cwnd ? max(c->cwnd, (uint32_t)c->mss) : 0;
}

uint32_t
tcp_opt_rcv_space(const struct tcp_env *e, const struct tcp_opts *o)
{
	uint32_t space = (uint32_t)tcp_opt_value(e, o, TCP_OPTION_RCVBUF) / 2;

	return min(max(space, SPACE_MIN), tcp_opt_clamp(o));
}

static void
set_buffers(const struct tcp_env *e, struct tcp_conn *c)
{
	uint32_t snd = (uint32_t)tcp_opt_value(e, c->opts, TCP_OPTION_SNDBUF);

	c->rcv_space = tcp_opt_rcv_space(e, c->opts);
	c->snd_limit = max(snd, SND_LIMIT_MIN);
}

void
tcp_set_opts(struct tcp_env *e, struct tcp_conn *c, const struct tcp_opts *o, int64_t now)
{
	const struct cc_ops *cc;

	c->opts = o;
	c->tos = (uint8_t)tcp_opt_value(e, o, TCP_OPTION_TOS);
	c->ttl = (uint8_t)tcp_opt_value(e, o, TCP_OPTION_TTL);
	if (o->set & 1u << TCP_OPTION_RCVBUF)
		c->rcv_space = tcp_opt_rcv_space(e, o);
	c->rcv_space = min(c->rcv_space, tcp_opt_clamp(o));
	if (o->set & 1u << TCP_OPTION_SNDBUF)
		c->snd_limit = max((uint32_t)o->value[TCP_OPTION_SNDBUF], SND_LIMIT_MIN);
	if (o->set & 1u << TCP_OPTION_MAXSEG) /* what the path allows may be known by now */
		tcp_set_mss(e, c, tcp_facts[c->state].synchronized
		                  ? c->mss + (c->flags & TCPF_TS ? TS_BYTES : 0)
		                  : c->adv_mss);
	cc = o->set & 1u << TCP_OPTION_CONGESTION
	         ? tcp_cc_at((unsigned)o->value[TCP_OPTION_CONGESTION])
	         : NULL;
	if (cc && cc != tcp_cc(c) && tcp_facts[c->state].synchronized)
		tcp_cc_start(e, c, cc, now);
	else if (cc)
		c->cc = cc->number;
	if (c->rare) /* at another rate from now on */
		c->rare->pace_at = min(c->rare->pace_at, now);
	tcp_timer_options(e, c, now);
}

/* What the two above set for one that is made, where nothing was ever changed. */
static inline void
plain_options(const struct tcp_cfg *cfg, struct tcp_conn *c)
{
	c->ttl = (uint8_t)cfg->ttl;
	c->rcv_space = max(cfg->rcvbuf / 2, SPACE_MIN);
	c->snd_limit = max(cfg->sndbuf, SND_LIMIT_MIN);
}

/* ------------------------------------------------------------------- life -- */

void
tcp_conn_init(struct tcp_env *e, struct tcp_conn *c, const struct tcp_open *o, int64_t now)
{
	uint32_t id = c->id;

	memset(c, 0, sizeof *c);
	c->id = id;
	c->streams = o->streams;
	*(c->streams ? &c->streams->name : &tcp_rare_own(e, c)->name) = o->tuple;
	c->iss = c->snd_una = c->snd_nxt = o->iss;
	c->recover = o->iss;
	c->ts_offset = o->ts_offset;
	c->rtx_at = c->ack_at = c->wait_at = TIME_NEVER;
	c->rto_us = (uint32_t)(e->cfg->rto_initial_ns / NS_PER_US);
	c->quickacks = (uint8_t)min(e->cfg->quickack, (uint32_t)UINT8_MAX);
	c->peer_mss = ip_addr_is_v4(&o->tuple.remote) ? MSS_DEFAULT_V4 : MSS_DEFAULT_V6;
	c->adv_mss = o->local_mss;
	c->rcv_mss = min(o->local_mss, (uint16_t)MSS_DEFAULT_V4);
	c->cc = e->cfg->cc->number;
	c->ssthresh = UINT32_MAX;
	c->tlp = e->cfg->loss_probe ? 0 : TLP_NEVER;
	c->received = tcp_tick(now);
	c->sent_at = now;
	c->opts = o->opts;
	tcp_set_mss(e, c, o->local_mss);
	if (likely(o->opts->set == 0 && !c->rare)) {
		plain_options(e->cfg, c);
		return;
	}
	set_buffers(e, c);
	tcp_set_opts(e, c, o->opts, now);
}

void
tcp_connect(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	c->flags |= TCPF_ACTIVE_OPEN | TCPF_SYN_DUE;
	tcp_set_state(e, c, TCP_SYN_SENT, now);
}

void
tcp_take_syn_options(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s, int64_t now)
{
	uint32_t path;

	if ((s->opts & TCP_OPT_MSS) && s->mss)
		c->peer_mss = s->mss;
	if (e->cfg->sack && (s->opts & TCP_OPT_SACK_OK))
		c->flags |= TCPF_SACK;
	if (e->cfg->window_scaling && (s->opts & TCP_OPT_WSCALE)) {
		c->flags |= TCPF_WSCALE;
		c->snd_wscale = min(s->wscale, (uint8_t)TCP_WSCALE_MAX);
		c->rcv_wscale = tcp_window_shift(e->cfg->rcvbuf_max);
	}
	if (e->cfg->timestamps && (s->opts & TCP_OPT_TS)) {
		c->flags |= TCPF_TS;
		c->ts_recent = s->tsval;
		c->ts_recent_s = (uint32_t)(now / NS_PER_S);
	}
	path = tcp_pmtu_path(e, c, now);
	c->flags |= path < c->adv_mss ? TCPF_PMTU : 0;
	tcp_set_mss(e, c, path);
	tcp_plpmtu_start(e, c, now);
}

/* RFC 6928 2; a SYN that had to be repeated says to start with one (RFC 5681
 * 3.1) and with a longer time-out (RFC 6298 5.7). */
void
tcp_established(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	c->cwnd = (c->retries ? 1 : e->cfg->initial_cwnd) * c->mss;
	if (c->retries)
		tcp_rtt_handshake_was_slow(c);
	c->flags &= ~(uint32_t)TCPF_SYN_DUE; /* it was due again when the answer came */
	c->recover = c->iss;
	c->rcv_mark = tcp_window_mark(now);
	tcp_cc_start(e, c, tcp_cc(c), now);
	c->flags |= TCPF_APP_LIMITED; /* until the first round trip is over */
	tcp_timer_acked(c, now);
	tcp_window_grow_send(e, c);
	if (c->flags & TCPF_SHUT)
		tcp_set_state(e, c, TCP_FIN_WAIT_1, now);
}

void
tcp_app_wrote(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	(void)e;
	(void)now;
	/* Text written without MSG_MORE, or without the cork, ends its wait. */
	if (c->rare && !(c->flags & (TCPF_CORK | TCPF_MORE)))
		c->rare->cork_at = TIME_NEVER;
}

void
tcp_app_read(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	if (!tcp_facts[c->state].synchronized)
		return;
	if (tcp_reass_holds(c) && tcp_reass_deliver(e, c))
		c->flags |= TCPF_ACK_NOW;
	tcp_window_grow_receive(e, c, now);
	if (tcp_facts[c->state].may_recv && tcp_window_update_due(e, c))
		c->flags |= TCPF_ACK_NOW;
}

void
tcp_shutdown(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	c->flags |= TCPF_SHUT;
	c->flags &= ~(uint32_t)(TCPF_CORK | TCPF_MORE);
	switch ((enum tcp_state)c->state) {
	case TCP_SYN_SENT:
		tcp_set_state(e, c, TCP_CLOSED, now);
		break;
	case TCP_ESTABLISHED:
		tcp_set_state(e, c, TCP_FIN_WAIT_1, now);
		break;
	case TCP_CLOSE_WAIT:
		tcp_set_state(e, c, TCP_LAST_ACK, now);
		break;
	default:
		break; /* SYN-RECEIVED: when it is established; others: done before */
	}
}

void
tcp_close(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	c->flags |= TCPF_ORPHAN;
	if (c->streams && stream_used(&c->streams->rcv_w, &c->streams->rcv_r) > 0) {
		tcp_abort(e, c, TCP_E_NONE, now);
		return;
	}
	tcp_shutdown(e, c, now);
	if (c->state == TCP_FIN_WAIT_2)
		tcp_timer_state(e, c, now);
}

void
tcp_abort(struct tcp_env *e, struct tcp_conn *c, enum tcp_error why, int64_t now)
{
	bool known = tcp_facts[c->state].synchronized || c->state == TCP_SYN_RCVD;

	if (c->state == TCP_CLOSED)
		return;
	if (known && c->state != TCP_TIME_WAIT)
		c->flags |= TCPF_RST;
	c->flags &= ~(uint32_t)TCPF_SYN_DUE;
	c->err = (uint8_t)why;
	trace_add(e->trace, now, c->id, T_CLOSE, why, 0);
	tcp_set_state(e, c, TCP_CLOSED, now);
}

void
tcp_conn_release(struct tcp_env *e, struct tcp_conn *c)
{
	tcp_cc_stop(e, c);
	tcp_sack_release(e, c);
	tcp_reass_release(e, c);
	tcp_rare_release(e, c);
}

/* ------------------------------------------------------------------- ICMP -- */

bool
tcp_icmp_valid(const struct tcp_conn *c, seq_t quoted)
{
	return seq_le(c->snd_una, quoted) && seq_lt(quoted, c->snd_nxt);
}

/* RFC 9293 MUST-56: never a reason to give up an established connection; the
 * reason is kept for when retransmission gives up (RFC 5927 5.2). */
void
tcp_icmp_unreachable(struct tcp_env *e, struct tcp_conn *c, enum tcp_error soft, int64_t now)
{
	c->err = (uint8_t)soft;
	if (c->state == TCP_SYN_SENT)
		tcp_set_state(e, c, TCP_CLOSED, now);
}

/* --------------------------------------------------------------- TCP_INFO -- */

static void
info_scoreboard(const struct tcp_conn *c, struct tcp_info_data *i)
{
	if (!c->xmit)
		return;
	i->unacked = c->xmit->n_sent;
	i->sacked = c->xmit->n_sacked;
	list_for_each(l, &c->xmit->sent) {
		const struct tcp_sent *r = container_of(l, struct tcp_sent, link);

		i->lost += (r->flags & SENT_LOST) != 0;
		i->retrans += (r->flags & SENT_RETRANS) != 0;
	}
}

/* What was sent is what arrived, what is on its way, and what was sent again. */
static void
info_sent(const struct tcp_conn *c, struct tcp_info_data *i)
{
	bool fin_flies = (c->flags & TCPF_FIN_SENT) && tcp_flight(c) > 0;

	i->bytes_retrans = tcp_rare(c)->bytes_retrans;
	if (tcp_facts[c->state].synchronized)
		i->bytes_sent = tcp_bytes_acked(c) + tcp_flight(c) - fin_flies + i->bytes_retrans;
	i->data_segs_out = c->delivered_segs + i->unacked - i->sacked + i->total_retrans;
}

static void
info_state(const struct tcp_conn *c, struct tcp_info_data *i)
{
	i->state = tcp_facts[c->state].linux_nr;
	i->ca_state = c->ca;
	i->retransmits = i->backoff = c->retries;
	i->probes = c->probes;
	i->options = (uint8_t)((c->flags & TCPF_TS ? 1 : 0) | (c->flags & TCPF_SACK ? 2 : 0) |
	                       (c->flags & TCPF_WSCALE ? 4 : 0) | (c->ecn & ECN_OK ? 8 : 0) |
	                       (c->ecn & ECN_SEEN ? 16 : 0));
	i->snd_wscale = c->snd_wscale;
	i->rcv_wscale = c->rcv_wscale;
}

static void
info_times(const struct tcp_env *e, const struct tcp_conn *c, int64_t now,
           struct tcp_info_data *i)
{
	i->rto_ns = tcp_rto_ns(c);
	i->ato_ns = e->cfg->delack_min_ns;
	i->srtt_ns = tcp_srtt_ns(c);
	i->rttvar_ns = US(c->rttvar_us >> 2);
	i->min_rtt_ns = US(c->min_rtt_us);
	i->last_data_sent_ns = now - c->sent_at;
	i->last_data_recv_ns = i->last_ack_recv_ns = tcp_silence_ns(c, now);
	i->busy_ns = tcp_chrono_ns(c, CHRONO_BUSY, now);
	i->rwnd_limited_ns = tcp_chrono_ns(c, CHRONO_RWND, now);
	i->sndbuf_limited_ns = tcp_chrono_ns(c, CHRONO_SNDBUF, now);
}

static void
info_sizes(const struct tcp_env *e, const struct tcp_conn *c, struct tcp_info_data *i)
{
	uint32_t stamp = c->flags & TCPF_TS ? TS_BYTES : 0;

	i->snd_mss = c->mss;
	i->rcv_mss = c->rcv_mss;
	i->advmss = c->adv_mss - stamp;
	i->pmtu = c->mss + wire_tcp_headers(&tcp_name(c)->remote) + stamp;
	i->snd_ssthresh = c->ssthresh == UINT32_MAX ? INT32_MAX : c->ssthresh / c->mss;
	i->snd_cwnd = c->mss ? c->cwnd / c->mss : 0;
	i->snd_wnd = c->snd_wnd;
	i->rcv_wnd = tcp_rcv_wnd(c);
	i->rcv_space = c->rcv_space;
	i->notsent_bytes = tcp_unsent(c);
	i->reordering = max(e->cfg->dupthresh, (uint32_t)c->reordering);
}

static void
info_counts(const struct tcp_conn *c, struct tcp_info_data *i)
{
	i->total_retrans = tcp_rare(c)->total_retrans;
	i->segs_out = c->segs_out;
	i->segs_in = c->segs_in;
	i->data_segs_in = c->data_segs_in;
	i->bytes_acked = tcp_bytes_acked(c);
	i->bytes_received = tcp_bytes_received(c);
	i->dsack_dups = tcp_rare(c)->dsack_dups;
	i->delivered = c->delivered_segs;
	i->delivered_ce = tcp_rare(c)->delivered_ce;
}

static void
info_rates(const struct tcp_env *e, const struct tcp_conn *c, struct tcp_info_data *i)
{
	int64_t most = tcp_opt_value(e, c->opts, TCP_OPTION_MAX_PACING_RATE);

	i->pacing_rate = tcp_pace_rate(e, c);
	i->max_pacing_rate = most == INT64_MAX ? UINT64_MAX : (uint64_t)most;
	i->delivery_rate = (uint64_t)c->delivery_rate * 64;
	i->delivery_rate_app_limited = (c->flags & TCPF_APP_LIMITED) != 0;
}

void
tcp_info_fill(const struct tcp_env *e, const struct tcp_conn *c, int64_t now,
              struct tcp_info_data *i)
{
	*i = (struct tcp_info_data){ .state = 0 };
	info_state(c, i);
	info_times(e, c, now, i);
	info_sizes(e, c, i);
	info_counts(c, i);
	info_scoreboard(c, i);
	info_sent(c, i);
	info_rates(e, c, i);
}
