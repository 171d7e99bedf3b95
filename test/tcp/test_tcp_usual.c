/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Header prediction beside the functions that it saves: the same exchange twice, over the same
 * bad link, once without it; and after each step all that a connection is has to be the same.
 */
#include <CUnit/CUnit.h>

#include <stdio.h>

#include "tcp/tcp_ecn.h"
#include "tcp/tcp_usual.h"
#include "test/tcp/duo.h"

void suite_tcp_usual(void);

struct twins {
	struct duo *usual, *general;
	struct rng rng;
	uint64_t seed;
};

static void
twins_begin(struct twins *t, uint64_t seed, void (*cfg)(struct tcp_cfg *cfg, int who))
{
	struct duo_opts o = { .seed = seed, .cfg = cfg, .ccs = 2 };

	t->rng.state = t->seed = seed;
	t->usual = duo_new(&o);
	t->general = duo_new(&o);
	for (int i = 0; i < 2; i++)
		t->general->side[i].cfg.general_only = true;
	duo_listen(&t->usual->side[DUO_B]);
	duo_listen(&t->general->side[DUO_B]);
	duo_connect(&t->usual->side[DUO_A]);
	duo_connect(&t->general->side[DUO_A]);
}

static void
twins_run(struct twins *t, int64_t ns)
{
	duo_run(t->usual, ns);
	duo_run(t->general, ns);
}

static void
twins_end(struct twins *t)
{
	duo_free(t->usual);
	duo_free(t->general);
}

/* --------------------------------------------------------------- comparison -- */

/* A copy without what is different in each: where things are. */
static void
conn_copy(struct tcp_conn *to, const struct tcp_conn *c)
{
	memcpy(to, c, sizeof *to);
	to->streams = NULL;
	to->xmit = NULL;
	to->opts = NULL;
	to->rare = NULL;
	memset(&to->timer, 0, sizeof to->timer);
	memset(&to->tx_link, 0, sizeof to->tx_link);
}

static bool
same_rare(const struct tcp_rare *a, const struct tcp_rare *b)
{
	struct tcp_rare x, y;

	if (!a || !b)
		return a == b;
	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	x.reass = y.reass = NULL;
	memset(x.cc_state, 0, sizeof x.cc_state); /* may be where the rest is */
	memset(y.cc_state, 0, sizeof y.cc_state);
	return !a->reass == !b->reass && memcmp(&x, &y, sizeof x) == 0;
}

static void
xmit_copy(struct tcp_xmit *to, const struct tcp_xmit *x)
{
	memcpy(to, x, sizeof *to);
	memset(&to->sent, 0, sizeof to->sent);
	memset(&to->timed, 0, sizeof to->timed);
	memset(&to->lost, 0, sizeof to->lost);
	to->seen = NULL;
	to->snd_cur.chunk = to->rtx_cur.chunk = NULL;
}

static bool
same_range(const struct tcp_sent *a, const struct tcp_sent *b)
{
	return a->sent_at == b->sent_at && seq_eq(a->start, b->start) && seq_eq(a->end, b->end) &&
	       a->flags == b->flags && a->segs == b->segs &&
	       memcmp(&a->mark, &b->mark, sizeof a->mark) == 0;
}

static bool
same_ranges(const struct tcp_xmit *a, const struct tcp_xmit *b)
{
	struct link *k = b->sent.head.next;

	list_for_each(l, &a->sent) {
		if (!same_range(container_of(l, struct tcp_sent, link),
		                container_of(k, struct tcp_sent, link)))
			return false;
		k = k->next;
	}
	return k == &b->sent.head;
}

static bool
same_flight(const struct tcp_xmit *a, const struct tcp_xmit *b)
{
	struct tcp_xmit x, y;

	if (!a || !b)
		return a == b;
	xmit_copy(&x, a);
	xmit_copy(&y, b);
	return memcmp(&x, &y, offsetof(struct tcp_xmit, known)) == 0 && same_ranges(a, b);
}

static bool
same_side(const struct duo_side *a, const struct duo_side *b)
{
	struct tcp_conn x, y;

	conn_copy(&x, &a->conn);
	conn_copy(&y, &b->conn);
	return memcmp(&x, &y, sizeof x) == 0 && same_flight(a->conn.xmit, b->conn.xmit) &&
	       same_rare(a->conn.rare, b->conn.rare) &&
	       a->sent == b->sent && a->received == b->received &&
	       memcmp(a->seen, b->seen, sizeof a->seen) == 0 &&
	       a->env.sents.used == b->env.sents.used &&
	       a->env.chunks.used - a->env.spare.n == b->env.chunks.used - b->env.spare.n;
}

