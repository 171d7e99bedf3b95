/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The invariants: they hold for what is right, and see what is wrong.
 */
#include "tcp/tcp.h"

#include <CUnit/CUnit.h>

void suite_tcp_check(void);

void
suite_tcp_check(void)
{
	(void)CU_add_suite("tcp_check", NULL, NULL);
}
