/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * %q in `eal_args' and `port': the number of a queue, counted over all processes.  What has it
 * is repeated for each queue of this process, so that one line serves them all:
 *
 *	--vdev=net_af_xdp%q,iface=veth0,start_queue=%q     a word (or two, behind a bare --vdev)
 *	net_af_xdp%q                                       a device in a list with commas
 */
#pragma once

#include "base/base.h"

/* Whether `text` has one. */
bool template_has(const char *text);

/* `line` for the queues first .. first + n - 1, in `out`.  False: no room. */
bool template_args(const char *line, unsigned first, unsigned n, char *out, size_t room);

/* The same for a port's list of devices. */
bool template_devices(const char *list, unsigned first, unsigned n, char *out, size_t room);
