/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One TCP connection (RFC 9293).  A connection knows its streams, its timers'
 * deadlines and what it owes; it knows no other connection, no route and no
 * thread.  Input changes it and never sends; tcp_out_next() later answers
 * "what should be sent now?" from the connection alone.
 */
#pragma once

#include "base/bytestream.h"
#include "base/ip_addr.h"
#include "base/pool.h"
#include "base/seq.h"
#include "base/siphash.h"
#include "base/trace.h"
#include "base/wheel.h"
#include "tcp/tcp_cc.h"
#include "tcp/tcp_cfg.h"
#include "tcp/tcp_fate.h"
#include "tcp/tcp_opts.h"
#include "tcp/tcp_rate.h"
#include "tcp/tcp_path.h"
#include "tcp/tcp_state.h"
#include "tcp/tcp_streams.h"
#include "wire/tcp_wire.h"

/* Why a connection ended; the numbers are Linux's errno values, so that they
 * can be shown to the application as they are. */
enum tcp_error {
	TCP_E_NONE = 0,
	TCP_E_PIPE = 32,
	TCP_E_NETUNREACH = 101,
	TCP_E_RESET = 104,
	TCP_E_NOBUFS = 105,
	TCP_E_TIMEDOUT = 110,
	TCP_E_REFUSED = 111,
	TCP_E_HOSTUNREACH = 113,
};

/* What makes Fast Open's cookies (tcp_fastopen.h): `n` of them, the first for new ones. */
struct tcp_fastopen_keys {
	struct siphash_key key[2];
	uint8_t n;
};

struct tcp_conn;
struct tcp_rare;

/* What all connections of a core share: limits, pools, secrets. */
struct tcp_env {
	const struct tcp_cfg *cfg;
	struct pool xmits;        /* struct tcp_xmit                                 */
	struct pool sents;        /* struct tcp_sent                                 */
	struct pool reasses;      /* struct tcp_reass                                */
	struct pool runs;         /* struct tcp_run                                  */
	struct pool rares;        /* struct tcp_rare; as many as connections         */
	struct pool ccs;          /* CC_RECORD_SIZE: algorithms that keep more than a little */
	struct pool chunks;       /* memory of chunks                                */
	struct chunk_list spare;  /* chunks that have been used and are free again   */
	struct siphash_key secret;
	struct siphash_key clock_key; /* see tcp_ts_offset()                         */
	struct tcp_paths paths;       /* what is known of ways to peers              */
	struct tcp_fastopen_keys fastopen;
	const struct tcp_opts *no_opts; /* the record of who changed nothing         */
	struct trace *trace;
	uint64_t retransmits;     /* segments sent again, ever                       */
};

