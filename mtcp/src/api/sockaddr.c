/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A socket's family decides which kind of address it is named by; the stack's side of an address
 * holds either, IPv4's in the mapped form that a socket of IPv6 shows (RFC 3493 3.7).
 */
#include "api/sockaddr.h"

#include <errno.h>
#include <netinet/in.h>

#include "core/inet6.h"

#define IN6_LEN_MIN 24u /* RFC 2133 knew no scope; programs of that time are still about */

/* A link-local address says on which link: Linux's EINVAL if it does not. */
static int
scope_put(struct ip_addr *a, uint32_t scope)
{
	if (!ip6_is_link_local(a))
		return 0;
	if (scope == 0 || scope > UINT8_MAX || ip6_scope(a) != 0)
		return EINVAL;
	*a = ip6_scoped(a, scope - 1);
	return 0;
}

static int
parse6(const struct sockaddr *addr, socklen_t len, struct sock_addr *out)
{
	struct sockaddr_in6 in = { .sin6_port = 0 };

	if (len < IN6_LEN_MIN)
		return EINVAL;
	if (addr->sa_family != AF_INET6)
		return EAFNOSUPPORT;
	memcpy(&in, addr, min((size_t)len, sizeof in));
	memcpy(out->ip.b, in.sin6_addr.s6_addr, sizeof out->ip.b);
	out->port = be16_host((be16_t){ in.sin6_port });
	return scope_put(&out->ip, in.sin6_scope_id);
}

static int
parse4(const struct sockaddr *addr, socklen_t len, struct sock_addr *out)
{
	struct sockaddr_in in;

	if (addr->sa_family != AF_INET)
		return EAFNOSUPPORT;
	if (len < sizeof in)
		return EINVAL;
	memcpy(&in, addr, sizeof in);
	out->ip = ip_addr_v4(be32_host((be32_t){ in.sin_addr.s_addr }));
	out->port = be16_host((be16_t){ in.sin_port });
	return 0;
}

int
sockaddr_parse(const struct sockaddr *addr, socklen_t len, bool v6, struct sock_addr *out)
{
	if (!addr)
		return EFAULT;
	if (len < sizeof addr->sa_family)
		return EINVAL;
	return v6 ? parse6(addr, len, out) : parse4(addr, len, out);
}

static void
write6(const struct sock_addr *a, struct sockaddr *addr, socklen_t *len)
{
	struct sockaddr_in6 in = { .sin6_family = AF_INET6, .sin6_scope_id = ip6_scope(&a->ip) };
	struct ip_addr plain = ip6_plain(&a->ip);

	in.sin6_port = be16(a->port).raw;
	memcpy(in.sin6_addr.s6_addr, plain.b, sizeof plain.b);
	memcpy(addr, &in, min((size_t)*len, sizeof in));
	*len = sizeof in;
}

void
sockaddr_write(const struct sock_addr *a, bool v6, struct sockaddr *addr, socklen_t *len)
{
	struct sockaddr_in in = { .sin_family = AF_INET };

	if (v6) {
		write6(a, addr, len);
		return;
	}
	in.sin_port = be16(a->port).raw;
	if (ip_addr_is_v4(&a->ip))
		in.sin_addr.s_addr = be32(ip_addr_v4_host(&a->ip)).raw;
	memcpy(addr, &in, min((size_t)*len, sizeof in));
	*len = sizeof in;
}
