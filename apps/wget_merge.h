/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/*
 * epwget --merge: results of several machines as one.
 */
#include "apps/wget_options.h"

/* The whole command; the status to exit with. */
int merge_results(const struct options *o);
