/* SPDX-License-Identifier: BSD-3-Clause */
/* Two addresses at a time, rule by rule; the first rule that knows a difference decides. */
#include "core/source.h"

#include "wire/ip6.h"

enum { SCOPE_LINK = 2, SCOPE_SITE = 5, SCOPE_GLOBAL = 14 };

static unsigned
scope(const struct ip_addr *a)
{
	if (ip6_is_multicast(a))
		return a->b[1] & 0xf;
	if (ip6_is_link_local(a))
		return SCOPE_LINK;
	return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0xc0 ? SCOPE_SITE : SCOPE_GLOBAL;
}

/* RFC 6724 2.1, the rows that a host of IPv6 can meet. */
static unsigned
label(const struct ip_addr *a)
{
	if ((a->b[0] & 0xfe) == 0xfc)
		return 13; /* unique local */
	if (get_be16(a->b) == 0x2002)
		return 2; /* 6to4 */
	if (get_be32(a->b) == 0x20010000u)
		return 5; /* Teredo */
	return 1;
}

static unsigned
common_bits(const struct ip_addr *a, const struct ip_addr *b, unsigned most)
{
	unsigned n = 0;

	while (n < most && (a->b[n / 8] >> (7 - n % 8) & 1) == (b->b[n / 8] >> (7 - n % 8) & 1))
		n++;
	return n;
}

/* Rule 2: the smallest scope that reaches the destination, else the largest. */
static bool
better_scope(unsigned a, unsigned b, unsigned dst)
{
	return a < b ? a >= dst : b < dst;
}

static bool
better(const struct stack_addr *a, const struct stack_addr *b, const struct ip_addr *dst)
{
	unsigned la = label(&a->ip), lb = label(&b->ip), ld = label(dst);

	if (ip_addr_eq(&b->ip, dst) || ip_addr_eq(&a->ip, dst))
		return ip_addr_eq(&a->ip, dst) && !ip_addr_eq(&b->ip, dst);
	if (scope(&a->ip) != scope(&b->ip))
		return better_scope(scope(&a->ip), scope(&b->ip), scope(dst));
	if ((la == ld) != (lb == ld))
		return la == ld;
	return common_bits(&a->ip, dst, a->prefix) > common_bits(&b->ip, dst, b->prefix);
}

const struct ip_addr *
source_choose(const struct stack_addr *addr, unsigned n, const struct ip_addr *dst)
{
	const struct stack_addr *best = NULL;

	for (unsigned i = 0; i < n; i++)
		if (!ip_addr_is_v4(&addr[i].ip) && (!best || better(&addr[i], best, dst)))
			best = &addr[i];
	return best ? &best->ip : NULL;
}
