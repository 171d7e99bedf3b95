/* SPDX-License-Identifier: BSD-3-Clause */
/* SYN cookies: what comes back is what was sent, and nothing else comes back. */
#include <CUnit/CUnit.h>

#include "tcp/tcp_cookie.h"
#include "tcp/tcp_isn.h"
#include "test/tcp/duo.h"

void suite_tcp_cookie(void);

static const struct tcp_tuple tuple = { .lport = 80, .rport = 1234 };
static const struct tcp_seg full_syn = {
	.seq = { 4294967295u },
	.flags = TCP_SYN | TCP_ECE | TCP_CWR,
	.wnd = 3000,
	.opts = TCP_OPT_MSS | TCP_OPT_SACK_OK | TCP_OPT_WSCALE | TCP_OPT_TS,
	.mss = 1440,
	.wscale = 5,
	.tsval = 77,
};

static struct tcp_env *
env(struct duo *d)
{
	return &d->side[DUO_A].env;
}

static struct tcp_seg
synack_of(struct duo *d, const struct tcp_seg *syn, int64_t now)
{
	struct tcp_seg s;

	tcp_cookie_synack(env(d), &tuple, syn, 1460, 131072, now, &s);
	return s;
}

/* The ACK of a peer that took everything the SYN-ACK offered. */
static struct tcp_seg
ack_of(const struct tcp_seg *synack)
{
	return (struct tcp_seg){ .seq = synack->ack, .ack = seq_add(synack->seq, 1),
		                 .flags = TCP_ACK, .wnd = 500,
		                 .opts = synack->opts & TCP_OPT_TS, .tsval = 99,
		                 .tsecr = synack->tsval };
}

static bool
comes_back(struct duo *d, const struct tcp_seg *ack, int64_t now, struct tcp_req *r)
{
	return tcp_cookie_ack(env(d), &tuple, ack, 1460, 131072, now, r);
}

/* With timestamps nothing is lost. */
static void
test_every_option_comes_back(void)
{
	struct duo *d = duo_new(NULL);
	struct tcp_req r;

	for (unsigned bits = 0; bits < 8; bits++) {
		struct tcp_seg syn = full_syn, s, a;

		syn.opts &= (uint8_t)~((bits & 1 ? TCP_OPT_SACK_OK : 0) |
		                       (bits & 2 ? TCP_OPT_WSCALE : 0));
		syn.flags = bits & 4 ? TCP_SYN : syn.flags;
		s = synack_of(d, &syn, d->now);
		CU_ASSERT_EQUAL(s.opts, syn.opts);
		CU_ASSERT_EQUAL(s.flags, TCP_SYN | TCP_ACK | (bits & 4 ? 0 : TCP_ECE));
		CU_ASSERT_EQUAL(s.ack.v, 0);
		CU_ASSERT_EQUAL(s.tsecr, 77);
		a = ack_of(&s);
		CU_ASSERT_TRUE_FATAL(comes_back(d, &a, d->now + SEC(1), &r));
		CU_ASSERT_EQUAL(r.iss.v, s.seq.v);
		CU_ASSERT_EQUAL(r.irs.v, syn.seq.v);
		CU_ASSERT_EQUAL(r.peer_mss, 1440);
		CU_ASSERT_EQUAL(r.opts, syn.opts & ~TCP_OPT_MSS);
		CU_ASSERT_EQUAL(r.ecn, !(bits & 4));
		CU_ASSERT_EQUAL(r.first_wnd, s.wnd);
		CU_ASSERT_EQUAL(r.adv_mss, s.mss);
		CU_ASSERT_EQUAL(r.ts_recent, 99);
		CU_ASSERT_TRUE(r.sent_at > d->now + SEC(1));
		if (!(bits & 2))
			CU_ASSERT_EQUAL(r.snd_wscale, 5);
	}
	duo_free(d);
}

static void
test_every_window_scale_comes_back(void)
{
	struct duo *d = duo_new(NULL);
	struct tcp_seg syn = full_syn, s, a;
	struct tcp_req r;

	for (syn.wscale = 0; syn.wscale <= TCP_WSCALE_MAX; syn.wscale++) {
		s = synack_of(d, &syn, d->now);
		a = ack_of(&s);
		CU_ASSERT_TRUE(comes_back(d, &a, d->now, &r));
		CU_ASSERT_TRUE(r.opts & TCP_OPT_WSCALE);
		CU_ASSERT_EQUAL(r.snd_wscale, syn.wscale);
	}
	duo_free(d);
}

