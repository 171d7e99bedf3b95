/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Text received beyond a hole (RFC 9293 SHLD-31), in runs, and the SACK blocks
 * that tell the peer of it (RFC 2018, RFC 2883).  Memory and work per segment
 * are bounded by the number of runs and by the receive window.
 */
#pragma once

#include "tcp/tcp_rare.h"

/* What is held, or NULL. */
static inline struct tcp_reass *
tcp_reass(const struct tcp_conn *c)
{
	return c->rare ? c->rare->reass : NULL;
}

/* Whether text beyond a hole is. */
static inline bool
tcp_reass_holds(const struct tcp_conn *c)
{
	return tcp_reass(c) && tcp_reass(c)->n_runs;
}

/* Stores [seq, seq + len), all of it beyond RCV.NXT.  What is held already is
 * kept.  Returns a fate: SEG_OUT_OF_ORDER, DROP_REASS_FULL or DROP_NO_MEMORY
 * (some of it may have been stored then). */
enum fate tcp_reass_add(struct tcp_env *e, struct tcp_conn *c, seq_t seq, const uint8_t *text,
                        uint32_t len);

/* Moves what has become contiguous with RCV.NXT into the receive stream and
 * advances RCV.NXT; true when a hole was filled. */
bool tcp_reass_deliver(struct tcp_env *e, struct tcp_conn *c);

/* [start, end) had been received before; nothing when it is empty. */
void tcp_reass_duplicate(struct tcp_env *e, struct tcp_conn *c, seq_t start, seq_t end);

/* Whether text at or above `seq` is held. */
bool tcp_reass_beyond(const struct tcp_conn *c, seq_t seq);

/* Fills in up to `room` SACK blocks, newest first, D-SACK first of all, which is
 * thereby reported. */
void tcp_reass_blocks(struct tcp_env *e, struct tcp_conn *c, struct tcp_seg *s, unsigned room);

/* Whether tcp_reass_blocks() would have something to say. */
static inline bool
tcp_reass_speaks(const struct tcp_conn *c)
{
	return (c->flags & TCPF_SACK) && tcp_reass(c);
}

void tcp_reass_release(struct tcp_env *e, struct tcp_conn *c);

void tcp_reass_check(const struct tcp_conn *c);
