/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The words that DPDK's environment is started with: the user's, and before
 * them what we add for the options that the user left open.  Pure text, so that
 * it is tested without DPDK.
 */
#pragma once

#include "io_engine/io_dpdk.h"

#define IO_DPDK_ARGS 96

/* What the machine is like, as io_dpdk_start() found it. */
struct io_dpdk_machine {
	unsigned huge_free_mb; /* in hugepages that nobody has taken          */
	int pid;
	char cpus[256];        /* we may run on, as a list: "0-3,7"            */
};

struct io_dpdk_args {
	int argc;
	char *argv[IO_DPDK_ARGS + 1]; /* ends with NULL                       */
	unsigned user_at;             /* index of the first word of the user's */
	char text[4096];              /* where the words lie                  */
	size_t used;
};

/* Splits `line` as a shell does: blanks part words; ' and " keep them, \ keeps
 * one character (not within ').  Appends to `a`.  0 or -errno and a line in err. */
int io_dpdk_args_split(struct io_dpdk_args *a, const char *line, char *err, size_t errlen);

/* All words for this configuration on this machine.  0 or -errno and a line. */
int io_dpdk_args_make(struct io_dpdk_args *a, const struct io_dpdk_config *cfg,
                      const struct io_dpdk_machine *m, char *err, size_t errlen);

/* Whether the user's words hold option `name` ("--x" also as "--x=..."; "-m" also
 * as "-m512"). */
bool io_dpdk_args_has(const struct io_dpdk_args *a, const char *name);

/* The device of the user's nth --vdev option, cut at the first comma, into
 * `name`; false when there are fewer. */
bool io_dpdk_args_vdev(const struct io_dpdk_args *a, unsigned n, char name[IO_DPDK_NAME]);
