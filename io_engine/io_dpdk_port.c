/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A logical port: queues of one or several Ethernet devices, one per core.  Each
 * queue has its own pool, so that cores share nothing.  What a device cannot do
 * is found out by asking or by trying, never by a list of devices; the few
 * exceptions are drivers that do not tell the truth about themselves.
 */
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_epoll.h>
#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_mbuf_pool_ops.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "io_engine/io_dpdk_priv.h"

#define DESC_DEFAULT 1024u
#define MBUFS_MIN    4096u /* net_af_xdp does not survive much fewer            */
#define MBUFS_SPARE  1024u /* in bursts, caches, and held by engines around us  */
#define POOL_CACHE   256u
#define MTU_DEFAULT  1500u
#define FRAME_EXTRA  26u   /* Ethernet header, two VLAN tags, frame check       */
#define XDP_FILL     2048u /* net_af_xdp keeps in the kernel's fill ring        */
#define XDP_HEADROOM 256u  /* the kernel's, at the head of each frame           */
#define XDP_TRIES    15u   /* to get a queue that was somebody else's           */
#define XDP_PAUSE_US 100000u

#define RX_OFFLOADS                                                                            \
	(RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM |                        \
	 RTE_ETH_RX_OFFLOAD_UDP_CKSUM)
#define TX_OFFLOADS (RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM)
#define RSS_TYPES                                                                              \
	(RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_IPV6 |                  \
	 RTE_ETH_RSS_NONFRAG_IPV6_TCP)

/* One Ethernet device of the logical port. */
struct device {
	uint16_t id;
	uint16_t queues;     /* used by us, and whom we share it with           */
	uint16_t base, mine; /* the first of ours, and how many these are       */
	unsigned first;      /* core of its queue 0                             */
	bool started;
	struct rte_eth_dev_info info;
	struct rte_eth_conf conf;
	char name[IO_DPDK_NAME];
	int tap[RTE_MP_MAX_FD_NUM]; /* of a TAP's queue that was detached before the start, and 1; 0: none */
};

struct io_dpdk_port {
	struct io_dpdk *dpdk;
	struct io_dpdk_port_config cfg;
	unsigned n_devices;
	unsigned n_queues;             /* set up so far                         */
	unsigned mark;                 /* of the log, when opening began        */
	struct device dev[RTE_MAX_ETHPORTS];
	struct io_dpdk_queue *queue;   /* [cores]; those of no device last      */
	unsigned dealt;                /* queues of devices                     */
	enum io_steering steering;
	struct io_rss rss;
};

/* Where a line of explanation goes. */
struct complaint {
	char *buf;
	size_t size;
};

/* Fills in the line and returns `rc`. */
__attribute__((format(printf, 3, 4))) static int
complain(const struct complaint *c, int rc, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->buf, c->size, fmt, ap);
	va_end(ap);
	return rc;
}

/* The same for what a device's driver refused; it has logged why. */
static int
complain_driver(const struct io_dpdk_port *p, const struct device *dev, int rc,
                const char *what, const struct complaint *c)
{
	char why[300];

	io_dpdk_log_quote(p->dpdk->log, p->mark, why, sizeof why);
	rc = rc < 0 ? rc : -EIO;
	return complain(c, rc, "port %s: %s: %s%s", dev->name, what,
	                why[0] ? why : strerror(-rc), io_dpdk_hint());
}

static bool
is_driver(const struct device *dev, const char *name)
{
	return strcmp(dev->info.driver_name, name) == 0;
}

/* ---- which devices ------------------------------------------------------- */

/* The names of all devices, for messages. */
static const char *
all_names(const struct io_dpdk *d, char *buf, size_t size)
{
	char name[IO_DPDK_NAME];
	size_t used = 0;

	snprintf(buf, size, "no device at all: eal_args makes them, as in --vdev=net_tap0");
	for (unsigned i = 0; io_dpdk_device_name(d, i, name) && used + 1 < size; i++)
		used += (size_t)snprintf(buf + used, size - used, "%s%s", i ? ", " : "", name);
	return buf;
}

