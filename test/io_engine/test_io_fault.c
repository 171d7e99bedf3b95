/* SPDX-License-Identifier: BSD-3-Clause */
/* The faults, over a wire in memory and in virtual time. */
#include "io_engine/io_fault.h"

#include <CUnit/CUnit.h>

#include "base/be.h"
#include "io_engine/io_mem.h"
#include "io_engine/io_sum.h"
#include "test/io_engine/wrapped.h"
#include "wire/sum.h"

#define N 2000

/* Two ends; the faults stand around the first. */
struct duo {
	struct io_mem_wire *wire;
	struct io *a; /* faulty        */
	struct io *b; /* the bare peer */
	struct io *bare_a;
};

static struct duo
duo_new(const struct io_fault_config *cfg, const struct io_mem_config *mem)
{
	struct duo d = { .wire = io_mem_wire_new(mem) };

	CU_ASSERT_PTR_NOT_NULL_FATAL(d.wire);
	d.bare_a = io_mem_end(d.wire, 0, 0);
	d.b = io_mem_end(d.wire, 1, 0);
	d.a = io_fault_new(d.bare_a, cfg);
	CU_ASSERT_PTR_NOT_NULL_FATAL(d.a);
	return d;
}

/* Closes; every buffer must have come back. */
static void
duo_end(struct duo *d)
{
	struct io_mem_stats a, b;

	d->a->ops->close(d->a);
	io_mem_stats(d->bare_a, &a);
	io_mem_stats(d->b, &b);
	CU_ASSERT_EQUAL(a.held, 0);
	CU_ASSERT_EQUAL(b.held, 0);
	io_mem_wire_free(d->wire);
}

static bool
send_number(struct io *io, int64_t now, uint32_t number)
{
	struct io_pkt pkt;

	if (io_alloc(io, &pkt, 1) != 1)
		return false;
	memset(pkt.data, 0, 60);
	put_be32(pkt.data, number); /* where no bit is ever inverted */
	pkt.len = 60;
	if (io_tx(io, now, &pkt, 1))
		return true;
	io_release(io, &pkt, 1);
	return false;
}

/* The number in the next frame, or -1. */
static int64_t
recv_number(struct io *io, int64_t now)
{
	struct io_pkt pkt;
	int64_t number;

	if (!io_rx(io, now, &pkt, 1))
		return -1;
	number = get_be32(pkt.data);
	io_release(io, &pkt, 1);
	return number;
}

static void
test_without_faults_all_passes_in_order(void)
{
	struct io_fault_config cfg = { .seed = 1 };
	struct duo d = duo_new(&cfg, NULL);

	for (uint32_t i = 0; i < 100; i++) {
		CU_ASSERT_TRUE(send_number(d.a, 0, i));
		CU_ASSERT_TRUE(send_number(d.b, 0, i));
	}
	for (uint32_t i = 0; i < 100; i++) {
		CU_ASSERT_EQUAL(recv_number(d.a, 0), i);
		CU_ASSERT_EQUAL(recv_number(d.b, 0), i);
	}
	CU_ASSERT_EQUAL(d.a->ops->deadline(d.a), TIME_NEVER);
	duo_end(&d);
}

/* Sends N numbers from the peer through the receive line. */
static unsigned
count_through_rx(struct duo *d, bool seen_twice[N])
{
	unsigned got = 0;
	bool seen[N] = { false };

	for (uint32_t i = 0; i < N; i++) {
		int64_t number;

		send_number(d->b, 0, i);
		while ((number = recv_number(d->a, 0)) >= 0) {
			got++;
			if (seen_twice)
				seen_twice[number] = seen[number];
			seen[number] = true;
		}
	}
	return got;
}

static void
test_loss_takes_about_its_share(void)
{
	struct io_fault_config cfg = { .seed = 2, .rx.loss_ppm = 200000 };
	struct duo d = duo_new(&cfg, NULL);
	struct io_fault_stats st;
	unsigned got = count_through_rx(&d, NULL);

	io_fault_stats(d.a, &st);
	CU_ASSERT_EQUAL(st.rx.packets, N);
	CU_ASSERT_EQUAL(st.rx.lost, N - got);
	CU_ASSERT_TRUE(st.rx.lost > N / 10 && st.rx.lost < N * 3 / 10);
	CU_ASSERT_EQUAL(st.tx.packets, 0);
	duo_end(&d);
}

