/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Initial sequence numbers: a clock that outsiders cannot read.
 */
#include "tcp/tcp_isn.h"

#include <CUnit/CUnit.h>

void suite_tcp_isn(void);

void
suite_tcp_isn(void)
{
	(void)CU_add_suite("tcp_isn", NULL, NULL);
}
