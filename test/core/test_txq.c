/* SPDX-License-Identifier: BSD-3-Clause */
/* Who may send in a step, and what an engine that is full leaves behind. */
#include <CUnit/CUnit.h>

void suite_txq(void);

void
suite_txq(void)
{
	(void)CU_add_suite("core/txq", NULL, NULL);
}
