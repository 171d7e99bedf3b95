/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One direction of one queue is a `struct lane`: a ring of pointers to frames,
 * filled by the sender's end and emptied by the receiver's.  A frame carries the
 * moment it is due, so latency and rate need no timers: the receiver looks at
 * the first frame and either takes it or says when it will.
 *
 * Sleeping follows the rule of all rings here: the receiver announces that it
 * sleeps by a sequentially consistent exchange and then looks again; the sender
 * pushes and then looks at the announcement.  One of the two sees the other.
 */
#include "io_engine/io_mem.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/spsc.h"
#include "io_engine/io_sum.h"

#define ETH_ROOM 18u  /* Ethernet header and one VLAN tag */
#define POISON   0xdb /* what freed memory is filled with */

/* A frame on the wire, and, from rx() or alloc() on, the buffer of a packet. */
struct frame {
	int64_t due;
	uint32_t len;  /* bytes used of data  */
	uint32_t size; /* bytes there are     */
	uint8_t data[];
};

struct lane {
	struct spsc ring;          /* of struct frame *                              */
	void *memory;              /* where the ring's slots lie                     */
	int64_t free_at;           /* sender: when the link has sent what it has     */
	_Alignas(CACHE_LINE) struct frame *first; /* receiver: taken from the ring, not due */
	int64_t told;              /* receiver: what deadline() said last            */
	_Atomic bool asleep;       /* receiver wants a signal                        */
	int event;                 /* eventfd, or -1                                 */
};

struct end {
	struct io io;
	struct io_mem_wire *wire;
	unsigned side, queue;
	struct lane *out, *in; /* NULL: no queue */
	bool closed;
	struct io_mem_stats stats;
};

struct io_mem_wire {
	struct io_mem_config cfg;
	io_mem_tap *tap;
	void *tap_arg;
	struct lane *lanes; /* [side that sends][queue] */
	struct end *ends;   /* [side][queue, then idle] */
};

static struct end *
end_of(struct io *io)
{
	return container_of(io, struct end, io);
}

static struct frame *
frame_of(const struct io_pkt *pkt)
{
	return pkt->handle;
}

static struct frame *
frame_new(uint32_t size)
{
	struct frame *f = malloc(sizeof *f + size);

	if (!f)
		return NULL;
	f->due = INT64_MIN;
	f->len = 0;
	f->size = size;
	return f;
}

static void
frame_free(struct frame *f)
{
	memset(f->data, POISON, f->size);
	free(f);
}

/* ---- sending ------------------------------------------------------------- */

/* When a frame sent now arrives. */
static int64_t
lane_due(struct lane *lane, const struct io_mem_config *cfg, int64_t now, uint32_t len)
{
	if (!cfg->rate_bps && !cfg->latency_ns)
		return INT64_MIN; /* at once, whatever the receiver's clock says */
	if (!cfg->rate_bps)
		return now + cfg->latency_ns;
	lane->free_at = max(lane->free_at, now) +
	                (int64_t)((uint64_t)len * 8u * (uint64_t)NS_PER_S / cfg->rate_bps);
	return lane->free_at + cfg->latency_ns;
}

static void
lane_wake(struct lane *lane)
{
	uint64_t one = 1;
	ssize_t done;

	if (lane->event < 0 || !atomic_load(&lane->asleep))
		return;
	if (!atomic_exchange(&lane->asleep, false))
		return;
	done = write(lane->event, &one, sizeof one);
	(void)done; /* a full counter is readable already */
}

/* False when the lane is full; the frame is then still the caller's. */
static bool
lane_send(struct lane *lane, const struct io_mem_config *cfg, int64_t now, struct frame *f)
{
	if (!spsc_room(&lane->ring))
		return false;
	f->due = lane_due(lane, cfg, now, f->len);
	return spsc_push(&lane->ring, (uint64_t)(uintptr_t)f);
}

