/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TCP's bytes.  Almost every segment has no options, or the timestamp alone at
 * its usual place (RFC 7323 appendix A); the parser knows these two by sight
 * and walks the list of options only for the others.  Building goes through
 * the same order of options for every segment: put_options() is that order.
 */
#include "wire/tcp_wire.h"

#include "wire/ip4.h"
#include "wire/sum.h"

#define SUM_AT 16u /* where the checksum stands in the header */

enum {
	KIND_END = 0,
	KIND_NOP = 1,
	KIND_MSS = 2,
	KIND_WSCALE = 3,
	KIND_SACK_OK = 4,
	KIND_SACK = 5,
	KIND_TS = 8,
	KIND_FASTOPEN = 34,
};

enum {
	LEN_MSS = 4,
	LEN_WSCALE = 3,
	LEN_SACK_OK = 2,
	LEN_SACK = 2, /* and 8 a block */
	LEN_SACK_BLOCK = 8,
	LEN_TS = 10,
	LEN_FASTOPEN = 2, /* and the cookie */
};

/* Options as they are padded to words: nop, nop, TS; nop, nop, SACK; nop, wscale. */
#define PADDED_TS      12u
#define PADDED_SACK    4u
#define PADDED_WSCALE  4u
#define PADDED_SACK_OK 4u

#define WORD_NOP_NOP_TS                                                                        \
	((uint32_t)KIND_NOP << 24 | (uint32_t)KIND_NOP << 16 | (uint32_t)KIND_TS << 8 | LEN_TS)

/* -- Parsing --------------------------------------------------------------------------- */

static void
parse_ts(const uint8_t *value, struct tcp_seg *s)
{
	s->opts |= TCP_OPT_TS;
	s->tsval = get_be32(value);
	s->tsecr = get_be32(value + 4);
}

static_assert((TCP_OPT_MAX - LEN_SACK) / LEN_SACK_BLOCK == TCP_SACK_MAX,
              "as many blocks as the longest header can hold");

/* RFC 2018 3: whole blocks only, at least one. */
static void
parse_sack(const uint8_t *value, uint32_t len, struct tcp_seg *s)
{
	uint32_t n = len / LEN_SACK_BLOCK;

	if (n == 0 || len % LEN_SACK_BLOCK != 0)
		return;
	s->opts |= TCP_OPT_SACK;
	s->n_sack = (uint8_t)n;
	for (uint32_t i = 0; i < n; i++, value += LEN_SACK_BLOCK) {
		s->sack[i].start = seq_of(get_be32(value));
		s->sack[i].end = seq_of(get_be32(value + 4));
	}
}

/* RFC 7413 4.1.1: nothing asks for a cookie; a cookie of another length is none. */
static void
parse_fastopen(const uint8_t *value, uint32_t len, struct tcp_seg *s)
{
	if (len && (len < TCP_COOKIE_MIN || len > TCP_COOKIE_MAX || len % 2))
		return;
	s->opts |= TCP_OPT_FASTOPEN;
	s->n_cookie = (uint8_t)len;
	memcpy(s->cookie, value, len);
}

/* The options of a SYN; `len` is that of the whole option.  A known kind with a length that is
 * not its own is skipped like an unknown one. */
static void
parse_syn_option(const uint8_t *o, uint32_t len, struct tcp_seg *s)
{
	if (o[0] == KIND_MSS && len == LEN_MSS) {
		s->opts |= TCP_OPT_MSS;
		s->mss = get_be16(o + 2);
	} else if (o[0] == KIND_WSCALE && len == LEN_WSCALE) {
		s->opts |= TCP_OPT_WSCALE;
		s->wscale = min(o[2], (uint8_t)TCP_WSCALE_MAX);
	} else if (o[0] == KIND_SACK_OK && len == LEN_SACK_OK) {
		s->opts |= TCP_OPT_SACK_OK;
	} else if (o[0] == KIND_FASTOPEN) {
		parse_fastopen(o + LEN_FASTOPEN, len - LEN_FASTOPEN, s);
	}
}

static void
parse_option(const uint8_t *o, uint32_t len, struct tcp_seg *s)
{
	if (o[0] == KIND_TS && len == LEN_TS)
		parse_ts(o + 2, s);
	else if (s->flags & TCP_SYN)
		parse_syn_option(o, len, s);
	else if (o[0] == KIND_SACK)
		parse_sack(o + LEN_SACK, len - LEN_SACK, s);
}

