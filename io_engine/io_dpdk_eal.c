/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DPDK's environment abstraction layer, started so that the process it lives in
 * stays its own: no thread of the program is pinned, nothing is printed, signal
 * dispositions come back, no file stays.
 */
#define ALLOW_EXPERIMENTAL_API /* rte_thread_create(): the one thread call here */
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <rte_thread.h>

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "io_engine/io_dpdk_priv.h"

bool
io_dpdk_built(void)
{
	return true;
}

/* ---- the machine --------------------------------------------------------- */

static unsigned
read_number(const char *path)
{
	FILE *f = fopen(path, "re");
	unsigned n = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%u", &n) != 1)
		n = 0;
	fclose(f);
	return n;
}

/* Free hugepages of all sizes, in MB. */
static unsigned
huge_free_mb(void)
{
	static const char root[] = "/sys/kernel/mm/hugepages";
	DIR *dir = opendir(root);
	const struct dirent *e;
	char path[320];
	unsigned kb, mb = 0;

	if (!dir)
		return 0;
	while ((e = readdir(dir))) {
		if (sscanf(e->d_name, "hugepages-%ukB", &kb) != 1)
			continue;
		snprintf(path, sizeof path, "%s/%s/free_hugepages", root, e->d_name);
		mb += read_number(path) * (kb / 1024);
	}
	closedir(dir);
	return mb;
}

/* The CPUs we may run on as a list of ranges; one that does not fit is left out. */
static void
cpu_list(char *buf, size_t size)
{
	size_t used = 0;
	cpu_set_t set;

	snprintf(buf, size, "0");
	if (sched_getaffinity(0, sizeof set, &set))
		return;
	for (int from = 0, to; from < CPU_SETSIZE && used + 16 < size; from = to + 1) {
		to = from;
		if (!CPU_ISSET(from, &set))
			continue;
		while (to + 1 < CPU_SETSIZE && CPU_ISSET(to + 1, &set))
			to++;
		used += (size_t)snprintf(buf + used, size - used, "%s%d-%d", used ? "," : "",
		                         from, to);
	}
}

static void
machine_look(struct io_dpdk_machine *m)
{
	m->huge_free_mb = huge_free_mb();
	m->pid = getpid();
	cpu_list(m->cpus, sizeof m->cpus);
}

/* ---- the process --------------------------------------------------------- */

/* net_tap asks the kernel for a real-time signal per packet if it finds one
 * unused; when none is, it polls, four times as fast and without interrupting
 * everybody's system calls. */
static void
signals_ignore(struct io_dpdk *d)
{
	for (int s = SIGRTMIN + 1; s < SIGRTMAX && d->n_signals < IO_DPDK_SIGNALS; s++) {
		struct sigaction sa;

		if (sigaction(s, NULL, &sa) || sa.sa_handler != SIG_DFL)
			continue;
		sa = (struct sigaction){ .sa_handler = SIG_IGN };
		if (sigaction(s, &sa, NULL) == 0)
			d->signals[d->n_signals++] = s;
	}
}

static void
signals_restore(struct io_dpdk *d)
{
	const struct sigaction def = { .sa_handler = SIG_DFL };

	while (d->n_signals)
		sigaction(d->signals[--d->n_signals], &def, NULL);
}

/* DPDK makes its folder below /var/run, or where RUNTIME_DIRECTORY says. */
static void
runtime_dir_make(struct io_dpdk *d)
{
	char dir[] = "/tmp/mtcp-XXXXXX";

	if (getenv("RUNTIME_DIRECTORY") || (getuid() == 0 && access("/var/run", W_OK) == 0))
		return;
	if (!mkdtemp(dir) || setenv("RUNTIME_DIRECTORY", dir, 1))
		return;
	snprintf(d->runtime_dir, sizeof d->runtime_dir, "%s", dir);
	d->own_runtime_dir = true;
}

/* Removes a folder that holds nothing but files. */
static void
dir_remove(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *e;

	if (!dir)
		return;
	while ((e = readdir(dir)))
		if (e->d_name[0] != '.')
			unlinkat(dirfd(dir), e->d_name, 0);
	closedir(dir);
	rmdir(path);
}

/* Of what is above <prefix> all that is ours. */
static void
own_dir_remove(struct io_dpdk *d)
{
	char path[sizeof d->runtime_dir + 8];

	if (!d->own_runtime_dir)
		return;
	snprintf(path, sizeof path, "%s/dpdk", d->runtime_dir);
	rmdir(path);
	rmdir(d->runtime_dir);
	unsetenv("RUNTIME_DIRECTORY");
	d->own_runtime_dir = false;
}

