/* SPDX-License-Identifier: BSD-3-Clause */
/* What every fuzz target says of a result that must not be. */
#pragma once

#include "base/base.h"

/* Holds in every build, unlike assert(): the fuzzer sees a crash at this very place. */
#define must(cond)                                                                             \
	do {                                                                                   \
		if (!(cond))                                                                   \
			__builtin_trap();                                                      \
	} while (0)
