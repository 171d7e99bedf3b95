/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The wire moves buffers, it does not copy them, and takes as many instructions
 * whatever they hold; even so it is left out of the count, as a NIC would be.
 */
#include "test/bench/exact_world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <valgrind/callgrind.h>

#define BUFFERS   16384u
#define BUFFER    2048u
#define RING      8192u
#define CONNS     4096u
#define START     SEC(1000)

/* ---- counting ------------------------------------------------------------ */

static void
toggle(void)
{
	CALLGRIND_TOGGLE_COLLECT;
}

/* The server enters or leaves `part`. */
static void
cross(struct world *w, enum part part)
{
	if (w->counted == part || w->counted == BOTH)
		toggle();
}

void
world_count(struct world *w, enum part part, uint64_t units)
{
	CALLGRIND_ZERO_STATS;
	w->counted = part;
	w->units_before = units;
}

void
world_report(struct world *w, const char *name, uint64_t units)
{
	char line[128];

	snprintf(line, sizeof line, "%s %s %" PRIu64, name, w->counted == APP ? "app" : "stack",
	         units - w->units_before);
	CALLGRIND_DUMP_STATS_AT(line);
	w->counted = NOBODY;
}

/* ---- the wire ------------------------------------------------------------ */

struct frame {
	uint8_t *data;
	uint32_t len;
};

struct end {
	struct io io;
	struct world *world;
	struct world_wire *wire;
	struct end *peer;
	uint8_t mac[6];
	unsigned first, n;
	struct frame ring[RING]; /* on their way to this end */
};

struct world_wire {
	struct end end[2];
	uint32_t caps;
	unsigned n_spare;
	uint8_t *spare[BUFFERS];
	uint8_t *mem;
};

static struct end *
end_of(struct io *io)
{
	return container_of(io, struct end, io);
}

/* The stack leaves for the engine, or comes back. */
static void
engine(struct end *e)
{
	if (e->world->in_step)
		cross(e->world, STACK);
}

static unsigned
wire_rx(struct io *io, int64_t now, struct io_pkt *pkts, unsigned n)
{
	struct end *e = end_of(io);
	unsigned i;

	(void)now;
	engine(e);
	for (i = 0; i < n && e->n > 0; i++) {
		struct frame *f = &e->ring[e->first];

		pkts[i] = (struct io_pkt){
			.data = f->data,
			.len = f->len,
			.room = BUFFER,
			.flags = e->wire->caps & IO_CAP_RX_L4_SUM ? IO_RX_IP_GOOD | IO_RX_L4_GOOD : 0,
			.handle = f->data,
		};
		e->first = (e->first + 1) % RING;
		e->n--;
	}
	engine(e);
	return i;
}

static void
wire_release(struct io *io, struct io_pkt *pkts, unsigned n)
{
	struct end *e = end_of(io);

	engine(e);
	for (unsigned i = 0; i < n; i++)
		e->wire->spare[e->wire->n_spare++] = pkts[i].handle;
	engine(e);
}

static unsigned
wire_alloc(struct io *io, struct io_pkt *pkts, unsigned n)
{
	struct end *e = end_of(io);
	unsigned i;

	engine(e);
	for (i = 0; i < n && e->wire->n_spare > 0; i++) {
		uint8_t *b = e->wire->spare[--e->wire->n_spare];

		pkts[i] = (struct io_pkt){ .data = b, .room = BUFFER, .handle = b };
	}
	engine(e);
	return i;
}

/* A client's link address ends in its world's number and 2. */
static struct end *
end_for(struct end *from, const struct io_pkt *pkt)
{
	const struct world_town *t = from->world->town;

	if (!t || from != &from->wire->end[0] || pkt->data[4] >= t->cores)
		return from->peer;
	return &t->core[pkt->data[4]]->wire->end[1];
}

static unsigned
wire_tx(struct io *io, int64_t now, struct io_pkt *pkts, unsigned n)
{
	struct end *e = end_of(io);
	unsigned i;

	(void)now;
	engine(e);
	for (i = 0; i < n; i++) {
		struct end *to = end_for(e, &pkts[i]);

		if (to->n == RING)
			break;
		to->ring[(to->first + to->n) % RING] = (struct frame){ pkts[i].data, pkts[i].len };
		to->n++;
	}
	engine(e);
	return i;
}

static int64_t
wire_deadline(struct io *io)
{
	(void)io;
	return TIME_NEVER;
}

static int
wire_fd(struct io *io)
{
	(void)io;
	return -1;
}

static bool
wire_arm(struct io *io)
{
	return end_of(io)->n == 0;
}

static void
wire_nothing(struct io *io)
{
	(void)io;
}

