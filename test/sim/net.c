/* SPDX-License-Identifier: BSD-3-Clause */
/* Each port has a heap of the frames on their way to it, by arrival. */

#include "test/sim/net.h"

#include <stdio.h>
#include <stdlib.h>

#include "io_engine/io_sum.h"
#include "test/sim/craft.h"
#include "wire/sum.h"

#define BUF_SIZE 2048u

struct frame {
	int64_t at;
	uint64_t order; /* frames of one moment arrive as they were sent */
	uint8_t *data;
	uint32_t len;
};

struct port {
	struct io io;
	struct net *net;
	unsigned number;
	bool plugged; /* somebody is there: broadcasts go to it       */
	bool engine;  /* a stack is: what arrives is worth waking for */
	unsigned held;
	int64_t line_free; /* when the last frame sent has left */
	struct frame *heap;
	unsigned n, room;
};

struct net {
	struct net_cfg cfg;
	struct rng rng;
	int64_t now;
	uint64_t order;
	net_tap *tap;
	void *tap_arg;
	FILE *capture;
	struct net_stats stats;
	struct port port[NET_PORTS];
};

/* ----------------------------------------------------------------- heap -- */

static bool
before(const struct frame *a, const struct frame *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void
swap(struct frame *a, struct frame *b)
{
	struct frame t = *a;

	*a = *b;
	*b = t;
}

static void *
must(void *p)
{
	if (!p)
		abort();
	return p;
}

static void
heap_push(struct port *p, struct frame f)
{
	unsigned i = p->n++;

	if (p->n > p->room) {
		p->room = max(2 * p->room, 64u);
		p->heap = must(realloc(p->heap, p->room * sizeof *p->heap));
	}
	p->heap[i] = f;
	for (; i > 0 && before(&p->heap[i], &p->heap[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&p->heap[i], &p->heap[(i - 1) / 2]);
}

static struct frame
heap_pop(struct port *p)
{
	struct frame top = p->heap[0];

	p->heap[0] = p->heap[--p->n];
	for (unsigned i = 0, k; (k = 2 * i + 1) < p->n; i = k) {
		if (k + 1 < p->n && before(&p->heap[k + 1], &p->heap[k]))
			k++;
		if (!before(&p->heap[k], &p->heap[i]))
			break;
		swap(&p->heap[i], &p->heap[k]);
	}
	return top;
}

/* ------------------------------------------------------------- the wire -- */

void
net_mac(unsigned i, uint8_t mac[6])
{
	static const uint8_t base[6] = { 2, 0, 0, 0, 0, 1 };

	memcpy(mac, base, 6);
	mac[5] = (uint8_t)(mac[5] + i);
}

static void
arrive(struct port *to, int64_t at, const uint8_t *data, uint32_t len)
{
	struct frame f = { at, to->net->order++, must(malloc(len)), len };

	memcpy(f.data, data, len);
	heap_push(to, f);
}

static bool
is_arp(const uint8_t *data, uint32_t len)
{
	return len >= ETH_LEN && get_be16(data + 12) == ETH_TYPE_ARP;
}

/* ARP, or neighbour discovery. */
static bool
finds_neighbours(const uint8_t *data, uint32_t len)
{
	return is_arp(data, len) ||
	       (len > ETH_LEN + IP6_LEN && get_be16(data + 12) == ETH_TYPE_IP6 &&
	        data[ETH_LEN + 6] == IP_PROTO_ICMP6 &&
	        data[ETH_LEN + IP6_LEN] >= ICMP6_NEIGH_SOLICIT &&
	        data[ETH_LEN + IP6_LEN] <= ICMP6_NEIGH_ADVERT);
}

static bool
chance(struct net *n, uint32_t ppm)
{
	return ppm && rng_chance_ppm(&n->rng, ppm);
}

/* One copy on its way to one port, unless it is lost. */
static void
travel(struct port *to, int64_t leaves, const uint8_t *data, uint32_t len)
{
	struct net *n = to->net;
	int64_t at = leaves + n->cfg.latency_ns;
	uint8_t copy[BUF_SIZE];

	if (n->now >= n->cfg.dark_from && n->now < n->cfg.dark_to) {
		n->stats.dark++;
		return;
	}
	if (chance(n, n->cfg.loss) || (finds_neighbours(data, len) && chance(n, n->cfg.arp_loss))) {
		n->stats.lost++;
		return;
	}
	if (n->cfg.jitter_ns)
		at += rng_below(&n->rng, (uint32_t)n->cfg.jitter_ns + 1);
	if (chance(n, n->cfg.reorder))
		at += n->cfg.reorder_ns;
	/* ARP has no sum but the link's, which finds this. */
	if (len > ETH_LEN && !is_arp(data, len) && chance(n, n->cfg.corrupt)) {
		memcpy(copy, data, len);
		copy[ETH_LEN + rng_below(&n->rng, len - ETH_LEN)] ^=
		    (uint8_t)(1u << rng_below(&n->rng, 8));
		data = copy;
		n->stats.corrupted++;
	}
	arrive(to, at, data, len);
}

static void
travel_twice(struct port *to, int64_t leaves, const uint8_t *data, uint32_t len)
{
	travel(to, leaves, data, len);
	if (chance(to->net, to->net->cfg.dup)) {
		to->net->stats.duplicated++;
		travel(to, leaves, data, len);
	}
}

/* Some boxes on the path cut a segment in two, and not always cleanly. */
static bool
middlebox(struct port *to, int64_t leaves, const uint8_t *data, uint32_t len)
{
	struct net *n = to->net;
	struct craft_way way;
	struct tcp_seg s, half;
	uint8_t out[CRAFT_MAX];
	uint32_t cut, from;

	if (!chance(n, n->cfg.split) || !craft_parse_tcp(data, len, &way, &s) || s.len < 2 ||
	    (s.flags & TCP_SYN))
		return false;
	cut = 1 + rng_below(&n->rng, s.len - 1);
	from = rng_below(&n->rng, 2) ? cut : rng_below(&n->rng, cut + 1);
	half = s;
	half.len = cut;
	half.flags &= (uint8_t)~TCP_FIN;
	travel_twice(to, leaves, out, craft_tcp(out, &way, &half, s.text));
	half = s;
	half.seq = seq_add(s.seq, from);
	half.len = s.len - from;
	half.urg = s.urg > from ? (uint16_t)(s.urg - from) : 0;
	if (half.urg == 0)
		half.flags &= (uint8_t)~TCP_URG;
	travel_twice(to, leaves, out, craft_tcp(out, &way, &half, s.text + from));
	n->stats.split++;
	return true;
}

/* A router that would rather mark than drop (RFC 3168 5): the field of the IP
 * header becomes 3 where it is 1 or 2. */
static bool
mark(uint8_t *frame, uint32_t len)
{
	uint8_t *ip = frame + ETH_LEN;
	uint16_t sum;

	if (len >= ETH_LEN + IP6_LEN && get_be16(frame + 12) == ETH_TYPE_IP6) {
		if ((ip[1] & 0x30) == 0)
			return false;
		ip[1] |= 0x30;
		return true;
	}
	if (len < ETH_LEN + IP4_LEN || get_be16(frame + 12) != ETH_TYPE_IP4 || (ip[1] & 3) == 0)
		return false;
	ip[1] |= 3;
	ip[10] = ip[11] = 0;
	sum = wire_sum_finish(wire_sum_add(0, ip, (ip[0] & 15u) * 4u));
	memcpy(ip + 10, &sum, sizeof sum);
	return true;
}

static bool
wants_mark(struct net *n, const struct port *p, uint32_t len)
{
	int64_t takes = n->cfg.rate_bps
	                    ? (int64_t)((uint64_t)len * 8 * NS_PER_S / n->cfg.rate_bps)
	                    : 0;

	if (n->cfg.mark_queue && p->line_free - n->now > takes * n->cfg.mark_queue)
		return true;
	return chance(n, n->cfg.ce);
}

/* When the frame has left the port, or TIME_NEVER: too many wait before it. */
static int64_t
serialize(struct port *p, uint32_t len)
{
	struct net *n = p->net;
	int64_t takes, start = max(p->line_free, n->now);

	if (n->cfg.rate_bps == 0)
		return n->now;
	takes = (int64_t)((uint64_t)len * 8 * NS_PER_S / n->cfg.rate_bps);
	if (n->cfg.queue && start - n->now > takes * n->cfg.queue)
		return TIME_NEVER;
	p->line_free = start + takes;
	return p->line_free;
}

static void
capture(struct net *n, const uint8_t *data, uint32_t len)
{
	struct {
		uint32_t s, ns, kept, len;
	} rec = { (uint32_t)(n->now / NS_PER_S), (uint32_t)(n->now % NS_PER_S), len, len };

	if (!n->capture)
		return;
	(void)fwrite(&rec, sizeof rec, 1, n->capture);
	(void)fwrite(data, len, 1, n->capture);
}

/* A router finds a TCP segment too large: it may say so, to the sender, or not. */
static bool
too_large(struct net *n, unsigned from, int64_t leaves, const uint8_t *frame, uint32_t len)
{
	uint8_t out[CRAFT_MAX];
	struct craft_way way, back;
	struct tcp_seg s;

	if (!n->cfg.path_mtu || n->now < n->cfg.path_at || len <= ETH_LEN + n->cfg.path_mtu ||
	    leaves == TIME_NEVER || !craft_parse_tcp(frame, len, &way, &s))
		return false;
	n->stats.lost++;
	if (!n->cfg.path_says)
		return true;
	back = (struct craft_way){ way.dmac, way.smac, way.dst, way.src };
	travel(&n->port[from], leaves, out,
	       ip_addr_is_v4(&way.dst)
	           ? craft_icmp_error(out, &back, ICMP4_UNREACHABLE, ICMP4_CODE_FRAG_NEEDED,
	                              n->cfg.path_mtu, &way.dst, s.sport, s.dport, s.seq)
	           : craft_icmp_error(out, &back, ICMP6_TOO_BIG, 0, n->cfg.path_mtu, &way.dst,
	                              s.sport, s.dport, s.seq));
	return true;
}

void
net_send(struct net *n, unsigned from, const uint8_t *frame, uint32_t len)
{
	int64_t leaves = serialize(&n->port[from], len);
	bool known = frame[0] & 1;
	uint8_t marked[BUF_SIZE];

	n->stats.sent++;
	if (chance(n, n->cfg.loss_of[from])) {
		n->stats.lost++;
		return;
	}
	if (wants_mark(n, &n->port[from], len)) {
		memcpy(marked, frame, len);
		if (mark(marked, len)) {
			n->stats.marked++;
			frame = marked;
		}
	}
	capture(n, frame, len);
	if (n->tap)
		n->tap(n->tap_arg, from, frame, len);
	if (too_large(n, from, leaves, frame, len))
		return;
	for (unsigned i = 0; i < NET_PORTS; i++) {
		uint8_t mac[6];

		net_mac(i, mac);
		if (i == from || !n->port[i].plugged ||
		    (!(frame[0] & 1) && memcmp(mac, frame, 6)))
			continue;
		known = true;
		if (leaves == TIME_NEVER)
			n->stats.lost++;
		else if (!middlebox(&n->port[i], leaves, frame, len))
			travel_twice(&n->port[i], leaves, frame, len);
	}
	n->stats.astray += !known;
}

void
net_inject(struct net *n, unsigned to, const uint8_t *frame, uint32_t len)
{
	capture(n, frame, len);
	arrive(&n->port[to], n->now, frame, len);
}

uint32_t
net_take(struct net *n, unsigned at, uint8_t *buf, uint32_t size)
{
	struct port *p = &n->port[at];
	struct frame f;

	if (p->n == 0 || p->heap[0].at > n->now)
		return 0;
	f = heap_pop(p);
	memcpy(buf, f.data, min(f.len, size));
	free(f.data);
	return min(f.len, size);
}

/* ----------------------------------------------------------- the engine -- */

static struct port *
port_of(struct io *io)
{
	return container_of(io, struct port, io);
}

static uint16_t
judge(const struct net *n, const uint8_t *data, uint32_t len)
{
	uint16_t all = io_sum_judge(data, len), keep = 0;

	if (n->cfg.caps & IO_CAP_RX_IP_SUM)
		keep |= IO_RX_IP_GOOD | IO_RX_IP_BAD;
	if (n->cfg.caps & IO_CAP_RX_L4_SUM)
		keep |= IO_RX_L4_GOOD | IO_RX_L4_BAD;
	return all & keep;
}

static unsigned
net_rx(struct io *io, int64_t now, struct io_pkt *pkts, unsigned max_pkts)
{
	struct port *p = port_of(io);
	unsigned n = 0;

	(void)now; /* each stack has a clock of its own */
	while (n < max_pkts && p->n > 0 && p->heap[0].at <= p->net->now) {
		struct frame f = heap_pop(p);

		pkts[n++] = (struct io_pkt){ .data = f.data,
			                     .len = f.len,
			                     .room = f.len,
			                     .handle = f.data,
			                     .flags = judge(p->net, f.data, f.len) };
	}
	p->held += n;
	p->net->stats.delivered += n;
	return n;
}

static void
net_release(struct io *io, struct io_pkt *pkts, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		free(pkts[i].handle);
	port_of(io)->held -= n;
}

static unsigned
net_alloc(struct io *io, struct io_pkt *pkts, unsigned n)
{
	struct port *p = port_of(io);

	if (chance(p->net, p->net->cfg.starve))
		return 0;
	for (unsigned i = 0; i < n; i++) {
		uint8_t *b = must(malloc(BUF_SIZE));

		pkts[i] = (struct io_pkt){ .data = b, .room = BUF_SIZE, .handle = b };
	}
	p->held += n;
	return n;
}

static unsigned
net_tx(struct io *io, int64_t now, struct io_pkt *pkts, unsigned n)
{
	struct port *p = port_of(io);

	(void)now;
	if (chance(p->net, p->net->cfg.full))
		n = rng_below(&p->net->rng, n + 1);
	for (unsigned i = 0; i < n; i++) {
		io_sum_finish(&pkts[i]);
		net_send(p->net, p->number, pkts[i].data, pkts[i].len);
	}
	net_release(io, pkts, n);
	return n;
}

static void
net_info(struct io *io, struct io_info *info)
{
	struct port *p = port_of(io);

	*info =
	    (struct io_info){ .mtu = p->net->cfg.mtu, .caps = p->net->cfg.caps, .queues = 1 };
	net_mac(p->number, info->mac);
}

static void
net_close(struct io *io)
{
	(void)io;
}

static const struct io_ops net_ops = {
	.name = "net",
	.rx = net_rx,
	.release = net_release,
	.alloc = net_alloc,
	.tx = net_tx,
	.info = net_info,
	.close = net_close,
};

/* ----------------------------------------------------------------- life -- */

void
net_set(struct net *n, const struct net_cfg *cfg)
{
	n->cfg = *cfg;
	if (n->cfg.mtu == 0)
		n->cfg.mtu = 1500;
}

struct net *
net_new(const struct net_cfg *cfg)
{
	struct net *n = must(calloc(1, sizeof *n));

	net_set(n, cfg);
	n->rng.state = cfg->seed;
	for (unsigned i = 0; i < NET_PORTS; i++) {
		n->port[i].io.ops = &net_ops;
		n->port[i].net = n;
		n->port[i].number = i;
	}
	return n;
}

void
net_free(struct net *n)
{
	for (unsigned i = 0; i < NET_PORTS; i++) {
		while (n->port[i].n)
			free(heap_pop(&n->port[i]).data);
		free(n->port[i].heap);
	}
	if (n->capture)
		(void)fclose(n->capture);
	free(n);
}

void
net_set_tap(struct net *n, net_tap *tap, void *arg)
{
	n->tap = tap;
	n->tap_arg = arg;
}

bool
net_capture(struct net *n, const char *path)
{
	/* Nanoseconds, version 2.4, Ethernet. */
	static const uint32_t head[6] = { 0xa1b23c4d, 4u << 16 | 2, 0, 0, 65535, 1 };

	n->capture = fopen(path, "wb");
	return n->capture && fwrite(head, sizeof head, 1, n->capture) == 1;
}

struct io *
net_port(struct net *n, unsigned i)
{
	n->port[i].plugged = n->port[i].engine = true;
	return &n->port[i].io;
}

void
net_plug(struct net *n, unsigned i)
{
	n->port[i].plugged = true;
}

void
net_time(struct net *n, int64_t now)
{
	assert(now >= n->now);
	n->now = now;
}

int64_t
net_now(const struct net *n)
{
	return n->now;
}

int64_t
net_next_at(const struct net *n, unsigned i)
{
	return n->port[i].n ? n->port[i].heap[0].at : TIME_NEVER;
}

int64_t
net_next(const struct net *n)
{
	int64_t at = TIME_NEVER;

	for (unsigned i = 0; i < NET_PORTS; i++)
		if (n->port[i].engine)
			at = min(at, net_next_at(n, i));
	return at;
}

unsigned
net_held(const struct net *n, unsigned i)
{
	return n->port[i].held;
}

const struct net_stats *
net_stats(const struct net *n)
{
	return &n->stats;
}
