/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any bytes into every parser.  What a parser accepts must also be stable:
 * built again and parsed again it is the same, and it points inside the input.
 */
#include "base/base.h"
#include "test/fuzz/fuzz.h"
#include "wire/eth.h"
#include "wire/ip4.h"
#include "wire/nd.h"
#include "wire/sum.h"
#include "wire/tcp_wire.h"
#include "wire/udp_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
inside(const uint8_t *data, size_t size, const uint8_t *part, size_t len)
{
	must(part >= data && len <= size && (size_t)(part - data) <= size - len);
}

static bool
same_options(const struct tcp_seg *a, const struct tcp_seg *b)
{
	if (a->opts != b->opts || a->mss != b->mss || a->wscale != b->wscale ||
	    a->tsval != b->tsval || a->tsecr != b->tsecr || a->n_sack != b->n_sack)
		return false;
	for (unsigned i = 0; i < a->n_sack; i++) {
		if (!seq_eq(a->sack[i].start, b->sack[i].start) ||
		    !seq_eq(a->sack[i].end, b->sack[i].end))
			return false;
	}
	return true;
}

static bool
same_segment(const struct tcp_seg *a, const struct tcp_seg *b)
{
	return seq_eq(a->seq, b->seq) && seq_eq(a->ack, b->ack) && a->wnd == b->wnd &&
	       a->len == b->len && a->sport == b->sport && a->dport == b->dport &&
	       a->urg == b->urg && a->flags == b->flags && same_options(a, b);
}

static void
fuzz_tcp(const uint8_t *p, size_t len, const struct ip_addr *src, const struct ip_addr *dst)
{
	static uint8_t out[TCP_HDR_MAX + UINT16_MAX];
	struct tcp_seg s, t;
	struct tcp_quote q;
	uint32_t hdr_len;

	must(wire_tcp_parse_quoted(p, len, &q) == (len >= 8));
	if (wire_tcp_parse(p, len, &s) != WIRE_TCP_OK)
		return;
	inside(p, len, s.text, s.len);
	must(s.n_sack <= TCP_SACK_MAX && s.wscale <= TCP_WSCALE_MAX);
	must(seq_eq(q.seq, s.seq) && q.sport == s.sport && q.dport == s.dport);
	if (len > UINT16_MAX)
		return;
	(void)wire_tcp_sum_ok(p, len, src, dst);
	hdr_len = wire_tcp_build(out, &s);
	must(hdr_len == wire_tcp_hdr_len(&s) && hdr_len <= TCP_HDR_MAX);
	memcpy(out + hdr_len, s.text, s.len);
	wire_tcp_sum_fill(out, hdr_len + s.len, src, dst);
	must(wire_tcp_sum_ok(out, hdr_len + s.len, src, dst));
	must(wire_tcp_parse(out, hdr_len + s.len, &t) == WIRE_TCP_OK);
	must(same_segment(&s, &t));
}

static void
fuzz_udp(const uint8_t *p, size_t len, const struct ip_addr *src, const struct ip_addr *dst)
{
	static uint8_t out[UINT16_MAX];
	struct udp_hdr h, g;

	must(wire_udp_parse_quoted(p, len, &h) == (len >= UDP_LEN));
	if (!wire_udp_parse(p, len, &h))
		return;
	must(h.len <= len);
	(void)wire_udp_sum_ok(p, src, dst);
	memcpy(out, p, h.len);
	wire_udp_build(out, &h, src, dst);
	must(wire_udp_sum_ok(out, src, dst) && wire_udp_parse(out, h.len, &g));
	must(h.sport == g.sport && h.dport == g.dport && h.len == g.len);
}

static void
fuzz_icmp(const uint8_t *p, size_t len)
{
	struct ip4_hdr h;
	struct icmp4_msg m;

	if (!wire_icmp4_parse(p, len, &m))
		return;
	inside(p, len, m.payload, m.len);
	(void)wire_ip4_parse_quoted(m.payload, m.len, &h);
}

/* The header without its options, built again. */
static void
rebuild_ip4(const struct ip4_hdr *h)
{
	uint8_t out[IP4_LEN];
	struct ip4_hdr g;

	wire_ip4_build(out, h, true);
	must(wire_sum_finish(wire_sum_add(0, out, IP4_LEN)) == 0);
	must(wire_ip4_parse_quoted(out, IP4_LEN, &g) == WIRE_IP_OK);
	must(ip_addr_eq(&h->src, &g.src) && ip_addr_eq(&h->dst, &g.dst) && h->tos == g.tos &&
	     h->ttl == g.ttl && h->proto == g.proto && h->total_len == g.total_len &&
	     h->id == g.id && h->frag_off == g.frag_off && h->df == g.df && h->mf == g.mf);
}

static void
fuzz_ip4(const uint8_t *p, size_t len)
{
	struct ip4_hdr h;

	(void)wire_ip4_parse(p, len, true, &h);
	if (wire_ip4_parse(p, len, false, &h) != WIRE_IP_OK)
		return;
	must(h.hdr_len >= IP4_LEN && h.hdr_len <= h.total_len && h.total_len <= len);
	rebuild_ip4(&h);
	fuzz_tcp(p + h.hdr_len, (size_t)h.total_len - h.hdr_len, &h.src, &h.dst);
	fuzz_icmp(p + h.hdr_len, (size_t)h.total_len - h.hdr_len);
	fuzz_udp(p + h.hdr_len, (size_t)h.total_len - h.hdr_len, &h.src, &h.dst);
}

