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

#include "base/base.h"

struct tcp_conn;

#define CC_STATE_WORDS 8 /* 64-bit words of private state in each connection */

/* What one ACK taught us. */
struct cc_ack {
	uint32_t acked;     /* bytes newly acknowledged                     */
	uint32_t flight;    /* bytes in flight before the ACK               */
	bool cwnd_limited;  /* cwnd, not the application, held us back      */
	int64_t rtt_ns;     /* -1: no valid sample (Karn)                   */
	int64_t now;
};

struct cc_ops {
	const char *name;                     /* as TCP_CONGESTION and `cc` know it    */
	void (*init)(struct tcp_conn *c);
	/* An ACK outside of recovery: may let cwnd grow. */
	void (*on_ack)(struct tcp_conn *c, const struct cc_ack *a);
	/* Congestion: the new ssthresh in bytes, at least 2 SMSS. */
	uint32_t (*ssthresh)(struct tcp_conn *c, int64_t now);
	/* Recovery has ended, or a time-out collapsed cwnd. */
	void (*on_recovered)(struct tcp_conn *c, int64_t now);
	/* Sending starts again after `idle_ns` with nothing in flight. */
	void (*on_restart)(struct tcp_conn *c, int64_t idle_ns);
};

/* clang-format off */
#define TCP_CC_LIST(X) \
	X(cubic)       \
	X(reno)
/* clang-format on */

#define X(name) extern const struct cc_ops cc_##name;
TCP_CC_LIST(X)
#undef X

/* By name; NULL if there is none. */
const struct cc_ops *tcp_cc_find(const char *name);

/* By position 0, 1, …; NULL past the last. */
const struct cc_ops *tcp_cc_at(unsigned i);
