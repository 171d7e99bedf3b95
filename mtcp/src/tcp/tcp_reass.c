/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs stand in sequence order and never overlap; two may touch, and count as
 * one block then.  A run grows at its end, which is where the next segment
 * nearly always belongs, so the search starts from the last run.
 */

#include "tcp/tcp_reass.h"

#define CHUNKS_MIN 16u /* however small the receive buffer is */

static struct tcp_run *
run_of(struct link *l)
{
	return container_of(l, struct tcp_run, link);
}

static struct tcp_reass *
reass_get(struct tcp_env *e, struct tcp_conn *c)
{
	struct tcp_reass *q = tcp_reass(c);

	if (q)
		return q;
	if (!(q = pool_get(&e->reasses)))
		return NULL;
	memset(q, 0, sizeof *q);
	list_init(&q->runs);
	tcp_rare_own(e, c)->reass = q;
	return q;
}

static void
reass_put_if_idle(struct tcp_env *e, struct tcp_conn *c)
{
	struct tcp_reass *q = tcp_reass(c);

	if (q && q->n_runs == 0 && seq_eq(q->dsack.start, q->dsack.end)) {
		pool_put(&e->reasses, q);
		c->rare->reass = NULL;
	}
}

/* The run that changed last is reported first (RFC 2018 4). */
static void
note_recent(struct tcp_reass *q, seq_t start)
{
	uint32_t i = 0;

	while (i < q->n_recent && !seq_eq(q->recent[i], start))
		i++;
	if (i == q->n_recent && q->n_recent < TCP_SACK_RECENT)
		q->n_recent++;
	for (i = min(i, TCP_SACK_RECENT - 1); i > 0; i--)
		q->recent[i] = q->recent[i - 1];
	q->recent[0] = start;
}

/* A receive buffer full of them: what counts is the memory that is taken, however few bytes
 * are in it. */
static uint32_t
chunks_max(const struct tcp_conn *c)
{
	return max(2 * c->rcv_space / CHUNK_SIZE, CHUNKS_MIN);
}

/* A chunk for text beyond a hole, while there are more than the text that closes holes may
 * need. */
static struct chunk *
chunk_for_run(struct tcp_env *e, const struct tcp_conn *c)
{
	if (tcp_mem_level(e) == TCP_MEM_SCARCE || tcp_reass(c)->chunks >= chunks_max(c))
		return NULL;
	return tcp_chunk_get(e);
}

/* Appends as much as there are chunks for; returns how much. */
static uint32_t
run_append(struct tcp_env *e, struct tcp_conn *c, struct tcp_run *r, const uint8_t *text,
           uint32_t len)
{
	uint32_t done = 0;

	while (done < len) {
		uint32_t n;

		if (!r->last || r->fill == CHUNK_ROOM) {
			struct chunk *k = chunk_for_run(e, c);

			if (!k)
				break;
			tcp_reass(c)->chunks++;
			atomic_store_explicit(&k->next, NULL, memory_order_relaxed);
			if (r->last)
				atomic_store_explicit(&r->last->next, k, memory_order_relaxed);
			else
				r->first = k;
			r->last = k;
			r->fill = 0;
		}
		n = min(len - done, CHUNK_ROOM - r->fill);
		memcpy(r->last->data + r->fill, text + done, n);
		r->fill += n;
		done += n;
	}
	r->end = seq_add(r->end, done);
	return done;
}

static void
run_free(struct tcp_env *e, struct tcp_reass *q, struct tcp_run *r)
{
	while (r->first) {
		struct chunk *k = r->first;

		r->first = atomic_load_explicit(&k->next, memory_order_relaxed);
		chunk_list_put(&e->spare, k);
		q->chunks--;
	}
	q->bytes -= seq_sub(r->end, r->start);
	q->n_runs--;
	link_remove(&r->link);
	pool_put(&e->runs, r);
}

/* Stores a piece that overlaps nothing, behind `*before` (NULL: first of all), which becomes
 * the run that it is in. */
static enum fate
store(struct tcp_env *e, struct tcp_conn *c, struct tcp_run **before, seq_t seq,
      const uint8_t *text, uint32_t len)
{
	struct tcp_reass *q = tcp_reass(c);
	struct tcp_run *r = *before;
	uint32_t n;

	if (!r || !seq_eq(r->end, seq)) {
		if (q->n_runs >= e->cfg->reass_runs || q->chunks >= chunks_max(c))
			return DROP_REASS_FULL;
		if (!(r = pool_get(&e->runs)))
			return DROP_NO_MEMORY;
		*r = (struct tcp_run){ .start = seq, .end = seq };
		link_insert_after(*before ? &(*before)->link : &q->runs.head, &r->link);
		q->n_runs++;
	}
	n = run_append(e, c, r, text, len);
	q->bytes += n;
	if (seq_eq(r->start, r->end)) {
		run_free(e, q, r);
		return DROP_NO_MEMORY;
	}
	*before = r;
	note_recent(q, r->start);
	return n == len ? SEG_OUT_OF_ORDER : DROP_NO_MEMORY;
}

