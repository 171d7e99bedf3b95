/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A connection's deadlines.  Others tell this file what happened; it alone
 * decides when something is due and what is done then.
 */
#pragma once

#include "tcp/tcp.h"

enum tcp_rtx_kind {
	RTX_NONE,
	RTX_RTO,     /* retransmission time-out (RFC 6298), also of SYN and FIN      */
	RTX_TLP,     /* tail loss probe (RFC 8985 7), never later than the RTO       */
	RTX_REORDER, /* RACK's reordering timer (RFC 8985 6.3); then the RTO again   */
	RTX_PERSIST, /* closed or silly window (RFC 9293 3.8.6.1, RFC 1122 4.2.3.4)  */
};

/* What happened. */
void tcp_timer_state(struct tcp_env *e, struct tcp_conn *c, int64_t now);
void tcp_timer_retune(struct tcp_env *e, struct tcp_conn *c, int64_t now); /* tunables changed */
void tcp_timer_sent(struct tcp_conn *c, int64_t now);        /* sequence space left       */
void tcp_timer_acked(struct tcp_conn *c, int64_t now);       /* SND.UNA moved             */
void tcp_timer_resent(struct tcp_conn *c, int64_t now);      /* the segment at SND.UNA did */
void tcp_timer_probe(struct tcp_conn *c, int64_t now);       /* a loss probe may be due   */
void tcp_timer_reorder(struct tcp_conn *c, int64_t at);      /* RACK wants to look again  */
void tcp_timer_blocked(struct tcp_env *e, struct tcp_conn *c, int64_t now); /* output had nothing it may send */
void tcp_timer_window_opened(struct tcp_env *e, struct tcp_conn *c, int64_t now); /* was 0 */
void tcp_timer_received(struct tcp_env *e, struct tcp_conn *c, int64_t now); /* a sign of life */
void tcp_timer_delay_ack(struct tcp_env *e, struct tcp_conn *c, int64_t now);
void tcp_timer_ack_sent(struct tcp_conn *c);
void tcp_timer_corked(struct tcp_env *e, struct tcp_conn *c, int64_t now);
void tcp_timer_options(struct tcp_env *e, struct tcp_conn *c, int64_t now);

/* The earliest deadline; TIME_NEVER: none. */
int64_t tcp_timer_next(const struct tcp_conn *c);

/* Does what is due.  May leave the connection CLOSED, with c->err saying why. */
void tcp_timer_run(struct tcp_env *e, struct tcp_conn *c, int64_t now);
