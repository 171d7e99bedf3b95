/* SPDX-License-Identifier: BSD-3-Clause */
/* A whole stack: its pools at their limits, a thousand lives, the end. */
#include <CUnit/CUnit.h>

void suite_stack(void);

void
suite_stack(void)
{
	(void)CU_add_suite("core/stack", NULL, NULL);
}
