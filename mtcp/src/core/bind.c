/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who may have an address.  The rules are Linux's: two sockets may share a port
 * with different addresses (RFC 9293 MUST-42); with overlapping ones when both
 * said SO_REUSEADDR and neither listens, or both said SO_REUSEPORT.  Connections
 * that came from a listener, and TIME-WAIT, never keep anybody from a port.
 */

#include "core/stack_priv.h"

static bool
has_bit(const struct sock *s, uint16_t bit)
{
	return (atomic_load_explicit(&s->opt_bits, memory_order_relaxed) & bit) != 0;
}

enum { FAMILY_V4 = 1, FAMILY_V6 = 2 };

/* Whose addresses a socket with address `a` has something to do with. */
static unsigned
families(const struct sock *s, const struct ip_addr *a)
{
	if (!ip_addr_is_any(a))
		return ip_addr_is_v4(a) ? FAMILY_V4 : FAMILY_V6;
	if (!has_bit(s, SOCK_OPT_V6))
		return FAMILY_V4;
	return has_bit(s, SOCK_OPT_V6ONLY) ? FAMILY_V6 : FAMILY_V4 | FAMILY_V6;
}

static bool
overlap(const struct sock *s, const struct ip_addr *a, const struct sock *o)
{
	const struct ip_addr *b = &o->name.local;

	return (ip_addr_is_any(a) || ip_addr_is_any(b) || ip_addr_eq(a, b)) &&
	       (families(s, a) & families(o, b));
}

/* `s` asks for `a`, to listen there or not; `o` has its port. */
static bool
in_conflict(const struct sock *s, const struct sock_addr *a, const struct sock *o, bool listens)
{
	bool both_reuse = has_bit(s, SOCK_OPT_REUSEADDR) && has_bit(o, SOCK_OPT_REUSEADDR);
	bool both_share = has_bit(s, SOCK_OPT_REUSEPORT) && has_bit(o, SOCK_OPT_REUSEPORT);

	if (o == s || !overlap(s, &a->ip, o) || both_share)
		return false;
	if (listens)
		return o->kind == SOCK_KIND_LISTENER;
	return !both_reuse || o->kind == SOCK_KIND_LISTENER;
}

static bool
taken(struct stack *st, const struct sock *s, const struct sock_addr *a, bool listens)
{
	uint32_t number, i = port_first(&st->ports, a->port);

	while (port_next(&st->ports, a->port, &i, &number))
		if (in_conflict(s, a, &st->ch.socks[number], listens))
			return true;
	return false;
}

/* As Linux's IP_BIND_ADDRESS_NO_PORT: a port that is chosen when the destination is known
 * need not be free to all destinations and from all addresses. */
static bool
is_late(const struct sock *s, const struct sock_addr *a)
{
	return a->port == 0 && has_bit(s, SOCK_OPT_BIND_LATE);
}

int
bind_socket(struct stack *st, struct sock_call *k, struct sock *s)
{
	struct sock_addr a = k->addr;

	if (sock_is_dgram(sock_requests(s)))
		return udp_bind(st, k, s);
	if (s->kind != SOCK_KIND_PLAIN || s->bound)
		return E_INVAL;
	if (!ip_addr_is_any(&a.ip) && !ip_is_ours(st, &a.ip))
		return E_ADDRNOTAVAIL;
	if (!is_late(s, &a))
		return bind_port(st, k, s);
	s->bound = ip_addr_is_any(&a.ip) ? SOCK_UNBOUND : SOCK_BOUND_LATE;
	sock_set_local(s, &a);
	return 0;
}

int
bind_port(struct stack *st, struct sock_call *k, struct sock *s)
{
	struct sock_addr a = k->addr;

	if (a.port == 0 && (a.port = port_choose_bind(&st->ports)) == 0)
		return E_ADDRINUSE;
	if (taken(st, s, &a, false))
		return E_ADDRINUSE;
	if (!port_bind(&st->ports, a.port, k->sock))
		return E_NOBUFS;
	s->bound = ip_addr_is_any(&a.ip) ? SOCK_BOUND_PORT : SOCK_BOUND_ADDR;
	k->addr = a;
	sock_set_local(s, &a);
	return 0;
}

bool
bind_has_port(const struct sock *s)
{
	return s->bound == SOCK_BOUND_PORT || s->bound == SOCK_BOUND_ADDR;
}

bool
bind_may_listen(struct stack *st, const struct sock *s)
{
	struct sock_addr a = sock_local(s);

	return s->kind == SOCK_KIND_LISTENER || !taken(st, s, &a, true);
}
