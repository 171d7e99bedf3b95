/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * "use mtcp": the directives, and nginx's events over a poller of both worlds.
 *
 *	events {
 *		use mtcp;
 *		mtcp_conf mtcp.conf;
 *	}
 *
 * To the rest of nginx it looks like epoll, since a poller is one.  Two modules: one of the events block,
 * and one of nginx's core, whose configuration is looked at once all of the file has been read.
 */
#include "ngx_mtcp.h"

#include <sys/eventfd.h>

#include "ngx_mtcp_relay.h"

static struct poller *poller;
static struct epoll_event *found;
static ngx_uint_t found_room;

static ngx_event_module_t ngx_mtcp_module_ctx;

/* ---- events ------------------------------------------------------------- */

/* What comes back with an event: the connection, and which use of it (nginx's `instance'). */
static uint64_t
tag_of(ngx_connection_t *c)
{
	return (uintptr_t)c | c->read->instance;
}

static ngx_connection_t *
connection_of(uint64_t tag)
{
	ngx_connection_t *c = (ngx_connection_t *)(uintptr_t)(tag & ~UINT64_C(1));

	return c->fd != (ngx_socket_t)-1 && c->read->instance == (tag & 1) ? c : NULL;
}

static ngx_int_t
control(ngx_connection_t *c, int op, uint32_t events)
{
	ngx_log_debug3(NGX_LOG_DEBUG_EVENT, c->log, 0, "mtcp: ctl fd:%d op:%d ev:%08XD", c->fd, op,
	               events);
	if (poller_ctl(poller, op, c->fd, events, tag_of(c)) == 0)
		return NGX_OK;
	ngx_log_error(NGX_LOG_ALERT, c->log, ngx_errno, "mtcp: watching %d failed (operation %d)",
	              c->fd, op);
	return NGX_ERROR;
}

/* What the other direction of a connection is watched for. */
static uint32_t
events_beside(ngx_event_t *ev)
{
	ngx_connection_t *c = ev->data;

	if (ev->write)
		return c->read->active ? EPOLLIN | EPOLLRDHUP : 0;
	return c->write->active ? EPOLLOUT : 0;
}

static ngx_int_t
add_event(ngx_event_t *ev, ngx_int_t event, ngx_uint_t flags)
{
	uint32_t beside = events_beside(ev), events = ev->write ? EPOLLOUT : EPOLLIN | EPOLLRDHUP;

	if (flags & NGX_EXCLUSIVE_EVENT)
		events &= ~EPOLLRDHUP;
	if (control(ev->data, beside ? EPOLL_CTL_MOD : EPOLL_CTL_ADD,
	            events | beside | (uint32_t)flags) != NGX_OK)
		return NGX_ERROR;
	ev->active = 1;
	return NGX_OK;
}

/* Closing a socket takes it out of both epolls. */
static ngx_int_t
del_event(ngx_event_t *ev, ngx_int_t event, ngx_uint_t flags)
{
	uint32_t beside = events_beside(ev);

	if (!(flags & NGX_CLOSE_EVENT) &&
	    control(ev->data, beside ? EPOLL_CTL_MOD : EPOLL_CTL_DEL,
	            beside ? beside | (uint32_t)flags : 0) != NGX_OK)
		return NGX_ERROR;
	ev->active = 0;
	return NGX_OK;
}

static ngx_int_t
add_connection(ngx_connection_t *c)
{
	if (control(c, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET) != NGX_OK)
		return NGX_ERROR;
	c->read->active = 1;
	c->write->active = 1;
	return NGX_OK;
}

static ngx_int_t
del_connection(ngx_connection_t *c, ngx_uint_t flags)
{
	if (!(flags & NGX_CLOSE_EVENT) && control(c, EPOLL_CTL_DEL, 0) != NGX_OK)
		return NGX_ERROR;
	c->read->active = 0;
	c->write->active = 0;
	return NGX_OK;
}

/* ---- other threads ------------------------------------------------------ */

static int notice = -1; /* eventfd: a thread of a pool has done its work */
static ngx_event_t notice_read, notice_write;
static ngx_connection_t notice_connection;

static void
notice_handler(ngx_event_t *ev)
{
	ngx_event_handler_pt handler = ev->data;
	uint64_t count;

	if (read(notice, &count, sizeof count) != sizeof count)
		ngx_log_error(NGX_LOG_ALERT, ev->log, ngx_errno, "mtcp: reading an eventfd failed");
	handler(ev);
}

