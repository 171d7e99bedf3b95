/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of congestion control algorithms, and the laws that each of them keeps. */
#include "tcp/tcp_cc.h"

#include <CUnit/CUnit.h>

#include "base/rng.h"
#include "tcp/tcp_rare.h"

void suite_tcp_cc(void);

static void
test_found_by_name(void)
{
	CU_ASSERT_PTR_EQUAL(tcp_cc_find("reno"), &cc_reno);
	CU_ASSERT_PTR_EQUAL(tcp_cc_find("cubic"), &cc_cubic);
	CU_ASSERT_PTR_NULL(tcp_cc_find("vegas"));
	CU_ASSERT_PTR_NULL(tcp_cc_find("Reno"));
	CU_ASSERT_PTR_NULL(tcp_cc_find("ren"));
	CU_ASSERT_PTR_NULL(tcp_cc_find(""));
}

static unsigned
n_algorithms(void)
{
	unsigned n = 0;

	while (tcp_cc_at(n))
		n++;
	return n;
}

static void
test_the_list_is_complete(void)
{
	unsigned n = n_algorithms();

	CU_ASSERT(n >= 4);
	CU_ASSERT_PTR_NULL(tcp_cc_at(n));
	CU_ASSERT_PTR_NULL(tcp_cc_at(UINT32_MAX));
	for (unsigned i = 0; i < n; i++) {
		const struct cc_ops *cc = tcp_cc_at(i);

		CU_ASSERT_PTR_EQUAL(tcp_cc_find(cc->name), cc);
		CU_ASSERT(strlen(cc->name) < 16); /* TCP_CA_NAME_MAX of TCP_CONGESTION */
		CU_ASSERT(cc->init && cc->on_ack && cc->ssthresh);
		CU_ASSERT(cc->on_recovered && cc->on_restart);
		CU_ASSERT_EQUAL(!cc->attach, !cc->detach);
	}
}

static void
test_the_default_is_cubic(void)
{
	struct tcp_cfg cfg;

	tcp_cfg_default(&cfg);
	CU_ASSERT_PTR_EQUAL(cfg.cc, tcp_cc_find("cubic"));
}

/* One ACK of a random flight, and the laws that hold for any algorithm: cwnd only grows, by
 * no more than was acknowledged (RFC 5681 3.1), and only while it is what limits. */
static void
random_ack(struct rng *rng, struct tcp_conn *c, int64_t now, uint64_t *grown, uint64_t *acked)
{
	uint32_t flight = c->cwnd - rng_below(rng, c->cwnd / 2 + 1), before = c->cwnd;
	struct cc_ack a = { .acked = 1 + rng_below(rng, min(flight, 4u * c->mss)),
		            .flight = flight,
		            .cwnd_limited = rng_below(rng, 4) > 0,
		            .hystart = (enum tcp_hystart)rng_below(rng, 3),
		            .paced = rng_below(rng, 2),
		            .rtt_ns = rng_below(rng, 2) ? MS(10 + rng_below(rng, 50)) : -1,
		            .now = now };

	c->snd_nxt = seq_add(c->snd_una, flight);
	c->snd_una = seq_add(c->snd_una, a.acked);
	tcp_cc(c)->on_ack(NULL, c, &a);
	CU_ASSERT(c->cwnd >= before);
	if (!a.cwnd_limited)
		CU_ASSERT_EQUAL(c->cwnd, before);
	*grown += c->cwnd - before;
	*acked += a.acked;
	CU_ASSERT(*grown <= *acked + c->mss);
}

static void
random_event(struct rng *rng, struct tcp_conn *c, int64_t *now)
{
	switch (rng_below(rng, 400)) {
	case 0:
		c->ssthresh = tcp_cc(c)->ssthresh(NULL, c, *now);
		c->cwnd = c->ssthresh;
		tcp_cc(c)->on_recovered(c, *now);
		break;
	case 1:
		c->ssthresh = tcp_cc(c)->ssthresh(NULL, c, *now);
		c->cwnd = c->mss;
		c->ca = TCP_CA_LOSS;
		tcp_cc(c)->on_recovered(c, *now);
		c->ca = TCP_CA_OPEN;
		break;
	case 2: {
		int64_t idle = MS(rng_below(rng, 10000));

		*now += idle;
		tcp_cc(c)->on_restart(c, idle);
		break;
	}
	default:
		return;
	}
	CU_ASSERT(c->ssthresh >= 2u * c->mss); /* RFC 5681 3.1, equation 4 */
}

static void
live(const struct cc_ops *cc, uint64_t seed)
{
	struct rng rng = { seed };
	uint64_t grown = 0, acked = 0;
	int64_t now = SEC(1000);
	struct tcp_rare rare = tcp_rare_none;
	struct tcp_xmit xmit = { 0 };
	struct tcp_conn c;

	memset(&c, 0, sizeof c);
	c.cc = cc->number;
	c.rare = &rare;
	c.xmit = &xmit;
	c.mss = (uint16_t)(76 + rng_below(&rng, 9000));
	c.cwnd = 10u * c.mss;
	c.ssthresh = UINT32_MAX;
	c.snd_una = c.snd_nxt = seq_of((uint32_t)rng_u64(&rng));
	c.srtt_us = MS(30) / 1000 * 8;
	c.min_rtt_us = 10000;
	cc->init(NULL, &c, 0);
	for (int i = 0; i < 4000; i++) {
		now += US(rng_below(&rng, 3000));
		random_ack(&rng, &c, now, &grown, &acked);
		random_event(&rng, &c, &now);
	}
}

static void
test_each_keeps_the_laws(void)
{
	for (unsigned i = 0; i < n_algorithms(); i++)
		for (uint64_t seed = 1; seed <= 50; seed++)
			if (!tcp_cc_at(i)->control) /* or it has laws of its own */
				live(tcp_cc_at(i), seed);
}

void
suite_tcp_cc(void)
{
	CU_pSuite s = CU_add_suite("tcp_cc", NULL, NULL);

	CU_add_test(s, "algorithms are found by name (RFC 9293 MAY-18)", test_found_by_name);
	CU_add_test(s, "the list is complete", test_the_list_is_complete);
	CU_add_test(s, "the default is CUBIC (RFC 8257 5)", test_the_default_is_cubic);
	CU_add_test(s, "each algorithm keeps the laws", test_each_keeps_the_laws);
}
