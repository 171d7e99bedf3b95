/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TCP Fast Open (RFC 7413).  A cookie proves that a client has been reachable at
 * its address; with it the text of a SYN is taken before the handshake is over.
 *
 * Client: the first connection asks for a cookie, which the core remembers with
 * the peer's MSS (tcp_path.h); later ones send it with the first text in the
 * SYN.  What the SYN-ACK does not acknowledge leaves again as any new text; a
 * SYN that is repeated carries neither, and after two such losses in a row the
 * option rests for a time that doubles (RFC 7413 4.1.3.1).
 *
 * Server: the cookie is SipHash-2-4 of both addresses, so no client has a
 * record.  Of two keys the first makes cookies and both are accepted, so that a
 * key can be changed without a break.
 */
#pragma once

#include "tcp/tcp.h"

#define TCP_FASTOPEN_COOKIE 8u /* bytes of the cookies that we make */

/* Bits of struct tcp_cfg.fastopen, as Linux numbers them. */
enum {
	FASTOPEN_CLIENT = 1,
	FASTOPEN_SERVER = 2,
	FASTOPEN_CLIENT_NO_COOKIE = 4,      /* text in the SYN with no cookie needed     */
	FASTOPEN_SERVER_NO_COOKIE = 0x200,  /* ... and taken without one                 */
	FASTOPEN_SERVER_ALL = 0x400,        /* every listener, whatever its option       */
};
#define FASTOPEN_BITS 0x607u

/* Keys of 16 bytes, or of 32: the second is a backup, accepted but not used for new
 * cookies.  False: another length. */
bool tcp_fastopen_set_keys(struct tcp_fastopen_keys *k, const uint8_t *bytes, size_t len);

/* Writes the keys as they were given; how many bytes that is. */
size_t tcp_fastopen_get_keys(const struct tcp_fastopen_keys *k, uint8_t bytes[32]);

/* The configured keys, or those drawn from `secret`. */
void tcp_fastopen_keys(struct tcp_fastopen_keys *k, const struct tcp_cfg *cfg,
                       const struct siphash_key *secret);

/* The default: keys that follow from a secret. */
void tcp_fastopen_draw_keys(struct tcp_fastopen_keys *k, const struct siphash_key *secret);

/* The cookie of the client at t->remote, by key `i`. */
void tcp_fastopen_cookie(const struct tcp_fastopen_keys *k, unsigned i, const struct tcp_tuple *t,
                         uint8_t cookie[TCP_FASTOPEN_COOKIE]);

/* ---------------------------------------------------------------- the server -- */

/* What a SYN's option is to a listener that allows Fast Open.  `give`: the
 * SYN-ACK has to carry a (new) cookie.  True: take the SYN's text. */
bool tcp_fastopen_judge(const struct tcp_env *e, const struct tcp_tuple *t,
                        const struct tcp_seg *syn, bool *give);

/* `c`, just promoted from the half-open record of this SYN, takes its text: it can
 * be accepted and read, and the SYN-ACK that is due acknowledges it. */
void tcp_fastopen_accept(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *syn,
                         int64_t now);

/* A cookie for the SYN-ACK in `s`. */
void tcp_fastopen_give(const struct tcp_env *e, const struct tcp_tuple *t, struct tcp_seg *s);

/* ---------------------------------------------------------------- the client -- */

/* Bytes of text that a SYN to `peer` may carry; 0: none, no cookie is known. */
uint32_t tcp_fastopen_room(struct tcp_env *e, const struct ip_addr *peer, uint16_t local_mss,
                           int64_t now);

/* What the option adds to the first SYN: a request, or a cookie and text. */
void tcp_fastopen_syn(struct tcp_env *e, struct tcp_conn *c, struct tcp_seg *s, int64_t now);

/* The SYN-ACK has come: learns the cookie, and takes back what it does not
 * acknowledge, so that it is sent as new. */
void tcp_fastopen_synack(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s,
                         int64_t now);
