/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two queues of buffers.  A buffer that was sent and taken is kept for the next
 * packet to be sent; one that was received is not, since its size is its own.
 */
#include "io_engine/io_ip.h"

#include <errno.h>
#include <stdlib.h>

#include "base/be.h"
#include "base/list.h"
#include "io_engine/io_sum.h"
#include "wire/eth.h"

#define DEPTH 1024u
#define MTU   1500u
#define SPARE 64u /* buffers kept for the next packets to be sent */

struct buf {
	struct link link;
	int64_t at;     /* when it was sent */
	uint32_t len;   /* of the frame     */
	uint32_t size;  /* of the memory    */
	uint8_t data[];
};

struct ip_port {
	struct io io;
	struct io_ip_config cfg;
	struct list in, out, spare;
	unsigned n_in, n_out, n_spare;
};

static struct ip_port *
port_of(struct io *io)
{
	return container_of(io, struct ip_port, io);
}

static struct buf *
buf_of(struct link *l)
{
	return container_of(l, struct buf, link);
}

static struct buf *
buf_new(uint32_t size)
{
	struct buf *b = malloc(sizeof *b + size);

	if (b) {
		memset(&b->link, 0, sizeof b->link);
		b->at = 0;
		b->len = b->size = size;
	}
	return b;
}

/* -- the stack's side ----------------------------------------------------- */

static unsigned
ip_rx(struct io *io, int64_t now, struct io_pkt *pkts, unsigned n)
{
	struct ip_port *p = port_of(io);
	struct link *l;
	unsigned i;

	(void)now;
	for (i = 0; i < n && (l = list_pop_front(&p->in)); i++) {
		struct buf *b = buf_of(l);

		pkts[i] = (struct io_pkt){
			.data = b->data,
			.len = b->len,
			.room = b->size,
			.flags = p->cfg.rx_good ? IO_RX_IP_GOOD | IO_RX_L4_GOOD : 0,
			.handle = b,
		};
	}
	p->n_in -= i;
	return i;
}

/* For the next packet, if it is large enough and not one too many. */
static void
retire(struct ip_port *p, struct buf *b)
{
	if (p->n_spare >= SPARE || b->size < ETH_LEN + (uint32_t)p->cfg.mtu) {
		free(b);
		return;
	}
	list_push_back(&p->spare, &b->link);
	p->n_spare++;
}

static void
ip_release(struct io *io, struct io_pkt *pkts, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct buf *b = pkts[i].handle;

		if (b->at == INT64_MIN)
			free(b); /* a packet that was given */
		else
			retire(port_of(io), b);
		pkts[i].handle = NULL;
		pkts[i].data = NULL;
	}
}

static unsigned
ip_alloc(struct io *io, struct io_pkt *pkts, unsigned n)
{
	struct ip_port *p = port_of(io);
	unsigned i;

	for (i = 0; i < n; i++) {
		struct link *l = list_pop_front(&p->spare);
		struct buf *b = l ? buf_of(l) : buf_new(ETH_LEN + (uint32_t)p->cfg.mtu);

		if (!b)
			break;
		p->n_spare -= l != NULL;
		pkts[i] = (struct io_pkt){ .data = b->data, .room = b->size, .handle = b };
	}
	return i;
}

static bool
is_ip(const uint8_t *frame, uint32_t len)
{
	uint16_t type = len > ETH_LEN ? get_be16(frame + 12) : 0;

	return type == ETH_TYPE_IP4 || type == ETH_TYPE_IP6;
}

static unsigned
ip_tx(struct io *io, int64_t now, struct io_pkt *pkts, unsigned n)
{
	struct ip_port *p = port_of(io);
	unsigned i;

	for (i = 0; i < n; i++) {
		struct buf *b = pkts[i].handle;

		if (!is_ip(pkts[i].data, pkts[i].len)) {
			ip_release(io, &pkts[i], 1);
			continue;
		}
		if (p->n_out == p->cfg.tx_depth)
			break;
		io_sum_finish(&pkts[i]);
		b->len = pkts[i].len;
		b->at = now;
		list_push_back(&p->out, &b->link);
		p->n_out++;
	}
	return i;
}

