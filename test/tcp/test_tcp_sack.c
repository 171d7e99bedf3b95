/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The scoreboard against one that keeps a book on each byte: slow, and plain to
 * see.  Then what an ACK teaches, clause by clause, and what runs out.
 */
#include "tcp/tcp_sack.h"

#include <CUnit/CUnit.h>
#include <stdio.h>

#include "test/tcp/duo.h"

void suite_tcp_sack(void);

#define SPACE 6000u

/* What a byte is to the sender. */
enum { FLYING, LOST, RESENT, SACKED };

struct twin {
	struct duo *d;
	struct tcp_env *e;
	struct tcp_conn *c;
	seq_t base;             /* sequence number of byte 0          */
	uint32_t una, nxt;      /* indices                            */
	uint8_t is[SPACE];
	bool begins[SPACE + 1]; /* a range begins here                */
	int64_t now;
	struct rng rng;
};

static void
twin_init(struct twin *t, const struct duo_opts *o)
{
	memset(t, 0, sizeof *t);
	t->rng.state = o ? o->seed : 1;
	t->d = duo_established(o);
	duo_run(t->d, MS(100));
	t->e = &t->d->side[DUO_A].env;
	t->c = &t->d->side[DUO_A].conn;
	t->base = t->c->snd_nxt;
	t->now = t->d->now;
	CU_ASSERT_PTR_NULL_FATAL(t->c->xmit);
}

static void
twin_free(struct twin *t)
{
	duo_free(t->d);
}

static seq_t
seq_at(const struct twin *t, uint32_t i)
{
	return seq_add(t->base, i);
}

/* ------------------------------------------------------- what may happen -- */

static void
send_range(struct twin *t, uint32_t len)
{
	seq_t start = seq_at(t, t->nxt);

	CU_ASSERT_TRUE(tcp_sack_sent(t->e, t->c, start, seq_add(start, len), false, t->now));
	memset(t->is + t->nxt, FLYING, len);
	t->begins[t->nxt] = true;
	t->nxt += len;
	t->begins[t->nxt] = true;
	t->c->snd_nxt = seq_at(t, t->nxt);
}

static struct sack_news
acked(struct twin *t, uint32_t una)
{
	struct sack_news n = { .rtt_ns = -1 };

	tcp_sack_acked(t->e, t->c, seq_at(t, una), t->now, &n);
	t->una = una;
	t->begins[una] = true;
	t->c->snd_una = seq_at(t, una);
	return n;
}

static struct sack_news
blocks(struct twin *t, const uint32_t (*b)[2], unsigned n_blocks)
{
	struct tcp_seg s = { .ack = t->c->snd_una, .n_sack = (uint8_t)n_blocks };
	struct sack_news n = { .rtt_ns = -1 };

	for (unsigned i = 0; i < n_blocks; i++)
		s.sack[i] = (struct tcp_sack_block){ seq_at(t, b[i][0]), seq_at(t, b[i][1]) };
	tcp_sack_blocks(t->e, t->c, &s, t->now, &n);
	return n;
}

static struct sack_news
block(struct twin *t, uint32_t start, uint32_t end)
{
	uint32_t b[1][2] = { { start, end } };

	return blocks(t, (const uint32_t(*)[2])b, 1);
}

static struct tcp_sent *
nth_range(const struct twin *t, uint32_t n)
{
	list_for_each(l, &t->c->xmit->sent)
		if (n-- == 0)
			return container_of(l, struct tcp_sent, link);
	return NULL;
}

static uint32_t
start_of(const struct twin *t, const struct tcp_sent *r)
{
	return seq_sub(r->start, t->base);
}

static uint32_t
end_of(const struct twin *t, const struct tcp_sent *r)
{
	return seq_sub(r->end, t->base);
}

static void
set(struct twin *t, const struct tcp_sent *r, uint8_t to)
{
	memset(t->is + start_of(t, r), to, seq_sub(r->end, r->start));
}

/* ------------------------------------------------- the books are compared -- */

static uint32_t
count(const struct twin *t, uint8_t what)
{
	uint32_t n = 0;

	for (uint32_t i = t->una; i < t->nxt; i++)
		n += t->is[i] == what;
	return n;
}

