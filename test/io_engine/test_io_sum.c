/* SPDX-License-Identifier: BSD-3-Clause */
/* Sums left to the port: finished when sent, judged when received. */
#include "io_engine/io_sum.h"

#include <CUnit/CUnit.h>

#include "base/be.h"
#include "wire/sum.h"

#define FRAME (14u + 20u + 20u + 5u)

/* A TCP segment of 5 bytes whose sums are left to the port; the pseudo-header's
 * sum stands in the TCP field. */
static struct io_pkt
segment(uint8_t buf[FRAME])
{
	static const uint8_t head[14 + 20] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0,
		0x45, 0, 0, 45, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2 };
	static const uint8_t pseudo[12] = { 10, 0, 0, 1, 10, 0, 0, 2, 0, 6, 0, 25 };
	uint16_t sum = wire_sum_fold(wire_sum_add(0, pseudo, sizeof pseudo));

	memset(buf, 0, FRAME);
	memcpy(buf, head, sizeof head);
	put_be16(buf + 34, 1234);
	put_be16(buf + 36, 80);
	buf[46] = 0x50;
	memcpy(buf + 50, &sum, sizeof sum);
	memcpy(buf + 54, "hello", 5);
	return (struct io_pkt){ .data = buf, .len = FRAME, .room = FRAME, .l2_len = 14,
		.l3_len = 20, .l4_len = 20, .flags = IO_TX_IP_SUM | IO_TX_TCP_SUM };
}

static void
test_finished_sums_are_judged_good(void)
{
	uint8_t buf[FRAME];
	struct io_pkt pkt = segment(buf);

	CU_ASSERT_EQUAL(io_sum_judge(buf, FRAME), IO_RX_IP_BAD);
	io_sum_finish(&pkt);
	CU_ASSERT_EQUAL(pkt.flags, 0);
	CU_ASSERT_EQUAL(io_sum_judge(buf, FRAME), IO_RX_IP_GOOD | IO_RX_L4_GOOD);
}

static void
test_every_bit_after_the_link_header_is_guarded(void)
{
	uint8_t buf[FRAME];
	struct io_pkt pkt = segment(buf);
	unsigned missed = 0;

	io_sum_finish(&pkt);
	for (unsigned bit = 14 * 8; bit < FRAME * 8; bit++) {
		buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
		missed += io_sum_judge(buf, FRAME) == (IO_RX_IP_GOOD | IO_RX_L4_GOOD);
		buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	CU_ASSERT_EQUAL(missed, 0);
}

static void
test_only_what_is_asked_for_is_filled_in(void)
{
	uint8_t buf[FRAME];
	struct io_pkt pkt = segment(buf);
	uint16_t before = get_be16(buf + 50);

	pkt.flags = IO_TX_IP_SUM;
	io_sum_finish(&pkt);
	CU_ASSERT_EQUAL(get_be16(buf + 50), before);
	CU_ASSERT_EQUAL(io_sum_judge(buf, FRAME), IO_RX_IP_GOOD | IO_RX_L4_BAD);
}

static void
test_frames_it_does_not_know_are_not_judged(void)
{
	uint8_t buf[FRAME];
	struct io_pkt pkt = segment(buf);

	io_sum_finish(&pkt);
	for (uint32_t len = 0; len < FRAME; len++)
		CU_ASSERT_EQUAL(io_sum_judge(buf, len), 0); /* cut */
	buf[13] = 6;
	CU_ASSERT_EQUAL(io_sum_judge(buf, FRAME), 0); /* ARP */
}

static void
test_a_sum_left_by_a_virtual_peer_is_repaired(void)
{
	uint8_t buf[FRAME];
	struct io_pkt pkt = segment(buf);

	pkt.flags = IO_TX_IP_SUM; /* the TCP field keeps the pseudo-header's sum */
	io_sum_finish(&pkt);
	CU_ASSERT_EQUAL(io_sum_judge(buf, FRAME), IO_RX_IP_GOOD | IO_RX_L4_BAD);
	io_sum_repair(buf);
	CU_ASSERT_EQUAL(io_sum_judge(buf, FRAME), IO_RX_IP_GOOD | IO_RX_L4_GOOD);
}

#define FRAME6 (14u + 40u + 20u + 5u)

/* The same of IPv6. */
static struct io_pkt
segment6(uint8_t buf[FRAME6])
{
	uint8_t pseudo[40] = { [0] = 0x20, [15] = 1, [16] = 0x20, [31] = 2, [35] = 25, [39] = 6 };
	uint16_t sum = wire_sum_fold(wire_sum_add(0, pseudo, sizeof pseudo));

	memset(buf, 0, FRAME6);
	put_be16(buf + 12, 0x86dd);
	put_be32(buf + 14, 0x60000000);
	put_be32(buf + 18, 25u << 16 | 6u << 8 | 64);
	memcpy(buf + 22, pseudo, 32);
	put_be32(buf + 54, 1234u << 16 | 80);
	buf[66] = 0x50;
	memcpy(buf + 70, &sum, sizeof sum);
	memcpy(buf + 74, "hello", 5);
	return (struct io_pkt){ .data = buf, .len = FRAME6, .room = FRAME6, .l2_len = 14,
		.l3_len = 40, .l4_len = 20, .flags = IO_TX_TCP_SUM };
}

static void
test_sums_of_ipv6_are_finished_judged_and_repaired(void)
{
	uint8_t buf[FRAME6];
	struct io_pkt pkt = segment6(buf);

	CU_ASSERT_EQUAL(io_sum_judge(buf, FRAME6), IO_RX_L4_BAD);
	io_sum_repair(buf);
	CU_ASSERT_EQUAL(io_sum_judge(buf, FRAME6), IO_RX_L4_GOOD);
	pkt = segment6(buf);
	io_sum_finish(&pkt);
	CU_ASSERT_EQUAL(io_sum_judge(buf, FRAME6), IO_RX_L4_GOOD);
	for (unsigned bit = 22 * 8; bit < FRAME6 * 8; bit++) {
		buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
		CU_ASSERT_EQUAL(io_sum_judge(buf, FRAME6), IO_RX_L4_BAD);
		buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (uint32_t len = 0; len < FRAME6; len++)
		CU_ASSERT_EQUAL(io_sum_judge(buf, len), 0);
}

void suite_io_sum(void);

void
suite_io_sum(void)
{
	CU_pSuite s = CU_add_suite("io_sum", NULL, NULL);

	CU_add_test(s, "finished sums are judged good", test_finished_sums_are_judged_good);
	CU_add_test(s, "every bit after the link header is guarded",
	            test_every_bit_after_the_link_header_is_guarded);
	CU_add_test(s, "only what is asked for is filled in",
	            test_only_what_is_asked_for_is_filled_in);
	CU_add_test(s, "frames it does not know are not judged",
	            test_frames_it_does_not_know_are_not_judged);
	CU_add_test(s, "sums of IPv6 are finished, judged and repaired",
	            test_sums_of_ipv6_are_finished_judged_and_repaired);
	CU_add_test(s, "a sum left by a virtual peer is repaired",
	            test_a_sum_left_by_a_virtual_peer_is_repaired);
}