static bool
same(const struct twins *t)
{
	for (int i = 0; i < 2; i++)
		if (!same_side(&t->usual->side[i], &t->general->side[i]))
			return false;
	return t->usual->now == t->general->now && t->usual->rng.state == t->general->rng.state;
}

/* ------------------------------------------------------------------- actions -- */

/* A segment that could be the next one, or nearly. */
static struct tcp_seg
next_segment(struct rng *rng, const struct tcp_conn *c)
{
	static const uint8_t text[6000];
	static const uint32_t off[] = { 0, 0, 0, 0, 1, UINT32_MAX, 1460, 100000 };
	struct tcp_seg s = {
		.seq = seq_add(c->rcv_nxt, off[rng_below(rng, array_len(off))]),
		.ack = seq_add(rng_below(rng, 2) ? c->snd_una : c->snd_nxt,
		               off[rng_below(rng, array_len(off))]),
		.wnd = rng_below(rng, 4) ? 65535 : rng_below(rng, 10),
		.len = rng_below(rng, 2) ? rng_below(rng, rng_below(rng, 4) ? 1460 : 6000) : 0,
		.text = text,
		.flags = TCP_ACK | (uint8_t)(rng_below(rng, 2) ? TCP_PSH : 0),
		.opts = rng_below(rng, 8) ? TCP_OPT_TS : 0,
		.tsval = c->ts_recent + off[rng_below(rng, 6)],
		.tsecr = 1,
		.ecn = rng_below(rng, 20) ? 0 : (uint8_t)rng_below(rng, 4),
	};

	if (rng_below(rng, 16) == 0)
		s.flags |= (uint8_t)rng_below(rng, 256) & (uint8_t)~(TCP_SYN | TCP_RST);
	s.tsval = s.opts ? s.tsval : 0;
	s.tsecr = s.opts ? s.tsecr : 0;
	return s;
}

static void
link_changes(struct duo *d, uint32_t what, uint32_t strength)
{
	d->loss_ppm = what & 1 ? strength : 0;
	d->dup_ppm = what & 2 ? strength : 0;
	d->split_ppm = what & 4 ? strength : 0;
	d->ce_ppm = what & 8 ? strength : 0;
	d->jitter = what & 16 ? MS(3) : 0;
}

/* What happens to one of the two: `a` and `b` are drawn for both. */
static void
act(struct duo *d, unsigned what, int who, uint32_t a, uint32_t b, const struct tcp_seg *s)
{
	static const uint8_t text[20000];
	struct duo_side *side = &d->side[who];

	switch (what) {
	case 0: case 1: case 2: case 3:
		(void)duo_write(side, text, a % 4 ? a % 1500 : a % sizeof text);
		break;
	case 4: case 5: case 6:
		(void)duo_read(side, NULL, b % 2 ? UINT32_MAX : a % 5000);
		break;
	case 7:
		duo_flag(side, b % 3 ? TCPF_NODELAY : b % 2 ? TCPF_CORK : TCPF_MORE, a & 1);
		break;
	case 8:
		link_changes(d, a % 8 ? 0 : b, b % 100000);
		break;
	case 9:
		if (a % 3 == 0)
			(void)duo_inject(side, s);
		break;
	default:
		duo_run(d, b % 20 ? (int64_t)(a % MS(8)) : (int64_t)a);
	}
}

/* True: all was the same. */
static bool
turn(struct twins *t)
{
	unsigned what = rng_below(&t->rng, 16);
	int who = (int)rng_below(&t->rng, 2);
	uint32_t a = (uint32_t)rng_u64(&t->rng), b = (uint32_t)rng_u64(&t->rng);
	struct tcp_seg s = next_segment(&t->rng, &t->usual->side[who].conn);

	act(t->usual, what, who, a, b, &s);
	act(t->general, what, who, a, b, &s);
	if (same(t))
		return true;
	printf("seed %llu: different after action %u of side %d\n", (unsigned long long)t->seed,
	       what, who);
	return false;
}

static void
exchanges(uint64_t seed, unsigned n, void (*cfg)(struct tcp_cfg *cfg, int who))
{
	for (unsigned i = 0; i < n; i++) {
		struct twins t;
		bool ok = true;

		twins_begin(&t, seed + i, cfg);
		twins_run(&t, i % 2 ? MS(100) : MS(6)); /* the SYN has arrived */
		for (unsigned k = 0; k < 300 && ok; k++)
			ok = turn(&t);
		CU_ASSERT(ok);
		t.usual->broken = t.general->broken = NULL; /* what was injected is no TCP */
		twins_end(&t);
	}
}