static uint8_t
condition(const struct tcp_sent *r)
{
	if (r->flags & SENT_SACKED)
		return SACKED;
	if (r->flags & SENT_LOST)
		return r->flags & SENT_RETRANS ? RESENT : LOST;
	return FLYING;
}

static void
range_agrees(const struct twin *t, const struct tcp_sent *r)
{
	uint32_t wrong = !t->begins[start_of(t, r)] + !t->begins[end_of(t, r)];

	for (uint32_t i = start_of(t, r); i < end_of(t, r); i++)
		wrong += t->is[i] != condition(r) || (i > start_of(t, r) && t->begins[i]);
	CU_ASSERT_EQUAL(wrong, 0);
}

static void
books_agree(const struct twin *t)
{
	const struct tcp_xmit *x = t->c->xmit;
	const struct tcp_sent *lost = tcp_sack_first_lost(t->c);

	tcp_sack_check(t->c);
	if (!x)
		return;
	CU_ASSERT_EQUAL(x->pipe, count(t, FLYING) + count(t, RESENT));
	CU_ASSERT_EQUAL(tcp_sack_pipe(t->c), x->pipe);
	CU_ASSERT_EQUAL(x->sacked, count(t, SACKED));
	CU_ASSERT_EQUAL(lost != NULL, count(t, LOST) > 0);
	if (lost) { /* RFC 6675 4, NextSeg() rule 1 */
		CU_ASSERT_EQUAL(condition(lost), LOST);
		CU_ASSERT_PTR_NULL(memchr(t->is + t->una, LOST, start_of(t, lost) - t->una));
	}
	list_for_each(l, &x->sent)
		range_agrees(t, container_of(l, struct tcp_sent, link));
}

/* ---------------------------------------------------------------- at random -- */

static void
random_ack(struct twin *t)
{
	uint32_t una = t->una + 1 + rng_below(&t->rng, t->nxt - t->una), fresh = 0;
	struct sack_news n;

	if (rng_below(&t->rng, 4)) /* nearly always where a range begins */
		while (!t->begins[una])
			una++;
	for (uint32_t i = t->una; i < una; i++)
		fresh += t->is[i] != SACKED;
	n = acked(t, una);
	CU_ASSERT_EQUAL(n.delivered, fresh);
	CU_ASSERT_EQUAL(n.sacked, 0);
}

/* A range is taken when one block covers all of it; it becomes one with what is SACKed on
 * either side. */
static uint32_t
map_block(struct twin *t, uint32_t start, uint32_t end)
{
	uint32_t fresh = 0;

	for (uint32_t i = start, to; i < end; i = to) {
		for (to = i + 1; to < SPACE && !t->begins[to]; to++)
			;
		if (!t->begins[i] || to > end || t->is[i] == SACKED)
			continue;
		memset(t->is + i, SACKED, to - i);
		if (i > t->una && t->is[i - 1] == SACKED)
			t->begins[i] = false;
		if (to < t->nxt && t->is[to] == SACKED)
			t->begins[to] = false;
		fresh += to - i;
	}
	return fresh;
}

/* None reports a duplicate: all lie above SND.UNA, and the first is never inside the second. */
static void
random_blocks(struct twin *t)
{
	uint32_t b[TCP_SACK_MAX][2], fresh = 0;
	unsigned n_blocks = 1 + rng_below(&t->rng, TCP_SACK_MAX);
	struct sack_news n;

	for (unsigned i = 0; i < n_blocks; i++) {
		b[i][0] = t->una + rng_below(&t->rng, t->nxt - t->una);
		b[i][1] = b[i][0] + 1 + rng_below(&t->rng, t->nxt - b[i][0]);
	}
	if (n_blocks > 1 && b[1][0] <= b[0][0] && b[0][1] <= b[1][1])
		n_blocks = 1;
	for (unsigned i = 0; i < n_blocks; i++)
		fresh += map_block(t, b[i][0], b[i][1]);
	n = blocks(t, (const uint32_t(*)[2])b, n_blocks);
	CU_ASSERT_FALSE(n.dsack);
	CU_ASSERT_EQUAL(n.sacked, fresh);
	CU_ASSERT_EQUAL(n.delivered, fresh);
}

static void
random_loss(struct twin *t)
{
	struct tcp_sent *r = nth_range(t, rng_below(&t->rng, t->c->xmit->n_sent));

	if (r->flags & SENT_SACKED)
		return;
	tcp_sack_lost(t->c, r);
	set(t, r, LOST);
}

