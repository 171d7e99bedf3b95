/* SPDX-License-Identifier: BSD-3-Clause */
/* Windows: what is offered while text comes and is read, and how the buffers behind it grow. */
#include "tcp/tcp_window.h"

#include <CUnit/CUnit.h>
#include <stdio.h>

#include "base/rng.h"

void suite_tcp_window(void);

/* A connection whose receive stream is two counters. */
struct fixture {
	struct tcp_cfg cfg;
	struct tcp_env e;
	struct tcp_opts opts;
	struct tcp_streams streams;
	struct tcp_conn c;
};

static void
fixture_init(struct fixture *f, uint32_t space, uint8_t shift)
{
	memset(f, 0, sizeof *f);
	tcp_cfg_default(&f->cfg);
	f->e.cfg = &f->cfg;
	f->c.opts = &f->opts;
	f->c.streams = &f->streams;
	f->c.rcv_space = space;
	f->c.rcv_wscale = shift;
	f->c.adv_mss = 1460;
	f->c.mss = 1448;
	f->c.rcv_nxt = seq_of(UINT32_MAX - 100000);
	f->c.rcv_adv = seq_add(f->c.rcv_nxt, tcp_window_first(&f->c));
	f->streams.rcv_w.written = f->streams.rcv_r.read = UINT32_MAX - 50;
}

static void
receive(struct fixture *f, uint32_t len)
{
	f->c.rcv_nxt = seq_add(f->c.rcv_nxt, len);
	f->streams.rcv_w.written += len;
}

static void
application_reads(struct fixture *f, uint32_t len)
{
	f->streams.rcv_r.read += len;
}

static uint32_t
unread(const struct fixture *f)
{
	return stream_used(&f->streams.rcv_w, &f->streams.rcv_r);
}

/* Bytes, as the peer understands the field. */
static uint32_t
offer(struct fixture *f)
{
	return (uint32_t)tcp_window_offer(&f->e, &f->c) << f->c.rcv_wscale;
}

/* --------------------------------------------------------------- handshake -- */

/* RFC 7323 2.2: the smallest shift that does; 2.3: never above 14. */
static void
test_the_shift_covers_the_buffer(void)
{
	CU_ASSERT_EQUAL(tcp_window_shift(0), 0);
	CU_ASSERT_EQUAL(tcp_window_shift(65535), 0);
	CU_ASSERT_EQUAL(tcp_window_shift(65536), 1);
	CU_ASSERT_EQUAL(tcp_window_shift(131071), 1);
	CU_ASSERT_EQUAL(tcp_window_shift(131072), 2);
	CU_ASSERT_EQUAL(tcp_window_shift(6291456), 7);
	CU_ASSERT_EQUAL(tcp_window_shift(1u << 30), 14);
	CU_ASSERT_EQUAL(tcp_window_shift(UINT32_MAX), 14);
	for (unsigned shift = 1; shift < 14; shift++) {
		CU_ASSERT_EQUAL(tcp_window_shift((UINT32_C(65536) << shift) - 1), shift);
		CU_ASSERT_EQUAL(tcp_window_shift(UINT32_C(65536) << shift), shift + 1);
	}
}

/* RFC 7323 2.2: never scaled in a SYN; and no more than there is. */
static void
test_the_first_window_is_unscaled(void)
{
	struct fixture f;

	fixture_init(&f, 65536, 7);
	CU_ASSERT_EQUAL(tcp_window_first(&f.c), 65535);
	f.c.rcv_space = 3000;
	CU_ASSERT_EQUAL(tcp_window_first(&f.c), 3000);
}

/* ------------------------------------------------------------------- offers -- */

static void
test_an_empty_buffer_is_offered_whole(void)
{
	struct fixture f;

	fixture_init(&f, 65536, 7);
	CU_ASSERT_EQUAL(offer(&f), 65536);
	f.c.rcv_space = 1000000;
	CU_ASSERT_EQUAL(offer(&f), 1000000 / 128 * 128);
	CU_ASSERT_EQUAL(tcp_rcv_wnd(&f.c), 1000000 / 128 * 128);
}

