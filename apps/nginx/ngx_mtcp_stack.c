/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker's stack.  It starts when the worker's events do: after the fork, the user and the CPUs
 * are settled, before the listeners are watched.
 *
 * While a reload replaces workers, old ones still have places among the processes of one address
 * (`multiprocess').  A new one that finds none waits until one of them goes.  Where the file says nothing
 * of several processes there is one place, a lock that the master made and the kernel takes back
 * from whoever ends.  The same lock lets workers with AF_XDP open and close their devices one after the other: the
 * program on the interface is to be one of them all, and libxdp gives it one of its own when it finds none.
 */
#include "ngx_mtcp.h"

#include <sys/mman.h>

#include "ngx_mtcp_relay.h"
#include "ngx_mtcp_rights.h"

#define LOOK_EVERY 20 /* ms, for a place */

static int turn = -1; /* the lock's file */

ngx_int_t
ngx_mtcp_stack_prepare(ngx_log_t *log)
{
	if (ngx_mtcp_relay_open(log) != NGX_OK)
		return NGX_ERROR;
	if (turn >= 0)
		return NGX_OK;
	turn = memfd_create("mtcp-turn", MFD_CLOEXEC);
	if (turn >= 0)
		return NGX_OK;
	ngx_log_error(NGX_LOG_EMERG, log, ngx_errno, "mtcp: memfd_create() failed");
	return NGX_ERROR;
}

/* ---- a place among the processes ---------------------------------------- */

static ngx_flag_t
take_turn(int how)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int rc;

	do
		rc = fcntl(turn, how, &whole);
	while (rc < 0 && ngx_errno == NGX_EINTR);
	return rc == 0;
}

static void
leave_turn(void)
{
	struct flock whole = { .l_type = F_UNLCK, .l_whence = SEEK_SET };
	ngx_err_t err = ngx_errno;

	(void) fcntl(turn, F_SETLK, &whole);
	ngx_set_errno(err);
}

/* The library's own words go where the others go, but for one that was said before: that all places are
 * taken. */
static int
init_quietly(const char *file)
{
	int err, rc, was = dup(STDERR_FILENO), said = memfd_create("mtcp-said", MFD_CLOEXEC);
	char buf[1024];
	ssize_t n;

	if (was < 0 || said < 0 || dup2(said, STDERR_FILENO) < 0) {
		rc = mtcp_init(file);
		err = errno;
	} else {
		rc = mtcp_init(file);
		err = errno;
		dup2(was, STDERR_FILENO);
		lseek(said, 0, SEEK_SET);
		while ((rc == 0 || err != EBUSY) && (n = read(said, buf, sizeof buf)) > 0)
			(void) ngx_write_fd(STDERR_FILENO, buf, (size_t)n);
	}
	if (was >= 0)
		close(was);
	if (said >= 0)
		close(said);
	errno = err;
	return rc;
}

/* 0, or -1 with EBUSY while there is no place for us. */
static int
try_init(ngx_mtcp_conf_t *mcf, ngx_flag_t again)
{
	const char *file = (const char *)mcf->file.data;
	ngx_flag_t in_turn = mcf->places > 0 && mcf->xdp && take_turn(F_SETLKW);
	int rc;

	if (mcf->places == 0 && !take_turn(F_SETLK)) {
		errno = EBUSY;
		return -1;
	}
	rc = again ? init_quietly(file) : mtcp_init(file);
	if (in_turn)
		leave_turn();
	return rc;
}

/* Who is told to go while it waits, goes. */
static void
nap(ngx_log_t *log)
{
	ngx_msleep(LOOK_EVERY);
	if (!ngx_terminate && !ngx_quit)
		return;
	ngx_log_error(NGX_LOG_NOTICE, log, 0, "mtcp: ended while it waited for a place");
	exit(0);
}

static ngx_int_t
init_in_time(ngx_mtcp_conf_t *mcf, ngx_log_t *log)
{
	ngx_uint_t others = ngx_mtcp_relay_count();
	ngx_msec_t waited = 0, in_vain = 0; /* ... since another got a place */

	while (try_init(mcf, waited > 0) < 0) {
		if (ngx_errno != NGX_EBUSY || in_vain >= mcf->patience) {
			ngx_log_error(NGX_LOG_EMERG, log, ngx_errno, "mtcp_init(\"%V\") failed",
			              &mcf->file);
			return NGX_ERROR;
		}
		if (waited == 0) {
			ngx_log_error(NGX_LOG_NOTICE, log, 0, "mtcp: all places are taken, waiting");
			ngx_mtcp_relay_waits();
		}
		nap(log);
		waited += LOOK_EVERY;
		in_vain = others == ngx_mtcp_relay_count() ? in_vain + LOOK_EVERY : 0;
		others = ngx_mtcp_relay_count();
	}
	return NGX_OK;
}

/* ---- start -------------------------------------------------------------- */

/* What the file leaves open, workers know. */
static ngx_int_t
tell_library(ngx_mtcp_conf_t *mcf, ngx_uint_t workers, ngx_log_t *log)
{
	char line[64];

	if (workers > 1 && mcf->places == 0) {
		mcf->places = workers;
		snprintf(line, sizeof line, "multiprocess = %lu", (unsigned long)workers);
		if (mtcp_config_set(line) < 0)
			goto refused;
	}
	if (mcf->cores > 1 && mtcp_config_set("num_cores = 1") < 0)
		goto refused;
	return NGX_OK;
refused:
	ngx_log_error(NGX_LOG_EMERG, log, ngx_errno, "mtcp_config_set() failed");
	return NGX_ERROR;
}

static ngx_int_t
awaken(ngx_cycle_t *cycle)
{
	ngx_listening_t *ls = cycle->listening.elts;
	ngx_uint_t i;

	for (i = 0; i < cycle->listening.nelts; i++) {
		if (ls[i].reuseport && ls[i].worker != ngx_worker)
			continue;
		if (posix_awaken(ngx_mtcp_posix, ls[i].fd) == 0)
			continue;
		ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
		              "mtcp: listening on %V failed; \"mtcp_bypass\" leaves addresses to the kernel",
		              &ls[i].addr_text);
		return NGX_ERROR;
	}
	return NGX_OK;
}

/* Unless nginx's own worker_cpu_affinity has a word. */
static void
pin(ngx_cycle_t *cycle, ngx_mtcp_conf_t *mcf)
{
	ngx_core_conf_t *ccf = (ngx_core_conf_t *)ngx_get_conf(cycle->conf_ctx, ngx_core_module);

	if (!mcf->pin || ccf->cpu_affinity_n || ccf->cpu_affinity_auto)
		return;
	if (mtcp_core_affinitize(0) < 0)
		ngx_log_error(NGX_LOG_WARN, cycle->log, ngx_errno, "mtcp_core_affinitize() failed");
}

ngx_int_t
ngx_mtcp_stack_start(ngx_cycle_t *cycle, ngx_mtcp_conf_t *mcf)
{
	ngx_core_conf_t *ccf = (ngx_core_conf_t *)ngx_get_conf(cycle->conf_ctx, ngx_core_module);
	ngx_uint_t workers = ccf->master ? (ngx_uint_t)ccf->worker_processes : 1;
	ngx_msec_t begun = ngx_current_msec;
	mctx_t ctx;

	if (tell_library(mcf, workers, cycle->log) != NGX_OK)
		return NGX_ERROR;
	ngx_mtcp_relay_begin(mcf->patience, workers, ngx_max(mcf->places, 1));
	if (init_in_time(mcf, cycle->log) != NGX_OK)
		return NGX_ERROR;
	ngx_mtcp_rights_lessen(cycle->log);
	pin(cycle, mcf);
	ctx = mtcp_create_context(0);
	if (!ctx || posix_take_stack(ngx_mtcp_posix, ctx) < 0) {
		ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno, "mtcp_create_context() failed");
		return NGX_ERROR;
	}
	ngx_mtcp_rights_drop(cycle->log);
	if (awaken(cycle) != NGX_OK)
		return NGX_ERROR;
	ngx_mtcp_relay_listens();
	ngx_time_update(); /* it stood still meanwhile */
	ngx_log_error(NGX_LOG_NOTICE, cycle->log, 0,
	              "mtcp: the stack of worker %ui has started, in %M ms", ngx_worker,
	              ngx_current_msec - begun);
	return NGX_OK;
}

/* ---- end ---------------------------------------------------------------- */

/* Whoever closes a device of AF_XDP last takes the program off the interface: not while another one
 * opens its own. */
static void
end_in_turn(mctx_t ctx, ngx_mtcp_conf_t *mcf)
{
	mtcp_destroy_context(ctx);
	if (mcf->places > 0 && mcf->xdp)
		(void)take_turn(F_SETLKW); /* until the process has ended */
	mtcp_destroy();
}

static void
log_usage(mctx_t ctx, ngx_log_t *log)
{
	struct mtcp_usage u;

	if (mtcp_getusage(ctx, &u) < 0)
		return;
	ngx_log_error(NGX_LOG_NOTICE, log, 0,
	              "mtcp: worker %ui took %uL ms of CPU, its stack %uL ms, in %uL steps, %uL of them busy",
	              ngx_worker, u.app_ns / 1000000, u.stack_ns / 1000000, u.steps, u.busy_steps);
}

void
ngx_mtcp_stack_end(ngx_cycle_t *cycle)
{
	mctx_t ctx = ngx_mtcp_posix ? ngx_mtcp_posix->ctx : NULL;

	if (!ctx)
		return;
	log_usage(ctx, cycle->log);
	posix_leave_stack(ngx_mtcp_posix);
	end_in_turn(ctx, ngx_mtcp_conf_of(cycle));
}
