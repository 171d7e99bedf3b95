/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * F-RTO (RFC 5682): was the time-out spurious?  After it the first ACK that
 * advances is answered with new text instead of retransmissions; when the next
 * one shows that the originals arrive after all, nothing was lost.
 */
#pragma once

#include "tcp/tcp_sack.h"

enum tcp_frto {
	FRTO_OFF,
	FRTO_FIRST,  /* waits for the first ACK after the time-out (step 2) */
	FRTO_SECOND, /* new text leaves; waits for the second (step 3)      */
};

#define FRTO_NEW 2u /* segments of new text in between (step 2b) */

/* A time-out, of something that was not being recovered already. */
void tcp_frto_start(struct tcp_conn *c);
void tcp_frto_stop(struct tcp_conn *c);

/* An ACK has been taken; `dup`: it was a duplicate.  True: the time-out was spurious. */
bool tcp_frto_acked(struct tcp_conn *c, const struct sack_news *n, bool dup);

/* New text goes first, and may leave whatever cwnd says. */
bool tcp_frto_wants_new(const struct tcp_conn *c);
void tcp_frto_sent_new(struct tcp_conn *c);