/* The last run that starts at or before `seq`; NULL: none does. */
static struct tcp_run *
find_before(const struct tcp_reass *q, seq_t seq)
{
	for (struct link *l = q->runs.head.prev; l != &q->runs.head; l = l->prev)
		if (seq_le(run_of(l)->start, seq))
			return run_of(l);
	return NULL;
}

static struct tcp_run *
run_after(const struct tcp_reass *q, const struct tcp_run *r)
{
	struct link *l = r ? r->link.next : q->runs.head.next;

	return l == &q->runs.head ? NULL : run_of(l);
}

/* The block around `start`: runs that touch are one.  False: it is not held. */
static bool
block_at(const struct tcp_reass *q, seq_t start, struct tcp_sack_block *b)
{
	struct tcp_run *r = find_before(q, start), *o;

	if (!r || !seq_le(r->start, start) || !seq_lt(start, r->end))
		return false;
	*b = (struct tcp_sack_block){ r->start, r->end };
	for (struct link *l = r->link.prev; l != &q->runs.head; l = l->prev) {
		o = run_of(l);
		if (!seq_eq(o->end, b->start))
			break;
		b->start = o->start;
	}
	for (o = run_after(q, r); o && seq_eq(o->start, b->end); o = run_after(q, o))
		b->end = o->end;
	return true;
}

enum fate
tcp_reass_add(struct tcp_env *e, struct tcp_conn *c, seq_t seq, const uint8_t *text, uint32_t len)
{
	struct tcp_reass *q = reass_get(e, c);
	seq_t end = seq_add(seq, len);
	struct tcp_sack_block b;
	struct tcp_run *before;
	enum fate fate = SEG_OUT_OF_ORDER;

	if (!q)
		return DROP_NO_MEMORY;
	before = find_before(q, seq);
	if (block_at(q, seq, &b) && seq_le(end, b.end)) {
		note_recent(q, b.start);
		tcp_reass_duplicate(e, c, seq, end);
		return SEG_OUT_OF_ORDER;
	}
	while (seq_lt(seq, end) && fate == SEG_OUT_OF_ORDER) { /* once along the runs */
		struct tcp_run *next = run_after(q, before);
		uint32_t skip = before && seq_lt(seq, before->end) ? seq_sub(before->end, seq) : 0;
		uint32_t room;

		skip = min(skip, seq_sub(end, seq));
		seq = seq_add(seq, skip);
		text += skip;
		room = seq_sub(end, seq);
		if (next && seq_lt(next->start, end))
			room = min(room, seq_sub(next->start, seq));
		if (room)
			fate = store(e, c, &before, seq, text, room);
		seq = seq_add(seq, room);
		text += room;
		if (next && seq_eq(next->start, seq))
			before = next;
	}
	reass_put_if_idle(e, c);
	return fate;
}

/* `len` bytes at the start of a run are held elsewhere, or by nobody any more. */
static void
run_clip(struct tcp_reass *q, struct tcp_run *r, uint32_t len)
{
	r->start = seq_add(r->start, len);
	r->gone += len;
	q->bytes -= len;
}

static uint32_t
first_chunk_holds(const struct tcp_run *r)
{
	return (r->first == r->last ? r->fill : CHUNK_ROOM) - r->gone;
}

static void
first_chunk_free(struct tcp_env *e, struct tcp_reass *q, struct tcp_run *r)
{
	struct chunk *k = r->first;

	r->first = atomic_load_explicit(&k->next, memory_order_relaxed);
	r->gone = 0;
	q->chunks--;
	chunk_list_put(&e->spare, k);
}

/* Moves what of a run stands at RCV.NXT into the stream and drops what lies below; each chunk
 * that becomes empty may take what comes next.  False: a rest has to wait for chunks. */
static bool
run_deliver(struct tcp_env *e, struct tcp_conn *c, struct tcp_run *r)
{
	struct tcp_reass *q = tcp_reass(c);

	while (seq_lt(r->start, r->end)) {
		uint32_t len = first_chunk_holds(r), put;

		if (seq_lt(r->start, c->rcv_nxt)) {
			put = min(seq_sub(c->rcv_nxt, r->start), len);
		} else {
			(void)tcp_chunks_want(e, 2);
			put = stream_write(&c->streams->rcv_w, &c->streams->rcv_r, &e->spare,
			                   r->first->data + r->gone, len);
			c->rcv_nxt = seq_add(c->rcv_nxt, put);
			tcp_received(c, put);
			if (put == 0)
				return false;
		}
		run_clip(q, r, put);
		if (put == len && r->first != r->last)
			first_chunk_free(e, q, r);
	}
	return true;
}

