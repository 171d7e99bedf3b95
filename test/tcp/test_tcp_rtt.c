/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Round-trip time: RFC 6298's formulas against the same in floating point.
 */
#include "tcp/tcp_rtt.h"

#include <CUnit/CUnit.h>

void suite_tcp_rtt(void);

void
suite_tcp_rtt(void)
{
	(void)CU_add_suite("tcp_rtt", NULL, NULL);
}