/* Those behind a lost one that are lost too go with it, as far as they fit. */
static void
map_join(struct twin *t, uint32_t start, uint32_t limit)
{
	for (uint32_t i = start + 1, end; i < t->nxt && t->is[i] == LOST; i = end) {
		if (!t->begins[i]) {
			end = i + 1;
			continue;
		}
		for (end = i + 1; !t->begins[end]; end++)
			;
		if (end - start > limit)
			return;
		t->begins[i] = false;
	}
}

static void
resend(struct twin *t)
{
	struct tcp_sent *r = tcp_sack_first_lost(t->c);
	uint32_t limit = 1 + rng_below(&t->rng, 150);

	if (!r)
		return;
	tcp_sack_join(t->e, t->c, r, limit);
	map_join(t, start_of(t, r), limit);
	tcp_sack_resent(t->e, t->c, r, t->now);
	set(t, r, RESENT);
}

static void
random_split(struct twin *t)
{
	struct tcp_sent *r = nth_range(t, rng_below(&t->rng, t->c->xmit->n_sent));
	uint32_t len = seq_sub(r->end, r->start), at;

	if (len < 2)
		return;
	at = 1 + rng_below(&t->rng, len - 1);
	CU_ASSERT_TRUE(tcp_sack_split(t->e, t->c, r, seq_add(r->start, at)));
	t->begins[start_of(t, r) + at] = true;
}

static void
forget(struct twin *t)
{
	tcp_sack_forget(t->c);
	for (uint32_t i = t->una; i < t->nxt; i++)
		if (t->is[i] == SACKED)
			t->is[i] = FLYING;
}

static void
random_event(struct twin *t)
{
	uint32_t what = rng_below(&t->rng, 40);

	t->now += US(rng_below(&t->rng, 5000));
	if (t->una == t->nxt || what < 14) {
		uint32_t len = 1 + rng_below(&t->rng, 60);

		send_range(t, min(len, SPACE - t->nxt));
	} else if (what < 18) {
		random_ack(t);
	} else if (what < 24) {
		random_blocks(t);
	} else if (what < 30) {
		random_loss(t);
	} else if (what < 36) {
		resend(t);
	} else if (what < 39) {
		random_split(t);
	} else if (rng_below(&t->rng, 4) == 0) {
		forget(t);
	}
}

static void
play(uint64_t seed)
{
	struct duo_opts o = { .seed = seed };
	struct twin t;

	o.iss[DUO_A] = seq_of(seed % 2 ? UINT32_MAX - 3000 : 70000);
	o.iss[DUO_B] = seq_of(5);
	twin_init(&t, &o);
	while (t.nxt < SPACE) {
		random_event(&t);
		books_agree(&t);
	}
	(void)acked(&t, t.nxt);
	CU_ASSERT_EQUAL(t.c->xmit->n_sent, 0);
	CU_ASSERT_EQUAL(t.c->xmit->pipe, 0);
	tcp_sack_release(t.e, t.c);
	CU_ASSERT_EQUAL(t.e->sents.used, 0);
	CU_ASSERT_EQUAL(t.e->xmits.used, 0);
	twin_free(&t);
}

static void
test_it_agrees_with_a_book_on_each_byte(void)
{
	for (uint64_t seed = 1; seed <= 60; seed++) {
		unsigned before = CU_get_number_of_failures();

		play(seed);
		if (CU_get_number_of_failures() > before)
			printf("\nseed %llu", (unsigned long long)seed);
	}
}

/* -------------------------------------------------------- what an ACK says -- */

static void
send_ten(struct twin *t)
{
	for (int i = 0; i < 10; i++) {
		send_range(t, 100);
		t->now += MS(1);
	}
}

/* RFC 6298 4: of what one ACK covers the youngest is measured. */
static void
test_the_youngest_range_gives_the_sample(void)
{
	struct sack_news n;
	struct twin t;

	twin_init(&t, NULL);
	send_ten(&t);
	n = acked(&t, 300);
	CU_ASSERT_EQUAL(n.rtt_ns, MS(8)); /* the third left 8 ms ago */
	n = block(&t, 500, 600);
	CU_ASSERT_EQUAL(n.rtt_ns, MS(5));
	twin_free(&t);
}

