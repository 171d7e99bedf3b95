/* SPDX-License-Identifier: BSD-3-Clause */
/* The helpers that programs of the original expect. */
#include <CUnit/CUnit.h>

#include <errno.h>

#include "mtcp_epoll.h"

void suite_helpers(void);

static void
test_events_have_names(void)
{
	CU_ASSERT_STRING_EQUAL(EventToString(MTCP_EPOLLIN), "MTCP_EPOLLIN");
	CU_ASSERT_STRING_EQUAL(EventToString(MTCP_EPOLLIN | MTCP_EPOLLOUT), "MTCP_EPOLLIN");
	CU_ASSERT_STRING_EQUAL(EventToString((uint32_t)MTCP_EPOLLET), "MTCP_EPOLLET");
	CU_ASSERT_STRING_EQUAL(EventToString(0), "MTCP_EPOLLNONE");
	CU_ASSERT_STRING_EQUAL(EventToString(1u << 20), "MTCP_EPOLLNONE");
}

/* 66.9.149.187:2794 to 161.142.100.80:1766 hashes to 0x51ccc178. */
static void
test_flows_go_to_queues_by_toeplitz(void)
{
	uint32_t src = 0x420995bb, dst = 0xa18e6450;

	CU_ASSERT_EQUAL(GetRSSCPUCore(src, dst, 2794, 1766, 16, 0), 0x78 % 16);
	CU_ASSERT_EQUAL(GetRSSCPUCore(src, dst, 2794, 1766, 7, 0), 0x78 % 7);
	CU_ASSERT_EQUAL(GetRSSCPUCore(src, dst, 2794, 1766, 16, 1), (0x78 ^ 3) % 16);
	CU_ASSERT_EQUAL(GetRSSCPUCore(src, dst, 2794, 1766, 1, 0), 0);
	CU_ASSERT_EQUAL(GetRSSCPUCore(src, dst, 2794, 1766, 0, 0), -1);
	CU_ASSERT_EQUAL(errno, EINVAL);
	CU_ASSERT_EQUAL(FetchEndianType(), 0);
}

static void
test_there_is_a_cpu(void)
{
	CU_ASSERT(GetNumCPUs() >= 1);
}

void
suite_helpers(void)
{
	CU_pSuite s = CU_add_suite("api/helpers", NULL, NULL);

	CU_add_test(s, "events have names", test_events_have_names);
	CU_add_test(s, "flows go to queues by Toeplitz", test_flows_go_to_queues_by_toeplitz);
	CU_add_test(s, "there is a CPU", test_there_is_a_cpu);
}
