/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IP packets put together from their fragments (RFC 791 3.2, RFC 8200 4.5), for either family.
 *
 * A packet's payload lies in chunks at the offsets that its fragments name, so that fragments may
 * be tiny and come in any order; bits say which units of 8 bytes have come, and where fragments
 * began.  A fragment that is there already counts for nothing; one that overlaps others, or says
 * something else of the end, spoils its packet and all that may still come of it (RFC 5722 3,
 * RFC 8200 4.5; for IPv4 the same, RFC 1858, RFC 3128).
 *
 * Memory is taken when a fragment comes: chunks of the core's, and a record a packet, both
 * limited for the core and for what may be one source.  Who is at a limit loses its oldest
 * packet.  A packet that is not whole REASS_IP_NS after its first fragment came is given up.
 */
#pragma once

#include "base/ip_addr.h"
#include "base/list.h"
#include "base/siphash.h"
#include "tcp/tcp.h"

#define REASS_IP_MAX         65535u /* bytes of a packet, its header included       */
#define REASS_IP_UNIT        8u
#define REASS_IP_UNITS       (65536u / REASS_IP_UNIT)
#define REASS_IP_PART        (CHUNK_ROOM & ~(REASS_IP_UNIT - 1)) /* bytes that a chunk holds */
#define REASS_IP_PARTS       ((REASS_IP_MAX + REASS_IP_PART - 1) / REASS_IP_PART)
#define REASS_IP_HEAD        128u   /* bytes of headers that are kept                */

/* RFC 1122 3.3.2 asks for 60 to 120 s; Linux waits for 30 s, which is long enough for what still
 * comes, and 16 bits of identification come round sooner than that (RFC 4963). */
#define REASS_IP_NS          SEC(30)

#define REASS_IP_PACKETS     256u   /* under way, at most ...                        */
#define REASS_IP_CHUNKS      2048u  /* ... with so many chunks: 4 MB                 */
#define REASS_IP_SRC_PACKETS 64u    /* the same of one source                        */
#define REASS_IP_SRC_CHUNKS  1024u
#define REASS_IP_SOURCES     256u   /* that are told apart                           */

/* What fragments of one packet have in common. */
struct reass_ip_key {
	struct ip_addr src, dst;
	uint32_t id;
	uint8_t proto;  /* IPv4; IPv6: 0                                     */
	uint8_t port;   /* where it came in                                  */
	uint16_t as;    /* caller's: why it is put together here             */
};

struct reass_ip_frag {
	struct reass_ip_key key;
	uint32_t off;         /* of its payload, bytes                           */
	bool more;
	uint8_t ecn;          /* 0..3                                            */
	const uint8_t *data;
	uint32_t len;
	const uint8_t *head;  /* what stands before the payload, of the first ...  */
	uint16_t head_len;    /* ... at most REASS_IP_HEAD                       */
};

struct reass_ip_pkt {
	struct link age;      /* all, oldest first                               */
	struct link kin;      /* those of a source, oldest first                 */
	struct reass_ip_key key;
	int64_t until;
	uint32_t end;         /* bytes of payload; 0: the last has not come      */
	uint32_t got;         /* bytes that have come                            */
	uint32_t top;         /* ... end here                                    */
	uint16_t source;      /* its number                                      */
	uint16_t chunks;
	uint16_t head_len;    /* 0: the first fragment has not come              */
	uint8_t ecn;          /* a bit for each codepoint seen                   */
	bool spoilt;          /* holds nothing; remembered so that nothing more comes of it */
	uint8_t head[REASS_IP_HEAD];
	struct chunk *part[REASS_IP_PARTS];
	uint64_t there[REASS_IP_UNITS / 64];
	uint64_t begins[REASS_IP_UNITS / 64];
};

struct reass_ip_source {
	struct list pkts;
	uint32_t n, chunks;
};

struct reass_ip {
	struct tcp_env *env;  /* whose chunks                                    */
	struct siphash_key key;
	struct pool pkts;
	struct list all;      /* oldest first: they end in this order            */
	uint32_t chunks;      /* of all of them                                  */
	uint64_t given_up;    /* packets that were not whole in time, or made room */
	struct reass_ip_source *source; /* [REASS_IP_SOURCES], made when the first comes */
	bool in_use;
};

/* `secret` is copied.  False when the region is too small. */
bool reass_ip_init(struct reass_ip *r, struct region *mem, struct tcp_env *env,
                   const struct siphash_key *secret);

enum reass_ip_answer {
	REASS_IP_KEPT,      /* others are missing                              */
	REASS_IP_WHOLE,     /* *whole is complete: reass_ip_copy(), reass_ip_free() */
	REASS_IP_AGAIN,     /* was there before                                */
	REASS_IP_BAD,       /* can be no part of any packet                    */
	REASS_IP_OVERLAP,   /* spoils its packet, or that was spoilt before    */
	REASS_IP_NO_ROOM,
};

/* A fragment has come.  What is the first and the last at once (RFC 6946) is nobody's business
 * here. */
enum reass_ip_answer reass_ip_in(struct reass_ip *r, const struct reass_ip_frag *f, int64_t now,
                                 struct reass_ip_pkt **whole);

/* Copies `len` bytes of its payload, from the first on; they must have come. */
void reass_ip_copy(const struct reass_ip_pkt *p, uint8_t *to, uint32_t len);

/* How many bytes of the payload's beginning have come, at most `most`. */
uint32_t reass_ip_first(const struct reass_ip_pkt *p, uint32_t most);

/* The ECN codepoint of the whole (RFC 3168 5.3); -1: fragments contradict each other, and the
 * packet is to be dropped. */
int reass_ip_ecn(const struct reass_ip_pkt *p);

void reass_ip_free(struct reass_ip *r, struct reass_ip_pkt *p);

/* The next whose time is over, to be freed; NULL: none. */
struct reass_ip_pkt *reass_ip_late(struct reass_ip *r, int64_t now);

/* When the next is over. */
static inline int64_t
reass_ip_deadline(const struct reass_ip *r)
{
	struct link *n = list_first(&r->all);

	return n ? container_of(n, struct reass_ip_pkt, age)->until : TIME_NEVER;
}

/* Everything that must hold between calls; asserts. */
void reass_ip_check(const struct reass_ip *r);
