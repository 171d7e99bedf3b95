/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SYN cookies (RFC 4987 3.6): a SYN-ACK whose sequence number is all that would
 * have been remembered of a SYN.  The ACK brings it back, and with it a half-open
 * record, as if there had been one.  What does not fit is lost without them: the
 * peer's MSS becomes the next smaller of eight; window scale, SACK and ECN hide in
 * the low bits of our timestamp, and are agreed only if the peer has timestamps.
 *
 *	31      5    4     3 2 1    0
 *	[  MAC  ] [ TS ] [ MSS ] [ period ]
 *
 * The MAC is keyed by a secret of its period; those of this period and the last
 * are believed, so a cookie lives for one to two of them.  It covers what hides in the
 * timestamp, too: unlike Linux's, which believes whatever is echoed.
 */
#pragma once

#include "tcp/tcp_listen.h"

#define TCP_COOKIE_PERIOD_NS SEC(64)

/* `syn_cookies` of struct tcp_cfg. */
enum tcp_cookie_mode { TCP_COOKIES_OFF, TCP_COOKIES_ON, TCP_COOKIES_ALWAYS };

/* The SYN-ACK that answers `syn`; the rest is as for tcp_req_init(). */
void tcp_cookie_synack(struct tcp_env *e, const struct tcp_tuple *t, const struct tcp_seg *syn,
                       uint16_t local_mss, uint32_t rcvbuf, int64_t now, struct tcp_seg *s);

/* Whether `ack`, a segment with ACK and without SYN and RST, brings back one of our cookies:
 * then `r` is the record that its SYN would have made.  Its time of sending is not known: it is
 * set to the next moment, so that nothing is measured from it. */
bool tcp_cookie_ack(struct tcp_env *e, const struct tcp_tuple *t, const struct tcp_seg *ack,
                    uint16_t local_mss, uint32_t rcvbuf, int64_t now, struct tcp_req *r);