/* <runtime_dir>/dpdk/<prefix> goes. */
static void
runtime_dir_remove(struct io_dpdk *d, const char *eal_dir)
{
	if (eal_dir[0])
		dir_remove(eal_dir);
	own_dir_remove(d);
}

/* Nobody removes the folder of a process that is killed.  Once DPDK has started, one that nobody
 * shares holds nothing and is needed no more, but for sockets of telemetry. */
static void
runtime_dir_drop(struct io_dpdk *d)
{
	if (!d->shared && rmdir(rte_eal_get_runtime_dir()) == 0)
		own_dir_remove(d);
}

/* ---- start and stop ------------------------------------------------------ */

struct io_dpdk_hush
io_dpdk_hush(struct io_dpdk *d)
{
	struct io_dpdk_hush was = { stdout, stderr };

	stdout = stderr = io_dpdk_log_stream(d->log);
	return was;
}

void
io_dpdk_unhush(struct io_dpdk_hush was)
{
	stdout = was.out;
	stderr = was.err;
}

struct starter {
	struct io_dpdk *d;
	char *argv[IO_DPDK_ARGS + 1]; /* DPDK permutes them */
	int rc, error;
};

/* On its own thread, which DPDK pins and calls its main lcore. */
static uint32_t
start_thread(void *arg)
{
	struct starter *s = arg;

	memcpy(s->argv, s->d->args.argv, sizeof s->argv);
	s->rc = rte_eal_init(s->d->args.argc, s->argv);
	s->error = rte_errno;
	return 0;
}

/* What DPDK prints past its log (usage, fatal errors) belongs in the log too. */
static int
start_quietly(struct io_dpdk *d)
{
	struct io_dpdk_hush was = io_dpdk_hush(d);
	struct starter s = { .d = d };
	rte_thread_t thread;
	int rc;

	rc = rte_thread_create(&thread, NULL, start_thread, &s);
	if (rc == 0)
		rte_thread_join(thread, NULL);
	io_dpdk_unhush(was);
	if (rc)
		return -rc;
	return s.rc < 0 ? -(s.error > 0 ? s.error : EINVAL) : 0;
}

const char *
io_dpdk_hint(void)
{
	return geteuid() ? " (not root)" : "";
}

/* One line: what failed, why, and what people forget most. */
static int
say(const struct io_dpdk *d, unsigned mark, int rc, const char *what, char *err,
    size_t errlen)
{
	char why[400];

	io_dpdk_log_quote(d->log, mark, why, sizeof why);
	snprintf(err, errlen, "%s: %s%s", what, why[0] ? why : "DPDK does not say why",
	         io_dpdk_hint());
	return rc;
}

static bool
is_ethdev_name(const char *name)
{
	return !strncmp(name, "net_", 4) || !strncmp(name, "eth_", 4) ||
	       !strncmp(name, "virtio_user", 11);
}

/* DPDK starts although a virtual device does not; we do not. */
static int
vdevs_check(struct io_dpdk *d, char *err, size_t errlen)
{
	char name[IO_DPDK_NAME], what[IO_DPDK_NAME + 32];
	uint16_t id;

	for (unsigned i = 0; io_dpdk_args_vdev(&d->args, i, name); i++) {
		if (!is_ethdev_name(name) || rte_eth_dev_get_port_by_name(name, &id) == 0)
			continue;
		snprintf(what, sizeof what, "device %s does not start", name);
		return say(d, 0, -ENODEV, what, err, errlen);
	}
	return 0;
}

/* Hugepages that processes share are files, which DPDK leaves for the next one. */
static void
huge_files_remove(const char *dir_name, const char *prefix)
{
	DIR *dir = opendir(dir_name);
	const struct dirent *e;
	char start[128];
	int len = snprintf(start, sizeof start, "%smap_", prefix);

	if (!dir)
		return;
	while (len < (int)sizeof start && (e = readdir(dir)))
		if (strncmp(e->d_name, start, (size_t)len) == 0)
			unlinkat(dirfd(dir), e->d_name, 0);
	closedir(dir);
}

/* `eal_dir' ends with the prefix of all files. */
static void
huge_mounts_clear(const char *eal_dir)
{
	const char *prefix = strrchr(eal_dir, '/');
	FILE *mounts = prefix ? fopen("/proc/mounts", "re") : NULL;
	char dir[256], type[32];

	if (!mounts)
		return;
	while (fscanf(mounts, "%*s %255s %31s %*[^\n]", dir, type) == 2)
		if (strcmp(type, "hugetlbfs") == 0)
			huge_files_remove(dir, prefix + 1);
	fclose(mounts);
}

