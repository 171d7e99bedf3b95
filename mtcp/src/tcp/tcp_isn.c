/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Both are SipHash-2-4 under a key; a domain byte keeps what one
 * reveals from telling anything of the other.  Of two IPv4 addresses only what differs goes
 * in: SipHash ends with the length of its input, so no tuple of IPv6 looks like one of these.
 */

#include "tcp/tcp_isn.h"

static uint64_t
general_hash(const struct siphash_key *secret, const struct tcp_tuple *t, uint8_t domain,
             uint32_t ports)
{
	uint8_t in[37];

	memcpy(in, t->local.b, 16);
	memcpy(in + 16, t->remote.b, 16);
	put_be32(in + 32, ports);
	in[36] = domain;
	return siphash24(secret, in, sizeof in);
}

static inline uint64_t
tuple_hash(const struct siphash_key *secret, const struct tcp_tuple *t, uint8_t domain,
           uint32_t ports)
{
	uint32_t local, remote;

	if (unlikely(!ip_addr_is_v4(&t->local) || !ip_addr_is_v4(&t->remote)))
		return general_hash(secret, t, domain, ports);
	memcpy(&local, t->local.b + 12, sizeof local);
	memcpy(&remote, t->remote.b + 12, sizeof remote);
	return siphash24_13(secret, (uint64_t)remote << 32 | local,
	                    (uint64_t)domain << 32 | be32(ports).raw);
}

seq_t
tcp_isn(const struct siphash_key *secret, const struct tcp_tuple *t, int64_t now)
{
	uint32_t m = (uint32_t)(now / 4000);
	uint32_t ports = (uint32_t)t->lport << 16 | t->rport;

	return seq_of(m + (uint32_t)tuple_hash(secret, t, 'i', ports));
}

uint32_t
tcp_ts_offset(const struct siphash_key *clock_key, const struct tcp_tuple *t)
{
	return (uint32_t)tuple_hash(clock_key, t, 't', 0);
}
