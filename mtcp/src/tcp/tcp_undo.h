/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Undo: a reduction of cwnd that turns out to have been wrong is taken back.
 * Two witnesses: D-SACKs that report every retransmission as a duplicate (RFC
 * 2883, RFC 3708), and an ACK that echoes a timestamp from before the first
 * retransmission (Eifel: RFC 3522, response RFC 4015).  A third, F-RTO, has a
 * file of its own.
 */
#pragma once

#include "tcp/tcp_sack.h"

/* cwnd and ssthresh are about to be reduced: remembers what they are. */
void tcp_undo_begin(struct tcp_conn *c);

/* A range has been sent again (told by tcp_sack.c). */
void tcp_undo_resent(struct tcp_conn *c, const struct tcp_sent *r, int64_t now);

/* A D-SACK block has come (likewise).  Returns how many of our retransmissions it reports. */
uint32_t tcp_undo_duplicate(struct tcp_conn *c, const struct tcp_sack_block *b);

/* Whether what this ACK taught shows that the reduction was wrong. */
bool tcp_undo_due(const struct tcp_conn *c, const struct sack_news *n);

/* Takes it back: cwnd, ssthresh and the congestion control are as they were, and nothing is
 * lost any more. */
void tcp_undo(struct tcp_env *e, struct tcp_conn *c, int64_t now);
