/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The inside of a stack, for the files of this folder only.  One file works on
 * one part; this header says which parts there are.
 */
#pragma once

#include "core/demux.h"
#include "core/except.h"
#include "core/frag.h"
#include "core/handover.h"
#include "core/icmp.h"
#include "core/inet6.h"
#include "core/neigh.h"
#include "core/port.h"
#include "core/stack.h"
#include "core/steer.h"
#include "core/udp.h"
#include "core/words.h"
#include "io_engine/io.h"
#include "tcp/tcp_listen.h"
#include "tcp/tcp_tw.h"
#include "wire/eth.h"
#include "wire/ip4.h"

#define STACK_STRAYS        128u /* replies that belong to no connection, waiting */
#define STACK_LISTENERS_MAX 1024u
#define FASTOPEN_SPANS      4u   /* of FASTOPEN_SPAN_NS, see listen.c */

/* On which list a connection's tx_link is (struct tcp_conn.tx_list). */
enum tx_list { TX_NONE, TX_CONTROL, TX_ACK, TX_SOON, TX_DATA, TX_WAITS };

/* A port as this core sees it. */
struct stack_port {
	struct io *io;
	struct io_info info;
	struct stack_port_cfg cfg;
	uint16_t mtu;
	bool full;                        /* the engine took less than offered    */
	unsigned n_out, n_fresh;
	struct io_pkt out[IO_BURST];      /* filled, to be sent                   */
	struct io_pkt fresh[IO_BURST];    /* empty                                */
	struct neigh neigh;
	struct steer_port steer;
	struct except except;
};

/* A half-open connection and the way back to its peer. */
struct half_open {
	struct tcp_req req;
	struct mac_addr mac;
	uint8_t port;
	struct link age; /* all records, oldest first */
};

struct listener {
	struct ip_addr ip;
	uint16_t port;
	uint32_t sock;      /* UINT32_MAX: free                                  */
	uint32_t backlog;
	bool retired;       /* takes no more SYNs, and does not refuse them either */
	uint32_t half_open; /* records that came from it                         */
	uint32_t gen;       /* how many there were before: numbers are used again */
	uint32_t fastopen;  /* connections by Fast Open whose handshake goes on  */
	uint32_t resets[FASTOPEN_SPANS]; /* ... that a RST ended, in each of the last spans */
	uint32_t span;      /* the last of these, since the clock began          */
};

/* A segment that answers something for which there is no connection. */
struct stray {
	struct tcp_tuple tuple;
	struct tcp_seg seg;
	struct mac_addr mac;
	uint8_t port;
};

#define KNOWN_WAYS 64u /* a power of two */

/* Where packets to an address leave, as it was found out last. */
struct known_way {
	_Alignas(CACHE_LINE) struct ip_addr dst;
	struct neigh_entry *entry; /* NULL: nothing is known            */
	struct neigh *neigh;       /* the port's                        */
	uint32_t gen;              /* neigh.gen of that time            */
	uint32_t port;
};

struct stack {
	struct stack_cfg cfg;
	struct tcp_env env;
	struct trace trace;
	struct tcp_opts no_opts;

	/* -- connections ----------------------------------------------------- */
	struct demux demux;
	struct pool conns, half_opens, tws, opts;
	struct list half_open_list;       /* oldest first                         */
	struct list tw_list;              /* TIME-WAIT, by the end of their 2 MSL */
	struct list fin_wait_2_list;      /* the same pool's, by their end        */
	uint32_t n_fin_wait_2;
	uint32_t orphans_at;              /* of `conns`: where conns_orphans() goes on */
	struct wheel wheel;
	struct listener listener[STACK_LISTENERS_MAX];
	unsigned n_listeners;             /* entries ever used                    */
	uint32_t listeners_made;
	int64_t cookies_until;            /* SYN cookies may come back before     */

	/* -- transmission ------------------------------------------------------- */
	struct list tx_control, tx_ack, tx_data; /* connections                   */
	struct list tx_synack;            /* half-open records                    */
	struct list tx_soon, tx_held;     /* TX_SOON: come since, and until held_until */
	int64_t held_until;
	unsigned at_once;                 /* segments that did not wait for txq_run() */
	struct stray stray[STACK_STRAYS];
	unsigned n_strays;

