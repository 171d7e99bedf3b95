/* SPDX-License-Identifier: BSD-3-Clause */
#include "test/core/world.h"

#include <CUnit/CUnit.h>

#include <stdlib.h>

#define AT_ONCE_LIMIT 5000u /* steps without time passing: the stack spins */

static void
tap(void *arg, unsigned from, const uint8_t *frame, uint32_t len)
{
	struct world *w = arg;
	struct world_frame *f;

	if (w->n_log == w->room) {
		w->room = max(2 * w->room, (size_t)256);
		w->log = realloc(w->log, w->room * sizeof *w->log);
		if (!w->log)
			abort();
	}
	f = &w->log[w->n_log++];
	*f = (struct world_frame){ from, net_now(w->net), len, malloc(len) };
	if (!f->data)
		abort();
	memcpy(f->data, frame, len);
}

void
world_v6(struct stack_cfg *cfg, unsigned who)
{
	host_cfg6(cfg, who);
}

/* As host `to` knows him. */
static struct ip_addr
stranger(const struct world *w, unsigned to)
{
	return ip_addr_is_v4(&w->host[to].ip) ? host_ip(WORLD_STRANGER) : host_ip6(WORLD_STRANGER);
}

void
world_init(struct world *w, unsigned n, void (*cfg)(struct stack_cfg *, unsigned who))
{
	uint8_t mac[6];

	memset(w, 0, sizeof *w);
	w->n = n;
	w->net_cfg = (struct net_cfg){ .seed = 1, .latency_ns = US(100) };
	w->net = net_new(&w->net_cfg);
	net_set_tap(w->net, tap, w);
	net_mac(WORLD_STRANGER, mac);
	for (unsigned i = 0; i < n; i++) {
		struct ip_addr his;
		struct stack_cfg c;

		host_cfg(&c, i, 17 + i);
		if (cfg)
			cfg(&c, i);
		host_init(&w->host[i], &c, w->net, i, SEC(1000) * (i + 1));
		his = stranger(w, i);
		CU_ASSERT_TRUE(stack_neighbour(w->host[i].st, 0, &his, mac));
	}
	world_now(w);
	for (unsigned i = 0; i < n; i++)
		(void)world_skips(w, i);
}

void
world_fini(struct world *w)
{
	for (unsigned i = 0; i < w->n; i++) {
		host_fini(&w->host[i]);
		CU_ASSERT_EQUAL(net_held(w->net, i), 0);
	}
	net_free(w->net);
	for (size_t i = 0; i < w->n_log; i++)
		free(w->log[i].data);
	free(w->log);
}

/* ---------------------------------------------------------------- time -- */

static bool
step_due(struct world *w)
{
	bool any = false;

	for (unsigned i = 0; i < w->n; i++) {
		struct host *h = &w->host[i];

		if (!host_due(h))
			continue;
		host_step(h);
		host_drain(h);
		any = true;
		CU_ASSERT_TRUE_FATAL(h->steps_at_once < AT_ONCE_LIMIT);
	}
	return any;
}

void
world_now(struct world *w)
{
	while (step_due(w))
		;
}

void
world_run(struct world *w, int64_t ns)
{
	int64_t end = net_now(w->net) + ns;

	for (;;) {
		int64_t next = net_next(w->net);

		world_now(w);
		next = net_next(w->net);
		for (unsigned i = 0; i < w->n; i++)
			next = min(next, w->host[i].deadline);
		if (next > end)
			break;
		net_time(w->net, next);
	}
	net_time(w->net, end);
	world_now(w);
}

void
world_step(struct world *w, unsigned who)
{
	host_step(&w->host[who]);
}

struct stack *
world_stack(struct world *w, unsigned who)
{
	return w->host[who].st;
}

uint64_t
world_fate(struct world *w, unsigned who, enum fate f)
{
	return stack_fate_count(w->host[who].st, f);
}

const char *
world_leak(struct world *w, unsigned who)
{
	struct host *h = &w->host[who];

	host_drain(h);
	host_return_chunks(h);
	host_step(h);
	host_drain(h);
	host_step(h);
	return host_leak(h);
}

/* -------------------------------------------------------- the stranger -- */

struct craft_way
world_way(const struct world *w, unsigned to)
{
	struct craft_way way = { .src = stranger(w, to), .dst = w->host[to].ip };

	net_mac(WORLD_STRANGER, way.smac.b);
	net_mac(to, way.dmac.b);
	return way;
}

