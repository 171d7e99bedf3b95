/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the parts of the module share: the configuration, the process's sockets, its stack.
 *
 * The master only takes notes of the stack's listeners (posix/posix.h).  A worker gets a stack of its own
 * after it has been forked, and lets them listen there.  Cache helpers never get one.
 */
#pragma once

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "posix/poller.h"

/* Numbers from here on are accepted connections of the stack: above all descriptors, and 2^30 of them. */
#define NGX_MTCP_FIRST 0x40000000

/* What stands in the events block. */
typedef struct {
	ngx_str_t   file;      /* mtcp_conf: the library's configuration                    */
	ngx_array_t bypass;    /* mtcp_bypass: struct bypass_rule                           */
	ngx_uint_t  events;    /* mtcp_events: entries of one wait                          */
	ngx_msec_t  patience;  /* mtcp_patience: a worker waits so long for a place         */
	ngx_flag_t  pin;       /* mtcp_pin: a worker stays on its core's CPU                */
	ngx_flag_t  used;      /* "use mtcp" is in force                                    */

	/* What the library's file says, and what a worker tells the library besides. */
	ngx_uint_t  cores;     /* num_cores                                                 */
	ngx_uint_t  places;    /* multiprocess; 0: off                                      */
	ngx_flag_t  placed;    /* multiprocess names a place                                */
	ngx_flag_t  xdp;       /* eal_args name a device of AF_XDP                          */
} ngx_mtcp_conf_t;

extern ngx_module_t ngx_mtcp_module;

/* That of a cycle. */
ngx_mtcp_conf_t *ngx_mtcp_conf_of(ngx_cycle_t *cycle);

/* ---- ngx_mtcp_wrap.c ---------------------------------------------------- */

/* The sockets of this process; NULL until they were wanted, and every call is the kernel's. */
extern struct posix *ngx_mtcp_posix;

/* New sockets follow this configuration from here on; NULL: they are the kernel's. */
ngx_int_t ngx_mtcp_follow(ngx_mtcp_conf_t *mcf, ngx_log_t *log);

/* ---- ngx_mtcp_check.c --------------------------------------------------- */

/* Reads the library's file and fits it to the number of workers.  NGX_ERROR after a line that says what is
 * wrong.  Touches no device. */
ngx_int_t ngx_mtcp_check(ngx_cycle_t *cycle, ngx_mtcp_conf_t *mcf);

/* ---- ngx_mtcp_stack.c --------------------------------------------------- */

/* Once in the master, before the first worker. */
ngx_int_t ngx_mtcp_stack_prepare(ngx_log_t *log);

/* This worker gets its stack, and the listeners of the cycle listen. */
ngx_int_t ngx_mtcp_stack_start(ngx_cycle_t *cycle, ngx_mtcp_conf_t *mcf);

/* What is open gets a moment to end. */
void ngx_mtcp_stack_end(ngx_cycle_t *cycle);
