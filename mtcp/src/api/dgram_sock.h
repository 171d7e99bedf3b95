/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Datagram sockets, as calls see them.  A socket gets a port when it is bound, connected or first
 * sends, by one question to the stack; from then on datagrams go both ways through its streams
 * (core/dgram.h) and nothing is asked any more.
 */
#pragma once

#include "api/context.h"
#include "api/pieces.h"

/* A fresh socket is one for datagrams. */
void dgram_begin(struct mtcp_context *ctx, struct sockref *r);

/* What mtcp_bind() and mtcp_connect() do: 0 or an errno value.  `to` NULL: connected to
 * nobody any more. */
int dgram_bind(struct mtcp_context *ctx, struct sockref *r, const struct sock_addr *at);
int dgram_connect(struct mtcp_context *ctx, struct sockref *r, const struct sock_addr *to);
int dgram_shutdown(struct mtcp_context *ctx, struct sockref *r, uint16_t req);

/* Its names; false: it has none. */
bool dgram_local(const struct mtcp_context *ctx, const struct sockref *r, struct sock_addr *a);
bool dgram_peer(const struct mtcp_context *ctx, const struct sockref *r, struct sock_addr *a);

/* A datagram from `p` to `to` (NULL: to whom it is connected): its length, or -1 and errno. */
ssize_t dgram_send(struct mtcp_context *ctx, struct sockref *r, struct pieces p, int flags,
                   const struct sock_addr *to);

/* The next datagram into `p`: how many bytes, with MSG_TRUNC its whole length; *from who sent it,
 * *cut whether some of it is lost.  -1 and errno. */
ssize_t dgram_recv(struct mtcp_context *ctx, struct sockref *r, struct pieces p, int flags,
                   struct sock_addr *from, bool *cut);

/* What a router or a peer said that nobody was told yet, and now somebody is; else 0. */
int dgram_take_error(struct mtcp_context *ctx, struct sockref *r);

/* MTCP_EPOLL* bits that hold now. */
uint32_t dgram_ready(struct mtcp_context *ctx, struct sockref *r);

/* FIONREAD: bytes of the next datagram. */
int dgram_next_size(struct mtcp_context *ctx, struct sockref *r);