static void
test_a_seed_repeats_itself_and_another_differs(void)
{
	uint64_t lost[3];

	for (unsigned i = 0; i < 3; i++) {
		struct io_fault_config cfg = { .seed = i / 2, .rx.loss_ppm = 300000 };
		struct duo d = duo_new(&cfg, NULL);
		struct io_fault_stats st;

		count_through_rx(&d, NULL);
		io_fault_stats(d.a, &st);
		lost[i] = st.rx.lost;
		duo_end(&d);
	}
	CU_ASSERT_EQUAL(lost[0], lost[1]);
	CU_ASSERT_NOT_EQUAL(lost[0], lost[2]);
}

static void
test_duplicates_are_whole_copies(void)
{
	struct io_fault_config cfg = { .seed = 3, .rx.dup_ppm = 100000 };
	struct duo d = duo_new(&cfg, NULL);
	struct io_fault_stats st;
	bool twice[N] = { false };
	unsigned got = count_through_rx(&d, twice), doubled = 0;

	for (unsigned i = 0; i < N; i++)
		doubled += twice[i];
	io_fault_stats(d.a, &st);
	CU_ASSERT_TRUE(doubled > 0);
	CU_ASSERT_EQUAL(st.rx.duplicated, doubled);
	CU_ASSERT_EQUAL(got, N + doubled);
	duo_end(&d);
}

static void
test_no_duplicate_without_a_buffer(void)
{
	struct io_fault_config cfg = { .seed = 3, .tx.dup_ppm = 1000000 };
	struct io_mem_config mem = { .pool = 1 };
	struct duo d = duo_new(&cfg, &mem);

	CU_ASSERT_TRUE(send_number(d.a, 0, 7));
	CU_ASSERT_EQUAL(recv_number(d.b, 0), 7);
	CU_ASSERT_EQUAL(recv_number(d.b, 0), -1);
	duo_end(&d);
}

static void
test_delay_holds_until_the_deadline_says(void)
{
	struct io_fault_config cfg = { .tx.delay_ns = MS(5), .rx.delay_ns = MS(3) };
	struct duo d = duo_new(&cfg, NULL);

	send_number(d.a, 100, 1);
	CU_ASSERT_EQUAL(d.a->ops->deadline(d.a), 100 + MS(5));
	CU_ASSERT_EQUAL(recv_number(d.a, 100 + MS(5) - 1), -1);
	CU_ASSERT_EQUAL(recv_number(d.b, 100 + MS(5)), -1); /* nobody called it since */
	CU_ASSERT_EQUAL(recv_number(d.a, 100 + MS(5)), -1); /* rx() sends what is due */
	CU_ASSERT_EQUAL(recv_number(d.b, 100 + MS(5)), 1);

	send_number(d.b, MS(10), 2);
	CU_ASSERT_EQUAL(recv_number(d.a, MS(10)), -1);
	CU_ASSERT_EQUAL(d.a->ops->deadline(d.a), MS(13));
	CU_ASSERT_EQUAL(recv_number(d.a, MS(13)), 2);
	CU_ASSERT_EQUAL(d.a->ops->deadline(d.a), TIME_NEVER);
	duo_end(&d);
}

static void
test_reordered_packets_are_overtaken_and_arrive(void)
{
	struct io_fault_config cfg = { .seed = 4, .tx.reorder_ppm = 100000 };
	struct duo d = duo_new(&cfg, NULL);
	unsigned late = 0, got = 0;
	int64_t number, newest = -1;

	for (uint32_t i = 0; i < N; i++) {
		send_number(d.a, US(i * 100), i);
		while ((number = recv_number(d.b, US(i * 100))) >= 0) {
			late += number < newest;
			newest = max(newest, number);
			got++;
		}
	}
	recv_number(d.a, SEC(10));
	while (recv_number(d.b, SEC(10)) >= 0)
		got++;
	CU_ASSERT_TRUE(late > N / 20);
	CU_ASSERT_EQUAL(got, N);
	duo_end(&d);
}

static void
test_a_rate_spaces_packets_and_bounds_the_queue(void)
{
	/* 60 bytes at 480 kbit/s: one a millisecond. */
	struct io_fault_config cfg = { .tx = { .rate_bps = 480000, .hold = 3 } };
	struct duo d = duo_new(&cfg, NULL);
	struct io_fault_stats st;

	for (uint32_t i = 0; i < 5; i++)
		CU_ASSERT_TRUE(send_number(d.a, 0, i));
	for (int ms = 1; ms <= 3; ms++) {
		CU_ASSERT_EQUAL(d.a->ops->deadline(d.a), MS(ms));
		recv_number(d.a, MS(ms));
		CU_ASSERT_EQUAL(recv_number(d.b, MS(ms)), ms - 1);
		CU_ASSERT_EQUAL(recv_number(d.b, MS(ms)), -1);
	}
	io_fault_stats(d.a, &st);
	CU_ASSERT_EQUAL(st.tx.overflow, 2);
	duo_end(&d);
}

