/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each direction is a `struct line`.  What comes to it draws its faults and then
 * waits in a heap ordered by the moment it is due (and, at the same moment, by
 * arrival); whatever is due goes on.  A packet without delay passes the heap
 * too, so one path decides all order.
 *
 * Packets stay the inner engine's: one that waits is simply not released, or not
 * yet sent.  A duplicate is a copy in a buffer that the inner engine gave.
 */
#include "io_engine/io_fault.h"

#include <stdlib.h>

#include "base/be.h"
#include "base/rng.h"
#include "io_engine/io_sum.h"
#include "wire/sum.h"

#define ETH_LEN         14u
#define IP4_LEN         20u
#define HOLD_DEFAULT    1024u
#define REORDER_DEFAULT MS(1)
#define RETRY           US(50) /* how long to leave an engine alone that is full */

struct held {
	int64_t due;
	uint64_t order; /* among those due at the same moment */
	struct io_pkt pkt;
};

struct line {
	struct io_fault_dir cfg;
	struct held *heap; /* the first due on top */
	uint32_t n;
	uint64_t arrivals;
	int64_t free_at;  /* when the rate lets the next packet go          */
	int64_t retry_at; /* the inner engine was full: not before this     */
	struct io_fault_counts counts;
};

struct io_fault {
	struct io io;
	struct io *inner;
	struct rng rng;
	struct line rx, tx;
};

static struct io_fault *
fault_of(struct io *io)
{
	return container_of(io, struct io_fault, io);
}

/* ---- the heap ------------------------------------------------------------ */

