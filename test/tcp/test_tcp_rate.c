/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Delivery rates (draft-ietf-ccwg-bbr 4.1): known paths, and a slow twin that
 * keeps the whole history and computes each sample from it.
 */
#include "tcp/tcp_rate.h"

#include <CUnit/CUnit.h>

#include "tcp/tcp_sack.h"
#include "test/tcp/duo.h"

void suite_tcp_rate(void);

#define MSS 1000u

/* One range after the other leaves and is acknowledged, by hand. */
struct bench {
	struct duo *d;
	struct tcp_env *e;
	struct tcp_conn *c;
	int64_t now;
};

static void
bench_init(struct bench *b)
{
	b->d = duo_established(NULL);
	duo_run(b->d, MS(100));
	b->e = &b->d->side[DUO_A].env;
	b->c = &b->d->side[DUO_A].conn;
	b->now = b->d->now;
	b->c->flags |= TCPF_SACK;
	b->c->min_rtt_us = 10000;
	b->c->flags &= ~(uint32_t)TCPF_APP_LIMITED;
}

static void
bench_free(struct bench *b)
{
	tcp_sack_release(b->e, b->c);
	b->c->snd_nxt = b->c->snd_una;
	duo_free(b->d);
}

static void
sends(struct bench *b, uint32_t n, int64_t gap)
{
	for (uint32_t i = 0; i < n; i++) {
		seq_t end = seq_add(b->c->snd_nxt, MSS);

		CU_ASSERT_TRUE(tcp_sack_sent(b->e, b->c, b->c->snd_nxt, end, false, b->now));
		b->c->snd_nxt = end;
		b->now += gap;
	}
}

static struct rate_sample
acks(struct bench *b, uint32_t n)
{
	struct sack_news news = { .rtt_ns = -1 };
	seq_t una = seq_add(b->c->snd_una, n * MSS);

	news.acked = n * MSS;
	tcp_sack_acked(b->e, b->c, una, b->now, &news);
	b->c->snd_una = una;
	tcp_rate_acked(b->c, &news, b->now);
	return news.rate;
}

/* 1000 bytes a millisecond are a megabyte a second, whatever the round trip is. */
static void
test_a_steady_path(void)
{
	struct bench b;
	struct rate_sample rs;

	bench_init(&b);
	sends(&b, 20, MS(1));
	for (unsigned i = 0; i < 100; i++) {
		rs = acks(&b, 1);
		CU_ASSERT_TRUE(rs.valid);
		if (i > 20) {
			CU_ASSERT_EQUAL(rs.rate, 1000000);
			CU_ASSERT_EQUAL(rs.delivered, 20 * MSS);
			CU_ASSERT_EQUAL(rs.interval_ns, MS(20));
			CU_ASSERT_EQUAL(rs.rtt_ns, MS(20));
		}
		sends(&b, 1, MS(1));
	}
	CU_ASSERT_EQUAL(b.c->delivery_rate, 1000000 / 64);
	bench_free(&b);
}

/* 4.1.1: ACKs held back and let go at once show no more than was sent. */
static void
test_compressed_acks(void)
{
	struct bench b;

	bench_init(&b);
	sends(&b, 40, MS(1));
	for (unsigned i = 0; i < 40; i++) {
		struct rate_sample rs = acks(&b, 1);

		CU_ASSERT_TRUE(rs.rate <= 1100000);
	}
	bench_free(&b);
}

/* A burst that comes back spread out has the rate of its ACKs. */
static void
test_a_burst_is_spread_by_the_path(void)
{
	struct bench b;
	struct rate_sample rs = { .valid = false };

	bench_init(&b);
	sends(&b, 10, 0);
	b.now += MS(10);
	for (unsigned i = 0; i < 10; i++) {
		b.now += MS(2);
		rs = acks(&b, 1);
	}
	CU_ASSERT_EQUAL(rs.interval_ns, MS(30));
	CU_ASSERT_EQUAL(rs.rate, 10u * MSS * UINT64_C(1000000000) / (uint64_t)MS(30));
	bench_free(&b);
}

/* 4.1.2.4: what is sent while the application has nothing more says little. */
static void
test_limited_by_the_application(void)
{
	struct bench b;

	bench_init(&b);
	sends(&b, 2, 0);
	tcp_rate_idle(b.c);
	sends(&b, 1, 0);
	b.now += MS(20);
	CU_ASSERT_FALSE(acks(&b, 2).app_limited); /* sent before */
	CU_ASSERT_TRUE(b.c->flags & TCPF_APP_LIMITED);
	sends(&b, 2, 0);
	b.now += MS(20);
	CU_ASSERT_TRUE(acks(&b, 1).app_limited);
	CU_ASSERT_FALSE(b.c->flags & TCPF_APP_LIMITED); /* all of it was delivered */
	CU_ASSERT_TRUE(acks(&b, 1).app_limited);
	sends(&b, 10, 0);
	b.now += MS(20);
	CU_ASSERT_FALSE(acks(&b, 10).app_limited);
	bench_free(&b);
}

