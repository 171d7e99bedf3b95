/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tunables of TCP: every default that a user may change, with the unit in
 * its name.  api/config.c fills one from the .conf file; the simulator and the
 * tests fill their own.  Constant during a step: see stack_tune().
 */
#pragma once

#include "base/base.h"

struct cc_ops;

struct tcp_cfg {
	/* -- congestion control and loss -------------------------------------- */
	const struct cc_ops *cc;      /* default algorithm                              */
	uint32_t initial_cwnd;        /* segments (RFC 6928: 10)                        */
	bool slow_start_after_idle;   /* restart window after an idle RTO (RFC 5681 4.1) */
	bool loss_probe;              /* tail loss probes (RFC 8985 7)                  */
	uint32_t mtu_probing;         /* TCP_MTU_PROBING_* of tcp_plpmtu.h: off                  */
	bool frto;                    /* doubt time-outs (RFC 5682)                     */
	uint32_t dupthresh;           /* duplicates that mean loss (RFC 5681: 3)        */
	uint8_t ecn;                  /* enum tcp_ecn_mode: passive                     */
	uint8_t hystart;              /* enum tcp_hystart: by delay                     */
	bool pacing;                  /* every connection is paced: off                 */
	uint32_t pacing_ss_ratio;     /* percent of cwnd/srtt in slow start: 200        */
	uint32_t pacing_ca_ratio;     /* ... and after it: 120                          */
	uint8_t recovery;             /* TCP_RECOVERY_* of tcp_rack.h: 1                */
	uint32_t min_pmtu;            /* bytes; no router makes it smaller: 552         */

	/* -- timers ------------------------------------------------------------ */
	int64_t rto_initial_ns;       /* before the first sample: 1 s (RFC 6298 2.1)    */
	int64_t rto_min_ns;           /* floor of the variance term: 200 ms             */
	int64_t rto_max_ns;           /* 120 s                                          */
	uint32_t syn_retries;         /* SYNs sent again before ETIMEDOUT: 6            */
	uint32_t synack_retries;      /* 5                                              */
	uint32_t retries;             /* R2 of RFC 9293 3.8.3, in expiries: 15          */
	uint32_t orphan_retries;      /* the same once nobody holds the socket: 8       */
	int64_t delack_min_ns;        /* 40 ms                                          */
	int64_t delack_max_ns;        /* 200 ms                                         */
	uint32_t quickack;            /* segments acknowledged at once at the start: 16 */
	int64_t cork_max_ns;          /* a corked partial segment waits: 200 ms         */
	int64_t time_wait_ns;         /* 60 s                                           */
	bool rfc1337;                 /* TIME-WAIT ignores every reset (RFC 1337 F1)    */
	int64_t fin_wait_2_ns;        /* 60 s, once the application has closed          */
	int64_t keepidle_ns;          /* 7200 s                                         */
	int64_t keepintvl_ns;         /* 75 s                                           */
	uint32_t keepcnt;             /* 9                                              */
	int64_t idle_timeout_ns;      /* `tcp_timeout`: drop idle connections; TIME_NEVER: off */

	/* -- options -------------------------------------------------------------- */
	bool timestamps;              /* RFC 7323                                       */
	bool ts_plain;                /* they begin with our clock, not anywhere: off   */
	bool sack;                    /* RFC 2018                                       */
	bool window_scaling;          /* RFC 7323                                       */
	uint32_t fastopen;            /* FASTOPEN_* of tcp_fastopen.h: 1, clients       */
	struct tcp_fastopen_secret {
		uint8_t key[32];
		uint8_t len;          /* 0: drawn; 16; 32: with a backup key            */
	} fastopen_key;

	/* -- buffers, bytes ------------------------------------------------------- */
	uint32_t rcvbuf;              /* first size: 131072                             */
	uint32_t rcvbuf_max;          /* autotuning grows to: 6 MB; equal: fixed        */
	uint32_t sndbuf;              /* first size: 16384                              */
	uint32_t sndbuf_max;          /* autotuning grows to: 4 MB                      */
	uint32_t reass_runs;          /* out-of-order runs held per connection: 256     */
	uint8_t syn_cookies;          /* enum tcp_cookie_mode: when records run out     */
	uint32_t challenge_ack_per_s; /* per connection (RFC 5961 10): 100 a second     */
	uint8_t ttl;                  /* 64                                             */

	bool general_only;            /* for tests: nothing goes by tcp_usual.h         */
};

/* The defaults above. */
void tcp_cfg_default(struct tcp_cfg *cfg);