/* What waits for the rate is bounded; what only travels is not. */
static void
test_a_queue_is_counted_in_bytes_that_wait(void)
{
	struct io_fault_config cfg = { .tx = { .rate_bps = 480000, .queue_bytes = 180,
		                               .delay_ns = MS(100) } };
	struct duo d = duo_new(&cfg, NULL);
	struct io_fault_stats st;

	for (uint32_t i = 0; i < 5; i++)
		CU_ASSERT_TRUE(send_number(d.a, 0, i));
	for (uint32_t i = 5; i < 8; i++)
		CU_ASSERT_TRUE(send_number(d.a, MS(3), i));
	io_fault_stats(d.a, &st);
	CU_ASSERT_EQUAL(st.tx.overflow, 2);
	CU_ASSERT_EQUAL(st.tx.delayed, 6);
	duo_end(&d);
}

/* Sends 60 bytes of IPv4 with these ECN bits; the bits that arrive, with a good sum. */
static unsigned
ecn_sent_and_come(struct duo *d, uint8_t ecn)
{
	static const uint8_t head[34] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0,
		46, 0, 0, 0x40, 0, 64, 253, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2 };
	uint8_t frame[128];
	struct io_pkt pkt;
	uint16_t sum;

	CU_ASSERT_EQUAL_FATAL(io_alloc(d->a, &pkt, 1), 1);
	memset(pkt.data, 0, 60);
	memcpy(pkt.data, head, sizeof head);
	pkt.data[15] = ecn;
	sum = wire_sum_finish(wire_sum_add(0, pkt.data + 14, 20));
	memcpy(pkt.data + 24, &sum, sizeof sum);
	pkt.len = 60;
	CU_ASSERT_EQUAL(io_tx(d->a, 0, &pkt, 1), 1);
	recv_number(d->a, SEC(1));
	CU_ASSERT_EQUAL(io_mem_read(d->b, SEC(1), frame, sizeof frame), 60);
	CU_ASSERT_EQUAL(wire_sum_finish(wire_sum_add(0, frame + 14, 20)), 0);
	return frame[15];
}

static void
test_a_long_queue_is_marked_where_ecn_is_understood(void)
{
	struct io_fault_config cfg = { .tx = { .rate_bps = 480000, .mark_bytes = 60 } };
	struct duo d = duo_new(&cfg, NULL);
	struct io_fault_stats st;

	CU_ASSERT_EQUAL(ecn_sent_and_come(&d, 2), 2); /* nobody waits yet */
	CU_ASSERT_EQUAL(ecn_sent_and_come(&d, 2), 3);
	CU_ASSERT_EQUAL(ecn_sent_and_come(&d, 1), 3);
	CU_ASSERT_EQUAL(ecn_sent_and_come(&d, 0), 0);
	CU_ASSERT_EQUAL(ecn_sent_and_come(&d, 3), 3);
	io_fault_stats(d.a, &st);
	CU_ASSERT_EQUAL(st.tx.marked, 2);
	duo_end(&d);
}

static void
test_a_full_engine_is_felt_and_loses_nothing(void)
{
	struct io_fault_config cfg = { 0 };
	struct io_mem_config mem = { .depth = 4 };
	struct duo d = duo_new(&cfg, &mem);
	uint32_t sent = 0;
	int64_t at;

	while (send_number(d.a, 0, sent))
		sent++;
	CU_ASSERT_EQUAL(sent, 5); /* four on the wire, one that found it full */
	at = d.a->ops->deadline(d.a);
	CU_ASSERT_TRUE(at > 0 && at < MS(1));
	for (uint32_t i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(recv_number(d.b, 0), i);
	recv_number(d.a, at);
	CU_ASSERT_EQUAL(recv_number(d.b, 0), 4);
	duo_end(&d);
}

/* Sends a TCP segment whose sums are the port's to finish. */
static void
send_segment(struct io *io)
{
	static const uint8_t head[34] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0,
		60, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2 };
	static const uint8_t pseudo[12] = { 10, 0, 0, 1, 10, 0, 0, 2, 0, 6, 0, 40 };
	uint16_t sum = wire_sum_fold(wire_sum_add(0, pseudo, sizeof pseudo));
	struct io_pkt pkt;

	CU_ASSERT_EQUAL_FATAL(io_alloc(io, &pkt, 1), 1);
	memset(pkt.data, 0x55, 74);
	memcpy(pkt.data, head, sizeof head);
	memcpy(pkt.data + 50, &sum, sizeof sum);
	pkt.len = 74;
	pkt.l2_len = 14;
	pkt.l3_len = 20;
	pkt.l4_len = 20;
	pkt.flags = IO_TX_IP_SUM | IO_TX_TCP_SUM;
	CU_ASSERT_EQUAL(io_tx(io, 0, &pkt, 1), 1);
}

