/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections from birth to a pool that is full again. */
#include <CUnit/CUnit.h>

void suite_conns(void);

void
suite_conns(void)
{
	(void)CU_add_suite("core/conns", NULL, NULL);
}
