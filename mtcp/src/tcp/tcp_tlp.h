/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tail loss probes (RFC 8985 7): when no ACK comes for two round trips the last
 * segment, or a new one, goes out, so that its ACK shows what is missing long
 * before the retransmission timer would.
 */
#pragma once

#include "tcp/tcp_sack.h"

/* Bits of struct tcp_conn.tlp. */
enum {
	TLP_OUT = 1 << 0,     /* a probe has left, and its end is not acknowledged or judged */
	TLP_RETRANS = 1 << 1, /* it was a retransmission                                    */
	TLP_NEVER = 1 << 3,   /* switched off                                               */
	TLP_STALE = 1 << 2,   /* no round trip was measured since the last one              */
};

/* Whether a probe may be due: the timer asks when something was sent or acknowledged (7.2), and
 * again when it expires (7.3). */
bool tcp_tlp_wanted(const struct tcp_conn *c);

/* How long after that, ns (7.2). */
int64_t tcp_tlp_pto(const struct tcp_conn *c);

/* A probe leaves that ends at `end`; `again`: a retransmission. */
void tcp_tlp_sent(struct tcp_env *e, struct tcp_conn *c, seq_t end, bool again);

/* An ACK has been taken (7.4); `dup`: it said nothing new at all.  True: the probe has repaired
 * a loss, which congestion control has to hear of. */
bool tcp_tlp_acked(struct tcp_conn *c, const struct sack_news *n, bool dup);

/* Whether the range is that of the last probe, if that was a retransmission; also when it has
 * been judged. */
bool tcp_tlp_was(const struct tcp_conn *c, const struct tcp_sack_block *b);

/* Recovery began: the probe, if any, has done its work. */
void tcp_tlp_stop(struct tcp_conn *c);
