/* SPDX-License-Identifier: BSD-3-Clause */
/* Initial sequence numbers and timestamp offsets that outsiders cannot guess. */
#pragma once

#include "tcp/tcp.h"

/* ISN = M + F(localip, localport, remoteip, remoteport, secretkey), M a clock
 * of 4 us (RFC 6528 3, RFC 9293 3.4.1). */
seq_t tcp_isn(const struct siphash_key *secret, const struct tcp_tuple *t, int64_t now);

/* A random offset for each connection's timestamp clock (RFC 7323 5.4), the same
 * for the same addresses so that TIME-WAIT can compare (RFC 6191).  A host is one
 * clock to its peers: with a key of its own, a process would find those ports shut
 * for minutes that the process before it has used. */
uint32_t tcp_ts_offset(const struct siphash_key *clock_key, const struct tcp_tuple *t);

/* That of a new connection; 0 if all shall see our clock as it is. */
static inline uint32_t
tcp_ts_begin(const struct tcp_env *e, const struct tcp_tuple *t)
{
	return e->cfg->ts_plain ? 0 : tcp_ts_offset(&e->clock_key, t);
}
