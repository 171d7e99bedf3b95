/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a core remembers of the way to a host between connections: the path MTU
 * that a router or a probe taught (RFC 1191 3, RFC 8899), and the peer's Fast
 * Open cookie with its MSS (RFC 7413 4.1.3).  A table of fixed size: in a set of
 * four the one used longest ago makes room, so that nobody who asks for many
 * addresses costs more than what others had learned.
 */
#pragma once

#include "base/ip_addr.h"
#include "base/region.h"
#include "base/siphash.h"
#include "wire/tcp_wire.h"

struct tcp_path {
	struct ip_addr ip;        /* the peer; all zero: nobody                        */
	int64_t used_at;
	int64_t pmtu_until;       /* the path MTU is forgotten then                    */
	int64_t fastopen_off_until; /* SYNs with data were lost too often              */
	uint16_t pmtu;            /* bytes of an IP packet; 0: nothing is known        */
	uint16_t mss;             /* what the peer announced with the cookie           */
	uint8_t fastopen_losses;  /* SYNs with data lost in a row                      */
	uint8_t n_cookie;         /* 0: none                                           */
	uint8_t cookie[TCP_COOKIE_MAX];
};

struct tcp_paths {
	struct tcp_path *path;    /* NULL: nothing is remembered                       */
	uint32_t n;               /* a power of two, at least 4; 0: none               */
	bool learned;             /* anything ever: else there is nothing to find      */
	struct siphash_key key;
};

/* The path MTU; 0: none is known (any more). */
static inline uint16_t
tcp_path_pmtu(const struct tcp_path *p, int64_t now)
{
	return now < p->pmtu_until ? p->pmtu : 0;
}

/* Room for at least `n` paths (0: none, and nothing is remembered).  False: the region is too
 * small. */
bool tcp_paths_init(struct tcp_paths *p, struct region *mem, const struct siphash_key *key,
                    uint32_t n);

/* What is known of the way to `ip`; NULL: nothing. */
struct tcp_path *tcp_path_find(struct tcp_paths *p, const struct ip_addr *ip, int64_t now);

/* The same; makes an empty entry when there is none.  NULL: there is no table. */
struct tcp_path *tcp_path_get(struct tcp_paths *p, const struct ip_addr *ip, int64_t now);
