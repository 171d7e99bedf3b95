/* SPDX-License-Identifier: BSD-3-Clause */
/* Segments that belong to nobody, or to a TIME-WAIT record. */
#include <CUnit/CUnit.h>

void suite_segment(void);

void
suite_segment(void)
{
	(void)CU_add_suite("core/segment", NULL, NULL);
}
