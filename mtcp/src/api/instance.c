/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The one instance that a process has, since mtcp_init() takes no handle: its
 * configuration, its ports, its pairs.  Everything that is found here only is
 * handed down as an argument from here on.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/config_value.h"
#include "api/cpus.h"
#include "api/instance.h"
#include "api/ports.h"
#include "api/runtime.h"
#include "api/settings.h"
#include "api/template.h"

#define ERR_TEXT   512u
#define STOP_LIMIT MS(500) /* for connections to end in order */

struct instance {
	bool up;
	bool at_exit;            /* end_with_process() is registered            */
	pid_t pid;               /* of the process that called mtcp_init()      */
	struct settings settings;
	struct config *config;   /* in force                                    */
	struct config *checked;  /* what mtcp_check_config() last found good    */
	struct cpus usable;      /* before any thread was bound                 */
	struct cpus cpus;        /* of those, what core_mask names              */
	struct ports *ports;
	struct crew *crew;       /* NULL: there is one core only                */
	struct stat_board *board;
	_Atomic(struct runtime *) pair[CONFIG_CORES_MAX];
	/* Pairs without an application, which go on for the others. */
	_Atomic(struct runtime *) retired[CONFIG_CORES_MAX];
	_Atomic unsigned pairs;  /* slots of pair[] that are taken              */
	/* What end_with_process() leaves in place, kept in sight of leak checkers. */
	struct runtime *left[CONFIG_CORES_MAX];
};

static struct instance the;

/* In pair[]: being made or being ended. */
static struct runtime *
busy(void)
{
	return (struct runtime *)(void *)&the;
}

static int
fail(int err)
{
	errno = err;
	return -1;
}

/* -- configuration -------------------------------------------------------- */

static struct config *
config_new(void)
{
	struct config *cfg = malloc(sizeof *cfg);

	if (cfg)
		config_default(cfg);
	return cfg;
}

static void
config_delete(struct config *cfg)
{
	if (!cfg)
		return;
	config_free(cfg);
	free(cfg);
}

/* A file with what the program wants on top; NULL with errno. */
static struct config *
read_config(const char *file, const struct settings *settings, FILE *err)
{
	struct config *cfg = config_new();
	int why = access(file, R_OK) == 0 ? EINVAL : errno;

	if (!cfg)
		return NULL;
	if (config_load(cfg, file, err) + settings_apply(settings, cfg, err) == 0 &&
	    config_check(cfg, err) == 0)
		return cfg;
	config_delete(cfg);
	errno = why;
	return NULL;
}

int
mtcp_check_config(const char *file, FILE *out)
{
	struct config *cfg;

	if (!file || !out)
		return fail(EFAULT);
	cfg = read_config(file, &the.settings, out);
	if (!cfg)
		return -1;
	config_delete(the.checked);
	the.checked = cfg;
	return 0;
}

/* The configuration in force, or what it would be without a file; to be deleted. */
static struct config *
current_config(const struct config *base)
{
	struct config *cfg = config_new();

	if (!cfg)
		return NULL;
	if (base)
		*cfg = *base;
	else
		settings_apply(&the.settings, cfg, NULL);
	return cfg;
}

int
mtcp_dump_config(FILE *out)
{
	struct config *cfg;

	if (!out)
		return fail(EFAULT);
	cfg = current_config(the.up ? the.config : the.checked);
	if (!cfg)
		return -1;
	config_dump(cfg, out);
	config_delete(cfg);
	return fflush(out) == 0 && !ferror(out) ? 0 : -1;
}

/* Tries the assignment on a copy; then it counts for mtcp_init(). */
static int
remember(const char *assignment)
{
	struct config *cfg = current_config(NULL);
	int rc;

	if (!cfg)
		return fail(ENOMEM);
	rc = config_set(cfg, assignment, stderr);
	config_delete(cfg);
	if (rc)
		return fail(EINVAL);
	return settings_put(&the.settings, assignment) ? fail(ENOMEM) : 0;
}

int
mtcp_config_set(const char *assignment)
{
	if (!assignment)
		return fail(EFAULT);
	if (the.up) {
		fprintf(stderr, "mtcp: '%s' comes too late, after mtcp_init()\n", assignment);
		return fail(EBUSY);
	}
	return remember(assignment);
}