static ngx_int_t
notify(ngx_event_handler_pt handler)
{
	static const uint64_t one = 1;

	notice_read.data = handler;
	if (write(notice, &one, sizeof one) == sizeof one)
		return NGX_OK;
	ngx_log_error(NGX_LOG_ALERT, notice_read.log, ngx_errno, "mtcp: writing an eventfd failed");
	return NGX_ERROR;
}

static ngx_int_t
notice_open(ngx_log_t *log)
{
	notice = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	notice_read.handler = notice_handler;
	notice_read.log = log;
	notice_read.active = 1;
	notice_connection.fd = notice;
	notice_connection.read = &notice_read;
	notice_connection.write = &notice_write;
	notice_connection.log = log;
	if (notice < 0)
		return NGX_ERROR;
	return control(&notice_connection, EPOLL_CTL_ADD, EPOLLIN | EPOLLET);
}

/* ---- the loop ----------------------------------------------------------- */

static void
happened(ngx_event_t *ev, ngx_uint_t flags)
{
	ngx_queue_t *queue = ev->accept ? &ngx_posted_accept_events : &ngx_posted_events;

	ev->ready = 1;
	if (flags & NGX_POST_EVENTS) {
		ngx_post_event(ev, queue);
	} else {
		ev->handler(ev);
	}
}

/* An event of a connection that was closed since, by a handler before, is nobody's. */
static void
dispatch(struct epoll_event *entry, ngx_uint_t flags)
{
	uint32_t events = entry->events;
	ngx_connection_t *c = connection_of(entry->data.u64);

	if (!c)
		return;
	ngx_log_debug2(NGX_LOG_DEBUG_EVENT, c->log, 0, "mtcp: fd:%d ev:%04XD", c->fd, events);
	/* Whoever waits for anything hears of an error. */
	if (events & (EPOLLERR | EPOLLHUP))
		events |= EPOLLIN | EPOLLOUT;
	if ((events & EPOLLIN) && c->read->active) {
		c->read->pending_eof |= (events & EPOLLRDHUP) != 0;
		c->read->available = -1;
		happened(c->read, flags);
		c = connection_of(entry->data.u64);
	}
	if (c && (events & EPOLLOUT) && c->write->active) {
#if (NGX_THREADS)
		c->write->complete = 1;
#endif
		happened(c->write, flags);
	}
}

/* A signal that only means that time has passed is none to speak of. */
static ngx_int_t
wait_failed(ngx_log_t *log, ngx_err_t err)
{
	ngx_uint_t level = err == NGX_EINTR ? NGX_LOG_INFO : NGX_LOG_ALERT;

	if (err == NGX_EINTR && ngx_event_timer_alarm) {
		ngx_event_timer_alarm = 0;
		return NGX_OK;
	}
	ngx_log_error(level, log, err, "mtcp: waiting failed");
	return NGX_ERROR;
}

static ngx_int_t
wait_and_dispatch(ngx_cycle_t *cycle, ngx_msec_t timer, ngx_uint_t flags)
{
	int i, n, timeout = timer > INT32_MAX ? -1 : (int)timer; /* NGX_TIMER_INFINITE, too */
	ngx_err_t err;

	n = poller_wait(poller, found, (int)found_room, timeout);
	err = n < 0 ? ngx_errno : 0;
	if ((flags & NGX_UPDATE_TIME) || ngx_event_timer_alarm)
		ngx_time_update();
	if (n < 0)
		return wait_failed(cycle->log, err);
	for (i = 0; i < n; i++)
		dispatch(&found[i], flags);
	return NGX_OK;
}

/* An order to quit may have come with the events, or have ended the wait. */
static ngx_int_t
process_events(ngx_cycle_t *cycle, ngx_msec_t timer, ngx_uint_t flags)
{
	ngx_int_t rc = wait_and_dispatch(cycle, ngx_mtcp_relay_timer(timer), flags);

	ngx_mtcp_relay_look(cycle);
	return rc;
}

/* ---- a process's events begin and end ----------------------------------- */

/* nginx has no word of its own for "epoll, but without the calls of the kernel that need a descriptor". */
static void
look_like_epoll(void)
{
	ngx_io = ngx_os_io;
	ngx_io.flags = 0; /* no sendfile(): files reach the stack by writev() */
	ngx_io.send_chain = ngx_writev_chain;
	ngx_event_actions = ngx_mtcp_module_ctx.actions;
	ngx_event_flags = NGX_USE_CLEAR_EVENT | NGX_USE_GREEDY_EVENT | NGX_USE_EPOLL_EVENT;
	ngx_use_epoll_rdhup = 1;
	ngx_use_accept_mutex = 0; /* each worker has listeners of its own */
}

