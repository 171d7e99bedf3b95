/* SPDX-License-Identifier: BSD-3-Clause */
/* A stack: what it is made of, and one step of it. */

#include "core/stack_priv.h"
#include "tcp/tcp_fastopen.h"
#include "tcp/tcp_rare.h"

#define ICMP_PER_S      1000u
#define ICMP_BURST      50u
#define ERRORS_PER_S    1000u
#define ERRORS_BURST    50u
#define FULL_RETRY_NS   US(50) /* how soon an engine that was full is asked again */
#define DYING_RETRY_NS  MS(1)

void
stack_cfg_default(struct stack_cfg *cfg)
{
	memset(cfg, 0, sizeof *cfg);
	tcp_cfg_default(&cfg->tcp);
	neigh_cfg_default(&cfg->neigh);
	route_init(&cfg->routes);
	cfg->max_conns = 10000;
	cfg->max_socks = 10000 + 1024;
	cfg->max_half_open = 8192;
	cfg->max_time_wait = 65536;
	cfg->max_chunks = 262144;
	cfg->max_in_flight = 262144;
	cfg->max_paths = 1024;
	cfg->trace_records = 8192;
	cfg->rx_burst = IO_BURST;
	cfg->rx_bursts = 4;
	cfg->tx_control = 256;
	cfg->tx_ack = 256;
	cfg->tx_data = 256;
	cfg->ephemeral_lo = 32768;
	cfg->ephemeral_hi = 60999;
	cfg->cores = 1;
}

/* ---------------------------------------------------------------- set-up -- */

/* Everything of a fixed number, in one place for measuring and for taking. */
static bool
take_pools(struct stack *st, struct region *mem)
{
	const struct stack_cfg *f = &st->cfg;
	bool ok = true;

	ok &= pool_init(&st->conns, mem, sizeof(struct tcp_conn), f->max_conns);
	ok &= pool_init(&st->half_opens, mem, sizeof(struct half_open), f->max_half_open);
	ok &= pool_init(&st->tws, mem, sizeof(struct tcp_tw), f->max_time_wait);
	ok &= pool_init(&st->opts, mem, sizeof(struct tcp_opts), f->max_socks);
	ok &= pool_init(&st->env.xmits, mem, sizeof(struct tcp_xmit), f->max_conns);
	ok &= pool_init(&st->env.sents, mem, sizeof(struct tcp_sent), f->max_in_flight);
	ok &= pool_init(&st->env.ccs, mem, CC_RECORD_SIZE, f->max_conns);
	ok &= pool_init(&st->env.reasses, mem, sizeof(struct tcp_reass), f->max_conns);
	ok &= pool_init(&st->env.runs, mem, sizeof(struct tcp_run), f->max_in_flight);
	ok &= pool_init(&st->env.rares, mem, sizeof(struct tcp_rare), f->max_conns);
	ok &= pool_init(&st->env.chunks, mem, CHUNK_SIZE, f->max_chunks);
	return ok;
}

static bool
take_tables(struct stack *st, struct region *mem, int64_t now)
{
	const struct stack_cfg *f = &st->cfg;
	bool ok = true;

	ok &= demux_init(&st->demux, mem, &f->secret, &st->conns, &st->half_opens, &st->tws);
	ok &= port_table_init(&st->ports, mem, &f->secret, f->max_socks, f->ephemeral_lo,
	                      f->ephemeral_hi);
	ok &= keeper_init(&st->steer.kept, mem, f);
	ok &= trace_init(&st->trace, mem, f->trace_records);
	ok &= frag_init(st, mem);
	ok &= udp_init(st, mem);
	ok &= tcp_paths_init(&st->env.paths, mem, &f->secret, f->max_paths);
	for (unsigned i = 0; i < f->n_ports; i++)
		ok &= neigh_init(&st->port[i].neigh, &f->neigh, mem, &f->secret, now);
	return ok;
}