/* Bits of struct tcp_conn.flags. */
enum {
	TCPF_ACK_NOW = 1 << 0,      /* an ACK is owed at once                           */
	TCPF_TS = 1 << 1,           /* timestamps negotiated (RFC 7323)                 */
	TCPF_SACK = 1 << 2,         /* SACK permitted (RFC 2018)                        */
	TCPF_WSCALE = 1 << 3,       /* window scaling negotiated                        */
	TCPF_RST = 1 << 4,          /* a RST is owed, then all is over                  */
	TCPF_SYN_DUE = 1 << 5,      /* SYN or SYN-ACK has to be sent (again)            */
	TCPF_FIN_SENT = 1 << 6,     /* our FIN is on its way: snd_nxt counts it         */
	TCPF_FIN_SEEN = 1 << 7,     /* the peer's FIN has come                          */
	TCPF_PROBE = 1 << 8,        /* a window or keep-alive probe is owed             */
	TCPF_PUSH_SMALL = 1 << 9,   /* the override of SWS avoidance: send what fits    */
	TCPF_PASSIVE = 1 << 10,     /* came from a listener (RFC 9293 MUST-11)          */
	TCPF_ORPHAN = 1 << 11,      /* the application has closed                       */
	TCPF_INTERACTIVE = 1 << 12, /* we answer: ACKs can wait for our data            */
	TCPF_REORDER = 1 << 13,     /* reordering has been seen (RFC 8985 6.2)          */
	TCPF_NODELAY = 1 << 14,     /* options of one bit, copied from the socket       */
	TCPF_CORK = 1 << 15,
	TCPF_KEEPALIVE = 1 << 16,
	TCPF_MORE = 1 << 17,
	TCPF_ACTIVE_OPEN = 1 << 18, /* SYN-SENT was the first state                     */
	TCPF_SHUT = 1 << 20,        /* the application has no more to say              */
	TCPF_PACED = 1 << 21,  /* waits for pace_at to send more                    */
	TCPF_APP_LIMITED = 1 << 22, /* what is sent says little about the path      */
	TCPF_RETRANSMIT_NOW = 1 << 19, /* the first lost segment may leave whatever cwnd says */
	TCPF_FASTOPEN = 1 << 25,    /* SYN-SENT: by Fast Open; SYN-RECEIVED: its text was taken */
	TCPF_FASTOPEN_GIVE = 1 << 23, /* the SYN-ACK carries a cookie                     */
	TCPF_PMTU = 1 << 24,        /* segments are small because the path is narrow    */
	TCPF_PLPMTU = 1 << 28,      /* the path's MTU is searched for by probes           */
	TCPF_URG_OUT = 1 << 26,     /* urgent text up to snd_up, acknowledged perhaps     */
	TCPF_URG_IN = 1 << 27,      /* urgent text up to rcv_up has been announced        */
	TCPF_URG_NEWS = 1 << 29,    /* ... and the application is to hear of it: tcp_in() */
	TCPF_LOSS_PROBE = 1 << 30,  /* a tail loss probe is due (RFC 8985 7.3)          */
};

/* With TCPF_ACK_NOW: the application has just been given a reason to say something that can carry
 * the ACK, and nothing else hangs on it: it may wait for the application's turn.  Until the next
 * segment at the most. */
#define TCPF_ACK_SOON (UINT32_C(1) << 31)

/* A bit of its own for each: the sum has no carry. */
static_assert((0ull + TCPF_ACK_NOW + TCPF_TS + TCPF_SACK + TCPF_WSCALE + TCPF_RST + TCPF_SYN_DUE +
               TCPF_FIN_SENT + TCPF_FIN_SEEN + TCPF_PROBE + TCPF_PUSH_SMALL + TCPF_PASSIVE +
               TCPF_ORPHAN + TCPF_INTERACTIVE + TCPF_REORDER + TCPF_NODELAY + TCPF_CORK +
               TCPF_KEEPALIVE + TCPF_MORE + TCPF_ACTIVE_OPEN + TCPF_SHUT + TCPF_PACED +
               TCPF_APP_LIMITED + TCPF_RETRANSMIT_NOW + TCPF_FASTOPEN + TCPF_FASTOPEN_GIVE +
               TCPF_PMTU + TCPF_PLPMTU + TCPF_URG_OUT + TCPF_URG_IN + TCPF_URG_NEWS +
               TCPF_LOSS_PROBE + TCPF_ACK_SOON) == (1ull << 32) - 1,
              "no two flags share a bit; none is free");

/* Congestion states, as Linux numbers them. */
enum tcp_ca {
	TCP_CA_OPEN = 0,
	TCP_CA_DISORDER = 1,
	TCP_CA_CWR = 2, /* cwnd comes down: the peer has seen a mark (RFC 3168)    */
	TCP_CA_RECOVERY = 3,
	TCP_CA_LOSS = 4,
};

/* A range sent and not yet cumulatively acknowledged. */
struct tcp_sent {
	struct link link;  /* tcp_xmit.sent, by sequence                               */
	struct link tlink; /* tcp_xmit.timed by time of sending, or tcp_xmit.lost      */
	int64_t sent_at;   /* when it was sent last                                    */
	seq_t start, end;  /* [start, end), FIN included                               */
	uint8_t flags;     /* SENT_*                                                   */
	uint32_t segs;     /* segments; more than one when SACKed ranges were joined   */
	struct rate_mark mark; /* what had been delivered when it was sent last        */
};