/* --------------------------------------------------------------------- tests -- */

static void
test_both_ways_do_the_same(void)
{
	exchanges(1, 60, NULL);
}

static void
without_options(struct tcp_cfg *cfg, int who)
{
	cfg->timestamps = who == 0;
	cfg->sack = false;
	cfg->cc = &cc_reno;
}

static void
with_much(struct tcp_cfg *cfg, int who)
{
	cfg->ecn = TCP_ECN_ON;
	cfg->pacing = who == 0;
	cfg->hystart = TCP_HYSTART_PLUSPLUS;
	cfg->mtu_probing = 2;
}

static void
with_little_room(struct tcp_cfg *cfg, int who)
{
	(void)who;
	cfg->rcvbuf = cfg->rcvbuf_max = 4096;
	cfg->sndbuf = cfg->sndbuf_max = 8192;
}

static void
with_bbr(struct tcp_cfg *cfg, int who)
{
	(void)who;
	cfg->cc = &cc_bbr;
}

static void
test_whatever_is_configured(void)
{
	exchanges(1000, 10, without_options);
	exchanges(2000, 10, with_much);
	exchanges(3000, 10, with_bbr);
	exchanges(4000, 20, with_little_room);
}

/* What the record in which it ends has of it. */
static bool
same_end(const struct duo_side *a, const struct duo_side *b)
{
	const struct tcp_tw *x = &a->tw, *y = &b->tw;

	if (!a->has_tw || !b->has_tw)
		return a->has_tw == b->has_tw;
	return seq_eq(x->snd_nxt, y->snd_nxt) && seq_eq(x->rcv_nxt, y->rcv_nxt) &&
	       x->ts_recent == y->ts_recent && x->ts_offset == y->ts_offset &&
	       x->opts == y->opts && x->wscale == y->wscale && x->wnd == y->wnd &&
	       x->until == y->until;
}

/* Something is in flight with the FIN, or the FIN alone. */
static void
say_all(struct duo *d, void (*close)(struct duo_side *s), uint32_t len, int64_t ns)
{
	static const uint8_t text[20000];

	(void)duo_write(&d->side[DUO_A], text, len);
	close(&d->side[DUO_A]);
	duo_run(d, ns);
}

static struct tcp_seg
last_segment(struct rng *rng, const struct tcp_conn *c)
{
	struct tcp_seg s = next_segment(rng, c);

	s.flags |= TCP_FIN;
	s.len = rng_below(rng, 3) ? 0 : s.len;
	if (rng_below(rng, 8)) {
		s.seq = c->rcv_nxt;
		s.ack = c->snd_nxt;
	}
	return s;
}

static void
endings(uint64_t seed, unsigned n, void (*close)(struct duo_side *s), unsigned *ended)
{
	for (unsigned i = 0; i < n; i++) {
		struct twins t;
		struct duo_side *a, *b;
		struct tcp_seg s;
		uint32_t len;

		twins_begin(&t, seed + i, NULL);
		twins_run(&t, MS(100));
		len = rng_below(&t.rng, 3) ? rng_below(&t.rng, 4000) : 0;
		say_all(t.usual, close, len, i % 3 ? 0 : MS(11));
		say_all(t.general, close, len, i % 3 ? 0 : MS(11));
		a = &t.usual->side[DUO_A];
		b = &t.general->side[DUO_A];
		s = last_segment(&t.rng, &a->conn);
		CU_ASSERT_EQUAL(duo_inject(a, &s), duo_inject(b, &s));
		*ended += a->has_tw;
		CU_ASSERT(same_end(a, b));
		CU_ASSERT_EQUAL(a->sent, b->sent);
		CU_ASSERT_EQUAL(a->env.sents.used, b->env.sents.used);
		CU_ASSERT(close == duo_close || same(&t));
		t.usual->broken = t.general->broken = NULL;
		twins_end(&t);
	}
}

static void
test_the_end_is_the_same(void)
{
	unsigned ended = 0;

	endings(5000, 100, duo_shutdown, &ended);
	endings(6000, 200, duo_close, &ended); /* nobody asks for estimates then */
	CU_ASSERT(ended > 60);
}

