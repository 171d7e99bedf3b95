/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Explicit congestion notification (RFC 3168).  A box on the way marks what it
 * would else have dropped; the receiver echoes the mark (ECE) until the sender
 * says that it has slowed down (CWR).  Under DCTCP (RFC 8257) the echo follows
 * the marks exactly.
 */
#pragma once

#include "tcp/tcp.h"

/* The field of the IP header, struct tcp_seg.ecn. */
enum { IP_ECN_NONE = 0, IP_ECN_ECT1 = 1, IP_ECN_ECT0 = 2, IP_ECN_CE = 3, IP_ECN_MASK = 3 };

/* Bits of struct tcp_conn.ecn. */
enum {
	ECN_OK = 1 << 0,        /* negotiated                                             */
	ECN_ASKED = 1 << 1,     /* our last SYN was an ECN-setup SYN                      */
	ECN_SEEN = 1 << 2,      /* text has come that could have been marked              */
	ECN_ECHO = 1 << 3,      /* every ACK carries ECE                                  */
	ECN_CWR_DUE = 1 << 4,   /* the next new text carries CWR                          */
	ECN_ACK_FIRST = 1 << 5, /* what came before the marks changed (DCTCP), or before another
	                         * segment of a repair, gets an ACK of its own            */
	ECN_ACK_CE = 1 << 6,    /* ... and this is its ECE                                */
};

/* `ecn` of struct tcp_cfg. */
enum tcp_ecn_mode { TCP_ECN_OFF, TCP_ECN_PASSIVE, TCP_ECN_ON };

/* ECE and CWR of a SYN that leaves now; of the SYN-ACK of a simultaneous open. */
uint8_t tcp_ecn_syn(const struct tcp_env *e, struct tcp_conn *c);
uint8_t tcp_ecn_synack(const struct tcp_conn *c);

/* Whether a SYN asks for ECN and we agree (also for half-open records). */
bool tcp_ecn_agreed(const struct tcp_env *e, const struct tcp_seg *syn);

/* SYN-SENT has got the peer's SYN or SYN-ACK. */
void tcp_ecn_answered(const struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s);

/* An acceptable segment has arrived: what its IP header and its CWR say. */
void tcp_ecn_arrived(struct tcp_conn *c, const struct tcp_seg *s);

/* Whether the ACK that came says that the path marks. */
bool tcp_ecn_echoed(const struct tcp_conn *c, const struct tcp_seg *s);

/* `s`, which acknowledges, is about to leave. */
void tcp_ecn_acks(const struct tcp_conn *c, struct tcp_seg *s);

/* `s` carries new text. */
void tcp_ecn_new_text(struct tcp_conn *c, struct tcp_seg *s);

/* cwnd was reduced, for whatever reason: the peer is told. */
void tcp_ecn_reduced(struct tcp_conn *c);

/* Whether the ACK of ECN_ACK_FIRST tells of marks what no later one can (RFC 8257 3.2); otherwise
 * it is one more, in case another gets lost. */
bool tcp_ecn_first_matters(const struct tcp_conn *c);

/* `s`, a pure ACK of c->ecn_ack, is the one of ECN_ACK_FIRST. */
void tcp_ecn_ack_first(struct tcp_conn *c, struct tcp_seg *s);
