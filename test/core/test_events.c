/* SPDX-License-Identifier: BSD-3-Clause */
/* What the application is told, and how often. */
#include <CUnit/CUnit.h>

void suite_events(void);

void
suite_events(void)
{
	(void)CU_add_suite("core/events", NULL, NULL);
}
