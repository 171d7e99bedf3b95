/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The scoreboard against one that keeps a book on each byte.
 */
#include "tcp/tcp_sack.h"

#include <CUnit/CUnit.h>

void suite_tcp_sack(void);

void
suite_tcp_sack(void)
{
	(void)CU_add_suite("tcp_sack", NULL, NULL);
}
