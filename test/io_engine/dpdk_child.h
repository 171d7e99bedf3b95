/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DPDK starts once a process, so each test of it runs in a child and tells in
 * text what it saw; whatever it prints besides is a fault of its own.
 */
#pragma once

#include <CUnit/CUnit.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io_engine/io_dpdk.h"

#define SAID 1024

/* The suites of the engine's other files, registered by test_io_dpdk.c: with
 * DPDK they are there together, without it test_io_dpdk_absent.c is instead. */
void io_dpdk_eal_tests(void);
void io_dpdk_port_tests(void);
void io_dpdk_rss_tests(void);

/* Appends to what the child says. */
__attribute__((format(printf, 2, 3))) static inline void
tell(char said[SAID], const char *fmt, ...)
{
	size_t used = strlen(said);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said + used, SAID - used, fmt, ap);
	va_end(ap);
}

/* Runs `story` in a child, which is ended after 20 s; free() what it said. */
static inline char *
in_child(void (*story)(char said[SAID]))
{
	char *shared = mmap(NULL, SAID, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	FILE *printed = tmpfile();
	char *said;
	int status;
	pid_t pid;

	CU_ASSERT_TRUE_FATAL(shared != MAP_FAILED && printed != NULL);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		alarm(20);
		dup2(fileno(printed), STDOUT_FILENO);
		dup2(fileno(printed), STDERR_FILENO);
		story(shared);
		fflush(NULL);
		_exit(0);
	}
	CU_ASSERT_TRUE_FATAL(pid > 0);
	while (waitpid(pid, &status, 0) != pid)
		;
	if (status)
		tell(shared, " [child ended with status 0x%x]", (unsigned)status);
	rewind(printed);
	if (fgets(shared + strlen(shared), (int)(SAID - strlen(shared)), printed))
		tell(shared, " [printed]");
	fclose(printed);
	said = strdup(shared);
	munmap(shared, SAID);
	return said;
}

/* Asserts exactly these words, or (with check_holds) that they occur. */
static inline void
check_says(void (*story)(char said[SAID]), const char *expect)
{
	char *said = in_child(story);

	if (strcmp(said, expect) != 0)
		fprintf(stderr, "\n  said:     %s\n  expected: %s\n", said, expect);
	CU_ASSERT_STRING_EQUAL(said, expect);
	free(said);
}

static inline void
check_holds(void (*story)(char said[SAID]), const char *expect)
{
	char *said = in_child(story);

	if (!strstr(said, expect))
		fprintf(stderr, "\n  said:           %s\n  should contain: %s\n", said, expect);
	CU_ASSERT_PTR_NOT_NULL(strstr(said, expect));
	CU_ASSERT_PTR_NULL(strchr(said, '\n')); /* one line */
	CU_ASSERT_PTR_NULL(strstr(said, "[child ended"));
	free(said);
}

/* DPDK with these arguments and 64 MB, or NULL and the reason told. */
static inline struct io_dpdk *
started(char said[SAID], const char *eal_args)
{
	struct io_dpdk_config cfg = { .eal_args = eal_args, .mem_mb = 64 };
	struct io_dpdk *dpdk;
	char err[400];

	if (io_dpdk_start(&cfg, &dpdk, err, sizeof err) == 0)
		return dpdk;
	tell(said, "%s", err);
	return NULL;
}

/* A port of `cores` queues, or NULL and the reason told. */
static inline struct io_dpdk_port *
opened(char said[SAID], struct io_dpdk *dpdk, const char *devices, unsigned cores)
{
	struct io_dpdk_port_config cfg = { .devices = devices, .cores = cores, .numa_node = -1 };
	struct io_dpdk_port *port;
	char err[400];

	if (io_dpdk_port_open(dpdk, &cfg, &port, err, sizeof err) == 0)
		return port;
	tell(said, "%s", err);
	return NULL;
}