static void
test_the_field_never_overflows(void)
{
	struct fixture f;

	fixture_init(&f, 100000000, 0);
	CU_ASSERT_EQUAL(tcp_window_offer(&f.e, &f.c), 65535);
	fixture_init(&f, 100000000, 7);
	CU_ASSERT_EQUAL(tcp_window_offer(&f.e, &f.c), 65535);
	CU_ASSERT_EQUAL(tcp_rcv_wnd(&f.c), 65535u << 7);
}

static void
test_what_is_not_read_is_not_offered_again(void)
{
	struct fixture f;

	fixture_init(&f, 64000, 7);
	for (uint32_t left = 64000; left; left -= 1280) {
		CU_ASSERT_EQUAL(offer(&f), left);
		receive(&f, 1280);
	}
	CU_ASSERT_EQUAL(offer(&f), 0);
}

/* RFC 9293 SHLD-14: the right edge never moves to the left; and it stays near what the
 * buffer holds, whatever sizes come and are read. */
static void
random_traffic(uint64_t seed)
{
	struct rng rng = { seed };
	uint32_t space = 1024u << rng_below(&rng, 10), most = 0;
	uint8_t shift = (uint8_t)rng_below(&rng, 8);
	uint32_t unit = 1u << shift;
	struct fixture f;
	seq_t edge;

	fixture_init(&f, space, shift);
	edge = f.c.rcv_adv;
	for (int i = 0; i < 3000; i++) {
		seq_t now;

		if (rng_below(&rng, 3)) {
			uint32_t len = 1 + rng_below(&rng, 1460);

			receive(&f, min(len, tcp_rcv_wnd(&f.c)));
		} else {
			application_reads(&f, rng_below(&rng, unread(&f) + 1));
		}
		now = seq_add(f.c.rcv_nxt, offer(&f));
		CU_ASSERT_TRUE(seq_le(edge, now));
		CU_ASSERT_TRUE(seq_le(f.c.rcv_nxt, f.c.rcv_adv));
		CU_ASSERT_TRUE(seq_le(now, f.c.rcv_adv));
		edge = now;
		most = max(most, unread(&f));
	}
	CU_ASSERT(most <= space + max(space / 2, unit));
}

static void
test_the_edge_never_moves_left(void)
{
	for (uint64_t seed = 1; seed <= 200; seed++) {
		unsigned before = CU_get_number_of_failures();

		random_traffic(seed);
		if (CU_get_number_of_failures() > before)
			printf("\nseed %llu", (unsigned long long)seed);
	}
}

/* Segments smaller than the unit of the field leave a window that cannot be told: rounded
 * up each time it would never close, and the peer would fill all memory.  When half a buffer
 * more has been given in this way it is rounded down, which the peer has to live with
 * (RFC 7323 2.4); what it was once offered is taken all the same. */
static void
test_tiny_segments_do_not_stretch_the_buffer(void)
{
	static const uint32_t sizes[] = { 1, 2, 7, 60, 127 };

	for (unsigned i = 0; i < array_len(sizes); i++) {
		uint32_t got = 0, edge = 0;
		struct fixture f;

		fixture_init(&f, 65536, 7);
		while (offer(&f) > 0 && got < 1000000) {
			uint32_t n = min(sizes[i], tcp_rcv_wnd(&f.c));

			CU_ASSERT(got + tcp_rcv_wnd(&f.c) >= edge);
			edge = got + tcp_rcv_wnd(&f.c);
			receive(&f, n);
			got += n;
		}
		CU_ASSERT(got >= 65536 - 128);
		CU_ASSERT(got <= 65536 + 32768);
		application_reads(&f, got); /* and it opens again */
		CU_ASSERT_TRUE(tcp_window_update_due(&f.e, &f.c));
		CU_ASSERT(offer(&f) >= 65536 - 128);
	}
}

/* A buffer smaller than the unit of the field is offered all the same. */
static void
test_a_buffer_below_the_unit_is_offered(void)
{
	struct fixture f;

	fixture_init(&f, 1024, 14);
	CU_ASSERT_EQUAL(offer(&f), 16384);
	fixture_init(&f, 1024, 7);
	CU_ASSERT_EQUAL(offer(&f), 1024);
}

