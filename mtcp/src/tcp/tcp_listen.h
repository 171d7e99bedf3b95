/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A half-open connection: what has to be remembered between SYN and ACK, and
 * no more.  It owns no socket, no buffers and no scoreboard, so a flood of SYNs
 * costs little.  When its ACK comes it becomes a connection in SYN-RECEIVED,
 * and the RFC's steps run on the segment that brought the ACK.
 */
#pragma once

#include "tcp/tcp.h"

struct tcp_req {
	struct tcp_tuple tuple;
	uint32_t hash;
	seq_t iss, irs;
	uint32_t ts_recent, ts_offset;
	uint32_t wnd;              /* the SYN's window                       */
	uint16_t peer_mss, adv_mss;
	uint16_t first_wnd;        /* what our SYN-ACK offers                */
	uint8_t opts;              /* TCP_OPT_* agreed                       */
	uint8_t snd_wscale;
	uint8_t retries;
	bool due;                  /* a SYN-ACK has to leave                 */
	uint8_t defer;             /* TCP_DEFER_ACCEPT, in retries           */
	bool acked;                /* it is known that the peer has our SYN  */
	bool ecn;                  /* agreed (RFC 3168)                      */
	bool give_cookie;          /* ... with a Fast Open cookie            */
	uint16_t answered;         /* half a second, the last with an ACK of what was out of place */
	uint32_t listener;         /* socket number                          */
	int64_t sent_at;           /* the first SYN-ACK                      */
	int64_t rto_ns;
	struct wheel_node timer;
	struct link tx_link;
};

/* From a SYN (RFC 9293 3.10.7.2, third). */
void tcp_req_init(struct tcp_env *e, struct tcp_req *r, const struct tcp_tuple *t,
                  const struct tcp_seg *syn, seq_t iss, uint16_t local_mss, uint32_t rcvbuf,
                  int64_t now);

/* The SYN-ACK that is due; sets the retransmission deadline in r->sent_at + …:
 * returns when it would be due again. */
int64_t tcp_req_synack(struct tcp_env *e, struct tcp_req *r, int64_t now, struct tcp_seg *s);

/* The deadline has passed: false when it has been repeated often enough. */
bool tcp_req_expired(struct tcp_env *e, struct tcp_req *r);

/* A segment for a half-open connection.  SEG_OK: it carries the ACK, make it a
 * connection.  SYN_AGAIN: the SYN-ACK is due again.  REQ_RESET: gone.
 * DROP_HANDSHAKE_RESET: answer with a reset.  Others: dropped. */
enum fate tcp_req_in(struct tcp_env *e, struct tcp_req *r, const struct tcp_seg *s, int64_t now);

/* Whether a segment that tcp_req_in() has dropped is owed an ACK, as by an open connection (RFC
 * 9293 3.10.7.4, RFC 5961 3.2 and 4.2): a peer that has begun anew resets what it hears of then.
 * Twice a second at the most; true: `ack` is to be sent. */
bool tcp_req_answer(const struct tcp_env *e, struct tcp_req *r, const struct tcp_seg *s,
                    enum fate fate, int64_t now, struct tcp_seg *ack);

/* Makes `c` (after tcp_conn_init() with the same tuple, iss, and offsets) the
 * connection in SYN-RECEIVED that the record stood for. */
void tcp_req_promote(struct tcp_env *e, const struct tcp_req *r, struct tcp_conn *c, int64_t now);