	/* -- network ------------------------------------------------------------- */
	struct stack_port port[STACK_PORTS_MAX];
	struct known_way known[KNOWN_WAYS];
	struct ip_addr proved;            /* whom a segment has just come from ... */
	int64_t proved_at;                /* ... that shows that ours arrive      */
	struct icmp_rate icmp_rate, error_rate; /* echoed, and errors told       */
	uint64_t errors_told;
	struct frags frags;
	struct udp udp;
	struct port_table ports;
	struct steer steer;

	/* -- the application ---------------------------------------------------- */
	struct channel ch;
	uint32_t job[CHANNEL_AT_ONCE];    /* off the ring, from `jobs_at` on to be done */
	unsigned jobs_at, n_jobs;
	uint32_t free_socks, dying_socks; /* chains through sock.link; UINT32_MAX ends */
	uint32_t fresh_socks;             /* from here on none was ever used      */
	uint32_t n_free_socks;            /* of the chain, and fresh              */
	int64_t quiesce_until;            /* TIME_NEVER: not asked                */
	int64_t deaf_until;               /* cfg.deaf_ns after the start          */
	bool call_pending;
	bool app_starved;                 /* it waits for chunks                  */
	uint32_t chunks_told;             /* lists given when it was last told    */
	bool posted, busy;
	bool aside;                       /* of udp or frags, something waits for its time */

	struct stack_stats stats;
	uint64_t fates[N_FATES];
};

#define NO_SOCK UINT32_MAX

/* One thread writes a statistic, any may read it. */
static inline void
stats_add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
	                      memory_order_relaxed);
}

/* Where a segment came from: the way back to whoever sent it. */
struct segment_from {
	unsigned port;
	struct mac_addr mac;
	const struct io_pkt *pkt; /* while it is looked at; NULL afterwards */
};

/* ---------------------------------------------------------- ip.c: packets -- */

/* One received frame, to its fate. */
enum fate ip_frame_in(struct stack *st, unsigned port, const struct io_pkt *pkt, int64_t now);

/* Where packets to an address leave: found once per connection and turn. */
struct ip_way {
	unsigned port;
	struct mac_addr mac;
};

/* ip_way_known() for who is not remembered at `k`. */
struct neigh_entry *ip_way_look(struct stack *st, const struct ip_addr *dst, int64_t now,
                                struct known_way *k, unsigned *port);

/* The neighbour by whom packets to `dst` leave, if its address is known, else NULL; counts as use.
 * Remembers what it has found out: the routes of a stack do not change while it runs. */
static inline struct neigh_entry *
ip_way_known(struct stack *st, const struct ip_addr *dst, int64_t now, unsigned *port)
{
	struct known_way *k = &st->known[dst->b[sizeof dst->b - 1] % KNOWN_WAYS];
	struct neigh_entry *e = k->entry;

	if (unlikely(!e || !ip_addr_eq(&k->dst, dst) || k->gen != k->neigh->gen))
		return ip_way_look(st, dst, now, k, port);
	*port = k->port;
	neigh_use(k->neigh, e, now);
	return e;
}

enum ip_way_answer { WAY_FOUND, WAY_WAITING, WAY_NO_ROUTE, WAY_UNREACHABLE, WAY_NO_ROOM };

/* `waiter` (may be NULL) hangs itself on the neighbour while it is resolved. */
enum ip_way_answer ip_way_find(struct stack *st, const struct ip_addr *dst, struct link *waiter,
                               int64_t now, struct ip_way *way);

/* The address of ours to talk to `dst` from, and the MTU of the way; false: no route. */
bool ip_source(const struct stack *st, const struct ip_addr *dst, struct ip_addr *src,
               uint16_t *mtu);
bool ip_is_ours(const struct stack *st, const struct ip_addr *a);

/* The port that has an address of ours; it alone takes packets to it. */
unsigned ip_port_of(const struct stack *st, const struct ip_addr *a);

/* For cores that have no queue: whether any port can take a packet more, and to send it. */
bool ip_sends_room(struct stack *st, int64_t now);
void ip_send_for(struct stack *st, unsigned port, struct io_pkt pkt);

