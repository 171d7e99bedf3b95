/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ranges stand on `sent` in sequence order.  Each is in one of four conditions,
 * and adds this much to `pipe`:
 *
 *	in flight         its length    on `timed`
 *	lost              0             on `lost`
 *	lost and resent   its length    on `timed`, at the back
 *	SACKed            0             on neither
 */

#include "tcp/tcp_sack.h"

#include "tcp/tcp_pmtu.h"
#include "tcp/tcp_rack.h"
#include "tcp/tcp_tlp.h"
#include "tcp/tcp_undo.h"

#define SENT_QUOTA_MIN 64u
#define LOST_WALK_MAX  64u  /* ranges that the place of a lost one may make us look at */
#define WALK_MAX       512u /* ranges that the blocks of one ACK may make us look at */

static struct tcp_sent *
sent_of(struct link *l)
{
	return l ? container_of(l, struct tcp_sent, link) : NULL;
}

static uint32_t
sent_len(const struct tcp_sent *r)
{
	return seq_sub(r->end, r->start);
}

static uint32_t
sent_pipe(const struct tcp_sent *r)
{
	if (r->flags & SENT_SACKED)
		return 0;
	return (r->flags & SENT_LOST) && !(r->flags & SENT_RETRANS) ? 0 : sent_len(r);
}

static bool
awaits_resending(const struct tcp_sent *r)
{
	return (r->flags & (SENT_LOST | SENT_RETRANS | SENT_SACKED)) == SENT_LOST;
}

static struct tcp_sent *
sent_after(const struct tcp_xmit *x, const struct tcp_sent *r)
{
	return r->link.next == &x->sent.head ? NULL : sent_of(r->link.next);
}

static struct tcp_sent *
sent_before(const struct tcp_xmit *x, const struct tcp_sent *r)
{
	return r->link.prev == &x->sent.head ? NULL : sent_of(r->link.prev);
}

/* Lost ranges leave again from the lowest up (RFC 6675 4, NextSeg() rule 1), also what is lost
 * once more: a peer may have no room to hold anything beyond it, and then tells of nothing else.
 * One with many in flight below it has to be the lowest of all, or goes last. */
static void
lost_insert(struct tcp_xmit *x, struct tcp_sent *r)
{
	struct link *first = list_first(&x->lost);
	struct tcp_sent *below = sent_before(x, r);

	for (unsigned i = 0; i < LOST_WALK_MAX && below && !awaits_resending(below); i++)
		below = sent_before(x, below);
	if (below && awaits_resending(below))
		link_insert_after(&below->tlink, &r->tlink);
	else if (!first || seq_lt(r->start, container_of(first, struct tcp_sent, tlink)->start))
		list_push_front(&x->lost, &r->tlink);
	else
		list_push_back(&x->lost, &r->tlink);
}

/* The only place that changes flags that count in sums and lists. */
static void
sent_mark(struct tcp_xmit *x, struct tcp_sent *r, uint8_t flags)
{
	uint32_t len = sent_len(r);

	x->pipe -= sent_pipe(r);
	if (r->flags & SENT_SACKED) {
		x->sacked -= len;
		x->n_sacked -= r->segs;
	}
	r->flags = flags;
	x->pipe += sent_pipe(r);
	if (flags & SENT_SACKED) {
		x->sacked += len;
		x->n_sacked += r->segs;
	}
	link_remove(&r->tlink);
	if (flags & SENT_SACKED)
		return;
	if (awaits_resending(r))
		lost_insert(x, r);
	else
		list_push_back(&x->timed, &r->tlink);
}

static int64_t
timed_at(struct link *l)
{
	return container_of(l, struct tcp_sent, tlink)->sent_at;
}

/* The ranges of `old` become timed again.  Both lists stand in order of sending. */
static void
timed_merge(struct tcp_xmit *x, struct list *old)
{
	struct list young;
	struct link *a, *b;

	list_init(&young);
	list_splice_back(&young, &x->timed);
	while ((a = list_first(old)) && (b = list_first(&young))) {
		struct link *next = timed_at(a) <= timed_at(b) ? a : b;

		link_remove(next);
		list_push_back(&x->timed, next);
	}
	list_splice_back(&x->timed, old);
	list_splice_back(&x->timed, &young);
}

