/* SPDX-License-Identifier: BSD-3-Clause */
/* Bursts by recvmmsg() and sendmmsg(); buffers from a list of spare ones. */
#include "test/interop/io_packet.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define SOCKET_BUFFER (32 << 20)

struct buffer {
	struct buffer *next; /* while spare */
	uint8_t bytes[PACKET_ROOM];
};

struct packet_pool {
	struct buffer *spare;
	struct buffer buffers[];
};

struct io_packet {
	struct io io;
	struct packet_pool *pool;
	int fd;
	struct packet_counts counts;
};

struct packet_pool *
packet_pool_new(uint32_t n)
{
	struct packet_pool *p = calloc(1, sizeof *p + n * sizeof(struct buffer));

	for (uint32_t i = 0; p && i < n; i++) {
		p->buffers[i].next = p->spare;
		p->spare = &p->buffers[i];
	}
	return p;
}

void
packet_pool_free(struct packet_pool *pool)
{
	free(pool);
}

static struct io_packet *
packet_of(struct io *io)
{
	return container_of(io, struct io_packet, io);
}

static unsigned
packet_alloc(struct io *io, struct io_pkt *pkts, unsigned n)
{
	struct packet_pool *pool = packet_of(io)->pool;
	unsigned i;

	for (i = 0; i < n && pool->spare; i++) {
		struct buffer *b = pool->spare;

		pool->spare = b->next;
		pkts[i] = (struct io_pkt){ .data = b->bytes, .room = PACKET_ROOM, .handle = b };
	}
	return i;
}

static void
packet_release(struct io *io, struct io_pkt *pkts, unsigned n)
{
	struct packet_pool *pool = packet_of(io)->pool;

	for (unsigned i = 0; i < n; i++) {
		struct buffer *b = pkts[i].handle;

		b->next = pool->spare;
		pool->spare = b;
	}
}

/* Keeps what fits, in place. */
static unsigned
sort_out(struct io_packet *p, struct io_pkt *pkts, const struct mmsghdr *msgs, unsigned n)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++) {
		pkts[i].len = msgs[i].msg_len;
		if (msgs[i].msg_hdr.msg_flags & MSG_TRUNC || pkts[i].len > ETHER_MAX_LEN) {
			p->counts.oversize++;
			packet_release(&p->io, &pkts[i], 1);
		} else {
			pkts[kept++] = pkts[i];
		}
	}
	p->counts.received += kept;
	return kept;
}

static unsigned
packet_rx(struct io *io, int64_t now, struct io_pkt *pkts, unsigned n)
{
	struct io_packet *p = packet_of(io);
	struct mmsghdr msgs[IO_BURST] = { 0 };
	struct iovec iov[IO_BURST];
	unsigned room = packet_alloc(io, pkts, min(n, IO_BURST));
	int got;

	(void)now;
	for (unsigned i = 0; i < room; i++) {
		iov[i] = (struct iovec){ pkts[i].data, pkts[i].room };
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	got = room ? recvmmsg(p->fd, msgs, room, MSG_DONTWAIT, NULL) : 0;
	got = max(got, 0);
	packet_release(io, pkts + got, room - (unsigned)got);
	return sort_out(p, pkts, msgs, (unsigned)got);
}

static unsigned
packet_tx(struct io *io, int64_t now, struct io_pkt *pkts, unsigned n)
{
	struct io_packet *p = packet_of(io);
	struct mmsghdr msgs[IO_BURST] = { 0 };
	struct iovec iov[IO_BURST];
	int sent;

	(void)now;
	n = min(n, IO_BURST);
	for (unsigned i = 0; i < n; i++) {
		iov[i] = (struct iovec){ pkts[i].data, pkts[i].len };
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	sent = sendmmsg(p->fd, msgs, n, MSG_DONTWAIT);
	sent = max(sent, 0);
	packet_release(io, pkts, (unsigned)sent);
	p->counts.sent += (unsigned)sent;
	p->counts.refused += n - (unsigned)sent;
	return (unsigned)sent;
}

static int64_t
packet_deadline(struct io *io)
{
	(void)io;
	return TIME_NEVER;
}

static int
packet_rx_fd(struct io *io)
{
	return packet_of(io)->fd;
}

/* The descriptor is readable as long as a frame waits: nothing to arm. */
static bool
packet_rx_arm(struct io *io)
{
	(void)io;
	return true;
}

static void
packet_rx_disarm(struct io *io)
{
	(void)io;
}

static void
packet_info(struct io *io, struct io_info *info)
{
	(void)io;
	*info = (struct io_info){ .mtu = ETHERMTU, .caps = IO_CAP_RX_WAIT, .queues = 1 };
}

static void
packet_close(struct io *io)
{
	struct io_packet *p = packet_of(io);

	close(p->fd);
	free(p);
}

static const struct io_ops packet_ops = {
	.name = "packet",
	.rx = packet_rx,
	.release = packet_release,
	.alloc = packet_alloc,
	.tx = packet_tx,
	.deadline = packet_deadline,
	.rx_fd = packet_rx_fd,
	.rx_arm = packet_rx_arm,
	.rx_disarm = packet_rx_disarm,
	.info = packet_info,
	.close = packet_close,
};

/* All frames that come, whomever they are for, and none that we sent. */
static int
listen_to(int fd, unsigned index)
{
	struct packet_mreq all = { .mr_ifindex = (int)index, .mr_type = PACKET_MR_PROMISC };
	struct sockaddr_ll here = { .sll_family = AF_PACKET, .sll_ifindex = (int)index,
		.sll_protocol = htons(ETH_P_ALL) };
	int one = 1, size = SOCKET_BUFFER;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
	if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one) ||
	    setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all))
		return -1;
	return bind(fd, (const struct sockaddr *)&here, sizeof here);
}

struct io *
io_packet_new(const char *interface, struct packet_pool *pool)
{
	struct io_packet *p = calloc(1, sizeof *p);
	unsigned index = if_nametoindex(interface);

	if (!p || !index) {
		free(p);
		return NULL;
	}
	p->io.ops = &packet_ops;
	p->pool = pool;
	p->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (p->fd >= 0 && listen_to(p->fd, index) == 0)
		return &p->io;
	if (p->fd >= 0)
		close(p->fd);
	free(p);
	return NULL;
}

void
io_packet_counts(struct io *io, struct packet_counts *counts)
{
	struct io_packet *p = packet_of(io);
	struct tpacket_stats st = { 0 };
	socklen_t len = sizeof st;

	if (getsockopt(p->fd, SOL_PACKET, PACKET_STATISTICS, &st, &len) == 0)
		p->counts.missed += st.tp_drops;
	*counts = p->counts;
}
