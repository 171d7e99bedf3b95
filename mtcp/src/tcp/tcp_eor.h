/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ends of records (MSG_EOR): what is written behind one never shares a segment with what
 * stands in front, as on Linux, not when it is sent again either.
 *
 * An end matters once something follows.  So the writer leaves its mark, a number of bytes
 * written, just before that: whoever sees the text that follows sees the mark.  Marks travel
 * in a stream of their own, which has one writer and one reader as the text has, and no limit
 * but memory.  A socket that never asks for them has none: `marked` of the text's writer says
 * so, in the line that the reader looks at anyway.
 */
#pragma once

#include "tcp/tcp.h"

/* The marks of one socket.  It lives in a chunk. */
struct tcp_eor {
	_Alignas(CACHE_LINE) struct stream_writer w; /* the writer's line */
	_Alignas(CACHE_LINE) struct stream_reader r; /* the reader's line */
};

static_assert(sizeof(struct tcp_eor) <= CHUNK_SIZE, "a chunk holds it");

/* Writer.  Makes an empty record of marks of a chunk. */
struct tcp_eor *tcp_eor_new(struct chunk *k);

/* Writer.  What `text` has been given so far ends a record; `empty` must hold a chunk.  `m` is
 * where the reader of `text` finds it (tcp_streams.eor), and text->marked was set after. */
void tcp_eor_mark(struct tcp_eor *m, const struct stream_writer *text, struct chunk_list *empty);

/* Puts all chunks on `empty`, that of `m` too.  Only when neither side will use it again. */
void tcp_eor_free(struct tcp_eor *m, struct chunk_list *empty);

/* Reader, for a socket that has marks: bytes from SND.NXT to the next, UINT32_MAX: none. */
uint32_t tcp_eor_ahead(struct tcp_env *e, struct tcp_conn *c);

/* How many of `unsent` bytes, as tcp_unsent() has just told, are of the record that comes
 * first: all of them if no end has been marked. */
static inline uint32_t
tcp_eor_record(struct tcp_env *e, struct tcp_conn *c, uint32_t unsent)
{
	if (likely(!unsent || !atomic_load_explicit(&c->streams->snd_w.marked, memory_order_acquire)))
		return unsent;
	return min(unsent, tcp_eor_ahead(e, c));
}