/* Karn (RFC 6298 3): nothing that was sent twice, nor what waited for it. */
static void
test_what_was_sent_twice_gives_no_sample(void)
{
	struct sack_news n;
	struct twin t;

	twin_init(&t, NULL);
	send_ten(&t);
	tcp_sack_lost(t.c, nth_range(&t, 1));
	resend(&t);
	n = acked(&t, 100);
	CU_ASSERT(n.rtt_ns >= 0);
	n = acked(&t, 300);
	CU_ASSERT_EQUAL(n.rtt_ns, -1);
	n = acked(&t, 400);
	CU_ASSERT(n.rtt_ns >= 0);
	tcp_sack_lost(t.c, nth_range(&t, 2));
	resend(&t);
	n = block(&t, 600, 700);
	CU_ASSERT_EQUAL(n.rtt_ns, -1);
	CU_ASSERT_EQUAL(tcp_rare(t.c)->total_retrans, 2);
	CU_ASSERT_EQUAL(t.e->retransmits, 2);
	twin_free(&t);
}

/* A range that was SACKed has been measured and counted already. */
static void
test_a_range_is_delivered_once(void)
{
	struct sack_news n;
	struct twin t;

	twin_init(&t, NULL);
	send_ten(&t);
	n = block(&t, 100, 300);
	CU_ASSERT_EQUAL(n.sacked, 200);
	n = block(&t, 100, 300);
	CU_ASSERT_EQUAL(n.sacked, 0);
	CU_ASSERT_EQUAL(n.delivered, 0);
	n = acked(&t, 300);
	CU_ASSERT_EQUAL(n.delivered, 100);
	twin_free(&t);
}

static void
test_the_fin_is_recognized(void)
{
	struct sack_news n;
	struct twin t;
	seq_t at;

	twin_init(&t, NULL);
	send_ten(&t);
	at = t.c->snd_nxt;
	CU_ASSERT_TRUE(tcp_sack_sent(t.e, t.c, at, seq_add(at, 51), true, t.now));
	t.c->snd_nxt = seq_add(at, 51);
	CU_ASSERT_TRUE(tcp_sack_split(t.e, t.c, nth_range(&t, 10), seq_add(at, 20)));
	n = acked(&t, 1000);
	CU_ASSERT_FALSE(n.fin);
	n = acked(&t, 1020); /* the part in front has it no longer */
	CU_ASSERT_FALSE(n.fin);
	n = acked(&t, 1051);
	CU_ASSERT_TRUE(n.fin);
	twin_free(&t);
}

/* ------------------------------------------------------------------ blocks -- */

/* RFC 2018 5, and a peer that lies: only what is in flight can be held. */
static void
test_blocks_outside_the_flight_are_nothing(void)
{
	static const uint32_t outside[][2] = {
		{ 900, 1001 },                     /* never sent           */
		{ 1000, 1100 },
		{ 500, 500 },                      /* empty                */
		{ 600, 500 },                      /* turned around        */
		{ 100, 400 },                      /* partly acknowledged  */
		{ 0x80000000u, 0x80000100u },
		{ 300, 0x80000100u },
	};
	struct sack_news n;
	struct twin t;

	twin_init(&t, NULL);
	send_ten(&t);
	(void)acked(&t, 200);
	for (unsigned i = 0; i < array_len(outside); i++) {
		n = block(&t, outside[i][0], outside[i][1]);
		CU_ASSERT_EQUAL(n.sacked, 0);
		CU_ASSERT_EQUAL(n.delivered, 0);
		tcp_sack_check(t.c);
	}
	CU_ASSERT_EQUAL(t.c->xmit->pipe, 800);
	twin_free(&t);
}

/* Nobody makes us keep a book on each byte: what a block covers in part stays. */
static void
test_part_of_a_range_is_not_taken(void)
{
	struct sack_news n;
	struct twin t;

	twin_init(&t, NULL);
	send_ten(&t);
	n = block(&t, 101, 300);
	CU_ASSERT_EQUAL(n.sacked, 100);
	n = block(&t, 100, 199);
	CU_ASSERT_EQUAL(n.sacked, 0);
	CU_ASSERT_EQUAL(t.c->xmit->n_sent, 10);
	twin_free(&t);
}

