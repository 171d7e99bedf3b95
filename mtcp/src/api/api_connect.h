/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a connection is asked for, with and without text in its SYN (RFC 7413).
 */
#pragma once

#include <sys/socket.h>

#include "api/context.h"

/* Whether the socket has been connected, or is being. */
static inline bool
connect_asked(const struct mtcp_context *ctx, const struct sockref *r)
{
	const struct sock *s = ref_sock(ctx, r);

	return (r->flags & REF_DEFERRED) || (sock_requests(s) & SOCK_REQ_CONNECT) ||
	       (sock_facts(s) & SOCK_BORN);
}

/* The address that the socket shall connect to.  0 or an errno value. */
int connect_address(const struct mtcp_context *ctx, const struct sockref *r,
                    const struct sockaddr *addr, socklen_t len, struct sock_addr *to);

/* The first text of a connection that is to be opened with it: how much a SYN to
 * `to` (NULL: where a deferred mtcp_connect() said) may carry; 0 without a cookie
 * of that peer.  -1 with errno when the socket cannot connect.  What may go goes into
 * the stream; then connect_with_text() opens the connection. */
int connect_room(struct mtcp_context *ctx, struct sockref *r, const struct sock_addr *to);
void connect_with_text(struct mtcp_context *ctx, struct sockref *r);
