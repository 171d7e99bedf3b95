/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any sequence of packets and time into stack_step().  The tape plays a peer
 * that knows what the host has sent: its segments aim near the numbers that
 * matter, with true checksums, or are bytes that nobody meant.  Meanwhile an
 * application reads, writes and closes.  Whatever came, time ends every
 * connection, nothing is out of its pool, and no moment took too many steps.
 */
#include "test/fuzz/fuzz.h"
#include "test/fuzz/tape.h"
#include "test/sim/host.h"

#define PEER       1u    /* the port that the tape plays                       */
#define PEER_PORTS 8u    /* its port numbers: connections at a time            */
#define LISTEN     80u
#define SOCKS      8u
#define OPS_MAX    400u
#define AT_ONCE    3000u /* steps of one moment: more is a stack that spins    */

/* What the peer has heard last from the host, by its own port. */
struct heard {
	seq_t una, nxt; /* what the host wants next, where the host's text ends */
	uint16_t dport;
};

struct play {
	struct net *net;
	struct host host;
	struct sock *listener, *sock[SOCKS];
	bool shut[SOCKS]; /* whoever has said so writes no more: the API sees to it */
	struct heard heard[PEER_PORTS];
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
tap(void *arg, unsigned from, const uint8_t *frame, uint32_t len)
{
	struct play *p = arg;
	struct craft_way way;
	struct tcp_seg s;
	struct heard *h;

	if (from != 0 || !craft_parse_tcp(frame, len, &way, &s))
		return;
	h = &p->heard[s.dport % PEER_PORTS];
	h->una = s.ack;
	h->nxt = seq_add(s.seq, seg_space(&s));
	h->dport = s.sport;
}

/* ------------------------------------------------------------- time -- */

static void
settle(struct play *p)
{
	while (host_due(&p->host)) {
		host_step(&p->host);
		host_drain(&p->host);
		must(p->host.steps_at_once < AT_ONCE);
	}
}

static void
pass(struct play *p, int64_t ns)
{
	int64_t end = net_now(p->net) + ns;

	for (settle(p);;) {
		int64_t next = min(net_next_at(p->net, 0), p->host.deadline);

		if (next > end)
			break;
		net_time(p->net, next);
		settle(p);
	}
	net_time(p->net, end);
	settle(p);
}

/* ------------------------------------------------------------- the peer -- */

static struct craft_way
way_of(const struct play *p)
{
	struct craft_way way = { .src = host_ip(PEER), .dst = p->host.ip };

	net_mac(PEER, way.smac.b);
	net_mac(0, way.dmac.b);
	return way;
}

static void
take_options(struct tape *t, struct tcp_seg *s, const struct heard *h)
{
	uint8_t which = tape_u8(t);

	if (which & 1) {
		s->opts |= TCP_OPT_MSS;
		s->mss = tape_u16(t);
	}
	if (which & 2) {
		s->opts |= TCP_OPT_WSCALE;
		s->wscale = tape_u8(t) % (TCP_WSCALE_MAX + 1);
	}
	if (which & 4)
		s->opts |= TCP_OPT_SACK_OK;
	if (which & 8) {
		s->opts |= TCP_OPT_TS;
		s->tsval = tape_distance(t);
		s->tsecr = tape_distance(t);
	}
	if (which & 16) {
		s->opts |= TCP_OPT_SACK;
		s->n_sack = (uint8_t)(1 + tape_u8(t) % 3);
		for (unsigned i = 0; i < s->n_sack; i++) {
			s->sack[i].end = seq_add(h->nxt, 0u - tape_distance(t));
			s->sack[i].start = seq_add(s->sack[i].end, 0u - tape_distance(t));
		}
	}
}

static void
say_segment(struct play *p, struct tape *t)
{
	static const uint8_t text[1460];
	unsigned who = tape_u8(t) % PEER_PORTS;
	struct heard *h = &p->heard[who];
	struct craft_way way = way_of(p);
	struct tcp_seg s = { .flags = tape_u8(t), .sport = (uint16_t)(1024 * PEER_PORTS + who) };
	uint8_t frame[CRAFT_MAX];

	s.dport = h->dport ? h->dport : LISTEN;
	s.seq = seq_add(h->una, tape_distance(t));
	s.ack = seq_add(h->nxt, tape_distance(t));
	s.wnd = tape_u16(t);
	s.urg = s.flags & TCP_URG ? tape_u8(t) : 0;
	s.len = tape_distance(t) % (uint32_t)sizeof text;
	take_options(t, &s, h);
	if (s.opts & TCP_OPT_MSS) { /* forty bytes hold not everything at once */
		s.opts &= (uint8_t)~TCP_OPT_SACK;
		s.n_sack = 0;
	}
	net_inject(p->net, 0, frame, craft_tcp(frame, &way, &s, text));
}

static void
say_bytes(struct play *p, struct tape *t)
{
	const uint8_t *bytes;
	uint32_t n = tape_bytes(t, tape_u8(t), &bytes);
	struct craft_way way = way_of(p);
	uint8_t frame[CRAFT_MAX];

	if (tape_u8(t) & 1)
		net_inject(p->net, 0, bytes, n);
	else
		net_inject(p->net, 0, frame, craft_ip(frame, &way, tape_u8(t), bytes, n));
}

static void
say_icmp(struct play *p, struct tape *t)
{
	unsigned who = tape_u8(t) % PEER_PORTS;
	struct heard *h = &p->heard[who];
	struct craft_way way = way_of(p);
	uint8_t frame[CRAFT_MAX], type = tape_u8(t), code = tape_u8(t);
	uint16_t rest = tape_u16(t);
	uint32_t len;

	len = craft_icmp_error(frame, &way, type, code, rest, &way.src, h->dport,
	                       (uint16_t)(1024 * PEER_PORTS + who),
	                       seq_add(h->nxt, 0u - tape_distance(t)));
	net_inject(p->net, 0, frame, len);
}

static void
say_arp(struct play *p, struct tape *t)
{
	struct craft_way way = way_of(p);
	struct arp_pkt a = { .op = (uint16_t)(1 + tape_u8(t) % 3), .sha = way.smac,
		             .spa = ip_addr_v4_host(&way.src), .tpa = ip_addr_v4_host(&way.dst) };
	uint8_t frame[CRAFT_MAX];

	a.sha.b[5] ^= tape_u8(t);
	net_inject(p->net, 0, frame, craft_arp(frame, &way.dmac, &a));
}

/* -------------------------------------------------------- the application -- */

static void
connect_out(struct play *p, struct tape *t, unsigned i)
{
	struct ip_addr peer = host_ip(PEER);

	if (p->sock[i] || !(p->sock[i] = host_socket(&p->host)))
		return;
	host_connect(&p->host, p->sock[i], &peer,
	             (uint16_t)(1024 * PEER_PORTS + tape_u8(t) % PEER_PORTS));
}

static void
work(struct play *p, struct tape *t)
{
	static uint8_t text[65536];
	uint8_t what = tape_u8(t);
	unsigned i = what % SOCKS;

	if (!p->sock[i]) {
		p->shut[i] = false;
		if (what < 0xc0)
			p->sock[i] = host_accept(&p->host, p->listener);
	}
	if (what >= 0xc0)
		connect_out(p, t, i);
	if (!p->sock[i])
		return;
	switch (what >> 3 & 7) {
	case 0:
	case 1:
		if (!p->shut[i])
			(void)host_write(&p->host, p->sock[i], text, tape_u16(t));
		break;
	case 2:
	case 3:
		(void)host_read(&p->host, p->sock[i], text, tape_u16(t));
		break;
	case 4:
		host_shutdown(&p->host, p->sock[i]);
		p->shut[i] = true;
		break;
	case 5:
		host_close(&p->host, p->sock[i]);
		p->sock[i] = NULL;
		break;
	case 6:
		host_abort(&p->host, p->sock[i]);
		p->sock[i] = NULL;
		break;
	default:
		host_set(&p->host, p->sock[i], tape_u8(t) % TCP_N_OPTIONS, tape_u16(t));
		break;
	}
}

/* ---------------------------------------------------------------- a play -- */

static void
open_play(struct play *p, struct tape *t)
{
	struct net_cfg net = { .seed = 1 };
	struct ip_addr any = ip_addr_v4(0), peer = host_ip(PEER);
	struct stack_cfg cfg;
	uint8_t mac[6], how = tape_u8(t);

	memset(p, 0, sizeof *p);
	p->net = net_new(&net);
	net_plug(p->net, PEER);
	net_set_tap(p->net, tap, p);
	host_cfg(&cfg, 0, 1);
	cfg.max_conns = how & 1 ? 3 : 16;
	cfg.max_half_open = how & 2 ? 2 : 8;
	cfg.max_time_wait = 4;
	cfg.max_chunks = how & 4 ? 96 : 2048;
	cfg.max_in_flight = how & 8 ? 32 : 1024;
	cfg.tcp.timestamps = !(how & 16);
	cfg.tcp.sack = !(how & 32);
	host_init(&p->host, &cfg, p->net, 0, SEC(1000));
	net_mac(PEER, mac);
	if (how & 64)
		(void)stack_neighbour(p->host.st, 0, &peer, mac);
	settle(p);
	p->listener = host_socket(&p->host);
	must(p->listener && host_bind(&p->host, p->listener, &any, LISTEN) == 0);
	must(host_listen(&p->host, p->listener, 4) == 0);
}

static void
close_play(struct play *p)
{
	for (unsigned i = 0; i < SOCKS; i++)
		if (p->sock[i])
			host_close(&p->host, p->sock[i]);
	host_close(&p->host, p->listener);
	stack_quiesce(p->host.st, SEC(100), net_now(p->net) + p->host.epoch);
	p->host.deadline = net_now(p->net);
	pass(p, SEC(400));
	must(stack_is_quiet(p->host.st, net_now(p->net) + p->host.epoch));
	p->host.deadline = net_now(p->net);
	pass(p, SEC(20)); /* a reset may have to wait for a neighbour */
	host_return_chunks(&p->host);
	for (unsigned i = 0; i < 3; i++) {
		host_step(&p->host);
		host_drain(&p->host);
	}
	must_be_whole(host_leak(&p->host));
	host_fini(&p->host);
	must(net_held(p->net, 0) == 0);
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

		if (op < 0x80)
			say_segment(&p, &t);
		else if (op < 0x90)
			say_bytes(&p, &t);
		else if (op < 0x98)
			say_icmp(&p, &t);
		else if (op < 0xa0)
			say_arp(&p, &t);
		else if (op < 0xe0)
			work(&p, &t);
		else
			pass(&p, US(10) << (tape_u8(&t) & 31) % 24);
		if (op & 1)
			settle(&p);
	}
	close_play(&p);
	return 0;
}