/* RFC 9293 3.8.6.2.2: at least a segment or half the buffer, or not at all. */
static void
test_the_window_opens_by_no_silly_step(void)
{
	struct fixture f;

	fixture_init(&f, 64000, 7);
	(void)offer(&f);
	receive(&f, 64000);
	CU_ASSERT_EQUAL(offer(&f), 0);
	application_reads(&f, 1459);
	CU_ASSERT_FALSE(tcp_window_update_due(&f.e, &f.c));
	CU_ASSERT_EQUAL(offer(&f), 0);
	application_reads(&f, 1);
	CU_ASSERT_TRUE(tcp_window_update_due(&f.e, &f.c));
	CU_ASSERT_EQUAL(offer(&f), 1460 / 128 * 128);
}

static void
test_a_small_buffer_opens_by_half(void)
{
	struct fixture f;

	fixture_init(&f, 1024, 0);
	(void)offer(&f);
	receive(&f, 1024);
	CU_ASSERT_EQUAL(offer(&f), 0);
	application_reads(&f, 511);
	CU_ASSERT_FALSE(tcp_window_update_due(&f.e, &f.c));
	CU_ASSERT_EQUAL(offer(&f), 0);
	application_reads(&f, 1);
	CU_ASSERT_TRUE(tcp_window_update_due(&f.e, &f.c));
	CU_ASSERT_EQUAL(offer(&f), 512);
}

/* Reading what the peer does not wait for is not worth a segment. */
static void
test_no_update_while_the_window_is_wide(void)
{
	struct fixture f;

	fixture_init(&f, 64000, 7);
	(void)offer(&f);
	receive(&f, 20000);
	(void)offer(&f);
	application_reads(&f, 20000);
	CU_ASSERT_FALSE(tcp_window_update_due(&f.e, &f.c));
	receive(&f, 15000);
	application_reads(&f, 15000);
	CU_ASSERT_TRUE(tcp_window_update_due(&f.e, &f.c)); /* by more than half */
	CU_ASSERT(offer(&f) >= 64000 - 128);
	CU_ASSERT_FALSE(tcp_window_update_due(&f.e, &f.c));
}

/* Without scaling the field is soon full, and a buffer that has grown beyond it changes nothing:
 * otherwise each call of the application would send an ACK. */
static void
test_no_update_that_the_field_cannot_say(void)
{
	struct fixture f;

	fixture_init(&f, 3145728, 0);
	CU_ASSERT_EQUAL(offer(&f), 65535);
	CU_ASSERT_FALSE(tcp_window_update_due(&f.e, &f.c));
	receive(&f, 40000);
	CU_ASSERT_EQUAL(offer(&f), 65535);
	CU_ASSERT_FALSE(tcp_window_update_due(&f.e, &f.c));
	receive(&f, 40000);
	CU_ASSERT_TRUE(tcp_window_update_due(&f.e, &f.c)); /* by more than half of what it can */
	CU_ASSERT_EQUAL(offer(&f), 65535);
	CU_ASSERT_FALSE(tcp_window_update_due(&f.e, &f.c));
}

/* A window that has become narrow is worth one when it doubles. */
static void
test_a_narrow_window_is_updated_when_it_doubles(void)
{
	struct fixture f;

	fixture_init(&f, 64000, 7);
	(void)offer(&f);
	receive(&f, 54016);
	CU_ASSERT_EQUAL(offer(&f), 9984);
	application_reads(&f, 9983);
	CU_ASSERT_FALSE(tcp_window_update_due(&f.e, &f.c));
	application_reads(&f, 1);
	CU_ASSERT_TRUE(tcp_window_update_due(&f.e, &f.c));
	CU_ASSERT_EQUAL(offer(&f), 2 * 9984);
}

/* A connection whose streams are not there yet (half-open) offers what it will have. */
static void
test_without_a_stream_the_space_is_offered(void)
{
	struct fixture f;

	fixture_init(&f, 64000, 7);
	f.c.streams = NULL;
	CU_ASSERT_EQUAL(offer(&f), 64000);
}

/* -------------------------------------------------------------- autotuning -- */

/* In each round trip `n` bytes come and are read. */
static void
round_trips(struct fixture *f, unsigned rounds, uint32_t n, int64_t *now)
{
	for (unsigned i = 0; i < rounds; i++) {
		receive(f, n);
		application_reads(f, n);
		*now += MS(100);
		tcp_window_grow_receive(&f->e, &f->c, *now);
	}
}

