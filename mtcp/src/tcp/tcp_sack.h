/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The scoreboard (RFC 6675): what is in flight, what the peer holds, what is
 * lost.  One function changes a range's flags, and keeps the sums with it.
 */
#pragma once

#include "tcp/tcp.h"

/* What an ACK said about the scoreboard. */
struct sack_news {
	uint32_t acked;     /* bytes newly covered by SEG.ACK                        */
	uint32_t delivered; /* bytes the network newly delivered (ACK or SACK)       */
	uint32_t sacked;    /* bytes newly SACKed                                    */
	int64_t rtt_ns;     /* sample from a range sent once; -1: none               */
	bool dsack;         /* reports a duplicate (RFC 2883)                        */
	bool fin;           /* our FIN was acknowledged                              */
	bool ece;           /* the ACK says that a mark was seen (RFC 3168)          */
	uint32_t n_delivered; /* segments of `delivered`                             */
	struct rate_sample rate;
	bool again;         /* SEG.ACK covers a range that was sent again, ...       */
	int64_t again_at;   /* ... last then                                         */
	bool original;      /* one not above `recover` arrived that was sent once    */
	bool has_ts;        /* the segment echoes a timestamp:                       */
	uint32_t tsecr;
	uint32_t dup_again; /* of what we sent again so much was a duplicate, segments */
	bool dup_probe;     /* ... and that was a tail loss probe                    */
	struct tcp_sack_block dup; /* the duplicate, when `dsack`                    */
};

/* A range [start, end) leaves as one segment.  False: no memory, do not send. */
bool tcp_sack_sent(struct tcp_env *e, struct tcp_conn *c, seq_t start, seq_t end, bool fin,
                   int64_t now);

/* SEG.ACK covers [.., una): ranges below are done. */
void tcp_sack_acked(struct tcp_env *e, struct tcp_conn *c, seq_t una, int64_t now,
                    struct sack_news *n);

/* The SACK option of a segment. */
void tcp_sack_blocks(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s, int64_t now,
                     struct sack_news *n);

/* Marks a range as lost, to be sent again. */
void tcp_sack_lost(struct tcp_conn *c, struct tcp_sent *r);

/* A range has been sent again. */
void tcp_sack_resent(struct tcp_env *e, struct tcp_conn *c, struct tcp_sent *r, int64_t now);

/* Cuts a range so that it ends at `at`; the rest becomes a range of its own.  False: no memory. */
bool tcp_sack_split(struct tcp_env *e, struct tcp_conn *c, struct tcp_sent *r, seq_t at);

/* Adds the ranges behind a lost one to it while they are lost too and all fits `limit` bytes:
 * small segments that are lost together leave again as one. */
void tcp_sack_join(struct tcp_env *e, struct tcp_conn *c, struct tcp_sent *r, uint32_t limit);

/* The lowest range that is lost and not sent again; NULL: none. */
static inline struct tcp_sent *
tcp_sack_first_lost(const struct tcp_conn *c)
{
	struct link *l = c->xmit ? list_first(&c->xmit->lost) : NULL;

	return l ? container_of(l, struct tcp_sent, tlink) : NULL;
}

/* Nothing is lost after all: what waits to be sent again is in flight as it was. */
void tcp_sack_unlose(struct tcp_conn *c);

/* The last range in flight; NULL: none. */
struct tcp_sent *tcp_sack_last(const struct tcp_conn *c);

/* Forgets what the peer claimed to hold (RFC 2018 8: it may renege). */
void tcp_sack_forget(struct tcp_conn *c);

/* Bytes believed to be in the network (RFC 6675 `pipe`).  Without SACK each duplicate ACK says
 * that one more segment has arrived. */
static inline uint32_t
tcp_sack_pipe(const struct tcp_conn *c)
{
	const struct tcp_xmit *x = c->xmit;
	uint32_t arrived;

	if (!x)
		return 0;
	arrived = x->reno_dups * c->mss;
	return x->pipe > arrived ? x->pipe - arrived : 0;
}

/* Gives the whole scoreboard back. */
void tcp_sack_release(struct tcp_env *e, struct tcp_conn *c);

void tcp_sack_check(const struct tcp_conn *c);