/* What was SACKed together costs one record, and counts as the segments it was. */
static void
test_sacked_neighbours_share_a_record(void)
{
	struct twin t;

	twin_init(&t, NULL);
	send_ten(&t);
	(void)block(&t, 300, 400);
	(void)block(&t, 500, 600);
	CU_ASSERT_EQUAL(t.e->sents.used, 10);
	(void)block(&t, 300, 600);
	CU_ASSERT_EQUAL(t.e->sents.used, 8);
	CU_ASSERT_EQUAL(t.c->xmit->n_sacked, 3);
	(void)block(&t, 100, 1000);
	CU_ASSERT_EQUAL(t.e->sents.used, 2);
	CU_ASSERT_EQUAL(t.c->xmit->n_sacked, 9);
	(void)acked(&t, 550); /* into the middle of it */
	CU_ASSERT_EQUAL(t.c->xmit->sacked, 450);
	tcp_sack_check(t.c);
	twin_free(&t);
}

/* Thousands of holes, and blocks that jump to and fro between them: the work of an ACK has a
 * bound, and what was not reached this time is when the peer repeats it. */
static void
test_far_blocks_are_reached_by_and_by(void)
{
	static struct twin t;
	struct sack_news n;
	unsigned acks = 0;

	twin_init(&t, NULL);
	for (uint32_t i = 0; i < 5600; i++)
		send_range(&t, 1);
	for (uint32_t i = 1; i < 5600; i += 2) /* in order: no search */
		CU_ASSERT_EQUAL(block(&t, i, i + 1).sacked, 1);
	(void)block(&t, 5598, 5599);
	do { /* the middle is farther than one ACK may look */
		n = block(&t, 2800, 2801);
		acks++;
	} while (n.sacked == 0 && acks < 100);
	CU_ASSERT_EQUAL(n.sacked, 1);
	CU_ASSERT(acks > 1);
	CU_ASSERT(acks <= 2800 / 512 + 1);
	tcp_sack_check(t.c);
	twin_free(&t);
}

/* A receiver repeats older blocks behind the one that grows.  They lead the search away, with
 * more between than one ACK may look at; the news must not starve for it. */
static void
test_repeated_blocks_do_not_starve_the_news(void)
{
	static struct twin t;
	struct sack_news n = { 0 };

	twin_init(&t, NULL);
	for (uint32_t i = 0; i < 4000; i++)
		send_range(&t, 1);
	(void)block(&t, 100, 200);
	for (uint32_t i = 1; i <= 800; i++) {
		uint32_t b[3][2] = { { 2200, 2200 + i }, { 100, 200 }, { 1000, 1100 } };

		n = blocks(&t, (const uint32_t(*)[2])b, 3);
		CU_ASSERT(i < 10 || n.sacked == 1);
	}
	CU_ASSERT_EQUAL(t.c->xmit->sacked, 100 + 100 + 800);
	tcp_sack_check(t.c);

	/* What it has forgotten (RFC 2018 8) it takes again. */
	tcp_sack_forget(t.c);
	CU_ASSERT_EQUAL(block(&t, 100, 200).sacked, 100);
	CU_ASSERT_EQUAL(block(&t, 100, 200).sacked, 0);
	tcp_sack_check(t.c);
	twin_free(&t);
}

/* Far from the front the search goes up, and takes as many ACKs as it needs. */
static void
test_a_search_goes_on_where_it_gave_up(void)
{
	static struct twin t;
	struct sack_news n;
	unsigned acks = 0;

	twin_init(&t, NULL);
	for (uint32_t i = 0; i < 3000; i++)
		send_range(&t, 1);
	send_range(&t, 2900); /* the back is far away */
	for (uint32_t i = 1; i < 3000; i += 2)
		CU_ASSERT_EQUAL(block(&t, i, i + 1).sacked, 1);
	(void)block(&t, 1, 2);
	do {
		n = block(&t, 1400, 1401);
		acks++;
	} while (n.sacked == 0 && acks < 100);
	CU_ASSERT_EQUAL(n.sacked, 1);
	CU_ASSERT_EQUAL(acks, 1400 / 512 + 1);
	twin_free(&t);
}