static ngx_int_t
init(ngx_cycle_t *cycle, ngx_msec_t timer)
{
	ngx_mtcp_conf_t *mcf = ngx_mtcp_conf_of(cycle);
	ngx_flag_t serves = ngx_process == NGX_PROCESS_WORKER || ngx_process == NGX_PROCESS_SINGLE;

	/* A worker that is started again has a master that may have tried another file since. */
	if (ngx_mtcp_follow(mcf, cycle->log) != NGX_OK)
		return NGX_ERROR;
	if (serves && !ngx_mtcp_posix->ctx && ngx_mtcp_stack_start(cycle, mcf) != NGX_OK)
		return NGX_ERROR;
	if (!poller)
		poller = poller_new(ngx_mtcp_posix, (unsigned)mcf->events);
	if (found_room < mcf->events) {
		ngx_free(found);
		found = ngx_alloc(mcf->events * sizeof *found, cycle->log);
		found_room = found ? mcf->events : 0;
	}
	if (!poller || !found) {
		ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno, "mtcp: no epoll");
		return NGX_ERROR;
	}
	if (notice < 0 && notice_open(cycle->log) != NGX_OK)
		return NGX_ERROR;
	look_like_epoll();
	return NGX_OK;
}

static void
done(ngx_cycle_t *cycle)
{
	poller_delete(poller);
	ngx_free(found);
	if (notice >= 0)
		close(notice);
	poller = NULL;
	found = NULL;
	found_room = 0;
	notice = -1;
}

/* ---- configuration ------------------------------------------------------ */

static void *
create_conf(ngx_cycle_t *cycle)
{
	ngx_mtcp_conf_t *mcf = ngx_pcalloc(cycle->pool, sizeof *mcf);

	if (!mcf || ngx_array_init(&mcf->bypass, cycle->pool, 4, sizeof(struct bypass_rule)) != NGX_OK)
		return NULL;
	mcf->events = NGX_CONF_UNSET_UINT;
	mcf->patience = NGX_CONF_UNSET_MSEC;
	mcf->pin = NGX_CONF_UNSET;
	return mcf;
}

static char *
init_conf(ngx_cycle_t *cycle, void *conf)
{
	ngx_event_conf_t *ecf = ngx_event_get_conf(cycle->conf_ctx, ngx_event_core_module);
	ngx_mtcp_conf_t *mcf = conf;

	ngx_conf_init_uint_value(mcf->events, 512);
	ngx_conf_init_msec_value(mcf->patience, 60000);
	ngx_conf_init_value(mcf->pin, 1);
	if (mcf->events == 0 || mcf->events > 65536)
		return "\"mtcp_events\" must be 1 to 65536";
	if (mcf->file.len && ngx_conf_full_name(cycle, &mcf->file, 1) != NGX_OK)
		return NGX_CONF_ERROR;
	mcf->used = ecf->use == ngx_mtcp_module.ctx_index;
	return NGX_CONF_OK;
}

ngx_mtcp_conf_t *
ngx_mtcp_conf_of(ngx_cycle_t *cycle)
{
	return ngx_event_get_conf(cycle->conf_ctx, ngx_mtcp_module);
}

static char *
set_bypass(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
	ngx_mtcp_conf_t *mcf = conf;
	ngx_str_t *value = cf->args->elts;
	struct bypass_rule *rule;
	ngx_uint_t i;

	for (i = 1; i < cf->args->nelts; i++) {
		rule = ngx_array_push(&mcf->bypass);
		if (!rule)
			return NGX_CONF_ERROR;
		if (bypass_parse((const char *)value[i].data, rule))
			continue;
		ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
		                   "\"%V\" is no address such as 10.0.0.0/8, 10.0.0.1:53, "
		                   "[2001:db8::1]:53 or *:8080", &value[i]);
		return NGX_CONF_ERROR;
	}
	return NGX_CONF_OK;
}

