/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The calls of mtcp_api.h and mtcp_epoll.h that epserver and epwget make, on the kernel's
 * sockets: a socket number is a descriptor, a context is a thread.  So the same two
 * programs, line for line, run on both stacks, and a comparison compares stacks.
 *
 * As thin as it can be: one system call a call, nothing is kept, and what a program
 * of the kernel's own would not do is not done here either.  One translation is left, of
 * epoll's events, whose structures differ.
 */
#pragma once

#include <time.h>

#include "mtcp_epoll.h"

#define KERNEL_CORES_MAX 64

struct mtcp_context {
	int core;
	struct timespec cpu_time; /* of its thread when it was made */
};
