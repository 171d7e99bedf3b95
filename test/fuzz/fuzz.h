/* SPDX-License-Identifier: BSD-3-Clause */
/* What every fuzz target says of a result that must not be. */
#pragma once

#include "base/base.h"

#include <stdio.h>

/* Holds in every build, unlike assert(): the fuzzer sees a crash at this very place. */
#define must(cond)                                                                             \
	do {                                                                                   \
		if (!(cond))                                                                   \
			__builtin_trap();                                                      \
	} while (0)

/* What is missing from a pool must be nothing. */
static inline void
must_be_whole(const char *missing)
{
	if (missing)
		(void)fprintf(stderr, "missing: %s\n", missing);
	must(!missing);
}
