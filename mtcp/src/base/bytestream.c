/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Writing builds a private run of chunks and then attaches it in one go: to
 * the open tail, or as the first of a new chain.  Nothing of it is visible
 * before `written` is stored with release; nothing that was read is touched
 * again by the reader after `read` is stored with release.  These two stores,
 * and the acquire loads that meet them, order everything else:
 *
 *  - A chunk's `end` and `sealed` are written before the chunk is published,
 *    and once more when an open tail is sealed.  That happens only when the
 *    writer has seen, by acquire, that the reader consumed everything; and the
 *    reader looks into a chunk only for bytes that it has seen published.
 *  - A full open chunk may show its `next` before the bytes in that next one
 *    are published.  The reader may then free the full one, since linking was
 *    the writer's last touch, and holds the next one without looking inside.
 */
#include "base/bytestream.h"

/* Open chunks keep a byte back: see bytestream.h. */
#define OPEN_ROOM (CHUNK_ROOM - 1)

/* Chunks filled by one call, not yet attached to the stream. */
struct run {
	struct chunk *first, *last;
	uint32_t fill;  /* bytes in `last`  */
	uint32_t bytes; /* in all of them   */
};

static struct chunk *
chunk_next(const struct chunk *k)
{
	return atomic_load_explicit(&k->next, memory_order_acquire);
}

static void
chunk_link(struct chunk *k, struct chunk *next)
{
	atomic_store_explicit(&k->next, next, memory_order_release);
}

/* -- writer --------------------------------------------------------------- */

static void
run_append(struct run *run, struct chunk *k, uint32_t room, const uint8_t *data, uint32_t len)
{
	atomic_store_explicit(&k->next, NULL, memory_order_relaxed);
	k->end = to_u16(room);
	k->sealed = false;
	memcpy(k->data, data, len);

	if (run->last)
		chunk_link(run->last, k);
	else
		run->first = k;
	run->last = k;
	run->fill = len;
	run->bytes += len;
}

static struct run
run_build(struct chunk_list *empty, uint32_t room, const uint8_t *data, uint32_t len)
{
	struct run run = { 0 };
	struct chunk *k;

	while (run.bytes < len && (k = chunk_list_get(empty)))
		run_append(&run, k, room, data + run.bytes, min(len - run.bytes, room));
	return run;
}

static void
chain_start(struct stream_writer *w, const struct chunk *k)
{
	atomic_store_explicit(&w->chain[w->chains++ & 1], stream_place(w, k), memory_order_release);
}

static void
attach(struct stream_writer *w, const struct run *run)
{
	if (!run->first)
		return;
	if (w->tail)
		chunk_link(stream_chunk(w, w->tail), run->first);
	else
		chain_start(w, run->first);
	w->tail = stream_place(w, run->last);
	w->fill = to_u16(run->fill);
}

static uint32_t
fill_tail(struct stream_writer *w, const uint8_t *data, uint32_t len)
{
	struct chunk *tail;
	uint32_t n;

	if (!w->tail)
		return 0;
	tail = stream_chunk(w, w->tail);
	n = min(len, (uint32_t)tail->end - w->fill);
	if (n > 0)
		memcpy(tail->data + w->fill, data, n);
	w->fill = to_u16(w->fill + n);
	return n;
}

static void
seal_tail(struct stream_writer *w)
{
	struct chunk *tail = stream_chunk(w, w->tail);

	tail->end = w->fill;
	tail->sealed = true;
	w->tail = 0;
	w->fill = 0;
}

/* What is seldom is not inlined: the usual way is to save few registers. */

/* The reader has everything and does not look.  The last chunk is sealed, so
 * that the reader can free all of them. */
static __attribute__((noinline)) uint32_t
write_into_empty(struct stream_writer *w, struct chunk_list *empty, const uint8_t *data,
                 uint32_t len)
{
	struct run run;
	uint32_t n;

	if (w->tail)
		stream_chunk(w, w->tail)->end = CHUNK_ROOM; /* with the byte that was kept back */
	n = fill_tail(w, data, len);
	run = run_build(empty, CHUNK_ROOM, data + n, len - n);
	attach(w, &run);
	if (w->tail)
		seal_tail(w);
	return n + run.bytes;
}

/* The reader is behind: more is likely to follow, and may share the chunk. */
static __attribute__((noinline)) uint32_t
write_behind_reader(struct stream_writer *w, struct chunk_list *empty, const uint8_t *data,
                    uint32_t len)
{
	uint32_t n = fill_tail(w, data, len);
	struct run run = run_build(empty, OPEN_ROOM, data + n, len - n);

	attach(w, &run);
	return n + run.bytes;
}