/* Or all of the above would compare a thing with itself. */
static void
test_the_expected_is_taken(void)
{
	struct duo *d = duo_established(NULL);
	struct duo_side *a = &d->side[DUO_A];
	struct tcp_seg s, in = { .flags = TCP_ACK | TCP_PSH, .opts = TCP_OPT_TS, .wnd = 1000 };
	enum fate fate = DROP_SHORT;

	CU_ASSERT_EQUAL(tcp_usual_out(&a->env, &a->conn, d->now, &s), TCP_USUAL_NOTHING);
	(void)tcp_chunks_want(&a->env, 2);
	CU_ASSERT_EQUAL(stream_write(&a->snd_w, &a->snd_r, &a->env.spare, (const uint8_t *)"ab", 2), 2);
	CU_ASSERT_EQUAL(tcp_usual_out(&a->env, &a->conn, d->now, &s), TCP_USUAL_SEGMENT);
	CU_ASSERT_EQUAL(s.len, 2);
	CU_ASSERT_EQUAL(s.flags, TCP_ACK | TCP_PSH);
	in.seq = a->conn.rcv_nxt;
	in.ack = a->conn.snd_nxt;
	in.tsval = a->conn.ts_recent;
	in.tsecr = s.tsval;
	CU_ASSERT(tcp_usual_in(&a->env, &a->conn, &in, d->now + MS(1), &fate));
	CU_ASSERT_EQUAL(fate, SEG_OK);
	CU_ASSERT_EQUAL(tcp_flight(&a->conn), 0);
	duo_free(d);
}

static void
test_the_first_and_the_last_are_taken(void)
{
	struct duo *d = duo_new(NULL);
	struct duo_side *b = &d->side[DUO_B];
	struct tcp_seg s = { .flags = TCP_ACK, .opts = TCP_OPT_TS, .wnd = 1000 };
	enum fate fate = DROP_SHORT;

	duo_listen(b);
	duo_connect(&d->side[DUO_A]);
	duo_run(d, MS(6));
	CU_ASSERT_FATAL(b->has_req);
	s.seq = seq_add(b->req.irs, 1);
	s.ack = seq_add(b->req.iss, 2); /* of what was not sent */
	s.tsval = b->req.ts_recent;
	(void)duo_inject(b, &s);
	s.ack = seq_add(b->req.iss, 1);
	duo_conn_make(b, b->req.iss, b->req.ts_offset);
	tcp_req_promote(&b->env, &b->req, &b->conn, d->now);
	b->has_req = false;
	CU_ASSERT_TRUE(tcp_usual_opens(&b->env, &b->conn, &s, d->now, &fate));
	CU_ASSERT_EQUAL(fate, SEG_OK);
	CU_ASSERT_EQUAL(b->conn.state, TCP_ESTABLISHED);
	tcp_set_state(&b->env, &b->conn, TCP_FIN_WAIT_1, d->now);
	b->conn.flags |= TCPF_SHUT | TCPF_ORPHAN;
	duo_pump(b);
	s.flags |= TCP_FIN;
	s.ack = b->conn.snd_nxt;
	CU_ASSERT_FALSE(tcp_usual_opens(&b->env, &b->conn, &s, d->now, &fate));
	CU_ASSERT_TRUE(tcp_usual_ends(&b->env, &b->conn, &s, d->now));
	CU_ASSERT_EQUAL(b->conn.state, TCP_TIME_WAIT);
	duo_pump(b);
	d->broken = NULL;
	duo_free(d);
}

/* Who says no has touched nothing. */
static void
test_what_is_refused_changes_nothing(void)
{
	struct duo *d = duo_established(NULL);
	struct duo_side *a = &d->side[DUO_A];
	struct rng rng = { 9 };
	struct tcp_conn before;
	unsigned refused = 0;
	enum fate fate;

	(void)duo_write_pattern(a, 3000);
	for (unsigned i = 0; i < 3000; i++) {
		struct tcp_seg s = next_segment(&rng, &a->conn);

		memcpy(&before, &a->conn, sizeof before);
		s.ack = seq_add(a->conn.snd_una, 1 + rng_below(&rng, 1000)); /* within a range */
		if (tcp_usual_in(&a->env, &a->conn, &s, d->now, &fate))
			continue;
		refused++;
		CU_ASSERT_EQUAL(memcmp(&before, &a->conn, sizeof before), 0);
	}
	CU_ASSERT_EQUAL(refused, 3000);
	duo_free(d);
}

void
suite_tcp_usual(void)
{
	CU_pSuite s = CU_add_suite("tcp_usual", NULL, NULL);

	CU_add_test(s, "both ways do the same", test_both_ways_do_the_same);
	CU_add_test(s, "whatever is configured", test_whatever_is_configured);
	CU_add_test(s, "the expected is taken", test_the_expected_is_taken);
	CU_add_test(s, "the end is the same", test_the_end_is_the_same);
	CU_add_test(s, "the first and the last are taken", test_the_first_and_the_last_are_taken);
	CU_add_test(s, "what is refused changes nothing", test_what_is_refused_changes_nothing);
}
