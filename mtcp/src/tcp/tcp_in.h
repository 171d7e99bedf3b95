/* SPDX-License-Identifier: BSD-3-Clause */
/* What tcp_in.c, tcp_ack.c and tcp_conn.c share about input. */
#pragma once

#include "tcp/tcp.h"

/* The fifth step of RFC 9293 3.10.7.4: the ACK field.  SEG_OK lets the sixth
 * follow, unless the connection is CLOSED now: it was LAST-ACK's ACK. */
enum fate tcp_ack(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s, int64_t now);

/* Its beginning in SYN-RECEIVED: does the segment acknowledge our SYN?  SEG_OK: ESTABLISHED now. */
enum fate tcp_ack_of_syn(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s,
                         int64_t now);

/* What SYN and SYN-ACK negotiate: our SYN's options are in force from now on. */
void tcp_take_syn_options(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s,
                          int64_t now);

/* The seventh step: the text of a segment that is acceptable. */
void tcp_in_text(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s, int64_t now);

/* The same for text that begins at RCV.NXT and ends in the window. */
enum fate tcp_in_next(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s, int64_t now);

/* SND.UNA has moved: what is acknowledged makes room for the application. */
void tcp_text_acked(struct tcp_env *e, struct tcp_conn *c);

/* ESTABLISHED is entered: congestion control starts. */
void tcp_established(struct tcp_env *e, struct tcp_conn *c, int64_t now);

/* An ACK that a blind attacker could provoke: at most so many a second for this
 * connection, none shared with others (RFC 5961 10). */
void tcp_challenge(struct tcp_env *e, struct tcp_conn *c, int64_t now);
