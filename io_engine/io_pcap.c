/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The format is small enough to be written directly: a header of 24 bytes, then
 * per frame 16 bytes and the frame (draft-ietf-opsawg-pcap 4 and 5), in the
 * byte order of the machine, with the magic number that says nanoseconds.
 *
 * A frame to be sent has to be copied before the inner engine takes it, yet is
 * only a fact when it was taken: the copy is made at the end of the buffer and
 * the buffer's length goes back over those that were refused.
 */
#include "io_engine/io_pcap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io_engine/io_sum.h"

#define SNAP_MAX    65535u
#define MAGIC_NS    0xa1b23c4du
#define LINK_ETH    1u
#define HEADER      24u
#define RECORD      16u
#define FRAME_MAX   65536u
#define FLUSH_EVERY SEC(1)

struct io_pcap {
	struct io io;
	struct io *inner;
	struct io_pcap_config cfg;
	int fd;
	uint8_t *buf;     /* room for a burst of the largest records, at least      */
	size_t size, used;
	uint64_t in_file; /* bytes written to the file                              */
	int64_t flush_at;
	struct io_pcap_stats stats;
	uint8_t whole[FRAME_MAX]; /* a frame whose sums have to be finished         */
};

static struct io_pcap *
pcap_of(struct io *io)
{
	return container_of(io, struct io_pcap, io);
}

/* ---- the file ------------------------------------------------------------ */

/* All or nothing; -errno. */
static int
write_all(int fd, const uint8_t *p, size_t len)
{
	while (len) {
		ssize_t done = write(fd, p, len);

		if (done < 0 && errno != EINTR)
			return -errno;
		if (done > 0) {
			p += done;
			len -= (size_t)done;
		}
	}
	return 0;
}

static void
pcap_end(struct io_pcap *p, int error)
{
	p->stats.error = error;
	p->used = 0;
	close(p->fd);
	p->fd = -1;
}

static void
pcap_flush(struct io_pcap *p)
{
	int rc;

	if (p->fd < 0 || !p->used)
		return;
	rc = write_all(p->fd, p->buf, p->used);
	if (rc) {
		pcap_end(p, -rc);
		return;
	}
	p->in_file += p->used;
	p->used = 0;
}

static void
flush_now_and_then(struct io_pcap *p, int64_t now)
{
	if (now < p->flush_at)
		return;
	p->flush_at = now + FLUSH_EVERY;
	pcap_flush(p);
}

/* Room for a burst of the largest records, or the capture has ended. */
static void
make_room(struct io_pcap *p)
{
	if (p->size - p->used < IO_BURST * (size_t)(RECORD + p->cfg.snap))
		pcap_flush(p);
}

static bool
fits_limit(const struct io_pcap *p, size_t more)
{
	return !p->cfg.limit || p->in_file + p->used + more <= p->cfg.limit;
}

/* Whether a sum was left to a port: to ours, or, in a frame that its port vouches
 * for, to that of a virtual peer. */
static bool
is_unfinished(const struct io_pkt *pkt)
{
	if (pkt->flags & (IO_TX_IP_SUM | IO_TX_TCP_SUM))
		return true;
	return pkt->flags & IO_RX_L4_GOOD && io_sum_judge(pkt->data, pkt->len) & IO_RX_L4_BAD;
}

/* The bytes as a wire would see them. */
static const uint8_t *
final_bytes(struct io_pcap *p, const struct io_pkt *pkt)
{
	struct io_pkt copy = *pkt;

	if (pkt->len > sizeof p->whole || !is_unfinished(pkt))
		return pkt->data;
	memcpy(p->whole, pkt->data, pkt->len);
	copy.data = p->whole;
	if (pkt->flags & IO_RX_L4_GOOD)
		io_sum_repair(p->whole);
	else
		io_sum_finish(&copy);
	return p->whole;
}

/* Writes the record's head: seconds, nanoseconds, bytes here, bytes there were. */
static void
put_head(uint8_t *at, int64_t wall, uint32_t kept, uint32_t len)
{
	uint32_t head[4] = { (uint32_t)(wall / NS_PER_S), (uint32_t)(wall % NS_PER_S), kept,
		len };

	memcpy(at, head, sizeof head);
}

/* Appends a frame; there is room.  False when it is not kept. */
static bool
capture(struct io_pcap *p, int64_t now, const struct io_pkt *pkt)
{
	uint32_t kept = min(pkt->len, p->cfg.snap);

	if (p->fd < 0 || !fits_limit(p, RECORD + kept))
		return false;
	put_head(p->buf + p->used, now + p->cfg.wall_offset_ns, kept, pkt->len);
	memcpy(p->buf + p->used + RECORD, final_bytes(p, pkt), kept);
	p->used += RECORD + kept;
	return true;
}

/* ---- the engine ---------------------------------------------------------- */

static unsigned
pcap_rx(struct io *io, int64_t now, struct io_pkt *pkts, unsigned n)
{
	struct io_pcap *p = pcap_of(io);
	unsigned got = io_rx(p->inner, now, pkts, n), kept = 0;

	make_room(p);
	for (unsigned i = 0; i < got; i++)
		kept += capture(p, now, &pkts[i]);
	p->stats.written += kept;
	p->stats.skipped += got - kept;
	flush_now_and_then(p, now);
	return got;
}

