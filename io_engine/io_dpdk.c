/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets of one queue of one device.  An io_pkt points into its mbuf, which is
 * the handle; nothing is copied.
 */
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <errno.h>

#include <rte_epoll.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_prefetch.h>

#include "io_engine/io_dpdk_priv.h"

static struct io_dpdk_queue *
queue_of(struct io *io)
{
	return container_of(io, struct io_dpdk_queue, io);
}

/* A thread that DPDK does not know has no mempool cache: each buffer would be
 * an atomic operation on the pool's ring.  Once is enough, also when it fails. */
static void
queue_enter(struct io_dpdk_queue *q)
{
	q->entered = true;
	if (rte_lcore_id() == LCORE_ID_ANY && rte_thread_register() == 0)
		q->lcore = (int)rte_lcore_id();
}

/* ---- receiving ----------------------------------------------------------- */

/* "None" is what virtual devices say of a packet that never was on a wire: its
 * sum is not in place, and not needed. */
static uint16_t
rx_flags(uint64_t ol)
{
	uint64_t ip = ol & RTE_MBUF_F_RX_IP_CKSUM_MASK, l4 = ol & RTE_MBUF_F_RX_L4_CKSUM_MASK;
	unsigned f = 0;

	if (ol == 0) /* "unknown" of both, as from ports that look at nothing */
		return 0;
	if (ip == RTE_MBUF_F_RX_IP_CKSUM_GOOD || ip == RTE_MBUF_F_RX_IP_CKSUM_NONE)
		f |= IO_RX_IP_GOOD;
	else if (ip == RTE_MBUF_F_RX_IP_CKSUM_BAD)
		f |= IO_RX_IP_BAD;
	if (l4 == RTE_MBUF_F_RX_L4_CKSUM_GOOD || l4 == RTE_MBUF_F_RX_L4_CKSUM_NONE)
		f |= IO_RX_L4_GOOD;
	else if (l4 == RTE_MBUF_F_RX_L4_CKSUM_BAD)
		f |= IO_RX_L4_BAD;
	if (ol & RTE_MBUF_F_RX_RSS_HASH)
		f |= IO_RX_HASH;
	return (uint16_t)f;
}

static void
pkt_of_mbuf(struct io_pkt *pkt, struct rte_mbuf *m)
{
	*pkt = (struct io_pkt){
		.data = rte_pktmbuf_mtod(m, uint8_t *),
		.len = m->data_len,
		.room = (uint32_t)m->data_len + rte_pktmbuf_tailroom(m),
		.hash = m->hash.rss,
		.flags = rx_flags(m->ol_flags),
		.handle = m,
	};
}

/* The stack wants one piece; a frame that does not fit one buffer is larger
 * than the MTU the port was opened for. */
static bool
is_one_piece(struct io_dpdk_queue *q, struct rte_mbuf *m)
{
	if (likely(m->nb_segs == 1) || rte_pktmbuf_linearize(m) == 0)
		return true;
	rte_pktmbuf_free(m);
	q->rx_dropped++;
	return false;
}

static unsigned
aside_take(struct io_dpdk_queue *q, struct rte_mbuf **m, unsigned n)
{
	unsigned left = (unsigned)(q->aside_n - q->aside_at), got = min(left, n);

	memcpy(m, &q->aside[q->aside_at], got * sizeof *m);
	q->aside_at = (uint16_t)(q->aside_at + got);
	return got;
}

/* As many as there are on the queues of others. */
static unsigned
adopted_rx(struct io_dpdk_queue *q, struct rte_mbuf **m, unsigned n)
{
	unsigned got = 0;

	for (unsigned i = 0; i < q->n_adopted && got < n; i++)
		got += rte_eth_rx_burst(q->dev, q->adopted[i], m + got, (uint16_t)(n - got));
	return got;
}

static unsigned
dpdk_rx(struct io *io, int64_t now, struct io_pkt *pkts, unsigned n)
{
	struct io_dpdk_queue *q = queue_of(io);
	struct rte_mbuf *m[IO_BURST];
	unsigned got, out = 0;

	(void)now;
	assert(n <= IO_BURST);
	if (unlikely(!q->entered))
		queue_enter(q);
	got = unlikely(q->aside_at < q->aside_n)
	          ? aside_take(q, m, n)
	          : rte_eth_rx_burst(q->dev, q->queue, m, (uint16_t)n);
	if (unlikely(q->n_adopted > 0))
		got += adopted_rx(q, m + got, n - got);
	for (unsigned i = 0; i < got; i++) {
		if (i + 1 < got)
			rte_prefetch0(rte_pktmbuf_mtod(m[i + 1], void *));
		if (is_one_piece(q, m[i]))
			pkt_of_mbuf(&pkts[out++], m[i]);
	}
	return out;
}