/* RFC 9293 3.2: kinds 0 and 1 are single bytes, all others have a length (MUST-68). */
static void
parse_options(const uint8_t *o, const uint8_t *end, struct tcp_seg *s)
{
	while (o < end && o[0] != KIND_END) {
		uint32_t len;

		if (o[0] == KIND_NOP) {
			o++;
			continue;
		}
		if (end - o < 2)
			return;
		len = o[1];
		if (len < 2 || len > (size_t)(end - o))
			return;
		parse_option(o, len, s);
		o += len;
	}
}

static void
parse_fixed(const uint8_t *p, struct tcp_seg *s)
{
	s->sport = get_be16(p);
	s->dport = get_be16(p + 2);
	s->seq = seq_of(get_be32(p + 4));
	s->ack = seq_of(get_be32(p + 8));
	s->flags = p[13];
	s->wnd = get_be16(p + 14);
	s->urg = get_be16(p + 18);
	s->opts = 0;
	s->wscale = 0;
	s->n_sack = 0;
	s->n_cookie = 0;
	s->mss = 0;
	s->tsval = s->tsecr = 0;
}

enum wire_tcp_error
wire_tcp_parse(const uint8_t *p, size_t len, struct tcp_seg *s)
{
	uint32_t hdr_len;

	if (len < TCP_HDR_LEN)
		return WIRE_TCP_SHORT;
	hdr_len = (p[12] >> 4) * 4u;
	if (hdr_len < TCP_HDR_LEN || hdr_len > len)
		return WIRE_TCP_SHORT;
	parse_fixed(p, s);
	s->text = p + hdr_len;
	s->len = to_u32(len - hdr_len);
	if (hdr_len == TCP_HDR_LEN)
		return WIRE_TCP_OK;
	if (hdr_len == TCP_HDR_LEN + PADDED_TS && get_be32(p + TCP_HDR_LEN) == WORD_NOP_NOP_TS)
		parse_ts(p + TCP_HDR_LEN + 4, s);
	else
		parse_options(p + TCP_HDR_LEN, p + hdr_len, s);
	return WIRE_TCP_OK;
}

bool
wire_tcp_parse_quoted(const uint8_t *p, size_t len, struct tcp_quote *q)
{
	if (len < 8)
		return false;
	q->sport = get_be16(p);
	q->dport = get_be16(p + 2);
	q->seq = seq_of(get_be32(p + 4));
	return true;
}

/* -- Building -------------------------------------------------------------------------- */

/* How many SACK blocks there is room for beside the other options. */
static uint32_t
sack_blocks(const struct tcp_seg *s)
{
	uint32_t room = TCP_OPT_MAX - PADDED_SACK - (s->opts & TCP_OPT_TS ? PADDED_TS : 0u);

	if (s->flags & TCP_SYN || !(s->opts & TCP_OPT_SACK))
		return 0;
	return min((uint32_t)s->n_sack, room / LEN_SACK_BLOCK);
}

static uint32_t
syn_options_len(const struct tcp_seg *s)
{
	uint32_t len = 0;

	if (s->opts & TCP_OPT_MSS)
		len += LEN_MSS;
	if (s->opts & TCP_OPT_TS) /* SACK-permitted stands in place of its two nops */
		len += PADDED_TS;
	else if (s->opts & TCP_OPT_SACK_OK)
		len += PADDED_SACK_OK;
	if (s->opts & TCP_OPT_WSCALE)
		len += PADDED_WSCALE;
	if (s->opts & TCP_OPT_FASTOPEN)
		len += (LEN_FASTOPEN + s->n_cookie + 3u) & ~3u;
	return len;
}

uint32_t
wire_tcp_hdr_len(const struct tcp_seg *s)
{
	uint32_t blocks = sack_blocks(s);
	uint32_t len = TCP_HDR_LEN;

	if (s->flags & TCP_SYN)
		return len + syn_options_len(s);
	if (s->opts & TCP_OPT_TS)
		len += PADDED_TS;
	if (blocks)
		len += PADDED_SACK + blocks * LEN_SACK_BLOCK;
	return len;
}

static uint8_t *
put_4(uint8_t *o, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
	put_be32(o, a << 24 | b << 16 | c << 8 | d);
	return o + 4;
}

static uint8_t *
put_ts_values(uint8_t *o, const struct tcp_seg *s)
{
	put_be32(o, s->tsval);
	put_be32(o + 4, s->tsecr);
	return o + 8;
}

static_assert(LEN_MSS + PADDED_TS + PADDED_WSCALE + LEN_FASTOPEN + TCP_COOKIE_MAX <= TCP_OPT_MAX,
              "the largest cookie fits beside all other options of a SYN");

