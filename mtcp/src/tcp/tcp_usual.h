/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Header prediction: the segment that was expected, and the answer that nothing stands against.
 * Same effect as tcp_in() and tcp_out_next(), faster; test/tcp/test_tcp_usual.c runs both on the
 * same exchanges and compares all that a connection is.  A connection takes this way while it is
 * ESTABLISHED and nothing is lost, reordered, marked, urgent or closed; what is in the way of a
 * segment that is none of this is the general functions' to say.
 */
#pragma once

#include "tcp/tcp.h"

/* The segment comes in order and acknowledges all or nothing of what was sent as one.  False:
 * nothing has happened. */
bool tcp_usual_in(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s, int64_t now,
                  enum fate *fate);

enum tcp_usual { TCP_USUAL_NOT, TCP_USUAL_NOTHING, TCP_USUAL_SEGMENT };

/* New text that may leave, or an ACK, or there is nothing to send.  TCP_USUAL_NOT: nothing has
 * happened. */
enum tcp_usual tcp_usual_out(struct tcp_env *e, struct tcp_conn *c, int64_t now,
                             struct tcp_seg *s);
