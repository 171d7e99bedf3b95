/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers are wrong by construction: beyond everything that was ever sent, or older than any
 * window, so that no draw is a lucky guess. */

#include "test/sim/attack.h"

#include "wire/sum.h"

#define SYNS_MAX 20u

/* Whether the hosts speak IPv6. */
static bool
is_v6(const struct attack *a)
{
	return !ip_addr_is_v4(&a->flows->host[0].ip);
}

/* A connection under attack, seen from its victim. */
struct victim {
	unsigned host;
	struct craft_way way;
	struct sock_addr own, peer;
	const struct watch_dir *in, *out; /* what the peer has sent it, what it has sent */
};

static void
inject(struct attack *a, unsigned to, const uint8_t *frame, uint32_t len)
{
	a->frames++;
	net_inject(a->net, to, frame, len);
}

/* A connection that both ends hold open. */
static bool
choose(struct attack *a, struct victim *v)
{
	const struct flow *w = &a->flows->flow[rng_below(&a->rng, a->flows->n)];
	unsigned k = rng_below(&a->rng, 2);
	uint16_t port[2];

	if (!w->end[0].s || !w->end[1].s || !w->end[0].connected || !w->end[1].connected)
		return false;
	if (sock_facts(w->end[k].s) & SOCK_OVER)
		return false; /* a SYN may well open anew what is in TIME-WAIT */
	v->host = k ? !w->plan->client : w->plan->client;
	port[0] = w->lport;
	port[1] = swarm_target(a->flows->swarm, w->id, 0);
	v->own = (struct sock_addr){ a->flows->host[v->host].ip, port[k] };
	v->peer = (struct sock_addr){ a->flows->host[!v->host].ip, port[!k] };
	v->in = watch_find(a->watch, &v->peer, &v->own);
	v->out = watch_find(a->watch, &v->own, &v->peer);
	v->way = (struct craft_way){ .src = v->peer.ip, .dst = v->own.ip };
	net_mac(v->host, v->way.dmac.b);
	net_mac(!v->host, v->way.smac.b);
	return v->in && v->out && v->in->known && v->out->known;
}

static void
to_victim(struct attack *a, const struct victim *v, struct tcp_seg *s)
{
	static const uint8_t text[1024] = "not what was sent";
	uint8_t frame[CRAFT_MAX];

	s->sport = v->peer.port;
	s->dport = v->own.port;
	inject(a, v->host, frame, craft_tcp(frame, &v->way, s, text));
}

/* Far enough beyond what the peer has sent that it cannot be next. */
static seq_t
future(struct attack *a, seq_t sent)
{
	return seq_add(sent, 1 + rng_below(&a->rng, rng_below(&a->rng, 2) ? 2000 : 100000000));
}

/* Beyond what its owner believes it has sent, though it may not have left. */
static seq_t
unsent(struct attack *a, seq_t sent)
{
	return seq_add(sent, 0x10000000u + rng_below(&a->rng, 0x10000000u));
}

/* Older than anything that could still be under way. */
static seq_t
past(struct attack *a, seq_t at)
{
	return seq_of(at.v - 20000000 - rng_below(&a->rng, 100000000));
}

static void
attack_segment(struct attack *a)
{
	static const uint8_t kinds[] = {
		TCP_RST, TCP_RST | TCP_ACK, TCP_SYN, TCP_SYN | TCP_ACK, TCP_SYN | TCP_FIN, 0,
		0x3f,
	};
	struct victim v;
	struct tcp_seg s;

	if (!choose(a, &v))
		return;
	s = (struct tcp_seg){
		.flags = kinds[rng_below(&a->rng, sizeof kinds)],
		.seq = rng_below(&a->rng, 2) ? future(a, v.in->sent) : past(a, v.in->sent),
		.ack = rng_below(&a->rng, 2) ? unsent(a, v.out->sent) : v.out->sent,
		.wnd = rng_below(&a->rng, 65536),
		.len = rng_below(&a->rng, 3) ? 0 : rng_below(&a->rng, 500),
	};
	/* In the window, what acknowledges well would be taken: that is no blind guess. */
	if (!(s.flags & (TCP_RST | TCP_SYN)))
		s.ack = unsent(a, v.out->sent);
	to_victim(a, &v, &s);
}