/* One connection does not take all records. */
static void
test_a_connection_has_a_share_of_the_records(void)
{
	struct duo_opts o = { .sents = 1000 };
	struct twin t;
	seq_t at;

	twin_init(&t, &o);
	for (uint32_t i = 0; i < 250; i++)
		send_range(&t, 1);
	at = t.c->snd_nxt;
	CU_ASSERT_FALSE(tcp_sack_sent(t.e, t.c, at, seq_add(at, 1), false, t.now));
	CU_ASSERT_EQUAL(t.e->sents.used, 250);
	(void)acked(&t, 1);
	send_range(&t, 1);
	twin_free(&t);
}

/* RFC 2883 4: below SEG.ACK, or inside the second block. */
static void
test_a_duplicate_is_recognized(void)
{
	static const uint32_t below[][2] = { { 0, 100 } };
	static const uint32_t below_and_more[][2] = { { 100, 200 }, { 500, 600 } };
	static const uint32_t inside[][2] = { { 700, 800 }, { 600, 900 } };
	static const uint32_t beside[][2] = { { 400, 500 }, { 600, 900 } };
	struct sack_news n;
	struct twin t;

	twin_init(&t, NULL);
	send_ten(&t);
	(void)acked(&t, 200);
	n = blocks(&t, below, 1);
	CU_ASSERT_TRUE(n.dsack);
	CU_ASSERT_EQUAL(n.sacked, 0);
	n = blocks(&t, below_and_more, 2);
	CU_ASSERT_TRUE(n.dsack);
	CU_ASSERT_EQUAL(n.sacked, 100);
	n = blocks(&t, inside, 2);
	CU_ASSERT_TRUE(n.dsack);
	CU_ASSERT_EQUAL(n.sacked, 300);
	n = blocks(&t, beside, 2);
	CU_ASSERT_FALSE(n.dsack);
	CU_ASSERT_EQUAL(n.sacked, 100);
	twin_free(&t);
}

/* Blocks of one ACK come newest first; that is no reordering.  A later ACK that fills in
 * what was overtaken is (RFC 8985 6.2 step 3). */
static void
test_reordering_is_seen_between_acks_only(void)
{
	static const uint32_t at_once[][2] = { { 500, 600 }, { 100, 200 } };
	struct twin t;

	twin_init(&t, NULL);
	send_ten(&t);
	(void)blocks(&t, at_once, 2);
	CU_ASSERT_FALSE(t.c->flags & TCPF_REORDER);
	(void)block(&t, 300, 400);
	CU_ASSERT_TRUE(t.c->flags & TCPF_REORDER);
	twin_free(&t);
}

static void
without_sack(struct tcp_cfg *cfg, int who)
{
	(void)who;
	cfg->sack = false;
}

/* RFC 2018 2: blocks from a peer that never said it would send any. */
static void
test_blocks_without_permission_are_ignored(void)
{
	struct duo_opts o = { .cfg = without_sack };
	struct sack_news n;
	struct twin t;

	twin_init(&t, &o);
	send_ten(&t);
	n = block(&t, 100, 300);
	CU_ASSERT_EQUAL(n.sacked, 0);
	CU_ASSERT_EQUAL(t.c->xmit->sacked, 0);
	twin_free(&t);
}

static void
leave_again(struct twin *t, const uint32_t *starts, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct tcp_sent *r = tcp_sack_first_lost(t->c);

		CU_ASSERT_PTR_NOT_NULL_FATAL(r);
		CU_ASSERT_EQUAL(start_of(t, r), starts[i]);
		tcp_sack_resent(t->e, t->c, r, t->now);
	}
	CU_ASSERT_PTR_NULL(tcp_sack_first_lost(t->c));
}

/* RFC 6675 4, NextSeg() rule 1, in whatever order they were found to be lost.  The place of one
 * with many in flight below it is not looked for, but nothing goes before the lowest of all. */
static void
test_the_lowest_lost_leaves_first(void)
{
	static const uint32_t marked[] = { 900, 800, 850, 990, 50, 750 };
	static const uint32_t leave[] = { 50, 800, 850, 900, 990, 750 };
	struct twin t;

	twin_init(&t, NULL);
	for (int i = 0; i < 100; i++)
		send_range(&t, 10);
	for (unsigned i = 0; i < array_len(marked); i++)
		tcp_sack_lost(t.c, nth_range(&t, marked[i] / 10));
	leave_again(&t, leave, array_len(leave));
	tcp_sack_lost(t.c, nth_range(&t, 85)); /* once more, while others wait */
	tcp_sack_lost(t.c, nth_range(&t, 86));
	tcp_sack_lost(t.c, nth_range(&t, 80));
	leave_again(&t, (const uint32_t[]){ 800, 850, 860 }, 3);
	twin_free(&t);
}