/* Takes `flags` from every range that has one of them. */
static void
sent_unmark(struct tcp_xmit *x, uint8_t flags)
{
	struct list old;

	list_init(&old);
	list_for_each(l, &x->sent) {
		struct tcp_sent *r = sent_of(l);
		bool resent = (r->flags & SENT_RETRANS) && !(r->flags & SENT_SACKED);

		if (!(r->flags & flags) || resent)
			continue; /* a retransmission is in flight, and timed, already */
		sent_mark(x, r, r->flags & (uint8_t)~flags);
		link_remove(&r->tlink);
		list_push_back(&old, &r->tlink);
	}
	timed_merge(x, &old);
}

static void
xmit_init(struct tcp_xmit *x, seq_t una)
{
	memset(x, 0, offsetof(struct tcp_xmit, known));
	list_init(&x->sent);
	list_init(&x->timed);
	list_init(&x->lost);
	x->high_sacked = x->rack_end = x->cwnd_full = x->pushed = x->small = una;
	x->hystart = cc_hystart_none(una);
}

/* No connection takes more than a quarter of the records: a peer that opens its window wide
 * and announces a tiny MSS must not keep the others from sending. */
static uint32_t
sent_quota(const struct tcp_env *e)
{
	return max(e->sents.max / 4, SENT_QUOTA_MIN);
}

bool
tcp_sack_sent(struct tcp_env *e, struct tcp_conn *c, seq_t start, seq_t end, bool fin, int64_t now)
{
	struct tcp_xmit *x = c->xmit;
	struct tcp_sent *r;

	if (!x) {
		if (!(x = pool_get(&e->xmits)))
			return false;
		xmit_init(x, c->snd_una);
		x->rto_at = c->rtx_at;
		c->xmit = x;
	}
	if (x->n_sent >= sent_quota(e) || !(r = pool_get(&e->sents))) {
		if (list_empty(&x->sent)) {
			pool_put(&e->xmits, x);
			c->xmit = NULL;
		}
		return false;
	}
	*r = (struct tcp_sent){ .sent_at = now, .start = start, .end = end, .segs = 1 };
	r->flags = fin ? SENT_FIN : 0;
	tcp_rate_sent(c, r, now);
	x->pipe += sent_len(r);
	x->n_sent++;
	list_push_back(&x->sent, &r->link);
	list_push_back(&x->timed, &r->tlink);
	return true;
}

/* A record that adds nothing to the sums any more. */
static void
sent_drop(struct tcp_env *e, struct tcp_xmit *x, struct tcp_sent *r)
{
	if (x->seen == r)
		x->seen = sent_before(x, r);
	link_remove(&r->link);
	x->n_sent--;
	pool_put(&e->sents, r);
}

static void
sent_free(struct tcp_env *e, struct tcp_xmit *x, struct tcp_sent *r)
{
	sent_mark(x, r, r->flags & (uint8_t)~SENT_SACKED);
	x->pipe -= sent_pipe(r);
	link_remove(&r->tlink);
	sent_drop(e, x, r);
}

bool
tcp_sack_split(struct tcp_env *e, struct tcp_conn *c, struct tcp_sent *r, seq_t at)
{
	struct tcp_xmit *x = c->xmit;
	struct tcp_sent *rest;

	assert(seq_lt(r->start, at) && seq_lt(at, r->end));
	if (!(rest = pool_get(&e->sents)))
		return false;
	*rest = *r;
	rest->link = rest->tlink = (struct link){ NULL, NULL };
	rest->start = at;
	r->end = at;
	r->flags &= (uint8_t)~(SENT_FIN | SENT_EOR);
	rest->segs = 1;
	x->n_sent++;
	if (r->segs > 1)
		r->segs--;
	else if (r->flags & SENT_SACKED)
		x->n_sacked++;
	link_insert_after(&r->link, &rest->link);
	if (link_on_list(&r->tlink))
		link_insert_after(&r->tlink, &rest->tlink);
	return true;
}

void
tcp_sack_join(struct tcp_env *e, struct tcp_conn *c, struct tcp_sent *r, uint32_t limit)
{
	struct tcp_xmit *x = c->xmit;

	while (r->link.next != &x->sent.head && !(r->flags & SENT_EOR)) {
		struct tcp_sent *next = sent_of(r->link.next);

		if (!awaits_resending(next) || seq_sub(next->end, r->start) > limit)
			return;
		r->end = next->end;
		r->flags |= next->flags & (SENT_FIN | SENT_EOR | SENT_EVER_RETRANS);
		sent_free(e, x, next);
	}
}

