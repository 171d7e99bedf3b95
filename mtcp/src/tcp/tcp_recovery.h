/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loss recovery: RACK decides what is lost (RFC 8985), PRR how much may leave
 * while it is repaired (RFC 9937), NewReno stands in for peers without SACK
 * (RFC 6582), and a time-out starts over (RFC 5681 3.1, RFC 6298 5).
 */
#pragma once

#include "tcp/tcp_sack.h"

/* An ACK has been taken: `n` says what it taught; `dup`: it was a duplicate in
 * the sense of RFC 5681 2.  Detects loss, enters and leaves recovery, and lets
 * the congestion control grow cwnd. */
void tcp_recovery_acked(struct tcp_env *e, struct tcp_conn *c, const struct sack_news *n, bool dup,
                        uint32_t flight_before, int64_t now);

/* The same while all is well (tcp_usual.h): of all that was sent nothing is, or was, in doubt.  `rate`
 * may be NULL unless tcp_recovery_wants_rate(). */
void tcp_recovery_calm(struct tcp_env *e, struct tcp_conn *c, uint32_t acked, int64_t rtt_ns,
                       const struct rate_sample *rate, uint32_t flight_before, int64_t now);

/* Whether the congestion control looks at rates. */
static inline bool
tcp_recovery_wants_rate(const struct tcp_conn *c)
{
	return tcp_cc(c)->control || tcp_cc(c)->watch;
}

/* Before that: what it taught about a tail loss probe; `dup`: it said nothing at all, whether or
 * not anything is in flight. */
void tcp_recovery_probe_acked(struct tcp_env *e, struct tcp_conn *c, const struct sack_news *n,
                              bool dup, int64_t now);

/* The retransmission timer has expired. */
void tcp_recovery_timeout(struct tcp_env *e, struct tcp_conn *c, int64_t now);

/* RACK's reordering timer has expired. */
void tcp_recovery_reorder_expired(struct tcp_env *e, struct tcp_conn *c, int64_t now);

/* Text waits that the peer's window has room for, but cwnd has not. */
void tcp_recovery_cwnd_full(struct tcp_conn *c);

/* `bytes` leave during recovery. */
void tcp_recovery_sending(struct tcp_conn *c, uint32_t bytes);