/* RFC 6582: each duplicate ACK says that a segment has left the network. */
static void
test_duplicate_acks_shrink_the_pipe(void)
{
	struct twin t;

	twin_init(&t, NULL);
	send_ten(&t);
	CU_ASSERT_EQUAL(tcp_sack_pipe(t.c), 1000);
	t.c->mss = 100;
	t.c->xmit->reno_dups = 3;
	CU_ASSERT_EQUAL(tcp_sack_pipe(t.c), 700);
	t.c->xmit->reno_dups = 30; /* more than there can be */
	CU_ASSERT_EQUAL(tcp_sack_pipe(t.c), 0);
	tcp_sack_release(t.e, t.c);
	CU_ASSERT_EQUAL(tcp_sack_pipe(t.c), 0);
	twin_free(&t);
}

/* The oldest transmission first: what has been resent goes to the back. */
static void
test_what_is_timed_stands_in_order_of_sending(void)
{
	int64_t last = 0;
	struct twin t;

	twin_init(&t, NULL);
	send_ten(&t);
	for (uint32_t i = 0; i < 6; i += 2) {
		tcp_sack_lost(t.c, nth_range(&t, i));
		t.now += MS(1);
		resend(&t);
	}
	list_for_each(l, &t.c->xmit->timed) {
		const struct tcp_sent *r = container_of(l, struct tcp_sent, tlink);

		CU_ASSERT(r->sent_at >= last);
		last = r->sent_at;
	}
	twin_free(&t);
}

/* Small segments that are lost together leave as one, and the FIN with them. */
static void
test_what_is_lost_together_is_joined(void)
{
	struct sack_news n;
	struct twin t;
	seq_t at;

	twin_init(&t, NULL);
	send_ten(&t);
	at = t.c->snd_nxt;
	CU_ASSERT_TRUE(tcp_sack_sent(t.e, t.c, at, seq_add(at, 1), true, t.now));
	t.c->snd_nxt = seq_add(at, 1);
	for (uint32_t i = 5; i < 11; i++)
		tcp_sack_lost(t.c, nth_range(&t, i));
	(void)block(&t, 600, 700);
	tcp_sack_join(t.e, t.c, nth_range(&t, 5), 1000); /* the next is there already */
	CU_ASSERT_EQUAL(t.c->xmit->n_sent, 11);
	tcp_sack_join(t.e, t.c, nth_range(&t, 7), 300);
	CU_ASSERT_EQUAL(end_of(&t, nth_range(&t, 7)), 1000);
	tcp_sack_join(t.e, t.c, nth_range(&t, 7), 301);
	CU_ASSERT_EQUAL(end_of(&t, nth_range(&t, 7)), 1001);
	tcp_sack_check(t.c);
	n = acked(&t, 1001);
	CU_ASSERT_TRUE(n.fin);
	twin_free(&t);
}

/* ---------------------------------------------------------------- no memory -- */

static void
test_without_memory_nothing_is_sent(void)
{
	struct duo_opts o = { .sents = 3 };
	struct twin t;

	twin_init(&t, &o);
	for (int i = 0; i < 3; i++)
		send_range(&t, 100);
	CU_ASSERT_FALSE(tcp_sack_sent(t.e, t.c, t.c->snd_nxt, seq_add(t.c->snd_nxt, 1), false,
	                              t.now));
	CU_ASSERT_FALSE(tcp_sack_split(t.e, t.c, nth_range(&t, 1), seq_at(&t, 150)));
	books_agree(&t);
	(void)acked(&t, 100);
	CU_ASSERT_TRUE(tcp_sack_split(t.e, t.c, nth_range(&t, 0), seq_at(&t, 150)));
	t.begins[150] = true;
	books_agree(&t);
	twin_free(&t);
}