/* What there is no room for is not agreed on, rather than forgotten. */
static void
test_without_timestamps_nothing_is_offered(void)
{
	struct duo *d = duo_new(NULL);
	struct tcp_seg syn = full_syn, s, a;
	struct tcp_req r;

	syn.opts &= (uint8_t)~TCP_OPT_TS;
	s = synack_of(d, &syn, d->now);
	CU_ASSERT_EQUAL(s.opts, TCP_OPT_MSS);
	CU_ASSERT_EQUAL(s.flags, TCP_SYN | TCP_ACK);
	a = ack_of(&s);
	a.opts = TCP_OPT_TS; /* not agreed on: says nothing */
	CU_ASSERT_TRUE(comes_back(d, &a, d->now, &r));
	CU_ASSERT_EQUAL(r.opts, 0);
	CU_ASSERT_FALSE(r.ecn);
	duo_free(d);
}

/* RFC 4987 3.6: never more than the peer said, and the usual sizes exactly. */
static void
test_the_mss_is_rounded_down(void)
{
	static const uint16_t said[] = { 1, 88, 255, 536, 1000, 1359, 1360, 1439, 1460, 9000, 65535 };
	static const uint16_t got[] = { 88, 88, 88, 536, 536, 1220, 1360, 1360, 1460, 8960, 8960 };
	struct duo *d = duo_new(NULL);
	struct tcp_seg syn = full_syn, s, a;
	struct tcp_req r;

	for (unsigned i = 0; i < array_len(said); i++) {
		syn.mss = said[i];
		s = synack_of(d, &syn, d->now);
		a = ack_of(&s);
		CU_ASSERT_TRUE(comes_back(d, &a, d->now, &r));
		CU_ASSERT_EQUAL(r.peer_mss, got[i]);
	}
	syn.opts &= (uint8_t)~TCP_OPT_MSS;
	s = synack_of(d, &syn, d->now);
	a = ack_of(&s);
	CU_ASSERT_TRUE(comes_back(d, &a, d->now, &r));
	CU_ASSERT_EQUAL(r.peer_mss, 1220); /* IPv6's default */
	duo_free(d);
}

/* A secret is believed for its period and the next. */
static void
test_a_cookie_lives_for_two_periods(void)
{
	struct duo *d = duo_new(NULL);
	int64_t start = 1000 * TCP_COOKIE_PERIOD_NS;
	struct tcp_req r;

	for (unsigned i = 0; i < 2; i++, start += TCP_COOKIE_PERIOD_NS) {
		struct tcp_seg s = synack_of(d, &full_syn, start), a = ack_of(&s);

		CU_ASSERT_TRUE(comes_back(d, &a, start, &r));
		CU_ASSERT_TRUE(comes_back(d, &a, start + 2 * TCP_COOKIE_PERIOD_NS - 1, &r));
		CU_ASSERT_FALSE(comes_back(d, &a, start + 2 * TCP_COOKIE_PERIOD_NS, &r));
		CU_ASSERT_FALSE(comes_back(d, &a, start + 4 * TCP_COOKIE_PERIOD_NS, &r));
		CU_ASSERT_FALSE(comes_back(d, &a, start - 1, &r));
	}
	duo_free(d);
}

/* Without timestamps too, whose offset is each peer's own. */
static void
belongs_to_one_peer(struct duo *d, const struct tcp_seg *syn)
{
	struct tcp_seg s = synack_of(d, syn, d->now), a = ack_of(&s);
	struct tcp_tuple t[4] = { tuple, tuple, tuple, tuple };
	struct tcp_req r;

	t[0].rport++;
	t[1].lport++;
	t[2].remote = ip_addr_v4(9);
	t[3].local = ip_addr_v4(9);
	CU_ASSERT_TRUE(comes_back(d, &a, d->now, &r));
	for (unsigned i = 0; i < array_len(t); i++)
		CU_ASSERT_FALSE(tcp_cookie_ack(env(d), &t[i], &a, 1460, 131072, d->now, &r));
}