enum {
	SENT_SACKED = 1 << 0,
	SENT_LOST = 1 << 1,        /* considered lost                                  */
	SENT_RETRANS = 1 << 2,     /* lost, but a retransmission is out                */
	SENT_EVER_RETRANS = 1 << 3,
	SENT_FIN = 1 << 4,
	SENT_APP_LIMITED = 1 << 5, /* the application had no more to send           */
	SENT_EOR = 1 << 6,         /* a record ends with it: nothing is joined to it  */
};

#define TCP_RESENT 32u /* retransmissions that D-SACK blocks are compared with */

/* What is only worth remembering while something is in flight: scoreboard
 * (RFC 6675), RACK (RFC 8985) and PRR (RFC 6937). */
struct tcp_xmit {
	struct list sent;   /* every range in flight, by sequence        */
	struct list timed;  /* those neither SACKed nor to be resent, oldest first */
	struct list lost;   /* those to be sent again                    */
	uint32_t n_sent;    /* ranges                                    */
	uint32_t pipe;      /* bytes believed to be in the network       */
	uint32_t sacked;    /* bytes                                     */
	uint32_t n_sacked;  /* segments                                  */
	uint32_t reno_dups; /* duplicate ACKs, peers without SACK        */
	uint32_t again_dups; /* ... after a time-out, of what it sent again */
	uint32_t advanced;  /* bytes that the last ACK of something new acknowledged */
	seq_t high_sacked;  /* end of the highest range delivered        */
	struct tcp_sent *seen; /* where the search for a block ended last; NULL: nowhere */
	uint8_t n_known;    /* of `known`                                */
	struct stream_cursor snd_cur; /* where transmission stands; with nothing in flight
	                               * it is where the stream begins        */
	struct stream_cursor rtx_cur; /* where retransmission stands          */
	seq_t cwnd_full;    /* SND.NXT when cwnd last held text back     */
	seq_t pushed;       /* SND.NXT behind the last segment with PSH  */
	seq_t small;        /* end of the last segment sent that was not full, or SND.UNA */
	uint16_t probe;     /* bytes of text in a probe of the path's MTU; 0: none is out */
	seq_t probe_start;
	/* RACK: the most recently sent range that was delivered */
	int64_t rack_sent_at;
	int64_t rack_rtt;
	seq_t rack_end;
	/* PRR */
	uint32_t prr_delivered, prr_out, prr_flight;
	seq_t cwr_end;      /* TCP_CA_CWR is over when more than this is acknowledged */
	struct rate_flight rate;
	int64_t rto_at;       /* when the RTO expires, whatever the timer waits for first */
	/* undo: what a reduction that turns out to be wrong gives back */
	uint32_t undo_cwnd, undo_ssthresh;
	uint32_t undo_ts;     /* timestamp of the first retransmission since */
	uint32_t undo_open;   /* retransmissions since that no D-SACK told of */
	bool undo_armed;
	bool undo_resent;     /* something was sent again since            */
	bool partial_acked;   /* an ACK of something new has come since recovery began */
	bool reo_round;       /* a D-SACK widened the reordering window ... */
	uint8_t frto;         /* enum tcp_frto                             */
	uint8_t frto_sent;    /* new segments that left to find out        */
	seq_t reo_round_end;  /* ... in the round trip that ends here      */
	uint32_t n_resent;    /* segments ever sent again; the last of them: */
	uint32_t resent_live; /* a bit each: no D-SACK told of it          */
	uint32_t resent_before; /* ... it left before the reduction        */
	/* -- what the counts above tell how much there is of: need not begin as 0 -------- */
	struct tcp_sack_block known[TCP_SACK_MAX]; /* of the last ACK, as far as looked at */
	seq_t resent[TCP_RESENT];
	struct cc_hystart hystart;
};

