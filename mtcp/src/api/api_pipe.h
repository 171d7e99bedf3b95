/* SPDX-License-Identifier: BSD-3-Clause */
/* A pipe inside one context: a ring of bytes that only its thread sees. */
#pragma once

#include "api/context.h"

#define PIPE_CAPACITY 65536u

/* mtcp_read() and mtcp_write() of a pipe's end. */
ssize_t pipe_read(struct mtcp_context *ctx, struct sockref *r, char *buf, size_t len);
ssize_t pipe_write(struct mtcp_context *ctx, struct sockref *r, const char *buf, size_t len);

uint32_t pipe_ready(const struct sockref *r);

/* Bytes in it. */
uint32_t pipe_used(const struct sockref *r);

/* One end goes; the other end hears of it.  The last frees the pipe. */
void pipe_end_close(struct mtcp_context *ctx, struct sockref *r);
