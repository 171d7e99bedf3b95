/* SPDX-License-Identifier: BSD-3-Clause */
#include "test/tcp/duo.h"

#include <CUnit/CUnit.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "tcp/tcp_ecn.h"
#include "tcp/tcp_fastopen.h"
#include "tcp/tcp_isn.h"
#include "tcp/tcp_timer.h"
#include "tcp/tcp_urgent.h"

struct duo_frame {
	struct link link;
	int64_t at;
	int to;
	uint32_t len;
	uint8_t ecn;
	uint8_t bytes[];
};

static struct ip_addr
addr_of(const struct duo *d, int who)
{
	struct ip_addr a = ip_addr_v4(0x0a000001u + (uint32_t)who);

	if (d->o.v6) {
		memset(&a, 0, sizeof a);
		a.b[0] = 0xfd;
		a.b[15] = (uint8_t)(1 + who);
	}
	return a;
}

static uint16_t
port_of(int who)
{
	return who ? DUO_PORT_B : DUO_PORT_A;
}

static void
broke(struct duo *d, const char *rule)
{
	if (!d->broken)
		d->broken = rule;
}

/* ------------------------------------------------------------ life -- */

static void
pools_init(struct duo_side *s, const struct duo_opts *o)
{
	struct tcp_env *e = &s->env;
	struct region *m = &s->mem;
	bool ok = true;

	/* Each is asked, since a region that only counts says no. */
	ok &= pool_init(&e->xmits, m, sizeof(struct tcp_xmit), 4);
	ok &= pool_init(&e->sents, m, sizeof(struct tcp_sent), o->sents ? o->sents : 32768);
	ok &= pool_init(&e->ccs, m, CC_RECORD_SIZE, o->ccs);
	ok &= pool_init(&e->reasses, m, sizeof(struct tcp_reass), o->reasses ? o->reasses : 4);
	ok &= pool_init(&e->runs, m, sizeof(struct tcp_run), o->runs ? o->runs : 512);
	ok &= pool_init(&e->rares, m, sizeof(struct tcp_rare), 1);
	ok &= pool_init(&e->chunks, m, CHUNK_SIZE, o->chunks ? o->chunks : DUO_CHUNKS);
	ok &= trace_init(&s->trace, m, 256);
	ok &= tcp_paths_init(&e->paths, m, &(struct siphash_key){ 3, 4 }, 16);
	if (!ok && m->base)
		abort();
}

