/* SPDX-License-Identifier: BSD-3-Clause */
/* The application's half of core/sock.h's protocol, once more and as simple as it can be. */

#include "test/sim/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "core/stack_priv.h"
#include "tcp/tcp_eor.h"
#include "tcp/tcp_rare.h"

struct ip_addr
host_ip(unsigned port)
{
	return ip_addr_v4(0x0a000001u + port);
}

struct ip_addr
host_ip6(unsigned port)
{
	struct ip_addr a = { { 0x20, 0x01, 0x0d, 0xb8 } };

	put_be32(a.b + 12, 0x0a000001u + port);
	return a;
}

void
host_cfg6(struct stack_cfg *cfg, unsigned port)
{
	struct ip_addr net = host_ip6(0), any = IP_ANY;

	cfg->port[0].n_addrs = 1;
	cfg->port[0].addr[0] = (struct stack_addr){ .ip = host_ip6(port), .prefix = 64 };
	route_init(&cfg->routes);
	(void)route_add(&cfg->routes, &net, 64, &any, 0);
}

void
host_cfg(struct stack_cfg *cfg, unsigned port, uint64_t secret)
{
	struct ip_addr net = ip_addr_v4(0x0a000000u), any = IP_ANY;

	stack_cfg_default(cfg);
	cfg->max_conns = 128;
	cfg->max_socks = 256;
	cfg->max_half_open = 128;
	cfg->max_time_wait = 256;
	cfg->max_chunks = 8192;
	cfg->max_in_flight = 16384;
	cfg->neigh.max = 32;
	cfg->trace_records = 2048;
	cfg->secret = (struct siphash_key){ secret, ~secret };
	cfg->n_ports = 1;
	cfg->port[0].n_addrs = 1;
	cfg->port[0].addr[0] = (struct stack_addr){ .ip = host_ip(port), .prefix = 96 + 24 };
	(void)route_add(&cfg->routes, &net, 96 + 24, &any, 0);
}