static uint8_t *
put_fastopen(uint8_t *o, const struct tcp_seg *s)
{
	uint32_t len = LEN_FASTOPEN + s->n_cookie;

	o[0] = KIND_FASTOPEN;
	o[1] = (uint8_t)len;
	memcpy(o + LEN_FASTOPEN, s->cookie, s->n_cookie);
	for (; len % 4; len++)
		o[len] = KIND_NOP;
	return o + len;
}

static uint8_t *
put_syn_options(uint8_t *o, const struct tcp_seg *s)
{
	bool sack_ok = s->opts & TCP_OPT_SACK_OK;

	if (s->opts & TCP_OPT_MSS)
		o = put_4(o, KIND_MSS, LEN_MSS, s->mss >> 8, s->mss & 0xffu);
	if (s->opts & TCP_OPT_TS) {
		o = put_4(o, sack_ok ? KIND_SACK_OK : KIND_NOP,
		          sack_ok ? LEN_SACK_OK : KIND_NOP, KIND_TS, LEN_TS);
		o = put_ts_values(o, s);
	} else if (sack_ok) {
		o = put_4(o, KIND_NOP, KIND_NOP, KIND_SACK_OK, LEN_SACK_OK);
	}
	if (s->opts & TCP_OPT_WSCALE)
		o = put_4(o, KIND_NOP, KIND_WSCALE, LEN_WSCALE,
		          min(s->wscale, (uint8_t)TCP_WSCALE_MAX));
	return s->opts & TCP_OPT_FASTOPEN ? put_fastopen(o, s) : o;
}

static uint8_t *
put_sack(uint8_t *o, const struct tcp_seg *s, uint32_t blocks)
{
	o = put_4(o, KIND_NOP, KIND_NOP, KIND_SACK, LEN_SACK + blocks * LEN_SACK_BLOCK);
	for (uint32_t i = 0; i < blocks; i++, o += LEN_SACK_BLOCK) {
		put_be32(o, s->sack[i].start.v);
		put_be32(o + 4, s->sack[i].end.v);
	}
	return o;
}

static uint8_t *
put_options(uint8_t *o, const struct tcp_seg *s)
{
	uint32_t blocks = sack_blocks(s);

	if (s->flags & TCP_SYN)
		return put_syn_options(o, s);
	if (s->opts & TCP_OPT_TS) {
		o = put_4(o, KIND_NOP, KIND_NOP, KIND_TS, LEN_TS);
		o = put_ts_values(o, s);
	}
	return blocks ? put_sack(o, s, blocks) : o;
}

uint32_t
wire_tcp_build(uint8_t *p, const struct tcp_seg *s)
{
	uint32_t len = (uint32_t)(put_options(p + TCP_HDR_LEN, s) - p);

	put_be16(p, s->sport);
	put_be16(p + 2, s->dport);
	put_be32(p + 4, s->seq.v);
	put_be32(p + 8, s->ack.v);
	p[12] = (uint8_t)(len / 4 << 4);
	p[13] = s->flags;
	put_be16(p + 14, to_u16(s->wnd));
	put_be16(p + SUM_AT, 0);
	put_be16(p + 18, s->urg);
	return len;
}

/* -- The checksum ---------------------------------------------------------------------- */

static uint32_t
sum_segment(const uint8_t *p, size_t len, const struct ip_addr *src, const struct ip_addr *dst)
{
	return wire_sum_add(wire_sum_pseudo(src, dst, IP_PROTO_TCP, to_u32(len)), p, len);
}

bool
wire_tcp_sum_ok(const uint8_t *p, size_t len, const struct ip_addr *src,
                const struct ip_addr *dst)
{
	return wire_sum_finish(sum_segment(p, len, src, dst)) == 0;
}

static void
store_sum(uint8_t *p, uint16_t sum)
{
	memcpy(p + SUM_AT, &sum, sizeof sum);
}

void
wire_tcp_sum_fill(uint8_t *p, size_t len, const struct ip_addr *src, const struct ip_addr *dst)
{
	store_sum(p, 0);
	store_sum(p, wire_sum_finish(sum_segment(p, len, src, dst)));
}

void
wire_tcp_sum_pseudo(uint8_t *p, size_t len, const struct ip_addr *src,
                    const struct ip_addr *dst)
{
	store_sum(p, wire_sum_fold(wire_sum_pseudo(src, dst, IP_PROTO_TCP, to_u32(len))));
}
