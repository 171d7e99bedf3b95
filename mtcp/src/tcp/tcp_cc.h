/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Congestion control behind one table of functions.  An algorithm owns cwnd
 * growth and the choice of ssthresh; when to retransmit and how much may leave
 * during recovery is tcp_recovery.c's business.
 *
 * A new algorithm is one file with one `const struct cc_ops` and one line in
 * TCP_CC_LIST.
 */
#pragma once

#include "base/seq.h"
#include "tcp/tcp_rate.h"

struct tcp_conn;

struct tcp_env;
struct tcp_sent;

#define CC_STATE_WORDS 4 /* 64-bit words of private state in struct tcp_rare */
#define CC_RECORD_SIZE 320u /* bytes of a record for an algorithm that needs more */

/* `hystart`: how CUBIC's slow start ends before it loses (RFC 9406; Linux's by delay). */
enum tcp_hystart { TCP_HYSTART_OFF, TCP_HYSTART_DELAY, TCP_HYSTART_PLUSPLUS };

/* What HyStart and HyStart++ (RFC 9406) find out in rounds: while something is in flight. */
struct cc_hystart {
	seq_t round_end;            /* this round of RTT samples ends */
	uint32_t round_rtt_us;      /* smallest sample in the round   */
	uint32_t last_rtt_us : 27;  /* in the round before; 0: none   */
	uint32_t round_samples : 5; /* of round_rtt_us                */
	uint32_t css_rtt_us : 27;   /* baseline of conservative slow start, or 0 */
	uint32_t css_rounds : 3;
	uint32_t css_owed : 2;      /* bytes not yet turned into growth */
};

/* As nothing is known: a round ends with the first ACK of more than `nxt`. */
static inline struct cc_hystart
cc_hystart_none(seq_t nxt)
{
	return (struct cc_hystart){ .round_end = nxt, .round_rtt_us = UINT32_MAX };
}

/* What one ACK taught us. */
struct cc_ack {
	uint32_t acked;     /* bytes newly acknowledged                     */
	uint32_t flight;    /* bytes in flight before the ACK               */
	bool cwnd_limited;  /* cwnd, not the application, held us back      */
	int64_t rtt_ns;     /* -1: no valid sample (Karn)                   */
	int64_t now;
	uint32_t delivered; /* bytes newly delivered, SACKed ones too       */
	uint32_t pipe;      /* bytes in the network after the ACK           */
	bool ece;           /* it says that a mark was seen (RFC 3168)      */
	bool paced;         /* what leaves is spread over time              */
	enum tcp_hystart hystart; /* as configured                          */
	uint32_t initial_cwnd;    /* bytes                                  */
	const struct rate_sample *rate; /* NULL: none                       */
};

struct cc_ops {
	const char *name;                     /* as TCP_CONGESTION and `cc` know it    */
	uint8_t number;                       /* enum tcp_cc_number                    */
	void (*init)(struct tcp_env *e, struct tcp_conn *c, int64_t now);
	/* An ACK outside of recovery: may let cwnd grow. */
	void (*on_ack)(struct tcp_env *e, struct tcp_conn *c, const struct cc_ack *a);
	/* Congestion: the new ssthresh in bytes, at least 2 SMSS. */
	uint32_t (*ssthresh)(struct tcp_env *e, struct tcp_conn *c, int64_t now);
	/* Recovery has ended, or a time-out collapsed cwnd. */
	void (*on_recovered)(struct tcp_conn *c, int64_t now);
	/* Sending starts again after `idle_ns` with nothing in flight. */
	void (*on_restart)(struct tcp_conn *c, int64_t idle_ns);

	/* -- what an algorithm may leave out -------------------------------- */
	/* Every ACK, also while loss is repaired: it sets cwnd itself, instead of
	 * on_ack and of proportional rate reduction. */
	void (*control)(struct tcp_conn *c, const struct cc_ack *a);
	/* Every ACK, also in recovery, before anything else looks at it. */
	void (*watch)(struct tcp_conn *c, const struct cc_ack *a);
	/* Marks, not loss: the new ssthresh.  Without it they count as loss. */
	uint32_t (*on_ecn)(struct tcp_env *e, struct tcp_conn *c, int64_t now);
	/* A range is found lost. */
	void (*on_lost)(struct tcp_conn *c, const struct tcp_sent *r);
	/* Text is about to leave, while nothing is in flight. */
	void (*on_transmit)(struct tcp_conn *c, int64_t now);
	/* The last reduction was a mistake: cwnd and ssthresh are what they were. */
	void (*undo)(struct tcp_conn *c, int64_t now);
	/* Bytes a second; with it the connection is always paced. */
	uint64_t (*pacing_rate)(const struct tcp_conn *c);
	/* Takes a record of e->ccs; false: there is none, and CUBIC does the work. */
	bool (*attach)(struct tcp_env *e, struct tcp_conn *c);
	void (*detach)(struct tcp_env *e, struct tcp_conn *c);
	/* What TCP_CC_INFO shows, up to `room` bytes; returns how many. */
	uint32_t (*info)(const struct tcp_conn *c, void *out, uint32_t room);
	bool exact_ecn; /* echoes each mark, and asks for ECN (RFC 8257)      */
	bool no_ecn;    /* does not answer marks: sends nothing that gets one */
};

/* clang-format off */
#define TCP_CC_LIST(X) \
	X(cubic)       \
	X(reno)        \
	X(dctcp)       \
	X(bbr)
/* clang-format on */

#define X(name) TCP_CC_##name,
enum tcp_cc_number { TCP_CC_LIST(X) TCP_CC_N };
#undef X

#define X(name) extern const struct cc_ops cc_##name;
TCP_CC_LIST(X)
#undef X

extern const struct cc_ops *const tcp_cc_table[TCP_CC_N];

/* The connection uses `cc` from now on; at the start of a connection, or later. */
void tcp_cc_start(struct tcp_env *e, struct tcp_conn *c, const struct cc_ops *cc, int64_t now);

/* Gives back what the algorithm holds. */
void tcp_cc_stop(struct tcp_env *e, struct tcp_conn *c);

/* By name; NULL if there is none. */
const struct cc_ops *tcp_cc_find(const char *name);

/* By position 0, 1, …; NULL past the last. */
const struct cc_ops *tcp_cc_at(unsigned i);
