/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What few connections ever have to remember, in a record beside those that do: taken when it is
 * first written, kept for the connection's life.  A core has as many as connections, untouched
 * until they are used; so there always is one.
 */
#pragma once

#include "tcp/tcp.h"

struct tcp_rare {
	int64_t pace_at;           /* pacing lets the next segment leave then    */
	int64_t cork_at;           /* a corked partial segment leaves; or TIME_NEVER */
	uint64_t bytes_retrans;    /* text sent again                            */
	struct tcp_reass *reass;   /* NULL: nothing out of order                 */
	uint64_t cc_state[CC_STATE_WORDS]; /* begins as zeros                    */
	struct tcp_tuple name;     /* without streams                            */
	uint32_t total_retrans;    /* segments sent again                        */
	uint32_t dsack_dups;       /* segments that D-SACKs reported             */
	uint32_t delivered_ce;     /* of delivered_segs, by ACKs with ECE        */
	uint32_t rwnd_time, sndbuf_time; /* held back so long, tcp_chrono.c      */
	uint32_t held_since;       /* ... and since then                         */
	seq_t tlp_end;             /* SND.NXT when the tail loss probe had left  */
	seq_t rcv_fin;             /* fin_waits: where the peer's FIN stands     */
	seq_t snd_up;              /* SND.UP: the end of urgent text to send     */
	seq_t rcv_up;              /* RCV.UP: the last urgent byte to receive    */
	uint32_t listener;         /* the core's, with TCPF_FASTOPEN: the number of the socket ... */
	uint32_t listener_gen;     /* ... and which listener that was            */
	uint32_t challenge_ms;     /* start of the second in which ...           */
	uint16_t challenges;       /* ... so many challenge ACKs were sent       */
	uint16_t plpmtu_s;         /* when the search began, s                   */
	uint16_t plpmtu_low, plpmtu_high; /* what arrives, and may arrive, tcp_plpmtu.c */
	uint16_t pmtu_claim;       /* an MTU that ICMP names and an RTO may confirm; 0: none */
	uint8_t reo_mult;          /* by how many min_rtt/4 D-SACKs widened ...  */
	uint8_t reo_persist;       /* ... the reordering window; for so many recoveries */
	bool fin_waits;            /* TCPF_FIN_SEEN, for text in front of it     */
};

extern const struct tcp_rare tcp_rare_none;

/* What the connection has, to be read; if it has nothing, what it would begin with, but for
 * snd_up. */
static inline const struct tcp_rare *
tcp_rare(const struct tcp_conn *c)
{
	return c->rare ? c->rare : &tcp_rare_none;
}

/* The four numbers that name it.  They stand with its streams, where the application finds them
 * too; whoever takes these away leaves a copy, unless the connection is over. */
static inline const struct tcp_tuple *
tcp_name(const struct tcp_conn *c)
{
	return likely(c->streams != NULL) ? &c->streams->name : &tcp_rare(c)->name;
}

/* The same to be written. */
struct tcp_rare *tcp_rare_own(struct tcp_env *e, struct tcp_conn *c);

/* Gives it back. */
void tcp_rare_release(struct tcp_env *e, struct tcp_conn *c);

/* The peer's initial sequence number: in front of all that it has said. */
static inline seq_t
tcp_irs(const struct tcp_conn *c)
{
	uint32_t fin = (c->flags & TCPF_FIN_SEEN) && !tcp_rare(c)->fin_waits;

	return seq_add(c->rcv_nxt, 0u - 1 - (uint32_t)tcp_bytes_received(c) - fin);
}