static void
dpdk_release(struct io *io, struct io_pkt *pkts, unsigned n)
{
	struct rte_mbuf *m[IO_BURST];
	unsigned i = 0, k;

	(void)io;
	while (i < n) {
		for (k = 0; k < IO_BURST && i < n; k++, i++)
			m[k] = pkts[i].handle;
		rte_pktmbuf_free_bulk(m, k);
	}
}

/* ---- sending ------------------------------------------------------------- */

static unsigned
mbufs_get(struct io_dpdk_queue *q, struct rte_mbuf **m, unsigned n)
{
	unsigned got;

	if (likely(rte_pktmbuf_alloc_bulk(q->pool, m, n) == 0))
		return n;
	/* A burst is more than there is: as many as there are. */
	for (got = 0; got < n && (m[got] = rte_pktmbuf_alloc(q->pool)); got++)
		;
	return got;
}

static unsigned
dpdk_alloc(struct io *io, struct io_pkt *pkts, unsigned n)
{
	struct rte_mbuf *m[IO_BURST];

	n = mbufs_get(queue_of(io), m, min(n, IO_BURST));
	for (unsigned i = 0; i < n; i++)
		pkts[i] = (struct io_pkt){
			.data = rte_pktmbuf_mtod(m[i], uint8_t *),
			.room = rte_pktmbuf_tailroom(m[i]),
			.handle = m[i],
		};
	return n;
}

static uint64_t
tx_flags(uint16_t flags)
{
	uint64_t ol = 0;

	if (flags & IO_TX_IP_SUM)
		ol = RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
	if (flags & IO_TX_TCP_SUM)
		ol |= RTE_MBUF_F_TX_TCP_CKSUM;
	return ol;
}

/* Which IP a packet is of is asked only when the port has to know. */
static uint64_t
tx_family(const struct io_pkt *pkt)
{
	return pkt->data[pkt->l2_len] >> 4 == 4 ? RTE_MBUF_F_TX_IPV4 : RTE_MBUF_F_TX_IPV6;
}

static struct rte_mbuf *
mbuf_of_pkt(const struct io_pkt *pkt)
{
	struct rte_mbuf *m = pkt->handle;

	assert(pkt->len <= UINT16_MAX);
	m->data_off = (uint16_t)(pkt->data - (uint8_t *)m->buf_addr);
	m->data_len = (uint16_t)pkt->len;
	m->pkt_len = pkt->len;
	m->ol_flags = tx_flags(pkt->flags);
	if (m->ol_flags) {
		m->ol_flags |= tx_family(pkt);
		m->tx_offload =
		    rte_mbuf_tx_offload(pkt->l2_len, pkt->l3_len, pkt->l4_len, 0, 0, 0, 0);
	}
	return m;
}

/* What the device says cannot be sent will not become better by trying again. */
static unsigned
tx_refused(struct io_dpdk_queue *q, struct rte_mbuf *m)
{
	rte_pktmbuf_free(m);
	q->tx_dropped++;
	return 1;
}

static unsigned
dpdk_tx(struct io *io, int64_t now, struct io_pkt *pkts, unsigned n)
{
	struct io_dpdk_queue *q = queue_of(io);
	struct rte_mbuf *m[IO_BURST];
	uint64_t offloads = 0;

	(void)now;
	n = min(n, IO_BURST);
	for (unsigned i = 0; i < n; i++) {
		m[i] = mbuf_of_pkt(&pkts[i]);
		offloads |= m[i]->ol_flags;
	}
	if (offloads && n) {
		n = rte_eth_tx_prepare(q->dev, q->queue, m, (uint16_t)n);
		if (unlikely(n == 0))
			return tx_refused(q, m[0]);
	}
	return rte_eth_tx_burst(q->dev, q->queue, m, (uint16_t)n);
}

static int64_t
dpdk_deadline(struct io *io)
{
	(void)io;
	return TIME_NEVER;
}

/* ---- sleeping ------------------------------------------------------------ */

static int
dpdk_rx_fd(struct io *io)
{
	return queue_of(io)->fd;
}

/* Takes away what the interrupts of before have left in the descriptor. */
static void
intr_drain(struct io_dpdk_queue *q)
{
	struct rte_epoll_event ev;

	while (rte_epoll_wait(q->fd, &ev, 1, 0) > 0)
		;
}

static void
dpdk_rx_disarm(struct io *io)
{
	struct io_dpdk_queue *q = queue_of(io);

	if (q->wait != IO_DPDK_WAIT_INTR)
		return;
	rte_eth_dev_rx_intr_disable(q->dev, q->queue);
	intr_drain(q);
}

/* Enable, then look: a packet that came before is found by looking, one that
 * comes after makes an interrupt.  What was found is kept for rx(). */