static bool
take_channel(struct stack *st, struct region *mem)
{
	struct channel *ch = &st->ch;
	uint32_t n = st->cfg.max_socks;
	bool ok = true;

	ch->n_socks = n;
	ch->socks = region_take(mem, n * sizeof *ch->socks);
	ok &= ch->socks != NULL;
	ok &= n <= CHANNEL_SOCKS;
	ok &= spsc_init_numbers(&ch->jobs, mem, 2 * n + 1);
	ok &= spsc_init_numbers(&ch->events, mem, n);
	ok &= spsc_init_numbers(&ch->ids, mem, CHANNEL_IDS);
	ok &= spsc_init(&ch->chunks_down, mem, 16);
	ok &= spsc_init(&ch->chunks_up, mem, st->cfg.max_chunks);
	return ok;
}

/* Sockets follow on chunks: streams say in 32 bits where those are. */
static bool
take_all(struct stack *st, struct region *mem, int64_t now)
{
	static_assert((uint64_t)STACK_CHUNKS_MAX * CHUNK_SIZE +
	              (uint64_t)STACK_SOCKS_MAX * sizeof(struct sock) < STREAM_REACH - (1u << 20),
	              "every socket reaches every chunk");
	bool pools = take_pools(st, mem), channel = take_channel(st, mem);

	return take_tables(st, mem, now) && pools && channel;
}

size_t
stack_memory(const struct stack_cfg *cfg)
{
	struct region count = { NULL, 0, 0 };
	struct stack st; /* only sizes are read of it */

	memset(&st, 0, sizeof st);
	st.cfg = *cfg;
	(void)region_take(&count, sizeof st);
	(void)take_all(&st, &count, 0);
	return count.used + CACHE_LINE;
}

static void
open_ports(struct stack *st, struct io *const ios[])
{
	for (unsigned i = 0; i < st->cfg.n_ports; i++) {
		struct stack_port *p = &st->port[i];

		p->io = ios[i];
		p->cfg = st->cfg.port[i];
		p->io->ops->info(p->io, &p->info);
		p->mtu = p->cfg.mtu ? min(p->cfg.mtu, p->info.mtu) : p->info.mtu;
	}
}

struct stack *
stack_new(const struct stack_cfg *cfg, struct region *mem, struct io *const ios[], int64_t now)
{
	struct stack *st = region_take(mem, sizeof *st);

	if (!st)
		return NULL;
	st->cfg = *cfg;
	if (!take_all(st, mem, now))
		return NULL;
	st->env.cfg = &st->cfg.tcp;
	st->env.secret = cfg->secret;
	st->env.clock_key = cfg->clock_key;
	tcp_fastopen_keys(&st->env.fastopen, &cfg->tcp, &cfg->clock_key);
	st->env.no_opts = &st->no_opts;
	st->env.trace = &st->trace;
	list_init(&st->half_open_list);
	list_init(&st->tw_list);
	list_init(&st->fin_wait_2_list);
	list_init(&st->tx_control);
	list_init(&st->tx_ack);
	list_init(&st->tx_data);
	list_init(&st->tx_synack);
	list_init(&st->tx_soon);
	list_init(&st->tx_held);
	wheel_init(&st->wheel, now);
	icmp_rate_init(&st->icmp_rate, ICMP_PER_S, ICMP_BURST, now);
	icmp_rate_init(&st->error_rate, ERRORS_PER_S, ERRORS_BURST, now);
	st->quiesce_until = TIME_NEVER;
	st->deaf_until = now + cfg->deaf_ns;
	st->cookies_until = st->proved_at = INT64_MIN;
	open_ports(st, ios);
	ip6_begin(st);
	slots_init(st);
	ip_announce(st, now);
	return st;
}

void
stack_delete(struct stack *st)
{
	steer_leave(st);
	udp_give_back(st);
	for (unsigned i = 0; i < st->cfg.n_ports; i++) {
		struct stack_port *p = &st->port[i];

		io_release(p->io, p->out, p->n_out);
		io_release(p->io, p->fresh, p->n_fresh);
		p->n_out = p->n_fresh = 0;
	}
}

