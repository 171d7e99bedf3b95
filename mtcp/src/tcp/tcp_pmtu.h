/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Path MTU by ICMP (RFC 1191).  What a router says lowers the size of segments
 * and is remembered for the peer's other connections, new ones too; after ten
 * minutes it is forgotten and a larger size tried again (6.3).
 */
#pragma once

#include "tcp/tcp_rare.h"

#define TCP_MSS_MIN 88u /* as small as we let anybody make us go: 48 of text beside 40 of
                         * options, Linux's tcp_min_snd_mss */

/* The largest segment, options counted, that the way to the peer is known to take. */
uint32_t tcp_pmtu_path(struct tcp_env *e, const struct tcp_conn *c, int64_t now);

/* Before new text is sent: what was learned may be too old. */
void tcp_pmtu_refresh(struct tcp_env *e, struct tcp_conn *c, int64_t now);

/* An RTO has expired; c->retries counts it. */
void tcp_pmtu_timeout(struct tcp_env *e, struct tcp_conn *c, int64_t now);

/* A segment of `len` bytes of text has arrived. */
static inline void
tcp_pmtu_delivered(struct tcp_conn *c, uint32_t len)
{
	if (len > c->pmtu_acked)
		c->pmtu_acked = (uint16_t)min(len, (uint32_t)UINT16_MAX);
}

/* What is sent does arrive: a router that said otherwise is not believed. */
static inline void
tcp_pmtu_unclaim(struct tcp_conn *c)
{
	if (c->rare)
		c->rare->pmtu_claim = 0;
}

/* tcp_conn.c: the segment, options counted, that peer, user and `path` allow. */
uint32_t tcp_mss_for(const struct tcp_env *e, const struct tcp_conn *c, uint32_t path);

/* tcp_conn.c: the text that fits a full segment of `path` bytes, options counted. */
void tcp_set_mss(const struct tcp_env *e, struct tcp_conn *c, uint32_t path);
