/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Datagram sockets of one core (RFC 768, RFC 1122 4.1, RFC 8085).
 *
 * A socket is known here once it has a port.  Who is meant by a datagram: the socket that is
 * connected to its sender, else the one bound to its very address, else one bound to any; among
 * equals that share a port (SO_REUSEPORT) the flow decides.  What is found nowhere on this core
 * is another's: the flow's home, where a port lies that was chosen when the destination was
 * known, or a core that said in its seat that it has the port (core/hall.h).
 *
 * What the application sends waits in its stream until the stack's turn, and is copied from there
 * into packets.  What has to wait for a neighbour waits as packets, a limited number of them, the
 * oldest making room (RFC 1122 2.3.2.2): nothing else waits behind it.
 */
#pragma once

#include "base/hashmap.h"
#include "base/list.h"
#include "base/pool.h"
#include "base/siphash.h"
#include "core/dgram.h"
#include "core/icmp.h"
#include "io_engine/io.h"
#include "tcp/tcp_fate.h"

#define UDP_HELD     128u    /* packets that wait for neighbours ...          */
#define UDP_HELD_ONE 64u     /* ... so many for one of them: a datagram of any length */
#define UDP_HELD_NS  SEC(3)
#define UDP_PATHS    64u     /* destinations whose MTU is remembered          */
#define UDP_PATH_NS  SEC(600) /* ... for so long (RFC 1191 6.3)                */
#define UDP_PATH_MIN 552u    /* no less is believed: Linux's min_pmtu         */

struct udp_sock {
	struct link tx;          /* has something to send                        */
	uint32_t sock;           /* its number                                   */
	uint32_t rcv_limit;      /* bytes that may wait to be read               */
	uint32_t at;             /* of the first datagram so much has left, in fragments */
	uint16_t id;             /* ... with this identification                 */
	uint16_t errors;         /* told so far                                  */
	struct ip_addr bound;    /* what bind() said                             */
	bool connected;
	bool chosen;             /* its port is the stack's choice ...            */
	bool homed;              /* ... so that replies of its peer come here     */
	bool closing;            /* the application is gone, what it wrote is not */
	uint64_t dropped;        /* datagrams for which there was no room        */
};

/* A packet without a destination's link address. */
struct udp_held {
	struct io_pkt pkt;
	struct ip_addr dst;
	int64_t until;
	uint32_t port;
};

/* What a router said of the way to a destination. */
struct udp_path {
	struct ip_addr dst;
	int64_t until;
	uint16_t mtu;
};

struct udp {
	struct pool socks;       /* struct udp_sock                              */
	struct hashmap map;      /* by port, and by all four numbers             */
	struct siphash_key key;
	uint64_t choices;        /* of ports, ever                               */
	uint32_t n_connected;
	struct list tx;
	unsigned n_held;
	uint32_t held_news;      /* of all ports' neighbours, when these were looked at last */
	bool held_stuck;         /* some could leave, but that the engine was full */
	struct udp_held held[UDP_HELD]; /* oldest first                          */
	struct udp_path path[UDP_PATHS];
};

struct stack;
struct segment_from;

bool udp_init(struct stack *st, struct region *mem);

/* ------------------------------------------------- udp.c: whose is it? -- */

/* Calls of the application: 0 or an errno value.  k->addr is the address to bind to; the peer,
 * with port 0 none any more; the first destination of a socket that has no port yet. */
int udp_bind(struct stack *st, struct sock_call *k, struct sock *s);
int udp_connect(struct stack *st, struct sock_call *k, struct sock *s);
int udp_open(struct stack *st, struct sock_call *k, struct sock *s);

/* SO_RCVBUF or SO_SNDBUF has changed. */
void udp_limits(struct stack *st, struct sock *s);

/* The application has written, or let go. */
void udp_job(struct stack *st, struct sock *s);

/* The last datagram of a socket that was closed has left. */
void udp_end(struct stack *st, struct udp_sock *u);

/* A UDP header and what follows it, `len` bytes, from `src` to `dst`, an address of ours.
 * DROP_UDP_NOBODY: its sender is to be told. */
enum fate udp_in(struct stack *st, const struct segment_from *from, const struct ip_addr *src,
                 const struct ip_addr *dst, const uint8_t *p, uint32_t len);

/* The same for a broadcast: every socket that can be meant has it. */
enum fate udp_broadcast_in(struct stack *st, const struct segment_from *from,
                           const struct ip_addr *src, const struct ip_addr *dst,
                           const uint8_t *p, uint32_t len);

/* `hop`: cores that have looked at it before. */
void udp_icmp_error(struct stack *st, const struct icmp_error *err, unsigned hop, int64_t now);

/* The next call of the application fails with this errno value. */
void udp_error(struct stack *st, struct udp_sock *u, int err);

static inline bool
sock_is_dgram(uint16_t req)
{
	return (req & SOCK_REQ_DGRAM) != 0;
}

/* ------------------------------------------------------ udp_out.c: sending -- */

/* Sends what is to be sent, a step's worth; how many datagrams and held packets. */
unsigned udp_run(struct stack *st, int64_t now);

/* Something could leave now. */
static inline bool
udp_waits(const struct udp *u)
{
	return !list_empty(&u->tx);
}

/* When a packet is given up that waits for a neighbour. */
int64_t udp_deadline(const struct udp *u);

/* A router says that no more than `mtu` bytes come through to `dst`. */
void udp_path_learn(struct stack *st, const struct ip_addr *dst, uint16_t mtu, int64_t now);

/* Gives back the packets that wait. */
void udp_give_back(struct stack *st);
