/* SPDX-License-Identifier: BSD-3-Clause */
/* A build without DPDK: this suite stands in for that of test_io_dpdk.c, as the
 * engine's stand-in does for the engine. */
#include <CUnit/CUnit.h>
#include <errno.h>

#include "io_engine/io_dpdk.h"

static void
test_a_build_without_dpdk_says_so(void)
{
	struct io_dpdk_config cfg = { .eal_args = "--vdev=net_tap0" };
	struct io_dpdk *dpdk = NULL;
	char err[128] = "";

	CU_ASSERT_FALSE(io_dpdk_built());
	CU_ASSERT_EQUAL(io_dpdk_start(&cfg, &dpdk, err, sizeof err), -ENOTSUP);
	CU_ASSERT_STRING_EQUAL(err, "this build has no DPDK (configured --without-dpdk)");
	CU_ASSERT_PTR_NULL(dpdk);
	io_dpdk_stop(NULL);
	io_dpdk_port_close(NULL);
}

void suite_io_dpdk(void);

void
suite_io_dpdk(void)
{
	CU_pSuite s = CU_add_suite("io_dpdk_absent", NULL, NULL);

	CU_add_test(s, "a build without DPDK says so", test_a_build_without_dpdk_says_so);
}