static bool
tap_passes(struct end *e, int64_t now, struct frame *f)
{
	const struct io_mem_wire *w = e->wire;

	return !w->tap || w->tap(w->tap_arg, e->side, e->queue, now, f->data, f->len);
}

/* Where a frame goes: its own lane, or the one that cfg.steer chooses. */
static struct lane *
lane_for(struct end *e, const struct frame *f)
{
	const struct io_mem_config *cfg = &e->wire->cfg;

	if (!cfg->steer)
		return e->out;
	return &e->wire->lanes[e->side * cfg->queues +
	                       cfg->steer(cfg->steer_arg, e->side, e->queue, f->data, f->len)];
}

/* Copies a packet onto the wire.  False when the port refuses it for now. */
static bool
end_send(struct end *e, int64_t now, struct io_pkt *pkt)
{
	struct frame *f;

	if (!spsc_room(&e->out->ring) && !e->wire->cfg.drop_when_full)
		return false;
	e->stats.sent++;
	f = frame_new(pkt->len);
	if (!f) {
		e->stats.dropped++;
		return true;
	}
	io_sum_finish(pkt);
	memcpy(f->data, pkt->data, pkt->len);
	f->len = pkt->len;
	if (!tap_passes(e, now, f) || !lane_send(lane_for(e, f), &e->wire->cfg, now, f)) {
		frame_free(f);
		e->stats.dropped++;
	}
	return true;
}

static void
pkt_free(struct end *e, struct io_pkt *pkt)
{
	frame_free(frame_of(pkt));
	pkt->handle = NULL;
	pkt->data = NULL;
	e->stats.held--;
}

static unsigned
mem_tx(struct io *io, int64_t now, struct io_pkt *pkts, unsigned n)
{
	struct end *e = end_of(io);
	unsigned i;

	if (e->closed || !e->out)
		return 0;
	for (i = 0; i < n && end_send(e, now, &pkts[i]); i++)
		pkt_free(e, &pkts[i]);
	if (i)
		lane_wake(e->out);
	return i;
}

static bool
may_hold_more(const struct end *e)
{
	return !e->wire->cfg.pool || (int64_t)e->stats.held < (int64_t)e->wire->cfg.pool;
}

static unsigned
mem_alloc(struct io *io, struct io_pkt *pkts, unsigned n)
{
	struct end *e = end_of(io);
	unsigned i;

	for (i = 0; i < n && may_hold_more(e); i++) {
		struct frame *f = frame_new(e->wire->cfg.mtu + ETH_ROOM);

		if (!f)
			break;
		pkts[i] = (struct io_pkt){ .data = f->data, .room = f->size, .handle = f };
		e->stats.held++;
	}
	return i;
}

/* ---- receiving ----------------------------------------------------------- */

/* The first frame of the lane, due or not; NULL when the lane is empty. */
static struct frame *
lane_first(struct lane *lane)
{
	uint64_t word;

	if (!lane->first && spsc_pop(&lane->ring, &word))
		lane->first = (struct frame *)(uintptr_t)word;
	return lane->first;
}

static struct frame *
lane_take(struct lane *lane, int64_t now)
{
	struct frame *f = lane_first(lane);

	if (!f || f->due > now)
		return NULL;
	lane->first = NULL;
	return f;
}

/* Only what the port can do is said: a port may know one sum and not the other. */
static uint16_t
rx_flags(const struct io_mem_config *cfg, const struct frame *f)
{
	uint32_t says = 0;

	if (!(cfg->caps & (IO_CAP_RX_IP_SUM | IO_CAP_RX_L4_SUM)))
		return 0;
	if (cfg->caps & IO_CAP_RX_IP_SUM)
		says |= IO_RX_IP_GOOD | IO_RX_IP_BAD;
	if (cfg->caps & IO_CAP_RX_L4_SUM)
		says |= IO_RX_L4_GOOD | IO_RX_L4_BAD;
	return (uint16_t)(io_sum_judge(f->data, f->len) & says);
}

