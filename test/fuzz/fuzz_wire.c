/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any bytes into every parser.  What a parser accepts must also be stable:
 * built again and parsed again it is the same, and it points inside the input.
 */
#include "base/base.h"
#include "test/fuzz/fuzz.h"
#include "wire/eth.h"
#include "wire/ip4.h"
#include "wire/sum.h"
#include "wire/tcp_wire.h"

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
	fuzz_icmp(data, size);
	fuzz_tcp(data, size, &v6, &v6);
	if (!wire_eth_parse(data, size, &eth))
		return 0;
	fuzz_arp(data + ETH_LEN, size - ETH_LEN);
	fuzz_ip4(data + ETH_LEN, size - ETH_LEN);
	return 0;
}
