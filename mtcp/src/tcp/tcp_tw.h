/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TIME-WAIT in a small record (RFC 9293 3.6.1): enough to acknowledge a FIN that
 * comes again, and to let a new connection take its place (RFC 6191).  A reset
 * exactly at RCV.NXT ends it, as on Linux: so says a peer that has forgotten the
 * connection and wants a new one; `tcp_rfc1337` ignores that too.
 *
 * FIN-WAIT-2 that nobody holds any more is kept in the same record, as on Linux: all
 * that is missing is the peer's FIN, which makes it TIME-WAIT.  Text finds no reader
 * and is reset (RFC 9293 SHLD-3).
 */
#pragma once

#include "tcp/tcp.h"

struct tcp_tw {
	struct tcp_tuple tuple;
	uint32_t hash;
	seq_t snd_nxt, rcv_nxt;
	uint32_t ts_recent, ts_offset;
	uint8_t opts;           /* TCP_OPT_TS when in use                   */
	bool fin_wait_2;        /* the peer has not said FIN yet            */
	uint16_t answers;       /* ACKs of what was out of place ...        */
	uint32_t answers_s;     /* ... sent in this second (RFC 5961 7)     */
	uint8_t wscale;         /* of `wnd`                                 */
	uint16_t wnd;           /* as it stands in the field                */
	int64_t until;          /* when 2 MSL have passed, or the patience with FIN-WAIT-2 */
	struct link link;       /* all records of the state, by `until`     */
};

/* What `c`, in TIME-WAIT, or in FIN-WAIT-2 with nobody to hold it, leaves behind. */
void tcp_tw_init(struct tcp_env *e, struct tcp_tw *w, const struct tcp_conn *c, int64_t now);

/* A segment for it.  TW_ACKED: `reply` is to be sent, and if it was the FIN again
 * `until` has moved.  TW_REOPENED: forget the record and treat the SYN as new, with an
 * ISN above tcp_tw_min_iss().  TW_RESET: forget the record.  TW_FIN: it is in TIME-WAIT
 * now, `until` has moved and `reply` is to be sent.  DROP_AFTER_CLOSE: text; `reply` is a
 * reset, forget the record.  TW_IGNORED: nothing. */
enum fate tcp_tw_in(struct tcp_env *e, struct tcp_tw *w, const struct tcp_seg *s, int64_t now,
                    struct tcp_seg *reply);

/* A sequence number beyond everything the old connection can have sent. */
seq_t tcp_tw_min_iss(const struct tcp_tw *w);
