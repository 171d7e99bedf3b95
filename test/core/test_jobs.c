/* SPDX-License-Identifier: BSD-3-Clause */
/* What the application asks for, and what it is answered. */
#include <CUnit/CUnit.h>

void suite_jobs(void);

void
suite_jobs(void)
{
	(void)CU_add_suite("core/jobs", NULL, NULL);
}