static void
test_a_cookie_belongs_to_one_peer(void)
{
	struct duo *d = duo_new(NULL);
	struct tcp_seg plain = full_syn;

	plain.opts = TCP_OPT_MSS;
	belongs_to_one_peer(d, &full_syn);
	belongs_to_one_peer(d, &plain);
	duo_free(d);
}

/* Nobody makes one who has not seen it: other numbers, another secret. */
static void
test_no_other_segment_comes_back(void)
{
	struct duo *d = duo_new(NULL);
	struct tcp_seg s = synack_of(d, &full_syn, d->now), a = ack_of(&s), b;
	unsigned lucky = 0;
	struct tcp_req r;

	for (uint32_t bit = 0; bit < 32; bit++) {
		b = a;
		b.ack = seq_add(seq_of((a.ack.v - 1) ^ 1u << bit), 1);
		CU_ASSERT_FALSE(comes_back(d, &b, d->now, &r));
		b = a;
		b.seq = seq_of(a.seq.v ^ 1u << bit);
		CU_ASSERT_FALSE(comes_back(d, &b, d->now, &r));
	}
	b = a;
	b.opts = 0; /* its timestamp holds what was agreed on */
	CU_ASSERT_FALSE(comes_back(d, &b, d->now, &r));
	for (uint32_t i = 0; i < 1000000; i++) {
		b = a;
		b.ack = seq_of(i * 4099);
		lucky += comes_back(d, &b, d->now, &r);
	}
	CU_ASSERT_TRUE(lucky <= 1); /* a chance of 1 in 134 */
	env(d)->secret.k0 ^= 1;
	CU_ASSERT_FALSE(comes_back(d, &a, d->now, &r));
	duo_free(d);
}

/* What hid in the SYN-ACK's timestamp is believed as it was said, or not at all: a connection that
 * has been reset must not come back, by a segment that was sent again, with other options. */
static void
test_no_other_options_come_back(void)
{
	struct duo *d = duo_new(NULL);
	struct tcp_seg s = synack_of(d, &full_syn, d->now), a = ack_of(&s);
	struct tcp_req r;

	for (uint32_t later = 1; later < 64; later++) {
		a.tsecr = s.tsval + later;
		CU_ASSERT_FALSE(comes_back(d, &a, d->now, &r));
	}
	a.tsecr = s.tsval + 64; /* by chance the same: so is what it says */
	CU_ASSERT_TRUE(comes_back(d, &a, d->now, &r));
	CU_ASSERT_EQUAL(r.snd_wscale, 5);
	CU_ASSERT_EQUAL(r.opts, full_syn.opts & ~TCP_OPT_MSS);
	duo_free(d);
}

/* RFC 7323 4.1: what we say next is never older, nor far from the time. */
static void
test_the_clock_never_goes_back(void)
{
	struct duo *d = duo_new(NULL);
	struct tcp_seg syn = full_syn;
	uint32_t offset = tcp_ts_offset(&env(d)->clock_key, &tuple);

	for (unsigned ms = 0; ms < 300; ms++) {
		int64_t now = d->now + MS(ms);
		struct tcp_seg s;

		syn.wscale = (uint8_t)(ms % (TCP_WSCALE_MAX + 1));
		s = synack_of(d, &syn, now);
		CU_ASSERT_TRUE((uint32_t)(now / NS_PER_MS) + offset - s.tsval < 64);
	}
	duo_free(d);
}

void
suite_tcp_cookie(void)
{
	CU_pSuite s = CU_add_suite("tcp_cookie", NULL, NULL);

	CU_add_test(s, "every option comes back (RFC 4987 3.6/cookies)",
	            test_every_option_comes_back);
	CU_add_test(s, "every window scale comes back", test_every_window_scale_comes_back);
	CU_add_test(s, "without timestamps nothing is offered",
	            test_without_timestamps_nothing_is_offered);
	CU_add_test(s, "the MSS is rounded down", test_the_mss_is_rounded_down);
	CU_add_test(s, "a cookie lives for two periods", test_a_cookie_lives_for_two_periods);
	CU_add_test(s, "a cookie belongs to one peer", test_a_cookie_belongs_to_one_peer);
	CU_add_test(s, "no other segment comes back (RFC 4987 3.6/forged)",
	            test_no_other_segment_comes_back);
	CU_add_test(s, "no other options come back", test_no_other_options_come_back);
	CU_add_test(s, "the clock never goes back", test_the_clock_never_goes_back);
}