static bool
is_before(const struct held *a, const struct held *b)
{
	return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void
heap_swap(struct line *l, uint32_t i, uint32_t j)
{
	struct held t = l->heap[i];

	l->heap[i] = l->heap[j];
	l->heap[j] = t;
}

static void
heap_push(struct line *l, const struct held *h)
{
	uint32_t i = l->n++;

	l->heap[i] = *h;
	for (; i && is_before(&l->heap[i], &l->heap[(i - 1) / 2]); i = (i - 1) / 2)
		heap_swap(l, i, (i - 1) / 2);
}

static void
heap_pop(struct line *l)
{
	uint32_t i = 0, child;

	l->heap[0] = l->heap[--l->n];
	while ((child = 2 * i + 1) < l->n) {
		if (child + 1 < l->n && is_before(&l->heap[child + 1], &l->heap[child]))
			child++;
		if (!is_before(&l->heap[child], &l->heap[i]))
			return;
		heap_swap(l, i, child);
		i = child;
	}
}

/* ---- the faults ---------------------------------------------------------- */

/* Sums are finished first: a port that fills them in later would make the
 * damage look right.  What the receiving port said of a sum is void. */
static void
corrupt(struct io_fault *f, struct line *l, struct io_pkt *pkt)
{
	uint32_t bit;

	if (pkt->len <= ETH_LEN)
		return;
	io_sum_finish(pkt);
	bit = rng_below(&f->rng, (pkt->len - ETH_LEN) * 8);
	pkt->data[ETH_LEN + bit / 8] ^= (uint8_t)(1u << bit % 8);
	pkt->flags &= (uint16_t)~(IO_RX_IP_GOOD | IO_RX_IP_BAD | IO_RX_L4_GOOD | IO_RX_L4_BAD);
	l->counts.corrupted++;
}

/* How long the rate needs for so many bytes. */
static int64_t
line_time(const struct line *l, uint32_t bytes)
{
	return (int64_t)(bytes * (8u * (uint64_t)NS_PER_S) / l->cfg.rate_bps);
}

/* Whether more than `limit` bytes would wait if `len` more came now. */
static bool
is_above(const struct line *l, int64_t now, uint32_t len, uint32_t limit)
{
	return l->cfg.rate_bps && limit &&
	       max(l->free_at - now, 0) + line_time(l, len) > line_time(l, limit);
}

static bool
is_full(const struct line *l, int64_t now, uint32_t len)
{
	return l->n == l->cfg.hold || is_above(l, now, len, l->cfg.queue_bytes);
}

/* Congestion experienced, where an IPv4 sender says that it understands (RFC 3168 5). */
static void
mark(struct line *l, struct io_pkt *pkt)
{
	uint8_t *ip = pkt->data + ETH_LEN;
	uint32_t hdr_len;
	uint16_t sum;

	if (pkt->len < ETH_LEN + IP4_LEN || get_be16(pkt->data + 12) != 0x0800 ||
	    (ip[1] & 3) == 0 || (ip[1] & 3) == 3)
		return;
	hdr_len = (ip[0] & 15u) * 4u;
	if (hdr_len < IP4_LEN || ETH_LEN + hdr_len > pkt->len)
		return;
	ip[1] |= 3;
	l->counts.marked++;
	if (pkt->flags & IO_TX_IP_SUM)
		return;
	memset(ip + 10, 0, 2);
	sum = wire_sum_finish(wire_sum_add(0, ip, hdr_len));
	memcpy(ip + 10, &sum, sizeof sum);
}

/* When a packet that comes now goes on. */
static int64_t
line_due(struct io_fault *f, struct line *l, int64_t now, uint32_t len)
{
	int64_t due = now;

	if (l->cfg.rate_bps) {
		l->free_at = max(l->free_at, now) + line_time(l, len);
		due = l->free_at;
	}
	due += l->cfg.delay_ns;
	if (l->cfg.jitter_ns)
		due += (int64_t)(rng_u64(&f->rng) % ((uint64_t)l->cfg.jitter_ns + 1));
	if (rng_chance_ppm(&f->rng, l->cfg.reorder_ppm)) {
		due += l->cfg.reorder_ns;
		l->counts.reordered++;
	}
	return due;
}

static void
line_hold(struct io_fault *f, struct line *l, int64_t now, struct io_pkt *pkt)
{
	struct held h = { .order = l->arrivals++, .pkt = *pkt };

	if (is_full(l, now, pkt->len)) {
		l->counts.overflow++;
		io_release(f->inner, pkt, 1);
		return;
	}
	if (is_above(l, now, pkt->len, l->cfg.mark_bytes))
		mark(l, pkt);
	h.due = line_due(f, l, now, pkt->len);
	l->counts.delayed += h.due > now;
	heap_push(l, &h);
}

/* A copy; false when there is no buffer, or none large enough. */
static bool
copy_of(struct io_fault *f, const struct io_pkt *pkt, struct io_pkt *copy)
{
	struct io_pkt made;

	if (io_alloc(f->inner, &made, 1) != 1)
		return false;
	if (made.room < pkt->len) {
		io_release(f->inner, &made, 1);
		return false;
	}
	*copy = *pkt;
	copy->data = made.data;
	copy->room = made.room;
	copy->handle = made.handle;
	memcpy(copy->data, pkt->data, pkt->len);
	return true;
}

/* A packet comes to the line, which decides its fate. */
static void
line_meet(struct io_fault *f, struct line *l, int64_t now, struct io_pkt *pkt)
{
	struct io_pkt twin;
	bool twice;

	l->counts.packets++;
	if (rng_chance_ppm(&f->rng, l->cfg.loss_ppm)) {
		l->counts.lost++;
		io_release(f->inner, pkt, 1);
		return;
	}
	twice = rng_chance_ppm(&f->rng, l->cfg.dup_ppm) && copy_of(f, pkt, &twin);
	if (rng_chance_ppm(&f->rng, l->cfg.corrupt_ppm))
		corrupt(f, l, pkt);
	line_hold(f, l, now, pkt);
	if (twice) {
		l->counts.duplicated++;
		line_hold(f, l, now, &twin);
	}
}

/* Up to `n` packets that are due, in order. */
static unsigned
line_take(struct line *l, int64_t now, struct io_pkt *pkts, unsigned n)
{
	unsigned i;

	for (i = 0; i < n && l->n && l->heap[0].due <= now; i++) {
		pkts[i] = l->heap[0].pkt;
		heap_pop(l);
	}
	return i;
}

/* ---- sending ------------------------------------------------------------- */

/* Puts back what the inner engine refused, at the place it had. */
static void
line_put_back(struct line *l, int64_t now, const struct held *h, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		heap_push(l, &h[i]);
	l->retry_at = now + RETRY;
}

/* One burst of what is due.  False when nothing was, or nothing more is taken. */
static bool
tx_burst(struct io_fault *f, int64_t now)
{
	struct held h[IO_BURST];
	struct io_pkt pkts[IO_BURST];
	struct line *l = &f->tx;
	unsigned n, sent;

	for (n = 0; n < IO_BURST && l->n && l->heap[0].due <= now; n++) {
		h[n] = l->heap[0];
		pkts[n] = h[n].pkt;
		heap_pop(l);
	}
	sent = n ? io_tx(f->inner, now, pkts, n) : 0;
	if (sent < n)
		line_put_back(l, now, h + sent, n - sent);
	return n == IO_BURST && sent == n;
}

static void
tx_flush(struct io_fault *f, int64_t now)
{
	while (tx_burst(f, now))
		;
}

static bool
is_jammed(const struct line *l, int64_t now)
{
	return l->n && l->heap[0].due <= now;
}

/* An inner engine that is full is felt by the sender, as without faults; only
 * what the line itself holds too much of is lost. */
static unsigned
fault_tx(struct io *io, int64_t now, struct io_pkt *pkts, unsigned n)
{
	struct io_fault *f = fault_of(io);

	tx_flush(f, now);
	if (is_jammed(&f->tx, now))
		return 0;
	for (unsigned i = 0; i < n; i++)
		line_meet(f, &f->tx, now, &pkts[i]);
	tx_flush(f, now);
	return n;
}

/* ---- receiving ----------------------------------------------------------- */

static unsigned
fault_rx(struct io *io, int64_t now, struct io_pkt *pkts, unsigned n)
{
	struct io_fault *f = fault_of(io);
	struct io_pkt came[IO_BURST];
	unsigned got = io_rx(f->inner, now, came, min(n, IO_BURST));

	for (unsigned i = 0; i < got; i++)
		line_meet(f, &f->rx, now, &came[i]);
	tx_flush(f, now);
	return line_take(&f->rx, now, pkts, n);
}

static void
fault_release(struct io *io, struct io_pkt *pkts, unsigned n)
{
	io_release(fault_of(io)->inner, pkts, n);
}

static unsigned
fault_alloc(struct io *io, struct io_pkt *pkts, unsigned n)
{
	return io_alloc(fault_of(io)->inner, pkts, n);
}

/* ---- the rest of the seam ------------------------------------------------ */

static int64_t
line_deadline(const struct line *l)
{
	return l->n ? max(l->heap[0].due, l->retry_at) : TIME_NEVER;
}

static int64_t
fault_deadline(struct io *io)
{
	struct io_fault *f = fault_of(io);
	int64_t rx = line_deadline(&f->rx), tx = line_deadline(&f->tx);
	int64_t inner = f->inner->ops->deadline(f->inner);

	return min(min(rx, tx), inner);
}

static int
fault_rx_fd(struct io *io)
{
	struct io *inner = fault_of(io)->inner;

	return inner->ops->rx_fd(inner);
}

static bool
fault_rx_arm(struct io *io)
{
	struct io *inner = fault_of(io)->inner;

	return inner->ops->rx_arm(inner);
}

static void
fault_rx_disarm(struct io *io)
{
	struct io *inner = fault_of(io)->inner;

	inner->ops->rx_disarm(inner);
}

static void
fault_info(struct io *io, struct io_info *info)
{
	struct io *inner = fault_of(io)->inner;

	inner->ops->info(inner, info);
}

static int
fault_begin(struct io *io)
{
	return io_begin(fault_of(io)->inner);
}

static bool
fault_adopt(struct io *io, uint64_t cores)
{
	return io_adopt(fault_of(io)->inner, cores);
}

static void
line_drop(struct io_fault *f, struct line *l)
{
	for (uint32_t i = 0; i < l->n; i++)
		io_release(f->inner, &l->heap[i].pkt, 1);
	free(l->heap);
}

static void
fault_close(struct io *io)
{
	struct io_fault *f = fault_of(io);

	line_drop(f, &f->rx);
	line_drop(f, &f->tx);
	f->inner->ops->close(f->inner);
	free(f);
}

static const struct io_ops fault_ops = {
	.name = "fault",
	.begin = fault_begin,
	.rx = fault_rx,
	.release = fault_release,
	.alloc = fault_alloc,
	.tx = fault_tx,
	.deadline = fault_deadline,
	.rx_fd = fault_rx_fd,
	.rx_arm = fault_rx_arm,
	.rx_disarm = fault_rx_disarm,
	.info = fault_info,
	.adopt = fault_adopt,
	.close = fault_close,
};

static bool
line_init(struct line *l, const struct io_fault_dir *cfg)
{
	l->cfg = *cfg;
	l->cfg.hold = cfg->hold ? cfg->hold : HOLD_DEFAULT;
	l->cfg.reorder_ns = cfg->reorder_ns ? cfg->reorder_ns : REORDER_DEFAULT;
	l->free_at = INT64_MIN / 2; /* so that a difference of times is one */
	l->retry_at = INT64_MIN;
	l->heap = malloc(l->cfg.hold * sizeof *l->heap);
	return l->heap != NULL;
}

struct io *
io_fault_new(struct io *inner, const struct io_fault_config *cfg)
{
	struct io_fault *f = calloc(1, sizeof *f);

	if (!f)
		return NULL;
	f->io.ops = &fault_ops;
	f->inner = inner;
	f->rng.state = cfg->seed;
	if (!line_init(&f->rx, &cfg->rx) || !line_init(&f->tx, &cfg->tx)) {
		free(f->rx.heap);
		free(f->tx.heap);
		free(f);
		return NULL;
	}
	return &f->io;
}

void
io_fault_stats(struct io *io, struct io_fault_stats *stats)
{
	const struct io_fault *f = fault_of(io);

	stats->rx = f->rx.counts;
	stats->tx = f->tx.counts;
}
