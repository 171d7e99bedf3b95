/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The invariants: they hold in every state of a life, and each of them sees the
 * one thing that is wrong.
 */
#include <CUnit/CUnit.h>

#include "tcp/tcp.h"
#include "tcp/tcp_reass.h"
#include "tcp/tcp_timer.h"
#include "test/tcp/aborts.h"
#include "test/tcp/duo.h"

void suite_tcp_check(void);

/* tcp_check() runs within each step of a duo; here losses and jitter lead through much. */
static void
test_a_lossy_life_keeps_them(void)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct duo_opts o = { .seed = seed, .no_log = true };
		struct duo *d = duo_established(&o);
		struct duo_side *a = &d->side[DUO_A], *b = &d->side[DUO_B];
		uint32_t sent = 0, got = 0;

		d->loss_ppm = d->dup_ppm = d->split_ppm = 30000;
		d->jitter = MS(8);
		for (int i = 0; i < 5000 && got < 200000; i++) {
			sent += duo_write_pattern(a, 200000 - sent);
			duo_run(d, MS(20));
			got += duo_read_pattern(b);
		}
		CU_ASSERT_EQUAL(got, 200000);
		duo_close(a);
		duo_close(b);
		duo_run(d, SEC(300));
		CU_ASSERT_TRUE(duo_over(d));
		duo_free(d);
	}
}

/* What a crime does to a connection that has text in flight. */
struct crime {
	const char *what;
	void (*commit)(struct tcp_conn *c);
};

static void
una_beyond_nxt(struct tcp_conn *c)
{
	c->snd_una = seq_add(c->snd_nxt, 1);
}

static void
tiny_cwnd(struct tcp_conn *c)
{
	c->cwnd = c->mss - 1u;
}

static void
no_mss(struct tcp_conn *c)
{
	c->mss = 0;
}

static void
sent_more_than_written(struct tcp_conn *c)
{
	c->snd_nxt = seq_add(c->snd_nxt, 1000000);
}

static void
edge_to_the_left(struct tcp_conn *c)
{
	c->rcv_adv = seq_add(c->rcv_nxt, UINT32_MAX);
}

static void
acked_what_never_came(struct tcp_conn *c)
{
	c->rcv_acked = seq_add(c->rcv_nxt, 1);
}

static void
text_behind_the_fin(struct tcp_conn *c)
{
	static struct tcp_rare rare = { .fin_waits = true };

	rare.rcv_fin = seq_add(c->rcv_nxt, UINT32_MAX);
	c->flags |= TCPF_FIN_SEEN;
	c->rare = &rare;
}

static void
no_timeout(struct tcp_conn *c)
{
	c->rto_us = 0;
}

static void
endless_timeout(struct tcp_conn *c)
{
	c->rto_us = 121000000;
}

static void
flight_without_timer(struct tcp_conn *c)
{
	c->rtx_at = TIME_NEVER;
	c->rtx_kind = RTX_NONE;
}

static void
timer_without_kind(struct tcp_conn *c)
{
	c->rtx_kind = RTX_NONE;
}

static void
pipe_is_off(struct tcp_conn *c)
{
	c->xmit->pipe++;
}

static void
sacked_is_off(struct tcp_conn *c)
{
	c->xmit->sacked++;
}

static void
ranges_are_off(struct tcp_conn *c)
{
	c->xmit->n_sent--;
}

static void
sacked_ranges_are_off(struct tcp_conn *c)
{
	c->xmit->n_sacked++;
}

static void
a_range_is_missing(struct tcp_conn *c)
{
	link_remove(list_first(&c->xmit->sent));
}

static void
a_range_is_on_no_list(struct tcp_conn *c)
{
	link_remove(list_first(&c->xmit->timed));
}

static void
held_bytes_are_off(struct tcp_conn *c)
{
	tcp_reass(c)->bytes++;
}

static void
runs_are_off(struct tcp_conn *c)
{
	tcp_reass(c)->n_runs++;
}

static void
an_empty_run(struct tcp_conn *c)
{
	struct tcp_run *r = container_of(list_first(&tcp_reass(c)->runs), struct tcp_run, link);

	tcp_reass(c)->bytes -= seq_sub(r->end, r->start);
	r->end = r->start;
}

static void
runs_overlap(struct tcp_conn *c)
{
	struct tcp_run *r = container_of(list_first(&tcp_reass(c)->runs), struct tcp_run, link);

	tcp_reass(c)->bytes += 200;
	r->end = seq_add(r->end, 200);
}

static void
timer_after_the_end(struct tcp_conn *c)
{
	c->state = TCP_CLOSED;
}

