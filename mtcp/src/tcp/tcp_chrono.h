/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a connection spends its time with while it has something to send, as TCP_INFO
 * shows it: busy, and of that held back by the peer's window or by its own send
 * buffer.  Which of these it is shows from the connection itself, so whoever has
 * changed one asks for a look; the clock stops at each change.
 */
#pragma once

#include "tcp/tcp.h"

enum tcp_chrono { CHRONO_IDLE, CHRONO_BUSY, CHRONO_RWND, CHRONO_SNDBUF };

/* `wants_room`: the application was refused room in the send stream. */
void tcp_chrono_look(struct tcp_env *e, struct tcp_conn *c, bool wants_room, int64_t now);

/* ns spent so far, up to `now`; CHRONO_BUSY: all that is not idle. */
int64_t tcp_chrono_ns(const struct tcp_conn *c, enum tcp_chrono kind, int64_t now);
