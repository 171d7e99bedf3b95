/* SPDX-License-Identifier: BSD-3-Clause */
/* An engine around another one passes on what it is told. */
#pragma once

#include <CUnit/CUnit.h>
#include <errno.h>

#include "io_engine/io.h"

static inline int
refuse_begin(struct io *io)
{
	(void)io;
	return -EIO;
}

/* io_begin() of `outer` is that of `inner`, whether it has one or not. */
static inline void
check_begins(struct io *outer, struct io *inner)
{
	const struct io_ops *was = inner->ops;
	struct io_ops ops = *was;

	ops.begin = NULL;
	inner->ops = &ops;
	CU_ASSERT_EQUAL(io_begin(outer), 0);
	ops.begin = refuse_begin;
	CU_ASSERT_EQUAL(io_begin(outer), -EIO);
	inner->ops = was;
}