/* `name` is DPDK's name of a device, or dpdkN for the Nth. */
static bool
device_find(const struct io_dpdk *d, const char *name, uint16_t *id)
{
	char nth[IO_DPDK_NAME], *end;
	unsigned long n;

	if (rte_eth_dev_get_port_by_name(name, id) == 0)
		return true;
	if (strncmp(name, "dpdk", 4) != 0 || name[4] < '0' || name[4] > '9')
		return false;
	n = strtoul(name + 4, &end, 10);
	return !*end && n < RTE_MAX_ETHPORTS && io_dpdk_device_name(d, (unsigned)n, nth) &&
	       rte_eth_dev_get_port_by_name(nth, id) == 0;
}

static int
device_add(struct io_dpdk_port *p, const char *name, const struct complaint *c)
{
	struct device *dev = &p->dev[p->n_devices];
	char names[256];
	int rc;

	if (!device_find(p->dpdk, name, &dev->id))
		return complain(c, -ENODEV, "port %s: no such device; there is %s", name,
		                all_names(p->dpdk, names, sizeof names));
	if (p->dpdk->opened[dev->id])
		return complain(c, -EBUSY, "port %s: the device is in use already", name);
	rc = rte_eth_dev_info_get(dev->id, &dev->info);
	if (rc)
		return complain(c, rc, "port %s: no information: %s", name, strerror(-rc));
	snprintf(dev->name, sizeof dev->name, "%s", name);
	p->dpdk->opened[dev->id] = true;
	p->n_devices++;
	return 0;
}

static int
devices_find(struct io_dpdk_port *p, const char *list, const struct complaint *c)
{
	char name[IO_DPDK_NAME];
	int rc = 0;

	while (!rc) {
		size_t len = strcspn(list, ",");

		if (len == 0 || len >= sizeof name)
			return complain(c, -EINVAL, "port: a device's name is empty or too long");
		snprintf(name, sizeof name, "%.*s", (int)len, list);
		rc = device_add(p, name, c);
		if (!list[len])
			return rc;
		list += len + 1;
	}
	return rc;
}

/* ---- which queues -------------------------------------------------------- */

/* net_tap puts two descriptors a queue in a message on its stack, and does not
 * count them. */
static unsigned
queues_of(const struct device *dev)
{
	unsigned n = min(dev->info.max_rx_queues, dev->info.max_tx_queues);

	return is_driver(dev, "net_tap") ? min(n, RTE_MP_MAX_FD_NUM / 2u) : n;
}

/* Every process has as many, and at least one. */
static int
queues_share(struct io_dpdk_port *p, const struct complaint *c)
{
	struct device *dev = &p->dev[0];
	unsigned processes = max(p->cfg.all_cores / p->cfg.cores, 1u);
	unsigned each = min(queues_of(dev) / processes, p->cfg.cores);

	if (p->n_devices != 1)
		return complain(c, -EINVAL, "port %s: processes that share DPDK share one device "
		                "a port", p->cfg.devices);
	if (each == 0)
		return complain(c, -ENOSPC, "port %s: %u queues are too few for %u processes",
		                dev->name, queues_of(dev), processes);
	dev->queues = (uint16_t)(each * processes);
	dev->base = (uint16_t)(p->cfg.first_core / p->cfg.cores * each);
	dev->mine = (uint16_t)each;
	p->dealt = each;
	return 0;
}

/* One queue a core, dealt out to the devices in turn as long as they have more; the last
 * cores get none when there are too few. */
static int
queues_deal(struct io_dpdk_port *p, const struct complaint *c)
{
	unsigned left = p->cfg.cores, first = 0;
	bool dealt = true;

	if (p->dpdk->shared)
		return queues_share(p, c);

	while (left && dealt) {
		dealt = false;
		for (unsigned i = 0; i < p->n_devices && left; i++) {
			struct device *dev = &p->dev[i];

			if (dev->queues >= queues_of(dev))
				continue;
			dev->queues++;
			left--;
			dealt = true;
		}
	}
	if (p->n_devices > p->cfg.cores)
		return complain(c, -EINVAL,
		                "port %s: %u devices need as many cores, but %u configured",
		                p->cfg.devices, p->n_devices, p->cfg.cores);
	if (left == p->cfg.cores)
		return complain(c, -ENOSPC, "port %s: no queue", p->cfg.devices);
	p->dealt = p->cfg.cores - left;
	for (unsigned i = 0; i < p->n_devices; i++) {
		p->dev[i].first = first;
		p->dev[i].mine = p->dev[i].queues;
		first += p->dev[i].queues;
	}
	return 0;
}