/* A run of bytes received beyond a hole. */
struct tcp_run {
	struct link link;
	seq_t start, end;
	struct chunk *first, *last;
	uint32_t fill; /* bytes in `last`                              */
	uint32_t gone; /* ... at the start of `first` that count no more */
};

#define TCP_SACK_RECENT 3u

struct tcp_reass {
	struct list runs; /* by sequence, never overlapping */
	uint32_t n_runs;
	uint32_t bytes;
	uint32_t chunks; /* what the runs take of the core's memory */
	uint32_t n_recent;
	seq_t recent[TCP_SACK_RECENT]; /* starts of runs that changed last, newest first */
	struct tcp_sack_block dsack;   /* to report once (RFC 2883); start == end: none  */
};

#define TCP_CONN_IN_USE 0xc5 /* neither 0 nor what a pool fills free memory with */

struct tcp_conn {
	/* -- 64 bytes, a line or two halves: every segment ------------------------------------------- */
	_Alignas(CACHE_LINE / 2) uint32_t flags; /* TCPF_*                            */
	uint8_t state;             /* enum tcp_state; written by tcp_set_state() only */
	uint8_t ca;                /* enum tcp_ca                                */
	uint8_t snd_wscale, rcv_wscale;
	seq_t snd_una, snd_nxt;
	seq_t rcv_nxt;
	seq_t rcv_adv;             /* right edge ever advertised: never moves left */
	seq_t rcv_acked;           /* rcv_nxt when the last ACK left (Last.ACK.sent) */
	seq_t snd_wl1;
	uint32_t snd_wnd;          /* the peer's window, bytes                   */
	uint32_t snd_wnd_max;      /* the largest it ever was                    */
	uint32_t cwnd, ssthresh;   /* bytes                                      */
	uint16_t mss;              /* bytes of text in a full segment to send    */
	uint16_t rcv_mss;          /* estimate of the peer's full segment        */
	uint8_t ecn;               /* ECN_*, tcp_ecn.h                           */
	uint8_t chrono;            /* enum tcp_chrono                            */
	uint16_t pmtu_acked;       /* bytes of the largest segment acknowledged  */
	uint32_t data_segs_in;     /* segments received with text                */
	uint32_t delivery_rate;    /* last estimate, in 64 bytes/s               */

	/* -- the next 64: streams, transmission, counters of every segment ------- */
	struct tcp_streams *streams; /* NULL: nobody's any more                 */
	struct tcp_xmit *xmit;     /* NULL: nothing in flight                    */
	struct tcp_rare *rare;     /* NULL: nothing of it was ever needed; tcp_rare.h */
	const struct tcp_opts *opts;
	uint32_t acked_wraps;      /* tcp_bytes_acked()                          */
	uint32_t received_wraps;   /* tcp_bytes_received()                       */
	uint32_t segs_in, segs_out;
	uint32_t delivered;        /* bytes that reached the peer, SACKed ones too; wraps */
	uint32_t delivered_segs;   /* the same in segments, for TCP_INFO         */
	uint32_t rcv_space;        /* bytes that the receive window may span     */
	uint32_t snd_limit;        /* bytes the send stream may hold             */

	/* -- 64 more: time --------------------------------------------------------- */
	int64_t rtx_at;            /* retransmission, persist or reordering timer */
	int64_t ack_at;            /* delayed ACK                                */
	int64_t wait_at;           /* keep-alive, FIN-WAIT-2, idle time-out      */
	int64_t sent_at;           /* last data segment sent                     */
	uint32_t received;         /* last segment received, TCP_TICKs; tcp_silence_ns() */
	uint32_t rto_us;           /* tcp_rto_ns()                               */
	uint32_t srtt_us, rttvar_us;   /* SRTT 0: no sample yet; both scaled by 8 and 4 */
	uint32_t min_rtt_us;           /* 0: no sample yet                       */
	uint32_t ts_offset;            /* added to our clock                     */
	uint32_t ts_recent;            /* TS.Recent                              */
	uint32_t ts_recent_s;          /* when it was taken, s                   */

