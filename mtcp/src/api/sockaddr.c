/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv4 only so far; the stack's side of an address holds either family. */
#include "api/sockaddr.h"

#include <errno.h>
#include <netinet/in.h>

int
sockaddr_parse(const struct sockaddr *addr, socklen_t len, struct sock_addr *out)
{
	struct sockaddr_in in;

	if (!addr)
		return EFAULT;
	if (len < sizeof addr->sa_family)
		return EINVAL;
	if (addr->sa_family != AF_INET)
		return EAFNOSUPPORT;
	if (len < sizeof in)
		return EINVAL;
	memcpy(&in, addr, sizeof in);
	out->ip = ip_addr_v4(be32_host((be32_t){ in.sin_addr.s_addr }));
	out->port = be16_host((be16_t){ in.sin_port });
	return 0;
}

void
sockaddr_write(const struct sock_addr *a, struct sockaddr *addr, socklen_t *len)
{
	struct sockaddr_in in = { .sin_family = AF_INET };

	in.sin_port = be16(a->port).raw;
	if (ip_addr_is_v4(&a->ip))
		in.sin_addr.s_addr = be32(ip_addr_v4_host(&a->ip)).raw;
	memcpy(addr, &in, min((size_t)*len, sizeof in));
	*len = sizeof in;
}