/* ---- sizes --------------------------------------------------------------- */

/* A number among the arguments that made a virtual device, as "framesz=4096". */
static unsigned
device_arg(const struct device *dev, const char *key, unsigned otherwise)
{
	const struct rte_devargs *da = dev->info.device ? rte_dev_devargs(dev->info.device) : NULL;
	const char *at = da && da->args ? strstr(da->args, key) : NULL;

	return at ? (unsigned)strtoul(at + strlen(key), NULL, 0) : otherwise;
}

/* net_af_packet's slots: longer frames are cut without a word, so the limit is
 * ours to keep.  80 bytes of a slot are the kernel's and the Ethernet header. */
static unsigned
af_packet_frame(const struct device *dev)
{
	return device_arg(dev, "framesz=", 2048);
}

/* A frame of net_af_xdp is a pool's object, and has to fit a page. */
static unsigned
af_xdp_room_max(void)
{
	return (unsigned)(getpagesize() - (int)sizeof(struct rte_mempool_objhdr) -
	                  (int)sizeof(struct rte_mbuf)) & ~(CACHE_LINE - 1u);
}

static unsigned
mtu_max(const struct device *dev)
{
	if (is_driver(dev, "net_af_packet"))
		return af_packet_frame(dev) - 80;
	if (is_driver(dev, "net_af_xdp"))
		return af_xdp_room_max() - RTE_PKTMBUF_HEADROOM - XDP_HEADROOM - 14;
	return dev->info.max_mtu ? dev->info.max_mtu : UINT16_MAX;
}

/* The MTU to use on a device: what is asked for, else its own up to 1500. */
static unsigned
mtu_of(const struct io_dpdk_port *p, const struct device *dev)
{
	uint16_t own = 0;

	if (p->cfg.mtu)
		return p->cfg.mtu;
	if (rte_eth_dev_get_mtu(dev->id, &own) || own == 0)
		own = MTU_DEFAULT;
	return min(min((unsigned)own, MTU_DEFAULT), mtu_max(dev));
}

/* Bytes of a buffer, so that a frame is one piece. */
static unsigned
room_of(const struct io_dpdk_port *p, const struct device *dev)
{
	unsigned room = mtu_of(p, dev) + FRAME_EXTRA + RTE_PKTMBUF_HEADROOM;

	room = max(room, (unsigned)RTE_MBUF_DEFAULT_BUF_SIZE);
	if (is_driver(dev, "net_af_xdp"))
		room = min(max(room, mtu_of(p, dev) + FRAME_EXTRA + RTE_PKTMBUF_HEADROOM +
		                         XDP_HEADROOM),
		           af_xdp_room_max());
	if (is_driver(dev, "net_af_packet"))
		room = max(room, af_packet_frame(dev) + RTE_PKTMBUF_HEADROOM);
	return (unsigned)min(align_up(room, CACHE_LINE), (size_t)UINT16_MAX);
}

static int
mtu_check(struct io_dpdk_port *p, const struct device *dev, const struct complaint *c)
{
	if (p->cfg.mtu <= mtu_max(dev))
		return 0;
	return complain(c, -EINVAL, "port %s: the device carries an MTU of %u at most, not %u",
	                dev->name, mtu_max(dev), p->cfg.mtu);
}

/* ---- one device ---------------------------------------------------------- */

static void
conf_make(const struct io_dpdk_port *p, struct device *dev, bool interrupts)
{
	struct rte_eth_conf *conf = &dev->conf;
	uint64_t rss = dev->info.flow_type_rss_offloads & RSS_TYPES;

	memset(conf, 0, sizeof *conf);
	if (!p->cfg.no_offload) {
		conf->rxmode.offloads = dev->info.rx_offload_capa & RX_OFFLOADS;
		conf->txmode.offloads = dev->info.tx_offload_capa & TX_OFFLOADS;
	}
	if (p->cfg.mtu && !is_driver(dev, "net_af_packet"))
		conf->rxmode.mtu = p->cfg.mtu;
	if (dev->queues > 1 && rss) {
		conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf->rx_adv_conf.rss_conf.rss_hf = rss;
		conf->rxmode.offloads |=
		    dev->info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_RSS_HASH;
	}
	conf->intr_conf.rxq = interrupts;
}

