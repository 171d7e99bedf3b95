/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A stream of bytes from one thread to another: a list of chunks, one writer,
 * one reader, no locks.  Each half is written by its own side only and stands
 * in that side's cache lines of the socket.
 *
 * Chunks.  The writer takes empty chunks, fills them and links them by `next`.
 * The reader gives a chunk back as soon as the writer can no longer touch it:
 * when the writer has linked the next one, or has *sealed* it.  So that a
 * connection between requests holds no chunk, a write into an empty stream seals
 * its last chunk; a write while the reader is behind leaves its last chunk open
 * for the next write, so small writes share chunks when it matters.
 *
 * A sealed chunk may be gone when the writer has more to say.  Then it starts
 * a new chain, the n-th, and leaves its first chunk in chain[n & 1].  Two slots
 * are enough: a chain is only ended (sealed) by a write into an empty stream,
 * when the reader has taken every chain before it; at most one more can start
 * until the stream is empty again.
 *
 * A stream whose last write came while the reader was behind keeps that one
 * open chunk, consumed or not, until the next write, which goes on in it and
 * seals it.  An open chunk is never filled to its last byte: so that write finds
 * room, and in the end frees the chunk, even when there is no other chunk.
 *
 * Counters are 32 bits, wrap, and count bytes ever written and read; at most
 * 2^31 - 1 bytes are in a stream.
 *
 * Both halves say in 32 bits where a chunk is: how many cache lines from the writer's half.  So
 * that begins with a line, as chunks do, and while there are any it stays where it is, less than
 * STREAM_REACH bytes from them.
 */
#pragma once

#include <stdatomic.h>

#include "base/base.h"

#define CHUNK_SIZE 2048u

struct chunk {
	_Atomic(struct chunk *) next; /* in a stream: the one after; in a batch: likewise   */
	uint16_t end;                 /* bytes in it, or that will be in it before `next`   */
	bool sealed;                  /* the writer will not touch it again                 */
	uint8_t data[];
};

#define CHUNK_ROOM (CHUNK_SIZE - (uint32_t)offsetof(struct chunk, data))

/* A private list of empty chunks, linked by `next`. */
struct chunk_list {
	struct chunk *first;
	uint32_t n;
};

static inline void
chunk_list_put(struct chunk_list *l, struct chunk *k)
{
	atomic_store_explicit(&k->next, l->first, memory_order_relaxed);
	l->first = k;
	l->n++;
}

static inline struct chunk *
chunk_list_get(struct chunk_list *l)
{
	struct chunk *k = l->first;

	if (k) {
		l->first = atomic_load_explicit(&k->next, memory_order_relaxed);
		l->n--;
	}
	return k;
}

#define CHUNK_LINE_SHIFT 6
#define STREAM_REACH     ((uint64_t)INT32_MAX << CHUNK_LINE_SHIFT) /* 128 GiB */

static_assert(CACHE_LINE == 1 << CHUNK_LINE_SHIFT, "chunks begin with a line");

struct stream_writer {
	_Atomic uint32_t written; /* bytes ever published                            */
	uint16_t fill;            /* bytes used in `tail`                            */
	uint8_t chains;           /* chains ever started; wraps                      */
	_Atomic bool marked;      /* its user's: something stands beside             */
	int32_t tail;             /* the open chunk, stream_chunk(); 0: none         */
	_Atomic int32_t chain[2]; /* first chunks of the last two chains, likewise   */
};

struct stream_reader {
	_Atomic uint32_t read; /* bytes ever consumed             */
	uint16_t taken;        /* bytes consumed of `head`        */
	uint8_t chains;        /* chains ever taken; wraps        */
	int32_t head;          /* likewise; 0: no chunk held     */
};

/* Where `k` is, seen from the stream's writer: never 0; and back. */
static inline int32_t
stream_place(const struct stream_writer *w, const struct chunk *k)
{
	intptr_t bytes = (intptr_t)k - (intptr_t)w;

	assert(bytes % CACHE_LINE == 0 && bytes / CACHE_LINE == (int32_t)(bytes / CACHE_LINE));
	return (int32_t)(bytes >> CHUNK_LINE_SHIFT);
}