/* Whether one more packet can leave by `port` now; makes room when it can. */
bool ip_room_made(struct stack *st, unsigned port, int64_t now);

static inline bool
ip_room(struct stack *st, unsigned port, int64_t now)
{
	const struct stack_port *p = &st->port[port];

	return likely(p->n_out < IO_BURST && p->n_fresh > 0) || ip_room_made(st, port, now);
}

static inline bool
port_owns(const struct stack_port *p, const struct ip_addr *a)
{
	for (unsigned i = 0; i < p->cfg.n_addrs; i++)
		if (stack_addr_has(&p->cfg.addr[i], a))
			return true;
	return false;
}

/* One packet to fill, on its way out; ip_room() must have said yes. */
struct io_pkt *ip_pkt_out(struct stack_port *p);

/* Its Ethernet header. */
void ip_eth_out(const struct stack_port *p, uint8_t *frame, const struct mac_addr *dst,
                uint16_t type);

/* The text of a segment of `c`, to where it stands in a frame. */
void ip_text_out(struct tcp_conn *c, const struct tcp_seg *s, uint8_t *to);

/* Sends one segment; ip_room() must have said yes.  `c` gives text, TOS and TTL (NULL: none). */
void ip_segment_out(struct stack *st, const struct ip_way *way, const struct tcp_tuple *t,
                    const struct tcp_seg *s, struct tcp_conn *c);

/* Sends one IPv4 packet: what `h` says, but for its lengths, and `len` bytes of payload; ip_room()
 * must have said yes. */
void ip_packet_out(struct stack *st, const struct ip_way *way, const struct ip4_hdr *h,
                   const uint8_t *data, uint32_t len);

/* The same, but that its payload is for the caller to write, where this says. */
uint8_t *ip_packet_begin(struct stack *st, const struct ip_way *way, const struct ip4_hdr *h,
                         uint32_t len);
/* Takes back the packet that was made last: it is the caller's. */
struct io_pkt ip_packet_take(struct stack *st, unsigned port);

/* The address of everybody on a link. */
bool ip_is_broadcast(const struct stack *st, const struct ip_addr *a);

/* Sends a frame that somebody else has made; false: no room, or it is longer than the port takes. */
bool ip_frame_out(struct stack *st, unsigned port, const struct io_pkt *frame, int64_t now);

/* Connections whose neighbour is known now, or never will be, go on. */
void ip_unblock(struct stack *st, struct list *waiters, int64_t now);

/* Who carried an accepted segment of `dst` is the way back to it, unless a neighbour is known:
 * learned from the segment, so that a core whose queue never sees ARP can answer too. */
void ip_learn_way(struct stack *st, const struct ip_addr *dst, const struct segment_from *from,
                  int64_t now);

void ip_flush(struct stack *st, unsigned port, int64_t now);
void ip_timers(struct stack *st, int64_t now);
int64_t ip_deadline(const struct stack *st);
void ip_announce(struct stack *st, int64_t now);

/* ------------------------------------------------- refuse.c: ICMP errors -- */

/* Tells the sender of an IPv4 packet for us, of which `len` bytes stand at `ip`, why it is not
 * taken; if that may be told, and not too often.  `from`: the link address that it came from. */
void refuse_packet(struct stack *st, unsigned port, const struct mac_addr *from, uint8_t type,
                   uint8_t code, const uint8_t *ip, uint32_t len, int64_t now);

/* ------------------------------------------- segment.c: TCP's dispatcher -- */

enum fate segment_in(struct stack *st, const struct segment_from *from, const struct tcp_tuple *t,
                     const struct tcp_seg *s, int64_t now);
/* For a connection that demux_recent() knew, and for a record that demux_opening() did. */
enum fate segment_in_conn(struct stack *st, struct tcp_conn *c, const struct segment_from *from,
                          const struct tcp_seg *s, int64_t now);
enum fate segment_in_opening(struct stack *st, struct tcp_req *r, const struct segment_from *from,
                             const struct tcp_seg *s, int64_t now);
/* `hop`: cores that have looked at it before. */
void segment_icmp_error(struct stack *st, const struct icmp_error *err, unsigned hop, int64_t now);
void segment_timers(struct stack *st, int64_t now);
int64_t segment_deadline(const struct stack *st);