static unsigned
pcap_tx(struct io *io, int64_t now, struct io_pkt *pkts, unsigned n)
{
	struct io_pcap *p = pcap_of(io);
	size_t end[IO_BURST + 1]; /* of the buffer after i frames */
	unsigned kept[IO_BURST + 1] = { 0 };
	unsigned sent;

	make_room(p);
	n = min(n, IO_BURST);
	end[0] = p->used;
	for (unsigned i = 0; i < n; i++) {
		kept[i + 1] = kept[i] + capture(p, now, &pkts[i]);
		end[i + 1] = p->used;
	}
	sent = io_tx(p->inner, now, pkts, n);
	p->used = end[sent];
	p->stats.written += kept[sent];
	p->stats.skipped += sent - kept[sent];
	return sent;
}

static void
pcap_release(struct io *io, struct io_pkt *pkts, unsigned n)
{
	io_release(pcap_of(io)->inner, pkts, n);
}

static unsigned
pcap_alloc(struct io *io, struct io_pkt *pkts, unsigned n)
{
	return io_alloc(pcap_of(io)->inner, pkts, n);
}

/* A capture with something in its buffer is no reason to wake: what is idle is
 * written when the engine is next called, or on close. */
static int64_t
pcap_deadline(struct io *io)
{
	struct io *inner = pcap_of(io)->inner;

	return inner->ops->deadline(inner);
}

static int
pcap_rx_fd(struct io *io)
{
	struct io *inner = pcap_of(io)->inner;

	return inner->ops->rx_fd(inner);
}

static bool
pcap_rx_arm(struct io *io)
{
	struct io *inner = pcap_of(io)->inner;

	return inner->ops->rx_arm(inner);
}

static void
pcap_rx_disarm(struct io *io)
{
	struct io *inner = pcap_of(io)->inner;

	inner->ops->rx_disarm(inner);
}

static void
pcap_info(struct io *io, struct io_info *info)
{
	struct io *inner = pcap_of(io)->inner;

	inner->ops->info(inner, info);
}

static int
pcap_begin(struct io *io)
{
	return io_begin(pcap_of(io)->inner);
}

static bool
pcap_adopt(struct io *io, uint64_t cores)
{
	return io_adopt(pcap_of(io)->inner, cores);
}

static void
pcap_close(struct io *io)
{
	struct io_pcap *p = pcap_of(io);

	pcap_flush(p);
	if (p->fd >= 0)
		close(p->fd);
	p->inner->ops->close(p->inner);
	free(p->buf);
	free(p);
}

static const struct io_ops pcap_ops = {
	.name = "pcap",
	.begin = pcap_begin,
	.rx = pcap_rx,
	.release = pcap_release,
	.alloc = pcap_alloc,
	.tx = pcap_tx,
	.deadline = pcap_deadline,
	.rx_fd = pcap_rx_fd,
	.rx_arm = pcap_rx_arm,
	.rx_disarm = pcap_rx_disarm,
	.info = pcap_info,
	.adopt = pcap_adopt,
	.close = pcap_close,
};

/* The file's header stands in the buffer and is written at once, so that a full
 * disk or a closed pipe is known before any packet. */
static int
put_header(struct io_pcap *p)
{
	const uint32_t header[6] = { MAGIC_NS, 2u | 4u << 16, 0, 0, p->cfg.snap, LINK_ETH };

	static_assert(sizeof header == HEADER, "pcap's file header");
	memcpy(p->buf, header, sizeof header);
	p->used = sizeof header;
	pcap_flush(p);
	return p->stats.error;
}

/* 0 or errno. */
static int
pcap_open(struct io_pcap *p)
{
	p->size = IO_BURST * (size_t)(RECORD + p->cfg.snap) + 65536;
	p->buf = malloc(p->size);
	if (!p->buf)
		return ENOMEM;
	p->fd = open(p->cfg.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0644);
	return p->fd < 0 ? errno : put_header(p);
}

struct io *
io_pcap_new(struct io *inner, const struct io_pcap_config *cfg, char *err, size_t errlen)
{
	struct io_pcap *p = malloc(sizeof *p);
	int error = ENOMEM;

	if (p) {
		memset(p, 0, offsetof(struct io_pcap, whole));
		p->io.ops = &pcap_ops;
		p->inner = inner;
		p->cfg = *cfg;
		p->cfg.snap = cfg->snap ? min(cfg->snap, SNAP_MAX) : SNAP_MAX;
		p->flush_at = INT64_MIN;
		p->fd = -1;
		error = pcap_open(p);
		if (!error)
			return &p->io;
		free(p->buf);
		free(p);
	}
	snprintf(err, errlen, "capture file %s: %s", cfg->path, strerror(error));
	return NULL;
}

void
io_pcap_flush(struct io *io)
{
	pcap_flush(pcap_of(io));
}

void
io_pcap_stats(struct io *io, struct io_pcap_stats *stats)
{
	*stats = pcap_of(io)->stats;
}
