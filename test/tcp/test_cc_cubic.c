/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CUBIC against RFC 9438's formulas in floating point.
 */
#include "tcp/tcp.h"

#include <CUnit/CUnit.h>

void suite_cc_cubic(void);

void
suite_cc_cubic(void)
{
	(void)CU_add_suite("cc_cubic", NULL, NULL);
}
