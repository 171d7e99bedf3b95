/* SPDX-License-Identifier: BSD-3-Clause */
/* Listeners: backlog, half-open records, floods. */
#include <CUnit/CUnit.h>

void suite_listen(void);

void
suite_listen(void)
{
	(void)CU_add_suite("core/listen", NULL, NULL);
}