/* Of a pool that others see, one thread takes and gives: and so none can be killed in the
 * middle and leave the next one waiting for it.
 *
 * Without hugepages a pool would put no object across two pages of 4 KB and so
 * waste half of them; where addresses are virtual that serves nobody.  Spreading
 * objects over memory channels would make those of net_af_xdp too large. */
static unsigned
pool_flags(const struct io_dpdk_port *p, const struct device *dev)
{
	unsigned flags = is_driver(dev, "net_af_xdp") ? RTE_MEMPOOL_F_NO_SPREAD : 0u;

	if (p->dpdk->shared)
		flags |= RTE_MEMPOOL_F_SP_PUT | RTE_MEMPOOL_F_SC_GET;
	if (rte_eal_iova_mode() == RTE_IOVA_VA && !rte_eal_has_hugepages())
		flags |= RTE_MEMPOOL_F_NO_IOVA_CONTIG;
	return flags;
}

/* A pool of packet buffers on a NUMA node; NULL when memory is short. */
static struct rte_mempool *
pool_on_node(const struct io_dpdk_port *p, const struct device *dev, const char *name, unsigned n,
             uint16_t room, int node)
{
	struct rte_pktmbuf_pool_private priv = { .mbuf_data_room_size = room };
	struct rte_mempool *pool = rte_mempool_create_empty(
	    name, n, (unsigned)sizeof(struct rte_mbuf) + room, POOL_CACHE,
	    (unsigned)sizeof priv, node, pool_flags(p, dev));

	if (!pool)
		return NULL;
	if (rte_mempool_set_ops_byname(pool, rte_mbuf_best_mempool_ops(), NULL))
		goto fail;
	rte_pktmbuf_pool_init(pool, &priv);
	if (rte_mempool_populate_default(pool) < 0)
		goto fail;
	rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
	return pool;
fail:
	rte_mempool_free(pool);
	return NULL;
}

static void
pool_name(const struct device *dev, unsigned q, char name[RTE_MEMPOOL_NAMESIZE])
{
	snprintf(name, RTE_MEMPOOL_NAMESIZE, "mtcp_%u_%u", dev->id, q);
}

/* The pool of a queue, made unless it is there: since the last try, or by another process. */
static struct rte_mempool *
pool_of(const struct io_dpdk_port *p, const struct device *dev, unsigned q, unsigned n)
{
	char name[RTE_MEMPOOL_NAMESIZE];
	int node = p->cfg.numa_node >= 0 ? p->cfg.numa_node : rte_eth_dev_socket_id(dev->id);
	uint16_t room = (uint16_t)room_of(p, dev);
	struct rte_mempool *pool;

	pool_name(dev, q, name);
	pool = rte_mempool_lookup(name);
	if (!pool)
		pool = pool_on_node(p, dev, name, n, room, node);
	/* Without hugepages all memory counts as node 0's. */
	return pool ? pool : pool_on_node(p, dev, name, n, room, SOCKET_ID_ANY);
}

/* Buffers of a queue: for its rings and what is on its way besides. */
static unsigned
mbufs_of(const struct io_dpdk_port *p, const struct device *dev, unsigned nrx, unsigned ntx)
{
	unsigned n = nrx + ntx + MBUFS_SPARE;

	if (is_driver(dev, "net_af_xdp"))
		n += XDP_FILL;
	return max(p->cfg.mbufs, max(n, MBUFS_MIN));
}

/* A TAP on which processes have devices of their own.  Without interrupts nobody would know the
 * descriptor, to attach it again. */
static bool
others_read(const struct io_dpdk_port *p, const struct device *dev)
{
	return p->cfg.all_cores > p->cfg.cores && !p->dpdk->shared && is_driver(dev, "net_tap") &&
	       dev->conf.intr_conf.rxq;
}

/* The number that the next open() will get. */
static int
fd_next(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd;
}

/* DPDK attaches a TAP's queue, and tells its descriptor only milliseconds later. */
static int
rx_queue_setup(struct io_dpdk_port *p, struct device *dev, uint16_t q, uint16_t nrx,
               unsigned node, struct rte_mempool *pool)
{
	int fd = others_read(p, dev) ? fd_next() : -1;
	int rc = rte_eth_rx_queue_setup(dev->id, q, nrx, node, NULL, pool);

	if (fd >= 0 && io_dpdk_tap_attach(fd, false) == 0)
		dev->tap[q] = fd + 1;
	return rc;
}

