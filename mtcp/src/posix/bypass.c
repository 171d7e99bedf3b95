/* SPDX-License-Identifier: BSD-3-Clause */
/* A list that is walked: it has a handful of lines and is asked once a socket. */
#include "posix/bypass.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#define V4_SHIFT 96 /* where an IPv4 address begins in its mapped form */

/* ---- text --------------------------------------------------------------- */

/* A number without sign or blanks, and nothing behind it. */
static bool
parse_number(const char *text, unsigned most, unsigned *out)
{
	unsigned long v;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	v = strtoul(text, &end, 10);
	if (*end || errno || v > most)
		return false;
	*out = (unsigned)v;
	return true;
}

static bool
parse_port(const char *text, struct bypass_rule *r)
{
	unsigned port;

	if (!parse_number(text, UINT16_MAX, &port) || port == 0)
		return false;
	r->port = to_u16(port);
	return true;
}

/* "ADDRESS" or "ADDRESS/BITS". */
static bool
parse_prefix(char *text, struct bypass_rule *r)
{
	char *slash = strchr(text, '/');
	unsigned shift = 0, bits = 128;
	struct in_addr v4;

	if (slash)
		*slash++ = '\0';
	if (inet_pton(AF_INET, text, &v4) == 1) {
		r->ip = ip_addr_v4(ntohl(v4.s_addr));
		shift = V4_SHIFT;
	} else if (inet_pton(AF_INET6, text, r->ip.b) != 1) {
		return false;
	}
	if (slash) {
		if (!parse_number(slash, 128 - shift, &bits))
			return false;
		bits += shift;
	}
	r->bits = to_u8(bits);
	return true;
}

/* "[ADDRESS]", "[ADDRESS]:PORT", "[ADDRESS]/BITS" */
static bool
parse_brackets(char *text, struct bypass_rule *r)
{
	char *end = strchr(text, ']'), *rest;

	if (!end)
		return false;
	rest = end + 1;
	if (*rest == ':') {
		*end = '\0';
		return parse_prefix(text + 1, r) && parse_port(rest + 1, r);
	}
	memmove(end, rest, strlen(rest) + 1);
	return (*end == '\0' || *end == '/') && parse_prefix(text + 1, r);
}

/* A single colon is a port's; several are an IPv6 address's. */
static bool
parse_plain(char *text, struct bypass_rule *r)
{
	char *colon = strchr(text, ':');

	if (!colon || strchr(colon + 1, ':'))
		return parse_prefix(text, r);
	*colon = '\0';
	if (!parse_port(colon + 1, r))
		return false;
	return strcmp(text, "*") == 0 || parse_prefix(text, r);
}

bool
bypass_parse(const char *text, struct bypass_rule *rule)
{
	struct bypass_rule r = { IP_ANY, 0, 0 };
	char copy[80];
	size_t len = strlen(text);

	if (len >= sizeof copy)
		return false;
	memcpy(copy, text, len + 1);
	if (!(copy[0] == '[' ? parse_brackets(copy, &r) : parse_plain(copy, &r)))
		return false;
	*rule = r;
	return true;
}

/* ---- the list ----------------------------------------------------------- */

int
bypass_add(struct bypass *b, const struct bypass_rule *rule)
{
	struct bypass_rule *more = realloc(b->rule, (b->n + 1) * sizeof *more);

	if (!more)
		return -ENOMEM;
	more[b->n++] = *rule;
	b->rule = more;
	return 0;
}

void
bypass_clear(struct bypass *b)
{
	free(b->rule);
	*b = (struct bypass){ NULL, 0 };
}

static bool
same_prefix(const struct ip_addr *a, const struct ip_addr *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(a->b, b->b, whole) != 0)
		return false;
	return rest == 0 || (a->b[whole] ^ b->b[whole]) >> (8 - rest) == 0;
}

static bool
is_loopback(const struct ip_addr *a)
{
	return ip_addr_is_v4(a) ? a->b[12] == 127
	                        : IN6_IS_ADDR_LOOPBACK((const struct in6_addr *)(const void *)a->b);
}

/* False: of no Internet family, or cut. */
static bool
address_of(const struct sockaddr *addr, socklen_t len, struct ip_addr *ip, uint16_t *port)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (len >= sizeof in && addr->sa_family == AF_INET) {
		memcpy(&in, addr, sizeof in);
		*ip = ip_addr_v4(ntohl(in.sin_addr.s_addr));
		*port = ntohs(in.sin_port);
		return true;
	}
	if (len >= sizeof in6 && addr->sa_family == AF_INET6) {
		memcpy(&in6, addr, sizeof in6);
		memcpy(ip->b, &in6.sin6_addr, sizeof ip->b);
		*port = ntohs(in6.sin6_port);
		return true;
	}
	return false;
}

bool
bypass_takes(const struct bypass *b, const struct sockaddr *addr, socklen_t len)
{
	struct ip_addr ip;
	uint16_t port;

	if (!address_of(addr, len, &ip, &port) || is_loopback(&ip))
		return true;
	for (unsigned i = 0; i < b->n; i++) {
		const struct bypass_rule *r = &b->rule[i];

		if ((r->port == 0 || r->port == port) && same_prefix(&r->ip, &ip, r->bits))
			return true;
	}
	return false;
}