/* A range has reached the peer.  Karn: only one sent once gives a sample. */
static void
range_delivered(struct tcp_conn *c, const struct tcp_sent *r, int64_t now, struct sack_news *n)
{
	if (r->flags & SENT_SACKED)
		return;
	n->delivered += sent_len(r);
	if (!(r->flags & SENT_EVER_RETRANS)) {
		n->rtt_ns = now - r->sent_at;
		n->original |= seq_le(r->end, c->recover);
	}
	n->n_delivered++;
	tcp_pmtu_delivered(c, sent_len(r));
	tcp_rate_delivered(r, now, &n->rate);
	tcp_rack_delivered(c, r, n, now);
}

/* Peers without SACK: of `freed` segments one filled the hole, and the others had
 * shown themselves by duplicate ACKs, when their delivery was counted. */
static void
reno_dups_explained(struct tcp_conn *c, uint32_t freed, struct sack_news *n)
{
	struct tcp_xmit *x = c->xmit;
	uint32_t shown = min(x->reno_dups, freed ? freed - 1 : 0);

	if (c->ca != TCP_CA_RECOVERY) {
		x->reno_dups = 0;
		return;
	}
	n->delivered -= min(n->delivered, shown * c->mss);
	x->reno_dups = min(x->reno_dups - shown, x->n_sent);
}

/* A part of a range has reached the peer; the rest stays what it is.  But what was too large to
 * leave again at once, with no record left to split it, left in part: the rest does now. */
static void
part_delivered(struct tcp_conn *c, struct tcp_sent *r, seq_t una, struct sack_news *n)
{
	const uint8_t resent = SENT_LOST | SENT_RETRANS;
	bool in_part = (r->flags & resent) == resent && sent_len(r) > c->mss;
	uint32_t cut = seq_sub(una, r->start);
	struct tcp_xmit *x = c->xmit;

	n->delivered += r->flags & SENT_SACKED ? 0 : cut;
	x->pipe -= min(sent_pipe(r), cut);
	if (r->flags & SENT_SACKED)
		x->sacked -= cut;
	r->start = una;
	if (in_part)
		sent_mark(x, r, (uint8_t)(r->flags & ~SENT_RETRANS));
}

void
tcp_sack_acked(struct tcp_env *e, struct tcp_conn *c, seq_t una, int64_t now, struct sack_news *n)
{
	struct tcp_xmit *x = c->xmit;
	struct tcp_sent *r;
	uint32_t freed = 0;

	if (!x)
		return;
	while ((r = sent_of(list_first(&x->sent))) && seq_lt(r->start, una)) {
		if (seq_lt(una, r->end)) {
			part_delivered(c, r, una, n);
			break;
		}
		range_delivered(c, r, now, n);
		n->fin |= (r->flags & SENT_FIN) != 0;
		if (r->flags & SENT_EVER_RETRANS) {
			n->again_at = n->again ? max(n->again_at, r->sent_at) : r->sent_at;
			n->again = true;
		}
		freed++;
		sent_free(e, x, r);
	}
	if (n->again) /* the others may have waited at the peer for this one */
		n->rtt_ns = -1;
	if (seq_lt(x->high_sacked, una))
		x->high_sacked = una;
	reno_dups_explained(c, freed, n);
}

/* `next`, behind `r`, is SACKED as `r` is: one record remembers both.  What the peer holds
 * then costs a record a hole, not a record a segment. */
static void
sacked_join(struct tcp_env *e, struct tcp_xmit *x, struct tcp_sent *r, struct tcp_sent *next)
{
	r->end = next->end;
	r->segs += next->segs;
	r->flags |= next->flags & (SENT_FIN | SENT_EOR | SENT_EVER_RETRANS);
	sent_drop(e, x, next);
}

/* The range has arrived; returns the one that stands for it now. */
static struct tcp_sent *
range_sacked(struct tcp_env *e, struct tcp_conn *c, struct tcp_sent *r, int64_t now,
             struct sack_news *n)
{
	struct tcp_xmit *x = c->xmit;
	struct tcp_sent *before = sent_before(x, r), *after = sent_after(x, r);

	range_delivered(c, r, now, n);
	n->sacked += sent_len(r);
	sent_mark(x, r, (r->flags | SENT_SACKED) & (uint8_t)~(SENT_LOST | SENT_RETRANS));
	x->high_sacked = seq_max(x->high_sacked, r->end);
	if (after && (after->flags & SENT_SACKED) && !(r->flags & SENT_EOR))
		sacked_join(e, x, r, after);
	if (!before || (before->flags & (SENT_SACKED | SENT_EOR)) != SENT_SACKED)
		return r;
	sacked_join(e, x, before, r);
	return before;
}