/* Nobody is limited who has filled cwnd. */
static void
test_a_full_window_is_not_the_application(void)
{
	struct bench b;

	bench_init(&b);
	b.c->cwnd = 4 * MSS;
	sends(&b, 4, 0);
	tcp_rate_idle(b.c);
	CU_ASSERT_FALSE(b.c->flags & TCPF_APP_LIMITED);
	bench_free(&b);
}

/* An interval shorter than a round trip is no sample. */
static void
test_too_short_an_interval(void)
{
	struct bench b;
	struct rate_sample rs;

	bench_init(&b);
	sends(&b, 2, 0);
	b.now += MS(5);
	rs = acks(&b, 2);
	CU_ASSERT_TRUE(rs.valid);
	CU_ASSERT_EQUAL(rs.interval_ns, 0);
	CU_ASSERT_EQUAL(rs.rate, 0);
	bench_free(&b);
}

/* What was found lost since the range left, once each. */
static void
test_losses_are_counted(void)
{
	struct bench b;
	struct tcp_sent *r;
	struct rate_sample rs;

	bench_init(&b);
	sends(&b, 4, MS(1));
	r = container_of(list_first(&b.c->xmit->sent), struct tcp_sent, link);
	tcp_sack_lost(b.c, r);
	tcp_sack_lost(b.c, r);
	CU_ASSERT_EQUAL(b.c->xmit->rate.lost, MSS);
	sends(&b, 1, 0);
	tcp_sack_resent(b.e, b.c, r, b.now);
	b.now += MS(20);
	rs = acks(&b, 4);
	CU_ASSERT_TRUE(rs.retransmitted);
	CU_ASSERT_EQUAL(rs.lost, 0); /* it left after the loss was known */
	rs = acks(&b, 1);
	CU_ASSERT_FALSE(rs.retransmitted);
	bench_free(&b);
}

/* -------------------------------------------------------------- the twin -- */

#define EVENTS 400u

struct history {
	int64_t sent[EVENTS], acked[EVENTS]; /* of range i                        */
	uint32_t n_sent, n_acked;
};

/* From the definitions: the newest of the ranges below `to`, all acknowledged at `now`. */
static uint64_t
twin_rate(const struct history *h, uint32_t to, const uint32_t *acked_when_sent,
          const int64_t *idle_since, int64_t now)
{
	uint32_t p = to - 1, before = acked_when_sent[p];
	int64_t delivered_at = before ? h->acked[before - 1] : idle_since[p];
	int64_t first_sent = before ? h->sent[before - 1] : idle_since[p];
	int64_t interval;

	delivered_at = max(delivered_at, idle_since[p]);
	first_sent = max(first_sent, idle_since[p]);
	interval = max(h->sent[p] - first_sent, now - delivered_at);
	if (interval < MS(10))
		return 0;
	return (uint64_t)(to - before) * MSS *
	       UINT64_C(1000000000) / (uint64_t)interval;
}

static void
test_twin(void)
{
	struct rng rng = { 4 };

	for (unsigned run = 0; run < 50; run++) {
		static uint32_t acked_when_sent[EVENTS];
		static int64_t idle_since[EVENTS];
		static struct history h;
		int64_t idle = 0;
		struct bench b;

		memset(&h, 0, sizeof h);
		bench_init(&b);
		while (h.n_sent < EVENTS - 10) {
			uint32_t n = 1 + rng_below(&rng, 5), k;

			for (; n; n--) {
				if (h.n_sent == h.n_acked)
					idle = b.now;
				idle_since[h.n_sent] = idle;
				acked_when_sent[h.n_sent] = h.n_acked;
				h.sent[h.n_sent++] = b.now;
				sends(&b, 1, US(rng_below(&rng, 3000)));
			}
			b.now += US(rng_below(&rng, 20000));
			k = rng_below(&rng, h.n_sent - h.n_acked + 1);
			if (k == 0)
				continue;
			CU_ASSERT_EQUAL(twin_rate(&h, h.n_acked + k, acked_when_sent,
			                          idle_since, b.now),
			                acks(&b, k).rate);
			for (; k; k--)
				h.acked[h.n_acked++] = b.now;
		}
		bench_free(&b);
	}
}

void
suite_tcp_rate(void)
{
	CU_pSuite s = CU_add_suite("tcp_rate", NULL, NULL);

	CU_add_test(s, "a steady path", test_a_steady_path);
	CU_add_test(s, "compressed ACKs show no more than was sent", test_compressed_acks);
	CU_add_test(s, "a burst is spread by the path", test_a_burst_is_spread_by_the_path);
	CU_add_test(s, "limited by the application", test_limited_by_the_application);
	CU_add_test(s, "a full window is not the application",
	            test_a_full_window_is_not_the_application);
	CU_add_test(s, "too short an interval is no sample", test_too_short_an_interval);
	CU_add_test(s, "losses are counted", test_losses_are_counted);
	CU_add_test(s, "a twin that keeps the whole history agrees", test_twin);
}
