/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The state machine against RFC 9293's figure, written out a second time.
 */
#include "tcp/tcp.h"

#include <CUnit/CUnit.h>

void suite_tcp_state(void);

void
suite_tcp_state(void)
{
	(void)CU_add_suite("tcp_state", NULL, NULL);
}
