/* SPDX-License-Identifier: BSD-3-Clause */
/* The per-second lines, to the letter. */
#include <CUnit/CUnit.h>

#include <stdlib.h>

#include "api/stat_board.h"

void suite_stat_board(void);

static struct stat_board *
board(void)
{
	struct stat_board *b = aligned_alloc(CACHE_LINE, sizeof *b);

	CU_ASSERT_PTR_NOT_NULL_FATAL(b);
	memset((void *)b, 0, sizeof *b);
	strcpy(b->name, "dpdk0");
	return b;
}

/* What core `core` prints at `now`; to be freed. */
static char *
printed(struct stat_board *b, unsigned core, int64_t now)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	stat_board_print(b, core, now, f);
	fclose(f);
	return text;
}

static void
test_the_lines_have_the_shape_that_people_parse(void)
{
	struct stack_stats s = { .flows = 12,        .rx_pkts = 1000,  .rx_bytes = 125000000,
		                 .rx_errors = 3,     .tx_pkts = 2000,  .tx_bytes = 250000000 };
	struct stat_board *b = board();
	char *text;

	stat_board_update(b, 1, &s);
	text = printed(b, 1, SEC(1));
	CU_ASSERT_STRING_EQUAL(
	        text,
	        "[CPU 1] dpdk0 flows:     12, RX:    1000(pps) (err:     3),  1.00(Gbps), "
	        "TX:    2000(pps),  2.00(Gbps)\n"
	        "[ ALL ] dpdk0 flows:     12, RX:    1000(pps) (err:     3),  1.00(Gbps), "
	        "TX:    2000(pps),  2.00(Gbps)\n");
	free(text);
	free(b);
}

static void
test_rates_are_of_the_time_since_the_last_line(void)
{
	struct stack_stats s = { .rx_pkts = 1000 };
	struct stat_board *b = board();
	char *text;

	stat_board_update(b, 0, &s);
	free(printed(b, 0, SEC(1)));
	s.rx_pkts = 4000;
	stat_board_update(b, 0, &s);
	text = printed(b, 0, SEC(3));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "RX:    1500(pps)"));
	free(text);
	free(b);
}

static void
test_the_lowest_core_prints_for_all(void)
{
	struct stack_stats s = { .flows = 5 };
	struct stat_board *b = board();
	char *text;

	stat_board_update(b, 2, &s);
	stat_board_update(b, 7, &s);
	text = printed(b, 7, SEC(1));
	CU_ASSERT_STRING_EQUAL(text, "");
	free(text);
	text = printed(b, 2, SEC(1));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "[CPU 2] dpdk0 flows:      5"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "[CPU 7] dpdk0 flows:      5"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "[ ALL ] dpdk0 flows:     10"));
	free(text);
	stat_board_leave(b, 2);
	text = printed(b, 7, SEC(2));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "[ ALL ] dpdk0 flows:      5"));
	free(text);
	free(b);
}

void
suite_stat_board(void)
{
	CU_pSuite s = CU_add_suite("api/stat_board", NULL, NULL);

	CU_add_test(s, "the lines have the shape that people parse",
	            test_the_lines_have_the_shape_that_people_parse);
	CU_add_test(s, "rates are of the time since the last line",
	            test_rates_are_of_the_time_since_the_last_line);
	CU_add_test(s, "the lowest core prints for all", test_the_lowest_core_prints_for_all);
}