/* RFC 5961 5: text at exactly the right place, but with an ACK that cannot be. */
static void
attack_data(struct attack *a)
{
	struct victim v;
	struct tcp_seg s;

	if (!choose(a, &v))
		return;
	s = (struct tcp_seg){
		.flags = TCP_ACK | (rng_below(&a->rng, 2) ? TCP_FIN : 0),
		.seq = v.in->sent,
		.ack = rng_below(&a->rng, 2)
		           ? unsent(a, v.out->sent)
		           : seq_add(v.out->sent,
		                     UINT32_C(0x80000000) - rng_below(&a->rng, 1000000)),
		.wnd = rng_below(&a->rng, 65536),
		.len = rng_below(&a->rng, 500),
	};
	to_victim(a, &v, &s);
}

/* Before there is a connection: what does not acknowledge the SYN is nothing (RFC 9293
 * 3.10.7.3). */
static void
attack_handshake(struct attack *a)
{
	static const uint8_t kinds[] = { TCP_RST, TCP_RST | TCP_ACK, TCP_SYN | TCP_ACK, TCP_ACK,
		                         0 };
	const struct flow *w = &a->flows->flow[0];
	unsigned host = w->plan->client;
	struct craft_way way = { .src = a->flows->host[!host].ip,
		                 .dst = a->flows->host[host].ip };
	uint8_t frame[CRAFT_MAX];
	struct tcp_seg s = {
		.flags = kinds[rng_below(&a->rng, sizeof kinds)],
		.seq = seq_of((uint32_t)rng_u64(&a->rng)),
		.ack = seq_of((uint32_t)rng_u64(&a->rng)),
		.wnd = 1000,
		.sport = SWARM_PORT,
		.dport = SWARM_BOUND,
	};

	if (!w->end[0].connecting)
		return;
	net_mac(host, way.dmac.b);
	net_mac(!host, way.smac.b);
	inject(a, host, frame, craft_tcp(frame, &way, &s, NULL));
}

static void
attack_icmp(struct attack *a)
{
	static const uint16_t mtus[] = { 0, 68, 300, 576, 1200, 1492, 65535 };
	struct victim v;
	struct craft_way way;
	uint8_t frame[CRAFT_MAX];
	uint8_t usual = is_v6(a) ? ICMP6_TOO_BIG : ICMP4_UNREACHABLE;
	uint8_t type = rng_below(&a->rng, 3) ? usual : (uint8_t)rng_below(&a->rng, 20);
	uint8_t code = (uint8_t)rng_below(&a->rng, 16);
	seq_t seq;

	if (!choose(a, &v) || type == ICMP4_ECHO_REQUEST)
		return;
	way = v.way;
	way.src = watch_ghost_ip(is_v6(a));
	net_mac(2, way.smac.b);
	seq = rng_below(&a->rng, 2) ? future(a, v.out->sent)
	                            : seq_of(v.out->sent.v - rng_below(&a->rng, 3000));
	inject(a, v.host, frame,
	       craft_icmp_error(frame, &way, type, code, mtus[rng_below(&a->rng, 7)],
	                        &v.peer.ip, v.own.port, v.peer.port, seq));
}

/* To nobody's port, a listener's, or a random one. */
static void
attack_stray(struct attack *a, bool silent)
{
	static const uint8_t kinds[] = { TCP_SYN, TCP_ACK, TCP_FIN, TCP_SYN | TCP_ACK, 0 };
	struct craft_way way = { .src = silent ? watch_silent_ip(is_v6(a)) : watch_ghost_ip(is_v6(a)) };
	unsigned host = rng_below(&a->rng, 2);
	uint8_t frame[CRAFT_MAX];
	static const uint8_t text[100];
	struct tcp_seg s = {
		.flags = silent ? TCP_RST | (rng_below(&a->rng, 2) ? TCP_ACK : 0)
		                : kinds[rng_below(&a->rng, sizeof kinds)],
		.seq = seq_of((uint32_t)rng_u64(&a->rng)),
		.ack = seq_of((uint32_t)rng_u64(&a->rng)),
		.sport = (uint16_t)(1 + rng_below(&a->rng, 65535)),
		.dport =
		    rng_below(&a->rng, 2) ? SWARM_PORT : (uint16_t)rng_below(&a->rng, 65536),
		.len = rng_below(&a->rng, 100),
	};

	if ((s.flags & TCP_SYN) && a->syns++ >= SYNS_MAX)
		return;
	way.dst = a->flows->host[host].ip;
	net_mac(host, way.dmac.b);
	net_mac(2, way.smac.b);
	inject(a, host, frame, craft_tcp(frame, &way, &s, text));
}

