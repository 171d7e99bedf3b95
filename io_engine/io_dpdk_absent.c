/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stands in for the DPDK engine in a build without DPDK: the same functions,
 * the first of which says so; the others are then never reached.
 */
#include <errno.h>
#include <stdio.h>

#include "io_engine/io_dpdk.h"

bool
io_dpdk_built(void)
{
	return false;
}

int
io_dpdk_start(const struct io_dpdk_config *cfg, struct io_dpdk **out, char *err, size_t errlen)
{
	(void)cfg;
	(void)out;
	snprintf(err, errlen, "this build has no DPDK (configured --without-dpdk)");
	return -ENOTSUP;
}

void
io_dpdk_leave(struct io_dpdk *dpdk)
{
	(void)dpdk;
}

void
io_dpdk_stop(struct io_dpdk *dpdk)
{
	(void)dpdk;
}

unsigned
io_dpdk_devices(const struct io_dpdk *dpdk)
{
	(void)dpdk;
	return 0;
}

const char *
io_dpdk_device_name(const struct io_dpdk *dpdk, unsigned n, char name[IO_DPDK_NAME])
{
	(void)dpdk;
	(void)n;
	(void)name;
	return NULL;
}

int
io_dpdk_port_open(struct io_dpdk *dpdk, const struct io_dpdk_port_config *cfg,
                  struct io_dpdk_port **out, char *err, size_t errlen)
{
	(void)cfg;
	(void)out;
	(void)dpdk;
	snprintf(err, errlen, "this build has no DPDK (configured --without-dpdk)");
	return -ENOTSUP;
}

struct io *
io_dpdk_queue(struct io_dpdk_port *port, unsigned core)
{
	(void)port;
	(void)core;
	return NULL;
}

bool
io_dpdk_port_link(const struct io_dpdk_port *port)
{
	(void)port;
	return false;
}

void
io_dpdk_port_stats(const struct io_dpdk_port *port, struct io_dpdk_stats *stats)
{
	(void)port;
	*stats = (struct io_dpdk_stats){ 0 };
}

void
io_dpdk_port_close(struct io_dpdk_port *port)
{
	(void)port;
}
