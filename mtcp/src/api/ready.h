/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Is it readable?  Readiness is computed from the two halves of a socket (or
 * from the pipe) whenever somebody asks; no flag remembers it.
 */
#pragma once

#include "api/context.h"

/* Those of the MTCP_EPOLL* bits in `wanted` that hold for the open number of `r`
 * now.  The stack will tell of those that do not, when they do. */
uint32_t ready_events(struct mtcp_context *ctx, struct sockref *r, uint32_t wanted);