static void
finish_ip_sum(uint8_t *frame)
{
	uint16_t sum = 0;

	memcpy(frame + ETH_LEN + 10, &sum, sizeof sum);
	sum = wire_sum_finish(wire_sum_add(0, frame + ETH_LEN, IP4_LEN));
	memcpy(frame + ETH_LEN + 10, &sum, sizeof sum);
}

/* ::, ::1, all nodes, or with the host's prefix. */
static struct ip_addr
strange6(uint32_t v4)
{
	struct ip_addr a = host_ip6(0);

	if (v4 == 0)
		return IP_ANY;
	if (v4 == 0x7f000001)
		return (struct ip_addr){ { [15] = 1 } };
	if (v4 == 0xe0000001)
		return ip6_all_nodes();
	put_be32(a.b + 12, v4);
	return a;
}

/* Bytes of any kind behind a header that is right so far. */
static void
attack_garbage(struct attack *a)
{
	struct craft_way way = { .src = watch_ghost_ip(is_v6(a)) };
	static const uint8_t protos[] = { IP_PROTO_TCP, IP_PROTO_ICMP, IP_PROTO_UDP, 0, 41 };
	static const uint16_t types[] = { ETH_TYPE_ARP, ETH_TYPE_IP4, ETH_TYPE_IP6, 0x1234 };
	/* Nobody's, everybody's, the net's, the victim's own: no host speaks from there. */
	static const uint32_t forged[] = { 0,          0x7f000001, 0xffffffff, 0xe0000001,
		                           0x0a0000ff, 0x0a000001, 0x0a000002 };
	unsigned host = rng_below(&a->rng, 2);
	uint8_t frame[CRAFT_MAX], junk[200];
	uint32_t len;

	for (unsigned i = 0; i < sizeof junk; i++)
		junk[i] = (uint8_t)rng_u64(&a->rng);
	way.dst = a->flows->host[host].ip;
	net_mac(host, way.dmac.b);
	net_mac(2, way.smac.b);
	if (rng_below(&a->rng, 4) == 0)
		way.src = is_v6(a) ? strange6(forged[rng_below(&a->rng, 7)])
		                   : ip_addr_v4(forged[rng_below(&a->rng, 7)]);
	len = craft_ip(frame, &way, protos[rng_below(&a->rng, 5)], junk,
	               rng_below(&a->rng, sizeof junk));
	switch (rng_below(&a->rng, 4)) {
	case 0:
		memcpy(frame + ETH_LEN, junk, min(len - ETH_LEN, (uint32_t)sizeof junk));
		put_be16(frame + 12, types[rng_below(&a->rng, 4)]);
		break;
	case 1: /* a piece of a datagram; of IPv6: another next header, and any number of hops */
		put_be16(frame + ETH_LEN + 6, (uint16_t)(1 + rng_below(&a->rng, 0x3fff)));
		break;
	default:
		break;
	}
	if (!is_v6(a))
		finish_ip_sum(frame);
	inject(a, host, frame, rng_below(&a->rng, 2) ? len : 1 + rng_below(&a->rng, len));
}

void
attack_once(struct attack *a)
{
	if (a->flows->flow[0].end[0].connecting && rng_below(&a->rng, 2))
		attack_handshake(a);
	switch (rng_below(&a->rng, 6)) {
	case 0:
	case 1:
		attack_segment(a);
		break;
	case 2:
		attack_data(a);
		break;
	case 3:
		attack_icmp(a);
		break;
	case 4:
		attack_stray(a, rng_below(&a->rng, 2));
		break;
	default:
		attack_garbage(a);
		break;
	}
}