static unsigned
mem_rx(struct io *io, int64_t now, struct io_pkt *pkts, unsigned n)
{
	struct end *e = end_of(io);
	struct frame *f;
	unsigned i;

	if (e->closed || !e->in)
		return 0;
	for (i = 0; i < n && (f = lane_take(e->in, now)); i++) {
		pkts[i] = (struct io_pkt){
			.data = f->data,
			.len = f->len,
			.room = f->size,
			.flags = rx_flags(&e->wire->cfg, f),
			.handle = f,
		};
	}
	e->stats.received += i;
	e->stats.held += i;
	return i;
}

static void
mem_release(struct io *io, struct io_pkt *pkts, unsigned n)
{
	struct end *e = end_of(io);

	for (unsigned i = 0; i < n; i++)
		pkt_free(e, &pkts[i]);
}

static int64_t
mem_deadline(struct io *io)
{
	struct end *e = end_of(io);
	struct frame *f = e->closed || !e->in ? NULL : lane_first(e->in);

	if (!e->in)
		return TIME_NEVER;
	e->in->told = f ? f->due : TIME_NEVER;
	return e->in->told;
}

/* ---- sleeping ------------------------------------------------------------ */

static int
mem_rx_fd(struct io *io)
{
	return end_of(io)->in ? end_of(io)->in->event : -1;
}

static void
mem_rx_disarm(struct io *io)
{
	struct lane *lane = end_of(io)->in;
	uint64_t count;
	ssize_t done;

	if (!lane || lane->event < 0 || atomic_exchange(&lane->asleep, false))
		return; /* nobody signalled: nothing to read */
	done = read(lane->event, &count, sizeof count);
	(void)done;
}

/* A frame that deadline() has announced is waited for by the clock. */
static bool
mem_rx_arm(struct io *io)
{
	struct lane *lane = end_of(io)->in;
	struct frame *f;

	if (!lane || lane->event < 0)
		return true;
	atomic_exchange(&lane->asleep, true);
	f = lane_first(lane);
	if (!f || f->due == lane->told)
		return true;
	mem_rx_disarm(io);
	return false;
}

/* ---- the rest of the seam ------------------------------------------------ */

static void
mem_info(struct io *io, struct io_info *info)
{
	const struct end *e = end_of(io);
	const struct io_mem_config *cfg = &e->wire->cfg;

	*info = (struct io_info){
		.mac = { 2, 0, 0, 0, 0, to_u8(e->side + 1) },
		.mtu = cfg->mtu,
		.caps = cfg->caps | (e->in && e->in->event >= 0 ? IO_CAP_RX_WAIT : 0u),
		.queue = e->in ? e->queue : IO_NO_QUEUE,
		.queues = cfg->queues,
		.steering = cfg->rss     ? IO_STEER_RSS
		            : cfg->steer ? IO_STEER_UNKNOWN
		                         : IO_STEER_ORIGIN,
		.rss = cfg->rss,
	};
}

static void
mem_close(struct io *io)
{
	end_of(io)->closed = true;
}

static const struct io_ops mem_ops = {
	.name = "mem",
	.rx = mem_rx,
	.release = mem_release,
	.alloc = mem_alloc,
	.tx = mem_tx,
	.deadline = mem_deadline,
	.rx_fd = mem_rx_fd,
	.rx_arm = mem_rx_arm,
	.rx_disarm = mem_rx_disarm,
	.info = mem_info,
	.close = mem_close,
};

/* ---- the wire ------------------------------------------------------------ */

static bool
lane_init(struct lane *lane, const struct io_mem_config *cfg)
{
	struct region mem = { 0 };

	lane->event = -1;
	spsc_init(&lane->ring, &mem, cfg->depth); /* only asks how much it takes */
	lane->memory = calloc(1, mem.used);
	if (!lane->memory)
		return false;
	mem = (struct region){ .base = lane->memory, .size = mem.used };
	spsc_init(&lane->ring, &mem, cfg->depth);
	lane->told = TIME_NEVER;
	lane->free_at = INT64_MIN;
	if (cfg->wake)
		lane->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return !cfg->wake || lane->event >= 0;
}

