/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fragments in and out.
 *
 * Devices and peers spread fragments over the queues by addresses, if by anything, since only the
 * first of them has ports; the whole belongs to a core by its ports.  So fragments meet on the
 * core that the addresses alone hash to, which is where a device's own function brings them.
 * What is whole goes the way of any packet from there.  If that leads to another core it goes as
 * fragments again, since no packet of an engine is large enough, and these are put together
 * where they are sent.
 */
#pragma once

#include "core/reass_ip.h"
#include "io_engine/io.h"
#include "tcp/tcp_fate.h"
#include "wire/eth.h"
#include "wire/ip6.h"

#define FRAG_IDS 256u /* destinations whose identifications count on their own */

struct stack;
struct ip_way;
struct segment_from;

struct frags {
	struct reass_ip reass;
	uint8_t *whole;         /* a frame as it would have come without fragments ... */
	uint8_t *out;           /* ... and the packet that answers it              */
	uint32_t ids[FRAG_IDS]; /* 0: not used yet                                 */
};

#define FRAG_FRAME (REASS_IP_HEAD + 65536u)

bool frag_init(struct stack *st, struct region *mem);

/* A fragment of IPv4 for us has come: its fate, or that of the packet that it completed. */
enum fate frag_in(struct stack *st, unsigned port, const struct io_pkt *pkt,
                  const struct ip4_hdr *h, int64_t now);

/* The same of IPv6; `src` and `dst` are scoped.  What is whole keeps its fragment header, which then
 * says that it is none (RFC 6946). */
enum fate frag6_in(struct stack *st, unsigned port, const struct io_pkt *pkt,
                   const struct ip6_hdr *h, const struct ip_addr *src, const struct ip_addr *dst,
                   int64_t now);

/* Hands a packet that was put together here to core `to`, as handover_to() does. */
enum fate frag_hand_over(struct stack *st, unsigned to, const struct segment_from *from,
                         unsigned as, uint32_t adopt);

/* Makes `f` the header of the part of a payload of `len` bytes that begins at `at`; how long that
 * is. */
uint32_t frag_next(struct ip4_hdr *f, uint32_t mtu, uint32_t len, uint32_t at);

/* Sends the payload `data` of `len` bytes from *at on in as many packets as `mtu` asks for, with
 * what `h` says beside lengths and offsets.  False: the engine is full, and *at is where to go
 * on. */
bool frag_out(struct stack *st, const struct ip_way *way, const struct ip4_hdr *h, uint32_t mtu,
              const uint8_t *data, uint32_t len, uint32_t *at, int64_t now);

/* An identification for a packet that may be fragmented (RFC 6864 4.3): the next to this
 * destination; cores take turns. */
uint16_t frag_id(struct stack *st, const struct ip_addr *dst);

/* Packets that were not whole in time are given up, and their senders told (RFC 1122 3.3.2). */
void frag_late(struct stack *st, int64_t now);

static inline int64_t
frag_deadline(const struct frags *f)
{
	return reass_ip_deadline(&f->reass);
}
