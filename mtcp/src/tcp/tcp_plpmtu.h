/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Path MTU without routers (RFC 4821, RFC 8899): segments start small, and now and
 * then a larger one leaves as a probe.  If it arrives the path takes that size; if it
 * is lost, and nothing else is, it was too large, and no sign of congestion.
 *
 * `mtu_probing`, as Linux's tcp_mtu_probing: 0, never; 1, once full segments time out
 * again and again, which is what a path does whose routers drop what is too large and
 * do not say so; 2, always.
 */
#pragma once

#include "tcp/tcp.h"

enum { TCP_MTU_PROBING_OFF, TCP_MTU_PROBING_BLACK_HOLE, TCP_MTU_PROBING_ALWAYS };

/* What the path takes is known from the handshake: mss is set. */
void tcp_plpmtu_start(struct tcp_env *e, struct tcp_conn *c, int64_t now);

/* Bytes of a probe that may leave now, more than a full segment; 0: none may. */
uint32_t tcp_plpmtu_probe(struct tcp_env *e, struct tcp_conn *c, uint32_t unsent, int64_t now);

/* The last segment sent, of `len` bytes of text, is the probe. */
void tcp_plpmtu_sent(struct tcp_conn *c, uint32_t len);

/* SND.UNA has advanced; before the scoreboard is given back. */
void tcp_plpmtu_acked(struct tcp_env *e, struct tcp_conn *c, int64_t now);

/* Something is considered lost.  True: the probe and nothing else, so congestion control
 * need not hear of it.  What stood in it leaves again at once. */
bool tcp_plpmtu_lost(struct tcp_conn *c);

/* An RTO has expired: the probe that is out says nothing.  The fourth in a row of a large
 * segment is taken for a black hole (RFC 4821 7.7), and each further halves the segments. */
void tcp_plpmtu_timeout(struct tcp_env *e, struct tcp_conn *c, int64_t now);

/* A router says that the path takes segments of `path` bytes, options counted. */
void tcp_plpmtu_told(struct tcp_conn *c, uint32_t path);
