/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A socket as the two threads of a pair see it, and the channel between them.
 *
 * Each word of a slot is written by exactly one side.  What is requested and
 * what has happened are counters and bits that are only ever added to; whoever
 * wants to know whether a socket is readable computes it from both halves.
 *
 * Rings carry socket numbers, each at most once at a time, and have room for
 * every socket: they cannot overflow.  "Already on the ring?" is pushed !=
 * taken, two counters with one writer each.  Only the goodbye (REQ_CLOSE) is
 * pushed whatever is on the ring, as the application's very last touch of the
 * slot: the stack gives the slot away when it has come, not when it sees the bit.  To say
 * something: write it, then push unless it is on the ring; if it is, add one to `asked` by a
 * sequentially consistent store, then look at `taken` again.  To hear: add one to `taken` of
 * each of a few, a fence for all of them, then read.  Whichever comes first, nothing is lost.
 */
#pragma once

#include "base/bytestream.h"
#include "base/ip_addr.h"
#include "base/spsc.h"
#include "tcp/tcp_opts.h"
#include "tcp/tcp_streams.h"

/* The four numbers that name a connection, seen from here. */
struct sock_addr {
	struct ip_addr ip;
	uint16_t port;
};

/* What the application asks for (struct sock.req); bits are only ever set, but for
 * SOCK_CALL_UNCONNECT. */
enum {
	SOCK_REQ_CONNECT = 1 << 0,  /* to app.peer, from app.local               */
	SOCK_REQ_SHUT_WR = 1 << 1,  /* FIN after the last byte written           */
	SOCK_REQ_CLOSE = 1 << 2,    /* the application will never look again     */
	SOCK_REQ_ABORT = 1 << 3,    /* with CLOSE: RST instead of FIN            */
	SOCK_REQ_SHUT_RD = 1 << 4,  /* received text may be thrown away          */
	SOCK_REQ_CHUNKS = 1 << 5,   /* the application ran out of chunks: ask, look again, wait */
	SOCK_REQ_URGENT = 1 << 6,   /* snd_urgent counts; set before the text is written */
	SOCK_REQ_DGRAM = 1 << 7,    /* it is one for datagrams: set before all others   */
};

/* What has happened (struct sock.facts); bits are only ever set, but for SOCK_CALL_UNCONNECT. */
enum {
	SOCK_CONNECTED = 1 << 0,    /* ESTABLISHED has been reached; addresses are valid */
	SOCK_PEER_FIN = 1 << 1,     /* no text follows what is in the stream     */
	SOCK_ERROR = 1 << 2,        /* sock.err tells; the connection is over    */
	SOCK_OVER = 1 << 3,         /* no connection any more: all was said, or failed */
	SOCK_BORN = 1 << 4,         /* accepted: belongs to listener sock.parent */
	SOCK_FIN_ACKED = 1 << 5,    /* the peer has all we wrote and our FIN     */
	SOCK_URGENT = 1 << 6,       /* rcv_urgent counts; set before the text is there */
};

/* Options that are one bit and may change at any time (struct sock.opt_bits). */
enum {
	SOCK_OPT_NODELAY = 1 << 0,
	SOCK_OPT_CORK = 1 << 1,
	SOCK_OPT_KEEPALIVE = 1 << 2,
	SOCK_OPT_QUICKACK = 1 << 3,
	SOCK_OPT_MORE = 1 << 4,     /* the last write said MSG_MORE              */
	SOCK_OPT_SLOWACK = 1 << 8,  /* TCP_QUICKACK 0: ACKs wait for text of ours */
	SOCK_OPT_REUSEADDR = 1 << 6,
	SOCK_OPT_REUSEPORT = 1 << 7,
	SOCK_OPT_BIND_LATE = 1 << 9, /* bind() of port 0 leaves it to the connect  */
	SOCK_OPT_V6 = 1 << 10,      /* a socket of IPv6; from its making on        */
	SOCK_OPT_V6ONLY = 1 << 11,  /* ... that has nothing to do with IPv4        */
	SOCK_OPT_BROADCAST = 1 << 12, /* datagrams may go to everybody             */
	SOCK_OPT_FASTOPEN = 1 << 5, /* set before SOCK_REQ_CONNECT: the SYN may take what is
	                             * written by then with it (RFC 7413)        */
};

