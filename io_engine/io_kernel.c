/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each packet is a system call, which is dear where packets are not: the kernel is asked for
 * more only a while after it had none.  What it has no room for is lost, as on any line.
 */
#include "io_engine/io_kernel.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "wire/eth.h"

#define FRAMES 64u    /* in memory: a burst received, and as many to be sent */
#define VLAN   4u     /* bytes of a tag                                      */
#define PAUSE  US(20) /* between looks that find nothing                     */

/* What was put together of fragments is longer than the MTU.  Memory is paid for where it is used. */
#define SIZE (uint32_t)align_up(ETH_LEN + VLAN + UINT16_MAX, CACHE_LINE)

struct kernel_port {
	struct io io;
	int fd;
	uint8_t mac[6];
	uint16_t mtu;
	int64_t look; /* when the kernel is asked next      */
	unsigned n_free;
	uint8_t *free[FRAMES];
	uint8_t memory[];
};

static struct kernel_port *
port_of(struct io *io)
{
	return container_of(io, struct kernel_port, io);
}

static unsigned
kernel_alloc(struct io *io, struct io_pkt *pkts, unsigned n)
{
	struct kernel_port *p = port_of(io);
	unsigned i;

	for (i = 0; i < n && p->n_free > 0; i++) {
		uint8_t *frame = p->free[--p->n_free];

		pkts[i] = (struct io_pkt){ .data = frame, .room = SIZE, .handle = frame };
	}
	return i;
}

static void
kernel_release(struct io *io, struct io_pkt *pkts, unsigned n)
{
	struct kernel_port *p = port_of(io);

	for (unsigned i = 0; i < n; i++) {
		p->free[p->n_free++] = pkts[i].handle;
		pkts[i].data = pkts[i].handle = NULL;
	}
}

static unsigned
kernel_rx(struct io *io, int64_t now, struct io_pkt *pkts, unsigned n)
{
	struct kernel_port *p = port_of(io);
	unsigned i = 0;

	if (now < p->look)
		return 0;
	while (i < n && kernel_alloc(io, &pkts[i], 1) == 1) {
		ssize_t len = read(p->fd, pkts[i].data, SIZE);

		if (len <= 0) { /* none, or the interface is down */
			kernel_release(io, &pkts[i], 1);
			p->look = now + PAUSE;
			break;
		}
		pkts[i++].len = (uint32_t)len;
	}
	return i;
}

static unsigned
kernel_tx(struct io *io, int64_t now, struct io_pkt *pkts, unsigned n)
{
	(void)now;
	for (unsigned i = 0; i < n; i++)
		if (write(port_of(io)->fd, pkts[i].data, pkts[i].len) < 0)
			continue; /* down, or full: IP promises nothing */
	kernel_release(io, pkts, n);
	return n;
}

static int64_t
kernel_deadline(struct io *io)
{
	(void)io;
	return TIME_NEVER;
}

static int
kernel_rx_fd(struct io *io)
{
	return port_of(io)->fd;
}

static bool
kernel_rx_arm(struct io *io)
{
	struct kernel_port *p = port_of(io);
	struct pollfd f = { .fd = p->fd, .events = POLLIN };

	p->look = INT64_MIN;
	return poll(&f, 1, 0) <= 0;
}

static void
kernel_rx_disarm(struct io *io)
{
	(void)io;
}

static void
kernel_info(struct io *io, struct io_info *info)
{
	const struct kernel_port *p = port_of(io);

	*info = (struct io_info){ .mtu = p->mtu, .queues = 1, .caps = IO_CAP_RX_WAIT };
	memcpy(info->mac, p->mac, sizeof info->mac);
}

static void
kernel_close(struct io *io)
{
	close(port_of(io)->fd);
	free(port_of(io));
}

static const struct io_ops kernel_ops = {
	.name = "kernel",
	.rx = kernel_rx,
	.release = kernel_release,
	.alloc = kernel_alloc,
	.tx = kernel_tx,
	.deadline = kernel_deadline,
	.rx_fd = kernel_rx_fd,
	.rx_arm = kernel_rx_arm,
	.rx_disarm = kernel_rx_disarm,
	.info = kernel_info,
	.close = kernel_close,
};

struct io *
io_kernel_on(int fd, const uint8_t mac[6], uint16_t mtu)
{
	struct kernel_port *p = calloc(1, sizeof *p + FRAMES * (size_t)SIZE);

	if (!p)
		return NULL;
	p->io.ops = &kernel_ops;
	p->fd = fd;
	memcpy(p->mac, mac, sizeof p->mac);
	p->mtu = mtu;
	for (unsigned i = 0; i < FRAMES; i++)
		p->free[p->n_free++] = p->memory + (size_t)i * SIZE;
	return &p->io;
}
