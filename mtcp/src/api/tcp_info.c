/* SPDX-License-Identifier: BSD-3-Clause */
/* Times are microseconds, or milliseconds where they say how long ago. */
#include "api/tcp_info.h"

#include <linux/tcp.h>

static uint32_t
scaled(int64_t ns, int64_t unit)
{
	int64_t n = ns / unit;

	return n < 0 ? 0 : (uint32_t)min(n, (int64_t)UINT32_MAX);
}

static void
fill_times(struct tcp_info *i, const struct tcp_info_data *d)
{
	i->tcpi_rto = scaled(d->rto_ns, NS_PER_US);
	i->tcpi_ato = scaled(d->ato_ns, NS_PER_US);
	i->tcpi_rtt = scaled(d->srtt_ns, NS_PER_US);
	i->tcpi_rttvar = scaled(d->rttvar_ns, NS_PER_US);
	i->tcpi_min_rtt = scaled(d->min_rtt_ns, NS_PER_US);
	i->tcpi_last_data_sent = scaled(d->last_data_sent_ns, NS_PER_MS);
	i->tcpi_last_data_recv = scaled(d->last_data_recv_ns, NS_PER_MS);
	i->tcpi_busy_time = (uint64_t)max(d->busy_ns, INT64_C(0)) / NS_PER_US;
	i->tcpi_rwnd_limited = (uint64_t)max(d->rwnd_limited_ns, INT64_C(0)) / NS_PER_US;
	i->tcpi_sndbuf_limited = (uint64_t)max(d->sndbuf_limited_ns, INT64_C(0)) / NS_PER_US;
	i->tcpi_last_ack_recv = scaled(d->last_ack_recv_ns, NS_PER_MS);
}

static void
fill_state(struct tcp_info *i, const struct tcp_info_data *d)
{
	i->tcpi_state = d->state;
	i->tcpi_ca_state = d->ca_state;
	i->tcpi_retransmits = d->retransmits;
	i->tcpi_probes = d->probes;
	i->tcpi_backoff = d->backoff;
	i->tcpi_options = d->options;
	i->tcpi_snd_wscale = d->snd_wscale & 15u;
	i->tcpi_rcv_wscale = d->rcv_wscale & 15u;
}

static void
fill_sizes(struct tcp_info *i, const struct tcp_info_data *d)
{
	i->tcpi_snd_mss = d->snd_mss;
	i->tcpi_rcv_mss = d->rcv_mss;
	i->tcpi_advmss = d->advmss;
	i->tcpi_pmtu = d->pmtu;
	i->tcpi_snd_ssthresh = d->snd_ssthresh;
	i->tcpi_snd_cwnd = d->snd_cwnd;
	i->tcpi_rcv_ssthresh = d->rcv_wnd;
	i->tcpi_rcv_space = d->rcv_space;
	i->tcpi_reordering = d->reordering;
	i->tcpi_notsent_bytes = d->notsent_bytes;
	i->tcpi_snd_wnd = d->snd_wnd;
}

static void
fill_counts(struct tcp_info *i, const struct tcp_info_data *d)
{
	i->tcpi_unacked = d->unacked;
	i->tcpi_sacked = d->sacked;
	i->tcpi_lost = d->lost;
	i->tcpi_retrans = d->retrans;
	i->tcpi_total_retrans = d->total_retrans;
	i->tcpi_segs_out = d->segs_out;
	i->tcpi_segs_in = d->segs_in;
	i->tcpi_data_segs_out = d->data_segs_out;
	i->tcpi_data_segs_in = d->data_segs_in;
	i->tcpi_bytes_acked = d->bytes_acked;
	i->tcpi_bytes_received = d->bytes_received;
	i->tcpi_bytes_sent = d->bytes_sent;
	i->tcpi_bytes_retrans = d->bytes_retrans;
	i->tcpi_delivered = d->delivered;
	i->tcpi_delivered_ce = d->delivered_ce;
	i->tcpi_dsack_dups = d->dsack_dups;
}

static void
fill_rates(struct tcp_info *i, const struct tcp_info_data *d)
{
	i->tcpi_pacing_rate = d->pacing_rate;
	i->tcpi_max_pacing_rate = d->max_pacing_rate;
	i->tcpi_delivery_rate = d->delivery_rate;
	i->tcpi_delivery_rate_app_limited = d->delivery_rate_app_limited;
}

size_t
tcp_info_write(const struct tcp_info_data *d, void *out, size_t room)
{
	struct tcp_info i = { 0 };

	fill_state(&i, d);
	fill_times(&i, d);
	fill_sizes(&i, d);
	fill_counts(&i, d);
	fill_rates(&i, d);
	room = min(room, sizeof i);
	memcpy(out, &i, room);
	return room;
}