/* Before another start, which uses the same queues and attaches none. */
static void
taps_attach(struct device *dev)
{
	for (unsigned q = 0; q < array_len(dev->tap); q++) {
		if (dev->tap[q])
			io_dpdk_tap_attach(dev->tap[q] - 1, true);
		dev->tap[q] = 0;
	}
}

static int
queue_setup(struct io_dpdk_port *p, struct device *dev, uint16_t q, uint16_t nrx,
            uint16_t ntx, const struct complaint *c)
{
	unsigned mbufs = mbufs_of(p, dev, nrx, ntx);
	struct rte_mempool *pool = pool_of(p, dev, q, mbufs);
	unsigned node = (unsigned)rte_eth_dev_socket_id(dev->id);
	int rc;

	if (!pool)
		return complain(c, -ENOMEM,
		                "port %s: no memory for %u buffers of %u bytes on queue %u; "
		                "-m in eal_args gives DPDK more megabytes",
		                dev->name, mbufs, room_of(p, dev), q);
	rc = rx_queue_setup(p, dev, q, nrx, node, pool);
	if (rc)
		return complain_driver(p, dev, rc, "receive queue", c);
	rc = rte_eth_tx_queue_setup(dev->id, q, ntx, node, NULL);
	return rc ? complain_driver(p, dev, rc, "send queue", c) : 0;
}

static int
device_start(struct io_dpdk_port *p, struct device *dev, bool interrupts,
             const struct complaint *c)
{
	uint16_t nrx = (uint16_t)min(p->cfg.rx_desc ? p->cfg.rx_desc : DESC_DEFAULT, UINT16_MAX);
	uint16_t ntx = (uint16_t)min(p->cfg.tx_desc ? p->cfg.tx_desc : DESC_DEFAULT, UINT16_MAX);
	int rc;

	conf_make(p, dev, interrupts);
	if (p->dpdk->secondary) /* all that has been done */
		return 0;
	rc = rte_eth_dev_configure(dev->id, dev->queues, dev->queues, &dev->conf);
	if (rc)
		return complain_driver(p, dev, rc, "configuration", c);
	rc = rte_eth_dev_adjust_nb_rx_tx_desc(dev->id, &nrx, &ntx);
	if (rc)
		return complain_driver(p, dev, rc, "ring sizes", c);
	for (uint16_t q = 0; q < dev->queues; q++) {
		rc = queue_setup(p, dev, q, nrx, ntx, c);
		if (rc)
			return rc;
	}
	rc = rte_eth_dev_start(dev->id);
	if (rc)
		return complain_driver(p, dev, rc, "start", c);
	dev->started = true;
	return 0;
}

/* Another one in its place.  A driver that has refused to start has lost buffers and forgotten
 * where its rings stand; and must not close what it has not opened: it would take the XDP
 * program off the interface, and so the packets from whoever has the queue. */
static int
device_again(struct io_dpdk_port *p, struct device *dev)
{
	char name[RTE_MEMPOOL_NAMESIZE];
	uint16_t id = dev->id;
	int rc;

	p->dpdk->refused = true;
	for (uint16_t q = 0; q < dev->queues; q++) {
		pool_name(dev, q, name);
		rte_mempool_free(rte_mempool_lookup(name));
	}
	rc = io_dpdk_another(&id);
	if (rc)
		return rc;
	p->dpdk->opened[id] = true;
	dev->id = id;
	return rte_eth_dev_info_get(id, &dev->info);
}

/* A queue under AF_XDP whose owner has ended is still taken for a moment: a worker of the
 * kernel's gives it back when it comes to it, on a busy machine some 100 ms later.  And of two
 * processes that change the interface's XDP program at once one may be refused.  So who is
 * refused asks again, for a second and a half. */
static int
xdp_start(struct io_dpdk_port *p, struct device *dev, const struct complaint *c)
{
	int rc = device_start(p, dev, false, c);

	for (unsigned i = 1; rc && rc != -ENOMEM && i < XDP_TRIES; i++) {
		rte_delay_us_sleep(XDP_PAUSE_US);
		if (device_again(p, dev))
			break;
		p->mark = io_dpdk_log_mark(p->dpdk->log);
		rc = device_start(p, dev, false, c);
	}
	p->dpdk->refused |= rc != 0;
	return rc;
}