/* Where to begin the search for `at`: the first range, the last, or where the last search
 * ended, whichever is nearest.  Below what is SACKed never the last: between are all that
 * nobody has told of, one by one. */
static struct tcp_sent *
nearest(const struct tcp_xmit *x, seq_t at)
{
	struct tcp_sent *first = sent_of(list_first(&x->sent)), *last = sent_of(list_last(&x->sent));
	struct tcp_sent *r = first;
	uint32_t far = seq_sub(at, first->start), d = seq_sub(last->end, at);

	if (d < far && !seq_lt(at, x->high_sacked)) {
		r = last;
		far = d;
	}
	if (!x->seen)
		return r;
	d = seq_lt(at, x->seen->start) ? seq_sub(x->seen->start, at) : seq_sub(at, x->seen->start);
	return d < far ? x->seen : r;
}

/* The first range that begins at `at` or behind; NULL: none, or not found within the budget.
 * Where it gave up the next search goes on. */
static struct tcp_sent *
range_from(struct tcp_xmit *x, seq_t at, uint32_t *budget)
{
	struct tcp_sent *r = nearest(x, at), *before;

	while (r && seq_lt(r->start, at) && *budget > 0) {
		x->seen = r;
		r = sent_after(x, r);
		--*budget;
	}
	while (r && *budget > 0 && (before = sent_before(x, r)) && seq_le(at, before->start)) {
		x->seen = r = before;
		--*budget;
	}
	return *budget > 0 ? r : NULL;
}

/* How far the blocks of the last ACK have told of this one. */
static seq_t
known_to(const struct tcp_xmit *x, const struct tcp_sack_block *b)
{
	seq_t at = b->start;

	for (unsigned i = 0; i < x->n_known; i++)
		if (seq_eq(x->known[i].start, b->start) && seq_le(x->known[i].end, b->end))
			at = seq_max(at, x->known[i].end);
	return at;
}

/* Marks the ranges that lie in [b.start, b.end) as a whole.  A range is what left
 * as one segment: the peer holds it or does not, and one that claims a part of
 * it, byte by byte, shall not make us keep a book on each byte.  Returns the end of
 * what has been looked at. */
static seq_t
one_block(struct tcp_env *e, struct tcp_conn *c, const struct tcp_sack_block *b, uint32_t *budget,
          int64_t now, struct sack_news *n)
{
	struct tcp_xmit *x = c->xmit;
	seq_t at = known_to(x, b);
	struct tcp_sent *r = seq_lt(at, b->end) ? range_from(x, at, budget) : NULL;

	/* What is new pays for itself: it can be told only once. */
	while (r && seq_le(r->end, b->end) && *budget > 0) {
		if (r->flags & SENT_SACKED)
			--*budget;
		else
			r = range_sacked(e, c, r, now, n);
		x->seen = r;
		at = r->end;
		r = sent_after(x, r);
	}
	return at;
}

/* RFC 2883 4: the first block reports a duplicate when it lies below SEG.ACK
 * or inside the second block. */
static bool
first_is_dsack(const struct tcp_seg *s)
{
	if (seq_le(s->sack[0].end, s->ack))
		return true;
	return s->n_sack > 1 && seq_le(s->sack[1].start, s->sack[0].start) &&
	       seq_le(s->sack[0].end, s->sack[1].end);
}

/* RFC 2883 4: only what was sent, and not more than a window at once. */
static void
take_duplicate(struct tcp_env *e, struct tcp_conn *c, struct tcp_sack_block b, struct sack_news *n)
{
	uint32_t len = seq_sub(b.end, b.start);

	if (!seq_lt(b.start, b.end) || seq_lt(c->snd_nxt, b.end) || len > c->snd_wnd_max)
		return;
	n->dup = b;
	tcp_rare_own(e, c)->dsack_dups += (len + c->mss - 1) / c->mss;
	n->dup_again = tcp_undo_duplicate(c, &b);
	n->dup_probe = tcp_tlp_was(c, &b);
}

/* Only what is in flight can be held by the peer. */
static bool
in_flight(const struct tcp_conn *c, const struct tcp_sack_block *b)
{
	return seq_lt(b->start, b->end) && seq_le(c->snd_una, b->start) &&
	       seq_lt(c->snd_una, b->end) && seq_le(b->end, c->snd_nxt);
}

