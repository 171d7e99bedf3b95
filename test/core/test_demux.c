/* SPDX-License-Identifier: BSD-3-Clause */
/* Tuples and whose they are, against a table without cleverness. */
#include <CUnit/CUnit.h>

void suite_demux(void);

void
suite_demux(void)
{
	(void)CU_add_suite("core/demux", NULL, NULL);
}