static ngx_command_t commands[] = {
	{ ngx_string("mtcp_conf"), NGX_EVENT_CONF | NGX_CONF_TAKE1, ngx_conf_set_str_slot, 0,
	  offsetof(ngx_mtcp_conf_t, file), NULL },
	{ ngx_string("mtcp_bypass"), NGX_EVENT_CONF | NGX_CONF_1MORE, set_bypass, 0, 0, NULL },
	{ ngx_string("mtcp_events"), NGX_EVENT_CONF | NGX_CONF_TAKE1, ngx_conf_set_num_slot, 0,
	  offsetof(ngx_mtcp_conf_t, events), NULL },
	{ ngx_string("mtcp_patience"), NGX_EVENT_CONF | NGX_CONF_TAKE1, ngx_conf_set_msec_slot, 0,
	  offsetof(ngx_mtcp_conf_t, patience), NULL },
	{ ngx_string("mtcp_pin"), NGX_EVENT_CONF | NGX_CONF_FLAG, ngx_conf_set_flag_slot, 0,
	  offsetof(ngx_mtcp_conf_t, pin), NULL },
	ngx_null_command
};

static ngx_str_t name = ngx_string("mtcp");

static ngx_event_module_t ngx_mtcp_module_ctx = {
	&name,
	create_conf,
	init_conf,
	{ add_event, del_event, add_event, del_event, add_connection, del_connection, notify,
	  process_events, init, done }
};

ngx_module_t ngx_mtcp_module = {
	NGX_MODULE_V1,
	&ngx_mtcp_module_ctx,
	commands,
	NGX_EVENT_MODULE,
	NULL,               /* init master */
	NULL,               /* init module */
	NULL,               /* init process */
	NULL,               /* init thread */
	NULL,               /* exit thread */
	ngx_mtcp_stack_end, /* exit process */
	NULL,               /* exit master */
	NGX_MODULE_V1_PADDING
};

/* ---- in nginx's core: all of the file has been read, no socket is open yet ------ */

static char *
core_init_conf(ngx_cycle_t *cycle, void *conf)
{
	ngx_mtcp_conf_t *mcf;

	/* There is no "events" block: nginx itself complains. */
	if (!ngx_get_conf(cycle->conf_ctx, ngx_events_module))
		return NGX_CONF_OK;
	mcf = ngx_mtcp_conf_of(cycle);
	if (mcf->used && (ngx_mtcp_check(cycle, mcf) != NGX_OK ||
	                  ngx_mtcp_stack_prepare(cycle->log) != NGX_OK))
		return NGX_CONF_ERROR;
	return ngx_mtcp_follow(mcf->used ? mcf : NULL, cycle->log) == NGX_OK ? NGX_CONF_OK
	                                                                      : NGX_CONF_ERROR;
}

/* A socket that was opened by a file before this one stands where that one said. */
static void
move_misplaced(ngx_cycle_t *cycle)
{
	ngx_listening_t *ls = cycle->listening.elts;
	ngx_uint_t i;

	for (i = 0; i < cycle->listening.nelts; i++) {
		if (ls[i].type != SOCK_STREAM || !posix_is_misplaced(ngx_mtcp_posix, ls[i].fd))
			continue;
		if (posix_surrender(ngx_mtcp_posix, ls[i].fd) == 0)
			continue;
		ngx_log_error(NGX_LOG_ERR, cycle->log, 0,
		              "mtcp: %V changes sides between the kernel and mtcp: that takes a restart",
		              &ls[i].addr_text);
	}
}

static ngx_int_t
core_init_module(ngx_cycle_t *cycle)
{
	ngx_core_conf_t *ccf = (ngx_core_conf_t *)ngx_get_conf(cycle->conf_ctx, ngx_core_module);

	if (!ngx_mtcp_posix || ngx_test_config)
		return NGX_OK;
	move_misplaced(cycle);
	if (ngx_mtcp_conf_of(cycle)->used)
		ngx_mtcp_relay_next(ccf->master ? (ngx_uint_t)ccf->worker_processes : 1);
	return NGX_OK;
}

static ngx_core_module_t core_ctx = { ngx_string("mtcp_core"), NULL, core_init_conf };

ngx_module_t ngx_mtcp_core_module = {
	NGX_MODULE_V1,
	&core_ctx,
	NULL,
	NGX_CORE_MODULE,
	NULL,             /* init master */
	core_init_module, /* init module */
	NULL,             /* init process */
	NULL,             /* init thread */
	NULL,             /* exit thread */
	NULL,             /* exit process */
	NULL,             /* exit master */
	NGX_MODULE_V1_PADDING
};