/* IP_MTU_DISCOVER of datagrams, with Linux's numbers; in two bits of opt_bits, less UDP_PMTU_WANT,
 * which is what nobody has set. */
enum udp_pmtu_mode { UDP_PMTU_DONT, UDP_PMTU_WANT, UDP_PMTU_DO, UDP_PMTU_PROBE };

#define SOCK_OPT_PMTU_SHIFT 13

struct tcp_conn;

#define SOCK_REF_WORDS 4 /* 64-bit words of the application's own in each socket */

/* Half-lines: with both threads on one CPU, as they mostly are, no line is torn between two. */
struct sock {
	union {
		struct tcp_streams streams; /* what a connection is shown of it */
		struct {
			/* -- the application's half -- */
			_Alignas(CACHE_LINE) struct stream_writer snd_w;
			struct stream_reader rcv_r;
			_Atomic(struct tcp_eor *) eor; /* once connected, with snd_w.marked */
			_Atomic uint16_t req;          /* SOCK_REQ_*                       */
			_Atomic uint16_t opt_bits;     /* SOCK_OPT_*                       */
			_Atomic uint16_t want_space;   /* times it found the send stream
			                                * full.  Add one, sock_ask(), look again,
			                                * then EAGAIN: the stack tells once at most
			                                * two thirds of snd_limit are used.  No more
			                                * before that: it cannot lap the stack. */
			_Atomic uint8_t asked;         /* requests made while queued; wraps */
			_Atomic uint8_t events_taken;  /* times taken off the event ring; wraps */
			uint8_t jobs_pushed;           /* times put on the job ring; wraps */
			union {
				_Atomic uint32_t accepted;   /* listener: connections taken   */
				_Atomic uint32_t snd_urgent; /* connection: where the last urgent
				                              * text written ends in what is
				                              * sent, bytes                   */
				uint32_t parent; /* stack, with SOCK_BORN, until the
				                  * application has heard: the listener   */
			};
			/* ... and what the stack says to it now and then: */
			_Atomic uint32_t snd_limit;    /* bytes the send stream may hold   */
			union {
				_Atomic uint32_t accepts;    /* listener: connections ever completed */
				_Atomic uint32_t rcv_urgent; /* connection: where the last urgent
				                              * byte stands in what is received  */
				_Atomic uint32_t dgram_error; /* datagrams: how often one was told,
				                              * 16 bits, and its errno value     */
			};

			/* -- the stack's half -- */
			struct stream_writer rcv_w;
			struct stream_reader snd_r;
			_Atomic uint16_t facts;        /* SOCK_*                           */
			int16_t err;                   /* errno value; written before SOCK_ERROR */
			_Atomic uint8_t happened;      /* events made while queued; wraps  */
			_Atomic uint8_t jobs_taken;    /* times taken off the job ring; wraps */
			uint8_t events_pushed;         /* times put on the event ring; wraps */
			uint8_t kind : 3;              /* stack only: enum sock_kind       */
			uint8_t bound : 2;             /* stack only: enum sock_bound      */
			uint8_t goodbye : 1;           /* stack only: the application has let go */
			uint16_t told_space;           /* stack only: want_space it has answered */
			union {
				_Atomic uint16_t rcv_step; /* bytes to be read before it is told;
				                            * datagrams: what the way takes  */
				uint16_t listener;         /* stack only: listener_of()   */
			};
			union {                        /* stack only:                      */
				uint32_t told_written; /* rcv_w.written it has told of     */
				uint32_t link;         /* chain of free or dying sockets   */
				uint32_t dgram;        /* number of its struct udp_sock, and 1;
				                        * 0: it has no port                */
			};
			struct tcp_conn *conn;         /* stack only; NULL: none (any more) */
			uint32_t opts;                 /* stack only: what setsockopt() changed,
			                                * sock_opts(); 0: nothing          */

