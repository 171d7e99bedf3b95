/* SPDX-License-Identifier: BSD-3-Clause */
#include "test/script/peer.h"

#include <CUnit/CUnit.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void
fails(struct peer *p, const char *file, int line, const char *what)
{
	printf("\n%s:%d: %s\n", file, line, what);
	if (p->d->n_log)
		printf("    the last of what was sent:\n");
	for (size_t i = p->d->n_log > 6 ? p->d->n_log - 6 : 0; i < p->d->n_log; i++)
		duo_seg_print(p->d, &p->d->log[i]);
	CU_assertImplementation(CU_FALSE, (unsigned)line, what, file, "", CU_FALSE);
}

/* ------------------------------------------------------------ life -- */

void
peer_no_probes(struct tcp_cfg *cfg, int who)
{
	(void)who;
	cfg->loss_probe = false;
}

void
peer_new(struct peer *p, const struct peer_opts *o)
{
	static const struct peer_opts none;
	const struct peer_opts *q = o ? o : &none;
	struct duo_opts d = {
		.seed = 1,
		.ccs = 4,
		.alone = true,
		.cfg = q->cfg,
		.sents = q->sents,
		.chunks = q->chunks,
		.runs = q->runs,
		.reasses = q->reasses,
		.v6 = q->v6,
	};

	memset(p, 0, sizeof *p);
	p->iss = q->iss.v ? q->iss : seq_of(5000);
	p->a_iss = q->a_iss.v ? q->a_iss : seq_of(1000);
	p->opts = q->opts ? q->opts : TCP_OPT_MSS | TCP_OPT_SACK_OK | TCP_OPT_WSCALE;
	p->mss = q->mss ? q->mss : 1460;
	p->wnd = q->wnd ? q->wnd : 65535;
	p->wscale = q->wscale;
	p->tsval = 1000;
	d.iss[0] = p->a_iss;
	d.iss[1] = p->iss;
	d.mss[0] = q->a_mss;
	p->d = duo_new(&d);
	p->d->shrinks[DUO_B] = true; /* a peer played by hand may do anything */
	p->a = &p->d->side[DUO_A];
}

void
peer_free(struct peer *p)
{
	duo_free(p->d);
}

void
peer_syn_options(struct peer *p)
{
	p->with.opts = p->opts;
	p->with.mss = p->mss;
	p->with.wscale = p->wscale;
	p->ts = p->opts & TCP_OPT_TS;
}

void
peer_connected(struct peer *p, const struct peer_opts *o)
{
	peer_new(p, o);
	duo_connect(p->a);
	EXPECT(p, "S", 0, 0, 0);
	peer_sleeps(p, MS(10));
	peer_syn_options(p);
	SAY(p, "S.", 0, 0, 1);
	EXPECT(p, ".", 1, 0, 1);
	EXPECT_STATE(p, TCP_ESTABLISHED);
}

void
peer_accepted(struct peer *p, const struct peer_opts *o)
{
	peer_new(p, o);
	duo_listen(p->a);
	peer_syn_options(p);
	SAY(p, "S", 0, 0, 0);
	EXPECT(p, "S.", 0, 0, 1);
	peer_sleeps(p, MS(10));
	SAY(p, ".", 1, 0, 1);
	EXPECT_STATE(p, TCP_ESTABLISHED);
}

void
peer_sleeps(struct peer *p, int64_t ns)
{
	int64_t ms = p->d->now / NS_PER_MS;

	duo_run(p->d, ns);
	p->tsval += (uint32_t)(p->d->now / NS_PER_MS - ms);
}

uint32_t
peer_a_writes(struct peer *p, uint32_t len)
{
	return duo_write_pattern(p->a, len);
}

uint32_t
peer_a_reads(struct peer *p)
{
	return duo_read_pattern(p->a);
}

/* ------------------------------------------------------------ speaking -- */

static uint8_t
flags_of(const char *letters)
{
	static const char names[] = "FSRP.UEC";
	uint8_t flags = 0;

	for (; *letters; letters++)
		flags |= (uint8_t)(1u << (strchr(names, *letters) - names));
	return flags;
}

void
peer_sack(struct peer *p, uint32_t start, ...)
{
	va_list ap;

	va_start(ap, start);
	p->with.opts |= TCP_OPT_SACK;
	p->with.n_sack = 0;
	while (start && p->with.n_sack < TCP_SACK_MAX) {
		struct tcp_sack_block *b = &p->with.sack[p->with.n_sack++];

		b->start = seq_add(p->a_iss, start);
		b->end = seq_add(p->a_iss, va_arg(ap, uint32_t));
		start = va_arg(ap, uint32_t);
	}
	va_end(ap);
}

