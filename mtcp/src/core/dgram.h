/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Datagrams between the two threads: records in a socket's streams, each a head and so many
 * bytes.  A record becomes visible as a whole, so whoever sees its first byte sees all of it; and
 * all of what streams can do (memory on demand, limits, one copy a side, no locks) is theirs.
 */
#pragma once

#include "base/bytestream.h"
#include "core/sock.h"

#define DGRAM_MAX   65507u  /* bytes, over IPv4: what two lengths of 16 bits leave  */
#define DGRAM_LIMIT 212992u /* of bytes in a stream, unless set: Linux's default    */

struct dgram_head {
	struct sock_addr peer; /* whom it is for, or whom it is from        */
	uint16_t unused;
	uint32_t len;
};

static_assert(sizeof(struct dgram_head) == 24, "no holes: it is copied byte by byte");

/* What of a stream a datagram takes. */
static inline uint32_t
dgram_size(uint32_t len)
{
	return (uint32_t)sizeof(struct dgram_head) + len;
}

/* The first datagram in a stream; false: there is none. */
static inline bool
dgram_first(struct stream_reader *r, const struct stream_writer *w, struct dgram_head *h)
{
	if (stream_used(w, r) == 0)
		return false;
	stream_peek(r, w, NULL, 0, (uint8_t *)h, sizeof *h);
	assert(stream_used(w, r) >= dgram_size(h->len));
	return true;
}
