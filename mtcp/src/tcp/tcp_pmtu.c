/* SPDX-License-Identifier: BSD-3-Clause */
/* Path MTU discovery: what a router said, for how long, and to whom it applies. */

#include "tcp/tcp_pmtu.h"

#include "tcp/tcp_plpmtu.h"
#include "tcp/tcp_rare.h"
#include "tcp/tcp_recovery.h"

#define KEEP_NS SEC(600) /* RFC 1191 6.3: ten minutes, five at least             */
#define LEAST_V6 1280u   /* RFC 8201 4                                           */

static uint32_t
headers(const struct tcp_conn *c)
{
	return wire_tcp_headers(&tcp_name(c)->remote);
}

/* A forged word shall not slow us to a crawl: Linux's min_pmtu.  What is narrower is not cut
 * in pieces by routers, though, since DF stays set. */
static uint32_t
least(const struct tcp_env *e, const struct tcp_conn *c)
{
	return ip_addr_is_v4(&tcp_name(c)->remote) ? e->cfg->min_pmtu : LEAST_V6;
}

uint32_t
tcp_pmtu_path(struct tcp_env *e, const struct tcp_conn *c, int64_t now)
{
	const struct tcp_path *p = tcp_path_find(&e->paths, &tcp_name(c)->remote, now);
	uint32_t mtu = p ? tcp_path_pmtu(p, now) : 0;

	return mtu ? min(mtu - headers(c), (uint32_t)c->adv_mss) : c->adv_mss;
}

static void
remember(struct tcp_env *e, const struct tcp_conn *c, uint32_t mtu, int64_t now)
{
	struct tcp_path *p = tcp_path_get(&e->paths, &tcp_name(c)->remote, now);
	uint16_t known = p ? tcp_path_pmtu(p, now) : 0;

	if (!p || (known && known <= mtu))
		return;
	p->pmtu = to_u16(mtu);
	p->pmtu_until = now + KEEP_NS;
}

/* Where no paths are remembered nobody knows when the ten minutes are over: the connection
 * keeps the size for its life. */
void
tcp_pmtu_refresh(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	uint32_t path;

	if (!(c->flags & TCPF_PMTU) || e->paths.n == 0)
		return;
	path = tcp_pmtu_path(e, c, now);
	if (path < c->adv_mss)
		return;
	c->flags &= ~(uint32_t)TCPF_PMTU;
	tcp_set_mss(e, c, path);
}

/* What is too large now is lost for sure, and no sign of congestion (6.4). */
static void
resend_what_is_too_large(struct tcp_conn *c)
{
	if (!c->xmit)
		return;
	list_for_each(l, &c->xmit->sent) {
		struct tcp_sent *r = container_of(l, struct tcp_sent, link);

		if (seq_sub(r->end, r->start) > c->mss && !(r->flags & SENT_SACKED))
			tcp_sack_lost(c, r);
	}
	if (tcp_sack_first_lost(c))
		c->flags |= TCPF_RETRANSMIT_NOW;
}

static uint32_t
stamp(const struct tcp_conn *c)
{
	return c->flags & TCPF_TS ? 12 : 0;
}

/* What leaves as a full segment.  The MSS is the default's until a SYN answers, but text of a
 * Fast Open is as long as the path takes; once that has been told, it is told. */
static uint32_t
size_now(struct tcp_env *e, const struct tcp_conn *c, int64_t now)
{
	if (c->state == TCP_SYN_SENT && !(c->flags & TCPF_PMTU))
		return tcp_pmtu_path(e, c, now);
	return c->mss + stamp(c);
}

static void
believe(struct tcp_env *e, struct tcp_conn *c, uint32_t mtu, int64_t now)
{
	uint32_t path = mtu - headers(c);

	remember(e, c, mtu, now);
	c->flags |= TCPF_PMTU;
	c->pmtu_acked = 0;
	tcp_pmtu_unclaim(c);
	tcp_set_mss(e, c, path);
	if (c->state == TCP_SYN_SENT && tcp_flight(c) > 1) /* by Fast Open, with text */
		c->flags |= TCPF_SYN_DUE;
	resend_what_is_too_large(c);
}

/* RFC 5927 7.2: what arrived not long ago says that this is not true, unless the path has
 * changed; then nothing more arrives, and an RTO shows it. */
void
tcp_icmp_frag_needed(struct tcp_env *e, struct tcp_conn *c, uint32_t mtu, int64_t now)
{
	uint32_t path;

	mtu = max(mtu, least(e, c));
	path = mtu - headers(c);
	tcp_plpmtu_told(c, path);
	if (path >= size_now(e, c, now)) /* never up */
		return;
	if (c->pmtu_acked > path - stamp(c))
		tcp_rare_own(e, c)->pmtu_claim = to_u16(mtu);
	else
		believe(e, c, mtu, now);
}

void
tcp_pmtu_timeout(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	uint16_t claim = tcp_rare(c)->pmtu_claim;

	if (claim)
		believe(e, c, claim, now);
	else
		tcp_plpmtu_timeout(e, c, now);
}