static inline struct chunk *
stream_chunk(const struct stream_writer *w, int32_t place)
{
	assert(place);
	return (struct chunk *)((uintptr_t)w + (uintptr_t)((intptr_t)place * CACHE_LINE));
}

/* Where a reader that looks ahead (transmission) stood last; NULL: nowhere.
 * Kept by the reader; forgotten by stream_consume() when it frees the chunk. */
struct stream_cursor {
	struct chunk *chunk;
	uint32_t at; /* stream offset (counter) of the chunk's first byte */
};

/* Bytes written and not yet consumed.  Either side; exact for neither but
 * never too large for the reader and never too small for the writer. */
static inline uint32_t
stream_used(const struct stream_writer *w, const struct stream_reader *r)
{
	uint32_t read = atomic_load_explicit(&r->read, memory_order_acquire);

	return atomic_load_explicit(&w->written, memory_order_acquire) - read;
}

/* Writer.  Appends up to `len` bytes as long as there is room in the open chunk
 * or `empty` has chunks; returns how many went in.  All of it becomes visible to the reader at
 * once.  The stream must not hold more than 2^31 - 1 bytes afterwards. */
uint32_t stream_write(struct stream_writer *w, const struct stream_reader *r,
                      struct chunk_list *empty, const uint8_t *data, uint32_t len);

/* Writer.  A record in parts, of which the reader sees nothing before all of it is there:
 * stream_begin(), any number of stream_append() with `empty` never short of chunks, and
 * stream_commit(); nothing else is done with the stream in between. */
struct stream_record {
	struct stream_writer *w;
	uint32_t bytes; /* so far                                        */
	uint32_t room;  /* that a new chunk has                          */
	bool alone;     /* the reader has everything that was before     */
};

void stream_begin(struct stream_record *rec, struct stream_writer *w,
                  const struct stream_reader *r);
void stream_append(struct stream_record *rec, struct chunk_list *empty, const uint8_t *data,
                   uint32_t len);
void stream_commit(struct stream_record *rec);

/* Chunks that a record of `len` bytes takes at most. */
static inline uint32_t
stream_chunks(uint32_t len)
{
	return len / (CHUNK_ROOM - 1) + 1;
}

/* Reader.  Copies `len` bytes that start `off` bytes after the first
 * unconsumed one; off + len must not exceed stream_used().  `cur` (may be
 * NULL) makes successive reads at rising offsets O(1). */
void stream_peek(struct stream_reader *r, const struct stream_writer *w,
                 struct stream_cursor *cur, uint32_t off, uint8_t *data, uint32_t len);

/* Reader.  Copies the first `len` bytes (at most stream_used()) and consumes them; for readers
 * without a cursor.  `empty` as in stream_consume(). */
void stream_read(struct stream_reader *r, const struct stream_writer *w, uint8_t *data,
                 uint32_t len, struct chunk_list *empty);

/* Reader.  Consumes `len` bytes (at most stream_used()) and puts every chunk
 * that this frees on `empty`.  `cur` as above. */
void stream_consume(struct stream_reader *r, const struct stream_writer *w,
                    struct stream_cursor *cur, uint32_t len, struct chunk_list *empty);

/* Reader, after stream_consume(): forgets where another cursor stood, if that chunk may have
 * been freed. */
static inline void
stream_cursor_consumed(struct stream_cursor *cur, const struct stream_reader *r)
{
	uint32_t read = atomic_load_explicit(&r->read, memory_order_relaxed);

	if (cur->chunk && (int32_t)(cur->at - read) < 0)
		cur->chunk = NULL;
}

/* Takes every chunk out of a stream that neither side will use again, and
 * leaves both halves as new.  Only when both sides have said goodbye, and the
 * caller has seen what both wrote.  Cursors into it are void. */
void stream_dismantle(struct stream_writer *w, struct stream_reader *r,
                      struct chunk_list *empty);