static void
lane_destroy(struct lane *lane)
{
	uint64_t word;

	if (!lane->memory)
		return;
	if (lane->first)
		frame_free(lane->first);
	while (spsc_pop(&lane->ring, &word))
		frame_free((struct frame *)(uintptr_t)word);
	free(lane->memory);
	if (lane->event >= 0)
		close(lane->event);
}

static void
end_init(struct io_mem_wire *w, unsigned side, unsigned queue)
{
	unsigned queues = w->cfg.queues;
	struct end *e = &w->ends[side * (queues + w->cfg.idle) + queue];

	e->io.ops = &mem_ops;
	e->wire = w;
	e->side = side;
	e->queue = queue;
	if (queue >= queues)
		return;
	e->out = &w->lanes[side * queues + queue];
	e->in = &w->lanes[(1 - side) * queues + queue];
}

struct io_mem_wire *
io_mem_wire_new(const struct io_mem_config *cfg)
{
	struct io_mem_wire *w = calloc(1, sizeof *w);
	unsigned n;

	if (!w)
		return NULL;
	if (cfg)
		w->cfg = *cfg;
	w->cfg.queues = w->cfg.queues ? w->cfg.queues : 1;
	w->cfg.depth = w->cfg.depth ? w->cfg.depth : 1024;
	w->cfg.mtu = w->cfg.mtu ? w->cfg.mtu : 1500;
	n = 2 * w->cfg.queues;
	w->ends = calloc(n + 2 * (size_t)w->cfg.idle, sizeof *w->ends);
	w->lanes = aligned_alloc(CACHE_LINE, n * sizeof *w->lanes);
	if (!w->ends || !w->lanes)
		goto fail;
	memset(w->lanes, 0, n * sizeof *w->lanes);
	for (unsigned i = 0; i < n; i++)
		if (!lane_init(&w->lanes[i], &w->cfg))
			goto fail;
	for (unsigned side = 0; side < 2; side++)
		for (unsigned i = 0; i < w->cfg.queues + w->cfg.idle; i++)
			end_init(w, side, i);
	return w;
fail:
	io_mem_wire_free(w);
	return NULL;
}

void
io_mem_wire_free(struct io_mem_wire *w)
{
	if (!w)
		return;
	for (unsigned i = 0; w->lanes && i < 2 * w->cfg.queues; i++)
		lane_destroy(&w->lanes[i]);
	free(w->lanes);
	free(w->ends);
	free(w);
}

struct io *
io_mem_end(struct io_mem_wire *w, unsigned side, unsigned queue)
{
	assert(side < 2);
	assert(queue < w->cfg.queues + w->cfg.idle);
	return &w->ends[side * (w->cfg.queues + w->cfg.idle) + queue].io;
}

void
io_mem_set_tap(struct io_mem_wire *w, io_mem_tap *tap, void *arg)
{
	w->tap = tap;
	w->tap_arg = arg;
}

bool
io_mem_inject(struct io_mem_wire *w, unsigned side, unsigned queue, int64_t now,
              const void *frame, uint32_t len)
{
	struct lane *lane = end_of(io_mem_end(w, side, queue))->out;
	struct frame *f = frame_new(len);

	if (!f)
		return false;
	memcpy(f->data, frame, len);
	f->len = len;
	if (!lane_send(lane, &w->cfg, now, f)) {
		frame_free(f);
		return false;
	}
	lane_wake(lane);
	return true;
}

uint32_t
io_mem_read(struct io *io, int64_t now, void *buf, uint32_t size)
{
	struct io_pkt pkt;
	uint32_t len;

	if (!mem_rx(io, now, &pkt, 1))
		return 0;
	len = pkt.len;
	memcpy(buf, pkt.data, min(len, size));
	mem_release(io, &pkt, 1);
	return len;
}

void
io_mem_stats(struct io *io, struct io_mem_stats *stats)
{
	*stats = end_of(io)->stats;
}