int
mtcp_getconf(struct mtcp_conf *conf)
{
	struct config *cfg;

	if (!conf)
		return fail(EFAULT);
	cfg = current_config(the.up ? the.config : NULL);
	if (!cfg)
		return -1;
	settings_conf(cfg, conf);
	config_delete(cfg);
	return 0;
}

/* After mtcp_init() the ports are open for as many cores as there are. */
static int
change_live(const struct mtcp_conf *conf, char line[SETTINGS_CONF][64], unsigned n)
{
	if (atomic_load(&the.pairs) > 0 || conf->num_cores != (int)the.config->num_cores)
		return fail(EBUSY);
	for (unsigned i = 0; i < n; i++)
		if (config_set(the.config, line[i], stderr))
			return fail(EINVAL);
	return 0;
}

int
mtcp_setconf(const struct mtcp_conf *conf)
{
	char line[SETTINGS_CONF][64];
	struct config *cfg;
	unsigned n;

	if (!conf)
		return fail(EFAULT);
	cfg = current_config(the.up ? the.config : NULL);
	if (!cfg)
		return -1;
	n = settings_differences(cfg, conf, line);
	config_delete(cfg);
	if (the.up)
		return change_live(conf, line, n);
	for (unsigned i = 0; i < n; i++)
		if (remember(line[i]))
			return -1;
	return 0;
}

/* -- start and end -------------------------------------------------------- */

/* Ends the pair that goes on without an application on `core`; NULL: there is none. */
static struct runtime *
relieve(unsigned core)
{
	struct runtime *rt = atomic_exchange(&the.retired[core], NULL);

	if (rt) {
		runtime_relieve(rt);
		runtime_join(rt);
	}
	return rt;
}

/* Devices that other processes use stay as they are. */
static void
close_ports(void)
{
	struct party *party = crew_party(the.crew);

	ports_close(the.ports, party && !party_is_last(party));
	the.ports = NULL;
}

/* All pairs end at the same time; their memory stays. */
static void
stop_pairs(struct runtime *stopped[CONFIG_CORES_MAX], unsigned *n)
{
	*n = 0;
	if (the.crew)
		crew_end(the.crew);
	for (unsigned i = 0; i < CONFIG_CORES_MAX; i++) {
		struct runtime *rt = atomic_load(&the.pair[i]);

		if (!rt || rt == busy() || !atomic_compare_exchange_strong(&the.pair[i], &rt, busy()))
			continue;
		runtime_stop_soon(rt, STOP_LIMIT);
		stopped[(*n)++] = rt;
	}
	for (unsigned i = 0; i < *n; i++)
		runtime_join(stopped[i]);
	for (unsigned i = 0; i < CONFIG_CORES_MAX; i++) {
		struct runtime *rt = relieve(i);

		if (rt)
			stopped[(*n)++] = rt;
	}
}

/* The process ends by exit() without mtcp_destroy(): connections are closed and
 * ports given back.  Threads of the application may still be anywhere, so what
 * they use is left in place.  A child of fork() has no pairs. */
static void
end_with_process(void)
{
	unsigned n;

	if (!the.up || the.pid != getpid())
		return;
	the.up = false;
	stop_pairs(the.left, &n);
	close_ports();
	crew_forget(the.crew);
}

/* A board for the per-second lines, or NULL when there are to be none. */
static struct stat_board *
board_new(const struct config *cfg)
{
	const char *name = cfg->stat_port[0] ? cfg->stat_port : cfg->port[0].name;
	char ours[2 * CONFIG_NAME_MAX]; /* the name, with %q as this process has it */
	struct stat_board *b;

	if (!cfg->stat_print)
		return NULL;
	b = aligned_alloc(CACHE_LINE, sizeof *b);
	if (!b)
		return NULL;
	memset((void *)b, 0, sizeof *b);
	atomic_store(&b->printed_at, 0);
	if (!template_devices(name, cfg->first_core, 1, ours, sizeof ours))
		snprintf(ours, sizeof ours, "%s", name);
	snprintf(b->name, sizeof b->name, "%.60s", ours);
	return b;
}

/* The first time, before mtcp_core_affinitize() has bound anybody. */
static void
find_cpus(uint64_t mask)
{
	if (the.usable.n == 0)
		cpus_find(&the.usable);
	cpus_choose(&the.cpus, &the.usable, mask);
}

