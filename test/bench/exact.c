/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Instructions per operation, exact, to be run under callgrind by exact.sh with
 * nothing collected at the start.  Everything is decided by constants and virtual
 * time, so two runs of one binary count the same, to the instruction.
 *
 *	valgrind --tool=callgrind --collect-atstart=no exact DIR
 *
 * Each measurement leaves one file of callgrind's, whose description is a line
 * "NAME stack|app OPERATIONS".
 */
#include "test/bench/exact.h"

#include <gnu/libc-version.h>
#include <stdio.h>
#include <string.h>

int
main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: exact DIR, which holds a file of 64 bytes called 64\n"
		                "       exact --cores\n"
		                "       exact --built\n");
		return 2;
	}
	if (strcmp(argv[1], "--cores") == 0) {
		exact_cores();
		return 0;
	}
	if (strcmp(argv[1], "--built") == 0) {
		printf("compiler %s, glibc %s, %s\n", __VERSION__, gnu_get_libc_version(), EXACT_FLAGS);
		return 0;
	}
	exact_plain();
	exact_http(argv[1]);
	return 0;
}