static void
sorted_insert(struct tcp_sack_block *sorted, unsigned n, struct tcp_sack_block b)
{
	for (; n > 0 && seq_lt(b.start, sorted[n - 1].start); n--)
		sorted[n] = sorted[n - 1];
	sorted[n] = b;
}

/* Each ACK repeats what the ones before have told, and grows one block: the others
 * must not cost a search that leads away from where the news is. */
static void
blocks_known(struct tcp_xmit *x, const struct tcp_sack_block *blocks, unsigned n)
{
	memcpy(x->known, blocks, n * sizeof *blocks);
	x->n_known = (uint8_t)n;
}

/* Blocks come newest first; taken from the lowest up, so that several that are
 * told of at once do not look as if they had overtaken each other. */
void
tcp_sack_blocks(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s, int64_t now,
                struct sack_news *n)
{
	struct tcp_sack_block blocks[TCP_SACK_MAX];
	unsigned n_blocks = 0;
	uint32_t budget = WALK_MAX;

	if (c->xmit && s->n_sack == 0)
		c->xmit->n_known = 0;
	if (!(c->flags & TCPF_SACK) || s->n_sack == 0)
		return;
	n->dsack = first_is_dsack(s);
	if (n->dsack)
		take_duplicate(e, c, s->sack[0], n);
	if (!c->xmit)
		return;
	for (unsigned i = n->dsack; i < s->n_sack; i++)
		if (in_flight(c, &s->sack[i]))
			sorted_insert(blocks, n_blocks++, s->sack[i]);
	for (unsigned i = 0; i < n_blocks; i++)
		blocks[i].end = one_block(e, c, &blocks[i], &budget, now, n);
	blocks_known(c->xmit, blocks, n_blocks);
}

void
tcp_sack_lost(struct tcp_conn *c, struct tcp_sent *r)
{
	tcp_rate_lost(c, r);
	sent_mark(c->xmit, r, (r->flags | SENT_LOST) & (uint8_t)~SENT_RETRANS);
}

void
tcp_sack_resent(struct tcp_env *e, struct tcp_conn *c, struct tcp_sent *r, int64_t now)
{
	struct tcp_rare *rare = tcp_rare_own(e, c);

	r->sent_at = now;
	tcp_rate_sent(c, r, now);
	sent_mark(c->xmit, r, r->flags | SENT_RETRANS | SENT_EVER_RETRANS);
	tcp_undo_resent(c, r, now);
	rare->total_retrans++;
	rare->bytes_retrans += seq_sub(r->end, r->start);
	e->retransmits++;
}

struct tcp_sent *
tcp_sack_last(const struct tcp_conn *c)
{
	return c->xmit ? sent_of(list_last(&c->xmit->sent)) : NULL;
}

void
tcp_sack_unlose(struct tcp_conn *c)
{
	if (c->xmit)
		sent_unmark(c->xmit, SENT_LOST);
}

void
tcp_sack_forget(struct tcp_conn *c)
{
	if (!c->xmit)
		return;
	sent_unmark(c->xmit, SENT_SACKED);
	c->xmit->n_known = 0;
}

void
tcp_sack_release(struct tcp_env *e, struct tcp_conn *c)
{
	struct tcp_sent *r;

	if (!c->xmit)
		return;
	while ((r = sent_of(list_first(&c->xmit->sent))))
		sent_free(e, c->xmit, r);
	pool_put(&e->xmits, c->xmit);
	c->xmit = NULL;
}

void
tcp_sack_check(const struct tcp_conn *c)
{
	const struct tcp_xmit *x = c->xmit;
	uint32_t pipe = 0, sacked = 0, n = 0, n_sacked = 0;
	seq_t at = c->snd_una;

	if (!x) {
		assert(!tcp_facts[c->state].synchronized || tcp_flight(c) == 0);
		return;
	}
	list_for_each(l, &x->sent) {
		const struct tcp_sent *r = sent_of(l);

		assert(seq_eq(r->start, at));
		assert(seq_lt(r->start, r->end));
		assert(link_on_list(&r->tlink) == !(r->flags & SENT_SACKED));
		at = r->end;
		pipe += sent_pipe(r);
		n++;
		if (r->flags & SENT_SACKED) {
			sacked += sent_len(r);
			n_sacked += r->segs;
		}
	}
	(void)at, (void)pipe, (void)sacked, (void)n, (void)n_sacked;
	assert(seq_eq(at, c->snd_nxt));
	assert(pipe == x->pipe);
	assert(sacked == x->sacked);
	assert(n == x->n_sent);
	assert(n_sacked == x->n_sacked);
}