static void
test_damage_is_seen_by_the_peer_though_the_port_makes_sums(void)
{
	struct io_fault_config cfg = { .seed = 5, .tx.corrupt_ppm = 500000 };
	struct io_mem_config mem = { .caps = IO_CAP_TX_IP_SUM | IO_CAP_TX_TCP_SUM };
	struct duo d = duo_new(&cfg, &mem);
	struct io_fault_stats st;
	unsigned good = 0;

	for (unsigned i = 0; i < 300; i++) {
		uint8_t frame[128];
		uint32_t len;

		send_segment(d.a);
		len = io_mem_read(d.b, 0, frame, sizeof frame);
		good += io_sum_judge(frame, len) == (IO_RX_IP_GOOD | IO_RX_L4_GOOD);
	}
	io_fault_stats(d.a, &st);
	CU_ASSERT_TRUE(st.tx.corrupted > 100);
	CU_ASSERT_EQUAL(good, 300 - st.tx.corrupted);
	duo_end(&d);
}

static void
test_damage_voids_what_the_port_said(void)
{
	struct io_fault_config cfg = { .seed = 6, .rx.corrupt_ppm = 1000000 };
	struct io_mem_config mem = { .caps = IO_CAP_TX_IP_SUM | IO_CAP_TX_TCP_SUM |
		                             IO_CAP_RX_IP_SUM | IO_CAP_RX_L4_SUM };
	struct duo d = duo_new(&cfg, &mem);
	struct io_pkt pkt;

	send_segment(d.b);
	CU_ASSERT_EQUAL_FATAL(io_rx(d.a, 0, &pkt, 1), 1);
	CU_ASSERT_EQUAL(pkt.flags, 0);
	CU_ASSERT_NOT_EQUAL(io_sum_judge(pkt.data, pkt.len), IO_RX_IP_GOOD | IO_RX_L4_GOOD);
	io_release(d.a, &pkt, 1);
	duo_end(&d);
}

static void
test_closing_gives_held_packets_back(void)
{
	struct io_fault_config cfg = { .tx.delay_ns = SEC(1), .rx.delay_ns = SEC(1) };
	struct duo d = duo_new(&cfg, NULL);

	for (uint32_t i = 0; i < 10; i++) {
		send_number(d.a, 0, i);
		send_number(d.b, 0, i);
		recv_number(d.a, 0);
	}
	duo_end(&d);
}

void suite_io_fault(void);

static void
test_the_inner_engine_is_told_of_the_beginning(void)
{
	struct io_fault_config cfg = { .seed = 1 };
	struct duo d = duo_new(&cfg, &(struct io_mem_config){ 0 });

	check_begins(d.a, d.bare_a);
	duo_end(&d);
}

void
suite_io_fault(void)
{
	CU_pSuite s = CU_add_suite("io_fault", NULL, NULL);

	CU_add_test(s, "without faults all passes in order",
	            test_without_faults_all_passes_in_order);
	CU_add_test(s, "loss takes about its share", test_loss_takes_about_its_share);
	CU_add_test(s, "a seed repeats itself and another differs",
	            test_a_seed_repeats_itself_and_another_differs);
	CU_add_test(s, "duplicates are whole copies", test_duplicates_are_whole_copies);
	CU_add_test(s, "no duplicate without a buffer", test_no_duplicate_without_a_buffer);
	CU_add_test(s, "delay holds until the deadline says",
	            test_delay_holds_until_the_deadline_says);
	CU_add_test(s, "reordered packets are overtaken and arrive",
	            test_reordered_packets_are_overtaken_and_arrive);
	CU_add_test(s, "a rate spaces packets and bounds the queue",
	            test_a_rate_spaces_packets_and_bounds_the_queue);
	CU_add_test(s, "a queue is counted in bytes that wait",
	            test_a_queue_is_counted_in_bytes_that_wait);
	CU_add_test(s, "a long queue is marked where ECN is understood",
	            test_a_long_queue_is_marked_where_ecn_is_understood);
	CU_add_test(s, "a full engine is felt and loses nothing",
	            test_a_full_engine_is_felt_and_loses_nothing);
	CU_add_test(s, "damage is seen by the peer though the port makes sums",
	            test_damage_is_seen_by_the_peer_though_the_port_makes_sums);
	CU_add_test(s, "damage voids what the port said", test_damage_voids_what_the_port_said);
	CU_add_test(s, "closing gives held packets back", test_closing_gives_held_packets_back);
	CU_add_test(s, "the inner engine is told of the beginning",
	            test_the_inner_engine_is_told_of_the_beginning);
}