static void
wire_info(struct io *io, struct io_info *info)
{
	struct end *e = end_of(io);

	const struct world_town *t = e->world->town;

	*info = (struct io_info){ .mtu = 1500, .caps = e->wire->caps, .queues = 1 };
	memcpy(info->mac, e->mac, sizeof info->mac);
	if (!t || e != &e->wire->end[0])
		return;
	info->queues = t->cores;
	info->queue = e->world->number;
	info->steering = IO_STEER_RSS;
	info->rss = &t->rss;
}

static const struct io_ops wire_ops = {
	.name = "exact",
	.rx = wire_rx,
	.release = wire_release,
	.alloc = wire_alloc,
	.tx = wire_tx,
	.deadline = wire_deadline,
	.rx_fd = wire_fd,
	.rx_arm = wire_arm,
	.rx_disarm = wire_nothing,
	.info = wire_info,
	.close = wire_nothing,
};

static void *
memory(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p != MAP_FAILED)
		return p;
	perror("exact: memory");
	exit(1);
}

static struct world_wire *
wire_new(struct world *w, uint32_t caps)
{
	struct world_wire *wire = memory(sizeof *wire);

	wire->caps = caps;
	wire->mem = memory((size_t)BUFFERS * BUFFER);
	for (unsigned i = 0; i < BUFFERS; i++)
		wire->spare[wire->n_spare++] = wire->mem + (size_t)i * BUFFER;
	for (unsigned i = 0; i < 2; i++) {
		struct end *e = &wire->end[i];

		e->io.ops = &wire_ops;
		e->world = w;
		e->wire = wire;
		e->peer = &wire->end[1 - i];
		memcpy(e->mac, (uint8_t[6]){ 2, 0, 0, 0, (uint8_t)(i * w->number), (uint8_t)(i + 1) },
		       6);
	}
	return wire;
}

/* ---- pairs --------------------------------------------------------------- */

static struct side *
side_of(struct pair *p)
{
	return container_of(p, struct side, pair);
}

static void
pair_wake(struct pair *p)
{
	(void)p;
}

static uint32_t
pair_has_posted(struct pair *p)
{
	return side_of(p)->posted;
}

static int64_t
pair_clock(struct pair *p)
{
	return side_of(p)->world->now;
}

static int
pair_fd(struct pair *p)
{
	(void)p;
	errno = EOPNOTSUPP;
	return -1;
}

static bool
pair_arm(struct pair *p, uint32_t seen)
{
	return side_of(p)->posted == seen;
}

static void
side_step(struct side *s)
{
	s->deadline = stack_step(s->st, s->world->now);
	s->posted += stack_take_posted(s->st);
}

static int
client_wait(struct pair *p, uint32_t seen, int64_t deadline)
{
	struct side *s = side_of(p);

	(void)deadline;
	side_step(s);
	return s->posted == seen ? -ETIMEDOUT : 0;
}

/* The application waits: so the world goes on until there is something for it. */
static int
server_wait(struct pair *p, uint32_t seen, int64_t deadline)
{
	struct side *s = side_of(p);
	struct world *w = s->world;

	cross(w, APP);
	w->served |= deadline != TIME_NEVER;
	while (s->posted == seen && deadline > w->now && !(w->over && deadline != TIME_NEVER))
		world_turn(w);
	cross(w, APP);
	return s->posted == seen ? -ETIMEDOUT : 0;
}

static const struct pair_ops client_ops = {
	.wake_stack = pair_wake,
	.posted = pair_has_posted,
	.wait = client_wait,
	.now = pair_clock,
	.fd = pair_fd,
	.arm = pair_arm,
	.ring = pair_wake,
	.disarm = pair_wake,
};

static const struct pair_ops server_ops = {
	.wake_stack = pair_wake,
	.posted = pair_has_posted,
	.wait = server_wait,
	.now = pair_clock,
	.fd = pair_fd,
	.arm = pair_arm,
	.ring = pair_wake,
	.disarm = pair_wake,
};

/* ---- time ---------------------------------------------------------------- */

static bool
is_due(const struct world *w, const struct side *s)
{
	return end_of(s->io)->n > 0 || spsc_ready(&s->ch->jobs) || s->deadline <= w->now;
}

bool
world_server_due(const struct world *w)
{
	return is_due(w, &w->server);
}

void
world_step(struct world *w)
{
	w->in_step = true;
	cross(w, STACK);
	w->server.deadline = stack_step(w->server.st, w->now);
	cross(w, STACK);
	w->in_step = false;
	w->server.posted += stack_take_posted(w->server.st);
}

void
world_app(struct world *w, void (*work)(struct world *w))
{
	cross(w, APP);
	work(w);
	cross(w, APP);
}

void
world_client(struct world *w)
{
	if (is_due(w, &w->client))
		side_step(&w->client);
	if (w->served)
		w->load(w);
	if (is_due(w, &w->client))
		side_step(&w->client);
}

