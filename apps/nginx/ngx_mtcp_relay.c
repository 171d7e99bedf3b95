/* SPDX-License-Identifier: BSD-3-Clause */
#include "ngx_mtcp_relay.h"

#include <stdatomic.h>
#include <sys/mman.h>

#include "ngx_mtcp.h"

#define LOOK_EVERY 10   /* ms, for successors */
#define GIVE_WAY   5000 /* ms: for workers older still to leave the places that successors wait for */
#define LINGER     1500 /* ms: a handshake that has begun is over by then, its SYN-ACK sent again after a second */
#define MAKE_WAY   200  /* ms: the same for most, where nobody listens meanwhile */

/* Between the master, which counts generations, and the workers of two of them. */
static struct {
	atomic_uint generation;
	atomic_uint wanted;    /* workers of the newest                          */
	atomic_uint listening; /* ... that listen                                */
	atomic_uint waiting;   /* one of them waits for a place                  */
} *page;

/* This worker's. */
static unsigned generation;
static ngx_msec_t patience;
static ngx_msec_t give_way;  /* so long others may leave their places instead */
static ngx_flag_t single;    /* one worker, so that nobody listens until its successor does */
static ngx_uint_t first;     /* workers below make way first, the others when as many have followed */
static ngx_uint_t followers; /* that listened when we looked last */
static enum { WORKS, PUT_OFF, LINGERS } state;
static ngx_msec_t since, until;
static unsigned followed_by; /* the generation that the order made room for */

ngx_int_t
ngx_mtcp_relay_open(ngx_log_t *log)
{
	void *at;

	if (page)
		return NGX_OK;
	at = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED) {
		ngx_log_error(NGX_LOG_EMERG, log, ngx_errno, "mtcp: mmap() failed");
		return NGX_ERROR;
	}
	page = at;
	return NGX_OK;
}

void
ngx_mtcp_relay_next(ngx_uint_t workers)
{
	if (!page)
		return;
	atomic_store(&page->listening, 0);
	atomic_store(&page->waiting, 0);
	atomic_store(&page->wanted, (unsigned)workers);
	atomic_fetch_add(&page->generation, 1);
}

void
ngx_mtcp_relay_begin(ngx_msec_t most, ngx_uint_t workers, ngx_uint_t places)
{
	generation = atomic_load(&page->generation);
	patience = most;
	give_way = places > workers ? GIVE_WAY : 0;
	single = workers == 1;
	first = ngx_max(workers / 2, 1);
	state = WORKS;
}

ngx_uint_t
ngx_mtcp_relay_count(void)
{
	return atomic_load(&page->listening);
}

static ngx_flag_t
is_newest(void)
{
	return generation == atomic_load(&page->generation);
}

void
ngx_mtcp_relay_listens(void)
{
	if (is_newest())
		atomic_fetch_add(&page->listening, 1);
}

/* Until the next reload; by then it has its place or is no more. */
void
ngx_mtcp_relay_waits(void)
{
	if (is_newest())
		atomic_store(&page->waiting, 1);
}

static ngx_flag_t
successors_are_due(void)
{
	return ngx_mtcp_relay_count() < atomic_load(&page->wanted);
}

static ngx_flag_t
is_over(void)
{
	return (ngx_msec_int_t)(until - ngx_current_msec) <= 0;
}

static void
retire_listeners(ngx_cycle_t *cycle)
{
	ngx_listening_t *ls = cycle->listening.elts;
	ngx_uint_t i;

	for (i = 0; i < cycle->listening.nelts; i++)
		if (posix_sockid(ngx_mtcp_posix, ls[i].fd) >= 0)
			(void)posix_retire(ngx_mtcp_posix, ls[i].fd);
}

static void
enter(int next, ngx_msec_t ms)
{
	state = next;
	since = ngx_current_msec;
	until = since + ms;
}

/* Successors listen, or will not come, or only once we have gone. */
static void
let_go(ngx_cycle_t *cycle, ngx_msec_t linger)
{
	ngx_log_error(NGX_LOG_NOTICE, cycle->log, 0, "mtcp: %ui of %ui successors listen",
	              ngx_mtcp_relay_count(), (ngx_uint_t)atomic_load(&page->wanted));
	retire_listeners(cycle);
	enter(LINGERS, linger);
}

/* Nobody follows: a second order without new workers is the end of all. */
static ngx_flag_t
is_alone(void)
{
	return generation == 0 || is_newest() ||
	       (state != WORKS && ngx_quit && followed_by == atomic_load(&page->generation));
}

static ngx_flag_t
is_in_the_way(void)
{
	return atomic_load(&page->waiting) && successors_are_due() &&
	       (ngx_msec_int_t)(ngx_current_msec - since) >= (ngx_msec_int_t)give_way &&
	       ((ngx_uint_t)ngx_worker < first || ngx_mtcp_relay_count() >= first);
}

/* As long as one follows after the other there is hope. */
static void
put_off(ngx_cycle_t *cycle)
{
	if (followers != ngx_mtcp_relay_count()) {
		followers = ngx_mtcp_relay_count();
		until = ngx_current_msec + patience;
	}
	if (is_in_the_way())
		let_go(cycle, single ? MAKE_WAY : LINGER);
	else if (!successors_are_due() || is_over())
		let_go(cycle, LINGER);
}

void
ngx_mtcp_relay_look(ngx_cycle_t *cycle)
{
	if (ngx_exiting || (state == WORKS && !ngx_quit))
		return;
	if (is_alone() || (state == LINGERS && is_over())) {
		ngx_quit = 1;
		return;
	}
	if (ngx_quit)
		followed_by = atomic_load(&page->generation);
	ngx_quit = 0;
	if (state == WORKS)
		enter(PUT_OFF, patience);
	if (state == PUT_OFF)
		put_off(cycle);
}

ngx_msec_t
ngx_mtcp_relay_timer(ngx_msec_t timer)
{
	return state == WORKS ? timer : ngx_min(timer, LOOK_EVERY);
}