	/* -- 64 more: loss recovery, handshake, quotas -------------------------- */
	seq_t recover;             /* recovery ends when this is acknowledged    */
	seq_t iss;
	uint8_t rtx_kind;          /* enum tcp_rtx_kind                          */
	uint8_t retries;           /* expiries in a row                          */
	uint8_t probes;            /* keep-alive or window probes unanswered     */
	uint8_t quickacks;         /* immediate ACKs left                        */
	uint16_t peer_mss;         /* the option, or the default                 */
	uint16_t adv_mss;          /* what we announced                          */
	uint32_t busy;             /* sending and not held back: so long, tcp_chrono.c */
	uint32_t rcv_read_mark;    /* bytes the application had read at ...      */
	uint32_t rcv_mark;         /* ... this time, about us (receive autotuning) */
	uint32_t waiting_ms;       /* since when what was sent, or a closed window, waits */
	seq_t ecn_ack;             /* ECN_ACK_FIRST: what that ACK acknowledges  */
	uint8_t tlp;               /* TLP_*, tcp_tlp.h                           */
	uint8_t reordering;        /* largest distance seen, segments; 0: none   */
	uint8_t err;               /* enum tcp_error; why it ended               */
	uint8_t in_use;            /* the core's: TCP_CONN_IN_USE, or memory of a pool */
	uint8_t tx_list;           /* the core's: which list tx_link is on       */
	uint8_t tos, ttl;
	uint8_t cc;                /* enum tcp_cc_number; tcp_cc()               */
	uint32_t hash;             /* of tcp_name(), in the demultiplexer        */
	uint32_t id;               /* number in the core's pool                  */

	/* -- half a line: the core's ------------------------------------------------- */
	struct wheel_node timer;
	struct link tx_link;       /* control, ack or data list, or a neighbour's waiters */
};

static_assert(offsetof(struct tcp_conn, streams) == 64, "per-segment state is 64 bytes");
static_assert(offsetof(struct tcp_conn, rtx_at) == 128, "so are streams");
static_assert(offsetof(struct tcp_conn, recover) == 192, "and time");
static_assert(sizeof(struct tcp_conn) == 288, "nine half-lines");

/* ------------------------------------------------------------ life -- */

/* What a new connection is made with. */
struct tcp_open {
	struct tcp_tuple tuple;
	uint16_t local_mss;           /* what to announce                             */
	seq_t iss;
	uint32_t ts_offset;
	const struct tcp_opts *opts;
	struct tcp_streams *streams;
};

/* Makes `c` (memory of any content; wheel node and links are reset) CLOSED with these parameters. */
void tcp_conn_init(struct tcp_env *e, struct tcp_conn *c, const struct tcp_open *o, int64_t now);

/* How its congestion control works. */
static inline const struct cc_ops *
tcp_cc(const struct tcp_conn *c)
{
	return tcp_cc_table[c->cc];
}

/* Active OPEN: SYN-SENT, a SYN is owed (RFC 9293 3.10.1). */
void tcp_connect(struct tcp_env *e, struct tcp_conn *c, int64_t now);

/* The application wrote, read, or changed an option. */
void tcp_app_wrote(struct tcp_env *e, struct tcp_conn *c, int64_t now);
void tcp_app_read(struct tcp_env *e, struct tcp_conn *c, int64_t now);

/* No more text from us: FIN after the last byte (RFC 9293 3.10.4). */
void tcp_shutdown(struct tcp_env *e, struct tcp_conn *c, int64_t now);

/* The application has closed: like tcp_shutdown(), but text that arrives or was
 * never read is answered with a reset (RFC 9293 SHLD-3, RFC 2525 2.17). */
void tcp_close(struct tcp_env *e, struct tcp_conn *c, int64_t now);

/* RST and gone (RFC 9293 3.10.5). */
void tcp_abort(struct tcp_env *e, struct tcp_conn *c, enum tcp_error why, int64_t now);