/* With receive interrupts if the driver lets us, which net_af_xdp does not. */
static int
device_begin(struct io_dpdk_port *p, struct device *dev, const struct complaint *c)
{
	if (is_driver(dev, "net_af_xdp"))
		return xdp_start(p, dev, c);
	if (!p->cfg.no_rx_wait && !p->dpdk->secondary && !device_start(p, dev, true, c))
		return 0;
	taps_attach(dev);
	p->mark = io_dpdk_log_mark(p->dpdk->log);
	return device_start(p, dev, false, c);
}

static int
device_open(struct io_dpdk_port *p, struct device *dev, const struct complaint *c)
{
	int rc = mtu_check(p, dev, c);

	if (!rc)
		rc = device_begin(p, dev, c);
	if (rc)
		return rc;
	if (p->dpdk->secondary)
		return 0;
	if (p->cfg.mtu)
		rte_eth_dev_set_mtu(dev->id, p->cfg.mtu); /* many cannot and need not */
	if (p->cfg.promiscuous)
		rte_eth_promiscuous_enable(dev->id);
	else /* whoever asks for an address of IPv6 asks a group; some hear all of them anyway */
		(void)rte_eth_allmulticast_enable(dev->id);
	return 0;
}

/* ---- waiting ------------------------------------------------------------- */

/* Interrupts through an epoll instance of the queue's own: DPDK knows how each
 * device's descriptor is read, and an epoll descriptor can itself be waited for. */
static bool
wait_by_interrupt(struct io_dpdk_queue *q)
{
	int ep;

	if (rte_eth_dev_rx_intr_enable(q->dev, q->queue))
		return false;
	rte_eth_dev_rx_intr_disable(q->dev, q->queue);
	ep = epoll_create1(EPOLL_CLOEXEC);
	if (ep < 0)
		return false;
	if (rte_eth_dev_rx_intr_ctl_q(q->dev, q->queue, ep, RTE_INTR_EVENT_ADD, q)) {
		close(ep);
		return false;
	}
	q->wait = IO_DPDK_WAIT_INTR;
	q->fd = ep;
	return true;
}

/* net_tap has no interrupts to enable, but its queue's descriptor is the
 * kernel's own, readable as long as packets wait. */
static void
wait_find(const struct device *dev, struct io_dpdk_queue *q)
{
	q->wait = IO_DPDK_WAIT_NONE;
	q->fd = -1;
	if (!dev->conf.intr_conf.rxq)
		return;
	if (!is_driver(dev, "net_tap")) {
		wait_by_interrupt(q);
		return;
	}
	q->fd = rte_eth_dev_rx_intr_ctl_q_get_fd(q->dev, q->queue);
	if (q->fd >= 0)
		q->wait = IO_DPDK_WAIT_FD;
}

/* ---- a port -------------------------------------------------------------- */

static uint32_t
caps_of(const struct device *dev, const struct io_dpdk_queue *q)
{
	uint64_t rx = dev->conf.rxmode.offloads, tx = dev->conf.txmode.offloads;
	uint32_t caps = 0;

	caps |= tx & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM ? IO_CAP_TX_IP_SUM : 0u;
	caps |= tx & RTE_ETH_TX_OFFLOAD_TCP_CKSUM ? IO_CAP_TX_TCP_SUM : 0u;
	caps |= rx & RTE_ETH_RX_OFFLOAD_IPV4_CKSUM ? IO_CAP_RX_IP_SUM : 0u;
	caps |= rx & RTE_ETH_RX_OFFLOAD_TCP_CKSUM ? IO_CAP_RX_L4_SUM : 0u;
	caps |= q->wait != IO_DPDK_WAIT_NONE ? IO_CAP_RX_WAIT : 0u;
	return caps;
}

/* What the stack is told of a queue. */
static void
queue_known(struct io_dpdk_port *p, const struct device *dev, struct io_dpdk_queue *q,
            unsigned number)
{
	struct rte_ether_addr mac;

	q->info = (struct io_info){
		.mtu = (uint16_t)mtu_of(p, dev),
		.caps = caps_of(dev, q),
		.queue = number,
		.queues = p->dealt,
		.steering = p->steering,
		.rss = p->steering == IO_STEER_RSS ? &p->rss : NULL,
	};
	if (rte_eth_macaddr_get(p->dev[0].id, &mac) == 0)
		memcpy(q->info.mac, mac.addr_bytes, sizeof q->info.mac);
	q->dealt = (uint16_t)p->dealt;
	q->cores = (uint16_t)p->cfg.cores;
	q->unknown = p->dpdk->shared; /* DPDK knows threads of one process only */
	io_dpdk_queue_init(q);
	p->n_queues++;
}

