/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A TCP segment in host order (RFC 9293 3.1, 3.2): what the parser gives and
 * what output decides.  The last place that sees TCP's bytes; every length is
 * checked here and only here.
 */
#pragma once

#include "base/ip_addr.h"
#include "base/seq.h"

#define TCP_HDR_LEN      20u
#define TCP_HDR_MAX      60u
#define TCP_OPT_MAX      40u
#define TCP_WSCALE_MAX   14u /* RFC 7323 2.3: larger is taken as 14 */
#define TCP_SACK_MAX     4u
#define TCP_COOKIE_MIN   4u  /* RFC 7413 4.1.1: 4 to 16 bytes, an even number */
#define TCP_COOKIE_MAX   16u

enum {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_PSH = 0x08,
	TCP_ACK = 0x10,
	TCP_URG = 0x20,
	TCP_ECE = 0x40,
	TCP_CWR = 0x80,
};

/* Options present, in `struct tcp_seg.opts`. */
enum {
	TCP_OPT_MSS = 1 << 0,
	TCP_OPT_WSCALE = 1 << 1,
	TCP_OPT_SACK_OK = 1 << 2,
	TCP_OPT_TS = 1 << 3,
	TCP_OPT_SACK = 1 << 4,
	TCP_OPT_FASTOPEN = 1 << 5,
};

struct tcp_sack_block {
	seq_t start, end; /* [start, end) */
};

struct tcp_seg {
	seq_t seq, ack;
	uint32_t wnd;        /* as on the wire: 16 bits, unscaled                 */
	uint32_t len;        /* bytes of text                                     */
	const uint8_t *text; /* received text; NULL in a segment to send          */
	uint16_t sport, dport;
	uint16_t urg;        /* urgent pointer                                    */
	uint8_t flags;
	uint8_t opts;        /* which of the following are there                  */
	uint8_t wscale;
	uint8_t n_sack;
	uint8_t ecn;         /* the ECN field of the IP header around it          */
	uint16_t mss;
	uint32_t tsval, tsecr;
	bool last;           /* output's: nothing else is to be sent now          */
	uint8_t n_cookie;    /* fast open: 0 asks for a cookie                    */
	/* -- what the counts above tell how much there is of -------------------- */
	struct tcp_sack_block sack[TCP_SACK_MAX];
	uint8_t cookie[TCP_COOKIE_MAX];
};

/* Bytes of IP header and TCP header around a segment to `peer`, without options: what of an MTU is
 * no text. */
static inline uint32_t
wire_tcp_headers(const struct ip_addr *peer)
{
	return ip_addr_is_v4(peer) ? 40 : 60;
}

/* Nothing is there: for segments without SACK blocks and cookie, whose places are not touched. */
static inline void
seg_clear(struct tcp_seg *s)
{
	memset(s, 0, offsetof(struct tcp_seg, sack));
}

/* The sequence space that a segment occupies (RFC 9293: SEG.LEN). */
static inline uint32_t
seg_space(const struct tcp_seg *s)
{
	return s->len + (s->flags & TCP_SYN ? 1u : 0u) + (s->flags & TCP_FIN ? 1u : 0u);
}

enum wire_tcp_error {
	WIRE_TCP_OK = 0,
	WIRE_TCP_SHORT,  /* data offset below 5 words or beyond the segment          */
	WIRE_TCP_SUM,    /* checksum wrong                                           */
};

/*
 * Parses the TCP segment of `len` bytes at `p`.  A malformed option (length 0,
 * 1 or past the end) ends option parsing; what stood before it counts
 * (RFC 9293 MUST-7).  Unknown options are skipped (MUST-6).  Options are
 * accepted at any alignment (MUST-64).  MSS, window scale and SACK-permitted
 * count only with SYN (MUST-65), and so does Fast Open; SACK blocks only without.  An option whose
 * length is not the one of its kind is skipped; of two alike the last counts.
 * `mss` is what the peer said, 0 included.  The checksum is not looked at: see below.
 */
enum wire_tcp_error wire_tcp_parse(const uint8_t *p, size_t len, struct tcp_seg *s);

/* Whether the checksum over pseudo-header and segment is right. */
bool wire_tcp_sum_ok(const uint8_t *p, size_t len, const struct ip_addr *src,
                     const struct ip_addr *dst);

/* What an ICMP error quotes of a segment: at least 8 bytes, so ports and sequence number
 * (RFC 792). */
struct tcp_quote {
	uint16_t sport, dport;
	seq_t seq;
};

/* False when fewer than 8 bytes are there. */
bool wire_tcp_parse_quoted(const uint8_t *p, size_t len, struct tcp_quote *q);

/* Bytes of header and options that wire_tcp_build() will write for this segment; a multiple of
 * 4.  When options do not fit 40 bytes, SACK blocks are dropped from the end. */
uint32_t wire_tcp_hdr_len(const struct tcp_seg *s);

/*
 * Writes header and options at `p`; text of s->len bytes must already stand
 * behind them.  Option order is that of Linux: SYN: mss, sackOK, TS, nop,
 * wscale (without TS: mss, nop, nop, sackOK, nop, wscale), then Fast Open, padded
 * by nops; others: nop, nop, TS then nop, nop, SACK.
 * Returns the header's length.  The checksum field stays 0: finish it with
 * wire_tcp_sum_fill() or let the port do it.
 */
uint32_t wire_tcp_build(uint8_t *p, const struct tcp_seg *s);

/* Computes and stores the checksum of the whole segment of `len` bytes. */
void wire_tcp_sum_fill(uint8_t *p, size_t len, const struct ip_addr *src,
                       const struct ip_addr *dst);

/* Stores the pseudo-header's folded sum, for a port that finishes the checksum itself. */
void wire_tcp_sum_pseudo(uint8_t *p, size_t len, const struct ip_addr *src,
                         const struct ip_addr *dst);