/* What next to every reply is: one chunk, sealed as write_into_empty() would leave it. */
static uint32_t
write_sealed(struct stream_writer *w, struct chunk_list *empty, const uint8_t *data, uint32_t len)
{
	struct chunk *k = chunk_list_get(empty);

	atomic_store_explicit(&k->next, NULL, memory_order_relaxed);
	k->end = to_u16(len);
	k->sealed = true;
	memcpy(k->data, data, len);
	chain_start(w, k);
	return len;
}

uint32_t
stream_write(struct stream_writer *w, const struct stream_reader *r, struct chunk_list *empty,
             const uint8_t *data, uint32_t len)
{
	uint32_t written = atomic_load_explicit(&w->written, memory_order_relaxed);
	uint32_t backlog = written - atomic_load_explicit(&r->read, memory_order_acquire);
	uint32_t n;

	assert(len <= INT32_MAX - backlog);
	if (len == 0)
		return 0;
	if (likely(backlog == 0 && !w->tail && len <= CHUNK_ROOM && empty->first))
		n = write_sealed(w, empty, data, len);
	else if (backlog == 0)
		n = write_into_empty(w, empty, data, len);
	else
		n = write_behind_reader(w, empty, data, len);
	atomic_store_explicit(&w->written, written + n, memory_order_release);
	return n;
}

void
stream_begin(struct stream_record *rec, struct stream_writer *w, const struct stream_reader *r)
{
	uint32_t written = atomic_load_explicit(&w->written, memory_order_relaxed);
	bool alone = written == atomic_load_explicit(&r->read, memory_order_acquire);

	*rec = (struct stream_record){ w, 0, alone ? CHUNK_ROOM : OPEN_ROOM, alone };
	if (alone && w->tail)
		stream_chunk(w, w->tail)->end = CHUNK_ROOM; /* with the byte that was kept back */
}

void
stream_append(struct stream_record *rec, struct chunk_list *empty, const uint8_t *data,
              uint32_t len)
{
	uint32_t n = fill_tail(rec->w, data, len);
	struct run run = run_build(empty, rec->room, data + n, len - n);

	attach(rec->w, &run);
	assert(n + run.bytes == len);
	rec->bytes += len;
}

void
stream_commit(struct stream_record *rec)
{
	struct stream_writer *w = rec->w;
	uint32_t written = atomic_load_explicit(&w->written, memory_order_relaxed);

	if (rec->alone && w->tail)
		seal_tail(w);
	atomic_store_explicit(&w->written, written + rec->bytes, memory_order_release);
}

/* -- reader --------------------------------------------------------------- */

/* The place of the next chain's first chunk. */
static int32_t
take_chain(struct stream_reader *r, const struct stream_writer *w)
{
	return atomic_load_explicit(&w->chain[r->chains++ & 1], memory_order_acquire);
}

/* The chunk after `k`; only when bytes beyond `k` have been seen published.
 * A sealed chunk is the reader's own, so the reader links the next chain to it
 * and finds its way without counting chains twice. */
static struct chunk *
step(struct stream_reader *r, const struct stream_writer *w, struct chunk *k)
{
	struct chunk *next = chunk_next(k);

	if (!next) {
		assert(k->sealed);
		next = stream_chunk(w, take_chain(r, w));
		chunk_link(k, next);
	}
	return next;
}

/* The head; only when there are unconsumed bytes. */
static struct chunk *
head(struct stream_reader *r, const struct stream_writer *w)
{
	if (!r->head)
		r->head = take_chain(r, w);
	return stream_chunk(w, r->head);
}

/* As seek(), from `k` on, which begins at *at and ends before. */
static __attribute__((noinline)) struct chunk *
seek_on(struct stream_reader *r, const struct stream_writer *w, struct chunk *k, uint32_t pos,
        uint32_t *at)
{
	do {
		*at += k->end;
		k = step(r, w, k);
	} while (pos - *at >= k->end);
	return k;
}

/* The chunk that holds the byte at counter `pos`, and in *at where it begins:
 * from the cursor if that is not beyond, else from the first chunk held. */
static struct chunk *
seek(struct stream_reader *r, const struct stream_writer *w, const struct stream_cursor *cur,
     uint32_t pos, uint32_t *at)
{
	struct chunk *k;

	if (cur && cur->chunk && (int32_t)(pos - cur->at) >= 0) {
		k = cur->chunk;
		*at = cur->at;
	} else {
		k = head(r, w);
		*at = atomic_load_explicit(&r->read, memory_order_relaxed) - r->taken;
	}
	return likely(pos - *at < k->end) ? k : seek_on(r, w, k, pos, at);
}

