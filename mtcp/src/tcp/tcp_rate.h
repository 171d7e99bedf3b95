/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How fast the path delivers: draft-ietf-ccwg-bbr 4.1 (first written down in
 * draft-cheng-iccrg-delivery-rate-estimation).  Each range remembers what had
 * been delivered when it left; when it is delivered itself, what came in
 * between, over the time it took, is a sample.  Bytes and nanoseconds.
 */
#pragma once

#include "base/base.h"

struct tcp_conn;
struct tcp_sent;
struct sack_news;

/* What a range remembers of the moment it was sent. */
struct rate_mark {
	int64_t delivered_at;  /* when tcp_conn.delivered last grew                 */
	int64_t first_sent_at; /* start of the interval in which this was sent      */
	uint32_t delivered;
	uint32_t lost;
	uint32_t in_flight;    /* bytes, with this range                            */
};

/* What the estimator keeps while something is in flight. */
struct rate_flight {
	int64_t delivered_at, first_sent_at;
	uint32_t lost;         /* bytes found lost in this flight; wraps            */
	uint32_t limited_until; /* TCPF_APP_LIMITED ends beyond this much delivered  */
};

/* What one ACK said about the path. */
struct rate_sample {
	bool valid;            /* some range was delivered                          */
	bool app_limited;      /* the application, not the path, may have set it    */
	bool retransmitted;    /* the range had been sent before                    */
	int64_t interval_ns;   /* 0: nothing can be said                            */
	int64_t rtt_ns;        /* since the range left                              */
	uint64_t rate;         /* bytes/s; 0: nothing can be said                   */
	uint32_t delivered;    /* bytes, over the interval                          */
	uint32_t newly_lost;   /* bytes, found lost by this ACK                     */
	uint32_t lost;         /* bytes, found lost since the range left            */
	int64_t sent_at;
	uint32_t end;          /* the range's end                                   */
	struct rate_mark mark;
};

/* A range is about to leave, for the first time or again; not yet in `pipe`. */
void tcp_rate_sent(struct tcp_conn *c, struct tcp_sent *r, int64_t now);

/* It has reached the peer. */
void tcp_rate_delivered(const struct tcp_sent *r, int64_t now, struct rate_sample *rs);

/* It is considered lost. */
void tcp_rate_lost(struct tcp_conn *c, const struct tcp_sent *r);

/* The ACK has been taken in whole, and n->delivered is what it delivered. */
void tcp_rate_acked(struct tcp_conn *c, struct sack_news *n, int64_t now);

/* Both for an ACK of `acked` bytes that were sent once and not SACKed; `last` of them left last and is
 * still known.  `told`: gets the sample (NULL: nobody wants it).  Segments are counted by the caller,
 * who has the ranges. */
void tcp_rate_usual(struct tcp_conn *c, const struct tcp_sent *last, uint32_t acked, int64_t now,
                    struct rate_sample *told);

/* Output has nothing more to send: what follows says little about the path. */
void tcp_rate_idle(struct tcp_conn *c);

/* The same, whatever cwnd has room for: somebody holds back on purpose. */
void tcp_rate_limited(struct tcp_conn *c);

/* Bytes a second. */
static inline uint64_t
rate_of(uint32_t bytes, int64_t ns)
{
	return ns > 0 ? (uint64_t)bytes * UINT64_C(1000000000) / (uint64_t)ns : 0;
}