/* ----------------------------------------------------- conns.c: their life -- */

/* The local name of a socket is bind()'s again. */
void conn_unname(struct sock *s);

/* A connection with its tuple entered, or NULL.  `from`: the record whose place it takes, for which
 * half_open_replaced() is still to be called; or NULL. */
struct tcp_conn *conn_new(struct stack *st, const struct tcp_open *o, uint32_t hash,
                          const struct half_open *from, int64_t now);

/* tcp_in(), and the application hears of urgent text before it can read it. */
enum fate conn_in(struct stack *st, struct tcp_conn *c, const struct tcp_seg *s, int64_t now);

/* To be called after anything happened to a connection: it is put on the list
 * it belongs on, its timer set, its owner told; when it is over it is freed. */
void conn_settle(struct stack *st, struct tcp_conn *c, int64_t now);

/* The same after the application has asked for something that moves no deadline.  What has text to
 * send is settled when its turn to send is over. */
void conn_asked(struct stack *st, struct tcp_conn *c, int64_t now);

/* The same for a connection that has just been asked and may send nothing now:
 * it goes on no list until something happens to it. */
void conn_blocked(struct stack *st, struct tcp_conn *c, int64_t now);

/* The socket is as before it connected; a connection that goes on is reset.  False: it
 * is a listener, or was born of one. */
bool conn_forget(struct stack *st, struct sock *s, int64_t now);

/* Whose streams a connection has; NULL: nobody's any more. */
static inline struct sock *
conn_sock(const struct tcp_conn *c)
{
	static_assert(offsetof(struct sock, streams) == 0, "a socket begins with its streams");
	return (struct sock *)c->streams;
}

/* Where a connection's sequence starts. */
seq_t conn_isn(const struct stack *st, const struct tcp_tuple *t, int64_t now);

/* To be called while memory is scarce: resets connections that the application has closed and whose text
 * nobody acknowledges.  Looks at a few in each step. */
void conns_orphans(struct stack *st, int64_t now);

/* tcp_check() for every connection, and that each has its timer and its list. */
void conn_check_all(const struct stack *st);

/* Connections that are not over, in whatever they are kept. */
static inline uint32_t
conns_open(const struct stack *st)
{
	return st->conns.used + st->n_fin_wait_2;
}

struct half_open *half_open_new(struct stack *st, const struct tcp_tuple *t, uint32_t hash);
void half_open_free(struct stack *st, struct half_open *h);
/* The same for one whose place in the demultiplexer is a connection's. */
void half_open_replaced(struct stack *st, struct half_open *h);
void tw_free(struct stack *st, struct tcp_tw *w);
/* It was in FIN-WAIT-2 and has had its FIN. */
void tw_fin(struct stack *st, struct tcp_tw *w);

/* ----------------------------------------------- slots.c: sockets' numbers -- */

void slots_init(struct stack *st);
struct sock *slot_get(struct stack *st);
/* The application has said goodbye and no connection needs it. */
void slot_release(struct stack *st, struct sock *s);
void slot_streams_drop(struct stack *st, struct sock *s);
/* Refills the rings of numbers and chunks, takes chunks back. */
void slots_exchange(struct stack *st);

/* The record of options that the socket holds. */
static inline const struct tcp_opts *
sock_opts(const struct stack *st, const struct sock *s)
{
	return likely(s->opts == 0) ? &st->no_opts : pool_at(&st->opts, s->opts - 1);
}

static inline void
sock_set_opts(struct stack *st, struct sock *s, const struct tcp_opts *o)
{
	s->opts = likely(o == &st->no_opts) ? 0 : pool_index(&st->opts, o) + 1;
}

const struct tcp_opts *opts_share(struct stack *st, const struct tcp_opts *o);
void opts_drop(struct stack *st, const struct tcp_opts *o);

/* errno values of the calls, as Linux numbers them. */
enum {
	E_NOBUFS = 105,
	E_INVAL = 22,
	E_ADDRINUSE = 98,
	E_ADDRNOTAVAIL = 99,
	E_NETUNREACH = 101,
	E_NOTCONN = 107,
	E_NOPROTOOPT = 92,
};

