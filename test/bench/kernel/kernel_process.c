/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A process and its threads.  Of a configuration only num_cores is read: addresses are
 * the kernel's, and who calls this pins it from outside; core i is the i-th CPU that
 * the process may use.
 */
#include "test/bench/kernel/kernel.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static struct {
	int cores;
	cpu_set_t cpus; /* of the process at its start */
} the = { .cores = 1 };

/* ---- configuration ------------------------------------------------------- */

static int
set(const char *line)
{
	int cores;

	if (sscanf(line, " num_cores = %d", &cores) != 1)
		return 0;
	if (cores < 1 || cores > KERNEL_CORES_MAX) {
		errno = EINVAL;
		return -1;
	}
	the.cores = cores;
	return 0;
}

static int
read_file(const char *name)
{
	char line[1024];
	int rc = 0, before = the.cores;
	FILE *f = fopen(name, "re");

	if (!f) {
		perror(name);
		return -1;
	}
	while (rc == 0 && fgets(line, sizeof(line), f))
		rc = set(line);
	fclose(f);
	if (before != 1)
		the.cores = before; /* the command line comes first */
	return rc;
}

int
mtcp_config_set(const char *assignment)
{
	return set(assignment);
}

int
mtcp_check_config(const char *file, FILE *out)
{
	FILE *f = fopen(file, "re");

	if (f)
		return fclose(f);
	fprintf(out, "%s: %s\n", file, strerror(errno));
	return -1;
}

int
mtcp_dump_config(FILE *out)
{
	return fprintf(out, "# the kernel's sockets\nnum_cores = %d\n", the.cores) < 0 ? -1 : 0;
}

int
mtcp_getconf(struct mtcp_conf *conf)
{
	struct rlimit files = {0};

	getrlimit(RLIMIT_NOFILE, &files);
	*conf = (struct mtcp_conf){
		.num_cores = the.cores,
		.max_concurrency = (int)files.rlim_cur,
		.max_num_buffers = (int)files.rlim_cur,
		.tcp_timewait = 60,
		.tcp_timeout = -1,
	};
	return 0;
}

/* What is asked for is the kernel's to grant: nothing changes. */
int
mtcp_setconf(const struct mtcp_conf *conf)
{
	(void)conf;
	return 0;
}

/* ---- start and end ------------------------------------------------------- */

int
mtcp_init(const char *config_file)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if (sched_getaffinity(0, sizeof(the.cpus), &the.cpus) != 0)
		return -1;
	return read_file(config_file);
}

void
mtcp_destroy(void)
{
}

int
mtcp_core_affinitize(int cpu)
{
	cpu_set_t one;
	int nth = 0;

	CPU_ZERO(&one);
	for (int i = 0; i < CPU_SETSIZE; i++) {
		if (!CPU_ISSET(i, &the.cpus) || nth++ != cpu)
			continue;
		CPU_SET(i, &one);
		return sched_setaffinity(0, sizeof(one), &one);
	}
	errno = EINVAL;
	return -1;
}

mctx_t
mtcp_create_context(int cpu)
{
	struct mtcp_context *ctx = malloc(sizeof(*ctx));

	if (!ctx)
		return NULL;
	ctx->core = cpu;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ctx->cpu_time);
	return ctx;
}

void
mtcp_destroy_context(mctx_t ctx)
{
	free(ctx);
}

/* The kernel works for a socket in the thread that uses it, and in interrupts that hit
 * whoever is there: only the first is seen here. */
int
mtcp_getusage(mctx_t ctx, struct mtcp_usage *usage)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	*usage = (struct mtcp_usage){
		.app_ns = (uint64_t)(t.tv_sec - ctx->cpu_time.tv_sec) * 1000000000u +
		          (uint64_t)t.tv_nsec - (uint64_t)ctx->cpu_time.tv_nsec,
	};
	return 0;
}