void
world_frame(struct world *w, unsigned to, const uint8_t *frame, uint32_t len)
{
	net_inject(w->net, to, frame, len);
	world_now(w);
}

void
world_drop_in(struct world *w, unsigned to, const struct tcp_seg *s)
{
	static const uint8_t text[1460];
	struct craft_way way = world_way(w, to);
	uint8_t frame[CRAFT_MAX];

	net_inject(w->net, to, frame, craft_tcp(frame, &way, s, text));
}

void
world_say(struct world *w, unsigned to, const struct tcp_seg *s)
{
	world_drop_in(w, to, s);
	world_now(w);
}

const struct world_frame *
world_next(struct world *w, unsigned from)
{
	while (w->heard[from] < w->n_log) {
		const struct world_frame *f = &w->log[w->heard[from]++];

		if (f->from == from)
			return f;
	}
	return NULL;
}

bool
world_hears(struct world *w, unsigned from, struct tcp_seg *s)
{
	const struct world_frame *f;
	struct craft_way way;

	while ((f = world_next(w, from)))
		if (craft_parse_tcp(f->data, f->len, &way, s))
			return true;
	return false;
}

unsigned
world_skips(struct world *w, unsigned from)
{
	unsigned n = 0;

	while (world_next(w, from))
		n++;
	return n;
}

bool
world_calls(struct world *w, unsigned to, uint16_t sport, uint16_t port, struct call *k)
{
	struct tcp_seg s;

	*k = (struct call){ sport, port, seq_of(5000u + sport), seq_of(0) };
	(void)world_skips(w, to);
	world_say(w, to, &(struct tcp_seg){ .seq = k->snd, .flags = TCP_SYN, .sport = sport,
	                                    .dport = port, .wnd = 65535, .opts = TCP_OPT_MSS,
	                                    .mss = 1460 });
	k->snd = seq_add(k->snd, 1);
	if (!world_hears(w, to, &s) || s.flags != (TCP_SYN | TCP_ACK) || !seq_eq(s.ack, k->snd))
		return false;
	k->rcv = seq_add(s.seq, 1);
	world_tells(w, to, k, TCP_ACK, 0);
	return true;
}

void
world_tells(struct world *w, unsigned to, struct call *k, uint8_t flags, uint32_t len)
{
	struct tcp_seg s = { .seq = k->snd, .ack = k->rcv, .flags = flags, .sport = k->sport,
		             .dport = k->dport, .wnd = 65535, .len = len };

	world_say(w, to, &s);
	k->snd = seq_add(k->snd, seg_space(&s));
}

/* ----------------------------------------------------------- two hosts -- */

struct sock *
world_listen(struct world *w, unsigned who, uint16_t port, int backlog)
{
	struct ip_addr any = ip_addr_v4(0);
	struct sock *s = host_socket(&w->host[who]);

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	if (!ip_addr_is_v4(&w->host[who].ip))
		atomic_fetch_or(&s->opt_bits, SOCK_OPT_V6);
	CU_ASSERT_EQUAL_FATAL(host_bind(&w->host[who], s, &any, port), 0);
	CU_ASSERT_EQUAL_FATAL(host_listen(&w->host[who], s, backlog), 0);
	return s;
}

struct sock *
world_connect(struct world *w, unsigned who, uint16_t port)
{
	struct sock *s = host_socket(&w->host[who]);

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	host_connect(&w->host[who], s, &w->host[!who].ip, port);
	return s;
}

void
world_pair(struct world *w, const struct sock *listener, struct sock **client,
           struct sock **server)
{
	*client = world_connect(w, 0, listener->name.lport);
	world_run(w, MS(10));
	*server = host_accept(&w->host[1], listener);
	CU_ASSERT_PTR_NOT_NULL_FATAL(*server);
	CU_ASSERT_TRUE(sock_facts(*client) & SOCK_CONNECTED);
}

uint32_t
world_write(struct world *w, unsigned who, struct sock *s, uint32_t len)
{
	static const uint8_t text[8192];
	uint32_t done = 0, n;

	while (done < len &&
	       (n = host_write(&w->host[who], s, text, min(len - done, (uint32_t)sizeof text))))
		done += n;
	return done;
}

uint32_t
world_read(struct world *w, unsigned who, struct sock *s)
{
	uint8_t text[8192];
	uint32_t done = 0, n;

	while ((n = host_read(&w->host[who], s, text, sizeof text)))
		done += n;
	return done;
}