static bool
dpdk_rx_arm(struct io *io)
{
	struct io_dpdk_queue *q = queue_of(io);

	if (q->wait != IO_DPDK_WAIT_INTR)
		return q->aside_at == q->aside_n;
	rte_eth_dev_rx_intr_enable(q->dev, q->queue);
	if (q->aside_at == q->aside_n) {
		q->aside_at = 0;
		q->aside_n = rte_eth_rx_burst(q->dev, q->queue, q->aside, IO_BURST);
	}
	if (q->aside_at == q->aside_n)
		return true;
	dpdk_rx_disarm(io);
	return false;
}

/* ---- coming and going ---------------------------------------------------- */

static bool
tap_is_attached(int fd)
{
	struct ifreq ifr = { 0 };

	return ioctl(fd, TUNGETIFF, &ifr) == 0 && !(ifr.ifr_flags & IFF_DETACH_QUEUE);
}

int
io_dpdk_tap_attach(int fd, bool attach)
{
	struct ifreq ifr = { .ifr_flags = attach ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE };

	if (tap_is_attached(fd) == attach)
		return 0;
	return ioctl(fd, TUNSETQUEUE, &ifr) == 0 ? 0 : -errno;
}

/* The kernel gives flows to each queue of a TAP that is attached, and asks nobody whether it is
 * read.  A process that starts or ends takes its time, and others would serve them meanwhile. */
static int
dpdk_begin(struct io *io)
{
	struct io_dpdk_queue *q = queue_of(io);

	return q->comes_and_goes ? io_dpdk_tap_attach(q->fd, true) : 0;
}

/* ---- the rest of the seam ------------------------------------------------ */

static void
dpdk_info(struct io *io, struct io_info *info)
{
	*info = queue_of(io)->info;
}

/* Where processes share a device; each core of theirs with a queue has one of its number. */
static bool
dpdk_adopt(struct io *io, uint64_t cores)
{
	struct io_dpdk_queue *q = queue_of(io);

	if (!q->unknown || q->info.queue == IO_NO_QUEUE)
		return false;
	q->n_adopted = 0;
	for (; cores; cores &= cores - 1) {
		unsigned core = (unsigned)__builtin_ctzll(cores), mine = core % q->cores;

		if (mine < q->dealt)
			q->adopted[q->n_adopted++] = (uint16_t)(core / q->cores * q->dealt + mine);
	}
	return true;
}

/* Called by the queue's own thread, this also takes the thread back from DPDK. */
static void
dpdk_close(struct io *io)
{
	struct io_dpdk_queue *q = queue_of(io);

	if (q->comes_and_goes)
		io_dpdk_tap_attach(q->fd, false);
	rte_pktmbuf_free_bulk(&q->aside[q->aside_at], (unsigned)(q->aside_n - q->aside_at));
	q->aside_at = q->aside_n = q->n_adopted = 0;
	if (q->lcore >= 0 && (int)rte_lcore_id() == q->lcore)
		rte_thread_unregister();
	q->lcore = -1;
	q->entered = q->unknown; /* the next user may be another thread */
}

static const struct io_ops dpdk_ops = {
	.name = "dpdk",
	.begin = dpdk_begin,
	.rx = dpdk_rx,
	.release = dpdk_release,
	.alloc = dpdk_alloc,
	.tx = dpdk_tx,
	.deadline = dpdk_deadline,
	.rx_fd = dpdk_rx_fd,
	.rx_arm = dpdk_rx_arm,
	.rx_disarm = dpdk_rx_disarm,
	.info = dpdk_info,
	.adopt = dpdk_adopt,
	.close = dpdk_close,
};

/* ---- a core without a queue ---------------------------------------------- */

static unsigned
no_rx(struct io *io, int64_t now, struct io_pkt *pkts, unsigned n)
{
	struct io_dpdk_queue *q = queue_of(io);

	(void)now;
	(void)pkts;
	(void)n;
	if (unlikely(!q->entered))
		queue_enter(q);
	return 0;
}

static unsigned
no_tx(struct io *io, int64_t now, struct io_pkt *pkts, unsigned n)
{
	(void)io;
	(void)now;
	(void)pkts;
	(void)n;
	return 0;
}

/* Packets are got, and given back; others send them. */
static const struct io_ops no_queue_ops = {
	.name = "dpdk",
	.rx = no_rx,
	.release = dpdk_release,
	.alloc = dpdk_alloc,
	.tx = no_tx,
	.deadline = dpdk_deadline,
	.rx_fd = dpdk_rx_fd,
	.rx_arm = dpdk_rx_arm,
	.rx_disarm = dpdk_rx_disarm,
	.info = dpdk_info,
	.close = dpdk_close,
};

void
io_dpdk_queue_init(struct io_dpdk_queue *q)
{
	q->io.ops = q->info.queue == IO_NO_QUEUE ? &no_queue_ops : &dpdk_ops;
	q->entered = q->unknown;
	q->aside_at = q->aside_n = q->n_adopted = 0;
	q->rx_dropped = q->tx_dropped = 0;
	q->lcore = -1;
}
