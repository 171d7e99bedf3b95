/* SPDX-License-Identifier: BSD-3-Clause */
/* Round-trip time and the retransmission time-out (RFC 6298). */
#pragma once

#include "tcp/tcp.h"

/* A valid sample (Karn's rule is the caller's); `rtt_ns` >= 0. */
void tcp_rtt_sample(const struct tcp_cfg *cfg, struct tcp_conn *c, int64_t rtt_ns);

/* RFC 6298 5.5: the timer has expired. */
void tcp_rtt_back_off(const struct tcp_cfg *cfg, struct tcp_conn *c);

/* RFC 6298 5.7: the SYN had to be repeated; data starts with 3 s. */
void tcp_rtt_handshake_was_slow(struct tcp_conn *c);

/* Whether an ACK of our SYN echoes the first one's timestamp although it was repeated: then it
 * was not lost, and the wait too short (Eifel: RFC 3522 3.2). */
bool tcp_rtt_first_syn_answered(const struct tcp_conn *c, const struct tcp_seg *s);

/* The wait is over that had nothing to do with the path (a closed window): the
 * back-off ends, the estimate counts again. */
void tcp_rtt_forget_back_off(const struct tcp_cfg *cfg, struct tcp_conn *c);

static inline int64_t
tcp_srtt_ns(const struct tcp_conn *c)
{
	return US(c->srtt_us >> 3);
}
