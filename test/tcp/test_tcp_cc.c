/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The list of congestion control algorithms.
 */
#include "tcp/tcp_cc.h"

#include <CUnit/CUnit.h>

void suite_tcp_cc(void);

void
suite_tcp_cc(void)
{
	(void)CU_add_suite("tcp_cc", NULL, NULL);
}