static const struct crime crimes[] = {
	{ "SND.UNA beyond SND.NXT", una_beyond_nxt },
	{ "cwnd below a segment", tiny_cwnd },
	{ "no MSS", no_mss },
	{ "more sent than written", sent_more_than_written },
	{ "right edge left of RCV.NXT", edge_to_the_left },
	{ "acknowledged what never came", acked_what_never_came },
	{ "text behind the FIN", text_behind_the_fin },
	{ "RTO 0", no_timeout },
	{ "RTO beyond its maximum", endless_timeout },
	{ "in flight without a timer", flight_without_timer },
	{ "a timer of no kind", timer_without_kind },
	{ "pipe is off", pipe_is_off },
	{ "SACKed bytes are off", sacked_is_off },
	{ "number of ranges is off", ranges_are_off },
	{ "number of SACKed ranges is off", sacked_ranges_are_off },
	{ "a range is missing", a_range_is_missing },
	{ "a range is on no list", a_range_is_on_no_list },
	{ "held bytes are off", held_bytes_are_off },
	{ "number of runs is off", runs_are_off },
	{ "an empty run", an_empty_run },
	{ "runs overlap", runs_overlap },
	{ "a timer after the end", timer_after_the_end },
};

/* Five segments in flight to B, and text beyond a hole from it. */
static struct duo *
busy(void)
{
	static const uint8_t text[100];
	struct duo *d = duo_established(NULL);
	struct duo_side *a = &d->side[DUO_A];
	struct tcp_seg s = { .flags = TCP_ACK, .wnd = 1000, .len = sizeof text, .text = text };

	duo_run(d, MS(100));
	(void)duo_write_pattern(a, 5 * 1448);
	s.ack = a->conn.snd_una;
	s.seq = seq_add(a->conn.rcv_nxt, 100);
	CU_ASSERT_EQUAL(duo_inject(a, &s), SEG_OUT_OF_ORDER);
	s.seq = seq_add(a->conn.rcv_nxt, 300);
	CU_ASSERT_EQUAL(duo_inject(a, &s), SEG_OUT_OF_ORDER);
	return d;
}

struct trial {
	struct duo_side *s;
	const struct crime *crime; /* NULL: an innocent one */
};

static void
crime_then_check(void *arg)
{
	struct trial *t = arg;

	if (t->crime)
		t->crime->commit(&t->s->conn);
	tcp_check(&t->s->env, &t->s->conn);
}

static void
test_each_sees_what_is_wrong(void)
{
	struct duo *d = busy();
	struct trial t = { .s = &d->side[DUO_A] };

	CU_ASSERT_FALSE(aborts(crime_then_check, &t));
	for (unsigned i = 0; i < array_len(crimes) && asserts_are_on(); i++) {
		bool seen;

		t.crime = &crimes[i];
		seen = aborts(crime_then_check, &t);
		if (!seen)
			printf("\nnot seen: %s", crimes[i].what);
		CU_ASSERT_TRUE(seen);
	}
	duo_free(d);
}

/* Text that waits for nothing in particular would wait for ever. */
static void
forgotten_text(struct tcp_conn *c)
{
	c->rtx_kind = RTX_NONE;
	c->rtx_at = TIME_NEVER;
}

static void
test_text_may_not_be_forgotten(void)
{
	struct crime crime = { "forgotten text", forgotten_text };
	struct duo *d = duo_established(NULL);
	struct duo_side *a = &d->side[DUO_A], *b = &d->side[DUO_B];
	struct trial t = { .s = a };

	for (uint32_t sent = 0; sent < 100000;) { /* until B's buffer is full */
		sent += duo_write_pattern(a, 100000 - sent);
		duo_run(d, MS(300));
	}
	duo_run(d, MS(50));
	CU_ASSERT_EQUAL(tcp_flight(&a->conn), 0);
	CU_ASSERT(tcp_unsent(&a->conn) > 0);
	CU_ASSERT_FALSE(aborts(crime_then_check, &t));
	t.crime = &crime;
	CU_ASSERT_EQUAL(aborts(crime_then_check, &t), asserts_are_on());
	(void)duo_read_pattern(b);
	duo_run(d, SEC(10));
	(void)duo_read_pattern(b);
	duo_free(d);
}

/* Before both sides know both numbers there is little to hold. */
static void
test_a_connection_that_is_not_open_is_fine(void)
{
	struct duo *d = duo_new(NULL);
	struct trial t = { .s = &d->side[DUO_A] };

	d->cut[DUO_A] = true;
	duo_connect(&d->side[DUO_A]);
	CU_ASSERT_FALSE(aborts(crime_then_check, &t));
	duo_run(d, SEC(200));
	CU_ASSERT_EQUAL(t.s->conn.state, TCP_CLOSED);
	CU_ASSERT_EQUAL(t.s->conn.err, TCP_E_TIMEDOUT);
	CU_ASSERT_FALSE(aborts(crime_then_check, &t));
	duo_free(d);
}

void
suite_tcp_check(void)
{
	CU_pSuite s = CU_add_suite("tcp_check", NULL, NULL);

	CU_add_test(s, "a lossy life keeps them", test_a_lossy_life_keeps_them);
	CU_add_test(s, "each sees what is wrong", test_each_sees_what_is_wrong);
	CU_add_test(s, "text may not be forgotten", test_text_may_not_be_forgotten);
	CU_add_test(s, "a connection that is not open is fine",
	            test_a_connection_that_is_not_open_is_fine);
}
