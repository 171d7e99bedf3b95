/* SPDX-License-Identifier: BSD-3-Clause */
/* Where a call stands in the pieces of memory that its caller gave. */
#pragma once

#include <errno.h>
#include <limits.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/base.h"

struct pieces {
	const struct iovec *v;
	int n;
	size_t off;  /* in v[0]         */
	size_t left; /* in all of them  */
};

/* 0 or an errno value. */
static inline int
pieces_init(struct pieces *p, const struct iovec *v, int n)
{
	*p = (struct pieces){ .v = v, .n = n };
	if (n < 0 || n > IOV_MAX)
		return EINVAL;
	if (n > 0 && !v)
		return EFAULT;
	for (int i = 0; i < n; i++) {
		if (v[i].iov_len > 0 && !v[i].iov_base)
			return EFAULT;
		if (v[i].iov_len > SSIZE_MAX - p->left)
			return EINVAL;
		p->left += v[i].iov_len;
	}
	return 0;
}

/* The piece at hand, at most `max` bytes of it; only while left > 0. */
static inline uint32_t
pieces_next(struct pieces *p, uint32_t max, uint8_t **data)
{
	while (p->v->iov_len == p->off) {
		p->v++;
		p->off = 0;
	}
	*data = (uint8_t *)p->v->iov_base + p->off;
	return (uint32_t)min(p->v->iov_len - p->off, (size_t)max);
}

static inline void
pieces_done(struct pieces *p, uint32_t len)
{
	p->off += len;
	p->left -= len;
}
