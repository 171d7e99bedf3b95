/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Path MTU by ICMP (RFC 1191).  What a router says lowers the size of segments
 * and is remembered for the peer's other connections, new ones too; after ten
 * minutes it is forgotten and a larger size tried again (6.3).
 */
#pragma once

#include "tcp/tcp.h"

/* The largest segment, options counted, that the way to the peer is known to take. */
uint32_t tcp_pmtu_path(struct tcp_env *e, const struct tcp_conn *c, int64_t now);

/* Before new text is sent: what was learned may be too old. */
void tcp_pmtu_refresh(struct tcp_env *e, struct tcp_conn *c, int64_t now);

/* tcp_conn.c: the text that fits a full segment of `path` bytes, options counted. */
void tcp_set_mss(const struct tcp_env *e, struct tcp_conn *c, uint32_t path);
