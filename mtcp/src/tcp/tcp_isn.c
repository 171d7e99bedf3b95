/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Both are SipHash-2-4 under a key; a domain byte keeps what one
 * reveals from telling anything of the other.
 */

#include "tcp/tcp_isn.h"

static uint64_t
tuple_hash(const struct siphash_key *secret, const struct tcp_tuple *t, uint8_t domain, bool ports)
{
	uint8_t in[37];

	memcpy(in, t->local.b, 16);
	memcpy(in + 16, t->remote.b, 16);
	put_be16(in + 32, ports ? t->lport : 0);
	put_be16(in + 34, ports ? t->rport : 0);
	in[36] = domain;
	return siphash24(secret, in, sizeof in);
}

seq_t
tcp_isn(const struct siphash_key *secret, const struct tcp_tuple *t, int64_t now)
{
	uint32_t m = (uint32_t)(now / 4000);

	return seq_of(m + (uint32_t)tuple_hash(secret, t, 'i', true));
}

uint32_t
tcp_ts_offset(const struct siphash_key *clock_key, const struct tcp_tuple *t)
{
	return (uint32_t)tuple_hash(clock_key, t, 't', false);
}
