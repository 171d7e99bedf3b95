/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/*
 * Requests come in, replies go out: one after the other on each connection.
 */
#include "apps/web_server.h"

/* Reads what has arrived and serves the requests that are whole. */
void web_read(struct server *s, struct conn *c, bool ended);

/* Goes on with a reply; when it is complete, with the requests behind it. */
void web_send(struct server *s, struct conn *c);

/* Forgets which requests came before. */
void web_forget(struct server *s);