int64_t
world_next(const struct world *w)
{
	int64_t next = w->now + WORLD_TURN;

	if (is_due(w, &w->client) || is_due(w, &w->server))
		return next;
	return max(next, min(min(w->client.deadline, w->server.deadline), next + MS(1)));
}

void
world_turn(struct world *w)
{
	world_client(w);
	if (world_server_due(w))
		world_step(w);
	w->now = world_next(w);
}

/* ---- the beginning and the end ------------------------------------------- */

static struct ip_addr
address_of(const struct world *w, unsigned i)
{
	return ip_addr_v4(0x0a000001u + i + i * w->number);
}

struct ip_addr
world_client_ip(const struct world *w)
{
	return address_of(w, 1);
}

struct sockaddr_in
world_server(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(80) };

	a.sin_addr.s_addr = htonl(0x0a000001u);
	return a;
}

static void
configure(const struct world *w, struct stack_cfg *cfg, unsigned i)
{
	struct ip_addr net = ip_addr_v4(0x0a000000u), any = IP_ANY;

	stack_cfg_default(cfg);
	cfg->max_conns = CONNS;
	cfg->max_socks = CONNS + 64;
	cfg->max_half_open = CONNS;
	cfg->max_time_wait = CONNS;
	cfg->max_chunks = 16384;
	cfg->max_in_flight = 65536;
	cfg->secret = (struct siphash_key){ i + 1 + 2 * w->number, ~(uint64_t)i };
	cfg->clock_key = cfg->secret;
	cfg->n_ports = 1;
	cfg->port[0].n_addrs = 1;
	cfg->port[0].addr[0] = (struct stack_addr){ .ip = address_of(w, i), .prefix = 96 + 24 };
	if (i == 0 && w->town) {
		cfg->core = w->number;
		cfg->cores = w->town->cores;
	}
	(void)route_add(&cfg->routes, &net, 96 + 24, &any, 0);
}

/* Every client of a town may be a server's neighbour. */
static bool
meet_neighbours(struct world *w, struct side *s, unsigned i)
{
	unsigned n = i == 0 && w->town ? w->town->cores : 1;
	bool ok = true;

	for (unsigned k = 0; k < n; k++) {
		unsigned number = n > 1 ? k : w->number;
		struct world of = { .number = number };
		struct ip_addr peer = address_of(&of, 1 - i);
		uint8_t mac[6] = { 2, 0, 0, 0, (uint8_t)((1 - i) * number), (uint8_t)(2 - i) };

		ok &= stack_neighbour(s->st, 0, &peer, mac);
	}
	return ok && (i == 1 || !w->town || !w->town->hall || stack_join(s->st, w->town->hall));
}

static void
side_init(struct world *w, struct side *s, unsigned i, const struct pair_ops *ops)
{
	struct end *e = &w->wire->end[i];
	struct stack_cfg *cfg = memory(sizeof *cfg);
	size_t size;

	configure(w, cfg, i);
	size = stack_memory(cfg);
	s->mem = (struct region){ .base = memory(size), .size = size };
	s->world = w;
	s->pair.ops = ops;
	s->io = &e->io;
	s->st = stack_new(cfg, &s->mem, &s->io, w->now);
	if (!s->st || !meet_neighbours(w, s, i)) {
		fputs("exact: a stack could not be made\n", stderr);
		exit(1);
	}
	s->ch = stack_channel(s->st);
	context_init(&s->ctx, s->ch, &s->pair);
	(void)munmap(cfg, sizeof *cfg);
}

struct world *
world_new(uint32_t caps, void (*load)(struct world *), void *state)
{
	return world_new_in(NULL, 0, caps, load, state);
}

struct world *
world_new_in(struct world_town *town, unsigned number, uint32_t caps,
             void (*load)(struct world *), void *state)
{
	struct world *w = memory(sizeof *w);

	w->now = START;
	w->town = town;
	w->number = number;
	if (town)
		town->core[number] = w;
	w->load = load;
	w->state = state;
	w->wire = wire_new(w, caps);
	side_init(w, &w->server, 0, &server_ops);
	side_init(w, &w->client, 1, &client_ops);
	side_step(&w->server);
	side_step(&w->client);
	return w;
}

static void
side_fini(struct side *s)
{
	context_fini(&s->ctx);
	stack_delete(s->st);
	(void)munmap(s->mem.base, s->mem.size);
}

void
world_free(struct world *w)
{
	side_fini(&w->server);
	side_fini(&w->client);
	(void)munmap(w->wire->mem, (size_t)BUFFERS * BUFFER);
	(void)munmap(w->wire, sizeof *w->wire);
	(void)munmap(w, sizeof *w);
}