bool
stack_neighbour(struct stack *st, unsigned port, const struct ip_addr *ip, const uint8_t mac[6])
{
	struct ip_addr a = ip6_scoped(ip, port);
	struct mac_addr m;

	memcpy(m.b, mac, sizeof m.b);
	return port < st->cfg.n_ports && neigh_add_static(&st->port[port].neigh, &a, &m);
}

/* -------------------------------------------------------------- one step -- */

/* All but those whose bit is set. */
static void
give_back(struct io *io, struct io_pkt *pkts, unsigned n, uint32_t handed)
{
	unsigned kept = n;

	static_assert(IO_BURST <= 32, "a bit for each packet of a burst");
	if (unlikely(handed)) {
		kept = 0;
		for (unsigned k = 0; k < n; k++)
			if (!(handed >> k & 1))
				pkts[kept++] = pkts[k];
	}
	io_release(io, pkts, kept);
}

/* Each packet to its fate; what is not handed over goes back to the engine. */
static void
burst_in(struct stack *st, unsigned port, struct io_pkt *pkts, unsigned n, int64_t now)
{
	uint64_t bytes = 0;
	uint32_t handed = 0;

	for (unsigned k = 0; k < n; k++) {
		enum fate fate = ip_frame_in(st, port, &pkts[k], now);

		bytes += pkts[k].len;
		st->fates[fate]++;
		if (unlikely(fate == HANDED_OVER))
			handed |= UINT32_C(1) << k;
	}
	give_back(st->port[port].io, pkts, n, handed);
	stats_add(&st->stats.rx_pkts, n);
	stats_add(&st->stats.rx_bytes, bytes);
}

/* A few bursts per port: a flood cannot starve the rest. */
static unsigned
stack_rx(struct stack *st, int64_t now)
{
	unsigned total = st->steer.hall ? steer_rx(st, now) : 0;

	for (unsigned i = 0; i < st->cfg.n_ports && !steer_joins(&st->steer); i++) {
		for (uint32_t b = 0; b < st->cfg.rx_bursts; b++) {
			struct io_pkt pkts[IO_BURST];
			unsigned n = io_rx(st->port[i].io, now, pkts, st->cfg.rx_burst);

			if (n > 0)
				burst_in(st, i, pkts, n, now);
			total += n;
			if (n < st->cfg.rx_burst)
				break;
		}
	}
	for (unsigned i = 0; i < st->cfg.n_ports; i++)
		if (unlikely(st->port[i].except.io))
			total += except_take(st, i, now);
	if (st->steer.rings)
		steer_ring(st);
	return total;
}

static void
flush_all(struct stack *st, int64_t now)
{
	for (unsigned i = 0; i < st->cfg.n_ports; i++)
		ip_flush(st, i, now);
}

static void
publish(struct stack *st, unsigned jobs)
{
	struct stack_stats *s = &st->stats;

	stats_add(&s->steps, 1);
	stats_add(&s->jobs, jobs);
	atomic_store_explicit(&s->flows, st->conns.used, memory_order_relaxed);
	atomic_store_explicit(&s->half_open, st->half_opens.used, memory_order_relaxed);
	atomic_store_explicit(&s->time_wait, st->tws.used, memory_order_relaxed);
	atomic_store_explicit(&s->retransmits, st->env.retransmits, memory_order_relaxed);
	atomic_store_explicit(&s->rx_errors,
	                      st->fates[DROP_IP_SUM] + st->fates[DROP_TCP_SUM] +
	                          st->fates[DROP_IP_HEADER] + st->fates[DROP_TCP_HEADER] +
	                          st->fates[DROP_SHORT],
	                      memory_order_relaxed);
}

