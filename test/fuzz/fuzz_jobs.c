/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any sequence of what two applications may ask, on two stacks that talk over a
 * line with faults.  The tape says who does what when.  Text that arrives is
 * what was written, in order; in the end everybody can close, and nothing is out
 * of its pool.
 */
#include "test/fuzz/fuzz.h"
#include "test/fuzz/tape.h"
#include "test/sim/host.h"

#define HOSTS   2u
#define SOCKS   8u
#define PORTS   2u   /* listeners a host may have */
#define OPS_MAX 600u
#define AT_ONCE 3000u

struct end {
	struct sock *s;
	bool listens, shut;
	uint32_t read; /* bytes, for the pattern */
	uint32_t written;
};

struct play {
	struct net *net;
	struct host host[HOSTS];
	struct end end[HOSTS][SOCKS];
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t
pattern(uint32_t at)
{
	return (uint8_t)(at * 7 + (at >> 9));
}

/* ------------------------------------------------------------------ time -- */

static void
settle(struct play *p)
{
	bool any = true;

	while (any) {
		any = false;
		for (unsigned i = 0; i < HOSTS; i++) {
			if (!host_due(&p->host[i]))
				continue;
			host_step(&p->host[i]);
			host_drain(&p->host[i]);
			must(p->host[i].steps_at_once < AT_ONCE);
			any = true;
		}
	}
}

static void
pass(struct play *p, int64_t ns)
{
	int64_t end = net_now(p->net) + ns;

	for (settle(p);;) {
		int64_t next = net_next(p->net);

		for (unsigned i = 0; i < HOSTS; i++)
			next = min(next, p->host[i].deadline);
		if (next > end)
			break;
		net_time(p->net, next);
		settle(p);
	}
	net_time(p->net, end);
	settle(p);
}

/* -------------------------------------------------------- the applications -- */

static void
make_listener(struct host *h, struct end *e, struct tape *t)
{
	struct ip_addr any = ip_addr_v4(0);

	if (e->s || !(e->s = host_socket(h)))
		return;
	if (host_bind(h, e->s, &any, (uint16_t)(80 + tape_u8(t) % PORTS)) == 0 &&
	    host_listen(h, e->s, tape_u8(t) % 4) == 0)
		e->listens = true;
}

static void
connect_out(struct play *p, unsigned who, struct end *e, struct tape *t)
{
	if (!e->s && (e->s = host_socket(&p->host[who])))
		host_connect(&p->host[who], e->s, &p->host[!who].ip,
		             (uint16_t)(80 + tape_u8(t) % PORTS));
}

static void
take_connection(struct play *p, unsigned who, struct end *e)
{
	if (e->s)
		return;
	for (unsigned i = 0; i < SOCKS && !e->s; i++)
		if (p->end[who][i].listens)
			e->s = host_accept(&p->host[who], p->end[who][i].s);
}

static void
write_some(struct host *h, struct end *e, uint32_t n)
{
	static uint8_t text[UINT16_MAX];

	if (e->shut)
		return;
	for (uint32_t i = 0; i < n; i++)
		text[i] = pattern(e->written + i);
	e->written += host_write(h, e->s, text, n);
}

static void
read_some(struct host *h, struct end *e, uint32_t n)
{
	static uint8_t text[UINT16_MAX];
	uint32_t got = host_read(h, e->s, text, n);

	for (uint32_t i = 0; i < got; i++)
		must(text[i] == pattern(e->read + i));
	e->read += got;
}

static void
let_go(struct host *h, struct end *e, bool hard)
{
	if (hard && !e->listens)
		host_abort(h, e->s);
	else
		host_close(h, e->s);
	*e = (struct end){ .s = NULL };
}

static void
work(struct play *p, struct tape *t, uint8_t what)
{
	uint8_t which = tape_u8(t);
	unsigned who = which & 1, i = which >> 1 & 7;
	struct host *h = &p->host[who];
	struct end *e = &p->end[who][i];

	switch (what) {
	case 0:
		make_listener(h, e, t);
		return;
	case 1:
		connect_out(p, who, e, t);
		return;
	case 2:
		take_connection(p, who, e);
		return;
	}
	if (!e->s)
		return;
	if (what == 3) {
		let_go(h, e, which & 16);
	} else if (what == 4) {
		(void)host_set(h, e->s, tape_u8(t) % TCP_N_OPTIONS, (int16_t)tape_u16(t));
	} else if (e->listens) {
		return;
	} else if (what == 5) {
		host_shutdown(h, e->s);
		e->shut = true;
	} else if (what < 10) {
		write_some(h, e, tape_u16(t));
	} else {
		read_some(h, e, tape_u16(t));
	}
}

/* ------------------------------------------------------------------ a play -- */

static void
open_play(struct play *p, struct tape *t)
{
	uint8_t how = tape_u8(t);
	struct net_cfg net = {
		.seed = tape_u8(t),
		.latency_ns = US(50) << how % 8,
		.jitter_ns = how & 8 ? US(300) : 0,
		.loss = how & 16 ? 50000 : 0,
		.dup = how & 32 ? 50000 : 0,
		.full = how & 64 ? 200000 : 0,
		.starve = how & 64 ? 100000 : 0,
		.split = how & 128 ? 100000 : 0,
	};

	memset(p, 0, sizeof *p);
	p->net = net_new(&net);
	for (unsigned i = 0; i < HOSTS; i++) {
		struct stack_cfg cfg;
		uint8_t size = tape_u8(t);

		host_cfg(&cfg, i, 1 + i);
		cfg.max_conns = 2 + size % 8;
		cfg.max_half_open = 4;
		cfg.max_time_wait = 4;
		cfg.max_chunks = size & 8 ? 96 : 2048;
		cfg.max_in_flight = size & 16 ? 64 : 2048;
		cfg.tcp.timestamps = !(size & 32);
		cfg.tcp.sack = !(size & 64);
		host_init(&p->host[i], &cfg, p->net, i, SEC(1000) * (i + 1));
	}
	settle(p);
}

static void
drain_host(struct host *h)
{
	host_return_chunks(h);
	for (unsigned i = 0; i < 3; i++) {
		host_step(h);
		host_drain(h);
	}
}

static void
close_play(struct play *p)
{
	for (unsigned i = 0; i < HOSTS; i++) {
		for (unsigned k = 0; k < SOCKS; k++)
			if (p->end[i][k].s)
				let_go(&p->host[i], &p->end[i][k], false);
		stack_quiesce(p->host[i].st, SEC(300), net_now(p->net) + p->host[i].epoch);
		p->host[i].deadline = net_now(p->net);
	}
	pass(p, SEC(600));
	for (unsigned i = 0; i < HOSTS; i++) {
		must(stack_is_quiet(p->host[i].st, net_now(p->net) + p->host[i].epoch));
		p->host[i].deadline = net_now(p->net);
	}
	pass(p, SEC(20)); /* a reset may have to wait for a neighbour */
	for (unsigned i = 0; i < HOSTS; i++) {
		struct host *h = &p->host[i];

		drain_host(h);
		must_be_whole(host_leak(h));
	}
	for (unsigned i = 0; i < HOSTS; i++) {
		host_fini(&p->host[i]);
		must(net_held(p->net, i) == 0);
	}
	net_free(p->net);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tape t = { data, size };
	struct play p;

	open_play(&p, &t);
	for (unsigned i = 0; i < OPS_MAX && t.len > 0; i++) {
		uint8_t op = tape_u8(&t);

		if (op < 0xc0)
			work(&p, &t, op % 14);
		else
			pass(&p, US(20) << (op & 31) % 20);
		if (op & 32)
			settle(&p);
	}
	close_play(&p);
	return 0;
}