			/* -- set once by one side, then read by both -- */
			/* sock_local(): stack; valid with CONNECTED or after a call.  sock_peer():
			 * application, destination for REQ_CONNECT; stack, with SOCK_BORN. */
			struct tcp_tuple name;

			/* -- the application's own: api/sockref.h -- */
			uint64_t ref[SOCK_REF_WORDS];
		};
	};
};

static_assert(offsetof(struct sock, streams.rcv_w) == offsetof(struct sock, rcv_w) &&
              offsetof(struct sock, streams.eor) == offsetof(struct sock, eor) &&
              offsetof(struct sock, rcv_w) == CACHE_LINE, "one layout, two views");
static_assert(offsetof(struct sock, streams.name) == offsetof(struct sock, name),
              "the name is the connection's too");
static_assert(sizeof(struct stream_writer) + sizeof(struct stream_reader) + 16 <= CACHE_LINE,
              "a half is one line");
static_assert(sizeof(struct sock) == 192, "an idle socket is three lines");

/* What bind() has given a socket: it stays when a connection fails. */
enum sock_bound {
	SOCK_UNBOUND,
	SOCK_BOUND_PORT,
	SOCK_BOUND_ADDR, /* and a port */
	SOCK_BOUND_LATE, /* an address; the port is the connection's */
};

enum sock_kind {
	SOCK_KIND_FREE,     /* on a free list of the stack or on its way to the application */
	SOCK_KIND_PLAIN,    /* given to the application: no connection yet (or epoll, pipe) */
	SOCK_KIND_LISTENER,
	SOCK_KIND_CONN,
	SOCK_KIND_DYING,    /* closed by the application, still on a ring            */
};

/* A question that needs an answer before the application goes on.  Rare: the
 * application fills it in, pushes CHANNEL_CALL and waits until done == asked. */
enum sock_call_op {
	SOCK_CALL_BIND,       /* addr: in wanted (port 0: choose), out chosen           */
	SOCK_CALL_LISTEN,     /* value: backlog; 0: no more new connections             */
	SOCK_CALL_SET,        /* option, value                                          */
	SOCK_CALL_GET,        /* option -> value                                        */
	SOCK_CALL_INFO,       /* -> info                                                */
	SOCK_CALL_QUIESCE,    /* close or reset everything; answered when all is gone or time is up */
	SOCK_CALL_NAME,       /* -> addr: the local end, while a connection opens too   */
	SOCK_CALL_UNCONNECT,  /* the socket is as before SOCK_REQ_CONNECT; clear `req` before */
	SOCK_CALL_FASTOPEN_KEY, /* key: `value` bytes, 16 or 32 with a backup; 0: -> key, value.
	                         * It is the core's, whichever socket was asked             */
	SOCK_CALL_FASTOPEN_ROOM, /* addr: a peer -> value: bytes of text that a SYN to it may
	                          * carry; 0: no cookie of it is known                      */
	SOCK_CALL_DGRAM_CONNECT, /* addr: the peer of a socket for datagrams; port 0: none any more */
	SOCK_CALL_DGRAM_OPEN, /* it needs a port, for what it is to send to addr              */
	SOCK_CALL_STEP,       /* nothing: a step goes by, which refills `ids`           */
};

struct sock_call {
	_Atomic uint32_t asked; /* application                          */
	_Atomic uint32_t done;  /* stack                                */
	enum sock_call_op op;
	uint32_t sock;
	int option;             /* enum tcp_option                      */
	int64_t value;
	struct sock_addr addr;
	uint8_t key[32];
	int err;                /* stack: 0 or an errno value           */
	struct tcp_info_data info;
};