static uint32_t
last_tsval(const struct peer *p)
{
	for (size_t i = p->d->n_log; i > 0; i--)
		if (p->d->log[i - 1].s.opts & TCP_OPT_TS)
			return p->d->log[i - 1].s.tsval;
	return 0;
}

enum fate
peer_say(struct peer *p, const char *flags, uint32_t seq, uint32_t len, uint32_t ack)
{
	struct tcp_seg s = p->with;
	uint8_t *text = malloc(len + 1);
	enum fate fate;

	if (!text)
		abort();
	s.flags = flags_of(flags);
	for (uint32_t i = 0; i < len; i++)
		text[i] = duo_pattern(DUO_B, seq - (s.flags & TCP_SYN ? 0 : 1) + i);
	s.seq = seq_add(p->iss, seq);
	s.ack = s.flags & TCP_ACK ? seq_add(p->a_iss, ack) : seq_of(0);
	s.wnd = p->wnd;
	s.len = len;
	s.text = text;
	if (p->ts && !(s.opts & TCP_OPT_TS && s.tsval)) {
		s.opts |= TCP_OPT_TS;
		s.tsval = p->tsval;
		s.tsecr = s.flags & TCP_ACK ? last_tsval(p) : 0;
	}
	fate = duo_inject(p->a, &s);
	memset(&p->with, 0, sizeof p->with);
	free(text);
	return fate;
}

/* ------------------------------------------------------------ listening -- */

static bool
is_as_expected(const struct peer *p, const struct tcp_seg *s, uint8_t flags, uint32_t seq,
               uint32_t len, uint32_t ack)
{
	uint8_t look_at = (uint8_t)(flags & TCP_PSH ? 0xff : ~TCP_PSH);

	if ((s->flags & look_at) != flags || s->len != len)
		return false;
	if (!seq_eq(s->seq, seq_add(p->a_iss, seq)))
		return false;
	return !(flags & TCP_ACK) || seq_eq(s->ack, seq_add(p->iss, ack));
}

bool
peer_expect(struct peer *p, const char *file, int line, const char *flags, uint32_t seq,
            uint32_t len, uint32_t ack)
{
	char what[200];

	p->last = NULL;
	if (p->at < p->d->n_log) {
		p->seen = p->d->log[p->at++];
		p->last = &p->seen;
	}
	if (p->last && is_as_expected(p, &p->last->s, flags_of(flags), seq, len, ack)) {
		CU_assertImplementation(CU_TRUE, (unsigned)line, flags, file, "", CU_FALSE);
		return true;
	}
	if (p->last) {
		const struct tcp_seg *s = &p->last->s;

		(void)snprintf(what, sizeof what,
		               "expected %s %u(%u) ack %u, saw flags %02x %u(%u) ack %u", flags,
		               seq, len, ack, s->flags, seq_sub(s->seq, p->a_iss), s->len,
		               seq_sub(s->ack, p->iss));
	} else {
		(void)snprintf(what, sizeof what, "expected %s %u(%u) ack %u, saw nothing", flags,
		               seq, len, ack);
	}
	fails(p, file, line, what);
	return false;
}

void
peer_expect_nothing(struct peer *p, const char *file, int line)
{
	if (p->at < p->d->n_log)
		fails(p, file, line, "expected silence");
	else
		CU_assertImplementation(CU_TRUE, (unsigned)line, "silence", file, "", CU_FALSE);
	p->at = p->d->n_log;
}

void
peer_expect_state(struct peer *p, const char *file, int line, enum tcp_state state)
{
	enum tcp_state is = p->a->has_tw ? TCP_TIME_WAIT : (enum tcp_state)p->a->conn.state;
	char what[100];

	(void)snprintf(what, sizeof what, "expected %s, is %s", tcp_facts[state].name,
	               tcp_facts[is].name);
	if (is != state)
		fails(p, file, line, what);
	else
		CU_assertImplementation(CU_TRUE, (unsigned)line, what, file, "", CU_FALSE);
}

void
peer_expect_number(struct peer *p, const char *file, int line, const char *what, int64_t got,
                   int64_t want)
{
	char text[200];

	(void)snprintf(text, sizeof text, "%s is %" PRId64 ", expected %" PRId64, what, got, want);
	if (got != want)
		fails(p, file, line, text);
	else
		CU_assertImplementation(CU_TRUE, (unsigned)line, text, file, "", CU_FALSE);
}

int64_t
peer_after(const struct peer *p, int64_t since)
{
	return p->last ? p->last->at - since : -1;
}

unsigned
peer_skips(struct peer *p)
{
	unsigned n = (unsigned)(p->d->n_log - p->at);

	p->at = p->d->n_log;
	return n;
}