static int
queue_open(struct io_dpdk_port *p, const struct device *dev, uint16_t n, const struct complaint *c)
{
	struct io_dpdk_queue *q = &p->queue[dev->first + n];

	q->dev = dev->id;
	q->queue = (uint16_t)(dev->base + n);
	q->pool = pool_of(p, dev, q->queue, MBUFS_MIN);
	if (!q->pool)
		return complain(c, -ENOMEM, "port %s: no buffers for queue %u", dev->name, q->queue);
	wait_find(dev, q);
	q->comes_and_goes = others_read(p, dev) && q->fd >= 0 &&
	                    io_dpdk_tap_attach(q->fd, false) == 0;
	queue_known(p, dev, q, dev->first + n);
	return 0;
}

/* A core that has none gets what the first has, but for packets. */
static int
queueless_open(struct io_dpdk_port *p, unsigned core, const struct complaint *c)
{
	const struct device *dev = &p->dev[0];
	struct io_dpdk_queue *q = &p->queue[core];

	q->dev = dev->id;
	q->queue = UINT16_MAX;
	q->wait = IO_DPDK_WAIT_NONE;
	q->fd = -1;
	q->pool = pool_of(p, dev, RTE_MAX_QUEUES_PER_PORT + p->cfg.first_core + core, MBUFS_MIN);
	if (!q->pool)
		return complain(c, -ENOMEM, "port %s: no memory for core %u; "
		                "-m in eal_args gives DPDK more megabytes", dev->name, core);
	queue_known(p, dev, q, IO_NO_QUEUE);
	return 0;
}

/* ---- steering ------------------------------------------------------------ */

/* What is sent on a queue comes to the peer on its queue of the same number. */
static bool
pairs_queues(const struct device *dev)
{
	return is_driver(dev, "net_memif") || is_driver(dev, "net_virtio_user") ||
	       is_driver(dev, "net_vhost");
}

static void
rss_told(struct io_dpdk_port *p)
{
	unsigned queues = p->cfg.all_cores > p->cfg.cores ? p->cfg.all_cores : p->dealt;

	memcpy(p->rss.key, p->cfg.rss_key, sizeof p->rss.key);
	p->rss.types = IO_RSS_TCP4 | IO_RSS_TCP6;
	p->rss.size = 128;
	for (unsigned i = 0; i < p->rss.size; i++)
		p->rss.table[i] = (uint16_t)(i % queues);
	p->steering = IO_STEER_RSS;
}

static void
steering_find(struct io_dpdk_port *p)
{
	const struct device *dev = &p->dev[0];
	bool pairs = true;

	for (unsigned i = 0; i < p->n_devices; i++)
		pairs = pairs && pairs_queues(&p->dev[i]);
	if (pairs)
		p->steering = IO_STEER_ORIGIN;
	else if (p->n_devices == 1 && dev->conf.rxmode.mq_mode == RTE_ETH_MQ_RX_RSS &&
	         io_dpdk_rss(dev->id, &dev->info, dev->queues,
	                     dev->conf.rx_adv_conf.rss_conf.rss_hf, &p->rss))
		p->steering = IO_STEER_RSS;
	else if (p->cfg.rss_key) /* as we were told */
		rss_told(p);
}

/* ---- a port, whole ------------------------------------------------------- */

static int
devices_open(struct io_dpdk_port *p, const struct complaint *c)
{
	for (unsigned i = 0; i < p->n_devices; i++) {
		int rc = device_open(p, &p->dev[i], c);

		if (rc)
			return rc;
	}
	steering_find(p);
	for (unsigned i = 0; i < p->n_devices; i++)
		for (uint16_t q = 0; q < p->dev[i].mine; q++) {
			int rc = queue_open(p, &p->dev[i], q, c);

			if (rc)
				return rc;
		}
	for (unsigned core = p->dealt; core < p->cfg.cores; core++) {
		int rc = queueless_open(p, core, c);

		if (rc)
			return rc;
	}
	return 0;
}

