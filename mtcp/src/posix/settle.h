/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A socket gets its side: what was asked of it is said to the stack's socket that it becomes, or it is
 * left to the kernel, which has heard all but its watches.
 */
#pragma once

#include "posix/intent.h"
#include "posix/posix.h"

/* An intent at `fd` becomes the stack's: socket, options, local address, watches.  0, or -1 with errno, and
 * it is as it was. */
int settle_with_stack(struct posix *p, int fd, struct intent *it);

/* It becomes the kernel's own, as if it had never been looked at: local address (when bound to any), watches.
 * 0, or -1 with errno, and it is good for closing only. */
int settle_with_kernel(struct posix *p, int fd, struct intent *it);
