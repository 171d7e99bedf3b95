/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TIME-WAIT in its small record.
 */
#include "tcp/tcp_tw.h"

#include <CUnit/CUnit.h>

void suite_tcp_tw(void);

void
suite_tcp_tw(void)
{
	(void)CU_add_suite("tcp_tw", NULL, NULL);
}