void
host_init_on(struct host *h, const struct stack_cfg *cfg, struct net *net, struct io *const io[],
             int64_t epoch)
{
	struct region mem;

	memset(h, 0, sizeof *h);
	h->cfg = *cfg;
	h->net = net;
	h->port = HOST_NO_PORT;
	h->ip = cfg->port[0].addr[0].ip;
	h->epoch = epoch;
	h->deadline = net_now(net);
	h->mem_size = stack_memory(cfg);
	h->mem = mmap(NULL, h->mem_size, PROT_READ | PROT_WRITE,
	              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (h->mem == MAP_FAILED)
		abort();
	mem = (struct region){ h->mem, h->mem_size, 0 };
	h->st = stack_new(cfg, &mem, io, net_now(net) + epoch);
	if (!h->st)
		abort();
	h->ch = stack_channel(h->st);
	h->sock = calloc(h->ch->n_socks, sizeof *h->sock);
	if (!h->sock)
		abort();
}

void
host_init(struct host *h, const struct stack_cfg *cfg, struct net *net, unsigned port,
          int64_t epoch)
{
	struct io *io[HOST_PORTS];

	assert(cfg->n_ports <= HOST_PORTS);
	for (unsigned i = 0; i < cfg->n_ports; i++)
		io[i] = net_port(net, port + HOST_PORTS * i);
	host_init_on(h, cfg, net, io, epoch);
	h->port = port;
}

void
host_fini(struct host *h)
{
	stack_delete(h->st);
	host_forget(h);
}

void
host_forget(struct host *h)
{
	(void)munmap(h->mem, h->mem_size);
	free(h->sock);
}

/* ---------------------------------------------------------------- steps -- */

void
host_step(struct host *h)
{
	const _Atomic uint64_t *events = &stack_stats(h->st)->events;
	uint64_t told = atomic_load(events);
	int64_t now = net_now(h->net), next = stack_step(h->st, now + h->epoch);
	bool posted = stack_take_posted(h->st);

	stack_check(h->st);
	/* Whoever sleeps need not have taken the last event yet. */
	if (atomic_load(events) != told && !posted) {
		fputs("host: news that would wake nobody\n", stderr);
		abort();
	}
	h->deadline = next == TIME_NEVER ? next : max(next, now + h->epoch) - h->epoch;
	h->woken |= posted;
	h->steps++;
	h->steps_at_once = now == h->stepped_at ? h->steps_at_once + 1 : 1;
	h->stepped_at = now;
}

bool
host_due(const struct host *h)
{
	int64_t now = net_now(h->net);

	for (unsigned i = 0; h->port != HOST_NO_PORT && i < h->cfg.n_ports; i++)
		if (net_next_at(h->net, h->port + HOST_PORTS * i) <= now)
			return true;
	return h->deadline <= now || spsc_ready(&h->ch->jobs);
}

static struct host_sock *
known(struct host *h, const struct sock *s)
{
	return &h->sock[sock_number(h->ch, s)];
}

/* Somebody connected.  A listener that was closed meanwhile has nobody to accept. */
static void
born(struct host *h, struct sock *s)
{
	struct host_sock *k = known(h, s), *l = &h->sock[s->parent];
	uint32_t n = sock_number(h->ch, s);

	*k = (struct host_sock){ .parent = s->parent,
		                 .next = HOST_NOTHING,
		                 .irs.known = s->conn };
	if (s->conn)
		k->irs.seq = tcp_irs(s->conn);
	if (!l->ours || h->ch->socks[s->parent].kind != SOCK_KIND_LISTENER) {
		(void)sock_ask(h->ch, s, SOCK_REQ_CLOSE | SOCK_REQ_ABORT);
		return;
	}
	k->ours = true;
	if (l->first == HOST_NOTHING)
		l->first = n;
	else
		h->sock[l->last].next = n;
	l->last = n;
}

void
host_drain(struct host *h)
{
	struct sock *s;

	h->woken = false;
	while ((s = sock_next_event(h->ch))) {
		if (!known(h, s)->ours && (sock_facts(s) & SOCK_BORN))
			born(h, s);
		known(h, s)->news = true;
	}
}

bool
host_news(struct host *h, const struct sock *s)
{
	bool news = known(h, s)->news;

	known(h, s)->news = false;
	return news;
}

/* ---------------------------------------------------------------- calls -- */

struct sock *
host_socket(struct host *h)
{
	uint32_t n;

	if (!spsc_pop_number(&h->ch->ids, &n))
		return NULL;
	h->sock[n] =
	    (struct host_sock){ .ours = true, .first = HOST_NOTHING, .parent = HOST_NOTHING };
	return &h->ch->socks[n];
}

void
host_ask(struct host *h, enum sock_call_op op, struct sock *s)
{
	struct sock_call *k = &h->ch->call;

	k->op = op;
	k->sock = s ? sock_number(h->ch, s) : HOST_NOTHING;
	atomic_fetch_add(&k->asked, 1);
	(void)spsc_push_number(&h->ch->jobs, CHANNEL_CALL);
}

bool
host_call_done(const struct host *h)
{
	return atomic_load(&h->ch->call.done) == atomic_load(&h->ch->call.asked);
}

int
host_call(struct host *h, enum sock_call_op op, struct sock *s)
{
	host_ask(h, op, s);
	for (unsigned i = 0; i < 1000 && !host_call_done(h); i++)
		host_step(h);
	if (!host_call_done(h))
		abort();
	return h->ch->call.err;
}

int
host_bind(struct host *h, struct sock *s, const struct ip_addr *ip, uint16_t port)
{
	h->ch->call.addr = (struct sock_addr){ *ip, port };
	return host_call(h, SOCK_CALL_BIND, s);
}

int
host_listen(struct host *h, struct sock *s, int backlog)
{
	h->ch->call.value = backlog;
	return host_call(h, SOCK_CALL_LISTEN, s);
}

int
host_set(struct host *h, struct sock *s, enum tcp_option option, int64_t value)
{
	h->ch->call.option = option;
	h->ch->call.value = value;
	return host_call(h, SOCK_CALL_SET, s);
}

/* ---------------------------------------------------------- connections -- */

void
host_connect(struct host *h, struct sock *s, const struct ip_addr *ip, uint16_t port)
{
	sock_set_peer(s, &(struct sock_addr){ *ip, port });
	(void)sock_ask(h->ch, s, SOCK_REQ_CONNECT);
}

struct sock *
host_accept(struct host *h, const struct sock *listener)
{
	struct host_sock *l = known(h, listener);
	struct sock *s, *parent = &h->ch->socks[sock_number(h->ch, listener)];

	if (l->first == HOST_NOTHING)
		return NULL;
	s = &h->ch->socks[l->first];
	l->first = known(h, s)->next;
	known(h, s)->parent = HOST_NOTHING;
	known(h, s)->news = true;
	atomic_fetch_add(&parent->accepted, 1);
	return s;
}

struct host_isn
host_irs(const struct host *h, const struct sock *s)
{
	return h->sock[sock_number(h->ch, s)].irs;
}

static bool
has_chunk(struct host *h)
{
	uint64_t word;

	if (h->empty.n > 0)
		return true;
	if (h->spent.n > 0) {
		h->empty = h->spent;
		h->spent = (struct chunk_list){ NULL, 0 };
		return true;
	}
	if (!spsc_pop(&h->ch->chunks_down, &word))
		return false;
	h->empty = (struct chunk_list){ (struct chunk *)(uintptr_t)word, CHANNEL_BATCH };
	return true;
}

static uint32_t
room(const struct sock *s)
{
	uint32_t limit = atomic_load(&s->snd_limit), used = stream_used(&s->snd_w, &s->snd_r);

	return used < limit ? limit - used : 0;
}

/* One more writer found the stream full: the stack tells when it is not. */
static bool
want_space(struct host *h, struct sock *s)
{
	atomic_fetch_add(&s->want_space, 1);
	(void)sock_ask(h->ch, s, 0);
	return room(s) > 0;
}

uint32_t
host_write_ahead(struct host *h, struct sock *s, const uint8_t *data, uint32_t len)
{
	uint32_t done = 0, n = 1;

	for (; done < len && n && has_chunk(h); done += n)
		n = stream_write(&s->snd_w, &s->snd_r, &h->empty, data + done, len - done);
	return done;
}

bool
host_end_record(struct host *h, struct sock *s)
{
	if (!has_chunk(h))
		(void)sock_ask(h->ch, s, SOCK_REQ_CHUNKS);
	if (!has_chunk(h))
		return false;
	if (!atomic_load(&s->snd_w.marked)) {
		atomic_store(&s->eor, tcp_eor_new(chunk_list_get(&h->empty)));
		atomic_store(&s->snd_w.marked, true);
		if (!has_chunk(h))
			return host_end_record(h, s);
	}
	tcp_eor_mark(atomic_load(&s->eor), &s->snd_w, &h->empty);
	return true;
}

uint32_t
host_write(struct host *h, struct sock *s, const uint8_t *data, uint32_t len)
{
	uint32_t done = 0, n;

	while (done < len) {
		if (room(s) == 0 && !want_space(h, s))
			break;
		if (!has_chunk(h)) {
			(void)sock_ask(h->ch, s, SOCK_REQ_CHUNKS);
			if (!has_chunk(h))
				break;
		}
		n = stream_write(&s->snd_w, &s->snd_r, &h->empty, data + done,
		                 min(len - done, room(s)));
		done += n;
	}
	if (done)
		(void)sock_ask(h->ch, s, 0);
	return done;
}

uint32_t
host_readable(const struct sock *s)
{
	return stream_used(&s->rcv_w, &s->rcv_r);
}

uint32_t
host_read(struct host *h, struct sock *s, uint8_t *data, uint32_t len)
{
	uint32_t n = min(len, host_readable(s));

	if (n == 0)
		return 0;
	stream_peek(&s->rcv_r, &s->rcv_w, NULL, 0, data, n);
	stream_consume(&s->rcv_r, &s->rcv_w, NULL, n, &h->spent);
	if (h->spent.n >= CHANNEL_BATCH)
		host_rest(h);
	(void)sock_ask(h->ch, s, 0);
	return n;
}

bool
host_eof(const struct sock *s)
{
	return (sock_facts(s) & (SOCK_PEER_FIN | SOCK_OVER)) && host_readable(s) == 0;
}

void
host_shutdown(struct host *h, struct sock *s)
{
	(void)sock_ask(h->ch, s, SOCK_REQ_SHUT_WR);
}

static void
let_go(struct host *h, struct sock *s, uint16_t how)
{
	known(h, s)->ours = false;
	(void)sock_ask(h->ch, s, SOCK_REQ_CLOSE | how);
}

void
host_close(struct host *h, struct sock *s)
{
	struct sock *child;

	if (s->kind == SOCK_KIND_LISTENER) {
		while ((child = host_accept(h, s)))
			let_go(h, child, SOCK_REQ_ABORT);
	}
	let_go(h, s, 0);
}

void
host_abort(struct host *h, struct sock *s)
{
	let_go(h, s, SOCK_REQ_ABORT);
}

/* --------------------------------------------------------------- ending -- */

static void
give_back(struct host *h, struct chunk_list *l)
{
	if (l->n && spsc_push(&h->ch->chunks_up, (uintptr_t)l->first))
		*l = (struct chunk_list){ NULL, 0 };
}

void
host_rest(struct host *h)
{
	give_back(h, &h->spent);
}

void
host_return_chunks(struct host *h)
{
	give_back(h, &h->spent);
	give_back(h, &h->empty);
}

static uint32_t
queued(const struct spsc *q)
{
	return atomic_load(&q->tail) - atomic_load(&q->head);
}

const char *
host_leak(const struct host *h)
{
	const struct stack *st = h->st;
	uint32_t idle_socks = st->n_free_socks + queued(&h->ch->ids);
	uint32_t idle_chunks = st->env.spare.n + queued(&h->ch->chunks_down) * CHANNEL_BATCH +
	                       h->empty.n + h->spent.n;

	if (st->conns.used)
		return "connections";
	if (st->half_opens.used)
		return "half-open records";
	if (st->env.xmits.used)
		return "scoreboards";
	if (st->env.sents.used)
		return "records of segments sent";
	if (st->env.reasses.used || st->env.runs.used)
		return "reassembly records";
	if (st->env.chunks.used != idle_chunks + st->frags.reass.chunks) /* which time gives back */
		return "chunks";
	if (st->opts.used)
		return "records of options";
	if (idle_socks != h->ch->n_socks)
		return "sockets";
	if (st->ports.bound.n)
		return "bound ports";
	return NULL;
}
