/* SPDX-License-Identifier: BSD-3-Clause */
/* RACK (RFC 8985 6): which ranges are lost, judged by when they were sent. */
#pragma once

#include "tcp/tcp_sack.h"

/* tcp_cfg.recovery, as the bits of Linux's tcp_recovery. */
enum {
	TCP_RECOVERY_RACK = 1 << 0,         /* always                                    */
	TCP_RECOVERY_STATIC = 1 << 1,       /* duplicates do not widen the window        */
	TCP_RECOVERY_NO_DUPTHRESH = 1 << 2, /* it is waited for whatever has overtaken   */
};

/* A range has reached the peer for the first time (told by tcp_sack.c). */
void tcp_rack_delivered(struct tcp_conn *c, const struct tcp_sent *r, const struct sack_news *n,
                        int64_t now);

/* Marks ranges as lost, and asks the timer to look again when the next one would
 * be.  True when something was marked. */
bool tcp_rack_detect(struct tcp_env *e, struct tcp_conn *c, int64_t now);

/* What an ACK taught about duplicates: widens the reordering window (6.2 step 4). */
void tcp_rack_duplicates(struct tcp_env *e, struct tcp_conn *c, const struct sack_news *n);

/* A recovery has ended: a window that was widened lasts for 16 of them. */
void tcp_rack_recovered(struct tcp_conn *c);

/* After a time-out (6.3): whether a range has been out long enough to be lost with it. */
bool tcp_rack_overdue(const struct tcp_env *e, const struct tcp_conn *c, const struct tcp_sent *r,
                      int64_t now);

/* Whether something that left later than `r` has reached the peer. */
bool tcp_rack_overtaken(const struct tcp_conn *c, const struct tcp_sent *r);
