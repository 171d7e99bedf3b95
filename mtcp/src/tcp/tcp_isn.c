/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Both are SipHash-2-4 under a key; a domain byte keeps what one
 * reveals from telling anything of the other.  Of two IPv4 addresses only what differs goes
 * in: SipHash ends with the length of its input, so no tuple of IPv6 looks like one of these.
 */

#include "tcp/tcp_isn.h"

static uint64_t
tuple_hash(const struct siphash_key *secret, const struct tcp_tuple *t, uint8_t domain, bool ports)
{
	bool v4 = likely(ip_addr_is_v4(&t->local) && ip_addr_is_v4(&t->remote));
	unsigned addr = v4 ? 4 : 16;
	uint8_t in[37], *p = in;

	memcpy(p, t->local.b + 16 - addr, addr);
	p += addr;
	memcpy(p, t->remote.b + 16 - addr, addr);
	p += addr;
	put_be32(p, ports ? (uint32_t)t->lport << 16 | t->rport : 0);
	p[4] = domain;
	return siphash24(secret, in, 2 * addr + 5);
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
