/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * As usual.h, for IPv6: Ethernet, IPv6 without extension headers between two global (or unique
 * local) addresses, TCP without options or with the timestamp alone.
 */
#pragma once

#include "wire/ip6.h"
#include "wire/tcp_wire.h"

#define USUAL6_IP   ETH_LEN
#define USUAL6_NAME (ETH_LEN + 8u) /* the sender's address, 16 bytes, the other, both ports */
#define USUAL6_DST  (ETH_LEN + 24u)
#define USUAL6_TCP  (ETH_LEN + IP6_LEN)
#define USUAL6_TEXT (USUAL6_TCP + TCP_HDR_LEN)

/* Whether the frame of `len` bytes is one.  Its checksum is not looked at. */
bool wire_usual6_is(const uint8_t *p, size_t len);

/* Its segment, as wire_tcp_parse() and the ECN field give it.  False: the checksum, if it was to be
 * looked at, is wrong. */
bool wire_usual6_parse(const uint8_t *p, bool tcp_sum, struct tcp_seg *s);
