/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of the calls share. */
#pragma once

#include <CUnit/CUnit.h>

#include <errno.h>

#include "test/api/fake_stack.h"

#define FAILS_WITH(call, e) CU_ASSERT((errno = 0, (call) == -1 && errno == (e)))
