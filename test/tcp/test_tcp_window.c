/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Windows: what is offered, and how the buffers behind it grow.
 */
#include "tcp/tcp_window.h"

#include <CUnit/CUnit.h>

void suite_tcp_window(void);

void
suite_tcp_window(void)
{
	(void)CU_add_suite("tcp_window", NULL, NULL);
}
