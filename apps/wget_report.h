/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/*
 * A result as one page of HTML that needs no other file: rate and latency over
 * time, the histogram, tables of all numbers and settings.
 */
#include <stdbool.h>
#include <stdio.h>

#include "apps/wget_result.h"

/* false: f could not be written. */
bool result_write_report(FILE *f, const struct result *r);