bool
tcp_reass_deliver(struct tcp_env *e, struct tcp_conn *c)
{
	struct tcp_reass *q = tcp_reass(c);
	struct link *l;
	bool filled = false;

	while (q && (l = list_first(&q->runs)) && seq_le(run_of(l)->start, c->rcv_nxt)) {
		struct tcp_run *r = run_of(l);

		filled |= seq_lt(c->rcv_nxt, r->end);
		if (!run_deliver(e, c, r))
			break; /* no chunks: the rest stays until there are */
		run_free(e, q, r);
	}
	reass_put_if_idle(e, c);
	return filled;
}

bool
tcp_reass_beyond(const struct tcp_conn *c, seq_t seq)
{
	struct link *l = tcp_reass(c) ? list_last(&tcp_reass(c)->runs) : NULL;

	return l && seq_lt(seq, run_of(l)->end);
}

void
tcp_reass_duplicate(struct tcp_env *e, struct tcp_conn *c, seq_t start, seq_t end)
{
	struct tcp_reass *q;

	if (!(c->flags & TCPF_SACK) || !seq_lt(start, end) || !(q = reass_get(e, c)))
		return;
	q->dsack = (struct tcp_sack_block){ start, end };
}

/* Text at RCV.NXT that waits for chunks is no block: RFC 2018 3 has them isolated.  So it is sent
 * again soon, and the runs behind it make room then. */
static bool
beyond_a_hole(const struct tcp_conn *c, const struct tcp_sack_block *b)
{
	return seq_lt(c->rcv_nxt, b->start);
}

static bool
reported(const struct tcp_seg *s, unsigned from, seq_t start)
{
	for (unsigned i = from; i < s->n_sack; i++)
		if (seq_eq(s->sack[i].start, start))
			return true;
	return false;
}

/* Each gets as many as there is room for: an ACK that told of them may have been lost. */
static void
blocks_of_the_rest(const struct tcp_conn *c, struct tcp_seg *s, unsigned first_run, unsigned room)
{
	const struct tcp_reass *q = tcp_reass(c);
	struct tcp_sack_block b;

	for (struct tcp_run *r = run_after(q, NULL); r && s->n_sack < room; r = run_after(q, r)) {
		b = (struct tcp_sack_block){ r->start, r->end };
		for (struct tcp_run *o = run_after(q, r); o && seq_eq(o->start, b.end);
		     o = run_after(q, r)) {
			b.end = o->end;
			r = o;
		}
		if (beyond_a_hole(c, &b) && !reported(s, first_run, b.start))
			s->sack[s->n_sack++] = b;
	}
}

void
tcp_reass_blocks(struct tcp_env *e, struct tcp_conn *c, struct tcp_seg *s, unsigned room)
{
	struct tcp_reass *q = tcp_reass(c);
	unsigned first_run;

	s->n_sack = 0;
	if (!tcp_reass_speaks(c))
		return;
	if (!seq_eq(q->dsack.start, q->dsack.end)) {
		s->sack[s->n_sack++] = q->dsack;
		q->dsack.end = q->dsack.start;
	}
	first_run = s->n_sack;
	for (uint32_t i = 0; i < q->n_recent && s->n_sack < room; i++) {
		struct tcp_sack_block b;

		if (block_at(q, q->recent[i], &b) && beyond_a_hole(c, &b) &&
		    !reported(s, first_run, b.start))
			s->sack[s->n_sack++] = b;
	}
	blocks_of_the_rest(c, s, first_run, room);
	if (s->n_sack)
		s->opts |= TCP_OPT_SACK;
	reass_put_if_idle(e, c);
}

void
tcp_reass_release(struct tcp_env *e, struct tcp_conn *c)
{
	struct tcp_reass *q = tcp_reass(c);
	struct link *l;

	if (!q)
		return;
	while ((l = list_first(&q->runs)))
		run_free(e, q, run_of(l));
	pool_put(&e->reasses, q);
	c->rare->reass = NULL;
}

void
tcp_reass_check(const struct tcp_conn *c)
{
	const struct tcp_reass *q = tcp_reass(c);
	uint32_t bytes = 0, n = 0, chunks = 0;
	seq_t at = c->rcv_nxt;

	if (!q)
		return;
	list_for_each(l, &q->runs) {
		const struct tcp_run *r = run_of(l);

		assert(seq_lt(r->start, r->end));
		assert(seq_le(at, r->start));
		assert(r->first && r->last);
		at = r->end;
		bytes += seq_sub(r->end, r->start);
		for (struct chunk *k = r->first; k;
		     k = atomic_load_explicit(&k->next, memory_order_relaxed))
			chunks++;
		n++;
	}
	(void)at, (void)bytes, (void)n, (void)chunks;
	assert(bytes == q->bytes);
	assert(chunks == q->chunks);
	assert(n == q->n_runs);
}