static void
memory_take(struct duo_side *s, const struct duo_opts *o)
{
	pools_init(s, o); /* counts */
	s->mem.size = align_up(s->mem.used, 4096);
	s->mem.used = 0;
	s->mem.base = mmap(NULL, s->mem.size, PROT_READ | PROT_WRITE,
	                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (s->mem.base == MAP_FAILED)
		abort();
	pools_init(s, o);
}

static void
side_init(struct duo *d, int who)
{
	struct duo_side *s = &d->side[who];

	s->duo = d;
	s->who = who;
	tcp_cfg_default(&s->cfg);
	if (d->o.cfg)
		d->o.cfg(&s->cfg, who);
	memory_take(s, &d->o);
	s->env.cfg = &s->cfg;
	s->env.no_opts = &s->no_opts;
	s->env.trace = &s->trace;
	s->env.secret = (struct siphash_key){ 1, (uint64_t)who };
	tcp_fastopen_keys(&s->env.fastopen, &s->cfg, &s->env.secret);
	s->mss = d->o.mss[who] ? d->o.mss[who] : 1460;
	s->iss = d->o.iss[who];
}

struct duo *
duo_new(const struct duo_opts *o)
{
	struct duo *d = mmap(NULL, sizeof *d, PROT_READ | PROT_WRITE, /* not far from chunks */
	                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (d == MAP_FAILED)
		abort();
	if (o)
		d->o = *o;
	if (d->o.iss[0].v == 0 && d->o.iss[1].v == 0) {
		d->o.iss[0] = seq_of(1000);
		d->o.iss[1] = seq_of(2000000000);
	}
	d->now = DUO_T0;
	d->rng.state = d->o.seed;
	d->latency = d->o.latency ? d->o.latency : MS(5);
	list_init(&d->frames);
	side_init(d, DUO_A);
	side_init(d, DUO_B);
	return d;
}

static void
side_free(struct duo_side *s)
{
	struct tcp_env *e = &s->env;

	tcp_conn_release(e, &s->conn);
	stream_dismantle(&s->snd_w, &s->snd_r, &e->spare);
	stream_dismantle(&s->rcv_w, &s->rcv_r, &e->spare);
	CU_ASSERT_EQUAL(e->xmits.used, 0);
	CU_ASSERT_EQUAL(e->sents.used, 0);
	CU_ASSERT_EQUAL(e->ccs.used, 0);
	CU_ASSERT_EQUAL(e->reasses.used, 0);
	CU_ASSERT_EQUAL(e->runs.used, 0);
	CU_ASSERT_EQUAL(e->rares.used, 0);
	CU_ASSERT_EQUAL(e->chunks.used, e->spare.n);
	(void)munmap(s->mem.base, s->mem.size);
}

void
duo_free(struct duo *d)
{
	struct link *l;

	if (d->broken)
		printf("\nseed %" PRIu64 ": %s\n", d->o.seed, d->broken);
	CU_ASSERT_PTR_NULL(d->broken);
	while ((l = list_pop_front(&d->frames)))
		free(container_of(l, struct duo_frame, link));
	side_free(&d->side[0]);
	side_free(&d->side[1]);
	free(d->log);
	munmap(d, sizeof *d);
}

/* ------------------------------------------------------------ the link -- */

static void
record(struct duo *d, int from, const struct tcp_seg *s, bool dropped)
{
	if (d->o.no_log)
		return;
	if (d->n_log == d->max_log) {
		d->max_log = max(2 * d->max_log, (size_t)256);
		d->log = realloc(d->log, d->max_log * sizeof *d->log);
		if (!d->log)
			abort();
	}
	d->log[d->n_log] = (struct duo_record){ d->now, from, dropped, *s };
	d->log[d->n_log++].s.text = NULL;
}

/* What any peer may demand of what it sees on the wire. */
static void
judge_text(struct duo *d, int from, const struct tcp_seg *s)
{
	struct duo_side *me = &d->side[from], *peer = &d->side[!from];
	uint32_t options = wire_tcp_hdr_len(s) - TCP_HDR_LEN;
	seq_t end = seq_add(s->seq, s->len);

	if (s->len && peer->said_mss && !(s->flags & TCP_SYN) &&
	    s->len + options > min(peer->said_mss, (uint32_t)me->mss))
		broke(d, "a segment larger than the MSS, its options counted (RFC 6691)");
	if (s->len && !(s->flags & TCP_SYN) && peer->edge_known && !d->shrinks[!from] &&
	    seq_lt(peer->edge, end))
		broke(d, "text beyond the window that was ever offered");
}

static void
judge_window(struct duo *d, int from, const struct tcp_seg *s)
{
	struct duo_side *me = &d->side[from];
	bool scaled = me->scales && d->side[!from].scales && !(s->flags & TCP_SYN);
	uint32_t shift = scaled ? me->wscale : 0;
	seq_t edge = seq_add(s->ack, s->wnd << shift);

	if (!(s->flags & TCP_ACK))
		return;
	/* By less than a unit of the scale it may seem so (RFC 7323 2.4). */
	if (me->edge_known && !d->shrinks[from] &&
	    seq_le(seq_add(edge, 1u << shift), me->edge))
		broke(d, "the right edge of the window moved to the left (SHLD-14)");
	me->edge = me->edge_known && !d->shrinks[from] ? seq_max(me->edge, edge) : edge;
	me->edge_known = true;
}

/* RFC 3168 6.1: what may be marked is new text, and nothing else. */
static void
judge_ecn(struct duo *d, int from, const struct tcp_seg *s)
{
	struct duo_side *me = &d->side[from];

	if (s->flags & TCP_SYN)
		me->sent_to = seq_add(s->seq, 1);
	if (s->ecn && (s->len == 0 || (s->flags & TCP_SYN)))
		broke(d, "what carries no new text could be marked (RFC 3168 6.1.1, 6.1.4)");
	if (s->ecn && seq_lt(s->seq, me->sent_to))
		broke(d, "a retransmission could be marked (RFC 3168 6.1.5)");
	if (s->len)
		me->sent_to = seq_max(me->sent_to, seq_add(s->seq, s->len));
}

static void
learn_syn(struct duo_side *me, const struct tcp_seg *s)
{
	if (!(s->flags & TCP_SYN))
		return;
	me->edge_known = false;
	me->scales = s->opts & TCP_OPT_WSCALE;
	me->wscale = s->wscale;
	me->said_mss = (s->opts & TCP_OPT_MSS) && s->mss ? s->mss : me->duo->o.v6 ? 1220 : 536;
	if (me->said_mss < 88) /* smaller is not honoured: Linux's tcp_min_snd_mss */
		me->said_mss = 88;
}

static void
judge(struct duo *d, int from, const struct tcp_seg *s)
{
	struct duo_side *me = &d->side[from];

	if (s->flags & TCP_RST)
		return;
	learn_syn(me, s);
	judge_text(d, from, s);
	judge_ecn(d, from, s);
	judge_window(d, from, s);
}

/* Waits for the line; false: too many do. */
static bool
serialize(struct duo *d, int from, struct duo_frame *f)
{
	int64_t start = max(d->line_free[from], d->now);

	if (d->rate_bps == 0)
		return true;
	if (start - d->now > d->queue_ns)
		return false;
	if (f->ecn && d->mark_ns && start - d->now > d->mark_ns)
		f->ecn = IP_ECN_CE;
	d->line_free[from] = start + (int64_t)((f->len + 20) * 8 * NS_PER_S / d->rate_bps);
	f->at += d->line_free[from] - d->now;
	return true;
}

static void
frame_add(struct duo *d, int from, const struct tcp_seg *s)
{
	uint32_t hdr_len = wire_tcp_hdr_len(s), len = hdr_len + s->len;
	struct duo_frame *f = malloc(sizeof *f + len), *o;
	struct ip_addr src = addr_of(d, from), dst = addr_of(d, !from);
	struct link *at;

	if (!f)
		abort();
	memset(f, 0, sizeof *f);
	f->at = d->now + d->latency;
	if (d->jitter)
		f->at += (int64_t)rng_below(&d->rng, (uint32_t)d->jitter);
	f->to = !from;
	f->len = len;
	f->ecn = s->ecn;
	if (s->ecn && rng_chance_ppm(&d->rng, d->ce_ppm))
		f->ecn = IP_ECN_CE;
	if (!serialize(d, from, f)) {
		free(f);
		return;
	}
	if (wire_tcp_build(f->bytes, s) != hdr_len)
		broke(d, "header length");
	if (s->len)
		memcpy(f->bytes + hdr_len, s->text, s->len);
	wire_tcp_sum_fill(f->bytes, len, &src, &dst);
	for (at = d->frames.head.prev; at != &d->frames.head; at = at->prev) {
		o = container_of(at, struct duo_frame, link);
		if (o->at <= f->at)
			break;
	}
	link_insert_after(at, &f->link);
}

/* Some boxes on the way cut a segment in two, and not always cleanly. */
static void
frame_split(struct duo *d, int from, const struct tcp_seg *s)
{
	uint32_t cut = 1 + rng_below(&d->rng, s->len - 1), back = rng_below(&d->rng, cut + 1);
	struct tcp_seg one = *s, two = *s;

	one.len = cut;
	one.flags &= (uint8_t)~(TCP_FIN | TCP_PSH);
	two.seq = seq_add(s->seq, back);
	two.text = s->text + back;
	two.len = s->len - back;
	frame_add(d, from, &one);
	frame_add(d, from, &two);
}

static void
link_send(struct duo *d, int from, const struct tcp_seg *built)
{
	struct tcp_seg s = *built;
	bool lost;

	judge(d, from, &s);
	d->side[from].sent++;
	lost = d->cut[from] || rng_chance_ppm(&d->rng, d->loss_ppm);
	if (d->filter && !d->filter(d, from, &s))
		lost = true;
	record(d, from, &s, lost);
	if (lost || d->o.alone)
		return;
	if (s.len > 1 && rng_chance_ppm(&d->rng, d->split_ppm))
		frame_split(d, from, &s);
	else
		frame_add(d, from, &s);
	if (rng_chance_ppm(&d->rng, d->dup_ppm))
		frame_add(d, from, &s);
}

/* ---------------------------------------------------- what a core does -- */

static struct tcp_tuple
tuple_of(const struct duo_side *s)
{
	return (struct tcp_tuple){ .local = addr_of(s->duo, s->who),
		                   .remote = addr_of(s->duo, !s->who),
		                   .lport = port_of(s->who),
		                   .rport = port_of(!s->who) };
}

void
duo_conn_make(struct duo_side *s, seq_t iss, uint32_t ts_offset)
{
	struct tcp_open o = { .tuple = tuple_of(s),
		              .local_mss = s->mss,
		              .iss = iss,
		              .ts_offset = ts_offset,
		              .opts = s->opts.set ? &s->opts : &s->no_opts,
		              .streams = &s->streams };

	stream_dismantle(&s->snd_w, &s->snd_r, &s->env.spare);
	stream_dismantle(&s->rcv_w, &s->rcv_r, &s->env.spare);
	memset(&s->conn, 0xa5, sizeof s->conn); /* memory of any content */
	s->conn.id = (uint32_t)s->who;
	tcp_conn_init(&s->env, &s->conn, &o, s->duo->now);
	s->opened++;
}

static void
reply(struct duo_side *s, struct tcp_seg *r)
{
	r->sport = port_of(s->who);
	r->dport = port_of(!s->who);
	link_send(s->duo, s->who, r);
}

static void
reset_for(struct duo_side *s, const struct tcp_seg *in)
{
	struct tcp_seg r;

	if (tcp_reset_for(in, &r))
		reply(s, &r);
}

static void
req_answer(struct duo_side *s)
{
	struct tcp_seg r;

	if (!s->has_req || !s->req.due)
		return;
	s->req_at = tcp_req_synack(&s->env, &s->req, s->duo->now, &r);
	reply(s, &r);
}

static enum fate
in_listen(struct duo_side *s, const struct tcp_seg *in)
{
	struct tcp_tuple t = tuple_of(s);

	if (in->flags & TCP_RST)
		return DROP_NO_CONN_RST;
	if (!s->listens || in->flags & TCP_ACK) {
		reset_for(s, in);
		return DROP_NO_CONN;
	}
	if (!(in->flags & TCP_SYN))
		return DROP_LISTEN;
	tcp_req_init(&s->env, &s->req, &t, in, s->iss, s->mss, s->cfg.rcvbuf, s->duo->now);
	if ((s->cfg.fastopen & FASTOPEN_SERVER) &&
	    tcp_fastopen_judge(&s->env, &t, in, &s->req.give_cookie)) {
		duo_conn_make(s, s->req.iss, s->req.ts_offset);
		tcp_req_promote(&s->env, &s->req, &s->conn, s->duo->now);
		tcp_fastopen_accept(&s->env, &s->conn, in, s->duo->now);
		return SYN_FASTOPEN;
	}
	s->has_req = true;
	return SYN_TAKEN;
}

static enum fate
in_conn(struct duo_side *s, const struct tcp_seg *in)
{
	enum fate fate = tcp_in(&s->env, &s->conn, in, s->duo->now);

	if (s->conn.flags & TCPF_URG_NEWS) {
		s->urgent_told++;
		s->urgent_at = tcp_urgent_at(&s->conn);
		s->urgent_late |= s->urgent_at < atomic_load(&s->rcv_w.written);
		fate = tcp_in_rest(&s->env, &s->conn, in, s->duo->now);
	}
	if (fate == DROP_HANDSHAKE_RESET)
		reset_for(s, in);
	return fate;
}

static enum fate
in_req(struct duo_side *s, const struct tcp_seg *in)
{
	enum fate fate = tcp_req_in(&s->env, &s->req, in, s->duo->now);
	struct tcp_seg ack;

	if (tcp_req_answer(&s->env, &s->req, in, fate, s->duo->now, &ack))
		reply(s, &ack);
	if (fate == DROP_HANDSHAKE_RESET)
		reset_for(s, in);
	if (fate == REQ_RESET)
		s->has_req = false;
	if (fate != SEG_OK)
		return fate;
	duo_conn_make(s, s->req.iss, s->req.ts_offset);
	tcp_req_promote(&s->env, &s->req, &s->conn, s->duo->now);
	s->has_req = false;
	return in_conn(s, in);
}

static enum fate
in_tw(struct duo_side *s, const struct tcp_seg *in)
{
	struct tcp_seg r;
	enum fate fate = tcp_tw_in(&s->env, &s->tw, in, s->duo->now, &r);

	if (fate == TW_ACKED)
		reply(s, &r);
	if (fate == TW_RESET)
		s->has_tw = false;
	if (fate != TW_REOPENED)
		return fate;
	s->has_tw = false;
	s->iss = seq_max(s->iss, tcp_tw_min_iss(&s->tw));
	(void)in_listen(s, in);
	return fate;
}

static enum fate
side_in(struct duo_side *s, const struct tcp_seg *in)
{
	if (s->conn.state != TCP_CLOSED)
		return in_conn(s, in);
	if (s->has_tw)
		return in_tw(s, in);
	if (s->has_req)
		return in_req(s, in);
	return in_listen(s, in);
}

/* A connection in TIME-WAIT leaves a record; one that is CLOSED leaves nothing. */
static void
side_settle(struct duo_side *s)
{
	struct duo *d = s->duo;

	if (s->conn.state == TCP_TIME_WAIT) {
		tcp_tw_init(&s->env, &s->tw, &s->conn, d->now);
		s->has_tw = true;
		tcp_set_state(&s->env, &s->conn, TCP_CLOSED, d->now);
	}
	if (s->conn.state == TCP_CLOSED)
		tcp_conn_release(&s->env, &s->conn);
}

static void
out_one(struct duo_side *s, struct tcp_seg *out)
{
	const struct tcp_conn *c = &s->conn;
	uint8_t *text = s->duo->text;

	if (out->len) {
		stream_peek(&s->snd_r, &s->snd_w, tcp_text_cursor(c, out), tcp_text_offset(c, out),
		            text, out->len);
		out->text = text;
	}
	link_send(s->duo, s->who, out);
}

void
duo_pump(struct duo_side *s)
{
	struct tcp_seg out;
	int64_t now = s->duo->now;
	unsigned n = 0;

	req_answer(s);
	while (s->opened && tcp_out_next(&s->env, &s->conn, now, &out)) {
		out_one(s, &out);
		if (out.last)
			break;
		if (++n > 100000) {
			broke(s->duo, "output without end");
			break;
		}
	}
	if (s->opened && s->conn.state != TCP_CLOSED)
		tcp_check(&s->env, &s->conn);
	side_settle(s);
}

/* The field of the IP header comes beside the bytes of the segment. */
static const struct tcp_seg *
marked(struct tcp_seg *s, uint8_t ecn)
{
	s->ecn = ecn;
	return s;
}

static enum fate
arrives(struct duo_side *s, const uint8_t *p, uint32_t len, uint8_t ecn)
{
	struct ip_addr src = addr_of(s->duo, !s->who), dst = addr_of(s->duo, s->who);
	struct tcp_seg in;
	enum fate fate;

	if (!wire_tcp_sum_ok(p, len, &src, &dst))
		fate = DROP_TCP_SUM;
	else if (wire_tcp_parse(p, len, &in) != WIRE_TCP_OK)
		fate = DROP_TCP_HEADER;
	else
		fate = side_in(s, marked(&in, ecn));
	s->seen[fate]++;
	s->received++;
	duo_pump(s);
	return fate;
}

static enum fate
inject(struct duo_side *to, const uint8_t *p, uint32_t len, uint8_t ecn)
{
	struct ip_addr src = addr_of(to->duo, !to->who), dst = addr_of(to->duo, to->who);
	uint8_t *copy = malloc(len);
	enum fate fate;

	if (!copy)
		abort();
	memcpy(copy, p, len);
	put_be16(copy, port_of(!to->who));
	put_be16(copy + 2, port_of(to->who));
	wire_tcp_sum_fill(copy, len, &src, &dst);
	fate = arrives(to, copy, len, ecn);
	free(copy);
	return fate;
}

enum fate
duo_inject_bytes(struct duo_side *to, const uint8_t *p, uint32_t len)
{
	return inject(to, p, len, IP_ECN_NONE);
}

enum fate
duo_inject(struct duo_side *to, const struct tcp_seg *s)
{
	uint8_t *p = malloc(TCP_HDR_MAX + s->len);
	enum fate fate;
	uint32_t n;

	if (!p)
		abort();
	if (to->conn.state < TCP_SYN_RCVD && !to->has_tw && !to->has_req)
		learn_syn(&to->duo->side[!to->who], s);
	n = wire_tcp_build(p, s);
	if (s->len)
		memcpy(p + n, s->text, s->len);
	fate = inject(to, p, n + s->len, s->ecn);
	free(p);
	return fate;
}

/* ------------------------------------------------------------ time -- */

static int64_t
side_next(const struct duo_side *s)
{
	int64_t at = s->opened ? tcp_timer_next(&s->conn) : TIME_NEVER;

	if (s->has_req)
		at = min(at, s->req_at);
	if (s->has_tw)
		at = min(at, s->tw.until);
	return at;
}

static void
side_timers(struct duo_side *s)
{
	int64_t now = s->duo->now;

	if (s->opened && tcp_timer_next(&s->conn) <= now) {
		tcp_timer_run(&s->env, &s->conn, now);
		if (tcp_timer_next(&s->conn) <= now)
			broke(s->duo, "a deadline that stays in the past");
	}
	if (s->has_req && s->req_at <= now) {
		s->has_req = tcp_req_expired(&s->env, &s->req);
		s->req_at = TIME_NEVER;
	}
	if (s->has_tw && s->tw.until <= now)
		s->has_tw = false;
	duo_pump(s);
}

static bool
frames_deliver(struct duo *d)
{
	struct link *l = list_first(&d->frames);
	struct duo_frame *f = l ? container_of(l, struct duo_frame, link) : NULL;

	if (!f || f->at > d->now)
		return false;
	link_remove(&f->link);
	(void)arrives(&d->side[f->to], f->bytes, f->len, f->ecn);
	free(f);
	return true;
}

bool
duo_step(struct duo *d, int64_t limit)
{
	struct link *l = list_first(&d->frames);
	int64_t at = min(side_next(&d->side[0]), side_next(&d->side[1]));

	if (l)
		at = min(at, container_of(l, struct duo_frame, link)->at);
	if (at > limit || d->broken) {
		d->now = max(d->now, limit);
		return false;
	}
	d->now = max(d->now, at);
	if (frames_deliver(d))
		return true;
	side_timers(&d->side[0]);
	side_timers(&d->side[1]);
	return true;
}

void
duo_run_until(struct duo *d, int64_t until)
{
	uint64_t steps = 0;

	while (duo_step(d, until))
		if (++steps > 10000000)
			broke(d, "time stands still");
}

void
duo_run(struct duo *d, int64_t ns)
{
	duo_run_until(d, d->now + ns);
}

/* ------------------------------------------------------ the application -- */

void
duo_listen(struct duo_side *s)
{
	s->listens = true;
}

void
duo_connect(struct duo_side *s)
{
	struct tcp_tuple t = tuple_of(s);

	duo_conn_make(s, s->iss, tcp_ts_offset(&s->env.secret, &t));
	tcp_connect(&s->env, &s->conn, s->duo->now);
	duo_pump(s);
}

void
duo_fastopen(struct duo_side *s, uint32_t len)
{
	struct tcp_tuple t = tuple_of(s);
	uint32_t n = len;

	duo_conn_make(s, s->iss, tcp_ts_offset(&s->env.secret, &t));
	s->conn.flags |= TCPF_FASTOPEN;
	if (n)
		(void)duo_write_pattern(s, n);
	tcp_connect(&s->env, &s->conn, s->duo->now);
	duo_pump(s);
}

struct duo *
duo_established(const struct duo_opts *o)
{
	struct duo *d = duo_new(o);

	duo_listen(&d->side[DUO_B]);
	duo_connect(&d->side[DUO_A]);
	while (d->side[DUO_B].conn.state != TCP_ESTABLISHED && duo_step(d, d->now + SEC(100)))
		;
	CU_ASSERT_EQUAL(d->side[DUO_A].conn.state, TCP_ESTABLISHED);
	CU_ASSERT_EQUAL(d->side[DUO_B].conn.state, TCP_ESTABLISHED);
	return d;
}

static uint32_t
room_to_write(const struct duo_side *s)
{
	uint32_t used = stream_used(&s->snd_w, &s->snd_r);

	return used < s->conn.snd_limit ? s->conn.snd_limit - used : 0;
}

uint32_t
duo_write(struct duo_side *s, const void *data, uint32_t len)
{
	uint32_t n = min(len, room_to_write(s));

	(void)tcp_chunks_want(&s->env, n / (CHUNK_ROOM - 1) + 2);
	n = stream_write(&s->snd_w, &s->snd_r, &s->env.spare, data, n);
	tcp_app_wrote(&s->env, &s->conn, s->duo->now);
	duo_pump(s);
	return n;
}

uint8_t
duo_pattern(int who, uint32_t at)
{
	return (uint8_t)((at * 2654435761u >> 13) + (uint32_t)who * 77);
}

uint32_t
duo_write_pattern(struct duo_side *s, uint32_t len)
{
	uint32_t at = atomic_load_explicit(&s->snd_w.written, memory_order_relaxed);
	uint8_t *data;
	uint32_t n;

	len = min(len, room_to_write(s));
	if (!(data = malloc(len + 1)))
		abort();
	for (uint32_t i = 0; i < len; i++)
		data[i] = duo_pattern(s->who, at + i);
	n = duo_write(s, data, len);
	free(data);
	return n;
}

uint32_t
duo_readable(const struct duo_side *s)
{
	return stream_used(&s->rcv_w, &s->rcv_r);
}

uint32_t
duo_read(struct duo_side *s, void *data, uint32_t len)
{
	uint32_t n = min(len, duo_readable(s));
	void *sink = data ? data : malloc(n + 1);

	if (!sink)
		abort();
	stream_peek(&s->rcv_r, &s->rcv_w, NULL, 0, sink, n);
	stream_consume(&s->rcv_r, &s->rcv_w, NULL, n, &s->env.spare);
	if (!data)
		free(sink);
	if (n) {
		tcp_app_read(&s->env, &s->conn, s->duo->now);
		duo_pump(s);
	}
	return n;
}

uint32_t
duo_read_pattern(struct duo_side *s)
{
	uint32_t at = atomic_load_explicit(&s->rcv_r.read, memory_order_relaxed);
	uint32_t n = duo_readable(s);
	uint8_t *data = malloc(n + 1);

	if (!data)
		abort();
	(void)duo_read(s, data, n);
	for (uint32_t i = 0; i < n; i++)
		if (data[i] != duo_pattern(!s->who, at + i)) {
			broke(s->duo, "the text is not what was written");
			break;
		}
	free(data);
	return n;
}

void
duo_shutdown(struct duo_side *s)
{
	tcp_shutdown(&s->env, &s->conn, s->duo->now);
	duo_pump(s);
}

void
duo_close(struct duo_side *s)
{
	tcp_close(&s->env, &s->conn, s->duo->now);
	duo_pump(s);
}

void
duo_abort(struct duo_side *s)
{
	tcp_abort(&s->env, &s->conn, TCP_E_NONE, s->duo->now);
	duo_pump(s);
}

void
duo_flag(struct duo_side *s, uint32_t flag, bool on)
{
	s->conn.flags = on ? s->conn.flags | flag : s->conn.flags & ~flag;
	if (flag & TCPF_KEEPALIVE)
		tcp_set_opts(&s->env, &s->conn, s->conn.opts, s->duo->now);
	tcp_app_wrote(&s->env, &s->conn, s->duo->now);
	duo_pump(s);
}

void
duo_option(struct duo_side *s, enum tcp_option opt, int32_t value)
{
	s->opts.set |= 1u << opt;
	s->opts.value[opt] = value;
	if (s->conn.state != TCP_CLOSED)
		tcp_set_opts(&s->env, &s->conn, &s->opts, s->duo->now);
}

bool
duo_over(const struct duo *d)
{
	return d->side[0].conn.state == TCP_CLOSED && d->side[1].conn.state == TCP_CLOSED &&
	       !d->side[0].has_req && !d->side[1].has_req;
}

/* ------------------------------------------------------ what was seen -- */

const struct duo_record *
duo_nth(const struct duo *d, int from, unsigned n, bool (*likes)(const struct duo_record *r))
{
	for (size_t i = 0; i < d->n_log; i++)
		if (d->log[i].from == from && (!likes || likes(&d->log[i])) && n-- == 0)
			return &d->log[i];
	return NULL;
}

unsigned
duo_count(const struct duo *d, int from, bool (*likes)(const struct duo_record *r))
{
	unsigned n = 0;

	while (duo_nth(d, from, n, likes))
		n++;
	return n;
}

bool
duo_likes_text(const struct duo_record *r)
{
	return r->s.len > 0;
}

bool
duo_likes_syn(const struct duo_record *r)
{
	return r->s.flags & TCP_SYN;
}

bool
duo_likes_fin(const struct duo_record *r)
{
	return r->s.flags & TCP_FIN;
}

bool
duo_likes_rst(const struct duo_record *r)
{
	return r->s.flags & TCP_RST;
}

void
duo_log_clear(struct duo *d)
{
	d->n_log = 0;
}

void
duo_seg_print(const struct duo *d, const struct duo_record *r)
{
	static const char names[] = "FSRP.UEC";
	const struct tcp_seg *s = &r->s;
	seq_t mine = d->o.iss[r->from], other = d->o.iss[!r->from];
	uint32_t at = seq_sub(s->seq, mine);

	printf("%13.6f %s ", (double)(r->at - DUO_T0) / 1e9, r->from ? "<" : ">");
	for (unsigned b = 0; b < 8; b++)
		if (s->flags >> b & 1)
			putchar(names[b]);
	printf(" %u:%u(%u)", at, at + s->len, s->len);
	if (s->flags & TCP_ACK)
		printf(" ack %u", seq_sub(s->ack, other));
	printf(" win %u", s->wnd);
	if (s->opts & TCP_OPT_MSS)
		printf(" mss %u", s->mss);
	if (s->opts & TCP_OPT_WSCALE)
		printf(" wscale %u", s->wscale);
	if (s->opts & TCP_OPT_SACK_OK)
		printf(" sackOK");
	if (s->opts & TCP_OPT_TS)
		printf(" TS %u/%u", s->tsval, s->tsecr);
	for (unsigned i = 0; i < s->n_sack; i++)
		printf(" sack %u:%u", seq_sub(s->sack[i].start, other),
		       seq_sub(s->sack[i].end, other));
	printf("%s\n", r->dropped ? " lost" : "");
}

void
duo_log_print(const struct duo *d)
{
	for (size_t i = 0; i < d->n_log; i++)
		duo_seg_print(d, &d->log[i]);
}
