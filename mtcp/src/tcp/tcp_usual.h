/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Header prediction: the segment that was expected, and the answer that nothing stands against.
 * Same effect as tcp_in() and tcp_out_next(), faster; test/tcp/test_tcp_usual.c runs both on the
 * same exchanges and compares all that a connection is.  A connection takes this way while it is
 * ESTABLISHED and nothing is lost, reordered, marked, urgent or closed, and for the segments most
 * begin and end with; what is in the way of a segment that is none of this is the general
 * functions' to say.
 */
#pragma once

#include "tcp/tcp.h"

/* The segment comes in order and acknowledges all or nothing of what was sent as one.  False:
 * nothing has happened. */
bool tcp_usual_in(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s, int64_t now,
                  enum fate *fate);

/* SYN-RECEIVED: the ACK that a listener's connection waits for, and text perhaps.  FIN-WAIT-1 of one
 * that the application has closed: all that was sent is acknowledged, and the peer closes too.  Both
 * as above. */
bool tcp_usual_opens(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s, int64_t now,
                     enum fate *fate);
bool tcp_usual_ends(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s, int64_t now);

enum tcp_usual { TCP_USUAL_NOT, TCP_USUAL_NOTHING, TCP_USUAL_SEGMENT };

/* New text that may leave, or an ACK, or there is nothing to send.  TCP_USUAL_NOT: nothing has
 * happened. */
enum tcp_usual tcp_usual_out(struct tcp_env *e, struct tcp_conn *c, int64_t now,
                             struct tcp_seg *s);
