/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/*
 * A result in words: what epwget prints at its end.
 */
#include <stdio.h>

#include "apps/wget_result.h"

void summary_print(FILE *f, const struct result *r);