#define CHANNEL_CALL    UINT32_MAX  /* a job that is no socket's number    */
#define CHANNEL_GOODBYE 0x80000000u /* beside a number: nothing follows it */
#define CHANNEL_SOCKS   0x7fffffffu /* numbers there can be, at most       */

/* What the two threads of a pair share. */
struct channel {
	struct spsc jobs;        /* application -> stack: socket numbers; room for 2 a socket */
	struct spsc events;      /* stack -> application: socket numbers             */
	struct spsc ids;         /* stack -> application: numbers free to use; CHANNEL_IDS */
	struct spsc chunks_down; /* stack -> application: first chunks of lists of CHANNEL_BATCH */
	struct spsc chunks_up;   /* application -> stack: first chunks of lists, any length      */
	struct sock *socks;
	uint32_t n_socks;
	struct sock_call call;
};

#define CHANNEL_BATCH 32u /* chunks in a list that goes down                    */
#define CHANNEL_AT_ONCE 32u /* sockets taken off a ring together, at most          */
#define CHANNEL_IDS   64u /* numbers kept ready for the application, at most    */

/* -------------------------------------------------- the application's side -- */

/* Makes a request visible (write it first) and queues the socket if it is not
 * queued; with SOCK_REQ_CLOSE in any case: do not touch the slot again.  True when something
 * was pushed: look whether the stack sleeps. */
bool sock_ask(struct channel *ch, struct sock *s, uint16_t req_bits);

/* The next sockets something has happened to, at most `max`; 0: none.  After this the facts
 * are as new as the events.  Events of sockets that were closed are swallowed: close none
 * before all of these have been looked at. */
unsigned sock_take_events(struct channel *ch, struct sock **s, unsigned max);

static inline struct sock *
sock_next_event(struct channel *ch)
{
	struct sock *s;

	return sock_take_events(ch, &s, 1) ? s : NULL;
}

/* ------------------------------------------------------------ the stack's side -- */

/* The mirror images of the two above.  A job is a number, or CHANNEL_CALL. */
bool sock_tell(struct channel *ch, struct sock *s, uint16_t fact_bits);
unsigned sock_take_jobs(struct channel *ch, uint32_t *job, unsigned max);

/* Whose job it is; NULL: a call's.  To be asked once, when its turn has come. */
struct sock *sock_of_job(struct channel *ch, uint32_t job);

/* A send stream that may hold `limit` bytes takes more when it holds at most so many: a
 * third of it is free, and half of what TCP_NOTSENT_LOWAT (0: not set) lets wait. */
static inline uint32_t
sock_writable_below(uint32_t limit, uint32_t lowat)
{
	return limit - (lowat ? min(lowat / 2, limit / 3) : limit / 3);
}

static inline uint32_t
sock_number(const struct channel *ch, const struct sock *s)
{
	return (uint32_t)(s - ch->socks);
}

static inline uint16_t
sock_facts(const struct sock *s)
{
	return atomic_load_explicit(&s->facts, memory_order_acquire);
}

static inline uint16_t
sock_requests(const struct sock *s)
{
	return atomic_load_explicit(&s->req, memory_order_acquire);
}

static inline struct sock_addr
sock_local(const struct sock *s)
{
	return (struct sock_addr){ s->name.local, s->name.lport };
}

static inline struct sock_addr
sock_peer(const struct sock *s)
{
	return (struct sock_addr){ s->name.remote, s->name.rport };
}

static inline void
sock_set_local(struct sock *s, const struct sock_addr *a)
{
	s->name.local = a->ip;
	s->name.lport = a->port;
}

static inline void
sock_set_peer(struct sock *s, const struct sock_addr *a)
{
	s->name.remote = a->ip;
	s->name.rport = a->port;
}
