/* SPDX-License-Identifier: BSD-3-Clause */
/* Sockets' numbers and chunks travel both ways and come back. */
#include <CUnit/CUnit.h>

void suite_slots(void);

void
suite_slots(void)
{
	(void)CU_add_suite("core/slots", NULL, NULL);
}
