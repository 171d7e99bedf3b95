/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames are built with the library's own wire code, which has tests of its own. */

#include "test/sim/craft.h"

struct craft_way
craft_back(const struct craft_way *way)
{
	return (struct craft_way){ way->dmac, way->smac, way->dst, way->src };
}

static uint8_t *
begin6(uint8_t *out, const struct craft_way *way, uint8_t proto, uint32_t len)
{
	struct eth_hdr eth = { way->dmac, way->smac, ETH_TYPE_IP6 };
	struct ip6_hdr ip = {
		.src = way->src,
		.dst = way->dst,
		.hop_limit = 64,
		.proto = proto,
		.total_len = to_u16(IP6_LEN + len),
	};

	assert(ETH_LEN + IP6_LEN + len <= CRAFT_MAX);
	wire_eth_build(out, &eth);
	wire_ip6_build(out + ETH_LEN, &ip);
	return out + ETH_LEN + IP6_LEN;
}

/* Of the family of way->src. */
static uint8_t *
begin(uint8_t *out, const struct craft_way *way, uint8_t proto, uint32_t len)
{
	struct eth_hdr eth = { way->dmac, way->smac, ETH_TYPE_IP4 };
	struct ip4_hdr ip = {
		.src = way->src,
		.dst = way->dst,
		.ttl = 64,
		.proto = proto,
		.total_len = to_u16(IP4_LEN + len),
		.df = true,
	};

	if (!ip_addr_is_v4(&way->src))
		return begin6(out, way, proto, len);
	assert(ETH_LEN + IP4_LEN + len <= CRAFT_MAX);
	wire_eth_build(out, &eth);
	wire_ip4_build(out + ETH_LEN, &ip, true);
	return out + ETH_LEN + IP4_LEN;
}

uint32_t
craft_tcp(uint8_t *out, const struct craft_way *way, const struct tcp_seg *s,
          const uint8_t *text)
{
	uint32_t hdr = wire_tcp_hdr_len(s), len = hdr + s->len;
	uint8_t *tcp = begin(out, way, IP_PROTO_TCP, len);

	if (s->len)
		memcpy(tcp + hdr, text, s->len);
	(void)wire_tcp_build(tcp, s);
	wire_tcp_sum_fill(tcp, len, &way->src, &way->dst);
	return to_u32(tcp - out) + len;
}

uint32_t
craft_ip(uint8_t *out, const struct craft_way *way, uint8_t proto, const uint8_t *data,
         uint32_t len)
{
	uint8_t *p = begin(out, way, proto, len);

	if (len)
		memcpy(p, data, len);
	return to_u32(p - out) + len;
}

uint32_t
craft_arp(uint8_t *out, const struct mac_addr *dst, const struct arp_pkt *a)
{
	struct eth_hdr eth = { *dst, a->sha, ETH_TYPE_ARP };

	wire_eth_build(out, &eth);
	wire_arp_build(out + ETH_LEN, a);
	return ETH_LEN + ARP_LEN;
}

static uint32_t
craft_icmp6(uint8_t *out, const struct craft_way *way, uint8_t type, uint8_t code, uint32_t rest,
            const uint8_t *data, uint32_t len)
{
	uint8_t *p = begin(out, way, IP_PROTO_ICMP6, ICMP6_LEN + len);
	struct icmp6_msg m = { .type = type, .code = code, .rest = rest, .len = len };

	if (len)
		memcpy(p + ICMP6_LEN, data, len);
	wire_icmp6_build(p, &way->src, &way->dst, &m);
	return to_u32(p - out) + ICMP6_LEN + len;
}

static uint32_t
craft_icmp(uint8_t *out, const struct craft_way *way, uint8_t type, uint8_t code, uint32_t rest,
           const uint8_t *data, uint32_t len)
{
	uint8_t *p = begin(out, way, IP_PROTO_ICMP, ICMP4_LEN + len);
	struct icmp4_msg m = { .type = type, .code = code, .rest = rest, .len = len };

	if (len)
		memcpy(p + ICMP4_LEN, data, len);
	m.payload = p + ICMP4_LEN;
	wire_icmp4_build(p, &m);
	return ETH_LEN + IP4_LEN + ICMP4_LEN + len;
}

uint32_t
craft_echo(uint8_t *out, const struct craft_way *way, uint32_t id_seq, const uint8_t *data,
           uint32_t len)
{
	if (!ip_addr_is_v4(&way->src))
		return craft_icmp6(out, way, ICMP6_ECHO_REQUEST, 0, id_seq, data, len);
	return craft_icmp(out, way, ICMP4_ECHO_REQUEST, 0, id_seq, data, len);
}

uint32_t
craft_icmp_error(uint8_t *out, const struct craft_way *way, uint8_t type, uint8_t code,
                 uint32_t rest, const struct ip_addr *peer, uint16_t sport, uint16_t dport,
                 seq_t seq)
{
	struct tcp_seg s = { .seq = seq, .flags = TCP_ACK, .sport = sport, .dport = dport };
	struct craft_way quoted = { .src = way->dst, .dst = *peer };
	uint8_t quote[CRAFT_MAX];
	uint32_t len = craft_tcp(quote, &quoted, &s, NULL);

	return (ip_addr_is_v4(&way->src) ? craft_icmp : craft_icmp6)(out, way, type, code, rest,
	                                                             quote + ETH_LEN,
	                                                             len - ETH_LEN);
}

uint32_t
craft_nd(uint8_t *out, const struct craft_way *way, const struct nd_neigh *n)
{
	uint8_t *p = begin(out, way, IP_PROTO_ICMP6, 0);
	uint32_t len = wire_nd_build(p, &way->src, &way->dst, n);

	put_be16(out + ETH_LEN + 4, to_u16(len));
	out[ETH_LEN + 7] = ND_HOP_LIMIT;
	return to_u32(p - out) + len;
}

static bool
parse_tcp6(const uint8_t *frame, uint32_t len, const struct eth_hdr *eth, struct craft_way *way,
           struct tcp_seg *s)
{
	struct ip6_problem problem;
	struct ip6_hdr ip;

	if (wire_ip6_parse(frame + ETH_LEN, len - ETH_LEN, &ip, &problem) != WIRE_IP6_OK ||
	    ip.proto != IP_PROTO_TCP || ip.frag_off || ip.mf)
		return false;
	*way = (struct craft_way){ eth->src, eth->dst, ip.src, ip.dst };
	return wire_tcp_parse(frame + ETH_LEN + ip.hdr_len, ip.total_len - ip.hdr_len, s) ==
	       WIRE_TCP_OK;
}

bool
craft_parse_tcp(const uint8_t *frame, uint32_t len, struct craft_way *way, struct tcp_seg *s)
{
	struct eth_hdr eth;
	struct ip4_hdr ip;

	if (!wire_eth_parse(frame, len, &eth))
		return false;
	if (eth.type == ETH_TYPE_IP6)
		return parse_tcp6(frame, len, &eth, way, s);
	if (eth.type != ETH_TYPE_IP4 ||
	    wire_ip4_parse(frame + ETH_LEN, len - ETH_LEN, false, &ip) != WIRE_IP_OK ||
	    ip.proto != IP_PROTO_TCP || ip.frag_off || ip.mf)
		return false;
	*way = (struct craft_way){ eth.src, eth.dst, ip.src, ip.dst };
	return wire_tcp_parse(frame + ETH_LEN + ip.hdr_len, ip.total_len - ip.hdr_len, s) ==
	       WIRE_TCP_OK;
}
