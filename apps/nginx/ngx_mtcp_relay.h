/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A reload without a moment in which nobody listens.  nginx's master tells old workers to quit a
 * tenth of a second after it has made new ones, and a new one's stack takes longer to start.  So an old
 * worker puts the order off until its successors listen; then it retires its listeners, accepts for a second and a
 * half what has begun already, and quits.
 *
 * Workers know of each other through one page that the master made.  A quit without successors is one at
 * once.  While a successor waits for a place, an old worker makes way: at once if there are no more places than
 * workers, else after five seconds, since others older still may leave theirs.  Half of the workers go first, the
 * others when as many successors listen, so that somebody always does, unless there is but one.  Who goes does not
 * refuse what it does not take: a SYN comes again, and finds who listens by then.
 */
#pragma once

#include <ngx_config.h>
#include <ngx_core.h>

/* In the master: once before the first fork, and when new workers are about to be made. */
ngx_int_t ngx_mtcp_relay_open(ngx_log_t *log);
void ngx_mtcp_relay_next(ngx_uint_t workers);

/* In a worker, one of `workers` with so many places: it has begun, it waits for a place, it listens. */
void ngx_mtcp_relay_begin(ngx_msec_t patience, ngx_uint_t workers, ngx_uint_t places);
void ngx_mtcp_relay_waits(void);
void ngx_mtcp_relay_listens(void);

/* How many of the newest workers listen. */
ngx_uint_t ngx_mtcp_relay_count(void);

/* After each wait for events: puts an order to quit off, or lets it through. */
void ngx_mtcp_relay_look(ngx_cycle_t *cycle);

/* How long a wait may take at most, `timer` or less. */
ngx_msec_t ngx_mtcp_relay_timer(ngx_msec_t timer);