/* What seldom is there: datagrams to send, fragments that wait for others. */
static unsigned
aside_run(struct stack *st, int64_t now)
{
	unsigned n = udp_run(st, now);

	frag_late(st, now);
	st->aside = udp_waits(&st->udp) || st->udp.n_held || !list_empty(&st->frags.reass.all);
	return n;
}

static int64_t
aside_deadline(const struct stack *st, int64_t now)
{
	int64_t udp = udp_deadline(&st->udp), frag = frag_deadline(&st->frags);

	return udp_waits(&st->udp) ? now : min(udp, frag);
}

static int64_t
stack_deadline(const struct stack *st, int64_t now)
{
	int64_t segments = segment_deadline(st), ips = ip_deadline(st), at = min(segments, ips);
	int64_t steer = st->steer.hall ? steer_deadline(st, now) : TIME_NEVER;
	bool full = false;

	if (st->jobs_at < st->n_jobs)
		return now;
	for (unsigned i = 0; i < st->cfg.n_ports; i++)
		full |= st->port[i].full || st->port[i].n_out > 0;
	if (full) /* what is overdue could not leave either */
		return at > now ? min(at, now + FULL_RETRY_NS) : now + FULL_RETRY_NS;
	if (txq_waiting(st))
		return now;
	if (unlikely(st->aside))
		at = min(at, aside_deadline(st, now));
	at = min(at, steer);
	if (txq_holds(st))
		at = min(at, st->held_until);
	if (st->dying_socks != NO_SOCK)
		at = min(at, now + DYING_RETRY_NS);
	if (st->call_pending) /* the last connection may have ended with its last ACK just now */
		at = min(at, conns_open(st) ? st->quiesce_until : now);
	return at;
}

int64_t
stack_step(struct stack *st, int64_t now)
{
	unsigned rx, jobs, tx;

	for (unsigned i = 0; i < st->cfg.n_ports; i++)
		st->port[i].full = false;
	rx = stack_rx(st, now);
	segment_timers(st, now);
	ip_timers(st, now);
	slots_exchange(st);
	jobs = jobs_run(st, now);
	jobs_calls(st, now);
	if (unlikely(tcp_mem_level(&st->env) == TCP_MEM_SCARCE))
		conns_orphans(st, now);
	tx = txq_run(st, now);
	if (unlikely(st->aside))
		tx += aside_run(st, now);
	flush_all(st, now);
	if (st->steer.rings)
		steer_ring(st);
	slots_exchange(st);
	publish(st, jobs);
	st->busy = rx + jobs + tx > 0;
	return stack_deadline(st, now);
}

/* ---------------------------------------------------------- observation -- */

bool
stack_was_busy(const struct stack *st)
{
	return st->busy;
}

bool
stack_take_posted(struct stack *st)
{
	bool posted = st->posted;

	st->posted = false;
	return posted;
}

struct channel *
stack_channel(struct stack *st)
{
	return &st->ch;
}

void
stack_check(const struct stack *st)
{
	conn_check_all(st);
	for (unsigned i = 0; i < st->cfg.n_ports; i++)
		neigh_check(&st->port[i].neigh);
	assert(st->demux.map.n == st->conns.used + st->half_opens.used + st->tws.used);
	assert(st->n_strays <= STACK_STRAYS);
	reass_ip_check(&st->frags.reass);
}

const struct stack_stats *
stack_stats(const struct stack *st)
{
	return &st->stats;
}

uint64_t
stack_fate_count(const struct stack *st, unsigned f)
{
	return f < N_FATES ? st->fates[f] : 0;
}

const char *
stack_fate_name(unsigned f)
{
	static const char *const name[N_FATES] = {
#define X(n, t) #n,
		FATES(X)
#undef X
	};

	return f < N_FATES ? name[f] : NULL;
}

const char *
stack_fate_text(unsigned f)
{
	static const char *const text[N_FATES] = {
#define X(n, t) t,
		FATES(X)
#undef X
	};

	return f < N_FATES ? text[f] : NULL;
}

const struct trace *
stack_trace(const struct stack *st)
{
	return &st->trace;
}
