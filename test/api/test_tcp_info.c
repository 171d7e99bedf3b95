/* SPDX-License-Identifier: BSD-3-Clause */
/* Linux's layout and units. */
#include <CUnit/CUnit.h>

#include <linux/tcp.h>

#include "api/tcp_info.h"

void suite_tcp_info(void);

static void
test_units_are_linuxs(void)
{
	struct tcp_info_data d = {
		.state = 4, .snd_wscale = 7, .rcv_wscale = 9, .options = 7,
		.rto_ns = MS(201), .srtt_ns = US(150), .last_ack_recv_ns = MS(30), .min_rtt_ns = -1,
		.snd_mss = 1448, .snd_cwnd = 10, .total_retrans = 3, .bytes_acked = 1ull << 40,
		.snd_wnd = 65535, .pacing_rate = 12345, .max_pacing_rate = UINT64_MAX,
		.delivery_rate = 777, .delivery_rate_app_limited = true, .delivered_ce = 4,
		.busy_ns = MS(5), .rwnd_limited_ns = US(70), .sndbuf_limited_ns = -1,
	};
	struct tcp_info i;

	CU_ASSERT_EQUAL(tcp_info_write(&d, &i, sizeof i), sizeof i);
	CU_ASSERT_EQUAL(i.tcpi_state, 4);
	CU_ASSERT_EQUAL(i.tcpi_snd_wscale, 7);
	CU_ASSERT_EQUAL(i.tcpi_rcv_wscale, 9);
	CU_ASSERT_EQUAL(i.tcpi_rto, 201000);
	CU_ASSERT_EQUAL(i.tcpi_rtt, 150);
	CU_ASSERT_EQUAL(i.tcpi_min_rtt, 0);
	CU_ASSERT_EQUAL(i.tcpi_pacing_rate, 12345);
	CU_ASSERT_EQUAL(i.tcpi_max_pacing_rate, UINT64_MAX);
	CU_ASSERT_EQUAL(i.tcpi_delivery_rate, 777);
	CU_ASSERT_EQUAL(i.tcpi_delivery_rate_app_limited, 1);
	CU_ASSERT_EQUAL(i.tcpi_delivered_ce, 4);
	CU_ASSERT_EQUAL(i.tcpi_busy_time, 5000);
	CU_ASSERT_EQUAL(i.tcpi_rwnd_limited, 70);
	CU_ASSERT_EQUAL(i.tcpi_sndbuf_limited, 0);
	CU_ASSERT_EQUAL(i.tcpi_last_ack_recv, 30);
	CU_ASSERT_EQUAL(i.tcpi_snd_mss, 1448);
	CU_ASSERT_EQUAL(i.tcpi_snd_cwnd, 10);
	CU_ASSERT_EQUAL(i.tcpi_total_retrans, 3);
	CU_ASSERT_EQUAL(i.tcpi_bytes_acked, 1ull << 40);
	CU_ASSERT_EQUAL(i.tcpi_snd_wnd, 65535);
}

static void
test_no_more_than_there_is_room_for(void)
{
	struct tcp_info_data d = { .state = 1 };
	uint8_t buf[8] = { 0 };

	CU_ASSERT_EQUAL(tcp_info_write(&d, buf, 1), 1);
	CU_ASSERT_EQUAL(buf[0], 1);
	CU_ASSERT_EQUAL(tcp_info_write(&d, buf, 0), 0);
}

void
suite_tcp_info(void)
{
	CU_pSuite s = CU_add_suite("api/tcp_info", NULL, NULL);

	CU_add_test(s, "units are Linux's", test_units_are_linuxs);
	CU_add_test(s, "no more than there is room for", test_no_more_than_there_is_room_for);
}