static struct io_dpdk *
dpdk_new(const struct io_dpdk_config *cfg)
{
	struct io_dpdk *d = calloc(1, sizeof *d);

	if (!d)
		return NULL;
	d->log = io_dpdk_log_new(rte_log_cur_msg_loglevel, cfg->log_level ? stderr : NULL);
	if (!d->log) {
		free(d);
		return NULL;
	}
	return d;
}

/* Undoes all but the environment itself. */
static void
dpdk_free(struct io_dpdk *d, const char *eal_dir)
{
	runtime_dir_remove(d, eal_dir);
	signals_restore(d);
	rte_openlog_stream(NULL);
	io_dpdk_log_free(d->log);
	free(d);
}

int
io_dpdk_start(const struct io_dpdk_config *cfg, struct io_dpdk **out, char *err,
              size_t errlen)
{
	struct io_dpdk *d = dpdk_new(cfg);
	struct io_dpdk_machine m;
	int rc;

	if (!d) {
		snprintf(err, errlen, "DPDK does not start: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	d->shared = cfg->shared != NULL;
	d->secondary = cfg->secondary;
	machine_look(&m);
	rc = io_dpdk_args_make(&d->args, cfg, &m, err, errlen);
	if (rc)
		goto fail;
	rte_openlog_stream(io_dpdk_log_stream(d->log));
	signals_ignore(d);
	runtime_dir_make(d);
	rc = start_quietly(d);
	if (rc == -EALREADY)
		snprintf(err, errlen, "DPDK can be started only once in a process");
	else if (rc)
		say(d, 0, rc, "DPDK does not start", err, errlen);
	if (rc)
		goto fail_eal;
	rc = vdevs_check(d, err, errlen);
	if (rc) {
		io_dpdk_stop(d);
		return rc;
	}
	runtime_dir_drop(d);
	*out = d;
	return 0;
fail_eal:
	/* A folder made on the way is ours, but not that of an environment that
	 * stands already. */
	dpdk_free(d, rc == -EALREADY || d->secondary ? "" : rte_eal_get_runtime_dir());
	return rc;
fail:
	dpdk_free(d, "");
	return rc;
}

void
io_dpdk_leave(struct io_dpdk *d)
{
	d->left = true;
}

static void
eal_end(void)
{
	/* Devices that no port has opened, or no port has closed. */
	for (uint16_t id = io_dpdk_next(0); id < RTE_MAX_ETHPORTS;
	     id = io_dpdk_next((uint16_t)(id + 1)))
		rte_eth_dev_close(id);
	rte_eal_cleanup();
}

void
io_dpdk_stop(struct io_dpdk *d)
{
	struct io_dpdk_hush was;
	char eal_dir[256];

	if (!d)
		return;
	was = io_dpdk_hush(d);
	snprintf(eal_dir, sizeof eal_dir, "%s", rte_eal_get_runtime_dir());
	/* What the first has made another cannot unmake. */
	if (!d->left && !d->secondary && !d->refused)
		eal_end();
	io_dpdk_unhush(was);
	if (d->shared && d->left)
		eal_dir[0] = '\0';
	else if (d->shared)
		huge_mounts_clear(eal_dir);
	dpdk_free(d, eal_dir);
}

/* ---- what there is ------------------------------------------------------- */

unsigned
io_dpdk_devices(const struct io_dpdk *d)
{
	(void)d;
	return rte_eth_dev_count_avail();
}

const char *
io_dpdk_device_name(const struct io_dpdk *d, unsigned n, char name[IO_DPDK_NAME])
{
	(void)d;
	static_assert(IO_DPDK_NAME >= RTE_ETH_NAME_MAX_LEN, "a device's name fits");
	for (uint16_t id = io_dpdk_next(0); id < RTE_MAX_ETHPORTS;
	     id = io_dpdk_next((uint16_t)(id + 1)))
		if (n-- == 0)
			return rte_eth_dev_get_name_by_port(id, name) ? NULL : name;
	return NULL;
}

int
io_dpdk_another(uint16_t *dev)
{
	struct rte_eth_dev_info info;
	const struct rte_devargs *da = NULL;
	char name[RTE_DEV_NAME_MAX_LEN], *mark;
	int rc = rte_eth_dev_info_get(*dev, &info);

	if (!rc)
		da = rte_dev_devargs(info.device);
	if (!da || !da->args)
		return -ENOTSUP;
	snprintf(name, sizeof name, "%s", da->name);
	mark = strchr(name, '~');
	if (mark)
		*mark = '\0';
	mark = name + strlen(name);
	snprintf(mark, sizeof name - (size_t)(mark - name), "~%u", *dev);
	rc = rte_eal_hotplug_add("vdev", name, da->args);
	return rc ? rc : rte_eth_dev_get_port_by_name(name, dev);
}