int
io_dpdk_port_open(struct io_dpdk *dpdk, const struct io_dpdk_port_config *cfg,
                  struct io_dpdk_port **out, char *err, size_t errlen)
{
	const struct complaint c = { err, errlen };
	struct io_dpdk_port *p = calloc(1, sizeof *p);
	struct io_dpdk_hush was;
	int rc;

	if (!p)
		return complain(&c, -ENOMEM, "port %s: no memory", cfg->devices);
	was = io_dpdk_hush(dpdk);
	p->dpdk = dpdk;
	p->cfg = *cfg;
	p->mark = io_dpdk_log_mark(dpdk->log);
	p->queue = rte_zmalloc("mtcp_queues", cfg->cores * sizeof *p->queue, CACHE_LINE);
	rc = p->queue ? devices_find(p, cfg->devices, &c)
	              : complain(&c, -ENOMEM, "port %s: no memory", cfg->devices);
	if (!rc)
		rc = queues_deal(p, &c);
	if (!rc)
		rc = devices_open(p, &c);
	io_dpdk_unhush(was);
	if (rc) {
		io_dpdk_port_close(p);
		return rc;
	}
	p->cfg.devices = NULL; /* the caller's */
	p->cfg.rss_key = NULL;
	*out = p;
	return 0;
}

struct io *
io_dpdk_queue(struct io_dpdk_port *p, unsigned core)
{
	assert(core < p->cfg.cores);
	return &p->queue[core].io;
}

bool
io_dpdk_port_link(const struct io_dpdk_port *p)
{
	for (unsigned i = 0; i < p->n_devices; i++) {
		struct rte_eth_link link;

		if (rte_eth_link_get_nowait(p->dev[i].id, &link) || !link.link_status)
			return false;
	}
	return true;
}

static void
stats_add(struct io_dpdk_stats *sum, const struct rte_eth_stats *st)
{
	sum->rx_packets += st->ipackets;
	sum->rx_bytes += st->ibytes;
	sum->rx_missed += st->imissed;
	sum->rx_errors += st->ierrors + st->rx_nombuf;
	sum->tx_packets += st->opackets;
	sum->tx_bytes += st->obytes;
	sum->tx_errors += st->oerrors;
}

void
io_dpdk_port_stats(const struct io_dpdk_port *p, struct io_dpdk_stats *stats)
{
	struct rte_eth_stats st;

	*stats = (struct io_dpdk_stats){ 0 };
	for (unsigned i = 0; i < p->n_devices; i++)
		if (rte_eth_stats_get(p->dev[i].id, &st) == 0)
			stats_add(stats, &st);
	for (unsigned i = 0; i < p->n_queues; i++) {
		stats->rx_errors += p->queue[i].rx_dropped;
		stats->tx_errors += p->queue[i].tx_dropped;
	}
}

static void
queue_close(struct io_dpdk_queue *q)
{
	if (q->wait != IO_DPDK_WAIT_INTR)
		return;
	rte_eth_dev_rx_intr_ctl_q(q->dev, q->queue, q->fd, RTE_INTR_EVENT_DEL, q);
	close(q->fd);
}

static void
devices_close(struct io_dpdk_port *p)
{
	for (unsigned i = 0; i < p->n_devices; i++) {
		if (p->dev[i].started)
			rte_eth_dev_stop(p->dev[i].id);
		if (p->dev[i].started || !is_driver(&p->dev[i], "net_af_xdp"))
			rte_eth_dev_close(p->dev[i].id);
		p->dpdk->opened[p->dev[i].id] = false;
	}
	for (unsigned i = 0; p->queue && i < p->cfg.cores; i++)
		rte_mempool_free(p->queue[i].pool); /* after the devices: they hold buffers */
}

void
io_dpdk_port_close(struct io_dpdk_port *p)
{
	struct io_dpdk_hush was;

	if (!p)
		return;
	was = io_dpdk_hush(p->dpdk);
	for (unsigned i = 0; i < p->n_queues; i++) {
		p->queue[i].io.ops->close(&p->queue[i].io);
		queue_close(&p->queue[i]);
	}
	if (!p->dpdk->left && !p->dpdk->secondary)
		devices_close(p);
	io_dpdk_unhush(was);
	rte_free(p->queue);
	free(p);
}
