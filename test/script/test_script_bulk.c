/* SPDX-License-Identifier: BSD-3-Clause */
/* Whole transfers over bad links: what went in comes out, both ends finish. */
#include <CUnit/CUnit.h>

#include <inttypes.h>
#include <stdio.h>

#include "test/tcp/duo.h"

void suite_script_bulk(void);

struct bulk {
	uint32_t bytes;        /* each way                                     */
	uint32_t loss_ppm, dup_ppm, split_ppm;
	int64_t jitter;
	bool lazy;             /* readers that take little, seldom             */
	bool no_sack, no_ts, no_wscale, reno;
	bool one_way;          /* B has nothing to say                         */
	bool short_of_memory;
};

static struct bulk now_running; /* duo_opts.cfg has no argument of its own */

static void
configure(struct tcp_cfg *cfg, int who)
{
	(void)who;
	cfg->sack = !now_running.no_sack;
	cfg->timestamps = !now_running.no_ts;
	cfg->window_scaling = !now_running.no_wscale;
	if (now_running.reno)
		cfg->cc = &cc_reno;
}

/* What one side's application does when it is woken; true: it is finished. */
static bool
application(struct duo_side *s, uint32_t *left, uint32_t *got, const struct bulk *b)
{
	if (*left && s->conn.state >= TCP_ESTABLISHED) {
		*left -= duo_write_pattern(s, *left);
		if (*left == 0)
			duo_shutdown(s);
	}
	if (!b->lazy || rng_below(&s->duo->rng, 50) == 0)
		*got += duo_read_pattern(s);
	return *left == 0;
}

static void
transfer(const struct bulk *b, uint64_t seed)
{
	struct duo_opts o = { .seed = seed, .no_log = true, .cfg = configure };
	uint32_t left[2] = { b->bytes, b->one_way ? 1 : b->bytes }, got[2] = { 0, 0 };
	uint32_t total = left[0] + left[1];
	struct duo *d;
	bool done = false;

	now_running = *b;
	if (b->short_of_memory) {
		o.sents = 12;
		o.chunks = 24;
		o.runs = 4;
		o.reasses = 1;
	}
	if (seed & 1) { /* half of the runs wrap around */
		o.iss[0] = seq_of((uint32_t)-(int32_t)(seed * 1009 % 100000));
		o.iss[1] = seq_of((uint32_t)-(int32_t)(seed * 2003 % 100000));
	}
	d = duo_new(&o);
	d->loss_ppm = b->loss_ppm;
	d->dup_ppm = b->dup_ppm;
	d->split_ppm = b->split_ppm;
	d->jitter = b->jitter;
	duo_listen(&d->side[DUO_B]);
	duo_connect(&d->side[DUO_A]);
	while (!d->broken && d->now < DUO_T0 + SEC(7200)) {
		done = application(&d->side[0], &left[0], &got[0], b);
		done = application(&d->side[1], &left[1], &got[1], b) && done;
		done = done && got[0] + got[1] == total;
		if (done && duo_over(d))
			break;
		(void)duo_step(d, d->now + MS(20));
	}
	if (!done || !duo_over(d))
		printf("\nseed %" PRIu64 ": %u and %u of %u bytes, %s and %s after %.1f s\n", seed,
		       got[0], got[1], b->bytes, tcp_facts[d->side[0].conn.state].name,
		       tcp_facts[d->side[1].conn.state].name,
		       (double)(d->now - DUO_T0) / 1e9);
	CU_ASSERT_TRUE(done);
	CU_ASSERT_TRUE(duo_over(d));
	duo_free(d);
}

static void
transfers(const struct bulk *b, unsigned seeds)
{
	for (unsigned i = 0; i < seeds; i++)
		transfer(b, i + 1);
}

static void
test_a_perfect_link(void)
{
	transfers(&(struct bulk){ .bytes = 1000000 }, 2);
}

static void
test_five_percent_lost(void)
{
	transfers(&(struct bulk){ .bytes = 1000000, .loss_ppm = 50000 }, 6);
}

static void
test_five_percent_lost_without_sack(void)
{
	transfers(&(struct bulk){ .bytes = 1000000, .loss_ppm = 50000, .no_sack = true }, 6);
}

static void
test_five_percent_lost_without_timestamps(void)
{
	transfers(&(struct bulk){ .bytes = 1000000, .loss_ppm = 50000, .no_ts = true }, 6);
}

static void
test_five_percent_lost_without_any_option(void)
{
	transfers(&(struct bulk){ .bytes = 500000, .loss_ppm = 50000, .no_ts = true,
	                          .no_sack = true, .no_wscale = true, .reno = true }, 6);
}

/* Every pool runs dry again and again; nothing is lost, nothing waits for ever. */
static void
test_short_of_memory(void)
{
	struct bulk b = { .bytes = 200000, .one_way = true, .short_of_memory = true };

	for (unsigned seed = 1; seed <= 40; seed++) {
		b.loss_ppm = seed & 1 ? 30000 : 0;
		b.jitter = seed & 2 ? MS(10) : 0;
		b.no_sack = seed & 4;
		b.split_ppm = seed & 8 ? 300000 : 0;
		b.lazy = seed & 16;
		transfer(&b, seed);
	}
}

static void
test_everything_at_once(void)
{
	struct bulk b = { .bytes = 200000, .loss_ppm = 50000, .dup_ppm = 30000,
		          .split_ppm = 200000, .jitter = MS(20) };

	for (unsigned seed = 1; seed <= 64; seed++) {
		b.no_sack = seed & 2;
		b.no_ts = seed & 4;
		b.lazy = seed & 8;
		b.no_wscale = seed & 16;
		b.reno = seed & 32;
		transfer(&b, seed);
	}
}

void
suite_script_bulk(void)
{
	CU_pSuite s = CU_add_suite("script_bulk", NULL, NULL);

	CU_add_test(s, "a perfect link", test_a_perfect_link);
	CU_add_test(s, "five percent lost", test_five_percent_lost);
	CU_add_test(s, "five percent lost, no SACK", test_five_percent_lost_without_sack);
	CU_add_test(s, "five percent lost, no timestamps",
	            test_five_percent_lost_without_timestamps);
	CU_add_test(s, "five percent lost, no option at all",
	            test_five_percent_lost_without_any_option);
	CU_add_test(s, "short of memory", test_short_of_memory);
	CU_add_test(s, "loss, duplicates, reordering, splitting, lazy readers",
	            test_everything_at_once);
}
