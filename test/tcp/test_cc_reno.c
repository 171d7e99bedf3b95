/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reno: growth and reduction, ACK by ACK.
 */
#include "tcp/tcp.h"

#include <CUnit/CUnit.h>

void suite_cc_reno(void);

void
suite_cc_reno(void)
{
	(void)CU_add_suite("cc_reno", NULL, NULL);
}
