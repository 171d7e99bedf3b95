/* SPDX-License-Identifier: BSD-3-Clause */
/* Window management: what we offer, and how the buffers behind it grow. */
#pragma once

#include "tcp/tcp.h"

/* The window of a SYN or SYN-ACK: never scaled, never more than there is. */
uint32_t tcp_window_first(const struct tcp_conn *c);

#define WINDOW_MARK_SHIFT 10

/* tcp_conn.rcv_mark; of what wrapped, after an hour, a measurement may begin late. */
static inline uint32_t
tcp_window_mark(int64_t now)
{
	return (uint32_t)((uint64_t)now >> WINDOW_MARK_SHIFT);
}

/* Whether the field can say now all that was offered. */
bool tcp_window_exact(const struct tcp_env *e, const struct tcp_conn *c);

/* The value for the window field of the next segment; moves rcv_adv, never to
 * the left (SHLD-14), and not by silly steps (RFC 9293 3.8.6.2.2).  Less than a
 * unit of the field may be left untold when the buffer is overfull (RFC 7323 2.4). */
uint16_t tcp_window_offer(const struct tcp_env *e, struct tcp_conn *c);

/* The application has read: is a window update worth a segment of its own? */
bool tcp_window_update_due(const struct tcp_env *e, const struct tcp_conn *c);

/* Receive autotuning, once a round trip: six times what the application takes, while the core
 * has memory at ease. */
void tcp_window_grow_receive(struct tcp_env *e, struct tcp_conn *c, int64_t now);

/* Send autotuning, likewise: room for two windows, and for what the peer holds behind a hole. */
void tcp_window_grow_send(struct tcp_env *e, struct tcp_conn *c);

/* The shift for a receive buffer that may grow to `bytes` (RFC 7323 2.2). */
uint8_t tcp_window_shift(uint32_t bytes);