static void
test_a_fast_reader_gets_more(void)
{
	int64_t now = SEC(1000);
	struct fixture f;

	fixture_init(&f, 65536, 7);
	f.c.srtt_us = 8 * 100000;
	round_trips(&f, 1, 65536, &now); /* sets the mark */
	CU_ASSERT_EQUAL(f.c.rcv_space, 65536);
	round_trips(&f, 1, 32768, &now);
	CU_ASSERT_EQUAL(f.c.rcv_space, 6 * 32768);
	round_trips(&f, 10, 32768, &now); /* a sixth of the window: enough */
	CU_ASSERT_EQUAL(f.c.rcv_space, 6 * 32768);
	round_trips(&f, 1, 40000, &now);
	CU_ASSERT_EQUAL(f.c.rcv_space, 6 * 40000);
	round_trips(&f, 2, 4000000, &now);
	CU_ASSERT_EQUAL(f.c.rcv_space, f.cfg.rcvbuf_max / 2);
}

static void
test_growth_waits_for_a_round_trip(void)
{
	int64_t now = SEC(1000);
	struct fixture f;

	fixture_init(&f, 65536, 7);
	f.c.srtt_us = 8 * 100001;
	round_trips(&f, 1, 65536, &now);
	round_trips(&f, 1, 65536, &now);
	CU_ASSERT_EQUAL(f.c.rcv_space, 65536);
	round_trips(&f, 1, 65536, &now);
	CU_ASSERT_EQUAL(f.c.rcv_space, 2 * 6 * 65536);
}

static void
test_a_size_that_was_asked_for_is_kept(void)
{
	int64_t now = SEC(1000);
	struct fixture f;

	fixture_init(&f, 65536, 7);
	f.opts.set = 1u << TCP_OPTION_RCVBUF | 1u << TCP_OPTION_SNDBUF;
	round_trips(&f, 10, 65536, &now);
	CU_ASSERT_EQUAL(f.c.rcv_space, 65536);
	f.c.snd_limit = 4096;
	f.c.cwnd = 100000;
	tcp_window_grow_send(&f.e, &f.c);
	CU_ASSERT_EQUAL(f.c.snd_limit, 4096);
}

static void
test_the_send_buffer_has_room_for_two_windows(void)
{
	struct fixture f;

	fixture_init(&f, 65536, 7);
	f.c.snd_limit = 16384;
	f.c.cwnd = 5000;
	tcp_window_grow_send(&f.e, &f.c);
	CU_ASSERT_EQUAL(f.c.snd_limit, 16384);
	f.c.cwnd = 100000;
	tcp_window_grow_send(&f.e, &f.c);
	CU_ASSERT_EQUAL(f.c.snd_limit, 2 * (100000 + 1448));
	f.c.cwnd = 1000; /* what was promised stays */
	tcp_window_grow_send(&f.e, &f.c);
	CU_ASSERT_EQUAL(f.c.snd_limit, 2 * (100000 + 1448));
	f.c.cwnd = 1u << 30;
	tcp_window_grow_send(&f.e, &f.c);
	CU_ASSERT_EQUAL(f.c.snd_limit, f.cfg.sndbuf_max);
}

/* Who writes is told of room when two thirds of the limit or less are in use (test_events.c);
 * the peer may hold much more than cwnd beyond a hole. */
static void
test_a_writer_is_told_of_room_beside_what_the_peer_holds(void)
{
	struct tcp_xmit x = { .sacked = 600 * 1448 };
	struct fixture f;

	fixture_init(&f, 65536, 7);
	f.c.xmit = &x;
	f.c.cwnd = 100 * 1448;
	tcp_window_grow_send(&f.e, &f.c);
	CU_ASSERT(x.sacked + f.c.cwnd <= f.c.snd_limit - f.c.snd_limit / 3);
	f.c.xmit = NULL;
}

/* As Linux's tcp_mem: half of the core's memory for everybody's growth, then only for what is
 * agreed; of the last quarter each gets a few segments. */