/* `len` bytes from counter `pos` on; `k`, which begins at `at`, has the first of them only. */
static __attribute__((noinline)) void
peek_on(struct stream_reader *r, const struct stream_writer *w, struct chunk *k, uint32_t at,
        struct stream_cursor *cur, uint32_t pos, uint8_t *data, uint32_t len)
{
	for (;;) {
		uint32_t n = min(len, k->end - (pos - at));

		memcpy(data, k->data + (pos - at), n);
		data += n;
		pos += n;
		len -= n;
		if (len == 0)
			break;
		at += k->end;
		k = step(r, w, k);
	}
	if (cur)
		*cur = (struct stream_cursor){ k, at };
}

void
stream_peek(struct stream_reader *r, const struct stream_writer *w, struct stream_cursor *cur,
            uint32_t off, uint8_t *data, uint32_t len)
{
	uint32_t pos = atomic_load_explicit(&r->read, memory_order_relaxed) + off;
	struct chunk *k;
	uint32_t at;

	assert((uint64_t)off + len <= stream_used(w, r));
	if (len == 0)
		return;
	k = seek(r, w, cur, pos, &at);
	if (unlikely(len > k->end - (pos - at))) {
		peek_on(r, w, k, at, cur, pos, data, len);
		return;
	}
	if (cur)
		*cur = (struct stream_cursor){ k, at };
	memcpy(data, k->data + (pos - at), len); /* last: nothing outlives the call */
}

/* The head, `k`, is consumed: gives it back unless the writer may yet touch it. */
static inline void
retire_head(struct stream_reader *r, const struct stream_writer *w, struct chunk *k,
            struct stream_cursor *cur, struct chunk_list *empty)
{
	struct chunk *next = chunk_next(k);

	if (!next && !k->sealed)
		return;
	if (cur && cur->chunk == k)
		cur->chunk = NULL;
	r->head = next ? stream_place(w, next) : 0;
	r->taken = 0;
	chunk_list_put(empty, k);
}

/* More than the first chunk holds. */
static __attribute__((noinline)) void
consume_many(struct stream_reader *r, const struct stream_writer *w, struct stream_cursor *cur,
             uint32_t len, struct chunk_list *empty)
{
	while (len > 0) {
		struct chunk *k = head(r, w);
		uint32_t n = min(len, (uint32_t)k->end - r->taken);

		r->taken = to_u16(r->taken + n);
		len -= n;
		if (r->taken == k->end)
			retire_head(r, w, k, cur, empty);
	}
}

void
stream_consume(struct stream_reader *r, const struct stream_writer *w,
               struct stream_cursor *cur, uint32_t len, struct chunk_list *empty)
{
	uint32_t read = atomic_load_explicit(&r->read, memory_order_relaxed) + len;
	struct chunk *k;

	assert(len <= stream_used(w, r));
	if (len == 0)
		return;
	k = head(r, w);
	if (unlikely(len > (uint32_t)k->end - r->taken)) {
		consume_many(r, w, cur, len, empty);
	} else {
		r->taken = to_u16(r->taken + len);
		if (r->taken == k->end)
			retire_head(r, w, k, cur, empty);
	}
	atomic_store_explicit(&r->read, read, memory_order_release);
}

void
stream_read(struct stream_reader *r, const struct stream_writer *w, uint8_t *data, uint32_t len,
            struct chunk_list *empty)
{
	uint32_t read = atomic_load_explicit(&r->read, memory_order_relaxed) + len;
	struct chunk *k;

	assert(len <= stream_used(w, r));
	if (len == 0)
		return;
	k = head(r, w);
	if (unlikely(len > (uint32_t)k->end - r->taken)) {
		stream_peek(r, w, NULL, 0, data, len);
		stream_consume(r, w, NULL, len, empty);
		return;
	}
	memcpy(data, k->data + r->taken, len);
	r->taken = to_u16(r->taken + len);
	if (r->taken == k->end)
		retire_head(r, w, k, NULL, empty);
	atomic_store_explicit(&r->read, read, memory_order_release);
}

/* -- afterwards ----------------------------------------------------------- */

void
stream_dismantle(struct stream_writer *w, struct stream_reader *r, struct chunk_list *empty)
{
	struct chunk *k, *next;

	while (r->head || r->chains != w->chains) {
		for (k = head(r, w); k; k = next) {
			next = chunk_next(k);
			chunk_list_put(empty, k);
		}
		r->head = 0;
	}
	memset(w, 0, sizeof *w);
	memset(r, 0, sizeof *r);
}