/* Without its extension headers, built again. */
static void
rebuild_ip6(const struct ip6_hdr *h)
{
	struct ip6_hdr bare = *h, g;
	struct ip6_problem problem;
	uint8_t out[IP6_LEN];

	bare.total_len = IP6_LEN;
	bare.proto = IP_PROTO_NONE;
	wire_ip6_build(out, &bare);
	must(wire_ip6_parse(out, IP6_LEN, &g, &problem) == WIRE_IP6_OK);
	must(ip_addr_eq(&h->src, &g.src) && ip_addr_eq(&h->dst, &g.dst) && h->tclass == g.tclass &&
	     h->flow == g.flow && h->hop_limit == g.hop_limit && g.hdr_len == IP6_LEN);
}

/* What it means does not change by being written again; options that nobody knows are lost. */
static void
fuzz_nd(const struct ip6_hdr *from, const struct icmp6_msg *m)
{
	struct ip6_hdr h = *from;
	uint8_t out[ND_LEN_MAX];
	struct nd_neigh n, again;
	struct nd_router r;
	struct icmp6_msg k;
	uint32_t len;

	h.hop_limit = ND_HOP_LIMIT;
	if (wire_nd_parse_router(&h, m, &r))
		must(r.n_prefixes <= ND_PREFIXES && m->len >= 8 + 32 * r.n_prefixes);
	if (!wire_nd_parse(&h, m, &n))
		return;
	len = wire_nd_build(out, &h.src, &h.dst, &n);
	must(len <= ND_LEN_MAX && wire_icmp6_parse(out, len, &h.src, &h.dst, &k));
	must(wire_nd_parse(&h, &k, &again));
	must(n.advert == again.advert && ip_addr_eq(&n.target, &again.target) &&
	     n.has_mac == again.has_mac && mac_eq(&n.mac, &again.mac) &&
	     n.solicited == again.solicited && n.override == again.override &&
	     n.router == again.router);
}

static void
fuzz_icmp6(const uint8_t *p, size_t len, const struct ip6_hdr *h)
{
	struct ip6_hdr q;
	struct icmp6_msg m;

	if (wire_icmp6_parse(p, len, &h->src, &h->dst, &m))
		inside(p, len, m.payload, m.len);
	if (len < ICMP6_LEN || len > UINT16_MAX)
		return;
	/* The rest also behind a checksum that is wrong, as it nearly always is here. */
	m = (struct icmp6_msg){ p[0], p[1], get_be32(p + 4), p + ICMP6_LEN, to_u32(len - ICMP6_LEN) };
	fuzz_nd(h, &m);
	if (wire_ip6_parse_quoted(m.payload, m.len, &q) == WIRE_IP6_OK)
		must(q.hdr_len >= IP6_LEN && q.hdr_len <= m.len);
}

static void
fuzz_ip6(const uint8_t *p, size_t len)
{
	struct ip6_problem problem = { 0 };
	struct ip6_hdr h;
	enum wire_ip6_error error = wire_ip6_parse(p, len, &h, &problem);

	must(error != WIRE_IP6_PROBLEM || (problem.at < len && problem.code <= ICMP6_CODE_OPTION));
	if (error != WIRE_IP6_OK)
		return;
	must(h.hdr_len >= IP6_LEN && h.hdr_len <= h.total_len && h.total_len <= len);
	must(h.hdr_len <= IP6_LEN + IP6_EXT_BYTES && h.proto_at < h.hdr_len);
	must(p[h.proto_at] == h.proto && h.frag_at < h.hdr_len);
	rebuild_ip6(&h);
	fuzz_tcp(p + h.hdr_len, (size_t)h.total_len - h.hdr_len, &h.src, &h.dst);
	fuzz_icmp6(p + h.hdr_len, (size_t)h.total_len - h.hdr_len, &h);
}

static void
fuzz_arp(const uint8_t *p, size_t len)
{
	uint8_t out[ARP_LEN];
	struct arp_pkt a;

	if (!wire_arp_parse(p, len, &a))
		return;
	wire_arp_build(out, &a);
	must(memcmp(out, p, ARP_LEN) == 0);
}

/* The second sum goes byte by byte. */
static void
fuzz_sum(const uint8_t *p, size_t len)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? (uint64_t)p[i] << 8 : p[i];
	while (sum > UINT16_MAX)
		sum = (sum & UINT16_MAX) + (sum >> 16);
	must(wire_sum_fold(wire_sum_add(0, p, len)) == sum);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ip_addr v6 = { { 0x20, 0x01 } };
	struct eth_hdr eth;

	fuzz_sum(data, size);
	fuzz_arp(data, size);
	fuzz_ip4(data, size);
	fuzz_ip6(data, size);
	fuzz_icmp(data, size);
	fuzz_tcp(data, size, &v6, &v6);
	fuzz_udp(data, size, &v6, &v6);
	if (!wire_eth_parse(data, size, &eth))
		return 0;
	fuzz_arp(data + ETH_LEN, size - ETH_LEN);
	fuzz_ip4(data + ETH_LEN, size - ETH_LEN);
	fuzz_ip6(data + ETH_LEN, size - ETH_LEN);
	return 0;
}