/* The very first range: no empty scoreboard stays behind. */
static void
test_a_first_range_without_memory_leaves_nothing(void)
{
	struct duo_opts o = { .sents = 3 };
	void *taken[3];
	struct twin t;

	twin_init(&t, &o);
	for (int i = 0; i < 3; i++)
		taken[i] = pool_get(&t.e->sents);
	CU_ASSERT_FALSE(tcp_sack_sent(t.e, t.c, t.base, seq_add(t.base, 1), false, t.now));
	CU_ASSERT_PTR_NULL(t.c->xmit);
	CU_ASSERT_EQUAL(t.e->xmits.used, 0);
	for (int i = 0; i < 3; i++)
		pool_put(&t.e->sents, taken[i]);
	for (int i = 0; i < 3; i++)
		taken[i] = pool_get(&t.e->xmits);
	CU_ASSERT_PTR_NOT_NULL(pool_get(&t.e->xmits)); /* the fourth and last */
	CU_ASSERT_FALSE(tcp_sack_sent(t.e, t.c, t.base, seq_add(t.base, 1), false, t.now));
	CU_ASSERT_PTR_NULL(t.c->xmit);
	for (int i = 0; i < 3; i++)
		pool_put(&t.e->xmits, taken[i]);
	pool_put(&t.e->xmits, pool_at(&t.e->xmits, 3));
	twin_free(&t);
}

static void
test_with_nothing_in_flight_all_is_quiet(void)
{
	struct sack_news n;
	struct twin t;

	twin_init(&t, NULL);
	n = acked(&t, 0);
	CU_ASSERT_EQUAL(n.delivered, 0);
	n = block(&t, 0, 100);
	CU_ASSERT_EQUAL(n.sacked, 0);
	CU_ASSERT_PTR_NULL(tcp_sack_first_lost(t.c));
	tcp_sack_forget(t.c);
	tcp_sack_release(t.e, t.c);
	tcp_sack_check(t.c);
	twin_free(&t);
}

void
suite_tcp_sack(void)
{
	CU_pSuite s = CU_add_suite("tcp_sack", NULL, NULL);

	CU_add_test(s, "it agrees with a book on each byte (RFC 6675 4/SetPipe)",
	            test_it_agrees_with_a_book_on_each_byte);
	CU_add_test(s, "the youngest range gives the sample",
	            test_the_youngest_range_gives_the_sample);
	CU_add_test(s, "what was sent twice gives no sample",
	            test_what_was_sent_twice_gives_no_sample);
	CU_add_test(s, "a range is delivered once", test_a_range_is_delivered_once);
	CU_add_test(s, "the FIN is recognized", test_the_fin_is_recognized);
	CU_add_test(s, "blocks outside the flight are nothing",
	            test_blocks_outside_the_flight_are_nothing);
	CU_add_test(s, "part of a range is not taken", test_part_of_a_range_is_not_taken);
	CU_add_test(s, "a duplicate is recognized", test_a_duplicate_is_recognized);
	CU_add_test(s, "reordering is seen between ACKs only",
	            test_reordering_is_seen_between_acks_only);
	CU_add_test(s, "the lowest that is lost leaves first (RFC 6675 4/NextSeg)",
	            test_the_lowest_lost_leaves_first);
	CU_add_test(s, "blocks without permission are ignored",
	            test_blocks_without_permission_are_ignored);
	CU_add_test(s, "duplicate ACKs shrink the pipe", test_duplicate_acks_shrink_the_pipe);
	CU_add_test(s, "what is timed stands in order of sending",
	            test_what_is_timed_stands_in_order_of_sending);
	CU_add_test(s, "what is lost together is joined", test_what_is_lost_together_is_joined);
	CU_add_test(s, "without memory nothing is sent", test_without_memory_nothing_is_sent);
	CU_add_test(s, "a first range without memory leaves nothing",
	            test_a_first_range_without_memory_leaves_nothing);
	CU_add_test(s, "SACKed neighbours share a record", test_sacked_neighbours_share_a_record);
	CU_add_test(s, "far blocks are reached by and by (attack: SACK holes)",
	            test_far_blocks_are_reached_by_and_by);
	CU_add_test(s, "repeated blocks do not starve the news",
	            test_repeated_blocks_do_not_starve_the_news);
	CU_add_test(s, "a search goes on where it gave up (attack: SACK holes)",
	            test_a_search_goes_on_where_it_gave_up);
	CU_add_test(s, "a connection has a share of the records",
	            test_a_connection_has_a_share_of_the_records);
	CU_add_test(s, "with nothing in flight all is quiet",
	            test_with_nothing_in_flight_all_is_quiet);
}