static int64_t
ip_deadline(struct io *io)
{
	(void)io;
	return TIME_NEVER;
}

static int
ip_rx_fd(struct io *io)
{
	(void)io;
	return -1;
}

static bool
ip_rx_arm(struct io *io)
{
	return list_empty(&port_of(io)->in);
}

static void
ip_rx_disarm(struct io *io)
{
	(void)io;
}

static void
ip_info(struct io *io, struct io_info *info)
{
	(void)io;
	*info = (struct io_info){ .mac = IO_IP_SELF, .mtu = UINT16_MAX, .queues = 1 };
}

static void
free_all(struct list *l)
{
	struct link *at;

	while ((at = list_pop_front(l)))
		free(buf_of(at));
}

static void
ip_close(struct io *io)
{
	struct ip_port *p = port_of(io);

	free_all(&p->in);
	free_all(&p->out);
	free_all(&p->spare);
	free(p);
}

static const struct io_ops ip_ops = {
	.name = "ip",
	.rx = ip_rx,
	.release = ip_release,
	.alloc = ip_alloc,
	.tx = ip_tx,
	.deadline = ip_deadline,
	.rx_fd = ip_rx_fd,
	.rx_arm = ip_rx_arm,
	.rx_disarm = ip_rx_disarm,
	.info = ip_info,
	.close = ip_close,
};

struct io *
io_ip_new(const struct io_ip_config *cfg)
{
	struct ip_port *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	p->io.ops = &ip_ops;
	p->cfg = *cfg;
	p->cfg.rx_depth = cfg->rx_depth ? cfg->rx_depth : DEPTH;
	p->cfg.tx_depth = cfg->tx_depth ? cfg->tx_depth : DEPTH;
	p->cfg.mtu = to_u16(cfg->mtu ? cfg->mtu : MTU);
	list_init(&p->in);
	list_init(&p->out);
	list_init(&p->spare);
	return &p->io;
}

/* -- the caller's side ---------------------------------------------------- */

void
io_ip_mtu(struct io *io, uint16_t mtu)
{
	struct ip_port *p = port_of(io);

	if (mtu <= p->cfg.mtu)
		return;
	p->cfg.mtu = mtu;
	free_all(&p->spare);
	p->n_spare = 0;
}

int
io_ip_give(struct io *io, const void *pkt, uint32_t len)
{
	static const struct mac_addr self = { IO_IP_SELF }, peer = { IO_IP_PEER };
	struct ip_port *p = port_of(io);
	struct eth_hdr h = { .dst = self, .src = peer };
	struct buf *b;

	assert(len > 0 && len <= UINT16_MAX);
	if (p->n_in == p->cfg.rx_depth)
		return -ENOBUFS;
	b = buf_new(ETH_LEN + len);
	if (!b)
		return -ENOMEM;
	b->at = INT64_MIN;
	h.type = *(const uint8_t *)pkt >> 4 == 6 ? ETH_TYPE_IP6 : ETH_TYPE_IP4;
	wire_eth_build(b->data, &h);
	memcpy(b->data + ETH_LEN, pkt, len);
	list_push_back(&p->in, &b->link);
	p->n_in++;
	return 0;
}

unsigned
io_ip_given(struct io *io)
{
	return port_of(io)->n_in;
}

const uint8_t *
io_ip_sent(struct io *io, uint32_t *len, int64_t *at)
{
	struct ip_port *p = port_of(io);
	struct buf *b;

	if (list_empty(&p->out))
		return NULL;
	b = buf_of(list_first(&p->out));
	*len = b->len - ETH_LEN;
	*at = b->at;
	return b->data + ETH_LEN;
}

void
io_ip_drop(struct io *io)
{
	struct ip_port *p = port_of(io);
	struct link *l = list_pop_front(&p->out);

	if (!l)
		return;
	p->n_out--;
	retire(p, buf_of(l));
}
