/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames that are for us and frames that are not. */
#include <CUnit/CUnit.h>

void suite_ip(void);

void
suite_ip(void)
{
	(void)CU_add_suite("core/ip", NULL, NULL);
}