static int
open_ports(const struct config *cfg)
{
	char err[ERR_TEXT] = "";
	int rc = ports_open(cfg, &the.ports, err, sizeof err);

	if (!rc) {
		rc = ports_claim(the.ports, err, sizeof err);
		if (!rc && crew_party(the.crew))
			rc = ports_agree(the.ports, crew_party(the.crew), err, sizeof err);
		if (rc)
			close_ports();
	}
	if (rc)
		fprintf(stderr, "mtcp: %s\n", err);
	return rc;
}

/* The largest frame that a port can bring: one of its MTU, with a VLAN tag. */
static uint32_t
longest_frame(const struct config *cfg)
{
	uint32_t mtu = 1500;

	for (unsigned i = 0; i < cfg->n_ports; i++)
		mtu = max(mtu, (uint32_t)cfg->port[i].ip.mtu);
	return mtu + ETH_LEN + 4;
}

/* Processes without devices of their own share those of the first, and its memory. */
static int
share_dpdk(struct config *cfg, const char *name)
{
	const struct party *party = crew_party(the.crew);
	enum party_role role = party_role(party);
	int rc;

	snprintf(cfg->shared_dpdk, sizeof cfg->shared_dpdk, "%s", name);
	cfg->secondary = role != PARTY_FIRST;
	if (role == PARTY_FIRST)
		return 0;
	rc = role == PARTY_FOLLOWS ? party_await_first(party, cfg->n_ports) : -EAGAIN;
	if (rc)
		fprintf(stderr, "mtcp: multiprocess: the first process has ended, to which DPDK's "
		        "devices belong: all others must end before one can start\n");
	return rc;
}

/* Together with other processes. */
static int
join_others(struct config *cfg)
{
	char err[ERR_TEXT] = "", address[VALUE_TEXT];
	struct crew_plan plan = {
		.name = cfg->multiprocess_name[0] ? cfg->multiprocess_name : address,
		.processes = cfg->processes,
		.place = cfg->place,
		.cores = cfg->num_cores,
		.frame = longest_frame(cfg),
		.shares_dpdk = !template_has(cfg->eal_args),
	};
	int rc;

	value_format_ip(address, &cfg->port[0].ip.addr[0].ip);
	rc = crew_join(&plan, &the.crew, err, sizeof err);
	if (rc) {
		fprintf(stderr, "mtcp: %s\n", *err ? err : strerror(-rc));
		return rc;
	}
	cfg->first_core = crew_first(the.crew);
	return plan.shares_dpdk ? share_dpdk(cfg, plan.name) : 0;
}

static int
gather(struct config *cfg)
{
	if (cfg->processes)
		return join_others(cfg);
	return cfg->num_cores > 1 ? crew_new(cfg->num_cores, &the.crew) : 0;
}

int
mtcp_init(const char *config_file)
{
	struct config *cfg;
	int rc;

	if (!config_file)
		return fail(EFAULT);
	if (the.up) {
		fprintf(stderr, "mtcp: mtcp_init() was called twice\n");
		return fail(EALREADY);
	}
	cfg = read_config(config_file, &the.settings, stderr);
	if (!cfg)
		return -1;
	find_cpus(cfg->core_mask);
	rc = gather(cfg);
	if (!rc)
		rc = open_ports(cfg);
	if (rc) {
		crew_free(the.crew);
		the.crew = NULL;
		config_delete(cfg);
		return fail(-rc);
	}
	if (!the.at_exit)
		the.at_exit = atexit(end_with_process) == 0;
	the.board = board_new(cfg);
	the.config = cfg;
	the.pid = getpid();
	the.up = true;
	return 0;
}

void
mtcp_destroy(void)
{
	struct runtime *stopped[CONFIG_CORES_MAX];
	unsigned n;

	if (the.up) {
		the.up = false;
		stop_pairs(stopped, &n);
		for (unsigned i = 0; i < n; i++)
			runtime_free(stopped[i]);
		for (unsigned i = 0; i < CONFIG_CORES_MAX; i++)
			atomic_store(&the.pair[i], NULL);
		atomic_store(&the.pairs, 0);
		close_ports();
		crew_free(the.crew);
		the.crew = NULL;
	}
	config_delete(the.config);
	config_delete(the.checked);
	settings_free(&the.settings);
	free(the.board);
	the.config = the.checked = NULL;
	the.board = NULL;
}

/* -- contexts ------------------------------------------------------------- */