/* Gives back everything the connection holds of the environment's pools. */
void tcp_conn_release(struct tcp_env *e, struct tcp_conn *c);

/* ------------------------------------------------------------ work -- */

/* A segment has arrived (RFC 9293 3.10.7).  When this leaves TCPF_URG_NEWS set, the segment's
 * text and FIN are still to be taken, by tcp_in_rest() with the same segment: the application
 * hears first where its urgent byte stands (tcp_urgent_at()), so that who reads it knows. */
enum fate tcp_in(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s, int64_t now);
enum fate tcp_in_rest(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s,
                      int64_t now);

/* What should be sent now?  False: nothing.  Otherwise the segment counts as
 * sent; who sees that it is the `last` need not ask again.  Its text is s->len bytes of the send
 * stream at tcp_text_offset(). */
bool tcp_out_next(struct tcp_env *e, struct tcp_conn *c, int64_t now, struct tcp_seg *s);

/* Offset of a segment's text behind the first byte still in the send stream. */
static inline uint32_t
tcp_text_offset(const struct tcp_conn *c, const struct tcp_seg *s)
{
	uint32_t at = seq_sub(s->seq, c->iss) - (s->flags & TCP_SYN ? 0 : 1);

	return at - atomic_load_explicit(&c->streams->snd_r.read, memory_order_relaxed);
}

/* The cursor that reads a segment's text (NULL: none is needed).  What is sent again has one of
 * its own, or each retransmission would make new text start over from the first chunk. */
static inline struct stream_cursor *
tcp_text_cursor(const struct tcp_conn *c, const struct tcp_seg *s)
{
	uint32_t space = seg_space(s);
	bool is_new = seq_eq(seq_add(s->seq, space), c->snd_nxt);

	return !c->xmit ? NULL : is_new ? &c->xmit->snd_cur : &c->xmit->rtx_cur;
}

/* On which of the core's lists the connection belongs. */
enum tcp_owes {
	TCP_OWES_NOTHING,
	TCP_OWES_CONTROL,
	TCP_OWES_ACK,
	TCP_OWES_ACK_SOON, /* once the application has had its turn */
	TCP_OWES_DATA,
};
enum tcp_owes tcp_owes(struct tcp_env *e, const struct tcp_conn *c, int64_t now);

/* The RST that answers a segment for nobody (RFC 9293 3.10.7.1); false when it
 * was a RST itself. */
bool tcp_reset_for(const struct tcp_seg *in, struct tcp_seg *out);

/* An ICMP error quoted a segment of this connection that is in flight (checked with
 * tcp_icmp_valid(), RFC 5927 4.1). */
bool tcp_icmp_valid(const struct tcp_conn *c, seq_t quoted);
void tcp_icmp_unreachable(struct tcp_env *e, struct tcp_conn *c, enum tcp_error soft, int64_t now);
void tcp_icmp_frag_needed(struct tcp_env *e, struct tcp_conn *c, uint32_t mtu, int64_t now);

/* The socket's options have changed. */
void tcp_set_opts(struct tcp_env *e, struct tcp_conn *c, const struct tcp_opts *o, int64_t now);

/* An option's value: the connection's own, or the configured default. */
int64_t tcp_opt_value(const struct tcp_env *e, const struct tcp_opts *o, enum tcp_option opt);

/* Bytes that a receive window may span by SO_RCVBUF and TCP_WINDOW_CLAMP; and by the
 * latter alone. */
uint32_t tcp_opt_rcv_space(const struct tcp_env *e, const struct tcp_opts *o);

static inline uint32_t
tcp_opt_clamp(const struct tcp_opts *o)
{
	return o->value[TCP_OPTION_WINDOW_CLAMP] ? (uint32_t)o->value[TCP_OPTION_WINDOW_CLAMP]
	                                         : UINT32_MAX;
}

void tcp_info_fill(const struct tcp_env *e, const struct tcp_conn *c, int64_t now,
                   struct tcp_info_data *i);

/* Everything that must hold for a connection; asserts. */
void tcp_check(const struct tcp_env *e, const struct tcp_conn *c);

