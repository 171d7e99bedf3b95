/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The core's flight recorder: a ring of fixed-size records that is always on.
 * An event and its numbers are stored; sentences are made when read.
 */
#pragma once

#include "base/region.h"

/* clang-format off */
#define TRACE_EVENTS(X)                                                          \
	/* name             what the two numbers are */                          \
	X(T_NONE,           "-", "-")                                            \
	X(T_STATE,          "from", "to")                                        \
	X(T_SEG_IN,         "seq", "flags+len")                                  \
	X(T_SEG_OUT,        "seq", "flags+len")                                  \
	X(T_FATE,           "fate", "seq")                                       \
	X(T_RTO,            "rto_us", "retries")                                 \
	X(T_FAST_RETRANSMIT,"snd_una", "recover")                                \
	X(T_RECOVERED,      "snd_una", "cwnd")                                   \
	X(T_ECN,            "snd_una", "snd_nxt")                                \
	X(T_UNDONE,         "snd_una", "cwnd")                                   \
	X(T_LOSS_PROBE,     "snd_nxt", "new")                                    \
	X(T_PROBE,          "snd_una", "wnd")                                    \
	X(T_KEEPALIVE,      "probes", "-")                                       \
	X(T_JOB,            "job bits", "-")                                     \
	X(T_EVENT,          "event bits", "-")                                   \
	X(T_OPEN,           "local port", "remote port")                         \
	X(T_CLOSE,          "errno", "-")
/* clang-format on */

enum trace_event {
#define X(name, a, b) name,
	TRACE_EVENTS(X)
#undef X
	TRACE_N_EVENTS
};

struct trace_record {
	int64_t at;    /* ns */
	uint32_t conn; /* the connection's id; UINT32_MAX: none */
	uint32_t event;
	uint32_t a, b;
};

struct trace {
	struct trace_record *ring; /* NULL: nothing is recorded */
	uint32_t mask;
	uint64_t n; /* records ever made */
};

/* `records` is rounded up to a power of two; 0 switches recording off.  False
 * when the region is too small (or only counts). */
bool trace_init(struct trace *t, struct region *mem, uint32_t records);

/* Records an event; costs a few stores.  A zeroed struct trace takes it too. */
static inline void
trace_add(struct trace *t, int64_t at, uint32_t conn, enum trace_event event, uint32_t a,
          uint32_t b)
{
	if (t->ring)
		t->ring[t->n++ & t->mask] = (struct trace_record){ at, conn, event, a, b };
}

/* Writes record number `i` (0 is the oldest still held) as a line without
 * newline into `line`, cut to `size`; false when there is no such record. */
bool trace_line(const struct trace *t, uint32_t i, char *line, size_t size);