int
mtcp_core_affinitize(int cpu)
{
	int rc;

	if (the.usable.n == 0)
		find_cpus(0);
	if (cpu < 0 || cpu >= (int)CONFIG_CORES_MAX || (the.up && cpu >= (int)the.config->num_cores))
		return fail(EINVAL);
	rc = cpus_bind(cpus_of_core(&the.cpus, crew_first(the.crew) + (unsigned)cpu, 0));
	return rc ? fail(-rc) : 0;
}

static void
close_all(struct io *const ios[], unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (ios[i])
			ios[i]->ops->close(ios[i]);
}

/* 0 and the pair in the.pair[core], or an errno value. */
static int
start_pair(unsigned core, struct runtime **out)
{
	struct io *ios[STACK_PORTS_MAX], *kernels[STACK_PORTS_MAX] = { NULL };
	char err[ERR_TEXT] = "";
	struct runtime_cfg rc = {
		.config = the.config,
		.core = core,
		.cpu = cpus_of_core(&the.cpus, crew_first(the.crew) + core, the.config->stack_core),
		.ios = ios,
		.n_ios = the.config->n_ports,
		.kernels = kernels,
		.board = the.board,
		.crew = the.crew,
		.why = err,
		.why_size = sizeof err,
	};
	int bad = ports_engines(the.ports, core, ios, err, sizeof err);

	if (bad) {
		fprintf(stderr, "mtcp: core %u: %s\n", core, err);
		return -bad;
	}
	rc.node = cpus_node(rc.cpu);
	bad = ports_kernels(the.ports, ios, kernels, err, sizeof err);
	if (!bad) {
		bad = runtime_start(&rc, out);
		if (!bad)
			return 0;
		close_all(kernels, rc.n_ios);
	}
	close_all(ios, rc.n_ios);
	fprintf(stderr, "mtcp: core %u: %s\n", core,
	        err[0] ? err : bad == -ENOMEM ? "no memory for its sockets and buffers" : strerror(-bad));
	return -bad;
}

mctx_t
mtcp_create_context(int cpu)
{
	struct runtime *rt = NULL, *none = NULL;
	int err;

	if (!the.up || cpu < 0 || cpu >= (int)the.config->num_cores) {
		if (the.up)
			fprintf(stderr, "mtcp: there is no core %d (num_cores = %u)\n", cpu,
			        the.config->num_cores);
		errno = EINVAL;
		return NULL;
	}
	if (!atomic_compare_exchange_strong(&the.pair[cpu], &none, busy())) {
		errno = EBUSY;
		return NULL;
	}
	atomic_fetch_add(&the.pairs, 1);
	rt = relieve((unsigned)cpu);
	if (rt)
		runtime_free(rt);
	err = start_pair((unsigned)cpu, &rt);
	if (!err) {
		atomic_store(&the.pair[cpu], rt);
		return runtime_context(rt);
	}
	atomic_store(&the.pair[cpu], NULL);
	atomic_fetch_sub(&the.pairs, 1);
	errno = err;
	return NULL;
}

void
mtcp_destroy_context(mctx_t mctx)
{
	struct runtime *rt;
	unsigned core;

	rt = mctx ? runtime_of(mctx) : NULL;
	if (!rt) /* an embedded stack's context ends with it */
		return;
	core = runtime_core(rt);
	if (!atomic_compare_exchange_strong(&the.pair[core], &rt, busy()))
		return;
	if (the.crew) {
		runtime_retire(rt, STOP_LIMIT);
		atomic_store(&the.retired[core], rt);
	} else {
		runtime_stop_soon(rt, STOP_LIMIT);
		runtime_join(rt);
		runtime_free(rt);
	}
	atomic_store(&the.pair[core], NULL);
	atomic_fetch_sub(&the.pairs, 1);
}

int
mtcp_getusage(mctx_t mctx, struct mtcp_usage *usage)
{
	struct runtime *rt;

	if (!context_usable(mctx))
		return -1;
	if (!usage)
		return fail(EFAULT);
	rt = runtime_of(mctx);
	if (!rt)
		return fail(EOPNOTSUPP);
	runtime_usage(rt, usage);
	return 0;
}

const struct io_rss *
instance_rss(void)
{
	return the.up ? ports_rss(the.ports) : NULL;
}

/* -- signals -------------------------------------------------------------- */

mtcp_sighandler_t
mtcp_register_signal(int signum, mtcp_sighandler_t handler)
{
	struct sigaction act = { .sa_handler = handler }, old;

	sigemptyset(&act.sa_mask);
	if (sigaction(signum, &act, &old) != 0)
		return SIG_ERR;
	return old.sa_handler;
}