/* ------------------------------------------------- helpers of the folder -- */

static inline int64_t
tcp_rto_ns(const struct tcp_conn *c)
{
	return US((int64_t)c->rto_us);
}

/* A time that need not be exact is kept in 32 bits: about ms, 52 days of them. */
#define TCP_TICK_SHIFT 20
#define TCP_TICK       (INT64_C(1) << TCP_TICK_SHIFT)

static inline uint32_t
tcp_tick(int64_t now)
{
	return (uint32_t)((uint64_t)now >> TCP_TICK_SHIFT);
}

/* How long the peer has said nothing: to a tick more or less. */
static inline int64_t
tcp_silence_ns(const struct tcp_conn *c, int64_t now)
{
	return (int64_t)(tcp_tick(now) - c->received) << TCP_TICK_SHIFT;
}

/* Bytes of text acknowledged, and received in order, ever: the streams count them in 32 bits,
 * the connection how often those wrap. */
static inline uint64_t
tcp_bytes_acked(const struct tcp_conn *c)
{
	uint32_t low = c->streams ? atomic_load_explicit(&c->streams->snd_r.read,
	                                                 memory_order_relaxed) : 0;

	return (uint64_t)c->acked_wraps << 32 | low;
}

static inline uint64_t
tcp_bytes_received(const struct tcp_conn *c)
{
	uint32_t low = c->streams ? atomic_load_explicit(&c->streams->rcv_w.written,
	                                                 memory_order_relaxed) : 0;

	return (uint64_t)c->received_wraps << 32 | low;
}

/* The last `n` of them have just been counted by the stream. */
static inline void
tcp_received(struct tcp_conn *c, uint32_t n)
{
	c->received_wraps += (uint32_t)tcp_bytes_received(c) < n;
}

static inline uint32_t
tcp_flight(const struct tcp_conn *c)
{
	return seq_sub(c->snd_nxt, c->snd_una);
}

static inline uint32_t
tcp_rcv_wnd(const struct tcp_conn *c)
{
	return seq_sub(c->rcv_adv, c->rcv_nxt);
}

/* Bytes the application wrote that were never sent. */
static inline uint32_t
tcp_unsent(const struct tcp_conn *c)
{
	uint32_t sent;

	if (!c->streams || (c->flags & TCPF_FIN_SENT) || !tcp_synchronized(c->state))
		return 0;
	sent = seq_sub(c->snd_nxt, c->iss) - 1;
	return atomic_load_explicit(&c->streams->snd_w.written, memory_order_acquire) - sent;
}

/* Millisecond timestamp clock (RFC 7323 4.1, 5.4). */
static inline uint32_t
tcp_ts_now(const struct tcp_conn *c, int64_t now)
{
	return (uint32_t)(now / NS_PER_MS) + c->ts_offset;
}

/* A chunk for received text; NULL: none left. */
struct chunk *tcp_chunk_get(struct tcp_env *e);

/* Fills e->spare up to `n` chunks; false when it could not. */
bool tcp_chunks_want(struct tcp_env *e, uint32_t n);

/* How much of the core's memory for text is taken (Linux's tcp_mem).  Under pressure no buffer
 * grows.  When it is scarce, text beyond a hole is refused, windows open to a few segments only,
 * and the core resets who is closed and gets nowhere; text that comes in order, and so leaves
 * soon, is taken to the last chunk. */
enum tcp_mem {
	TCP_MEM_EASE,
	TCP_MEM_PRESSURE, /* more than half                    */
	TCP_MEM_SCARCE,   /* less than a quarter is left       */
};

static inline enum tcp_mem
tcp_mem_level(const struct tcp_env *e)
{
	uint32_t max = e->chunks.max, used = e->chunks.used - e->spare.n;

	return used > max - max / 4   ? TCP_MEM_SCARCE
	       : used > max - max / 2 ? TCP_MEM_PRESSURE
	                              : TCP_MEM_EASE;
}
