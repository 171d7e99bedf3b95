/* SPDX-License-Identifier: BSD-3-Clause */
/* Local ports: bound, chosen, and none left. */
#include <CUnit/CUnit.h>

void suite_port(void);

void
suite_port(void)
{
	(void)CU_add_suite("core/port", NULL, NULL);
}
