/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/*
 * A result as JSON and back, with nothing lost that a sum of results needs.
 * epwget(1) describes the members.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "apps/wget_result.h"

#define JSON_SCHEMA  "epwget-result"
#define JSON_VERSION 1 /* another one when a reader of this one would be misled */
#define JSON_WHY_MAX 200u

/* false: out of memory, or f could not be written. */
bool result_write_json(FILE *f, const struct result *r);

/* A new result, or NULL and what is wrong, in one line, in `why`. */
struct result *result_read_json(FILE *f, char why[JSON_WHY_MAX]);