/* ------------------------------------------- bind.c: who may have an address -- */

/* bind(): k->addr in wanted, out given.  0 or an errno value. */
int bind_socket(struct stack *st, struct sock_call *k, struct sock *s);
/* The same for a socket that needs a port now, whatever was left open. */
int bind_port(struct stack *st, struct sock_call *k, struct sock *s);
/* Whether bind() has given it a port. */
bool bind_has_port(const struct sock *s);
/* Whether a bound socket may become a listener beside those that are. */
bool bind_may_listen(struct stack *st, const struct sock *s);

/* ------------------------------------------- jobs.c, events.c, txq.c -- */

unsigned jobs_run(struct stack *st, int64_t now);
void jobs_calls(struct stack *st, int64_t now);
/* The application of `c` wrote urgent text.  False: it has closed since. */
bool jobs_urgent_wrote(struct stack *st, struct tcp_conn *c);

/* Looks whether the application wrote urgent text.  False: it never did. */
static inline bool
jobs_urgent(struct stack *st, struct tcp_conn *c)
{
	const struct sock *s = conn_sock(c);

	return s && unlikely(sock_requests(s) & SOCK_REQ_URGENT) && jobs_urgent_wrote(st, c);
}

/* Tells the socket of `c` what is new since the last time. */
void events_conn(struct stack *st, struct tcp_conn *c);
void events_tell(struct stack *st, struct sock *s, uint16_t facts);
/* TCPF_URG_NEWS: the peer announces urgent text. */
void events_urgent(struct stack *st, struct tcp_conn *c);

/* On the list of those who owe this, or off all. */
void txq_put(struct stack *st, struct tcp_conn *c, enum tcp_owes owes);
/* Its application has asked, and it has `unsent` bytes of text to send, more than 0: if that is little and
 * nobody waits before it its turn comes at once. */
void txq_asked(struct stack *st, struct tcp_conn *c, uint32_t unsent, int64_t now);
void txq_put_synack(struct stack *st, struct half_open *h);
void txq_stray(struct stack *st, const struct segment_from *from, const struct tcp_tuple *t,
               const struct tcp_seg *s);
unsigned txq_run(struct stack *st, int64_t now);
bool txq_waiting(const struct stack *st);

/* Whether ACKs are held back, until st->held_until. */
static inline bool
txq_holds(const struct stack *st)
{
	return !list_empty(&st->tx_held) || !list_empty(&st->tx_soon);
}

/* ------------------------------------------------------- listen.c -- */

struct listener *listener_find(struct stack *st, const struct tcp_tuple *t);
int listener_add(struct stack *st, struct sock *s, uint32_t backlog);
int listener_retire(struct stack *st, struct sock *s);
void listener_close(struct stack *st, struct sock *s);

/* Everything ends: listeners are closed, but for those that have retired, which stay so. */
void listeners_quiesce(struct stack *st);

/* Whether one that would have taken this flow has retired. */
bool listener_is_deaf(const struct stack *st, const struct tcp_tuple *t);

/* NULL: the socket is none, or not any more. */
static inline struct listener *
listener_of(struct stack *st, uint32_t sock)
{
	unsigned i = st->ch.socks[sock].listener; /* whatever is there, the entry says whose it is */

	return i < st->n_listeners && st->listener[i].sock == sock ? &st->listener[i] : NULL;
}

enum fate listener_syn(struct stack *st, struct listener *l, const struct segment_from *from,
                       const struct tcp_tuple *t, uint32_t hash, const struct tcp_seg *s,
                       seq_t min_iss, bool reopened, int64_t now);
/* A connection by Fast Open has left SYN-RECEIVED. */
void listener_fastopen_over(struct stack *st, struct tcp_conn *c, int64_t now);
enum fate listener_ack(struct stack *st, struct half_open *h, const struct tcp_seg *s, int64_t now);
/* Whether the segment brings back a SYN cookie of ours.  DROP_NO_CONN: there are none about;
 * DROP_COOKIE: it does not.  Both are to be reset. */
enum fate listener_cookie(struct stack *st, struct listener *l, const struct segment_from *from,
                          const struct tcp_tuple *t, uint32_t hash, const struct tcp_seg *s,
                          int64_t now);