static void
test_buffers_grow_only_at_ease(void)
{
	struct fixture f;

	fixture_init(&f, 65536, 7);
	f.e.chunks.max = 100;
	f.c.cwnd = 100 * 1448;
	f.e.chunks.used = 70;
	f.e.spare.n = 19; /* free, though the pool has given them out */
	CU_ASSERT_EQUAL(tcp_mem_level(&f.e), TCP_MEM_PRESSURE);
	tcp_window_grow_send(&f.e, &f.c);
	CU_ASSERT_EQUAL(f.c.snd_limit, 0);
	for (unsigned i = 1; i <= 2; i++) {
		tcp_window_grow_receive(&f.e, &f.c, i * SEC(1));
		receive(&f, 60000);
		application_reads(&f, 60000);
	}
	tcp_window_grow_receive(&f.e, &f.c, SEC(3));
	CU_ASSERT_EQUAL(f.c.rcv_space, 65536);
	f.e.spare.n = 20;
	CU_ASSERT_EQUAL(tcp_mem_level(&f.e), TCP_MEM_EASE);
	tcp_window_grow_send(&f.e, &f.c);
	CU_ASSERT_EQUAL(f.c.snd_limit, 2 * 101 * 1448);
	receive(&f, 60000);
	application_reads(&f, 60000);
	tcp_window_grow_receive(&f.e, &f.c, SEC(4));
	CU_ASSERT_EQUAL(f.c.rcv_space, 6 * 60000);
}

static void
test_a_window_opens_little_when_memory_is_scarce(void)
{
	struct fixture f;

	fixture_init(&f, 65536, 0);
	f.e.chunks.max = 100;
	f.e.chunks.used = 76;
	CU_ASSERT_EQUAL(tcp_mem_level(&f.e), TCP_MEM_SCARCE);
	CU_ASSERT_EQUAL(tcp_window_offer(&f.e, &f.c), 65535); /* what was offered stays */
	receive(&f, 65000);
	application_reads(&f, 65000);
	CU_ASSERT_EQUAL(tcp_window_offer(&f.e, &f.c), 4 * 1460);
	receive(&f, 4 * 1460);
	CU_ASSERT_EQUAL(tcp_window_offer(&f.e, &f.c), 0);
	f.e.chunks.used = 75;
	CU_ASSERT_EQUAL(tcp_window_offer(&f.e, &f.c), 65536 - 4 * 1460);
}

void
suite_tcp_window(void)
{
	CU_pSuite s = CU_add_suite("tcp_window", NULL, NULL);

	CU_add_test(s, "the shift covers the buffer (Linux: window shift)",
	            test_the_shift_covers_the_buffer);
	CU_add_test(s, "the first window is unscaled", test_the_first_window_is_unscaled);
	CU_add_test(s, "an empty buffer is offered whole", test_an_empty_buffer_is_offered_whole);
	CU_add_test(s, "the field never overflows", test_the_field_never_overflows);
	CU_add_test(s, "what is not read is not offered again",
	            test_what_is_not_read_is_not_offered_again);
	CU_add_test(s, "the edge never moves left", test_the_edge_never_moves_left);
	CU_add_test(s, "tiny segments do not stretch the buffer",
	            test_tiny_segments_do_not_stretch_the_buffer);
	CU_add_test(s, "a buffer below the unit is offered",
	            test_a_buffer_below_the_unit_is_offered);
	CU_add_test(s, "the window opens by no silly step",
	            test_the_window_opens_by_no_silly_step);
	CU_add_test(s, "a small buffer opens by half", test_a_small_buffer_opens_by_half);
	CU_add_test(s, "no update while the window is wide",
	            test_no_update_while_the_window_is_wide);
	CU_add_test(s, "no update that the field cannot say",
	            test_no_update_that_the_field_cannot_say);
	CU_add_test(s, "a narrow window is updated when it doubles",
	            test_a_narrow_window_is_updated_when_it_doubles);
	CU_add_test(s, "without a stream the space is offered",
	            test_without_a_stream_the_space_is_offered);
	CU_add_test(s, "a fast reader gets more", test_a_fast_reader_gets_more);
	CU_add_test(s, "growth waits for a round trip", test_growth_waits_for_a_round_trip);
	CU_add_test(s, "a size that was asked for is kept",
	            test_a_size_that_was_asked_for_is_kept);
	CU_add_test(s, "a writer is told of room beside what the peer holds",
	            test_a_writer_is_told_of_room_beside_what_the_peer_holds);
	CU_add_test(s, "buffers grow only at ease", test_buffers_grow_only_at_ease);
	CU_add_test(s, "a window opens little when memory is scarce",
	            test_a_window_opens_little_when_memory_is_scarce);
	CU_add_test(s, "the send buffer has room for two windows",
	            test_the_send_buffer_has_room_for_two_windows);
}
