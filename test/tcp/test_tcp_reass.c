/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reassembly against a map with one entry for each byte.
 */
#include "tcp/tcp_reass.h"

#include <CUnit/CUnit.h>

void suite_tcp_reass(void);

void
suite_tcp_reass(void)
{
	(void)CU_add_suite("tcp_reass", NULL, NULL);
}
