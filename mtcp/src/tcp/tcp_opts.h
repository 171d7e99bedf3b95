/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a socket option may change, per connection, in one record shared by all
 * connections that never changed anything; and what TCP_INFO shows.
 */
#pragma once

#include "base/base.h"

struct cc_ops;

enum tcp_option {
	TCP_OPTION_KEEPIDLE,     /* s                                      */
	TCP_OPTION_KEEPINTVL,    /* s                                      */
	TCP_OPTION_KEEPCNT,      /* probes                                 */
	TCP_OPTION_USER_TIMEOUT, /* ms; 0: off                             */
	TCP_OPTION_SYNCNT,       /* SYN retransmissions                    */
	TCP_OPTION_LINGER2,      /* s in FIN-WAIT-2; negative: none        */
	TCP_OPTION_MAXSEG,       /* bytes                                  */
	TCP_OPTION_CONGESTION,   /* index of the algorithm, tcp_cc_at()    */
	TCP_OPTION_RCVBUF,       /* bytes; switches autotuning off         */
	TCP_OPTION_SNDBUF,       /* bytes; likewise                        */
	TCP_OPTION_TOS,          /* IP_TOS, IPV6_TCLASS                    */
	TCP_OPTION_TTL,          /* IP_TTL                                 */
	TCP_OPTION_LINGER,       /* s; -1: off                             */
	TCP_OPTION_WINDOW_CLAMP, /* bytes                                  */
	TCP_OPTION_NOTSENT_LOWAT, /* bytes                                 */
	TCP_OPTION_FASTOPEN,     /* listener: connections waiting for their handshake; 0: off */
	TCP_OPTION_DEFER_ACCEPT, /* listener: SYN-ACK time-outs to wait for text; 0: off */
	TCP_OPTION_MAX_PACING_RATE, /* bytes/s, 64 bits; INT64_MAX: no limit */
	TCP_N_OPTIONS
};

static_assert(TCP_N_OPTIONS <= 32, "a bit for each");

/* One value per option; `set` has a bit for each that was ever set. */
struct tcp_opts {
	uint32_t refs;
	uint32_t set;
	int64_t max_pacing_rate; /* TCP_OPTION_MAX_PACING_RATE */
	int32_t value[TCP_N_OPTIONS];
};

/* The numbers behind TCP_INFO, in our units; api/ lays them out as Linux does. */
struct tcp_info_data {
	uint8_t state;         /* Linux's numbers: 1 ESTABLISHED … 11 CLOSING    */
	uint8_t ca_state;      /* 0 open, 1 disorder, 2 CWR, 3 recovery, 4 loss  */
	uint8_t retransmits, probes, backoff;
	uint8_t options;       /* 1 TS, 2 SACK, 4 WSCALE, 8 ECN, 16 ECN seen     */
	uint8_t snd_wscale, rcv_wscale;
	int64_t rto_ns, ato_ns, srtt_ns, rttvar_ns, min_rtt_ns;
	int64_t last_data_sent_ns, last_data_recv_ns, last_ack_recv_ns; /* ago */
	uint32_t snd_mss, rcv_mss, advmss, pmtu;
	uint32_t unacked, sacked, lost, retrans; /* segments */
	uint32_t snd_ssthresh, snd_cwnd;         /* segments */
	uint32_t snd_wnd, rcv_wnd, rcv_space;
	uint32_t total_retrans, segs_out, segs_in, data_segs_out, data_segs_in;
	uint64_t bytes_acked, bytes_received, bytes_sent, bytes_retrans;
	uint32_t notsent_bytes, reordering;
	uint32_t delivered, delivered_ce;        /* segments */
	uint64_t delivery_rate, pacing_rate;     /* bytes/s  */
	bool delivery_rate_app_limited;
	int64_t busy_ns, rwnd_limited_ns, sndbuf_limited_ns;
	uint64_t max_pacing_rate; /* bytes/s; UINT64_MAX: none */
	uint32_t dsack_dups;   /* segments that the peer had twice                */
	uint32_t cc_info[5];   /* of the algorithm, as Linux's union tcp_cc_info  */
	uint32_t cc_info_len;  /* bytes; 0: it has none                           */
};
